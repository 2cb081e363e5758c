"""The bundled models: their contract, cards, weights and measured quality, and the digits shipped beside them.

Figures over whole data sets need the data: the folder named by VISUALIZER_DATA, or `shared/data` beside the checkout.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import math
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
FILES = [file for file in sorted((ROOT / "models").glob("*.py")) if not file.name.startswith("_")]
SAMPLES = ROOT / "assets" / "samples"
MNIST = "mnist/mnist.npz"
CARD = {
    "data",
    "data_licence",
    "format",
    "input",
    "labels",
    "model",
    "parameters",
    "quality",
    "recipe",
    "title",
    "torch_version",
}

# model: parameters counted by hand from the layer sizes, and the test accuracy that was promised before training
PUBLISHED = {
    "digits_cnn": (156 + 660 + 20_784 + 490, 0.983),
    "lenet_mnist": (156 + 2_416 + 48_120 + 10_164 + 850, 0.990),
    "mlp_mnist": (100_480 + 8_256 + 650, 0.975),
}


def load_module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_recipe(file: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load a model by its path; the place that it takes in sys.path is given back after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    return load_module(file)


def load_card(file: Path) -> dict[str, str]:
    with safe_open(file.with_suffix(".safetensors"), framework="np") as weights:
        return weights.metadata()


def load_trained(recipe: ModuleType) -> nn.Module:
    model = recipe.build()
    model.load_state_dict(load_file(Path(recipe.__file__).with_suffix(".safetensors")))
    return model.eval()


def shipped_digits() -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """Images (400, 28, 28) uint8, labels (400,), and the list of samples, cut from the sheet tile by tile."""
    about = json.loads((SAMPLES / "mnist_digits.json").read_text(encoding="utf-8"))
    sheet = np.asarray(Image.open(SAMPLES / "mnist_digits.png"))
    height, width = about["tile"]
    places = [divmod(k, about["columns"]) for k in range(len(about["samples"]))]
    tiles = [sheet[r * height : (r + 1) * height, c * width : (c + 1) * width] for r, c in places]
    return np.stack(tiles), np.array([sample["label"] for sample in about["samples"]]), about["samples"]


def share_right(model: nn.Module, recipe: ModuleType, images: np.ndarray, labels: np.ndarray) -> float:
    with torch.inference_mode():
        return float((model(recipe.prepare(images)).argmax(1).numpy() == labels).mean())


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def recipe(file: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load_recipe(file, monkeypatch)


@pytest.fixture(params=PUBLISHED)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One of the models that read a digit."""
    return load_recipe(ROOT / "models" / f"{request.param}.py", monkeypatch)


