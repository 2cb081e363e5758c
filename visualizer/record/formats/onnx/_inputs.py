"""What a model takes: what its file says of its inputs, and where it leaves a size free, one on which it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from visualizer.language import tr
from visualizer.manifest import Manifest
from visualizer.record import intake
from visualizer.record.catalog import Opened
from visualizer.record.formats.onnx._fold import every
from visualizer.record.formats.onnx._graph import Input
from visualizer.record.formats.onnx._module import Model, shapes_of
from visualizer.record.formats.onnx._run import MOST_MADE
from visualizer.record.formats.onnx._types import of_type
from visualizer.record.formats.onnx.operators import TooLarge
from visualizer.trace import Refused

BATCH = re.compile(r"(^|_)(batch|batch_?size|n|b|bs)(_|$|\d)|unk__|Dynamic ?Dimension\.0", re.IGNORECASE)
"""What files call the axis of the samples."""
SOUND = re.compile(r"audio|wave|sound|speech|signal|pcm|input", re.IGNORECASE)
STATE = re.compile(r"^(state|hidden|h|c|hn|cn|h_?0|c_?0|cache|past|context)(_|\d|$)", re.IGNORECASE)
"""What they call what is carried from one run to the next."""
RATE, TOKENS = 16_000, 16
MOST_TRIES = 40
MOST_LARGE = 3
"""After so many sizes that are too large no other is tried: a loop may have no end."""
ODD = 13
"""By so much another size is more than twice as large, to see whether any will do."""
PICTURES = ((224, 224), (640, 640), (48, 320), (32, 320), (32, 128), (64, 160), (32, 32), (256, 256), (512, 512),
            (416, 416), (28, 28))
"""Height and width, from what most networks were trained with on."""
WIDTHS = (320, 160, 128, 224, 640, 256, 512, 100, 64, 32)
STEPS = (100, 64, 128, 256, 16, 300, 500, 1000, 32, 8, 1)
SOUNDS = (16_000, 512, 576, 1_536, 32_000, 4_096, 144_160, 48_000, 256, 160)
HALVES = "Its numbers of 16 bits are computed in 32, as onnxruntime computes them."
FAULTS = (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, AssertionError)


@dataclass(frozen=True, eq=False)
class Proposal:
    """Sizes on which a model runs, and what is fed in of whole numbers."""

    sizes: tuple[tuple[int, ...], ...]
    values: tuple[int | None, ...]
    """For each input the one number that all of it is: a rate, a length, a mask; None for others."""
    tried: bool
    """Whether it was found to run on them."""


def opened(path: Path, module: Model, told: Manifest, halves: bool) -> Opened:
    """The module with its inputs as they are proposed and told. Raises Refused with one sentence."""
    wanted = module.plan.program.inputs
    if not wanted:
        raise Refused(tr("{file} reads no tensor, so there is nothing to follow; open another.").format(file=path.name))
    try:
        found = proposal(module)
    except Refused as error:
        raise Refused(tr("{name}: {why}").format(name=path.name, why=error)) from error

    made: dict[tuple[tuple[int, ...], ...], Any] = {}

    def tried(shapes: tuple[tuple[int, ...], ...]) -> Any:
        if shapes not in made:
            made[shapes] = shapes_of(module, made_of(wanted, replace(found, sizes=shapes)), MOST_MADE)
        return made[shapes]

    declared = [intake.Declared(each.name, sizes, tuple(axis for axis, size in enumerate(each.sizes) if size is None),
                                each.dtype, fill=value, firm=_firm(each, place, found, tried))
                for place, (each, sizes, value) in enumerate(zip(wanted, found.sizes, found.values, strict=True))]
    module.plan.most = MOST_MADE  # until it is known that it makes less
    ready = intake.opened(path, path.stem, module, declared, told, tried, guard=True,
                         **({"notes": [HALVES]} if halves else {}))
    if ready.tried:
        module.plan.most = None
    return ready


def _firm(each: Input, place: int, found: Proposal, tried: intake.Tried) -> tuple[int, ...]:
    """The free axes of a picture on which not every size runs: where it is halved and doubled again, say."""
    axes = [axis for axis, size in enumerate(each.sizes) if size is None and axis > 0] \
        if len(each.sizes) == 4 and found.tried else []
    firm = []
    for axis in axes:
        other = [list(sizes) for sizes in found.sizes]
        other[place][axis] = 2 * other[place][axis] + ODD
        try:
            tried(tuple(map(tuple, other)))
        except (Refused, *FAULTS):
            firm.append(axis)
    return tuple(firm)


def proposal(model: Model) -> Proposal:
    """Sizes on which the model was found to run without numbers; the likeliest where that cannot be found out. Raises
    Refused where it would take too much room."""
    wanted = model.plan.program.inputs
    first: Proposal | None = None
    large: Refused | None = None
    times = 0
    for sizes in _candidates(model, wanted):
        found = Proposal(sizes, tuple(_value(each, one, sizes, wanted) for each, one in
                                      zip(wanted, sizes, strict=True)), True)
        first = first or found
        try:
            shapes_of(model, made_of(wanted, found), MOST_MADE)
        except TooLarge as error:
            large, times = error, times + 1
            if times == MOST_LARGE:
                break
            continue
        except FAULTS:
            continue
        return found
    if first is None:
        raise Refused(tr("it reads nothing"))
    if large is not None:
        raise large
    return Proposal(first.sizes, first.values, False)


def made_of(wanted: Sequence[Input], found: Proposal) -> list[Tensor]:
    """Tensors of these sizes."""
    return [torch.full(sizes, 0 if value is None else value, dtype=each.dtype) for each, sizes, value in
            zip(wanted, found.sizes, found.values, strict=True)]


def _candidates(model: Model, wanted: Sequence[Input]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Sizes for all inputs together: axes of one name have one size."""
    told = _said(model)
    ways = [list(_sizes(replace(each, dtype=torch.int64) if _whole(each, model) else each, told)) for each in wanted]
    seen = set()
    for number, chosen in enumerate(product(*_likely_first(ways))):
        if number > MOST_TRIES:
            return
        names: dict[str, int] = {}
        sizes = []
        for each, one in zip(wanted, chosen, strict=True):
            made = []
            for axis, size in enumerate(one):
                name = each.called[axis] if axis < len(each.called) else ""
                made.append(names.setdefault(name, size) if name and each.sizes[axis] is None else size)
            sizes.append(tuple(made))
        if tuple(sizes) not in seen:
            seen.add(tuple(sizes))
            yield tuple(sizes)


