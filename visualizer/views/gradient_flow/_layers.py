"""Through depth: ∥∂L/∂h∥, ∥∂L/∂W∥ and the spread of the values, layer by layer under each other, since weight gradients
that look alike can hide a network in which nothing gets through; and what each hop keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.decay import Decay, decay
from visualizer.language import counted_as, tr
from visualizer.reasons import told
from visualizer.said import Claim, said, tick
from visualizer.said import found as found_in
from visualizer.scene import absence, blocks, boxes, causes, hops, logchart, numbers, parts
from visualizer.scene.blocks import Folded, fold_at
from visualizer.scene.labels import fitting
from visualizer.scene.logchart import Curve
from visualizer.scene.picture import (
    LEGEND,
    WHY,
    Choice,
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Run,
    Table,
    Text,
    box_of,
    grouped,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.timeline import Moment, ease, timeline
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace, remembered

Values = NDArray[np.float64]
AS_RECORDED = "as recorded"
"""Stands among the sizes where they are those of a recording, not measured once more in float64."""
TURNS = 0.5
"""From this share of a beat on it is the layer of that beat that is stressed."""
FEWEST = 6
"""With fewer layers of weights than these a half-life says nothing."""


def draw(trace: Trace, moment: Moment, look: Look) -> Picture:
    """Three charts under each other over the layers in the order in which they ran; where another block of them opens,
    one picture fades into the other."""
    before = timeline(trace).settled(moment.index - 1) if moment.index else moment
    fold, left = fold_at(trace, moment, look), fold_at(trace, before, look)
    share = 1.0 if fold is left else min(1.0, moment.phase / TURNS)
    now = _drawn(trace, moment, look, fold)
    if share == 1:
        return now
    return replace(now, still=(), moving=tuple(parts.crossed(_drawn(trace, before, look, left), now, ease(share))))


def _drawn(trace: Trace, moment: Moment, look: Look, fold: Folded | None) -> Picture:
    """The picture with some blocks closed: of those what their last layers have is drawn."""
    measured = trace.studies["flow"]
    seen, at = (trace, moment) if fold is None else (fold.trace, fold.moment(moment))
    shown = [trace.places[layer.name] for layer in seen.layers]
    places = parts.even_places(seen, look, named=True)
    names = [layer.name for layer in seen]
    xs = [places[name] for name in names]
    gradient, weights, spread = _measured(trace)
    still, moving = parts.lanes(seen, timeline(seen), at, look, places)
    line, untrained = _line(trace, gradient), _before(trace)
    stressed = timeline(trace).settled(moment.index - (moment.phase < TURNS))  # first it is still the layer before
    now = shown.index(trace.places[stressed.beat.layer if fold is None else fold.place[stressed.beat.layer]])
    words = sentence(trace, gradient, line, stressed)
    charts, note = boxes.rows(parts.body(look, 112), (None, 34), 18)
    top = charts.top
    marks: list[Mark] = [*parts.sentence(look, words)]
    heads = [*_heads(seen, xs, now, look), *_kept(trace, seen, gradient, xs, now)]
    heads += _opens(trace, moment, look, heads)
    marks += grouped(Group(tr("layers, and what each hop keeps")), heads)
    keys = ("gradient", "weight_gradient", "spread")
    rows = (((Run("∥∂L/∂"), Run("h", italic=True), Run("∥")), tr("what flows"), gradient[shown], Curve(), True),
            ((Run("∥∂L/∂"), Run("W", italic=True), Run("∥")), tr("weights"), weights[shown], Curve(size=4), False),
            ((Run(tr("spread of ")), Run("h", italic=True)), tr("std. dev."), spread[shown],
             Curve("positive-bar", "positive-bar"), True))
    for index, ((title, under, values, how, joined), box) in enumerate(
            zip(rows, boxes.rows(charts, (None, None, None)), strict=True)):
        y0, y1 = box.top + 14, box.bottom - 10
        whole_old = untrained[index]
        old = None if whole_old is None else whole_old[shown]
        scale = logchart.axis(values if old is None else np.concatenate([values, old]), y0, y1)
        own, before = Group(f"{''.join(run.text for run in title)}, {under}"), marks
        marks = [Text(10, (y0 + y1) / 2 - 2, title, 12, 600, "ink"),
                  Text(10, (y0 + y1) / 2 + 13, plain(under), 11, 400, "ink-2")]
        if AS_RECORDED in measured:
            counted = tr("in {precision}").format(precision=precision_said(trace))
            marks.append(Text(10, (y0 + y1) / 2 + 27, plain(counted), 11, 400, "ink-2"))
        if fold is not None and fold.closed and y1 - y0 > 100:
            of_blocks = (tr("of a block:"), tr("its output")) if joined else (tr("blocks: only"), tr("open ones"))
            marks += [Text(10, (y0 + y1) / 2 - 36 + 13 * number, plain(words), 11, 400, "ink-2")
                      for number, words in enumerate(of_blocks)]
        marks += logchart.grid(scale, xs[0] - 8, look.size[0] - 56, look, look.size[0] - 50)
        marks += _missing(seen, values, xs, y0, y1, look) if index == 0 else []
        if old is not None:
            marks += logchart.curve(xs, old, scale, Curve("ink-2", "ink-2", 1.5, True, 0 if joined else 2), look, (),
                                    joined)
        foci = [Focus(name) for name in names]
        if not joined:
            marks += [Line(((x, scale.bottom), (x, scale.y(float(value)))), "gradient-line", 2)
                      for x, value in zip(xs, values, strict=True) if not math.isnan(value)]
        claims = [_of("value", keys[index], place) for place in shown]
        marks += _reached(seen, at, xs, values, scale, how, look, foci, joined, index < 2, claims)
        marks += _value(values, scale, xs, now, look, claims[now])
        marks = before + grouped(own, marks)
    marks += grouped(WHY, _why(trace, note.top, look))
    if untrained[0] is not None:
        marks += grouped(LEGEND, [
                  Line(((10, top - 8), (30, top - 8)), "ink-2", 2, True),
                  Text(10, top + 8, plain(tr("untrained")), 11, 400, "ink-2")])
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(words),
                   table=_table(trace))


@remembered(1)
def _measured(trace: Trace) -> tuple[Values, Values, Values]:
    """(layer,): the sizes of its gradient and of that of its weights, and how far its values are spread."""
    gradient, weights, spread = (_of_arrays(trace, trace.studies["flow"][key])
                                 for key in ("gradient", "weight_gradient", "spread"))
    return gradient, weights, spread


def precision(trace: Trace) -> str:
    """In which the gradients were computed whose sizes are shown."""
    return trace.dtype if AS_RECORDED in trace.studies["flow"] else "float64"


def precision_said(trace: Trace) -> str:
    """The same as it is read."""
    return said(precision(trace), "precision of the sizes")


def _before(trace: Trace) -> tuple[Values | None, Values | None, Values | None]:
    """The same three rows before training, where they were measured."""
    measured = trace.studies.get("before", {})
    if len(measured.get("gradient", ())) != len(trace.layers):
        return None, None, None
    gradient, weights, spread = (_of_arrays(trace, measured[key]) for key in ("gradient", "weight_gradient", "spread"))
    return gradient, weights, spread


def _of_arrays(trace: Trace, values: Values) -> Values:
    """Without what is a single number: the gradient of the loss with respect to itself is 1."""
    return np.array([value if layer.output.ndim else math.nan for layer, value in zip(trace, values.tolist(),
                                                                                      strict=True)])


# --- what a hop keeps -----------------------------------------------------------------------------------------------

def _of(quantity: str, key: str, *places: int) -> Claim:
    """The claim of a number that was measured of a layer, or of several."""
    return found_in(quantity, "flow", key, *places)


def hop(trace: Trace, gradient: Values, at: int) -> tuple[Layer, float] | None:
    """The layer whose gradient came here alone, and what of it was kept; None where several are added up, or none
    came."""
    places = trace.places
    readers = [reader for reader in trace.readers(trace.layers[at].name)
               if not math.isnan(gradient[places[reader.name]])]
    if len(readers) != 1 or math.isnan(gradient[at]):
        return None
    source = float(gradient[places[readers[0].name]])
    return (readers[0], float(gradient[at]) / source) if 0 < source < math.inf else None


def ways(trace: Trace, gradient: Values, at: int) -> int:
    """How many layers handed gradient to this one."""
    return sum(not math.isnan(gradient[trace.places[reader.name]]) for reader in trace.readers(trace.layers[at].name))


def _line(trace: Trace, gradient: Values) -> Decay | None:
    """The line through all layers that have weights, last one first."""
    deep = _deep(trace, gradient)
    if len(deep) < FEWEST or not gradient[deep[-1]] > 0:
        return None
    return decay(gradient[deep[::-1]] / gradient[deep[-1]], since=0)


def _deep(trace: Trace, gradient: Values) -> list[int]:
    """Places of the layers that weigh what they read, as far as their gradient is known."""
    return [index for index, layer in enumerate(trace) if "weight" in layer.weights and layer.output.ndim
            and not math.isnan(gradient[index]) and kinds.role(layer) == "weighted"]


def why(trace: Trace, layer: Layer, reader: Layer, kept: float) -> str:
    """Why a gradient became shorter or longer on its way through `reader`."""
    return hops.reason(trace, layer, reader, kept, float(trace.studies["flow"]["stretch"][trace.places[reader.name]]))


def sentence(trace: Trace, gradient: Values, line: Decay | None, moment: Moment) -> str:
    """On the way back what reached the layer of the beat; forwards how far the gradient comes at all."""
    names = [layer.name for layer in trace]
    at = names.index(moment.beat.layer)
    if moment.backward and not math.isnan(gradient[at]):
        found, value = hop(trace, gradient, at), logchart.words(float(gradient[at]), None, _of("value", "gradient", at))
        if found is not None:
            reason = why(trace, trace[names[at]], *found)
            times = said(numbers.significant(found[1], 2), *_of("share of one in another", "gradient", at,
                                                                names.index(found[0].name)))
            words = tr("`{layer}` gets a gradient of size {{{size}}}, {factor} times that of `{reader}`.").format(
                layer=names[at], size=value, factor=times, reader=found[0].name)
            return f"{words} {reason}".strip()
        words = tr("`{layer}` gets a gradient of size {{{size}}}.").format(layer=names[at], size=value)
        return f"{words} {hops.added(trace, names[at])}".strip()
    flowed = [name for name, value in zip(names, gradient.tolist(), strict=True)
              if math.isnan(value) and trace[name].gradient is not None and trace[name].output.ndim]
    beyond = [name for name, value in zip(names, gradient.tolist(), strict=True) if math.isinf(value)]
    if flowed and not (beyond and names.index(beyond[-1]) > names.index(flowed[-1])):  # it comes first
        return tr("On its way back the gradient is {{NaN}} from `{layer}` on: no number, so nothing can be said of its "
                  "size.").format(layer=flowed[-1])
    if beyond:
        return tr("On its way back the gradient is {{beyond range}} from `{layer}` on: too large for "
                  "{precision}.").format(layer=beyond[-1], precision=precision_said(trace))
    known = [index for index, value in enumerate(gradient.tolist()) if value > 0]
    if not known:
        return tr("The gradient is exactly {zero} at every layer: the answer does not depend on them.").format(
            zero=said("0", *_of("largest size", "gradient")))
    first, last = known[0], known[-1]
    share = float(gradient[first] / gradient[last])
    known_words = {"last": names[last], "first": names[first], "times": said(numbers.significant(share, 2), *_of(
        "share of one in another", "gradient", first, last))}
    if line is not None and line.decays:
        return tr("The gradient halves every {{{half} layers}}; from `{last}` to `{first}` it becomes {times} times as "
                  "large.").format(half=said(numbers.significant(line.half_life, 2), *_of(
                       "half-life over places", "gradient", *_deep(trace, gradient)[::-1])), **known_words)
    if line is not None and line.factor > 1.1:
        return tr("The gradient grows by {{{factor}}} a layer; from `{last}` to `{first}` it becomes {times} times as "
                  "large.").format(factor=said(numbers.significant(line.factor, 3), *_of(
                       "growth over places", "gradient", *_deep(trace, gradient)[::-1])), **known_words)
    return tr("On its way back from `{last}` to `{first}` the gradient becomes {{{times} times}} as large.").format(
        **known_words)


# --- marks ----------------------------------------------------------------------------------------------------------

def _heads(trace: Trace, xs: list[float], now: int, look: Look) -> list[Mark]:
    """Names of the layers; where they do not fit, of some, and always of the one the beat is about. Blocks before
    layers."""
    layers = list(trace)
    taken: list[tuple[float, float]] = []
    marks: list[Mark] = []
    closed = [index for index, layer in enumerate(layers) if layer.kind == blocks.KIND]
    for index in dict.fromkeys((now, *closed, 0, len(layers) - 1, *range(len(layers)))):
        for words in dict.fromkeys((blocks.title(layers[index]), blocks.short_title(layers[index]))):
            half = width(words, 12, 600, mono=True) / 2
            x = min(max(xs[index], 10 + half), look.size[0] - 10 - half)
            if all(x - half > b + 8 or x + half < a - 8 for a, b in taken):
                taken.append((x - half, x + half))
                marks.append(Text(x, 84, plain(words), 12, 600 if index == now else 500,
                                  "accent-ink" if index == now else "ink", "middle", mono=True,
                                  focus=Focus(layers[index].name)))
                break
            if index not in closed:
                break
    return marks


def _opens(trace: Trace, moment: Moment, look: Look, heads: Sequence[Mark]) -> list[Mark]:
    """Over the names of closed blocks what opens them."""
    fold = fold_at(trace, moment, look)
    marks: list[Mark] = []
    for head in heads if fold is not None else ():
        if isinstance(head, Text) and head.focus is not None and fold is not None \
                and (block := fold.closed.get(head.focus.layer)) is not None:
            left, top, wide, high = box_of(head)
            word = blocks.toggled(trace, look, trace.places[moment.beat.layer], block.name).word
            marks.append(Rect(left - 3, top - 2, wide + 6, high + 4, focus=head.focus, holds=Choice(blocks.KNOB, word),
                              tip=tr("Open {block}").format(block=block.name)))
    return marks


def _kept(trace: Trace, seen: Trace, gradient: Values, xs: list[float], now: int) -> list[Mark]:
    """Between two layers what the hop keeps; a sum sign where the gradients of several readers are added. A block that
    is closed is one hop."""
    layers = list(seen)
    shown = gradient[[trace.places[layer.name] for layer in layers]]
    taken: list[tuple[float, float]] = []
    marks: list[Mark] = []
    for index in dict.fromkeys((now, *range(len(layers) - 1))):
        if index + 1 >= len(layers):
            continue
        found, count = hop(seen, shown, index), ways(seen, shown, index)
        place = trace.places[layers[index].name]
        claim = None if found is None else _of("share of one in another", "gradient", place,
                                               trace.places[found[0].name])
        several = said(str(count), *_of("how many hand back a size", "gradient", place)) \
            if count == ways(trace, gradient, place) else ""
        words = logchart.times(found[1], *([claim] if claim else [])) if found is not None else \
            f"Σ {several}" if count > 1 else ""
        half = width(words, 11, 600) / 2
        x = (xs[index] + xs[index + 1]) / 2
        if words and all(x - half > b + 5 or x + half < a - 5 for a, b in taken):
            taken.append((x - half, x + half))
            low = found is not None and found[1] < 0.5
            marks.append(Text(x, 104, plain(words), 11, 600 if index == now or low else 400,
                              "gradient-text" if index == now or low else "ink-2", "middle"))
    return marks


def _missing(trace: Trace, values: Values, xs: list[float], top: float, bottom: float, look: Look) -> list[Mark]:
    """Where a gradient is missing, with the reason on hover: hatched, never drawn as zero."""
    half = min(9, (xs[1] - xs[0]) / 2 - 1) if len(xs) > 1 else 9
    return [Rect(x - half, top, 2 * half, bottom - top, "hatch", focus=Focus(layer.name),
                 tip=f"{layer.name}: {_why_missing(layer)}")
            for layer, value, x in zip(trace, values.tolist(), xs, strict=True)
            if math.isnan(value) and layer.output.ndim]


def _why_missing(layer: Layer) -> str:
    return tr("not a number") if layer.gradient is not None else told(layer.why) or tr("no reason is known")


def _reached(trace: Trace, moment: Moment, xs: list[float], values: Values, scale: logchart.Axis, how: Curve,
             look: Look,
             foci: list[Focus], joined: bool, flows: bool, claims: Sequence[Claim]) -> list[Mark]:
    """A curve; on the way back what the gradient has not reached yet is faint."""
    names = [layer.name for layer in trace]
    here = names.index(moment.beat.layer)
    turned = moment.backward and flows
    if not turned:
        return logchart.curve(xs, values, scale, how, look, foci, joined, claims)
    beats = timeline(trace).beats
    first = next(index for index, beat in enumerate(beats) if beat.direction == "backward")
    share = ease(moment.phase) if moment.index == first else 1.0
    arrived = here if moment.phase == 1 else here + 1
    to_come, come = values.copy(), values.copy()
    to_come[arrived + 1:] = np.nan
    come[:arrived] = np.nan
    dots_to_come = values.copy()
    dots_to_come[arrived:] = np.nan
    ghost = logchart.curve(xs, to_come, scale, Curve(how.line, how.dot, how.width, how.dashed, 0), look, (), joined,
                           claims)
    ghost += logchart.curve(xs, dots_to_come, scale, how, look, foci, False, claims)
    return [*logchart.veiled(ghost, share), *logchart.curve(xs, come, scale, how, look, foci, joined, claims)]


def _value(values: Values, scale: logchart.Axis, xs: list[float], now: int, look: Look,
           claim: Claim) -> list[Mark]:
    """The number at the beat's layer."""
    value = float(values[now])
    if math.isnan(value):
        return []
    words = logchart.words(value, scale, claim)
    wide = width(words, 12, 600)
    x = xs[now] + 8
    y = scale.y(value) - 8
    y = y if y - 12 > scale.top - 14 else scale.y(value) + 18
    if x + wide > look.size[0] - 56:
        x = xs[now] - 8 - wide
    return [Rect(x - 3, y - 12, wide + 6, 16, "stage", radius=3, opacity=0.85),
            Text(x, y, plain(words), 12, 600, "ink")]


