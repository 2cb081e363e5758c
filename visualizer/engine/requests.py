"""What the engine can be asked for: `REQUESTS`, name -> function of the arguments.

Arguments and answers are what `protocol` can carry: plain values, bytes, arrays, Traces, Reports. Refused becomes a
refusal, any other exception a failure. A long request is a generator that yields (share done, words) and returns its
answer; it draws random numbers from generators of its own, for other requests run between its steps.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

import visualizer
from visualizer import lab as labs
from visualizer import manifest, memory, registry
from visualizer.edits import MODEL, WEIGHTS, those
from visualizer.engine.shared import is_large, shared
from visualizer.language import tr
from visualizer.over import parse
from visualizer.trace import UNTRAINED, Refused, Trace

LINE = re.compile(r"#\d+$")
"""What names a line of a file, of which the whole is looked at."""
MOST_OPEN = 4
"""So many models stay open, the last ones used."""


def hello() -> dict[str, str]:
    """Load torch, and say which versions of everything will do the work."""
    try:
        import_module("visualizer.record.run")
    except ImportError as error:
        raise Refused(tr("torch cannot be loaded ({why}), so nothing is recorded; run visualizer doctor."
                         ).format(why=error)) from error
    return {"visualizer": visualizer.__version__, "python": python_version(),
            **{name: version(name) for name in ("torch", "numpy")}}


def describe(model: str) -> dict[str, Any]:
    """What a model says of itself, without running it: `{"card": what card.from_plain reads}`."""
    opened = _opened(*_source(model, ()))
    return {"card": import_module("visualizer.record.cards").card_of(opened, model).plain()}


def survey(model: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
    """What is known of a model file before it is opened, and of one input as it sees it: `{"survey": what
    survey.from_plain reads}`. `told` is a Manifest as `plain` writes it; None for the one that is kept."""
    said = None if told is None else manifest.from_plain(told)
    return {"survey": import_module("visualizer.record.survey").survey(model, said).plain()}


def record(*, check: bool = True, **wanted: Any) -> dict[str, Any]:
    """Record one sample through one model: `{"trace": Trace, "report": Report}`. `wanted` is what `_trace` takes.

    The check takes ten times as long as the recording. Who wants to show the numbers first says `check=False`, gets
    None for a report, and then makes the request `check` with the same words; so is a large recording answered in any
    case.
    """
    trace = _trace(**wanted)
    return {"trace": trace, "report": trace.check() if check and not is_large(trace) else None}


def check(**wanted: Any) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """Check the recording that `record` made of the same: `{"report": Report}`.

    In the lane of the recordings it gives way to a newer one that waits, since it yields before it begins.
    """
    yield 0.0, "checking"
    return {"report": _trace(**wanted).check()}


def check_recording(trace: Trace) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """Check a recording that was made elsewhere: `{"report": Report}`."""
    yield 0.0, "checking"
    return {"report": trace.check()}


def extend(model: str, sample: str, edits: Sequence[str] = ()) -> dict[str, Any]:
    """What a text that is being typed makes of a model, forwards only: `{"trace": Trace, "report": None}`.

    A model that reads in one direction goes on from where this text and the last one part. The recording with its
    gradients is asked for with `record`, when nobody types any more.
    """
    source = _source(model, edits)
    grown = import_module("visualizer.record.extend").extend(_opened(*source), _read.get(source), sample, edits)
    _read.clear()
    _read[source] = grown
    return {"trace": grown, "report": None}


def study(name: str, others: Sequence[str] = (),
          **wanted: Any) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """What a study of the recording that `record` made of the same words measures: `{"study": name, "arrays": …}`;
    `others` are the inputs beside which it is seen."""
    made = import_module("visualizer.record")
    opened = _opened(*_source(wanted["model"], wanted.get("edits", ())))
    asked = {key: word for key, word in wanted.items() if key != "model"}
    again = made.pass_of(opened, **{**asked, "pixels": _drawing(wanted.get("pixels")), "trace": _trace(**wanted)})
    again = replace(again, others=tuple(others))
    arrays = dict((yield from made.measure(name, again)))
    if is_large(again.trace):
        memory.give_back()
    return {"study": name, "arrays": arrays}


def costs(networks: Sequence[Sequence[Any]]) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """How long networks take, run in turn, and how often they are right: `{"costs": what Measured.plain says}`. Each is
    a model with what is done to it."""
    opened = [_opened(*_source(model, tuple(edits))) for model, edits in networks]
    found = yield from import_module("visualizer.record.costs").measured(opened, "")
    return {"costs": [each.plain() for each in found]}


def over(model: str, words: str, edits: Sequence[str] = ()) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """The inputs of a model that the words of `visualizer.over` ask for: `{"inputs": what Inputs.plain says}`."""
    opened = _opened(*_source(model, edits))
    return {"inputs": (yield from import_module("visualizer.record.over").listed(parse(words), opened, edits)).plain()}


def measure(words: str, data: str = "") -> dict[str, Any]:
    """A number that decides a claim, as `record.measures` reads it: value, standard error, and over how many inputs;
    `data` is the folder of all test inputs, empty for those that come with the app."""
    made = import_module("visualizer.record.measures")
    plain: dict[str, Any] = made.measure(words, made.Data(Path(data) if data else None)).plain
    return plain


def curve(model: str, edits: Sequence[str], grows: str = "",
          source: str = "") -> Generator[tuple[float, str], None, dict[str, Any]]:
    """Right answers by the strength of an edit: `{"curve": what Curve.plain says}`. The words that it yields are the
    curve so far, as JSON; what was counted before is there at once, and what is counted is kept on the disk."""
    made = import_module("visualizer.record.curves")
    opened = _opened(*_source(model, tuple(edits)))
    counting = made.remembering(opened, tuple(edits), made.data_of(opened, source), grows)
    while True:
        try:
            share, so_far = next(counting)
        except StopIteration as end:
            return {"curve": end.value.plain()}
        yield share, json.dumps(so_far.plain())


def lab(words: dict[str, str]) -> dict[str, Any]:
    """What the knobs of the laboratory ask for: `{"trace": Trace, "report": None}`; `check_lab` brings the check."""
    wanted, against = labs.of_look(words)
    return {"trace": import_module("visualizer.record.lab").record_lab(wanted, against), "report": None}


def check_lab(words: dict[str, str]) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """Check the recording that `lab` made of the same words: `{"report": Report}`."""
    yield 0.0, "checking"
    return {"report": lab(words)["trace"].check()}


def sweep_lab(words: dict[str, str], knob: str) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """The factors a step of every lane while one knob goes through its range: `{"study": "sweep", "arrays": …}`."""
    wanted, _ = labs.of_look(words)
    about, values, factors = labs.knob(knob), [], []
    for value, found in import_module("visualizer.record.gradients").sweep(wanted, knob):
        values.append(value)
        factors.append(found)
        yield (value - about.low) / (about.high - about.low), about.title
    return {"study": "sweep", "knob": knob, "arrays": {"values": np.array(values), "factors": np.array(factors),
                                                        "knob": np.array(labs.knobs().index(about))}}


REQUESTS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (
        hello, describe, survey, record, check, check_recording, extend, study, costs, over, curve, measure, lab,
        check_lab, sweep_lab)}


Source = tuple[str, tuple[str, ...], str]
"""A model, what is done to it, and the hash of its file with what is said of it."""

_read: dict[Source, Trace] = {}
"""The last recording in the model's own precision: what `extend` goes on from."""


