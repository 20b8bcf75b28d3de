"""One call that several processes of jax.distributed make together: the first of them reads and writes files.

What it finds is broadcast, and so is its error: no process is left waiting in a collective for one that has stopped.
"""

from collections.abc import Callable

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh


def joined(mesh: Mesh | None, name: str) -> bool:
    """Whether the mesh joins several processes, which then share the file that the argument `name` asks for.

    Raises:
        ValueError: a mesh of several processes, but not of all: the broadcasts of JAX are among all.
    """
    if mesh is None:
        return False
    members = {device.process_index for device in mesh.devices.flat}
    if 1 < len(members) < jax.process_count():
        raise ValueError(
            f"mesh: got devices of {len(members)} of {jax.process_count()} processes; "
            f"needs those of one or of all where {name} is given"
        )
    return len(members) > 1


def from_the_first(mesh: Mesh | None, fingerprint: str, name: str, find: Callable[[], bytes]) -> bytes:
    """find() of the process that reads and writes, in all processes of the mesh.

    Args:
        fingerprint: of the call, in hexadecimal digits.
        name: the argument that asks for the file, for messages.

    Raises:
        ValueError: processes whose fingerprints differ.
        OSError, ValueError: those of find(), in the process that raised them; ValueError in the others.
    """
    if not joined(mesh, name):
        return find()
    _agree(fingerprint, name)
    found, error = b"", None
    if jax.process_index() == 0:
        try:
            found = find()
        except (OSError, ValueError) as caught:
            found, error = str(caught).encode(errors="backslashreplace"), caught
    size, failed = multihost_utils.broadcast_one_to_all(np.array([len(found), error is not None], np.int32))
    mine = np.frombuffer(found.ljust(int(size)), np.uint8)
    found = np.asarray(multihost_utils.broadcast_one_to_all(mine)).tobytes()
    if error is not None:
        raise error
    if failed:
        raise ValueError(found.decode())
    return found


def writes(mesh: Mesh | None, name: str) -> bool:
    """Whether this process does."""
    return not joined(mesh, name) or jax.process_index() == 0


def _agree(fingerprint: str, name: str) -> None:
    mine = np.frombuffer(bytes.fromhex(fingerprint), np.uint8)
    every = np.asarray(multihost_utils.process_allgather(mine))
    others = np.flatnonzero(np.any(every != every[0], axis=1))
    if others.size:
        raise ValueError(
            f"{name}: got another problem in process {others[0]} than in process 0; "
            "needs the same call, of the same arguments, in all processes"
        )
