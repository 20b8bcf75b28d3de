"""Folders of pictures: their labels, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from figures.problems import labelled_images
from figures.problems.datasets import DataError


def picture(path, shade):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(path)


def test_subfolders_are_classes(tmp_path):
    for number in range(24):
        picture(tmp_path / ("dark" if number < 8 else "light") / f"{number}.png", number)
    found = labelled_images.folder(tmp_path, 8)
    np.testing.assert_array_equal(found.labels, np.round((found.images[:, 0, 0, 0] + 1) * 255 / 2) >= 8)
    assert found.classes == "2 folders"


def test_a_folder_without_subfolders_has_quarter_turns(tmp_path):
    for number in range(20):
        picture(tmp_path / f"{number}.png", number)
    found = labelled_images.folder(tmp_path, 8)
    assert (found.labels, found.classes) == (None, "quarter turns")
    images, labels = labelled_images._with_labels(found)
    np.testing.assert_array_equal(images[20:40], np.rot90(found.images, axes=(1, 2)))
    np.testing.assert_array_equal(labels, np.repeat(np.arange(4), 20))


def test_pictures_beside_the_classes_are_named(tmp_path):
    for name in ("a/1.png", "b/1.png", "stray.png"):
        picture(tmp_path / name, 0)
    with pytest.raises(DataError, match=r"stray.png: is beside 2 folders"):
        labelled_images.folder(tmp_path, 8)


def test_too_few_pictures_are_named(tmp_path):
    picture(tmp_path / "1.png", 0)
    with pytest.raises(DataError, match=f"{tmp_path}: has 1 pictures; needs at least 20"):
        labelled_images.folder(tmp_path, 8)
