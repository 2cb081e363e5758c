"""Faults: what nobody foresaw never takes the window along. It is written down with what to report, and said in one
sentence; the work goes on."""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

import visualizer
from visualizer.language import tr
from visualizer.ui import kept

LOG = "faults.log"
MOST_BYTES = 1 << 18
"""A log that is longer begins anew; the one before it is kept beside it."""
Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]

_written: set[tuple[str, str, int]] = set()
"""Which faults of this process are in the log: a paint that fails, fails sixty times a second."""


def write_down(error: BaseException) -> bool:
    """Add a fault to the log: what runs here, and the way to the line that failed; False if it is there already."""
    at = traceback.extract_tb(error.__traceback__)[-1:]
    key = (type(error).__name__, at[0].filename, at[0].lineno or 0) if at else (type(error).__name__, "", 0)
    if key in _written:
        return False
    _written.add(key)
    with suppress(OSError):
        path = log()
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            path.replace(path.with_suffix(".old.log"))
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"visualizer {visualizer.__version__}, Python {platform.python_version()}, "
                       f"{platform.platform()}\n{''.join(traceback.format_exception(error))}\n")
    return True


def log() -> Path:
    """The file that faults are written to; raises OSError where there is no place for it."""
    return kept.folder() / LOG


def sentence(error: BaseException) -> str:
    """What is said of a fault: its kind, that nothing is lost, and what to report."""
    try:
        where = str(log())
    except OSError:
        where = LOG
    return tr("Something went wrong that should not ({kind}); your work is kept. To report it, send {log}.").format(
        kind=type(error).__name__, log=where)


def hook(say: Callable[[str], None], before: Hook | None = None) -> Hook:
    """What becomes of an exception that nobody caught, as `sys.excepthook` is told: it is written down, and said the
    first time. What ends the program is left to what stood there `before`."""
    before = before or sys.excepthook

    def heard(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            before(kind, error, trace)
        elif write_down(error.with_traceback(trace)):
            said = sentence(error)
            print(said, file=sys.stderr)
            say(said)

    return heard


@contextmanager
def painting(widget: QWidget) -> Iterator[QPainter]:
    """A painter of a widget that has ended when the block is left. Where that raises, one sentence stands in the place
    of what was to be seen: an exception that left a paint would end the window."""
    from visualizer.ui import style

    style.paints_anew(widget)
    painter = QPainter(widget)
    try:
        yield painter
    except Exception as error:
        sys.excepthook(*sys.exc_info())
        with suppress(Exception):
            _say_instead(painter, widget, error)
    finally:
        painter.end()


def _say_instead(painter: QPainter, widget: QWidget, error: Exception) -> None:
    from visualizer.ui import style

    place = QRectF(widget.rect())
    painter.resetTransform()
    painter.setClipping(False)
    painter.setOpacity(1)
    painter.fillRect(place, style.color("stage"))
    painter.setFont(style.font(13))
    painter.setPen(style.color("ink"))
    painter.drawText(place.adjusted(12, 8, -12, -8), 0x1000, sentence(error))  # wrapped at words
