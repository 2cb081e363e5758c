"""Trace, Layer, Sample, Objective: one recorded forward and backward pass, as frozen numbers.

A Trace holds numpy arrays only. It is made by `record`, saved as a zip of JSON and safetensors, and opened again
without torch and without running code.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, wraps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from visualizer import registry, unpack
from visualizer.language import numeral, spoken, tr
from visualizer.refused import Refused as Refused

if TYPE_CHECKING:
    from visualizer.kinds import Report

Array = NDArray[Any]
Arrays = Mapping[str, Array]
Cell = tuple[int, ...]

FORMAT = "visualizer-trace-1"
SUFFIX, HEADER = ".trace", "trace.json"
"""How the name of a file ends, and what of the zip says that it is one."""
MOST_BYTES = 2 << 30
"""Bytes of a message that brings a trace from an engine of our own."""
MOST_COMPRESSED = 32 << 20
"""Bytes, without gradients, that are compressed in a file: of more it takes seconds."""
MOST_LAYERS = 5_000
"""Of a recording in a file: of more, a view takes many seconds to be laid out."""
MOST_LETTERS, MOST_LISTED = 4096, 100_000
"""Of a name or a sentence in a file, and of the names in one list."""
PART = "part"
"""The last axis of complex numbers: the real part, then the imaginary one."""
INPUT, UNEXPLAINED = "input", "unexplained"
"""What `Layer.kind` is of what was fed in, and of an operation that no kind speaks for."""
MODULES = "modules"
"""The fact that tells the classes of the modules which hold others: path -> `Bottleneck`."""
UNTRAINED = "untrained"
"""What is done to a model that is recorded with its weights from before training; an edit of a recipe."""
TRAINED = "trained"
"""What is done to a model that is recorded with the weights that a training of it had after so many updates; an edit of
a recipe."""
OF_RUN = "run"
"""The fact that tells of which training its weights are: `step`, and where that is found again, `file`, `course`,
`data`."""
ONE_UPDATE = "update"
"""What is done where a recording is of one update of a training, and the fact that tells so: an edit of a recipe."""
TOLD = "told"
"""What is done where a network that says one symbol after the other is told the right one before each, not its own
last one (teacher forcing): an edit of a recipe, and the name of what its `forward` takes for it."""


@dataclass(frozen=True)
class Sample:
    """What was fed in."""

    name: str
    """Short name that finds it again: `digit-2148`, or a file name."""
    title: str = ""
    """What a person reads: `Digit 2148`."""
    label: int | None = None
    """The class it truly belongs to, if that is known."""
    steps: tuple[str, ...] = ()
    """What each step reads, in words: the characters of a text, the words of a sentence, `row 3` of a picture."""


@dataclass(frozen=True)
class Objective:
    """The one number whose gradient flows back."""

    kind: str = "none"
    """`cross_entropy`, `negative_log_likelihood`, `ctc_loss`, `mean_squared_error`, `binary_cross_entropy`,
    `squares_and_binary_cross_entropy`, `logit`, another wish for a number of the answer, or `none` when nothing was
    differentiated."""
    target: int | None = None
    value: float = float("nan")


@dataclass(frozen=True)
class Input:
    """One thing that was fed in."""

    layer: str
    kind: str = ""
    """A file of `inputs/`; empty where nobody said."""
    name: str = ""
    """What the model's card calls it, where it takes several."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One thing that the model handed back."""

    layer: str
    """The layer that holds it; where the model tells classes apart, that of their probabilities."""
    kind: str
    """A file of `answers/`."""
    labels: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the model says of it: strides, a threshold, which class means none."""
    returned: str = ""
    """What the model itself handed back, where that is another layer: logits."""
    truth: Array | None = None
    """What it should be, where that is known and is no class."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        object.__setattr__(self, "truth", None if self.truth is None else _read_only(self.truth))

    @property
    def along(self) -> tuple[str, ...] | None:
        """Along which axes it is a choice among labels each; along none it is one choice; None where it is no choice.
        `answers` stands above this file, so it is looked up by name."""
        made = registry.module("answers").of(self)
        return None if made is None else made.along

    @property
    def chooses(self) -> bool:
        """Whether it is one choice among labels."""
        return self.along == ()


