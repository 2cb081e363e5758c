"""Make names_spellings.json: 24 words with their sounds, for the model that speaks a word.

    python make_names_spellings.py DATA_DIR      (the folder that holds cmudict/cmudict.dict)

The words are held out from training. They were chosen by eye from those: some have letters that are not spoken, or
several for one sound, or one for several.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import _samples
import spelling_sounds

WORDS = ("photo", "through", "exit", "oxygen", "choir", "ship", "autumn", "wrongs", "psalms", "typhoon", "knitwear",
         "dumb", "debut", "vogue", "writhed", "shoulders", "eighteenth", "physicist", "pleasure", "hatchery",
         "catalogue", "mysterious", "experience", "rendezvous")


def choose(data_dir: Path) -> list[dict[str, Any]]:
    """The words with their first pronunciation."""
    listed = sorted(spelling_sounds.dictionary(data_dir).items())
    held_out = {word: spoken for place, (word, spoken) in enumerate(listed) if spelling_sounds.is_held_out(place)}
    return [{"name": f"word-{word}", "text": word,
             "sounds": " ".join(spelling_sounds.SOUNDS[sound] for sound in held_out[word][0])} for word in WORDS]


def main() -> None:
    about = {"kind": "name", "title": "Words and their sounds", "for": spelling_sounds.INPUT["samples"],
             "licence": spelling_sounds.DATA_LICENCE}
    _samples.write("names_spellings", about, choose(_samples.data_dir(__doc__)))


if __name__ == "__main__":
    main()
