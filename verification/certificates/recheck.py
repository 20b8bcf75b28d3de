"""The second opinion on a certificate: shares no code with what made it, and neither Arb nor its formulas.

Exact rationals show that the boxes tile the domain; interval arithmetic of mpmath shows that the function is positive
on each, written in another form (named at each), where needed on halves of halves of the box.
"""

import math
from collections.abc import Callable
from fractions import Fraction as Q
from typing import NamedTuple

import numpy as np

from ..claim import Verdict
from .certificate import Box, Certificate
from .intervals import iv
from .intervals import rational as _rational
from .intervals import sinc as _sinc

MOST_HALVINGS = 12


class RefusedError(ValueError):
    """A certificate that does not prove what it says."""


class Form(NamedTuple):
    """The inequality as it is known here; `positive` lists functions, any one of which decides a box."""

    statement: str
    domain: Box
    positive: Callable[..., tuple]


def recheck(certificate: Certificate) -> int:
    """The number of boxes looked at; raises `RefusedError` unless all of the domain is covered and positive."""
    form = FORMS.get(certificate.inequality)
    if form is None:
        raise RefusedError(f"inequality: got {certificate.inequality!r}, which is not known here")
    if certificate.verdict is not Verdict.CERTIFIED or certificate.failure is not None:
        raise RefusedError(f"verdict: got {certificate.verdict.value} with failure {certificate.failure}")
    if certificate.statement != form.statement:
        raise RefusedError(f"statement: got {certificate.statement}; needs {form.statement}")
    if certificate.domain != form.domain:
        raise RefusedError(f"domain: got {certificate.domain}; needs {form.domain}")
    refuse_unless_tiled(certificate.domain, certificate.boxes)
    return sum(_positive_on(box, form, MOST_HALVINGS) for box in certificate.boxes)


def refuse_unless_tiled(domain: Box, boxes: tuple[Box, ...]) -> None:
    """Every cell of the grid of all endpoints, which is exact, must lie in one box and no more."""
    cuts = [sorted({*side, *(x for box in boxes for x in box[k])}) for k, side in enumerate(domain)]
    if any((line[0], line[-1]) != side for line, side in zip(cuts, domain, strict=True)):
        raise RefusedError("boxes: got one that reaches out of the domain")
    places = [{x: n for n, x in enumerate(line)} for line in cuts]
    count = np.zeros([len(line) - 1 for line in cuts], dtype=int)
    for box in boxes:
        if len(box) != len(domain) or any(a >= b for a, b in box):
            raise RefusedError(f"boxes: got {box}; needs an interval of positive length per variable")
        count[tuple(slice(place[a], place[b]) for place, (a, b) in zip(places, box, strict=True))] += 1
    if np.any(count == 0):
        raise RefusedError("boxes: got a gap between them")
    if np.any(count > 1):
        raise RefusedError("boxes: got two that overlap")


def _positive_on(box: Box, form: Form, halvings: int) -> int:
    balls = [iv.mpf([_rational(a).a, _rational(b).b]) for a, b in box]
    if any(value > 0 for value in form.positive(*balls)):
        return 1
    if halvings == 0:
        raise RefusedError(
            f"boxes: got {[(str(a), str(b)) for a, b in box]}, on which the function is not shown positive"
        )
    widths = [(b - a) / (d - c) for (a, b), (c, d) in zip(box, form.domain, strict=True)]
    k = widths.index(max(widths))
    a, b = box[k]
    halves = [(*box[:k], side, *box[k + 1 :]) for side in ((a, (a + b) / 2), ((a + b) / 2, b))]
    return 1 + sum(_positive_on(half, form, halvings - 1) for half in halves)


