"""Make pictures_scenes.png and pictures_scenes.json: 12 scenes of one to four digits with their boxes, from the digits
of mnist_digits.png.

    python make_pictures_scenes.py

Which digits, how large and where is random, with a fixed seed, in the way in which the detector is trained and
measured. A box is left, top, right and bottom in pixels, right and bottom behind the digit, and which digit it is.
"""

from __future__ import annotations

from typing import Any

import _samples
import numpy as np
import scene_detector
from _mnist import DATA_LICENCE

COUNT, COLUMNS, SEED = 12, 6, 3


def choose() -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The scenes (12, 64, 64), and the boxes of each."""
    pictures, boxes = scene_detector.scenes(*_samples.shipped_digits(), COUNT, np.random.default_rng(SEED))
    return pictures, [
        {"name": f"scene-{number}", "title": f"Scene {number}: {', '.join(str(box[4]) for box in own)}",
         "boxes": [list(box) for box in own]}
        for number, own in enumerate(boxes, 1)
    ]


def main() -> None:
    pictures, samples = choose()
    _samples.sheet("pictures_scenes", pictures, COLUMNS)
    about = {"kind": "pictures", "title": "Scenes of digits", "tile": [scene_detector.SIDE, scene_detector.SIDE],
             "columns": COLUMNS, "for": scene_detector.INPUT["samples"], "licence": DATA_LICENCE}
    _samples.write("pictures_scenes", about, samples)


if __name__ == "__main__":
    main()
