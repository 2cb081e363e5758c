"""update: one update of a training, taken apart: how every number of one weight comes from its gradient."""

from urllib.parse import quote, unquote

from visualizer.edits import WEIGHTS, Edit
from visualizer.language import numeral, tr
from visualizer.trace import ONE_UPDATE

DATA = "data="


def words_for(step: int, parameter: str, course: str = "", data: str = "") -> str:
    """As it stands in a recipe: which update, counted from 1, of which of torch's parameters; `course` as
    `train.words_of` writes it, the training that comes with the network where it is empty."""
    told = f",{course}" + (f";{DATA}{quote(data)}" if data else "") if course else ""
    return f"{ONE_UPDATE}:{step},{parameter}{told}"


def _read(words: str) -> tuple[int, str, str, str]:
    step, _, told = words.partition(",")
    parameter, _, told = told.partition(",")
    course, _, data = told.partition(f";{DATA}")
    if not step.isdecimal() or not 0 < len(step) < 10 or int(step) < 1 or not parameter:
        raise ValueError(words)
    return int(step), parameter, course, unquote(data)


def _said(step: int, parameter: str, course: str, data: str) -> str:
    return tr("update {number} of {parameter}").format(number=numeral(f"{step:,}"), parameter=parameter)


EDIT = Edit(ONE_UPDATE, "One update", WEIGHTS, "update:NUMBER,PARAMETER",
            "one update of a training, taken apart: update:57,conv1.weight", _read, _said)
