"""Classes: one probability for each, all together 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from visualizer import kinds
from visualizer.answers import AnswerKind, Axes, Bars, Score, Values, label, picked
from visualizer.language import english, tr, translated
from visualizer.said import said
from visualizer.said import size as size_of
from visualizer.scene import colour, numbers
from visualizer.scene.columns import LEAST_BARS as LEAST
from visualizer.scene.columns import NAME, Column, long_names
from visualizer.scene.labels import Labels
from visualizer.scene.picture import Focus, Line, Look, Mark, Rect, Text, plain
from visualizer.scene.recipe import DRAWN
from visualizer.trace import Answer, Layer, Trace


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """A name for each number, or shares that add up to 1."""
    return len(shape) == 1 and (labels == shape[0] or operation in ("softmax", "log_softmax"))


def sentence(trace: Trace, answer: Answer) -> str:
    """The likeliest two, and whether the first is right."""
    chances = trace[answer.layer].output
    order = np.argsort(-chances, kind="stable")
    words = tr("One class") if len(order) < 2 else \
        tr("The network answers {first} with {{{share}}}, then {second} with {rest}").format(
            first=_said_label(answer, int(order[0])), share=_said_share(answer, chances, int(order[0])),
            second=_said_label(answer, int(order[1])), rest=_said_share(answer, chances, int(order[1])))
    if trace.sample.label is None:
        drawn = tr("{words}; say what you drew, and there is a loss.") if trace.sample.name == DRAWN else "{words}."
        return drawn.format(words=words)
    judged = tr("{words}; the label is {truth}, so it is right.") if int(order[0]) == trace.sample.label else \
        tr("{words}; the label is {truth}, so it is wrong.")
    return judged.format(words=words, truth=said(label(answer, trace.sample.label), "label of the input", answer.layer))


def _said_label(answer: Answer, index: int) -> str:
    return said(label(answer, index), "label", answer.layer, (index,))


def _said_share(answer: Answer, chances: Values, index: int) -> str:
    return said(numbers.percent(float(chances[index]), 1), "value", answer.layer, (index,))


def short(trace: Trace, answer: Answer) -> str:
    """The likeliest."""
    return label(answer, int(np.argmax(trace[answer.layer].output)))


def score(trace: Trace, answer: Answer) -> Score:
    """What the right class was given, and which place it has."""
    truth, chances = trace.sample.label, trace[answer.layer].output
    if truth is None or not 0 <= truth < len(chances):
        return ()
    place = 1 + int(np.count_nonzero(chances > chances[truth]))
    return (tr("probability of the right class"), float(chances[truth])), (tr("its place among all"), place)


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The largest first."""
    flat = values.reshape(-1)
    return (f"logit:{int(np.argmax(flat))}", *(f"logit:{index}" for index in range(min(len(flat), 12)))) if flat.size \
        else ()


