"""Monte-Carlo estimates of the population functions: the only place that draws samples.

Five estimators with the names and the first arguments of the exact functions they check, independent of them: they
know a network as a function and differentiate it by JAX (`integrands`), in a stream of batches (`stream`).
`expectation` is the same stream for any function of z ~ N(0, I), without `sampling` and `control`.
All loop in Python over compiled batches: they cannot be called under jax.jit.

Keywords of all five:
    key: a JAX PRNG key, jax.random.key(0) or the older jax.random.PRNGKey(0). The same key, samples and group give
        the same estimate; different functions with one key see the same x, so their errors are correlated.
    samples: how many to draw, at most, if `standard_error` is given; rounded up to whole batches, at most 2**32 - 1
        groups. Default 2**20.
    standard_error: stop as soon as every component's standard error is at most this. Default None: never.
    batch: samples per compiled step. Between batches the standard error is checked. Default 2**14.
    group: samples per group mean; memory in a step is that of one group. Default 2**8; of a Sobol' net up to 2**12
        without `covariance`, as long as 128 groups are left, for larger nets are better. Small `samples` shrink it.
    method: how the points of a group are drawn (`normal_points`): "independent"; "antithetic", in pairs z, -z;
        "sobol", a randomised net, whose size must be a power of two. All are unbiased, and error bars come from
        independent groups. Default "auto": a net, where it has at least 2**6 points and is even in all pairs of
        coordinates, and else independent points. `Estimate.method` says what it was.
    control: a SobolevLoss, usually of lower order: the same function of it, sampled at the same x, is a control
        variate, whose expectation is the closed form; how much of it is subtracted, component by component, is found
        by a pilot with a key of its own: 32 to 128 more groups, one for 16 of the stream, which `Estimate.samples`
        does not count. Default None: the estimate knows no closed form.
        The documentation has what each divides the variance by, and `benchmarks.variance` measures it.
    sampling: "ambient" draws x in R^d. "span" draws it in the span of the neurons and rotates the result back:
        cheaper in high dimension, with a smaller variance, and less independent of the theory.
    covariance: whether to estimate the covariance of the mean too; memory D^2 for D components. Default False.
    mesh: a jax.sharding.Mesh of devices, also of several processes of jax.distributed, which then all make the same
        call. Each device takes one batch at a time. The estimate is that of one device, to rounding. Default None.
    checkpoint: a file for the state of the run, or a symbolic link to one, which stays a link; `~` is the user's
        home. Where it is there, the run goes on from it. Killed at any moment and
        started again, it ends in the same bits on the same mesh, and on another one to rounding. A finished one is
        read back, and goes on where more `samples` or a smaller `standard_error` are asked for, to the bits of a run
        that asked for them at once. Its batch and group stay: give `group` to runs of few samples, whose groups are
        small, and with a control let the first have 2048 groups, whose pilot is the largest.
        Processes that share a mesh all give it, and are one or all; process 0 reads and writes. Default None.
    checkpoint_every: seconds from one state to the next. Default 10.
    exact_error: for `population_gradient` of ReLU, L2 and H1: standard errors of the weights from the closed form of
        the second moments, and so many samples as these ask for; of independent points. Default False.
    progress: a progress bar on stderr; default None: if it is a terminal and CI is not set.

Raises, all five:
    TypeError, ValueError: arguments that do not fit each other; the message says which and what is needed.
    ValueError: a checkpoint that is of another problem, no checkpoint, truncated or corrupted, or has more samples.
    OSError: a checkpoint that cannot be written; before the first sample, if it cannot from the beginning.
    OverflowError: a sample's loss or derivative exceeds the dtype, which is that of the networks, 32 bit at least.
    FloatingPointError: a sample's loss or derivative is NaN. Both messages name the batch, and the key of the group.

Example:
    >>> import jax
    >>> import sobolev_theory as st
    >>> student, teacher = st.Network([1.0, 0.0]), st.Network([0.0, 1.0])
    >>> estimate = st.montecarlo.population_loss(student, teacher, key=jax.random.key(0), samples=2**16)
    >>> bool(abs(estimate.mean - st.population_loss(student, teacher)) < 5 * estimate.standard_error)
    True
"""

from .estimators import (
    boundary_term,
    loss_gradient,
    population_gradient,
    population_jacobian,
    population_loss,
)
from .expectations import expectation
from .stream import Estimate

__all__ = [
    "Estimate",
    "boundary_term",
    "expectation",
    "loss_gradient",
    "population_gradient",
    "population_jacobian",
    "population_loss",
]
__dir__ = __all__.copy
