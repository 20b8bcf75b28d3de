"""How many samples are drawn, in which portions: groups, whose means are independent, in batches, compiled steps."""

from typing import NamedTuple

from ..model.arguments import check_choice, finite, flag, whole
from .normal_points import INDEPENDENT, Antithetic, NormalPoints, is_even, sobol_net
from .options import MethodName, Options

FEWEST_GROUPS = 32  # fewer say too little about their own spread to stop on it
GROUP = 2**8
NET = 2**12  # by default at most, and so small that
NET_GROUPS = 128  # are left
MOST_GROUPS = 2**32 - 1  # their numbers are folded into the key, as words of 32 bits; the last is the pilot's


class Plan(NamedTuple):
    """Portions of a stream, and when it stops."""

    group: int
    groups: int  # in a batch
    batches: int  # at most
    standard_error: float | None
    covariance: bool
    progress: bool | None

    @property
    def batch(self) -> int:
        return self.group * self.groups


def plan_of(options: Options, dimension: int) -> tuple[Plan, NormalPoints]:
    """Of the options, checked.

    Raises:
        TypeError, ValueError: with the name of the option.
    """
    samples = whole("samples", options.get("samples", 2**20), 2)
    batch = whole("batch", options.get("batch", 2**14), 1)
    covariance = flag("covariance", options.get("covariance", False))
    group, points = _group(options, samples, batch, dimension)
    groups = -(-min(batch, samples) // group)
    batches = -(-samples // (group * groups))
    if batches * groups > MOST_GROUPS:
        raise ValueError(f"samples: got {samples}; needs at most {MOST_GROUPS * group} in groups of {group}")
    target, progress = options.get("standard_error"), options.get("progress")
    if target is not None:
        target = finite("standard_error", target, above=0, words="or None")
    if progress is not None:
        progress = flag("progress", progress, " or None")
    return Plan(group, groups, batches, target, covariance, progress), points


def _group(options: Options, samples: int, batch: int, dimension: int) -> tuple[int, NormalPoints]:
    """How many points a group has, and how they are drawn."""
    given, method = options.get("group"), options.get("method", "auto")
    check_choice("method", method, MethodName)
    group = whole("group", GROUP if given is None else given, 1)
    if given is not None and group > batch:
        raise ValueError(f"group: got {group}; needs at most batch = {batch}")
    is_power = not group & (group - 1)
    if method == "sobol" and not is_power:
        raise ValueError(f"group: got {group}; needs a power of two for method='sobol'")
    net = group if given is not None else GROUP if options.get("covariance") else min(NET, samples // NET_GROUPS)
    group, net = (max(1, min(size, batch, samples // FEWEST_GROUPS)) for size in (group, net))
    if is_power:
        net = 2 ** (net.bit_length() - 1)
    if method == "sobol" or (method == "auto" and is_even(net, dimension)):
        return net, sobol_net(net, dimension)
    return group, Antithetic() if method == "antithetic" else INDEPENDENT
