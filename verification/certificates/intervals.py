"""Interval arithmetic of mpmath, for the second opinion on certificates: another library than the first one's."""

from fractions import Fraction as Q
from typing import Any

from mpmath.ctx_iv import MPIntervalContext

iv = MPIntervalContext()
iv.prec = 70


def rational(x: Q) -> Any:
    return iv.mpf(x.numerator) / x.denominator


def sinc(x: Any) -> Any:
    """sin(x)/x for |x| <= pi, where it decreases in |x|."""
    size = abs(x)
    ends = [iv.mpf(1) if end == 0 else iv.sin(iv.mpf(end)) / iv.mpf(end) for end in (size.a.a, size.b.b)]
    return iv.mpf([ends[1].a, ends[0].b])
