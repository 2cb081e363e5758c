"""told: before each symbol that it says the network is told the right one, whatever it said itself."""

from visualizer.edits import TEACHER, Edit
from visualizer.language import tr
from visualizer.trace import TOLD


def _nothing(words: str) -> tuple[()]:
    if words:
        raise ValueError(words)
    return ()


EDIT = Edit(TOLD, "Told the right symbols", TEACHER, TOLD, "the right symbol before each, in place of what a network "
            "said itself (teacher forcing)", _nothing, lambda: tr("told the right symbols"))
