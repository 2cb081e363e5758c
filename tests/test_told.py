"""What is right of a spoken answer, and the switch between the network's own last symbol and the right one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from visualizer import answers, draw
from visualizer.comparison.partners import partners
from visualizer.comparison.words import told, wholly
from visualizer.record import pass_of
from visualizer.scene import state as does
from visualizer.scene.picture import Look, Rect, Text
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import State
from visualizer.trace import Refused

NUMBER = "number-549986"


def test_told_the_right_symbols_it_says_what_the_model_says_to_them():
    """The network without attention errs, so that what it is told matters; both passes against the model itself."""
    own, taught = (pass_of("numbers_german_plain", NUMBER, edits=edits) for edits in ((), ("told",)))
    model, ids, truth = own.model, own.inputs[0], own.trace.answers[0].truth
    with torch.no_grad():
        free = model(ids)[0]
        forced = model(ids, torch.tensor([[model.begin, *truth[:-1].tolist()]]))[0]
    assert not torch.equal(free.argmax(1), forced.argmax(1))
    for made, logits in ((own, free), (taught, forced)):
        answer = made.trace.answers[0]
        np.testing.assert_allclose(made.trace[answer.layer].output, logits.softmax(1).numpy(), atol=1e-5)
        wanted = torch.tensor(truth[:len(logits)].astype(np.int64))
        cost = torch.nn.functional.cross_entropy(logits[:len(wanted)], wanted)
        assert made.trace.objective.value == pytest.approx(float(cost), abs=1e-5)
    assert taught.trace.sample.title.endswith("told the right symbols")
    assert [fed.name for fed in taught.trace.fed] == ["", "told"]
    assert "At step 3, “hundert”" in draw(taught.trace, "gates", "decoder.forward[3]").caption


@pytest.mark.parametrize(("sample", "whole", "wrong"), [("number-2508", 1.0, 0.0), (NUMBER, 0.0, 2.0)])
def test_a_spoken_answer_is_right_as_a_whole_or_by_so_many_symbols(sample, whole, wrong):
    trace = pass_of("numbers_german_plain", sample, objective="none").trace
    found = [value for _, value in answers.score(trace, trace.answers[0])]
    assert found[:2] == [whole, wrong]
    assert ("that is right" if whole else "right would be fünfhundertneunundvierzig") in answers.sentence(
        trace, trace.answers[0])


def test_what_is_not_known_to_be_right_is_not_told():
    trace = pass_of("numbers_german", "ninety hundred").trace
    assert trace.answers[0].truth is None
    assert answers.score(trace, trace.answers[0]) == ()
    with pytest.raises(Refused, match="is not known, so Numbers, English to German cannot be told it"):
        pass_of("numbers_german", "ninety hundred", edits=("told",))
    with pytest.raises(Refused, match="is told nothing on its way"):
        pass_of("phrase_gru", edits=("told",))


@pytest.mark.parametrize(("model", "typed", "said"), [
    ("numbers_german", "one million", "does not know 'million'"), ("numbers_german", "", "Write a number"),
    ("numbers_german", "497", "does not know '497'"), ("spelling_sounds", "naïve", "'ï'"),
    ("spelling_sounds", "", "")])
def test_what_cannot_be_read_is_one_sentence(model, typed, said):
    with pytest.raises(Refused) as refused:
        pass_of(model, f"text:{typed}")
    assert said in str(refused.value)
    assert str(refused.value).count(". ") == 0


def test_the_switch_is_an_edit_like_others():
    taught = does.told(State())
    assert taught.edits == ("told",)
    assert does.what_if(taught, ("reverse",)).edits == ("told", "reverse")
    assert does.told(taught).edits == ()


def test_the_drawing_frames_what_is_wrong_and_says_what_is_right():
    trace = pass_of("numbers_german_plain", NUMBER, objective="none").trace
    answer = trace.answers[0]
    marks = answers.of(answer).draw(trace, answer, (0.0, 0.0, 400.0, 180.0), Look())
    framed = [mark for mark in marks if isinstance(mark, Rect) and mark.stroke]
    assert [mark.focus.cell[0] for mark in framed] == [2, 10]
    words = [mark.plain for mark in marks if isinstance(mark, Text)]
    assert words[0::2] == [answer.labels[index] for index in trace[answer.layer].output.argmax(1)]
    assert (words[5], words[21]) == ("neun", "achtzig")


def test_a_comparison_says_the_whole_of_it_and_whether_that_is_right():
    with_it, without = (pass_of(name, NUMBER).trace for name in ("numbers_german", "numbers_german_plain"))
    assert (wholly(with_it), wholly(without)) == (True, False)
    assert wholly(pass_of("phrase_gru").trace) is None
    assert told(0, with_it, accent=False) == "fünfhundertneunundvierzigtausendneunhundertsechsundachtzig"
    assert [recipe.model for recipe in partners(ModelRecipe("numbers_german"), "sentence")] == ["numbers_german_plain"]
