"""state_at: after a step the state of a recurrent layer is another one."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Restarted, of_unit
from visualizer.edits.replaced import said_by
from visualizer.language import tr


def _read(words: str) -> tuple[str, int, str]:
    where, _, by = words.partition("=")
    layer, step = of_unit(where)
    if not by or not step:
        raise ValueError(words)
    return layer, step, by


def _said(layer: str, step: int, by: str) -> str:
    return tr("after step {step} in place of the state of {layer} {by}").format(step=step, layer=layer, by=said_by(by))


EDIT = Edit("state_at", "State replaced", MODEL, "state_at:LAYER:STEP=zero|mean|SAMPLE",
            "after a step, counted from 1, the state is zero, its mean, or that of another input", _read, _said,
            cuts=Restarted)
