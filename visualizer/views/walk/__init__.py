"""The microscope: one number, taken apart into the terms that made it; turned over, into the terms of its gradient.

Every kind of operation gives `Terms`; this view lays them out. Terms that form windows stand as grids, long sums as
tiles and a sorted list, functions of one number as a curve. How far a beat has come is how many terms have been added.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Focus, Look, Mark, Picture, Rect, Table, Text, plain, rich, unmarked
from visualizer.scene.timeline import Moment
from visualizer.trace import Cell, Layer, Trace
from visualizer.views import View
from visualizer.views.walk._card import Card, Frame, as_windows
from visualizer.views.walk._curves import curve_card, share_card
from visualizer.views.walk._looks import where_it_looks
from visualizer.views.walk._sums import long_sum_card, short_card
from visualizer.views.walk._windows import hands_card, window_card
from visualizer.views.walk._words import CURVES, arrival_sentence, forward_sentence, hands_sentence, plain_sentence

TOP = 60.0
MOST_IN_A_ROW = 5
SHARES = ("softmax", "log_softmax", "cross_entropy", "nll_loss")


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The card of one cell: forwards where its value came from, backwards where its gradient came from and goes."""
    card = _card(trace, moment, focus, look)
    s = look.text_scale
    marks = parts.sentence(look, card.sentence)
    added = moment.phase if look.knob("march", "terms") == "terms" else 1.0
    frame = Frame(24 * s, TOP * s, look.size[0] - 48 * s, look.size[1] - TOP * s - 16 * s, look, added)
    if look.size[0] >= 1280 * s:  # wide pictures carry the view of where it looks beside the card
        side = 216 * s
        marks += where_it_looks(trace, moment, card, Frame(24 * s, TOP * s, side - 32 * s, frame.height, look, 1.0))
        frame = replace(frame, x=frame.x + side, width=frame.width - side)
    still = marks + _draw_card(trace, card, frame, moment.backward)
    return Picture(look.size, tuple(still), (), look.theme, caption=unmarked(card.sentence), table=_table(card),
                   steps=_steps(card.layer, look.knob("march", "terms"), frame))


