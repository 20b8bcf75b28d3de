"""One neuron: inequalities on (w - w*).G, the rate at which |w - w*|^2 / 2 falls along the flow w' = -G.

In units |w*| = 1: r = |w|, theta = pi t the angle, and
  x = r / (1 + r) in [0, 1], y = 2x - 1 in [-1, 1]: all norms from 0 to infinity;
  near w* also w = w* + epsilon (cos psi, sin psi), psi = pi u.
Each function takes its constants as arguments, so that a wrong inequality differs from the right one in a number.
"""

from fractions import Fraction
from functools import partial

from flint import arb

from ..balls.precision import rational
from .enclosures import decreasing, divided, divided_by_square, mean_value, meet, square
from .subdivision import Inequality

ZERO, ONE = Fraction(0), Fraction(1)
ALL_ANGLES = (ZERO, ONE)


def acceleration(bound=Fraction(1, 43), turning=1, largest=Fraction(19, 21)) -> Inequality:
    """(w - w*).G_J - bound |w - w*|^2 over (1 + r)^2 (y^2 + t^2); r from 1/20 to 20 is |y| <= 19/21.

    The numerator vanishes with its gradient at w = w* and nowhere else. The best bound is 1/42, at theta = pi.
    """

    def numerator(y, t):
        theta = t * arb.pi()
        drop = 1 - theta.cos()
        distance = y * y + (1 - y * y) * drop / 2
        towards = (y - (1 + y) * drop / 2) * (1 - y) / 2
        return (arb(1) / 2 - rational(bound)) * distance + turning * theta / (2 * arb.pi()) * towards

    return Inequality(
        "acceleration",
        r"(w - w^*)^\top G_J \ge \tfrac1{43}|w - w^*|^2, \tfrac1{20} \le |w|/|w^*| \le 20",
        "divided by (|w| + |w*|)^2 (y^2 + t^2), y = (|w| - |w*|)/(|w| + |w*|), theta = pi t; "
        "near w = w* by the Hessian",
        ("y", "t"),
        ((-largest, largest), ALL_ANGLES),
        lambda y, t: divided_by_square(numerator, (y, t)),
    )


def sharp_acceleration(bound=Fraction(1, 10), turning=1) -> Inequality:
    """E(theta) = sinc(theta/2)^2/4 - phi sinc(phi/2)^2/(16 pi), phi = pi - theta, less a bound.

    With A(theta) = pi phi sinc(phi/2)^2 / 4 >= 0,
      (w - w*).G_J - |w||w - w*|^2 / (2 (|w| + |w*|))
        = |w*| (|w| + |w*|) phi / (2 pi) [ A (y + theta/(2 pi))^2 + E theta^2 ],
    an identity in y and theta; so E > 0 proves that the left side is positive unless w = w* or theta = pi.
    """

    def excess(t):
        theta = t * arb.pi()
        phi = arb.pi() - theta
        return (
            square((theta / 2).sinc()) / 4
            - turning * phi * square((phi / 2).sinc()) / (16 * arb.pi())
            - rational(bound)
        )

    return Inequality(
        "sharp-acceleration",
        r"(w - w^*)^\top G_J \ge \frac{|w|}{2(|w| + |w^*|)}|w - w^*|^2 "
        r"+ \frac{\pi - \theta}{20\pi}\theta^2|w^*|(|w| + |w^*|)",
        "the difference is a square with a factor >= 0 plus (E - 1/10) times a product >= 0; E in theta = pi t alone",
        ("t",),
        (ALL_ANGLES,),
        excess,
    )


