"""Answers: what each kind says, draws, measures and offers to send back; and that a recorder names what the model hands
back, never a layer inside it."""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests import answer_toys as toys
from tests.sources import nodes
from tests.test_layout import faults
from visualizer import answers, card, cli, draw, inputs, record, registry
from visualizer import app as the_app
from visualizer.answers import boxes, mask, string
from visualizer.scene import numbers, telling
from visualizer.scene.picture import Image, Line, Rect, unmarked
from visualizer.scene.picture import Path as Curves
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import timeline
from visualizer.trace import Answer, Refused, from_bytes
from visualizer.ui.store import Store
from visualizer.ui.window import Window

ROOT = Path(__file__).resolve().parent.parent
TOYS = {"boxes": toys.boxes, "mask": toys.mask, "picture": toys.picture}


# --- the kinds ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", answers.kinds(), ids=lambda kind: kind.name)
def test_every_kind_says_what_is_needed(kind: answers.AnswerKind) -> None:
    assert answers.kind(kind.name) is kind
    assert (registry.module("answers").__path__[0] + f"/{kind.name}.py") in [
        module.__file__ for module in registry.modules("answers")]
    assert kind.title
    assert kind.asks
    assert all(answers.asked(word) is kind for word in kind.asks)


def test_nothing_else_asks_for_a_kind_by_its_name() -> None:
    """Outside `answers/`, and what reads old recordings, no literal that names a kind of answer is compared."""
    names = {kind.name for kind in answers.kinds()} - {"string", "picture", "number", "numbers", "mask"}
    found = []
    for path in sorted((ROOT / "visualizer").rglob("*.py")):
        if path.parent.name == "answers" or path.name == "trace.py":
            continue
        for node in nodes(path):
            compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            words = [leaf.value for each in compared for leaf in ast.walk(each) if isinstance(leaf, ast.Constant)]
            found += [f"{path.name}:{node.lineno} {word}" for word in words if word in names]
    assert not found


@pytest.mark.parametrize(("model", "kind", "layer", "returned"), [
    ("digits_cnn", "classes", "softmax", "fc2"), ("rows_lstm", "classes", "softmax", "fc"),
    ("char_gru", "tokens", "softmax", "fc"), ("sentiment_gru", "tokens", "softmax", "fc"),
    ("crnn_strip", "string", "softmax", "fc"), ("adding_lstm", "number", "fc", "")])
def test_the_answers_of_bundled_models(model: str, kind: str, layer: str, returned: str) -> None:
    trace = record.record(model)
    (answer,) = trace.answers
    assert (answer.kind, answer.labels, answer.layer, answer.returned) == (kind, trace.labels, layer, returned)
    assert trace[answer.layer].kind == ("softmax" if kind != "number" else "linear")
    assert (trace.answer is None) == (kind != "classes")
    assert [each.kind for each in trace.fed] == [registry.card(model)["input"]["kind"]]
    assert card.bundled(model).answers == kind or kind == "tokens"
    assert answers.sentence(trace, answer).endswith(".")
    again = from_bytes(trace.to_bytes())
    assert (again.fed, again.answers[0].settings) == (trace.fed, answer.settings)


class Attends(nn.Module):
    """An LSTM whose steps are weighed by a softmax; it answers with one number."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.weigh, self.fc = nn.LSTM(5, 6, batch_first=True), nn.Linear(6, 1), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(x)
        shares = self.weigh(states)[..., 0].softmax(1)
        return self.fc((shares[..., None] * states).sum(1))


def test_a_softmax_inside_a_model_is_never_taken_for_the_answer() -> None:
    torch.manual_seed(0)
    trace = record.capture(Attends().eval(), torch.randn(1, 7, 5))
    assert trace.answer is None
    assert [(answer.layer, answer.kind) for answer in trace.answers] == [("fc", "number")]
    assert trace["softmax"].axes != ("class",)
    assert "The network answers" not in draw(trace, view="network", at="softmax.forward").caption
    value = float(trace["fc"].output.reshape(-1)[0])
    assert draw(trace, view="network", at="fc.forward").caption == (
        f"7 × 5 = 35 numbers went in. The network answers {value:.3f}.".replace("-", "−"))


def test_a_recording_of_before_names_its_answer_as_it_did() -> None:
    for model, kind in (("digits_cnn", "classes"), ("char_gru", "tokens"), ("crnn_strip", "string")):
        made = record.record(model)
        old = from_bytes(without(made.to_bytes(), "fed", "answers"))
        (one,), (other,) = made.answers, old.answers
        assert (one.layer, one.kind, one.labels, one.returned) == (other.layer, kind, other.labels, other.returned)
        assert dict(one.settings) == dict(other.settings)
        assert old.fed == made.fed


def without(data: bytes, *names: str) -> bytes:
    """A file of a recording without some of what it says of itself, as an earlier version wrote it."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member.endswith(".json"):
                header = json.loads(content)
                content = json.dumps({key: value for key, value in header.items() if key not in names}).encode()
                assert len(header) == len(json.loads(content)) + len(names)
            new.writestr(member, content)
    return made.getvalue()


