"""Back-propagation through time, item by item: what each step adds to the gradient of the recurrent weights, and from
which loss the gradient of a step came. The sum of all items is the gradient that training uses; it is checked."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from visualizer.language import counted_as, english, tr
from visualizer.said import Claim, found, said
from visualizer.scene import absence, causes, colour, logchart, numbers, parts, steps
from visualizer.scene.boxes import Box, whole
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Run,
    Scale,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.reading import Reading, layers, reading, shown_layer, step_named, step_said, steps_said
from visualizer.scene.telling import gone_back
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.trace import Arrays, Trace
from visualizer.views import GRADIENTS, View

Values = NDArray[np.float64]
WINDOWS = ("all", "1", "2", "5", "10", "20", "50")
"""The knob `window`: through how many steps a loss goes back, its own among them."""
ORDER = ("1", "2", "5", "10", "20", "50")
DECADES, MATRIX_DECADES = 4, 6
EXACT = 1e-12


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Tiles and bars of G_t over the steps, the matrix of losses and steps, and what a shorter way back leaves."""
    measured = trace.studies.get("bptt")
    if measured is None:
        return logchart.unmeasured(look, tr("Step gradients"),
                                   tr("What each step adds to the gradient of the recurrent weights"))
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    if f"{layer.name}/norms" not in measured:
        return logchart.unmeasured(look, layer.name, "", absence.timeless(layer.name, layer.why))
    shown, place = reading(trace, layer.name), steps.span(reading(trace, layer.name), look)
    norms = np.asarray(measured[f"{layer.name}/norms"], np.float64)
    window = look.knob("window", "all")
    sentence = _sentence(trace, shown, measured, norms, window, moment)
    body = parts.body(look, 112)
    marks = [*parts.sentence(look, sentence), *parts.title(look, layer.name, tr("G: what a step adds to ∂L/∂W_hh"))]
    cut = _within(shown, measured, window)
    tiles: list[Mark] = []
    y = _tiles(shown, measured, norms, cut, place, body.top, moment, trace, look, tiles)
    marks += grouped(Group(tr("what each step adds"), Focus(layer.name, (), "weight_hh")), tiles)
    losses = int(np.count_nonzero(np.any(measured[f"{layer.name}/from"], axis=1)))
    below = 36 + max(40, losses * min(16, place.pitch)) + 84
    high = min(max(60, body.bottom - y - 30 - below), 300)
    bars: list[Mark] = []
    y = _bars(shown, norms, cut, place, y + 10, high, moment, trace, look, bars)
    bars += _checked(shown, measured, y + 20, look)
    marks += grouped(Group(tr("size of what each step adds"), Focus(layer.name)), bars)
    matrix: list[Mark] = []
    _matrix(trace, shown, measured, window, parts.body(look, y + 40).inset(0, 0, 0, 12), moment, place, look, matrix)
    marks += grouped(Group(tr("losses and steps"), Focus(layer.name, (), "from")), matrix)
    still, moving = steps.lane(trace, shown, moment, look, place, at_once=True)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(sentence),
                   table=_table(shown, measured, norms))


def _of(shown: Reading, quantity: str, key: str, *cell: int) -> Claim:
    """The claim of a number that was measured of a layer."""
    return found(quantity, "bptt", f"{shown.layer.name}/{key}", *cell)


def shares(norms: Values, order: list[int]) -> dict[int, float]:
    """The share of the last 1, 5 and 10 steps in the sum of all sizes; steps in the order of reading."""
    total = float(norms.sum()) or 1.0
    return {last: float(norms[order[-last:]].sum()) / total for last in (1, 5, 10)}


def _order(shown: Reading) -> list[int]:
    return list(range(shown.steps))[::-1] if shown.reverse else list(range(shown.steps))


def _within(shown: Reading, measured: Arrays, window: str) -> set[int]:
    """Steps that some loss still reaches through so many steps."""
    split = measured[f"{shown.layer.name}/from"]
    reach = shown.steps if window == "all" else int(window)
    place = {step: at for at, step in enumerate(_order(shown))}
    return {step for step in range(shown.steps) for origin in np.flatnonzero(split[:, step])
            if place[int(origin)] - place[step] < reach}


# --- tiles and bars -------------------------------------------------------------------------------------------------

