"""unit_scaled: what one channel or unit of a layer gives, multiplied."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Scaled, number, of_unit
from visualizer.language import numeral, tr


def _read(words: str) -> tuple[str, int, float]:
    place, _, factor = words.partition("=")
    return *of_unit(place), number(factor)


def _said(layer: str, unit: int, factor: float) -> str:
    return tr("unit {unit} of {layer} × {factor}").format(unit=unit, layer=layer, factor=numeral(f"{factor:g}"))


EDIT = Edit("unit_scaled", "Unit scaled", MODEL, "unit_scaled:LAYER:UNIT=FACTOR",
            "a channel or unit of a layer, so many times as loud", _read, _said, cuts=Scaled)
