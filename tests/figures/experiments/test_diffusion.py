"""The experiment of diffusion at a tiny setting, with one convolution in place of the U-Net."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from figures.experiments import diffusion
from figures.experiments.diffusion import Setting
from figures.kept import Keep
from figures.problems import labelled_images
from figures.problems.datasets import DataError
from tests.figures.helpers import OneConvolution, assert_within_the_page, interrupting_after

pytestmark = pytest.mark.xdist_group("experiments on images")
TINY = Setting(
    noise_steps=4, sampling_steps=2, samples=16, at_once=8, seeds=6, steps=4, records=2, batch=2, classifier_steps=200
)


@pytest.fixture(scope="module")
def data():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffusion, "UNet", OneConvolution)
        yield diffusion.data(setting=TINY)


def test_arrays_have_an_entry_for_each_loss_seed_and_record(data):
    np.testing.assert_array_equal(data["step"], [0, 2, 4])
    for name in ("error_L2", "error_H1", "frechet"):
        assert data[name].shape == (2, 6, 3), name
    assert data["samples"].shape == (2, *data["examples"].shape)


def test_both_losses_start_from_the_same_networks_and_part(data):
    for name in ("error_L2", "frechet"):
        np.testing.assert_array_equal(data[name][0, :, 0], data[name][1, :, 0])
        assert np.all(data[name][0, :, 1:] != data[name][1, :, 1:])


def test_an_interrupted_training_is_resumed_to_the_same_bits(data, tmp_path):
    keep = Keep(tmp_path / "cells", "a" * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffusion, "UNet", OneConvolution)
        with pytest.raises(KeyboardInterrupt):
            diffusion.data(setting=TINY, keep=replace(keep, track=interrupting_after(1)))
        assert keep.has_checkpoint()
        patch.setattr(labelled_images, "training", None)  # the classifier is not trained again
        resumed = diffusion.data(
            setting=TINY, keep=replace(keep, track=interrupting_after(1))
        )  # one of two stretches is left
    for name in data:
        np.testing.assert_array_equal(resumed[name], data[name], err_msg=name)


def test_the_classifier_knows_digits(data):
    assert data["accuracy"] > 0.8  # a tenth by chance


def test_training_images_are_nearer_to_test_images_than_samples_of_an_untrained_network(data):
    assert 0 < data["floor"] < data["frechet"][..., 0].min()


def test_it_is_drawn_within_the_page(data):
    assert_within_the_page(diffusion.draw(data))


def test_the_finding_names_the_features_of_the_distance(data):
    distance, classifier = diffusion.finding(data)[-2:]
    assert "Frechet distance in classifier features (squared)" in distance
    assert classifier.startswith("the classifier of the ten digits is right on")


def test_absent_effects_are_said_to_be_absent(data):
    same = {name: np.stack([data[name][0]] * 2) for name in ("error_L2", "error_H1", "frechet")}
    lines = diffusion.finding(data | same)
    assert [line.split(":")[0] for line in lines[:-1]] == ["no effect seen"] * 4


def test_it_is_trained_and_drawn_on_a_few_pictures_in_colour(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(20):
        Image.fromarray(rng.integers(0, 256, (10, 9, 3), np.uint8)).save(tmp_path / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffusion, "UNet", OneConvolution)
        found = diffusion.data(setting=TINY._replace(steps=2, records=1, classifier_steps=2), images=tmp_path)
    assert found["samples"].shape == (2, 5, 8, 8, 3)  # beside the test images, of which 20 pictures give 5
    assert "the classifier of quarter turns" in diffusion.finding(found)[-1]
    assert_within_the_page(diffusion.draw(found))


def test_the_paper_setting_needs_a_folder():
    with pytest.raises(DataError, match="images: got no folder"):
        diffusion.data(paper=True)


def test_a_size_that_the_network_cannot_halve_is_refused():
    with pytest.raises(ValueError, match="size: got 9; needs a multiple of 2"):
        diffusion.data(setting=Setting(size=9))
