"""Session: where a person stands, as a file that opens again at that exact moment.

A zip of `session.json`, which is a State, and of `recording.trace`, where it carries the numbers themselves. A bare
State in JSON, which older versions wrote, opens too.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from visualizer import unpack
from visualizer.language import tr
from visualizer.scene.state import State, from_json, to_json, weights_in
from visualizer.trace import Refused, Trace, from_bytes

SUFFIX = ".session"
STATE, TRACE = "session.json", "recording.trace"
MOST_STATE = 1 << 20
"""Bytes; a longer State is none of ours."""
MOST_RATIO = 200
"""A member that unpacks to more times its size is not unpacked: numbers hardly shrink."""


@dataclass(frozen=True, eq=False)
class Session:
    """A State, and the recording it stands in if that came along."""

    state: State
    trace: Trace | None = None
    weights: str = ""
    """sha256 of the weights that its numbers came from; empty if the file does not say."""
    said: str = ""
    """What of it could not be had as it was saved, one sentence; empty where all could."""


def to_bytes(state: State, trace: Trace | None = None) -> bytes:
    """The file; the same State and Trace give the same bytes."""
    members = [(STATE, state_bytes(state, trace), zipfile.ZIP_DEFLATED)]
    if trace is not None:
        members.append((TRACE, trace.to_bytes(), zipfile.ZIP_STORED))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content, method in members:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = method, 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def state_bytes(state: State, trace: Trace | None) -> bytes:
    """The State alone, as the plain JSON that `read` understands: what is written down while one works."""
    return to_json(state, "" if trace is None else str(trace.hashes.get("weights", ""))).encode()


def read(path: str | Path) -> Session:
    """Open a `.session`; raises Refused with one sentence if it is missing, damaged, hostile, or of a newer version."""
    path = Path(path)
    if not path.is_file():
        raise Refused(tr("There is no file {path}; check the name.").format(path=path))
    if path.stat().st_size > unpack.BUDGET:
        raise Refused(tr("{file} is larger than {most} MB; open a session saved by the app.").format(
            file=path.name, most=unpack.BUDGET >> 20))
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            if path.stat().st_size > MOST_STATE:
                raise Refused(_too_long(path))
            return of_json((path.read_bytes()).decode("utf-8", errors="replace"))
    try:
        return _unpacked(path)
    except Refused:
        raise
    except Exception as error:  # whatever a damaged zip makes of itself
        raise Refused(tr("{file} is damaged ({why}); save the session again from the app.").format(
            file=path.name, why=error)) from error


def _too_long(path: Path) -> str:
    return tr("{file} is too long for a session; open a file saved by the app.").format(file=path.name)


def of_json(text: str) -> Session:
    """A session that is nothing but a State, as pictures carry it."""
    return Session(from_json(text), None, weights_in(text))


def _unpacked(path: Path) -> Session:
    with unpack.opened(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if STATE not in members:
            raise Refused(tr("{file} is a zip but not a session; open a file saved by the app.").format(file=path.name))
        if members[STATE].file_size > MOST_STATE:
            raise Refused(_too_long(path))
        text = unpack.read(archive, members[STATE], MOST_STATE).decode()
        found = of_json(text)  # a newer version is refused in its own words, before anything else in it is judged
        if not set(members) <= {STATE, TRACE} or len(archive.infolist()) != len(members):
            raise Refused(tr("{file} holds more than a session does; open a file saved by the app.").format(
                file=path.name))
        for info in members.values():
            if info.file_size > unpack.BUDGET or info.file_size > MOST_RATIO * max(info.compress_size, 1024):
                raise Refused(tr("{file} would unpack to far more than it is; open a file saved by the app.").format(
                    file=path.name))
        if TRACE not in members:
            return found
        packed = unpack.read(archive, members[TRACE], unpack.MOST_NUMBERS // 2)
        trace = from_bytes(packed, tr("The recording in {file}").format(file=path.name), unpack.MOST_NUMBERS // 2)
        return Session(found.state, trace, found.weights)


def lacking(session: Session, model_known: bool) -> str:
    """Which model file is needed to open it, in one sentence; empty if it carries its numbers or the model is there."""
    if session.trace is not None or model_known:
        return ""
    words = tr("This was made with {model} (weights sha256 {digest}…), which is not there; put that file back, or save "
               "the "
               "session anew where it is.") if session.weights else \
        tr("This was made with {model}, which is not there; put that file back, or save the session anew where it is.")
    return words.format(model=session.state.model, digest=session.weights[:12])


def other_weights(session: Session, trace: Trace) -> str:
    """One sentence if a model's weights are others now than those a session was saved with; empty if not."""
    now = str(trace.hashes.get("weights", ""))
    if not session.weights or not now or session.weights == now:
        return ""
    return tr("The weights of {model} are not those this was saved with ({then}… then, {now}… now), so its numbers are "
              "others.").format(model=trace.title or trace.model, then=session.weights[:12], now=now[:12])
