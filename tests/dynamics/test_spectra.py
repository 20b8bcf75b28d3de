"""The spectrum from the span and one K x K matrix is that of the whole Kd x Kd matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import sobolev_theory as st
from sobolev_theory import single_neuron

EPS = float(np.finfo(float).eps)
MATRICES = {"loss": st.loss_hessian, "population": st.population_jacobian}


# In four dimensions the span of three neurons and one more direction are everything: one program serves both sides.
def networks(seed: int, neurons: int = 2, teachers: int = 1, dimension: int = 4) -> tuple[st.Network, st.Network]:
    random = np.random.default_rng(seed)
    student = st.Network(random.normal(size=(neurons, dimension)), random.normal(size=neurons))
    return student, st.Network(random.normal(size=(teachers, dimension)), random.normal(size=teachers))


def dense(student, teacher, loss, of) -> np.ndarray:
    size = student.weights.size
    return np.asarray(MATRICES[of](student, teacher, loss)).reshape(size, size)


def repeated(spectrum: st.Spectrum) -> np.ndarray:
    return np.repeat(np.asarray(spectrum.values), np.asarray(spectrum.multiplicities))


def distance(values, others) -> float:
    """Between two multisets, matching each value with the nearest left."""
    others = list(others)
    worst = 0.0
    for value in values:
        nearest = int(np.argmin(np.abs(np.array(others) - value)))
        worst = max(worst, abs(others.pop(nearest) - value))
    return worst


@pytest.mark.parametrize("of", MATRICES)
@pytest.mark.parametrize("loss", [st.L2, st.H1], ids=["L2", "H1"])
@settings(max_examples=8)
@given(seed=some.integers(0, 2**31))
def test_values_with_multiplicities_are_those_of_the_dense_matrix(of, loss, seed):
    student, teacher = networks(seed)
    spectrum = st.spectrum(student, teacher, loss, of=of)
    matrix = dense(student, teacher, loss, of)
    assert int(jnp.sum(spectrum.multiplicities)) == student.weights.size
    # Backward error 12 eps |A|, times the eigenvalues' condition, which the departure from normality bounds.
    tolerance = 1e4 * EPS * np.linalg.norm(matrix)
    assert distance(repeated(spectrum), np.linalg.eigvals(matrix)) <= tolerance


def test_values_across_the_span_count_once_for_every_dimension():
    student, teacher = networks(3, dimension=6)
    spectrum = st.spectrum(student, teacher)
    assert spectrum.multiplicities.tolist() == [1] * 6 + [3] * 2
    assert distance(repeated(spectrum), np.linalg.eigvalsh(dense(student, teacher, st.H1, "loss"))) <= 1e4 * EPS


@pytest.mark.parametrize("of", MATRICES)
def test_eigenvectors_are_lifted_and_of_unit_length(of):
    student, teacher = networks(1)
    values, vectors = st.spectrum(student, teacher, of=of).eigenpairs()
    vectors = np.asarray(vectors).reshape(values.size, -1)
    matrix = dense(student, teacher, st.H1, of)
    assert values.size == 8
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=100 * EPS)
    residual = vectors @ matrix.T - np.asarray(values)[:, None] * vectors
    assert np.max(np.abs(residual)) <= 1e3 * EPS * np.linalg.norm(matrix)


@pytest.mark.parametrize(
    ("of", "loss", "closed_form"),
    [
        ("population", st.L2, single_neuron.l2_eigenvalues),
        ("population", st.H1, single_neuron.h1_population_eigenvalues),
        ("loss", st.H1, single_neuron.h1_loss_hessian_eigenvalues),
    ],
)
def test_one_neuron_has_the_closed_form_spectrum(of, loss, closed_form):
    theta, rho, dimension = 0.7, 1.3, 1000
    student = st.Network(np.eye(dimension)[0])
    teacher = st.Network(rho * (np.cos(theta) * np.eye(dimension)[0] + np.sin(theta) * np.eye(dimension)[1]))
    spectrum = st.spectrum(student, teacher, loss, of=of)
    radial, in_plane, orthogonal = closed_form(rho, theta)
    assert spectrum.multiplicities.tolist() == [1, 1, dimension - 2]
    np.testing.assert_allclose(np.sort(spectrum.values[:2].real), sorted([in_plane, radial]), rtol=50 * EPS)
    np.testing.assert_allclose(spectrum.values[2].real, orthogonal, rtol=50 * EPS)


@pytest.mark.parametrize("dimension", [1, 3], ids=lambda d: f"d = {d}")
def test_a_span_that_is_everything_has_no_orthogonal_part(dimension):
    student, teacher = networks(2, dimension=dimension)
    spectrum = st.spectrum(student, teacher)
    assert spectrum.multiplicities.tolist() == [1] * (2 * dimension)
    assert distance(repeated(spectrum), np.linalg.eigvalsh(dense(student, teacher, st.H1, "loss"))) <= 1e3 * EPS * 10


@pytest.mark.parametrize(
    ("rows", "teacher_rows"),
    [
        ([[1, 2, 0, 0], [1, 2, 0, 0]], [[0, 0, 3, 0]]),
        ([[1, 0, 0, 0]] * 2, [[1, 0, 0, 0]]),
    ],
    ids=["coincident students", "all coincide"],
)
def test_rank_deficient_spans_have_the_dense_spectrum(rows, teacher_rows):
    student, teacher = (st.Network(np.array(x, float)) for x in (rows, teacher_rows))
    for of in MATRICES:
        spectrum = st.spectrum(student, teacher, of=of)
        assert int(jnp.sum(spectrum.multiplicities)) == 8
        # A defective eigenvalue moves by the root of the rounding.
        tolerance = 1e3 * EPS if of == "loss" else 10 * np.sqrt(EPS)
        assert distance(repeated(spectrum), np.linalg.eigvals(dense(student, teacher, st.H1, of))) <= tolerance


@settings(max_examples=8)
@given(seed=some.integers(0, 2**31))
def test_spectrum_is_invariant_under_rotation_and_permutation(seed):
    student, teacher = networks(seed)
    random = np.random.default_rng(seed)
    rotation, order = np.linalg.qr(random.normal(size=(4, 4)))[0], random.permutation(2)
    turned = st.Network(student.weights[order] @ rotation, student.output_weights[order])
    turned_teacher = st.Network(teacher.weights @ rotation, teacher.output_weights)
    before, after = st.spectrum(student, teacher), st.spectrum(turned, turned_teacher)
    scale = float(jnp.max(jnp.abs(before.values)))
    np.testing.assert_allclose(np.sort(after.values), np.sort(before.values), rtol=0, atol=1e4 * EPS * scale)


@pytest.mark.parametrize("of", MATRICES)
@pytest.mark.parametrize("loss", [st.L2, st.H1], ids=["L2", "H1"])
def test_condition_numbers_are_those_of_the_dense_matrix(of, loss):
    student, teacher = networks(4)
    matrix = dense(student, teacher, loss, of)

    def ratio(values):
        return np.max(np.abs(values)) / np.min(np.abs(values))

    expected = {
        "eigenvalue_ratio": ratio(np.linalg.eigvals(matrix)),
        "two_norm": np.linalg.cond(matrix),
        "symmetric_part": ratio(np.linalg.eigvalsh((matrix + matrix.T) / 2)),
    }
    for definition, value in expected.items():
        got = st.condition_number(student, teacher, loss, of=of, definition=definition)
        np.testing.assert_allclose(got, value, rtol=1e3 * EPS * value)


def test_departure_from_normality_is_that_of_the_dense_matrix():
    student, teacher = networks(4)
    matrix = dense(student, teacher, st.H1, "population")
    henrici = np.sqrt(np.linalg.norm(matrix) ** 2 - np.sum(np.abs(np.linalg.eigvals(matrix)) ** 2))
    assert henrici > 0.01
    departure = st.spectrum(student, teacher, of="population").departure_from_normality
    # The reference is a root of a difference of two numbers of size |A|^2.
    assert abs(departure - henrici) <= 100 * EPS * np.linalg.norm(matrix) ** 2 / henrici
    assert st.spectrum(student, teacher, of="loss").departure_from_normality == 0


def test_departure_near_the_teacher_tends_to_rho_over_two_pi():
    """DG_H tends to I - (rho / 2 pi) v e' as theta -> 0: not normal, while DG_L is."""
    teacher = st.Network([1.0, 0.0, 0.0, 0.0])
    student = st.Network([np.cos(1e-6), np.sin(1e-6), 0.0, 0.0])
    near = st.spectrum(student, teacher, of="population").departure_from_normality
    np.testing.assert_allclose(near, 1 / (2 * np.pi), rtol=1e-5)  # the next order is theta
    assert st.spectrum(student, teacher, st.L2, of="population").departure_from_normality == 0


