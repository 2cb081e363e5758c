"""Patience: the old picture stays as it is for a moment; only when another recording takes longer is it veiled."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer  # noqa: TID251 waits, shows nothing

from visualizer.ui.stage import Stage
from visualizer.ui.store import Store

PATIENCE = 200
"""Milliseconds of waiting that pass unseen."""


class Patience(QObject):
    """Watches what the store waits for, and veils the stage."""

    def __init__(self, store: Store, stage: Stage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.stage = store, stage
        self._waits = QTimer(self)  # by setters: names given as keywords are lost where an i has no dot
        self._waits.setSingleShot(True)
        self._waits.setInterval(PATIENCE)
        self._waits.timeout.connect(lambda: self._veil(store.waiting and store.trace is not None))
        store.changed.connect(self.watch)
        store.trace_changed.connect(self._begin_anew)

    def watch(self) -> None:
        """Begin to wait, or end it."""
        if not self.store.waiting:
            self._waits.stop()  # or the next recording would be veiled for the wait of this one
            self._veil(False)
        elif not self.stage.veiled and not self._waits.isActive():
            self._waits.start()

    def _begin_anew(self) -> None:
        """What comes on the way to what is waited for is looked at unveiled, too."""
        if self.store.waiting:
            self._veil(False)
            self._waits.start()
        else:
            self.watch()

    def _veil(self, veiled: bool) -> None:
        if self.stage.veiled != veiled:
            self.stage.veiled = veiled
            self.stage.refresh()
            self.stage.update()
