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
from visualizer.kinds import recurrent
from visualizer.scene import parts
from visualizer.scene.picture import Focus, Group, Look, Mark, Picture, Table, Text, grouped, rich, unmarked
from visualizer.scene.timeline import Moment
from visualizer.trace import Cell, Layer, Trace
from visualizer.views import View
from visualizer.views.walk._card import Card, Frame, Sheet, about, as_windows, said
from visualizer.views.walk._curves import curve_card, share_card
from visualizer.views.walk._gates import hands_rows, recurrent_card, tiles_card
from visualizer.views.walk._looks import where_it_looks
from visualizer.views.walk._sums import long_sum_card, short_card
from visualizer.views.walk._values import value_card
from visualizer.views.walk._windows import hands_card, max_card, window_card
from visualizer.views.walk._words import (
    CURVES,
    adds_up,
    arrival_sentence,
    forward_sentence,
    hands_sentence,
    inside_arrival_sentence,
    inside_hands_sentence,
    inside_sentence,
    plain_sentence,
    unknown_gradient,
)

TOP = 60.0
SIDE = 216.0
"""Width of the view of where it looks, which wide pictures carry beside the card."""
MOST_IN_A_ROW = 5
SHARES = ("softmax", "log_softmax", "cross_entropy", "nll_loss")


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The card of one cell: forwards where its value came from, backwards where its gradient came from and goes.

    Without a focus on the beat's layer it is the cell of the largest value. Raises IndexError for one outside.
    """
    card = _card(trace, moment, focus, look)
    sheet = _sheet(trace, card, look)
    march = look.knob("march", "terms") if _marches(card.layer) else "terms"
    start, end = moment.beat.stretch(_part_of(card))
    share = min(1.0, max(0.0, (moment.phase - start) / (end - start)))
    done = int(np.floor(share * sheet.steps + 1e-9)) if march == "terms" else sheet.steps
    return Picture(look.size, sheet.still, tuple(sheet.after(done)), look.theme, caption=unmarked(card.sentence),
                   table=_table(trace, card), steps=sheet.steps if march == "terms" else _places(card.layer, march),
                   stretch=(start, end))


def aside(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Where the cell looks: its receptive field, layer by layer, on what was fed in."""
    card = _card(trace, moment, focus, look)
    frame = Frame(12, 8, look.size[0] - 24, look.size[1] - 16, look)
    return Picture(look.size, tuple(where_it_looks(trace, card, frame)), (), look.theme, "window",
                   caption=unmarked(card.sentence), table=Table((), ()))


# --- which number ---------------------------------------------------------------------------------------------------

def subject(trace: Trace, moment: Moment, focus: Focus | None) -> tuple[Layer, Cell, str]:
    """The focused cell if the beat is about its layer, else the strongest cell there; and which gate or state it
    belongs to, if any. Raises IndexError outside."""
    layer = trace[moment.beat.layer]
    part = focus.part if focus is not None and focus.layer == layer.name and focus.part.startswith("inner.") \
        else moment.opens
    if layer.inner and part.startswith("inner.") and part != "inner.hidden":
        return layer, *_inside(layer, moment, focus, part.removeprefix("inner."))
    if part == "inner.hidden" and focus is not None:
        focus = Focus(layer.name, focus.cell[-layer.output.ndim:])
    values = layer.gradient if moment.backward and layer.gradient is not None else layer.output
    if focus is not None and focus.layer == layer.name and focus.part == "output":
        if len(focus.cell) == layer.output.ndim:
            _check_inside(layer, focus.cell)
            return layer, focus.cell, ""
        if len(focus.cell) == 1 and layer.output.ndim > 1:
            _check_inside(layer, (*focus.cell, *(0,) * (layer.output.ndim - 1)))
            return layer, (focus.cell[0], *_largest(values[focus.cell[0]], moment.backward)), ""
    if moment.beat.step is not None:
        step = moment.beat.step - 1
        return layer, (step, *_largest(values[step], moment.backward)), ""
    return layer, _largest(values, moment.backward), ""


