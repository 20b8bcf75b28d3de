# Two commands on a fresh machine: `make verify` and `make test`. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ACCURACY := tests/population/test_accuracy.py tests/population/test_transformations.py tests/population/relu \
    tests/kernels/test_orthant_probability.py

.PHONY: setup verify test lint types docs gallery notebooks figures benchmarks wheel lock clean

# XLA compiles in half the time by the code generator that is not its default; see tests/conftest.py.
QUICK := XLA_FLAGS=--xla_cpu_use_fusion_emitters=false

verify: setup
	mkdir -p output
	$(QUICK) $(BIN)/python -m verification --output output/verification.json --html output/verification.html

# All tests by the code generator of XLA that compiles fast; those of accuracy by its default too.
test: setup
	$(BIN)/python -m pytest -n auto --dist loadgroup
	XLA_FLAGS= $(BIN)/python -m pytest -n auto --dist loadgroup $(ACCURACY)

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# The small pictures of the documentation, from kept data where it is current.
gallery: setup
	$(BIN)/python -m figures.gallery

# The outputs that the notebooks are kept with.
notebooks: setup
	$(BIN)/python -m examples

figures: setup
	$(BIN)/python -m figures

benchmarks: setup
	$(BIN)/python -m benchmarks

wheel: setup
	$(BIN)/python -m hatchling build

# Maintainers only: renew the locked requirements (needs uv); one version for every supported Python.
lock:
	uv pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .jax_cache .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
