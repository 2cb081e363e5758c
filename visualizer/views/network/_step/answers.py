"""What the network answers after the step, at the right: bars of the likeliest, the rest summed; or numbers."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.language import counted_as, tr
from visualizer.motions import out
from visualizer.said import Claim, said, tick
from visualizer.scene import numbers, parts, sofar
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Focus, Group, Mark, Rect, Text, grouped, plain
from visualizer.scene.reading import answering, blank_of, foretells, label
from visualizer.scene.type import plain_lines, width
from visualizer.views.network._step.scene import Scene

MOST, LEAST = 10, 17.0
"""Bars that are drawn, and the pixels from one to the next."""


def named(sc: Scene, index: int) -> str:
    """An answer in words."""
    return tr("blank") if index == blank_of(sc.trace) else label(sc.trace, index)


def claimed(sc: Scene, what: str, index: int, step: int | None = None) -> Claim:
    """What is said of an answer of a step, of this one if none is given."""
    return sofar.claim(sc.trace, sc.shown, sc.answers, what, index, sc.step if step is None else step)


def draw(sc: Scene) -> list[Mark]:
    """The answers, hatched until they are known; nothing on the way back but what handed the gradient in."""
    left, right = sc.plan.answers
    about = Group(tr("answer"), Focus(sc.layer.name, (sc.step,)))
    if sc.answers is None:
        return grouped(about, _waits(sc, left, right))
    back = sc.back is not None
    known = sc.step in sc.known and sc.when.step >= 0
    share = 1.0 if back else sc.done("answer") if known else 0.0
    marks = _title(sc, left, right)
    going = 1.0 if back else sc.going
    if sc.answers.shares:
        marks += _bars(sc, left, right, share, going)
    else:
        marks += _numbers(sc, left, right, share, going)
    return grouped(about, marks)


def after(sc: Scene) -> list[str]:
    """The layers that follow the steps, up to the answer."""
    order = [layer.name for layer in sc.trace.layers if layer.output.ndim]
    place = order.index(sc.layer.name)
    skip = {layer.name for layer in sc.trace.layers if layer.inner}
    return [name for name in order[place + 1:] if name not in skip]


def _title(sc: Scene, left: float, right: float) -> list[Mark]:
    plan, found = sc.plan, after(sc)
    assert sc.answers is not None
    learned = [name for name in found if sc.trace[name].learned or kinds.shares(sc.trace[name])] or found
    ways = [", ".join(learned), ", ".join(learned[-2:]), learned[-1] if learned else ""]
    title = next((way for way in ways if width(way, 12, 600, mono=True) <= right - left), "")
    marks: list[Mark] = [Text(left, plan.heads, plain(title), 12, 600, "ink", mono=True)]
    if not sc.look.mode.notes:
        return marks
    count = sc.answers.values.shape[1]
    if not sc.answers.own:
        told = [tr("would say, if it ended here"), tr("would say now")]
    elif foretells(sc.trace):
        told = [tr("{shown} of {count} characters, by chance"), tr("expects next")]
    else:
        told = [tr("says after this step"), tr("says")]
    all_said = said(str(count), *claimed(sc, "how many answers", 0))
    words = [way.format(shown=tick(str(_shown(sc)), _shown(sc), 1, count), count=all_said) for way in told]
    under = next((way for way in words if width(way, 12) <= right - left), "")
    return [*marks, Text(left, plan.heads + 15, plain(under), 12, 400, "ink-2")]


def _room(sc: Scene) -> float:
    return sc.plan.bottom - sc.plan.top + (20 if sc.look.mode.notes else 10)


def _shown(sc: Scene) -> int:
    """How many answers have a bar."""
    assert sc.answers is not None
    return max(1, min(MOST, int(sc.answers.values.shape[1]), int(_room(sc) / LEAST)))


def _bars(sc: Scene, left: float, right: float, share: float, going: float) -> list[Mark]:
    assert sc.answers is not None
    plan, row = sc.plan, sc.answers.values[sc.step]
    count = _shown(sc)
    pitch = min(40.0, _room(sc) / count)
    order = np.argsort(-row, kind="stable")[:count]
    names = [named(sc, int(index)) for index in order]
    longest = max(width(name, 13, 600, mono=len(name) < 3) for name in names) + 10
    stacked = longest > 0.45 * (right - left) and pitch >= 34
    across = 0.0 if stacked else min(longest, 0.55 * (right - left))
    shares = [said(numbers.percent(float(row[index])), *claimed(sc, "chance", int(index))) for index in order]
    taken = width("100.0 %", 12, 600) + 8
    track = right - left - across - taken
    logits = _logits(sc) if pitch >= 36 and not stacked and sc.look.mode.notes else None
    grown = out(share)
    if share <= 0:
        return [Rect(left, plan.top + pitch * place + 3, right - left, min(pitch - 7, 20), "hatch", radius=2)
                for place in range(count)]
    marks: list[Mark] = []
    for place, (index, name) in enumerate(zip(order.tolist(), names, strict=True)):
        y = plan.top + pitch * place
        best, value = place == 0, float(row[index])
        middle = y + min(pitch, 22) / 2 + (15 if stacked else 0)
        if not stacked and width(name[:4] + "…", 13, 600) > across - 4:
            name = name[:3]
        words = said(name, *claimed(sc, "label", index)) if name == label(sc.trace, index) else name
        marks.append(Text(left, (y + 12) if stacked else middle + 4.5, plain(words), 13, 600 if best else 500, "ink",
                          max_width=right - left if stacked else across - 4, mono=len(name) < 3))
        if track > 10:
            high = min(12.0, pitch - 8)
            marks += [Rect(left + across, middle - high / 2, track, high, "sunk", radius=2),
                      Rect(left + across, middle - high / 2, max(1.0, track * value * grown), high,
                           "accent" if best else "ink-2", radius=2, focus=_about(sc, index))]
        if share >= 1:
            marks.append(Text(right, middle + 4.5, plain(shares[place]), 12, 600 if best else 400, "ink", "end"))
        if logits is not None and share >= 1:
            logit = said(numbers.number(float(logits[index])), *_logit(sc, index))
            marks.append(Text(left + across, middle + 19, plain(tr("logit {value}").format(value=logit)), 11, 400,
                              "ink-2"))
    rest = len(row) - count
    if rest and share >= 1 and sc.look.mode.notes:
        others = float(np.sort(row)[:rest].sum())
        ways = [words.format(
            count=said(str(rest), *claimed(sc, "how many other answers", count)),
            share=said(numbers.percent(others), *claimed(sc, "chance of all others", count)))
            for words in (counted_as(rest, tr("{count} other {share}"), tr("{count} others together {share}")),
                          counted_as(rest, tr("{count} other {share}"), tr("{count} others {share}")))]
        marks.append(Text(left, plan.frame[1] + plan.frame[3] + 17, plain(fitting(ways, right - left, 12) or ways[-1]),
                          12, 400, "ink-2", max_width=right - left))
    return parts.faded(marks, going)


def _about(sc: Scene, index: int) -> Focus | None:
    """Where an answer stands in the recording, if it does at every step."""
    for layer in reversed(sc.trace.layers):
        if layer.axes == ("step", "class") and sc.step < layer.shape[0]:
            return Focus(layer.name, (sc.step, index))
    return None


def _logits(sc: Scene) -> np.ndarray | None:
    """What the shares are made of, where the network gives them at every step."""
    found = next((sc.trace[answer.layer] for answer in sc.trace.answers
                  if sc.trace[answer.layer].axes == ("step", "class")), None)
    if found is None or not kinds.shares(found):
        return None
    values: np.ndarray = sc.trace.inputs(found)[0].output[sc.step]
    return values


def _logit(sc: Scene, index: int) -> Claim:
    shares = answering(sc.trace)
    assert shares is not None
    return "value", sc.trace.inputs(shares)[0].name, (sc.step, index), None, ""


def _numbers(sc: Scene, left: float, right: float, share: float, going: float) -> list[Mark]:
    """What it answers, as numbers; beside it what was right, where that is known."""
    assert sc.answers is not None
    plan, row = sc.plan, sc.answers.values[sc.step]
    marks: list[Mark] = []
    for place, value in enumerate(row[:6].tolist()):
        y = plan.top + 52 * place
        if share <= 0:
            marks.append(Rect(left, y, right - left, 34, "hatch", radius=3))
            continue
        marks.append(Text(left, y + 26, plain(said(numbers.number(value, 3), *claimed(sc, "answer", place))), 24, 600,
                          "positive-text" if value > 0 else "negative-text", opacity=out(share)))
    truth = next((answer.truth for answer in sc.trace.answers if answer.truth is not None), None)
    if share >= 1 and truth is not None and np.size(truth) == 1 and sc.look.mode.notes:
        wanted = said(numbers.number(float(np.ravel(truth)[0]), 3), "number wanted", sc.trace.answers[0].layer)
        marks.append(Text(left, plan.top + 48, plain(tr("right at the end: {value}").format(value=wanted)), 12, 400,
                          "ink-2", max_width=right - left))
    return parts.faded(marks, going) if share > 0 else marks


def _waits(sc: Scene, left: float, right: float) -> list[Mark]:
    """The answer hangs on more than this state: room for it, and when it comes."""
    plan = sc.plan
    marks: list[Mark] = [Rect(left, plan.top, right - left, plan.rows * plan.cell, "hatch", "rule", 1, radius=4)]
    found = after(sc)
    if not found:
        return marks
    words = tr("{layers} come after the last step").format(layers=", ".join(found[:2])) if len(found) > 1 else \
        tr("{layers} comes after the last step").format(layers=found[0])
    lines = plain_lines(words, 12, right - left - 24, 500)[:3]
    middle = plan.top + plan.rows * plan.cell / 2
    marks.append(Rect(left + 6, middle - 8 * len(lines) - 6, right - left - 12, 16 * len(lines) + 12, "stage",
                      radius=4))
    return marks + [Text((left + right) / 2, middle - 8 * len(lines) + 12 + 16 * place, plain(line), 12, 500, "ink",
                         "middle") for place, line in enumerate(lines)]
