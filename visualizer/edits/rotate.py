"""rotate: a picture turned around its middle, clockwise, bilinear between its pixels."""

import math

from visualizer.edits import INPUT, PLANE, Edit, Grain, Knob, Matter, Strength, of_knobs
from visualizer.edits._sampled import Way, outside, sampled
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(degrees: float) -> str:
    return tr("turned by {degrees}°").format(degrees=numeral(f"{degrees:+g}"))


def way(degrees: float) -> Way:
    """Where a pixel of the turned picture comes from; rows count downwards, so that more degrees go clockwise."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return cosine, sine, -sine, cosine


def rotated(matter: Matter, degrees: float) -> Array:
    """The picture, turned."""
    return sampled(matter, way(degrees))


def _leaves(shape: tuple[int, ...], grain: Grain, degrees: float) -> Array:
    return outside(shape[-2], shape[-1], way(degrees))


EDIT = Edit("rotate", english("Rotate"), INPUT, "rotate:DEGREES", english("a picture turned around its middle"),
            of_knobs(Knob("DEGREES", None, -360, 360, whole=False)), _said, needs=PLANE, does=rotated,
            strength=Strength(english("angle"), "°", (0, 10, 20, 30, 40, 50, 60, 75, 90), 30, 5, signed=True),
            leaves=_leaves, order=2)
