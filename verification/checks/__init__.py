"""The methods, one module each: symbolic, balls, certificates, quadrature, differences, sampling, bounds."""

from .ball import Ball, Counterexample
from .bounds import NonNegative
from .certified import Certified
from .check import Check, Context
from .differences import Differences, SecondDifferences, derivative
from .enclosed import Enclosed
from .estimates import Estimates, Request
from .quadrature import Limit, Quadrature
from .sampling import Measurement, Sampled, judge
from .symbolic import Symbolic, SymbolicProof

__all__ = [
    "Ball",
    "Certified",
    "Check",
    "Context",
    "Counterexample",
    "Differences",
    "Enclosed",
    "Estimates",
    "Limit",
    "Measurement",
    "NonNegative",
    "Quadrature",
    "Request",
    "Sampled",
    "SecondDifferences",
    "Symbolic",
    "SymbolicProof",
    "derivative",
    "judge",
]
