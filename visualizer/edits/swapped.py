"""swapped: two channels or units of a layer change places, with all that makes them and all that reads them."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Swapped, of_unit
from visualizer.language import tr


def _read(words: str) -> tuple[str, int, int]:
    rest, _, other = words.rpartition(",")
    if not other.isdecimal() or len(other) > 9:
        raise ValueError(words)
    return *of_unit(rest), int(other)


def _said(layer: str, one: int, other: int) -> str:
    return tr("units {one} and {other} of {layer} swapped").format(one=one, other=other, layer=layer)


EDIT = Edit("swapped", "Two units swapped", MODEL, "swapped:LAYER:ONE,OTHER",
            "two channels or units change places, with what reads them: the answer stays", _read, _said, cuts=Swapped)