_last: dict[tuple[Any, ...], Trace] = {}
"""The last recording, by all that it was made from."""


def _trace(model: str, sample: str = "", pixels: Any = None, target: int | None = None, objective: str = "loss",
           dtype: str | None = None, edits: Sequence[str] = ()) -> Trace:
    """The recording of one sample through one model, made if it is not the last one that was.

    `sample` is a sample, a file, a text, or `strip:4 0 7`; `pixels` is a drawing, white on black: 28 x 28 bytes, or an
    array of any size. `edits` are done to the model and the input first.
    """
    pixels = _drawing(pixels)
    drawn = None if pixels is None else (pixels.shape, pixels.dtype.str, pixels.tobytes())
    source = _source(model, edits)
    key = *source, sample, _hash_of(sample), drawn, target, objective, dtype
    if key not in _last:
        made: Trace = shared(import_module("visualizer.record").record(
            _opened(*source), sample, pixels=pixels, target=target, objective=objective, dtype=dtype, edits=edits))
        _last.clear()
        _last[key] = made
        if is_large(made):
            memory.give_back()  # of what it was made with, twice as much
        if dtype is None:
            _read.clear()
            _read[source] = made
    return _last[key]


def _drawing(pixels: Any) -> Any:
    """A drawing as an array."""
    if not isinstance(pixels, bytes):
        return pixels
    if len(pixels) != 28 * 28:
        raise Refused(tr("A drawing of {count} bytes is not 28 × 28; send an array if it has another size."
                         ).format(count=len(pixels)))
    return np.frombuffer(pixels, np.uint8).reshape(28, 28)


_open: dict[Source, Any] = {}


def _source(model: str, edits: Sequence[str]) -> Source:
    digest = _hash_of(model, UNTRAINED in edits)
    if digest and model not in registry.models() and (said := manifest.of(model)) != manifest.NOTHING:
        digest += json.dumps(said.plain())  # another model as soon as something else is said of the file
        digest += "".join(_hash_of(str(Path(model).with_name(name))) for name in (said.weights, said.source) if name)
    return model, tuple(edits), digest


def _opened(model: str, edits: tuple[str, ...], digest: str) -> Any:
    """The model, opened once for as long as its file has the same bytes: another sample then takes milliseconds."""
    edits = those(edits, WEIGHTS, MODEL)  # what is done to an input leaves the model as it is
    key = model, edits, digest
    found = _open.pop(key, None) or import_module("visualizer.record.run").opened_with(model, edits)
    _open[key] = found  # again, as the last one used
    while len(_open) > MOST_OPEN:
        del _open[next(iter(_open))]
    return found


def _hash_of(name: str, untrained: bool = False) -> str:
    """sha256 of the weights of a bundled model, or of a file; empty for anything else."""
    path = registry.weights(name, untrained) if name in registry.models() else Path(LINE.sub("", name))
    try:
        if not path.is_file():
            return ""
    except (OSError, ValueError):  # a text that is too long for a name, or holds what no name can
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
