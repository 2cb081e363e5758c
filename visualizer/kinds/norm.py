"""Normalisation: y = γ·(x − μ) / √(σ² + ε) + β, with μ and σ² over a different population each time.

Batch norm (Ioffe and Szegedy 2015) takes a channel over all samples and places; one sample is recorded, so its
statistics in training are that sample's own. Instance norm takes a channel of one sample, group norm (Wu and He 2018) a
group of its channels, layer norm (Ba et al. 2016) its last axes; RMS norm (Zhang and Sennrich 2019) leaves the mean in.
The variance is the biased one, divided by n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import SAMPLES, Box, Inputs, Kind, Taps, Terms, _words
from visualizer.kinds._dims import axis_of, tuple_of
from visualizer.kinds._taps import Cells, Numbers, added, clipped, gradient_taps, grid_of, look, one, taps, through
from visualizer.language import english, listed, tr, translated
from visualizer.trace import Cell, Layer

Ranges = list[Cells]
"""For each axis the indices that are taken together."""


@dataclass(frozen=True)
class Norm:
    """One way of normalising."""

    name: str
    title: str
    calls: Mapping[str, str]
    population: Callable[[Layer, Cell], Ranges]
    """The cells whose mean and variance a cell is measured by."""
    over: str
    """The same in words."""
    last_axes: bool = False
    """Whether γ and β have a value for each cell of the last axes; else they have one for each channel."""
    centred: bool = True
    """Whether the mean is taken off."""


@dataclass(frozen=True)
class _Measured:
    """A population, measured."""

    ranges: Ranges
    mean: float
    variance: float
    scale: float
    """1 / √(σ² + ε)."""
    hats: Numbers
    """x̂ = (x − μ)·scale, laid out by the ranges."""


def norm_terms(norm: Norm, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """x as it lies in its population, stretched by γ and shifted by β; then the population, if it is this sample."""
    learned = _learned(norm, layer, cell)
    x = float(inputs[0].output[cell])
    gain, shift = _at(norm, layer, "weight", cell, 1.0), _at(norm, layer, "bias", cell, 0.0)
    if learned is not None:
        mean, variance, scale = learned
        read: tuple[Taps, ...] = (taps(inputs[0], "output", one(cell), gain * scale),)
        names = (english("mean"), english("variance")) if SAMPLES in layer.settings else \
            (english("running mean"), english("running variance"))
    else:
        found = _measure(norm, layer, inputs, cell)
        mean, variance, scale = found.mean, found.variance, found.scale
        grid = tuple(map(len, found.ranges))
        cells = grid_of(*found.ranges)
        read = (taps(inputs[0], "output", one(cell), gain * scale),
                taps(inputs[0], "output", cells, 1 / len(cells), grid))
        names = (english("mean"), english("variance")) if norm.centred else ("", english("mean of squares"))
    hat = (x - mean) * scale
    met = [(name, number) for name, number in zip(names, (mean, variance), strict=True) if name]
    formula = "y = γ·(x − μ) / √(σ² + ε) + β" if norm.centred else english("y = γ·x / √(mean x² + ε)")
    return Terms("function", read, gain * hat + shift, shift if "bias" in layer.weights else None,
                 "bias" if "bias" in layer.weights else "", formula, (*met, ("x̂", hat), ("γ", gain)))


def norm_backward(norm: Norm, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """With learned statistics the gradient times γ·scale; else x also moved the mean and the variance of all others.

    ∂L/∂xᵢ = Σⱼ ∂L/∂yⱼ·γⱼ·([i = j] − 1/n − x̂ᵢ·x̂ⱼ/n) / √(σ² + ε): the second term comes by the mean, the third by the
    variance.
    """
    learned = _learned(norm, layer, cell)
    if learned is not None and "handed_by_all" in layer.settings:
        return _from_the_batch(norm, layer, inputs, cell, learned)
    if learned is not None:
        gain = _at(norm, layer, "weight", cell, 1.0)
        return through(layer, cell, gain * learned[2], "∂L/∂x = ∂L/∂y·γ / √(σ² + ε)", (("γ", gain),))
    found = _measure(norm, layer, inputs, cell)
    hats, cells = found.hats.ravel(), grid_of(*found.ranges)
    me = int(np.flatnonzero((cells == np.array(cell)).all(axis=1))[0])
    slopes = -hats[me] * hats / len(hats) - (1 / len(hats) if norm.centred else 0.0)
    slopes[me] += 1.0
    gains = _gains(norm, layer, cells)
    read = gradient_taps(layer, cells, slopes * gains * found.scale, tuple(map(len, found.ranges)))
    g = read.values * gains
    met = (("x̂", float(hats[me])), (english("mean of γ·∂L/∂y"), float(g.mean())),
           (english("mean of γ·∂L/∂y·x̂"), float((g * hats).mean())))
    return added(read, formula="∂L/∂xᵢ = Σⱼ ∂L/∂yⱼ·γⱼ·([i = j] − 1/n − x̂ᵢ·x̂ⱼ/n) / √(σ² + ε)" if norm.centred
                 else english("∂L/∂xᵢ = Σⱼ ∂L/∂yⱼ·γⱼ·([i = j] − x̂ᵢ·x̂ⱼ/n) / √(mean x² + ε)"), met=met)


def _from_the_batch(norm: Norm, layer: Layer, inputs: Inputs, cell: Cell, learned: tuple[float, float, float]) -> Terms:
    """In training, of one sample of a batch: x also moved the mean and the variance of all others, of which only the
    two means that this takes are kept."""
    mean, _, scale = learned
    channel = cell[_channel_axis(layer)]
    by_mean, by_variance = (float(means[channel]) for means in layer.settings["handed_by_all"])
    hat = (float(inputs[0].output[cell]) - mean) * scale
    read = gradient_taps(layer, one(cell), _at(norm, layer, "weight", cell, 1.0) * scale)
    return added(read, bias=-(by_mean + hat * by_variance) * scale,
                 formula="∂L/∂xᵢ = Σⱼ ∂L/∂yⱼ·γⱼ·([i = j] − 1/n − x̂ᵢ·x̂ⱼ/n) / √(σ² + ε)",
                 met=(("x̂", hat), (english("mean of γ·∂L/∂y"), by_mean), (english("mean of γ·∂L/∂y·x̂"), by_variance)))


def norm_weight(norm: Norm, layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """∂L/∂γ = Σ ∂L/∂y·x̂ and ∂L/∂β = Σ ∂L/∂y, over every cell that the weight was used for."""
    if name not in ("weight", "bias"):
        raise LookupError(tr("{name} of {layer} is measured, not learned, so it has no gradient."
                             ).format(name=name, layer=layer.name))
    used = [np.arange(size) for size in layer.shape]
    if norm.last_axes:
        used[len(used) - len(cell):] = [np.array([i]) for i in cell]
    else:
        used[_channel_axis(layer)] = np.array(cell)
    if name == "bias":
        cells = grid_of(*used)
        return added(gradient_taps(layer, cells, 1.0, tuple(map(len, used))), formula="∂L/∂β = Σ ∂L/∂y")
    where, hats = [], []
    for ranges, found in _populations(norm, layer, inputs, used):
        where.append(grid_of(*ranges))
        hats.append(found.ravel())
    cells = np.concatenate(where)
    read = gradient_taps(layer, cells, np.concatenate(hats), tuple(map(len, used)) if len(where) == 1 else ())
    return added(read, formula="∂L/∂γ = Σ ∂L/∂y·x̂")


def norm_box(norm: Norm, layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """The cell alone where the statistics were learned, else its whole population."""
    inside = clipped(box, layer.shape)
    first, last = tuple(low for low, _ in inside), tuple(high for _, high in inside)
    if _learned(norm, layer, first) is not None:
        return box
    return tuple((int(low[0]), int(high[-1])) for low, high
                 in zip(norm.population(layer, first), norm.population(layer, last), strict=True))


def norm_sentence(norm: Norm, layer: Layer, inputs: Inputs) -> str:
    title = translated(norm.title)
    title = title[0].upper() + title[1:]
    spread, source = _words.spread(layer), inputs[0].name
    start = (0,) * layer.output.ndim
    if SAMPLES in layer.settings and norm.name == "batch_norm":
        return tr("{norm} is in training: it takes mean and variance of each channel of {source} over all samples of "
                  "the batch, then stretches and shifts it; values now lie {spread}.").format(
            norm=title, source=source, spread=spread)
    if _learned(norm, layer, start) is not None:
        return tr("{norm} is in evaluation: it shifts and stretches each channel of {source} by what it learned in "
                  "training; values now lie {spread}.").format(norm=title, source=source, spread=spread)
    count = int(np.prod([len(one) for one in norm.population(layer, start)]))
    aim = _words.fixed(tr("mean 0 and variance 1") if norm.centred else tr("a mean square of 1"), layer)
    then = [word for name, word in (("weight", tr("stretches")), ("bias", tr("shifts"))) if name in layer.weights]
    training = "running_mean" in layer.weights
    if then:
        does = tr("{norm} is in training: it brings {over} of {source} ({numbers}) to {aim}, then {then} it; values "
                  "now lie {spread}.") if training else \
            tr("{norm} brings {over} of {source} ({numbers}) to {aim}, then {then} it; values now lie {spread}.")
    else:
        does = tr("{norm} is in training: it brings {over} of {source} ({numbers}) to {aim}; values now lie "
                  "{spread}.") if training else \
            tr("{norm} brings {over} of {source} ({numbers}) to {aim}; values now lie {spread}.")
    return does.format(norm=title, over=translated(norm.over), source=source,
                       numbers=_words.some(count, "number", *said.of("numbers normalised together", layer)),
                       aim=aim, then=listed(then), spread=spread)


def norm_short(norm: Norm, layer: Layer, inputs: Inputs) -> str:
    if SAMPLES in layer.settings and norm.name == "batch_norm":
        return tr("in training")
    if norm.name in ("batch_norm", "instance_norm") and "running_mean" in layer.weights:
        return tr("in evaluation") if _learned(norm, layer, (0,) * layer.output.ndim) is not None else tr("in training")
    return tr("over {what}").format(what=translated(norm.over))


# --- what is measured -----------------------------------------------------------------------------------------------

def _learned(norm: Norm, layer: Layer, cell: Cell) -> tuple[float, float, float] | None:
    """Running mean, running variance and scale, where these are used; None where the sample itself is measured."""
    measured = {"batch_norm": "training", "instance_norm": "use_input_stats"}.get(norm.name)
    standard = norm.name == "instance_norm"
    if measured is None or layer.settings.get(measured, standard):
        return None
    channel = cell[_channel_axis(layer)]
    mean, variance = (float(layer.weights[name][channel]) for name in ("running_mean", "running_var"))
    return mean, variance, float(1 / np.sqrt(variance + _eps(layer)))


def _measure(norm: Norm, layer: Layer, inputs: Inputs, cell: Cell) -> _Measured:
    ranges = norm.population(layer, cell)
    x = inputs[0].output[np.ix_(*ranges)].astype(np.float64)
    mean = float(x.mean()) if norm.centred else 0.0
    variance = float(((x - mean) ** 2).mean())
    scale = float(1 / np.sqrt(variance + _eps(layer)))
    return _Measured(ranges, mean, variance, scale, (x - mean) * scale)


def _populations(norm: Norm, layer: Layer, inputs: Inputs, used: Ranges) -> list[tuple[Ranges, Numbers]]:
    """The cells in `used` and their x̂, one population after another."""
    first = tuple(int(indices[0]) for indices in used)
    learned = _learned(norm, layer, first)
    if learned is not None:
        mean, _, scale = learned
        return [(used, (inputs[0].output[np.ix_(*used)].astype(np.float64) - mean) * scale)]
    ranges = norm.population(layer, first)
    free = [indices if len(indices) > len(population) else indices[:1]
            for indices, population in zip(used, ranges, strict=True)]
    found = []
    for start in product(*free):
        measured = _measure(norm, layer, inputs, tuple(map(int, start)))
        wanted = [np.intersect1d(indices, population)
                  for indices, population in zip(used, measured.ranges, strict=True)]
        at = np.ix_(*(indices - population[0] for indices, population in zip(wanted, measured.ranges, strict=True)))
        found.append((wanted, measured.hats[at]))
    return found


def _at(norm: Norm, layer: Layer, name: str, cell: Cell, otherwise: float) -> float:
    """γ or β of a cell."""
    weight = layer.weights.get(name)
    if weight is None:
        return otherwise
    return float(weight[cell[len(cell) - weight.ndim:] if norm.last_axes else cell[_channel_axis(layer)]])


def _gains(norm: Norm, layer: Layer, cells: Cells) -> Numbers:
    weight = layer.weights.get("weight")
    if weight is None:
        return np.ones(len(cells))
    return look(weight, cells[:, -weight.ndim:] if norm.last_axes else cells[:, [_channel_axis(layer)]])[0]


def _eps(layer: Layer) -> float:
    eps = layer.settings.get("eps")
    if eps is None:  # torch's RMS norm then takes the distance from 1 to the next number of its precision
        return float(np.finfo(layer.output.dtype).eps) if layer.kind == "rms_norm" else 1e-5
    return float(eps)


def _channel_axis(layer: Layer) -> int:
    """The second axis of all, the batch counted."""
    axis = axis_of(layer.settings, 1, layer.output.ndim)
    if axis is None:
        raise LookupError(tr("{layer} takes the batch axis for its channels, which is not explained."
                             ).format(layer=layer.name))
    return axis


# --- populations ----------------------------------------------------------------------------------------------------

def _all_of_channel(layer: Layer, cell: Cell) -> Ranges:
    axis = _channel_axis(layer)
    return [np.array([cell[axis]]) if number == axis else np.arange(size) for number, size in enumerate(layer.shape)]


def _channel_of_sample(layer: Layer, cell: Cell) -> Ranges:
    axis = _channel_axis(layer)
    return [np.arange(size) if number > axis else np.array([cell[number]]) for number, size in enumerate(layer.shape)]


def _group_of_sample(layer: Layer, cell: Cell) -> Ranges:
    axis = _channel_axis(layer)
    size = layer.shape[axis] // int(layer.settings["num_groups"])
    first = cell[axis] // size * size
    ranges = _channel_of_sample(layer, cell)
    ranges[axis] = np.arange(first, first + size)
    return ranges


def _last_axes(layer: Layer, cell: Cell) -> Ranges:
    lead = layer.output.ndim - len(tuple_of(layer.settings["normalized_shape"]))
    return [np.arange(size) if number >= lead else np.array([cell[number]]) for number, size in enumerate(layer.shape)]


def _same_names(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
                shape: tuple[int, ...]) -> tuple[str, ...]:
    return inputs[0]


_BATCH = "input weight bias running_mean running_var training momentum eps cudnn_enabled"
_INSTANCE = "input weight bias running_mean running_var use_input_stats momentum eps cudnn_enabled"
NORMS = (
    Norm("batch_norm", english("batch norm"),
         {"batch_norm": "input running_mean running_var weight bias training momentum eps", "torch.batch_norm": _BATCH},
         _all_of_channel, english("each channel")),
    Norm("instance_norm", english("instance norm"),
         {"instance_norm": "input running_mean running_var weight bias use_input_stats momentum eps",
          "torch.instance_norm": _INSTANCE}, _channel_of_sample, english("each channel")),
    Norm("group_norm", english("group norm"), {"group_norm": "input num_groups weight bias eps cudnn_enabled"},
         _group_of_sample, english("each group of channels")),
    Norm("layer_norm", english("layer norm"), {"layer_norm": "input normalized_shape weight bias eps cudnn_enable"},
         _last_axes, english("all features"), last_axes=True),
    Norm("rms_norm", english("RMS norm"), {"rms_norm": "input normalized_shape weight eps"}, _last_axes,
         english("all features"), last_axes=True, centred=False),
)


def _kind(norm: Norm) -> Kind:
    return Kind(norm.name, norm.title, norm.calls, _same_names, partial(norm_terms, norm),
                partial(norm_backward, norm), partial(norm_box, norm), partial(norm_sentence, norm),
                partial(norm_weight, norm), short=partial(norm_short, norm), role="norm")


KINDS = tuple(map(_kind, NORMS))
