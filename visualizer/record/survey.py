"""survey: what is known of a model file before it is opened: its operations, what it reads, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from visualizer import kinds, manifest
from visualizer.manifest import Manifest
from visualizer.record import formats
from visualizer.record.catalog import Opened, open_model
from visualizer.record.run import given_of, pass_of, prepared
from visualizer.survey import Row, Seen, Survey, ranges
from visualizer.trace import Layer, Refused, Trace

SAYS_ALL = ("weighted", "table", "recurrent")
"""Roles of operations whose sizes say what they do."""


def survey(path: str | Path, told: Manifest | None = None) -> Survey:
    """What is known of a model file; Refused where it cannot be opened at all."""
    path = Path(path)
    kept = manifest.found(path)
    opened = open_model(path, told=kept.manifest if told is None else told)
    form = formats.find(path)
    trace, why = _run(opened)
    rows = () if trace is None else rows_of(trace)
    return Survey(
        file=str(path), title=opened.title, format="" if form is None else form.TITLE, size=path.stat().st_size,
        hash=manifest.digest(path), rows=rows, parameters=_parameters(opened),
        adds=0 if trace is None else kinds.macs(trace), dtype="" if trace is None else trace.dtype,
        told=opened.told, asked=opened.asked, found=opened.beside[0], presets=opened.beside[1],
        outputs=() if trace is None else tuple(trace[answer.layer].shape for answer in trace.answers),
        kept="" if kept.where is None else str(kept.where), seen=_seen(opened),
        whole=tuple(dict.fromkeys(row.kind for row in rows if not row.group and not row.taken)),
        notes=(kept.why,) if kept.why else (), why=why)


def rows_of(trace: Trace) -> tuple[Row, ...]:
    """The operations of a recording in their order, below the modules that hold more than one of them."""
    places = {layer.name: place for place, layer in enumerate(trace)}
    last = max((places[answer.returned or answer.layer] for answer in trace.answers), default=len(places))
    layers = [layer for layer in trace.layers[:last + 1] if not layer.is_input]  # what follows belongs to the objective
    found: list[Row] = []
    above: list[str] = []
    for place, layer in enumerate(layers):
        inside = _modules(layer.name)
        while above and above != inside[:len(above)]:
            above.pop()
        for path in inside[len(above):]:
            if _holds(path, layers[place:]) > 1:
                held = [each for each in layers[place:] if path in _modules(each.name)]
                found.append(Row(path, shape=held[-1].shape, axes=held[-1].axes, depth=len(above), group=True,
                                 parameters=sum(each.parameters for each in held),
                                 adds=sum(_adds(trace, each) for each in held)))
                above.append(path)
        found.append(_row(trace, layer, len(above)))
    return tuple(found)


def _modules(name: str) -> list[str]:
    """The paths of the modules in which a layer lies, the outermost first."""
    parts = name.split("#")[0].split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _holds(path: str, layers: list[Layer]) -> int:
    """How many of the layers that come now, one after the other, lie in a module."""
    count = 0
    for layer in layers:
        if path not in _modules(layer.name):
            break
        count += 1
    return count


def _row(trace: Trace, layer: Layer, depth: int) -> Row:
    kind = kinds.of(layer)
    words = "" if kind is None else kind.short(layer, trace.inputs(layer))
    if kind is not None and (kind.role not in SAYS_ALL or not words):
        words = f"{kind.title}, {words}" if words and kind.role in ("largest", "mean") else kind.title
    return Row(layer.name, layer.kind, words, layer.shape, layer.axes, layer.parameters, _adds(trace, layer), depth,
               taken=kind is not None)


def _adds(trace: Trace, layer: Layer) -> int:
    kind = kinds.of(layer)
    return 0 if kind is None else kind.cost(layer, trace.inputs(layer)).macs


def _parameters(opened: Opened) -> int:
    return sum(each.numel() for each in opened.module.parameters())


def _run(opened: Opened) -> tuple[Trace | None, str]:
    try:
        return pass_of(opened).trace, ""
    except (Refused, LookupError) as error:
        return None, str(error)


def _seen(opened: Opened) -> tuple[Seen, ...]:
    """The first input of each kind that it reads, as it is given and as the model sees it."""
    try:
        given = given_of(opened, "")
        fed = prepared(opened, given.raw)
    except (Refused, LookupError) as error:
        return Seen(why=str(error)),
    raws = given.raw.values() if isinstance(given.raw, Mapping) else [given.raw]
    tensors = fed if isinstance(fed, tuple) else (fed,)
    return tuple(_one_seen(given.sample.title, raw, tensor) for raw, tensor in zip(raws, tensors, strict=True))


def _one_seen(title: str, raw: Any, fed: Tensor) -> Seen:
    array = np.asarray(fed.detach())
    array = array[0] if array.ndim > 1 and len(array) == 1 else array
    axis = 0 if array.ndim == 3 and len(array) <= 4 else None
    pixels = raw if isinstance(raw, np.ndarray) and raw.dtype == np.uint8 else None
    names = ("red", "green", "blue") if axis is not None and len(array) == 3 else ()
    return Seen(title, pixels, array, names, ranges(array, axis))


