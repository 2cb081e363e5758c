"""Colour: the tokens and palettes of a theme, and how numbers become entries of a palette.

A theme is a file in assets/themes. Its palettes are tables of 256 colours, interpolated in OKLab between evenly spaced
stops (Björn Ottosson, "A perceptual color space for image processing", 2020). In a diverging table entry 128 is exactly
zero and the entries 1 … 255 lie symmetrically around it; in a sequential one entry 0 is zero.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer import registry
from visualizer.language import tr

Rgba = tuple[int, int, int, int]
ZERO = 128
"""The entry of a diverging palette that means zero."""
UNKNOWN = 257
"""Stands among entries for a number that is NaN or infinite: an Image hatches it. Only where there is one are entries
wider than a byte."""


Entries = NDArray[Any]
"""Of a palette: bytes; of two bytes each where one of them is UNKNOWN."""


@dataclass(frozen=True, eq=False)
class Theme:
    """One set of colours."""

    name: str
    title: str
    tokens: Mapping[str, str]
    """`ink` -> `#12161C`; eight digits where it is translucent."""
    palettes: Mapping[str, NDArray[np.uint8]]
    """`activation` -> (256, 3). `activation-pale` is the part of it that ink can be read on."""
    hatch_width: float = 1.0
    """Pixels; how thick the 45° lines of a hatching are, and how far apart."""
    hatch_pitch: float = 5.0


def names() -> tuple[str, ...]:
    """Names of the themes, those that have a file."""
    return tuple(_files())


READABLE = 4.5
"""The least contrast of words with what they stand on (WCAG 2.2, 1.4.3)."""
STRONG = "contrast-"
"""So begins the name of a theme's variant of high contrast."""


def is_strong(name: str) -> bool:
    """Whether a theme is of high contrast."""
    return name.startswith(STRONG)


def strong(name: str, wanted: bool) -> str:
    """The variant of a theme with high contrast, or the one without; the theme itself where it has no such variant."""
    plain = name.removeprefix(STRONG)
    return STRONG + plain if wanted and STRONG + plain in names() else plain


@cache
def theme(name: str) -> Theme:
    """The theme of that name; raises LookupError with one sentence."""
    if name not in names():
        raise LookupError(tr("There is no theme {name!r}; choose one of {known}."
                             ).format(name=name, known=", ".join(names())))
    plain = _plain(name)
    palettes = {}
    for key, entry in plain["palettes"].items():
        cuts = {key: 1.0} | ({f"{key}-pale": entry["pale"]} if "pale" in entry else {})
        for cut_name, cut in cuts.items():
            palettes[cut_name] = _table(entry["stops"], entry["diverging"], cut)
    return Theme(name, plain["title"], MappingProxyType(plain["tokens"]), MappingProxyType(palettes),
                 plain["hatch"]["width"], plain["hatch"]["pitch"])


@cache
def resolve(theme_name: str, color: str) -> Rgba:
    """Red, green, blue and opacity, 0 … 255, of a token (`ink`) or a palette entry (`activation:200`).

    Raises LookupError with one sentence if the theme has no such colour.
    """
    found = theme(theme_name)
    if color in found.tokens:
        return _rgba(found.tokens[color])
    palette, _, entry = color.partition(":")
    if palette in found.palettes and entry == str(UNKNOWN):
        return resolve(theme_name, "hatch")
    if palette in found.palettes and entry.isdecimal() and int(entry) < 256:
        red, green, blue = (int(part) for part in found.palettes[palette][int(entry)])
        return red, green, blue, 255
    raise LookupError(f"The theme {theme_name!r} has no colour {color!r}; use a token such as 'ink', or a palette "
                      "entry 0 to 255 such as 'activation:200'.")


@cache
def ink_on(color: str, theme_name: str = "light") -> str:
    """The token, `ink` or `stage`, that is easier to read on a colour, for a sign or a number on a cell; where neither
    is easy to read `black` or `white`, one of which always is."""
    def apart(token: str) -> float:
        return contrast(resolve(theme_name, token), resolve(theme_name, color))

    best = max(("ink", "stage"), key=apart)
    return best if apart(best) >= READABLE else max(("black", "white"), key=apart)


