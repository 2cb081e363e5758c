"""What the model answers at each step: its likeliest answers, how sure it is, and for strips the collapsed string."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, kinds
from visualizer.answers.string import collapsed, written
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts, step_inputs, steps
from visualizer.scene.boxes import Box, rows, whole
from visualizer.scene.chains import chains
from visualizer.scene.labels import Labels
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    literal,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import (
    Reading,
    answering,
    blank_of,
    directions,
    entropy,
    foretells,
    guesses,
    label,
    layers,
    read_at,
    reading,
    shown_layer,
    step_said,
    steps_said,
    word_said,
)
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace
from visualizer.views import STEPS, View

TOP = 116.0
MOST_BARS = 12
LONGEST = 36
"""So many symbols of a string are written at most, the last ones."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The bars of the current step, and the answers of all steps; frames × classes where it is a CTC model."""
    known = guesses(trace)
    assert known is not None
    shown = _answered(trace, shown_layer(trace, moment, None if focus is None else focus.layer), len(known))
    layer = shown.layer
    if len(known) not in (shown.steps, shown.total):  # calls of a cell that stand apart answer
        apart = next(chain for chain in chains(trace) if chain.trace[chain.name].shape[0] == len(known))
        return apart.drawn(draw(apart.trace, apart.moment(moment, None), None, look))
    heat = float(look.knob("temperature", "1"))
    chances = warmed(known, heat)
    place = steps.span(shown, look)
    blank = blank_of(trace)
    told = _sentence(trace, shown, chances, moment, blank, heat)
    kind = tr("frames × classes") if blank is not None else tr("the next symbol") if foretells(trace) else \
        tr("the answer so far")
    words = tr("temperature {heat}").format(heat=_heat_said(heat)) if heat != 1 else \
        tr("probabilities as the model gives them")
    marks = [*parts.sentence(look, told), *parts.title(look, kind, words, False)]
    if blank is None:
        marks += grouped(Group(tr("answers"), Focus(layer.name, (steps.current(trace, shown, moment),))), _bars(
            trace, shown, chances, moment, _regions(trace, chances.shape[1], look)[0], look))
        marks += grouped(Group(tr("entropy")), _sureness(trace, shown, chances, moment, place, look))
    else:
        marks += grouped(Group(tr("frames"), Focus(layer.name)),
                         _frames(trace, shown, chances, moment, place, blank, look))
    still, moving = steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(trace, shown, chances, look.knob("seed", "0")))


def _answered(trace: Trace, layer: Layer, count: int) -> Reading:
    """The layer that is looked at, or the last one whose steps are those of the answers: an encoder has others."""
    wanted = reading(trace, layer.name)
    others = [other for each in layers(trace) if count in ((other := reading(trace, each.name)).steps, other.total)]
    return wanted if count in (wanted.steps, wanted.total) or not others else others[-1]


