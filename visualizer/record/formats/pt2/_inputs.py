"""What an exported program takes: proposed from what the file says of its inputs, and tried without numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer.inputs import _exported
from visualizer.record.formats.pt2 import _archive
from visualizer.record.formats.pt2._graph import Input
from visualizer.record.formats.pt2._module import Exported, TooLarge, shapes_of
from visualizer.trace import Refused

MOST_MADE = 1 << 30
"""Bytes of all that one run makes: as much as a recording may hold."""
Prepare = Callable[[Any], Any]


def of(path: Path, module: Exported) -> tuple[Mapping[str, Any], Prepare]:
    """The card of a program, and what turns a given input into its tensors; Refused where it cannot run."""
    wanted = module.plan.program.inputs
    if not wanted:
        raise Refused(f"{path.name} reads no tensor, so there is nothing to follow; export it again: {_archive.SAVE}.")
    batched, answers, first = _batched(path, module)
    fewer = _one_instead(module, batched)
    said = [_facts(path, place, each, batched[place], fewer) for place, each in enumerate(wanted)]
    seen = {first}

    def prepare(raw: Any) -> Any:
        given = list(raw.values()) if isinstance(raw, Mapping) else [raw]
        tensors = tuple(_tensor(each, want, one) for each, want, one in zip(given, wanted, batched, strict=True))
        shapes = tuple(tuple(each.shape) for each in tensors)
        if shapes not in seen and module.plan.most is None:
            _tried(module, shapes)
            seen.add(shapes)
        return tensors[0] if len(tensors) == 1 else tensors

    labelled = bool(answers) and answers[-1] == 10
    if len(said) == 1:
        return {"input": {**said[0], "labelled": labelled}}, prepare
    return {"input": {"kind": "several", "labelled": labelled,
                      "inputs": {each.name: one for each, one in zip(wanted, said, strict=True)}}}, prepare


def _facts(path: Path, place: int, wanted: Input, batched: bool, fewer: tuple[int, ...]) -> dict[str, Any]:
    """What the card says of one input: its shape without the batch, None for what may be of any size, or may be 1."""
    skipped = int(batched)
    sizes = [None if axis in (*wanted.free, *fewer) else size for axis, size in enumerate(wanted.sizes)][skipped:]
    if sizes == [1, 28, 28] and wanted.dtype.is_floating_point and batched:
        return {"kind": "image", "shape": sizes, "scale": "0 … 1"}
    numbers = str(wanted.dtype).removeprefix("torch.")
    found = {"kind": "tensor", "shape": sizes, "usual": list(wanted.sizes[skipped:]), "numbers": numbers,
             "batch": batched}
    example = [str(path.absolute()), place, numbers, list(wanted.sizes), list(wanted.strides)]
    return found if _exported.example(*example) is None else {**found, "example": example}


def _batched(path: Path, module: Exported) -> tuple[list[bool], tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Whether the first axis of each input is that of the samples, the shape of the first answer to one sample, as far
    as that is known before it runs, and the shapes of the inputs with which it was found out."""
    wanted = module.plan.program.inputs
    leading = {each.sizes[0] for each in wanted if len(each.sizes) >= 4}
    guesses = [[(len(each.sizes) > 1 and (each.sizes[0] == 1 or 0 in each.free)) or
                (len(each.sizes) > 1 and alike and each.sizes[0] in leading) for each in wanted]
               for alike in (True, False)]
    for guess in guesses:
        shapes = tuple((1, *each.sizes[1:]) if batched else each.sizes
                       for each, batched in zip(wanted, guess, strict=True))
        try:
            made = _tried(module, shapes)
        except TooLarge as error:
            raise Refused(f"{path.name}: {error}") from error
        except (RuntimeError, TypeError, ValueError, LookupError):
            continue
        return guess, made, shapes
    module.plan.most = MOST_MADE
    return guesses[-1], (), ()


def _one_instead(module: Exported, batched: list[bool]) -> tuple[int, ...]:
    """The first axis, of a program that reads as many at once and would read one alone: samples, or the steps of one,
    which nobody can tell from outside."""
    wanted = module.plan.program.inputs
    sizes = wanted[0].sizes
    if len(wanted) > 1 or batched[0] or len(sizes) < 2 or module.plan.most is not None:
        return ()
    try:
        _tried(module, ((1, *sizes[1:]),))
    except (Refused, RuntimeError, TypeError, ValueError, LookupError):
        return ()
    return (0,)


def _tried(module: Exported, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The shape of the first answer to inputs of these shapes; raises what torch raises where they do not fit."""
    made = shapes_of(module, shapes, MOST_MADE)
    while isinstance(made, tuple | list | dict) and made:
        made = next(iter(made.values() if isinstance(made, dict) else made))
    return tuple(made.shape) if isinstance(made, Tensor) else ()


def _tensor(raw: Any, wanted: Input, batched: bool) -> Tensor:
    """What was given, as the program takes it; ValueError where it cannot be."""
    array = np.asarray(raw)
    if array.dtype == np.uint8 and wanted.dtype.is_floating_point:
        array = array / np.float32(255)
    if array.ndim == len(wanted.sizes) - 2 and batched and wanted.sizes[1] == 1:
        array = array[None]  # grey pixels: one channel
    if array.ndim == len(wanted.sizes) - 1 and batched:
        array = array[None]
    if array.ndim != len(wanted.sizes):
        raise ValueError(f"it has {array.ndim} axes, and {len(wanted.sizes)} are read")
    made = torch.tensor(array)
    if made.is_floating_point() and not (wanted.dtype.is_floating_point or wanted.dtype.is_complex):
        raise ValueError("whole numbers are read")
    return made.to(wanted.dtype)
