"""What is true of a setting of the laboratory: its lanes, the sentence that says it first, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import lab as knobs
from visualizer.decay import Decay
from visualizer.lab import Lab
from visualizer.language import counted_as, english, listed, tr
from visualizer.scene import causes, numbers
from visualizer.scene.timeline import BACKWARD, Beat, Moment, ease, timeline
from visualizer.trace import Arrays, Trace, remembered

Values = NDArray[np.float64]
GROWS = 1.005
"""A factor up to this is no growth within the steps that are shown."""


@dataclass(frozen=True, eq=False)
class Lane:
    """One curve: the gradient of one cell's state by steps back, or one quantity of a deep network by layers down."""

    name: str
    """As in the sentence: `RNN`, `∂L/∂h`."""
    of: str
    """What is measured: `state h`."""
    token: str
    style: str
    """`solid`, `dash`, `ring`."""
    palette: str
    mean: Values
    """Geometric mean over the seeds, relative to the loss; index 0 is the loss."""
    seeds: Values
    """(seed, step)."""
    kept: Values
    """The factor from each step to the next one back."""
    line: Decay | None
    """What was fitted; None where too few sizes are left for a line."""
    one_percent: int | None
    beyond: int | None
    """The first step back whose number left the range."""
    zeros: int

    @property
    def ink(self) -> str:
        """The colour of its words."""
        return {"series-rnn": "gradient-text", "positive-bar": "positive-text"}.get(self.token, self.token)

    @property
    def factor(self) -> float:
        """Kept a step or layer; NaN where there is no line."""
        return math.nan if self.line is None else self.line.factor

    @property
    def half(self) -> float:
        """In how many steps or layers it halves."""
        return math.nan if self.line is None else self.line.half_life

    @property
    def decays(self) -> bool:
        return self.line is not None and self.line.decays

    @property
    def gone(self) -> bool:
        """Whether it is exactly 0 so soon that no line can be fitted."""
        return self.zeros > 0 and not math.isfinite(self.factor)

    @property
    def grows(self) -> bool:
        return self.factor > GROWS


@dataclass(frozen=True, eq=False)
class Study:
    """A setting and its lanes."""

    lab: Lab
    lanes: tuple[Lane, ...]
    arrays: Arrays
    unit: str
    """`step` or `layer`."""

    @property
    def count(self) -> int:
        return len(self.lanes[0].mean)

    def figure(self, name: str) -> float:
        """One number of the study; NaN if it has none of that name."""
        return float(np.mean(self.arrays[name])) if name in self.arrays else math.nan

    def at(self, name: str, back: int) -> float:
        """One value of a curve; NaN if there is none of that name."""
        return float(self.arrays[name][back]) if name in self.arrays else math.nan


@remembered(16)
def study(trace: Trace, name: str = "lab") -> Study | None:
    """The setting of a Trace, or the one pinned beside it; None if there is none, or if it is of another experiment."""
    arrays = trace.studies.get(name)
    words = trace.facts.get(name, {})
    if not arrays or not words:
        return None
    lab = knobs.from_knobs({key: str(word) for key, word in words.items()})
    if name != "lab" and lab.experiment != trace.facts["lab"].get("experiment", "time"):
        return None
    return Study(lab, _lanes(lab, arrays), arrays, "layer" if lab.experiment == "depth" else "step")


def _lanes(lab: Lab, arrays: Arrays) -> tuple[Lane, ...]:
    if lab.experiment == "depth":
        return tuple(_lane(arrays, key, name, of, token, style, palette) for key, name, of, token, style, palette in (
            ("hidden", "∂L/∂h", tr("activations"), "series-rnn", "solid", "gradient"),
            ("weight", "∂L/∂W", tr("weights"), "series-gru", "dash", "gradient"),
            ("spread", english("spread"), tr("of activations"), "positive-bar", "ring", "activation")))
    return tuple(_lane(arrays, key, name, of, f"series-{key}", style, "gradient") for key, name, of, style in (
        ("rnn", "RNN", tr("state h"), "solid"), ("gru", "GRU", tr("state h"), "dash"),
        ("lstm", "LSTM", tr("memory c"), "ring")))


def _lane(arrays: Arrays, key: str, name: str, of: str, token: str, style: str, palette: str) -> Lane:
    _, factor, straight, first, last = (float(part) for part in arrays[f"{key}.fit"])
    line = Decay(int(first), int(last), factor, straight) if math.isfinite(factor) else None
    if f"{key}.factor" in arrays:  # of a deep network: from the last layer to the first, as it is published
        line = Decay(0, len(arrays[f"{key}.mean"]) - 1, float(arrays[f"{key}.factor"]), straight)
    return Lane(name, of, token, style, palette, np.asarray(arrays[f"{key}.mean"], np.float64),
                np.asarray(arrays[f"{key}.seeds"], np.float64), np.asarray(arrays[f"{key}.kept"], np.float64),
                line, _whole(arrays[f"{key}.one_percent"]), _whole(arrays[f"{key}.beyond"]),
                int(arrays[f"{key}.zeros"]))


