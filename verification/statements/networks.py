"""Networks: sums over pairs of neurons, and what rotations, permutations and the input's covariance do to them.

v_1 ... v_m are all neurons, the student's w_1 ... w_K first, c_j their output weights, the teacher's with a minus.
"""

import sympy as sp

from .notation import Number, half, pi
from .statement import Statement, equal, states

i, j, k, n = sp.symbols("i j k n", integer=True)
m, K = sp.symbols("m K", integer=True, positive=True)
c, v, a, w = sp.IndexedBase("c"), sp.IndexedBase("v"), sp.IndexedBase("a"), sp.IndexedBase("w")


class OfNeurons(Number):
    """A number, vector or matrix that two neurons determine; its formula is the statement on one pair."""


def _of_neurons(name: str, spelled: str) -> type[OfNeurons]:
    return type(name, (OfNeurons,), {"spelled": spelled})


kappa_0 = _of_neurons("kappa_0", r"\kappa_0({}, {})")
kappa_1 = _of_neurons("kappa_1", r"\kappa_1({}, {})")
d_kappa_0 = _of_neurons("d_kappa_0", r"\partial_w\kappa_0({}, {})")
d_kappa_1 = _of_neurons("d_kappa_1", r"\partial_w\kappa_1|_{{\text{{a.e.}}}}({}, {})")
d_boundary = _of_neurons("d_boundary", r"\partial_w\kappa_1|_{{w \cdot x = 0}}({}, {})")
dd_kappa_0 = _of_neurons("dd_kappa_0", r"\partial_w^2\kappa_0({}, {})")
dd_kappa_1 = _of_neurons("dd_kappa_1", r"\partial_w(\partial_w\kappa_1|_{{\text{{a.e.}}}})({}, {})")
dd_boundary = _of_neurons("dd_boundary", r"\partial_w(\partial_w\kappa_1|_{{w \cdot x = 0}})({}, {})")
mixed_0 = _of_neurons("mixed_0", r"\partial_v\partial_w\kappa_0({}, {})")
mixed_1 = _of_neurons("mixed_1", r"\partial_v(\partial_w\kappa_1|_{{\text{{a.e.}}}})({}, {})")
mixed_boundary = _of_neurons("mixed_boundary", r"\partial_v(\partial_w\kappa_1|_{{w \cdot x = 0}})({}, {})")
angle = _of_neurons("angle", r"\theta({}, {})")
inner = _of_neurons("inner", r"\left({} \cdot {}\right)")
turned = _of_neurons("turned", r"\nabla_w P(\theta({}, {}))")
Length = type("Length", (Number,), {"spelled": "|{}|"})
Unit = type("Unit", (Number,), {"spelled": r"\tfrac{{{0}}}{{|{0}|}}"})
Eye = sp.Symbol("I")


def over(index: sp.Symbol, term: sp.Expr) -> sp.Sum:
    """Over all neurons."""
    return sp.Sum(term, (index, 1, m))


def other(term: sp.Expr) -> sp.Expr:
    """Where j is not k."""
    return (1 - sp.KroneckerDelta(j, k)) * term


def loss_of(*kernels: type[OfNeurons]) -> sp.Expr:
    return half * sp.Sum(c[i] * c[j] * sum(kernel(v[i], v[j]) for kernel in kernels), (i, 1, m), (j, 1, m))


def pull_of(*kernels: type[OfNeurons]) -> sp.Expr:
    """a_k sum_j c_j of what derivatives of kernels are at w_k and v_j."""
    return a[k] * over(j, c[j] * sum(kernel(w[k], v[j]) for kernel in kernels))


def outputs_of(*kernels: type[OfNeurons]) -> sp.Expr:
    return over(j, c[j] * sum(kernel(w[k], v[j]) for kernel in kernels))


def _quantity(name: str) -> sp.Symbol:
    return sp.Symbol(name)


