"""Make shakespeare.json: passages of Shakespeare that the character models never saw in training.

    python make_shakespeare.py DATA_DIR      (the folder that holds tinyshakespeare/input.txt)

All stand in the last tenth of the text: the end of The Taming of the Shrew and the beginning of The Tempest. They were
chosen by eye; each is given by its first and its last words. `next` is the character that follows in the text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import _samples
import _shakespeare

PASSAGES = (
    ("sea-change", "Nothing of him that doth fade\n", "rich and strange."),
    ("five-fathom", "Full fathom five", "lies;"),
    ("ding-dong", "Hark! now I hear them", "bell."),
    ("dark-backward", "What seest thou else\n", "time?"),
    ("devils", "Hell is empty\n", "are here."),
    ("good-morrow", "GREMIO:\nGood morrow", "neighbour Gremio."),
    ("wonder", "MIRANDA:\nNo wonder", "maid."),
    ("young-one", "KATHARINA:\nWell aim'd", "young one."),
    ("devils-dam", "TRANIO:\nWhy, she's a devil", "dam."),
    ("latin", "'Hic ibat Simois;", "tellus;"),
    ("moon-or-star", "It shall be moon", "what I list,"),
    ("laughter", "Ha, ha, ha! So", "paid."),
    ("wicked-dew", "As wicked dew", "you all o'er!"),
)


def choose(data_dir: Path) -> list[dict[str, Any]]:
    """The passages, each with its place in the whole text."""
    known, held_out = _shakespeare.parts(data_dir)
    samples = []
    for name, opening, ending in PASSAGES:
        start = held_out.index(opening)
        end = held_out.index(ending, start) + len(ending)
        text, following = held_out[start:end], held_out[end]
        samples.append({"name": name, "text": text, "next": following, "offset": len(known) + start})
    return samples


def main() -> None:
    about = {
        "kind": "text",
        "title": "Shakespeare, passages held out from training",
        "licence": _shakespeare.DATA_LICENCE,
    }
    _samples.write("shakespeare", about, choose(_samples.data_dir(__doc__)))


if __name__ == "__main__":
    main()
