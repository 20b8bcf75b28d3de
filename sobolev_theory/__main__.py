"""`python -m sobolev_theory`: what is installed here, for a first look and for a report of a fault."""

import platform
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import jax

from .runs import command_lines

# The packages of each extra, by the names under which they are imported.
EXTRAS = {
    "symbolic": ("sympy",),
    "verification": ("sympy", "flint", "latex2mathml"),
    "flows": ("diffrax",),
    "descent": ("optax",),
    "sweeps": ("pyarrow",),
    "figures": ("matplotlib", "diffrax", "pyarrow"),
    "experiments": ("matplotlib", "diffrax", "pyarrow", "optax", "sklearn", "PIL"),
    "pictures": ("skimage",),
    "docs": ("mkdocs", "material", "mkdocstrings"),
}
HERE = Path(__file__).resolve().parent


def main() -> int:
    for name, value in facts().items():
        print(f"{name:<15}{value}")
    return 0


def facts() -> dict[str, str]:
    """Version, devices, precision, extras, and where the documentation is."""
    there = {extra: all(find_spec(package) for package in packages) for extra, packages in EXTRAS.items()}
    absent = [extra for extra, found in there.items() if not found]
    cure = f'; for {", ".join(absent)}: pip install "sobolev-theory[{",".join(absent)}]"' if absent else ""
    devices = [f"{device.device_kind} ({device.platform})" for device in jax.devices()]
    sixty_four = jax.config.read("jax_enable_x64")
    return {
        "sobolev_theory": f"{version('sobolev-theory')} in {HERE}",
        "runs on": f"Python {platform.python_version()}, JAX {version('jax')}, {platform.system()}",
        "devices": ", ".join(f"{devices.count(kind)} x {kind}" for kind in dict.fromkeys(devices)),
        "precision": "64 bit" if sixty_four else '32 bit; 64 by jax.config.update("jax_enable_x64", True)',
        "extras": (", ".join(extra for extra, found in there.items() if found) or "none") + cure,
        "documentation": documentation(),
    }


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def documentation() -> str:
    """The pages of the checkout, built or not; a wheel has none."""
    for page in ("output/docs/index.html", "docs/index.md"):
        if (HERE.parent / page).exists():
            return (HERE.parent / page).as_uri()
    return "docs/ of the source, which `make docs` builds; help(sobolev_theory) has every function"


if __name__ == "__main__":
    sys.exit(command_lines.run(main, "python -m sobolev_theory"))
