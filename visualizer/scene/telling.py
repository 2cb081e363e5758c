"""Telling moments: where a view stands until somebody chooses a moment. Each is the address of a settled beat."""

from __future__ import annotations

from visualizer.scene.chains import chains
from visualizer.scene.reading import layers
from visualizer.scene.timeline import BACKWARD, FORWARD, Beat, Timeline, in_beat
from visualizer.trace import Trace


def answered(trace: Trace, times: Timeline) -> str:
    """The answer is there: all of the way forward has been gone."""
    last = next(beat for beat in reversed(times.beats) if beat.direction == FORWARD)
    held = (times.of(answer.layer, FORWARD) for answer in trace.answers)
    return next((found.address for found in held if found is not None), last.address)


def read_to_the_end(trace: Trace, times: Timeline) -> str:
    """The last recurrent layer has read all of its steps."""
    order = [layer.name for layer in trace.layers]
    apart = next((chain for chain in reversed(chains(trace)) if times.of(chain.calls[-1], FORWARD) is not None), None)
    last = max((order.index(layer.name) for layer in layers(trace)), default=-1)
    if apart is not None and apart.places[0] > last:
        return Beat(apart.calls[-1], FORWARD).address
    layer = layers(trace)[-1]
    return next(moment.address for moment in map(times.settled, reversed(range(len(times.beats))))
                if not moment.backward and in_beat(layer, moment))


def weighed(trace: Trace, times: Timeline) -> str:
    """The last layer of maps that weighs what it reads; where there are no maps the end of the reading, or the last
    layer that weighs."""
    known = [layer for layer in trace.layers if times.of(layer.name, FORWARD) is not None]
    maps = [layer for layer in known if layer.has("row", "column") and layer.learned]
    if not maps and layers(trace):
        return read_to_the_end(trace, times)
    chosen = (maps or [layer for layer in known if layer.learned] or known)[-1]
    found = times.of(chosen.name, FORWARD)
    return found.beat.address if found is not None else ""


def gone_back(trace: Trace, times: Timeline) -> str:
    """The gradient has come all the way back; where none has, all of the way forward has been gone."""
    last = times.beats[-1]
    return last.address if last.direction == BACKWARD else answered(trace, times)
