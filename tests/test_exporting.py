"""The export panel: what it offers is what is written, and it is remembered."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from visualizer import app as the_app
from visualizer import export, load, registry
from visualizer.export import Panel
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, from_json
from visualizer.ui import kept
from visualizer.ui.commands.exporting import export_to
from visualizer.ui.exporting import Choices, ExportPanel, remembered, write
from visualizer.ui.saving import saved
from visualizer.ui.store import Store
from visualizer.ui.window import Window


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "state"))


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def window(qtbot, digits):
    the_app.application()
    window = Window(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,)), view="filters"), digits))
    qtbot.addWidget(window)
    window.resize(1600, 900)
    with qtbot.waitExposed(window):
        window.show()
    return window


@pytest.fixture
def panel(window):
    window.run("export")
    return window.cover.shown


def shown(digits):
    return Panel(digits, changed(State(), at="conv2.forward", view="filters"))


# --- what is written ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("size", "pixels"), [("1920x1080", (1920, 1080)), ("3840x2160", (3840, 2160))])
@pytest.mark.parametrize("bars", [True, False])
def test_a_size_in_pixels_is_that_size_with_and_without_bars(digits, tmp_path, size, pixels, bars):
    write(tmp_path / "a.png", [shown(digits)], Choices(size=size, bars=bars))
    with Pillow.open(tmp_path / "a.png") as image:
        assert image.size == pixels


def test_the_size_of_the_screen_is_that_of_the_stage_times_the_scale(digits, tmp_path):
    write(tmp_path / "a.png", [shown(digits)], Choices(scale="3", bars=False))
    with Pillow.open(tmp_path / "a.png") as image:
        assert image.size == (1104 * 3, 796 * 3)


def test_a_size_on_paper_has_its_millimetres_and_dots(digits, tmp_path):
    assert write(tmp_path / "a.png", [shown(digits)], Choices(size="183 mm", dpi="150")) == ""
    with Pillow.open(tmp_path / "a.png") as image:
        assert image.size[0] == round(183 / 25.4 * 150)
        assert image.info["dpi"][0] == pytest.approx(150, abs=0.1)


def test_too_small_letters_are_said(digits, tmp_path):
    microscope = Panel(digits, changed(State(), at="conv2.backward", view="microscope"))
    assert "pt" in write(tmp_path / "a.svg", [microscope], Choices(size="89 mm"))
    assert (tmp_path / "a.svg").exists()


def test_a_clear_ground_lets_a_coloured_page_through(digits, tmp_path):
    write(tmp_path / "a.png", [shown(digits)], Choices(transparent=True, bars=False, scale="1"))
    with Pillow.open(tmp_path / "a.png") as image:
        page = Pillow.new("RGBA", image.size, (255, 240, 180, 255))
        page.alpha_composite(image)
        pixels = np.array(page)
    assert tuple(pixels[4, 4, :3]) == (255, 240, 180)
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 50


def test_a_caption_file_is_written_only_where_it_is_wanted(digits, tmp_path):
    write(tmp_path / "a.pdf", [shown(digits)], Choices(caption=False))
    assert sorted(path.name for path in tmp_path.glob("a.*")) == ["a.pdf"]
    write(tmp_path / "a.pdf", [shown(digits)], Choices(caption=True))
    assert sorted(path.name for path in tmp_path.glob("a.*")) == ["a.json", "a.pdf", "a.txt"]
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["panels"][0]["view"] == "filters"


# --- the panel ------------------------------------------------------------------------------------------------------

def test_the_panel_opens_over_the_stage_and_the_same_key_closes_it(window, qtbot):
    QTest.keyClick(window, Qt.Key.Key_E)
    panel = window.cover.shown
    assert isinstance(panel, ExportPanel)
    assert window.rect().contains(panel.geometry())
    assert panel.geometry().intersects(window.stage.geometry())
    QTest.keyClick(panel, Qt.Key.Key_Escape)
    assert window.cover.shown is None
    assert window.store.state.focus == Focus("conv2", (7,)), "Esc closed the panel and nothing else"


def test_what_was_chosen_is_remembered(panel):
    panel.rows["format"].buttons[2].click()
    panel.rows["size"].buttons[3].click()
    panel.toggles["transparent"].click()
    panel.toggles["bars"].click()
    assert remembered() == Choices(format="pdf", size="183 mm", transparent=True, bars=False)
    assert ExportPanel(panel.parentWidget()).choices == remembered()


def test_only_what_has_a_meaning_can_be_chosen(panel):
    assert panel.rows["scale"].isVisible()
    assert not panel.rows["dpi"].isVisible()
    panel.choose(size="89 mm")
    assert panel.rows["dpi"].isEnabled()
    panel.choose(format="svg")
    assert not panel.rows["dpi"].isEnabled()
    assert not panel.rows["scale"].isVisible()
    panel.choose(size="3840x2160")
    assert not panel.rows["dpi"].isVisible()


@pytest.mark.parametrize("kept_words", [{"format": "exe"}, {"size": 5}, {"bars": "no"}, {"scale": ["2"]}, {"x": 1}])
def test_what_cannot_be_chosen_is_not_remembered(kept_words):
    kept.remember("export", kept_words)
    assert remembered() == Choices()


def test_everything_in_the_panel_has_a_name_and_is_reached_by_tab(panel):
    for button in [*panel.toggles.values(), panel.save, panel.cancel,
                   *(button for row in panel.rows.values() for button in row.buttons)]:
        assert button.accessibleName()
        assert button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_enter_asks_for_a_name_and_saves(panel, window, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(tmp_path / "figure"), ""))
    panel.choose(format="svg")
    QTest.keyClick(panel, Qt.Key.Key_Return)
    assert window.message.words == "Saved as figure.svg."
    assert window.cover.shown is None
    assert from_json(export.state_in(tmp_path / "figure.svg")).focus == Focus("conv2", (7,))


# --- a figure of several panels -------------------------------------------------------------------------------------

def test_panels_are_collected_taken_out_and_exported_as_one(window, tmp_path):
    QTest.keyClick(window, Qt.Key.Key_A)
    window.store.update(view="feature_maps")
    QTest.keyClick(window, Qt.Key.Key_A)
    assert "panel b" in window.message.words
    window.store.update(view="network")
    QTest.keyClick(window, Qt.Key.Key_A)
    QTest.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert [panel.state.view for panel in window.panels] == ["filters", "feature_maps"]
    export_to(window, tmp_path / "a.svg")
    told = (tmp_path / "a.svg").read_text("utf-8")
    assert ">a</text>" in told
    assert ">b</text>" in told
    assert ">c</text>" not in told
    assert from_json(export.state_in(tmp_path / "a.svg")).view == "filters"
    window.run("export")
    window.cover.shown.empty.click()
    assert window.panels == []


# --- clipboard and data ---------------------------------------------------------------------------------------------

def test_caption_and_data_go_to_the_clipboard(window, digits):
    clipboard = QGuiApplication.clipboard()
    window.run("copy-caption")
    assert clipboard.text().startswith(window.stage.picture.caption)
    assert digits.hashes["weights"] in clipboard.text()
    window.run("copy-data")
    first, second, *_ = clipboard.text().splitlines()
    assert first.split("\t") == list(window.stage.picture.table.columns)
    assert len(second.split("\t")) == len(first.split("\t"))
    window.run("copy")
    assert clipboard.image().width() == 2 * window.stage.picture.size[0]


@pytest.mark.parametrize(("number", "suffix"), [
    (0, ".csv"), (1, ".json"), (2, ".csv"), (3, ".json"), (4, ".npz"), (5, ".npz")])
def test_data_are_written_in_every_form(window, monkeypatch, tmp_path, digits, number, suffix):
    monkeypatch.setattr(QFileDialog, "getSaveFileName",
                        lambda *args: (str(tmp_path / "numbers"), args[3].split(";;")[number]))
    window.run("export-data")
    path = tmp_path / f"numbers{suffix}"
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            np.testing.assert_array_equal(arrays["conv2.output"], digits["conv2"].output)
            assert ("conv1.output" in arrays) == (number == 5)
    elif number < 2:
        assert str(window.stage.picture.table.columns[0]) in path.read_text("utf-8")
    else:
        lines = path.read_text("utf-8")
        assert "conv2" in lines if suffix == ".json" else lines.startswith("channel,row,column,value,gradient")


# --- what stands in the way -----------------------------------------------------------------------------------------

def test_a_full_disk_is_one_sentence_and_the_old_file_stays(window, monkeypatch, tmp_path):
    path = tmp_path / "old.png"
    path.write_bytes(b"the old picture")

    def full(self, data):
        with open(self, "wb") as file:  # half of it is written
            file.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    window.say(saved(path, lambda target: export_to(window, target)))
    assert window.message.words == "old.png was not written: the disk is full; make room, or choose another place."
    assert path.read_bytes() == b"the old picture"
    assert [other.name for other in tmp_path.iterdir() if "part" in other.name] == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(window, tmp_path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    window.say(saved(shut / "a.png", lambda target: export_to(window, target)))
    assert "choose a folder of your own" in window.message.words


def test_a_folder_that_is_not_there_is_one_sentence(window, tmp_path):
    window.say(saved(tmp_path / "none" / "a.png", lambda target: export_to(window, target)))
    assert "make it first" in window.message.words
    window.say(saved(tmp_path / "none" / "a.session", lambda path: registry.write_whole(path, b"")))
    assert window.message.words.endswith("make it first, or choose another.")


def test_the_panel_fits_the_smallest_window(window):
    window.resize(window.minimumSize())
    window.run("export")
    panel = window.cover.shown
    assert window.rect().contains(panel.geometry())
    assert all(panel.rect().contains(child.geometry()) for child in (*panel.rows.values(), *panel.toggles.values(),
                                                                     panel.save, panel.cancel))
