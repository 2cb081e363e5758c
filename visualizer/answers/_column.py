"""The last column of a network: each answer that is drawn, its title above it, and how good it is."""

from __future__ import annotations

from dataclasses import replace

from visualizer import answers
from visualizer.answers import Where
from visualizer.language import translated
from visualizer.scene import numbers, projector
from visualizer.scene.picture import Focus, Look, Mark, Text, plain
from visualizer.scene.type import width as measured
from visualizer.trace import Answer, Trace

LEAST, NARROW, WIDE, SHARE = 560.0, 112.0, 280.0, 0.24
"""A picture that is less wide has no such column; the column's own width is a share of the picture between these."""
GAP, HEAD, NOTES, FOOT = 40.0, 66.0, 76.0, 12.0
"""Room before the column, above each drawing for its title, and below it for what a kind writes there."""
MOST = 2


def inner(trace: Trace, look: Look) -> Look:
    """The look without the column: what is left for the layers."""
    wide = width(trace, look)
    return replace(look, size=(int(look.size[0] - wide - GAP), look.size[1])) if wide else look


def width(trace: Trace, look: Look) -> float:
    """How wide the column is; 0 where no answer is drawn."""
    if not answers.drawn(trace) or look.size[0] < LEAST:
        return 0.0
    return min(WIDE, max(NARROW, SHARE * look.size[0]))


def places(trace: Trace, look: Look, top: float, bottom: float) -> tuple[tuple[Answer, Where], ...]:
    """Where each answer is drawn between two heights, as large as it fits."""
    wide, shown = width(trace, look), answers.drawn(trace)[:MOST]
    if not wide:
        return ()
    top = projector.begins(look, top, HEAD)
    x, each = look.size[0] - wide - FOOT, (bottom - top + HEAD) / len(shown)
    found = []
    for number, answer in enumerate(shown):
        made = answers.of(answer)
        assert made is not None
        ratio = max(0.05, made.proportion(trace, answer))
        across = min(wide, (each - (HEAD + NOTES)) / ratio)
        if across > 8:
            y = float(round(top + number * each))
            found.append((answer, (float(round(x)), y, float(round(across)), float(round(across * ratio)))))
    return tuple(found)


def heads(trace: Trace, look: Look, answer: Answer, place: Where) -> list[Mark]:
    """Which answer it is, and how good."""
    made = answers.of(answer)
    assert made is not None
    room = look.size[0] - place[0] - 4
    ways = translated(made.title), translated(made.name)
    title = next((words for words in ways if measured(words, 13, 600) <= room), ways[-1])
    marks: list[Mark] = [Text(place[0], place[1] - 50, plain(title), 13, 600, "ink", max_width=room,
                              focus=Focus(answer.layer))]
    for what, value in answers.score(trace, answer)[:1]:
        words = f"{what} {numbers.amount(value)}"
        if measured(words, 12, 400) <= room:
            marks.append(Text(place[0], place[1] - 33, plain(words), 12, 400, "ink-2", max_width=room))
    return marks


def drawing(trace: Trace, look: Look, answer: Answer, place: Where) -> list[Mark]:
    """The answer itself."""
    made = answers.of(answer)
    assert made is not None
    assert made.draw is not None
    return made.draw(trace, answer, place, look)
