"""What is differentiated: the loss that a model asks for, one step of it, one number of the answer, or nothing.

A wish is written `loss`, `loss@12` (only what step 12 costs), or `none`; `mse`, `mae`, `bce` and `cross_entropy` name
a loss; every other is a number made of the answer, `sum`, `mean`, or as the kind of answer reads it: `logit:4`,
`logit:4@12` (output 4 of step 12), `box:2.width`. Steps count from 0, as everywhere in addresses. Behind a colon stands
one of several outputs: `sum:mask`, `mse:mask`. From Python a wish may be any function of what is handed back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from visualizer import answers, reasons
from visualizer.answers import LOGIT, SAID, AnswerKind, Right, Scalar
from visualizer.language import numeral, tr
from visualizer.record import axes, layers
from visualizer.record.calls import Event, Recording
from visualizer.record.weights import seen_by_numpy
from visualizer.trace import Answer as Named
from visualizer.trace import Array, Objective, Refused

UNKNOWN = -100
"""The target of a step of which nothing is known: torch leaves it out of the loss."""
NOTHING_FLOWED = "Nothing flowed back: no number of the answer depends on the input or on a weight that can learn."
WISH = re.compile(r"(loss|none)(?:@(\d{1,9}))?")

KL, ELBO = OF_A_REGION = ("kl", "elbo")
"""How far the region of a picture is from the normal distribution around 0; and with it what the picture that is made
of it costs: minus the evidence lower bound, both in nats."""
LOSSES = ("mse", "mae", "bce", "cross_entropy")
"""Losses that a wish may name."""
OF_AN_OUTPUT = re.compile(rf"({'|'.join(LOSSES)}|sum|mean|none|loss(?:@\d+)?|logit:\d+(?:@\d+)?):([\w.]+)")
"""A wish that names one of several outputs."""

Target = int | float | Sequence[int] | Array | None
"""A class; or one for each step, UNKNOWN where it is not known; or what a strip spells; or a number to be answered; or
an array of what should be answered: numbers, a picture, a mask, boxes."""


@dataclass(frozen=True)
class Goal:
    """The scalar whose gradient flows back (None for nothing), and what the Trace says about it."""

    scalar: Tensor | None
    objective: Objective


@dataclass(frozen=True, eq=False)
class Aimed:
    """A Goal, and what the answer is that it was made of."""

    goal: Goal
    event: Event
    """What the model handed back."""
    shares: Event | None
    """Its probabilities, where it tells classes apart."""
    named: Named
    """Its layers are not named yet."""


@dataclass(frozen=True)
class Wish:
    """What a person wants to see differentiated."""

    what: str
    """`loss`, `none`, or a number made of the answer."""
    step: int | None = None

    @property
    def number(self) -> str:
        """The words for a number of the answer; empty where none is named."""
        return "" if self.what in ("loss", "none", *LOSSES, *OF_A_REGION) else self.what


@dataclass(frozen=True)
class Answer:
    """What the model handed back, and how it is to be read."""

    tensor: Tensor
    event: Event
    shape: tuple[int, ...]
    """Without the batch axis."""
    classes: bool
    """Whether its last axis is one number a class."""

    @property
    def steps(self) -> int | None:
        """How many answers, one a step; None if there is only one."""
        return self.shape[0] if self.classes and len(self.shape) == 2 else None


def aim(recording: Recording, answer: Tensor, wanted: str | Tensor, target: Target, labels: tuple[str, ...],
        asks: Mapping[str, Any] | None = None, said: Mapping[str, Any] | None = None) -> Aimed:
    """Add the layers that turn the answer into one number: softmax and loss, or a number made of the answer; or take
    the one that somebody has made of it already.

    `asks` is the `objective` of the model's card, `said` its `answer`; without them a class is asked for, and the kind
    of answer is told by its axes, and the loss by answer and target. Where each step has an answer, a single class is
    asked of the last one. Without a target it is the largest output, or what the kind of answer offers first. Raises
    Refused if the wish or the target does not fit the answer.
    """
    wish = _parsed(wanted) if isinstance(wanted, str) else Wish("none")
    if wish.what in LOSSES and target is None:
        raise Refused(tr("The objective {what} compares the answer with a target, and none was given; give one, or "
                         "name a number of the answer, such as sum or logit:0.").format(what=wish.what))
    if wish.what == "loss" and asks is None and said is None and target is not None:
        loss, said = suited(recording, answer, target)
        wish = Wish(loss, wish.step)
    if said is not None and said.get("kind") == "mask" and "score" not in said and recording.event_of(
            answer).kind_name not in ("sigmoid", "softmax") and bool(((answer < 0) | (answer > 1)).any()):
        said = {**said, "score": "logit"}  # what is no chance still goes through a sigmoid
    made = _kind_said(asks, said)
    by_class = wish.what not in LOSSES and (made is None or made.loss in ("class", "ctc")) and \
        not isinstance(target, np.ndarray | float)
    labels = labels or tuple((said or {}).get("labels", ()))
    found = _read(recording, answer, labels if by_class else (), target if wish.what == "loss" and by_class else None,
                  wish.step is not None)
    if wish.step is not None and found.steps is None:
        raise Refused(tr("The model gives one answer, not one a step; leave out @{step}.").format(step=wish.step))
    if wish.step is not None and found.steps is not None and wish.step >= found.steps:
        raise Refused(tr("There is no step {step}; the model gives {count} answers, of steps 0 to {last}."
                         ).format(step=wish.step, count=found.steps, last=found.steps - 1))
    ends_in = found.event.kind_name if found.classes else ""
    shares = found.event if ends_in == "softmax" else None
    if found.classes and shares is None:
        why = reasons.STRAIGHT_FROM_LOGARITHMS if ends_in == "log_softmax" else reasons.STRAIGHT_FROM_LOGITS
        with torch.no_grad():
            shared = recording.step(functional.softmax, (found.tensor,), {"dim": -1}, name="softmax", why=why)
        shares = recording.event_of(shared)
    if made is not None and made.loss == "pixels":
        shares = _shares_of_pixels(recording, found)
    named = _named(found, made, labels, asks, said, target)
    goal = _goal(recording, found, wish, target, asks, named, ends_in) if isinstance(wanted, str) else \
        _made_by_a_function(recording, wanted)
    return Aimed(goal, found.event, shares, named)


def _shares_of_pixels(recording: Recording, found: Answer) -> Event:
    """Of a class for each pixel the probabilities, made here where the model ends in scores; Refused where it cannot
    be that."""
    if len(found.shape) != 3:
        raise Refused(tr("A class for each pixel needs scores of classes, rows and columns, and the model gives the "
                         "shape {shape}; say another kind of answer.").format(shape=found.shape))
    if found.event.kind_name == "softmax":
        return found.event
    with torch.no_grad():
        shared = recording.step(functional.softmax, (found.tensor,), {"dim": found.tensor.ndim - 3}, name="softmax",
                                why=reasons.STRAIGHT_FROM_LOGITS)
    return recording.event_of(shared)


def suited(recording: Recording, answer: Tensor, target: Target) -> tuple[str, Mapping[str, Any] | None]:
    """Which loss a target means where nobody says, and what kind of answer it shows: yes or no for what ends in a
    sigmoid, a class for each pixel, squares for numbers; `loss` where it is a class, or one for each step."""
    axes.name(recording.events)
    event = recording.event_of(answer)
    shape = tuple(answer.shape[1:]) if len(answer.shape) > 1 and answer.shape[0] == 1 else tuple(answer.shape)
    wanted = np.squeeze(np.asarray(target))
    yes_or_no = bool(np.isin(wanted, (0, 1)).all())
    whole, sizes = wanted.dtype.kind in "bui", tuple(size for size in shape if size != 1)
    ends = event.kind_name == "sigmoid"
    if wanted.shape == sizes and yes_or_no and (ends or (whole and (not sizes or (wanted.ndim > 1 and 1 in shape)))):
        if wanted.ndim == 2:
            return "loss", {"kind": "mask"} if ends else {"kind": "mask", "score": "logit"}
        return "bce", None
    by_channel = event.axes is not None and [axis for axis in event.axes if axis != "batch"] == ["channel", "step"]
    if whole and (wanted.ndim > 1 or by_channel) and wanted.shape == shape[1:]:
        return "cross_entropy", {"kind": "segments"} if wanted.ndim == 2 else None
    if wanted.shape == sizes and not whole and wanted.ndim > 0:
        return "mse", None
    if whole and wanted.ndim > 0 and wanted.shape == sizes:
        raise Refused(tr("{size} whole numbers were given for {size} outputs; name the loss that is meant, "
                         "objective='bce' for yes or no, 'mse' for numbers, or give one class."
                         ).format(size=wanted.size))
    return "loss", None


def _made_by_a_function(recording: Recording, scalar: Tensor) -> Goal:
    """What a function of the caller's own made of what the model handed back."""
    if not isinstance(scalar, Tensor) or scalar.numel() != 1 or scalar.is_complex():
        what = f"a tensor of the shape {tuple(scalar.shape)}" if isinstance(scalar, Tensor) else \
            f"a {type(scalar).__name__}"
        raise Refused(tr("The objective makes {what} of the answer, and one real number can be differentiated; return "
                         "a tensor of one, such as answer.sum().").format(what=what))
    if not scalar.requires_grad:
        recording.notes.append(NOTHING_FLOWED)
        return Goal(None, Objective())
    return Goal(scalar if scalar.ndim == 0 else scalar.sum(), Objective("function", None, scalar.item()))