def judge(values: Values, truth: Any, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Whether the likeliest is the label; where it is asked at every step, the likeliest at the last."""
    last = values.reshape(-1, values.shape[-1])[-1]
    known = isinstance(truth, int) and 0 <= truth < len(last)
    return int(known and int(np.argmax(last)) == truth), int(known)


def target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], float] | None) -> Any:
    """The label of the input."""
    return given.sample.label


# --- its column in the network --------------------------------------------------------------------------------------

def column(trace: Trace, answer: Answer, place: Column, backward: bool | None, look: Look,
           bars: Bars | None = None) -> list[Mark]:
    """Forwards the probabilities; backwards what the loss hands the logits, p − label, as bars around zero; None where
    neither is known yet. Of bars that still grow nothing is said but what they say themselves."""
    layer = trace[answer.layer]
    backward = backward if bars is None else bars.backward
    target, winner = kinds.label_of(trace), int(np.argmax(layer.output)) if bars is None else -1
    values = bars.lengths if bars is not None else layer.output if not backward else _handed_back(trace, answer)
    marks: list[Mark] = []
    if values is None:
        return [Text(place.x, place.top + 12, plain(tr("no gradient")), 12, 400, "ink-2")]
    whole = _handed_back(trace, answer) if backward else None
    largest = colour.largest(values if whole is None else whole) or 1.0
    names = max(0.0, min(long_names(trace), place.width - LEAST))
    track = place.width - names - 72
    below = place.pitch[1] >= 34
    said_of = Labels((0, 0, look.size[0], look.size[1]), 0)
    size = max(11.0, min(14.0, place.pitch[1] - 2))
    crowded = place.pitch[1] < 14  # the words that matter most are written first
    for unit in sorted(place.shown, key=lambda unit: crowded and unit not in (target, winner)):
        box = place.box(unit)
        assert box is not None
        y = box[1] + box[3] / 2
        value = float(values[unit])
        strong = backward is not None and (unit in (target, winner) or abs(value) >= 0.1)
        x = place.x + names + 16
        marks += said_of.put(_said_label(answer, unit), [(x - 8, y + size * 0.36, "end")], size, 600 if strong else 400,
                             "accent-ink" if unit == target and not below else "ink" if strong else "ink-2",
                             max_width=NAME + names)
        bar = min(14, place.pitch[1] - 3)
        marks.append(Rect(x, y - bar / 2, track, bar, "hatch" if backward is None else "sunk", radius=2,
                          focus=Focus(layer.name, (unit,))))
        if backward is None:
            continue
        if backward:
            middle = x + track / 2
            reach = track / 2 * abs(value) / largest
            if reach >= 0.5:
                marks.append(Rect(middle - (reach if value < 0 else 0), y - bar / 2, reach, bar, "gradient-mark",
                                  radius=2))
            marks.append(Line(((middle, y - bar / 2 - 2), (middle, y + bar / 2 + 2)), "ink", 1))
            words = said(numbers.signed(value, 3), "gradient", _logits(trace, answer).name, (unit,))
        else:
            if value * track >= 0.5:
                marks.append(Rect(x, y - bar / 2, track * value, bar, "accent-fill" if unit == winner else "ink-2",
                                  radius=2))
            words = _said_share(answer, values, unit)
        words = words if bars is None else bars.words[unit]
        if words and (strong or look.mode.notes):
            marks += said_of.put(words, [(place.x + place.width, y + size * 0.36, "end")], min(13.0, size),
                                 600 if strong else 400, "ink" if strong else "ink-2")
        if unit == target and below:
            marks.append(Text(x, y + bar / 2 + 12, plain(tr("label")), 11, 500, "accent-ink"))
    if place.ranking:
        marks.append(Text(place.x, place.top + place.height + 22,
                          plain(tr("{shown} of {count}, the {ranking}").format(
                              shown=len(place.shown), count=said(numbers.count(place.total), *size_of(layer)),
                              ranking=translated(place.ranking))), 11, 400, "ink-2"))
    return marks


def heading(trace: Trace, answer: Answer, backward: bool) -> tuple[str, ...]:
    """How many there are; backwards what the bars are."""
    if backward:
        return (tr("p − label"), "p−y") if _by_label(trace) else (tr("gradient of the logits"), tr("gradient"))
    count = said(numbers.count(len(trace[answer.layer].output)), *size_of(trace[answer.layer]))
    return tr("{count} probabilities").format(count=count), count


def begins(trace: Trace, answer: Answer) -> str:
    """What each logit gets: from the loss, or where one logit itself is differentiated."""
    target, back = trace.objective.target, _handed_back(trace, answer)
    if target is None or back is None:
        return ""
    source = _logits(trace, answer).name
    known = {"label": _said_label(answer, target),
             "pull": said(numbers.signed(float(back[target]), 3), "gradient", source, (target,))}
    if _by_label(trace):
        return tr("The way back starts here: each logit gets its probability, minus {one} for the label {label}, which "
                  "gets {{{pull}}}.").format(one=said("1", "probability less gradient", source, (target,),
                                                      array=answer.layer), **known)
    if np.flatnonzero(back).tolist() != [target]:
        return ""
    return tr("The way back starts at one logit, that of {label}, which gets {{{pull}}}; the others get {zero}."
              ).format(zero=said("0", "largest size of gradient elsewhere", source, (target,)), **known)


def cost(trace: Trace, answer: Answer, loss: Layer) -> tuple[str, str]:
    """−ln of what the label was given."""
    target = trace.objective.target
    if target is None or not kinds.picks_label(loss):
        return "", ""
    chance = said(numbers.number(float(trace[answer.layer].output[target]), 3), "value", answer.layer, (target,))
    value = said(numbers.number(float(loss.output), 3), "value", loss.name)
    return (tr("loss = −ln {chance} = **{value}**").format(chance=chance, value=value),
            tr("The loss is −ln of the probability given to the label {label}: −ln {chance} = {{{value}}}.").format(
                label=_said_label(answer, target), chance=chance, value=value))


def _by_label(trace: Trace) -> bool:
    """Whether what is differentiated is the loss of one label."""
    return kinds.label_of(trace) is not None


def _handed_back(trace: Trace, answer: Answer) -> Values | None:
    """The gradient of the logits that the probabilities were made of, seen through their logarithms."""
    return _logits(trace, answer).gradient


def _logits(trace: Trace, answer: Answer) -> Layer:
    read = trace.inputs(trace[answer.layer])[0]
    kind = kinds.of(read)
    return trace.inputs(read)[0] if kind is not None and kind.logarithms and kind.role == "shares" else read


ANSWER = AnswerKind(english("classes"), english("one of several classes"), suits, sentence, short=short, score=score,
                    scalar=picked,
                    wishes=wishes,
                    loss="class", asks=("class",), target=target, chosen=True, order=1,
                    column=column, handed_back=_handed_back, heading=heading, begins=begins, cost=cost, judge=judge,
                    guess=True, along=())
