"""One column of the network as a moment shows it."""

from __future__ import annotations

import numpy as np

from visualizer import answers
from visualizer.motions import Frame
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.columns import (
    PADDING,
    Column,
    lanes_height,
    symbols,
)
from visualizer.scene.lens import STRIP
from visualizer.scene.picture import (
    Focus,
    Look,
    Mark,
    Path,
    Rect,
    Text,
    plain,
    rich,
)
from visualizer.scene.timeline import Moment, in_beat, progress
from visualizer.scene.type import width as text_width
from visualizer.trace import Trace


def column_marks(trace: Trace, column: Column, moment: Moment, before: Moment, look: Look, frame: Frame,
                 arrived: float, channels: float) -> list[Mark]:
    """One column as this moment shows it: still empty, being computed, or whole; at the turning point values fade over
    into gradients while the camera is on its way. `channels`: how strong those of a picture in colour are."""
    share = reached(trace, column, moment, frame)
    # signs make room for the numbers that fly past
    signs = 1.0 if moment.phase == 1 or moment.beat.step is not None else 1 - arrived
    now = uncovered(trace, column, moment, look, share, frame, signs, channels)
    now += _named_symbols(trace, column, moment, look, frame)
    if moment.backward and not before.backward and arrived < 1:
        return [*parts.faded(uncovered(trace, column, before, look, 1.0, Frame(), channels=channels), 1 - arrived),
                *parts.faded(now, arrived)]
    return now


def _named_symbols(trace: Trace, column: Column, moment: Moment, look: Look, frame: Frame) -> list[Mark]:
    """The words or letters that the numbers of an input stand for, each beside its own number."""
    words = symbols(trace, trace[column.layer])
    if not words or not parts.words_beside(column):
        return []
    to_come = frame.covered if column.layer == moment.beat.layer and not moment.backward and moment.phase < 1 else None
    marks: list[Mark] = []
    for step in column.shown:
        box = column.box(step)
        assert box is not None
        if to_come is None or not to_come[step]:
            number = said(str(int(trace[column.layer].output[step])), "value", column.layer, (step,))
            if not moment.backward and column.tile[0] >= text_width(number, 11) + 2:
                shades, palette = parts.entries(trace, trace[column.layer], look, False)
                marks.append(Text(box[0] + box[2] / 2, box[1] + box[3] / 2 + 4, plain(number), 11, 500,
                                  colour.ink_on(f"{palette}:{shades[step]}", look.theme), "middle"))
            marks.append(Text(box[0] + box[2] + 6, box[1] + box[3] / 2 + 4.5, plain(said(
                words[step], "word of the sample", column.layer, step=step)), 12, 500, "ink",
                              focus=Focus(column.layer, (step,))))
    return marks


def reached(trace: Trace, column: Column, moment: Moment, frame: Frame) -> float:
    """How much of a column has been computed, 0 … 1."""
    order = [layer.name for layer in trace.layers]
    here, own = order.index(moment.beat.layer), order.index(column.layer)
    if own == here or in_beat(trace[column.layer], moment):
        if moment.beat.step is not None or moment.phase == 1:
            return 1.0
        done, count = frame.done
        return done / count if count else progress(moment.phase, 0.667, 1.0)
    passed = own > here if moment.backward else own < here
    return 1.0 if passed else 0.0


