"""gate_shut: a gate of a recurrent layer stands shut, 0, whatever comes in."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Gate
from visualizer.edits.gate_open import read
from visualizer.language import tr


def _said(layer: str, gate: str, unit: int | None) -> str:
    if unit is None:
        return tr("gate “{gate}” of {layer} held shut").format(gate=gate, layer=layer)
    return tr("gate “{gate}” of unit {unit} of {layer} held shut").format(gate=gate, layer=layer, unit=unit)


EDIT = Edit("gate_shut", "Gate shut", MODEL, "gate_shut:LAYER:GATE:UNIT",
            "a gate that is 0 whatever comes in; without a unit those of all", read, _said,
            cuts=lambda layer, gate, unit: Gate(layer, gate, unit, False))
