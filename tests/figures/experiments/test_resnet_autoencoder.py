"""The experiment of the ResNet-18 autoencoder at a tiny setting, with one convolution in its place."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from figures.experiments import resnet_autoencoder
from figures.experiments.resnet_autoencoder import Setting
from figures.kept import Keep
from figures.problems.datasets import DataError
from tests.figures.helpers import OneConvolution, assert_within_the_page, interrupting_after

pytestmark = pytest.mark.xdist_group("experiments on images")
TINY = Setting(seeds=6, steps=4, records=2, batch=2)


@pytest.fixture(scope="module")
def data():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resnet_autoencoder.resnet, "ResNetAutoencoder", OneConvolution)
        yield resnet_autoencoder.data(setting=TINY)


def test_arrays_have_an_entry_for_each_loss_seed_and_record(data):
    np.testing.assert_array_equal(data["step"], [0, 2, 4])
    assert data["error_L2"].shape == data["error_H1"].shape == (2, 6, 3)
    assert data["output"].shape == (2, *data["examples"].shape)


def test_both_losses_start_from_the_same_networks_and_part(data):
    np.testing.assert_array_equal(data["error_L2"][0, :, 0], data["error_L2"][1, :, 0])
    assert np.all(data["error_L2"][0, :, 1:] != data["error_L2"][1, :, 1:])


def test_an_interrupted_training_is_resumed_to_the_same_bits(data, tmp_path):
    keep = Keep(tmp_path / "cells", "a" * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resnet_autoencoder.resnet, "ResNetAutoencoder", OneConvolution)
        with pytest.raises(KeyboardInterrupt):
            resnet_autoencoder.data(setting=TINY, keep=replace(keep, track=interrupting_after(1)))
        assert keep.has_checkpoint()
        resumed = resnet_autoencoder.data(
            setting=TINY, keep=replace(keep, track=interrupting_after(1))
        )  # one of two stretches is left
    for name in data:
        np.testing.assert_array_equal(resumed[name], data[name], err_msg=name)


def test_it_is_drawn_within_the_page(data):
    assert_within_the_page(resnet_autoencoder.draw(data))


def test_there_is_a_finding_for_each_norm_and_for_steps(data):
    lines = resnet_autoencoder.finding(data)
    assert all("L2 loss over H1 loss" in line for line in lines[:3])
    assert "PSNR" in lines[3]


def test_no_pixel_of_the_photographs_is_in_training_and_test_crops():
    train, test = resnet_autoencoder.photographs(16)
    assert train.min() >= -1
    assert train.max() <= 1
    seen = {corner.tobytes() for corner in train[:, :4, :4]}  # 4 pixels apart
    assert len(seen) > 1000
    assert not any(corner.tobytes() in seen for crop in test for corner in (crop[:4, :4], crop[-4:, -4:]))


def test_examples_have_the_highest_contrast(data):
    contrasts = data["examples"].std(axis=(1, 2, 3))
    _, test = resnet_autoencoder.photographs(16)
    np.testing.assert_array_equal(contrasts, np.sort(test.std(axis=(1, 2, 3)))[::-1][: len(contrasts)])


def test_crops_are_squares_of_the_image():
    image = np.arange(6 * 5 * 3).reshape(6, 5, 3)
    found = resnet_autoencoder.crops(image, 3, 2)
    assert found.shape == (4, 3, 3, 3)
    np.testing.assert_array_equal(found[3], image[2:5, 2:5])


def test_a_tenth_of_a_folder_is_held_out(tmp_path):
    for number in range(20):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    train, test = resnet_autoencoder.split(tmp_path, 8)
    assert (len(train), len(test)) == (18, 2)
    assert len(np.unique([*train[:, 0, 0, 0], *test[:, 0, 0, 0]])) == 20


def test_a_folder_with_too_few_pictures_is_named(tmp_path):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "one.png")
    with pytest.raises(DataError, match=f"{tmp_path}: has 1 pictures; needs at least 10"):
        resnet_autoencoder.split(tmp_path, 8)


def test_the_paper_setting_needs_a_folder():
    with pytest.raises(DataError, match="images: got no folder"):
        resnet_autoencoder.data(paper=True)


def test_a_size_that_the_network_cannot_halve_is_refused():
    with pytest.raises(ValueError, match="size: got 12; needs a multiple of 8"):
        resnet_autoencoder.data(setting=Setting(size=12))
