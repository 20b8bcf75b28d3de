"""The theory in ball arithmetic: every number comes with a rigorous error bound (Arb, by python-flint).

`integrals` goes from the definitions, `formulas` from the statements; the two share no formula.
"""

from .precision import exact_ball, precision, separates, smaller_than

__all__ = ["exact_ball", "precision", "separates", "smaller_than"]
