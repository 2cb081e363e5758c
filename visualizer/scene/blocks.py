"""Blocks: the layers of a network as the modules that they stand in, of which each is open or closed.

Pure, from the names of the layers alone: `layer1.0.conv1` stands in `layer1.0`, and that in `layer1`. A block is an
unbroken stretch of the order in which the layers ran. A closed one is drawn as a single layer: `folded` gives the
recording as it then looks, in which the block has the name, output and gradient of its last layer, and reads what its
layers read of others. So everything that draws a network draws it folded, and each of its numbers is a recorded one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby, pairwise

from visualizer import kinds
from visualizer.language import tr
from visualizer.said import said, tick
from visualizer.scene import numbers
from visualizer.scene.columns import passages, short_name
from visualizer.scene.picture import Focus, Look
from visualizer.scene.timeline import BACKWARD, Moment, timeline
from visualizer.trace import MODULES, Layer, Trace, remembered

KNOB = "blocks"
"""The setting of a view which blocks are open: one of `WAYS`, then `+name` of what was opened and `-name` of what was
closed by hand, with `|` between."""
WAYS = (FOLLOW, CLOSED, OPEN) = ("follow", "closed", "open")
"""The blocks round the layer of the moment are open · none is · all are."""
FEW = 12
"""So many columns stand side by side as they are; of a larger network blocks are closed."""
LEAST = 3
"""Layers of a block; fewer stand as they are."""
MOST_REPEATED, OFTEN = 8, 3
"""Where no module says what belongs together: so many layers at most are looked for again and again, and so often at
least they follow each other."""
TO = "…"
"""Between the first and the last name of what has none of its own."""
EACH, LAST = 0.45, 1.6
"""Seconds of a layer of a closed block, and of its last one, whose output is seen."""
CARD = 20.0
"""The height that is kept above and below the maps of a closed block for the card on which they stand."""
KIND = "block"
"""What `Layer.kind` is of a closed block."""
BY_LAYER = ("flow", "before")
"""Studies that hold one number a layer: they are those of the whole recording alone."""
OPENED = "opened blocks"
"""The fact of a folded recording that tells which blocks are open in it."""


@dataclass(frozen=True, eq=False)
class Block:
    """A stretch of layers that stand in one module; or several such that are alike and follow each other."""

    name: str
    """The path of the module, `layer1.0`; a second call is `layer1.0#2`; of several alike `layer3.1…layer3.5`."""
    first: int
    last: int
    """Places of its first and its last layer in the order of the recording, both included."""
    inside: tuple[Block | int, ...]
    """What stands directly in it: blocks, and places of layers."""
    made: str = ""
    """The class of the module, where it is known: `Bottleneck`."""
    times: int = 1
    """How many blocks that are alike it is."""

    @property
    def count(self) -> int:
        """How many layers stand in it."""
        return self.last - self.first + 1

    @property
    def alike(self) -> bool:
        """Whether it is several blocks that are alike."""
        return self.times > 1

    def __contains__(self, place: object) -> bool:
        return isinstance(place, int) and self.first <= place <= self.last


Parts = tuple[Block | int, ...]
"""Blocks, and places of layers."""


# --- the tree -------------------------------------------------------------------------------------------------------

@remembered(1)
def tree(trace: Trace) -> Parts:
    """The whole network: what stands in no block, and the outermost blocks, in the order in which they ran."""
    paths = _paths(trace)
    kept = _kept_apart(trace)
    return _whole_if_one(_grouped(trace, paths, kept, 0, len(trace.layers), 0))


def blocks(parts: Parts) -> Iterator[Block]:
    """All blocks among these parts and within them, the outer before the inner ones."""
    for part in parts:
        if isinstance(part, Block):
            yield part
            yield from blocks(part.inside)


def named(trace: Trace, name: str) -> Block | None:
    """The block of that name."""
    return next((block for block in blocks(tree(trace)) if block.name == name), None)


def around(trace: Trace, place: int) -> tuple[Block, ...]:
    """The blocks that a layer stands in, the outermost first; several alike count as one, round each of them."""
    found: list[Block] = []
    parts = tree(trace)
    while inner := next((part for part in parts if isinstance(part, Block) and place in part), None):
        found.append(inner)
        parts = inner.inside
    return tuple(found)


def _paths(trace: Trace) -> tuple[tuple[str, ...], ...]:
    """For each layer the modules that it stands in, the outermost first. A layer that is called as a module which holds
    others (the output of a recurrent one, beside its last state) stands in that."""
    split = [split_name(layer.name) for layer in trace.layers]
    holding = {path[:depth] for path in split for depth in range(1, len(path))}
    return tuple(path if path in holding else path[:-1] for path in split)


def split_name(name: str) -> tuple[str, ...]:
    """`layer1.0.conv1` by its dots; a scope of ONNX, `/layer1/layer1.0/conv1/Conv`, by its strokes, each part without
    what it repeats of the one before."""
    if not name.startswith("/"):
        return tuple(name.split("."))
    parts = [part for part in name.split("/") if part]
    return tuple(part.removeprefix(f"{before}.") for before, part in zip(("", *parts), parts, strict=False))


def _kept_apart(trace: Trace) -> frozenset[int]:
    """Layers that are always seen: what is fed in and answered, single numbers, and what has a beat for each step."""
    answered = {answer.layer for answer in trace.answers}
    stepped = {beat.layer for beat in timeline(trace).beats if beat.step is not None}
    return frozenset(place for place, layer in enumerate(trace.layers)
                     if layer.is_input or not layer.output.ndim or isinstance(layer.settings.get("beside"), str)
                     or layer.name in answered or layer.name in stepped)


def _grouped(trace: Trace, paths: Sequence[tuple[str, ...]], kept: frozenset[int], start: int, stop: int,
             depth: int) -> Parts:
    """The parts among the layers from `start` to `stop`, which share the first `depth` names of their paths."""
    found: list[Block | int] = []
    taken: dict[str, int] = {}
    for path, group in groupby(range(start, stop), key=lambda place: paths[place][:depth + 1]):
        places = list(group)
        if len(path) <= depth:
            found += places
            continue
        for one in _calls(trace, places):
            inner = _grouped(trace, paths, kept, one[0], one[-1] + 1, depth + 1)
            name = ".".join(path)
            taken[name] = taken.get(name, 0) + 1
            if len(one) < LEAST or any(place in kept for place in one) or not _complete(trace, paths, one, path):
                found += inner
                continue
            number = f"#{taken[name]}" if taken[name] > 1 else ""
            found.append(Block(name + number, one[0], one[-1], _whole_if_one(inner), _class_of(trace, name)))
    return _alike_together(trace, _repeated(trace, tuple(found), kept))


def _complete(trace: Trace, paths: Sequence[tuple[str, ...]], places: Sequence[int], path: tuple[str, ...]) -> bool:
    """Whether a stretch of layers is a whole call of the module at a path: a list whose modules are called here and
    there is none."""
    own = {_bare(trace, place) for place in places}
    return own == {_bare(trace, place) for place, other in enumerate(paths) if other[:len(path)] == path}


def _bare(trace: Trace, place: int) -> str:
    """The name of a layer without the number of its call."""
    before, _, number = trace.layers[place].name.rpartition("#")
    return before if number.isdecimal() else trace.layers[place].name


def _whole_if_one(parts: Parts) -> Parts:
    """Of a block with nothing but another one in it, what stands in that."""
    while len(parts) == 1 and isinstance(parts[0], Block) and not parts[0].alike:
        parts = parts[0].inside
    return parts


def _class_of(trace: Trace, path: str) -> str:
    known = trace.facts.get(MODULES)
    found = known.get(path.partition("#")[0], "") if isinstance(known, Mapping) else ""
    return found if isinstance(found, str) else ""


def _calls(trace: Trace, places: list[int]) -> list[list[int]]:
    """The layers of one module call by call: where all of them come again in the same order, that is another call."""
    bare = [_bare(trace, place) for place in places]
    for length in range(LEAST, len(bare) // 2 + 1):
        if len(bare) % length == 0 and bare == bare[:length] * (len(bare) // length) and \
                len(set(bare[:length])) == length:
            return [places[start:start + length] for start in range(0, len(places), length)]
    return [places]


def _signature(trace: Trace, part: Block | int) -> tuple[object, ...]:
    """What two parts have in common that are alike: which operations, with which shapes of what comes out."""
    if isinstance(part, int):
        layer = trace.layers[part]
        return layer.kind, layer.shape
    return tuple((layer.kind, layer.shape) for layer in trace.layers[part.first:part.last + 1])


def _alike_together(trace: Trace, parts: Parts) -> Parts:
    """With neighbouring blocks that are alike as one part."""
    found: list[Block | int] = []
    for signature, group in groupby(parts, key=lambda part: isinstance(part, Block) and _signature(trace, part)):
        same = tuple(group)
        found += [_together(same)] if signature and len(same) > 1 else same  # type: ignore[arg-type]
    return tuple(found)


def _together(same: Sequence[Block]) -> Block:
    """Several neighbouring blocks that are alike, as one."""
    if len(same) == 1:
        return same[0]
    name = f"{same[0].name.partition(TO)[0]}{TO}{same[-1].name.rpartition(TO)[2]}"
    return Block(name, same[0].first, same[-1].last, tuple(same), same[0].made, len(same))


def _repeated(trace: Trace, parts: Parts, kept: frozenset[int]) -> Parts:
    """With layers that no module holds together, but of which each reads the one before, again and again in one order
    (Linear, ReLU, Linear, ReLU, …), as blocks; only where there are more of them than stand side by side."""
    if sum(isinstance(part, int) for part in parts) <= FEW:
        return parts
    signs = [None if isinstance(part, Block) or part in kept or not _reads_the_one_before(trace, part)
             else _signature(trace, part) for part in parts]
    found: list[Block | int] = []
    at = 0
    while at < len(parts):
        length, times = _most_often(signs, at)
        learns = any(isinstance(part, int) and trace.layers[part].weights for part in parts[at:at + length])
        if times < OFTEN or length * times < 2 * LEAST or not learns:
            found.append(parts[at])
            at += 1
            continue
        for number in range(times):
            own = parts[at + number * length:at + (number + 1) * length]
            first, last = own[0], own[-1]
            assert isinstance(first, int)
            assert isinstance(last, int)
            found.append(Block(f"{trace.layers[first].name}{TO}{trace.layers[last].name}", first, last, own))
        at += length * times
    return tuple(found)


def _reads_the_one_before(trace: Trace, place: int) -> bool:
    return place > 0 and trace.layers[place].reads == (trace.layers[place - 1].name,)


def _most_often(signs: Sequence[object], at: int) -> tuple[int, int]:
    """(how many signs, how often they follow each other) from a place on: of all lengths the one that covers most."""
    best = (1, 1)
    for length in range(1, MOST_REPEATED + 1):
        one = list(signs[at:at + length])
        if len(one) < length or None in one:
            break
        times = 1
        while list(signs[at + times * length:at + (times + 1) * length]) == one:
            times += 1
        if times >= OFTEN and length * times > best[0] * best[1]:
            best = length, times
    return best


@dataclass(frozen=True)
class Opened:
    """An open block as it is seen."""

    name: str
    made: str
    count: int
    """Its layers."""
    first: str
    last: str
    """The first and the last of what is seen of it."""


def opened(trace: Trace) -> tuple[Opened, ...]:
    """The open blocks of a folded recording, the outer before the inner ones; none of any other."""
    found = trace.facts.get(OPENED, ())
    return found if isinstance(found, tuple) else ()


def is_folded(trace: Trace) -> bool:
    """Whether a recording is a folded one."""
    return OPENED in trace.facts


def card_height(layer: Layer) -> float:
    """How much of the height of a column the card of a closed block takes, above and below its maps, which stand in
    the middle; 0 for any other layer."""
    return 2 * CARD if layer.kind == KIND else 0.0


@remembered(32)
def beside(trace: Trace, name: str) -> frozenset[str]:
    """What is seen of the innermost open block that a layer of a folded recording stands in; nothing where it stands in
    none."""
    inner = [names for block in opened(trace) if name in (names := _seen_of(trace, block))]
    return inner[-1] if inner else frozenset()


def _seen_of(trace: Trace, block: Opened) -> frozenset[str]:
    names = [layer.name for layer in trace.layers]
    return frozenset(names[names.index(block.first):names.index(block.last) + 1])


# --- which are open -------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Chosen:
    """Which blocks a person wants open, as the knob says it."""

    way: str = FOLLOW
    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()

    @property
    def word(self) -> str:
        """As the knob says it."""
        return "|".join((self.way, *(f"+{name}" for name in sorted(self.opened)),
                         *(f"-{name}" for name in sorted(self.closed))))


def chosen_in(look: Look) -> Chosen:
    """What a look says of it; what cannot be read is as if nothing had been said."""
    way, *marked = look.knob(KNOB, FOLLOW).split("|")
    return Chosen(way if way in WAYS else FOLLOW, frozenset(word[1:] for word in marked if word[:1] == "+"),
                  frozenset(word[1:] for word in marked if word[:1] == "-"))


def with_open(chosen: Chosen, name: str) -> Chosen:
    """With a block opened by hand."""
    return replace(chosen, opened=chosen.opened | {name}, closed=chosen.closed - {name})


def with_closed(chosen: Chosen, name: str) -> Chosen:
    """With a block closed by hand."""
    return replace(chosen, opened=chosen.opened - {name}, closed=chosen.closed | {name})


def toggled(trace: Trace, look: Look, place: int | None, name: str) -> Chosen:
    """The choice after a block was opened, or closed if it was open. Of several that are alike that one is opened in
    which one stands, else each stands by itself then."""
    chosen = chosen_in(look)
    known = tuple(blocks(tree(trace)))
    part = next((part for part in visible(trace, chosen, place) if isinstance(part, Block) and part.name == name), None)
    own = next((block for block in known if block.name == name), None) or next(
        (block for block in known if part is not None and block.alike and _covers(block, part)), None)
    if own is None:
        return chosen
    if own.alike and place is not None and place in own:
        own = next(one for one in own.inside if isinstance(one, Block) and place in one)
    if not _closed_now(trace, chosen, place, own):
        return with_closed(chosen, own.name)
    bare = replace(chosen, closed=chosen.closed - {own.name})
    return with_open(chosen, own.name) if _closed_now(trace, bare, place, own) else bare


def _covers(one: Block, other: Block) -> bool:
    return one.first <= other.first and other.last <= one.last


def _closed_now(trace: Trace, chosen: Chosen, place: int | None, block: Block) -> bool:
    """Whether a block is seen as one or within one; of several that are alike, whether any of them stand together."""
    seen = [part for part in visible(trace, chosen, place) if isinstance(part, Block)]
    return any(_covers(part, block) or (block.alike and part.alike and _covers(block, part)) for part in seen)


def closed_at(trace: Trace, look: Look, moment: Moment, name: str) -> str:
    """Name of the closed block in which a layer is seen; empty where it is seen itself."""
    fold = fold_at(trace, moment, look)
    block = None if fold is None else fold.closed.get(fold.place[name])
    return "" if block is None else block.name


def open_around(trace: Trace, look: Look, moment: Moment) -> str:
    """Name of the innermost open block round the layer of the moment; empty where there is none, or where all stand
    side by side anyway."""
    fold = fold_at(trace, moment, look)
    if fold is None and few(trace):
        return ""
    closed = None if fold is None else fold.closed.get(fold.place[moment.beat.layer])
    found = [block for block in around(trace, places(trace)[moment.beat.layer]) if not block.alike
             and (closed is None or block.count > closed.count)]
    return found[-1].name if found else ""


@remembered(1)
def ends(trace: Trace) -> tuple[int, ...]:
    """The beats with which a walk leaves a block, or goes into one: block by block it goes from each to the next."""
    known, order = timeline(trace).beats, places(trace)
    inner = [(beat.direction, next((block.name for block in reversed(around(trace, order[beat.layer]))
                                    if not block.alike), "")) for beat in known]
    return tuple(number for number, (one, other) in enumerate(pairwise([*inner, ("", "")])) if one != other)


def few(trace: Trace) -> bool:
    """Whether all its layers stand side by side anyway, or there is no block in it."""
    return _drawn(trace, range(len(trace.layers))) <= FEW or not any_of(trace)


def any_of(trace: Trace) -> bool:
    """Whether there is any block in a network."""
    return any(isinstance(part, Block) for part in tree(trace))


def _drawn(trace: Trace, places: Sequence[int]) -> int:
    """How many of these layers have a column."""
    hidden = passages(trace)
    return sum(trace.layers[place].name not in hidden and bool(trace.layers[place].output.ndim) for place in places)


@remembered(1)
def _usually_open(trace: Trace) -> frozenset[str]:
    """The blocks that are open wherever one stands: those of few parts of which several are read from outside, because
    a closed one shows what one of its layers gives; and as many as leave all columns side by side, the smallest first.
    """
    found = {block.name for block in blocks(tree(trace)) if not block.alike and len(block.inside) <= FEW // 2
             and len(_read_outside(trace, block.first, block.last)) > 1}
    while True:
        seen = visible(trace, Chosen(opened=frozenset(found)), None, frozenset())
        shown = sum(isinstance(part, Block) for part in seen) + _drawn(trace, [one for one in seen
                                                                               if isinstance(one, int)])
        closed = [part for part in seen if isinstance(part, Block)]
        grown = {part.name: sum(isinstance(inner, Block) for inner in part.inside) + _drawn(
            trace, [inner for inner in part.inside if isinstance(inner, int)]) - 1 for part in closed}
        fits = [name for name, more in grown.items() if more > 0 and shown + more <= FEW]
        if not fits:
            return frozenset(found)
        found.add(min(fits, key=lambda name: grown[name]))


def visible(trace: Trace, chosen: Chosen, place: int | None, usual: frozenset[str] | None = None) -> Parts:
    """What is seen while one stands at a layer, or at none: closed blocks, and places of layers, in their order."""
    usually = _usually_open(trace) if usual is None else usual

    def is_open(block: Block) -> bool:
        if block.name in chosen.closed or block.name in chosen.opened:
            return block.name in chosen.opened
        return chosen.way == OPEN or (chosen.way == FOLLOW and (block.name in usually or (
            place is not None and place in block)))

    def seen(parts: Parts) -> Iterator[Block | int]:
        for part in parts:
            if isinstance(part, int) or part.name in chosen.closed:
                yield part
            elif not part.alike:
                yield from seen(part.inside) if is_open(part) else (part,)
            elif part.name in chosen.opened or chosen.way == OPEN or part.name in usually:
                yield from seen(part.inside)
            else:
                yield from split(part)

    def split(several: Block) -> Iterator[Block | int]:
        """Some of several that are alike may be open: the closed ones between them stand together."""
        inner = [one for one in several.inside if isinstance(one, Block)]
        for opened, group in groupby(inner, key=is_open):
            same = tuple(group)
            yield from seen(same) if opened else (_together(same),)

    return tuple(seen(tree(trace)))


# --- the recording as it then looks ---------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Folded:
    """A recording in which closed blocks are single layers."""

    whole: Trace
    trace: Trace
    closed: Mapping[str, Block]
    """Name of the layer that stands for a block -> the block."""
    place: Mapping[str, str] = field(repr=False)
    """Name of a layer of the whole recording -> of the one that it is seen in."""

    def moment(self, moment: Moment) -> Moment:
        """The moment of the folded recording at which a moment of the whole one is seen. Forwards a closed block
        computes as long as one of its layers does; backwards its gradient is there when it has come to its last layer,
        and stays while it goes on through the others."""
        name = self.place[moment.beat.layer]
        known = timeline(self.trace)
        if name not in self.closed:
            found = known.of(name, moment.beat.direction, moment.beat.step)
            assert found is not None
            return replace(found, phase=moment.phase)
        order = places(self.whole)
        late = order[moment.beat.layer] - order[name]  # what comes after it gets its gradient before it
        phase = self.phase(moment) if not moment.backward else moment.phase if not late else float(late < 0)
        found = known.of(name, moment.beat.direction)
        if found is None:  # gradient came to layers within, but none to what the block hands on
            return known.settled(max(number for number, beat in enumerate(known.beats)
                                     if beat.direction != BACKWARD and beat.layer == name))
        return replace(found, phase=phase)

    def focus(self, focus: Focus | None) -> Focus | None:
        """What has been chosen, as far as it is seen: of what stands in a closed block, that block."""
        if focus is None or focus.layer not in self.place:
            return focus
        name = self.place[focus.layer]
        return focus if name not in self.closed or (name == focus.layer and focus.array == "output") else Focus(name)

    def phase(self, moment: Moment) -> float:
        """How far a closed block has come forwards, by the time that its layers take: 0 … 1."""
        number, count = self.progress(moment.beat.layer)
        return ((number - 1) * EACH + moment.phase * (LAST if number == count else EACH)) / seconds(count)

    def progress(self, name: str) -> tuple[int, int]:
        """(which of the layers of its closed block that have a beat one is, counted from 1, how many these are)."""
        beaten = self.beaten[self.place[name]]
        return beaten.index(name) + 1, len(beaten)

    def handing_on(self, moment: Moment) -> int:
        """On the way back through a closed block: how many of its layers have their gradient, that of the moment too;
        0 everywhere else."""
        name = self.place[moment.beat.layer]
        if name not in self.closed or not moment.backward or moment.beat.layer == name:
            return 0
        number, count = self.progress(moment.beat.layer)
        return count + 1 - number

    def lasts(self, moment: Moment) -> tuple[float, bool]:
        """(seconds of a layer within a closed block, whether its block is done then); 0 seconds for all that plays as
        its own motion does."""
        name = self.place[moment.beat.layer]
        if name not in self.closed or (moment.backward and moment.beat.layer == name):
            return 0.0, False
        number, count = self.progress(moment.beat.layer)
        if moment.backward:
            return EACH, number == 1
        return LAST if number == count else EACH, number == count

    @cached_property
    def beaten(self) -> Mapping[str, tuple[str, ...]]:
        """Name of the layer that stands for a block -> those of its layers that have a beat, in their order."""
        known = {beat.layer for beat in timeline(self.whole).beats}
        return {name: tuple(layer.name for layer in self.whole.layers[block.first:block.last + 1]
                            if layer.name in known) for name, block in self.closed.items()}


def fold_at(trace: Trace, moment: Moment, look: Look) -> Folded | None:
    """The recording as it is seen at a moment; None where it is seen as it is."""
    if not any_of(trace) or (KNOB not in dict(look.knobs) and few(trace)):
        return None
    chosen = chosen_in(look)
    if chosen.way == OPEN and not chosen.closed:
        return None
    return folded(trace, visible(trace, chosen, places(trace)[moment.beat.layer]))


@remembered(1)
def places(trace: Trace) -> Mapping[str, int]:
    """Name of a layer -> its place in the order in which they ran."""
    return {layer.name: place for place, layer in enumerate(trace.layers)}


def seconds(count: int) -> float:
    """How long a closed block of so many layers computes."""
    return (count - 1) * EACH + LAST


def folded(trace: Trace, parts: Parts) -> Folded:
    """The recording in which the blocks among these parts are closed."""
    return _folded_as(trace, tuple(part if isinstance(part, int) else (part.name, part.first, part.last, part.times,
                                                                       part.made) for part in parts))


@remembered(12)
def _folded_as(trace: Trace, seen: tuple[int | tuple[str, int, int, int, str], ...]) -> Folded:
    layers, closed, place = list[Layer](), dict[str, Block](), dict[str, str]()
    known = {beat.layer for beat in timeline(trace).beats}
    for part in seen:
        if isinstance(part, int):
            layer = trace.layers[part]
            place[layer.name] = layer.name
            reads = tuple(dict.fromkeys(place[read] for read in layer.reads)) \
                if any(place[read] != read for read in layer.reads) else layer.reads
            layers.append(layer if reads == layer.reads else replace(layer, reads=reads))
            continue
        name, first, last, times, made = part
        members = trace.layers[first:last + 1]
        own = {layer.name for layer in members}
        outside = _read_outside(trace, first, last)
        given = trace[outside[-1]] if outside else members[-1]
        reads = tuple(dict.fromkeys(place[read] for layer in members for read in layer.reads if read not in own))
        place |= dict.fromkeys(own, given.name)
        closed[given.name] = Block(name, first, last, tuple(range(first, last + 1)), made, times)
        beaten = sum(layer.name in known for layer in members)
        layers.append(replace(given, kind=KIND, reads=reads, weights={}, weight_gradients={}, inner={},
                              inner_gradients={}, settings={
                                  KIND: name, "made": made, "times": times, "layers": len(members), "beats": beaten,
                                  "first": members[0].name, "last": members[-1].name, "leaves": len(outside),
                                  "parameters": _parameters(members),
                                  "inside": _one_kind(trace, first, last),
                                  "adds": sum(kinds.role(layer) == "sum" and len(set(layer.reads)) > 1
                                              for layer in members)}))
    studies = {name: arrays for name, arrays in trace.studies.items() if name not in BY_LAYER}
    facts = {**trace.facts, OPENED: _opened(trace, closed, place)}
    return Folded(trace, replace(trace, layers=tuple(layers), studies=studies, facts=facts), closed, place)


def _opened(trace: Trace, closed: Mapping[str, Block], place: Mapping[str, str]) -> tuple[Opened, ...]:
    """The open blocks, the outer before the inner ones."""
    stretches = [(block.first, block.last) for block in closed.values()]
    names = [layer.name for layer in trace.layers]
    return tuple(Opened(block.name, block.made, block.count, place[names[block.first]], place[names[block.last]])
                 for block in blocks(tree(trace)) if not block.alike and not any(
                     first <= block.first and block.last <= last for first, last in stretches))


def _read_outside(trace: Trace, first: int, last: int) -> list[str]:
    """The layers of a stretch that others read."""
    own = {layer.name for layer in trace.layers[first:last + 1]}
    return [layer.name for layer in trace.layers[first:last + 1]
            if any(reader.name not in own for reader in trace.readers(layer.name))]


def _one_kind(trace: Trace, first: int, last: int) -> tuple[int, str]:
    """(how many blocks that are alike a block consists of, their class), 0 where it holds anything else."""
    own = next((block for block in blocks(tree(trace)) if not block.alike and (block.first, block.last) ==
                (first, last)), None)
    part = own.inside[0] if own is not None and len(own.inside) == 1 else None
    return (part.times, part.made) if isinstance(part, Block) and part.alike else (0, "")


def _parameters(layers: Sequence[Layer]) -> int:
    """How many numbers layers learn; those that several use counted once."""
    return sum({id(array): int(array.size) for layer in layers for array in layer.learned.values()}.values())


# --- what is said of a closed block -----------------------------------------------------------------------------------

def title(layer: Layer) -> str:
    """`layer3.1…5 × 5` of the layer that stands for a block; of any other its name."""
    if layer.kind != KIND:
        return layer.name
    name, times = str(layer.settings[KIND]), int(layer.settings["times"])
    return name if times == 1 else f"{_ends(name)} × {times_said(layer)}"


def short_title(layer: Layer) -> str:
    """The same with no more of the path than its last part."""
    if layer.kind != KIND:
        return short_name(layer.name)
    name, times = str(layer.settings[KIND]), int(layer.settings["times"])
    start, to, end = name.partition(TO)
    short = f"{short_name(start)}{to}{end.rpartition('.')[2]}"
    return short if times == 1 else f"{short} × {times_said(layer)}"


def _ends(name: str) -> str:
    """`layer3.1…5` for `layer3.1…layer3.5`."""
    start, to, end = name.partition(TO)
    return f"{start}{to}{end.rpartition('.')[2]}" if start.rpartition(".")[0] == end.rpartition(".")[0] else name


def times_said(layer: Layer) -> str:
    """How many alike a closed block is."""
    return said(str(layer.settings["times"]), "how many blocks that are alike", *_stretch(layer))


def beats(layer: Layer) -> int:
    """How many beats a closed block has in one direction."""
    return int(layer.settings["beats"])


def layer_said(layer: Layer, number: int) -> str:
    """The number of one of the layers of a closed block."""
    return tick(str(number), number, 1, beats(layer))


def count_said(layer: Layer) -> str:
    """How many layers of a closed block have a beat."""
    return said(str(beats(layer)), "beats of a block", *_stretch(layer))


def progress_said(layer: Layer, number: int) -> str:
    """`3 of 10 layers`."""
    return tr("{n} of {count} layers").format(n=layer_said(layer, number), count=count_said(layer))


def parameters_said(layer: Layer) -> str:
    """How many numbers a closed block learns."""
    return said(numbers.count(int(layer.settings["parameters"])), "parameters of a block", *_stretch(layer))


def _stretch(layer: Layer) -> tuple[str, tuple[()], None, str]:
    """Of which layers of the recording something is claimed."""
    return str(layer.settings["first"]), (), None, str(layer.settings["last"])
