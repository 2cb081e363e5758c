"""Make videos_dots.png, videos_dots_two.png and their lists: films of a moving dot, for the models that watch them.

    python make_videos_dots.py

A tile is eight frames of 16 x 16 side by side. Where the dot goes is random, with a fixed seed, as in the training.
"""

from __future__ import annotations

from typing import Any

import _samples
import numpy as np
from _dots import ARROWS, DATA_LICENCE, FRAMES, SIDE, films

SEED = 3
SHEETS = {"videos_dots": (ARROWS, 16, ""), "videos_dots_two": ((ARROWS[0], ARROWS[4]), 8, "dots two")}
"""List: directions, how many films, and for which models."""


def choose(name: str) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Films as tiles (count, 16, 128), as many of each direction, and what is on each; the training saw none."""
    arrows, count, _ = SHEETS[name]
    pixels, labels = films(40 * count, len(arrows), np.random.default_rng(SEED))
    chosen = [int(np.flatnonzero(labels == number % len(arrows))[number // len(arrows)]) for number in range(count)]
    short = name.removeprefix("videos_").replace("_", "-")
    samples = [{"name": f"{short}-{number}", "title": f"Dot {number}: {arrows[labels[one]]}", "label": int(labels[one])}
               for number, one in enumerate(chosen, 1)]
    return pixels[chosen].swapaxes(1, 2).reshape(count, SIDE, FRAMES * SIDE), samples


def main() -> None:
    for name, (_, _, meant) in SHEETS.items():
        tiles, samples = choose(name)
        _samples.sheet(name, tiles, 2)
        about = {"kind": "video", "title": "Films of a moving dot", "tile": [SIDE, FRAMES * SIDE], "columns": 2,
                 "licence": DATA_LICENCE}
        _samples.write(name, about | ({"for": meant} if meant else {}), samples)


if __name__ == "__main__":
    main()
