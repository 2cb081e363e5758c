"""The door: a name or a file is the same thing to whoever opens it, told by what it holds, without torch and Qt."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.sources import EACH
from tests.toys import toy
from visualizer import card, door, export, record, registry
from visualizer.scene import session
from visualizer.scene.state import State, changed, to_json
from visualizer.trace import Refused

FIXTURES = Path(__file__).parent / "fixtures"
HERE = changed(State(), model="toy.trace", sample="two", view="microscope", at="conv.forward@0.25")


def refusal(path: str | Path) -> str:
    with pytest.raises((Refused, LookupError)) as caught:
        door.recognise(path)
    sentence = str(caught.value.args[0])
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def drawn(path: Path) -> Path:
    ink = np.zeros((28, 28), np.uint8)
    ink[6:22, 12:15] = 255
    Image.fromarray(ink).save(path)
    return path


# --- what it is -----------------------------------------------------------------------------------------------------

def things(folder: Path) -> dict[str, str]:
    """One file of every kind that opens, each as what it should be recognised as."""
    weights = load_file(registry.weights("char_gru"))
    torch.save(weights, folder / "mine.pt")
    shutil.copy(registry.weights("digits_cnn"), folder / "other.safetensors")
    toy().save(folder / "a.trace")
    (folder / "a.session").write_bytes(session.to_bytes(HERE, toy()))
    (folder / "bare.session").write_bytes(session.state_bytes(HERE, toy()))
    for suffix in ("png", "svg", "pdf"):
        export.save(export.draw(toy(), at="conv.forward"), folder / f"a.{suffix}", state_json=to_json(HERE))
    (folder / "words.txt").write_text("Full fathom five", "utf-8")
    (folder / "numbers.csv").write_text("0.1,0\n0.2,1\n", "utf-8")
    drawn(folder / "four.png")
    (folder / "own.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0")
    return {"mine.pt": door.MODEL, "other.safetensors": door.MODEL, "a.trace": door.RECORDING, "a.session": door.SAVED,
            "bare.session": door.SAVED, "a.png": door.SAVED, "a.svg": door.SAVED, "a.pdf": door.SAVED,
            "words.txt": door.INPUT, "numbers.csv": door.INPUT, "four.png": door.INPUT,
            "own.mp4": door.INPUT}


def test_a_file_of_every_kind_is_told(tmp_path):
    for name, what in things(tmp_path).items():
        assert door.recognise(tmp_path / name).what == what, name
        assert (tmp_path / name).suffix in door.endings()


def test_what_a_file_holds_tells_more_than_its_ending(tmp_path):
    known = things(tmp_path)
    for name in ("mine.pt", "other.safetensors", "a.trace", "a.session", "a.png", "a.svg", "a.pdf"):
        for other in ("plain", "plain.dat", "plain.txt", "plain.png"):
            shutil.copy(tmp_path / name, tmp_path / other)
            assert door.recognise(tmp_path / other).what == known[name], (name, other)


@pytest.mark.parametrize("path", sorted(path for path in FIXTURES.rglob("*") if path.is_file()
                                        and path.suffix in door.endings()), ids=lambda path: path.name)
def test_every_fixture_is_told(path):
    assert door.recognise(path).what in (door.SAVED, door.RECORDING, door.MODEL)


def test_names_come_before_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits_cnn").mkdir()
    (tmp_path / "lab").write_text("x")
    assert door.recognise("digits_cnn").what == door.BUNDLED
    assert door.recognise("lab").what == door.LABORATORY


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.pdf", b"%PDF-1.4 of somebody else", "does not say what it shows"),
    ("a.mp4", b"\0\0\0\x10ftypisom\0\0\0\0Software Visualizer", "does not say what it shows"),
    ("a.docx", b"\x08\x07", "is of no kind that opens here"),
    ("a", b"words", "is of no kind that opens here"),
    ("a.session", b"PK\x03\x04 cut off", "damaged"),
    ("a.session", b"{}", "no saved state"),
    ("a.session", b"", "cannot be read"),
])
def test_what_opens_nowhere_is_one_sentence(name, content, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert words in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["gone.pt", "gone.trace", "gone.session", "gone.png", "gone.csv"])
def test_a_file_that_is_not_there_is_named(name, tmp_path):
    assert refusal(tmp_path / name) == f"There is no file {tmp_path / name}; check the name."


@pytest.mark.parametrize("name", ["digits", "x" * 5000, "no\0name", "gone.xyz"])
def test_a_name_that_there_is_not_is_one_sentence(name):
    assert refusal(name).startswith("There is no model")


def test_a_folder_is_no_file(tmp_path):
    assert "is a folder" in refusal(tmp_path)


# --- where one stands -----------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=EACH, sample=5, each=False)
@pytest.mark.parametrize("model", registry.models())
def test_the_card_in_a_header_is_the_one_of_the_opened_model(model):
    crossed = card.from_plain(json.loads(json.dumps(record.describe(model).plain())))
    assert crossed == door.card_of(model)
    assert crossed.weights == registry.module("record").record(model).hashes["weights"]


@pytest.mark.matrix(spine=EACH, sample=5, each=False)
@pytest.mark.parametrize("model", registry.models())
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_own_weights_begin_with_what_they_read(model, suffix, tmp_path):
    """A state dict that somebody saved opens as the network does that it fits: with an input that it reads."""
    path = tmp_path / f"mine{suffix}"
    if suffix == ".pt":
        torch.save(load_file(registry.weights(model)), path)
    else:
        shutil.copy(registry.weights(model), path)
    known = record.describe(path)
    here = door.open_(door.recognise(path), cards=lambda name: known if name == str(path) else door.card_of(name))
    named = door.open_(door.recognise(model))
    assert here.state.model == str(path)
    assert changed(here.state, model=model) == named.state
    assert known.samples[0] == here.state.sample
    assert record.record(path, here.state.sample).sample.name == here.state.sample


def test_an_input_a_view_and_a_moment_stay_where_the_next_model_reads_the_same():
    now = changed(State(), sample="digit-3", view="filters", at="conv2.forward")
    assert door.open_(door.recognise("lenet_mnist"), now).state == \
        changed(now, model="lenet_mnist")
    read = door.open_(door.recognise("char_lstm"), now).state
    assert (read.sample, read.view, read.at) == (card.bundled("char_lstm").samples[0], "unrolled", "")


def test_an_input_goes_into_the_model_that_is_open(tmp_path):
    things(tmp_path)
    found = door.recognise(tmp_path / "four.png")
    assert door.open_(found).state == changed(State(), sample=str(tmp_path / "four.png"))
    with pytest.raises(Refused, match="reads text"):
        door.open_(found, changed(State(), model="char_gru", sample="sea-change"))
    text = door.recognise(tmp_path / "words.txt")
    reading = changed(State(), model="char_gru", sample="sea-change")
    assert door.open_(text, reading).state.sample == str(tmp_path / "words.txt")


def test_a_recording_brings_its_numbers_and_a_session_too(tmp_path):
    things(tmp_path)
    opened = door.open_(door.recognise(tmp_path / "a.trace"))
    assert (opened.state.sample, opened.trace.digest) == ("two", toy().digest)
    opened = door.open_(door.recognise(tmp_path / "a.session"))
    assert (opened.state, opened.trace.digest) == (HERE, toy().digest)


def test_a_model_that_is_missing_is_named_and_the_laboratory_never_is(tmp_path):
    (tmp_path / "a.session").write_bytes(session.state_bytes(changed(HERE, model="/gone/mine.pt"), None))
    with pytest.raises(Refused, match=r"/gone/mine\.pt"):
        door.open_(door.recognise(tmp_path / "a.session"))
    inside = door.open_(door.recognise("lab")).state
    (tmp_path / "a.session").write_bytes(session.state_bytes(inside, None))
    assert door.open_(door.recognise(tmp_path / "a.session")).state == inside


# --- one format more, and none twice --------------------------------------------------------------------------------

FORMAT = '''
"""`.numbers`: a model of digits, of which nothing but the ending is a file."""
SUFFIXES, TITLE = (".numbers",), "file of numbers"


def open_file(path, told):
    from dataclasses import replace
    from visualizer.record.catalog import open_model
    return replace(open_model("lenet_mnist"), name=path.stem)
'''


@pytest.fixture
def one_more(tmp_path, monkeypatch):
    """A file of one more format, while its module lies in a folder of formats."""
    from visualizer.record import formats

    folder = tmp_path / "formats"
    folder.mkdir()
    (folder / "numbers_of_a_test.py").write_text(FORMAT, "utf-8")
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(folder)])
    registry.modules.cache_clear()
    path = tmp_path / "mine.numbers"
    path.write_bytes(b"1 2 3")
    yield path
    registry.modules.cache_clear()
    sys.modules.pop("visualizer.record.formats.numbers_of_a_test", None)


def test_a_format_of_models_is_one_file(one_more):
    assert ".numbers" in dict(door.kinds())["Models"]
    assert door.recognise(one_more).what == door.MODEL
    known = record.describe(one_more)
    assert known.samples
    here = door.open_(door.recognise(one_more), cards=lambda name: known)
    assert (here.state.model, here.state.view) == (str(one_more), "network")


def test_neither_torch_nor_qt_is_needed_to_open_anything(tmp_path):
    things(tmp_path)
    code = f"""
