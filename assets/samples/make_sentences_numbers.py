"""Make sentences_numbers.json: 16 numbers in English words, for the models that translate them.

    python make_sentences_numbers.py

All are held out from training, and taken at even distances from those of two, three, four and six digits, and from the
round ones.
"""

from __future__ import annotations

from typing import Any

import _samples
from _numbers import DATA_LICENCE, INPUT, english, german, is_held_out, round_numbers


def choose() -> list[dict[str, Any]]:
    """Numbers with their words in both languages."""
    found = []
    for low, high, wanted in ((21, 100, 2), (100, 1000, 4), (1000, 10_000, 3), (100_000, 1_000_000, 3)):
        held_out = [number for number in range(low, high) if is_held_out(number) and number % 10]
        found += [held_out[place] for place in _samples.evenly(len(held_out), wanted)]
    full = round_numbers()
    found += [full[place] for place in _samples.evenly(len(full), 4)]
    return [{"name": f"number-{number}", "text": " ".join(english(number)), "spoken": german(number)}
            for number in dict.fromkeys(found)]


def main() -> None:
    about = {"kind": "sentence", "title": "Numbers in English words", "for": INPUT["samples"], "licence": DATA_LICENCE}
    _samples.write("sentences_numbers", about, choose())


if __name__ == "__main__":
    main()