@pytest.mark.parametrize("kind", TOYS)
def test_a_recording_with_an_answer_comes_back_from_its_file(kind: str, tmp_path: Path) -> None:
    trace = TOYS[kind]()
    again = from_bytes(trace.to_bytes())
    one, other = trace.answers[0], again.answers[0]
    assert (one.layer, one.kind, dict(one.settings)) == (other.layer, other.kind, dict(other.settings)) \
        == (one.layer, kind, dict(one.settings))
    assert np.array_equal(one.truth, other.truth)
    assert again.digest == trace.digest


def test_an_answer_of_a_kind_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="There is no kind of answer 'smell'"):
        record.capture(toys.Marker(), toys.scene(), answer="smell")


@pytest.mark.parametrize("target", [np.int64(1), torch.tensor(1), torch.tensor([1]), np.array([1])])
def test_a_target_may_come_in_any_type(target) -> None:
    """The loss is torch's own of class 1."""
    logits = torch.tensor([[0.5, 1.0, -2.0]])
    trace = record.capture(nn.Identity(), logits.clone().requires_grad_(), target)
    assert trace.objective.value == pytest.approx(nn.functional.cross_entropy(logits, torch.tensor([1])).item())
    assert trace.answer is not None


def test_a_number_is_compared_with_a_number() -> None:
    made = nn.Linear(2, 1)
    trace = record.capture(made, torch.ones(1, 2), 0.5)
    value = made(torch.ones(1, 2)).detach()
    wanted = nn.functional.mse_loss(value, torch.tensor([[0.5]])).item()
    assert trace.objective.value == pytest.approx(wanted)
    assert answers.score(trace, trace.answers[0]) == (("off by", pytest.approx(abs(float(value) - 0.5))),)
    with pytest.raises(Refused, match=r"write 2\.0 for the square of how far it is off"):
        record.capture(made, torch.ones(1, 2), 2)


@pytest.mark.parametrize("target", [0, 1])
def test_a_class_of_one_number_is_yes_or_no(target: int) -> None:
    """As a logit; where the model ends in a sigmoid, as a chance."""
    made = nn.Linear(2, 1)
    for model in (made, nn.Sequential(made, nn.Sigmoid())):
        trace = record.capture(model.eval(), torch.ones(1, 2), target)
        logit = made(torch.ones(1, 2)).detach().double()
        wanted = nn.functional.binary_cross_entropy_with_logits(logit, torch.full_like(logit, target)).item()
        assert (trace.objective.kind, trace.objective.value) == ("binary_cross_entropy", pytest.approx(wanted))


class TwoHeads(nn.Module):
    """A class and a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 1, 3, padding=1), nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        made = self.conv(x)
        return self.fc(made.flatten(1)), made


def test_all_that_is_handed_back_is_named_and_the_first_is_asked_about() -> None:
    trace = record.capture(TwoHeads().eval(), toys.scene(), 2)
    assert [(answer.layer, answer.kind) for answer in trace.answers] == [("softmax", "classes"), ("conv", "picture")]
    assert trace.objective.kind == "cross_entropy"
    assert any("hands back 2 tensors; the first" in note for note in trace.notes)


class Named(nn.Module):
    """Features first, then what a label is for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        made = self.conv(x).relu()
        return {"features": made, "logits": self.fc(made.mean((2, 3)))}


