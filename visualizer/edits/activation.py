"""activation: another curve in place of that of a layer, or none."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import BENDS, Bent
from visualizer.language import tr


def _read(words: str) -> tuple[str, str]:
    layer, _, curve = words.partition("=")
    if not layer or curve not in BENDS:
        raise ValueError(words)
    return layer, curve


def _said(layer: str, curve: str) -> str:
    return tr("{layer} without its curve").format(layer=layer) if curve == "none" else \
        tr("{layer} as {curve}").format(layer=layer, curve=curve)


EDIT = Edit("activation", "Activation", MODEL, f"activation:LAYER={'|'.join(BENDS)}",
            "another curve in place of that of a layer, or none", _read, _said, cuts=Bent)
