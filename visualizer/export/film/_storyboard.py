"""Storyboard: the moments at which something is done, side by side with their captions, as one picture."""

from __future__ import annotations

import math
from dataclasses import replace

from visualizer import titles
from visualizer.export.film import Film
from visualizer.scene import type as letters
from visualizer.scene.numbers import number
from visualizer.scene.picture import Image, Line, Mark, Path, Picture, Rect, Run, Text, plain

MOST = 12
"""Key frames on a sheet."""
COLUMNS, WIDE, EDGE, GAP = 3, 1122, 36, 24
"""A sheet as wide as A4 across; all in pixels of 1/96 inch."""
TITLE, SIZE, LINE, HEAD = 15, 9.5, 13, 16
SHRUNK = 0.6
"""Frames of more than this share of their size are shown smaller, so that a sheet of few is no poster."""


def key_frames(film: Film, most: int = MOST) -> tuple[int, ...]:
    """Numbers of the frames that show a beat when it is done: the last of each, or evenly chosen ones of very many."""
    done: dict[int, int] = {}
    for frame in range(film.count):
        done[film.moment(frame).index] = frame
    ends = tuple(done.values())
    if len(ends) <= most:
        return ends
    return tuple(ends[round(place * (len(ends) - 1) / (most - 1))] for place in range(most))


def sheet(film: Film) -> Picture:
    """All key frames, each with its address, its second and its caption; the page is as long as that needs."""
    frames = key_frames(film)
    columns = min(COLUMNS, len(frames))
    wide = (WIDE - 2 * EDGE - GAP * (COLUMNS - 1)) / COLUMNS
    scale = min(wide / film.look.size[0], SHRUNK)
    high = film.look.size[1] * scale
    told = f"  {titles.of(film.trace.sample)}, {number(float(film.seconds), 1)} s"
    marks: list[Mark] = [Text(EDGE, EDGE + 10, (Run(film.trace.title or film.trace.model, weight=600),
                                                Run(told, color="ink-2")), TITLE, max_width=WIDE - 2 * EDGE)]
    top, captions = EDGE + 28.0, []
    for row in range(math.ceil(len(frames) / columns)):
        lines = 0
        for column, frame in enumerate(frames[row * columns:(row + 1) * columns]):
            picture, left = film.picture(frame), EDGE + column * (wide + GAP)
            captions.append(picture.caption)
            marks += [Rect(left, top, picture.size[0] * scale, high, picture.background),
                      *(scaled(mark, left, top, scale) for mark in picture),
                      Rect(left, top, picture.size[0] * scale, high, stroke="rule"),
                      Text(left, top + high + HEAD, (Run(film.moment(frame).address, weight=600, mono=True),),
                           SIZE, max_width=wide - 48),
                      Text(left + wide, top + high + HEAD, plain(f"{number(float(frame / film.fps), 1)} s"), SIZE,
                           color="ink-2", anchor="end")]
            words = letters.wrap(plain(picture.caption), SIZE, wide, 400)
            marks += [Text(left, top + high + HEAD + 3 + LINE * (place + 1), line, SIZE, color="ink-2")
                      for place, line in enumerate(words)]
            lines = max(lines, len(words))
        top += high + HEAD + 3 + LINE * lines + GAP
    return Picture((WIDE, math.ceil(top - GAP + EDGE)), tuple(marks), theme=film.look.theme, caption=captions[0])


def scaled(mark: Mark, left: float, top: float, scale: float) -> Mark:
    """The same mark in a picture that is drawn smaller, at another place."""
    def points(given: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        return tuple((left + x * scale, top + y * scale) for x, y in given)

    if isinstance(mark, Line):
        return replace(mark, points=points(mark.points), width=mark.width * scale)
    if isinstance(mark, Path):
        return replace(mark, curves=tuple(map(points, mark.curves)), width=mark.width * scale)
    at = {"x": left + mark.x * scale, "y": top + mark.y * scale}
    if isinstance(mark, Text):
        return replace(mark, **at, size=mark.size * scale, max_width=mark.max_width * scale)
    if isinstance(mark, Rect):
        return replace(mark, **at, width=mark.width * scale, height=mark.height * scale, radius=mark.radius * scale,
                       stroke_width=mark.stroke_width * scale)
    assert isinstance(mark, Image)
    return replace(mark, **at, cell=(mark.cell[0] * scale, mark.cell[1] * scale),
                   pitch=(mark.pitch[0] * scale, mark.pitch[1] * scale))
