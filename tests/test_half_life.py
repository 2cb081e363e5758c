"""One curve has one half-life, wherever it is printed: in the laboratory, in its inspector, and in a recording."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from visualizer.decay import decay
from visualizer.lab import Lab
from visualizer.record.lab import record_lab
from visualizer.scene.picture import Look, Picture, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find

LABS = {"usual": Lab(), "long": Lab(steps=100), "longest": Lab(steps=200, gain=0.9, input=0.1),
        "short": Lab(steps=20, input=0.1), "shortest": Lab(steps=12),
        "hardly": Lab(cell="linear", matrix="orthogonal", gain=0.99, steps=60),
        "slowly": Lab(cell="linear", matrix="orthogonal", gain=0.993, steps=60),
        "never": Lab(cell="linear", matrix="orthogonal", gain=1.0), "grows": Lab(gain=1.5, input=0.1)}
NUMBER = r"(?:forgets half|halves) every ([\d.]+) steps"


def as_recorded(lab: Trace, cell: str) -> Trace:
    """A recording through whose recurrent layer the gradient flows as through the mean cell of the laboratory."""
    curve = lab.studies["lab"][f"{cell}.mean"][::-1]
    entered = np.zeros(len(curve))
    entered[-1] = 1
    flow = {f"{cell}/hidden": curve, f"{cell}/last": curve, f"{cell}/entered": entered,
            "gradient": np.ones(len(lab.layers))}
    layers = tuple(layer for layer in lab if layer.name in ("input", cell, f"read_{cell}"))
    return replace(lab, model="recorded", layers=layers, studies={"flow": flow}, facts={})


def drawn(trace: Trace) -> Picture:
    """At the end of the way back, or where a recording has none, at its first beat."""
    times = timeline(trace)
    return find("gradient_flow").draw(trace, times.settled(len(times.beats) - 1), None, Look())


def said(picture: Picture) -> list[str]:
    """Every text of a picture, its caption and the cells of its table."""
    return [picture.caption, *(mark.plain for mark in picture if isinstance(mark, Text)),
            *(str(cell) for row in picture.table.rows for cell in row)]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("name", LABS)
def test_one_curve_has_one_half_life_in_every_room(name: str, cell: str) -> None:
    lab = record_lab(LABS[name])
    recorded, view = drawn(as_recorded(lab, cell)), find("gradient_flow")
    assert view.page is not None
    page = view.page(lab, timeline(lab).settled(len(timeline(lab).beats) - 1), None, Look())
    assert page is not None
    row = next(str(value) for what, value in page.table.rows if what == f"{cell.upper()} Half-life")
    line = decay(lab.studies["lab"][f"{cell}.mean"])
    assert line is not None
    found = {match[1] for text in said(recorded) for match in re.finditer(NUMBER, text)}
    caption = drawn(lab).caption
    if not line.decays:
        assert not found
        assert "does not decay" in recorded.caption
        assert "does not decay" in row or "grows" in row
        return
    (number,) = found
    assert float(number) == pytest.approx(line.half_life, rel=0.05)
    assert row == f"{number} steps"
    assert re.search(rf"{cell.upper()}( forgets half)? every {re.escape(number)}\b", caption)


def test_a_longer_recording_of_the_same_curve_has_the_same_half_life() -> None:
    """What lies beyond the window (here noise) does not count."""
    steps = np.arange(200)
    curve = np.where(steps < 60, 0.9 ** steps, 0.9 ** 59)
    lines = [decay(curve[:count]) for count in (60, 100, 200)]
    assert [line and line.half_life for line in lines] == [pytest.approx(6.5788, rel=1e-4)] * 3