def _goal(recording: Recording, found: Answer, wish: Wish, target: Target, asks: Mapping[str, Any] | None,
          named: Named, ends_in: str) -> Goal:
    if wish.what == "none":
        return Goal(None, Objective())
    if not found.tensor.requires_grad:
        if not found.tensor.is_floating_point() and (target is not None or wish.what != "loss"):
            raise Refused(tr("The model answers with whole numbers, from which nothing flows back; return the scores "
                             "that they were chosen by."))
        recording.notes.append(NOTHING_FLOWED)
        if not found.tensor.is_floating_point():
            return Goal(None, Objective())
        with torch.no_grad():
            made_of_it = _goal_of(recording, found, wish, target, asks, named, ends_in)
        return replace(made_of_it, scalar=None)
    return _goal_of(recording, found, wish, target, asks, named, ends_in)


def _goal_of(recording: Recording, found: Answer, wish: Wish, target: Target, asks: Mapping[str, Any] | None,
             named: Named, ends_in: str) -> Goal:
    if found.tensor.is_complex():
        raise Refused(tr("The answer is complex, and one real number can be differentiated; from Python, name it with "
                         "objective=lambda answer: answer.abs().sum()."))
    if wish.what in LOSSES:
        return _loss_named(recording, found, wish.what, target)
    if wish.what in OF_A_REGION:
        return _of_a_region(recording, found, wish.what, target, named)
    made = answers.of(named)
    loss = "class" if made is None or (found.classes and made.loss != "ctc") else made.loss
    if not wish.number and isinstance(target, np.ndarray) and made is not None and made.right is not None:
        values = np.asarray(seen_by_numpy(found.tensor.detach())).reshape(found.shape)
        return _against(recording, found, made.right(named, values, target))
    if made is not None and made.ends and (match := SAID.fullmatch(wish.number)) is not None:
        return _of_a_symbol(recording, found, match, ends_in)
    if wish.number or target is None or not loss:
        return _number(recording, found, wish, named)
    if loss == "squares":
        return _squares(recording, found, target)
    if loss == "pixels":
        return _loss_named(recording, found, "cross_entropy", target)
    target = target.tolist() if isinstance(target, np.ndarray) else target
    if made is not None and made.ends and found.steps is not None and isinstance(target, Sequence):
        target = [*target, *[UNKNOWN] * found.steps][:found.steps]  # of what it says beyond the end nothing is wanted
    if loss == "ctc" and asks is not None:
        return _ctc(recording, found, wish, target, asks)
    if found.steps is not None:
        return _loss_of_steps(recording, found, wish, target, ends_in)
    return _loss(recording, found, target, ends_in)