import sys
from pathlib import Path
from visualizer import card, door
known = card.of_words("mine", {{"input": {{"kind": "text"}}}})
for thing in (*sorted(map(str, Path({str(tmp_path)!r}).iterdir())), "digits_cnn", "char_gru", "lab"):
    found = door.recognise(thing)
    try:
        door.open_(found, cards=lambda name: door.card_of(name) or known)
    except door.Refused as error:
        assert str(error).endswith("."), error
print("found", [name for name in ("torch", "PySide6", "pyqtgraph") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "found []\n", done.stdout + done.stderr


def test_a_bundled_model_is_known_by_its_name_alone():
    assert all(map(registry.is_bundled, registry.models()))
    for name in ("", "lab", "digits", "_private", "../models/digits_cnn", "digits_cnn.before", "x" * 5000, "a\0b",
                 str(registry.weights("digits_cnn"))):
        assert not registry.is_bundled(name)


@pytest.mark.parametrize(("name", "content", "model", "words"), [
    ("a.txt", "Wherefore stay, Mercutio!", "char_gru", ""), ("b.csv", "0.5,1\n0.25,0\n0.75,1\n", "adding_gru", ""),
    ("c.txt", "Tanaka", "surname_gru", ""), ("d.csv", "", "", "holds no numbers"),
    ("e.wav", "RIFF", "", "no sound that can be read"), ("f.txt", "x" * 20000, "", "more than 10,000"),
])
def test_where_no_model_was_chosen_an_input_goes_to_one_that_reads_it_or_is_refused(name, content, model, words,
                                                                                     tmp_path):
    """As on the start screen, onto which anything can be dropped; with a model open, that one has to read it."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    found = door.recognise(path)
    with pytest.raises(Refused, match="Digits CNN reads"):
        door.open_(found, State())
    if words:
        with pytest.raises(Refused, match=words):
            door.open_(found, State(), chosen=False)
        return
    state = door.open_(found, State(), chosen=False).state
    assert (state.model, state.sample, state.view) == (model, str(path), card.bundled(model).view)
    record.pass_of(state.model, state.sample)


def test_a_chosen_model_is_kept_where_it_reads_such_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("all the world", encoding="utf-8")
    now = changed(State(), model="char_lstm", sample="text:wherefore art thou", view="unrolled")
    assert door.open_(door.recognise(path), now, chosen=False).state.model == "char_lstm"
