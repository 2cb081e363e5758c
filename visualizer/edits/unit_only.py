"""unit_only: every other channel or unit of a layer gives zeros."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Scaled, of_unit
from visualizer.language import tr

EDIT = Edit("unit_only", "Only this unit", MODEL, "unit_only:LAYER:UNIT",
            "a channel or unit of a layer while all the others of it give zeros",
            of_unit, lambda layer, unit: tr("of {layer} only unit {unit}").format(unit=unit, layer=layer),
            cuts=lambda layer, unit: Scaled(layer, unit, 1.0, 0.0))
