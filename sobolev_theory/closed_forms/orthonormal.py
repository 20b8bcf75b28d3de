"""The symmetric slice of an orthonormal teacher: a planar system in (x, y), for any number n of neurons.

Student w_j = x w*_j + y sum_(l != j) w*_l, teacher w*_1 ... w*_n orthonormal, all output weights 1. All flows keep to
the slice. At (1, 0) the student is the teacher; on x = y all its neurons coincide. For n = 2, (0, 1) is the teacher
in the other order.

Three angles occur: phi of two student neurons, alpha of w_j and w*_j, beta of w_j and another w*_l. The H1 loss has
kinks where one of them is 0 or pi: on x = y the students repel each other, on y = 0 every student is held by its own
teacher. Values there are the means of the one-sided ones, as in `population`.

Source: Tian, arXiv 1703.00560, section on many ReLUs, for L2; derived in symbolic/orthonormal.py.

Example:
    >>> from sobolev_theory import L2, orthonormal
    >>> bool(abs(orthonormal.velocity(1.0, 0.0, 5, L2).x) < 1e-6)
    True
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..geometry.angles import inverse_or_zero, parallel_below
from ..model.arguments import check_choice, whole
from ..model.losses import H1, Of, OrderWeights, SobolevLoss
from ..model.networks import Network
from .kinds import Kind
from .vectors import TWO_PI, Scalar, of_numbers

__all__ = ["FixedPoint", "Velocity", "fixed_points", "population_loss", "student", "velocity"]
__dir__ = __all__.copy


class Velocity(NamedTuple):
    """dx/dt and dy/dt."""

    x: Scalar
    y: Scalar


@of_numbers("x", "y")
def student(x: float, y: float, n: int) -> Network:
    """The network of the slice in R^n, whose teacher is st.Network(jnp.eye(n)).

    Returns:
        Network: weights [n, n], output weights 1.

    Example:
        >>> from sobolev_theory import orthonormal
        >>> orthonormal.student(2.0, 0.5, 2).weights.tolist()
        [[2.0, 0.5], [0.5, 2.0]]
    """
    n = whole("n", n, 2)
    own = jnp.eye(n, dtype=bool)
    return Network(jnp.where(own, x, y))


class _Angle(NamedTuple):
    """A pair of neurons: their angle, the other's norm, how many others there are; in (x, y) the sum of the others,
    and that of the unit vectors e orthogonal to w_j towards them."""

    theta: Scalar
    sin: Scalar
    cos: Scalar
    norm: Scalar
    number: Scalar
    others: tuple[Scalar, Scalar]
    e: tuple[Scalar, Scalar]


def _angles(x: Scalar, y: Scalar, n: int) -> tuple[_Angle, _Angle, _Angle]:
    """phi, alpha, beta; with e, all accurate also where an angle is small."""
    root = jnp.sqrt(n - 1.0)
    r = jnp.hypot(x, root * y)
    inverse = inverse_or_zero(r)
    across, along = jnp.hypot(x, jnp.sqrt(n - 2.0) * y), root * jnp.abs(y)
    alpha = _Angle(
        jnp.arctan2(along, x),
        along * inverse,
        x * inverse,
        1.0,
        1,
        (1.0, 0.0),
        (along * inverse, -x * inverse * jnp.sign(y) / root),
    )
    sin, cos, flat = across * inverse, y * inverse, inverse_or_zero(across)
    towards = (-(n - 1) * cos * x * flat, sin - (n - 2) * cos * y * flat)
    beta = _Angle(jnp.arctan2(across, y), sin, cos, 1.0, n - 1, (0.0, 1.0), towards)
    return _among_students(x, y, n, r), alpha, beta


def _among_students(x: Scalar, y: Scalar, n: int, r: Float[Array, "*shape"]) -> _Angle:
    """w_k - w_j = (x - y)(w*_k - w*_j), so that the angle and e come from x - y and not from a difference to 1."""
    difference, total = jnp.sqrt(2.0) * (x - y), jnp.sqrt(2 * (x + y) ** 2 + 4 * (n - 2) * y**2)
    phi = 2 * jnp.arctan2(jnp.abs(difference), total)
    sin, cos, inverse = jnp.sin(phi), jnp.cos(phi), inverse_or_zero(r)
    others = ((n - 1) * y, x + (n - 2) * y)
    sharp = cos > 0
    half = jnp.where(sharp, phi / 2, 0.0)
    step = jnp.sign(difference) / (jnp.sqrt(2.0) * jnp.cos(half))
    lean = (n - 1) * jnp.tan(half) * inverse
    near = (lean * x - (n - 1) * step, lean * y + step)
    scale = inverse_or_zero(jnp.where(sharp, 1.0, sin), parallel_below(sin.dtype)) * inverse
    far = [(sum_ - (n - 1) * cos * mine) * scale for sum_, mine in zip(others, (x, y), strict=True)]
    ex, ey = (jnp.where(sharp, a, b) for a, b in zip(near, far, strict=True))
    return _Angle(phi, sin, cos, r, n - 1, others, (ex, ey))


@of_numbers("x", "y")
def population_loss(x: Scalar, y: Scalar, n: int, loss: SobolevLoss = H1) -> Float[Array, "*shape"]:
    """lambda_0 L + lambda_1 J at the network of the slice.

    1/2 sum c_i c_j kappa(v_i, v_j) over all pairs of neurons; as written it keeps absolute digits, 1e-16 n^2.

    Returns:
        A number, or an array of the shape of x and y.
    """
    value, slope = _checked(n, loss)
    students, own, other = _angles(x, y, n)
    r = jnp.asarray(students.norm)

    def kernel(cos, sin, theta):
        return (value * (sin + (jnp.pi - theta) * cos) + slope * (jnp.pi - theta) * cos) / TWO_PI

    one, right = kernel(1.0, 0.0, 0.0), kernel(0.0, 1.0, jnp.pi / 2)
    among_students = r**2 * (one + (n - 1) * kernel(students.cos, students.sin, students.theta))
    among_teachers = one + (n - 1) * right
    between = r * (kernel(own.cos, own.sin, own.theta) + (n - 1) * kernel(other.cos, other.sin, other.theta))
    return n * (among_students / 2 + among_teachers / 2 - between)


@of_numbers("x", "y")
def velocity(x: Scalar, y: Scalar, n: int, loss: SobolevLoss = H1, *, of: Of = "loss") -> Velocity:
    """(x', y') of the flow along minus the loss gradient, or minus the population gradient.

    Args:
        x, y: arrays of one shape, or numbers.
        n: neurons, at least 2.

    Returns:
        Velocity: x' and y', numbers or arrays of the shape of x and y.

    Raises:
        ValueError: n below 2, an unknown `of`, a loss with derivatives of higher order than the first.

    Source: derived in symbolic/orthonormal.py; Tian, arXiv 1703.00560, for L2.
    """
    check_choice("of", of, Of)
    return _velocity(x, y, n, _checked(n, loss), of)


def _velocity(x: Scalar, y: Scalar, n: int, lambdas: OrderWeights, of: Of) -> Velocity:
    value, slope = lambdas
    students, own, others = _angles(x, y, n)
    r = jnp.asarray(students.norm)
    both = value + slope
    parts = [both / 2 * x, both / 2 * y]
    for angle, sign in ((students, 1.0), (own, -1.0), (others, -1.0)):
        along = sign * value * angle.number * angle.norm * angle.sin * inverse_or_zero(r) / TWO_PI
        towards = sign * both * (jnp.pi - angle.theta) / TWO_PI
        edge = sign * slope * angle.norm * angle.cos / TWO_PI if of == "loss" else 0.0
        for i, mine in enumerate((x, y)):
            parts[i] = parts[i] + along * mine + towards * angle.others[i] + edge * angle.e[i]
    return Velocity(-parts[0], -parts[1])


@partial(jax.jit, static_argnames="of")  # once for all n and lambdas
def _field(z: Float[Array, "2"], n: int, lambdas: OrderWeights, of: Of) -> Float[Array, "2"]:
    return jnp.stack(_velocity(z[0], z[1], n, lambdas, of))


_jacobian = jax.jit(jax.jacfwd(_field), static_argnames="of")


class FixedPoint(NamedTuple):
    """A fixed point of the flow on the slice.

    Attributes:
        x, y: where it is.
        rates: the two eigenvalues of the velocity's Jacobian, descending; where it depends on the direction in which
            it is taken, of the mean; +-inf across a kink that repels or holds.
        loss: population loss there.
        kind: Kind, for the flow on the slice: a minimum there may be a saddle among all networks, which
            `critical_point` tells.
    """

    x: float
    y: float
    rates: tuple[float, float]
    loss: float
    kind: Kind


def fixed_points(n: int, loss: SobolevLoss = H1, *, of: Of = "loss") -> tuple[FixedPoint, ...]:
    """The fixed points of the flow on the slice: the teacher, its reflection, and one or two saddles on x = y.

    On x = y all students coincide; x is (m (pi - a) + s)/(m pi n) for x > 0 and (m a - s)/(m pi n) for x < 0 if that
    is negative, where a = arccos(1/sqrt n), s = lambda_0 sqrt(n - 1), m = lambda_0 + lambda_1. The line is
    invariant, and is the separatrix: from x > y the flow goes to the teacher (1, 0), from x < y to a point near
    (2/n - 1, 2/n), the teacher's neurons reflected at the hyperplane orthogonal to their sum. For n = 2 that is the
    teacher in the other order; for n > 2 it has a positive loss, and is found by MINPACK.

    That there are no others is what searches from grids of starts find for n = 2 ... 200; it is not proved.

    Returns:
        FixedPoints, three or four: the teacher, its reflection, the saddle of x > 0, that of x < 0 if there is one.

    Raises:
        ValueError: n below 2; a loss without the order 0 or without any positive lambda; see `velocity`.

    Example:
        >>> from sobolev_theory import L2, orthonormal
        >>> [(round(p.x, 3), round(p.y, 3), p.kind.name) for p in orthonormal.fixed_points(6, L2)]
        [(1.0, 0.0, 'GLOBAL'), (-0.663, 0.331, 'MINIMUM'), (0.224, 0.224, 'SADDLE'), (-0.058, -0.058, 'SADDLE')]
    """
    lambdas = value, slope = _checked(n, loss)
    check_choice("of", of, Of)
    if not value + slope > 0:
        raise ValueError(f"loss: got lambdas {loss.lambdas}; needs a positive one of order 0 or 1")
    kinked = of == "loss" and slope > 0

    def jacobian(x: float, y: float) -> np.ndarray:
        return np.asarray(_jacobian(jnp.array([x, y]), n, lambdas, of))

    scale, angle = value * np.sqrt(n - 1), np.arccos(1 / np.sqrt(n))
    both = value + slope
    line = [(both * (np.pi - angle) + scale) / (both * np.pi * n), (both * angle - scale) / (both * np.pi * n)]

    def point(x: float, y: float, at_a_kink: float, stable: Kind = Kind.MINIMUM) -> FixedPoint:
        if kinked and at_a_kink:
            along = np.array([1.0, 1.0 if x == y else 0.0])
            rates = [float((jacobian(x, y) @ along)[0]), at_a_kink]
        else:
            rates = np.linalg.eigvals(jacobian(x, y)).real.tolist()
        kind = stable if max(rates) < 0 else Kind.SADDLE
        descending = (max(rates), min(rates))
        return FixedPoint(float(x), float(y), descending, float(population_loss(x, y, n, loss)), kind)

    teacher = point(1.0, 0.0, -np.inf, Kind.GLOBAL)
    if n == 2:
        reflected = teacher._replace(x=0.0, y=1.0)  # the other order of the neurons exchanges x and y
    else:
        start = np.array([2 / n - 1, 2 / n])
        from scipy import optimize  # here, so that importing the library stays quick

        root = optimize.root(  # type: ignore[call-overload]  # its stubs know no arrays of any shape
            lambda z: np.asarray(_field(z, n, lambdas, of), float),
            start,
            jac=lambda z: jacobian(*z).astype(float),
            options={"xtol": 1e-15},
        )
        reflected = point(float(root.x[0]), float(root.x[1]), 0.0)
    return (teacher, reflected, *(point(at, at, np.inf) for at in line[: 1 + (line[1] < 0)]))


def _checked(n: int, loss: SobolevLoss) -> tuple[float, float]:
    whole("n", n, 2)
    if loss.order > 1:
        raise ValueError(f"loss: got order {loss.order}; needs at most 1, the order of ReLU")
    value, slope = (float(value) for value in (*loss.lambdas, 0.0)[:2])
    return value, slope