def _acceleration(y, t):
    """The quadratic form in (y, theta) that it is exactly; and the numerator in r."""
    theta, m, sinc2 = iv.pi * t, _rational(Q(1, 43)), _sinc(iv.pi * t / 2) ** 2
    a, b = 0.5 - m, (1 - y) / (4 * iv.pi)
    c = (1 - y**2) * sinc2 / 8 * (1 - 2 * m - theta / (2 * iv.pi))
    r = (1 + y) / (1 - y)
    distance = (r - 1) ** 2 + 4 * r * iv.sin(theta / 2) ** 2
    return 4 * a * c - b**2, (0.5 - m) * distance + theta / (2 * iv.pi) * (r * iv.cos(theta) - 1)


def _sharp_acceleration(t):
    """sinc by its monotony."""
    theta, phi = iv.pi * t, iv.pi * (1 - t)
    return (_sinc(theta / 2) ** 2 / 4 - phi * _sinc(phi / 2) ** 2 / (16 * iv.pi) - _rational(Q(1, 10)),)


def _l2_rate(x, t):
    """The integral over s from 0 to 1 of s^2 [2 (1 - x) sinc^2(s theta) + x sinc(s theta)], which falls with theta.

    So the largest theta decides: there by the power series, to theta^60; the next terms are below 1e-30.
    """
    square, first, second = (iv.pi * t.b) ** 2, iv.mpf(0), iv.mpf(0)
    for k in range(30, 0, -1):
        sign, factorial = (-1) ** (k + 1), iv.mpf(math.factorial(2 * k + 1))
        first = first * square + sign * 4**k / factorial
        second = second * square + sign * 2 * k / factorial
    return ((1 - x) * first + x * second - _rational(Q(1, 10)) - iv.mpf("1e-30"),)


def _local_rate(u):
    """(sin + cos)^2 = 2 sin^2(psi - 3 pi/4)."""
    return (_sinc(iv.pi * (u - 0.75)) ** 2 / (2 * iv.pi) - _rational(Q(1, 70)),)


def _rate_in_ball(epsilon, u):
    """theta = Im log(1 + epsilon e^(i psi)) by its power series; remainder epsilon^30/(31 (1 - epsilon)) < 1e-10."""
    psi = iv.pi * u
    turn = iv.mpf(0)
    for k in range(30, 0, -1):
        turn = turn * epsilon + (-1) ** (k + 1) * iv.sin(k * psi) / k
    turn += iv.mpf([-1, 1]) * iv.mpf("1e-10")
    cos, norm2 = iv.cos(psi), (1 + epsilon * iv.cos(psi)) ** 2 + (epsilon * iv.sin(psi)) ** 2
    bend = 2 * cos * turn - iv.sin(psi) * (cos + epsilon) / norm2
    return (1 + bend / (2 * iv.pi) - _rational(Q(816, 1000)),)


def _loss_rate_in_ball(epsilon, u):
    """By the law of sines r^2 theta/(epsilon sin psi) = r/sinc(theta)."""
    sin, cos = iv.sin(iv.pi * u), iv.cos(iv.pi * u)
    ahead, aside = 1 + epsilon * cos, epsilon * sin
    r = iv.sqrt(ahead**2 + aside**2)
    theta = iv.atan2(aside, ahead)
    return (1 - epsilon**2 + 2 * epsilon * cos * r / _sinc(theta) - _rational(Q(1, 10)),)


def _h2_in_ball(epsilon, u):
    """By the law of sines theta/epsilon = sin psi / (r sinc theta), and (cos psi + epsilon)/r = cos(psi - theta)."""
    psi = iv.pi * u
    sin, cos = iv.sin(psi), iv.cos(psi)
    along, aside = 1 + epsilon * cos, epsilon * sin
    r = iv.sqrt(along**2 + aside**2)
    theta = iv.atan2(aside, along)
    turned = 8 * cos * sin / (r * _sinc(theta) * iv.pi)
    bend = 2 * sin * (cos / along + iv.cos(psi - theta) / r) / iv.pi
    return (8 * (cos + epsilon) ** 2 / along + 3 + turned - bend,)


