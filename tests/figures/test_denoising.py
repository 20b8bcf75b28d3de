"""The denoising experiment: losses and errors are what they are named for, and findings follow the numbers."""

import jax.numpy as jnp
import numpy as np
import pytest
from within_the_page import assert_within_the_page

from figures import denoising
from figures.datasets import DataError
from figures.denoising import Setting
from figures.keep import Keep

SMALL = Setting(orders=(0.0, 1.0), seeds=2, epochs=2, batch=8, channels=(2, 2, 2), code=2, limit=64)


@pytest.fixture(scope="module")
def data():
    return denoising.data(setting=SMALL)


def made_up(final, seeds=6):
    """Errors that fall from 1 in each of 4 epochs by the same factor, to final[l] times 1, 2, ... for the seeds."""
    epoch = np.arange(5.0)
    ends = np.array(final)[:, None] * np.linspace(1.0, 2.0, seeds)
    errors = ends[..., None] ** (epoch / 4)
    return {"order": np.array([0.0, 1.0]), "epoch": epoch, "error_l2": errors, "error_h1": errors}


def test_the_noise_is_the_wave_of_the_paper():
    wave = denoising.wave(8)
    # sin(2 pi (x + y)): 0 at the origin, 1 a quarter along either axis, -1 where x + y = 3/4.
    np.testing.assert_allclose([wave[0, 0], wave[2, 0], wave[0, 2], wave[3, 3]], [0, 0.3, 0.3, -0.3], atol=1e-7)


@pytest.mark.parametrize("order", [0.0, 0.5, 2.0])
def test_the_loss_weights_a_wave_by_its_frequency(order):
    wave = jnp.asarray(denoising.wave(8))[None]
    # Its frequency is 2 pi / 8 along both axes; its mean square is that of 0.3 times a sine.
    weight = (1 + 2 * (2 * np.pi / 8) ** 2) ** order
    np.testing.assert_allclose(denoising.mean_square(wave, order), 0.3**2 / 2 * weight, rtol=1e-5)  # single precision


def test_no_output_has_the_relative_error_1_and_the_clean_image_none():
    clean = jnp.asarray(denoising.images(None, 4)[0])
    for output, error in ((0 * clean, 1.0), (2.5 * clean, 1.5), (clean, 0.0)):
        found = denoising.relative_errors(output, clean)
        assert found.keys() == {"error_l2", "error_h1"}
        np.testing.assert_allclose(list(found.values()), error, rtol=1e-6)


def test_no_image_is_both_trained_on_and_tested():
    train, test = denoising.images(None, None)
    assert len(train) + len(test) == 1797
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def test_all_losses_start_from_the_same_networks_and_then_part(data):
    errors = data["error_l2"]
    assert errors.shape == (2, 2, 3)
    np.testing.assert_array_equal(errors[0, :, 0], errors[1, :, 0])
    assert errors[0, 0, 0] != errors[0, 1, 0]
    assert np.all(errors[0, :, -1] != errors[1, :, -1])


def test_training_lowers_every_error(data):
    np.testing.assert_array_equal(data["epoch"], [0.0, 1.0, 2.0])
    for name in ("error_l2", "error_h1"):
        assert np.all(data[name][..., -1] < data[name][..., 0])


def test_pictures_are_test_images_with_the_noise_and_an_output_of_each_loss(data):
    np.testing.assert_array_equal(data["clean"], denoising.images(None, 64)[1][: denoising.EXAMPLES])
    np.testing.assert_allclose(
        data["noisy"] - data["clean"], np.broadcast_to(denoising.wave(8), (7, 8, 8)), atol=1e-7
    )
    assert data["output"].shape == (2, 7, 8, 8)
    assert np.all(np.any(data["output"][0] != data["output"][1], axis=(1, 2)))


def test_an_error_that_is_halved_is_found_as_a_factor_of_2():
    lines = denoising.finding(made_up([0.2, 0.1]))
    assert lines[0] == (
        "supported: test error in L2 after 4 epochs, L2 loss over H^1 loss, is 2 (97% interval 2 to 2, 6 seeds)"
    )
    # L2 ends at 0.2 after 4 epochs; 0.1^(t/4) is there after 2.8 of them, so at the third record, for the first seed.
    assert lines[2].startswith("supported: epochs to the test error in L2 that the L2 loss ended with")
    assert "is 1.33 (97%" in lines[2]


def test_an_error_that_is_not_lowered_is_found_as_such():
    same, worse = denoising.finding(made_up([0.2, 0.2])), denoising.finding(made_up([0.2, 0.3]))
    assert all(line.startswith("no effect seen") for line in same)
    assert all(line.startswith("not supported, the opposite is seen") for line in worse)
    assert "is 0 (97% interval 0 to 0, 6 seeds)" in worse[2]


def test_it_is_drawn_within_the_page(data):
    assert_within_the_page(denoising.draw(data))


def test_training_leaves_checkpoints_where_cells_are_kept(tmp_path, monkeypatch):
    def interrupted(*_, checkpoint, **__):
        checkpoint.write_bytes(b"half way")
        raise KeyboardInterrupt

    monkeypatch.setattr(denoising.training, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        denoising.data(setting=SMALL, keep=Keep(tmp_path, "key"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"half way"]


def test_the_full_setting_needs_mnist():
    with pytest.raises(DataError, match="mnist: got no folder"):
        denoising.data(full=True)


@pytest.mark.parametrize("orders", [(), (0.0,), (1.0, 2.0)])
def test_without_l2_there_is_nothing_to_compare(orders):
    with pytest.raises(ValueError, match="orders: got"):
        denoising.data(setting=SMALL._replace(orders=orders))


@pytest.mark.parametrize("arguments", [{"side": 10}, {"side": 0}, {"side": 8, "channels": (1, 2)}])
def test_networks_that_cannot_be_are_refused(arguments):
    with pytest.raises(ValueError, match=r"side: got|channels: got"):
        denoising.Autoencoder(**arguments, key=None)
