"""Make pictures_style.png and pictures_style.json: four photographs, 96 x 96, of which one may take on the style of
another.

    python make_pictures_style.py DATA_DIR      (the folder that holds photos/)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import _samples
import numpy as np
from make_pictures_photos import LICENCE
from PIL import Image

SIDE, PHOTOS = 96, ("chelsea", "coffee", "astronaut", "rocket")


def choose(data_dir: Path) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The square in the middle of each photograph, (4, 96, 96, 3)."""
    tiles = []
    for photo in PHOTOS:
        with Image.open(data_dir / "photos" / f"{photo}.png") as whole:
            side = min(whole.size)
            left, top = ((size - side) // 2 for size in whole.size)
            square = whole.convert("RGB").crop((left, top, left + side, top + side))
        tiles.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)))
    return np.stack(tiles), [{"name": f"style-{photo}", "title": photo.capitalize()} for photo in PHOTOS]


def main() -> None:
    tiles, samples = choose(_samples.data_dir(__doc__))
    _samples.sheet("pictures_style", tiles, len(PHOTOS))
    about = {"kind": "pictures", "title": "Photographs", "tile": [SIDE, SIDE], "columns": len(PHOTOS), "colours": True,
             "for": "style", "licence": LICENCE}
    _samples.write("pictures_style", about, samples)


if __name__ == "__main__":
    main()
