"""Where nonlinearities are flat: how many units are saturated or dead, layer by layer and gate by gate, over a
batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Flat
from visualizer.kinds.gates import named
from visualizer.language import english, tr, translated
from visualizer.said import said, tick
from visualizer.scene import causes, gatesigns, logchart, numbers, parts
from visualizer.scene.boxes import Box
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import (
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace
from visualizer.views import GRADIENTS, View

Values = NDArray[np.float64]

@dataclass(frozen=True, eq=False)
class Saturated:
    """One nonlinearity of one layer."""

    layer: str
    gate: str
    """Key of the inner array; empty for a layer of its own."""
    flat: Flat
    """Where it is."""
    share: float
    """Of all values of the batch."""
    values: int
    here: float
    """The same for the input on screen alone."""
    on: Values | None = None
    """(unit,): at which share of places a ReLU was on."""
    bins: Values | None = None
    """How many values lie where, of a tanh from −1 to 1, of a sigmoid from 0 to 1."""

    @property
    def units(self) -> int:
        return 0 if self.on is None else len(self.on)

    @property
    def dead(self) -> int | None:
        """How many units of a ReLU were off everywhere for every input."""
        return None if self.on is None else int(np.sum(self.on == 0))

    @property
    def name(self) -> str:
        """In the language that is spoken: `lstm forget gate`."""
        return f"{self.layer} {named(self.gate)}" if self.gate else self.layer


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """One row a layer or gate: a bar for the batch, a tick for this input, and how many units are dead."""
    measured = trace.studies.get("saturation")
    if measured is None:
        return logchart.unmeasured(look, tr("Saturation"), tr("How many units are saturated or dead over a batch"))
    found = rows(trace)
    if not found:
        return logchart.unmeasured(look, tr("Saturation"), "",
                                   tr("No input of the batch could be run, so nothing is known of saturation here."))
    inputs = int(measured["inputs"])
    told = sentence(found, inputs, moment)
    counted = said(str(inputs), "how many inputs", array="saturation")
    words = tr("over a batch of {inputs} inputs; the tick is this input alone").format(inputs=counted)
    words = words if inputs > 1 else tr("of this input alone; from Python, samples=… counts over several")
    marks = [*parts.sentence(look, told), *parts.title(look, tr("batch: {inputs}").format(inputs=counted), words)]
    opened = chosen(found, moment, focus)
    listed: list[Mark] = []
    end = _rows(found, opened, moment, look, listed)
    marks += grouped(Group(tr("layers and gates")), listed)
    about = Focus(opened.layer, (), f"inner.{opened.gate}" if opened.gate else "output")
    marks += grouped(Group(f"{opened.layer} {opened.gate}".strip(), about),
                     _opened(opened, inputs, parts.body(look, end + 44, 84, 84).inset(0, 0, 0, 40)))
    still, moving = lanes(trace, moment, look)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(found, inputs))


def rows(trace: Trace) -> list[Saturated]:
    """Everything that the study counted, in the order of the layers."""
    measured, found = trace.studies["saturation"], []
    for layer in trace:
        for key in sorted(measured):
            name, _, what = key.partition(":")
            if what != "share" or name.partition("/")[0] != layer.name:
                continue
            gate = name.partition("/")[2]
            flat = kinds.flat(layer).get(gate)
            if flat is None:
                continue
            found.append(Saturated(layer.name, gate, flat, float(measured[key]), int(measured[f"{name}:values"]),
                             _here(layer, gate, flat), measured.get(f"{name}:on"), measured.get(f"{name}:bins")))
    return found


def _here(layer: Layer, gate: str, flat: Flat) -> float:
    return flat.share(np.asarray(layer.inner[gate] if gate else layer.output, np.float64))


def chosen(found: list[Saturated], moment: Moment, focus: Focus | None) -> Saturated:
    """The row that is opened: the one in focus, else the worst of the beat's layer, else the worst of all."""
    if focus is not None:
        asked = [row for row in found if row.layer == focus.layer and f"inner.{row.gate}" == focus.array]
        if asked:
            return asked[0]
    layer = moment.beat.layer if focus is None else focus.layer
    mine = [row for row in found if row.layer == layer]
    return max(mine or found, key=lambda row: (row.dead or 0, row.share))


