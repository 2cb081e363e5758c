"""Claims: how they are read and judged, what each of them measures, and the measures against numbers from outside."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import claims, edits, inputs, registry, views
from visualizer.claims import Claim, Expected, Number
from visualizer.cli import main
from visualizer.record import measures
from visualizer.record.measures import Data, measure
from visualizer.trace import Refused

SHARED = Path(os.environ.get("VISUALIZER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
ALL = claims.claims()
DEMONSTRATED = [claim for claim in ALL if not claim.unshown]
TEXT = """---
row: C1
about: CNN
title: A title
verdict: right
---

> “Words of the article”

## Measured

| number | measure | 400 shipped | 10,000 | elsewhere |
|---|---|---|---|---|
| one | `parameters conv 3 16 3` | 448 | 448 | 448 |
| other | `field 5` | 66.4 % | — | |

## Decides

- `one` > 2 × `other`

## Correction

A sentence.
"""


# --- reading --------------------------------------------------------------------------------------------------------

def test_a_claim_is_read_whole() -> None:
    claim = claims.parse("a", TEXT)
    assert (claim.row, claim.about, claim.title, claim.verdict) == ("C1", "CNN", "A title", claims.RIGHT)
    assert claim.quote == "Words of the article"
    assert claim.numbers[0].words == "parameters conv 3 16 3"
    assert claim.numbers[0].elsewhere == "448"
    assert claim.numbers[1].shipped == Expected(0.664, 0.0, 1, True)
    assert claim.numbers[1].whole is None
    assert claim.decides == ("`one` > 2 × `other`",)
    assert claim.correction == "A sentence."


@pytest.mark.parametrize(("old", "new", "line"), [
    ("---\nrow", "row", "line 1"), ("row: C1", "row: Z1", "line 1"), ("about: CNN", "about: cats", "line 1"),
    ("verdict: right", "verdict: maybe", "line 1"), ("title: A title\n", "", "line 1"),
    ("verdict: right", "colour: red", "line 5"), ("> “Words", "“Words", "line 7"),
    ("## Decides", "## Decided", "line 17"), ("| 448 | 448 | 448 |", "| ? | 448 | 448 |", "line 14"),
    ("| 66.4 % | — | |", "|", "line 15"), ("`one` > 2", "`none` > 2", "line 19"), ("`one` > 2 ×", "one is", "line 19")])
def test_a_wrong_claim_is_told_by_its_line(old: str, new: str, line: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=line):
        claims.parse("a", TEXT.replace(old, new))


def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    for name, data in (("a.md", b"\xff\xfe\x00"), ("b.md", b"nothing"), ("c.md", b"x" * (claims.MOST_BYTES + 1))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused, match=name):
            claims.read(tmp_path / name)


@pytest.mark.parametrize(("cell", "value", "error", "share"), [
    ("17.9 ± 0.4 %", 0.179, 0.004, True), ("448", 448, 0, False), ("50,348,032", 50348032, 0, False),
    ("0.74 ± 0.02", 0.74, 0.02, False), ("−1.5", -1.5, 0, False), ("<= 1e-9", 1e-9, 0, False)])
def test_what_is_expected_is_read_as_it_is_written(cell: str, value: float, error: float, share: bool) -> None:
    found = claims.expected(cell)
    assert found is not None
    assert found.value == pytest.approx(value)
    assert found.error == pytest.approx(error)
    assert found.share is share
    assert found.most is cell.startswith("<=")


def test_a_number_is_met_within_three_standard_errors_and_no_further() -> None:
    wanted = Expected(0.179, 0.004, 1, True)
    assert wanted.met_by(Number(0.179 + 0.0124))
    assert not wanted.met_by(Number(0.179 + 0.0126))
    assert not wanted.met_by(Number(0.179 - 0.0126))
    assert wanted.met_by(Number(0.2, 0.02))
    assert Expected(448.0).met_by(Number(448.4))
    assert not Expected(448.0).met_by(Number(449.0))
    assert Expected(1e-9, most=True).met_by(Number(1e-12))
    assert not Expected(1e-9, most=True).met_by(Number(1e-8))


def test_a_condition_holds_or_does_not() -> None:
    numbers = {"one": Number(0.4, 0.01), "other": Number(1.0), "near": Number(0.42, 0.01)}
    for condition in ("`one` < `other`", "`one` < 0.5 × `other`", "`one` = `near`", "`other` >= 1", "`one` < 41 %"):
        assert claims.holds(condition, numbers), condition
    for condition in ("`one` > `other`", "`one` < 0.3 × `other`", "`one` = `other`", "`other` > 1", "`one` < 39 %"):
        assert not claims.holds(condition, numbers), condition


def test_a_verdict_that_does_not_stand_says_so() -> None:
    claim = claims.parse("a", TEXT)
    assert claims.judged(claim, {"one": Number(448), "other": Number(0.66)}).verdict == "Holds"
    fallen = claims.judged(claim, {"one": Number(1), "other": Number(0.66)})
    assert fallen.verdict == "Measured otherwise"
    assert fallen.broken == claim.decides


# --- those that come with the app -----------------------------------------------------------------------------------

def test_claims_stand_in_the_order_of_the_article() -> None:
    rows = [claim.row for claim in ALL]
    assert len(set(rows)) == len(rows)
    assert rows == sorted(rows, key=lambda row: ("CRX".index(row[0]), int(row[1:])))


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_what_a_claim_names_is_there(claim: Claim) -> None:
    assert claim.quote or claim.implied
    assert claim.misconception
    assert claim.correction
    assert claim.source
    assert bool(claim.unshown) is not bool(claim.numbers)
    assert bool(claim.numbers) is bool(claim.decides)
    assert all(registry.is_bundled(name) for name in claim.models)
    if claim.sample:
        inputs.sample(claim.sample)
    for words in claim.edits:
        edits.parse(words)
    if claim.view and claim.view != "compare":
        views.find(claim.view)
    for number in claim.numbers:
        assert number.words.split()[0] in measures.known()
        assert number.shipped is not None, number.name


def numbers(claim: Claim, data: Data) -> dict[str, Number]:
    work = measures.numbers_of(claim, data)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return dict(end.value)


@pytest.mark.parametrize("claim", DEMONSTRATED, ids=lambda claim: claim.name)
def test_a_claim_measures_what_it_expects_and_its_verdict_stands(claim: Claim) -> None:
    found = claims.judged(claim, numbers(claim, Data()))
    missed = {each.name: found.numbers[each.name] for each in claim.numbers
              if each.shipped is not None and not each.shipped.met_by(found.numbers[each.name])}
    assert not missed
    assert not found.broken


@pytest.mark.matrix(sample=2, each=False)
@pytest.mark.parametrize("claim", DEMONSTRATED, ids=lambda claim: claim.name)
def test_on_all_test_inputs_it_measures_what_it_expects_of_them(claim: Claim) -> None:
    if not (SHARED / measures.DIGITS).exists():
        pytest.skip("the 10,000 test digits are not there")
    found = claims.judged(claim, numbers(claim, Data(SHARED)))
    missed = {each.name: found.numbers[each.name] for each in claim.numbers
              if each.whole is not None and not each.whole.met_by(found.numbers[each.name])}
    assert not missed
    assert not found.broken


# --- measures against numbers from outside --------------------------------------------------------------------------

def test_counts_are_those_of_the_formulas() -> None:
    assert measure("parameters conv 3 16 3", Data()).value == 16 * (3 * 9 + 1)
    assert measure("parameters dense 3072 16384", Data()).value == (3072 + 1) * 16384
    for cell, gates in (("rnn", 1), ("gru", 3), ("lstm", 4)):
        assert measure(f"parameters {cell} 10 20", Data()).value == gates * (10 * 20 + 20 * 20 + 2 * 20)
    assert measure("cost lenet_mnist macs", Data()).value == 416_520  # LeCun et al. 1998, with padding 2
    assert measure("cost lenet_mnist waits", Data()).value == 11
    assert measure("cost rows_lstm waits", Data()).value == 28 + 1


@pytest.mark.parametrize("depth", [5, 10, 20, 40])
def test_the_used_field_is_that_of_a_sum_of_independent_steps(depth: int) -> None:
    """Each layer adds a step of −1, 0 or 1 with variance 2/3; four standard deviations against 2 n + 1 places."""
    assert measure(f"field {depth}", Data()).value == pytest.approx(4 * np.sqrt(2 / 3 * depth) / (2 * depth + 1))


def test_maps_that_move_along_follow_and_a_global_maximum_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    class Circular(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular", bias=False)
            self.whole = nn.AdaptiveMaxPool2d(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.whole(self.conv(x))  # type: ignore[no-any-return]

    torch.manual_seed(0)
    made = measures.open_model("digits_cnn")
    made = replace(made, module=Circular().eval())
    for module in ("follows", "stays"):
        monkeypatch.setattr(f"visualizer.record.measures.{module}.opened", lambda name: made)
    assert measure("follows any conv 1", Data()).value == pytest.approx(0, abs=0.01)  # a little ink leaves the frame
    assert measure("stays any conv 1", Data()).value > 0.3
    assert measure("stays any whole 1", Data()).value == pytest.approx(0, abs=0.01)


def test_words_that_ask_for_no_measure_are_refused_with_how_to_write_them() -> None:
    with pytest.raises(Refused, match="no measure 'nonsense'"):
        measure("nonsense", Data())
    with pytest.raises(Refused, match="write field DEPTH"):
        measure("field deep", Data())
    with pytest.raises(Refused, match="mnist"):
        measure("right digits_cnn", Data(Path("/nowhere")))


# --- the command line -----------------------------------------------------------------------------------------------

def test_a_claim_is_measured_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "local-patterns", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["stands"]
    assert all(number["met"] for number in told["numbers"])
    assert main(["claims", "C11"]) == 0
    assert "66.4 %" in capsys.readouterr().out
    assert main(["claims", "nothing"]) == 2
    assert "there are" in capsys.readouterr().err
    assert main(["list", "claims", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(ALL)
