"""Compare: several networks as one picture, on one input and at one time.

It is no view: a view draws one recording. What is compared are Readers; `path` says what they have in common at one
time, `picture` draws them at that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from visualizer import curve, edits, registry, titles
from visualizer.comparison import columns, lanes, table, words
from visualizer.comparison.columns import Pointed
from visualizer.comparison.frame import LOW_ROW, ROW, Frame, frame
from visualizer.comparison.path import at_share, joined, times
from visualizer.comparison.reader import FEWEST, MOST, Reader, at_steps, check, named, now, one_input
from visualizer.costs import Measured, from_plain
from visualizer.language import speaking, tr
from visualizer.scene import parts, projector
from visualizer.scene.accuracy import curves_marks
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Focus, Group, Line, Look, Mark, Picture, Rect, Text, grouped, plain, unmarked
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import SHARE, State, as_it_was
from visualizer.scene.timeline import BACKWARD, FORWARD, Moment
from visualizer.scene.type import width
from visualizer.trace import UNTRAINED, Refused, Trace, remembered

__all__ = ["SHARE", "Pointed", "Reader", "carried", "check", "compare", "joined", "layout", "moment_of", "named",
           "picture", "read", "readers_of", "received", "seen", "times"]
END = 1.0
COUNTED, MEASURED = "right answers by strength", "measured"
"""The names of what was counted and measured among the facts of a recording."""
BEFORE_TRAINING, AND = "before:", "+"
"""Before the name of a network: with its weights from before training; behind it, each of what is done to it or to its
own input: `lenet_mnist+unit_off:conv2:7`."""


def compare(*networks: str | Trace, input: str | Sequence[str] = "", what_if: str | Sequence[str] = (),
            at: float = END, backward: bool = False, measure: bool = True, sync: str = SHARE, alone: int = 0,
            size: tuple[int, int] = (1568, 796), theme: str = "light", language: str = "") -> Picture:
    """Two to four networks on one input, as a picture that saves and shows itself; its table holds what each costs.

    `networks` are bundled names or paths, `before:NAME` for the weights from before training, `NAME+unit_off:conv2:7`
    or `NAME+shift:3` for one that something is done to, or recordings. `input`
    is a sample, a file or a text, several for one network each or for one network on several; `what_if` edits of the
    input, `shift:4,4`. `at` is the share of the way, 0 … 1. Raises Refused where they cannot read the same.
    """
    readers = read(networks, [input] if isinstance(input, str) else input,
                   [what_if] if isinstance(what_if, str) and what_if else tuple(what_if), measure)
    return seen(readers, 0, at_share(readers[0].trace, BACKWARD if backward else FORWARD, at),
                Look(size=size, theme=theme, language=language), sync, alone)


def read(networks: Sequence[str | Trace], inputs: Sequence[str] = (), what_if: Sequence[str] = (),
         measure: bool = True) -> tuple[Reader, ...]:
    """What is compared, recorded now. `record` is beside this floor, so it is looked up by name.

    Raises Refused, with one sentence, where a network cannot read the input, and says which can.
    """
    given = [word for word in inputs if word]
    several = list(networks) * len(given) if len(networks) == 1 and len(given) > 1 else list(networks)
    given = given * len(several) if len(given) == 1 else given or [""] * len(several)
    if len(given) != len(several):
        raise Refused(tr("There are {inputs} inputs for {networks} networks; give one for all of them, or one for each."
                         ).format(inputs=len(given), networks=len(several)))
    if not FEWEST <= len(several) <= MOST:
        raise Refused(tr("Two to four networks are compared, not {count}; choose some.").format(count=len(several)))
    shared = len(set(given)) == 1
    found: list[Reader] = []
    refused: list[str] = []
    for network, word in zip(several, given, strict=True):
        try:
            found.append(_recorded(network, word or (_sample_of(found[0]) if found and shared else ""), what_if))
        except Refused as error:
            if not shared or len(several) == 1:
                raise
            refused.append(str(error))
    if refused:
        can = ", ".join(reader.trace.title or reader.trace.model for reader in found) or tr("none of them")
        raise Refused(tr("They cannot all read the same input: {why} Who can: {names}.").format(
            why=refused[0].rstrip(".") + ".", names=can))
    return measured(found) if measure else tuple(found)


def _sample_of(reader: Reader) -> str:
    """What the others read, where nobody has said what: the first one's own input."""
    return reader.trace.sample.name


