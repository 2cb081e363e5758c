"""The network as plain code: run by itself, in a process of its own, it answers to the last bit as the network does."""

from __future__ import annotations

import ast
import errno
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
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from tests.toys import toy
from visualizer import cli, registry
from visualizer.record import pass_of
from visualizer.record.code import code
from visualizer.record.studies import Pass
from visualizer.trace import Refused

WAITING = ("spelling_sounds", "numbers_german", "numbers_german_plain", "digits_caption")
"""They say until they have said the end: what they compute depends on what they have said."""
BUNDLED = tuple(sorted({*registry.models()} - {*WAITING}))
SPINE = ("digits_cnn", "adding_lstm")
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


class Attending(nn.Module):
    """Attention, for which torch has a shorter way where nobody asks for gradients."""

    def __init__(self):
        super().__init__()
        self.attends = nn.MultiheadAttention(4, 2, batch_first=True)
        self.block = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.0)

    def forward(self, x):
        said, weights = self.attends(x, x, x)
        return {"said": self.block(x + said), "weights": weights}


class Normed(nn.Module):
    """Weights that are computed."""

    def __init__(self):
        super().__init__()
        self.reads = nn.LSTM(4, 6, batch_first=True)
        self.says = spectral_norm(nn.Linear(6, 2))
        weight_norm(self.reads, "weight_hh_l0")

    def forward(self, x):
        return self.says(self.reads(x)[0][:, -1])


class Looping(nn.Module):
    """A cell in a loop over what it reads, and one that reads what it said itself."""

    def __init__(self):
        super().__init__()
        self.reads, self.says, self.word = nn.LSTMCell(4, 6), nn.GRUCell(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        h = c = torch.zeros(len(x), 6)
        for step in range(x.shape[1]):
            h, c = self.reads(x[:, step], (h, c))
        said = []
        for _ in range(3):
            h = self.says(nn.functional.one_hot(self.word(h).argmax(-1), 6).float(), h)
            said.append(self.word(h))
        return torch.stack(said, 1)


class Listed(nn.Module):
    """Layers in a plain list, which torch does not know of."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 4) for _ in range(3)]

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


class Half(nn.Module):
    """Numbers of two bytes."""

    def __init__(self):
        super().__init__()
        self.reads = nn.LSTM(4, 6, batch_first=True, proj_size=3).bfloat16()

    def forward(self, x):
        return self.reads(x.bfloat16())[0]


OWN = {kind.__name__: kind for kind in (Attending, Normed, Looping, Listed, Half)}


def exported(name, folder):
    """The file of another program."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "odd":
            path = folder / "odd.pt2"
            model, x = Odd().eval(), torch.randn(1, 4)
            torch.export.save(torch.export.export(model, (x,)), path)
        else:
            path = folder / "conv.onnx"
            net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4)).eval()
            torch.onnx.export(net, (torch.randn(1, 1, 8, 8),), path, dynamo=False, verbose=False)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory, request):
    """What each network answers that is asked for, and what its code answers in a process of its own: (code, ours,
    theirs)."""
    folder = tmp_path_factory.mktemp("code")
    asked = {item.callspec.params["name"] for item in request.session.items
             if item.function is test_in_a_process_of_its_own_it_answers_to_the_last_bit}
    made = {}
    for name in sorted({*asked, *SPINE, "odd"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            passed = passed_through(name, folder)
            path = folder / f"net_{name}.py"
            made[str(path)] = code(passed), passed
        path.write_text(made[str(path)][0].text, "utf-8")
        path.with_suffix(".safetensors").write_bytes(made[str(path)][0].weights())
        save_file({str(place): each for place, each in enumerate(inputs_of(passed))},
                  path.with_suffix(".in"))
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", RUN, *made], cwd=folder, env=clean, check=True)
    return {Path(path).stem.removeprefix("net_"): (*each, load_file(Path(path).with_suffix(".out")))
            for path, each in made.items()}


def passed_through(name, folder):
    """A bundled network, a file of another program, or one of those above, that ran once."""
    if name in OWN:
        torch.manual_seed(0)
        return Pass(toy(), OWN[name]().eval(), (torch.randn(1, 5, 4),))
    return pass_of(exported(name, folder) if name in ("odd", "conv") else name)


def inputs_of(passed):
    """One number beside the next, as a file has them: torch adds up in another order what lies otherwise."""
    return tuple(each.contiguous() for each in passed.inputs) if isinstance(passed.inputs, tuple) else (
        passed.inputs.contiguous(),)


@pytest.mark.matrix(spine=(*SPINE, "odd", *OWN), sample=4, each=False)
@pytest.mark.parametrize("name", [*BUNDLED, "odd", "conv", *OWN])
def test_in_a_process_of_its_own_it_answers_to_the_last_bit(written, name):
    _, passed, theirs = written[name]
    ours = passed.model(*inputs_of(passed))  # with gradients, as when it is recorded: torch has other kernels without
    ours = ours if isinstance(ours, tuple | list) else list(ours.values()) if isinstance(ours, dict) else [ours]
    assert len(ours) == len(theirs)
    for place, each in enumerate(ours):
        assert torch.equal(each, theirs[str(place)])
        assert each.isfinite().all()


def test_layers_stay_layers_where_they_can(written):
    text = written["digits_cnn"][0].text
    assert "self.conv2 = nn.Conv2d(6, 12, kernel_size=(3, 3))\n" in text
    assert "conv2 = self.conv2(pool1)\n" in text
    assert all(each.by_layers for name, (each, *_) in written.items() if name in BUNDLED)
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


@pytest.mark.parametrize("name", WAITING)
def test_what_cannot_be_written_is_said_in_one_sentence(name):
    with pytest.raises(Refused, match=r"^.* cannot be written as plain code .*depends on the numbers that it reads.*; "
                                      r".*[.]$"):
        code(pass_of(name))


def test_the_command_line_writes_both_files_or_neither(tmp_path, capsys):
    path = tmp_path / "net.py"
    assert cli.main(["code", "mlp_small", "-o", str(path)]) == 0
    assert "its own layers" in capsys.readouterr().out
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.py", "net.safetensors"]
    assert cli.main(["code", "spelling_sounds", "-o", str(tmp_path / "other.py")]) == cli.REFUSED
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.py", "net.safetensors"]
    assert cli.main(["code", "lab", "-o", str(path)]) == cli.WRONG_USAGE


def test_what_is_there_already_stays_unless_it_was_written_here(tmp_path, capsys):
    """A model of one's own lies in two files of these very names."""
    path = tmp_path / "net.py"
    for _ in range(2):  # its own may be written again
        assert cli.main(["code", "mlp_small", "-o", str(path)]) == 0
    for name in ("net.py", "net.safetensors"):
        other = tmp_path / name.replace("net", "mine")
        other.write_bytes(b"of my own")
        assert cli.main(["code", "mlp_small", "-o", str(tmp_path / "mine.py")]) == cli.REFUSED
        assert capsys.readouterr().err.endswith("is there already and was not written by Visualizer; choose another "
                                                "name.\n")
        assert other.read_bytes() == b"of my own"
        other.unlink()


def test_a_full_disk_leaves_neither_file(tmp_path, capsys, monkeypatch):
    def full(path, data):
        raise registry.NotWritten(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    monkeypatch.setattr(registry, "write_whole", full)
    assert cli.main(["code", "mlp_small", "-o", str(tmp_path / "net.py")]) not in (0, None)
    assert "net.py" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
