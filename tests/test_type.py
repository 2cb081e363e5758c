"""Widths known without Qt are the widths that Qt draws; lines are broken where they must be."""

import pytest
from PySide6.QtGui import QFontMetricsF, QRawFont

from visualizer import paint, registry
from visualizer.scene import type as letters
from visualizer.scene.picture import Run, plain, rich

SENTENCES = [
    "Channel 7 of conv2 answers most strongly, 5.21, at row 3, column 5, where the slanted stroke of the 4 begins.",
    "54 products, plus the bias, make one pixel: 5.21. ReLU keeps it, because it is above zero.",
    "‖∂L/∂h‖ = 1.8 × 10⁻⁶ ∥ x ⊙ y, ∇ ∈ ℝ, −0.38 → +0.52, 77.0 %",
]


@pytest.fixture(autouse=True)
def fonts(qapp):
    paint.load_fonts()


@pytest.mark.parametrize("style", letters.faces(), ids=lambda style: f"{style[0]}-{style[1]}{'-italic' * style[2]}")
@pytest.mark.parametrize("size", [11, 13, 17, 44])
def test_a_width_is_the_one_that_qt_draws_but_for_kerning(style, size):
    family, weight, italic = style
    for sentence in SENTENCES:
        runs = [Run(sentence, weight, mono=family == letters.MONO, italic=italic)]
        ours = letters.width(runs, size, display=family == letters.DISPLAY)
        font = paint.font(size, style)
        drawn = QFontMetricsF(font).horizontalAdvance(sentence)
        assert ours == pytest.approx(drawn, rel=0.008)
        font.setKerning(False)
        assert ours == pytest.approx(QFontMetricsF(font).horizontalAdvance(sentence), rel=0.002)


@pytest.mark.parametrize("weight", [400, 500, 600, 700])
def test_figures_are_tabular_but_for_the_fonts_own_slip_of_a_thirtieth_of_a_pixel(weight):
    for mono in (False, True):
        widths = [letters.width(digit, 13, weight, mono=mono) for digit in "0123456789"]
        assert max(widths) - min(widths) <= 1 / 30
        metrics = QFontMetricsF(paint.font(13, letters.face(weight, mono=mono)))
        drawn = [metrics.horizontalAdvance(digit) for digit in "0123456789"]
        assert max(drawn) - min(drawn) <= 1 / 30


def test_every_face_is_bundled_and_none_comes_from_the_system():
    families = paint.load_fonts()
    assert {family for family, _, _ in letters.faces()} | {letters.LAST} <= set(families)
    for family, weight, italic in letters.faces():
        raw = QRawFont.fromFont(paint.font(20, (family, weight, italic)))
        assert raw.familyName().startswith(family)
        assert raw.weight() == weight
        assert (raw.style().name == "StyleItalic") is italic


def test_no_character_that_is_measured_is_missing_from_the_fonts():
    files = registry.files("assets", "fonts/*.[ot]tf")
    raws = [QRawFont(str(path), 20) for path in files if path.stem in ("Inter-Regular", "JetBrainsMono-Regular",
                                                                       "DejaVuSans")]
    assert len(raws) == 3
    characters = next(iter(letters._advances().values()))
    assert not [letter for letter in characters if not any(raw.supportsCharacter(ord(letter)) for raw in raws)]


def test_the_fonts_are_small_and_carry_their_licences():
    folder = registry.folder("assets") / "fonts"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 5_000_000
    source = (folder / "SOURCE.md").read_text("utf-8")
    for path in registry.files("assets", "fonts/*.[ot]tf"):
        assert path.stem.split("-")[0] in source
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text("utf-8")
    assert "Bitstream Vera" in (folder / "DEJAVU-LICENSE.txt").read_text("utf-8")


def test_runs_add_up_and_an_index_is_smaller():
    whole = letters.width("conv", 12, 400) + letters.width("x", 12, 600, mono=True)
    assert letters.width([Run("conv"), Run("x", weight=600, mono=True)], 12) == pytest.approx(whole)
    assert letters.width([Run("t", shift="sub")], 12) == pytest.approx(letters.width("t", 12) * letters.SHIFT_SIZE)