@dataclass(frozen=True, eq=False)
class Layer:
    """One executed operation: what it read, with which weights, what came out, and the gradient that came back."""

    name: str
    """Module path, or module path and operation for a bare function; a second call is `name#2`."""
    kind: str
    """`conv2d`, `relu`, `linear`, …; `input` for what was fed in; `unexplained` for an unknown operation."""
    axes: tuple[str, ...]
    """What each axis of `output` means: `channel row column`, `step unit`, `unit`, `class`, … Never a batch axis."""
    settings: Mapping[str, Any]
    """Plain values: stride, padding, mode, …"""
    reads: tuple[str, ...]
    """Names of the layers whose outputs it read, in the order of its arguments."""
    output: Array
    gradient: Array | None = None
    """dObjective/dOutput, same shape; None when nothing flowed back (then `why` says so)."""
    weights: Arrays = field(default_factory=dict)
    weight_gradients: Arrays = field(default_factory=dict)
    inner: Arrays = field(default_factory=dict)
    """For layers that hide time: gates and states, `(step, unit)`."""
    inner_gradients: Arrays = field(default_factory=dict)
    why: str = ""
    """Why something is missing here: no gradient, or unexplained."""
    dtype: str = ""
    """The precision in which torch computed it, where that is not the recording's: `bfloat16` under autocast."""

    def __post_init__(self) -> None:
        freeze = object.__setattr__
        freeze(self, "output", _read_only(self.output))
        freeze(self, "gradient", None if self.gradient is None else _read_only(self.gradient))
        freeze(self, "settings", MappingProxyType(dict(self.settings)))
        for name in _ARRAY_GROUPS:
            arrays = getattr(self, name)
            freeze(self, name, MappingProxyType({key: _read_only(value) for key, value in arrays.items()})
                   if arrays else _NOTHING)

    @property
    def is_input(self) -> bool:
        """Whether it is what was fed in."""
        return self.kind == INPUT

    @property
    def unexplained(self) -> bool:
        """Whether nobody knows what it does."""
        return self.kind == UNEXPLAINED

    def has(self, *axes: str) -> bool:
        """Whether the output has these axes: `layer.has("row", "column")`."""
        return set(axes) <= set(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.output.shape)

    @property
    def parameters(self) -> int:
        """How many numbers of it can learn; running statistics are measured, not learned."""
        return sum(int(array.size) for array in self.learned.values())

    @property
    def learned(self) -> Arrays:
        """Its weights without running statistics, and without those that the setting `fixed` names."""
        fixed = self.settings.get("fixed", ())
        return {name: array for name, array in self.weights.items()
                if not name.startswith("running_") and name not in fixed}


_LOSSES = ("cross_entropy", "nll_loss", "ctc_loss", "log", "logit")
"""What reads probabilities, or the logits that they are made of, and is no part of the model."""


def _answers_of(layers: tuple[Layer, ...], labels: tuple[str, ...]) -> tuple[Answer, ...]:
    """The probabilities that a model ends in, if it does: those that nothing reads but a loss."""
    read = {name for layer in layers if layer.kind not in _LOSSES for name in layer.reads}
    spelled = next((layer for layer in layers if layer.kind == "ctc_loss"), None)
    for layer in reversed(layers):
        if layer.kind == "softmax" and layer.axes[-1:] == ("class",) and layer.name not in read:
            kind = "classes" if layer.axes == ("class",) else "tokens" if spelled is None else "string"
            settings = {} if spelled is None else {"blank": spelled.settings.get("blank", 0)}
            return Answer(layer.name, kind, labels, settings, layer.reads[0] if layer.reads else ""),
    return ()


