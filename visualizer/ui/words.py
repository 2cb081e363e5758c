"""Words for what is looked at: the crumbs of the path, titles, tooltips. The same words everywhere in the window.

Rows, columns, channels, units and classes count from 0 as in PyTorch; steps count from 1.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import numpy as np

from visualizer import kinds, registry
from visualizer.card import Card, bundled
from visualizer.kinds import gates
from visualizer.language import counted_as, tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Group, Scale, Spot
from visualizer.scene.reading import symbol_words, symbols_in
from visualizer.scene.sound import heard_at
from visualizer.scene.subject import array, there
from visualizer.scene.timeline import Moment
from visualizer.trace import Layer, Trace


def path(trace: Trace, focus: Focus | None) -> tuple[tuple[str, Focus | None], ...]:
    """The crumbs from the model down to what is looked at, each with the focus that a click on it gives."""
    crumbs: list[tuple[str, Focus | None]] = [(trace.title or trace.model, None)]
    if focus is None or focus.layer not in trace:
        return tuple(crumbs)
    crumbs.append((focus.layer, Focus(focus.layer)))
    if focus.array.startswith("inner."):
        return (*crumbs, *_inside(focus))
    if focus.array not in ("output", "beat"):
        crumbs.append((weight_place(focus), focus))
        return tuple(crumbs)
    layer, depth = trace[focus.layer], 0
    for words, taken in _levels(layer, focus):
        depth += taken
        if words:
            crumbs.append((words, Focus(focus.layer, focus.cell[:depth])))
    return tuple(crumbs)


def _inside(focus: Focus) -> list[tuple[str, Focus | None]]:
    """`step 17`, `forget gate`, `unit 29`; each leads to the step, to that gate at the step, to the number."""
    crumbs: list[tuple[str, Focus | None]] = []
    if focus.cell:
        crumbs.append((one("step", focus.cell[0]), Focus(focus.layer, focus.cell[:1])))
    crumbs.append((array_name(focus.array), replace(focus, cell=focus.cell[:1])))
    if len(focus.cell) > 1:
        crumbs.append((one("unit", focus.cell[1]), focus))
    return crumbs


def nothing_before(card: Card) -> str:
    """Why there is no before and after of a network, and which has one."""
    other = bundled(registry.with_before()[0])
    return tr("For {network} no weights from before training are there; choose another, for example {other}.").format(
        network=card.title or card.model, other=other.title)


def array_name(array: str) -> str:
    """What a gate or a state is called: `forget gate` of `inner.forget`."""
    key = array.removeprefix("inner.")
    gate = key.removesuffix(gates.PREACTIVATION)
    name = translated(gates.named(gate))
    return name if gate == key else tr("sum of the {gate}").format(gate=name)


def met_name(name: str) -> str:
    """What a number met on the way to another is called; symbols stay as they are."""
    return {"a": tr("Sum a, before its curve"), "slope": tr("Slope"), "bias_ih": tr("Bias of W x"),
            "bias_hh": tr("Bias of U h")}.get(name) or translated(name)


def place(trace: Trace, focus: Focus) -> str:
    """One line: `conv2 channel 7, pixel (3, 5)`."""
    crumbs = [words for words, _ in path(trace, focus)[1:]]
    return " ".join([crumbs[0], ", ".join(crumbs[1:])]).strip()


def below(trace: Trace, focus: Focus) -> str:
    """The same without the layer's name: `channel 7, pixel (3, 5)`."""
    return ", ".join(words for words, _ in path(trace, focus)[2:])


def tip(trace: Trace, focus: Focus, backward: bool) -> str:
    """At most two lines: what is there, and its number or the range of its numbers."""
    if focus.layer not in trace:
        return ""
    where = place(trace, focus)
    values = array(trace[focus.layer], focus, backward)
    if values is None:
        return where + "\n" + tr("no gradient came back here")
    try:
        found = values[focus.cell]
    except IndexError:
        return where
    if symbols_in(trace, focus.layer) and not backward:
        return where if found.ndim else f"{where}\n{symbol_words(trace, focus.layer, focus.cell[0])}"
    name = quantity(focus, backward)
    if found.ndim == 0:
        when = heard_at(trace, focus.layer, focus.cell) if focus.array == "output" else ""
        return f"{where}{when and f', {when}'}\n{name} {numbers.significant(float(found), 4)}"
    known = found[np.isfinite(found)]
    if not known.size:
        return where
    low, high = (numbers.significant(float(edge)) for edge in (known.min(), known.max()))
    words = tr("{name} from {low} to {high}").format(name=name, low=low, high=high)
    return f"{where}\n{words}"


