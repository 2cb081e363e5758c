"""What the inspector says of a unit."""

from __future__ import annotations

import numpy as np

from visualizer.kinds import units
from visualizer.kinds.units import EXCITES
from visualizer.language import tr
from visualizer.said import said, unplaced
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Look, Mark, Picture, Table, Text, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import wrap
from visualizer.trace import Trace
from visualizer.views.units._seen import INPUTS, MADE, PATTERN, Seen, numbers_of, seen_at


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """The unit, what it is here, and what the face shows."""
    seen = seen_at(trace, moment, focus, look)
    title = f"{seen.what} {seen.unit_words}"
    marks: list[Mark] = [Text(24, 27, plain(title), 16, 600, max_width=240)]
    y = 34.0
    for line in wrap(plain(_about(seen)), 13, 240, 400):
        y += 19.5
        marks.append(Text(24, y, line, 13, 400, "ink-2"))
    y += 14
    rows = _rows(seen)
    for name, words in rows:
        y += 22
        marks += [Text(24, y, plain(name), 13, 400, "ink-2", max_width=170),
                  Text(264, y, plain(words), 13, 600, "ink", "end", max_width=110)]
    return Picture((280, round(y + 20)), tuple(marks), (), look.theme, "window", caption=unplaced(title),
                   table=Table((tr("what"), tr("value")), tuple((name, unplaced(words)) for name, words in rows)))


def _about(seen: Seen) -> str:
    return {INPUTS: tr("Cut out is all that the number depends on, its receptive field; where that is not known, or "
                       "all of the input, nothing is cut. A unit may answer to much that is in none of these inputs."),
            MADE: _made_of(seen),
            PATTERN: tr("A unit that follows a pattern need not compute it: of many units some follow any pattern by "
                        "chance. Those with random weights tell how many.")}[seen.face]


def _made_of(seen: Seen) -> str:
    if units.stepwise(seen.layer):
        what = tr("What is made larger is the unit at the last step.")
    elif units.places(seen.layer):
        what = tr("What is made larger is the mean of its map.")
    else:
        what = tr("What is made larger is the unit.")
    return what + " " + tr("No such input need exist. The same with random weights makes a picture, too; what is "
                           "learned is what is different.")


def _rows(seen: Seen) -> list[tuple[str, str]]:
    values = units.by_unit(seen.layer)[seen.unit]
    along = units.axis(seen.layer) or 0
    cell = (*(0,) * along, seen.unit)
    found: list[tuple[str, str]] = []
    if not along:
        found.append((tr("largest here"), said(numbers_of(float(values.max())), "largest", seen.layer.name, cell)))
    best = seen.shipped.get(f"{seen.layer.name}:best")
    if best is not None:
        found.append((tr("largest of all inputs"), seen.value(numbers_of(float(np.asarray(best)[seen.unit, 0])),
                                                              f"{seen.layer.name}:best", seen.unit, 0, study=EXCITES)))
    if seen.face == MADE and seen.arrays:
        for key, words in (("values", tr("made for it")), ("control_values", tr("random weights"))):
            found.append((words, seen.value(numbers_of(float(np.asarray(seen.arrays[key])[-1])), key,
                                            len(np.asarray(seen.arrays[key])) - 1)))
    if seen.face == PATTERN and seen.arrays and seen.layer.name in seen.arrays:
        value = float(np.asarray(seen.arrays[seen.layer.name])[seen.unit])
        if np.isfinite(value):
            found.append((tr("correlation"), seen.value(numbers.signed(value), seen.layer.name, seen.unit)))
    return found
