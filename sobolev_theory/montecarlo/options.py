"""The keywords of the Monte-Carlo estimators, which `montecarlo` explains, checked."""

from os import PathLike
from typing import Literal, TypedDict

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from ..model.arguments import check_choice, finite, plain_mesh
from ..model.losses import SobolevLoss
from ..runs.atomic_files import file_of
from .stream_checkpoints import Checkpoint

MethodName = Literal["auto", "independent", "antithetic", "sobol"]
Sampling = Literal["ambient", "span"]


class Options(TypedDict, total=False):
    """Keywords of every estimator."""

    samples: int
    standard_error: float | None
    batch: int
    group: int
    method: MethodName
    control: SobolevLoss | None
    sampling: Sampling
    covariance: bool
    mesh: Mesh | None
    checkpoint: str | PathLike | None
    checkpoint_every: float
    progress: bool | None
    exact_error: bool


def checked_key(key) -> jax.Array:
    needs = "needs one JAX PRNG key, such as jax.random.key(0)"
    if not isinstance(key, jax.Array | np.ndarray):
        raise TypeError(f"key: got {key!r}; {needs}")
    if isinstance(key, jax.core.Tracer):
        raise TypeError(f"key: got a traced one; {needs}: Monte Carlo runs outside jit, vmap and grad")
    if not jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        try:
            key = jax.random.wrap_key_data(jnp.asarray(key))
        except (TypeError, ValueError) as error:
            raise TypeError(f"key: got an array of {key.dtype} of shape {key.shape}; {needs}") from error
    if key.shape:
        raise ValueError(f"key: got {key.size} keys of shape {key.shape}; {needs}")
    return key


def sampling_of(options: Options) -> Sampling:
    unknown = sorted(set(options) - Options.__optional_keys__)
    if unknown:
        raise TypeError(f"{unknown[0]}: got an unknown option; needs one of {', '.join(Options.__annotations__)}")
    if options.get("exact_error", False) is not False:
        raise TypeError(f"exact_error: got {options['exact_error']!r}; needs False, but for population_gradient")
    sampling = options.get("sampling", "ambient")
    check_choice("sampling", sampling, Sampling)
    return sampling


def mesh_of(options: Options) -> Mesh | None:
    mesh = plain_mesh(options.get("mesh"))
    if mesh is not None and jax.process_index() not in {device.process_index for device in mesh.devices.flat}:
        raise ValueError(f"mesh: got no device of process {jax.process_index()}; needs one of each that calls")
    return mesh


def checkpoint_of(options: Options) -> Checkpoint | None:
    every = finite("checkpoint_every", options.get("checkpoint_every", 10.0), least=0, words="of seconds")
    path = options.get("checkpoint")
    return None if path is None else Checkpoint(file_of("checkpoint", path), every)
