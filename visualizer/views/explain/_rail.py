"""What the rail offers: which class is explained, which score, compared with what, how finely; and the input."""

from __future__ import annotations

import numpy as np

from visualizer import inputs
from visualizer.kinds import attribution
from visualizer.kinds.attribution import BLUR, LOGIT, MEAN, NOTHING, PROBABILITY
from visualizer.language import tr, translated
from visualizer.said import claimed, constants, of, said
from visualizer.scene import colour, controls, fed, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.controls import HIGH, Option
from visualizer.scene.picture import Focus, Group, Line, Look, Mark, Picture, Rect, Table, Text, grouped, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width, wrap
from visualizer.trace import Trace
from visualizer.views.explain._seen import class_name, wish_of

PATHS, WINDOWS = ("16", "64", "256"), ("3", "5", "7")
MOST_CLASSES = 15
APART = 20.0


def rail(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The controls from top to bottom, and below them as much of the input as there is room for."""
    box = Box(16.0, 6.0, look.size[0] - 16.0, look.size[1] - 8)
    ends, wish = attribution.ends(trace), wish_of(look)
    if ends is None:
        return Picture(look.size, (), (), look.theme, "window", caption="", table=Table((), ()))
    place = Focus(ends.read.name)
    marks: list[Mark] = []
    y = box.top
    tight = box.height < 620
    gap = 12.0 if tight else APART
    number, _ = attribution.chosen(wish, ends.scores)
    rows: list[tuple[str, str]] = []
    if ends.chooses:
        marks += controls.title(tr("Explain"), box, y + 12)
        made, y = controls.buttons("class", _classes(trace, number), str(number), Box(
            box.left, y + 22, box.right, y + 22), place, tr("Explain"), _columns(trace))
        marks += made
        marks.append(Text(box.left, y + 12, plain(_answered(trace)), 12, 400, "ink-2", max_width=box.width))
        y += 12 + gap
        name = class_name(trace, number)
        rows.append((tr("Explain"), name))
        if not ends.probable:
            marks += controls.title(tr("Score of {label}").format(label=_class(trace, number)), box, y + 12)
            marks += controls.segments("scored", (
                (LOGIT, tr("logit"), tr("As it is handed back")), (PROBABILITY, tr("probability"), "")),
                wish.score, Box(box.left, y + 20, box.right, y), place, tr("Which score is explained"))
            y += 20 + HIGH + gap
        marks += controls.segments("contrast", (("off", tr("alone"), ""), ("on", tr("less the next"), tr(
            "Less the score of the runner-up"))), "on" if wish.contrast else "off", Box(box.left, y, box.right, y),
            place, tr("Less the score of the runner-up"))
        y += HIGH + gap
    marks += controls.title(tr("Compared with"), box, y + 12)
    marks += controls.segments("baseline", _baselines(trace, ends.symbols), wish.baseline, Box(
        box.left, y + 20, box.right, y), place, tr("Compared with"))
    y += 20 + HIGH + gap
    size = constants(f"{wish.window} × {wish.window}" if len(ends.places) == 2 else str(wish.window))
    for knob, words, value, chosen, steps in (
            ("path", tr("Steps of the path"), constants(str(wish.path)), str(wish.path), PATHS),
            ("hidden", tr("Window of occlusion"), size, str(wish.window), WINDOWS)):
        marks += controls.title(words, box, y + 12, value)
        marks += controls.slider(knob, tuple((step, step, step) for step in steps), chosen,
                                 Box(box.left, y + 20, box.right, y + 40), place, words)
        y += 40 + gap * 0.6
    marks += fed.marks(trace, look, Box(box.left, y, box.right, box.bottom - 78))
    marks += _legend(Box(box.left, box.bottom - 70, box.right, box.bottom), class_name(trace, number)
                     if ends.chooses else "")
    return Picture(look.size, tuple(marks), (), look.theme, "window", caption=tr("What is explained, and how"),
                   table=Table((tr("what"), tr("value")), tuple(rows)))


def _classes(trace: Trace, chosen: int) -> tuple[Option, ...]:
    """All of them, or of many the likeliest and the chosen one."""
    ends = attribution.ends(trace)
    assert ends is not None
    last = np.asarray(ends.scores.output, np.float64).reshape(-1, ends.scores.shape[-1])[-1]
    shown = sorted({chosen, *np.argsort(-last, kind="stable")[:MOST_CLASSES - 1].tolist()}) \
        if len(last) > MOST_CLASSES else range(len(last))
    return tuple((str(number), _class(trace, number), class_name(trace, number)) for number in shown)


def _class(trace: Trace, number: int) -> str:
    return said(class_name(trace, number), "class that is explained", cell=(number,))


def _columns(trace: Trace) -> int:
    """How many stand in a row: five of digits, two of words."""
    longest = max((len(label) for label in trace.labels), default=2)
    return 5 if longest <= 3 else 3 if longest <= 7 else 2


def _answered(trace: Trace) -> str:
    """`answer 4, 80 %; next 9, 19 %`."""
    answer = next((each for each in trace.answers if each.chooses), None)
    if answer is None or answer.layer not in trace or trace[answer.layer].output.ndim != 1:
        return ""
    layer = trace[answer.layer]
    order = np.argsort(-layer.output, kind="stable")[:2].tolist()
    first, following = ((_class(trace, at), claimed(
        numbers.percent(float(layer.output[at]), 0), [of("value", layer, (at,))])) for at in order)
    return tr("answer {first}, {share}; next {second}, {other}").format(
        first=first[0], share=first[1], second=following[0], other=following[1])


def _baselines(trace: Trace, symbols: bool) -> tuple[Option, ...]:
    """What it is compared with, as it is called of what is read."""
    kind = inputs.fed_first(trace)
    nothing = tr("zeros") if kind is None else translated(kind.blank)
    about = tr("Nothing: a blank input")
    return ((NOTHING, nothing, about), (MEAN, tr("mean"), tr("The mean of its places")),
            (BLUR, tr("blur"), tr("The input, blurred")))


def _legend(box: Box, label: str) -> list[Mark]:
    """What the colours of all maps mean."""
    cells = 48
    wide = box.width / cells
    marks: list[Mark] = []
    entries = colour.signed(np.linspace(-1, 1, cells), 1.0)
    for number, entry in enumerate(entries):
        marks.append(Rect(box.left + number * wide, box.top, wide + 0.5, 7, f"activation:{int(entry)}"))
    marks.append(Line(((box.left + box.width / 2, box.top), (box.left + box.width / 2, box.top + 10)), "ink", 1))
    against, towards = tr("against {label}").format(label=label), tr("for {label}").format(label=label)
    if not label or width(against, 12) + width(towards, 12) + 12 > box.width:
        against, towards = tr("against it"), tr("for it")
    marks += [Text(box.left, box.top + 22, plain(against), 12, 400, "ink-2"),
              Text(box.right, box.top + 22, plain(towards), 12, 400, "ink-2", "end")]
    for number, line in enumerate(wrap(tr("Each map has its own scale; its largest size is printed."), 12, box.width,
                                       400)[:3]):
        marks.append(Text(box.left, box.top + 38 + 15 * number, plain(line), 12, 400, "ink-2"))
    return grouped(Group(tr("legend")), marks)
