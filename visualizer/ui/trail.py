"""Trail: the numbers that were taken apart on the way to the one that is looked at."""

from __future__ import annotations

from PySide6.QtCore import QObject

from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State
from visualizer.ui.page import WALK, subject
from visualizer.ui.store import Store


class Trail(QObject):
    """Remembers each number that was left for another one by a click in the microscope."""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.left: list[tuple[str, Focus | None]] = []
        """(address, focus), the newest last."""
        store.changed.connect(self._keep)

    def back(self) -> bool:
        """To the number that was taken apart before this one; False if there is none."""
        if not self.left or self.store.state.view != WALK:
            return False
        at, focus = self.left[-1]
        self.store.update(at=at, focus=focus)
        self.left.pop()
        return True

    def _keep(self, old: State, new: State) -> None:
        trace = self.store.trace
        if new.view != WALK or old.view != WALK or new.model != old.model or trace is None:
            self.left.clear()
            return
        left = subject(trace, does.moment_of(old, self.store.timeline), old.focus, whole=True)
        elsewhere = new.focus is not None and new.focus != old.focus and (
            (left.layer, left.part) != (new.focus.layer, new.focus.part) or old.at != new.at)
        if elsewhere and new.focus is not None and (old.at, left) != (new.at, new.focus) \
                and (old.at, left) not in self.left and (new.at, new.focus) not in self.left:
            self.left.append((old.at, left))
