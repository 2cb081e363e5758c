"""extend: while somebody types, only what changed is read, from the state that the network was in before it.

Right for a network that reads in one direction, and whose other layers look at one step at a time (`resumable` finds
that out from the layers themselves); any other reads the whole text anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import kinds
from visualizer.edits import INPUT, of
from visualizer.inputs import Given, symbols
from visualizer.record.catalog import Opened
from visualizer.record.run import facts, given_of, prepared, reads_of, record, told
from visualizer.record.tracing import capture
from visualizer.record.weights import hash_of
from visualizer.trace import Array, Layer, Trace

FEWEST = 2
"""Steps that must be known before: from a single one nobody can tell a layer that adds steps up from one that does
not."""


def extend(opened: Opened, before: Trace | None, sample: str, edits: Sequence[str] = ()) -> Trace:
    """The recording of a text, forwards only, as `record(opened, sample, objective="none", edits=edits)` makes it.

    What the text shares with the beginning of that in `before`, a recording of the same model, is taken from there,
    unless something is done to the input first. Raises Refused, or LookupError for an unknown name.
    """
    if before is not None and opened.prepare is not None and not of(edits, INPUT):
        given = given_of(opened, sample)
        continued = _continued(opened, before, given) if isinstance(given.raw, str) else None
        if continued is not None:
            return continued
    return record(opened, sample, objective="none", edits=edits)


def _continued(opened: Opened, before: Trace, given: Given) -> Trace | None:
    """None where the whole text must be read anew."""
    x, read = prepared(opened, given.raw), symbols(reads_of(opened), str(given.raw))
    pairs = zip(before.sample.steps, read[:-1], strict=False)  # at least the last symbol is read
    known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if known < FEWEST or x.shape != (1, len(read)) or not resumable(before):
        return None
    rest = _read_on(opened, before, x, known)
    if rest is None or rest.hashes["weights"] != before.hashes["weights"]:
        return None
    hashes = {**rest.hashes, "input": hash_of({"0": x.numpy()})}
    layers = tuple(_glued(before, rest, known))
    whole = replace(rest, layers=layers, sample=given.sample, facts=facts(opened.card), hashes=hashes)
    return told(whole, opened, given)


def resumable(trace: Trace) -> bool:
    """Whether the states at a step are all that later steps know of earlier ones."""
    return all(layer.is_input or _looks_at_one_step(trace, layer) for layer in trace
               if kinds.role(layer) not in ("loss", "picked"))


def _looks_at_one_step(trace: Trace, layer: Layer) -> bool:
    kind, inputs = kinds.of(layer), trace.inputs(layer)
    if kind is None:
        return False
    if layer.inner:
        return _one_way(layer)
    for step in ((0, -1) if "step" in layer.axes else (-1,)):
        at = {axis: step % size for axis, size in zip(layer.axes, layer.shape, strict=True) if axis == "step"}
        box = tuple((at[axis], at[axis]) if axis in at else (0, size - 1)
                    for axis, size in zip(layer.axes, layer.shape, strict=True))
        for index, source in enumerate(inputs):
            if "step" in source.axes:
                seen = kinds.seen(layer, inputs, index, box)[source.axes.index("step")]
                wanted = step % source.shape[source.axes.index("step")]
                if seen != (wanted, wanted):
                    return False
    return True


def _one_way(layer: Layer) -> bool:
    """A recurrent layer that starts from nothing and reads one whole sequence from its beginning."""
    said = layer.settings
    return not said.get("reverse") and said.get("sequences") == 1 and layer.axes == ("step", "unit") \
        and not any(f"initial_{state}" in said for state in ("hidden", "cell"))


def _read_on(opened: Opened, before: Trace, x: Tensor, known: int) -> Trace | None:
    """The recording of what comes after `known` steps; None if a module cannot be started in the midst of a text."""
    starts = {}
    for path, module in opened.module.named_modules():
        if isinstance(module, nn.RNNBase):
            states = _states(before, path, module, known)
            if states is None:
                return None
            starts[module] = states
    if sum(bool(layer.inner) for layer in before) != sum(module.num_layers for module in starts):
        return None
    with _started(starts):
        return capture(opened.module, x[:, known:], name=opened.name, title=opened.title, labels=opened.labels,
                       objective="none")


def _states(before: Trace, path: str, module: nn.RNNBase, known: int) -> Any:
    """What the module is to start from, as it takes it: the states of all its levels after `known` steps."""
    names = [path] if module.num_layers == 1 else [f"{path}.l{level}" for level in range(module.num_layers)]
    if module.proj_size or not all(name in before for name in names):
        return None
    wanted = ("hidden", "cell") if isinstance(module, nn.LSTM) else ("hidden",)
    found = [torch.tensor(np.stack([before[name].inner[key][known - 1] for name in names])[:, None]) for key in wanted]
    return tuple(found) if len(found) > 1 else found[0]


@contextmanager
def _started(starts: Mapping[nn.Module, Any]) -> Iterator[None]:
    """While it lasts, these modules start from the states given."""
    def begin(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
        return (args[0] if args else kwargs["input"], starts[module]), {}

    hooks = [module.register_forward_pre_hook(begin, with_kwargs=True) for module in starts]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


# --- putting both parts together --------------------------------------------------------------------------------------

def _glued(before: Trace, rest: Trace, known: int) -> Iterator[Layer]:
    """The layers of the rest, with the first `known` steps of the recording before put in front; the states that the
    rest started from are no layers of the whole."""
    for layer in rest:
        if layer.name not in before:
            continue
        old = before[layer.name]
        settings = {key: value for key, value in layer.settings.items() if not key.startswith("initial_")}
        settings |= {key: max(old.settings.get(key) or 0.0, settings.get(key) or 0.0)
                     for key in ("module_error", "module_rounding") if key in old.settings or key in settings}
        made = replace(layer, reads=old.reads, settings=settings)
        if "step" in layer.axes:
            output = _joined(old.output, layer.output, known, layer.axes.index("step"))
            inner = {key: _joined(old.inner[key], values, known, 0) for key, values in layer.inner.items()}
            made = replace(made, output=output, inner=inner)
        yield made


def _joined(old: Array, new: Array, known: int, axis: int) -> Array:
    joined = np.concatenate([np.take(old, range(known), axis), new], axis)
    joined.flags.writeable = False
    return joined
