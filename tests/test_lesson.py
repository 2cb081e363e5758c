"""Lessons: how they are read, what is told of those that are wrong, what a step makes of a State; and the twenty that
come with the app: every place in them is there, and every number is measured."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from visualizer import claims, lesson, registry
from visualizer.claims import Number
from visualizer.cli import _lesson_recording, main
from visualizer.lesson import Lesson, Quantity, Step, reading, shelf, trial
from visualizer.record.measures import known, usual
from visualizer.scene.picture import Focus, Look
from visualizer.scene.recipe import LabRecipe, ModelRecipe
from visualizer.scene.state import State, changed
from visualizer.trace import Refused, Trace

ALL = shelf.on_shelf([registry.folder("assets") / shelf.FOLDER]).lessons
COURSE = [each for each in ALL if each.genre == lesson.LESSON]
TEXT = """---
format: 1
language: en
title: A title
number: 4
time: 10 min
goal: You can say it.
---

It begins **here**.

## See it

- model: digits_cnn
- input: digit-2148
- view: network
- at: relu1.forward
- focus: relu1:3

A map, *so to say*.

## Ask

- what-if: shift=1,0
- touch: time, what-if
- time: 30 s
- claim: pooling

The value is {value}.

### Question

How many terms are there?

- [ ] one
  They are thought to be one.
- [x] 54
- [ ] 55

### Reveal

- view: microscope
- at: conv2.forward
- focus: conv2:7,3,5

There are {terms}.

Therefore.

### Measured

| number | measure | expected |
|---|---|---|
| value | `cell value digits_cnn digit-2148 conv2:7,3,5` | −2.73 ± 0.01 |
| terms | `cell terms digits_cnn digit-2148 conv2:7,3,5` | 54 |

### Decides

- `terms` = 54

### Notes