def _whole(value: Any) -> int | None:
    return int(value) if math.isfinite(float(value)) else None


# --- where the cursor stands ----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Reached:
    """How far the gradient has come on its way back."""

    there: float
    """Steps or layers before the loss at which the cursor stands, also on its way between two of them."""
    back: int
    """The last of them that it has come to."""
    last: int
    """The farthest of them."""
    flows: bool
    """Whether there is a gradient yet: on the way forward there is none."""
    computes: int = 0
    """On the way forward: which step or layer is computed, counted from 1; 0 before the first."""

    @property
    def whole(self) -> bool:
        """Whether it has come all the way."""
        return self.flows and self.back == self.last


def reached(trace: Trace, found: Study, moment: Moment) -> Reached:
    """Where a moment is: the cursor goes evenly from step to step, and eased from layer to layer."""
    last = found.count - 1
    settled = _back(trace, found, moment.beat.layer, moment.beat.step, moment.backward)
    before = min(settled + 1, last) if not moment.backward else max(settled - 1, 0)
    if moment.index == 0 or (found.unit == "layer" and not _first_of_block(trace, moment)) \
            or (moment.beat.step is None and found.unit == "step"):
        before = settled
    share = ease(moment.phase) if found.unit == "layer" else moment.phase
    there = before + (settled - before) * share
    if not moment.backward:
        first = moment.beat.layer == trace.layers[0].name
        return Reached(there, ceil(there - 1e-9), last, False, 0 if first else last + 1 - settled)
    return Reached(there, floor(there + 1e-9), last, True)


@remembered(4)
def stops(trace: Trace, found: Study) -> dict[int, Beat]:
    """Of each step or layer before the loss the beat on the way back that comes to it first."""
    beats: dict[int, Beat] = {}
    for beat in timeline(trace).beats:
        if beat.direction == BACKWARD:
            beats.setdefault(_back(trace, found, beat.layer, beat.step, True), beat)
    return beats


def _back(trace: Trace, found: Study, layer: str, step: int | None, backward: bool) -> int:
    last = found.count - 1
    if found.unit == "step":
        if step is not None:
            return min(max(found.count - step, 0), last)
        return last if layer == trace.layers[0].name else 0
    blocks: Mapping[str, int] = trace.facts.get("blocks", {})
    return min(max(found.count - blocks.get(layer, 0), 0), last)


def _first_of_block(trace: Trace, moment: Moment) -> bool:
    """Whether this beat is the one that enters a new layer of the deep network."""
    blocks: Mapping[str, int] = trace.facts.get("blocks", {})
    order = [layer.name for layer in trace.layers]
    beside = order.index(moment.beat.layer) + (1 if moment.backward else -1)
    if not 0 <= beside < len(order):
        return False
    here, there = (min(max(blocks.get(name, 0), 1), max(blocks.values()) - 1) for name in
                   (moment.beat.layer, order[beside]))
    return here != there


# --- words ----------------------------------------------------------------------------------------------------------

def share(value: float) -> str:
    """`0.012 %`, `22 %`, `3.1 × 10⁻⁷`, `57 ×`, `0`."""
    if not math.isfinite(value):
        return tr("beyond range")
    if value >= 10:
        return f"{numbers.significant(value, 2)} ×"
    if value == 0 or value >= 1e-5:
        return f"{numbers.significant(value * 100, 2)} %"
    return numbers.power(value)


def counted(count: int | str, unit: str) -> str:
    """`1 step`, `2 steps`, `12 layers`: how far back, or a half-life, `1.0 steps`."""
    known = {"step": (tr("{count} step"), tr("{count} steps")), "layer": (tr("{count} layer"), tr("{count} layers"))}
    return counted_as(count if isinstance(count, int) else math.inf, *known[unit]).format(count=count)


def headline(found: Study, here: Reached) -> tuple[str, str, str]:
    """What stands before the large number, the number, and what stands after it; no number where nothing happens.

    What all steps together say is said when the gradient has come to the last of them.
    """
    if not here.flows:
        return _computing(found, here)
    return _in_the_end(found) if here.whole else _so_far(found, here.back)


