"""Make sequences_echo.json: eight rows of symbols for the Echo RNN, which is asked for the last but one.

    python make_sequences_echo.py
"""

from __future__ import annotations

from typing import Any

import _samples
import echo_rnn
import numpy as np

COUNT = 8
SEED = 3


def choose() -> list[dict[str, Any]]:
    """Symbols that no training step saw in this order: the seed is another."""
    _, places = echo_rnn.drawn(COUNT, np.random.default_rng(SEED))
    return [
        {
            "name": f"echo-{number}",
            "label": int(row[-2]),
            "symbols": echo_rnn.SYMBOLS,
            "spelled": "".join(echo_rnn.SYMBOLS[place] for place in row),
        }
        for number, row in enumerate(places, 1)
    ]


def main() -> None:
    about = {
        "kind": "sequence",
        "title": "Rows of symbols whose last but one is asked for",
        "licence": "none needed: the sequences are random symbols",
        "for": echo_rnn.INPUT["samples"],
    }
    _samples.write("sequences_echo", about, choose())


if __name__ == "__main__":
    main()
