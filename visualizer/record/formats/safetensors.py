"""`.safetensors`: a header of names and shapes, then raw numbers. Nothing in it can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from visualizer import registry
from visualizer.language import numeral, tr, translated
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import FROM_PYTHON, Opened
from visualizer.trace import Refused

SUFFIXES = (".safetensors",)
TITLE = "safetensors file"
SAID = ("data", "data_licence", "parameters", "quality", "recipe")
"""What the header of a file says of the weights in it, and of nothing else."""

MOST_TENSORS = 10_000
"""More than this no network has that comes with the app; to read as many as a header names would take seconds."""


def is_one(path: Path) -> bool:
    """Whether it begins with the length of a header, and that with a brace."""
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= registry.MOST_HEADER


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The weights of `path` in the bundled network that they fit, best in the one that the file names; raises
    Refused."""
    from visualizer.record.fitting import attach

    weights, card = tensors(path), registry.card(path)
    opened = attach(weights, path, told, str(card.get("model", "")))
    if card.get("model") != opened.card.get("architecture"):
        return opened
    return replace(opened, card={**{name: card[name] for name in SAID if name in card}, **opened.card})


def tensors(path: Path) -> Mapping[str, Any]:
    """What it holds, by name; raises Refused."""
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        with safe_open(path, "pt") as file:
            count = len(file.keys())
        if count > MOST_TENSORS:
            raise Refused(tr("{file} holds weights only ({count} tensors, no wiring), more than any network has that "
                             "comes with the app; {instead}."
                             ).format(file=path.name, count=numeral(f"{count:,}"), instead=translated(FROM_PYTHON)))
        registry.card(path)
        found: Mapping[str, Any] = load_file(path)
        return found
    except (SafetensorError, ValueError, KeyError) as error:
        raise Refused(tr("{file} is no safetensors file or is cut off ({error}); save or download it again."
                         ).format(file=path.name, error=error)) from error
