"""The words of every view go through the translator: drawn in a language in which every word stands in brackets, no
picture shows a bare one, in its marks, its caption, the heads of its table, its parts and its tips.

Names are no words: those of layers, parameters, models, samples and classes, what an input reads, and functions; nor
are heads such as `kept_rnn`, which programs read, and why a layer has no gradient, as its recording says it. What the
parts of a picture and its colours are called may stand in English where it is `english("…")`: whoever shows it
translates it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache, lru_cache

import pytest

from tests.sources import nodes
from tests.test_language import PSEUDO, Bracketed
from tests.test_layout import foci, moments
from tests.unspoken import PACKAGE
from visualizer import inputs, language, record
from visualizer.lab import Lab
from visualizer.language import speaking
from visualizer.record.lab import record_lab
from visualizer.scene.picture import Look, Picture, Scale, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import all_views, beside, find
from visualizer.views import picture as picture_of

LAB = "lab"
MODELS = ("digits_cnn", "deep_residual", "rows_lstm", "char_gru", "crnn_strip", "adding_rnn", LAB, "depth", "cliff")
FUNCTIONS = {"tanh", "exp", "log", "max", "min", "ReLU", "LSTM", "GRU", "RNN", "softmax", "sigmoid", "CTC", "PyTorch"}
WORD = re.compile(r"(?<![A-Za-z∂])[A-Za-z]{3,}")


@lru_cache(maxsize=2)
def recording(model: str) -> Trace:
    """A model reading its first sample, with everything that any view wants measured; two settings of a laboratory."""
    if model == LAB:
        return record_lab(Lab(), Lab(gain=1.2))
    if model in ("depth", "cliff"):
        return record_lab(Lab(experiment=model))
    again = record.pass_of(model, "")
    studies = {study for view in all_views() if view.suits(again.trace) for study in view.studies}
    return record.with_study(again, *sorted(studies)) if studies else again.trace


@pytest.fixture(autouse=True)
def pseudo(monkeypatch):
    real = language.table
    monkeypatch.setattr(language, "table", lambda code: Bracketed() if code == PSEUDO else real(code))


@pytest.mark.matrix(spine=("digits_cnn-network", "char_gru-unrolled", "char_gru-walk", "digits_cnn-walk"), sample=16)
@pytest.mark.parametrize("view", [view.name for view in all_views()])
@pytest.mark.parametrize("model", MODELS)
def test_no_picture_shows_a_word_that_nobody_can_translate(model: str, view: str) -> None:
    trace = recording(model)
    if not find(view).suits(trace):
        pytest.skip(f"{view} has nothing to show of {model}")
    known = names(trace)
    bare = {(word, said) for picture in pictures(view, trace) for said in spoken_by(picture)
            for word in WORD.findall(outside(said)) if word not in known}
    assert not bare, sorted(bare)[:12]


def pictures(name: str, trace: Trace) -> Iterator[Picture]:
    """At some moments of both directions, with nothing and with something in focus, at each word of its knobs."""
    view, times = find(name), timeline(trace)
    wide = Look((1104, 796), language=PSEUDO)
    turned = [Look((1104, 796), knobs=((knob, word),), language=PSEUDO)
              for knob, words in view.knobs for word in words[1:3]]
    for number, moment in enumerate(moments(times)):
        for focus in foci(trace, moment):
            yield picture_of(view, trace, moment, focus, wide)
            if view.aside is not None:
                yield beside(view, trace, moment, focus, wide)
            if view.page is not None and (page := view.page(trace, moment, focus, wide)) is not None:
                yield page
        for look in turned if number in (1, 3) else ():
            yield picture_of(view, trace, moment, None, look)


def spoken_by(picture: Picture) -> Iterator[str]:
    """All that a person may read of it. Lines that were broken out of one text are put together again."""
    yield picture.caption
    if not any("_" in head for head in picture.table.columns):
        yield from picture.table.columns
    yield from (cell for row in picture.table.rows for cell in row if isinstance(cell, str) and " " in cell)
    line, last = "", None
    for mark in picture:
        if mark.group is not None and re.sub(r" \d+$", "", mark.group.name) not in later():
            yield mark.group.name
        if getattr(mark, "tip", ""):
            yield mark.tip
        if isinstance(getattr(mark, "scale", None), Scale):
            yield from (words for words in (mark.scale.quantity, mark.scale.scope) if words not in later())
        if isinstance(mark, Text):
            if last is not None and is_open(line) and (mark.size, mark.weight) == (last.size, last.weight):
                line += " " + mark.plain
            else:
                yield line
                line = mark.plain
            last = mark
    yield line


@cache
def later() -> set[str]:
    """Everything that stands somewhere as `english("…")` or `tr("…")`."""
    calls = [node for path in PACKAGE.rglob("*.py") for node in nodes(path)
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("english", "tr")]
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}


def is_open(text: str) -> bool:
    return text.count("⟦") > text.count("⟧")


def outside(text: str) -> str:
    """What of a text stands in no bracket; one that was cut off is open to its end."""
    found, depth = "", 0
    for letter in text:
        found += letter if depth == 0 and letter not in "⟦⟧" else " "
        depth = max(0, depth + (letter == "⟦") - (letter == "⟧"))
    return found


def names(trace: Trace) -> set[str]:
    """The words of all names there are."""
    said = [trace.title, trace.model, trace.sample.title, trace.sample.name, *trace.labels, *trace.sample.steps]
    for layer in trace.layers:
        said += [layer.name, layer.why, *layer.inner, *layer.weights]
    for kind in {each.kind for each in trace.fed if each.kind}:  # other inputs stand beside each other
        said += [word for sample in inputs.all_samples(kind) for word in (sample.name, sample.title)]
    return {word for name in said for word in WORD.findall(str(name))} | FUNCTIONS


def test_a_bare_word_is_found() -> None:
    with speaking(PSEUDO):
        said = language.tr("{n} steps of {layer}").format(n=3, layer="lstm")
    assert outside(said).strip() == ""
    assert outside(f"{said} back ⟦and ⟦more⟧ of it⟧ again").split() == ["back", "again"]
    assert outside("⟦cut of").strip() == ""


@pytest.mark.parametrize("model", ["digits_cnn", "rows_lstm"])
def test_a_picture_speaks_the_language_of_its_look_whatever_the_window_speaks(model: str) -> None:
    """Drawn in English, in another language and in English again, at the same moment: no cache mixes them up."""
    trace = recording(model)
    times = timeline(trace)
    for view in all_views():
        if not view.suits(trace):
            continue
        moment = times.settled((3 * len(times.beats)) // 4)
        with speaking(PSEUDO):
            first, other, again = (picture_of(view, trace, moment, None, Look((1104, 796), language=code))
                                   for code in ("", PSEUDO, ""))
        words, translated, same = (f"{one.dump()}{one.caption}{one.table}" for one in (first, other, again))
        assert words == same, view.name
        assert "⟦" not in words, view.name
        assert "⟦" in translated, view.name
