"""Print ratios of times, measured side by side in one process, beside their goals."""

import argparse
import sys
from collections.abc import Callable
from functools import partial

import jax
from rich.console import Console
from rich.table import Table

from sobolev_theory.runs import command_lines

from . import (
    dimension,
    first_call,
    flows,
    gradient,
    kernels,
    montecarlo,
    order_parameters,
    scaling,
    training,
    variance,
)

BENCHMARKS: dict[str, Callable[[], dict]] = {
    "gradient-64": partial(gradient.against_its_products, 64, 1024, None, goal=2.0),
    "gradient-512": partial(gradient.against_its_products, 512, 4096, None, goal=1.5),
    "gradient-64-near": partial(gradient.against_its_products, 64, 1024, 1e-3, goal=2.0),
    "gradient-512-near": partial(gradient.against_its_products, 512, 4096, 1e-3, goal=1.5),
    **{f"gradient-in-1e{n}": partial(dimension.gradient_in, 10**n) for n in (3, 4, 5, 6)},
    "product": dimension.product_against_gradient,
    "spectrum": dimension.spectrum_against_dense,
    "spectrum-in-d": dimension.spectrum_over_dimension,
    "flow": flows.flow_against_autodiff_and_sgd,
    "overlaps-velocity": order_parameters.right_hand_side,
    "overlaps-to-1e-6": order_parameters.against_sgd,
    "starts": flows.many_starts_against_a_loop,
    **{
        f"kernel-{n}".replace(", ", "-").replace(" ", "-").lower(): partial(kernels.family_against_relu, n)
        for n in kernels.FAMILIES
    },
    "biases": kernels.biases_against_relu,
    "memory": kernels.memory_over_pairs,
    "sampling": gradient.against_sampling,
    "stream": montecarlo.stream_against_its_parts,
    "stream-float32": partial(montecarlo.stream_against_its_parts, dtype="float32"),
    "stream-small": partial(montecarlo.stream_against_its_parts, 8, 64, 2**16),
    "stream-small-float32": partial(montecarlo.stream_against_its_parts, 8, 64, 2**16, dtype="float32"),
    **{
        f"stream-{impl}-{dtype}": partial(montecarlo.stream_against_its_parts, dtype=dtype, impl=impl)
        for impl in ("rbg", "unsafe_rbg")
        for dtype in ("float32", "float64")
    },
    "stream-memory": montecarlo.memory_over_samples,
    "variance-loss": partial(variance.of_methods, "population_loss", 8, 8, 16, 0.1),
    "variance-gradient": partial(variance.of_methods, "population_gradient", 8, 8, 64),
    "variance-boundary": partial(variance.of_methods, "boundary_term", 2, 1, 4),
    "variance-jacobian": partial(variance.of_methods, "population_jacobian", 2, 1, 4),
    **{f"variance-hyperplanes-{step}": partial(variance.of_hyperplanes, step) for step in (0.1, 0.01, 0.001)},
    "processes": scaling.processes,
    "compile": gradient.compile_times,
    **first_call.BENCHMARKS,
    "training": training.step_against_l2,
    **{f"nested-{order}": partial(training.nested_against_ours, order) for order in ("H1", "H2", "H3")},
    **{
        f"taylor-{order}-in-{inputs}": partial(training.forward_against_taylor, order, inputs)
        for inputs, order in ((1, 3), (1, 4), (2, 1), (2, 2), (3, 2))
    },
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run, or how names begin; default all")
    parser.add_argument("--list", action="store_true", help="list the names and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(BENCHMARKS))
        return 0
    groups = {n: [n] if n in BENCHMARKS else [b for b in BENCHMARKS if b.startswith(f"{n}-")] for n in options.names}
    unknown = [name for name, group in groups.items() if not group]
    if unknown:
        command_lines.complain(f"NAME: got {', '.join(unknown)}; needs one of {', '.join(BENCHMARKS)}")
        return 2
    jax.config.update("jax_enable_x64", True)
    names = [name for group in groups.values() for name in group] or list(BENCHMARKS)
    table = Table("ratio", "quartiles", "goal", "ms", "what", title=f"float64 on {jax.devices()[0].device_kind}")
    for name in names:
        result = BENCHMARKS[name]()
        table.add_row(*_row(result))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    print(f"{len(names)} benchmarks run")
    return 0


def _row(result: dict) -> list[str]:
    if "values" in result:
        values = result["values"].items()
        listed = ", ".join(f"{name} {x if isinstance(x, str) else format(x, '.3g')}" for name, x in values)
        return ["", "", "", "", f"{result['what']}: {listed}"]
    return [
        f"{result['median']:.3g}",
        f"{result['lower']:.3g} .. {result['upper']:.3g}",
        result["goal"],
        f"{1e3 * result['first']:.3g} / {1e3 * result['second']:.3g}",
        result["what"],
    ]


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m benchmarks"))
