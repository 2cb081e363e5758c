"""Trail: the numbers that were taken apart on the way to the one that is looked at."""

from __future__ import annotations

from PySide6.QtCore import QObject

from visualizer import sight
from visualizer.scene.picture import Focus
from visualizer.scene.state import State
from visualizer.scene.subject import NUMBER
from visualizer.ui.store import Store


class Trail(QObject):
    """Remembers each number that was left for another one by a click in the microscope."""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.left: list[tuple[str, Focus | None]] = []
        """(address, focus), the newest last."""
        self.opened_in = ""
        """The view from which one came to take numbers apart; none if one has not come from a view."""
        store.changed.connect(self._keep)

    def back(self) -> bool:
        """To the number that was taken apart before this one; False if there is none."""
        if not self.left or not self._takes_apart(self.store.state):
            return False
        at, focus = self.left[-1]
        self.store.update(at=at, focus=focus)
        self.left.pop()
        return True

    def _takes_apart(self, state: State) -> bool:
        """Whether a State looks at one number alone."""
        trace = self.store.trace
        return trace is not None and sight.suiting(state.view, trace).wants == NUMBER

    def _keep(self, old: State, new: State) -> None:
        trace = self.store.trace
        if old.view != new.view or old.model != new.model:
            entered = trace is not None and self._takes_apart(new) and not self._takes_apart(old)
            self.opened_in = old.view if entered and old.model == new.model else ""
        if trace is None or new.model != old.model or not (self._takes_apart(old) and self._takes_apart(new)):
            self.left.clear()
            return
        left = sight.sight(trace, old).subject
        elsewhere = new.focus is not None and new.focus != old.focus and (
            (left.layer, left.array) != (new.focus.layer, new.focus.array) or old.at != new.at)
        if elsewhere and new.focus is not None and (old.at, left) != (new.at, new.focus) \
                and (old.at, left) not in self.left and (new.at, new.focus) not in self.left:
            self.left.append((old.at, left))
