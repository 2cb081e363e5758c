"""Words for sentences: numbers in the manner of the language, with true minus signs, plurals, shapes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from visualizer.language import english, numeral, single, tr, translated
from visualizer.said import Claim, axis, lengths, said
from visualizer.trace import Layer

_SMALL = (english("no"), english("one"), english("two"), english("three"), english("four"), english("five"),
          english("six"), english("seven"), english("eight"), english("nine"))
THINGS = {
    english("channel"): english("channels"), english("group"): english("groups"), english("layer"): english("layers"),
    english("map"): english("maps"), english("number"): english("numbers"), english("place"): english("places"),
    english("product"): english("products"), english("row"): english("rows"), english("slice"): english("slices"),
    english("step"): english("steps"), english("target"): english("targets"), english("token"): english("tokens"),
    english("value"): english("values"),
    english("weight"): english("weights"), english("class"): english("classes"), english("unit"): english("units"),
    english("column"): english("columns"), english("feature"): english("features"),
    english("level"): english("levels"), english("part"): english("parts"), english("batch"): english("batches"),
    english("item"): english("items"),
}
"""What is counted, and axes: one of them, and several."""
_LITERAL = re.compile(r"[+−]?\d+")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(number: int, *claim: *Claim) -> str:
    """`1,234`, of which `claim` says what it is."""
    return said(_count(number), *claim)


def few(number: int, *claim: *Claim) -> str:
    """`six`, from ten on `12`."""
    return said(translated(_SMALL[number]) if 0 <= number < len(_SMALL) else _count(number), *claim)


def some(number: int, thing: str, *claim: *Claim) -> str:
    """`1 map`, `12 maps`: one of THINGS, or the name of an axis that nobody translates."""
    return f"{count(number, *claim)} {translated(thing if single(number) else THINGS.get(thing, thing + 's'))}"


def fixed(words: str, layer: Layer) -> str:
    """The words, and that the numbers in them belong to the operation, whatever it reads: `between 0 and 1`."""
    places = itertools.count()
    return _LITERAL.sub(lambda found: said(found[0], "constant of the operation", layer.name, (next(places),)), words)


def value(number: float, *claim: *Claim) -> str:
    """Three digits that say something: `5.21`, `−0.0123`, `1.8 × 10⁻⁷`; a whole number with its commas."""
    return said(plain(number), *claim)


def one(layer: Layer, array: str = "") -> str:
    """The value of a layer that is a single number."""
    found = layer.output if not array else getattr(layer, array)
    return value(float(found.reshape(-1)[0]), "value", layer.name, (0,) * found.ndim, None, array)


def _count(number: int) -> str:
    return numeral(f"{number:,}").replace("-", "−")


def plain(number: float) -> str:
    """The same of what a part of a number is made of."""
    if not np.isfinite(number):
        return "NaN" if np.isnan(number) else "∞" if number > 0 else "−∞"
    if number == round(number) and abs(number) < 1e15:
        return _count(int(number))
    if abs(number) >= 1e9 or abs(number) < 1e-4:
        digits, power = f"{number:.2e}".split("e")
        return f"{numeral(digits)} × 10{str(int(power)).translate(_RAISED)}".replace("-", "−")
    return numeral(f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}").replace("-", "−")


def percent(part: int, total: int, *claim: *Claim) -> str:
    """`36 %`; never `0 %` of something, nor `100 %` of less than everything."""
    return said(_percent(part, total), *claim)


def _percent(part: int, total: int) -> str:
    if part in (0, total):
        return "0 %" if part == 0 else "100 %"
    share = 100 * part / total
    return numeral(f"{share:.1f} %") if share < 1 or share > 99 else f"{share:.0f} %"


def by(sizes: Sequence[int], layer: Layer, setting: str) -> str:
    """`3 × 3`, or just `5`: sizes that a setting of a layer says."""
    return " × ".join(count(int(size), "setting", layer.name, (place,), None, setting)
                      for place, size in enumerate(sizes))


def window(size: str, several: bool = False) -> str:
    """`3 × 3 window`, along one axis `window of 3`, of `3 × 3` or `3`."""
    flat = "×" not in size
    if several:
        words = tr("windows of {size}") if flat else tr("{size} windows")
    else:
        words = tr("window of {size}") if flat else tr("{size} window")
    return words.format(size=size)


def shape(layer: Layer) -> str:
    """`12 × 6 × 6`, `10 numbers`, `one number`."""
    return lengths(layer) if len(layer.shape) > 1 else some(layer.shape[0], "number", *axis(layer, 0)) \
        if layer.shape else tr("one number")


def becomes(source: Layer, layer: Layer) -> str:
    """`12 × 6 × 6 → 432`."""
    return f"{lengths(source) or '1'} → {lengths(layer) or '1'}"


def spread(layer: Layer, name: str = "output") -> str:
    """`from −0.3 to 5.21`, of the output of a layer or of another array; NaN and infinity are named."""
    group, _, key = name.partition(".")
    array = getattr(layer, group)[key] if key else getattr(layer, group)
    if not array.size:
        return tr("no numbers")
    finite = array[np.isfinite(array)]
    if not finite.size:
        return tr("no finite number")
    low = value(float(finite.min()), "smallest that is finite", layer.name, (), None, name)
    high = value(float(finite.max()), "largest that is finite", layer.name, (), None, name)
    strange = int(array.size - finite.size)
    if not strange:
        return tr("from {low} to {high}").format(low=low, high=high)
    return tr("from {low} to {high}, and {count} NaN or infinite").format(low=low, high=high, count=count(
        strange, "how many are not finite", layer.name, (), None, name))


def dropping(sizes: Sequence[int], single: int, words: str, layer: Layer, setting: str) -> str:
    """`stride 2` from `stride {size}`, unless every size is the ordinary `single`; `stride 2 × 1` if they differ."""
    if all(size == single for size in sizes):
        return ""
    return words.format(size=by(sizes if len(set(sizes)) > 1 else sizes[:1], layer, setting))