def _inside(layer: Layer, moment: Moment, focus: Focus | None, key: str) -> tuple[Cell, str]:
    """(step, unit) in a gate or state, and which one: the focused one, else the strongest unit at that step.

    Forwards, the sum before a gate is looked at in the gate; what only a gradient has, in the state it is that of.
    """
    if not moment.backward and key not in layer.inner:
        gate = key.removesuffix("_preactivation")
        key = gate if gate in layer.inner else "new" if key == "hidden_new" else \
            "cell" if key.endswith("cell") or key.startswith("cell") else "hidden"
    values = (layer.inner_gradients if moment.backward else layer.inner).get(key)
    if values is None:
        values = layer.inner[key] if key in layer.inner else layer.inner["hidden"]
    cell = focus.cell if focus is not None and focus.layer == layer.name else ()
    cell = (0, *cell) if len(cell) == 1 and layer.output.ndim == 1 and focus is not None and focus.part == "output" \
        else cell
    step = cell[0] if cell else (moment.beat.step or 1) - 1
    if cell and (len(cell) > 2 or any(not 0 <= i < n for i, n in zip(cell, values.shape, strict=False))):
        raise IndexError(f"{layer.name} has no {key} at {cell}; it has steps 0…{values.shape[0] - 1} and units "
                         f"0…{values.shape[1] - 1}.")
    step = min(step, len(values) - 1)
    return (step, cell[1] if len(cell) == 2 else _largest(values[step], True)[0]), key


def _card(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Card:
    layer, cell, key = subject(trace, moment, focus)
    if key:
        return _card_inside(trace, layer.name, cell, key, moment.backward, look.knob("card", "auto"))
    cell = _marched(layer, cell, moment.phase, look.knob("march", "terms"))
    if moment.backward and layer.gradient is None and layer.kind in ("softmax", "log_softmax"):
        return _card_of(trace, layer.reads[0], cell, True, "arrives")  # the loss is computed from the logits
    return _card_of(trace, layer.name, cell, moment.backward, look.knob("card", "auto"))


@lru_cache(maxsize=64)
def _card_of(trace: Trace, name: str, cell: Cell, backward: bool, side: str) -> Card:
    layer = trace[name]
    if layer.inner and (not backward or side == "hands") and kinds.of(layer) is not None:
        return _card_inside(trace, name, (0, *cell)[-2:], "hidden", backward, side)
    if not backward:
        value = float(layer.output[cell])
        try:
            found = ((name, kinds.terms(trace, name, cell)),)
        except LookupError as error:
            return Card(layer, cell, value, (), plain_sentence(layer, cell, value), refusal=_reason(layer, error))
        return Card(layer, cell, value, found, forward_sentence(trace, layer, cell, value, found[0][1]))
    if layer.gradient is None:
        why = (layer.why or "nothing that the loss depends on goes through it").rstrip(".")
        return Card(layer, cell, float("nan"), (), f"No gradient reaches {layer.name}: {why}.", True, why)
    value = float(layer.gradient[cell])
    try:
        if _hands_on(layer, side):
            own = ((name, kinds.terms(trace, name, cell)),)
            return Card(layer, cell, value, own, hands_sentence(layer, value), True, hands_on=True)
        arrived = kinds.backward_terms(trace, name, cell)
    except LookupError as error:
        return Card(layer, cell, value, (), unknown_gradient(layer, cell, value), True, str(error).rstrip("."))
    return Card(layer, cell, value, arrived, arrival_sentence(trace, layer, cell, value, arrived), True,
                "" if arrived else "the way back starts here")


@lru_cache(maxsize=64)
def _card_inside(trace: Trace, name: str, cell: Cell, key: str, backward: bool, side: str) -> Card:
    """The card of one number of a gate or a state."""
    layer, (step, unit) = trace[name], cell
    try:
        if not backward:
            value = float(layer.inner[key][cell])
            terms = kinds.inner_terms(trace, name, key, step, unit)
            return Card(layer, cell, value, ((name, terms),), inside_sentence(layer, key, step, unit, value, terms),
                        key=key)
        if key not in layer.inner_gradients:
            why = (layer.why or "nothing that the loss depends on goes through it").rstrip(".")
            return Card(layer, cell, float("nan"), (), f"No gradient reaches {name}: {why}.", True, why, key=key)
        value = float(layer.inner_gradients[key][cell])
        weighs = recurrent.weighs(layer, key)
        if side == "hands" or (side == "auto" and weighs):
            gate = key.removesuffix("_preactivation")
            own = (name, kinds.inner_terms(trace, name, "new" if key == "hidden_new" else gate, step, unit)) if weighs \
                else (name, kinds.inner_backward_terms(trace, name, key, step, unit))
            return Card(layer, cell, value, (own,), inside_hands_sentence(key, step, unit, value, weighs), True,
                        hands_on=True, key=key)
        found = ((name, kinds.inner_backward_terms(trace, name, key, step, unit)),)
    except LookupError as error:
        return Card(layer, cell, value, (), inside_arrival_sentence(key, step, unit, value, ()), backward,
                    str(error).rstrip("."), key=key)
    return Card(layer, cell, value, found, inside_arrival_sentence(key, step, unit, value, found), True, key=key)


def _part_of(card: Card) -> str:
    """Which part of a step makes the number."""
    gate = card.key.removesuffix("_preactivation")
    return gate if gate in card.layer.inner else "new" if gate == "hidden_new" else \
        "cell" if "cell" in gate else "hidden"


def _marches(layer: Layer) -> bool:
    """Whether a window can march over it; steps are walked through in the timeline."""
    return layer.output.ndim >= 2 and not layer.inner


def _hands_on(layer: Layer, side: str) -> bool:
    """Whether the card shows what a number hands to its weights and inputs: where it is a sum of weighted inputs."""
    weight = layer.weights.get("weight")
    return side != "arrives" and weight is not None and weight.ndim >= 2 and \
        (layer.kind == "linear" or layer.kind.startswith("conv"))


def _reason(layer: Layer, error: LookupError) -> str:
    if layer.kind == "input":
        return "This is what was fed in"
    return (layer.why or str(error)).rstrip(".")


def _places(layer: Layer, march: str) -> int:
    """How many places the window marches over."""
    rows, columns = layer.shape[-2:]
    return rows if march == "rows" else rows * columns


def _marched(layer: Layer, cell: Cell, phase: float, march: str) -> Cell:
    """Where the window has marched to: every place of the cell's map in turn, or the last place of every row.

    The beat ends where one looked: at phase 1 stands the chosen cell itself.
    """
    if march == "terms" or phase >= 1 or not _marches(layer):
        return cell
    rows, columns = layer.shape[-2:]
    if march == "rows":
        return (*cell[:-2], int(phase * rows + 1e-9), columns - 1)
    return (*cell[:-2], *divmod(int(phase * rows * columns + 1e-9), columns))


def _largest(values: NDArray[np.floating], by_size: bool) -> Cell:
    known = np.where(np.isfinite(values), np.abs(values) if by_size else values, -np.inf)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(known)), known.shape)) if known.ndim else ()


