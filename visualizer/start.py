"""Start: what can be opened from the start screen, as cards: questions first, then networks, inputs and views.

A question is a file of `assets/start`: its group, its title, one line, the place that it opens (a State as
`scene.state` writes it) or the command that it does, what of the place its picture shows, and what it needs beyond that
place. A card whose need is not there is not offered. Neither Qt nor torch is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from visualizer import card, door, inputs, lesson, registry, titles, views
from visualizer.language import counted_as, english, kept_by_language, tr, translated
from visualizer.lesson import shelf
from visualizer.scene import numbers
from visualizer.scene.recipe import LabRecipe, ModelRecipe, Recipe, reeled
from visualizer.scene.state import State, changed, from_json
from visualizer.trace import Refused, Sample

NETWORKS, INPUTS, VIEWS, LESSONS = english("Networks"), english("Inputs"), english("Views"), english("Lessons")
"""What is counted beside the questions."""
WHOLE = (0.0, 0.0, 1.0, 1.0)
HERO = "hero"
"""The one file that is no card among others."""


@dataclass(frozen=True)
class StartCard:
    """One thing that can be opened."""

    name: str
    """By which its picture is kept."""
    group: str
    title: str
    line: str
    state: State | None = None
    """Where it leads."""
    does: str = ""
    """Or which command it does."""
    crop: tuple[float, float, float, float] = WHOLE
    """What of the picture it shows: left, top, right, bottom, as shares."""
    sample: Sample | None = None
    """The input that it stands for: its thumbnail is its picture."""
    order: int = 50
    """Place in its group, smallest first."""
    kind: str = ""
    """What it is counted as; empty for a question."""
    aside: bool = False
    """Whether the first page leaves it out: it is found by a search, and among all of its kind."""
    lesson: str = ""
    """Which lesson it opens; `state` is then what that shows first."""


@dataclass(frozen=True)
class Hero:
    """The first thing on the screen: a network that is played, and what to try when it has been seen."""

    title: str
    state: State
    columns: tuple[str, ...]
    """The layers that its picture shows, from the input to the answer."""
    tries: tuple[StartCard, ...]


# --- the files ------------------------------------------------------------------------------------------------------

def questions() -> tuple[StartCard, ...]:
    """Every card of `assets/start` whose needs are there, group by group; groups in the order of their first cards."""
    read = ((path, _read(path)) for path in registry.files("assets", "start/*.json") if path.stem != HERO)
    found = sorted((_card(path.stem, words) for path, words in read if has(words)), key=lambda each: each.order)
    groups = list(dict.fromkeys(each.group for each in found))
    return tuple(sorted(found, key=lambda each: groups.index(each.group)))


def hero() -> Hero:
    """What is played first."""
    words = _read(registry.folder("assets") / "start" / f"{HERO}.json")
    tries = tuple(_card(f"{HERO}-{number}", each) for number, each in enumerate(words["tries"]) if has(each))
    return Hero(words["title"], _state(words), tuple(words["columns"]), tries)


def has(words: dict[str, Any]) -> bool:
    """Whether all is there that a card needs: the network, the input and the view of every place, and what its `needs`
    name: `models/digits_cnn`, `views/over`, `before/digits_cnn`, `ui.commands/start`."""
    needs = [f"views/{place['view']}" for place in _places(words) if "view" in place]
    for place in _places(words):
        recipe = place.get("recipe", {})
        if recipe.get("kind") == "model":
            needs.append(f"models/{recipe['model']}")
            needs += [f"before/{recipe['model']}"] * ("untrained" in recipe.get("edits", ()) or bool(place.get("reel")))
    return all(map(_is_there, (*needs, *words.get("needs", ()))))


def _is_there(need: str) -> bool:
    folder, _, name = need.rpartition("/")
    if folder == "models":
        return registry.is_bundled(name)
    if folder == "before":
        return registry.is_bundled(name) and registry.weights(name, untrained=True).is_file()
    if folder == "views":
        return any(view.name == name for view in views.all_views())
    return any(module.__name__.rpartition(".")[2] == name for module in registry.modules(folder))


def _read(path: Path) -> dict[str, Any]:
    words = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(words, dict)
    return words


def _places(words: dict[str, Any]) -> Sequence[dict[str, Any]]:
    found: Sequence[dict[str, Any]] = words.get("place", {}).get("places", ())
    return found


def _card(name: str, words: dict[str, Any]) -> StartCard:
    left, top, right, bottom = words.get("crop", WHOLE)
    return StartCard(name, words.get("group", ""), words["title"], words["line"],
                     _state(words) if "place" in words else None, words.get("does", ""), (left, top, right, bottom),
                     order=words.get("order", 50))


def _state(words: dict[str, Any]) -> State:
    return from_json(json.dumps({"version": 2, **words["place"]}))


# --- what there is beside the questions -----------------------------------------------------------------------------

@kept_by_language(4)
def networks() -> tuple[StartCard, ...]:
    """Every bundled network as its card says it, those together that read the same; then experiment by experiment."""
    found = []
    for name in registry.models():
        known = card.bundled(name)
        what = known.group or translated(inputs.offered({"kind": known.kind}).title)
        line = numbers.parameters(known.parameters)
        found.append(StartCard(f"network-{name}", tr("Networks: {what}").format(what=what),
                               known.title, line, opened(name, known), kind=NETWORKS,
                               aside=bool(known.group)))
    return tuple(found)


@kept_by_language(4)
def all_inputs() -> tuple[StartCard, ...]:
    """Every bundled input, read by the first network that it is meant for."""
    readers: dict[str, card.Card] = {}
    for known in map(card.bundled, registry.models()):
        readers = {**dict.fromkeys(known.samples, known), **readers}
    found = []
    for kind in inputs.kinds():
        for sample in inputs.all_samples(kind.name):
            if sample.name not in readers:
                continue
            known = readers[sample.name]
            line = tr("read by {network}").format(network=known.title)
            state = changed(opened(known.model, known), inputs=(sample.name,))
            found.append(StartCard(f"input-{sample.name}", translated(kind.title), sample_title(sample), line, state,
                                   sample=sample, kind=INPUTS))
    return tuple(found)


@kept_by_language(4)
def all_views() -> tuple[StartCard, ...]:
    """Every view, of a question that it answers, else of the first network that it has something to show of."""
    shown = {place.view: each.state for each in reversed(questions()) if each.state is not None
             for place in each.state.places[:1]}
    known = [card.bundled(name) for name in registry.models()]
    plain, stepped = known[0], next((each for each in known if each.step), known[0])
    found = []
    for view in views.all_views():
        network = plain if view.group in (views.WHOLE, views.PARTS) else stepped
        state = shown.get(view.name) or changed(opened(network.model, network), view=view.name)
        found.append(StartCard(f"view-{view.name}", translated(view.group), translated(view.title),
                               translated(view.sentence), state, kind=VIEWS))
    return tuple(found)


def all_lessons() -> tuple[StartCard, ...]:
    """Every lesson of the shelf, in the order in which they are offered; its picture is what it shows first."""
    found = []
    for it in shelf.shelf().lessons:
        first = next((index for index, step in enumerate(it.steps) if step.shown.places), None)
        state = None if first is None else replace(lesson.state_of(it, first, State()), lesson="", step=0)
        told = [tr("Lesson {number}").format(number=it.number) if it.number else translated(lesson.TITLES[it.genre]),
                tr("{n} min").format(n=round(it.seconds / 60)) if it.seconds >= 60 else
                tr("{n} s").format(n=it.seconds) if it.seconds else "",
                counted_as(len(it.steps), tr("in {count} step"), tr("in {count} steps")).format(count=len(it.steps))]
        found.append(StartCard(f"lesson-{it.name}", LESSONS, it.title, ", ".join(filter(None, told)), state,
                               lesson=it.name, kind=LESSONS))
    return tuple(found)


def everything() -> tuple[StartCard, ...]:
    """All that a search finds, the questions first."""
    return (*questions(), *networks(), *all_lessons(), *all_views(), *all_inputs())


def counts() -> tuple[tuple[str, int], ...]:
    """How many there are of each kind; none of which there are none."""
    found = ((NETWORKS, len(registry.models())), (INPUTS, len(all_inputs())), (VIEWS, len(all_views())),
             (LESSONS, len(all_lessons())))
    return tuple((what, count) for what, count in found if count)


def searched(words: str, among: Iterable[StartCard]) -> tuple[StartCard, ...]:
    """Those in which every word occurs, where a title begins with the first one before the others."""
    wanted = words.casefold().split()
    if not wanted:
        return ()

    def said(each: StartCard) -> str:
        return " ".join((translated(each.title), translated(each.line), translated(each.group), translated(each.kind),
                         *((each.state.model, each.state.sample) if each.state is not None and not each.lesson
                           else ()))).casefold()

    found = [each for each in among if all(word in said(each) for word in wanted)]
    return tuple(sorted(found, key=lambda each: (not all(word in translated(each.title).casefold() for word in wanted),
                                                 not translated(each.title).casefold().startswith(wanted[0]))))


# --- where a card leads ---------------------------------------------------------------------------------------------

def opened(name: str, known: card.Card) -> State:
    """A network on its first input, in the view in which it is seen first."""
    first = known.samples[:1]
    return changed(State(), recipe=ModelRecipe(name, first), view=known.view)


def entered(now: State, wanted: State) -> State:
    """To the place of a card, with size, theme and type as they are."""
    here = now.look

    def dressed(place: Any) -> Any:
        return replace(place, look=replace(place.look, size=here.size, theme=here.theme, language=here.language,
                                           text_scale=here.text_scale, reduced_motion=here.reduced_motion))

    first = dressed(wanted.place)
    state = changed(now, recipe=first.recipe, view=first.view, at=first.at, focus=first.focus, look=first.look,
                    reel=first.reel, playing=False)
    return replace(state, places=tuple(map(dressed, wanted.places)), active=wanted.active, compare=wanted.compare,
                   alone=wanted.alone, brought=wanted.brought)


def recipes(state: State) -> tuple[Recipe, ...]:
    """All recordings that the picture of a State needs."""
    return tuple(dict.fromkeys(recipe for place in state.places
                               for recipe in reeled(place.recipe, place.reel) or (place.recipe,)))


def sample_title(sample: Sample) -> str:
    """`Digit 2148`, `wherefore art thou`."""
    return titles.of(sample)


def can_open(state: State) -> bool:
    """Whether all that a place shows can be had here."""
    try:
        return all(isinstance(recipe, LabRecipe) or door.can_run(recipe.model) for recipe in recipes(state))
    except Refused:
        return False
