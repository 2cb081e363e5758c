"""Export: a Picture becomes a file. One file of this folder, one format; each is found by its `FORMAT`.

What is written is what is seen: every format goes through `paint`. The State of the app travels inside, so that a
picture opens again in the place it was taken. Qt is loaded when something is painted: reading a State needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from visualizer import comparison, data, registry, sight, views
from visualizer.comparison import Reader
from visualizer.language import tr
from visualizer.scene import colour, figures
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.state import Place, State, changed, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused, Trace

MM = 25.4
"""Millimetres in an inch; a pixel of the picture is 1/96 inch where nothing else is said."""
MOST_BYTES = 256 << 20
"""A larger file is not searched for a State."""
MOST_HEAD = 1 << 16
"""Bytes in which a picture says who made it."""
MOST_STATE = 1 << 20
"""A State longer than this is none of ours."""


@dataclass(frozen=True)
class Options:
    """How a picture is written; a format takes what concerns it."""

    state_json: str = ""
    """What `state.to_json` gave; empty leaves it out."""
    scale: float = 1.0
    """Pixels for each pixel of the picture, where there are pixels and `mm` is not given."""
    dpi: float | None = None
    """Pixels per inch, where there are pixels; 96 times the scale when left out, 300 when `mm` is given."""
    mm: tuple[float, float] | None = None
    """Width and height on paper; the picture is fitted into it and centred."""
    transparent: bool = False
    """Without its background."""


@dataclass(frozen=True)
class Format:
    """One kind of file a picture can be written as."""

    name: str
    suffixes: tuple[str, ...]
    """`.png`; the first is the usual one."""
    title: str
    """What a file dialog says."""
    to_bytes: Callable[[Picture, Options], bytes]
    """The whole file; the same picture gives the same bytes."""
    state: Callable[[bytes], str | None]
    """The State inside such a file; None if it is another kind of file, damaged, or holds none."""

    def write(self, picture: Picture, path: str | Path, **options: Any) -> Path:
        """Write beside the target and rename; takes the fields of Options by name."""
        return registry.write_whole(Path(path), self.to_bytes(picture, Options(**options)))


def formats() -> tuple[Format, ...]:
    """Every format found in this folder."""
    found = (getattr(module, "FORMAT", None) for module in registry.modules("export"))
    return tuple(item for item in found if isinstance(item, Format))


def save(picture: Picture, path: str | Path, *, state_json: str = "", scale: float = 1, dpi: float | None = None,
         mm: tuple[float, float] | None = None, transparent: bool = False) -> Path:
    """Write a picture in the format that the suffix names.

    Raises LookupError for an unknown suffix, Refused where nothing can be written or a size makes no sense.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    found = next((item for item in formats() if suffix in item.suffixes), None)
    if found is None:
        known = ", ".join(known for item in formats() for known in item.suffixes)
        raise LookupError(tr("A picture cannot be written as {suffix!r}; give the file one of the endings {known}."
                             ).format(suffix=path.suffix or path.name, known=known))
    if not path.parent.is_dir():
        raise Refused(tr("There is no folder {folder}; make it first, or choose another."
                         ).format(folder=path.parent))
    lengths = [("scale", scale), ("dpi", 96 if dpi is None else dpi), *(("mm", length) for length in mm or ())]
    for what, value in lengths:
        if not 0 < value < 100_000:
            raise Refused(tr("A picture cannot be written at {what} {value}; give a number above 0."
                             ).format(what=what, value=value))
    return found.write(picture, path, state_json=state_json, scale=scale, dpi=dpi, mm=mm, transparent=transparent)


