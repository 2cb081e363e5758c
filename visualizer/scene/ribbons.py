"""Ribbons: how much of each of several places goes into one, as wide as its share, side by side where they end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.scene.parts import polygon
from visualizer.scene.picture import Focus, Mark, Path

FEWEST = 0.02
"""Shares below this have no ribbon."""
POINTS = 24


def ribbons(shares: Sequence[float], sources: Sequence[float], target: float, top: float, bottom: float, full: float,
            come: float = 1.0, ink: str = "accent", foci: Sequence[Focus] = (), opacity: float = 0.85,
            back: bool = False) -> list[Mark]:
    """One for each share of at least FEWEST, from its source at the top to the target at the bottom, `full` wide for a
    share of 1, as far as it has `come`; `back` they come from the bottom."""
    drawn = [place for place, share in enumerate(shares) if share >= FEWEST]
    left = target - full * sum(shares[place] for place in drawn) / 2
    marks: list[Mark] = []
    for place in drawn:
        wide = full * shares[place]
        if come > 0:
            outline = _ribbon(sources[place], left + wide / 2, top, bottom, max(0.8, wide), come, back)
            marks.append(Path((outline,), fill=ink, opacity=opacity, focus=foci[place] if foci else None))
        left += wide
    return marks


def unseen(shares: Sequence[float]) -> tuple[int, float]:
    """How many places have no ribbon, and what they have together."""
    rest = [share for share in shares if share < FEWEST]
    return len(rest), float(sum(rest))


def _ribbon(start: float, end: float, top: float, bottom: float, wide: float, come: float,
            back: bool) -> tuple[tuple[float, float], ...]:
    at = np.linspace(0, min(1.0, come), POINTS)
    at = 1 - at if back else at
    x = start + (end - start) * at * at * (3 - 2 * at)
    y = top + (bottom - top) * at
    left, right = [(a - wide / 2, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)], \
        [(a + wide / 2, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return polygon((*left, *reversed(right)))
