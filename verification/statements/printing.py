"""A statement as LaTeX that reads as the paper does: the one place where a statement becomes a string."""

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE

from sobolev_theory.symbolic import r, r_star

SIGNS = {sp.Eq: "=", sp.Ge: r"\ge", sp.Gt: ">", sp.Le: r"\le", sp.Lt: "<", sp.Ne: r"\ne"}
BREAK = r",\quad "  # between relations: where a line may break
STYLE = {"fold_func_brackets": True, "inv_trig_style": "full", "ln_notation": False}
TEACHER = {"w^{*}": "w^*", r"\hat{w}^{*}": r"\hat w^*", "e^{*}": "e^*", r"\hat{w}": r"\hat w"}
OTHER = {"w^{*}": "v", r"\hat{w}^{*}": r"\hat v", "e^{*}": "e'", r"\hat{w}": r"\hat w"}


class Printer(LatexPrinter):
    """Short terms first, vectors plain, no brackets where none are needed.

    Args:
        pair: of any two neurons, the second of which is v, and not the teacher w*.
    """

    def __init__(self, pair: bool = False):
        super().__init__(STYLE | {"symbol_names": {r: "|w|", r_star: "|v|" if pair else "|w^*|"}})
        self.vectors = OTHER if pair else TEACHER

    def in_brackets(self, expression: Any) -> str:
        """In brackets if it is a sum."""
        return self.parenthesize(expression, PRECEDENCE["Mul"], strict=True)

    def parenthesize_super(self, s: str) -> str:
        """A symbol to a power stands as it is: |w^*|^2."""
        return s if s.startswith("|") else super().parenthesize_super(s)

    def _as_ordered_terms(self, expr, order=None):
        return sorted(super()._as_ordered_terms(expr, order), key=_weight)

    def _print_Mul(self, expr):
        """Where neurons have indices: numbers, then output weights and deltas, then what they multiply."""
        if not expr.has(sp.Indexed):
            return super()._print_Mul(expr)
        factors = sorted(sp.Mul.make_args(expr), key=_rank)
        numbers = sp.Mul(*(factor for factor in factors if _rank(factor)[0] == 0))
        rest = " ".join(self._factor(factor) for factor in factors if _rank(factor)[0])
        return rest if numbers == 1 else f"- {rest}" if numbers == -1 else f"{self._print(numbers)} {rest}"

    def _factor(self, factor):
        return self.in_brackets(factor) if factor.is_Add else self._print(factor)

    def _print_MatAdd(self, expr):
        text = ""
        for term in sorted(expr.args, key=_weight):
            part = self._print(term).lstrip()
            text += part if not text else f" - {part[1:].lstrip()}" if part.startswith("-") else f" + {part}"
        return text

    def _print_MatMul(self, expr):
        coefficient, matrices = expr.as_coeff_matrices()
        product = " ".join(self.parenthesize(m, PRECEDENCE["Mul"], strict=False) for m in matrices)
        if coefficient in (1, -1):
            return product if coefficient == 1 else f"- {product}"
        front = self.in_brackets(coefficient) if isinstance(coefficient, sp.Add) else self._print(coefficient)
        return rf"{front}\, {product}"

    def _print_MatrixSymbol(self, expr):
        return self.vectors.get(expr.name, expr.name)

    def _print_Identity(self, expr):
        return "I"

    def _print_Transpose(self, expr):
        inner = self.parenthesize(expr.arg, PRECEDENCE["Pow"])
        return rf"{{{inner}}}^\top" if "^" in inner else rf"{inner}^\top"

    def _print_Density(self, expr, exp=None):
        return _raised(rf"\varphi\left({self._print(expr.args[0])}\right)", exp)

    def _print_Phi(self, expr, exp=None):
        return _raised(rf"\Phi\left({self._print(expr.args[0])}\right)", exp)

    def _print_Orthant(self, expr, exp=None):
        return _raised(rf"P({', '.join(map(self._print, expr.args))})", exp)

    def _print_Corner(self, expr, exp=None):
        return _raised(rf"q({', '.join(map(self._print, expr.args))})", exp)

    def _print_Tuple(self, expr):
        return rf"\left({', '.join(map(self._print, expr.args))}\right)"


def _raised(text: str, exponent: str | None) -> str:
    return text if exponent is None else f"{text}^{{{exponent}}}"


def _weight(term: sp.Basic) -> tuple[int, bool]:
    """Short before long, positive before negative."""
    return sp.count_ops(term) // 4, _negative(term)


def _rank(factor: sp.Expr) -> tuple[int, int]:
    """Numbers, Kronecker deltas, output weights, numbers of neurons, vectors and matrices."""
    base = factor.as_base_exp()[0]
    kinds = (
        not base.has(sp.Indexed, sp.KroneckerDelta),
        base.has(sp.KroneckerDelta) and not base.has(sp.Indexed),
        isinstance(base, sp.Indexed) and str(base.base)[0] in "ac",
        base.is_Add and not base.has(sp.Sum),
    )
    return next((rank for rank, holds in enumerate(kinds) if holds), len(kinds)), sp.count_ops(factor)


def _negative(term: sp.Basic) -> bool:
    return bool(term.as_coeff_mmul()[0] < 0) if isinstance(term, sp.MatMul) and term.args[0].is_number else (
        isinstance(term, sp.Expr) and not isinstance(term, sp.MatrixExpr) and term.could_extract_minus_sign()
    )  # fmt: skip


def latex(relations: tuple[Any, ...], pair: bool = False) -> str:
    """Relations in order; one that starts with what the one before ends with goes on from there."""
    printer, text, last = Printer(pair), "", None
    for relation in relations:
        sign, right = SIGNS[relation.func], printer.doprint(relation.rhs)
        if last is None or relation.lhs != last:
            text += (BREAK if text else "") + printer.doprint(relation.lhs)
        text += f" {sign} {right}"
        last = relation.rhs
    return text
