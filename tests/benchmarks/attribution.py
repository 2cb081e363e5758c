"""What it costs to explain an answer, against captum's own methods on the same network, in the same precision."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from tests.benchmarks import Row, Skipped
from visualizer import record
from visualizer.kinds import attribution
from visualizer.kinds.attribution import Wish
from visualizer.record.studies import explain

STEPS, WINDOW, AT_ONCE = 64, 5, explain.AT_ONCE


def attribution_methods() -> Iterator[Row | Skipped]:
    """Integrated gradients, occlusion and each place left out: at most 1.25 times as long as captum. DeepLIFT, two
    passes of a few milliseconds each of which puts the weights into float64: at most twice as long."""
    try:
        import captum.attr as captum
    except ImportError:
        yield Skipped("attribution", "captum is not installed")
        return
    torch.set_num_threads(1)
    again = record.pass_of("digits_cnn", "digit-2148")
    ends = attribution.ends(again.trace)
    assert ends is not None
    net = explain.Scored(again, again.model, ends, Wish(path=STEPS, window=WINDOW))
    twin = copy.deepcopy(again.model).double().eval()
    x, blank, number = net.read, net.baseline, net.number
    each = torch.arange(x[0].numel()).reshape(x.shape)
    theirs: dict[str, Callable[[], object]] = {
        "integrated gradients": lambda: captum.IntegratedGradients(twin).attribute(
            x.clone().requires_grad_(), blank, target=number, n_steps=STEPS, method="riemann_middle"),
        "occlusion": lambda: captum.Occlusion(twin).attribute(
            x, (1, WINDOW, WINDOW), baselines=blank, target=number, perturbations_per_eval=AT_ONCE),
        "left out": lambda: captum.FeatureAblation(twin).attribute(
            x, blank, target=number, feature_mask=each, perturbations_per_eval=AT_ONCE),
        "DeepLIFT": lambda: captum.DeepLift(twin).attribute(x.clone().requires_grad_(), blank, target=number)}
    ours: dict[str, Callable[[], object]] = {
        "integrated gradients": lambda: explain.integrated(net), "occlusion": lambda: explain.occlusion(net),
        "left out": lambda: explain.left_out(net), "DeepLIFT": lambda: explain.deeplift(net)}
    for name in ours:
        yield Row(f"{name}, digits_cnn", _quiet(ours[name]), _quiet(theirs[name]), "captum's",
                  2.0 if name == "DeepLIFT" else 1.25)


def whole_study() -> Iterator[Row]:
    """All nine methods, their control and their tests, against five hundred plain passes of the network forwards and
    back in float64."""
    torch.set_num_threads(1)
    again = record.pass_of("digits_cnn", "digit-2148")
    twin, x = copy.deepcopy(again.model).double().eval(), again.inputs[0].double()

    def plain() -> None:
        for _ in range(500):
            at = x.clone().requires_grad_()
            torch.autograd.grad(twin(at)[0, 4], at)

    yield Row("the whole study, digits_cnn", lambda: _measure(replace(again)), plain, "500 plain passes", 6.0)


def _measure(again: object) -> None:
    record.with_study(again, attribution.STUDY)  # type: ignore[arg-type]


def _quiet(work: Callable[[], object]) -> Callable[[], None]:
    """captum says of each of its hooks that there is one."""
    def once() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            work()

    return once
