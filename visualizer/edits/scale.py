"""scale: a picture made larger or smaller around its middle, bilinear between its pixels."""

from visualizer.edits import INPUT, PLANE, Edit, Grain, Knob, Matter, Strength, of_knobs
from visualizer.edits._sampled import Way, outside, sampled
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(percent: float) -> str:
    return (tr("{percent} % smaller") if percent < 0 else tr("{percent} % larger")).format(
        percent=numeral(f"{abs(percent):g}"))


def way(percent: float) -> Way:
    """Where a pixel of the scaled picture comes from."""
    factor = 1 + percent / 100
    return 1 / factor, 0.0, 0.0, 1 / factor


def scaled(matter: Matter, percent: float) -> Array:
    """The picture, in a frame of the same size."""
    return sampled(matter, way(percent))


def _leaves(shape: tuple[int, ...], grain: Grain, percent: float) -> Array:
    return outside(shape[-2], shape[-1], way(percent))


EDIT = Edit("scale", english("Scale"), INPUT, "scale:PERCENT",
            english("a picture so many percent larger, or smaller where they are below 0"),
            of_knobs(Knob("PERCENT", None, -95, 400, whole=False)), _said, needs=PLANE, does=scaled,
            strength=Strength(english("by"), "%", (0, 10, 20, 30, 40, 50, 60, 70, 80), -30, 5, signed=True),
            leaves=_leaves, order=3)
