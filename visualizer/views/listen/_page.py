"""What the inspector says of a step: the answers if it stopped there, and how it sounds, against a moment before."""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Line, Mark, Path, Picture, Rect, Run, Table, Text, plain
from visualizer.scene.reading import label, step_said
from visualizer.views.listen._rows import chance_said
from visualizer.views.listen._scene import Scene, second, unit

LEFT, WIDTH = 24.0, 280
BEFORE = 0.120
"""Seconds: so much earlier is what the spectrum is compared with."""
BAR = 22.0


def page(sc: Scene) -> Picture | None:
    """Bars of the answers, and the bands now and a moment before; None before anything was heard."""
    if sc.shown is None or sc.step < 0 or sc.moment.backward:
        return None
    of = sc.shown.layer.name
    marks: list[Mark] = [Text(LEFT, 27, (Run(of, mono=True), Run(" " + tr("at {second}{unit}").format(
        second=second(sc, of, sc.step), unit=unit(sc)))), 16, 600, max_width=WIDTH - LEFT - 16)]
    y, rows = 56.0, list[tuple[str | float | int, ...]]()
    found = sc.answers
    if found is not None and sc.step in sc.known:
        marks.append(Text(LEFT, y, plain(tr("This frame says") if found.blank is not None else
                                         tr("Answer if it stopped here")), 13, 600))
        y += 20
        best = int(np.argmax(found.values[sc.step]))
        for index in found.classes:
            value = float(found.values[sc.step][index])
            name = tr("blank") if index == found.blank else said(
                label(sc.trace, index), "label", found.layer or sc.trace.answers[0].layer, (index,))
            ink = "accent" if index == best else "ink-2"
            marks += [Text(LEFT, y + 4, plain(name), 13, 600 if index == best else 400, max_width=54),
                      Rect(LEFT + 62, y - 6, 128, 12, "sunk", radius=2),
                      Rect(LEFT + 62, y - 6, max(0.5, 128 * value), 12, ink, radius=2),
                      Text(WIDTH - 12, y + 4, plain(chance_said(sc, found, index, sc.step, 1)), 12,
                           600 if index == best else 400, "ink", "end")]
            rows.append((label(sc.trace, index), value))
            y += BAR
        y += 12
    marks += _bands(sc, y)
    y += 156
    return Picture((WIDTH, round(y)), tuple(marks), (), sc.look.theme, "window",
                   caption=tr("Step {step}").format(step=step_said(sc.shown, sc.step)),
                   table=Table((tr("answer"), "p"), tuple(rows)))


def _bands(sc: Scene, y: float) -> list[Mark]:
    """The spectrum at the step as bars, that of a moment before as a line."""
    assert sc.now is not None
    seen = sc.seen
    here = seen.clock.frame(sc.now)
    back = round(BEFORE * sc.sound.rate / seen.clock.hop) if sc.sound.rate else 12
    past = here - back
    low, high = float(seen.values.min()), float(seen.values.max())
    wide, tall, top = WIDTH - LEFT - 12, 96.0, y + 14
    count = len(seen.values)

    def level(value: float) -> float:
        return top + tall * (1 - (value - low) / ((high - low) or 1.0))

    each, foot, bars = wide / count, top + tall, []
    for band, value in enumerate(seen.values[:, here].tolist()):
        left, right = LEFT + band * each, LEFT + (band + 0.85) * each
        bars.append(parts.polygon(((left, foot), (right, foot), (right, level(value)), (left, level(value)))))
    marks: list[Mark] = [Text(LEFT, y, plain(tr("What it sounds like now")), 13, 600),
                         Rect(LEFT, top, wide, tall, "sunk"), Path(tuple(bars), fill="ink-2")]
    if past >= 0:
        marks.append(Line(tuple((LEFT + (band + 0.42) * wide / count, level(value))
                                for band, value in enumerate(seen.values[:, past].tolist())), "accent", 1.5))
    ends = ("", "") if seen.hertz is None else tuple(
        tr("{number} Hz").format(number=said(numbers.count(round(float(seen.hertz[band]))), "hertz of a band",
                                             seen.layer or sc.sound.layer, (band % count,))) for band in (0, count - 1))
    marks += [Text(LEFT, top + tall + 14, plain(ends[0]), 11, 400, "ink-2"),
              Text(LEFT + wide, top + tall + 14, plain(ends[1]), 11, 400, "ink-2", "end")]
    if past >= 0 and sc.sound.rate:
        apart = said(numbers.number(1000 * back * seen.clock.hop / sc.sound.rate, 0), "milliseconds before",
                     seen.layer or sc.sound.layer, (back,))
        line = Run(tr("line: {apart} ms earlier").format(apart=apart), color="accent-ink")
        marks.append(Text(LEFT, top + tall + 32, (Run(tr("bars: now") + "; "), line), 12, 400, "ink-2"))
    return marks
