"""How large the gradient is on its way back: layer by layer through a network in depth, step by step through time.

Everything is measured in float64 and drawn on a logarithmic axis; beside it stands what each hop keeps, and why.
"""

from __future__ import annotations

from visualizer.scene import logchart
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.reading import layers, shown_layer
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views import View
from visualizer.views.gradient_flow import _layers, _steps

TITLE = "Gradient flow"


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Through time where a layer has steps, unless the knob `along` says depth; else through depth."""
    measured = trace.studies.get("flow")
    if measured is None:
        return logchart.unmeasured(look, TITLE, "The size of the gradient at every layer and step")
    if "gradient" not in measured:
        return logchart.unmeasured(look, TITLE, "", "Nothing was differentiated here, so no gradient flows; choose the "
                                                    "loss as what is looked at.")
    if layers(trace) and look.knob("along", "time") == "time":
        layer = shown_layer(trace, moment, None if focus is None else focus.layer)
        return _steps.draw(trace, moment, look, layer)
    return _layers.draw(trace, moment, look)


VIEW = View(
    "gradient_flow", "Gradient flow", "How large the gradient is at every layer and step, and what each hop keeps.",
    suits=lambda trace: trace.has_backward, draw=draw, order=31,
    knobs=(("along", ("time", "depth")), ("loss", ("last", "all"))), studies=("flow", "before"),
)