def _check_inside(layer: Layer, cell: Cell) -> None:
    if any(not 0 <= i < n for i, n in zip(cell, layer.shape, strict=True)):
        wanted = ", ".join(f"{axis} 0…{n - 1}" for axis, n in zip(layer.axes, layer.shape, strict=True))
        raise IndexError(f"{layer.name} has no cell {cell}; it has {wanted}.")


# --- which card -----------------------------------------------------------------------------------------------------

@lru_cache(maxsize=16)
def _sheet(trace: Trace, card: Card, look: Look) -> Sheet:
    """The whole picture of a card, laid out once for all its steps."""
    marks, own = parts.sentence(look, card.sentence), Group("the rest of the card", about(card))
    frame = Frame(24, TOP, look.size[0] - 48, look.size[1] - TOP - 16, look)
    pictured = card.layer.inner == {} or (trace.layers[0].has("row", "column") and trace.layers[0].output.ndim == 3)
    if look.size[0] >= 1280 and pictured:
        marks += where_it_looks(trace, card, replace(frame, width=SIDE - 32))
        frame = replace(frame, x=frame.x + SIDE, width=frame.width - SIDE)
    tiled = card.backward and not card.hands_on and _many_arrays(card)
    if len(card.terms) > 1 and not tiled:
        marks += _readers_line(card, frame)
        frame = replace(frame, y=frame.y + 30, height=frame.height - 30)
    sheet = (tiles_card if tiled else recurrent_card if card.key else _fitting_card)(trace, card, frame).beside(marks)
    return replace(sheet, still=tuple(grouped(own, sheet.still)), after=lambda done: grouped(own, sheet.after(done)))


