"""The same input through the same network before it learned anything, and how large the gradient was then."""

from __future__ import annotations

from dataclasses import replace

from visualizer import registry
from visualizer.record.catalog import open_model
from visualizer.record.studies import Pass, Study, Work, flow
from visualizer.trace import Trace


def suits(trace: Trace) -> bool:
    """Whether the weights from before training are there."""
    return trace.has_backward and (registry.folder("models") / f"{trace.model}.before.safetensors").is_file()


def run(again: Pass) -> Work:
    """What `flow` keeps, of the untrained network."""
    yield 0.0, "before training"
    opened = open_model(again.trace.model, untrained=True)
    fresh = replace(again, trace=replace(again.trace, dtype="float32"), model=opened.module, opened=opened)
    return dict(flow.sizes(flow.in_float64(fresh)))


STUDY = Study("before", "the same before training", suits, run)