Wait.
"""


def read(text: str) -> Lesson:
    found, problems = reading.parse("a", text)
    assert not problems
    assert found is not None
    return found


def told(text: str) -> list[str]:
    found, problems = reading.parse("a", text)
    assert found is None
    return [str(each) for each in problems]


@cache
def recorded(recipe: ModelRecipe | LabRecipe) -> Trace:
    return _lesson_recording(recipe)


measured = cache(usual)


# --- reading --------------------------------------------------------------------------------------------------------

def test_a_lesson_is_read_whole() -> None:
    found = read(TEXT)
    assert (found.title, found.number, found.seconds, found.language) == ("A title", 4, 600, "")
    assert found.text == ("It begins **here**.",)
    see, ask = found.steps
    assert see.text == ("A map, _so to say_.",)
    (place,) = see.shown.places
    assert place.recipe == ModelRecipe("digits_cnn", ("digit-2148",))
    assert (place.view, place.at, place.focus) == ("network", "relu1.forward", Focus("relu1", (3,)))
    assert see.done == ()
    assert ask.done == (("answer", ""),)
    assert ask.touch == ("time", "what-if")
    assert (ask.seconds, ask.claim, ask.notes) == (30, "pooling", "Wait.")
    assert ask.question is not None
    assert [answer.words for answer in ask.question.answers] == ["one", "54", "55"]
    assert ask.question.right == 2
    assert ask.question.answers[0].said == "They are thought to be one."
    assert ask.reveal == ("There are {terms}.", "Therefore.")
    assert [each.name for each in ask.quantities] == ["value", "terms"]
    assert ask.quantities[0].expected == claims.Expected(-2.73, 0.01, 2)


def test_what_a_step_does_not_say_stays_until_a_model_is_named() -> None:
    ask = read(TEXT).steps[1]
    (place,), (revealed,) = ask.shown.places, ask.revealed.places
    assert place.recipe == revealed.recipe == ModelRecipe("digits_cnn", ("digit-2148",), edits=("shift:1",))
    assert (place.view, place.at, place.focus) == ("network", "relu1.forward", Focus("relu1", (3,)))
    assert (revealed.view, revealed.at, revealed.focus) == ("microscope", "conv2.forward", Focus("conv2", (7, 3, 5)))
    anew = read(TEXT.replace("- what-if: shift=1,0", "- model: lenet_mnist")).steps[1].shown.places[0]
    assert (anew.recipe, anew.at, anew.focus) == (ModelRecipe("lenet_mnist", ()), "", None)


@pytest.mark.parametrize(("fields", "places", "compare"), [
    ("- model: lab\n- knobs: gain=0.9, input=0.1", [("lab", "gradient_flow", "rnn.backward[1]")], ""),
    ("- model: lab\n- knobs: experiment=cliff", [("lab", "landscape", "")], ""),
    ("- model: digits_cnn, rows_lstm\n- view: compare", [("digits_cnn", "network", ""), ("rows_lstm", "network", "")],
     "share"),
    ("- model: digits_cnn, rows_lstm\n- compare: beat", [("digits_cnn", "network", ""), ("rows_lstm", "network", "")],
     "beat"),
    ("- model: digits_cnn, mlp_mnist", [("digits_cnn", "network", ""), ("mlp_mnist", "network", "")], ""),
    ("- show: nothing", [], ""),
])
def test_a_step_shows_one_place_or_several_or_none(fields: str, places: list[tuple[str, str, str]],
                                                   compare: str) -> None:
    text = re.sub(r"(?s)- model.*?relu1:3", fields, TEXT[:TEXT.index("## Ask")])
    (step,) = read(text).steps
    assert [(place.recipe.name, place.view, place.at) for place in step.shown.places] == places
    assert step.shown.compare == compare


def test_files_of_its_own_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.pt2").write_bytes(b"")
    (tmp_path / "mine.png").write_bytes(b"")
    text = TEXT[:TEXT.index("## Ask")].replace("digits_cnn", "mine.pt2").replace("digit-2148", "mine.png")
    found, problems = reading.parse("a", text, tmp_path / "a.md")
    assert not problems
    assert found is not None
    assert found.recipes == (ModelRecipe(str(tmp_path / "mine.pt2"), (str(tmp_path / "mine.png"),)),)


WRONG = [
    ("---\nformat", "format", 1, "front matter"), ("format: 1", "format: x", 2, "no number"),
    ("title: A title\n", "", 1, "lacks title"), ("number: 4", "number: four", 5, "none from 1"),
    ("number: 4", "colour: red", 5, "none of format"), ("number: 4", "title: B", 5, "said twice"),
    ("time: 10 min", "time: long", 6, "no time such as"), ("language: en", "language: English", 3, "no code"),
    ("format: 1", "kind: book", 2, "none of lesson, tour, quiz"),
    ("## See it", "# See it", 12, "begins with ##"), ("digits_cnn\n", "lenet\n", 14, "no model 'lenet'"),
    ("digit-2148\n", "digit-0000\n", 15, "digit-0000"), ("view: network", "view: nowhere", 16, "no view 'nowhere'"),
    ("at: relu1.forward", "at: relu1", 17, "no moment"), ("focus: relu1:3\n", "focus: relu1:x\n", 18, "no place"),
    ("- input", "- inputs", 15, "none of model, input"), ("- view: network", "- model: lab", 16, "said twice"),
    ("*so to say*", "![so](a.png)", 20, "pictures"), ("*so to say*", "<b>so</b>", 20, "HTML"),
    ("shift=1,0", "shift=far", 24, "cannot be read"), ("shift=1,0", "unit_off=conv2:7", 24, "done to a network"),
    ("touch: time", "touch: tim", 25, "'tim' is nothing"), ("time: 30 s", "done: view", 26, "completes nothing"),
    ("time: 30 s", "knobs: ranking=up", 26, "no knob 'ranking'"), ("claim: pooling", "claim: nothing", 27, "no claim"),
    ("digit-2148\n", "/etc/hostname\n", 15, "does not lie beside"),
    ("digit-2148\n", "../a.png\n", 15, "does not lie beside"), ("digits_cnn\n", "/etc/a.pt2\n", 14, "no model"),
    ("{value}", "{value", 29, "curly bracket"),
    ("{value}", "{values}", 29, "nothing is measured under the name 'values'"),
    ("### Question", "### Questions", 31, "none of the headings"),
    ("How many terms are there?\n", "", 31, "nothing is"),
    ("- [x] 54", "- [ ] 54", 31, "the right one"), ("- [ ] one", "- [x] one", 31, "the right one"),
    ("- [x] 54\n- [ ] 55\n", "", 31, "2 to 5 answers"), ("- [ ] 55", "- [ ] one", 38, "words of its own"),
    ("  They", "They", 36, "belongs to no answer"), ("### Reveal", "### Notes", 61, "said twice"),
    ("| −2.73 ± 0.01 |", "| about 3 |", 54, "no number such as"), ("| 54 |", "|  |", 55, "is missing"),
    ("`cell value", "`sell value", 54, "no measure 'sell'"), ("| terms |", "| value |", 55, "on line 54 already"),
    ("cell terms digits_cnn digit-2148 conv2:7,3,5", "claim pooling nothing", 55, "measures no 'nothing'"),
    ("- `terms` = 54", "- `term` = 54", 59, "'term'"), ("- `terms` = 54", "- terms is 54", 59, "no condition"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), WRONG)
def test_a_wrong_lesson_is_told_by_its_line(old: str, new: str, line: int, words: str) -> None:
    assert old in TEXT
    found = told(TEXT.replace(old, new, 1))
    assert any(each.startswith(f"line {line}: ") and words in each for each in found), found


def test_every_problem_is_told_in_the_order_of_its_lines() -> None:
    found = told(TEXT.replace("digits_cnn\n", "lenet\n").replace("{terms}", "{term}").replace("shift=1,0", "fly=1"))
    lines = [int(re.match(r"line (\d+)", each)[1]) for each in found]  # type: ignore[index]
    assert {14, 24, 46} <= {*lines}
    assert lines == sorted(lines)


def test_whatever_a_slip_of_the_hand_makes_of_a_lesson_is_told_and_never_raised() -> None:
    draw = Random(0)
    pieces = ("- model: ,", "- view: ", "{}", "|", "---", "## ", "### Measured", "- [x] a", "claim pooling ", " / ",
              "\u202e", "- knobs: gain=inf", "- from: a 0", "| a | b | 1e9999 |", "<" * 99, "[" * 99 + "(" * 99, "")
    for _ in range(150):
        lines = TEXT.split("\n")
        for _ in range(draw.randint(1, 6)):
            at, way = draw.randrange(len(lines)), draw.randrange(4)
            lines[at:at + 1] = ([draw.choice(pieces), lines[at]], [], [lines[at][:at % 9] + draw.choice(pieces)],
                                [lines[at].replace(draw.choice("aeo :|-"), draw.choice("|:{`-\t "))])[way]
        found, problems = reading.parse("a", "\n".join(lines))
        assert (found is None) == bool(problems)
        assert all(1 <= each.line <= len(lines) + 1 for each in problems)


def test_a_newer_lesson_is_told_as_such_and_as_nothing_else() -> None:
    (only,) = told(TEXT.replace("format: 1", "format: 2").replace("## See it", "# See it"))
    assert only.startswith("line 2: it was written for a newer Visualizer (lesson format 2, this one reads 1)")


def test_what_an_editor_makes_of_a_file_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    for data in (TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode(), TEXT.replace("\n", "\r\n").encode()):
        path.write_bytes(data)
        found, problems = reading.read(path)
        assert not problems
        assert found == read(TEXT)


@pytest.mark.parametrize(("data", "line", "words"), [
    (TEXT.replace("map", "m\xe4p").encode("latin-1", "replace"), 20, "UTF-8"),
    (TEXT.replace("map", "m\0p").encode(), 20, "U+0000"),
    (TEXT.replace("map", "m" * 5000).encode(), 20, "4000 letters"), (b"", 1, "front matter"),
    (b"---\n" * 2, 1, "title"), (b"x" * (reading.MOST_BYTES + 1), 1, "256 KB"), (bytes(range(256)) * 9, 2, "UTF-8"),
    ((TEXT + "\n## More\n\nWords.\n" * 80).encode(), None, "at most 60 steps"),
])
def test_a_hostile_file_is_told_and_harms_nothing(tmp_path: Path, data: bytes, line: int | None, words: str) -> None:
    (tmp_path / "bad.md").write_bytes(data)
    (tmp_path / "good.md").write_text(TEXT)
    found = shelf.on_shelf([tmp_path])
    assert [each.name for each in found.lessons] == ["good"]
    ((path, problems),) = found.refused
    assert path.name == "bad.md"
    assert words in problems[0].words
    assert line in (None, problems[0].line)
    assert found.sentences[0].startswith("bad.md, line ")


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing.md")
    assert shelf.on_shelf([tmp_path, tmp_path / "nowhere"]) == shelf.Shelf()


# --- the shelf ------------------------------------------------------------------------------------------------------

def test_a_later_folder_counts_before_an_earlier_one_and_a_language_before_english(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "a.md").write_text(TEXT)
    (first / "b.md").write_text(TEXT.replace("number: 4", "number: 3"))
    (first / "a.de.md").write_text(TEXT.replace("language: en", "language: de").replace("A title", "Ein Titel"))
    (second / "b.md").write_text(TEXT.replace("A title", "Mine"))
    assert [each.title for each in shelf.on_shelf([first]).lessons] == ["A title", "A title"]
    assert [each.title for each in shelf.on_shelf([first, second]).lessons] == ["A title", "Mine"]
    assert [each.title for each in shelf.on_shelf([first], "de").lessons] == ["A title", "Ein Titel"]
    (first / "c.de.md").write_text(TEXT)
    assert "it says en, and the name of its file says de" in shelf.on_shelf([first]).sentences[0]
    (first / "c.md").write_text(TEXT)
    assert [each.name for each in shelf.on_shelf([first]).lessons] == ["b", "a", "c"]
    assert shelf.on_shelf([first]).refused == (), "the file in German is not read"
    assert shelf.on_shelf([first], every=True).refused[0][0].name == "c.de.md"


def test_a_quiz_asks_what_lessons_ask(tmp_path: Path) -> None:
    quiz = "---\nkind: quiz\ntitle: Quiz\n---\n\n## First\n\n- from: a 2\n"
    (tmp_path / "a.md").write_text(TEXT)
    (tmp_path / "quiz.md").write_text(quiz)
    (tmp_path / "bad.md").write_text(quiz.replace("a 2", "a 1"))
    found = shelf.on_shelf([tmp_path])
    asked = next(each for each in found.lessons if each.genre == lesson.QUIZ).steps[0]
    own = next(each for each in found.lessons if each.name == "a").steps[1]
    assert asked.title == "First"
    assert (asked.question, asked.reveal, asked.shown, asked.quantities) == (own.question, own.reveal, own.shown,
                                                                           own.quantities)
    assert found.sentences == ("bad.md, line 8: there is no question 'a 1'; name a lesson and the number of a step "
                               "that asks.",)
    assert shelf.of_file(tmp_path / "quiz.md")[0] is not None


def test_lessons_of_a_named_folder_are_found_from_the_command_line(tmp_path: Path,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.md").write_text(TEXT.replace("number: 4", "number: 99"))
    (tmp_path / "bad.md").write_text(TEXT.replace("digits_cnn\n", "lenet\n"))
    assert main(["--lessons", str(tmp_path), "list", "lessons", "--json"]) == 0
    out = capsys.readouterr()
    assert [each["name"] for each in json.loads(out.out) if each["number"] == 99] == ["mine"]
    assert out.err.startswith("bad.md, line 14: there is no model 'lenet'")
    assert main(["lesson", "list"]) == 0
    out = capsys.readouterr()
    assert "mine" not in out.out
    assert str(shelf.own_folder()) in out.err
    assert main(["list", "lessons", "--lessons", str(tmp_path / "nowhere")]) == 3
    assert "There is no folder" in capsys.readouterr().err


def test_the_persons_own_folder_is_looked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path))
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "pooling.md").write_text(TEXT)
    assert shelf.find("pooling").title == "A title"
    assert shelf.find("5").name == "drag-the-digit"
    (tmp_path / "lessons" / "sharing.md").write_text(TEXT.replace("digits_cnn\n", "lenet\n"))
    with pytest.raises(Refused, match=r"sharing.md, line 14"):
        shelf.find("sharing")
    with pytest.raises(LookupError, match="There is no lesson 'nothing'; there are first-look"):
        shelf.find("nothing")


def test_steps_that_do_not_say_how_long_they_take_share_what_is_left() -> None:
    assert read(TEXT).pace == (570, 30)
    assert read(TEXT.replace("time: 10 min", "time: 10 s")).pace == (0, 30)


# --- numbers in words -----------------------------------------------------------------------------------------------

def test_a_number_is_met_within_its_tolerance_and_no_further() -> None:
    def met(cell: str, value: float) -> bool:
        expected = claims.expected(cell)
        assert expected is not None
        return Quantity("a", "b", expected).met_by(Number(value, 99.0))

    assert met("39 ± 1 %", 0.4)
    assert not met("39 ± 1 %", 0.4001)
    assert met("0.74", 0.7449)
    assert not met("0.74", 0.7451)
    assert met("54", 54.4)
    assert not met("54", 55)
    assert met("<= 1e-6", 1e-7)
    assert not met("<= 1e-6", 1e-5)
    assert not met("54", float("nan"))


def test_words_have_the_measured_number_and_before_that_the_expected_one() -> None:
    found = read(TEXT)
    words = found.steps[1].quantities[0].words
    assert lesson.bare("It is {value}.", found.known(1)) == "It is -2.73."
    assert lesson.filled("It is {value}.", found.known(1), {words: Number(-2.744)}) == "It is {-2.74}."
    large = Quantity("a", "b", claims.Expected(3.56e8, 2e7))
    assert large.said(Number(355_915_301.0)) == "356,000,000"


def test_a_right_answer_that_does_not_hold_of_what_is_measured_is_told() -> None:
    found = read(TEXT)
    words = found.steps[1].quantities[1].words
    assert lesson.broken(found, 1, {}) == ()
    assert lesson.broken(found, 1, {words: Number(54)}) == ()
    assert lesson.broken(found, 1, {words: Number(50)}) == ("`terms` = 54",)


# --- what a step makes of a State -----------------------------------------------------------------------------------

def test_a_step_leads_to_its_place_in_the_look_that_there_is() -> None:
    found, now = read(TEXT), changed(State(), look=Look((800, 600), "dark", text_scale=1.5))
    state = lesson.state_of(found, 1, now)
    assert (state.lesson, state.step, state.edits, state.view) == ("a", 1, ("shift:1",), "network")
    assert (state.look.size, state.look.theme, state.look.text_scale) == ((800, 600), "dark", 1.5)
    revealed = lesson.state_of(found, 1, now, revealed=True)
    assert (revealed.view, revealed.focus) == ("microscope", Focus("conv2", (7, 3, 5)))
    assert lesson.state_of(found, 1, revealed) == state  # back is exactly the picture before


def test_what_a_change_touches_decides_whether_a_step_leaves_it() -> None:
    found = read(TEXT)
    step, start = found.steps[1], lesson.state_of(found, 1, State())
    for change, what in (({"at": "pool1.forward"}, {"time"}), ({"edits": ("shift:2",)}, {"what-if"}),
                         ({"view": "filters"}, {"view"}), ({"sample": "digit-3"}, {"input"}),
                         ({"edits": ("shift:1", "untrained")}, {"edit"}), ({"model": "lenet_mnist"}, {"model"}),
                         ({"focus": None}, {"focus"}), ({"look": Look(knobs=(("ranking", "mean"),))}, {"ranking"})):
        after = changed(start, **change)
        assert lesson.touched(start, after) == what
        assert lesson.allowed(step, start, after) == (what <= {*step.touch})
        assert lesson.allowed(replace(step, touch=("all",)), start, after)
        assert not lesson.allowed(replace(step, touch=("nothing",)), start, after)
        assert lesson.allowed(replace(step, touch=("knobs",)), start, after) == (what == {"ranking"})
    lab = changed(State(), recipe=LabRecipe((("gain", "0.9"),)))
    assert lesson.touched(lab, changed(lab, recipe=LabRecipe((("gain", "1"),)))) == {"gain"}


@pytest.mark.parametrize(("done", "change", "answered", "whether"), [
    ("answer", {}, 0, False), ("answer", {}, 2, True), ("nothing", {}, 0, True),
    ("view=microscope", {}, 0, False), ("view=microscope", {"view": "microscope"}, 0, True),
    ("focus=conv2", {"focus": Focus("conv2", (7,))}, 0, True), ("focus=conv", {"focus": Focus("conv2")}, 0, False),
    ("view=microscope and focus=conv2:7", {"view": "microscope", "focus": Focus("conv2", (7, 1, 1))}, 0, True),
    ("view=microscope and focus=conv2:7", {"view": "microscope", "focus": Focus("conv2", (70,))}, 0, False),
    ("what-if=shift", {"edits": ("rotate:9",)}, 0, False), ("what-if=shift", {"edits": ("shift:3",)}, 0, True),
    ("input=*", {}, 0, False), ("input=*", {"sample": "digit-3"}, 0, True), ("at=conv2.forward", {}, 0, False),
    ("at=conv2.forward", {"at": "conv2.forward@0.5"}, 0, True), ("time=*", None, 0, None)])
def test_what_completes_a_step(done: str, change: dict[str, object] | None, answered: int,
                               whether: bool | None) -> None:
    text = TEXT.replace("- time: 30 s", f"- time: 30 s\n- done: {done}")
    if change is None:
        assert "completes nothing" in told(text)[0]
        return
    found = read(text)
    start = lesson.state_of(found, 1, State())
    assert lesson.completed(found.steps[1], start, changed(start, **change), answered) is whether


# --- tried ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("old", "new", "line", "words"), [
    ("view: network", "view: gates", 16, "nothing to show of digits_cnn"),
    ("relu1.forward", "relu9.forward", 17, "no moment 'relu9.forward'"),
    ("focus: relu1:3", "focus: relu1:99", 18, "no cell 99"), ("focus: relu1:3", "focus: relu1:3/cell", 18, "no part"),
    ("−2.73 ± 0.01", "−3.73 ± 0.01", 54, "value: -2.73 measured, -3.73 ± 0.01 expected"),
    ("cell value digits_cnn digit-2148 conv2:7,3,5", "cell value digits_cnn digit-2148 conv9:7", 54, "no layer conv9"),
    ("- `terms` = 54", "- `terms` > 60", 22, "stands on `terms` > 60")])
def test_what_cannot_be_shown_or_is_measured_otherwise_is_told_by_its_line(old: str, new: str, line: int,
                                                                           words: str) -> None:
    assert trial.problems(read(TEXT), recorded, measured) == ()
    found = trial.problems(read(TEXT.replace(old, new)), recorded, measured)
    assert any(each.line == line and words in each.words for each in found), found


def test_a_file_is_checked_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(TEXT)
    bad.write_text(TEXT.replace("−2.73 ± 0.01", "−3.73 ± 0.01").replace("relu1:3", "relu1:99"))
    assert main(["lesson", "check", str(good)]) == 0
    assert "2 steps, 1 questions, 2 numbers; nothing is wrong with it" in capsys.readouterr().out
    assert main(["lesson", "check", str(bad), str(good), "--json"]) == 3
    first, second = json.loads(capsys.readouterr().out)
    assert [each["line"] for each in first["problems"]] == [18, 54]
    assert second["problems"] == []
    assert main(["lesson", "check", str(bad), "--quick"]) == 0
    capsys.readouterr()
    assert main(["lesson", "check", str(tmp_path / "none.md")]) == 3
    assert "There is no file" in capsys.readouterr().err
    assert main(["lesson"]) == 2
    capsys.readouterr()
    assert main(["lesson", "measures", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == list(known())


# --- those that come with the app -----------------------------------------------------------------------------------

def paragraphs(step: Step) -> list[str]:
    asked = [step.question.words] if step.question else []
    return [*step.text, *step.reveal, *asked]


def spoken_otherwise() -> list[Path]:
    """The lessons that come with the app, in other languages."""
    return sorted((registry.folder("assets") / shelf.FOLDER).glob("*.*.md"))


def filled(step: Step) -> list[str]:
    """The names of the numbers that its words tell."""
    return sorted(lesson.PLACEHOLDER.findall(" ".join([*paragraphs(step), step.notes])))


@pytest.mark.parametrize("path", spoken_otherwise(), ids=lambda path: path.stem)
def test_a_lesson_in_another_language_shows_asks_and_measures_the_same(path: Path) -> None:
    (other, problems), (own, _) = (reading.read(each) for each in
                                   (path, path.with_name(f"{path.stem.partition('.')[0]}.md")))
    assert other is not None, problems
    assert own is not None
    called = {each.name: like.name for each, like in zip(other.quantities, own.quantities, strict=True)}
    assert len({*called.values()}) == len(called) == len(own.quantities), "two numbers are called the same"
    bare = {"title": "", "text": (), "question": None, "reveal": (), "notes": ""}
    assert [replace(step, **bare, quantities=[replace(each, name=called[each.name]) for each in step.quantities],
                    decides=[re.sub("`([^`]*)`", lambda name: f"`{called[name[1]]}`", each) for each in step.decides])
            for step in other.steps] == [replace(step, **bare, quantities=[*step.quantities], decides=[*step.decides])
                                         for step in own.steps]
    for said, step in zip(other.steps, own.steps, strict=True):
        assert len(paragraphs(said)) == len(paragraphs(step)), step.title
        assert sorted(called[name] for name in filled(said)) == filled(step), step.title
        assert bool(said.notes) == bool(step.notes), step.title
        for asked, question in [(said.question, step.question)] if said.question and step.question else []:
            assert [answer.right for answer in asked.answers] == [answer.right for answer in question.answers]
            assert [bool(answer.said) for answer in asked.answers] == [bool(answer.said) for answer in question.answers]
        assert said.asks == step.asks, step.title


@pytest.mark.parametrize(("one", "other", "told"), [
    ("- model: sentiment_gru", "- model: sentiment_conv", "it says '- model: sentiment_conv', and text.md says"),
    ("| 75 ± 3 % |", "| 75 ± 4 % |", "± 4 % |', and text.md says"),
    ("- [x] fast", "- [ ] fast", "it says '- [ ]', and text.md says '- [x]'"),
    ("{shuffled}", "viele", "text.md says '{bag}, {shuffled}'"),
    ("### Decides\n", "### Notes\n", "it says '### Notes', and text.md says '### Decides'"),
    ("number: 18", "number: 7", "it says 'number: 7', and text.md says 'number: 18'"),
])
def test_what_is_no_word_and_differs_in_another_language_is_told_by_line(tmp_path: Path, one: str, other: str,
                                                                         told: str) -> None:
    folder = registry.folder("assets") / shelf.FOLDER
    own, german = (folder / name for name in ("text.md", "text.de.md"))
    shutil.copy(own, tmp_path)
    text = german.read_text(encoding="utf-8")
    assert reading.unlike(text, own.read_text(encoding="utf-8"), own.name) == ()
    line = text[:text.index(one)].count("\n") + 1
    problems = reading.unlike(text.replace(one, other, 1), own.read_text(encoding="utf-8"), own.name)
    assert any(told in each.words for each in problems), problems
    assert line in {each.line for each in problems} or one == "{shuffled}"
    (tmp_path / german.name).write_text(text.replace(one, other, 1), encoding="utf-8")
    assert shelf.of_file(tmp_path / german.name)[1]


def test_there_are_twenty_lessons_two_tours_and_a_quiz_of_ten() -> None:
    found = shelf.on_shelf([registry.folder("assets") / shelf.FOLDER], every=True)
    assert found.refused == ()
    assert [each.number for each in COURSE] == list(range(1, 21))
    assert [each.name for each in ALL if each.genre == lesson.TOUR] == ["first-look", "tour"]
    (quiz,) = (each for each in ALL if each.genre == lesson.QUIZ)
    assert len(quiz.questions) == 10
    assert len({step.borrowed for step in quiz.steps}) == 10
    assert [each.seconds for each in ALL if each.genre == lesson.TOUR] == [20, 180]
    assert all(sum(step.seconds for step in each.steps) == each.seconds for each in ALL if each.genre == lesson.TOUR)


@pytest.mark.parametrize("each", COURSE, ids=lambda each: each.name)
def test_a_lesson_is_short_asks_first_names_the_misconception_and_ends_on_a_number(each: Lesson) -> None:
    assert 8 <= each.seconds / 60 <= 12
    assert each.goal
    assert each.chapter
    assert 4 <= len(each.steps) <= 9
    assert len(each.questions) >= 2
    assert each.claims()
    assert each.quantities
    for step in each.steps:
        assert step.shown.places
        if step.question is not None:
            assert len(step.question.answers) <= 4  # a fifth is left for “not sure”
            assert step.decides, step.title
        for words in paragraphs(step):
            assert len(words.split()) <= 60, words
            assert not re.search(r"\d ?%|\d\.\d{2}", words), f"a number that nobody measures: {words}"
    wrong = [answer.said for _, question in each.questions for answer in question.answers if not answer.right]
    assert sum(bool(said) for said in wrong) >= len(each.questions)


@pytest.mark.matrix(spine=("pooling",), sample=7, each=False)
@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_place_of_a_lesson_is_there_and_every_number_is_as_expected(each: Lesson) -> None:
    assert trial.problems(each, recorded, measured) == ()


@pytest.mark.parametrize("each", COURSE, ids=lambda each: each.name)
def test_right_answers_do_not_always_stand_in_the_same_place(each: Lesson) -> None:
    assert len({question.right for _, question in each.questions}) > 1


def test_claims_that_need_a_correction_are_shown_with_it() -> None:
    shown = {claim.name for each in COURSE for claim in each.claims()}
    needed = {"translation-invariance", "no-memory", "variable-size", "intensive", "long-term", "any-length", "crnn"}
    assert needed - shown == set()


# --- measures against numbers from outside --------------------------------------------------------------------------

def test_sizes_of_maps_are_those_of_the_formula() -> None:
    for side, kernel, stride, padding, dilation in ((13, 3, 2, 1, 1), (28, 5, 1, 0, 1), (28, 3, 3, 2, 2)):
        wanted = (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        assert usual(f"outputs {side} {kernel} {stride} {padding} {dilation}").value == wanted


def test_the_laboratory_gives_the_numbers_of_the_papers() -> None:
    """A linear network with an orthogonal matrix keeps exactly its radius; He et al. 2015, and the depth factors of
    sigmoid and PyTorch's own weights: 0.25/√3 and 1/√6; Pascanu et al. 2013, the cliff."""
    linear = usual("lab rnn.factor gain=0.9 matrix=orthogonal cell=linear input=0.1").value
    assert linear == pytest.approx(0.9, abs=1e-6)
    for words, wanted in (("activation=relu", 1 / np.sqrt(6)), ("activation=relu init=he", 1.0),
                          ("activation=sigmoid", 0.25 / np.sqrt(3)),
                          ("activation=relu init=he norm=batch", np.sqrt(np.pi / (np.pi - 1)))):
        assert usual(f"lab hidden.factor {words}").value == pytest.approx(wanted, abs=0.02)
    assert usual("lab steepest[0] experiment=cliff").value == pytest.approx(26.0, abs=0.1)
    half_lives = [usual(f"lab lstm.half_life bias={bias} steps=100").value for bias in (0, 1, 2)]
    assert half_lives == sorted(half_lives)
    assert half_lives[0] == pytest.approx(1.5, abs=0.5)


