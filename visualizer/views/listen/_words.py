"""What the picture of a sound says in one sentence, and its table."""

from __future__ import annotations

import math

import numpy as np

from visualizer import answers, kinds
from visualizer.answers.string import collapsed, written
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.picture import Table, literal
from visualizer.scene.reading import label
from visualizer.scene.sound import way
from visualizer.scene.timeline import in_beat
from visualizer.size import norm
from visualizer.views.listen._rows import chance_said
from visualizer.views.listen._scene import Scene, of_frames, second, unit

QUIET = 1e-3
"""What is nowhere louder is called silence: 60 dB below the loudest that a file can hold."""


def sentence(sc: Scene) -> str:
    """The one sentence of a moment."""
    if sc.moment.backward:
        return _back(sc)
    if sc.step >= 0 and sc.shown is not None and sc.answers is not None:
        return _spelling(sc) if sc.answers.blank is not None else _answer(sc)
    if sc.step >= 0 and sc.shown is not None and in_beat(sc.shown.layer, sc.moment):
        return _moves(sc)
    return _sound(sc) if sc.moment.beat.layer == sc.sound.layer else _layer(sc)


def _sound(sc: Scene) -> str:
    of, wave = sc.sound.layer, sc.sound.wave
    loudest = float(np.nanmax(np.abs(wave), initial=0.0))
    count = said(numbers.count(len(wave)), "how many", of)
    if loudest == 0:
        return tr("This is silence: each of its {count} numbers is 0, there is no sound above it.").format(count=count)
    if loudest < QUIET:
        return tr("There is hardly a sound: no number is larger than {{{largest}}}.").format(
            largest=said(numbers.significant(loudest, 2), "largest size", of))
    if not sc.sound.rate:
        return tr("The sound is {{{count}}} numbers; nobody says how many of them make a second.").format(count=count)
    rate = said(numbers.count(sc.sound.rate), "samples a second")
    lasts = said(numbers.number(len(wave) / sc.sound.rate, 2), "seconds of the sound", of)
    heard = len(sc.sound.heard)
    if heard == len(wave):
        return tr("The sound lasts {{{lasts}}} s: {count} numbers, {rate} of them a second.").format(
            lasts=lasts, count=count, rate=rate)
    return tr("The sound lasts {{{heard}}} s; with silence around it the network is given {lasts} s, {count} numbers."
              ).format(heard=said(numbers.number(heard / sc.sound.rate, 2), "seconds between zeros", of), lasts=lasts,
                       count=count)


def _layer(sc: Scene) -> str:
    """What the layer of the beat does, or answers; of the spectrogram what is seen in it."""
    name = sc.moment.beat.layer
    made = way(sc.trace)
    if made and name == made[-1].name and sc.sound.rate:
        clock = sc.sound.clocks[name]
        return tr("Frequencies over time: {{{bands}}} bands, low notes below, one column every {every} ms; strong "
                  "ones stand out.").format(bands=said(str(len(sc.seen.values)), "how many bands", name),
                                    every=said(numbers.number(1000 * clock.hop / sc.sound.rate, 1),
                                               "milliseconds from frame to frame", name))
    held = answers.at(sc.trace, name)
    return answers.sentence(sc.trace, held) if held is not None else kinds.sentence(sc.trace, name)


def _moves(sc: Scene) -> str:
    shown = sc.shown
    assert shown is not None
    of, step = shown.layer.name, sc.step
    before = step + 1 if shown.reverse else step - 1
    past = shown.states[before] if 0 <= before < shown.steps else shown.start
    return tr("At {second}{unit} the state moves by {{{change}}}.").format(
        second=second(sc, of, step), unit=unit(sc),
        change=said(numbers.significant(norm(shown.states[step] - past), 3), "how far the state moves", of, step=step))


def _named(sc: Scene, index: int, step: int) -> str:
    assert sc.answers is not None
    assert sc.shown is not None
    if sc.answers.layer:
        return literal(said(label(sc.trace, index), "likeliest label", sc.answers.layer, step=step))
    return literal(said(label(sc.trace, index), "likeliest label if stopped", sc.shown.layer.name, step=step))


def _answer(sc: Scene) -> str:
    """What it sounds like up to now, since when, and what it was before."""
    found, shown = sc.answers, sc.shown
    assert found is not None
    assert shown is not None
    known, of = sc.known, shown.layer.name
    if not known:
        return tr("The {layer} begins to listen: its state is what it starts from.").format(layer=shown.name)
    now = max(known) if sc.step not in known else sc.step
    best = [int(np.argmax(row)) for row in found.values[:now + 1]]
    since = next((step + 1 for step in range(now - 1, -1, -1) if best[step] != best[now]), 0)
    words = {"second": second(sc, of, now), "unit": unit(sc), "answer": _named(sc, best[now], now),
             "share": chance_said(sc, found, best[now], now)}
    if now == found.clock.count - 1:
        if since == 0:
            return tr("Having heard all of it, it answers {{{answer}}} with {share}, as from the start on.").format(
                **words)
        return tr("Having heard all of it, it answers {{{answer}}} with {share}; so it has said since {since}{unit}."
                  ).format(since=second(sc, of, since), **words)
    if since == 0:
        return tr("Up to {second}{unit} it sounds like {{{answer}}}, {share}.").format(**words)
    if since == now:
        return tr("At {second}{unit} the answer turns from {before} to {{{answer}}}, {share}.").format(
            before=_named(sc, best[now - 1], now - 1), **words)
    turned = tr("Up to {second}{unit} it sounds like {{{answer}}}, {share}; before {since}{unit} it was {before}.")
    return turned.format(
        since=second(sc, of, since), before=_named(sc, best[since - 1], since - 1), **words)