def plain_target(target: Any) -> Target:
    """A target as plain numbers, whatever holds it: one number, a class for each step, or an array of the truth."""
    if isinstance(target, Tensor):
        target = target.detach().cpu().numpy()
    if isinstance(target, np.ndarray | np.generic):
        if target.dtype.kind not in "fiub":
            raise Refused(tr("The target is an array of {dtype}, not of numbers; give a class, a number, or an array "
                             "of them.").format(dtype=target.dtype))
        if target.size == 1:
            return target.reshape(-1)[0].item()
        return target.tolist() if target.ndim == 1 and target.dtype.kind in "iu" else np.asarray(target)
    if isinstance(target, list | tuple) and target:
        try:
            array = np.asarray([plain_target(each) for each in target])
        except ValueError as error:
            raise Refused(tr("The target is no array of numbers; give rows of one length.")) from error
        return [int(each) for each in array] if array.ndim == 1 and array.dtype.kind in "iu" else plain_target(array)
    if target is not None and not isinstance(target, bool | int | float | list | tuple):
        raise Refused(tr("The target is a {type}; give a class, a number, a list or an array of them."
                         ).format(type=type(target).__name__))
    return target


def of_an_output(objective: str) -> tuple[str, str | None]:
    """A wish without the output that it names, and that: `sum:mask` is `sum` of `mask`."""
    match = OF_AN_OUTPUT.fullmatch(objective)
    return (objective, None) if match is None else (match[1], match[2])


