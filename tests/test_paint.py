"""Marks become the right pixels, the same ones every time, and nothing is leaked on the way."""

import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from tests.conftest import looks_different
from visualizer import paint
from visualizer.scene import colour
from visualizer.scene import type as letters
from visualizer.scene.picture import Focus, Image, Line, Path, Picture, Rect, Run, Text, plain, rich

WHITE, INK = (255, 255, 255), (0x12, 0x16, 0x1C)


def pixels(image):
    """(height, width, 3) bytes of a QImage."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)[..., :3].copy()


def drawn(*marks, size=(60, 40), theme="light", scale=1.0):
    return pixels(paint.render(Picture(size, marks, theme=theme), scale))


def at(array, x, y):
    return tuple(int(part) for part in array[y, x])


def entry(palette, index, theme="light"):
    return colour.resolve(theme, f"{palette}:{index}")[:3]


ramp = np.arange(0, 252, 7, dtype=np.uint8)


def wave(tiles, rows, columns):
    """Entries of a palette in a smooth pattern, the same on every machine."""
    tile, row, column = np.ogrid[:tiles, :rows, :columns]
    return ((tile * 37 + row * row * 5 + column * 11) % 255 + 1).astype(np.uint8)


# --- golden pictures ------------------------------------------------------------------------------------------------

def maps(theme):
    hatched = np.zeros((4, 6, 6), bool)
    hatched[1, :2] = hatched[3] = True
    rgb = np.stack([wave(1, 8, 8), wave(1, 8, 8)[:, ::-1], wave(1, 8, 8)[..., ::-1]], axis=-1)
    return Picture((240, 120), (
        Image(8, 8, (3, 3), wave(5, 12, 12), columns=3, pitch=(40, 40)),
        Image(130, 8, (6, 6), wave(4, 6, 6), "weight", columns=2, pitch=(45, 45), hatched=hatched, rows_shown=0.75),
        Image(8, 96, (4, 14), ramp[None, None], "gradient", border=""),
        Image(160, 96, (2, 2), rgb), Image(184, 96, (2, 7), np.arange(0, 256, 16, dtype=np.uint8)[None, None], "pixel"),
        Image(222, 8, (10, 4), wave(9, 1, 1), "activation-pale", pitch=(0, 6), opacity=0.5),
    ), theme=theme)


def areas(theme):
    return Picture((240, 120), (
        Rect(8, 8, 50, 40, "tint", "accent", 2, radius=8), Rect(66, 8, 50, 40, "hatch", "rule", inside=True),
        Rect(124, 8, 50, 40, stroke="accent", stroke_width=1.5, dashed=True),
        Rect(182, 8, 50, 40, "activation:220", "ink", 3, inside=True), Rect(8, 60, 104, 6, "sunk", radius=3),
        Rect(8, 60, 70.5, 6, "accent-fill", radius=3), Rect(8, 76, 224, 36, "wedge", "hair", inside=True, radius=10),
        Rect(20, 84, 30, 20, "negative-bar", opacity=0.4),
    ), theme=theme)


def lines(theme):
    fan = tuple(((20, 60), (70, 60), (80, y), (130, y)) for y in range(10, 115, 12))
    return Picture((240, 120), (
        Line(((8, 8), (232, 8)), "hair"), Line(((8, 14.5), (232, 14.5)), "accent", 2, dashed=True),
        Line(((140, 20), (140, 112)), "rule"),
        Line(((150, 40), (170, 60), (190, 32), (232, 70)), "gradient-line", 1.5),
        Path(fan, stroke="edge"), Path(fan[2:3], stroke="accent", width=1.5),
        Path((((150, 110), (170, 80), (200, 80), (220, 110)),), fill="gradient-mark", stroke="ink", opacity=0.6),
        Line(((150, 90), (232, 90)), "series-gru", 2.25, dashed=True),
    ), theme=theme)


def words(theme):
    return Picture((300, 120), (
        Text(8, 20, rich("Channel 7 of `conv2`: {5.21}, _h_ **here**."), 15, 500),
        Text(292, 40, (Run("x"), Run("t", shift="sub"), Run(" = 1.8 × 10"), Run("−6", shift="super")), 14,
             anchor="end"),
        Text(220, 60, plain("a label that is far too long to fit in here"), 12, color="ink-2", anchor="middle",
             max_width=140),
        Text(8, 110, plain("0.64"), 44, 600, display=True), Text(150, 84, plain("‖∂L/∂h‖ ∥ ⊙ ∇ ∈ ℝ"), 13),
        Text(150, 104, plain("+1.55 −0.97 77.0 %"), 12.5, 600, "negative-text"),
        Text(8, 60, plain("a -> b != c"), 13, 600, mono=True, opacity=0.5),
    ), theme=theme)


def cells(theme):
    """Numbers on cells, as in the microscope."""
    marks = []
    for index, value in enumerate((-2.99, -0.38, 0, 0.52, 1.78, 2.99)):
        shade = int(colour.signed(value, 2.99))
        x, y = 8 + index % 3 * 44, 8 + index // 3 * 32
        marks.append(Rect(x, y, 42, 30, f"activation-pale:{shade}", "hair", inside=True, radius=3))
        marks.append(Text(x + 21, y + 20, plain(f"{value:.2f}".replace("-", "−")), 13, 600, anchor="middle"))
    return Picture((144, 80), tuple(marks), theme=theme)


GOLDEN = {"maps": maps, "areas": areas, "lines": lines, "words": words, "cells": cells}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", GOLDEN)
def test_every_kind_of_mark_looks_as_it_did(name, theme, golden_image):
    picture = GOLDEN[name](theme)
    first, second = pixels(paint.render(picture)), pixels(paint.render(picture))
    assert first.tobytes() == second.tobytes()
    golden_image(f"paint-{name}-{theme}", first)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", GOLDEN)
def test_the_comparison_sees_what_a_person_would_see(name, theme):
    picture = GOLDEN[name](theme)
    golden = pixels(paint.render(picture))
    marks = list(picture.still)
    broken = {
        "moved by 2 pixels": np.roll(golden, 2, axis=1),
        "another theme": pixels(paint.render(picture.themed("dark" if theme == "light" else "light"))),
    }

    def without(number, *instead):
        return pixels(paint.render(replace(picture, still=(*marks[:number], *instead, *marks[number + 1:]))))

    for number, mark in enumerate(marks):
        broken[f"mark {number} is missing"] = without(number)
        if isinstance(mark, Line | Path) and mark.width > 1:
            broken[f"line {number} is thinner"] = without(number, replace(mark, width=mark.width - 1))
        if isinstance(mark, Text):
            broken[f"text {number} is 2 pixels lower"] = without(number, replace(mark, y=mark.y + 2))
        if isinstance(mark, Image) and mark.values.ndim == 3:
            values = mark.values.copy()
            values[0, 0, 0] ^= 64
            broken[f"image {number} has one other value"] = without(number, replace(mark, values=values))
    for what, wrong in broken.items():
        assert looks_different(golden, wrong), what
    assert not looks_different(golden, golden)


def test_the_comparison_forgives_another_smoothing_of_letters():
    golden = drawn(Text(8, 25, plain("conv2"), 14))
    softer = golden.astype(float)
    edges = (golden.max(axis=-1) < 250) & (golden.min(axis=-1) > 40)
    softer[edges] += 12
    assert not looks_different(golden, softer.clip(0, 255).astype(np.uint8))


# --- maps -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0])
def test_every_value_is_one_block_of_whole_pixels(scale):
    values = wave(6, 4, 5)
    mark = Image(3, 2, (3, 2), values, columns=3, pitch=(18, 11), border="")
    seen = drawn(mark, size=(64, 30), scale=scale)
    table = colour.theme("light").palettes["activation"]
    step = int(scale)
    expected = np.full((30 * step, 64 * step, 3), 255, np.uint8)
    for tile in range(6):
        left, top = 3 + tile % 3 * 18, 2 + tile // 3 * 11
        block = np.repeat(np.repeat(table[values[tile]], 2 * step, axis=0), 3 * step, axis=1)
        expected[top * step:top * step + 8 * step, left * step:left * step + 15 * step] = block
    assert np.array_equal(seen, expected)


@pytest.mark.parametrize("scale", [1.25, 0.7, 1.9])
def test_at_an_odd_scale_cells_stay_sharp_and_where_they_belong(scale):
    values = wave(2, 7, 7)
    mark = Image(5, 5, (4, 4), values, columns=2, pitch=(33, 0), border="")
    seen = drawn(mark, size=(70, 40), scale=scale)
    table = colour.theme("light").palettes["activation"]
    known = {tuple(color) for color in table.tolist()}
    assert {tuple(color) for color in seen.reshape(-1, 3).tolist()} <= known
    for tile in range(2):
        for row in range(7):
            for column in range(7):
                x, y = (5 + tile * 33 + column * 4 + 2) * scale, (5 + row * 4 + 2) * scale
                assert tuple(seen[int(y), int(x)]) == tuple(table[values[tile, row, column]])


def test_gaps_between_tiles_show_what_lies_beneath():
    under = Rect(0, 0, 60, 40, "accent")
    seen = drawn(under, Image(4, 4, (4, 4), wave(3, 3, 3), columns=2, pitch=(16, 16)))
    accent = colour.resolve("light", "accent")[:3]
    assert at(seen, 17, 8) == accent
    assert at(seen, 8, 17) == accent
    assert at(seen, 22, 22) == accent  # the place of a fourth tile
    assert at(seen, 8, 8) != accent


def test_a_border_is_one_pixel_inside_each_tile():
    seen = drawn(Image(4, 4, (5, 5), np.full((2, 3, 3), 128, np.uint8), columns=2, pitch=(20, 20)))
    border = tuple(round(255 + (part - 255) * 26 / 255) for part in INK)
    inside = seen[4:19, 4:19]
    ring = np.ones((15, 15), bool)
    ring[1:-1, 1:-1] = False
    assert np.abs(inside[ring].astype(int) - border).max() <= 1
    assert np.all(inside[~ring] == 255)
    assert at(seen, 3, 10) == at(seen, 19, 10) == WHITE
    assert np.array_equal(seen[4:19, 24:39], inside)


def test_rows_are_uncovered_from_the_top():
    mark = Image(4, 4, (2, 2), np.full((1, 10, 10), 255, np.uint8), border="", rows_shown=0.35)
    seen = drawn(mark)
    assert np.all(seen[4:11, 4:24] == entry("activation", 255))
    assert np.all(seen[11:, 4:24] == 255)
    assert np.all(drawn(replace(mark, rows_shown=0.0)) == 255)


def test_cells_without_a_value_are_hatched_and_never_coloured():
    hatched = np.zeros((1, 3, 3), bool)
    hatched[0, 1, 1] = True
    seen = drawn(Image(4, 4, (10, 10), np.full((1, 3, 3), 255, np.uint8), border="", hatched=hatched))
    cell = seen[14:24, 14:24].reshape(-1, 3)
    hatch = np.array(colour.resolve("light", "hatch")[:3])
    share = (255 - cell.astype(float)) / (255 - hatch)
    assert np.ptp(share, axis=1).max() < 0.05  # each pixel is white, the hatch colour, or between the two
    assert 0.1 < share.mean() < 0.35  # a line of 1 in every 5
    assert at(seen, 10, 10) == entry("activation", 255)


def test_true_colours_are_drawn_as_they_are():
    rgb = np.array([[[[10, 200, 30], [255, 0, 128]]]], np.uint8)
    seen = drawn(Image(4, 4, (8, 8), rgb, border=""))
    assert at(seen, 8, 8) == (10, 200, 30)
    assert at(seen, 15, 8) == (255, 0, 128)


def test_what_lies_outside_the_device_costs_nothing_and_harms_nothing():
    far = Image(-1000, -1000, (30, 30), wave(400, 10, 10), columns=20, pitch=(330, 330), border="")
    shifted = Image(-1000 + 990, -1000 + 990, (30, 30), wave(400, 10, 10)[63:64], border="")
    seen = drawn(far)
    assert np.array_equal(seen[:, :30], drawn(shifted)[:, :30])
    pixels_composed, *_ = paint.compose(far, "light", visible=(0, 0, 60, 40))
    assert pixels_composed.shape == (40, 60)
    assert np.all(drawn(replace(far, x=500)) == 255)


@pytest.mark.parametrize("window", [(20, 0, 30, 8), (0, 10, 12, 30), (20, 10, 30, 20), (50, 0, 60, 40)])
def test_any_window_on_a_map_shows_that_part_of_it(window):
    left, top, right, bottom = window
    hatched = np.zeros((2, 6, 6), bool)
    hatched[0, 2:4, 2:] = True
    mark = Image(3, 4, (5, 5), wave(2, 6, 6), columns=2, pitch=(33, 0), hatched=hatched)
    whole = np.zeros((40, 70), np.uint32)
    for x1, y1, x2, y2 in ((0, 0, 70, 40), window):
        part, x, y, _ = paint.compose(mark, "light", visible=(x1, y1, x2, y2))
        if (x1, y1, x2, y2) == window:
            seen = np.zeros((40, 70), np.uint32)
            seen[y:y + part.shape[0], x:x + part.shape[1]] = part
            assert np.array_equal(seen[top:bottom, left:right], whole[top:bottom, left:right])
        else:
            whole[y:y + part.shape[0], x:x + part.shape[1]] = part


def test_a_clip_is_all_that_is_painted():
    picture = Picture((60, 40), (Image(0, 0, (2, 2), wave(1, 20, 30), border=""), Rect(0, 0, 60, 3, "accent")))
    image = QImage(60, 40, QImage.Format.Format_RGB32)
    image.fill(0xFF123456)
    with paint.painting(image) as painter:
        painter.setClipRect(QRectF(10, 10, 20, 8))
        paint.paint(picture, painter)
    whole, part = drawn(*picture.still), pixels(image)
    assert np.array_equal(part[10:18, 10:30], whole[10:18, 10:30])
    part[10:18, 10:30] = (0x12, 0x34, 0x56)
    assert np.all(part == (0x12, 0x34, 0x56))


# --- lines, areas, words --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("place", [20, 20.5])
def test_a_hairline_is_one_whole_row_of_pixels_wherever_it_is_put(place):
    seen = drawn(Line(((5, place), (50, place)), "ink"))
    assert np.all(seen[20, 5:50] == INK)
    rest = np.delete(seen, 20, axis=0)
    assert np.all(rest == 255)


def test_a_hairline_is_one_pixel_at_an_odd_scale_too():
    seen = drawn(Line(((4, 20), (48, 20)), "ink"), scale=1.25)
    assert np.count_nonzero(np.all(seen[:, 20] == INK, axis=-1)) == 1
    assert np.count_nonzero(np.any(seen[:, 20] != 255, axis=-1)) == 1


@pytest.mark.parametrize("scale", [1.0, 1.25, 2.0])
def test_a_stroke_inside_covers_whole_pixels_and_nothing_outside(scale):
    seen = drawn(Rect(8, 8, 20, 16, stroke="ink", inside=True), scale=scale)
    dark = np.all(seen == INK, axis=-1)
    assert np.array_equal(dark, np.any(seen != 255, axis=-1))  # ink or white, nothing between
    rows, columns = np.nonzero(dark)
    assert (columns.min(), columns.max() + 1) == (round(8 * scale), round(28 * scale))
    assert (rows.min(), rows.max() + 1) == (round(8 * scale), round(24 * scale))


@pytest.mark.parametrize("scale", [1, 1.25, 1.5, 2])
def test_a_cell_that_is_copied_looks_as_if_it_were_drawn(scale):
    """Hundreds of framed cells are copies of a few; blending them rounds by a shade or two at most."""
    def cells(draw):
        image = QImage(200, 160, QImage.Format.Format_RGB32)
        image.fill(0xFFFFFFFF)
        with paint.painting(image) as painter:
            painter.scale(scale, scale)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            on = paint._surface(painter, "light")
            for index, (x, y) in enumerate(((3, 4), (50.3, 4.7), (10.25, 40.5), (60.66, 50.1))):
                draw(Rect(x, y, 42, 30, f"activation-pale:{20 + 60 * index}", "tile-border", 1, True, 3), on)
        return np.array(image.constBits()).reshape(160, 200, 4).astype(int)

    drawn, copied = cells(paint._draw_area), cells(paint._draw_cell)
    assert np.any(drawn != 255)
    assert np.max(np.abs(drawn - copied)) <= 2


def test_hatching_stays_inside_its_area_in_every_theme():
    for theme in ("light", "projector"):
        seen = drawn(Rect(10, 10, 30, 20, "hatch"), theme=theme)
        outside = seen.copy()
        outside[10:30, 10:40] = 255
        assert np.all(outside == 255)
        assert np.any(seen != 255)


def test_curves_go_from_their_start_through_their_handles_to_their_end():
    straight = ((10, 10), (20, 20), (30, 30), (40, 40))
    seen = drawn(Path((straight,), stroke="ink", width=2), size=(60, 60))
    assert all(at(seen, x, x) == INK for x in range(12, 38))
    assert at(seen, 10, 30) == WHITE


def test_a_filled_outline_is_closed():
    corner = ((10, 10), (20, 10), (30, 10), (40, 10), (40, 17), (40, 23), (40, 30))
    seen = drawn(Path((corner,), fill="accent"))
    assert at(seen, 35, 15) == colour.resolve("light", "accent")[:3]
    assert at(seen, 15, 28) == WHITE


def columns_of_ink(seen):
    return np.flatnonzero(np.any(seen != 255, axis=(0, 2)))


def test_an_anchor_is_where_the_words_begin_end_or_have_their_middle():
    words = (Run("four "), Run("words", weight=600, mono=True))
    spans = {anchor: columns_of_ink(drawn(Text(100, 30, words, 16, anchor=anchor), size=(200, 40)))
             for anchor in ("start", "middle", "end")}
    assert spans["start"][0] == pytest.approx(101, abs=2)
    assert spans["end"][-1] == pytest.approx(99, abs=2)
    assert (spans["middle"][0] + spans["middle"][-1]) / 2 == pytest.approx(100, abs=2)


def test_words_too_wide_end_in_dots_within_their_width():
    long = Text(10, 30, (Run("several "), Run("words that "), Run("go on", weight=600)), 16, max_width=90)
    seen = columns_of_ink(drawn(long, size=(250, 40)))
    assert 60 < seen[-1] < 101
    assert columns_of_ink(drawn(replace(long, max_width=0), size=(250, 40)))[-1] > 120
    assert np.array_equal(drawn(replace(long, max_width=200), size=(250, 40)),
                          drawn(replace(long, max_width=0), size=(250, 40)))


def test_an_odd_size_is_as_large_as_it_says():
    def height(size):
        return np.count_nonzero(np.any(drawn(Text(5, 35, plain("H"), size), size=(60, 40)) != 255, axis=(1, 2)))

    assert height(39.6) == pytest.approx(39.6 * height(20) / 20, abs=1.5)
    wide = columns_of_ink(drawn(Text(2, 35, plain("HHHHHHHHHH"), 13.6), size=(200, 40)))
    wider = columns_of_ink(drawn(Text(2, 35, plain("HHHHHHHHHH"), 27.2), size=(300, 40)))
    assert np.ptp(wider) == pytest.approx(2 * np.ptp(wide), abs=3)


def test_an_index_hangs_below_and_a_power_stands_above():
    def rows(shift):
        return np.flatnonzero(np.any(drawn(Text(5, 25, (Run("8", shift=shift),), 20)) != 255, axis=(1, 2)))

    level, low, high = rows(""), rows("sub"), rows("super")
    assert low[-1] > level[-1]
    assert high[0] <= level[0] + 1
    assert high[-1] < level[-1] - 3
    assert len(low) < len(level)


def test_arrows_and_comparisons_are_not_turned_into_ligatures():
    for mono in (False, True):
        apart = drawn(Text(5, 30, (Run("-"), Run(">")), 20, mono=mono))
        together = drawn(Text(5, 30, plain("->"), 20, mono=mono))
        assert np.abs(apart.astype(int) - together).max() <= 40  # kerning may shift a fraction of a pixel


def test_opacity_lets_the_background_through():
    for mark in (Rect(0, 0, 60, 40, "ink"), Image(0, 0, (60, 40), np.array([[[255]]], np.uint8), "pixel", border="")):
        seen = drawn(replace(mark, opacity=0.5))
        assert at(seen, 30, 20) == pytest.approx([255 - (255 - part) / 2 for part in INK], abs=1)
        assert np.all(drawn(replace(mark, opacity=0.0)) == 255)


def test_a_token_that_does_not_exist_is_refused_and_the_painter_is_closed():
    with pytest.raises(LookupError, match="no colour 'inkk'"):
        drawn(Rect(0, 0, 5, 5, "inkk"))
    drawn(Rect(0, 0, 5, 5, "ink"))


# --- devices --------------------------------------------------------------------------------------------------------

def test_a_transparent_picture_has_only_its_marks():
    image = paint.render(Picture((30, 30), (Rect(10, 10, 10, 10, "accent"),)), transparent=True)
    assert image.pixelColor(5, 5).alpha() == 0
    assert image.pixelColor(15, 15).alpha() == 255


def test_light_and_dark_are_the_same_picture_in_other_colours():
    light, dark = (drawn(Rect(5, 5, 20, 20, "stage", "ink", inside=True), theme=theme) for theme in ("light", "dark"))
    assert at(dark, 0, 0) == colour.resolve("dark", "stage")[:3]
    assert np.array_equal(np.any(light != light[0, 0], axis=-1), np.any(dark != dark[0, 0], axis=-1))


class Stage(QWidget):
    """A widget that shows one picture, as the app's stage does."""

    def __init__(self, picture, parent=None):
        super().__init__(parent)
        self.picture, self.stills = picture, paint.Stills()
        self.resize(*picture.size)

    def paintEvent(self, event):
        with paint.painting(self) as painter:
            self.stills.paint(self.picture, painter)