def test_the_output_that_is_asked_about_can_be_named() -> None:
    torch.manual_seed(0)
    model, x = Named().eval(), torch.randn(1, 3, 8, 8)
    trace = record.capture(model, x, 1, answer={"output": "logits"})
    wanted = torch.nn.functional.cross_entropy(model(x)["logits"], torch.tensor([1]))
    assert trace.objective.value == pytest.approx(float(wanted.detach()), rel=1e-6)
    assert [answer.layer for answer in trace.answers] == ["softmax"]
    assert any("'logits' is the one that is asked about" in note for note in trace.notes)
    for answer, words in ((None, "(that is output 'features'; answer={'output': 'logits'} asks about another)."),
                          ({"output": "boxes"}, "hands back no output 'boxes'; name 'features' or 'logits'.")):
        with pytest.raises(Refused, match=re.escape(words)):
            record.capture(model, x, 1, answer=answer)
    second = record.capture(TwoHeads().eval(), toys.scene(), answer={"output": 1})
    assert second.answers[0].layer == "conv"


# --- boxes ----------------------------------------------------------------------------------------------------------

def test_the_box_is_where_its_numbers_say() -> None:
    """The first cell sees 9 of 16 bright pixels: 16 · 9/16 − 4 = 5; its middle is (2, 2), a cell is 4 pixels."""
    trace = toys.boxes()
    (found,) = boxes.found(trace.answers[0], trace["heads"].output)
    left, top = (0.25 * 9 / 16 + 0.125) * 4, 0.5 * 9 / 16 * 4
    assert found.box == pytest.approx((2 - left, 2 - top, 2 + 0.5 * 4, 2 + 0.5 * 4))
    assert found.score == pytest.approx(1 / (1 + np.exp(-5)))
    assert found.place == (0, 0)


@pytest.mark.parametrize(("one", "other", "share"), [
    ((0, 0, 2, 2), (0, 0, 2, 2), 1.0), ((0, 0, 2, 2), (1, 0, 3, 2), 2 / 6), ((0, 0, 1, 1), (2, 2, 3, 3), 0.0),
    ((0, 0, 4, 4), (1, 1, 3, 3), 4 / 16), ((0, 0, 0, 0), (0, 0, 0, 0), 0.0)])
def test_overlap_is_shared_area_over_all_area(one: boxes.Box, other: boxes.Box, share: float) -> None:
    assert boxes.overlap(one, other) == boxes.overlap(other, one) == pytest.approx(share)


def test_of_boxes_that_overlap_the_surest_stays() -> None:
    rows = np.array([[0.9, 0, 0, 4, 4], [0.8, 0, 0, 4, 3.5], [0.7, 5, 5, 7, 7], [0.4, 0, 8, 1, 9]])
    found = boxes.found(Answer("x", "boxes"), rows)
    assert [each.place for each in found] == [(0,), (2,)]
    loose = boxes.found(Answer("x", "boxes", settings={"overlap": 0.9, "threshold": 0.3}), rows)
    assert [each.place for each in loose] == [(0,), (1,), (2,), (3,)]


def test_boxes_are_measured_against_the_right_ones() -> None:
    """One of two is found, with a share by hand; nothing found is 0, all found is 1."""
    trace = toys.boxes()
    (found,) = boxes.found(trace.answers[0], trace["heads"].output)
    wide, high = 4 - 1, 4 - 1.0  # of the right box x 1 to 5, y 1 to 4; ours ends at 4, and begins before 1
    ours = (found.box[2] - found.box[0]) * (found.box[3] - found.box[1])
    share = wide * high / (ours + 12 - wide * high)
    score = dict(answers.score(trace, trace.answers[0]))
    assert score == {"overlap (IoU)": pytest.approx(share / 2), "right boxes found": 1.0,
                     "boxes too many": 0.0}
    all_right = replace(trace, answers=(replace(trace.answers[0], truth=np.array([found.box])),))
    assert answers.score(all_right, all_right.answers[0])[0][1] == pytest.approx(1)
    strict = {**trace.answers[0].settings, "threshold": 1.0}
    none = replace(trace, answers=(replace(trace.answers[0], settings=strict),))
    assert answers.score(none, none.answers[0])[0][1] == 0
    assert "finds {nothing}" in answers.sentence(none, none.answers[0])


