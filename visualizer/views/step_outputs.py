"""What the model answers at each step: its likeliest answers, how sure it is, and for strips the collapsed string."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.scene import colour, numbers, parts, reads, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Picture, Rect, Scale, Table, Text, plain, unmarked
from visualizer.scene.reading import (
    Reading,
    blank_of,
    directions,
    entropy,
    foretells,
    guesses,
    label,
    layers,
    reading,
    shown_layer,
)
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views import View

TOP = 116.0
BARS = 8


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The bars of the current step, and the answers of all steps; frames × classes where it is a CTC model."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    answers = guesses(trace)
    assert answers is not None
    heat = float(look.knob("temperature", "1"))
    answers = warmed(answers, heat)
    place = steps.span(shown, look)
    blank = blank_of(trace)
    said = _sentence(trace, shown, answers, moment, blank, heat)
    kind = "frames × classes" if blank is not None else "the next symbol" if foretells(trace) else \
        "the answer so far"
    marks = [*parts.sentence(look, said), *parts.title(look, kind, f"temperature {heat:g}" if heat != 1 else
                                                        "probabilities as the model gives them")]
    if blank is None:
        marks += _bars(trace, shown, answers, moment, look)
        marks += _sureness(trace, shown, answers, moment, place, look)
    else:
        marks += _frames(trace, shown, answers, moment, place, blank, look)
    still, moving = steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(said),
                   table=_table(trace, shown, answers))


def warmed(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities at another temperature: p^(1/T), made to add up to 1 again."""
    if temperature == 1:
        return probabilities
    logs = np.log(np.maximum(probabilities, 1e-300)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def collapsed(path: list[int], blank: int) -> list[int]:
    """Repeats merged, then blanks dropped."""
    merged = [label for index, label in enumerate(path) if index == 0 or label != path[index - 1]]
    return [label for label in merged if label != blank]


def _bars(trace: Trace, shown: Reading, answers: NDArray[np.float64], moment: Moment, look: Look) -> list[Mark]:
    """The likeliest answers after the current step, and which one really came."""
    s, now = look.text_scale, steps.current(trace, shown, moment)
    row = answers[now]
    done = steps.read(trace, shown, moment).of(now)
    order = np.argsort(-row, kind="stable")[:BARS]
    x, y = steps.LEFT * s, TOP * s
    track = look.size[0] * 0.36
    came = shown.words[now + 1] if now + 1 < shown.steps and foretells(trace) else ""
    marks: list[Mark] = [Text(x, y, plain(f"after step {now + 1}, “{shown.words[now]}”"), 13 * s, 600),
                         Text(x + track + 70 * s, y, plain(f"entropy {numbers.number(entropy(row))} bits"), 12 * s, 400,
                              "ink-2", "end")]
    for index, best in enumerate(order):
        top = y + (18 + index * 30) * s
        name = label(trace, int(best))
        right = name == came
        marks.append(Text(x - 12 * s, top + 15 * s, plain(name), 15 * s, 600 if index == 0 else 400, "ink", "end",
                          100 * s, mono=True))
        marks.append(Rect(x, top + 3 * s, track, 16 * s, "sunk", radius=3))
        if row[best] * track * done >= 0.5:
            marks.append(Rect(x, top + 3 * s, track * float(row[best]) * done, 16 * s,
                              "accent-fill" if index == 0 else "ink-2", radius=3))
        words = "greedy" if index == 0 else ""
        words = f"{words}, came next" if right and words else "came next" if right else words
        marks.append(Text(x + track + 70 * s, top + 16 * s, plain(numbers.percent(float(row[best]), 1)), 13 * s,
                          600 if index == 0 else 400, "ink", "end"))
        if words:
            marks.append(Text(x + track + 82 * s, top + 16 * s, plain(words), 12 * s, 600 if right else 400,
                              "accent-ink" if right else "ink-2"))
    return marks


def _sureness(trace: Trace, shown: Reading, answers: NDArray[np.float64], moment: Moment, place: steps.Span,
              look: Look) -> list[Mark]:
    """How sure it was at every step: the entropy as bars, accented where its likeliest answer came true."""
    s, now = look.text_scale, steps.current(trace, shown, moment)
    bits = [entropy(row) for row in answers]
    most = float(np.log2(answers.shape[1]))
    bottom = look.size[1] - lanes_height(look) - 24 * s
    high = min(120 * s, bottom - TOP * s - (18 + BARS * 30 + 40) * s)
    if high < 40 * s:
        return []
    top = bottom - high
    marks: list[Mark] = [Text((steps.LEFT - 16) * s, top + 14 * s, plain("entropy"), 13 * s, 600, "ink", "end"),
                         Text((steps.LEFT - 16) * s, top + 30 * s, plain(f"0 to {numbers.number(most)} bits"), 11 * s,
                              400,
                              "ink-2", "end"),
                         Line(((place.x, bottom), (place.x + place.count * place.pitch, bottom)), "rule"),
                         Line(((place.x, top), (place.x + place.count * place.pitch, top)), "hair")]
    wide = max(1.0, place.pitch - (6 if place.pitch > 12 else 0))
    reach = steps.read(trace, shown, moment)
    for step, value in enumerate(bits):
        done = reach.of(step)
        x = place.middle(step) - wide / 2
        if done == 0:
            marks.append(Rect(x, top, wide, high, "hatch"))
            continue
        best = label(trace, int(np.argmax(answers[step])))
        right = step + 1 < shown.steps and foretells(trace) and best == shown.words[step + 1]
        tall = max(1.0, high * value / most * done)
        marks.append(Rect(x, bottom - tall, wide, tall, "accent" if right else "ink-2", radius=1))
        if step == now:
            marks.append(Text(place.middle(step), bottom - tall - 6 * s, plain(numbers.number(value)), 12 * s, 600,
                              "ink",
                              "middle"))
    if foretells(trace):
        marks.append(Text(place.x, top - 22 * s, plain("bars in the accent: the likeliest answer came true"), 12 * s,
                          400, "ink-2"))
    return marks


def _known(trace: Trace, shown: Reading, moment: Moment) -> list[int]:
    """The steps of which an answer is known: all directions have come there."""
    done = [set(steps.read(trace, reading(trace, name), moment).done) for name in directions(trace, shown.layer.name)]
    return sorted(set.intersection(*done))


def _frames(trace: Trace, shown: Reading, answers: NDArray[np.float64], moment: Moment, place: steps.Span, blank: int,
            look: Look) -> list[Mark]:
    """Frames × classes as a map, the greedy path on it, blanks hatched, and the string that it collapses to; above it
    the columns of the picture that each frame stands for."""
    s, now = look.text_scale, steps.current(trace, shown, moment)
    classes = answers.shape[1]
    marks, y = _picture(trace, shown, place, now, look)
    room = look.size[1] - lanes_height(look) - y - 110 * s
    high = float(int(min(32 * s, room / classes)))
    read = _known(trace, shown, moment)
    for index in range(classes):
        name = "blank" if index == blank else label(trace, index)
        marks.append(Text((steps.LEFT - 12) * s, y + (index + 0.5) * high + 4 * s, plain(name), 13 * s, 500, "ink",
                          "end"))
    if read:
        marks.append(Image(place.left(read[0]), y, (place.pitch, high),
                           np.ascontiguousarray(colour.unit(answers[read].T)[None]), "pixel", border="tile-border",
                           focus=Focus(shown.layer.name), indices=(-1,), transposed=True,
                           scale=Scale("pixel", "probability", "the answers", 0.0, 1.0)))
    path = [int(np.argmax(answers[step])) for step in range(shown.steps)]
    marks += [Rect(place.left(step), y, place.pitch, high * classes, "hatch") for step in range(shown.steps)
              if step not in read]
    marks += [Rect(place.left(step) + 1, y + path[step] * high + 1, place.pitch - 2, high - 2,
                   "hatch" if path[step] == blank else "", "accent", 1.5) for step in read]
    marks.append(Rect(place.left(now) - 1, y - 2, place.pitch + 2, high * classes + 4, "", "accent", 2))
    below = y + high * classes + 28 * s
    marks.append(Text((steps.LEFT - 12) * s, below, plain("greedy path"), 13 * s, 600, "ink", "end"))
    marks.append(Text((steps.LEFT - 12) * s, below + 40 * s, plain("collapses to"), 13 * s, 600, "ink", "end"))
    for step in read:
        first_of_run = step - 1 not in read or path[step] != path[step - 1]
        if path[step] != blank and first_of_run:
            marks.append(Text(place.middle(step), below, plain(label(trace, path[step])), 16 * s, 600, "ink", "middle",
                              mono=True))
            marks.append(Line(((place.middle(step), below + 8 * s), (place.middle(step), below + 22 * s)), "rule", 1.5))
            marks.append(Text(place.middle(step), below + 42 * s, plain(label(trace, path[step])), 20 * s, 600,
                              "accent-ink", "middle", mono=True))
    return marks


def _picture(trace: Trace, shown: Reading, place: steps.Span, now: int, look: Look) -> tuple[list[Mark], float]:
    """What the frames are cut out of, stretched to stand over them, with the window of the current frame; and where
    the map may begin."""
    s, top = look.text_scale, TOP * look.text_scale
    source = reads.read_by(trace, shown, kinds.receptive_field)
    if source is None or source.kind != "windows":
        return [], top
    rows, columns = source.values.shape
    pixel, wide = float(max(1, int(64 * s // rows))), place.count * place.pitch / columns
    low, high = (min(max(0, edge), columns - 1) for edge in source.windows[now])
    return [Text((steps.LEFT - 12) * s, top + 20 * s, plain("sees"), 13 * s, 600, "ink", "end"),
            Text((steps.LEFT - 12) * s, top + 36 * s, plain("stretched"), 11 * s, 400, "ink-2", "end"),
            Image(place.x, top, (wide, pixel), reads.shades(source)[None].copy(), "pixel"),
            Rect(place.x + low * wide - 1, top - 2, (high + 1 - low) * wide + 2, rows * pixel + 4, "", "accent", 2,
                 radius=3)], top + rows * pixel + 12 * s


def _sentence(trace: Trace, shown: Reading, answers: NDArray[np.float64], moment: Moment, blank: int | None,
              heat: float) -> str:
    now = steps.current(trace, shown, moment)
    if blank is not None:
        known = _known(trace, shown, moment)
        if now not in known:
            way = "reverse" if shown.reverse else "forward"
            return (f"The {way} {shown.name} has read frame {{{now + 1}}} of {shown.steps}; what it says is known when "
                    "the other one has come, too.")
        read = [int(np.argmax(answers[step])) for step in known]
        said = " ".join(label(trace, index) for index in collapsed(read, blank)) or "nothing yet"
        best = int(np.argmax(answers[now]))
        what = "blank" if best == blank else f"“{label(trace, best)}”"
        share = numbers.percent(float(answers[now][best]), 0)
        span = "" if len(known) == shown.steps else f" frames {known[0] + 1} to {known[-1] + 1}"
        return (f"Frame {now + 1} of {shown.steps} says {what} with {{{share}}}; merged and without blanks{span} "
                f"{'read' if span else 'it reads'} {said}.")
    best = int(np.argmax(answers[now]))
    warm = f" at temperature {heat:g}" if heat != 1 else ""
    return (f"After “{shown.words[now]}” the likeliest answer is “{label(trace, best)}” with "
            f"{{{numbers.percent(float(answers[now][best]), 0)}}}{warm}: {numbers.number(entropy(answers[now]))} bits "
            f"of surprise are left of {numbers.number(float(np.log2(answers.shape[1])))}.")


def _table(trace: Trace, shown: Reading, answers: NDArray[np.float64]) -> Table:
    """One row a step, the likeliest three answers."""
    rows = []
    for step in range(shown.steps):
        order = np.argsort(-answers[step], kind="stable")[:3]
        best = [value for index in order for value in (label(trace, int(index)), float(answers[step][index]))]
        best += [""] * (6 - len(best))
        rows.append((step + 1, shown.words[step], entropy(answers[step]), *best))
    return Table(("step", "reads", "entropy in bits", "first", "p", "second", "p", "third", "p"), tuple(rows))


def _suits(trace: Trace) -> bool:
    answers = guesses(trace)
    return bool(layers(trace)) and answers is not None and any(
        len(answers) == layer.shape[0] for layer in layers(trace))


VIEW = View(
    "step_outputs", "Answers", "What the model answers at each step, and how sure it is.",
    suits=_suits, draw=draw, order=18, knobs=(("temperature", ("1", "0.25", "0.5", "0.75", "1.5", "2")),),
)
