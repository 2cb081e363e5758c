"""What is differentiated: a loss of all steps or of one, a way of spelling, one output; each equal to plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from visualizer.record import capture
from visualizer.record.objectives import UNKNOWN
from visualizer.trace import Refused

torch.set_num_threads(1)
X = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(0))
LABELS = ("a", "b", "c", "d")
CTC = {"kind": "ctc", "blank": 3, "reduction": "sum"}


class Steps(nn.Module):
    """(N, step, 3) -> (N, step, 4); softmax or log-softmax at its end if that is wanted."""

    def __init__(self, end: str = "") -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.fc = nn.Linear(3, 4)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        scores = self.fc(x)
        return scores if not self.end else getattr(scores, self.end)(-1)


class Once(Steps):
    """(N, step, 3) -> (N, 4)."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x[:, -1])


def gradients(model: nn.Module, scalar: Any) -> dict[str, np.ndarray]:
    """Of the weights, by plain autograd; `scalar` makes the objective from what the model hands back."""
    model.zero_grad()
    scalar(model(X)).backward()
    return {name: parameter.grad.numpy().copy() for name, parameter in model.named_parameters()}


def assert_same(trace: Any, wanted: dict[str, np.ndarray]) -> None:
    for name in ("weight", "bias"):
        assert np.array_equal(trace["fc"].weight_gradients[name], wanted[f"fc.{name}"]), name


def refused(model: nn.Module, *given: Any, **settings: Any) -> str:
    with pytest.raises(Refused) as caught:
        capture(model, X, *given, **settings)
    words = str(caught.value)
    assert words.endswith(".")
    assert ". " not in words
    return words


def test_the_loss_of_steps_is_the_mean_of_those_that_are_known() -> None:
    model, aims = Steps(), (1, 0, UNKNOWN, 3, 3, UNKNOWN)
    trace = capture(model, X, aims, labels=LABELS)
    wanted = gradients(model, lambda y: F.cross_entropy(y[0], torch.tensor(aims)))
    assert_same(trace, wanted)
    known = [0, 1, 3, 4]
    costs = -model(X)[0].log_softmax(1).detach()[known, [1, 0, 3, 3]]
    assert trace.objective.value == pytest.approx(costs.mean().item(), rel=1e-6)
    assert (trace.objective.kind, trace.objective.target) == ("cross_entropy", None)
    assert dict(trace["loss"].settings) == {"target": aims, "ignore_index": UNKNOWN, "reduction": "mean",
                                            "steps": (0, 1, 3, 4), "batch": None}
    assert not np.asarray(trace["fc"].gradient)[[2, 5]].any()
    assert trace["fc"].axes == trace["softmax"].axes == ("step", "class")
    report = trace.check()
    assert report.passed
    assert not report.unverified


@pytest.mark.parametrize("step", range(6))
def test_the_loss_of_one_step_is_what_that_step_costs(step: int) -> None:
    model, aims = Steps(), (1, 0, 2, 3, 3, 1)
    trace = capture(model, X, aims, labels=LABELS, objective=f"loss@{step}")
    assert_same(trace, gradients(model, lambda y: F.cross_entropy(y[0, step:step + 1], torch.tensor([aims[step]]))))
    assert trace.objective.target == aims[step]
    assert trace["loss"].settings["steps"] == (step,)
    assert trace.check().passed


def test_the_costs_of_single_steps_average_to_the_loss_of_all() -> None:
    aims = (1, 0, 2, 3, 3, 1)
    single = [capture(Steps().double(), X.double(), aims, labels=LABELS, objective=f"loss@{step}") for step in range(6)]
    whole = capture(Steps().double(), X.double(), aims, labels=LABELS)
    assert np.mean([trace.objective.value for trace in single]) == pytest.approx(whole.objective.value, rel=1e-14)
    parts = np.mean([trace["fc"].gradient for trace in single], axis=0)
    np.testing.assert_allclose(parts, whole["fc"].gradient, rtol=0, atol=1e-15)


def test_a_class_is_asked_of_the_last_step_unless_another_is_named() -> None:
    model = Steps()
    last = capture(model, X, 2, labels=LABELS)
    assert_same(last, gradients(model, lambda y: F.cross_entropy(y[:, -1], torch.tensor([2]))))
    assert last["loss"].settings["steps"] == (5,)
    third = capture(model, X, 2, labels=LABELS, objective="loss@3")
    assert_same(third, gradients(model, lambda y: F.cross_entropy(y[:, 3], torch.tensor([2]))))


@pytest.mark.parametrize("end", ["softmax", "log_softmax"])
def test_models_that_end_in_shares_are_measured_by_their_logarithms(end: str) -> None:
    aims = (1, 0, UNKNOWN, 3, 3, UNKNOWN)
    trace = capture(Steps(end).double(), X.double(), aims, labels=LABELS)
    plain = capture(Steps().double(), X.double(), aims, labels=LABELS)
    assert trace.objective.kind == "negative_log_likelihood"
    assert trace.objective.value == pytest.approx(plain.objective.value, rel=1e-14)
    np.testing.assert_allclose(trace["fc"].gradient, plain["fc"].gradient, rtol=0, atol=1e-15)
    assert trace["fc"].axes[-1] == trace[end].axes[-1] == "class"
    report = trace.check()
    assert report.passed
    assert not report.unverified


