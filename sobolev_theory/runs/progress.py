"""Whether somebody watches: progress is shown on a terminal, and neither in a pipe nor under CI."""

import os
import sys


def on_a_terminal() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI")
