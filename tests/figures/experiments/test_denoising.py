"""The denoising experiment: losses and errors are what they are named for, and findings follow the numbers."""

import struct

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.experiments import denoising
from figures.experiments.denoising import Setting
from figures.kept import Keep
from figures.measures import image_losses
from figures.networks.denoiser import Autoencoder
from figures.problems import datasets
from tests.figures.helpers import assert_within_the_page

SMALL = Setting(orders=(0.0, 1.0), seeds=2, epochs=2, batch=8, channels=(2, 2, 2), code=2, limit=64)


@pytest.fixture(scope="module")
def data():
    return denoising.data(setting=SMALL)


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
    clean = jnp.asarray(denoising.images(None, 4).train)
    for output, error in ((0 * clean, 1.0), (2.5 * clean, 1.5), (clean, 0.0)):
        found = denoising.relative_errors(output, clean)
        assert found.keys() == {"error_l2", "error_h1"}
        np.testing.assert_allclose(list(found.values()), error, rtol=1e-6)


def test_no_image_is_both_trained_on_and_tested():
    train, test, _ = denoising.images(None, None)
    assert len(train) + len(test) == 1797
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def test_of_mnist_so_many_are_trained_on_and_the_first_of_each_digit_is_shown(tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for names, labels in zip(datasets.MNIST_FILES.values(), ([5, 0, 4, 1], [7, 2, 7, 2, 1]), strict=True):
        files |= dict(zip(names, (rng.integers(0, 256, (len(labels), 28, 28)), np.array(labels)), strict=True))
    for name, array in files.items():
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (tmp_path / name).write_bytes(header + array.astype(np.uint8).tobytes())
    train, test, examples = denoising.images(tmp_path, 3, 4)
    np.testing.assert_array_equal(train, (files["train-images-idx3-ubyte"][:3] / 255).astype(np.float32))
    held_out = (files["t10k-images-idx3-ubyte"] / 255).astype(np.float32)
    np.testing.assert_array_equal(test, held_out[:4])
    np.testing.assert_array_equal(examples, held_out[[4, 1, 0]])  # of a 1, a 2 and a 7


def test_memory_is_that_of_a_few_test_images_of_mnist():
    network = Autoencoder(28, key=jax.random.key(0))

    def megabytes(images: int) -> float:
        program = jax.jit(lambda noisy: jnp.sum(denoising.outputs(network, noisy))).lower(
            jnp.zeros((images, 28, 28), jnp.float32)
        )
        return program.compile().memory_analysis().temp_size_in_bytes / 1e6

    # Shifted copies of the last layer alone: 28^2 pixels x 9 x 32 channels x 4 bytes, 0.9 MB an image.
    assert megabytes(1000) < 200


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
    known = denoising.images(None, 64)
    assert {image.tobytes() for image in data["clean"]} <= {image.tobytes() for image in known.test}
    wave = np.broadcast_to(denoising.wave(8), (10, 8, 8))
    np.testing.assert_allclose(data["noisy"] - data["clean"], wave, atol=1e-7)  # single precision
    assert data["output"].shape == (2, 10, 8, 8)
    assert np.all(np.any(data["output"][0] != data["output"][1], axis=(1, 2)))


def test_factors_of_error_and_of_epochs_are_found():
    l2 = np.array([1.0, 0.5, 0.25, 0.125, 0.0625]) * np.linspace(0.8, 1.0, 6)[:, None]
    h1 = l2**2 / l2[:, :1]  # falls twice as fast
    errors = {"error_l2": np.stack([l2, h1]), "error_h1": np.stack([l2, l2 / 3])}
    lines = denoising.finding({"order": np.array([0.0, 1.0]), "epoch": np.arange(5.0)} | errors)
    assert lines == [
        "supported: test error in L2, mean of epochs 4 to 4, loss of L2 over that of H^1, is 16 "
        "(97% interval 16 to 16, 6 seeds)",
        "supported: test error in H1, mean of epochs 4 to 4, loss of L2 over that of H^1, is 3 "
        "(97% interval 3 to 3, 6 seeds)",
        "supported: epochs to the test error in L2 that L2 has after 2, loss of L2 over that of H^1, is 2 "
        "(97% interval 2 to 2, 6 seeds)",
    ]


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "no effect seen"), (5.0, "not supported, the opposite is seen")]
)
def test_an_error_that_is_not_lowered_is_found_as_such(factor, verdict):
    falling = np.array([1.0, 0.5, 0.25, 0.125, 0.0625]) * np.ones((6, 1))
    errors = np.stack([falling, factor * falling])
    data = {"order": np.array([0.0, 1.0]), "epoch": np.arange(5.0), "error_l2": errors, "error_h1": errors}
    assert all(line.startswith(verdict) for line in denoising.finding(data))


def test_an_error_that_is_never_reached_takes_infinitely_many_epochs():
    errors = np.array([[1.0, 0.5, 0.25], [1.0, 0.9, 0.8]])
    found = denoising._epochs_to(np.arange(3.0), errors, np.array([0.5**1.5, 0.5]))
    np.testing.assert_allclose(found, [1.5, np.inf])


def test_it_is_drawn_within_the_page(data):
    assert_within_the_page(denoising.draw(data))


def test_training_leaves_checkpoints_where_cells_are_kept(tmp_path, monkeypatch):
    def interrupted(*_, checkpoint, **__):
        checkpoint.write_bytes(b"half way")
        raise KeyboardInterrupt

    monkeypatch.setattr(image_losses.training, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        denoising.data(setting=SMALL, keep=Keep(tmp_path, "key"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"half way"]


@pytest.mark.parametrize("orders", [(), (0.0,), (1.0, 2.0)])
def test_without_l2_there_is_nothing_to_compare(orders):
    with pytest.raises(ValueError, match="orders: got"):
        denoising.data(setting=SMALL._replace(orders=orders))


@pytest.mark.parametrize("arguments", [{"side": 10}, {"side": 0}, {"side": 8, "channels": (1, 2)}])
def test_networks_that_cannot_be_are_refused(arguments):
    with pytest.raises(ValueError, match=r"side: got|channels: got"):
        denoising.Autoencoder(**arguments, key=None)