def _tiles(shown: Reading, measured: Arrays, norms: Values, cut: set[int], place: steps.Span, y: float, moment: Moment,
           trace: Trace, look: Look, marks: list[Mark]) -> float:
    """The upper left corner of each G_t as a tile, all on one logarithmic scale; returns its lower edge."""
    now = steps.current(trace, shown, moment)
    corner = np.asarray(measured[f"{shown.layer.name}/corner"], np.float64)
    cell = whole((place.pitch - 3) / corner.shape[1], look.pixel)
    x = steps.LEFT - 16
    if not cell:
        return y - 10
    tall = cell * float(corner.shape[1])
    top = colour.largest(corner) or 1.0
    shades = colour.magnitude(corner, top * 10.0 ** -DECADES, top)
    scale = Scale("gradient", tr("size of G"),
                  tr("W_hh of {layer}").format(layer=shown.layer.name), top * 10.0 ** -DECADES, top,
                  tr("one scale for all steps"), log=True)
    marks += [Text(x, y + 14, (Run(tr("tile of ")), Run("G", italic=True), Run("t", shift="sub")), 13, 600, "ink",
                   "end"),
              Text(x, y + 30, plain(tr("{shape} corner").format(shape=" × ".join(
                  said(str(corner.shape[at]), *_of(shown, "length of axis", "corner", at)) for at in (1, 2)))), 11, 400,
                   "ink-2", "end")]
    if tall >= 44:
        marks.append(Text(x, y + 44, plain(tr("log, {decades} decades").format(
            decades=said(str(DECADES), "decades", array="size of G"))), 11, 400, "ink-2",
                          "end"))
    for step in range(shown.steps):
        left = place.left(step) + (place.pitch - tall) / 2
        marks.append(Image(left, y, (cell, cell), shades[step][None].copy(), "gradient", indices=(-1,),
                           opacity=(1.0 if step in cut else 0.25) * _arrived(trace, shown, step, moment),
                           focus=Focus(shown.layer.name, (step,)), scale=scale))
    left = place.left(now) + (place.pitch - tall) / 2
    marks.append(Rect(left - 2, y - 2, tall + 4, tall + 4, "", "accent", 2))
    return y + tall


def _bars(shown: Reading, norms: Values, cut: set[int], place: steps.Span, y: float, high: float,
          moment: Moment, trace: Trace, look: Look, marks: list[Mark]) -> float:
    """∥G_t∥ as bars from zero, and what each share of the last steps comes to; returns the lower edge."""
    now = steps.current(trace, shown, moment)
    base, top = y + 18 + high, colour.largest(norms) or 1.0
    x, gap = steps.LEFT - 16, 2.0 if place.pitch >= 8 else 0.0
    marks += [Text(x, base - high + 12, (Run("∥"), Run("G", italic=True), Run("t", shift="sub"), Run("∥")), 13,
                   600,
                   "ink", "end"),
              Text(x, base - high + 28, plain(tr("bars from {zero}").format(zero=said("0", "zero"))), 11, 400,
                   "ink-2", "end"),
              Line(((place.x, base), (place.left(place.count), base)), "rule")]
    for step in range(shown.steps):
        tall = high * float(norms[step]) / top
        if tall >= 0.5:
            marks.append(Rect(place.left(step) + gap, base - tall, place.pitch - 2 * gap, tall, "gradient-mark",
                              radius=1,
                              focus=Focus(shown.layer.name, (step,)),
                              tip=logchart.words(float(norms[step]), None, _of(shown, "value", "norms", step)),
                              opacity=(1.0 if step in cut else 0.25) * _arrived(trace, shown, step, moment)))
    words = logchart.words(float(norms[now]), None, _of(shown, "value", "norms", now))
    half = width(words, 12, 600) / 2
    middle = min(max(place.middle(now), place.x + half), place.left(place.count) - half)
    beneath = [float(norms[step]) for step in range(shown.steps)
               if step == now or abs(place.middle(step) - middle) < half + place.pitch / 2]
    over = base - high * max(beneath) / top - 5  # above its neighbours too, where it is wider than a bar
    marks.append(Text(middle, over, plain(words), 12, 600, "gradient-text", "middle"))
    return base


def _arrived(trace: Trace, shown: Reading, step: int, moment: Moment) -> float:
    """Faint until the gradient has come here, on the way back."""
    return 0.35 + 0.65 * steps.arrived(trace, shown, moment).of(step) if moment.backward else 1.0


