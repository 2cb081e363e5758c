"""Writing: symbols as the recorder reads them, unknown ones named, and a field that tells typing from being told."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from visualizer import inputs, registry
from visualizer.card import Card, bundled
from visualizer.record.catalog import open_model
from visualizer.record.run import prepared
from visualizer.trace import Refused
from visualizer.ui import writing
from visualizer.ui.writing import TextField

TEXTS = tuple(kind.name for kind in inputs.kinds() if inputs.FIELD in kind.choosers)
TYPED = [name for name in registry.models() if registry.card(name)["input"]["kind"] in TEXTS]


@pytest.fixture
def field(qtbot):
    made = TextField()
    qtbot.addWidget(made)
    made.show()
    return made


def test_there_are_models_of_every_kind_that_is_typed():
    assert {registry.card(name)["input"]["kind"] for name in TYPED} == set(TEXTS)


@pytest.mark.parametrize("name", TYPED)
def test_symbols_are_as_many_as_the_model_makes_of_a_text(name):
    reads, opened = registry.card(name)["input"], open_model(name)
    for text in (inputs.raw(sample.name) for sample in inputs.all_samples(reads["kind"])):
        if inputs.can_read(reads, text):
            assert len(inputs.symbols(reads, text)) == prepared(opened, text).shape[1]


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("text", ["wonder", "", " ", "§", "thou #42", "O’Neil", "zyzzyva!"])
def test_a_text_is_sent_only_if_the_model_takes_it(name, text):
    """Asked of the model itself."""
    card = bundled(name)
    try:
        taken = bool(prepared(open_model(name), text).numel())
    except Refused:
        taken = False
    assert inputs.can_read(card.facts, text) == taken


def test_what_is_not_known_is_named_in_one_sentence():
    card = bundled("char_gru")
    assert writing.unknown_words(card, "thou art") == ""
    assert writing.unknown_words(card, "a#b#c@") == "It does not know “#” “@”: write the text without."
    assert writing.unknown_words(card, "a\u200d\u0301") == "It does not know “U+200D” “U+0301”: write the text without."
    assert writing.unknown_words(card, "123456789") == "It does not know “1” “2” “4” “5” and 4 more: write the text " \
        "without.", "3 is in its alphabet"
    said = writing.unknown_words(bundled("sentiment_gru"), "a zyzzyva film")
    assert said == "It does not know “zyzzyva”, and reads all such words alike."


def test_symbols_are_counted_with_what_the_model_knows():
    card = bundled("char_lstm")
    assert writing.count_words(card, "wherefore art thou") == "18 characters, 65 in the alphabet"
    assert len(card.facts["alphabet"]) == len(card.labels) == 65
    assert writing.count_words(card, "o").startswith("1 character, ")
    sentences = bundled("sentiment_gru")
    assert writing.count_words(sentences, "A fine film!") == f"4 words, {len(sentences.facts['words']) - 1:,} known"


def test_the_quality_is_the_one_that_was_measured():
    for name in ("char_gru", "char_lstm", "char_rnn"):
        card = bundled(name)
        bits = float(writing.quality_words(card).split()[1])
        assert bits == pytest.approx(card.quality["nats per character"] / math.log(2), abs=0.005)
    assert writing.quality_words(bundled("sentiment_gru")).startswith("right for 76.5 % of 1,066")
    assert writing.quality_words(Card("mine")) == ""


def test_the_step_is_the_one_that_reads_what_stands_before_the_caret():
    letters, sentences = bundled("char_gru"), bundled("sentiment_gru")
    assert [writing.step_of(letters, "abc", caret) for caret in range(4)] == [1, 1, 2, 3]
    text = "a fine film"
    assert [writing.step_of(sentences, text, caret) for caret in (0, 1, 2, 6, 7, 11)] == [1, 1, 1, 2, 2, 3]


def test_the_field_says_what_is_typed_and_not_what_it_is_told(field, qtbot):
    heard = []
    field.typed.connect(heard.append)
    field.show_text("sea change")
    assert heard == []
    field.moveCursor(field.textCursor().MoveOperation.End)
    qtbot.keyClicks(field, "s")
    assert heard == ["sea changes"]
    assert field.caret() == 11
    field.show_text("sea changes")
    assert field.caret() == 11, "the same text does not move the caret"


def test_escape_only_leaves_the_field(field):
    field.setFocus()
    field.show_text("sea")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert not field.hasFocus()
    assert field.toPlainText() == "sea"
