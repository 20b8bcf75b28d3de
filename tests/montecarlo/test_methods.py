"""Ways to draw a group: every one unbiased with honest error bars, each worth what it is said to be worth.

Seeds are fixed, and comparisons fail at a p-value below FALSE_ALARM, as in `test_estimators`.
"""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

import sobolev_theory as st
from sobolev_theory.montecarlo import control_variates, estimands, integrands, normal_points, stream
from sobolev_theory.montecarlo.plan import Plan, plan_of
from tests.montecarlo.test_estimators import FALSE_ALARM, PRECISE, flat, networks, p_value

METHODS = {
    "independent": {"method": "independent"},
    "antithetic": {"method": "antithetic"},
    "antithetic in the span": {"method": "antithetic", "sampling": "span"},
    "sobol": {"method": "sobol"},
    "sobol, control SobolevLoss(lambdas=(1.0,))": {"method": "sobol", "control": st.L2},
}
PRECISE = PRECISE | {"samples": 2**18}  # 256 groups: a variance is known to 9 %


@cache
def gradient(method: str):
    return st.montecarlo.loss_gradient(*networks(), key=jax.random.key(50), **METHODS[method], **PRECISE)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_agrees_with_the_exact_gradient_and_says_what_it_was(method):
    assert gradient(method).method == method
    assert p_value(gradient(method), st.loss_gradient(*networks())) > FALSE_ALARM


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("population_loss", "independent"),
        ("population_jacobian", "independent"),
        ("population_loss", "sobol, control SobolevLoss(lambdas=(1.0,))"),
    ],
)
def test_methods_agree_with_the_exact_loss_and_jacobian(name, method):
    options = PRECISE | METHODS[method]
    estimate = getattr(st.montecarlo, name)(*networks(), key=jax.random.key(51), **options)
    assert p_value(estimate, getattr(st, name)(*networks())) > FALSE_ALARM


# At equal samples, in groups of 2^10. Measured from 1024 groups: 1.9, 2.0, 30 and 40.
LEAST_FACTORS = {"antithetic": 1.5, "antithetic in the span": 1.5, "sobol": 22}


@pytest.mark.parametrize("method", [name for name in METHODS if name != "independent"])
def test_methods_divide_the_variance(method):
    size = {name: np.sum(flat(gradient(name).standard_error) ** 2) for name in ("independent", method)}
    assert size["independent"] / size[method] > LEAST_FACTORS.get(method, 30)


class Shrunk(normal_points.SobolNet):
    """Normal points of a net, 1 % too small."""

    def normals(self, *arguments):
        return 0.99 * super().normals(*arguments)


