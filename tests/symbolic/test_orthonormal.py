"""An orthonormal teacher: the slice for several n, the spectrum for several K and d, and their identities."""

import numpy as np
import pytest
import sympy as sp

from sobolev_theory.symbolic import as_function, orthonormal, tidy
from sobolev_theory.symbolic import teacher_spectrum as spectra
from verification import definitions

VALUES, BOTH = (1.0, 0.0), (1.0, 1.0)
FLOWS = {
    "l2": (orthonormal.l2_flow, definitions.population_gradient, VALUES),
    "h1 population": (orthonormal.h1_population_flow, definitions.population_gradient, BOTH),
    "h1 loss": (orthonormal.h1_loss_flow, definitions.loss_gradient, BOTH),
}
LOSSES = {"l2": (orthonormal.l2_loss, VALUES), "h1": (orthonormal.h1_loss, BOTH)}
SYMBOLS = [getattr(orthonormal, name) for name in ("x", "y", "n", "r", "S", "A", "B", "phi", "alpha", "beta")]


def geometry(n, x, y):
    """Values of the symbols of the slice."""
    square, dot = x**2 + (n - 1) * y**2, 2 * x * y + (n - 2) * y**2
    r = np.sqrt(square)
    roots = [np.sqrt(square**2 - dot**2), np.sqrt(square - x**2), np.sqrt(square - y**2)]
    return [x, y, n, r, *roots, *np.arccos([dot / square, x / r, y / r])]


def on_the_slice(n, x, y):
    return np.full((n, n), y) + (x - y) * np.eye(n)


def problem(n, x, y, orders):
    return definitions.Problem(on_the_slice(n, x, y), np.ones(n), np.eye(n), np.ones(n), orders)


@pytest.mark.parametrize(("flow", "gradient", "orders"), FLOWS.values(), ids=FLOWS)
@pytest.mark.parametrize(("n", "x", "y"), [(2, 0.9, -0.4), (5, -0.3, 0.7)])
def test_flow_on_the_slice_is_that_of_the_network(flow, gradient, orders, n, x, y):
    velocity = as_function(sp.Matrix(list(flow())), SYMBOLS)(*geometry(n, x, y)).ravel()
    expected = -gradient(problem(n, x, y, orders))[0]
    np.testing.assert_allclose(on_the_slice(n, *velocity), expected, atol=1e-14)  # rounding of 10 quadratures


@pytest.mark.parametrize(("loss", "orders"), LOSSES.values(), ids=LOSSES)
def test_loss_on_the_slice_is_that_of_the_network(loss, orders):
    n, x, y = 5, -0.3, 0.7
    value = as_function(loss(), SYMBOLS)(*geometry(n, x, y))
    assert value == pytest.approx(definitions.loss(problem(n, x, y, orders)), rel=1e-14)  # sum of 100 terms


@pytest.mark.parametrize(
    ("flow", "of_the_loss"),
    [
        (orthonormal.l2_flow, orthonormal.l2_flow_of_the_loss),
        (orthonormal.h1_loss_flow, orthonormal.h1_flow_of_the_loss),
    ],
)
def test_flow_from_the_pairs_is_the_gradient_of_the_loss_for_every_n(flow, of_the_loss):
    gaps = [orthonormal.reduced(a - b) for a, b in zip(flow(), of_the_loss(), strict=True)]
    assert gaps == [0, 0]


def test_h1_population_flow_is_no_gradient_of_the_loss():
    gap = orthonormal.h1_population_flow().x - orthonormal.h1_flow_of_the_loss().x
    assert orthonormal.reduced(gap) != 0


COUPLINGS = (spectra.l2_coupling, spectra.h1_population_coupling)


def closed_spectrum(blocks, size, dimension):
    """All eigenvalues; a multiplicity of -1 takes one copy away."""
    at = {spectra.K: size, spectra.d: dimension}
    values, taken = [], []
    for block, times in zip(blocks, spectra.multiplicities(), strict=True):
        entries = block if isinstance(block, sp.MatrixBase) else sp.Matrix([block])
        matrix = np.array(entries.subs(at).evalf(20).tolist(), dtype=float)
        count = int(times.subs(at))
        (values if count >= 0 else taken).extend(abs(count) * list(np.linalg.eigvals(matrix).real))
    for value in taken:
        values.pop(int(np.argmin(np.abs(np.array(values) - value))))
    return np.sort(values)


def dense(slopes, size, dimension):
    """The matrix of size K d itself, from the integrals over pairs; `slopes` is the weight of first derivatives."""
    teacher = np.eye(size, dimension)
    matrix = np.zeros((size, dimension, size, dimension))
    for k, w in enumerate(teacher):
        for n, v in enumerate(teacher):
            pair = definitions.value_mixed_hessian(w, v) + slopes * definitions.slope_mixed_jacobian(w, v)
            matrix[k, :, n, :] = (1 + slopes) / 2 * np.eye(dimension) if k == n else pair
    return matrix.reshape(size * dimension, -1)


@pytest.mark.parametrize(("coupling", "slopes"), [*zip(COUPLINGS, (0, 1), strict=True)], ids=["l2", "h1"])
@pytest.mark.parametrize(("size", "dimension"), [(1, 2), (2, 3), (3, 3), (6, 9)])
def test_spectrum_at_the_teacher_in_closed_form(coupling, slopes, size, dimension):
    expected = np.sort(np.linalg.eigvals(dense(slopes, size, dimension)).real)
    found = closed_spectrum(spectra.blocks(coupling()), size, dimension)
    np.testing.assert_allclose(found, expected, atol=2e-14)  # rounding of eigenvalues up to 4 at size 54


@pytest.mark.parametrize("coupling", COUPLINGS, ids=["l2", "h1"])
def test_blocks_hold_for_a_number_of_neurons_they_were_not_read_from(coupling):
    size, blocks = 7, spectra.blocks(coupling())
    trivial = spectra._trivial(coupling(), size) - blocks.trivial.subs(spectra.K, size)
    standard = spectra._standard(coupling(), size) - blocks.standard.subs(spectra.K, size)
    assert tidy(trivial) == sp.zeros(2, 2)
    assert tidy(standard) == sp.zeros(3, 3)


def test_multiplicities_sum_to_the_number_of_parameters():
    sizes = (2, 3, 1, 1, 1, 1)
    total = sum(size * times for size, times in zip(sizes, spectra.multiplicities(), strict=True))
    assert sp.expand(total - spectra.K * spectra.d) == 0
