"""Slides of functions: one number on its curve, and the shares of softmax and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Terms
from visualizer.language import tr
from visualizer.said import constants, tick
from visualizer.said import said as claimed
from visualizer.scene import colour, numbers
from visualizer.scene.grids import axis, curve
from visualizer.scene.picture import Focus, Group, Line, Mark, Rect, Run, Text, grouped, plain, rich
from visualizer.scene.reading import label, label_said
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace, remembered
from visualizer.views.microscope._claims import itself
from visualizer.views.microscope._maps import maps_in, marked, way_back
from visualizer.views.microscope._slide import Area, Laid, Slide, about, flown, held, largest, said

SAMPLES = 121
MOST_CLASSES = 16
HANDED = "gradient handed back"
LEAST_COLUMN = 86.0
"""Pixels that a number with a power of ten takes, at a text scale of 1."""


def curve_slide(trace: Trace, slide: Slide, name: str, terms: Terms, frame: Area) -> Laid:
    """A function of one number: the point on its curve, and the slope that the gradient is multiplied by."""
    backward, cell = slide.backward, slide.cell
    layer = trace[name]
    source = trace.inputs(layer)[0]
    x_in, y_out = float(source.output[cell]), float(layer.output[cell])
    slope = dict(terms.met).get("slope")
    if slope is None and backward:
        slope = float(terms.taps[0].weights[0])
    wide, height = frame.width * 0.5 - 44, frame.height - 96
    left = frame.x + frame.width * 0.5 + 64
    room = frame.right - left
    still: list[Mark] = []
    if np.isfinite(x_in) and np.isfinite(y_out):
        low, high, _ = axis(-max(2.0, abs(x_in) * 1.25), max(2.0, abs(x_in) * 1.25))
        xs = np.linspace(low, high, SAMPLES)
        ys = _sampled(layer, source, cell[0] if cell else 0, low, high)
        ys = np.where(np.abs(ys) <= 20 * max(1.0, abs(y_out)), ys, np.nan)  # what is far beyond the point is left out
        found = backward or slide.made
        still += curve(frame.x + 44, frame.y + 26, wide, height, xs, ys, (x_in, y_out) if found else None,
                       slope if found else None, frame.look, backward=backward,
                       names=(tr("x, in from {source}").format(source=source.name),
                              tr("f(x), out of {layer}").format(layer=layer.name)))
    still.append(Text(frame.x + 44, frame.bottom - 14, plain(constants(terms.formula)), 14, 500, "ink-2",
                      max_width=wide * 0.6))
    out = tr("out, {layer}").format(layer=layer.name)
    f_x = claimed(said(y_out, False), "value", layer.name, cell)
    lines = [("x", tr("in, from {source}").format(source=source.name),
              claimed(said(x_in, False), "value", source.name, cell), "ink")]
    if backward:
        lines.append(("f(x)", out, f_x, "ink"))
    if slope is not None and (backward or slide.made):
        lines.append(("f′(x)", tr("slope here"), claimed(said(slope, False), *itself(slope)), "ink"))
    if backward and layer.gradient is not None:
        g = float(layer.gradient[cell])
        lines += [("g", tr("gradient that reached {layer}").format(layer=layer.name),
                   claimed(said(g, True), "gradient", layer.name, cell), "gradient-text"),
                  ("g · f′(x)",
                   tr("handed to {source}").format(source=source.name), claimed(
                       said(terms.result, True), *itself(terms.result)), "gradient-text")]
    if not backward:
        lines.insert(1, ("f(x)", out, f_x, "accent-ink"))
    y, pitch = frame.y + 40, 48
    end = left + min(room, 360)
    result = len(lines) - 1 if backward else 1
    start = result - 1
    for index, (symbol, words, value, ink) in enumerate(lines):
        row = y + index * pitch
        still.append(Text(left, row, (Run(symbol, italic=True),), 16, 500))
        still.append(Text(left, row + 17, plain(words), 12, 400, "ink-2", max_width=room - 120))
        if index == result and not slide.made:
            still.append(Rect(end - 110, row - 12, 110, 22, "hatch", radius=3, focus=about(slide)))
        else:
            still.append(Text(end, row + 6, plain(value), 20, 600, ink, "end"))
    still.append(Rect(left - 8, y - 24, min(room, 360) + 16, pitch, focus=Focus(source.name, cell)))
    if backward:
        still.append(Rect(left - 8, y + start * pitch - 24, min(room, 360) + 16, pitch, focus=Focus(layer.name, cell)))
    below = y + len(lines) * pitch
    if backward:
        still += way_back(trace, slide.layer, cell, frame, left, below + 20, min(room, 360)) if slide.made else []
    else:
        maps = [marked(source, cell, tr("read from")), marked(layer, cell, tr("stands in"), made=slide.made)]
        still += maps_in(trace, maps, frame, left, below, room, frame.bottom - below)
    term = held(trace, slide, terms.taps[0]).at(0)
    words = "" if term is None else said(term.product, backward, 3)

    def after(at: float) -> list[Mark]:
        return flown(term, (end - 55, y + start * pitch), (end - 55, y + result * pitch - 1), words,
                     "gradient-text" if backward else "ink", at)

    return Laid(tuple(still), 1, after)


@remembered(64)
def _sampled(layer: Layer, source: Layer, channel: int, low: float, high: float) -> NDArray[np.float64]:
    """The layer's function between two points, asked of its own kind: one channel made of the sample points."""
    kind = kinds.of(layer)
    assert kind is not None
    xs = np.linspace(low, high, SAMPLES)
    shape = (len(xs),) if layer.output.ndim <= 1 else (*((1,) * (layer.output.ndim - 1)), len(xs))
    probe_in = replace(source, output=xs.reshape(shape), gradient=None)
    weights = {key: value if value.size == 1 else value[channel:channel + 1] for key, value in layer.weights.items()}
    probe = replace(layer, output=xs.reshape(shape), gradient=None, weights=weights, weight_gradients={})
    spots = [np.unravel_index(index, shape) for index in range(len(xs))]
    with np.errstate(all="ignore"):  # a function may have places where it is not defined: they are left out
        return np.array([kind.terms(probe, (probe_in,), tuple(int(i) for i in spot)).result for spot in spots])


