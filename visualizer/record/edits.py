"""Edits: what is done to a network or to its input, before it is recorded."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import edits, registry
from visualizer.inputs import InputKind
from visualizer.language import ENGLISH, speaking, tr, translated
from visualizer.record.catalog import Opened, open_model
from visualizer.record.cutting import cut
from visualizer.record.latent import by_chance, settings_of
from visualizer.record.weights import to_numpy
from visualizer.trace import ONE_UPDATE, TRAINED, UNTRAINED, Array, Refused


def opened_with(model: Any, words: Sequence[str]) -> Opened:
    """A model, opened and changed as is wished; Refused for a wish that is not known, or that it has nothing for."""
    try:
        weights = edits.of(words, edits.WEIGHTS)
        wanted = edits.of(words, edits.MODEL)
    except LookupError as error:
        raise Refused(str(error.args[0])) from error
    opened = _with_weights(model, weights)
    return cut_as(opened, words) if wanted else opened


def cut_as(opened: Opened, words: Sequence[str]) -> Opened:
    """A model that is open, changed as those edits of a model say; Refused for what it has nothing for."""
    wanted = edits.of(words, edits.MODEL)
    if opened.module not in _as_opened:
        _as_opened[opened.module] = {name: to_numpy(tensor).tobytes() for name, tensor in _weights(opened)}
    module = copy.deepcopy(opened.module)
    for edit, arguments in wanted:
        if edit.draws is not None:
            by_chance(module, settings_of(opened), edit.draws(*arguments), opened.title)
        elif edit.cuts is not None:
            cut(module, edit.cuts(*arguments), opened)
    return replace(opened, module=module, uncut=opened.uncut or opened,
                   title=f"{opened.title}, {edits.said(words, edits.MODEL)}")


_as_opened: WeakKeyDictionary[nn.Module, dict[str, bytes]] = WeakKeyDictionary()
"""The weights of each network that was edited, as they were before its first edit."""


def _weights(opened: Opened) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, tensor in opened.module.state_dict().items() if isinstance(tensor, Tensor)]


def unchanged(opened: Opened) -> tuple[int, int]:
    """How many weights of a network are, bit for bit, what they were before its first edit; and how many it has."""
    known, same, of = _as_opened.get(opened.module), 0, 0
    for name, tensor in _weights(opened):
        now = to_numpy(tensor).tobytes()
        size = len(now) // max(1, tensor.numel())
        of += tensor.numel()
        if known is None or known.get(name) == now:
            same += tensor.numel()
        elif len(known.get(name, b"")) == len(now):
            same += sum(known[name][at:at + size] == now[at:at + size] for at in range(0, len(now), size))
    return same, of


def _with_weights(model: Any, wanted: Sequence[tuple[edits.Edit, edits.Arguments]]) -> Opened:
    """A model with the weights that are asked for, the last ones where several are."""
    name, said = (wanted[-1][0].name, wanted[-1][1]) if wanted else ("", ())
    if name == TRAINED:
        return registry.module("record.training.weights").after(str(model), *said)
    if name == ONE_UPDATE:
        return registry.module("record.training.one").opened_update(str(model), *said)
    return open_model(model, untrained=name == UNTRAINED)


def of_input(words: Sequence[str], raw: Any, kind: InputKind, facts: Mapping[str, Any], title: str) -> Any:
    """What is given instead of an input of that kind to a model called so; Refused if it cannot be edited so."""
    grain = grain_for(words, kind, facts, title)
    return raw if grain is None else after(raw, matter_of(raw, grain), words)


def grain_for(words: Sequence[str], kind: InputKind, facts: Mapping[str, Any], title: str) -> edits.Grain | None:
    """What the inputs are made of to which those edits apply; Refused if they do not. None where nothing is done."""
    grain = kind.grain(facts)
    for edit, _ in edits.of(words, edits.INPUT):
        why = "" if grain is None else edit.lacks(grain)
        if grain is None or why:
            refused = tr("{model} reads {one}, which the edit {edit} does not apply to: {why}; take it away.") if why \
                else tr("{model} reads {one}, which the edit {edit} does not apply to; take it away.")
            raise Refused(refused.format(model=title, one=translated(kind.one), edit=edit.name, why=why))
    return grain


def after(raw: Any, matter: edits.Matter, words: Sequence[str]) -> Any:
    """An input after its edits, itself where they change nothing."""
    try:
        array = edits.done(matter, words).array
    except ValueError as error:
        names = ", ".join(edit.name for edit, _ in edits.of(words, edits.INPUT))
        raise Refused(tr("The edit {names} does not apply to this input: {why}."
                         ).format(names=names, why=error)) from error
    if array is matter.array or (array.shape == matter.array.shape and np.array_equal(array, matter.array)):
        return raw
    array.flags.writeable = False
    return matter.grain.join(array)


def matter_of(raw: Any, grain: edits.Grain) -> edits.Matter:
    """An input as an edit takes hold of it."""
    array = np.asarray(grain.cut(raw))
    return edits.Matter(array, grain, salt(array))


def of_tensor(words: Sequence[str], x: Any) -> tuple[Any, str]:
    """A tensor or an array with those edits done to it, written as in a recipe or as on a command line, and what was
    done, in words. Rows and columns are the last two of four axes, steps the one after the first of three."""
    array = x.detach().numpy() if isinstance(x, Tensor) else x
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or not 2 <= array.ndim <= 4:
        raise Refused(tr("What is given is no single array of numbers with two to four axes, so no edit applies to "
                         "it."))
    axes = {2: ("sequence", "step"), 3: ("sequence", "step", "number"), 4: ("sequence", "channel", "row", "column")}
    along, many = ("row", "rows") if array.ndim == 4 else ("step", "steps")
    grain = edits.Grain(axes[array.ndim], along, along, many)
    try:
        plain = [edits.what_if(word.replace(":", "=", 1)) for word in words]
        found = edits.done(edits.Matter(array, grain, salt(array)), plain).array
    except LookupError as error:
        raise Refused(str(error.args[0])) from error
    except ValueError as error:
        raise Refused(tr("The edit does not apply to this input: {why}.").format(why=error)) from error
    found = np.ascontiguousarray(found)
    return torch.from_numpy(found).to(x.dtype) if isinstance(x, Tensor) else found, written(plain)


def written(words: Sequence[str], *applies_to: str) -> str:
    """What was done, as a recording says it in whatever language it is asked for."""
    with speaking(ENGLISH):
        return edits.said(words, *applies_to)


def salt(array: Array) -> int:
    """A number that follows from an input."""
    return zlib.crc32(repr(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array).data)
