"""Sweeps: their rows, on one device and several; what is on disk; what is refused."""

import doctest
import importlib
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sobolev_theory as st
from sobolev_theory.runs.sweeps import configurations, functions
from tests.helpers.settings import strictest
from tests.helpers.sweeping import RHO, THETA, assert_columns, expected_polar, sweep


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.parquet"


# Rows.


@pytest.mark.parametrize("chunk", [None, 1, 4, 21, 100])
def test_rows_are_the_product_of_the_axes_whatever_the_chunk(path, chunk):
    rho, theta = (x.ravel() for x in np.meshgrid(RHO, THETA, indexing="ij"))
    swept = sweep(path, chunk=chunk)
    assert (swept.rows, swept.parameters) == (21, ("rho", "theta"))
    assert_columns(swept.columns(), {"rho": rho, "theta": theta} | expected_polar(rho, theta))


def test_a_tuple_of_names_is_one_axis_of_explicit_configurations(path):
    swept = sweep(path, axes={("rho", "theta"): [(1.0, 0.1), (2, 0.3), (0.5, 0.2)]})
    rho, theta = np.array([1.0, 2.0, 0.5]), np.array([0.1, 0.3, 0.2])
    assert_columns(swept.columns(), {"rho": rho, "theta": theta} | expected_polar(rho, theta))


def of_shapes(K, d, seed, theta, name):
    W = jax.random.normal(jax.random.key(seed), (K, d))
    return {"square": jnp.sum(W**2) * theta, "sizes": jnp.array([K, d]), "long": jnp.array(name == "long")}


def test_static_parameters_are_values_and_may_be_sizes_and_words(path):
    axes = {
        "theta": [1.0, 2.0],
        ("K", "d", "name"): [(3, 2, "long"), (1, 4, "short"), (3, 2, "long")],
        "seed": [0, 5],
    }
    columns = sweep(path, of_shapes, axes, static=("K", "d", "name")).columns()
    rows = [  # grouped by (K, d, name), whose axis is the slowest
        (theta, *sizes, seed)
        for sizes, seen in ((axes["K", "d", "name"][0], 2), (axes["K", "d", "name"][1], 1))
        for _, theta, seed in itertools.product(range(seen), (1.0, 2.0), (0, 5))
    ]
    assert list(zip(*(columns[n].tolist() for n in ("theta", "K", "d", "name", "seed")), strict=True)) == rows
    square = [theta * np.sum(jax.random.normal(jax.random.key(s), (K, d)) ** 2) for theta, K, d, _, s in rows]
    np.testing.assert_allclose(columns["square"], square, rtol=1e-14)  # sums of 6 terms
    np.testing.assert_array_equal(columns["sizes"], np.stack([columns["K"], columns["d"]], axis=-1))
    np.testing.assert_array_equal(columns["long"], columns["name"] == "long")


def test_parameters_may_all_be_static(path):
    swept = sweep(path, lambda K: jnp.sum(jnp.ones(K)), {"K": [2, 3]}, static="K")
    np.testing.assert_array_equal(swept.columns("value")["value"], [2.0, 3.0])


def test_the_function_is_traced_no_more_often_for_more_chunks(tmp_path):
    def traces(chunk):
        count = 0

        def counted(theta):
            nonlocal count
            count += 1
            return theta

        sweep(tmp_path / str(chunk), counted, {"theta": THETA}, chunk=chunk)
        return count

    assert traces(1) == traces(7)


def test_sweeps_work_without_promotion_and_with_keys_that_are_watched(path):
    axes = {"theta": [1.0, 2.0], ("K", "d", "name"): [(3, 2, "long"), (1, 4, "short")], "seed": [0, 5]}
    with strictest():
        swept = sweep(path, of_shapes, axes, static=("K", "d", "name"), chunk=3)
    assert swept.rows == 8


def test_a_named_tuple_and_a_number_are_results(path, tmp_path):
    swept = sweep(path, lambda theta: configurations.Group(theta, 2.0 * theta, 3, True), {"theta": [1.0, 2.0]})
    assert swept.results == {"static": (), "first": (), "size": (), "outer": ()}
    np.testing.assert_array_equal(swept.columns("first")["first"], [2.0, 4.0])


def test_a_mesh_shares_chunks_that_do_not_divide(path, tmp_path):
    mesh = jax.make_mesh((1,), ("rows",))
    shared, alone = sweep(path, chunk=5, mesh=mesh).columns(), sweep(tmp_path / "alone", chunk=5).columns()
    assert_columns(shared, alone)


# Memory.


def large(theta):
    table = jnp.sin(theta + jnp.arange(2.0**12))
    return jnp.sum(table[:, None] * jnp.sort(table * theta)[None, :64], axis=0)