@pytest.fixture
def data_dir() -> Path:
    folder = Path(os.environ.get("VISUALIZER_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}: set VISUALIZER_DATA to the folder that holds {MNIST}")
    return folder


@pytest.fixture
def few_digits(tmp_path: Path) -> Path:
    """A data folder whose MNIST is the 400 shipped digits: enough to take the first steps of a recipe."""
    images, labels, _ = shipped_digits()
    (tmp_path / MNIST).parent.mkdir()
    np.savez(tmp_path / MNIST, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return tmp_path


# ---- every bundled model


def test_there_are_models():
    assert {file.stem for file in FILES} >= set(PUBLISHED)


def test_contract(recipe):
    assert isinstance(recipe.TITLE, str)
    assert isinstance(recipe.DATA, str)
    assert isinstance(recipe.LABELS, tuple)
    assert all(isinstance(label, str) for label in recipe.LABELS)
    assert {"kind", "shape", "prepare"} <= set(recipe.INPUT)
    assert isinstance(recipe.build(), nn.Module)


def test_card_is_complete_and_true(file, recipe):
    card = load_card(file)
    assert set(card) >= CARD
    assert all(card.values())
    assert card["format"] == "visualizer-model-1"
    assert card["model"] == file.stem
    assert card["title"] == recipe.TITLE
    assert card["data"] == recipe.DATA
    assert card["recipe"] == recipe.RECIPE
    assert json.loads(card["input"]) == recipe.INPUT
    assert json.loads(card["labels"]) == list(recipe.LABELS)
    assert int(card["parameters"]) == sum(weight.numel() for weight in recipe.build().parameters())


def test_weights_fit_the_network(file, recipe):
    weights = load_file(file.with_suffix(".safetensors"))
    expected = recipe.build().state_dict()
    assert weights.keys() == expected.keys()
    for name, weight in weights.items():
        assert weight.shape == expected[name].shape, name
        assert weight.dtype == torch.float32, name
        assert torch.isfinite(weight).all(), name


def test_header_is_sorted(file):
    """The card lies in the file in a fixed order; otherwise two runs of a recipe would differ in their bytes."""
    content = file.with_suffix(".safetensors").read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    assert end % 8 == 0
    header = json.loads(content[8:end])
    assert [*header] == sorted(header)
    assert [*header["__metadata__"]] == sorted(header["__metadata__"])


def test_is_plain_pytorch(file):
    """A model can be read and run without the app."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != "visualizer" for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "visualizer"


def test_quality_on_the_card_is_measured(file, recipe, data_dir):
    claimed = json.loads(load_card(file)["quality"])
    measured = recipe.evaluate(load_trained(recipe), data_dir)
    assert measured == pytest.approx(claimed, rel=0, abs=1e-9)


# ---- the models that read a digit


def test_parameters_are_the_published_number(reader):
    count, _ = PUBLISHED[reader.__name__]
    assert sum(weight.numel() for weight in reader.build().parameters()) == count


def test_prepare_makes_a_batch_of_one(reader):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[3, 5] = 255
    x = reader.prepare(pixels)
    mean, std = reader.INPUT.get("mean", 0.0), reader.INPUT.get("std", 1.0)
    assert x.shape == (1, *reader.INPUT["shape"])
    assert x.dtype == torch.float32
    assert x[0, 0, 3, 5].item() == pytest.approx((1 - mean) / std, rel=1e-6)
    assert x[0, 0, 0, 0].item() == pytest.approx((0 - mean) / std, rel=1e-6)
    assert reader.build()(x).shape == (1, 10)


def test_reads_the_shipped_digits(reader):
    """At least the promised accuracy, less three standard errors of a share of 400; untrained it only guesses."""
    images, labels, _ = shipped_digits()
    _, promised = PUBLISHED[reader.__name__]
    floor = promised - 3 * math.sqrt(promised * (1 - promised) / len(labels))
    assert share_right(load_trained(reader), reader, images, labels) >= floor
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        assert share_right(reader.build().eval(), reader, images, labels) < 0.3


def test_reads_all_test_digits(reader, data_dir):
    _, promised = PUBLISHED[reader.__name__]
    measured = reader.evaluate(load_trained(reader), data_dir)
    assert measured["of"] == 10_000
    assert measured["test accuracy"] >= promised
    assert f"{100 * measured['test accuracy']:.2f} %" in reader.__doc__


def test_first_steps_are_the_same_twice(reader, few_digits):
    """The first 20 steps of the recipe give the same bytes twice, change the weights, and leave torch as it was."""
    before = torch.get_rng_state(), torch.get_num_threads()
    once, again, none = (reader.train(few_digits, stop=stop).state_dict() for stop in (20, 20, 0))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    for name in once:
        assert once[name].numpy().tobytes() == again[name].numpy().tobytes(), name
        assert not torch.equal(once[name], none[name]), name


def test_digits_cnn_names_every_step(monkeypatch):
    recipe = load_recipe(ROOT / "models" / "digits_cnn.py", monkeypatch)
    names = [name for name, _ in recipe.build().named_children()]
    assert names == ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "fc1", "relu3", "fc2"]


def test_digits_cnn_background_is_exactly_zero(monkeypatch):
    recipe = load_recipe(ROOT / "models" / "digits_cnn.py", monkeypatch)
    images, _, _ = shipped_digits()
    x = recipe.prepare(images[0])
    assert x.min() == 0
    assert x.max() == 1


def test_digits_cnn_doubts_image_2148(monkeypatch):
    """The first sample, a 4 like a 9, is answered 4, and 9 is the only other answer of any weight."""
    recipe = load_recipe(ROOT / "models" / "digits_cnn.py", monkeypatch)
    images, _, _ = shipped_digits()
    with torch.inference_mode():
        probability = load_trained(recipe)(recipe.prepare(images[0])).softmax(1)[0]
    assert 0.6 < probability[4] < 0.95
    assert probability[9] > 0.05
    assert probability[4] + probability[9] > 0.99


# ---- writing the weights


def test_weights_file_is_the_same_whatever_the_order(monkeypatch, tmp_path):
    load_recipe(ROOT / "models" / "digits_cnn.py", monkeypatch)
    mnist = sys.modules["_mnist"]
    weights = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([0.5])}
    card = {f"key {i}": f"“{i}”" for i in range(20)}
    content = mnist.weights_file(weights, card)
    assert mnist.weights_file(dict(reversed(weights.items())), dict(reversed(card.items()))) == content

    file = tmp_path / "net.safetensors"
    mnist.write_whole(file, content)
    assert load_card(file) == card
    assert all(torch.equal(weight, weights[name]) for name, weight in load_file(file).items())
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o644


# ---- the shipped digits


def test_digits_are_forty_of_each_class():
    images, labels, samples = shipped_digits()
    assert images.shape == (400, 28, 28)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [40] * 10
    assert labels[:12].tolist() == [4, 0, 4, 3, 9, 6, 8, 5, 8, 7, 1, 1]
    assert samples[0] == {"name": "digit-2148", "index": 2148, "label": 4}
    assert len({sample["index"] for sample in samples}) == 400
    assert all(sample["name"] == f"digit-{sample['index']}" for sample in samples)


def test_digits_are_those_of_mnist(data_dir):
    images, labels, samples = shipped_digits()
    chosen = [sample["index"] for sample in samples]
    with np.load(data_dir / MNIST) as mnist:
        assert np.array_equal(images, mnist["x_test"][chosen])
        assert np.array_equal(labels, mnist["y_test"][chosen])
        assert load_module(SAMPLES / "make_mnist_digits.py").choose(mnist["y_test"]) == chosen


def test_digits_have_the_documented_sums():
    source = (SAMPLES / "SOURCE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (mnist_digits\.\w+) \| (\d+) \| `(\w+)` \|$", source, flags=re.MULTILINE)
    assert len(rows) == 2
    for name, size, digest in rows:
        content = (SAMPLES / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (int(size), digest), name