def contrast(one: Rgba, other: Rgba) -> float:
    """Contrast of two opaque colours, 1 … 21 (WCAG 2.1, relative luminance)."""
    lights = sorted(float(np.dot(_linear(np.array(rgba[:3])), (0.2126, 0.7152, 0.0722))) for rgba in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


# --- numbers to entries ---------------------------------------------------------------------------------------------

def signed(values: ArrayLike, largest: float) -> Entries:
    """Entries of a diverging palette: −largest -> 1, zero -> 128, +largest -> 255. Unknown values -> UNKNOWN."""
    known = _known(values)
    if not largest > 0:
        return _marked(values, np.full(known.shape, ZERO, np.uint8))
    with np.errstate(over="ignore"):
        share = np.clip(known / largest, -1, 1)
    return _marked(values, (np.rint(share * 127) + ZERO).astype(np.uint8))


def magnitude(values: ArrayLike, floor: float, largest: float) -> Entries:
    """Entries of a sequential palette by the logarithm of the size: floor -> 1, largest -> 255, both above zero.

    Exactly zero or below the floor -> 0. Unknown values -> UNKNOWN.
    """
    if not floor > 0 or not np.isfinite(largest):
        raise ValueError(f"a logarithmic scale needs a floor above 0 and an end, got {floor} to {largest}")
    sizes = np.abs(_known(values))
    drawn = sizes >= floor
    decades = np.log(largest / floor) if largest > floor else 0.0
    if decades == 0:
        return _marked(values, np.where(drawn, 255, 0).astype(np.uint8))
    share = np.log(np.where(drawn, sizes, floor) / floor) / decades
    return _marked(values, np.where(drawn, 1 + np.rint(254 * np.minimum(share, 1)), 0).astype(np.uint8))


def unit(values: ArrayLike, low: float = 0, high: float = 1) -> Entries:
    """Entries of a sequential palette: low -> 0, high -> 255. Unknown values -> UNKNOWN."""
    known = _known(values)
    if not high > low:
        return _marked(values, np.zeros(known.shape, np.uint8))
    share = np.clip((known - low) / (high - low), 0, 1)
    return _marked(values, np.rint(share * 255).astype(np.uint8))


def _marked(values: ArrayLike, entries: NDArray[np.uint8]) -> Entries:
    """The entries, UNKNOWN where a number is; a byte each where all are known, as almost always."""
    missing = unknown(values)
    return np.where(missing, np.uint16(UNKNOWN), entries) if missing.any() else entries


def largest(*found: ArrayLike) -> float:
    """The largest size among known numbers, the top of their scale; 0 where none is known."""
    return max((_largest(np.asarray(values)) for values in found), default=0.0)


def _largest(values: NDArray[Any]) -> float:
    if values.dtype.kind == "f" and values.size:
        top = max(float(values.max()), -float(values.min()))  # as NaN and infinity come through, no copy is made
        if np.isfinite(top):
            return top
    return float(np.max(np.abs(_known(values)), initial=0.0))


def reach(values: ArrayLike) -> tuple[float, float]:
    """The smallest and the largest known number; 0 and 0 where none is known."""
    values = np.asarray(values)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def unknown(values: ArrayLike) -> NDArray[np.bool_]:
    """Where a number is NaN or infinite: these cells have no colour and are drawn hatched."""
    return np.asarray(~np.isfinite(np.asarray(values)), np.bool_)


def _known(values: ArrayLike) -> NDArray[Any]:
    """Floats with 0 where a number is unknown."""
    values = np.asarray(values)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    return np.where(np.isfinite(values), values, 0)


# --- the file, and the tables ---------------------------------------------------------------------------------------

def _files() -> dict[str, Path]:
    """The file of each theme: one that is added is one more theme."""
    return {path.stem: path for path in registry.files("assets", "themes/*.json")}


def _plain(name: str) -> dict[str, Any]:
    """What the file says, over what its `base` says."""
    plain: dict[str, Any] = json.loads(_files()[name].read_text("utf-8"))
    if "base" not in plain:
        return plain
    base = _plain(plain["base"])
    for part in ("tokens", "palettes"):
        plain[part] = base[part] | plain.get(part, {})
    return base | plain


def _table(stops: list[str], diverging: bool, cut: float) -> NDArray[np.uint8]:
    """(256, 3): the stops interpolated in OKLab; only the part of the range within `cut` of zero."""
    entries = np.arange(256)
    where = 0.5 + cut * np.maximum(entries - ZERO, -127) / 254 if diverging else cut * entries / 255
    lab = _to_oklab(_linear(np.array([_rgba(stop)[:3] for stop in stops])))
    at = np.linspace(0, 1, len(stops))
    between = np.stack([np.interp(where, at, lab[:, axis]) for axis in range(3)], axis=-1)
    table = _to_bytes(_from_oklab(between))
    table.flags.writeable = False
    return table


def _rgba(text: str) -> Rgba:
    red, green, blue, *opacity = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue, opacity[0] if opacity else 255


def _linear(srgb: NDArray[Any]) -> NDArray[np.float64]:
    """Linear light 0 … 1 of sRGB bytes (IEC 61966-2-1)."""
    share = srgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _to_bytes(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    linear = np.clip(linear, 0, 1)
    share = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(share * 255), np.uint8)


_TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                      [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                    [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])


def _to_oklab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T)


def _from_oklab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T)
