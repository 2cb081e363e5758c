"""gate_open: a gate of a recurrent layer stands open, 1, whatever comes in."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Gate
from visualizer.language import tr


def read(words: str) -> tuple[str, str, int | None]:
    """`lstm:forget` or `lstm:forget:29` taken apart; ValueError if it cannot be."""
    parts = words.split(":")
    unit = parts.pop() if len(parts) == 3 else ""
    if len(parts) != 2 or not all(parts) or not ((unit.isdecimal() and len(unit) < 10) or not unit):
        raise ValueError(words)
    return parts[0], parts[1], int(unit) if unit else None


def _said(layer: str, gate: str, unit: int | None) -> str:
    if unit is None:
        return tr("gate “{gate}” of {layer} held open").format(gate=gate, layer=layer)
    return tr("gate “{gate}” of unit {unit} of {layer} held open").format(gate=gate, layer=layer, unit=unit)


EDIT = Edit("gate_open", "Gate open", MODEL, "gate_open:LAYER:GATE:UNIT",
            "a gate that is 1 whatever comes in; without a unit those of all", read, _said,
            cuts=lambda layer, gate, unit: Gate(layer, gate, unit, True))
