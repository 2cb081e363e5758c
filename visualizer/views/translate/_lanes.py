"""The lanes of a translation: a beat for the encoder and for each step, and what came back to each symbol."""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import LANE, Line, Look, Mark, Rect, Stop, Text, grouped, plain
from visualizer.scene.timeline import BACKWARD, FORWARD, timeline
from visualizer.scene.type import width
from visualizer.trace import Layer
from visualizer.views.translate._plan import Plan
from visualizer.views.translate._speech import Place, SoFar, Values, at_states, at_symbols

DOT, DECADES = 4.5, 1e-3


def lanes(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    """Beats; below them two rows of gradients, one log scale for both."""
    high = lanes_height(look)
    top = look.size[1] - high
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair")]
    marks += _beats(so, plan, top + 18 if look.mode.lanes else top + high / 2, look.mode.lanes)
    if look.mode.lanes:
        rows = (at_states(so.speech), at_symbols(so.speech))
        titles = (tr("∂L/∂ states"), tr("∂L/∂ symbols"))
        notes = (tr("through attention"), tr("by all paths"))
        y, tall = top + 36, (high - 42) / 2 - 3
        largest = max((float(found[1].max(initial=0)) for found in rows if found is not None), default=0.0)
        for title, note, found in zip(titles, notes, rows, strict=True):
            marks += _row(so, plan, look, y, tall, title, note, found, largest)
            y += tall + 6
    return grouped(LANE, marks)


def _beats(so: SoFar, plan: Plan, y: float, named: bool) -> list[Mark]:
    speech, times = so.speech, timeline(so.speech.trace)
    direction = BACKWARD if so.backward else FORWARD
    tint = "gradient-mark" if so.backward else "accent"
    encoded = speech.ways[-1]
    last = Place(encoded.layer.name, 0 if encoded.reverse else encoded.steps - 1, encoded.steps)
    stands = [(last, plan.x - 30.0), *((speech.scores[step], plan.middle(step)) for step in range(speech.count))]
    done = [so.known(place) for place, _ in stands]
    xs = [x for _, x in stands]
    marks: list[Mark] = [Line(((xs[0], y), (xs[-1], y)), "rule", 2)]
    come = [place for place, share in enumerate(done) if share > 0]
    if come:
        here = xs[min(come)] if so.backward else xs[max(come)]
        marks.append(Line(((xs[-1] if so.backward else xs[0], y), (here, y)), tint, 2))
    for (place, x), share in zip(stands, done, strict=True):
        fill = tint if share >= 1 else "stage"
        marks.append(Rect(x - DOT, y - DOT, 2 * DOT, 2 * DOT, fill, tint if share > 0 else "rule", 1.5, radius=DOT))
        to = times.of(place.layer, direction, place.row + 1) or times.of(place.layer, direction)
        if to is not None:
            marks.append(Rect(x - min(12.0, plan.pitch / 2), y - 12, min(24.0, plan.pitch), 24, holds=Stop(to.address)))
    if named:
        marks.append(Text(xs[0] - 14, y + 4, plain(tr("encode")), 12, 600, "ink", "end"))
    at = so.step
    marks += parts.ring(xs[at + 1] if at >= 0 else xs[0], y, tint)
    return marks


def _row(so: SoFar, plan: Plan, look: Look, y: float, tall: float, title: str, note: str,
         found: tuple[Layer, Values] | None, largest: float) -> list[Mark]:
    middle = y + tall / 2
    marks: list[Mark] = [Text(plan.x - 12, middle + (-1 if tall > 24 else 4), plain(title), 12, 600, "ink", "end")]
    if tall > 24:
        marks.append(Text(plan.x - 12, y + tall / 2 + 12, plain(note), 11, 400, "ink-2", "end"))
    wide = plan.pitch * len(so.speech.read)
    if found is None:
        words = tr("nothing comes through an attention") if so.speech.attention is None else tr("no gradient")
        return [*marks, Text(plan.x + 4, y + tall / 2 + 4, plain(words), 12, 400, "ink-2")]
    layer, sizes = found
    if not arrived(so, layer):
        return marks + parts.not_yet(plan.x, y, wide, tall, tr("comes on the way back"))
    shades = colour.magnitude(sizes, largest * DECADES, largest) if largest > 0 else np.zeros(len(sizes), np.uint8)
    for place, size in enumerate(sizes.tolist()):
        fill = f"gradient:{int(shades[place])}"
        marks.append(Rect(plan.edge(place), y, plan.wide, tall, fill, "tile-border", 1, radius=3))
        words = said(numbers.significant(size, 2), "norm of gradient of a symbol", layer.name, (place,))
        if width(words, 12, 600) + 4 <= plan.wide:
            marks.append(Text(plan.middle(place), y + tall / 2 + 4, plain(words), 12, 600,
                              colour.ink_on(fill, look.theme), "middle"))
    return marks


def arrived(so: SoFar, layer: Layer) -> bool:
    """Whether the gradient has come to all of a layer: to what symbols were turned into, for those."""
    if not so.backward:
        return False
    names = [reader.name for reader in so.speech.trace.readers(layer.name)] if layer.is_input else [layer.name]
    order = {each.name: place for place, each in enumerate(so.speech.trace.layers)}
    first = min(order[name] for name in names)
    here = order[so.moment.beat.layer]
    if layer.inner:
        return here < order[layer.name]
    return here < first or (here == first and so.moment.phase >= 1)
