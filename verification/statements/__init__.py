"""What is claimed, spelled once, in SymPy: by part of the paper, with the printer and the evaluation of it."""

from .statement import Statement, above, at_least, at_most, below, equal, states

__all__ = ["Statement", "above", "at_least", "at_most", "below", "equal", "states"]
