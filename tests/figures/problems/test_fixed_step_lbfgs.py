"""L-BFGS with a fixed step: by triangular solves what two loops over the pairs do, and its early ends."""

import jax
import jax.numpy as jnp
import numpy as np

from figures.problems import fixed_step_lbfgs as lbfgs

SIZE, HISTORY, RATE, INNER = 12, 4, 0.3, 5
MATRIX = np.diag(np.linspace(1.0, 20.0, SIZE)) + 0.3


def value_and_gradient(x):
    """A quadratic and a quartic."""
    return 0.5 * x @ MATRIX @ x + (x**4).sum() / 4, MATRIX @ x + x**3


def by_loops(x, steps):
    """As PyTorch documents and does it: one evaluation a move, pairs of positive curvature, two loops."""
    value, g = value_and_gradient(x)
    pairs, scale, count, before, move = [], 1.0, 0, None, None
    for _ in range(steps):
        for _ in range(INNER):
            if count:
                y = g - before
                if y @ move > lbfgs.LEAST_CURVATURE:
                    pairs = [*pairs, (move, y)][-HISTORY:]
                    scale = (y @ move) / (y @ y)
            q, kept = -g, []
            for s, y in reversed(pairs):
                kept.append((s @ q) / (s @ y))
                q = q - kept[-1] * y
            direction = scale * q
            for (s, y), a in zip(pairs, reversed(kept), strict=True):
                direction = direction + (a - (y @ direction) / (s @ y)) * s
            length = RATE * (min(1.0, 1 / np.abs(g).sum()) if count == 0 else 1.0)
            before, move, count = g, length * direction, count + 1
            if g @ direction > -lbfgs.CHANGE_TOLERANCE:
                break
            x = x + move
            old, (value, g) = value, value_and_gradient(x)
            if np.abs(g).max() <= lbfgs.GRADIENT_TOLERANCE or np.abs(move).max() <= lbfgs.CHANGE_TOLERANCE:
                break
            if abs(value - old) < lbfgs.CHANGE_TOLERANCE:
                break
    return x, count


def test_steps_are_those_of_two_loops_while_the_history_fills_turns_over_and_after_it_has_ended():
    starts = np.random.default_rng(0).normal(size=(3, SIZE))

    @jax.vmap
    def first(x):
        return lbfgs.start(x, *value_and_gradient(x), HISTORY)

    @jax.jit
    @jax.vmap
    def step(x, memory):
        return lbfgs.step(x, memory, value_and_gradient, RATE, INNER)

    x = jnp.asarray(starts)
    memory = first(x)
    for number in range(1, 31):
        x, memory = step(x, memory)
        if number in (1, 2, 5, 30):
            wanted, counts = zip(*(by_loops(start, number) for start in starts), strict=True)
            # Pairs of some 1e-5 near the end are differences of numbers of order 1.
            np.testing.assert_allclose(x, np.stack(wanted), rtol=0, atol=1e-9)
    assert memory.iterations.tolist() == list(counts)
    assert max(counts) < 30 * INNER  # some steps ended early
    assert np.abs(np.stack(wanted)).max() < 1e-4
