"""one: one update of one weight as a recording: from the gradient over the optimiser's memory to the step.

Every number of the weight is a cell, every operation of the optimiser a layer, in the order in which torch computes it,
so that the microscope takes each apart term by term and the check holds it against its own terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from visualizer.language import numeral, tr
from visualizer.record.catalog import Opened, open_model
from visualizer.record.studies import Pass
from visualizer.record.tracing import capture
from visualizer.record.training import loss_behind, loss_moves, state_before, taught
from visualizer.trace import ONE_UPDATE, Refused, Sample, Trace
from visualizer.train import BETA1, BETA2, EPSILON, MOMENTUM, Knobs, course_of, course_said, in_force, kept
from visualizer.train.taken_apart import CLIP_EPSILON

RATE = 0.1
"""Of the plain step of which is told where it moves the loss."""

Made = Callable[[str, Tensor], Tensor]
"""Gives a number that was made its name."""


@dataclass(frozen=True, eq=False)
class Rule:
    """What an optimiser makes of a gradient: what is given to it, by name, and how."""

    given: tuple[str, ...]
    makes: Callable[[dict[str, Tensor], Made], None]


def opened_update(model: str, step: int, parameter: str, course: str = "", data: str = "") -> Opened:
    """The operations of one update, counted from 1, of one of torch's parameters, as a model; Refused with one sentence
    where there is no such update or parameter."""
    from visualizer.record.training import going

    file = kept.of_file(model) if model.endswith(kept.SUFFIX) else None
    name = model if file is None else file.model
    known = course_said(course) if course else file.course if file is not None else course_of({}, taught(name)[0])
    words = going.Words(name, known, "", data or ("" if file is None else file.data))
    learner = going.standing_at(words, step - 1).learner
    knobs = in_force(known, step - 1)
    weight, gradient, norm, state, memory = state_before(learner, parameter)
    factor = min(1.0, knobs.clip / (norm + CLIP_EPSILON)) if knobs.clip else 1.0
    rule = _rule(knobs, memory, factor, "momentum_buffer" in state)
    held = {"gradient": gradient, "weight_before": weight,
            "first_before": state.get("exp_avg", torch.zeros_like(weight)),
            "second_before": state.get("exp_avg_sq", torch.zeros_like(weight)),
            "velocity_before": state.get("momentum_buffer", torch.zeros_like(weight))}
    given = tuple(_in_maps(held[each]) for each in rule.given)
    opened = open_model(name)
    said = {"step": step, "parameter": parameter, "optimiser": knobs.optimiser, "rate": knobs.rate,
            "moves": [RATE, *loss_moves(learner, RATE)], "shape": list(weight.shape), "own": loss_behind(learner)}
    words_said = tr("update {number} of {parameter}").format(number=numeral(f"{step:,}"), parameter=parameter)
    return Opened(opened.name, f"{opened.title}, {words_said}", _Operations(rule).eval(),
                  {"input": opened.card.get("input", {}), ONE_UPDATE: said}, prepare=lambda raw: given)


def pass_of(opened: Opened) -> Pass:
    """The update, recorded."""
    assert opened.prepare is not None
    module, given = opened.module, opened.prepare(None)
    said = opened.card[ONE_UPDATE]
    trace = capture(module, given, objective="none", name=opened.name, title=opened.title, facts={ONE_UPDATE: said},
                    sample=Sample(f"update-{said['step']}", f"update {said['step']:,}"))
    assert isinstance(module, _Operations)
    return Pass(_named(trace, module.names), module, given, objective="none", opened=opened)


class _Operations(nn.Module):
    """A rule as a model of several inputs; it hands back the new weight."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self.names: list[str] = []

    def forward(self, *given: Tensor) -> Tensor:
        held, self.names = dict(zip(self.rule.given, given, strict=True)), list(self.rule.given)

        def made(name: str, tensor: Tensor) -> Tensor:
            held[name] = tensor
            self.names.append(name)
            return tensor

        self.rule.makes(held, made)
        return held["weight"]


def _rule(knobs: Knobs, memory: int, factor: float, moves: bool) -> Rule:
    """What the knobs make of a gradient at update `memory` of this optimiser; `moves`: whether it has a velocity."""
    def clipped(held: dict[str, Tensor], made: Made) -> Tensor:
        return held["gradient"] if factor == 1 else made("clipped", held["gradient"] * factor)

    def plain(held: dict[str, Tensor], made: Made) -> None:
        made("weight", held["weight_before"] + made("step", clipped(held, made) * -knobs.rate))

    def momentum(held: dict[str, Tensor], made: Made) -> None:
        gradient = clipped(held, made)
        velocity = made("velocity", made("velocity_kept", held["velocity_before"] * MOMENTUM) + gradient)
        made("weight", held["weight_before"] + made("step", velocity * -knobs.rate))

    def adam(held: dict[str, Tensor], made: Made) -> None:
        gradient = clipped(held, made)
        kept_first = made("first_kept", held["first_before"] * BETA1)
        first = made("first", kept_first + made("first_new", gradient * (1 - BETA1)))
        kept_second = made("second_kept", held["second_before"] * BETA2)
        square = made("square", gradient * gradient)
        second = made("second", kept_second + made("second_new", square * (1 - BETA2)))
        mean = made("first_corrected", first / (1 - BETA1 ** memory))
        root = made("root", made("second_corrected", second / (1 - BETA2 ** memory)).sqrt())
        ratio = made("ratio", mean / made("divisor", root + EPSILON))
        made("weight", held["weight_before"] + made("step", ratio * -knobs.rate))

    if knobs.optimiser == "adam":
        return Rule(("gradient", "first_before", "second_before", "weight_before"), adam)
    if knobs.optimiser == "momentum" and moves:
        return Rule(("gradient", "velocity_before", "weight_before"), momentum)
    return Rule(("gradient", "weight_before"), plain)


def _in_maps(weight: Tensor) -> Tensor:
    """A weight as one input: kernels as channels, a matrix as one map, what is left as it is."""
    weight = weight.detach().clone()
    if weight.ndim >= 3:
        return weight.reshape(1, -1, *weight.shape[-2:]) if weight.ndim > 3 else weight[None]
    return weight[None, None] if weight.ndim == 2 else weight[None]


def _named(trace: Trace, names: list[str]) -> Trace:
    """The recording with the names of its rule in the place of those of torch's operations."""
    if len(names) != len(trace.layers):
        raise Refused(tr("This update cannot be taken apart; choose another weight."))
    called = {layer.name: name for layer, name in zip(trace.layers, names, strict=True)}
    layers = tuple(replace(layer, name=called[layer.name], reads=tuple(called[each] for each in layer.reads))
                   for layer in trace.layers)
    changes: dict[str, Any] = {"fed": tuple(replace(each, layer=called[each.layer]) for each in trace.fed),
                               "answers": tuple(replace(each, layer=called[each.layer]) for each in trace.answers
                                                if each.layer in called)}
    return replace(trace, layers=layers, **changes)
