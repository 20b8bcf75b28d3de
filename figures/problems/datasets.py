"""Images to train on: digits that scikit-learn ships, MNIST in its own files, and folders of pictures.

Everything read from a folder is checked before anything is computed with it: what is corrupt, truncated, empty or of
a wrong size raises an error that names the file.
"""

import gzip
import math
import warnings
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from PIL import Image, ImageOps

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


def digits() -> Images:
    """The 1797 handwritten digits of scikit-learn, 8 x 8."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return Images(bunch.images.astype(np.float32) / 16, bunch.target.astype(np.int32))


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


def image_folder(path: Path, size: int) -> Float[np.ndarray, "N size size 3"]:
    """The pictures in a folder and the folders in it, by name: the square in their middle, reduced to size x size.

    Values are in [0, 1], in RGB. Files that are no pictures by the end of their names are passed over, and
    so is what is hidden.

    Raises:
        DataError: a folder without pictures; a picture that is damaged, smaller than size, or not of 8 bit a channel.
        ValueError: a size that is none.
    """
    if size < 1:
        raise ValueError(f"size: got {size}; needs at least 1")
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; needs one with pictures")
    files = [file for file in visible_files(folder) if is_picture(file)]
    if not files:
        raise DataError(f"{folder}: has no pictures; needs files that end in {', '.join(sorted(PICTURES))}")
    found = np.empty((len(files), size, size, 3), np.float32)
    for picture, file in zip(found, files, strict=True):
        picture[:] = _picture(file, size)
    return found


def is_picture(file: Path) -> bool:
    """By the end of its name."""
    return file.suffix.lower() in PICTURES


def _picture(file: Path, size: int) -> Float[np.ndarray, "size size 3"]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as opened:
                opened.load()
                picture = ImageOps.exif_transpose(opened)
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{file}: cannot be read as a picture ({error})") from error
    if picture.mode.startswith(("I", "F")):
        raise DataError(f"{file}: has the mode {picture.mode}; needs 8 bit a channel")
    if min(picture.size) < size:
        raise DataError(f"{file}: is {picture.width} x {picture.height}; needs at least {size} x {size}")
    square = ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    return np.asarray(square, np.float32) / 255


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
