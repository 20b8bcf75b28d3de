"""The working precision of balls, and what can be read off a ball without rounding."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import flint
from flint import arb

_LOCK = threading.RLock()


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with this many bits, one thread at a time: the precision of flint belongs to the whole process.

    Example:
        >>> with precision(200):
        ...     bool(arb.pi().rad() < 1e-50)
        True
    """
    with _LOCK:
        before = flint.ctx.prec
        flint.ctx.prec = bits
        try:
            yield
        finally:
            flint.ctx.prec = before


def rational(value: Fraction) -> arb:
    """The tightest ball around a rational; exact for dyadic ones that fit the precision."""
    return arb(flint.fmpq(value.numerator, value.denominator))


def exact_ball(lower: Fraction, upper: Fraction) -> arb:
    """A ball that contains [lower, upper]; larger by the 30 bits of a radius and no more."""
    if lower == upper:
        return rational(lower)
    return rational((lower + upper) / 2) + arb(0, 1) * rational((upper - lower) / 2)


def separates(a: arb, b: arb) -> bool:
    """Whether the two balls cannot be balls of one number; a ball that is not finite separates nothing."""
    return a.is_finite() and b.is_finite() and not a.overlaps(b)


def smaller_than(radius: arb, size: arb, digits: int) -> bool:
    """Whether a radius is certainly at most 10^-digits times a size."""
    return bool(radius <= size.abs_lower() * arb(10) ** -digits)
