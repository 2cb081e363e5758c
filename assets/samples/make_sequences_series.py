"""Make sequences_sunspots.json and sequences_elnino.json: stretches of two series of measurements, for the models that
foretell them.

    python make_sequences_series.py DATA_DIR      (the folder that holds timeseries/)

All values are from the last quarter, which is held out from training. `following` is what was measured after a stretch.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import _samples
import elnino_lstm
import sunspots_lstm
from _series import DATA_LICENCE, known

STRETCHES = {"sunspots": (sunspots_lstm, 44, (0, 11, 22)), "elnino": (elnino_lstm, 60, (2, 62, 98))}
"""Name: recipe, steps of a stretch, and where after the beginning of what is held out each begins. The last of the
second leads to the El Niño of 1997 and 1998."""


def choose(name: str, data_dir: Path) -> list[dict[str, Any]]:
    """Stretches as rows of one number, as they were measured."""
    recipe, length, starts = STRETCHES[name]
    series = recipe.series(data_dir)
    first = len(known(series))
    return [
        {
            "name": f"{name}-{number}",
            "title": f"{recipe.TITLE}, {when(recipe, first + start)} to {when(recipe, first + start + length - 1)}",
            "numbers": [[float(value)] for value in series[first + start : first + start + length]],
            "following": [float(value) for value in series[first + start + length :][: recipe.ROUND]],
        }
        for number, start in enumerate(starts, 1)
    ]


def when(recipe: ModuleType, step: int) -> str:
    """`1932`, or `10/1995` where a step is a month."""
    if recipe is sunspots_lstm:
        return str(recipe.FIRST + step)
    return f"{step % 12 + 1}/{recipe.FIRST + step // 12}"


def main() -> None:
    data_dir = _samples.data_dir(__doc__)
    for name, (recipe, _, _) in STRETCHES.items():
        about = {"kind": "sequence", "title": recipe.TITLE, "for": recipe.INPUT["samples"], "licence": DATA_LICENCE}
        _samples.write(f"sequences_{name}", about, choose(name, data_dir))


if __name__ == "__main__":
    main()