G_Lk, G_Hk, grad_Hk = map(_quantity, ("G_{L,k}", "G_{H,k}", r"\nabla_{w_k}H"))
dL_da, dH_da = _quantity(r"\tfrac{\partial L}{\partial a_k}"), _quantity(r"\tfrac{\partial H}{\partial a_k}")
L, H = sp.symbols("L H")
_outputs_l2, _outputs_h1 = equal(dL_da, outputs_of(kappa_0)), equal(dH_da, outputs_of(kappa_0, kappa_1))
_both_active = (pi - angle(w[k], v[j])) / (2 * pi)
_h1_rows = a[k] * over(
    j,
    c[j] * (2 * _both_active * v[j] + Length(v[j]) * sp.sin(angle(w[k], v[j])) / (2 * pi) * Unit(w[k])),
)
_boundary = a[k] * over(j, other(c[j] * d_boundary(w[k], v[j])))

L2_LOSS = states(equal(L, loss_of(kappa_0)))
H1_LOSS = states(equal(H, loss_of(kappa_0, kappa_1)))
L2_GRADIENT = states(equal(G_Lk, pull_of(d_kappa_0)), _outputs_l2)
H1_POPULATION_GRADIENT = states(equal(G_Hk, _h1_rows), _outputs_h1)
H1_ROWS = states(equal(G_Hk, _h1_rows))
H1_BOUNDARY = states(equal(grad_Hk - G_Hk, a[k] * over(j, other(c[j] * inner(w[k], v[j]) * turned(w[k], v[j])))))
H1_LOSS_GRADIENT = states(equal(grad_Hk, pull_of(d_kappa_0, d_kappa_1) + _boundary), _outputs_h1)


def jacobian_of(
    name: str, itself: sp.Expr, own: tuple[type[OfNeurons], ...], mixed: tuple[type[OfNeurons], ...]
) -> Statement:
    """Blocks: on the diagonal half the identity and what the other neurons bend, off it what two students share."""
    same = sp.KroneckerDelta(k, n)
    diagonal = itself * a[k] ** 2 * Eye + a[k] * over(j, other(c[j] * sum(f(w[k], v[j]) for f in own)))
    across = a[k] * a[n] * sum(f(w[k], w[n]) for f in mixed)
    return states(equal(_quantity(name), same * diagonal + (1 - same) * across))


L2_JACOBIAN = jacobian_of(r"\partial G_{L,k}/\partial w_n", half, (dd_kappa_0,), (mixed_0,))
H1_POPULATION_JACOBIAN = jacobian_of(
    r"\partial G_{H,k}/\partial w_n", sp.Integer(1), (dd_kappa_0, dd_kappa_1), (mixed_0, mixed_1)
)
H1_LOSS_HESSIAN = jacobian_of(
    r"\nabla_{w_n}\nabla_{w_k}H",
    sp.Integer(1),
    (dd_kappa_0, dd_kappa_1, dd_boundary),
    (mixed_0, mixed_1, mixed_boundary),
)

# Functions of whole networks: W, a and the teacher's.

_W, _W_star, _Q = (sp.MatrixSymbol(name, 2, 2) for name in ("W", "W^{*}", "Q"))
_P, _P_star = sp.MatrixSymbol("P", 2, 2), sp.MatrixSymbol("P^{*}", 2, 2)


class OfNetworks(Number):
    """What is a function of student and teacher; moved, of what is made of their weights."""


class LossAt(OfNetworks):
    spelled = "H({}, {})"


class PopulationGradientAt(OfNetworks):
    spelled = "G_H({}, {})"


class LossGradientAt(OfNetworks):
    spelled = r"\nabla H({}, {})"


class Turned(Number):
    """A gradient, its rows turned by Q, or reordered by P."""

    def _latex(self, printer, exp=None) -> str:
        quantity, by = self.args
        text, move = printer.doprint(quantity), printer.doprint(by)
        return rf"{text}\,{move}" if by == _Q else rf"{move}\,{text}"


ROTATED, REORDERED = (_W * _Q, _W_star * _Q), (_P * _W, _P_star * _W_star)


