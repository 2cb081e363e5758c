"""told: what a command says of a model file that the file does not say of itself, as a Manifest."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from visualizer import beside, manifest
from visualizer.manifest import COLOURS, FITS, LAYOUTS, Manifest
from visualizer.refused import Refused

SCALES = {"0..1": "0 … 1", "0..255": "0 … 255", "-1..1": "−1 … 1"}
OF_CLASS = re.compile(r"(.+\.py):([A-Za-z_][\w.]*)")
"""`net.py:Net`."""


def options(it: argparse.ArgumentParser) -> None:
    """Put what can be said of one's own model among what a command understands."""
    own = it.add_argument_group("your own model", "what its file does not say; kept beside it with --keep")
    own.add_argument("--shape", type=_shape, metavar="1,3,64,64", help="how large the input is, with or without the "
                     "batch")
    own.add_argument("--kind", metavar="KIND", help="what it reads, of `visualizer list inputs`: image, audio, text, …")
    own.add_argument("--layout", choices=LAYOUTS, help="which axis comes first")
    own.add_argument("--values", choices=SCALES, help="what pixels run over: --values=-1..1")
    own.add_argument("--mean", type=_numbers, metavar="M[,M,M]", help="taken from each channel; or, with its divisor, "
                     f"as for {', '.join(beside.PRESETS)}")
    own.add_argument("--divisor", type=_numbers, metavar="D[,D,D]", help="by which it is then divided")
    own.add_argument("--colours", choices=COLOURS, help="in which order")
    own.add_argument("--fit", choices=FITS, help="how a picture of another shape is brought to this one")
    own.add_argument("--labels", metavar="A,B,…|FILE|digits|imagenet", help="names of the classes; a file has one "
                     "a line, or JSON")
    own.add_argument("--answer", metavar="KIND[,NAME=…]", help="what it answers, of `visualizer list answers`: "
                     "string,blank=0")
    own.add_argument("--alphabet", metavar="SYMBOLS|FILE", help="what the numbers 0, 1, 2, … of a text stand for")
    own.add_argument("--class", dest="class_", metavar="NAME", help="the class, function or object in a .py")
    own.add_argument("--arguments", type=_arguments, metavar="{…}", help="with which it is called, as JSON")
    own.add_argument("--weights", metavar="FILE", help="the weights for a .py, in the same folder")
    own.add_argument("--keep", action="store_true", help="write what was said beside the file, for the next time")


OPTIONS = ("shape", "kind", "layout", "values", "mean", "divisor", "colours", "fit", "labels", "answer", "alphabet",
           "class_", "arguments", "weights")


def split(thing: str) -> tuple[str, str]:
    """`net.py:Net` as file and name; any other word as it is."""
    match = OF_CLASS.fullmatch(thing)
    return (match[1], match[2]) if match is not None and Path(match[1]).is_file() else (thing, "")


def said(chosen: argparse.Namespace) -> tuple[Path, Manifest] | None:
    """What a command says of the file that it names, on top of what is kept of it; None where it says nothing. Raises
    Refused with one sentence."""
    named, name = split(str(chosen.thing))
    path = Path(named)
    given: dict[str, Any] = {option: getattr(chosen, option, None) for option in OPTIONS}
    if not name and all(value is None for value in given.values()):
        return None
    if not path.is_file():
        raise Refused(f"{named} is no model file of your own, so there is nothing to be said of it; leave out "
                      f"--{_first(given)}.")
    changes: dict[str, Any] = {key: given[key] for key in ("kind", "layout", "colours", "fit", "weights", "arguments")
                               if given[key] is not None}
    if given["shape"]:
        changes["shape"] = tuple(map(int, given["shape"].split(",")))
    if given["values"]:
        changes["scale"] = SCALES[given["values"]]
    for key in ("mean", "divisor"):
        if isinstance(given[key], str):
            changes["mean"], changes["divisor"] = beside.PRESETS[given[key]]
        elif given[key] is not None:
            changes[key] = given[key]
    if given["labels"]:
        changes["labels"] = _labels(given["labels"])
    if given["answer"]:
        changes["answer"], changes["settings"] = _answer(given["answer"])
    if given["alphabet"]:
        changes["alphabet"] = _alphabet(given["alphabet"])
    if name or given["class_"]:
        changes["name"] = name or given["class_"]
    if "weights" in changes and Path(changes["weights"]).parent.resolve() not in (path.parent.resolve(), Path.cwd()):
        raise Refused(f"{changes['weights']} does not lie beside {path.name}; put both into one folder.")
    if "weights" in changes:
        changes["weights"] = Path(changes["weights"]).name
    try:
        return path, manifest.from_plain(replace(manifest.of(path), **changes).plain())
    except ValueError as error:
        raise Refused(f"What was said of {path.name} is not understood: {error}.") from error


def agreed(chosen: argparse.Namespace) -> Path | None:
    """The Python file that a command runs, whose class it names: to write that is to agree."""
    named, name = split(str(chosen.thing))
    return Path(named) if name or getattr(chosen, "class_", None) else None


def _first(given: dict[str, Any]) -> str:
    return next((option.rstrip("_") for option, value in given.items() if value is not None), "class")


def _shape(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,7}", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no shape; write numbers with commas, for example 1,3,64,64")
    return text


def _numbers(text: str) -> Any:
    if text in beside.PRESETS:
        return text
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no list of numbers; write for example 0.5 or "
                                         f"0.49,0.48,0.45, or one of {', '.join(beside.PRESETS)}") from None


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError
        return dict(manifest.from_plain({"arguments": found}).arguments)
    except (ValueError, RecursionError):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no mapping of plain values; write for example "
                                         '{"width": 16}') from None


def _labels(text: str) -> tuple[str, ...]:
    if known := beside.named(text):
        return known
    return beside.labels_in(text) if Path(text).is_file() else tuple(part.strip() for part in text.split(","))


def _alphabet(text: str) -> tuple[str, ...]:
    """The symbols one after the other, or from a file: of several lines one a line."""
    if not Path(text).is_file():
        return tuple(text)
    words = _words_of(Path(text))
    lines = words.removesuffix("\n").split("\n")
    return tuple(lines) if len(lines) > 1 else tuple(lines[0])


def _words_of(path: Path) -> str:
    """A text file; Refused where it is none."""
    try:
        if path.stat().st_size > manifest.MOST_BYTES:
            raise ValueError("it is too large")
        return path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise Refused(f"{path.name} is no text that can be read ({error}); write one symbol a line.") from error


def _answer(text: str) -> tuple[str, dict[str, Any]]:
    """`string,blank=0`."""
    kind, *rest = text.split(",")
    settings = {}
    for part in rest:
        name, _, value = part.partition("=")
        try:
            settings[name.strip()] = json.loads(value)
        except ValueError:
            settings[name.strip()] = value
    return kind.strip(), settings
