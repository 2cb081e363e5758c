"""Titles of inputs: held in English, said in the language of whoever looks."""

import pytest

from visualizer import edits, inputs, titles
from visualizer.edits import INPUT, MODEL, TEACHER, WEIGHTS
from visualizer.language import speaking
from visualizer.record import record
from visualizer.record.run import opened_with
from visualizer.trace import Sample

EDITS = ("blur:1.5", "erase:0.25,1", "hold:2", "lengthen:50", "noise:0.3,2", "occlude:8", "occlude:8,2,-3", "pad:8",
         "permute:1,0", "permute:0.5,0", "repeat:1", "repeat:2", "reverse", "rotate:30.5", "scale:-30", "scale:20",
         "shift:3", "shift:3,-1", "shuffle_rows:1,0", "shuffle_rows:0.5,0", "shuffle_words:1,0", "shuffle_words:0.5,0",
         "swap:1,2", "substitute:2,a", "unit_off:conv2:7", "untrained", "told")


@pytest.mark.parametrize("language", ["de", "fr", "es", "it"])
@pytest.mark.parametrize("words", EDITS)
def test_what_was_done_is_told_as_the_edit_says_it(language, words):
    english = edits.said([words], INPUT, MODEL, TEACHER, WEIGHTS)
    with speaking(language):
        assert titles.told(english) == edits.said([words], INPUT, MODEL, TEACHER, WEIGHTS) != english


def test_a_title_is_told_piece_by_piece():
    with speaking("de"):
        assert titles.told("Digit 2148, shifted by +3, -1, turned by +30.5°") == \
            "Ziffer 2148, um +3, -1 verschoben, um +30,5° gedreht"
        assert titles.told("“forty seven”, words shuffled").startswith("„forty seven“, ")
        assert titles.told("backwards.png, as it is") == "backwards.png, wie es ist"
        assert titles.told("El Niño, 1950-01") == "El Niño, 1950-01"
        assert titles.of(Sample("my sample")) == "my sample"
    assert titles.told("Digit 2148, backwards") == "Digit 2148, backwards"


def test_a_kind_makes_the_same_titles_in_every_language():
    words = [("point:0.5,1.25", "point"), ("point:seed=3", "point"), ("text:some", "text"), ("strip:3 4", "strip")]
    def made():
        return [inputs.given(word, kind, facts={"shape": [2]} if kind == "point" else None).sample
                for word, kind in words]

    english = made()
    with speaking("de"):
        assert made() == english


@pytest.mark.parametrize(("model", "sample", "done"), [("digits_cnn", "digit-2148", ("shift:3,0",)),
                                                       ("digits_vae", "point:0.5,1.25", ())])
def test_a_recording_is_the_same_in_every_language(model, sample, done, tmp_path):
    def saved(language):
        with speaking(language):
            record(opened_with(model, done), sample, edits=done).save(tmp_path / f"{language}.trace")
        return (tmp_path / f"{language}.trace").read_bytes()

    assert saved("") == saved("de")
