"""The functions of the angle against quadrature, and the plain sums against the definition."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from sobolev_theory.geometry.angles import angles_from_cosine, power_of_two
from sobolev_theory.population.relu import plain_sums, sums
from sobolev_theory.population.relu.blocks import geometry
from sobolev_theory.population.row_blocks import EVERY
from tests.helpers import reference
from tests.helpers.cases import EPS, LOSSES, TRIPLES

THETAS = np.array([0.3, 0.9, np.pi / 2, 2.0, 2.8])
ANGLES = angles_from_cosine(jnp.cos(THETAS))
FEW = 4 * EPS

each_loss = pytest.mark.parametrize("lam", LOSSES.values(), ids=LOSSES)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("theta", [0.0, 0.3, 1.0, 1.5, 2.8])
def test_half_space_kernel_is_the_gaussian_integral(order, theta):
    """The closed forms of the references: quadrature in the plane of two vectors, to 20 digits."""
    with mp.workdps(30):
        w, v = [mp.mpf(2), mp.mpf(0)], [3 * mp.cos(theta), 3 * mp.sin(theta)]
        exact, integral = reference.half_space_kernel(order, w, v), reference.half_space_quadrature(order, w, v)
        assert abs(exact - integral) <= mp.mpf(10) ** -20


@each_loss
def test_kernel_is_the_weighted_sum_of_the_kernels_of_unit_neurons(lam):
    with mp.workdps(30):
        plane = [([mp.mpf(1), mp.mpf(0)], [mp.cos(mp.mpf(t)), mp.sin(mp.mpf(t))]) for t in THETAS]
        exact = [reference.combine(lam, lambda m, p=p: reference.kernel(m, *p)) for p in plane]
    # The angles come from rounded cosines: their error is eps / sin, below 4 eps.
    np.testing.assert_allclose(plain_sums.kernel(ANGLES, lam), exact, rtol=0, atol=FEW)


@each_loss
def test_towards_and_jump_make_up_the_derivative_of_the_kernel(lam):
    """K' = -sin T - b, from the kernel's own derivative in theta."""

    def kernel(theta):
        return plain_sums.kernel(plain_sums.Angles(theta, jnp.pi - theta, jnp.sin(theta), jnp.cos(theta)), lam)

    slope = jax.vmap(jax.grad(kernel))(jnp.array(THETAS))
    written = -jnp.sin(THETAS) * plain_sums.towards(ANGLES, lam) - plain_sums.jump(ANGLES, lam)
    np.testing.assert_allclose(slope, written, rtol=0, atol=FEW)


@each_loss
def test_along_is_what_homogeneity_leaves(lam):
    """R = K - T cos."""
    written = plain_sums.kernel(ANGLES, lam) - plain_sums.towards(ANGLES, lam) * jnp.cos(THETAS)
    np.testing.assert_allclose(plain_sums.along(ANGLES, lam), written, rtol=0, atol=FEW)


def test_the_pull_of_a_jump_is_orthogonal_to_its_neuron():
    """b e = (b / sin) u' - (b cos / sin) u has length b and is orthogonal to u."""
    found = plain_sums.jump_pull(ANGLES, (1.0, 1.0))
    u, u_ = np.array([1.0, 0.0]), np.stack([np.cos(THETAS), np.sin(THETAS)], axis=1)
    vectors = np.asarray(found.towards)[:, None] * u_ + np.asarray(found.along)[:, None] * u
    expected = np.stack([0 * THETAS, np.cos(THETAS) / (2 * np.pi)], axis=1)
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=FEW)


@pytest.fixture(scope="module")
def plain():
    case = TRIPLES["signed output weights"]

    @jax.jit
    def evaluate(lam, student, teacher):
        g = geometry(student, teacher, None, of_teachers=True)
        unit = power_of_two(jnp.max(jnp.abs(g.everyone.rho)))
        energy = jnp.sum(sums._plain_energy((lam, unit), g, EVERY))
        loss = (energy + sums._of_teachers(lam, g.rho_star / unit, g, None)) * unit**2
        block = slice(0, g.students)
        parts = (g.everyone.take(block), g.everyone, g.angles(block))
        return loss, *(plain_sums.plain_gradient(part, lam, *parts) for part in ("population", "boundary"))

    return lambda lam: evaluate(lam, case[:2], case[2:]), reference.Problem(*case)


@each_loss
def test_plain_sums_are_those_of_the_definition(plain, lam):
    evaluate, problem = plain
    loss, (rows, output), (boundary, _) = evaluate(lam)
    found = (loss, rows, output, boundary)
    quantities = ("loss", "population_gradient", "output_gradient", "boundary_term")
    for value, quantity in zip(found, quantities, strict=True):
        exact = reference.combine(lam, getattr(problem, quantity))
        # Sums of at most 36 terms, rounded in random directions, below the largest term.
        np.testing.assert_allclose(value, exact, rtol=0, atol=FEW * problem.largest_term(), err_msg=quantity)
