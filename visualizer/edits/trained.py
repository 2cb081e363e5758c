"""trained: the weights after so many updates of a training."""

from urllib.parse import quote, unquote

from visualizer.edits import WEIGHTS, Edit
from visualizer.language import counted_as, numeral, tr
from visualizer.trace import TRAINED

DATA = "data="


def words_for(step: int, course: str = "", data: str = "") -> str:
    """As it stands in a recipe: `course` as `train.words_of` writes it, the training that comes with the network where
    it is empty."""
    told = f",{course}" + (f";{DATA}{quote(data)}" if data else "") if course else ""
    return f"{TRAINED}:{step}{told}"


def moved(words: str, step: int) -> str:
    """The same training after another number of updates."""
    _, comma, course = words.partition(",")
    return f"{TRAINED}:{step}{comma}{course}"


def _read(words: str) -> tuple[int, str, str]:
    step, _, told = words.partition(",")
    course, _, data = told.partition(f";{DATA}")
    if not step.isdecimal() or len(step) > 9:
        raise ValueError(words)
    return int(step), course, unquote(data)


def _said(step: int, course: str, data: str) -> str:
    count = numeral(f"{step:,}")
    return counted_as(step, tr("after {count} update"), tr("after {count} updates")).format(count=count)


EDIT = Edit(TRAINED, "So far trained", WEIGHTS, "trained:UPDATES",
            "the weights that a training had after so many updates: trained:165", _read, _said)