@pytest.mark.parametrize("memory", [2**22, 2**18])
def test_chunks_fit_the_memory_budget(memory):
    traced = functions.Traced(large, {}, {"theta": np.zeros(1)})
    evaluate, chunk = traced.evaluate(2**12, None, memory, None)
    program = evaluate.args[0]
    assert 1 < chunk < 2**12
    assert functions._bytes(program) <= memory
    # What one configuration takes at least, its table, would not have fitted much more often.
    assert chunk * 8 * 2**12 >= memory / 32


def test_one_configuration_is_computed_whatever_it_takes():
    traced = functions.Traced(large, {}, {"theta": np.zeros(1)})
    evaluate, chunk = traced.evaluate(3, None, 1, None)
    assert chunk == 1
    np.testing.assert_allclose(evaluate({"theta": np.ones(1)})["value"][0], large(1.0), rtol=1e-12)  # 4096 terms


def test_a_grid_is_never_held_as_a_whole():
    grid = configurations.configurations({"a": np.arange(10**5), "b": np.arange(10**5.0), "K": [1, 2]}, ["K"])
    assert grid.rows == 2 * 10**10
    last = grid.columns(grid.groups[1], 10**10 - 2, 10**10)
    assert {n: c.tolist() for n, c in last.items()} == {
        "a": [99999, 99999],
        "b": [99998.0, 99999.0],
        "K": [2, 2],
    }


# Results that are no numbers.


def test_nan_is_kept_and_counted_by_rows_and_infinity_is_no_nan(path):
    def edge(theta):
        bad = jnp.where(theta > 2, jnp.nan, theta)
        return {"scalar": bad, "vector": jnp.stack([bad, bad, theta]), "infinite": theta / 0.0, "sign": theta > 2}

    swept = sweep(path, edge, {"theta": THETA}, chunk=2)
    count = int(np.sum(THETA > 2))
    assert count == 3
    assert swept.nan == {"scalar": count, "vector": count, "infinite": 0}
    np.testing.assert_array_equal(np.isnan(swept.columns("scalar")["scalar"]), THETA > 2)
    assert st.sweeps.opened(path) == swept


# The file.


def test_the_file_is_plain_parquet_with_a_column_for_each_parameter_and_result(path):
    swept = sweep(path, chunk=4)
    table = pq.read_table(path)
    assert {field.name: field.type for field in table.schema} == {
        "rho": pa.float64(),
        "theta": pa.float64(),
        "point": pa.list_(pa.float64(), 2),
        "outer": pa.list_(pa.float64(), 4),
        "right": pa.bool_(),
        "height": pa.float64(),
    }
    assert table["outer"].to_pylist() == swept.columns("outer")["outer"].reshape(-1, 4).tolist()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_columns_have_the_precision_that_was_computed_in(path):
    with jax.enable_x64(False):
        columns = sweep(path, lambda theta, n: {"x": theta, "m": n}, {"theta": [0.5], "n": [3]}).columns()
    assert {name: values.dtype.name for name, values in columns.items()} == {
        "theta": "float32",
        "n": "int32",
        "x": "float32",
        "m": "int32",
    }


def test_an_opened_sweep_is_the_one_that_was_finished(path):
    swept = sweep(path)
    again = st.sweeps.opened(str(path))
    assert again == swept
    assert_columns(again.columns("height", "rho"), swept.columns("height", "rho"))
    with pytest.raises(ValueError, match="names: got 'hight'; needs some of rho, theta, point"):
        again.columns("hight")


# Bad input.


def one(theta):
    return theta


