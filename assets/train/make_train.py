"""Make mnist_train.png, mnist_train.json and shakespeare_train.txt: what a network learns from in the app.

    python make_train.py DATA_DIR      (the folder that holds mnist/mnist.npz and tinyshakespeare/input.txt)

4,000 digits of the training set of MNIST, 400 of each class at even distances through the set, in an order that has all
classes mixed; and the first 200,000 characters of Tiny Shakespeare, of whose last tenth the samples are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
PER_CLASS, COLUMNS, CHARACTERS = 400, 80, 200_000


def chosen(labels: np.ndarray) -> np.ndarray:
    """Places (4,000,) in the training set: digit 0, 1, … 9, 0, 1, …"""
    each = [np.flatnonzero(labels == label) for label in range(10)]
    evenly = (2 * np.arange(PER_CLASS) + 1) / (2 * PER_CLASS)
    return np.stack([found[(evenly * len(found)).astype(int)] for found in each], 1).ravel()


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help="the folder that holds the data of the recipes")
    data_dir = ask.parse_args().data_dir
    with np.load(data_dir / "mnist" / "mnist.npz") as mnist:
        images, labels = mnist["x_train"], mnist["y_train"]
    places = chosen(labels)
    tiles = images[places].reshape(-1, COLUMNS, 28, 28).swapaxes(1, 2).reshape(-1, COLUMNS * 28)
    Image.fromarray(tiles).save(HERE / "mnist_train.png", optimize=True)
    about = {"title": "MNIST training digits", "tile": [28, 28], "columns": COLUMNS,
             "labels": "".join(map(str, labels[places].tolist())), "places": places.tolist()}
    (HERE / "mnist_train.json").write_text(json.dumps(about) + "\n", encoding="utf-8", newline="\n")
    text = (data_dir / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    (HERE / "shakespeare_train.txt").write_text(text[:CHARACTERS], encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
