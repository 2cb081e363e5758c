"""Losses over steps: what they say, what they see, and CTC against an enumeration of every way to spell."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest

from visualizer import kinds
from visualizer.trace import Layer, Objective, Trace

COVERS = {"half_squared_errors"}


def scored(scores: np.ndarray, kind: str, loss: float, axes: tuple[str, ...] = ("step", "class"),
           **settings: object) -> Trace:
    source = Layer("fc", "input", axes, {}, (), scores)
    layer = Layer("loss", kind, (), settings, ("fc",), np.array(loss), np.array(1.0))
    return Trace("toy", (source, layer), objective=Objective(kind, None, loss))


def shares(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def spelled(way: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple(symbol for symbol, _ in groupby(way) if symbol != blank)


@pytest.mark.parametrize(("steps", "classes", "target", "blank"), [
    (4, 3, (1, 2), 0), (5, 3, (1, 1), 0), (3, 3, (0, 1, 0), 2), (6, 3, (1,), 2), (5, 2, (0, 0, 0), 1)])
def test_ctc_is_the_sum_over_every_way_to_spell(steps: int, classes: int, target: tuple[int, ...], blank: int) -> None:
    scores = np.random.default_rng(steps).normal(size=(steps, classes))
    p = shares(scores)
    ways = [way for way in product(range(classes), repeat=steps) if spelled(way, blank) == target]
    chances = np.array([np.prod([p[step, symbol] for step, symbol in enumerate(way)]) for way in ways])
    trace = scored(scores, "ctc_loss", float(-np.log(chances.sum())), target=target, blank=blank, reduction="sum")
    terms = kinds.terms(trace, "loss", ())
    assert terms.result == pytest.approx(-np.log(chances.sum()), rel=1e-12)
    assert dict(terms.met) == pytest.approx({"ways to spell it": len(ways), "Σ over ways": chances.sum()})
    assert terms.taps[0].grid == (steps, classes)
    for step, symbol in np.ndindex(steps, classes):
        through = sum(chance for way, chance in zip(ways, chances, strict=True) if way[step] == symbol) / chances.sum()
        found = kinds.of(trace["loss"]).backward_terms(trace["loss"], (trace["fc"],), 0, (step, symbol))
        assert found.result == pytest.approx(p[step, symbol] - through, abs=1e-12)
        assert dict(found.met)["ways through here"] == pytest.approx(through, abs=1e-12)


def test_ctc_says_how_many_ways_there_are() -> None:
    scores = np.zeros((3, 3))
    words = kinds.sentence(scored(scores, "ctc_loss", float(np.log(27 / 5)), target=(1, 2), blank=0, reduction="sum"),
                           "loss")
    assert words == ("The loss is −ln of the probability that 3 steps spell 1 2, all 5 ways together: "
                     "−ln 0.185 = 1.69.")


def test_a_loss_over_steps_says_where_it_is_worst() -> None:
    scores = np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    aims = (0, 1, 1, -100)
    loss = float(-np.log([0.5, 0.1, 0.8]).mean())
    trace = scored(scores, "cross_entropy", loss, target=aims, batch=None)
    assert kinds.sentence(trace, "loss") == (
        "The loss is −ln of the share given to the target, averaged over 3 steps: 1.07; it is worst at step 1, with a "
        "share of 0.1.")
    terms = kinds.terms(trace, "loss", ())
    assert terms.result == pytest.approx(loss)
    assert dict(terms.met) == pytest.approx({"places that count": 3, "largest −ln p[target]": -np.log(0.1),
                                             "smallest −ln p[target]": -np.log(0.8)})
    assert {tuple(cell) for cell in terms.taps[0].cells} == {(step, k) for step in range(3) for k in range(2)}
    assert kinds.of(trace["loss"]).short(trace["loss"], ()) == "3 targets"
    assert kinds.receptive_field(trace, "loss", ())["fc"] == ((0, 2), (0, 1))


def test_the_loss_of_one_step_reads_that_step_alone() -> None:
    scores = np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    trace = scored(scores, "cross_entropy", float(-np.log(0.1)), target=(-100, 1, -100), batch=None)
    assert kinds.sentence(trace, "loss") == (
        "The loss is −ln of the share given to class 1 at step 1: −ln 0.1 = 2.3.")
    terms = kinds.terms(trace, "loss", ())
    assert [tuple(cell) for cell in terms.taps[0].cells] == [(1, 0), (1, 1)]
    assert dict(terms.met)["p[target]"] == pytest.approx(0.1)
    assert kinds.of(trace["loss"]).short(trace["loss"], ()) == "target 1"
    assert kinds.receptive_field(trace, "loss", ())["fc"] == ((1, 1), (0, 1))
    slopes = [kinds.of(trace["loss"]).backward_terms(trace["loss"], (trace["fc"],), 0, cell).result
              for cell in np.ndindex(3, 2)]
    assert slopes == pytest.approx([0, 0, 0.9, -0.9, 0, 0])


def test_the_square_of_a_difference_says_what_was_wanted() -> None:
    trace = scored(np.array([0.5]), "mse_loss", 0.0625, axes=("unit",), target=0.75)
    assert kinds.sentence(trace, "loss") == (
        "The loss is the square of how far the answer 0.5 is off the wanted 0.75: −0.25² = 0.0625.")
    assert kinds.of(trace["loss"]).short(trace["loss"], ()) == "target 0.75"
    terms = kinds.terms(trace, "loss", ())
    assert terms.result == 0.0625
    assert dict(terms.met) == {"answered": 0.5, "wanted": 0.75, "difference": -0.25}
    back = kinds.of(trace["loss"]).backward_terms(trace["loss"], (trace["fc"],), 0, (0,))
    assert back.result == -0.5
    assert kinds.receptive_field(trace, "loss", ())["fc"] == ((0, 0),)


def test_the_mean_of_squares_says_over_how_many() -> None:
    trace = scored(np.array([[1.0, 2.0], [0.0, 5.0]]), "mse_loss", 3.5, axes=("step", "unit"), target=1.0)
    assert kinds.terms(trace, "loss", ()).result == (0 + 1 + 1 + 16) / 4 == 4.5
    assert "averaged over 4 numbers: 3.5" in kinds.sentence(trace, "loss")
    assert dict(kinds.terms(trace, "loss", ()).met) == {"numbers that count": 4, "largest (y − target)²": 16}


def test_the_loss_of_log_probabilities_says_the_same() -> None:
    scores = np.log([[0.5, 0.5], [0.9, 0.1]])
    trace = scored(scores, "nll_loss", float(-np.log([0.5, 0.1]).mean()), target=(0, 1), batch=None)
    assert "averaged over 2 steps: 1.5; it is worst at step 1, with a share of 0.1" in kinds.sentence(trace, "loss")


@pytest.mark.parametrize("counts", ["end", "every"])
def test_half_the_squared_errors_of_several_answers_hand_back_the_differences(counts: str) -> None:
    answers = [np.array([[0.5], [2.0], [3.0]]), np.array([[1.0], [1.0], [-1.0]])]
    since = 2 if counts == "end" else 0
    loss = 0.5 * sum(float(((one[since:] - 1) ** 2).sum()) for one in answers)
    sources = tuple(Layer(f"read{number}", "input", ("step", "unit"), {}, (), one)
                    for number, one in enumerate(answers))
    layer = Layer("loss", "half_squared_errors", (), {"target": 1.0, "counts": counts}, ("read0", "read1"),
                  np.array(loss), np.array(1.0))
    trace = Trace("toy", (*sources, layer), objective=Objective("squared_error", None, loss))
    assert trace.check().passed
    assert f"{loss:.3g}" in kinds.of(layer).sentence(layer, sources)  # type: ignore[union-attr]
    for which, one in enumerate(answers):
        for step in range(3):
            moved = one.copy()
            moved[step] += 1e-6
            slope = (0.5 * float(((moved[since:] - 1) ** 2).sum()) - 0.5 * float(((one[since:] - 1) ** 2).sum())) / 1e-6
            back = kinds.of(layer).backward_terms(layer, sources, which, (step, 0))  # type: ignore[union-attr]
            assert back.result == pytest.approx(slope, abs=1e-5)
