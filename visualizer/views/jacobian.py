"""What of a state reaches later states: singular values of the product of step Jacobians by lag, bounds, exponents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.decay import below, half_life
from visualizer.language import english, single, tr
from visualizer.said import Claim, found, said, tick
from visualizer.scene import absence, causes, logchart, numbers, parts, steps
from visualizer.scene.boxes import rows
from visualizer.scene.labels import Labels
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
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.reading import Reading, layers, reading, shown_layer, step_said, steps_said
from visualizer.scene.telling import gone_back
from visualizer.scene.timeline import Moment
from visualizer.scene.type import bounds, width
from visualizer.size import norms
from visualizer.trace import Trace
from visualizer.views import GRADIENTS, View

Values = NDArray[np.float64]
ROUNDING = float(np.finfo(np.float64).eps)
"""Singular values below this share of the largest are rounding noise; they are not drawn."""
GONE = 1e-3
FAN = (0.1, 0.25, 0.75, 0.9)
BOTH = 300.0
"""Where the picture is lower than this, at a text scale of 1, the chart has the room of the exponents too."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The chart by lag over the steps, and the Lyapunov exponents under it."""
    measured = trace.studies.get("jacobian")
    if measured is None:
        return logchart.unmeasured(look, tr("Jacobians"), tr("What a state hands on to later states"))
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    if f"{layer.name}/values" not in measured:
        return logchart.unmeasured(look, layer.name, "", absence.timeless(layer.name, layer.why))
    shown = reading(trace, layer.name)
    spread = Spread(np.asarray(measured[f"{layer.name}/values"], np.float64),
                    np.asarray(measured[f"{layer.name}/norms"], np.float64),
                    np.asarray(measured[f"{layer.name}/exponents"], np.float64),
                    None if shown.family.kept[0] else measured.get(f"{layer.name}/spectrum"))
    place = steps.span(shown, look)
    body = parts.body(look, 134)
    both = body.height >= BOTH
    *charts, why = rows(body, (None, 96, 32), 24) if both else rows(body, (None, 32), 36)
    drawn = np.concatenate([spread.largest, spread.median, spread.whole])
    scale = logchart.axis(np.maximum(drawn, 1e-12 * float(np.nanmax(drawn))), charts[0].top, charts[0].bottom)
    lag = lag_of(shown, steps.current(trace, shown, moment))
    sentence = _sentence(shown, spread, lag, moment.backward)
    marks = [*parts.sentence(look, sentence),
             *parts.title(look, layer.name, tr("∂(state after step {last}) / ∂(an earlier state): {count} singular "
                                               "values").format(last=step_said(shown, _last(shown)),
                                                                count=said(str(len(spread.exponents)),
                                                                           *_of(shown, "how many", "exponents"))))]
    marks += grouped(Group(tr("singular values by lag"), Focus(layer.name)),
                     _chart(shown, spread, scale, lag, place, look))
    if both:
        marks += grouped(Group(tr("Lyapunov exponents")),
                         _exponents(shown, spread, charts[1].top, charts[1].bottom, place, look))
    marks += grouped(WHY, _why(shown, spread, why.top, look))
    still, moving = steps.lane(trace, shown, moment, look, place, at_once=True)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(sentence),
                   table=_table(shown, spread))


def _of(shown: Reading, quantity: str, key: str, *cell: int) -> Claim:
    """The claim of a number that was measured of a layer."""
    return found(quantity, "jacobian", f"{shown.layer.name}/{key}", *cell)