def number(trace: Trace, moment: Moment, spot: Spot) -> float | None:
    """The number of a cell of a picture, as far as it is known at a moment: of a term that which its group shows."""
    focus, shows = spot.focus, "" if spot.group is None else spot.group.shows
    if spot.term is not None and shows:
        return float(getattr(spot.term, shows))
    if focus.layer not in trace or not there(trace, moment, focus):
        return None
    values = array(trace[focus.layer], focus, moment.backward)
    if values is None or len(focus.cell) != values.ndim or (symbols_in(trace, focus.layer) and not moment.backward):
        return None
    try:
        return float(values[focus.cell])
    except IndexError:
        return None


def waiting(trace: Trace, moment: Moment, focus: Focus) -> str:
    """Two lines for what has no numbers yet at a moment: what it is, and when they come; empty where it has."""
    if focus.layer not in trace or there(trace, moment, focus):
        return ""
    return place(trace, focus) + "\n" + (tr("its gradient has not come yet") if moment.backward else
                                         tr("not computed yet"))


def scale(found: Scale) -> str:
    """What colours stand for: `values of conv2, from −2.1 to 2.1; each layer by its own largest`."""
    what = translated(found.quantity)
    of = tr("{quantity} of {whose}").format(quantity=what, whose=translated(found.of)) if found.of else what
    low, high = numbers.significant(found.low, 2), numbers.significant(found.high, 2)
    said = tr("{what}, from {low} to {high}").format(what=of, low=low, high=high)
    if found.log:
        said = tr("{said} on a logarithmic scale").format(said=said)
    return f"{said}; {translated(found.scope)}" if found.scope else said


def group(found: Group) -> str:
    """What a part of a picture is called; one of several has its number behind it."""
    name, _, number = found.name.rpartition(" ")
    return f"{translated(name)} {number}" if name and number.isdecimal() else translated(found.name)


def quantity(focus: Focus, backward: bool) -> str:
    """What the numbers are called."""
    if focus.array in ("output", "beat"):
        return tr("gradient") if backward else tr("value")
    name = array_name(focus.array) if focus.array.startswith("inner.") else focus.array.rpartition(".")[2]
    return f"∂L/∂{name}" if backward else name


def weight_place(focus: Focus) -> str:
    """`weight (7, 3)`."""
    name = focus.array.rpartition(".")[2]
    return f"{name} ({', '.join(str(index) for index in focus.cell)})" if focus.cell else name


def symbol(text: str) -> str:
    """A character that can be seen: a space and the end of a line have signs of their own, others without one their
    number."""
    if len(text) == 1 and text not in " \n" and unicodedata.category(text)[0] in "CMZ":
        return f"U+{ord(text):04X}"
    return {" ": "␣", "\n": "⏎"}.get(text, text)


def step_count(number: int, total: int) -> str:
    """`Step 17 of 18`, counted from 1."""
    return tr("Step {number} of {total}").format(number=numbers.count(number), total=numbers.count(total))


def back_count(number: int, total: int, unit: str) -> str:
    """`Step back 20 of 60`, counted from the loss."""
    words = tr("Layer down {number} of {total}") if unit == "layer" else tr("Step back {number} of {total}")
    return words.format(number=numbers.count(number), total=numbers.count(total))


def beat(number: int, total: int) -> str:
    """`Beat 5 of 23`, counted from 1."""
    return tr("Beat {number} of {total}").format(number=number, total=total)


def small_step(march: str, number: int, total: int) -> str:
    """`Term 17 of 56`: how many of the small steps of a beat are done."""
    words = {"positions": tr("Position {n} of {all}"), "rows": tr("Row {n} of {all}")}.get(
        march, tr("Term {n} of {all}"))
    return words.format(n=numbers.count(number), all=numbers.count(total))


