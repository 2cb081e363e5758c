"""Quantities of films and of what was measured with their frames shuffled: the part of tests/quantities.py for them."""

from __future__ import annotations

from tests.quantities import quantity

quantity("share of those along the right line")(lambda trace, said: float(
    trace.facts["quality"]["frames shuffled"] / trace.facts["quality"]["frames shuffled, along the right line"]))
