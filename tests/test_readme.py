"""The README says what is true: its commands, its Python, its links and its names."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.sources import MAIN
from visualizer import cli, registry

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
SHELL = [block for language, block in BLOCKS if language == "sh"]


def test_one_line_sets_up_and_opens_the_app_and_one_runs_the_tests() -> None:
    starts = [block.strip() for block in SHELL if block.startswith("python3 -m venv .venv && ")]
    assert len(starts) == 2
    assert all("\n" not in line for line in starts)
    assert starts[0].endswith("&& .venv/bin/visualizer")
    assert "pytest" in starts[1]
    # what CI greps for, so that it runs this very line
    assert re.findall(r"^.*pip install.*pytest.*$", README, re.MULTILINE) == [starts[1]]


def test_the_system_libraries_are_those_that_ci_and_the_doctor_name() -> None:
    from visualizer import doctor

    assert f"apt-get install {doctor.QT_LIBRARIES}\n" in README
    assert doctor.X11_LIBRARIES in README
    assert f'libraries="{doctor.QT_LIBRARIES}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_versions_of_torch_are_those_of_the_package() -> None:
    from visualizer import doctor

    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (low, high) = (".".join(map(str, part)) for part in doctor.TORCH)
    assert f"torch>={low},<{high}" in packages
    assert f"({low} or newer, below {high})" in README


def test_every_command_and_option_is_one_that_there_is() -> None:
    (usage,) = [block for block in SHELL if "visualizer list [" in block]
    helps = {}
    for command in cli.COMMANDS:
        assert re.search(rf"^visualizer {command}\b", usage, re.MULTILINE)
        helps[command] = cli.parser()._subparsers._group_actions[0].choices[command].format_help()
    for line in usage.replace("\n                ", " ").splitlines():
        command = line.split()[1] if len(line.split()) > 1 else "#"
        helps.setdefault(command, cli.parser().format_help())
        for option in re.findall(r"(?<![\w-])--?[a-z]+", line.partition("#")[0]):
            assert option in helps[command], f"{option} of {command}"


def test_the_examples_of_the_command_line_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = [shlex.split(line) for block in SHELL for line in block.splitlines()
                if re.match(r"visualizer \w+ digits_cnn ", line)]
    assert len(examples) >= 2
    for words in examples:
        assert cli.main(words[1:]) == cli.DONE
        assert (tmp_path / words[-1]).stat().st_size > 1000


def test_the_python_runs_and_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    import torch

    from visualizer import app, record

    (code,) = [block for language, block in BLOCKS if language == "python"]
    shown = []
    monkeypatch.setattr(app, "show", shown.append)
    monkeypatch.chdir(tmp_path)
    model = record.open_model("digits_cnn").module

    def train(model: torch.nn.Module) -> None:
        model(names["batch"]).square().mean().backward()
        torch.optim.SGD(model.parameters(), 1e-4).step()

    names = {"model": model, "x": torch.rand(1, 1, 28, 28), "batch": torch.rand(5, 1, 28, 28), "train": train,
             "loss_of": lambda answer: torch.nn.functional.cross_entropy(answer, torch.arange(5))}
    exec(code, names)
    assert shown == [names["trace"]]
    assert capsys.readouterr().out.strip() == names["picture"].caption


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target


def test_every_file_and_folder_that_is_named_exists() -> None:
    for path in re.findall(r"`((?:visualizer|models|assets|tests)/[\w/]*/?)(?:<name>[\w.]*)?`", README):
        assert (ROOT / path).exists(), path


def test_every_bundled_network_is_counted() -> None:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
             "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "twenty-one",
             "twenty-two", "twenty-three", "twenty-four", "twenty-five", "twenty-six", "twenty-seven", "twenty-eight",
             "twenty-nine", "thirty", "thirty-one", "thirty-two", "thirty-three", "thirty-four", "thirty-five")
    assert f"Bundled are {words[len(MAIN)]} networks" in README
    assert ("and small ones for experiments" in " ".join(README.split())) == (len(MAIN) < len(registry.models()))
    assert registry.with_before() == registry.models()
    assert "All of them open as they were before training, too" in " ".join(README.split())


def test_it_is_short() -> None:
    # 50 more since Python and notebooks have a film of a training, a step of one's own and a frame to be named
    # 50 for what a command says of a model of one's own
    # 50 for the blocks of large networks and their keys
    # 20 for weights that find their wiring
    # 52 for what a large network costs
    # 230 for what networks are used for: a table of twelve, with what each reaches
    # 360 for how a network learned, what a cut changes, why it answers so, pages and code to hand on, and what it costs
    assert len(README.split()) <= 3562
