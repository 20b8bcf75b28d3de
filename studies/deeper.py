"""Whether the smoothed step helps networks of three layers on data: `python -m studies.deeper`.

A smooth function on [-1, 1]^d with its slopes at n points is fitted by H1: full batches, Adam, a rate falling to 0.
Networks of two hidden layers: ReLU by autodiff, ReLU with a smoothed step in the derivative, softplus, SiLU. Errors
are of values and slopes at other points; a network with a smoothed step is tested as the ReLU network that it is.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.stats

import sobolev_theory as st
from sobolev_theory.runs import command_lines
from sobolev_theory.training import smoothed_relu, sobolev_loss

from . import tables

TABLE = Path(__file__).parent / "deeper.csv"
WIDTH = 0.05
ACTIVATIONS: dict[str, Callable] = {
    "ReLU, autodiff": jax.nn.relu,
    "ReLU, smoothed step": partial(smoothed_relu, width=WIDTH),
    "softplus": jax.nn.softplus,
    "SiLU": jax.nn.silu,
}
RATES = (0.003, 0.01, 0.03)
HIDDEN = 32
TEST_POINTS = 1000
COLUMNS = ("inputs", "points", "steps", "activation", "rate", "seed", "values", "slopes")


def target(x):
    """Waves and a bump, of order 1 with slopes of order 1."""
    turned = jnp.roll(x, 1)
    return jnp.sin(3 * x[0] + turned[0]) + jnp.exp(-2 * jnp.sum(x**2)) + jnp.mean(x * turned)


def network(parameters, x, activation):
    *hidden, (last, offset) = parameters
    for weights, biases in hidden:
        x = activation(weights @ x + biases)
    return (last @ x + offset)[0]


def start(key, inputs: int):
    sizes = (inputs, HIDDEN, HIDDEN, 1)
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (n, m)) * jnp.sqrt(2 / m), jnp.zeros(n))
        for k, m, n in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def errors(name: str, inputs: int, points: int, steps: int, seeds: int) -> np.ndarray:
    """[rates, seeds, 2]: of values and slopes, root mean squares over those of the target."""
    return np.asarray(jax.jit(runs(name, inputs, points, steps))(jax.random.split(jax.random.key(inputs), seeds)))


def runs(name: str, inputs: int, points: int, steps: int) -> Callable:
    """All rates from every key [seeds], in one program."""
    activation = ACTIVATIONS[name]
    of_test = jax.nn.relu if name.startswith("ReLU") else activation
    rule = optax.scale_by_adam()

    def of_run(key, rate):
        for_start, for_points, for_test = jax.random.split(key, 3)
        x = jax.random.uniform(for_points, (points, inputs), minval=-1.0)
        wanted = st.training.derivatives(target, x, 1)

        def loss(parameters):
            return sobolev_loss(partial(network, parameters, activation=activation), x, wanted, st.H1)

        def step(state, number):
            parameters, memory = state
            direction, memory = rule.update(jax.grad(loss)(parameters), memory)
            falling = rate * (1 - number / steps)
            return (jax.tree.map(lambda p, g: p - falling * g, parameters, direction), memory), None

        first = start(for_start, inputs)
        (parameters, _), _ = jax.lax.scan(step, (first, rule.init(first)), jnp.arange(steps))
        x = jax.random.uniform(for_test, (TEST_POINTS, inputs), minval=-1.0)
        found = st.training.derivatives(partial(network, parameters, activation=of_test), x, 1)
        exact = st.training.derivatives(target, x, 1)
        return jnp.stack([jnp.sqrt(jnp.sum((f - e) ** 2) / jnp.sum(e**2)) for f, e in zip(found, exact, strict=True)])

    return lambda keys: jax.vmap(jax.vmap(of_run, (0, None)), (None, 0))(keys, jnp.array(RATES))


def read(path: Path = TABLE) -> list[dict[str, str]]:
    """The rows of a file; none if there is none."""
    return list(tables.read(path, COLUMNS, lambda line: line if None not in line.values() else None))


def write(rows: Sequence[dict[str, str]], path: Path = TABLE) -> None:
    tables.write(path, COLUMNS, [list(row.values()) for row in rows])


def summary(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Per size: of each activation at its best rate the median errors, and how many seeds do better than autodiff."""
    yield f"{'d':>2} {'n':>4}  {'activation':<20}{'rate':>6}{'values':>9}{'slopes':>9}   better slopes than autodiff"
    for inputs, points in sorted({(int(row["inputs"]), int(row["points"])) for row in rows}):
        of_size = [row for row in rows if (row["inputs"], row["points"]) == (str(inputs), str(points))]
        best = {name: _best(of_size, name) for name in ACTIVATIONS if any(r["activation"] == name for r in of_size)}
        autodiff = best.get("ReLU, autodiff", (0.0, np.empty((0, 2))))[1][:, 1]
        for name, (rate, found) in best.items():
            better = int(np.sum(found[:, 1] < autodiff)) if len(autodiff) == len(found) else 0
            p = scipy.stats.binomtest(better, len(found)).pvalue
            words = "" if name == "ReLU, autodiff" else f"{better}/{len(found)}, p = {p:.2g}"
            values, slopes = np.median(found, axis=0)
            yield f"{inputs:>2} {points:>4}  {name:<20}{rate:>6g}{values:>9.4f}{slopes:>9.4f}   {words}".rstrip()


