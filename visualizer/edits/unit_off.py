"""unit_off: one channel or unit of a layer gives zeros, whatever comes in."""

from visualizer.edits import MODEL, Edit
from visualizer.language import tr


def _read(words: str) -> tuple[str, int]:
    layer, _, unit = words.rpartition(":")
    if not layer or not unit.isdecimal():
        raise ValueError(words)
    return layer, int(unit)


EDIT = Edit("unit_off", "Unit off", MODEL, "unit_off:LAYER:UNIT", "a channel or unit of a layer that gives zeros",
            _read, lambda layer, unit: tr("unit {unit} of {layer} off").format(unit=unit, layer=layer),
            scales=lambda layer, unit: (layer, unit, 0.0))
