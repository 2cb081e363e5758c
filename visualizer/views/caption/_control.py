"""The control: what the study `control` measured with other pictures, and with a place of this one gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.gaze import Gaze
from visualizer.over import SEPARATOR
from visualizer.trace import Trace, remembered

Values = NDArray[np.float64]
STUDY = "control"


@dataclass(frozen=True, eq=False)
class Control:
    """Other pictures, and what becomes of the words there."""

    names: tuple[str, ...]
    pictures: Values
    """(picture, row, column)."""
    chances: Values
    """(picture, word)."""
    own: NDArray[np.int64]
    """(picture, word): what it says of each by itself; −1 behind the end."""


@remembered(4)
def control(trace: Trace) -> Control | None:
    """None where no other picture was looked at."""
    held = trace.studies.get(STUDY, {})
    if "chances" not in held:
        return None
    names = tuple(bytes(held["names"]).decode().split(SEPARATOR))
    return Control(names, np.asarray(held["pictures"], np.float64), np.asarray(held["chances"], np.float64),
                   np.asarray(held["own"], np.int64))


def chosen(trace: Trace, word: str) -> int | None:
    """Which other picture a knob means, from 0; the last where there are not so many."""
    found = control(trace)
    return None if found is None else min(max(1, int(word)), len(found.names)) - 1


def chances_elsewhere(trace: Trace, other: int | None) -> Values | None:
    """(word,): the chances of the words on another picture."""
    found = control(trace)
    return None if found is None or other is None else found.chances[other]


def without(trace: Trace) -> Values | None:
    """(place, word): the chances of the words when nothing is seen at a place."""
    found = trace.studies.get(STUDY, {}).get("without")
    return None if found is None else np.asarray(found, np.float64)


def said_there(seen: Gaze, found: Control, other: int) -> str:
    """What the network says of another picture by itself."""
    between = str(seen.answer.settings.get("joined", " "))
    return between.join(seen.text(int(symbol)) for symbol in found.own[other] if symbol >= 0 and symbol != seen.end)
