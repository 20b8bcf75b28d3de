"""The inequalities that are certified, and next to each the wrong ones that must not be: its negative controls."""

from collections.abc import Mapping
from fractions import Fraction

from . import conditioning, rates
from .subdivision import Inequality

INEQUALITIES: Mapping[str, Inequality] = {
    inequality.name: inequality
    for inequality in (
        rates.acceleration(),
        rates.sharp_acceleration(),
        rates.l2_rate(),
        rates.local_rate(),
        rates.rate_in_ball(),
        rates.loss_rate_in_ball(),
        rates.h2_in_ball(),
        rates.normalised_rate(),
        conditioning.l2_positive(),
        conditioning.h1_positive(),
        conditioning.symmetric_part_positive(),
        conditioning.eigenvalue_ratio(),
        conditioning.two_norm(),
        conditioning.two_norm_reversed(),
        conditioning.symmetric_part(),
        conditioning.loss_hessian(),
        conditioning.loss_hessian_least(),
    )
}

# Each is false: a constant slightly beyond the best one, a term with the wrong sign or taken twice, a larger domain.
WRONG: Mapping[str, Mapping[str, Inequality]] = {
    "acceleration": {
        "constant 1/41": rates.acceleration(bound=Fraction(1, 41)),
        "angle term twice": rates.acceleration(turning=2),
        "closer to the origin": rates.acceleration(largest=Fraction(20, 21)),
    },
    "sharp-acceleration": {
        "constant 1/9": rates.sharp_acceleration(bound=Fraction(1, 9)),
        "square completed ten times": rates.sharp_acceleration(turning=10),
    },
    "l2-rate": {
        "constant 1/9": rates.l2_rate(bound=Fraction(1, 9)),
        "one term with the wrong sign": rates.l2_rate(sign=-1),
    },
    "local-rate": {
        "rate 1 - 1/(4.04 pi)": rates.local_rate(rate=Fraction(25, 101)),
        "constant 1/69": rates.local_rate(bound=Fraction(1, 69)),
        "wedge twice": rates.local_rate(turning=2),
        "wedge with the wrong sign": rates.local_rate(turning=-1),
    },
    "rate-in-ball": {
        "constant 0.818": rates.rate_in_ball(bound=Fraction(818, 1000)),
        "angle term twice": rates.rate_in_ball(turning=2),
        "larger ball": rates.rate_in_ball(radius=Fraction(13, 25)),
    },
    "loss-rate-in-ball": {
        "angle term twice": rates.loss_rate_in_ball(turning=2),
        "larger ball": rates.loss_rate_in_ball(radius=Fraction(4, 5)),
    },
    "h2-in-ball": {
        "constant 7": rates.h2_in_ball(bound=Fraction(7)),
        "angle term three times": rates.h2_in_ball(turning=3),
    },
    "normalised-rate": {
        "constant 1/9": rates.normalised_rate(bound=Fraction(1, 9)),
        "shorter students": rates.normalised_rate(smallest=Fraction(-1, 10)),
        "wrong sign": rates.normalised_rate(sign=-1),
    },
    "l2-positive": {
        "longer teachers": conditioning.l2_positive(largest=Fraction(8, 5)),
        "eigenvalue of H1": conditioning.l2_positive(strength=Fraction(3, 2)),
    },
    "h1-positive": {
        "longer teachers": conditioning.h1_positive(largest=Fraction(11, 5)),
        "eigenvalue of the loss": conditioning.h1_positive(strength=Fraction(4)),
    },
    "symmetric-part-positive": {
        "longer teachers": conditioning.symmetric_part_positive(largest=Fraction(11, 5)),
        "eigenvalue of the loss": conditioning.symmetric_part_positive(strength=Fraction(4)),
    },
    "eigenvalue-ratio": {
        "constant 13/50": conditioning.eigenvalue_ratio(bound=Fraction(13, 50)),
        "reversed": conditioning.eigenvalue_ratio(sign=-1),
        "eigenvalue of 2 DG_L and more": conditioning.eigenvalue_ratio(strength=Fraction(5, 4)),
    },
    "two-norm": {
        "smaller angles": conditioning.two_norm(angles=(Fraction(11, 100), Fraction(22, 25))),
        "asymmetry twice": conditioning.two_norm(asymmetry=2),
    },
    "two-norm-reversed": {
        "larger angles": conditioning.two_norm((Fraction(0), Fraction(10, 99)), largest=Fraction(1, 2), sign=-1)
    },
    "symmetric-part": {
        "smaller angles": conditioning.symmetric_part(angles=(Fraction(11, 100), Fraction(22, 25))),
        "asymmetry twice": conditioning.symmetric_part(asymmetry=2),
    },
    "loss-hessian": {
        "constant 13/20": conditioning.loss_hessian(bound=Fraction(13, 20)),
        "kink term twice": conditioning.loss_hessian(kink=2),
        "kink term with the wrong sign": conditioning.loss_hessian(kink=-1),
    },
    "loss-hessian-least": {
        "constant 11/10": conditioning.loss_hessian_least(bound=Fraction(11, 10)),
        "term in the plane dropped": conditioning.loss_hessian_least(in_plane=0),
    },
}
