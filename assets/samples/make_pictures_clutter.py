"""Make pictures_clutter.png and pictures_clutter.json: 12 scenes of digits among shreds of others, and to which digit
each pixel belongs, from the digits of mnist_digits.png.

    python make_pictures_clutter.py

A tile is the scene and beside it, as large, the right answers: 20 times the class, 0 for none and one more than
the digit. What is on a scene is random, with a fixed seed, in the way in which the models are trained and measured.
"""

from __future__ import annotations

from typing import Any

import _samples
import numpy as np
from _mnist import DATA_LICENCE
from _segments import INPUT, SIDE, scenes

COUNT, COLUMNS, SEED, TIMES = 12, 3, 3, 20


def choose() -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The scenes with their answers (12, 64, 128), and which digits are on each."""
    pictures, classes = scenes(*_samples.shipped_digits(), COUNT, np.random.default_rng(SEED))
    digits = [[int(one) - 1 for one in np.unique(own) if one] for own in classes]
    return np.concatenate([pictures, TIMES * classes], 2), [
        {"name": f"clutter-{number}", "title": f"Scene {number}: {', '.join(map(str, own))}", "classes": TIMES}
        for number, own in enumerate(digits, 1)
    ]


def main() -> None:
    tiles, samples = choose()
    _samples.sheet("pictures_clutter", tiles, COLUMNS)
    about = {"kind": "pictures", "title": "Digits among shreds", "tile": [SIDE, 2 * SIDE], "columns": COLUMNS,
             "for": INPUT["samples"], "licence": DATA_LICENCE}
    _samples.write("pictures_clutter", about, samples)


if __name__ == "__main__":
    main()
