"""record: a model by name and an input by name become a Trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visualizer import answers, inputs, reasons, registry
from visualizer.answers import AnswerKind
from visualizer.edits import INPUT, TEACHER, those
from visualizer.edits import said as edits_said
from visualizer.inputs import Given
from visualizer.language import ENGLISH, english, speaking, tr, translated
from visualizer.latent import MARK
from visualizer.record.catalog import Opened
from visualizer.record.edits import of_input, opened_with, written
from visualizer.record.latent import decoder_of
from visualizer.record.objectives import Target, plain_target
from visualizer.record.studies import Pass
from visualizer.record.tracing import capture
from visualizer.trace import OF_RUN, ONE_UPDATE, TOLD, Array, Refused, Trace

FACTS = ("answer", "architecture", "data", "data_licence", "input", "objective", "quality", "recipe", "trained",
         "wiring", OF_RUN)
"""What of a model's card stays with the recording."""


def record(model: str | Path | Opened, sample: str | Path = "", *, pixels: Array | None = None,
           target: Any = None, objective: str = "loss", dtype: str | None = None,
           edits: Sequence[str] = ()) -> Trace:
    """Run a model once over one input, forwards and backwards.

    `sample` is a bundled sample, a file, a text, or `strip:4 0 7` (the first bundled sample if it is left out);
    `inputs.given` says what it means to which model. `pixels` are a drawing, white on black, of any size. What is
    differentiated is the loss that the model itself asks for, against the sample's own label or the characters that
    follow, unless a target or an objective is given. `edits` are done to the model and the input first, as their words
    in `visualizer.edits` say. Raises Refused, or LookupError for an unknown name.
    """
    return pass_of(model, sample, pixels=pixels, target=target, objective=objective, dtype=dtype,
                   edits=edits).trace


def pass_of(model: str | Path | Opened, sample: str | Path = "", *, pixels: Array | None = None,
            target: Any = None, objective: str = "loss", dtype: str | None = None,
            edits: Sequence[str] = (), trace: Trace | None = None) -> Pass:
    """What `record` makes, and all that it takes to make it again: what a study starts from.

    `trace` is the recording of the same, if it is there already. A model that is opened has its own edits done to it;
    only those of the input are left to do. Raises what `record` raises.
    """
    opened = model if isinstance(model, Opened) else opened_with(model, edits)
    if ONE_UPDATE in opened.card:
        made: Pass = registry.module("record.training.one").pass_of(opened)
        return made if trace is None else replace(made, trace=trace)
    if str(sample).startswith(MARK):
        opened = decoder_of(opened)
    if opened.prepare is None:
        raise Refused(tr("{model} does not tell how its input is made; from Python, visualizer.capture(model, x) takes "
                         "any.").format(model=opened.title))
    given = given_of(opened, str(sample), pixels)
    given = edited(given, edits, opened)
    x = prepared(opened, given.raw, *((english("take back what was done to it"),) if edits_said(edits, INPUT) else ()))
    target = plain_target(target)
    aim = _target(opened, given, target)
    keywords = told_right(opened, x, aim) if those(edits, TEACHER) else None
    if keywords is not None:
        title = f"{given.sample.title or given.sample.name}, {written(edits, TEACHER)}"
        given = replace(given, sample=replace(given.sample, title=title))
    if given.sample.label is None and isinstance(target, int) and isinstance(aim, int):
        given = replace(given, sample=replace(given.sample, label=target))
    if trace is None:
        trace = told(_captured(opened, given, x, aim, objective, dtype, keywords), opened, given)
    return Pass(trace, opened.module, x if isinstance(x, tuple) else (x,), aim, _asks(opened), objective,
                opened=opened, given=given, edits=tuple(edits), keywords=keywords)


def told_right(opened: Opened, x: Any, aim: Target) -> dict[str, Any]:
    """What a network is told before each symbol that it says: the one to begin with, then the right ones. Refused where
    it is told nothing, or nobody knows what is right."""
    begin = settings_of(opened).get("begin")
    if TOLD not in signature(opened.module.forward).parameters or not isinstance(begin, int):
        raise Refused(tr("{model} is told nothing on its way, so it cannot be told the right symbols; take that away."
                         ).format(model=opened.title))
    if not isinstance(aim, Sequence) or not aim:
        raise Refused(tr("What should be said to this input is not known, so {model} cannot be told it; take that "
                         "away, or choose one of its samples.").format(model=opened.title))
    like = next((each for each in (x if isinstance(x, tuple) else (x,)) if isinstance(each, torch.Tensor)), None)
    return {TOLD: torch.tensor([[begin, *aim[:-1]]], device=None if like is None else like.device)}


