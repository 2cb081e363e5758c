"""A film as a network goes through it: its frames, what is seen of each, and the recurrent layer that reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.scene.picture import Focus
from visualizer.scene.reading import Reading, first_level, layers, reading
from visualizer.trace import Layer, Trace, remembered


@dataclass(frozen=True, eq=False)
class Film:
    """Found by what was computed: an input of four axes, and a layer that reads as many steps as one of them is long.
    """

    given: Layer
    axis: int
    """Along which axis of the input the frames stand: behind the channels, or in front of them."""
    maps: tuple[Layer, ...]
    """The maps of each frame that are drawn: the first that are learned, and the last of all."""
    seen: Layer | None
    """(frame, unit): what the recurrent layer reads of each frame."""
    shown: Reading

    @property
    def frames(self) -> int:
        return int(self.given.shape[self.axis])

    def of(self, layer: Layer, channel: int, back: bool) -> NDArray[np.float64]:
        """(frame, row, column): one channel of each frame, or its gradient."""
        found = layer.gradient if back else layer.output
        if found is None:
            return np.zeros((self.frames, *layer.shape[-2:]))
        values: NDArray[np.float64] = np.moveaxis(np.asarray(found, np.float64), self.axis, 0)[:, channel]
        return values

    def tiles(self, layer: Layer, channel: int) -> tuple[int, ...]:
        """Which of the tiles of all channels and frames those of one channel are."""
        channels = layer.shape[1 - self.axis]
        return tuple(channel * self.frames + frame if self.axis else frame * channels + channel
                     for frame in range(self.frames))


@remembered(8)
def film_of(trace: Trace) -> Film | None:
    """The film that a network goes through; None where it does nothing of the kind."""
    for given in (layer for layer in trace if layer.is_input and layer.output.ndim == 4):
        for layer in reversed(layers(trace)):
            shown = reading(trace, layer.name)
            axis = next((axis for axis in (1, 0) if given.shape[axis] == shown.total), None)
            if axis is not None and shown.total > 1:
                return Film(given, axis, _maps(trace, given, layer, axis), _seen(trace, layer, shown.total), shown)
    return None


def _maps(trace: Trace, given: Layer, reader: Layer, axis: int) -> tuple[Layer, ...]:
    """The first layer that learns maps of each frame, and the last one of all."""
    between = trace.layers[trace.places[given.name] + 1:trace.places[reader.name]]
    found = [layer for layer in between if layer.output.ndim == 4 and layer.shape[axis] == given.shape[axis]
             and min(layer.shape[-2:]) > 1 and (axis == 0 or layer.axes[0] == "channel")]
    learned = [layer for layer in found if kinds.role(layer) == "weighted"]
    return tuple({layer.name: layer for layer in (*learned[:1], *found[-1:])}.values())


def _seen(trace: Trace, layer: Layer, frames: int) -> Layer | None:
    """What is read of each frame, where that is a layer which computed it."""
    read = first_level(trace, layer)
    while (made := kinds.of(read)) is not None and made.moves_only and len(read.reads) == 1:
        (read,) = trace.inputs(read)
    return read if read.output.ndim == 2 and len(read.output) == frames and not read.is_input else None


def channel(film: Film, layer: Layer, focus: Focus | None) -> int:
    """The channel that was chosen, else the one whose numbers differ most from place to place."""
    axis = 1 - film.axis
    if focus is not None and focus.layer == layer.name and len(focus.cell) > axis:
        return min(int(focus.cell[axis]), layer.shape[axis] - 1)
    return _liveliest(layer, axis)


@remembered(16)
def _liveliest(layer: Layer, axis: int) -> int:
    values = np.nan_to_num(np.moveaxis(np.asarray(layer.output, np.float64), axis, 0))
    return int(values.reshape(len(values), -1).std(1).argmax())
