"""A small sweep and its rows, for the tests of sweeps."""

import jax.numpy as jnp
import numpy as np

import sobolev_theory as st

RHO, THETA = np.array([0.5, 1.0, 2.0]), np.linspace(0.1, 3.0, 7)
AXES = {"rho": RHO, "theta": THETA}


def polar(rho, theta):
    point = rho * jnp.stack([jnp.cos(theta), jnp.sin(theta)])
    return {"point": point, "outer": jnp.outer(point, point), "right": point[0] > 0, "height": point[1]}


def expected_polar(rho, theta):
    point = rho[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    return {
        "point": point,
        "outer": point[:, :, None] * point[:, None, :],
        "right": point[:, 0] > 0,
        "height": point[:, 1],
    }


def sweep(path, function=polar, axes=AXES, **options):
    return st.sweep(function, axes, path, **{"checkpoint_every": 0} | options)


def assert_columns(columns, expected):
    assert list(columns) == list(expected)
    for name, values in expected.items():
        assert columns[name].dtype == values.dtype
        # Sines and cosines of two libraries, and a product: some roundings of numbers up to 4.
        np.testing.assert_allclose(columns[name], values, rtol=1e-14, atol=1e-15)
