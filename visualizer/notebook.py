"""Notebook: how a Picture and a Trace show themselves where Python is written in cells.

What IPython asks of an object, a mapping from MIME types to what is shown. The page (`text/html`) has everything: the
picture, its sentence, and the same numbers as a table; the other types are for programs that show no pages. The same
object gives the same bundle, and none grows with the recording: long tables are cut, and what is left out is said.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from html import escape
from typing import Any

from visualizer import data, export, kinds, views
from visualizer.language import counted_as, tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Picture, Table
from visualizer.trace import Layer, Refused, Trace

Bundle = dict[str, str | bytes]
MOST_ROWS = 40
"""Rows of a table; a cell of a notebook is no place for more."""
MOST_SVG = 256 << 10
"""Bytes. A drawing that is larger is left to its pixels: it would be saved into the notebook with every run."""
MOST_PNG = 1 << 20
"""Bytes of a picture with two pixels for each of its own; a larger one has one."""
SIZE = (1104, 736)
"""Of the picture of a recording, in its own pixels."""
PAGE, DRAWING, PIXELS, PLAIN = "text/html", "image/svg+xml", "image/png", "text/plain"


def of_picture(picture: Picture, include: Collection[str] | None = None, exclude: Collection[str] | None = None
               ) -> Bundle:
    """A picture with its sentence, which is also what a screen reader says, and its table folded away."""
    pixels = cache(partial(_pixels, picture))
    return _asked({
        PAGE: lambda: _figure(picture, pixels(), _folded(picture.table)),
        DRAWING: lambda: _drawing(picture),
        PIXELS: pixels,
        PLAIN: lambda: f"Picture {picture.size[0]} × {picture.size[1]}: {picture.caption}",
    }, include, exclude)


def of_trace(trace: Trace, include: Collection[str] | None = None, exclude: Collection[str] | None = None) -> Bundle:
    """A recording as its first picture and a table of its layers."""
    table = layers(trace)
    first = cache(partial(_first, trace))

    @cache
    def pixels() -> bytes | None:
        picture = first()
        return None if picture is None else _pixels(picture)

    def page() -> str:
        picture, seen = first(), pixels()
        shown = "" if picture is None or seen is None else _figure(picture, seen, "")
        return f"<div><p><strong>{escape(headline(trace))}</strong></p>{shown}{_rows(table)}</div>"

    def plain() -> str:
        kept = _cut(table)
        return "\n".join([headline(trace), *_columns([table.columns, *kept]), *_more(table, kept)])

    return _asked({PAGE: page, PIXELS: pixels, PLAIN: plain}, include, exclude)


def headline(trace: Trace) -> str:
    """`digits_cnn, 11 layers, 6,042 parameters, cross_entropy 0.0312`."""
    said = [trace.title or trace.model, counted_as(len(trace.layers), tr("{count} layer"), tr("{count} layers")).format(
                count=numbers.count(len(trace.layers))),
            numbers.parameters(trace.parameters)]
    if trace.objective.kind != "none":
        what = tr("objective") if trace.objective.kind == "function" else trace.objective.kind.replace("_", " ")
        said.append(f"{what} {numbers.significant(trace.objective.value)}")
    return ", ".join(said)


def layers(trace: Trace) -> Table:
    """What each layer is and how large its numbers are, in words."""
    def words(layer: Layer, row: Mapping[str, Any]) -> tuple[str, ...]:
        kind = kinds.of(layer)
        return (layer.name, layer.kind if kind is None else translated(kind.title), numbers.shape(layer.shape) or "1",
                numbers.count(layer.parameters),
                f"{numbers.significant(row['min'])} … {numbers.significant(row['max'])}",
                "–" if layer.gradient is None else numbers.power(row["gradient"]))

    columns = tr("layer"), tr("operation"), tr("shape"), tr("parameters"), tr("values"), tr("size of its gradient")
    return Table(columns, tuple(map(words, trace, data.layers(trace))))


def picture_as(picture: Picture, suffix: str, scale: float = 1.0) -> bytes:
    """The file that would be saved with this ending, as bytes."""
    found = next(each for each in export.formats() if suffix in each.suffixes)
    return found.to_bytes(picture, export.Options(scale=scale))


# --- what is shown --------------------------------------------------------------------------------------------------

def _first(trace: Trace) -> Picture | None:
    """What is seen when it is opened; nothing where no view can draw it."""
    for view in ("network", *(each.name for each in views.all_views())):
        with suppress(LookupError, Refused):
            return export.draw(trace, view, size=SIZE)
    return None


def _drawing(picture: Picture) -> str | None:
    made = picture_as(picture, ".svg")
    return made.decode() if len(made) <= MOST_SVG else None


def _pixels(picture: Picture) -> bytes:
    twice = picture_as(picture, ".png", 2.0)
    return twice if len(twice) <= MOST_PNG else picture_as(picture, ".png")


def _figure(picture: Picture, pixels: bytes, below: str) -> str:
    said = escape(picture.caption)
    return (f'<figure style="margin:0"><img alt="{said}" width="{picture.size[0]}" style="max-width:100%;height:auto" '
            f'src="data:{PIXELS};base64,{base64.b64encode(pixels).decode()}"><figcaption>{said}</figcaption>{below}'
            "</figure>")


def _folded(table: Table) -> str:
    if not table.rows:
        return ""
    return f"<details><summary>{escape(tr('The same numbers as a table'))}</summary>{_rows(table)}</details>"


def _rows(table: Table) -> str:
    kept = _cut(table)
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in kept)
    more = "".join(f"<p>{escape(words)}</p>" for words in _more(table, kept))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cut(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell if isinstance(cell, str) else numbers.amount(cell) for cell in row)
            for row in table.rows[:MOST_ROWS]]


def _more(table: Table, kept: Sequence[object]) -> list[str]:
    left = len(table.rows) - len(kept)
    words = counted_as(left, tr("… and {count} row more."), tr("… and {count} rows more."))
    return [words.format(count=numbers.count(left))] if left else []


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows of words, padded so that they stand below each other."""
    rows = list(rows)
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]


def _asked(made: Mapping[str, Callable[[], str | bytes | None]], include: Collection[str] | None,
           exclude: Collection[str] | None) -> Bundle:
    """Of all types those that are wanted, and made of these alone."""
    wanted = [name for name in made if (not include or name in include) and name not in (exclude or ())]
    return {name: shown for name in wanted if (shown := made[name]()) is not None}
