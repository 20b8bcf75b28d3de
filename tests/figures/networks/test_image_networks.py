"""Shapes and layers of the image networks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from figures.networks import layers
from figures.networks.classifier import Classifier
from figures.networks.layers import Convolution, Normalisation
from figures.networks.resnet import ResNetAutoencoder
from figures.networks.unet import UNet, embedding

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def shape(of, *arguments):
    """Of the result, without computing it: compilation is what networks cost."""
    return jax.eval_shape(of, *(jax.ShapeDtypeStruct(each, jnp.float32) for each in arguments)).shape


@pytest.mark.parametrize(("size", "stride"), [(1, 2), (3, 1), (7, 2)])
def test_both_ways_to_convolve_agree(size, stride):
    x, kernel = (jnp.asarray(RNG.normal(size=shape), jnp.float32) for shape in ((8, 12, 2), (size, size, 2, 3)))
    by_shifts, by_xla = jax.jit(lambda *given: [way(*given, stride) for way in (layers.by_shifts, layers.by_xla)])(
        x, kernel
    )
    assert by_shifts.shape == (8 // stride, 12 // stride, 3)
    # Sums of at most 98 products in single precision, of size up to 100.
    np.testing.assert_allclose(by_shifts, by_xla, atol=1e-4)


def test_a_convolution_moves_its_kernel_over_the_image():
    layer = Convolution(1, 1, key=KEY)
    dot = jnp.zeros((5, 5, 1)).at[2, 2].set(1.0)
    np.testing.assert_allclose(layer(dot)[1:4, 1:4, 0], layer.kernel[::-1, ::-1, 0, 0])


def test_normalised_groups_have_mean_zero_and_variance_one():
    x = jnp.asarray(RNG.normal(3.0, 2.0, size=(4, 4, 16)), jnp.float32)
    groups = np.asarray(Normalisation(16)(x)).reshape(16, 2, 8)
    np.testing.assert_allclose(groups.mean(axis=(0, 2)), 0.0, atol=1e-6)  # rounding of a mean of 128 numbers
    np.testing.assert_allclose(groups.var(axis=(0, 2)), 1.0, atol=1e-4)  # EPSILON over the variance of 4


def test_channels_that_groups_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="channels: got 12; needs a multiple of 8"):
        Normalisation(12)


def test_upsampling_repeats_each_pixel_in_a_square():
    x = jnp.asarray([[[1.0], [2.0]], [[3.0], [4.0]]])
    np.testing.assert_array_equal(layers.upsample(x)[..., 0], np.kron(x[..., 0], np.ones((2, 2))))


def test_the_maximum_is_over_three_pixels_and_skips_one():
    x = jnp.arange(16.0).reshape(4, 4, 1)
    np.testing.assert_array_equal(layers.max_pool(x)[..., 0], [[5.0, 7.0], [13.0, 15.0]])


def test_resnet_18_has_the_parameters_of_its_paper():
    network = eqx.filter_eval_shape(ResNetAutoencoder, key=KEY)
    convolutions = [network.first, *jax.tree.leaves(network.encoder, is_leaf=lambda x: isinstance(x, Convolution))]
    count = sum(np.prod(layer.kernel.shape) for layer in convolutions if isinstance(layer, Convolution))
    assert count == 11_166_912  # 11,689,512 of ResNet-18 less 513,000 of its head and 9,600 of normalisations


@pytest.mark.parametrize(("stem", "code"), [(4, (2, 1, 64)), (1, (8, 4, 64))])
def test_the_autoencoder_reduces_by_its_stem_and_three_stages(stem, code):
    assert shape(lambda x: ResNetAutoencoder(3, 8, stem, key=KEY).encode(x), (64, 32, 3)) == code
    assert shape(lambda x: ResNetAutoencoder(3, 8, stem, key=KEY)(x), (64, 32, 3)) == (64, 32, 3)
    assert eqx.filter_eval_shape(ResNetAutoencoder, 3, 8, stem, key=KEY).reduction == 8 * stem


def test_the_decoder_mirrors_the_encoder():
    network = eqx.filter_eval_shape(ResNetAutoencoder, 3, 8, key=KEY)
    widths = [
        [block.convolutions[1].kernel.shape[-1] for block in side] for side in (network.encoder, network.decoder)
    ]
    assert widths[0] == [8, 8, 16, 16, 32, 32, 64, 64] == widths[1][::-1]


def test_another_stem_is_refused():
    with pytest.raises(ValueError, match="stem: got 2; needs 4"):
        ResNetAutoencoder(stem=2, key=KEY)


@pytest.mark.parametrize("multiples", [(1,), (1, 2), (1, 2, 2)])
def test_the_u_net_keeps_the_shape_of_images(multiples):
    assert shape(lambda x, t: UNet(3, 8, multiples, key=KEY)(x, t), (8, 12, 3), ()) == (8, 12, 3)


def test_the_u_net_sees_the_time_and_every_pixel():
    x = jnp.asarray(RNG.normal(size=(2, 2, 1)), jnp.float32)
    corner = jax.grad(lambda x, t: UNet(1, 8, (1,), key=KEY)(x, t)[0, 0, 0], (0, 1))
    of_pixels, of_time = jax.jit(corner)(x, jnp.asarray(0.3))
    assert np.all(of_pixels != 0)
    assert of_time != 0


def test_times_apart_by_a_thousandth_have_other_embeddings():
    first, second = (embedding(jnp.asarray(t), 16) for t in (0.5, 0.501))
    assert first.shape == (16,)
    assert jnp.linalg.norm(first - second) > 0.5  # the fastest wave turns by 1 in a thousandth


@pytest.mark.parametrize("size", [8, 64])
def test_the_classifier_takes_images_of_a_power_of_two(size):
    assert shape(lambda x: Classifier(size, 3, 10, key=KEY)(x), (size, size, 3)) == (10,)


@pytest.mark.parametrize("size", [2, 4, 12])
def test_the_classifier_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=f"size: got {size}; needs 4 times a power of 2, at least 8"):
        Classifier(size, 1, 10, key=KEY)


@pytest.mark.parametrize("make", [ResNetAutoencoder, lambda key: UNet(3, 8, (1, 2), key=key)])
def test_networks_of_seeds_are_one_with_an_axis_of_seeds(make):
    networks = eqx.filter_eval_shape(eqx.filter_vmap(lambda key: make(key=key)), jax.random.split(KEY, 5))
    assert {leaf.shape[0] for leaf in jax.tree.leaves(networks)} == {5}
    assert {leaf.dtype for leaf in jax.tree.leaves(networks)} == {jnp.dtype(jnp.float32)}