_ARRAY_GROUPS = ("weights", "weight_gradients", "inner", "inner_gradients")
_NOTHING: Arrays = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Trace:
    """One forward and backward pass of one model over one sample, in the order of execution."""

    model: str
    """Bundled name or file stem."""
    layers: tuple[Layer, ...]
    """The first is the input; a layer stands after everything it reads."""
    title: str = ""
    sample: Sample = field(default_factory=lambda: Sample("input"))
    objective: Objective = field(default_factory=Objective)
    labels: tuple[str, ...] = ()
    """Names of the classes, in the order of the model's outputs."""
    dtype: str = "float32"
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    """sha256 of what it was made from: `weights`, `input`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Measured quality and other plain facts that come with the model."""
    notes: tuple[str, ...] = ()
    """Whatever the recorder could not account for, one sentence each."""
    studies: Mapping[str, Arrays] = field(default_factory=dict)
    """What further passes of the same model over the same input measured: name of the study -> its arrays."""
    fed: tuple[Input, ...] = ()
    """What was fed in, in the order in which the model takes it."""
    answers: tuple[Answer, ...] = ()
    """What the model handed back, in that order. Recordings from before these were named are read as having one: the
    probabilities at the end."""

    def __post_init__(self) -> None:
        if not self.fed:
            reads = self.facts.get("input")
            kind = str(reads.get("kind", "")) if isinstance(reads, Mapping) else ""
            fed = [layer.name for layer in self.layers if layer.is_input]
            object.__setattr__(self, "fed", tuple(Input(name, kind if len(fed) == 1 else "") for name in fed))
        if not self.answers:
            object.__setattr__(self, "answers", _answers_of(self.layers, self.labels))
        object.__setattr__(self, "studies", MappingProxyType({
            name: MappingProxyType({key: _read_only(array) for key, array in arrays.items()})
            for name, arrays in self.studies.items()}))
        seen: set[str] = set()
        for layer in self.layers:
            if layer.name in seen:
                raise ValueError(tr("two layers are named {name!r}").format(name=layer.name))
            missing = [name for name in layer.reads if name not in seen]
            if missing:
                raise ValueError(tr("{layer} reads {name!r}, which does not stand before it"
                                    ).format(layer=layer.name, name=missing[0]))
            seen.add(layer.name)

    def __getitem__(self, name: str) -> Layer:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"no layer {name!r}; there are {', '.join(self._by_name)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each layer in the order of execution, from 0."""
        return {layer.name: place for place, layer in enumerate(self.layers)}

    @cached_property
    def _readers(self) -> dict[str, tuple[Layer, ...]]:
        found: dict[str, dict[str, Layer]] = {name: {} for name in self._by_name}
        for layer in self.layers:
            for name in layer.reads:
                found[name][layer.name] = layer
        return {name: tuple(readers.values()) for name, readers in found.items()}

    def inputs(self, layer: Layer) -> tuple[Layer, ...]:
        """The layers that `layer` reads, in the order of its arguments."""
        return tuple(self[name] for name in layer.reads)

    def readers(self, name: str) -> tuple[Layer, ...]:
        """The layers that read `name`; its gradient is the sum of what they hand back."""
        return self._readers[name]

    @cached_property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The name and shape of each layer."""
        return tuple((layer.name, layer.shape) for layer in self.layers)

    @property
    def has_backward(self) -> bool:
        return any(layer.gradient is not None for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Weights counted once: layers that share a weight hold the same array."""
        counted = {id(array): int(array.size) for layer in self.layers for array in layer.learned.values()}
        return sum(counted.values())

    @cached_property
    def answer(self) -> Layer | None:
        """The layer of class probabilities, if the model ends in classes."""
        held = (self._by_name.get(answer.layer) for answer in self.answers)
        return next((layer for layer in held if layer is not None and layer.axes == ("class",)), None)

    @cached_property
    def digest(self) -> str:
        """sha256 over everything in it: equal traces have equal digests."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def check(self) -> Report:
        """Compare every layer with its own Terms, re-computed in numpy.

        `kinds` stands above this file, so it is looked up by name rather than imported.
        """
        return registry.module("kinds").check(self)  # type: ignore[no-any-return]

    def frame(self) -> Any:
        """The layers as a pandas.DataFrame, one row a layer by its name: `kind`, `axes`, `shape`, `parameters`, `min`,
        `mean` and `max` of its output, `gradient` (its size, ∥·∥₂), `reads`, `why`. Raises Refused without pandas."""
        return registry.module("data").frame(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """How a notebook shows it: its first picture, and a table of its layers."""
        return registry.module("notebook").of_trace(self, include, exclude)  # type: ignore[no-any-return]

    def save(self, path: str | Path) -> Path:
        """Write a `.trace` beside the target, then rename it into place."""
        return registry.write_whole(Path(path), self.to_bytes())

    def to_bytes(self, compress: bool = True) -> bytes:
        """The file as bytes. Compressed, 1 MB takes about 40 ms and saves a tenth; on the way to another process it
        goes as it is, and so does a large one."""
        small = sum(layer.output.nbytes for layer in self.layers) + 4 * self.parameters < MOST_COMPRESSED
        return _pack(self, zipfile.ZIP_DEFLATED if compress and small else zipfile.ZIP_STORED)


def load(path: str | Path) -> Trace:
    """Open a `.trace`; raises Refused with one sentence if the file is missing, damaged or hostile."""
    path = Path(path)
    if not path.is_file():
        raise Refused(tr("There is no file {path}; check the name.").format(path=path))
    return _opened(path, path.name, unpack.MOST_NUMBERS)


def from_bytes(data: bytes, name: str = "this trace", most: int = MOST_BYTES) -> Trace:
    """Unpack what `to_bytes` made, trusting nothing in it. `most`: bytes that its numbers may take; a file that anybody
    may have made is given less than an engine of our own."""
    return _opened(io.BytesIO(data), name, most)


def together(header: dict[str, Any], arrays: dict[str, Array], name: str = "this trace") -> Trace:
    """The trace that `apart` took apart, its plain values having been JSON meanwhile; trusting nothing in it."""
    return _judged(lambda: _from_header(header, arrays), name)


def _opened(file: Path | io.BytesIO, name: str, most: int) -> Trace:
    return _judged(lambda: _from_header(*_unpack(file, name, most)), name)


def _judged(made: Callable[[], Trace], name: str) -> Trace:
    try:
        return made()
    except Refused:
        raise
    except unpack.TooMuch as error:
        raise Refused(tr("{name} would take more than {most} MB to open ({why}); record a smaller model or input."
                         ).format(name=name, most=unpack.BUDGET >> 20, why=error)) from error
    except Exception as error:
        raise Refused(tr("{name} is damaged ({why}); record it again with `visualizer record`."
                         ).format(name=name, why=error)) from error


# --- what is worked out once ----------------------------------------------------------------------------------------

P = ParamSpec("P")
R = TypeVar("R")
_KEPT = "_remembered"


_MISSING: Any = object()


def remembered(most: int = 32, each_layer: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function keep its last `most` answers, with the noun it is asked about first: they die with that.
    `each_layer`: of a Trace as many as it has layers, where it is asked of all of them in turn and an answer is small.

    The noun is a Trace, or what was read of one (a Layer, a Reading, or the first of several). A cache beside the
    function would keep every recording alive that was ever drawn. An answer may have words in it, so that each language
    has its own.
    """
    def keeping(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> R:
            owner: Any = args[0]
            if isinstance(owner, tuple):
                if not owner:
                    return function(*args, **kwargs)
                owner = owner[0]
            noun = owner.__dict__  # this is asked some sixty times a frame
            kept = noun[_KEPT].get(function) if _KEPT in noun else None
            if kept is None:
                kept = noun.setdefault(_KEPT, {}).setdefault(function, {})
            key = (spoken(), args[1:] if owner is args[0] else args, *(sorted(kwargs.items()) if kwargs else ()))
            answer = kept.get(key, _MISSING)
            if answer is not _MISSING:
                if 2 * len(kept) > most and not each_layer:  # again, as the last one that was asked for
                    kept[key] = kept.pop(key)
                return answer  # type: ignore[no-any-return]
            answer = kept[key] = function(*args, **kwargs)
            while len(kept) > (max(most, len(noun.get("layers", ()))) if each_layer else most):
                del kept[next(iter(kept))]
            return answer

        return asked

    return keeping


def forget(trace: Trace) -> None:
    """Let go of all that was worked out of a recording, so that it goes at once when nobody holds it any more."""
    vars(trace).pop(_KEPT, None)
    for layer in trace.layers:
        vars(layer).pop(_KEPT, None)


# --- the file: a zip of trace.json and arrays.safetensors -----------------------------------------------------------

_PLAIN = ("model", "title", "dtype", "seed", "versions", "hashes", "facts")


def apart(trace: Trace) -> tuple[dict[str, Any], dict[str, Array]]:
    """A trace as plain values, and its arrays by the names that stand in them; each array once."""
    arrays: dict[str, Array] = {}
    names: dict[int, str] = {}

    def keep(key: str, array: Array) -> str:
        """Store an array once, however many layers hold it."""
        if id(array) not in names:
            names[id(array)] = key
            arrays[key] = np.asarray(array, order="C")  # ascontiguousarray would make one number a list
        return names[id(array)]

    layers = []
    for number, layer in enumerate(trace.layers):
        entry: dict[str, Any] = {
            "name": layer.name, "kind": layer.kind, "axes": list(layer.axes), "settings": dict(layer.settings),
            "reads": list(layer.reads), "why": layer.why, "output": keep(f"{number}.output", layer.output),
        }
        if layer.dtype:
            entry["dtype"] = layer.dtype
        if layer.gradient is not None:
            entry["gradient"] = keep(f"{number}.gradient", layer.gradient)
        for group in _ARRAY_GROUPS:
            entry[group] = {key: keep(f"{number}.{group}.{key}", value)
                            for key, value in sorted(getattr(layer, group).items())}
        layers.append(entry)
    header = {
        "format": FORMAT, "layers": layers, "labels": list(trace.labels), "notes": list(trace.notes),
        "sample": {f.name: getattr(trace.sample, f.name) for f in fields(Sample)},
        "objective": {f.name: getattr(trace.objective, f.name) for f in fields(Objective)},
        **{name: _plain(getattr(trace, name)) for name in _PLAIN},
    }
    header["fed"] = [{f.name: getattr(each, f.name) for f in fields(Input)} for each in trace.fed]
    header["answers"] = [
        {"layer": each.layer, "kind": each.kind, "labels": list(each.labels), "settings": dict(each.settings),
         "returned": each.returned, **({} if each.truth is None else {"truth": keep(f"answer.{number}", each.truth)})}
        for number, each in enumerate(trace.answers)]
    if trace.studies:
        header["studies"] = {name: {key: keep(f"study.{name}.{key}", array) for key, array in sorted(found.items())}
                             for name, found in sorted(trace.studies.items())}
    return header, arrays


def _pack(trace: Trace, method: int) -> bytes:
    from safetensors.numpy import save

    header, arrays = apart(trace)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        indent = 1 if method == zipfile.ZIP_DEFLATED else None  # for people; without it five times as fast
        for member, content in ((HEADER, json.dumps(header, indent=indent, sort_keys=True).encode()),
                                ("arrays.safetensors", save(arrays))):
            info = zipfile.ZipInfo(member, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _unpack(file: Path | io.BytesIO, name: str, most: int) -> tuple[dict[str, Any], dict[str, Array]]:
    try:
        archive = unpack.opened(file)
    except zipfile.BadZipFile:
        raise Refused(tr("{name} is not a trace; make one with `visualizer record MODEL -o {name}`."
                         ).format(name=name)) from None
    with archive:
        members = {info.filename: info for info in archive.infolist()}
        if set(members) != {HEADER, "arrays.safetensors"} or len(archive.infolist()) != 2:
            raise Refused(tr("{name} is a zip but not a trace; open a file made by `visualizer record`."
                             ).format(name=name))
        header = json.loads(unpack.read(archive, members[HEADER], unpack.MOST_WORDS))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            found = header.get("format") if isinstance(header, dict) else None
            raise Refused(tr("{name} has the format {found!r}, this version opens {known}; record it again."
                             ).format(name=name, found=found, known=FORMAT))
        held = members["arrays.safetensors"]
        stored = held.compress_type == zipfile.ZIP_STORED  # which cannot unpack to more than the file itself takes
        return header, arrays_in(unpack.read(archive, held, MOST_BYTES if stored else most))


_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
           "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?", "C64": "<c8", "C128": "<c16"}


ALIGNED = 64
"""Bytes: where an array begins, so that it is read as fast as one of its own."""


def write_arrays(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Write arrays as a safetensors file, one after the other without a copy of all of them; `arrays_in` reads it."""
    told, at = dict[str, Any](), 0
    names = {np.dtype(code): name for name, code in _DTYPES.items()}
    for name, array in arrays.items():
        told[name] = {"dtype": names[array.dtype.newbyteorder("<")], "shape": list(array.shape),
                      "data_offsets": [at, at + array.nbytes]}
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    words = json.dumps(told).encode()
    words += b" " * (-(8 + len(words)) % ALIGNED)
    file.write(len(words).to_bytes(8, "little") + words)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data.cast("B") if array.size else b"")
        file.write(bytes(-array.nbytes % ALIGNED))


def arrays_in(data: bytes | memoryview) -> dict[str, Array]:
    """The arrays of a safetensors file by name, as views of its bytes: a copy would take as much again.

    Raises ValueError, KeyError, TypeError, … for what is none. An array cannot be larger than the bytes that it names.
    """
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(len(data) - 8, unpack.MOST_WORDS):
        raise ValueError(tr("its arrays have no list"))
    told, body = json.loads(bytes(data[8:8 + length])), memoryview(data)[8 + length:]
    found: dict[str, Array] = {}
    for name, about in told.items():
        if name == "__metadata__":
            continue
        dtype, shape, (first, last) = np.dtype(_DTYPES[about["dtype"]]), tuple(about["shape"]), about["data_offsets"]
        if any(type(number) is not int or number < 0 for number in (*shape, first, last)) \
                or last - first != math.prod(shape) * dtype.itemsize or last > len(body):
            raise ValueError(tr("the array {name} is not as large as it says").format(name=name[:40]))
        found[name] = np.frombuffer(body[first:last], dtype).reshape(shape)
    return found


def _from_header(header: dict[str, Any], arrays: dict[str, Array]) -> Trace:
    if len(header["layers"]) > MOST_LAYERS:
        raise Refused(tr("A trace of {count} layers is more than {most}; record a smaller model."
                         ).format(count=len(header["layers"]), most=MOST_LAYERS))
    if sum(len(entry["reads"]) for entry in header["layers"]) > MOST_LISTED:
        raise Refused(tr("A trace in which layers read more than {most} others is too large; record a smaller "
                         "model.").format(most=numeral(f"{MOST_LISTED:,}")))
    _check_types(header)
    layers = tuple(
        Layer(
            name=entry["name"], kind=entry["kind"], axes=tuple(entry["axes"]), settings=_tuples(entry["settings"]),
            reads=tuple(entry["reads"]), why=entry["why"], dtype=entry.get("dtype", ""), output=arrays[entry["output"]],
            gradient=arrays[entry["gradient"]] if "gradient" in entry else None,
            **{group: {key: arrays[at] for key, at in entry[group].items()} for group in _ARRAY_GROUPS},
        )
        for entry in header["layers"]
    )
    for layer in layers:
        if len(layer.axes) != layer.output.ndim:
            raise Refused(tr("{layer} names {count} axes for {wanted}; record the trace again."
                             ).format(layer=layer.name, count=len(layer.axes), wanted=layer.output.ndim))
        if layer.gradient is not None and layer.gradient.shape != layer.output.shape:
            raise Refused(tr("{layer} has a gradient of another shape than its output; record the trace again."
                             ).format(layer=layer.name))
        for found, of in ((layer.weight_gradients, layer.weights), (layer.inner_gradients, layer.inner)):
            # gradients inside time may also be of what is not kept itself: a gate before its sigmoid, the first state
            own = of is layer.weights
            if any((own and key not in of) or (key in of and of[key].shape != array.shape)
                   for key, array in found.items()):
                raise Refused(tr("{layer} has a gradient that fits none of its arrays; record the trace again."
                                 ).format(layer=layer.name))
    names = {layer.name for layer in layers}
    fed = tuple(Input(**each) for each in header.get("fed", ()))
    answers = tuple(Answer(each["layer"], each["kind"], tuple(each["labels"]), _tuples(each["settings"]),
                           each["returned"], arrays[each["truth"]] if "truth" in each else None)
                    for each in header.get("answers", ()))
    missing = [name for name in (*(each.layer for each in fed), *(each.layer for each in answers)) if name not in names]
    if missing:
        raise Refused(tr("It names an input or an answer {name!r} that is no layer; record the trace again."
                         ).format(name=missing[0][:40]))
    return Trace(
        fed=fed, answers=answers,
        layers=layers, labels=tuple(header["labels"]), notes=tuple(header["notes"]),
        sample=Sample(**_tuples(header["sample"])), objective=Objective(**header["objective"]),
        studies={name: {key: arrays[at] for key, at in found.items()}
                 for name, found in header.get("studies", {}).items()},
        **{name: header[name] for name in _PLAIN},
    )


def _check_types(header: dict[str, Any]) -> None:
    """Words where words belong, lists of words, mappings, numbers; raises TypeError."""
    sample, objective, layers = header["sample"], header["objective"], header["layers"]
    words = [header["model"], header["title"], header["dtype"], sample["name"], sample["title"], objective["kind"]]
    words += [entry[name] for entry in layers for name in ("name", "kind", "why")]
    words += [entry.get("dtype", "") for entry in layers]
    named = [*header.get("fed", []), *header.get("answers", [])]
    words += [each[name] for each in named for name in ("layer", "kind")]
    words += [each["returned"] for each in header.get("answers", [])]
    lists = [header["labels"], header["notes"], sample.get("steps", []),
             *(each["labels"] for each in header.get("answers", [])),
             *(entry[name] for entry in layers for name in ("axes", "reads"))]
    studies = header.get("studies", {})
    mappings = [header["versions"], header["hashes"], header["facts"], *(entry["settings"] for entry in layers),
                studies, *studies.values(), *named, *(each["settings"] for each in header.get("answers", []))]
    whole = [header["seed"], *(number for number in (sample["label"], objective["target"]) if number is not None)]
    long = next((word for word in words if isinstance(word, str) and len(word) > MOST_LETTERS), "")
    if long or max(map(len, lists), default=0) > MOST_LISTED:
        raise TypeError(tr("it holds a list or a name that is too long: {name}").format(name=long[:40] or "…"))
    for wanted, found in ((list, lists), (str, [*words, *(word for listed in lists for word in listed)]),
                          (dict, mappings), (int, whole), (float | int, [objective["value"]])):
        wrong = [value for value in found if not isinstance(value, wanted)]
        if wrong:
            raise TypeError(tr("it holds {value} where another type belongs").format(value=repr(wrong[0])[:40]))


def _read_only(array: Array) -> Array:
    """The array itself if nobody can write to it, else a copy nobody can write to."""
    array = np.asarray(array)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _tuples(value: Any) -> Any:
    """JSON knows no tuples; settings are written with tuples, so lists come back as tuples."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
