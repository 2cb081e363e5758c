"""Make strips_marked.png and strips_marked.json: eight strips of digits, each without and with the bar of its reading.

    python make_strips_marked.py

The sheet is 2 x 8 tiles of 32 x 128 pixels, 8 bit grey, stroke 255 on background 0: on the left as digits, on the right
with the bar that makes letters of 0, 1 and 5. `digits` are indices in the MNIST test set; `label` are the classes that
should be read, and `spelled` what they are called.
"""

from __future__ import annotations

from typing import Any

import _samples
import crnn_strip
import make_strips
import numpy as np
from PIL import Image
from strip_marked_crnn import _marked

COUNT, COLUMNS = 8, 2
SEED = 2


def choose(images: np.ndarray, shipped: list[dict[str, Any]]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The 16 strips (16, 32, 128), and what is on each."""
    chance = np.random.default_rng(SEED)
    labels = np.array([sample["label"] for sample in shipped])
    strips, samples = [], []
    for number in range(1, COUNT + 1):
        chosen, left, top = _marked.lay(images, labels, chance)
        plain = crnn_strip.compose(images[chosen], left, top, _marked.WIDTH)
        for mark in (False, True):
            classes = _marked.spelled(labels[chosen].tolist(), mark)
            strips.append(_marked.marked(plain) if mark else plain)
            samples.append(
                {
                    "name": f"{'marked' if mark else 'unmarked'}-strip-{number}",
                    "label": classes,
                    "spelled": " ".join(_marked.LABELS[one] for one in classes),
                    "digits": [shipped[i]["index"] for i in chosen],
                    "left": left,
                    "top": top,
                }
            )
    return np.stack(strips), samples


def main() -> None:
    images, shipped = make_strips.shipped_digits()
    strips, samples = choose(images, shipped["samples"])
    count, height, width = strips.shape
    sheet = strips.reshape(count // COLUMNS, COLUMNS, height, width).swapaxes(1, 2).reshape(-1, COLUMNS * width)
    Image.fromarray(sheet).save(_samples.HERE / "strips_marked.png", optimize=True)
    about = {
        "kind": "strip",
        "title": "Strips of MNIST test digits, without and with a bar",
        "tile": [height, width],
        "columns": COLUMNS,
        "licence": shipped["licence"],
        "for": _marked.INPUT["samples"],
    }
    _samples.write("strips_marked", about, samples)


if __name__ == "__main__":
    main()
