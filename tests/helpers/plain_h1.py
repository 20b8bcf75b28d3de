"""The H1 loss of ReLU networks and its gradient in a few lines of NumPy, of many students at once, for descent."""

import numpy as np


def pairs(w, output, rows, teacher_output):
    """Of students [B, K, n] to all neurons: masses, vectors, unit vectors, cosines, sines and directions."""
    every = np.concatenate([w, np.broadcast_to(rows, (len(w), *rows.shape))], axis=1)
    signed = np.concatenate([np.broadcast_to(x, (len(w), len(x.T))) for x in (output, -teacher_output)], axis=1)
    norm = np.linalg.norm(every, axis=2)
    u = every / norm[..., None]
    mine = u[:, : w.shape[1]]
    cos = np.clip(np.einsum("bkn,bmn->bkm", mine, u), -1, 1)
    step = np.where(cos < 0, -1.0, 1.0)[..., None] * u[:, None] - mine[:, :, None]
    across = step - np.sum(step * mine[:, :, None], axis=3, keepdims=True) * mine[:, :, None]
    sin = np.linalg.norm(across, axis=3)
    e = across / np.where(sin > 1e-14, sin, np.inf)[..., None]
    return signed, signed * norm, every, mine, cos, sin, e


def loss(w, output, rows, teacher_output, slopes=1.0):
    """Of every student; `slopes` is the weight of the derivatives."""
    every = np.concatenate([w, np.broadcast_to(rows, (len(w), *rows.shape))], axis=1)
    none = np.zeros((0, w.shape[2]))
    both = [np.broadcast_to(x, (len(w), len(x.T))) for x in (output, -teacher_output)]
    signed, _, _, _, cos, sin, _ = pairs(every, np.concatenate(both, axis=1), none, np.zeros(0))
    norm = np.linalg.norm(every, axis=2)
    beyond = np.pi - np.arctan2(sin, cos)
    kernel = norm[:, :, None] * norm[:, None] * (sin + (1 + slopes) * beyond * cos) / (2 * np.pi)
    return np.einsum("bk,bkm,bm->b", signed, kernel, signed) / 2


def gradient(w, output, rows, teacher_output, width=0.0):
    """Of the loss in weights; with a width, its cones |n| are those of sqrt(n^2 + width^2)."""
    return np.asarray(output)[..., None] * forces(w, output, rows, teacher_output, width)


def forces(w, output, rows, teacher_output, width=0.0):
    """The same over the output weight of the neuron; its product with w is the gradient in output weights."""
    signed, mass, every, mine, cos, sin, e = pairs(w, output, rows, teacher_output)
    both = np.einsum("bkm,bm,bmn->bkn", (np.pi - np.arctan2(sin, cos)) / np.pi, signed, every)
    both += np.sum(mass[:, None] * sin, axis=2)[..., None] * mine / (2 * np.pi)
    blunt = sin / np.sqrt(sin**2 + width**2) if width else 1.0
    boundary = np.einsum("bkm,bkmn->bkn", mass[:, None] * np.abs(cos) * blunt, e) / (2 * np.pi)
    return both + boundary


def descended(w, output, rows, teacher_output, time, steps):
    """Plain subgradient descent: it crosses the kinks to and fro."""
    w = np.array(w)
    for _ in range(steps):
        w -= time / steps * gradient(w, output, rows, teacher_output)
    return w


def descended_in_both(w, output, rows, teacher_output, time, steps, jump=1.0, linear=0.0, trains=True):
    """The same in weights and, if these train, output weights, of the activation jump ReLU(t) + linear t.

    E[ReLU(u) u'] is half of E[u u'] and so is that of the slopes: beside the square of the jump there is a loss of
    linear networks.
    """
    w, a, step = np.array(w), np.array(np.broadcast_to(output, w.shape[:2])), time / steps
    for _ in range(steps):
        difference = np.einsum("bk,bkn->bn", a, w) - teacher_output @ rows
        f = jump**2 * forces(w, a, rows, teacher_output) + 2 * linear * (jump + linear) * difference[:, None]
        w, a = w - step * a[..., None] * f, a - trains * step * np.sum(w * f, axis=2)
    return w, a
