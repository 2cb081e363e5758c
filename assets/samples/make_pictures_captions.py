"""Make pictures_captions.png and pictures_captions.json: 12 pictures of two digits, from the digits of
mnist_digits.png.

    python make_pictures_captions.py

Which digits, how large and where is random, with a fixed seed, in the way in which the model is trained and measured.
"""

from __future__ import annotations

from typing import Any

import _samples
import digits_caption
import numpy as np
from _captions import SIDE, WORDS, draw
from _mnist import DATA_LICENCE

COUNT, COLUMNS, SEED = 12, 6, 3


def choose() -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The pictures (12, 48, 48), and the caption of each."""
    pictures, said = draw(*_samples.shipped_digits(), COUNT, np.random.default_rng(SEED))
    captions = [" ".join(WORDS[word] for word in words) for words in said]
    return pictures, [{"name": f"caption-{number}", "title": caption.capitalize(), "caption": caption}
                      for number, caption in enumerate(captions, 1)]


def main() -> None:
    pictures, samples = choose()
    _samples.sheet("pictures_captions", pictures, COLUMNS)
    about = {"kind": "pictures", "title": "Two digits and what is said of them", "tile": [SIDE, SIDE],
             "columns": COLUMNS, "for": digits_caption.INPUT["samples"], "licence": DATA_LICENCE}
    _samples.write("pictures_captions", about, samples)


if __name__ == "__main__":
    main()
