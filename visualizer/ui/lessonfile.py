"""A lesson on its way into a file: recorded, measured and written by the command line, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QProcess, Signal

from visualizer.language import tr


class LessonFile(QObject):
    """One file in the making."""

    ended = Signal(str)
    """One sentence: where it is, or why it is not."""

    def __init__(self, what: str, lesson: Path, path: Path, parent: QObject | None = None) -> None:
        """`what` is a command of `visualizer lesson`: film, print or export."""
        super().__init__(parent)
        self.path, self.stopped = path, False
        self.process = QProcess(self)
        self.process.finished.connect(self._finished)
        self.process.errorOccurred.connect(self._failed_to_start)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.stop)
        self.process.start(sys.executable, ["-m", "visualizer", "lesson", what, str(lesson), "-o", str(path)])

    def stop(self) -> None:
        """End it; what it was to be written over stays as it was."""
        self.stopped = True
        self.process.kill()
        self.process.waitForFinished(1000)

    def _finished(self, code: int) -> None:
        if self.stopped:
            self.ended.emit(tr("{file} was not written.").format(file=self.path.name))
        elif code == 0:
            self.ended.emit(tr("Saved as {file}.").format(file=self.path.name))
        else:
            why = bytes(self.process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
            self.ended.emit(why[-1] if why else tr("{file} was not written.").format(file=self.path.name))

    def _failed_to_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(tr("{file} was not written.").format(file=self.path.name))
