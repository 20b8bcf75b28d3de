"""The keywords of the Monte-Carlo estimators, which `montecarlo` explains: checked, and made a plan of."""

import operator
from os import PathLike
from typing import Literal, TypedDict

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from ..model.losses import SobolevLoss
from ..runs.atomic_files import file_of
from ..runs.progress import on_a_terminal
from .normal_points import INDEPENDENT, Antithetic, Points, is_even, sobol
from .stream import FEWEST_GROUPS, Plan
from .stream_checkpoints import Checkpoint

GROUP = 2**8
NET = 2**12  # by default at most, and so small that
NET_GROUPS = 128  # are left


class Options(TypedDict, total=False):
    """Keywords of every estimator."""

    samples: int
    standard_error: float | None
    batch: int
    group: int
    method: Literal["auto", "independent", "antithetic", "sobol"]
    control: SobolevLoss | None
    sampling: Literal["ambient", "span"]
    covariance: bool
    mesh: Mesh | None
    checkpoint: str | PathLike | None
    checkpoint_every: float
    progress: bool | None


def checked_key(key) -> jax.Array:
    needs = "needs one JAX PRNG key, such as jax.random.key(0)"
    if not isinstance(key, jax.Array | np.ndarray):
        raise TypeError(f"key: got {key!r}; {needs}")
    if not jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        try:
            key = jax.random.wrap_key_data(jnp.asarray(key))
        except (TypeError, ValueError) as error:
            raise TypeError(f"key: got an array of {key.dtype} of shape {key.shape}; {needs}") from error
    if key.shape:
        raise ValueError(f"key: got {key.size} keys of shape {key.shape}; {needs}")
    return key


def sampling_of(options: Options) -> str:
    unknown = sorted(set(options) - Options.__optional_keys__)
    if unknown:
        raise TypeError(f"{unknown[0]}: got an unknown option; needs one of {', '.join(Options.__annotations__)}")
    sampling = options.get("sampling", "ambient")
    if sampling not in ("ambient", "span"):
        raise ValueError(f"sampling: got {sampling!r}; needs 'ambient' or 'span'")
    return sampling


def mesh_of(options: Options) -> Mesh | None:
    mesh = options.get("mesh")
    if mesh is None:
        return None
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh: got {mesh!r}; needs a jax.sharding.Mesh, or None")
    if jax.process_index() not in {device.process_index for device in mesh.devices.flat}:
        raise ValueError(f"mesh: got no device of process {jax.process_index()}; needs one of each that calls")
    return Mesh(mesh.devices, mesh.axis_names)


def checkpoint_of(options: Options) -> Checkpoint | None:
    every = options.get("checkpoint_every", 10.0)
    if isinstance(every, bool) or not hasattr(every, "__float__"):
        raise TypeError(f"checkpoint_every: got {every!r}; needs a number of seconds >= 0")
    if not 0 <= float(every) < np.inf:
        raise ValueError(f"checkpoint_every: got {every}; needs a finite number of seconds >= 0")
    path = options.get("checkpoint")
    return None if path is None else Checkpoint(file_of("checkpoint", path), float(every))


def plan_of(options: Options, dimension: int) -> tuple[Plan, Points]:
    samples = whole("samples", options.get("samples", 2**20), 2)
    batch = whole("batch", options.get("batch", 2**14), 1)
    covariance = _flag("covariance", options.get("covariance", False))
    group, points = _group(options, samples, batch, dimension)
    groups = -(-min(batch, samples) // group)
    batches = -(-samples // (group * groups))
    progress = options.get("progress")
    progress = on_a_terminal() if progress is None else _flag("progress", progress, " or None")
    return Plan(group, groups, batches, _target(options.get("standard_error")), covariance, progress), points


def _group(options: Options, samples: int, batch: int, dimension: int) -> tuple[int, Points]:
    """How many points a group has, and how they are drawn."""
    given, method = options.get("group"), options.get("method", "auto")
    if method not in ("auto", "independent", "antithetic", "sobol"):
        raise ValueError(f"method: got {method!r}; needs 'auto', 'independent', 'antithetic' or 'sobol'")
    group = whole("group", GROUP if given is None else given, 1)
    if given is not None and group > batch:
        raise ValueError(f"group: got {group}; needs at most batch = {batch}")
    net = group if given is not None else GROUP if options.get("covariance") else min(NET, samples // NET_GROUPS)
    group, net = (max(1, min(size, batch, samples // FEWEST_GROUPS)) for size in (group, net))
    if method == "sobol" and given is not None and given & (given - 1):
        raise ValueError(f"group: got {given}; needs a power of two for method='sobol'")
    if given is None or not given & (given - 1):
        net = 2 ** (net.bit_length() - 1)
    if method == "sobol" or (method == "auto" and is_even(net, dimension)):
        return net, sobol(net, dimension)
    return group, Antithetic() if method == "antithetic" else INDEPENDENT


def whole(name: str, value, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: got {value!r}; needs a whole number >= {least}")
    value = operator.index(value)
    if value < least:
        raise ValueError(f"{name}: got {value}; needs a whole number >= {least}")
    return value


def _target(value) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"standard_error: got {value!r}; needs a number > 0 or None")
    if not 0 < float(value) < np.inf:
        raise ValueError(f"standard_error: got {value}; needs a finite number > 0 or None")
    return float(value)


def _flag(name: str, value, alternative: str = "") -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}; needs True, False{alternative}")
    return value
