"""Make names.json: 60 surnames that the Surname GRU never saw in training, four of each language.

    python make_names.py DATA_DIR      (the folder that holds surnames_by_language/)

They are taken at even distances through the held-out names of each list, save those that stand in more than one list.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import _samples
import surname_gru

PER_LANGUAGE = 4


def choose(data_dir: Path) -> list[dict[str, Any]]:
    """The 60 names, language by language."""
    _, held_out = surname_gru.surnames(data_dir)
    lists = Counter(name.lower() for name, _ in held_out)
    samples = []
    for label, language in enumerate(surname_gru.LABELS):
        members = [name for name, of in held_out if of == label and lists[name.lower()] == 1]
        for k in _samples.evenly(len(members), PER_LANGUAGE):
            name = members[k]
            samples.append({"name": name, "text": name, "label": label, "language": language})
    return samples


def main() -> None:
    about = {"kind": "name", "title": "Surnames held out from training", "licence": surname_gru.DATA_LICENCE}
    _samples.write("names", about, choose(_samples.data_dir(__doc__)))


if __name__ == "__main__":
    main()
