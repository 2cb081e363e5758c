"""Training: a Run goes on, update by update, and everything that is measured of it meanwhile.

    run, learner = begin("digits_cnn", course, sample="digit-2148")
    for news in advance(run, learner, upto=200):
        run = run.grown(*news)

One thread, counted updates, a fixed seed: the same words make the same bytes. What is measured is read off what the
update computes anyway; the network, its optimiser and the random numbers are what they would be without.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from visualizer import registry
from visualizer.kinds.curves import OF_SIGMOID, OF_TANH
from visualizer.language import numeral, tr
from visualizer.record.catalog import Opened, open_model, source_of
from visualizer.record.run import given_of, prepared, record
from visualizer.record.training.network import MEASURED, drawn, offered
from visualizer.trace import Refused, Trace
from visualizer.train import (
    BETA1,
    BETA2,
    EPSILON,
    MOMENTUM,
    NOT_A_NUMBER,
    Checkpoint,
    Course,
    Knobs,
    Named,
    Run,
    Update,
    anomalies,
    course_of,
    in_force,
    is_kept,
)
from visualizer.train.taken_apart import Before

__all__ = ["Kept", "Learner", "News", "advance", "at_the_end", "before_next", "begin", "first_rows", "kept",
           "looking_at", "loss_behind", "loss_moves", "offered", "put", "recorded", "resumed", "short_recipe",
           "state_before", "taught", "trainable", "use"]

CHANGING = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
"""Kinds of parts that do something else in evaluation."""
AT_ONCE = 500
"""Held-out rows that are answered at once."""


class News(NamedTuple):
    """What came of one update: `run.grown(*news)`."""

    updates: tuple[Update, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, eq=False)
class Kept:
    """All that it takes to go on from a number of updates as if nothing had been between."""

    step: int
    weights: Mapping[str, Tensor]
    moments: Mapping[str, Tensor]
    """What the optimiser remembers of each weight: `conv1.weight/exp_avg`."""


@dataclass(eq=False)
class Learner:
    """A network in training: what changes with every update."""

    net: nn.Module
    optimiser: torch.optim.Optimizer
    task: Any
    """The Task of its file: the rows that it reads."""
    knobs: Knobs
    chosen: Tensor | None
    """The input to which the answer is watched."""
    changing: tuple[nn.Module, ...] = ()
    """Parts that do something else in evaluation."""
    step: int = 0
    first: Update | None = None
    """The first update, to which the others are compared."""
    known: set[tuple[str, str]] = field(default_factory=set)
    """What went wrong already, and where."""


# --- what can be trained --------------------------------------------------------------------------------------------

def trainable() -> tuple[str, ...]:
    """Names of the bundled networks with a short recipe of their own."""
    return tuple(name for name in registry.models() if hasattr(source_of(name), "live"))


def short_recipe(model: str) -> Any:
    """The short recipe of a bundled network, as its file tells it; Refused with one sentence if it has none."""
    found = getattr(source_of(model), "live", None) if model in registry.models() else None
    if found is None:
        raise Refused(tr("{model} has no short training; train one of {models}.").format(
            model=model, models=", ".join(trainable())))
    return found


def taught(model: str) -> tuple[Knobs, int]:
    """The knobs of the short recipe, and how many updates it makes."""
    live = short_recipe(model)
    knobs = Knobs(live.optimiser, float(live.rate), float(live.batch), clip=float(live.clip), seed=float(live.seed))
    return knobs, int(live.updates)


@lru_cache(2)
def _task(model: str, data: str) -> Any:
    live = short_recipe(model)
    try:
        return live.task(source_of(model).prepare, Path(data) if data else None)
    except (OSError, KeyError, ValueError) as error:
        raise Refused(tr("The data of {model} cannot be read in {folder} ({why}); name the folder that holds "
                         "mnist/mnist.npz and tinyshakespeare/input.txt.").format(
            model=model, folder=data or "assets/train", why=error)) from error


# --- going on -------------------------------------------------------------------------------------------------------

def begin(model: str, course: Course | None = None, *, sample: str = "", data: str = "",
          watched: Sequence[str] = ()) -> tuple[Run, Learner]:
    """A run before its first update, with the checkpoint 0. `watched` names weights, `conv1.weight:0,0,2,2`.

    Raises Refused with one sentence for a network without a short recipe, data that cannot be read, a batch larger
    than the data, a knob that the network has nothing for, and a weight that it has not.
    """
    course = course_of({}, taught(model)[0]) if course is None else course
    learner = _learner(model, course, sample, data)
    opened, task = _opened(model), learner.task
    run = Run(model, course, sample, data, task.about, tuple(_layers(learner.net)), tuple(_parts(learner.net)),
              opened.labels, tuple(watched))
    _places(watched, learner.net, model)
    return run.grown(checkpoints=(_checkpoint(learner),)), learner


def resumed(run: Run, state: Kept) -> Learner:
    """The learner that goes on from what was kept of a run."""
    learner = _learner(run.model, run.course, run.sample, run.data)
    names = dict(learner.net.named_parameters())
    learner.net.load_state_dict({name: tensor.to(learner.net.state_dict()[name].dtype)
                                 for name, tensor in state.weights.items()})
    use(learner, in_force(run.course, max(state.step - 1, 0)))
    for word, tensor in state.moments.items():
        name, _, key = word.partition("/")
        learner.optimiser.state[names[name]][key] = tensor.clone()
    learner.step = state.step
    learner.first = run.updates[0] if run.updates else None
    learner.known = {(each.what, each.where) for each in run.named if each.step <= state.step}
    return learner


def kept(learner: Learner) -> Kept:
    """All that it takes to go on from here; `resumed` does."""
    moments = {f"{name}/{key}": value.detach().clone()
               for name, weight in learner.net.named_parameters()
               for key, value in learner.optimiser.state.get(weight, {}).items() if isinstance(value, Tensor)}
    return Kept(learner.step, _weights(learner.net), moments)


def advance(run: Run, learner: Learner, upto: int, watched: bool = True) -> Iterator[News]:
    """Update by update until there are `upto`; not `watched` only the loss is measured, and no checkpoint kept.

    Ends where a number is none: the update is told, and with it the checkpoint before, from which it can go on
    otherwise.
    """
    if upto < 1:
        raise Refused(tr("{count} updates change nothing; train at least 1.").format(count=upto))
    measuring = _Measuring(run, learner) if watched else None
    try:
        while learner.step < upto:
            use(learner, in_force(run.course, learner.step))
            with _one_thread():
                news = _update(learner, measuring)
            yield news
            if any(each.what == NOT_A_NUMBER for each in news.named):
                return
    finally:
        for hook in measuring.hooks if measuring else ():
            hook.remove()


def at_the_end(learner: Learner) -> Checkpoint:
    """A checkpoint of what there is, wherever that is on the log axis."""
    return _checkpoint(learner)


def looking_at(run: Run, learner: Learner, sample: str) -> Run:
    """The same run with the answer to another input: worked out anew at its checkpoints, unknown at its updates."""
    learner.chosen = _chosen(run.model, sample)
    here, found = _weights(learner.net), []
    for each in run.checkpoints:
        put(learner.net, each.weights)
        found.append(replace(each, answer=_answer(learner)))
    learner.net.load_state_dict(here)
    return replace(run, sample=sample, checkpoints=tuple(found),
                   updates=tuple(replace(each, answer=()) for each in run.updates))


def before_next(learner: Learner, word: str) -> Before:
    """What stands there before the next update, of one weight, `conv1.weight:0,0,2,2`; nothing is changed by it."""
    ((_, place),) = _places((word,), learner.net, learner.net.__class__.__name__)
    name, _, cell = word.partition(":")
    layer, _, own = name.rpartition(".")
    weight, gradient, norm, state, memory = state_before(learner, name)
    moments = {key: value.reshape(-1)[place].item() for key, value in state.items()}
    return Before(layer, own, tuple(map(int, cell.split(","))), learner.step + 1, memory,
                  weight.reshape(-1)[place].item(), gradient.reshape(-1)[place].item(), norm, moments)


def state_before(learner: Learner, name: str) -> tuple[Tensor, Tensor, float, dict[str, Tensor], int]:
    """What stands there before the next update, of all numbers of one of torch's parameters: the weight, its gradient,
    the size of the gradient of all weights, what the optimiser remembers by torch's names, and which update of this
    optimiser it is, from 1. Nothing is changed by it; Refused where there is no such parameter."""
    net = learner.net
    weights = dict(net.named_parameters())
    if name not in weights:
        raise Refused(tr("{model} has no weight {name}; write for example {example}.").format(
            model=net.__class__.__name__, name=repr(name), example=next(iter(weights))))
    x, wanted = _batch(learner)
    with _one_thread():
        found = torch.autograd.grad(learner.task.loss(net(x), wanted), list(weights.values()))
    remembered = learner.optimiser.state.get(weights[name], {})
    state = {key: value for key, value in remembered.items()
             if isinstance(value, Tensor) and value.shape == weights[name].shape}
    gradient = dict(zip(weights, found, strict=True))[name]
    return weights[name].detach(), gradient, _norm(found), state, int(remembered.get("step", 0)) + 1


def loss_moves(learner: Learner, rate: float) -> tuple[float, float]:
    """The loss of the next batch before and after one step of this rate against its gradient; the network stays as it
    is."""
    x, wanted = _batch(learner)
    weights = [weight for weight in learner.net.parameters() if weight.requires_grad]
    state = _weights(learner.net)
    with _one_thread():
        before = learner.task.loss(learner.net(x), wanted)
        gradients = torch.autograd.grad(before, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= rate * gradient
            after = learner.task.loss(learner.net(x), wanted)
    learner.net.load_state_dict(state)
    return before.item(), after.item()


def loss_behind(learner: Learner) -> float:
    """The loss of the next batch after the update that it makes, which is made."""
    x, wanted = _batch(learner)
    with _one_thread():
        _update(learner, None)
        with torch.no_grad():
            return float(learner.task.loss(learner.net(x), wanted))


def recorded(run: Run, checkpoint: Checkpoint) -> Trace:
    """The recording of the chosen input with the weights of a checkpoint: what any view shows at that update."""
    opened = registry.module("record.training.weights").opened_at(run, checkpoint)
    trace = record(opened, run.sample)
    return replace(trace, facts={**trace.facts, "step": checkpoint.step})


def first_rows(model: str, data: str = "") -> Tensor:
    """Two rows that a network can read."""
    rows: Tensor = _task(model, data).held[0][:2]
    return rows


# --- one update -----------------------------------------------------------------------------------------------------

def _update(learner: Learner, measuring: _Measuring | None) -> News:
    net, task = learner.net, learner.task
    x, wanted = _batch(learner)
    answers = net(x)
    loss = task.loss(answers, wanted)
    learner.optimiser.zero_grad()
    loss.backward()
    if measuring is not None:
        measuring.before()
    if learner.knobs.clip:
        nn.utils.clip_grad_norm_(net.parameters(), learner.knobs.clip)
    learner.optimiser.step()
    learner.step += 1
    value = loss.item()
    if measuring is None:
        ended = () if math.isfinite(value) else (Named(learner.step, NOT_A_NUMBER, "", value),)
        return News((Update(learner.step, value, math.nan, (), (), ()),), (), ended)
    right = math.nan if task.right is None else task.right(answers.detach(), wanted).item()
    return measuring.after(value, right)


class _Measuring:
    """What is read off a network while it is trained; nothing of it is changed."""

    def __init__(self, run: Run, learner: Learner) -> None:
        self.run, self.learner = run, learner
        self.layers = _layers(learner.net)
        self.places = _places(run.watched, learner.net, run.model)
        self.parts = _parts(learner.net)
        self.hooks = [part.register_forward_hook(_keep) for part in self.parts.values()]
        self.old: list[list[Tensor]] = []
        self.gradient: tuple[float, ...] = ()

    def before(self) -> None:
        """Between the gradient and the step."""
        self.old = [[weight.detach().clone() for weight in weights] for weights in self.layers.values()]
        self.gradient = _norms([[weight.grad for weight in weights if weight.grad is not None]
                                for weights in self.layers.values()])

    def after(self, loss: float, right: float) -> News:
        """Behind the step: all that is told of it."""
        learner = self.learner
        with torch.no_grad():
            steps = [[weight.detach() - old for weight, old in zip(weights, olds, strict=True)]
                     for weights, olds in zip(self.layers.values(), self.old, strict=True)]
        sizes = _norms([*steps, *self.old])
        moved, sizes = sizes[:len(steps)], sizes[len(steps):]
        seen = [_seen(part) for part in self.parts.values()]
        dead, saturated, spread = zip(*seen, strict=True) if seen else ((), (), ())
        answer = _answer(learner)
        values = tuple(weight.detach().reshape(-1)[place].item() for weight, place in self.places)
        update = Update(learner.step, loss, right, self.gradient, moved, sizes, dead, saturated, spread, answer, values)
        learner.first = learner.first or update
        named = tuple(each for each in anomalies(update, learner.first, self.run.layers, self.run.activations)
                      if (each.what, each.where) not in learner.known)
        learner.known |= {(each.what, each.where) for each in named}
        if any(each.what == NOT_A_NUMBER for each in named):
            return News((update,), self._undone(), named)
        return News((update,), (_checkpoint(learner, answer),) if is_kept(learner.step) else (), named)

    def _undone(self) -> tuple[Checkpoint, ...]:
        """The weights before the last step, where they are not kept already: from there it can go on otherwise."""
        learner = self.learner
        with torch.no_grad():
            for weights, olds in zip(self.layers.values(), self.old, strict=True):
                for weight, old in zip(weights, olds, strict=True):
                    weight.copy_(old)
        before = learner.step - 1
        if is_kept(before) or not all(torch.isfinite(old).all() for olds in self.old for old in olds):
            return ()
        learner.step = before
        found = _checkpoint(learner)
        learner.step += 1
        return (found,)


# --- helpers --------------------------------------------------------------------------------------------------------

def _learner(model: str, course: Course, sample: str, data: str) -> Learner:
    task, knobs = _task(model, data), course[0][1]
    if task.count and any(each.batch > task.count for _, each in course):
        raise Refused(tr("There are {count} rows to learn from; take a smaller batch.").format(
            count=numeral(f"{task.count:,}")))
    net = drawn(model, knobs, task.held[0][:2])
    changing = tuple(part for part in net.modules() if isinstance(part, CHANGING))
    return Learner(net, _optimiser(net, knobs), task, knobs, _chosen(model, sample), changing)


def _keep(part: nn.Module, read: Any, made: Any) -> None:
    """What a part made of the last batch that it learned from."""
    if torch.is_grad_enabled():
        part.last_made = (made[0] if isinstance(made, tuple) else made).detach()


@lru_cache(4)
def _opened(model: str) -> Opened:
    return open_model(model)


def _chosen(model: str, sample: str) -> Tensor | None:
    """The input to which the answer is watched, as the network takes it."""
    opened = _opened(model)
    x = prepared(opened, given_of(opened, sample).raw)
    return x if isinstance(x, Tensor) else None


def _optimiser(net: nn.Module, knobs: Knobs) -> torch.optim.Optimizer:
    if knobs.optimiser == "adam":
        return torch.optim.Adam(net.parameters(), knobs.rate, betas=(BETA1, BETA2), eps=EPSILON)
    return torch.optim.SGD(net.parameters(), knobs.rate, momentum=MOMENTUM if knobs.optimiser == "momentum" else 0.0)


def use(learner: Learner, knobs: Knobs) -> None:
    """Turn the knobs that act from one update to the next; another optimiser begins without memory."""
    if knobs == learner.knobs:
        return
    if knobs.optimiser != learner.knobs.optimiser:
        learner.optimiser = _optimiser(learner.net, knobs)
    for group in learner.optimiser.param_groups:
        group["lr"] = knobs.rate
    learner.knobs = knobs


def _batch(learner: Learner) -> tuple[Tensor, Tensor]:
    """The rows that the next update reads."""
    rows: tuple[Tensor, Tensor] = learner.task.batch(int(learner.knobs.seed), learner.step, int(learner.knobs.batch))
    return rows


def _layers(net: nn.Module) -> dict[str, list[Tensor]]:
    """The weights of each part that has some of its own, in their order."""
    found = {name: [weight for weight in part.parameters(recurse=False) if weight.requires_grad]
             for name, part in net.named_modules()}
    return {name: weights for name, weights in found.items() if weights}


def _parts(net: nn.Module) -> dict[str, nn.Module]:
    return {name: part for name, part in net.named_modules() if isinstance(part, MEASURED)}


def _places(words: Sequence[str], net: nn.Module, model: str) -> list[tuple[Tensor, int]]:
    """Where the chosen weights stand: each with the place in it, row by row."""
    found, weights = [], dict(net.named_parameters())
    for word in words:
        name, _, cell = word.partition(":")
        places = cell.split(",")
        weight = weights.get(name)
        if weight is None or len(places) != weight.ndim or not all(
                place.isdecimal() and int(place) < size for place, size in zip(places, weight.shape, strict=True)):
            raise Refused(tr("{model} has no weight {name}; write for example {example}.").format(
                model=model, name=repr(word), example=next(
                    f"{known}:{','.join('0' * each.ndim)}" for known, each in weights.items())))
        place = 0
        for index, size in zip(places, weight.shape, strict=True):
            place = place * size + int(index)
        found.append((weight, place))
    return found


def _norm(tensors: Sequence[Tensor]) -> float:
    """Root of the sum of squares."""
    return _norms([tensors])[0]


def _norms(groups: Sequence[Sequence[Tensor]]) -> tuple[float, ...]:
    """The norm of each group of tensors, asked for all at once; where float32 would lose the squares, in float64: a
    small gradient is not 0."""
    every = [tensor.detach() for tensors in groups for tensor in tensors]
    sizes = torch.stack(torch._foreach_norm(every)).tolist() if every else []
    sizes = iter([size if 1e-12 < size < 1e12 else torch.linalg.vector_norm(tensor, dtype=torch.float64).item()
                  for size, tensor in zip(sizes, every, strict=True)])
    return tuple(math.hypot(*islice(sizes, len(tensors))) for tensors in groups)


def _seen(part: nn.Module) -> tuple[float, float, float]:
    """(dead, saturated, spread) of what a part made of the batch."""
    made: Tensor = part.last_made
    spread = torch.linalg.vector_norm(made - made.mean()).item() / math.sqrt(max(made.numel() - 1, 1))
    if isinstance(part, nn.ReLU) or (isinstance(part, nn.RNN) and part.mode == "RNN_RELU"):
        channel = made.ndim - 1 if isinstance(part, nn.RNN) else 1
        on = made.amax([axis for axis in range(made.ndim) if axis != channel]) > 0
        return 1 - on.float().mean().item(), 1 - _positive(made), spread
    if isinstance(part, nn.Tanh | nn.RNN):
        return math.nan, _positive(made.abs() - OF_TANH.high), spread
    if isinstance(part, nn.Sigmoid):
        return math.nan, _positive(OF_SIGMOID.low - made) + _positive(made - OF_SIGMOID.high), spread
    return math.nan, math.nan, spread  # a leaky curve is never flat, and the gates stay inside their layer


def _positive(values: Tensor) -> float:
    """The share of the values that are above 0: by their signs, which takes a tenth of the time of counting them."""
    return torch.relu(values).sign_().sum().item() / values.numel()


def _answer(learner: Learner) -> tuple[float, ...]:
    """What is answered to the chosen input now."""
    if learner.chosen is None:
        return ()
    with _looked_at(learner):
        last = learner.net(learner.chosen)[0]
    last = last[-1] if last.ndim == 2 else last
    return tuple((last if learner.task.right is None else last.softmax(-1)).tolist())


def _checkpoint(learner: Learner, answer: tuple[float, ...] | None = None) -> Checkpoint:
    """The weights as they are, and what is measured of them on the held-out rows."""
    rows, wanted = learner.task.held
    losses, rights = 0.0, 0.0
    with _one_thread(), _looked_at(learner):
        for start in range(0, len(rows), AT_ONCE):
            answers, meant = learner.net(rows[start:start + AT_ONCE]), wanted[start:start + AT_ONCE]
            losses += learner.task.loss(answers, meant).item() * len(meant)
            rights += math.nan if learner.task.right is None else learner.task.right(answers, meant).item() * len(meant)
    weights = {name: tensor.float().numpy() for name, tensor in _weights(learner.net).items()}
    return Checkpoint(learner.step, losses / len(rows), rights / len(rows),
                      _answer(learner) if answer is None else answer, weights)


def put(net: nn.Module, weights: Mapping[str, NDArray[Any]]) -> None:
    """The weights of a checkpoint into a network."""
    own = net.state_dict()
    net.load_state_dict({name: torch.tensor(array).to(own[name].dtype).reshape(own[name].shape)
                         for name, array in weights.items()})


def _weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


@contextmanager
def _looked_at(learner: Learner) -> Iterator[None]:
    """In evaluation and without gradients inside, in training again behind it."""
    for part in learner.changing:
        part.training = False
    try:
        with torch.inference_mode():
            yield
    finally:
        for part in learner.changing:
            part.training = True


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are then always added in the same order."""
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
