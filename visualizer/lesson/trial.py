"""Trial: all that a lesson shows is drawn up, and all that it tells is measured; what cannot be is a problem of its
line. Who records and measures is given: the command line does it in its own process, a window asks its engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from visualizer import export, sight, views
from visualizer.claims import Number
from visualizer.language import tr
from visualizer.lesson import Lesson, Step, broken, measured_sentence, written
from visualizer.lesson.reading import Problem
from visualizer.scene.recipe import Recipe, reeled
from visualizer.scene.state import Place
from visualizer.trace import Refused, Trace

Record = Callable[[Recipe], Trace]
Measure = Callable[[str], Number]
RAISED = (Refused, LookupError, ValueError)


def problems(lesson: Lesson, record: Record, measure: Measure) -> tuple[Problem, ...]:
    """What of it cannot be shown, and which numbers are not as expected, in the order of its lines."""
    found = [*_of_places(lesson, record), *_of_numbers(lesson, measure)]
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.line))


def _of_places(lesson: Lesson, record: Record) -> Iterator[Problem]:
    kept: dict[Recipe, Trace | str] = {}
    for step in lesson.steps:
        for place in dict.fromkeys((*step.shown.places, *step.revealed.places)):
            for recipe in (place.recipe, *(reeled(place.recipe, place.reel) if place.reel else ())):
                if recipe not in kept:
                    kept[recipe] = _recorded(recipe, record)
                found = kept[recipe]
                if isinstance(found, str):
                    yield Problem(step.at("input" if "input" in step.lines else "model"), found)
                elif recipe == place.recipe:
                    yield from of_place(step, place, found)


def _recorded(recipe: Recipe, record: Record) -> Trace | str:
    """The recording, or why there is none."""
    try:
        return record(recipe)
    except RAISED as error:
        return _said(error)


def of_place(step: Step, place: Place, trace: Trace) -> Iterator[Problem]:
    """What of a place its recording does not have."""
    view = views.find(place.view)
    if not view.suits(trace):
        yield Problem(step.at("view"), tr("the view {view} has nothing to show of {model}").format(
            view=place.view, model=place.recipe.name))
        return
    for name, tried in (("focus", _focused), ("at", _found)):
        try:
            tried(trace, place)
        except (*RAISED, IndexError) as error:
            yield Problem(step.at(name), _said(error))


def _focused(trace: Trace, place: Place) -> None:
    """Raises LookupError or IndexError where the recording has no such cell."""
    export.parse_focus(trace, written(place))


def _found(trace: Trace, place: Place) -> None:
    """Raises LookupError where the moment is none of the recording; of a reel its own part is looked up."""
    if not place.at:
        return
    at = place.at.partition(":")[2] if place.reel and place.at.partition(":")[0] in place.reel else place.at
    sight.times(trace, place).find(at)


def _of_numbers(lesson: Lesson, measure: Measure) -> Iterator[Problem]:
    numbers: dict[str, Number] = {}
    for index, step in enumerate(lesson.steps):
        for each in step.quantities:
            try:
                if each.words not in numbers:
                    numbers[each.words] = measure(each.words)
            except RAISED as error:
                yield Problem(each.line, _said(error))
                continue
            if not each.met_by(numbers[each.words]):
                yield Problem(each.line, measured_sentence(each, numbers[each.words]).rstrip("."))
        for condition in broken(lesson, index, numbers):
            yield Problem(step.line, tr("the right answer stands on {condition}, which does not hold of what is "
                                        "measured").format(condition=condition))


def _said(error: Exception) -> str:
    found = error.args[0] if isinstance(error, LookupError) and error.args else error
    return str(found).rstrip(".")
