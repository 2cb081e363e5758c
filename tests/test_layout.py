"""The law of layout, over every view, every bundled model, every size of the window and the projector: words stand
clear of each other, large enough, and not cut to nothing; none says zero of what is not; no mark leaves the frame;
nothing lies under a legend.

Where marks stand does not depend on the theme, so it is looked at once for each size; whether words can be read on what
they stand on does not depend on the size, so it is looked at once for each theme.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

from tests.recorded import recorded
from visualizer.lab import Lab
from visualizer.record.lab import record_lab
from visualizer.registry import folder
from visualizer.scene import colour, labels, parts, projector
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Path, Picture, Rect, Text, plain
from visualizer.scene.reading import reading
from visualizer.scene.spotlight import extent
from visualizer.scene.timeline import Moment, Timeline, timeline
from visualizer.scene.type import bounds
from visualizer.trace import Trace
from visualizer.views import View, all_views, find
from visualizer.views import picture as picture_of

LABS = {"lab": "time", "lab-depth": "depth", "lab-cliff": "cliff"}
MODELS = (*sorted(path.stem for path in folder("models").glob("*.py") if not path.stem.startswith("_")), *LABS)
SIZES = {"1600x900": Look((1104, 796)), "1366x768": Look((870, 664)), "1024x768": Look((952, 656)),
         "beside": Look((548, 760)), "projector": projector.look_for(Look(), (1920, 1080))}
"""What a window of that size, two places beside each other, or a projector of 1920 × 1080, leave for the picture."""
THEMES = ("light", "dark", "projector", "contrast-light", "contrast-dark", "contrast-projector")
ZEROS = re.compile(r"(?<![\d.,])0\.0+(?!\d|[.,]\d| ?%)")
"""`0.00`: an exact zero is written `0`, and what is not zero with a digit that says so. A share may be `0.0 %`."""
SMALLEST = 11.0
READABLE = 4.5
"""The least contrast of words with what they stand on (WCAG 2, AA)."""
STRONGLY = 7.0
"""The same where high contrast is asked for (AAA); on a cell of a full palette no ink at all may reach it."""


@cache
def lab(experiment: str) -> Trace:
    return record_lab(Lab(experiment=experiment))


def recording(model: str, view: View | None = None) -> Trace:
    """A model reading its first sample, with everything that the view wants measured."""
    return lab(LABS[model]) if model in LABS else recorded(model, studies=view.studies if view else ())


def moments(times: Timeline) -> Iterator[Moment]:
    """The first beat, one half-way through each direction, the last one forwards, and the last."""
    count = len(times.beats)
    for index in sorted({0, count // 4, count // 2 - 1, (3 * count) // 4, count - 1}):
        yield times.settled(index)


def pictures(model: str, look: Look, some: Callable[..., list[tuple[str, int, int]]]) -> Iterator[tuple[str, Picture]]:
    """What every view shows at some moments, with something chosen and without; some of it without `--all`."""
    trace = recording(model)
    looked_at = list(moments(timeline(trace)))
    cases = [(view.name, index, chosen) for view in all_views() if view.suits(trace)
             for index, moment in enumerate(looked_at) for chosen in range(len(foci(trace, moment)))]
    for name, index, chosen in some(cases, sample=25):
        moment, focus = looked_at[index], foci(trace, looked_at[index])[chosen]
        yield (f"{name} {moment.address} {focus}",
               picture_of(find(name), recording(model, find(name)), moment, focus, look))


def foci(trace: Trace, moment: Moment) -> tuple[Focus | None, ...]:
    """Nothing, the first channel of the beat's layer, and a number in the middle of it."""
    layer = trace[moment.beat.layer]
    if not layer.shape:
        return (None,)
    return None, Focus(layer.name, (0,)), Focus(layer.name, tuple(length // 2 for length in layer.shape))


@pytest.mark.matrix(spine=("digits_cnn-1024x768", "digits_cnn-projector", "lab-projector", "crnn_strip-projector",
                           "char_lstm-1366x768", "rows_gru-1600x900", "surname_gru-beside"), sample=3, each=False)
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("model", MODELS)
def test_words_keep_apart_and_everything_keeps_its_place(model: str, size: str, some) -> None:
    look = SIZES[size]
    for name, picture in pictures(model, look, some):
        assert picture.size == look.size, name
        assert not (found := list(faults(picture, look.text_scale))), f"{name}: {found[:4]}"


@pytest.mark.matrix(spine=("digits_cnn", "rows_gru-light", "char_lstm-dark", "lab-projector",
                           "rows_gru-contrast-light"), sample=2, each=False)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("model", MODELS)
def test_words_can_be_read_on_what_they_stand_on(model: str, theme: str, some) -> None:
    for name, picture in pictures(model, Look((1104, 796), theme), some):
        for text, ground in grounds(picture):
            for ink in {run.color or text.color for run in text.runs}:
                found = colour.contrast(colour.resolve(theme, ink), colour.resolve(theme, ground))
                least = STRONGLY if colour.is_strong(theme) and (":" not in ground or "-pale:" in ground) else READABLE
                assert found >= least, f"{name}: {text.plain!r} in {ink} on {ground}: {found:.1f}"


# --- the law --------------------------------------------------------------------------------------------------------

def faults(picture: Picture, scale: float) -> Iterator[str]:
    """What breaks the law in a picture drawn at this text scale, in words."""
    wide, high = picture.size
    texts = [mark for mark in picture if isinstance(mark, Text) and mark.opacity > 0.5 and mark.plain.strip()]
    boxes = [ink_of(text) for text in texts]
    for words in (*(text.plain for text in texts), picture.caption):
        if ZEROS.search(words):
            yield f"zero of what is not: {words!r}"
    for index, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        for other, place in zip(texts[:index], boxes[:index], strict=True):
            if labels.overlap(box, place):
                yield f"{text.plain!r} over {other.plain!r}"
        if text.size < SMALLEST * scale - 0.01:
            yield f"{text.plain!r} of {text.size:.1f} pixels"
        if text.max_width and not labels.cut(text.runs, text.max_width + 0.5, text.size, text.weight, text.mono):
            yield f"{text.plain!r} cut below {labels.LEAST} characters"
    for mark in picture:
        left, top, right, bottom = extent(mark)
        if mark.opacity > 0 and (left < -1 or top < -1 or right > wide + 1 or bottom > high + 1):
            yield f"outside the frame: {mark}"
    for place in map(legend_of, filter(is_ramp, picture)):
        for mark in picture:
            if covers(mark) and labels.overlap(extent(mark), place):
                yield f"under the legend at {place}: {mark}"


def ink_of(text: Text) -> tuple[float, float, float, float]:
    """Where letters are: without what few ascenders and descenders reach further, and half a pixel at each edge."""
    left, _, right, _ = bounds(text)
    return left + 0.5, text.y - 0.72 * text.size + 0.5, right - 0.5, text.y + 0.2 * text.size - 0.5


def is_ramp(mark: Mark) -> bool:
    """Whether a mark is the ramp of a legend: all colours of a palette in one row."""
    return isinstance(mark, Image) and mark.scale is None and mark.values.shape[:2] == (1, 1) \
        and mark.values.shape[-1] in (255, 256)


def legend_of(ramp: Image) -> tuple[float, float, float, float]:
    """The ramp and the words above and below it, as narrow as the ramp."""
    left, top, right, bottom = extent(ramp)
    high = bottom - top
    return left, top - high, right, bottom + 1.5 * high


def covers(mark: Mark) -> bool:
    """Whether a mark fills a place: the words and the ramp of the legend itself do not, nor do lines."""
    if isinstance(mark, Image):
        return not is_ramp(mark) and mark.opacity > 0
    return isinstance(mark, Rect) and bool(mark.fill) and mark.opacity > 0.3


def grounds(picture: Picture) -> Iterator[tuple[Text, str]]:
    """Every text, and the colour of the last opaque rectangle or cell under its middle; else the background."""
    filled: list[Rect | Image] = []
    for mark in picture:
        if ((isinstance(mark, Rect) and mark.fill) or isinstance(mark, Image)) and mark.opacity > 0.8:
            filled.append(mark)
        elif isinstance(mark, Text) and mark.opacity > 0.5 and mark.plain.strip():
            left, top, right, bottom = bounds(mark)
            x, y = (left + right) / 2, (top + bottom) / 2
            under = next((found for one in reversed(filled) if (found := color_at(one, x, y))), picture.background)
            if under != "hatch":
                yield mark, under


def color_at(mark: Rect | Image, x: float, y: float) -> str:
    """The colour a mark has at a point; empty where it is not there."""
    left, top, right, bottom = extent(mark)
    if not (left <= x <= right and top <= y <= bottom):
        return ""
    if isinstance(mark, Rect):
        return mark.fill
    (across, down), (wide, high) = mark.stride, mark.tile_size
    column, row = int((x - left) // across), int((y - top) // down)
    tile, dx, dy = row * mark.columns + column, x - left - column * across, y - top - row * down
    if tile >= len(mark.values) or dx >= wide or dy >= high or mark.values.ndim == 4:
        return ""
    return f"{mark.palette}:{mark.values[tile, int(dy // mark.cell[1]), int(dx // mark.cell[0])]}"


# --- the law itself is held -----------------------------------------------------------------------------------------

def told(*marks: Mark) -> str:
    return " ".join(faults(Picture((400, 300), marks), 1.0))


def words(text: str, x: float, y: float, **style: object) -> Text:
    return Text(x, y, plain(text), **style)  # type: ignore[arg-type]


def test_each_breach_is_found() -> None:
    assert not told(words("one", 20, 40), words("two", 20, 60))
    assert "over" in told(words("one", 20, 40), words("two", 24, 44))
    assert "of 9.0 pixels" in told(words("one", 20, 40, size=9))
    assert "cut below" in told(words("a long word", 20, 40, max_width=20))
    assert not told(words("a long word", 20, 40, max_width=50))
    assert "zero of what is not" in told(words("norm 0.000", 20, 40))
    assert not told(words("0.004 or 10.00, 0 and 0.0 %", 20, 40))
    assert "outside" in told(Rect(390, 10, 20, 20, "ink"))
    assert "outside" in told(Line(((10, 10), (10, 320))))
    assert "outside" in told(Path((((10, 10), (10, 10), (-9, 10), (-9, 10)),), "ink"))


# --- what goes over into the next -----------------------------------------------------------------------------------

def test_words_of_two_beats_never_stand_over_each_other() -> None:
    before, after = [words("one", 20, 40), Rect(0, 0, 9, 9, "ink")], [words("two", 20, 40)]
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        found = parts.crossed(before, after, share)
        assert sum(isinstance(mark, Text) for mark in found) == (share != 0.5), share
        assert sum(isinstance(mark, Rect) for mark in found) == (share != 1.0), share


def test_the_line_under_a_headline_says_whole_sentences_or_fewer() -> None:
    said = "**After 9 steps less than 1 % is left.** 90 steps back, **0.50 %** is left. Before it halved at once."
    for wide, count in ((1104, 3), (560, 2), (360, 1)):
        (line,) = parts.under(Look((wide, 600)), said)
        assert line.plain.endswith("."), wide
        assert line.plain.count(". ") + 1 == count, wide


def test_a_strip_of_one_line_shows_the_steps_around_the_answer() -> None:
    trace, look = recording("crnn_strip", find("connectivity")), SIZES["projector"]
    for at in ("lstm.l0.reverse.forward[1]", "lstm.l0.reverse.backward[40]"):
        seen = picture_of(find("connectivity"), trace, timeline(trace).find(at), None, look)
        wanted = at.partition("[")[2].rstrip("]")
        assert any(isinstance(mark, Text) and mark.plain == wanted for mark in seen), at


# --- words beside curves and classes ----------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [*(look.size for name, look in SIZES.items() if name != "projector"), (700, 560)])
@pytest.mark.parametrize("name", ["hidden_state", "unrolled", "gates"])
def test_the_number_of_a_step_stands_clear_of_the_curve(name: str, size: tuple[int, int]) -> None:
    trace, times = recording("crnn_strip"), timeline(recording("crnn_strip"))
    for address in (f"lstm.l0.backward[{step}]" for step in (1, 20, 23, 40)):
        picture = picture_of(find(name), trace, times.find(address), None, Look(size))
        dots = [extent(mark) for mark in picture if isinstance(mark, Rect) and mark.fill == "gradient-mark"
                and mark.width == mark.height == 5]
        said = [mark for mark in picture if isinstance(mark, Text) and mark.color == "gradient-text"]
        assert said, address
        assert dots or size[0] < 700, address  # steps that stand closer have no dots of their own
        assert not [text.plain for text in said for dot in dots if labels.overlap(ink_of(text), dot)], address


def test_a_number_goes_below_a_dot_that_has_the_curve_above_it() -> None:
    peak, valley = [(20, 60), (60, 20), (100, 60)], [(20, 20), (60, 60), (100, 20)]
    [above] = labels.by_a_dot("1.0", peak, 1, (0, 0, 120, 100))
    [below] = labels.by_a_dot("1.0", valley, 1, (0, 0, 120, 100))
    assert above.y < 20
    assert below.y > 60


def test_the_size_of_a_gradient_stands_clear_of_the_word_of_its_step() -> None:
    trace = recorded("rows_lstm")
    largest = int(np.argmax(reading(trace, "lstm").norms))
    picture = find("gates").draw(trace, timeline(trace).find(f"lstm.backward[{largest + 1}]"), None, Look())
    said = [mark for mark in picture if isinstance(mark, Text)]
    (size,) = [mark for mark in said if mark.color == "gradient-text" and mark.y > 690]
    (word,) = [mark for mark in said if mark.color == "accent-ink" and mark.y > 690]
    assert bounds(word)[3] + 2 <= bounds(size)[1] or bounds(size)[3] + 2 <= bounds(word)[1]


def test_words_keep_off_a_line_as_long_as_another_place_is_free() -> None:
    spots = [(50, 50, "start"), (50, 80, "start")]
    [text] = labels.Labels((0, 0, 200, 200), lines=((0, 46), (200, 46))).put("word", spots)
    assert text.y == 80
    [text] = labels.Labels((0, 0, 200, 200), lines=((0, 46), (200, 46))).put("word", spots[:1])
    assert text.y == 50


@pytest.mark.parametrize("size", [(560, 600), (700, 560), (952, 656), (1104, 796)])
def test_names_of_classes_stand_beside_the_last_layer(size: tuple[int, int]) -> None:
    trace = recording("surname_gru")
    picture = picture_of(find("network"), trace, timeline(trace).find("softmax.forward"), None, Look(size))
    names = [ink_of(mark) for mark in picture if isinstance(mark, Text) and mark.plain in trace.labels]
    cells = [extent(mark) for mark in picture if isinstance(mark, Image) and mark.focus is not None
             and mark.focus.layer == "fc"]
    assert len(names) >= 10
    assert cells
    assert not [box for box in names for cell in cells if labels.overlap(box, cell)]
