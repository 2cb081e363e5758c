"""How large the gradient is on its way back: layer by layer through a network in depth, step by step through time.

Everything is measured in float64 and drawn on a logarithmic axis; beside it stands what each hop keeps, and why. Until
that is done the sizes are those of the gradients that were recorded.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from visualizer.kinds.sizes import sizes_of
from visualizer.language import english, tr, translated
from visualizer.scene import logchart
from visualizer.scene.blocks import KNOB
from visualizer.scene.chains import chains, stepped
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.reading import layers, shown_layer
from visualizer.scene.telling import gone_back
from visualizer.scene.timeline import Moment, Pace, own_pace
from visualizer.trace import Trace, remembered
from visualizer.views import GRADIENTS, View
from visualizer.views.gradient_flow import _lab, _lab_facts, _lab_page, _layers, _steps, _swept
from visualizer.views.gradient_flow._layers import AS_RECORDED

TITLE = english("Gradient flow")
AT_THE_END = Fraction(1, 2)
"""Seconds that the laboratory stands still when the gradient has come to the first step."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The curves of the laboratory; of a network through time where a layer has steps, unless the knob `along` says
    depth; else through depth."""
    if "lab" in trace.studies:
        swept = _swept.swept(trace) if look.knob("sweep", "hidden") == "shown" else None
        return _lab.draw(trace, moment, look) if swept is None else _swept.draw(swept, look)
    measured = trace.studies.get("flow")
    if measured is None and trace.has_backward:
        return draw(_as_recorded(trace), moment, focus, look)
    if measured is None or "gradient" not in measured:
        return logchart.unmeasured(look, translated(TITLE), "",
                                   tr("Nothing was differentiated here, so no gradient flows; choose the loss as what "
                                      "is looked at."))
    if (layers(trace) or chains(trace)) and look.knob("along", "time") == "time":
        return _through_time(trace, moment, focus, look)
    return _layers.draw(trace, moment, look)


@stepped
def _through_time(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    if f"{layer.name}/hidden" not in trace.studies["flow"]:
        trace = _with_steps(trace, layer.name)
    return _steps.draw(trace, moment, look, layer)


@remembered(4)
def _with_steps(trace: Trace, name: str) -> Trace:
    """With the sizes of a chain, of which the study has only the calls."""
    own = {key: array for key, array in sizes_of(trace).items() if key.startswith(f"{name}/")}
    return replace(trace, studies={**trace.studies, "flow": {**trace.studies["flow"], **own}})


@remembered(1)
def _as_recorded(trace: Trace) -> Trace:
    """With the sizes of its own gradients, in the precision in which they were recorded."""
    return replace(trace, studies={**trace.studies, "flow": {**sizes_of(trace), AS_RECORDED: np.array(True)}})


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """In the laboratory what has come all the way back rests for half a second; all else as it goes."""
    plain = own_pace(moment.beat)
    last = moment.backward and moment.beat.layer == trace.layers[0].name
    return replace(plain, moving=AT_THE_END) if last and "lab" in trace.studies else plain


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says of the laboratory."""
    return _lab_page.page(trace, moment, look) if "lab" in trace.studies else None


def consequence(trace: Trace) -> tuple[str, ...]:
    """What follows from the knobs of the laboratory, in one or two sentences with measured numbers."""
    found = _lab_facts.study(trace)
    return () if found is None else _lab_facts.why(found)[:2]


def _suits(trace: Trace) -> bool:
    measured = trace.studies.get("lab")
    return trace.has_backward if measured is None else not {"hidden.mean", "rnn.mean"}.isdisjoint(measured)


VIEW = View(
    "gradient_flow", english("Gradient flow"),
            english("How large the gradient is at every layer and step, and what each hop keeps."),
    suits=_suits, draw=draw, telling=gone_back, pace=pace, order=14, page=page, studies=("flow", "before"),
    knobs=(("along", ("time", "depth")), ("loss", ("last", "all")), ("curves", ("shown", "faint")),
           ("sweep", ("hidden", "shown")), (KNOB, ())),
    group=GRADIENTS, tries=english("Find where the line falls steepest: there the gradient gets lost."),
)
