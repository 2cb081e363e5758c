"""Opening models: bundled ones by name, weights by file, and a sentence for every file that is something else."""

from __future__ import annotations

import argparse
import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from visualizer import inputs, registry
from visualizer.record import capture, catalog, open_model, record
from visualizer.record.formats import weights_only
from visualizer.trace import Refused, Trace

ROOT = Path(__file__).resolve().parent.parent
X = inputs.raw("digit-2148")


def assert_one_sentence(error: BaseException) -> None:
    words = str(error)
    assert words.endswith(".")
    assert ". " not in words
    assert "\n" not in words
    assert "weights_only" not in words


def same(one: Trace, other: Trace) -> bool:
    return all(np.array_equal(a.output, b.output) for a, b in zip(one, other, strict=True))


# --- bundled models -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", registry.models())
def test_a_bundled_model_opens_by_name_with_its_card(name: str) -> None:
    opened = open_model(name)
    assert opened.name == name
    assert opened.title == opened.card["title"] == registry.card(name)["title"]
    assert sum(p.numel() for p in opened.module.parameters()) == opened.card["parameters"]
    assert not any(module.training for module in opened.module.modules())
    assert len(opened.labels) == len(set(opened.labels)) == len(registry.card(name)["labels"])
    reads = opened.card["input"]
    x = opened.prepare(inputs.raw(inputs.all_samples(reads["kind"], reads)[0].name))
    assert len(x) == 1
    assert all(size in (wanted, None) or wanted is None
               for size, wanted in zip(x.shape[1:], reads["shape"], strict=True))


@pytest.mark.parametrize("name", registry.with_before())
def test_a_model_opens_with_its_weights_from_before_training(name: str) -> None:
    """The same network and the same description, other numbers, and it says so."""
    trained, before = open_model(name), open_model(name, untrained=True)
    assert before.name == name
    assert before.title == f"{trained.title}, before training"
    assert (before.card["trained"], before.labels) == ("no", trained.labels)
    assert before.module.state_dict().keys() == trained.module.state_dict().keys()
    learned = {key for key, weight in trained.module.named_parameters() if weight.requires_grad}
    assert all(torch.equal(weight, trained.module.state_dict()[key]) == (key not in learned)
               for key, weight in before.module.state_dict().items() if "running" not in key and "batches" not in key)
    assert learned


def test_weights_from_before_training_are_no_model_of_their_own() -> None:
    assert not any("before" in name for name in registry.models())
    with pytest.raises(LookupError, match="There is no model"):
        open_model("rows_rnn.before")


def test_where_there_are_none_from_before_training_it_is_said(tmp_path: Path, without_before) -> None:
    without_before("mlp_mnist")
    path = tmp_path / "mine.safetensors"
    path.write_bytes((ROOT / "models" / "rows_rnn.safetensors").read_bytes())
    for model, words in (("mlp_mnist", "mlp_mnist from before training are not bundled"), (path, "one set of weights")):
        with pytest.raises(Refused, match=words) as caught:
            open_model(model, untrained=True)
        assert_one_sentence(caught.value)
        assert "rows_rnn" in str(caught.value)
    with pytest.raises(LookupError, match="There is no model"):
        open_model("nothing", untrained=True)


def test_two_openings_share_nothing_that_can_be_changed() -> None:
    one, other = open_model("digits_cnn"), open_model("digits_cnn")
    with torch.no_grad():
        one.module.conv1.weight.zero_()
    assert other.module.conv1.weight.abs().sum() > 0


def test_an_unknown_name_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(LookupError, match="name one of digits_cnn, digits_vae, lenet_mnist, mlp_mnist") as caught:
        open_model("digit_cnn")
    assert_one_sentence(caught.value)


def test_a_card_is_read_without_torch() -> None:
    code = ("import sys; from visualizer import registry; c = registry.card('digits_cnn')\n"
            "print(c['title'], c['parameters'], c['quality']['of'], c['labels'][9], 'torch' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Digits CNN 22090 10000 9 False"


def header(content: bytes, size: int | None = None) -> bytes:
    return (len(content) if size is None else size).to_bytes(8, "little") + content


@pytest.mark.parametrize("content", [
    b"", b"abc", header(b"{}", 1 << 40), header(b"{}", 3), header(b"[]"), header(b"nonsense"),
    header(b'{"__metadata__": 3}'), header(b'{"__metadata__": {"title": 3}}'), header(b"[" * 100_000),
], ids=["empty", "short", "too large", "cut off", "list", "nonsense", "number", "number inside", "nested"])
def test_a_damaged_card_is_an_error_of_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="save the weights again") as caught:
        registry.card(path)
    assert_one_sentence(caught.value)


