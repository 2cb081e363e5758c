"""The export panel: format, size, pixels, ground, colour bars and caption of the figure that is saved next.

It lies over the stage, never in its own window, and remembers what was chosen last.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer import export
from visualizer.export import Panel
from visualizer.language import tr
from visualizer.scene import figures
from visualizer.ui import faults, kept, style
from visualizer.ui.buttons import Button, Segment, Segments, note_focus
from visualizer.ui.commands import keyed

FORMATS = ("png", "svg", "pdf")
SIZES = ("screen", *(f"{wide} mm" for wide in figures.PRESETS), "1920x1080", "3840x2160")
SCALES = ("1", "2", "3", "4")
DPIS = ("150", "300", "600", "1200")
WIDE, ROW, LABELS = 560, 44, 108


@dataclass(frozen=True)
class Choices:
    """How the next figure is saved; plain words, as they are remembered."""

    format: str = "png"
    size: str = "screen"
    scale: str = "2"
    """Pixels of the file for one of the stage, at the size of the screen."""
    dpi: str = "300"
    """Pixels an inch on paper."""
    transparent: bool = False
    bars: bool = True
    caption: bool = False

    @property
    def paper(self) -> bool:
        return self.size.endswith(" mm")


_WORDS = {"format": FORMATS, "size": SIZES, "scale": SCALES, "dpi": DPIS}


def remembered() -> Choices:
    """What was chosen last, as far as it can be chosen."""
    usual, found = Choices(), kept.remembered("export")
    right = {item.name: found[item.name] for item in fields(Choices) if item.name in found
             and (found[item.name] in _WORDS[item.name] if item.name in _WORDS else isinstance(found[item.name], bool))}
    return replace(usual, **right)


def write(path: Path, shown: Sequence[Panel], choices: Choices) -> str:
    """Save one panel, or several as one figure with letters; the ending of the name chooses the format.

    Returns a sentence if letters come out too small to be read on paper, else an empty one. Raises Refused, LookupError
    or OSError with what stands in the way.
    """
    mm, size, scale = None, None, 1.0
    if choices.paper:
        mm = float(choices.size.partition(" ")[0]), None
    elif choices.size == "screen":
        scale = float(choices.scale)
    else:
        wide, high = (int(side) for side in choices.size.split("x"))
        scale = wide / 1920
        size = 1920, round(high / scale)
    if size is not None and choices.bars and len(shown) == 1:
        added = figures.with_bars(shown[0].draw(size, False)).size[1] - size[1]
        size = size[0], size[1] - added  # with its bars it is as high as was asked for
    found = export.compose(shown, mm=mm, size=size, bars=choices.bars)
    with export.captioned(path, shown, choices.bars) if choices.caption else nullcontext():
        export.save(found.picture, path, state_json=shown[0].way_back, scale=scale, mm=found.mm if mm else None,
                    dpi=float(choices.dpi) if mm else None, transparent=choices.transparent)
    return found.complaint if mm else ""


class ExportPanel(QWidget):
    """What is saved, and how. Enter saves, Esc puts it away."""

    heard_as = QAccessible.Role.Dialog

    closed = Signal()
    wanted = Signal(object)
    """The Choices with which to save."""
    emptied = Signal()
    """The figure is to lose its panels."""

    def __init__(self, parent: QWidget, panels: int = 0) -> None:
        super().__init__(parent)
        self.choices, self.panels = remembered(), panels
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("Export"))
        self.setAccessibleDescription(tr("Choose how the picture is saved; Enter saves, Esc closes"))
        self.rows: dict[str, Segments] = {}
        self._row("format", [(word, word.upper()) for word in FORMATS], tr("Format"))
        self._row("size", [(word, _size_words(word)) for word in SIZES], tr("Size"))
        self._row("scale", [(word, f"{word} ×") for word in SCALES], tr("Pixels, times the screen's"))
        self._row("dpi", [(word, f"{word} dpi") for word in DPIS], tr("Pixels an inch"))
        self.toggles = {
            "transparent": self._toggle("transparent", tr("Clear ground"), tr("Leave the ground of the picture clear")),
            "bars": self._toggle("bars", tr("Colour bars"), tr("What the colours stand for, below the picture")),
            "caption": self._toggle("caption", tr("Caption file"),
                                    tr("Beside it as text and as JSON: what it shows, and all it was made from")),
        }
        self.empty = Button(tr("Empty the figure"), "", "link", self)
        self.empty.clicked.connect(self._empty)
        style.name(self.empty, tr("Empty the figure"), tr("Forget the panels, and save what the stage shows"))
        self.save = Button(tr("Save…"), "export", "raised", self)
        self.save.clicked.connect(self._save)
        self.cancel = Button(tr("Close"), "", "flat", self)
        self.cancel.clicked.connect(self.closed)
        style.name(self.save, tr("Save"), tr("Choose a name and save (Enter)"))
        style.name(self.cancel, tr("Close"), keyed(tr("Put this panel away"), "out"))
        self._show()

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(WIDE, 48 + 4 * ROW + 60)

    def choose(self, **changes: object) -> None:
        """Other choices; they are remembered."""
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]
        kept.change("export", lambda known: {**known, **changes})
        self._show()

    # --- how it is built ---

    def _row(self, name: str, words: Sequence[tuple[str, str]], title: str) -> None:
        row = Segments([Segment(said) for _, said in words], self)
        row.chosen.connect(lambda number: self.choose(**{name: words[number][0]}))
        row.setAccessibleName(title)
        for (_, said), button in zip(words, row.buttons, strict=True):
            style.name(button, f"{title}: {said}", title)
        self.rows[name] = row

    def _toggle(self, name: str, words: str, tip: str) -> Button:
        button = Toggle(words, self)
        style.name(button, words, tip)
        button.clicked.connect(lambda: self.choose(**{name: button.isChecked()}))
        return button

    def _show(self) -> None:
        """Set every control to what is chosen."""
        for name, words in _WORDS.items():
            self.rows[name].choose(words.index(getattr(self.choices, name)))
        self.rows["scale"].setVisible(self.choices.size == "screen")
        self.rows["dpi"].setVisible(self.choices.paper)
        for name, button in self.toggles.items():
            button.setChecked(getattr(self.choices, name))
        self.empty.setVisible(self.panels > 0)
        for name in ("scale", "dpi"):
            self.rows[name].setEnabled(self.choices.format == "png" or name == "scale")
        self._place()
        self.update()

    def _place(self) -> None:
        y = 48
        for name in ("format", "size", "scale", "dpi"):
            if name in ("scale", "dpi"):
                y = 48 + 2 * ROW
            self.rows[name].setGeometry(LABELS, y, min(self.rows[name].sizeHint().width(), WIDE - LABELS - 16), 36)
            y += ROW
        x, y = LABELS, 48 + 3 * ROW
        wanted = [button.sizeHint().width() for button in self.toggles.values()]
        share = min(1.0, (WIDE - LABELS - 16 - 8 * (len(wanted) - 1)) / sum(wanted))
        for button, long in zip(self.toggles.values(), wanted, strict=True):
            button.setGeometry(x, y + 2, int(long * share), 32)
            x += int(long * share) + 8
        y += ROW + 12
        self.empty.setGeometry(LABELS, y + 2, self.empty.sizeHint().width(), 28)
        wide = self.save.sizeHint().width() + 8
        self.save.setGeometry(WIDE - 16 - wide, y, wide, 32)
        other = self.cancel.sizeHint().width()
        self.cancel.setGeometry(WIDE - 24 - wide - other, y, other, 32)

    def _save(self) -> None:
        self.wanted.emit(self.choices)

    def _empty(self) -> None:
        self.panels = 0
        self.emptied.emit()
        self._show()

    # --- events ---

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:  # keys belong to the panel while it is open
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._save()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "window", 10, "rule")
            title = tr("Export a figure of {count} panels").format(count=self.panels) if self.panels > 1 else \
                tr("Export the first panel of the figure") if self.panels else tr("Export the picture")
            style.write(painter, title, 16, 30, size=16, weight=600, width=WIDE - 32)
            words = {"format": tr("Format"), "size": tr("Size"), "pixels": tr("Pixels"), "with": tr("With")}
            for number, word in enumerate(words.values()):
                if word != words["pixels"] or self.choices.size == "screen" or self.choices.paper:
                    style.write(painter, word, LABELS - 14, 48 + number * ROW + 23, "ink-2", anchor="end")


class Toggle(Button):
    """On or off: a small square with a tick, and its words."""

    def __init__(self, words: str, parent: QWidget) -> None:
        super().__init__(words, "tick", "flat", parent)
        self.setCheckable(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.icon_name = "tick" if self.isChecked() else ""
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            self.draw_ground(painter, place)
            box = QRectF(8, place.center().y() - 8, 16, 16)
            style.fill(painter, box, "accent-fill" if self.isChecked() else "raised", 4,
                       "" if self.isChecked() else "border")
            if self.isChecked():
                from visualizer.ui import icons

                icons.draw(painter, "tick", box.adjusted(2, 2, -2, -2), style.color("on-accent"))
            style.write(painter, self.text(), 32, place.center().y() + 4.7, width=self.width() - 40)

    def sizeHint(self) -> QSize:
        return QSize(round(style.text_width(self.text())) + 44, 32)


def _size_words(word: str) -> str:
    return tr("Screen") if word == "screen" else word.replace("x", " × ")


