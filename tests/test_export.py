"""What is written reopens: the right size, real words, rectangles for cells, the State, and the same bytes twice."""

import io
import re
import struct
import zlib
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image as Pillow
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer

from tests.toys import toy
from visualizer import export, paint
from visualizer.scene import state
from visualizer.scene.picture import Focus, Image, Line, Path, Picture, Rect, Run, Text, plain, rich
from visualizer.trace import Refused

CAPTION = "Channel 7 answers “5.21” & −0.38, at <row> 3."
STATE = state.to_json(state.changed(state.State(), view="network", at="conv2.forward@0.5",
                                    focus=Focus("conv2", (7, 3, 5)), sample="a <b> & \"c\" ∥ é.png"))
SUFFIXES = (".png", ".svg", ".pdf")
SVG = "{http://www.w3.org/2000/svg}"


def wave(tiles, rows, columns):
    tile, row, column = np.ogrid[:tiles, :rows, :columns]
    return ((tile * 37 + row * row * 5 + column * 11) % 255 + 1).astype(np.uint8)


def picture(theme="light"):
    hatched = np.zeros((2, 6, 6), bool)
    hatched[1, 2:4] = True
    return Picture((356, 240), (
        Text(12, 24, rich("Channel 7 of `conv2` answers {5.21}, not −0.38."), 14, 500),
        Image(12, 40, (5, 5), wave(4, 9, 9), columns=2, pitch=(52, 52)),
        Image(130, 40, (8, 8), wave(2, 6, 6), "weight", columns=2, pitch=(56, 0), hatched=hatched),
        Rect(250, 40, 40, 30, "tint", "accent", 2, radius=8), Rect(300, 40, 40, 30, "hatch", "rule", inside=True),
        Line(((130, 110), (340, 110)), "hair"), Line(((130, 120), (200, 140), (340, 118)), "gradient-line", 1.5),
        Path((((130, 160), (200, 160), (270, 200), (340, 200)),), stroke="accent", width=1.5),
        Text(340, 228, (Run("1,234 × 10"), Run("−6", shift="super"), Run(" ∥x"), Run("t", shift="sub"), Run("∥")), 13,
             anchor="end"),
    ), theme=theme, caption=CAPTION)


def as_pixels(image):
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_picture_gives_the_same_bytes_and_carries_its_state(suffix, tmp_path):
    one = picture().save(tmp_path / f"one{suffix}", state_json=STATE)
    two = picture().save(tmp_path / f"two{suffix.upper()}", state_json=STATE)
    assert one.read_bytes() == two.read_bytes()
    assert export.state_in(one) == STATE
    assert state.from_json(export.state_in(one)) == state.from_json(STATE)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_without_a_state_there_is_none_to_find(suffix, tmp_path):
    assert export.state_in(picture().save(tmp_path / f"plain{suffix}")) is None


# --- PNG ------------------------------------------------------------------------------------------------------------

def test_a_png_reopens_with_the_painted_pixels_and_its_caption(tmp_path):
    path = picture().save(tmp_path / "a.png", scale=2)
    with Pillow.open(path) as image:
        assert image.size == (712, 480)
        assert image.mode == "RGB"
        assert image.text["Description"] == CAPTION
        assert image.info["dpi"] == pytest.approx((192, 192), abs=0.05)
        assert np.array_equal(np.array(image), as_pixels(paint.render(picture(), 2))[..., :3])


def test_a_png_on_paper_has_its_size_in_millimetres(tmp_path):
    with Pillow.open(picture().save(tmp_path / "a.png", mm=(89, 60), dpi=300)) as image:
        assert image.size == (1051, 709)
        assert image.size[0] / image.info["dpi"][0] * 25.4 == pytest.approx(89, abs=0.1)
        assert image.size[1] / image.info["dpi"][1] * 25.4 == pytest.approx(60, abs=0.1)


