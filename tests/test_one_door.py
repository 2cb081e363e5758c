"""The law of the door: what the command line opens, the window opens, at the same place and with the same numbers; and
what one refuses, the other refuses, in the same sentence."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QObject, Signal
from safetensors.torch import load_file, save_file
from torch import nn

from tests.hostile import archived, exported_words
from tests.sources import EACH, MAIN
from tests.test_door import FIXTURES, one_more, things  # noqa: F401  one_more is a fixture
from tests.toys import toy
from visualizer import cli, consent, door, manifest, opening, registry
from visualizer.engine.requests import REQUESTS
from visualizer.scene.state import State, changed
from visualizer.trace import Refused
from visualizer.ui.asking import Asking
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store

FILES = sorted(path for path in FIXTURES.rglob("*") if path.is_file() and path.suffix not in (".md", ".json"))
KINDS = {registry.card(name)["input"]["kind"]: name for name in MAIN}
"""A model of each kind of input."""


class Engine(QObject):
    """The engine without a process of its own: it answers when it is let."""

    ready, answered, refused, failed, died = (Signal(object), Signal(int, str, object), Signal(int, str),
                                              Signal(int, str), Signal(str))
    progress, slow = Signal(int, float, str), Signal(int, float, float, str)

    def __init__(self):
        super().__init__()
        self.waiting, self.count = [], 0

    def request(self, name, /, lane="", **wishes):
        self.count += 1
        self.waiting.append((self.count, name, wishes))
        return self.count

    def cancel(self, number):
        self.waiting = [asked for asked in self.waiting if asked[0] != number]

    interrupt = cancel

    def work(self):
        while self.waiting:
            number, name, wishes = self.waiting.pop(0)
            if name in ("describe", "record", "lab", "survey"):  # nothing else changes what is open
                try:
                    self.answered.emit(number, name, REQUESTS[name](**{**wishes, **unchecked(name)}))
                except Refused as error:
                    self.refused.emit(number, str(error))


def unchecked(name):
    return {"check": False} if name == "record" else {}


def by_window(thing: str | Path, numbers: bool = True):
    """The State and the recording of a window that was just started, after it has opened a thing; or what it said."""
    recorder, said = Recorder(Store(State()), Engine()), []
    recorder.said.connect(said.append)
    recorder.open(str(thing))
    if not numbers:
        recorder.engine.waiting = [asked for asked in recorder.engine.waiting if asked[1] == "describe"]
    recorder.engine.work()
    return (recorder.store.state, recorder.store.trace) if not said else said[0]


def by_sheet(thing: str | Path):
    """The same of a window in which a model file is asked about, and its one button pressed."""
    recorder, said = Recorder(Store(State()), Engine()), []
    asking = Asking(recorder)
    for speaker in (asking, recorder):
        speaker.said.connect(said.append)
    recorder.open(str(thing))
    recorder.engine.work()
    asked = asking.opening is not None
    for _ in range(2):  # of a program the first press runs it, so that it is known what is in it
        asking.go()
        recorder.engine.work()
    if asking.opening is not None:
        said.append(opening.page(asking.opening).problem)
    return ((recorder.store.state, recorder.store.trace) if not said else said[0]), asked


def by_command(thing: str | Path, monkeypatch, numbers: bool = True):
    """The same of the command line."""
    chosen = cli.parser().parse_args(["shot", str(thing), "-o", "a.png"])
    if not numbers:
        monkeypatch.setattr(cli, "_recorded", lambda state, chosen: None)
        monkeypatch.setattr("visualizer.scene.session.other_weights", lambda session, trace: "")
    try:
        return cli._state_and_trace(chosen)
    except Refused as error:
        return str(error)
    except LookupError as error:
        return error.args[0]


def alike(window, command) -> None:
    """Both stand in the same place; the window has a size of its own, and stands still."""
    assert not isinstance(window, str), window
    assert not isinstance(command, str), command
    look = replace(command[0].look, size=window[0].look.size)
    assert window[0] == changed(command[0], look=look, playing=False)
    if window[1] is not None and command[1] is not None:
        assert [layer.name for layer in window[1]] == [layer.name for layer in command[1]]
        for one, other in zip(window[1], command[1], strict=True):  # the window has a saved recording made once more
            np.testing.assert_allclose(one.output, other.output, rtol=1e-3, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_fixture_opens_in_both(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    alike(by_window(path.name), by_command(path.name, monkeypatch))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_and_from_another_folder(path, monkeypatch, tmp_path):
    """A picture may name a model that lies beside it."""
    monkeypatch.chdir(tmp_path)
    alike(by_window(path, numbers=False), by_command(path, monkeypatch, numbers=False))


@pytest.mark.parametrize("thing", [*KINDS.values(), "lab"])
def test_names_open_in_both(thing, monkeypatch):
    alike(by_window(thing), by_command(thing, monkeypatch))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
@pytest.mark.parametrize("model", KINDS.values())
def test_own_weights_open_in_both(model, suffix, monkeypatch, tmp_path):
    path = tmp_path / f"mine{suffix}"
    if suffix == ".safetensors":
        shutil.copy(registry.weights(model), path)
    else:
        torch.save(load_file(registry.weights(model)), path)
    window = by_window(path)
    alike(window, by_command(path, monkeypatch))
    assert window[1] is not None


def test_an_exported_program_opens_in_both(monkeypatch, tmp_path):
    path = tmp_path / "mine.pt2"
    path.write_bytes(archived(exported_words()))
    window = by_window(path)
    alike(window, by_command(path, monkeypatch))
    assert [layer.name for layer in window[1]][:2] == ["input", "conv"]


def strange():
    """A network that no bundled one is like."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 7)).eval()


