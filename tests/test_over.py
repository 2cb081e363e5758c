"""Lists of inputs to step through: which are in them, which do not fit, and what is picked of them, against torch."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image as Photo

from visualizer import inputs
from visualizer.inputs import _rows
from visualizer.over import MOST, Inputs, Met, Over, about, from_plain, parse, picked
from visualizer.record.catalog import open_model
from visualizer.record.over import listed
from visualizer.record.run import given_of, prepared
from visualizer.trace import Refused


def found(model, words, edits=()):
    """The list that the words ask for."""
    steps = listed(parse(words), open_model(model), edits)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("words", [
    "inputs", "inputs:wrong", "inputs:unsure", "inputs:class=4", "inputs:excite=conv2:7", "inputs:some/folder",
    "inputs:wrong:names.csv", "inputs:class=Czech:C:\\a b.csv", "inputs:excite=lstm:29/inner.forget:texts.txt"])
def test_words_and_what_they_mean_lead_to_each_other(words):
    assert parse(words).words == words


def test_what_the_words_mean():
    assert parse("inputs:wrong:a:b.csv") == Over("a:b.csv", "wrong")
    assert parse("inputs:wrongly") == Over("wrongly")
    assert parse("inputs:excite=conv2:7:dir") == Over("dir", "excite", "conv2:7")
    assert parse("inputs:excite=lstm:29/inner.forget").unit == ("lstm", 29, "forget")
    with pytest.raises(Refused, match="cannot be stepped through"):
        parse("outputs")
    with pytest.raises(Refused, match="Which unit"):
        parse("inputs:excite").unit  # noqa: B018  it is the asking that is refused


@pytest.mark.parametrize("model", ["digits_cnn", "rows_lstm", "surname_gru", "char_lstm", "adding_lstm", "crnn_strip"])
def test_the_bundled_inputs_are_all_that_the_model_reads(model):
    opened = open_model(model)
    samples = inputs.all_samples(opened.card["input"]["kind"], opened.card["input"])
    assert (found(model, "inputs").words, found(model, "inputs").labels) == \
        (tuple(each.name for each in samples), tuple(each.label for each in samples))


# --- against plain torch --------------------------------------------------------------------------------------------

def answered(model, edits=()):
    """What plain torch answers to each bundled input: (word, label, probabilities)."""
    opened = open_model(model)
    with torch.no_grad():
        for sample in inputs.all_samples(opened.card["input"]["kind"], opened.card["input"]):
            out = opened.module(prepared(opened, given_of(opened, sample.name).raw))[0]
            yield sample.name, sample.label, out.softmax(0).double().numpy()


@pytest.mark.parametrize("model", ["digits_cnn", "surname_gru"])
def test_the_wrong_ones_and_the_least_sure_are_those_of_torch(model):
    facts = list(answered(model))
    assert found(model, "inputs:wrong").words == tuple(name for name, label, p in facts if p.argmax() != label)
    surest = {name: p.max() for name, _, p in facts}
    order = [surest[name] for name in found(model, "inputs:unsure").words]
    assert len(order) == len(facts)
    assert np.all(np.diff(order) > -1e-6)


def test_a_class_is_named_by_its_number_or_its_name():
    assert set(found("digits_cnn", "inputs:class=4").labels) == {4}
    by_name = found("surname_gru", "inputs:class=Dutch")
    assert by_name == found("surname_gru", "inputs:class=1")
    assert set(by_name.labels) == {1}
    with pytest.raises(Refused, match="No input is labelled 11"):
        found("digits_cnn", "inputs:class=11")


def test_those_that_excite_a_unit_most_come_first(tmp_path):
    names = [sample.name for sample in inputs.all_samples("image")][:12]
    with (tmp_path / "some.csv").open("w", newline="") as file:
        csv.writer(file).writerows([inputs.sample(name).label, *inputs.raw(name).ravel()] for name in names)
    opened = open_model("digits_cnn")
    peaks = []
    with torch.no_grad():
        for name in names:
            x = prepared(opened, given_of(opened, name).raw)
            maps = []
            handle = opened.module.conv2.register_forward_hook(lambda module, given, out, maps=maps: maps.append(out))
            opened.module(x)
            handle.remove()
            peaks.append(float(maps[0][0, 7].max()))
    order = found("digits_cnn", f"inputs:excite=conv2:7:{tmp_path / 'some.csv'}").words
    assert order == tuple(f"{tmp_path / 'some.csv'}#{place + 1}" for place in np.argsort(-np.array(peaks)))


def test_a_gate_excites_by_its_largest_value_over_the_steps():
    from visualizer.record.over import excitement
    from visualizer.record.run import record

    trace = record("rows_lstm", "digit-7", objective="none")
    asked = parse("inputs:excite=lstm:3/inner.forget")
    assert excitement(trace, asked) == trace["lstm"].inner["forget"][:, 3].max()
    assert excitement(trace, parse("inputs:excite=lstm:3")) == trace["lstm"].output[:, 3].max()
    for bad, why in (("lstm:999", "no unit 999"), ("nothing:1", "no layer"), ("lstm:3/inner.soul", "no unit 3")):
        with pytest.raises(LookupError, match=why):
            excitement(trace, parse(f"inputs:excite={bad}"))


def test_edits_are_done_before_answers_are_judged():
    plain, edited = found("digits_cnn", "inputs:wrong"), found("digits_cnn", "inputs:wrong", ("shift:7,0",))
    assert len(edited.words) > 10 * len(plain.words)


# --- bad input ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("model", "words", "why"), [
    ("char_lstm", "inputs:wrong", "does not answer with one of several classes"),
    ("adding_lstm", "inputs:unsure", "does not answer with one of several classes"),
    ("adding_lstm", "inputs:class=1", "None of these inputs has a label"),
    ("digits_cnn", "inputs:/nowhere", "There is no folder or file"),
    ("digits_cnn", "inputs:excite", "Which unit")])
def test_what_cannot_be_stepped_through_is_said_in_one_sentence(model, words, why):
    with pytest.raises(Refused, match=why) as refused:
        found(model, words)
    assert str(refused.value).endswith((".", "conv2:7."))


def test_an_empty_selection_is_one_sentence():
    four = Inputs(("a", "b"), (1, None))
    with pytest.raises(Refused, match="All 1 inputs with a label are answered right"):
        picked(Over(pick="wrong"), four, [Met(1, 1.0), Met(0, 1.0)], ("no", "yes"))


def test_files_that_do_not_fit_are_skipped_counted_and_named(tmp_path):
    for number in (10, 2):
        Photo.fromarray(inputs.raw("digit-7")).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("four")
    (tmp_path / ".hidden.png").write_bytes(b"")
    known = found("digits_cnn", f"inputs:{tmp_path}")
    assert known.words == (str(tmp_path / "2.png"), str(tmp_path / "10.png"))
    assert [name for name, _ in known.skipped] == ["notes.txt", "broken.png"]
    assert about(known).startswith("2 inputs do not fit and are skipped, notes.txt, broken.png: ")
    with pytest.raises(Refused, match="has a label"):
        found("digits_cnn", f"inputs:wrong:{tmp_path}")
    for path in tmp_path.glob("*.png"):
        path.unlink()
    with pytest.raises(Refused, match=r"None of the 1 inputs in .* fits: notes.txt"):
        found("digits_cnn", f"inputs:{tmp_path}")


@pytest.mark.parametrize(("head", "mark", "comma"), [
    (True, ",", False), (False, ",", False), (True, ";", True), (False, "\t", True), (False, "|", False)])
def test_a_table_with_a_heading_other_marks_and_decimal_commas(tmp_path, head, mark, comma):
    values = inputs.raw("digit-2148").ravel() / 255
    said = [f"{value:.6f}".replace(".", "," if comma else ".") for value in values]
    lines = [mark.join(["label", *(f"p{place}" for place in range(784))])] * head + [mark.join(["4", *said])] * 2
    path = tmp_path / "digits.csv"
    path.write_text("\r\n".join([*lines, mark.join(["4", *said[:5]]), "", mark.join(["4", *said[:-1], "x"])]))
    known = found("digits_cnn", f"inputs:{path}")
    assert known.words == tuple(f"{path}#{number + head}" for number in (1, 2))
    assert known.labels == (4, 4)
    assert [name for name, _ in known.skipped] == [f"digits.csv#{number + head}" for number in (3, 5)]
    assert "numbers, and a picture has 28 × 28" in known.skipped[0][1]
    assert "in column 784, which is no number" in known.skipped[1][1]
    assert np.array_equal(inputs.given(known.words[1], "image").raw, inputs.raw("digit-2148"))


def test_texts_in_a_table_are_found_by_their_heading(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text('language,name\nDutch,"Jong, de"\nCzech,Novák\n')
    given = inputs.given(f"{path}#2", "name", facts={"labels": ["Czech", "Dutch"]})
    assert (given.raw, given.sample.name) == ("Jong, de", f"{path}#2")
    path.write_text("y;text\n1;Jong\n0;Novák\n")
    assert inputs.text_in(f"{path}#2") == "Jong"
    given = [inputs.given(f"{path}#{number}", "name") for number in (2, 3)]
    assert [(each.raw, each.sample.label) for each in given] == [("Jong", 1), ("Novák", 0)]


def test_a_sequence_is_a_row_of_its_steps(tmp_path):
    path = tmp_path / "sums.csv"
    path.write_text("0,43;1;0,2;0\n0,5;1;0,25\n")
    known = found("adding_lstm", f"inputs:{path}")
    assert known.words == (f"{path}#1",)
    assert "has 3 numbers, where the model reads 2 a step" in known.skipped[0][1]
    assert inputs.given(known.words[0], "sequence", facts={"shape": [None, 2]}).raw.tolist() == [[0.43, 1], [0.2, 0]]


def test_of_a_million_lines_the_first_are_listed_and_the_others_counted(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("Novak\n" * 1_000_000)
    known = inputs.candidates(str(path), inputs.kind("name"))
    assert (len(known.words), known.more) == (MOST, 1_000_000 - MOST)
    assert about(known) == "The first 10,000 of 1,000,000 are stepped through."
    assert _rows.line_of(path, MOST) == "Novak"
    assert from_plain(known.plain()) == known


def test_a_line_that_is_not_there_and_a_file_that_vanished(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("Novák\nJong")
    assert inputs.given(f"{path}#2", "name").raw == "Jong"
    with pytest.raises(Refused, match="has no line 3; it has 2"):
        inputs.given(f"{path}#3", "name")
    path.unlink()
    with pytest.raises(Refused, match="There is no file"):
        inputs.given(f"{path}#1", "name")


# --- going through them ---------------------------------------------------------------------------------------------

def test_the_list_ends_and_does_not_begin_again():
    known = Inputs(("a", "b", "c"), (None,) * 3)
    assert [known.beside("b", by) for by in (-2, -1, 0, 1, 2)] == ["a", "a", "b", "c", "c"]
    assert known.beside("elsewhere", 1) == "a"
    assert Inputs((), ()).beside("a", 1) == ""
    assert known.without("b", "gone") == Inputs(("a", "c"), (None, None), (("b", "gone"),))
