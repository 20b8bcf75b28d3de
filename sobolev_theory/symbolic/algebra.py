"""A normal form in which two expressions of the theory are equal exactly if they look the same.

Everything derived here is a rational function of norms, of pi, of angles and of their sines and cosines. All of these
are algebraically independent but for sin^2 + cos^2 = 1, so that reducing a numerator by this relation decides
equality: a remainder of 0 is a proof, and any other remainder proves the two sides different.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.trigonometric import TrigonometricFunction

Squares = Mapping[sp.Symbol, sp.Expr]


def normal(expression: sp.Expr, squares: Squares | None = None) -> sp.Expr:
    """One fraction, its numerator expanded and without squares of cosines.

    Args:
        squares: further symbols that are square roots, each with its square, in the order of their elimination.

    Returns:
        An equal expression; the same for all expressions whose equality the rules decide.

    Example:
        >>> import sympy as sp
        >>> from sobolev_theory.symbolic import normal, theta
        >>> normal(sp.sin(2 * theta) / sp.sin(theta) - 2 / sp.cos(theta) * (1 - sp.sin(theta) ** 2))
        0
    """
    algebraic, functions, relations = _algebraic(sp.sympify(expression))
    return sp.cancel(_reduced(algebraic, relations | dict(squares or {}))).xreplace(functions)


def vanishes(expression: sp.Expr | sp.Matrix, squares: Squares | None = None) -> bool | None:
    """True if the expression, or every entry, is 0; False if it is not; None if the normal form cannot tell.

    It cannot tell where something is left that is no symbol, angle, sine or cosine: a root, a logarithm, an integral.

    Returns:
        A bool, or None.

    Example:
        >>> import sympy as sp
        >>> from sobolev_theory.symbolic import theta, vanishes
        >>> vanishes(sp.sin(theta) ** 2 - sp.tan(theta) ** 2 * sp.cos(theta) ** 2)
        True
        >>> vanishes(sp.sin(theta) - sp.Rational(101, 100) * sp.sin(theta))
        False
        >>> vanishes(sp.sqrt(1 + theta) - 1) is None
        True
    """
    remainders = [normal(entry, squares) for entry in _entries(expression)]
    if all(remainder == 0 for remainder in remainders):
        return True
    return False if all(_decidable(remainder) for remainder in remainders) else None


def tidy(expression: Any) -> Any:
    """The normal form as a sum of terms, entry by entry: how results are shown.

    Returns:
        An expression, vector, matrix or tuple, as given.

    Example:
        >>> import sympy as sp
        >>> from sobolev_theory.symbolic import theta, tidy
        >>> tidy((sp.cos(theta) ** 2 + theta) / sp.sin(theta))
        theta/sin(theta) - sin(theta) + 1/sin(theta)
    """
    if isinstance(expression, sp.MatrixBase):
        return expression.applyfunc(tidy)
    return sp.expand(normal(expression))


def as_function(
    expression: sp.Expr | sp.Matrix, symbols: Sequence[sp.Symbol], modules: str = "numpy"
) -> Callable[..., Any]:
    """A function of the symbols' values, with NumPy, mpmath, or jax ("jax") behind it.

    Raises:
        ValueError: the expression has a symbol that is not among `symbols`.

    Returns:
        A function of as many arguments as there are symbols.

    Example:
        >>> from sobolev_theory.symbolic import as_function, kernels, theta
        >>> f = as_function(kernels.angular(2), [theta], "mpmath")
        >>> f(0)
        mpf('9.4247779607693793')
    """
    missing = sp.sympify(expression).free_symbols - set(symbols)
    if missing:
        names = ", ".join(sorted(map(str, missing)))
        raise ValueError(f"symbols: got {tuple(symbols)}; needs those of the expression, and {names} is missing")
    return sp.lambdify(list(symbols), expression, modules)


def _entries(expression: sp.Expr | sp.Matrix) -> list[sp.Expr]:
    return list(expression) if isinstance(expression, sp.MatrixBase) else [sp.sympify(expression)]


def _algebraic(expression: sp.Expr) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr], dict[sp.Symbol, sp.Expr]]:
    """Square roots, other functions, sines and cosines as symbols; what these stand for, and squares of some of them.

    In the order of their elimination: roots before cosines, of which their squares are made.
    """
    expression = sp.expand_trig(expression.rewrite([sp.tan, sp.cot, sp.sec, sp.csc], sp.cos))
    angles = sorted({f.args[0] for f in expression.atoms(sp.sin, sp.cos)}, key=sp.default_sort_key)
    forward: dict[sp.Expr, sp.Expr] = {}
    functions: dict[sp.Symbol, sp.Expr] = {}
    relations: dict[sp.Symbol, sp.Expr] = {}
    for angle in angles:
        sine, cosine = sp.Dummy("sine"), sp.Dummy("cosine")
        forward |= {sp.sin(angle): sine, sp.cos(angle): cosine}
        functions |= {sine: sp.sin(angle), cosine: sp.cos(angle)}
        relations[cosine] = 1 - sine**2
    for function in expression.atoms(sp.Function) - set(forward):
        if function.has(sp.sin, sp.cos):
            forward[function] = symbol = sp.Dummy("function")
            functions[symbol] = function
    squares: dict[sp.Symbol, sp.Expr] = {}
    known: dict[sp.Expr, sp.Symbol] = {}  # equal squares have one root
    for power in sorted(expression.atoms(sp.Pow), key=sp.default_sort_key):
        if power.exp.is_Rational and power.exp.q == 2 and power.base.has(sp.sin, sp.cos):
            square = _reduced(power.base.xreplace(forward), relations)
            root = known.setdefault(square, sp.Dummy("root"))
            forward[power] = root ** (2 * power.exp)
            functions[root], squares[root] = sp.sqrt(square.xreplace(functions)), square
    return expression.xreplace(forward), functions, squares | relations


def _reduced(algebraic: sp.Expr, relations: Squares) -> sp.Expr:
    """Numerator and denominator without squares of the roots."""
    numerator, denominator = sp.fraction(sp.together(algebraic))
    for root, square in relations.items():
        numerator, denominator = (_without_squares(part, root, square) for part in (numerator, denominator))
    return sp.expand(numerator) / sp.expand(denominator)


def _without_squares(part: sp.Expr, root: sp.Symbol, square: sp.Expr) -> sp.Expr:
    """The remainder of a polynomial in `root` by root^2 - square."""
    if not part.has(root):
        return part
    return sp.expand(
        sum(c * root ** (n % 2) * square ** (n // 2) for (n,), c in sp.Poly(sp.expand(part), root).terms())
    )


def _decidable(remainder: sp.Expr) -> bool:
    """Only symbols, sines and cosines of symbols, integer powers and numbers of Q(pi)."""
    for node in sp.preorder_traversal(remainder):
        if isinstance(node, TrigonometricFunction):
            if not (isinstance(node, sp.sin | sp.cos) and node.args[0].is_Symbol):
                return False
        elif isinstance(node, sp.Pow):
            if not node.exp.is_Integer:
                return False
        elif isinstance(node, sp.Function | AppliedUndef | sp.Integral | sp.Derivative):
            return False
    return True