def _likely_first(ways: list[list[tuple[int, ...]]]) -> list[list[tuple[int, ...]]]:
    """Of several inputs all but the one with most ways only the likeliest; that one last, so that it turns first."""
    if len(ways) < 2:
        return ways
    most = max(range(len(ways)), key=lambda place: len(ways[place]))
    return [each if place == most else each[:2] for place, each in enumerate(ways)]


def _said(model: Model) -> tuple[int, ...]:
    """Sizes that whoever made the model wrote into it: `imgsz` of ultralytics."""
    found = re.findall(r"\d{1,4}", model.plan.program.about.get("imgsz", ""))
    return tuple(int(each) for each in found[:2])


def _whole(each: Input, model: Model) -> bool:
    """Whether it holds whole numbers, though its type has fractions: the first that is done is to take these away."""
    readers = [node for node in every(model.plan.graph) if each.name in node.given]
    return bool(readers) and any(node.op == "Cast" and not of_type(node.get("to")).is_floating_point
                                 for node in readers)


def _sizes(each: Input, told: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sizes of one input, the likeliest first."""
    free = [axis for axis, size in enumerate(each.sizes) if size is None]
    if not free:
        yield tuple(size or 1 for size in each.sizes)
        return
    sizes: list[Any] = list(each.sizes)
    if 0 in free and (len(sizes) > 1 or len(free) == 1) and not (len(sizes) == 1 and _is_length(each)):
        rest = [axis for axis in free if axis]
        if len(sizes) > 1 and (rest or len(sizes) > 2 or sizes[1]):
            sizes[0], free = 1, rest
    for chosen in _chosen(each, sizes, free, told):
        made = list(sizes)
        for axis, size in zip(free, chosen, strict=True):
            made[axis] = size
        yield tuple(int(size) for size in made)


def _chosen(each: Input, sizes: Sequence[Any], free: Sequence[int], told: tuple[int, ...]
            ) -> Iterator[tuple[int, ...]]:
    """Sizes for the free axes."""
    if not free:
        yield ()
        return
    if STATE.search(each.name):
        yield (1,) * len(free)
        return
    if len(sizes) == 1 or not each.dtype.is_floating_point:
        yield from ((size,) * len(free) for size in ((1, TOKENS) if len(sizes) == 1 else (TOKENS, 8, 32, 64, 128, 1)))
        return
    if len(sizes) == 4 and len(free) >= 2 and set(free) >= {2, 3}:
        channels = (3,) if 1 in free else ()
        for height, width in [*([told] if len(told) == 2 else []), *PICTURES]:
            yield (*channels, height, width)
        return
    if len(sizes) == 4 and free == [1, 2] and sizes[3] in (1, 3, 4):
        yield from PICTURES
        return
    if len(sizes) == 4 and free == [3] and sizes[1] in (1, 3, 4):
        yield from ((size,) for size in WIDTHS)
        return
    if len(sizes) == 2 or (len(sizes) == 3 and len(free) == 1 and 1 in (sizes[1], sizes[2])):
        sounds = SOUNDS if SOUND.search(each.name) else (TOKENS, *SOUNDS)
        yield from ((size,) * len(free) for size in sounds)
        return
    yield from ((size,) * len(free) for size in STEPS)


def _is_length(each: Input) -> bool:
    return not each.dtype.is_floating_point and bool(re.search(r"len|size|count", each.name, re.IGNORECASE))


def _value(each: Input, sizes: tuple[int, ...], every: Sequence[tuple[int, ...]], wanted: Sequence[Input]
           ) -> int | None:
    """The number that a tensor of whole numbers is full of, where its name says what it is for."""
    if each.dtype.is_floating_point or each.dtype.is_complex:
        return None
    name = each.name.lower()
    if re.fullmatch(r"sr|rate|sample_?rate|sampling_?rate", name):
        return RATE
    if "mask" in name or each.dtype == torch.bool:
        return 1
    if _is_length(each) and len(sizes) <= 1:
        return max((max(one[1:]) for other, one in zip(wanted, every, strict=True)
                    if other is not each and len(one) > 1), default=1)
    return None