def _rows(found: list[Saturated], opened: Saturated, moment: Moment, look: Look, marks: list[Mark]) -> float:
    """A bar and a tick for each; returns where they end."""
    box = parts.body(look, 122).inset(0, 0, 0, 36)
    top, pitch = box.top, min(36, box.height / len(found))
    shown = found if pitch >= 19 else _around(found, moment, max(1, int(box.height / 19)))
    pitch = max(pitch, 19)
    names = max(width(row.name, 13, 600) for row in shown)
    x = min(24 + names + 20, look.size[0] * 0.3)
    told = max(width(_told(row), 12) for row in shown)
    track = look.size[0] - x - told - 96
    for share in (0.0, 0.5, 1.0):
        at = x + track * share
        marks += [Line(((at, top - 4), (at, top + pitch * len(shown))), "hair"),
                  Text(at, top + pitch * len(shown) + 16, plain(tick(numbers.percent(share, 0), share, 0, 1)), 11,
                       400, "ink-2", "middle")]
    for index, row in enumerate(shown):
        y, now = top + index * pitch, row is opened
        tall = min(14, pitch - 6)
        focus = Focus(row.layer, (), f"inner.{row.gate}" if row.gate else "output")
        if row.gate and (left := x - 14 - min(x - 30, width(row.name, 13, 600)) - 12) > 10:
            marks += gatesigns.sign(row.gate, left, y + tall / 2, 16)
        marks += [Text(x - 14, y + tall / 2 + 5, plain(row.name), 13, 600 if now else 500,
                       "accent-ink" if now else "ink", "end", max_width=x - 30),
                  Rect(x, y, track, tall, "sunk", radius=3, focus=focus),
                  Rect(x, y, max(1.0, track * row.share), tall, "accent" if now else "ink-2" if not row.flat.dies else
                       "rule", radius=3),
                  Line(((x + track * row.here, y - 3), (x + track * row.here, y + tall + 3)), "ink", 2),
                  Text(x + track + 58, y + tall / 2 + 5, plain(_share(row, 0)), 13, 600, "ink", "end"),
                  Text(x + track + 70, y + tall / 2 + 5, plain(_told(row)), 12, 600 if row.dead else 400,
                       "ink" if row.dead else "ink-2")]
    if len(shown) < len(found):
        words = tr("{shown} of {count} rows, around the beat").format(shown=len(shown), count=len(found))
        marks.append(Text(look.size[0] - 24, 97, plain(words),
                          12,
                          400, "ink-2", "end"))
    return top + pitch * len(shown) + 16


def _opened(row: Saturated, inputs: int, box: Box) -> list[Mark]:
    """One row opened: how its values are spread over the batch, or how often each unit is on."""
    left, right, top = box.left, box.right, box.top
    if box.height < 120:
        return []
    base, high = box.bottom - 20, min(box.height - 50, 420)
    heading = (tr("{row}: {values} values of {inputs}") if row.bins is not None else
               tr("{row}: {units} units by how often they are on, over {inputs}")).format(
        row=row.name, units=_units(row) if row.on is not None else "", inputs=_some(inputs),
        values=said(numbers.count(row.values), "how many values are counted", row.layer, array=row.gate))
    marks: list[Mark] = [Text(left, base - high - 16, plain(heading), 13, 600)]
    if row.bins is not None:
        low, top = row.flat.range
        flat = ((low, row.flat.low), (row.flat.high, top))
        marks += [Rect(left + (right - left) * (a - low) / (1 - low), base - high, (right - left) * (b - a) / (1 - low),
                       high,
                       "wedge") for a, b in flat]
        heights, ticks = row.bins / (row.bins.max() or 1), [low, (low + 1) / 2, 1.0]
        words = [tick(numbers.number(at, 1), at, low, 1.0) for at in ticks]
    else:
        assert row.on is not None
        heights = -np.sort(-row.on)
        words = [tr("most often on"), "", tr("dead") if row.dead else tr("least often on")]
    each = (right - left) / len(heights)
    gap = 1.0 if each > 3 else 0.0
    for index, share in enumerate(heights.tolist()):
        x = left + index * each
        if row.on is not None and share == 0:
            marks.append(Rect(x, base - high, each, high, "hatch"))
        elif share * high >= 0.5:
            below_zero = row.flat.range[0] < 0 and index < len(heights) // 2
            ink = "ink-2" if row.on is not None else "negative-bar" if below_zero else "positive-bar"
            marks.append(Rect(x + gap / 2, base - share * high, each - gap, share * high, ink))
    marks.append(Line(((left, base), (right, base)), "rule"))
    for at, (text, anchor) in enumerate(zip(words, ("start", "middle", "end"), strict=True)):
        marks.append(Text(left + (right - left) * at / 2, base + 16, plain(text), 11, 400, "ink-2", anchor))
    if row.on is not None:
        marks += [Text(left - 8, base - high + 8, plain(tick("100 %", 1, 0, 1)), 11, 400, "ink-2", "end"),
                  Text(left - 8, base, plain(tick("0 %", 0, 0, 1)), 11, 400, "ink-2", "end")]
    return marks