def _recorded(network: str | Trace, word: str, what_if: Sequence[str]) -> Reader:
    if isinstance(network, Trace):
        return Reader(network)
    name, *own = [network] if registry.is_bundled(network) else network.split(AND)
    bare = name.removeprefix(BEFORE_TRAINING)
    own = [*([UNTRAINED] if bare != name else []), *(each.replace("=", ":", 1) for each in own)]
    name, done = bare, (*own, *what_if)
    for each in done:
        edits.parse(each)
    record = registry.module("record").record
    before = record(name, word, edits=as_weights(done)) if as_weights(done) != done else None
    return Reader(record(name, word, edits=done), before, edits=done, model=name)


def measured(readers: Sequence[Reader]) -> tuple[Reader, ...]:
    """The same with what is measured of those that can run: time on this machine, and right answers."""
    running = [reader for reader in readers if reader.model]
    if not running:
        return tuple(readers)
    costs = registry.module("record.costs")
    known = costs.finished(costs.costs_of([(it.model, as_weights(it.edits)) for it in running],
                                          running[0].trace.sample.name))
    curves = [costs.curve_of(it.model, it.edits) if it.before is not None else None for it in running]
    found = {id(it): (cost, curve) for it, cost, curve in zip(running, known, curves, strict=True)}
    return tuple(reader if id(reader) not in found else
                 replace(reader, measured=found[id(reader)][0], curve=found[id(reader)][1]) for reader in readers)


def as_weights(words: Sequence[str]) -> tuple[str, ...]:
    """What of it is done to the network, not to what it reads."""
    return tuple(each for each in words if not edits.of((each,), edits.INPUT))


def picture(readers: Sequence[Reader], moments: Sequence[Moment], look: Look, active: int = 0, alone: int = 0,
            focus: Focus | None = None, pointed: Pointed | None = None) -> Picture:
    """Several networks, each at its moment: who says what, what each has seen and computes now, what it would answer,
    how far each has come, and what each costs.

    `alone`: one of them large, counted from 1. `focus` marks a unit of the active one, whose receptive field is shown;
    `pointed` is what corresponds in all of them.
    """
    check(readers)
    with speaking(look.language):
        drawn = _picture(named(readers), tuple(moments), look.laid_out, active, alone, focus, pointed)
    drawn = drawn.scaled(look.text_scale, look.size)
    return projector.bold(drawn) if look.projector else drawn


def seen(readers: Sequence[Reader], active: int, moment: Moment, look: Look, sync: str = SHARE, alone: int = 0,
         focus: Focus | None = None, pointed: Pointed | None = None) -> Picture:
    """The picture at a moment of the active one: what the stage shows, a film, and a file."""
    moments = joined([reader.trace for reader in readers], active, moment, sync)
    return picture(readers, moments, look, active, alone, focus, pointed)


def readers_of(state: State, traces: Sequence[Trace], befores: Mapping[int, Trace],
               known: Callable[[ModelRecipe], Measured | None] = lambda recipe: None) -> tuple[Reader, ...]:
    """What a State compares: the recordings of its places, those of their inputs as they were where something is done
    to them, and what is known of networks."""
    found = []
    for index, (place, trace) in enumerate(zip(state.places, traces, strict=True)):
        recipe = place.recipe
        if not isinstance(recipe, ModelRecipe):
            found.append(Reader(trace))
            continue
        found.append(Reader(trace, befores.get(index), known(recipe), edits=recipe.edits, model=recipe.model))
    return tuple(found)


def carried(readers: Sequence[Reader]) -> tuple[Trace, ...]:
    """All that another program needs to compare the same, beside the State: the recordings, what was measured among
    their facts; then those of inputs as they were."""
    own = [replace(reader.trace, facts={
        **reader.trace.facts, **({} if reader.measured is None else {MEASURED: reader.measured.plain()}),
        **({} if reader.curve is None else {COUNTED: reader.curve.plain()})}) for reader in readers]
    return (*own, *(reader.before for reader in readers if reader.before is not None))


