"""Runs: every view follows the updates of a training, and folders of runs and of recordings open in one place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_sentences import true
from visualizer import door, edits, record, sight
from visualizer.edits import trained, update
from visualizer.record import training
from visualizer.record.catalog import source_of
from visualizer.record.training import folder
from visualizer.said import listening
from visualizer.scene import state as does
from visualizer.scene.picture import Text
from visualizer.scene.recipe import ModelRecipe, reeled
from visualizer.scene.state import State, changed
from visualizer.trace import OF_RUN, ONE_UPDATE, Refused, Trace, load
from visualizer.train import course_of, course_said, kept, seen
from visualizer.views import find, picture

SMALL = "mlp_small"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twelve updates."""
    place = tmp_path_factory.mktemp("runs") / "run"
    course = course_of({"rate": "0.003"}, training.taught(SMALL)[0])
    list(folder.written(place, *folder.started(place, SMALL, course, sample="digit-2148"), 12))
    return place


@pytest.fixture
def watched(written: Path, tmp_path: Path) -> Path:
    """The recordings alone, as `visualizer.watch` leaves them."""
    shutil.copytree(written, tmp_path / "run")
    (tmp_path / "run" / kept.NAME).unlink()
    return tmp_path / "run"


def test_the_words_of_an_edit_say_which_update_of_which_training() -> None:
    assert edits.parse("trained:165") == (edits.find("trained"), (165, "", ""))
    words = trained.words_for(20, "0,rate=0.01;5,rate=0.003", "/data of/a+b|c")
    assert edits.parse(words)[1] == (20, "0,rate=0.01;5,rate=0.003", "/data of/a+b|c")
    assert not set(words.partition(":")[2]) & set("+|:")
    assert edits.parse(trained.moved(words, 7))[1] == (7, "0,rate=0.01;5,rate=0.003", "/data of/a+b|c")
    assert edits.said(("trained:1",)) == "after 1 update"
    for wrong in ("trained", "trained:", "trained:x", "trained:-1"):
        with pytest.raises(LookupError):
            edits.parse(wrong)


def test_the_weights_after_so_many_updates_are_those_of_the_checkpoint(written: Path) -> None:
    run = kept.stored("digits_cnn")
    trace = record.record("digits_cnn", "digit-3", edits=("trained:56",))
    np.testing.assert_array_equal(trace["conv1"].weights["weight"], run.at(56).weights["conv1.weight"])
    assert trace.facts[OF_RUN]["step"] == 56
    assert "quality" not in trace.facts  # that of other weights
    own = kept.of_file(str(written / kept.NAME))
    of_file = record.record(str(written / kept.NAME), "digit-3", edits=("trained:4",))
    np.testing.assert_array_equal(of_file["fc1"].weights["weight"], own.at(4).weights["fc1.weight"])
    again = record.record(SMALL, "digit-3", edits=("trained:4,0,rate=0.003",))  # made anew from its course
    np.testing.assert_array_equal(again["fc2"].weights["weight"], own.at(4).weights["fc2.weight"])
    for model, words in (("digits_cnn", "trained:57"), (str(written / kept.NAME), "trained:5"), ("recall_conv63",
                                                                                                    "trained:1")):
        with pytest.raises(Refused):
            record.record(model, edits=(words,))


def test_the_folder_of_a_run_opens_in_the_view_of_a_training(written: Path) -> None:
    for name in (written, written / kept.NAME):
        found = door.recognise(str(name))
        assert found.what == door.RUN
        assert door.asks(found, State()) == str(written / kept.NAME)
        opened = door.open_(found, cards=record.describe)
        assert (opened.state.view, opened.state.model, opened.state.sample) == (
            "training", str(written / kept.NAME), "digit-2148")
        assert not opened.said
    trace = record.with_study(record.pass_of(opened.state.model, "digit-2148"), seen.STUDY)
    assert [beat.number for beat in sight.times(trace, opened.state).beats] == [0, 1, 2, 3, 4, 6, 7, 10, 12]
    assert trace.studies[seen.STUDY]["answer"].shape == (13, 10)
    other = record.with_study(record.pass_of(opened.state.model, "digit-3"), seen.STUDY)
    assert other.studies[seen.STUDY]["answer"].shape == (9, 10)


