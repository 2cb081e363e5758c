"""Large networks: their numbers cross in a file, equal to what plain torch computes; and what is drawn of them stays
small. A ResNet of 60 layers stands for all every time; `--all` takes the large ones themselves."""

from __future__ import annotations

import os
import re
import stat
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests import large
from visualizer import trace as traces
from visualizer.engine import requests, shared
from visualizer.engine.protocol import ANSWERED, Broken, Message, pack, unpack
from visualizer.export import draw
from visualizer.record import capture, need
from visualizer.record.arguments import arguments
from visualizer.scene import colour
from visualizer.scene.picture import Image, Text
from visualizer.trace import Refused, apart, arrays_in, write_arrays

SAMPLED = 10
"""So many layers of a network are compared with plain torch."""
NETS = pytest.mark.parametrize("name", ["sixty", "resnet50", "mobile", "unet"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where this process, as an engine, puts the numbers even of small recordings."""
    monkeypatch.setattr(shared, "LARGE", 1)
    shared.write_into(tmp_path)
    yield tmp_path
    shared.write_into(None)


@pytest.fixture(scope="module")
def sixty():
    model, x, target = large.sixty()
    return capture(model, x, target, name="sixty")


def crossed(trace, folder, **changes):
    """The trace as the window gets it; `changes` are done to what stands in the message."""
    _, words, *pieces = pack(Message(ANSWERED, 1, value={"trace": trace}))
    for name, word in changes.items():
        words = re.sub(rf'"{name}": [^,}}]+', f'"{name}": {word}', words.decode()).encode()
    return unpack(words, b"".join(pieces), folder).value["trace"], sum(map(len, pieces))


@pytest.mark.matrix(spine=("sixty",), sample=0, each=False)
@NETS
def test_what_the_window_reads_is_what_plain_torch_computes(name, folder) -> None:
    model, x, target = getattr(large, name)()
    trace, _ = crossed(shared.shared(capture(model, x, target)), folder)
    seen, back = {}, {}

    def hook(path):
        def hear(module, given, made):
            seen[path] = made.detach().clone()
            made.register_hook(lambda gradient: back.__setitem__(path, gradient.clone()))

        return hear

    paths = [path for path, part in model.named_modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
    drawn = np.random.default_rng(0).choice(len(paths), SAMPLED, replace=False)
    handles = [dict(model.named_modules())[paths[index]].register_forward_hook(hook(paths[index])) for index in drawn]
    answer = model(x.clone().requires_grad_())
    for handle in handles:
        handle.remove()
    loss = F.cross_entropy(answer, torch.tensor([target])) if target is not None else answer.max()
    loss.backward()
    assert trace.objective.value == pytest.approx(loss.item(), rel=1e-5)
    assert len(seen) == SAMPLED
    parameters = dict(model.named_parameters())
    for path, made in seen.items():
        layer = trace[path]
        pairs = [(layer.output, made[0]), (layer.gradient, back[path][0])]
        pairs += [(gradient, parameters[f"{path}.{key}"].grad) for key, gradient in layer.weight_gradients.items()]
        for got, wanted in pairs:
            scale = float(wanted.abs().max()) or 1.0
            np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-5, atol=1e-5 * scale)
            assert not got.flags.writeable


def test_a_large_recording_crosses_in_a_file_and_nothing_is_left_of_it(folder, sixty) -> None:
    kept = shared.shared(sixty)
    found, piped = crossed(kept, folder)
    assert found.digest == kept.digest == sixty.digest
    assert piped < sum(array.nbytes for array in apart(sixty)[1].values())
    if os.name == "posix":
        assert not list(folder.iterdir())
    again, _ = crossed(kept, folder)  # the same once more: it is written once more, its first file being gone
    assert again.digest == sixty.digest
    weights = [layer.weights["weight"] for layer in found.layers if "weight" in layer.weights]
    assert all(isinstance(weight, np.ndarray) and not weight.flags.writeable for weight in weights)
    assert found.parameters == sixty.parameters, "shared weights are one array, as they were"


@pytest.mark.parametrize("changes", [
    {"file": '"../1.numbers"'}, {"file": '"/etc/passwd"'}, {"file": '"99.numbers"'}, {"file": "7"}, {"size": "12"},
    {"size": "-1"}, {"size": '"all"'}, {"size": str(1 << 62)}], ids=str)
def test_a_file_that_is_not_the_engines_own_is_not_mapped(changes, folder, sixty) -> None:
    with pytest.raises(Broken):
        crossed(sixty, folder, **changes)


def test_a_link_is_not_followed_and_a_window_without_a_folder_takes_no_file(folder, sixty, tmp_path_factory) -> None:
    _, words, *pieces = pack(Message(ANSWERED, 1, value=sixty))
    with pytest.raises(Broken):
        unpack(words, b"".join(pieces), None)
    if os.name != "posix":
        return
    (path,) = folder.iterdir()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "numbers"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(Broken):
        unpack(words, b"".join(pieces), folder)


def test_where_there_is_no_room_for_a_file_it_goes_through_the_pipe(folder, sixty, monkeypatch) -> None:
    def full(file, arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared, "write_arrays", full)
    assert shared.shared(sixty) is sixty
    found, piped = crossed(sixty, folder)
    assert found.digest == sixty.digest
    assert piped > sum(array.nbytes for array in apart(sixty)[1].values())
    assert not list(folder.iterdir())


def test_folders_of_windows_that_are_gone_are_swept_away_and_others_are_left(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shared, "IN_MEMORY", tmp_path / "none")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    gone, other = tmp_path / f"visualizer-{1 << 30}-abc", tmp_path / f"visualizer-{os.getppid()}-abc"
    for left in (gone, other):
        left.mkdir()
        (left / "1.numbers").write_bytes(b"0")
    found = shared.folder()
    assert found is not None
    assert other.is_dir()
    if os.name == "posix":
        assert not gone.exists()
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
    shared.remove(found)
    assert not found.exists()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool", ">f4", "float16", "complex64"])
def test_arrays_of_every_kind_come_out_of_a_file_as_they_went_in(dtype, tmp_path) -> None:
    arrays = {"one": np.arange(6).reshape(2, 3).astype(dtype), "none": np.zeros((0, 4), dtype),
              "number": np.array(3).astype(dtype), "turned": np.arange(12).reshape(3, 4).astype(dtype).T}
    path = tmp_path / "numbers"
    with path.open("wb") as file:
        write_arrays(file, arrays)
    for name, found in arrays_in(path.read_bytes()).items():
        np.testing.assert_array_equal(found, arrays[name])
        assert found.shape == arrays[name].shape
        assert found.dtype == arrays[name].dtype.newbyteorder("=")


def test_a_large_recording_is_answered_before_its_check(folder, tmp_path_factory, monkeypatch) -> None:
    model, x, _ = large.sixty()
    path = tmp_path_factory.mktemp("model") / "sixty.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model, (x,)), path)
    asked = {"model": str(path), "sample": ""}
    try:
        assert requests.record(**asked)["report"] is None
        checking = requests.check(**asked)
        assert next(checking) == (0.0, "checking")
        with pytest.raises(StopIteration) as end:
            next(checking)
        assert end.value.value["report"].passed
        monkeypatch.setattr(shared, "LARGE", 1 << 40)
        assert requests.record(**asked)["report"] is not None
    finally:
        requests._last.clear()
        requests._read.clear()


def test_what_is_kept_in_a_file_is_the_same_trace(folder, sixty) -> None:
    kept = shared.shared(replace(sixty, studies={"flow": {"sizes": np.arange(3.0)}}))
    assert kept.studies["flow"]["sizes"].tolist() == [0, 1, 2]
    assert kept.answers[0].layer == sixty.answers[0].layer if sixty.answers else kept.answers == ()
    assert [layer.settings for layer in kept] == [layer.settings for layer in sixty]


@pytest.mark.matrix(spine=("sixty",), sample=0, each=False)
@NETS
def test_what_a_recording_takes_is_foreseen_without_numbers(name) -> None:
    model, x, target = getattr(large, name)()
    found, made = need.foreseen(model, arguments(model, x, None)), need.of_trace(capture(model, x, target))
    assert found is not None
    assert found.weights == pytest.approx(made.weights, rel=0.01)
    assert found.values == pytest.approx(made.values, rel=0.01)


def test_a_large_network_that_does_not_fit_is_refused_before_it_runs_with_what_it_would_need(monkeypatch) -> None:
    model, x, target = large.sixty()
    ran = []
    model.conv1.register_forward_hook(lambda *_: ran.append(1))
    takes = need.of_trace(capture(model, x, target)).bytes
    ran.clear()
    monkeypatch.setattr(need, "_said", lambda count: f"{count:,} bytes")
    with pytest.raises(Refused) as caught:
        capture(model, x, target, budget=takes // 2, title="Sixty layers")
    assert not ran
    said = int(re.search(r"would need ([\d,]+) bytes", str(caught.value))[1].replace(",", ""))
    assert said == pytest.approx(takes, rel=0.01)
    assert "Sixty layers" in str(caught.value)
    assert "1 × 3 × 32 × 32" in str(caught.value)
    assert "allow more with the budget" in str(caught.value)
    assert capture(model, x, target, budget=2 * takes).has_backward


def test_what_runs_only_with_numbers_is_counted_while_it_runs() -> None:
    class Asks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 8)

        def forward(self, x):
            return self.fc(x) if x.sum().item() > 0 else x

    x = torch.ones(1, 8)
    assert need.foreseen(Asks(), arguments(Asks(), x, None)) is None
    with pytest.raises(Refused, match="MiB"):
        capture(Asks(), x, budget=600)
    assert len(capture(Asks(), x, budget=4000).layers) > 1


@pytest.mark.parametrize("view", ["feature_maps", "filters"])
@pytest.mark.parametrize("by", ["auto", "first", "mean", "max", "gradient"])
def test_of_many_channels_the_strongest_are_shown_and_it_is_said_how_many(view, by) -> None:
    model = nn.Sequential(nn.Conv2d(64, 400, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                          nn.Linear(400, 3)).eval()
    trace = capture(model, torch.randn(1, 64, 40, 40, generator=torch.Generator().manual_seed(1)), 1)
    picture = draw(trace, view=view, at="0.forward", size=(900, 640), **({} if by == "auto" else {"ranking": by}))
    layer = trace["0"]
    mean = np.abs(layer.output).mean((1, 2))
    size = {"first": -np.arange(400), "max": np.abs(layer.output).max((1, 2)),
            "gradient": np.abs(layer.gradient).mean((1, 2))}.get(by, mean)
    wanted = np.argsort(-size, kind="stable").tolist()
    marks = (*picture.still, *picture.moving)
    images = [mark for mark in marks if isinstance(mark, Image) and mark.focus and mark.focus.layer == "0"]
    shown = list(images[0].indices) if view == "feature_maps" else \
        [mark.focus.cell[0] for mark in images if mark.focus.array == "weight"]
    assert 0 < len(shown) < 400
    assert shown == wanted[:len(shown)]
    if view == "filters":  # and each stands with its own numbers
        top = colour.largest(layer.weights["weight"])
        for mark in [mark for mark in images if mark.focus.array == "weight"][:5]:
            np.testing.assert_array_equal(np.squeeze(mark.values), colour.signed(
                layer.weights["weight"][mark.focus.cell[0]], top)[:, :np.squeeze(mark.values).shape[1]])
    words = ["".join(run.text for run in mark.runs) for mark in marks if isinstance(mark, Text)]
    assert any(f"{len(shown)} of 400 " in text and "shown" in text for text in words)


def test_a_large_recording_is_saved_as_it_is_and_opens_again(sixty, tmp_path, monkeypatch) -> None:
    small = sixty.to_bytes()
    monkeypatch.setattr(traces, "MOST_COMPRESSED", 1000)
    monkeypatch.setattr("visualizer.unpack.MOST_NUMBERS", 1000)  # what a compressed one may unpack to
    path = sixty.save(tmp_path / "sixty.trace")
    assert path.stat().st_size > len(small)
    assert traces.load(path).to_bytes(compress=False) == sixty.to_bytes(compress=False)
    (tmp_path / "packed.trace").write_bytes(small)
    with pytest.raises(Refused, match="would take more than"):
        traces.load(tmp_path / "packed.trace")
