"""Files that are given as input, treated as hostile: how large they are is checked before they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visualizer.language import numeral, tr
from visualizer.trace import Array, Refused

MOST_BYTES = 64 << 20
"""A file that is larger than this is refused before it is read."""
OF_NUMBERS = (".npy", ".csv", ".txt")
"""Endings of files that hold an array of numbers."""
MOST_SYMBOLS = 10_000
"""Characters of a text, rows of a table: one recording of more steps would take minutes and gigabytes."""
MOST_NUMBERS = 1_000_000
"""Numbers of a table: read one by one, those of as large a file as is opened would take minutes and gigabytes."""


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
            words = words_in(path).replace("\r", "\n").replace(";", ",").replace(",", " ")
            rows = _rows(path, words)
            found = np.array(rows[0] if len(rows) == 1 else rows)
            found = found if set(words) & set(".eEnN") else found.astype(np.int64)
    except (ValueError, EOFError, IndexError) as error:
        raise Refused(tr("{file} holds no array of numbers ({why}); save one with numpy.save, or as rows of one length."
                         ).format(file=path.name, why=str(error).partition("\n")[0].rstrip("."))) from error
    if found.dtype.kind not in "fiub" or not found.size:
        raise Refused(tr("{file} holds no numbers; save an array of them.").format(file=path.name))
    return found


def _rows(path: Path, words: str) -> list[list[float]]:
    rows: list[list[float]] = []
    left = MOST_NUMBERS
    for line in re.finditer(r"^.*\S.*$", words, re.MULTILINE):
        cells = line[0].split(maxsplit=left)
        left -= len(cells)
        if left < 0:
            raise Refused(tr("{file} holds more than {most} numbers; choose a smaller array.").format(
                file=path.name, most=numeral(f"{MOST_NUMBERS:,}")))
        rows.append(list(map(float, cells)))
    return rows


def target_in(words: str, labels: Sequence[str] = ()) -> Any:
    """What words say should be answered: a class by its number or label, a number, a list of them, or the numbers of a
    file. Raises Refused with one sentence."""
    plain = words.strip()
    if plain in labels:
        return labels.index(plain)
    if Path(plain).suffix.lower() in OF_NUMBERS:
        return numbers_in(Path(plain))
    parts = plain.strip("[]()").replace(",", " ").split()
    try:
        found = [int(part) if re.fullmatch(r"[+-]?\d+", part) else float(part) for part in parts]
    except ValueError:
        found = []
    if not found:
        raise Refused(tr("“{words}” is no target; write a class (4), a number (0.5), a list (1,0,2), or name a file of "
                         "numbers (.npy, .csv, .txt).").format(words=plain[:60]))
    return found[0] if len(found) == 1 and "," not in plain and "[" not in plain else found
