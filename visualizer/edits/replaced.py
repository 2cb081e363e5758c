"""replaced: something else in place of what a layer gives, or one channel or unit of it."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import MEAN, ZERO, Replaced, of_unit
from visualizer.language import tr


def said_by(by: str) -> str:
    """What stands there instead."""
    return {ZERO: tr("zero"), MEAN: tr("its mean")}.get(by) or tr("that of {sample}").format(sample=by)


def _read(words: str) -> tuple[str, int | None, str]:
    where, _, by = words.partition("=")
    if not where or not by:
        raise ValueError(words)
    return (*of_unit(where), by) if ":" in where else (where, None, by)


def _said(layer: str, unit: int | None, by: str) -> str:
    if unit is None:
        return tr("in place of {layer} {by}").format(layer=layer, by=said_by(by))
    return tr("in place of unit {unit} of {layer} {by}").format(unit=unit, layer=layer, by=said_by(by))


EDIT = Edit("replaced", "Replaced", MODEL, "replaced:LAYER:UNIT=zero|mean|SAMPLE",
            "a layer, or a channel or unit of it, gives zero, its mean, or what it gives to another input", _read,
            _said, cuts=Replaced)
