"""What the makers of the samples share: where the recipes are, and how a list of samples is written."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent.parent / "models"))  # the recipes say what is held out from training


def data_dir(about: str | None) -> Path:
    """The folder of the data, asked for on the command line."""
    ask = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help="the folder that holds the data of the recipes")
    return ask.parse_args().data_dir


def write(name: str, about: dict[str, Any], samples: list[dict[str, Any]]) -> None:
    """Write `name`.json: what the samples are, then one sample a line."""
    lines = [json.dumps(sample, ensure_ascii=False) for sample in samples]
    text = json.dumps(about, ensure_ascii=False)[:-1] + ', "samples": [\n  ' + ",\n  ".join(lines) + "\n]}\n"
    (HERE / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


def sheet(name: str, tiles: np.ndarray, columns: int) -> None:
    """Write `name`.png: tiles (N, height, width) or (N, height, width, 3), uint8, side by side and row by row."""
    count, height, width, *rest = tiles.shape
    grid = tiles.reshape(count // columns, columns, height, width, *rest).swapaxes(1, 2)
    Image.fromarray(grid.reshape(-1, columns * width, *rest)).save(HERE / f"{name}.png", optimize=True)


def shipped_digits() -> tuple[np.ndarray, np.ndarray]:
    """The images (400, 28, 28) of mnist_digits.png, and their labels (400,)."""
    about = json.loads((HERE / "mnist_digits.json").read_text(encoding="utf-8"))
    height, width = about["tile"]
    with Image.open(HERE / "mnist_digits.png") as whole:
        tiles = np.asarray(whole).reshape(-1, height, about["columns"], width).swapaxes(1, 2)
    return tiles.reshape(-1, height, width), np.array([sample["label"] for sample in about["samples"]])


def evenly(count: int, wanted: int) -> list[int]:
    """`wanted` places among `count`, each in the middle of its share."""
    return [(2 * k + 1) * count // (2 * wanted) for k in range(wanted)]
