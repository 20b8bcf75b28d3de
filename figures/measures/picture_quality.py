"""PSNR and SSIM of reconstructions, by scikit-image where it is installed, the extra `pictures`."""

import importlib.util
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from .statistics import median_with_interval

MISSING = 'PSNR and SSIM need scikit-image, not installed; the extra for it: pip install "sobolev-theory[pictures]"'
UNITS = {"PSNR": " dB", "SSIM": ""}


def quality(
    output: Float[np.ndarray, "P H W *C"], clean: Float[np.ndarray, "P H W *C"], span: float
) -> dict[str, Float[np.ndarray, " P"]]:
    """PSNR in dB and SSIM of each picture, whose values have the span; colours, if any, come last.

    Raises:
        ModuleNotFoundError: scikit-image is not installed.
    """
    try:
        from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING, name=error.name) from error
    colours = -1 if clean.ndim == 4 else None
    pairs = [(np.asarray(c, np.float64), np.asarray(o, np.float64)) for c, o in zip(clean, output, strict=True)]
    return {
        "PSNR": np.array([peak_signal_noise_ratio(c, o, data_range=span) for c, o in pairs]),
        "SSIM": np.array([structural_similarity(c, o, data_range=span, channel_axis=colours) for c, o in pairs]),
    }


def compare(outputs: Mapping[str, np.ndarray], clean: np.ndarray, span: float) -> list[str]:
    """Lines for `finding`: medians over the pictures, and paired differences to the first of the losses."""
    if importlib.util.find_spec("skimage") is None:
        return [MISSING]
    found = {name: quality(output, clean, span) for name, output in outputs.items()}
    first, *others = found
    lines = []
    for measure, unit in UNITS.items():
        said = []
        for name in others:
            middle, low, high, level = median_with_interval(found[name][measure] - found[first][measure])
            median = np.median(found[name][measure])
            said.append(
                f"{median:.3g}{unit} with {name}, {middle:+.2g} ({level:.0%} interval {low:.2g} to {high:.2g})"
            )
        begin = f"{measure} of {len(clean)} pictures by the first seed: {np.median(found[first][measure]):.3g}{unit}"
        lines.append(f"{begin} with {first}; {'; '.join(said)}")
    return lines