@dataclass(frozen=True, eq=False)
class Panel:
    """What a figure shows under one letter: a recording, or those of a reel, and where and how it is looked at; or all
    places of a State beside each other."""

    recorded: sight.Recorded
    """What is seen from the active place."""
    state: State
    everywhere: tuple[sight.Recorded, ...] = ()
    """What is seen from every place of the State, where all of them are shown; the active one alone without it."""
    readers: tuple[Reader, ...] = ()
    """The networks of all places, where they are seen as one comparison."""

    @property
    def trace(self) -> Trace:
        """The recording that its numbers are of: in a reel the nearest one."""
        return sight.nearest(self.recorded, self.state)

    def draw(self, size: tuple[int, int], bars: bool = True) -> Picture:
        """The view of the State in so many pixels; without `bars` its colour bars are left to the figure."""
        if self.readers:
            return comparison.seen(self.readers, self.state.active, comparison.moment_of(self.readers, self.state),
                                   replace(self.state.look, size=size, bars=bars), self.state.compare, self.state.alone,
                                   self.state.focus)
        if self.everywhere:
            return sight.beside(self.everywhere, self.state.places, self.state.active, size,
                                look=lambda look: replace(look, bars=bars))
        return sight.seen(self.recorded, changed(self.state, look=replace(self.state.look, bars=bars)), size=size)

    @property
    def way_back(self) -> str:
        """The State as a file carries it, with the sha256 of the weights."""
        return to_json(self.state, str(self.trace.hashes.get("weights", "")))


def compose(shown: Sequence[Panel], *, mm: tuple[float, float | None] | None = None,
            size: tuple[int, int] | None = None, bars: bool = False) -> figures.Figure:
    """One picture, or several as panels with letters.

    On paper (`mm`, a height of None follows from the shape) it is laid out so that its letters can be read there,
    unless `size` says in how many pixels each panel is laid out. On a screen `size` is that of each panel.
    """
    usual = size or shown[0].state.look.size
    if mm is not None:
        shape = (usual[0], round(usual[0] * mm[1] / mm[0])) if mm[1] and not size and len(shown) == 1 else usual
        return figures.figure([lambda size, panel=panel: panel.draw(size, not bars) for panel in shown],  # type: ignore[misc]
                              mm, shape, bars=bars, fixed=size is not None)
    pictures = [panel.draw(usual, not bars) for panel in shown]
    pictures = [figures.with_bars(picture) for picture in pictures] if bars else pictures
    picture = figures.panels(pictures) if len(pictures) > 1 else pictures[0]
    return figures.Figure(picture, (picture.size[0] * MM / 96, picture.size[1] * MM / 96))


@contextmanager
def captioned(path: Path, shown: Sequence[Panel], bars: bool = False) -> Iterator[tuple[Path, Path]]:
    """What the block writes at `path` gets beside it what it shows and what it was made from: `figure.txt` for people,
    `figure.json`; all three are there, or what was there before.

    Raises NotWritten where they cannot be written.
    """
    found = [(panel.trace, panel.state, panel.draw(panel.state.look.size, not bars)) for panel in shown]
    words, numbers = path.with_suffix(".txt"), path.with_suffix(".json")
    with registry.whole(words) as beside:
        beside.write_bytes(data.caption_text(found).encode())
        with registry.whole(numbers) as beside:
            beside.write_bytes(data.caption_json(found))
            yield words, numbers


def state_in(path: str | Path) -> str | None:
    """The State that an exported picture or film carries, as it was given; None if the file holds none.

    Whatever the file is, nothing in it is run, expanded or followed; what it says is checked by `state.from_json`.
    """
    path = Path(path)
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return None
    data = path.read_bytes()
    known = (*formats(), *registry.module("export.film").formats())
    return next((state for state in (item.state(data) for item in known) if state), None)


def is_ours(path: str | Path) -> bool:
    """Whether a picture says that the app made it, with a State or without."""
    with Path(path).open("rb") as file:
        head = file.read(MOST_HEAD)
    return b"Software" in head and b"Visualizer" in head


def suffixes() -> tuple[str, ...]:
    """The endings of all files that may carry a State."""
    known = (*formats(), *registry.module("export.film").formats())
    return tuple(dict.fromkeys(suffix for item in known for suffix in item.suffixes))