def _parsed(wanted: str) -> Wish:
    if wanted in LOSSES:
        return Wish(wanted)
    match = WISH.fullmatch(wanted)
    if match is not None and not (match[1] == "none" and match[2]):
        return Wish(match[1], None if match[2] is None else int(match[2]))
    one = LOGIT.fullmatch(wanted)
    if match is not None or (one is None and not re.fullmatch(r"[a-z_]+(:[\w,.]+)?", wanted)):
        raise Refused(tr("The objective {wanted!r} is not known; use loss, none, or logit:N with a number N, and @T "
                         "behind it for step T alone; or sum, mean, {known}."
                         ).format(wanted=wanted, known=", ".join(LOSSES)))
    return Wish(wanted, None if one is None or one[2] is None else int(one[2]))


def _kind_said(asks: Mapping[str, Any] | None, said: Mapping[str, Any] | None) -> AnswerKind | None:
    """The kind of answer that a card, or whoever calls, names; Refused if there is none of that name."""
    if said is not None:
        try:
            return answers.kind(str(said.get("kind", "")))
        except LookupError as error:
            raise Refused(str(error.args[0])) from error
    return None if asks is None else answers.asked(str(asks.get("kind", "")))


def _named(found: Answer, made: AnswerKind | None, labels: tuple[str, ...], asks: Mapping[str, Any] | None,
           said: Mapping[str, Any] | None, target: Target) -> Named:
    """What is told of the answer beside its numbers."""
    told = tuple(axis for axis in found.event.axes if axis != "batch")
    shows = answers.inferred(told, found.shape, found.event.kind_name, found.shape[-1] if found.classes else 0)
    if said is None and (made is None or (made.suits is not answers.never and shows is not None)):
        made = shows
    settings = {key: value for key, value in (said or {}).items() if key not in ("kind", "labels")}
    if said is None and asks is not None and "blank" in asks:
        settings["blank"] = int(asks["blank"])
    ends = made is not None and made.ends and isinstance(target, Sequence)
    truth = target if isinstance(target, np.ndarray) else np.asarray(target) if ends else None
    return Named("", "" if made is None else made.name, labels, settings, truth=truth)


def _read(recording: Recording, answer: Tensor, labels: tuple[str, ...], target: Target, asked_by_step: bool) -> Answer:
    """Whether the answer is one number a class, of one step or of many; Refused if labels or a target say so and it
    cannot be."""
    axes.name(recording.events)
    event = recording.event_of(answer)
    if event.axes is None:
        event.axes = axes.of_input(event, None)  # what was fed in is handed back as it is
    if (labels or target is not None) and "batch" not in event.axes and answer.ndim == 2 and len(answer) == 1:
        answer = recording.step(torch.squeeze, (answer, 0), {})  # a batch of one, though nothing named it so
        axes.name(recording.events)
        event = recording.event_of(answer)
    shape = tuple(size for axis, size in zip(event.axes, event.output.shape, strict=True) if axis != "batch")
    by_step = asked_by_step or isinstance(target, Sequence) or (target is not None and "channel" not in event.axes
                                               and "row" not in event.axes)
    stepwise = len(shape) == 2 and (shape[1] == len(labels) if labels else by_step)
    if target is not None and len(shape) != 1 and not stepwise:
        raise Refused(tr("A target needs one output a class, and the model gives the shape {shape}; leave the target "
                         "out, or name one output with objective='logit:N'.").format(shape=shape))
    if labels and shape != (len(labels),) and not stepwise:
        raise Refused(tr("{count} labels were given and the model's output has the shape {shape}; give one label for "
                         "each output, or none.").format(count=len(labels), shape=shape))
    ends = event.kind_name in ("softmax", "log_softmax") and len(shape) == 1
    classes = stepwise or bool(labels) or target is not None or ends
    if stepwise:
        for one in (event, *event.reads) if event.kind_name in ("softmax", "log_softmax") else (event,):
            one.axes = (*(axis if axis in ("batch", axes.ITEM) else "step" for axis in one.axes[:-1]), "class")
    elif classes:
        layers.name_classes(event)
    return Answer(answer, event, shape, classes)


# --- losses ---------------------------------------------------------------------------------------------------------

def _loss(recording: Recording, found: Answer, target: Target, ends_in: str) -> Goal:
    answer, wanted = found.tensor, _class(found, target)
    aimed = torch.full(answer.shape[:-1], wanted, dtype=torch.long, device=answer.device)
    if ends_in == "softmax":
        answer = recording.step(torch.log, (answer,), {}, name="log")
    call, kind = ((functional.nll_loss, "negative_log_likelihood") if ends_in in ("softmax", "log_softmax")
                  else (functional.cross_entropy, "cross_entropy"))
    loss = recording.step(call, (answer, aimed), {}, name="loss", plain={id(aimed): wanted})
    return Goal(loss, Objective(kind, wanted, loss.item()))


