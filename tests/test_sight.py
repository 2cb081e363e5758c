"""The one door: what the window shows, a film and a picture on the command line are the same, pixel for pixel."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.test_kinds_recurrent import trace_of
from visualizer import door, export, registry, sight, views
from visualizer.export import film as films
from visualizer.record.lab import record_lab
from visualizer.scene import session
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Look, Text
from visualizer.scene.recipe import TRAINING, LabRecipe, lab_recipe, recipe_of
from visualizer.scene.state import Place, State, changed, from_json, to_json, turn_lab
from visualizer.scene.subject import NUMBER
from visualizer.trace import load
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store

SIZE = (640, 480)
EDGE = 12
"""Pixels at the rim of the stage, where its rounded corners are."""
DRIVER = """
import json, sys
from visualizer.cli import main
for words in json.load(sys.stdin):
    if main(words):
        sys.exit(1)
"""


def pixels(path: Path) -> np.ndarray:
    with Pillow.open(path) as image:
        return np.array(image.convert("RGB"))[EDGE:-EDGE, EDGE:-EDGE].astype(int)


def shown(stage: Stage) -> np.ndarray:
    image = stage.grab().toImage()
    image = image.convertToFormat(image.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8, image.sizeInBytes())
    rows = rows.reshape(image.height(), image.bytesPerLine())[:, :3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3)[EDGE:-EDGE, EDGE:-EDGE].astype(int)


def different(one: np.ndarray, other: np.ndarray) -> tuple[int, ...]:
    """Left, top, right, bottom of where two pictures differ; empty if nowhere."""
    ys, xs = np.nonzero(np.abs(one - other).max(axis=2))
    return tuple(map(int, (xs.min(), ys.min(), xs.max(), ys.max()))) if len(xs) else ()


def cnn() -> Path:
    return registry.folder("assets") / "traces" / "digits_cnn.trace"


CASES = {
    "network": ("cnn", "network", None, Fraction(2)),
    "network with a pixel chosen": ("cnn", "network", Focus("conv2", (7, 3, 5)), Fraction(2)),
    "microscope": ("cnn", "microscope", None, Fraction(2)),
    "microscope with a number chosen": ("cnn", "microscope", Focus("conv2", (7, 3, 5)), Fraction(2)),
    "maps": ("cnn", "feature_maps", None, Fraction(2)),
    "steps": ("lstm", "unrolled", None, Fraction(3)),
    "a gate": ("lstm", "microscope", Focus("rnn", (2, 4), "inner.forget"), Fraction(1)),
    "laboratory": ("lab", "gradient_flow", None, Fraction(50, 3)),
}


@pytest.mark.matrix(spine=("network", "microscope with a number chosen", "a gate", "laboratory"), sample=0, each=False)
@pytest.mark.parametrize("case", CASES)
def test_the_window_a_film_and_a_shot_are_the_same_at_every_beat(case: str, request, some, tmp_path: Path,
                                                                 qtbot) -> None:
    """Through the real products: `film` and `shot` in a process of their own, and the stage as it is grabbed.

    Every beat with `--all`, some of them without.
    """
    which, view, focus, fps = CASES[case]
    every = request.config.getoption("--all")
    if which == "lab":
        thing, trace = "lab", record_lab(*_default_lab())
    else:
        thing = str(cnn()) if which == "cnn" else str(trace_of("lstm").save(tmp_path / "a.trace"))
        trace = load(thing)
    look = Look(size=SIZE)
    state = changed(State(), recipe=recipe_of(thing, trace.sample.name), view=view, focus=focus, look=look)
    film = films.Film(trace, view, focus, look, fps=fps)
    if not every:  # about thirty frames
        fps = min(fps, Fraction(1), Fraction(30, int(film.seconds)))
        film = replace(film, fps=fps)
    frames: dict[int, int] = {}
    for frame in range(film.count):
        if film.moment(frame).phase > 0.3:
            frames.setdefault(film.moment(frame).index, frame)
    assert not every or len(frames) >= 0.8 * len(film.times.beats), "most beats have a frame under way"
    wanted = [frame for frame, in some([(frame,) for frame in frames.values()], sample=8, each=False)]
    chosen = [] if focus is None else ["--focus", _words(focus)]
    size = ["--size", f"{SIZE[0]}x{SIZE[1]}"]
    commands = [["film", thing, "--view", view, *chosen, *size, "--fps", str(fps), "-o", str(tmp_path / "film")]]
    commands += [["shot", thing, "--view", view, *chosen, *size, "--at", film.moment(frame).address, "-o",
                  str(tmp_path / f"{frame}.png")] for frame in wanted]
    at = f"{film.times.beats[len(film.times.beats) // 2].address}@0.37"
    commands += [["film", thing, "--view", view, *chosen, *size, "--from", at, "--to", at, "--fps", "1", "-o",
                  str(tmp_path / "at")],
                 ["shot", thing, "--view", view, *chosen, *size, "--at", at, "-o", str(tmp_path / "at.png")]]
    subprocess.run([sys.executable, "-c", DRIVER], input=json.dumps(commands), text=True, check=True,
                   capture_output=True)
    stage = Stage(Store(state, trace))
    qtbot.addWidget(stage)
    stage.resize(*SIZE)
    stage.show()
    for frame in wanted:
        stage.store.update(at=film.moment(frame).address)
        assert stage.store.moment.address == film.moment(frame).address
        seen = shown(stage)
        for other in (tmp_path / "film" / f"{frame + 1:04d}.png", tmp_path / f"{frame}.png"):
            assert not (wrong := different(seen, pixels(other))), (other.name, film.moment(frame).address, wrong)
    stage.store.update(at=at)
    for other in (tmp_path / "at" / "0001.png", tmp_path / "at.png"):
        assert not (wrong := different(shown(stage), pixels(other))), (other.name, at, wrong)


def _default_lab():
    from visualizer import lab

    return lab.of_look(())


def _words(focus: Focus) -> str:
    cell = ",".join(map(str, focus.cell))
    return f"{focus.layer}:{cell}" + ("" if focus.array == "output" else f"/{focus.array}")


def reeled_stage(qtbot, state: State) -> Stage:
    """A stage on a reel or on places whose recordings have all come."""
    from visualizer.record import record

    store = Store(state)
    for wanted in store.wanted():
        trace = load(wanted.model) if wanted.model.endswith(".trace") else \
            record(wanted.model, wanted.sample, edits=wanted.edits)
        store.set_trace(trace, None, asked=wanted)
    if store.trace is None or store.waiting:
        raise AssertionError("the active place has no recording")
    stage = Stage(store)
    qtbot.addWidget(stage)
    stage.resize(*SIZE)
    stage.show()
    return stage


@pytest.mark.parametrize("case", ["training", "folder", "places"])
def test_a_reel_and_places_are_the_same_in_the_window_a_film_and_a_shot(case: str, tmp_path: Path, qtbot) -> None:
    size = ["--size", f"{SIZE[0]}x{SIZE[1]}"]
    view, at = "hidden_state", "rnn.forward[20]"
    state = changed(State(), model="rows_rnn", sample="digit-7", view=view, at=at, look=Look(size=SIZE))
    thing, more = "rows_rnn", ["--input", "digit-7", "--view", view]
    if case == "training":
        state = changed(state, reel=TRAINING, at=f"after:{at}")
        more += ["--reel", "before,after"]
    elif case == "folder":
        from visualizer.record import record

        thing = str(tmp_path / "run")
        Path(thing).mkdir()
        for name, done in (("step 2.trace", ("untrained",)), ("step 10.trace", ())):
            record("rows_rnn", "digit-7", edits=done).save(tmp_path / "run" / name)
        state = changed(door.open_(door.recognise(thing), state).state, view=view, at=f"step 10.trace:{at}")
        assert state.reel == ("step 2.trace", "step 10.trace")
        more = ["--view", view]
    else:
        state = does.training_beside(state)
        thing, more = str(tmp_path / "two.session"), []
        Path(thing).write_bytes(session.to_bytes(state))
    film = ["film", thing, *more, *size, "--fps", "1", "-o", str(tmp_path / "film")]
    stage = reeled_stage(qtbot, state)
    times = stage.store.timeline
    addresses = [at for at in (times.at(second).address for second in range(99)) if at]
    addresses = list(dict.fromkeys(addresses))[:6]
    if case == "places":
        film += ["--from", f"{times.beats[3].address}@0", "--to", times.beats[8].address]
        start = times.second_of(times.find(f"{times.beats[3].address}@0"))
        addresses = [times.at(start + frame).address for frame in range(2)]
    else:
        film += ["--from", at]
        assert len(addresses) == 6
        assert any(0 < times.find(at).phase < 1 for at in addresses)
    shots = [] if case == "places" else [
        ["shot", thing, *more, *size, "--at", at, "-o", str(tmp_path / f"{number}.png")]
        for number, at in enumerate(addresses)]
    subprocess.run([sys.executable, "-c", DRIVER], input=json.dumps([film, *shots]), text=True, check=True,
                   capture_output=True)
    for number, at in enumerate(addresses):
        stage.store.update(at=at)
        assert stage.store.moment.address == at
        seen = shown(stage)
        files = [tmp_path / "film" / f"{number + 1:04d}.png", *([tmp_path / f"{number}.png"] if shots else [])]
        for other in files:
            assert not (wrong := different(seen, pixels(other))), (other.name, at, wrong)
            carried = from_json(export.state_in(other) or "")
            assert (carried.at, carried.reel) == (at, state.reel)


# --- what is looked at ----------------------------------------------------------------------------------------------

def test_a_view_stands_where_it_has_most_to_tell_until_a_moment_is_chosen() -> None:
    trace, lstm = load(cnn()), trace_of("lstm")
    network, number = State(), changed(State(), view="microscope", focus=Focus("conv2", (3, 4, 7)))
    assert sight.sight(trace, network).moment.address == "softmax.forward"
    assert "%" in sight.seen(trace, network).caption
    assert sight.sight(trace, number).moment.address == "conv2.forward"
    assert sight.sight(trace, number).subject == Focus("conv2", (3, 4, 7))
    steps = len(lstm["rnn"].output)
    for view in ("unrolled", "hidden_state", "trajectory"):
        assert sight.sight(lstm, changed(State(), view=view)).moment.address == f"rnn.forward[{steps}]", view


@pytest.mark.parametrize("view", [view.name for view in views.all_views()])
def test_every_view_has_a_telling_moment_of_its_own_timeline(view: str) -> None:
    for trace in (load(cnn()), trace_of("lstm"), trace_of("rnn")):
        place = changed(State(), view=view)
        times = sight.times(trace, place)
        assert times.find(times.first_sight or times.beats[0].address) == times.telling
        seen = sight.sight(trace, place)
        assert seen.view.suits(trace)
        if seen.view.wants == NUMBER:
            assert len(seen.subject.cell) == trace[seen.subject.layer].output.ndim or seen.subject.array != "output"


def test_a_place_of_another_recording_falls_back_to_what_there_is() -> None:
    trace = load(cnn())
    place = changed(State(), view="unrolled", at="lstm.forward[9]", focus=Focus("lstm", (3, 4)))
    seen = sight.sight(trace, place)
    assert (seen.view.name, seen.focus, seen.moment.address) == ("network", None, "softmax.forward")
    outside = sight.sight(trace, changed(State(), view="microscope", focus=Focus("conv2", (99, 0, 0))))
    assert outside.focus == Focus("conv2")


def test_a_picture_that_is_saved_without_a_moment_opens_at_the_one_that_it_shows(tmp_path: Path, capsys) -> None:
    from visualizer.cli import main

    shot = ["shot", str(cnn()), "--view", "walk", "--focus", "conv2:3,4,7", "-o", str(tmp_path / "a.png")]
    assert main(shot) == 0, "by the name that the microscope had before"
    assert "54 products" in capsys.readouterr().out
    carried = from_json(export.state_in(tmp_path / "a.png") or "")
    assert (carried.at, carried.focus) == ("conv2.forward", Focus("conv2", (3, 4, 7)))


def test_knobs_of_another_view_do_not_change_a_picture() -> None:
    trace = load(cnn())
    place = changed(State(), look=Look(knobs=(("fold", "1"), ("march", "rows"))))
    assert sight.sight(trace, place).look.knobs == ()
    assert sight.seen(trace, place) == sight.seen(trace, changed(place, look=Look()))


def test_two_settings_of_the_laboratory_stand_beside_each_other_at_one_time(qtbot, tmp_path: Path) -> None:
    """A and B of the laboratory are two places, as two networks would be."""
    first, second = LabRecipe(), lab_recipe({"gain": "1.5"})
    traces = [record_lab(*recipe.settings) for recipe in (first, second)]
    places = tuple(Place(recipe, "gradient_flow", at, look=Look(size=(1200, 600)))
                   for recipe, at in ((first, "rnn.backward[40]"), (second, "")))
    picture = sight.beside(traces, places, 0, (1200, 600))
    assert [moment.address for moment in sight.joined(traces, places, 0)] == ["rnn.backward[40]"] * 2
    said = [mark.plain for mark in picture if isinstance(mark, Text)]
    assert any("Spectral radius ρ 1.5" in words for words in said), "what differs is said"
    state = State(places=places)
    turned = turn_lab(state, "gain", "0.5")
    assert [place.recipe.settings[0].gain for place in turned.places] == [0.5, 1.5], "the active one turns"
    assert from_json(to_json(turned)) == turned
