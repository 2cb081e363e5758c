"""capture: run a model once, forwards and backwards, and keep every number it computed on the way.

The model runs as it is. A `TorchFunctionMode` sees each torch call that it makes, hooks tell which module made it, and
the values are copied at once, because a later in-place operation may overwrite them. Gradients are caught by hooks on
the same tensors, set in the same moment. Afterwards the model, its buffers and the random numbers are as before.
"""

from __future__ import annotations

import copy
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import visualizer
from visualizer.record import axes, layers
from visualizer.record.calls import Event, Recording, tensors_in
from visualizer.record.weights import Weights, hash_of, seen_by_numpy, weights_of
from visualizer.trace import Objective, Refused, Sample, Trace

BUDGET = 1 << 30
"""Bytes of values, gradients and weights that a recording may hold, unless the caller allows more."""

STRAIGHT_FROM_LOGITS = "The loss is computed from the logits directly, so no gradient passes through the softmax."
STRAIGHT_FROM_LOGARITHMS = "The loss is computed from the log-probabilities, so no gradient passes through the softmax."


def capture(
    model: nn.Module,
    x: Any,
    target: int | None = None,
    dtype: str | None = None,
    *,
    name: str = "",
    title: str = "",
    sample: Sample | None = None,
    labels: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    objective: str = "loss",
    seed: int = 0,
    budget: int = BUDGET,
) -> Trace:
    """Record one forward and backward pass of `model` over one sample.

    `x` is a tensor or an array with a batch axis of size 1 (or none, where the model takes that), or a tuple of them
    if the model takes several. The objective is the cross entropy against `target`; `logit:4` differentiates that
    output, `none` nothing; without a target it is the largest output. `dtype="float64"` runs a copy of the model in
    that precision. Random numbers (dropout) are drawn from `seed`. Raises Refused if more than one sample is given, if
    the numbers would need more than `budget` bytes, or if the objective does not fit the output.
    """
    if dtype is not None:
        model = _in_precision(model, _dtype(dtype))
    given = tuple(_given(item, dtype) for item in (x if isinstance(x, tuple | list) else (x,)))
    weights = weights_of(model)
    everything = (*(tensor for _, tensor in weights.named), *given)
    with _left_as_found(weights, everything, seed):
        recording = Recording(weights, budget)
        with torch.inference_mode(False), torch.enable_grad():
            fed = [recording.feed(tensor) for tensor in given]
            with recording:
                returned = model(*fed)
            answer = _answer(recording, returned)
            goal = _aim(recording, answer, objective, target, tuple(labels))
            recording.flow_back(goal.scalar)
        recorded = layers.build(recording, flowed=goal.scalar is not None)
    return Trace(
        model=name or type(model).__name__,
        title=title or name or type(model).__name__,
        layers=recorded,
        sample=sample or Sample("input", label=target),
        objective=goal.objective,
        labels=tuple(labels),
        dtype=next((str(tensor.dtype) for tensor in everything if tensor.is_floating_point()),
                   "torch.float32").removeprefix("torch."),
        seed=seed,
        versions={"visualizer": visualizer.__version__, "torch": str(torch.__version__), "numpy": np.__version__,
                  "python": platform.python_version()},
        hashes={"weights": weights.digest,
                "input": hash_of({str(number): seen_by_numpy(tensor) for number, tensor in enumerate(given)})},
        facts=dict(facts or {}),
        notes=tuple(recording.notes),
    )


# --- what is differentiated -----------------------------------------------------------------------------------------

class _Goal:
    """The scalar whose gradient flows back (None for nothing), and what the Trace says about it."""

    def __init__(self, scalar: Tensor | None, objective: Objective) -> None:
        self.scalar, self.objective = scalar, objective


