"""What a screen reader finds in a picture: every cell, once, where it stands, with the number that is in the trace."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible
from shiboken6 import isValid

from visualizer import paint, registry
from visualizer.scene.outline import CELL, GROUP, MAP, MOST, Branch, at, outline, stretches
from visualizer.scene.picture import Focus, Image, Picture, Rect, Text, plain, spots
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import heard
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store

Role, Says = QAccessible.Role, QAccessible.Text


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def stage(qtbot, digits):
    paint.load_fonts()
    made = Stage(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits))
    qtbot.addWidget(made)
    made.resize(1104, 796)
    with qtbot.waitExposed(made):
        made.show()
    made.refresh()
    return made


@pytest.fixture
def events(monkeypatch):
    """What a screen reader is told, as (event, name of what it is about)."""
    told = []
    QAccessible.setActive(True)

    def note(event):
        about = event.accessibleInterface()
        told.append((event.type(), about.text(Says.Name)))

    monkeypatch.setattr(heard, "send", note)
    yield told
    QAccessible.setActive(False)


def asked(stage):
    return QAccessible.queryAccessibleInterface(stage)


def group(stage, name):
    """The group of that name in a picture."""
    whole = asked(stage)
    return next(node for node in map(whole.child, range(whole.childCount())) if node.text(Says.Name) == name)


def cell(stage, layer, *place):
    """What speaks for a cell, or for all that begins so, in the group of its layer."""
    node = group(stage, layer)
    for number in path_of(node.branch.branches, place):
        node = node.child(number)
    return node


def path_of(parts, place):
    """Where the part of a cell is found."""
    for number, part in enumerate(parts):
        if part.spot is not None and part.spot.focus.cell == place:
            return (number,)
        if inside := path_of(part.branches, place):
            return (number, *inside)
    return ()


def leaves(parts):
    for part in parts:
        yield from leaves(part.branches) if part.branches else (part,)


# --- the tree of a picture ------------------------------------------------------------------------------------------

def test_every_cell_of_every_map_is_a_part_once_and_where_it_is_painted(stage):
    drawn = {(spot.focus, spot.place) for mark in stage.picture if isinstance(mark, Image) and mark.focus
             and mark.pooled == 1 for spot in spots(mark)}
    found = [(part.spot.focus, part.spot.place) for part in leaves(outline(stage.picture)) if part.spot is not None]
    assert len(drawn) > 2_000
    assert drawn <= set(found)
    assert len(set(found)) == len(found)
    pooled = [mark for mark in stage.picture if isinstance(mark, Image) and mark.focus and mark.pooled > 1]
    assert pooled, "where one pixel stands for several numbers, the map is one part"
    assert {(Focus("conv1", (n,))) for n in range(6)} <= {focus for focus, _ in found}


def test_no_part_has_more_parts_than_one_can_hear(stage):
    def widest(parts):
        return max(len(parts), *(widest(part.branches) for part in parts), 0)

    assert widest(outline(stage.picture)) <= MOST
    cells = tuple(Branch(CELL, (n, 0, 1, 1), n) for n in range(MOST * MOST + 1))
    assert [len(part.branches) for part in stretches(cells)] == [MOST, 1]
    assert [part.key for part in leaves(stretches(cells))] == list(range(len(cells)))


def test_groups_come_in_reading_order_and_the_line_of_the_time_last(stage):
    names = [part.group.name for part in outline(stage.picture) if part.what == GROUP]
    layers = [layer.name for layer in stage.store.trace.layers]
    assert [name for name in names if name in layers] == [name for name in layers if name in names]
    assert names[-1] == "lane"
    stage.store.update(view="microscope", focus=Focus("conv2", (7, 3, 5)))
    names = [part.group.name for part in outline(stage.picture)]
    assert names[:len(stage.parts())] == [part.group.name for part in stage.parts()][:len(names)]
    assert names[:4] == ["window", "kernel", "products", "running sum"]


def test_a_frame_around_a_cell_is_that_cell_and_a_word_without_an_address_only_a_part_where_texts_are_wanted():
    tiles = Image(0, 0, (10, 10), np.zeros((2, 3, 3), np.uint8), focus=Focus("a"), columns=2)
    frame = Rect(10, 0, 10, 10, stroke="ink", focus=Focus("a", (0, 0, 1)))
    other = Rect(100, 0, 10, 10, focus=Focus("b", (0,)))
    words = Text(0, 60, plain("said"))
    picture = Picture((200, 80), (tiles, tiles, frame, other, words))
    found = outline(picture)
    assert [(part.what, part.spot.focus) for part in found] == [
        (MAP, Focus("a", (0,))), (MAP, Focus("a", (1,))), (CELL, Focus("b", (0,)))]
    assert [part.said for part in outline(picture, texts=True)][-1] == "said"
    assert at(found, 12, 2) == (0, 1)
    assert at(found, 31, 12) == (1, 3)
    assert at(found, 105, 5) == (2,)
    assert at(found, 90, 5) == ()


# --- what Qt is told ------------------------------------------------------------------------------------------------

def test_a_cell_has_a_name_its_number_and_its_place_on_the_screen(stage):
    one = cell(stage, "conv2", 7, 3, 5)
    value = float(stage.store.trace["conv2"].output[7, 3, 5])
    assert one.role() == Role.Cell
    assert one.valueInterface().currentValue() == value
    assert float(one.text(Says.Value).replace("−", "-")) == pytest.approx(value, rel=1e-3)
    assert one.text(Says.Value) in one.text(Says.Description)
    corner = stage.mapToGlobal(QPoint(0, 0))
    middle = one.rect().center() - corner
    hit = stage.picture.spot_at(middle.x() + 0.5, middle.y() + 0.5)
    assert hit.focus == Focus("conv2", (7, 3, 5))
    stage.zoom_by(4)
    assert one.rect().width() >= 4 * int(hit.place[2])


def test_parents_children_and_places_agree(stage):
    whole = asked(stage)
    assert whole.childCount() == len(outline(stage.picture))
    queue, seen = [whole], 0
    while queue and seen < 400:
        node = queue.pop()
        for number in range(min(node.childCount(), 5)):
            child = node.child(number)
            seen += 1
            assert child.text(Says.Name)
            assert child.parent() is node
            assert node.indexOfChild(child) == number
            assert child.isValid()
            assert child.rect().isValid()
            queue.append(child)
    assert seen > 300
    one = cell(stage, "conv2", 3, 6, 2)
    middle, node = one.rect().center(), whole
    while (inner := node.childAt(middle.x(), middle.y())) is not None:
        node = inner
    assert node is one


def test_a_press_is_a_click_and_what_is_chosen_is_said(stage):
    one = cell(stage, "pool1", 2, 4, 4)
    assert one.actionInterface().actionNames() == [heard.PRESS, heard.REACH]
    one.actionInterface().doAction(heard.PRESS)
    assert stage.store.state.focus == Focus("pool1", (2,)), "as a click: first the channel"
    tile = cell(stage, "pool1", 2)
    assert tile.state().selected
    assert not cell(stage, "pool1", 3).state().selected
    beat = group(stage, "lane").child(2)
    assert beat.role() == Role.Button
    beat.actionInterface().doAction(heard.PRESS)
    assert stage.store.state.at == f"{stage.store.trace.layers[2].name}.forward"


def test_numbers_that_were_read_are_told_when_they_change_and_no_others(stage, events):
    stage.store.update(at="fc2.backward")
    read, other = cell(stage, "conv2", 7, 3, 5), cell(stage, "conv2", 7, 3, 6)
    assert read.text(Says.Value) == "", "its gradient has not come yet"
    assert read.valueInterface() is None
    name = read.text(Says.Name)
    events.clear()
    stage.store.update(at="conv2.backward")
    assert [kind for kind, about in events if about == name] == [QAccessible.Event.ValueChanged]
    assert not any(about == other.text(Says.Name) for _, about in events)
    assert read.valueInterface().currentValue() == float(stage.store.trace["conv2"].gradient[7, 3, 5])
    events.clear()
    stage.store.update(playing=True)
    stage.store.update(at="pool1.backward")
    stage.store.update(at="conv2.forward")
    assert events == [], "while it plays, nothing is told"
    stage.store.update(playing=False)
    assert (QAccessible.Event.ValueChanged, name) in events
    assert read.valueInterface().currentValue() == float(stage.store.trace["conv2"].output[7, 3, 5])


def test_where_the_keyboard_walks_is_told_cell_by_cell(stage, events):
    stage.store.update(view="microscope", focus=Focus("conv2", (7, 3, 5)))
    stage.setFocus()
    events.clear()
    stage.focusNextPrevChild(True)
    assert [kind for kind, _ in events] == [QAccessible.Event.Focus]
    reached = asked(stage).focusChild()
    assert reached.state().focused
    assert reached.parent().text(Says.Name) == "window"
    term = stage.parts()[0].spots[0].term
    assert reached.valueInterface().currentValue() == term.value
    product = group(stage, "products").child(4)
    product.actionInterface().doAction(heard.REACH)
    assert (stage.parts()[stage.part].name, stage.spot) == ("products", 4)
    assert product.valueInterface().currentValue() == stage.parts()[stage.part].spots[4].term.product


def test_parts_of_a_picture_that_is_gone_answer_no_more_and_are_deleted(stage, events):
    one = cell(stage, "conv2", 7, 3, 5)
    live = len(heard.LIVE)
    stage.store.update(view="microscope", focus=Focus("conv2", (7, 3, 5)))
    assert not one.isValid()
    assert (one.text(Says.Name), one.childCount(), one.rect()) == ("", 0, QRect())
    assert one.state().invalid
    assert QAccessible.Event.ObjectReorder in [kind for kind, _ in events]
    stage.store.update(view="network")
    assert not isValid(one), "Qt has deleted it at the next picture"
    assert len(heard.LIVE) < live
    assert cell(stage, "conv2", 7, 3, 5).isValid()


def test_a_part_that_nobody_has_walked_to_from_above_goes_as_well(stage, events):
    stage.setFocus()
    stage.store.update(view="microscope", focus=Focus("conv2", (7, 3, 5)))
    stage.focusNextPrevChild(True)
    reached = asked(stage).focusChild()
    assert reached.path[:-1] not in stage.heard.nodes
    stage.store.update(view="network")
    assert not reached.isValid()


def test_the_parts_go_with_their_widget(qtbot, stage):
    cell(stage, "conv2", 7, 3, 5)
    mine = [number for number, node in heard.LIVE.items() if node.heard.widget is stage]
    assert mine
    other = Stage(stage.store)
    other.resize(600, 500)
    other.show()
    asked(other).child(0)
    number = next(number for number, node in heard.LIVE.items() if node.heard.widget is other)
    other.deleteLater()
    qtbot.waitUntil(lambda: not isValid(other))
    assert number not in heard.LIVE
    assert QAccessible.accessibleInterface(number) is None
    assert set(mine) <= set(heard.LIVE)


def test_without_a_screen_reader_nothing_is_made(stage):
    live = len(heard.LIVE)
    stage.store.update(view="microscope", focus=Focus("conv2", (7, 3, 5)))
    assert stage.heard is None
    assert len(heard.LIVE) == live
