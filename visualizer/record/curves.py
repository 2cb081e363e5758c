"""curves: how many answers of a network are right, by how strongly something is done to its inputs.

Many inputs go through the network at once, as many as have one shape; a network that does not answer to many as it
answers to one is asked one by one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer import edits, inputs, registry
from visualizer.curve import BUNDLED, HELD_OUT, Curve, Point, from_plain
from visualizer.edits import Grain, Matter
from visualizer.inputs import Given
from visualizer.language import tr, translated
from visualizer.record.catalog import Opened
from visualizer.record.edits import after, grain_for, matter_of
from visualizer.record.run import answers_with, given_of, prepared, reads_of, settings_of, truth_of
from visualizer.record.tracing import outputs
from visualizer.record.weights import hash_of, to_numpy
from visualizer.trace import Array, Refused

VERSION = 1
"""Of what is counted and how: curves that were kept by another one are counted anew."""
BATCH = 200
"""So many inputs go through at once."""
ALONE = 8
"""So many that are asked one by one are asked at a stretch."""
LIKE = 1e-3
"""So far may answers to many at once be from those to one, of the largest: both are sums in another order."""
MOST_PLACES = 64
KEPT = 400
"""So many curves stay on the disk, the last ones used."""

Each = tuple[Given, Matter]
"""An input, and how an edit takes hold of it."""
Growing = Generator[tuple[float, Curve], None, Curve]
"""Yields (share done, the curve so far), so that it can be stopped there; returns all of it."""


@dataclass(frozen=True, eq=False)
class Data:
    """The inputs over which is counted, and what they are called."""

    given: tuple[Given, ...]
    kind: str
    """What these are, as their kind is titled."""
    origin: str = ""
    """`bundled`, `held-out`, or a person's own."""

    @property
    def digest(self) -> str:
        """Two are equal if these are."""
        found = hashlib.sha256()
        for each in self.given:
            raw = each.raw.tobytes() if isinstance(each.raw, np.ndarray) else repr(each.raw).encode()
            found.update(repr((each.sample.label, each.digits, each.following, len(raw))).encode() + raw)
        return found.hexdigest()


def data_of(opened: Opened, source: str = "") -> Data:
    """The bundled inputs of a model, those that its kind keeps in a folder of data, or those of any folder or list.

    Raises Refused with one sentence if there are none.
    """
    facts = reads_of(opened)
    kind = inputs.of(facts)
    own = bool(facts.get("samples"))  # what it reads is another thing than most of that kind read
    held_out = () if not source or own or kind.held_out is None else kind.held_out(Path(source))
    if held_out:
        return Data(tuple(held_out), kind.title, HELD_OUT)
    found: list[Given] = []
    for word in inputs.candidates(source, kind, facts).words:
        with suppress(Refused, LookupError):
            found.append(given_of(opened, word))
    if not found:
        raise Refused(tr("There are no inputs over which the answers of {model} could be counted.").format(
            model=opened.title))
    return Data(tuple(found), kind.title, "" if source else BUNDLED)


def measured(opened: Opened, words: Sequence[str], data: Data, grows: str = "",
             keep: Callable[[Curve], None] = lambda curve: None, known: Curve | None = None) -> Growing:
    """Count right answers at every strength of one of the edits, the last that has one or the one that is named.

    `words` are the edits of the network and of the inputs; those of the network are done already. `known` is the same
    curve as far as it was counted before, and `keep` is given each further one. Raises Refused with one sentence where
    nothing can be counted: answers that are neither right nor wrong, inputs whose right answer nobody knows.
    """
    curve = blank(opened, words, data, grows)
    if known is not None and known.strengths == curve.strengths:
        curve = replace(curve, points=known.points, why=known.why)
    counting: _Counting | None = None
    for number, strength in enumerate(curve.strengths):
        share = number / len(curve.strengths)
        if curve.complete or curve.at(strength) is not None:
            continue
        counting = counting or _Counting(opened, curve.edits, data)
        counted = counting.point([_at(word, curve.grows, strength) for word in curve.edits], strength)
        while True:
            try:
                part = next(counted)
            except StopIteration as end:
                curve = curve.with_point(end.value)
                break
            except Refused as refused:
                if not curve.points:
                    raise
                curve = replace(curve, why=str(refused))
                break
            yield share + part / len(curve.strengths), curve
        keep(curve)
        yield (number + 1) / len(curve.strengths), curve
    return curve