def _normalised_rate(y, t):
    """As a combination of y and theta^2 with two positive coefficients; or as it stands."""
    theta, bound = iv.pi * t, _rational(Q(1, 11))
    half = iv.sin(theta / 2) ** 2
    share = _sinc(theta / 2) ** 2 / 4 - bound
    return iv.mpf([min((1 - bound - half).a, share.a), share.b]), y * (1 - bound - half) + theta**2 * share


def _l2_positive(rho, t):
    return (0.5 - rho * iv.cos(iv.pi * (t - 0.5)) / iv.pi - _rational(Q(1, 50)),)


def _h1_positive(rho, t):
    return (1 - 3 * rho * iv.cos(iv.pi * (t - 0.5)) / (2 * iv.pi) - _rational(Q(1, 25)),)


def _symmetric_part_positive(rho, t):
    """Half the trace squared less half the difference of the eigenvalues squared."""
    p, sin = rho / (2 * iv.pi), iv.cos(iv.pi * (t - 0.5))
    half_trace = 1 - 3 * p * sin / 2
    return (half_trace**2 - p**2 * (1 + 8 * sin**2) / 4 - _rational(Q(1, 25)),)


def _eigenvalue_ratio(tau):
    """The quotient is exactly 1/(4 - 3 tau)."""
    return (1 / (4 - 3 * tau) - _rational(Q(1, 5)),)


def _two_norm(t, tau):
    """Linear in tau: a mean of its values at tau = 0 and 1."""
    sin2 = iv.sin(iv.pi * t) ** 2
    return ((1 - tau) * (8 * sin2 - 1) + 4 * tau * sin2,)


def _symmetric_part(t, tau):
    """That of the 2-norm less tau^2 cos^2/4."""
    return (_two_norm(t, tau)[0] - tau**2 * iv.cos(iv.pi * t) ** 2 / 4,)


def _loss_hessian(t):
    """cos(2 theta) = sin(pi/2 - 2 theta)."""
    return (_sinc(iv.pi * (0.5 - 2 * t)) - _rational(Q(3, 5)),)


def _loss_hessian_least(t):
    return (2 * iv.sin(iv.pi * t) ** 2 + _rational(Q(1, 10)),)


_ANGLES = (Q(0), Q(1))
_UNIT = (Q(0), Q(1))
_BALL = (Q(0), Q(1, 2))
_MIDDLE = (Q(3, 25), Q(22, 25))

