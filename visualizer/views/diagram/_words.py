"""The sentence and the table of the diagram."""

from __future__ import annotations

from visualizer.language import tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Table
from visualizer.scene.reading import step_named, step_said
from visualizer.size import norm
from visualizer.views.diagram._scene import Scene, chosen_said, units_said


def sentence(sc: Scene) -> str:
    """What has happened in the step so far, with its own numbers."""
    when, shown = sc.when, sc.shown
    if sc.back is not None:
        return _back(sc)
    if when.step < 0:
        return tr("The {layer} has read nothing yet: its state is what it starts from.").format(layer=shown.name)
    step = step_named(shown, when.step)
    who = tr("the {units} units").format(units=units_said(sc)) if sc.pick.all else \
        tr("unit {unit}").format(unit=chosen_said(sc))
    if sc.done("gates") < 1:
        return tr("{step} is read beside the last state: both meet the weights of every gate.").format(
            step=step[:1].upper() + step[1:])
    family = sc.plan.family
    return {"lstm": _lstm, "gru": _gru, "rnn": _rnn}[family](sc, step, who)


def _lstm(sc: Scene, step: str, who: str) -> str:
    keeps = sc.percent("forget")
    if sc.done("keep") < 1:
        return tr("At {step}, the gates of {who} open: forget {f}, input {i}, output {o}.").format(
            step=step, who=who, f=sc.percent("forget"), i=sc.percent("input"),
            o=sc.percent("output_gate"))
    added = sc.number("added")
    if sc.pick.all:
        return tr("At {step}, {who} keep {{{keeps}}} of their memory on average, take in {i} and show {o}.").format(
            step=step, who=who, keeps=keeps, i=sc.percent("input"),
            o=sc.percent("output_gate"))
    if sc.done("add") < 1:
        return tr("At {step}, {who} keeps {{{keeps}}} of its memory.").format(step=step, who=who, keeps=keeps)
    if sc.done("show") < 1:
        return tr("At {step}, {who} keeps {{{keeps}}} of its memory and adds {added}.").format(
            step=step, who=who, keeps=keeps, added=added)
    return tr("At {step}, {who} keeps {{{keeps}}} of its memory, adds {added} and shows {shown}.").format(
        step=step, who=who, keeps=keeps, added=added, shown=sc.number("shown"))


def _gru(sc: Scene, step: str, who: str) -> str:
    new = sc.worded(numbers.percent(1 - sc.value("update"), 0), "open to the new")
    if sc.done("keep") < 1:
        return tr("At {step}, the gates of {who} open: reset {r}, update {z}.").format(
            step=step, who=who, r=sc.percent("reset"), z=sc.percent("update"))
    if sc.done("show") < 1:
        return tr("At {step}, the reset gate lets {r} of the past into the new of {who}.").format(
            step=step, who=who, r=sc.percent("reset"))
    if sc.pick.all:
        return tr("At {step}, {who} keep {{{keeps}}} of their state on average and take {new} of the new.").format(
            step=step, who=who, keeps=sc.percent("update"), new=new)
    return tr("At {step}, {who} keeps {{{keeps}}} of its state and takes {new} of the new: {before} becomes "
              "{after}.").format(step=step, who=who, keeps=sc.percent("update"), new=new,
                                 before=sc.number("hidden_before"),
                                 after=sc.number("hidden"))


def _rnn(sc: Scene, step: str, who: str) -> str:
    total = sc.number("preactivation")
    if sc.done("add") < 1:
        return tr("At {step}, what {who} reads and remembers makes {total}.").format(step=step, who=who, total=total)
    return tr("At {step}, the sum of {who} is {total} and its state becomes {{{after}}}: nothing is kept as it "
              "was.").format(step=step, who=who, total=total, after=sc.number("hidden"))


def _back(sc: Scene) -> str:
    """What has become of the gradient in this step so far, as measured."""
    step, back = step_said(sc.shown, sc.step), sc.back
    assert back is not None
    size = sc.size_said("hidden")
    if sc.done("arrive") < 1:
        return tr("The gradient has not reached step {step} yet.").format(step=step)
    if sc.size("hidden") == 0 and sc.size("cell" if "cell" in back.arrays else "hidden") == 0:
        return tr("At step {step} the gradient is exactly 0: nothing that is differentiated hangs on it.").format(
            step=step)
    if sc.done("memory") < 1 or (sc.plan.family == "rnn" and sc.done("pass") < 1):
        return tr("At step {step}, ∂L/∂_h_ arrives with {{{size}}}: {own} from its own answer, {later} from "
                  "later.").format(step=step, size=size, own=sc.size_said("own"),
                                   later=sc.size_said("later"))
    if sc.plan.family == "rnn":
        share = sc.passed_on("hidden") / sc.size("hidden") if sc.size("hidden") else 0.0
        return tr("Back through step {step} {{× {share}}} of the gradient is left: {before} becomes {after}.").format(
            step=step, share=sc.sized(numbers.number(share), "share that is left"), before=size,
            after=sc.sized(numbers.significant(sc.passed_on("hidden"), 3), "handed on"))
    kept = sc.sized(numbers.number(sc.keeps(sc.step)), "share that the line keeps")
    if sc.done("pass") < 1:
        return (tr("Back through step {step} the memory line keeps {{× {kept}}} of its gradient.")
                if sc.plan.family == "lstm" else
                tr("Back through step {step} the state line keeps {{× {kept}}} of its gradient.")).format(
                    step=step, kept=kept)
    ways = sc.sized(numbers.significant(norm(back.together(sc.step, sc.pick)), 3), "through the gates")
    return (tr("Back through step {step} the memory line keeps {{× {kept}}} of its gradient; the gates carry {ways} to "
               "the last state.") if sc.plan.family == "lstm" else
            tr("Back through step {step} the state line keeps {{× {kept}}} of its gradient; the gates carry {ways} "
               "to the last state.")).format(step=step, kept=kept, ways=ways)


def table(sc: Scene) -> Table:
    """One row a step: gates and states of the unit, or their means; on the way back the sizes of the gradients."""
    shown = sc.shown
    keys = shown.family.shown
    heads = (tr("step"), tr("reads"), *(translated(shown.family.quantities[key].name) for key in keys))
    rows: list[tuple[str | float | int, ...]] = [
        (step + 1, shown.words[step], *(sc.forward.value(key, step, sc.pick) for key in keys))
        for step in range(shown.steps)]
    return Table(heads, tuple(rows))