@pytest.mark.parametrize(("words", "value", "slope"), [
    ("box:0.width", 3.0625, 4 * 0.25 / 16), ("box:0.left", 0.9375, -4 * 0.25 / 16),
    ("box:0.height", 3.125, 4 * 0.5 / 16), ("box:0.score", 5.0, 16 / 16), ("box:0.bottom", 4.0, 0.0),
    ("logit:1", -1.0, 0.0)])
def test_a_number_of_a_box_can_be_sent_back(words: str, value: float, slope: float) -> None:
    """Its slope at each of the 16 pixels of the cell is known by hand."""
    trace = toys.boxes(words)
    assert trace.objective.value == value
    assert trace["input"].gradient[0, :4, :4] == pytest.approx(np.full((4, 4), slope))
    assert not trace["input"].gradient[0, 4:, :4].any()
    report = trace.check()
    assert report.passed
    assert not report.unverified


def test_the_loss_of_boxes_is_that_of_yolov3() -> None:
    """The first right box is wanted of the first cell, which overlaps it; the second of the last cell, whose middle is
    nearest: squares of their edges in cells, and torch's binary cross entropy of all four scores."""
    trace = toys.boxes()
    model, fed = toys.Finder().eval(), toys.scene().requires_grad_()
    made = model(fed)
    scores, wanted = made[0, 0], torch.tensor([[1.0, 0], [0, 1]])
    first = torch.tensor([2 - 1, 2 - 1, 5 - 2, 4 - 2]) / 4
    last = torch.tensor([6 - 6, 6 - 6, 8 - 6, 8 - 6]) / 4
    loss = ((made[0, 1:, 0, 0] - first) ** 2).sum() + ((made[0, 1:, 1, 1] - last) ** 2).sum() + \
        nn.functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum")
    loss.backward()
    assert trace.objective.value == pytest.approx(loss.item(), rel=1e-6)
    assert trace["input"].gradient == pytest.approx(fed.grad[0].numpy(), rel=1e-5, abs=1e-7)
    weights = trace["heads"].weight_gradients["weight"]
    assert weights == pytest.approx(model.heads.weight.grad.numpy(), rel=1e-5, abs=1e-7)
    report = trace.check()
    assert report.passed
    assert not report.unverified
    said = draw(trace, view="network", at="loss.forward").caption
    assert said.startswith("The loss adds the squares of how far the edges of the right boxes are off, ")


@pytest.mark.parametrize(("words", "says"), [("box:1.width", "There is no box 1; there are 1, counted from 0"),
                                             ("box:0.depth", "use loss, none, box:0.score, box:0.width, or logit:N"),
                                             ("logit:20", "There is no output 20; the model gives 20")])
