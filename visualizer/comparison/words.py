"""What a comparison says: who reads what, who answers what, and what has changed. Every number is one of a recording.

What a number claims to be is said with the number of its network before the layer: `2:softmax`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer import answers, edits, kinds, said
from visualizer.comparison import path
from visualizer.comparison.reader import (
    Now,
    Reader,
    answer_of,
    answered,
    by_pixel,
    guess,
    label,
    named,
    one_input,
    overlap,
    recurrent,
)
from visualizer.language import in_quotes, listed, tr
from visualizer.scene import numbers
from visualizer.scene.picture import literal
from visualizer.scene.reading import Reading, Values
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace

COUNTS = {2: "two", 3: "three", 4: "four"}


def claimed(index: int, text: str, quantity: str, layer: str = "", cell: tuple[int, ...] = (),
            step: int | None = None, array: str = "") -> str:
    """The words, claimed to be a quantity of the recording of one of the networks."""
    return said.said(text, quantity, f"{index + 1}:{layer}", cell, step, array)


def sentence(readers: Sequence[Reader], seen: Sequence[Now]) -> str:
    """Who has answered what, and where the others are; with the markup of `picture.rich`."""
    if seen[0].moment.backward:
        return _backwards(readers, seen)
    parts = [_one(index, reader, now) for index, (reader, now) in enumerate(zip(readers, seen, strict=True))]
    start = _start(readers)
    words = f"{start}: {listed(parts)}."
    truth = _truth(readers)
    return f"{words} {truth}" if truth else words


def _start(readers: Sequence[Reader]) -> str:
    """`One digit, three readers`, or what is done to it."""
    count = len(readers)
    done = _done(readers)
    readers_of = {2: tr("two readers"), 3: tr("three readers"), 4: tr("four readers")}.get(count, str(count))
    if done:
        return tr("{done}, read by {count}").format(done=done[0].upper() + done[1:], count=_counted(count))
    if one_input(readers):
        return tr("One input, {readers}").format(readers=readers_of)
    return readers_of[0].upper() + readers_of[1:]


def _backwards(readers: Sequence[Reader], seen: Sequence[Now]) -> str:
    """Where the gradient has come in each."""
    found = []
    for index, (reader, now) in enumerate(zip(readers, seen, strict=True)):
        name = literal(reader.name)
        if not reader.trace.has_backward:
            found.append(tr("nothing in {name}").format(name=name))
            continue
        where = _read(index, recurrent(reader.trace), now.step - 1) if now.step else \
            f"`{literal(now.layer)}`"
        found.append(tr("{where} in {name}").format(where=where, name=name))
    return tr("On the way back the gradient has reached {places}.").format(places=listed(found))


def _counted(count: int) -> str:
    return {2: tr("two networks"), 3: tr("three networks"), 4: tr("four networks")}.get(count, str(count))


def _done(readers: Sequence[Reader]) -> str:
    """What is done to the input of all of them, in a few words."""
    done = {edits.said(reader.edits, edits.INPUT) for reader in readers}
    return done.pop() if len(done) == 1 else ""


def _one(index: int, reader: Reader, now: Now) -> str:
    """`the CNN says {4} with 77 %`; where it has not answered, where it is."""
    name = literal(reader.name)
    if not now.finished:
        where = _read(index, recurrent(reader.trace), now.step - 1) if now.step else \
            f"`{literal(now.layer)}`"
        return tr("{name} is at {where}").format(name=name, where=where)
    given = told(index, reader.trace)
    if given and overlap(reader.trace) is not None:
        return tr("{name} reaches {overlap}").format(name=name, overlap=given)
    return tr("{name} says {answer}").format(name=name, answer=given) if given else \
        tr("{name} has answered").format(name=name)


def told(index: int, trace: Trace, accent: bool = True) -> str:
    """`{4} with 77 %`: what was answered, and how sure; empty where that cannot be said so shortly."""
    found, answer = answered(trace), answer_of(trace)
    if found is None or answer is None:
        pixels, shared = by_pixel(trace), overlap(trace)
        if pixels is not None and shared is not None:
            words = tr("an overlap of {{{overlap}}}") if accent else tr("an overlap of {overlap}")
            return words.format(overlap=claimed(index, numbers.number(shared, 2), "mean IoU", pixels.layer))
        short = answers.short(trace)
        return f"{{{literal(short)}}}" if short and accent else literal(short)
    values, head = found
    first = int(np.argmax(values))
    name = literal(claimed(index, label(trace, first), "label", answer.layer, (first,)))
    share = claimed(index, numbers.percent(float(values[first]), 0), "value", answer.layer, (*head, first))
    return tr("{answer} with {share}").format(answer=f"{{{name}}}" if accent else name, share=share)


def _truth(readers: Sequence[Reader]) -> str:
    labels = {reader.trace.sample.label for reader in readers}
    first = readers[0].trace
    if len(labels) != 1 or first.sample.label is None or answer_of(first) is None:
        return ""
    answer = answer_of(first)
    assert answer is not None
    return tr("The label is {label}.").format(label=claimed(
        0, answers.label(answer, first.sample.label), "label of the input", answer.layer))


def _read(index: int, shown: Reading | None, step: int) -> str:
    """What a step read, claimed: `row 12`, `step 4`."""
    if shown is None:
        return ""
    word = shown.words[min(step, shown.steps - 1)]
    return _step(word, literal(claimed(index, word, "word read", shown.layer.name, step=step)))


def step_words(trace: Trace, now: Now) -> str:
    """What the last step read, as a person says it: `row 12`, `“film”`, `step 4`."""
    shown = recurrent(trace)
    if shown is None or not now.step:
        return ""
    word = shown.words[min(now.step, shown.steps) - 1]
    return _step(word, word)


# --- under a column --------------------------------------------------------------------------------------------------

def verdict(index: int, reader: Reader, now: Now) -> tuple[bool | None, str]:
    """Whether what is answered is right, None where that is not known, and a few words about it."""
    trace = reader.trace
    found = answered(trace)
    if not now.finished:
        return None, _so_far(index, reader, now)
    if found is None:
        short = answers.short(trace)
        return wholly(trace), tr("says {answer}").format(answer=short) if short else ""
    answer = answer_of(trace)
    assert answer is not None
    values, head = found
    first = int(np.argmax(values))
    truth = trace.sample.label
    right = None if truth is None or head else first == truth
    share = claimed(index, numbers.percent(float(values[first]), 0), "value", answer.layer, (*head, first))
    name = claimed(index, label(trace, first), "label", answer.layer, (first,))
    if reader.before is None or (was := answered(reader.before)) is None:
        return right, tr("says {answer}, {share}").format(answer=name, share=share)
    old = int(np.argmax(was[0]))
    before = claimed(index, numbers.percent(float(was[0][old]), 0), "value before", answer.layer, (*was[1], old))
    if old == first:
        return right, tr("still {answer}, was {before}").format(answer=name, before=before)
    return right, tr("says {answer}, said {old} ({before})").format(
        answer=name, old=claimed(index, label(trace, old), "label", answer.layer, (old,)), before=before)


def wholly(trace: Trace) -> bool | None:
    """Whether a row of symbols that was said is right as a whole; None where it is none, or nobody knows."""
    for answer in trace.answers:
        made = answers.of(answer)
        if made is not None and made.ends and answer.truth is not None:
            right, of = made.judge(trace[answer.layer].output, answer.truth, answer.settings) if made.judge else (0, 0)
            return right == of if of else None
    return None


def _so_far(index: int, reader: Reader, now: Now) -> str:
    values, answer = guess(reader.trace, now), answer_of(reader.trace)
    if values is None or answer is None:
        return tr("no answer yet, {done} of {all} done").format(
            done=claimed(index, str(int(now.done)), "beats done"), all=claimed(index, str(now.of), "beats of the way"))
    first = int(np.argmax(values))
    return tr("stopped here it would say {answer} ({share})").format(
        answer=claimed(index, label(reader.trace, first), "label", answer.layer, (first,)),
        share=claimed(index, numbers.percent(float(values[first]), 0), "share so far", answer.layer, (first,),
                      now.step - 1))


def what(index: int, trace: Trace, now: Now) -> str:
    """What is shown, with its size: `pool2`: 16 maps, 5 × 5."""
    layer = trace[now.layer]
    name = f"`{literal(layer.name)}`"

    def length(axis: int) -> str:
        return claimed(index, numbers.count(layer.shape[axis]), "length of axis", layer.name, (axis,))

    if layer.inner and layer.output.ndim == 2 and now.moment.backward:
        return tr("∥∂L/∂h∥ · gradient of the state")
    if layer.inner and layer.output.ndim == 2:
        return tr("recalls · state, {units} units").format(units=length(1))
    if layer.has("row", "column") and layer.output.ndim == 3:
        return tr("{name}: {count} maps, {size}").format(name=name, count=length(0),
                                                                size=f"{length(1)} × {length(2)}")
    if layer.output.ndim == 1:
        return tr("{name}: {count} units").format(name=name, count=length(0))
    return f"{name}: {' × '.join(map(length, range(layer.output.ndim)))}"


def reads_how(trace: Trace) -> str:
    """How a network reads, in a few words."""
    shown = recurrent(trace)
    slides = any("conv" in layer.kind for layer in trace.layers)
    if shown is not None and slides:
        return tr("windows, then step by step")
    if shown is not None:
        read = "row" if any(word.startswith("row ") for word in shown.words) else ""
        return tr("one row a step") if read else tr("one step after the other")
    if slides:
        return tr("all windows at once")
    return tr("all numbers at once, no idea of rows") if trace.layers[0].has("row", "column") else tr("all at once")


def note(index: int, reader: Reader, now: Now, changed: float | None, kept: Values | None) -> str:
    """What is said of what is shown: how much of it has changed; else what of it could be done at once, or recalls."""
    layer = reader.trace[now.layer]
    if changed is not None:
        return tr("changed by **{share}** of its size").format(
            share=claimed(index, numbers.percent(changed, 0), "change", layer.name, (now.step,)))
    if kept is not None and now.step > 1 and kept[now.step - 1] > 0:
        share = kept[0] / kept[now.step - 1]
        shown = recurrent(reader.trace)
        first, last = (_read(index, shown, step) for step in (0, now.step - 1))
        return tr("{first} moves it **{share}** as much as {last}").format(
            first=first, last=last,
            share=claimed(index, numbers.percent(share, 0), "recalled share", layer.name, (0, now.step - 1)))
    if layer.output.ndim == 3 and layer.has("row", "column"):
        places = layer.shape[1] * layer.shape[2]
        kernels = tr(", with the same kernels") if "weight" in layer.weights else ""
        return tr("all {count} places of a map at the same moment{kernels}").format(
            count=claimed(index, numbers.count(places), "places of a map", layer.name), kernels=kernels)
    if layer.output.ndim == 1 and kinds.role(layer) == "weighted":
        return tr("all {count} units at the same moment").format(
            count=claimed(index, numbers.count(layer.output.size), "how many", layer.name))
    return ""


def _step(word: str, said: str) -> str:
    """`step 4`, `row 12`, `“film”`: what a step reads."""
    if word.isdecimal():
        return tr("step {step}").format(step=said)
    return said if word.rpartition(" ")[2].isdecimal() else in_quotes(said)


def in_step(readers: Sequence[Reader], moments: Sequence[Moment]) -> str:
    """`LeNet-5 55 %, Rows LSTM 55 %, MLP 40 %`: how many of its beats each has done."""
    done = []
    for reader, moment in zip(named(readers), moments, strict=True):
        known = path.way(reader.trace, moment.beat.direction)
        share = int(known.done(moment) + path.EXACT) / len(known) if len(known) else 1.0
        done.append(f"{reader.name} {numbers.percent(share, 0)}")
    return ", ".join(done)


def stops(trace: Trace, direction: str) -> tuple[tuple[str, bool], ...]:
    """What each beat of a way is called, and whether it is the name of a layer."""
    shown = recurrent(trace)
    found = []
    for beat in path.way(trace, direction).beats:
        if beat.step is not None and shown is not None and beat.step <= len(shown.words):
            word = shown.words[beat.step - 1]
            found.append((_step(word, word) if word.isdecimal() else word, False))
        else:
            found.append((beat.layer.rpartition(".")[2] if not beat.layer.rpartition(".")[2].isdecimal() else
                          beat.layer, True))
    return tuple(found)
