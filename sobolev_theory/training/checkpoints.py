"""What a training run keeps on disk: one file, replaced as a whole, that is either right or refused by name.

The file is a line of identification, the SHA-256 of what follows, and an npz archive of arrays with the fingerprint
of the problem that they belong to. Any change of its bytes is seen before they are read.
"""

import hashlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np

MAGIC = b"sobolev_theory training checkpoint 1\n"
FINGERPRINT = "fingerprint"


def write(path: Path, fingerprint: str, arrays: dict[str, np.ndarray]) -> None:
    """The file at `path` is the old one or the new one at every moment, whenever the process is stopped."""
    payload = io.BytesIO()
    np.savez(payload, **{FINGERPRINT: np.array(fingerprint)}, **arrays)  # type: ignore[arg-type]
    content = payload.getvalue()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path, fingerprint: str) -> dict[str, np.ndarray] | None:
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
    if not content.startswith(MAGIC):
        raise ValueError(f"checkpoint: got {path}, which is no checkpoint; needs one that fit wrote, or no file")
    content = content[len(MAGIC) :]
    digest, payload = content[:32], content[32:]
    if hashlib.sha256(payload).digest() != digest:
        raise ValueError(f"checkpoint: got {path}, which is truncated or corrupted; needs it whole, or no file")
    with np.load(io.BytesIO(payload), allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    if str(arrays.pop(FINGERPRINT)) != fingerprint:
        raise ValueError(
            f"checkpoint: got {path}, which belongs to another problem (other networks, objective, measures, keys, "
            "stages or versions of JAX); needs one of this problem, or no file"
        )
    return arrays
