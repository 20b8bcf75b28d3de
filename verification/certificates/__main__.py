"""python -m verification.certificates: certify every inequality into a folder, or re-check files.

Exit status: 0 if all is certified and confirmed, 1 if not, 2 for bad input.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import INEQUALITIES, RefusedError, certify, read, recheck, write


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return _recheck(options.files) if options.files else _certify(options.write)
    except (OSError, ValueError) as error:
        print(f"python -m verification.certificates: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m verification.certificates", description=__doc__)
    p.add_argument(
        "files", nargs="*", type=Path, metavar="FILE.json", help="certificates to check again, not made anew"
    )
    p.add_argument("--write", type=Path, metavar="FOLDER", help="write one file per inequality there")
    return p


def _certify(folder: Path | None) -> int:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    held = True
    for name in INEQUALITIES:
        certificate, rechecked = certify(name)
        held &= certificate.verdict.holds
        print(
            f"{name:24} {certificate.verdict.value}: {len(certificate.boxes)} boxes, depth {certificate.depth}, "
            f"{certificate.precision} bits; re-checked on {rechecked} boxes"
        )
        if folder is not None:
            write(folder / f"{name}.json", certificate)
    return 0 if held else 1


def _recheck(files: Sequence[Path]) -> int:
    held = True
    for path in files:
        try:
            certificate = _read(path)
            print(f"{path}: {certificate.inequality} confirmed on {recheck(certificate)} boxes")
        except RefusedError as error:
            held = False
            print(f"{path}: refused: {error}")
    return 0 if held else 1


def _read(path: Path):
    try:
        return read(path)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"FILE: got {path}, which is not a certificate: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
