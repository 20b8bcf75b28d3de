"""One neuron with a trained output weight and with a fixed one: paths along the balance, and how fast they arrive.

Flows of `st.gradient_flows` from one angle and four pairs of norm and output weight. Both gradients keep a^2 - |w|^2,
so that their paths are the same hyperbolas; a fixed output weight leaves a line. Where a |w| = 1 the network may be
the teacher's. At the teacher distances fall at rates a^2/2 or (a^2 + |w|^2)/2 for L2, twice that for H1.
"""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

import sobolev_theory as st

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..panels import letters
from ..style import Picture

TEACHER = st.Network([[1.0, 0.0]])
ANGLE = 1.2
STARTS = ((0.3, 1.5), (0.5, 0.5), (1.6, 0.4), (1.8, 1.2))  # norm and output weight
SHOWN = 1  # the start whose distance is drawn over time: a balanced one
LOSSES = {"L2": st.L2, "H1": st.H1}
TRAINED: dict[str, tuple[Literal["weights", "output_weights"], ...]] = {
    "trained": ("weights", "output_weights"),
    "fixed": ("weights",),
}


def data(samples: int = 120, keep: Keep = Keep()) -> Arrays:
    """Arrays time [T], and <loss>_<trained or fixed>_norm, _output and _distance, |a w - w*|, [starts, T].

    At `samples` times until 30, and some until 300. The gradient of H1 is that of the population.
    """
    norm, output = np.array(STARTS).T
    starts = norm[:, None, None] * np.array([np.cos(ANGLE), np.sin(ANGLE)])
    time = np.append(np.linspace(0.0, 30.0, samples), np.geomspace(32.0, 300.0, 24))
    found: Arrays = {"time": time}
    for name, trained in keep.track([(name, trained) for name in LOSSES for trained in TRAINED]):
        flows = st.gradient_flows(
            starts,
            TEACHER,
            LOSSES[name],
            of="population",
            train=TRAINED[trained],
            t1=time[-1],
            saveat=[*time],
            rtol=1e-8,
            output_weights=output[:, None],
        )
        w, a = np.asarray(flows.weights)[:, :, 0], np.asarray(flows.output_weights)[:, :, 0]
        found[f"{name}_{trained}_norm"], found[f"{name}_{trained}_output"] = np.linalg.norm(w, axis=2), a
        found[f"{name}_{trained}_distance"] = np.linalg.norm(a[:, :, None] * w - np.array([1.0, 0.0]), axis=2)
    return found


@style.paper()
def draw(data: Arrays) -> Picture:
    """Left the paths in norm and output weight, right the distance over time."""
    figure = style.new_figure(height=2.9)
    axes = figure.subplots(1, 2)
    _paths(axes[0], data)
    for name in LOSSES:
        for trained, line in (("trained", "-"), ("fixed", (0, (4, 2)))):
            label = f"{style.LOSS_NAMES[name]}, output weight {trained}"
            distance = data[f"{name}_{trained}_distance"][SHOWN]
            axes[1].semilogy(data["time"], distance, color=style.COLOURS[name], linestyle=line, label=label)
    axes[1].set(xlabel="time $t$", ylabel="$|a w - w^*|$", title="distance from the teacher", ylim=(1e-6, 4))
    axes[1].set_xlim(0, 30)
    letters(axes)
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, columnspacing=1.6)
    return figure


def _paths(axes: Axes, data: Arrays) -> None:
    norm = np.linspace(0.25, 3, 200)
    axes.plot(norm, 1 / norm, color=style.REFERENCE, linewidth=0.9, linestyle=(0, (1, 1.2)))
    axes.text(2.05, 0.53, "$a\\,|w| = 1$", color=style.REFERENCE)
    for name, width in (("L2", 2.4), ("H1", 1.0)):
        for trained, line in (("trained", "-"), ("fixed", (0, (4, 2)))):
            paths = zip(data[f"{name}_{trained}_norm"], data[f"{name}_{trained}_output"], strict=True)
            for r, a in paths:
                axes.plot(r, a, color=style.COLOURS[name], linewidth=width, linestyle=line)
    axes.plot(*np.array(STARTS).T, "o", color="black", markersize=3.5)
    axes.set(xlabel="norm $|w|$", ylabel="output weight $a$", title=r"paths; $a^2 - |w|^2$ stays if $a$ trains")
    axes.set(xlim=(0, 2.75), ylim=(0, 1.8))


FIGURE = Figure(data, draw, minutes=0.5)
