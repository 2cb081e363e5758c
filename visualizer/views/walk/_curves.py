"""Cards of functions: one number on its curve, and the shares of softmax and the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Terms
from visualizer.scene import numbers
from visualizer.scene.grids import curve
from visualizer.scene.picture import Focus, Line, Mark, Rect, Run, Text, plain, rich
from visualizer.trace import Cell, Layer, Trace
from visualizer.views.walk._card import Card, Frame, known_steps
from visualizer.views.walk._maps import map_pair, way_back


def curve_card(trace: Trace, card: Card, name: str, terms: Terms, frame: Frame, backward: bool) -> list[Mark]:
    """A function of one number: the point on its curve, and the slope that the gradient is multiplied by."""
    s = frame.look.text_scale
    layer = trace[name]
    source = trace.inputs(layer)[0]
    cell = card.cell
    x_in = float(source.output[cell])
    reach = max(2.0, abs(x_in) * 1.25)
    xs = np.linspace(-reach, reach, 121)
    with np.errstate(all="ignore"):  # a function may have places where it is not defined: they are left out
        ys = _sampled(layer, source, cell, xs)
    defined = np.isfinite(ys) & (np.abs(ys) <= 20 * max(1.0, abs(float(layer.output[cell]))))
    xs, ys = xs[defined], ys[defined]
    slope = dict(terms.steps).get("slope")
    if slope is None and backward:
        slope = float(terms.taps[0].weights[0])
    side = min(frame.width * 0.5, frame.height - 70 * s)
    marks = curve(frame.x + 44 * s, frame.y + 16 * s, side, side * 0.8, xs, ys, (x_in, float(layer.output[cell])),
                  slope,
                  frame.look, backward=backward)
    x, y = frame.x + side + 110 * s, frame.y + 40 * s
    lines: list[tuple[str, str, str]] = [("x", f"in, from {source.name}", numbers.significant(x_in, 4)),
                                         ("f(x)", f"out, {layer.name}", numbers.significant(float(layer.output[cell]),
                                                                                            4))]
    if slope is not None:
        lines.append(("f′(x)", "slope here", numbers.significant(slope, 4)))
    if backward and layer.gradient is not None:
        g = float(layer.gradient[cell])
        lines += [("g", f"gradient that reached {layer.name}", numbers.significant(g, 4)),
                  ("g · f′(x)", f"handed to {source.name}", numbers.significant(terms.result, 4))]
    for index, (symbol, words, value) in enumerate(lines):
        last = index == len(lines) - 1
        row = y + index * 56 * s
        marks.append(Text(x, row, (Run(symbol, italic=True),), 16 * s, 500))
        marks.append(Text(x, row + 18 * s, plain(words), 12 * s, 400, "ink-2", max_width=240 * s))
        ink = "gradient-text" if backward and index >= 2 else "accent-ink" if last else "ink"
        marks.append(Text(x + 250 * s, row + 6 * s, plain(value), 20 * s, 600, ink, "end"))
    marks.append(Text(frame.x + 44 * s, frame.y + side * 0.8 + 62 * s, plain(terms.formula), 14 * s, 500, "ink-2"))
    below = y + len(lines) * 56 * s + 8 * s
    taps = replace(terms.taps[0], source=source.name, cells=np.array([cell], dtype=np.int64).reshape(1, -1))
    marks += map_pair(trace, card, taps, frame, x, below, frame.x + frame.width - x, frame.bottom - below, False) \
        if not backward else way_back(trace, card.layer, cell, frame, x, below, 300 * s)
    marks.append(Rect(x - 8 * s, y - 24 * s, 270 * s, 50 * s, focus=Focus(source.name, cell)))
    return marks


def _sampled(layer: Layer, source: Layer, cell: Cell, xs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The layer's function at these points, asked of its own kind: one channel made of the sample points."""
    kind = kinds.of(layer)
    assert kind is not None
    shape = (len(xs),) if layer.output.ndim == 1 else (*((1,) * (layer.output.ndim - 1)), len(xs))
    probe_in = replace(source, output=xs.reshape(shape), gradient=None)
    weights = {key: value if value.size == 1 else value[cell[0]:cell[0] + 1] for key, value in layer.weights.items()}
    probe = replace(layer, output=xs.reshape(shape), gradient=None, weights=weights, weight_gradients={})
    spots = [np.unravel_index(index, shape) for index in range(len(xs))]
    return np.array([kind.terms(probe, (probe_in,), tuple(int(i) for i in spot)).result for spot in spots])


