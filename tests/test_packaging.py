"""The wheel: everything the app needs is in it, and it runs from any folder, far from a checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import visualizer

ROOT = Path(__file__).resolve().parent.parent
BUILDABLE = importlib.util.find_spec("build") is not None and importlib.util.find_spec("hatchling") is not None

pytestmark = pytest.mark.skipif(not BUILDABLE, reason="build and hatchling are missing; pip install -e '.[test]'")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that nothing is written into the checkout."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("visualizer", "models", "assets"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    done = subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(out), str(copy)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_is_pure_python_and_carries_the_version(wheel: Path) -> None:
    assert wheel.name == f"visualizer-{visualizer.__version__}-py3-none-any.whl"


def test_the_wheel_carries_every_file_of_the_package_the_models_and_the_assets(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    expected = {f"visualizer/{path.relative_to(ROOT / 'visualizer').as_posix()}"
                for path in (ROOT / "visualizer").rglob("*") if _shipped(path)}
    expected |= {f"visualizer/_data/{path.relative_to(ROOT).as_posix()}"
                 for name in ("models", "assets") for path in (ROOT / name).rglob("*") if _shipped(path)}
    assert expected - inside == set()
    for pattern in (r"models/\w+\.py", r"models/\w+\.safetensors", r"assets/samples/.+\.json", r"assets/fonts/.+\.ttf",
                    r"assets/themes/.+\.json", r"assets/i18n/.+\.json", r"assets/traces/.+\.trace"):
        assert any(re.fullmatch("visualizer/_data/" + pattern, name) for name in inside), f"no {pattern} in the wheel"


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    about = f"visualizer-{visualizer.__version__}.dist-info"
    assert {name.partition("/")[0] for name in inside} == {"visualizer", about}
    assert [name for name in inside if re.search(r"__pycache__|\.pyc$|\.part$|/tests/", name)] == []


def test_the_installed_wheel_finds_its_own_models_from_another_folder(installed: Path, tmp_path: Path) -> None:
    listed = _visualizer(installed, tmp_path, "list", "models", "--json")
    from visualizer import registry

    assert {entry["name"] for entry in json.loads(listed)} == set(registry.models())


def test_the_installed_wheel_draws_from_its_own_assets(installed: Path, tmp_path: Path) -> None:
    _visualizer(installed, tmp_path, "shot", "digits_cnn", "--size", "1104x796", "-o", "digits.png")
    from PIL import Image

    with Image.open(tmp_path / "digits.png") as picture:
        assert picture.size == (1104, 796)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 100, "the picture is blank"


def _shipped(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".part")


def _visualizer(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "QT_QPA_PLATFORM": "offscreen", "PYTHONSAFEPATH": "1"}
    done = subprocess.run([sys.executable, "-m", "visualizer", *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
