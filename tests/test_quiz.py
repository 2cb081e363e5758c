"""Quiz: the questions of lessons as GIFT, QTI 2.1 and CSV, read back item by item by readers that are not ours."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from visualizer import quiz, registry
from visualizer.claims import Number
from visualizer.cli import main
from visualizer.lesson import Answer, reading, shelf
from visualizer.quiz import Item
from visualizer.trace import Refused

ALL = shelf.on_shelf([registry.folder("assets") / shelf.FOLDER]).lessons
QUIZ = next(each for each in ALL if each.name == "quiz")
ITEMS = [item for lesson in ALL for item in quiz.items(lesson)]
HARD = Item("hard", 3, "A ~ title: {so}", "x = {1}\nand # more", "Is a<b & c>d, or ~ \\ \"=\"?",
            (Answer("a = b: ~c #d {e}", said="It's <i>wrong</i> & \\so"), Answer("\\= \\~", True), Answer("−2.73")),
            "It is = {1}.\nAnd: so #on", "de")
GIFT_PARSER = os.environ.get("VISUALIZER_GIFT", "")
"""The folder of `pip install --target … pygiftparserrgmf`; installed beside our own tests its folder `tests` would hide
them."""
QTI = {"q": "http://www.imsglobal.org/xsd/imsqti_v2p1", "p": "http://www.imsglobal.org/xsd/imscp_v1p1"}


def written(name: str, *items: Item) -> bytes:
    form = next(each for each in quiz.formats() if each.name == name)
    return form.to_bytes(items, "A quiz")


# --- items ----------------------------------------------------------------------------------------------------------

def test_an_item_has_its_words_with_what_was_measured_and_no_markup() -> None:
    step = QUIZ.steps[3]
    item = quiz.items(QUIZ)[3]
    assert item.name == "quiz-4"
    assert item.answers[item.right - 1].words == "about 40 %"
    assert "Still by 39 %" in item.reveal
    words = next(each.words for each in step.quantities if each.name == "two")
    assert "Still by 41 %" in quiz.items(QUIZ, {words: Number(0.41)})[3].reveal
    assert all(not set("{}*`") & {*item.text, *item.question, *item.reveal} for item in ITEMS)


def test_every_question_of_every_lesson_becomes_an_item() -> None:
    assert len(ITEMS) == sum(len(lesson.questions) for lesson in ALL)
    assert len({item.name for item in ITEMS}) == len(ITEMS)


# --- read back ------------------------------------------------------------------------------------------------------

def unescaped(words: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], words)


def from_gift(text: str) -> list[tuple[str, str, list[tuple[bool, str, str]]]]:
    """(title, question, [(right, answer, feedback)]) after the rules of Moodle's documentation: a sign that a backslash
    stands before means itself."""
    sign = r"(?:\\.|[^\\~=#{}])"
    found = []
    for block in re.split(r"\n[ \t]*\n", text):
        if block.startswith("$CATEGORY"):
            continue
        parts = re.fullmatch(rf"\s*::((?:\\.|[^\\:])*)::\[plain\]({sign}*)\{{(.*)\}}\s*", block, re.DOTALL)
        assert parts is not None, block
        answers = re.findall(rf"([=~])({sign}*)(?:#({sign}*))?", parts[3])
        found.append((unescaped(parts[1]), unescaped(parts[2]), [
            (mark == "=", unescaped(words.strip()), unescaped(said.strip())) for mark, words, said in answers]))
    return found


def test_gift_is_read_back_item_by_item() -> None:
    for item, (title, asked, answers) in zip([*ITEMS, HARD], from_gift(written("gift", *ITEMS, HARD).decode()),
                                             strict=True):
        assert title == f"{item.name} {item.title}"
        assert asked == "\n".join(filter(None, (item.text, item.question)))
        assert answers == [(each.right, each.words, item.reveal if each.right else each.said) for each in item.answers]


def test_gift_is_read_back_by_a_parser_of_others(tmp_path: Path) -> None:
    if not (Path(GIFT_PARSER) / "pygiftparser").is_dir() or not GIFT_PARSER:
        pytest.skip("pygiftparserrgmf is not there; pip install --target DIR pygiftparserrgmf, VISUALIZER_GIFT=DIR")
    hard = replace(HARD, answers=HARD.answers[1:], reveal="It is so: #on")  # it ends a feedback at = even after a \\
    (tmp_path / "quiz.gift").write_bytes(written("gift", *ITEMS, hard))
    code = ("import json; from pygiftparser import parser\n"
            "found = parser.parse(open('quiz.gift', encoding='utf-8').read())\n"
            "print(json.dumps([[each.name, each.text, [[one.percentage, one.text, one.feedback] "
            "for one in each.answer.options]] for each in found.questions]))")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": GIFT_PARSER})
    read = json.loads(done.stdout.splitlines()[-1])
    assert len(read) == len(ITEMS) + 1
    for item, (name, text, answers) in zip([*ITEMS, hard], read, strict=True):
        assert unescaped(name) == f"{item.name} {item.title}"
        assert unescaped(text).endswith(item.question)
        assert [share == 1 for share, _, _ in answers] == [each.right for each in item.answers]
        assert [unescaped(words) for _, words, _ in answers] == [each.words for each in item.answers]
        for each, (_, _, said) in zip(item.answers, answers, strict=True):
            assert unescaped(said or "") == (item.reveal if each.right else each.said)


def test_qti_is_a_package_that_is_read_back_item_by_item() -> None:
    data = written("qti", *ITEMS, HARD)
    assert data == written("qti", *ITEMS, HARD)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        manifest = ElementTree.fromstring(archive.read("imsmanifest.xml"))
        resources = manifest.findall("p:resources/p:resource", QTI)
        assert [each.get("type") for each in resources] == ["imsqti_item_xmlv2p1"] * (len(ITEMS) + 1)
        assert {"imsmanifest.xml", *(str(each.get("href")) for each in resources)} == {*archive.namelist()}
        roots = [ElementTree.fromstring(archive.read(str(each.get("href")))) for each in resources]
    for item, root in zip([*ITEMS, HARD], roots, strict=True):
        assert root.tag == f"{{{QTI['q']}}}assessmentItem"
        assert (root.get("identifier"), root.get("title")) == (item.name, item.title)
        body = root.find("q:itemBody", QTI)
        assert body is not None
        assert [each.text for each in body.findall("q:p", QTI)] == [each for each in item.text.split("\n") if each]
        assert body.findtext("q:choiceInteraction/q:prompt", "", QTI) == item.question
        choices = body.findall("q:choiceInteraction/q:simpleChoice", QTI)
        assert [each.text for each in choices] == [each.words for each in item.answers]
        right = root.findtext("q:responseDeclaration/q:correctResponse/q:value", "", QTI)
        assert [each.get("identifier") == right for each in choices] == [each.right for each in item.answers]
        said = [(each.findtext("q:feedbackInline", "", QTI)).strip() for each in choices]
        assert said == [" ".join((item.reveal if each.right else each.said).split()) for each in item.answers]
        declared = {each.get("identifier") for each in root.findall("q:outcomeDeclaration", QTI)}
        used = {each.get("outcomeIdentifier") for each in root.iter(f"{{{QTI['q']}}}feedbackInline")} | {
            each.get("identifier") for each in root.iter(f"{{{QTI['q']}}}setOutcomeValue")}
        assert used <= declared


def test_csv_is_read_back_item_by_item() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", *ITEMS, HARD).decode())))
    for item, row in zip([*ITEMS, HARD], rows, strict=True):
        assert (row["lesson"], row["step"], row["language"]) == (item.lesson, str(item.number), item.language)
        assert (row["text"], row["question"], row["reveal"]) == (item.text, item.question, item.reveal)
        answers = [row[f"answer {number}"] for number in range(1, 6)]
        assert answers == [*(each.words for each in item.answers), *[""] * (5 - len(item.answers))]
        assert answers[int(row["right"]) - 1] == next(each.words for each in item.answers if each.right)
        assert [row[f"misconception {number}"] for number in range(1, len(item.answers) + 1)] == [
            "" if each.right else each.said for each in item.answers]


# --- the command line -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("suffix", [".gift", ".zip", ".csv"])
def test_questions_are_written_from_the_command_line(suffix: str, tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"quiz{suffix}"
    assert main(["lesson", "export", "sharing", "-o", str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"{path}: 3 questions\n")
    assert path.stat().st_size > 1000


def test_what_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "export", "quiz", "-o", str(tmp_path / "quiz.doc")]) == 2
    assert "one of the endings .csv, .gift, .txt, .zip" in capsys.readouterr().err
    assert main(["lesson", "export", "nothing", "-o", str(tmp_path / "quiz.csv")]) == 2
    assert "There is no lesson 'nothing'" in capsys.readouterr().err
    without, _ = reading.parse("a", "---\ntitle: A\n---\n\n## Step\n\n- show: nothing\n\nWords.\n")
    assert without is not None
    with pytest.raises(Refused, match="Nothing is asked in a"):
        quiz.save([without], tmp_path / "quiz.csv")
    assert list(tmp_path.iterdir()) == []
