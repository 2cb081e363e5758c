"""Where nonlinearities are flat: how many units are saturated or dead, layer by layer and gate by gate, over a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer.scene import causes, logchart, numbers, parts
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Line, Look, Mark, Picture, Rect, Table, Text, plain, unmarked
from visualizer.scene.timeline import Moment, timeline
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace
from visualizer.views import View

RULES = {"sigmoid": "below 0.05 or above 0.95", "tanh": "beyond ±0.9", "relu": "off"}
GATES = {"input": "input gate", "forget": "forget gate", "output_gate": "output gate", "reset": "reset gate",
         "update": "keep gate", "candidate": "candidate", "new": "candidate", "hidden": "state"}
SIGMOIDS = ("input", "forget", "output_gate", "reset", "update")


@dataclass(frozen=True)
class Row:
    """One nonlinearity of one layer."""

    layer: str
    gate: str
    """Key of the inner array; empty for a layer of its own."""
    kind: str
    """`tanh`, `sigmoid` or `relu`."""
    share: float
    """Of all values of the batch."""
    values: int
    here: float
    """The same for the input on screen alone."""
    dead: int | None = None
    units: int = 0

    @property
    def name(self) -> str:
        return f"{self.layer} {GATES[self.gate]}" if self.gate else self.layer


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """One row a layer or gate: a bar for the batch, a tick for this input, and how many units are dead."""
    measured = trace.studies.get("saturation")
    if measured is None:
        return logchart.unmeasured(look, "Saturation", "How many units are saturated or dead over a batch")
    found = rows(trace)
    if not found:
        return logchart.unmeasured(look, "Saturation", "", "No input of the batch could be run, so nothing is known of "
                                                           "saturation here.")
    s, inputs = look.text_scale, int(measured["inputs"])
    said = sentence(found, inputs, moment)
    words = f"over a batch of {inputs} bundled inputs; the tick is this input alone"
    marks = [*parts.sentence(look, said), *parts.title(look, f"batch: {inputs}", words)]
    marks += _rows(found, inputs, moment, look)
    still, moving = parts.lanes(trace, timeline(trace), moment, look, parts.even_places(trace, look))
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(said),
                   table=_table(found, inputs))


def rows(trace: Trace) -> list[Row]:
    """Everything that the study counted, in the order of the layers."""
    measured, found = trace.studies["saturation"], []
    for layer in trace:
        for key in sorted(measured):
            name, _, what = key.partition(":")
            if what != "share" or name.partition("/")[0] != layer.name:
                continue
            gate = name.partition("/")[2]
            kind = kind_of(layer, gate)
            dead = measured.get(f"{name}:dead")
            found.append(Row(layer.name, gate, kind, float(measured[key]), int(measured[f"{name}:values"]),
                             _here(layer, gate, kind), None if dead is None else int(dead),
                             int(measured.get(f"{name}:units", 0))))
    return found


def kind_of(layer: Layer, gate: str) -> str:
    """Which nonlinearity it is."""
    if not gate:
        return layer.kind
    if gate == "hidden":
        return "relu" if layer.settings.get("nonlinearity") == "relu" else "tanh"
    return "sigmoid" if gate in SIGMOIDS else "tanh"


def _here(layer: Layer, gate: str, kind: str) -> float:
    values = np.asarray(layer.inner[gate] if gate else layer.output, np.float64)
    far = values <= 0 if kind == "relu" else np.abs(values) > 0.9 if kind == "tanh" else (values < 0.05) | (values > 0.95)
    return float(far.mean())


def _rows(found: list[Row], inputs: int, moment: Moment, look: Look) -> list[Mark]:
    s = look.text_scale
    top, bottom = 122 * s, look.size[1] - lanes_height(look) - 36 * s
    pitch = min(36 * s, (bottom - top) / len(found))
    shown = found if pitch >= 19 * s else _around(found, moment, int((bottom - top) / (19 * s)))
    pitch = max(pitch, 19 * s)
    names = max(width(row.name, 13 * s, 600) for row in shown)
    x = min(24 * s + names + 20 * s, look.size[0] * 0.3)
    told = max(width(_told(row), 12 * s) for row in shown)
    track = look.size[0] - x - told - 96 * s
    marks: list[Mark] = []
    for share in (0.0, 0.5, 1.0):
        at = x + track * share
        marks += [Line(((at, top - 4 * s), (at, top + pitch * len(shown))), "hair"),
                  Text(at, top + pitch * len(shown) + 16 * s, plain(numbers.percent(share, 0)), 11 * s, 400, "ink-2", "middle")]
    for index, row in enumerate(shown):
        y, now = top + index * pitch, row.layer == moment.beat.layer
        tall = min(14 * s, pitch - 6 * s)
        focus = Focus(row.layer, (), f"inner.{row.gate}" if row.gate else "output")
        marks += [Text(x - 14 * s, y + tall / 2 + 5 * s, plain(row.name), 13 * s, 600 if now else 500,
                       "accent-ink" if now else "ink", "end", max_width=x - 30 * s),
                  Rect(x, y, track, tall, "sunk", radius=3, focus=focus),
                  Rect(x, y, max(1.0, track * row.share), tall, "accent" if now else "ink-2" if row.kind != "relu" else
                       "rule", radius=3),
                  Line(((x + track * row.here, y - 3 * s), (x + track * row.here, y + tall + 3 * s)), "ink", 2 * s),
                  Text(x + track + 58 * s, y + tall / 2 + 5 * s, plain(numbers.percent(row.share, 0)), 13 * s, 600, "ink",
                       "end"),
                  Text(x + track + 70 * s, y + tall / 2 + 5 * s, plain(_told(row)), 12 * s, 600 if row.dead else 400,
                       "ink" if row.dead else "ink-2")]
    if len(shown) < len(found):
        marks.append(Text(look.size[0] - 24 * s, 97 * s, plain(f"{len(shown)} of {len(found)} rows, around the beat"), 12 * s,
                          400, "ink-2", "end"))
    return marks


def _around(found: list[Row], moment: Moment, count: int) -> list[Row]:
    at = next((index for index, row in enumerate(found) if row.layer == moment.beat.layer), 0)
    start = min(max(0, at - count // 2), len(found) - count)
    return found[start:start + count]


def _told(row: Row) -> str:
    """What the bar counts, and what is dead."""
    if row.dead is None:
        return RULES[row.kind]
    return f"off; {row.dead} of {row.units} dead"


def sentence(found: list[Row], inputs: int, moment: Moment) -> str:
    """The row of the beat's layer, else the worst one; always with the size of the batch."""
    mine = [row for row in found if row.layer == moment.beat.layer]
    dead = [row for row in mine or found if row.dead]
    if dead:
        row = max(dead, key=lambda one: (one.dead or 0) / max(1, one.units))
        return (f"{{{row.dead} of {row.units}}} units of `{row.name}` are dead: off everywhere for every one of {inputs} "
                "inputs, so no gradient passes them.")
    row = max(mine or found, key=lambda one: (one.kind != "relu", one.share))
    if row.kind == "relu":
        return (f"`{row.name}` is off at {{{numbers.percent(row.share, 0)}}} of its values over {inputs} inputs; none of "
                f"its {row.units} units is off for all of them.")
    told = causes.saturated(row.share, f"values of {row.name}", RULES[row.kind])
    return (told.removesuffix(".") + f"; batch of {inputs} inputs.") if told else (
        f"Only {{{numbers.percent(row.share)}}} of the values of {row.name} are saturated ({RULES[row.kind]}) over "
        f"{inputs} inputs.")


def _table(found: list[Row], inputs: int) -> Table:
    """One row a layer or gate."""
    return Table(("layer", "counted", "share", "this input", "dead units", "units", "values", "inputs"),
                 tuple((row.name, RULES[row.kind], row.share, row.here, -1 if row.dead is None else row.dead, row.units,
                        row.values, inputs) for row in found))


def _counts(layer: Layer) -> bool:
    return layer.kind in RULES or (bool(layer.inner) and "step" in layer.axes)


VIEW = View(
    "saturation", "Saturation", "How many units of each layer and gate are saturated or dead, over a batch of inputs.",
    suits=lambda trace: any(_counts(layer) for layer in trace), draw=draw, order=34, continuous=True,
    studies=("saturation",),
)