def knob(name: str) -> str:
    """What a knob of a view is called; its own name if it has no words."""
    return {
        "card": tr("The card of a gradient"),
        "march": tr("Small steps"),
        "ranking": tr("Order of the maps"),
        "order": tr("Order of the units"),
        "state": tr("Which state"),
        "temperature": tr("Temperature of the answer"),
        "fold": tr("The steps"),
        "along": tr("Along which way the gradient is followed"),
        "loss": tr("Which losses"),
        "window": tr("How many steps a loss goes back"),
        "curves": tr("Curves about to be replaced"),
        "show": tr("Whose numbers"),
        "future": tr("Behind the time looked at"),
        "beam": tr("How many beginnings are kept"),
        "head": tr("Which head"),
        "operations": tr("The operations of a step"),
        "sweep": tr("What a sweep of the laboratory found"),
        "score": tr("A box stays with a score of more than"),
        "overlap": tr("Of two boxes the surer stays where they overlap by more than"),
        "skips": tr("The skips of a U"),
        "contrast": tr("Less the score of the runner-up"),
        "scored": tr("Which score is explained"),
        "baseline": tr("Compared with"),
        "path": tr("Steps of the path"),
        "hidden": tr("Window of occlusion"),
        "method": tr("Method"),
        "curve": tr("Test of the maps"),
        "face": tr("What is asked of a unit"),
        "pattern": tr("Pattern"),
        "content": tr("The picture that is changed"),
        "style": tr("The picture whose texture it takes on"),
        "keep": tr("How much the content counts"),
        "weight": tr("How much the style counts"),
        "smooth": tr("How much smoothness counts"),
        "map": tr("Which slopes"),
        "layer": tr("Whose Gram matrices, first to last"),
    }.get(name, name.replace("_", " ").capitalize())


def knob_word(name: str, word: str) -> str:
    """What a choice of a knob is called."""
    return {
        ("card", "auto"): tr("Whichever says more"),
        ("card", "arrives"): tr("How it arrives"),
        ("card", "hands"): tr("What it hands on"),
        ("contrast", "off"): tr("No"),
        ("contrast", "on"): tr("Yes"),
        ("scored", "logit"): tr("As it is handed back"),
        ("scored", "probability"): tr("Probability"),
        ("baseline", "nothing"): tr("Nothing: a blank input"),
        ("baseline", "mean"): tr("The mean of its places"),
        ("baseline", "blur"): tr("The input, blurred"),
        ("face", "inputs"): tr("Inputs that excite it"),
        ("face", "made"): tr("An input made for it"),
        ("face", "pattern"): tr("Units that follow a pattern"),
        ("curve", "erase"): tr("Erase the places that rank highest"),
        ("curve", "insert"): tr("Put the places that rank highest in"),
        **{("method", word): words for word, words in (
            ("gradient", tr("Gradient")), ("times_input", tr("Gradient × input")), ("integrated", tr("Integrated")),
            ("smooth", tr("SmoothGrad")), ("grad_cam", tr("Grad-CAM")), ("guided", tr("Guided")),
            ("deeplift", tr("DeepLIFT")), ("occlusion", tr("Occlusion")), ("left_out", tr("Left out")))},
        ("march", "terms"): tr("Term by term"),
        ("march", "positions"): tr("Place by place over the map"),
        ("march", "rows"): tr("Row by row over the map"),
        ("ranking", "auto"): tr("As they are numbered; the strongest where not all have room"),
        ("ranking", "first"): tr("As they are numbered"),
        ("ranking", "mean"): tr("Largest mean size first"),
        ("ranking", "max"): tr("Largest value first"),
        ("ranking", "gradient"): tr("Largest gradient first"),
        ("ranking", "change"): tr("What the input's change moved most first"),
        ("order", "last"): tr("As large as at the last step"),
        ("order", "here"): tr("As large as at this step"),
        ("order", "as is"): tr("As they are numbered"),
        ("order", "principal"): tr("By their first principal component"),
        ("order", "change"): tr("By their first large change"),
        ("state", "hidden"): tr("Hidden state"),
        ("state", "cell"): tr("Cell state"),
        ("skips", "with"): tr("As they are"),
        ("skips", "without"): tr("Cut: zeros in their place"),
        ("future", "free"): tr("It reads what it foretold"),
        ("future", "told"): tr("It is told what was measured"),
        ("show", "told"): tr("Of one unit, backwards of all"),
        ("show", "unit"): tr("Of one unit"),
        ("show", "mean"): tr("Of all units"),
        ("operations", "quick"): tr("As the step plays"),
        ("operations", "slow"): tr("Slowly, one by one"),
        ("fold", "0"): tr("Unrolled, side by side"),
        ("fold", "1"): tr("Folded into one cell"),
        ("along", "time"): tr("Through time"),
        ("along", "depth"): tr("Through depth"),
        ("loss", "last"): tr("What enters last, alone"),
        ("loss", "all"): tr("All together"),
        ("window", "all"): tr("All of them"),
        ("curves", "shown"): tr("As they are"),
        ("curves", "faint"): tr("Faint"),
        ("sweep", "hidden"): tr("Hidden"),
        ("sweep", "shown"): tr("Over the whole stage"),
        ("score", "model"): tr("As the model has it"),
        ("overlap", "model"): tr("As the model has it"),
        ("map", "places"): tr("Each place its own"),
        ("map", "averaged"): tr("Averaged over the places (Grad-CAM)"),
        **{(name, word): words for name in ("content", "style") for word, words in (
            ("chelsea", tr("The cat")), ("coffee", tr("The cup of coffee")), ("astronaut", tr("The astronaut")),
            ("rocket", tr("The rocket")), ("input", tr("The picture that is open")))},
    }.get((name, word), word.replace("_", " ").capitalize())


