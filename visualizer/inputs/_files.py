"""Files that are given as input, treated as hostile: how large they are is checked before they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from visualizer.language import tr
from visualizer.trace import Array, Refused

MOST_BYTES = 64 << 20
"""A file that is larger than this is refused before it is read."""
OF_NUMBERS = (".npy", ".csv", ".txt")
"""Endings of files that hold an array of numbers."""
MOST_SYMBOLS = 10_000
"""Characters of a text, rows of a table: one recording of more steps would take minutes and gigabytes."""


def checked(path: Path, instead: str) -> Path:
    """The file, if there is one and it is not too large; `instead` says what to do with a large one."""
    if not path.is_file():
        raise Refused(tr("There is no file {path}; check the name.").format(path=path))
    if path.stat().st_size > MOST_BYTES:
        raise Refused(tr("{file} is larger than {most} MB; {instead}.").format(
            file=path.name, most=MOST_BYTES >> 20, instead=instead))
    return path


def words_in(path: Path) -> str:
    """A file in UTF-8, with plain line ends; raises Refused with one sentence."""
    try:
        return checked(path, tr("choose a shorter text")).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Refused(tr("{file} is no text in UTF-8; save it again as UTF-8.").format(file=path.name)) from None


def numbers_in(path: Path) -> Array:
    """The array of a `.npy`, or the rows of a `.csv` or `.txt`: whole numbers where no point is written, one row as a
    line; nothing in it can run. Raises Refused with one sentence."""
    try:
        if path.suffix.lower() == ".npy":
            found: Array = np.load(checked(path, tr("choose a smaller array")), mmap_mode="r",
                                   allow_pickle=False)  # mapped: a header may claim more than there is
            found = np.array(found)
        else:
            words = words_in(path).replace(";", ",").replace(",", " ")
            rows = [[float(cell) for cell in line.split()] for line in words.splitlines() if line.strip()]
            found = np.array(rows[0] if len(rows) == 1 else rows)
            found = found if set(words) & set(".eEnN") else found.astype(np.int64)
    except (ValueError, EOFError, IndexError) as error:
        raise Refused(tr("{file} holds no array of numbers ({why}); save one with numpy.save, or as rows of one length."
                         ).format(file=path.name, why=str(error).partition("\n")[0].rstrip("."))) from error
    if found.dtype.kind not in "fiub" or not found.size:
        raise Refused(tr("{file} holds no numbers; save an array of them.").format(file=path.name))
    return found
