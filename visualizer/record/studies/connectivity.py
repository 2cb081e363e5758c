"""Connectivity: how much each answer depends on each step that was read; by gradient, and by leaving the step out.

For the output step u and the class k that is likeliest there, `gradient[u, t]` is ‖∂ logit_k(u) / ∂ x_t‖ (Madsen,
Visualizing memorization in RNNs, Distill 2019), where x_t is what the first recurrent layer reads at step t. A gradient
is local and need not be a cause, so `change[u, t]` stands beside it: the same logit minus the logit that comes out when
x_t is replaced by a neutral one and everything is run again. Both in float64.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Trace

MOST_STEPS = 400
"""For longer inputs it is not measured: the work grows with the square of the steps."""
AT_ONCE = 64
"""So many inputs with one step left out are run together."""
OF_ALL_SYMBOLS, OF_A_BLANK, OF_ALL_STEPS = 0, 1, 2
"""What the neutral vector is: the mean over all symbols that can be embedded, what a blank picture gives at the same
step, or the mean over the steps of this input."""


def measure(again: Pass) -> Work:
    """`gradient` and `change` (answer, step), `choice` (answer,): the class, and `neutral`: which of the three."""
    model = copy.deepcopy(again.model).double().eval()
    inputs = tuple(_double(item) for item in again.inputs)
    reader = next(module for module in model.modules() if isinstance(module, nn.RNNBase))
    read = _read_by(model, reader, inputs)
    neutral, which = _neutral(again, model, reader, read)

    x = read.clone().requires_grad_()
    with _reading(reader, x[None]):
        logits = _answers(model(*inputs))[0]
    choice = logits.argmax(dim=1)
    gradient, change = np.zeros((len(logits), len(read))), np.zeros((len(logits), len(read)))
    for answer, row in enumerate(logits):
        yield 0.5 * answer / len(logits), "gradients of the answers"
        (found,) = torch.autograd.grad(row[choice[answer]], x, retain_graph=True)
        gradient[answer] = found.norm(dim=1).numpy()

    for start in range(0, len(read), AT_ONCE):
        yield 0.5 + 0.5 * start / len(read), "steps left out"
        steps = torch.arange(start, min(start + AT_ONCE, len(read)))
        changed = read.repeat(len(steps) + 1, 1, 1)  # the last one as it is: both sums are rounded alike
        changed[torch.arange(len(steps)), steps] = neutral[steps]
        with _reading(reader, changed), torch.no_grad():
            without = _answers(model(*inputs))
        left = without.gather(2, choice[None, :, None].expand(len(steps) + 1, -1, 1))[..., 0]
        change[:, steps.numpy()] = (left[-1:] - left[:-1]).T.numpy()
    return {"gradient": gradient, "change": change, "choice": choice.numpy(), "neutral": np.asarray(which)}


def suits(trace: Trace) -> bool:
    """Whether a recurrent layer reads steps, not too many, and classes are answered."""
    steps = [layer.shape[0] for layer in trace if layer.inner and layer.axes == ("step", "unit")]
    return bool(steps) and max(steps) <= MOST_STEPS and any(layer.axes[-1:] == ("class",) for layer in trace) \
        and "lab" not in trace.studies


STUDY = Study("connectivity", "how much each answer depends on each step", suits, measure)


def _answers(returned: Any) -> Tensor:
    """(input, answer, class): the first tensor that came back, with one answer where there is one for all steps."""
    logits: Tensor = returned[0] if isinstance(returned, tuple) else returned
    return logits[:, None] if logits.ndim == 2 else logits


def _read_by(model: nn.Module, reader: nn.RNNBase, inputs: tuple[Tensor, ...]) -> Tensor:
    """(step, feature): what the recurrent layer reads of an input."""
    kept: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Any, ...]) -> None:
        kept.append(given[0].detach())

    hook = reader.register_forward_pre_hook(keep)
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        hook.remove()
    return kept[0][0] if reader.batch_first else kept[0][:, 0]


@contextmanager
def _reading(reader: nn.RNNBase, batch: Tensor) -> Iterator[None]:
    """While it lasts, the recurrent layer reads `batch` (input, step, feature) instead of what it is given."""
    def instead(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return (batch if reader.batch_first else batch.transpose(0, 1), *(_spread(item) for item in given[1:]))

    def _spread(state: Any) -> Any:
        if isinstance(state, tuple):
            return tuple(_spread(item) for item in state)
        return state if state is None else state.expand(-1, len(batch), -1).contiguous()

    hook = reader.register_forward_pre_hook(instead)
    try:
        yield
    finally:
        hook.remove()


def _neutral(again: Pass, model: nn.Module, reader: nn.RNNBase, read: Tensor) -> tuple[Tensor, int]:
    """(step, feature): what each step is replaced by, and which of the three kinds that is."""
    embedding = next((module for module in model.modules() if isinstance(module, nn.Embedding)), None)
    if embedding is not None and embedding.embedding_dim == read.shape[1]:
        return embedding.weight.detach().mean(dim=0).expand_as(read), OF_ALL_SYMBOLS
    opened, given = again.opened, again.given
    picture = given is not None and isinstance(given.raw, np.ndarray) and given.raw.dtype == np.uint8
    if picture and opened is not None and opened.prepare is not None and given is not None:
        assert isinstance(given.raw, np.ndarray)
        blank = _read_by(model, reader, (_double(opened.prepare(np.zeros_like(given.raw))),))
        if blank.shape == read.shape:
            return blank, OF_A_BLANK
    return read.mean(dim=0).expand_as(read), OF_ALL_STEPS


def _double(item: Tensor) -> Tensor:
    return item.double() if item.is_floating_point() else item
