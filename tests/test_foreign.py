"""Files of other programs: each is told by what it holds, whatever it is called, with a line that makes it open.

All are made here, as their programs begin them. The lines that torch can run are run, and what they make is opened.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import pickle
import re
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import door
from visualizer.record import open_model
from visualizer.record.formats import _foreign, refused
from visualizer.trace import Refused


class Net(nn.Module):
    """A class of somebody's own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.fc = nn.Linear(3 * 6 * 6, 2)

    def forward(self, x):
        return self.fc(self.conv(x).relu().flatten(1))


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


def torch_file(value: object, **how: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **how)
    return buffer.getvalue()


def scripted() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(Net().eval(), torch.zeros(1, 1, 8, 8)), buffer)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("mine.pt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    return buffer.getvalue()


def safe(promised: int, there: int) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [promised // 4], "data_offsets": [0, promised]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(there)


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """A message of protobuf with short fields."""
    made = b""
    for number, value in fields:
        key = number << 3 | (2 if isinstance(value, bytes) else 0)
        made += bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])
        if isinstance(value, bytes):
            made += bytes([len(value)]) + value
        else:
            made += bytes([value])
    return made


KERAS = b"\x89HDF\r\n\x1a\n" + bytes(600)
MADE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "whole.pt": (lambda: torch_file(Net()), "a whole Net", "'whole.pt2'"),
    "whole-of-before-1.6.pt": (lambda: torch_file(Net(), _use_new_zipfile_serialization=False), "a whole Net",
                               "torch.export.save"),
    "whole-in-a-checkpoint.ckpt": (lambda: torch_file({"epoch": 3, "model": Net()}), "a whole Net",
                                   "torch.export.save"),
    "arguments.pt": (lambda: torch_file({"args": argparse.Namespace(lr=1)}), "argparse.Namespace",
                     "torch.save(model.state_dict()"),
    "pickled.pkl": (lambda: pickle.dumps(Net()), "a whole Net", "torch.export.save"),
    "pickled-as-text.pkl": (lambda: pickle.dumps({"a": argparse.Namespace(lr=1)}, 0), "is a pickle", "torch.save"),
    "arrays.joblib": (lambda: pickle.dumps({"a": np.ones(3)}), "is a pickle", "torch.save(weights, 'arrays.pt')"),
    "forest.pkl": (lambda: b"\x80\x03csklearn.ensemble._forest\nRandomForestClassifier\nq\0)\x81.",
                   "RandomForestClassifier", ""),
    "script.pt": (scripted, r"is TorchScript \(Net\)", "torch.export.save"),
    "script.jit": (scripted, "is TorchScript", "'script.pt2'"),
    "package.pt": (lambda: zipped(**{"p__.data__extern_modules": b"torch", "p__model__a_dot_pkl": b"."}),
                   "torch.package", "torch.export.save"),
    "served.mar": (lambda: zipped(**{"MAR-INF__MANIFEST_dot_json": b"{}", "model_dot_pt": b"a"}), "TorchServe",
                   "unzip served.mar"),
    "compiled.so": (lambda: b"\x7fELF" + bytes(100), "machine code", "torch.export.save"),
    "compiled.pt2": (lambda: b"\x7fELF" + bytes(100), "machine code", "torch.export.save"),
    "keras.h5": (lambda: KERAS + b'model_config {"class_name": "Sequential"}', "model of Keras",
                 "keras.models.load_model('keras.h5').export('keras.onnx', format='onnx')"),
    "weights.h5": (lambda: KERAS, "HDF5 without the wiring", "model.export('weights.onnx', format='onnx')"),
    "named-wrongly.pt": (lambda: KERAS + b"model_config", "model of Keras", "load_model('named-wrongly.pt')"),
    "mine.keras": (lambda: zipped(config_dot_json=b"{}", metadata_dot_json=b"{}",
                                  **{"model_dot_weights_dot_h5": KERAS}), "model of Keras",
                   "keras.models.load_model('mine.keras')"),
    "saved_model.pb": (lambda: message((1, 1), (2, message((1, b"\n\x03Add")))), "SavedModel", "--saved-model"),
    "frozen.pb": (lambda: message((1, message((1, b"x"), (2, b"Placeholder")))), "frozen graph",
                  "--graphdef frozen.pb"),
    "mine.tflite": (lambda: b"\x1c\0\0\0TFL3" + bytes(40), "TensorFlow Lite",
                    "tf2onnx.convert --tflite mine.tflite --output mine.onnx"),
    "mine.ort": (lambda: b"\x1c\0\0\0ORTM" + bytes(40), "ONNX Runtime", ""),
    "mine.mlmodel": (lambda: message((1, 4), (2, message((1, message((1, b"image"), (3, b"a")))))), "Core ML",
                     "torch.export.save"),
    "mine.gguf": (lambda: b"GGUF\3\0\0\0" + bytes(40), "GGUF", ""),
    "mine.param": (lambda: b"7767517\n3 3\nInput data 0 1 data\n", "ncnn", "torch.export.save"),
    "mine.prototxt": (lambda: b'name: "LeNet"\nlayer {\n  name: "data"\n', "Caffe", "torch.export.save"),
    "mine.pdmodel": (lambda: message((1, message((1, 0)) + b"\x10" + b"\xff" * 9 + b"\x01" + message((3, b"v")))),
                     "PaddlePaddle", "paddle2onnx"),
    "mine.pdiparams": (lambda: bytes(16) + struct.pack("<i", 8) + b"\x08\x05\x10\x03" + bytes(40), "PaddlePaddle",
                       "--params_filename mine.pdiparams"),
    "page.onnx": (lambda: b"\n<!DOCTYPE html><html><title>Sign in\n to go on</title>",
                  r"web page \(“Sign in to go on”", ""),
    "page.pt": (lambda: b"<html>", "web page,", ""),
    "denied.safetensors": (lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>No access'
                                   b"</Message></Error>", r"answer of a server \(“AccessDenied”\)", ""),
    "missing.pt": (lambda: b'{"error":"Repository not found"}', r"answer of a server \(“Repository not found”\)", ""),
    "pointer.pt": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n", "git-lfs",
                   "git lfs pull --include=pointer.pt"),
    "pointer.bin": (lambda: b"/annex/objects/SHA256E-s12--abc.bin\n", "git-annex", "git annex get pointer.bin"),
    "empty.onnx": (lambda: b"", "is empty", ""),
    "zeros.pth": (lambda: bytes(5000), "nothing but zeros", ""),
    "cut.pt": (lambda: torch_file({"a": torch.zeros(99)})[:300], "is cut off", ""),
    "cut.safetensors": (lambda: safe(4000, 300), "promises 4,0[0-9]+ bytes, and 3[0-9]+ are here", ""),
    "mine.pt.gz": (lambda: gzip.compress(b"abc"), r"packed \(gzip\)", "gunzip -k mine.pt.gz"),
    "mine.tar": (tarred, r"packed \(tar\)", "tar -xf mine.tar"),
    "checkpoint.pth.tar": (tarred, r"packed \(tar\)", "tar -xf checkpoint.pth.tar"),
    "mine.7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(60), r"packed \(7z\)", "7z x mine.7z"),
    "packed.pt": (lambda: zipped(mine_dot_onnx=b"a", read_dot_txt=b"b"), r"packed \(zip\)", "unzip packed.pt"),
    "picture.pt": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(40), "a picture", "mv picture.pt picture.png"),
    "code.pt": (lambda: b"import torch\n", "Python code", "mv code.pt code.py"),
    "an array.npz": (lambda: b"\x93NUMPY\1\0v\0", "an array of numpy", "mv model.npz model.npy"),
}


