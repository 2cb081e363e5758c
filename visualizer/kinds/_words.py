"""Words for sentences: numbers with thousands commas and true minus signs, plurals, shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.language import english, tr, translated
from visualizer.trace import Array

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
}
"""What is counted, and axes: one of them, and several."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(number: int) -> str:
    """`1,234`."""
    return f"{number:,}".replace("-", "−")


def few(number: int) -> str:
    """`six`, from ten on `12`."""
    return translated(_SMALL[number]) if 0 <= number < len(_SMALL) else count(number)


def some(number: int, thing: str) -> str:
    """`1 map`, `12 maps`: one of THINGS, or the name of an axis that nobody translates."""
    return f"{count(number)} {translated(thing if number == 1 else THINGS.get(thing, thing + 's'))}"


def value(number: float) -> str:
    """Three digits that say something: `5.21`, `−0.0123`, `1.8 × 10⁻⁷`; a whole number with its commas."""
    if not np.isfinite(number):
        return "NaN" if np.isnan(number) else "∞" if number > 0 else "−∞"
    if number == round(number) and abs(number) < 1e15:
        return count(int(number))
    if abs(number) >= 1e9 or abs(number) < 1e-4:
        digits, power = f"{number:.2e}".split("e")
        return f"{digits} × 10{str(int(power)).translate(_RAISED)}".replace("-", "−")
    return (f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}").replace("-", "−")


def percent(part: int, total: int) -> str:
    """`36 %`; never `0 %` of something, nor `100 %` of less than everything."""
    if part in (0, total):
        return "0 %" if part == 0 else "100 %"
    share = 100 * part / total
    return f"{share:.1f} %" if share < 1 or share > 99 else f"{share:.0f} %"


def by(sizes: Sequence[int]) -> str:
    """`3 × 3`, or just `5`."""
    return " × ".join(count(int(size)) for size in sizes)


def window(kernel: Sequence[int], several: bool = False) -> str:
    """`3 × 3 window`, along one axis `window of 3`."""
    if several:
        words = tr("{size} windows") if len(kernel) > 1 else tr("windows of {size}")
    else:
        words = tr("{size} window") if len(kernel) > 1 else tr("window of {size}")
    return words.format(size=by(kernel))


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return tr("{several} and {last}").format(several=", ".join(words[:-1]), last=words[-1])


def shape(sizes: Sequence[int]) -> str:
    """`12 × 6 × 6`, `10 numbers`, `one number`."""
    return by(sizes) if len(sizes) > 1 else some(int(sizes[0]), "number") if sizes else tr("one number")


def spread(array: Array) -> str:
    """`from −0.3 to 5.21`; NaN and infinity are named."""
    if not array.size:
        return tr("no numbers")
    finite = array[np.isfinite(array)]
    if not finite.size:
        return tr("no finite number")
    low, high, strange = value(float(finite.min())), value(float(finite.max())), int(array.size - finite.size)
    if not strange:
        return tr("from {low} to {high}").format(low=low, high=high)
    return tr("from {low} to {high}, and {count} NaN or infinite").format(low=low, high=high, count=count(strange))


def dropping(sizes: Sequence[int], single: int, words: str) -> str:
    """`stride 2` from `stride {size}`, unless every size is the ordinary `single`; `stride 2 × 1` if they differ."""
    if all(size == single for size in sizes):
        return ""
    return words.format(size=by(sizes) if len(set(sizes)) > 1 else count(int(sizes[0])))
