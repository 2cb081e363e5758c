"""The seam: columns of the last maps become the steps of a recurrent layer. One x axis for the picture that was read,
the maps, the steps, the states of every direction and the answers.

It is recognised by what the recording says: layers that only move numbers lead from maps to layers of steps, and each
step reads one column.
"""

from __future__ import annotations

from visualizer.scene import parts
from visualizer.scene.picture import Focus, Look, Mark, Picture, Table, unmarked
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace, remembered
from visualizer.views.network._seam import flights, rows, words
from visualizer.views.network._seam.plan import Seam, plan, seam_of
from visualizer.views.network._seam.scene import Scene, seconds

__all__ = ["draw", "seconds", "shown_at"]


def shown_at(trace: Trace, moment: Moment) -> bool:
    """Whether a beat belongs to a seam."""
    seam = seam_of(trace)
    return seam is not None and moment.beat.layer in (seam.back if moment.backward else seam.forward)


def scene(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Scene:
    """What is drawn at a moment."""
    seam = seam_of(trace)
    assert isinstance(seam, Seam)
    return Scene(trace, seam, plan(trace, seam, look), moment, focus, look)


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All rows as far as they have come, and what flies between the maps and the steps."""
    sc = scene(trace, moment, focus, look)
    said = words.sentence(sc)
    marks: list[Mark] = [*parts.sentence(look, said), *rows.draw(sc), *flights.draw(sc)]
    marks += rows.foot(sc, timeline(trace))
    still = _standing(trace, Moment(moment.beat, 0.5, moment.index), focus, look)
    return Picture(look.size, still, tuple(marks), look.theme, caption=unmarked(said), table=Table(*words.table(sc)))


@remembered(4)
def _standing(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> tuple[Mark, ...]:
    """What stays the same while a beat goes on."""
    return tuple(rows.standing(scene(trace, moment, focus, look)))
