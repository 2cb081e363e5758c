"""Two layers put together place by place: they slide onto one another, and where they meet the sum or product stands.

On the way back the gradient is shared out to both: a sum hands on the same, a product times the other factor; what was
used along a whole axis adds up.
"""

from __future__ import annotations

import numpy as np

from visualizer.kinds import arithmetic, choices
from visualizer.kinds._elementwise import Read, all_read
from visualizer.language import tr
from visualizer.motions import Frame, Motion, Setting, window
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
)
from visualizer.scene import numbers
from visualizer.trace import Array, Cell, Layer, Trace, remembered

MOST = 60_000
"""Numbers; larger layers uncover in reading order."""
OPERATIONS = {operation.name: operation for operation in (*arithmetic.OPERATIONS, *choices.OPERATIONS)}


def suits(layer: Layer) -> bool:
    return layer.kind in OPERATIONS and bool(layer.reads) and 0 < layer.output.ndim and layer.output.size <= MOST


def forward(setting: Setting) -> Frame:
    """Row after row, all channels at once, comes from both and lands as what both make."""
    ways = ways_of(setting.trace, setting.layer.name)
    if ways is None:
        return window.forward(setting)
    done = landed(ways.count, setting.second)
    return arriving(setting, ways, _said(setting, ways, done), _counted(done, ways.count), lift=True)


def backward(setting: Setting) -> Frame:
    """The gradient of every place goes to the one that gets its own now, times its slope."""
    return returning(setting, _ways_back(setting.trace, setting.layer.name), _said_back, _counted)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    ways = ways_of(trace, layer.name)
    return seconds_along(trace, layer, ways, back)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """All that goes the same ways back."""
    ways = _ways_back(trace, layer.name)
    return None if ways is None or layer.gradient is None else handed_along(ways, name, trace)


# --- which number goes where -----------------------------------------------------------------------------------------

@remembered(64)
def ways_of(trace: Trace, name: str) -> Ways | None:
    """What is put together; None where that is not explained."""
    return _ways(trace, name, False)


@remembered(64)
def _ways_back(trace: Trace, name: str) -> Ways | None:
    """The same ways, with slopes in place of weights."""
    return _ways(trace, name, True)


def _ways(trace: Trace, name: str, back: bool) -> Ways | None:
    layer = trace[name]
    inputs = trace.inputs(layer)
    try:
        found = _read(layer, inputs)
    except LookupError:
        return None
    targets = np.stack(np.unravel_index(np.arange(layer.output.size), layer.shape), axis=1)
    key = targets[:, 0] if layer.output.ndim <= 2 or layer.axes[0] == "step" else targets[:, -2]
    if layer.output.ndim == 1:
        key = key // max(1, layer.output.size // 16)
    parcels, count = in_parcels([key])
    moves: list[Moves] = []
    for read in found:
        source = inputs[read.which]
        factors = read.slopes if back else read.weights
        plain = np.ndim(factors) == 0
        if source.output.ndim:
            moves.append(moved(source, layer, read.cells, targets, parcels, count,
                               float(factors) if plain else np.asarray(factors, np.float64)))
    return Ways(tuple(moves), count, parcels.reshape(layer.shape)) if moves else None


# --- words -----------------------------------------------------------------------------------------------------------

def _counted(done: int, count: int) -> str:
    return tr("row {n} of {count}").format(n=numbers.count(done), count=numbers.count(count))


def _said(setting: Setting, ways: Ways, done: int) -> str:
    layer = setting.layer
    names = ", ".join(dict.fromkeys(layer.reads))
    if done <= 0:
        return tr("{sources} are ready. {layer} has computed nothing yet.").format(sources=names, layer=layer.name) \
            if len(set(layer.reads)) > 1 else \
            tr("{source} is ready. {layer} has computed nothing yet.").format(source=names, layer=layer.name)
    cell = _strongest(layer.output, ways, done)
    made = numbers.number(float(layer.output[cell]))
    index = int(np.ravel_multi_index(cell, layer.shape))
    read = [float(read_at[index]) for read_at in _values(setting.trace, layer.name)]
    known = {"value": made, "done": numbers.count(done), "count": numbers.count(ways.count), "layer": layer.name}
    sign = OPERATIONS[layer.kind].sign
    if len(read) > 1 and not sign:
        return tr("Place by place {numbers} make {{{value}}}; {done} of {count} rows done.").format(
            numbers=", ".join(map(numbers.number, read)), **known)
    if len(read) == 2:
        return tr("Both meet place by place: {a} {sign} {b} makes {{{value}}}; {done} of {count} rows done.").format(
            a=numbers.number(read[0]), b=numbers.number(read[1]), sign=sign, **known)
    return tr("Place by place {a} becomes {{{value}}}; {done} of {count} rows done.").format(
        a=numbers.number(read[0]), **known)


@remembered(16)
def _values(trace: Trace, name: str) -> tuple[Array, ...]:
    """(n,) of each that is read: the numbers in the order of the output."""
    layer = trace[name]
    inputs = trace.inputs(layer)
    return tuple(inputs[read.which].output[tuple(read.cells.T)] for read in _read(layer, inputs))


def _read(layer: Layer, inputs: tuple[Layer, ...]) -> tuple[Read, ...]:
    """All that is put together. LookupError where that is not explained."""
    return all_read(OPERATIONS[layer.kind], layer, inputs)


def _strongest(values: Array, ways: Ways, done: int) -> Cell:
    """The largest number of the row that has landed last."""
    own = np.where(ways.parcel_of == done - 1, np.abs(np.nan_to_num(values)), -1.0)
    return tuple(int(at) for at in np.unravel_index(int(own.argmax()), values.shape))


def _said_back(setting: Setting, done: int, count: int) -> str:
    layer, given = setting.layer, setting.written.name
    known = {"layer": layer.name, "source": given, "done": numbers.count(done), "count": numbers.count(count)}
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has none yet.").format(**known)
    if layer.kind == "add" and float(layer.settings.get("alpha", 1.0)) == 1.0:
        return tr("A sum hands the same gradient to each that was added; {source} gets it row by row: {{{done} of "
                  "{count}}}.").format(**known)
    if layer.kind == "mul":
        return tr("A product hands {source} the gradient times the other factor: {{{done} of {count}}} rows.").format(
            **known)
    return tr("{layer} hands {source} the gradient times its slope: {{{done} of {count}}} rows.").format(**known)


MOTION = Motion("adding", suits, forward, backward, seconds, hands=hands, order=38)