def test_a_png_of_another_shape_has_the_picture_in_the_middle(tmp_path):
    dark = Picture((100, 100), (Rect(0, 0, 100, 100, "accent"),), theme="dark")
    with Pillow.open(dark.save(tmp_path / "a.png", mm=(50.8, 25.4), dpi=100)) as image:
        pixels = np.array(image)
    accent, stage = (0x2C, 0xCF, 0xBE), (0x14, 0x18, 0x1C)
    assert tuple(pixels[50, 100]) == accent
    assert tuple(pixels[50, 20]) == tuple(pixels[50, 180]) == stage
    assert np.count_nonzero(np.all(pixels == accent, axis=-1)) == pytest.approx(100 * 100, rel=0.02)


def test_a_transparent_png_has_only_its_marks(tmp_path):
    with Pillow.open(picture().save(tmp_path / "a.png", transparent=True)) as image:
        pixels = np.array(image)
    assert image.mode == "RGBA"
    assert pixels[5, 5, 3] == 0
    assert pixels[55, 270, 3] == 255  # inside the tinted rectangle


# --- SVG ------------------------------------------------------------------------------------------------------------

def test_an_svg_has_its_size_in_millimetres_and_says_what_it_shows(tmp_path):
    root = ElementTree.fromstring(picture().save(tmp_path / "a.svg", mm=(89, 60), state_json=STATE).read_bytes())
    assert (root.get("width"), root.get("height")) == ("89mm", "60mm")
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (left + width / 2, top + height / 2) == pytest.approx((178, 120), abs=1e-3)  # the picture's middle
    assert width / height == pytest.approx(89 / 60, rel=1e-4)
    assert width >= 356
    assert height >= 240
    assert root.find(f"{SVG}desc").text == CAPTION


def test_the_background_of_an_svg_fills_its_page_and_a_transparent_one_has_none(tmp_path):
    path = picture("dark").save(tmp_path / "a.svg", mm=(100, 60))
    root = ElementTree.fromstring(path.read_bytes())
    first = next(root.iter(f"{SVG}rect"))
    box = [float(number) for number in root.get("viewBox").split()]
    assert [float(first.get(name)) for name in ("x", "y", "width", "height")] == pytest.approx(box, abs=1e-3)
    assert first.get("fill") == "#14181c"
    root = ElementTree.fromstring(picture("dark").save(path, transparent=True).read_bytes())
    assert "#14181c" not in [rect.get("fill") for rect in root.iter(f"{SVG}rect")]


def test_words_in_an_svg_are_words_that_name_their_font_and_what_may_stand_in_for_it(tmp_path):
    root = ElementTree.fromstring(picture().save(tmp_path / "a.svg").read_bytes())
    texts = list(root.iter(f"{SVG}text"))
    told = "".join(text.text for text in texts)
    assert "Channel 7 of conv2 answers 5.21, not −0.38." in told
    assert "1,234 × 10−6 ∥xt∥" in told
    families = {text.text: text.get("font-family") for text in texts}
    assert families["conv2"].startswith("'JetBrains Mono'")
    assert families["conv2"].endswith("monospace")
    assert families["5.21"].startswith("'Inter'")
    assert families["5.21"].endswith("sans-serif")
    sizes = {text.text: (text.get("font-size"), text.get("font-weight")) for text in texts}
    assert sizes["5.21"] == ("14", "600")


def test_cells_of_an_svg_are_rectangles_where_the_values_are(tmp_path):
    values = wave(1, 5, 7)
    one = Picture((60, 40), (Image(10, 8, (4, 3), values, border=""),))
    root = ElementTree.fromstring(one.save(tmp_path / "a.svg").read_bytes())
    assert root.find(f".//{SVG}image") is None
    found = {}
    for rect in root.iter(f"{SVG}rect"):
        found[float(rect.get("x")), float(rect.get("y"))] = rect.get("fill")
    from visualizer.scene import colour

    table = colour.theme("light").palettes["activation"]
    for row in range(5):
        for column in range(7):
            if column and values[0, row, column] == values[0, row, column - 1]:
                continue
            assert found[10 + 4 * column, 8 + 3 * row] == "#{:02x}{:02x}{:02x}".format(*table[values[0, row, column]])