@pytest.mark.parametrize("target", [(0,), (0, 1, 2), (1, 1, 2), (2, 2, 2)])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_what_is_spelled_is_measured_by_ctc(target: tuple[int, ...], reduction: str) -> None:
    model = Steps()
    trace = capture(model, X, target, labels=LABELS, asks={**CTC, "reduction": reduction})
    wanted = gradients(model, lambda y: F.ctc_loss(y.log_softmax(2).transpose(0, 1), torch.tensor([target]),
                                                   torch.tensor([6]), torch.tensor([len(target)]), 3, reduction))
    assert_same(trace, wanted)
    assert (trace.objective.kind, trace.objective.target) == ("ctc_loss", None)
    assert trace.objective.value == float(trace["loss"].output)
    report = trace.check()
    assert report.passed
    assert not report.unverified
    exact = capture(Steps().double(), X.double(), target, labels=LABELS, asks={**CTC, "reduction": reduction}).check()
    assert exact.passed
    assert exact.tolerance <= 1e-10


def test_one_output_of_one_step_can_be_named() -> None:
    model = Steps()
    trace = capture(model, X, labels=LABELS, objective="logit:2@4")
    assert_same(trace, gradients(model, lambda y: y[0, 4, 2]))
    assert trace["logit"].settings["index"] == (4, 2)
    assert trace.objective.target == 2
    assert trace.check().passed
    flat = capture(model, X, labels=LABELS, objective="logit:18")
    assert flat["logit"].settings["index"] == (4, 2)


def test_without_a_target_it_is_the_largest_output_of_the_last_step() -> None:
    trace = capture(Steps(), X, labels=LABELS)
    scores = trace["fc"].output
    assert trace["logit"].settings["index"] == (5, int(scores[5].argmax()))
    second = capture(Steps(), X, labels=LABELS, objective="loss@2")
    assert second["logit"].settings["index"] == (2, int(scores[2].argmax()))
    assert trace.check().passed


def test_nothing_need_be_differentiated() -> None:
    trace = capture(Steps(), X, (0,) * 6, labels=LABELS, objective="none")
    assert not trace.has_backward
    assert [layer.name for layer in trace] == ["input", "fc", "softmax"]


def test_steps_and_classes_are_told_by_targets_where_there_are_no_labels() -> None:
    trace = capture(Steps(), X, (0,) * 6)
    assert trace["fc"].axes == ("step", "class")
    bare = capture(Steps(), X)
    assert bare["fc"].axes == ("step", "unit")
    assert "softmax" not in bare


def test_what_does_not_fit_is_refused_in_one_sentence() -> None:
    known = {"labels": LABELS}
    assert "not known; use loss, none, or logit:N" in refused(Steps(), objective="loss@", **known)
    assert "not known" in refused(Steps(), objective="none@3", **known)
    assert "not known" in refused(Steps(), objective="logit:", **known)
    assert "not known" in refused(Steps(), objective="logit:1@-2", **known)
    assert "one answer, not one a step; leave out @2" in refused(Once(), 1, objective="loss@2", **known)
    assert "one answer, not one a step" in refused(Once(), objective="logit:1@2", **known)
    assert "There is no step 6; the model gives 6 answers, of steps 0 to 5" in refused(Steps(), objective="logit:1@6",
                                                                                     **known)
    assert "no output 4 at step 2; the model gives 4" in refused(Steps(), objective="logit:4@2", **known)
    assert "no output 24; the model gives 24" in refused(Steps(), objective="logit:24", **known)
    assert "5 targets were given for 6 steps" in refused(Steps(), (0,) * 5, **known)
    assert "There is no class 4" in refused(Steps(), (0, 0, 0, 0, 0, 4), **known)
    assert "There is no class -7" in refused(Steps(), (0, 0, 0, 0, 0, -7), **known)
    assert "follow step 1 is not known" in refused(Steps(), (0, UNKNOWN, 0, 0, 0, 0), objective="loss@1", **known)
    assert "one class, not one for each step" in refused(Once(), (0, 1), **known)
    assert "6 steps are too few to spell 4 digits, which need 7" in refused(Steps(), (1, 1, 1, 1), asks=CTC, **known)
    assert "without the blank 3" in refused(Steps(), (1, 3), asks=CTC, **known)
    assert "without the blank 3" in refused(Steps(), (), asks=CTC, **known)
    assert "one number for all steps together" in refused(Steps(), (1,), asks=CTC, objective="loss@2", **known)
    assert "A target needs one output a class" in refused(nn.Conv1d(6, 4, 1), 1)


def test_a_class_alone_is_that_of_the_last_step() -> None:
    trace, said = capture(Steps(), X, 1), capture(Steps(), X, 1, labels=LABELS)
    assert trace.objective == said.objective
    assert trace["fc"].axes == ("step", "class")
