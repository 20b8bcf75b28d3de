"""Certified values of the definitions: Gaussian integrals over the plane of two neurons, in ball arithmetic.

In polar coordinates of that plane an integrand is R^n times a function of the angle: E R^n is exact, and what is left
is an integral over the angles where the neurons are active, whose error Arb bounds (acb.integral). A derivative of
1(w.x > 0) is a delta on the line w.x = 0, where the other neuron is active on one ray: half-line moments, exact.
The other d - 2 coordinates of x are independent, with mean 0 and variance 1. No closed form of the theory is used.

Vectors are floats, taken as exact, [d]; results are arrays of balls (numpy arrays of dtype object).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from flint import acb, arb
from jaxtyping import Array, Float

Vector = Float[Array | np.ndarray, " d"]
Balls = np.ndarray  # of arb


class Plane(NamedTuple):
    """w = r first, v = a first + b second, b > 0; `first`, `second` orthonormal; theta the angle of v."""

    first: Balls
    second: Balls
    r: arb
    a: arb
    b: arb
    theta: arb

    @property
    def rest(self) -> Balls:
        """The projection on the directions orthogonal to both."""
        return identity(self.first.size) - np.outer(self.first, self.first) - np.outer(self.second, self.second)

    def embed(self, along: arb, across: arb) -> Balls:
        return along * self.first + across * self.second


def balls(x: Vector | Balls) -> Balls:
    return np.array([value if isinstance(value, arb) else arb(float(value)) for value in np.asarray(x)], dtype=object)


def identity(d: int) -> Balls:
    return np.array([[arb(int(i == j)) for j in range(d)] for i in range(d)], dtype=object)


def plane(w: Vector, v: Vector) -> Plane:
    """Raises ValueError for vectors that are, or cannot be told from, parallel."""
    w_, v_ = balls(w), balls(v)
    r = (w_ @ w_).sqrt()
    first = w_ / r
    a = first @ v_
    across = v_ - a * first
    b = (across @ across).sqrt()
    if not b > 0:
        raise ValueError(f"w, v: got {w} and {v}; needs vectors that are not parallel")
    return Plane(first, across / b, r, a, b, arb.atan2(b, a))


# Integrals over sectors and rays.

Integrand = Callable[[acb, acb], acb]  # of the cosine and the sine of the angle


def over_angles(f: Integrand, degree: int, lower: arb, upper: arb) -> arb:
    """E[R^n f(angle)] over the sector of directions between two angles; E R^n = 2^(n/2) Gamma(1 + n/2)."""
    integral = acb.integral(lambda phi, _: acb(f(phi.cos(), phi.sin())), acb(lower), acb(upper)).real
    moment = arb(2) ** (arb(degree) / 2) * (1 + arb(degree) / 2).gamma()
    return moment * integral / (2 * arb.pi())


def both_active(p: Plane, f: Integrand, degree: int) -> arb:
    """Over w.y > 0 and v.y > 0."""
    return over_angles(f, degree, p.theta - arb.pi() / 2, arb.pi() / 2)


def first_active(p: Plane, f: Integrand, degree: int) -> arb:
    return over_angles(f, degree, -arb.pi() / 2, arb.pi() / 2)


def second_active(p: Plane, f: Integrand, degree: int) -> arb:
    return over_angles(f, degree, p.theta - arb.pi() / 2, p.theta + arb.pi() / 2)


def on_ray(p: Plane, degree: int) -> arb:
    """E[delta(w.y) 1(v.y > 0) |y|^n]: the density of w.y at 0 times E[t^n 1(t > 0)], t standard normal."""
    moment = arb(2) ** (arb(degree) / 2) * ((arb(degree) + 1) / 2).gamma() / (2 * arb.pi().sqrt())
    return moment / (p.r * (2 * arb.pi()).sqrt())


# One pair: kappa_0 = E[relu(w.x) relu(v.x)], kappa_1 = E[<1(w.x > 0) w, 1(v.x > 0) v>].


def arc_cosine(n: int, theta: arb) -> arb:
    """J_n = 2 pi E[(p.y)_+^n (q.y)_+^n] for unit vectors p and q at the angle theta."""
    sin, cos = theta.sin(), theta.cos()
    lower, upper = theta - arb.pi() / 2, arb.pi() / 2
    return 2 * arb.pi() * over_angles(lambda c, s: c**n * (cos * c + sin * s) ** n, 2 * n, lower, upper)


def repu_moments(w: Vector, v: Vector) -> Balls:
    """E[(w.x)_+^n (v.x)_+^n], n = 0 ... 4."""
    p = plane(w, v)

    def moment(n: int) -> arb:
        return both_active(p, lambda c, s: (p.r * c * (p.a * c + p.b * s)) ** n, 2 * n)

    return np.array([moment(n) for n in range(5)], dtype=object)


def probability(w: Vector, v: Vector) -> arb:
    return both_active(plane(w, v), lambda c, s: acb(1), 0)


def value_kernel(w: Vector, v: Vector) -> arb:
    p = plane(w, v)
    return both_active(p, lambda c, s: p.r * c * (p.a * c + p.b * s), 2)


def slope_kernel(w: Vector, v: Vector) -> arb:
    return (balls(w) @ balls(v)) * probability(w, v)


def value_gradient(w: Vector, v: Vector) -> Balls:
    """E[1(w.x > 0) relu(v.x) x]."""
    p = plane(w, v)
    along = both_active(p, lambda c, s: (p.a * c + p.b * s) * c, 2)
    return p.embed(along, both_active(p, lambda c, s: (p.a * c + p.b * s) * s, 2))


def slope_gradient(w: Vector, v: Vector) -> Balls:
    """E[1(w.x > 0) 1(v.x > 0)] v, the part without the delta."""
    return probability(w, v) * balls(v)


def switching(w: Vector, v: Vector) -> Balls:
    """E[delta(w.x) 1(v.x > 0) x], the gradient in w of P(w.x > 0, v.x > 0)."""
    p = plane(w, v)
    return on_ray(p, 1) * p.second


def slope_boundary(w: Vector, v: Vector) -> Balls:
    return (balls(w) @ balls(v)) * switching(w, v)


def value_hessian(w: Vector, v: Vector) -> Balls:
    """E[delta(w.x) relu(v.x) x x']: v.x = b t on the ray, and the variance 1 of every orthogonal direction."""
    p = plane(w, v)
    return p.b * (on_ray(p, 3) * np.outer(p.second, p.second) + on_ray(p, 1) * p.rest)


def value_mixed_hessian(w: Vector, v: Vector) -> Balls:
    """E[1(w.x > 0) 1(v.x > 0) x x']."""
    p = plane(w, v)
    cc, cs, ss = (both_active(p, f, 2) for f in (lambda c, s: c * c, lambda c, s: c * s, lambda c, s: s * s))
    one, two = p.first, p.second
    in_plane = cc * np.outer(one, one) + cs * (np.outer(one, two) + np.outer(two, one)) + ss * np.outer(two, two)
    return in_plane + probability(w, v) * p.rest


def slope_jacobian(w: Vector, v: Vector) -> Balls:
    return np.outer(balls(v), switching(w, v))


def slope_mixed_jacobian(w: Vector, v: Vector) -> Balls:
    return probability(w, v) * identity(len(w)) + np.outer(balls(v), switching(v, w))


def switching_jacobian(w: Vector, v: Vector) -> Balls:
    """E[delta'(w.x) 1(v.x > 0) x x'], the Hessian in w of P(w.x > 0, v.x > 0).

    Along w the delta' takes minus the derivative of what it meets: where v.x changes its sign, a second delta, at
    the origin of the plane, which leaves the orthogonal directions; and x x' itself, which leaves first x second.
    """
    p = plane(w, v)
    corner = p.a / p.b / (2 * arb.pi() * p.r)  # delta(w.y) delta(v.y) (v.first) in units of 1/r
    turn = np.outer(p.first, p.second) + np.outer(p.second, p.first)
    return -(corner * p.rest + on_ray(p, 1) * turn) / p.r


# One neuron w and its teacher v.


def l2_loss(w: Vector, v: Vector) -> arb:
    """E[(relu(w.x) - relu(v.x))^2]/2."""
    p = plane(w, v)
    own = first_active(p, lambda c, s: (p.r * c) ** 2, 2)
    other = second_active(p, lambda c, s: (p.a * c + p.b * s) ** 2, 2)
    return (own + other) / 2 - value_kernel(w, v)


def seminorm_loss(w: Vector, v: Vector) -> arb:
    """E[|1(w.x > 0) w - 1(v.x > 0) v|^2]/2."""
    p, w_, v_ = plane(w, v), balls(w), balls(v)
    own = (w_ @ w_) * first_active(p, lambda c, s: acb(1), 0)
    other = (v_ @ v_) * second_active(p, lambda c, s: acb(1), 0)
    return (own + other) / 2 - slope_kernel(w, v)


def h1_loss(w: Vector, v: Vector) -> arb:
    return l2_loss(w, v) + seminorm_loss(w, v)


def l2_gradient(w: Vector, v: Vector) -> Balls:
    """E[(relu(w.x) - relu(v.x)) 1(w.x > 0) x]."""
    p = plane(w, v)
    own = p.embed(*(first_active(p, f, 2) for f in (lambda c, s: p.r * c * c, lambda c, s: p.r * c * s)))
    return own - value_gradient(w, v)


def seminorm_population_gradient(w: Vector, v: Vector) -> Balls:
    """E[(1(w.x > 0) w - 1(v.x > 0) v) 1(w.x > 0)]."""
    return first_active(plane(w, v), lambda c, s: acb(1), 0) * balls(w) - slope_gradient(w, v)


def seminorm_boundary(w: Vector, v: Vector) -> Balls:
    return -slope_boundary(w, v)


def h1_population_gradient(w: Vector, v: Vector) -> Balls:
    return l2_gradient(w, v) + seminorm_population_gradient(w, v)


def h1_loss_gradient(w: Vector, v: Vector) -> Balls:
    return h1_population_gradient(w, v) + seminorm_boundary(w, v)


def l2_jacobian(w: Vector, v: Vector) -> Balls:
    """E[1(w.x > 0) x x'] less the delta's part; the delta of the student's own term meets relu(w.x) = 0."""
    p = plane(w, v)
    cc, cs, ss = (first_active(p, f, 2) for f in (lambda c, s: c * c, lambda c, s: c * s, lambda c, s: s * s))
    one, two = p.first, p.second
    own = cc * np.outer(one, one) + cs * (np.outer(one, two) + np.outer(two, one)) + ss * np.outer(two, two)
    return own + first_active(p, lambda c, s: acb(1), 0) * p.rest - value_hessian(w, v)


def seminorm_population_jacobian(w: Vector, v: Vector) -> Balls:
    half = first_active(plane(w, v), lambda c, s: acb(1), 0)
    return half * identity(len(w)) - slope_jacobian(w, v)


def h1_population_jacobian(w: Vector, v: Vector) -> Balls:
    return l2_jacobian(w, v) + seminorm_population_jacobian(w, v)


def h1_population_asymmetry(w: Vector, v: Vector) -> Balls:
    """The antisymmetric part of the Jacobian of the population gradient of H."""
    matrix = h1_population_jacobian(w, v)
    return (matrix - matrix.T) / 2


def h1_loss_hessian(w: Vector, v: Vector) -> Balls:
    """The derivative of the boundary term -(w.v) E[delta(w.x) 1(v.x > 0) x] added."""
    inner = balls(w) @ balls(v)
    boundary = np.outer(switching(w, v), balls(v)) + inner * switching_jacobian(w, v)
    return h1_population_jacobian(w, v) - boundary