def test_very_many_cells_become_one_enlarged_image(tmp_path):
    rng = np.random.default_rng(0)
    many = Picture((300, 300), (Image(0, 0, (3, 3), rng.integers(1, 255, (1, 100, 100), np.uint8), border=""),))
    root = ElementTree.fromstring(many.save(tmp_path / "a.svg").read_bytes())
    assert len(list(root.iter(f"{SVG}image"))) == 1
    assert len(list(root.iter(f"{SVG}rect"))) == 1
    assert np.abs(redrawn(many, tmp_path, 1.0)[1:-1, 1:-1].astype(int)
                  - as_pixels(paint.render(many))[1:-1, 1:-1, :3]).mean() < 1.5


def redrawn(shown, tmp_path, scale, **options):
    """What another program makes of the SVG: Qt's SVG reader, which shares no code with the painter."""
    renderer = QSvgRenderer(QByteArray(shown.save(tmp_path / "again.svg", **options).read_bytes()))
    assert renderer.isValid()
    image = QImage(round(shown.size[0] * scale), round(shown.size[1] * scale), QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    with paint.painting(image) as painter:
        renderer.render(painter)
    return as_pixels(image)[..., :3]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_svg_looks_like_the_picture_when_another_program_draws_it(theme, tmp_path):
    wordless = replace(picture(theme), still=tuple(mark for mark in picture().still if not isinstance(mark, Text)))
    ours = as_pixels(paint.render(wordless, 2))[..., :3].astype(int)
    theirs = redrawn(wordless, tmp_path, 2.0).astype(int)
    far = np.abs(ours - theirs).max(axis=-1) > 48
    assert far.mean() < 0.01
    assert np.abs(ours - theirs).mean() < 1.0
    with_words = redrawn(picture(theme), tmp_path, 2.0).astype(int)
    assert np.abs(with_words[:60] - theirs[:60]).mean() > 3  # and the words are seen, too


def test_a_hostile_caption_cannot_break_out_of_an_svg(tmp_path):
    wicked = replace(picture(), caption="</desc><script>alert(1)</script>\x00\x08", still=(
        Text(5, 20, plain('</text><script>"&amp;'), 12),))
    text = wicked.save(tmp_path / "a.svg", state_json="</metadata><script/>").read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert not [item for item in root.iter() if "script" in item.tag]
    assert export.state_in(tmp_path / "a.svg") == "</metadata><script/>"


# --- PDF ------------------------------------------------------------------------------------------------------------

def pdf_text(data):
    """The words of a PDF in the order in which they are drawn, by the fonts' own tables of characters."""
    objects = dict(re.findall(rb"(?<=\n)(\d+) 0 obj\n(.*?)\nendobj", data, re.DOTALL))
    tables = {}
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", b"".join(objects.values())):
        table = re.search(rb"/ToUnicode (\d+) 0 R", objects[number])
        tables[name] = _table(objects[table[1]])
    words = []
    for body in objects.values():
        stream = re.search(rb"stream\n(.*?)\n?endstream", body, re.DOTALL)
        if not stream or b"FlateDecode" not in body:
            continue
        content = zlib.decompressobj().decompress(stream[1])
        if b" Tf" not in content:
            continue
        table = {}
        for font, glyphs in re.findall(rb"/(F\d+) [\d.]+ Tf|<([0-9A-F]+)> Tj", content):
            if font:
                table = tables[font]
            words += [table.get(int(glyphs[at:at + 4], 16), "?") for at in range(0, len(glyphs), 4)]
    return "".join(words)


def _table(body):
    table = {}
    for first, last, plain_, listed in re.findall(rb"<(\w{4})> <(\w{4})> (?:<(\w{4})>|\[([^\]]*)\])", body):
        codes = re.findall(rb"<(\w{4})>", listed) if listed else [plain_]
        for index, glyph in enumerate(range(int(first, 16), int(last, 16) + 1)):
            code = codes[index] if listed else b"%04X" % (int(plain_, 16) + index)
            table[glyph] = chr(int(code, 16))
    return table


def test_a_pdf_holds_real_words_and_figures_and_the_fonts_they_are_drawn_in(tmp_path):
    data = picture().save(tmp_path / "a.pdf").read_bytes()
    told = pdf_text(data)
    assert "Channel 7 of conv2 answers 5.21, not −0.38." in told
    assert "1,234 × 10−6 ∥xt∥" in told
    assert {b"Inter-Medium", b"JetBrainsMono-Medium"} <= set(re.findall(rb"/BaseFont /(\S+)", data))


def test_a_pdf_page_has_its_size_in_millimetres_and_no_date_of_its_own(tmp_path):
    data = picture().save(tmp_path / "a.pdf", mm=(89, 60)).read_bytes()
    box = [float(number) for number in re.search(rb"/MediaBox \[([^\]]*)\]", data)[1].split()]
    assert [length / 72 * 25.4 for length in box] == pytest.approx([0, 0, 89, 60], abs=0.001)
    assert set(re.findall(rb"\(D:(\d{14})", data)) == {b"20000101000000"}
    assert CAPTION.encode("utf-16-be")[:20] in data  # the title
    usual = picture().save(tmp_path / "b.pdf").read_bytes()
    box = [float(number) for number in re.search(rb"/MediaBox \[([^\]]*)\]", usual)[1].split()]
    assert box[2:] == pytest.approx([356 * 0.75, 240 * 0.75], abs=0.001)


def test_a_pdf_is_whole_and_loses_no_colour_to_compression(tmp_path):
    rng = np.random.default_rng(0)
    many = Picture((300, 300), (Image(0, 0, (3, 3), rng.integers(1, 255, (1, 100, 100), np.uint8)),))
    data = many.save(tmp_path / "a.pdf").read_bytes()
    assert b"DCTDecode" not in data
    assert b"/Subtype /Image" in data
    start = int(re.search(rb"startxref\n(\d+)", data)[1])
    assert data[start:start + 4] == b"xref"
    for number, offset in enumerate(re.findall(rb"(\d{10}) 00000 n", data[start:]), 1):
        assert data[int(offset):].startswith(b"%d 0 obj" % number)


# --- hostile and broken files ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_holds_no_state_and_raises_nothing(suffix, tmp_path):
    whole = picture().save(tmp_path / f"a{suffix}", state_json=STATE).read_bytes()
    path = tmp_path / f"damaged{suffix}"
    rng = np.random.default_rng(1)
    for cut in rng.integers(0, len(whole), 40):
        path.write_bytes(whole[:cut])
        assert export.state_in(path) in (None, STATE)
    for _ in range(60):
        changed = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 4000), 20):
            changed[at] = rng.integers(0, 256)
        path.write_bytes(bytes(changed))
        found = export.state_in(path)
        assert found is None or isinstance(found, str)


