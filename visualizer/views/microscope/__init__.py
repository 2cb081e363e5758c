"""The microscope: one number, taken apart into the terms that made it; turned over, into the terms of its gradient.

Every kind of operation gives `Terms`; this view lays them out. Terms that form windows stand as grids, long sums as
tiles and a sorted list, functions of one number as a curve. How far a beat has come is how many terms have been added.
"""

from __future__ import annotations

from dataclasses import replace

from visualizer import kinds
from visualizer.kinds import recurrent
from visualizer.language import english, tr
from visualizer.said import claimed
from visualizer.scene import absence, gatesigns, parts
from visualizer.scene.boxes import Box, split
from visualizer.scene.picture import (
    TITLE,
    Focus,
    Group,
    Look,
    Mark,
    Picture,
    Table,
    Text,
    box_of,
    grouped,
    rich,
    unmarked,
)
from visualizer.scene.subject import NUMBER, is_inner, subject
from visualizer.scene.telling import weighed
from visualizer.scene.timeline import Added, Moment, Pace, Stretch, own_pace
from visualizer.trace import Cell, Layer, Trace, remembered
from visualizer.views import WHOLE, View
from visualizer.views.microscope._claims import itself
from visualizer.views.microscope._curves import curve_slide, share_slide
from visualizer.views.microscope._gates import hands_rows, recurrent_slide, tiles_slide
from visualizer.views.microscope._looks import where_it_looks
from visualizer.views.microscope._slide import Area, Laid, Slide, about, as_windows, said
from visualizer.views.microscope._sums import long_sum_slide, short_slide
from visualizer.views.microscope._values import value_slide
from visualizer.views.microscope._windows import hands_slide, max_slide, window_slide
from visualizer.views.microscope._words import (
    adds_up,
    arrival_sentence,
    forward_sentence,
    hands_sentence,
    inside_arrival_sentence,
    inside_hands_sentence,
    inside_sentence,
    plain_sentence,
    so_far_sentence,
    unknown_gradient,
)

TOP = 60.0
SIDE = 216.0
"""Width of the view of where it looks, which wide pictures carry beside the slide."""
MOST_IN_A_ROW = 5


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The slide of one cell: forwards where its value came from, backwards where its gradient came from and goes.

    Without a focus on the beat's layer it is the cell of the largest value. Raises IndexError for one outside.
    """
    slide = _slide(trace, moment, focus, look)
    sheet = _sheet(trace, slide, look)
    march = look.knob("march", "terms") if _marches(slide.layer) else "terms"
    stretch = _stretch(trace, slide, moment, look)
    at = sheet.pieces if march != "terms" or stretch is None else stretch.at(moment.phase)
    said = slide.sentence
    if at < sheet.pieces:
        sheet = _sheet(trace, _in_the_making(trace, slide), look)
        said = said if slide.hands_on else _so_far(slide, sheet, int(at))
    sentence = parts.sentence(look, said)
    corner = look.size[0] - 36.0
    if slide.key and all(box_of(mark)[0] + box_of(mark)[2] < corner - 20 for mark in sentence):
        sentence += grouped(TITLE, gatesigns.sign(slide.key, corner, 32, 22))
    moving = [*sentence, *sheet.after(at)]
    return Picture(look.size, sheet.still, tuple(moving), look.theme, caption=unmarked(said),
                   table=_table(trace, slide))


@remembered(64)
def _in_the_making(trace: Trace, slide: Slide) -> Slide:
    """The same before all of its terms have been added."""
    return replace(slide, made=False)


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """A beat goes term by term; within a step of a recurrent layer each part does, or only the one that is chosen."""
    beat, layer = moment.beat, trace[moment.beat.layer]
    if beat.step is not None and 1 < beat.step < len(layer.output):  # steps between the first and the last go alike
        beat = replace(beat, step=2)
    return _pace(trace, Moment(beat), focus, look)


def sums(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> tuple[Added, ...]:
    """What the pieces of each slide of a beat come to, one after the other, as it is being filled."""
    beat = moment.beat
    found: list[Added] = []
    for act in beat.acts or ("",):
        slide = _slide(trace, replace(moment, phase=beat.stretch(act)[1]), focus, look)
        stretch = _stretch(trace, slide, moment, look)
        sheet = _sheet(trace, slide, look)
        totals = [sheet.total(done) for done in range(1, sheet.pieces + 1)]
        if (not beat.acts or _act_of(slide) == act) and stretch is not None and stretch.terms == sheet.pieces:
            known = tuple(total for total in totals if total is not None)
            found += [Added(stretch, known)] if len(known) == len(totals) else []
    return tuple(found)


def _so_far(slide: Slide, sheet: Laid, done: int) -> str:
    total = sheet.total(done)
    return so_far_sentence(slide, done, sheet.pieces - 1, "" if total is None else said(total, slide.backward, 3))


def aside(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Where the cell looks: its receptive field, layer by layer, on what was fed in."""
    slide = _slide(trace, moment, focus, look)
    stretch = _stretch(trace, slide, moment, look)
    if stretch is not None and stretch.at(moment.phase) < stretch.terms:
        slide = _in_the_making(trace, slide)
    frame = Area(Box(0, 0, *look.size).inset(12, 8), look)
    return Picture(look.size, tuple(where_it_looks(trace, slide, frame)), (), look.theme, "window",
                   caption=unmarked(slide.sentence if slide.made else so_far_sentence(slide, 0, 0, "")),
                   table=Table((), ()))