def _captured(opened: Opened, given: Given, x: Any, aim: Target, objective: str, dtype: str | None,
              keywords: Mapping[str, Any] | None = None) -> Trace:
    try:
        return capture(opened.module, x, aim, dtype, keywords=keywords, name=opened.name, title=opened.title,
                       sample=given.sample, labels=opened.labels, objective=objective, asks=_asks(opened),
                       facts=facts(opened.card), answer=_answer(opened))
    except (RuntimeError, TypeError) as error:
        shape = tr(" and ").join(str(tuple(each.shape)) for each in (x if isinstance(x, tuple) else (x,)))
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise Refused(tr("{model} cannot be run on an input of the shape {shape} ({why}); give it an input of the "
                         "shape that it was made for.").format(model=opened.title, shape=shape, why=reason)) from error


def edited(given: Given, words: Sequence[str], opened: Opened) -> Given:
    """The input after what is done to it, which its title says."""
    done = written(words, INPUT)
    if not done:
        return given
    said = reads_of(opened)
    raw = of_input(words, given.raw, inputs.of(said), said, opened.title)
    title = f"{given.sample.title or given.sample.name}, {done}"
    following = given.following if raw is given.raw else ""  # it came after what was there
    return replace(given, raw=raw, following=following, sample=replace(given.sample, title=title, steps=()))


def told(trace: Trace, opened: Opened, given: Given) -> Trace:
    """The Trace with what only the model's description tells: what each step reads, and which words it mapped."""
    said = reads_of(opened)
    with speaking(ENGLISH):  # the same recording in every language
        steps = given.sample.steps or steps_of(said, given.raw, trace)
        notes = (*trace.notes, *_mapped(opened, given.raw), *_scaled(opened, given.raw),
                 *inputs.of(said).notes(said, given.raw, opened.title), *_guessed(opened),
                 *map(str, opened.card.get("notes", ())))
    names = tuple(given.raw) if isinstance(given.raw, Mapping) else ("",) * len(trace.fed)
    kinds = [inputs.of(said["inputs"][name] if name else said).name for name in names]
    fed = tuple(each if each.name == TOLD else replace(each, kind=kind, name=name)
                for each, kind, name in zip(trace.fed, kinds, names, strict=False))
    return replace(trace, sample=replace(trace.sample, steps=steps), notes=notes, fed=fed)


def facts(card: Mapping[str, Any]) -> dict[str, Any]:
    """What stays with a recording: without a list of thousands of words, only how many they are."""
    kept = {name: card[name] for name in FACTS if name in card}
    said = kept.get("input")
    if isinstance(said, Mapping) and "words" in said:
        kept["input"] = {**{key: value for key, value in said.items() if key != "words"},
                         "vocabulary": len(said["words"])}
    return kept


def steps_of(said: Mapping[str, Any], raw: Any, trace: Trace) -> tuple[str, ...]:
    """What each step reads, in words, as the kind of input says; nothing for a model that reads it at once."""
    answers = [layer.shape[0] for layer in trace if len(layer.axes) == 2 and layer.axes[-1] == "class"]
    return inputs.of(said).steps(said, raw, answers[-1] if answers else 0)


def reads_of(opened: Opened) -> Mapping[str, Any]:
    """What the model reads, as its card says; nothing where it does not say."""
    found = opened.card.get("input")
    return found if isinstance(found, Mapping) else {}


def _asks(opened: Opened) -> Mapping[str, Any] | None:
    found = opened.card.get("objective")
    return found if isinstance(found, Mapping) else None


def given_of(opened: Opened, sample: str, pixels: Array | None = None) -> Given:
    """What a sample, a file, a text or a drawing means to a model."""
    said = reads_of(opened)
    name = str(said.get("kind", inputs.kinds()[0].name))
    if pixels is not None:
        return inputs.drawn(pixels, name, opened.title, sample or inputs.DRAWN)
    found = inputs.given(sample, name, opened.title, {**said, "labels": opened.labels})
    if said.get("labelled") is False:  # its classes are others than those of the samples
        found = replace(found, sample=replace(found.sample, label=None))
    return found


def prepared(opened: Opened, raw: Any, instead: str = english("choose one of its samples")) -> Any:
    """What is fed in as the model takes it, a tensor or a tuple of several; Refused if it cannot read it, with what to
    do `instead`."""
    assert opened.prepare is not None
    try:
        x = opened.prepare(raw)
        if isinstance(raw, np.ndarray) and isinstance(x, torch.Tensor) and x.ndim > raw.ndim and len(x) > 1:
            raise ValueError(tr("it would be {count} inputs").format(count=len(x)))
        return x
    except (ValueError, RuntimeError) as error:
        if isinstance(raw, str):  # the model's own sentence: nothing typed, or symbols that it does not know
            raise Refused(reasons.told(str(error))) from error
        what = translated(inputs.of(reads_of(opened)).one)
        if hasattr(raw, "shape"):
            what = tr("{name} of {shape}").format(name=what, shape=" × ".join(map(str, raw.shape)))
        shape = reads_of(opened).get("shape", ())
        fixed = bool(shape) and all(isinstance(side, int) for side in shape)
        why = tr("it reads {shape}").format(shape=" × ".join(map(str, shape[-2:]))) if fixed else \
            str(error).partition("\n")[0].rstrip(".")
        raise Refused(tr("{model} cannot read {what} ({why}); {instead}."
                         ).format(model=opened.title, what=what, why=why, instead=translated(instead))) from error


