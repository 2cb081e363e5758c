"""Open files one after the other as the app does, each in a process of its own that begins with everything loaded, and
tell for each what was said, how long it took and how much memory. The paths come on the standard input."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from visualizer import door, inputs, record, sight, views
from visualizer.record import formats
from visualizer.scene.state import Place
from visualizer.trace import Refused

GIVEN_UP = 30.0
"""Seconds after which it is ended."""


def opened(path: Path) -> str:
    """What becomes of a file: a sentence, or what is seen of it."""
    found = door.recognise(path)
    if found.what == door.MODEL:
        form = formats.find(path)
        assert form is not None
        model = form.open_file(path)
        return record.record(model).title if model.prepare else model.title  # a file may say itself what is computed
    if found.what == door.INPUT:
        said = []
        for kind in inputs.kinds():
            try:
                said.append(kind.read(str(path), {}).sample.title if kind.read is not None else "")
            except Refused as error:
                said.append(str(error))
        return "; ".join(said)
    session = door.open_(found)
    if session.trace is not None:
        place = Place(view=session.state.view, at=session.state.at, focus=session.state.focus)
        times = sight.times(session.trace, place)
        for at in (place.at, times.beats[-1].address):
            for view in ("network", "microscope"):
                sight.seen(session.trace, Place(view=view, at=at))
    return session.said or "opened"


def tried(path: Path) -> dict[str, object]:
    """What was said of it, and whether anything was raised that nobody foresaw."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    begun, kind = time.process_time(), "opened"
    try:
        said = opened(path)
    except (Refused, LookupError) as error:
        kind, said = "refused", str(error)
    except BaseException:
        kind, said = "raised", traceback.format_exc()
    peak = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines()
                if line.startswith("VmHWM"))
    return {"kind": kind, "said": said[-2000:], "seconds": time.process_time() - begun, "memory": peak // 1024}


def main() -> None:
    assert record, views
    record.record("mlp_mnist")  # torch is loaded and warm
    for view in views.all_views():
        assert view.name
    for line in sys.stdin:
        ear, mouth = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(mouth, "w") as file:
                json.dump(tried(Path(line.rstrip("\n"))), file)
            os._exit(0)
        os.close(mouth)
        with os.fdopen(ear) as file:
            if not select.select([file], [], [], GIVEN_UP)[0]:
                os.kill(child, signal.SIGKILL)
            answer = file.read()
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
        print(answer or json.dumps({"kind": "ended", "said": "", "seconds": GIVEN_UP, "memory": 0}), flush=True)


if __name__ == "__main__":
    main()
