"""The same pass with zeros in place of the maps that skip the middle of the network; nothing is trained anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from visualizer.answers import told
from visualizer.kinds.skips import STUDY as NAME
from visualizer.kinds.skips import skips
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture

JOINS = (torch.cat, torch.concat, torch.concatenate)


class Cut(TorchFunctionMode):
    """While it is entered, some maps are laid beside others as zeros: those that equal one of the `sources`."""

    def __init__(self, sources: Sequence[Tensor]) -> None:
        super().__init__()
        self.sources = sources

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in JOINS and args and isinstance(args[0], list | tuple):
            args = ([self._left(each) for each in args[0]], *args[1:])
        return func(*args, **(kwargs or {}))

    def _left(self, maps: Any) -> Any:
        cut = isinstance(maps, Tensor) and any(maps.numel() == each.numel() and torch.equal(
            maps.reshape(each.shape), each.to(maps.dtype)) for each in self.sources)
        return torch.zeros_like(maps) if cut else maps


def run(again: Pass) -> Work:
    """By the name of each layer from the first join on its output."""
    yield 0.0, "without its skips"
    trace = again.trace
    found = skips(trace)
    first = min(trace.places[skip.join] for skip in found)
    with Cut([torch.tensor(trace[skip.source].output) for skip in found]):
        cut = capture(again.model, again.inputs, labels=trace.labels, objective="none", asks=again.asks,
                      seed=trace.seed, answer=again.answer or told(trace), keywords=again.keywords,
                      output=again.output, budget=again.budget)
    return {layer.name: layer.output for layer in cut if layer.name in trace and trace.places[layer.name] >= first}


STUDY = Study(NAME, "the same without its skips", lambda trace: bool(skips(trace)), run)
