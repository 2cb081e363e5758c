"""Softmax: exponentials rise from the scores, and are divided by their sum. On the way back each score gets its part.
Over a sequence or a picture this happens at each step or pixel.

Of every exponential that of the largest score is divided out first, so that none is larger than 1; shares are the same.
"""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.answers import Bars
from visualizer.language import tr
from visualizer.motions import CAMERA, SETTLE, Frame, Motion, Setting, _lines, part_of, smooth, window
from visualizer.motions._handed import handed_over
from visualizer.motions._marks import box_of_cells, middle
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import width as text_width
from visualizer.trace import Array, Layer, Trace

RISE, SUM, DIVIDE = 1.1, 0.6, 0.7
"""Seconds in which the exponentials rise, their sum is taken, and each is divided by it."""
MOST_FLYING = 24


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "shares" and layer.output.ndim > 0


def forward(setting: Setting) -> Frame:
    """Bars as long as the exponentials, then as long as the shares."""
    layer, right = setting.layer, setting.right
    if layer.output.ndim > 1:
        return _lines.forward(setting)
    if right.style != "bars" or not setting.left:
        return window.forward(setting)
    powers = exponentials(setting.trace, layer.name)
    total = float(powers.sum())
    rises = [_rise(setting, place, len(right.shown)) for place in range(len(right.shown))]
    grown = np.zeros(len(powers))
    grown[list(right.shown)] = rises
    divided = smooth(part_of(setting.second, CAMERA + RISE + SUM, DIVIDE))
    lengths = powers * grown * (1 + (1 / total - 1) * divided)
    done = sum(rise >= 1 for rise in rises)
    words = tuple(_words(float(powers[unit]), total, float(grown[unit]), divided) for unit in range(len(powers)))
    marks = [*_scores(setting, rises), *_sum(setting, total, divided)]
    return Frame(None, None, tuple(marks), _said(setting, powers, total, done, divided),
                 (len(right.shown), len(right.shown)) if divided >= 1 else (done * 9 // 10, len(right.shown)),
                 tr("{n} of {count} exponentials").format(n=done, count=len(right.shown)),
                 bars=Bars(lengths, words) if setting.second >= CAMERA else None)


def backward(setting: Setting) -> Frame:
    """Score by score, each from its share."""
    if setting.layer.output.ndim > 1:
        return _lines.backward(setting)
    return handed_over(setting, tr("Raising one score raises its share and lowers all others"))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    if layer.output.ndim > 1:
        return _lines.seconds(trace, layer, back)
    return window.seconds(trace, layer, back) if back else CAMERA + RISE + SUM + DIVIDE + SETTLE


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """Each score's part."""
    return None if layer.gradient is None or layer.reads[0] != name else _lines.handed(trace, layer.name)


def exponentials(trace: Trace, name: str) -> Array:
    """e^(z − largest) of every score of a layer of one line, in float64."""
    z = trace.inputs(trace[name])[0].output.astype(np.float64)
    found: Array = np.exp(z - np.max(z))
    return found


def _rise(setting: Setting, place: int, count: int) -> float:
    """How far the exponential of one class has risen: one after the other, each in a third of the time."""
    lasts = RISE * 0.4
    return smooth(part_of(setting.second, CAMERA + (RISE - lasts) * place / max(1, count - 1), lasts))


def _words(power: float, total: float, grown: float, divided: float) -> str:
    if divided >= 1:
        return numbers.percent(power / total, 1)
    return numbers.significant(power, 2) if grown >= 1 and divided <= 0 else ""


def _scores(setting: Setting, rises: list[float]) -> list[Mark]:
    """Each score on its way from its cell to the bar that it raises."""
    left, right, layer = setting.left[0], setting.right, setting.layer
    source = setting.trace[left.layer]
    if left.layer != layer.reads[0] or source.output.ndim != 1 or len(right.shown) > MOST_FLYING:
        return []
    shades, palette = parts.entries(setting.trace, source, setting.look, False)
    marks: list[Mark] = []
    for unit, risen in zip(right.shown, rises, strict=True):
        start, end = box_of_cells(left, source, (unit,), (unit,)), right.box(unit)
        gone = part_of(risen, 0.0, 0.5)
        if start is None or end is None or not 0 < gone < 1:
            continue
        (x, y), (to, down) = middle(start), middle(end)
        at = x + (to - x) * gone, y + (down - y) * gone
        marks.append(Rect(at[0] - 6, at[1] - 6, 12, 12, f"{palette}:{int(shades[unit])}", "ink", 1, radius=6,
                          holds=Flight(Focus(source.name, (unit,)), Focus(layer.name, (unit,)),
                                       float(source.output[unit]), gone)))
    return grouped(Group("scores"), marks)


def _sum(setting: Setting, total: float, divided: float) -> list[Mark]:
    """The sum of all exponentials, under the bars."""
    shown = part_of(setting.second, CAMERA + RISE, 0.2) * (1 - part_of(divided, 0.8, 0.2))
    if shown <= 0:
        return []
    right = setting.right
    words = tr("Σ = {sum}, then ÷ {sum}") if divided > 0 else tr("Σ = {sum}")
    said = words.format(sum=numbers.number(total))
    wide = text_width(said, 13, 600) + 12
    x = min(right.x + right.width / 2 - wide / 2, setting.look.size[0] - 8 - wide)
    y = right.top - 32 if right.top > 140 else right.top + right.height + 8
    return grouped(Group("sum"), [
        Rect(x, y, wide, 22, "stage", "accent", 1.5, radius=5, opacity=shown),
        Text(x + wide / 2, y + 15.5, plain(said), 13, 600, "ink", "middle", opacity=shown)])


def _said(setting: Setting, powers: Array, total: float, done: int, divided: float) -> str:
    layer = setting.layer
    if done == 0:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(
            source=setting.left[0].layer, layer=layer.name)
    if setting.second < CAMERA + RISE:
        return tr("Every score is put into e^(z − largest), so that all are above 0: {{{done} of {count}}}.").format(
            done=done, count=len(setting.right.shown))
    if divided <= 0:
        return tr("Together they are {{{sum}}}.").format(sum=numbers.number(total))
    return tr("Each is divided by the sum {{{sum}}}: now they are shares, and add up to 1.").format(
        sum=numbers.number(total))


MOTION = Motion("softmax", suits, forward, backward, seconds, order=20, hands=hands)
