"""Draw the pictures for models that read photos: scenes made of formulas, so that nobody else has a right in them.

    python make_pictures.py
"""

from __future__ import annotations

import numpy as np
from _samples import HERE, write
from PIL import Image

SIDE, FINE = 224, 3
"""Pixels of a side; each is the mean of FINE × FINE."""
ROWS, COLUMNS = (axis / FINE for axis in np.mgrid[0:SIDE * FINE, 0:SIDE * FINE])


def landscape() -> np.ndarray:
    """Sky, a sun, two hills, and a house with a red roof under a tree."""
    low = np.clip(ROWS / 150, 0, 1)[..., None]
    made = (1 - low) * [78, 132, 214] + low * [232, 226, 214]
    glow = np.exp(-((ROWS - 48) ** 2 + (COLUMNS - 170) ** 2) / 900)[..., None]
    made = made * (1 - 0.8 * glow) + 0.8 * glow * [255, 236, 160]
    made = _painted(made, _disc(48, 170, 15), [255, 214, 92])
    far = ROWS > 128 - 18 * np.sin(COLUMNS / 31) - 9 * np.sin(COLUMNS / 13)
    made = _painted(made, far, [112, 146, 118])
    near = ROWS > 158 + 12 * np.sin(COLUMNS / 47 + 1)
    made = _painted(made, near, [88, 142, 66])
    grass = np.sin(ROWS * 1.7) * np.sin(COLUMNS * 2.3 + ROWS)
    made = made + (near * grass)[..., None] * [7, 12, 5]
    made = _painted(made, _box(128, 176, 60, 112), [226, 204, 170])
    made = _painted(made, (ROWS > 98) & (ROWS < 129) & (np.abs(COLUMNS - 86) < (ROWS - 98) * 1.1), [176, 62, 48])
    made = _painted(made, _box(148, 176, 80, 94), [92, 62, 42])
    made = _painted(made, _box(138, 150, 66, 76) | _box(138, 150, 98, 108), [150, 190, 214])
    made = _painted(made, _box(120, 182, 146, 154), [96, 68, 44])
    for row, column, wide, shade in ((104, 150, 26, 0), (92, 138, 17, 10), (94, 164, 18, -8), (80, 150, 16, 16)):
        made = _painted(made, _disc(row, column, wide), [46 + shade, 108 + shade, 52 + shade])
    return made


def fruit() -> np.ndarray:
    """An apple, an orange and a lemon on a striped cloth, lit from the left."""
    made = np.where((np.sin((ROWS + COLUMNS) / 6) > 0)[..., None], [206, 218, 232], [240, 242, 246]).astype(float)
    made = np.where((ROWS < 84)[..., None], [96 + 30 * 0.5, 84, 92], made)
    for row, column, wide, colour in ((132, 76, 44, (196, 40, 44)), (142, 150, 38, (236, 142, 34)),
                                      (178, 108, 28, (238, 214, 62))):
        made = made * (1 - 0.45 * np.exp(-(((ROWS - row - wide * 0.95) / (wide * 0.3)) ** 2 +
                                           ((COLUMNS - column - 8) / wide) ** 2)))[..., None]
        shade = np.sqrt((ROWS - row + wide * 0.4) ** 2 + (COLUMNS - column + wide * 0.4) ** 2) / wide
        lit = np.clip(1.25 - 0.55 * shade, 0.2, 1.3)[..., None] * colour
        shine = np.exp(-((ROWS - row + wide * 0.45) ** 2 + (COLUMNS - column + wide * 0.4) ** 2) / (wide * 1.6))
        made = np.where(_disc(row, column, wide)[..., None], lit + 150 * shine[..., None], made)
    made = _painted(made, _box(78, 94, 74, 78), [86, 60, 34])
    made = _painted(made, ((ROWS - 82) / 7) ** 2 + ((COLUMNS - 90) / 14) ** 2 < 1, [70, 140, 60])
    return made


def _disc(row: float, column: float, radius: float) -> np.ndarray:
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 < radius ** 2


def _box(top: float, bottom: float, left: float, right: float) -> np.ndarray:
    return (ROWS >= top) & (ROWS < bottom) & (COLUMNS >= left) & (COLUMNS < right)


def _painted(made: np.ndarray, where: np.ndarray, colour: list[float]) -> np.ndarray:
    return np.where(where[..., None], colour, made)


if __name__ == "__main__":
    for name, drawn in (("landscape", landscape), ("fruit", fruit)):
        mean = np.clip(drawn(), 0, 255).reshape(SIDE, FINE, SIDE, FINE, 3).mean((1, 3))
        Image.fromarray(np.rint(mean).astype(np.uint8)).save(HERE / f"{name}.png", optimize=True)
    write("pictures", {"kind": "photo", "title": "Pictures drawn by formulas", "licence": "MIT, as this project"},
          [{"name": name, "file": f"{name}.png"} for name in ("landscape", "fruit")])
