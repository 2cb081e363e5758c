"""The rail: a model opens on an input that it reads; what is typed is what is read."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import Qt

from visualizer import door, inputs
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.ui.rail import Rail, choose_model
from visualizer.ui.store import Store


@pytest.fixture
def rail(qtbot):
    found = Rail(Store(State()))
    qtbot.addWidget(found)
    found.resize(216, 684)
    found.fill()
    found.show()
    return found


def test_a_model_that_reads_pictures_keeps_the_picture(rail):
    rail.store.update(sample="digit-3")
    choose_model(rail.store, "lenet_mnist")
    assert (rail.store.state.model, rail.store.state.sample) == ("lenet_mnist", "digit-3")


@pytest.mark.parametrize("model", ["char_lstm", "surname_gru", "sentiment_gru", "crnn_strip", "adding_lstm"])
def test_a_model_that_reads_something_else_opens_on_its_own_first_sample(rail, model):
    choose_model(rail.store, model)
    first = inputs.all_samples(door.card_of(model).kind)[0]
    assert rail.store.state.sample == first.name
    choose_model(rail.store, "digits_cnn")
    assert rail.store.state.sample == inputs.all_samples("image")[0].name


@pytest.mark.parametrize(("model", "other"), [("adding_lstm", "recall_gru"), ("echo_rnn", "adding_rnn"),
                                              ("sentiment_gru", "phrase_gru"), ("strip_marked_crnn", "crnn_strip")])
def test_a_model_of_the_same_kind_that_has_samples_of_its_own_opens_on_one_of_them(rail, model, other):
    choose_model(rail.store, model)
    assert rail.store.state.sample == door.card_of(model).samples[0]
    choose_model(rail.store, other)
    assert rail.store.state.sample == door.card_of(other).samples[0] != door.card_of(model).samples[0]


def test_groups_of_models_are_folded_but_for_that_of_the_open_one(rail):
    rows = {row.name: row for row in rail.models.rows}
    groups = {name: door.card_of(name).group for name in rows if name != "lab"}
    assert all(row.isHidden() == bool(groups.get(name)) for name, row in rows.items())
    high = rail.models.height()
    choose_model(rail.store, "recall_gru")
    assert {name for name, row in rows.items() if not row.isHidden() and groups.get(name)} == {
        name for name, group in groups.items() if group == "recall"}
    assert rail.models.height() > high
    fold = rail.models.folds["recall"]
    shown = [each for each in (*rows.values(), *rail.models.folds.values()) if not each.isHidden()]
    places = sorted([each.geometry().top(), each.geometry().bottom()] for each in shown)
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(places))
    fold.click()
    assert rows["recall_gru"].isHidden()
    assert rail.models.height() == high


def test_what_is_typed_is_what_is_read(rail, qtbot):
    choose_model(rail.store, "char_gru")
    rail.refresh()
    field = rail.typed.field
    assert field.isVisible()
    assert field.toPlainText() == inputs.raw(inputs.all_samples("text")[0].name)
    field.clear()
    qtbot.keyClicks(field, "thou art")
    assert rail.store.state.sample == "text:thou art"
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert rail.store.state.sample == "text:thou ar"


def test_typing_is_one_change_that_one_undo_takes_back(rail, qtbot):
    choose_model(rail.store, "char_gru")
    rail.refresh()
    first = rail.store.state.sample
    qtbot.keyClicks(rail.typed.field, "abc")
    assert rail.store.state.sample.startswith("text:abc")
    rail.store.undo()
    assert rail.store.state.sample == first
    assert rail.typed.field.toPlainText() == inputs.raw(first)


def test_a_text_that_the_model_cannot_read_is_not_sent_and_named(rail, qtbot):
    choose_model(rail.store, "surname_gru")
    rail.refresh()
    field = rail.typed.field
    field.selectAll()
    qtbot.keyClicks(field, "Jones")
    qtbot.keyClicks(field, "#7")
    assert rail.store.state.sample == "text:Jones"
    assert any("It does not know “#” “7”" in said for said, _ in rail.typed.notes())
    assert "It does not know" in field.accessibleDescription()
    for _ in range(2):
        qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert not any("not know" in said for said, _ in rail.typed.notes())


@pytest.mark.parametrize(("text", "why"), [
    ("", "There is nothing to read yet"), ("a" * 10_001, "10,001 characters are")])
def test_nothing_and_too_much_are_not_sent_said_in_one_sentence_and_nothing_is_lost(rail, text, why):
    choose_model(rail.store, "char_gru")
    rail.refresh()
    field, before = rail.typed.field, rail.store.state
    field.selectAll()
    field.insertPlainText(text)
    assert rail.store.state == before, "the last text stays open"
    assert field.toPlainText() == text, "and what was typed stays in the field"
    said = [line for line, token in rail.typed.notes() if token == "negative-text"]
    assert why in " ".join(said)
    field.selectAll()
    field.insertPlainText("a" * 10_000)
    assert rail.store.state.sample == f"text:{'a' * 10_000}"


def test_a_sample_that_is_chosen_stands_in_the_field(rail):
    choose_model(rail.store, "sentiment_gru")
    rail.refresh()
    rail.grid.choose(3)
    assert rail.typed.field.toPlainText() == inputs.raw(inputs.all_samples("sentence")[3].name)


def test_weights_from_before_training_stay_only_where_there_are_some(rail, without_before):
    without_before("mlp_mnist")
    choose_model(rail.store, "rows_rnn")
    rail.store.apply(does.before_training)
    choose_model(rail.store, "char_lstm")
    assert rail.store.state.edits == ("untrained",)
    choose_model(rail.store, "mlp_mnist")
    assert rail.store.state.edits == ()


def test_what_is_said_of_a_text_model_is_that_of_the_weights_at_hand(rail):
    choose_model(rail.store, "char_lstm")
    rail.refresh()
    assert ("held-out 2.31 bits a character", "ink-2") in rail.typed.notes()
    rail.store.apply(does.before_training)
    assert ("held-out 6.00 bits a character", "ink-2") in rail.typed.notes()
    assert "held-out 6.00 bits" in rail.typed.field.accessibleDescription()


def test_sequences_are_named_in_words(rail):
    choose_model(rail.store, "adding_rnn")
    rail.refresh()
    assert rail.store.state.view == "unrolled"
    assert (rail.grid.across, len(rail.grid.samples)) == (1, 12)
    assert not rail.draw_button.isVisible()
    assert rail.grid.place_of(1).top() - rail.grid.place_of(0).top() == rail.grid.pitch < rail.grid.place_of(0).width()


def test_nothing_can_be_drawn_for_a_model_that_reads_text(rail):
    choose_model(rail.store, "char_gru")
    rail.refresh()
    rail.toggle_pad()
    assert not rail.drawing
    choose_model(rail.store, "digits_cnn")
    rail.refresh()
    assert not rail.typed.isVisible()
    assert rail.draw_button.isVisible()
    rail.toggle_pad()
    assert rail.drawing


def test_the_model_that_is_open_is_scrolled_into_view(rail):
    last = rail.models.rows[-1]
    assert not rail.scroller.viewport().rect().contains(last.mapTo(rail.scroller.viewport(), last.rect().center()))
    rail.store.update(model=rail.models.rows[-2].name)
    assert last.name == "lab"  # which takes the place of the list when it is open
    last = rail.models.rows[-2]
    assert rail.scroller.viewport().rect().contains(last.mapTo(rail.scroller.viewport(), last.rect().center()))


def test_a_strip_is_shown_in_its_own_proportions(rail):
    choose_model(rail.store, "crnn_strip")
    rail.refresh()
    place = rail.grid.place_of(0)
    assert place.width() > 4 * place.height()
    shades = rail.grid.grab().toImage()
    inked = [x for x in range(place.left() + 3, place.right() - 3) for y in range(place.top() + 3, place.bottom() - 3)
             if shades.pixelColor(x, y).lightness() < 100]
    assert inked
    assert max(inked) - min(inked) > place.width() / 2


def test_texts_stand_below_each_other_and_pictures_in_rows_of_four(rail):
    assert rail.grid.place_of(1).top() == rail.grid.place_of(0).top()
    choose_model(rail.store, "char_gru")
    rail.refresh()
    assert not rail.draw_button.isVisible()
    assert rail.grid.place_of(1).top() > rail.grid.place_of(0).top()
    assert rail.grid.number_at(rail.grid.place_of(2).center()) == 2
