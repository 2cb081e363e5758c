"""Language: words come from the table of the language that is spoken, wherever they are shown."""

import json
import re
import string
import threading

import numpy as np
import pytest

from tests.unspoken import unspoken
from visualizer import language, views
from visualizer.cli import main
from visualizer.language import english, kept_by_language, nearest, speaking, spoken, tr, translated
from visualizer.registry import files
from visualizer.scene.picture import Look, Picture, Run, Text
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Layer, Refused, Trace

PSEUDO = "xx"


class Bracketed(dict[str, str]):
    """The table of a language in which every word is itself between brackets."""

    def get(self, text, otherwise=None):
        return f"⟦{text}⟧" if text else text


@pytest.fixture
def pseudo(monkeypatch):
    """While a test runs there is a language more."""
    real = language.table
    monkeypatch.setattr(language, "table", lambda code: Bracketed() if code == PSEUDO else real(code))
    return PSEUDO


@pytest.fixture
def table(tmp_path, monkeypatch):
    """table(code, words): a file that is added is a language that can be spoken, for as long as the test runs."""
    def add(code, words):
        path = tmp_path / f"{code}.json"
        path.write_text(json.dumps(words), encoding="utf-8")
        real = language._files()
        monkeypatch.setattr(language, "_files", lambda: {**real, code: path})
        language._table.cache_clear()

    yield add
    language._table.cache_clear()


def test_english_is_spoken_until_another_language_is(table):
    table("qq", {"@title": "Quequ", "Open": "Apri"})
    assert (tr("Open"), spoken()) == ("Open", "")
    with speaking("qq"):
        assert (tr("Open"), tr("Close"), spoken()) == ("Apri", "Close", "qq")
        with speaking(""):
            assert tr("Open") == "Open"
        assert translated(english("Open")) == "Apri"
    assert tr("Open") == "Open"


def test_a_language_is_a_file(table):
    assert next(iter(language.languages().items())) == ("", "English")
    assert "qq" not in language.languages()
    table("qq", {"@title": "Quequ"})
    assert language.languages()["qq"] == "Quequ"
    assert language.chosen("qq") == "qq"
    assert language.chosen("en") == ""
    with pytest.raises(LookupError, match="There is no language 'zz'; choose one of en, "):
        language.chosen("zz")


def test_a_language_that_is_not_there_is_english():
    """A picture may come from somebody who has it; its name leads to no other file either."""
    for code in ("zz", "../samples/licences", ""):
        with speaking(code):
            assert tr("Open") == "Open"


def test_the_nearest_language_is_the_first_that_can_be_spoken(table):
    table("qq", {"@title": "Quequ"})
    assert nearest(["zz-ZZ", "qq_QQ", "en"]) == "qq"
    assert nearest(["en-GB", "qq"]) == ""
    assert nearest(["C"]) == nearest([]) == ""


def test_what_is_said_elsewhere_at_the_same_time_is_not_mixed_up(table):
    table("qq", {"Open": "Apri"})
    heard = []
    with speaking("qq"):
        thread = threading.Thread(target=lambda: heard.append(tr("Open")))
        thread.start()
        thread.join()
        heard.append(tr("Open"))
    assert heard == ["Open", "Apri"]


def test_what_is_kept_is_kept_for_each_language(table):
    table("qq", {"Step {n}": "Passo {n}"})
    made = []

    @kept_by_language()
    def step(number):
        made.append(number)
        return tr("Step {n}").format(n=number)

    for _ in range(2):
        assert step(3) == "Step 3"
        with speaking("qq"):
            assert step(3) == "Passo 3"
    assert made == [3, 3]


@pytest.mark.parametrize("path", files("assets", "i18n/*.json"), ids=lambda path: path.stem)
def test_a_table_says_its_name_and_keeps_what_is_filled_in(path):
    words = json.loads(path.read_text(encoding="utf-8"))
    assert words[language.TITLE]
    for source, other in words.items():
        assert isinstance(other, str)
        assert other, source
        assert _filled(source) == _filled(other), source
        assert (source[:1] == " ") == (other[:1] == " "), f"{source!r} is put together with what stands before it"
        assert (source[-1:] in ".?!") == (other[-1:] in ".?!"), source


def _filled(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


# --- pictures -------------------------------------------------------------------------------------------------------

def spelled(trace, moment, focus, look):
    """A view with one word in it."""
    return Picture(look.size, (Text(10, 20, (Run(tr("Word {n}").format(n=3)),)),), caption=tr("Said"))


@pytest.fixture
def small():
    return Trace("small", (Layer("input", "input", ("class",), {}, (), np.array([1.0, 2.0], dtype=np.float32)),))


def test_a_view_draws_in_the_language_of_its_look(pseudo, small):
    view = views.View("spelled", "Spelled", "Says a word.", lambda trace: True, spelled, aside=spelled, page=spelled)
    moment = timeline(small).settled(0)
    for draw in (view.draw, view.aside, view.page):
        assert draw(small, moment, None, Look()).caption == "Said"
        picture = draw(small, moment, None, Look(language=pseudo))
        assert picture.caption == "⟦Said⟧"
        assert picture.still[0].runs[0].text == "⟦Word 3⟧", "numbers stay as they are"
    assert spoken() == ""


def test_the_language_is_saved_with_the_look_and_may_be_missing():
    state = changed(State(), look=Look(language="de"))
    assert from_json(to_json(state)) == state
    old = json.loads(to_json(state))
    del old["places"][0]["look"]["language"]
    assert from_json(json.dumps(old)).look.language == ""
    old["places"][0]["look"]["language"] = 3
    with pytest.raises(Refused, match="language is '3'"):
        from_json(json.dumps(old))


def test_the_command_line_draws_in_a_language(tmp_path, capsys, table):
    table("qq", {"@title": "Quequ"})
    from visualizer.export import state_in

    path = tmp_path / "shot.svg"
    assert main(["shot", "digits_cnn", "--language", "qq", "-o", str(path)]) == 0
    assert from_json(state_in(path)).look.language == "qq", "the picture opens again in its language"
    again = tmp_path / "again.svg"
    assert main(["shot", str(path), "-o", str(again)]) == 0
    assert from_json(state_in(again)).look.language == "qq"
    assert main(["shot", str(path), "--language", "en", "-o", str(again)]) == 0
    assert from_json(state_in(again)).look.language == ""
    capsys.readouterr()
    assert main(["list", "languages"]) == 0
    assert re.search(r"^en +English$", listed := capsys.readouterr().out, re.MULTILINE)
    assert re.search(r"^qq +Quequ$", listed, re.MULTILINE)
    assert main(["shot", "digits_cnn", "--language", "zz", "-o", str(path)]) == 2
    said = capsys.readouterr().err
    assert re.search(r"There is no language 'zz'; choose one of en, .*qq", said), said


# --- what is not translated yet -------------------------------------------------------------------------------------

def test_words_that_nobody_translates_are_found():
    source = '''"""The module."""
KINDS = {"some": 1}
def said(n: "int") -> str:
    """One sentence."""
    if n == "two words":
        raise ValueError("This is for whoever calls.")
    picture = tr("Word {n} of all").format(n=n)
    return picture + f"a gate of {n}" + "Softmax" + "three words here" + "accent-ink"
'''
    assert [words for _, words in unspoken(source)] == ['f"a gate of {n}"', "Softmax", "three words here"]
