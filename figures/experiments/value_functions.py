"""Value functions of control problems over the number of samples, with and without gradients.

Costates are the gradient of the value, and come with every solution of an optimal control problem. The error of the
value, of the feedback -R^-1 B^T grad V / 2 that it implies, and what that feedback costs in closed loop, over the
number of samples. See `control` for the problems.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

import sobolev_theory as st

from .. import style
from ..figure import Figure
from ..kept import Arrays, Keep
from ..measures.statistics import phrase, ratio_of_medians
from ..panels import band, letters
from ..problems import control
from ..problems.control import Problem, Values
from ..style import Look, Picture

LOSSES = {"L2": st.L2, "H1": st.H1}
SAMPLES: dict[str, tuple[int, ...]] = {"pendulum": (8, 16, 32, 64, 128, 256), "chain": (16, 32, 64, 128, 256, 512)}
QUANTITIES = ("value", "feedback", "excess")
RESOLUTION = 1e-5  # of the cost in closed loop, relative: Runge-Kutta's error with its steps of 0.05
TEST, STARTS = 1024, 16  # states at which errors are taken, and of them those that closed loops start from


class Task(NamedTuple):
    """A problem and the states that it is learnt at."""

    problem: Problem
    draw: Callable[[np.random.Generator, int], Values]  # so many independent samples
    duration: float  # of closed loops


def tasks() -> dict[str, Task]:
    """The pendulum, uniformly in its region; the chain of four masses, at states from N(0, I_8)."""
    region, chain = control.pendulum_values(), control.chain()
    flat = Values(*(array.reshape(-1, *array.shape[2:]) for array in region.values))

    def in_region(random: np.random.Generator, count: int) -> Values:
        chosen = random.choice(region.share.size, size=count, replace=False, p=region.share.ravel())
        return Values(*(array[chosen] for array in flat))

    def normal(random: np.random.Generator, count: int) -> Values:
        return control.quadratic_values(chain, random.normal(size=(count, chain.actuation.shape[0])))

    return {
        "pendulum": Task(control.pendulum(), in_region, 10.0),
        "chain": Task(chain, normal, 30.0),
    }


class Training(NamedTuple):
    """What is the same for all cells."""

    seeds: int
    steps: int
    width: int
    rate: float


def data(
    *,
    full: bool = False,
    seeds: int | None = None,
    steps: int | None = None,
    width: int = 32,
    rate: float = 3e-3,
    samples: dict[str, tuple[int, ...]] | None = None,
    keep: Keep = Keep(),
) -> Arrays:
    """Errors at the end of training, for every problem, loss and number of samples, over seeds of data and network.

    Each seed draws its own samples and start, the same for both losses. Networks are tanh, of two hidden layers;
    Adam takes all samples in each step, with a rate that falls to 0.

    Args:
        full: 20 seeds and 20,000 steps instead of 10 and 4,000.
        samples: numbers of training samples of each problem; default SAMPLES.

    Returns:
        <problem>_samples [N], <problem>_inputs, and <problem>_<loss>_<quantity> [N, S]: "value" and "feedback" are
        root mean square errors over those of a zero prediction, "excess" is the cost in closed loop over the optimal
        one, less 1.

    Raises:
        ValueError: seeds, steps, width or numbers of samples below 1.
    """
    training = Training(seeds or (20 if full else 10), steps or (20_000 if full else 4_000), width, rate)
    counts = SAMPLES if samples is None else samples
    _check(training, counts)
    every = tasks()
    found: Arrays = {}
    for name in counts:
        found[f"{name}_samples"] = np.array(counts[name])
        found[f"{name}_inputs"] = np.array(every[name].problem.actuation.shape[0])
    judges = {name: _judge(every[name]) for name in counts}
    parts: dict[str, list[np.ndarray]] = {}
    cells = [(name, count, loss) for name in counts for count in counts[name] for loss in LOSSES]
    for name, count, loss in keep.track(cells):
        compute = partial(_learnt, every[name], judges[name], loss, count, training)
        errors = keep.cell(f"{name}-{count}-{loss}", compute)
        for quantity in QUANTITIES:
            parts.setdefault(f"{name}_{loss}_{quantity}", []).append(errors[quantity])
    return found | {name: np.stack(over_samples) for name, over_samples in parts.items()}


def _check(training: Training, counts: dict[str, tuple[int, ...]]) -> None:
    least = {"seeds": training.seeds, "steps": training.steps, "width": training.width}
    for name, number in (least | {f"samples of {name}": min(counts[name]) for name in counts}).items():
        if number < 1:
            raise ValueError(f"{name}: got {number}; needs at least 1")


def _learnt(task: Task, judge: Callable, loss: str, count: int, training: Training) -> Arrays:
    """The errors that `judge` finds after training, one array [S] for each of QUANTITIES."""
    test = _test(task)
    unit = np.sqrt(np.mean(test.value**2))  # of values in the loss
    drawn = [task.draw(np.random.default_rng([1, seed]), count) for seed in range(training.seeds)]
    x, value, gradient = (jnp.asarray(np.stack(arrays), jnp.float32) for arrays in zip(*drawn, strict=True))
    keys = jax.random.split(jax.random.key(0), training.seeds)

    def start(key):
        return eqx.nn.MLP(x.shape[-1], "scalar", training.width, 2, jnp.tanh, dtype=jnp.float32, key=key)

    def objective(of, _):
        seed = of["seed"]
        return st.training.sobolev_loss(
            of["network"], x[seed], (value[seed] / unit, gradient[seed] / unit), LOSSES[loss]
        )

    falling = optax.cosine_decay_schedule(training.rate, training.steps)
    run = st.training.fit(
        {"network": eqx.filter_vmap(start)(keys), "seed": jnp.arange(training.seeds)},
        objective,
        keys=keys,
        stages=[st.training.Stage(optax.adam(falling), training.steps)],
        every=training.steps,
    )
    return {name: np.asarray(array) for name, array in judge(run.networks["network"]).items()}


def _test(task: Task) -> Values:
    return task.draw(np.random.default_rng(0), TEST)


def _judge(task: Task) -> Callable:
    """networks of S seeds, of values in their unit -> one array [S] for each of QUANTITIES."""
    test = _test(task)
    unit = np.sqrt(np.mean(test.value**2))
    states, slopes = jnp.asarray(test.state), jnp.asarray(test.gradient)
    controls = jax.vmap(partial(control.feedback, task.problem))

    @eqx.filter_jit
    @eqx.filter_vmap
    def judge(network):
        def slope(x):
            return unit * jax.grad(network)(x)

        def cost(x):
            return control.closed_loop_cost(
                task.problem, lambda x: control.feedback(task.problem, slope(x)), x, task.duration
            )

        costs = jax.vmap(cost)(states[:STARTS])
        return {
            "value": _relative(unit * jax.vmap(network)(states), test.value),
            "feedback": _relative(controls(jax.vmap(slope)(states)), controls(slopes)),
            "excess": jnp.sum(costs) / np.sum(test.value[:STARTS]) - 1,
        }

    return judge


def _relative(found, exact):
    return jnp.sqrt(jnp.mean((found - exact) ** 2) / jnp.mean(exact**2))


NAMES = {"value": "error of the value", "feedback": "error of the feedback", "excess": "excess cost in closed loop"}
TITLES = {"pendulum": "pendulum, $n = 2$", "chain": "four masses, linear, $n = 8$"}
LOOKS: dict[str, Look] = {
    "L2": {"color": style.COLOURS["L2"], "marker": "o", "linestyle": "-"},
    "H1": {"color": style.COLOURS["H1"], "marker": "s", "linestyle": "-"},
}
PER_NUMBER: Look = {"color": style.COLOURS["L2"], "linestyle": (0, (1, 1.2)), "linewidth": 1.1}


@style.paper()
def draw(data: Arrays) -> Picture:
    """A row for each problem, a column for each quantity: medians over seeds, quartiles shaded."""
    names = [name for name in TITLES if f"{name}_samples" in data]
    figure = style.new_figure(2.3 * len(names) + 0.4)
    grid = figure.subplots(len(names), len(QUANTITIES), squeeze=False, sharex="row")
    for row, name in zip(grid, names, strict=True):
        for axes, quantity in zip(row, QUANTITIES, strict=True):
            _draw_panel(axes, data, name, quantity)
            axes.set(title=TITLES[name], ylabel=f"{NAMES[quantity]}, relative")
            axes.set_xlabel("training samples $N$")
    letters(grid.flat)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, columnspacing=1.6)
    return figure


def _draw_panel(axes: Axes, data: Arrays, name: str, quantity: str) -> None:
    samples = data[f"{name}_samples"]
    for loss, look in LOOKS.items():
        errors = _positive(data, name, loss, quantity)
        band(axes, samples, errors.T, label=f"{style.LOSS_NAMES[loss]}, $N$ samples", **look)
    as_many = samples / (1 + data[f"{name}_inputs"])
    shown = as_many >= samples[0]
    of_l2 = np.median(_positive(data, name, "L2", quantity), axis=1)
    label = "$L^2$, $N (n + 1)$ samples: as many numbers as $H^1$ has"
    axes.loglog(as_many[shown], of_l2[shown], label=label, **PER_NUMBER)
    axes.set_xticks(samples, [str(count) for count in samples])
    axes.xaxis.set_minor_locator(NullLocator())


def _positive(data: Arrays, name: str, loss: str, quantity: str) -> np.ndarray:
    """[N, S], where what is at most the integrator's error counts as that, and what is no number as infinite."""
    errors = data[f"{name}_{loss}_{quantity}"]
    return np.where(np.isfinite(errors), np.maximum(errors, RESOLUTION), np.inf)


