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
from visualizer.scene import session
from visualizer.scene.session import Session
from visualizer.scene.state import State, packed, unpacked
from visualizer.trace import Refused, Trace, load
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.store import Store, recording_of
from visualizer.ui.words import tr
from visualizer.ui.writing import card_of, kind_of

MODELS = (".pt2", ".onnx", ".safetensors", ".pt", ".pth", ".py")
INPUTS = (*samples.IMAGES, *samples.TABLES, ".txt")
"""What is given to the model that is open."""
CARRIES_STATE = (".png", ".svg", ".pdf")
DRAWN = "drawn"
MOST_CARRIED = 4
"""So many recordings that came along in sessions are kept at hand."""


class Recorder(QObject):
    """Stands between the store and the engine."""

    said = Signal(str)
    """One sentence about what went wrong."""
    status = Signal(str)
    """A few words about live computing."""

    def __init__(self, store: Store, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.engine = store, engine
        self._sessions: dict[tuple[object, ...], Session] = {}
        """What was opened, by the recording it asks for: its numbers, or which weights they came from."""
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
            opened = self._sessions.get(recording_of(state))
            if opened is not None and opened.trace is not None:
                self._show(opened.trace, None, state)
                if self._model_is_there(state):
                    self._ask(state)  # the engine's answer brings the verdict, or says that the weights are others now
            elif path.suffix == ".trace":
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
        """A drawing of any size becomes the input; the newest wins. A stroke is one step of undo."""
        try:
            samples.centre_digit(ink)
        except Refused as error:
            self.said.emit(str(error))
            return
        self.store.update(sample=DRAWN, drawing=packed(ink), gesture="stroke")

    def open(self, path: str) -> bool:
        """A recording, a session, a picture that carries a State, an image, or a model: whichever it is; whether that
        went well."""
        try:
            self._open(Path(path))
        except (Refused, LookupError, OSError, ValueError) as error:
            self.said.emit(str(error))
            return False
        return True

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
            self._restore(session.read(path))
        elif suffix in CARRIES_STATE and (words := export.state_in(path)):
            self._restore(session.of_json(words))
        elif suffix in INPUTS:
            card = card_of(self.store.state.model)
            samples.given(str(path), kind_of(self.store.state.model), str(card.get("title", "This model")))
            self.store.update(sample=str(path), playing=False)
        elif suffix in MODELS:
            self.store.update(model=str(path), at="", focus=None, playing=False)
        else:
            raise Refused(tr("{name} is of no kind that opens here; open an image, a text, a model, a .trace, or a "
                             "picture saved by the app.").format(name=path.name))

    def _restore(self, found: Session) -> None:
        """Go to where a session or a picture was saved; Refused if what it needs is not there."""
        if why := session.lacking(found, self._model_is_there(found.state) or Path(found.state.model).is_file()):
            raise Refused(why)
        key = recording_of(found.state)
        self._sessions.pop(key, None)
        self._sessions[key] = found
        while len(self._sessions) > MOST_CARRIED:
            del self._sessions[next(iter(self._sessions))]
        at_hand = self.store.trace
        look = replace(found.state.look, size=self.store.state.look.size)
        self.store.apply(lambda state: replace(found.state, look=look, playing=False))
        if found.trace is not None and self.store.trace is at_hand:
            self.record(self.store.state)  # the same recording is asked for, but another one was shown
        elif self.store.trace is at_hand and at_hand is not None and not self.store.waiting:
            self._compare(at_hand)

    def _compare(self, trace: Trace) -> None:
        """Say so once where a model's weights are others than those of the session that was opened."""
        key = recording_of(self.store.state)
        found = self._sessions.get(key)
        if found is not None and (why := session.other_weights(found, trace)):
            self.said.emit(why)
            del self._sessions[key]

    def _model_is_there(self, state: State) -> bool:
        return state.model in registry.models() or \
            (Path(state.model).suffix in MODELS and Path(state.model).is_file())

    def _ask(self, state: State) -> None:
        wishes: dict[str, Any] = {"model": state.model, "sample": state.sample, "objective": state.objective}
        if state.sample == DRAWN:
            if not state.drawing:
                raise Refused(tr("The drawing was not kept; draw the digit again."))
            wishes["pixels"] = samples.centre_digit(unpacked(state.drawing))
        number = self.engine.request("record", **wishes)
        self._asked = {number: state}

    def _show(self, trace: Trace, report: Any, state: State) -> None:
        carried = self._sessions.get(recording_of(state))
        if carried is not None and carried.trace is not None and trace is not carried.trace \
                and session.other_weights(carried, trace):
            self.said.emit(tr("The weights of {name} are not those this was saved with; what is shown is the recording "
                              "that was saved.").format(name=trace.title or trace.model))
            return
        if self.store.set_trace(trace, report, asked=state):
            self._gone = False
            self._compare(trace)

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