BAD = {
    "axes: got {}; needs a dict": (TypeError, one, {}, {}),
    "axes: got the key 3; needs a name": (TypeError, one, {3: [1.0]}, {}),
    "axes: got the name 'the ta'; needs": (ValueError, one, {"the ta": [1.0]}, {}),
    "axes: got 'theta' twice; needs every name once": (
        ValueError,
        one,
        {"theta": [1.0], ("theta", "rho"): [(1.0, 1.0)]},
        {},
    ),
    r"axes\['theta'\]: got shape \(0,\); needs a sequence of at least one": (ValueError, one, {"theta": []}, {}),
    r"axes\['theta'\]: got shape \(\); needs a sequence": (ValueError, one, {"theta": 1.0}, {}),
    r"axes\['theta'\]: got nan in place 1; needs finite": (ValueError, one, {"theta": [1.0, np.nan]}, {}),
    r"axes\['theta'\]: got inf in place 0; needs finite": (ValueError, one, {"theta": [np.inf]}, {}),
    r"axes\['theta'\]: got values of complex128; needs real": (TypeError, one, {"theta": [1j]}, {}),
    r"axes\['theta'\]: got values of <U1; needs real numbers \(words only": (TypeError, one, {"theta": ["a"]}, {}),
    r"axes\['theta'\]: got values of object; needs numbers, or words": (
        TypeError,
        one,
        {"theta": [None]},
        {"static": "theta"},
    ),
    r"axes\[\('a', 'b'\)\]: got \(1.0,\) in place 1; needs 2 values": (
        ValueError,
        one,
        {("a", "b"): [(1.0, 2.0), (1.0,)]},
        {},
    ),
    r"axes\[\('a', 'b'\)\]: got no rows": (ValueError, one, {("a", "b"): []}, {}),
    r"axes\[\('a', 'b'\)\]: got \[1.0, 2.0\]; needs a row of 2": (TypeError, one, {("a", "b"): [1.0, 2.0]}, {}),
    "static: got 'K'; needs names of axes: theta": (ValueError, one, {"theta": [1.0]}, {"static": ["K"]}),
    r"axes: got thta for a function of \(theta\); needs its parameters by name": (TypeError, one, {"thta": [1]}, {}),
    "function: got 3; needs a function": (TypeError, 3, {"theta": [1.0]}, {}),
    "function: got NoneType for 'value'; needs an array": (TypeError, lambda theta: None, {"theta": [1.0]}, {}),
    "function: got list for 'value'; needs an array": (TypeError, lambda theta: [theta], {"theta": [1.0]}, {}),
    "function: got an empty dict": (TypeError, lambda theta: {}, {"theta": [1.0]}, {}),
    "function: got 1 as the name of a result": (TypeError, lambda theta: {1: theta}, {"theta": [1.0]}, {}),
    "function: got complex128 for 'value'; needs real": (TypeError, lambda theta: 1j * theta, {"theta": [1.0]}, {}),
    r"function: got shape \(0,\) for 'value'": (ValueError, lambda theta: jnp.zeros(0), {"theta": [1.0]}, {}),
    "function: got 'theta' as a parameter and as a result": (
        ValueError,
        lambda theta: {"theta": theta},
        {"theta": [1.0]},
        {},
    ),
    r"function: got value float64\[3\] for {'K': 3}, and value float64\[2\] for {'K': 2}; needs the same names": (
        ValueError,
        lambda K: jnp.zeros(K),
        {"K": [2, 3]},
        {"static": "K"},
    ),
    r"function: got shape \(2,\) for 'value' of 1 configurations; needs a first axis": (
        ValueError,
        st.sweeps.OfColumns(lambda theta: np.zeros(2), "zeros"),
        {"theta": [1.0]},
        {},
    ),
    "chunk: got 0; needs": (ValueError, one, {"theta": [1.0]}, {"chunk": 0}),
    "chunk: got 2.5; needs a whole number": (TypeError, one, {"theta": [1.0]}, {"chunk": 2.5}),
    r"mesh: got 4; needs a jax\.sharding\.Mesh": (TypeError, one, {"theta": [1.0]}, {"mesh": 4}),
    "progress: got 'yes'; needs True, False or None": (TypeError, one, {"theta": [1.0]}, {"progress": "yes"}),
    "memory: got 'all'; needs": (TypeError, one, {"theta": [1.0]}, {"memory": "all"}),
    "checkpoint_every: got nan; needs": (ValueError, one, {"theta": [1.0]}, {"checkpoint_every": float("nan")}),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named_and_leaves_nothing(path, message):
    error, function, axes, options = BAD[message]
    with pytest.raises(error, match=message):
        st.sweep(function, axes, path, **options)
    assert not path.exists()


def test_a_function_of_columns_needs_words_for_what_it_is():
    with pytest.raises(TypeError, match="version: got ''; needs words"):
        st.sweeps.OfColumns(one, "")
    with pytest.raises(TypeError, match="function: got 1; needs a function of columns"):
        st.sweeps.OfColumns(1, "one")


def test_results_of_columns_that_change_their_shape_are_refused(path):
    shapes = itertools.count(1)
    function = st.sweeps.OfColumns(lambda theta: np.ones((len(theta), next(shapes))), "growing")
    with pytest.raises(ValueError, match="needs the same names, shapes and precision in all rows"):
        sweep(path, function, {"theta": THETA}, chunk=3)


def test_numbers_that_single_precision_does_not_hold_are_refused(path):
    with jax.enable_x64(False):
        for values in ([2**40], [1e300]):
            with pytest.raises(ValueError, match=r"axes\['theta'\]: got .* beyond .*32; needs jax_enable_x64"):
                sweep(path, one, {"theta": values})


def test_a_path_that_is_no_file_is_refused(tmp_path):
    for wrong in (tmp_path, tmp_path / "missing" / "file"):
        with pytest.raises(ValueError, match=f"path: got {wrong}; needs the name of a file in a folder that exists"):
            sweep(wrong)
    with pytest.raises(TypeError, match="path: got 3"):
        sweep(3)


@pytest.mark.parametrize("name", ["functions", "run", "tables"])
def test_examples_in_docstrings_are_right_in_single_precision(name):
    module = importlib.import_module(f"sobolev_theory.runs.sweeps.{name}")
    with jax.enable_x64(False):
        result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
