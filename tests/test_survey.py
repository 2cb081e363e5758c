"""What is known of a model file before it is opened: its operations, what it reads as the model sees it, what is asked,
what opens; and the same said by a command."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import cli, kinds, manifest, registry
from visualizer import survey as nouns
from visualizer.engine import protocol, requests
from visualizer.manifest import Manifest
from visualizer.record import open_model, record
from visualizer.record.survey import survey
from visualizer.trace import Refused, load


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.conv(x)) + x)


class Reader(nn.Module):
    """Columns of a picture, one symbol a step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gru, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.GRU(32, 6, batch_first=True), nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.gru(self.conv(x).flatten(1, 2).transpose(1, 2))[0]).log_softmax(2)


def exported(path: Path, model: nn.Module, *x: torch.Tensor) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model.eval(), x), path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sequential(Block(8), Block(8)), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                          nn.Linear(8, 3)).eval()
    return exported(tmp_path_factory.mktemp("net") / "animals.pt2", model, torch.randn(1, 3, 32, 32)), model


@pytest.fixture
def net(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in a folder of its own."""
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path / "own"))
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "animals.pt2"
    path.write_bytes(made[0].read_bytes())
    return path


def test_rows_are_the_operations_below_their_modules_and_add_up(net: Path, made: Any) -> None:
    found = survey(net)
    plain = [row for row in found.rows if not row.group]
    assert [(row.name, row.depth) for row in found.rows if row.group] == [("1", 0), ("1.0", 1), ("1.1", 1)]
    assert {row.depth for row in plain if row.name.startswith("1.")} == {2}
    assert sum(row.parameters for row in plain) == found.parameters == sum(
        each.numel() for each in made[1].parameters())
    assert sum(row.parameters for row in found.rows if row.depth == 0) == found.parameters
    trace = record(open_model(net))
    assert sum(row.adds for row in plain) == found.adds == kinds.macs(trace)
    assert all(row.shape == trace[row.name].shape for row in plain)
    assert all(row.taken for row in plain)
    assert "3 × 3, 3 → 8" in found.rows[0].operation
    assert (found.outputs, found.labelled, found.why, found.runs) == (((3,),), 3, "", False)
    assert all(check.passed for check in found.checks)


def test_what_the_model_sees_is_what_it_is_fed_with_its_ranges(net: Path) -> None:
    told = Manifest(kind="image", colours="BGR", mean=(0.1, 0.2, 0.3), divisor=(0.5, 0.25, 1.0))
    (seen,) = survey(net, told).seen
    fed = np.asarray(record(open_model(net, told=told)).layers[0].output)
    assert seen.given is not None
    assert np.array_equal(seen.fed, fed)
    np.testing.assert_allclose(fed[0], (seen.given[..., 2] / 255 - 0.1) / 0.5, atol=1e-6)
    assert seen.names == ("blue", "green", "red")
    np.testing.assert_allclose(seen.ranges, [(each.min(), each.mean(), each.max()) for each in fed.astype(float)],
                               rtol=1e-6)


def test_what_opens_is_what_suits_and_the_rest_says_why(net: Path, made: Any, tmp_path: Path) -> None:
    views = {each.view: each for each in survey(net).views}
    trace = record(open_model(net))
    for view in registry.module("views").all_views():
        assert views[view.name].opens == view.suits(trace)
        assert views[view.name].opens or views[view.name].words
    recurrent = exported(tmp_path / "reader.pt2", Reader(), torch.randn(1, 1, 8, 24))
    assert {each.view: each for each in survey(recurrent).views}["gates"].opens
    assert not views["gates"].opens


def test_it_crosses_to_the_window_as_it_is(net: Path) -> None:
    answer = requests.survey(str(net), Manifest(kind="image", labels=("a", "b", "c")).plain())
    packed = b"".join(protocol.pack(protocol.Message("answered", 1, value=answer)))
    assert packed
    found = nouns.from_plain(json.loads(json.dumps(nouns.without_arrays(nouns.from_plain(answer["survey"])))))
    again = survey(net, Manifest(kind="image", labels=("a", "b", "c")))
    assert found.rows == again.rows
    assert found.told == again.told
    assert found.views == again.views


def test_what_is_told_wrong_is_said_and_the_rest_is_still_known(net: Path) -> None:
    found = survey(net, Manifest(labels=("one", "two")))
    assert "gives 3 numbers, and 2 labels were told" in found.why
    assert found.rows
    assert found.told.labels == ("one", "two")
    assert "is no picture" in survey(net, Manifest(kind="audio")).why or survey(net, Manifest(kind="audio")).why
    with pytest.raises(Refused):
        survey(net.with_name("gone.pt2"))


def test_weights_with_nan_do_not_pass(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight[0, 0] = float("nan")
    found = survey(exported(tmp_path / "nan.pt2", model, torch.randn(1, 4)))
    assert [check.passed for check in found.checks] == [True, False, True]


def test_a_manifest_is_kept_used_by_every_request_and_asked_again_for_other_weights(net: Path, made: Any) -> None:
    manifest.keep(net, Manifest(kind="image", mean=(0.5,), labels=("cat", "dog", "cow")))
    found = survey(net)
    assert (found.kept, found.told.labels, "mean" in found.asked) == (
        str(manifest.beside(net)), ("cat", "dog", "cow"), False)
    trace = requests.record(model=str(net), check=False)["trace"]
    assert trace.labels == ("cat", "dog", "cow")
    manifest.keep(net, Manifest(kind="image", mean=(0.5,), labels=("x", "y", "z")))
    assert requests.record(model=str(net), check=False)["trace"].labels == ("x", "y", "z")
    exported(net, nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
             torch.randn(1, 3, 32, 32))
    found = survey(net)
    assert (found.kept, found.told.labels) == ("", ())
    assert "another version" in found.notes[0]


def test_a_hostile_manifest_is_said_and_ignored(net: Path) -> None:
    manifest.beside(net).write_text('{"format": "visualizer-manifest-1", "weights": "../../x"}')
    found = survey(net)
    assert "is not used" in found.notes[0]
    assert found.told.weights == ""


def test_a_string_is_read_by_ctc_where_a_person_says_so(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = Reader().eval()
    path = exported(tmp_path / "reader.pt2", model, torch.randn(1, 1, 8, 24))
    told = Manifest(kind="image", answer="string", settings={"blank": 0}, labels=("·", "a", "b", "c", "d"))
    trace = record(open_model(path, told=told), "landscape")
    assert trace.answers[0].kind == "string"
    x = torch.tensor(trace.layers[0].output)[None]
    best = model(x)[0].argmax(-1).tolist()
    spelled = [symbol for place, symbol in enumerate(best) if symbol and (not place or best[place - 1] != symbol)]
    from visualizer import answers

    assert answers.short(trace).replace(" ", "") == "".join(told.labels[symbol] for symbol in spelled)


def test_commands_say_it_too_and_keep_it_where_that_is_wished(net: Path, tmp_path: Path, capsys: Any) -> None:
    own = ["--values=-1..1", "--mean", "cifar", "--labels", "cat,dog,cow", "--fit", "squeeze", "--colours", "RGB"]
    out = tmp_path / "a.trace"
    assert cli.main(["record", str(net), *own, "--input", "fruit", "-o", str(out)]) == 0
    trace = load(out)
    assert trace.labels == ("cat", "dog", "cow")
    assert manifest.of(net) == manifest.NOTHING
    assert cli.main(["survey", str(net), *own, "--keep"]) == 0
    said = capsys.readouterr()
    assert str(manifest.beside(net)) in said.err
    assert "mean: 0.4914, 0.4822, 0.4465" in said.out
    assert cli.main(["record", str(net), "--input", "fruit", "-o", str(out)]) == 0
    assert np.array_equal(load(out).layers[0].output, trace.layers[0].output)
    for words, status in ((["--mean", "x"], 2), (["--labels", "a,b"], 3), (["--kind", "smell"], 3),
                          (["--answer", "nonsense"], 3), (["--shape", "5,5"], 3), (["--arguments", "[1]"], 2)):
        assert cli.main(["record", str(net), *words, "-o", str(out)]) == status, words
    assert cli.main(["record", "digits_cnn", "--labels", "a", "-o", str(out)]) == 3
    assert "is no model file of your own" in capsys.readouterr().err