def uncovered(trace: Trace, column: Column, moment: Moment, look: Look, shown: float, frame: Frame,
              signs: float = 1.0, channels: float = 0.0) -> list[Mark]:
    """A column of which a share is uncovered; where it has no values yet, its empty outline. How strong `signs` in its
    cells are, and the `channels` of a picture in colour."""
    if column.style == "passage":
        return []
    if column.style == "number":
        return [*loss(trace, column, look)] if shown == 1 or moment.backward else []
    if column.style == "bars" and frame.bars is not None and column.layer == moment.beat.layer and moment.phase < 1:
        return answers.column(trace, column, None, look, frame.bars)
    if column.style == "bars":
        way = moment.backward if shown > 0 else None
        return parts.faded(answers.column(trace, column, way, look), shown if shown > 0 else 1.0)
    nothing = np.ones(trace[column.layer].shape, bool)
    if shown < 1 and column.layer == moment.beat.layer and (frame.covered is not None or frame.values is not None):
        return [*outline(column), *parts.tiles(trace, column, look, moment.backward, covered=frame.covered,
                                               values=frame.values),
                *parts.colours(trace, column, look, moment.backward, frame.covered, frame.values, channels)]
    if shown == 0:
        return [*outline(column), *parts.tiles(trace, column, look, moment.backward, covered=nothing),
                *parts.colours(trace, column, look, moment.backward, nothing, None, channels)]
    alone = parts.colours(trace, column, look, moment.backward, nothing if shown < 1 else None, None, channels)
    left_behind, strength = frame.dimmed.get(column.layer, (None, 1.0))
    if left_behind is not None and strength < 1:
        return [*parts.faded(parts.tiles(trace, column, look, moment.backward, covered=~left_behind), strength),
                *parts.tiles(trace, column, look, moment.backward, covered=left_behind), *alone]
    return [*(outline(column) if shown < 1 else []), *_body(trace, column, moment, look, shown, signs), *alone]


def outline(column: Column) -> list[Mark]:
    """Where values will stand: empty tiles."""
    if column.style == "units":
        return [Rect(column.x, column.top, column.width, column.height, stroke="rule", inside=True)]
    boxes = [box for index in column.shown if (box := column.box(index)) is not None]
    corners = [((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)) for x, y, wide, high in boxes]
    return [Path(tuple(map(parts.polygon, corners)), stroke="rule")] if corners else []


def _body(trace: Trace, column: Column, moment: Moment, look: Look, shown: float, signs: float) -> list[Mark]:
    """The tiles of a column, uncovered as far as it has been computed; what is covered still answers to a click."""
    backward = moment.backward
    marks = parts.tiles(trace, column, look, backward, shown)
    if shown == 1 and look.signs:
        marks += parts.glyphs(trace, column, look, backward)
    elif shown == 1 and min(column.cell) >= 20 and column.style == "units" and not parts.words_beside(column):
        marks += parts.faded(_signs(trace, column, backward, look), signs)
    return marks


def _signs(trace: Trace, column: Column, backward: bool, look: Look) -> list[Mark]:
    """Plus or minus in cells large enough."""
    layer = trace[column.layer]
    values = layer.gradient if backward else layer.output
    if values is None:
        return []
    shades, palette = parts.entries(trace, layer, look, backward)
    marks: list[Mark] = []
    for unit in column.shown:
        box = column.box(unit)
        if box is not None and values[unit] != 0 and np.isfinite(values[unit]):
            ink = colour.ink_on(f"{palette}:{shades[unit]}", look.theme)
            marks.append(Text(box[0] + box[2] / 2, box[1] + box[3] / 2 + 5,
                              plain("+" if values[unit] > 0 else "−"), 14, 600, ink, "middle"))
    return marks


def loss(trace: Trace, column: Column, look: Look) -> list[Text]:
    layer = trace[column.layer]
    if trace.readers(layer.name) or layer.output.dtype.kind not in "fc":
        return []  # it goes into another number, which stands at the same place; or it only says whether to go on
    words = answers.cost(trace, layer)[0] or f"`{layer.name}` = **" \
        f"{said(numbers.number(float(layer.output), 3), 'value', layer.name)}**"
    y = look.size[1] - lanes_height(look) - (12 if look.mode.lanes else STRIP + 2)
    return [Text(min(column.x + column.width, look.size[0] - PADDING), y, rich(words), 12, 400, "ink-2", "end",
                 focus=Focus(layer.name))]
