"""The network as plain code: run by itself, in a process of its own, it answers to the last bit as the network does."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from visualizer import cli
from visualizer.record import pass_of
from visualizer.record.code import code
from visualizer.trace import Refused

BUNDLED = ("digits_cnn", "adding_lstm", "digits_vae", "sentiment_gru", "scene_detector")
RUN = """
import importlib.util, sys
from pathlib import Path
import torch
from safetensors.torch import load_file, save_file
assert not any(name.partition(".")[0] == "visualizer" for name in sys.modules)
torch.set_num_threads(1)
for name in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location(Path(name).stem, name)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    given = load_file(Path(name).with_suffix(".in"))
    found = made.load()(*(given[str(place)] for place in range(len(given))))
    found = found if isinstance(found, (tuple, list)) else list(found.values()) if isinstance(found, dict) else [found]
    save_file({str(place): each.contiguous().clone() for place, each in enumerate(found)},
              Path(name).with_suffix(".out"))
"""


class Odd(nn.Module):
    """What a graph by layers cannot follow: its way depends on a size, and it has weights of its own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))
        self.register_buffer("table", torch.arange(4))
        self.inside = nn.ModuleList([nn.Linear(3, 3), nn.BatchNorm1d(3)])

    def forward(self, x):
        x = x @ self.weight.T + self.table[:3]
        for each in self.inside:
            x = each(x)
        return torch.softmax(x, 1) if x.shape[0] < 4 else x


def exported(folder):
    torch.manual_seed(0)
    model, x = Odd().eval(), torch.randn(1, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model, (x,)), folder / "odd.pt2")
        net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4)).eval()
        torch.onnx.export(net, (torch.randn(1, 1, 8, 8),), folder / "conv.onnx", dynamo=False, verbose=False)
    return folder / "odd.pt2", folder / "conv.onnx"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What each network answers, and what its code answers in a process of its own: (code, ours, theirs)."""
    folder = tmp_path_factory.mktemp("code")
    made = {}
    for name in (*BUNDLED, *exported(folder)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            passed = pass_of(name)
        path = folder / f"net_{Path(name).stem}.py"
        made[str(path)] = code(passed), passed
        path.write_text(made[str(path)][0].text, "utf-8")
        path.with_suffix(".safetensors").write_bytes(made[str(path)][0].weights())
        save_file({str(place): each.contiguous() for place, each in enumerate(passed.inputs)}, path.with_suffix(".in"))
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", RUN, *made], cwd=folder, env=clean, check=True)
    return {Path(path).stem.removeprefix("net_"): (*each, load_file(Path(path).with_suffix(".out")))
            for path, each in made.items()}


@pytest.mark.parametrize("name", [*BUNDLED, "odd", "conv"])
def test_in_a_process_of_its_own_it_answers_to_the_last_bit(written, name):
    _, passed, theirs = written[name]
    ours = passed.model(*passed.inputs)  # with gradients, as when it is recorded: torch has other kernels without
    ours = ours if isinstance(ours, tuple | list) else list(ours.values()) if isinstance(ours, dict) else [ours]
    assert len(ours) == len(theirs)
    for place, each in enumerate(ours):
        assert torch.equal(each, theirs[str(place)])
        assert each.isfinite().all()


def test_layers_stay_layers_where_they_can(written):
    text = written["digits_cnn"][0].text
    assert "self.conv2 = nn.Conv2d(6, 12, kernel_size=(3, 3))\n" in text
    assert "conv2 = self.conv2(pool1)\n" in text
    assert all(written[name][0].by_layers for name in BUNDLED)
    assert "hidden_size" not in written["adding_lstm"][0].text
    assert "torch.ops.aten." in written["odd"][0].text


def test_weights_are_the_networks_own_and_are_loaded_by_safetensors_alone(written):
    made, passed, _ = written["digits_cnn"]
    own = passed.model.state_dict()
    assert {*made.tensors} == {*own}
    assert all(torch.equal(made.tensors[name], value) for name, value in own.items())
    imported = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                for node in ast.walk(ast.parse(made.text)) if isinstance(node, ast.Import | ast.ImportFrom)}
    assert imported == {"pathlib", "torch", "safetensors.torch"}
    assert "torch.load" not in made.text


def test_a_hostile_title_stays_in_the_words_above():
    passed = pass_of("adding_rnn")
    title = '"""\nimport os\nos.abort()\n"""\\'
    made = code(replace(passed, opened=replace(passed.opened, title=title)))
    tree = ast.parse(made.text)
    assert "os.abort()" in ast.get_docstring(tree)
    assert not any(isinstance(node, ast.Name) and node.id == "os" for node in ast.walk(tree))


@pytest.mark.parametrize(("name", "why"), [("spelling_sounds", "depends on the numbers that it reads")])
def test_what_cannot_be_written_is_said_in_one_sentence(name, why):
    with pytest.raises(Refused, match=f"^.* cannot be written as plain code .*{why}.*; .*[.]$"):
        code(pass_of(name))


def test_the_command_line_writes_both_files_or_neither(tmp_path, capsys):
    path = tmp_path / "net.py"
    assert cli.main(["code", "mlp_small", "-o", str(path)]) == 0
    assert "its own layers" in capsys.readouterr().out
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.py", "net.safetensors"]
    assert cli.main(["code", "spelling_sounds", "-o", str(tmp_path / "other.py")]) == cli.REFUSED
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.py", "net.safetensors"]
    assert cli.main(["code", "lab", "-o", str(path)]) == cli.WRONG_USAGE
