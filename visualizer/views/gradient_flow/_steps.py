"""Through time: ∥∂L/∂h_t∥ and ∥∂L/∂c_t∥ step by step back from the loss, what each step keeps, and the half-life."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.decay import ONE_PERCENT, Decay, below, decay
from visualizer.kinds.curves import OF_SIGMOID
from visualizer.language import english, tr
from visualizer.said import Claim, said, tick
from visualizer.said import found as found_in
from visualizer.scene import absence, causes, colour, logchart, numbers, parts, steps
from visualizer.scene.boxes import rows
from visualizer.scene.logchart import Axis, Curve
from visualizer.scene.picture import (
    WHY,
    Focus,
    Group,
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
from visualizer.scene.reading import Reading, reading, step_said, steps_said
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.trace import Arrays, Layer, Trace
from visualizer.views.gradient_flow._layers import precision_said

Values = NDArray[np.float64]
STRIP = 6
"""Decades of the strip of cells."""


@dataclass(frozen=True, eq=False)
class Flowed:
    """Sizes of the gradient in one layer with steps; rows stand where they were read."""

    origin: int
    """The step from which it is followed, from 0."""
    back: tuple[int, ...]
    """The steps from there on in the order in which the gradient reaches them, `origin` first."""
    hidden: Values
    cell: Values | None
    before: Values | None
    """∥∂L/∂h_t∥ before training."""
    alone: bool
    """Whether it is the part of one loss, as shares of what entered; else the whole, in its own size."""
    losses: int
    """At how many steps something entered."""
    layer: str

    def of(self, quantity: str, *places: int, key: str = "hidden") -> Claim:
        """The claim of a number of the curve; of one loss alone it is a share of what entered."""
        if self.alone:
            key = {"hidden": "last", "cell": "last_cell"}[key]
        if quantity == "value" and self.alone:
            quantity, places = "share of one in another", (*places, self.origin)
        return found_in(quantity, "flow", f"{self.layer}/{key}", *places)

    def by_lag(self, values: Values) -> Values:
        return values[list(self.back)]


def draw(trace: Trace, moment: Moment, look: Look, layer: Layer) -> Picture:
    """One layer with steps."""
    shown, measured = reading(trace, layer.name), trace.studies["flow"]
    if f"{layer.name}/hidden" not in measured:
        return logchart.unmeasured(look, layer.name, "", absence.timeless(layer.name, layer.why))
    found = flowed(measured, trace.studies.get("before", {}), shown, look.knob("loss", "last") == "last")
    place = steps.span(shown, look)
    line = decay(found.by_lag(found.hidden)) if found.alone else None
    before = None if found.before is None or not found.alone else decay(found.by_lag(found.before))
    words, number, rest, below = headline(shown, found, line, before)
    chart, foot = rows(parts.body(look, 112), (None, 158), 18)
    kept, why = rows(foot, (None, 34))
    scale = logchart.axis(np.concatenate([values for values in (found.hidden, found.cell, found.before)
                                          if values is not None]), chart.top + 16, chart.bottom)
    whole = f"{words} {number} {rest}".strip().replace(" .", ".").replace("  ", " ")
    size, large = (26, 56) if look.size[0] >= 1000 else (21, 42)
    marks = [*parts.told(look, (words, number, rest), below, size, large),
             *grouped(Group(tr("size of the gradient by step"), Focus(layer.name)),
                      _chart(trace, shown, found, line, scale, moment, place, look)),
             *grouped(Group(tr("what each step keeps"), Focus(layer.name)),
                      _kept(shown, found, kept.top, moment, trace, place, look))]
    marks += grouped(WHY, _why(trace, shown, found, line, before, why.top, look))
    still, moving = steps.lane(trace, shown, moment, look, place, at_once=True)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=f"{whole} {unmarked(below)}",
                   table=_table(shown, found))


def flowed(measured: Arrays, untrained: Arrays, shown: Reading, alone: bool) -> Flowed:
    """What the studies say of one layer: the part of its last loss alone, as a share, or all of it."""
    name = shown.layer.name
    entered = np.flatnonzero(measured[f"{name}/entered"])
    alone = alone and f"{name}/last" in measured
    origin = int((entered.min() if shown.reverse else entered.max()) if len(entered) else shown.entered)
    back = tuple(range(origin, shown.steps)) if shown.reverse else tuple(range(origin, -1, -1))

    def sizes(source: Arrays, state: str, part: str) -> Values | None:
        key = f"{name}/{part if alone else state}"
        if key not in source or len(source[key]) != shown.steps:
            return None
        values = np.asarray(source[key], np.float64)
        if alone:
            values = values / values[origin] if values[origin] > 0 else values
        reached = np.full(len(values), np.nan)
        reached[list(back)] = values[list(back)]
        return reached

    hidden = sizes(measured, "hidden", "last")
    assert hidden is not None
    return Flowed(origin, back, hidden, sizes(measured, "cell", "last_cell"), sizes(untrained, "hidden", "last"), alone,
                  len(entered), name)


def headline(shown: Reading, found: Flowed, line: Decay | None, before: Decay | None) -> tuple[str, str, str, str]:
    """The sentence in three parts, the middle one the large number, and the line under it."""
    lags, by_lag = len(found.back) - 1, found.by_lag(found.hidden)
    step = step_said(shown, found.origin)
    if not np.isfinite(by_lag).any():
        return tr("The gradient is"), numbers.number(float(by_lag[0])), "", tr(
            "Not one step has a size that is a number.")
    if not found.alone:
        largest, smallest = int(np.nanargmax(found.hidden)), int(np.nanargmin(found.hidden))
        return (tr("All losses together:"), "",
                tr("the gradient is largest at step {step}.").format(step=step_said(shown, largest)),
                tr("∥∂L/∂_h_∥ is **{largest}** there and {smallest} at its smallest; where a loss enters at every "
                   "step, the sum hides what becomes of each.").format(
                    largest=said(numbers.significant(float(np.nanmax(found.hidden)), 2),
                                 *found.of("value", largest)),
                    smallest=said(numbers.significant(float(np.nanmin(found.hidden)), 2),
                                  *found.of("value", smallest))))
    if not np.isfinite(by_lag).all():
        beyond = int(np.flatnonzero(~np.isfinite(by_lag))[0])
        return tr("The gradient becomes"), numbers.number(float(by_lag[beyond])), \
            tr("{count} steps back.").format(count=_so_many(beyond)), tr("From there on its size is no number.")
    if not by_lag[0] > 0:
        return tr("No gradient enters"), "", tr("this layer."), tr("Its size is exactly {zero} at every step.").format(
            zero=said("0", *found.of("largest size")))
    small = below(by_lag, ONE_PERCENT)
    end = float(by_lag[-1])
    left = tr("{count} steps back, {{{share}}} of what enters at step {step} is left.").format(
        count=_so_many(lags), share=said(_share(end), *found.of("value", found.back[-1])),
        step=step) if end <= 1 else \
        tr("{count} steps back it is {{{factor} times}} as large as at step {step}.").format(
            count=_so_many(lags), factor=said(numbers.significant(end, 2), *found.of("value", found.back[-1])),
            step=step)
    if small is not None:
        share = ("bound", "", (), None, "next to nothing")
        lag = found.of("lag of the last percent", *found.back)
        left = f"**{causes.crossing(small, ONE_PERCENT, 'step', lag, share)}** {left}"
    told = _told_before(line, before, lags)
    if line is None:
        return tr("{count} steps are").format(count=steps_said(shown)), "", tr("too few for a half-life."), left + told
    if not line.decays:
        lasts = tr("does not decay in these {count} steps.").format(count=_so_many(lags))
        return tr("The gradient"), "", lasts, left + told
    half = said(numbers.significant(line.half_life, 2), *found.of("half-life over lags", *found.back))
    return tr("The gradient halves every"), half, tr("steps."), left + told


def _told_before(line: Decay | None, before: Decay | None, lags: int) -> str:
    """` Before training it halved every 1.2 steps.`"""
    if before is None or line is None:
        return ""
    if not before.decays:
        return " " + tr("Before training it did not decay in these {count} steps.").format(count=_so_many(lags))
    return " " + tr("Before training it halved every **{half}** steps.").format(
        half=numbers.significant(before.half_life, 2))


def _so_many(lags: int) -> str:
    """How far one looks back."""
    return tick(numbers.count(lags), lags, 0, lags)


def _share(share: float) -> str:
    """A share of what entered, in percent down to where that is readable."""
    if share >= 1e-4:
        return f"{numbers.significant(share * 100, 2)} %"
    return numbers.power(share) if share > 0 else "0"


# --- the chart ------------------------------------------------------------------------------------------------------

def _chart(trace: Trace, shown: Reading, found: Flowed, line: Decay | None, scale: Axis, moment: Moment,
           place: steps.Span, look: Look) -> list[Mark]:
    name = shown.layer.name
    left, right = place.x, place.left(place.count)
    now = steps.current(trace, shown, moment)
    unit: tuple[Run, ...] = (Run("∥∂L/∂state∥"),)
    unit += (Run(tr(", share of what enters at step {step} (log, {precision})").format(
        step=step_said(shown, found.origin), precision=precision_said(trace))),) if found.alone else (
        Run(tr(" of all losses (log, {precision})").format(precision=precision_said(trace))),)
    marks: list[Mark] = [Text(left, scale.top - 14, unit, 12, 500, "ink-2")]
    percent = scale.y(ONE_PERCENT)
    shaded = found.alone and 10.0 ** scale.low < ONE_PERCENT
    if shaded:
        marks.append(Rect(left, percent, right - left, scale.bottom - percent, "wedge"))
    marks += logchart.grid(scale, left, right, look)
    if shaded:
        marks += [Line(((left, percent), (right, percent)), "ink-2", 1, dashed=True),
                  Text(right + 8, percent + 4, plain(said("1 %", "bound", array="next to nothing")), 11, 600, "ink")]
    marks += _unreached(shown, found, scale, place, look)
    xs = [place.middle(step) for step in range(shown.steps)]
    foci = [Focus(name, (step,)) for step in range(shown.steps)]
    if found.before is not None:
        marks += logchart.curve(xs, found.before, scale, Curve("ink-2", "ink-2", 1.5, True, 0), look)
    if line is not None and found.alone:
        marks += _fit(found, line, scale, place, look)
    dots = 3.0 if place.pitch >= 9 else 0.0
    if found.cell is not None:
        marks += _veiled_curve(trace, shown, moment, xs, found.cell, scale, Curve("ink", "ink", 1.5, False, 0), look,
                               foci, [found.of("value", step, key="cell") for step in range(shown.steps)])
    marks += _veiled_curve(trace, shown, moment, xs, found.hidden, scale, Curve(size=dots, width=2.25), look, foci,
                           [found.of("value", step) for step in range(shown.steps)])
    marks += _names(found, scale.top - 14, left + width(unit, 12, 500) + 28, look)
    return marks + _cursor(found, scale, now, place, look)


def _veiled_curve(trace: Trace, shown: Reading, moment: Moment, xs: list[float], values: Values, scale: Axis,
                  how: Curve,
                  look: Look, foci: list[Focus], claims: list[Claim]) -> list[Mark]:
    """All of a curve; on the way back what the gradient has not reached yet is faint."""
    reach = steps.arrived(trace, shown, moment)
    arrived = np.array([reach.of(step) for step in range(shown.steps)])
    if not moment.backward or arrived.all():
        return logchart.curve(xs, values, scale, how, look, foci, claims=claims)
    there = np.where(arrived > 0, values, np.nan)
    edge = np.flatnonzero(arrived > 0)
    rest = values.copy()
    rest[[step for step in edge if not any(arrived[other] == 0 for other in (step - 1,
                                                                             step + 1) if 0 <= other < len(xs))]] \
        = np.nan
    return [*logchart.veiled(logchart.curve(xs, rest, scale, how, look, foci, claims=claims), 1.0),
            *logchart.curve(xs, there, scale, how, look, foci, claims=claims)]


def _unreached(shown: Reading, found: Flowed, scale: Axis, place: steps.Span, look: Look) -> list[Mark]:
    """Steps after the loss: nothing comes from there."""
    beyond = [step for step in range(shown.steps) if step not in found.back]
    if not beyond:
        return []
    x = place.left(min(beyond))
    return [Rect(x, scale.top, place.left(max(beyond) + 1) - x, scale.bottom - scale.top, "hatch")]


def _fit(found: Flowed, line: Decay, scale: Axis, place: steps.Span, look: Look) -> list[Mark]:
    """The fitted line over its window."""
    logs = np.log(np.maximum(found.by_lag(found.hidden), 1e-300))
    window = slice(line.since, line.until + 1)
    lags = np.arange(line.since, line.until + 1)
    usable = found.by_lag(found.hidden)[window] > 0
    if not usable.any():
        return []
    start = float(np.mean(logs[window][usable] - math.log(line.factor) * lags[usable])) if line.factor > 0 else 0.0
    ends = [(place.middle(found.back[lag]), scale.y(math.exp(start) * line.factor ** lag))
            for lag in (line.since, line.until)]
    return [Line(tuple(ends), "rule", 1.5)]


def _names(found: Flowed, y: float, x: float, look: Look) -> list[Mark]:
    """A key: what the lines are."""
    entries = [("gradient-line", False, "∂L/∂h")]
    if found.cell is not None:
        entries.append(("ink", False, "∂L/∂c"))
    if found.before is not None:
        entries.append(("ink-2", True, tr("before training")))
    if found.alone:
        entries.append(("rule", False, tr("fit")))
    return logchart.key(entries, y, x, look)


def _cursor(found: Flowed, scale: Axis, now: int, place: steps.Span, look: Look) -> list[Mark]:
    x = place.middle(now)
    marks: list[Mark] = [Line(((x, scale.top), (x, scale.bottom)), "accent", 1)]
    value = float(found.hidden[now])
    words = tr("no gradient from this loss") if math.isnan(value) else \
        said(_share(value), *found.of("value", now)) if found.alone and 0 < value < math.inf else \
        logchart.words(value, scale, found.of("value", now))
    y = scale.y(value) if not math.isnan(value) else (scale.top + scale.bottom) / 2
    if not math.isnan(value):
        marks.append(Rect(x - 5, y - 5, 10, 10, "gradient-mark", "stage", 1.5, radius=5))
    wide = width(words, 13, 600)
    anchor, dx = ("end", -9) if x + 12 + wide > place.left(place.count) else ("start", 9)
    up = y - 9 if y - 22 > scale.top else y + 20
    box_x = x + dx - (wide if anchor == "end" else 0)
    marks += [Rect(box_x - 3, up - 13, wide + 6, 18, "stage", radius=3, opacity=0.85),
              Text(x + dx, up, plain(words), 13, 600, "gradient-text", anchor)]
    return marks


# --- what each step keeps -------------------------------------------------------------------------------------------

def kept(found: Flowed) -> Values:
    """(step,): the size at a step as a share of that at the step it came from; NaN where there is none."""
    shares = np.full(len(found.hidden), np.nan)
    for after, here in zip(found.back[:-1], found.back[1:], strict=True):
        if found.hidden[after] > 0:
            shares[here] = found.hidden[here] / found.hidden[after]
    return shares


def _keeps(found: Flowed, step: int) -> Claim:
    """The claim of what a step keeps of the gradient of the one that it came from."""
    return found.of("share of one in another", step, found.back[found.back.index(step) - 1])


def _kept(shown: Reading, found: Flowed, y: float, moment: Moment, trace: Trace, place: steps.Span,
          look: Look) -> list[Mark]:
    """The strip of cells, and under it how much each step keeps."""
    now = steps.current(trace, shown, moment)
    top = float(np.nanmax(found.hidden, initial=0.0)) or 1.0
    shades = colour.magnitude(np.nan_to_num(found.hidden, nan=0.0), top * 10.0 ** -STRIP, top)
    scale = Scale("gradient", english("size of ∂L/∂h"), shown.layer.name, top * 10.0 ** -STRIP, top, log=True)
    x = steps.LEFT - 16
    marks: list[Mark] = [Text(x, y + 16, plain(tr("gradient")), 13, 600, "ink", "end")]
    gap = 1.0 if place.pitch >= 6 else 0.0
    came = steps.arrived(trace, shown, moment)
    for step in range(shown.steps):
        cell = (place.left(step) + gap, y, place.pitch - 2 * gap, 22)
        if step not in found.back:
            marks.append(Rect(*cell, "hatch"))
            continue
        fill = f"gradient:{int(shades[step])}" if shades[step] else ""
        arrived = came.of(step) if moment.backward else 1.0
        marks.append(Rect(*cell, fill, "rule" if gap and not shades[step] else "", 1, True, 2 if gap else 0,
                          focus=Focus(shown.layer.name, (step,)),
                          tip=logchart.words(float(found.hidden[step]), None, found.of("value", step)),
                          opacity=1 - 0.65 * (1 - arrived), scale=scale if fill else None))
    if not gap:
        marks.append(Rect(place.x, y, place.left(place.count) - place.x, 22, "", "rule", 1, True))
    marks.append(Rect(place.left(now), y - 2, place.pitch, 22 + 4, "", "accent", 2, radius=2))
    shares, high, base = kept(found), 44, y + 76
    logs = np.log10(np.where((shares > 0) & (shares < math.inf), shares, 1.0), where=np.isfinite(shares),
                    out=np.zeros(len(shares)))
    reach = max(math.log10(2), float(np.abs(logs).max()))
    one = base - high / 2
    marks += [Text(x, base - 22, plain(tr("kept per step")), 13, 600, "ink", "end"),
              Text(x, base - 6, plain(tr("log, × {low} to {high}").format(
                  low=tick(numbers.significant(10 ** -reach, 1), 10 ** -reach, 0, 1),
                  high=tick(numbers.significant(10 ** reach, 1), 10 ** reach, 0, 10 ** reach))), 11, 400,
                   "ink-2", "end"),
              Line(((place.x, one), (place.left(place.count), one)), "rule"),
              Text(place.left(place.count) + 8, one + 4, plain(f"× {tick('1', 1, 0, 1)}"), 11, 400, "ink-2")]
    for step in range(shown.steps):
        if not math.isfinite(shares[step]):
            continue
        tall = max(1.0, high / 2 * (abs(float(logs[step])) / reach if shares[step] > 0 else 1.0))
        top_y = one - tall if logs[step] > 0 else one
        fill = "hatch" if shares[step] == 0 else "accent" if step == now else "rule"
        marks.append(Rect(place.left(step) + gap, top_y, place.pitch - 2 * gap, tall, fill,
                          tip=logchart.times(float(shares[step]), _keeps(found, step))))
    words = tr("enters here") if now == found.origin else ""
    if math.isfinite(shares[now]):
        words = logchart.times(float(shares[now]), _keeps(found, now))
    if words:
        half = width(words, 12, 600) / 2
        middle = min(max(place.middle(now), place.x + half), place.left(place.count) - half)
        marks.append(Text(middle, base + 16, plain(words), 12, 600, "accent-ink", "middle"))
    return marks


# --- why ------------------------------------------------------------------------------------------------------------

def reasons(trace: Trace, shown: Reading, found: Flowed, line: Decay | None, before: Decay | None) -> Iterator[str]:
    """What the numbers say about why, the most telling first; empty texts are left out by `causes.all_true`."""
    per_step = math.nan if line is None else line.factor
    growth, fit = (found.of(f"{what} over lags", *found.back) for what in ("growth", "fit"))
    name = shown.layer.name
    if line is not None:
        yield tr("Fit over steps {since} to {until} back: × {per_step} a step, R² {fit}.").format(
                  since=tick(str(line.since), line.since, 0, line.until),
                  until=tick(str(line.until), line.until, 0, line.until),
                  per_step=said(numbers.significant(per_step, 3), *growth), fit=said(numbers.number(line.fit), *fit))
        yield causes.uneven(line.fit, fit) if line.decays else ""
        yield causes.explodes(per_step, "step", growth)
    curve = shown.family.quantities["hidden"].curve
    if curve is not None:
        spectrum = trace.studies["flow"].get(f"{name}/spectrum")
        spectral = [found_in("value", "flow", f"{name}/spectrum", at) for at in (0, 1)]
        if curve.flat is not None:
            share = curve.flat.share(shown.states)
            yield causes.half_open(1 - share, ("share above zero inside", name, (), None, "inner.hidden")) \
                if curve.flat.dies else causes.saturated(share, english("units"), english("beyond ±0.9"), (
                    "share far inside", name, (), None, "inner.hidden"))
        if spectrum is not None and line is not None:
            yield causes.large_radius_vanishes(float(spectrum[0]), per_step, 0.0, spectral[0])
            yield causes.bound_is_no_prediction(per_step, float(spectrum[1]), growth, spectral[1])
    for key, title, values in shown.gates:
        if key == shown.family.kept[0]:
            mean, average = float(values.mean()), ("mean", name, (), None, f"inner.{key}")
            yield causes.gate_mean(title.capitalize(), mean, average) or \
                causes.gate_open(title.capitalize(), mean, average)
            if line is not None:
                yield causes.detour(per_step, mean, growth, average)
        yield causes.saturated(OF_SIGMOID.share(values),
                               tr("values of the {gate}").format(gate=title), OF_SIGMOID.rule,
                               ("share far out of a gate", name, (), None, f"inner.{key}"))
    if not shown.gates and before is not None and line is not None:
        yield causes.before_and_after(before.half_life, line.half_life, len(found.back) - 1)


def _why(trace: Trace, shown: Reading, found: Flowed, line: Decay | None, before: Decay | None, y: float,
         look: Look) -> list[Mark]:
    """As many reasons as there is room for, on two lines."""
    told = logchart.because(reasons(trace, shown, found, line, before), steps.LEFT, y,
                            look.size[0] - (steps.LEFT + 24), look)
    return [Text(steps.LEFT - 16, y, plain(tr("why")), 13, 600, "ink", "end"), *told] if told else []


def _table(shown: Reading, found: Flowed) -> Table:
    """One row a step."""
    unit = tr("share of step {step}").format(step=step_said(shown, found.origin)) if found.alone else tr("size")
    columns = [tr("step"), tr("reads"), f"∂L/∂h, {unit}", tr("kept")]
    columns += [f"∂L/∂c, {unit}"] if found.cell is not None else []
    columns += [tr("before training, {unit}").format(unit=unit)] if found.before is not None else []
    shares = kept(found)
    rows: list[tuple[str | float | int, ...]] = []
    for step in range(shown.steps):
        rest = [float(values[step]) for values in (found.cell, found.before) if values is not None]
        rows.append((step + 1, shown.words[step], float(found.hidden[step]), float(shares[step]), *rest))
    return Table(tuple(columns), tuple(rows))