def _checked(shown: Reading, measured: Arrays, y: float, look: Look) -> list[Mark]:
    """How far the sum of all items lies from autograd's gradient, and the share of the last steps."""
    name = shown.layer.name
    error = float(measured[f"{name}/error"])
    x = steps.LEFT
    if math.isnan(error):
        words, fill, ink = tr("Σ G could not be compared: autograd gave no gradient of W_hh alone"), "sunk", "ink"
    elif error <= EXACT:
        near = tr("exactly") if error == 0 else tr("to {error}, relative").format(
            error=said(numbers.power(error), *_of(shown, "value", "error")))
        words, fill, ink = tr("Σ G = ∂L/∂W_hh of autograd {said}").format(said=near), "tint", "accent-ink"
    else:
        words, fill, ink = tr("Σ G differs from ∂L/∂W_hh of autograd by {error}").format(
            error=said(numbers.power(error), *_of(shown, "value", "error"))), "sunk", "negative-text"
    wide = width(words, 12, 600) + 20
    marks: list[Mark] = [Rect(x, y - 15, wide, 22, fill, radius=6), Text(x + 10, y, plain(words), 12,
                                                                                 600, ink)]
    norms = np.asarray(measured[f"{name}/norms"], np.float64)
    told = ", ".join(tr("last {count}: {share}").format(
        count=said(str(last), *_of(shown, "so many steps", "norms", last)),
        share=said(numbers.percent(share, 0), *_of(shown, "share of the last steps", "norms", last)))
                     for last, share in shares(norms, _order(shown)).items()
                     if last <= shown.steps)
    room = look.size[0] - x - wide - 30
    text = tr("of Σ ∥G∥, {shares}").format(shares=told)
    if width(text, 12) <= room:
        marks.append(Text(x + wide + 14, y, plain(text), 12, 400, "ink-2"))
    return marks


# --- losses and steps -----------------------------------------------------------------------------------------------

def _matrix(trace: Trace, shown: Reading, measured: Arrays, window: str, box: Box, moment: Moment,
            place: steps.Span, look: Look, marks: list[Mark]) -> None:
    """∥∂L_s/∂h_t∥ of what enters at step s, by losses or by layers above: one row for each s, over the steps t."""
    name = shown.layer.name
    split = np.asarray(measured[f"{name}/from"], np.float64)
    origins = [int(row) for row in np.flatnonzero(split.any(axis=1))]
    if shown.reverse:
        origins = origins[::-1]
    top, high = box.top, box.height
    if not origins or high < 40:
        return
    row = min(16, (high - (64 if high > 150 else 0)) / len(origins))
    row = whole(row, look.pixel) if row >= 2 * look.pixel else row
    x, now = steps.LEFT - 16, steps.current(trace, shown, moment)
    largest = colour.largest(split) or 1.0
    scale = Scale("gradient", tr("size of ∂L/∂h"),
                  tr("{name}, by where it entered").format(name=name), largest * 10.0 ** -MATRIX_DECADES,
                  largest, tr("one scale for all steps"), log=True)
    reach = shown.steps if window == "all" else int(window)
    kept = np.array([[abs(step - origin) < reach for step in range(shown.steps)] for origin in origins])
    shades = np.where(kept, colour.magnitude(split[origins], scale.low, largest), np.uint8(0))
    marks += [Text(x, top + 12, plain(tr("came from")), 13, 600, "ink", "end"),
              Text(x, top + 28, plain(tr("entered at step ↓")), 11, 400, "ink-2", "end")]
    if row * len(origins) >= 44:
        marks.append(Text(x, top + 44, plain(tr("log, {decades} decades").format(
            decades=said(str(MATRIX_DECADES), "decades", array="size of ∂L/∂h"))), 11, 400,
                          "ink-2", "end"))
    outside = ~kept & (split[origins] > 0)
    marks.append(Image(place.x, top, (place.pitch, row), shades[None].copy(), "gradient", indices=(-1,), border="",
                       hatched=outside[None] if outside.any() else None, focus=Focus(name, (), "from"),
                       transposed=True, scale=scale))
    tall = row * len(origins)
    marks.append(Rect(place.x, top, place.pitch * shown.steps, tall, "", "hair", 1))
    marks.append(Rect(place.left(now), top, place.pitch, tall, "", "accent", 1.5))
    right = place.left(place.count) + 8
    marks.append(Text(right, top + 10, plain(step_said(shown, origins[0])), 11, 400, "ink-2"))
    if len(origins) > 1 and tall > 26:
        marks.append(Text(right, top + tall - 2, plain(step_said(shown, origins[-1])), 11, 400, "ink-2"))
    under = top + max(tall, 32)
    if box.bottom - under > 56:
        _truncated(shown, measured, window, under + 12, look, marks)