def draw(trace: Trace, view: str = "network", at: str = "", focus: Focus | str | None = None, theme: str = "light",
         size: tuple[int, int] = (1104, 796), **knobs: str) -> Picture:
    """The picture a view makes of a trace.

    `at` is the address of a moment (`conv2.forward`), the one that tells most when left out, or where a view has a time
    of its own and that is a moment of the network; `focus` is a Focus or its
    text (`conv2:7,3,5`). A keyword that is a field of Look (`scope="network"`) sets that; any other is a knob of the
    view. Raises LookupError or IndexError with one sentence for whatever does not exist.
    """
    looks = {item.name for item in fields(Look)} - {"knobs", "size", "theme"}
    given = {name: value for name, value in knobs.items() if name in looks}
    turned = {name: value for name, value in knobs.items() if name not in looks}
    found = check(trace, view, theme, turned)
    look = Look(size=size, theme=theme, knobs=tuple(sorted(turned.items())), **given)  # type: ignore[arg-type]
    focus = parse_focus(trace, focus) if isinstance(focus, str) else focus
    if focus is not None:
        _existing(trace, focus)
    place = Place(view=view, at=at, focus=focus, look=look)
    if at:
        try:
            sight.times(trace, place).find(at)  # raises where the place would fall back
        except LookupError:
            if found.instead is None:
                raise
            timeline(trace).find(at)
    return sight.seen(trace, place)


def check(trace: Trace, view: str, theme: str, knobs: dict[str, str]) -> views.View:
    """The view of that name, if it, the theme and the knobs can be drawn; raises LookupError with one sentence."""
    found = views.find(view)
    if not found.suits(trace):
        raise LookupError(tr("The view {view!r} has nothing to show of {model}; choose another."
                             ).format(view=view, model=trace.model))
    colour.theme(theme)
    _check_knobs(found, knobs)
    return found


def parse_focus(trace: Trace, text: str) -> Focus | None:
    """`conv2:7,3,5`, `conv2:7`, `conv2`, `conv2:7/weight` as a Focus; None for an empty text.

    Raises LookupError for a layer or a part that does not exist, IndexError for a cell outside of it.
    """
    if not text:
        return None
    place, _, array = text.partition("/")
    name, _, numbers = place.partition(":")
    if name not in trace:
        raise LookupError(tr("There is no layer {name!r}; choose one of {known}."
                             ).format(name=name, known=", ".join(layer.name for layer in trace)))
    try:
        cell = tuple(int(number) for number in numbers.split(",")) if numbers else ()
    except ValueError:
        raise LookupError(tr("{text!r} is no cell; write LAYER:i,j,… with whole numbers, such as {name}:0,3,5."
                             ).format(text=text, name=name)) from None
    return _existing(trace, Focus(name, cell, array or "output"))


def _existing(trace: Trace, focus: Focus) -> Focus:
    """The focus itself; raises LookupError for a part that does not exist, IndexError for a cell outside of it."""
    layer, cell = trace[focus.layer], focus.cell
    inner = {f"inner.{key}": array for key, array in {**layer.inner_gradients, **layer.inner}.items()}
    arrays = {"output": layer.output, **layer.weights, **inner}
    if focus.array not in arrays:
        raise LookupError(tr("{layer} has no part {array!r}; choose one of {known}."
                             ).format(layer=layer.name, array=focus.array, known=", ".join(arrays)))
    shape = arrays[focus.array].shape
    if len(cell) > len(shape) or any(not 0 <= index < length for index, length in zip(cell, shape, strict=False)):
        limits = ", ".join(f"0…{length - 1}" for length in shape)
        raise IndexError(f"{layer.name} has no cell {','.join(map(str, cell))}; it has {limits or 'one number'}.")
    return focus


def _check_knobs(view: views.View, knobs: dict[str, str]) -> None:
    known = dict(view.knobs)
    for name, word in knobs.items():
        if name not in known:
            raise LookupError(tr("The view {view!r} has no knob {name!r}; it has {known}."
                                 ).format(view=view.name, name=name, known=", ".join(known) or tr("none")))
        if known[name] and not view.takes(name, word):
            words = tr(" to ").join(known[name]) if name in view.glides else \
                tr("one of {known}").format(known=", ".join(known[name]))
            raise LookupError(tr("The knob {name} cannot be {word!r}; choose {words}."
                                 ).format(name=name, word=word, words=words))