def reasons(trace: Trace, gradient: Values, weights: Values, spread: Values, line: Decay | None) -> Iterator[str]:
    """What the numbers say of the whole network."""
    known = weights[np.isfinite(weights) & (weights > 0)]
    deep = spread[np.isfinite(spread) & np.array([not layer.is_input for layer in trace])]
    if len(known) > 1 and len(deep):
        places = np.flatnonzero(np.isfinite(weights) & (weights > 0))
        flattest = _of("value", "spread", int(np.flatnonzero(spread == deep.min())[-1]))
        yield causes.flat_but_dead(float(known[0] / known[-1]), float(deep.min()), _of(
            "share of one in another", "weight_gradient", int(places[0]), int(places[-1])), flattest)
        yield causes.dead_layer(float(deep.min()), flattest)
    if line is not None:
        count, along = line.until - line.since + 1, _deep(trace, gradient)[::-1]
        yield tr("Fit over {count} layers with weights: × {factor} a layer, R² {fit}.").format(
                  count=said(str(count), *_of("places of a fit", "gradient", *along)),
                  factor=said(numbers.significant(line.factor, 3), *_of("growth over places", "gradient", *along)),
                  fit=said(numbers.number(line.fit), *_of("fit over places", "gradient", *along)))
        old = _before(trace)[0]
        before = None if old is None else _line(trace, old)
        if before is not None:
            yield causes.before_and_after(before.half_life, line.half_life, count, "layer")
        yield causes.explodes(line.factor, "layer", _of("growth over places", "gradient", *along))
    hops = [(found[1], layer.name, found[0]) for index, layer in enumerate(trace)
            if layer.output.ndim and (found := hop(trace, gradient, index)) is not None]
    if hops:
        least = min(hops, key=lambda one: one[0])
        if least[0] < 1:
            names = [layer.name for layer in trace]
            yield (tr("Most is lost through `{least}`: × {least2}. {why}").format(
                       least=least[2].name, least2=said(numbers.significant(least[0], 2), *_of(
                           "share of one in another", "gradient", names.index(least[1]), names.index(least[2].name))),
                       why=why(trace, trace[least[1]], least[2], least[0]))).strip()


