"""repeat: the whole input once more, or several times more, behind itself."""

from visualizer.edits import INPUT, STEPS, Edit, Knob, Matter, Strength, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 50


def _said(times: int) -> str:
    return tr("once more") if times == 1 else tr("{times} times more").format(times=times)


def repeated(matter: Matter, times: int) -> Array:
    """So many times more."""
    return matter.ordered([*range(matter.pieces)] * (times + 1))


EDIT = Edit("repeat", english("Repeat"), INPUT, "repeat:TIMES", english("all of it so many times more"),
            of_knobs(Knob("TIMES", None, 0, MOST)), _said, needs=STEPS, does=repeated,
            strength=Strength(english("times more"), "×", (0, 1, 2, 3, 4), 1), order=12)
