"""The sentence and the table of a step."""

from __future__ import annotations

import numpy as np

from visualizer.language import in_quotes, tr, translated
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.picture import Table, literal
from visualizer.scene.reading import blank_of, foretells, step_named, unit_said
from visualizer.size import norm
from visualizer.views.network._step.answers import claimed, named
from visualizer.views.network._step.scene import Scene


def sentence(sc: Scene) -> str:
    """What has happened in the step so far; it changes when values begin to show."""
    if sc.back is not None:
        return _back(sc)
    if sc.when.step < 0:
        return tr("The {layer} has read nothing yet: its state is what it starts from.").format(layer=sc.shown.name)
    step = step_named(sc.shown, sc.step)
    if sc.done("token") < 1:
        return tr("The {layer} reads {{{step}}}.").format(layer=sc.shown.name, step=step)
    if sc.done("gates") < 1:
        return tr("What {step} reads and the last state meet the weights of every gate.").format(step=step) \
            if sc.shown.family.gates else \
            tr("What {step} reads and the last state meet the weights.").format(step=step)
    if sc.done("answer") >= 1 and sc.answers is not None and sc.step in sc.known:
        return _answer(sc)
    return {"lstm": _lstm, "gru": _gru, "rnn": _rnn}[sc.shown.family.name](sc)


def _unit(sc: Scene, what: str, words: str) -> str:
    """A number of the chosen unit in this step."""
    return said(words, "in the cell", sc.shown.layer.name, (sc.unit,), sc.step, what)


def _share(sc: Scene, what: str) -> str:
    return _unit(sc, what, numbers.percent(sc.value(what), 0))


def _value(sc: Scene, what: str) -> str:
    return _unit(sc, what, numbers.number(sc.value(what)))


def _came(sc: Scene, what: str, words: str, chosen: bool = False) -> str:
    """A size of the gradient in this step: of all units, or where one is chosen of that one."""
    return said(words, "size of gradient in the cell", sc.shown.layer.name, (sc.unit,) if chosen else (), sc.step, what)


def _lstm(sc: Scene) -> str:
    keeps, unit = _share(sc, "forget"), unit_said(sc.shown, sc.unit, "inner.cell")
    if sc.share("cell") < 1:
        return tr("Unit {unit} forgets all but {{{keeps}}} of its memory and lets in {lets} of its candidate.").format(
            unit=unit, keeps=keeps, lets=_share(sc, "input"))
    before, after = _value(sc, "cell_before"), _value(sc, "cell")
    if sc.share("hidden") < 1:
        return tr("The memory of unit {unit} becomes {{{after}}}, it was {before}.").format(
            unit=unit, before=before, after=after)
    if sc.shown.projected:
        return tr("Unit {unit} shows {shows} of its memory {after}: {{{value}}} before the projection.").format(
            unit=unit, shows=_share(sc, "output_gate"), after=after,
            value=_value(sc, "unprojected"))
    return tr("Unit {unit} shows {shows} of its memory {after}: its state is {{{state}}}.").format(
        unit=unit, shows=_share(sc, "output_gate"), after=after,
        state=_value(sc, "hidden"))


def _gru(sc: Scene) -> str:
    if sc.share("new") < 1:
        return tr("Unit {unit} lets {lets} of the past into its candidate.").format(
            unit=unit_said(sc.shown, sc.unit), lets=_share(sc, "reset"))
    if sc.share("hidden") < 1:
        return tr("Unit {unit} keeps {{{keeps}}} of its state and takes {takes} of its candidate.").format(
            unit=unit_said(sc.shown, sc.unit), keeps=_share(sc, "update"),
            takes=_unit(sc, "open to the new", numbers.percent(1 - sc.value("update"), 0)))
    return tr("The state of unit {unit} becomes {{{after}}}, it was {before}.").format(
        unit=unit_said(sc.shown, sc.unit), before=_value(sc, "hidden_before"), after=_value(sc, "hidden"))


def _rnn(sc: Scene) -> str:
    total = _value(sc, "preactivation")
    if sc.share("hidden") < 1:
        return tr("What unit {unit} reads and remembers adds up to {{{total}}}.").format(
            unit=unit_said(sc.shown, sc.unit), total=total)
    return tr("The sum {total} of unit {unit} becomes its state {{{state}}}: nothing is kept as it was.").format(
        unit=unit_said(sc.shown, sc.unit), total=total, state=_value(sc, "hidden"))


