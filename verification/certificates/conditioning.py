"""One neuron: where Sobolev training conditions better, per definition, and where the Jacobians are positive.

rho = |w*|/|w|, theta = pi t, tau = 2 rho sin(theta)/pi: the eigenvalues of 2 DG_L are 1, 1 - tau, 1 - tau/2, those of
DG_H are 1, 1 - 3 tau/4, 1 - tau/4. DG_L is positive definite for tau < 1, and tau is 0 for parallel vectors.
In the plane and the frame (v, e), DG_H = [[1, -p cos], [0, 1 - 3 p sin]] with p = rho/(2 pi), so tau = 4 p sin.
"""

from fractions import Fraction

from flint import arb

from ..balls.precision import rational
from .enclosures import divided, mean_value
from .subdivision import Inequality

ZERO, ONE = Fraction(0), Fraction(1)
ALL_ANGLES = (ZERO, ONE)
BETTER_ANGLES = (Fraction(3, 25), Fraction(22, 25))  # tan^2(3 pi/25) = 0.157 > 1/7
WORSE_ANGLES = (ZERO, Fraction(9, 100))  # tan^2(9 pi/100) = 0.084 < 1/11


def _positive(name: str, statement: str, reduction: str, domain, function, bound: Fraction) -> Inequality:
    return Inequality(
        name,
        statement,
        reduction,
        ("rho", "t"),
        domain,
        lambda rho, t: mean_value(lambda a, b: function(a, b) - rational(bound), (rho, t)),
    )


def l2_positive(largest=Fraction(3, 2), strength=Fraction(1)) -> Inequality:
    """The least eigenvalue of DG_L; it reaches 0 at rho sin theta = pi/2."""
    return _positive(
        "l2-positive",
        r"\lambda_{\min}(DG_L) \ge \tfrac{1}{50}, |w^*|/|w| \le \tfrac32",
        "1/2 - rho sin(theta)/pi - 1/50, theta = pi t",
        ((ZERO, largest), ALL_ANGLES),
        lambda rho, t: arb(1) / 2 - rational(strength) * rho * (t * arb.pi()).sin() / arb.pi(),
        Fraction(1, 50),
    )


def h1_positive(largest=Fraction(2), strength=Fraction(3)) -> Inequality:
    """The least eigenvalue of DG_H; it reaches 0 at rho sin theta = 2 pi/3."""
    return _positive(
        "h1-positive",
        r"\lambda_{\min}(DG_H) \ge \tfrac{1}{25}, |w^*|/|w| \le 2",
        "1 - 3 rho sin(theta)/(2 pi) - 1/25, theta = pi t",
        ((ZERO, largest), ALL_ANGLES),
        lambda rho, t: 1 - rational(strength) * rho * (t * arb.pi()).sin() / (2 * arb.pi()),
        Fraction(1, 25),
    )


def symmetric_part_positive(largest=Fraction(2), strength=Fraction(3)) -> Inequality:
    """The determinant 1 - 3 p sin - p^2 cos^2/4 of the symmetric part of DG_H in the plane of w and w*.

    Its trace 2 - 3 p sin is above the determinant's first two terms, and its third eigenvalue 1 - p sin is larger:
    the symmetric part is positive definite exactly where the determinant is positive, rho sin(theta) <
    2 pi (6 - sqrt(32 + p^2)), and so for every theta where rho < 2 pi/3.
    """

    def determinant(rho, t):
        theta, p = t * arb.pi(), rho / (2 * arb.pi())
        return 1 - rational(strength) * p * theta.sin() - p * p * theta.cos() * theta.cos() / 4

    return _positive(
        "symmetric-part-positive",
        r"\det\tfrac12(DG_H + DG_H^\top)|_{\mathrm{span}(w, w^*)} \ge \tfrac{1}{25}, |w^*|/|w| \le 2",
        "1 - 3 p sin(theta) - p^2 cos(theta)^2/4 - 1/25, p = rho/(2 pi), theta = pi t",
        ((ZERO, largest), ALL_ANGLES),
        determinant,
        Fraction(1, 25),
    )


def eigenvalue_ratio(bound=Fraction(1, 5), strength=Fraction(3, 4), sign=1) -> Inequality:
    """1 - (ratio of DG_H)/(ratio of DG_L) vanishes with tau: over tau, less a bound. The least quotient is 1/4."""

    def excess(tau):
        return sign * (1 - (1 - tau) / (1 - rational(strength) * tau))

    return Inequality(
        "eigenvalue-ratio",
        r"\frac{\lambda_{\max}}{\lambda_{\min}}(DG_H) "
        r"\le (1 - \tfrac15\tau)\frac{\lambda_{\max}}{\lambda_{\min}}(DG_L), \tau = \tfrac2\pi\rho\sin\theta < 1",
        "1 - (1 - tau)/(1 - 3 tau/4), divided by tau; at tau = 0 the first Taylor coefficient",
        ("tau",),
        ((ZERO, ONE),),
        lambda tau: divided(excess, tau, arb(0), 1) - rational(bound),
    )


