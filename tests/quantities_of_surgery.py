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
    r"replaced:(.+):(\d+)=mean": "in place of unit {1} of {0} its mean",
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
    return trace.studies.get("matters") or trace.studies["matters so far"]


quantity("how many inputs are counted")(lambda trace, said: int(_held(trace)["all"][1]))
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


quantity("how many others")(lambda trace, said: len(_held(trace)[f"{said.array}:alone"]) - said.cell[0])
quantity("loss that grows")(lambda trace, said: float(
    _held(trace)["units:alone"][said.cell[0]] - _held(trace)["all"][0]))
quantity("points that the edits cost")(lambda trace, said: 100 * float(
    _held(trace)["whole"][0] - _held(trace)["now"][0]) / float(_held(trace)["whole"][1]))
quantity("points gained")(lambda trace, said: 100 * float(
    _held(trace)["now"][0] - _held(trace)["whole"][0]) / float(_held(trace)["whole"][1]))
quantity("right before the edits")(lambda trace, said: float(_held(trace)["whole"][0] / _held(trace)["whole"][1]))
quantity("right after the edits")(lambda trace, said: float(_held(trace)["now"][0] / _held(trace)["now"][1]))
quantity("answers counted")(lambda trace, said: int(_held(trace)["whole"][1]))
quantity("weights compared")(lambda trace, said: int(_held(trace)["bits"][1]))
quantity("weights that differ")(lambda trace, said: int(_held(trace)["bits"][1] - _held(trace)["bits"][0]))


@quantity("how far it reaches")
def how_far(trace: Trace, said: Any) -> float:
    was, now = before(trace, said.layer), after(trace, said.layer)
    return float(np.sqrt(((now - was) ** 2).sum() / (was ** 2).sum()))


# --- a sandbox layer --------------------------------------------------------------------------------------------------

def _reads(side: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many places a kernel finds, counted one by one."""
    places = range(-padding, side + padding)
    return sum(start % stride == 0 and start - padding + (kernel - 1) * dilation in places for start in range(
        side + 2 * padding))


quantity("side that is read")(lambda trace, said: trace.studies[said.array]["read"].shape[-2])
quantity("size by the formula")(lambda trace, said: _reads(
    trace.studies[said.array]["read"].shape[-2 + said.cell[0]], *map(int, trace.studies[said.array]["settings"])))
quantity("size by torch")(lambda trace, said: int(trace.studies[said.array]["out"].shape[said.cell[0]]))
quantity("largest of the sandbox")(lambda trace, said: float(np.abs(trace.studies[said.array]["out"]).max()))


quantity("how many pixels are set")(lambda trace, said: sum(
    word.startswith("pixel:") for word in bytes(trace.studies["surgery"]["edits"]).decode().split("\n")))
quantity("how many edits are done")(lambda trace, said: len(
    bytes(trace.studies["surgery"]["edits"]).decode().split("\n")))
quantity("setting of the sandbox")(lambda trace, said: int(trace.studies[said.array]["settings"][said.cell[0]]))
