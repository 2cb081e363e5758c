"""A lesson as a film: its slides in their order, each as long as it says, and its sentences beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from visualizer import lessonfilm, registry
from visualizer.export import film as films
from visualizer.language import speaking
from visualizer.lesson import Answer, Lesson, Question, Shown, Step, bare, shelf, way
from visualizer.lessonfilm import LessonFilm
from visualizer.record import pass_of
from visualizer.scene.picture import Focus, Text, box_of
from visualizer.scene.state import Place
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


@pytest.fixture(scope="module")
def rows():
    found = pass_of("rows_rnn").trace
    lesson = Lesson("rows", "Rows", (
        Step("First", ("It reads the first row.",), at("rnn.forward[2]"), at("rnn.forward[2]"), seconds=30),
        Step("Then", ("It reads on. It keeps what it needs.",), at("rnn.forward[5]"), at("rnn.forward[5]"), seconds=20,
             question=Question("What does it keep?", (Answer("A state", True), Answer("All rows"))),
             reveal=("A state, and no more than that.",)),
        Step("Still", ("Look at the first unit.",), at("rnn.forward[5]", 0), at("rnn.forward[5]", 0), seconds=10),
        Step("Back", ("The gradient comes back.",), at("rnn.forward[3]"), at("rnn.forward[3]"), seconds=10)),
        seconds=70)
    return lessonfilm.film(lesson, lambda recipe, view: found, {}, (640, 360))


def at(address: str, unit: int | None = None) -> Shown:
    focus = None if unit is None else Focus("rnn", (4, unit))
    return Shown((Place(view="unrolled", at=address, focus=focus),))


def test_the_way_to_what_a_step_shows_is_played_and_then_it_stands(rows):
    ways = [(each.way.at(0).address, each.way.here.address) if each.way else None for each in rows.slides]
    assert ways == [("rnn.forward[2]@0", "rnn.forward[2]"), ("rnn.forward[2]", "rnn.forward[5]"),
                    ("rnn.forward[5]@0", "rnn.forward[5]"), None, ("rnn.forward[3]@0", "rnn.forward[3]")]
    times = rows.slides[1].way.times
    for index, each in enumerate(rows.slides):
        begin, moves = rows._begins[index], round(each.moves * rows.fps)
        shown = [rows.moment(begin + frame) for frame in range(moves + 2)]
        assert [moment.index for moment in shown] == [index] * len(shown)
        assert [moment.phase for moment in shown[:moves]] == pytest.approx([frame / moves for frame in range(moves)])
        assert [moment.phase for moment in shown[moves:]] == [1.0, 1.0]
        assert each.seconds - each.moves >= sum(map(lessonfilm.reading_time, each.said))
    second = rows.slides[1].way
    first, last = (times.second_of(times.find(address)) for address in ("rnn.forward[2]", "rnn.forward[5]"))
    assert (second.start, second.seconds) == (first, last - first)
    assert second.at(0.5) == times.at(second.start + second.seconds / 2)


def test_only_what_moves_is_drawn_anew_and_nothing_jumps_where_it_comes_to_stand(rows, monkeypatch):
    begin, moves = rows._begins[1], round(rows.slides[1].moves * rows.fps)
    drawn = [rows.picture(begin + frame) for frame in (0, moves // 2, moves - 1, moves, moves + 1)]
    assert len({picture.moving for picture in drawn[:4]}) == 4
    assert drawn[3] == drawn[4]
    stands = [{mark.plain: box_of(mark)[:2] for mark in picture.still if isinstance(mark, Text)} for picture in drawn]
    everywhere = set.intersection(*map(set, stands))
    assert {"2 units a row, −1 to 1", "hidden state h"} <= everywhere
    assert all(len({each[words] for each in stands}) == 1 for words in everywhere)
    asked: list[int] = []
    monkeypatch.setattr(LessonFilm, "picture", lambda film, frame: asked.append(frame) or drawn[0])
    list(films.frames(rows))
    assert len(asked) == sum(round(each.moves * rows.fps) + 1 for each in rows.slides) < rows.count / 4


def test_a_long_way_goes_faster_and_never_takes_more_than_half_of_the_time(rows):
    times = rows.slides[1].way.times
    long = way.to(times, times.find("rnn.forward[28]"), times.find("rnn.forward[1]"))
    assert long.end - long.start > way.MOST == long.seconds
    assert long.at(0.5) == times.at((long.start + long.end) / 2)
    assert lessonfilm.Slide(rows.slides[0].page, 8, long).moves == 4


def test_every_sentence_stands_as_long_as_it_takes_to_be_read(rows):
    cues = list(lessonfilm.cued(rows))
    assert [words for _, _, words in cues] == [
        "It reads the first row.", "It reads on.", "It keeps what it needs.", "What does it keep?", "1: A state",
        "2: All rows", "A state, and no more than that.", "Look at the first unit.", "The gradient comes back."]
    assert all(end - start >= max(1.5, len(words) / 15) for start, end, words in cues)
    assert all(one[1] <= other[0] for one, other in pairwise(cues))
    assert cues[-1][1] <= rows.seconds
    hurried = replace(rows, slides=tuple(replace(each, planned=4) for each in rows.slides))
    assert all(end - start >= max(1.5, len(words) / 15) for start, end, words in lessonfilm.cued(hurried))
    assert float(hurried.seconds) > 16


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
    assert lessonfilm.write(short, tmp_path / "b.gif")[0].read_bytes() == path.read_bytes()
    assert (tmp_path / "b.vtt").read_bytes() == beside.read_bytes()


SHARING = sorted(registry.folder("assets").glob("lessons/sharing*.md"))


@pytest.mark.parametrize("path", SHARING, ids=lambda path: path.stem)
def test_captions_are_the_words_of_the_lesson_in_its_language(path):
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    lesson = shelf.find(str(path))
    made = lessonfilm.film(lesson, lambda recipe, view: digits, {}, (640, 360))
    told = [*lesson.text]
    with speaking(lesson.language):
        for index, step in enumerate(lesson.steps):
            asked = [] if step.question is None else [step.question.words, *(
                f"{number}: {answer.words}" for number, answer in enumerate(step.question.answers, 1))]
            told += [bare(words, lesson.known(index)) for words in (*step.text, *asked)]
            told += [bare(words, lesson.known(index)) for words in step.reveal] if step.question else []
    cues = list(lessonfilm.cued(made))
    assert " ".join(words for _, _, words in cues) == " ".join(told)
    assert all(end - start >= max(1.5, len(words) / 15) for start, end, words in cues)
    assert all(one[1] <= other[0] for one, other in pairwise(cues))
    assert cues[-1][1] <= made.seconds
