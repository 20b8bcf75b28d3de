"""Images to train on: digits that scikit-learn ships, MNIST in its own files, and folders of pictures.

Everything read from a folder is checked before anything is computed with it: what is corrupt, truncated, empty or of
a wrong size raises an error that names the file.
"""

import gzip
import importlib
import math
import warnings
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..kept.folders import visible_files

MNIST_SIDE = 28
MNIST_FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")}
MNIST_FILES["test"] = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
UNSIGNED_BYTE = 8  # in the header of a file of the IDX format


class DataError(ValueError):
    """A file or folder that an experiment was given and cannot use; the message names it."""


class Images(NamedTuple):
    """Grey images with values in [0, 1], and what they show."""

    images: Float[np.ndarray, "N H W"]
    labels: Int[np.ndarray, " N"]


def digits(size: int = 8) -> Images:
    """The 1797 handwritten digits of scikit-learn, 8 x 8, interpolated by cubics to size x size.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
        ValueError: a size under 8.

    Example:
        >>> digits(size=16).images.shape
        (1797, 16, 16)
    """
    if size < 8:
        raise ValueError(f"size: got {size}; needs at least 8, what the digits have")
    bunch = _package("sklearn.datasets", "scikit-learn").load_digits()
    images = bunch.images.astype(np.float32) / 16
    if size > 8:
        resized = jax.image.resize(jnp.asarray(images), (len(images), size, size), "cubic")
        images = np.asarray(resized).clip(0.0, 1.0)
    return Images(images, bunch.target.astype(np.int32))


def mnist(folder: Path, part: Literal["train", "test"] = "train") -> Images:
    """The 28 x 28 digits of MNIST from files of its own format, as they are distributed: plain, or compressed as .gz.

    Raises:
        DataError: a file that is absent, damaged, or holds something else.
    """
    images, labels = (_idx(_mnist_file(folder, name)) for name in MNIST_FILES[part])
    image_name, label_name = (_mnist_file(folder, name) for name in MNIST_FILES[part])
    if images.ndim != 3 or images.shape[1:] != (MNIST_SIDE, MNIST_SIDE):
        raise DataError(f"{image_name}: has the shape {images.shape}; needs images of 28 x 28")
    if labels.shape != images.shape[:1]:
        raise DataError(f"{label_name}: has the shape {labels.shape}; needs a label for each of {len(images)} images")
    if labels.max() > 9:
        raise DataError(f"{label_name}: has the label {labels.max()}; needs labels from 0 to 9")
    return Images(images.astype(np.float32) / 255, labels.astype(np.int32))


def image_folder(
    path: Path, size: int, channels: Literal[1, 3] = 3, limit: int | None = None
) -> Float[np.ndarray, "N size size channels"]:
    """The pictures in a folder and the folders in it, by name: the square in their middle, reduced to size x size.

    Values are in [0, 1], in RGB or grey. Files that are no pictures by the end of their names are passed over, and
    so is what is hidden.

    Args:
        limit: at most so many pictures, the first.

    Raises:
        DataError: a folder without pictures; a picture that is damaged, smaller than size, or not of 8 bit a channel.
        ModuleNotFoundError: Pillow is not installed.
        ValueError: sizes, channels or a limit that are none.
    """
    if size < 1 or channels not in (1, 3) or (limit is not None and limit < 1):
        raise ValueError(
            f"size, channels, limit: got {size}, {channels}, {limit}; needs sizes > 0 and 1 or 3 channels"
        )
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; needs one with pictures")
    files = [file for file in visible_files(folder) if is_picture(file)]
    if not files:
        raise DataError(f"{folder}: has no pictures; needs files that end in {', '.join(sorted(PICTURES))}")
    found = np.empty((min(len(files), limit or len(files)), size, size, channels), np.float32)
    for picture, file in zip(found, files, strict=False):
        picture[:] = _picture(file, size, channels)
    return found


def is_picture(file: Path) -> bool:
    """By the end of its name."""
    return file.suffix.lower() in PICTURES


def _picture(file: Path, size: int, channels: int) -> Float[np.ndarray, "size size channels"]:
    pillow = _package("PIL.Image", "pillow")
    operations = _package("PIL.ImageOps", "pillow")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(file) as opened:
                opened.load()
                picture = operations.exif_transpose(opened)
    except (
        OSError,
        SyntaxError,
        ValueError,
        pillow.DecompressionBombError,
        pillow.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{file}: cannot be read as a picture ({error})") from error
    if picture.mode.startswith(("I", "F")):
        raise DataError(f"{file}: has the mode {picture.mode}; needs 8 bit a channel")
    if min(picture.size) < size:
        raise DataError(f"{file}: is {picture.width} x {picture.height}; needs at least {size} x {size}")
    square = operations.fit(picture.convert("RGB" if channels == 3 else "L"), (size, size), pillow.Resampling.LANCZOS)
    return np.asarray(square, np.float32).reshape(size, size, channels) / 255


def _mnist_file(folder: Path, name: str) -> Path:
    names = (name, f"{name}.gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz")
    for path in (Path(folder) / each for each in names):
        if path.is_file():
            return path
    raise DataError(f"{folder}: has no file {names[0]} or {names[1]}")


def _idx(path: Path) -> np.ndarray:
    """Bytes 0 0 type dimensions, the lengths as big-endian 32 bit numbers, then the entries."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE or content[3] == 0:
        start = content[:4].hex(" ") or "nothing"
        raise DataError(
            f"{path}: begins with {start}; needs 00 00 08 and a number of dimensions, as IDX files of bytes"
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DataError(f"{path}: has {len(content)} bytes; needs {header} for its header alone")
    shape = tuple(int(length) for length in np.frombuffer(content[4:header], ">u4"))
    if len(content) != header + math.prod(shape):
        raise DataError(f"{path}: has {len(content)} bytes; needs {header + math.prod(shape)} for the shape {shape}")
    if 0 in shape:
        raise DataError(f"{path}: has the shape {shape}; needs at least one entry")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _package(module: str, name: str):
    """A package of the extra `experiments`, on first use."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{name} is not installed; it comes with: pip install 'sobolev-theory[experiments]'", name=error.name
        ) from error
