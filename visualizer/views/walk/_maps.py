"""Maps beside a card: the one a number was read from with its window, the one it stands in; and the way back to it."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.kinds import Taps
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Image, Line, Mark, Rect, Text, plain, rich
from visualizer.trace import Cell, Layer, Trace
from visualizer.views.walk._card import Card, Frame, shades_of
from visualizer.views.walk._words import CURVES

LARGEST_MAP = 260.0


def map_pair(trace: Trace, card: Card, taps: Taps, frame: Frame, x: float, y: float, room: float, tall: float,
             backward: bool) -> list[Mark]:
    """Read from here, stands there: a click on either chooses the place."""
    s = frame.look.text_scale
    source = trace[taps.source]
    side = min((room - 60 * s) / 2, tall - 44 * s, LARGEST_MAP * s)
    if side < 40 * s:
        return []
    left, right = (card.layer, source) if backward else (source, card.layer)
    windows = {source.name: taps.cells, card.layer.name: np.array([card.cell], dtype=np.int64).reshape(1, -1)}
    marks: list[Mark] = []
    offset = 0.0
    for layer, title in ((left, "handed to" if backward else "read from"), (right,
                                                                            "from" if backward else "stands in")):
        drawn, wide = one_map(trace, layer, windows[layer.name], backward, frame, x + offset, y, side, title)
        marks += drawn
        if layer is left:
            arrow = y + 34 * s + side / 2
            marks += [Line(((x + wide + 14 * s, arrow), (x + wide + 44 * s, arrow)), "rule", 1.5 * s)]
        offset += wide + 60 * s
    return marks


def one_map(trace: Trace, layer: Layer, cells: np.ndarray, backward: bool, frame: Frame, x: float, y: float,
            side: float, title: str) -> tuple[list[Mark], float]:
    """One map of a layer as large as fits, or its units as a grid, with some cells outlined."""
    s = frame.look.text_scale
    shades, palette = shades_of(trace, layer, backward and layer.gradient is not None, frame.look)
    channel: int | None = None
    if shades.ndim == 3:
        channel = int(cells[0, 0])
        tile = shades[channel]
    elif shades.ndim == 2:
        tile = shades
    else:
        across = min(max(1, shades.size), max(8, int(np.ceil(np.sqrt(max(1, shades.size))))))
        padded = np.full(-(-max(1, shades.size) // across) * across, 128 if palette == "activation" else 0, np.uint8)
        padded[:shades.size] = shades.ravel()
        tile = padded.reshape(-1, across)
        cells = np.array([divmod(int(cell[0]), across) if len(cell) else (0, 0) for cell in cells])
    pixel = side / max(tile.shape)
    pixel = float(int(pixel)) if pixel >= 1 else pixel
    top = y + 34 * s
    marks: list[Mark] = [Text(x, y + 10 * s, plain(title), 12 * s, 400, "ink-2"),
                         Text(x, y + 27 * s,
                              rich(f"`{layer.name}`" + ("" if channel is None else f" channel {channel}")),
                              13 * s, 600, max_width=max(side, 60 * s))]
    focus = Focus(layer.name) if shades.ndim > 1 else None
    marks.append(Image(x, top, (pixel, pixel), np.ascontiguousarray(tile[None]), palette, focus=focus,
                       indices=(channel,) if channel is not None else (-1,)))
    spots = cells[:, -2:]
    inside = spots[(spots >= 0).all(axis=1) & (spots < np.array(tile.shape)).all(axis=1)]
    if len(inside):
        (r0, c0), (r1, c1) = inside.min(axis=0), inside.max(axis=0)
        marks.append(Rect(x + c0 * pixel - 1, top + r0 * pixel - 1, (c1 - c0 + 1) * pixel + 2,
                          (r1 - r0 + 1) * pixel + 2,
                          "", "accent", 2.5))
    return marks, pixel * tile.shape[1]


def way_back(trace: Trace, layer: Layer, cell: Cell, frame: Frame, x: float, y: float, room: float) -> list[Mark]:
    """How the gradient got here: from the loss to this cell, hop by hop, with the factor at each hop."""
    s = frame.look.text_scale
    hops = list(reversed(_hops(trace, layer, cell)))
    height = frame.bottom - y - 20 * s
    most = max(2, int((height - 18 * s) // (40 * s)))
    left_out = len(hops) - most
    hops = hops[-most:]
    marks: list[Mark] = [Text(x, y, plain("how the gradient got here"), 12 * s, 600, "ink-2")]
    row = y + 26 * s
    if left_out > 0:
        marks.append(Text(x, y + 17 * s, plain(f"{left_out} hops before these not shown"), 12 * s, 400, "ink-2",
                          max_width=room))
        row += 18 * s
    for index, (name, words, value) in enumerate(hops):
        here = index == len(hops) - 1
        marks.append(Rect(x, row - 10 * s, 11 * s, 11 * s, "accent" if here else "gradient-mark", radius=5.5 * s))
        if not here:
            marks.append(Line(((x + 5.5 * s, row + 3 * s), (x + 5.5 * s, row + 27 * s)), "gradient-line", 1.5 * s))
        marks.append(Text(x + 24 * s, row, plain(name), 13 * s, 600, mono=True, max_width=room * 0.4))
        marks.append(Text(x + 24 * s, row + 16 * s, plain(words), 12 * s, 400, "ink-2", max_width=room - 120 * s))
        if value:
            marks.append(Text(x + room, row, plain(value), 13 * s, 600, "gradient-text", "end"))
        row += 40 * s
    return marks


def _hops(trace: Trace, layer: Layer, cell: Cell | None) -> list[tuple[str, str, str]]:
    """(layer, what it does to the gradient, the gradient there), from a cell on to the loss.

    The cell is followed as long as one number hands back to one number; after a sum there is no single one to follow.
    """
    found: list[tuple[str, str, str]] = []
    name = layer.name
    gradient = None if layer.gradient is None or cell is None else float(layer.gradient[cell])
    found.append((name, "arrives here", "" if gradient is None else _signed(gradient)))
    while readers := [other for other in trace.readers(name) if other.gradient is not None]:
        reader = readers[0]
        words, cell = _hop(trace, name, reader, cell, len(readers))
        value = "" if cell is None or reader.gradient is None else _signed(float(reader.gradient[cell]))
        found.append((reader.name, words, value))
        name = reader.name
    return found


def _hop(trace: Trace, name: str, reader: Layer, cell: Cell | None, readers: int) -> tuple[str, Cell | None]:
    inputs = trace.inputs(reader)
    kind = kinds.of(reader)
    if kind is None:
        return "unexplained", None
    if reader.kind in ("cross_entropy", "nll_loss"):
        return "p − label", None
    if cell is None:
        return (kind.title if reader.weights else f"{kind.title}, element by element"), None
    terms = kind.backward_terms(reader, inputs, reader.reads.index(name), cell)
    taps = [(taps, index) for taps in terms.taps for index in range(len(taps.values))]
    more = f", the first of {readers} readers" if readers > 1 else ""
    if len(taps) != 1:
        if not taps:
            return "stops: not the winner of any window", None
        return f"sum over {numbers.count(len(taps))} terms{more}", None
    found, index = taps[0]
    weight = float(found.weights[index])
    there = tuple(int(i) for i in found.cells[index])
    factor = numbers.significant(weight, 3)
    if reader.kind in CURVES:
        return f"slope {factor}: passes × {factor}{more}" if weight else f"slope 0: stops{more}", there
    if "max_pool" in reader.kind:
        return f"it won its window: passes × {factor}{more}", there
    return f"passes × {factor}{more}", there


def _signed(value: float) -> str:
    return numbers.signed(value, 4) if abs(value) >= 1e-3 or value == 0 else numbers.power(value)
