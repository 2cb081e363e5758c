"""Networks as Python files: found without running them, run after a person has agreed, and whatever they do instead of
that is one sentence."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from visualizer import cli, consent, manifest, registry
from visualizer import survey as nouns
from visualizer.engine import requests
from visualizer.manifest import Manifest
from visualizer.record import open_model, record
from visualizer.record.formats import python
from visualizer.record.survey import survey
from visualizer.trace import Refused, load

NET = '''
import torch
from torch import nn
import beside_net

class Block(nn.Module):
    def __init__(self, width, *, act=nn.ReLU):
        super().__init__()
        self.conv, self.act = nn.Conv2d(width, width, 3, padding=1), act()

    def forward(self, x):
        return self.act(self.conv(x)) + x

class Net(nn.Module):
    def __init__(self, width: int = 4, classes=3):
        super().__init__()
        self.first, self.block = nn.Conv2d(3, width, 3), Block(width)
        self.last = nn.Linear(width, classes)

    def forward(self, x):
        print("this would break a protocol")
        return self.last(self.block(self.first(x)).mean((2, 3))) * beside_net.ONE

class Data(torch.utils.data.Dataset):
    pass

ready = Net(width=2)

def build(size=1) -> nn.Module:
    return nn.Linear(size, 2)
'''


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a network and one that it imports, which nobody has agreed to."""
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path / "own"))
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "beside_net.py").write_text("ONE = 1.0\n")
    path = tmp_path / "there" / "net.py"
    path.write_text(NET)
    yield path
    consent.suppose_nothing()
    manifest.suppose_nothing()


def plain_net(path: Path, **arguments: Any) -> torch.nn.Module:
    """The same network by Python itself."""
    sys.path.insert(0, str(path.parent))
    try:
        space: dict[str, Any] = {"__name__": "net"}
        exec(compile(path.read_text(), path.name, "exec"), space)
        return space["Net"](**arguments).eval()
    finally:
        sys.path.remove(str(path.parent))
        sys.modules.pop("beside_net", None)


# --- without running it ---------------------------------------------------------------------------------------------

def test_what_can_be_the_model_is_found_without_running_it(file: Path) -> None:
    file.write_text(f"{NET}\nraise SystemExit('it ran')\n")
    found = {each.name: each for each in python.choices_in(file)}
    assert list(found) == ["ready", "Net", "Block", "build"]
    assert found["ready"].made
    assert found["Net"].arguments == (("width", "4"), ("classes", "3"))
    assert found["Block"].arguments == (("width", ""), ("act", "nn.ReLU"))
    assert found["build"].arguments == (("size", "1"),)


@pytest.mark.parametrize("words", [
    "from torch.nn import Module as M\nclass N(M):\n  pass", "import torch\nclass N(torch.nn.Module):\n  pass",
    "import torch.nn as nn\nclass N(nn.Sequential):\n  pass",
    "from base import Base\nclass N(Base):\n  def forward(self, x): 1",
    "import pytorch_lightning as pl\nclass N(pl.LightningModule):\n  pass",
    "from torch import nn\nclass A(nn.Module): pass\nclass N(A): pass\nclass B(A): x = N"], ids=range(6))
