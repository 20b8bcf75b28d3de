"""A counterexample as Python that can be typed into a notebook, and as vectors that can be drawn."""

from typing import Any

import numpy as np

import sobolev_theory as st

from ..claim import Claim, Point

PREAMBLE = """\
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import sobolev_theory as st
"""


def counterexample(claim: Claim, point: Point, found: Any, how: str, claimed: str = "claim.formula(point)") -> str:
    """Lines of Python that define the point to the last digit, then `claimed` and `found`, and show both.

    The claim's own `recheck` computes the two from the variables of the point: its fields by name, or `point` for an
    array. Without one they are `claimed`, an expression in `claim` and `point`, and `found`, numbers or another such
    expression; `how` says where it is from.
    """
    lines = [f"{name} = {_written(value)}" for name, value in _variables(point)]
    if claim.recheck:
        return PREAMBLE + "\n".join([*lines, claim.recheck.strip(), "claimed, found"]) + "\n"
    imports = ["from verification.claims import CLAIMS"]
    if isinstance(point, tuple):
        imports.append(f"from {type(point).__module__} import {type(point).__name__}")
        arguments = ", ".join(name for name, _ in _variables(point))
        lines.append(f"point = {type(point).__name__}({arguments})")
    lines += [
        f'claim = next(claim for claim in CLAIMS if claim.id == "{claim.id}")',
        f"claimed = {claimed}",
        f"found = {found if isinstance(found, str) else _written(found)}  # {how}",
        "claimed, found",
    ]
    return PREAMBLE + "\n".join([*imports, *lines]) + "\n"


def this_check(claim: Claim, check: Any) -> str:
    """The check of the claim, as an expression."""
    number = next((k for k, other in enumerate(claim.checks) if other is check), 0)
    return f"claim.checks[{number}]"


def vectors(point: Point) -> dict[str, tuple[float, ...]]:
    """The neurons of a point by name: vectors, and the rows of networks."""
    named: dict[str, tuple[float, ...]] = {}
    for name, value in _variables(point):
        rows = np.asarray(value.weights if isinstance(value, st.Network) else value, dtype=float)
        if isinstance(value, st.Network):
            named |= {f"{name} {k + 1}": tuple(row.tolist()) for k, row in enumerate(rows)}
        elif isinstance(point, tuple) and rows.ndim == 1:
            named[name] = tuple(rows.tolist())
    return named


def _variables(point: Point) -> list[tuple[str, Any]]:
    if isinstance(point, tuple) and hasattr(point, "_asdict"):
        return list(point._asdict().items())
    return [("point", point)]


def _written(value: Any) -> str:
    """An expression with the digits that give the same numbers back."""
    if isinstance(value, st.Network):
        return f"st.Network({_written(value.weights)}, {_written(value.output_weights)})"
    if isinstance(value, int | float):
        return repr(float(value))
    text = repr(np.asarray(value, dtype=float).tolist())
    return f"jnp.array({text.replace('nan', 'jnp.nan').replace('inf', 'jnp.inf')})"


__all__ = ["counterexample", "this_check", "vectors"]
