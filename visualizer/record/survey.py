"""survey: what is known of a model file before it is opened: its operations, what it reads, and how it is read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer import answers, consent, kinds, manifest, registry, unpack
from visualizer.language import english
from visualizer.manifest import Input, Manifest
from visualizer.record import formats, need
from visualizer.record.catalog import Opened, open_model
from visualizer.record.formats import python
from visualizer.record.run import given_of, pass_of, prepared
from visualizer.survey import Check, Opens, Row, Seen, Survey, ranges
from visualizer.trace import Layer, Refused, Trace

SAYS_ALL = ("weighted", "table", "recurrent")
"""Roles of operations whose sizes say what they do."""


def survey(path: str | Path, told: Manifest | None = None) -> Survey:
    """What is known of a model file; Refused where it cannot be opened whatever is said of it."""
    path = Path(path)
    kept = manifest.found(path)
    said = kept.manifest if told is None else told
    form = formats.find(path)
    found = Survey(
        file=str(path), title=path.name, format="" if form is None else form.TITLE, told=said,
        kept="" if kept.where is None else str(kept.where), notes=(kept.why,) if kept.why else ())
    if path.is_file():
        found = replace(found, size=path.stat().st_size, hash=manifest.digest(path), entries=_entries(path))
    program = path.with_name(said.source) if said.source else path
    if program.suffix in python.SUFFIXES and program.is_file() and (said.source or form is python):
        choices = python.choices_in(program)
        found = replace(found, runs=True, agreed=consent.given(program), choices=choices,
                        asked=("name",) if len(choices) > 1 and not said.name else (),
                        checks=(Check(PROGRAM, False),))
        if not found.agreed:
            return found
    try:
        opened = open_model(path, told=said)
    except Refused as error:
        if not found.runs and (said == manifest.NOTHING or said == Manifest(hash=said.hash)):
            raise
        return replace(_opened(found, open_model(path, told=manifest.NOTHING)) if not found.runs else found,
                       told=said, why=str(error))
    return _opened(found, opened)


PROGRAM = english("it is a program, which runs here")
NO_CODE = english("nothing in it is run")
FINITE = english("no NaN and no infinity in the weights")
FITS = english("it runs on what it reads")


def _opened(found: Survey, opened: Opened) -> Survey:
    """The same with what is known once it is open."""
    structure = _structure(found, opened)
    trace, why = structure
    rows = () if trace is None else rows_of(trace)
    apart = [row for row in rows if not row.group]
    first = None if trace is None or not trace.answers else trace.answers[0]
    kind = None if first is None else answers.of(first)
    finite = all(bool(each.isfinite().all()) for each in opened.module.state_dict().values()
                 if each.is_floating_point() or each.is_complex())
    told = opened.told if first is None or opened.told.answer else replace(opened.told, answer=first.kind)
    labelled = 0 if first is None or trace is None or kind is None or (
        kind.along is None and "labels" not in opened.asked) else \
        kind.names(trace[first.layer].shape) or trace[first.layer].shape[-1]
    asked = tuple(name for name in opened.asked if name != "labels" or labelled)
    return replace(
        found, title=opened.title, rows=rows, parameters=sum(each.numel() for each in opened.module.parameters()),
        adds=sum(row.adds for row in apart),
        memory=0 if trace is None else need.of_trace(trace).bytes, dtype="" if trace is None else trace.dtype,
        told=told, asked=asked,
        outputs=() if trace is None else tuple(trace[answer.layer].shape for answer in trace.answers),
        labelled=labelled, found=opened.beside[0], presets=opened.beside[1], seen=_seen(opened),
        views=() if trace is None else tuple(_views(trace, apart)),
        checks=(*(found.checks or (Check(NO_CODE),)), Check(FINITE, finite), Check(FITS, not why)),
        whole=tuple(dict.fromkeys(row.operation or row.kind for row in apart if not row.taken)),
        notes=(*found.notes, *opened.notes), why=why)


_last: dict[Any, tuple[Trace | None, str]] = {}
"""The last recording that a survey was made of: another mean or scale changes nothing of what it says."""


def _structure(found: Survey, opened: Opened) -> tuple[Trace | None, str]:
    """A recording of its first input, or why there is none."""
    told = replace(opened.told, scale="", colours="", fit="", mean=(), divisor=(), labels=(), crop=0.0, resample="")
    key = found.file, found.hash, json.dumps(told.plain(), sort_keys=True)
    if found.runs or key not in _last:
        _last.clear()
        _last[key] = _run(opened)
    return _last[key]


def _entries(path: Path) -> int:
    """Members of an archive; 0 for what is none."""
    with suppress(zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError), \
            unpack.opened(path, 4 << 20) as archive:
        return len(archive.namelist())
    return 0


def _views(trace: Trace, rows: Sequence[Row]) -> Iterator[Opens]:
    """What the app shows, and whether it does so of this model."""
    known = registry.module("views")
    for view in known.all_views():
        opens = bool(view.suits(trace))
        taken = sum(row.taken for row in rows)
        words = "" if opens else NO_STEPS if view.by_step or view.group == known.STEPS else NOTHING_OF_IT
        yield Opens(view.name, view.title, opens, f"{taken} / {len(rows)}" if opens and view.name == "microscope" else
                    words)


NO_STEPS = english("it has no recurrent layer")
NOTHING_OF_IT = english("it has nothing of the kind")


def rows_of(trace: Trace) -> tuple[Row, ...]:
    """The operations of a recording in their order, below the modules that hold more than one of them."""
    places = {layer.name: place for place, layer in enumerate(trace)}
    last = max((places[answer.returned or answer.layer] for answer in trace.answers), default=len(places))
    layers = [layer for layer in trace.layers[:last + 1]  # what follows belongs to the objective
              if not layer.is_input and kinds.role(layer) not in ("picked", "loss")]
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
    said = tuple(opened.told.inputs.values()) if len(tensors) > 1 else (opened.told,)
    said = said if len(said) == len(tensors) else (Input(),) * len(tensors)
    titles = tuple(given.raw) if isinstance(given.raw, Mapping) else (given.sample.title,)
    return tuple(_one_seen(*each) for each in zip(titles, raws, tensors, said, strict=True))


def _one_seen(title: str, raw: Any, fed: Tensor, said: Input) -> Seen:
    array = np.asarray(fed.detach().float() if fed.dtype == torch.bfloat16 else fed.detach())
    array = array[0] if array.ndim > 1 and len(array) == 1 else array
    axis = None if array.ndim != 3 else 2 if said.layout == "channels last" else 0
    axis = axis if axis is not None and array.shape[axis] <= 4 else None
    pixels = raw if isinstance(raw, np.ndarray) and raw.dtype == np.uint8 else None
    names = COLOURS.get(said.colours, ()) if axis is not None and array.shape[axis] == 3 else ()
    numbers = np.abs(array) if array.dtype.kind == "c" else array
    return Seen(title, pixels, array, names, ranges(numbers, axis))


COLOURS = {"RGB": (english("red"), english("green"), english("blue")),
           "BGR": (english("blue"), english("green"), english("red"))}
