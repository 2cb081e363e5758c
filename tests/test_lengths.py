"""Words that are 40 % longer: nothing is cut without a tip, stands over something else, or leaves its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from tests import test_layout as layout
from tests.recorded import recorded
from visualizer import language
from visualizer.registry import folder
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui import style
from visualizer.ui.store import Store
from visualizer.ui.window import Window
from visualizer.views import find
from visualizer.views import picture as picture_of

LONG = "xx"
ACCENTS = str.maketrans("aeiouAEIOUcnys", "áéíóúÁÉÍÓÚçñýš")
MORE = "lóñg ér mò ré " * 60
SHOWN = {"digits_cnn": ("network", "filters", "microscope", "feature_maps"),
         "rows_lstm": ("network", "unrolled", "diagram", "gates", "cell", "hidden_state"),
         "surname_gru": ("unrolled", "gates")}
SIZES = {"1366x768": (1366, 768), "1024x768": (1024, 768)}
COVERS = ("keys", "words", "what-if", "export", "film", "lessons", "claims", "search")


def longer(text: str) -> str:
    """The same words with accents, 40 % longer, between brackets so that one sees where they end."""
    if not re.search("[A-Za-z]{2}", text):
        return text
    pieces = re.split(r"(\{[^{}]*\}|\{\{|\}\}|`[^`]*`)", text)
    said = "".join(piece if place % 2 else piece.translate(ACCENTS) for place, piece in enumerate(pieces))
    more = MORE[:max(1, round(0.4 * len(text)) - 2)].rstrip()
    return f"⟦{said}{' ' if ' ' in text else ''}{more}⟧"


class Longer(dict[str, str]):
    """The table of such a language."""

    def get(self, text, otherwise=None):
        return longer(text)


@pytest.fixture
def spoken(monkeypatch) -> Iterator[str]:
    """While a test runs, it is spoken."""
    real = language.table
    monkeypatch.setattr(language, "table", lambda code: Longer() if code == LONG else real(code))
    with language.speaking(LONG):
        yield LONG


def test_a_text_gets_longer_by_two_fifths():
    for text in ("Open", "Show the {what} of all {count} layers"):
        assert 1.35 * len(text) <= len(longer(text)) <= 1.45 * len(text) + 3
    assert longer("{a} × {b}") == "{a} × {b}"


@pytest.mark.parametrize("model", SHOWN)
def test_pictures_have_room_for_longer_words(model: str, spoken: str) -> None:
    trace, look = recorded(model), replace(layout.SIZES["1024x768"], language=spoken)
    for view in SHOWN[model]:
        for moment in list(layout.moments(timeline(trace)))[1::2]:
            picture = picture_of(find(view), trace, moment, None, look)
            assert not (found := list(layout.faults(picture, look.text_scale))), (view, moment.address, found[:3])


@pytest.mark.parametrize("code", ["de", "es", "fr", "it"])
def test_pictures_have_room_for_the_words_of_every_language(code: str) -> None:
    trace, look = recorded("rows_lstm"), replace(layout.SIZES["1024x768"], language=code)
    for view in ("network", "gates", "diagram"):
        for moment in list(layout.moments(timeline(trace)))[1::2]:
            picture = picture_of(find(view), trace, moment, None, look)
            assert not (found := list(layout.faults(picture, look.text_scale))), (view, moment.address, found[:3])


# --- the window -----------------------------------------------------------------------------------------------------

Written = tuple[QWidget, str, float, float, bool]
"""(widget, words, left, right, whether they were cut)."""


@pytest.fixture
def written(monkeypatch) -> list[Written]:
    """What is written into widgets."""
    found: list[Written] = []
    real = style.write

    def write(painter: QPainter, text: str, x: float, baseline: float, token: str = "ink", **how) -> float:
        if isinstance(painter.device(), QWidget):
            room = how.get("width", 0)
            wide = style.text_width(text, how.get("size", 13), how.get("weight", 500), how.get("mono", False))
            cut, wide = bool(room) and wide > room + 0.5, min(wide, room) if room else wide
            left = x + painter.worldTransform().dx() - {"start": 0, "middle": wide / 2, "end": wide}[
                how.get("anchor", "start")]
            found.append((painter.device(), text, left, left + wide, cut))
        return real(painter, text, x, baseline, token, **how)

    monkeypatch.setattr(style, "write", write)
    return found


def wrong(window: QWidget, written: list[Written]) -> list[str]:
    """What is wrong with what a window shows, painted anew."""
    written.clear()
    window.grab()
    told = []
    for widget, text, left, right, cut in written:
        if left < -1 or right > widget.width() + 1:
            told.append(f"{type(widget).__name__}: {text!r} from {left:.0f} to {right:.0f} of {widget.width()}")
        if cut and not widget.toolTip() and text not in [words for _, words in style._cut.get(widget, {}).values()]:
            told.append(f"{type(widget).__name__}: {text!r} is cut, and no tip says all of it")
    return told + [fault for widget in (window, *window.findChildren(QWidget)) if widget.isVisible()
                   for fault in crowded(widget)]


def crowded(widget: QWidget) -> Iterator[str]:
    """Which of its children stand over each other or outside it."""
    shown = [child for child in widget.children() if isinstance(child, QAbstractButton | QLabel) and child.isVisible()]
    for place, child in enumerate(shown):
        if not widget.rect().contains(child.geometry()) and not scrolls(widget):
            yield f"{type(widget).__name__}: {child.text()!r} at {child.geometry()} is outside {widget.rect()}"
        for other in shown[:place]:
            both = child.geometry().intersected(other.geometry())
            if both.width() > 2 and both.height() > 2:
                yield f"{type(widget).__name__}: {child.text()!r} over {other.text()!r}"


def scrolls(widget: QWidget) -> bool:
    return type(widget) is QWidget


@pytest.fixture
def window(spoken: str, qtbot) -> Window:
    store = Store(changed(State(), at="conv2.forward", look=replace(State().look, language=spoken)),
                  load(folder("assets") / "traces" / "digits_cnn.trace"))
    made = Window(store)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize("size", SIZES)
def test_the_window_has_room_for_longer_words(size: str, window: Window, written) -> None:
    window.resize(*SIZES[size])
    QTest.qWait(50)
    found = {"": wrong(window, written)}
    for name in COVERS:
        window.run(name)
        QTest.qWait(60)
        found[name] = wrong(window, written)
        window.come_forward()
    window.go_to_start()
    QTest.qWait(60)
    found["start"] = wrong(window, written)
    assert not {name: told[:4] for name, told in found.items() if told}
    assert len(written) > 20


def test_words_that_were_cut_are_said_whole_where_the_mouse_rests(qtbot) -> None:
    class Narrow(QWidget):
        def paintEvent(self, event) -> None:
            from visualizer.ui import faults

            with faults.painting(self) as painter:
                style.write(painter, "all of these words", 10, 20, width=40)
                style.write(painter, "few", 10, 40, width=40)

    narrow = Narrow()
    qtbot.addWidget(narrow)
    narrow.resize(80, 60)
    narrow.grab()
    assert style.cut_at(narrow, QPoint(20, 16)) == "all of these words"
    assert style.cut_at(narrow, QPoint(20, 38)) == ""