def rotated(quantity: type[OfNetworks]) -> Statement:
    here = quantity(_W, _W_star)
    right = here if quantity is LossAt else Turned(here, _Q)
    return states(equal(quantity(*ROTATED), right), remark="for every orthogonal Q")


def reordered(quantity: type[OfNetworks]) -> Statement:
    here = quantity(_W, _W_star)
    right = here if quantity is LossAt else Turned(here, _P)
    return states(equal(quantity(*REORDERED), right), remark="for all orders of the neurons")


class Along(Number):
    """The derivative along t of a gradient at W + s t."""

    def _latex(self, printer, exp=None) -> str:
        return rf"\left.\tfrac{{d}}{{ds}}{printer.doprint(self.args[0])}\right|_{{s = 0}}"


_s, _t = sp.Symbol("s"), sp.MatrixSymbol("t", 2, 2)
_moved = _W + _s * _t


def product(name: str, quantity: type[OfNetworks]) -> Statement:
    return states(equal(sp.Symbol(name), Along(quantity(_moved, _W_star))))


JACOBIAN_PRODUCT = product(r"{DG_H[t]}", PopulationGradientAt)
HESSIAN_PRODUCT = product(r"{\nabla^2H[t]}", LossGradientAt)

# Critical points: the student's neurons pull each other as the teacher's pull them.

a_star, w_star = sp.IndexedBase("a^{*}"), sp.IndexedBase("w^{*}")
K_star = sp.Symbol("K^{*}", integer=True, positive=True)


def _pulls(outputs: sp.IndexedBase, rows: sp.IndexedBase, count: sp.Symbol, kernels: tuple) -> sp.Expr:
    return sp.Sum(outputs[j] * sum(kernel(w[k], rows[j]) for kernel in kernels), (j, 1, count))


def critical(loss: str) -> Statement:
    slopes, kernels = {
        "L": ((d_kappa_0,), (kappa_0,)),
        "H": ((d_kappa_0, d_kappa_1), (kappa_0, kappa_1)),
    }[loss]
    return states(
        equal(a[k] * _pulls(a, w, K, slopes), a[k] * _pulls(a_star, w_star, K_star, slopes)),
        equal(_pulls(a, w, K, kernels), _pulls(a_star, w_star, K_star, kernels)),
        remark=f"so the population gradient of {loss} vanishes",
    )


# Inputs of covariance Sigma = A A^T.


class Whitened(Number):
    """A^T w: what meets standard normal numbers."""

    spelled = r"A^\top {}"


class Coloured(Number):
    """A g: the gradient in w of what depends on A^T w."""

    def _latex(self, printer, exp=None) -> str:
        return rf"A\,{printer.in_brackets(self.args[0])}"


Metric = type("Metric", (Number,), {"spelled": r"\Sigma\,{}"})
_wk, _vj = Whitened(w[k]), Whitened(v[j])
_probability = (pi - angle(_wk, _vj)) / (2 * pi)


def inputs(metric: str, kind: str) -> Statement:
    """In the Mahalanobis metric slopes are those in whitened coordinates."""
    euclidean = metric == "euclidean"
    slope = v[j] if euclidean else Metric(v[j])
    product_of_slopes = inner(w[k], v[j]) if euclidean else inner(_wk, _vj)
    rows = c[j] * (Coloured(d_kappa_0(_wk, _vj)) + _probability * slope)
    if kind == "loss":
        rows += other(c[j] * product_of_slopes * Coloured(turned(_wk, _vj)))
    outputs = c[j] * (kappa_0(_wk, _vj) + product_of_slopes * _probability)
    name = G_Hk if kind == "population" else grad_Hk
    return states(equal(name, a[k] * over(j, rows)), equal(dH_da, over(j, outputs)))


_gap = sp.Abs(sp.Symbol(r"H_{\text{Euclidean}}") - sp.Symbol(r"H_{\text{Mahalanobis}}"))
METRIC_DOES_NOT_MATTER = states(equal(_gap, sp.Integer(0)))
