"""One run for an accelerator: numbers against the CPU's, ratios to products and random numbers, sizes, steps.

    python -m benchmarks.device [--minutes 6] [--small] [--output FILE.json]

Parts are run in turn and begin only while time is left; what was not run is named. Without an accelerator everything
runs on the CPU, and the comparison is of the CPU with itself. `--small` is for trying the script.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import sobolev_theory as st

from . import gradient, montecarlo, training
from .timing import seconds_of, side_by_side

Rows = Iterator[dict]


@dataclass(frozen=True)
class Size:
    """How large the parts are: K = K* and d of a network, samples of a stream, and seconds for each ratio."""

    network: tuple[int, int] = (64, 1024)
    wide: tuple[int, int] = (512, 4096)
    many: tuple[int, int] = (4096, 4096)
    high: tuple[int, int] = (8, 10**6)
    samples: int = 2**15
    seconds: float = 4.0


SMALL = Size((4, 8), (6, 12), (16, 8), (2, 1000), 2**9, 0.1)
FUNCTIONS = {
    "population_loss": st.population_loss,
    "population_gradient": st.population_gradient,
    "loss_gradient": st.loss_gradient,
    "boundary_term": st.boundary_term,
}


def numbers_against_the_cpu(size: Size) -> Rows:
    """The largest deviation from the CPU's values, in units of eps times their largest."""
    for dtype in ("float32", "float64"):
        for name, scales in {"random": (1.0, 1.0), "norms 1e-30 and 1e30": (1e-30, 1e30)}.items():
            rows = np.random.default_rng(0).normal(size=(2, *size.network))
            scale = scales[0] if dtype == "float64" or name == "random" else 1e-15, scales[1] ** (dtype == "float64")
            for label, function in FUNCTIONS.items():
                found, expected = (_on(device, function, rows, scale, dtype) for device in (_accelerator(), _cpu()))
                unit = np.finfo(dtype).eps * np.max(np.abs(expected))
                deviation = float(np.max(np.abs(found - expected)) / unit)
                yield {"what": f"{label}, {dtype}, {name}", "eps from the CPU": deviation}


def _on(device: jax.Device, function: Callable, rows, scale: tuple[float, float], dtype: str) -> np.ndarray:
    with jax.default_device(device):
        student, teacher = (st.Network(jnp.asarray(s * w, dtype)) for s, w in zip(scale, rows, strict=True))
        found = jax.jit(function)(student, teacher)
    return np.concatenate([np.ravel(np.asarray(x, np.float64)) for x in jax.tree.leaves(found)])


def _accelerator() -> jax.Device:
    return jax.devices()[0]


def _cpu() -> jax.Device:
    return jax.devices("cpu")[0]


def gradients_over_products(size: Size) -> Rows:
    for neurons, dimension in (size.network, size.wide):
        for displacement in (None, 1e-3):
            yield gradient.against_its_products(neurons, dimension, displacement, goal=2.0)


def streams_over_their_parts(size: Size) -> Rows:
    for dtype in ("float32", "float64"):
        for impl in ("threefry2x32", "rbg"):
            yield montecarlo.stream_against_its_parts(
                *size.network, size.samples, min(2**10, size.samples // 8), dtype, impl, size.seconds
            )


def extreme_sizes(size: Size) -> Rows:
    """Seconds of a gradient of many neurons, and of everything in a high dimension, beside the products'."""
    for neurons, dimension in (size.many, size.high):
        keys = jax.random.split(jax.random.key(0))
        student, teacher = (st.Network(jax.random.normal(key, (neurons, dimension)) / dimension**0.5) for key in keys)
        stacked = jnp.concatenate([student.weights, teacher.weights])
        products = jax.jit(lambda rows, stacked: (rows @ stacked.T) @ stacked)
        exact = jax.jit(lambda student, teacher: st.loss_gradient(student, teacher).weights)
        ratio = side_by_side(
            partial(exact, student, teacher), partial(products, student.weights, stacked), size.seconds
        )
        where = f"K = K* = {neurons}, d = {dimension}"
        yield {"what": f"gradient of the H1 loss / two matrix products, {where}", **ratio._asdict(), "goal": "<= 2"}
    values = jax.jit(lambda student, teacher: st.spectrum(student, teacher, st.H1).values)
    seconds_of(partial(values, student, teacher))
    yield {"what": f"spectrum, {where}", "seconds": seconds_of(partial(values, student, teacher))}


def training_steps(size: Size) -> Rows:
    for loss in ("H1", "H2"):
        yield training.step_against_l2(loss, 1000 if size is not SMALL else 16)


PARTS: dict[str, Callable[[Size], Rows]] = {
    "numbers": numbers_against_the_cpu,
    "gradients": gradients_over_products,
    "streams": streams_over_their_parts,
    "sizes": extreme_sizes,
    "training": training_steps,
}


def rows_until(end: float, size: Size) -> Rows:
    """Rows of all parts; a part that is begun too late, or fails, is a row that says so."""
    for name, part in PARTS.items():
        try:
            if time.monotonic() > end:
                yield {"part": name, "what": "not run: no time left"}
                continue
            for row in part(size):
                yield {"part": name, **row}
                if time.monotonic() > end:
                    yield {"part": name, "what": "cut short: no time left"}
                    break
        except Exception as error:
            yield {"part": name, "what": f"failed: {type(error).__name__}: {error}"[:300]}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6.0, help="parts begin only before so many; default 6")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try the script")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="write the rows there too")
    options = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    rows = []
    print(f"{jax.devices()[0].device_kind}, JAX {jax.__version__}")
    for row in rows_until(time.monotonic() + 60 * options.minutes, SMALL if options.small else Size()):
        rows.append({"device": jax.devices()[0].device_kind, "jax": jax.__version__, **row})
        print(json.dumps(row), flush=True)
        if options.output:
            options.output.write_text(json.dumps(rows, indent=1) + "\n")
    failed = sum(row["what"].startswith(("failed", "not run", "cut short")) for row in rows)
    print(f"{len(rows) - failed} rows measured, {failed} parts failed or cut short")
    return 0 if not failed else 1


if __name__ == "__main__":
    sys.exit(main())
