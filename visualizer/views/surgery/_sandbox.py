"""A sandbox layer: a convolution on a map of now with another kernel size, stride, padding and dilation, its output
size by the formula and by torch, and what it gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds._window import windows_of
from visualizer.language import english, tr, translated
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import (
    Choice,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Scale,
    Text,
    grouped,
    plain,
)
from visualizer.scene.type import elide
from visualizer.trace import Trace

STUDY = "sandbox"
Values = NDArray[np.float64]
SETTINGS = (("kernel", english("kernel"), (3, 1, 2, 4, 5, 6, 7)), ("stride", english("stride"), (1, 2, 3, 4)),
            ("padding", english("padding"), (0, 1, 2, 3)), ("dilation", english("dilation"), (1, 2, 3)))
"""What can be turned, and to what; the first is the default."""
PILL, LINE, LEFT = 26.0, 30.0, 84.0


def words(look: Look) -> str:
    """What the study is asked for: `3,1,0,1`; nothing while the sandbox is not seen."""
    if look.knob("below", "ranking") != "sandbox":
        return ""
    return ",".join(look.knob(name, str(values[0])) for name, _, values in SETTINGS)


def tab(trace: Trace, box: Box, word: str, title: str) -> list[Mark]:
    """What leads to the other panel."""
    return [Rect(box.right - 140, box.top + 6, 140, 20, "", "rule", radius=10, focus=Focus(trace.layers[0].name),
                 tip=title, holds=Choice("below", word)),
            Text(box.right - 70, box.top + 20, plain(elide(title, 12, 128, 500)), 12, 500, "accent-ink", "middle")]


def draw(trace: Trace, box: Box, focus: Focus | None, look: Look) -> list[Mark]:
    """Settings at the left, then what is read, the kernel, and what comes of it."""
    marks: list[Mark] = [Line(((box.left, box.top), (box.right, box.top)), "rule"),
                         Text(box.left, box.top + 20, plain(tr("Sandbox layer")), 13, 600),
                         Text(box.left + 140, box.top + 20, plain(elide(tr(
                             "a convolution on a map of now: turn it, and see what size comes out"), 12,
                             box.width - 290, 400)), 12, 400, "ink-2"),
                         *tab(trace, box, "ranking", tr("Which matters most"))]
    chosen = []
    for row, (name, title, values) in enumerate(SETTINGS):
        y, now = box.top + 38 + row * LINE, int(look.knob(name, str(values[0])))
        chosen.append(now)
        marks.append(Text(box.left, y + 17, plain(translated(title)), 12, 500))
        for place, value in enumerate(sorted(values)):
            x = box.left + LEFT + place * PILL
            marks += [Rect(x, y, PILL - 4, 22, "accent" if value == now else "raised", "hair", radius=6,
                           focus=Focus(trace.layers[0].name), tip=f"{translated(title)} {value}",
                           holds=Choice(name, str(value))),
                      Text(x + PILL / 2 - 2, y + 16, plain(str(value)), 12, 600,
                           "on-accent" if value == now else "ink", "middle")]
    name = f"{STUDY}:{words(look)}"
    held = trace.studies.get(name)
    if held is None:
        other = next((key for key in reversed(list(trace.studies)) if key.startswith(f"{STUDY}:")), "")
        held = trace.studies.get(other, {})
        name = other
    if not held:
        return grouped(Group(tr("sandbox")), marks)
    if "why" in held:
        told = bytes(held["why"]).decode()
        marks.append(Text(box.left + LEFT + 200, box.top + 60, plain(elide(translated(told), 13, box.width - 300, 500)),
                          13, 500))
        return grouped(Group(tr("sandbox")), marks)
    return grouped(Group(tr("sandbox")), [*marks, *_result(trace, box, name, look)])


def _result(trace: Trace, box: Box, name: str, look: Look) -> list[Mark]:
    held = trace.studies[name]
    read, kernel, out = (np.asarray(held[key], np.float64) for key in ("read", "kernel", "out"))
    settings = tuple(int(each) for each in held["settings"])
    layer = bytes(held["layer"]).decode()
    k, s, p, d = settings
    by_formula = tuple(windows_of(side, k, s, p, d) for side in read.shape[-2:])
    by_torch = tuple(int(each) for each in held["size"])

    def sizes(found: tuple[int, ...], quantity: str) -> str:
        return " × ".join(said(str(side), quantity, cell=(axis,), array=name) for axis, side in enumerate(found))

    marks: list[Mark] = [
        Text(box.left, box.top + 38 + 4 * LINE + 16, plain(tr("by the formula {size}").format(
            size=sizes(by_formula, "size by the formula"))), 13, 600),
        Text(box.left, box.top + 38 + 4 * LINE + 34, plain(tr("by torch {size}").format(
            size=sizes(by_torch, "size by torch") if min(by_torch) > 0 else tr("none: the kernel finds no place"))), 13,
            600, "accent-ink" if by_torch == by_formula or min(by_formula) < 1 else "negative-bar"),
        Text(box.left, box.top + 38 + 4 * LINE + 54, plain(elide(
            _formula(settings, read, name), 12, 280, 400)), 12, 400, "ink-2")]
    room = box.bottom - box.top - 62
    x = box.left + LEFT + 7 * PILL + 40
    space = (box.right - x - 60) / 3
    for title, values, palette, indices in ((layer, read, "activation", (0,)), (tr("kernel"), kernel, "weight", (-1,)),
                                            (tr("gives"), out, "activation", (-1,))):
        if values.size:
            side = max(values.shape[-2:])
            cell = min(room, space) / side if title != tr("kernel") else min(22.0, min(room, space * 0.5) / side)
            cell = float(int(cell)) if cell >= 2 else cell
            top = max(colour.largest(values), 1e-30)
            marks += [Image(x, box.top + 54, (cell, cell), colour.signed(np.nan_to_num(values.reshape(
                1, *values.shape[-2:])), top), palette, indices=indices,
                scale=Scale(palette, tr("values"), title, -top, top))]
            wide = cell * values.shape[-1]
        else:
            marks.append(Rect(x, box.top + 54, 60, 60, "hatch", "edge"))
            wide = 60.0
        marks.append(Text(x, box.top + 48, plain(elide(title, 12, space, 600)), 12, 600, mono=title == layer))
        x += max(wide, 60.0) + 30
    if out.size:
        marks.append(Text(x - 30, box.bottom - 2, plain(tr("largest {value}").format(
            value=said(numbers.significant(colour.largest(out), 2), "largest of the sandbox", array=name))), 11, 400,
            "ink-2", "end"))
    return marks


def _formula(settings: tuple[int, ...], read: Values, name: str) -> str:
    """⌊(N + 2p − d(k − 1) − 1) / s⌋ + 1 with its numbers, for the rows."""
    k, s, p, d = (said(str(value), "setting of the sandbox", cell=(place,), array=name)
                  for place, value in enumerate(settings))
    side = said(str(read.shape[-2]), "side that is read", array=name)
    return f"⌊({side} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1"
