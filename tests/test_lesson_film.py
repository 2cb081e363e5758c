"""A lesson as a film: its slides in their order, each as long as it says, and its sentences beside them."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import pytest

from visualizer import lessonfilm, registry
from visualizer.export import film as films
from visualizer.lesson import shelf
from visualizer.trace import load


@pytest.fixture(scope="module")
def pooling():
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    return lessonfilm.film(shelf.find("pooling"), lambda recipe, view: digits, {}, (640, 360))


def test_a_question_comes_before_its_reveal_and_all_slides_last_as_long_as_the_lesson(pooling):
    lesson = shelf.find("pooling")
    shown = [(each.page.progress.step, each.page.progress.revealed) for each in pooling.slides]
    assert shown == [(index, revealed) for index, step in enumerate(lesson.steps)
                     for revealed in ((False, True) if step.question else (False,))]
    assert float(pooling.seconds) == pytest.approx(lesson.seconds, rel=0.02)
    assert pooling.moment(0).index == 0
    assert pooling.moment(pooling.count - 1).index == len(shown) - 1
    first = next(index for index, slide in enumerate(pooling.slides) if slide.page.step.question)
    told = pooling.slides[first].page.bare(pooling.slides[first].page.step.reveal[0])
    assert told not in pooling.picture(int(pooling.starts[first] * pooling.fps)).caption
    assert told in pooling.picture(int(pooling.starts[first + 1] * pooling.fps)).caption


def test_captions_cover_the_film_without_a_gap_and_say_what_the_slides_say(pooling):
    cues = list(lessonfilm.cued(pooling))
    assert cues[0][0] == 0
    assert cues[-1][1] == pooling.seconds
    assert all(one[1] == other[0] and one[0] < one[1] for one, other in pairwise(cues))
    said = " ".join(words for _, _, words in cues)
    for slide in pooling.slides:
        for words in slide.page.step.reveal if slide.page.progress.revealed else slide.page.step.text:
            assert slide.page.bare(words).split(". ")[0].rstrip(".") in said


def test_the_file_is_webvtt(pooling):
    text = lessonfilm.captions(pooling)
    head, *blocks = text.strip().split("\n\n")
    assert head == "WEBVTT"
    time = r"\d{2}:[0-5]\d:[0-5]\d\.\d{3}"
    for block in blocks:
        timing, *words = block.split("\n")
        assert re.fullmatch(f"{time} --> {time}", timing)
        assert len(words) == 1
        assert words[0]
        assert not {*words[0]} & {*"<>"}
    assert lessonfilm._clock(Fraction(3725, 2)) == "00:31:02.500"


def test_film_and_captions_stand_beside_each_other(tmp_path):
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    it = shelf.find("pooling")
    short = lessonfilm.film(it, lambda recipe, view: digits, {}, (320, 180), Fraction(100))
    path, beside = lessonfilm.write(short, tmp_path / "a.gif")
    assert path.read_bytes()[:6] == b"GIF89a"
    assert beside == tmp_path / "a.vtt"
    assert beside.read_text("utf-8").startswith("WEBVTT")
    assert not films.refusal(short, films.find(path))
