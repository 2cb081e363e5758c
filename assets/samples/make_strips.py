"""Make strips.png and strips.json: 24 strips of 3 to 6 digits, laid out from the digits of mnist_digits.png.

    python make_strips.py

The sheet is 3 x 8 tiles of 32 x 160 pixels, 8 bit grey, stroke 255 on background 0, row by row in the order of the
list. `digits` are indices in the MNIST test set; `left` and `top` say where on the strip each digit lies, once it is
cut to its inked columns. Which digits, and where, is random, as in the measure of the CRNN itself.
"""

from __future__ import annotations

import json
from typing import Any

import _samples
import crnn_strip
import numpy as np
from PIL import Image

COUNT, COLUMNS = 24, 3
SEED = 2


def shipped_digits() -> tuple[np.ndarray, dict[str, Any]]:
    """Images (400, 28, 28), and the list that says what they are."""
    about = json.loads((_samples.HERE / "mnist_digits.json").read_text(encoding="utf-8"))
    sheet = np.asarray(Image.open(_samples.HERE / "mnist_digits.png"))
    height, width = about["tile"]
    tiles = sheet.reshape(-1, height, about["columns"], width).swapaxes(1, 2).reshape(-1, height, width)
    return tiles, about


def choose(images: np.ndarray, shipped: list[dict[str, Any]]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The 24 strips (24, 32, 160), and what is on each."""
    chance = np.random.default_rng(SEED)
    strips, samples = [], []
    for number in range(1, COUNT + 1):
        chosen, left, top = crnn_strip.lay(images, chance)
        label = [shipped[i]["label"] for i in chosen]
        strips.append(crnn_strip.compose(images[chosen], left, top))
        samples.append(
            {
                "name": f"strip-{number}",
                "label": label,
                "digits": [shipped[i]["index"] for i in chosen],
                "left": left,
                "top": top,
            }
        )
    return np.stack(strips), samples


def main() -> None:
    images, shipped = shipped_digits()
    strips, samples = choose(images, shipped["samples"])
    count, height, width = strips.shape
    sheet = strips.reshape(count // COLUMNS, COLUMNS, height, width).swapaxes(1, 2).reshape(-1, COLUMNS * width)
    Image.fromarray(sheet).save(_samples.HERE / "strips.png", optimize=True)
    about = {
        "kind": "strip",
        "title": "Strips of MNIST test digits",
        "tile": [height, width],
        "columns": COLUMNS,
        "licence": shipped["licence"],
    }
    _samples.write("strips", about, samples)


if __name__ == "__main__":
    main()
