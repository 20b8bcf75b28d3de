"""A statement: relations of SymPy, the one place where what is claimed is spelled.

It is printed (`latex`) and evaluated (`evaluation`), and what the claim's formula has to be is read off it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from .notation import Name
from .printing import BREAK, latex


def equal(left: Any, right: Any) -> sp.Eq:
    return sp.Eq(left, right, evaluate=False)


def at_least(left: Any, right: Any) -> sp.Ge:
    return sp.Ge(left, right, evaluate=False)


def at_most(left: Any, right: Any) -> sp.Le:
    return sp.Le(left, right, evaluate=False)


def above(left: Any, right: Any) -> sp.Gt:
    return sp.Gt(left, right, evaluate=False)


def below(left: Any, right: Any) -> sp.Lt:
    return sp.Lt(left, right, evaluate=False)


@dataclass(frozen=True)
class Statement:
    """What a claim states.

    Attributes:
        relations: equations and inequalities, in the order in which they are read. The claim's formula is what the
            equations state, one after another; without an equation it is by how much the inequality holds.
        where: equations that say what their left sides, symbols, are short for.
        remark: words for the reader, which state no formula.
        pair: of any two neurons w and v, not of a student and a teacher.
    """

    relations: tuple[sp.Basic, ...]
    where: tuple[sp.Eq, ...] = ()
    remark: str = ""
    pair: bool = False

    @property
    def latex(self) -> str:
        text = latex((*self.relations, *self.where), self.pair)
        return rf"{text}{BREAK}\text{{{self.remark}}}" if self.remark else text

    @property
    def equations(self) -> tuple[sp.Eq, ...]:
        """Those whose left side is more than a name, what is short for something written out."""
        return tuple(x for x in self._full if isinstance(x, sp.Eq) and not isinstance(x.lhs, Name))

    @property
    def bounds(self) -> tuple[sp.Basic, ...]:
        """The inequalities."""
        return tuple(x for x in self._full if not isinstance(x, sp.Eq))

    @property
    def left(self) -> Any:
        """The quantities of the equations, or the margin of the inequality: what the definition is asked for."""
        return _only([x.lhs for x in self.equations] or [self.margin])

    @property
    def right(self) -> Any:
        """What the equations say that these are."""
        return _only([x.rhs for x in self.equations])

    @property
    def margin(self) -> sp.Expr:
        """By how much the first inequality holds."""
        bound = self.bounds[0]
        return bound.gts - bound.lts

    def multiplied(self, factor: Any) -> Iterator["Statement"]:
        """For each relation and abbreviation the statement with its right side multiplied; a 0 stays what it is.

        An upper bound is divided: the statement that says more.
        """
        for field in ("relations", "where"):
            relations = getattr(self, field)
            for k, relation in enumerate(relations):
                if relation.rhs != 0 and not isinstance(relation.lhs, Name):
                    by = 1 / factor if isinstance(relation, sp.Lt | sp.Le) else factor
                    wrong = relation.func(relation.lhs, _times(by, relation.rhs), evaluate=False)
                    changed: Any = {field: (*relations[:k], wrong, *relations[k + 1 :])}
                    yield replace(self, **changed)

    @property
    def _full(self) -> list[sp.Basic]:
        meanings = {x.lhs: x.rhs for x in self.where}
        relations = list(self.relations)
        while meanings and any(x.has(*meanings) for x in relations):
            relations = [
                x.func(x.lhs.xreplace(meanings), sp.sympify(x.rhs).xreplace(meanings), evaluate=False)
                for x in relations
            ]
        return relations


def states(*relations: sp.Basic, where: tuple[sp.Eq, ...] = (), remark: str = "", pair: bool = False) -> Statement:
    return Statement(relations, where, remark, pair)


def _only(parts: list) -> Any:
    return parts[0] if len(parts) == 1 else tuple(parts)


def _times(factor: Any, side: Any) -> Any:
    return sp.Tuple(*(factor * part for part in side)) if isinstance(side, sp.Tuple) else factor * side