# --- softmax and the losses -----------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Shares:
    """The columns of a table of classes."""

    heads: list[str]
    columns: list[NDArray[np.float64]]
    quantities: list[str]
    """What the numbers of each column claim to be, of the layer that is read."""
    shown: list[int]
    """Which classes, in their order."""
    target: int | None
    chosen: int | None


def share_slide(trace: Trace, slide: Slide, name: str, terms: Terms, frame: Area) -> Laid:
    """Softmax and the losses: logits, shifted by the largest, exponentials, shares; backwards p − label."""
    backward, layer = slide.backward, trace[name]
    logits = np.asarray(trace.inputs(layer)[0].output, np.float64).ravel()
    found = _shares(trace, slide, logits, layer, backward)
    is_loss = layer.output.ndim == 0 and found.target is not None and not backward
    below = 250 if is_loss and frame.height > 620 else 62
    high = min(58, (frame.height - 34 - below) / len(found.shown))
    bar, room = min(260, frame.width * 0.24), 62.0
    if found.target in found.shown:  # the word beside its name may be long in another language
        target = min(60.0, width(label(trace, found.target), 14, 600))
        room = max(room, 10 + width(tr("label"), 12, 600) + target)
    first = frame.x + 8 + room
    found = _narrowed(found, frame.right - bar - 24 - first)
    pitch = (frame.right - bar - 24 - first) / len(found.columns)
    y = frame.y + 20
    last = found.columns[-1]
    still: list[Mark] = [Text(first + (index + 1) * pitch, y, plain(head), 12, 600, "ink-2", "end",
                              max_width=pitch - 8) for index, head in enumerate(found.heads)]
    for place, unit in enumerate(found.shown):
        row = y + 12 + place * high
        middle, strong = row + high / 2, unit == found.chosen
        if strong:
            still.append(Rect(frame.x, row + 2, frame.width, high - 4, "tint", radius=6))
        words = label_said(trace, layer.name, unit)
        still.append(Text(first - 8, middle + 5, plain(words), 14, 600 if strong else 400, "ink", "end",
                          max_width=60))
        if unit == found.target:
            still.append(Text(frame.x + 6, middle + (4 if high < 40 else 5), plain(tr("label")), 12, 600,
                              "accent-ink"))
    if slide.made:
        still += _below(layer, terms, found, logits, is_loss, frame, y + 12 + len(found.shown) * high)
    source = trace.inputs(layer)[0].name
    part = Group(found.heads[-1], Focus(source), cells=True)

    def after(at: float) -> list[Mark]:
        done = int(at)
        marks: list[Mark] = []
        for place, unit in enumerate(found.shown):
            middle = y + 12 + place * high + high / 2
            for index, values in enumerate(found.columns):
                right = first + (index + 1) * pitch
                if done <= index:
                    marks.append(Rect(right - 96, middle - 9, 96, 18, "hatch", radius=3))
                    continue
                final = index == len(found.columns) - 1
                ink = "gradient-text" if backward and final else "accent-ink" if final and unit == found.chosen \
                    else "ink"
                words = _said(float(values[unit]), found.quantities[index], source, unit)
                marks.append(Text(right, middle + 5, plain(words), 14,
                                  600 if final else 400, ink, "end"))
            if done > len(found.columns):
                marks += grouped(part, _bar(float(last[unit]), last, frame.right - bar, middle, bar - 8, backward,
                                            unit == found.chosen, Focus(source, (unit,))))
        return marks

    return Laid(tuple(still), len(found.columns) + 1, after)


