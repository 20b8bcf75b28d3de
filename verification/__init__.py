"""The paper's statements as data, each attacked by several independent methods: python -m verification."""

from importlib.util import find_spec

PACKAGES = {"flint": "python-flint", "latex2mathml": "latex2mathml", "scipy": "SciPy", "sympy": "SymPy"}
MISSING = [package for module, package in PACKAGES.items() if find_spec(module) is None]
if MISSING:
    raise ImportError(f'verification needs {", ".join(MISSING)}: pip install "sobolev-theory[verification]"')
