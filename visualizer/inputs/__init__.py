"""What can be fed in, one file a kind: image, strip, text, name, sentence, sequence, audio, several. Numpy, no Qt.

A file says what models of its kind read, which files and samples become it, what its steps are called, its thumbnail,
and which chooser offers it. Nothing else in the project asks for a kind by its name: a model's card names the kind
(`input`), and `of` finds it. `given` finds out what a word means to a model: one of its samples, a file, or a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import registry
from visualizer.edits import Grain
from visualizer.inputs import _offers, _rows
from visualizer.inputs._files import MOST_SYMBOLS, OF_NUMBERS, numbers_in, target_in
from visualizer.inputs._lists import candidates, samples
from visualizer.inputs._offers import Offer, Settled
from visualizer.inputs._rows import Row, row, row_in
from visualizer.inputs._samples import Given, Item, SamplePlace, fits, places, sheets
from visualizer.inputs._words import MARK as TYPED
from visualizer.inputs._words import can_read, read_text, symbols, unknown
from visualizer.language import english, tr, translated
from visualizer.manifest import Input
from visualizer.trace import Array, Refused, Sample, Trace

__all__ = ["CAMERA", "DRAWN", "FIELD", "LISTS", "MICROPHONE", "MOST_SYMBOLS", "OF_NUMBERS", "PAD", "THUMBNAILS",
           "TYPED", "WORDS", "Given", "Grain", "InputKind", "Item", "Offer", "Row", "Settled", "all_samples",
           "can_read", "candidates", "drawn", "given", "kind", "kinds", "numbers_in", "of", "offered", "picture",
           "proposed", "raw", "read_text", "sample", "samples", "suffixes", "symbols", "target_in", "text_in",
           "unknown"]

Pixels = NDArray[np.uint8]
Facts = Mapping[str, Any]
"""What a model says of its input: the `input` of its card."""
THUMBNAILS, WORDS, FIELD, PAD, MICROPHONE, CAMERA = "thumbnails", "words", "field", "pad", "microphone", "camera"
"""What the window offers: samples as small pictures, samples by their titles, a field to type in, a sheet to draw on, a
microphone, a camera.
Where it offers none of them, only a file can be opened."""
LISTS = (*_rows.TEXTS, *_rows.TABLES)
"""Endings of the files of which each line is an input."""
WHOLE = "whole"
"""What a card says in `reads` of a model that takes at once what others of its kind read step by step."""
DRAWN = "drawn"
"""The name of a sample that was drawn by hand."""


def _numbered(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    return tuple(str(frame) for frame in range(1, frames + 1))


def _nothing() -> str:
    return ""


@dataclass(frozen=True, eq=False)
class InputKind:
    """One kind of input."""

    name: str
    title: str
    """What the models that read it read, in words: `strips of digits`."""
    one: str
    """What one of it is: `a strip of digits`."""
    step: str = english("step")
    """What one of its steps is called: `character`, `row`, `frame`."""
    suffixes: tuple[str, ...] = ()
    """Endings of the files that are read."""
    read: Callable[[str, Facts], Given] | None = None
    """A file; raises Refused with one sentence."""
    folders: bool = False
    """Whether a whole folder of files is read as one input, too."""
    typed: Callable[[str, Facts], Given] | None = None
    """What a person types."""
    mark: str = ""
    """How a word begins that was typed for certain: `text:wonder`, `strip:4 0 7`."""
    free: bool = False
    """Whether any word that is no sample and no file is taken as typed."""
    drawn: Callable[[NDArray[Any], str], Given] | None = None
    """A drawing (row, column), white on black, of any size, under the name that it is to have."""
    row: Callable[[Row, Facts], Given] | None = None
    """A row of a table of inputs; raises Refused with one sentence."""
    bundled: Callable[[Item], Given] | None = None
    """A sample, as `assets/samples/*.json` describes it."""
    whole: bool = False
    """Whether it is read at once, unless the card says in `reads` how it is cut into steps."""
    given: Callable[[str, str, Facts], Given] | None = None
    """(word, title of the model, facts): for a kind that finds out by itself what a word means."""
    steps: Callable[[Facts, Any, int], tuple[str, ...]] = _numbered
    """What each step facts, in words; the number is how many steps the recording answers, 0 for none."""
    notes: Callable[[Facts, Any, str], tuple[str, ...]] = lambda facts, raw, title: ()
    """(what a model says of its input, what is read, its title) -> what is done to it, beyond what every input of this
    kind is told, in one sentence each."""
    thumbnail: Callable[[Any], Pixels | None] = field(default=lambda raw: None)
    """Entries of the palette of pixels (row, column), or red, green, blue (row, column, 3); None for what is named by
    its title."""
    sign: str = ""
    """Two letters that stand for it where there is no thumbnail."""
    choosers: tuple[str, ...] = ()
    across: int = 1
    """How many thumbnails stand in a row."""
    sheet: tuple[int, int] = (0, 0)
    """Points (rows, columns) of the sheet that is drawn on."""
    source: Callable[[], str] = _nothing
    """Where its samples come from, in a few words for the window."""
    view: str = "network"
    """The view in which its models are first seen."""
    foretells: Callable[[], str] = _nothing
    """What is answered after a step by a model that foretells the next one, for the window; empty if that is a
    verdict."""
    held_out: Callable[[Path], Sequence[Given]] | None = None
    """The inputs that a folder of data keeps from training, where it holds those of this kind; none where it does not.
    """
    grain: Callable[[Facts], Grain | None] = lambda facts: None
    """What inputs of it are made of, for those who edit them; None for what nobody can edit."""
    blank: str = english("zeros")
    """What one with nothing in it is: `black`, `silence`."""
    order: int = 1
    """Where it stands among the kinds; those of one number by their names."""
    called: str = ""
    """What a person calls it of a model of their own; empty for its name."""
    suits: Callable[[Offer, Input], bool] = _offers.never
    """Whether an input of a model file may be of it, as far as that is told."""
    settled: Callable[[Offer, Input, Input], Settled] = _offers.as_told
    """(offer, what a person says, what a file beside the model says) -> what is taken for true, and what is asked."""
    facts: Callable[[Offer, Input], dict[str, Any]] = _offers.no_facts
    """What the card of a model says of it, beside its kind and shape."""
    fed: Callable[[Any, Offer, Input, Facts], Array] = _offers.as_it_is
    """What is given, as the model takes it, without the batch. ValueError with a few words where it cannot be."""

    def step_of(self, facts: Facts) -> str:
        """What one step of a model is called; empty if it reads everything at once."""
        reads = facts.get("reads", WHOLE if self.whole else "")
        return "" if reads == WHOLE else self.step


# --- the kinds ------------------------------------------------------------------------------------------------------

@cache
def kinds() -> tuple[InputKind, ...]:
    """All kinds, in the order in which they are offered."""
    found = [module.INPUT for module in registry.modules("inputs")]
    return tuple(sorted(found, key=lambda each: (each.order, each.name)))


def kind(name: str) -> InputKind:
    """The kind of that name; raises LookupError with one sentence."""
    for each in kinds():
        if each.name == name:
            return each
    raise LookupError(tr("There is no kind of input {name!r}; there are {known}."
                         ).format(name=name, known=", ".join(each.name for each in kinds())))


def fed_first(trace: Trace) -> InputKind | None:
    """The kind of what a recording was fed with first; None where that is of no kind."""
    return next((each for each in kinds() if trace.fed and each.name == trace.fed[0].kind), None)


def of(facts: Any) -> InputKind:
    """The kind that a card names in its `input`, the first one where it names none; raises LookupError."""
    named = facts.get("kind") if isinstance(facts, Mapping) else None
    return kinds()[0] if named is None else kind(str(named))


def offered(facts: Any) -> InputKind:
    """The same for a chooser: a kind that nobody knows is like one of which only files can be opened."""
    try:
        return of(facts)
    except LookupError:
        return InputKind(str(facts.get("kind")), str(facts.get("kind")), str(facts.get("kind")))


def suffixes() -> tuple[str, ...]:
    """Endings of all files that some model can be given."""
    return tuple(dict.fromkeys(suffix for each in kinds() for suffix in each.suffixes))


def proposed(offer: Offer, told: Input) -> InputKind:
    """The kind of an input of a model file: what a person says it is, or what it looks like; raises Refused."""
    meant = [each for each in kinds() if told.kind in ("", each.called or each.name)]
    if not meant:
        raise Refused(tr("There is no kind of input {kind}; there are {kinds}.").format(
            kind=repr(told.kind), kinds=", ".join(dict.fromkeys(each.called or each.name for each in kinds()))))
    for each in meant:
        if each.suits(offer, told):
            return each
    raise Refused(tr("It reads {shape} numbers of {dtype}, and {one} is none; say another kind.").format(
        shape=offer.in_words(), dtype=offer.dtype, one=translated(meant[0].one)))


# --- what a word means ----------------------------------------------------------------------------------------------

def given(word: str, name: str, title: str = "", facts: Facts | None = None) -> Given:
    """What `word` means to a model called `title` that reads the kind `name`: a sample, a file, or a text; "" is its
    first sample.

    `facts` is what its card says of its input. Raises Refused if the word is something else than the model reads,
    LookupError if it is nothing; one sentence each.
    """
    own = next((each for each in kinds() if each.name == name), None)
    title, facts = title or tr("This model"), {} if facts is None else facts
    if own is None:
        raise Refused(tr("{model} reads {kind}, which cannot be chosen here; from Python, visualizer.capture(model, x) "
                         "takes any input.").format(model=title, kind=repr(name)))
    if own.given is not None:
        return own.given(word, title, facts)
    word = word or str(facts.get("first", ""))
    if not word:
        if not all_samples(name, facts):
            raise Refused(tr("{model} reads {kind}, and none comes with the app; name a file.").format(
                model=title, kind=translated(own.title)))
        word = all_samples(name, facts)[0].name
    found, suffix = places().get(word), suffix_of(word)
    if found is not None and found.kind == name:
        return _bundled(found)
    if own.typed is not None and own.mark and word.startswith(own.mark):
        return own.typed(word.removeprefix(own.mark), facts)
    if found is None and row_in(word) is not None:
        return _row_of(word, own, title, facts)
    if own.folders and own.read is not None and found is None and len(word) < 1000 and Path(word).is_dir():
        return own.read(word, facts)
    another = _another(word, own, found, suffix)
    if another:
        first = next((each.name for each in all_samples(name, facts)), "")
        refused = tr("{model} reads {kind}, and {another}; choose one that it reads, for example {sample}.") if first \
            else tr("{model} reads {kind}, and {another}; choose one that it reads.")
        raise Refused(refused.format(model=title, kind=translated(own.title), another=another, sample=first))
    if suffix not in own.suffixes and own.typed is not None and own.free:
        return own.typed(word, facts)
    if not suffix or own.read is None:
        sample(word)  # raises
    assert own.read is not None
    return own.read(word, facts)


def _row_of(word: str, own: InputKind, title: str, facts: Facts) -> Given:
    """A line of a text as if it was typed, or a row of a table."""
    read = row(word, facts)
    if isinstance(read, str) and own.typed is not None:
        made = own.typed(read, facts)
        return replace(made, sample=replace(made.sample, name=word))
    if own.row is None:
        raise Refused(tr("{model} reads {kind}, and no line of a file is one; name a file.").format(
            model=title, kind=translated(own.title)))
    return own.row(Row(word, tuple(read.split())) if isinstance(read, str) else read, facts)


def text_in(word: str) -> str:
    """The text that a word names: a whole file, a line of it, or what is read in a row of a table; raises Refused with
    one sentence."""
    if row_in(word) is None:
        return read_text(word)
    found = row(word, {})
    return found if isinstance(found, str) else found.text()


def _another(word: str, own: InputKind, found: SamplePlace | None, suffix: str) -> str:
    """What a word is that exists, or might, but that the model does not read; nothing for anything else."""
    others = (each for each in kinds() if each.mark not in ("", own.mark))
    marked = next((each for each in others if word.startswith(each.mark)), None)
    if marked is not None:
        return tr("that is {one}").format(one=translated(marked.one))
    if found is not None and not (own.free and kind(found.kind).mark == own.mark):
        return tr("{word} is {one}").format(word=word, one=translated(kind(found.kind).one))
    theirs = next((each for each in kinds() if suffix in each.suffixes), None)
    if theirs is not None and suffix not in own.suffixes:
        return tr("{word} is {one}").format(word=Path(word).name, one=translated(theirs.one))
    return tr("{word} is none").format(word=repr(word[:40])) if " " in word and not suffix and not own.free else ""


def drawn(pixels: NDArray[Any], name: str, title: str = "", called: str = DRAWN) -> Given:
    """A drawing, white on black, of any size; of the right size and type it is taken as it is."""
    own = next((each for each in kinds() if each.name == name), None)
    if own is None or own.drawn is None:
        refused = tr("{model} reads {kind}, and a drawing is a picture; type something instead.") \
            if own is not None and own.free else \
            tr("{model} reads {kind}, and a drawing is a picture; open a file instead.")
        raise Refused(refused.format(model=title or tr("This model"),
                                     kind=name if own is None else translated(own.title)))
    return own.drawn(np.asarray(pixels), called)


def suffix_of(word: str) -> str:
    """The ending of a file name in small letters; nothing if the word can be none."""
    if len(word) > 1000 or "\n" in word or "\0" in word:
        return ""
    suffix = Path(word).suffix.lower()
    return suffix if " " not in suffix else ""


# --- the bundled samples --------------------------------------------------------------------------------------------

def all_samples(name: str | None = None, facts: Facts | None = None) -> tuple[Sample, ...]:
    """Every bundled sample, those of one kind, or of them those of a model that says `facts` of its input."""
    return tuple(_bundled(SamplePlace(sheet.kind, sheet, index)).sample for sheet in sheets()
                 if fits(sheet, name, facts) for index in range(len(sheet.items)))


def sample(name: str) -> Sample:
    """The bundled sample of that name; raises LookupError with one sentence."""
    return _named(name).sample


def raw(name: str) -> Any:
    """What a bundled sample is: pixels (row, column) uint8, numbers (step, feature), or a text; raises LookupError
    with one sentence."""
    return _named(name).raw


def picture(name: str) -> Pixels | None:
    """The thumbnail of a bundled sample; None for what is named by its title, or is no sample."""
    found = places().get(name)
    return None if found is None else kind(found.kind).thumbnail(_bundled(found).raw)


def _named(name: str) -> Given:
    found = places().get(name)
    if found is None:
        raise LookupError(tr("There is no sample {name!r}; `visualizer list samples` names them, for example {example}."
                             ).format(name=name, example=next(iter(places()))))
    return _bundled(found)


@cache
def _bundled(place: SamplePlace) -> Given:
    made = kind(place.kind).bundled
    if made is None:
        raise Refused(tr("The bundled samples of the kind {kind} cannot be read; install Visualizer again.").format(
            kind=repr(place.kind)))
    return made(place.sheet.item(place.index))