def _levels(layer: Layer, focus: Focus) -> list[tuple[str, int]]:
    """The words of each level below the layer, and how many indices it takes: a row and a column are one pixel.

    Where there is nothing to choose from, no words.
    """
    levels: list[tuple[str, int]] = []
    cell, axes = focus.cell, layer.axes
    index = 0
    while index < len(cell):
        axis = axes[index] if index < len(axes) else ""
        if axis == "row" and index + 1 < len(cell):
            levels.append((tr("pixel ({row}, {column})").format(
                row=cell[index], column=cell[index + 1]), 2))
            index += 2
            continue
        only = axis == "channel" and layer.shape[index] == 1  # the only channel needs no number
        levels.append(("" if only else one(axis, cell[index]), 1))
        index += 1
    return levels


def one(axis: str, index: int) -> str:
    """`channel 7`; `step 17` for index 16."""
    words = {
        "channel": tr("channel {n}"),
        "unit": tr("unit {n}"),
        "class": tr("class {n}"),
        "row": tr("row {n}"),
        "column": tr("column {n}"),
        "feature": tr("feature {n}"),
        "step": tr("step {n}"),
    }.get(axis, tr("index {n}"))
    return words.format(n=index + 1 if axis == "step" else index)


def several(axis: str, count: int) -> str:
    """`12 channels`."""
    one, many = {
        "channel": (tr("{count} channel"), tr("{count} channels")),
        "unit": (tr("{count} unit"), tr("{count} units")),
        "class": (tr("{count} class"), tr("{count} classes")),
        "feature": (tr("{count} feature"), tr("{count} features")),
        "step": (tr("{count} step"), tr("{count} steps")),
    }.get(axis, (tr("{count} value"), tr("{count} values")))
    return counted_as(count, one, many).format(count=numbers.count(count))


def beat_tip(trace: Trace, layer: str, backward: bool) -> str:
    """Two lines for a beat on the lanes: its layer, and what a click does."""
    kind = kinds.of(trace[layer])
    title = translated(kind.title) if kind is not None else trace[layer].kind
    name = f"{layer}: {title}"
    words = tr("click to see its gradient") if backward else tr("click to go there, drag to scrub")
    return f"{name}\n{words}"


def beat_words(trace: Trace, moment: Moment, short: bool, steps: int = 0) -> tuple[str, str]:
    """The name of a beat, for the transport: the layer, and a few words of what it does, or of its small steps."""
    layer = trace[moment.beat.layer]
    if moment.beat.doing:
        what = translated(moment.beat.words)
        said = ": {what}" if not moment.beat.number else tr(": step {n}") if short else tr(": step {n}, {what}")
        return moment.beat.doing, said.format(n=moment.beat.number, what=what)
    if "rnn.mean" in trace.studies.get("lab", {}) and moment.backward and moment.beat.step is not None:
        return tr("Rewind"), "" if short else tr(": from the loss to the first step")
    if steps:
        what = tr("one pixel") if layer.has("row", "column") else tr("one number")
        said = tr(" backward: {what}, step by step") if moment.backward else tr(": {what}, term by term")
        return layer.name, said.format(what=what)
    kind = kinds.of(layer)
    if moment.beat.step is not None and layer.parameters and not moment.backward:
        few = tr(": the same {n} weights at every step").format(n=numbers.count(layer.parameters))
        return layer.name, tr(": step by step") if short else few
    few = kind.short(layer, trace.inputs(layer)) if kind is not None else numbers.shape(layer.shape)
    title = tr("what is given") if layer.is_input else translated(kind.title) if kind is not None else \
        tr("unexplained")
    if moment.backward:
        return layer.name, tr(" backward: {few}").format(few=few) if few else tr(" backward")
    if short:
        return layer.name, f": {few or title}"
    return layer.name, f": {title}, {few}" if few and few != title else f": {title}"