def _loss_of_steps(recording: Recording, found: Answer, wish: Wish, target: Target, ends_in: str) -> Goal:
    """The mean of what the steps cost whose target is known, or the cost of one of them."""
    aims = _class_of_steps(found, wish, target)
    counted = tuple(step for step, aim in enumerate(aims) if aim != UNKNOWN)
    scores = found.tensor
    if ends_in == "softmax":
        scores = recording.step(torch.log, (scores,), {}, name="log")
    from_logits = ends_in not in ("softmax", "log_softmax")
    settings = {"target": aims, "ignore_index": UNKNOWN, "reduction": "mean", "steps": counted, "batch": None}
    loss = recording.step(loss_of_steps, (scores, aims, from_logits), {}, name="loss", settings=settings,
                          kind="cross_entropy" if from_logits else "nll_loss")
    objective = "cross_entropy" if from_logits else "negative_log_likelihood"
    return Goal(loss, Objective(objective, aims[counted[0]] if len(counted) == 1 else None, loss.item()))


def _ctc(recording: Recording, found: Answer, wish: Wish, target: Target, asks: Mapping[str, Any]) -> Goal:
    """−log of the probability that the steps spell the target."""
    blank, reduction = int(asks["blank"]), str(asks.get("reduction", "mean"))
    digits = tuple(target) if isinstance(target, Sequence) else (_class(found, target),)
    if found.steps is None or wish.step is not None:
        raise Refused(tr("This loss is one number for all steps together; leave out the step, or name one output with "
                         "logit:N@T."))
    if not digits or not all(0 <= digit < found.shape[1] and digit != blank for digit in digits):
        raise Refused(tr("The steps can spell the classes 0 to {last} without the blank {blank}; give these as the "
                         "target.").format(last=found.shape[1] - 1, blank=blank))
    needed = len(digits) + sum(one == other for one, other in pairwise(digits))
    if needed > found.steps:
        raise Refused(tr("{steps} steps are too few to spell {count} digits, which need {needed}; give a longer strip."
                         ).format(steps=found.steps, count=len(digits), needed=needed))
    settings = {"target": digits, "blank": blank, "reduction": reduction}
    loss = recording.step(ctc_of_logits, (found.tensor, digits, blank, reduction), {}, name="loss", kind="ctc_loss",
                          settings=settings)
    return Goal(loss, Objective("ctc_loss", None, loss.item()))


def _squares(recording: Recording, found: Answer, target: Target) -> Goal:
    """The square of how far the one number that is answered is off; of several the mean of these squares."""
    if isinstance(target, np.ndarray) and target.size > 1 and target.size == int(np.prod(found.shape)):
        many = torch.as_tensor(target, dtype=found.tensor.dtype).reshape(found.tensor.shape)
        recording.event_of(many).axes = found.event.axes
        loss = recording.step(functional.mse_loss, (found.tensor, many), {}, name="loss")
        return Goal(loss, Objective("mean_squared_error", None, loss.item()))
    if found.shape not in ((), (1,)) or isinstance(target, Sequence) or np.size(target) != 1:
        raise Refused(tr("The model gives the shape {shape}, and the target has the shape {wanted}; give one number "
                         "for each, one class for each place, or the objective mse for what all of them should be."
                         ).format(shape=found.shape, wanted=np.shape(target)))
    wanted = float(np.reshape(np.asarray(target, np.float64), ()))
    aimed = torch.full_like(found.tensor, wanted, requires_grad=False)
    loss = recording.step(functional.mse_loss, (found.tensor, aimed), {}, name="loss", plain={id(aimed): wanted})
    return Goal(loss, Objective("mean_squared_error", None, loss.item()))