def _computing(found: Study, here: Reached) -> tuple[str, str, str]:
    if not here.computes:
        words = tr("Nothing has been read yet.") if found.unit == "step" else tr("Nothing has been computed yet.")
        return words, "", ""
    words = tr("All three networks read step") if found.unit == "step" else tr("The network computes layer")
    return words, str(here.computes), tr("of {count}.").format(count=found.count)


def _so_far(found: Study, back: int) -> tuple[str, str, str]:
    kept = float(found.lanes[0].mean[back])
    if not math.isfinite(kept):
        whose = tr("the RNN’s gradient") if found.unit == "step" else tr("the gradient")
        return tr("{distance} back {whose} is beyond range.").format(distance=counted(back, found.unit),
                                                                    whose=whose), "", ""
    if found.unit == "layer":
        words = tr("{distance} down the gradient is") if back else tr("At the last layer the gradient is")
        return words.format(distance=counted(back, found.unit)), share(kept), tr("of the last.") if back else ""
    if not back:
        return tr("At the loss all hold"), share(kept), tr("of the gradient.")
    after = tr("its gradient.") if kept >= 10 else tr("of its gradient.")
    return tr("{distance} back the RNN holds").format(distance=counted(back, found.unit)), share(kept), after


def _in_the_end(found: Study) -> tuple[str, str, str]:
    first = found.lanes[0]
    steps = found.unit == "step"
    whose = tr("The gradient") if found.unit == "layer" else tr("The RNN’s gradient")
    if first.beyond == 0:
        return tr("{whose} is beyond the range of {precision} already at the loss.").format(
                   whose=whose, precision=found.lab.precision), "", ""
    if first.gone:
        step = int(np.argmax(first.mean == 0))
        return tr("{whose} is exactly 0 from {distance} back on.").format(
            whose=whose, distance=counted(step, found.unit)), "", ""
    if first.decays:
        words = tr("The RNN forgets half every") if steps else tr("The gradient halves every")
        return words, numbers.significant(first.half, 2), tr("steps.") if steps else tr("layers.")
    if first.grows:
        return tr("{whose} grows by").format(whose=whose), numbers.number(first.factor), \
            tr("a step.") if steps else tr("a layer.")
    words = tr("{whose} does not decay in these {count} steps.") if steps else \
        tr("{whose} does not decay in these {count} layers.")
    return words.format(whose=whose, count=found.count), "", ""


def second_line(found: Study, here: Reached, against: Study | None = None) -> str:
    """The other lanes, and what all of them keep at the cursor; in the markup of `rich`."""
    if not here.flows:
        return tr("There is no gradient yet: it comes on the way back.")
    return _all_of_it(found, here.back, against) if here.whole else _others_so_far(found, here.back, against)


def _others_so_far(found: Study, back: int, against: Study | None) -> str:
    one, other = (f"**{share(float(lane.mean[back]))}**" for lane in found.lanes[1:3])
    words = tr("The GRU holds {gru}, the LSTM {lstm} of the gradient at the loss.").format(
        gru=one, lstm=other) if found.unit == "step" else \
        tr("∂L/∂W is {weights}, the spread of the activations {spread} of the last layer’s.").format(
            weights=one, spread=other)
    if against is not None and back < against.count:
        kept = share(float(against.lanes[0].mean[back]))
        words += " " + (tr("Pinned as A: the RNN {kept}.") if found.unit == "step" else
                        tr("Pinned as A: the gradient {kept}.")).format(kept=kept)
    return words


def _all_of_it(found: Study, back: int, against: Study | None) -> str:
    unit = found.unit
    rest = [lane for lane in found.lanes[1:] if lane.name != "spread"]
    brief = found.lanes[0].decays and unit == "step"
    said = []
    for number, lane in enumerate(rest):
        words = "{lane} {goes}" if unit != "step" else tr("the {lane} {goes}") if number else tr("The {lane} {goes}")
        said.append(words.format(lane=lane.name, goes=_manner(lane, unit, brief)))
        brief = brief or (lane.decays and unit == "step")
    words = ", ".join(said) + "."
    kept = [f"**{share(float(lane.mean[back]))}**" for lane in found.lanes]
    where = counted(back, unit)
    if unit == "step":
        lost = any(not math.isfinite(lane.mean[back]) for lane in found.lanes)
        words += " " + (tr("{distance} back the shares of the gradient at the loss are {shares}.") if lost else
                        tr("{distance} back they keep {shares} of the gradient at the loss.")).format(
            distance=where, shares=listed(kept))
    else:
        words += " " + tr("{distance} below the last, {first} of ∂L/∂h, {second} of ∂L/∂W and {third} of the spread "
                          "are there.").format(distance=where, first=kept[0], second=kept[1], third=kept[2])
    if against is not None:
        old = against.lanes[0]
        words += " " + tr("Pinned as A: {lane} {goes}.").format(lane=old.name, goes=_manner(old, unit))
    return words