def test_another_view_takes_the_updates_along_and_comes_back_to_them(written: Path) -> None:
    model = str(written / kept.NAME)
    trace = record.with_study(record.pass_of(model, "digit-2148"), seen.STUDY)
    there = State((does.Place(ModelRecipe(model, ("digit-2148",)), "training", "input.update[4]"),))
    moved = sight.along_run(changed(there, view="network"), trace, sight.moment_of(trace, there))
    assert moved.edits == ("trained:4",)
    assert moved.reel == ("0", "1", "2", "3", "4", "6", "7", "10", "12")
    assert moved.at.startswith("4:softmax.forward")
    recipes = reeled(moved.recipe, moved.reel)
    assert [recipe.edits for recipe in recipes] == [(f"trained:{step}",) for step in moved.reel]
    found = tuple(record.record(model, "digit-2148", edits=recipe.edits) for recipe in recipes)
    own = kept.of_file(model)
    for each, step in zip(found, moved.reel, strict=True):
        np.testing.assert_array_equal(each["fc1"].weights["weight"], own.at(int(step)).weights["fc1.weight"])
    times = sight.times(found, moved)
    assert float(times.seconds) == pytest.approx(0.4 * 9)
    halfway = times.find("6:softmax.forward@0.5")
    assert sight.nearest(found, changed(moved, at=halfway.address)) is found[4]  # nothing lies between two
    said = sight.seen(found, moved, halfway)
    assert said.caption == sight.seen(found, moved, times.find("4:softmax.forward")).caption
    back = sight.back_to_run(changed(moved, at=halfway.address, view="training"), trace)
    assert (back.at, back.reel, back.edits) == ("input.update[4]", (), ())
    left = does.without_reel(moved)
    assert (left.reel, left.edits, left.at) == ((), (), "softmax.forward")
    live = sight.along_run(changed(there, view="network"), _elsewhere(trace), sight.moment_of(trace, there))
    assert live.edits == ("trained:4,0,rate=0.003",)


def _elsewhere(trace: Trace) -> Trace:
    """The same run, under way in the engine and in no file."""
    return replace(trace, facts={name: fact for name, fact in trace.facts.items() if name != OF_RUN})


def test_recordings_of_a_folder_tell_of_a_training(watched: Path) -> None:
    found = door.recognise(str(watched))
    assert found.inside[0] == "step-0.trace"
    opened = door.open_(found)
    assert (opened.state.view, opened.state.reel) == ("training", found.inside)
    traces = sight.gathered(tuple(load(watched / name) for name in found.inside))
    held = traces[-1].studies[seen.STUDY]
    assert held["kept"].tolist() == [0, 1, 2, 3, 4, 6, 7, 10, 12]
    for place, trace in enumerate(traces):
        assert held["held_loss"][place] == trace.objective.value
        gradient = np.sqrt(sum((np.asarray(array, float) ** 2).sum()
                               for array in trace["fc1"].weight_gradients.values()))
        assert held["gradient"][place][0] == pytest.approx(gradient, rel=1e-6)
        np.testing.assert_allclose(held["answer"][place], trace["softmax"].output)
        assert held["saturated"][place][0] == pytest.approx((trace["relu1"].output == 0).mean())
    assert not seen.words_of(held).named
    assert sight.as_seen(traces, opened.state) is traces[-1]
    assert sight.moment_of(traces, changed(opened.state, at="input.update[4]")).index == 4
    moved = sight.along_run(changed(opened.state, view="network"), traces[-1],
                            sight.moment_of(traces, changed(opened.state, at="input.update[4]")))
    assert moved.at == "step-4.trace:softmax.forward"
    assert moved.reel == found.inside
    assert sight.back_to_run(changed(moved, view="training"), traces[-1]).at == "input.update[4]"


def test_what_is_damaged_is_left_out_and_named(watched: Path, written: Path, tmp_path: Path) -> None:
    path = watched / "step-3.trace"
    path.write_bytes(path.read_bytes()[:500])
    found = door.recognise(str(watched))
    assert "step-3.trace" not in found.inside
    assert "step-3.trace is damaged" in door.open_(found).said
    (watched / kept.NAME).write_bytes((written / kept.NAME).read_bytes()[:-900])
    assert "training.run is damaged" in door.open_(door.recognise(str(watched))).said
    for each in watched.glob("*.trace"):
        each.unlink()
    with pytest.raises(Refused, match="damaged"):
        door.recognise(str(watched))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Refused, match="without two recordings"):
        door.recognise(str(empty))


