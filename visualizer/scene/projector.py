"""Projector: a picture as an audience sees it. Type, lines and markers follow from the height of the screen alone.

The sizes are shares of the height, so that they hold on any projector and with any scaling of the system: what the last
row can read is a matter of the height of the picture. The smallest type of a view is a label at the text scale of
`look_for`; a line of one pixel is as thick as the last row needs it. What is left for a view is to say less.
"""

from __future__ import annotations

from dataclasses import replace

from visualizer.scene import colour
from visualizer.scene.picture import SENTENCE, Line, Look, Mark, Path, Picture, Rect, Run, Text
from visualizer.scene.type import Runs, width, wrap

BODY, LABEL, NUMBER = 1 / 30, 1 / 36, 1 / 12
"""Sizes of the sentence, of labels, and of the one measured number, as shares of the height."""
LINE, MARKER = 3.0, 10.0
"""Pixels: no line is thinner, no dot smaller."""
SMALLEST = 11.0
"""The smallest size of type that views use at a text scale of 1: it becomes a label."""
HEAD, FOOT = 66.0, 30.0
"""Heights of the headline and of the line of beats, at a text scale of 1."""
MARGIN, GAP, LEADING = 24.0, 20.0, 1.3
LINES = 3
BESIDE = 0.36
"""The large number takes at most this share of the width."""


def look_for(look: Look, size: tuple[int, int]) -> Look:
    """The same look for an audience, on a screen of this size in pixels."""
    return replace(look, size=size, theme=colour.strong("projector", colour.is_strong(look.theme)),
                   text_scale=measure(size) * LABEL / SMALLEST, projector=True)


def measure(size: tuple[int, int]) -> float:
    """The height that all sizes are shares of; on a screen that is narrower than 4 : 3, as if it were no higher."""
    return min(size[1], size[0] * 0.75)


def bold(picture: Picture) -> Picture:
    """The same picture with no line thinner and no dot smaller than the last row can see."""
    least = max(LINE, LINE * measure(picture.size) / 1080)
    return replace(picture, still=tuple(_bold(mark, least) for mark in picture.still),
                   moving=tuple(_bold(mark, least) for mark in picture.moving))


def _bold(mark: Mark, least: float) -> Mark:
    if isinstance(mark, Line):
        return replace(mark, width=max(mark.width, least))
    if isinstance(mark, Path):
        return replace(mark, width=max(mark.width, least)) if mark.stroke else mark
    if isinstance(mark, Rect) and mark.radius and abs(mark.width + mark.height - 4 * mark.radius) < 0.01:  # a dot
        grown = max(0.0, MARKER - mark.width) / 2
        return replace(mark, x=mark.x - grown, y=mark.y - grown, width=mark.width + 2 * grown,
                       height=mark.height + 2 * grown, radius=mark.radius + grown,
                       stroke_width=max(mark.stroke_width, least))
    return replace(mark, stroke_width=max(mark.stroke_width, least)) if isinstance(mark, Rect) and mark.stroke else mark


def headline(look: Look, runs: Runs) -> list[Mark]:
    """The measured number large, the sentence beside it; without a number, or where there is no place for it, the
    sentence alone."""
    wide, high = look.size[0], measure(look.size)
    size, large = high * BODY, high * NUMBER
    measured = next((run.text for run in runs if run.color), "")
    for number in dict.fromkeys((measured, first_word(measured), "")):
        taken = width(number, large, 600, display=True) if number else 0.0
        left = MARGIN + (taken + GAP if number else 0.0)
        lines = wrap(runs, size, wide - MARGIN - left, 500)
        if taken <= BESIDE * wide and (len(lines) <= LINES or not number):
            break
    lines, pitch = lines[:LINES], size * LEADING
    middle = HEAD * 0.5
    marks: list[Mark] = []
    if number:
        marks.append(Text(MARGIN, middle + large * 0.363, (Run(number),), large, 600, "accent-ink", display=True,
                          group=SENTENCE))
    first = middle - (len(lines) - 1) * pitch / 2 + size * 0.363
    return marks + [Text(left, first + pitch * place, line, size, 500, group=SENTENCE)
                    for place, line in enumerate(lines)]


def begins(look: Look, usual: float, below: float = 10.0) -> float:
    """Where what stands under the sentence begins: at its usual place, for a room so far below the headline."""
    return HEAD + below if look.projector else usual


def first_word(words: str) -> str:
    """`188` of `188 of 784`; a percent sign stays with its number."""
    first, _, rest = words.partition(" ")
    return f"{first} %" if rest.startswith("%") else first