def _spelling(sc: Scene) -> str:
    """What a frame says, and what all known frames spell."""
    found, shown, known = sc.answers, sc.shown, sc.known
    assert found is not None
    assert shown is not None
    if sc.step not in known:
        words = tr("The {layer} has heard back to {second}{unit}; what is said there is known when the other one has "
                   "come, too.") if shown.reverse else \
            tr("The {layer} has heard up to {second}{unit}; what is said there is known when the one that hears "
               "backwards has come, too.")
        return words.format(layer=shown.name, second=second(sc, shown.layer.name, sc.step), unit=unit(sc))
    best = int(np.argmax(found.values[sc.step]))
    what = tr("blank") if best == found.blank else _named(sc, best, sc.step)
    spelled = " ".join(label(sc.trace, index) for index in collapsed(
        [int(np.argmax(found.values[step])) for step in known], found.blank or 0))
    heard = literal(said(spelled, "symbols spelled", found.layer, (known[0], known[-1]))) if spelled else \
        tr("nothing yet")
    here = {"second": second(sc, found.layer, sc.step), "unit": unit(sc), "what": what,
            "share": chance_said(sc, found, best, sc.step), "heard": heard}
    wanted = written(sc.trace)
    if len(known) < found.clock.count:
        return tr("At {second}{unit} the frame says {what}, {share}; from there on it spells {{{heard}}}.").format(
            **here)
    if not wanted:
        return tr("At {second}{unit} the frame says {what}, {share}; merged and without blanks all of it spells "
                  "{{{heard}}}.").format(**here)
    right = literal(said(" ".join(label(sc.trace, index) for index in wanted), "what is written", found.layer))
    return (tr("All of it spells {{{heard}}}: right.") if spelled == " ".join(
        label(sc.trace, index) for index in wanted) else tr("All of it spells {{{heard}}}; said was {right}.")).format(
        right=right, **here)


def _back(sc: Scene) -> str:
    """Where in the sound the gradient is."""
    back = of_frames(sc.trace)
    if back is None or not float(back[2].max()) > 0:
        return tr("On the way back: nothing of the sound can change what is asked about.")
    name, clock, sizes = back
    if sc.came(name) < 1:
        return tr("On the way back: how much what is asked about would change, layer by layer, until it comes to the "
                  "sound.")
    peak = int(np.argmax(sizes))
    words = numbers.number(sc.sound.seconds(clock.middle(peak)), 2) if sc.sound.rate else \
        numbers.count(round(clock.middle(peak)) + 1)
    return tr("What is asked about hangs most on the sound at {{{second}}}{unit}.").format(
        second=said(words, "second of the largest gradient", name), unit=unit(sc))


# --- table -----------------------------------------------------------------------------------------------------------

def table(sc: Scene) -> Table:
    """One row a step, or a frame of the spectrogram where nothing goes step by step."""
    if sc.answers is None:
        return _frames(sc)
    return _steps(sc)


def _steps(sc: Scene) -> Table:
    found = sc.answers
    assert found is not None
    rows = []
    for step, row in enumerate(found.values):
        order = np.argsort(-row, kind="stable")[:3]
        best = [value for index in order for value in (label(sc.trace, int(index)), float(row[index]))]
        rows.append((step + 1, sc.sound.seconds(found.clock.middle(step)), *best, *[""] * (6 - len(best))))
    when = tr("second") if sc.sound.rate else tr("sample")
    return Table((tr("step"), when, tr("first"), "p", tr("second likeliest"), "p", tr("third"), "p"), tuple(rows))


def _frames(sc: Scene) -> Table:
    back = of_frames(sc.trace)
    count = sc.seen.clock.count
    sizes = back[2] if back is not None and len(back[2]) == count else np.full(count, math.nan)
    loudest = np.argmax(sc.seen.values, axis=0)
    rows = [(frame + 1, sc.sound.seconds(sc.seen.clock.middle(frame)), int(loudest[frame]),
             float(sc.seen.hertz[loudest[frame]]) if sc.seen.hertz is not None else math.nan, float(sizes[frame]))
            for frame in range(count)]
    when = tr("second") if sc.sound.rate else tr("sample")
    return Table((tr("frame"), when, tr("strongest band"), tr("its Hz"), tr("gradient")), tuple(rows))