def _loss_named(recording: Recording, found: Answer, name: str, target: Target, reduction: str = "mean") -> Goal:
    """Squares, distances, binary cross entropy or cross entropy against a target of the shape of the answer; for cross
    entropy without its axis of classes."""
    answer, event = found.tensor, found.event
    if name == "cross_entropy" and (np.ndim(target) == 0 or found.shape[1:] != np.squeeze(np.asarray(target)).shape):
        if np.ndim(target) == 0 and len(found.shape) == 1:
            return _loss(recording, replace(found, classes=True), target, event.kind_name)
        raise Refused(tr("Cross entropy reads one class for each place, and the answer has the shape {shape} with the "
                         "classes along its first axis; give a target of the shape {wanted}."
                         ).format(shape=found.shape, wanted=found.shape[1:]))
    if name == "cross_entropy":
        aims = np.squeeze(np.asarray(target))
        known = aims[aims != UNKNOWN]
        if aims.dtype.kind not in "bui" or known.min(initial=0) < 0 or known.max(initial=0) >= found.shape[0]:
            raise Refused(tr("The model tells {count} classes apart, 0 to {last}; give one of these for each place, "
                             "{unknown} where it is not known."
                             ).format(count=found.shape[0], last=found.shape[0] - 1, unknown=UNKNOWN))
        if "batch" not in event.axes:
            answer = recording.step(torch.unsqueeze, (answer, 0), {})
        aimed = torch.as_tensor(aims.astype(np.int64))[None]
        if event.kind_name == "softmax":
            answer = recording.step(torch.log, (answer,), {}, name="log")
        call = functional.nll_loss if event.kind_name in ("softmax", "log_softmax") else functional.cross_entropy
        loss = recording.step(call, (answer, aimed), {}, name="loss",
                              plain={id(aimed): tuple(int(each) for each in aims.ravel())})
        return Goal(loss, Objective("cross_entropy", None, loss.item()))
    wanted = np.asarray(target, np.float64)
    if wanted.size not in (1, answer.numel()) or (wanted.ndim > 1 and np.squeeze(wanted).shape != tuple(
            size for size in found.shape if size != 1)):
        raise Refused(tr("The target has the shape {shape} and the answer {own}; give one number for each of its "
                         "numbers, or one for all.").format(shape=wanted.shape, own=found.shape))
    if isinstance(target, int) and answer.numel() > 1:
        raise Refused(tr("The target is the class {target}, and {name} compares {count} numbers; give as many, or one "
                         "with a point, such as {target}.0, that all of them should be."
                         ).format(target=target, name=name, count=answer.numel()))
    if name == "bce" and not ((wanted >= 0) & (wanted <= 1)).all():
        raise Refused(tr("Binary cross entropy reads chances, and the target has numbers below 0 or above 1; give 0 or "
                         "1 for each."))
    if wanted.size == 1 != answer.numel():
        aimed = torch.full_like(answer, float(wanted.reshape(())), requires_grad=False)
    else:
        aimed = torch.as_tensor(wanted, dtype=answer.dtype).reshape(answer.shape)
    held = recording.event_of(aimed)
    held.axes, held.name = event.axes, "wanted"
    if name == "mae":
        apart = recording.step(torch.sub, (answer, aimed), {}, name="off")
        loss = recording.step(torch.mean, (recording.step(torch.abs, (apart,), {}, name="distance"),), {}, name="loss")
        return Goal(loss, Objective("mean_absolute_error", None, loss.item()))
    chances = event.kind_name in ("sigmoid", "softmax")
    call, kind = {"mse": (functional.mse_loss, "mean_squared_error"),
                  "bce": (functional.binary_cross_entropy if chances else functional.binary_cross_entropy_with_logits,
                          "binary_cross_entropy")}[name]
    loss = recording.step(call, (answer, aimed), {} if reduction == "mean" else {"reduction": reduction}, name="loss")
    return Goal(loss, Objective(kind, None, loss.item()))


def _of_a_region(recording: Recording, found: Answer, name: str, target: Target, named: Named) -> Goal:
    """Σ (μ² + e^s − s − 1) / 2 of the middle μ of the region and the logarithm s of its variance; for `elbo` the binary
    cross entropy of all pixels with it. Kingma and Welling 2014, appendix B."""
    held = [next((event.tensor for event in reversed(recording.events) if event.place is not None
                  and event.place.path == str(named.settings.get(key)) and event.tensor is not None), None)
            for key in ("latent", "spread")]
    mean, spread = held
    if mean is None or spread is None:
        raise Refused(tr("The objective {name} is about the region of a picture, and no layers for its middle and the "
                         "logarithm of its variance are named and computed here; name them as latent and spread of the "
                         "answer, and give a picture.").format(name=name))

    def step(call: Any, *given: Any, called: str, **settings: Any) -> Tensor:
        return recording.step(call, given, settings, name=called)  # type: ignore[no-any-return]

    both = step(torch.add, step(torch.square, mean, called="squares"), step(torch.exp, spread, called="variance"),
                called="both")
    apart = step(torch.sub, step(torch.sub, both, spread, called="less"), 1.0, called="twice")
    divergence = step(torch.mul, step(torch.sum, apart, called="added"), 0.5, called="divergence")
    if name == KL:
        return Goal(divergence, Objective(name, None, divergence.item()))
    if not isinstance(target, np.ndarray):
        raise Refused(tr("The objective elbo compares the picture with one that is wanted, and none was given; give "
                         "one, or choose kl."))
    off = _loss_named(recording, found, "bce", target, "sum").scalar
    loss = step(torch.add, off, divergence, called="whole")
    return Goal(loss, Objective(name, None, loss.item()))


