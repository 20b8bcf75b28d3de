"""The orthant probability P(X > -h, Y > -k) with thresholds: its derivatives, and the two sides that make it up.

X, Y are standard normal with correlation cos(theta), so that everything starts from their covariance matrix. The
derivative in the angle is found twice: by Plackett's identity, from the density, and from the sides seen from the
origin, as `kernels.orthant_probability` sums them. Without thresholds it integrates to the opening of the wedge.
Moments of biased ReLUs follow by integration by parts, from P, Phi and densities.

Returns, every function:
    An expression in h, k and theta; `proof_of_moments` a `Proof`.
"""

from functools import cache
from typing import Any

import sympy as sp

from .algebra import normal
from .frame import theta
from .proof import Proof, Step

__all__ = [
    "Corner", "Density", "Orthant", "Phi", "at_the_origin", "corner_square", "density", "derivative_by_plackett",
    "derivative_by_sides", "h", "k", "of_four", "ordinate", "plackett_remainder", "proof_of_moments",
    "rectified_moment", "slope_defect",
]  # fmt: skip
__dir__ = __all__.copy

h, k = sp.symbols("h k", real=True)

COVARIANCE = sp.Matrix([[1, sp.cos(theta)], [sp.cos(theta), 1]])


class Density(sp.Function):
    """The standard normal density."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return -self.args[0] * self

    def _latex(self, printer: Any) -> str:
        return rf"\varphi\left({printer.doprint(self.args[0])}\right)"


class Phi(sp.Function):
    """The standard normal distribution function."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Density(self.args[0])

    def _latex(self, printer: Any) -> str:
        return rf"\Phi\left({printer.doprint(self.args[0])}\right)"


class _OfBoth(sp.Function):
    """A function of both thresholds at the angle theta, which is not shown; symmetric."""

    nargs = 2

    @classmethod
    def eval(cls, near: sp.Expr, other: sp.Expr) -> sp.Expr | None:
        return cls(other, near) if (near, other) == (k, h) else None

    def _latex(self, printer: Any) -> str:
        return rf"{self.letter}\left({printer.doprint(self.args[0])}, {printer.doprint(self.args[1])}\right)"


