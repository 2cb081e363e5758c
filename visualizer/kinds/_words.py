"""Words for sentences: numbers with thousands commas and true minus signs, plurals, shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.trace import Array

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(number: int) -> str:
    """`1,234`."""
    return f"{number:,}".replace("-", "−")


def few(number: int) -> str:
    """`six`, from ten on `12`."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else count(number)


def some(number: int, thing: str, things: str = "") -> str:
    """`1 map`, `12 maps`."""
    return f"{count(number)} {thing if number == 1 else things or thing + 's'}"


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


def window(kernel: Sequence[int], word: str = "window") -> str:
    """`3 × 3 window`, along one axis `window of 3`."""
    return f"{by(kernel)} {word}" if len(kernel) > 1 else f"{word} of {count(int(kernel[0]))}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def shape(sizes: Sequence[int]) -> str:
    """`12 × 6 × 6`, `10 numbers`, `one number`."""
    return by(sizes) if len(sizes) > 1 else some(int(sizes[0]), "number") if sizes else "one number"


def spread(array: Array) -> str:
    """`from −0.3 to 5.21`; NaN and infinity are named."""
    if not array.size:
        return "no numbers"
    finite = array[np.isfinite(array)]
    if not finite.size:
        return "no finite number"
    words = f"from {value(float(finite.min()))} to {value(float(finite.max()))}"
    strange = int(array.size - finite.size)
    return words + (f", and {count(strange)} NaN or infinite" if strange else "")


def dropping(sizes: Sequence[int], single: int, word: str) -> str:
    """`, stride 2` unless every size is the ordinary `single`; `, stride 2 × 1` if they differ."""
    if all(size == single for size in sizes):
        return ""
    return f", {word} {by(sizes) if len(set(sizes)) > 1 else count(int(sizes[0]))}"
