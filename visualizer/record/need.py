"""need: how much memory a recording will take, told before it is made, by a run without numbers on the meta device."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from visualizer.language import numeral, tr
from visualizer.record.arguments import Arguments
from visualizer.record.calls import tensors_in
from visualizer.trace import Refused, Trace

SMALL = 8
"""Weights that take less than this part of what is allowed are no reason to look ahead: that costs as much as a run."""
SURE = 1.1
"""So many times what is allowed must have been foreseen for a recording not to be begun: what a run without numbers
makes is not to the byte what one with numbers keeps."""


class Need(NamedTuple):
    """Bytes that a recording takes."""

    weights: int
    """Of parameters and buffers, and of the gradients of those that learn."""
    values: int
    """Of what each operation makes, and of the gradient that comes back to it."""

    @property
    def bytes(self) -> int:
        return self.weights + self.values


def of_trace(trace: Trace) -> Need:
    """What a recording that was made holds; arrays that several layers share count once."""
    weights, values = dict[int, int](), dict[int, int]()
    for layer in trace.layers:
        for held, arrays in ((weights, (*layer.weights.values(), *layer.weight_gradients.values())),
                             (values, (layer.output, layer.gradient, *layer.inner.values(),
                                       *layer.inner_gradients.values()))):
            held |= {id(array): array.nbytes for array in arrays if array is not None}
    return Need(sum(weights.values()), sum(values.values()))


def foreseen(model: nn.Module, given: Arguments) -> Need | None:
    """What a recording of a model with an input will take; None where the model does not run without numbers."""
    held = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    try:
        empty = _without_numbers(model, held.values())
        fed = given.turned(lambda name, tensor: tensor.to("meta"))
        with torch.random.fork_rng(devices=[]), torch.no_grad(), _Counted() as counted:
            empty(*fed.positions, **fed.keywords)
    except Exception:  # whatever a model does with numbers that it does not have
        return None
    return Need(weights_of(held.values()), counted.bytes + 2 * sum(map(_bytes, (each for _, each in given.tensors))))


def _without_numbers(model: nn.Module, held: Iterable[Tensor]) -> nn.Module:
    """A copy on the meta device, which alone is changed where a model keeps what it has made; without the hooks of
    whoever listens to the model."""
    def empty(tensor: Tensor) -> Tensor:
        there = tensor.detach().to("meta")
        return nn.Parameter(there, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else there

    made = copy.deepcopy(model, {id(tensor): empty(tensor) for tensor in held})
    for module in made.modules():
        for hooks in (module._forward_pre_hooks, module._forward_hooks):
            hooks.clear()
    return made


def weights_of(held: Iterable[Tensor]) -> int:
    """Bytes of parameters and buffers, and of the gradients of those that learn."""
    return sum(_bytes(tensor) * (2 if tensor.requires_grad else 1) for tensor in held)


def judge(model: nn.Module, given: Arguments, most: int, called: str) -> None:
    """Refused, before anything is run, where a large model would take more than `most` bytes."""
    weights = weights_of((*model.parameters(), *model.buffers()))
    if weights * SMALL < most:
        return
    found = foreseen(model, given)
    values = 0 if found is None else found.values
    if weights + values <= SURE * most:
        return
    shapes = tr(" and ").join(" × ".join(map(str, tensor.shape)) for _, tensor in given.tensors)
    made = tr(", {values} of what it makes of an input of {shapes} with the gradients of that").format(
        values=_said(values), shapes=shapes) if values else ""
    raise Refused(tr("A recording of {called} would need {whole} ({weights} of weights with their gradients{made}), "
                     "and {most} are allowed; use a smaller input or model, or allow more with the budget.").format(
        called=called, whole=_said(weights + values), weights=_said(weights), made=made, most=_said(most)))


class _Counted(TorchFunctionMode):
    """Counts what each call of torch makes, as a recording keeps it: once, and once more for its gradient."""

    bytes = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.bytes += sum(_bytes(tensor) * (2 if tensor.is_floating_point() else 1) for tensor in tensors_in(made))
        return made


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _said(count: int) -> str:
    return numeral(f"{count / (1 << 20):,.0f}") + " MiB"
