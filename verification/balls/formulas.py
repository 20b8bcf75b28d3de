"""The statements of the theory in ball arithmetic, as they are written: what `integrals` is compared with.

theta is the angle of w and v (the teacher, or the other neuron of a pair), rho = |v|/|w|, e the unit vector
orthogonal to w towards v. Vectors are floats, taken as exact, or balls, [d]; results are balls or arrays of them
(dtype object).
"""

from typing import NamedTuple

import numpy as np
from flint import arb
from jaxtyping import Array, Float

Vector = Float[Array | np.ndarray, " d"]
Balls = np.ndarray  # of arb


class Frame(NamedTuple):
    """Norms, angle and the unit vectors of w, v, e (orthogonal to w towards v) and e' (orthogonal to v towards w)."""

    r: arb
    r_: arb
    theta: arb
    w: Balls
    v: Balls
    unit: Balls
    unit_: Balls
    e: Balls
    e_: Balls

    @property
    def sin(self) -> arb:
        return self.theta.sin()

    @property
    def cos(self) -> arb:
        return self.theta.cos()

    @property
    def rho(self) -> arb:
        return self.r_ / self.r

    @property
    def p(self) -> arb:
        """rho / (2 pi)."""
        return self.rho / (2 * arb.pi())

    @property
    def identity(self) -> Balls:
        d = self.w.size
        return np.array([[arb(int(i == j)) for j in range(d)] for i in range(d)], dtype=object)


def frame(w: Vector, v: Vector) -> Frame:
    w_, v_ = (np.array([x if isinstance(x, arb) else arb(float(x)) for x in np.asarray(y)], object) for y in (w, v))
    r, r_ = (w_ @ w_).sqrt(), (v_ @ v_).sqrt()
    theta = (w_ @ v_ / (r * r_)).acos()
    unit, unit_ = w_ / r, v_ / r_
    e, e_ = (unit_ - theta.cos() * unit) / theta.sin(), (unit - theta.cos() * unit_) / theta.sin()
    return Frame(r, r_, theta, w_, v_, unit, unit_, e, e_)


# Kernels.


def arc_cosine(n: int, theta: arb) -> arb:
    """J_n for n = 0 .. 4 (Cho & Saul, 2009; n = 3, 4 from their recursion)."""
    sin, cos, supplement = theta.sin(), theta.cos(), arb.pi() - theta
    polynomials = (
        lambda: (arb(0), arb(1)),
        lambda: (arb(1), cos),
        lambda: (3 * cos, 1 + 2 * cos**2),
        lambda: (4 + 11 * cos**2, 9 * cos + 6 * cos**3),
        lambda: (55 * cos + 50 * cos**3, 9 + 72 * cos**2 + 24 * cos**4),
    )
    with_sine, with_angle = polynomials[n]()
    return sin * with_sine + supplement * with_angle


