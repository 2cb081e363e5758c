"""Parts side by side: each slides to its place, map after map. On the way back they are unstacked again."""

from __future__ import annotations

from visualizer import kinds
from visualizer.language import tr
from visualizer.motions import Frame, Motion, Setting, window
from visualizer.motions._travel import Ways, arriving, handed_along, landed, returning, seconds_along
from visualizer.motions.moving import MOST, counted, ways_of
from visualizer.scene import numbers
from visualizer.trace import Array, Layer, Trace


def suits(layer: Layer) -> bool:
    return kinds.role(layer) in ("join", "directions") and 0 < layer.output.ndim and layer.output.size <= MOST


def forward(setting: Setting) -> Frame:
    """Whole maps or rows on their way to their places."""
    ways = ways_of(setting.trace, setting.layer.name)
    if ways is None:
        return window.forward(setting)
    done = landed(ways.count, setting.second)
    return arriving(setting, ways, _said(setting, ways, done), counted(done, ways.count))


def backward(setting: Setting) -> Frame:
    """What stands where this source once went goes back to it."""
    return returning(setting, ways_of(setting.trace, setting.layer.name), _said_back, counted)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    ways = ways_of(trace, layer.name)
    return seconds_along(trace, layer, ways, back)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """All that goes the same ways back."""
    ways = ways_of(trace, layer.name)
    return None if ways is None or layer.gradient is None else handed_along(ways, name, trace)


def _said(setting: Setting, ways: Ways, done: int) -> str:
    layer, names = setting.layer, ", ".join(dict.fromkeys(setting.layer.reads))
    if done <= 0:
        return tr("{sources} are ready. {layer} is empty yet.").format(sources=names, layer=layer.name)
    return tr("{sources} stand side by side in {layer}: {{{done} of {count}}} numbers; nothing is computed.").format(
        sources=names, layer=layer.name, done=numbers.count(int((ways.parcel_of < done).sum())),
        count=numbers.count(layer.output.size))


def _said_back(setting: Setting, done: int, count: int) -> str:
    layer, given = setting.layer.name, setting.written.name
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has none yet.").format(layer=layer, source=given)
    return tr("{layer} is unstacked: {source} takes back its own part, {{{done} of {count}}} pieces.").format(
        layer=layer, source=given, done=numbers.count(done), count=numbers.count(count))


MOTION = Motion("joining", suits, forward, backward, seconds, hands=hands, order=39)
