"""Door: what a name or a file is, and where one stands when it is opened.

The command line, the file dialog, a drop and the list of recent files all come in here, so that what one of them opens
the others open too. Neither Qt nor torch is loaded: a model file is opened by whoever can, the engine or the command
line, who says what it is by its Card.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from visualizer import card, inputs, lab, registry, unpack, views
from visualizer import trace as traces
from visualizer.card import Card, Intake
from visualizer.language import kept_by_language, tr, translated
from visualizer.scene import colour, session
from visualizer.scene import state as does
from visualizer.scene.session import Session
from visualizer.scene.state import Place, State, changed
from visualizer.trace import Refused
from visualizer.train import kept

BUNDLED, LABORATORY, MODEL, RECORDING, SAVED, INPUT = "bundled", "laboratory", "model", "recording", "saved", "input"
RUN = "run"
"""What a thing can be: a model that comes with the app, the laboratory, a model file, one finished recording, a session
or a picture or a film that was saved by the app, something that is given to a model, a training: a folder of recordings
or of model files, or the file that `visualizer train` writes."""
TRAINING = "training"
"""The view in which a training is seen first."""
MOST_IN_RUN = 60
"""So many recordings of a folder are at hand at one time."""

Cards = Callable[[str], Card | None]
"""What is known of a model, by what a State calls it; None while nobody has opened its file."""


@dataclass(frozen=True, eq=False)
class Found:
    """A name or a file, recognised."""

    what: str
    name: str
    """As it was given."""
    saved: Session | None = None
    """What the app left in it."""
    inside: tuple[str, ...] = ()
    """The files of a folder, in the order of their names."""
    said: str = ""
    """What of it cannot be had, one sentence; empty where all can."""


# --- what it is -----------------------------------------------------------------------------------------------------

def recognise(thing: str | Path) -> Found:
    """What a name or a file is: a name first, then what the file holds, then its ending.

    Raises LookupError for a name that there is not, Refused for a file that is missing, cannot be read as what it
    says it is, or is of no kind that opens; one sentence each.
    """
    name, path = str(thing), Path(thing)
    if name == lab.NAME:
        return Found(LABORATORY, name)
    if registry.is_bundled(name):
        return Found(BUNDLED, name)
    suffix = path.suffix.lower()
    if not _exists(path):
        if suffix in endings():
            raise Refused(tr("There is no file {path}; check the name.").format(path=path))
        raise LookupError(tr("There is no model {name}; name one of {known}, or a model file.").format(
            name=repr(name), known=", ".join(registry.models())))
    if path.is_dir():
        return _run(name, path)
    if suffix == kept.SUFFIX:
        kept.of_file(name)
        return Found(RUN, name)
    return _by_content(name, path) or _by_ending(name, path, suffix)


def _by_content(name: str, path: Path) -> Found | None:
    """What the file holds, whatever it is called."""
    inside = _members(path)
    if session.STATE in inside:
        return Found(SAVED, name, session.read(path))
    if traces.HEADER in inside:
        return Found(RECORDING, name)
    ours = (traces.SUFFIX, session.SUFFIX, *inputs.suffixes(), *_export().suffixes())
    if path.suffix.lower() not in ours and (why := registry.module("record.formats").refused(path)):
        raise Refused(why)
    if registry.module("record.formats").holding(path) is not None:
        return Found(MODEL, name)
    words = _export().state_in(path)
    return None if words is None else Found(SAVED, name, session.of_json(words))


def _by_ending(name: str, path: Path, suffix: str) -> Found:
    """What the file says it is. Whoever opens it says what is wrong with it."""
    if suffix == traces.SUFFIX:
        return Found(RECORDING, name)
    if suffix == session.SUFFIX:
        return Found(SAVED, name, session.read(path))
    if suffix in registry.module("record.formats").suffixes():
        return Found(MODEL, name)
    if suffix in inputs.suffixes() and not _export().is_ours(path):
        return Found(INPUT, name)
    if suffix in _export().suffixes():
        raise Refused(tr("{name} does not say what it shows; open a picture that was saved by the app.").format(
            name=path.name))
    raise Refused(tr("{name} is of no kind that opens here; open an image, a text, a model file ({models}), a "
                     "recording, or a picture saved by the app; from Python, visualizer.capture(model, x) opens any "
                     "model.").format(name=path.name, models=", ".join(registry.module("record.formats").suffixes())))


def _run(name: str, folder: Path) -> Found:
    """The training in a folder: its own file, or as far as that is none the recordings or model files beside it."""
    file, said = folder / kept.NAME, ""
    if file.is_file():
        try:
            kept.of_file(str(file))
            return Found(RUN, str(file))
        except Refused as error:
            said = str(error)
    try:
        found, broken = _recordings(folder)
    except Refused as error:
        raise (Refused(said) if said else error) from error
    if broken:
        count = tr("{name} is damaged and left out; the others are there.") if len(broken) == 1 else \
            tr("{name} and {count} more are damaged and left out; the others are there.")
        said = said or count.format(name=broken[0], count=len(broken) - 1)
    elif said:
        said = tr("{name} is damaged, so of this training only the recordings beside it are there.").format(
            name=kept.NAME)
    return Found(RUN, name, inside=found, said=said)


def _recordings(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The recordings in a folder, or where there are none the model files, by name and number: 2 before 10; and those
    that cannot be read."""
    try:
        files = sorted((path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")),
                       key=lambda path: [(int(part), "") if part.isdigit() else (-1, part)
                                         for part in re.split(r"([0-9]+)", path.name)])
    except OSError as error:
        raise Refused(tr("{path} cannot be read ({why}); choose another folder.").format(
            path=folder, why=error.strerror or error)) from error
    for endings in ((traces.SUFFIX,), registry.module("record.formats").suffixes()):
        held = [path for path in files if path.suffix.lower() in endings and path.name != kept.NAME]
        whole = [path for path in held if path.suffix.lower() != traces.SUFFIX or traces.HEADER in _members(path)]
        found = tuple(path.name for path in whole)
        if len(found) > MOST_IN_RUN:
            raise Refused(tr("{path} holds {count} recordings, and {most} can be seen one after the other; take some "
                             "of them out.").format(path=folder, count=len(found), most=MOST_IN_RUN))
        if bad := next((name for name in found if set(name) & set(":@\\")), ""):
            raise Refused(tr("{name} has a sign in its name that stands for something else in an address; rename it "
                             "without : and @.").format(name=repr(bad)))
        if len(found) > 1:
            return found, tuple(path.name for path in held if path not in whole)
    if why := registry.module("record.formats").refused(folder):
        raise Refused(why)
    raise Refused(tr("{path} is a folder without two recordings or model files in it; open a file.").format(
        path=folder))


def _export() -> ModuleType:
    """What reads a State out of a picture; it brings much that the first paint of a window does without."""
    return registry.module("export")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a name can be, or with what no name can hold
        return False


def _members(path: Path) -> frozenset[str]:
    """Names of what is in a zip; none if it is no zip, or damaged. Asked again of a file that nobody has written to
    since, it is not read again: a program of torch.export has hundreds of members, and this is asked with each frame.
    """
    try:
        about = path.stat()
        return _listed(path, about.st_mtime_ns, about.st_size)
    except OSError as error:
        raise Refused(tr("{name} cannot be read ({why}); choose another file.").format(
            name=path.name, why=error.strerror or error)) from error


@lru_cache(16)
def _listed(path: Path, changed: int, size: int) -> frozenset[str]:
    """The same of a file as it was then; raises OSError."""
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                return frozenset()
        with unpack.opened(path, 1 << 22) as archive:
            return frozenset(archive.namelist())
    except OSError:
        raise
    except Exception:  # whatever a damaged zip makes of itself; its ending says whose words tell so
        return frozenset()


def kinds() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a file dialog offers: a few words, and the endings that go with them."""
    found = ((tr("Recordings and sessions"), (traces.SUFFIX, session.SUFFIX)),
             (tr("Models"), registry.module("record.formats").suffixes()),
             (tr("Inputs"), inputs.suffixes()),
             (tr("Pictures and films of the app"), _export().suffixes()))
    whole = tuple(dict.fromkeys(suffix for _, listed in found for suffix in listed))
    return ((tr("Everything that opens"), whole), *found)


def endings() -> tuple[str, ...]:
    """The endings of all files that open."""
    return kinds()[0][1]


# --- what is known of a model ---------------------------------------------------------------------------------------

@kept_by_language(64)
def card_of(model: str, untrained: bool = False) -> Card | None:
    """The Card of what needs no opening: a bundled model, trained or with its weights from before, or the laboratory;
    None for a file."""
    if model == lab.NAME:
        return Card(lab.NAME, translated(lab.TITLE), (Intake(lab.READS),), view=lab.view_of(lab.Lab()),
                    takes_others=False)
    try:
        return card.bundled(model, untrained) if registry.is_bundled(model) else None
    except (LookupError, ValueError, OSError):
        return None


def asks(found: Found, now: State) -> str:
    """The model whose Card has to be known before the thing can be opened; empty if it can be opened at once."""
    if found.what == MODEL:
        return found.name
    if found.what == RUN and not last_of(found).endswith(traces.SUFFIX):
        return last_of(found)
    return now.model if found.what == INPUT and can_run(now.model) and not registry.is_bundled(now.model) else ""


def last_of(found: Found) -> str:
    """The file of a training that is opened: its own, or the last one in its folder."""
    return str(Path(found.name) / found.inside[-1]) if found.inside else found.name


# --- where one stands -----------------------------------------------------------------------------------------------

def open_(found: Found, now: State | None = None, *, cards: Cards = card_of, sample: str | None = None,
          edits: tuple[str, ...] | None = None, chosen: bool = True) -> Session:
    """Where one stands when it is open, and the numbers that it brought along.

    A model keeps the input and the view of `now` if it reads the same kind, and else begins with its own first ones.
    `sample` and `edits` are put in the place of what would be chosen. Where nobody has `chosen` the model of `now`, as
    on the start screen, an input that it cannot read goes to one that can. Raises Refused with one sentence where
    something is missing that it needs, or does not go together.
    """
    now = State() if now is None else now
    if found.saved is not None:
        return _restored(found.saved, Path(found.name).parent, sample, edits)
    if found.what == LABORATORY:
        return Session(does.enter_lab(now))
    if found.what == RECORDING:
        recorded = traces.load(found.name)
        seen = _begun(now, cards, card.of_trace(recorded, found.name))
        return Session(changed(seen, sample=recorded.sample.name), recorded)
    if found.what == RUN:
        return _of_run(found, now, cards, sample, edits)
    if found.what == INPUT:
        now = now if chosen else _reading(now, cards(now.model), found.name)
        return Session(_given(now, cards(now.model), found.name))
    state = _begun(now, cards, cards(found.name) or Card(found.name), stays=found.what == BUNDLED)
    return Session(changed(state, sample=state.sample if sample is None else sample, edits=edits or ()))


def _of_run(found: Found, now: State, cards: Cards, sample: str | None, edits: tuple[str, ...] | None) -> Session:
    """A training, in its own view where all that is seen there is known of it."""
    last = last_of(found)
    what = RECORDING if last.endswith(traces.SUFFIX) else MODEL
    if what == MODEL and not found.inside and sample is None:
        sample = next(iter((cards(last) or Card(last)).samples), "")
    opened = open_(Found(what, last), now, cards=cards, sample=sample, edits=edits)
    state = changed(opened.state, reel=found.inside, at="")
    if what == RECORDING or not found.inside:
        state = changed(state, view=TRAINING)
    return replace(opened, state=state, said=opened.said or found.said)


def _begun(now: State, cards: Cards, known: Card, stays: bool = False) -> State:
    """Another model or recording in the place of the one that is open; `stays`, at the same moment where it reads the
    same."""
    before = cards(now.model)
    alike = before is not None and known.kind and before.kind == known.kind and (
        now.sample in known.samples or now.sample not in before.samples)  # else a sample that is meant for others
    if alike and stays:
        return changed(now, model=known.model)
    if alike:
        return changed(now, model=known.model, at="", focus=None, playing=False)
    return changed(_turned_to(now, known), sample=known.samples[0] if known.samples else "")


def _given(now: State, known: Card | None, path: str) -> State:
    """The model that is open, with another input; Refused if it reads no such thing."""
    if known is not None:
        inputs.given(path, known.kind or inputs.kinds()[0].name, known.title, known.facts)
    return changed(now, sample=path, playing=False)


def _reading(now: State, known: Card | None, path: str) -> State:
    """The same if its model reads files of this ending, else the bundled network that knows most of what is in this
    one and whose own first input is the nearest to it in length; the first that reads its ending, and says what is
    wrong with it, where none can."""
    suffix = Path(path).suffix.lower()
    if known is not None and suffix in inputs.offered({"kind": known.kind}).suffixes:
        return now
    kinds = [each.name for each in inputs.kinds() if suffix in each.suffixes]
    others = [other for other in map(card.bundled, registry.models()) if other.kind in kinds]
    able: list[tuple[int, int, Card]] = []
    for other in others:
        with suppress(Refused, LookupError):
            raw = inputs.given(path, other.kind, other.title, other.facts).raw
            if not isinstance(raw, str) or inputs.can_read(other.facts, raw):
                own = inputs.given("", other.kind, other.title, other.facts).raw
                strange = len(inputs.unknown(other.facts, raw)) if isinstance(raw, str) else 0
                able.append((strange, abs(len(raw) - len(own)), other))
    if not able and all(_is_given(path, other) for other in others):
        raise Refused(tr("{name} holds nothing that a network here could read; choose another file.").format(
            name=Path(path).name))
    found = min(able, key=lambda each: each[:2])[-1] if able else others[0]
    return _turned_to(now, found)


def _is_given(path: str, known: Card) -> bool:
    try:
        inputs.given(path, known.kind, known.title, known.facts)
    except (Refused, LookupError):
        return False
    return True


def _turned_to(now: State, known: Card) -> State:
    return changed(now, model=known.model, at="", focus=None, playing=False, view=known.view, objective="loss")


def _restored(saved: Session, folder: Path, sample: str | None, edits: tuple[str, ...] | None) -> Session:
    """Where it was saved; without its numbers where something else goes in. A file that it names and that is not where
    it was may lie beside it, in `folder`."""
    changes: dict[str, Any] = {} if sample is None else {"sample": sample}
    changes |= {} if edits is None else {"edits": edits}
    found = replace(saved, state=changed(saved.state, **changes), trace=None, weights="") if changes else saved
    found = _drawable(found)
    beside = folder / Path(found.state.model).name
    if found.trace is None and not is_there(found.state.model) and beside.is_file():
        found = replace(found, state=changed(found.state, model=str(beside)))
    if why := session.lacking(found, is_there(found.state.model)):
        raise Refused(why)
    if found.trace is None and not found.state.sample and is_recording(found.state.model):
        recorded = traces.load(found.state.model)
        return replace(found, state=changed(found.state, sample=recorded.sample.name), trace=recorded)
    return found


def _drawable(saved: Session) -> Session:
    """The same with views and themes that there are: a file can name any, and another version may have had others."""
    known, themes, usual = {view.name for view in views.all_views()}, colour.names(), Place()
    places = saved.state.places
    gone = [place.view for place in places if place.view not in known] + \
        [place.look.theme for place in places if place.look.theme not in themes]
    if not gone:
        return saved
    drawable = tuple(replace(
        place, view=place.view if place.view in known else usual.view,
        look=place.look if place.look.theme in themes else replace(place.look, theme=usual.look.theme))
        for place in places)
    said = tr("It was saved with {what}, which is not here; it is shown as {view} in the theme {theme}.").format(
        what=repr(gone[0][:40]), view=drawable[saved.state.active].view,
        theme=drawable[saved.state.active].look.theme)
    return replace(saved, state=replace(saved.state, places=drawable), said=said)


def is_recording(model: str) -> bool:
    """Whether what a State names as its model is one finished recording: a file of which no other numbers can come."""
    return Path(model).suffix.lower() == traces.SUFFIX or (_exists(Path(model)) and Path(model).is_file() and
                                                           traces.HEADER in _members(Path(model)))


def can_run(model: str) -> bool:
    """Whether other numbers can be had of what a State names as its model: it is bundled, or the file of a model."""
    return registry.is_bundled(model) or (_exists(Path(model)) and not is_recording(model))


def is_there(model: str) -> bool:
    """Whether what a State names as its model can be had: the laboratory, a bundled model, or a file."""
    return model == lab.NAME or registry.is_bundled(model) or _exists(Path(model))
