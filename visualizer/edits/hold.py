"""hold: one frame, row, step or letter alone, at all times: what the order cannot tell."""

from visualizer.edits import INPUT, STEPS, Edit, Grain, Knob, Matter, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 10_000


def _said(number: int) -> str:
    return tr("only number {number}, held").format(number=number)


def held(matter: Matter, number: int) -> Array:
    """As many pieces as before, each of them that one, counted from 1."""
    if number > matter.pieces:
        raise ValueError(tr("there are only {count}").format(count=matter.pieces))
    return matter.ordered([number - 1] * matter.pieces)


def _first(grain: Grain) -> tuple[int]:
    return (1,)


EDIT = Edit("hold", english("Hold one of the {many}"), INPUT, "hold:NUMBER",
            english("one of what is read at a time, over and over"), of_knobs(Knob("NUMBER", 1, 1, MOST)), _said,
            needs=STEPS, does=held, first=_first, order=12)
