"""Controls: choices that a picture itself holds, side by side or along a line. A click turns a knob of the view."""

from __future__ import annotations

from collections.abc import Sequence

from visualizer.scene.boxes import Box
from visualizer.scene.picture import Choice, Entry, Focus, Group, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import elide

HIGH = 30.0
"""Of a row of segments."""
Option = tuple[str, str, str]
"""(word of the knob, what it says, its tip)."""


def title(words: str, box: Box, y: float, value: str = "") -> list[Mark]:
    """What a control is called, and what it stands at."""
    marks: list[Mark] = [Text(box.left, y, plain(elide(words, 13, box.width - (44 if value else 0), 600)), 13, 600,
                              "ink-2")]
    return [*marks, Text(box.right, y, plain(value), 13, 600, "ink", "end")] if value else marks


def segments(knob: str, options: Sequence[Option], chosen: str, box: Box, focus: Focus, name: str) -> list[Mark]:
    """Choices side by side in one frame, one of them raised."""
    wide = box.width / max(1, len(options))
    marks: list[Mark] = [Rect(box.left, box.top, box.width, HIGH, "sunk", radius=7)]
    for number, (word, said, tip) in enumerate(options):
        x, on = box.left + number * wide, word == chosen
        marks += [Rect(x + 2, box.top + 2, wide - 4, HIGH - 4, "raised" if on else "", radius=6, focus=focus, tip=tip,
                       holds=Choice(knob, word)),
                  Text(x + wide / 2, box.top + 19.5, plain(elide(said, 13, wide - 8, 600 if on else 400)), 13,
                       600 if on else 400, "ink" if on else "ink-2", "middle")]
    return grouped(Group(name), marks)


def buttons(knob: str, options: Sequence[Option], chosen: str, box: Box, focus: Focus, name: str,
            columns: int) -> tuple[list[Mark], float]:
    """(choices in rows, where they end): one of them filled."""
    wide, gap = (box.width + 6) / columns, 6.0
    marks: list[Mark] = []
    for number, (word, said, tip) in enumerate(options):
        x, y, on = box.left + number % columns * wide, box.top + number // columns * (HIGH + gap), word == chosen
        marks += [Rect(x, y, wide - gap, HIGH, "accent-fill" if on else "raised", "accent-fill" if on else "edge",
                       radius=6, focus=focus, tip=tip, holds=Choice(knob, word)),
                  Text(x + (wide - gap) / 2, y + 19.5, plain(elide(said, 13, wide - gap - 6, 600)), 13, 600,
                       "on-accent" if on else "ink", "middle")]
    lines = -(-len(options) // columns)
    return grouped(Group(name), marks), box.top + lines * (HIGH + gap)


def field(entry: Entry, box: Box, focus: Focus) -> list[Mark]:
    """A frame with the words that a knob stands at; in the window others can be typed there."""
    return grouped(Group(entry.name), [
        Rect(box.left, box.top, box.width, HIGH, "raised", "edge", radius=8, focus=focus, tip=entry.tip, holds=entry),
        Text(box.left + 9, box.top + 19.5, plain(elide(entry.word, 13, box.width - 18, 400)), 13, 400)])


def slider(knob: str, options: Sequence[Option], chosen: str, box: Box, focus: Focus, name: str) -> list[Mark]:
    """Choices along a line, from the least to the largest, with a handle at one of them."""
    left, right, y = box.left + 7, box.right - 7, box.top + 10
    last = max(1, len(options) - 1)
    places = [left + (right - left) * number / last for number in range(len(options))]
    at = next((place for place, (word, _, _) in zip(places, options, strict=True) if word == chosen), left)
    half = (right - left) / last / 2
    marks: list[Mark] = [Rect(left, y - 1, right - left, 2, "rule"), Rect(left, y - 1, at - left, 2, "accent"),
                         *(Rect(place - 2, y - 2, 4, 4, "ink-2", radius=2) for place in places),
                         Rect(at - 7, y - 7, 14, 14, "raised", "accent", 2, radius=7)]
    for place, (word, said, tip) in zip(places, options, strict=True):
        marks.append(Rect(place - half, y - 10, 2 * half, 20, "", focus=focus, tip=tip or said,
                          holds=Choice(knob, word)))
    return grouped(Group(name), marks)
