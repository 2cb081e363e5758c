"""What a cut changed: which rows are shown, what each was and is, and what is cut in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import edits, kinds
from visualizer.edits.cuts import Gate, Replaced, Scaled, Unwired
from visualizer.kinds import waiting
from visualizer.kinds.attribution import NUMBERED
from visualizer.size import norm
from visualizer.trace import Layer, Trace, remembered

STUDY, RANKING = "surgery", "matters"
BEHIND = ("product", "sum")
"""What an edit of a channel or unit puts behind its layer."""
Values = NDArray[np.float64]


@remembered(2)
def words(trace: Trace) -> tuple[str, ...]:
    """What is done to the network and its input, as it stands in the recipe."""
    held = trace.studies.get(STUDY, {})
    return tuple(bytes(held["edits"]).decode().split("\n")) if "edits" in held else ()


def added(trace: Trace, layer: Layer) -> bool:
    """Whether an edit has put it there."""
    return bool(words(trace)) and layer.name not in trace.studies[STUDY] and (
        kinds.role(layer) not in BEHIND or not layer.reads or trace[layer.reads[0]].output.shape == layer.output.shape)


@remembered(2)
def rows(trace: Trace) -> tuple[str, ...]:
    """Every layer that computes, from the first one that has learned, after its curve where it has one, without the
    scores that the answer is made from."""
    answer = trace.answers[0].layer if trace.answers else ""
    found: list[str] = []
    for layer in trace:
        computes = waiting.computes(trace, layer) or (kinds.role(layer) == "join" and _restarted(trace, layer))
        if layer.name != answer and computes and not _bent(trace, layer, answer) and not added(trace, layer):
            found.append(layer.name)
    learned = next((layer.name for layer in trace if layer.learned), "")
    return tuple(name for name in found if not learned or trace.places[name] >= trace.places[learned]) or tuple(found)


def _bent(trace: Trace, layer: Layer, answer: str) -> bool:
    """Whether its curve, or the answer, follows at once, or behind a norm."""
    return any((kinds.curve(reader) is not None and not layer.inner) or reader.name == answer
               or (kinds.role(reader) == "norm" and _bent(trace, reader, answer))
               for reader in _readers(trace, layer.name))


def shares(trace: Trace) -> tuple[str, tuple[int, ...]] | None:
    """(layer, place): where a probability for each class stands; of an answer at each step that of the last one."""
    answer = trace.answers[0] if trace.answers else None
    if answer is None or answer.layer not in trace or trace[answer.layer].shape[-1:] in ((), (1,)):
        return None
    layer = trace[answer.layer]
    if layer.output.ndim == 1:
        return layer.name, ()
    stepwise = answer.along == ("step",) and answer.kind in NUMBERED and layer.output.ndim == 2
    return (layer.name, (layer.shape[0] - 1,)) if stepwise else None


def _restarted(trace: Trace, layer: Layer) -> bool:
    """Whether it is all steps of a layer that goes on from another state."""
    return layer.name.endswith(".cat") and any(word.startswith("state_at:") for word in words(trace)) \
        and layer.name in trace.studies.get(STUDY, {})


def _readers(trace: Trace, name: str) -> list[Layer]:
    """Those that read it, past what an edit has put between."""
    found: list[Layer] = []
    for reader in trace.readers(name):
        found += _readers(trace, reader.name) if added(trace, reader) else [reader]
    return found


def now(trace: Trace, name: str) -> Values:
    """What a layer gives, past what an edit has put behind it."""
    layer = trace[name]
    while True:
        behind = [reader for reader in trace.readers(layer.name)
                  if kinds.role(reader) in BEHIND and added(trace, reader)]
        if not behind:
            return np.asarray(layer.output, np.float64)
        layer = behind[-1]


def was(trace: Trace, name: str) -> Values:
    """What it gave before; what it gives where nothing is done, and nothing where it had another size."""
    held = trace.studies.get(STUDY, {}).get(name)
    new = now(trace, name)
    if held is None:
        return new
    return np.asarray(held, np.float64) if held.shape == new.shape else np.full(new.shape, np.nan)


def slopes(trace: Trace, name: str) -> tuple[Values, Values] | None:
    """(before, now): the gradient of the loss at a layer; None where none flowed."""
    layer = trace[name]
    held = trace.studies.get(STUDY, {}).get(f"{name}:gradient")
    if layer.gradient is None:
        return None
    after = np.asarray(layer.gradient, np.float64)
    return (after if held is None else np.asarray(held, np.float64)), after


@remembered(64, each_layer=True)
def reaches(trace: Trace, name: str) -> float:
    """‖after − before‖ / ‖before‖ of a layer."""
    old, new = was(trace, name), now(trace, name)
    size = norm(old)
    with np.errstate(invalid="ignore", over="ignore"):
        return norm(new - old) / size if size else math.nan


def unwell(trace: Trace) -> str:
    """The first layer that is NaN or infinite, though it was not; empty where there is none."""
    return next((layer.name for layer in trace if layer.output.dtype.kind == "f"
                 and not np.isfinite(layer.output).all() and np.isfinite(was(trace, layer.name)).all()), "")


def loss(trace: Trace) -> tuple[float, float] | None:
    """(before, now); None where there is none."""
    layer = next((layer for layer in reversed(trace.layers) if layer.output.ndim == 0), None)
    if layer is None or not any(kinds.role(each) == "loss" for each in trace):
        return None
    return float(was(trace, layer.name).ravel()[0]), float(layer.output.ravel()[0])


def made_by(trace: Trace, name: str) -> str:
    """Whose channels or units those of a row are: the part with weights that it comes from; empty where it is none."""
    layer = trace[name]
    while not layer.weights:
        if not layer.reads or not (kinds.curve(layer) is not None or added(trace, layer)):
            return ""
        layer = trace[layer.reads[0]]
    return layer.name


@dataclass(frozen=True)
class Cut:
    """What is done to the channels or units of a row."""

    off: frozenset[int] = frozenset()
    touched: frozenset[int] = frozenset()


@remembered(64, each_layer=True)
def cut(trace: Trace, name: str) -> Cut:
    """Which channels or units of a row give nothing, and which are changed in another way."""
    off: set[int] = set()
    touched: set[int] = set()
    of = made_by(trace, name)
    count = trace[name].output.shape[axis(trace[name])] if trace[name].output.ndim else 0
    for edit, arguments in edits.of(words(trace), edits.MODEL):
        done = None if edit.cuts is None else edit.cuts(*arguments)
        if isinstance(done, Scaled) and done.layer == of:
            off |= {done.unit} if done.factor == 0 else set()
            off |= set(range(count)) - {done.unit} if done.others == 0 else set()
            touched |= {done.unit} if done.factor not in (0, 1) else set()
        elif isinstance(done, Unwired) and done.layer == of:
            touched.add(done.to)
        elif isinstance(done, Gate | Replaced) and done.layer == of:
            touched |= {done.unit} if done.unit is not None else set(range(count))
    return Cut(frozenset(off), frozenset(touched - off))


def axis(layer: Layer) -> int:
    """That of its channels or units."""
    return next((layer.axes.index(each) for each in ("channel", "unit", "class", "feature") if each in layer.axes), 0)


# --- which matters most -----------------------------------------------------------------------------------------------

SO_FAR = "matters so far"
"""The ranking while it is still counted."""


def counted(trace: Trace) -> tuple[int, int, int] | None:
    """Right answers before the edits and with them, of how many; None where that is not known."""
    held = trace.studies.get(RANKING, {}) or trace.studies.get(SO_FAR, {})
    return None if "now" not in held else (int(held["whole"][0]), int(held["now"][0]), int(held["whole"][1]))


def bits(trace: Trace) -> tuple[int, int] | None:
    """(how many weights are, bit for bit, what they were before the first edit, of how many)."""
    held = trace.studies.get(RANKING, {}) or trace.studies.get(SO_FAR, {})
    return None if "bits" not in held else (int(held["bits"][0]), int(held["bits"][1]))


@dataclass(frozen=True, eq=False)
class Ranked:
    """What was counted with each left out in turn."""

    words: tuple[str, ...]
    right: float
    """Right answers with all of them; or the loss of this input, where answers are not counted."""
    of: int
    """Of how many; 0 where it is the loss."""
    alone: NDArray[np.float64]
    """As far as it was counted."""
    gone: NDArray[np.int64]
    broken: NDArray[np.int64]
    left: NDArray[np.int64]
    answers: NDArray[np.int64] | None
    finished: bool = True

    @property
    def by_loss(self) -> bool:
        """Whether it is this input's loss that is ranked, for want of answers that are right or wrong."""
        return not self.of

    @property
    def order(self) -> list[int]:
        """Places, that which matters most first; in their own order while it is still counted."""
        if len(self.alone) < len(self.words):
            return [*range(len(self.words))]
        return sorted(range(len(self.words)), key=lambda place: (-self.lost(place), place))

    def lost(self, place: int) -> float:
        """Points of a hundred that are lost without it, or by how much the loss grows."""
        if self.by_loss:
            return float(self.alone[place]) - self.right
        return 100 * (self.right - float(self.alone[place])) / self.of


@remembered(4)
def ranked(trace: Trace, name: str) -> Ranked | None:
    """Of `units` or `steps`; None where that is not counted."""
    held = trace.studies.get(RANKING, {})
    finished = f"{name}:words" in held
    if not finished:
        held = trace.studies.get(SO_FAR, {})
    if f"{name}:words" not in held:
        return None
    return Ranked(tuple(bytes(held[f"{name}:words"]).decode().split("\n")), float(held["all"][0]),
                  int(held["all"][1]), np.asarray(held[f"{name}:alone"], np.float64), held[f"{name}:gone"],
                  held[f"{name}:broken"], held[f"{name}:left"],
                  held.get("answers") if name == "units" else None, finished)
