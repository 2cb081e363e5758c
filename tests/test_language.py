"""Language: words come from the table of the language that is spoken, wherever they are shown."""

import ast
import json
import re
import string
import threading
from contextlib import suppress

import numpy as np
import pytest
import torch

from tests.sources import nodes
from tests.test_causes import CASES as CAUSES
from tests.test_causes_recorded import TRUE_AND_FALSE as RECORDED_CAUSES
from tests.test_kinds import EXAMPLES, recorded
from tests.test_kinds_recurrent import CASES, trace_of
from tests.toys import toy
from tests.unspoken import PACKAGE, refusals, unspoken
from tests.unspoken import spoken as find_spoken
from visualizer import answers, claims, glossary, inputs, kinds, lab, language, titles, views
from visualizer.cli import main
from visualizer.kinds import gates, recurrent
from visualizer.language import english, kept_by_language, nearest, speaking, spoken, tr, translated
from visualizer.registry import files
from visualizer.scene import colour, figures, logchart, parts
from visualizer.scene.picture import Look, Picture, Run, Text
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Answer, Layer, Refused, Sample, Trace

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


QUOTES, QUOTED = "“”„‟«»\"", {"de": "„“", "fr": "«»", "es": "«»", "it": "«»"}
"""The marks that quote something, and those with which each language does."""
TYPED = {
    "One number: 0.5.",
    "“{words}” is no target; write a class (4), a number (0.5), a list (1,0,2), or name a file of numbers (.npy, .csv, "
    ".txt).",
    "For a learning platform: GIFT, QTI 2.1 or a table (CSV)",
}
"""In these a number stands as it is typed, or is the name of a version."""


@pytest.mark.parametrize("path", files("assets", "i18n/*.json"), ids=lambda path: path.stem)
def test_a_table_writes_as_its_language_does(path):
    words = json.loads(path.read_text(encoding="utf-8"))
    for source, other in words.items():
        bare = re.sub("`[^`]*`", "", other)
        assert not set(bare) & set(QUOTES) - set(QUOTED[path.stem]), source
        assert not re.search(r"[^\W\d_]'[^\W_]", bare), f"an apostrophe, ’, in {source!r}"
        assert source in TYPED or not re.search(r"\d\.\d", bare), f"a decimal comma in {source!r}"
        if path.stem == "fr":
            assert not re.search(r"[^\u202f][;!?](\s|$)|« |[^\u00a0 ]»| »| [;:!?](\s|$)", bare), source


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
    if n == "three words":
        raise Refused("This is for a person.")
    picture = tr("Word {n} of all").format(n=n)
    return picture + f"a gate of {n}" + "Softmax" + "three words here" + "accent-ink"
