"""Eigenvalues and condition numbers of L2 and H1 over the angle, for one neuron.

What sampling sees (the Jacobian of the population gradient, which for H1 is not symmetric and not normal) and what
the expected loss has (its Hessian) are drawn apart. Mathematics: `sobolev_theory.single_neuron`.
"""

from collections.abc import Callable
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sobolev_theory import single_neuron
from sobolev_theory.dynamics.spectra import Definition

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.conditioning import where_positive
from ..panels import letters
from ..style import Look, Picture

MATRICES: dict[str, tuple[Callable, Callable]] = {  # in closed form, and their eigenvalues
    "L2": (single_neuron.l2_jacobian, single_neuron.l2_eigenvalues),
    "H1 population": (single_neuron.h1_population_jacobian, single_neuron.h1_population_eigenvalues),
    "H1 loss": (single_neuron.h1_loss_hessian, single_neuron.h1_loss_hessian_eigenvalues),
}
DEFINITIONS = get_args(Definition)  # of `st.condition_number`, here of a thousand small matrices at once
DIRECTIONS = ("radial", "in_plane", "orthogonal")


def data(
    rho: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0),
    angles: int = 720,
    keep: Keep = Keep(),
) -> Arrays:
    """Eigenvalues and condition numbers at evenly spaced angles inside (0, pi), in d = 3.

    In more dimensions nothing is added but copies of the third eigenvalue.

    Returns arrays: rho [R], theta [T]; for the matrices L2 Jacobian (also its Hessian), H1 population Jacobian and
    H1 loss Hessian in this order, matrix [3, R, T, d, d], eigenvalue [3, R, T, 3] along v = w/|w|, in the plane of
    w and w*, and orthogonal to it; condition [3, 3, R, T], those of `st.condition_number` by definition, of which the
    ratio of eigenvalues is NaN where one of them is not positive.

    Raises:
        ValueError: no positive rho, or fewer than two angles.
    """
    if not rho or not all(np.isfinite(r) and r > 0 for r in rho):
        raise ValueError(f"rho: got {rho}; needs finite ratios |w*| / |w| > 0")
    if angles < 2:
        raise ValueError(f"angles: got {angles}; needs at least 2")
    theta = (np.arange(angles) + 0.5) * np.pi / angles
    grid = {"rho": np.array(rho), "theta": theta}
    sweeps = [keep.sweep(name.replace(" ", "-"), partial(at, name), grid) for name in keep.track(list(MATRICES))]
    shape = len(MATRICES), len(rho), angles
    matrices, values = (
        np.stack([swept[name] for swept in sweeps]).reshape(*shape, *sweeps[0][name].shape[1:])
        for name in ("matrix", "eigenvalue")
    )
    ratio = where_positive(values.max(-1) / values.min(-1), values)
    symmetric = (matrices + np.swapaxes(matrices, -1, -2)) / 2
    return {
        "rho": np.array(rho),
        "theta": theta,
        "matrix": matrices,
        "eigenvalue": values,
        "condition": np.stack([ratio, np.linalg.cond(matrices), np.linalg.cond(symmetric)]),
    }


def at(name: str, rho, theta) -> dict[str, jax.Array]:
    """One of MATRICES at one configuration, in d = 3, and its eigenvalues in the order of DIRECTIONS."""
    closed, eigenvalues = MATRICES[name]
    w, w_star = jnp.array([1.0, 0.0, 0.0]), rho * jnp.stack([jnp.cos(theta), jnp.sin(theta), jnp.zeros_like(theta)])
    return {"matrix": closed(w, w_star), "eigenvalue": jnp.stack(eigenvalues(rho, theta))}


# The two semantics of L2 coincide: one curve, wide enough to be seen under another that covers it.
CURVES: dict[str, Look] = style.LOOKS | {"L2": style.LOOKS["L2"] | {"linewidth": 2.2}}
TITLES = {
    "L2": "$L^2$",
    "H1 population": "$H^1$, population Jacobian",
    "H1 loss": "$H^1$, loss Hessian",
    "eigenvalue_ratio": r"$\lambda_{\max} / \lambda_{\min}$ of $A$",
    "two_norm": r"$\Vert A \Vert_2 \, \Vert A^{-1} \Vert_2$",
    "symmetric_part": r"$\lambda_{\max} / \lambda_{\min}$ of $(A + A^{\mathrm{T}}) / 2$",
}
DIRECTION_LABELS = {"radial": "along $w$", "in_plane": "in the plane", "orthogonal": "orthogonal"}
INDEFINITE = {  # the darker shade upon the lighter; L2 and the H1 loss lose positivity at the same angle
    "L2": (r"$L^2$ and $H^1$ loss have some $\lambda \leq 0$", style.SHADES[0]),
    "H1 population": (r"so has $H^1$ population", style.SHADES[1]),
}
HATCHED: Look = {"edgecolor": "white", "hatch": "////", "linewidth": 0}
BETTER = {
    "$H^1$ population better than $L^2$": "#fbe2d3",
    "worse": "#7f9fbe",
}


