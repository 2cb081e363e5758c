"""Manifests: kept beside the file or in the app's own folder, believed of one version of a file only, read strictly."""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from visualizer import beside, manifest, opening, registry
from visualizer.manifest import FORMAT, Input, Manifest
from visualizer.trace import Refused

SAID = Manifest(kind="image", shape=(3, None, 32), layout="channels last", scale="−1 … 1", colours="BGR", fit="pad",
                mean=(0.5,), divisor=(0.25, 0.5, 1e-3), labels=("cat", "Hündin"), answer="string",
                settings={"blank": 0, "deep": [1, {"x": None}]},
                inputs={"a": Input("text", (None,), alphabet=("\n", "b"))},
                arguments={"width": 3, "names": ["x"]}, wiring=("ReLU()",), weights="w.pt")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file in a folder of its own, and another folder for what the app keeps."""
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path / "own"))
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "net.pt2"
    path.write_bytes(b"numbers")
    return path


def test_what_was_said_is_kept_beside_the_file_and_found_again(file: Path) -> None:
    kept = manifest.keep(file, SAID)
    assert kept == file.with_name("net.pt2.visualizer.json")
    found = manifest.of(file)
    assert found.hash == sha256(b"numbers").hexdigest()
    assert (found.plain() | {"hash": ""}) == (SAID.plain() | {"hash": ""})
    assert found.shape == (3, None, 32)
    assert isinstance(found.inputs["a"], Input)
    assert manifest.from_plain(json.loads(json.dumps(found.plain()))) == found


def test_nothing_is_found_where_nothing_was_said_or_there_is_no_file(file: Path) -> None:
    assert manifest.of(file) == manifest.NOTHING == Manifest()
    assert manifest.of(file.with_name("none.pt2")) == manifest.NOTHING


def test_of_another_version_of_the_file_it_says_nothing_and_tells_so(file: Path) -> None:
    manifest.keep(file, SAID)
    file.write_bytes(b"other numbers")
    found = manifest.found(file)
    assert found.manifest == manifest.NOTHING
    assert "another version of net.pt2" in found.why


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0,
                    reason="whoever may write everywhere is never kept out of a folder")
def test_beside_a_read_only_folder_it_is_kept_in_the_apps_own(file: Path, tmp_path: Path) -> None:
    file.parent.chmod(0o500)
    kept = manifest.keep(file, SAID)
    file.parent.chmod(0o700)
    assert kept.is_relative_to(tmp_path / "own")
    assert manifest.found(file).where == kept


def test_where_it_cannot_be_written_beside_it_is_kept_in_the_apps_own_folder(file: Path, tmp_path: Path) -> None:
    """A link is not written through: who made it would choose what is lost."""
    victim = tmp_path / "precious"
    victim.write_text("mine")
    manifest.beside(file).symlink_to(victim)
    kept = manifest.keep(file, SAID)
    assert kept.is_relative_to(tmp_path / "own")
    assert victim.read_text() == "mine"
    assert manifest.of(file).labels == SAID.labels
    moved = file.with_name("moved.pt2")
    file.rename(moved)
    assert manifest.of(moved).labels == SAID.labels  # by its hash, whatever its name
    manifest.forget(moved)
    assert manifest.of(moved) == manifest.NOTHING


def test_what_is_kept_beside_the_file_later_replaces_what_was_kept_elsewhere(file: Path, tmp_path: Path) -> None:
    manifest.beside(file).symlink_to(tmp_path / "nothing")
    manifest.keep(file, SAID)
    manifest.beside(file).unlink()
    manifest.keep(file, Manifest(labels=("later",)))
    assert manifest.of(file).labels == ("later",)


DEEP: list[object] = []
for _ in range(20):
    DEEP = [DEEP]
HOSTILE = {
    "no mapping": [1, 2],
    "unknown word": {"run": "rm -rf"},
    "path upwards": {"weights": "../../etc/passwd"},
    "absolute path": {"source": "/etc/passwd"},
    "path of windows": {"weights": "C:\\x"},
    "parent": {"weights": ".."},
    "null byte": {"weights": "a\0b"},
    "terminal escapes": {"labels": ["\x1b[2Jcat"]},
    "half a letter": {"labels": ["\ud800"]},
    "label of a number": {"labels": [7]},
    "too many labels": {"labels": ["x"] * 300_000},
    "a long label": {"labels": ["x" * 10_000]},
    "size below one": {"shape": [3, 0, 2]},
    "negative size": {"shape": [-1]},
    "bool as size": {"shape": [True]},
    "huge size": {"shape": [1 << 40]},
    "many axes": {"shape": [1] * 40},
    "infinite mean": {"mean": [1e999]},
    "whole number beyond floats": {"mean": [10 ** 400]},
    "no divisor": {"divisor": [0.0]},
    "wrong scale": {"scale": "0 … 7"},
    "unhashable": {"scale": ["0 … 1"]},
    "wrong layout": {"layout": "sideways"},
    "symbol twice": {"alphabet": ["a", "a"]},
    "code as a name": {"name": "__import__('os').system"},
    "deep arguments": {"arguments": {"x": DEEP}},
    "mark of the protocol": {"arguments": {"$": "trace"}},
    "many arguments": {"arguments": {"x": [0] * 20_000}},
    "arguments of no mapping": {"arguments": [1]},
    "inputs in inputs": {"inputs": {"a": {"inputs": {}}}},
    "wrong hash": {"hash": "XYZ"},
    "rate of a word": {"rate": "fast"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_can_mean_is_refused_in_one_sentence_and_ignored(name: str, file: Path) -> None:
    about = HOSTILE[name]
    plain = {"format": FORMAT, "hash": manifest.digest(file), **about} if isinstance(about, dict) else about
    manifest.beside(file).write_text(json.dumps(plain))
    with pytest.raises(Refused) as caught:
        manifest.read(manifest.beside(file))
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 400
    assert said.count(". ") == 0
    assert said.endswith(".")
    found = manifest.found(file)
    assert (found.manifest, found.why) == (manifest.NOTHING, said)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b'{"format": "other"}', b"null", b"NaN",
                                  b'{"format": "visualizer-manifest-1", "mean": [NaN]}',
                                  b" " * (manifest.MOST_BYTES + 1)],
                         ids=["empty", "no text", "cut off", "deep", "other", "null", "nan", "nan inside", "large"])
def test_bytes_that_are_no_manifest_are_refused(data: bytes, file: Path) -> None:
    manifest.beside(file).write_bytes(data)
    with pytest.raises(Refused, match="is not used"):
        manifest.read(manifest.beside(file))
    assert manifest.of(file) == manifest.NOTHING


def test_a_folder_or_a_pipe_of_that_name_is_left_alone(file: Path) -> None:
    manifest.beside(file).mkdir()
    assert manifest.of(file) == manifest.NOTHING
    manifest.beside(file).rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(manifest.beside(file))
        assert manifest.of(file) == manifest.NOTHING


def test_what_could_not_be_read_again_is_not_written(file: Path) -> None:
    with pytest.raises(ValueError, match="labels"):
        manifest.keep(file, Manifest(labels=("\x1b",)))
    assert not manifest.beside(file).exists()


def test_lists_of_labels_are_known_by_their_names() -> None:
    """The order is that of ILSVRC 2012: known numbers of it have known names."""
    names = beside.named("imagenet")
    assert len(names) == len(set(names)) == 1000
    assert [names[number] for number in (0, 1, 281, 285, 388, 817, 999)] == [
        "tench", "goldfish", "tabby", "Egyptian cat", "giant panda", "sports car", "toilet tissue"]
    assert beside.named("digits") == tuple("0123456789")
    assert beside.named("../i18n/de") == beside.named("nobody") == ()
    assert set(opening.LISTS) == {*beside.NAMED, "imagenet"}
    assert all(beside.named(name) for name in opening.LISTS)
