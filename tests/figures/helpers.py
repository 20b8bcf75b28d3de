"""What every figure is held to, and what stands in for slow networks and for a person who interrupts them."""

import equinox as eqx
from jaxtyping import Array
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.networks.layers import Convolution


def assert_within_the_page(figure: Figure) -> None:
    FigureCanvasAgg(figure).draw()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


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
