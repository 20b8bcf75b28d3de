"""What a certificate is: an inequality, the boxes that it was shown on, and how; exact, and as JSON.

Endpoints are rationals, so that nothing is lost on the way to a file and back.
"""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..claim import Verdict
from ..store import write_text

Interval = tuple[Fraction, Fraction]
Box = tuple[Interval, ...]
Point = tuple[Fraction, ...]

SCHEMA = 1


@dataclass(frozen=True)
class Certificate:
    """The outcome of a subdivision.

    Attributes:
        inequality: the name that the producer and the re-check know it by.
        statement: LaTeX, and `reduction` how it becomes a function of `variables` that must be positive.
        domain: the closed box it is stated on.
        verdict: CERTIFIED if `boxes` cover the domain and the function is positive on each; REFUTED if it is
            negative at the exact point `failure`; OPEN if the deepest box, `failure` its midpoint, decided nothing.
        boxes: those on which positivity was shown; of an unfinished subdivision, those shown so far.
        bound: a lower bound of the function on all of them, as a float below it.
        depth, precision, evaluations: bisections of the smallest box, bits, and boxes looked at.
    """

    inequality: str
    statement: str
    reduction: str
    variables: tuple[str, ...]
    domain: Box
    verdict: Verdict
    boxes: tuple[Box, ...]
    bound: float
    depth: int
    precision: int
    evaluations: int
    failure: Point | None = None


def as_record(certificate: Certificate) -> dict[str, Any]:
    """What the JSON file holds: rationals as "p/q"."""
    record = dict(vars(certificate))
    record["schema"] = SCHEMA
    record["verdict"] = certificate.verdict.value
    record["domain"] = _box_text(certificate.domain)
    record["boxes"] = [_box_text(box) for box in certificate.boxes]
    record["failure"] = None if certificate.failure is None else [str(x) for x in certificate.failure]
    return record


def from_record(record: dict[str, Any]) -> Certificate:
    """The certificate of a record; raises ValueError for another schema."""
    if record.get("schema") != SCHEMA:
        raise ValueError(f"certificate: got schema {record.get('schema')!r}; needs {SCHEMA}")
    fields = {key: value for key, value in record.items() if key != "schema"}
    fields["variables"] = tuple(record["variables"])
    fields["verdict"] = Verdict(record["verdict"])
    fields["domain"] = _box_of(record["domain"])
    fields["boxes"] = tuple(_box_of(box) for box in record["boxes"])
    fields["failure"] = None if record["failure"] is None else tuple(Fraction(x) for x in record["failure"])
    return Certificate(**fields)


def write(path: Path, certificate: Certificate) -> None:
    """The file appears whole or not at all."""
    write_text(path, json.dumps(as_record(certificate), indent=1) + "\n")


def read(path: Path) -> Certificate:
    return from_record(json.loads(path.read_text(encoding="utf-8")))


def _box_text(box: Box) -> list[list[str]]:
    return [[str(lower), str(upper)] for lower, upper in box]


def _box_of(texts: list[list[str]]) -> Box:
    return tuple((Fraction(lower), Fraction(upper)) for lower, upper in texts)
