"""How many units are saturated or dead, over a batch of the model's own bundled samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from visualizer import inputs
from visualizer.record.run import given_of, prepared, reads_of
from visualizer.record.studies import Pass, Steps, Study
from visualizer.record.tracing import capture
from visualizer.trace import Array, Layer, Refused, Trace

MOST = 100
BINS = 40
TANH = 0.9
"""A tanh beyond this has a slope below 0.19."""
SIGMOID = (0.05, 0.95)
"""A sigmoid outside these has a slope below 0.048 (the line that Glorot and Bengio 2010 draw)."""
SIGMOIDS = ("input", "forget", "output_gate", "reset", "update")
TANHS = ("candidate", "new")


@dataclass
class Count:
    """One layer, or one gate of it, counted over the batch."""

    kind: str
    """`tanh`, `sigmoid` or `relu`."""
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
        if self.kind == "relu":
            self.beyond += int(np.sum(flat <= 0))
            on = (flat > 0).reshape(len(flat), -1).sum(1)
            self.on = self.on + on if len(self.on) else on
        else:
            self.bins = self.bins + np.histogram(flat, BINS, (-1.0 if self.kind == "tanh" else 0.0, 1.0))[0]
            far = np.abs(flat) > TANH if self.kind == "tanh" else (flat < SIGMOID[0]) | (flat > SIGMOID[1])
            self.beyond += int(far.sum())
        self.values += flat.size


def counted(layer: Layer) -> dict[str, tuple[str, Array]]:
    """What of a layer can saturate or die: name -> its nonlinearity, and its values with the units first."""
    if layer.inner and "step" in layer.axes:
        found = {f"{layer.name}/{key}": ("sigmoid", layer.inner[key]) for key in SIGMOIDS if key in layer.inner}
        found |= {f"{layer.name}/{key}": ("tanh", layer.inner[key]) for key in TANHS if key in layer.inner}
        if layer.kind.startswith("rnn"):
            kind = "relu" if layer.settings.get("nonlinearity") == "relu" else "tanh"
            found[f"{layer.name}/hidden"] = (kind, np.moveaxis(layer.inner["hidden"], -1, 0))
        return found
    if layer.kind in ("tanh", "sigmoid", "relu") and layer.output.ndim:
        units = next((layer.axes.index(axis) for axis in ("channel", "unit", "class") if axis in layer.axes), 0)
        return {layer.name: (layer.kind, np.moveaxis(layer.output, units, 0))}
    return {}


def suits(trace: Trace) -> bool:
    """Whether anything in it can saturate or die."""
    return any(counted(layer) for layer in trace)


def run(again: Pass) -> Steps:
    """`inputs`: how many were run; and by name, for a gate `NAME/gate`: `share` of all values that are saturated (of a
    ReLU: off), of how many `values`; of a ReLU `on`, the share of places at which each unit was on, 0 for a dead one,
    and of the others `bins`, how many values lie where."""
    if again.opened is None or again.opened.prepare is None:
        raise Refused("Only a model that says how its input is made can be run over other inputs; record it from its "
                      "file.")
    batch = inputs.all_samples(inputs.of(reads_of(again.opened)).name)[:MOST]
    counts: dict[str, Count] = {}
    done = 0
    for number, sample in enumerate(batch):
        yield number / len(batch), f"input {number + 1} of {len(batch)}"
        try:
            x = prepared(again.opened, given_of(again.opened, sample.name).raw)
        except Refused:  # a passage with letters that this model does not know
            continue
        trace = capture(again.model, x, objective="none", labels=again.opened.labels)
        for layer in trace:
            for name, (nonlinearity, values) in counted(layer).items():
                counts.setdefault(name, Count(nonlinearity)).add(values)
        done += 1
    found: dict[str, Array] = {"inputs": np.array(done)}
    for name, count in counts.items():
        found[f"{name}:share"] = np.array(count.beyond / max(1, count.values))
        found[f"{name}:values"] = np.array(count.values)
        if count.kind == "relu":
            found[f"{name}:on"] = count.on / max(1, count.values // len(count.on))
        else:
            found[f"{name}:bins"] = count.bins
    return found


STUDY = Study("saturation", "how many units are saturated or dead", suits, run)
