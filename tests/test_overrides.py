"""What of ours Qt calls by its name may raise whatever it likes: the process goes on."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from visualizer import ui

assert ui


@pytest.mark.parametrize(("fault", "kind"), [
    (lambda: [][0], IndexError), (lambda: next(iter(())), StopIteration), (lambda: int("x"), ValueError),
    (lambda: 1 // 0, ZeroDivisionError), (lambda: {}["a"], KeyError)])
def test_what_c_raises_in_an_override_reaches_whoever_had_it_called(qtbot, fault, kind):
    """Such an exception is no object yet, and was taken for one: the process ended."""
    class Widget(QWidget):
        def showEvent(self, event: QShowEvent) -> None:
            fault()

    widget = Widget()
    qtbot.addWidget(widget)
    with pytest.raises(kind):
        widget.show()
    assert isValid(widget)


def test_an_override_is_what_it_was(qtbot):
    class Widget(QWidget):
        def sizeHint(self):
            """How large."""
            return super().sizeHint()

        def own(self):
            return 1

    widget = Widget()
    qtbot.addWidget(widget)
    assert widget.sizeHint() == QWidget.sizeHint(widget)
    assert Widget.sizeHint.__doc__ == "How large."
    assert Widget.own.__code__.co_argcount == 1, "slots are counted by their parameters"
