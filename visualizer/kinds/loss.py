"""From logits to one number: softmax, log-softmax, cross entropy, negative log-likelihood; and one picked output.

Formulas: Goodfellow, Bengio, Courville 2016, Deep Learning, sections 4.1 and 6.2; label smoothing and class weights as
torch defines them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._dims import axis_of, dim_of, tuple_of
from visualizer.kinds._taps import (
    Cells,
    Numbers,
    added,
    copied,
    gradient_taps,
    grid_of,
    one,
    ravel,
    taps,
    unravel,
    whole,
)
from visualizer.language import english, numeral, tr, translated
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Met = tuple[tuple[str, float], ...]


# --- softmax and its logarithm --------------------------------------------------------------------------------------

def softmax_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Its own e^z as a share of the sum of all, with the largest z taken off first so that nothing overflows."""
    line = _line(layer, cell)
    read = taps(inputs[0], "output", line)
    top, total, powers = _powers(read.values)
    share = float(powers[cell[_axis(layer)]] / total)
    return Terms("share", (read,), share, formula="pᵢ = eᶻⁱ / Σⱼ eᶻʲ", met=_powers_met(top, total))


def softmax_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Raising one z raises its own share and lowers all others: ∂pⱼ/∂zᵢ = pⱼ·([i = j] − pᵢ)."""
    line = _line(layer, cell)
    p = _shares(inputs[0], line)
    at = cell[_axis(layer)]
    return added(gradient_taps(layer, line, p * (_only(at, len(p)) - p[at])),
                 formula="∂L/∂zᵢ = Σⱼ ∂L/∂pⱼ·pⱼ·([i = j] − pᵢ)", met=(("pᵢ", float(p[at])),))


def softmax_sentence(layer: Layer, inputs: Inputs) -> str:
    axis = _axis(layer)
    if layer.output.ndim != 1:
        return _words.fixed(tr("Softmax turns each line of {numbers} into shares that add up to 1."), layer).format(
            numbers=_words.some(layer.shape[axis], "number", *said.axis(layer, axis)))
    best = int(layer.output.argmax())
    axis_words = translated(layer.axes[0] if layer.axes else "number")
    share = said.said(numeral(f"{100 * float(layer.output[best]):.1f} %"), "largest", layer.name)
    words = tr("Softmax turns {numbers} into shares that add up to 1: the largest is {what} {index} with {share} %.")
    return _words.fixed(words, layer).format(
        numbers=_words.some(layer.output.size, "number", *said.size(layer)), what=axis_words,
        index=_words.count(best, *said.of("place of the largest", layer, (0,))), share=share.removesuffix(" %"))


def log_softmax_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """z minus the logarithm of the sum of all e^z."""
    line = _line(layer, cell)
    read = taps(inputs[0], "output", line)
    top, total, _ = _powers(read.values)
    result = float(read.values[cell[_axis(layer)]] - top - np.log(total))
    return Terms("function", (read,), result, formula="yᵢ = zᵢ − ln Σⱼ eᶻʲ", met=_powers_met(top, total))


def log_softmax_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    line = _line(layer, cell)
    p = _shares(inputs[0], line)
    at = cell[_axis(layer)]
    return added(gradient_taps(layer, line, _only(at, len(p)) - p[at]), formula="∂L/∂zᵢ = Σⱼ ∂L/∂yⱼ·([i = j] − pᵢ)",
                 met=(("pᵢ", float(p[at])),))


def log_softmax_sentence(layer: Layer, inputs: Inputs) -> str:
    return tr("Log-softmax is the logarithm of each share, so that products of shares become sums: values lie "
              "{spread}.").format(spread=_words.spread(layer))


def line_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """All of the line that shares are taken of."""
    axis = _axis(layer)
    return (*box[:axis], (0, layer.shape[axis] - 1), *box[axis + 1:])


def _line(layer: Layer, cell: Cell) -> Cells:
    axis = _axis(layer)
    return grid_of(*(range(size) if number == axis else [cell[number]] for number, size in enumerate(layer.shape)))


def _axis(layer: Layer) -> int:
    """The axis along which shares add up to 1."""
    dim = dim_of(layer.settings)
    count = layer.output.ndim
    if dim is None:  # torch's old habit, from the number of all axes
        dim = 0 if count + (layer.settings.get("batch", 0) is not None) in (0, 1, 3) else 1
    axis = axis_of(layer.settings, int(dim), count)
    if axis is None:
        raise LookupError(tr("{layer} takes shares along the batch axis, of which only one sample was recorded."
                             ).format(layer=layer.name))
    return axis


def _powers(z: Numbers) -> tuple[float, float, Numbers]:
    """The largest z, the sum of all e^(z − largest), and each of them."""
    top = float(z.max())
    powers = np.exp(z - top)
    return top, float(powers.sum()), powers


def _powers_met(top: float, total: float) -> Met:
    return (english("largest z"), top), (english("Σ e^(z − largest)"), total)


def _shares(source: Layer, line: Cells) -> Numbers:
    _, total, powers = _powers(taps(source, "output", line).values)
    return powers / total


def _only(index: int, count: int) -> Numbers:
    found: Numbers = (np.arange(count) == index).astype(np.float64)
    return found


def _softmax_axes(settings: Settings, inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    """Those of what it reads: whether they are classes shows only where the model hands them back."""
    return inputs[0]


# --- losses: −Σ a·ln p, with a from target, class weights, smoothing and reduction ----------------------------------

def loss_terms(from_logits: bool, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The wanted share, its logarithm, its sign turned; the mean of that where there are several steps or places."""
    where, factors = _aims(from_logits, layer, inputs, cell)
    if not from_logits:
        return added(taps(inputs[0], "output", where, -factors), formula=_formula(factors, _classes(layer, inputs)))
    classes = _classes(layer, inputs)
    read = taps(inputs[0], "output", where, grid=(len(where) // classes, classes))
    logarithms, tops, totals = _logarithms(read.values, classes)
    result = float(-(factors * logarithms).sum())
    if len(tops) > 1:
        costs = -logarithms[factors.reshape(-1, classes).argmax(axis=1) + classes * np.arange(len(tops))]
        return Terms("function", (read,), result, formula=_formula(factors, classes), met=(
            (english("places that count"), float(len(tops))), (english("largest −ln p[target]"), float(costs.max())),
            (english("smallest −ln p[target]"), float(costs.min()))))
    best = int(np.argmax(factors))
    met = (*_powers_met(float(tops[0]), float(totals[0])), ("p[target]", float(np.exp(logarithms[best]))))
    return Terms("function", (read,), result, formula=_formula(factors, classes), met=met)


def _formula(factors: Numbers, classes: int) -> str:
    """Of a loss of one place or several; with smoothing every class counts, with weights the target not once."""
    counts = np.count_nonzero(factors.reshape(-1, classes), axis=1)
    if counts.max(initial=0) > 1:
        return "L = −Σ a·ln p"
    if len(counts) > 1:
        return "L = −Σ a·ln p[target]"
    return "L = −ln p[target]" if factors.sum() == 1 else "L = −a·ln p[target]"


def costs(from_logits: bool, layer: Layer, inputs: Inputs) -> tuple[Cells, Numbers]:
    """(cells, what each adds): the score of the target at each place that counts, and its part of the loss."""
    where, factors = _aims(from_logits, layer, inputs, ())
    classes = _classes(layer, inputs)
    values = taps(inputs[0], "output", where).values
    logarithms = _logarithms(values, classes)[0] if from_logits else values
    lines = -(factors * logarithms).reshape(-1, classes)
    aimed = factors.reshape(-1, classes).argmax(axis=1)
    return where.reshape(len(lines), classes, -1)[np.arange(len(lines)), aimed], lines.sum(axis=1)


def loss_backward(from_logits: bool, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """How far each share is from what was wanted: p − 1 for the target, p for all others; divided by how many places
    count, where the loss is their mean."""
    if which:
        raise LookupError(tr("Only what {layer} reads first, the scores, is taken apart.").format(layer=layer.name))
    axis = class_axis(layer, inputs)
    line = cell[:axis] + cell[axis + 1:]
    place = line if layer.output.ndim else ()
    where, factors = _aims(from_logits, layer, inputs, place, line)
    wanted = float(factors[cell[axis]])
    if from_logits:
        logarithms, _, _ = _logarithms(taps(inputs[0], "output", where).values, len(factors))
        p = float(np.exp(logarithms[cell[axis]]))
        # two terms, because they nearly cancel where the answer is nearly right: float32 rounds each of them
        slopes = [p * float(factors.sum()), -wanted] if wanted else [p * float(factors.sum())]
        read = gradient_taps(layer, np.repeat(one(place), len(slopes), axis=0), np.array(slopes))
        return added(read, formula="∂L/∂z = p − [target]", met=(("p", p), (english("wanted"), wanted)))
    read = gradient_taps(layer, one(place), -wanted)
    return Terms("product", (read,), float(read.products[0]), formula="∂L/∂x = −a·∂L")


def loss_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """All places that count, with all their classes."""
    if which or layer.output.ndim:
        return whole(inputs[which].shape)
    seen = list(whole(inputs[0].shape))
    axis = class_axis(layer, inputs)
    places = inputs[0].shape[:axis] + inputs[0].shape[axis + 1:]
    if places:
        counted = np.flatnonzero(_targets(layer, inputs, places) != int(layer.settings.get("ignore_index", -100)))
        cells = unravel(counted, places)
        for number, low, high in zip((n for n in range(len(seen)) if n != axis), cells.min(axis=0, initial=places[0]),
                                     cells.max(axis=0, initial=-1), strict=True):
            seen[number] = int(low), int(high)
    return tuple(seen)


def loss_sentence(from_logits: bool, layer: Layer, inputs: Inputs) -> str:
    if layer.output.ndim:
        return tr("The loss measures how little was given to the targets; here it is {spread}.").format(
            spread=_words.spread(layer))
    loss, axis = float(layer.output), class_axis(layer, inputs)
    if not _plain(layer, inputs):
        return tr("The loss measures how little was given to the targets: {loss}.").format(loss=_words.one(layer))
    where, factors = _aims(from_logits, layer, inputs, ())
    aimed = where[factors > 0]
    named = inputs[0].axes[1 - axis] if inputs[0].output.ndim == 2 else ""
    if len(aimed) == 1:
        does = tr("The loss is −ln of the share given to class {class_} at {axis} {place}: −ln {share} = {loss}.") \
            if named else tr("The loss is −ln of the share given to class {class_}: −ln {share} = {loss}.")
        return does.format(
            class_=_words.count(int(aimed[0, axis]), *said.of("class aimed at", layer)),
            axis=translated(named), loss=_words.one(layer),
            place=_words.count(int(aimed[0, 1 - axis]), *said.of("place aimed at", layer)) if named else "",
            share=_words.value(float(np.exp(-loss)), *said.of("share given to the target", layer)))
    values = taps(inputs[0], "output", where).values
    logarithms = (_logarithms(values, _classes(layer, inputs))[0] if from_logits else values)[factors > 0]
    worst = int(logarithms.argmin())
    return tr("The loss is −ln of the share given to the target, averaged over {places}: {loss}; it is worst at {axis} "
              "{place}, with a share of {share}.").format(
        places=_words.some(len(aimed), named, *said.of("how many aims", layer)), loss=_words.one(layer),
        axis=translated(named),
        place=_words.count(int(aimed[worst, 1 - axis]), *said.of("place of the worst aim", layer)),
        share=_words.value(float(np.exp(logarithms[worst])), *said.of("worst share given to an aim", layer)))


def _plain(layer: Layer, inputs: Inputs) -> bool:
    """Whether it is −ln of one share, or the mean of that over one axis."""
    many = inputs[0].output.ndim - 1
    return not layer.settings.get("label_smoothing") and _class_weights(layer, _classes(layer, inputs)) is None \
        and (not many or (many == 1 and layer.settings.get("reduction", "mean") == "mean"))


def loss_short(layer: Layer, inputs: Inputs) -> str:
    target = layer.settings.get("target")
    if not isinstance(target, tuple):
        return tr("target {target}").format(target=_words.count(
            target, *said.of("setting", layer, array="target"))) if isinstance(target, int) else ""
    known = [aim for aim in target if aim != layer.settings.get("ignore_index", -100)]
    return tr("target {target}").format(target=known[0]) if len(known) == 1 else \
        _words.some(len(known), "target", *said.of("how many aims", layer))


def _aims(from_logits: bool, layer: Layer, inputs: Inputs, cell: Cell,
          line: Cell | None = None) -> tuple[Cells, Numbers]:
    """Every score that counts, class by class for one place after another, and its factor a in L = −Σ a·ln p; those of
    one `line` alone, if it is given.

    With ε of label smoothing and K classes of weights w, a = ((1 − ε)·w[t]·[k = t] + ε/K·w[k]) / Σ w[t].
    """
    axis, classes = class_axis(layer, inputs), _classes(layer, inputs)
    places = inputs[0].shape[:axis] + inputs[0].shape[axis + 1:]
    targets = _targets(layer, inputs, places)
    weights = _class_weights(layer, classes)
    counted = targets != int(layer.settings.get("ignore_index", -100))
    known = np.where(counted, targets, 0)
    if counted.any() and not ((known >= 0) & (known < classes)).all():
        raise LookupError(tr("{layer} has a target that is none of {count} classes."
                             ).format(layer=layer.name, count=classes))
    weight = np.ones(classes) if weights is None else weights
    smooth = float(layer.settings.get("label_smoothing", 0.0)) if from_logits else 0.0
    factors = (1 - smooth) * weight[known][:, None] * (np.arange(classes) == known[:, None]) \
        + smooth / classes * weight
    factors *= counted[:, None]
    reduction = layer.settings.get("reduction", "mean")
    if reduction == "mean":
        with np.errstate(invalid="ignore"):
            factors = factors / (weight[known] * counted).sum()
    chosen = np.flatnonzero(counted) if counted.any() else np.arange(len(targets))
    if line is None and reduction == "none":
        line = cell
    if line is not None:
        chosen = np.array([ravel(line, places)])
    where = np.repeat(unravel(chosen, places), classes, axis=0)
    return np.insert(where, axis, np.tile(np.arange(classes), len(chosen)), axis=1), factors[chosen].ravel()


def _logarithms(z: Numbers, classes: int) -> tuple[Numbers, Numbers, Numbers]:
    """ln p for lines of `classes` scores one after another; the largest of each line, and its sum of powers."""
    lines = z.reshape(-1, classes)
    tops = lines.max(axis=1)
    totals = np.exp(lines - tops[:, None]).sum(axis=1)
    return (lines - tops[:, None] - np.log(totals)[:, None]).ravel(), tops, totals


def class_axis(layer: Layer, inputs: Inputs) -> int:
    """Where torch looks for the classes: the second axis of all, or the only one."""
    count = inputs[0].output.ndim
    if count == 1:
        return 0
    axis = axis_of(layer.settings, 1, count)
    if axis is None:
        raise LookupError(tr("{layer} finds its classes along the batch axis, of which one sample was recorded."
                             ).format(layer=layer.name))
    return axis


def _classes(layer: Layer, inputs: Inputs) -> int:
    return inputs[0].shape[class_axis(layer, inputs)]


def _targets(layer: Layer, inputs: Inputs, places: tuple[int, ...]) -> Any:
    """One class for each place, in row-major order: plain numbers, or what the loss read second."""
    target = inputs[1].output if len(inputs) > 1 else layer.settings.get("target")
    if target is None:
        raise LookupError(tr("{layer} does not say what was wanted, so it cannot be taken apart."
                             ).format(layer=layer.name))
    found = np.asarray(target)
    if found.dtype.kind not in "iu":
        raise LookupError(tr("{layer} is aimed at shares, not at a class, which is not explained."
                             ).format(layer=layer.name))
    count = int(np.prod(places))
    return np.full(count, int(found.ravel()[0])) if found.size == 1 else found.reshape(count)


def _class_weights(layer: Layer, classes: int) -> Numbers | None:
    found = layer.weights.get("weight", layer.settings.get("weight"))
    return None if found is None else np.asarray(found, dtype=np.float64).reshape(classes)


def _loss_axes(settings: Settings, inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    scores = inputs[0]
    axis = 1 if len(scores) > 1 else 0
    return scores[:axis] + scores[axis + 1:] if shape else ()


# --- one output, picked to be differentiated ------------------------------------------------------------------------

def logit_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The picked number itself."""
    return copied(taps(inputs[0], "output", one(_picked(layer))), "y = z[target]")


def logit_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """1 for the picked number, 0 for all others."""
    chosen = float(tuple(cell) == _picked(layer))
    read = gradient_taps(layer, one(()), chosen)
    return Terms("product", (read,), float(read.products[0]), formula=english("∂L/∂z = [picked]"))


def logit_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return tuple((i, i) for i in _picked(layer))


def logit_sentence(layer: Layer, inputs: Inputs) -> str:
    if not _picked(layer):
        return tr("What is asked here is how {source} comes about: {value}.").format(
            source=inputs[0].name, value=_words.one(layer))
    at = ", ".join(_words.count(index, *said.of("setting", layer, (place,), "index"))
                   for place, index in enumerate(_picked(layer)))
    return tr("What is asked here is how output {at} of {source} comes about: {value}.").format(
        at=at, source=inputs[0].name, value=_words.one(layer))


def _picked(layer: Layer) -> Cell:
    return tuple(int(i) for i in tuple_of(layer.settings["index"]))


_REDUCED = "size_average ignore_index reduce reduction"
KINDS = (
    Kind("softmax", english("softmax"), {"softmax": "input dim _stacklevel dtype"}, _softmax_axes, softmax_terms,
         softmax_backward, line_box, softmax_sentence, short=lambda layer, inputs: tr("shares of 1"), role="shares",
         slide="share"),
    Kind("log_softmax", english("log-softmax"), {"log_softmax": "input dim _stacklevel dtype"}, _softmax_axes,
         log_softmax_terms, log_softmax_backward, line_box, log_softmax_sentence,
         short=lambda layer, inputs: tr("ln of shares of 1"), role="shares", slide="share", logarithms=True),
    Kind("cross_entropy", english("cross entropy"),
         {"cross_entropy": f"input target weight {_REDUCED} label_smoothing"},
         _loss_axes, partial(loss_terms, True), partial(loss_backward, True), loss_box, partial(loss_sentence, True),
         short=loss_short, role="loss", slide="share", back=english("probability − label"), label="class"),
    Kind("nll_loss", english("negative log-likelihood"), {"nll_loss": f"input target weight {_REDUCED}"}, _loss_axes,
         partial(loss_terms, False), partial(loss_backward, False), loss_box, partial(loss_sentence, False),
         short=loss_short, role="loss", slide="share", back=english("−1 for the label"), label="class",
         logarithms=True),
    Kind("logit", english("picked output"), {}, lambda settings, inputs, shape: (), logit_terms, logit_backward,
         logit_box, logit_sentence, short=lambda layer,
         inputs: tr("output {at}").format(at=", ".join(map(str, _picked(layer)))),
         role="picked"),
)
