"""Attribution: how much each place of the input counts for a score, by several methods, all in float64; the same of
random weights; and what is left of the answer when the places that count most are erased."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from visualizer import kinds
from visualizer.kinds import attribution
from visualizer.kinds.attribution import DRAWS, MOST_OUT, Ends, Values, Wish
from visualizer.language import tr
from visualizer.record.arguments import arguments, converted
from visualizer.record.precision import Precision, in_precision
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import outputs, recordable
from visualizer.trace import Array, Refused, Trace

AT_ONCE = 64
"""So many inputs are run together, where the model takes several."""
NOISES, NOISE = 32, 0.1
"""SmoothGrad: how many noisy inputs, and the spread of the noise as a share of that of the input."""
FRAMES = 64
"""Maps that are kept of the path."""
SPREAD = 2.0
"""Of the blurred baseline: the width of the bell, in places."""
SEED = 0
STILL = 1e-10
"""By less than this a number does not differ from the baseline."""
NEAR = 1e-6
"""As a share of the difference of the scores: DeepLIFT that adds up less exactly is not shown."""
EMBEDDINGS = (functional.embedding, torch.embedding)
CONVOLUTIONS = (functional.conv1d, functional.conv2d)
RELUS = (functional.relu, torch.relu, Tensor.relu, torch.relu_, Tensor.relu_, functional.relu_)
BENDS = (*RELUS, torch.sigmoid, Tensor.sigmoid, functional.sigmoid, torch.tanh, Tensor.tanh, functional.tanh,
         functional.leaky_relu, functional.elu, functional.gelu, functional.silu, functional.softplus,
         functional.hardtanh, functional.relu6)
POOLS = (functional.max_pool1d, functional.max_pool2d, torch.max_pool1d, torch.max_pool2d)


def run(again: Pass) -> Work:
    """`class` and `against`, −1 for none; `score`, `blank` that of the baseline, and `chance`, the probability or the
    number that is answered. `maps/METHOD` and `control/METHOD` (place, …) of the weights and of random ones, `ink`
    (place, …) which places are no background, `counts` of places erased, `deleted/METHOD`, `inserted/METHOD`: the
    chance then, `deleted/random` and `inserted/random` its mean over orders by chance. `path` (frame, place, …) and
    `path_at` (frame,): integrated gradients after so many steps, `path_sums` and `path_scores` (step,). `windows`
    (row, column) what each window hidden takes off the score, `window` (size, apart)."""
    ends = attribution.ends(again.trace)
    assert ends is not None
    wish = attribution.wish(again.words)
    yield 0.0, tr("scores")
    net = Scored(again, again.model, ends, wish)
    number, against = net.number, net.against
    found: dict[str, Array] = {"class": np.asarray(number), "against": np.asarray(against),
                               "score": net.score(net.read).detach().numpy()[0],
                               "blank": net.score(net.baseline).detach().numpy()[0],
                               "chance": net.chance(net.read).numpy()[0]}
    maps: dict[str, Values] = {}
    for share, name, values in _maps(net):
        yield 0.45 * share, name
        maps[name] = values
    found |= {f"maps/{name}": values for name, values in maps.items()}
    found |= _path(net) | _windows(net)
    yield 0.5, tr("random weights")
    drawn = Scored(again, randomised(net.model), ends, wish)
    for share, name, values in _maps(drawn):
        yield 0.5 + 0.35 * share, name
        found[f"control/{name}"] = values
    blank = net.of_nothing(again)
    ink = attribution.ink(net.shares((net.read - blank).abs())[0])
    counts = attribution.counts(int(ink.sum()))
    found |= {"ink": ink, "counts": np.array(counts)}
    for name, values in maps.items():
        yield 0.85, name
        order = _order(values, ink)
        found[f"deleted/{name}"], found[f"inserted/{name}"] = _erased(net, order[None], counts)
    yield 0.9, tr("orders by chance")
    orders = by_chance(ink)
    found["deleted/random"], found["inserted/random"] = _erased(net, orders, counts)
    return found


def randomised(model: nn.Module) -> nn.Module:
    """A copy with weights drawn anew as its modules draw them, and shuffled where they do not; seeded."""
    try:
        drawn = copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise Refused(tr("The model cannot be copied for the control with random weights; build it without what holds "
                         "a lock or an open file.")) from error
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        for module in drawn.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
                continue
            for weights in module.parameters(recurse=False):
                weights.copy_(weights.flatten()[torch.randperm(weights.numel())].reshape(weights.shape))
    return drawn.eval()


# --- a model as a function of what it reads ---------------------------------------------------------------------------

class Scored:
    """A model as the function from the numbers that are explained to the score."""

    def __init__(self, again: Pass, model: nn.Module, ends: Ends, wish: Wish) -> None:
        self.model, self.ends, self.wish, self.output = recordable(model), ends, wish, again.output
        self.given = converted(arguments(self.model, again.inputs, again.keywords), torch.float64)
        self.number, self.against = attribution.chosen(wish, ends.scores)
        self.read = self._first_read()
        if self.read.shape != (1, *ends.read.shape):
            raise Refused(tr("Attribution takes an input with a batch axis of one first; give the model one so."))
        self.baseline = self.of_nothing(again) if wish.baseline == attribution.NOTHING else self._other_baseline()
        self.at_once = AT_ONCE if self._takes_several() else 1

    def answers(self, batch: Tensor, *modes: TorchFunctionMode) -> Tensor:
        """(input, class) for (input, …): the last step of several, and numbers as if each were a class."""
        with in_precision(self.model, torch.float64) as running, Precision(torch.float64), ExitStack() as stack:
            running.eval()
            for mode in modes:
                stack.enter_context(mode)
            fed = self.given.turned(lambda name, tensor: self._fed(tensor, batch))
            if self.ends.read is not self._fed_layer:
                stack.enter_context(Instead(batch, self.ends.symbols))
            returned = running(*fed.positions, **fed.keywords)
        found = {name: tensor for name, tensor in outputs(returned) if tensor.is_floating_point()}
        made = found[self.output] if self.output in found else next(iter(found.values()))
        wanted = self.ends.scores.shape
        if made.numel() != len(batch) * int(np.prod(wanted)):
            raise Refused(tr("The model does not hand back its scores input by input, so they cannot be explained."))
        made = made.reshape(len(batch), -1, wanted[-1] if wanted else 1)
        return made[:, -1] if self.ends.chooses else made.reshape(len(batch), -1)[:, -1:]

    def score(self, batch: Tensor, *modes: TorchFunctionMode) -> Tensor:
        """(input,): what is explained."""
        made = self.answers(batch, *modes)
        if self.wish.score == attribution.PROBABILITY:
            made = self._chances(made)
        return made[:, self.number] - (made[:, self.against] if self.against >= 0 else 0.0)

    def chance(self, batch: Tensor) -> Tensor:
        """(input,): the probability of the class, or the number that is answered."""
        with torch.no_grad():
            return torch.cat([self._chances(self.answers(some))[:, self.number] for some in self.batches(batch)])

    def scores(self, batch: Tensor) -> Tensor:
        """(input,): without gradients, some at a time."""
        with torch.no_grad():
            return torch.cat([self.score(some) for some in self.batches(batch)])

    def slopes(self, batch: Tensor, *modes: TorchFunctionMode) -> Tensor:
        """∂ score / ∂ each number, (input, …)."""
        found = []
        for some in self.batches(batch):
            x = some.clone().requires_grad_()
            found.append(torch.autograd.grad(self.score(x, *modes).sum(), x)[0])
        return torch.cat(found)

    def batches(self, batch: Tensor) -> Iterator[Tensor]:
        return iter(batch.split(self.at_once))

    def shares(self, values: Tensor) -> Values:
        """(input, place, …): what the numbers of a place add up to."""
        axes = self._features
        return np.asarray((values.sum(axes) if axes else values).numpy(), np.float64)

    def sizes(self, values: Tensor) -> Values:
        """The same of slopes: of several numbers of a place their norm."""
        axes = self._features
        many = int(np.prod([values.shape[axis] for axis in axes])) > 1
        return np.asarray(values.square().sum(axes).sqrt().numpy()) if many else self.shares(values)

    def mixed(self, where: NDArray[np.bool_]) -> Tensor:
        """(input, …): the input where it is true of (input, place, …), else the baseline."""
        shape = [len(where)] + [1] * self.ends.read.output.ndim
        for axis, size in zip(self.ends.axes, self.ends.places, strict=True):
            shape[axis + 1] = size
        return torch.where(torch.from_numpy(where).reshape(shape), self.read, self.baseline)

    @cached_property
    def sums(self) -> Values:
        """Integrated gradients, step by step."""
        return integrated(self)

    @cached_property
    def hidden(self) -> Hidden:
        """Occlusion."""
        return occlusion(self)

    @property
    def _features(self) -> tuple[int, ...]:
        return tuple(axis + 1 for axis in range(self.ends.read.output.ndim) if axis not in self.ends.axes)

    @property
    def _fed_layer(self) -> Any:
        return self.ends.read if self.ends.read.is_input else None

    def _fed(self, tensor: Tensor, batch: Tensor) -> Tensor:
        if self.ends.read.is_input and tensor.is_floating_point():
            return batch
        spectral = not self.ends.read.is_input and not self.ends.symbols
        return tensor.clone() if spectral or not tensor.ndim or len(tensor) != 1 else \
            tensor.expand(len(batch), *tensor.shape[1:]).clone()

    def _first_read(self) -> Tensor:
        if self.ends.read.is_input:
            return next(tensor for _, tensor in self.given.tensors if tensor.is_floating_point()).detach().clone()
        kept = Instead(None, self.ends.symbols)
        with torch.no_grad(), in_precision(self.model, torch.float64) as running, Precision(torch.float64), kept:
            running.eval()
            fed = self.given.turned(lambda name, tensor: tensor.clone())
            running(*fed.positions, **fed.keywords)
        if kept.seen is None:
            raise Refused(tr("Where the network reads its input is not seen; use the functions of torch for it."))
        return kept.seen.detach().clone()

    def of_nothing(self, again: Pass) -> Tensor:
        """A blank picture as the model reads it; the quietest band of a spectrogram; else zeros."""
        opened, raw = again.opened, None if again.given is None else again.given.raw
        if self.ends.read.is_input and opened is not None and opened.prepare is not None \
                and isinstance(raw, np.ndarray) and raw.dtype == np.uint8:
            blank = converted(arguments(self.model, opened.prepare(np.zeros_like(raw)), again.keywords), torch.float64)
            empty = next(tensor for _, tensor in blank.tensors if tensor.is_floating_point())
            if empty.shape == self.read.shape:
                return empty.detach().clone()
        if not self.ends.read.is_input and not self.ends.symbols:
            return torch.full_like(self.read, float(self.read.min()))
        return torch.zeros_like(self.read)

    def _other_baseline(self) -> Tensor:
        """The mean over all places, or the input with places mixed with those around them."""
        axes = tuple(axis + 1 for axis in self.ends.axes)
        if self.wish.baseline == attribution.MEAN:
            return self.read.mean(axes, keepdim=True).expand_as(self.read).clone()
        blurred = self.read
        reach = int(3 * SPREAD)
        bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / SPREAD) ** 2)
        for axis in axes:
            size = blurred.shape[axis]
            near = (torch.arange(size)[:, None] + torch.arange(-reach, reach + 1)).clamp(0, size - 1)
            rows = blurred.movedim(axis, -1)[..., near]
            blurred = (rows * (bell / bell.sum())).sum(-1).movedim(-1, axis)
        return blurred

    def _chances(self, made: Tensor) -> Tensor:
        return made if self.ends.probable or not self.ends.chooses else made.softmax(-1)

    def _takes_several(self) -> bool:
        both = torch.cat([self.read, self.baseline, self.read])
        try:
            with torch.no_grad():
                made = self.answers(both)
                return torch.allclose(made[:1], self.answers(self.read)) and torch.equal(made[0], made[2])
        except (RuntimeError, IndexError, ValueError, Refused):
            return False


class Instead(TorchFunctionMode):
    """While it is entered, the first embedding gives, or the first convolution of maps reads, other numbers; with none
    it keeps those that there are as `seen`."""

    def __init__(self, numbers: Tensor | None, symbols: bool) -> None:
        super().__init__()
        self.numbers, self.symbols, self.done = numbers, symbols, False
        self.seen: Tensor | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.done or func not in (EMBEDDINGS if self.symbols else (functional.conv2d,)):
            return func(*args, **kwargs)
        self.done = True
        if self.symbols:
            made = func(*args, **kwargs)
            self.seen = made
            return made if self.numbers is None else self.numbers
        self.seen = args[0] if args else kwargs["input"]
        return func(*args, **kwargs) if self.numbers is None else func(self.numbers, *args[1:], **kwargs)


# --- the methods ------------------------------------------------------------------------------------------------------

def _maps(net: Scored) -> Iterator[tuple[float, str, Values]]:
    """(share done, method, map) of each method that suits."""
    methods: dict[str, Callable[[Scored], Values | None]] = {
        "gradient": lambda net: net.sizes(net.slopes(net.read))[0],
        "times_input": lambda net: net.shares(net.read * net.slopes(net.read))[0],
        "integrated": lambda net: net.sums[-1], "smooth": smooth, "grad_cam": grad_cam, "guided": guided,
        "deeplift": deeplift, "occlusion": lambda net: net.hidden.map, "left_out": left_out}
    for place, (name, method) in enumerate(methods.items()):
        made = method(net)
        if made is not None:
            yield (place + 1) / len(methods), name, made


def integrated(net: Scored) -> Values:
    """(step + 1, place, …): the running sums of the slopes along the straight path, in the middle of each step, times
    the way of each number; the first is nothing."""
    count = net.wish.path
    at = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    way = net.read - net.baseline
    along = net.baseline + at.reshape(-1, *[1] * (way.ndim - 1)) * way
    each = net.shares(net.slopes(along) * way / count)
    return np.concatenate([np.zeros_like(each[:1]), np.cumsum(each, 0)])


def smooth(net: Scored) -> Values:
    """The mean of the slopes at noisy inputs; seeded."""
    return net.sizes(net.slopes(noisy(net.read)).mean(0, keepdim=True))[0]


def noisy(read: Tensor) -> Tensor:
    """(noise, …): the inputs that SmoothGrad takes the slopes at."""
    drawn = torch.Generator().manual_seed(SEED)
    noise = torch.randn((NOISES, *read.shape[1:]), generator=drawn, dtype=torch.float64)
    return read + NOISE * (read.max() - read.min()) * noise


def grad_cam(net: Scored) -> Values | None:
    """The last convolution's maps, each times the mean of its slopes, added up; without what is below zero, and each of
    its cells as large as the places that it stands for."""
    if net.ends.convolution is None:
        return None
    kept = Kept()
    x = net.read.clone().requires_grad_()
    score = net.score(x, kept).sum()
    assert kept.maps is not None
    (slopes,) = torch.autograd.grad(score, kept.maps)
    along = tuple(range(2, slopes.ndim))
    made = (slopes.mean(along, keepdim=True) * kept.maps).sum(1)[0].clamp(min=0).detach().numpy()
    for axis, size in enumerate(net.ends.places):
        made = made.take(np.arange(size) * made.shape[axis] // size, axis)
    return np.asarray(made)


class Kept(TorchFunctionMode):
    """While it is entered, the maps of the last convolution are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: Tensor | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if func in CONVOLUTIONS:
            self.maps = made
            return made * 1.0  # what is done in place afterwards leaves the maps as they are
        return made


