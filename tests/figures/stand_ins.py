"""What stands in for networks that take long to compile, and for a person who interrupts their training."""

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


def interrupting_after(count: int):
    """A `track` that lets so many items through, and then is interrupted as by Ctrl-C."""

    def track(items):
        for number, item in enumerate(items):
            if number == count:
                raise KeyboardInterrupt
            yield item

    return track
