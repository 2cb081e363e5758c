"""What a slide says: its one sentence, and the names of cells."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.kinds import Curve, Taps, Terms
from visualizer.kinds.curves import TANH
from visualizer.kinds.gates import family_of, named, symbol
from visualizer.language import counted_as, english, tr, translated
from visualizer.said import of, said, tick
from visualizer.scene import numbers
from visualizer.scene.reading import symbol_words, symbols_in
from visualizer.trace import Cell, Layer, Trace
from visualizer.views.microscope._claims import counted
from visualizer.views.microscope._slide import Slide

AXES = (english("channel"), english("class"), english("column"), english("parameter"), english("row"), english("step"),
        english("unit"))
"""What the axes of layers are called; `translated(axis)` says it."""


def cell_words(layer: Layer, cell: Cell) -> str:
    """`ch 0 (1, 2)` of maps, `unit 17`, `(3, 5)` of anything else; a number alone has no place."""
    if len(cell) == 3 and layer.has("row", "column"):
        return tr("ch {channel} ({row}, {column})").format(**_places(layer, cell))
    if len(cell) == 1:
        return f"{translated(layer.axes[0]) if layer.axes else tr('number')} {counted(layer, cell, 0)}"
    if layer.axes[:1] == ("step",) and len(cell) == len(layer.axes):
        return where(layer, cell)
    every = (said(str(index), *of("index", layer, cell[:axis + 1])) for axis, index in enumerate(cell))
    return f"({', '.join(every)})" if cell else tr("one number")


def origin(trace: Trace, name: str, cell: Cell) -> tuple[str, Cell]:
    """Where a number was computed: through layers that only lay numbers out anew, back to the one that made it."""
    layer = trace[name]
    while layer.reads and (kind := kinds.of(layer)) is not None and kind.moves_only:
        try:
            taps = kinds.terms(trace, layer.name, cell).taps
        except LookupError:
            break
        if len(taps) != 1 or len(taps[0].cells) != 1 or taps[0].array != "output":
            break
        layer, cell = trace[taps[0].source], tuple(int(i) for i in taps[0].cells[0])
    return layer.name, cell


def where(layer: Layer, cell: Cell) -> str:
    if len(cell) == 3 and layer.has("row", "column"):
        return tr("channel {channel}, pixel ({row}, {column})").format(**_places(layer, cell))
    if not cell:
        return ""
    return ", ".join(f"{translated(axis)} {counted(layer, cell, place)}"
                     for place, axis in enumerate(layer.axes[:len(cell)]))


def _places(layer: Layer, cell: Cell) -> dict[str, str]:
    """Of a cell of maps."""
    return {name: said(str(cell[axis]), *of("index", layer, cell[:axis + 1]))
            for axis, name in enumerate(("channel", "row", "column"))}


def stands(trace: Trace, taps: Taps, index: int = 0) -> str:
    """Where a number of a source stands in its own array: an output, a gate or state over steps, a weight."""
    group, _, _ = taps.array.partition(".")
    cell = tuple(int(i) for i in taps.cells[index])
    if group in ("output", "gradient"):
        return where(trace[taps.source], cell)
    axes = ("step", "unit") if group.startswith("inner") else ("row", "column")
    return ", ".join(f"{translated(axis)} {_inside(taps.source, taps.array, cell, place, axis == 'step')}"
                     for place, axis in enumerate(axes[-len(cell):]))


def _inside(layer: str, array: str, cell: Cell, place: int, step: bool) -> str:
    """One index of a cell of another array than the output; steps count from 1."""
    return said(str(cell[place] + 1), "step inside", layer, step=cell[place], array=array) if step else \
        said(str(cell[place]), "index", layer, cell[:place + 1], array=array)


def several(count: int, axis: str) -> str:
    """`1 unit`, `64 units`, `10 classes`."""
    known = {"unit": (tr("{count} unit"), tr("{count} units")), "class": (tr("{count} class"), tr("{count} classes")),
             "step": (tr("{count} step"), tr("{count} steps")), "row": (tr("{count} row"), tr("{count} rows")),
             "column": (tr("{count} column"), tr("{count} columns")),
             "channel": (tr("{count} channel"), tr("{count} channels"))}
    words = known.get(axis, (f"{{count}} {axis}", f"{{count}} {axis}s"))
    return counted_as(count, *words).format(count=tick(numbers.count(count), count, 0, count))


def _at(layer: Layer, cell: Cell) -> str:
    """` at unit 3`; nothing for a layer of one number."""
    return tr(" at {place}").format(place=where(layer, cell)) if cell else ""


def so_far_sentence(slide: Slide, done: int, count: int, total: str) -> str:
    """What is known of a number while its terms are being added."""
    layer = slide.layer
    if slide.key:
        words = tr("{name} of unit {unit}, step {step}") if slide.backward else \
            tr("the {name} of unit {unit}, step {step}")
        what = words.format(name=f"∂L/∂{symbol(slide.key)}" if slide.backward else named(slide.key),
                            **_of_inner(layer, slide.key, *(0, *slide.cell)[-2:]))
    else:
        what = ("∂L/∂{layer}{at}" if slide.backward else "{layer}{at}").format(layer=layer.name,
                                                                               at=_at(layer, slide.cell))
    if not done:
        return tr("How {what} is made, piece by piece.").format(what=what)
    words = tr("How {what} is made: {done} of {count}, so far {{{total}}}.") if total else \
        tr("How {what} is made: {done} of {count}.")
    return words.format(what=what, done=numbers.count(done), count=numbers.count(count), total=total)


def _of_inner(layer: Layer, key: str, step: int, unit: int) -> dict[str, str]:
    """Unit and step of one number of a gate or a state."""
    return {"unit": said(str(unit), *of("index", layer, (0, unit), "inner.hidden")),
            "step": said(str(step + 1), "step", layer.name, step=step)}


def plain_sentence(trace: Trace, layer: Layer, cell: Cell, value: float) -> str:
    """Where no terms are known: what stands there."""
    if symbols_in(trace, layer.name):
        return tr("The input{at} is {{{symbol}}}: this was fed in, nothing made it.").format(
            at=_at(layer, cell), symbol=symbol_words(trace, layer.name, cell[0]))
    if layer.is_input:
        return tr("The input{at} is {{{value}}}: this was fed in, nothing made it.").format(
                   at=_at(layer, cell), value=_said(value, layer, cell))
    return tr("{layer}{at} is {{{value}}}; how it was made is not known here.").format(
               layer=layer.name, at=_at(layer, cell), value=_said(value, layer, cell))


def unknown_gradient(layer: Layer, cell: Cell, value: float) -> str:
    return tr("∂L/∂{layer}{at} is {{{value}}}; how it came here cannot be taken apart.").format(
               layer=layer.name, at=_at(layer, cell), value=_gradient(value, layer, cell))


def forward_sentence(trace: Trace, layer: Layer, cell: Cell, value: float, terms: Terms) -> str:
    count = sum(len(taps.values) for taps in terms.taps)
    told, kind = _said(value, layer, cell), kinds.of(layer)
    if not np.isfinite(value):
        return tr("{layer}{at} is {{{value}}}: not a finite number.").format(
            layer=layer.name, at=_at(layer, cell), value=told)
    if kinds.picks_label(layer) and trace.objective.target is not None:
        return tr("The loss is −ln of the probability of {answer}: {{{value}}}.").format(
            answer=_class(trace, (trace.objective.target,)),
            value=said(numbers.number(value, 4), "value", layer.name, cell))
    if kinds.shares(layer):
        return tr("The exponential of {answer} is {share} of the sum of all: p = {{{value}}}.").format(
            answer=_class(trace, cell), share=said(numbers.percent(value), "value", layer.name, cell),
            value=said(numbers.number(value, 3), "value", layer.name, cell))
    if terms.op == "max" and count > 1:
        count = sum(len(taps.values) if taps.inside is None else int(taps.inside.sum()) for taps in terms.taps)
        words = tr("The largest of {count} numbers goes on: {{{value}}}; the other one does not.") if count == 2 else \
            tr("The largest of {count} numbers goes on: {{{value}}}; the other {others} do not.")
        return words.format(count=_terms(layer, cell, count), value=told,
                            others=said(numbers.count(count - 1), "how many terms but one", layer.name, cell))
    if count and (terms.op == "copy" or (kind is not None and kind.moves_only)):
        source = terms.taps[0]
        came = stands(trace, source)
        words = tr("Nothing is computed: {layer}{at} is the number of {source} at {came}, {{{value}}}.") if came else \
            tr("Nothing is computed: {layer}{at} is the number of {source}, {{{value}}}.")
        return words.format(layer=layer.name, at=_at(layer, cell), source=source.source, came=came, value=told)
    if kinds.role(layer) == "curve" and count:
        return _of_a_curve(layer, terms).format(value=told, layer=layer.name, read=_said(
            float(terms.taps[0].values[0]), trace[terms.taps[0].source], tuple(map(int, terms.taps[0].cells[0]))))
    if terms.op == "sum" and count > 1:
        what = tr("one pixel") if layer.has("row", "column") else tr("one number")
        made = _of_a_sum(terms).format(count=_terms(layer, cell, count), what=what, value=told)
        return f"{made}{_then(trace, layer, value)}"
    made = tr("{layer}{at} is {{{value}}}.").format(layer=layer.name, at=_at(layer, cell), value=told)
    return f"{made}{_then(trace, layer, value)}"


def _terms(layer: Layer, cell: Cell, count: int) -> str:
    return said(numbers.count(count), "how many terms", layer.name, cell)


def _of_a_sum(terms: Terms) -> str:
    """What made a sum, with places for `count`, `what` and `value`."""
    if mean_of(terms):
        return tr("The mean of {count} numbers makes {what}: {{{value}}}.")
    weighed = any(taps.weight or np.any(taps.weights != 1) for taps in terms.taps)
    if terms.bias is None:
        return tr("{count} products make {what}: {{{value}}}.") if weighed else \
            tr("{count} numbers are added to make {what}: {{{value}}}.")
    return tr("{count} products, plus the bias, make {what}: {{{value}}}.") if weighed else \
        tr("{count} numbers, plus the bias, make {what}: {{{value}}}.")


def mean_of(terms: Terms) -> bool:
    """Whether a sum is a mean: every number counts the same, and together they count one."""
    weights = np.concatenate([taps.weights for taps in terms.taps]) if terms.taps else np.zeros(0)
    unnamed = not any(taps.weight for taps in terms.taps)
    return bool(terms.op == "sum" and unnamed and terms.bias is None and len(weights) > 1
                and np.allclose(weights, 1 / len(weights)))


def _of_a_curve(layer: Layer, terms: Terms) -> str:
    """What a curve made of one number, with places for `read`, `value` and `layer`."""
    if not kinds.switches(layer):
        return tr("{read} goes in, {{{value}}} comes out of {layer}.")
    if float(terms.taps[0].values[0]) > 0:
        return tr("{read} goes in, {{{value}}} comes out: it is above zero, so ReLU keeps it.")
    return tr("{read} goes in, {{{value}}} comes out: it is not above zero, so ReLU makes it 0.")


def _then(trace: Trace, layer: Layer, value: float) -> str:
    """What the ReLU that reads it alone does with it."""
    follows = trace.readers(layer.name)
    if len(follows) != 1 or not kinds.switches(follows[0]):
        return ""
    return " " + (tr("ReLU keeps it, because it is above zero.") if value > 0 else
                  tr("ReLU makes it 0, because it is not above zero."))


def _class(trace: Trace, cell: Cell) -> str:
    if not cell:
        return tr("the class")
    return tr("class {label}").format(label=said(
        trace.labels[cell[0]] if cell[0] < len(trace.labels) else str(cell[0]), "label", cell=cell[:1]))


def hands_sentence(layer: Layer, cell: Cell, value: float) -> str:
    what = tr("pixel") if layer.has("row", "column") else tr("logit") if layer.axes == ("class",) else tr("unit")
    told = _gradient(value, layer, cell)
    if value == 0:
        return tr("This {what} hands back {{0}}: nothing the loss depends on goes through it, so its weights and "
                  "inputs get nothing from it.").format(what=what)
    return tr("This {what} hands back {{{value}}}: each weight gets it times the input it saw, each input gets it "
              "times the weight it met.").format(what=what, value=told)


def arrival_sentence(trace: Trace, layer: Layer, cell: Cell, value: float,
                     arrived: tuple[tuple[str, Terms], ...]) -> str:
    start = tr("∂L/∂{layer}{at} is {{{value}}}").format(layer=layer.name, at=_at(layer, cell),
                                                        value=_gradient(value, layer, cell))
    if not arrived:
        return tr("{start}: the way back starts here.").format(start=start)
    if len(arrived) == 1 and _from_logits(trace[arrived[0][0]]) and layer.axes == ("class",):
        answer, target = trace.answer, trace.objective.target
        if answer is not None and target is not None and answer.reads == (layer.name,):
            chance = said(numbers.number(float(answer.output[cell]), 4), "value", answer.name, cell)
            less = said("1" if cell == (target,) else "0", "probability less gradient", layer.name, cell,
                        array=answer.name)
            words = tr("{start}: its probability {chance}, minus {less}, because it is the label.") \
                if cell == (target,) else tr("{start}: its probability {chance}, minus {less}.")
            return words.format(start=start, chance=chance, less=less)
    count = sum(_handed(trace[name], terms) for name, terms in arrived)
    beside = tr("the step before") if layer.settings.get("reverse") else tr("the next step")
    read = [name for name, terms in arrived if _handed(trace[name], terms)] or \
        [name for name, _ in arrived]
    readers = tr(" and ").join(dict.fromkeys(beside if name == layer.name else name for name in read))
    if count == 0:
        words = tr("{start}: {readers} hands nothing back to it, because it won no window.") \
            if kinds.role(trace[arrived[0][0]]) == "largest" else tr("{start}: {readers} hands nothing back to it.")
        return words.format(start=start, readers=readers)
    if count == 1:
        return tr("{start}: {readers} hands it back.").format(start=start, readers=readers)
    return tr("{start}: {count} terms, handed back by {readers}.").format(
        start=start, count=said(numbers.count(count), "how many terms handed back", layer.name, cell), readers=readers)


def _handed(reader: Layer, terms: Terms) -> int:
    """How many numbers a reader hands back; of windows over a number those that it won."""
    return sum(int(np.count_nonzero(taps.weights)) if kinds.role(reader) == "largest" else len(taps.values)
               for taps in terms.taps)


def _from_logits(layer: Layer) -> bool:
    """Whether it is a loss of the label that makes probabilities of logits itself."""
    kind = kinds.of(layer)
    return kind is not None and kind.label == "class" and not kind.logarithms


def _value(value: float) -> str:
    return numbers.number(value) if not np.isfinite(value) or abs(value) >= 0.01 or value == 0 else \
        numbers.significant(value, 3)


def _said(value: float, layer: Layer, cell: Cell, array: str = "") -> str:
    return said(_value(value), *of("value", layer, cell, array))


def _gradient(value: float, layer: Layer, cell: Cell, array: str = "") -> str:
    return said(numbers.gradient(value), *of("gradient", layer, cell, array))


def adds_up(terms: Terms) -> bool:
    """Whether the products, and the bias if there is one, are the result: a norm, for one, does more."""
    total = sum(float(taps.products.sum()) for taps in terms.taps) + (terms.bias or 0.0)
    return bool(np.isclose(total, terms.result, rtol=1e-6, atol=1e-12, equal_nan=True))


def told_place(trace: Trace, taps: Taps, index: int) -> str:
    """Where a term was read, in few words: of an output through layers that only move numbers, of a weight its own."""
    if taps.array not in ("output", "gradient"):
        return stands(trace, taps, index)
    name, cell = tap_words(trace, taps, index)
    return cell_words(trace[name], cell)


def tap_words(trace: Trace, taps: Taps, index: int) -> tuple[str, Cell]:
    """The layer and the cell that a term was read from, through layers that only move numbers."""
    cell = tuple(int(i) for i in taps.cells[index])
    return origin(trace, taps.source, cell) if taps.array == "output" else (taps.source, cell)


# --- gates and states -----------------------------------------------------------------------------------------------

def inside_sentence(layer: Layer, key: str, step: int, unit: int, value: float, terms: Terms) -> str:
    """How one number of a gate or state was made."""
    where_ = tr("unit {unit} at step {step}").format(**_of_inner(layer, key, step, unit))
    met, count = dict(terms.met), sum(len(taps.values) for taps in terms.taps)
    told = _said(value, layer, (step, unit), f"inner.{key}")
    if not np.isfinite(value):
        return tr("The {name} of {where} is {{{value}}}: not a finite number.").format(
            name=named(key), where=where_, value=told)
    if terms.op == "gate" or key == "preactivation":
        total = _in_the_cell(_value(met.get("a", value)), layer,
                             "preactivation.sum" if key == "hidden" else f"{key}.sum", step, unit)
        if terms.bias is not None:
            words = tr("The {name} of {where}: {count} products and two biases make {total}, and {curve} is "
                       "{{{value}}}.") if terms.op == "gate" else \
                tr("The {name} of {where}: {count} products and two biases make {{{value}}}.")
        else:
            words = tr("The {name} of {where}: {count} products make {total}, and {curve} is {{{value}}}.") \
                if terms.op == "gate" else tr("The {name} of {where}: {count} products make {{{value}}}.")
        return words.format(name=named(key), where=where_, count=_products(layer, key, count), total=total,
                            curve=curve_words(layer, key, total), value=told)
    if key in ("cell", "hidden") and len(terms.taps) == 2:
        first, second = (float(taps.products[0]) for taps in terms.taps)
        kept, added = (first, second) if key == "cell" else (second, first)
        what = tr("The memory of {where}") if key == "cell" else tr("The state of {where}")
        return tr("{what}: {kept} was kept and {added} came in, which makes {{{value}}}.").format(
            what=what.format(where=where_), kept=_in_the_cell(numbers.significant(kept), layer, "kept", step, unit),
            added=_in_the_cell(numbers.significant(added), layer, "added", step, unit),
            value=said(numbers.significant(value), *of("value", layer, (step, unit), f"inner.{key}")))
    if terms.op == "product":
        gate, opened = (_in_the_cell(numbers.significant(float(read[0])), layer, what, step, unit)
                        for read, what in ((terms.taps[0].values, "output_gate"), (terms.taps[0].weights, "opened")))
        return tr("The {name} of {where}: {gate}, the output gate, times {opened}, tanh of the memory, makes "
                  "{{{value}}}.").format(name=named(key), where=where_, gate=gate, opened=opened, value=told)
    return tr("The {name} of {where}: {count} products make {{{value}}}.").format(
        name=named(key), where=where_, count=_products(layer, key, count), value=told)


def _products(layer: Layer, key: str, count: int) -> str:
    return said(numbers.count(count), "how many products make a sum", layer.name, array=key)


def _in_the_cell(words: str, layer: Layer, what: str, step: int, unit: int) -> str:
    return said(words, "in the cell", layer.name, (unit,), step, what)


def curve_words(layer: Layer, key: str, inner: str) -> str:
    """`σ(−0.85)`, `tanh(0.3)`, `max(0, 0.3)`."""
    words = curve_of(layer, key).words
    if "0" in words:
        words = words.replace("0", said("0", "constant of the curve", layer.name, array=key))
    return words.format(inner)


def curve_of(layer: Layer, key: str) -> Curve:
    """What makes a gate or state; tanh of what is read from the memory, and of the state of an RNN what its setting
    says."""
    family = family_of(layer)
    own = None if family is None or key not in family.quantities else \
        family.quantities["hidden" if key == "preactivation" else key].curve
    return TANH if own is None else own


def inside_arrival_sentence(layer: Layer, key: str, step: int, unit: int, value: float,
                            terms: tuple[tuple[str, Terms], ...]) -> str:
    """Where the gradient of one number of a gate or state came from."""
    start = tr("∂L/∂{symbol}, {name}, of unit {unit} at step {step} is {{{value}}}").format(
        symbol=symbol(key), name=named(key), value=_gradient(value, layer, (step, unit), f"inner.{key}"),
        **_of_inner(layer, key, step, unit))
    count = sum(len(taps.values) for _, found in terms for taps in found.taps)
    if count == 0:
        return tr("{start}: nothing that follows reads it.").format(start=start)
    if count == 1:
        taps = next(taps for _, found in terms for taps in found.taps)
        claimed = layer.name, (unit,), step, key
        return tr("{start}: {value} arrived, times {factor}.").format(
            start=start, value=said(numbers.gradient(float(taps.values[0])), "gradient that arrived inside", *claimed),
            factor=said(_value(float(taps.weights[0])), "factor of what arrived inside", *claimed))
    return tr("{start}: {count} terms, from all that read it.").format(
        start=start, count=said(numbers.count(count), "how many terms arrived inside", layer.name, (unit,), step, key))


def inside_hands_sentence(layer: Layer, key: str, step: int, unit: int, value: float, weighs: bool) -> str:
    """What one number of a gate or state hands its gradient to."""
    words = tr("∂L/∂{symbol}, {name}, of unit {unit} at step {step}, {{{value}}}, hands shares to its weights, to x "
               "and to h₋.") if weighs else \
        tr("∂L/∂{symbol}, {name}, of unit {unit} at step {step}, {{{value}}}, is handed on to all that made it, each "
           "times its factor.")
    return words.format(symbol=symbol(key), name=named(key), value=_gradient(
        value, layer, (step, unit), f"inner.{key}"), **_of_inner(layer, key, step, unit))
