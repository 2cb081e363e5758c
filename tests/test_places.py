"""Places beside each other: added, closed, entered; drawn as one picture at one time; recorded one after the other."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt

from tests.test_opening import Quiet
from tests.toys import deep, toy
from visualizer import sight
from visualizer.scene import session
from visualizer.scene import state as does
from visualizer.scene.figures import panels
from visualizer.scene.picture import Text
from visualizer.scene.state import MOST_PLACES, Place, State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store

SIZE = (1200, 600)


def test_a_place_is_added_entered_and_closed():
    one = changed(State(), at="conv2.forward", model="lenet_mnist")
    two = changed(does.another_place(one), model="digits_cnn")
    assert [place.recipe.model for place in two.places] == ["lenet_mnist", "digits_cnn"]
    assert (two.active, two.at) == (1, "conv2.forward")
    assert does.to_place(two, 2).active == 0
    assert does.to_place(two, 0).model == "lenet_mnist"
    assert does.without_place(two) == one
    assert does.without_place(does.to_place(two, 0)).model == "digits_cnn"
    assert does.without_place(one) == one
    assert from_json(to_json(two)) == two
    full = one
    for _ in range(2 * MOST_PLACES):
        full = does.another_place(full)
    assert len(full.places) == MOST_PLACES


def test_before_and_after_training_stand_beside_each_other_and_one_alone_again():
    state = changed(State(), model="rows_rnn", edits=("untrained", "shift:1,0"))
    two = does.training_beside(state)
    assert [place.recipe.edits for place in two.places] == [("shift:1,0", "untrained"), ("shift:1,0",)]
    assert two.active == 1
    alone = does.training_beside(two)
    assert alone.places == (two.places[1],)


def test_all_places_are_at_the_same_beat_or_at_the_same_share_of_the_way():
    times = timeline(toy())
    places = Place(at="conv.backward"), Place(at="conv.forward"), Place()
    same, other, far = sight.joined((toy(), toy(), deep()), places, 0)
    assert same == times.find("conv.backward")
    assert other == same
    lead, whole = sight.times(toy(), places[0]), sight.times(deep(), places[2])
    share = float(lead.second_of(same) / lead.seconds)
    assert float(whole.second_of(far) / whole.seconds) == pytest.approx(share, abs=0.02)


def test_places_are_panels_of_one_picture_and_only_the_active_one_is_pointed_at():
    places = Place(at="conv.forward"), Place()
    picture = sight.beside((toy(), deep()), places, 0, SIZE)
    assert picture.size == SIZE
    (left, _, wide, high), (right, *_) = sight.within(2, SIZE)
    assert (left, right) == (0, wide + 24)
    alone = sight.seen(toy(), places[0], size=(wide, high))
    with_focus = [mark for mark in picture if mark.focus is not None]
    assert len(with_focus) == len([mark for mark in alone if mark.focus is not None])
    assert all(picture.hit(x, 300) is None for x in range(int(right), SIZE[0], 7))
    drawn = [replace(sight.seen(trace, place, moment, (wide, high))) for trace, place, moment in
             zip((toy(), deep()), places, sight.joined((toy(), deep()), places, 0), strict=True)]
    assert picture.caption == panels(drawn).caption, "the same as in a figure"
    assert sight.heading_of(toy()) in {mark.plain for mark in picture if isinstance(mark, Text)}


@pytest.mark.parametrize("count", range(2, MOST_PLACES + 1))
def test_places_stand_within_the_picture_and_not_over_each_other(count):
    boxes = sight.within(count, SIZE)
    assert len(boxes) == count
    for number, (x, y, wide, high) in enumerate(boxes):
        assert 0 <= x <= x + wide <= SIZE[0] + 1
        assert 24 <= y <= y + high <= SIZE[1] + 1
        for left, top, *_ in boxes[number + 1:]:
            assert left >= x + wide or top >= y + high


def test_the_other_places_are_recorded_once_that_of_the_active_one_is_there(qapp):
    store = Store(changed(State(), model="rows_rnn", sample="digit-7"), toy(), toy().check())
    recorder = Recorder(store, Quiet())
    store.apply(does.training_beside)
    assert not store.waiting
    assert store.beside == ()
    wishes = recorder.engine.asked[-1]
    assert (wishes["model"], list(wishes["edits"])) == ("rows_rnn", ["untrained"])
    heard = []
    store.beside_changed.connect(lambda: heard.append(store.beside))
    other = replace(toy())
    asked = does.to_place(store.state, 0)
    assert not store.set_trace(other, None, asked), "it is not shown alone"
    assert [len(found) for found in heard] == [2]
    assert store.beside[0] is other
    assert store.state.active == 1
    store.undo()
    assert (len(store.state.places), store.beside) == (1, ())


def test_a_place_that_is_clicked_is_entered(qtbot):
    from visualizer import paint
    from visualizer.ui.stage import Stage

    paint.load_fonts()
    places = Place(at="conv.forward"), Place(at="conv.forward", view="filters")
    store = Store(State(places=places), toy(), toy().check())
    stage = Stage(store)
    qtbot.addWidget(stage)
    stage.resize(1000, 500)
    with qtbot.waitExposed(stage):
        stage.show()
    assert stage.picture.size == (1000, 500)
    assert stage.place_at(stage.rect().center().toPointF()) is None, "between them"
    qtbot.mouseClick(stage, Qt.MouseButton.LeftButton, pos=QPoint(900, 300))
    assert store.state.active == 1
    assert store.state.view == "filters"
    store.undo()
    assert store.state.active == 0


def test_the_command_line_draws_every_place_of_a_session(tmp_path):
    from visualizer import cli, export

    path, picture = tmp_path / "a.session", tmp_path / "a.svg"
    state = does.training_beside(changed(State(), model="rows_rnn", sample="digit-7", at="rnn.forward[9]",
                                         view="hidden_state"))
    path.write_bytes(session.to_bytes(state))
    assert cli.main(["shot", str(path), "-o", str(picture)]) == cli.DONE
    words = picture.read_text("utf-8")
    assert from_json(export.state_in(picture)).places == tuple(replace(place, at=place.at) for place in state.places)
    assert words.count(">a<") == words.count(">b<") == 1


def test_a_panel_of_several_places_shows_all_of_them(tmp_path):
    """With the view, the moment and the focus that the panel says; in a single view they are a figure of their own."""
    from visualizer import cli, export

    path, picture, alone = tmp_path / "a.session", tmp_path / "a.svg", tmp_path / "b.svg"
    state = does.training_beside(changed(State(), model="rows_rnn", sample="digit-7", at="rnn.forward[9]",
                                         view="hidden_state"))
    path.write_bytes(session.to_bytes(state))
    told = ["--panel", "unrolled@rnn.forward[20]", "--panel", "network:rnn:3", "-o", str(picture)]
    assert cli.main(["shot", str(path), *told]) == cli.DONE
    words = picture.read_text("utf-8")
    headings = [sight.heading_of(trace) for trace in map(_recorded, state.places)]
    assert len(set(headings)) == 2
    assert [words.count(heading) for heading in headings] == [2, 2], "both places in both panels"
    assert ">b<" in words
    carried = from_json(export.state_in(picture))
    assert [(place.view, place.at) for place in carried.places][1] == ("unrolled", "rnn.forward[20]")
    assert [place.view for place in carried.places] == ["unrolled"] * 2
    assert cli.main(["shot", str(path), "--view", "network", "-o", str(alone)]) == cli.DONE
    assert [place.view for place in from_json(export.state_in(alone)).places] == ["network"] * 2
    assert alone.read_text("utf-8").count(">b<") == 1, "a letter for each place"


def _recorded(place):
    from visualizer.record import record

    return record(place.recipe.model, place.recipe.sample, edits=place.recipe.edits)
