"""Handouts: lessons on paper. Pages are Pictures, so what stands on them is read off their marks."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from visualizer import handout, registry
from visualizer.cli import _lesson_recording, main
from visualizer.export import pdf
from visualizer.lesson import Lesson, bare, reading, shelf
from visualizer.scene.picture import Picture, Text
from visualizer.scene.recipe import Recipe
from visualizer.scene.type import bounds
from visualizer.trace import Trace

ALL = {each.name: each for each in shelf.on_shelf([registry.folder("assets") / shelf.FOLDER]).lessons}
PAPERS = ("a4", "letter")


@cache
def recorded(recipe: Recipe, view: str) -> Trace:
    return _lesson_recording(recipe, view)


def pages(name: str, paper: str = "a4", answers: bool = False) -> tuple[Picture, ...]:
    return handout.pages(ALL[name], recorded, paper, answers)


def words_of(*found: Picture) -> str:
    return " ".join(mark.plain for picture in found for mark in picture if isinstance(mark, Text))


def reveals(lesson: Lesson) -> list[str]:
    """The first words of each reveal."""
    return [" ".join(bare(step.reveal[0], lesson.known(index)).split()[:8]) for index, step in enumerate(lesson.steps)
            if step.reveal]


@pytest.mark.matrix(spine=("pooling-a4",), sample=2, each=False)
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", sorted(ALL))
def test_questions_stand_on_paper_without_their_answers(name: str, paper: str) -> None:
    lesson, found = ALL[name], pages(name, paper)
    said = words_of(*found)
    for step in lesson.steps:
        assert step.title in said
    for _, question in lesson.questions:
        assert all(" ".join(bare(each.words, lesson.quantities).split()[:3]) in said for each in question.answers)
    assert not [words for words in reveals(lesson) if words in said]
    for picture in found:
        for mark in picture:
            if isinstance(mark, Text) and mark.plain.strip():
                left, top, right, bottom = bounds(mark)
                assert handout.MARGIN / 2 < left + 1
                assert right - 1 < picture.size[0] - handout.MARGIN / 2
                assert 0 < top
                assert bottom < picture.size[1]


def test_answers_stand_on_pages_of_their_own_with_what_was_measured() -> None:
    lesson = ALL["pooling"]
    without, whole = pages("pooling"), pages("pooling", answers=True)
    assert len(whole) > len(without)
    assert len(words_of(*whole[:len(without)])) == len(words_of(*without))
    told = words_of(*whole[len(without):])
    assert all(words in told for words in reveals(lesson))
    assert "Answer 3: about 40 %" in told
    assert "pooled digits_cnn relu1 2" in told
    assert "Who chose “0 %”: Pooling is thought to make a network indifferent to place." in told


def test_two_questions_with_their_pictures_fit_on_a_page() -> None:
    for paper in PAPERS:
        found = pages("pooling", paper)
        titles = [f"{number} {step.title}" for number, step in enumerate(ALL["pooling"].steps, 1)]
        assert sum(sum(title in words_of(page) for title in titles) == 2 for page in found) >= 2
        assert len(found) < len(titles)


def test_a_handout_is_one_file_with_a_page_for_each_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "handout.pdf"
    assert main(["lesson", "print", "the-shout", "--paper", "letter", "--answers", "-o", str(path)]) == 0
    count = int(re.search(r": (\d+) pages", capsys.readouterr().out)[1])  # type: ignore[index]
    data = path.read_bytes()
    boxes = re.findall(rb"/MediaBox \[([\d. ]+)\]", data)
    assert len(boxes) == count >= 3
    for box in boxes:
        wide, high = (float(length) / 72 * 25.4 for length in box.split()[2:])
        assert wide == pytest.approx(215.9, abs=0.2)
        assert high == pytest.approx(279.4, abs=0.2)
    assert b"/FontFile" in data  # words are words, in fonts of the file
    assert len(re.findall(rb"/Subtype ?/Image", data)) < 20 * count
    assert pdf.state(data) is None or pdf.state(data) == ""


def test_a_lesson_in_another_language_is_printed_in_it() -> None:
    lesson, problems = reading.parse("a", """---
title: Ein Titel
language: de
---

## Ein Schritt

- model: digits_cnn
- input: digit-2148
- at: relu1.forward

### Question

Wie viele?

- [x] eine
- [ ] zwei

### Reveal

Eine.
""")
    assert not problems
    assert lesson is not None
    said = words_of(*handout.pages(lesson, recorded, answers=True))
    for words in ("Lektion", "Datum", "Weil", "Antworten", "Seite 2 von 2", "Kanal"):
        assert words in said


def test_the_same_lesson_gives_the_same_bytes() -> None:
    found = pages("the-shout")
    assert pdf.pages(found, handout.PAPERS["a4"]) == pdf.pages(found, handout.PAPERS["a4"])


def test_a_handout_of_nothing_that_there_is_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "print", "nothing", "-o", str(tmp_path / "a.pdf")]) == 2
    assert "There is no lesson" in capsys.readouterr().err
    assert main(["lesson", "print", "quiz", "-o", str(tmp_path / "a.doc")]) == 2
    assert not list(tmp_path.iterdir())