# --- which number ---------------------------------------------------------------------------------------------------

def _slide(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Slide:
    about = subject(trace, moment, focus, NUMBER)
    layer, cell = trace[about.layer], about.cell
    if is_inner(about):
        return _slide_inside(trace, layer.name, cell, about.array.removeprefix("inner."), moment.backward,
                             look.knob("card", "auto"))
    _check_inside(layer, cell)
    cell = _marched(layer, cell, moment.phase, look.knob("march", "terms"))
    if moment.backward and layer.gradient is None and kinds.role(layer) == "shares":
        return _slide_of(trace, layer.reads[0], cell, True, "arrives")  # the loss is computed from the logits
    return _slide_of(trace, layer.name, cell, moment.backward, look.knob("card", "auto"))


@remembered(64)
def _slide_of(trace: Trace, name: str, cell: Cell, backward: bool, side: str) -> Slide:
    layer = trace[name]
    if layer.inner and (not backward or side == "hands") and kinds.of(layer) is not None:
        return _slide_inside(trace, name, (0, *cell)[-2:], "hidden", backward, side)
    if not backward:
        value = float(layer.output[cell])
        try:
            found = ((name, kinds.terms(trace, name, cell)),)
        except LookupError as error:
            return Slide(layer, cell, value, (), plain_sentence(trace, layer, cell, value),
                         refusal=_reason(layer, error))
        return Slide(layer, cell, value, found, forward_sentence(trace, layer, cell, value, found[0][1]))
    if layer.gradient is None:
        return Slide(layer, cell, float("nan"), (), absence.unreached(name, layer.why), True,
                     absence.why_not(layer.why))
    value = float(layer.gradient[cell])
    try:
        own = kinds.terms(trace, name, cell) if _hands_on(layer, side) else None
        if own is not None and all(taps.weight_cells is not None for taps in own.taps):  # not if inputs are multiplied
            return Slide(layer, cell, value, ((name, own),), hands_sentence(layer, cell, value), True, hands_on=True)
        arrived = kinds.backward_terms(trace, name, cell)
    except LookupError as error:
        return Slide(layer, cell, value, (), unknown_gradient(layer, cell, value), True, str(error).rstrip("."))
    return Slide(layer, cell, value, arrived, arrival_sentence(trace, layer, cell, value, arrived), True,
                 "" if arrived else tr("the way back starts here"))


@remembered(64)
def _slide_inside(trace: Trace, name: str, cell: Cell, key: str, backward: bool, side: str) -> Slide:
    """The slide of one number of a gate or a state."""
    layer, (step, unit) = trace[name], cell
    try:
        if not backward:
            value = float(layer.inner[key][cell])
            terms = kinds.inner_terms(trace, name, key, step, unit)
            return Slide(layer, cell, value, ((name, terms),), inside_sentence(layer, key, step, unit, value, terms),
                         key=key)
        if key not in layer.inner_gradients:
            return Slide(layer, cell, float("nan"), (), absence.unreached(name, layer.why), True,
                         absence.why_not(layer.why), key=key)
        value = float(layer.inner_gradients[key][cell])
        weighs = recurrent.weighs(layer, key)
        if side == "hands" or (side == "auto" and weighs):
            gate = key.removesuffix("_preactivation")
            own = (name, kinds.inner_terms(trace, name, "new" if key == "hidden_new" else gate, step, unit)) if weighs \
                else (name, kinds.inner_backward_terms(trace, name, key, step, unit))
            return Slide(layer, cell, value, (own,), inside_hands_sentence(layer, key, step, unit, value, weighs), True,
                         hands_on=True, key=key)
        found = ((name, kinds.inner_backward_terms(trace, name, key, step, unit)),)
    except LookupError as error:
        return Slide(layer, cell, value, (), inside_arrival_sentence(layer, key, step, unit, value, ()), backward,
                     str(error).rstrip("."), key=key)
    words = inside_arrival_sentence(layer, key, step, unit, value, found)
    return Slide(layer, cell, value, found, words, True, key=key)


def _act_of(slide: Slide) -> str:
    """Which part of a step makes the number."""
    gate = slide.key.removesuffix("_preactivation")
    return gate if gate in slide.layer.inner else "new" if gate == "hidden_new" else \
        "cell" if "cell" in gate else "hidden"


def _stretch(trace: Trace, slide: Slide, moment: Moment, look: Look) -> Stretch | None:
    """Between which phases of the beat the slide fills, and in how many pieces; None where it stands at once."""
    march = look.knob("march", "terms") if _marches(slide.layer) else "terms"
    terms = _sheet(trace, slide, look).pieces if march == "terms" else _places(slide.layer, march)
    return Stretch(*moment.beat.stretch(_act_of(slide)), terms) if terms else None


@remembered(256)
def _pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    plain, beat = own_pace(moment.beat), moment.beat
    slides = {act: _slide(trace, replace(moment, phase=beat.stretch(act)[1]), focus, look)
              for act in beat.acts or ("",)}
    found = {act: _stretch(trace, slide, moment, look) for act, slide in slides.items()
             if not beat.acts or _act_of(slide) == act}
    return replace(plain, stretches=tuple(stretch for stretch in found.values() if stretch is not None))


def _marches(layer: Layer) -> bool:
    """Whether a window can march over it; steps are walked through in the timeline."""
    return layer.output.ndim >= 2 and not layer.inner


def _hands_on(layer: Layer, side: str) -> bool:
    """Whether the slide shows what a number hands to its weights and inputs: where it is a sum of weighted inputs."""
    weight = layer.weights.get("weight")
    return side != "arrives" and weight is not None and weight.ndim >= 2 and \
        kinds.role(layer) == "weighted"


def _reason(layer: Layer, error: LookupError) -> str:
    if layer.is_input:
        return tr("This is what was fed in")
    return absence.clause(layer.why or str(error))


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


# --- which slide -----------------------------------------------------------------------------------------------------

@remembered(16)
def _sheet(trace: Trace, slide: Slide, look: Look) -> Laid:
    """The whole picture of a slide, laid out once for all its pieces."""
    marks, own = list[Mark](), Group(tr("the rest of the card"), about(slide))
    box = Box(0, 0, *look.size).inset(24, TOP, 24, 16)
    pictured = slide.layer.inner == {} or (trace.layers[0].has("row", "column") and trace.layers[0].output.ndim == 3)
    if look.size[0] >= 1280 and pictured:
        beside, box = split(box, "left", SIDE - 32, 32)
        marks += where_it_looks(trace, slide, Area(beside, look))
    tiled = slide.backward and not slide.hands_on and _many_arrays(slide)
    if len(slide.terms) > 1 and not tiled:
        line, box = split(box, "top", 30)
        marks += _readers_line(slide, Area(line, look)) if slide.made else []
    laid = tiles_slide if tiled else recurrent_slide if slide.key else _fitting_slide
    told = any(isinstance(mark, Text) and mark.plain == tr("How the gradient got here") for mark in marks)
    sheet = laid(trace, slide, Area(box, look, told)).beside(marks)
    return replace(sheet, still=tuple(grouped(own, sheet.still)), after=lambda at: grouped(own, sheet.after(at)))


def _many_arrays(slide: Slide) -> bool:
    """Whether a gradient came as long sums from gates: from all of a step, and from readers beside."""
    taps = [taps for _, terms in slide.terms for taps in terms.taps]
    return sum(len(one.values) for one in taps) > MOST_IN_A_ROW and all(
        adds_up(terms) for _, terms in slide.terms) and any(
        len(terms.taps) > 1 or (terms.taps and terms.taps[0].array.startswith("inner")) for _, terms in slide.terms)


def _fitting_slide(trace: Trace, slide: Slide, frame: Area) -> Laid:
    if not slide.terms:
        return value_slide(trace, slide, frame)
    name, terms = max(slide.terms, key=lambda pair: abs(pair[1].result)) if slide.backward and not slide.hands_on \
        else slide.terms[0]
    taps = terms.taps[0] if terms.taps else None
    kind = kinds.of(trace[name])
    if kind is not None and kind.slide == "share" and trace.inputs(trace[name])[0].output.ndim == 1:
        return share_slide(trace, slide, name, terms, frame)
    if taps is None or not len(taps.values):
        return value_slide(trace, slide, frame)
    one_number = len(taps.values) == 1 and len(terms.taps) == 1 and kind is not None and kind.slide == "curve"
    if one_number and not slide.hands_on and trace.inputs(trace[name])[0].output.shape == trace[name].output.shape:
        return curve_slide(trace, slide, name, terms, frame)
    grid = as_windows(taps) if len(terms.taps) == 1 else None
    if grid is not None and slide.hands_on:
        return hands_slide(trace, slide, taps, grid, frame)
    if grid is not None and terms.op == "max" and grid[0] == 1:
        return max_slide(trace, slide, terms, grid, frame)
    if grid is not None and terms.op == "sum":
        return window_slide(trace, slide, name, terms, grid, frame)
    if len(terms.taps) == 1 and (slide.hands_on or (len(taps.values) > MOST_IN_A_ROW and adds_up(terms))):
        return long_sum_slide(trace, slide, name, terms, frame)
    return short_slide(trace, slide, name, terms, frame)


def _readers_line(slide: Slide, frame: Area) -> list[Mark]:
    """Where several layers read this one: what each hands back, and the sum."""
    words = " + ".join(tr("from `{layer}` **{value}**").format(
        layer=name, value=claimed(said(found.result, True, 3), [itself(found.result)])) for name, found in slide.terms)
    return [Text(frame.x, frame.y + 12, rich(tr("{sum} = {{{value}}}; below, the largest").format(
        sum=words, value=claimed(said(slide.value, True, 3), [
            ("gradient", slide.layer.name, slide.cell, None, f"inner.{slide.key}" if slide.key else "")]))), 13, 400,
                 max_width=frame.width)]


# --- the same as a table --------------------------------------------------------------------------------------------

@remembered(16)
def _table(trace: Trace, slide: Slide) -> Table:
    """One row a term, in the order they are added; or a share that is handed on."""
    if slide.hands_on:
        handed = hands_rows(trace, slide) or [(slide.layer.name, "", f"{slide.cell}", "", slide.value, "")]
        return Table((tr("layer"), tr("handed to"), tr("cell"), tr("factor"), tr("gradient"), tr("share")),
                     tuple(handed))
    rows: list[tuple[str | float | int, ...]] = []
    for name, terms in slide.terms:
        for taps in terms.taps:
            if not len(taps.values):
                continue
            source, array = taps.source, kinds.place(trace, taps, 0)[2]
            read = source if array == "output" else f"{source}/{array}"
            inside = [True] * len(taps.values) if taps.inside is None else taps.inside.tolist()
            for cell, value, weight, product, real in zip(taps.cells.tolist(), taps.values.tolist(),
                                                          taps.weights.tolist(), taps.products.tolist(), inside,
                                                          strict=True):
                words = f"({', '.join(map(str, cell))}){'' if real else ' ' + tr('padding')}"
                rows.append((name, read, words, value, weight, product))
        if terms.bias is not None:
            rows.append((name, terms.bias_name or tr("bias"), "", 1.0, terms.bias, terms.bias))
        rows.append((name, tr("result"), "", "", "", terms.result))
    if not rows:
        rows.append((slide.layer.name, tr("value"), f"{slide.cell}", slide.value, "", slide.value))
    return Table((tr("layer"), tr("reads"), tr("cell"), tr("value"), tr("weight"), tr("product")), tuple(rows))


VIEW = View(
    "microscope", english("Microscope"),
            english("Any number, taken apart into the terms that made it, forwards and backwards."),
    suits=lambda trace: True, draw=draw, telling=weighed, wants=NUMBER, pace=pace, sums=sums, order=13,
    continuous=False, aside=aside,
    knobs=(("card", ("auto", "arrives", "hands")), ("march", ("terms", "positions", "rows"))),
    group=WHOLE, tries=english("Press Shift with an arrow to add term after term, and click a term to open it."),
)
