"""Reach: how far it sees. Of a convolution the field of a number on the input, with the gradient inside it; of a
recurrent layer how much its state depends on every step that it has read; both on one axis, the distance."""

from __future__ import annotations

import math

from visualizer import kinds
from visualizer.kinds import reach
from visualizer.kinds.reach import Influence
from visualizer.language import english, tr
from visualizer.scene import parts
from visualizer.scene.boxes import columns, rows
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import Focus, Look, Mark, Picture, Table, unmarked
from visualizer.scene.reading import layers
from visualizer.scene.telling import weighed
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace
from visualizer.views import PARTS, View
from visualizer.views.reach import _axis, _field, _memory

TOP, ROOM_TOP, FOOT, GAP = 92.0, 108.0, 24.0, 30.0
CHART, LOW = 0.36, 310.0
"""Share of the height that the chart has; in less height than this it stands beside the pictures."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """What one number sees at a beat, and below it how strongly by distance; one beat fades into the next."""
    times = timeline(trace)
    before, share = parts.crossing(moment, times)
    body = _crossed(_body(trace, before, focus, look), _body(trace, moment, focus, look), share)
    still, moving = lanes(trace, moment, look)
    told = _sentence(trace, moment, focus)
    return Picture(look.size, (*parts.sentence(look, told), *still), (*body, *moving), look.theme,
                   caption=unmarked(told), table=_table(trace))


def _crossed(before: list[Mark], after: list[Mark], share: float) -> list[Mark]:
    """One picture as it goes over into another; what is the same in both stays as it is."""
    same = set(before) & set(after)
    return [*(mark for mark in after if mark in same),
            *parts.crossed((mark for mark in before if mark not in same),
                           (mark for mark in after if mark not in same), share)]


def _body(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> list[Mark]:
    box = parts.body(look, TOP if look.mode.notes else ROOM_TOP).inset(0, 0, 0, FOOT if look.mode.notes else 0)
    low = box.height < LOW < box.width / 2
    picture, chart = columns(box, (0.55 * box.width, None), GAP) if low else \
        rows(box, (None, max(96.0, CHART * box.height)), GAP)
    state = _memory.at(trace, moment)
    if state is not None:
        found = _memory.influence(trace, state)
        return [*_memory.draw(trace, state, picture, moment, look),
                *_axis.draw(found, _axis.longest(trace, state.layer), chart, state.step - 1, False, tr("steps back"))]
    unit = _field.at(trace, moment, focus)
    found = None if unit is None else _field.influence(trace, unit)
    edge = None if unit is None else _field.edge(trace, unit)
    return [*_field.draw(trace, moment, unit, picture, look),
            *_axis.draw(found, _axis.longest(trace, ""), chart, edge, True, _field.along(trace))]


def _sentence(trace: Trace, moment: Moment, focus: Focus | None) -> str:
    state = _memory.at(trace, moment)
    if state is not None:
        return _memory.sentence(trace, state, moment.backward)
    return _field.sentence(trace, _field.at(trace, moment, focus), moment.backward)


def _table(trace: Trace) -> Table:
    """One row a layer or a step: what it sees, what it uses of that, and its horizon."""
    rows: list[tuple[str | int | float, ...]] = []
    for layer in trace:
        if layer.inner:
            rows += [(layer.name, step, tr("all before"), _far(influence), _of(influence, -1))
                     for step, influence in _memory.all_of(trace, layer.name)]
        else:
            unit = _field.strongest_of(trace, layer.name) if layer.output.ndim else None
            if unit is not None:
                size = " × ".join(str(high - low + 1) for low, high in unit.box)
                rows.append((layer.name, "", size, _far(_field.influence(trace, unit)), _field.share(trace, unit)))
    rows = rows or [(trace.layers[0].name, "", "", math.nan, math.nan)]
    return Table((tr("layer"), tr("step"), tr("sees"), tr("1 % horizon"), tr("used")), tuple(rows))


def _far(influence: Influence | None) -> float:
    return math.nan if influence is None else influence.horizon


def _of(influence: Influence | None, place: int) -> float:
    return math.nan if influence is None or not len(influence.sizes) else float(influence.shares[place])


VIEW = View(
    "reach", english("Reach"),
    english("What of the input a number can see, and how strongly: receptive field and memory on one axis."),
    suits=lambda trace: "lab" not in trace.studies and (bool(layers(trace)) or any(
        not layer.is_input and layer.output.ndim and kinds.role(layer) != "loss" for layer in trace
        if layer.name in reach.direct(trace))),
    draw=draw, telling=weighed, order=28, group=PARTS, studies=(reach.STUDY,),
    tries=english("Choose another number of a map: its field moves; compare it with a recurrent network."),
)
