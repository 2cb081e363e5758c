"""What the network made of the input as it was, before anything was done to it."""

from __future__ import annotations

import numpy as np

from visualizer import edits
from visualizer.record.run import pass_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Array


def run(again: Pass) -> Work:
    """By the name of each layer its output; `edits`: the words of what is done to the input, a line each, as bytes.
    Nothing where nothing is done to it, or where it came from nobody's list."""
    done = edits.those(again.edits, edits.INPUT)
    if not done or again.opened is None or again.given is None:
        return {}
    yield 0.0, "as it was"
    name = again.given.sample.name
    trace = pass_of(again.opened, name, target=again.target, objective="none").trace
    found: dict[str, Array] = {"edits": np.frombuffer("\n".join(done).encode(), np.uint8)}
    return found | {layer.name: layer.output for layer in trace if layer.name in again.trace}


STUDY = Study("unedited", "the same before anything was done to the input", lambda trace: True, run)