def _manner(lane: Lane, unit: str, brief: bool = False) -> str:
    """How a lane goes; `brief` after a headline that has said `forgets half`."""
    if lane.decays:
        words = tr("every {half}") if brief else tr("forgets half every {half} steps") if unit == "step" else \
            tr("halves every {half} layers")
        return words.format(half=numbers.significant(lane.half, 2))
    if lane.grows:
        words = tr("grows by {factor} a step") if unit == "step" else tr("grows by {factor} a layer")
        return words.format(factor=numbers.number(lane.factor))
    return tr("is exactly 0") if lane.gone else tr("does not decay")


def why(found: Study) -> tuple[str, ...]:
    """Causes that the numbers make true, the one that says most first."""
    return _why_time(found) if found.unit == "step" else _why_depth(found)


def _why_time(found: Study) -> tuple[str, ...]:
    lab, rnn, lstm = found.lab, found.lanes[0], found.lanes[2]
    tell = found.figure
    flat = tell("rnn.saturated")
    clip = [causes.clipped(tell(f"{cell}.weight_norm"), lab.clip) for cell in ("rnn", "gru", "lstm")]
    return causes.all_true((
        causes.overflowed(rnn.beyond),
        causes.rounded_to_zero(max(lane.zeros for lane in found.lanes)) if lab.precision == "float32" else "",
        causes.linear_power(lab.gain, rnn.factor) if lab.cell == "linear" else "",
        causes.sigmoid_slope(tell("rnn.slope")) if lab.cell == "sigmoid" else "",
        causes.half_open(tell("rnn.slope")) if lab.cell == "relu" else "",
        causes.large_radius_vanishes(lab.gain, rnn.factor, flat),
        causes.saturated(flat) if lab.cell == "tanh" and lab.gain <= 1 else "",
        causes.grows_first(lab.gain, tell("rnn.singular"), tell("rnn.peak"), int(tell("rnn.peak_lag")))
        if math.isfinite(tell("rnn.peak_lag")) else "",
        causes.must_vanish(tell("rnn.bound")),
        causes.bound_is_no_prediction(rnn.factor, tell("rnn.bound")),
        causes.explodes(rnn.factor),
        causes.gate_mean(tr("Forget gate"), tell("lstm.gate")), causes.gate_open(tr("Forget gate"), tell("lstm.gate")),
        causes.detour(lstm.factor, tell("lstm.gate")), *clip[:1],
    ))


EXPECTED = {("relu", "default", "none"): ("1/√6", 1 / math.sqrt(6)),
            ("relu", "xavier", "none"): ("1/√2", math.sqrt(0.5)),
            ("relu", "he", "none"): ("1", 1.0), ("sigmoid", "default", "none"): ("1/(4√3)", 0.25 / math.sqrt(3)),
            ("tanh", "default", "none"): ("1/√3", 1 / math.sqrt(3)),
            ("relu", "*", "batch"): ("√(π/(π − 1))", math.sqrt(math.pi / (math.pi - 1)))}
"""Factors a layer that theory gives for wide networks without skips: variances of uniform and normal weights, and of
batch norm (Yang et al. 2019)."""


def _why_depth(found: Study) -> tuple[str, ...]:
    lab, hidden = found.lab, found.lanes[0]
    skips = lab.residual == "on"
    expected = EXPECTED.get((lab.activation, lab.init, lab.norm)) or EXPECTED.get((lab.activation, "*", lab.norm))
    weight_ratio = float(found.lanes[1].mean[-1])
    return causes.all_true((
        causes.flat_but_dead(weight_ratio, found.figure("spread.last")),
        causes.skips_carry(skips, hidden.factor), causes.norm_explodes(lab.norm, hidden.factor, skips),
        causes.theory(expected[0], hidden.factor, expected[1]) if expected and not skips and lab.net == "mlp" else "",
        causes.sigmoid_slope(0.25) if lab.activation == "sigmoid" and hidden.factor <= 0.25 else "",
        causes.half_open(1 - found.figure("hidden.saturated")) if lab.activation == "relu" and not skips else "",
        causes.saturated(found.figure("hidden.saturated")) if lab.activation == "tanh" else "",
        causes.dead(found.figure("hidden.dead"), "units", 128) if lab.activation == "relu" and not skips else "",
        causes.explodes(hidden.factor, "layer") if lab.norm != "batch" and not skips else "",
    ))