def received(state: State, traces: Iterable[Trace]) -> tuple[Reader, ...]:
    """What `carried` gave, as readers again."""
    found = list(traces)
    own, others = found[:len(state.places)], iter(found[len(state.places):])
    befores = {index: next(others) for index, place in enumerate(state.places)
               if as_it_was(place.recipe) != place.recipe}
    known = {place.recipe: from_plain(trace.facts[MEASURED]) for place, trace in zip(state.places, own, strict=True)
             if MEASURED in trace.facts}
    readers = readers_of(state, own, befores, known.get)
    return tuple(replace(reader, curve=curve.from_plain(reader.trace.facts[COUNTED]))
                 if COUNTED in reader.trace.facts else reader for reader in readers)


def moment_of(readers: Sequence[Reader], state: State) -> Moment:
    """Where the active place of a State stands; at the end of the way forward where nobody has chosen a moment, or one
    that its network does not have."""
    known = times([reader.trace for reader in readers], state.active)
    return (known.nearest(state.at) if state.at else None) or known.telling


def layout(readers: Sequence[Reader], look: Look, alone: int = 0) -> Frame:
    """Where everything stands in it, in the lengths of the layout."""
    return _frame(tuple(reader.trace for reader in readers), tuple(named(readers)), look.laid_out, alone)


@remembered(8)
def _frame(traces: tuple[Trace, ...], readers: tuple[Reader, ...], look: Look, alone: int) -> Frame:
    return frame(readers, look, alone,
                 curves=any(reader.before is not None or reader.curve is not None for reader in readers))


def _picture(readers: tuple[Reader, ...], moments: tuple[Moment, ...], look: Look, active: int, alone: int,
             focus: Focus | None, pointed: Pointed | None) -> Picture:
    traces = tuple(reader.trace for reader in readers)
    seen = [now(reader.trace, moment) for reader, moment in zip(readers, moments, strict=True)]
    direction = moments[active].beat.direction
    placed = _frame(traces, readers, look, alone)
    stepping = tuple(at_steps(reader.trace, at) is not None for reader, at in zip(readers, seen, strict=True))
    still, inputs = _still(traces, readers, look, active, alone, direction, stepping)
    said = words.sentence(readers, seen)
    shown = said.replace("{", "**").replace("}", "**") if look.projector else said  # none of several is the number
    marks: list[Mark] = [*parts.sentence(look, shown)]
    shared = one_input(readers)
    for index, area in enumerate(inputs):
        own = [index] if not shared else list(range(len(readers)))
        marks += columns.seen_of_it([readers[at] for at in own], [seen[at] for at in own], area,
                                    own.index(active) if active in own else -1, focus)
    classes = _classes(traces, readers, placed)
    for place in placed.places:
        if place.index < 0:
            marks += columns.difference(readers, seen, place, look)
            continue
        reader, at = readers[place.index], seen[place.index]
        marks += columns.computed(place.index, reader, at, place, look, focus if place.index == active else None)
        if not look.mode.notes:
            marks += columns.in_a_room(place.index, reader, at, place)
            continue
        marks += columns.below(place.index, reader, at, place, look)
        marks += columns.answer_bars(place.index, reader, at, place.answers, classes)
        marks += columns.verdict(place.index, reader, at, place, columns.bars_of(reader, classes))
    marks += lanes.moving(readers, seen, placed, look, active)
    if pointed is not None and inputs:
        marks += columns.corresponding(readers, seen, pointed, inputs[0], placed.places, look)
    return Picture(look.size, still, tuple(marks), look.theme, caption=unmarked(said), table=table.table(readers))


