"""Claims for the tests of the runner: one that holds, one that raises, one that ends its process."""

import os

import numpy as np
import sympy as sp

from verification.checks import Quadrature
from verification.claim import Claim, Domain, Verdict
from verification.statements import equal, states

x = sp.Symbol("x")
SQUARE = states(equal(sp.Symbol("y"), x**2))
NUMBERS = Domain("x \\in (0, 1)", lambda generator: generator.uniform(), lambda generator: generator.uniform())


def _raises(_):
    raise RuntimeError("no value")


def _dies(_):
    os._exit(7)


def claim(name: str, define) -> Claim:
    return Claim(f"fragile/{name}", SQUARE, "here", NUMBERS, lambda x: np.square(x), (Quadrature(define),))


SOUND = claim("sound", lambda x: x * x)
CLAIMS = (claim("dies", _dies), SOUND, claim("raises", _raises), claim("sound-too", lambda x: x**2))
EXPECTED = {
    "fragile/dies": Verdict.ERROR,
    "fragile/sound": Verdict.SUPPORTED,
    "fragile/raises": Verdict.ERROR,
    "fragile/sound-too": Verdict.SUPPORTED,
}
