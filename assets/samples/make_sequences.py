"""Make sequences.json: twelve sequences of 60 random values, two of them marked, for the models that add the two.

    python make_sequences.py

The values are rounded to hundredths, so that they can be read; where the marks stand is drawn as in the training.
"""

from __future__ import annotations

from typing import Any

import _samples
import numpy as np
from adding_lstm import _adding

COUNT = 12
SEED = 3


def choose() -> list[dict[str, Any]]:
    """Sequences of [value, mark] that no training step saw: the seed is another."""
    drawn, _ = _adding.puzzles(COUNT, np.random.default_rng(SEED))
    sequences = [[[round(float(value), 2), int(mark)] for value, mark in sequence] for sequence in drawn]
    marked = [[value for value, mark in numbers if mark] for numbers in sequences]
    return [
        {"name": f"sum-{place}", "marked": terms, "numbers": numbers}
        for place, (terms, numbers) in enumerate(zip(marked, sequences, strict=True), 1)
    ]


def main() -> None:
    about = {"kind": "sequence", "title": "Sequences with two marked values", "licence": _adding.DATA_LICENCE}
    _samples.write("sequences", about, choose())


if __name__ == "__main__":
    main()