def share_card(trace: Trace, card: Card, name: str, terms: Terms, frame: Frame, backward: bool) -> list[Mark]:
    """Softmax and the losses: logits, shifted by the largest, exponentials, shares; backwards p − label."""
    s = frame.look.text_scale
    layer = trace[name]
    logits = np.asarray(trace.inputs(layer)[0].output, np.float64).ravel()
    shifted = logits - logits.max()
    powers = np.exp(shifted)
    shares = powers / powers.sum()
    target = trace.objective.target
    heads = ["logit z", "z − max", "exp(z − max)", "p = share"]
    columns = [logits, shifted, powers, shares]
    if backward:
        label = np.zeros_like(shares)
        if target is not None:
            label[target] = 1
        heads, columns = ["p", "label y", "p − y"], [shares, label, shares - label]
    shown = list(range(len(logits)))
    if len(shown) > 16:
        shown = sorted(set(np.argsort(-shares)[:15].tolist()) | ({target} if target is not None else set()))
    x, y = frame.x + 70 * s, frame.y + 30 * s
    high = min(34 * s, (frame.height - 130 * s) / len(shown))
    known = known_steps(frame, len(columns) + 1)
    marks: list[Mark] = []
    chosen = card.cell[0] if card.cell else target
    for place, unit in enumerate(shown):
        row = y + 14 * s + place * high
        words = trace.labels[unit] if unit < len(trace.labels) else str(unit)
        strong = unit == chosen
        marks.append(Text(x - 18 * s, row + high / 2 + 4 * s, plain(words), 14 * s, 600 if strong else 400, "ink",
                          "end"))
        if unit == target:
            marks.append(Text(x - 36 * s, row + high / 2 + 4 * s, plain("label"), 12 * s, 600, "accent-ink", "end"))
        if strong:
            marks.append(Rect(x - 12 * s, row - 1, 150 * s * len(columns), high, "tint", radius=4))
        for index, (values, _) in enumerate(zip(columns, heads, strict=True)):
            left = x + index * 150 * s
            if known <= index:
                marks.append(Rect(left, row + 4 * s, 120 * s, high - 9 * s, "hatch", radius=3))
                continue
            last = index == len(columns) - 1
            text = numbers.significant(float(values[unit]), 3)
            ink = "gradient-text" if backward and last else "accent-ink" if last and strong else "ink"
            marks.append(Text(left + 70 * s, row + high / 2 + 4 * s, plain(text), 13 * s, 600 if last else 400, ink,
                              "end"))
        if known >= len(columns):
            top = float(np.abs(columns[-1]).max()) or 1.0
            marks += _bar(float(columns[-1][unit]) / top, x + (len(columns) - 1) * 150 * s + 84 * s, row + high / 2, s,
                          "gradient-mark" if backward else "accent-fill" if strong else "ink-2", backward,
                          Focus(trace.inputs(layer)[0].name, (unit,)))
    for index, head in enumerate(heads):
        marks.append(Text(x + index * 150 * s + 70 * s, y, plain(head), 12 * s, 600, "ink-2", "end"))
    below = y + 14 * s + len(shown) * high + 28 * s
    if not backward:
        marks.append(Text(x - 18 * s, below,
                          rich(f"max = **{numbers.significant(float(logits.max()), 4)}**, the sum of the "
                                                  f"exponentials = **{numbers.significant(float(powers.sum()), 4)}**"),
                          14 * s, 400))
    if layer.output.ndim == 0 and target is not None and not backward:
        marks.append(Text(x - 18 * s, below + 28 * s, rich(
            f"loss = −ln {numbers.significant(float(shares[target]), 4)} = {{{numbers.significant(terms.result, 4)}}}"),
            17 * s, 500))
    if terms.formula:
        marks.append(Text(frame.x + frame.width, frame.bottom - 8 * s, plain(terms.formula), 13 * s, 400, "ink-2",
                          "end"))
    return marks


def _bar(share: float, x: float, middle: float, s: float, fill: str, around_zero: bool, focus: Focus) -> list[Mark]:
    """A bar of −1 … 1 of its track; around the middle where it may be negative."""
    length = (90 if around_zero else 180) * s * abs(share)
    left = x + (90 * s - (length if share < 0 else 0) if around_zero else 0)
    marks: list[Mark] = [Rect(left, middle - 6 * s, max(1.0, length), 12 * s, fill, radius=2, focus=focus)]
    if around_zero:
        marks.append(Line(((x + 90 * s, middle - 9 * s), (x + 90 * s, middle + 9 * s)), "ink"))
    return marks
