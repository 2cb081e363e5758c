"""Shared: the numbers of a large recording, in one file that the engine and the window both read.

They cross without being copied, are in memory once for the two of them, and a layer that nobody looks at is never read
by the window. The engine writes the file, closes it, and never touches it again; only then does it tell the window its
name. The window maps it and takes the name away, so that it is gone with the last of the two that holds it.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from visualizer import registry
from visualizer.trace import MOST_BYTES, Array, Trace, apart, arrays_in, together, write_arrays

LARGE = 16 << 20
"""Bytes of numbers, with their gradients, from which on a recording crosses in a file: less is through the pipe as
fast."""
ROOM = 2 << 30
"""Bytes that must be free in memory's own file system for the file to lie there; else it lies on the disk."""
IN_MEMORY = Path("/dev/shm")
FOLDERS = re.compile(r"visualizer-([0-9]+)-.+")
"""What the folder of a window is called, and which process that is."""
FILES = re.compile(r"[0-9]+\.numbers")

_into: Path | None = None
"""Where this process, an engine, writes."""
_written: WeakKeyDictionary[Trace, str] = WeakKeyDictionary()
"""The file that holds a recording."""
_numbers = count(1)


# --- the window's side ----------------------------------------------------------------------------------------------

def folder() -> Path | None:
    """A new folder that only this person reads; None where none can be made: then all goes through the pipe."""
    base = Path(tempfile.gettempdir())
    with suppress(OSError):
        if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= ROOM:
            base = IN_MEMORY
    registry.sweep(base, FOLDERS)
    with suppress(OSError):
        return Path(tempfile.mkdtemp(prefix=f"visualizer-{os.getpid()}-", dir=base))
    return None


def remove(where: Path | None) -> None:
    """Take the folder away with all that is in it; what is mapped already stays readable."""
    if where is not None:
        shutil.rmtree(where, ignore_errors=True)


def taken(where: Path, name: str, size: int) -> dict[str, Array]:
    """The arrays of a file that the engine has written, mapped for reading, and its name taken away. Raises ValueError
    or OSError for what is none of its files."""
    if not FILES.fullmatch(name):
        raise ValueError("a file of numbers has another name")
    path = where / name
    mapped = _mapped(path, size)
    with suppress(OSError):  # Windows keeps what is mapped; its folder goes when the engine ends
        path.unlink()
    return arrays_in(mapped)


def _mapped(path: Path, size: int) -> memoryview:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    try:
        if os.fstat(handle).st_size != size or not 0 < size <= MOST_BYTES:
            raise ValueError("a file of numbers is not as long as it was said to be")
        return memoryview(mmap.mmap(handle, size, access=mmap.ACCESS_READ))
    finally:
        os.close(handle)


# --- the engine's side ----------------------------------------------------------------------------------------------

def write_into(where: Path | None) -> None:
    """From now on large recordings of this process are written into a folder."""
    global _into
    _into = where


def is_large(trace: Trace) -> bool:
    """Whether its numbers go into a file."""
    held: dict[int, int] = {}
    for layer in trace.layers:
        held |= {id(array): array.nbytes for array in (layer.output, *layer.weights.values())}
    return 2 * sum(held.values()) >= LARGE


def shared(trace: Trace) -> Trace:
    """The same recording; a large one with its numbers in a file, and no longer in this process's own memory."""
    if _into is None or not is_large(trace):
        return trace
    header, arrays = apart(trace)
    try:
        path = _wrote(_into, arrays)
        found = together(json.loads(json.dumps(header)), arrays_in(_mapped(path, path.stat().st_size)))
    except OSError:  # no room there
        return trace
    _written[found] = path.name
    return found


def offered(trace: Trace) -> tuple[str, int, dict[str, Any]] | None:
    """Name and length of the file that holds a recording's numbers, and all else of it; None for a small one, and where
    there is no room for a file."""
    if _into is None or not is_large(trace):
        return None
    header, arrays = apart(trace)
    name = _written.pop(trace, "")
    try:
        path = _into / name if name else _wrote(_into, arrays)
        return path.name, path.stat().st_size, header
    except OSError:
        return None


def _wrote(where: Path, arrays: dict[str, Array]) -> Path:
    """A whole file of these arrays; nothing stays of one that could not be written."""
    path = where / f"{next(_numbers)}.numbers"
    try:
        with path.open("xb") as file:
            write_arrays(file, arrays)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    return path
