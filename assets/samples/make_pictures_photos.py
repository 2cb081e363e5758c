"""Make pictures_photos.png and pictures_photos.json: squares of four photographs, 32 x 32, for the model of photos.

    python make_pictures_photos.py DATA_DIR      (the folder that holds photos/)

The squares were chosen by eye. Four show a cat, the others nothing that the model was trained on: it has to answer one
of its ten kinds all the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import _samples
import numpy as np
import photos_cnn
from PIL import Image

COLUMNS, SIDE = 4, 32
CAT = photos_cnn.LABELS.index("cat")
SQUARES = (
    ("chelsea", 60, 0, 256, CAT), ("chelsea", 100, 20, 200, CAT), ("chelsea", 0, 0, 256, CAT),
    ("chelsea", 125, 45, 150, CAT), ("astronaut", 0, 0, 256, None), ("coffee", 60, 0, 256, None),
    ("rocket", 60, 0, 256, None), ("rocket", 120, 60, 140, None),
)
"""Photograph, left column, top row and side of the square, and the class where it shows one."""
LICENCE = ("chelsea by Stefan van der Walt, coffee by Pikolo Espresso Bar, rocket by SpaceX: CC0; astronaut by NASA, "
           "public domain; all from the Python package scikit-image 0.26.0")


def choose(data_dir: Path) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The squares (8, 32, 32, 3), and what is on each."""
    tiles, samples = [], []
    for number, (photo, left, top, side, label) in enumerate(SQUARES, 1):
        with Image.open(data_dir / "photos" / f"{photo}.png") as whole:
            square = whole.convert("RGB").crop((left, top, left + side, top + side))
        tiles.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BOX)))
        told = "none of the ten" if label is None else photos_cnn.LABELS[label]
        sample = {"name": f"photo-{number}", "title": f"{photo.capitalize()} ({told})", "left": left, "top": top,
                  "side": side}
        samples.append(sample if label is None else {**sample, "label": label})
    return np.stack(tiles), samples


def main() -> None:
    tiles, samples = choose(_samples.data_dir(__doc__))
    _samples.sheet("pictures_photos", tiles, COLUMNS)
    about = {"kind": "pictures", "title": "Squares of photographs", "tile": [SIDE, SIDE], "columns": COLUMNS,
             "colours": True, "for": photos_cnn.INPUT["samples"], "licence": LICENCE}
    _samples.write("pictures_photos", about, samples)


if __name__ == "__main__":
    main()
