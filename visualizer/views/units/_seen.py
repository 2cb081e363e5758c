"""What of a unit is looked at: which face, which unit, what was measured; and the switches over its units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import units
from visualizer.kinds.units import ASCENT, CLASS, DRAWN, EXCITES, FOLLOWS, UPDATES
from visualizer.language import english, tr
from visualizer.over import SEPARATOR
from visualizer.said import constants, found, said
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Choice, Focus, Group, Image, Look, Mark, Rect, Scale, Text, grouped, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import elide, width
from visualizer.trace import Arrays, Layer, Trace

INPUTS, MADE, PATTERN = "inputs", "made", "pattern"
FACES = {INPUTS: english("Inputs that excite it"), MADE: english("An input made for it"),
         PATTERN: english("Units that follow a pattern")}
SHORT = {INPUTS: english("Inputs"), MADE: english("Made for it"), PATTERN: english("Pattern")}
WALK = "updates"
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """A unit, and what was measured of it."""

    trace: Trace
    layer: Layer
    unit: int
    face: str
    name: str
    """Of the study."""
    arrays: Arrays | None
    """None before it is measured; nothing where it has no meaning."""
    shipped: Arrays
    """What was measured over the inputs that ship, if it was."""
    now: int
    """How many updates lie behind."""
    pattern: str

    def value(self, words: str, key: str, *cell: int, quantity: str = "value", study: str = "") -> str:
        return said(words, *found(quantity, study or self.name, key, *cell))

    @property
    def unit_words(self) -> str:
        """`conv2 7`."""
        return name_of(self.layer, self.unit)

    @property
    def what(self) -> str:
        """`channel`, or `unit`."""
        return tr("channel") if self.layer.has("channel") else tr("unit")

    @cached_property
    def titles(self) -> list[str]:
        return bytes(self.shipped["titles"]).decode().split(SEPARATOR) if self.shipped else []

    @cached_property
    def words(self) -> list[str]:
        return bytes(self.shipped["words"]).decode().split(SEPARATOR) if self.shipped else []

    def title(self, place: int) -> str:
        return said(self.titles[place], "title of what excites", array=f"studies {EXCITES} titles", cell=(place,))


def name_of(layer: Layer, unit: int) -> str:
    """`conv2 7`."""
    along = units.axis(layer) or 0
    return f"{layer.name} {said(str(unit), 'index', layer.name, (*(0,) * along, unit))}"


def focus_of(layer: Layer, unit: int) -> Focus:
    """What is chosen when a unit is clicked: its map, or its number, of several steps the last."""
    along = units.axis(layer) or 0
    return Focus(layer.name, (*(size - 1 for size in layer.shape[:along]), unit))


def asks(trace: Trace | None, focus: Focus | None, look: Look) -> tuple[str, ...]:
    """The studies that a face shows, in words of their own."""
    face, pattern = face_of(look), look.knob("pattern", "")
    if face == PATTERN:
        return (f"{FOLLOWS}:{pattern}" if pattern else FOLLOWS,)
    if face == MADE:
        chosen = None if trace is None else _chosen(trace, focus)
        return () if chosen is None else (f"{ASCENT}:{chosen[0].name}:{chosen[1]}", EXCITES)
    return (EXCITES,)


def face_of(look: Look) -> str:
    return look.knob("face", INPUTS)


def _chosen(trace: Trace, focus: Focus | None) -> tuple[Layer, int] | None:
    named = focus is not None and (focus.array == "output" or focus.array.startswith("inner."))
    return units.chosen(trace, focus.layer, focus.cell) if named and focus is not None else units.chosen(trace)


def seen_at(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Seen:
    """What is looked at; there must be units."""
    chosen = _chosen(trace, focus)
    assert chosen is not None
    name = asks(trace, focus, look)[0]
    number = moment.beat.number if moment.beat.doing == WALK else UPDATES
    pattern = look.knob("pattern", "") or units.names(trace)[0]
    return Seen(trace, *chosen, face_of(look), name, trace.studies.get(name), trace.studies.get(EXCITES) or {},
                min(UPDATES, number), pattern)


# --- the switches -----------------------------------------------------------------------------------------------------

def switch(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The layers with their units, of which one is chosen; a pattern is looked for in all of them."""
    if seen.face == PATTERN:
        return []
    marks: list[Mark] = []
    x = box.left
    for layer in units.layers(seen.trace):
        words = elide(layer.name, 12, 110, 500)
        if x + width(words, 12, 500) + 18 > box.right:
            break
        chosen = units.chosen(seen.trace, layer.name)
        focus = focus_of(layer, chosen[1] if chosen is not None and chosen[0] is layer else 0)
        x, made = chip(words, x, box.top, layer is seen.layer, None, focus, layer.name)
        marks += made
    return [*grouped(Group(tr("layers")), marks), *grouped(Group(tr("units")), _strip(seen, box))]


