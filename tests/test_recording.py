"""Recording: what the recorder asks of the engine when the State asks for another recording, and in which order."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Signal

from visualizer import record
from visualizer.record.extend import extend
from visualizer.record.studies import Pass
from visualizer.scene.state import State, changed, turned
from visualizer.trace import Trace
from visualizer.ui.recorder import TYPES_ON, Recorder
from visualizer.ui.store import Store

LONG = "to be or not to be, that is the question: " * 4


class Asked(QObject):
    """Stands where the engine does and writes down what it is asked."""

    ready, answered, refused = Signal(object), Signal(int, str, object), Signal(int, str)
    failed, died, progress = Signal(int, str), Signal(str), Signal(int, float, str)
    slow = Signal(int, float, float, str)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, object]]] = []

    def request(self, name: str, /, lane: str = "", **words: object) -> int:
        self.asked.append((name, words))
        return len(self.asked)

    def cancel(self, number: int) -> None:
        self.asked.append(("cancel", {"name": number}))


@pytest.fixture(scope="module")
def read() -> Pass:
    return record.pass_of("char_rnn", f"text:{LONG}")


@pytest.fixture
def engine() -> Asked:
    return Asked()


def opened(engine: Asked, trace: Trace, **fields: object) -> Store:
    store = Store(changed(State(), model="char_rnn", sample=f"text:{LONG}", view="unrolled", **fields), trace)
    store.recorder = Recorder(store, engine)  # type: ignore[attr-defined, arg-type]
    return store


def test_a_long_text_that_is_typed_on_is_read_on_first_and_recorded_afterwards(engine: Asked, read: Pass) -> None:
    store = opened(engine, read.trace)
    store.update(sample=f"text:{LONG}w")
    assert [name for name, _ in engine.asked] == ["extend"]
    assert read.opened is not None
    grown = extend(read.opened, read.trace, f"text:{LONG}w")
    engine.answered.emit(1, "extend", {"trace": grown, "report": None})
    assert store.trace is grown
    assert [name for name, _ in engine.asked] == ["extend", "record"]
    assert engine.asked[1][1]["sample"] == f"text:{LONG}w"


def test_nothing_is_recorded_while_somebody_types_on(engine: Asked, read: Pass) -> None:
    store = opened(engine, read.trace)
    store.update(sample=f"text:{LONG}w")
    store.update(sample=f"text:{LONG}wh")
    engine.answered.emit(1, "extend", {"trace": read.trace, "report": None})
    assert [name for name, _ in engine.asked] == ["extend", "extend"]


@pytest.mark.parametrize("text", ["to be", "x" * (TYPES_ON - 10)])
def test_a_short_text_is_recorded_at_once(engine: Asked, read: Pass, text: str) -> None:
    store = opened(engine, read.trace)
    store.update(sample=f"text:{text}")
    assert [name for name, _ in engine.asked] == ["record"]


def test_on_the_way_back_the_gradients_are_recorded_at_once(engine: Asked, read: Pass) -> None:
    store = opened(engine, read.trace, at="rnn.backward[3]")
    store.update(sample=f"text:{LONG}w")
    assert [name for name, _ in engine.asked] == ["record"]


def test_a_view_has_what_it_shows_measured_once(engine: Asked, read: Pass) -> None:
    store = opened(engine, read.trace)
    store.update(view="connectivity")
    assert [(name, words.get("name")) for name, words in engine.asked] == [("study", "connectivity")]
    store.update(view="unrolled")
    store.update(view="connectivity")
    assert len(engine.asked) == 1, "it is under way"
    measured = record.with_study(read, "connectivity").studies["connectivity"]
    engine.answered.emit(1, "study", {"study": "connectivity", "arrays": dict(measured)})
    assert store.trace is not None
    assert set(store.trace.studies) == {"connectivity"}
    store.update(view="unrolled")
    store.update(view="connectivity")
    assert len(engine.asked) == 1, "it is known"


def test_what_a_knob_asks_for_in_words_is_measured_anew_and_given_up_where_its_view_is_left(engine: Asked) -> None:
    trace = record.record("photos_cnn")
    store = Store(changed(State(), model="photos_cnn", sample="photo-1", view="network"), trace)
    store.recorder = Recorder(store, engine)  # type: ignore[attr-defined, arg-type]
    said: list[str] = []
    store.recorder.status.connect(said.append)  # type: ignore[attr-defined]
    store.update(view="restyle")
    store.apply(lambda state: turned(state, "layer", "3"))
    assert [(name, words["name"]) for name, words in engine.asked] == [("study", "style")], "that asks for nothing new"
    engine.progress.emit(1, 0.25, "pixels")
    assert said == ["Being measured: 25 %"]
    store.apply(lambda state: turned(state, "keep", "1"))
    store.update(view="network")
    assert [(name, words["name"]) for name, words in engine.asked[1:]] == [
        ("cancel", 1), ("study", "style:chelsea,coffee,1,1,0"), ("cancel", 3)]


def test_what_cannot_be_measured_is_said_and_not_asked_again(engine: Asked, read: Pass) -> None:
    store = opened(engine, read.trace)
    said: list[str] = []
    store.recorder.said.connect(said.append)  # type: ignore[attr-defined]
    store.update(view="connectivity")
    engine.refused.emit(1, "This cannot be measured; choose another view.")
    store.update(view="unrolled")
    store.update(view="connectivity")
    assert len(engine.asked) == 1
    assert said == ["This cannot be measured; choose another view."]
    assert store.state.view == "connectivity", "the recording that is there stays as it is"


@pytest.mark.parametrize(("name", "view"), [("char_gru", "unrolled"), ("rows_gru", "network"),
                                            ("lab", "gradient_flow")])
def test_a_model_that_is_opened_by_name_is_given_an_input_that_it_reads(engine: Asked, name: str, view: str) -> None:
    store = Store(State(), None)
    assert Recorder(store, engine).open(name)  # type: ignore[arg-type]
    assert (store.state.model, store.state.view) == (name, view)
    assert store.state.sample == {"char_gru": "sea-change", "rows_gru": "digit-2148", "lab": ""}[name]
