"""tracing: run a model once, forwards and backwards, and keep every number it computed on the way.

The model runs as it is. A `TorchFunctionMode` sees each torch call that it makes, hooks tell which module made it, and
the values are copied at once, because a later in-place operation may overwrite them. In the same moment the place of
each value in autograd's graph is noted, and gradients are asked for at these places. Afterwards the model, its buffers
and the random numbers are as before.
"""

from __future__ import annotations

import copy
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import visualizer
from visualizer import answers
from visualizer.record import layers
from visualizer.record.calls import Event, Recording
from visualizer.record.objectives import Aimed, Target, aim, plain_target
from visualizer.record.weights import Hashes, Weights, weights_of
from visualizer.trace import Answer, Refused, Sample, Trace

BUDGET = 1 << 30
"""Bytes of values, gradients and weights that a recording may hold, unless the caller allows more."""


def capture(
    model: nn.Module,
    x: Any,
    target: Target = None,
    dtype: str | None = None,
    *,
    name: str = "",
    title: str = "",
    sample: Sample | None = None,
    labels: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    objective: str = "loss",
    asks: Mapping[str, Any] | None = None,
    answer: str | Mapping[str, Any] | None = None,
    seed: int = 0,
    budget: int = BUDGET,
) -> Trace:
    """Record one forward and backward pass of `model` over one sample.

    `x` is a tensor or an array with a batch axis of size 1 (or none, where the model takes that), or a tuple of them
    if the model takes several. The objective is the cross entropy against `target`, a class or one for each step;
    `asks` describes another loss, as the cards of bundled models do. `logit:4` differentiates that output, `none`
    nothing, and `@12` behind it means step 12 alone; without a target it is the largest output. `dtype="float64"`
    runs a copy of the model in that precision. Random numbers (dropout) are drawn from `seed`. Raises Refused if more
    than one sample is given, if the numbers would need more than `budget` bytes, or if the objective does not fit the
    output.

    `answer` says what kind of answer it is, where that cannot be told from outside: `"mask"`, or with settings
    `{"kind": "boxes", "stride": 8}`; `target` is then the truth, as an array. Of several outputs the first is asked
    about, or the one that it names: `{"output": "logits"}`, by key, field or number.
    """
    target = plain_target(target)
    if dtype is not None:
        model = _in_precision(model, _dtype(dtype))
    given = tuple(_given(item, dtype) for item in (x if isinstance(x, tuple | list) else (x,)))
    weights = weights_of(model)
    everything = [*(known.tensor for known in weights.known.values()), *given]
    with _left_as_found(weights, everything, seed):
        recording = Recording(weights, budget)
        with torch.inference_mode(False):  # which also turns gradients on
            fed = [recording.feed(tensor) for tensor in given]
            with recording:
                returned = model(*fed)
            said = {"kind": answer} if isinstance(answer, str) else dict(answer or {})
            outputs = _returned(recording, returned, said.pop("output", None))
            first, *others = outputs.values()
            try:
                aimed = aim(recording, first, objective, target, tuple(labels), asks, said or None)
            except Refused as error:
                raise Refused(f"{str(error).removesuffix('.')}{_of_several(outputs)}.") from error
            goal = aimed.goal
            recording.flow_back(goal.scalar)
            beside = [event for tensor in others if (event := recording.known(tensor)) is not None]
        usual = next((str(tensor.dtype) for tensor in everything if tensor.is_floating_point()),
                     "torch.float32").removeprefix("torch.")
        recorded, names = layers.build(recording, goal.scalar is not None, usual)
    return Trace(
        model=name or type(model).__name__,
        title=title or name or type(model).__name__,
        layers=recorded,
        sample=sample or Sample("input", label=target if isinstance(target, int) else None),
        objective=goal.objective,
        labels=tuple(labels),
        dtype=usual,
        seed=seed,
        versions={"visualizer": visualizer.__version__, "torch": str(torch.__version__), "numpy": np.__version__,
                  "python": platform.python_version()},
        hashes=Hashes(weights=weights.held, input=recording.given),
        facts=dict(facts or {}),
        notes=tuple(recording.notes),
        answers=tuple(_named(aimed, beside, names, {layer.name for layer in recorded})),
    )


