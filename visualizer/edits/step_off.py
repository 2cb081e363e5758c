"""step_off: one frame, row, step or letter alone is not there."""

from visualizer.edits import INPUT, STEPS, Edit, Grain, Knob, Matter, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 10_000


def _said(number: int) -> str:
    return tr("without number {number}").format(number=number)


def without(matter: Matter, number: int) -> Array:
    """Nothing in its place, counted from 1; of symbols it is left out."""
    if number > matter.pieces:
        raise ValueError(tr("there are only {count}").format(count=matter.pieces))
    if "symbol" in matter.grain.axes:
        if matter.pieces < 2:
            raise ValueError(tr("nothing would be left"))
        return matter.ordered(piece for piece in range(matter.pieces) if piece != number - 1)
    found = matter.array.copy()
    where = [slice(None)] * found.ndim
    where[matter.along] = slice((number - 1) * matter.grain.each, number * matter.grain.each)
    found[tuple(where)] = matter.grain.empty
    return found


def _first(grain: Grain) -> tuple[int]:
    return (1,)


EDIT = Edit("step_off", english("Leave one of the {many} out"), INPUT, "step_off:NUMBER",
            english("one of what is read at a time has nothing in it"), of_knobs(Knob("NUMBER", 1, 1, MOST)), _said,
            needs=STEPS, does=without, first=_first, order=13)
