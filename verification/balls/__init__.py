"""The theory in ball arithmetic: every number comes with a rigorous error bound (Arb, by python-flint).

`integrals` goes from the definitions, `formulas` from the statements; the two share no formula.
"""

try:
    import flint  # noqa: F401
except ImportError as error:
    raise ImportError(
        "verification.balls: python-flint is missing; needs the extra 'verification': "
        "pip install 'sobolev-theory[verification]'"
    ) from error

from .precision import exact_ball, precision, separates, smaller_than

__all__ = ["exact_ball", "precision", "separates", "smaller_than"]