def _many_arrays(card: Card) -> bool:
    """Whether a gradient came as long sums from gates: from all of a step, and from readers beside."""
    taps = [taps for _, terms in card.terms for taps in terms.taps]
    return sum(len(one.values) for one in taps) > MOST_IN_A_ROW and all(adds_up(terms) for _, terms in card.terms) and \
        any(len(terms.taps) > 1 or (terms.taps and terms.taps[0].array.startswith("inner")) for _, terms in card.terms)


def _fitting_card(trace: Trace, card: Card, frame: Frame) -> Sheet:
    if not card.terms:
        return value_card(trace, card, frame)
    name, terms = max(card.terms, key=lambda pair: abs(pair[1].result)) if card.backward and not card.hands_on \
        else card.terms[0]
    taps = terms.taps[0] if terms.taps else None
    if trace[name].kind in SHARES and trace.inputs(trace[name])[0].output.ndim == 1:
        return share_card(trace, card, name, terms, frame)
    if taps is None or not len(taps.values):
        return value_card(trace, card, frame)
    one_number = len(taps.values) == 1 and len(terms.taps) == 1 and trace[name].kind in CURVES
    if one_number and not card.hands_on and trace.inputs(trace[name])[0].output.shape == trace[name].output.shape:
        return curve_card(trace, card, name, terms, frame)
    grid = as_windows(taps) if len(terms.taps) == 1 else None
    if grid is not None and card.hands_on:
        return hands_card(trace, card, taps, grid, frame)
    if grid is not None and terms.op == "max" and grid[0] == 1:
        return max_card(trace, card, terms, grid, frame)
    if grid is not None and terms.op == "sum":
        return window_card(trace, card, name, terms, grid, frame)
    if len(taps.values) > MOST_IN_A_ROW and len(terms.taps) == 1:
        return long_sum_card(trace, card, name, terms, frame)
    return short_card(trace, card, name, terms, frame)


def _readers_line(card: Card, frame: Frame) -> list[Mark]:
    """Where several layers read this one: what each hands back, and the sum."""
    words = " + ".join(f"from `{name}` **{said(found.result, True, 3)}**" for name, found in card.terms)
    return [Text(frame.x, frame.y + 12, rich(f"{words} = {{{said(card.value, True, 3)}}}; below, the largest"),
                 13, 400, max_width=frame.width)]


# --- the same as a table --------------------------------------------------------------------------------------------

@lru_cache(maxsize=16)
def _table(trace: Trace, card: Card) -> Table:
    """One row a term, in the order they are added."""
    rows: list[tuple[str | float | int, ...]] = hands_rows(trace, card) if card.key and card.hands_on else []
    for name, terms in () if card.key and card.hands_on else card.terms:
        for taps in terms.taps:
            if not len(taps.values):
                continue
            source, part = taps.source, kinds.place(trace, taps, 0)[2]
            reads = source if part == "output" else f"{source}/{part}"
            inside = [True] * len(taps.values) if taps.inside is None else taps.inside.tolist()
            for cell, value, weight, product, real in zip(taps.cells.tolist(), taps.values.tolist(),
                                                          taps.weights.tolist(), taps.products.tolist(), inside,
                                                          strict=True):
                words = f"({', '.join(map(str, cell))}){'' if real else ' padding'}"
                rows.append((name, reads, words, value, weight, product))
        if terms.bias is not None:
            rows.append((name, terms.bias_name or "bias", "", 1.0, terms.bias, terms.bias))
        rows.append((name, "result", "", "", "", terms.result))
    if not rows:
        rows.append((card.layer.name, "value", f"{card.cell}", card.value, "", card.value))
    return Table(("layer", "reads", "cell", "value", "weight", "product"), tuple(rows))


VIEW = View(
    "walk", "Microscope", "Any number, taken apart into the terms that made it, forwards and backwards.",
    suits=lambda trace: True, draw=draw, order=13, continuous=False, aside=aside,
    knobs=(("card", ("auto", "arrives", "hands")), ("march", ("terms", "positions", "rows"))),
)