def _answer(opened: Opened) -> Mapping[str, Any] | None:
    """What the model says of its answer."""
    found = opened.card.get("answer")
    return {"kind": found} if isinstance(found, str) else found if isinstance(found, Mapping) else None


def _target(opened: Opened, given: Given, target: Target) -> Target:
    """What the model should have answered, as the kind of its answer reads that off the input."""
    made = answers_with(opened)
    if made is None or made.chosen:
        return given.sample.label if target is None else target
    if target is not None and not isinstance(target, int):
        return target
    if target is not None:
        raise Refused(tr("What {model} should answer stands in its input, so no target can be chosen; look at one "
                         "output with the objective logit:N@T.").format(model=opened.title))
    found = truth_of(opened, given)
    return np.asarray(found) if made.loss in ("", "squares", "pixels") and np.ndim(found) else found


def answers_with(opened: Opened) -> AnswerKind | None:
    """The kind of answer that a model's card says, or asks for; None where it asks for one of none."""
    said = _answer(opened)
    asks = str((_asks(opened) or {}).get("kind", answers.kinds()[0].asks[0]))
    return answers.asked(asks) if said is None else answers.kind(str(said.get("kind")))


def settings_of(opened: Opened) -> Mapping[str, Any]:
    """What its card says of its answer, such as which symbol is the blank."""
    return {**(_asks(opened) or {}), **(_answer(opened) or {})}


def truth_of(opened: Opened, given: Given) -> Any:
    """What it should answer to an input, as the kind of its answer reads that off the input; None where nobody knows.
    """
    made = answers_with(opened)
    if given.truth is None and settings_of(opened).get("truth") == "input" and opened.prepare is not None:
        return prepared(opened, given.raw)[0].numpy()
    found = None if made is None else made.target(given, lambda raw: prepared(opened, raw).numpy(), opened.wanted)
    return _by_number(found, opened) if made is not None and made.ends else found


def _by_number(found: Any, opened: Opened) -> list[int] | None:
    """Symbols that should be said as places among the labels, with the end; None where one of them is unknown."""
    known, end = {word: place for place, word in enumerate(opened.labels)}, settings_of(opened).get("end")
    places = [known.get(each, -1) if isinstance(each, str) else int(each) for each in found or ()]
    if not places or -1 in places:
        return None
    return places if places[-1] == end or not isinstance(end, int) else [*places, end]


def _scaled(opened: Opened, raw: Any) -> tuple[str, ...]:
    """A note on how pixels are handed to a model whose file says nothing of that."""
    scale = reads_of(opened).get("scale")
    if "scale" not in opened.asked or not isinstance(raw, np.ndarray) or raw.dtype != np.uint8:
        return ()
    values = "grey values" if raw.ndim == 2 else "colours"
    return (f"{opened.title} is given {values} as {scale}; its file does not say how it was trained to read them.",)


def _guessed(opened: Opened) -> tuple[str, ...]:
    """A note on a network of which the file tells the weights and not the wiring."""
    wiring = opened.card.get("wiring")
    if not isinstance(wiring, Mapping):
        return ()
    unused = wiring.get("unused", ())
    are = "is" if len(unused) == 1 else "are"
    left = f"; {', '.join(unused[:6])}{' and others' if len(unused) > 6 else ''} {are} not used" if unused else ""
    if wiring.get("guessed"):
        return (f"The file holds weights only: how {opened.title.partition(',')[0]} is wired is guessed from their "
                f"names and shapes, with ReLU and pooling where they fit, and may have been otherwise{left}.",)
    return (f"The file holds weights only: how {opened.title.partition(',')[0]} is wired was guessed by you{left}.",)


def _mapped(opened: Opened, raw: Any) -> tuple[str, ...]:
    """A note that names the words that a model reads as one and the same unknown one."""
    if opened.unknown is None or not isinstance(raw, str) or "unknown" not in reads_of(opened):
        return ()
    strange = opened.unknown(raw)
    if not strange:
        return ()
    listed = ", ".join(f"“{word}”" for word in strange)
    return (f"{opened.title} does not know {listed}; it reads {'each of them' if len(strange) > 1 else 'it'} as its "
            "one word for all that is unknown.",)