class OneSided(normal_points.Antithetic):
    """The negative of the pair is 1 % too large."""

    def normals(self, *arguments):
        z = super().normals(*arguments)
        return jnp.where(jnp.arange(len(z))[:, None] < len(z) // 2, z, 1.01 * z)


BIASED = {
    "a net that is too narrow": (lambda: Shrunk(normal_points.sobol_net(2**10, 4).directions), 1),
    "pairs that are not opposite": (OneSided, 8),
}


@pytest.mark.parametrize("case", BIASED)
def test_points_that_are_not_normal_are_noticed(case):
    problem = integrands.SampledProblem((1.0, 1.0), *networks())
    points, batches = BIASED[case]
    arguments = estimands.Arguments(problem, None, points())
    portions = Plan(2**10, 2**7, batches, None, covariance=True, progress=False)
    student = problem.student
    estimate = stream.estimate(estimands.LOSS_GRADIENT, arguments, student, portions, jax.random.key(52))
    assert p_value(estimate, st.loss_gradient(*networks())) < FALSE_ALARM


# Error bars.

SMALL = st.Network([[1.0, 0.3]]), st.Network([[0.2, -1.1]], [0.7])


@pytest.mark.parametrize("method", ["antithetic", "sobol", "sobol, control SobolevLoss(lambdas=(1.0,))"])
def test_standard_errors_of_every_method_are_honest(method):
    """The t statistics of many keys, as normal quantiles, have squares that sum to chi-square if bars are right."""
    exact, runs, n = float(st.population_loss(*SMALL)), 400, 64
    options = {"samples": n * 2**6, "batch": n * 2**6, "group": 2**6} | METHODS[method]
    t = np.empty(runs)
    for i, key in enumerate(jax.random.split(jax.random.key(53), runs)):
        estimate = st.montecarlo.population_loss(*SMALL, key=key, **options)
        t[i] = (float(estimate.mean) - exact) / float(estimate.standard_error)
    # Of group means that are nearly normal; a bar that is 20 % off moves the sum by 40 %, 5.7 of its deviations.
    total = np.sum(stats.norm.ppf(stats.t.cdf(t, n - 1)) ** 2)
    assert min(stats.chi2.sf(total, runs), stats.chi2.cdf(total, runs)) > FALSE_ALARM / 2
    assert abs(np.mean(t)) < stats.norm.isf(FALSE_ALARM / 2) * np.std(t) / np.sqrt(runs)


# Nets.


@partial(jax.jit, static_argnums=(2, 3, 4))
def normals(net: normal_points.SobolNet, key: jax.Array, size: int, dimension: int, dtype=jnp.float64) -> jax.Array:
    return net.normals(key, size, dimension, dtype)


def uniform(net: normal_points.SobolNet, key: jax.Array, size: int, dimension: int) -> np.ndarray:
    return stats.norm.cdf(np.asarray(normals(net, key, size, dimension)))


def test_directions_are_those_of_the_sequence():
    found = normal_points._reversed(
        np.asarray(normal_points._combinations(jnp.asarray(normal_points.directions(8, 21))))
    )
    expected = qmc.Sobol(21, scramble=False, bits=32).random_base2(8)
    # The same set in another order, exact.
    assert set(map(tuple, found / 2.0**32)) == set(map(tuple, expected))


@pytest.mark.parametrize("seed", range(3))
def test_a_randomised_net_has_one_point_in_every_elementary_box(seed):
    """Of volume 2^-8 in two dimensions, for 2^8 points: so scrambling is nested, and no digit is lost."""
    u = uniform(normal_points.sobol_net(2**8, 2), jax.random.key(seed), 2**8, 2)
    for across in range(9):
        boxes = np.floor(u * [2**across, 2 ** (8 - across)])
        assert len(np.unique(boxes, axis=0)) == 2**8


def test_every_point_of_a_net_is_uniform_and_its_coordinates_are_independent():
    keys, net = jax.random.split(jax.random.key(54), 2**14), normal_points.sobol_net(2**6, 3)
    z = jax.jit(jax.vmap(lambda key: net.normals(key, 2**6, 3, jnp.float64)[jnp.array([0, 37])]))(keys)
    u = stats.norm.cdf(np.asarray(z))
    for point in range(2):
        counts = np.histogramdd(u[:, point], bins=8, range=[(0, 1)] * 3)[0]
        assert stats.chisquare(counts.ravel()).pvalue > FALSE_ALARM


def test_a_net_in_single_precision_has_no_infinite_point():
    net = normal_points.sobol_net(2**12, 64)
    largest = [np.max(np.abs(normals(net, jax.random.key(i), 2**12, 64, jnp.float32))) for i in range(20)]
    assert np.all(np.isfinite(largest))
    assert max(largest) > 4.5  # of 5 million normals; smaller with a probability of exp(-36)


def test_nets_are_even_in_pairs_up_to_the_stated_dimensions():
    for size, dimension in ((2**6, 22), (2**8, 112), (2**10, 401), (2**12, 1068)):
        assert normal_points.is_even(size, dimension)
        assert not normal_points.is_even(size, dimension + 1)


def test_coordinates_with_the_same_first_digits_have_tied_signs():
    """What `is_even` guards against: beyond its dimension there is a pair on which a net is worth one point."""
    first = normal_points.directions(6, 23) & 1
    [i] = np.flatnonzero(np.all(first[:, :22] == first[:, 22:], axis=0))
    z = np.asarray(normals(normal_points.sobol_net(2**6, 23), jax.random.key(55), 2**6, 23))
    assert len(np.unique(np.sign(z[:, i] * z[:, 22]))) == 1


# Random generators.


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_normals_of_every_generator_are_normal_and_folds_of_a_key_are_independent(impl):
    key, size, folds = jax.random.key(56, impl=impl), 2**12, 2**6
    draw = jax.jit(
        lambda key, g: normal_points.INDEPENDENT.normals(jax.random.fold_in(key, g), size, 1, jnp.float64)[:, 0]
    )
    z = np.stack([draw(key, np.uint32(g)) for g in range(folds)])
    n = z.size
    # Standardised, each is normal to 1 / sqrt(n): moments, and correlations of folds, of neighbours and of lag 1.
    statistics = [
        np.sum(z) / np.sqrt(n),
        np.sum(z**2 - 1) / np.sqrt(2 * n),
        np.sum(z**3) / np.sqrt(15 * n),
        np.sum(z**4 - 3) / np.sqrt(96 * n),
        np.sum(z[1:] * z[:-1]) / np.sqrt(n - size),
        np.sum(z[:, 1:] * z[:, :-1]) / np.sqrt(n - folds),
        np.sum((z[1:] ** 2 - 1) * (z[:-1] ** 2 - 1)) / np.sqrt(4 * (n - size)),
    ]
    assert 2 * stats.norm.sf(np.max(np.abs(statistics))) * len(statistics) > FALSE_ALARM
    counts = np.histogram(stats.norm.cdf(z), bins=2**8, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > FALSE_ALARM
    correlations = (z @ z.T / np.sqrt(size))[np.triu_indices(folds, 1)]
    assert stats.chi2.sf(np.sum(correlations**2), correlations.size) > FALSE_ALARM


# The default.

DEFAULTS = {
    "a net": ({"samples": 2**14}, "sobol"),
    "few samples": ({"samples": 2**8}, "independent"),
    "a group that is no power of two": ({"samples": 2**13, "group": 100}, "independent"),
    "a small group": ({"samples": 2**10, "group": 2**5}, "independent"),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_the_default_picks_nets_that_are_large_enough_and_says_so(case):
    options, method = DEFAULTS[case]
    assert plan_of(options, 2)[1].name == method


def test_the_default_draws_no_net_that_is_uneven_in_a_pair():
    student, teacher = (st.Network(np.random.default_rng(i).normal(size=(1, 300))) for i in range(2))
    options = {"key": jax.random.key(58), "samples": 2**14, "group": 2**8}
    assert plan_of({"samples": 2**14, "group": 2**8}, 300)[1].name == "independent"
    in_span = st.montecarlo.population_loss(student, teacher, sampling="span", **options)
    assert in_span.method == "sobol in the span"


def test_the_default_group_of_a_net_leaves_enough_groups_for_error_bars():
    plan, _ = plan_of({"samples": 2**20}, 2)
    assert (plan.batches * plan.batch, plan.batches * plan.groups) == (2**20, 2**8)


def test_the_method_is_no_leaf_of_an_estimate():
    estimate = st.montecarlo.population_loss(*SMALL, key=jax.random.key(57), samples=2**8)
    assert jax.tree.map(np.asarray, estimate).method == estimate.method == "independent"


# Numbers that are none.


class BadBeyond(st.Activation):
    """t, but NaN below -3.5: in one sample of 4300."""

    def __call__(self, t):
        return jnp.where(t > -3.5, t, jnp.nan)


def test_nan_of_an_activation_names_the_batch_and_the_key_that_reproduces_it():
    student, teacher = st.Network([[1.0, 0.0]], activation=BadBeyond()), st.Network([[0.3, 1.0]])
    key, group = jax.random.key(60), 2**6
    options = {"samples": 2**14, "batch": 2**10, "group": group, "method": "independent"}
    with pytest.raises(
        FloatingPointError, match=r"student, teacher: got NaN .* batch \d+, .*fold_in\(key, \d+\)$"
    ) as e:
        st.montecarlo.population_loss(student, teacher, st.L2, key=key, **options)
    words = str(e.value).replace(",", "").replace(")", "").split()
    batch, g = int(words[words.index("batch") + 1]), int(words[-1])
    assert batch == g // (2**10 // group)
    problem = integrands.SampledProblem((1.0,), student, teacher)

    def smallest(g):
        return np.min(integrands.draw(problem, jax.random.fold_in(key, g), group).x[:, 0])

    assert smallest(g) <= -3.5
    assert all(smallest(earlier) > -3.5 for earlier in range(g))


def test_nan_in_the_pilot_of_a_control_names_the_key_of_the_pilot():
    def pair(arguments, key, size):
        z = jax.random.normal(key, (size,))
        return jnp.mean(jnp.sqrt(z + 2.5)), jnp.mean(z)  # NaN in one sample of 160

    plan, key = Plan(2**4, 2**5, 2**4, None, covariance=False, progress=False), jax.random.key(64)
    pilot = r"fold_in\(jax\.random\.fold_in\(key, 4294967295\), \d+\)$"
    with pytest.raises(FloatingPointError, match=pilot) as caught:
        control_variates.best_slopes(pair, (), jnp.zeros(()), plan, key, None)
    g = int(str(caught.value).split()[-1].rstrip(")"))
    means = [pair((), jax.random.fold_in(jax.random.fold_in(key, 4294967295), i), 2**4)[0] for i in range(g + 1)]
    assert np.isnan(means[-1])
    assert np.all(np.isfinite(means[:-1]))


def test_a_loss_that_exceeds_the_dtype_names_the_key_of_its_group():
    student = st.Network([1e200, 0.0])
    with pytest.raises(OverflowError, match=r"batch 0, .*fold_in\(key, 0\)$"):
        st.montecarlo.population_loss(student, SMALL[1], key=jax.random.key(61), samples=2**8)


def test_means_whose_squares_exceed_the_dtype_are_told_from_means_that_do():
    student = st.Network([1e100, 0.0])
    options = {"key": jax.random.key(61), "samples": 2**8}
    assert np.isfinite(st.montecarlo.population_loss(student, SMALL[1], **options).mean)
    with pytest.raises(OverflowError, match=r"the square of a mean, .* g = 0 \.\.\. 31$"):
        st.montecarlo.population_loss(student, SMALL[1], covariance=True, **options)


# Any function.

A = np.array([0.8, -0.3, 0.5])


def wave(z):
    return {"wave": jnp.cos(z @ A + 0.2), "square": z * z}


@pytest.mark.parametrize("method", ["independent", "sobol"])
def test_the_expectation_of_a_function_is_that_of_the_normal_distribution(method):
    options = {"samples": 2**18, "method": method, "covariance": True}
    estimate = st.montecarlo.expectation(wave, 3, key=jax.random.key(62), **options)
    expected = {"wave": jnp.cos(0.2) * jnp.exp(-jnp.sum(A**2) / 2), "square": jnp.ones(3)}
    assert estimate.method == method
    assert p_value(estimate, expected) > FALSE_ALARM
    assert p_value(estimate, jax.tree.map(lambda x: 1.01 * x, expected)) < FALSE_ALARM


def test_nan_of_a_function_names_the_key_that_reproduces_it():
    def root(z):
        return jnp.sqrt(z[0] + 3.5)

    key, group = jax.random.key(63), 2**6
    with pytest.raises(FloatingPointError, match=r"^function: got NaN .*fold_in\(key, \d+\)$") as caught:
        st.montecarlo.expectation(root, 1, key=key, samples=2**14, group=group, method="independent")
    g = int(str(caught.value).split()[-1].rstrip(")"))
    z = [normal_points.INDEPENDENT.normals(jax.random.fold_in(key, i), group, 1, jnp.float64) for i in range(g + 1)]
    assert np.min(z[-1]) < -3.5 < np.min(z[:-1])


BAD_FUNCTIONS = {
    "function: got 3; needs a function": (3, 1, {}),
    "function: got values of int": (lambda z: jnp.argmax(z), 2, {}),
    "dimension: got 0; needs a whole number": (wave, 0, {}),
    "control: got SobolevLoss.* needs nothing for a function": (wave, 3, {"control": st.L2}),
    "sampel: got an unknown option": (wave, 3, {"sampel": 1}),
    "function: got None; needs one that returns numbers": (lambda z: None, 2, {}),
    "function: got values of complex": (lambda z: 1j * z[0], 2, {}),
    "dtype: got complex128; needs a real floating one": (lambda z: jnp.abs(z[0]), 2, {"dtype": complex}),
    "dtype: got int64; needs a real floating one": (wave, 3, {"dtype": int}),
    "dtype: got 'float31'; needs a real floating one": (wave, 3, {"dtype": "float31"}),
}


@pytest.mark.parametrize("message", BAD_FUNCTIONS)
def test_functions_of_no_use_are_refused_by_name(message):
    function, dimension, options = BAD_FUNCTIONS[message]
    with pytest.raises((TypeError, ValueError), match=message):
        st.montecarlo.expectation(function, dimension, key=jax.random.key(0), **options)


# Bad input.

BAD = {
    "method: got 'lattice'; needs one of 'auto', 'independent', 'antithetic', 'sobol'": (
        ValueError,
        {"method": "lattice"},
    ),
    "group: got 100; needs a power of two for method='sobol'": (ValueError, {"method": "sobol", "group": 100}),
    "control: got 2; needs a SobolevLoss": (TypeError, {"control": 2}),
    "control: got lambdas .* order 2; needs order at most 1": (ValueError, {"control": st.H2}),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    error, options = BAD[message]
    with pytest.raises(error, match=message):
        st.montecarlo.population_loss(*SMALL, key=jax.random.key(0), **options)


def test_a_net_in_too_many_dimensions_is_refused():
    wide = st.Network(np.ones((1, 21202)))
    with pytest.raises(ValueError, match=r"method: got 'sobol' in 21202 dimensions; needs at most 21201"):
        st.montecarlo.population_loss(wide, wide, key=jax.random.key(0), method="sobol")
