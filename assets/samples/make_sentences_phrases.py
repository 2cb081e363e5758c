"""Make sentences_phrases.json: 16 made-up phrases in which the order of the words matters, four of each form.

    python make_sentences_phrases.py

Their pairs of words were held out from training. Of the form "not X but Y" each comes with its words the other way
round behind it.
"""

from __future__ import annotations

from typing import Any

import _samples
from phrase_gru import _phrases

PER_FORM = 4
SEED = 3


def choose() -> list[dict[str, Any]]:
    """The phrases, form after form."""
    drawn = _phrases.phrases(500, SEED, held_out=True)
    found = {form: list(dict.fromkeys((text, label) for text, label, of in drawn if of == form))
             for form in _phrases.FORMS}
    turned = [one for text, label in found["not X but Y"][: PER_FORM // 2]
              for one in ((text, label), (swapped(text), 1 - label))]
    chosen = turned + [one for form in _phrases.FORMS[1:] for one in found[form][:PER_FORM]]
    return [
        {"name": f"phrase-{number}", "text": text, "label": label} for number, (text, label) in enumerate(chosen, 1)
    ]


def swapped(text: str) -> str:
    """`… not X but Y` as `… not Y but X`, the same words in another order."""
    begins, _, said = text.partition(" not ")
    first, _, second = said.partition(" but ")
    return f"{begins} not {second} but {first}"


def main() -> None:
    about = {
        "kind": "sentence",
        "title": "Made-up phrases in which the order of the words matters",
        "licence": _phrases.DATA_LICENCE,
        "for": _phrases.INPUT["samples"],
    }
    _samples.write("sentences_phrases", about, choose())


if __name__ == "__main__":
    main()