def l2_rate(bound=Fraction(1, 10), sign=1) -> Inequality:
    """|w - w*|^2/2 - (w - w*).G_L = |w*| (|w| + |w*|)/(2 pi) [(1-x)(theta - sin cos) + x (sin - theta cos)]."""

    def gap(x, theta):
        sin, cos = theta.sin(), theta.cos()
        return (1 - x) * (theta - sin * cos) + sign * x * (sin - theta * cos)

    return Inequality(
        "l2-rate",
        r"\tfrac12|w - w^*|^2 - (w - w^*)^\top G_L \ge \tfrac{1}{20\pi}|w^*|(|w| + |w^*|)\theta^3",
        "divided by |w*| (|w| + |w*|) theta^3 / (2 pi); at theta = 0 the third Taylor coefficient in theta",
        ("x", "t"),
        ((ZERO, ONE), ALL_ANGLES),
        lambda x, t: divided(partial(gap, x), t * arb.pi(), arb(0), 3) - rational(bound),
    )


def local_rate(bound=Fraction(1, 70), turning=1, rate=Fraction(1, 4)) -> Inequality:
    """1 + sin psi cos psi/(2 pi) - (1 - rate/pi), over (psi - 3 pi/4)^2, less a bound.

    It vanishes with its derivative at psi = 3 pi/4, the only direction of the slowest approach.
    """

    def excess(psi):
        return rational(rate) / arb.pi() + turning * psi.sin() * psi.cos() / (2 * arb.pi())

    return Inequality(
        "local-rate",
        r"1 + \tfrac{1}{2\pi}\sin\psi\cos\psi \ge 1 - \tfrac{1}{4\pi} + \tfrac{1}{70}(\psi - \tfrac34\pi)^2",
        "divided by (psi - 3 pi/4)^2, psi = pi u; near 3 pi/4 the second Taylor coefficient",
        ("u",),
        (ALL_ANGLES,),
        lambda u: divided(excess, u * arb.pi(), 3 * arb.pi() / 4, 2) - rational(bound),
    )


def _arctan_quotient(x: arb) -> arb:
    """atan(x)/x for x >= 0: decreasing, 1 at 0."""
    x = x.nonnegative_part()
    return decreasing(lambda z: z.atan() / z if z > 0 else (1 - z * z / 3).union(arb(1)), x)


def _near_teacher(epsilon: arb, u: arb) -> tuple[arb, arb, arb, arb]:
    """sin psi, cos psi, |w|^2 and theta/(epsilon sin psi): finite at w = w*, and at psi = 0 and pi."""
    psi = u * arb.pi()
    sin, cos = psi.sin(), psi.cos()
    ahead = 1 + epsilon * cos
    return sin, cos, square(ahead) + square(epsilon * sin), _arctan_quotient(epsilon * sin / ahead) / ahead


def rate_in_ball(bound=Fraction(816, 1000), turning=1, radius=Fraction(1, 2)) -> Inequality:
    """(w - w*).G_H / |w - w*|^2 = 1 + [2 cos psi (theta/epsilon) - sin psi (cos psi + epsilon)/r^2] / (2 pi)."""

    def excess(epsilon, u):
        sin, cos, norm2, quotient = _near_teacher(epsilon, u)
        bend = sin * (2 * cos * quotient - (cos + epsilon) / norm2)
        return 1 + turning * bend / (2 * arb.pi()) - rational(bound)

    return Inequality(
        "rate-in-ball",
        r"(w - w^*)^\top G_H \ge 0.816|w - w^*|^2, |w - w^*| \le \tfrac12|w^*|",
        "divided by |w - w*|^2 in w = w* + epsilon |w*| (cos psi, sin psi), psi = pi u; theta/epsilon is finite at 0",
        ("epsilon", "u"),
        ((ZERO, radius), ALL_ANGLES),
        excess,
    )