def test_a_file_without_a_card_has_an_empty_one(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "some.safetensors")
    assert registry.card(tmp_path / "some.safetensors") == {}
    with pytest.raises(LookupError, match="There is no model"):
        registry.card(tmp_path / "none.safetensors")


# --- weights of a known network -------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["deep_sigmoid", "deep_relu", "wait_lstm", "rows_lstm"])
def test_weights_that_fit_several_networks_go_into_the_one_that_their_file_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(registry.weights(name).read_bytes())
    opened = open_model(path)
    assert opened.card["architecture"] == name
    assert opened.title == f"{registry.card(name)['title']}, weights of mine.safetensors"
    x = opened.prepare(inputs.raw("digit-2148"))
    assert torch.equal(opened.module(x), open_model(name).module(x))


def weights_of_lenet() -> OrderedDict:
    torch.manual_seed(3)
    return OrderedDict((name, torch.randn_like(tensor)) for name, tensor in
                       open_model("lenet_mnist").module.state_dict().items())


def reference(weights: OrderedDict) -> Trace:
    opened = open_model("lenet_mnist")
    opened.module.load_state_dict(weights)
    return capture(opened.module, opened.prepare(X), 4, labels=opened.labels)


def stepped(weights: OrderedDict) -> torch.optim.Optimizer:
    """An optimiser that remembers something of each weight."""
    parameters = [nn.Parameter(tensor.clone()) for tensor in weights.values()]
    optimiser = torch.optim.Adam(parameters)
    for each in parameters:
        each.grad = torch.ones_like(each)
    optimiser.step()
    return optimiser


