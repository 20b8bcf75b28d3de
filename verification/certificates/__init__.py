"""Inequalities on whole compact domains: subdivided in ball arithmetic, and checked again by independent means."""

from functools import cache

from .catalogue import INEQUALITIES, WRONG
from .certificate import Certificate, as_record, from_record, read, write
from .recheck import RefusedError, recheck
from .subdivision import Inequality, subdivide


@cache
def certify(name: str, bits: int = 80) -> tuple[Certificate, int]:
    """The certificate of an inequality of the catalogue, and the boxes of its re-check: 0 if it is not certified.

    Raises RefusedError if the re-check does not confirm it, and KeyError for another name.
    """
    certificate = subdivide(INEQUALITIES[name], bits=bits)
    return certificate, recheck(certificate) if certificate.verdict.holds else 0


__all__ = [
    "INEQUALITIES",
    "WRONG",
    "Certificate",
    "Inequality",
    "RefusedError",
    "as_record",
    "certify",
    "from_record",
    "read",
    "recheck",
    "subdivide",
    "write",
]
