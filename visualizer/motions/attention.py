"""Attention: scores rise as bars over the places, and by their shares the values flow in with that thickness.

What is drawn is a matrix product: of queries and keys (scores), or of shares and values (what is attended to). On the
way back the gradient is shared out by the same weights.
"""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.kinds.contraction import multiplies
from visualizer.language import tr
from visualizer.motions import CAMERA, SLOW, Frame, Motion, Setting, part_of, window
from visualizer.motions._marks import Box, box_of_cells, taps_of, windows
from visualizer.motions._travel import (
    Moves,
    Ways,
    arriving,
    handed_along,
    in_parcels,
    landed,
    moved,
    returning,
    seconds_along,
    share_of,
    way_back,
)
from visualizer.scene import colour, numbers, parts
from visualizer.scene.columns import Column
from visualizer.scene.picture import Focus, Group, Mark, Path, Rect, Text, grouped, plain
from visualizer.scene.reading import own_words
from visualizer.scene.ribbons import FEWEST
from visualizer.scene.type import width
from visualizer.trace import Array, Cell, Layer, Trace, remembered

MOST = 200_000
"""Products; larger ones uncover in reading order."""
BAR, FULL = 36.0, 16.0
"""Height of the largest bar; thickness of a share of 1."""
MOST_HEADS = 4
"""Heads of which ribbons and bars are seen."""


def suits(layer: Layer) -> bool:
    return multiplies(layer) and len(layer.reads) > 1 and not layer.weights and layer.output.ndim > 1


def forward(setting: Setting) -> Frame:
    """Row after row of places."""
    ways = ways_of(setting.trace, setting.layer.name)
    if ways is None:
        return window.forward(setting)
    done, weighted = landed(ways.count, setting.second), _weighted(setting.trace, setting.layer)
    flows = Ways((ways.moves[int(weighted)], *ways.moves[2:]), ways.count, ways.parcel_of)
    frame = arriving(setting, flows, _said(setting, ways, done), _counted(done, ways.count))
    extra = _ribbons(setting, ways, done, setting.right) if weighted else _bars(setting, ways, done)
    marks = [*frame.marks, *_read(setting, ways, done), *extra]
    return Frame(frame.covered, None, tuple(marks), frame.sentence, frame.done, frame.counted)


def backward(setting: Setting) -> Frame:
    """The gradient of row after row, the last first, goes to what it was made of, by the same weights."""
    ways = ways_of(setting.trace, setting.layer.name)
    frame = returning(setting, ways, _said_back, _counted)
    if ways is None or setting.layer.gradient is None or not setting.left:
        return frame
    back = way_back(setting.trace, ways, setting.written.name)
    done = landed(back.count, setting.second)
    marks = [*frame.marks, *(_ribbons(setting, back, done, setting.left[0])
                             if _weighted(setting.trace, setting.layer)
                             and setting.written.name == setting.layer.reads[-1] else [])]
    return Frame(frame.covered, frame.values, tuple(marks), frame.sentence, frame.done, frame.counted)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    ways = ways_of(trace, layer.name)
    return seconds_along(trace, layer, ways, back)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """Every product, handed back."""
    ways = ways_of(trace, layer.name)
    return None if ways is None or layer.gradient is None else handed_along(ways, name, trace)


@remembered(32)
def ways_of(trace: Trace, name: str) -> Ways | None:
    """Every product of a matrix product, from the left and from the right factor, and what it is added to; None where
    that is too much."""
    layer = trace[name]
    *start, left, right = trace.inputs(layer)
    lead = layer.shape[:-2]
    if left.output.ndim < 2 or right.output.ndim < 2 or left.shape[:-2] != lead or right.shape[:-2] != lead \
            or left.shape[-1] != right.shape[-2] or layer.shape[-2:] != (left.shape[-2], right.shape[-1]) \
            or layer.output.size * left.shape[-1] > MOST:
        return None
    *heads, row, column, inner = np.indices((*layer.shape, left.shape[-1])).reshape(layer.output.ndim + 1, -1)
    targets = np.stack([*heads, row, column], axis=1)
    ones, others = np.stack([*heads, row, inner], axis=1), np.stack([*heads, inner, column], axis=1)
    parcels, count = in_parcels([row])
    alpha = float(layer.settings.get("alpha", 1.0)) if start else 1.0
    met = [alpha * factor.output[tuple(cells.T)].astype(np.float64)
           for factor, cells in ((right, others), (left, ones))]
    shape = np.arange(layer.shape[-2]).reshape(*(1,) * len(lead), -1, 1)
    order = np.unique(row)
    first = np.array([parcels[np.flatnonzero(row == one)[0]] for one in order])
    landed_at = np.broadcast_to(first[shape], layer.shape)
    return Ways((moved(left, layer, ones, targets, parcels, count, met[0]),
                 moved(right, layer, others, targets, parcels, count, met[1], met=True),
                 *(_added_to(one, layer, landed_at, count) for one in start if one.output.ndim)), count, landed_at)


