"""The bundled samples: lists in `assets/samples/*.json`, of which some have a picture of tiles beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import registry
from visualizer.language import tr
from visualizer.trace import Refused, Sample


@dataclass(frozen=True, eq=False)
class Given:
    """One input, ready for the model's own `prepare`."""

    sample: Sample
    raw: Any
    """Pixels (row, column) uint8, numbers (step, feature), a waveform, a text, or several of them by name."""
    digits: tuple[int, ...] = ()
    """What is written on a strip, or said in a sound, if that is known."""
    following: str = ""
    """The character that comes after a passage, if that is known."""
    truth: Any = None
    """What should be answered, where it is no class: boxes, a mask, a picture, numbers; as an answer kind reads it."""


@dataclass(frozen=True, eq=False)
class Item:
    """One sample as its list describes it."""

    about: Mapping[str, Any]
    folder: Path
    """Where files stand that it names."""
    tile: NDArray[np.uint8] | None = None
    """Its pixels (row, column), or (row, column, channel), where the list has a picture beside it."""

    @property
    def name(self) -> str:
        return str(self.about["name"])

    @property
    def label(self) -> int | None:
        label = self.about.get("label")
        return label if isinstance(label, int) else None

    @property
    def in_words(self) -> str:
        """`Sea change`."""
        return self.name.replace("-", " ").capitalize()


@dataclass(frozen=True, eq=False)
class SampleSheet:
    """A list of samples of one kind."""

    kind: str
    path: Path
    about: Mapping[str, Any]
    items: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def belongs(self) -> str:
        """Of which models they are samples: of those whose card names this in the `samples` of its input."""
        return str(self.about.get("for", ""))

    @cached_property
    def image(self) -> NDArray[np.uint8] | None:
        """The tiles, row by row; None where there are none."""
        if "tile" not in self.about:
            return None
        from PIL import Image  # not before a picture is needed: the first paint does without

        try:
            with Image.open(self.path.with_suffix(".png"), formats=("PNG",)) as image:
                whole = np.array(image.convert("RGB" if self.about.get("colours") else "L"))
        except (OSError, ValueError) as error:
            raise _damaged(self.path, error) from error
        whole.flags.writeable = False
        return whole

    def item(self, index: int) -> Item:
        tile = None
        if self.image is not None:
            (height, width), columns = self.about["tile"], self.about["columns"]
            row, column = index // columns * height, index % columns * width
            tile = self.image[row:row + height, column:column + width]
        return Item(self.items[index], self.path.parent, tile)


@dataclass(frozen=True)
class SamplePlace:
    """Where a sample stands."""

    kind: str
    sheet: SampleSheet
    index: int


@cache
def sheets() -> tuple[SampleSheet, ...]:
    """All lists, by the names of their files."""
    return tuple(_sheet(path) for path in registry.files("assets", "samples/*.json"))


@cache
def places() -> Mapping[str, SamplePlace]:
    """Every sample by its name."""
    return {str(item["name"]): SamplePlace(sheet.kind, sheet, index) for sheet in sheets()
            for index, item in enumerate(sheet.items)}


def fits(sheet: SampleSheet, kind: str | None, facts: Mapping[str, Any] | None) -> bool:
    """Whether a list is of a kind, and meant for a model whose card says `facts` of its input, where that is asked."""
    return kind in (None, sheet.kind) and (facts is None or sheet.belongs == facts.get("samples", ""))


def _sheet(path: Path) -> SampleSheet:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return SampleSheet(about["kind"], path, about, tuple(about["samples"]))
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> Refused:
    return Refused(tr("The bundled samples {file} cannot be read ({why}); install Visualizer again.").format(
        file=path.name, why=error))