WRITERS = {
    "safetensors": lambda w, path: save_file(w, path.with_suffix(".safetensors")),
    "pt": lambda w, path: torch.save(w, path.with_suffix(".pt")),
    "pth": lambda w, path: torch.save(dict(w), path.with_suffix(".pth")),
    "checkpoint": lambda w, path: torch.save({"epoch": 3, "state_dict": w, "optimizer": {"lr": 0.1}},
                                             path.with_suffix(".pt")),
    "DataParallel": lambda w, path: torch.save({f"module.{name}": t for name, t in w.items()}, path.with_suffix(".pt")),
    "compiled": lambda w, path: torch.save({f"_orig_mod.{name}": t for name, t in w.items()}, path.with_suffix(".pt")),
    "net": lambda w, path: torch.save({"epoch": 3, "net": w, "optim": {"lr": 0.1}},
                                      path.with_suffix(".pth")),
    "averaged": lambda w, path: torch.save(
        {"model": {"n_averaged": torch.tensor(4), **{f"module.{name}": t for name, t in w.items()}}},
        path.with_suffix(".pth")),
    "Lightning": lambda w, path: torch.save({"hyper": {"lr": .1}, "state_dict": {f"model.net.{name}": t for name, t in
                                                                                 w.items()}}, path.with_suffix(".pt")),
    "own key": lambda w, path: torch.save({"best": {"at": 3, "of the net": w}}, path.with_suffix(".pt")),
    "parameters": lambda w, path: torch.save({name: nn.Parameter(t) for name, t in w.items()}, path.with_suffix(".pt")),
    "before 1.6": lambda w, path: torch.save(w, path.with_suffix(".pth"), _use_new_zipfile_serialization=False),
    "ckpt before 1.6, with its optimiser": lambda w, path: torch.save(
        {"epoch": 3, "loss": np.float64(0.5), "model_state": w, "optimizer_state": stepped(w).state_dict()},
        path.with_suffix(".ckpt"), _use_new_zipfile_serialization=False),
    "bin, with its optimiser": lambda w, path: torch.save(
        {"optimizer_state": stepped(w).state_dict(), "step": np.int64(7), "model_state": w}, path.with_suffix(".bin")),
    "npz": lambda w, path: np.savez(path.with_suffix(".npz"), **{name: t.numpy() for name, t in w.items()}),
    "packed npz": lambda w, path: np.savez_compressed(path.with_suffix(".npz"), **{n: t.numpy() for n, t in w.items()}),
    "npz by columns, in the other order of bytes": lambda w, path: np.savez(
        path.with_suffix(".npz"), **{n: np.asfortranarray(t.numpy()).astype(">f4") for n, t in w.items()}),
    "double": lambda w, path: save_file({name: t.double() for name, t in w.items()}, path.with_suffix(".safetensors")),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_weights_of_a_bundled_network_are_recognised_by_their_names_and_shapes(writer: str, tmp_path: Path) -> None:
    weights = weights_of_lenet()
    WRITERS[writer](weights, tmp_path / "mine")
    (path,) = tmp_path.iterdir()
    opened = open_model(path)
    assert opened.name == "mine"
    assert opened.title == f"LeNet-5, weights of {path.name}"
    assert opened.card["architecture"] == "lenet_mnist"
    assert "quality" not in opened.card
    assert same(record(path, "digit-2148"), reference(weights))


def test_of_two_sets_of_weights_the_usual_one_is_opened_and_said(tmp_path: Path) -> None:
    weights = weights_of_lenet()
    others = {name: tensor + 1 for name, tensor in weights.items()}
    torch.save({"ema": others, "net": weights}, tmp_path / "mine.pt")
    opened = open_model(tmp_path / "mine.pt")
    assert opened.title == "LeNet-5, weights 'net' of mine.pt"
    assert torch.equal(opened.module.state_dict()["fc3.bias"], weights["fc3.bias"])


def test_weights_that_fit_no_network_are_not_put_into_one(tmp_path: Path) -> None:
    for change in (lambda w: w.pop("fc3.bias"), lambda w: w.update(more=torch.zeros(2)),
                   lambda w: w.update({"fc3.bias": torch.zeros(11)}),
                   lambda w: w.update({"fc3.bias": torch.zeros(10, dtype=torch.int64)})):
        weights = weights_of_lenet()
        change(weights)
        torch.save(weights, tmp_path / "mine.pt")
        opened = open_model(tmp_path / "mine.pt")
        assert "LeNet" not in opened.title
        assert "architecture" not in opened.card


# --- everything else ------------------------------------------------------------------------------------------------

class Planted:
    def __reduce__(self):
        return (Path.touch, (Path("planted"),))


def torch_file(value) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def deflated(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return buffer.getvalue()


def stored(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


def stretched() -> bytes:
    """1.6 kB that claim a tensor of a million million numbers."""
    return torch_file({"a": torch.zeros(1).as_strided((10**6, 10**6), (0, 0))})


HOSTILE = {
    "empty.pt": (lambda: b"", "is empty"),
    "empty.safetensors": (lambda: b"", "is empty"),
    "page.pt": (lambda: b"\n<!DOCTYPE html><html>", "web page"),
    "page.safetensors": (lambda: b"<HTML><body>", "web page"),
    "pointer.pt": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
    "pointer.safetensors": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "random.pt": (lambda: bytes(range(255, 0, -1)) * 9, "torch.save"),
    "random.safetensors": (lambda: bytes(range(255, 0, -1)) * 9, "safetensors"),
    "cut.pt": (lambda: torch_file(weights_of_lenet())[:5000], "cut off"),
    "cut.safetensors": (lambda: (ROOT / "models" / "digits_cnn.safetensors").read_bytes()[:5000], "cut off"),
    "pickle.pt": (lambda: pickle.dumps(Planted()), "torch.save"),
    "planted.pt": (lambda: torch_file(Planted()), "would run code"),
    "planted_inside.pt": (lambda: torch_file({"state_dict": weights_of_lenet(), "note": Planted()}), "would run code"),
    "whole_model.pt": (lambda: torch_file(nn.Linear(2, 2)), r"wants: torch.nn.modules.linear.Linear"),
    "namespace.pt": (lambda: torch_file({"args": argparse.Namespace(lr=1)}), "argparse.Namespace"),
    "deflated.pt": (lambda: deflated(torch_file(weights_of_lenet())), "compressed"),
    "script.pt": (lambda: stored(m__code__a_dot_py=b"", m__constants_dot_pkl=b"", m__data_dot_pkl=b""), "TorchScript"),
    "other_zip.pt": (lambda: stored(word__document_dot_xml=b""), "not one of torch.save"),
    "no_storage.pt": (lambda: stored(m__data_dot_pkl=b"\x80\x02}q\x00.", m__version=b"3"), "no state dict"),
    "bad_pickle.pt": (lambda: stored(m__data_dot_pkl=b"\x80\x02c", m__version=b"3"), "cannot be read"),
    "stretched.pt": (stretched, "1,000,000,000,000 numbers"),
    "sparse.pt": (lambda: torch_file({"a": torch.eye(3).to_sparse()}), "sparse"),
    "tensor.pt": (lambda: torch_file(torch.zeros(3)), "not a state dict"),
    "words.pt": (lambda: torch_file({"a": "b"}), "no state dict"),
    "nothing.pt": (lambda: torch_file({}), "no state dict"),
    "model.onnx": (lambda: b"x", "is damaged, or no ONNX model"),
    "model.h5": (lambda: b"x", "no model file that is understood"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_something_else_is_refused_in_one_sentence(name: str, tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = HOSTILE[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(Refused, match=words) as caught:
        open_model(tmp_path / name)
    assert_one_sentence(caught.value)
    assert not (tmp_path / "planted").exists()


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.pt").mkdir()
    for path in (tmp_path / "none.pt", tmp_path / "folder.pt"):
        with pytest.raises(Refused, match="There is no file"):
            open_model(path)


def test_sizes_are_checked_before_anything_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.pt"
    torch.save(weights_of_lenet(), path)
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("it was loaded"))
    for where, name, value in ((catalog, "MOST_BYTES", 1000), (weights_only, "MOST_BYTES", 1000),
                               (weights_only, "MOST_MEMBERS", 2)):
        with monkeypatch.context() as context:
            context.setattr(where, name, value)
            with pytest.raises(Refused, match="open a smaller network") as caught:
                open_model(path)
            assert_one_sentence(caught.value)


def test_damaged_bundled_weights_say_how_to_mend_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("_mnist.py", "_recipe.py", "digits_cnn.py"):
        (folder / name).write_bytes((ROOT / "models" / name).read_bytes())
    whole = (ROOT / "models" / "digits_cnn.safetensors").read_bytes()
    monkeypatch.setattr(registry, "folder", lambda name: tmp_path / name)
    for content in (whole[:9000], b"", whole.replace(b"conv1.bias", b"conv9.bias", 1)):
        (folder / "digits_cnn.safetensors").write_bytes(content)
        with pytest.raises(Refused, match="install Visualizer again") as caught:
            open_model("digits_cnn")
        assert_one_sentence(caught.value)


def test_every_format_says_its_suffixes_and_opens_a_file() -> None:
    formats = registry.modules("record.formats")
    suffixes = [suffix for form in formats for suffix in form.SUFFIXES]
    assert len(set(suffixes)) == len(suffixes) >= 3
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
    assert all(callable(form.open_file) for form in formats)


# --- recording by name ----------------------------------------------------------------------------------------------

def test_a_bundled_model_is_recorded_on_a_bundled_sample() -> None:
    trace = record("digits_cnn", "digit-2148")
    assert (trace.model, trace.title, trace.sample.name, trace.sample.label) == ("digits_cnn", "Digits CNN",
                                                                                "digit-2148", 4)
    assert (trace.objective.kind, trace.objective.target) == ("cross_entropy", 4)
    assert trace.labels == tuple("0123456789")
    assert trace.facts["quality"] == {"test accuracy": 0.9867, "of": 10000}
    assert trace.answer.output[4] == pytest.approx(0.805, abs=0.001)
    assert np.array_equal(np.rint(trace["input"].output[0] * 255), X)
    assert trace.parameters == 22090


def test_the_target_and_the_objective_can_be_chosen() -> None:
    assert record("mlp_mnist", "digit-3", target=9).objective.target == 9
    logit = record("mlp_mnist", "digit-3", objective="logit:7")
    assert (logit.objective.kind, logit.objective.target) == ("logit", 7)
    assert record("mlp_mnist", "digit-3", dtype="float64").dtype == "float64"
    with pytest.raises(Refused, match="0 to 9"):
        record("mlp_mnist", "digit-3", target=10)


def test_a_drawing_and_an_image_file_are_recorded(tmp_path: Path) -> None:
    from PIL import Image

    by_name = record("digits_cnn", "digit-2148")
    drawn = record("digits_cnn", pixels=X)
    assert same(drawn, record("digits_cnn", "digit-2148", objective="logit:4"))
    assert (drawn.sample.name, drawn.sample.label, drawn.objective.kind) == ("drawn", None, "logit")
    sheet = np.zeros((112, 112), np.uint8)
    sheet[20:48, 60:88] = X
    assert np.array_equal(record("digits_cnn", pixels=sheet)["input"].output, by_name["input"].output)
    Image.fromarray(X).save(tmp_path / "four.png")
    opened = record("digits_cnn", tmp_path / "four.png", target=4)
    assert same(opened, by_name)
    assert opened.sample.title == "four.png, as it is"


def test_what_cannot_go_in_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="There is no sample 'digit-x'"):
        record("digits_cnn", "digit-x")
    with pytest.raises(Refused, match="There is no file"):
        record("digits_cnn", tmp_path / "none.png")
    opened = catalog.Opened("m", "M", nn.Linear(3, 2), prepare=lambda image: torch.zeros(1, 4))
    with pytest.raises(Refused, match="M cannot be run on an input of the shape") as caught:
        record(opened)
    assert_one_sentence(caught.value)
    with pytest.raises(Refused, match="does not tell how its input is made"):
        record(catalog.Opened("m", "M", nn.Linear(3, 2)))


def test_the_same_recording_gives_the_same_bytes() -> None:
    assert record("lenet_mnist", "digit-7").to_bytes() == record("lenet_mnist", "digit-7").to_bytes()


def test_json_of_a_recording_holds_no_path_of_this_machine() -> None:
    with zipfile.ZipFile(io.BytesIO(record("digits_cnn").to_bytes())) as archive:
        words = json.loads(archive.read("trace.json"))
    assert str(ROOT) not in json.dumps(words)
