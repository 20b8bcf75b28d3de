"""Standard normal points of one group, by method: independent, in antithetic pairs, or a randomised Sobol' net.

Whatever the method, every single point is N(0, I) and groups are independent: a group's mean is unbiased, and error
bars come from the scatter of the groups alone. Within a group the methods differ:
* antithetic pairs z, -z integrate every odd function exactly, and have half as many random numbers;
* a Sobol' net of 2^m points fills the unit cube evenly; its normals are sqrt(2) erfinv(2 u - 1). A net is randomised
  by Owen's nested scrambling, which spreads the errors of the groups like a normal distribution: of 8192 means of a
  step function in two dimensions the kurtosis was 3.0, with random linear scrambling 4 to 5. It is a hash (Laine &
  Karras 2011, the constants of Vegdahl 2021) in place of random bits for every prefix of digits: a bijection of the
  digits with a random shift before and a random summand within, each of which makes a point uniform by itself.
"""

import functools
import warnings
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt32

BITS = 32  # of a coordinate of a net; below them a random fraction, common to the group

# Points of the smallest net that pays: below it, randomising costs more than drawing.
SMALLEST_NET = 2**6

HIGHEST_DIMENSION = 21201  # for which SciPy has direction numbers


def at_least_single(dtype) -> Any:
    """What is drawn and averaged in: in 16 bit normal numbers are coarse, and counts end at 256."""
    return dtype if dtype.itemsize >= 4 else jnp.dtype(jnp.float32)


class NormalPoints(eqx.Module):
    """Independent standard normal points, and the base of the other methods."""

    name: ClassVar[str] = "independent"

    def normals(self, key: jax.Array, size: int, dimension: int, dtype) -> Float[Array, "n q"]:
        return jax.random.normal(key, (size, dimension), dtype)

    def coins(self, key: jax.Array, size: int, dtype) -> Float[Array, " n"]:
        """1 or -1, fair and independent of the normals."""
        return jax.random.rademacher(key, (size,), dtype)


INDEPENDENT = NormalPoints()


class Antithetic(NormalPoints):
    """z and -z, the coins likewise; the last of an odd number is alone."""

    name: ClassVar[str] = "antithetic"

    def normals(self, key: jax.Array, size: int, dimension: int, dtype) -> Float[Array, "n q"]:
        return _mirrored(super().normals(key, -(-size // 2), dimension, dtype), size)

    def coins(self, key: jax.Array, size: int, dtype) -> Float[Array, " n"]:
        return _mirrored(super().coins(key, -(-size // 2), dtype), size)


def _mirrored(half: Float[Array, "h ..."], size: int) -> Float[Array, "n ..."]:
    return jnp.concatenate([half, -half])[:size]


class SobolNet(NormalPoints):
    """A net of 2^m points, randomised by the key.

    Attributes:
        directions: those of `directions`.
    """

    name: ClassVar[str] = "sobol"
    directions: UInt32[Array, "m q"]

    def normals(self, key: jax.Array, size: int, dimension: int, dtype) -> Float[Array, "n q"]:
        words = jax.random.bits(key, (4, 1, 1, dimension), jnp.uint32)
        half = len(self.directions) // 2
        low, high = _combinations(self.directions[:half])[None], _combinations(self.directions[half:])[:, None]
        # Point n = (i, j) is high[i] ^ low[j]. The barrier keeps the two small tables from being made anew for each.
        low, high, words = jax.lax.optimization_barrier((low ^ words[0], high, words))
        digits = _reversed(_nested(high ^ low, words[1], words[2]))
        signed = jax.lax.bitcast_convert_type(digits, jnp.int32).astype(dtype)
        u = (signed + words[3].astype(dtype) * 2.0**-BITS) * 2.0 ** (1 - BITS)  # uniform in (-1, 1), not on a grid
        largest = 1 - float(jnp.finfo(dtype).eps) / 2  # rounding must not make an infinite point
        z = np.sqrt(2).astype(dtype) * jax.lax.erf_inv(jnp.clip(u, -largest, largest))
        return z.reshape(size, dimension)


def _combinations(directions: UInt32[Array, "m q"]) -> UInt32[Array, "n q"]:
    """XOR over the binary digits of n = 0 ... 2^m - 1."""
    points = jnp.zeros((1, directions.shape[1]), jnp.uint32)
    for direction in directions:
        points = jnp.concatenate([points, points ^ direction[None]])
    return points


def _nested(x: UInt32[Array, "h l q"], summand: UInt32[Array, "1 1 q"], factor: UInt32[Array, "1 1 q"]):
    """A random bijection in which a bit depends on the bits below it, as in Owen's scrambling of reversed digits."""
    x = x ^ (x * np.uint32(0x3D20ADEA))
    x = (x + summand) * (factor | np.uint32(1))
    x = x ^ (x * np.uint32(0x05526C56))
    return x ^ (x * np.uint32(0x53A22864))


def _reversed(x):
    """The 32 bits in reverse order; of JAX and of NumPy arrays."""
    for places, digits in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF)):
        shift, mask = np.uint32(places), np.uint32(digits)
        x = ((x >> shift) & mask) | ((x & mask) << shift)
    return x


@functools.lru_cache(maxsize=16)
def directions(log_size: int, dimension: int) -> UInt32[np.ndarray, "m q"]:
    """v_j, digits reversed: the XOR over the binary digits j of n is a point of the net, digits reversed.

    SciPy's sequence (Joe & Kuo 2008) is in the order of the Gray code: its point 2^j is v_j XOR v_(j-1).
    """
    from scipy.stats import qmc  # here, for it takes longer to import than JAX

    sequence = qmc.Sobol(dimension, scramble=False, bits=BITS)
    found, last = np.zeros((log_size, dimension), np.uint32), np.zeros(dimension, np.uint32)
    for j in range(log_size):
        if 2**j > sequence.num_generated:
            sequence.fast_forward(2**j - sequence.num_generated)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of points that are no net: they are not used as one
            last = np.uint32(sequence.random()[0] * 2.0**BITS) ^ last
        found[j] = last
    return _reversed(found)


def sobol_net(size: int, dimension: int) -> SobolNet:
    """A net of `size` points, a power of two.

    Raises:
        ValueError: more dimensions than SciPy has direction numbers for.
    """
    if dimension > HIGHEST_DIMENSION:
        raise ValueError(
            f"method: got 'sobol' in {dimension} dimensions; needs at most {HIGHEST_DIMENSION}, for which there are "
            "direction numbers: another method, or sampling='span'"
        )
    return SobolNet(jnp.asarray(directions(size.bit_length() - 1, dimension)))


def is_even(size: int, dimension: int) -> bool:
    """Whether a net of that size is even in every pair of coordinates, as far as their signs go.

    Where the first digits of two coordinates are the same function of n, their signs are tied in all of the net, and
    for an integrand that depends on them the net is worth one point. Up to 22 coordinates are free of it in a net of
    2^6 points, 112 in 2^8, 401 in 2^10 and 1068 in 2^12.
    """
    if size < SMALLEST_NET or size & (size - 1) or dimension > min(size // 2, HIGHEST_DIMENSION):
        return False
    first_digits = directions(size.bit_length() - 1, dimension) & 1
    return np.unique(first_digits, axis=1).shape[1] == dimension