class Spread:
    """Singular values by lag, what lies below rounding left out, and what bounds them."""

    def __init__(self, values: Values, per_step: Values, exponents: Values, spectrum: Values | None) -> None:
        self.largest = values[:, 0]
        masked = np.where(values >= ROUNDING * self.largest[:, None], values, np.nan)
        self.values = masked
        self.median = self._quantile(values, 0.5)
        self.fan = {share: self._quantile(values, share) for share in FAN}
        self.whole: Values = norms(values, 1) / math.sqrt(values.shape[1])
        """‖P‖ / ‖1‖ in the Frobenius norm."""
        self.exponents, self.norms = exponents, per_step
        self.radius: float | None = None if spectrum is None else float(spectrum[0])
        self.bound: float | None = None if spectrum is None else float(spectrum[1])
        """Spectral radius of W_hh, and γ σ_max(W_hh), of an RNN: tanh and ReLU have γ = 1. The gates of other cells
        have no such simple bound."""

    def _quantile(self, values: Values, share: float) -> Values:
        """The value that this share of them exceeds, between two where none does exactly; NaN where it is rounding
        noise."""
        at = np.quantile(values, 1 - share, axis=1)
        return np.where(at >= ROUNDING * self.largest, at, np.nan)

    @property
    def exponent(self) -> float:
        return float(self.exponents[0])


def _last(shown: Reading) -> int:
    return 0 if shown.reverse else shown.steps - 1


def lag_of(shown: Reading, step: int) -> int:
    """How many steps before the last one a step is."""
    return step if shown.reverse else shown.steps - 1 - step


def _x(shown: Reading, lag: int, place: steps.Span) -> float:
    """Where the state `lag` steps before the last one stands; that before the first step at the edge."""
    step = lag if shown.reverse else shown.steps - 1 - lag
    return min(max(place.middle(step), place.x), place.left(place.count))


# --- the chart ------------------------------------------------------------------------------------------------------

def _chart(shown: Reading, spread: Spread, scale: Axis, lag: int, place: steps.Span, look: Look) -> list[Mark]:
    xs = [_x(shown, at, place) for at in range(len(spread.largest))]
    left, right = place.x, place.left(place.count)
    marks: list[Mark] = logchart.grid(scale, left, right, look)
    for share in FAN:
        marks += logchart.curve(xs, _on(scale, spread.fan[share]), scale, Curve("rule", "rule", 1, False, 0), look)
    if spread.bound is not None:
        marks += _bounding(xs, np.power(spread.bound, np.arange(len(xs))), scale, "ink-2", look)
    stretched: Values = np.cumprod(np.concatenate([[1.0], _back(shown, spread.norms)]))
    marks += _bounding(xs, stretched, scale, "rule", look)
    marks += logchart.curve(xs, spread.whole, scale, Curve("positive-bar", "positive-bar", 1.5, False, 0), look)
    marks += logchart.curve(xs, _on(scale, spread.median), scale, Curve("ink-2", "ink-2", 2, False, 0), look)
    dots = 2.5 if place.pitch >= 9 else 0.0
    marks += logchart.curve(xs, spread.largest, scale, Curve("ink", "ink", 2.25, False, dots), look,
                            claims=[_of(shown, "value", "values", at, 0) for at in range(len(xs))])
    masked = np.flatnonzero(np.isnan(spread.median))
    entries = [("ink", False, tr("largest")), ("positive-bar", False, tr("all, Frobenius")),
               ("ink-2", False, tr("median")),
               ("rule", False, said("10, 25, 75, 90 %", "shares of singular values"))]
    if spread.bound is not None:
        entries.append(("ink-2", True, tr("bound {bound} a step").format(
            bound=said(numbers.number(spread.bound), *_of(shown, "value", "spectrum", 1)))))
    marks += logchart.key(entries, scale.top - 16, left, look, 18)
    x = xs[lag]
    marks.append(Line(((x, scale.top), (x, scale.bottom)), "accent", 1))
    labels = Labels((0, scale.top - 22, look.size[0], scale.bottom + 20), 0)
    if len(masked):
        words = tr("the median is rounding noise from {count} steps back on").format(
            count=said(str(masked[0]), *_of(shown, "lag from which the median is rounding noise", "values")))
        wide = width(words, 11)
        note = Text(left + 8, scale.bottom - 8, plain(words), 11, 400, "ink-2")
        marks += [Rect(left + 4, scale.bottom - 20, wide + 8, 16, "stage", radius=3), note]
        labels.take(bounds(note))
    for row, ink, what in ((spread.largest, "ink", "largest"), (spread.median, "ink-2", "median")):
        value = float(row[lag])
        if math.isnan(value):
            continue
        above = scale.y(value) - 22 > scale.top - 12
        heights = [scale.y(value) - 8 if above else scale.y(value) + 20]
        heights += [scale.y(value) - 28] if ink == "ink" else []
        words = logchart.words(value, scale, _of(shown, what, "values", lag))
        wide = width(words, 12, 600)
        at = x + 7 if x + 12 + wide < right else x - 7 - wide
        for text in labels.put(words, [(at, y, "start") for y in heights], 12, 600, ink):
            marks += [Rect(at - 3, text.y - 12, wide + 6, 16, "stage", radius=3, opacity=0.85), text]
    return marks


