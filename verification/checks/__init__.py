"""The methods, one module each: quadrature, differences, sampling, bounds."""

from .bounds import NonNegative
from .check import Check, Context
from .differences import Differences, SecondDifferences, derivative
from .estimates import Estimates, Request
from .quadrature import Limit, Quadrature
from .sampling import Measurement, Sampled, judge

__all__ = [
    "Check",
    "Context",
    "Differences",
    "Estimates",
    "Limit",
    "Measurement",
    "NonNegative",
    "Quadrature",
    "Request",
    "Sampled",
    "SecondDifferences",
    "derivative",
    "judge",
]
