"""unit_off: one channel or unit of a layer gives zeros, whatever comes in."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Scaled, of_unit
from visualizer.language import tr

EDIT = Edit("unit_off", "Unit off", MODEL, "unit_off:LAYER:UNIT", "a channel or unit of a layer that gives zeros",
            of_unit, lambda layer, unit: tr("unit {unit} of {layer} off").format(unit=unit, layer=layer),
            cuts=lambda layer, unit: Scaled(layer, unit, 0.0))
