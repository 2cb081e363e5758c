"""The inputs that a program of torch.export was exported with: raw numbers in a zip inside its zip, whose pickle is
never read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np

from visualizer import unpack
from visualizer.trace import Array

MOST_BYTES = 48 << 20
INSIDE = re.compile(r"[^/]+/data/sample_inputs/[^/]+\.pt")
NUMBERED = re.compile(r"[^/]+/data/([0-9]{1,4})")


def example(file: str, place: int, numbers: str, sizes: Sequence[int], strides: Sequence[int]) -> Array | None:
    """The one at a place, of these numbers, sizes and strides; None where the file does not hold just so many bytes of
    it."""
    try:
        raw, dtype = _raw(file), np.dtype(numbers)
    except (TypeError, OSError):
        return None
    if not place < len(raw) or not prod(sizes) or prod(sizes) * dtype.itemsize != len(raw[place]):
        return None
    last = sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if last >= prod(sizes):
        return None
    whole = np.frombuffer(raw[place], dtype)
    found = np.lib.stride_tricks.as_strided(whole, tuple(sizes), [stride * dtype.itemsize for stride in strides]).copy()
    found.flags.writeable = False
    return found


@lru_cache(2)
def _raw(file: str) -> tuple[bytes, ...]:
    """The numbers of each input, in their order."""
    try:
        with unpack.opened(Path(file), 4 << 20) as archive:
            info = next((each for each in archive.infolist() if INSIDE.fullmatch(each.filename)), None)
            if info is None:
                return ()
            kept = io.BytesIO(unpack.read(archive, info, MOST_BYTES))
        with unpack.opened(kept) as inner:
            found = {int(name[1]): each for each in inner.infolist() if (name := NUMBERED.fullmatch(each.filename))}
            if sorted(found) != list(range(len(found))) or any(each.compress_type for each in found.values()):
                return ()
            return tuple(unpack.read(inner, found[place], MOST_BYTES) for place in range(len(found)))
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError):
        return ()
