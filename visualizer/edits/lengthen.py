"""lengthen: the same, read more slowly: what is read at a time comes several times."""

from visualizer.edits import INPUT, STEPS, Edit, Knob, Matter, Strength, of_knobs
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(percent: float) -> str:
    return tr("{percent} % longer").format(percent=numeral(f"{percent:g}"))


def lengthened(matter: Matter, percent: float) -> Array:
    """So many percent longer, to the nearest step."""
    count = matter.pieces
    length = round(count * (1 + percent / 100))
    return matter.ordered(place * count // length for place in range(length))


EDIT = Edit("lengthen", english("Lengthen"), INPUT, "lengthen:PERCENT",
            english("what is read at a time comes several times, until it is so many percent longer"),
            of_knobs(Knob("PERCENT", None, 0, 2000, whole=False)), _said, needs=STEPS, does=lengthened,
            strength=Strength(english("by"), "%", (0, 25, 50, 75, 100, 125, 150, 175, 200), 50, 5), order=13)
