"""Table: what each network costs and how good it is; every number of it read off the recording or measured here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from visualizer import kinds
from visualizer.comparison.reader import Reader, half_life, kept, macs, recurrent
from visualizer.comparison.words import claimed
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Group, Mark, Rect, Table, Text, grouped, plain
from visualizer.scene.type import wrap


@dataclass(frozen=True)
class Fact:
    """One column of the table."""

    title: str
    value: Callable[[Reader], float]
    """NaN for what there is not, or is not measured yet."""
    said: Callable[[int, Reader, float], str]
    quantity: str
    measured: bool = False
    whole: float | None = None
    """What a full bar stands for; the largest of all networks without it."""


def facts() -> tuple[Fact, ...]:
    """The columns, those that give way first last."""
    return (
        Fact(tr("Parameters"), lambda it: it.trace.parameters, _counted("parameters"), "parameters"),
        Fact(tr("Multiply-adds"), lambda it: macs(it.trace), _counted("multiply-adds"), "multiply-adds"),
        Fact(tr("Steps that must wait"), lambda it: kinds.waits(it.trace), _counted("steps that must wait"),
             "steps that must wait"),
        Fact(tr("Right"), _accuracy, _right, "accuracy", measured=True, whole=1.0),
        Fact(tr("Time here"), _milliseconds, _time, "milliseconds", measured=True),
        Fact(tr("Memory"), lambda it: kept(it.trace), _bytes, "bytes kept"),
        Fact(tr("Gradient halves in"), _half_life, _steps, "half-life"),
    )


def _accuracy(reader: Reader) -> float:
    return math.nan if reader.measured is None else reader.measured.accuracy


def _milliseconds(reader: Reader) -> float:
    return math.nan if reader.measured is None else reader.measured.milliseconds


def _half_life(reader: Reader) -> float:
    found = half_life(reader.trace)
    return math.nan if found is None else found


def _counted(quantity: str) -> Callable[[int, Reader, float], str]:
    return lambda index, reader, value: claimed(index, numbers.count(int(value)), quantity)


def _right(index: int, reader: Reader, value: float) -> str:
    assert reader.measured is not None
    share = claimed(index, numbers.percent(value, 1), "accuracy")
    return f"{share} ± {claimed(index, numbers.percent(reader.measured.error, 1), 'standard error')}"


def _time(index: int, reader: Reader, value: float) -> str:
    return f"{claimed(index, numbers.significant(value, 2), 'milliseconds')} ms"


def _bytes(index: int, reader: Reader, value: float) -> str:
    large = value >= 1 << 20
    size = claimed(index, numbers.significant(value / (1 << (20 if large else 10)), 3),
                   "megabytes kept" if large else "kilobytes kept")
    return f"{size} {'MB' if large else 'KB'}"


def _steps(index: int, reader: Reader, value: float) -> str:
    shown = recurrent(reader.trace)
    if math.isinf(value) and shown is not None:
        return tr("not in {count} steps").format(
            count=claimed(index, numbers.count(shown.steps), "how many steps", shown.layer.name))
    return tr("{count} steps").format(count=claimed(index, numbers.significant(value, 2), "half-life"))


def drawn(readers: Sequence[Reader], box: Box, row: float, names: float) -> list[Mark]:
    """The table: a row a network, a bar under each number as long as its share of the largest."""
    names = min(0.24 * box.width, names)
    left = box.left + names + 12
    columns = [fact for fact in facts() if not fact.measured or any(reader.measured for reader in readers)]
    most = max(2, int((box.right - left) // 112))
    columns = columns[:most]
    pitch = (box.right - left) / len(columns)
    top = box.top + 22
    marks: list[Mark] = []
    for place, fact in enumerate(columns):
        x = left + place * pitch
        marks.append(Text(x, top, plain(fact.title), 12, 500, "ink-2", max_width=pitch - 10))
        values = [fact.value(reader) for reader in readers]
        known = [value for value in values if math.isfinite(value)]
        largest = fact.whole or max(known, default=0.0) or 1.0
        for index, (reader, value) in enumerate(zip(readers, values, strict=True)):
            y = top + 24 + index * row
            said = "–" if math.isnan(value) else fact.said(index, reader, value)
            marks.append(Text(x, y, plain(said), 14, 600, "ink" if not math.isnan(value) else "ink-2",
                              max_width=pitch - 8))
            if fact.measured and math.isnan(value):
                marks.append(Rect(x, y + 6, pitch - 22, 4, "hatch"))
            elif not math.isnan(value):
                marks.append(Rect(x, y + 6, pitch - 22, 4, "sunk", radius=2))
                share = 1.0 if math.isinf(value) else value / largest
                if share * (pitch - 22) >= 0.5:
                    marks.append(Rect(x, y + 6, (pitch - 22) * share, 4, "ink-2", radius=2))
    for index, reader in enumerate(readers):
        marks.append(Text(box.left, top + 24 + index * row, plain(reader.name), 13, 600, max_width=names))
    return grouped(Group(tr("costs")), [*marks, *_foot(readers, Box(left, top + 14 + len(readers) * row, box.right,
                                                                   box.bottom))])


def _foot(readers: Sequence[Reader], box: Box) -> list[Mark]:
    """By what and of how many it was measured."""
    found = next((reader.measured for reader in readers if reader.measured is not None), None)
    if found is None:
        return []
    said = []
    if found.runs:
        said.append(tr("time: median of {runs} runs, one input, in turn, on this machine with {where}").format(
            runs=found.runs, where=found.where))
    if found.of:
        said.append(tr("right: {of} bundled inputs, ± the standard error").format(of=numbers.count(found.of)))
    lines = wrap("; ".join(said), 11, box.width)[:1]
    return [Text(box.left, box.top + 12, plain(line), 11, 400, "ink-2") for line in lines]


def table(readers: Sequence[Reader]) -> Table:
    """The same as rows and columns, in plain numbers; what is not measured is empty."""
    rows: list[tuple[str | float | int, ...]] = []
    for reader in readers:
        values = [fact.value(reader) for fact in facts()]
        error = math.nan if reader.measured is None else reader.measured.error
        rows.append((reader.name, *("" if math.isnan(value) else value for value in values),
                     "" if math.isnan(error) else error))
    return Table(("network", *(fact.quantity for fact in facts()), "standard error"), tuple(rows))