def test_what_is_not_there_cannot_be_sent_back(words: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        toys.boxes(words)
    assert str(caught.value).count(". ") == 0


# --- masks and pictures ---------------------------------------------------------------------------------------------

def test_a_mask_is_measured_against_the_right_one() -> None:
    """The block of 12 pixels is found, the fainter one of 4 is not: 12 of 16, and 2 · 12 of 12 + 16."""
    trace = toys.mask()
    found = mask.inside(trace, trace.answers[0])
    assert found.sum() == 12
    assert found[1:4, 1:5].all()
    assert answers.score(trace, trace.answers[0]) == (("overlap (IoU)", 12 / 16), ("Dice", 24 / 28))
    assert answers.sentence(trace, trace.answers[0]) == \
        "The network takes {12 of 64} pixels to belong to it; they overlap the right ones by 75 %."


def test_boxes_in_rows_are_wanted_at_the_nearest_row_each() -> None:
    """Two right boxes at one place take two rows: the second the next best; chances that are no logits."""
    rows = torch.tensor([[0.9, 0, 0, 4, 4], [0.2, 1, 0, 4, 4], [0.6, 7, 7, 9, 9]]).requires_grad_()
    truth = np.array([[0, 0, 4, 4], [0, 0, 4, 5.0]])
    trace = record.capture(nn.Identity(), rows[None], truth, answer="boxes")
    edges = (torch.tensor([[0.0, 0, 4, 4]]) - rows[:1, 1:]).square().sum() + \
        (torch.tensor([[0.0, 0, 4, 5]]) - rows[1:2, 1:]).square().sum()
    scores = nn.functional.binary_cross_entropy(rows[:, 0], torch.tensor([1.0, 1, 0]), reduction="sum")
    assert trace.objective.value == pytest.approx((edges + scores).item(), rel=1e-6)


@pytest.mark.parametrize(("kind", "truth", "says"), [
    ("boxes", np.array([1.0, 2, 3, 4]), "Right boxes are rows of left, top, right and bottom"),
    ("mask", np.zeros((3, 3)), "A mask of 8 × 8 pixels needs a right one of as many, and 9 numbers were given"),
    ("marks", np.zeros((8, 8)), "Chances lie between 0 and 1, and the model answers from")])
def test_a_truth_that_does_not_fit_is_refused_in_one_sentence(kind: str, truth: np.ndarray, says: str) -> None:
    model = toys.Finder() if kind == "boxes" else toys.Marker()
    said = {"kind": "mask", "score": "chance"} if kind == "marks" else kind
    with pytest.raises(Refused, match=says) as caught:
        record.capture(model.eval(), toys.scene(), truth, answer=said)
    assert str(caught.value).count(". ") == 0


def test_a_mask_whose_numbers_are_no_chances_is_one_of_logits() -> None:
    trace = record.capture(toys.Marker().eval(), toys.scene(), toys.mask_truth(), answer="mask")
    wanted = record.capture(toys.Marker().eval(), toys.scene(), toys.mask_truth(),
                            answer={"kind": "mask", "score": "logit"})
    assert trace.objective == wanted.objective
    assert answers.sentence(trace, trace.answers[0]) == answers.sentence(wanted, wanted.answers[0])


@pytest.mark.parametrize("channel", [None, 1])
def test_the_loss_of_a_mask_is_binary_cross_entropy(channel: int | None) -> None:
    model: nn.Module = toys.Marker() if channel is None else nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Sigmoid())
    said = {"kind": "mask", **({"score": "logit"} if channel is None else {"channel": channel})}
    trace = record.capture(model.eval(), toys.scene(), toys.mask_truth(), answer=said)
    fed, wanted = toys.scene().requires_grad_(), torch.tensor(toys.mask_truth()).float()
    made = model(fed)[0, channel or 0]
    loss = (nn.functional.binary_cross_entropy_with_logits if channel is None else
            nn.functional.binary_cross_entropy)(made, wanted)
    loss.backward()
    assert (trace.objective.kind, trace.objective.value) == ("binary_cross_entropy", pytest.approx(loss.item()))
    assert trace["input"].gradient == pytest.approx(fed.grad[0].numpy(), rel=1e-4, abs=1e-8)
    report = trace.check()
    assert report.passed
    assert not report.unverified
    assert "averaged over 64 numbers" in draw(trace, view="network", at="loss.forward").caption


@pytest.mark.parametrize(("make", "words", "value", "slope"), [
    (toys.mask, "sum", -142.0, None), (toys.mask, "pixel:2,2", 2.5, (2, 2, 2.0)),
    (toys.picture, "pixel:3,4", 0.75, (2, 4, 0.25)), (toys.picture, "sum", 12 * 0.75 + 4 * 0.25 + 2 * 0.125, None),
    (toys.picture, "pixel:0,3,4", 0.75, (3, 4, 0.5))])
def test_a_pixel_or_the_sum_can_be_sent_back(make, words, value, slope) -> None:
    trace = make(words)
    assert trace.objective.value == value
    if slope is not None:
        assert trace["input"].gradient[0, slope[0], slope[1]] == slope[2]
    report = trace.check()
    assert report.passed
    assert not report.unverified


def test_a_picture_is_measured_by_its_squares() -> None:
    trace = toys.picture()
    apart = trace["conv"].output[0] - toys.scene()[0, 0].numpy()
    squares = float((apart ** 2).mean())
    assert trace.objective == type(trace.objective)("mean_squared_error", None, pytest.approx(squares))
    score = dict(answers.score(trace, trace.answers[0]))
    assert score["mean squared difference"] == pytest.approx(squares)
    assert score["peak signal to noise, dB"] == pytest.approx(-10 * np.log10(squares))
    assert trace.check().passed
    assert not trace.check().unverified
    own = replace(trace, answers=(replace(trace.answers[0], truth=None, settings={"truth": "input"}),))
    assert dict(answers.score(own, own.answers[0])) == score


