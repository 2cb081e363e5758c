"""What the rail offers: which face is shown, the field in which a pattern is typed, and the input."""

from __future__ import annotations

from visualizer.kinds import units
from visualizer.kinds.units import DRAWN
from visualizer.language import tr, translated
from visualizer.said import constants
from visualizer.scene import controls, fed
from visualizer.scene.boxes import Box
from visualizer.scene.controls import HIGH
from visualizer.scene.picture import Entry, Focus, Look, Mark, Picture, Table, Text, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width, wrap
from visualizer.trace import Trace
from visualizer.views.units._seen import FACES, PATTERN, SHORT, face_of

APART = 20.0
REFUSAL = 112.0
"""Room for what is said of words that were refused: a sentence of seven lines."""


def rail(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The faces, below them the field where a pattern is looked for, and as much of the input as there is room for."""
    box = Box(16.0, 6.0, look.size[0] - 16.0, look.size[1] - 8)
    face, place = face_of(look), Focus(trace.layers[0].name)
    marks = controls.title(tr("What is shown"), box, box.top + 12)
    wide = max(width(translated(words), 13, 600) for words in FACES.values()) + 6 > box.width
    options = tuple((each, translated((SHORT if wide else FACES)[each]), translated(FACES[each])) for each in FACES)
    made, y = controls.buttons("face", options, face, Box(box.left, box.top + 22, box.right, box.top + 22), place,
                               tr("What is shown"), 1)
    marks += made
    y += APART
    rows = [(tr("What is shown"), translated(FACES[face]))]
    if face == PATTERN:
        made, y = _field(trace, look, Box(box.left, y, box.right, box.bottom), place)
        marks += made
        rows.append((tr("pattern"), _typed(trace, look)))
    marks += fed.marks(trace, look, Box(box.left, y, box.right, box.bottom))
    return Picture(look.size, tuple(marks), (), look.theme, "window", caption=tr("What is shown of the units"),
                   table=Table((tr("what"), tr("value")), tuple(rows)))


def _field(trace: Trace, look: Look, box: Box, place: Focus) -> tuple[list[Mark], float]:
    """(the field with the words that it knows, where the room for its refusal ends)."""
    entry = Entry("pattern", _typed(trace, look), tr("Pattern"), tr(
        "Type an expression of these words, such as {example}, with + - * / % and sin, cos, abs, sqrt, log, exp; "
        "Enter applies it").format(example=constants(_example(trace))))
    marks = controls.title(tr("Pattern"), box, box.top + 12)
    y = box.top + 12
    for line in wrap(plain(tr("Words: {names}").format(names=constants(", ".join(units.known(trace))))), 12, box.width,
                     400):
        y += 16
        marks.append(Text(box.left, y, line, 12, 400, "ink-2"))
    y += 10
    marks += controls.field(entry, Box(box.left, y, box.right, y + HIGH), place)
    return marks, y + HIGH + REFUSAL


def _example(trace: Trace) -> str:
    """`open > 0`."""
    known = tuple(units.known(trace))
    return f"{'open' if 'open' in known else known[0]} > 0"


def _typed(trace: Trace, look: Look) -> str:
    """The words of the pattern that is looked for; nothing for a curve that was drawn."""
    words = look.knob("pattern", "") or units.names(trace)[0]
    return "" if words.startswith(DRAWN) else words


def refuses(trace: Trace, knob: str, word: str) -> str:
    """What is wrong with a pattern that was typed."""
    return units.refusal(trace, word) if knob == "pattern" else ""
