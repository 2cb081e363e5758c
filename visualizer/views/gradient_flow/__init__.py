"""Gradient flow: how much of the gradient at the loss is left so many steps, or layers, before it."""

from __future__ import annotations

from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views import View
from visualizer.views.gradient_flow import _lab, _lab_facts, _lab_page


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The curves of the laboratory."""
    return _lab.draw(trace, moment, look)


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says of it."""
    return _lab_page.page(trace, moment, look)


def consequence(trace: Trace) -> tuple[str, ...]:
    """What follows from the knobs of the laboratory, in one or two sentences with measured numbers."""
    found = _lab_facts.study(trace)
    return () if found is None else _lab_facts.why(found)[:2]


VIEW = View(
    "gradient_flow", "Gradient flow", "How the gradient shrinks or grows on its way back from the loss.",
    suits=lambda trace: "hidden.mean" in trace.studies.get("lab", ()) or "rnn.mean" in trace.studies.get("lab", ()),
    draw=draw, order=5, knobs=(("curves", ("shown", "faint")),), page=page,
)