def repu_moments(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    moments = [(f.r * f.r_) ** n * arc_cosine(n, f.theta) / (2 * arb.pi()) for n in range(5)]
    return np.array(moments, dtype=object)


def switching(w: Vector, v: Vector) -> Balls:
    """The gradient in w of P(w.x > 0, v.x > 0)."""
    f = frame(w, v)
    return f.e / (2 * arb.pi() * f.r)


def value_kernel(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return f.r * f.r_ * (f.sin + (arb.pi() - f.theta) * f.cos) / (2 * arb.pi())


def slope_kernel(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return (arb.pi() - f.theta) / (2 * arb.pi()) * (f.w @ f.v)


def value_gradient(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return ((arb.pi() - f.theta) * f.v + f.r_ * f.sin * f.unit) / (2 * arb.pi())


def slope_gradient(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return (arb.pi() - f.theta) * f.v / (2 * arb.pi())


def slope_boundary(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return (f.w @ f.v) * f.e / (2 * arb.pi() * f.r)


def value_hessian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return f.p * f.sin * (f.identity - np.outer(f.unit, f.unit) + np.outer(f.e, f.e))


def value_mixed_hessian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    plane = np.outer(f.e, f.e_) + np.outer(f.unit, f.unit_)
    return ((arb.pi() - f.theta) * f.identity + f.sin * plane) / (2 * arb.pi())


def slope_jacobian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return np.outer(f.v, f.e) / (2 * arb.pi() * f.r)


def slope_mixed_jacobian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return ((arb.pi() - f.theta) * f.identity + np.outer(f.v, f.e_) / f.r_) / (2 * arb.pi())


# One neuron w and its teacher v.


def l2_loss(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    bracket = f.sin + (arb.pi() - f.theta) * f.cos
    return f.r**2 / 4 + f.r_**2 / 4 - f.r * f.r_ * bracket / (2 * arb.pi())


def seminorm_loss(w: Vector, v: Vector) -> arb:
    f = frame(w, v)
    return f.r**2 / 4 + f.r_**2 / 4 - (arb.pi() - f.theta) * f.r * f.r_ * f.cos / (2 * arb.pi())


def h1_loss(w: Vector, v: Vector) -> arb:
    return l2_loss(w, v) + seminorm_loss(w, v)


def l2_gradient(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return f.w / 2 - ((arb.pi() - f.theta) * f.v + f.r_ * f.sin * f.unit) / (2 * arb.pi())


def seminorm_population_gradient(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return f.w / 2 - (arb.pi() - f.theta) * f.v / (2 * arb.pi())


def seminorm_boundary(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return -f.r_ * f.cos * f.e / (2 * arb.pi())


def h1_population_gradient(w: Vector, v: Vector) -> Balls:
    return l2_gradient(w, v) + seminorm_population_gradient(w, v)


def h1_loss_gradient(w: Vector, v: Vector) -> Balls:
    return h1_population_gradient(w, v) + seminorm_boundary(w, v)


def l2_jacobian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return f.identity / 2 - _bent(f, 1)


def seminorm_population_jacobian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    across = f.identity - np.outer(f.unit, f.unit)
    return f.identity / 2 - f.p / f.sin * np.outer(f.unit_, f.unit_) @ across


def h1_population_jacobian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return f.identity - _bent(f, 2)


def _bent(f: Frame, orders: int) -> Balls:
    """alpha (orders u u' - cos v u' + sin^2 I)(I - v v')."""
    across = f.identity - np.outer(f.unit, f.unit)
    bracket = orders * np.outer(f.unit_, f.unit_) - f.cos * np.outer(f.unit, f.unit_) + f.sin**2 * f.identity
    return f.p / f.sin * bracket @ across


def h1_population_asymmetry(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    return -f.p * f.cos / 2 * (np.outer(f.unit, f.e) - np.outer(f.e, f.unit))


def h1_loss_hessian(w: Vector, v: Vector) -> Balls:
    f = frame(w, v)
    radial, in_plane, orthogonal = h1_loss_hessian_eigenvalues(f.rho, f.theta)
    one, two = np.outer(f.unit, f.unit), np.outer(f.e, f.e)
    return radial * one + in_plane * two + orthogonal * (f.identity - one - two)


# Eigenvalues (along w, in the plane, orthogonal to it) at a ball of (rho, theta).


def l2_eigenvalues(rho: arb, theta: arb) -> tuple[arb, arb, arb]:
    s = rho * theta.sin() / arb.pi()
    return arb(1) / 2, arb(1) / 2 - s, arb(1) / 2 - s / 2


def h1_population_eigenvalues(rho: arb, theta: arb) -> tuple[arb, arb, arb]:
    s = rho * theta.sin() / (2 * arb.pi())
    return arb(1), 1 - 3 * s, 1 - s


def h1_loss_hessian_eigenvalues(rho: arb, theta: arb) -> tuple[arb, arb, arb]:
    sin, p = theta.sin(), rho / (2 * arb.pi())
    return arb(1), 1 - 4 * p * sin, 1 - p * sin + p * theta.cos() ** 2 / sin
