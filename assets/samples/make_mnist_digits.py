"""Make mnist_digits.png and mnist_digits.json: 400 test digits of MNIST, 40 of each class.

    python make_mnist_digits.py DATA_DIR      (the folder that holds mnist/mnist.npz)

The sheet is 20 x 20 tiles of 28 x 28 pixels, 8 bit grey, stroke 255 on background 0, row by row in the order of the
list. Twelve opening digits are chosen by eye (2148 is a 4 that is easily taken for a 9); the rest of each class is
taken at even distances through the test set, and follows in the order of the test set.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

OPENING = (2148, 3, 4, 18, 7, 11, 61, 15, 84, 0, 5, 2)
PER_CLASS = 40
COLUMNS = 20
LICENCE = (
    "MNIST by Yann LeCun and Corinna Cortes, derived from NIST data, CC BY-SA 3.0 "
    "(https://creativecommons.org/licenses/by-sa/3.0/)"
)


def choose(labels: np.ndarray) -> list[int]:
    """Test indices of the 400 digits, in the order of the sheet."""
    rest = []
    for label in range(10):
        members = [i for i in np.flatnonzero(labels == label).tolist() if i not in OPENING]
        wanted = PER_CLASS - sum(labels[i] == label for i in OPENING)
        rest += [members[k * len(members) // wanted] for k in range(wanted)]
    return [*OPENING, *sorted(rest)]


def sheet(tiles: np.ndarray, columns: int) -> np.ndarray:
    """Tiles (N, height, width) side by side and row by row: one picture (rows * height, columns * width)."""
    count, height, width = tiles.shape
    grid = tiles.reshape(count // columns, columns, height, width)
    return grid.swapaxes(1, 2).reshape(count // columns * height, columns * width)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help="the folder that holds mnist/mnist.npz")
    with np.load(ask.parse_args().data_dir / "mnist" / "mnist.npz") as mnist:
        images, labels = mnist["x_test"], mnist["y_test"]

    chosen = choose(labels)
    about = {
        "kind": "image",
        "title": "MNIST test digits",
        "tile": [28, 28],
        "columns": COLUMNS,
        "licence": LICENCE,
    }
    samples = [json.dumps({"name": f"digit-{i}", "index": i, "label": int(labels[i])}) for i in chosen]
    beside = Path(__file__).with_name("mnist_digits")
    Image.fromarray(sheet(images[chosen], COLUMNS)).save(beside.with_suffix(".png"), optimize=True)
    text = json.dumps(about)[:-1] + ', "samples": [\n  ' + ",\n  ".join(samples) + "\n]}\n"
    beside.with_suffix(".json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
