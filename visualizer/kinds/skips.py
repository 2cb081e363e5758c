"""Skips: maps that are laid beside others which have been made smaller and larger again since, as in a U-Net."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from visualizer.trace import Layer, Trace, remembered

STUDY = "skips"
"""The study of the same pass without them."""


@dataclass(frozen=True)
class Skip:
    """One of them."""

    source: str
    """The layer whose maps leap."""
    join: str
    """The layer that lays them beside the others."""
    channels: tuple[int, int]
    """(first, last + 1) of the channels of the join that they are."""


@remembered(1)
def skips(trace: Trace) -> tuple[Skip, ...]:
    """All of a recording, in the order in which they are joined."""
    found: list[Skip] = []
    for layer in trace:
        reads = trace.inputs(layer)
        latest = max((trace.places[read.name] for read in reads), default=0)
        for read, channels in zip(reads, pairwise(starts(trace, layer)), strict=False):
            if trace.places[read.name] < latest and _leaps(trace, read, layer):
                found.append(Skip(read.name, layer.name, channels))
    return tuple(found)


def starts(trace: Trace, layer: Layer) -> tuple[int, ...]:
    """At which channel of a layer the maps of each begin that it lays beside one another, and the end; none where it
    does nothing of the kind."""
    counts = [len(read.output) for read in trace.inputs(layer)] if layer.kind == "cat" else []
    if len(counts) < 2 or layer.axes != ("channel", "row", "column") or sum(counts) != len(layer.output):
        return ()  # or they are laid one below the other
    return (0, *accumulate(counts))


def _leaps(trace: Trace, source: Layer, join: Layer) -> bool:
    """Whether maps were smaller in between."""
    between = trace.layers[trace.places[source.name] + 1:trace.places[join.name]]
    return any(each.has("row", "column") and each.output.ndim == 3 and each.shape[-1] < source.shape[-1]
               for each in between)
