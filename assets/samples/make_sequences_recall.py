"""Make sequences_recall.json: twelve rows of symbols for the models that are asked for the first of them.

    python make_sequences_recall.py

Each of the four letters comes first three times; 20 other symbols follow, as in the training.
"""

from __future__ import annotations

from typing import Any

import _samples
import numpy as np
from recall_gru import _recall

COUNT = 12
SEED = 3


def choose() -> list[dict[str, Any]]:
    """Symbols that no training step saw in this order: the seed is another. The letters come in turn."""
    chance = np.random.default_rng(SEED)
    behind = ["".join(chance.choice(list(_recall.DISTRACTING), _recall.DELAY)) for _ in range(COUNT)]
    firsts = [place % len(_recall.ASKED) for place in range(COUNT)]
    return [
        {"name": f"recall-{number}", "label": first, "symbols": _recall.SYMBOLS, "spelled": _recall.ASKED[first] + rest}
        for number, (first, rest) in enumerate(zip(firsts, behind, strict=True), 1)
    ]


def main() -> None:
    about = {
        "kind": "sequence",
        "title": "Rows of symbols whose first is asked for",
        "licence": _recall.DATA_LICENCE,
        "for": _recall.INPUT["samples"],
    }
    _samples.write("sequences_recall", about, choose())


if __name__ == "__main__":
    main()