@style.paper()
def draw(data: Arrays) -> Picture:
    """Rows: eigenvalues at rho = 1; condition numbers there, by definition; the eigenvalue ratio at other rho."""
    figure = style.new_figure(height=6.6)
    rows = figure.subplots(3, 3, sharex=True, sharey="row", height_ratios=(1.15, 1, 1))
    theta, rho = data["theta"], data["rho"]
    one = int(np.argmin(np.abs(rho - 1)))
    at_one = rf", $\rho = {rho[one]:g}$"
    for axes, name, values in zip(rows[0], MATRICES, data["eigenvalue"][:, one], strict=True):
        _draw_eigenvalues(axes, theta, values, name)
        axes.set_title(TITLES[name] + at_one)
    rows[0, 2].annotate(r"$\sim \rho \, / \, 2 \pi \theta$", (0.38, 1.38), fontsize=8.5)
    for axes, definition, values in zip(rows[1], DEFINITIONS, data["condition"][:, :, one], strict=True):
        _draw_comparison(axes, theta, values)
        axes.set_title(TITLES[definition] + at_one)
    for axes, r in zip(rows[2], [r for r in range(len(rho)) if r != one], strict=False):
        _draw_ratio(axes, theta, data["condition"][0, :, r])
        axes.set_title(TITLES["eigenvalue_ratio"] + rf", $\rho = {rho[r]:g}$")
    _finish(figure, rows)
    return figure


def _draw_eigenvalues(axes: Axes, theta: np.ndarray, values: np.ndarray, name: str) -> None:
    for direction, curve in zip(DIRECTIONS, values.T, strict=True):
        axes.plot(theta, curve, label=direction, **CURVES[name])
        label = axes.text(np.pi / 2, curve[len(theta) // 2], DIRECTION_LABELS[direction], ha="center", va="center")
        label.set(fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    axes.set_ylim(0, 1.5)
    axes.set_yticks([0, 0.5, 1, 1.5])


def _draw_comparison(axes: Axes, theta: np.ndarray, condition: np.ndarray) -> None:
    _draw_condition(axes, theta, condition)
    l2, h1, _ = condition
    for (label, shade), where in zip(BETTER.items(), (h1 <= l2, h1 >= l2), strict=True):
        axes.fill_between(theta, l2, h1, where=where, color=shade, linewidth=0, label=label)
    axes.set_ylim(0.9, 3.3)


def _draw_ratio(axes: Axes, theta: np.ndarray, condition: np.ndarray) -> None:
    _draw_condition(axes, theta, condition)
    for name, (label, shade) in INDEFINITE.items():
        undefined = np.isnan(condition[list(MATRICES).index(name)])
        look: Look = {"facecolor": shade, "label": label, "transform": axes.get_xaxis_transform(), "zorder": 0}
        axes.fill_between(theta, 0, 1, where=undefined, **look, **HATCHED)
    axes.set_yscale("log")
    axes.set_ylim(0.9, 30)
    axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.set_yticks([], minor=True)


def _draw_condition(axes: Axes, theta: np.ndarray, condition: np.ndarray) -> None:
    for values, (name, look) in zip(condition, CURVES.items(), strict=True):
        axes.plot(theta, values, label=style.MATRIX_LABELS[name], **look)


def _finish(figure: Picture, rows: np.ndarray) -> None:
    letters(rows.flat)
    for axes in rows.flat:
        axes.set_xlim(0, np.pi)
        axes.set_xticks([0, np.pi / 2, np.pi], ["$0$", r"$\pi/2$", r"$\pi$"])
    for axes in rows[-1]:
        axes.set_xlabel(r"angle $\theta$ of $w$ and $w^{\!*}$")
    for axes, label in zip(
        rows[:, 0], (r"eigenvalue $\lambda$", "condition number", "condition number"), strict=True
    ):
        axes.set_ylabel(label)
    curves = [Line2D([], [], label=style.MATRIX_LABELS[name], **look) for name, look in CURVES.items()]
    figure.legend(handles=curves, loc="outside upper center", ncols=3)
    shades = [Patch(color=shade, label=label) for label, shade in BETTER.items()]
    shades += [Patch(facecolor=shade, label=label, **HATCHED) for label, shade in INDEFINITE.values()]
    figure.legend(handles=shades, loc="outside lower center", ncols=4)


FIGURE = Figure(data, draw, minutes=0.1)
