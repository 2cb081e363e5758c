"""untrained: the weights from before training."""

from visualizer.edits import WEIGHTS, Edit
from visualizer.language import tr
from visualizer.trace import UNTRAINED


def _nothing(words: str) -> tuple[()]:
    if words:
        raise ValueError(words)
    return ()


EDIT = Edit(UNTRAINED, "Before training", WEIGHTS, UNTRAINED, "the weights that a bundled network set out from",
            _nothing, lambda: tr("before training"))