'''
    assert [words for _, words in unspoken(source)] == ["This is for a person.", 'f"a gate of {n}"', "Softmax",
                                                        "three words here"]
    assert [words for _, words in refusals(ast.walk(ast.parse(source)))] == ["'This is for a person.'"]


ENGLISH_ALONE = {
    "cli.py", "told.py", "language.py",  # on stderr
    "data.py", "record/own_step.py", "record/watching.py", "scene/colour.py",  # to whoever writes Python
    "scene/handwritten.py", "scene/stepbeat.py", "engine/server.py", "ui/heard.py",  # to other code, which goes on
}
"""Files whose errors nobody reads in a window or a picture."""


def test_every_refusal_is_said_in_the_language_of_a_person():
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix() not in ENGLISH_ALONE:
            assert not list(refusals(nodes(path))), f"{path}: write tr(…) around it"


# --- what kinds, answers, inputs and causes say ----------------------------------------------------------------------

KNOWN = frozenset(words for path in PACKAGE.rglob("*.py") for words in find_spoken(path))
"""All that somebody can translate."""
SIGNS = {"NaN", "tanh", "max", "min", "target", "index", "LSTM", "GRU", "RNN", "ReLU", "PReLU", "ELU", "CELU", "SELU",
         "GELU", "SiLU"}
"""What a formula is written with, and names of the field, are the same in every language."""


class Outlined(dict[str, str]):
    """The table of a language in which all that is known stands between brackets, without what is filled in: that has
    to be known itself."""

    def get(self, text, otherwise=None):
        if text not in KNOWN:
            return text
        pieces = string.Formatter().parse(text)
        return "".join((f"⟦{plain}⟧".replace("{", "{{").replace("}", "}}") if plain else "")
                       + ("" if name is None else f"{{{name}}}") for plain, name, _, _ in pieces)


@pytest.fixture
def outlined(monkeypatch):
    """While a test runs, such a language is spoken."""
    real = language.table
    monkeypatch.setattr(language, "table", lambda code: Outlined() if code == PSEUDO else real(code))
    with speaking(PSEUDO):
        yield


def bare(said, names=()):
    """The English words of a text that nobody can translate; names are none."""
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, " ")
    outside = re.sub(r"⟦[^⟧]*⟧", " ", said)
    return set(re.findall(r"[A-Za-z]{3,}", outside)) - SIGNS


def terms_of(trace, layer, kind):
    """What of a layer is taken apart: of its output, of what it hands back, of its weights, of all that is inside."""
    inputs_, first = trace.inputs(layer), lambda array: (0,) * array.ndim
    asks = [(kind.terms, first(layer.output))]
    if layer.gradient is not None:
        asks += [(kind.backward_terms, which, first(source.output)) for which, source in enumerate(inputs_)]
    if kind.weight_terms is not None:
        asks += [(kind.weight_terms, name, first(values)) for name, values in layer.weights.items()]
    if kind.inner_terms is not None:
        asks += [(kind.inner_terms, key, 0, 0) for key in layer.inner]
    if kind.inner_backward_terms is not None:
        asks += [(kind.inner_backward_terms, key, 0, 0) for key in layer.inner_gradients]
    for function, *what in asks:
        with suppress(LookupError):  # the index of a choice has no gradient
            yield kinds.asked(function, layer, inputs_, *what)


def said_of(trace, layer):
    """All that a kind says of a layer."""
    kind = kinds.of(layer)
    assert kind is not None
    yield kinds.sentence(trace, layer.name)
    yield kind.short(layer, trace.inputs(layer))
    yield from (translated(words) for words in (kind.title, kind.back))
    yield from (translated(flat.rule) for flat in kind.flat(layer).values())
    for terms in terms_of(trace, layer, kind):
        yield translated(terms.formula)
        yield from (translated(name) for name, _ in terms.met if not name.startswith("bias_"))
    for key in layer.inner:
        yield recurrent.inner_sentence(layer, trace.inputs(layer), key, 0, 0)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_all_that_a_kind_says_can_be_translated(example, outlined):
    trace = recorded(example, torch.float64)
    for said in said_of(trace, trace["y"]):
        assert not bare(said, ["axis"]), said


@pytest.mark.parametrize("case", CASES)
def test_all_that_is_said_of_steps_can_be_translated(case, outlined):
    trace = trace_of(case)
    names = [layer.name for layer in trace]
    for layer in trace:
        if kinds.of(layer) is not None:
            for said in said_of(trace, layer):
                assert not bare(said, names), said


def test_names_of_gates_and_states_can_be_translated(outlined):
    for family in gates.FAMILIES.values():
        for key, quantity in family.quantities.items():
            for said in (gates.named(key), gates.named(f"{key}{gates.PREACTIVATION}"), translated(quantity.means)):
                assert not bare(said), said
        for key in family.shown:
            assert not bare(translated(family.quantities[key].tab)), key


@pytest.mark.parametrize("cause", [*CAUSES, *RECORDED_CAUSES], ids=lambda case: case[0].__name__)
def test_causes_can_be_translated(cause, outlined):
    function, true, *_ = cause
    assert not bare(function(*true), ("Forget gate",)), function(*true)


def answering(kind, values, axes, **more):
    """A recording of one answer."""
    layer = Layer("out", "linear", axes, {}, ("x",), np.array(values, np.float32))
    source = Layer("x", "input", ("feature",), {}, (), np.array([1.0], np.float32))
    truth = more.pop("truth", None)
    return Trace("toy", (source, layer), sample=Sample("some", label=more.pop("label", None)), answers=(
        Answer("out", kind, settings=more, truth=None if truth is None else np.array(truth, np.float64)),))


ANSWERING = {
    "classes": [{"values": [0.25, 0.75], "axes": ("class",), "label": label} for label in (None, 0, 1)],
    "tokens": [{"values": [[0.25, 0.75]], "axes": ("step", "class")}],
    "items": [{"values": [[0.25, 0.75]], "axes": ("item", "class")}],
    "spoken": [{"values": [[0.25, 0.75]], "axes": ("step", "class"), "end": end} for end in (0, 1)],
    "string": [{"values": [shares], "axes": ("step", "class")} for shares in ([0.25, 0.75], [1.0, 0.0])],
    "number": [{"values": [2.0], "axes": ("unit",), "truth": truth} for truth in (None, [1.0])],
    "numbers": [{"values": [2.0, 1], "axes": ("unit",), "truth": truth} for truth in (None, [1.0, 1])],
    "mask": [{"values": [[2.0, 0]], "axes": ("row", "column"), "truth": truth} for truth in (None, [[1.0, 1]])],
    "segments": [{"values": [[[2.0, 2]], [[0, other]]], "axes": ("class", "row", "column"), "truth": truth, "ground": 0}
                 for other, truth in ((1, None), (1, [[0, 0]]), (3, None), (3, [[0, 1]]))],
    "picture": [{"values": [[2.0, 0]], "axes": ("row", "column"), "truth": truth} for truth in (None, [[1.0, 1]])],
    "boxes": [{"values": boxes, "axes": ("box", "value"), "truth": [[0, 0, 2, 2.0]]} for boxes in
              ([[0.9, 0, 0, 2, 2.0]], [[0.9, 0, 0, 2, 2.0], [0.8, 5, 5, 6, 6]], [[0.1, 0, 0, 2, 2]])],
}


@pytest.mark.parametrize("kind", answers.kinds(), ids=lambda kind: kind.name)
def test_all_that_is_said_of_an_answer_can_be_translated(kind, outlined):
    assert not bare(translated(kind.title))
    assert not bare(translated(kind.name))
    for made in ANSWERING[kind.name]:
        trace = answering(kind.name, **made)
        assert not bare(said := answers.sentence(trace, trace.answers[0])), said
        assert not any(bare(what) for what, _ in answers.score(trace, trace.answers[0]))
        with pytest.raises(Refused) as refused:
            answers.scalar(trace.answers[0], trace["out"].output, "logit:99")
        assert not bare(str(refused.value), ("logit",)), refused.value


@pytest.mark.parametrize("kind", inputs.kinds(), ids=lambda kind: kind.name)
def test_all_that_is_said_of_an_input_can_be_translated(kind, outlined):
    for said in (translated(kind.title), translated(kind.one), translated(kind.step), kind.source(), kind.foretells()):
        assert not bare(said, ("MNIST",)), said
    word = "strip:1 2" if kind.mark == "text:" else "text:some"
    if kind.name == "nothing":  # it refuses nothing
        assert not bare(titles.of(inputs.given(word, kind.name).sample))
        return
    with pytest.raises(Refused) as refused:
        inputs.given(word, kind.name)
    names = [sample.name for sample in inputs.all_samples(kind.name)]
    assert not bare(str(refused.value), (*names, *re.findall(r"\w+", word), kind.name)), refused.value


def test_the_knobs_of_the_laboratory_can_be_translated(outlined):
    assert not bare(translated(lab.TITLE))
    for knob in lab.knobs():
        for said in (knob.title, knob.about, knob.note):
            assert not bare(said), said
    with pytest.raises(Refused) as refused:
        lab.from_knobs({"gain": "much"})
    assert not bare(str(refused.value), ("gain", "much")), refused.value


def test_what_stands_at_colours_and_axes_can_be_translated(outlined):
    trace = toy()
    names = [layer.name for layer in trace]
    looks = [Look(), Look(scope="unit"), Look(scope="network")]
    scales = [parts.scale_of(trace, layer, look, backward) for layer in trace for look in looks
              for backward in (False, True)]
    for scale in (*scales, parts.weight_scale("conv", 1.0, True), parts.weight_scale("conv", 1.0, False)):
        for bar in figures.bars([scale]):
            for said in (bar.title, *bar.ends, bar.listed):
                assert not bare(said, (*names, "conv")), said
    for value in (np.nan, np.inf, 0.0, 1e-9):
        assert not bare(logchart.words(value, None))


def test_the_pseudo_language_finds_what_nobody_can_translate(outlined):
    assert bare(tr("Open")) == set()
    assert bare(translated("No such words anywhere")) == {"such", "words", "anywhere"}
    assert bare(tr("{rows} rows of {size}").format(rows=3, size="three")) == {"three"}


# --- no word is missing ---------------------------------------------------------------------------------------------

def in_files():
    """What stands on the cards of the start screen, themes' names, words of the glossary and of the claims: whatever is
    in files."""
    for path in files("assets", "start/*.json"):
        card = json.loads(path.read_text(encoding="utf-8"))
        yield from (card[name] for name in ("title", "line", "group") if card.get(name))
    yield from (colour.theme(name).title for name in colour.names())
    yield from (term.word for term in glossary.terms())
    yield from (words for claim in claims.claims() for words in claims.words_of(claim))


@pytest.mark.parametrize("path", files("assets", "i18n/*.json"), ids=lambda path: path.stem)
def test_a_table_has_every_word_that_can_be_shown_and_no_other(path):
    words, wanted = set(json.loads(path.read_text(encoding="utf-8"))), KNOWN | set(in_files())
    assert not sorted(wanted - words), f"write them into {path.name}"
    assert not sorted(words - wanted - {language.TITLE}), "nobody says these any more"


@pytest.mark.parametrize("path", [path for path in files("assets", "glossary/*.json") if path.stem != "en"],
                         ids=lambda path: path.stem)
def test_a_glossary_explains_words_that_its_language_uses(path):
    said = " ¦ ".join(language.table(path.stem).values())
    with speaking(path.stem):
        met = set(glossary.found(said))
        for term in glossary.terms():
            assert term in met, f"{term.word} is used nowhere"
            assert term.says.endswith(".")
            assert 20 < len(term.says) < 200