def aside(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Where the cell looks: its receptive field, layer by layer, on what was fed in."""
    card = _card(trace, moment, focus, look)
    frame = Frame(12, 8, look.size[0] - 24, look.size[1] - 16, look, 1.0)
    return Picture(look.size, tuple(where_it_looks(trace, moment, card, frame)), (), look.theme, "window",
                   caption=unmarked(card.sentence), table=Table((), ()))


def _card(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Card:
    layer, cell = subject(trace, moment, focus)
    cell = _marched(layer, cell, moment.phase, look.knob("march", "terms"))
    if moment.backward and layer.gradient is None and layer.kind in ("softmax", "log_softmax"):
        return _card_of(trace, layer.reads[0], cell, True, "arrives")  # the loss is computed from the logits
    return _card_of(trace, layer.name, cell, moment.backward, look.knob("card", "auto"))


@lru_cache(maxsize=64)
def _card_of(trace: Trace, name: str, cell: Cell, backward: bool, side: str) -> Card:
    layer = trace[name]
    if not backward:
        value = float(layer.output[cell])
        try:
            found = ((name, kinds.terms(trace, name, cell)),)
        except LookupError as error:
            return Card(layer, cell, value, (), plain_sentence(layer, cell, value), _reason(layer, error))
        return Card(layer, cell, value, found, forward_sentence(trace, layer, cell, value, found[0][1]))
    if layer.gradient is None:
        why = layer.why or "nothing that the loss depends on goes through it"
        return Card(layer, cell, float("nan"), (), f"No gradient reaches {layer.name}: {why}.", why)
    value = float(layer.gradient[cell])
    hands_on = side == "hands" or (side == "auto" and "weight" in layer.weights)
    try:
        arrived = kinds.backward_terms(trace, name, cell)
        if hands_on:
            own = ((name, kinds.terms(trace, name, cell)),)
            return Card(layer, cell, value, own, hands_sentence(value), hands_on=True)
    except LookupError as error:
        return Card(layer, cell, value, (), plain_sentence(layer, cell, value, "∂L/∂"), str(error))
    return Card(layer, cell, value, arrived, arrival_sentence(layer, cell, value, arrived),
                "" if arrived else "it is where the way back starts")


def subject(trace: Trace, moment: Moment, focus: Focus | None) -> tuple[Layer, Cell]:
    """The focused cell if the beat is about its layer; else the strongest cell there. Raises IndexError outside."""
    layer = trace[moment.beat.layer]
    values = layer.gradient if moment.backward and layer.gradient is not None else layer.output
    if focus is not None and focus.layer == layer.name and focus.part == "output":
        if len(focus.cell) == layer.output.ndim:
            _check_inside(layer, focus.cell)
            return layer, focus.cell
        if len(focus.cell) == 1 and layer.output.ndim > 1:
            _check_inside(layer, (*focus.cell, *(0,) * (layer.output.ndim - 1)))
            return layer, (focus.cell[0], *_largest(values[focus.cell[0]], moment.backward))
    return layer, _largest(values, moment.backward)


def _marched(layer: Layer, cell: Cell, phase: float, march: str) -> Cell:
    """Where the window has marched to: every place of the cell's map in turn, or the last place of every row.

    The beat ends where one looked: at phase 1 stands the chosen cell itself.
    """
    if march == "terms" or phase >= 1 or layer.output.ndim < 2:
        return cell
    rows, columns = layer.shape[-2:]
    if march == "rows":
        return (*cell[:-2], int(phase * rows), columns - 1)
    return (*cell[:-2], *divmod(int(phase * rows * columns), columns))


def _steps(layer: Layer, march: str, frame: Frame) -> int:
    """How many small steps the beat goes in: terms of the card, or places that the window marches over."""
    if march == "terms" or layer.output.ndim < 2:
        return frame.counted[0] if frame.counted else 0
    rows, columns = layer.shape[-2:]
    return rows if march == "rows" else rows * columns


def _largest(values: NDArray[np.floating], by_size: bool) -> Cell:
    known = np.where(np.isfinite(values), np.abs(values) if by_size else values, -np.inf)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(known)), known.shape)) if known.ndim else ()


def _check_inside(layer: Layer, cell: Cell) -> None:
    if any(not 0 <= i < n for i, n in zip(cell, layer.shape, strict=True)):
        wanted = ", ".join(f"{axis} 0…{n - 1}" for axis, n in zip(layer.axes, layer.shape, strict=True))
        raise IndexError(f"{layer.name} has no cell {cell}; it has {wanted}.")


def _draw_card(trace: Trace, card: Card, frame: Frame, backward: bool) -> list[Mark]:
    if not card.terms:
        return _refused(card, frame)
    name, terms = max(card.terms, key=lambda pair: abs(pair[1].result)) if backward and not card.hands_on \
        else card.terms[0]
    marks: list[Mark] = []
    if len(card.terms) > 1:
        marks += _readers_line(card, frame)
        frame = replace(frame, y=frame.y + 30 * frame.look.text_scale, height=frame.height - 30 * frame.look.text_scale)
    taps = terms.taps[0] if terms.taps else None
    if taps is None or not len(taps.values):
        return marks + _refused(card, frame)
    if terms.op == "share" or trace[name].kind in SHARES:
        return marks + share_card(trace, card, name, terms, frame, backward)
    if trace[name].kind in CURVES and len(taps.values) == 1 and not card.hands_on:
        return marks + curve_card(trace, card, name, terms, frame, backward)
    grid = as_windows(taps)
    if len(taps.values) == 1 and len(terms.taps) == 1:
        grid = None  # one number: nothing to add up
    if grid is not None:
        if card.hands_on:
            return marks + hands_card(trace, card, taps, grid, frame)
        return marks + window_card(trace, card, name, terms, grid, frame, backward)
    if len(taps.values) > MOST_IN_A_ROW and len(terms.taps) == 1:
        return marks + long_sum_card(trace, card, name, terms, frame, backward)
    return marks + short_card(trace, card, name, terms, frame, backward)


def _readers_line(card: Card, frame: Frame) -> list[Mark]:
    """Where several layers read this one: what each hands back, and the sum."""
    s = frame.look.text_scale
    words = " + ".join(f"`{name}` **{numbers.signed(found.result, 4)}**" for name, found in card.terms)
    return [Text(frame.x, frame.y + 12 * s, rich(f"{words} = {{{numbers.signed(card.value, 4)}}}"), 13 * s, 400,
                 max_width=frame.width)]


def _refused(card: Card, frame: Frame) -> list[Mark]:
    """No terms: the number is shown as recorded, and why it cannot be taken apart."""
    s = frame.look.text_scale
    marks: list[Mark] = [Rect(frame.x, frame.y + 20 * s, 320 * s, 120 * s, "hatch", "hair", radius=10)]
    marks.append(Rect(frame.x + 24 * s, frame.y + 50 * s, 272 * s, 60 * s, "stage", radius=8))
    marks.append(Text(frame.x + 160 * s, frame.y + 90 * s, plain(numbers.significant(card.value, 5)), 28 * s, 600,
                      "ink",
                      "middle", display=True))
    marks.append(Text(frame.x, frame.y + 172 * s, plain(f"Not taken apart: {card.refusal or 'no terms are known'}."),
                      14 * s,
                      400, "ink-2", max_width=frame.width))
    return marks


def _reason(layer: Layer, error: LookupError) -> str:
    return "this is what was fed in" if layer.kind == "input" else str(error).rstrip(".")


def _table(card: Card) -> Table:
    """One row a term, in the order they are added."""
    rows: list[tuple[str | float | int, ...]] = []
    for name, terms in card.terms:
        for taps in terms.taps:
            for index in range(len(taps.values)):
                cell = ", ".join(str(int(i)) for i in taps.cells[index])
                padded = taps.inside is not None and not taps.inside[index]
                rows.append((name, taps.source, f"({cell}){' padding' if padded else ''}", float(taps.values[index]),
                             float(taps.weights[index]), float(taps.values[index] * taps.weights[index])))
        if terms.bias is not None:
            rows.append((name, terms.bias_name or "bias", "", 1.0, terms.bias, terms.bias))
        rows.append((name, "result", "", "", "", terms.result))
    if not rows:
        rows.append((card.layer.name, "value", f"{card.cell}", card.value, "", card.value))
    return Table(("layer", "reads", "cell", "value", "weight", "product"), tuple(rows))


VIEW = View(
    "walk", "Microscope", "Any number, taken apart into the terms that made it, forwards and backwards.",
    suits=lambda trace: True, draw=draw, order=15, continuous=False, aside=aside,
    knobs=(("card", ("auto", "arrives", "hands")), ("march", ("terms", "positions", "rows"))),
)
