"""Generate: a picture that is made of a few numbers. The plane in which the point lies, the layers in which the picture
grows, and what each number changes in it."""

from __future__ import annotations

from visualizer import latent
from visualizer.language import english
from visualizer.scene import parts
from visualizer.scene.boxes import Box
from visualizer.scene.columns import lanes_height
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import GHOST, Focus, Look, Mark, Picture, Text, plain, unmarked
from visualizer.scene.projector import begins
from visualizer.scene.telling import answered
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views import WHOLE, View
from visualizer.views.generate._growing import growing
from visualizer.views.generate._made import ACROSS, STUDIES, UP, Aim, Made, aim_of, computed, made_of
from visualizer.views.generate._plane import plane, samples, slopes
from visualizer.views.generate._words import facts, sentence, table

TOP, GAP = 84.0, 30.0
LEFT, LEFT_OF_A_ROOM = 0.348, 0.415
"""The share of the width that the plane has."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The plane at the left, the layers and the picture at the right; on the way back at the left what each number of
    the point changes."""
    made = made_of(trace)
    assert made is not None
    aim = aim_of(made, focus)
    told = sentence(trace, made, moment, aim)
    body = Box(24, begins(look, TOP), look.size[0] - 24, look.size[1] - lanes_height(look) - 10)
    wide = body.width * (LEFT if look.mode.notes else LEFT_OF_A_ROOM)
    left, right = Box(body.left, body.top, body.left + wide, body.bottom), \
        Box(body.left + wide + GAP, body.top, body.right, body.bottom)
    still: list[Mark] = []
    marks: list[Mark] = parts.sentence(look, told)
    if moment.backward and "slopes" in made.study:
        marks += _slopes(made, left, aim, look)
    else:
        known = computed(trace, moment, made.z) == 1
        charts = look.mode.charts and body.height > 420
        kept, moving, high = plane(trace, made, Box(left.left, left.top, left.right,
                                                    left.top + left.height * (0.75 if charts else 1.0)), known, look)
        still, marks = still + kept, marks + moving
        kept, moving = samples(trace, made, Box(left.left, left.top + high + 14, left.right, left.bottom), known, look)
        still, marks = still + kept, marks + moving
    kept, moving = growing(trace, made, moment, right, aim, look)
    still, marks = still + kept, marks + moving
    kept, moving = lanes(trace, moment, look)
    return Picture(look.size, tuple(still + kept), tuple(marks + moving), look.theme, caption=unmarked(told),
                   table=table(trace, made))


def _slopes(made: Made, box: Box, aim: Aim | None, look: Look) -> list[Mark]:
    """The slopes of the two numbers of the plane, and of the pixel that is looked at what they foretell."""
    told = facts(made, aim) if look.mode.notes and box.height > 420 else []
    high = 22.0 * len(told)
    marks = slopes(made, Box(box.left, box.top, box.right, box.bottom - high), _two(made, look), aim, look)
    y = box.bottom - high
    for what, much in told:
        marks += [Text(box.left, y + 14, plain(what), 12.5, 400, "ink-2", max_width=box.width - 84),
                  Text(box.right, y + 14, plain(much), 12.5, 600, "ink", "end")]
        y += 22
    return marks


def _two(made: Made, look: Look) -> tuple[int, ...]:
    return tuple(dict.fromkeys(made.axes(look))) if len(made.point) > 1 else (0,)


VIEW = View(
    "generate", english("Generate"), english("A picture made of a few numbers: where these lie, and how it grows."),
    suits=lambda trace: latent.answer_of(trace) is not None and made_of(trace) is not None, draw=draw, telling=answered,
    order=2, group=WHOLE, knobs=((ACROSS, ()), (UP, ()), (GHOST, ())), studies=STUDIES, of_network=("points",),
    tries=english("Drag through the plane, and see where one digit becomes another."),
)