def _added_to(start: Layer, layer: Layer, landed_at: Array, count: int) -> Moves:
    """What a product is added to; along axes where it has one number, or none, that is used for all."""
    targets = np.stack(np.unravel_index(np.arange(layer.output.size), layer.shape), axis=1)
    own = targets[:, -start.output.ndim:]
    cells = np.where(np.array(start.shape) == 1, 0, own)
    return moved(start, layer, cells, targets, landed_at.ravel(), count, float(layer.settings.get("beta", 1.0)))


def _weighted(trace: Trace, layer: Layer) -> bool:
    """Whether what is multiplied by are shares: then the right factor is what flows in."""
    return kinds.shares(trace[layer.reads[-2]])


def _row_of(ways: Ways, parcel: int) -> int:
    """The first row of a parcel."""
    return int(ways.moves[0].targets[np.searchsorted(ways.moves[0].parcels, parcel), -2])


def _row_back(back: Ways, parcel: int) -> int:
    """The row of a parcel that goes back: the last, as those before it are exact zeros."""
    moves = back.moves[0]
    return int(moves.cells[np.searchsorted(moves.parcels, parcel, side="right") - 1, -2])


def _slow(setting: Setting, count: int, done: int) -> bool:
    return setting.second >= CAMERA and done < min(count, len(SLOW))


def _read(setting: Setting, ways: Ways, done: int) -> list[Mark]:
    """While rows are slow, a frame on what the largest number of the row reads."""
    if not _slow(setting, ways.count, done):
        return []
    cell = _largest(_made(setting.trace, ways), _row_of(ways, done))
    share = share_of(done, ways.count, setting.second)
    return windows(setting.trace, setting.left, taps_of(setting.trace, setting.layer.name, cell),
                   Focus(setting.layer.name, cell), opacity=0.5 + min(0.5, share * 4))


@remembered(16)
def _made(trace: Trace, ways: Ways) -> Array:
    """What the layer makes, from what it reads: which number is looked at hangs on nothing that is to come."""
    left, _, *start = ways.moves
    return sum((one.brought(ways.count, False) for one in start), left.brought(ways.count, False))


def _largest(values: Array, row: int) -> Cell:
    own = np.abs(np.nan_to_num(values[..., row, :]))
    *lead, column = (int(at) for at in np.unravel_index(int(own.argmax()), own.shape))
    return (*lead, row, column)


# --- ribbons ----------------------------------------------------------------------------------------------------------

def _heads(layer: Layer) -> list[Cell]:
    """The heads in which something is seen to flow: every one of them computes at once, the first few are shown."""
    return list(np.ndindex(*layer.shape[:-2]))[:MOST_HEADS]


def _ribbons(setting: Setting, ways: Ways, done: int, values: Column) -> list[Mark]:
    """While rows are slow: from every value to the row that attends to it, as thick as its share."""
    column = setting.column(setting.layer.reads[-1]) if not setting.backward else values
    if not _slow(setting, ways.count, done) or column is None:
        return []
    row = _row_back(ways, done) if setting.backward else _row_of(ways, done)
    opacity = 0.35 * min(1.0, share_of(done, ways.count, setting.second) * 4)
    left = setting.trace[setting.layer.reads[-2]]
    return grouped(Group("shares"), [mark for head in _heads(setting.layer) for mark in (
        *_flows(setting, column, head, row, opacity), *_percents(setting, left, head, row, 0.5 + opacity / 0.7))])


def _flows(setting: Setting, column: Column, head: Cell, row: int, opacity: float) -> list[Mark]:
    left, right = setting.trace.inputs(setting.layer)[-2:]
    target = box_of_cells(setting.right, setting.layer, (*head, row, 0), (*head, row, setting.layer.shape[-1] - 1))
    if target is None:
        return []
    ink = "gradient-mark" if setting.backward else "accent"
    marks: list[Mark] = []
    y1 = target[1] + target[3] / 2
    for place, share in enumerate(left.output[(*head, row)].tolist()):
        source = box_of_cells(column, right, (*head, place, 0), (*head, place, right.shape[-1] - 1))
        if source is None or share < FEWEST:
            continue
        x0, y0, x1 = source[0] + source[2] + 2, source[1] + source[3] / 2, target[0] - 2
        bend = (x1 - x0) / 2
        marks.append(Path((((x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)),), stroke=ink,
                          width=max(0.8, FULL * share), opacity=opacity))
    return marks