def test_works_under_jit_and_vmap():
    teacher = st.Network([1.0, 0.0, 0.0, 0.0])
    angles = jnp.array([0.3, 0.7, 1.1])

    @jax.jit
    @jax.vmap
    def largest(theta):
        student = st.Network(jnp.stack([jnp.cos(theta), jnp.sin(theta), 0.0, 0.0]))
        return jnp.max(st.spectrum(student, teacher).values)

    expected = 1 - jnp.sin(angles) / (2 * jnp.pi) + jnp.cos(angles) ** 2 / (2 * jnp.pi * jnp.sin(angles))
    np.testing.assert_allclose(largest(angles), jnp.maximum(1.0, expected), rtol=50 * EPS)


def test_a_million_dimensions():
    keys = jax.random.split(jax.random.key(0))
    student, teacher = (st.Network(jax.random.normal(key, (2, 10**6)) / 1e3) for key in keys)
    spectrum = st.spectrum(student, teacher)
    assert int(jnp.sum(spectrum.multiplicities)) == 2 * 10**6
    # The trace of the Hessian, from its action on each neuron's own coordinates in the reduced problem.
    matrix = spectrum.blocks
    trace = jnp.trace(matrix.in_span) + matrix.copies * jnp.trace(matrix.orthogonal)
    np.testing.assert_allclose(jnp.sum(spectrum.values * spectrum.multiplicities), trace, rtol=1e-12)


