"""Exporting: pictures, figures, films and numbers into files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

from visualizer import data
from visualizer.language import tr
from visualizer.registry import write_whole
from visualizer.scene import figures
from visualizer.ui.commands import Command, Desk, Family, key_for
from visualizer.ui.cover import Cover
from visualizer.ui.saving import beside, file_name, for_programs, panel, saved

if TYPE_CHECKING:
    from visualizer.export import Panel


class Films(Protocol):
    """Where a film is chosen."""

    def toggle(self) -> None:
        """Show it, or put it away."""

    def open_over(self) -> None:
        """The same for a film through inputs."""

    def make_page(self, path: Path) -> None:
        """Make a page of all that is shown, and show how far it is."""


class Exports(Desk, Protocol):
    """What leaves the app as a file."""

    panels: list[Panel]
    """What was put into the figure that is to be exported, in order."""
    cover: Cover
    film_panel: Films

    def come_forward(self) -> None:
        """Leave what covers the window."""


def family() -> Family:
    return Family(tr("Export"), 30, (
        Command("export", tr("Export picture…"), ("E", "Ctrl+E"),
                tr("Save what you see, or the figure you put together, as PNG, SVG or PDF"), export_picture),
        Command("film", tr("Export film…"), ("Ctrl+Shift+E",),
                tr("Save the animation as a video, a GIF or numbered pictures"), export_film, icon="film",
                can=lambda desk: desk.store.trace is not None),
        Command("film-inputs", tr("Export film through inputs…"), ("Ctrl+Alt+E",),
                tr("Save how the picture changes from input to input: all, wrong ones, one class, your own …"),
                film_inputs, can=lambda desk: desk.store.trace is not None),
        Command("page", tr("Export page…"), ("Ctrl+Shift+H",),
                tr("Save one HTML file to step through, scrub and point into, without the app or a network"),
                export_page, can=lambda desk: desk.store.trace is not None),
        Command("export-data", tr("Export data…"), ("Ctrl+Shift+D",),
                tr("Save numbers as CSV, JSON or NPZ: the table of the picture, its layer, or everything"),
                export_data),
        Command("add-panel", tr("Add to figure"), ("A",),
                tr("Put what you see into a figure of several panels, a, b, c, to export them as one"), add_panel),
        Command("drop-panel", tr("Take out of figure"), ("Shift+A",),
                tr("Take out of the figure what was put into it last"), drop_panel),
    ))


def export_picture(desk: Exports) -> None:
    """Show or put away the panel that exports the stage, or the panels that were collected."""
    from visualizer.ui.exporting import ExportPanel  # not before the window is seen

    def made(below: QWidget) -> ExportPanel:
        shown = ExportPanel(below, len(desk.panels))
        shown.wanted.connect(lambda choices: ask_and_export(desk, choices.format))
        shown.emptied.connect(desk.panels.clear)
        return shown

    if desk.store.trace is not None:
        desk.cover.toggle(ExportPanel, made)


def ask_and_export(desk: Exports, suffix: str) -> None:
    """Ask for a name and save there."""
    formats = {"png": tr("PNG (*.png)"), "svg": tr("SVG (*.svg)"), "pdf": tr("PDF (*.pdf)")}
    path, _ = desk.ask_for_name(tr("Export picture"), f"{file_name(desk.store.state)}.{suffix}", formats[suffix])
    if path:
        desk.cover.close()
        path = path if Path(path).suffix.lower().lstrip(".") in formats else f"{path}.{suffix}"
        desk.say(saved(path, lambda target: export_to(desk, target)))


def export_to(desk: Exports, path: Path) -> str:
    """Save what the stage shows, or the figure that was collected, as it was chosen last; the ending of the name
    chooses the format. Returns a sentence if its letters come out too small for paper."""
    from visualizer.ui import exporting

    shown = desk.panels or beside(desk.store) or [panel(desk.store, desk.picture.size)]
    return exporting.write(path, shown, exporting.remembered())


def add_panel(desk: Exports) -> None:
    """Put what the stage shows into the figure that is exported next."""
    if desk.store.trace is None:
        return
    desk.panels.append(panel(desk.store, desk.picture.size))
    said = tr("This is panel {letter} of the figure now; export it with {export}, or take it out again with {drop}.")
    desk.say(said.format(letter=figures.letter(len(desk.panels) - 1), export=key_for("export"),
                         drop=key_for("drop-panel")))


def drop_panel(desk: Exports) -> None:
    """Take out of the figure what was put into it last."""
    if desk.panels:
        desk.panels.pop()
    desk.say(tr("The figure has {count} panels.").format(count=len(desk.panels)) if desk.panels
             else tr("The figure has no panels; what is exported is what the stage shows."))


def export_data(desk: Exports) -> None:
    """Ask for a name and save numbers: the table of the picture, its layer, or the whole recording."""
    trace, seen = desk.store.trace, desk.store.sight
    if trace is None or seen is None:
        return
    layer = seen.subject.layer
    table, one, whole = (tr("Table of this picture"), tr("Every number of {layer}").format(layer=layer),
                         tr("Every number of every layer"))
    kinds = {f"{table} (*.csv)": (".csv", None), f"{table} (*.json)": (".json", None),
             f"{one} (*.csv)": (".csv", layer), f"{one} (*.json)": (".json", layer),
             f"{one} (*.npz)": (".npz", layer), f"{whole} (*.npz)": (".npz", None)}
    path, kind = desk.ask_for_name(tr("Export data"), f"{file_name(desk.store.state)}.csv", ";;".join(kinds))
    if path:
        suffix, of = kinds.get(kind, (".csv", None))
        given = Path(path).suffix.lower()
        suffix, path = (given, path) if given in (".csv", ".json", ".npz") else (suffix, path + suffix)
        picture = for_programs(desk.store)
        desk.say(saved(path, lambda target: write_whole(target, data.to_bytes(suffix, trace, picture, of))))


def export_film(desk: Exports) -> None:
    """Show or put away the panel in which a film is chosen and its progress is seen."""
    desk.come_forward()
    desk.film_panel.toggle()


def film_inputs(desk: Exports) -> None:
    """Show the same panel with a film chosen that goes through the inputs; the person is told where there are none."""
    from visualizer.ui.filming import why_not_over

    desk.come_forward()
    if why := why_not_over(desk.store):
        desk.say(why)
    else:
        desk.film_panel.open_over()


def export_page(desk: Exports) -> None:
    """Ask for a name, and make a page in which the recording is stepped through as it is shown."""
    if desk.store.trace is None:
        return
    name = f"{Path(desk.store.state.model).stem}.html"
    path, _ = desk.ask_for_name(tr("Export page"), name, tr("HTML page (*.html)"))
    if path:
        desk.come_forward()
        desk.film_panel.make_page(Path(path if Path(path).suffix.lower() == ".html" else f"{path}.html"))
