"""What lies beside a model file and tells of it: names of its classes, and how its pictures were made ready.

Anybody may have written these files: they are read up to a size, and what is not understood is as if it was not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from visualizer import manifest, registry
from visualizer.language import tr
from visualizer.manifest import MOST_BYTES, MOST_NAMES, Input
from visualizer.refused import Refused

DIGITS = tuple("0123456789")
NAMED: Mapping[str, tuple[str, ...]] = {
    "digits": DIGITS, "letters": tuple("abcdefghijklmnopqrstuvwxyz"),
    "cifar": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
"""Lists of labels that are known by a name; files in `assets/labels` are others."""
PRESETS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "none": ((), ()),
    "half": ((0.5,), (0.5,)),
    "mnist": ((0.1307,), (0.3081,)),
    "cifar": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Mean and divisor of pixels 0 … 1, by the name of the data whose they are; `half` makes −1 … 1 of them."""
CONFIGS = ("config.json", "preprocessor_config.json")


def named(name: str) -> tuple[str, ...]:
    """The labels of a list that is known by its name, one of NAMED or a file in `assets/labels`; none if it is none."""
    if name in NAMED:
        return NAMED[name]
    known = {path.stem: path for path in registry.files("assets", "labels/*.json")}
    return tuple(json.loads(known[name].read_text(encoding="utf-8"))["names"]) if name in known else ()


def labels_in(path: str | Path) -> tuple[str, ...]:
    """The names of classes in a file: one a line, or JSON: a list, or numbers with their names. Raises Refused with one
    sentence."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(tr("it is larger than {most} MB").format(most=MOST_BYTES >> 20))
        words = data.decode("utf-8-sig")
        if path.suffix.lower() == ".json":
            found = _labels_of(json.loads(words))
        else:
            found = [line.strip() for line in words.strip().splitlines()]
        if not found:
            raise ValueError(tr("it names none"))
        return manifest.from_plain({"labels": found}).labels
    except (OSError, ValueError, RecursionError) as error:
        why = tr("there is no such file") if isinstance(error, FileNotFoundError) else \
            str(error).partition("\n")[0].rstrip(".")[:120] or type(error).__name__
        raise Refused(tr("{file} holds no labels that can be read ({why}); write one a line.").format(
            file=path.name, why=why)) from error


def labels_of(path: str | Path, count: int) -> tuple[tuple[str, ...], str]:
    """So many names of classes from a file beside a model file, and the name of that file; none and "" where there is
    none of just so many."""
    path = Path(path)
    for name in dict.fromkeys((f"{path.stem}.labels.txt", f"{path.name}.labels.txt", f"{path.stem}.labels.json",
                               f"{path.stem}.txt", "labels.txt", "labels.json", "classes.txt", CONFIGS[0])):
        with suppress(Refused, OSError):
            place = path.with_name(name)
            if place.is_file() and len(found := labels_in(place)) == count:
                return found, name
    return (), ""


def _labels_of(plain: Any) -> list[Any]:
    """Names in the order of their numbers."""
    if isinstance(plain, list):
        return plain
    if not isinstance(plain, Mapping):
        raise ValueError(tr("it is neither a list nor numbers with names"))
    for key in ("id2label", "labels", "label_names", "classes"):
        if isinstance(plain.get(key), list | Mapping) and plain[key]:
            return _labels_of(plain[key])
    if plain and all(isinstance(value, int) for value in plain.values()):
        plain = {str(value): key for key, value in plain.items()}  # label2id
    if not plain or len(plain) > MOST_NAMES or set(plain) != {str(number) for number in range(len(plain))}:
        raise ValueError(tr("its numbers are not 0, 1, 2, …"))
    names = [plain[str(number)] for number in range(len(plain))]
    return [name[-1] if isinstance(name, list) and name else name for name in names]  # ["n01440764", "tench"]


def prepared_as(path: str | Path) -> tuple[Input, str]:
    """How pictures or sounds are made ready, as a `config.json` of timm or a `preprocessor_config.json` of Hugging Face
    beside a model file says, and the name of that file; an empty Input and "" where none does."""
    for name in CONFIGS:
        with suppress(OSError, ValueError, RecursionError, TypeError, AttributeError, OverflowError):
            place = Path(path).with_name(name)
            if not place.is_file() or place.stat().st_size > MOST_BYTES:
                continue
            plain = json.loads(place.read_text("utf-8"))
            said = dict(_timm(plain) or _hugging(plain))
            if said:
                made = manifest.from_plain(said)
                return Input(**{item: getattr(made, item) for item in said}), name
    return Input(), ""


def _timm(plain: Mapping[str, Any]) -> list[tuple[str, Any]]:
    held = plain.get("pretrained_cfg", plain)
    if not isinstance(held, Mapping) or "mean" not in held or "std" not in held:
        return []
    found: list[tuple[str, Any]] = [("mean", held["mean"]), ("divisor", held["std"]), ("scale", "0 … 1")]
    if isinstance(held.get("input_size"), list):
        found.append(("shape", held["input_size"]))
    if isinstance(held.get("crop_pct"), float | int) and 0 < held["crop_pct"] <= 1:
        found += [("crop", held["crop_pct"]), ("fit", "squeeze" if held.get("crop_mode") == "squash" else "crop")]
    if held.get("interpolation") in manifest.RESAMPLES:
        found.append(("resample", held["interpolation"]))
    return found


RESAMPLED = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Numbers of Pillow."""


def _hugging(plain: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    if "image_mean" in plain or "do_rescale" in plain or "do_resize" in plain:
        factor = plain.get("rescale_factor", 1 / 255) if plain.get("do_rescale", True) else 1.0
        if isinstance(factor, int | float):
            found.append(("scale", "0 … 255" if factor == 1 else "−1 … 1" if abs(factor * 127.5 - 1) < 1e-3 else
                          "0 … 1"))
        if plain.get("do_normalize", True) and "image_mean" in plain and "image_std" in plain:
            found += [("mean", plain["image_mean"]), ("divisor", plain["image_std"])]
        cut = plain.get("do_center_crop") and plain.get("crop_size")
        size, whole = _sides(cut or plain.get("size")), _sides(plain.get("size"))
        if size:
            found.append(("shape", [3, *size]))
        found.append(("fit", "crop" if cut or (isinstance(plain.get("size"), Mapping) and "shortest_edge" in
                                               plain["size"]) else "squeeze"))
        if cut and size and whole and 0 < size[0] / whole[0] <= 1:
            found.append(("crop", size[0] / whole[0]))
        if plain.get("resample") in RESAMPLED:
            found.append(("resample", RESAMPLED[plain["resample"]]))
    if isinstance(plain.get("sampling_rate"), int):
        found.append(("rate", plain["sampling_rate"]))
    return found


def _sides(size: Any) -> list[int]:
    """Rows and columns."""
    if isinstance(size, Mapping):
        size = [size["height"], size["width"]] if "height" in size else size.get("shortest_edge")
    sides = [size, size] if isinstance(size, int) else size if isinstance(size, list) and len(size) == 2 else []
    return sides if all(isinstance(side, int) and side > 0 for side in sides) else []
