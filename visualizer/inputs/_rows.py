"""Lines of a file, each an input of its own: `names.txt#3` is the third line of a text, `digits.csv#17` one of a table.

A file of a million lines is never read whole: where the first lines begin is looked up once, and one line is read when
it is asked for.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from visualizer import titles
from visualizer.language import english, numeral, tr
from visualizer.over import MOST, class_of
from visualizer.trace import Array, Refused

TABLES, TEXTS = (".csv", ".tsv"), (".txt",)
MARKS = ";\t|"
"""What can stand between columns; where none of them is in most lines it is a comma, which stands in numbers, too."""
MOST_LINES = 0.8
MOST_LINE = 1 << 20
"""Bytes of one line."""
CHUNK = 1 << 22
LABELS = ("label", "class", "target", "digit", "y")
"""How the column with the class is called."""
WORDS = ("text", "name", "sentence", "review", "input")
"""How the column with the text is called."""
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
COMMA = re.compile(r"\s*[+-]?\d*,\d+\s*")
"""A number as German and French write it: `0,43`."""


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    name: str
    """`digits.csv#17`."""
    cells: tuple[str, ...]
    head: tuple[str, ...] = ()
    """What its columns are called, where the first line says so."""
    labels: tuple[str, ...] = ()
    """Names of the classes that the model tells apart."""

    @property
    def title(self) -> str:
        """`digits.csv, line 17`."""
        file, _, line = self.name.rpartition("#")
        return english("{file}, line {line}").format(file=Path(file).name, line=line)

    def label_at(self, width: int = 0) -> int | None:
        """The column with the label: the one that is called so, or the first where there is one more than `width`."""
        named = next((place for place, word in enumerate(self.head) if word.strip().lower() in LABELS), None)
        return 0 if named is None and width and len(self.cells) == width + 1 else named

    def label(self, width: int = 0) -> int | None:
        """The class that stands in it, where one does."""
        place = self.label_at(width)
        word = self.cells[place].strip() if place is not None and place < len(self.cells) else ""
        found = class_of(word, self.labels) if word else -1
        return None if found < 0 else found

    def numbers(self, width: int = 0) -> Array:
        """All its numbers but the label; raises Refused with one sentence, which names the column."""
        beside = self.label_at(width)
        cells = [cell for place, cell in enumerate(self.cells) if place != beside]
        for place, cell in enumerate(cells, 1):
            if not (NUMBER.fullmatch(cell) or COMMA.fullmatch(cell)):
                raise Refused(tr("{row} has {cell} in column {column}, which is no number.").format(
                    row=titles.told(self.title), cell=repr(cell.strip()[:20] or tr("nothing")), column=place))
        return np.array([float(cell.replace(",", ".")) for cell in cells])

    def text(self) -> str:
        """What is to be read in it: the column that is called so, or the first that is neither label nor number."""
        named = next((place for place, word in enumerate(self.head) if word.strip().lower() in WORDS), None)
        beside = self.label_at()
        others = [cell for place, cell in enumerate(self.cells) if place != beside and cell.strip()
                  and not NUMBER.fullmatch(cell)]
        found = self.cells[named] if named is not None and named < len(self.cells) else next(iter(others), "")
        if not found.strip():
            raise Refused(tr("{row} holds no text.").format(row=titles.told(self.title)))
        return found.strip()


def row_in(word: str) -> tuple[Path, int] | None:
    """The file and the number of the line, from 1, that a word names; None for any other word."""
    found = re.fullmatch(r"(.+)#([1-9]\d{0,8})", word) if len(word) < 1000 and "\n" not in word else None
    if found is None or Path(found[1]).suffix.lower() not in (*TABLES, *TEXTS):
        return None
    return Path(found[1]), int(found[2])


def row(word: str, facts: Mapping[str, Any]) -> Row | str:
    """The row of a table that a word names, or a line of a text; raises Refused with one sentence."""
    named = row_in(word)
    assert named is not None
    path, number = named
    line = line_of(path, number)
    if path.suffix.lower() in TEXTS:
        return line
    table = layout(path)
    found = next(csv.reader([line], delimiter=table.mark, skipinitialspace=True), [])
    return Row(word, tuple(found), table.head, tuple(map(str, facts.get("labels", ()))))


# --- where lines begin ----------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Lines:
    """Where the lines of a file begin."""

    starts: Sequence[int]
    """Bytes; those of the first lines, and the end of the last of them."""
    count: int
    """How many there are in all."""


def lines(path: Path) -> Lines:
    """The lines of a file, counted; raises Refused if it cannot be read."""
    try:
        told = path.stat()
        return _lines(path, told.st_mtime_ns, told.st_size)
    except OSError as error:
        raise Refused(tr("There is no file {path}; check the name.").format(path=path) if not path.exists() else
                      tr("{path} cannot be read ({why}); choose another file.").format(
            path=path, why=error.strerror or error)) from error


@lru_cache(maxsize=4)
def _lines(path: Path, changed: int, size: int) -> Lines:
    starts, count, offset, last = [0], 0, 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if len(starts) <= MOST + 1:
                ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + offset + 1
                starts += ends[:MOST + 2 - len(starts)].tolist()
                count += len(ends)
            else:
                count += chunk.count(b"\n")
            offset, last = offset + len(chunk), chunk[-1:]
    if last != b"\n":
        count += 1
        starts.append(offset)
    return Lines(starts, count)


def line_of(path: Path, number: int) -> str:
    """One line of a file, without its end; raises Refused with one sentence."""
    known = lines(path)
    if number >= len(known.starts):
        raise Refused(tr("{file} has no line {number}; it has {count}.").format(
            file=path.name, number=numeral(f"{number:,}"), count=numeral(f"{known.count:,}")))
    start, end = known.starts[number - 1], known.starts[number]
    if end - start > MOST_LINE:
        raise Refused(tr("Line {number} of {file} is longer than {most} MB.").format(
            number=numeral(f"{number:,}"), file=path.name, most=MOST_LINE >> 20))
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start).decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except OSError as error:
        raise Refused(tr("There is no file {path}; check the name.").format(path=path)) from error
    except UnicodeDecodeError:
        raise Refused(tr("{file} is no text in UTF-8; save it again as UTF-8.").format(file=path.name)) from None


# --- how a table is written -----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    mark: str
    """What stands between its columns."""
    head: tuple[str, ...]
    """What its columns are called; none where the first line holds values."""


def layout(path: Path) -> Layout:
    """The mark that sets the columns of most of the first lines apart, and the heading; raises Refused if the file
    cannot be read."""
    return _layout(path, lines(path))


@lru_cache(maxsize=4)
def _layout(path: Path, known: Lines) -> Layout:
    first = [line for line in (line_of(path, number) for number in range(1, min(21, len(known.starts))))
             if line.strip()]
    mark = next((mark for mark in MARKS if first and _share(first, mark) >= MOST_LINES), ",")
    cells = [next(csv.reader([line], delimiter=mark, skipinitialspace=True), []) for line in first[:2]]
    return Layout(mark, tuple(cells[0]) if cells and _is_head(cells) else ())


def _share(first: Sequence[str], mark: str) -> float:
    """Of how many lines a mark makes several columns."""
    return sum(len(row) > 1 for line in first for row in csv.reader([line], delimiter=mark)) / len(first)


def _is_head(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: nothing in it is a number, and one is known by its name or the second row
    has a number where it has none."""
    if any(NUMBER.fullmatch(cell) or COMMA.fullmatch(cell) for cell in cells[0]):
        return False
    known = any(cell.strip().lower() in (*LABELS, *WORDS) for cell in cells[0])
    return known or any(NUMBER.fullmatch(cell) or COMMA.fullmatch(cell) for row in cells[1:] for cell in row)
