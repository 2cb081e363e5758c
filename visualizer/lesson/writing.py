"""A lesson as its text: what `reading` reads gives the same lesson again. And the steps of what somebody has done: each
place one came to is a step, whose words are written afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from visualizer import card, claims, edits, lab, registry
from visualizer.language import tr
from visualizer.lesson import ANSWERED, FORMAT, LESSON, Lesson, Shown, Step, bare, shelf, written
from visualizer.lesson.reading import COMPARE, NOTES, QUESTION, REVEAL, Problem, read
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import Place, State

USUAL_TOUCH = Step("").touch


def text_of(lesson: Lesson) -> str:
    """The whole file."""
    front = {"format": str(FORMAT), "language": lesson.language or "en",
             "kind": "" if lesson.genre == LESSON else lesson.genre, "title": lesson.title,
             "number": str(lesson.number or ""), "time": _time(lesson.seconds), "goal": lesson.goal,
             "chapter": lesson.chapter}
    head = "\n".join(f"{name}: {word}" for name, word in front.items() if word)
    return "\n\n".join((f"---\n{head}\n---", *_words(lesson.text), *map(step_text, lesson.steps))) + "\n"


def step_text(step: Step) -> str:
    """One step, from its heading on."""
    fields = dict(_fields(step))
    said = "\n".join(f"- {name}: {word}" for name, word in fields.items())
    return "\n\n".join(part for part in (f"## {step.title}", said, body_of(step)) if part)


def body_of(step: Step) -> str:
    """What of a step is written by hand: its words, and the parts below; nothing of one that another lesson has."""
    if step.borrowed[0]:
        return ""
    parts = [*_words(step.text)]
    if step.question is not None:
        boxes = []
        for answer in step.question.answers:
            boxes.append(f"- [{'x' if answer.right else ' '}] {answer.words}")
            if answer.said:
                boxes.append(f"  {answer.said}")
        parts += ["### Question", step.question.words, "\n".join(boxes)]
    if step.reveal or step.revealed != step.shown:
        own = dict(_shown(step.revealed)) if step.revealed != step.shown else {}
        parts.append("### Reveal")
        if own:
            parts.append("\n".join(f"- {name}: {word}" for name, word in own.items()))
        parts += _words(step.reveal)
    if step.quantities:
        rows = [f"| {each.name} | `{each.words}` | {claims.written(each.expected)} |" for each in step.quantities]
        parts += ["### Measured", "\n".join(("| number | measure | expected |", "|---|---|---|", *rows))]
    if step.decides:
        parts += ["### Decides", "\n".join(f"- {each}" for each in step.decides)]
    if step.notes:
        parts += ["### Notes", "\n\n".join(_words(step.notes.split("\n")))]
    return "\n\n".join(parts)


def _words(paragraphs: Iterable[str]) -> list[str]:
    return [re.sub(r"^• ", "- ", each) for each in paragraphs if each]


def _time(seconds: int) -> str:
    return "" if not seconds else f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


# --- fields ---------------------------------------------------------------------------------------------------------

def _fields(step: Step) -> Iterator[tuple[str, str]]:
    if step.borrowed[0]:
        yield "from", f"{step.borrowed[0]} {step.borrowed[1]}"
    elif step.shown.places:
        yield from _shown(step.shown)
    else:
        yield "show", "nothing"
    if step.touch != USUAL_TOUCH and not step.borrowed[0]:
        yield "touch", ", ".join(step.touch)
    usual = ((ANSWERED, ""),) if step.question is not None else ()
    if step.done != usual:
        yield "done", " and ".join(f"{name}={word}" if word else name for name, word in step.done) or "nothing"
    if step.seconds:
        yield "time", _time(step.seconds)
    if step.claim and not step.borrowed[0]:
        yield "claim", step.claim


def _shown(shown: Shown) -> Iterator[tuple[str, str]]:
    """The fields of what is seen; those of a comparison are those of its first place."""
    if not shown.places:
        yield "show", "nothing"
        return
    place = shown.places[0]
    yield "model", ", ".join(_model(each.recipe.name) for each in shown.places)
    if isinstance(place.recipe, ModelRecipe):
        if place.recipe.sample:
            yield "input", _beside(place.recipe.sample)
        given, network = edits.those(place.recipe.edits, edits.INPUT), [
            words for words in place.recipe.edits if words not in edits.those(place.recipe.edits, edits.INPUT)]
        if given:
            yield "what-if", " ".join(words.replace(":", "=", 1) for words in given)
        if network:
            yield "edit", " ".join(words.replace(":", "=", 1) for words in network)
        if place.recipe.objective != "loss":
            yield "objective", place.recipe.objective
    usual = all(each.view == _usual(each) for each in shown.places)
    yield "view", COMPARE if shown.compare and usual else place.view
    if shown.compare:
        yield "compare", shown.compare
    if place.at:
        yield "at", place.at
    if focus := written(place):
        yield "focus", focus
    if knobs := _knobs(place):
        yield "knobs", ", ".join(f"{name}={word}" for name, word in knobs)
    if place.reel:
        yield "reel", ", ".join(place.reel)
    if place.over:
        yield "over", place.over


def _usual(place: Place) -> str:
    if not isinstance(place.recipe, ModelRecipe):
        return lab.view_of(place.recipe.settings[0])
    return card.bundled(place.recipe.model).view if registry.is_bundled(place.recipe.model) else "network"


def _knobs(place: Place) -> list[tuple[str, str]]:
    if not isinstance(place.recipe, ModelRecipe):
        return list(place.recipe.words.items())
    own = list(place.look.knobs)
    if place.look.scope != "layer":
        own.append(("scope", place.look.scope))
    return [*own, *([("signs", "on")] if place.look.signs else [])]


def _model(name: str) -> str:
    """A model as a lesson names it: one of the app's, or a file beside the lesson."""
    return _beside(name) if Path(name).is_absolute() else name


