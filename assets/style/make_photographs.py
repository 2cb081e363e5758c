"""Make photographs.png: four photographs, 96 x 96 side by side, of which one may take on the style of another.

    python make_photographs.py DATA_DIR      (the folder that holds photos/)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, PHOTOS = 96, ("chelsea", "coffee", "astronaut", "rocket")


def choose(data_dir: Path) -> np.ndarray:
    """The square in the middle of each photograph, (4, 96, 96, 3) uint8."""
    tiles = []
    for photo in PHOTOS:
        with Image.open(data_dir / "photos" / f"{photo}.png") as whole:
            side = min(whole.size)
            left, top = ((size - side) // 2 for size in whole.size)
            square = whole.convert("RGB").crop((left, top, left + side, top + side))
        tiles.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)))
    return np.stack(tiles)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help="the folder that holds photos/")
    tiles = choose(ask.parse_args().data_dir)
    Image.fromarray(np.concatenate(tiles, axis=1)).save(Path(__file__).with_name("photographs.png"), optimize=True)


if __name__ == "__main__":
    main()
