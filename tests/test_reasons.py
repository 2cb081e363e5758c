"""Reasons of a recording, in the language of who looks: each of them, alone, one after another, and one in another."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.recorded import recorded
from tests.unspoken import PACKAGE
from visualizer import reasons
from visualizer.kinds import Compared, Report
from visualizer.language import speaking, table
from visualizer.scene import absence, verdict

EVERY = sorted(name for name, text in vars(reasons).items() if name.isupper() and isinstance(text, str))
FACTS = {"name": "a.b_1", "count": "3", "all": "4", "error": "1.2e-05", "most": "1e-06", "why": reasons.STRANGE}


@pytest.mark.parametrize("name", EVERY)
def test_each_is_told_whatever_stands_in_it(name: str) -> None:
    text = getattr(reasons, name)
    english, german = text.format(**FACTS), table("de")[text].format(**FACTS | {"why": table("de")[reasons.STRANGE]})
    assert reasons.told(english) == english
    with speaking("de"):
        assert reasons.told(english) == german
        assert reasons.told(f"{english} {reasons.FROZEN}") == f"{german} {table('de')[reasons.FROZEN]}"
        assert reasons.told(f"{reasons.FROZEN} {english}") == f"{table('de')[reasons.FROZEN]} {german}"


def said_by_models() -> Iterator[str]:
    """What programs of bundled models raise in whole sentences, with a word where something is filled in."""
    for path in sorted((PACKAGE.parent / "models").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                words = node.exc.args[0]
                pieces = words.values if isinstance(words, ast.JoinedStr) else [words]
                said = "".join(str(piece.value) if isinstance(piece, ast.Constant) else "'é'" for piece in pieces)
                if said[:1].isupper() and said.endswith("."):
                    yield said


def test_what_bundled_models_cannot_read_is_told() -> None:
    sentences = sorted(set(said_by_models()))
    assert len(sentences) > 3
    with speaking("de"):
        for said in sentences:
            assert reasons.told(said) != said, f"{said} stands in no language but English"


def test_what_nobody_knows_stays_as_it_is() -> None:
    with speaking("de"):
        assert reasons.told("A reason of another program.") == "A reason of another program."
        assert reasons.told("") == ""
        assert absence.clause(reasons.FROZEN) == table("de")[reasons.FROZEN].rstrip(".")


def test_the_table_of_what_was_compared_says_it_in_its_language_and_programs_read_the_english() -> None:
    row = Compared("fc", "weight_gradients.weight", None, 1e-5, 0, 6,
                   why=reasons.OF_WEIGHT.format(name="weight", why=reasons.STRANGE))
    trace = recorded("digits_cnn")
    report = Report({}, {}, {"fc": row.why}, rows=(row,))
    with speaking("de"):
        (line,) = verdict.lines(trace, report)
        assert line.against == f"Der Gradient seines weight: {table('de')[reasons.STRANGE]}"
        assert verdict.plain(trace, report)["arrays"][0]["why"] == row.why
