"""What a cut changed, worked out anew from the recording, what was before it, and what was counted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.quantities import quantity, words
from visualizer import edits
from visualizer.trace import Trace


def before(trace: Trace, name: str) -> np.ndarray:
    held = trace.studies.get("surgery", {})
    return np.asarray(held.get(name, trace[name].output), np.float64)


def after(trace: Trace, name: str) -> np.ndarray:
    """Past the steps that an edit has put behind a layer."""
    found, held = trace[name], trace.studies.get("surgery", {})
    for layer in trace:
        if held and layer.name not in held and found.name in layer.reads:
            found = layer
    return np.asarray(found.output, np.float64)


def _loss(trace: Trace) -> str:
    return next(layer.name for layer in reversed(trace.layers) if layer.output.ndim == 0)


quantity("loss before the edits")(lambda trace, said: float(before(trace, _loss(trace))))
quantity("loss after the edits")(lambda trace, said: float(trace[_loss(trace)].output))
quantity("answer before the edits")(lambda trace, said: float(before(trace, said.layer)[said.cell]))
quantity("answer after the edits")(lambda trace, said: float(trace[said.layer].output[said.cell]))
quantity("points of an answer")(lambda trace, said: 100 * float(
    trace[said.layer].output[said.cell] - before(trace, said.layer)[said.cell]))
quantity("largest of both")(lambda trace, said: max(
    float(np.abs(each).max()) for each in (before(trace, said.layer), after(trace, said.layer),
                                           after(trace, said.layer) - before(trace, said.layer))))


@quantity("largest of both, gradient")
def largest_slope(trace: Trace, said: Any) -> float:
    now = np.asarray(trace[said.layer].gradient, np.float64)
    was = np.asarray(trace.studies.get("surgery", {}).get(f"{said.layer}:gradient", now), np.float64)
    return max(float(np.abs(each).max()) for each in (was, now, now - was))


DONE = {
    r"unit_off:(.+):(\d+)": "unit {1} of {0} off", r"unit_only:(.+):(\d+)": "of {0} only unit {1}",
    r"gate_(open|shut):(.+?):(\w+)": "gate “{2}” of {1} held {0}", r"step_off:(\d+)": "without number {0}",
    r"weight:(.+):(\d+)=(.+)": "{0} at ({1}) = {2}",
}
"""How an edit is written, and what is read of it."""


@words("what is done")
def what_is_done(trace: Trace, said: Any) -> str:
    form = next(form for form in DONE if re.fullmatch(form, said.array))
    found = re.fullmatch(form, said.array)
    assert found is not None
    return DONE[form].format(*(f"{float(each):g}" if "e" in each and each[0].isdigit() else each
                               for each in found.groups()))


# --- which matters most -----------------------------------------------------------------------------------------------

def _held(trace: Trace) -> Any:
    return trace.studies["matters"]


quantity("how many inputs are counted")(lambda trace, said: int(_held(trace)["inputs"]))
quantity("points lost")(lambda trace, said: 100 * float(
    _held(trace)["all"][0] - _held(trace)[f"{said.array}:alone"][said.cell[0]]) / float(_held(trace)["all"][1]))
quantity("how many break it")(lambda trace, said: len(_held(trace)["units:broken"]))
quantity("right answers when broken")(lambda trace, said: int(_held(trace)["units:left"][-1]))
quantity("right answers of the whole")(lambda trace, said: int(_held(trace)["all"][0]))
quantity("how many are left out in turn")(lambda trace, said: len(_held(trace)["units:alone"]))


@quantity("index of what is left out")
def index_left_out(trace: Trace, said: Any) -> float:
    word = bytes(_held(trace)[f"{said.array}:words"]).decode().split("\n")[said.cell[0]]
    _, arguments = edits.parse(word)
    return float(arguments[-1])
