"""swap: two rows, steps or words change places."""

from visualizer.edits import INPUT, STEPS, Edit, Knob, Matter, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 1_000_000


def swapped(matter: Matter, first: int, second: int) -> Array:
    """The two, counted from 1."""
    order = [*range(matter.pieces)]
    if max(first, second) > len(order):
        raise ValueError(tr("it has {count} of them, counted from 1").format(count=len(order)))
    order[first - 1], order[second - 1] = order[second - 1], order[first - 1]
    return matter.ordered(order)


EDIT = Edit("swap", english("Swap two"), INPUT, "swap:FIRST,SECOND",
            english("two rows, steps or words change places, counted from 1"),
            of_knobs(Knob("FIRST", None, 1, MOST), Knob("SECOND", None, 1, MOST)),
            lambda first, second: tr("{first} and {second} swapped").format(first=first, second=second),
            needs=STEPS, does=swapped, first=lambda grain: (1, 2), order=15)
