"""The sentence about a moment of the network."""

from __future__ import annotations

import numpy as np

from visualizer import answers, kinds, titles
from visualizer.language import counted_as, tr
from visualizer.said import lengths, of, said, size
from visualizer.scene import absence, blocks, hops, numbers, parts
from visualizer.scene.picture import (
    Focus,
)
from visualizer.scene.reading import visible
from visualizer.scene.subject import strongest
from visualizer.scene.timeline import Moment
from visualizer.size import norm
from visualizer.trace import Layer, Trace
from visualizer.views.network._blocks import done_said
from visualizer.views.network._subject import cell_of


def sentence_of(trace: Trace, moment: Moment, subject: Focus) -> str:
    layer = trace[subject.layer]
    if layer.output.ndim == 0:
        return _of_the_loss(trace, layer)
    held = answers.at(trace, layer.name)
    began = answers.begins(trace, held) if held is not None and moment.backward else ""
    if began:
        return began
    if held is not None and (layer.axes == ("class",) or (
            not moment.backward and len(subject.cell) < max(1, layer.output.ndim))):
        return _with_what_went_in(trace, answers.sentence(trace, held))
    if moment.backward:
        return _of_the_gradient(trace, layer, subject)
    if layer.is_input:
        return _of_the_input(trace, layer)
    if layer.kind == blocks.KIND:
        return done_said(layer)
    if kinds.role(layer) == "weighted" and layer.has("row", "column") and subject.cell:
        cell = cell_of(trace, subject, False)
        value = said(numbers.number(float(layer.output[cell])), "value", layer.name, cell)
        channel, row, column = (said(str(cell[axis]), "index", layer.name, cell[:axis + 1])
                                for axis in (0, len(cell) - 2, len(cell) - 1))
        if len(subject.cell) == layer.output.ndim:
            return tr("Channel {channel} of {layer} answers {{{value}}} at row {row}, column {column}.").format(
                channel=channel, layer=layer.name, value=value, row=row, column=column)
        return tr("Channel {channel} of {layer} answers most strongly, {{{value}}}, at row {row}, column "
                  "{column}.").format(channel=channel, layer=layer.name, row=row, column=column,
                                      value=said(value, "largest that is finite", layer.name, cell[:1]))
    if kinds.switches(layer) and subject.cell:
        own = layer.output[subject.cell[0]]
        kept = int(np.count_nonzero(own))
        where = (tr("Channel {channel} of {layer}") if own.ndim else tr("Unit {channel} of {layer}")).format(
            channel=said(str(subject.cell[0]), "index", layer.name, subject.cell[:1]), layer=layer.name)
        return tr("{where}: ReLU keeps {{{kept} of {count}}} values, those above zero, and makes the rest exactly "
                  "{zero}.").format(zero=said("0", "what is made of the rest", layer.name, subject.cell[:1]),
            where=where, kept=said(numbers.count(kept), "how many above 0", layer.name, subject.cell[:1]),
            count=said(numbers.count(own.size), "how many", layer.name, subject.cell[:1]))
    return kinds.sentence(trace, layer.name)


def _with_what_went_in(trace: Trace, words: str) -> str:
    """What the network answers, and of an input that has no name, how much was fed in."""
    first = trace.layers[0]
    if trace.sample.title or not first.is_input or not first.output.ndim:
        return words
    count = said(numbers.count(first.output.size), *size(first))
    fed = tr("{shape} = {count} numbers").format(shape=lengths(first), count=count) if first.output.ndim > 1 else \
        counted_as(first.output.size, tr("{count} number"), tr("{count} numbers")).format(count=count)
    return tr("{size} went in. {words}").format(size=fed, words=words)


def _of_the_input(trace: Trace, layer: Layer) -> str:
    title = titles.of(trace.sample)
    count = said(numbers.count(layer.output.size), *size(layer))
    if layer.has("row", "column") and layer.shape[0] == 1 and layer.output.min() == 0:
        lit = int(np.count_nonzero(layer.output > np.min(layer.output)))
        return tr("{title}: {shape} = {{{count} numbers}}, {lit} of them brighter than the background.").format(
            title=title, shape=lengths(layer, 1), count=count,
            lit=said(numbers.count(lit), *of("how many brighter than the darkest", layer)))
    if layer.output.ndim > 1:
        return tr("{title}: {shape} = {{{count} numbers}} go in, from {low} to {high}.").format(
            title=title, shape=lengths(layer), count=count,
            low=said(numbers.number(float(layer.output.min())), *of("smallest", layer)),
            high=said(numbers.number(float(layer.output.max())), *of("largest", layer)))
    return tr("{title}: {{{count} numbers}} go in.").format(title=title, count=count)


def _of_the_loss(trace: Trace, layer: Layer) -> str:
    value = said(numbers.number(float(layer.output), 3), "value", layer.name)
    kind, told = kinds.of(layer), answers.cost(trace, layer)[1]
    if told:
        return told
    if kind is not None and kind.label == "numbers":
        return kinds.sentence(trace, layer.name)
    if trace.objective.kind == "none" or layer.output.dtype.kind not in "fc":
        return tr("`{layer}` gives {{{value}}}; nothing is differentiated.").format(layer=layer.name, value=value)
    return tr("What is differentiated: {layer} = {{{value}}}.").format(layer=layer.name, value=value)


