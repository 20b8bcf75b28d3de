"""Settings of every test run: 64 bit, one compilation cache for all workers, reproducible properties."""

import os
from pathlib import Path

import hypothesis
import jax

jax.config.update("jax_enable_x64", True)

# Compiling costs most of the time of a run: keep what took long, for the other workers and for the next run.
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).resolve().parents[1] / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)

hypothesis.settings.register_profile(
    "tests",
    deadline=None,  # the first example of a property includes a compilation
    max_examples=20,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")
