"""The stage: what a click, a drag, a wheel and a key do to the State, and when a picture is made anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAccessible, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.recorded import recorded
from visualizer import paint, record, registry, sight, views
from visualizer.scene.picture import BEAT, Choice, Focus, Image, Look, Opens, Picture, Rect, Spot, Stop, Stops
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import ease, uneased
from visualizer.trace import load
from visualizer.ui import words
from visualizer.ui.canvas import places
from visualizer.ui.commands.views import turned
from visualizer.ui.stage import Stage, level_for, moment_at
from visualizer.ui.store import Store

LEFT = Qt.MouseButton.LeftButton
SIZE = (1104, 796)


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def stage(qtbot, digits):
    paint.load_fonts()
    store = Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits)
    made = Stage(store)
    qtbot.addWidget(made)
    made.resize(*SIZE)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    return made


def spot(stage, focus):
    """The middle of the first place where the picture shows a thing, in pixels of the widget."""
    place = places(stage.picture, focus)[0]
    return (stage.corner + place.center() * stage.zoom).toPoint()


def hover(stage, point):
    """The pointer comes to a point without a button pressed."""
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(point), stage.mapToGlobal(QPointF(point)),
                        Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(stage, event)


def beat_spot(stage, layer):
    """Where the lanes show a layer's beat."""
    mark = next(mark for mark in stage.picture if mark.focus == Focus(layer, array=BEAT))
    return QPoint(round(mark.x + mark.width / 2), round(mark.y + mark.height / 2))


# --- the picture ----------------------------------------------------------------------------------------------------

def test_the_picture_is_as_large_as_the_stage(stage):
    assert stage.picture.size == SIZE
    assert stage.store.state.look.size == SIZE
    stage.resize(900, 700)
    assert stage.picture.size == (900, 700)


def test_the_picture_is_made_anew_only_when_what_it_shows_has_changed(stage, monkeypatch):
    view = sight.suiting("network", stage.store.trace)
    drawn = []
    counting = replace(view, draw=lambda *args: drawn.append(args) or view.draw(*args))
    monkeypatch.setattr(sight, "suiting", lambda name, trace: counting)
    stage.refresh()  # the view is another one now
    drawn.clear()
    stage.store.update(speed=2.0)
    stage.refresh()
    assert drawn == []
    stage.store.update(at="relu2.forward")
    assert len(drawn) == 1
    stage.store.apply(lambda state: changed(state, look=replace(state.look, theme="dark")))
    assert len(drawn) == 2
    stage.light(Focus("conv1", (0,)))
    assert len(drawn) == 2


def test_the_caption_and_the_view_are_there_for_screen_readers(stage):
    assert stage.accessibleDescription() == stage.picture.caption
    assert "conv2" in stage.accessibleDescription()
    assert sight.suiting("network", stage.store.trace).title in stage.accessibleName()


def test_a_screen_reader_is_told_what_it_is_where_one_stands_and_what_is_seen(stage):
    found, kinds = QAccessible.queryAccessibleInterface(stage), QAccessible.Text
    assert found.role() == QAccessible.Role.Chart
    assert found.text(kinds.Value) == f"Beat 5 of {len(stage.store.timeline.beats)}, conv2 channel 7"
    stage.store.update(at="pool1.forward", focus=Focus("pool1", (2,)))
    assert found.text(kinds.Value).endswith("pool1 channel 2")
    assert found.text(kinds.Description) == stage.picture.caption


def test_what_is_not_reached_yet_is_not_there_whether_it_plays_or_not(stage):
    paused = stage.picture
    tiles, = (mark for mark in paused if isinstance(mark, Image) and mark.focus == Focus("pool2"))
    assert tiles.covered is not None
    assert tiles.covered.all(), "conv2 has just been computed"
    assert not tiles.values.any()
    stage.store.update(playing=True)
    assert stage.picture is paused
    stage.store.update(playing=False, at="pool2.forward")
    tiles, = (mark for mark in stage.picture if isinstance(mark, Image) and mark.focus == Focus("pool2"))
    assert tiles.covered is None


