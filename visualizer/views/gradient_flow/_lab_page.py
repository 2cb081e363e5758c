"""What the inspector says of the laboratory: for each lane what is kept, how fast it goes, and why."""

from __future__ import annotations

import math

import numpy as np

from visualizer import lab as knobs
from visualizer.language import tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Line, Look, Mark, Picture, Rect, Table, Text, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import plain_lines, width
from visualizer.trace import Trace
from visualizer.views.gradient_flow._lab_facts import Lane, Study, counted, reached, share, study, why

LEFT, RIGHT = 24.0, 264.0


def page(trace: Trace, moment: Moment, look: Look) -> Picture | None:
    """One column of facts at the cursor; None where the recording is not of the laboratory."""
    found = study(trace)
    if found is None:
        return None
    back = reached(trace, found, moment).back
    where = (tr("{distance} before the loss") if found.unit == "step" else tr("{distance} below the last")).format(
        distance=counted(back, found.unit))
    marks: list[Mark] = [Text(LEFT, 27, plain(where), 16, 600)]
    rows: list[tuple[str | float | int, ...]] = []
    y = _swept(marks, rows, trace, found, 38.0)
    for lane in found.lanes:
        y = _lane(marks, rows, lane, found, back, y + 28)
    y = _matrix(marks, rows, found, y)
    y = _why(marks, rows, found, y)
    return Picture((280, round(y + 16)), tuple(marks), (), look.theme, "window", caption=where,
                   table=Table((tr("what"), tr("value")), tuple(rows)))


def _lane(marks: list[Mark], rows: list[tuple[str | float | int, ...]], lane: Lane, found: Study, back: int,
          y: float) -> float:
    """Its line and name, what is kept, half-life, where 1 % is passed, and how straight it is."""
    marks += _swatch(lane, y - 5)
    marks += [Text(LEFT + 38, y, plain(translated(lane.name)), 14, 600, lane.ink),
              Text(RIGHT, y, plain(lane.of), 12, 400, "ink-2", "end")]
    kept = tr("Gradient kept") if lane.palette == "gradient" else tr("Of the last layer’s")
    of = translated(lane.name)
    y = _fact(marks, rows, kept, share(float(lane.mean[back])), y + 23, of)
    half = counted(numbers.significant(lane.half, 2), found.unit) if lane.decays else \
        tr("grows × {factor}").format(factor=numbers.number(lane.factor)) if lane.grows else \
        tr("exactly 0") if lane.gone else tr("does not decay")
    y = _fact(marks, rows, tr("Half-life") if lane.palette == "gradient" else tr("Change"), half, y + 22, of)
    if lane.palette == "gradient":
        crossed = counted(lane.one_percent, found.unit) if lane.one_percent is not None else \
            tr("not in {distance}").format(distance=counted(found.count, found.unit))
        y = _fact(marks, rows, tr("Below 1 % after"), crossed, y + 22, of)
    if lane.name == "LSTM":
        y = _fact(marks, rows, tr("Kept of h and c together"), share(found.at("lstm_state.mean", back)), y + 22,
                  lane.name)
    if found.unit == "step" and lane.line is not None:
        fitted = tr("Line fit, steps {since} to {until}, R²").format(since=lane.line.since, until=lane.line.until)
        y = _fact(marks, rows, fitted, numbers.number(lane.line.fit, 4), y + 22, of)
    return y