def test_networks_are_known_by_what_they_are_made_of(words: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(words)
    assert "N" in [each.name for each in python.choices_in(tmp_path / "a.py")]


@pytest.mark.parametrize(("words", "said"), [
    (b"x = 1\n", "defines no network"), (b"class A:\n  def forward(self): 1", "defines no network"),
    (b"def f(:\n", "no Python that can be read .* in line 1"), (b"\xff\xfe\x00", "no Python"),
    (b"(" * 5000, "no Python"), (b"x = " + b"-" * 200_000 + b"1", "no Python|defines no network"),
    (b"# coding: nonsense\n", "no Python")], ids=range(7))
def test_what_is_no_network_is_refused_in_one_sentence(words: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(words)
    with pytest.raises(Refused, match=said) as caught:
        python.choices_in(tmp_path / "a.py")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


# --- consent --------------------------------------------------------------------------------------------------------

def test_nothing_runs_before_a_person_has_agreed_to_exactly_this_file(file: Path) -> None:
    with pytest.raises(Refused, match=r"net\.py is a program, which runs when it is opened; agree"):
        open_model(file)
    manifest.keep(file, Manifest(name="Net"))  # what travels with a file is no consent
    with pytest.raises(Refused, match="is a program"):
        open_model(file)
    consent.give(file)
    assert open_model(file).told.name == "Net"
    file.write_text(f"{NET}\nx = 1\n")
    with pytest.raises(Refused, match="is a program"):
        open_model(file)
    assert {path.name for path in file.parent.iterdir()} == {"net.py", "beside_net.py", "net.py.visualizer.json"}


def test_the_engine_refuses_what_nobody_has_agreed_to_and_surveys_it_unrun(file: Path) -> None:
    found = nouns.from_plain(requests.survey(str(file))["survey"])
    assert (found.runs, found.agreed, found.rows, found.seen) == (True, False, (), ())
    assert [each.name for each in found.choices] == ["ready", "Net", "Block", "build"]
    assert found.asked == ("name",)
    for name in ("describe", "record"):
        with pytest.raises(Refused, match="is a program"):
            requests.REQUESTS[name](str(file)) if name == "describe" else requests.record(model=str(file))
    consent.give(file)
    found = nouns.from_plain(requests.survey(str(file), Manifest(name="Net").plain())["survey"])
    assert found.agreed
    assert [row.name for row in found.rows if row.depth == 0] == ["first", "block", "mean", "last", "mul"]
    assert not found.checks[0].passed


@pytest.mark.parametrize("words", ["{", '{"a": 1}', '[{"x": 1}, null, 3]', "[" * 9999, ""])
def test_a_damaged_list_of_consents_is_none(words: str, file: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(exist_ok=True)
    (tmp_path / "own" / consent.NAME).write_text(words)
    assert not consent.given(file)
    consent.give(file)
    assert consent.given(file)


# --- running it -----------------------------------------------------------------------------------------------------

def test_a_command_that_names_the_class_runs_it_with_its_weights(file: Path, tmp_path: Path, capfd: Any) -> None:
    torch.manual_seed(5)
    net = plain_net(file, width=5)
    torch.save({"epoch": 3, "model": {f"module.{name}": value for name, value in net.state_dict().items()}},
               file.with_name("w.pt"))
    out = tmp_path / "a.trace"
    assert cli.main(["record", f"{file}:Net", "--weights", str(file.with_name("w.pt")), "--arguments", '{"width": 5}',
                     "--shape", "1,3,20,24", "--labels", "a,b,c", "--check", "-o", str(out)]) == 0
    assert "this would break" not in capfd.readouterr().out
    trace = load(out)
    x = torch.tensor(trace["input"].output)[None]
    with torch.no_grad():
        np.testing.assert_allclose(trace.answer.output, net(x).softmax(1)[0], atol=1e-6)
    assert trace.labels == ("a", "b", "c")
    with pytest.raises(Refused, match="is a program"):
        open_model(file)  # it was said in that command alone


def test_weights_of_any_format_are_attached_strictly(file: Path) -> None:
    consent.give(file)
    net = plain_net(file)
    save_file(dict(net.state_dict()), file.with_name("w.safetensors"))
    np.savez(file.with_name("w.npz"), **{name: value.numpy() for name, value in net.state_dict().items()})
    for name in ("w.safetensors", "w.npz"):
        made = open_model(file, told=Manifest(name="Net", weights=name)).module
        assert all(torch.equal(value, made.state_dict()[key]) for key, value in net.state_dict().items())
    wrong = {**{f"x{number}": torch.ones(1) for number in range(5)}, **net.state_dict()}
    del wrong["last.bias"]
    wrong["first.bias"] = torch.ones(7)
    save_file(wrong, file.with_name("w.safetensors"))
    with pytest.raises(Refused, match=r"missing last\.bias; not known in it x0, x1, x2 and 2 more; of another size "
                                      r"first\.bias \(7 for 4\)"):
        open_model(file, told=Manifest(name="Net", weights="w.safetensors"))
    with pytest.raises(Refused, match="does not lie beside"):
        open_model(file, told=Manifest(name="Net", weights="gone.pt"))


def test_weights_find_the_python_file_beside_them(file: Path) -> None:
    net = plain_net(file)
    path = file.with_name("w.pt")
    torch.save(net.state_dict(), path)
    told = Manifest(source="net.py", name="Net", shape=(3, 16, 16))
    assert (survey(path, told).runs, survey(path, told).agreed) == (True, False)
    consent.give(file)
    opened = open_model(path, told=told)
    x = torch.rand(1, 3, 16, 16)
    assert torch.equal(opened.module(x), net(x))
    assert (opened.told.source, opened.told.weights) == ("net.py", "")
    assert survey(path, told).rows


def test_weights_drawn_by_the_code_are_the_same_each_time_and_said_so(file: Path) -> None:
    consent.give(file)
    one, other = (open_model(file, told=Manifest(name="Net")) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(one.module.parameters(), other.module.parameters(), strict=True))
    assert "as its code draws them" in one.notes[0]


def test_what_is_imported_from_beside_it_is_read_anew_and_other_folders_do_not_mix(file: Path, tmp_path: Path) -> None:
    consent.give(file)
    x = torch.rand(1, 3, 16, 16)
    before = open_model(file, told=Manifest(name="Net")).module(x)
    (file.parent / "beside_net.py").write_text("ONE = 2.0\n")
    assert torch.equal(open_model(file, told=Manifest(name="Net")).module(x), before * 2)
    assert str(file.parent) not in sys.path


HOSTILE = {
    "import sys; sys.exit(3)": "ended the program (sys.exit) while it was loaded",
    "raise ValueError('no\\nway')": "stopped while it was loaded (ValueError: no, line 2)",
    "import gone_for_good": "needs gone_for_good, which is not installed here; install it",
    "class E(BaseException):\n  def __str__(self): raise E\nraise E": "stopped while it was loaded (E, line 4)",
    "def f(): f()\nf()": "stopped while it was loaded (RecursionError",
    "input()": "stopped while it was loaded (",
    "import argparse; argparse.ArgumentParser().parse_args()": "",
    "@@init@@ import sys; sys.exit()": "ended the program (sys.exit) while Net was made",
    "@@init@@ raise KeyError('x')": "stopped while Net was made (KeyError",
    "@@new@@ return 3": "of net.py gives a int, no network",
    "@@forward@@ import sys; sys.exit()": "ended the program (sys.exit) while it computed",
    "@@forward@@ raise KeyError('x')": "(KeyError: 'x', line",
    "@@forward@@ return 'text'": "",
    "@@forward@@ return x.numpy().tolist()": "",
    "@@forward@@ x.resize_(10**15)": "",
}


@pytest.mark.parametrize("words", HOSTILE, ids=[each[:30] for each in HOSTILE])
def test_whatever_the_code_does_instead_is_one_sentence(words: str, file: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    place, body = words.split("@@ ")[0].removeprefix("@@"), words.split("@@ ")[-1]
    inits = {"init": f"\n  def __init__(self):\n    super().__init__(); {body}",
             "new": f"\n  def __new__(cls):\n    {body}"}.get(place, "")
    top = body if not words.startswith("@@") else ""
    file.write_text(f"from torch import nn\n{top}\nclass Net(nn.Module):{inits}\n  def forward(self, x):\n    "
                    f"{body if place == 'forward' else 'return x * 2'}\n")
    consent.give(file)
    want, told = HOSTILE[words], Manifest(shape=(2, 3))
    if not want and not words.startswith("@@"):
        assert record(open_model(file, told=told)).layers  # it does no harm: these are not the words of the app
        return
    with pytest.raises(Refused) as caught:
        record(open_model(file, told=told))
    said = str(caught.value)
    assert want in said
    assert said.isprintable()
    assert said.endswith(".")


def test_arguments_that_have_no_default_are_asked(file: Path) -> None:
    consent.give(file)
    with pytest.raises(Refused, match=r"Block of net\.py wants width, for which there is no default; say it with"):
        open_model(file, told=Manifest(name="Block"))
    assert open_model(file, told=Manifest(name="Block", arguments={"width": 3})).module.conv.in_channels == 3
    with pytest.raises(Refused, match=r"stopped while Net was made \(TypeError"):
        open_model(file, told=Manifest(name="Net", arguments={"depth": 3}))
    found = survey(file, Manifest(name="Block"))
    assert (found.agreed, "wants width" in found.why) == (True, True)


@pytest.mark.parametrize("words", ["import os; os._exit(7)", "import ctypes; ctypes.string_at(0)"],
                         ids=["exit", "segfault"])
def test_code_that_ends_its_process_ends_the_engine_alone(words: str, file: Path) -> None:
    """The engine is a process of its own: the window asks for another (tests/test_engine.py). Here the same in one."""
    file.write_text(f"from torch import nn\nclass Net(nn.Module):\n  pass\n{words}\n")
    consent.give(file)
    code = f"from visualizer.engine.requests import survey; print('begun', flush=True); survey({str(file)!r}); print(1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert done.returncode != 0
    assert done.stdout == "begun\n"


def test_the_survey_command_lists_what_there_is_and_runs_nothing(file: Path, capsys: Any) -> None:
    assert cli.main(["survey", str(file)]) == 0
    out = capsys.readouterr().out
    assert "nothing in it has run" in out
    assert "net.py:Net(width=4, classes=3)" in out
    assert cli.main(["survey", f"{file}:Net", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["told"]["name"] == "Net"
    assert plain["parameters"] == sum(each.numel() for each in plain_net(file).parameters())


def test_a_file_of_a_package_imports_from_there_by_dots(file: Path) -> None:
    inner = file.parent / "pack" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").write_text("")  # the inner one has none, as many have
    (inner.parent / "one.py").write_text("ONE = 3.0\n")
    (inner / "net.py").write_text("from torch import nn\nfrom ..one import ONE\nclass Net(nn.Module):\n"
                                  "  def forward(self, x): return x * ONE\n")
    consent.give(inner / "net.py")
    assert open_model(inner / "net.py", told=Manifest(shape=(2,))).module(torch.ones(1, 2)).tolist() == [[3.0, 3.0]]
    assert not [name for name in sys.modules if name.partition(".")[0] == "pack"]
