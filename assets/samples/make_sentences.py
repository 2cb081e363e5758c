"""Make sentences.json: 40 sentences from film reviews that the Sentiment GRU never saw in training, 20 of each verdict.

    python make_sentences.py DATA_DIR      (the folder that holds sentence_polarity/)

They are taken at even distances through the held-out sentences of 4 to 20 words, and stand here unchanged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import _samples
import sentiment_gru

PER_VERDICT = 20
SHORTEST, LONGEST = 4, 20


def choose(data_dir: Path) -> list[dict[str, Any]]:
    """The 40 sentences, negative and positive in turn."""
    held_out = sentiment_gru.sentences(data_dir, held_out=True)
    fit = [one for one in held_out if SHORTEST <= len(sentiment_gru.split(one[0])) <= LONGEST]
    members = [[one for one in fit if one[1] == label] for label in range(len(sentiment_gru.LABELS))]
    chosen = [[group[k] for k in _samples.evenly(len(group), PER_VERDICT)] for group in members]
    in_turn = [one for pair in zip(*chosen, strict=True) for one in pair]
    return [
        {"name": f"sentence-{number}", "text": text, "label": label, "file": sentiment_gru.FILES[label], "line": line}
        for number, (text, label, line) in enumerate(in_turn, 1)
    ]


def main() -> None:
    about = {
        "kind": "sentence",
        "title": "Sentences from film reviews, held out from training",
        "licence": f"{sentiment_gru.DATA_LICENCE} (https://creativecommons.org/licenses/by/4.0/)",
    }
    _samples.write("sentences", about, choose(_samples.data_dir(__doc__)))


if __name__ == "__main__":
    main()