def chip(words: str, x: float, y: float, on: bool, holds: Choice | None, focus: Focus, tip: str = "") -> \
        tuple[float, list[Mark]]:
    """(where the next one begins, a word to be chosen)."""
    wide = width(words, 12, 500) + 18
    return x + wide + 6, [Rect(x, y, wide, 22, "tint" if on else "stage", "accent" if on else "edge", radius=11,
                               focus=focus, holds=holds, tip=tip),
                          Text(x + wide / 2, y + 15.5, plain(words), 12, 600 if on else 500,
                               "accent-ink" if on else "ink", "middle")]


def _strip(seen: Seen, box: Box) -> list[Mark]:
    """All units of the layer by what they are here, one of them chosen."""
    best = units.by_unit(seen.layer).max(1)
    top = colour.largest(best) or 1.0
    label = tr("its largest values here")
    left = box.left + min(170.0, width(label, 12) + 12)
    wide = min(26.0, (box.right - left) / len(best))
    y, high = box.top + 32, 20.0
    marks: list[Mark] = [Text(box.left, y + 14, plain(label), 12, 400, "ink-2", max_width=left - box.left - 4)]
    scale = Scale("activation", tr("values"), seen.layer.name, -top, top)
    for unit, value in enumerate(best):
        entry = int(colour.signed(np.array([value]), top)[0])
        x = left + unit * wide
        marks.append(Rect(x, y, wide - (1 if wide > 4 else 0), high, f"activation:{min(255, entry)}",
                          scale=scale, focus=focus_of(seen.layer, unit), tip=name_of(seen.layer, unit)))
    x = left + seen.unit * wide
    marks.append(Rect(x - 1, y - 1, wide + 1, high + 2, "", "accent", 2, radius=2))
    return marks


# --- numbers as pictures ----------------------------------------------------------------------------------------------

def picture(values: Values, x: float, y: float, wide: float, high: float, ends: tuple[float, float], of: str,
            look: Look, stretched: bool = False) -> tuple[list[Mark], float, float]:
    """(marks, width and height of a cell): numbers that are read, as a picture in a frame of so many pixels: in colour,
    in shades, or as a row of steps."""
    tile = _as_tile(values)
    rows, columns = tile.shape[:2]
    cells = (wide / columns, high / rows)
    if not stretched:
        side = min(cells)
        side = max(1, int(side / look.pixel)) * look.pixel if side >= look.pixel else side
        cells = (side, side)
    low, span = ends[0], (ends[1] - ends[0]) or 1.0
    if tile.ndim == 3:
        shades = np.rint(np.clip((np.nan_to_num(tile, nan=low) - low) / span, 0, 1) * 255).astype(np.uint8)
        return [Image(x, y, cells, shades[None], "pixel", indices=(-1,))], *cells
    hatched = ~np.isfinite(tile)
    return [Image(x, y, cells, colour.unit(tile, *ends)[None], "pixel", indices=(-1,),
                  hatched=hatched[None] if hatched.any() else None,
                  scale=Scale("pixel", english("pixels"), of, *ends))], *cells


def _as_tile(values: Values) -> Values:
    """(row, column) or (row, column, 3)."""
    while values.ndim > 3:
        values = values.mean(0)
    if values.ndim == 3:
        return np.moveaxis(values, 0, -1) if len(values) == 3 else values[0] if len(values) == 2 else values.mean(0)
    return np.atleast_2d(values)


def numbers_of(value: float) -> str:
    return numbers.significant(value, 3)


def pattern_words(pattern: str) -> str:
    """What a pattern is called."""
    if pattern.startswith(DRAWN):
        return tr("the curve that was drawn")
    if pattern.startswith(CLASS):
        return tr("whether it is of class {label}").format(label=constants(pattern.removeprefix(CLASS)))
    return {"line": tr("place in the line"), "position": tr("place from the beginning"),
            "word": tr("place in the word"), "open": tr("brackets that are open"), "vowel": tr("vowels"),
            "upper": tr("capital letters"), "length": tr("length of the word"), "read": tr("what is read"),
            "change": tr("change of what is read"), "ink": tr("amount of ink"), "row": tr("height of the ink"),
            "column": tr("place of the ink across")}.get(pattern, constants(pattern))


def ways(options: tuple[str, ...], room: float, size: float = 12) -> str:
    """The longest that fits, else the last."""
    return fitting(options, room, size) or options[-1]
