"""Weights find their network: a bundled one of any size, a wiring that is proposed or said, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from visualizer import card
from visualizer.manifest import Manifest
from visualizer.record import open_model, record
from visualizer.record.catalog import source_of
from visualizer.trace import Refused, from_bytes
from visualizer.views import all_views


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


class CharLSTM(nn.Module):
    def __init__(self, symbols: int = 65, wide: int = 32, units: int = 256, levels: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, wide)
        self.lstm = nn.LSTM(wide, units, levels, batch_first=True)
        self.fc = nn.Linear(units, symbols)

    def forward(self, ids):
        return self.fc(self.lstm(self.embedding(ids))[0])


class LeNet(nn.Module):
    def __init__(self, channels: int = 3, classes: int = 10, last: int = 5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * last * last, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2).flatten(1)
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


class MLP(nn.Module):
    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.count = len(widths) - 1
        for number in range(self.count):
            setattr(self, f"fc{number + 1}", nn.Linear(widths[number], widths[number + 1]))

    def forward(self, x):
        x = x.flatten(1)
        for number in range(self.count):
            x = getattr(self, f"fc{number + 1}")(x)
            x = x.relu() if number < self.count - 1 else x
        return x


def saved(model: nn.Module, path: Path, how: str = "pt") -> Path:
    weights = model.state_dict()
    path = path / f"mine.{how}"
    if how == "safetensors":
        save_file(weights, path)
    elif how == "npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in weights.items()})
    else:
        torch.save(weights, path)
    return path


def read_by(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(x)


# --- a bundled network of another size ------------------------------------------------------------------------------

SIZED = {
    "256 units": (lambda: CharLSTM(), torch.randint(0, 65, (1, 9)), "Shakespeare LSTM"),
    "two levels": (lambda: CharLSTM(units=20, levels=2), torch.randint(0, 65, (1, 9)), "Shakespeare LSTM"),
    "80 symbols": (lambda: CharLSTM(80, 16, 24), torch.randint(0, 80, (1, 9)), "Shakespeare LSTM"),
    "three channels": (lambda: LeNet(), torch.randn(1, 3, 28, 28), "LeNet-5"),
    "100 classes of 32 x 32": (lambda: LeNet(3, 100, 6), torch.randn(1, 3, 32, 32), "LeNet-5"),
    "five layers": (lambda: MLP(784, 40, 30, 20, 16, 10), torch.randn(1, 1, 28, 28), "MLP"),
    "other numbers": (lambda: MLP(12, 40, 3), torch.randn(1, 12), "MLP"),
}


@pytest.mark.parametrize("how", ["pt", "safetensors", "npz"])
@pytest.mark.parametrize("name", SIZED)
def test_a_bundled_network_of_another_size_opens_and_answers_as_torch_does(name: str, how: str, tmp_path: Path) -> None:
    make, x, title = SIZED[name]
    model = make()
    opened = open_model(saved(model, tmp_path, how))
    assert opened.title == f"{title} of other sizes, weights of mine.{how}"
    assert torch.equal(read_by(opened.module, x), read_by(model, x))
    assert "quality" not in opened.card
    assert "architecture" not in opened.card


def test_where_input_and_answer_are_those_of_the_bundled_one_it_is_given_the_same(tmp_path: Path) -> None:
    opened = open_model(saved(CharLSTM(), tmp_path))
    assert opened.labels == source_of("char_lstm").LABELS
    assert opened.prepare("To be").shape == (1, 5)
    other = open_model(saved(CharLSTM(80), tmp_path))
    assert other.labels == ()
    assert "shape" in other.asked
    with pytest.raises(ValueError, match="0 to 79"):
        other.prepare(np.array([80]))


def test_other_names_in_the_same_order_are_recognised_where_only_one_network_is_wired_so(tmp_path: Path) -> None:
    model = CharLSTM(65, 32, 50)
    names = {"embedding.weight": "emb.weight", "fc.weight": "head.weight", "fc.bias": "head.bias"}
    torch.save({names.get(name, name.replace("lstm.", "rnn.")): tensor for name, tensor in model.state_dict().items()},
               tmp_path / "mine.pt")
    opened = open_model(tmp_path / "mine.pt")
    assert opened.title.startswith("Shakespeare LSTM")
    x = torch.randint(0, 65, (1, 7))
    assert torch.equal(read_by(opened.module, x), read_by(model, x))


def test_where_two_networks_compute_different_numbers_with_the_weights_none_is_taken(tmp_path: Path) -> None:
    """Of the layers embedding, gru, fc one network answers after each word, and another after the last."""
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(30, 8)
            self.gru = nn.GRU(8, 12, batch_first=True)
            self.fc = nn.Linear(12, 5)

    opened = open_model(saved(Reads(), tmp_path))
    assert "wiring guessed" in opened.title


# --- a wiring -------------------------------------------------------------------------------------------------------

def test_a_wiring_that_was_said_is_taken_instead_of_any_guess(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    path = saved(model, tmp_path)
    told = Manifest(wiring=("Linear(6, 5)", "Tanh()", "Linear(5, 2)"))
    opened = open_model(path, told=told)
    x = torch.randn(1, 6)
    assert torch.equal(read_by(opened.module, x), read_by(model, x))
    assert "wiring guessed by you" in opened.title
    assert "shape" in opened.asked
    assert "wiring" not in opened.asked
    with pytest.raises(Refused, match=r"line 2, 'Tank\(\)': there is no layer Tank"):
        open_model(path, told=Manifest(wiring=("Linear(6, 5)", "Tank()")))
    with pytest.raises(Refused, match="no weights are left that fit"):
        open_model(path, told=Manifest(wiring=("Linear(6, 7)",)))


def test_of_two_sets_of_weights_it_is_said_which_one_and_the_other_can_be_chosen(tmp_path: Path) -> None:
    one, other = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)), nn.Sequential(nn.Linear(3, 4))
    torch.save({"ema": other.state_dict(), "model": one.state_dict()}, tmp_path / "mine.pt")
    opened = open_model(tmp_path / "mine.pt")
    assert opened.title == "mine.pt, weights 'model', wiring guessed from names and shapes"
    assert opened.told.trunk == "model"
    assert "trunk" in opened.asked
    x = torch.randn(1, 3)
    chosen = open_model(tmp_path / "mine.pt", told=Manifest(trunk="ema"))
    assert torch.equal(read_by(chosen.module, x), read_by(other, x))
    assert "trunk" not in chosen.asked


def test_a_guess_is_said_in_title_note_and_recording(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    torch.save({**model.state_dict(), "beta": torch.zeros(3)}, tmp_path / "mine.pt")
    trace = record(tmp_path / "mine.pt")
    assert "wiring guessed from names and shapes" in trace.title
    assert any("guessed from their names and shapes" in note and "beta is not used" in note for note in trace.notes)
    assert trace.facts["wiring"]["lines"] == ["0: Linear(6, 5)", "ReLU()", "2: Linear(5, 2)"]
    assert from_bytes(trace.to_bytes()).facts["wiring"] == trace.facts["wiring"]


# --- weights alone --------------------------------------------------------------------------------------------------

def test_weights_that_no_wiring_fits_are_seen_alone(tmp_path: Path) -> None:
    """Each tensor by itself, with its singular values as numpy computes them; no input is needed."""
    weights = {"lin0.model.1.weight": torch.randn(3, 64, 1, 1), "lin1.model.1.weight": torch.randn(2, 192, 1, 1),
               "alpha": torch.randn(7), "count": torch.tensor(3)}
    torch.save(weights, tmp_path / "mine.pth")
    trace = record(tmp_path / "mine.pth")
    assert trace.title == "mine.pth, weights alone: 4 tensors, 584 numbers, no wiring"
    shown = [layer for layer in trace if layer.kind == "singular_values"]
    for layer, weight in zip(shown, list(weights.values())[:2], strict=True):
        wanted = np.linalg.svd(weight.numpy().reshape(len(weight), -1).astype(np.float64), compute_uv=False)
        assert np.allclose(layer.output, wanted, rtol=1e-5)
    held = {layer.name: layer.weights["value"] for layer in trace if layer.kind == "parameter"}
    assert np.array_equal(held["lin0.model.1.weight"], weights["lin0.model.1.weight"].numpy())
    assert np.array_equal(np.sort(weights["alpha"].numpy()), trace["alpha"].output)
    assert card.of_trace(trace).view == "filters"
    assert next(view for view in all_views() if view.name == "filters").suits(trace)


def test_weights_whose_shapes_contradict_each_other_are_seen_alone(tmp_path: Path) -> None:
    torch.save({"fc1.weight": torch.zeros(3, 4), "fc1.bias": torch.zeros(5), "fc2.weight": torch.zeros(7, 9)},
               tmp_path / "mine.pt")
    assert "weights alone" in open_model(tmp_path / "mine.pt").title


def test_numbers_that_are_none_and_matrices_that_are_too_large_have_lengths_instead(tmp_path: Path) -> None:
    broken = torch.randn(3, 4)
    broken[1, 2] = torch.nan
    torch.save({"a.thing": broken, "b.thing": torch.ones(1, 5)}, tmp_path / "mine.pt")
    trace = record(tmp_path / "mine.pt")
    assert np.allclose(trace["a.linalg_vector_norm"].output if "a.linalg_vector_norm" in trace else trace["a"].output,
                       np.linalg.norm(broken.numpy(), axis=1), equal_nan=True)
