"""Periodic grids: spectral derivatives, and the H^s multiplier (1 + |xi|^2)^(s/2) on any axes of an array.

A function of period L is known at n points L/n apart; its mode k has frequency xi = 2 pi k/L. The modes of a real
function come in conjugate pairs k and n - k, which stand for the frequencies +k and -k: frequencies="signed" gives
both the same weight. frequencies="paper" is what the public code of arXiv 2509.19773 does, k = 0 ... n - 1 as they
stand, so that mode n - 1, a slow wave, is weighted as if it were the fastest.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from ..model.arguments import check_choice, real_array
from .estimates import check_positive
from .grids import at_least_single, check_order, check_points

__all__ = ["derivative", "multiplier", "sobolev_mean_square", "sobolev_norm_squared", "wavenumbers"]
__dir__ = __all__.copy

Frequencies = Literal["signed", "paper"]


def wavenumbers(n: int, length: float, frequencies: Frequencies = "signed") -> np.ndarray:
    """The frequencies [n] of the modes of n points on a period of the given length, in the order of jnp.fft.fft.

    Args:
        n: number of points, at least 1.
        length: the period.
        frequencies: "signed" for 2 pi/length times 0, 1, ..., -2, -1; "paper" for 2 pi/length times 0 ... n - 1.

    Returns:
        An array of NumPy in double precision.

    Raises:
        ValueError: n < 1, a length that is not positive and finite, or another name of frequencies.

    Example:
        >>> import math
        >>> from sobolev_theory.differentiation import fourier
        >>> fourier.wavenumbers(4, 2 * math.pi).tolist()
        [0.0, 1.0, -2.0, -1.0]
    """
    check_points(n, 1)
    check_positive(length=length)
    check_choice("frequencies", frequencies, Frequencies)
    modes = np.fft.fftfreq(n, 1 / n) if frequencies == "signed" else np.arange(n)
    return 2 * np.pi / length * modes


def derivative(u: Inexact[Array, "..."], order: int = 1, *, length: float, axis: int = -1) -> Inexact[Array, "..."]:
    """The derivative, along one axis, of the trigonometric interpolant of samples on a periodic grid.

    The fastest mode n/2 of an even number of points is a cosine that is known at its extrema only; its derivatives of
    odd order are 0 there. Rounding grows like eps (pi n/length)^order.

    Args:
        u: samples at a, a + length/n, ..., the end a + length left out; real or complex.
        order: of the derivative, 0 or more.
        length: the period.
        axis: along which to differentiate.

    Returns:
        An array shaped like u, real where u is.

    Raises:
        TypeError: samples that are no numbers.
        ValueError: samples that are not finite, a negative order, a length that is not positive and finite, or an
            axis that u does not have.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import fourier
        >>> x = jnp.linspace(0.0, 2.0, 16, endpoint=False)
        >>> error = fourier.derivative(jnp.sin(jnp.pi * x), length=2.0) - jnp.pi * jnp.cos(jnp.pi * x)
        >>> bool(jnp.max(jnp.abs(error)) < 1e-5)
        True
    """
    check_order(order, 0)
    u = _samples(u)
    (axis,) = _checked_axes(u, (axis,))
    wavenumbers(u.shape[axis], length)  # checks the length
    return _derivative(u, order, float(length), axis)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _derivative(u: Inexact[Array, "..."], order: int, length: float, axis: int) -> Inexact[Array, "..."]:
    precision = u.dtype
    u = at_least_single(u)
    n = u.shape[axis]
    xi = wavenumbers(n, length)
    if n % 2 == 0 and order % 2 == 1:
        xi[n // 2] = 0.0
    power = (1j * xi) ** order
    if jnp.iscomplexobj(u):
        return jnp.fft.ifft(_along(power, axis, u) * jnp.fft.fft(u, axis=axis), axis=axis)
    half = jnp.fft.rfft(u, axis=axis)
    return jnp.fft.irfft(_along(power[: n // 2 + 1], axis, u) * half, n, axis=axis).astype(precision)


def multiplier(
    u: Inexact[Array, "..."],
    s: float | Float[Array, ""],
    *,
    axes: Sequence[int] = (-2, -1),
    lengths: Sequence[float] | None = None,
    frequencies: Frequencies = "signed",
) -> Inexact[Array, "..."]:
    """(1 + |xi|^2)^(s/2) applied to u along the axes: what H^s takes the L2 norm of.

    Args:
        u: samples on a periodic grid, with any other axes besides.
        s: the smoothness, of either sign.
        axes: those of space; their number is its dimension.
        lengths: the period along each axis; None for the number of points, as for images with pixels of size 1.
        frequencies: see `wavenumbers`.

    Returns:
        An array shaped like u. It is real where u is real and the frequencies are signed; the paper's frequencies
        make it complex, since they weight conjugate modes differently.

    Raises:
        TypeError: samples that are no numbers, or a smoothness that is no real number.
        ValueError: samples or a smoothness that are not finite, axes that u does not have or that repeat, lengths
            that are not one positive number an axis, or another name of frequencies.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import fourier
        >>> x = jnp.linspace(0.0, 2 * jnp.pi, 8, endpoint=False)
        >>> v = fourier.multiplier(jnp.cos(x), 2.0, axes=(0,), lengths=(2 * jnp.pi,))  # (1 - D^2) cos = 2 cos
        >>> bool(jnp.allclose(v, 2 * jnp.cos(x), atol=1e-5))
        True
    """
    u = _samples(u)
    axes, s = _checked_axes(u, axes), _smoothness(s, u)
    v = _multiplied(at_least_single(u), s, axes, _symbol(u, axes, lengths, frequencies))
    return v if jnp.iscomplexobj(u) or frequencies == "paper" else v.real.astype(u.dtype)


def sobolev_mean_square(
    u: Inexact[Array, "..."],
    s: float | Float[Array, ""],
    *,
    axes: Sequence[int] = (-2, -1),
    lengths: Sequence[float] | None = None,
    frequencies: Frequencies = "signed",
) -> Float[Array, "..."]:
    """The mean over the grid of |(1 + |xi|^2)^(s/2) u|^2: at s = 0 the mean square, so the loss of images.

    By Parseval's identity, from the modes of u without the way back. Arguments and errors as in `multiplier`.

    Returns:
        A real array of the axes that are not of space.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import fourier
        >>> images = jnp.ones((5, 28, 28))
        >>> fourier.sobolev_mean_square(images, 1.0).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    u = _samples(u)
    axes, s = _checked_axes(u, axes), _smoothness(s, u)
    return _mean_square(at_least_single(u), s, axes, _symbol(u, axes, lengths, frequencies)).astype(u.real.dtype)


