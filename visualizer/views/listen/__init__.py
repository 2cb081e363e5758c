"""Listening: wave, spectrogram, maps, states and answers of a model of sound, on one time axis with a cursor."""

from __future__ import annotations

from fractions import Fraction

from visualizer.language import english
from visualizer.scene import parts
from visualizer.scene.picture import Focus, Look, Picture, unmarked
from visualizer.scene.sound import sound_of
from visualizer.scene.telling import answered, read_to_the_end
from visualizer.scene.timeline import Moment, Pace, Timeline, own_pace
from visualizer.trace import Trace
from visualizer.views import WHOLE, View
from visualizer.views.listen._lane import lane
from visualizer.views.listen._page import page as page_of
from visualizer.views.listen._rows import all_rows
from visualizer.views.listen._scene import scene
from visualizer.views.listen._words import sentence, table

HEARD, SLOW = "as it is heard", "slowly"


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All that the network makes of the sound, up to the moment."""
    sc = scene(trace, moment, focus, look)
    told = sentence(sc)
    still, moving = all_rows(sc)
    kept, moved = lane(sc)
    return Picture(look.size, (*parts.sentence(look, told), *still, *kept), (*moving, *moved), look.theme,
                   caption=unmarked(told), table=table(sc))


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What is heard and answered at the cursor; a number that was chosen has the inspector for itself."""
    sc = scene(trace, moment, focus, look)
    if focus is not None and (sc.shown is None or focus.cell or focus.layer != sc.shown.layer.name):
        return None
    return page_of(sc)


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """A step takes as long as the sound that it is of, so that one hears what one sees."""
    sound = sound_of(trace)
    if look.knob("pace", HEARD) == SLOW or moment.beat.step is None or sound is None or not sound.rate \
            or moment.backward or moment.beat.layer not in sound.clocks:
        return own_pace(moment.beat)
    return Pace(Fraction(round(sound.clocks[moment.beat.layer].hop), sound.rate), Fraction(0))


def _telling(trace: Trace, times: Timeline) -> str:
    """All was heard."""
    sound = sound_of(trace)
    assert sound is not None
    found = scene(trace, times.settled(0), None, Look())
    return answered(trace, times) if found.shown is None else read_to_the_end(trace, times)


VIEW = View(
    "listen", english("Listen"),
    english("A sound, its spectrogram, and what the network makes of it, on one time axis."),
    suits=lambda trace: sound_of(trace) is not None, draw=draw, telling=_telling, order=11, group=WHOLE, pace=pace,
    page=page, knobs=(("pace", (HEARD, SLOW)), ("order", ("last state", "as is"))),
    tries=english("Press Space and see after how much of the word the answer stands."),
)
