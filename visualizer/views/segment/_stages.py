"""The stages of the U: what is computed at one size before it changes; of each the maps of one layer are seen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from visualizer import kinds
from visualizer.kinds.skips import skips, starts
from visualizer.scene.timeline import Moment
from visualizer.trace import Layer, Trace, remembered
from visualizer.views.segment._seen import Seen

FEW = 4
"""Of fewer stages each convolution makes one of its own."""


@dataclass(frozen=True)
class Stage:
    """Layers of one size, one after the other."""

    layers: tuple[str, ...]
    level: int
    """How many sizes of this network are larger."""
    title: str
    """The module that all its weights belong to, where they are no other stage's, or its last layer."""

    @property
    def last(self) -> str:
        return self.layers[-1]


@remembered(2)
def stages(trace: Trace, end: str) -> tuple[Stage, ...]:
    """Those between the input and a layer, which is none of them, in the order of their computation."""
    made = _ancestors(trace, end)
    found = [layer for layer in trace if layer.name in made and layer.output.ndim == 3
             and layer.axes[-2:] == ("row", "column")]
    pieces = _pieces(found, False)
    pieces = _pieces(found, True) if len(pieces) < FEW else pieces
    sizes = sorted({piece[0].shape[-1] for piece in pieces}, reverse=True)
    modules = [{layer.name.partition(".")[0] for layer in piece if "." in layer.name} for piece in pieces]
    return tuple(Stage(tuple(layer.name for layer in piece), sizes.index(piece[0].shape[-1]),
                       next(iter(own)) if len(own) == 1 and modules.count(own) == 1 else piece[-1].name)
                 for piece, own in zip(pieces, modules, strict=True))


def _pieces(found: list[Layer], each: bool) -> list[list[Layer]]:
    """Cut where the size changes; `each`: and before every convolution but the first of a size."""
    pieces: list[list[Layer]] = []
    for layer in found:
        weighs = layer.weights.get("weight") is not None and layer.weights["weight"].ndim == 4
        new = not pieces or pieces[-1][-1].shape[-2:] != layer.shape[-2:] or (
            each and weighs and any(other.weights for other in pieces[-1]))
        if new:
            pieces.append([])
        pieces[-1].append(layer)
    return pieces


def _ancestors(trace: Trace, end: str) -> frozenset[str]:
    """The layers between the input and one of them, without both."""
    found, waiting = set[str](), list(trace[end].reads)
    while waiting:
        layer = trace[waiting.pop()]
        if layer.name not in found and not layer.is_input:
            found.add(layer.name)
            waiting += layer.reads
    return frozenset(found)


def stage_of(found: tuple[Stage, ...], name: str) -> int | None:
    """Which of them a layer belongs to."""
    return next((place for place, stage in enumerate(found) if name in stage.layers), None)


def arcs(trace: Trace, found: tuple[Stage, ...]) -> tuple[tuple[int, int, str, int], ...]:
    """(stage, stage, join, maps) of each skip: from where to where it leaps, and how many maps do."""
    made = []
    for skip in skips(trace):
        start, end = stage_of(found, skip.source), stage_of(found, skip.join)
        if start is not None and end is not None:
            made.append((start, end, skip.join, skip.channels[1] - skip.channels[0]))
    return tuple(made)


def now(trace: Trace, stage: Stage, moment: Moment) -> tuple[str, str]:
    """(done, coming) of the layers of a stage: the one whose maps are there, and the one that is being computed or
    handed its gradient; empty where there is none."""
    here = trace.places[moment.beat.layer]
    names = stage.layers[::-1] if moment.backward else stage.layers
    passed = [name for name in names if (trace.places[name] > here if moment.backward else trace.places[name] < here)]
    coming = moment.beat.layer if moment.beat.layer in names else ""
    if coming and moment.phase == 1:
        passed, coming = [*passed, coming], ""
    return passed[-1] if passed else "", coming


def shown(one: Seen, stage: Stage, name: str, most: int) -> tuple[int, ...]:
    """The maps of a layer that are seen: those of the largest mean size in the last layer of the stage; of a join some
    of each part."""
    trace = one.trace
    layer = trace[name]
    if begins := starts(trace, layer):
        each = max(1, most // len(layer.reads))
        return tuple(start + at for start, end in pairwise(begins) for at in
                     _largest(one.values(name)[start:end], each))[:most]
    last = trace[stage.last]
    ranked = last.name if last.shape[0] == layer.shape[0] else name
    return _largest(one.values(ranked), most)


def _largest(values: np.ndarray, most: int) -> tuple[int, ...]:
    sizes = np.abs(np.nan_to_num(values.astype(np.float64))).mean(axis=(1, 2))
    return tuple(sorted(np.argsort(-sizes, kind="stable")[:most].tolist()))


def sees(trace: Trace, name: str, source: str) -> tuple[int, int]:
    """How many rows and columns of the input a number in the middle of a layer sees, without padding left out."""
    layer = trace[name]
    cell = (0, *(size // 2 for size in layer.shape[-2:]))
    box = kinds.receptive_field(trace, name, cell).get(source)
    if box is None:
        return 0, 0
    (top, bottom), (left, right) = box[-2:]
    return bottom - top + 1, right - left + 1