def test_entities_are_not_expanded_and_files_are_not_followed(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text('<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
                    '<!ENTITY f SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">'
                    '<metadata id="visualizer-state">&b;&f;</metadata></svg>')
    assert export.state_in(path) is None


def chunk(kind, body):
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_text_chunk_that_unpacks_to_too_much_is_left_alone(tmp_path):
    bomb = zlib.compress(b"a" * (64 << 20))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", b"visualizer-state\0\0" + bomb)
                     + chunk(b"iTXt", b"visualizer-state\0\1\0\0\0" + bomb))
    assert export.state_in(path) is None
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", b"visualizer-state\0\0" + zlib.compress(b"{}")))
    assert export.state_in(path) == "{}"


def test_a_state_survives_another_program_that_writes_the_png_anew(tmp_path):
    from PIL import PngImagePlugin

    path = picture().save(tmp_path / "a.png", state_json=STATE)
    again = io.BytesIO()
    with Pillow.open(path) as image:
        text = PngImagePlugin.PngInfo()
        text.add_itxt("visualizer-state", image.text["visualizer-state"], zip=True)
        image.save(again, "PNG", pnginfo=text)
    path.write_bytes(again.getvalue())
    assert export.state_in(path) == STATE


def test_other_files_hold_no_state(tmp_path):
    for name, data in (("empty.png", b""), ("a.txt", b"hello"), ("a.bin", bytes(range(256)))):
        (tmp_path / name).write_bytes(data)
        assert export.state_in(tmp_path / name) is None
    assert export.state_in(tmp_path / "missing.png") is None
    assert export.state_in(tmp_path) is None


