"""What the engine can be asked for: `REQUESTS`, name -> function of the arguments.

Arguments and answers are what `protocol` can carry: plain values, bytes, arrays, Traces, Reports. Refused becomes a
refusal, any other exception a failure. A long request is a generator that yields (share done, words) and returns its
answer; it draws random numbers from generators of its own, for other requests run between its steps.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

import visualizer
from visualizer import lab as labs
from visualizer import manifest, memory, registry
from visualizer.edits import MODEL, WEIGHTS, all_edits, those
from visualizer.engine.protocol import Told
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


def record(*, check: bool = True, studies: Sequence[str] = (), **wanted: Any) -> dict[str, Any]:
    """Record one sample through one model: `{"trace": Trace, "report": Report}`. `wanted` is what `_trace` takes;
    `studies` are measured at once, so that the picture that needs them is whole when it comes.

    The check takes ten times as long as the recording. Who wants to show the numbers first says `check=False`, gets
    None for a report, and then makes the request `check` with the same words; so is a large recording answered in any
    case.
    """
    trace = _trace(**wanted)
    report = trace.check() if check and not is_large(trace) else None
    if studies:
        trace = import_module("visualizer.record").with_study(_pass(**wanted), *studies)
    return {"trace": trace, "report": report}


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
    again = replace(_pass(**wanted), others=tuple(others))
    arrays = dict((yield from import_module("visualizer.record").measure(name, again)))
    if is_large(again.trace):
        memory.give_back()
    return {"study": name, "arrays": arrays}


def _pass(**wanted: Any) -> Any:
    """The recording that `_trace` makes of these words, and all that it takes to make it again."""
    opened = _opened(*_source(wanted["model"], wanted.get("edits", ())))
    asked = {key: word for key, word in wanted.items() if key != "model"}
    return import_module("visualizer.record").pass_of(
        opened, **{**asked, "pixels": _drawing(wanted.get("pixels")), "trace": _trace(**wanted)})


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


TELL = 0.1
"""Seconds from one piece of news of a training to the next: no more than ten a second."""


def trainable(model: str) -> dict[str, Any]:
    """What can be turned in the training of a bundled network: the knobs of its short recipe by name, `offers`: the
    names of those that act on it, and its `updates`. Refused for a network without one."""
    made = import_module("visualizer.record.training")
    knobs, updates = made.taught(model)
    return {"knobs": knobs.words(), "offers": list(made.offered(model)), "updates": updates}


def train(model: str, course: Sequence[Any], upto: int, sample: str = "", data: str = "", watched: Sequence[str] = (),
          known: int = 0, again: bool = False) -> Generator[tuple[float, str], None, dict[str, Any]]:
    """Go on with the training of these words until there are `upto` updates; 0 tells what there is. Cancelling it is a
    pause: what was done stays. The words that it yields are JSON of what came since the last, which `train.news_from`
    reads; the first tells what came after the `known` updates, and all else of the run beside it, as `train.run_from`
    reads it. Another course branches where it parts from the one before; `again`: what was made after the `known`
    updates is made once more. Answers `{"step": …, "stopped": …}`."""
    from visualizer import train as trains

    goes = import_module("visualizer.record.training.going")
    yield 0.0, ""
    words = goes.Words(model, trains.course_from(course), sample, data, tuple(watched))
    found = goes.back_to(words, known) if again else goes.going(words)
    bare = replace(found.run, updates=(), checkpoints=(), named=()).plain()
    last = upto or found.run.step
    updates = [each for each in found.run.updates if known < each.step <= last]
    since = [each for each in found.run.checkpoints if known < each.step <= last or each.step == known == 0]
    named = [each for each in found.run.named if known < each.step <= last]
    yield min(found.run.step / max(upto, 1), 1.0), Told(json.dumps(bare | trains.plain_news(updates, since, named)))
    updates, since, named, told = [], [], [], time.monotonic()  # noqa: TID251 nothing shows it: it spares messages
    if found.run.step < upto:
        for news in goes.onwards(found, upto):
            updates += [each for each in news.updates if each.step > known]
            since += [each for each in news.checkpoints if each.step > known]
            named += [each for each in news.named if each.step > known]
            now = time.monotonic()  # noqa: TID251 as above
            if now - told >= TELL:
                yield found.run.step / upto, Told(json.dumps(trains.plain_news(updates, since, named)))
                updates, since, named, told = [], [], [], now
    if found.run.step == last:
        since += [each for each in goes.standing(found).checkpoints if each.step >= known]
    if updates or since:
        yield 1.0, Told(json.dumps(trains.plain_news(updates, since, named)))
    return {"step": found.run.step, "stopped": found.run.stopped}


def checkpoint(model: str, course: Sequence[Any], step: int, sample: str = "", data: str = "",
               watched: Sequence[str] = ()) -> dict[str, Any]:
    """The recording of the chosen input after so many updates: `{"trace": Trace, "report": None}`."""
    from visualizer import train as trains

    goes = import_module("visualizer.record.training.going")
    run, found = goes.checkpoint_of(goes.Words(model, trains.course_from(course), sample, data, tuple(watched)), step)
    return {"trace": import_module("visualizer.record.training").recorded(replace(run, sample=sample), found),
            "report": None}


def one_update(model: str, course: Sequence[Any], step: int, weight: str, sample: str = "", data: str = "",
               watched: Sequence[str] = (), rate: float = 0.1) -> dict[str, Any]:
    """One update of one weight, `conv1.weight:0,0,2,2`, for `train.taken_apart.stages`: `before` and the `knobs`; and
    `loss`, from where to where one plain step of `rate` moves the loss of its batch."""
    from visualizer import train as trains

    goes = import_module("visualizer.record.training.going")
    words = goes.Words(model, trains.course_from(course), sample, data, tuple(watched))
    before, knobs, moves = goes.one_update(words, step, weight, rate)
    return {"before": asdict(before), "knobs": knobs.words(), "loss": list(moves)}


REQUESTS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (
        hello, describe, survey, record, check, check_recording, extend, study, costs, over, curve, measure, lab,
        check_lab, sweep_lab, trainable, train, checkpoint, one_update)}


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
    if digest and not registry.is_bundled(model) and (said := manifest.of(model)) != manifest.NOTHING:
        digest += json.dumps(said.plain())  # another model as soon as something else is said of the file
        digest += "".join(_hash_of(str(Path(model).with_name(name))) for name in (said.weights, said.source) if name)
    return model, tuple(edits), digest


def _opened(model: str, edits: tuple[str, ...], digest: str) -> Any:
    """The model, opened once for as long as its file has the same bytes: another sample then takes milliseconds."""
    made = import_module("visualizer.record.edits")
    weights, cuts = those(edits, WEIGHTS), those(edits, MODEL)  # what is done to an input leaves the model as it is
    known = {words.partition(":")[0] for words in edits} <= {each.name for each in all_edits()}
    found = None
    for done in dict.fromkeys((weights, (*weights, *cuts))) if known else (edits,):
        key = model, done, digest
        found = _open.pop(key, None) or (
            made.opened_with(model, done) if found is None else made.cut_as(found, cuts))
        _open[key] = found  # again, as the last one used
    while len(_open) > MOST_OPEN:
        del _open[next(iter(_open))]
    return found


def _hash_of(name: str, untrained: bool = False) -> str:
    """sha256 of the weights of a bundled model, or of a file; empty for anything else."""
    if registry.is_bundled(name):
        path = registry.weights(name, untrained)
        return _hash_of_bundled(path, path.stat().st_mtime_ns) if path.is_file() else ""
    path = Path(LINE.sub("", name))
    try:
        return _sha256(path) if path.is_file() else ""
    except (OSError, ValueError):  # a text that is too long for a name, or holds what no name can
        return ""


@lru_cache(maxsize=8)
def _hash_of_bundled(path: Path, changed: int) -> str:
    """Of weights that come with the app, which stay what they are while it runs: read once."""
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
