"""Digits and pictures are read as they are, and a file that cannot be used is named."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from figures.problems import datasets
from figures.problems.datasets import DataError


def idx(shape, entries, kind=8):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape) + bytes(entries)


IMAGES = np.arange(2 * 28 * 28).reshape(2, 28, 28) % 256
IMAGE_FILE, LABEL_FILE = idx((2, 28, 28), IMAGES.ravel().tolist()), idx((2,), [7, 3])


@pytest.fixture
def mnist(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(IMAGE_FILE)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(LABEL_FILE)
    return tmp_path


def png(path, size=(8, 8), colour=(255, 0, 0), mode="RGB"):
    Image.new(mode, size, colour).save(path)
    return path


def test_digits_are_those_of_scikit_learn_between_0_and_1():
    images, labels = datasets.digits()
    assert images.shape == (1797, 8, 8)
    assert (images.min(), images.max()) == (0.0, 1.0)
    # The first digit is a 0, and its second row has the counts 0 0 13 15 10 15 5 0 out of 16.
    assert labels[0] == 0
    np.testing.assert_array_equal(images[0, 1] * 16, [0, 0, 13, 15, 10, 15, 5, 0])


def test_mnist_is_read_in_rows_between_0_and_1(mnist):
    images, labels = datasets.mnist(mnist, "test")
    np.testing.assert_array_equal(images, (IMAGES / 255).astype(np.float32))
    np.testing.assert_array_equal(labels, [7, 3])


def test_compressed_mnist_is_the_same(mnist):
    plain = datasets.mnist(mnist, "test")
    for path in list(mnist.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(datasets.mnist(mnist, "test").images, plain.images)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t10k-images-idx3-ubyte", b"", "begins with nothing"),
        ("t10k-images-idx3-ubyte", b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47"),
        ("t10k-images-idx3-ubyte", idx((2, 28, 28), [], kind=0x0D), "begins with 00 00 0d 03"),
        ("t10k-images-idx3-ubyte", IMAGE_FILE[:9], "has 9 bytes; needs 16 for its header"),
        ("t10k-images-idx3-ubyte", IMAGE_FILE[:-1], "has 1583 bytes; needs 1584"),
        ("t10k-images-idx3-ubyte", IMAGE_FILE + b"\0", "has 1585 bytes; needs 1584"),
        ("t10k-images-idx3-ubyte", idx((0, 28, 28), []), "needs at least one entry"),
        ("t10k-images-idx3-ubyte", idx((2, 8, 8), [0] * 128), r"\(2, 8, 8\); needs images of 28 x 28"),
        ("t10k-labels-idx1-ubyte", idx((3,), [0, 1, 2]), "needs a label for each of 2 images"),
        ("t10k-labels-idx1-ubyte", idx((2,), [3, 10]), "has the label 10"),
    ],
)
def test_a_file_of_mnist_that_is_none_is_named(mnist, name, content, message):
    (mnist / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: .*{message}"):
        datasets.mnist(mnist, "test")


@pytest.mark.parametrize(
    "damage", [lambda file: file[:-30], lambda file: b"no gzip", lambda file: file[:20] + file[9:]]
)
def test_a_damaged_compressed_file_is_named(mnist, damage):
    (mnist / "t10k-images-idx3-ubyte").unlink()
    (mnist / "t10k-images-idx3-ubyte.gz").write_bytes(damage(gzip.compress(IMAGE_FILE)))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.gz: cannot be read"):
        datasets.mnist(mnist, "test")


def test_a_folder_without_mnist_is_named_with_the_file_it_lacks(mnist):
    with pytest.raises(DataError, match=f"{mnist}: has no file train-images-idx3-ubyte"):
        datasets.mnist(mnist)


def test_pictures_are_read_by_name_with_those_of_inner_folders(tmp_path):
    (tmp_path / "inner").mkdir()
    for name, colour in (("b.png", (255, 0, 0)), ("inner/c.bmp", (0, 255, 0)), ("a.jpg", (0, 0, 255))):
        png(tmp_path / name, colour=colour)
    (tmp_path / "notes.txt").write_text("no picture")
    found = datasets.image_folder(tmp_path, size=4)
    assert (found.shape, found.dtype) == ((3, 4, 4, 3), np.float32)
    # The blue of a JPEG file is off by one or two of 255.
    np.testing.assert_allclose(found[:, 0, 0], [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=0.01)


def test_of_a_wide_picture_the_middle_is_kept(tmp_path):
    stripes = np.zeros((4, 12, 3), np.uint8)
    stripes[:, 4:8] = 255
    Image.fromarray(stripes).save(tmp_path / "wide.png")
    np.testing.assert_array_equal(datasets.image_folder(tmp_path, size=4), np.ones((1, 4, 4, 3)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "cannot be read as a picture"),
        (lambda path: path.write_bytes(b"no picture"), "cannot be read as a picture"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "cannot be read as a picture"),
        (lambda path: png(path, size=(8, 3)), "is 8 x 3; needs at least 4 x 4"),
        (lambda path: png(path, mode="I;16", colour=1000), "has the mode I;16; needs 8 bit"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named(tmp_path, damage, message):
    png(tmp_path / "a.png")
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "b.png")
    damage(tmp_path / "b.png")
    with pytest.raises(DataError, match=f"b.png: {message}"):
        datasets.image_folder(tmp_path, size=4)


def test_folders_without_pictures_are_named(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=f"{tmp_path}: has no pictures"):
        datasets.image_folder(tmp_path, size=4)
    with pytest.raises(DataError, match=r"absent: is no folder"):
        datasets.image_folder(tmp_path / "absent", size=4)


def test_a_size_that_is_none_is_named(tmp_path):
    with pytest.raises(ValueError, match="size: got 0; needs at least 1"):
        datasets.image_folder(tmp_path, 0)