# --- asking for it --------------------------------------------------------------------------------------------------

def test_every_format_is_found_and_says_what_it_is():
    found = {item.name: item for item in export.formats()}
    assert {"png", "svg", "pdf"} <= found.keys()
    suffixes = [suffix for item in found.values() for suffix in item.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(item.title for item in found.values())


def test_an_unknown_ending_or_a_missing_folder_is_refused_with_one_sentence(tmp_path):
    with pytest.raises(LookupError, match=r"cannot be written as '\.jpg'; .* \.pdf, \.png, \.svg\."):
        picture().save(tmp_path / "a.jpg")
    with pytest.raises(LookupError, match="cannot be written as 'noending'"):
        picture().save(tmp_path / "noending")
    with pytest.raises(Refused, match="There is no folder"):
        picture().save(tmp_path / "nowhere" / "a.png")
    for wrong in ({"scale": 0}, {"scale": -1}, {"dpi": 0}, {"mm": (0, 5)}, {"scale": float("nan")}):
        with pytest.raises(Refused, match="give a number above 0"):
            picture().save(tmp_path / "a.png", **wrong)
    with pytest.raises(Refused, match="too large"):
        picture().save(tmp_path / "a.png", scale=1000)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_old_file_whole(tmp_path):
    path = picture().save(tmp_path / "a.png")
    before = path.read_bytes()
    with pytest.raises(LookupError):
        replace(picture(), still=(Rect(0, 0, 5, 5, "nonsense"),)).save(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


def test_draw_makes_the_picture_of_a_view_a_moment_and_a_focus():
    drawn = export.draw(toy(), at="conv.forward", focus="conv:1", theme="dark", size=(1000, 700))
    assert drawn.theme == "dark"
    assert drawn.size == (1000, 700)
    same = export.draw(toy(), at="conv", focus=Focus("conv", (1,)), theme="dark", size=(1000, 700))
    assert drawn.dump() == same.dump()
    for other in ({"at": "relu"}, {"focus": "conv:0"}, {"size": (1100, 700)}):
        chosen = {"at": "conv", "focus": "conv:1", "theme": "dark", "size": (1000, 700)} | other
        assert drawn.dump() != export.draw(toy(), **chosen).dump()
    assert drawn.caption


@pytest.mark.parametrize(("wrong", "error", "words"), [
    ({"view": "nonsense"}, LookupError, "no view"),
    ({"theme": "neon"}, LookupError, "no theme"),
    ({"at": "conv9.forward"}, LookupError, "no moment"),
    ({"focus": "conv9:1"}, LookupError, "no layer 'conv9'; choose one of input, conv"),
    ({"focus": "conv:one"}, LookupError, "is no cell"),
    ({"focus": "conv:1/nothing"}, LookupError, "no part 'nothing'"),
    ({"focus": "conv:9"}, IndexError, "no cell 9; it has 0…1, 0…5, 0…5"),
    ({"focus": "conv:-1"}, IndexError, "no cell -1"),
    ({"knob_that_is_none": "5"}, LookupError, "no knob 'knob_that_is_none'"),
])
def test_what_does_not_exist_is_refused_with_one_sentence(wrong, error, words):
    with pytest.raises(error, match=words):
        export.draw(toy(), **wrong)


def test_a_focus_is_written_as_it_is_read():
    trace = toy()
    assert export.parse_focus(trace, "conv:1,2,3") == Focus("conv", (1, 2, 3))
    assert export.parse_focus(trace, "conv") == Focus("conv")
    assert export.parse_focus(trace, "conv:0,0,1,1/weight") == Focus("conv", (0, 0, 1, 1), "weight")
    assert export.parse_focus(trace, "") is None
