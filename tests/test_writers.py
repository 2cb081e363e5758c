"""Whoever writes a file is ended in the middle of it, or finds the disk full: the old file stays, nothing is left."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.recorded import recorded
from visualizer import cli, export, registry
from visualizer.export import draw
from visualizer.registry import NotWritten
from visualizer.scene import session
from visualizer.scene.state import State
from visualizer.ui import filming, kept

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="kills a process with a signal")

PREPARE = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
from visualizer import registry
from visualizer.trace import load
path = Path(sys.argv[1])
trace = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
if sys.argv[3] == "kill":
    def stop(self, *given):
        os.kill(os.getpid(), signal.SIGKILL)
    Path.replace = stop
else:
    written, left = Path.write_bytes, [0]
    def full(self, data):
        written(self, data[:len(data) // 2])
        raise OSError(28, "No space left on device")
    Path.write_bytes = full
"""
WRITERS = {
    "recording.trace": "trace.save(path)",
    "where.session": "from visualizer.scene import session, state\n"
                     "registry.write_whole(path, session.to_bytes(state.State(), trace))",
    "picture.png": "from visualizer.export import draw, save\nsave(draw(trace, size=(640, 480)), path)",
    "picture.svg": "from visualizer.export import draw, save\nsave(draw(trace, size=(640, 480)), path)",
    "picture.pdf": "from visualizer.export import draw, save\nsave(draw(trace, size=(640, 480)), path)",
    "settings.json": "os.environ['VISUALIZER_STATE'] = str(path.parent)\nfrom visualizer.ui import kept\n"
                     "kept.remember('window', {'language': 'de'})",
}
FILMS = {"film.gif": "", "film.webp": "", "film.apng": ""}