def _against(recording: Recording, found: Answer, right: Right) -> Goal:
    """Squares of how far numbers are off, and binary cross entropy of chances, added up."""
    parts, both, answer = list[Tensor](), right.numbers is not None and right.chances is not None, found.tensor
    if right.numbers is not None:
        wanted = torch.as_tensor(right.numbers, dtype=answer.dtype).reshape(answer.shape)
        held = recording.event_of(wanted)
        held.axes, held.name = found.event.axes, "wanted"
        parts.append(recording.step(functional.mse_loss, (answer, wanted), {"reduction": "sum"},
                                    name="edges" if both else "loss"))
    if right.chances is not None:
        axis, index = right.slice or (None, 0)
        if axis is not None:
            batch = found.event.axes.index("batch") if "batch" in found.event.axes else None
            axis += int(batch is not None and batch <= axis)
            answer = recording.step(torch.select, (answer, axis, index), {}, name="chances")
        seen = answer.detach()
        if not right.logits and not bool(((seen >= 0) & (seen <= 1)).all()):
            raise Refused(tr("Chances lie between 0 and 1, and the model answers from {low} to {high}; say of the "
                             "answer that its score is a logit.").format(
                low=numeral(f"{seen.min().item():.3g}"), high=numeral(f"{seen.max().item():.3g}")))
        wanted = torch.as_tensor(right.chances, dtype=answer.dtype).reshape(answer.shape)
        axes.name(recording.events)
        held = recording.event_of(wanted)
        held.axes, held.name = recording.event_of(answer).axes, "wanted"
        call = functional.binary_cross_entropy_with_logits if right.logits else functional.binary_cross_entropy
        parts.append(recording.step(call, (answer, wanted), {} if right.mean else {"reduction": "sum"},
                                    name="scores" if both else "loss"))
    loss = recording.step(torch.add, tuple(parts), {}, name="loss") if both else parts[0]
    kind = "squares_and_binary_cross_entropy" if both else \
        "mean_squared_error" if right.chances is None else "binary_cross_entropy"
    return Goal(loss, Objective(kind, None, loss.item()))


def loss_of_steps(scores: Tensor, aims: Sequence[int], from_logits: bool = True) -> Tensor:
    """Mean over the steps whose target is known; `scores` (…, step, class), logits or log-probabilities."""
    call = functional.cross_entropy if from_logits else functional.nll_loss
    return call(scores.reshape(-1, scores.shape[-1]), torch.tensor(aims, device=scores.device), ignore_index=UNKNOWN)


def ctc_of_logits(scores: Tensor, digits: Sequence[int], blank: int, reduction: str) -> Tensor:
    """Connectionist temporal classification from logits (…, step, class); Graves and others 2006."""
    logarithms = scores.reshape(-1, 1, scores.shape[-1]).log_softmax(-1)
    return functional.ctc_loss(logarithms, torch.tensor([digits]), (len(logarithms),), (len(digits),), blank, reduction)


def _class(found: Answer, target: Target) -> int:
    classes = found.shape[-1]
    if not isinstance(target, int):
        raise Refused(tr("The model gives one answer, so its target is one class, not one for each step."))
    if classes == 1:
        raise Refused(tr("The model answers with one number, so its target is 0 or 1 for no or yes, or a number of its "
                         "own: write {target}.0 for the square of how far it is off.").format(target=target))
    if not 0 <= target < classes:
        raise Refused(tr("There is no class {target}; the model tells {count} classes apart, 0 to {last}."
                         ).format(target=target, count=classes, last=classes - 1))
    return target


def _class_of_steps(found: Answer, wish: Wish, target: Target) -> tuple[int, ...]:
    """A class for each step that counts: those that are known, a single one at the last step, or only that of the
    step that is wished for."""
    assert found.steps is not None
    if isinstance(target, Sequence):
        aims = [int(aim) for aim in target]
        if len(aims) != found.steps:
            raise Refused(tr("{count} targets were given for {steps} steps; give one for each step, {unknown} where it "
                             "is not known.").format(count=len(aims), steps=found.steps, unknown=UNKNOWN))
        for aim in aims:
            _class(found, 0 if aim == UNKNOWN else aim)
    else:
        aims = [_class(found, target)] * found.steps
    one = found.steps - 1 if isinstance(target, int) and wish.step is None else wish.step
    if one is not None:
        if aims[one] == UNKNOWN:
            raise Refused(tr("What should follow step {step} is not known, so it has no loss; choose another step."
                             ).format(step=one))
        aims = [aim if step == one else UNKNOWN for step, aim in enumerate(aims)]
    return tuple(aims)


