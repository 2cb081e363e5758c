"""Blocks in the window: what a click, a double click and a key do to the State."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from tests.deep import deep
from tests.test_window import opened
from visualizer.scene import blocks
from visualizer.scene.picture import Choice, Rect
from visualizer.scene.state import State, changed, turned
from visualizer.ui.commands import commands
from visualizer.ui.store import Store

LEFT = Qt.MouseButton.LeftButton


def shown(window, at: str = "maxpool.forward", knob: str = blocks.CLOSED):
    state = turned(changed(State(), at=at), blocks.KNOB, knob)
    return opened(window, Store(state, deep("resnet18")))


def closed(window) -> list[str]:
    fold = blocks.fold_at(window.store.trace, window.store.moment, window.store.state.look)
    return [] if fold is None else [block.name for block in fold.closed.values()]


def point(stage, mark: Rect) -> QPoint:
    """The middle of a mark, in pixels of the stage."""
    return (stage.corner + QPointF(mark.x + mark.width / 2, mark.y + mark.height / 2) * stage.zoom).toPoint()


def do(window, name: str) -> None:
    next(command for command in commands() if command.name == name).act(window)


def test_a_double_click_on_a_card_opens_it_and_goes_no_level_further_in(qtbot):
    window = shown(qtbot)
    stage = window.stage
    at = point(stage, next(mark for mark in stage.picture if isinstance(mark, Rect) and mark.tip.startswith("layer2:")))
    QTest.mouseClick(stage, LEFT, pos=at)  # Qt sends a press before each double click
    QTest.mouseDClick(stage, LEFT, pos=at)
    assert closed(window) == ["layer1", "layer2.0", "layer2.1", "layer3", "layer4"]
    assert window.store.state.view == "network"
    window.store.undo()
    assert "layer2" in closed(window)


def test_the_strip_under_a_card_opens_it_and_the_name_over_its_frame_closes_it(qtbot):
    window = shown(qtbot)
    stage = window.stage
    for tip, names in (("Open layer3", ["layer1", "layer2", "layer3.0", "layer3.1", "layer4"]),
                       ("Close layer3", ["layer1", "layer2", "layer3", "layer4"])):
        QTest.mouseClick(stage, LEFT, pos=point(stage, next(
            mark for mark in stage.picture if isinstance(mark, Rect) and isinstance(mark.holds, Choice)
            and mark.tip == tip)))
        assert closed(window) == names
        assert window.store.state.at == "maxpool.forward"  # one stays where one is


def test_keys_open_close_and_walk_block_by_block(qtbot):
    window = shown(qtbot, "layer2.0.conv2.forward", blocks.FOLLOW)
    assert "layer2" not in closed(window)
    window.one_level_out()
    assert "layer2.0" in closed(window)
    window.one_level_out()
    assert "layer2" in closed(window)
    do(window, "in")
    assert "layer2" not in closed(window)
    do(window, "block")
    do(window, "block")
    assert window.store.state.focus is None
    do(window, "blocks")
    assert blocks.chosen_in(window.store.state.look) == blocks.Chosen(blocks.CLOSED)
    do(window, "next-block")
    assert window.store.state.at == "layer2.0.relu#2.forward"
    do(window, "next-block")
    assert window.store.state.at == "layer2.1.relu#2.forward"
    do(window, "back-block")
    assert window.store.state.at == "layer2.0.relu#2.forward"
