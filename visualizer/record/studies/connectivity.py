"""Connectivity: how much each answer depends on each step that was read; by gradient, and by leaving the step out.

For the output step u and the class k that is likeliest there, `gradient[u, t]` is ‖∂ logit_k(u) / ∂ x_t‖ (Madsen,
Visualizing memorization in RNNs, Distill 2019), where x_t is what the first recurrent layer reads at step t. A gradient
is local and need not be a cause, so `change[u, t]` stands beside it: the same logit minus the logit that comes out when
x_t is replaced by a neutral one and everything is run again. Both in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.language import tr
from visualizer.record.arguments import Arguments, arguments, converted
from visualizer.record.precision import Precision, in_precision
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import outputs, recordable
from visualizer.record.weights import modules_of
from visualizer.trace import Refused, Trace

MOST_STEPS = 400
"""For longer inputs it is not measured: the work grows with the square of the steps."""
AT_ONCE = 64
"""So many inputs with one step left out are run together."""
OF_ALL_SYMBOLS, OF_A_BLANK, OF_ALL_STEPS = 0, 1, 2
"""What the neutral vector is: the mean over all symbols that can be embedded, what a blank picture gives at the same
step, or the mean over the steps of this input."""


def measure(again: Pass) -> Work:
    """`gradient` and `change` (answer, step), `choice` (answer,): the class, and `neutral`: which of the three."""
    model = recordable(again.model)
    given = converted(arguments(model, again.inputs, again.keywords), torch.float64)
    reader = _first_reader(model, given)
    read, batched = _read_by(model, reader, given)
    neutral, which = _neutral(again, model, reader, read)

    def answers(batch: Tensor) -> Tensor:
        """(input, answer, class) for (input, step, feature)."""
        with _reading(reader, batch, batched):
            return _answers(_run(model, given), again.output, len(batch))

    x = read.clone().requires_grad_()
    logits = answers(x[None])[0]
    choice = logits.argmax(dim=1)
    gradient, change = np.zeros((len(logits), len(read))), np.zeros((len(logits), len(read)))
    for answer, row in enumerate(logits):
        yield 0.5 * answer / len(logits), "gradients of the answers"
        (found,) = torch.autograd.grad(row[choice[answer]], x, retain_graph=True)
        gradient[answer] = found.norm(dim=1).numpy()

    at_once = AT_ONCE if batched and _takes_several(answers, read, logits) else 1
    for start in range(0, len(read), at_once):
        yield 0.5 + 0.5 * start / len(read), "steps left out"
        steps = torch.arange(start, min(start + at_once, len(read)))
        changed = read.repeat(len(steps) + 1, 1, 1)  # the last one as it is: both sums are rounded alike
        changed[torch.arange(len(steps)), steps] = neutral[steps]
        with torch.no_grad():
            without = answers(changed) if at_once > 1 else torch.cat([answers(one[None]) for one in changed])
        left = without.gather(2, choice[None, :, None].expand(len(steps) + 1, -1, 1))[..., 0]
        change[:, steps.numpy()] = (left[-1:] - left[:-1]).T.numpy()
    return {"gradient": gradient, "change": change, "choice": choice.numpy(), "neutral": np.asarray(which)}


def suits(trace: Trace) -> bool:
    """Whether a recurrent layer reads steps, not too many, and classes are answered."""
    steps = [layer.shape[0] for layer in trace if layer.inner and layer.axes == ("step", "unit")]
    return bool(steps) and max(steps) <= MOST_STEPS and any(layer.axes[-1:] == ("class",) for layer in trace) \
        and "lab" not in trace.studies


STUDY = Study("connectivity", "how much each answer depends on each step", suits, measure)


def _run(model: nn.Module, given: Arguments) -> Any:
    """What the model hands back in float64 and in evaluation mode; it is left as it was."""
    with in_precision(model, torch.float64) as running, Precision(torch.float64):
        running.eval()
        fed = given.turned(lambda name, tensor: tensor.clone())
        return running(*fed.positions, **fed.keywords)


def _answers(returned: Any, wanted: str | None, inputs: int) -> Tensor:
    """(input, answer, class): the tensor that is asked about, with one answer where there is one for all steps."""
    found = {name: tensor for name, tensor in outputs(returned) if tensor.is_floating_point()}
    logits = found[wanted] if wanted in found else next(iter(found.values()))
    if logits.ndim == 3:  # with steps first, or inputs
        return logits if len(logits) == inputs and (inputs > 1 or logits.shape[1] != 1) else logits.transpose(0, 1)
    return logits.reshape(inputs, -1, logits.shape[-1]) if logits.ndim == 2 else logits.reshape(1, 1, -1)


def _takes_several(answers: Callable[[Tensor], Tensor], read: Tensor, logits: Tensor) -> bool:
    """Whether the model makes the same of an input when it is given another with it."""
    try:
        with torch.no_grad():
            both = answers(torch.stack([read, read.flip(0), read]))
    except (RuntimeError, IndexError, ValueError):
        return False
    return both.shape == (3, *logits.shape) and torch.allclose(both[0], logits) and torch.equal(both[0], both[2])


Reader = nn.RNNBase | nn.RNNCellBase


def _first_reader(model: nn.Module, given: Arguments) -> Reader:
    """The recurrent layer, or the cell of a loop, that reads first."""
    called: list[Reader] = []
    hooks = [module.register_forward_pre_hook(lambda module, _: called.append(module))
             for _, module in modules_of(model) if isinstance(module, Reader)]
    try:
        with torch.no_grad():
            _run(model, given)
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise Refused(tr("Connectivity leaves out what a recurrent module of torch reads, and this model calls none; "
                         "make its steps with nn.LSTM, nn.GRU, nn.RNN or one of their cells."))
    return called[0]


def _read_by(model: nn.Module, reader: Reader, given: Arguments) -> tuple[Tensor, bool]:
    """(step, feature): what the recurrent layer reads of an input, and whether it reads several at once."""
    kept: list[Any] = []

    def keep(module: nn.Module, given: tuple[Any, ...]) -> None:
        kept.append(given[0])

    hook = reader.register_forward_pre_hook(keep)
    try:
        with torch.no_grad():
            _run(model, given)
    finally:
        hook.remove()
    if not isinstance(kept[0], Tensor):
        raise Refused(tr("The recurrent layer reads a packed sequence, of which no step can be left out; give it one "
                         "sequence as a plain tensor."))
    if isinstance(reader, nn.RNNCellBase):
        return torch.cat([each.reshape(1, -1) for each in kept]), kept[0].ndim == 2
    if kept[0].ndim == 2:
        return kept[0], False
    return kept[0][0] if reader.batch_first else kept[0][:, 0], True


@contextmanager
def _reading(reader: Reader, batch: Tensor, batched: bool) -> Iterator[None]:
    """While it lasts, the recurrent layer reads `batch` (input, step, feature) instead of what it is given."""
    steps = count()

    def instead(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if isinstance(reader, nn.RNNCellBase):
            read = batch[:, next(steps)]
        else:
            read = batch if reader.batch_first or not batched else batch.transpose(0, 1)
        return (read if batched else read[0], *(spread(item) for item in given[1:]))

    def spread(state: Any) -> Any:
        if isinstance(state, tuple):
            return tuple(spread(item) for item in state)
        if state is None or not batched or state.shape[-2] == len(batch):
            return state
        return state.expand(*state.shape[:-2], len(batch), -1).contiguous()

    hook = reader.register_forward_pre_hook(instead)
    try:
        yield
    finally:
        hook.remove()


def _neutral(again: Pass, model: nn.Module, reader: Reader, read: Tensor) -> tuple[Tensor, int]:
    """(step, feature): what each step is replaced by, and which of the three kinds that is."""
    embedding = next((module for module in model.modules() if isinstance(module, nn.Embedding)), None)
    if embedding is not None and embedding.embedding_dim == read.shape[1]:
        return embedding.weight.detach().double().mean(dim=0).expand_as(read), OF_ALL_SYMBOLS
    opened, given = again.opened, again.given
    picture = given is not None and isinstance(given.raw, np.ndarray) and given.raw.dtype == np.uint8
    if picture and opened is not None and opened.prepare is not None and given is not None:
        assert isinstance(given.raw, np.ndarray)
        empty = converted(arguments(model, opened.prepare(np.zeros_like(given.raw))), torch.float64)
        blank, _ = _read_by(model, reader, empty)
        if blank.shape == read.shape:
            return blank, OF_A_BLANK
    return read.mean(dim=0).expand_as(read), OF_ALL_STEPS