@pytest.mark.parametrize(("one", "other", "apart"), [((), (), 0), ((1, 2), (), 2), ((1, 2, 3), (1, 3), 1),
                                                     ((1, 2, 3), (3, 2, 1), 2), ((4, 0, 7), (4, 0, 7), 0)])
def test_strings_are_measured_by_what_has_to_be_changed(one, other, apart) -> None:
    assert string.distance(one, other) == string.distance(other, one) == apart


# --- on screen ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", TOYS)
def test_the_last_column_of_the_network_shows_the_answer(kind: str) -> None:
    trace = TOYS[kind]()
    layer = trace.answers[0].layer
    for size in ((1600, 900), (1024, 768)):
        picture = draw(trace, view="network", at=f"{layer}.forward", size=size, lens="off")
        x = size[0] * 0.74
        marks = [mark for mark in (*picture.still, *picture.moving) if getattr(mark, "x", x) >= x]
        (seen,) = (mark for mark in marks if isinstance(mark, Image))
        pixel = seen.cell[0]
        assert seen.x + pixel * 8 <= size[0]
        if kind == "boxes":
            (found,) = boxes.found(trace.answers[0], trace[layer].output)
            drawn = [mark for mark in marks if isinstance(mark, Rect) and mark.stroke == "accent"]
            assert [(mark.x, mark.y, mark.width, mark.height) for mark in drawn] == [pytest.approx(
                (seen.x + found.box[0] * pixel, seen.y + found.box[1] * pixel, 3.0625 * pixel, 3.125 * pixel))]
            dashed = [mark for mark in marks if isinstance(mark, Line) and mark.dashed and mark.color == "ink"]
            assert len(dashed) == 2, "the right boxes"
        if kind == "mask":
            (edges,) = (mark for mark in marks if isinstance(mark, Curves) and mark.stroke == "accent"
                        and mark.curves[0][0][0] >= x)
            assert len(edges.curves) == 2 * (3 + 4), "the sides of a block of 3 × 4 pixels"
        assert unmarked(answers.sentence(trace, trace.answers[0])) == picture.caption


def test_a_network_of_classes_keeps_its_whole_width() -> None:
    trace = record.record("digits_cnn")
    assert answers.drawn(trace) == ()
    assert "answers 4 with" in draw(trace, view="network", at="softmax.forward").caption


@pytest.mark.parametrize("kind", TOYS)
@pytest.mark.parametrize("size", [(1600, 900), (1366, 768), (1024, 768)])
def test_answers_and_their_losses_keep_the_law_of_layout(kind: str, size: tuple[int, int]) -> None:
    trace = TOYS[kind]()
    for beat in timeline(trace).beats:
        picture = draw(trace, view="network", at=beat.address, size=size)
        assert list(faults(picture, 1.0)) == []


@pytest.mark.parametrize("kind", TOYS)
def test_a_still_shows_the_answer_not_what_it_costs(kind: str) -> None:
    trace = TOYS[kind]()
    assert telling.answered(trace, timeline(trace)) == f"{trace.answers[0].layer}.forward"
    assert answers.chooses(trace) is False


class Logarithms(nn.Module):
    """Ends in a log-softmax over three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x).log_softmax(1)


def test_only_the_answer_is_drawn_as_bars() -> None:
    """Bars as long as torch's probabilities; logarithms of them, which are no shares of anything, are cells."""
    torch.manual_seed(3)
    made, fed = Logarithms().eval(), torch.tensor([[0.3, -1.2]])
    trace = record.capture(made, fed, 2)
    (answer,) = trace.answers
    assert [layer.name for layer in trace if layer.axes == ("class",)][-2:] == ["log_softmax", answer.layer]
    chances = made(fed).exp()[0].detach().numpy()
    picture = draw(trace, view="network", at=f"{answer.layer}.forward")
    bars = [mark for mark in picture if isinstance(mark, Rect) and mark.fill in ("accent-fill", "ink-2")]
    tracks = {mark.focus.cell[0]: mark for mark in picture if isinstance(mark, Rect) and mark.fill == "sunk"
              and mark.focus is not None and mark.focus.layer == answer.layer}
    assert sorted(tracks) == [0, 1, 2]
    for index, chance in enumerate(chances):
        (bar,) = (mark for mark in bars if mark.y == tracks[index].y)
        assert bar.width / tracks[index].width == pytest.approx(chance, rel=1e-6)
        assert (bar.fill == "accent-fill") == (chance == chances.max())
    logits = made.fc(fed).detach().requires_grad_()
    nn.functional.cross_entropy(logits, torch.tensor([2])).backward()
    pull = f"{float(logits.grad[0, 2]):.3f}".replace("-", "−")
    assert answers.begins(trace, answer).endswith(f"minus 1 for the label 2, which gets {{{pull}}}.")


