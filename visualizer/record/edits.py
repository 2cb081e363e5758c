"""Edits of a network: a channel or unit that gives zeros, as a step of the model that is recorded like any other.

The unit of a recurrent layer has no step of its own: with all weights and biases of its candidate at zero, its state
starts at zero and stays there, at every step, which is the same and keeps the layer what it is.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import edits
from visualizer.inputs import InputKind
from visualizer.language import ENGLISH, speaking, tr, translated
from visualizer.record.catalog import Opened, open_model
from visualizer.record.latent import by_chance, settings_of
from visualizer.trace import UNTRAINED, Array, Refused

CANDIDATE = {"LSTM": 2, "GRU": 2, "RNN": 0, "LSTMCell": 2, "GRUCell": 2, "RNNCell": 0}
"""Which block of rows of its stacked weights makes what a recurrent layer would write."""


def opened_with(model: Any, words: Sequence[str]) -> Opened:
    """A model, opened and changed as is wished; Refused for a wish that is not known, or that it has nothing for."""
    try:
        weights = edits.of(words, edits.WEIGHTS)
        wanted = edits.of(words, edits.MODEL)
    except LookupError as error:
        raise Refused(str(error.args[0])) from error
    opened = open_model(model, untrained=any(edit.name == UNTRAINED for edit, _ in weights))
    if not wanted:
        return opened
    module = copy.deepcopy(opened.module)
    for edit, arguments in wanted:
        if edit.draws is not None:
            by_chance(module, settings_of(opened), edit.draws(*arguments), opened.title)
        elif edit.scales is not None:
            scale(module, *edit.scales(*arguments), opened.title)
    return replace(opened, module=module, title=f"{opened.title}, {edits.said(words, edits.MODEL)}")


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


def scale(module: nn.Module, layer: str, unit: int, factor: float, title: str) -> None:
    """Have what one channel or unit of a part of the model gives multiplied; Refused if there is no such part or unit.
    """
    parts = {path: part for path, part in module.named_modules() if path and not [*part.children()]}
    path, level, backwards = _recurrent_name(layer, parts)
    part = parts.get(path)
    if part is None:
        raise Refused(tr("{model} has no part {layer!r} whose units can be edited; choose one of {known}."
                         ).format(model=title, layer=layer, known=", ".join(parts) or tr("none")))
    if type(part).__name__ in CANDIDATE:
        if factor:
            raise Refused(tr("A unit of {path} goes from step to step, so it can only be switched off."
                             ).format(path=path))
        _never_writes(part, unit, level, backwards, path)
    else:
        number = part.register_forward_hook(_Scaled(path, unit, factor)).id
        part.register_forward_pre_hook(lambda module, given: module._forward_hooks.move_to_end(number))  # so that the
        # layer is over when its hook multiplies: the layer keeps its name, and the product is a step behind it


def _recurrent_name(layer: str, parts: dict[str, nn.Module]) -> tuple[str, int, bool]:
    """Module, level and direction of a layer such as `lstm.l1.reverse`."""
    path, backwards = layer.removesuffix(".reverse"), layer.endswith(".reverse")
    module, dot, level = path.rpartition(".l")
    if dot and level.isdecimal() and module in parts and path not in parts:
        return module, int(level), backwards
    return (path if backwards and path in parts else layer), 0, backwards


def _never_writes(part: nn.Module, unit: int, level: int, backwards: bool, path: str) -> None:
    size = int(part.hidden_size)  # type: ignore[arg-type]
    _within(unit, size, path)
    ending = "" if type(part).__name__.endswith("Cell") else f"_l{level}{'_reverse' if backwards else ''}"
    row = CANDIDATE[type(part).__name__] * size + unit
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            stacked = getattr(part, f"{name}{ending}", None)
            if stacked is not None:
                stacked[row] = 0
            elif name.startswith("weight"):
                refused = tr("{path} has no layer {level} backwards; choose another.") if backwards else \
                    tr("{path} has no layer {level}; choose another.")
                raise Refused(refused.format(path=path, level=level + 1))


class _Scaled:
    """A hook that multiplies one channel of what a module gives, and every other one by 1."""

    def __init__(self, path: str, unit: int, factor: float) -> None:
        self.path, self.unit, self.factor = path, unit, factor

    def __call__(self, module: nn.Module, given: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            raise Refused(tr("{path} gives more than one array, so no unit of it can be edited; choose another."
                             ).format(path=self.path))
        axis = 1 if output.ndim >= 4 or isinstance(module, nn.modules.conv._ConvNd | nn.BatchNorm1d) else -1
        _within(self.unit, output.shape[axis], self.path)
        kept = np.ones([output.shape[axis] if place == axis % output.ndim else 1 for place in range(output.ndim)])
        kept.flat[self.unit] = self.factor
        return output * torch.from_numpy(kept.astype(str(output.dtype).removeprefix("torch.")))


def _within(unit: int, count: int, path: str) -> None:
    if not 0 <= unit < count:
        raise Refused(tr("{path} has no unit {unit}; it has 0…{last}."
                         ).format(path=path, unit=unit, last=count - 1))

