"""Memory: what recordings took goes back to the system when they go, instead of lying about between what is kept."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

LARGE = 1 << 18
"""Bytes of a block that is the system's own from the start, and goes back to it at once."""
EVERY = 20.0
"""Seconds after which the rest is looked through."""
_MMAP_THRESHOLD = -3
"""What mallopt(3) of the GNU C library calls it; by itself it grows with the largest block that was ever freed."""


def keep_large_apart() -> None:
    """From now on large blocks are asked from the system one by one; where that cannot be said, nothing happens."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Give what is free between smaller blocks back to the system; takes some milliseconds."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