def _on(scale: Axis, values: Values) -> Values:
    """As far as it stays above the floor: the fan leaves the chart there."""
    return np.where(values >= scale.floor, values, np.nan)


def _back(shown: Reading, norms: Values) -> Values:
    """Rows by lag, the last step first."""
    return norms if shown.reverse else norms[::-1]


def _bounding(xs: list[float], bound: NDArray[np.floating[Any]], scale: Axis, ink: str, look: Look) -> list[Mark]:
    """A bound, as far as it stays on the chart: it ends where it leaves."""
    inside = bound <= 10.0 ** scale.high * (1 + 1e-9)
    count = len(bound) if inside.all() else int(np.argmin(inside))
    points = tuple((xs[at], scale.y(float(bound[at]))) for at in range(count))
    return [Line(points, ink, 1.5, dashed=True)] if len(points) > 1 else []


# --- exponents ------------------------------------------------------------------------------------------------------

def _exponents(shown: Reading, spread: Spread, top: float, bottom: float, place: steps.Span, look: Look) -> list[Mark]:
    """All Lyapunov exponents as bars, the largest first, from zero; what lies below the strip is cut at its edge."""
    known = spread.exponents[np.isfinite(spread.exponents)]
    if not len(known):
        return []
    high, low = max(0.0, float(known.max())), max(float(known.min()), min(-1.0, 8 * float(known.max())), -6.0)
    low = min(low, -0.1)
    zero = top + (bottom - top) * high / (high - low)
    x = steps.LEFT - 16
    wide = place.left(place.count) - place.x
    each = wide / len(spread.exponents)
    marks: list[Mark] = [
        Text(x, top + 12, plain(tr("Lyapunov")), 13, 600, "ink", "end"),
        Text(x, top + 28, plain(tr("exponents")), 13, 600, "ink", "end"),
        Text(x, top + 44, plain(tr("log factor, a step")), 11, 400, "ink-2", "end"),
        Line(((place.x, zero), (place.x + wide, zero)), "rule"),
        Text(place.x + wide + 8, zero + 4, plain(tick("0", 0, low, high)), 11, 400, "ink-2"),
        Text(place.x + wide + 8, bottom + 2, plain(tick(numbers.number(low, 1), low, low, high)), 11, 400, "ink-2"),
    ]
    for index, value in enumerate(spread.exponents.tolist()):
        share = min(1.0, max(-1.0, (value if math.isfinite(value) else low) / (high - low)))
        tall = min(abs(share) * (bottom - top), bottom - zero if value < 0 else zero - top)
        if tall < 0.5:
            continue
        ink = "accent" if index == 0 else "rule" if value < 0 else "gradient-mark"
        broad = each - 1 if each > 3 else max(0.5, each)
        marks.append(Rect(place.x + index * each, zero if value < 0 else zero - tall, broad, tall, ink))
    return marks


