"""Settings of every test run: 64 bit, a quick compiler, one cache for all workers, reproducible properties."""

import gc
import itertools
import os
from pathlib import Path

# XLA has two ways to write code for a CPU, optimises it, and divides it among threads, all of which changes rounding.
# By the way that is not its default, without its optimiser and in one piece, it compiles in a quarter of the time.
# `make test` repeats the tests of accuracy as XLA does by default. Set before JAX looks.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1",
)

import hypothesis
import jax
import pytest

from tests.helpers.compiling import Compiling

jax.config.update("jax_enable_x64", True)

# Compiling costs most of the time of a run: keep what took long, for the other workers and for the next run.
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).resolve().parents[1] / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
jax.config.update("jax_traceback_in_locations_limit", 0)  # where each operation comes from is written into programs

hypothesis.settings.register_profile(
    "tests",
    deadline=None,  # the first example of a property includes a compilation
    max_examples=20,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")


# A compiled program keeps tens to hundreds of memory maps, of which Linux grants a process 65530: beyond it the
# compiler crashes. Programs needed again are read from the cache. Counting takes 30 ms: not after every test.
MAPS = Path("/proc/self/maps")
MANY_MAPS = 40_000
EVERY = 8
_finished = itertools.count(1)


@pytest.fixture(autouse=True)
def _few_memory_maps():
    yield
    if next(_finished) % EVERY == 0 and MAPS.exists() and MAPS.read_bytes().count(b"\n") > MANY_MAPS:
        jax.clear_caches()
        gc.collect()


def pytest_configure(config):
    config.pluginmanager.register(Compiling(), "compiling")