def _answer(sc: Scene) -> str:
    assert sc.answers is not None
    row = sc.answers.values[sc.step]
    step = step_named(sc.shown, sc.step)
    if not sc.answers.shares:
        value = said(numbers.number(float(row[0]), 3), *claimed(sc, "answer", 0))
        return (tr("After {step} the network answers {{{value}}}.") if sc.answers.own else
                tr("If the sequence ended at {step}, the network would answer {{{value}}}.")).format(
            step=step, value=value)
    best = int(np.argmax(row))
    what = said(named(sc, best), *claimed(sc, "likeliest label", 0)) if best != blank_of(sc.trace) else named(sc, best)
    known = {"what": in_quotes(literal(what)), "step": step, "text": literal(_so_far(sc)),
             "share": said(numbers.percent(float(row[best]), 0), *claimed(sc, "chance", best))}
    if not sc.answers.own:
        return tr("If the sequence ended at {step}, the network would say {what} with {{{share}}}.").format(**known)
    if foretells(sc.trace):
        return tr("Having read “{text}”, the network expects {what} with {{{share}}}.").format(**known)
    return tr("Having read “{text}”, the network says {what} with {{{share}}}.").format(**known) if known["text"] else \
        tr("After {step} the network says {what} with {{{share}}}.").format(**known)


def _so_far(sc: Scene) -> str:
    """What has been read, its end where it is long."""
    words = sc.trace.sample.steps
    if len(words) != sc.shown.steps:
        return ""
    joined = ("" if all(len(word) == 1 for word in words) else " ").join(words[:sc.step + 1])
    joined = joined.replace("\n", "↵")
    return said(joined if len(joined) <= 26 else "…" + joined[-24:], "words read", sc.shown.layer.name, step=sc.step)


def _back(sc: Scene) -> str:
    """What has become of the gradient in this step so far, as measured."""
    back, step = sc.back, step_named(sc.shown, sc.step)
    assert back is not None
    if sc.when.step < 0 or sc.done("arrive") < 1:
        return tr("The gradient comes to {step}.").format(step=step)
    size = norm(back.arrays["hidden"][sc.step])
    if size == 0:
        _came(sc, "hidden", "0")
        return tr("At {step} the gradient is exactly 0: nothing that is differentiated hangs on it.").format(step=step)
    own, later = (norm(back.arrays[key][sc.step]) for key in ("own", "later"))
    if sc.done("weights") < 1:
        return tr("∂L/∂_h_ arrives at {step} with {{{size}}}: {own} from its own answer, {later} from later.").format(
            step=step, size=_came(sc, "hidden", numbers.significant(size, 3)),
            own=_came(sc, "own", numbers.significant(own, 3)), later=_came(sc, "later", numbers.significant(later, 3)))
    key = "cell" if "cell" in sc.plan.columns else "hidden"
    kept = sc.kept(key)
    before = _came(sc, "handed on" if key == "hidden" else "through the gates",
                   numbers.significant(sc.size("hidden_before"), 3), sc.chosen and sc.owns("hidden"))
    if not np.isfinite(kept):
        return tr("{step} hands {{{size}}} to the state before it.").format(
            step=step[:1].upper() + step[1:], size=before)
    what = translated(sc.shown.family.quantities[key].name)
    return tr("One step back the {what} keeps {{× {kept}}} of its gradient; the state before gets {size}.").format(
        what=what, size=before, kept=_came(sc, "share that is left" if key == "hidden" else "share that the line keeps",
                                           numbers.number(kept), sc.chosen))


def table(sc: Scene) -> Table:
    """One row a unit: what stands in the columns; on the way back their gradients."""
    there = tuple(key for key in sc.plan.columns
                  if (sc.returned(key) if sc.back is not None else sc.share(key)) >= 1)
    values = tuple(sc.gradient(key) if sc.back is not None else sc.row(key) for key in there)
    names = (sc.shown.family.quantities[key.removesuffix("_before")] for key in there)
    heads = (f"{part.symbol}₋" if key.endswith("_before") else part.symbol
             for key, part in zip(there, names, strict=True))
    longest = max((len(column) for column in values), default=0)
    listed = [[*column.tolist(), *[""] * (longest - len(column))] for column in values]
    return Table((tr("unit"), *heads), tuple((unit, *row) for unit, row in enumerate(zip(*listed, strict=True))))
