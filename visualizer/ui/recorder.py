"""Recorder: gets the recording that the State asks for, from a file or from the engine; and opens what people bring.

Whatever goes wrong ends as one sentence, and with the recording that was there before.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from visualizer import export, registry, samples
from visualizer.engine.client import Engine
from visualizer.scene.state import State, from_json
from visualizer.trace import Refused, Trace, load
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.store import Store, recording_of
from visualizer.ui.words import tr
from visualizer.ui.writing import card_of, kind_of

MODELS = (".pt2", ".onnx", ".safetensors", ".pt", ".pth", ".py")
INPUTS = (*samples.IMAGES, *samples.TABLES, ".txt")
"""What is given to the model that is open."""
CARRIES_STATE = (".png", ".svg", ".pdf", ".gif", ".apng", ".webp", ".mp4", ".webm")
DRAWN = "drawn"
MOST_SESSION = 1 << 20
"""Bytes; a longer file is no session."""


class Recorder(QObject):
    """Stands between the store and the engine."""

    said = Signal(str)
    """One sentence about what went wrong."""
    status = Signal(str)
    """A few words about live computing."""

    def __init__(self, store: Store, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.engine = store, engine
        self.ink: NDArray[np.uint8] | None = None
        """(28, 28): the digit that is the input while the sample is `drawn`."""
        self._asked: dict[int, State] = {}
        self._before = store.state
        """Where one was in the recording that is still shown while another one is asked for."""
        self._gone = False
        store.changed.connect(self._remember)
        store.wants_trace.connect(self.record)
        engine.ready.connect(self._ready)
        engine.answered.connect(self._answered)
        engine.refused.connect(self._turned_down)
        engine.failed.connect(self._turned_down)
        engine.died.connect(self._died)

    # --- what the State asks for ---

    def record(self, state: State) -> None:
        """Get the recording of a State: from its own file, from the bundled recordings, or from the engine."""
        path = Path(state.model)
        try:
            if path.suffix == ".trace":
                self._show(_saved_trace(path, state), None, state)
            elif (found := shipped_trace(state)) is not None:
                self._show(found, None, state)
                self._ask(state)  # the engine's answer brings the verdict of its check
            else:
                self._ask(state)
        except Refused as error:
            self._refuse(str(error))

    def verify(self) -> None:
        """Have what is shown recorded once more, now with its check: a shipped recording comes without a verdict."""
        if Path(self.store.state.model).suffix != ".trace":
            self._ask(self.store.state)

    def draw(self, ink: NDArray[np.uint8]) -> None:
        """A drawing of any size becomes the input; the newest wins."""
        try:
            self.ink = samples.centre_digit(ink)
        except Refused as error:
            self.said.emit(str(error))
            return
        if self.store.state.sample == DRAWN:
            self._ask(self.store.state)
        else:
            self.store.update(sample=DRAWN)

    def open(self, path: str) -> None:
        """A recording, a session, a picture that carries a State, an image, or a model: whichever it is."""
        try:
            self._open(Path(path))
        except (Refused, LookupError, OSError, ValueError) as error:
            self.said.emit(str(error))

    # --- how it is got ---

    def _open(self, path: Path) -> None:
        if not path.exists():
            if str(path) in registry.models():
                self.store.update(model=str(path))
                return
            raise Refused(tr("There is no file {path}; check the name.").format(path=path))
        suffix = path.suffix.lower()
        if suffix == ".trace":
            sample = load(path).sample.name
            self.store.update(model=str(path), sample=sample, at="", focus=None, playing=False)
        elif suffix == ".session":
            self._restore(_read_session(path))
        elif suffix in CARRIES_STATE and (words := export.state_in(path)):
            self._restore(words)
        elif suffix in INPUTS:
            card = card_of(self.store.state.model)
            samples.given(str(path), kind_of(self.store.state.model), str(card.get("title", "This model")))
            self.store.update(sample=str(path), playing=False)
        elif suffix in MODELS:
            self.store.update(model=str(path), at="", focus=None, playing=False)
        else:
            raise Refused(tr("{name} is of no kind that opens here; open an image, a text, a model, a .trace, or a "
                             "picture saved by the app.").format(name=path.name))

    def _restore(self, words: str) -> None:
        found = from_json(words)
        now = self.store.state
        look = replace(found.look, size=now.look.size)
        self.store.apply(lambda state: replace(found, look=look, playing=False))

    def _ask(self, state: State) -> None:
        wishes: dict[str, Any] = {"model": state.model, "sample": state.sample, "objective": state.objective}
        if state.sample == DRAWN:
            if self.ink is None:
                raise Refused(tr("The drawing was not kept; draw the digit again."))
            wishes["pixels"] = self.ink
        number = self.engine.request("record", **wishes)
        self._asked = {number: state}

    def _show(self, trace: Trace, report: Any, state: State) -> None:
        if self.store.set_trace(trace, report, asked=state):
            self._gone = False

    def _remember(self, old: State, new: State) -> None:
        if recording_of(old) != recording_of(new) and not self._gone:
            self._before, self._gone = old, True

    def _refuse(self, sentence: str) -> None:
        """Say why, and go back to where one was in the recording that is still there."""
        if self.store.trace is not None and self._gone:
            before, look = self._before, self.store.state.look
            self.store.apply(lambda state: replace(before, look=look, playing=False), undoable=False)
            self._gone = False
        self.said.emit(sentence)

    # --- what the engine says ---

    def _answered(self, number: int, name: str, answer: Any) -> None:
        state = self._asked.pop(number, None)
        if state is not None and isinstance(answer, dict):
            self._show(answer["trace"], answer.get("report"), state)

    def _turned_down(self, number: int, sentence: str) -> None:
        if self._asked.pop(number, None) is not None:
            self._refuse(sentence)

    def _ready(self, versions: Any) -> None:
        torch = str(dict(versions).get("torch", "")).partition("+")[0]
        self.status.emit(tr("Live: torch {version}").format(version=torch))

    def _died(self, sentence: str) -> None:
        self.status.emit(tr("Live computing stopped"))
        self.said.emit(sentence)


def _saved_trace(path: Path, state: State) -> Trace:
    found = load(path)
    if found.sample.name != state.sample:
        raise Refused(tr("{name} is a recording of one input; choose a model to try another.").format(name=path.name))
    return found


def _read_session(path: Path) -> str:
    if path.stat().st_size > MOST_SESSION:
        raise Refused(tr("{name} is too long for a session; open a file saved by the app.").format(name=path.name))
    return path.read_text("utf-8")