@remembered(4)
def _why(trace: Trace, y: float, look: Look) -> list[Mark]:
    """A line of reasons, and one that names what has no gradient."""
    gradient, weights, spread = _measured(trace)
    line, room = _line(trace, gradient), look.size[0] - 104
    told = logchart.because(reasons(trace, gradient, weights, spread, line), 84, y, room, look, 1)
    marks: list[Mark] = [Text(10, y, plain(tr("why")), 12, 600, "ink"), *told]
    below = y + 20 if told else y
    flowed, names = trace.studies["flow"]["flowed"], [layer.name for layer in trace]
    missing = [layer for layer, came in zip(trace, flowed.tolist(), strict=True) if not came and layer.output.ndim]
    unknown = [layer.name for layer, came, value in zip(trace, flowed.tolist(), gradient.tolist(), strict=True)
               if came and math.isnan(value) and layer.output.ndim]
    if unknown:
        text = tr("Not a number from `{unknown}` on, at {count} layers: what left the range is lost.").format(
                   unknown=unknown[-1], count=tick(str(len(unknown)), len(unknown), 0, len(names)))
        marks.append(Text(84, below, rich(text), 12, 400, "ink-2", max_width=room))
    elif missing:
        why_not = [absence.clause(layer.why) or tr("no reason is known") for layer in missing]
        named = "; ".join(f"`{layer.name}`: {word}" for layer, word in zip(missing, why_not, strict=True))
        briefly = ", ".join(f"`{layer.name}`" for layer in missing)
        words = fitting([tr("No gradient at {named}.").format(named=what) for what in (named, briefly)], room, 12) or \
            counted_as(len(missing), tr("No gradient at {count} layer."), tr("No gradient at {count} layers.")).format(
                count=tick(str(len(missing)), len(missing), 0, len(names)))
        marks.append(Text(84, below, rich(words), 12, 400, "ink-2", max_width=room))
    return marks


@remembered(1)
def _table(trace: Trace) -> Table:
    """One row a layer."""
    gradient, weights, spread = _measured(trace)
    rows: list[tuple[str | float | int, ...]] = []
    for index, layer in enumerate(trace):
        found = hop(trace, gradient, index) if layer.output.ndim else None
        kept, because = (math.nan, "") if found is None else (found[1], unmarked(why(trace, layer, *found)))
        sizes = (float(value) for value in (gradient[index], weights[index], spread[index], kept))
        rows.append((layer.name, *("–" if math.isnan(size) else size for size in sizes), because))  # NaN equals nothing
    return Table((tr("layer"), "∥∂L/∂h∥", "∥∂L/∂W∥", tr("spread"), tr("kept by the hop"), tr("why")), tuple(rows))
