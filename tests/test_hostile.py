"""Whatever file one opens: nothing in it runs, one sentence is said, and neither time nor memory are lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import MARK, listed, written

ROOT = Path(__file__).resolve().parent.parent
SECONDS, MEGABYTES, BEGUN = 5.0, 512, 350
"""Of processor time; more than what the process had when it began, torch included."""


def test_there_are_350_of_eleven_kinds():
    names = listed()
    assert len(set(names)) == len(names) >= 350
    assert len({name.partition("_")[0] for name in names}) == 11


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_no_file_runs_raises_or_takes_more_than_its_share(some, tmp_path):
    """With --all every one, else a sample that has the worst of each kind."""
    names = [name for name, in some([(name,) for name in listed()], spine=(), sample=24, each=False)]
    spine = ("zeros.trace", "words.trace", "members.trace", "plain.pt", "doubled.pt2", "sample-zip.pt2",
             "62-megapixels-16.png", "view.session", "endless.onnx")
    names = [name for name in listed() if name in names or name.endswith(spine)]
    files = tmp_path / "files"
    files.mkdir()
    wrong = []
    with subprocess.Popen([sys.executable, "-m", "tests.opening"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, cwd=tmp_path, bufsize=1,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        for path in written(files, names):
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            found = json.loads(process.stdout.readline())
            print(path.name, json.dumps(found))
            if found["kind"] not in ("opened", "refused") or found["seconds"] > SECONDS \
                    or found["memory"] > MEGABYTES + BEGUN or (found["kind"] == "refused" and not says(found["said"])):
                wrong.append((path.name, found))
        process.stdin.close()
    assert not wrong
    assert not list(tmp_path.glob(f"**/{MARK}"))
    assert not Path(MARK).exists()


def says(sentence: str) -> bool:
    """One sentence, not a traceback and not a page."""
    return bool(sentence) and "Traceback" not in sentence and len(sentence) < 1500 and "\n" not in sentence.strip()
