"""connection_off: nothing goes from one channel or unit to another."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Unwired, of_unit
from visualizer.language import tr


def _read(words: str) -> tuple[str, int, int]:
    rest, _, source = words.rpartition(",")
    if not source.isdecimal() or len(source) > 9:
        raise ValueError(words)
    return *of_unit(rest), int(source)


def _said(layer: str, to: int, source: int) -> str:
    return tr("connection {source} → {to} of {layer} off").format(source=source, to=to, layer=layer)


EDIT = Edit("connection_off", "Connection off", MODEL, "connection_off:LAYER:TO,FROM",
            "every weight from one unit to another is 0; of a recurrent layer those from its state", _read, _said,
            cuts=Unwired)