def test_a_widget_shows_the_same_pixels_as_a_file(qtbot):
    picture = replace(maps("light"), moving=(Rect(20, 20, 30, 30, stroke="accent", stroke_width=3),))
    stage = Stage(picture)
    qtbot.addWidget(stage)
    expected = pixels(paint.render(picture))
    for _ in range(2):  # the second time from the kept image
        assert np.array_equal(pixels(stage.grab().toImage()), expected)


def test_a_widget_inside_another_is_painted_in_its_place(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(400, 300)
    stage = Stage(maps("light"), parent)
    stage.move(37, 53)
    seen = pixels(parent.grab().toImage())
    assert np.array_equal(seen[53:53 + 120, 37:37 + 240], pixels(paint.render(maps("light"))))


def test_a_screen_of_another_ratio_gets_its_own_pixels():
    picture = maps("light")
    image = QImage(480, 240, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    stills = paint.Stills()
    for paint_it in (paint.paint, stills.paint, stills.paint):
        image.fill(0)
        with paint.painting(image) as painter:
            paint_it(picture, painter)
        assert np.array_equal(pixels(image), pixels(paint.render(picture, 2)))


def test_the_still_part_is_painted_again_only_when_it_changes(monkeypatch):
    painted = []
    original = paint.Stills._render
    monkeypatch.setattr(paint.Stills, "_render", staticmethod(lambda *args: painted.append(1) or original(*args)))
    stills = paint.Stills()
    image = QImage(240, 120, QImage.Format.Format_RGB32)

    def frame(picture, scale=1.0):
        with paint.painting(image) as painter:
            painter.scale(scale, scale)
            stills.paint(picture, painter)
        return pixels(image)

    first = maps("light")
    frame(first)
    frame(replace(first, moving=(Rect(0, 0, 9, 9, "ink"),)))
    frame(maps("light"))  # made anew, equal
    assert len(painted) == 1
    changed = replace(first, still=(replace(first.still[0], values=wave(5, 12, 12)[::-1].copy()), *first.still[1:]))
    assert np.array_equal(frame(changed), pixels(paint.render(changed)))
    assert len(painted) == 2
    frame(changed.themed("dark"))
    frame(changed.themed("dark"), 1.5)
    frame(replace(changed, background="window"), 1.5)
    assert len(painted) == 5


def test_the_references_of_none_and_true_hold_over_many_painter_calls():
    """PySide6 6.12.0 lost one with each call and ended the process within seconds."""
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    picture = areas("light")
    with paint.painting(image) as painter:
        paint.paint(picture, painter)
        before = [sys.getrefcount(value) for value in (None, True, False)]
        for _ in range(250):
            painter.fillRect(QRectF(0, 0, 5, 5), 0xFF)
            painter.setOpacity(1)
            painter.save()
            painter.restore()
        for _ in range(20):
            paint.paint(picture, painter)
        after = [sys.getrefcount(value) for value in (None, True, False)]
    assert all(abs(end - start) < 50 for start, end in zip(before, after, strict=True))


def test_a_painter_has_ended_even_after_an_error():
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    with pytest.raises(ZeroDivisionError), paint.painting(image) as painter:
        1 / 0  # noqa: B018
    assert isinstance(painter, QPainter)
    assert not painter.isActive()


def test_a_focus_changes_nothing_that_is_seen():
    plain_map = Image(4, 4, (3, 3), wave(2, 4, 4), columns=2, pitch=(16, 16))
    assert np.array_equal(drawn(plain_map), drawn(replace(plain_map, focus=Focus("conv"), transposed=True)))


ALONE = """
import os
os.environ.pop("DISPLAY", None); os.environ.pop("QT_QPA_PLATFORM", None); os.environ.pop("WAYLAND_DISPLAY", None)
from visualizer import paint
from visualizer.scene.picture import Picture, Text, plain
image = paint.render(Picture((120, 30), (Text(5, 20, plain("conv2 ∥∇ 5.21"), 14),)))
import hashlib, sys
print(hashlib.sha256(bytes(image.constBits())).hexdigest())
sys.exit(1 if "PySide6.QtWidgets" in sys.modules or "torch" in sys.modules else 0)
"""


def test_without_a_screen_and_without_system_fonts_the_pixels_are_the_same(tmp_path):
    empty = tmp_path / "fonts.conf"
    empty.write_text("<?xml version='1.0'?><fontconfig></fontconfig>")
    here = paint.render(Picture((120, 30), (Text(5, 20, plain("conv2 ∥∇ 5.21"), 14),)))
    import hashlib
    import os

    environment = {**os.environ, "FONTCONFIG_FILE": str(empty), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", ALONE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hashlib.sha256(bytes(here.constBits())).hexdigest()


def test_letters_are_the_same_whatever_font_the_application_has(qapp):
    """The window gives its widgets one with letters set apart."""
    faces = [(size, letters.face(weight)) for size in (11, 14, 40) for weight in (400, 600)]
    before, own = [paint.font.__wrapped__(*face) for face in faces], qapp.font()
    wide = QFont(own)
    wide.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 3)
    qapp.setFont(wide)
    try:
        assert [paint.font.__wrapped__(*face) for face in faces] == before
    finally:
        qapp.setFont(own)


def test_the_first_letters_of_a_process_are_painted_in_the_bundled_fonts_whoever_paints_them():
    """A widget paints without asking for the application first: what it writes must not differ from what is saved."""
    code = ("import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
            "from PySide6.QtGui import QFontInfo\n"
            "from PySide6.QtWidgets import QApplication\n"
            "app = QApplication([])\n"
            "from visualizer import paint\n"
            "from visualizer.scene import type as letters\n"
            "found = paint.font(13, letters.face(500))\n"
            "print(QFontInfo(found).family(), found.families()[0])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Inter"), done.stdout


# --- very large screens -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("size", "halved"), [((3840, 2160), True), ((1920, 1080), False)])
def test_what_moves_on_a_very_large_screen_is_drawn_at_half_its_resolution_and_sharp_when_it_rests(size, halved):
    still = (Image(40, 40, (9, 9), wave(6, 12, 12), columns=3, pitch=(130, 130)),
             Text(40, 400, plain("What stands still"), 21))
    frames = [Picture(size, still, (Rect(600 + 30 * step, 70, 41, 33, "accent", radius=6),)) for step in range(3)]
    stills = paint.Stills()
    for frame in frames:
        whole = QImage(*size, QImage.Format.Format_RGB32)
        for moves in (True, False):
            with paint.painting(whole) as painter:
                stills.paint(frame, painter, moves)
            found = pixels(whole)
            if moves and halved:
                half = pixels(paint.render(frame, 0.5))
                np.testing.assert_array_equal(found, half.repeat(2, axis=0).repeat(2, axis=1))
            else:
                np.testing.assert_array_equal(found, pixels(paint.render(frame)))


def test_a_long_line_is_drawn_in_pieces_and_looks_as_drawn_at_once():
    points = tuple((8.0 + 1.9 * at, 60 + 50 * math.sin(at * 0.7)) for at in range(100))
    pieces = drawn(Line(points, "ink", 2), size=(200, 120)).astype(np.int64)
    image = QImage(200, 120, QImage.Format.Format_RGB32)
    image.fill(QColor(*WHITE))
    with paint.painting(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(paint._pen("light", "ink", 2, False, 1.0))
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))
    whole = pixels(image).astype(np.int64)
    off = np.abs(pieces - whole).max(2)
    assert (whole[..., 0] < 128).sum() > 1000
    assert (off > 8).sum() < 0.2 * (whole[..., 0] < 128).sum()  # a smoothed edge is drawn twice where pieces meet
    assert (off > 96).sum() < 10


def test_dashes_lie_on_their_line_and_are_as_long_as_wanted():
    points = tuple((3.0 * at, 40 + 30 * math.sin(at)) for at in range(60))
    strokes = paint._dashed(points, 7.0, 4.0)
    way = sum(math.dist(one, other) for one, other in pairwise(points))
    drawn = sum(math.dist((each.x1(), each.y1()), (each.x2(), each.y2())) for each in strokes)
    assert drawn == pytest.approx(7.0 * (way // 11) + min(7.0, way % 11))
    for each in strokes:
        assert min(math.dist(one, (each.x1(), each.y1())) + math.dist((each.x1(), each.y1()), other)
                   - math.dist(one, other) for one, other in pairwise(points)) < 1e-6