def written(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(MADE[name][0]())
    return path


@pytest.mark.parametrize("name", MADE)
def test_what_does_not_open_is_told_in_one_sentence_with_a_line_to_copy(name: str, tmp_path: Path,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """The same from the door, by which the window and the command line come in, and by whoever opens it."""
    monkeypatch.chdir(tmp_path)
    path, (_, words, line) = written(name, tmp_path), MADE[name]
    with pytest.raises(Refused, match=words) as caught:
        open_model(path)
    said = str(caught.value)
    assert said.startswith(name)
    assert said.endswith(".")
    assert not re.search(r"\. [A-Z]", said)
    assert "\n" not in said
    assert "weights_only" not in said
    assert line in caught.value.line or line in said
    assert bool(caught.value.line) == (said.count("`") == 2)
    if path.suffix not in (".pt", ".pth", ".ckpt", ".npz"):  # of the others whoever opens it says it
        with pytest.raises((Refused, LookupError)) as seen:
            door.recognise(path)
        assert str(seen.value) == said
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["keras.h5", "mine.tflite", "mine.gguf", "script.pt", "pickled.pkl", "mine.7z"])
def test_it_is_told_by_what_it_holds_and_not_by_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "something.onnx"
    path.write_bytes(MADE[name][0]())
    assert re.search(MADE[name][1], refused(path))
    other = tmp_path / name
    other.write_text("plain words, whatever the name says")
    assert not refused(other)


@pytest.mark.parametrize("name", ["whole.pt", "whole-of-before-1.6.pt", "whole-in-a-checkpoint.ckpt", "pickled.pkl",
                                  "script.pt", "package.pt", "compiled.so", "mine.mlmodel", "mine.param"])
def test_the_line_makes_a_file_that_opens(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where the model is at hand, as the sentence says."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused) as caught:
        open_model(written(name, tmp_path))
    model, x = Net().eval(), torch.randn(1, 1, 8, 8)
    exec(caught.value.line, {"torch": torch, "model": model, "x": x})
    (made,) = (path for path in tmp_path.iterdir() if path.name != name)
    opened = open_model(made)
    with torch.no_grad():
        assert torch.equal(opened.module(x), model(x))


@pytest.mark.parametrize("name", ["arguments.pt", "arrays.joblib"])
def test_the_line_that_saves_weights_alone_makes_a_file_that_opens(name: str, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused) as caught:
        open_model(written(name, tmp_path))
    line = caught.value.line or re.search(r"torch\.save\(.*\)", str(caught.value))[0]
    model = Net()
    exec(line, {"torch": torch, "model": model, "weights": model.state_dict()})
    (made,) = (path for path in tmp_path.iterdir() if path.name != name)
    assert torch.equal(open_model(made).module.state_dict()["conv.weight"], model.conv.weight)


def test_a_line_for_a_terminal_never_holds_what_a_terminal_would_run(tmp_path: Path) -> None:
    for name in ("a;rm -rf ~.h5", "$(touch x).tflite", "a`b`.pkl", "a'b.h5", "-rf.tflite", "a b.gz"):
        path = tmp_path / name
        path.write_bytes({"h5": KERAS, "te": b"abcdTFL3", "kl": pickle.dumps(Net()), "gz": b"\x1f\x8b"}[name[-2:]])
        line = Refused(refused(path)).line
        assert line
        assert not re.search(r"rm -rf|\$\(|a`b|a'b| -rf|a b", line)


def test_folders_are_told_too(tmp_path: Path) -> None:
    saved = tmp_path / "net"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(Refused, match="SavedModel") as caught:
        door.recognise(saved)
    assert caught.value.line == "python -m tf2onnx.convert --saved-model net --output net.onnx"
    package = tmp_path / "net.mlpackage"
    (package / "Data").mkdir(parents=True)
    (package / "Manifest.json").write_text("{}")
    with pytest.raises(Refused, match="Core ML"):
        door.recognise(package)
    one = tmp_path / "hub"
    one.mkdir()
    (one / "config.json").write_text("{}")
    (one / "model.safetensors").write_bytes(b"")
    with pytest.raises(Refused, match="a folder with one model in it") as caught:
        door.recognise(one)
    assert caught.value.line == "visualizer hub/model.safetensors"


def test_an_ending_that_is_wrong_does_not_keep_a_model_from_opening(tmp_path: Path) -> None:
    torch.export.save(torch.export.export(Net().eval(), (torch.zeros(1, 1, 8, 8),)), tmp_path / "a.pt2")
    (tmp_path / "a.pt2").rename(tmp_path / "a.bin")
    torch.save(Net().state_dict(), tmp_path / "b.onnx")
    for name in ("a.bin", "b.onnx"):
        assert door.recognise(tmp_path / name).what == door.MODEL
        assert open_model(tmp_path / name).module is not None


def test_what_opens_is_never_taken_for_something_else() -> None:
    root = Path(__file__).resolve().parent.parent
    opens = [*(root / "models").glob("*.safetensors"), *(root / "tests" / "fixtures").rglob("*.*")]
    assert len(opens) > 60
    assert not [path.name for path in opens if path.suffix in (".safetensors", ".trace", ".session") and refused(path)]


def test_every_recogniser_is_met_here(tmp_path: Path) -> None:
    met = set()
    for name in MADE:
        path = written(name, tmp_path)
        seen = _foreign.Seen(path, path.read_bytes()[:_foreign.HEAD], path.stat().st_size)
        met |= {known.__name__ for known in _foreign.KNOWN if known(seen)}
    assert met == {known.__name__ for known in _foreign.KNOWN}
