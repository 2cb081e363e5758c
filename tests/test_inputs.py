"""Samples: digits come back as MNIST made them, image files of every kind become digits or strips, words become what
they mean to a model, and whatever is something else is refused."""

from __future__ import annotations

import ast
import subprocess
import sys
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.sources import nodes
from visualizer import inputs
from visualizer.inputs import _digits, _files, audio, sequence
from visualizer.trace import Refused, Sample

ROOT = Path(__file__).resolve().parent.parent
FOUR = "digit-2148"
KINDS = ("image", "strip", "text", "name", "sentence", "sequence")
OF_SOME = ("audio", "pictures", "video")
"""Kinds of which each bundled sample is meant for some of the models that read them."""
"""Those that come with samples."""


def quarter() -> list[Sample]:
    """100 of the shipped digits, ten of each class or near it."""
    return list(inputs.all_samples("image")[::4])


def assert_one_sentence(error: BaseException) -> None:
    words = str(error)
    assert words.endswith(".")
    assert ". " not in words
    assert "\n" not in words


def far(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference, in grey levels."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def answers(images: list[np.ndarray]) -> np.ndarray:
    torch = pytest.importorskip("torch")
    from visualizer.record import open_model

    opened = open_model("digits_cnn")
    with torch.inference_mode():
        return opened.module(torch.cat([opened.prepare(image) for image in images])).argmax(1).numpy()


# --- the bundled digits ---------------------------------------------------------------------------------------------

def test_bundled_samples_have_names_titles_labels_and_pictures() -> None:
    found = inputs.all_samples("image")
    assert len(found) == 400
    assert (found[0].name, found[0].title, found[0].label) == (FOUR, "Digit 2148", 4)
    assert len({sample.name for sample in found}) == 400
    image = inputs.raw(FOUR)
    assert (image.shape, image.dtype, image.min(), image.max()) == ((28, 28), np.dtype("uint8"), 0, 255)
    assert not image.flags.writeable
    assert len({inputs.raw(sample.name).tobytes() for sample in found}) == 400


def test_each_tile_of_the_sheet_belongs_to_its_name() -> None:
    with Image.open(ROOT / "assets" / "samples" / "mnist_digits.png") as sheet:
        whole = np.array(sheet)
    for index in (0, 19, 20, 207, 399):
        row, column = divmod(index, 20)
        tile = whole[row * 28:row * 28 + 28, column * 28:column * 28 + 28]
        assert np.array_equal(inputs.raw(inputs.all_samples("image")[index].name), tile)


def test_an_unknown_sample_is_an_error_that_names_one() -> None:
    for call in (inputs.raw, inputs.sample):
        with pytest.raises(LookupError, match=r"There is no sample 'digit-x'.*digit-2148"):
            call("digit-x")


def test_samples_need_neither_torch_nor_qt() -> None:
    code = ("import sys; from visualizer import inputs; inputs.drawn(inputs.raw('digit-2148') * 1.0, 'image')\n"
            "print([name for name in ('torch', 'PySide6') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_samples_are_told_apart_by_kind() -> None:
    counts = {kind: len(inputs.all_samples(kind)) for kind in (*KINDS, *OF_SOME, "photo")}
    assert counts == {"image": 400, "strip": 24 + 16, "text": 13, "name": 60 + 24, "sentence": 40 + 16 + 16,
                      "sequence": 12 + 12 + 8 + 3 + 3, "audio": 1 + 20 + 6, "photo": 2,
                      "pictures": 12 + 12 + 12 + 8, "video": 16 + 8}
    everything = inputs.all_samples()
    assert len({sample.name for sample in everything}) == len(everything) == sum(counts.values())
    assert everything[0].name == FOUR


def test_every_sample_is_a_picture_a_text_or_a_table() -> None:
    for kind in (*KINDS, *OF_SOME):
        for sample in inputs.all_samples(kind):
            raw = inputs.raw(sample.name)
            if kind in ("text", "name", "sentence"):
                assert isinstance(raw, str)
                assert raw
                assert inputs.picture(sample.name) is None
            elif kind == "sequence":
                rows, columns = {"sum": (60, 2), "recall": (21, 8), "echo": (13, 4), "sunspots": (77, 1),
                                 "elnino": (183, 1)}[sample.name.partition("-")[0]]
                assert raw.shape[1] == columns
                assert raw.shape[0] == rows or (columns == 1 and raw.shape[0] > rows)  # what is held out, or more
                assert (raw.dtype, raw.flags.writeable) == (np.float64, False)
                assert inputs.picture(sample.name) is None
            elif kind == "audio":
                assert (raw.ndim, raw.dtype) == (1, np.float64)
                assert 0.01 < np.abs(raw).max() <= 1
            elif kind == "video":
                assert raw.shape == (8, 16, 16)
                assert np.array_equal(raw.max(0), inputs.picture(sample.name))
            elif raw.ndim == 3:
                assert raw.shape == (32, 32, 3)
                assert np.array_equal(raw, inputs.picture(sample.name)), "in its colours"
            else:
                assert raw.shape in {"image": [(28, 28)], "strip": [(32, 160), (32, 128)],
                                     "pictures": [(48, 48), (64, 64)]}[kind]
                assert np.array_equal(raw, inputs.picture(sample.name))


def test_titles_say_what_a_sample_is() -> None:
    titles = {sample.name: (sample.title, sample.label) for sample in inputs.all_samples()}
    assert titles["strip-1"] == ("Strip 1: 3 4 1 0 2 6", None)
    assert titles["marked-strip-1"] == ("Marked strip 1: 3 4 I", None)
    assert titles["recall-2"] == ("Recall 2: Bxxzyxxyywyzzzxxyyyzx", 1)
    assert titles["sum-1"] == ("Sum 1: 0.43 + 0.24", None)
    assert titles["sea-change"] == ("Sea change", None)
    assert titles["Bičanić"] == ("Bičanić (Croatian)", 0)
    assert titles["sentence-1"] == ("“a processed comedy chop suey .”", 0)
    assert all(title and len(title) <= 60 for title, _ in titles.values())


# --- what a word means ----------------------------------------------------------------------------------------------

def test_a_word_is_a_sample_of_the_kind_first_and_a_text_otherwise() -> None:
    passage = inputs.given("wonder", "text")
    assert passage.sample == inputs.sample("wonder")
    assert passage.raw == inputs.raw("wonder")
    assert passage.following == "\n"
    typed = inputs.given("wonder", "name")
    assert (typed.raw, typed.sample.name, typed.sample.title) == ("wonder", "text:wonder", "“wonder”")
    assert inputs.given("text:wonder", "text").raw == "wonder"
    assert inputs.given("Hyde", "text").raw == "Hyde"
    assert inputs.given("Hyde", "name").sample.label == 2


def test_what_a_sample_is_called_finds_it_again() -> None:
    for kind, word in (("text", "to be,\nor not"), ("text", "text:text:x"), ("sentence", " a film "),
                       ("strip", "strip:4 0 7"), ("image", FOUR), ("text", "text:a.png")):
        once = inputs.given(word, kind)
        again = inputs.given(once.sample.name, kind)
        assert again.sample == once.sample
        assert np.array_equal(again.raw, once.raw)


def test_no_word_is_the_first_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS:
        assert inputs.given("", kind).sample == inputs.all_samples(kind)[0]
    monkeypatch.setattr(inputs, "all_samples", lambda kind, facts: ())
    with pytest.raises(Refused, match="none comes with the app") as caught:
        inputs.given("", "sequence")
    assert_one_sentence(caught.value)


@pytest.mark.parametrize(("word", "kind", "words"), [
    (FOUR, "text", "reads text, and digit-2148 is a picture; choose one that it reads, for example sea-change"),
    ("strip-1", "sentence", "reads sentences, and strip-1 is a strip of digits"),
    ("four.png", "name", "reads names, and four.png is a picture"),
    ("strip:4 0 7", "text", "reads text, and that is a strip of digits"),
    ("strip:4 0 7", "image", "reads pictures of one digit, and that is a strip"),
    ("strip-1", "image", "reads pictures of one digit, and strip-1 is a strip of digits"),
    (FOUR, "strip", "strips of digits, and digit-2148 is a picture; choose one that it reads, for example strip-1"),
    ("sea-change", "image", "reads pictures of one digit, and sea-change is a text"),
    ("text:to be", "image", "reads pictures of one digit, and that is a text"),
    ("walk.csv", "text", "reads text, and walk.csv is a table of numbers"),
    ("to be", "sequence", "reads tables of numbers, and 'to be' is none; choose one that it reads, for example sum-1"),
    ("sum-1", "text", "reads text, and sum-1 is a table of numbers"),
    ("sum-1", "image", "reads pictures of one digit, and sum-1 is a table of numbers"),
    (FOUR, "sequence", "reads tables of numbers, and digit-2148 is a picture"),
    ("strip:4 x 7", "strip", "'4 x 7' is no row of digits"),
    ("strip:", "strip", "no digit to lay"),
    ("strip:" + "8" * 400, "strip", "columns long; write fewer"),
    ("nothing.txt", "text", "There is no file nothing.txt"),
    ("x" * 10_001, "text", "has 10,001 characters, more than 10,000"),
    ("anything", "sound", "reads 'sound', which cannot be chosen here"),
])
def test_what_a_model_does_not_read_is_refused_in_one_sentence(word: str, kind: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        inputs.given(word, kind)
    assert words in str(caught.value)
    assert_one_sentence(caught.value)


def test_a_name_that_is_nothing_is_unknown() -> None:
    for kind in ("image", "strip"):
        with pytest.raises(LookupError, match="There is no sample 'digit-x'"):
            inputs.given("digit-x", kind)


def test_a_text_file_is_read_as_it_is_but_for_its_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    for content, text in ((b"To be,\r\nor not\r\n", "To be,\nor not"), (b"\xef\xbb\xbfOh", "Oh"), (b"a\n\n", "a\n"),
                          ("Où".encode(), "Où")):
        path.write_bytes(content)
        found = inputs.given(str(path), "text")
        assert found.raw == text
        assert found.sample.name == str(path)
        assert found.sample.title == f"lines.txt, {len(text)} characters"
    path.write_bytes(b"\xff\xfeO\x00")
    with pytest.raises(Refused, match="no text in UTF-8") as caught:
        inputs.given(str(path), "text")
    assert_one_sentence(caught.value)
    path.write_text("x" * 10_001)
    with pytest.raises(Refused, match="10,001 characters"):
        inputs.given(str(path), "text")


# --- strips ---------------------------------------------------------------------------------------------------------

def test_a_composed_strip_is_what_the_model_of_strips_composes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from visualizer.record import catalog

    compose = catalog.source_of("crnn_strip").compose
    strip = inputs.given("strip:4 0 4", "strip")
    assert strip.digits == (4, 0, 4)
    assert strip.sample.title == "Strip of 4 0 4"
    fours = [sample.name for sample in inputs.all_samples("image") if sample.label == 4][:2]
    zero = next(sample.name for sample in inputs.all_samples("image") if sample.label == 0)
    images = [inputs.raw(name) for name in (fours[0], zero, fours[1])]
    widths = [int(np.ptp(np.flatnonzero(image.any(0)))) + 1 for image in images]
    start = (160 - sum(widths) - 6) // 2
    left = [start, start + widths[0] + 3, start + sum(widths[:2]) + 6]
    assert np.array_equal(strip.raw, compose(images, left, [2, 2, 2]))
    assert not strip.raw.flags.writeable
    assert np.array_equal(inputs.given("strip:404", "strip").raw, strip.raw)


def test_a_strip_grows_with_what_is_on_it() -> None:
    long = inputs.given("strip:" + "0123456789" * 3, "strip").raw
    assert len(long) == 32
    assert long.shape[1] > 300
    assert long.shape[1] % 4 == 0
    assert not long[:, :10].any()
    assert not long[:, -10:].any()


def test_strips_from_files_are_read_as_what_is_written_on_them(tmp_path: Path) -> None:
    """Bundled strips as somebody would save them: as they are, and dark on light at three times the size with paper
    all around. The model reads nearly as many of the fitted ones as of its own (of 300 others 94 % and 88 %)."""
    torch = pytest.importorskip("torch")
    from visualizer.record import catalog, open_model

    opened, spell = open_model("crnn_strip"), catalog.source_of("crnn_strip").spell
    read = {"own": 0, "fitted": 0}
    for sample in inputs.all_samples("strip", {}):
        own = inputs.given(sample.name, "strip")
        Image.fromarray(own.raw).save(tmp_path / "own.png")
        paper = np.full((160, 600), 250, np.uint8)
        paper[32:128, 60:540] = 250 - np.kron(own.raw, np.ones((3, 3))) * (230 / 255)
        Image.fromarray(paper).save(tmp_path / "paper.png")
        again = inputs.given(str(tmp_path / "own.png"), "strip")
        assert np.array_equal(again.raw, own.raw)
        assert again.sample.title == "own.png, as it is"
        fitted = inputs.given(str(tmp_path / "paper.png"), "strip")
        assert fitted.sample.title == f"paper.png, inverted and fitted to 32 × {fitted.raw.shape[1]}"
        for name, given in (("own", own), ("fitted", fitted)):
            with torch.inference_mode():
                read[name] += tuple(spell(opened.module(opened.prepare(given.raw))[0])) == own.digits
    assert read["own"] >= 18
    assert read["fitted"] >= read["own"] - 3, read


def test_a_drawing_becomes_what_the_model_reads() -> None:
    ink = np.zeros((50, 200), np.uint8)
    ink[10:40, 60:64] = 255
    ink[10:40, 100:104] = 255
    strip = inputs.drawn(ink, "strip").raw
    rows, columns = np.flatnonzero(strip.any(1)), np.flatnonzero(strip.any(0))
    assert (len(strip), len(rows), rows[0]) == (32, 23, 4)
    assert abs(int(np.ptp(columns)) + 1 - 44 * 23 / 30) <= 1
    own = inputs.raw("strip-3")
    assert inputs.drawn(own, "strip").raw is own
    assert inputs.drawn(inputs.raw(FOUR), "image").raw is not None
    with pytest.raises(Refused, match="a drawing is a picture; type something instead"):
        inputs.drawn(ink, "text")
    for kind in ("image", "strip"):
        with pytest.raises(Refused, match="The drawing is empty"):
            inputs.drawn(np.zeros((40, 40)), kind)
    with pytest.raises(Refused, match="200 times as wide as high; give a shorter line"):
        inputs.drawn(np.ones((2, 400)) * 255, "strip")


# --- tables of numbers ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("content", ["1,2.5\n-3,4e-2\n", "x, y\n1, 2.5\n-3, 4e-2", "1;2.5\r\n-3;4e-2\r\n",
                                     "t\tv\n1\t2.5\n\n-3\t4e-2\n"])
def test_a_table_is_one_row_a_step(content: str, tmp_path: Path) -> None:
    path = tmp_path / "walk.csv"
    path.write_bytes(content.encode())
    assert sequence.sequence(path).tolist() == [[1, 2.5], [-3, 0.04]]
    found = inputs.given(str(path), "sequence", facts={"shape": [None, 2]})
    assert found.sample.title == "walk.csv, 2 steps"
    assert found.raw.dtype == np.float64


@pytest.mark.parametrize(("content", "words"), [
    ("1,2\n3,nan\n", "'nan' in row 2, column 2"), ("1,2\n,4\n", "'nothing' in row 2, column 1"),
    ("a,b\n1,2\n3,four\n", "'four' in row 2, column 2"), ("1,2\n3,inf\n", "'inf' in row 2, column 2"),
    ("1,2\n3\n", "has 1 number in row 2, where the first has 2"), ("", "holds no numbers"), ("x,y\n", "no numbers"),
    ("1\n" * 10_001, "has more than 10,000 rows"),
    ("a,b\n" + "1,2\n" * 10_001, "has more than 10,000 rows"), ("1," * 1_000_001, "holds more than 1,000,000 numbers")])
def test_a_table_with_a_gap_says_where(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "walk.csv"
    path.write_text(content)
    with pytest.raises(Refused) as caught:
        sequence.sequence(path)
    assert words in str(caught.value)
    assert_one_sentence(caught.value)


def test_a_table_for_another_model_says_how_many_numbers_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "walk.csv"
    path.write_text("1,2\n3,4\n")
    with pytest.raises(Refused, match="has 2 numbers in row 1, where the model reads 3; give every step 3") as caught:
        inputs.given(str(path), "sequence", facts={"shape": [None, 3]})
    assert_one_sentence(caught.value)


# --- drawings -------------------------------------------------------------------------------------------------------

def test_centring_leaves_what_mnist_centred_as_it_is() -> None:
    """The rule is MNIST's own: of 400 digits at least 399 come back unchanged to the last bit."""
    same = sum(np.array_equal(_digits.centre_digit(image), image)
               for image in (inputs.raw(sample.name) for sample in inputs.all_samples("image")))
    assert same >= 399


def test_a_digit_pasted_anywhere_comes_back_to_the_middle() -> None:
    for number, sample in enumerate(quarter()):
        image = inputs.raw(sample.name)
        sheet = np.zeros((112, 90), np.uint8)
        top, left = (number * 7) % 84, (number * 13) % 62
        sheet[top:top + 28, left:left + 28] = image
        assert np.array_equal(_digits.centre_digit(sheet), _digits.centre_digit(image))


@pytest.mark.parametrize("times", [2, 4, 10])
def test_a_digit_drawn_larger_comes_back_to_its_size(times: int) -> None:
    """Whole multiples, each pixel a block: area averages give the very same digit back."""
    for sample in quarter():
        image = inputs.raw(sample.name)
        again = _digits.centre_digit(np.kron(image, np.ones((times, times), np.uint8)))
        assert far(again, _digits.centre_digit(image)) < 0.5, sample.name


@pytest.mark.parametrize(("size", "distance"), [((17, 17), 16), ((61, 61), 12), ((150, 150), 12), ((333, 333), 12)])
def test_the_network_still_answers_the_same_after_scaling(size: tuple[int, int], distance: float) -> None:
    """At least 95 of 100 digits, scaled smoothly to any size and pasted off the middle, are answered as before."""
    images = [inputs.raw(sample.name) for sample in quarter()]
    scaled = []
    for number, image in enumerate(images):
        sheet = np.zeros((size[0] * 2, size[1] * 2), np.uint8)
        grown = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        top, left = number % size[0], (number * 3) % size[1]
        sheet[top:top + size[0], left:left + size[1]] = grown
        scaled.append(_digits.centre_digit(sheet))
    assert np.mean(answers(scaled) == answers(images)) >= 0.95
    assert np.median([far(one, other) for one, other in zip(scaled, images, strict=True)]) < distance


def test_strokes_at_every_edge_of_a_sheet_are_kept() -> None:
    for line in (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
        sheet = np.zeros((112, 112), np.uint8)
        sheet[line] = 255
        made = _digits.centre_digit(sheet)
        assert made.max() > 0
        rows, columns = np.flatnonzero(made.max(1)), np.flatnonzero(made.max(0))
        assert max(len(rows), len(columns)) == 20
        assert made[0].max() == made[-1].max() == made[:, 0].max() == made[:, -1].max() == 0


def test_a_single_dot_becomes_a_square_of_twenty_as_the_rule_says() -> None:
    sheet = np.zeros((112, 112), np.uint8)
    sheet[5, 90] = 255
    made = _digits.centre_digit(sheet)
    assert np.array_equal(np.argwhere(made == 255).min(0), [4, 4])
    assert (made == 255).sum() == 400


@pytest.mark.parametrize("sheet", [np.zeros((112, 112), np.uint8), np.zeros((0, 5)), np.full((3, 3), np.nan)])
def test_an_empty_drawing_is_refused_in_one_sentence(sheet: np.ndarray) -> None:
    with pytest.raises(Refused, match="The drawing is empty; draw a digit"):
        _digits.centre_digit(sheet)


def test_a_drawing_has_rows_and_columns() -> None:
    with pytest.raises(ValueError, match="rows and columns"):
        _digits.centre_digit(np.ones((2, 2, 2)))


# --- image files ----------------------------------------------------------------------------------------------------

def test_a_picture_that_is_a_digit_already_is_taken_as_it_is(tmp_path: Path) -> None:
    for sample in quarter()[:20]:
        Image.fromarray(inputs.raw(sample.name)).save(tmp_path / "a.png")
        found, image = _digits.open_image(tmp_path / "a.png")
        assert np.array_equal(image, inputs.raw(sample.name))
        assert found.title == "a.png, as it is"
        assert found.name == str(tmp_path / "a.png")
        assert found.label is None


def on_paper(image: np.ndarray, paper: int = 255, ink: int = 0, size: int = 280) -> np.ndarray:
    """The digit as ink on paper, in the middle of a larger sheet."""
    grown = np.asarray(Image.fromarray(image).resize((size // 2, size // 2), Image.Resampling.BICUBIC)).astype(float)
    sheet = np.zeros((size, size))
    sheet[size // 4:size // 4 + size // 2, size // 4:size // 4 + size // 2] = grown / 255
    return np.clip(paper + (ink - paper) * sheet, 0, 255).astype(np.uint8)


def modes(sheet: np.ndarray) -> dict[str, Image.Image]:
    """One picture of dark ink on light paper in every colour depth."""
    grey = Image.fromarray(sheet)
    clear = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    clear.putalpha(Image.fromarray(255 - sheet))
    white = Image.new("RGBA", grey.size, (255, 255, 255, 0))
    white.putalpha(Image.fromarray(255 - sheet))
    return {
        "grey": grey, "one bit": grey.convert("1"), "RGB": grey.convert("RGB"), "RGBA": grey.convert("RGBA"),
        "grey and alpha": grey.convert("LA"), "palette": grey.quantize(8), "CMYK": grey.convert("CMYK"),
        "black on clear": clear, "white on clear": white, "16 bit": Image.fromarray(sheet.astype(np.uint16) * 257),
        "32 bit": Image.fromarray(sheet.astype(np.int32) * 1000),
        "floating": Image.fromarray(sheet.astype(np.float32) / 255),
    }


@pytest.mark.parametrize("mode", list(modes(np.zeros((4, 4), np.uint8))))
def test_every_colour_depth_is_read_and_dark_ink_is_turned(mode: str, tmp_path: Path) -> None:
    digits = [inputs.raw(sample.name) for sample in quarter()[:30]]
    made = []
    for digit in digits:
        path = tmp_path / ("a.tif" if mode in ("CMYK", "floating", "32 bit") else "a.png")
        modes(on_paper(digit))[mode].save(path)
        found, image = _digits.open_image(path)
        made.append(image)
        assert found.title.endswith("fitted to 28 × 28")
        assert ("inverted" in found.title) == (mode != "white on clear")
        assert image[0].max() == 0
    assert np.mean(answers(made) == answers(digits)) >= 0.93
    assert np.median([far(one, other) for one, other in zip(made, digits, strict=True)]) < 12


def test_grey_paper_with_noise_and_light_strokes_on_black_are_read_too(tmp_path: Path) -> None:
    """As a phone or a board gives them: uneven, not black and white."""
    digits = [inputs.raw(sample.name) for sample in quarter()[:40]]
    noise = np.random.default_rng(1).normal(0, 4, (280, 280))
    for paper, ink in ((190, 50), (30, 220)):
        made = []
        for digit in digits:
            sheet = np.clip(on_paper(digit, paper, ink) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(sheet).convert("RGB").save(tmp_path / "photo.jpg", quality=90)
            found, image = _digits.open_image(tmp_path / "photo.jpg")
            assert ("inverted" in found.title) == (paper > ink)
            made.append(image)
        assert np.mean(answers(made) == answers(digits)) >= 0.95


def test_a_picture_turned_by_its_camera_is_set_upright(tmp_path: Path) -> None:
    sheet = Image.fromarray(on_paper(inputs.raw(FOUR)))
    sheet.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    sheet.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(_digits.from_image(tmp_path / "turned.png"), _digits.from_image(tmp_path / "upright.png"))


def bomb(path: Path) -> None:
    """A small file that claims 60,000 × 60,000 pixels."""
    Image.new("L", (10, 10)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(_files.MOST_BYTES + 1)


def cut(path: Path) -> None:
    Image.fromarray(on_paper(inputs.raw(FOUR))).save(path)
    path.write_bytes(path.read_bytes()[:300])


def broken_sum(path: Path) -> None:
    Image.fromarray(on_paper(inputs.raw(FOUR))).save(path)
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)


DAMAGED = {
    "missing": (lambda path: None, "There is no file"),
    "a folder": (lambda path: path.mkdir(), "There is no file"),
    "empty": (lambda path: path.write_bytes(b""), "no image"),
    "text": (lambda path: path.write_text("hello"), "no image"),
    "postscript": (lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "no image"),
    "a bomb": (bomb, "too many"),
    "a large file": (large, "larger than"),
    "cut off": (cut, "damaged"),
    "a broken sum": (broken_sum, "damaged|no image"),
    "one flat colour": (lambda path: Image.new("L", (50, 50), 200).save(path), "no strokes"),
    "one pixel": (lambda path: Image.new("L", (1, 1), 200).save(path), "only 1 × 1"),
    "not numbers": (lambda path: Image.fromarray(np.full((9, 9), np.nan, np.float32)).save(path, format="TIFF"),
                    "no numbers"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_or_hostile_image_is_refused_in_one_sentence(what: str, tmp_path: Path) -> None:
    make, words = DAMAGED[what]
    make(tmp_path / "some.png")
    with pytest.raises(Refused, match=words) as caught:
        _digits.from_image(tmp_path / "some.png")
    said = str(caught.value)
    assert said.endswith(".")
    assert ". " not in said
    assert "\n" not in said


# --- sounds ---------------------------------------------------------------------------------------------------------

def wav(path: Path, values: np.ndarray, rate: int = 8000, width: int = 2) -> Path:
    """Values −1 … 1, (sample,) or (sample, channel), as the standard library writes them."""
    values = values if values.ndim == 2 else values[:, None]
    half = 1 << (8 * width - 1)
    whole = np.clip(np.rint(values * half), -half, half - 1).astype(np.int64) + (half if width == 1 else 0)
    data = whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(values.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_sound_of_every_depth_is_read_and_its_channels_averaged(width: int, tmp_path: Path) -> None:
    left = np.sin(np.arange(400) / 7)
    path = wav(tmp_path / "a.wav", np.stack([left * 0.8, left * 0.2], 1), width=width)
    found = inputs.given(str(path), "audio")
    assert found.raw.shape == (400,)
    assert found.sample.title == "a.wav, 0.05 s at 8,000 Hz, the mean of 2 channels"
    np.testing.assert_allclose(found.raw, left * 0.5, atol=1.01 / (1 << (8 * width - 1)))


def test_a_sound_is_brought_to_the_rate_of_the_model(tmp_path: Path) -> None:
    """A tone far below both rates stays that tone; means over whole stretches stay means."""
    times = np.arange(4410) / 44100
    path = wav(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 100 * times), 44100, 4)
    for rate in (8000, 96000):
        found = inputs.given(str(path), "audio", facts={"rate": rate}).raw
        assert len(found) == round(rate / 10)
        inner = slice(rate // 100, -rate // 100)  # at its ends a tone that is cut off is none
        np.testing.assert_allclose(found[inner], 0.5 * np.sin(2 * np.pi * 100 * np.arange(len(found)) / rate)[inner],
                                   atol=2e-3)


def test_what_a_lower_rate_cannot_hold_is_left_out_and_not_folded_down(tmp_path: Path) -> None:
    """A tone of 6 kHz brought to 8,000 samples a second: means over stretches would make 2 kHz of it."""
    path = wav(tmp_path / "high.wav", 0.5 * np.sin(2 * np.pi * 6000 * np.arange(44100) / 44100), 44100)
    found = inputs.given(str(path), "audio", facts={"rate": 8000}).raw
    assert np.abs(found[400:-400]).max() < 1e-3


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3"])
def test_compressed_sounds_are_read(kind: str, tmp_path: Path) -> None:
    import soundfile

    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16000)
    soundfile.write(tmp_path / f"a.{kind}", np.stack([tone, tone], 1), 16000, format=kind.upper())
    found = inputs.given(str(tmp_path / f"a.{kind}"), "audio").raw
    power = np.abs(np.fft.rfft(found[:8000] * np.hanning(len(found[:8000]))))
    assert power.argmax() == pytest.approx(220, abs=1), "bins of 2 Hz"
    if kind == "flac":
        np.testing.assert_allclose(found, tone, atol=1 / 32768)


@pytest.mark.parametrize(("make", "words"), [
    (lambda path: path.write_bytes(b"RIFF0000WAVE"), "no sound that can be read"),
    (lambda path: path.write_text("hello"), "no sound that can be read"),
    (lambda path: wav(path, np.zeros((0, 1))), "holds no sound"),
    (lambda path: wav(path, np.zeros(audio.MOST + 1)), "480,001 samples at 8,000 Hz, more than 480,000"),
    (lambda path: None, "There is no file")])
def test_a_sound_that_cannot_be_read_is_refused_in_one_sentence(make, words: str, tmp_path: Path) -> None:
    make(tmp_path / "a.wav")
    with pytest.raises(Refused, match=words) as caught:
        inputs.given(str(tmp_path / "a.wav"), "audio")
    assert_one_sentence(caught.value)


def test_the_thumbnail_of_a_sound_is_its_waveform() -> None:
    """Ink from the smallest to the largest value of each stretch; silence is a line in the middle."""
    still = audio.thumbnail(np.zeros(1000))
    assert still.shape == (32, 128)
    assert set(np.flatnonzero(still.any(1))) <= {15, 16}
    growing = audio.thumbnail(np.linspace(0, 1, 3000) * np.where(np.arange(3000) % 2, 1, -1))
    inked = growing.astype(bool).sum(0)
    assert inked[-1] == 32
    assert (np.diff(inked) >= 0).all()
    assert audio.thumbnail(np.ones((1, 500))).shape == (32, 128), "what a layer holds: (channel, step)"


# --- several at once ------------------------------------------------------------------------------------------------

TWO = {"kind": "several", "inputs": {"left": {"kind": "image"}, "words": {"kind": "text"}}}


def test_several_inputs_are_each_what_they_are_to_their_own_kind(tmp_path: Path) -> None:
    found = inputs.given("left=digit-11; words=to be; or not", "several", facts=TWO)
    assert list(found.raw) == ["left", "words"]
    assert np.array_equal(found.raw["left"], inputs.raw("digit-11"))
    assert found.raw["words"] == "to be; or not"
    assert inputs.given(found.sample.name, "several", facts=TWO).sample == found.sample
    first = inputs.given("", "several", facts=TWO)
    assert first.sample.title == "left: Digit 2148, words: Sea change"
    assert inputs.given("words=Hyde", "several", facts=TWO).raw["words"] == "Hyde"
    assert np.array_equal(inputs.given("digit-11", "several", facts=TWO).raw["left"], inputs.raw("digit-11"))


@pytest.mark.parametrize(("word", "words"), [
    ("left=sea-change", r"This model \(left\) reads pictures of one digit, and sea-change is a text"),
    ("left=digit-11; left=digit-3", "is given left twice")])
def test_several_inputs_are_refused_in_one_sentence(word: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        inputs.given(word, "several", facts=TWO)
    assert_one_sentence(caught.value)
    with pytest.raises(Refused, match="names no inputs"):
        inputs.given("", "several")


# --- the kinds themselves -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", inputs.kinds(), ids=lambda kind: kind.name)
def test_every_kind_says_what_is_needed(kind: inputs.InputKind) -> None:
    assert inputs.kind(kind.name) is kind
    assert kind.title
    assert kind.one.split()[0] in ("a", "an", "several")
    assert kind.suffixes or kind.given
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in kind.suffixes)
    assert (kind.typed is not None) == bool(kind.mark)
    assert (inputs.FIELD in kind.choosers) == kind.free
    assert kind.drawn is not None or inputs.PAD not in kind.choosers
    assert kind.bundled is not None or not inputs.all_samples(kind.name)
    for sample in inputs.all_samples(kind.name)[:3]:
        shown = inputs.picture(sample.name)
        assert (shown is not None) == (inputs.THUMBNAILS in kind.choosers)
        assert bool(kind.sign) == (shown is None)


def test_nothing_else_asks_for_a_kind_by_its_name() -> None:
    """Outside `inputs/` no string literal is compared with, or looked up as, the name of a kind of input."""
    names = {kind.name for kind in inputs.kinds()}
    found = []
    for path in sorted((ROOT / "visualizer").rglob("*.py")):
        if path.parent.name == "inputs" or path.name in ("opening.py", "_wire.py"):
            continue  # what is asked of a kind stands with the questions; a field of ONNX is called tensor
        for node in nodes(path):
            compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            words = [leaf.value for each in compared for leaf in ast.walk(each) if isinstance(leaf, ast.Constant)]
            found += [f"{path.name}:{node.lineno} {word}" for word in words if word in names - {"name", "text"}]
    assert not found