def test_large_display_type_stands_closer_and_text_does_not():
    display = letters.face(600, display=True)
    assert letters.spacing(26, display) == pytest.approx(-0.2)
    assert letters.spacing(56, display) == pytest.approx(-1)
    assert letters.spacing(176, display) == pytest.approx(-176 / 56)
    assert letters.spacing(56, letters.face(600)) == 0


def test_the_weight_drawn_is_the_one_asked_for_or_the_next_heavier():
    assert letters.face(650) == (letters.TEXT, 700, False)
    assert letters.face(400, display=True) == (letters.DISPLAY, 500, False)
    assert letters.face(700, mono=True) == (letters.MONO, 600, False)
    assert letters.face(700, italic=True) == (letters.TEXT, 600, True)
    assert letters.face(500, mono=True, italic=True) == (letters.MONO, 500, False)


@pytest.mark.parametrize("max_width", [90, 200, 400, 2000])
def test_wrapped_lines_fit_and_lose_no_word(max_width):
    text = "Channel 7 of `conv2` answers {most strongly of all}, **5.21**, at row 3."
    lines = letters.wrap(text, 17, max_width, 500)
    assert all(letters.width(rich(line), 17, 500) <= max_width for line in lines)
    told = " ".join("".join(run.text for run in rich(line)) for line in lines)
    assert told == "Channel 7 of conv2 answers most strongly of all, 5.21, at row 3."
    accented = " ".join(run.text for line in lines for run in rich(line) if run.color)
    assert accented == "most strongly of all"
    assert (len(lines) == 1) is (max_width == 2000)


def test_lines_in_which_nothing_is_markup_say_what_was_handed_over():
    text = "carried on to max_pool2d and *all* `its` {{channels}} of _h_ \\ c"
    lines = letters.plain_lines(text, 13, 120)
    assert len(lines) > 2
    assert " ".join(lines) == text
    assert all(letters.width(plain(line), 13, 400) <= 120 for line in lines)


def test_runs_are_wrapped_to_runs_and_a_word_too_wide_stands_alone():
    lines = letters.wrap((Run("an "), Run("unbreakable", weight=600), Run(" word")), 17, 30)
    assert [[run.text for run in line] for line in lines] == [["an"], ["unbreakable"], ["word"]]
    assert letters.wrap("", 17, 30) == ("",)


def test_a_number_keeps_its_percent_sign_and_a_shape_stays_together():
    for width in range(30, 200, 7):
        for line in letters.wrap("it says 77.0 % here and 6 × 28 × 28 there", 13, width):
            words = line.split()
            assert words[0] not in ("%", "×")
            assert words[-1] not in ("77.0", "×", "6")


@pytest.mark.parametrize("text", [
    "plain", "**strong** and `mono`", "{accent} then _italic_", r"a \* b \_ c \{d\}", "`conv2_1`", "x_1 stays",
])
def test_marked_text_reads_back_as_the_same_runs(text):
    assert rich(letters.marked(rich(text))) == rich(text)


def test_signs_without_ink_have_no_width():
    assert letters.width("\u20615.2\u2062", 13) == letters.width("5.2", 13)
    assert letters.width("e\u0301", 13) == letters.width("e", 13)


def test_elided_words_fit_and_end_in_three_dots():
    words = "a_long_layer_name.with.parts"
    short = letters.elide(words, 13, 90, 600, mono=True)
    assert short.endswith("…")
    assert words.startswith(short[:-1])
    assert letters.fits(short, 13, 90, 600, mono=True)
    assert not letters.fits(words, 13, 90, 600, mono=True)
    assert letters.elide("short", 13, 90) == "short"


def test_an_unknown_character_has_a_width():
    assert letters.width("字", 10) == 10
    assert letters.width("\u0301", 10) == 0
