"""Numbers as words: one way of writing each kind of number, for every view.

True minus, commas between thousands and a point before the parts, or what the language that is spoken has in their
place; a space before `%`. An exact zero is `0`, and nothing else is ever printed as
nothing but zeros: a number too small for its digits is written with the one that says something.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from visualizer.language import counted_as, numeral, tr

MINUS = "−"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 2) -> str:
    """`5.21`, `−0.38`, `0` if it is exactly zero, `0.004` or `3 × 10⁻⁷` if it only rounds to it, `20,784.00`, `NaN`,
    `−∞`."""
    value = float(value)
    if value == 0:
        return "0"
    words = _unusual(value) or _minus(f"{value:,.{digits}f}")
    return numeral(words) if _says_something(words) else significant(value, 1)


def signed(value: float, digits: int = 2) -> str:
    """The same with a plus, for what is added: `+0.38`, `−0.38`, `0`, `+0.004`, `+∞`."""
    words = number(value, digits)
    return f"+{words}" if value > 0 else words


def brief(value: float, digits: int = 2, plus: bool = False) -> str:
    """The same where many stand side by side in little room: `≈0` for what only rounds to zero."""
    rounded = abs(float(value)) < 0.5 * 10.0 ** -digits and value != 0
    return "≈0" if rounded else signed(value, digits) if plus else number(value, digits)


def gradient(value: float) -> str:
    """With its sign, and two digits that say something however small it is: `+0.0312`, `−4.1 × 10⁻⁹`, `0`."""
    value = float(value)
    if value == 0 or not 0 < abs(value) < 1e-3:
        return signed(value, 4)
    return f"{'+' if value > 0 else ''}{power(value)}"


def percent(share: float, digits: int = 1) -> str:
    """`77.0 %` of 0.77; `0 %` if nothing at all, `0.0 %` if less than can be seen."""
    hundredths = float(share) * 100
    words = "0" if hundredths == 0 else _unusual(hundredths) or _minus(f"{hundredths:,.{digits}f}")
    return numeral(f"{words} %")


def count(value: int) -> str:
    """`22,090`."""
    return numeral(_minus(f"{value:,}"))


def parameters(number: int) -> str:
    """`1 parameter`, `22,090 parameters`."""
    return counted_as(number, tr("{count} parameter"), tr("{count} parameters")).format(count=count(number))


def units(number: int, written: str = "") -> str:
    """`1 unit`, `64 units`; `written` is the number with what it claims to be."""
    return counted_as(number, tr("{count} unit"), tr("{count} units")).format(count=written or count(number))


def others(number: int, written: str = "") -> str:
    """`1 other`, `64 others`."""
    return counted_as(number, tr("{count} other"), tr("{count} others")).format(count=written or count(number))


def amount(value: float | int) -> str:
    """`0.232` of what is measured, `2` of what is counted."""
    return count(value) if isinstance(value, int) else number(value, 3)


def power(value: float, digits: int = 1) -> str:
    """`1.8 × 10⁻⁶`; numbers whose power of ten is 0 stand without one."""
    value = float(value)
    if value == 0 or _unusual(value):
        return number(value)
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    tens = str(int(exponent)).translate(_SUPERSCRIPTS)
    return numeral(_minus(mantissa)) + (f" × 10{tens}" if int(exponent) else "")


def power_of_ten(exponent: int) -> str:
    """For an axis: `0.01`, `1`, `100`; beyond that `10⁻⁶`."""
    return short(10.0 ** exponent) if -3 < exponent < 4 else f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def short(value: float, plus: bool = False) -> str:
    """With the digits that it has, no more than six: `0.05`, `−2`, `0`; with `plus` as what is added."""
    return numeral(f"{value:{'+' if plus else ''}g}").replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """So many digits that say something: `5.21`, `0.0123`, `1,235`; as a power of ten below 0.0001 and from 10⁹ on."""
    value = float(value)
    if value == 0 or _unusual(value):
        return number(value)
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    if not -5 < exponent < 9:
        return power(value, digits - 1)
    return number(value, max(0, digits - 1 - exponent))


def shape(sizes: Iterable[int]) -> str:
    """`6 × 28 × 28`; nothing for a single number."""
    return " × ".join(count(size) for size in sizes)


def _unusual(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("∞" if value > 0 else f"{MINUS}∞") if math.isinf(value) else ""


def _minus(words: str) -> str:
    """A true minus; none before what is printed as nothing but zeros."""
    bare = words.removeprefix("-")
    return f"{MINUS}{bare}" if bare != words and _says_something(bare) else bare


def _says_something(words: str) -> bool:
    return any(letter not in "0.," for letter in words)