def counted(opened: Opened, words: Sequence[str], data: Data) -> Point:
    """Right answers with these edits as they are. Raises Refused as `measured` does."""
    counting = counting_right(opened, words, data)
    while True:
        try:
            next(counting)
        except StopIteration as end:
            point: Point = end.value
            return point


def counting_right(opened: Opened, words: Sequence[str], data: Data) -> Generator[float, None, Point]:
    """The same, yielding the share of the inputs that were read."""
    made = answers_with(opened)
    if made is None or made.judge is None:
        raise Refused(tr("The answers of {model} are neither right nor wrong.").format(model=opened.title))
    return (yield from _Counting(opened, words, data).point(words, 1.0))


def blank(opened: Opened, words: Sequence[str], data: Data, grows: str = "") -> Curve:
    """The curve before anything was counted; Refused where nothing ever can be."""
    made = answers_with(opened)
    if made is None or made.judge is None:
        said = tr("The answers of {model} are {kind}, which are near or far, never right or wrong.")
        raise Refused(said.format(model=opened.title, kind=tr("of no known kind") if made is None else
                                  translated(made.title)))
    try:
        found = [edit for edit, _ in edits.of(words, edits.INPUT) if not grows or edit.name == grows]
    except LookupError as error:
        raise Refused(str(error.args[0])) from error
    if not found:
        raise Refused(tr("Nothing is done to the input; choose what, and how right answers depend on it is counted."))
    edit = next((edit for edit in reversed(found) if edit.strength is not None), found[-1])
    strengths = (0.0, 1.0) if edit.strength is None else tuple(map(float, edit.strength.curve))
    done = tuple(_at(word, edit.name, strengths[-1]) for word in words)
    classes = len(opened.labels)
    return Curve(opened.name, opened.title, done, edit.name, strengths,
                 chance=1 / classes if made.guess and classes else 0.0, inputs=len(data.given),
                 kind=data.kind, origin=data.origin)


def _at(word: str, grows: str, strength: float) -> str:
    """The edit that grows at a strength, any other as it is; what is done or not is not done at 0."""
    if word.partition(":")[0] != grows:
        return word
    return edits.at(word, strength) if edits.find(grows).strength is not None else word if strength else ""


# --- kept on the disk -----------------------------------------------------------------------------------------------

def remembering(opened: Opened, words: Sequence[str], data: Data, grows: str = "") -> Growing:
    """`measured`, going on from what was counted before of the same weights, edits and inputs; each point is kept."""
    path = _path(opened, blank(opened, words, data, grows), data)
    return (yield from measured(opened, words, data, grows, lambda curve: _keep(path, curve), _kept(path)))


def _path(opened: Opened, curve: Curve, data: Data) -> Path:
    state = {name: to_numpy(tensor) for name, tensor in opened.module.state_dict().items()
             if isinstance(tensor, Tensor)}
    marks = (VERSION, hash_of(state), repr(opened.module), *curve.edits, *curve.strengths, data.digest)
    return registry.state_folder() / "curves" / f"{hashlib.sha256(repr(marks).encode()).hexdigest()[:32]}.json"


def _kept(path: Path) -> Curve | None:
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        found = from_plain(json.loads(path.read_text("utf-8")))
        path.touch()
        return found
    return None