def _truncated(shown: Reading, measured: Arrays, window: str, y: float, look: Look, marks: list[Mark]) -> None:
    """For every window the size of the weight gradient that is left, and how far it is off."""
    kept = np.asarray(measured[f"{shown.layer.name}/kept"], np.float64)
    useful = [index for index, word in enumerate(ORDER) if index == 0 or int(ORDER[index - 1]) < shown.steps]
    x = steps.LEFT - 16
    marks += [Text(x, y + 12, plain(tr("cut after")), 13, 600, "ink", "end"),
              Text(x, y + 28, plain(tr("size, and error")), 11, 400, "ink-2", "end")]
    each = min(150, (look.size[0] - steps.LEFT - 24) / len(useful))
    for at, index in enumerate(useful):
        left, chosen = steps.LEFT + at * each, ORDER[index] == window
        size, error = float(kept[index, 0]), float(kept[index, 1])
        ink = "accent-ink" if chosen else "ink"
        words = counted_as(int(ORDER[index]), tr("{count} step"), tr("{count} steps"))
        marks += [Text(left, y + 12, plain(words.format(count=_window_words(index))), 12, 600, ink),
                  Rect(left, y + 19, each - 20, 6, "sunk", radius=3),
                  Rect(left, y + 19, max(1.0, (each - 20) * min(1.0, size)), 6, "gradient-mark", radius=3),
                  Text(left, y + 40, plain(f"{_size(shown, size, index)}, {_off(shown, error, index)}"), 11, 400,
                       "ink-2",
                       max_width=each - 8)]


def _window_words(index: int) -> str:
    return said(ORDER[index], "steps of a window", cell=(index,))


def _size(shown: Reading, size: float, index: int) -> str:
    return said(numbers.percent(size, 0), *_of(shown, "value", "kept", index, 0))


def _off(shown: Reading, error: float, index: int) -> str:
    return tr("whole") if error < EXACT else tr("{share} off").format(
        share=said(numbers.percent(error, 0), *_of(shown, "value", "kept", index, 1)))


def _sentence(trace: Trace, shown: Reading, measured: Arrays, norms: Values, window: str, moment: Moment) -> str:
    name, now = shown.layer.name, steps.current(trace, shown, moment)
    if window != "all":
        index = ORDER.index(window)
        size, error = (float(value) for value in measured[f"{name}/kept"][index])
        nothing = tr("Cut after {window} step nothing is lost: no loss reaches further back than that here.") \
            if window == "1" else \
            tr("Cut after {window} steps nothing is lost: no loss reaches further back than that here.")
        return causes.truncation(size, error, int(window), _of(shown, "value", "kept", index, 0),
                                 _of(shown, "value", "kept", index, 1), ("steps of a window", "", (index,), None, "")
                                 ) or nothing.format(window=_window_words(index))
    if moment.backward:
        total = float(measured[f"{name}/total"])
        column = np.asarray(measured[f"{name}/from"], np.float64)[:, now]
        whole = tr("Step {step} adds {{{size}}} to a weight gradient of size {total}; all that arrived here came from "
                   "step {most}.")
        largest = tr("Step {step} adds {{{size}}} to a weight gradient of size {total}; the largest part of what "
                     "arrived here came from step {most}.")
        words = (whole if np.count_nonzero(column) == 1 else largest) if column.any() else \
            tr("Step {step} adds {{{size}}} to a weight gradient of size {total}.")
        most = int(np.argmax(column))
        return words.format(step=step_said(shown, now),
                            size=logchart.words(float(norms[now]), None, _of(shown, "value", "norms", now)),
                            total=said(numbers.significant(total, 2), *_of(shown, "value", "total")),
                            most=said(str(most + 1), *_of(shown, "step from which most came", "from", now)))
    share = shares(norms, _order(shown))
    last = next((last for last in (5, 10, 1) if last < shown.steps), 1)
    late = causes.from_late_losses(share[last], last, _of(shown, "share of the last steps", "norms", last),
                                   _of(shown, "so many steps", "norms", last))
    return late or (
        tr("The gradient of the recurrent weights is the sum of {{{steps} step gradients}}; the largest comes from "
           "{step}.").format(steps=steps_said(shown), step=step_named(shown, int(np.argmax(norms)))))


def _table(shown: Reading, measured: Arrays, norms: Values) -> Table:
    """One row a step: its size, and what reached it from each of the losses."""
    split = np.asarray(measured[f"{shown.layer.name}/from"], np.float64)
    origins = [int(row) for row in np.flatnonzero(split.any(axis=1))]
    rows: list[tuple[str | float | int, ...]] = [
        (step + 1, shown.words[step], float(norms[step]), *(float(split[origin, step]) for origin in origins))
        for step in range(shown.steps)]
    return Table((tr("step"), tr("reads"), "∥G∥",
                  *(tr("from step {step}").format(step=step_said(shown, origin)) for origin in origins)), tuple(rows))


VIEW = View(
    "bptt", english("BPTT"),
            english("What each step adds to the gradient of the recurrent weights, and from which loss it came."),
    suits=lambda trace: "lab" not in trace.studies
    and any("hidden_direct" in layer.inner_gradients and "between" not in layer.settings for layer in layers(trace)),
    draw=draw, telling=gone_back, by_step=True, order=32, knobs=(("window", WINDOWS),), studies=("bptt",),
    group=GRADIENTS, tries=english("Step back from the loss with the left arrow: each step adds its share."),
)