def _beside(name: str) -> str:
    return Path(name).name if Path(name).is_absolute() else name


# --- of what somebody has done --------------------------------------------------------------------------------------

def step_of(state: State, words: str = "") -> Step:
    """A step that shows where one stands; `words` are what it says until others are written."""
    places = tuple(replace(place, look=replace(place.look, size=(0, 0))) for place in state.places)
    shown = Shown(places, state.compare)
    return Step("", (words,) if words else (), shown, shown)


def with_place(steps: Sequence[Step], state: State, words: str = "") -> tuple[Step, ...]:
    """What one came to, behind the steps so far: another network, input, view or change is a step of its own; another
    moment or another thing that is looked at belongs to the last one."""
    found = step_of(state, words)
    if steps and _whole(steps[-1]) == _whole(found):
        return (*steps[:-1], replace(steps[-1], shown=found.shown, revealed=found.shown, text=found.text))
    return (*steps, found)


def _whole(step: Step) -> tuple[object, ...]:
    return step.shown.compare, tuple((place.recipe, place.view, place.reel) for place in step.shown.places)


def titled(step: Step, number: int) -> str:
    """What a recorded step is called until somebody calls it otherwise: by what its words say first."""
    said = bare(step.text[0]).split(". ")[0].rstrip(".") if step.text else ""
    return said if 0 < len(said) <= 48 else tr("Step {number}").format(number=number)


def noted(text: str, notes: Mapping[int, str]) -> str:
    """The text of a lesson with notes at its steps, counted from 0, below those that they have; all else as it was."""
    lines = text.split("\n")
    starts = [place for place, line in enumerate(lines) if re.match(r"## +\S", line)]
    for index in sorted(notes, reverse=True):
        end = starts[index + 1] if index + 1 < len(starts) else len(lines)
        head = next((place for place in range(starts[index] + 1, end) if re.fullmatch("### +Notes *#*", lines[place])),
                    None)
        if head is not None:
            end = next((place for place in range(head + 1, end) if re.match("#+ ", lines[place])), end)
        block = "\n".join(lines[:end]).rstrip().split("\n")
        heading = [] if head is not None else ["", f"### {NOTES}"]
        lines = [*block, *heading, "", *notes[index].strip().split("\n"), "", *lines[end:]]
    return "\n".join(lines).rstrip() + "\n"


def file_name(title: str) -> str:
    """`strength-without-place.md`."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"{plain or 'lesson'}.md"


def path_in(language: str, folder: Path, name: str) -> Path:
    """The file of a lesson in a language: `NAME.CODE.md` where it translates the one in `NAME.md`, else that itself."""
    own = folder / f"{name}.md"
    found, _ = read(own) if own.is_file() else (None, ())
    translates = found is not None and found.language != language
    return folder / f"{name}.{language or 'en'}.md" if translates else own


def asks(body: str) -> bool:
    """Whether what is written below a step asks something."""
    return re.search(rf"^### +{QUESTION}\b", body, re.MULTILINE) is not None


def checked(title: str, steps: Sequence[tuple[str, str, Step]], path: Path,
            language: str = "") -> tuple[str, tuple[Problem, ...]]:
    """The text of a lesson of recorded steps in a language, and what is wrong with it: nothing, and it can be written
    to `path`. Each step is (title, body as it was written, what it shows before its reveal and with it)."""
    blocks = []
    for number, (name, body, step) in enumerate(steps, 1):
        fields = "\n".join(f"- {field}: {word}" for field, word in _fields(replace(step, question=None, done=())))
        words = _revealing(body.strip(), step)
        blocks.append("\n\n".join(part for part in (f"## {name.strip() or titled(step, number)}", fields, words)
                                  if part))
    front = f"---\nformat: {FORMAT}\nlanguage: {language or 'en'}\ntitle: {title.strip()}\n---"
    text = "\n\n".join((front, *blocks)) + "\n"
    return text, shelf.wrong_with(path, text)


def _revealing(body: str, step: Step) -> str:
    """The body with the place of the reveal at the head of that part, where it is another than that of the step."""
    if step.revealed == step.shown:
        return body
    fields = "\n".join(f"- {field}: {word}" for field, word in _shown(step.revealed))
    return re.sub(rf"^### +{REVEAL} *#*$", lambda heading: f"{heading[0]}\n\n{fields}", body, count=1,
                  flags=re.MULTILINE)