def guided(net: Scored) -> Values | None:
    """The slopes, where each ReLU hands back only what is above zero."""
    if not any(map(kinds.switches, net.ends.behind)):
        return None
    return net.sizes(net.slopes(net.read, Guided()))[0]


class Guided(TorchFunctionMode):
    """While it is entered, each ReLU hands back only what is above zero, and only where its input is."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in RELUS:
            return func(*args, **(kwargs or {}))
        made = torch.relu(args[0])
        if made.requires_grad:
            made.register_hook(lambda back: back.clamp(min=0))
        return made


def deeplift(net: Scored) -> Values | None:
    """The rescale rule: behind each bend the slope is by how much its output differs from that of the baseline, over by
    how much its input does. None where the network is made of more, or where it does not add up."""
    if not net.ends.rescalable or net.wish.score != attribution.LOGIT:
        return None
    pairs: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():
        blank = net.score(net.baseline, Rescaled(pairs, keeping=True))
    x = net.read.clone().requires_grad_()
    score = net.score(x, Rescaled(pairs, keeping=False))
    (by,) = torch.autograd.grad(score.sum(), x)
    made = net.shares(by * (net.read - net.baseline))[0]
    apart = float((score - blank).detach())
    return made if abs(made.sum() - apart) <= NEAR * max(1.0, abs(apart)) else None


class Rescaled(TorchFunctionMode):
    """While it is entered, the inputs and outputs of bends and of the largest of windows are kept; or, when they are
    known of the baseline, the slopes of the same calls are those of the rescale rule."""

    def __init__(self, pairs: list[tuple[Tensor, Tensor]], keeping: bool) -> None:
        super().__init__()
        self.pairs, self.keeping, self.call = pairs, keeping, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in BENDS and func not in POOLS:
            return func(*args, **kwargs)
        with torch._C.DisableTorchFunction():  # all of it is in float64, and no step of the model
            return self._rescaled(func, args, kwargs)

    def _rescaled(self, func: Any, args: Any, kwargs: Any) -> Tensor:
        usual = {RELUS[3]: torch.relu, RELUS[4]: torch.relu, RELUS[5]: torch.relu}.get(func, func)
        kwargs = {name: value for name, value in kwargs.items() if name != "inplace"}
        x = args[0]
        if self.keeping:
            made: Tensor = usual(*args, **kwargs)
            self.pairs.append((x, made))
            return made
        before, after = self.pairs[self.call]
        self.call += 1
        made = usual(*args, **kwargs).detach()
        line = _largest(x, before, made, after, self._pool(func, args, kwargs)) if func in POOLS else \
            _bend(x, before, made, after, lambda values: usual(values, *args[1:], **kwargs))
        return made + (line - line.detach())  # the value of the call, and the slope of the rule

    def _pool(self, func: Any, args: Any, kwargs: Any) -> Callable[[Tensor], Tensor]:
        one = func in (POOLS[0], POOLS[2])
        indices = functional.max_pool1d_with_indices if one else functional.max_pool2d_with_indices
        return lambda values: indices(values, *args[1:], **kwargs)[1]


def _bend(x: Tensor, before: Tensor, made: Tensor, after: Tensor, bend: Callable[[Tensor], Tensor]) -> Tensor:
    at = x.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(bend(at).sum(), at)
    way = x.detach() - before
    return x * torch.where(way.abs() < STILL, slope, (made - after) / way)


def _largest(x: Tensor, before: Tensor, made: Tensor, after: Tensor, where: Callable[[Tensor], Tensor]) -> Tensor:
    """The largest of a window: how far it lies above that of the baseline is given to where it stands, how far below to
    where that stood."""
    here, there, top = where(x.detach()), where(before), torch.maximum(made, after)
    first = made.ndim - (1 if here.ndim == 3 else 2)
    flat, way = x.flatten(first), (x.detach() - before).flatten(first)

    def given(places: Tensor, part: Tensor, still: float) -> Tensor:
        at = places.flatten(first)
        apart = way.gather(first, at)
        by = torch.where(apart.abs() < STILL, torch.full_like(apart, still), part.flatten(first) / apart)
        return (flat.gather(first, at) * by).reshape(made.shape)

    return given(here, top - after, 1.0) + given(there, made - top, 0.0)


@dataclass(frozen=True, eq=False)
class Hidden:
    """What hiding windows takes off the score."""

    map: Values
    """(place, …): the mean over the windows that hide a place."""
    losses: Values
    """(row, column) or (step,): of each window."""
    size: int
    apart: int


def occlusion(net: Scored) -> Hidden:
    """The baseline in place of a window, at one place after the other."""
    places = net.ends.places
    size = net.wish.window if len(places) == 2 else max(1, min(net.wish.window, places[0] // 3))
    sizes = [min(size, side) for side in places]
    apart = 1
    while np.prod([ceil((side - own) / apart) + 1 for side, own in zip(places, sizes, strict=True)]) > MOST_OUT:
        apart += 1
    counts = [ceil((side - own) / apart) + 1 for side, own in zip(places, sizes, strict=True)]
    hidden = np.zeros((int(np.prod(counts)), *places), np.bool_)
    for number, window in enumerate(np.ndindex(*counts)):
        hidden[(number, *(slice(at * apart, at * apart + own) for at, own in zip(window, sizes, strict=True)))] = True
    losses = _losses(net, hidden)
    covered = hidden.sum(0)
    flat = losses @ hidden.reshape(len(hidden), -1) / np.maximum(covered.ravel(), 1)
    return Hidden(flat.reshape(places), losses.reshape(counts), size, apart)


def left_out(net: Scored) -> Values | None:
    """What each place takes off the score when the baseline stands there instead."""
    count = int(np.prod(net.ends.places))
    if count > MOST_OUT:
        return None
    return _losses(net, np.eye(count, dtype=np.bool_).reshape(-1, *net.ends.places)).reshape(net.ends.places)


def _losses(net: Scored, hidden: NDArray[np.bool_]) -> Values:
    whole = net.scores(net.read)[0]
    return np.concatenate([(whole - net.scores(net.mixed(~some))).numpy()
                           for some in np.array_split(hidden, ceil(len(hidden) / AT_ONCE))])


# --- what is kept beside the maps -------------------------------------------------------------------------------------

def _path(net: Scored) -> dict[str, Array]:
    sums = net.sums
    at = np.unique(np.rint(np.linspace(0, len(sums) - 1, FRAMES + 1)).astype(np.int64))
    share = torch.linspace(0, 1, len(sums), dtype=torch.float64).reshape(-1, *[1] * (net.read.ndim - 1))
    scores = net.scores(net.baseline + share * (net.read - net.baseline)).numpy()
    return {"path": sums[at].astype(np.float32), "path_at": at, "path_scores": scores,
            "path_sums": sums.reshape(len(sums), -1).sum(1)}


def _windows(net: Scored) -> dict[str, Array]:
    found = net.hidden
    return {"windows": found.losses, "window": np.array([found.size, found.apart])}


def _order(values: Values, ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The places of the ink, those that count most for the score first."""
    inside = np.flatnonzero(ink)
    return inside[np.argsort(-values.ravel()[inside], kind="stable")]