# --- one update, taken apart ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("words", ["0", "0,optimiser=momentum", "0,optimiser=sgd,rate=0.05,clip=0.3",
                                   "0;3,batch=16,optimiser=momentum"])
@pytest.mark.parametrize("step", [1, 4])
def test_one_update_is_recorded_as_torch_makes_it(words: str, step: int) -> None:
    """The oracle is the optimiser of torch itself, one update further."""
    run, learner = training.begin(SMALL, course_said(words))
    for _ in training.advance(run, learner, step, watched=False):
        if learner.step == step - 1:
            before = {name: weight.detach().clone() for name, weight in learner.net.named_parameters()}
    for parameter, axes in (("fc1.weight", 3), ("fc2.bias", 1)):
        trace = record.record(SMALL, edits=(update.words_for(step, parameter, words),))
        weight = dict(learner.net.named_parameters())[parameter]
        made = trace["weight"].output.reshape(weight.shape)
        np.testing.assert_allclose(made, weight.detach().numpy(), rtol=3e-7, atol=2e-9)
        assert trace["weight"].output.ndim == axes
        if step > 1:
            np.testing.assert_array_equal(trace["weight_before"].output.reshape(weight.shape), before[parameter])
        state = learner.optimiser.state[weight]
        for name, key in (("first", "exp_avg"), ("second", "exp_avg_sq"), ("velocity", "momentum_buffer")):
            if name in trace:  # as far as float32 rounds the numbers that are added, which may cancel each other
                added = sum(np.abs(layer.output) for layer in trace.inputs(trace[name]))
                apart = np.abs(trace[name].output.reshape(weight.shape) - state[key].numpy())
                assert (apart <= 2.4e-7 * added.reshape(weight.shape)).all()
        report = trace.check()
        assert report.passed
    x, wanted = learner.task.batch(0, step - 1, int(learner.knobs.batch))
    own = nn.functional.cross_entropy(learner.net(x), wanted).item()
    assert trace.facts[ONE_UPDATE]["own"] == pytest.approx(own, rel=1e-6)
    if step > 1:
        net = source_of(SMALL).build()
        net.load_state_dict(before)
        loss = nn.functional.cross_entropy(net(x), wanted)
        loss.backward()
        with torch.no_grad():
            for weight in net.parameters():
                weight -= 0.1 * weight.grad
            after = nn.functional.cross_entropy(net(x), wanted).item()
        assert trace.facts[ONE_UPDATE]["moves"] == [0.1, pytest.approx(loss.item(), rel=1e-6),
                                                    pytest.approx(after, rel=1e-5)]


def test_the_microscope_takes_the_next_update_of_the_chosen_weight_apart(written: Path) -> None:
    trace = record.with_study(record.pass_of(SMALL, "digit-2148"), seen.STUDY)
    run = kept.of_file(str(written / kept.NAME))
    trace = replace(trace, studies={seen.STUDY: seen.arrays(run)})
    look = replace(does.Look(), knobs=(("weight", "3,400"),))
    there = State((does.Place(ModelRecipe(SMALL, ("digit-2148",)), "training", "input.update[4]", look=look),))
    moved = sight.along_run(changed(there, view="microscope"), trace, sight.moment_of(trace, there))
    assert moved.edits == ("update:5,fc1.weight,0,rate=0.003",)
    assert moved.reel == ()
    found = record.record(SMALL, edits=moved.edits)
    here = sight.sight(found, moved)
    assert here.moment.address == "first_kept.forward"
    assert here.subject.cell == (0, 3, 400)
    assert found["weight_before"].output[0, 3, 400] == run.at(4).weights["fc1.weight"][3, 400]
    times = sight.times(found, moved)
    last = sight.sight(found, moved, times.find("weight.forward"))
    assert last.subject.cell == (0, 3, 400)
    back = sight.back_from_update(changed(moved, view="training"), trace)
    assert (back.edits, back.at) == ((), "input.update[4]")
    with pytest.raises(Refused):
        record.record(SMALL, edits=("update:5,spam.weight",))


