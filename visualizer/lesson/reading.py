"""A lesson from its text: a front matter between two lines of `---`, then one heading `##` a step.

Below the heading stand fields, `- view: microscope`; then the words; then parts under `###`: Question with its answers
as a list of boxes, Reveal, Measured with a table, Decides, Notes. What a step does not say stays as in the one before,
until a model is named. Whatever is wrong is told with its line; a lesson with a problem is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

from visualizer import card, claims, edits, inputs, lab, registry, views
from visualizer.claims import Expected
from visualizer.language import tr
from visualizer.lesson import (
    ALL,
    ANSWERED,
    FORMAT,
    LESSON,
    MOST_ANSWERS,
    NOTHING,
    PLACEHOLDER,
    TITLES,
    TOUCH,
    Answer,
    Lesson,
    Quantity,
    Question,
    Shown,
    Step,
)
from visualizer.scene.picture import Focus, Look
from visualizer.scene.recipe import TRAINING, LabRecipe, ModelRecipe, Recipe, lab_recipe, recipe_of
from visualizer.scene.state import MOST_COMPARED, SHARE, SYNCS, Place
from visualizer.trace import Refused

MOST_BYTES, MOST_LINE, MOST_STEPS = 256 << 10, 4000, 60
"""Of a file, of a line, of a lesson."""
MOST_PROBLEMS = 50
"""So many are told; a file with more is hardly a lesson."""
COMPARE = "compare"
"""The view that stands for a comparison: each network in its own."""
FRONT = ("format", "language", "kind", "title", "number", "time", "goal", "chapter")
PLACE = ("model", "input", "what-if", "edit", "objective", "view", "at", "focus", "knobs", "compare", "reel", "over")
OTHERS = ("show", "touch", "done", "time", "claim", "from")
QUESTION, REVEAL, MEASURED, DECIDES, NOTES = PARTS = ("Question", "Reveal", "Measured", "Decides", "Notes")
SWITCHES = {"scope": ("unit", "layer", "network"), "signs": ("on", "off")}
"""Knobs that every view has: fields of a Look."""
CONDITIONS = ("view", "at", "focus", "input", "what-if", "edit", "model")
"""What a step can wait for, beside an answer and a knob."""
ADDRESS = re.compile(r"(?:\w+:)?[^\s@]+\.[a-z]+(?:\[\d{1,6}\])?(?:\.\w+)?(?:@[\d.]+)?")
FOCUS = re.compile(r"(?P<layer>[^\s:/]+)(?::(?P<cell>\d{1,9}(?:,\d{1,9})*))?(?:/(?P<array>[\w.]+))?")
TIME = re.compile(r"(\d{1,4}) ?(s|min)")
FIELD = re.compile(r"[-*] ([A-Za-z][A-Za-z-]*): ?(.*)")
BOX = re.compile(r"[-*] \[([ xX])\] ?(.*)")
UNSHOWN = re.compile(r"!\[|```|</?[a-zA-Z][^>]*>")
"""What Markdown has beside words: pictures, blocks of code, HTML."""

Line = tuple[int, str]
Fields = dict[str, Line]


@dataclass(frozen=True)
class Problem:
    """What is wrong with a lesson, and on which of its lines."""

    line: int
    words: str
    """One sentence without its full stop."""

    def __str__(self) -> str:
        return tr("line {number}: {words}").format(number=self.line, words=self.words)


class _Problems(list[Problem]):
    """Those that were found so far."""

    def tell(self, line: int, words: str) -> None:
        self.append(Problem(line, words.rstrip(".")))

    @contextmanager
    def at(self, line: int) -> Iterator[None]:
        """What the nouns refuse within the block is a problem of that line."""
        try:
            yield
        except (Refused, LookupError, ValueError) as error:
            self.tell(line, str(error.args[0] if isinstance(error, LookupError) and error.args else error))


def read(path: Path) -> tuple[Lesson | None, tuple[Problem, ...]]:
    """The lesson of a file and what is wrong with it: with a problem there is no lesson. Raises Refused for a file
    that cannot be read at all."""
    if not path.is_file():
        raise Refused(tr("There is no file {path}; check the name.").format(path=path))
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Refused(tr("{name} cannot be read ({why}); choose another file.").format(
            name=path.name, why=error.strerror or error)) from error
    if len(data) > MOST_BYTES:
        return None, (Problem(1, tr("it is longer than {most} KB, and no lesson is").format(most=MOST_BYTES >> 10)),)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[:error.start].count(b"\n") + 1
        return None, (Problem(line, tr("it is no text in UTF-8; save it so")),)
    name, _, language = path.stem.partition(".")
    return parse(name, text, path, language)


def parse(name: str, text: str, path: Path | None = None,
          language: str = "") -> tuple[Lesson | None, tuple[Problem, ...]]:
    """The same from text; `path` is that of the file, beside which models and inputs of its own lie, and `language`
    what its name says of it."""
    problems = _Problems()
    lines = list(enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1))
    for number, line in lines:
        if len(line) > MOST_LINE:
            problems.tell(number, tr("it is longer than {most} letters").format(most=MOST_LINE))
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line):
            problems.tell(number, tr("there is a sign in it that is no letter ({code})").format(
                code=f"U+{ord(bad[0]):04X}"))
    if not problems:
        front, rest = _front(lines, problems)
        if _is_newer(front, problems):
            return None, tuple(problems)
        found = _lesson(name, front, rest, path or Path(), language, problems)
        if not problems:
            return found, ()
    told = dict.fromkeys(sorted(problems, key=lambda each: each.line))  # what several models lack is told once
    return None, tuple(told)[:MOST_PROBLEMS]


# --- in another language ---------------------------------------------------------------------------------------------

def unlike(text: str, own: str, name: str) -> tuple[Problem, ...]:
    """Where a lesson in another language shows, asks or measures something else than the lesson itself, of the file
    `name`: what of both is no words is the same, line by line, but for what the numbers are called."""
    problems, told, like = _Problems(), _without_words(_called_as(own, text)), _without_words(own)
    found = SequenceMatcher(None, [line for _, line in told], [line for _, line in like], autojunk=False)
    for tag, first, end, other, last in found.get_opcodes():
        if tag == "equal":
            continue
        for here, there in zip_longest(told[first:end], like[other:last]):
            line = here[0] if here else told[min(end, len(told)) - 1][0] if told else 1
            problems.tell(line, tr("it says {words}, and {name} says {other}").format(
                words=repr(here[1]) if here else tr("nothing"), other=repr(there[1]) if there else tr("nothing"),
                name=name))
    return tuple(problems)[:MOST_PROBLEMS]


ROW = re.compile(r"^\| *([^|`]+?) *\| *`", re.MULTILINE)
"""A row of a table of numbers, up to its measure: what the number is called."""


def _called_as(own: str, text: str) -> str:
    """The text with its numbers called as those of the lesson itself are, row by row."""
    called = dict(zip(ROW.findall(text), ROW.findall(own), strict=False))
    return re.sub(r"(?<=\{)[^{}]*(?=\})|(?<=`)[^`\n]*(?=`)|(?<=^\| )[^|`\n]*(?= \| `)",
                  lambda name: called.get(name[0], name[0]), text, flags=re.MULTILINE)


WORDED = ("language", "title", "goal", "chapter")
"""Of the front matter, what is in the language."""


def _without_words(text: str) -> list[Line]:
    """The lines that are no words: fields, headings of parts, rows of tables, which answer is right, which numbers a
    part tells."""
    found: list[Line] = []
    names: dict[int, list[str]] = {}
    part, opened, rules = "", 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        rules += bare == "---"
        if rules < 2:
            if bare.partition(":")[0] not in WORDED:
                found.append((number, bare))
        elif heading := re.fullmatch(r"(#+) +(.*)", line):
            part, opened = heading[2] if heading[1] == "###" else "", number
            found.append((number, f"{heading[1]} {part}".strip()))
        elif part == QUESTION and (box := BOX.fullmatch(line)):
            found.append((number, f"- [{box[1].lower()}]"))
        elif part in (MEASURED, DECIDES) or (part in ("", REVEAL) and FIELD.fullmatch(line)):
            found += [(number, bare)] if bare else []
        else:
            names.setdefault(opened, []).extend(PLACEHOLDER.findall(line))
    found += [(line, ", ".join(f"{{{name}}}" for name in sorted(those))) for line, those in names.items() if those]
    return sorted(found, key=lambda each: each[0])


# --- the front matter -----------------------------------------------------------------------------------------------

def _front(lines: list[Line], problems: _Problems) -> tuple[Fields, list[Line]]:
    """Its fields, and the lines below it."""
    if not lines or lines[0][1].strip() != "---":
        problems.tell(1, tr("it does not begin with a front matter between two lines of ---"))
        return {}, []
    end = next((place for place, (_, line) in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    if not end:
        problems.tell(1, tr("its front matter has no end, a line of ---"))
        return {}, []
    found: Fields = {}
    for number, line in lines[1:end]:
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not line.strip():
            continue
        if not colon or key not in FRONT:
            problems.tell(number, tr("{words} is none of {known}, followed by a colon").format(
                words=repr(line[:40]), known=", ".join(FRONT)))
        elif key in found:
            problems.tell(number, tr("{name} is said twice").format(name=key))
        else:
            found[key] = number, value.strip()
    return found, lines[end + 1:]


def _is_newer(front: Fields, problems: _Problems) -> bool:
    """Whether it was written for a newer app, of which nothing else can be judged."""
    line, word = front.get("format", (1, str(FORMAT)))
    if not word.isdecimal() or not int(word):
        problems.tell(line, tr("the format is {word}, and no number such as {own}").format(word=repr(word), own=FORMAT))
    elif int(word) > FORMAT:
        problems.clear()
        problems.tell(line, tr("it was written for a newer Visualizer (lesson format {format}, this one reads {own}); "
                               "update the app to open it").format(format=word, own=FORMAT))
        return True
    return False


def _lesson(name: str, front: Fields, lines: list[Line], path: Path, language: str, problems: _Problems) -> Lesson:
    if not front.get("title", (1, ""))[1] and not problems:
        problems.tell(1, tr("the front matter lacks {name}").format(name="title"))
    line, kind = front.get("kind", (1, LESSON))
    if kind not in TITLES:
        problems.tell(line, tr("the kind is {word}, and none of {known}").format(
            word=repr(kind), known=", ".join(TITLES)))
    line, code = front.get("language", (1, language or "en"))
    if not re.fullmatch("[a-z]{2,3}", code):
        problems.tell(line, tr("the language is {word}, and no code such as en or de").format(word=repr(code)))
    elif language and code != language:
        problems.tell(line, tr("it says {word}, and the name of its file says {other}").format(
            word=code, other=language))
    line, word = front.get("number", (1, "0"))
    if not word.isdecimal() or len(word) > 3:
        problems.tell(line, tr("the number is {word}, and none from 1 to 999").format(word=repr(word)))
        word = "0"
    opening, blocks = _blocks(lines, problems)
    found = Lesson(name, front.get("title", (1, ""))[1], _steps(blocks, path.parent, problems), kind,
                   "" if code == "en" else code, int(word), _seconds(front.get("time"), problems),
                   front.get("goal", (1, ""))[1], front.get("chapter", (1, ""))[1],
                   _paragraphs(opening, problems), path)
    if not found.steps and not problems:
        problems.tell(len(lines) + 1, tr("it has no step; one begins with ## and its title"))
    return found


def _seconds(field: Line | None, problems: _Problems) -> int:
    if field is None:
        return 0
    found = TIME.fullmatch(field[1])
    if found is None:
        problems.tell(field[0], tr("{word} is no time such as 20 s or 10 min").format(word=repr(field[1])))
        return 0
    return int(found[1]) * (60 if found[2] == "min" else 1)


# --- steps ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Block:
    """One step as it is written."""

    title: str
    line: int
    own: list[Line]
    """Its fields and words."""
    below: dict[str, tuple[int, list[Line]]]
    """What stands under each `###`, and the line of that."""


def _blocks(lines: list[Line], problems: _Problems) -> tuple[list[Line], list[_Block]]:
    opening: list[Line] = []
    blocks: list[_Block] = []
    here = opening
    for number, line in lines:
        heading = re.fullmatch(r"(#+) +(.*?) *#*", line)
        if heading is None:
            here.append((number, line))
            continue
        level, title = len(heading[1]), heading[2]
        if level == 2 and title:
            blocks.append(_Block(title, number, here := [], {}))
        elif level == 3 and blocks and title in PARTS:
            if title in blocks[-1].below:
                problems.tell(number, tr("{name} is said twice").format(name=title))
            here = []
            blocks[-1].below[title] = number, here
        elif level == 3:
            problems.tell(number, tr("{words} is none of the headings {known} of a step").format(
                words=repr(title), known=", ".join(PARTS)))
            here = []
        else:
            problems.tell(number, tr("a step begins with ## and its title, a part of it with ###"))
            here = []
    return opening, blocks


def _steps(blocks: list[_Block], folder: Path, problems: _Problems) -> tuple[Step, ...]:
    if len(blocks) > MOST_STEPS:
        problems.tell(blocks[MOST_STEPS].line, tr("a lesson has at most {most} steps").format(most=MOST_STEPS))
    found: list[Step] = []
    place: Fields = {}
    known: dict[str, int] = {}
    for block in blocks[:MOST_STEPS]:
        fields, words = _fields(block.own, (*PLACE, *OTHERS), problems)
        place = _carried(place, fields)
        found.append(_step(block, place, fields, words, folder, known, problems))
    return tuple(found)


def _carried(before: Fields, own: Fields) -> Fields:
    """The fields of a place, with those that stay from the step before; a model begins anew."""
    kept = {} if "model" in own or "show" in own else before
    return kept | {name: field for name, field in own.items() if name in PLACE}


def _fields(lines: Sequence[Line], known: Sequence[str], problems: _Problems) -> tuple[Fields, list[Line]]:
    """The fields at the top, and what stands below them."""
    found: Fields = {}
    for place, (number, line) in enumerate(lines):
        if not line.strip():
            continue
        field = FIELD.fullmatch(line.strip())
        if field is None:
            return found, list(lines[place:])
        name = field[1].lower()
        if name not in known:
            problems.tell(number, tr("{name} is none of {known}").format(name=repr(name), known=", ".join(known)))
        elif name in found:
            problems.tell(number, tr("{name} is said twice").format(name=name))
        found[name] = number, field[2].strip()
    return found, []


def _step(block: _Block, place: Fields, own: Fields, words: list[Line], folder: Path, known: dict[str, int],
          problems: _Problems) -> Step:
    shown = _shown(place, folder, block.line, problems)
    revealed, reveal = shown, tuple[str, ...]()
    if REVEAL in block.below:
        others, rest = _fields(block.below[REVEAL][1], PLACE, problems)
        reveal = _paragraphs(rest, problems)
        if others:
            revealed = _shown(_carried(place, others), folder, block.line, problems)
    quantities = _quantities(*block.below.get(MEASURED, (0, [])), problems)
    for each in quantities:
        if each.name in known:
            problems.tell(each.line, tr("{name} is measured on line {line} already").format(
                name=repr(each.name), line=known[each.name]))
        known[each.name] = each.line
    question = _question(*block.below[QUESTION], problems) if QUESTION in block.below else None
    for number, line in (*words, *(each for _, lines in block.below.values() for each in lines)):
        for name in PLACEHOLDER.findall(line):
            if name not in known:
                problems.tell(number, tr("nothing is measured under the name {name}").format(name=repr(name)))
        if set(PLACEHOLDER.sub("", line)) & {*"{}"}:
            problems.tell(number, tr("a curly bracket stands around the name of a number, and nowhere else"))
    if question is not None and not reveal:
        problems.tell(block.below[QUESTION][0], tr("a question needs a ### Reveal with what was found"))
    step = Step(block.title, _paragraphs(words, problems), shown, revealed, question=question, reveal=reveal,
                quantities=quantities, decides=_decides(*block.below.get(DECIDES, (0, [])), {*known}, problems),
                notes="\n".join(_paragraphs(block.below.get(NOTES, (0, []))[1], problems)),
                seconds=_seconds(own.get("time"), problems), line=block.line,
                lines={name: line for name, (line, _) in {**place, **own}.items()})
    return _with_fields(step, own, problems)


def _with_fields(step: Step, own: Fields, problems: _Problems) -> Step:
    """The step with what its fields say beside its place."""
    line, word = own.get("touch", (0, ""))
    if word:
        knobs = {name for place in step.shown.places for name in _knobs_of(place)}
        for each in (touch := _listed(word)):
            if each not in (*TOUCH, ALL, NOTHING, *knobs):
                problems.tell(line, tr("{name} is nothing that can be touched here; that are {known}").format(
                    name=repr(each), known=", ".join((*TOUCH, ALL, NOTHING, *sorted(knobs)))))
        step = replace(step, touch=touch)
    line, word = own.get("done", (0, ANSWERED if step.question else NOTHING))
    step = replace(step, done=_done(word, line, step, problems))
    line, word = own.get("claim", (0, ""))
    if word:
        with problems.at(line):
            step = replace(step, claim=claims.find(word).name)
    line, word = own.get("show", (0, NOTHING))
    if word != NOTHING:
        problems.tell(line, tr("a step shows a model, or says show: nothing"))
    line, word = own.get("from", (0, ""))
    if word:
        lesson, _, number = word.partition(" ")
        if not number.isdecimal() or not int(number) or len(number) > 3:
            problems.tell(line, tr("{word} names no question; write a lesson and the number of its step, pooling 4"
                                   ).format(word=repr(word)))
        else:
            step = replace(step, borrowed=(lesson, int(number)), done=((ANSWERED, ""),))
    return step


def _done(word: str, line: int, step: Step, problems: _Problems) -> tuple[tuple[str, str], ...]:
    """What completes a step: `answer`, `nothing`, or `view=microscope and focus=conv2`."""
    if word == NOTHING:
        return ()
    found: list[tuple[str, str]] = []
    knobs = {name for place in step.shown.places for name in _knobs_of(place)}
    for part in word.split(" and "):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name == ANSWERED and not equals:
            if step.question is None:
                problems.tell(line, tr("it waits for an answer, and nothing is asked"))
            found.append((ANSWERED, ""))
        elif not equals or not value or name not in (*CONDITIONS, *knobs):
            problems.tell(line, tr("{word} completes nothing; write answer, nothing, or conditions on {known}, such as "
                                   "view=microscope and focus=conv2").format(
                word=repr(part.strip()), known=", ".join((*CONDITIONS, *sorted(knobs)))))
        else:
            found.append((name, value))
    return tuple(found)


def _knobs_of(place: Place) -> tuple[str, ...]:
    """The names of all that can be turned in a place."""
    if not isinstance(place.recipe, ModelRecipe):
        wanted = place.recipe.settings[0]
        return tuple(knob.name for knob in lab.knobs() if knob.experiment in ("", wanted.experiment))
    return tuple(name for name, _ in views.find(place.view).knobs)


# --- what is shown --------------------------------------------------------------------------------------------------

def _shown(fields: Fields, folder: Path, line: int, problems: _Problems) -> Shown:
    """The places that these fields name."""
    if "model" not in fields:
        for name, (at, _) in fields.items():
            problems.tell(at, tr("{name} is said of no model").format(name=name))
        return Shown()
    at, word = fields["model"]
    names = _listed(word)
    if not 1 <= len(names) <= MOST_COMPARED:
        problems.tell(at, tr("up to {most} models stand beside each other").format(most=MOST_COMPARED))
        return Shown()
    models = [_model(name, at, folder, problems) for name in names]
    recipes = [_recipe(model, fields, folder, problems) for model in models]
    places = [_place(recipe, fields, problems) for recipe in recipes]  # with a problem too, so that all are told
    compares = fields.get("view", (0, ""))[1] == COMPARE or "compare" in fields
    at, sync = fields.get("compare", fields.get("view", (line, SHARE)))
    sync = SHARE if sync == COMPARE or "compare" not in fields else sync
    if compares and (len(places) < 2 or sync not in SYNCS):
        problems.tell(at, tr("a comparison needs two models or more, in step by {known}").format(
            known=", ".join(SYNCS)))
    return Shown(tuple(places), sync if compares else "")


def _model(name: str, line: int, folder: Path, problems: _Problems) -> str:
    """A model as a State names it; empty where there is none."""
    if isinstance(recipe_of(name), LabRecipe) or registry.is_bundled(name):
        return name
    if Path(name).suffix and (beside := _beside(folder, name)):
        return beside
    problems.tell(line, tr("there is no model {name}; name one of `visualizer list models`, or a file beside the "
                           "lesson").format(name=repr(name)))
    return ""


def _beside(folder: Path, name: str) -> str:
    """The path of a file in the folder of the lesson, or below it; empty for any other."""
    try:
        path = (folder / name).resolve()
        return str(path) if path.is_file() and path.is_relative_to(folder.resolve()) else ""
    except (OSError, ValueError, RuntimeError):
        return ""


def _recipe(model: str, fields: Fields, folder: Path, problems: _Problems) -> Recipe:
    """What makes the recording of one model."""
    if isinstance(recipe_of(model), LabRecipe):
        line, word = fields.get("knobs", (0, ""))
        given = _pairs(word, line, problems)
        for name in given:
            if name not in lab.names():
                problems.tell(line, tr("the laboratory has no knob {name}; it has {known}").format(
                    name=repr(name), known=", ".join(each.name for each in lab.knobs())))
                return lab_recipe({})
        with problems.at(line):
            lab.of_look(given)
            wanted = lab.from_knobs({name: each for name, each in given.items() if name != lab.AGAINST})
            return lab_recipe({"experiment": wanted.experiment, **given})
        return lab_recipe({})
    done: list[str] = []
    for name, read in (("what-if", edits.what_if), ("edit", _edit)):
        line, word = fields.get(name, (0, ""))
        for words in word.split():
            with problems.at(line):
                done.append(read(words))
    line, sample = fields.get("input", (0, ""))
    if sample and (beside := _beside(folder, sample)):
        sample = beside
    elif Path(sample).is_absolute() or ".." in Path(sample).parts:
        problems.tell(line, tr("{name} does not lie beside the lesson").format(name=repr(sample)))
        sample = ""
    if registry.is_bundled(model):
        with problems.at(line or fields["model"][0]):
            known = card.bundled(model)
            inputs.given(sample, known.kind or inputs.kinds()[0].name, known.title, {**known.facts,
                                                                                     "labels": known.labels})
    return ModelRecipe(model, (sample,) if sample else (), fields.get("objective", (0, "loss"))[1], tuple(done))


def _edit(words: str) -> str:
    """An edit of a network as a recipe writes it."""
    name, equals, rest = words.partition("=")
    edit, arguments = edits.parse(f"{name}:{rest}" if equals else words)
    return edit.write(arguments) if edit.applies_to == edits.INPUT else words.replace("=", ":", 1)


def _place(recipe: Recipe, fields: Fields, problems: _Problems) -> Place:
    """A recipe, and how it is looked at."""
    line, view = fields.get("view", (0, ""))
    usual = lab.view_of(recipe.settings[0]) if not isinstance(recipe, ModelRecipe) else \
        card.bundled(recipe.model).view if registry.is_bundled(recipe.model) else "network"
    wanted, view = usual if view in ("", COMPARE) else view, usual
    with problems.at(line):
        view = views.find(wanted).name
    line, at = fields.get("at", (0, ""))
    if at and not ADDRESS.fullmatch(at):
        problems.tell(line, tr("{word} is no moment such as conv2.forward, conv2.backward or lstm.forward[12]").format(
            word=repr(at)))
    if not at and not isinstance(recipe, ModelRecipe):
        at = lab.start_of(recipe.settings[0])
    line, reel = fields.get("reel", (0, ""))
    if reel and tuple(_listed(reel)) != TRAINING:
        problems.tell(line, tr("a reel goes from before to after; write {words}").format(words=", ".join(TRAINING)))
    return Place(recipe, view, at, _focus(*fields.get("focus", (0, "")), problems), _look(recipe, view, fields,
                                                                                         problems),
                 TRAINING if reel else (), fields.get("over", (0, ""))[1])


def _focus(line: int, word: str, problems: _Problems) -> Focus | None:
    """`conv2:7,3,5`, `conv2`, `conv2:7/weight`."""
    if not word:
        return None
    found = FOCUS.fullmatch(word)
    if found is None:
        problems.tell(line, tr("{word} is no place such as conv2, conv2:7,3,5 or lstm:3/inner.forget").format(
            word=repr(word)))
        return None
    cell = tuple(map(int, found["cell"].split(","))) if found["cell"] else ()
    return Focus(found["layer"], cell, found["array"] or "output")


def _look(recipe: Recipe, view: str, fields: Fields, problems: _Problems) -> Look:
    """The knobs of a view; those of the laboratory are in its recipe."""
    line, word = fields.get("knobs", (0, ""))
    if not word or not isinstance(recipe, ModelRecipe):
        return Look()
    given = _pairs(word, line, problems)
    found = next((each for each in views.all_views() if each.name == view), None)
    known = {**dict(found.knobs if found else ()), **SWITCHES}
    for name, value in given.items():
        if name not in known:
            problems.tell(line, tr("the view {view} has no knob {name}; it has {known}").format(
                view=view, name=repr(name), known=", ".join(known)))
        elif value not in SWITCHES[name] if name in SWITCHES else found is not None and not found.takes(name, value):
            problems.tell(line, tr("the knob {name} cannot be {word}; choose one of {known}").format(
                name=name, word=repr(value), known=", ".join(known[name])))
    own = {name: value for name, value in given.items() if name not in SWITCHES}
    return Look(knobs=tuple(sorted(own.items())), scope=given.get("scope", "layer"), signs=given.get("signs") == "on")


def _pairs(word: str, line: int, problems: _Problems) -> dict[str, str]:
    """`gain=0.9, input=0.1`."""
    found: dict[str, str] = {}
    for part in _listed(word):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals or not value:
            problems.tell(line, tr("{word} sets nothing; write for example ranking=mean").format(word=repr(part)))
        else:
            found[name] = value
    return found


def _listed(word: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in word.split(",") if part.strip())


# --- words, questions, numbers --------------------------------------------------------------------------------------

def _paragraphs(lines: Iterable[Line], problems: _Problems) -> tuple[str, ...]:
    """Paragraphs in the markup of `picture.rich`; an item of a list is one of its own."""
    found: list[list[str]] = [[]]
    for number, line in lines:
        words = line.strip()
        if UNSHOWN.search(words):
            problems.tell(number, tr("pictures, code blocks and HTML are not shown; a step has words alone"))
        item = re.fullmatch(r"(?:[-*]|\d{1,2}[.)]) +(.*)", words)
        if not words or item:
            found.append([])
        if words:
            found[-1].append(f"• {item[1]}" if item else words.removeprefix("> "))
    return tuple(_marked(" ".join(words)) for words in found if words)


def _marked(text: str) -> str:
    """Markdown as `picture.rich` writes it: a link is its words, `*so*` and `__so__` are `_so_` and `**so**`."""
    text = re.sub(r"\[([^\]]+)\]\([^)\s]*\)", r"\1", text)
    text = re.sub(r"(?<![\w*\\])\*(?![*\s])([^*]+)(?<!\s)\*(?![\w*])", r"_\1_", text)
    return re.sub(r"(?<!\w)__([^_]+)__(?!\w)", r"**\1**", text)


def _question(line: int, lines: list[Line], problems: _Problems) -> Question | None:
    """What is asked, then a box an answer: `- [x] about 40 %`; what is said of one stands indented below it."""
    words: list[Line] = []
    boxes: list[tuple[int, bool, str, list[Line]]] = []
    for number, text in lines:
        box = BOX.fullmatch(text)
        if box:
            boxes.append((number, box[1] != " ", _marked(box[2].strip()), []))
        elif boxes and text.strip() and text[0] in " \t":
            boxes[-1][3].append((number, text))
        elif boxes and text.strip():
            problems.tell(number, tr("{words} belongs to no answer; indent it below one, which begins with - [ ]"
                                     ).format(words=repr(text[:40])))
        else:
            words.append((number, text))
    asked = " ".join(_paragraphs(words, problems))
    if not asked:
        problems.tell(line, tr("nothing is asked"))
    if not 2 <= len(boxes) <= MOST_ANSWERS:
        problems.tell(line, tr("a question has 2 to {most} answers, each a line that begins with - [ ], and this one "
                               "has {count}").format(most=MOST_ANSWERS, count=len(boxes)))
    if sum(right for _, right, _, _ in boxes) != 1:
        problems.tell(line, tr("one answer is the right one, marked by - [x]"))
    seen: set[str] = set()
    for number, _, said, _ in boxes:
        if not said or said in seen:
            problems.tell(number, tr("every answer has words of its own"))
        seen.add(said)
    return Question(asked, tuple(Answer(said, right, " ".join(_paragraphs(more, problems)))
                                 for _, right, said, more in boxes))


def _quantities(line: int, lines: list[Line], problems: _Problems) -> tuple[Quantity, ...]:
    """The rows of the table below its heading and its rule."""
    rows = [(number, [cell.strip() for cell in text.strip().strip("|").split("|")]) for number, text in lines
            if text.strip().startswith("|")]
    for number, text in lines:
        if text.strip() and not text.strip().startswith("|"):
            problems.tell(number, tr("what is measured stands in a table"))
    if line and len(rows) < 3:
        problems.tell(line, tr("the table has no row; it needs a heading, a rule and one row a number"))
    return tuple(found for number, cells in rows[2:] if (found := _quantity(number, cells, problems)))


def _quantity(line: int, cells: list[str], problems: _Problems) -> Quantity | None:
    if len(cells) != 3 or not cells[0] or not cells[1]:
        problems.tell(line, tr("a row has a number, its measure, and what is expected, such as 41 ± 2 %"))
        return None
    name, words, wanted = cells[0], cells[1].strip("`").strip(), cells[2]
    if set(name) & set("{}`"):
        problems.tell(line, tr("{name} has signs in it that mean something else").format(name=repr(name)))
    if words.startswith("claim "):
        return _of_claim(line, name, words, wanted, problems)
    for part in words.split(" / "):
        known = measures()
        if not part.split() or part.split()[0] not in known:
            problems.tell(line, tr("there is no measure {word}; there are {known}").format(
                word=repr(part.split()[0] if part.split() else ""), known=", ".join(known)))
            return None
    with problems.at(line):
        like = claims.expected(wanted)
        if like is None:
            raise ValueError(tr("what is expected is missing, such as 41 ± 2 %"))
        return Quantity(name, words, like, line)
    return None


def _of_claim(line: int, name: str, words: str, wanted: str, problems: _Problems) -> Quantity | None:
    """A number of a claim, `claim pooling change, 2 × 2`, with what that expects where nothing else is said."""
    _, claim, number = (*words.split(" ", 2), "")[:3]
    with problems.at(line):
        rows = claims.find(claim).numbers
        found = next((row for row in rows if row.name == number), None)
        if found is None:
            raise ValueError(tr("the claim {claim} measures no {name}; it has {known}").format(
                claim=claim, name=repr(number), known="; ".join(row.name for row in rows)))
        like = claims.expected(wanted) or found.shipped
        if like is None:
            raise ValueError(tr("what is expected is missing, such as 41 ± 2 %"))
        return Quantity(name, found.words, _tolerant(like) if like is found.shipped else like, line)
    return None


def _tolerant(like: Expected) -> Expected:
    """With as much tolerance as a claim has: so many standard errors, and half of the last digit."""
    unit = 10.0 ** -like.places / (100 if like.share else 1)
    return like if like.most or not like.error else replace(like, error=claims.WITHIN * like.error + unit / 2)


def measures() -> tuple[str, ...]:
    """The names of all measures, those of their files: nothing of them is imported, for they need torch."""
    return tuple(sorted(path.stem for path in (registry.PACKAGE / "record" / "measures").glob("*.py")
                        if not path.stem.startswith("_")))


def _decides(line: int, lines: list[Line], known: set[str], problems: _Problems) -> tuple[str, ...]:
    found: list[str] = []
    for number, text in lines:
        if not text.strip():
            continue
        with problems.at(number):
            condition = text.strip().removeprefix("- ").strip()
            if missing := claims.named(condition) - known:
                raise ValueError(tr("nothing is measured under the name {name}").format(name=repr(min(missing))))
            found.append(condition)
    return tuple(found)


def borrowed(lesson: Lesson, others: Mapping[str, Lesson]) -> tuple[Lesson | None, tuple[Problem, ...]]:
    """The lesson with the steps that it asks from others in their places."""
    problems, steps = _Problems(), list[Step]()
    for step in lesson.steps:
        name, number = step.borrowed
        if not name:
            steps.append(step)
            continue
        other = others.get(name)
        if other is None or not 1 <= number <= len(other.steps) or other.steps[number - 1].question is None:
            problems.tell(step.at("from"), tr("there is no question {word}; name a lesson and the number of a step "
                                              "that asks").format(word=repr(f"{name} {number}")))
            continue
        kept: dict[str, Any] = {"borrowed": step.borrowed, "line": step.line, "lines": step.lines,
                                "seconds": step.seconds, "title": step.title}
        steps.append(replace(other.steps[number - 1], quantities=_all_named(other, number - 1), **kept))
    return (None, tuple(problems)) if problems else (replace(lesson, steps=tuple(steps)), ())


def _all_named(lesson: Lesson, index: int) -> tuple[Quantity, ...]:
    """The quantities of a step, with those of earlier ones that it names."""
    step = lesson.steps[index]
    asked = () if step.question is None else (
        step.question.words, *(f"{answer.words} {answer.said}" for answer in step.question.answers))
    words = " ".join((*step.text, *step.reveal, *asked, *step.decides))
    return tuple(each for each in lesson.known(index) if each in step.quantities or f"{{{each.name}}}" in words
                 or f"`{each.name}`" in words)