def test_where_one_logit_is_sent_back_nothing_is_said_of_a_label() -> None:
    trace = record.record("digits_cnn", objective="logit:3")
    (answer,) = trace.answers
    assert answers.begins(trace, answer).endswith("that of 3, which gets {+1.000}; the others get 0.")
    assert not any("label" in words for words in answers.heading(trace, answer.layer, True))


@pytest.mark.parametrize("kind", TOYS)
def test_the_window_and_the_command_line_open_such_a_recording(kind: str, qtbot, tmp_path: Path, capsys) -> None:
    trace = TOYS[kind]()
    path = trace.save(tmp_path / "it.trace")
    layer = trace.answers[0].layer
    assert cli.main(["shot", str(path), "--at", f"{layer}.forward", "-o", str(tmp_path / "it.png")]) == 0
    assert "The network" in capsys.readouterr().out
    the_app.application()
    state = changed(State(), model=str(path), sample="scene", view="network", at=f"{layer}.forward")
    window = Window(Store(state, trace))
    qtbot.addWidget(window)
    window.resize(1600, 900)
    with qtbot.waitExposed(window):
        window.show()
    assert window.stage.picture.caption.startswith("The network")


# --- a model of one's own, from a folder ----------------------------------------------------------------------------

FINDER = '''
import numpy as np
import torch
from tests.answer_toys import BOXES, Finder

TITLE, LABELS = "Finder", ()
INPUT = {"kind": "image", "shape": [1, 8, 8]}
ANSWER = BOXES


def build():
    return Finder()


def prepare(raw):
    return torch.tensor(np.asarray(raw)[::4, ::4][:8, :8].copy()).reshape(1, 1, 7, 7).float()[..., :7, :7].div(255)
'''

LISTENER = '''
import torch
from torch import nn

TITLE, LABELS = "Listener", ("low", "high")
INPUT = {"kind": "audio", "rate": 800}


def build():
    net = nn.Sequential(nn.Conv1d(1, 2, 4, stride=4), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(2, 2))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1]]).reshape(2, 1, 4) / 4)
        net[4].weight.copy_(torch.tensor([[8.0, 0], [0, 8]]))
        for bias in (net[0].bias, net[4].bias):
            bias.zero_()
    return net


def prepare(raw):
    return torch.tensor(raw).float().reshape(1, 1, -1)
'''