def test_a_waiting_stage_is_paler_and_has_a_line_of_accent(stage):
    clear = stage.grab().toImage()
    stage.veiled = True
    veiled = stage.grab().toImage()
    middle = spot(stage, Focus("conv1", (1,)))
    assert veiled.pixelColor(middle).lightness() >= clear.pixelColor(middle).lightness()
    assert veiled.pixelColor(SIZE[0] // 2, 1).name() != clear.pixelColor(SIZE[0] // 2, 1).name()
    assert clear != veiled


@pytest.mark.parametrize(("focus", "outlined"), [
    (Focus("conv", (1, 0, 1, 1)), [(90, 110, 10, 10)]),  # the first slice of the second channel
    (Focus("conv", (9, 0, 1, 1)), []),
    (Focus("plain", (1, 1, 0)), [(40, 210, 10, 10)]),
    (Focus("plain", (1, 1, 7)), [(40, 200, 20, 20)]),  # no such column: as much of it as there is
])
def test_what_is_pointed_at_is_outlined_as_far_as_another_network_has_it(focus, outlined):
    """A layer of the same name may have another shape there."""
    folded = Image(0, 100, (10, 10), np.zeros((4, 2, 2), np.uint8), pitch=(40, 0), columns=4, focus=Focus("conv"),
                   folds=((4, 2, 2), (2, 2, 2, 2)))
    plain = Image(0, 200, (10, 10), np.zeros((2, 2, 2), np.uint8), pitch=(40, 0), columns=2, focus=Focus("plain"))
    found = places(Picture((400, 400), (folded, plain)), focus)
    assert [(place.x(), place.y(), place.width(), place.height()) for place in found] == outlined


# --- pointing -------------------------------------------------------------------------------------------------------

def test_a_click_selects_a_channel_and_a_second_one_the_pixel(stage):
    place = places(stage.picture, Focus("conv2", (3,)))[0]
    point = (place.topLeft() + QPointF(place.width() * 0.5 / 12, place.height() * 2.5 / 12)).toPoint()
    QTest.mouseClick(stage, LEFT, pos=point)
    assert stage.store.state.focus == Focus("conv2", (3,))
    QTest.mouseClick(stage, LEFT, pos=point)
    assert stage.store.state.focus == Focus("conv2", (3, 2, 0))


def test_a_click_on_another_layer_takes_the_cursor_there(stage):
    QTest.mouseClick(stage, LEFT, pos=spot(stage, Focus("relu1", (2,))))
    assert stage.store.state.focus == Focus("relu1", (2,))
    assert stage.store.state.at == "relu1.forward"


def test_a_click_on_nothing_goes_one_level_up(stage):
    nothing = next(QPoint(x, 120) for x in range(30, 1000) if stage.focus_at(QPointF(x, 120)) is None)
    QTest.mouseClick(stage, LEFT, pos=nothing)
    assert stage.store.state.focus == Focus("conv2")
    QTest.mouseClick(stage, LEFT, pos=nothing)
    assert stage.store.state.focus is None


def test_a_drag_over_the_selected_tile_moves_the_marked_pixel(stage):
    place = places(stage.picture, Focus("conv2", (7,)))[0]
    cell = place.width() / 12
    QTest.mousePress(stage, LEFT, pos=(place.topLeft() + QPointF(cell, cell)).toPoint())
    for step in range(2, 9):
        QTest.mouseMove(stage, (place.topLeft() + QPointF((step + 0.5) * cell, 4.5 * cell)).toPoint())
    assert stage.store.state.focus == Focus("conv2", (7, 4, 8))
    QTest.mouseRelease(stage, LEFT, pos=(place.topLeft() + QPointF(8.5 * cell, 4.5 * cell)).toPoint())
    assert stage.store.state.focus == Focus("conv2", (7, 4, 8))


def test_a_drag_over_another_tile_selects_nothing(stage):
    place = places(stage.picture, Focus("conv1", (0,)))[0].center().toPoint()
    QTest.mousePress(stage, LEFT, pos=place)
    QTest.mouseMove(stage, place + QPoint(20, 10))
    QTest.mouseRelease(stage, LEFT, pos=place + QPoint(20, 10))
    assert stage.store.state.focus == Focus("conv2", (7,))


def test_a_very_large_stage_is_sharp_again_as_soon_as_it_rests(stage):
    stage.resize(3000, 2000)
    rest = stage.grab().toImage()
    assert not stage.moves
    stage.store.update(playing=True)
    assert stage.moves
    assert stage.grab().toImage() != rest, "each pixel is four"
    stage.store.update(playing=False)
    assert stage.grab().toImage() == rest
    stop = next(mark for mark in stage.picture if isinstance(mark, Rect) and isinstance(mark.holds, Stop))
    at = QPoint(round(stop.x + stop.width / 2), round(stop.y + stop.height / 2))
    QTest.mousePress(stage, LEFT, pos=at)
    QTest.mouseMove(stage, at + QPoint(60, 0))
    assert stage.moves, "scrubbing is moving"
    QTest.mouseRelease(stage, LEFT, pos=at + QPoint(60, 0))
    assert not stage.moves


def test_a_double_click_asks_for_one_level_in(stage, qtbot):
    with qtbot.waitSignal(stage.deeper, timeout=1000):
        QTest.mouseDClick(stage, LEFT, pos=spot(stage, Focus("conv2", (7,))))


def test_hovering_lights_up_the_same_thing_and_nothing_else(stage):
    before = stage.grab().toImage()
    point = spot(stage, Focus("conv1", (2,)))
    hover(stage, point)
    assert stage.lit is not None
    assert stage.lit.layer == "conv1"
    lit = stage.grab().toImage()
    around = places(stage.picture, Focus("conv1", (2,)))[0].adjusted(-6, -6, 6, 6)
    changed = [(x, y) for x in range(0, SIZE[0], 2) for y in range(0, SIZE[1], 2)
               if before.pixel(x, y) != lit.pixel(x, y)]
    assert changed
    assert all(around.contains(QPointF(x, y)) for x, y in changed)


@pytest.mark.parametrize("focus", [Focus("conv2", (7,)), Focus("conv2", (7, 3, 5)), Focus("fc1", (12,)),
                                   Focus("input", (0, 3, 5)), Focus("softmax", (4,)), Focus("conv2", array=BEAT)])
@pytest.mark.parametrize("address", ["conv2.forward", "conv2.backward"])
def test_a_tooltip_has_at_most_two_lines_and_names_the_thing(stage, focus, address):
    stage.store.update(at=address)
    lines = stage.describe(Spot(focus, (0, 0, 1, 1))).split("\n")
    assert 1 <= len(lines) <= 2
    assert lines[0].startswith(focus.layer)


def test_a_tooltip_gives_the_value_that_was_recorded(stage, digits):
    value = float(digits["conv2"].output[7, 3, 5])
    said = words.tip(digits, Focus("conv2", (7, 3, 5)), backward=False).split()[-1].replace("−", "-")
    assert float(said) == pytest.approx(value, rel=1e-3)
    value = float(digits["fc1"].gradient[4])
    said = words.tip(digits, Focus("fc1", (4,)), backward=True).split()[-1].replace("−", "-")
    assert float(said) == pytest.approx(value, rel=1e-3)


def test_the_first_click_selects_the_channel_the_next_the_pixel(digits):
    hit = Focus("conv2", (7, 3, 5))
    assert level_for(digits, None, hit) == Focus("conv2", (7,))
    assert level_for(digits, Focus("conv2", (6,)), hit) == Focus("conv2", (7,))
    assert level_for(digits, Focus("conv2", (7,)), hit) == hit
    assert level_for(digits, None, Focus("fc1", (3,))) == Focus("fc1", (3,))
    assert level_for(digits, None, Focus("conv2", (7, 3), "weight")) == Focus("conv2", (7, 3), "weight")


# --- the microscope -------------------------------------------------------------------------------------------------

WALKED = changed(State(), view="microscope", at="conv2.forward", focus=Focus("conv2", (7, 3, 5)))


@pytest.fixture
def walked(stage):
    """The same stage on one number, in a picture so wide that it carries the map it stands in."""
    stage.resize(1500, 900)
    stage.store.apply(lambda state: changed(WALKED, look=state.look))
    return stage


def cell_of(stage, focus, number=0):
    """The middle of the n-th place where the microscope shows a cell."""
    found = [spot.place for part in stage.parts() for spot in part.spots if spot.focus == focus]
    left, top, wide, high = found[number]
    return QPoint(round(left + wide / 2), round(top + high / 2))


def test_a_hovered_term_is_outlined_in_every_part(walked):
    before = walked.grab().toImage()
    term = Focus("pool1", (4, 5, 5))
    hover(walked, cell_of(walked, term, 1))
    lit = walked.grab().toImage()
    for part in walked.parts()[:4]:
        left, top, wide, _ = next(spot.place for spot in part.spots if spot.focus == term)
        edge = QPoint(round(left + wide / 2), round(top - 2))
        assert before.pixel(edge) != lit.pixel(edge), part.name
        other = next(spot.place for spot in part.spots if spot.focus == Focus("pool1", (0, 3, 5)))
        away = QPoint(round(other[0] + other[2] / 2), round(other[1] - 2))
        assert before.pixel(away) == lit.pixel(away), part.name
    tip = walked.describe(Spot(term, (0, 0, 1, 1))).split("\n")
    assert len(tip) == 2
    assert tip[0] == "pool1 channel 4, pixel (5, 5)"


def test_a_place_is_tried_while_the_pointer_is_on_it_and_forgotten_when_it_leaves(walked):
    start, undo = walked.store.state, walked.store.can_undo
    hover(walked, cell_of(walked, Focus("conv2", (7, 9, 8))))
    assert walked.store.state.focus == Focus("conv2", (7, 9, 8))
    hover(walked, cell_of(walked, Focus("conv2", (7, 2, 2))))
    assert walked.store.state.focus == Focus("conv2", (7, 2, 2))
    assert walked.store.can_undo == undo
    hover(walked, QPoint(700, 4))
    assert walked.store.state == start


def test_a_click_keeps_the_place_and_one_undo_takes_it_back(walked):
    start = walked.store.state
    hover(walked, cell_of(walked, Focus("conv2", (7, 2, 2))))
    spot = cell_of(walked, Focus("conv2", (7, 9, 8)))
    hover(walked, spot)
    QTest.mouseClick(walked, LEFT, pos=spot)
    hover(walked, QPoint(700, 4))
    assert walked.store.state.focus == Focus("conv2", (7, 9, 8))
    walked.store.undo()
    assert walked.store.state == start


def test_a_click_on_a_term_walks_to_it_and_on_nothing_leaves_the_microscope(walked):
    QTest.mouseClick(walked, LEFT, pos=cell_of(walked, Focus("pool1", (4, 5, 5))))
    assert (walked.store.state.at, walked.store.state.focus) == ("pool1.forward", Focus("pool1", (4, 5, 5)))
    assert walked.picture.caption.startswith("The largest of 4 numbers")
    QTest.mouseClick(walked, LEFT, pos=QPoint(700, 4))
    assert (walked.store.state.view, walked.store.state.focus) == ("network", Focus("pool1", (4,)))


def test_the_picture_and_the_facts_are_about_the_same_number_from_beat_to_beat(walked):
    walked.store.update(at="relu2.forward")
    assert walked.heard_value().endswith("relu2 channel 7, pixel (3, 5)")
    value = float(walked.store.trace["conv2"].output[7, 3, 5])
    assert walked.picture.caption.startswith(f"{value:.2f}".replace("-", "−") + " goes in")


def test_tab_goes_from_part_to_part_arrows_walk_and_enter_opens(walked):
    walked.setFocus()
    names = []
    for _ in range(4):
        QTest.keyClick(walked, Qt.Key.Key_Tab)
        names.append(walked.heard_value().split(",")[0])
    assert names == ["window", "kernel", "products", "running sum"]
    QTest.keyClick(walked, Qt.Key.Key_Backtab)
    QTest.keyClick(walked, Qt.Key.Key_Right)
    QTest.keyClick(walked, Qt.Key.Key_Down)
    assert walked.lit == Focus("pool1", (0, 4, 6))
    found = QAccessible.queryAccessibleInterface(walked)
    said = found.text(QAccessible.Text.Value)
    assert said.startswith("products, 5 of 54: pool1 channel 0, pixel (4, 6), value ")
    assert "×" in said
    QTest.keyClick(walked, Qt.Key.Key_Return)
    assert walked.store.state.focus == Focus("pool1", (0, 4, 6))
    assert walked.leave_parts()
    assert not walked.leave_parts()


def test_the_ring_of_the_keyboard_is_seen_around_part_and_cell(walked):
    walked.setFocus()
    before = walked.grab().toImage()
    QTest.keyClick(walked, Qt.Key.Key_Tab)
    ringed = walked.grab().toImage()
    left, top, wide, high = walked.parts()[0].place
    for point in ((left + wide / 2, top - 7), (left - 7, top + high / 2), (left + wide / 2, top + high + 6)):
        at = QPoint(round(point[0]), round(point[1]))
        assert any(before.pixel(at + QPoint(dx, dy)) != ringed.pixel(at + QPoint(dx, dy))
                   for dx in (-1, 0, 1) for dy in (-1, 0, 1))


def test_tab_leaves_the_stage_after_the_last_part(walked):
    walked.setFocus()
    for _ in walked.parts():
        QTest.keyClick(walked, Qt.Key.Key_Tab)
    assert walked.part == len(walked.parts()) - 1
    QTest.keyClick(walked, Qt.Key.Key_Tab)
    assert walked.part == -1


def test_out_of_sight_nobody_stands_in_a_part_of_the_stage(walked):
    walked.setFocus()
    QTest.keyClick(walked, Qt.Key.Key_Tab)
    assert walked.part == 0
    walked.hide()
    walked.store.update(view="network", focus=Focus("conv2", (7,)))
    assert walked.part == -1
    assert walked.heard_value().endswith("conv2 channel 7")


def test_walking_over_the_map_it_stands_in_tries_places_and_enter_keeps_one(walked):
    walked.setFocus()
    for _ in walked.parts():
        QTest.keyClick(walked, Qt.Key.Key_Tab)
        if len(walked.parts()[walked.part].spots) == 144:
            break
    assert walked.store.state.focus == WALKED.focus, "it begins where one looks"
    QTest.keyClick(walked, Qt.Key.Key_Right)
    assert walked.store.state.focus == Focus("conv2", (7, 3, 6))
    QTest.keyClick(walked, Qt.Key.Key_Return)
    walked.leave_parts()
    assert walked.store.state.focus == Focus("conv2", (7, 3, 6))
    walked.store.undo()
    assert walked.store.state.focus == WALKED.focus


# --- the level changes ----------------------------------------------------------------------------------------------

@pytest.fixture
def glides(stage):
    """What the stage asks the clock for."""
    asked = []
    stage.glide = lambda owner, seconds, function, travels=True: asked.append((seconds, function)) or function(0.0)
    return asked


def test_the_card_of_a_number_grows_out_of_its_tile(stage, glides):
    network = stage.grab().toImage()
    tile = places(stage.picture, Focus("conv2", (7,)))[0]
    stage.store.update(view="microscope")
    (seconds, show), = glides
    assert seconds == 0.35
    assert difference(stage.grab().toImage(), network) < 1, "at first all is as it was"
    show(0.5)
    half = stage.grab().toImage()
    card = QRectF(tile.x() / 2, tile.y() / 2, (tile.width() + SIZE[0]) / 2, (tile.height() + SIZE[1]) / 2)
    outside = np.ones(SIZE[::-1], bool)
    outside[round(card.top()) - 2:round(card.bottom()) + 3, round(card.left()) - 2:round(card.right()) + 3] = False
    outside[:, [0, -1]] = outside[[0, -1]] = False
    assert outside.sum() > 100_000
    np.testing.assert_array_equal(rgb(half)[outside], rgb(network)[outside])
    show(1.0)
    walk = stage.grab().toImage()
    stage.glide = None
    stage.store.update(view="network")
    stage.store.update(view="microscope")
    assert stage.grab().toImage() == walk, "it ends as a cut would"
    inside = half.copy(card.toRect()).scaled(*SIZE, mode=Qt.TransformationMode.SmoothTransformation)
    assert difference(inside, walk) < difference(inside, network) / 2


def test_it_shrinks_back_into_its_tile_on_the_way_up(stage, glides):
    stage.store.update(view="microscope")
    glides.pop()[1](1.0)
    walk = stage.grab().toImage()
    stage.store.update(view="network")
    (_, show), = glides
    assert difference(stage.grab().toImage(), walk) < 1
    show(1.0)
    network = stage.grab().toImage()
    assert stage.picture.caption.startswith("Channel 7 of conv2")
    stage.update()
    assert stage.grab().toImage() == network


@pytest.fixture
def reader(qtbot):
    """A stage on a recurrent network that reads three characters, and what it asks the clock for."""
    paint.load_fonts()
    trace = record.record("char_rnn", "sea")
    store = Store(changed(State(), model="char_rnn", sample="text:sea", view="unrolled", at="rnn.forward[2]"), trace)
    made = Stage(store)
    qtbot.addWidget(made)
    made.resize(*SIZE)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    asked = []
    made.glide = lambda owner, seconds, function, travels=True: asked.append((seconds, function)) or function(0.0)
    return made, asked


def test_folding_is_one_motion_and_one_change(reader):
    stage, glides = reader
    apart = stage.picture
    stage.store.apply(lambda state: turned(state, "fold", "1"))
    (seconds, show), = glides
    assert seconds == 0.35
    assert list(stage.picture) == list(apart), "it starts here"
    band = []
    for share in (0.3, 0.5, 0.7, 1.0):
        show(share)
        band.append(next(mark.width for mark in stage.picture if isinstance(mark, Rect) and mark.fill == "tint"))
    assert band == sorted(band)
    assert band[0] < band[-1]
    folded = views.find("unrolled").draw(stage.store.trace, stage.store.moment, None, stage.store.state.look)
    assert stage.picture == folded
    stage.store.undo()
    assert len(glides) == 2, "undone it unfolds, as one motion as well"
    assert not stage.store.can_undo
    glides[1][1](0.4)
    assert stage.picture != apart
    glides[1][1](1.0)
    assert stage.picture == apart


def test_a_fold_that_turns_back_midway_goes_on_from_there(reader):
    stage, glides = reader
    stage.store.apply(lambda state: turned(state, "fold", "1"))
    glides[0][1](0.5)
    halfway = stage.picture
    stage.store.apply(lambda state: turned(state, "fold", "0"))
    assert stage.picture == halfway


def test_with_another_change_meanwhile_it_is_a_cut(stage, glides):
    stage.store.update(view="microscope")
    (_, show), = glides
    stage.store.update(focus=Focus("conv2", (7, 3, 5)))
    cut = stage.grab().toImage()
    show(0.5)
    assert stage.grab().toImage() == cut, "whoever acts sees the answer at once"


def test_with_reduced_motion_a_change_of_level_fades_and_nothing_grows(stage, glides):
    stage.store.apply(lambda state: changed(state, look=replace(state.look, reduced_motion=True)))
    network = stage.grab().toImage()
    stage.store.update(view="microscope")
    (_, show), = glides
    show(0.5)
    half = stage.grab().toImage()
    show(1.0)
    card = stage.grab().toImage()
    for other in (network, card):
        assert difference(half, other) > 1
    mean = (rgb(network) + rgb(card)) / 2
    assert np.abs(rgb(half) - mean).mean() < 2, "the same places, half of each"


def rgb(image):
    """(row, column, 3) of an image."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return rows[..., :3].astype(int)


def difference(one, other):
    """Mean difference of two images of the same size, coarsely."""
    small = [rgb(image.scaled(100, 72, mode=Qt.TransformationMode.SmoothTransformation)) for image in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


# --- lanes ----------------------------------------------------------------------------------------------------------

def test_a_click_on_the_lanes_goes_to_that_beat(stage):
    QTest.mouseClick(stage, LEFT, pos=beat_spot(stage, "pool1"))
    assert stage.store.state.at == "pool1.forward"
    assert stage.store.state.focus == Focus("conv2", (7,)), "the lanes select nothing"


def test_a_click_on_the_lanes_keeps_the_direction(stage):
    stage.store.update(at="fc1.backward")
    QTest.mouseClick(stage, LEFT, pos=beat_spot(stage, "conv1"))
    assert stage.store.state.at == "conv1.backward"


def test_dragging_along_the_lanes_scrubs_from_beat_to_beat(stage):
    start, end = beat_spot(stage, "conv1"), beat_spot(stage, "fc2")
    QTest.mousePress(stage, LEFT, pos=start)
    seen = []
    for x in range(start.x(), end.x(), 7):
        QTest.mouseMove(stage, QPoint(x, start.y()))
        seen.append(stage.store.timeline.second_of(stage.store.moment))
    QTest.mouseRelease(stage, LEFT, pos=end)
    assert seen == sorted(seen)
    assert len(set(seen)) > 40, "it moves within beats, too"
    assert seen[0] < seen[-1]


@pytest.mark.parametrize("address", ["conv2.forward", "conv2.backward"])
def test_scrubbing_puts_the_cursor_under_the_pointer(stage, address):
    stage.store.update(at=address)
    left, right, y = beat_spot(stage, "conv1").x(), beat_spot(stage, "fc2").x(), beat_spot(stage, "conv1").y()
    for x in range(left + 3, right, 31):
        stage.store.apply(lambda state, x=x: changed(state, at=moment_at(
            stage.picture, stage.store.timeline, stage.store.moment, x, y).address))
        cursors = [mark for mark in stage.picture.moving
                   if getattr(mark, "dashed", False) and getattr(mark, "color", "") == "accent"]
        assert cursors[0].points[0][0] == pytest.approx(x, abs=0.6)


def test_the_ends_of_the_lanes_are_the_ends_of_the_way(stage):
    times, moment = stage.store.timeline, stage.store.moment
    assert moment_at(stage.picture, times, moment, -50, 700).address == "input.forward"
    assert moment_at(stage.picture, times, moment, 5000, 700).index == max(
        index for index, beat in enumerate(times.beats) if beat.direction == "forward")


def test_dragging_along_the_lane_of_steps_scrubs_and_a_click_there_selects(qtbot):
    trace = record.record("rows_rnn")
    store = Store(changed(State(), view="hidden_state", at="rnn.forward[5]"), trace)
    made = Stage(store)
    qtbot.addWidget(made)
    made.resize(*SIZE)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    lane = next(mark for mark in made.picture if isinstance(mark.holds, Stops))

    def at(step):
        x, y = lane.tile_origin(step - 1)
        return QPoint(round(x + lane.tile_size[0] / 2), round(y + lane.tile_size[1] / 2))

    QTest.mousePress(made, LEFT, pos=at(3))
    for step in (6, 11, 20):
        QTest.mouseMove(made, at(step))
        assert store.state.at == f"rnn.forward[{step}]"
    QTest.mouseRelease(made, LEFT, pos=at(20))
    assert store.state.at == "rnn.forward[20]", "a drag selects nothing"
    QTest.mouseClick(made, LEFT, pos=at(8))
    assert store.state.focus == Focus("rnn", (7,))
    assert store.state.at == "rnn.forward[8]"


def test_uneased_undoes_ease():
    for share in np.linspace(0, 1, 101):
        assert ease(uneased(float(share))) == pytest.approx(share, abs=1e-12)


# --- zoom -----------------------------------------------------------------------------------------------------------

def wheel(stage, point, turns, modifiers=Qt.KeyboardModifier.ControlModifier):
    event = QWheelEvent(QPointF(point), stage.mapToGlobal(QPointF(point)), QPoint(), QPoint(0, 120 * turns),
                        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(stage, event)


def test_the_wheel_enlarges_around_the_pointer(stage):
    point = spot(stage, Focus("conv2", (7,)))
    under = stage.to_picture(QPointF(point))
    wheel(stage, point, 3)
    assert stage.zoom == pytest.approx(1.25 ** 3)
    assert stage.to_picture(QPointF(point)) == pytest.approx(under)
    assert stage.focus_at(QPointF(point)).cell[0] == 7, "a hit is found through the zoom"


def test_zooming_out_ends_at_the_whole_picture(stage):
    wheel(stage, QPoint(100, 100), 4)
    wheel(stage, QPoint(900, 700), -9)
    assert (stage.zoom, stage.corner) == (1.0, QPointF(0, 0))


def test_an_enlarged_picture_moves_with_the_drag_and_never_off_its_edge(stage):
    QTest.keyClick(stage, Qt.Key.Key_Plus)
    QTest.keyClick(stage, Qt.Key.Key_Plus)
    corner = QPointF(stage.corner)
    empty = next(QPoint(x, 5) for x in range(10, 1000) if stage.focus_at(QPointF(x, 5)) is None)
    QTest.mousePress(stage, LEFT, pos=empty)
    QTest.mouseMove(stage, empty + QPoint(30, 20))
    QTest.mouseMove(stage, empty + QPoint(60, 40))
    assert stage.corner.x() > corner.x()
    QTest.mouseMove(stage, empty + QPoint(6000, 6000))
    assert stage.corner == QPointF(0, 0)
    QTest.mouseRelease(stage, LEFT, pos=empty)
    QTest.keyClick(stage, Qt.Key.Key_0)
    assert stage.zoom == 1.0


def test_enlarged_cells_stay_sharp(stage):
    """A map of whole pixels a value has only as many colours enlarged as it has values, and its border."""
    stage.store.update(at="pool2.forward", focus=None)
    point = spot(stage, Focus("pool2", (3,)))
    wheel(stage, point, 8)
    image = stage.grab().toImage()
    zoomed = places(stage.picture, Focus("pool2", (3,)))[0]
    corner = stage.corner + zoomed.topLeft() * stage.zoom
    inside = zoomed.width() * stage.zoom - 16
    colours = {image.pixelColor(round(corner.x() + 8 + dx), round(corner.y() + 8 + dy)).name()
               for dx in range(0, int(inside), 3) for dy in range(0, int(inside), 3)}
    assert len(colours) <= 36


def test_another_view_is_seen_whole(stage):
    wheel(stage, QPoint(300, 300), 3)
    other = next(view.name for view in views.all_views() if view.name != "network"
                 and view.suits(stage.store.trace))
    stage.store.update(view=other)
    assert stage.zoom == 1.0


def test_a_view_that_does_not_suit_is_replaced_by_one_that_does(digits):
    assert sight.suiting("no such view", digits).suits(digits)


def test_an_empty_stage_says_nothing_and_breaks_nothing(qtbot):
    made = Stage(Store(changed(State(), look=Look(size=SIZE))))
    qtbot.addWidget(made)
    made.resize(*SIZE)
    assert not made.grab().isNull()
    QTest.mouseClick(made, LEFT, pos=QPoint(300, 300))
    assert made.store.state.focus is None


def test_every_part_of_a_picture_has_a_tooltip(stage, request):
    """Also what leads nowhere: the sentence in full, the meaning of the colours."""
    across, down = (9, 7) if request.config.getoption("--all") else (41, 17)
    begun = 2 + 5 * request.config.getoption("--seed") % down  # other points for another seed
    for name in ("network", "feature_maps", "filters", "microscope"):
        stage.store.update(view=name, at="conv2.forward", focus=Focus("conv2", (7, 3, 5)))
        seen = {}
        for x in range(begun, stage.width(), across):
            for y in range(begun, stage.height(), down):
                group = stage.picture.group_at(x, y)
                if group is not None and group not in seen:
                    seen[group] = stage.tip_at(QPointF(x, y))
        assert len(seen) > 5, name
        assert all(seen.values()), (name, [group.name for group, said in seen.items() if not said])
        assert any(said.startswith(stage.picture.caption) for said in seen.values()), name
    stage.store.update(view="feature_maps", at="conv2.forward")
    scale = words.scale(stage.picture.scales[0])
    assert "values of conv2, from " in scale


def test_a_click_on_a_choice_turns_its_knob_and_moves_nothing_else(qtbot):
    """The chips of the drawing of a cell: one unit, or the mean of all."""
    trace = recorded("char_lstm", "text:wherefore art thou")
    store = Store(changed(State(), view="diagram", model="char_lstm", at="lstm.forward[9]"), trace)
    made = Stage(store)
    qtbot.addWidget(made)
    made.resize(*SIZE)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    before = store.state
    chip = next(mark for mark in made.picture if isinstance(mark, Rect) and mark.holds == Choice("show", "mean"))
    QTest.mouseClick(made, LEFT, pos=QPointF(chip.x + chip.width / 2, chip.y + chip.height / 2).toPoint())
    assert store.state.look.knob("show", "told") == "mean"
    assert (store.state.at, store.state.focus, store.state.view) == (before.at, before.focus, before.view)
    assert "on average" in made.picture.caption


def test_the_frame_of_a_step_leads_to_the_drawing_of_its_cell_and_a_symbol_to_its_step(qtbot):
    trace = recorded("char_lstm", "text:wherefore art thou")
    store = Store(changed(State(), view="network", model="char_lstm", at="lstm.forward[9]"), trace)
    made = Stage(store)
    qtbot.addWidget(made)
    made.resize(*SIZE)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    symbol = next(mark for mark in made.picture if isinstance(mark, Rect) and mark.holds == Stop("lstm.forward[4]"))
    QTest.mouseClick(made, LEFT, pos=QPointF(symbol.x + symbol.width / 2, symbol.y + symbol.height / 2).toPoint())
    assert store.state.at == "lstm.forward[4]"
    assert store.state.view == "network"
    made.refresh()
    rim = next(mark for mark in made.picture if isinstance(mark, Rect) and isinstance(mark.holds, Opens))
    QTest.mouseClick(made, LEFT, pos=QPointF(rim.x + rim.width / 2, rim.y + 3).toPoint())
    assert store.state.view == "diagram"
    assert store.state.at == "lstm.forward[4]"
