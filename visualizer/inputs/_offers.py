"""Offers: what a model file declares of one input, and what a kind of input makes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from visualizer.manifest import Input
from visualizer.trace import Array

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """One input as a model file declares it."""

    sizes: tuple[int | None, ...]
    """Without the batch; None for any size."""
    dtype: str = "float32"
    batched: bool = True
    """Whether an axis of samples stands before these."""
    usual: tuple[int, ...] = ()
    """Without the batch; of a size that may be any, the one that is tried first."""
    alone: bool = True
    """Whether it is the only input of its model."""

    @property
    def floats(self) -> bool:
        return "float" in self.dtype

    @property
    def whole(self) -> bool:
        return not self.floats and "complex" not in self.dtype

    def in_words(self) -> str:
        """`3 × any × 32`."""
        return " × ".join("any" if size is None else str(size) for size in self.sizes) or "1"


@dataclass(frozen=True)
class Settled:
    """What is taken for true of an input."""

    said: Input
    asked: tuple[str, ...] = ()
    """Names of what of it nobody has said."""


def never(offer: Offer, told: Input) -> bool:
    return False


def as_told(offer: Offer, told: Input, preset: Input) -> Settled:
    """Nothing to be asked. Raises ValueError with a few words where what was told does not go with the offer."""
    return Settled(told)


def no_facts(offer: Offer, said: Input) -> dict[str, Any]:
    return {}


def as_it_is(raw: Any, offer: Offer, said: Input, facts: Facts) -> Array:
    """Numbers as they are; bytes for a model that reads fractions as 0 … 1."""
    array = np.asarray(raw)
    return array / np.float32(255) if array.dtype == np.uint8 and offer.floats else array


def normalised(values: Array, said: Input) -> Array:
    """Minus the mean, divided by the divisor, both along the last axis."""
    if not said.mean and not said.divisor:
        return values
    found: Array = (values - np.array(said.mean or (0.0,), np.float32)) / np.array(said.divisor or (1.0,), np.float32)
    return found


# --- pictures -------------------------------------------------------------------------------------------------------

LEAST_SIDE, MOST_SIDE = 8, 4096
"""Of what can be seen as a picture."""


def is_picture(sizes: Any, last: bool = False) -> bool:
    """Whether a shape without the batch is that of a picture: channels, rows, columns; or with the channels last."""
    sizes = [sizes[2], *sizes[:2]] if last and len(sizes) == 3 else sizes
    return len(sizes) == 3 and sizes[0] in (1, 3) and all(
        size is None or LEAST_SIDE <= size <= MOST_SIDE for size in sizes[1:])


def layout_of(offer: Offer, told: Input) -> str:
    """Where its channels stand, as told, or as the sizes say."""
    if told.layout.startswith("channels"):
        return told.layout
    return "channels last" if is_picture(offer.sizes, True) and not is_picture(offer.sizes) else "channels first"


def channels_of(offer: Offer, layout: str) -> int:
    if len(offer.sizes) != 3:
        return 1
    return int((offer.sizes[2] if layout == "channels last" else offer.sizes[0]) or 3)


def of_picture(offer: Offer, told: Input, preset: Input, fixed: tuple[str, ...] = ()) -> Settled:
    """Scale, colours, fit, mean and divisor of a picture: told, or from a file beside the model, or proposed; the
    `fixed` ones are not asked."""
    layout = layout_of(offer, told)
    channels = channels_of(offer, layout)
    preset = preset if len(preset.mean) == len(preset.divisor) and len(preset.mean) in (0, 1, channels) else Input()
    usual = {"scale": "0 … 255" if offer.whole else preset.scale or "0 … 1",
             "colours": "RGB" if channels >= 3 else "grey", "fit": preset.fit or "crop"}
    known = {*fixed, *(["scale"] if preset.scale or offer.whole else []), *(["fit"] if preset.fit else []),
             *(["colours"] if channels < 3 else [])}
    asked = [name for name in usual if name not in known and not getattr(told, name)]
    said = replace(told, layout=layout, scale=told.scale or usual["scale"], colours=told.colours or usual["colours"],
                   fit=told.fit or usual["fit"])
    if not told.mean and not told.divisor and preset.mean:
        said = replace(said, mean=preset.mean, divisor=preset.divisor, crop=told.crop or preset.crop,
                       resample=told.resample or preset.resample)
    elif not told.mean and not told.divisor and not offer.whole:
        asked.append("mean")
    if len(said.mean) not in (0, 1, channels) or len(said.divisor) not in (0, 1, channels):
        raise ValueError(f"mean and divisor are one number, or one for each of {channels} channels")
    return Settled(said, tuple(asked))


def facts_of_picture(offer: Offer, said: Input) -> dict[str, Any]:
    return {"scale": said.scale, "layout": said.layout, "fit": said.fit, "crop": said.crop, "resample": said.resample}


def fed_picture(raw: Any, offer: Offer, said: Input, facts: Facts) -> Array:
    """Pixels (row, column) or (row, column, red green blue) as the model takes them, without the batch: scaled, then
    minus the mean, divided by the divisor, each channel by its own. What is no pixels stays as it is."""
    pixels = np.asarray(raw)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        return pixels
    values = pixels if said.scale == "0 … 255" else pixels / np.float32(255)
    values = values * np.float32(2) - np.float32(1) if said.scale == "−1 … 1" else values
    values = values[..., None] if values.ndim == 2 else values
    channels = channels_of(offer, said.layout)
    values = np.repeat(values, channels, 2) if values.shape[2] == 1 and channels > 1 else values
    values = normalised(values[..., ::-1] if said.colours == "BGR" else values, said)
    if len(offer.sizes) != 3:
        return np.ascontiguousarray(values).reshape(-1 if len(offer.sizes) == 1 else offer.usual)
    return np.ascontiguousarray(values if said.layout == "channels last" else values.transpose(2, 0, 1))