def _around(found: list[Saturated], moment: Moment, count: int) -> list[Saturated]:
    at = next((index for index, row in enumerate(found) if row.layer == moment.beat.layer), 0)
    start = min(max(0, at - count // 2), len(found) - count)
    return found[start:start + count]


def _told(row: Saturated) -> str:
    """What the bar counts, and what is dead."""
    if row.dead is None:
        return _rule(row)
    return tr("off; {dead} of {units} dead").format(dead=said(str(row.dead), "how many dead units", row.layer),
                                                    units=_units(row))


def _rule(row: Saturated) -> str:
    """`below 0.05 or above 0.95`."""
    words = translated(row.flat.rule)
    for bound in {abs(bound): bound for bound in (row.flat.high, row.flat.low)}.values():
        number = str(abs(bound))
        words = words.replace(number, said(number, "where a curve is flat", row.layer, (int(bound == row.flat.high),),
                                           array=row.gate))
    return words


def sentence(found: list[Saturated], inputs: int, moment: Moment) -> str:
    """The row of the beat's layer, else the worst one; always with the size of the batch."""
    mine = [row for row in found if row.layer == moment.beat.layer]
    dead = [row for row in mine or found if row.dead]
    if dead:
        row = max(dead, key=lambda one: (one.dead or 0) / max(1, one.units))
        return tr("{{{dead} of {units}}} units of `{row}` are dead: off everywhere for {inputs}, so no gradient "
                  "passes them.").format(
            dead=said(str(row.dead), "how many dead units", row.layer), units=_units(row), row=row.name,
            inputs=_some(inputs))
    row = max(mine or found, key=lambda one: (not one.flat.dies, one.share))
    if row.flat.dies:
        return tr("`{row}` is off at {{{share}}} of its values over {inputs}; none of its {units} units is off "
                  "for all of them.").format(
            row=row.name, share=_share(row, 0), inputs=_some(inputs), units=_units(row))
    rule = _rule(row)
    if causes.saturated(row.share):
        return tr("{{{share}}} of the values of {row} are saturated ({rule}): their slope is near {zero}; batch of "
                  "{inputs}.").format(zero=said("0", "slope far from the middle", row.layer), share=_share(row, 0),
                                      row=row.name, rule=rule, inputs=_some(inputs))
    return tr("Only {{{share}}} of the values of {row} are saturated ({rule}) over {inputs}.").format(
        share=_share(row, 1), row=row.name, rule=rule, inputs=_some(inputs))


def _share(row: Saturated, digits: int) -> str:
    return said(numbers.percent(row.share, digits), "share where a curve is flat", row.layer, array=row.gate)


def _units(row: Saturated) -> str:
    return said(str(row.units), "how many units are counted", row.layer)


def _some(inputs: int) -> str:
    return tr("all of {inputs} inputs").format(inputs=said(str(inputs), "how many inputs", array="saturation")) \
        if inputs > 1 else tr("this one input")


def _table(found: list[Saturated], inputs: int) -> Table:
    """One row a layer or gate."""
    return Table((tr("layer"), tr("counted"), tr("share"), tr("this input"), tr("dead units"), tr("units"),
                  tr("values"), tr("inputs")),
                 tuple((row.name, translated(row.flat.rule), row.share, row.here, -1 if row.dead is None else row.dead,
                        row.units,
                        row.values, inputs) for row in found))


VIEW = View(
    "saturation", english("Saturation"),
            english("How many units of each layer and gate are saturated or dead, over a batch of inputs."),
    suits=lambda trace: "lab" not in trace.studies and any(kinds.flat(layer) for layer in trace), draw=draw, order=34,
            continuous=True,
    studies=("saturation",),
    group=GRADIENTS, tries=english("Look for a gate or a layer that is far out: how was it before training?"),
)
