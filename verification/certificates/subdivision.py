"""Positivity over a box by bisection: boxes on which a ball shows it, or an exact point where it fails."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from ..balls import exact_ball, precision
from ..claim import Verdict
from .certificate import Box, Certificate, Point


@dataclass(frozen=True)
class Inequality:
    """A statement as the positivity of a function on a closed box.

    Attributes:
        name, statement, reduction, variables, domain: as in `Certificate`.
        enclosure: one ball per variable to a ball that contains the function's values there; any ball that is not
            finite decides nothing. Factors that vanish in the domain are divided out inside.
    """

    name: str
    statement: str
    reduction: str
    variables: tuple[str, ...]
    domain: Box
    enclosure: Callable[..., arb]


def subdivide(inequality: Inequality, max_depth: int = 30, max_boxes: int = 20_000, bits: int = 80) -> Certificate:
    """Bisect until the enclosure is positive on every box, or negative at the middle of one.

    Raises ValueError for a domain that is no box: an interval per variable, its ends in order.

    Example:
        >>> from fractions import Fraction
        >>> one = Inequality("x^2 + 1", "", "", ("x",), ((Fraction(-1), Fraction(1)),), lambda x: x * x + 1)
        >>> subdivide(one).verdict.value
        'certified'
    """
    if len(inequality.domain) != len(inequality.variables) or any(a > b for a, b in inequality.domain):
        raise ValueError(f"domain: got {inequality.domain}; needs an interval per variable of {inequality.variables}")
    with precision(bits):
        return _subdivide(inequality, max_depth, max_boxes, bits)


def _subdivide(inequality: Inequality, max_depth: int, max_boxes: int, bits: int) -> Certificate:
    shown: list[Box] = []
    bound, deepest, evaluations = float("inf"), 0, 0
    undecided: Point | None = None

    def certificate(verdict: Verdict, failure: Point | None) -> Certificate:
        i = inequality
        boxes = tuple(sorted(shown))
        return Certificate(
            i.name,
            i.statement,
            i.reduction,
            i.variables,
            i.domain,
            verdict,
            boxes,
            bound,
            deepest,
            bits,
            evaluations,
            failure,
        )

    waiting = deque([(inequality.domain, 0)])  # large boxes first: a region where it fails is met before its edge
    while waiting:
        box, depth = waiting.popleft()
        value = inequality.enclosure(*(exact_ball(*interval) for interval in box))
        evaluations += 1
        deepest = max(deepest, depth)
        if value > 0:
            shown.append(box)
            bound = min(bound, _below(value))
            continue
        centre = middle(box)
        if inequality.enclosure(*(exact_ball(x, x) for x in centre)) < 0:
            return certificate(Verdict.REFUTED, centre)
        if depth == max_depth:
            undecided = centre
        elif evaluations >= max_boxes:
            return certificate(Verdict.OPEN, centre)
        else:
            waiting += [(half, depth + 1) for half in bisect(box, inequality.domain)]
    return certificate(Verdict.CERTIFIED if undecided is None else Verdict.OPEN, undecided)


def middle(box: Box) -> Point:
    return tuple((a + b) / 2 for a, b in box)


def bisect(box: Box, domain: Box) -> tuple[Box, Box]:
    """Across the side that is longest in units of the domain's."""
    shares = [(b - a) / (d - c) if d > c else Fraction(0) for (a, b), (c, d) in zip(box, domain, strict=True)]
    k = shares.index(max(shares))
    a, b = box[k]
    half = (a + b) / 2
    return (*box[:k], (a, half), *box[k + 1 :]), (*box[:k], (half, b), *box[k + 1 :])


def _below(value: arb) -> float:
    """A float not above the ball: the lower end, less what its conversion may round up."""
    lower = float(value.lower())
    return lower - abs(lower) * 2.0**-50
