"""bias: a number added to all that one channel or unit of a layer gives, whether it has a bias of its own or not."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Added, number, of_unit
from visualizer.language import numeral, tr


def _read(words: str) -> tuple[str, int, float]:
    place, _, amount = words.partition("=")
    return *of_unit(place), number(amount)


def _said(layer: str, unit: int, amount: float) -> str:
    sign = "+" if amount >= 0 else "−"
    return tr("unit {unit} of {layer} {sign} {amount}").format(unit=unit, layer=layer, sign=sign,
                                                               amount=numeral(f"{abs(amount):g}"))


EDIT = Edit("bias", "Bias added", MODEL, "bias:LAYER:UNIT=AMOUNT", "a number added to what a channel or unit gives",
            _read, _said, cuts=Added)