def _best(rows: Sequence[dict[str, str]], name: str) -> tuple[float, np.ndarray]:
    """The rate of least median error of slopes, and the errors [seeds, 2] there."""
    rates = sorted({float(row["rate"]) for row in rows if row["activation"] == name})
    found = {
        rate: np.array(
            [
                [float(row["values"]), float(row["slopes"])]
                for row in rows
                if row["activation"] == name and float(row["rate"]) == rate
            ]
        )
        for rate in rates
    }
    rate = min(found, key=lambda rate: np.median(found[rate][:, 1]))
    return rate, found[rate]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m studies.deeper",
        description="Fit a smooth function and its slopes by networks of three layers, and compare ReLU by autodiff, "
        "with a smoothed step, softplus and SiLU. Another run adds what the table lacks.",
    )
    parser.add_argument("--inputs", type=int, nargs="+", default=[2, 6], metavar="d", help="2 6")
    parser.add_argument("--points", type=int, default=128, metavar="N", help="to fit (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=1000, metavar="N", help="of Adam (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=8, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--table", type=Path, default=TABLE, metavar="FILE", help="(default: %(default)s)")
    parser.add_argument("--show", action="store_true", help="print what the table says, and exit")
    request = parser.parse_args(arguments)
    if min(*request.inputs, request.points, request.steps, request.seeds) < 1:
        parser.error("--inputs, --points, --steps, --seeds: got a number below 1; needs whole numbers >= 1")
    try:
        rows = read(request.table)
        if not request.show:
            write(rows, request.table)
    except (OSError, ValueError) as error:
        parser.error(f"--table: {error}")
    if request.show:
        print("\n".join(summary(rows)))
        return 0
    for inputs in request.inputs:
        for name in ACTIVATIONS:
            cell = {"inputs": str(inputs), "points": str(request.points), "steps": str(request.steps)}
            cell["activation"] = name
            if any(cell.items() <= row.items() for row in rows):
                continue
            found = errors(name, inputs, request.points, request.steps, request.seeds)
            rows += [
                cell
                | {"rate": f"{rate:g}", "seed": str(seed), "values": f"{pair[0]:.5g}", "slopes": f"{pair[1]:.5g}"}
                for rate, of_rate in zip(RATES, found, strict=True)
                for seed, pair in enumerate(of_rate)
            ]
            write(rows, request.table)
    print(f"studies.deeper: {request.table} has {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m studies.deeper"))
