"""Standard errors of the mean gradient that are known before the first sample is drawn, by its second moments."""

import math

import numpy as np

from ..model.arguments import finite, whole
from ..model.inputs import GaussianInput
from ..model.losses import SobolevLoss
from ..model.networks import Network
from ..population.noise.gradient_noise import GradientNoise, gradient_noise
from .options import Options

ROUNDING = 1e-12  # of the error that was asked for: no batch more for its last digit


def exact_noise(
    student: Network, teacher: Network, loss: SobolevLoss, inputs: GaussianInput, options: Options
) -> GradientNoise:
    """The second moments; in `options` a standard error becomes so many samples, at most those that it has.

    Raises:
        NotImplementedError: networks, losses or inputs whose second moments are not known.
        ValueError: options under which the samples are not independent points in R^d.
    """
    needed = {"method": "independent", "sampling": "ambient", "control": None}
    for name, value in needed.items():
        got = options.get(name, value)
        if got != value:
            raise ValueError(f"{name}: got {got!r}; needs {value!r} for exact errors")
    options["method"] = "independent"
    noise = gradient_noise(student, teacher, loss, inputs)
    largest = float(np.max(np.asarray(noise.component_variances), initial=0.0))
    target = options.pop("standard_error", None)
    if target is not None:
        target = finite("standard_error", target, above=0, words="or None")
        most = whole("samples", options.get("samples", 2**20), 2)
        needed_samples = math.ceil(largest / target**2 * (1 - ROUNDING))
        options["samples"] = min(most, max(2, needed_samples))
    return noise
