"""PSNR and SSIM, by scikit-image where it is there, and what is said where it is not."""

import importlib.util

import numpy as np
import pytest

from figures.measures import picture_quality

CLEAN = np.random.default_rng(0).uniform(size=(7, 8, 8))


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert picture_quality.compare({"L2": CLEAN, "H1": CLEAN}, CLEAN, 1.0) == [picture_quality.MISSING]


def test_an_offset_has_its_decibels_and_differences_are_paired():
    pytest.importorskip("skimage")
    outputs = {"L2": CLEAN + 0.1, "H1": CLEAN + 0.01}
    assert np.allclose(picture_quality.quality(CLEAN + 0.1, CLEAN, 1.0)["PSNR"], 20.0)
    colours = np.stack([CLEAN] * 3, axis=-1)
    assert np.allclose(picture_quality.quality(colours, colours + 1e-9, 1.0)["SSIM"], 1.0)
    first, second = picture_quality.compare(outputs, CLEAN, 1.0)
    assert first == (
        "PSNR of 7 pictures by the first seed: 20 dB with L2; 40 dB with H1, +20 (98% interval 20 to 20)"
    )
    assert second.startswith("SSIM of 7 pictures by the first seed: 0.9")