def _of_the_gradient(trace: Trace, layer: Layer, subject: Focus) -> str:
    gradient = layer.gradient
    if gradient is None:
        return absence.unreached(layer.name, layer.why)
    if layer.is_input:
        row = strongest(layer, True)
        length = said(numbers.significant(norm(gradient), 3), *of("norm of gradient", layer))
        if layer.has("row", "column"):
            return tr("Back at the input: ∥∂L/∂x∥ is {{{size}}}, strongest at row {row}, column {column}; these are "
                      "the pixels that would change the loss.").format(
                      size=length, row=said(str(row[-2]), "place of the largest gradient", layer.name, (len(row) - 2,)),
                      column=said(str(row[-1]), "place of the largest gradient", layer.name, (len(row) - 1,)))
        return tr("Back at the input: ∥∂L/∂x∥ is {{{size}}}; these are the numbers that would change the loss.").format(
            size=length)
    if not subject.cell:
        alive = int(np.count_nonzero(gradient))
        words = tr("{{{alive} of {count}}} values of {layer} carry gradient; its size ∥∂L/∂{layer}∥ is {size}.")
        carries = words.format(
            alive=said(numbers.count(alive), "how many gradients not 0", layer.name), layer=layer.name,
            count=said(numbers.count(gradient.size), "how many", layer.name),
            size=said(numbers.significant(norm(gradient), 3), "norm of gradient", layer.name))
        return f"{carries} {_symbols_or_why(trace, layer)}".strip()
    channel = subject.cell[0]
    own = gradient[channel]
    alive, total = int(np.count_nonzero(own)), int(own.size)
    if own.ndim == 0:
        return tr("∂L/∂{layer} of unit {unit} is {{{value}}}.").format(
            layer=layer.name, 
            unit=said(str(channel), "index", layer.name, (channel,)),
            value=said(numbers.signed(float(own), 4), "gradient", layer.name, (channel,)))
    known = {"alive": said(numbers.count(alive), "how many gradients not 0", layer.name, (channel,)),
             "count": said(numbers.count(total), "how many", layer.name, (channel,)),
             "channel": said(str(channel), "index", layer.name, (channel,))}
    told = _what_stopped_it(trace, layer, channel)
    if told:
        return tr("On the way back {{{alive} of {count}}} places of channel {channel} carry gradient: {why}.").format(
            why=told, **known)
    carries = tr("On the way back {{{alive} of {count}}} places of channel {channel} carry gradient.").format(**known)
    return f"{carries} {_symbols_or_why(trace, layer)}".rstrip()


def _symbols_or_why(trace: Trace, layer: Layer) -> str:
    """Of an embedding, which of the symbols read counts most; of another layer, what made its gradient what it is."""
    first = trace.layers[0]
    symbols = hops.of_symbols(trace, first) if first.name in layer.reads and kinds.role(layer) == "table" else None
    if symbols is not None and symbols.any():
        step = int(np.argmax(symbols))
        length = said(numbers.significant(float(symbols[step]), 2), "norm of gradient", layer.name, step=step)
        number = said(str(step + 1), "step of the largest gradient", layer.name)
        if len(trace.sample.steps) == len(symbols):
            return tr("Of the symbols read, number {n}, “{word}”, would change the loss most: {size}.").format(
                n=number, word=said(visible(trace.sample.steps[step]), "word of the sample", step=step), size=length)
        return tr("Of the symbols read, number {n} would change the loss most: {size}.").format(n=number, size=length)
    handed = hops.handers(trace, layer.name)
    if len(handed) != 1:
        return hops.added(trace, layer.name)
    norms = parts.norms(trace)
    if not norms.get(handed[0].name, 0.0) > 0:
        return ""
    return hops.reason(trace, layer, handed[0], norms[layer.name] / norms[handed[0].name])


def _what_stopped_it(trace: Trace, layer: Layer, channel: int) -> str:
    """Counted from the trace: what the ReLU and the max-pool after a layer let through in one channel."""
    readers = trace.readers(layer.name)
    if len(readers) != 1:
        return ""
    reader = readers[0]
    if reader.gradient is None or layer.gradient is None:
        return ""
    alive = int(np.count_nonzero(layer.gradient[channel]))
    if kinds.role(reader) == "largest":
        return tr("max-pool hands it to the {count} winners only").format(
            count=said(numbers.count(alive), "how many gradients not 0", layer.name, (channel,)))
    if kinds.switches(reader) and reader.shape == layer.shape:
        arriving = int(np.count_nonzero(reader.gradient[channel]))
        pools = [after for after in trace.readers(reader.name) if kinds.role(after) == "largest"]
        words = tr("max-pool passes {count} winners, ReLU stops {stopped} of them") if pools else \
            tr("{count} arrive, ReLU stops {stopped} of them")
        return words.format(
            count=said(numbers.count(arriving), "how many gradients not 0", reader.name, (channel,)),
            stopped=said(numbers.count(arriving - alive), "how many gradients are stopped", reader.name, (channel,)))
    return ""
