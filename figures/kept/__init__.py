"""What lies on disk: data while it is current, cells and checkpoints of what was interrupted, and by what keys."""

from .archives import Arrays
from .keep import Keep

__all__ = ["Arrays", "Keep"]
