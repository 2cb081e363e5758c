"""Whatever an earlier version saved opens as what it was: the same place, and the same numbers.

The files in `tests/fixtures/version-1` were written once by that version's own code and are never renewed; its README
says how each was made. What they mean and which numbers they hold stands beside them in `expected.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.close import assert_close
from tests.test_opening import Quiet
from visualizer import cli, export, load, registry
from visualizer.scene import session
from visualizer.scene.picture import Focus
from visualizer.scene.recipe import LabRecipe
from visualizer.scene.state import FORMER, State, as_left, changed, from_json, unpacked
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store

FOLDER = Path(__file__).parent / "fixtures" / "version-1"
EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))
RECORDINGS = [name for name in EXPECTED if name.endswith(".trace")]
PLACES = [name for name in EXPECTED if name not in RECORDINGS]
"""Files that say where one stood: sessions, pictures, films."""
FINISHED = (*RECORDINGS, "with-recording.session", "laboratory-with-recording.session", "of-a-recording.png")
"""Their numbers lie in a file, and no arithmetic stands between them and what was written."""
TERMS = 100_000
"""Fewer additions stand behind every number of these networks, through all their layers and steps."""


@pytest.fixture(autouse=True)
def beside_them(monkeypatch):
    """Some name the file of a model that lies beside them."""
    monkeypatch.chdir(FOLDER)


def state_of(name: str) -> State:
    """The State that a file carries, whichever kind of file it is."""
    if name.endswith(".session"):
        return session.read(FOLDER / name).state
    words = export.state_in(FOLDER / name)
    assert words is not None, f"{name} carries nothing"
    return from_json(words)


def focus_words(focus: Focus | None) -> str:
    return "" if focus is None else f"{focus.layer}:{','.join(map(str, focus.cell))}/{focus.array}"


NOW = {new: old for old, new in FORMER.items()}
"""What views were called when the files were made, by what they are called now."""


def place_of(state: State) -> dict[str, object]:
    """What is looked at, and how: all that a picture depends on, but for the settings of its view."""
    return {
        "model": state.model, "sample": state.sample, "objective": state.objective,
        "interventions": list(state.edits), "ink": int(unpacked(state.drawing).sum()) if state.drawing else 0,
        "view": NOW.get(state.view, state.view), "at": state.at, "focus": focus_words(state.focus),
        "size": list(state.look.size), "theme": state.look.theme, "text_scale": state.look.text_scale,
        "scope": state.look.scope, "signs": state.look.signs, "reduced_motion": state.look.reduced_motion,
        "room": state.look.projector, "bars": state.look.bars,
    }


def rest_of(state: State) -> dict[str, object]:
    """What else is kept of a person's work."""
    return {
        "knobs": {**dict(state.look.knobs), **as_left(state, LabRecipe).words},
        "lesson": state.lesson, "step": state.step, "speed": state.speed,
        "playing": state.playing, "notes": [list(note) for note in state.notes],
        "strokes": [[beat, [list(point) for point in points]] for beat, points in state.strokes],
        "inked": state.inked,
    }


def sizes_of(arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """The root of the mean square of every output, gradient, gate and state."""
    return {name: float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) for name, array in arrays.items()
            if ".weight" not in name and array.size}


def kept(layer):
    """Every array of a layer by the name it has in a file of data."""
    for what in ("output", "gradient"):
        if getattr(layer, what) is not None:
            yield what, getattr(layer, what)
    for what in ("inner", "inner_gradients"):
        yield from ((f"{what}.{key}", array) for key, array in getattr(layer, what).items())


def same_sizes(found: dict[str, float], name: str) -> None:
    wanted = EXPECTED[name]["numbers"]
    assert wanted.keys() <= found.keys(), wanted.keys() - found.keys()
    for key, value in wanted.items():
        dtype = np.float64 if name in FINISHED else np.float32
        assert_close(found[key], value, TERMS, dtype=dtype, what=key)


# --- the command line -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", PLACES)
def test_it_says_what_it_said(name):
    state = state_of(name)
    assert place_of(state) == EXPECTED[name]["place"]
    assert rest_of(state) == EXPECTED[name]["rest"]


@pytest.mark.parametrize("name", EXPECTED)
def test_it_has_the_numbers_that_it_had(name, tmp_path):
    assert cli.main(["data", name, "-o", str(tmp_path / "all.npz")]) == cli.DONE
    with np.load(tmp_path / "all.npz") as arrays:
        same_sizes(sizes_of(dict(arrays)), name)


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_drawn_where_it_was_left(name, tmp_path):
    """And the picture leads there again."""
    assert cli.main(["shot", name, "-o", str(tmp_path / "a.png")]) == cli.DONE
    words = export.state_in(tmp_path / "a.png")
    assert words is not None
    again = place_of(from_json(words))
    if name in PLACES:
        own = {"sample": again["sample"]} if again["model"].endswith(".trace") else {}  # the recording's only one
        assert again == EXPECTED[name]["place"] | own
    else:
        assert again["model"] == name


# --- the window -----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.mark.parametrize("name", EXPECTED)
def test_the_window_opens_it(name, digits):
    recorder, said = Recorder(Store(changed(State(), model="nothing"), digits), Quiet()), []
    recorder.said.connect(said.append)
    assert recorder.open(name)
    assert said == []
    store = recorder.store
    if name in PLACES:
        own = {"size": list(store.state.look.size)}  # that of its own stage
        if store.state.model.endswith(".trace"):
            own["sample"] = store.trace.sample.name  # a recording has only one
        assert place_of(store.state) == EXPECTED[name]["place"] | own
        assert rest_of(store.state) == EXPECTED[name]["rest"] | {"playing": False}
    if name in FINISHED:
        arrays = {f"{layer.name}.{what}": array for layer in store.trace for what, array in kept(layer)}
        same_sizes(sizes_of(arrays), name)
    else:
        wishes = recorder.engine.asked[-1]
        place = EXPECTED[name]["place"]
        if place["model"] == "lab":
            assert dict(wishes["words"]).items() <= EXPECTED[name]["rest"]["knobs"].items()
        else:
            assert (wishes["model"], wishes["sample"], wishes["objective"], list(wishes["edits"])) == \
                (place["model"], place["sample"], place["objective"], place["interventions"])
