"""The microscope: one number, taken apart into the terms that made it; turned over, into the terms of its gradient.

Every kind of operation gives `Terms`; this view lays them out. Terms that form windows stand as grids, long sums as
tiles and a sorted list, functions of one number as a curve. How far a beat has come is how many terms have been added.
"""

from __future__ import annotations

from dataclasses import replace

from visualizer import kinds
from visualizer.kinds import recurrent
from visualizer.language import english, tr
from visualizer.scene import parts
from visualizer.scene.picture import Focus, Group, Look, Mark, Picture, Table, Text, grouped, rich, unmarked
from visualizer.scene.subject import NUMBER, is_inner, subject
from visualizer.scene.telling import weighed
from visualizer.scene.timeline import Moment, Pace, Stretch, own_pace
from visualizer.trace import Cell, Layer, Trace, remembered
from visualizer.views import WHOLE, View
from visualizer.views.microscope._card import Area, Card, Laid, about, as_windows, said
from visualizer.views.microscope._curves import curve_card, share_card
from visualizer.views.microscope._gates import hands_rows, recurrent_card, tiles_card
from visualizer.views.microscope._looks import where_it_looks
from visualizer.views.microscope._sums import long_sum_card, short_card
from visualizer.views.microscope._values import value_card
from visualizer.views.microscope._windows import hands_card, max_card, window_card
from visualizer.views.microscope._words import (
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


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The card of one cell: forwards where its value came from, backwards where its gradient came from and goes.

    Without a focus on the beat's layer it is the cell of the largest value. Raises IndexError for one outside.
    """
    card = _card(trace, moment, focus, look)
    sheet = _sheet(trace, card, look)
    march = look.knob("march", "terms") if _marches(card.layer) else "terms"
    steps = _stretch(trace, card, moment, look)
    done = sheet.steps if march != "terms" or steps is None else steps.done(moment.phase)
    return Picture(look.size, sheet.still, tuple(sheet.after(done)), look.theme, caption=unmarked(card.sentence),
                   table=_table(trace, card))


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """A beat goes term by term; within a step of a recurrent layer each part does, or only the one that is chosen."""
    beat, layer = moment.beat, trace[moment.beat.layer]
    if beat.step is not None and 1 < beat.step < len(layer.output):  # steps between the first and the last go alike
        beat = replace(beat, step=2)
    return _pace(trace, Moment(beat), focus, look)


def aside(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Where the cell looks: its receptive field, layer by layer, on what was fed in."""
    card = _card(trace, moment, focus, look)
    frame = Area(12, 8, look.size[0] - 24, look.size[1] - 16, look)
    return Picture(look.size, tuple(where_it_looks(trace, card, frame)), (), look.theme, "window",
                   caption=unmarked(card.sentence), table=Table((), ()))


# --- which number ---------------------------------------------------------------------------------------------------

def _card(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Card:
    about = subject(trace, moment, focus, NUMBER)
    layer, cell = trace[about.layer], about.cell
    if is_inner(about):
        return _card_inside(trace, layer.name, cell, about.part.removeprefix("inner."), moment.backward,
                            look.knob("card", "auto"))
    _check_inside(layer, cell)
    cell = _marched(layer, cell, moment.phase, look.knob("march", "terms"))
    if moment.backward and layer.gradient is None and kinds.role(layer) == "shares":
        return _card_of(trace, layer.reads[0], cell, True, "arrives")  # the loss is computed from the logits
    return _card_of(trace, layer.name, cell, moment.backward, look.knob("card", "auto"))


@remembered(64)
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
        why = (layer.why or tr("nothing that the loss depends on goes through it")).rstrip(".")
        return Card(layer, cell, float("nan"), (),
                    tr("No gradient reaches {layer}: {why}.").format(layer=layer.name, why=why), True, why)
    value = float(layer.gradient[cell])
    try:
        if _hands_on(layer, side):
            own = ((name, kinds.terms(trace, name, cell)),)
            return Card(layer, cell, value, own, hands_sentence(layer, value), True, hands_on=True)
        arrived = kinds.backward_terms(trace, name, cell)
    except LookupError as error:
        return Card(layer, cell, value, (), unknown_gradient(layer, cell, value), True, str(error).rstrip("."))
    return Card(layer, cell, value, arrived, arrival_sentence(trace, layer, cell, value, arrived), True,
                "" if arrived else tr("the way back starts here"))


@remembered(64)
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
            why = (layer.why or tr("nothing that the loss depends on goes through it")).rstrip(".")
            return Card(layer, cell, float("nan"), (),
                        tr("No gradient reaches {name}: {why}.").format(name=name, why=why), True, why, key=key)
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


def _stretch(trace: Trace, card: Card, moment: Moment, look: Look) -> Stretch | None:
    """Between which phases of the beat the card fills, and in how many steps; None where it stands at once."""
    march = look.knob("march", "terms") if _marches(card.layer) else "terms"
    terms = _sheet(trace, card, look).steps if march == "terms" else _places(card.layer, march)
    return Stretch(*moment.beat.stretch(_part_of(card)), terms) if terms else None


@remembered(256)
def _pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    plain, beat = own_pace(moment.beat), moment.beat
    cards = {part: _card(trace, replace(moment, phase=beat.stretch(part)[1]), focus, look)
             for part in beat.parts or ("",)}
    found = {part: _stretch(trace, card, moment, look) for part, card in cards.items()
             if not beat.parts or _part_of(card) == part}
    return replace(plain, stretches=tuple(stretch for stretch in found.values() if stretch is not None))


def _marches(layer: Layer) -> bool:
    """Whether a window can march over it; steps are walked through in the timeline."""
    return layer.output.ndim >= 2 and not layer.inner


def _hands_on(layer: Layer, side: str) -> bool:
    """Whether the card shows what a number hands to its weights and inputs: where it is a sum of weighted inputs."""
    weight = layer.weights.get("weight")
    return side != "arrives" and weight is not None and weight.ndim >= 2 and \
        kinds.role(layer) == "weighted"


def _reason(layer: Layer, error: LookupError) -> str:
    if layer.is_input:
        return tr("This is what was fed in")
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


def _check_inside(layer: Layer, cell: Cell) -> None:
    if any(not 0 <= i < n for i, n in zip(cell, layer.shape, strict=True)):
        wanted = ", ".join(f"{axis} 0…{n - 1}" for axis, n in zip(layer.axes, layer.shape, strict=True))
        raise IndexError(f"{layer.name} has no cell {cell}; it has {wanted}.")


# --- which card -----------------------------------------------------------------------------------------------------

@remembered(16)
def _sheet(trace: Trace, card: Card, look: Look) -> Laid:
    """The whole picture of a card, laid out once for all its steps."""
    marks, own = parts.sentence(look, card.sentence), Group(tr("the rest of the card"), about(card))
    frame = Area(24, TOP, look.size[0] - 48, look.size[1] - TOP - 16, look)
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


def _fitting_card(trace: Trace, card: Card, frame: Area) -> Laid:
    if not card.terms:
        return value_card(trace, card, frame)
    name, terms = max(card.terms, key=lambda pair: abs(pair[1].result)) if card.backward and not card.hands_on \
        else card.terms[0]
    taps = terms.taps[0] if terms.taps else None
    kind = kinds.of(trace[name])
    if kind is not None and kind.card == "share" and trace.inputs(trace[name])[0].output.ndim == 1:
        return share_card(trace, card, name, terms, frame)
    if taps is None or not len(taps.values):
        return value_card(trace, card, frame)
    one_number = len(taps.values) == 1 and len(terms.taps) == 1 and kind is not None and kind.card == "curve"
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


def _readers_line(card: Card, frame: Area) -> list[Mark]:
    """Where several layers read this one: what each hands back, and the sum."""
    words = " + ".join(tr("from `{layer}` **{value}**").format(layer=name, value=said(found.result, True, 3))
                       for name, found in card.terms)
    return [Text(frame.x, frame.y + 12, rich(tr("{sum} = {{{value}}}; below, the largest").format(
        sum=words, value=said(card.value, True, 3))), 13, 400, max_width=frame.width)]


# --- the same as a table --------------------------------------------------------------------------------------------

@remembered(16)
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
                words = f"({', '.join(map(str, cell))}){'' if real else ' ' + tr('padding')}"
                rows.append((name, reads, words, value, weight, product))
        if terms.bias is not None:
            rows.append((name, terms.bias_name or tr("bias"), "", 1.0, terms.bias, terms.bias))
        rows.append((name, tr("result"), "", "", "", terms.result))
    if not rows:
        rows.append((card.layer.name, tr("value"), f"{card.cell}", card.value, "", card.value))
    return Table((tr("layer"), tr("reads"), tr("cell"), tr("value"), tr("weight"), tr("product")), tuple(rows))


VIEW = View(
    "microscope", english("Microscope"),
            english("Any number, taken apart into the terms that made it, forwards and backwards."),
    suits=lambda trace: True, draw=draw, telling=weighed, wants=NUMBER, pace=pace, order=13,
    continuous=False, aside=aside,
    knobs=(("card", ("auto", "arrives", "hands")), ("march", ("terms", "positions", "rows"))),
    group=WHOLE, tries=english("Press Shift with an arrow to add term after term, and click a term to open it."),
)
