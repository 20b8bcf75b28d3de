"""Sobolev training of any network that JAX can call: derivatives, losses, and runs of many seeds."""

from .fit import Fit, Stage, fit

__all__ = ["Fit", "Stage", "fit"]