def finding(data: Arrays) -> list[str]:
    """At the middle number of samples every quantity; the feedback at all numbers, and at as many numbers given."""
    lines = []
    for name in (name for name in TITLES if f"{name}_samples" in data):
        samples = data[f"{name}_samples"]
        middle = (len(samples) - 1) // 2
        for quantity in QUANTITIES:
            l2, h1 = (_positive(data, name, loss, quantity) for loss in LOSSES)
            what = f"{name}, {samples[middle]} samples: {NAMES[quantity]} of L2 over that of H1"
            lines.append(phrase(what, ratio_of_medians(l2[middle], h1[middle])))
        l2, h1 = (_positive(data, name, loss, "feedback") for loss in LOSSES)
        factors = [ratio_of_medians(*pair).value for pair in zip(l2, h1, strict=True)]
        lines.append(
            f"{name}, {' '.join(map(str, samples))} samples: the factors for the feedback are "
            f"{' '.join(f'{factor:.3g}' for factor in factors)}"
        )
        lines += _at_equal_numbers(name, samples, int(data[f"{name}_inputs"]), l2, h1)
    return lines


def _at_equal_numbers(name: str, samples: np.ndarray, inputs: int, l2: np.ndarray, h1: np.ndarray) -> list[str]:
    """H1 at the most samples at which L2 has been given as many numbers; errors of L2 interpolated between powers."""
    fit = np.flatnonzero(samples * (inputs + 1) <= samples[-1])
    if not len(fit):
        return []
    wanted = samples[fit[-1]] * (inputs + 1)
    at_wanted = np.exp([np.interp(np.log(wanted), np.log(samples), np.log(of_seed)) for of_seed in l2.T])
    few = samples[fit[-1]]
    what = f"{name}: error of the feedback of L2 with {wanted} samples over that of H1 with {few}, as many numbers,"
    return [phrase(what, ratio_of_medians(at_wanted, h1[fit[-1]]))]


FIGURE = Figure(
    data,
    draw,
    minutes=1.5,
    options=("full",),
    statement=(
        "Beyond arXiv 2509.19773, on its list of future work: control, where costates give the gradient of the "
        "value. If Sobolev training generalises better there too, it learns value and feedback from fewer "
        "samples."
    ),
    finding=finding,
)