def _shares(trace: Trace, slide: Slide, logits: NDArray[np.float64], layer: Layer, backward: bool) -> _Shares:
    kind, picks = kinds.of(layer), kinds.picks_label(layer)
    logarithms = kind is not None and kind.logarithms
    target = kinds.label_of(trace)
    chosen = slide.cell[0] if slide.cell else target
    with np.errstate(all="ignore"):
        if picks and logarithms:  # it reads logarithms of probabilities already
            shares = np.exp(logits)
            heads, columns, quantities = ["ln p", "p"], [logits, shares], ["value", "exponential"]
        else:
            shifted = logits - np.max(logits)
            powers = np.exp(shifted)
            shares = powers / powers.sum()
            heads = [tr("logit z"), "z − max", "exp(z − max)", tr("p, its share")]
            columns = [logits, shifted, powers, shares]
            quantities = ["value", "less the largest", "exponential less the largest", "share by softmax"]
            if logarithms:
                heads, columns = [*heads, "ln p"], [*columns, np.log(shares)]
                quantities.append("logarithm of the share")
    shown = list(range(len(logits)))
    if len(shown) > MOST_CLASSES:
        kept = {index for index in (target, chosen) if index is not None}
        shown = sorted(kept | set(np.argsort(-shares, kind="stable")[:MOST_CLASSES - 2].tolist()))
    if not backward:
        return _Shares(heads, columns, quantities, shown, target, chosen)
    label, came = np.zeros_like(shares), _handed_back(trace, layer, slide.layer, shown)
    if target is not None and target < len(label):
        label[target] = 1
    made = -label if picks and logarithms else shares - label
    as_made = bool(label.any()) and np.allclose(made[shown], came[shown], 1e-3, 1e-5 * largest(came), equal_nan=True)
    if sum(reader.gradient is not None or reader.output.ndim == 0 for reader in trace.readers(slide.layer.name)) == 1 \
            and slide.layer.gradient is not None:
        came = np.asarray(slide.layer.gradient, np.float64).ravel()  # all of it, as it was recorded
    if as_made:
        heads, columns, quantities = ([tr("label y"), "−y"], [label, came], ["label as a number", HANDED]) \
            if picks and logarithms else (["p", tr("label y"), "p − y"], [shares, label, came],
                                          ["share by softmax", "label as a number", HANDED])
    else:  # with smoothing, weights of classes, another loss or a factor it is more than p − y
        heads, columns, quantities = (["ln p", "∂L/∂ ln p"], [logits, came], ["value", HANDED]) \
            if picks and logarithms else (["p", "∂L/∂z"], [shares, came], ["share by softmax", HANDED])
    return _Shares(heads, columns, quantities, shown, target, chosen)


def _handed_back(trace: Trace, reader: Layer, layer: Layer, shown: Sequence[int]) -> NDArray[np.float64]:
    """(class,): what a reader hands back to the shown numbers of a layer; NaN for the others."""
    found = np.full(layer.output.size, np.nan)
    inputs, which = trace.inputs(reader), reader.reads.index(layer.name)
    for unit in shown:
        cell = tuple(int(i) for i in np.unravel_index(unit, layer.shape))
        found[unit] = kinds.handed_back(reader, inputs, which, cell).result
    return found


def _narrowed(found: _Shares, room: float) -> _Shares:
    """Without the shifted logits where the columns would run into each other: they are one subtraction away."""
    if len(found.columns) < 4 or room / len(found.columns) >= LEAST_COLUMN:
        return found
    return replace(found, heads=[found.heads[0], *found.heads[2:]], columns=[found.columns[0], *found.columns[2:]],
                   quantities=[found.quantities[0], *found.quantities[2:]])