def test_the_stages_of_one_update_say_what_was_computed() -> None:
    trace = record.record(SMALL, edits=(update.words_for(4, "fc2.weight", "0,clip=0.1"),))
    shown = find("one_update")
    assert shown.suits(trace)
    assert not shown.suits(record.record(SMALL))
    times = sight.times(trace, does.Place(view="one_update"))
    focus = does.Focus("gradient", (0, 2, 7))
    drawn = picture(shown, trace, times.find("weight.forward"), focus, does.Look())
    fact = trace.facts[ONE_UPDATE]
    assert drawn.caption.endswith(f"moves that loss from {fact['moves'][1]:.2f} to {fact['moves'][2]:.2f}.")
    rows = {row[0]: row[2] for row in drawn.table.rows if row[0] != "gradient"}
    assert rows["weight"] == trace["weight"].output[0, 2, 7]
    assert rows["step"] == pytest.approx(rows["weight"] - trace["weight_before"].output[0, 2, 7], abs=1e-7)
    said = [mark.plain for mark in drawn if isinstance(mark, Text)]
    assert any(word.startswith("−0.001 · ") for word in said)
    halfway = picture(shown, trace, times.find("first.forward"), focus, does.Look())
    assert sum(isinstance(mark, Text) and mark.plain == "–" for mark in halfway) == 5
    with listening(placing=True) as heard:
        picture(shown, trace, times.find("weight.forward"), focus, does.Look())
    wrong = [claim for claim in heard if not true(trace, claim)]
    assert not wrong, wrong[:3]
    assert len(heard) > 12


def test_how_far_gates_are_open_is_measured_at_each_checkpoint() -> None:
    trace = record.with_study(record.pass_of("adding_lstm"), seen.STUDY)
    held = trace.studies[seen.STUDY]
    names = bytes(held["gates_named"]).decode().split("\n")
    assert len(names) == 3
    for place in (0, 9):
        step = int(held["kept"][place])
        there = record.record("adding_lstm", trace.sample.name, edits=(f"trained:{step}",))
        np.testing.assert_allclose(held["gates"][place], [there["lstm"].inner[name].mean() for name in names],
                                   rtol=1e-5)
    drawn = picture(find("training"), trace, sight.times(trace, does.Place(view="training")).settled(9), None,
                    does.Look(size=(1100, 900)))
    assert any(isinstance(mark, Text) and mark.plain == "gates" for mark in drawn)



def test_a_folder_that_is_opened_while_something_else_is_asked_for_is_read_all_the_same(watched: Path) -> None:
    """What was asked for before comes when nobody wants it any more; what lies in the folder has waited for it."""
    from tests.test_recording import Asked
    from visualizer.ui.recorder import Recorder
    from visualizer.ui.store import Store

    engine, trace = Asked(), record.record(SMALL, "digit-2148")
    store = Store(changed(State(), model=SMALL), trace)
    recorder = Recorder(store, engine)  # type: ignore[arg-type]
    recorder.verify()
    assert recorder.open(str(watched))
    engine.answered.emit(1, "record", {"trace": trace, "report": None})
    assert store.state.view == "training"
    assert seen.STUDY in store.trace.studies
    assert store.recorded is store.trace
    assert len(store.carried) == len(store.state.reel) == 9
    store.update(at="input.update[4]")
    store.update(view="network")
    assert store.state.at == "step-4.trace:softmax.forward"
    assert store.near.facts["step"] == 4
    store.update(view="training")
    assert store.state.at == "input.update[4]"


def test_the_store_goes_along_the_updates_and_into_one_of_them(written: Path) -> None:
    from visualizer.ui.store import Store

    trace = record.record(SMALL, "digit-2148")
    run = kept.of_file(str(written / kept.NAME))
    trace = replace(trace, studies={seen.STUDY: seen.arrays(run)})
    store = Store(changed(State(), model=SMALL, view="training"), trace)
    store.update(at="input.update[10]")
    store.update(view="network")
    assert store.state.edits == ("trained:10,0,rate=0.003",)
    found = record.record(SMALL, "digit-2148", edits=store.state.edits)
    assert store.set_trace(found, None, store.state)
    compared = does.compared(store.state, sight.ends_of_run(store.state, trace))
    assert [place.recipe.edits[0] for place in compared.places] == [
        f"trained:{step},0,rate=0.003" for step in dict.fromkeys((10, 0, run.best.step))]
    store.update(view="training")
    assert (store.state.edits, store.state.at) == ((), "input.update[10]")
    assert store.kept(store.state.recipe).trace is trace  # what was open stays at hand
    store.set_trace(trace, None, store.state)
    store.update(view="microscope")
    assert store.state.edits[0].startswith("update:11,fc1.weight")
    store.update(view="training")
    assert (store.state.edits, store.state.at) == ((), "input.update[10]")