def loss_rate_in_ball(bound=Fraction(1, 10), turning=1, radius=Fraction(1, 2)) -> Inequality:
    """(w - w*).grad H - |w - w*|^2, over |w*|^2 epsilon sin psi / (2 pi r^2).

    The quotient is 1 - epsilon^2 + 2 epsilon cos psi r^2 theta/(epsilon sin psi).
    """

    def excess(epsilon, u):
        _, cos, norm2, quotient = _near_teacher(epsilon, u)
        return 1 - square(epsilon) + turning * 2 * epsilon * cos * quotient * norm2 - rational(bound)

    return Inequality(
        "loss-rate-in-ball",
        r"(w - w^*)^\top\nabla H \ge |w - w^*|^2 + \tfrac{1}{20\pi}|w^*|^4|w|^{-2}\epsilon\sin\psi, "
        r"\epsilon = |w - w^*|/|w^*| \le \tfrac12",
        "divided by epsilon sin(psi) |w*|^4/(2 pi |w|^2) in w = w* + epsilon |w*| (cos psi, sin psi), psi = pi u",
        ("epsilon", "u"),
        ((ZERO, radius), ALL_ANGLES),
        excess,
    )


def h2_in_ball(bound=Fraction(5), turning=1, radius=Fraction(9, 10)) -> Inequality:
    """(w - w*).(G_{J_1} + G_{J_2}) over (w.w*) |w - w*|^2 for RePU(2), less a bound.

    With X = w.w* / |w*|^2 the part of J_2 is 4 (cos psi + epsilon)^2 / X + 4 + 4 cos psi (theta/epsilon) / pi, and
    that of J_1 the same less (2/pi) sin psi [cos psi / X + (cos psi + epsilon) / r^2].
    """

    def excess(epsilon, u):
        sin, cos, norm2, quotient = _near_teacher(epsilon, u)
        along = 1 + epsilon * cos
        turned = 8 * turning * cos * sin * quotient / arb.pi()
        bend = 2 * sin * (cos / along + (cos + epsilon) / norm2) / arb.pi()
        return 8 * square(cos + epsilon) / along + 8 + turned - bend - rational(bound)

    return Inequality(
        "h2-in-ball",
        r"(w - w^*)^\top(G_{J_1} + G_{J_2}) \ge 5(w \cdot w^*)|w - w^*|^2, |w - w^*| \le \tfrac9{10}|w^*|",
        "divided by (w.w*) |w - w*|^2 in w = w* + epsilon |w*| (cos psi, sin psi), psi = pi u; finite at epsilon = 0",
        ("epsilon", "u"),
        ((ZERO, radius), ALL_ANGLES),
        excess,
    )


def normalised_rate(bound=Fraction(1, 11), smallest=ZERO, sign=1) -> Inequality:
    """(w - w*).(G_H - 2 G_L) = |w*| sin theta (|w| - |w*| cos theta)/(2 pi), and (|w| - |w*| cos)/(|w| + |w*|)
    = y + (1 - y)(1 - cos)/2; over y + theta^2, less a bound. In |w| >= |w*| it vanishes at w = w* alone.
    """

    def excess(y, t):
        theta = t * arb.pi()
        share = sign * (1 - y) * square((theta / 2).sinc()) / 4
        weighted = share.union(arb(1))  # the quotient is a weighted mean of 1 and the share, for y >= 0
        plain = mean_value(lambda a, b: a + sign * (1 - a) * (1 - (b * arb.pi()).cos()) / 2, (y, t))
        quotient = plain / (y + square(theta))
        return (meet(quotient, weighted) if smallest >= 0 else quotient) - rational(bound)

    return Inequality(
        "normalised-rate",
        r"(w - w^*)^\top G_H \ge 2(w - w^*)^\top G_L "
        r"+ \tfrac{1}{22\pi}|w^*|\sin\theta\,(|w| - |w^*| + (|w| + |w^*|)\theta^2), |w| \ge |w^*|",
        "divided by |w*| (|w| + |w*|) sin(theta) (y + theta^2) / (2 pi), y = (|w| - |w*|)/(|w| + |w*|), theta = pi t",
        ("y", "t"),
        ((smallest, ONE), ALL_ANGLES),
        excess,
    )