class Orthant(_OfBoth):
    """P(X > -h, Y > -k)."""

    letter = "P"

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The density of X or Y at its threshold, times the probability of the other."""
        near, other = self.args if argindex == 1 else self.args[::-1]
        return Density(near) * Phi(ordinate(near, other))


class Corner(_OfBoth):
    """q = exp(-r^2 / 2) / (2 pi): the densities at h and at its ordinate, or at k and at its own, multiplied."""

    letter = "q"

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return -sp.diff(corner_square(), self.args[argindex - 1]) / 2 * self


def corner_square() -> sp.Expr:
    """r^2, the square of the corner's distance from the origin where the Gaussian is isotropic.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.corner_square().subs(orthants.theta, orthants.sp.pi / 2)
        h**2 + k**2
    """
    corner = sp.Matrix([-h, -k])
    return normal((corner.T * COVARIANCE.inv() * corner)[0])


def density() -> sp.Expr:
    """The density of (X, Y) at the corner (-h, -k), for 0 < theta < pi."""
    return sp.exp(-corner_square() / 2) / (2 * sp.pi * sp.sin(theta))


def ordinate(near: sp.Symbol = h, other: sp.Symbol = k) -> sp.Expr:
    """A with P(Y > -k | X = -h) = Phi(A), from the mean and the variance of Y given X = -h.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.ordinate()
        (-h*cos(theta) + k)/sin(theta)
    """
    mean = COVARIANCE[1, 0] / COVARIANCE[0, 0] * -near
    return normal((other + mean) / sp.sin(theta))  # the variance is 1 - cos^2


def plackett_remainder() -> sp.Expr:
    """(dp/dtheta - dcos/dtheta d^2p/dh dk) / p for the density p: 0, as p solves this heat equation.

    Integrated over h and k, dP/dtheta = -sin(theta) p(h, k): `derivative_by_plackett`.
    """
    p = density()
    return normal((sp.diff(p, theta) - sp.diff(sp.cos(theta), theta) * sp.diff(p, h, k)) / p)


def derivative_by_plackett() -> sp.Expr:
    """dP/dtheta in units of exp(-r^2 / 2)."""
    return normal(-sp.sin(theta) * density() * sp.exp(corner_square() / 2))


def derivative_by_sides() -> sp.Expr:
    """dP/dtheta in units of exp(-r^2 / 2), from P = S(-h; -A) + S(-k; -A'), h, k < 0, whose distances do not turn.

    dS/dA = -D exp(-(D^2 + A^2)/2) / (2 pi (D^2 + A^2)), and D^2 + A^2 = r^2 for both lines.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.derivative_by_sides()
        -1/(2*pi)
    """
    turned = sum(
        -distance * sp.diff(-ordinate(*line), theta) / (2 * sp.pi * corner_square())
        for distance, line in ((-h, (h, k)), (-k, (k, h)))
    )
    return normal(turned)


def at_the_origin() -> sp.Expr:
    """P(X > 0, Y > 0), integrated from theta = pi, where it is 0.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.at_the_origin()
        (pi - theta)/(2*pi)
    """
    angle = sp.Dummy("theta")
    return normal(-sp.integrate(derivative_by_sides().subs(theta, angle), (angle, theta, sp.pi)))


def of_four() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """P_4(u > 0) of independent numbers, of all correlations 1/2, and of two independent pairs at the angle theta.

    With correlations 1/2 the numbers are z_i - z_0 of five independent ones, so that P_4 is the mean of
    (1 - Phi(z_0))^4, which has an antiderivative.

    Raises:
        ArithmeticError: that it is none.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.of_four()[:2]
        (1/16, 1/5)
    """
    z = sp.Dummy("z", real=True)
    antiderivative = sp.sympify(-((1 - Phi(z)) ** 5) / 5)
    if sp.expand(sp.diff(antiderivative, z) - Density(z) * (1 - Phi(z)) ** 4) != 0:
        raise ArithmeticError(f"antiderivative: got {antiderivative}, which is none")
    alike = antiderivative.subs(Phi(z), 1) - antiderivative.subs(Phi(z), 0)
    pair = at_the_origin()
    return pair.subs(theta, sp.pi / 2) ** 2, alike, pair**2


@cache
def rectified_moment(i: int, j: int) -> sp.Expr:
    """E[(X + h)_+^i (Y + k)_+^j], a power 0 being an indicator, by Stein's lemma E[X g] = E[g_X] + cos(theta) E[g_Y].

    With h = b/|w|, k = b'/|w'| this times |w|^i |w'|^j is E[(w.x + b)_+^i (w'.x + b')_+^j].

    Raises:
        ValueError: a power that is no whole number of at least 0.

    Example:
        >>> from sobolev_theory.symbolic import orthants
        >>> orthants.rectified_moment(0, 0)
        Orthant(h, k)
    """
    if not all(isinstance(n, int) and n >= 0 for n in (i, j)):
        raise ValueError(f"i, j: got {i!r} and {j!r}; needs whole numbers of at least 0")
    if i == 0 == j:
        return Orthant(h, k)
    if i == 0:
        return rectified_moment(j, i).subs({h: k, k: h}, simultaneous=True)
    cos = sp.cos(theta)
    value = h * rectified_moment(i - 1, j)
    value += (i - 1) * rectified_moment(i - 2, j) if i > 1 else _at_threshold(j, h, k)  # g_X
    value += cos * (j * rectified_moment(i - 1, j - 1) if j else _at_threshold(i - 1, k, h))  # g_Y
    return _expanded(value)


def _at_threshold(n: int, near: sp.Symbol, other: sp.Symbol) -> sp.Expr:
    """E[delta(X + near) (Y + other)_+^n]: the density at near times sin^n E[(A + Z)_+^n], Z normal."""
    A = ordinate(near, other)
    moments = [Density(near) * Phi(A), A * Density(near) * Phi(A) + Corner(h, k)]
    for m in range(2, n + 1):
        moments.append(A * moments[m - 1] + (m - 1) * moments[m - 2])
    return sp.sin(theta) ** n * moments[n]


def slope_defect(i: int, j: int) -> sp.Expr:
    """The derivative in h of E[(X + h)_+^i (Y + k)_+^j] less i E[(X + h)_+^(i - 1) (Y + k)_+^j], i >= 1; 0.

    With both moments 0 at h = -oo, this determines the moment of power i from that of power i - 1.
    """
    slope = sp.diff(rectified_moment(i, j), h) - i * rectified_moment(i - 1, j)
    slope = slope.xreplace({Density(ordinate(*line)): Corner(h, k) / Density(line[0]) for line in ((h, k), (k, h))})
    return normal(slope.xreplace(_symbols(slope)))


def proof_of_moments() -> Proof:
    """That `rectified_moment` is right for the ReLU: the values' moment leads to the orthant probability."""
    steps = (
        Step("dE[(X+h)_+ (Y+k)_+]/dh = E[1(X>-h) (Y+k)_+]", slope_defect(1, 1)),
        Step("dE[(X+h)_+ 1(Y>-k)]/dh = P", slope_defect(1, 0)),
    )
    return Proof(steps, (r"both moments vanish for h \to -\infty, and X and Y may be exchanged",))


def _expanded(expression: sp.Expr) -> sp.Expr:
    """A sum of terms, in which the arguments of functions stay as they are."""
    symbols = _symbols(expression)
    return sp.expand(expression.xreplace(symbols)).xreplace(
        {symbol: function for function, symbol in symbols.items()}
    )


def _symbols(expression: sp.Expr) -> dict[sp.Expr, sp.Symbol]:
    """For all functions of the thresholds, which are independent of each other."""
    functions = sorted(expression.atoms(Density, Phi, Orthant, Corner), key=sp.default_sort_key)
    return {function: sp.Symbol(f"f_{n}") for n, function in enumerate(functions)}