def _why(shown: Reading, spread: Spread, y: float, look: Look) -> list[Mark]:
    gone = below(spread.whole, GONE)
    decays = -math.inf < spread.exponent < 0
    words = tr("Largest exponent {exponent}: {factor} a step, half-life {half} steps.") if decays else \
        tr("Largest exponent {exponent}: {factor} a step; it does not decay.")
    half = half_life(math.exp(spread.exponent)) if decays else math.inf
    least = said(numbers.percent(GONE), "bound", array="a state is gone")
    growth = _of(shown, "growth of an exponent", "exponents", 0)
    told = [words.format(exponent=said(numbers.signed(spread.exponent, 3), *_of(shown, "value", "exponents", 0)),
                         factor=logchart.times(math.exp(spread.exponent), growth),
                         half=said(numbers.significant(half, 2), *_of(shown, "half-life of an exponent", "exponents",
                                                                      0))),
            tr("Memory by the Frobenius norm, to {least}: {gone} steps.").format(
                least=least, gone=said(str(gone), *_of(shown, "lag at which a state is gone", "values")))
            if gone is not None else tr("More than {least} of the whole reaches across all {steps} steps.").format(
                least=least, steps=steps_said(shown))]
    kept = math.exp(spread.exponent)
    told.append(causes.must_vanish(float(spread.norms.max()), _of(shown, "largest", "norms")))
    if spread.radius is not None and spread.bound is not None:
        peak = int(np.argmax(spread.largest))
        radius, bound = (_of(shown, "value", "spectrum", at) for at in (0, 1))
        told += [causes.grows_first(spread.radius, spread.bound, float(spread.largest[peak]), peak, radius, bound,
                                    _of(shown, "largest", "values"), _of(shown, "place of the largest", "values", 0)),
                 causes.large_radius_vanishes(spread.radius, kept, 0.0, radius),
                 causes.bound_is_no_prediction(kept, spread.bound, growth, bound)]
    return [Text(steps.LEFT - 16, y, plain(tr("why")), 13, 600, "ink", "end"),
            *logchart.because(told, steps.LEFT, y, look.size[0] - (steps.LEFT + 24), look)]


def _sentence(shown: Reading, spread: Spread, lag: int, backward: bool) -> str:
    lags = len(spread.largest) - 1
    peak = int(np.argmax(spread.largest))

    def largest(at: int) -> str:
        return said(numbers.significant(float(spread.largest[at]), 2), *_of(shown, "value", "values", at, 0))

    def together(at: int) -> str:
        return said(numbers.significant(float(spread.whole[at]), 2), *_of(shown, "root mean square", "values", at))

    if backward and lag:
        words = tr("A gradient {count} step back from step {last} is stretched at most {{{factor} times}}, whichever "
                  "way it points; the average one to {average}.") if single(lag) else \
            tr("A gradient {count} steps back from step {last} is stretched at most {{{factor} times}}, whichever "
               "way it points; the average one to {average}.")
        return words.format(count=said(str(lag), "how many steps before the last", shown.layer.name,
                                       step=lag if shown.reverse else shown.steps - 1 - lag),
                            last=step_said(shown, _last(shown)), factor=largest(lag), average=together(lag))
    if spread.largest[peak] > 1.01 and peak < lags and spread.largest[-1] < 1:
        words = tr("What the state hands on grows to {{{top} times}} over {count} step first, then falls to {end} "
                  "over all {all}.") if single(peak) else \
            tr("What the state hands on grows to {{{top} times}} over {count} steps first, then falls to {end} "
               "over all {all}.")
        return words.format(top=largest(peak), count=said(str(peak), *_of(shown, "place of the largest", "values", 0)),
                            end=largest(lags), all=steps_said(shown))
    return tr("Over {count} steps the strongest direction of the state becomes {{{largest} times}} as long, all "
              "together {whole} times.").format(count=steps_said(shown), largest=largest(lags),
                                                whole=together(lags))


def _table(shown: Reading, spread: Spread) -> Table:
    """One row a lag."""
    rows = tuple((lag, float(spread.largest[lag]), float(spread.median[lag]), float(spread.whole[lag]),
                  math.nan if spread.bound is None else float(spread.bound ** lag))
                 for lag in range(len(spread.largest)))
    return Table((tr("steps back"), tr("largest"), tr("median"), tr("Frobenius, relative"), tr("bound")), rows)


VIEW = View(
    "jacobian", english("Jacobian"),
            english("What of a state reaches later states: singular values by lag, bounds, Lyapunov exponents."),
    suits=lambda trace: "lab" not in trace.studies
    and any("hidden_direct" in layer.inner_gradients and "between" not in layer.settings for layer in layers(trace)),
    draw=draw, telling=gone_back, by_step=True, order=36, studies=("jacobian",),
    group=GRADIENTS, tries=english("Compare it with the network before training: how far back does anything reach?"),
)