# --- the model, its input, and leaving both as they were -------------------------------------------------------------

def _returned(recording: Recording, returned: Any, wanted: str | int | None) -> dict[str, Tensor]:
    """The floating tensors among what the model handed back, each once and by its name; the first is the one that is
    asked about, which `wanted` names."""
    found: dict[str, Tensor] = {}
    for name, tensor in _outputs(returned):
        if tensor.is_floating_point() and not any(tensor is other for other in found.values()):
            found[name] = tensor
    if not found:
        raise Refused("The model handed back no floating-point tensor, so there is nothing to show; return the logits.")
    if wanted is not None:
        first = str(wanted)
        if first not in found:
            raise Refused(f"The model hands back no output {first!r}; name {' or '.join(map(repr, found))}.")
        found = {first: found[first]} | found
    recording.event_of(next(iter(found.values())))
    if len(found) > 1:
        which = "the first is" if wanted is None else f"{first!r} is"
        recording.notes.append(f"The model hands back {len(found)} tensors; {which} the one that is asked about.")
    return found


def _outputs(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in nested tuples, lists, mappings and dataclasses, by its key, field or number, with a dot between
    those that lie in one another."""
    if isinstance(value, Tensor):
        yield ".".join(path), value
        return
    if isinstance(value, Mapping):
        inside: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, tuple | list):
        inside = zip(getattr(value, "_fields", range(len(value))), value, strict=True)
    else:
        inside = [(name, getattr(value, name, None)) for name in getattr(value, "__dataclass_fields__", ())]
    for name, item in inside:
        yield from _outputs(item, (*path, str(name)))


def _of_several(outputs: Mapping[str, Tensor]) -> str:
    """Where there are several outputs, which was asked about, and how another one is."""
    first, *others = outputs
    if not others:
        return ""
    return f" (that is output {first!r}; answer={{'output': {others[0]!r}}} asks about another)"


def _named(aimed: Aimed, beside: Sequence[Event], names: Mapping[int, str], there: set[str]) -> Iterator[Answer]:
    """What the model handed back, by the names of layers: never a layer inside it."""
    held = aimed.event if aimed.shares is None else aimed.shares
    returned = names.get(id(aimed.event), "")
    if aimed.named.kind and names.get(id(held)) in there:
        yield replace(aimed.named, layer=names[id(held)], returned="" if held is aimed.event else returned)
    for event in beside:
        axes = tuple(axis for axis in event.axes or () if axis != "batch")
        shape = tuple(size for axis, size in zip(event.axes or (), event.output.shape, strict=True) if axis != "batch")
        kind, name = answers.inferred(axes, shape, event.kind_name, 0), names.get(id(event), "")
        if kind is not None and name in there and name not in (returned, names.get(id(held))):
            yield Answer(name, kind.name)


def _dtype(name: str) -> torch.dtype:
    found = {"float32": torch.float32, "float64": torch.float64}.get(name)
    if found is None:
        raise Refused(f"The precision {name!r} is not offered; use float32 or float64.")
    return found


def _in_precision(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    try:
        return copy.deepcopy(model).to(dtype)
    except RuntimeError as error:
        raise Refused(f"The model cannot be copied into another precision ({_first_line(error)}); leave dtype out, or "
                      "convert the model yourself.") from error


def _given(item: Any, dtype: str | None) -> Tensor:
    tensor = torch.as_tensor(item).detach()
    return tensor.to(_dtype(dtype)) if dtype is not None and tensor.is_floating_point() else tensor


@contextmanager
def _left_as_found(weights: Weights, everything: Sequence[Tensor], seed: int) -> Iterator[None]:
    """Random numbers start from `seed` inside; afterwards they and every buffer are as they were."""
    devices = {tensor.device.index for tensor in everything if tensor.is_cuda} if torch.cuda.is_initialized() else ()
    generators = (torch.default_generator, *(torch.cuda.default_generators[index] for index in sorted(devices)))
    states = [generator.get_state() for generator in generators]
    try:
        for generator in generators:
            generator.manual_seed(seed)
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        weights.restore_buffers()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