def own(folder: Path, kind: str) -> Path:
    """A file of one's own of each format."""
    path = folder / f"mine{kind}"
    weights = strange().state_dict()
    if kind == ".pt2":
        torch.export.save(torch.export.export(strange(), (torch.rand(1, 3, 8, 8),)), path)
    elif kind == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in weights.items()})
    elif kind == ".safetensors":
        save_file(weights, path)
    else:
        torch.save({"state_dict": weights, "epoch": 3}, path)
    return path


@pytest.mark.parametrize("kind", [".pt2", ".pt", ".ckpt", ".safetensors", ".npz"])
def test_what_is_asked_about_opens_as_by_command_once_the_button_is_pressed(kind, monkeypatch, tmp_path):
    path = own(tmp_path, kind)
    command = by_command(path, monkeypatch)
    window, asked = by_sheet(path)
    alike(window, command)
    assert asked, "there is something that the file does not say"
    assert window[1] is not None
    again, asked = by_sheet(path)
    assert not asked, "it was said once"
    alike(again, command)


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.fc = nn.Conv2d(1, width, 3), nn.Linear(width, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))
"""


def test_a_program_runs_once_it_was_agreed_and_then_as_by_command(monkeypatch, tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET)
    refused = by_command(path, monkeypatch)
    assert isinstance(refused, str), "nobody has agreed to it"
    assert not consent.given(path)
    window, asked = by_sheet(path)
    assert asked
    assert consent.given(path)
    assert not isinstance(window, str), window
    monkeypatch.chdir(tmp_path)
    command = by_command("net.py:Net", monkeypatch)
    assert [layer.name for layer in window[1]] == [layer.name for layer in command[1]]
    assert np.array_equal(window[1].layers[-1].output, command[1].layers[-1].output)
    path.write_text(NET + "\n")
    assert isinstance(by_command(path, monkeypatch), str), "another version is asked again"


def test_what_is_said_on_the_sheet_is_what_a_command_says(monkeypatch, tmp_path):
    """The same manifest comes of the answers and of the options, and the same numbers come of that."""
    path = own(tmp_path, ".pt2")
    recorder = Recorder(Store(State()), Engine())
    asking = Asking(recorder)
    recorder.open(str(path))
    recorder.engine.work()
    for name, word in (("scale", "0 … 255"), ("colours", "BGR"), ("fit", "pad"), ("preset", "imagenet"),
                       ("labels", tuple("abcdefg"))):
        asking.answer(name, word)
        recorder.engine.work()
    asking.go()
    recorder.engine.work()
    here = recorder.store.state, recorder.store.trace
    manifest.forget(path)
    chosen = cli.parser().parse_args(["shot", str(path), "-o", "a.png", "--values", "0..255", "--colours", "BGR",
                                      "--fit", "pad", "--mean", "imagenet", "--labels", "a,b,c,d,e,f,g"])
    command = cli._state_and_trace(chosen)
    alike(here, command)
    assert np.array_equal(here[1].layers[0].output, command[1].layers[0].output)
    assert here[1].labels == command[1].labels == tuple("abcdefg")


@pytest.mark.matrix(spine=EACH, sample=5, each=False)
@pytest.mark.parametrize("model", registry.models())
def test_weights_of_every_bundled_model_begin_alike(model, monkeypatch, tmp_path):
    path = tmp_path / "mine.pt"
    torch.save(load_file(registry.weights(model)), path)
    alike(by_window(path, numbers=False), by_command(path, monkeypatch, numbers=False))


def test_files_of_every_kind_open_in_both_or_in_neither(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in things(tmp_path):
        window, command = by_window(name), by_command(name, monkeypatch)
        if isinstance(window, str) or isinstance(command, str):
            assert window == command, name
        else:
            alike(window, command)


@pytest.mark.parametrize(("name", "content"), [
    ("a.trace", b"no zip"), ("a.png", b"no picture"), ("a.session", b"[1, 2"), ("a.session", b'{"version": 999}'),
    ("a.svg", b"<svg/>"), ("a.pdf", b"%PDF-1.7"), ("a.onnx", b"\x08\x07"), ("a.safetensors", b""), ("a.pt", b"PK\3\4"),
    ("a.pt", b"<html>"), ("a.csv", b"a,b"), ("a.txt", b"\xff\xfe"), ("a", b"nothing"), ("gone.pt", None),
    ("gone", None),
])
def test_what_is_refused_is_refused_by_both_in_one_sentence(name, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    window = by_window(name)
    assert isinstance(window, str)
    assert window == by_command(name, monkeypatch)
    assert window.endswith(".")
    assert "\n" not in window


def test_a_format_that_is_added_opens_in_both(one_more, monkeypatch):  # noqa: F811
    window = by_window(one_more)
    alike(window, by_command(one_more, monkeypatch))
    assert window[1].title == "LeNet-5"


def test_a_folder_opens_in_both(tmp_path, monkeypatch):
    for number in (10, 2):
        toy().save(tmp_path / f"{number}.trace")
    window = by_window(tmp_path)
    alike(window, by_command(tmp_path, monkeypatch))
    assert window[0].reel == ("2.trace", "10.trace")
    (tmp_path / "2.trace").unlink()
    assert by_window(tmp_path) == by_command(tmp_path, monkeypatch), "one alone is no reel"
    assert isinstance(by_window(tmp_path), str)


def test_a_picture_of_the_laboratory_opens_in_both(tmp_path, monkeypatch):
    path = tmp_path / "lab.png"
    assert cli.main(["shot", "lab", "--set", "steps=12,precision=float32", "-o", str(path)]) == cli.DONE
    assert door.recognise(path).what == door.SAVED
    window = by_window(path)
    alike(window, by_command(path, monkeypatch))
    assert window[1].digest
