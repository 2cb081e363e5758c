"""Reels: from one recording to the next; numbers at both ends, and none in between."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.test_opening import Quiet
from tests.toys import deep, toy
from visualizer import cli, door, sight
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Image, Rect, Text
from visualizer.scene.recipe import TRAINING, ModelRecipe, reeled
from visualizer.scene.reel import EDGE, FADE, HOLD, STRIP, Reel, between, is_between
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store

SIZE = (900, 600)


def other():
    """The same network with other numbers."""
    return replace(toy(), layers=tuple(replace(layer, output=np.flip(layer.output) * 0.5) for layer in toy()))


def reel():
    return Reel((toy(), other()), ("before", "after"), timeline(toy()).find("conv.forward"), ("before it", "after it"))


def seen(trace, moment, size):
    return sight.seen(trace, changed(State(), view="network"), moment, size)


def test_a_beat_for_each_recording_with_an_address_that_is_found_again():
    times = reel().times
    assert [beat.address for beat in times.beats] == ["before:conv.forward", "after:conv.forward"]
    assert times.seconds == 2 * (FADE + HOLD)
    half = times.at(FADE + HOLD + FADE / 2)
    assert (half.address, half.index) == ("after:conv.forward@0.5", 1)
    assert times.find(half.address) == half
    assert times.second_of(half) == FADE + HOLD + FADE / 2
    assert [reel().nearest(times.find(f"after:conv.forward@{share}")) for share in (0, 0.4, 0.6, 1)] == [0, 0, 1, 1]


def test_where_a_recording_is_reached_its_picture_stands_as_it_is():
    inside = SIZE[0], SIZE[1] - STRIP
    for index, trace in enumerate((toy(), other())):
        whole, alone = reel().picture(seen, reel().times.settled(index), SIZE), seen(trace, reel().moment, inside)
        assert whole.size == SIZE
        assert whole.still[:len(alone.still)] == alone.still
        assert (whole.moving, whole.caption, whole.table) == (alone.moving, alone.caption, alone.table)
    start = reel().picture(seen, reel().times.find("after:conv.forward@0"), SIZE)
    assert start.caption == seen(toy(), reel().moment, inside).caption


def test_in_between_no_number_is_shown_that_is_not_that_of_both():
    inside = SIZE[0], SIZE[1] - STRIP
    one, two = (seen(trace, reel().moment, inside) for trace in (toy(), other()))
    both = set.intersection(*({mark.plain for mark in end if isinstance(mark, Text)} for end in (one, two)))
    for share in (0.1, 0.5, 0.9):
        picture = reel().picture(seen, reel().times.find(f"after:conv.forward@{share}"), SIZE)
        words = [mark.plain for mark in picture if isinstance(mark, Text) and mark.y < SIZE[1] - STRIP]
        assert all(said in both for said in words if re.search(r"\d", said))
        assert picture.caption.startswith(f"Between before it and after it, {share:.0%}".replace("%", " %"))
        assert not picture.table.rows
        assert any("interpolated" in mark.plain for mark in picture if isinstance(mark, Text))


def test_colours_and_lengths_go_over_evenly():
    one, two = np.zeros((1, 2, 2), np.uint8) + 10, np.zeros((1, 2, 2), np.uint8) + 110
    pictures = [replace(seen(toy(), reel().moment, SIZE), moving=(), still=(
        Image(0, 0, (5, 5), values), Rect(0, 0, wide, 4), Text(3, 3, ()), Rect(9, 9, 9, 9, tip=str(wide))))
        for values, wide in ((one, 10), (two, 30))]
    quarter = between(*pictures, 0.25, "said").still
    assert (quarter[0].values == 35).all()
    assert quarter[1].width == 15
    assert [mark.values.max() for mark in between(*pictures, 0.75, "").still[:1]] == [85]


def test_recordings_of_two_networks_make_no_reel():
    with pytest.raises(Refused, match="other layers"):
        Reel((toy(), deep()), ("a", "b"), timeline(toy()).settled(0))
    for names in (("a",), ("a", "a")):
        with pytest.raises(Refused, match="two or more"):
            Reel((toy(), other())[:len(names)], names, timeline(toy()).settled(0))


def test_before_and_after_training_is_a_film(tmp_path, capsys):
    path = tmp_path / "frames"
    wanted = ["film", "rows_rnn", "--reel", "before,after", "--from", "rnn.forward[20]", "--view", "hidden_state",
              "--fps", "1"]
    assert cli.main([*wanted, "-o", str(path)]) == cli.DONE
    assert len(list(path.glob("0*.png"))) == 6
    capsys.readouterr()
    for bad in ("before", "before,before", "before,later"):
        wanted[3] = bad
        assert cli.main([*wanted, "-o", str(path)]) == cli.WRONG_USAGE
        assert "write --reel before,after" in capsys.readouterr().err
    assert Fraction(2) == FADE


# --- in the window --------------------------------------------------------------------------------------------------

def opened():
    """A store on the reel of a network, all of whose recordings have come: (store, recorder)."""
    store = Store(changed(State(), model="rows_rnn", sample="digit-7", at="conv.forward"), toy(), toy().check())
    recorder = Recorder(store, Quiet())
    store.apply(lambda state: does.training_reel(state, store.timeline))
    return store, recorder


def test_a_place_becomes_a_reel_and_one_recording_again(qapp):
    store, recorder = opened()
    assert (store.state.reel, store.state.at) == (TRAINING, "after:conv.forward")
    assert store.recorded is store.trace, "until the other one has come"
    assert store.moment == timeline(toy()).find("conv.forward")
    wishes = recorder.engine.asked[-1]
    assert (wishes["model"], list(wishes["edits"])) == ("rows_rnn", ["untrained"])
    assert store.set_trace(other(), None, asked=store.wanted()[0]) is False
    assert [len(store.recorded), len(store.timeline.beats)] == [2, 2]
    assert store.moment.address == "after:conv.forward"
    assert store.near is store.trace
    store.update(at="after:conv.forward@0.25")
    assert store.between
    assert store.near is store.recorded[0]
    assert store.sight.moment == timeline(toy()).find("conv.forward")
    assert from_json(to_json(store.state)) == store.state
    again = does.training_reel(store.state, store.timeline)
    assert (again.reel, again.at, again.edits) == ((), "conv.forward", ())
    store.undo()
    store.undo()
    assert (store.state.reel, store.state.at) == ((), "conv.forward")


def test_in_a_reel_another_layer_is_looked_at_from_as_far_between(qapp):
    store, _ = opened()
    store.set_trace(other(), None, asked=store.wanted()[0])
    store.update(at="after:conv.forward@0.25")
    store.apply(lambda state: does.select(state, store.trace, store.timeline, Focus("fc")))
    assert (store.state.at, store.moment.address) == ("after:fc.forward@0.25", "after:fc.forward@0.25")
    store.apply(lambda state: does.reverse(state, store.timeline))
    assert store.state.at == "after:fc.backward@0.25"
    store.apply(lambda state: does.step(state, store.timeline, -1))
    assert store.state.at == "before:fc.backward"
    store.apply(does.before_training)
    assert store.state.at == "after:fc.backward"
    store.update(model="lenet_mnist")
    assert (store.state.reel, store.state.at) == ((), "fc.backward")


def test_every_place_on_the_strip_is_a_moment():
    found = reel()
    assert found.at(EDGE, 900) == found.times.settled(0)
    assert found.at(900, 900) == found.times.settled(1)
    half = found.at(450, 900)
    assert (half.address, is_between(half)) == ("after:conv.forward@0.5", True)


def test_the_recordings_of_a_reel_are_known_by_their_names():
    trained = ModelRecipe("rows_rnn", ("digit-7",), edits=("shift:1",))
    assert reeled(trained, TRAINING) == (replace(trained, edits=("shift:1", "untrained")), trained)
    last = ModelRecipe("run/b.trace", ("digit-7",))
    assert reeled(last, ("a.trace", "b.trace")) == (ModelRecipe("run/a.trace", ()), last)
    mine = ModelRecipe("run/b.pt", ("digit-7",), "logit:3", ("shift:1",))
    assert reeled(mine, ("a.pt", "b.pt")) == (replace(mine, model="run/a.pt"), mine)
    assert reeled(trained, ()) == ()


@pytest.mark.parametrize("names", [["one"], ["a", "a"], ["../a", "b"], ["a:b", "c"], ["before", "a.trace"], [1, 2]])
def test_a_saved_reel_that_is_none_is_refused(names):
    import json

    plain = json.loads(to_json(State()))
    plain["places"][0]["reel"] = names
    with pytest.raises(Refused):
        from_json(json.dumps(plain))


def test_recordings_of_two_networks_in_a_folder_are_shown_one_by_one_and_said(tmp_path, qapp):
    deep().save(tmp_path / "1.trace")
    toy().save(tmp_path / "2.trace")
    recorder = Recorder(Store(State()), Quiet())
    said = []
    recorder.said.connect(said.append)
    assert recorder.open(str(tmp_path))
    assert (recorder.store.state.reel, recorder.store.trace.model) == ((), toy().model)
    assert said[-1].startswith("A reel goes through")


def test_a_folder_is_opened_in_the_order_of_its_numbers(tmp_path, qapp):
    for number in (10, 2, 1):
        toy().save(tmp_path / f"step{number}.trace")
    (tmp_path / "notes.txt").write_text("of the run")
    names = ("step1.trace", "step2.trace", "step10.trace")
    assert door.recognise(tmp_path).inside == names
    store = Recorder(Store(State()), Quiet()).store
    recorder = Recorder(store, Quiet())
    assert recorder.open(str(tmp_path))
    assert (store.state.reel, len(store.recorded)) == (names, 3)
    assert store.timeline.telling.address.startswith("step10.trace:")
    assert [beat.of for beat in store.timeline.beats] == list(names)


def test_the_command_makes_a_reel_and_esc_leaves_it(qtbot, without_before):
    from visualizer.ui.window import Window

    window = Window(Store(changed(State(), model="rows_rnn", at="conv.forward"), toy(), toy().check()))
    qtbot.addWidget(window)
    window.run("training-reel")
    assert window.store.state.reel == TRAINING
    window.store.set_trace(other(), None, asked=window.store.wanted()[0])
    window.store.update(at="after:conv.forward@0.5")
    assert window.transport.counter() == "Beat 2 of 2"
    size = (1280, 720)
    window.presenter.size = lambda: size
    shown = window.presenter.picture_of(window.store.moment)
    assert shown.size == size
    assert any(isinstance(mark, Text) and "interpolated" in mark.plain for mark in shown)
    window.one_level_out()
    assert (window.store.state.reel, window.store.state.at) == ((), "conv.forward")
    without_before("lenet_mnist")
    window.store.update(model="lenet_mnist")
    window.run("training-reel")
    assert window.store.state.reel == (), "there are no weights from before its training"


def test_an_audience_sees_every_place_as_the_stage_does(qtbot):
    from visualizer.ui.window import Window

    window = Window(Store(changed(State(), model="rows_rnn", at="conv.forward"), toy(), toy().check()))
    qtbot.addWidget(window)
    window.store.apply(does.training_beside)
    window.store.set_trace(other(), None, asked=window.store.wanted()[0])
    shown = window.presenter.picture_of(window.store.moment)
    letters = {mark.plain for mark in shown if isinstance(mark, Text)}
    assert {"a", "b"} <= letters
    assert shown.theme == "projector"