def test_bad_input_is_named():
    student, teacher = networks(0)
    with pytest.raises(ValueError, match="of: got 'hessian'; needs one of 'loss', 'population'"):
        st.spectrum(student, teacher, of="hessian")
    with pytest.raises(ValueError, match="definition: got 'ratio'; needs one of 'eigenvalue_ratio', 'two_norm'"):
        st.condition_number(student, teacher, definition="ratio")
    with pytest.raises(ValueError, match="H2 loss of a ReLU network is infinite"):
        st.spectrum(student, teacher, st.H2)


# Extreme eigenvalues, without a matrix.


@pytest.mark.parametrize(("of", "dimension"), [("population", 3), ("loss", 8)], ids=["in the span", "a complement"])
def test_extreme_eigenvalues_are_the_ends_of_the_spectrum(of, dimension):
    student, teacher = networks(4, neurons=4, teachers=3, dimension=dimension)
    values = np.asarray(st.spectrum(student, teacher, of=of).values)
    values = values[np.argsort(values.real)]
    ends = st.extreme_eigenvalues(student, teacher, of=of, count=2)
    size = np.max(np.abs(values))
    # The tolerance of the iteration, times the condition of eigenvalues that are not normal: here below 100.
    np.testing.assert_allclose(ends.smallest, values[:2], rtol=0, atol=1e-8 * size)
    np.testing.assert_allclose(ends.largest, values[:-3:-1], rtol=0, atol=1e-8 * size)
    vectors = np.concatenate([ends.smallest_vectors, ends.largest_vectors]).reshape(4, -1)
    matrix, found = dense(student, teacher, st.H1, of), np.concatenate([ends.smallest, ends.largest])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(vectors @ matrix.T, found[:, None] * vectors, rtol=0, atol=1e-8 * size)
    assert ends.residual < 1e-8 * size


@pytest.mark.parametrize(("count", "tolerance", "name"), [(0, 1e-8, "count"), (9, 1e-8, "count"), (1, -1.0, "tol")])
def test_what_the_iteration_cannot_do_is_said_at_once(count, tolerance, name):
    student, teacher = networks(0)
    with pytest.raises(ValueError, match=f"^{name}"):
        st.extreme_eigenvalues(student, teacher, count=count, tolerance=tolerance)


def test_an_iteration_that_does_not_end_is_an_error(monkeypatch):
    from scipy.sparse import linalg

    patient = linalg.eigsh
    monkeypatch.setattr(linalg, "eigsh", lambda *args, **kwargs: patient(*args, **kwargs | {"maxiter": 1, "ncv": 4}))
    student, teacher = networks(2, neurons=4, teachers=3, dimension=8)
    with pytest.raises(RuntimeError, match="0 of 1 smallest eigenvalues reached the tolerance 1e-10"):
        st.extreme_eigenvalues(student, teacher)


# One neuron, in closed form.


@pytest.mark.parametrize("of", MATRICES)
@pytest.mark.parametrize("loss", [st.L2, st.H1, st.SobolevLoss((0.3, 1.7))], ids=["L2", "H1", "weighted"])
def test_one_neuron_has_the_eigenvalues_of_its_matrix(of, loss):
    student, teacher = networks(7, neurons=1, dimension=3)
    spectrum, matrix = st.spectrum(student, teacher, loss, of=of), dense(student, teacher, loss, of)
    # Entries of size 1; a 3 x 3 matrix whose eigenvectors have condition below 10.
    assert distance(repeated(spectrum), np.linalg.eigvals(matrix)) <= 100 * EPS
    assert spectrum.multiplicities.tolist() == [1, 1, 1]
    squares = np.linalg.norm(matrix) ** 2 - np.sum(np.abs(repeated(spectrum)) ** 2)  # Henrici's departure
    np.testing.assert_allclose(spectrum.departure_from_normality**2, squares, rtol=0, atol=100 * EPS)


def test_eigenvalues_of_one_neuron_keep_their_digits_next_to_the_teacher():
    """[[1, -1/(2 pi)], [0, 1 - 3 sin/(2 pi)]]: a numerical method returns 1 +- 1e-8."""
    student, teacher = st.Network([1.0, 0.0, 0.0]), st.Network([1.0, 1e-10, 0.0])
    values = st.spectrum(student, teacher, of="population").values
    expected = 1 - np.array([3, 0, 1]) * 1e-10 / (2 * np.pi)
    np.testing.assert_allclose(np.sort(np.asarray(values).real), np.sort(expected), rtol=2 * EPS)
    assert not np.any(np.asarray(values).imag)