def by_chance(ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(draw, place): orders of the places of the ink; seeded."""
    drawn, inside = torch.Generator().manual_seed(SEED), np.flatnonzero(ink)
    return np.stack([inside[torch.randperm(len(inside), generator=drawn).numpy()] for _ in range(DRAWS)])


def _erased(net: Scored, orders: NDArray[np.int64], counts: tuple[int, ...]) -> tuple[Values, Values]:
    """(deleted, inserted), each (count,): the mean chance over the orders, with the first places of each erased from
    the input, or alone put into the baseline."""
    places = net.ends.places
    gone = np.zeros((len(orders), len(counts), int(np.prod(places))), np.bool_)
    for number, order in enumerate(orders):
        for row, count in enumerate(counts):
            gone[number, row, order[:count]] = True
    flat = gone.reshape(-1, *places)
    made = []
    for where in (~flat, flat):
        chances = np.concatenate([net.chance(net.mixed(some)).numpy()
                                  for some in np.array_split(where, ceil(len(where) / AT_ONCE))])
        made.append(chances.reshape(len(orders), len(counts)).mean(0))
    return made[0], made[1]


def suits(trace: Trace) -> bool:
    """Whether it answers with classes or numbers, from one input that has places."""
    return attribution.ends(trace) is not None


STUDY = Study(attribution.STUDY, "how much each place counts for a score", suits, run)
