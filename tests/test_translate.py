"""The view of a translation, its beam search and what can be sent back, against torch and against every answer."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests import quantities_of_attention  # noqa: F401  (its quantities are known once they are there)
from tests.test_sentences import page_of, texts_of, true, unclaimed
from visualizer import draw
from visualizer.record import pass_of, with_study
from visualizer.record.studies import Pass
from visualizer.record.studies.beam import WIDTHS, search, suits
from visualizer.record.studies.beam import run as find
from visualizer.said import listening
from visualizer.scene.picture import Choice, Rect, Stop, Text
from visualizer.trace import Trace, forget
from visualizer.views import find as view_of
from visualizer.views.translate._speech import speech

ATTENDED, PLAIN, NUMBER = "numbers_german", "numbers_german_plain", "number-89"


@pytest.fixture(scope="module")
def said_passes() -> dict[str, Pass]:
    return {"free": pass_of(ATTENDED, NUMBER), "told": pass_of(ATTENDED, NUMBER, edits=("told",)),
            "plain": pass_of(PLAIN, "number-549986")}


@pytest.fixture(scope="module")
def traces(said_passes) -> dict[str, Trace]:
    return {name: with_study(made, "beam") for name, made in said_passes.items()}


# --- the search -----------------------------------------------------------------------------------------------------

def chances(beginnings):
    """Log probabilities of 0, 1 and the end 2, which hang on all that was said before."""
    scores = torch.tensor([[np.sin(1 + 3 * sum((place + 2) * symbol for place, symbol in enumerate(one)) + 5 * symbol)
                            for symbol in range(3)] for one in beginnings])
    return (3 * scores).log_softmax(1).double().numpy()


def every_answer(longest):
    """All answers that end, or are as long as can be, and the sum of the log probabilities of each."""
    found = {}
    for length in range(1, longest + 1):
        for symbols in itertools.product(range(3), repeat=length):
            if 2 in symbols[:-1] or (symbols[-1] != 2 and length < longest):
                continue
            found[symbols] = sum(float(chances([symbols[:place]])[0, symbol]) for place, symbol in enumerate(symbols))
    return found


def test_a_beam_that_keeps_all_finds_the_likeliest_answer_of_all() -> None:
    answers = every_answer(4)
    *_, last = search(chances, 2, 3 ** 4, 4)
    kept = {one.symbols: one.score for one in last}
    assert kept.keys() == answers.keys()
    for symbols, score in answers.items():
        assert kept[symbols] == pytest.approx(score, abs=1e-5)
    assert last[0].symbols == max(answers, key=answers.__getitem__)


def test_one_kept_is_greedy_and_every_step_goes_on_from_what_was_kept() -> None:
    *_, last = search(chances, 2, 1, 4)
    greedy: tuple[int, ...] = ()
    while len(greedy) < 4 and 2 not in greedy:
        greedy += (int(chances([greedy])[0].argmax()),)
    assert last[0].symbols == greedy
    before = ()
    for kept in search(chances, 2, 3, 4):
        scores = [one.score for one in kept]
        assert scores == sorted(scores, reverse=True)
        for one in kept:
            assert not before or before[one.before].symbols == one.symbols[:len(before[one.before].symbols)]
        before = kept


def test_the_study_scores_what_it_keeps_as_the_model_does(said_passes, traces) -> None:
    made, measured = said_passes["plain"], traces["plain"].studies["beam"]
    for width in (1, 3):
        for symbols, score in zip(measured[f"{width}/symbols"][-1], measured[f"{width}/scores"][-1], strict=True):
            known = [int(each) for each in symbols if each >= 0]
            with torch.no_grad():
                logits = made.model(made.inputs[0], torch.tensor([[made.model.begin, *known[:-1]]]))[0]
            wanted = logits.double().log_softmax(1)[range(len(known)), known].sum()
            assert float(score) == pytest.approx(float(wanted), abs=1e-4)
    free = made.trace[made.trace.answers[0].layer].output.argmax(1)
    np.testing.assert_array_equal(measured["1/symbols"][-1, 0], free)
    assert measured["3/scores"][-1, 0] >= measured["1/scores"][-1, 0]


def test_what_cannot_be_told_is_not_searched(said_passes) -> None:
    trace = pass_of("phrase_gru").trace
    assert not suits(trace)
    again = replace(said_passes["free"], model=nn.Identity())
    with pytest.raises(StopIteration) as end:
        next(find(again))
    assert end.value.value == {}


# --- the view -------------------------------------------------------------------------------------------------------

def test_it_is_of_what_reads_and_says_symbols() -> None:
    for name in (ATTENDED, PLAIN, "spelling_sounds"):
        assert speech(pass_of(name, objective="none").trace) is not None
    for name in ("phrase_gru", "crnn_strip", "char_gru"):
        assert not view_of("translate").suits(pass_of(name).trace)


@pytest.mark.parametrize("name", ["free", "told", "plain"])
def test_every_number_in_it_is_true(traces, name) -> None:
    trace = traces[name]
    ways = ("encoder.l0.forward[1]", "fc.forward", "softmax.forward", "source.backward")
    for at in ways:
        forget(trace)
        with listening(placing=True) as heard:
            texts = texts_of(draw(trace, "translate", at), True) + page_of(trace, "translate", at)
        assert heard
        wrong = [claim for claim in heard if not true(trace, claim)]
        assert not wrong, (at, wrong[:3])
        bare = unclaimed(trace, texts, heard)
        assert not bare, (at, bare[:3])


def test_nothing_is_written_before_its_time(traces) -> None:
    trace = replace(traces["free"], studies={})  # a beam knows of other words
    words = ("neun", "und", "achtzig", "(end)")
    for at, count in (("encoder.l0.forward[2]", 0), ("attention#2.forward", 1), ("fc#2.forward", 2),
                      ("softmax.forward", 4)):
        shown = {mark.plain for mark in draw(trace, "translate", at) if isinstance(mark, Text)}
        assert [word in shown for word in words[:count]] == [True] * count, at
        assert not set(words[count:]) & shown, at


def test_the_sentence_says_the_symbol_its_chance_and_where_it_looked(traces) -> None:
    picture = draw(traces["free"], "translate", "fc#2.forward")
    assert picture.caption.startswith("Step 2 writes und with 100 %: 99 % of its attention lies on “eighty”")
    wrong = draw(traces["plain"], "translate", "fc#3.forward")
    assert wrong.caption.endswith("right would be neun.")
    assert [row[1] for row in picture.table.rows] == ["neun", "und", "achtzig", "(end)"]


def test_a_click_goes_to_a_step_and_turns_the_width(traces) -> None:
    marks = [mark for mark in draw(traces["free"], "translate", "softmax.forward") if isinstance(mark, Rect)]
    stops = [mark.holds.address for mark in marks if isinstance(mark.holds, Stop)]
    assert stops[1:] == ["fc.forward", "fc#2.forward", "fc#3.forward", "fc#4.forward"]
    assert sorted(int(mark.holds.word) for mark in marks if isinstance(mark.holds, Choice)) == list(WIDTHS)


def test_what_came_to_the_symbols_is_that_of_autograd(said_passes) -> None:
    made = pass_of(ATTENDED, NUMBER, objective="said:1")
    model, ids = made.model, made.inputs[0]
    read = model.source(ids).detach().requires_grad_()
    hook = model.source.register_forward_hook(lambda module, given, returned: read)
    try:
        logits = model(ids)[0]
    finally:
        hook.remove()
    chance = logits.log_softmax(1)[1].max()
    assert made.trace.objective.kind == "said:1"
    assert made.trace.objective.value == pytest.approx(float(chance.detach()), abs=1e-5)
    (back,) = torch.autograd.grad(chance, read)
    sizes = back[0].double().norm(dim=1)
    picture = draw(made.trace, "translate", "source.backward")
    assert "On the way back from “und”, symbol 2" in picture.caption
    assert ("“eighty”" if sizes[0] > sizes[1] else "“nine”") in picture.caption