FORMS: dict[str, Form] = {
    "acceleration": Form(
        r"(w - w^*)^\top G_J \ge \tfrac1{43}|w - w^*|^2, \tfrac1{20} \le |w|/|w^*| \le 20",
        ((Q(-19, 21), Q(19, 21)), _ANGLES),
        _acceleration,
    ),
    "sharp-acceleration": Form(
        r"(w - w^*)^\top G_J \ge \frac{|w|}{2(|w| + |w^*|)}|w - w^*|^2 + \frac{\pi - "
        r"\theta}{20\pi}\theta^2|w^*|(|w| + |w^*|)",
        (_ANGLES,),
        _sharp_acceleration,
    ),
    "l2-rate": Form(
        r"\tfrac12|w - w^*|^2 - (w - w^*)^\top G_L \ge \tfrac{1}{20\pi}|w^*|(|w| + |w^*|)\theta^3",
        (_UNIT, _ANGLES),
        _l2_rate,
    ),
    "local-rate": Form(
        r"1 + \tfrac{1}{2\pi}\sin\psi\cos\psi \ge 1 - \tfrac{1}{4\pi} + \tfrac{1}{70}(\psi - "
        r"\tfrac34\pi)^2",
        (_ANGLES,),
        _local_rate,
    ),
    "rate-in-ball": Form(
        r"(w - w^*)^\top G_H \ge 0.816|w - w^*|^2, |w - w^*| \le \tfrac12|w^*|",
        (_BALL, _ANGLES),
        _rate_in_ball,
    ),
    "loss-rate-in-ball": Form(
        r"(w - w^*)^\top\nabla H \ge |w - w^*|^2 + \tfrac{1}{20\pi}|w^*|^4|w|^{-2}\epsilon\sin\psi, "
        r"\epsilon = |w - w^*|/|w^*| \le \tfrac12",
        (_BALL, _ANGLES),
        _loss_rate_in_ball,
    ),
    "h2-in-ball": Form(
        r"(w - w^*)^\top(G_{J_1} + G_{J_2}) \ge 5(w \cdot w^*)|w - w^*|^2, |w - w^*| \le \tfrac9{10}|w^*|",
        ((Q(0), Q(9, 10)), _ANGLES),
        _h2_in_ball,
    ),
    "normalised-rate": Form(
        r"(w - w^*)^\top G_H \ge 2(w - w^*)^\top G_L + \tfrac{1}{22\pi}|w^*|\sin\theta\,(|w| - |w^*| + "
        r"(|w| + |w^*|)\theta^2), |w| \ge |w^*|",
        (_UNIT, _ANGLES),
        _normalised_rate,
    ),
    "l2-positive": Form(
        r"\lambda_{\min}(DG_L) \ge \tfrac{1}{50}, |w^*|/|w| \le \tfrac32",
        ((Q(0), Q(3, 2)), _ANGLES),
        _l2_positive,
    ),
    "h1-positive": Form(
        r"\lambda_{\min}(DG_H) \ge \tfrac{1}{25}, |w^*|/|w| \le 2",
        ((Q(0), Q(2)), _ANGLES),
        _h1_positive,
    ),
    "symmetric-part-positive": Form(
        r"\det\tfrac12(DG_H + DG_H^\top)|_{\mathrm{span}(w, w^*)} \ge \tfrac{1}{25}, |w^*|/|w| \le 2",
        ((Q(0), Q(2)), _ANGLES),
        _symmetric_part_positive,
    ),
    "eigenvalue-ratio": Form(
        r"\frac{\lambda_{\max}}{\lambda_{\min}}(DG_H) \le (1 - "
        r"\tfrac15\tau)\frac{\lambda_{\max}}{\lambda_{\min}}(DG_L), \tau = \tfrac2\pi\rho\sin\theta < 1",
        (_UNIT,),
        _eigenvalue_ratio,
    ),
    "two-norm": Form(
        r"\kappa_2(DG_H) < \kappa_2(DG_L), \tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi, "
        r"0 < \tau < 1",
        (_MIDDLE, _UNIT),
        _two_norm,
    ),
    "two-norm-reversed": Form(
        r"\kappa_2(DG_H) > \kappa_2(DG_L), \theta \le \tfrac{9}{100}\pi, \tau \le \tfrac12",
        ((Q(0), Q(9, 100)), _BALL),
        lambda t, tau: (-_two_norm(t, tau)[0],),
    ),
    "symmetric-part": Form(
        r"\kappa(\tfrac12(DG_H + DG_H^\top)) < \kappa(DG_L), "
        r"\tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi, 0 < \tau < 1",
        (_MIDDLE, _UNIT),
        _symmetric_part,
    ),
    "loss-hessian": Form(
        r"(\lambda_{\perp}(\nabla^2H) - 1)/(\tfrac\pi2 - 2\theta) \ge \tfrac{3}{10\pi}\rho/\sin\theta, "
        r"0 < \theta \le \tfrac\pi2",
        ((Q(0), Q(1, 2)),),
        _loss_hessian,
    ),
    "loss-hessian-least": Form(
        r"\lambda_{\perp}(\nabla^2H) - \lambda_e(\nabla^2H) \ge \tfrac{9}{20\pi}\rho/\sin\theta, "
        r"0 < \theta < \pi",
        (_ANGLES,),
        _loss_hessian_least,
    ),
}
