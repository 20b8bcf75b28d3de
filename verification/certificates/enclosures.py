"""Ranges of functions over boxes: plain, by the mean value, and after a factor that vanishes is divided out.

Functions take one argument per variable and are written once, in operations that both balls (`arb`) and power
series over balls (`arb_series`) have; a series in the direction d gives the derivatives along d over a box.
"""

from collections.abc import Callable, Sequence

from flint import arb, arb_series

Function = Callable[..., arb]
Balls = Sequence[arb]


def meet(a: arb, b: arb) -> arb:
    """A ball around the intersection of two enclosures of one set; the other one if one of them is not finite."""
    if not a.is_finite():
        return b
    if not b.is_finite():
        return a
    return a.intersection(b)


def square(x: arb) -> arb:
    """x^2, not negative where Arb's product of a ball with itself would be."""
    return (x.abs_lower() ** 2).union(x.abs_upper() ** 2)


def along(f: Function, box: Balls, direction: Sequence[int], order: int) -> arb:
    """The order-th Taylor coefficient of f along the direction, over the box."""
    lines = [arb_series([x, d], order + 1) for x, d in zip(box, direction, strict=True)]
    try:
        value = f(*lines)
    except ValueError:  # a quotient whose denominator may vanish
        return arb("nan")
    return value[order] if isinstance(value, arb_series) else arb(0 if order else value)


def mean_value(f: Function, box: Balls) -> arb:
    """f(centre) + sum of partial derivatives times displacements, met with the plain range: error of second order."""
    centre = [x.mid() for x in box]
    value = f(*centre)
    for k, x in enumerate(box):
        direction = [int(k == i) for i in range(len(box))]
        value += along(f, box, direction, 1) * (x - centre[k])
    return meet(f(*box), value)


def divided(f: Function, x: arb, root: arb, order: int) -> arb:
    """f(x) / (x - root)^order where f and its derivatives below that order vanish at the root.

    By Taylor's theorem it is a value of the order-th Taylor coefficient between x and the root: finite at the root.
    Away from it the plain quotient is sharper. That f vanishes is an analytic fact, stated where f is; if balls
    contradict it, only the plain quotient is used.
    """
    quotient = mean_value(f, [x]) / (x - root) ** order
    if not all(along(f, [root], [1], n).contains(0) for n in range(order)):
        return quotient
    return meet(quotient, along(f, [x.union(root)], [1], order))


def divided_by_square(f: Function, box: Balls) -> arb:
    """f(x, y) / (x^2 + y^2) where f and its gradient vanish at the origin: half a Rayleigh quotient of its Hessian.

    Along the ray from the origin f is a second-order Taylor term, so the quotient lies between the extreme
    eigenvalues of half the Hessian over the box that holds the ray.
    """
    x, y = box
    quotient = mean_value(f, box) / (square(x) + square(y))
    origin = [arb(0), arb(0)]
    if not f(*origin).contains(0) or not all(along(f, origin, d, 1).contains(0) for d in ((1, 0), (0, 1))):
        return quotient
    hull = [x.union(0), y.union(0)]
    a, c = along(f, hull, (1, 0), 2), along(f, hull, (0, 1), 2)
    half = along(f, hull, (1, 1), 2) - a - c
    middle, spread = (a + c) / 2, (square((a - c) / 2) + square(half / 2)).sqrt()
    return meet(quotient, (middle - spread).union(middle + spread))


def decreasing(f: Callable[[arb], arb], x: arb) -> arb:
    """The range over a ball of a function that decreases there, from its ends."""
    return f(x.lower()).union(f(x.upper()))
