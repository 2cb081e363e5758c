"""Scale: how much larger than usual everything in the window is drawn, its words, pictures and buttons alike.

Qt is told before there is an application, so another choice opens the app anew. Brings nothing but Qt.
"""

from __future__ import annotations

import os

from visualizer.ui import kept

VARIABLE = "QT_SCALE_FACTOR"
"""Where Qt reads it; whoever sets it by hand is heeded."""
SCALES = (1.0, 1.25, 1.5, 1.75, 2.0)
SYSTEM = "system"


def choice() -> str | float:
    """What a person has chosen: one of SCALES, or what the system asks for."""
    chosen = kept.remembered("window").get("scale")
    return float(chosen) if chosen in SCALES else SYSTEM


def choose(chosen: str | float) -> None:
    """Keep it for the next start."""
    kept.change("window", lambda known: {**known, "scale": chosen})


def wanted() -> float:
    """What the app should be drawn at: as was chosen, or as large as the system wants words, as far as it said."""
    chosen = choice()
    if not isinstance(chosen, str):
        return chosen
    text = kept.remembered(SYSTEM).get("text")
    return nearest(text) if isinstance(text, int | float) else 1.0


def nearest(text: float) -> float:
    """The scale nearest to what is asked for."""
    return min(SCALES, key=lambda scale: abs(scale - text))


def apply() -> None:
    """Tell Qt, if nobody else has; before there is an application."""
    if VARIABLE not in os.environ and wanted() != 1:
        os.environ[VARIABLE] = f"{wanted():g}"


def now() -> float:
    """At which scale the app was begun."""
    try:
        return float(os.environ.get(VARIABLE, "") or 1)
    except ValueError:
        return 1.0
