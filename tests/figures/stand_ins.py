"""Networks of one convolution in place of those of the experiments on images, whose compilation is what they cost."""

import equinox as eqx
from jaxtyping import Array

from figures.models.layers import Convolution


class OneConvolution(eqx.Module):
    """Takes the arguments of a ResNetAutoencoder and of a UNet."""

    convolution: Convolution

    def __init__(self, channels: int, *shape, key: Array):
        self.convolution = Convolution(channels, channels, bias=True, key=key)

    def __call__(self, x, time=0.0):
        return self.convolution(x)
