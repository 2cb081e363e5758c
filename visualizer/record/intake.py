"""intake: what a model file reads and answers, from the inputs that it declares and what a person says of them.

The file says much (sizes, types), files beside it some (how pictures were made ready, names of classes), a person the
rest; what nobody says is proposed, and its name is among `asked`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import answers, beside, inputs
from visualizer.inputs import InputKind, Offer, _exported
from visualizer.inputs.several import INPUT as INPUTS
from visualizer.inputs.tensor import EXAMPLE
from visualizer.language import numeral, tr
from visualizer.manifest import Input, Manifest
from visualizer.record.catalog import Opened
from visualizer.record.probing import FAULTS, Shape, Shapes, Tried, first_shape, proposed, without_numbers
from visualizer.trace import Refused

FREE = 16
"""Steps that are fed in first where any number will do, and the file shows none."""
SEVERAL = INPUTS.name
MOST_LABELS = 100_000


@dataclass(frozen=True)
class Declared:
    """One input as a model file declares it."""

    name: str = "input"
    sizes: tuple[int, ...] = ()
    """With the batch; of an axis that may have any size the one that is tried first."""
    free: tuple[int, ...] = ()
    """Axes that may have any size."""
    dtype: torch.dtype = torch.float32
    example: Sequence[Any] | None = None
    """Where an example lies in the file, as the kind of input `tensor` finds it."""
    fill: int | None = None
    """The number that all of it is at first, where its name says what it is for: a rate, a length, a mask."""
    firm: tuple[int, ...] = ()
    """Of the free axes those on which not every size runs: a picture is brought to the one that is tried first."""


@dataclass(frozen=True, eq=False)
class _Reads:
    """One input, settled."""

    declared: Declared
    offer: Offer
    kind: InputKind
    said: Input
    """What is taken for true of it."""
    asked: tuple[str, ...]
    facts: Mapping[str, Any]


def opened(path: Path, title: str, module: nn.Module, declared: Sequence[Declared] | None, told: Manifest,
           tried: Tried | None = None, *, why: str = "", guard: bool = False, **facts: Any) -> Opened:
    """A module as a model that can be fed: its card, what prepares an input, its labels, and what is only proposed.

    `declared` is None where the file says nothing of its inputs: then `told.shape` does, or one that it runs on is
    looked for. `tried` tries shapes without numbers. `guard` has every new shape tried before it is fed in. `why` says
    what to do where nothing fits. `facts` go into the card. Raises Refused with one sentence.
    """
    found, asked_shape = (list(declared), False) if declared is not None else _looked_for(path, module, told, why)
    if not found:
        said = tr("{file} reads no tensor, so there is nothing to follow; {otherwise}.") if why else \
            tr("{file} reads no tensor, so there is nothing to follow.")
        raise Refused(said.format(file=path.name, otherwise=why))
    tried = tried or without_numbers(module, [each.dtype for each in found])
    single = len(found) == 1
    said = [told if single else told.inputs.get(each.name, Input()) for each in found]
    found = [_sized(path, each, one) for each, one in zip(found, said, strict=True)]
    batched, answer, shapes = _batched(path, tried, found, said)
    fewer = _one_instead(tried, found, batched, bool(shapes))
    preset, presets = beside.prepared_as(path) if single else (Input(), "")
    reads = [_settled(path, each, one, its, fewer, preset, single)
             for each, one, its in zip(found, said, batched, strict=True)]
    labels, where = _labels(path, told, answer)
    asked = [name if single else f"{each.declared.name}.{name}" for each in reads for name in each.asked]
    asked += ["shape"] * asked_shape
    if not labels and not where and len(answer) == 2 and answer[1] > 1 and not told.labels:
        asked.append("labels")
    about = {**facts, "input": _facts(reads, answer), **_answered(path, told)}
    settled = replace(told, **_said_of(reads[0].said)) if single else \
        replace(told, kind=SEVERAL, inputs={each.declared.name: each.said for each in reads})
    return Opened(path.stem, title, module, about, labels, _prepare(reads, tried if guard else None, shapes),
                  unknown=_unknown(reads), told=replace(settled, labels=labels), asked=tuple(dict.fromkeys(asked)),
                  beside=(where, presets), tried=bool(shapes))


def _said_of(said: Input) -> dict[str, Any]:
    return {item.name: getattr(said, item.name) for item in fields(Input)}


# --- sizes ----------------------------------------------------------------------------------------------------------

def _looked_for(path: Path, module: nn.Module, told: Manifest, why: str) -> tuple[list[Declared], bool]:
    """The input of a module of which nobody says what it reads but perhaps a person."""
    dtype = _dtype(told.dtype) if told.dtype else None
    if told.inputs:
        return [Declared(name, _full(said), _free(said), _dtype(said.dtype) if said.dtype else torch.float32)
                for name, said in told.inputs.items()], False
    likely = proposed(module)
    usual = likely[0][1] if likely else torch.float32
    if told.shape is not None:
        sizes = tuple(FREE if size is None else size for size in told.shape)
        free = tuple(axis for axis, size in enumerate(told.shape) if size is None)
        ways: list[tuple[Shape, tuple[int, ...]]] = [((1, *sizes), tuple(axis + 1 for axis in free))]
        ways.insert(0 if sizes[:1] == (1,) and (not likely or len(sizes) == len(likely[0][0])) else 1, (sizes, free))
        error = tr("nothing fits")
        for shape, open_ in ways:
            for each in [dtype] if dtype else dict.fromkeys([usual, torch.float32, torch.int64]):
                try:
                    without_numbers(module, [each])((shape,))
                except FAULTS as found:
                    error = str(found).strip().partition("\n")[0].rstrip(".")[:160] if shape is ways[0][0] else error
                    continue
                return [Declared("input", shape, open_, each)], False
        raise Refused(tr("{file} cannot be run on the shape {shape} ({error}); say another with --shape."
                         ).format(file=path.name, shape=" × ".join(map(str, sizes)), error=error))
    for shape, each in likely:
        kind = dtype or each
        try:
            without_numbers(module, [kind])((shape,))
        except FAULTS:
            continue
        return [Declared("input", shape, (), kind)], True
    said = tr("{file} does not say what it reads, and it ran on none of {count} shapes that were tried; say it with "
              "--shape 1,3,32,32, or {otherwise}.") if why else \
        tr("{file} does not say what it reads, and it ran on none of {count} shapes that were tried; say it with "
           "--shape 1,3,32,32.")
    raise Refused(said.format(file=path.name, count=len(likely), otherwise=why))


def _full(said: Input) -> Shape:
    """The shape that a person says of one of several inputs, as it is fed in."""
    return tuple(FREE if size is None else size for size in said.shape or ())


def _free(said: Input) -> tuple[int, ...]:
    return tuple(axis for axis, size in enumerate(said.shape or ()) if size is None)


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise Refused(tr("There are no numbers of the kind {name!r}; say float32, float64, int64 or uint8."
                         ).format(name=name))
    return found


def _sized(path: Path, declared: Declared, said: Input) -> Declared:
    """The input of a file with the sizes that a person says of its free axes; Refused where both do not go together."""
    if said.shape is None:
        return declared
    sizes, own = said.shape, declared.sizes
    sizes = sizes if len(sizes) == len(own) else (1, *sizes) if len(sizes) == len(own) - 1 else ()
    free = {*declared.free, 0} if len(own) > 1 and sizes[:1] == (1,) else {*declared.free}
    if len(sizes) != len(own) or any(size not in (None, one) and axis not in free
                                     for axis, (size, one) in enumerate(zip(sizes, own, strict=True))):
        words = _in_words([None if axis in declared.free else size for axis, size in enumerate(own)])
        raise Refused(tr("{file} reads {shape} numbers, with the batch in front, and it was told to be given {told}; "
                         "say another shape.").format(file=path.name, shape=words, told=_in_words(said.shape)))
    fixed = {axis for axis, size in enumerate(sizes) if size is not None and axis > 0}
    return replace(declared, free=tuple(axis for axis in declared.free if axis not in fixed),
                   sizes=tuple(one if size is None or (axis == 0 and size == 1) else size
                               for axis, (size, one) in enumerate(zip(sizes, own, strict=True))))


def _batched(path: Path, tried: Tried, wanted: Sequence[Declared], said: Sequence[Input]) -> \
        tuple[list[bool], Shape, Shapes]:
    """Whether the first axis of each input is that of the samples, the shape of the first answer to one sample, as far
    as that is known before it runs, and the shapes of the inputs with which it was found out."""
    leading = {each.sizes[0] for each in wanted if len(each.sizes) >= 4}
    guesses = [[one.layout != "time first" and len(each.sizes) > 1 and
                (each.sizes[0] == 1 or 0 in each.free or (alike and each.sizes[0] in leading))
                for each, one in zip(wanted, said, strict=True)] for alike in (True, False)]
    for guess in guesses:
        shapes = tuple((1, *each.sizes[1:]) if batched else each.sizes
                       for each, batched in zip(wanted, guess, strict=True))
        try:
            return guess, first_shape(tried(shapes)), shapes
        except Refused as error:
            raise Refused(tr("{name}: {why}").format(name=path.name, why=error)) from error
        except FAULTS:
            continue
    return guesses[-1], (), ()


def _one_instead(tried: Tried, wanted: Sequence[Declared], batched: Sequence[bool], known: bool) -> tuple[int, ...]:
    """The first axis, of a model that reads as many at once and would read one alone: samples, or the steps of one,
    which nobody can tell from outside."""
    sizes = wanted[0].sizes
    if len(wanted) > 1 or batched[0] or len(sizes) < 2 or not known:
        return ()
    try:
        tried(((1, *sizes[1:]),))
    except (Refused, *FAULTS):
        return ()
    return (0,)


# --- what it is -----------------------------------------------------------------------------------------------------

def _settled(path: Path, declared: Declared, told: Input, batched: bool, fewer: tuple[int, ...], preset: Input,
             alone: bool) -> _Reads:
    """What is taken for true of one input, and what of it nobody said."""
    skipped = int(batched)
    sizes = tuple(None if axis in (*declared.free, *fewer) else size
                  for axis, size in enumerate(declared.sizes))[skipped:]
    offer = Offer(sizes, str(declared.dtype).removeprefix("torch."), batched, declared.sizes[skipped:], alone)
    try:
        kind = inputs.proposed(offer, told)
        found = kind.settled(offer, told, preset)
    except (Refused, ValueError) as error:
        raise Refused(tr("{name}: {why}.").format(name=path.name, why=str(error).rstrip("."))) from error
    said = replace(Input(**_said_of(found.said)), kind=kind.called or kind.name, shape=sizes, dtype=offer.dtype)
    facts = {"kind": kind.name, "shape": [*sizes], **kind.facts(offer, said)}
    if declared.fill is not None:
        facts["fill"] = declared.fill
    if declared.firm:
        facts["firm"] = [size if axis in declared.firm else None for axis, size in enumerate(declared.sizes)][skipped:]
    example = None if declared.example is None else _exported.example(*declared.example)
    if declared.example is not None and example is not None and "usual" in facts and \
            _goes(example.shape[skipped:], sizes):
        facts["example"] = [*declared.example]
        if not any((told.kind, told.scale, told.mean, told.divisor, told.colours, told.fit)):
            facts["first"] = EXAMPLE  # nobody has spoken of pictures yet
    return _Reads(declared, offer, kind, said, found.asked, facts)


def _answered(path: Path, told: Manifest) -> dict[str, Any]:
    """What the card says of its answer, as told; Refused for a kind that there is not."""
    found: dict[str, Any] = {}
    if told.answer:
        try:
            found["answer"] = {**told.settings, "kind": answers.kind(told.answer).name}
        except LookupError as error:
            raise Refused(tr("{name}: {why}").format(name=path.name, why=error.args[0])) from error
    if told.objective:
        if answers.asked(told.objective) is None:
            known = ", ".join(word for each in answers.kinds() for word in each.asks)
            raise Refused(tr("{file}: There is no objective {objective!r}; there are {known}."
                             ).format(file=path.name, objective=told.objective, known=known))
        found["objective"] = {**told.settings, "kind": told.objective}
    return found


def _goes(shape: Sequence[int], sizes: Sequence[int | None]) -> bool:
    return len(shape) == len(sizes) and all(own in (None, size) for own, size in zip(sizes, shape, strict=True))


def _in_words(sizes: Sequence[int | None]) -> str:
    return " × ".join(tr("any") if size is None else str(size) for size in sizes) or "1"


def _facts(reads: Sequence[_Reads], answer: Shape) -> dict[str, Any]:
    """What the card says of the inputs. Only bundled samples have labels, and these are digits: they are those of a
    model of ten classes, if of any."""
    labelled = bool(answer) and answer[-1] == len(beside.DIGITS)
    if len(reads) == 1:
        return {**reads[0].facts, "labelled": labelled}
    return {"kind": SEVERAL, "labelled": labelled,
            "inputs": {each.declared.name: dict(each.facts) for each in reads}}


def _labels(path: Path, told: Manifest, answer: Shape) -> tuple[tuple[str, ...], str]:
    """Names of the classes: told, or from a file beside the model, and which. Refused where there are not so many
    classes."""
    before = answers.numbers_before(told.answer, told.settings)
    counts = {size if size is None else size - before for size in (answer[-1], *answer[1:2])} if answer else set()
    if told.labels:
        if counts and len(told.labels) not in counts:
            raise Refused(tr(
                "{file} gives {shape} numbers, and {count} labels were told; give one for each class.").format(
                file=path.name, shape=_in_words(answer[1:] or answer), count=numeral(f"{len(told.labels):,}")))
        return told.labels, ""
    return beside.labels_of(path, answer[1]) if len(answer) == 2 and 1 < answer[1] <= MOST_LABELS else ((), "")


# --- what is fed in -------------------------------------------------------------------------------------------------

def _prepare(reads: Sequence[_Reads], tried: Tried | None, shapes: Shapes) -> Callable[[Any], Any]:
    seen = {shapes}

    def prepare(raw: Any) -> Any:
        given = list(raw.values()) if isinstance(raw, Mapping) else [raw]
        tensors = tuple(_fed(each, one) for each, one in zip(given, reads, strict=True))
        now = tuple(tuple(each.shape) for each in tensors)
        if tried is not None and now not in seen and shapes:
            tried(now)
            seen.add(now)
        return tensors[0] if len(tensors) == 1 else tensors

    return prepare


def _fed(raw: Any, reads: _Reads) -> Tensor:
    """What was given, as the model takes it; ValueError where it cannot be."""
    declared, sizes = reads.declared, reads.declared.sizes
    array = np.asarray(reads.kind.fed(raw, reads.offer, reads.said, reads.facts))
    while array.ndim < len(sizes) - int(reads.offer.batched) and sizes[len(sizes) - 1 - array.ndim] == 1:
        array = array[None]  # grey pixels: one channel
    if array.ndim == len(sizes) - 1 and reads.offer.batched:
        array = array[None]
    if array.ndim != len(sizes):
        raise ValueError(tr("it has {count} axes, and {wanted} are read").format(count=array.ndim, wanted=len(sizes)))
    made = torch.tensor(array)
    if made.is_floating_point() and not (declared.dtype.is_floating_point or declared.dtype.is_complex):
        raise ValueError(tr("whole numbers are read"))
    return made.to(declared.dtype)


def _unknown(reads: Sequence[_Reads]) -> Callable[[str], tuple[str, ...]] | None:
    return (lambda text: inputs.unknown(reads[0].facts, text)) if len(reads) == 1 and reads[0].said.alphabet else None
