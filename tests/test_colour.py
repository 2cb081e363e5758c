"""Colours mean what they say: zero is white, ends stay apart for everyone, text can be read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.scene import colour

STRONG = ("contrast-light", "contrast-dark", "contrast-projector")
THEMES = ("light", "dark", "projector", *STRONG)
DIVERGING, SEQUENTIAL = ("activation", "weight"), ("gradient", "pixel")

# Machado, Oliveira, Fernandes 2009, deuteranopia, severity 1.0: applied to linear light.
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                         [-0.011820, 0.042940, 0.968881]])


def linear(rgb):
    share = np.asarray(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def cielab(light):
    """CIELAB of linear sRGB, white point D65 (IEC 61966-2-1, CIE 15)."""
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])
    share = light @ to_xyz.T / (0.95047, 1.0, 1.08883)
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1]),
                     200 * (root[..., 1] - root[..., 2])], axis=-1)


def test_every_theme_is_found_and_has_the_same_names():
    assert set(THEMES) <= set(colour.names())
    for name in THEMES:
        assert colour.theme(name).tokens.keys() == colour.theme("light").tokens.keys()
        assert colour.theme(name).palettes.keys() == colour.theme("light").palettes.keys()


def test_an_unknown_theme_or_colour_is_refused_with_one_sentence():
    with pytest.raises(LookupError, match="no theme 'neon'; choose one of contrast-dark, "):
        colour.theme("neon")
    with pytest.raises(LookupError, match=r"no theme '\.\./light'"):
        colour.theme("../light")
    for wrong in ("inc", "activation:256", "activation:-1", "activation:", "nothing:3", ""):
        with pytest.raises(LookupError, match="has no colour"):
            colour.resolve("light", wrong)


@pytest.mark.parametrize("name", THEMES)
def test_zero_is_the_middle_of_a_diverging_table_and_the_start_of_a_sequential_one(name):
    surface = [28, 33, 39] if "dark" in name else [255, 255, 255]
    for palette in DIVERGING:
        for cut in (palette, f"{palette}-pale"):
            table = colour.theme(name).palettes[cut]
            assert table.shape == (256, 3)
            assert table[colour.ZERO].tolist() == surface
            assert table[0].tolist() == table[1].tolist()
    for palette in (*SEQUENTIAL, "gradient-pale"):
        assert colour.theme(name).palettes[palette][0].tolist() == surface


def test_the_ends_are_the_stops_of_the_theme():
    light, dark = colour.theme("light").palettes, colour.theme("dark").palettes
    assert colour.resolve("light", "activation:1") == (0x8F, 0x1D, 0x12, 255)
    assert light["activation"][255].tolist() == [0x1C, 0x45, 0x9F]
    assert light["weight"][1].tolist() == [0x5B, 0x1F, 0x85]
    assert dark["gradient"][255].tolist() == [0xFF, 0xF0, 0xCF]
    assert dark["pixel"][255].tolist() == [0xF7, 0xF9, 0xFB]


@pytest.mark.parametrize("name", THEMES)
def test_lightness_goes_one_way_in_a_sequential_table_and_from_zero_outwards_in_a_diverging_one(name):
    direction = 1 if "dark" in name else -1
    tables = colour.theme(name).palettes
    for palette in (*SEQUENTIAL, "gradient-pale"):
        lightness = cielab(linear(tables[palette]))[:, 0]
        assert np.all(direction * np.diff(lightness) > -0.25), palette  # a byte of rounding
        assert direction * (lightness[-1] - lightness[0]) > 20
    for palette in DIVERGING:
        lightness = cielab(linear(tables[palette]))[:, 0]
        assert np.all(direction * np.diff(lightness[colour.ZERO:]) > -0.25), palette
        assert np.all(direction * np.diff(lightness[1:colour.ZERO + 1]) < 0.25), palette


@pytest.mark.parametrize(("name", "palette", "ends", "half"), [
    ("light", "activation", 95, 70), ("light", "weight", 68, 48),
    ("dark", "activation", 64, 97), ("dark", "weight", 48, 66),
])
def test_the_two_signs_stay_apart_for_a_deuteranope(name, palette, ends, half):
    seen = cielab(np.clip(linear(colour.theme(name).palettes[palette]) @ DEUTERANOPIA.T, 0, 1))
    assert np.linalg.norm(seen[1] - seen[255]) == pytest.approx(ends, abs=3)
    assert np.linalg.norm(seen[64] - seen[192]) == pytest.approx(half, abs=3)


TEXTS = ("ink", "ink-2", "accent-ink", "positive-text", "negative-text", "weight-positive-text",
         "weight-negative-text", "gradient-text")


@pytest.mark.parametrize("name", THEMES)
def test_text_has_seven_to_one_on_what_it_stands_on(name):
    def ratio(text, surface):
        return colour.contrast(colour.resolve(name, text), colour.resolve(name, surface))

    for text in TEXTS:
        for surface in ("stage", "window", "raised", "wedge"):
            assert ratio(text, surface) >= 7, (text, surface)
    for text in ("ink", "ink-2"):
        assert ratio(text, "sunk") >= 7
    for text in ("ink", "accent-ink"):
        assert ratio(text, "tint") >= 7
    assert ratio("on-accent", "accent-fill") >= 7
    assert ratio("ink", "alarm") >= 7
    assert ratio("ink", "dim") >= 7


LINES = ("hair", "rule", "edge", "accent", "positive-bar", "negative-bar", "gradient-mark", "gradient-line", "hatch",
         "pen", "series-rnn", "series-gru", "series-lstm")
"""What is drawn in these is no word, and has to be seen."""


@pytest.mark.parametrize("name", STRONG)
def test_high_contrast_leaves_no_line_faint(name):
    for surface in ("stage", "window", "raised", "wedge", "sunk"):
        ground = colour.resolve(name, surface)
        for line in LINES:
            assert colour.contrast(colour.resolve(name, line), ground) >= 4.5, (line, surface)
        *border, opacity = colour.resolve(name, "tile-border")
        share = opacity / 255
        seen = [round(one * share + under * (1 - share)) for one, under in zip(border, ground[:3], strict=True)]
        assert colour.contrast((*seen, 255), ground) >= 4.5, surface


@pytest.mark.parametrize("name", STRONG)
def test_high_contrast_is_nowhere_less_than_usual(name):
    usual = colour.strong(name, False)
    for token in (*TEXTS, *LINES):
        assert colour.contrast(colour.resolve(name, token), colour.resolve(name, "stage")) >= \
            colour.contrast(colour.resolve(usual, token), colour.resolve(usual, "stage")), token


def test_every_theme_has_a_variant_of_high_contrast_and_the_way_back():
    for name in ("light", "dark", "projector"):
        assert colour.strong(name, True) == f"contrast-{name}"
        assert colour.strong(f"contrast-{name}", True) == f"contrast-{name}"
        assert colour.strong(f"contrast-{name}", False) == colour.strong(name, False) == name
    assert colour.strong("sepia", True) == "sepia", "a theme of somebody's own has none"


def test_contrast_is_that_of_the_standard():
    assert colour.contrast((0, 0, 0, 255), (255, 255, 255, 255)) == pytest.approx(21)
    assert colour.contrast((119, 119, 119, 255), (255, 255, 255, 255)) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("palette", ["activation-pale", "weight-pale", "gradient-pale"])
def test_ink_can_be_read_on_every_cell_that_prints_a_number(name, palette):
    ink = colour.resolve(name, "ink")
    ratios = [colour.contrast(ink, colour.resolve(name, f"{palette}:{entry}")) for entry in range(256)]
    assert min(ratios) >= 7
    whole = colour.theme(name).palettes[palette.removesuffix("-pale")]
    assert not np.array_equal(whole, colour.theme(name).palettes[palette])


@pytest.mark.parametrize("name", THEMES)
def test_a_sign_on_any_cell_has_three_to_one(name):
    for palette in (*DIVERGING, *SEQUENTIAL):
        for entry in range(256):
            cell = f"{palette}:{entry}"
            token = colour.ink_on(cell, name)
            assert colour.contrast(colour.resolve(name, token), colour.resolve(name, cell)) >= 3


def test_signed_numbers_are_symmetric_about_an_exact_zero():
    values = np.array([-2, -1, -0.0, 0, 1, 2, 5])
    assert colour.signed(values, 2).tolist() == [1, 64, 128, 128, 192, 255, 255]
    assert colour.signed([3, -3], 0).tolist() == [128, 128]
    assert colour.signed(np.zeros((2, 3), np.float32), 1).shape == (2, 3)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.floats(1e-300, 1e300))
def test_turning_the_sign_mirrors_the_entry(values, largest):
    entries = colour.signed(values, largest).astype(int)
    turned = colour.signed([-value for value in values], largest).astype(int)
    assert np.array_equal(entries - 128, 128 - turned)
    assert entries.min() >= 1
    assert np.all((entries > 128) <= (np.array(values) > 0))


def test_sizes_are_logarithmic_and_what_is_below_the_floor_is_entry_zero():
    values = [0, 9.99e-4, 1e-3, 1e-2, -1e-1, 1, 7]
    assert colour.magnitude(values, 1e-3, 1).tolist() == [0, 0, 1, 86, 170, 255, 255]
    assert colour.magnitude([0, 1e-5, 1], 1e-3, 1e-3).tolist() == [0, 0, 255]
    with pytest.raises(ValueError, match="floor above 0"):
        colour.magnitude([1.0], 0, 1)


def test_a_share_goes_from_low_to_high():
    assert colour.unit([0, 0.5, 1, 2, -1]).tolist() == [0, 128, 255, 255, 0]
    assert colour.unit([-1, 0, 1], -1, 1).tolist() == [0, 128, 255]
    assert colour.unit([5, 5], 5, 5).tolist() == [0, 0]


def test_unknown_numbers_are_reported_and_take_no_colour_of_a_known_one():
    values = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    assert colour.unknown(values).tolist() == [True, True, True, False]
    none = colour.UNKNOWN
    assert colour.signed(values, 1).tolist() == [none, none, none, 255]
    assert colour.magnitude(values, 0.1, 1).tolist() == [none, none, none, 255]
    assert colour.unit(values).tolist() == [none, none, none, 255]
    assert colour.unit([np.nan, 0.0], -1, 1).tolist() == [none, 128]
    assert colour.unit([0.5, 0.0]).dtype == np.uint8  # a byte each where all are known


def test_tables_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        colour.theme("light").palettes["activation"][0] = 0


def test_a_projector_shows_thick_hatching_on_a_white_window():
    light, projector = colour.theme("light"), colour.theme("projector")
    assert (projector.hatch_width, projector.hatch_pitch) == (2.5, 11)
    assert (light.hatch_width, light.hatch_pitch) == (1, 5)
    differing = {name for name in light.tokens if light.tokens[name] != projector.tokens[name]}
    assert differing == {"window"}