def _percents(setting: Setting, left: Layer, head: Cell, row: int, opacity: float) -> list[Mark]:
    """The shares of a row, in their cells where there is room."""
    column = setting.column(left.name)
    if column is None or setting.backward:
        return []
    shades, palette = parts.entries(setting.trace, left, setting.look, False)
    marks: list[Mark] = []
    for place, share in enumerate(left.output[(*head, row)].tolist()):
        cell = (*head, row, place)
        box, words = box_of_cells(column, left, cell, cell), numbers.percent(share, 0)
        if box is not None and min(box[2] - width(words, 11, 500), box[3] - 11) >= 1:
            marks.append(Text(box[0] + box[2] / 2, box[1] + box[3] / 2 + 4, plain(words), 11, 500,
                              colour.ink_on(f"{palette}:{shades[cell]}", setting.look.theme), "middle",
                              opacity=opacity))
    return marks


# --- bars -------------------------------------------------------------------------------------------------------------

def _bars(setting: Setting, ways: Ways, done: int) -> list[Mark]:
    """While rows are slow: the scores of the row rise over their places."""
    if not _slow(setting, ways.count, done):
        return []
    layer, row = setting.layer, _row_of(ways, done)
    top = colour.largest(layer.output) or 1.0
    grown = part_of(share_of(done, ways.count, setting.second), 0.3, 0.7)
    marks: list[Mark] = []
    for head in _heads(layer):
        for place, height in enumerate((layer.output[(*head, row)] / top * grown).tolist()):
            box = box_of_cells(setting.right, layer, (*head, row, place), (*head, row, place))
            if box is not None and np.isfinite(height):
                marks.append(Rect(*_bar(box, height), "positive-text" if height >= 0 else "negative-text", "stage",
                                  0.5))
    return grouped(Group("scores"), marks)


def _bar(box: Box, height: float) -> Box:
    """Over its place, whatever its sign: that is told by its colour."""
    tall = max(1.0, abs(height) * BAR)
    return box[0] + box[2] * 0.2, box[1] + box[3] - tall, box[2] * 0.6, tall


# --- words ------------------------------------------------------------------------------------------------------------

def _counted(done: int, count: int) -> str:
    return tr("row {n} of {count}").format(n=numbers.count(done), count=numbers.count(count))


def _named(setting: Setting, place: int) -> str:
    words = own_words(setting.trace)
    return f"“{words[place]}”" if 0 <= place < len(words) else str(place)


def _said(setting: Setting, ways: Ways, done: int) -> str:
    layer = setting.layer
    one, other = layer.reads[-2:]
    known = {"layer": layer.name, "one": one, "other": other, "done": numbers.count(done),
             "count": numbers.count(ways.count)}
    if done <= 0:
        return tr("{one} and {other} are ready. {layer} has computed nothing yet.").format(**known)
    row = _row_of(ways, done - 1)
    if _weighted(setting.trace, layer):
        shares = setting.trace[one].output[..., row, :]
        most = int(np.unravel_index(int(np.argmax(shares)), shares.shape)[-1])
        return tr("Place {place} takes from every row of {other} its share, most from {most}: {{{share}}}; {done} of "
                  "{count} done.").format(place=_named(setting, row), most=_named(setting, most),
                                          share=numbers.percent(float(shares.max()), 0), **known)
    cell = _largest(layer.output, row)
    return tr("Each row of {one} times each column of {other} is one number: {{{value}}} at place {place}; {done} of "
              "{count} rows done.").format(value=numbers.number(float(layer.output[cell])), place=_named(setting, row),
                                           **known)


def _said_back(setting: Setting, done: int, count: int) -> str:
    layer, given = setting.layer, setting.written.name
    other = next((name for name in layer.reads[-2:] if name != given), given)
    known = {"layer": layer.name, "source": given, "other": other,
             "done": numbers.count(done), "count": numbers.count(count)}
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has none yet.").format(**known)
    if _weighted(setting.trace, layer) and given == layer.reads[-1]:
        return tr("The gradient of every row is shared out to {source} by the same shares: {{{done} of {count}}} "
                  "rows.").format(**known)
    if given not in layer.reads[-2:]:
        return tr("A sum hands the same gradient on to {source}: {{{done} of {count}}} rows.").format(**known)
    return tr("{source} gets the gradient of each row, weighted by {other}: {{{done} of {count}}} rows.").format(
        **known)


MOTION = Motion("attention", suits, forward, backward, seconds, order=8, hands=hands)
