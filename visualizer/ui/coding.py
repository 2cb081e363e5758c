"""Code: the network that is shown becomes a plain file of PyTorch, in a process of its own, for torch stays outside."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QProcess

from visualizer.language import tr
from visualizer.registry import weights_beside, write_whole
from visualizer.scene.state import State, to_json


class CodeJob(QObject):
    """One file of code in the making; what came of it is told in one sentence."""

    def __init__(self, state: State, path: Path, said: Callable[[str], None], parent: QObject) -> None:
        """Raises OSError if there is no room for what it is made from."""
        super().__init__(parent)
        self.path, self.said = path, said
        self.folder = Path(tempfile.mkdtemp(prefix="visualizer-code-"))
        write_whole(self.folder / "shown.session", to_json(state).encode())
        self.process = QProcess(self)
        self.process.finished.connect(self._finished)
        self.process.errorOccurred.connect(self._failed_to_start)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._leave)
        self.process.start(sys.executable, ["-m", "visualizer", "code", str(self.folder / "shown.session"),
                                            "-o", str(path)])

    def _finished(self, status: int) -> None:
        why = bytes(self.process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
        self._end(tr("Saved as {name}.").format(name=f"{self.path.name}, {weights_beside(self.path).name}")
                  if status == 0 else tr("{name} was not saved: {why}").format(
                      name=self.path.name, why=why[-1] if why else tr("its process ended unexpectedly; try again.")))

    def _failed_to_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(tr("{name} was not saved: {why}").format(
                name=self.path.name, why=tr("its process ended unexpectedly; try again.")))

    def _end(self, sentence: str) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.said(sentence)
        self.deleteLater()

    def _leave(self) -> None:
        """The window closes: nothing half done stays."""
        self.process.finished.disconnect(self._finished)
        self.process.kill()
        self.process.waitForFinished(1000)
        shutil.rmtree(self.folder, ignore_errors=True)
