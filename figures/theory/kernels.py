"""Kernels of every family of activations; conditioning of RePU(p) by the order of the Sobolev loss.

Upper row: D_m(theta) = E[sigma^(m)(u) sigma^(m)(u')] of unit neurons, relative to theta = 0, by `st.dual`. Lower row:
the ratio of the extreme eigenvalues of the population Jacobian of H^s, s = 0 ... p, for one RePU(p) neuron and its
teacher of the same norm. For s < p it is the Hessian of the loss too.
"""

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np

import sobolev_theory as st
from sobolev_theory.dynamics.spectra import condition_of

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.conditioning import where_positive
from ..style import Picture

FAMILIES: dict[str, st.Activation] = {
    "ReLU": st.ReLU(),
    "RePU(2)": st.RePU(2),
    "RePU(4)": st.RePU(4),
    "leaky ReLU, slope 0.2": st.LeakyReLU(0.2),
    "$|t|$": st.AbsoluteValue(),
    "$t + t^3/3$": st.Polynomial((0.0, 1.0, 0.0, 1 / 3)),
    r"$\sin 2t$": st.Sine(2.0),
    r"$\cos 2t$": st.Cosine(2.0),
    "erf": st.Erf(),
    "Gaussian": st.Gaussian(),
    "GELU": st.GELU(),
}
ORDERS = (0, 1, 2)
POWERS = (1, 2, 3, 4)


def data(angles: int = 90, keep: Keep = Keep()) -> Arrays:
    """Kernels at angles from 0 to pi, and condition numbers at evenly spaced angles inside (0, pi), in d = 3.

    Returns arrays: theta [T + 1]; kernel [F, 3, T + 1], families in the order of FAMILIES, NaN for an order that one
    does not have; angle [T]; condition [4, 5, T] by power and order s, NaN where some eigenvalue is not positive, or
    for s > p.

    Raises:
        ValueError: fewer than two angles.
    """
    if angles < 2:
        raise ValueError(f"angles: got {angles}; needs at least 2")
    theta, inner = np.linspace(0, np.pi, angles + 1), (np.arange(angles) + 0.5) * np.pi / angles
    jobs = list(keep.track([*FAMILIES.values(), *POWERS]))
    kernel = [_kernels(job, theta) for job in jobs if isinstance(job, st.Activation)]
    condition = [_conditions(job, inner) for job in jobs if isinstance(job, int)]
    return {"theta": theta, "kernel": np.stack(kernel), "angle": inner, "condition": np.stack(condition)}


def _kernels(activation: st.Activation, theta: np.ndarray) -> np.ndarray:
    highest = activation.highest_order
    rows = np.full((len(ORDERS), len(theta)), np.nan)
    for m in ORDERS:
        if highest is None or m <= highest:
            values = np.asarray(jax.jit(lambda t, m=m: st.dual(activation, m, 1.0, 1.0, angle=t))(theta))
            rows[m] = values / values[0]
    return rows


def _conditions(power: int, theta: np.ndarray) -> np.ndarray:
    found = np.full((max(POWERS) + 1, len(theta)), np.nan)
    activation = st.RePU(power)
    student = st.Network([1.0, 0.0, 0.0], activation=activation)

    def matrix(weights, t):
        teacher = st.Network(jnp.array([jnp.cos(t), jnp.sin(t), 0.0]), activation=activation)
        return st.population_jacobian(student, teacher, st.SobolevLoss(weights))[0, :, 0, :]

    of_orders = jax.jit(jax.vmap(matrix, (None, 0)))  # one program for all orders
    for s in range(power + 1):
        matrices = of_orders((np.arange(power + 1) <= s).astype(float), theta)
        found[s] = where_positive(np.asarray(_CONDITIONS(matrices)), np.linalg.eigvals(np.asarray(matrices)))
    return found


_CONDITIONS = jax.jit(jax.vmap(condition_of))  # one program for all activations and orders


@style.paper()
def draw(data: Arrays) -> Picture:
    """Kernels by order above, condition numbers by power below."""
    figure = style.new_figure(5.4)
    parts = figure.subfigures(2, 1, height_ratios=[1.25, 1.0], squeeze=False)[:, 0]
    _draw_kernels(parts[0], data)
    _draw_conditions(parts[1], data)
    return figure


def _draw_kernels(figure, data: Arrays) -> None:
    panels = figure.subplots(1, len(ORDERS), sharex=True, sharey=True)
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(FAMILIES)))
    dashes = ("-", (0, (4.5, 1.6)), (0, (1.2, 1.2)))
    for m, axes in enumerate(panels):
        axes.axhline(0.0, color=style.REFERENCE, linewidth=0.5)
        for k, name in enumerate(FAMILIES):
            axes.plot(data["theta"], data["kernel"][k, m], color=colours[k], linestyle=dashes[k % 3], label=name)
        axes.set_title(f"order $m = {m}$")
        _angle_axis(axes)
    panels[0].set_ylabel(r"$D_m(\theta) / D_m(0)$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)


def _draw_conditions(figure, data: Arrays) -> None:
    panels = figure.subplots(1, len(POWERS), sharex=True, sharey=True)
    colours = [style.COLOURS["L2"], style.COLOURS["H1"], style.COLOURS["H2"], "#8a3ffc", "#555555"]
    dashes = ("-", (0, (4.5, 1.8)), (0, (2.5, 1.2)), (0, (1, 1)), (0, (6, 1.2, 1.2, 1.2)))
    for row, (power, axes) in enumerate(zip(POWERS, panels, strict=True)):
        for s in range(power + 1):
            label = "$L^2$" if s == 0 else f"$H^{s}$"
            axes.semilogy(
                data["angle"], data["condition"][row, s], color=colours[s], linestyle=dashes[s], label=label
            )
        axes.set_title(f"RePU({power})")
        _angle_axis(axes)
        axes.set_ylim(1.0, 50.0)
    panels[0].set_ylabel(r"$\lambda_{\max} / \lambda_{\min}$")
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def _angle_axis(axes) -> None:
    axes.set_xlim(0, np.pi)
    axes.set_xticks([0, np.pi / 2, np.pi], ["0", r"$\pi/2$", r"$\pi$"])
    axes.set_xlabel(r"angle $\theta$")


FIGURE = Figure(data, draw, minutes=1.0)