def _said(value: float, quantity: str, source: str, unit: int) -> str:
    words = f"{value:.0f}" if quantity == "label as a number" else said(value, quantity == HANDED, 3)
    return claimed(words, quantity, source, (unit,))


def _below(layer: Layer, terms: Terms, found: _Shares, logits: NDArray[np.float64], is_loss: bool, frame: Area,
           y: float) -> list[Mark]:
    """Under the table: what the columns were made with, the formula, and −ln p of the loss as a curve."""
    marks = list[Mark]()
    x = frame.x + 6
    if found.heads[0] == tr("logit z"):
        with np.errstate(all="ignore"):
            total = float(np.exp(logits - logits.max()).sum())
        source = layer.reads[0]
        marks.append(Text(x, y + 24, rich(
            tr("the largest logit is **{largest}**, the sum of the exponentials **{total}**").format(
                largest=claimed(numbers.significant(float(logits.max()), 4), "largest", source),
                total=claimed(numbers.significant(total, 4), "sum of exponentials", source))), 14, 400,
                          max_width=frame.width * 0.62))
    if len(found.shown) < len(logits):
        words = plain(tr("{shown} of {count} classes shown").format(
            shown=tick(str(len(found.shown)), len(found.shown), 0, len(logits)),
            count=claimed(numbers.count(len(logits)), "how many", layer.reads[0])))
        marks.append(Text(x, y + 44, words, 12, 400, "ink-2"))
    if terms.formula:
        marks.append(Text(frame.right, y + 24, plain(constants(terms.formula)), 14, 500, "ink-2", "end",
                          max_width=frame.width * 0.36))
    if not is_loss or found.target is None:
        return marks
    shares = found.columns[-1]
    chance, loss = float(shares[found.target]), float(terms.result)
    if not np.isclose(-np.log(chance), loss, 1e-3, 1e-6):
        return marks  # it is more than that of one class
    recorded = float(layer.output)
    told = tr("loss = −ln {chance} = {{{loss}}}") if np.isclose(recorded, loss, 1e-4, 1e-9) else \
        tr("loss = −ln {chance} ≈ {{{loss}}}")  # as far as its precision goes
    loss_words = rich(told.format(
        chance=claimed(numbers.significant(chance, 4), "share by softmax" if found.heads[0] == tr("logit z") else
                       "exponential", layer.reads[0], (found.target,)),
        loss=claimed(numbers.significant(recorded, 4), "value", layer.name)))
    if frame.bottom - y < 200 or not 0 < chance <= 1:
        return [*marks, Text(x, y + 48, loss_words, 17, 500)]
    xs = np.linspace(0, 1, SAMPLES)
    top = max(4.0, loss * 1.2)
    with np.errstate(divide="ignore"):
        ys = -np.log(xs)
    ys = np.where(ys <= top, ys, np.nan)
    marks.append(Text(x, y + 64, loss_words, 20, 500))
    wide = frame.width * 0.5
    marks += curve(frame.right - wide, y + 60, wide, frame.bottom - y - 100, xs, ys, (chance, loss), None,
                   frame.look, names=(tr("p of the label"), "−ln p"))
    return marks


def _bar(value: float, values: NDArray[np.float64], x: float, middle: float, wide: float, backward: bool,
         strong: bool, focus: Focus) -> Sequence[Mark]:
    """A probability as a bar of 0 … 1; what may be negative around zero, the largest filling its half."""
    high = 14
    marks: list[Mark] = [Rect(x, middle - high / 2, wide, high, "sunk", radius=2, focus=focus)]
    if not np.isfinite(value):
        return marks
    around = bool(np.any(values < 0))
    if around:
        top = colour.largest(values[np.isfinite(values)]) or 1.0
        length = wide / 2 * abs(value) / top
        left = x + wide / 2 - (length if value < 0 else 0)
    else:
        length, left = wide * min(1.0, value), x
    fill = "gradient-mark" if backward else "accent-fill" if strong else "ink-2"
    if length >= 0.5:
        marks.append(Rect(left, middle - high / 2, length, high, fill, radius=2))
    if around:
        marks.append(Line(((x + wide / 2, middle - high / 2 - 2), (x + wide / 2, middle + high / 2 + 2)), "ink"))
    return marks