def two_norm(angles=BETTER_ANGLES, asymmetry=1, largest=ONE, sign=1) -> Inequality:
    """The singular values s of a plane matrix M have s_1/s_2 + s_2/s_1 = tr(M'M)/|det M|, and
      [tr/det](DG_L) - [tr/det](DG_H) = p^2/((1 - tau)(1 - 3 tau/4)) [sin^2 (7 - 3 tau) - cos^2 (1 - tau)]:
    the 2-norm condition number of DG_H is smaller exactly where tan^2(theta) > (1 - tau)/(7 - 3 tau).
    """
    return _order(
        "two-norm" if sign > 0 else "two-norm-reversed",
        r"\kappa_2(DG_H) < \kappa_2(DG_L), \tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi, 0 < \tau < 1"
        if sign > 0
        else r"\kappa_2(DG_H) > \kappa_2(DG_L), \theta \le \tfrac{9}{100}\pi, \tau \le \tfrac12",
        lambda tau: asymmetry * (1 - tau),
        "(1 - tau)",
        ((*angles,), (ZERO, largest)),
        sign,
    )


def two_norm_reversed() -> Inequality:
    """The opposite order close to parallel vectors."""
    return two_norm(WORSE_ANGLES, largest=Fraction(1, 2), sign=-1)


def symmetric_part(angles=BETTER_ANGLES, asymmetry=1) -> Inequality:
    """The eigenvalues m of a plane symmetric matrix S have m_1/m_2 + m_2/m_1 + 2 = tr(S)^2/det S, and for
    S the symmetric part of DG_H
      (tr^2/det)(DG_L) - (tr^2/det)(S) = p^2/((1 - tau) det S) [sin^2 (7 - 3 tau) - cos^2 (1 - tau/2)^2]:
    better conditioned exactly where S is positive and tan^2(theta) > (1 - tau/2)^2/(7 - 3 tau).
    """
    return _order(
        "symmetric-part",
        r"\kappa(\tfrac12(DG_H + DG_H^\top)) < \kappa(DG_L), "
        r"\tfrac{3}{25}\pi \le \theta \le \tfrac{22}{25}\pi, 0 < \tau < 1",
        lambda tau: asymmetry * (1 - tau / 2) * (1 - tau / 2),
        "(1 - tau/2)^2",
        ((*angles,), (ZERO, ONE)),
    )


def _order(name: str, statement: str, weight, weight_text: str, domain, sign: int = 1) -> Inequality:
    def bracket(t, tau):
        sin, cos = (t * arb.pi()).sin(), (t * arb.pi()).cos()
        return sign * (sin * sin * (7 - 3 * tau) - cos * cos * weight(tau))

    text = f"sin(theta)^2 (7 - 3 tau) - {weight_text} cos(theta)^2"
    return Inequality(
        name,
        statement,
        (text if sign > 0 else f"-[{text}]") + ", a positive multiple of the difference; theta = pi t",
        ("t", "tau"),
        domain,
        lambda t, tau: mean_value(bracket, (t, tau)),
    )


def loss_hessian(bound=Fraction(3, 5), kink=1) -> Inequality:
    """The orthogonal eigenvalue of the Hessian of H is 1 + p (cos^2 - sin^2)/sin: over p (pi/2 - 2 theta)/sin, less a
    bound. It is above 1, the radial one, exactly for theta < pi/4 (and by reflection theta > 3 pi/4), whatever rho.
    The least eigenvalue is always 1 - tau, as for 2 DG_L; see `loss_hessian_least`.
    """

    def excess(theta):
        sin, cos = theta.sin(), theta.cos()
        return kink * cos * cos - sin * sin

    return Inequality(
        "loss-hessian",
        r"(\lambda_{\perp}(\nabla^2H) - 1)/(\tfrac\pi2 - 2\theta) \ge \tfrac{3}{10\pi}\rho/\sin\theta, "
        r"0 < \theta \le \tfrac\pi2",
        "(cos^2 - sin^2)/(pi/2 - 2 theta) - 3/5, theta = pi t; at pi/4 the first Taylor coefficient",
        ("t",),
        ((ZERO, Fraction(1, 2)),),
        lambda t: -divided(excess, t * arb.pi(), arb.pi() / 4, 1) / 2 - rational(bound),
    )


def loss_hessian_least(bound=Fraction(9, 10), in_plane=4) -> Inequality:
    """The orthogonal eigenvalue less that in the plane is p (4 sin - sin + cos^2/sin): times sin/p, less a bound."""

    def gap(t):
        sin, cos = (t * arb.pi()).sin(), (t * arb.pi()).cos()
        return (in_plane - 1) * sin * sin + cos * cos - rational(bound)

    return Inequality(
        "loss-hessian-least",
        r"\lambda_{\perp}(\nabla^2H) - \lambda_e(\nabla^2H) \ge \tfrac{9}{20\pi}\rho/\sin\theta, 0 < \theta < \pi",
        "3 sin^2 + cos^2 - 9/10, theta = pi t",
        ("t",),
        (ALL_ANGLES,),
        lambda t: mean_value(gap, (t,)),
    )