def _keep(path: Path, curve: Curve) -> None:
    """On the disk where that is possible; where not, it is counted anew the next time, and nothing else happens."""
    with suppress(OSError, registry.NotWritten):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        registry.write_whole(path, json.dumps(curve.plain()).encode())
        if fresh:
            files = sorted(path.parent.glob("*.json"), key=lambda each: each.stat().st_mtime)
            for old in files[:-KEPT]:
                old.unlink()


# --- one strength ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Asked:
    """One input that is given."""

    given: Given
    truth: Any
    cut: bool
    """Whether it lost something over the edge of its frame."""


class _Counting:
    """Everything that is the same at each strength."""

    def __init__(self, opened: Opened, words: Sequence[str], data: Data) -> None:
        made, facts = answers_with(opened), reads_of(opened)
        assert made is not None
        assert made.judge is not None
        self.opened, self.made, self.judge = opened, made, made.judge
        grain = grain_for(words, inputs.of(facts), facts, opened.title)
        assert grain is not None
        self.inputs = self._that_can_be_edited([(given, matter_of(given.raw, grain)) for given in data.given], words)
        self.settings = settings_of(opened)
        self.together: bool | None = None
        """Whether it answers to many as it answers to one; None as long as nobody has tried."""
        self.prepares: bool | None = None
        """The same of how its inputs are made."""

    def _that_can_be_edited(self, found: Sequence[Each], words: Sequence[str]) -> list[Each]:
        """The same inputs at every strength: those that have what the edits need, a word to swap with another; Refused
        if none has."""
        kept: list[Each] = []
        why: Refused | None = None
        for given, matter in found:
            try:
                after(given.raw, matter, words)
            except Refused as refused:
                why = refused
                continue
            kept.append((given, matter))
        if why is not None and not kept:
            raise why
        return kept

    def point(self, words: Sequence[str], strength: float) -> Generator[float, None, Point]:
        """What is right at one strength; yields the share of the inputs that were read."""
        done = [word for word in words if word]
        point, waiting = Point(strength, 0, 0), dict[tuple[int, ...], list[_Asked]]()
        for number, (given, matter) in enumerate(self.inputs, 1):
            asked = self._asked(given, matter, done)
            size = asked.given.raw.shape if isinstance(asked.given.raw, np.ndarray) else (-1, len(asked.given.raw))
            waiting.setdefault(size, []).append(asked)
            if len(waiting[size]) == BATCH:
                point = self._added(point, waiting.pop(size))
                yield number / len(self.inputs)
        left = sum(map(len, waiting.values()))
        for batch in waiting.values():
            step = ALONE if self.together is False else len(batch)
            for start in range(0, len(batch), step):
                piece = batch[start:start + step]
                point, left = self._added(point, piece), left - len(piece)
                if left:
                    yield 1 - left / len(self.inputs)
        if not point.of:
            raise Refused(tr("It is not known of these inputs what {model} should answer.").format(
                model=self.opened.title))
        return point

    def _asked(self, given: Given, matter: Matter, words: Sequence[str]) -> _Asked:
        raw = after(given.raw, matter, words)
        made = given if raw is given.raw else replace(given, raw=raw, following="")
        return _Asked(made, truth_of(self.opened, made), _is_cut(matter, words))

    def _added(self, point: Point, batch: Sequence[_Asked]) -> Point:
        """The point with this batch counted, too."""
        for values, asked in zip(self._answers(batch), batch, strict=True):
            right, of = self.judge(values, asked.truth, self.settings)
            whole = not asked.cut
            point = Point(point.strength, point.right + right, point.of + of, point.cut + asked.cut,
                          point.whole_right + right * whole, point.whole_of + of * whole, point.inputs + 1)
        return point

    @torch.inference_mode()
    def _answers(self, batch: Sequence[_Asked]) -> Iterable[Array]:
        """What is answered to each; found out once whether that is the same for many together."""
        if len(batch) > 1 and self.together is not False:
            x = self._fed(batch)
            found = None if x is None else self._run(x)
            if self.together is None:
                self.together = found is not None and self._agree(found, batch)
            if self.together and found is not None:
                return found
        return [self._alone(asked) for asked in batch]

    def _fed(self, batch: Sequence[_Asked]) -> tuple[Tensor, ...] | None:
        """What is fed in for all of them; None where the inputs of a batch are none of one size."""
        raws = [asked.given.raw for asked in batch]
        if self.prepares is not False and isinstance(raws[0], np.ndarray):
            stacked = self._prepared(np.stack(raws))
            if self.prepares is None:
                one = prepared(self.opened, raws[0])
                self.prepares = isinstance(stacked, Tensor) and isinstance(one, Tensor) \
                    and len(stacked) == len(batch) and torch.equal(stacked[:1], one)
            if self.prepares and isinstance(stacked, Tensor):
                return (stacked,)
        each = [x if isinstance(x, tuple) else (x,) for x in (prepared(self.opened, raw) for raw in raws)]
        alike = all([part.shape for part in x] == [part.shape for part in each[0]] for x in each)
        return tuple(torch.cat(parts) for parts in zip(*each, strict=True)) \
            if alike and all(part.ndim and len(part) == 1 for part in each[0]) else None

    def _prepared(self, raws: Array) -> Any:
        assert self.opened.prepare is not None
        try:
            return self.opened.prepare(raws)
        except (ValueError, RuntimeError, TypeError, IndexError):  # it takes one at a time
            return None

    def _agree(self, found: Array, batch: Sequence[_Asked]) -> bool:
        if found.shape[:1] != (len(batch),):
            return False
        for place in (0, len(batch) - 1):
            one = self._alone(batch[place])
            if one.shape != found[place].shape or \
                    not np.allclose(one, found[place], rtol=LIKE, atol=LIKE * float(np.abs(one).max(initial=0))):
                return False
        return True

    def _alone(self, asked: _Asked) -> Array:
        x = prepared(self.opened, asked.given.raw)
        found = self._run(x if isinstance(x, tuple) else (x,))
        return found[0] if found.shape[:1] == (1,) and found.ndim > 1 else found

    def _run(self, x: tuple[Tensor, ...]) -> Array:
        try:
            returned = [tensor for _, tensor in islice(outputs(self.opened.module(*x)), 1)]
        except (RuntimeError, TypeError) as error:
            shape = " and ".join(str(tuple(each.shape)) for each in x)
            raise Refused(tr("{model} cannot be run on an input of the shape {shape} ({why}).").format(
                model=self.opened.title, shape=shape,
                why=str(error).strip().partition(chr(10))[0].rstrip("."))) from error
        if not returned:
            raise Refused(tr("{model} hands nothing back.").format(model=self.opened.title))
        found: Array = returned[0].detach().float().numpy()
        return found


def _is_cut(matter: Matter, words: Sequence[str]) -> bool:
    """Whether an edit that moves an input carries any of it over the frame."""
    for number, word in enumerate(words):
        if edits.find(word.partition(":")[0]).leaves is not None:
            before = edits.done(matter, words[:number]).array if number else matter.array
            if (before[_leaves(word, before.shape, matter.grain.axes, matter.grain)] != matter.grain.empty).any():
                return True
    return False


_kept_places: dict[tuple[Any, ...], Array] = {}


def _leaves(word: str, shape: tuple[int, ...], axes: tuple[str, ...], grain: Grain) -> Array:
    """Where the numbers are that an edit carries over the frame; the last ones are kept."""
    key = word, shape, axes
    if key not in _kept_places:
        edit, arguments = edits.parse(word)
        assert edit.leaves is not None
        while len(_kept_places) >= MOST_PLACES:
            del _kept_places[next(iter(_kept_places))]
        _kept_places[key] = edit.leaves(shape, grain, *arguments)
    return _kept_places[key]
