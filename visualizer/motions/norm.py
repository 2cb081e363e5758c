"""Normalising: what is taken together is measured, its mean is taken off, and it is scaled; on the way back what each
number got also moves the mean and the spread of the others, so that two mean terms are taken off.

Where statistics were learned, nothing is measured and no mean term comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer import kinds
from visualizer.kinds._dims import tuple_of
from visualizer.language import tr
from visualizer.motions import CAMERA, SETTLE, Frame, Motion, Setting, part_of, smooth, window
from visualizer.motions._marks import OVER, around, between, edges, side_by_side, sliding
from visualizer.scene import numbers, parts
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Group, Mark, Text, grouped, plain
from visualizer.trace import Array, Cell, Layer, Trace, remembered

SLIDE, MEASURE, EACH = 0.45, 0.6, 0.7
"""Seconds in which the maps slide over, are measured, and in which each of the steps takes effect."""
SMALLEST = 40.0
"""A tile under which its mean and spread stand."""


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "norm" and layer.output.ndim > 0


def forward(setting: Setting) -> Frame:
    """x slides over as it is; then x − μ, then that scaled and shifted."""
    layer = setting.layer
    measured = _measured(setting)
    if measured is None or not side_by_side(setting):
        return window.forward(setting)
    (left,), right = setting.left, setting.right
    slid = smooth(part_of(setting.second, CAMERA, SLIDE))
    start = CAMERA + SLIDE + MEASURE
    shifted, scaled = (smooth(part_of(setting.second, start + EACH * step, EACH)) for step in range(2))
    x = setting.trace[left.layer].output.astype(np.float64)
    centred = x - measured.mean
    values = x + (centred - x) * shifted if shifted < 1 else centred + (layer.output - centred) * scaled
    marks: list[Mark] = []
    if setting.second >= CAMERA:
        onto = between(left, right, slid)
        marks += sliding(setting, parts.tiles(setting.trace, onto, setting.look, False, values=values), slid)
        marks += edges(onto) if slid < 1 else []
    followed = right.box(setting.chosen)
    marks += around(followed) if followed is not None and right.style == "maps" else []
    known = part_of(setting.second, CAMERA + SLIDE, 0.2)
    if known > 0:
        ways = (tr("μ {mean}  σ {spread}"), tr("μ {mean}")) if measured.centred else (tr("rms {spread}"),)
        marks += parts.faded(_under(setting, ways, measured), known)
    done = int(scaled >= 1)
    return Frame(np.full(layer.shape, not done), None, tuple(marks), _said(setting, measured, shifted, scaled),
                 (done, 1), _step(shifted, scaled))


def backward(setting: Setting) -> Frame:
    """The gradient slides back, scaled; then its mean is taken off, then its mean along x̂."""
    layer, given = setting.layer, setting.written
    measured = _measured(setting)
    if measured is None or not side_by_side(setting) or layer.gradient is None or given.gradient is None \
            or not setting.from_one:
        return window.backward(setting)
    (left,), right = setting.left, setting.right
    slid = smooth(part_of(setting.second, CAMERA, SLIDE))
    steps = back_steps(setting.trace, layer.name)
    start = CAMERA + SLIDE + MEASURE
    first, second = (smooth(part_of(setting.second, start + EACH * step, EACH)) for step in range(2))
    one, other = (steps[0], steps[1]) if second <= 0 else (steps[1], steps[2])
    values = one + (other - one) * (first if second <= 0 else second)
    marks: list[Mark] = []
    done = int(second >= 1)
    if setting.second >= CAMERA and not done:
        onto = between(right, left, slid)
        on_its_way = layer.gradient + (values - layer.gradient) * slid
        copies = sliding(setting, parts.tiles(setting.trace, onto, setting.look, True, values=on_its_way), slid)
        marks += parts.faded(copies, OVER) if setting.later else copies
        marks += edges(onto) if slid < 1 else []
    known = part_of(setting.second, CAMERA + SLIDE, 0.2)
    if known > 0 and not measured.learned:
        marks += parts.faded(_terms_under(setting), known)
    return Frame(np.full(given.shape, not done), None, tuple(marks), _said_back(setting, measured, first, second),
                 (done, 1), "")


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return CAMERA + SLIDE + MEASURE + 2 * EACH + SETTLE


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """What is left after both mean terms have been taken off."""
    if layer.gradient is None or layer.reads[0] != name:
        return None
    try:
        return back_steps(trace, layer.name)[2]
    except (ValueError, IndexError) as error:
        raise LookupError(tr("{layer} is a {kind} of an unknown form."
                             ).format(layer=layer.name, kind=layer.kind)) from error


# --- what is measured ------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Measured:
    """Mean and spread of everything that is taken together, so that they can be taken off the whole input at once."""

    mean: Array
    spread: Array
    """√(σ² + ε): what is divided by."""
    learned: bool
    centred: bool


def _measured(setting: Setting) -> Measured | None:
    try:
        return measured_of(setting.trace, setting.layer.name)
    except (LookupError, ValueError, IndexError):
        return None


@remembered(16)
def measured_of(trace: Trace, name: str) -> Measured:
    """As the terms of the layer say."""
    layer = trace[name]
    lead = _lead(layer)
    mean, spread = np.zeros(layer.shape[:lead]), np.zeros(layer.shape[:lead])
    learned, centred = False, True
    for at in np.ndindex(*layer.shape[:lead]):
        met = dict(kinds.terms(trace, name, _first(layer, at)).met)
        learned = "running mean" in met
        centred = learned or "mean" in met
        mean[at] = met.get("mean", met.get("running mean", 0.0))
        squared = met.get("variance", met.get("running variance", met.get("mean of squares", 0.0)))
        spread[at] = np.sqrt(squared + float(layer.settings.get("eps") or 1e-5))
    rest = (1,) * (layer.output.ndim - lead)
    return Measured(mean.reshape(*mean.shape, *rest), spread.reshape(*spread.shape, *rest), learned, centred)


def _lead(layer: Layer) -> int:
    """How many axes count what is taken together: channels, or all but the last ones."""
    if layer.kind in ("layer_norm", "rms_norm"):
        return layer.output.ndim - len(tuple_of(layer.settings["normalized_shape"]))
    return 1


def _first(layer: Layer, at: tuple[int, ...]) -> Cell:
    return (*at, *(0,) * (layer.output.ndim - len(at)))


@remembered(4)
def back_steps(trace: Trace, name: str) -> tuple[Array, Array, Array]:
    """The gradient times γ / √(σ² + ε); that without its mean; and without its mean along x̂ too: what is handed back.

    Of group norm all channels of a group are taken together, so that each mean is that of the group.
    """
    layer = trace[name]
    assert layer.gradient is not None
    found = measured_of(trace, name)
    x = trace.inputs(layer)[0].output.astype(np.float64)
    hats = (x - found.mean) / found.spread
    gain = layer.weights.get("weight")
    gains = np.ones(1) if gain is None else gain.astype(np.float64) if _lead(layer) != 1 or layer.kind in (
        "layer_norm", "rms_norm") else gain.astype(np.float64).reshape(-1, *(1,) * (x.ndim - 1))
    scaled = layer.gradient.astype(np.float64) * gains / found.spread
    if found.learned:
        return scaled, scaled, scaled
    if "handed_by_all" in layer.settings:  # of a batch, whose other samples are not here
        by_mean, by_variance = (np.reshape(means, (-1, *(1,) * (x.ndim - 1)))
                                for means in layer.settings["handed_by_all"])
        centred = scaled - by_mean / found.spread
        return scaled, centred, centred - hats * by_variance / found.spread
    lead = _lead(layer)
    split = layer.shape if layer.kind != "group_norm" else \
        (int(layer.settings["num_groups"]), layer.shape[0] // int(layer.settings["num_groups"]), *layer.shape[1:])
    over = tuple(range(lead, len(split)))

    def mean_of(values: Array) -> Array:
        taken = values.reshape(split).mean(axis=over, keepdims=True)
        return np.broadcast_to(taken, split).reshape(layer.shape)

    centred = scaled - mean_of(scaled) if found.centred else scaled
    return scaled, centred, centred - hats * mean_of(scaled * hats)


# --- what is printed -------------------------------------------------------------------------------------------------

def _under(setting: Setting, ways: tuple[str, ...], measured: Measured) -> list[Mark]:
    """Mean and spread under each map of the source; of what is taken together as a whole once, under all of it."""
    left = setting.left[0]
    if left.style == "maps" and _lead(setting.layer) == 1 and left.tile[0] >= SMALLEST:
        marks: list[Mark] = []
        for channel in left.shown:
            box = left.box(channel)
            assert box is not None
            known = _named(measured, (channel,))
            said = fitting([words.format(**known) for words in ways], box[2] + 8, 11)
            marks += [Text(box[0], box[1] + box[3] + 14, plain(said), 11, 400, "ink-2")] if said else []
        return grouped(Group("measured"), marks)
    at = tuple(0 for _ in range(_lead(setting.layer)))
    words = ways[0].format(**_named(measured, at))
    return grouped(Group("measured"), [Text(left.x, left.top + left.height + 14, plain(words), 11, 400, "ink-2")])


def _named(measured: Measured, at: tuple[int, ...]) -> dict[str, str]:
    return {"mean": numbers.number(float(measured.mean[at].ravel()[0])),
            "spread": numbers.number(float(measured.spread[at].ravel()[0]))}


def _terms_under(setting: Setting) -> list[Mark]:
    """The two mean terms under each map, as the terms of its first number say them."""
    left, given = setting.left[0], setting.written
    marks: list[Mark] = []
    lead = _lead(setting.layer)
    each = left.style == "maps" and lead == 1 and left.tile[0] >= SMALLEST
    for channel in left.shown if each else (0,):
        box = left.box(channel) if each else (left.x, left.top, left.width, left.height)
        assert box is not None
        met = mean_terms(setting.trace, given.name, _first(setting.layer, (channel,) if each else (0,) * lead))
        said = fitting([tr("means {one}, {other}").format(**met), "{one}, {other}".format(**met)], box[2] + 8, 11)
        marks += [Text(box[0], box[1] + box[3] + 14, plain(said), 11, 400, "gradient-text")] if said else []
    return grouped(Group("mean terms"), marks)


@remembered(256)
def mean_terms(trace: Trace, name: str, cell: Cell) -> dict[str, str]:
    """Mean of γ·∂L/∂y, and of γ·∂L/∂y·x̂, of what a number was taken together with."""
    ((_, terms),) = kinds.backward_terms(trace, name, cell)
    met = dict(terms.met)
    return {"one": numbers.significant(met.get("mean of γ·∂L/∂y", 0.0), 2),
            "other": numbers.significant(met.get("mean of γ·∂L/∂y·x̂", 0.0), 2)}


def _step(shifted: float, scaled: float) -> str:
    if scaled > 0:
        return tr("step 2 of 2: scaled")
    return tr("step 1 of 2: mean taken off") if shifted > 0 else tr("measured")


# --- words -----------------------------------------------------------------------------------------------------------

def _said(setting: Setting, measured: Measured, shifted: float, scaled: float) -> str:
    layer, source = setting.layer, setting.left[0].layer
    at = (min(setting.chosen, layer.shape[0] - 1),) if _lead(layer) == 1 else (0,) * _lead(layer)
    known = _named(measured, at)
    if setting.second < CAMERA + SLIDE:
        return tr("{source} slides over as it is; {layer} has changed {{nothing}} yet.").format(
            source=source, layer=layer.name)
    if shifted <= 0:
        if measured.learned:
            return tr("What was learned in training stands for mean and spread: {mean} and {{{spread}}}.").format(
                **known)
        return tr("What is taken together is measured: mean {mean}, spread {{{spread}}}.").format(**known) \
            if measured.centred else tr("What is taken together is measured: its size is {{{spread}}}.").format(**known)
    if scaled <= 0:
        return tr("The mean {{{mean}}} is taken off every number.").format(**known)
    return tr("Then every number is divided by the spread {{{spread}}}, stretched and shifted.").format(**known)


def _said_back(setting: Setting, measured: Measured, first: float, second: float) -> str:
    layer, source = setting.layer, setting.written.name
    if setting.second < CAMERA + SLIDE:
        return tr("The gradient of {layer} comes back; {source} has {{none}} yet.").format(
            layer=layer.name, source=source)
    if measured.learned:
        return tr("Mean and spread were learned and do not move: each gradient only takes γ / √(σ² + ε).")
    at = _first(layer, (min(setting.chosen_right, layer.shape[0] - 1),)) if _lead(layer) == 1 else \
        (0,) * layer.output.ndim
    met = mean_terms(setting.trace, source, at)
    if first <= 0:
        return tr("Every number also moved the mean and the spread of the others: two mean terms go back.")
    if second <= 0:
        return tr("The mean of the gradients, {{{one}}}, is taken off: moving all alike changes nothing.").format(**met)
    return tr("The mean along x̂, {{{other}}}, is taken off: stretching all alike changes nothing.").format(**met)


MOTION = Motion("norm", suits, forward, backward, seconds, order=20, hands=hands)
