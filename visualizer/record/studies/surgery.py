"""What the network made of the input before anything was cut, changed or put in: layer by layer, and the gradients."""

from __future__ import annotations

from difflib import SequenceMatcher
from weakref import WeakKeyDictionary

import numpy as np
from torch import Tensor, nn

from visualizer import edits
from visualizer.answers import told
from visualizer.record.catalog import Opened
from visualizer.record.run import given_of, prepared
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture
from visualizer.trace import Array, Trace


def run(again: Pass) -> Work:
    """`edits`: the words of what is done, a line each, as bytes; by the name of each layer what it was, and
    `NAME:gradient`. Nothing where nothing is done."""
    done = edits.those(again.edits, edits.MODEL, edits.INPUT)
    if not done or again.opened is None or again.given is None:
        return {}
    yield 0.0, "before the edits"
    opened = again.opened.uncut or again.opened
    trace = _before(again, opened)
    found: dict[str, Array] = {"edits": np.frombuffer("\n".join(done).encode(), np.uint8)}
    for after, before in together(again.trace, trace).items():
        found[after] = trace[before].output
        if (gradient := trace[before].gradient) is not None:
            found[f"{after}:gradient"] = gradient
    return found


_kept: WeakKeyDictionary[nn.Module, tuple[tuple[object, ...], Trace]] = WeakKeyDictionary()
"""The last recording of each network as it was, by all that it was made from: a slider changes only what comes after.
"""


def _before(again: Pass, opened: Opened) -> Trace:
    fed = _fed(again, opened)
    numbers = [(each.detach().numpy().tobytes() if isinstance(each, Tensor) else repr(each))
               for each in (fed if isinstance(fed, tuple) else (fed,))]
    key = (*numbers, repr(again.target), repr(again.keywords), again.objective, again.output)
    known, trace = _kept.get(opened.module, ((), None))
    if trace is None or known != key:
        trace = capture(opened.module, fed, again.target, keywords=again.keywords, asks=again.asks,
                        objective=again.objective, output=again.output, answer=again.answer or told(again.trace),
                        labels=opened.labels)
        _kept[opened.module] = key, trace
    return trace


def _fed(again: Pass, opened: Opened) -> object:
    """What is fed in when nothing is done to the input."""
    assert again.given is not None
    if not edits.those(again.edits, edits.INPUT):
        return again.inputs
    return prepared(opened, given_of(opened, again.given.sample.name).raw)


def together(after: Trace, before: Trace) -> dict[str, str]:
    """Which layer of an edited network is which of the network as it was: what an edit adds is none of it."""
    found: dict[str, str] = {}
    kinds = [[(layer.kind, layer.shape) for layer in trace] for trace in (before, after)]
    for start, to, count in SequenceMatcher(None, *kinds, autojunk=False).get_matching_blocks():
        found |= {after.layers[to + at].name: before.layers[start + at].name for at in range(count)}
    for layer in after:  # of a layer that goes on from another state, its steps before and after that one after another
        whole = layer.name.removesuffix(".cat")
        if layer.name not in found and whole != layer.name and whole in before and before[whole].shape == layer.shape:
            found[layer.name] = whole
    return found


STUDY = Study("surgery", "the same before the edits", lambda trace: True, run)