TWINS = '''
import torch
from torch import nn

TITLE, LABELS = "Twins", ("other", "same")
INPUT = {"kind": "several", "inputs": {"left": {"kind": "image"}, "right": {"kind": "image"}}}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 2)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[1.0], [0]]))
            self.fc.bias.copy_(torch.tensor([0.0, 1]))

    def forward(self, left, right):
        return self.fc((left - right).abs().flatten(1).sum(1, keepdim=True))


def build():
    return Net()


def prepare(raw):
    return tuple(torch.tensor(raw[name]).float().reshape(1, 1, 28, 28) / 255 for name in ("left", "right"))
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder of models with two of one's own; their files are all there is of them."""
    from visualizer.record import catalog

    models = tmp_path / "models"
    models.mkdir()
    real = registry.folder
    monkeypatch.setattr(registry, "folder", lambda name: models if name == "models" else real(name))
    for name, source in (("finder", FINDER), ("listener", LISTENER), ("twins", TWINS)):
        (models / f"{name}.py").write_text(source, encoding="utf-8")
        made = catalog.source_of(name)
        words = {"title": made.TITLE, "input": json.dumps(made.INPUT), "labels": json.dumps(made.LABELS)}
        if hasattr(made, "ANSWER"):
            words["answer"] = json.dumps(made.ANSWER)
        save_file(made.build().state_dict(), models / f"{name}.safetensors", words)
    yield models
    catalog.source_of.cache_clear()


def test_a_model_whose_card_names_its_answer_is_recorded_with_it(folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "it.trace"
    assert cli.main(["record", "finder", "--input", "digit-2148", "--objective", "logit:0", "-o", str(out)]) == 0
    trace = from_bytes(out.read_bytes())
    assert [answer.kind for answer in trace.answers] == ["boxes"]
    assert trace.answers[0].settings["stride"] == 4
    assert trace.facts["answer"]["kind"] == "boxes"
    assert trace.objective.kind == "logit"
    assert card.bundled("finder").answers == "boxes"
    assert cli.main(["shot", "finder", "--at", "heads.forward", "-o", str(tmp_path / "it.svg")]) == 0
    assert cli.main(["record", "finder", "--objective", "box:7.width", "-o", str(out)]) == cli.REFUSED
    assert "There is no box 7" in capsys.readouterr().err


def test_a_sound_is_recorded_drawn_and_offered(folder: Path, tmp_path: Path, capsys, qtbot) -> None:
    """A tone far below the rate is answered low, one near half of it high."""
    from tests.test_inputs import wav

    answered = []
    for name, tone in (("low", 20), ("high", 380)):
        path = wav(tmp_path / f"{name}.wav", np.sin(2 * np.pi * tone * np.arange(800) / 800), 800)
        out = tmp_path / f"{name}.trace"
        assert cli.main(["record", "listener", "--input", str(path), "--check", "-o", str(out)]) == 0
        trace = from_bytes(out.read_bytes())
        assert trace.layers[0].axes == ("channel", "step")
        assert [each.kind for each in trace.fed] == ["audio"]
        answered.append(trace.labels[int(trace.answer.output.argmax())])
    assert answered == ["low", "high"]
    asked = ["shot", "listener", "--input", str(path), "--at", "softmax.forward"]
    assert cli.main([*asked, "-o", str(tmp_path / "a.png")]) == 0
    assert "The network answers high" in capsys.readouterr().out
    assert cli.main(["record", "listener", "-o", str(out)]) == 0
    assert from_bytes(out.read_bytes()).sample.name in [each.name for each in inputs.all_samples("audio")]
    capsys.readouterr()
    assert cli.main(["record", "listener", "--input", "digit-2148", "-o", str(out)]) == cli.REFUSED
    assert "digit-2148 is a picture" in capsys.readouterr().err
    the_app.application()
    state = changed(State(), model="listener", sample=str(path), view="network", at="")
    window = Window(Store(state, trace))
    qtbot.addWidget(window)
    window.resize(1600, 900)
    with qtbot.waitExposed(window):
        window.show()
    window.rail.fill()
    assert window.store.kind.name == "audio"
    assert not window.rail.typing
    assert not window.rail.draws
    assert window.rail.grid.samples == inputs.all_samples("audio", {})


def test_a_model_of_two_inputs_is_given_both_by_their_names(folder: Path, tmp_path: Path) -> None:
    out, seen = tmp_path / "it.trace", []
    for right in ("digit-2148", "digit-3"):
        both = ["--input", "left=digit-2148", "--input", f"right={right}"]
        assert cli.main(["record", "twins", *both, "--check", "-o", str(out)]) == 0
        trace = from_bytes(out.read_bytes())
        assert [(each.layer, each.kind, each.name) for each in trace.fed] == [
            ("input", "image", "left"), ("input[1]", "image", "right")]
        assert np.allclose(trace["input[1]"].output[0] * 255, inputs.raw(right))
        seen.append(trace.labels[int(trace.answer.output.argmax())])
    assert seen == ["same", "other"]
    assert trace.sample.title == "left: Digit 2148, right: Digit 3"


def test_what_is_counted_is_said_as_a_whole_number():
    """The place of the right class, how many boxes are found: never 2.000."""
    trace = record.pass_of("digits_cnn", "digit-2148").trace
    place = 1 + int((trace["softmax"].output > trace["softmax"].output[trace.sample.label]).sum())
    said = [(what, numbers.amount(value)) for what, value in answers.score(trace, trace.answers[0])]
    assert said[1] == ("its place among all", str(place))
    assert said[0][1] == f"{trace['softmax'].output[trace.sample.label]:.3f}"
