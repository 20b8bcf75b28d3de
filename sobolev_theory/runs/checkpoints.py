"""What a long computation keeps on disk: one file, replaced as a whole, that is either right or refused by name.

The file is a line of identification, the SHA-256 of what follows, and an npz archive of arrays with the fingerprint
of the problem that they belong to. Any change of its bytes is seen before they are read.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from .atomic_files import replacing

FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class Kind:
    """Of whose checkpoints: what their first line says, who writes them, and what makes the problem another one."""

    name: str
    writer: str
    differences: str

    @property
    def magic(self) -> bytes:
        return f"sobolev_theory {self.name} checkpoint 1\n".encode()


def write(path: Path, kind: Kind, fingerprint: str, arrays: dict[str, np.ndarray]) -> None:
    """The file at `path` is the old one or the new one at every moment, whenever the process is stopped.

    Raises:
        OSError: the folder or the disk does not take it; the old one stays.
    """
    payload = io.BytesIO()
    np.savez(payload, **{FINGERPRINT: np.array(fingerprint)}, **arrays)  # type: ignore[arg-type]
    content = payload.getvalue()
    content = kind.magic + hashlib.sha256(content).digest() + content
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno,
            f"checkpoint: got {path}, whose new state vanished before it was in place; "
            "needs a folder that stays, and a file that no other run writes",
        ) from error
    except OSError as error:
        raise OSError(
            error.errno,
            f"checkpoint: got {path}, which cannot be written ({error.strerror or error}); needs a folder to write "
            f"in and {len(content)} free bytes; the last state that was written is as it was",
        ) from error


def read(path: Path, kind: Kind, fingerprint: str) -> dict[str, np.ndarray] | None:
    """The arrays kept at `path`, or None where there is no such file.

    Raises:
        ValueError: a file that is no checkpoint, is truncated or corrupted, or belongs to another problem.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"checkpoint: got {path}; needs a file that can be read ({error.strerror})") from error
    magic = kind.magic
    if not content.startswith(magic):
        raise ValueError(
            f"checkpoint: got {path}, which is no checkpoint of {kind.writer}; "
            f"needs one that {kind.writer} wrote, or no file"
        )
    content = content[len(magic) :]
    digest, payload = content[:32], content[32:]
    if hashlib.sha256(payload).digest() != digest:
        raise ValueError(f"checkpoint: got {path}, which is truncated or corrupted; needs it whole, or no file")
    with np.load(io.BytesIO(payload), allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    if str(arrays.pop(FINGERPRINT)) != fingerprint:
        raise ValueError(
            f"checkpoint: got {path}, which belongs to another problem (other {kind.differences} or versions of "
            "JAX); needs one of this problem, or no file"
        )
    return arrays


def add_arrays(digest: "hashlib._Hash", tree) -> None:
    """Shapes, dtypes and bytes of all arrays of a tree, keys among them, to a fingerprint."""
    for leaf in jax.tree.leaves(tree):
        is_key = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        array = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