def sobolev_norm_squared(
    u: Inexact[Array, "..."],
    s: float | Float[Array, ""],
    *,
    axes: Sequence[int] = (-2, -1),
    lengths: Sequence[float] | None = None,
    frequencies: Frequencies = "signed",
) -> Float[Array, "..."]:
    """|u|^2 in H^s of the periodic box: the integral of |(1 + |xi|^2)^(s/2) u|^2 over it.

    That is `sobolev_mean_square` times the volume of the box. With lengths=None, pixels of size 1, it is a sum over
    the pixels. Arguments and errors as in `multiplier`.

    Returns:
        A real array of the axes that are not of space.

    Example:
        >>> import jax.numpy as jnp
        >>> from sobolev_theory.differentiation import fourier
        >>> x = jnp.linspace(0.0, 2 * jnp.pi, 16, endpoint=False)
        >>> square = fourier.sobolev_norm_squared(jnp.sin(x), 1.0, axes=(0,), lengths=(2 * jnp.pi,))
        >>> bool(jnp.allclose(square, 2 * jnp.pi))  # pi of sin^2 and as much of cos^2
        True
    """
    u = _samples(u)
    mean = sobolev_mean_square(u, s, axes=axes, lengths=lengths, frequencies=frequencies)
    return mean * math.prod([u.shape[axis] for axis in axes] if lengths is None else lengths)


@partial(jax.jit, static_argnums=2)
def _multiplied(u: Array, s, axes: tuple[int, ...], symbol: Array) -> Array:
    modes = jnp.fft.fftn(u, axes=axes)
    return jnp.fft.ifftn((symbol ** (s / 2)).astype(modes.dtype) * modes, axes=axes)


@partial(jax.jit, static_argnums=2)
def _mean_square(u: Array, s, axes: tuple[int, ...], symbol: Array) -> Array:
    modes = jnp.fft.fftn(u, axes=axes, norm="forward")
    return jnp.sum(symbol**s * (modes.real**2 + modes.imag**2), axis=axes)


def _symbol(u: Array, axes: tuple[int, ...], lengths: Sequence[float] | None, frequencies: Frequencies) -> np.ndarray:
    """1 + |xi|^2, of the real precision of u, at least single, and broadcasting against it."""
    u = at_least_single(u)
    if lengths is None:
        lengths = tuple(u.shape[axis] for axis in axes)
    if len(lengths) != len(axes):
        raise ValueError(f"lengths: got {len(lengths)}; needs one for each of the {len(axes)} axes {axes}")
    xis = (wavenumbers(u.shape[axis], length, frequencies) for axis, length in zip(axes, lengths, strict=True))
    square = sum(_along(xi**2, axis, u) for axis, xi in zip(axes, xis, strict=True))
    return np.asarray(1 + square, u.real.dtype)


def _along(values: np.ndarray, axis: int, u: Array) -> np.ndarray:
    """The values along one axis of u, in its precision, broadcasting along the others."""
    precision = np.result_type(u.dtype, np.complex64) if np.iscomplexobj(values) else u.real.dtype
    return values.astype(precision).reshape([-1 if i == axis else 1 for i in range(u.ndim)])


def _samples(u) -> Inexact[Array, "..."]:
    """Finite, real or complex."""
    if not jnp.iscomplexobj(u):
        return real_array("u", u)
    u = jnp.asarray(u)
    return jax.lax.complex(real_array("u", u.real), real_array("u", u.imag))


def _smoothness(s, u: Inexact[Array, "..."]) -> Float[Array, ""]:
    s = real_array("s", s)
    if s.ndim:
        raise ValueError(f"s: got shape {s.shape}; needs one number")
    return s.astype(at_least_single(u).real.dtype)


def _checked_axes(u: Array, axes: Sequence[int]) -> tuple[int, ...]:
    known = tuple(axis % u.ndim for axis in axes if -u.ndim <= axis < u.ndim)
    if len(known) != len(axes) or len(set(known)) != len(known) or not known:
        raise ValueError(f"axes: got {tuple(axes)}; needs distinct axes of an array of shape {u.shape}")
    if 0 in (u.shape[axis] for axis in known):
        raise ValueError(f"u: got shape {u.shape}; needs at least 1 point on each of the axes {tuple(axes)}")
    return known
