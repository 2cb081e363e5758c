"""Lists of inputs: the bundled samples of a kind, the files of a folder, the lines of a text, the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer.inputs import _rows
from visualizer.inputs._samples import fits, sheets
from visualizer.language import tr, translated
from visualizer.over import MOST, Inputs
from visualizer.trace import Refused

if TYPE_CHECKING:
    from visualizer.inputs import InputKind


def candidates(source: str, own: InputKind, facts: Mapping[str, Any] | None = None) -> Inputs:
    """What a source offers a model that reads a kind of input and says `facts` of it, as far as that can be told
    without reading it: no label is known yet but those of the bundled samples. Raises Refused with one sentence where
    there is no such source."""
    if not source:
        return samples(own.name, facts)
    path = Path(source)
    try:
        if path.is_dir():
            return _folder(path, own)
        if path.suffix.lower() not in (*_rows.TABLES, *_rows.TEXTS):
            return _unlabelled((source,)) if path.is_file() and path.suffix.lower() in own.suffixes else \
                _no_source(path, own)
    except OSError as error:
        raise Refused(tr("{path} cannot be read ({why}); choose another folder.").format(
            path=path, why=error.strerror or error)) from error
    return _file(path)


def samples(kind: str, facts: Mapping[str, Any] | None = None) -> Inputs:
    """The bundled samples of a kind, or of them those of a model that says `facts` of its input, with their labels:
    without a look at what they are."""
    items = [item for sheet in sheets() if fits(sheet, kind, facts) for item in sheet.items]
    return Inputs(tuple(str(item["name"]) for item in items),
                  tuple(label if isinstance(label := item.get("label"), int) else None for item in items))


def _no_source(path: Path, own: InputKind) -> Inputs:
    if not path.exists():
        raise Refused(tr("There is no folder or file {path}; check the name.").format(path=path))
    raise Refused(tr("{name} holds no list of {kind}; choose a folder, a text with one a line, or a table.").format(
        name=path.name, kind=translated(own.title)))


def _folder(path: Path, own: InputKind) -> Inputs:
    """Its files by name and number: 2 before 10."""
    files = sorted((each for each in path.iterdir() if each.is_file() and not each.name.startswith(".")),
                   key=lambda each: [(int(part), "") if part.isdigit() else (-1, part)
                                     for part in re.split(r"([0-9]+)", each.name)])
    fits = [each for each in files if each.suffix.lower() in own.suffixes]
    why = tr("{model} reads {kind}.").format(model=tr("The network"), kind=translated(own.title))
    others = tuple((each.name, why) for each in files if each.suffix.lower() not in own.suffixes)
    return replace(_unlabelled(tuple(map(str, fits[:MOST]))), skipped=others, more=max(0, len(fits) - MOST))


def _file(path: Path) -> Inputs:
    """Its lines, without empty ones and without the heading of a table."""
    known = _rows.lines(path)
    first = 2 if path.suffix.lower() in _rows.TABLES and _rows.layout(path).head else 1
    ends = known.starts
    words = tuple(f"{path}#{number}" for number in range(first, min(len(ends), MOST + first))
                  if ends[number] - ends[number - 1] > 2 or _rows.line_of(path, number).strip())
    return replace(_unlabelled(words), more=max(0, known.count - (MOST + first - 1)))


def _unlabelled(words: tuple[str, ...]) -> Inputs:
    return Inputs(words, (None,) * len(words))