def _aim(recording: Recording, answer: Tensor, wanted: str, target: int | None, labels: tuple[str, ...]) -> _Goal:
    """Add the layers that turn the answer into one number: softmax and loss, or one logit."""
    axes.name(recording.events)
    event = recording.event_of(answer)
    if (labels or target is not None) and "batch" not in event.axes and answer.ndim == 2 and len(answer) == 1:
        answer = recording.step(torch.squeeze, (answer, 0), {})  # a batch of one, though nothing named it so
        axes.name(recording.events)
        event = recording.event_of(answer)
    classes = _classes(event, labels, target if wanted == "loss" else None)
    if classes:
        layers.name_classes(event)
    probabilities = event.kind_name == "softmax" and classes
    logarithms = event.kind_name == "log_softmax" and classes
    if classes and not probabilities:
        why = STRAIGHT_FROM_LOGARITHMS if logarithms else STRAIGHT_FROM_LOGITS
        with torch.no_grad():
            recording.step(functional.softmax, (answer,), {"dim": -1}, name="softmax", why=why)
    if wanted == "none":
        return _Goal(None, Objective())
    if not answer.requires_grad:
        recording.notes.append("Nothing flowed back: no number of the answer depends on the input or on a weight "
                               "that can learn.")
        return _Goal(None, Objective())
    if wanted == "loss" and target is not None:
        return _loss(recording, answer, target, probabilities, logarithms)
    return _logit(recording, answer, event, wanted)


def _loss(recording: Recording, answer: Tensor, target: int, probabilities: bool, logarithms: bool) -> _Goal:
    classes = answer.shape[-1]
    if not 0 <= target < classes:
        raise Refused(f"There is no class {target}; the model tells {classes} classes apart, 0 to {classes - 1}.")
    wanted = torch.full(answer.shape[:-1], target, dtype=torch.long, device=answer.device)
    if probabilities:
        answer = recording.step(torch.log, (answer,), {}, name="log")
    call, kind = ((functional.nll_loss, "negative_log_likelihood") if probabilities or logarithms
                  else (functional.cross_entropy, "cross_entropy"))
    loss = recording.step(call, (answer, wanted), {}, name="loss", plain={id(wanted): target})
    return _Goal(loss, Objective(kind, target, loss.item()))


def _logit(recording: Recording, answer: Tensor, event: Event, wanted: str) -> _Goal:
    """One number of the answer, counted along its last axis, or through all of it in row-major order."""
    count = answer.numel()
    if wanted == "loss":
        index = int(answer.detach().argmax())
    else:
        word, _, number = wanted.partition(":")
        if word != "logit" or not number.isdecimal():
            raise Refused(f"The objective {wanted!r} is not known; use loss, none, or logit:N with a number N.")
        index = int(number)
    if index >= count:
        raise Refused(f"There is no output {index}; the model gives {count}, so use logit:0 to logit:{count - 1}.")
    place = tuple(int(i) for i in np.unravel_index(index, tuple(answer.shape)))
    batch = event.axes.index("batch") if "batch" in event.axes else None
    cell = tuple(i for axis, i in enumerate(place) if axis != batch)
    settings = {"index": cell[0] if len(cell) == 1 else cell}
    logit = recording.step(Tensor.__getitem__, (answer, place), {}, name="logit", kind="logit", settings=settings)
    return _Goal(logit, Objective("logit", index, logit.item()))


def _classes(event: Event, labels: tuple[str, ...], target: int | None) -> bool:
    """Whether the answer is one number a class; Refused if labels or a target say so and it cannot be."""
    shape = tuple(size for axis, size in zip(event.axes, event.output.shape, strict=True) if axis != "batch")
    if target is not None and len(shape) != 1:
        raise Refused(f"A target needs one output a class, and the model gives the shape {shape}; leave the target "
                      "out, or name one output with objective='logit:N'.")
    if labels and shape != (len(labels),):
        raise Refused(f"{len(labels)} labels were given and the model's output has the shape {shape}; give one label "
                      "for each output, or none.")
    ends = event.kind_name in ("softmax", "log_softmax") and len(shape) == 1
    return bool(labels) or target is not None or ends


def _answer(recording: Recording, returned: Any) -> Tensor:
    """The first floating tensor among what the model handed back."""
    for tensor in tensors_in(returned):
        if tensor.is_floating_point():
            recording.event_of(tensor)
            return tensor
    raise Refused("The model handed back no floating-point tensor, so there is nothing to show; return the logits.")


# --- the model, its input, and leaving both as they were -------------------------------------------------------------

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
    devices = {tensor.device.index for tensor in everything if tensor.is_cuda}
    with torch.random.fork_rng(devices=sorted(devices)):
        for generator in (torch.default_generator, *(torch.cuda.default_generators[index] for index in devices)):
            generator.manual_seed(seed)
        try:
            yield
        finally:
            weights.restore_buffers()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
