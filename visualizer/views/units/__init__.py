"""One unit: which inputs excite it most, an input made for it, and which units follow a pattern; always beside the same
of random weights, or of what ships."""

from __future__ import annotations

from types import ModuleType

from visualizer.kinds import units
from visualizer.kinds.units import ASCENT, EXCITES, FOLLOWS, UPDATES
from visualizer.language import english, tr
from visualizer.scene import logchart, parts
from visualizer.scene.boxes import Box, split
from visualizer.scene.picture import Focus, Look, Mark, Picture, Rect, unmarked
from visualizer.scene.projector import begins
from visualizer.scene.timeline import Beat, Moment, Timeline
from visualizer.trace import Trace
from visualizer.views import PARTS, View
from visualizer.views.units import _inputs, _made, _patterns
from visualizer.views.units._page import page
from visualizer.views.units._rail import rail, refuses
from visualizer.views.units._seen import FACES, INPUTS, MADE, PATTERN, WALK, asks, seen_at, switch

TOP = 62.0
PAGES: dict[str, ModuleType] = {INPUTS: _inputs, MADE: _made, PATTERN: _patterns}


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The chosen face of a unit."""
    seen, face = seen_at(trace, moment, focus, look), PAGES[look.knob("face", INPUTS)]
    if seen.arrays is None:
        told = face.waits(seen)
        under = logchart.unmeasured(look, tr("Units"), told)
        switches, below = _switched(seen, look)
        veil = Rect(below.left, below.top, below.width, min(160.0, below.height), "hatch")
        return Picture(look.size, (), (*parts.sentence(look, told), *switches, veil), look.theme,
                       caption=unmarked(told), table=under.table)
    told = face.sentence(seen) if seen.arrays else face.has_no_meaning(seen)
    marks, below = _switched(seen, look)
    if seen.arrays:
        marks += face.marks(seen, look, below)
    return Picture(look.size, (), (*parts.sentence(look, told), *marks), look.theme, caption=unmarked(told),
                   table=face.table(seen) if seen.arrays else logchart.unmeasured(look, "", "", told).table)


def _switched(seen: object, look: Look) -> tuple[list[Mark], Box]:
    box = Box(24.0, begins(look, TOP), look.size[0] - 24.0, look.size[1] - 12)
    chosen, below = split(box, "top", 56.0 if look.knob("face", INPUTS) != PATTERN else 24.0, 10.0)
    return switch(seen, look, chosen), below  # type: ignore[arg-type]


def walk(trace: Trace) -> tuple[Beat, ...]:
    """From before the first update to after the last; over the other faces the same share of the way."""
    return tuple(Beat(trace.layers[0].name, doing=WALK, number=number, quick=True, words=english("update by update"))
                 for number in range(UPDATES + 1))


def _telling(trace: Trace, times: Timeline) -> str:
    return walk(trace)[-1].address


def digit(trace: Trace, number: int) -> tuple[str, str] | None:
    """Which face a digit chooses."""
    return ("face", tuple(FACES)[number - 1]) if 1 <= number <= len(FACES) else None


def suits(trace: Trace) -> bool:
    """Whether there are units, and an input that others could stand in for."""
    return "lab" not in trace.studies and bool(trace.fed) and bool(units.layers(trace))


VIEW = View(
    "units", english("Units"),
    english("The inputs that excite a unit most, an input made for it, and the units that follow a pattern."),
    suits=suits, draw=draw, telling=_telling, order=58, group=PARTS, page=page, continuous=False,
    studies=(EXCITES, ASCENT, FOLLOWS), of_network=(EXCITES,), asks=asks, instead=walk, digit=digit,
    rail=rail, refuses=refuses,
    knobs=(("face", tuple(FACES)), ("pattern", ())),
    tries=english("Press 2 to have an input made for the unit, and play its updates."),
)
