"""Which inputs excite each unit most, over those that ship with a model, and where in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from visualizer import answers, inputs
from visualizer.kinds import units
from visualizer.kinds.units import BEST
from visualizer.language import tr
from visualizer.over import MOST_NUMBERS
from visualizer.record.catalog import Opened
from visualizer.record.run import given_of, prepared, reads_of, steps_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.over import stacked, written
from visualizer.record.tracing import capture
from visualizer.trace import Array, Layer, Refused, Trace

MOST_INPUTS = 400
NEXT = "\1"
"""Between the symbols of one input."""


def run(again: Pass) -> Work:
    """By layer, of each unit and of the inputs at which it is largest: `NAME:best` (unit, rank) its largest number,
    `NAME:input` (unit, rank) of which input, `NAME:cell` (unit, rank, axis) at which of its places, and of what is read
    there `NAME:low`, `NAME:high` (unit, rank, axis) the first and last place on which that depends. `NAME:along` (unit,
    rank, step) all of its numbers, of layers that go step by step. `reads` (input, …) what those inputs are as the
    network reads them, filled up with NaN; `words`, `titles`, `symbols` as UTF-8 with a sign between them, `labels`, −1
    where none is known, and `count` of all inputs."""
    opened = shipped(again)
    known: list[Trace] = []
    with_words: list[tuple[str, str, int, tuple[str, ...]]] = []
    numbers = 0
    for share, word, x in each_input(opened):
        yield share, tr("inputs")
        given = given_of(opened, word)
        trace = capture(again.model, x, objective="none", labels=opened.labels, answer=answers.told(again.trace))
        if not units.layers(trace):
            continue
        known.append(trace)
        label = given.sample.label
        with_words.append((word, given.sample.title or given.sample.name, -1 if label is None else label,
                           given.sample.steps or steps_of(reads_of(opened), given.raw, trace)))
        numbers += sum(layer.output.size for layer in trace)
        if numbers > 40 * MOST_NUMBERS:
            break
    if not known:
        raise Refused(tr("None of the inputs that ship with this network fits it."))
    found: dict[str, Array] = {}
    used: dict[int, int] = {}
    names = [layer.name for layer in units.layers(known[0]) if all(layer.name in trace for trace in known)]
    for name in names:
        yield 0.95, name
        found |= _of_layer(name, known, used)
    first = units.read(known[0])
    kept = [known[number] for number in used]
    return {**found, "count": np.array(len(known)),
            "reads": stacked([trace[first.name].output.astype(np.float32) for trace in kept]),
            "words": written([with_words[number][0] for number in used]),
            "titles": written([with_words[number][1] for number in used]),
            "labels": np.array([with_words[number][2] for number in used], np.int64),
            "symbols": written([NEXT.join(with_words[number][3]) for number in used])}


def _of_layer(name: str, known: list[Trace], used: dict[int, int]) -> dict[str, Array]:
    each = [units.by_unit(trace[name]) for trace in known]
    best = np.stack([values.max(1) for values in each], 1)
    order = np.argsort(-best, axis=1, kind="stable")[:, :BEST]
    count, ranks = order.shape
    shape = units.places(known[0][name])
    axes = len(units.axes_read(units.read(known[0])))
    cells = np.zeros((count, ranks, len(shape)), np.int64)
    low, high = (np.zeros((count, ranks, axes), np.int64) for _ in range(2))
    for unit, rank in np.ndindex(count, ranks):
        trace, values = known[order[unit, rank]], each[order[unit, rank]]
        layer = trace[name]
        place = np.unravel_index(int(values[unit].argmax()), units.places(layer)) if shape else ()
        cells[unit, rank] = place
        if axes:
            low[unit, rank], high[unit, rank] = _field(trace, layer, unit, tuple(int(at) for at in place))
    places = np.vectorize(lambda number: used.setdefault(number, len(used)))(order)
    found = {f"{name}:best": np.take_along_axis(best, order, 1), f"{name}:input": places, f"{name}:cell": cells,
             f"{name}:low": low, f"{name}:high": high}
    if units.stepwise(known[0][name]):
        rows = [stacked([each[number][unit] for number in order[unit]]) for unit in range(count)]
        found[f"{name}:along"] = stacked(rows)
    return {key: np.asarray(array) for key, array in found.items()}


def _field(trace: Trace, layer: Layer, unit: int, place: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """First and last place of what is read on which a number depends; all, where nothing less is known; up to its own
    step, of a state that comes from those before."""
    read = units.read(trace)
    along = units.axis(layer)
    assert along is not None
    box = units.field(trace, layer.name, (*place[:along], unit, *place[along:]))
    if box is None:
        sizes = [read.shape[axis] for axis in units.axes_read(read)]
        box = tuple((0, size - 1) for size in sizes)
        if units.stepwise(layer) and layer.inner and len(sizes) == 1 and "bidirectional" not in layer.settings:
            box = ((0, min(place[0], sizes[0] - 1)),)
    return [one for one, _ in box], [last for _, last in box]


def shipped(again: Pass) -> Opened:
    """The model with its inputs; raises Refused where it has none."""
    if again.opened is None or again.opened.prepare is None:
        raise Refused(tr("Only a model that says how its input is made can be run over other inputs; record it from "
                         "its file."))
    return again.opened.uncut or again.opened


def each_input(opened: Opened) -> Iterator[tuple[float, str, Any]]:
    """(share done, word, what is fed in) of each input that ships and fits."""
    said = reads_of(opened)
    words = inputs.samples(inputs.of(said).name, said).words[:MOST_INPUTS]
    for number, word in enumerate(words):
        try:
            x = prepared(opened, given_of(opened, word).raw)
        except (Refused, LookupError):
            continue
        yield 0.95 * number / len(words), word, x


def suits(trace: Trace) -> bool:
    """Whether it has units."""
    return "lab" not in trace.studies and bool(trace.fed) and bool(units.layers(trace))


STUDY = Study(units.EXCITES, "which inputs excite each unit most", suits, run)