def warmed(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities at another temperature: p^(1/T), made to add up to 1 again."""
    if temperature == 1:
        return probabilities
    logs = np.log(np.maximum(probabilities, 1e-300)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def drawn(row: NDArray[np.float64], seed: str, step: int) -> tuple[int, float]:
    """(class, number): an answer drawn by its probability, always the same one for a seed and a step.

    The number, 0 … 1, comes from the SHA-256 of seed and step; the class is the one in whose part of the summed
    probabilities it falls (inverse transform sampling).
    """
    number = int.from_bytes(hashlib.sha256(f"{seed}:{step}".encode()).digest()[:6], "big") / 2 ** 48
    sums = np.cumsum(row)
    return min(int(np.searchsorted(sums, number * sums[-1], side="right")), len(row) - 1), number


def _bars(trace: Trace, shown: Reading, chances: NDArray[np.float64], moment: Moment, box: Box,
          look: Look) -> list[Mark]:
    """The likeliest answers after the current step: which one is greedy, which one is drawn, which one really came."""
    now = steps.current(trace, shown, moment)
    row = chances[now]
    done = steps.read(trace, shown, moment).of(now)
    x, y = box.left, box.top
    most = max(1, int((box.height - 14) / 26))
    sampled, number = drawn(row, look.knob("seed", "0"), now)
    came = _came(trace, shown, now)
    of, heat = _answering(trace).name, look.knob("temperature", "1")
    order = _shown(row, min(MOST_BARS, most, len(row)), [index for index in (sampled, came) if index is not None])
    pitch = min(38, (box.height - 14) / len(order))
    names = 100
    track = box.width - (70 + look.mode.words)
    ranks = np.argsort(np.argsort(-row, kind="stable"), kind="stable")
    heading = tr("after step {step}, “{word}”").format(step=step_said(shown, now), word=word_said(shown, now)) \
        if shown.worded else tr("after step {step}").format(step=step_said(shown, now))
    marks: list[Mark] = [Text(x, y, plain(heading), 13, 600)]
    bits = tr("entropy {bits} bits").format(bits=_bits(trace, row, now, heat))
    if look.mode.notes and width(heading, 13, 600) + width(bits, 12) + 12 <= track:
        marks.append(Text(x + track, y, plain(bits), 12, 400, "ink-2", "end"))
    for index, answer in enumerate(order):
        top = y + 12 + index * pitch
        base, high = top + pitch / 2 + 5, min(20, pitch - 8)
        right = answer == came
        marks.append(Text(x - 12, base, plain(_label_said(trace, answer, now)), 15, 600 if ranks[answer] == 0 else 400,
                          "ink", "end", names, mono=True))
        marks.append(Rect(x, top + (pitch - high) / 2, track, high, "sunk", radius=3))
        if row[answer] * track * done >= 0.5:
            marks.append(Rect(x, top + (pitch - high) / 2, track * float(row[answer]) * done, high,
                              "accent-fill" if ranks[answer] == 0 else "ink-2", radius=3))
        marks.append(Text(x + track + 62, base, plain(said(numbers.percent(float(row[answer]), 1), "chance", of,
                                                                  (answer,), now, heat)), 13,
                          600 if ranks[answer] == 0 else 400, "ink", "end"))
        words = [word for word, holds in ((tr("greedy"), ranks[answer] == 0), (tr("sampled"), answer == sampled),
                                          (tr("came next") if foretells(trace) else tr("target"), right)) if holds]
        if words and ranks[answer] != index:
            words.append(tr("rank {n}").format(n=said(str(int(ranks[answer]) + 1), "rank of an answer", of, (answer,),
                                                      now)))
        if words:
            marks.append(Text(x + track + 74, base, plain(", ".join(words)), 12, 600 if right else 400,
                              "accent-ink" if right else "ink-2", max_width=look.size[0] - x - track - 78))
    if look.mode.notes:
        part = tr("sampled at {share} of the sum, seed {seed}").format(
            share=said(numbers.number(number, 3), "where a seed falls", step=now, array=look.knob("seed", "0")),
            seed=said(look.knob("seed", "0"), "seed", array=look.knob("seed", "0")))
        marks.append(Text(look.size[0] - 24, y, plain(part), 11, 400, "ink-2", "end"))
    return marks


def _answering(trace: Trace) -> Layer:
    found = answering(trace)
    assert found is not None
    return found


def _label_said(trace: Trace, index: int, step: int) -> str:
    return said(label(trace, index), "label", _answering(trace).name, (index,), step)


def _bits(trace: Trace, row: NDArray[np.float64], step: int, heat: str) -> str:
    return said(numbers.number(entropy(row)), "bits of surprise", _answering(trace).name, (), step, heat)


def _shown(row: NDArray[np.float64], count: int, wanted: list[int]) -> list[int]:
    """The likeliest answers in their order; those that are wanted take the last places where they are not among
    them."""
    order = np.argsort(-row, kind="stable").tolist()
    first = order[:count]
    missing = sorted({index for index in wanted if index not in first}, key=order.index)
    kept = [index for index in first if index in wanted or index == order[0]]
    free = [index for index in first if index not in kept][:max(0, count - len(kept) - len(missing))]
    return sorted({*kept, *free}, key=order.index) + missing


def _came(trace: Trace, shown: Reading, step: int) -> int | None:
    """The answer that would be right after a step: the symbol that came next, or the target; None if nobody knows."""
    if foretells(trace):
        word = shown.words[step + 1] if step + 1 < shown.steps else None
        return next((index for index in range(len(trace.labels)) if label(trace, index) == word), None)
    return kinds.label_of(trace)


def _regions(trace: Trace, classes: int, look: Look) -> tuple[Box, Box | None]:
    """The bars with their heading, and the chart of entropies; None where there is no room for it."""
    body = parts.body(look, begins(look, TOP + 16, 22), steps.LEFT, 0)
    space = body.height - (34 if foretells(trace) else 14)
    high = min(space * 0.45, max(min(120, space * 0.27), space - min(MOST_BARS, classes) * 38 - 54))
    if high < 56 or not look.mode.charts:
        return body.inset(0, 0, 0, 14), None
    bars, chart = rows(body, (None, high + body.height - space), 30)
    return bars, rows(chart, (high, None))[0]


def _sureness(trace: Trace, shown: Reading, chances: NDArray[np.float64], moment: Moment, place: steps.Span,
              look: Look) -> list[Mark]:
    """How sure it was at every step: the entropy as bars, accented where its likeliest answer came true, and that
    answer under each."""
    now = steps.current(trace, shown, moment)
    most = float(np.log2(chances.shape[1]))
    box = _regions(trace, chances.shape[1], look)[1]
    if box is None:
        return []
    top, bottom, high = box.top, box.bottom, box.height
    end = place.x + place.count * place.pitch
    marks: list[Mark] = [Text(steps.LEFT - 16, top + 14, plain(tr("entropy")), 13, 600, "ink", "end"),
                         Text(steps.LEFT - 16, top + 30,
                              plain(tr("{least} to {most} bits").format(least=said("0", "zero"), most=said(
                                  numbers.number(most), "bits of surprise at most", _answering(trace).name))), 11, 400,
                              "ink-2", "end"),
                         Line(((place.x, bottom), (end, bottom)), "rule"), Line(((place.x, top), (end, top)), "hair")]
    wide = max(1.0, place.pitch - (6 if place.pitch > 12 else 0))
    reach = steps.read(trace, shown, moment)
    named = foretells(trace) and place.pitch >= 11
    if named:
        marks.append(Text(steps.LEFT - 16, bottom + 18, plain(tr("likeliest next")), 13, 600, "ink", "end"))
    for step, row in enumerate(chances):
        done, value = reach.of(step), entropy(row)
        x = place.middle(step) - wide / 2
        if done == 0:
            marks.append(Rect(x, top, wide, high, "hatch"))
            continue
        best = int(np.argmax(row))
        right = foretells(trace) and best == _came(trace, shown, step)
        tall = max(1.0, high * value / most * done)
        marks.append(Rect(x, bottom - tall, wide, tall, "accent" if right else "ink-2", radius=1))
        if named:
            marks.append(Text(place.middle(step), bottom + 18, plain(_label_said(trace, best, step)), 13,
                              600 if right else 400, "accent-ink" if right else "ink-2", "middle", mono=True,
                              opacity=done))
    if reach.of(now):  # over the bars beside it, too
        value = entropy(chances[now])
        words = _bits(trace, chances[now], now, look.knob("temperature", "1"))
        half = width(words, 12, 600) / 2
        beneath = max(entropy(row) * reach.of(step) for step, row in enumerate(chances)
                      if abs(place.middle(step) - place.middle(now)) < half + place.pitch / 2)
        y = max(top + 14, bottom - high * beneath / most - 5)
        marks += [Rect(place.middle(now) - half - 3, y - 12, 2 * half + 6, 16, "stage", radius=3, opacity=0.9),
                  Text(place.middle(now), y, plain(words), 12, 600, "ink", "middle")]
    if foretells(trace):
        marks.append(Text(place.x, top - 10, plain(_came_true(trace, shown, chances, reach)), 12, 400, "ink-2",
                          max_width=end - place.x))
    return marks


def _came_true(trace: Trace, shown: Reading, chances: NDArray[np.float64], reach: steps.Reach) -> str:
    """What the accent means; after the last step the whole string beside the one that really came."""
    if len(reach.done) < shown.steps or shown.steps < 2:
        return tr("accent: the likeliest answer came true")
    best = [int(np.argmax(row)) for row in chances[:shown.steps - 1]]
    right = sum(index == _came(trace, shown, step) for step, index in enumerate(best))
    spelled = "".join(_label_said(trace, index, step) for step, index in list(enumerate(best))[-LONGEST:])
    real = "".join(word_said(shown, step) for step in range(1, shown.steps)[-LONGEST:])
    cut = "…" if len(best) > LONGEST else ""
    return tr("{right} of {count} came true: said “{cut}{said}”, target “{cut}{real}”").format(
               right=said(str(right), "how many answers came true", _answering(trace).name),
               count=said(str(len(best)), "how many answers could come true", _answering(trace).name), cut=cut,
               said=spelled, real=real)


def _known(trace: Trace, shown: Reading, moment: Moment) -> list[int]:
    """The steps of which an answer is known: all directions have come there."""
    done = [set(steps.read(trace, reading(trace, name), moment).done) for name in directions(trace, shown.layer.name)]
    return sorted(set.intersection(*done))


def _frames(trace: Trace, shown: Reading, chances: NDArray[np.float64], moment: Moment, place: steps.Span, blank: int,
            look: Look) -> list[Mark]:
    """Frames × classes as a map, the greedy path on it, blanks hatched, and the string that it collapses to; above it
    the columns of the picture that each frame stands for."""
    now = steps.current(trace, shown, moment)
    classes = chances.shape[1]
    marks, y = _picture(trace, shown, place, now, look)
    high = whole(min(32, (parts.body(look, y).height - 116) / classes), look.pixel)
    read = _known(trace, shown, moment)
    names = Labels((0, 0, steps.LEFT, look.size[1]))
    for index in sorted(range(classes), key=lambda index: high < 14 and index != blank):
        name = tr("blank") if index == blank else _label_said(trace, index, now)
        marks += names.put(name, [(steps.LEFT - 12, y + (index + 0.5) * high + 4, "end")], 13, 500)
    if read:
        marks.append(Image(place.left(read[0]), y, (place.pitch, high),
                           np.ascontiguousarray(colour.unit(chances[read].T)[None]), "pixel", border="tile-border",
                           focus=Focus(shown.layer.name), indices=(-1,), transposed=True,
                           scale=Scale("pixel", tr("probability"), tr("the answers"), 0.0, 1.0)))
    path = [int(np.argmax(chances[step])) for step in range(shown.steps)]
    marks += [Rect(place.left(step), y, place.pitch, high * classes, "hatch") for step in range(shown.steps)
              if step not in read]
    marks += [Rect(place.left(step) + 1, y + path[step] * high + 1, place.pitch - 2, high - 2,
                   "hatch" if path[step] == blank else "", "accent", 1.5) for step in read]
    marks.append(Rect(place.left(now) - 1, y - 2, place.pitch + 2, high * classes + 4, "", "accent", 2))
    below = y + high * classes + 28
    marks.append(Text(steps.LEFT - 12, below, plain(tr("greedy path")), 13, 600, "ink", "end"))
    marks.append(Text(steps.LEFT - 12, below + 40, plain(tr("collapses to")), 13, 600, "ink", "end"))
    if len(read) < shown.steps:  # what is hatched above says nothing below
        marks += [Rect(place.left(step), top, place.pitch, 20, "hatch") for step in range(shown.steps)
                  if step not in read for top in (below - 15, below + 26)]
    for step in read:
        first_of_run = step - 1 not in read or path[step] != path[step - 1]
        if path[step] != blank and first_of_run:
            letter = plain(_label_said(trace, path[step], step))
            marks.append(Text(place.middle(step), below, letter, 16, 600, "ink", "middle", mono=True))
            marks.append(Line(((place.middle(step), below + 8), (place.middle(step), below + 22)), "rule", 1.5))
            marks.append(Text(place.middle(step), below + 42, letter, 20, 600, "accent-ink", "middle", mono=True))
    if len(read) == shown.steps:
        marks += _whole(trace, collapsed(path, blank), below + 70, look)
    return marks


def _whole(trace: Trace, spelled: tuple[int, ...], y: float, look: Look) -> list[Mark]:
    """The whole string when all frames are read, and the target beside it where one is known."""
    target = written(trace)
    of = _answering(trace).name
    words = "".join(said(label(trace, index), "label", of, (index,)) for index in spelled) or \
        tr("nothing")
    x = steps.LEFT
    marks: list[Mark] = [Text(steps.LEFT - 12, y, plain(tr("all of it")), 13, 600, "ink", "end"),
                         Text(x, y, plain(words), 18, 600, "accent-ink", mono=True)]
    if target:
        right = spelled == target
        x += width(words, 18, 600, True) + 28
        wanted = "".join(said(label(trace, index), "label", of, (index,)) for index in target)
        marks += [Text(x, y, plain(tr("target")), 13, 600),
                  Text(x + 56, y, plain(wanted), 18, 600, "ink", mono=True),
                  Text(x + 72 + width(wanted, 18, 600, True), y, plain(tr("the same") if right else tr("not the same")),
                       12, 400, "ink-2")]
    return marks


def _picture(trace: Trace, shown: Reading, place: steps.Span, now: int, look: Look) -> tuple[list[Mark], float]:
    """What the frames are cut out of, stretched to stand over them, with the window of the current frame; and where
    the map may begin."""
    top = begins(look, TOP, 14)
    source = step_inputs.inputs_of(trace, shown, kinds.receptive_field)
    if source is None or source.kind != "windows":
        return [], top
    rows, columns = source.values.shape
    pixel, wide = max(look.pixel, whole(64 / rows, look.pixel)), place.count * place.pitch / columns
    low, high = (min(max(0, edge), columns - 1) for edge in source.windows[now])
    return [Text(steps.LEFT - 12, top + 20, plain(tr("sees")), 13, 600, "ink", "end"),
            Text(steps.LEFT - 12, top + 36, plain(tr("stretched")), 11, 400, "ink-2", "end"),
            Image(place.x, top, (wide, pixel), step_inputs.shades(source)[None].copy(), "pixel",
                  scale=step_inputs.scale_of(source)),
            Rect(place.x + low * wide - 1, top - 2, (high + 1 - low) * wide + 2, rows * pixel + 4, "", "accent", 2,
                 radius=3)], top + rows * pixel + 12


def _sentence(trace: Trace, shown: Reading, chances: NDArray[np.float64], moment: Moment, blank: int | None,
              heat: float) -> str:
    now = steps.current(trace, shown, moment)
    best, answer = int(np.argmax(chances[now])), answering(trace)
    assert answer is not None
    of, warmth = answer.name, f"{heat:g}"
    share = said(numbers.percent(float(chances[now][best]), 0), "chance", of, (best,), now, warmth)
    likeliest = literal(said(label(trace, best), "likeliest label", of, step=now))
    if blank is not None:
        known = _known(trace, shown, moment)
        if now not in known:
            waits = tr("The reverse {layer} has read frame {{{frame}}} of {count}; what it says is known when the "
                       "other one has come, too.") if shown.reverse else \
                tr("The forward {layer} has read frame {{{frame}}} of {count}; what it says is known when the other "
                   "one has come, too.")
            return waits.format(layer=shown.name, frame=step_said(shown, now), count=steps_said(shown))
        read = [int(np.argmax(chances[step])) for step in known]
        spelled = " ".join(label(trace, index) for index in collapsed(read, blank))
        what = tr("blank") if best == blank else f"“{likeliest}”"
        words = tr("Frame {frame} of {count} says {what} with {{{share}}}; merged and without blanks it reads "
                   "{said}.") if len(known) == shown.steps else \
            tr("Frame {frame} of {count} says {what} with {{{share}}}; merged and without blanks frames {first} to "
               "{last} read {said}.")
        return words.format(
            frame=step_said(shown, now), count=steps_said(shown), what=what, share=share,
            said=literal(said(spelled, "symbols spelled", of, (known[0], known[-1]))) if spelled else tr("nothing yet"),
            first=step_said(shown, known[0]), last=step_said(shown, known[-1]))
    if not steps.read(trace, shown, moment).of(now):
        return tr("The {layer} has read nothing yet: its state is what it starts from.").format(layer=shown.name)
    words = tr("After {word} the likeliest answer is “{answer}” with {{{share}}}: {bits} bits of surprise are left "
               "of {most}.") if heat == 1 else \
        tr("After {word} the likeliest answer is “{answer}” with {{{share}}} at temperature {heat}: {bits} bits of "
           "surprise are left of {most}.")
    return words.format(word=read_at(shown, now), answer=likeliest, heat=_heat_said(heat), share=share,
                        bits=said(numbers.number(entropy(chances[now])), "bits of surprise", of, (), now, warmth),
                        most=said(numbers.number(float(np.log2(chances.shape[1]))), "bits of surprise at most", of))


def _heat_said(heat: float) -> str:
    """The temperature that was chosen."""
    return said(numbers.short(heat), "temperature", array=f"{heat:g}")


def _table(trace: Trace, shown: Reading, chances: NDArray[np.float64], seed: str) -> Table:
    """One row a step, the likeliest three answers and the one that is drawn."""
    rows = []
    for step in range(shown.steps):
        order = np.argsort(-chances[step], kind="stable")[:3]
        best = [value for index in order for value in (label(trace, int(index)), float(chances[step][index]))]
        best += [""] * (6 - len(best))
        sampled = label(trace, drawn(chances[step], seed, step)[0])
        rows.append((step + 1, shown.words[step], entropy(chances[step]), *best, sampled))
    return Table((tr("step"), tr("reads"), tr("entropy in bits"), tr("first"), "p", tr("second"), "p", tr("third"), "p",
                  tr("sampled")),
                 tuple(rows))


def _suits(trace: Trace) -> bool:
    return any(answers.stepwise(trace, layer.shape[0]) is not None for layer in layers(trace))


VIEW = View(
    "step_outputs", english("Step outputs"), english("What the model answers at each step, and how sure it is."),
    suits=_suits, draw=draw, telling=read_to_the_end, order=18,
    knobs=(("temperature", ("1", "0.25", "0.5", "0.75", "1.5", "2")), ("seed", ("0", "1", "2", "3", "4"))),
    group=STEPS, tries=english("Turn the temperature up in the options, and see which answers come within reach."),
)