def _swept(marks: list[Mark], rows: list[tuple[str | float | int, ...]], trace: Trace, found: Study, y: float) -> float:
    """What a sweep found: the factor of every lane over the whole range of one knob; nothing where none was made."""
    sweep = trace.studies.get("sweep")
    if not sweep:
        return y
    knob = knobs.knobs()[int(sweep["knob"])]
    values, factors = np.asarray(sweep["values"]), np.asarray(sweep["factors"])
    top, bottom = y + 34, y + 124
    most = max(1.1, float(np.nanmax(np.where(np.isfinite(factors), factors, np.nan))))
    most = min(most, 2.0)

    def at(value: float, factor: float) -> tuple[float, float]:
        share = (value - knob.low) / (knob.high - knob.low)
        return LEFT + 28 + (RIGHT - LEFT - 28) * share, bottom - (bottom - top) * min(max(factor, 0.0), most) / most

    marks.append(Text(LEFT, y + 20, plain(
        (tr("Kept a step, over all of: {knob}") if found.unit == "step" else
         tr("Kept a layer, over all of: {knob}")).format(knob=translated(knob.title))), 12, 600, "ink-2",
                      max_width=RIGHT - LEFT))
    for tick in (0.0, 0.5, 1.0):
        height = at(knob.low, tick)[1]
        marks += [Line(((LEFT + 28, height), (RIGHT, height)), "rule" if tick == 1 else "hair"),
                  Text(LEFT + 22, height + 4, plain(numbers.short(tick)), 11, 400, "ink-2", "end")]
    for number, lane in enumerate(found.lanes[:factors.shape[1]]):
        points = tuple(at(float(value), float(factor)) for value, factor in zip(values, factors[:, number], strict=True)
                       if np.isfinite(factor))
        if len(points) > 1:
            marks.append(Line(points, lane.token, 2, dashed=lane.style == "dash"))
        rows += [(f"{knob.name} {float(value):g} {lane.name}", float(factor))
                 for value, factor in zip(values, factors[:, number], strict=True)]
    now = getattr(found.lab, knob.name)
    marks.append(Line((at(now, 0), at(now, most)), "accent", 1.5))
    for value, anchor in ((knob.low, "start"), (knob.high, "end")):
        marks.append(Text(at(value, 0)[0], bottom + 16, plain(numbers.short(value)), 11, 400, "ink-2", anchor))
    return bottom + 22


def _matrix(marks: list[Mark], rows: list[tuple[str | float | int, ...]], found: Study, y: float) -> float:
    """What the factors come from."""
    y += 34
    if found.unit == "layer":
        marks.append(Text(LEFT, y, plain(tr("Why the gradient changes")), 13, 600))
        y = _fact(marks, rows, tr("Kept per layer, measured"), numbers.number(found.lanes[0].factor, 3), y + 23)
        flat = tr("Units off") if found.lab.activation == "relu" else tr("Units saturated")
        y = _fact(marks, rows, flat, numbers.percent(found.figure("hidden.saturated"), 0), y + 22)
        spread = numbers.significant(found.figure("spread.last"), 2)
        return _fact(marks, rows, tr("Spread at the last layer"), spread, y + 22)
    marks.append(Text(LEFT, y, plain(tr("Why the RNN grows") if found.lanes[0].grows else tr("Why the RNN shrinks")),
                      13, 600))
    y = _fact(marks, rows, tr("Kept per step, measured"), numbers.number(found.lanes[0].factor), y + 23)
    y = _fact(marks, rows, tr("Bound ∥Jₜ∥, mean"), numbers.number(found.figure("rnn.bound")), y + 22)
    exponent = found.figure("rnn.exponent")
    told = tr("beyond range") if math.isnan(exponent) else numbers.number(exponent) if math.isfinite(exponent) else "−∞"
    y = _fact(marks, rows, tr("Largest Lyapunov exponent"), told, y + 22)
    what = {"tanh": tr("Units beyond ±0.9"), "relu": tr("Units off"),
            "sigmoid": tr("Units saturated")}.get(found.lab.cell)
    if what:
        y = _fact(marks, rows, what, numbers.percent(found.figure("rnn.saturated"), 0), y + 22)
    y = _fact(marks, rows, tr("∥∂L/∂W∥ of the RNN"), numbers.significant(found.figure("rnn.weight_norm"), 2), y + 22)
    return y


def _why(marks: list[Mark], rows: list[tuple[str | float | int, ...]], found: Study, y: float) -> float:
    for sentence in why(found):
        y += 9
        for line in plain_lines(sentence, 13, RIGHT - LEFT, 400):
            y += 19
            marks.append(Text(LEFT, y, plain(line), 13, 400, "ink-2"))
        rows.append((tr("why"), sentence))
    return y


def _fact(marks: list[Mark], rows: list[tuple[str | float | int, ...]], what: str, value: str, y: float,
          of: str = "") -> float:
    marks += [Text(LEFT, y, plain(what), 13, 400, "ink-2", max_width=RIGHT - LEFT - width(value, 13, 600) - 8),
              Text(RIGHT, y, plain(value), 13, 600, "ink", "end")]
    rows.append((f"{of} {what}".strip(), value))
    return y


def _swatch(lane: Lane, y: float) -> list[Mark]:
    """A piece of its line."""
    wide = 3.0 if lane.style == "solid" else 2.25
    marks: list[Mark] = [Line(((LEFT, y), (LEFT + 28, y)), lane.token, wide, dashed=lane.style == "dash")]
    if lane.style == "ring":
        marks.append(Rect(LEFT + 10, y - 4, 8, 8, "stage", lane.token, 1.75, radius=4))
    return marks
