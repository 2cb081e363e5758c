"""Table: what each network costs and how good it is; every number of it read off the recording or measured here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from visualizer import edits, kinds
from visualizer.comparison.reader import Reader, by_pixel, half_life, kept, overlap, recurrent, sees
from visualizer.comparison.words import claimed
from visualizer.kinds import waiting
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.accuracy import sample
from visualizer.scene.boxes import Box
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Group, Mark, Rect, Table, Text, grouped, plain


@dataclass(frozen=True)
class Fact:
    """One column of the table."""

    title: str
    """What it is; several ways to say it, the longest first, with a line between them."""
    value: Callable[[Reader], float]
    """NaN for what there is not, or is not measured yet."""
    said: Callable[[int, Reader, float], str]
    quantity: str
    measured: bool = False
    gives_way: int = 0
    """Where there is not room for all: those with the least number stay."""
    whole: float | None = None
    """What a full bar stands for; the largest of all networks without it."""


def facts(readers: Sequence[Reader] = ()) -> tuple[Fact, ...]:
    """The columns; where something is done to the input, right answers at that, too."""
    strength = next((reader.strength for reader in readers if reader.curve is not None), None)
    curve = next((reader.curve for reader in readers if reader.curve is not None), None)
    changed: tuple[Fact, ...] = ()
    if curve is not None and strength is not None:
        edit = edits.find(curve.grows)
        said = tr("changed") if edit.strength is None else edit.strength.said(strength)
        changed = (Fact(tr("Right at {strength}").format(strength=said), _at_strength, _right_there,
                        "accuracy at this strength", measured=True, whole=1.0),)
    pixels: tuple[Fact, ...] = ()
    if any(by_pixel(reader.trace) is not None for reader in readers):
        pixels = (
            Fact(tr("A pixel sees"), lambda it: _known(sees(it.trace)), _field, "most rows that a pixel sees"),
            Fact(tr("Mean IoU, here|IoU here"), lambda it: _known(overlap(it.trace)), _overlap, "mean IoU", whole=1.0),
            Fact(tr("Mean IoU, others|IoU, others"), _card_overlap, _overlap_told, "quality", whole=1.0, gives_way=1))
    return (
        *pixels,
        Fact(tr("Parameters"), lambda it: it.trace.parameters, _counted("parameters"), "parameters", gives_way=2),
        Fact(tr("Multiply-adds|MACs"), lambda it: kinds.macs(it.trace), _counted("multiply-adds"), "multiply-adds",
             gives_way=5),
        Fact(tr("Steps that must wait|Steps that wait"), lambda it: waiting.waits(it.trace),
             _counted("steps that must wait"), "steps that must wait", gives_way=3),
        Fact(tr("Right, unchanged|Unchanged") if changed else tr("Right"), _accuracy, _right, "accuracy", measured=True,
             whole=1.0),
        *changed,
        Fact(tr("Time here"), _milliseconds, _time, "milliseconds", measured=True, gives_way=4),
        Fact(tr("Memory"), lambda it: kept(it.trace), _bytes, "bytes kept", gives_way=7),
        Fact(tr("Gradient halves in|Halves in"), _half_life, _steps, "half-life", gives_way=6),
    )


def _known(found: float | None) -> float:
    return math.nan if found is None else float(found)


def _card_overlap(reader: Reader) -> float:
    """The mean overlap that its card tells of other pictures."""
    told = reader.trace.facts.get("quality")
    found = told.get("mean IoU") if isinstance(told, Mapping) else None
    return float(found) if isinstance(found, int | float) else math.nan


def _field(index: int, reader: Reader, value: float) -> str:
    answer = by_pixel(reader.trace)
    assert answer is not None
    size = claimed(index, numbers.count(int(value)), "most rows that a pixel sees", answer.layer)
    return tr("{size} rows").format(size=size)


def _overlap(index: int, reader: Reader, value: float) -> str:
    answer = by_pixel(reader.trace)
    assert answer is not None
    return claimed(index, numbers.number(value, 2), "mean IoU", answer.layer)


def _overlap_told(index: int, reader: Reader, value: float) -> str:
    return claimed(index, numbers.number(value, 2), "quality", array="mean IoU")


def _accuracy(reader: Reader) -> float:
    return math.nan if reader.measured is None else reader.measured.accuracy


def _at_strength(reader: Reader) -> float:
    point = reader.at_strength
    return math.nan if point is None else point.share


def _right_there(index: int, reader: Reader, value: float) -> str:
    assert reader.at_strength is not None
    return _with_error(index, value, reader.at_strength.error, "accuracy at this strength", "standard error there")


def _with_error(index: int, share: float, error: float, quantity: str, off: str) -> str:
    """`98.5 ± 0.6 %`."""
    said = (claimed(index, numbers.number(100 * each, 1), what) for each, what in ((share, quantity), (error, off)))
    return tr("{share} %").format(share=" ± ".join(said))


def _milliseconds(reader: Reader) -> float:
    return math.nan if reader.measured is None else reader.measured.milliseconds


def _half_life(reader: Reader) -> float:
    found = half_life(reader.trace)
    return math.nan if found is None else found


def _counted(quantity: str) -> Callable[[int, Reader, float], str]:
    return lambda index, reader, value: claimed(index, numbers.count(int(value)), quantity)


def _right(index: int, reader: Reader, value: float) -> str:
    assert reader.measured is not None
    return _with_error(index, value, reader.measured.error, "accuracy", "standard error")


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
    columns = [fact for fact in facts(readers) if not fact.measured
               or any(reader.measured or reader.curve for reader in readers)]
    most = max(2, int((box.right - left) // 112))
    columns = [fact for fact in columns if fact in sorted(columns, key=lambda fact: fact.gives_way)[:most]]
    pitch = (box.right - left) / len(columns)
    top = box.top + 20
    marks: list[Mark] = []
    for place, fact in enumerate(columns):
        x = left + place * pitch
        title = fitting(fact.title.split("|"), pitch - 10, 12, 500) or fact.title.split("|")[-1]
        marks.append(Text(x, top, plain(title), 12, 500, "ink-2", max_width=pitch - 10))
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
        y = top + 24 + index * row
        marks.append(Text(box.left, y, plain(reader.name), 13, 600, max_width=names))
        if any(each.curve is not None for each in readers):
            marks += sample(index, box.left, y + 8)
    return grouped(Group(tr("costs")), [*marks, *_foot(readers, Box(left, top + 10 + len(readers) * row, box.right,
                                                                   box.bottom))])


def _foot(readers: Sequence[Reader], box: Box) -> list[Mark]:
    """By what and of how many it was measured."""
    found = next((reader.measured for reader in readers if reader.measured is not None), None)
    if found is None:
        return []
    said: list[str] = []
    if found.runs:
        said.append(tr("time: median of {runs} runs, one input, in turn, on this machine with {where}").format(
            runs=found.runs, where=found.where))
    if found.of:
        said.append(tr("right: {of} bundled inputs, ± the standard error").format(of=numbers.count(found.of)))
    shorter = tr("time: median of {runs} runs; right: {of} inputs").format(runs=found.runs, of=numbers.count(found.of))
    line = fitting(["; ".join(said), shorter, *said[1:]], box.width, 11)
    return [Text(box.left, box.top + 12, plain(line), 11, 400, "ink-2")] if line else []


def table(readers: Sequence[Reader]) -> Table:
    """The same as rows and columns, in plain numbers; what is not measured is empty."""
    rows: list[tuple[str | float | int, ...]] = []
    for reader in readers:
        values = [fact.value(reader) for fact in facts(readers)]
        error = math.nan if reader.measured is None else reader.measured.error
        rows.append((reader.name, *("" if math.isnan(value) else value for value in values),
                     "" if math.isnan(error) else error))
    return Table(("network", *(fact.quantity for fact in facts(readers)), "standard error"), tuple(rows))
