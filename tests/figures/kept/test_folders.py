"""Folders of pictures have what people put there, and nothing that systems and tools left."""

import os

import numpy as np
import pytest
from PIL import Image

from figures.kept import folders, sources
from figures.problems import datasets, labelled_images

LEFT_BY_OTHERS = [
    ".ipynb_checkpoints/a-checkpoint.png",
    ".git/objects/a.png",
    ".a.png",
    "._a.png",
    ".DS_Store",
    "__MACOSX/._a.png",
    "__MACOSX/a.png",
    "class/.thumbnails/a.png",
    "class/@eaDir/a.png",
    "$RECYCLE.BIN/a.png",
    "System Volume Information/a.png",
    "lost+found/a.png",
    ".Trash-1000/files/a.png",
]


def picture(path, shade=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4, 3), shade, np.uint8)).save(path, format="png")


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures in two classes."""
    for number in range(20):
        picture(tmp_path / ("class" if number < 10 else "other") / f"{number:02}.png", number)
    return tmp_path


@pytest.mark.parametrize("name", LEFT_BY_OTHERS)
def test_what_is_hidden_counts_in_no_way_of_reading_a_folder(folder, name):
    def read():
        found = labelled_images.folder(folder, 4)
        return (
            folders.visible_files(folder),
            datasets.image_folder(folder, 4).tobytes(),
            (found.images.tobytes(), found.labels.tobytes(), found.classes),
            sources.fingerprint(folders.visible_files, {"images": folder}),
        )

    before = read()
    picture(folder / name, 255)
    assert read() == before


def test_a_folder_that_is_hidden_itself_is_read(tmp_path):
    picture(tmp_path / ".cache" / "__MACOSX" / "a.png")
    assert len(datasets.image_folder(tmp_path / ".cache" / "__MACOSX", 4)) == 1


def test_files_are_in_the_order_of_their_paths(tmp_path):
    for name in ("b.png", "a/z.png", "a.png", "c/a.png"):
        picture(tmp_path / name)
    found = [str(file.relative_to(tmp_path)) for file in folders.visible_files(tmp_path)]
    assert found == ["a/z.png", "a.png", "b.png", "c/a.png"]


def test_a_link_that_leads_nowhere_is_no_obstacle_to_a_fingerprint(folder):
    before = sources.fingerprint(folders.visible_files, {"images": folder})
    os.symlink(folder / "nowhere", folder / "link")
    assert sources.fingerprint(folders.visible_files, {"images": folder}) == before