@remembered(8)
def _classes(traces: tuple[Trace, ...], readers: tuple[Reader, ...], placed: Frame) -> tuple[str, ...]:
    """The classes that have a bar, as many as there is room for in every column."""
    most = max(2, int(min((place.answers.height for place in placed.places), default=0) // columns.LOWEST))
    return columns.classes_of(readers, min(columns.MOST_CLASSES, most))


@remembered(8)
def _still(traces: tuple[Trace, ...], readers: tuple[Reader, ...], look: Look, active: int, alone: int,
           direction: str, stepping: tuple[bool, ...]) -> tuple[tuple[Mark, ...], tuple[Box, ...]]:
    """What stays while time passes, and where each input stands; `stepping`: whose states are shown."""
    placed = _frame(traces, readers, look, alone)
    marks: list[Mark] = []
    inputs: list[Box] = []
    shared = one_input(readers)
    title = tr("Same input") if shared else tr("Their inputs")
    marks.append(Text(placed.input.left, placed.input.top - 13, plain(title), 15, 600,
                      max_width=placed.input.width + 20))
    shown = readers[:1] if shared else readers
    bottom = placed.places[0].box.bottom if placed.places else placed.input.bottom
    each = (bottom - placed.input.top) / len(shown)
    for index, reader in enumerate(shown):
        top = placed.input.top + index * each
        side = min(placed.input.width, each - 26)
        made, where = columns.given(reader, Box(placed.input.left, top, placed.input.left + side, top + side), look)
        marks += made
        inputs.append(where)
        if look.mode.notes:
            marks += _of_the_input(reader, where, shared, placed.input.right + 20)
    for place in placed.places:
        if place.index >= 0:
            reader = readers[place.index]
            marks += columns.heading(reader, place, place.index, place.index == active)
            if look.mode.notes:
                marks += columns.answers_head(reader, place)
                marks += columns.tracks(reader, place.answers, _classes(traces, readers, placed))
            if stepping[place.index]:
                marks += columns.unread(place.picture)
        if look.mode.notes and place.box.left > placed.input.right:
            x = place.box.left - 14
            marks.append(Line(((x, place.box.top + 4), (x, place.box.bottom)), "hair"))
    marks += lanes.still(readers, placed, look, direction, direction == "backward")
    if placed.table is not None:
        row = ROW if look.size[1] >= 700 else LOW_ROW
        marks.append(Line(((0, placed.table.top), (look.size[0], placed.table.top)), "hair"))
        marks += table.drawn(readers, placed.table, row, placed.lanes.left - placed.table.left - 12
                             if placed.curves is None else max(width(each.name, 13, 600) for each in readers) + 8)
    if placed.curves is not None:
        marks += _curves(readers, placed.curves, look)
    return tuple(marks), tuple(inputs)


def _of_the_input(reader: Reader, where: Box, shared: bool, right: float) -> list[Mark]:
    """What it is, and what it was before something was done to it."""
    sample = reader.trace.sample
    said = titles.of(sample) if shared else reader.name
    marks: list[Mark] = [Text(where.left, where.bottom + 17, plain(said), 12, 400, "ink-2",
                              max_width=right - where.left)]
    before = reader.before
    first = reader.trace.layers[0]
    if before is not None and shared and first.has("row", "column") and before.layers[0].shape == first.shape:
        small = Box(where.left, where.bottom + 28, where.left + 52, where.bottom + 80)
        look = Look()
        made, place = columns.given(replace(reader, trace=before), small, look)
        marks += [*made, Text(place.right + 10, place.top + 22, plain(tr("unchanged")), 12, 400, "ink-2")]
    return marks


def _curves(readers: Sequence[Reader], box: Box, look: Look) -> list[Mark]:
    """Right answers by strength; their place, until they are counted."""
    found = tuple(reader.curve for reader in readers if reader.curve is not None)
    cursor = next((reader.strength for reader in readers if reader.strength is not None), 0.0)
    if found:
        return grouped(Group(tr("right answers by strength")), curves_marks(
            found, (box.left, box.top + 8, box.width, box.height - 8), look, cursor))
    marks: list[Mark] = [Text(box.left, box.top + 22, plain(tr("Right answers by strength")), 12, 600, "ink")]
    marks.append(Rect(box.left, box.top + 34, box.width, box.height - 44, "hatch"))
    return marks + parts.not_yet(box.left, box.top + 34, box.width, box.height - 44, tr("not measured yet"))[1:]