def test_a_loss_of_ctc_is_that_of_all_its_spellings() -> None:
    assert usual("spells a 2").value == pytest.approx(-np.log(0.75))
    assert usual("spells aa 3").value == pytest.approx(-np.log(1 / 8))
    assert np.isinf(usual("spells aa 2").value)


def test_one_number_of_a_recording_is_torchs_own() -> None:
    made = torch.nn.functional
    opened = registry.module("record.catalog").open_model("digits_cnn")
    x = opened.prepare(registry.module("inputs").raw("digit-2148"))
    with torch.no_grad():
        maps = opened.module.conv1(x)
        answer = opened.module(x)[0].softmax(0)
    assert usual("cell value digits_cnn digit-2148 conv1:3,12,12").value == pytest.approx(float(maps[0, 3, 12, 12]))
    assert usual("answers digits_cnn digit-2148 4").value == pytest.approx(float(answer[4]), abs=1e-6)
    wanted = float(answer[4] - made.one_hot(torch.tensor(4), 10)[4])
    assert usual("cell gradient digits_cnn digit-2148 fc2:4").value == pytest.approx(wanted, abs=1e-6)
    assert usual("cell terms digits_cnn digit-2148 conv2:7,3,5").value == 6 * 3 * 3


def test_circular_edges_tell_nothing_and_zeros_do() -> None:
    zeros, circular = usual("sides zeros"), usual("sides circular")
    assert zeros.value > 0.85
    assert abs(circular.value - 0.5) < 3 * circular.error


def test_a_ratio_has_the_errors_of_both() -> None:
    ratio, one, other = (usual(words) for words in ("right digits_gmp / right digits_cnn", "right digits_gmp",
                                                    "right digits_cnn"))
    assert ratio.value == pytest.approx(one.value / other.value)
    assert ratio.error == pytest.approx(ratio.value * np.hypot(one.error / one.value, other.error / other.value))
    with pytest.raises(Refused, match="is 0"):
        usual("right digits_gmp / parameters digits_cnn pool1")


def test_names_of_measures_are_those_of_their_files() -> None:
    assert reading.measures() == tuple(sorted(known()))


@pytest.mark.parametrize("words", ["cell value digits_cnn digit-2148 conv1", "lab rnn.nothing", "lab rnn.mean gain=1",
                                   "answers digits_cnn digit-2148 x", "among digits_cnn none", "sides left",
                                   "sees digits_cnn fc1", "points lenet_mnist relu1 56", "probe char_lstm 1 x", ""])
def test_words_that_measure_nothing_are_refused(words: str) -> None:
    with pytest.raises(Refused, match=r"cannot be measured|no measure"):
        usual(words)