# --- a number of the answer -----------------------------------------------------------------------------------------

def _number(recording: Recording, found: Answer, wish: Wish, named: Named) -> Goal:
    """A number made of the answer, as its kind reads the wish; unnamed, what the kind offers first, or the largest (of
    the last step, where each step has an answer)."""
    values = np.asarray(seen_by_numpy(found.tensor.detach())).reshape(found.shape)
    words = wish.number or _largest(found, wish, named, values)
    if words in ("sum", "mean"):
        total: Tensor = recording.step(getattr(torch, words), (found.tensor,), {}, name=words)
        return Goal(total, Objective(words, None, total.item()))
    scalar = answers.scalar(named, values, words)
    total = _made_of(recording, found, scalar)
    if LOGIT.fullmatch(words) is None:
        return Goal(total, Objective(words, None, total.item()))
    cell = scalar.cells[0][0]
    flat = cell[-1] if found.steps is not None else int(np.ravel_multi_index(cell, values.shape)) if cell else 0
    return Goal(total, Objective("logit", flat, total.item()))


def _of_a_symbol(recording: Recording, found: Answer, match: re.Match[str], ends_in: str) -> Goal:
    """The log probability of a symbol at one step."""
    step, count = int(match[1]), found.shape[0]
    if step >= count:
        raise Refused(tr("There is no step {step}; the model gives {count} answers, of steps 0 to {last}."
                         ).format(step=step, count=count, last=count - 1))
    rows = found.tensor.detach().reshape(-1, found.shape[-1])
    symbol = int(rows[step].argmax()) if match[2] is None else _class(found, int(match[2]))
    scores = found.tensor
    if ends_in == "softmax":
        scores = recording.step(torch.log, (scores,), {}, name="log")
    elif ends_in != "log_softmax":
        scores = recording.step(functional.log_softmax, (scores,), {"dim": -1}, name="log_softmax")
    axes.name(recording.events)
    event = recording.event_of(scores)
    event.axes = found.event.axes
    one = _picked(recording, replace(found, tensor=scores, event=event), (step, symbol), 1.0)
    return Goal(one, Objective(match[0], symbol, one.item()))


def _largest(found: Answer, wish: Wish, named: Named, values: Array) -> str:
    made = answers.of(named)
    chosen = made is not None and (made.suits is answers.never or "foretells" in named.settings)
    if made is not None and chosen and not found.steps and (offered := made.wishes(named, values)):
        return offered[0]
    step = found.steps - 1 if found.steps is not None and wish.step is None else wish.step
    choice = found.tensor.detach().reshape(-1) if step is None else \
        found.tensor.detach().reshape(-1, found.shape[-1])[step]
    return f"logit:{int(choice.argmax())}{'' if step is None else f'@{step}'}"


def _made_of(recording: Recording, found: Answer, scalar: Scalar) -> Tensor:
    """The layers that pick the numbers and add them up."""
    if scalar.factors is not None:
        taken = torch.as_tensor(scalar.factors, dtype=found.tensor.dtype).reshape(found.tensor.shape)
        held = recording.event_of(taken)
        held.axes, held.name = found.event.axes, "taken"
        product = recording.step(torch.mul, (found.tensor, taken), {}, name="masked")
        whole: Tensor = recording.step(torch.sum, (product,), {}, name="sum")
        return whole
    if not scalar.cells:
        summed: Tensor = recording.step(torch.sum, (found.tensor,), {}, name="sum")
        return summed
    picked = [_picked(recording, found, cell, factor) for cell, factor in scalar.cells]
    total, name = picked[0], scalar.words.rpartition(".")[2] if "." in scalar.words else "sum"
    for one in picked[1:]:
        total = recording.step(torch.add, (total, one), {}, name=name)
    if scalar.offset:
        total = recording.step(torch.add, (total, scalar.offset), {}, name=name)
    return total


def _picked(recording: Recording, found: Answer, cell: tuple[int, ...], factor: float) -> Tensor:
    batch = found.event.axes.index("batch") if "batch" in found.event.axes else None
    place = cell if batch is None else (*cell[:batch], 0, *cell[batch:])
    settings = {"index": cell[0] if len(cell) == 1 else cell}
    one: Tensor = recording.step(Tensor.__getitem__, (found.tensor, place), {}, name="logit", kind="logit",
                                 settings=settings)
    return one if factor == 1 else recording.step(torch.mul, (one, factor), {}, name="scaled")
