"""How many units are saturated or dead, over a batch of the model's own bundled samples; of a model without any, over
its one input and those that a caller names."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from visualizer import inputs, kinds
from visualizer.kinds import Flat
from visualizer.record.run import edited, given_of, prepared, reads_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture
from visualizer.trace import Array, Arrays, Layer, Refused, Trace

MOST = 100
BINS = 40
@dataclass
class Count:
    """One layer, or one gate of it, counted over the batch."""

    flat: Flat
    beyond: int = 0
    """Values that are saturated, or off."""
    values: int = 0
    on: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """(unit,): at how many places a ReLU was on, over all inputs."""
    bins: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))
    """How many values lie where, of a tanh from −1 to 1, of a sigmoid from 0 to 1."""

    def add(self, values: Array) -> None:
        """Count what one input made of it; units are the first axis, or the last of (step, unit)."""
        flat = np.asarray(values, np.float64)
        if self.flat.dies:
            on = (~(flat <= self.flat.low)).reshape(len(flat), -1).sum(1)
            self.on = self.on + on if len(self.on) else on
        else:
            self.bins = self.bins + np.histogram(flat, BINS, self.flat.range)[0]
        self.beyond += int(self.flat.holds(flat).sum())
        self.values += flat.size


def counted(layer: Layer) -> dict[str, tuple[Flat, Array]]:
    """What of a layer can saturate or die: name -> where it is flat, and its values, with the units first of what can
    die."""
    found = {}
    for key, flat in kinds.flat(layer).items():
        axes, values = (("step", "unit"), layer.inner[key]) if key else (layer.axes, layer.output)
        units = next((axes.index(axis) for axis in ("channel", "unit", "class") if axis in axes), 0)
        found[f"{layer.name}/{key}" if key else layer.name] = (flat, np.moveaxis(values, units, 0))
    return found


def suits(trace: Trace) -> bool:
    """Whether anything in it can saturate or die."""
    return any(counted(layer) for layer in trace)


def run(again: Pass) -> Work:
    """`inputs`: how many were run; and by name, for a gate `NAME/gate`: `share` of all values that are saturated (of a
    ReLU: off), of how many `values`; of a ReLU `on`, the share of places at which each unit was on, 0 for a dead one,
    and of the others `bins`, how many values lie where."""
    if again.opened is None or again.opened.prepare is None:
        own: dict[str, Count] = {}
        _count(again.trace, own)
        for number, x in enumerate(again.samples, start=1):
            yield number / (1 + len(again.samples)), f"input {number + 1} of {1 + len(again.samples)}"
            _count(capture(again.model, x, objective="none", keywords=again.keywords, budget=again.budget), own)
        return _found(own, 1 + len(again.samples))
    said = reads_of(again.opened)
    batch = inputs.all_samples(inputs.of(said).name, said)[:MOST]
    counts: dict[str, Count] = {}
    done = 0
    for number, sample in enumerate(batch):
        yield number / len(batch), f"input {number + 1} of {len(batch)}"
        try:
            given = edited(given_of(again.opened, sample.name), again.edits, again.opened)
            x = prepared(again.opened, given.raw)
        except Refused:  # a passage with letters that this model does not know
            continue
        _count(capture(again.model, x, objective="none"), counts)
        done += 1
    return _found(counts, done)


def _count(trace: Trace, counts: dict[str, Count]) -> None:
    for layer in trace:
        for name, (flat, values) in counted(layer).items():
            counts.setdefault(name, Count(flat)).add(values)


def _found(counts: dict[str, Count], inputs: int) -> Arrays:
    found: dict[str, Array] = {"inputs": np.array(inputs)}
    for name, count in counts.items():
        found[f"{name}:share"] = np.array(count.beyond / max(1, count.values))
        found[f"{name}:values"] = np.array(count.values)
        if count.flat.dies:
            found[f"{name}:on"] = count.on / max(1, count.values // len(count.on))
        else:
            found[f"{name}:bins"] = count.bins
    return found


STUDY = Study("saturation", "how many units are saturated or dead", suits, run)