def ended(tmp_path: Path, name: str, code: str, how: str) -> tuple[subprocess.CompletedProcess, Path]:
    path = tmp_path / name
    path.write_bytes(b"{}")
    done = subprocess.run([sys.executable, "-c", PREPARE + code, str(path), name, how], capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"})
    return done, path


@posix
@pytest.mark.matrix(spine=("recording.trace", "settings.json"), sample=2, each=False)
@pytest.mark.parametrize("how", ["kill", "full"])
@pytest.mark.parametrize("name", WRITERS)
def test_the_old_file_is_whole_and_the_next_writer_tidies(tmp_path, monkeypatch, name, how):
    done, path = ended(tmp_path, name, WRITERS[name], how)
    assert path.read_bytes() == b"{}"
    left = [file.name for file in tmp_path.iterdir() if file != path]
    if how == "kill" and name == "settings.json":  # one app waits for another, never for one that is gone
        left.remove("settings.lock")
        monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
        kept.remember("window", {"language": "en"})
        assert kept.remembered("window") == {"language": "en"}
        assert not path.with_suffix(".lock").exists()
    if how == "kill":
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert len(left) == 1
        assert registry.PART.fullmatch(left[0])
    elif name != "settings.json":  # those are forgotten where they cannot be kept
        assert "the disk is full" in done.stderr
    registry.write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == [name]


@posix
@pytest.mark.matrix(spine=(), sample=1, each=False)
@pytest.mark.parametrize("name", FILMS)
def test_a_film_that_is_killed_leaves_the_old_one_whole(tmp_path, name):
    code = "from visualizer.export.film import Film, save\nfrom visualizer.scene.picture import Look\n" \
           "save(Film(trace, look=Look(size=(320, 240)), end=Fraction(1, 3)), path)"
    done, path = ended(tmp_path, name, code, "kill")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_bytes() == b"{}"
    registry.write_whole(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == [name]


@posix
def test_the_folder_of_a_film_whose_window_was_killed_is_gone_with_the_next_film(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True,
                          check=True).stdout.strip()
    left, others = tmp_path / f"visualizer-film-{gone}-abc", tmp_path / f"visualizer-film-{os.getpid()}-abc"
    for folder in (left, others, tmp_path / "somebody-elses"):
        folder.mkdir()
        (folder / "shown.session").write_bytes(b"{}")
    made = Path(filming._folder())
    assert made.is_dir()
    assert not left.exists()
    assert others.is_dir()
    assert (tmp_path / "somebody-elses").is_dir()


@posix
@pytest.mark.parametrize(("before", "mask", "after"), [(0o600, 0o022, 0o600), (None, 0o077, 0o600),
                                                       (None, 0o022, 0o644), (0o664, 0o077, 0o664)])
def test_a_file_keeps_who_may_read_it_and_a_new_one_is_as_new_files_are(tmp_path, before, mask, after):
    path, old = tmp_path / "a.trace", os.umask(mask)
    try:
        if before is not None:
            path.write_bytes(b"old")
            path.chmod(before)
        registry.write_whole(path, b"new")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == after


@posix
def test_a_link_leads_where_it_led(tmp_path):
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    link.symlink_to(real)
    registry.write_whole(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_name_of_250_letters_is_written(tmp_path):
    path = tmp_path / ("n" * 246 + ".png")
    registry.write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_windows_that_write_their_settings_at_once_do_not_mix_them(tmp_path, monkeypatch):
    """Two processes on one folder, one setting each, many times: what is read is always whole."""
    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
    code = "import sys\nfrom visualizer.ui import kept\nfor n in range(60):\n" \
           " kept.remember(sys.argv[1], {'n': n, 'words': 'w' * 5000})\n" \
           " assert kept.remembered(sys.argv[1]).get('words') in (None, 'w' * 5000)"
    both = [subprocess.Popen([sys.executable, "-c", code, name], env={**os.environ, "PYTHONPATH": str(ROOT)})
            for name in ("one", "other")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert {"one", "other"} & {name for name in ("one", "other") if kept.remembered(name)}
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]


def test_a_disk_that_is_full_is_said_and_the_picture_before_it_is_whole(tmp_path, monkeypatch):
    picture, path = draw(recorded("mlp_mnist"), size=(640, 480)), tmp_path / "a.png"
    export.save(picture, path)
    before = path.read_bytes()

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NotWritten, match="the disk is full"):
        export.save(picture, path)
    with pytest.raises(NotWritten, match="the disk is full"):
        registry.write_whole(tmp_path / "a.session", session.to_bytes(State()))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("full_at", [".txt", ".json", ".png"])
def test_a_picture_and_its_captions_are_written_together_or_not_at_all(tmp_path, monkeypatch, capsys, full_at):
    """Whichever of the three finds the disk full; also where the name is a long one."""
    path = tmp_path / ("n" * 120 + ".png")
    command = ["shot", "mlp_mnist", "--caption", "--size", "640x480", "-o", str(path)]
    written = Path.write_bytes

    def full(self, data):
        if f"{full_at}-" in self.name:
            written(self, data[:len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(self, data)

    with monkeypatch.context() as limited:
        limited.setattr(Path, "write_bytes", full)
        assert cli.main(command) == cli.NOT_DONE
    assert capsys.readouterr().err == f"{path.stem}{full_at} was not written: the disk is full; make room, or choose " \
                                      "another place.\n"
    assert list(tmp_path.iterdir()) == []
    if full_at == ".json":
        assert cli.main(command) == cli.DONE
        assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".png", ".txt"]


@posix
@pytest.mark.parametrize(("closed", "said"), [(">&-", b""), ("2>&-", None), (">&- 2>&- <&-", b"")])
def test_a_command_whose_output_is_closed_ends_quietly(tmp_path, closed, said):
    done = subprocess.run(f"{sys.executable} -m visualizer list models {closed}", shell=True, capture_output=True,
                          check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (cli.DONE, b"")
    assert said is None or done.stdout == said
    assert said is not None or b"digits_cnn" in done.stdout


@posix
@pytest.mark.parametrize("before", ["visualizer.cli", "argparse"])
def test_an_interrupt_before_the_command_has_begun_ends_it_without_a_word(tmp_path, before):
    """At the moment a module is asked for: there is no command line yet that could say a sentence."""
    code = "import builtins, os, signal, sys\n" \
           "signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it\n" \
           "usual = builtins.__import__\n" \
           "def asked(name, *rest, **named):\n" \
           "    if name == sys.argv[2]: os.kill(os.getpid(), signal.SIGINT)\n" \
           "    return usual(name, *rest, **named)\n" \
           "builtins.__import__ = asked\n" \
           "from visualizer.__main__ import run\n" \
           "sys.argv[1:] = ['list', sys.argv[2]]\n" \
           "run()"
    done = subprocess.run([sys.executable, "-c", code, "list", before], capture_output=True, check=False,
                          cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")
