"""Numbers and counts as each language writes them: in pictures and sentences, never in what a program reads."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.recorded import recorded
from tests.test_sentences import agrees, moments, places, texts_of, unclaimed
from visualizer import data, language, opening
from visualizer.claims import Expected, expected, expected_of, number_of, written
from visualizer.export import draw
from visualizer.kinds import _words
from visualizer.language import Manner, listed, numeral, single, speaking, typed
from visualizer.said import Said, constants, listening, unplaced
from visualizer.scene import numbers
from visualizer.scene.picture import Look, Picture, Run, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace, forget
from visualizer.ui import what_if, words
from visualizer.views import all_views

THIN = "\u202f"
WRITTEN = {
    "": ("1,234.5", "12,345", "0.5", "−0.38", "77.0 %", "1,234", "1.8 × 10⁻⁶"),
    "de": ("1.234,5", "12.345", "0,5", "−0,38", "77,0 %", "1.234", "1,8 × 10⁻⁶"),
    "it": ("1.234,5", "12.345", "0,5", "−0,38", "77,0 %", "1.234", "1,8 × 10⁻⁶"),
    "fr": (f"1{THIN}234,5", f"12{THIN}345", "0,5", "−0,38", "77,0 %", f"1{THIN}234", "1,8 × 10⁻⁶"),
    "es": ("1234,5", f"12{THIN}345", "0,5", "−0,38", "77,0 %", "1234", "1,8 × 10⁻⁶"),
}
SHOWN = ("digits_cnn", "rows_lstm", "adding_rnn")
POINTED = re.compile(r"\d[.,]\d")


@pytest.mark.parametrize("code", WRITTEN)
def test_each_language_writes_numbers_in_its_manner(code):
    with speaking(code):
        assert (numbers.number(1234.5, 1), numbers.count(12345), numbers.short(0.5), numbers.number(-0.38),
                numbers.percent(0.77), _words.plain(1234), numbers.power(1.8e-6)) == WRITTEN[code]
        assert all(_words.plain(number) == numbers.count(number) for number in (0, 999, 1000))
        assert numbers.number(0.0) == "0"
        assert numbers.brief(0.001) == "≈0"
        assert numbers.number(float("inf")) == "∞"


def test_what_is_no_number_stays():
    with speaking("de"):
        assert numeral("conv2.forward stays, 3,4 and 1,23 too") == "conv2.forward stays, 3,4 and 1,23 too"
        assert numeral("1,234 × 0.5 %") == "1.234 × 0,5 %"


@pytest.mark.parametrize(("code", "said", "read"), [
    ("de", "0,5", "0.5"), ("de", "0.5", "0.5"), ("de", ",5", ".5"), ("de", "0,485; 0,456 0,4", "0.485; 0.456 0.4"),
    ("de", "0.485,0.456", "0.485,0.456"), ("de", "1,2,3", "1,2,3"), ("", "0,5", "0,5"), ("fr", "-0,5", "-0.5")])
def test_a_number_is_typed_with_the_comma_of_the_language_or_a_point(code, said, read):
    with speaking(code):
        assert typed(said) == read


def test_the_mean_of_a_model_of_ones_own_is_typed_with_a_comma():
    with speaking("de"):
        assert opening._changes("mean", "0,485 0,456; 0.406") == {"mean": (0.485, 0.456, 0.406)}
    with pytest.raises(ValueError, match="could not convert"):
        opening._changes("mean", "0.4.5")


# --- how many -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("code", "of_one"), [("", {1}), ("de", {1}), ("es", {1}), ("it", {1}), ("fr", {0, 1})])
def test_one_thing_and_several(code, of_one):
    with speaking(code):
        for number in (0, 1, 2, 5, 1000):
            assert single(number) == (number in of_one)
            one = number in of_one
            assert words.several("class", number) == language.tr(
                "{count} class" if one else "{count} classes").format(count=numbers.count(number))
            assert words.several("channel", number) == language.tr(
                "{count} channel" if one else "{count} channels").format(count=numbers.count(number))
            assert numbers.parameters(number) == language.tr(
                "{count} parameter" if one else "{count} parameters").format(count=numbers.count(number))


def test_no_picture_says_one_of_several():
    """`1 layers`, in English, where it would be seen."""
    for name in SHOWN:
        for text in texts_in(name, ""):
            assert not re.search(r"(?<![\d.,])1 (?!is\b|has\b|as\b|steps of\b)[a-z]+[^s\W]s\b(?! of)", text), text


@pytest.mark.parametrize(("several", "said"), [
    (["foto", "imagen"], "foto e imagen"), (["uva", "higo"], "uva e higo"), (["agua", "hielo"], "agua y hielo"),
    (["a", "b", "c"], "a, b y c"), (["uno"], "uno")])
def test_spanish_lists_sound_right(several, said, monkeypatch):
    monkeypatch.setattr(language, "table", lambda code: {"{several} and {last}": "{several} y {last}"})
    with speaking("es"):
        assert listed(several) == said


# --- where a person reads them --------------------------------------------------------------------------------------

class Pointless(dict[str, str]):
    """The table of a language whose translator wrote every literal number with its own point."""

    def get(self, text, otherwise=None):
        return re.sub(r"(?<=\d)\.(?=\d)", "٫", text)


@pytest.fixture
def strange(monkeypatch):
    """A language whose point and comma no other sign looks like: what has another one did not pass through it."""
    real = language.table
    monkeypatch.setattr(language, "_MANNERS", {**language._MANNERS, "xx": Manner("٫", "٬")})
    monkeypatch.setattr(language, "table", lambda code: Pointless() if code == "xx" else real(code))
    return "xx"


def texts_in(name: str, code: str):
    """All that is read of a model, in every view that shows it without a study."""
    trace = recorded(name)
    for view in all_views():
        if view.suits(trace) and not view.instead:
            for moment in moments(trace)[1::3]:
                look = Look(language=code)
                page = None if view.page is None else view.page(trace, timeline(trace).find(moment), None, look)
                for picture in (draw(trace, view.name, moment, language=code), page):
                    yield from map(unplaced, [] if picture is None else texts_of(picture, True))


@pytest.mark.parametrize("name", SHOWN)
def test_every_number_in_a_picture_passes_through_the_language(name, strange):
    found = list(texts_in(name, strange))
    assert not [text for text in found if POINTED.search(text)]
    assert sum("٫" in text for text in found) > 40


def test_a_number_that_did_not_pass_is_found(strange):
    with speaking(strange):
        assert not POINTED.search(numbers.number(0.25))
        assert POINTED.search(f"{0.25:.2f}")


def english_claim(claim: Said, code: str) -> Said:
    """What was said, as English says it: the digits that the check reads again."""
    manner = language.manner(code)
    said = claim.text.replace(manner.comma, "").replace(manner.point, ".")
    small = {language.table(code).get(word, word): word for word in _words._SMALL}
    return claim._replace(text=small.get(said, said))


@pytest.mark.parametrize(("name", "view"), [
    ("digits_cnn", "network"), ("digits_cnn", "microscope"), ("rows_lstm", "diagram"), ("rows_lstm", "gates"),
    ("adding_rnn", "unrolled")])
def test_what_is_said_in_german_is_as_true(name, view):
    trace = recorded(name)
    for moment in moments(trace)[1::2]:
        forget(trace)
        with listening(placing=True) as heard:
            picture = draw(trace, view, moment, language="de")
        heard_in_english = [english_claim(claim, "de") for claim in heard]
        own_word = ("word of the sample", "words read", "text read", "label")
        wrong = [claim for claim in heard_in_english if claim.quantity not in own_word and not claim.quantity.endswith(
            "end of a scale") and not holds(trace, claim)]  # a scale is that of what it is called, in German
        assert not wrong, wrong[:3]
        assert any("," in claim.text for claim in heard)
        assert picture.caption


def holds(trace: Trace, claim: Said) -> bool:
    with np.errstate(all="ignore"):
        return agrees(trace, claim)


def test_constants_of_a_sentence_are_claimed_with_a_comma_too():
    with speaking("de"), listening() as heard:
        assert constants("von 0,5 bis 2.5") == "von 0,5 bis 2,5"
    assert [(claim.text, claim.array) for claim in heard] == [("0,5", "0.5"), ("2,5", "2.5")]


# --- where a program reads them -------------------------------------------------------------------------------------

def test_files_have_points_whatever_is_spoken():
    trace = recorded("rows_lstm")
    picture = draw(trace, "gates")
    english = {kind: data.to_bytes(kind, trace, picture) for kind in (".csv", ".json")}
    layer = data.to_bytes(".csv", trace, None, "lstm")
    with speaking("de"):
        again = draw(trace, "gates")  # as a window does for programs: in English, whatever it speaks
        assert {kind: data.to_bytes(kind, trace, again) for kind in (".csv", ".json")} == english
        assert data.to_bytes(".csv", trace, None, "lstm") == layer
        assert what_if.edits.find("rotate").write((12.5,)) == "rotate:12.5"
        like = Expected(0.75, 0.03, share=True, places=1)
        assert (number_of(like, like), expected_of(like), written(like)) == ("75,0 ± 3,0 %", "75,0 ± 3,0 %",
                                                                             "75.0 ± 3.0 %")
        assert expected(written(like)) == like


def test_an_svg_measures_with_points(tmp_path):
    from visualizer.export import Options, svg

    with speaking("de"):
        run = Run(numbers.number(0.25))
        made = svg.to_bytes(Picture((80, 20), (Text(10.5, 12.25, (run,)),), caption="0,5"), Options()).decode()
    assert "0,25" in made
    assert "10.5" in made
    assert re.search(r'\b[xy]="[\d.]+"', made)
    assert not re.search(r'="-?\d+,\d+"', made)


def test_a_sentence_in_english_is_as_it_was():
    trace = recorded("digits_cnn")
    with listening(placing=True) as heard:
        texts = texts_of(draw(trace, "network", moments(trace)[1]), True)
    assert not unclaimed(trace, texts, heard)
    assert any(places(text, heard)[1] for text in texts)
