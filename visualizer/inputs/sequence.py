"""Tables of numbers, one row a step."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import titles
from visualizer.inputs import WORDS, Facts, Given, Grain, InputKind, Item, Row
from visualizer.inputs._files import MOST_NUMBERS, MOST_SYMBOLS, words_in
from visualizer.language import counted_as, english, numeral, tr
from visualizer.trace import Refused, Sample

MARK = "symbols:"
Numbers = NDArray[np.float64]
"""(step, feature)."""


def read(word: str, facts: Facts) -> Given:
    """A file of numbers, as many a step as the card says; raises Refused with one sentence."""
    shape = tuple(facts.get("shape", ()))
    numbers = sequence(word, shape[-1] if shape else None)
    return Given(Sample(word, f"{Path(word).name}, {len(numbers):,} steps"), numbers)


def row(found: Row, facts: Facts) -> Given:
    """The numbers of one row, step after step, as many a step as the card says."""
    features = int((tuple(facts.get("shape", ())) or (1,))[-1] or 1)
    numbers = found.numbers()
    if not numbers.size or len(numbers) % features:
        raise Refused(tr("{row} has {count} numbers, where the model reads {wanted} a step.").format(
            row=titles.told(found.title), count=numeral(f"{len(numbers):,}"), wanted=features))
    return Given(Sample(found.name, found.title, found.label()), numbers.reshape(-1, features))


def bundled(item: Item) -> Given:
    """A series with the times of its values, a table of which two values are marked, or one symbol a step as `typed`
    reads it."""
    spelled = item.about.get("spelled", "")
    table = _table(spelled, item.about["symbols"]) if spelled else np.array(item.about["numbers"], dtype=np.float64)
    table.flags.writeable = False
    if "times" in item.about:
        return Given(Sample(item.name, str(item.about["title"]), steps=tuple(map(str, item.about["times"]))), table)
    told = spelled or " + ".join(f"{value:.2f}" for value in item.about.get("marked", ()))
    title = str(item.about.get("title", f"{item.in_words}: {told}"))
    return Given(Sample(item.name, title, item.label), table)


def typed(words: str, facts: Facts) -> Given:
    """Symbols, one a step, for a model whose card lists in `symbols` which there are; each is a 1 in its own column."""
    known = str(facts.get("symbols", ""))
    if not known:
        raise Refused(tr("This model reads numbers, not symbols; name a file."))
    strange = "".join(dict.fromkeys(symbol for symbol in words if symbol not in known))
    if strange or not words:
        raise Refused(tr("{words} is no row of its symbols, {known}; write for example {mark}{known}.").format(
            words=repr(words[:40]), known=known, mark=MARK))
    return Given(Sample(f"{MARK}{words}", words), _table(words, known))


def _table(words: str, known: str) -> Numbers:
    return np.eye(len(known))[[known.index(symbol) for symbol in words]]


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """The numbers of each step: `0.431 2`; with a column of marks, `+0.431` where the mark is set; the symbol where
    one stands there, of a model whose card lists in `symbols` which there are."""
    mark, symbols = facts.get("mark"), facts.get("symbols")
    if symbols:
        return tuple(symbols[step.argmax()] if np.count_nonzero(step) == 1 == step.max() else _said(step.tolist(), None)
                     for step in raw)
    return tuple(_said(step.tolist(), mark) for step in raw)


def _said(step: list[float], mark: int | None) -> str:
    words = " ".join(f"{number:.3g}" for place, number in enumerate(step) if place != mark)
    return f"+{words}" if mark is not None and step[mark] else words


def sequence(path: str | Path, features: int | None = None) -> Numbers:
    """A table of numbers, (step, feature): one row a step, columns set apart by commas, semicolons or tabs.

    A first row without any number is a heading. Raises Refused with one sentence, which names the row and the column.
    """
    path = Path(path)
    try:
        rows = list(islice(_rows(path), MOST_SYMBOLS + 2))  # one may be a heading
    except csv.Error as error:
        raise Refused(tr("{file} is no table that can be read ({why}); save it again as CSV.").format(
            file=path.name, why=error)) from error
    if rows and not any(map(_is_number, rows[0])):
        del rows[0]
    if not rows:
        raise Refused(tr("{file} holds no numbers; give one row of numbers a step.").format(file=path.name))
    if len(rows) > MOST_SYMBOLS:
        raise Refused(tr("{file} has more than {most} rows; choose a shorter stretch.").format(
            file=path.name, most=numeral(f"{MOST_SYMBOLS:,}")))
    wanted, read = features or len(rows[0]), []
    for step, row in enumerate(rows, 1):
        if len(row) != wanted:
            counted = counted_as(len(row), tr("{count} number"), tr("{count} numbers"))
            refused = tr("{file} has {numbers} in row {row}, where the model reads {wanted}; give every step "
                         "{wanted}.") \
                if features else \
                tr("{file} has {numbers} in row {row}, where the first has {wanted}; give every step {wanted}.")
            raise Refused(refused.format(file=path.name, numbers=counted.format(count=len(row)), row=step,
                                         wanted=wanted))
        read.append(_step(path, step, row))
    return np.array(read)


def _rows(path: Path) -> Iterator[list[str]]:
    """The cells of each row that is not empty, row after row; raises Refused before a row is taken apart with which
    they would be more than are read, and csv.Error."""
    words = words_in(path)
    first = re.search(r"\S.*", words)
    mark = next((mark for mark in ";\t" if first and mark in first[0]), ",")
    return csv.reader(_lines(path, words, mark), delimiter=mark, skipinitialspace=True)


def _lines(path: Path, words: str, mark: str) -> Iterator[str]:
    cells = 0
    for line in re.finditer(r"^.*\S.*$", words, re.MULTILINE):
        cells += line[0].count(mark) + 1
        if cells > MOST_NUMBERS:
            raise Refused(tr("{file} holds more than {most} numbers; choose a shorter stretch.").format(
                file=path.name, most=numeral(f"{MOST_NUMBERS:,}")))
        yield line[0]


def _step(path: Path, step: int, row: list[str]) -> Numbers:
    """The numbers of one row; raises Refused with one sentence, which names the row and the column."""
    for column, cell in enumerate(row, 1):
        if not _is_number(cell) or not math.isfinite(float(cell)):
            raise Refused(tr("{file} has {cell} in row {row}, column {column}, which is no finite number; mend it "
                             "or leave the row out.").format(
                file=path.name, cell=repr(cell.strip()[:20] or tr("nothing")), row=step, column=column))
    return np.array(list(map(float, row)))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def grain(facts: Facts) -> Grain:
    """Numbers, step by step; or symbols, of a model whose card lists which there are."""
    known = str(facts.get("symbols", ""))
    if known:
        return Grain(("symbol",), "symbol", english("symbol"), english("symbols"), empty=None, known=known,
                     cut=lambda raw: np.array([known[place] for place in raw.argmax(1)], object),
                     join=lambda symbols: _table("".join(symbols), known))
    return Grain(("step", "number"), "step", english("step"), english("steps"))


INPUT = InputKind(
    "sequence", english("tables of numbers"), english("a table of numbers"), english("step"), (".csv", ".tsv"),
    read=read, row=row, bundled=bundled, typed=typed, mark=MARK,
    steps=steps, sign="12", choosers=(WORDS,), view="unrolled",
    grain=grain,
    suits=lambda offer, told: bool(told.kind) and offer.floats and len(offer.sizes) == 2)
