"""The page on which a model file is opened: what was found in it, what it does not say, and what comes of the answers.

Each part is a Picture as wide as it is given and as high as it needs; whoever shows it puts real controls into the
places that are left for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.language import counted_as, tr
from visualizer.scene import colour, numbers
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Run,
    Table,
    Text,
    grouped,
    plain,
    rich,
)
from visualizer.scene.type import elide, plain_lines, width, wrap

Box = tuple[float, float, float, float]
"""x, y, width, height."""
STEPS = FILE, ARCHITECTURE, INPUT, LABELS, OPEN = "file", "architecture", "input", "labels", "open"
"""The five steps of opening a file, in their order."""
DONE, ASKED, WAITING, WRONG = "done", "asked", "waiting", "wrong"
"""How far one has come with a step."""
ROW, HEAD = 25.0, 30.0
"""Heights of an operation, and of a heading."""
MOST_ROWS = 300
"""So many operations are listed; of more it is said how many there are."""
FITS = 23
"""So many operations are seen at once; of a longer list the groups are folded."""
TITLES = 104.0
"""Width of the titles beside the controls."""
CONTROL, LINE = 36.0, 42.0
"""Height of a control, and from one row of them to the next."""
TILE, LEAST_HIGH = 96, 20
"""Pixels: the pictures of an input are no larger, and what has a few rows is no lower."""
MOST_CHIPS, MOST_TOKENS = 40, 36
"""So many labels, and so many signs of a text, are shown."""
FIELD, LEAST_FIELD = 250.0, 112.0
"""Widths of what is typed into, at most and at least."""
PADDING, MENU_PADDING = 22, 48
"""What a choice, and a menu, is wider than its words."""
ROWS_OF, LABEL, STEP = "row", "label", "step"
"""The `array` of a focus on a line of the list, on a label, on a step."""
GO, ANOTHER, PROPOSED, MEND = "go", "another", "proposed", "mend"
"""What the one button does: go on, open another file, take what was proposed in the place of what was said, go to the
line of a wiring that does not fit."""
CHOICES, MENU, WORDS, LONG = "choices", "menu", "words", "long"
"""How an answer is given: one of a few, one of many, typed, typed in the whole width."""


# --- what is shown ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Found:
    """One operation, or a group of them."""

    name: str
    says: str = ""
    """What it does, in a few words: `3 × 3, 3 → 16`."""
    shape: tuple[int, ...] = ()
    """What it gives, without the batch."""
    parameters: int = 0
    depth: int = 0
    """In how many groups it lies."""
    is_group: bool = False
    whole: bool = True
    """Whether it can be taken apart; else it is shown only."""
    times: int = 1
    """So many groups of this form follow each other, of which this one stands for all."""
    wrong: str = ""
    """Why it does not fit what comes before it."""


@dataclass(frozen=True)
class Question:
    """Something that the file may not say."""

    name: str
    title: str
    step: str = INPUT
    form: str = CHOICES
    choices: tuple[tuple[str, str], ...] = ()
    """A word for the app, and one for the person."""
    chosen: str = ""
    open: bool = False
    """Whether the file does not say it."""
    answered: bool = False
    """Whether the person has."""
    tip: str = ""
    beside: str = ""
    """What stands behind the control: the numbers that a choice stands for."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One picture of the input on its way into the model."""

    title: str
    values: NDArray[Any]
    """(rows, columns, 3) bytes of a picture in colour, (rows, columns) numbers; or a text."""
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    signed: bool = False
    tokens: tuple[str, ...] = ()
    """What a text is cut into; unknown signs are marked by an empty one."""


@dataclass(frozen=True)
class Opens:
    """A view of what is opened."""

    title: str
    says: str
    opens: bool = True


@dataclass(frozen=True)
class Page:
    """All that the sheet says of one file."""

    name: str
    sentence: str = ""
    """Light markup, as `picture.rich` reads it."""
    found: tuple[Found, ...] = ()
    operations: int = 0
    parameters: int = 0
    questions: tuple[Question, ...] = ()
    wants: str = ""
    """What goes in, in a few words: `one picture, 3 × 32 × 32`."""
    inputs: tuple[str, ...] = ()
    """The names of several inputs; none where there is one."""
    here: int = 0
    """Which of them is asked about."""
    seen: tuple[Seen, ...] = ()
    labels: tuple[str, ...] = ()
    outputs: int = 0
    """How many numbers come out, of which each may have a name; 0 where none can."""
    labelled: str = ""
    """Where the names come from."""
    unnamed: bool = False
    """Whether names are asked for: nobody has said any."""
    apart: tuple[tuple[str, str], ...] = ()
    """What is shown only: its name, and what it does."""
    lines: tuple[tuple[str, str, str], ...] = ()
    """A wiring that is to be edited: each line, what it gives, what is wrong with it."""
    facts: tuple[tuple[str, str], ...] = ()
    checks: tuple[tuple[str, bool], ...] = ()
    opens: tuple[Opens, ...] = ()
    cost: str = ""
    kept: str = ""
    """Where the answers are kept."""
    badge: tuple[str, str] = ("", "")
    runs: bool = False
    """Whether the file is a program."""
    problem: str = ""
    """What stands in the way, and what to do; it takes the place of the sentence."""
    act: str = ""
    """The words of the one button."""
    does: str = GO
    """What it does."""
    can: bool = True
    """Whether that does anything now."""
    busy: str = ""
    """What is under way."""
    folded: frozenset[int] = frozenset()
    """Which of `found` are groups that are folded."""
    chosen: int = -1
    """Which of `found` was clicked."""
    step: str = ""
    """At which step one is."""
    progress: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of each step how far one has come, and a few words."""


@dataclass(frozen=True)
class Laid:
    """A part of the page, and where in it the controls stand."""

    picture: Picture
    places: Mapping[str, Box] = field(default_factory=dict)


# --- what follows from it --------------------------------------------------------------------------------------------

def progress_of(page: Page, size: str, opened: bool = False) -> dict[str, tuple[str, str]]:
    """Of each step how far one has come, and a few words; `size` is that of the file."""
    asked = {step: [each for each in page.questions if each.step == step] for step in STEPS}
    found = {FILE: (DONE, tr("read, {size}").format(size=size)),
             ARCHITECTURE: _step(asked[ARCHITECTURE], tr("{operations} found").format(
                 operations=_operations(page.operations)) if page.operations else tr("nothing found yet"),
                                 bool(page.operations)),
             INPUT: _step(asked[INPUT], tr("the file says it") if page.operations else tr("not known yet"),
                          bool(page.operations)),
             LABELS: (ASKED, tr("names are not known")) if page.unnamed else
             _step(asked[LABELS], (page.labelled or tr("numbers only")) if page.operations else tr("not known yet"),
                   bool(page.operations)),
             OPEN: (DONE if opened else WAITING, tr("one run, one input"))}
    if any(line[2] for line in page.lines) or (page.problem and not page.operations):
        found[ARCHITECTURE] = (WRONG, tr("does not fit yet"))
    return found


def _operations(count: int) -> str:
    return counted_as(count, tr("{count} operation"), tr("{count} operations")).format(count=numbers.count(count))


def _step(asked: Sequence[Question], otherwise: str, known: bool) -> tuple[str, str]:
    missing = sum(each.open and not each.answered for each in asked)
    given = sum(each.open and each.answered for each in asked)
    if missing:
        return ASKED, counted_as(missing, tr("{count} answer proposed"), tr("{count} answers proposed")).format(
            count=missing)
    if given:
        return DONE, counted_as(given, tr("{count} answer given"), tr("{count} answers given")).format(count=given)
    return (DONE if known else WAITING), otherwise


def usual_folds(found: Sequence[Found]) -> frozenset[int]:
    """The groups that are folded at first: none where the list is seen at once, else the innermost first, until it is,
    or all."""
    folded: frozenset[int] = frozenset()
    depths = sorted({each.depth for each in found if each.is_group}, reverse=True)
    for depth in depths:
        if len(shown_of(found, folded)) <= FITS:
            break
        folded |= {index for index, each in enumerate(found) if each.is_group and each.depth == depth}
    return folded


def shown_of(found: Sequence[Found], folded: frozenset[int]) -> list[int]:
    """Which of them are listed: those in no folded group."""
    shown, under = [], math.inf
    for index, each in enumerate(found):
        if each.depth > under:
            continue
        under = each.depth if index in folded else math.inf
        shown.append(index)
    return shown


# --- the list --------------------------------------------------------------------------------------------------------

def found(page: Page, look: Look) -> Laid:
    """What was found in the file: one row an operation; or the lines of a wiring, to be edited."""
    wide = look.size[0]
    if page.lines:
        return _wired(page, look)
    shown = shown_of(page.found, page.folded)
    columns = _columns(wide, [page.found[index] for index in shown[:MOST_ROWS]])
    marks: list[Mark] = [Text(0, 16, plain(tr("What was found")), 14, 600)]
    for at, words, anchor in ((columns[0], tr("operation"), "start"), (columns[2], tr("gives"), "end"),
                              (columns[3], tr("parameters"), "end")):
        if at:
            marks.append(Text(at, 16, plain(words), 12, 400, "ink-2", anchor))
    largest = max((page.found[index].parameters for index in shown if not page.found[index].is_group), default=0)
    side = max((max(each.shape[1:3]) for each in page.found if len(each.shape) == 3), default=1)
    y = HEAD
    for place, index in enumerate(shown[:MOST_ROWS]):
        each = page.found[index]
        following = page.found[shown[place + 1]].depth if place + 1 < len(shown) else -1
        marks += grouped(Group(each.name, Focus(each.name, (index,), ROWS_OF)),
                         _row(page, index, y, wide, columns, largest, side, following))
        y += ROW
    if len(shown) > MOST_ROWS:
        marks.append(Text(16, y + 17, plain(tr("and {count} more, that are not listed").format(
            count=numbers.count(len(shown) - MOST_ROWS))), 12, 400, "ink-2"))
        y += ROW
    if page.found:
        y += 4
        marks += [Line(((0, y), (wide, y)), "hair", 1), Text(16, y + 19, plain(tr("in all")), 13, 600)]
        marks.append(Text(columns[3], y + 19, plain(numbers.count(page.parameters)), 13, 600, anchor="end"))
        y += ROW
    elif not page.problem:
        marks += [Rect(0, y, wide, 120, "hatch", "rule", radius=8),
                  Text(wide / 2, y + 66, plain(page.busy or tr("Nothing was found yet.")), 13, 500, "ink",
                       "middle", wide - 24)]
        y += 128
    said = f"{_operations(page.operations)}, {numbers.parameters(page.parameters)}"
    return Laid(Picture((wide, round(y + 8)), tuple(marks), (), look.theme, caption=said, table=_table(page)))


def _columns(wide: float, rows: Sequence[Found]) -> tuple[float, float, float, float, float]:
    """Where the operation begins, where its small picture, where the shape and the parameters end, where the bar
    begins; 0 for what has no room."""
    bar = wide - 36 if wide >= 500 else 0.0
    ends = wide - (50 if bar else 4)
    shape = ends - (84 if bar else 92)
    drawn = shape - 122 if wide >= 460 else 0.0
    names = max((width(_named(each), 13, 600, mono=True) + 18 * min(each.depth, 4) for each in rows), default=60.0)
    least = width(tr("What was found"), 14, 600) + 14
    return (max(least, min(names + 36, wide * 0.34)) if wide >= 380 else 0.0), drawn, shape, ends, bar


def _named(each: Found) -> str:
    return each.name if each.times == 1 else f"{each.name} × {each.times}"


def _row(page: Page, index: int, y: float, wide: float, columns: tuple[float, ...], largest: int, side: int,
         following: int) -> list[Mark]:
    each, at = page.found[index], Focus(page.found[index].name, (index,), ROWS_OF)
    operation, drawn, shape, ends, bar = columns
    x, middle = 8.0 + 18 * min(each.depth, 4), y + ROW / 2
    marks: list[Mark] = []
    if index == page.chosen:
        marks.append(Rect(0, y, wide, ROW, "tint", radius=6))
    elif not each.whole or each.wrong:
        marks.append(Rect(0, y, wide, ROW, "alarm" if each.wrong else "sunk", radius=6))
    if following >= each.depth and not each.is_group:
        marks.append(Line(((x, middle), (x, middle + ROW)), "hair", 1.5))
    if each.is_group:
        marks.append(_arrow(x, middle, index in page.folded))
    else:
        marks.append(Rect(x - 3.5, middle - 3.5, 7, 7, "accent" if each.whole else "stage",
                          "" if each.whole else "ink-2", 1.5, radius=3.5))
    until = operation or shape - 90
    marks.append(Text(x + 14, middle + 4.5, (Run(_named(each), mono=True),), 13, 600, max_width=until - x - 20,
                      mono=True))
    if operation:
        marks.append(Text(operation, middle + 4.5, plain(each.says), 12, 400, "ink-2",
                          max_width=(drawn or shape - 78) - operation - 6))
    if drawn and each.shape:
        marks += shape_marks(each.shape, drawn, middle, side)
    if each.shape:
        marks.append(Text(shape, middle + 4.5, plain(numbers.shape(each.shape)), 12, 400, "ink", "end",
                          max_width=84 if drawn else 90))
    if not each.whole:
        words = tr("shown only")
        room = width(words, 12, 500) + 22
        right = wide - 4 if bar else ends
        marks += [Rect(right - room, middle - 10, room, 20, "hatch", "rule", radius=5),
                  Rect(right - room + 6, middle - 8, room - 12, 16, "stage", radius=3),
                  Text(right - room / 2, middle + 4, plain(words), 12, 500, "ink", "middle")]
    elif each.parameters:
        marks.append(Text(ends, middle + 4.5, plain(numbers.count(each.parameters)), 13,
                          400 if each.is_group else 600, "ink-2" if each.is_group else "ink", "end"))
        if bar and largest and not each.is_group:
            marks.append(Rect(bar, middle - 3, max(1.5, 34 * each.parameters / largest), 6, "ink-2"))
    tip = each.wrong or _tip(each)
    marks.append(Rect(0, y, wide, ROW, focus=at, tip=tip, radius=6))
    return marks


def _tip(each: Found) -> str:
    said = [each.name, each.says, numbers.shape(each.shape) if each.shape else ""]
    if each.parameters:
        said.append(numbers.parameters(each.parameters))
    if not each.whole:
        said.append(tr("its values and gradients are shown, its terms are not"))
    return ", ".join(part for part in said if part)


def _arrow(x: float, y: float, folded: bool) -> Line:
    corners = ((x - 2, y - 4), (x + 2, y), (x - 2, y + 4)) if folded else ((x - 4, y - 2), (x, y + 2), (x + 4, y - 2))
    return Line(corners, "ink-2", 1.5)


def shape_marks(shape: Sequence[int], x: float, y: float, side: int) -> list[Mark]:
    """A small picture of a shape: squares as large as the maps, one behind the other as there are channels; strips for
    steps; one strip for a row of numbers. `side` is that of the largest map in the list."""
    if len(shape) == 3:
        high = 5 + 12 * math.sqrt(min(1.0, shape[1] / side))
        broad = 5 + 12 * math.sqrt(min(1.0, shape[2] / side))
        count = 1 + min(3, max(0, round(math.log2(max(1, shape[0])) / 2) - 1))
        return [Rect(x + 5 * index, y - high / 2, broad, high, "stage", "ink-2", 1, inside=True)
                for index in reversed(range(count))]
    if len(shape) == 2:
        count = min(8, max(1, shape[0]))
        return [Rect(x + 4 * index, y - 8, 2.5, 16, "", "ink-2", 1, inside=True) for index in range(count)]
    if len(shape) == 1:
        high = 5 + min(11.0, 2.2 * math.log2(max(1, shape[0])))
        return [Rect(x, y - high / 2, 4, high, "stage", "ink-2", 1, inside=True)]
    return []


def _table(page: Page) -> Table:
    return Table((tr("name"), tr("operation"), tr("gives"), tr("parameters")), tuple(
        (each.name, each.says, numbers.shape(each.shape), each.parameters) for each in page.found))


def _wired(page: Page, look: Look) -> Laid:
    """The lines of a wiring, each in a field of its own, with what it gives or why it does not fit."""
    wide = look.size[0]
    marks: list[Mark] = [Text(0, 16, plain(tr("The wiring, guessed from names and shapes")), 14, 600,
                              max_width=wide - 60),
                         Text(wide - 6, 16, plain(tr("gives")), 12, 400, "ink-2", "end")]
    y, places = HEAD + 2, dict[str, Box]()
    about = tr("One layer a line, in the order in which they run. Enter adds a line, an empty one is left out, and the "
               "shapes are worked out anew.")
    for line in plain_lines(about, 12, wide, 400):
        marks.append(Text(0, y + 10, plain(line), 12, 400, "ink-2"))
        y += 17
    y += 6
    room = max(150.0, wide - 118)
    for number, (_, gives, wrong) in enumerate(page.lines):
        marks.append(Text(20, y + 20, plain(str(number + 1)), 11, 400, "ink-2", "end"))
        places[f"line:{number}"] = (28, y, room - 28, 30)
        if wrong:
            marks += [Rect(room + 8, y + 3, 24, 24, "hatch", "negative-bar", radius=4, tip=wrong),
                      Text(room + 38, y + 20, plain(tr("does not fit")), 12, 600, "negative-text",
                           max_width=wide - room - 38)]
        else:
            marks.append(Text(wide - 6, y + 20, plain(gives), 12, 500, "ink", "end", max_width=wide - room - 12))
        y += 34
        if wrong:
            for line in plain_lines(wrong, 12, wide - 28, 400)[:3]:
                marks.append(Text(28, y + 10, plain(line), 12, 400, "negative-text"))
                y += 17
            y += 4
    places["add"] = (28, y + 2, 130, 32)
    said = "; ".join(" ".join(part for part in line if part) for line in page.lines)
    return Laid(Picture((wide, round(y + 44)), tuple(marks), (), look.theme, caption=said), places)


# --- what is asked ---------------------------------------------------------------------------------------------------

def asked(page: Page, look: Look, only: str = "") -> Laid:
    """The questions with the places of their controls, what the model sees, the labels, and what is shown only.

    `only` one step, where the window has room for no more.
    """
    wide = float(look.size[0])
    marks: list[Mark] = []
    places: dict[str, Box] = {}
    y = 0.0
    for step, title, beside in ((ARCHITECTURE, tr("How it is put together"), ""), (INPUT, tr("Input, asked once"),
                                                                             page.wants)):
        about = [each for each in page.questions if each.step == step]
        if only not in ("", step) or (not about and (step != INPUT or not page.operations)):
            continue
        y = _heading(marks, title, beside, y, wide, any(each.open for each in about))
        if step == INPUT and len(page.inputs) > 1:
            places["inputs"] = (0, y, wide, CONTROL)
            y += LINE
        y = _questions(marks, places, about, y, wide)
        if step == INPUT:
            y = _preview(marks, page, y + 4, wide, look)
        y = _rule(marks, y + 14, wide)
    if only in ("", LABELS) and page.operations:
        if page.outputs:
            y = _labels(marks, places, page, y, wide)
        about = [each for each in page.questions if each.step == LABELS]
        if about:
            y = _heading(marks, tr("Answer"), tr("what it means, and what is differentiated"), y + 4, wide,
                         any(each.open for each in about))
            y = _questions(marks, places, about, y, wide)
        y = _rule(marks, y + 8, wide)
    if page.apart and only in ("", ARCHITECTURE):
        y = _apart(marks, page, y, wide)
    said = "; ".join(f"{each.title}: {_chosen(each)}" for each in page.questions)
    return Laid(Picture((round(wide), round(y + 8)), tuple(marks), (), look.theme, caption=said), places)


def _chosen(question: Question) -> str:
    return dict(question.choices).get(question.chosen, question.chosen)


def _heading(marks: list[Mark], title: str, beside: str, y: float, wide: float, dots: bool = False) -> float:
    marks.append(Text(0, y + 16, plain(title), 14, 600))
    x = width(title, 14, 600) + 14
    said = tr("the file does not say") if dots else ""
    room = wide - x - (width(said, 12) + 34 if dots else 0)
    if beside and room > 60:
        marks.append(Text(x, y + 16, plain(elide(beside, 12, room)), 12, 400, "ink-2"))
        x += min(width(beside, 12), room) + 20
    if dots and x + width(said, 12) + 14 <= wide + 1:
        marks += [Rect(x, y + 9, 6, 6, "accent", radius=3), Text(x + 13, y + 16, plain(said), 12, 400, "ink-2")]
    return y + HEAD


def control_width(question: Question, wide: float) -> float:
    """How wide the control of a question is, in a column of that width."""
    if question.form == LONG:
        return wide - TITLES
    if question.form == WORDS:
        return min(max(LEAST_FIELD, width(question.chosen, 13, 500) + 30), FIELD, wide - TITLES)
    words = [said for _, said in question.choices]
    if question.form == CHOICES:
        return sum(round(width(each, 13, 600) + 0.5) + PADDING for each in words) + 6
    return min(wide - TITLES, max((width(each, 13, 600) for each in words), default=60) + MENU_PADDING)


def fitted(question: Question, wide: float) -> Question:
    """The same as a menu where its choices are too many for a row."""
    if question.form == CHOICES and control_width(question, wide) > wide - TITLES:
        return replace(question, form=MENU)
    return question


def _questions(marks: list[Mark], places: dict[str, Box], about: Sequence[Question], y: float, wide: float) -> float:
    """Row by row; a short one stands beside the one before it where there is room."""
    x = 0.0
    for each in (fitted(question, wide) for question in about):
        needs = control_width(each, wide)
        title = TITLES if not x else width(each.title, 13, 500) + 24
        beside = each.beside.split("\n") if each.beside else []
        broad = max((width(line, 12, mono=True) for line in beside), default=0.0)
        if x and x + title + needs > wide:
            x, y, title = 0.0, y + LINE, TITLES
        marks.append(Text(x, y + 23, plain(each.title), 13, 500, max_width=title - 16))
        if each.open:
            marks.append(Rect(x + title - 14, y + 15, 6, 6, "accent" if not each.answered else "",
                              "accent", 1.5, radius=3, inside=True,
                              tip=tr("the file does not say") if not each.answered else tr("answered by you")))
        places[each.name] = (x + title, y, needs, CONTROL)
        x += title + needs + 24
        if beside:
            left = x - 12
            if left + broad > wide:
                left, y = TITLES, y + LINE - 4
            for number, line in enumerate(beside):
                marks.append(Text(left, y + 23 + 8 * (2 * number - len(beside) + 1), plain(line), 12, 400, "ink-2",
                                  max_width=wide - left, mono=True))
            x = wide
    return y + LINE if about else y


def _rule(marks: list[Mark], y: float, wide: float) -> float:
    marks.append(Line(((0, y), (wide, y)), "hair", 1))
    return y + 14


# --- what the model sees ---------------------------------------------------------------------------------------------

def _preview(marks: list[Mark], page: Page, y: float, wide: float, look: Look) -> float:
    if not page.seen:
        return y
    marks.append(Text(0, y + 14, plain(tr("What the model sees")), 12, 600, "ink-2"))
    y += 24
    x, deepest = 0.0, y
    largest = max((max(abs(each.low), abs(each.high)) for each in page.seen if each.signed), default=1.0)
    for place, each in enumerate(page.seen):
        if each.tokens:
            deepest = _tokens(marks, each, y, wide)
            continue
        drawn = _tile(each, largest, wide)
        across, down = drawn.tile_size
        if place and x + 28 + across > wide:
            x, y = 0.0, deepest + 10
        elif (place and page.seen[place - 1].signed != each.signed) or (place and not each.signed):
            marks += [Line(((x, y + 42), (x + 14, y + 42)), "ink-2", 1.5),
                      Line(((x + 10, y + 38), (x + 14, y + 42), (x + 10, y + 46)), "ink-2", 1.5)]
            x += 24
        marks.append(replace(drawn, x=x, y=y))
        under = [(each.title, 600)]
        if each.low != each.high:
            under += [(tr("{low} to {high}").format(low=numbers.number(each.low), high=numbers.number(each.high)), 400),
                      (tr("mean {mean}").format(mean=numbers.number(each.mean)), 400)]
        room = max(across, 74.0)
        for line, (said, weight) in enumerate(under):
            marks.append(Text(x, y + down + 15 + 15 * line, plain(said), 11 if line else 12, weight,
                              "ink" if not line else "ink-2", max_width=room + 6))
        deepest = max(deepest, y + down + 18 + 15 * (len(under) - 1))
        x += room + 10
    return deepest + 6


def _tile(each: Seen, largest: float, wide: float) -> Image:
    """One of the pictures: whole pixels a value; of what is larger than a tile each cell is a block, of colours their
    mean, of numbers the strongest."""
    values = np.asarray(each.values)
    rows, columns = values.shape[:2]
    most = TILE if rows > 1 and columns < 4 * rows else min(wide, 420)
    block = max(1, math.ceil(columns / most), math.ceil(rows / TILE))
    if block > 1:
        down, across = min(block, rows), min(block, columns)
        cut = values[:rows // down * down, :columns // across * across]
        parts = cut.reshape(rows // down, down, columns // across, across, *values.shape[2:])
        values = _strongest(parts.swapaxes(1, 2)) if each.signed else parts.mean(axis=(1, 3))
    rows, columns = values.shape[:2]
    cell = float(max(1, min(most // columns, TILE // rows, 16)))
    high = max(cell, float(LEAST_HIGH // rows))
    if values.ndim == 3:
        return Image(0, 0, (cell, high), np.rint(values).astype(np.uint8)[None], border="tile-border")
    if each.signed:
        shades, palette = colour.signed(values, largest), "activation"
    else:
        top = max(abs(each.low), abs(each.high)) or 1.0
        shades, palette = np.clip(np.rint(np.asarray(values, float) / top * 255), 0, 255).astype(np.uint8), "pixel"
    return Image(0, 0, (cell, high), shades[None], palette)


def _strongest(parts: NDArray[Any]) -> NDArray[Any]:
    """Of each block (row, column, down, across) the value of the largest size."""
    flat = parts.reshape(*parts.shape[:2], -1)
    found: NDArray[Any] = np.take_along_axis(flat, np.abs(flat).argmax(-1)[..., None], -1)[..., 0]
    return found


def _tokens(marks: list[Mark], each: Seen, y: float, wide: float) -> float:
    """A text, as it is cut: one sign a box, hatched where the alphabet does not have it."""
    x = 0.0
    for token in each.tokens[:MOST_TOKENS]:
        said = {" ": "␣", "\n": "⏎"}.get(token, token)
        room = max(22.0, width(said, 13, mono=True) + 12)
        if x + room > wide:
            x, y = 0.0, y + 30
        marks.append(Rect(x, y, room, 26, "sunk" if token else "hatch", "" if token else "rule", radius=5))
        marks.append(Text(x + room / 2, y + 18, plain(said), 13, 500, anchor="middle", mono=True))
        x += room + 4
    y += 32
    if len(each.tokens) > MOST_TOKENS:
        marks.append(Text(0, y + 10, plain(tr("and {count} more").format(
            count=numbers.count(len(each.tokens) - MOST_TOKENS))), 12, 400, "ink-2"))
        y += 18
    return y


# --- labels ----------------------------------------------------------------------------------------------------------

def _labels(marks: list[Mark], places: dict[str, Box], page: Page, y: float, wide: float) -> float:
    beside = counted_as(page.outputs, tr("{count} output; {where}"), tr("{count} outputs; {where}")).format(
        count=numbers.count(page.outputs),
                                                 where=page.labelled or tr("numbers only"))
    y = _heading(marks, tr("Labels"), beside, y, wide, page.unnamed)
    x = 0.0
    shown = page.labels[:MOST_CHIPS] if page.labels else tuple("" for _ in range(min(page.outputs, 12)))
    for index, label in enumerate(shown):
        number = str(index)
        room = min(wide, width(number, 12, 600) + (width(label, 13, 500) + 8 if label else 0) + 24)
        if x + room > wide:
            x, y = 0.0, y + 36
        at = Focus(str(index), (index,), LABEL)
        marks += grouped(Group(tr("label {number}").format(number=number)), [
            Rect(x, y, room, 28, "sunk", radius=8),
            Text(x + 12, y + 19, plain(number), 12, 600, "ink-2"),
            Text(x + 20 + width(number, 12, 600), y + 19, plain(label), 13, 500, max_width=wide - 60),
            Rect(x, y, room, 28, focus=at, radius=8, tip=tr("click to give it another name"))])
        places[f"label:{index}"] = (x, y, max(room, 130.0), 28)
        x += room + 8
    left = (len(page.labels) or page.outputs) - len(shown)
    if left > 0:
        said = tr("and {count} more").format(count=numbers.count(left))
        if x + width(said, 12) > wide:
            x, y = 0.0, y + 36
        marks.append(Text(x + 4, y + 19, plain(said), 12, 400, "ink-2"))
    y += 40
    places["labels"] = (0, y, wide, 32)
    return y + 44


def _apart(marks: list[Mark], page: Page, y: float, wide: float) -> float:
    y = _heading(marks, tr("Shown, but not taken apart"), tr("all of them, {count} of {all}").format(
        count=numbers.count(len(page.apart)), all=numbers.count(page.operations)), y, wide)
    for name, says in page.apart[:12]:
        marks += [Rect(0, y + 2, 26, 26, "hatch", "rule", radius=4),
                  Text(38, y + 13, (Run(name, 600, mono=True), Run(f"  {says}")), 13, 400, max_width=wide - 40),
                  Text(38, y + 29, plain(tr("values and gradient shown, no terms")), 12, 400, "ink-2",
                       max_width=wide - 40)]
        y += 40
    if len(page.apart) > 12:
        said = ", ".join(name for name, _ in page.apart[12:60])
        marks.append(Text(0, y + 14, plain(said), 12, 400, "ink-2", max_width=wide))
        y += 22
    return y


# --- facts -----------------------------------------------------------------------------------------------------------

def facts(page: Page, look: Look) -> Laid:
    """The file, what was checked, what opens and why not."""
    wide = float(look.size[0])
    marks: list[Mark] = [Text(0, 18, (Run(page.name, mono=True),), 16, 500, max_width=wide, mono=True)]
    y = 32.0
    for title, value in page.facts:
        used = width(title, 13) + 12
        marks += [Text(0, y + 16, plain(title), 13, 400, "ink-2"),
                  Text(wide, y + 16, plain(value), 13, 600, "ink", "end", max_width=wide - used)]
        y += 27
    if 0 <= page.chosen < len(page.found):
        y = _about(marks, page.found[page.chosen], _rule(marks, y + 10, wide), wide)
    if page.checks:
        y = _rule(marks, y + 10, wide)
        marks.append(Text(0, y + 12, plain(tr("What was checked")), 13, 600))
        y += 22
        for said, holds in page.checks:
            y = _checked(marks, said, "", holds, y, wide)
    if page.opens:
        y += 18
        marks.append(Text(0, y + 12, plain(tr("What opens")), 13, 600))
        y += 22
        for each in page.opens:
            if each.opens:
                y = _checked(marks, each.title, each.says, True, y, wide, 600)
        reasons = dict.fromkeys(each.says for each in page.opens if not each.opens)
        for why in reasons:
            names = ", ".join(each.title for each in page.opens if not each.opens and each.says == why)
            y = _closed(marks, names, why, y, wide)
    said = "; ".join((*(f"{title}: {value}" for title, value in page.facts), *(said for said, _ in page.checks),
                      *(f"{each.title}: {each.says}" for each in page.opens)))
    return Laid(Picture((round(wide), round(y)), tuple(marks), (), look.theme, "window", caption=said))


def _about(marks: list[Mark], each: Found, y: float, wide: float) -> float:
    """The operation that was clicked."""
    marks.append(Text(0, y + 12, (Run(each.name, mono=True),), 13, 600, max_width=wide, mono=True))
    y += 20
    for line in plain_lines(_tip(each).partition(", ")[2], 12, wide, 400)[:4]:
        marks.append(Text(0, y + 12, plain(line), 12, 400, "ink-2"))
        y += 17
    return y


def _closed(marks: list[Mark], names: str, why: str, y: float, wide: float) -> float:
    """Views that do not open, with the reason that they share."""
    marks += tick(9, y + 12, False)
    for number, line in enumerate(lines := plain_lines(names, 12, wide - 28, 500)[:4]):
        marks.append(Text(26, y + 16 + 16 * number, plain(line), 12, 500, "ink-2"))
    y += 16 * len(lines)
    if why:
        marks.append(Text(26, y + 16, plain(why), 12, 400, "ink-2", max_width=wide - 28))
        y += 16
    return y + 12


def _checked(marks: list[Mark], said: str, beside: str, holds: bool, y: float, wide: float, weight: int = 400) -> float:
    marks += tick(9, y + 12, holds)
    lines = plain_lines(said, 13, wide - 28, weight)[:3]
    for number, line in enumerate(lines):
        marks.append(Text(26, y + 17 + 17 * number, plain(line), 13, weight, "ink" if holds else "ink-2"))
    if beside:
        left = 26 + width(said, 13, weight) + 10
        marks.append(Text(wide, y + 17, plain(beside), 12, 400, "ink-2", "end", max_width=max(20.0, wide - left)))
    return y + 28 + 17 * (len(lines) - 1)


def tick(x: float, y: float, holds: bool, radius: float = 7.5) -> list[Mark]:
    """A tick on the accent, or the hatching of what is not."""
    box = (x - radius, y - radius, 2 * radius, 2 * radius)
    if not holds:
        return [Rect(*box, "hatch", "rule", radius=radius)]
    part = radius / 8
    corners = tuple((x + dx * part, y + dy * part) for dx, dy in ((-3.5, 0.0), (-1.0, 3.0), (4.0, -3.0)))
    return [Rect(*box, "accent", radius=radius), Line(corners, "stage", 1.8 * part)]


def badge(page: Page, look: Look) -> Laid:
    """Whether anything in the file was run."""
    title, below = page.badge
    wide, y = float(look.size[0]), 0.0
    marks: list[Mark] = [Rect(0, y, wide, 56, "alarm" if page.runs else "tint", radius=8)]
    if page.runs:
        marks += [Rect(12, y + 20, 16, 16, "negative-bar", radius=8), Line(((20, y + 24), (20, y + 29)), "stage", 2),
                  Rect(19, y + 31.5, 2, 2, "stage")]
    else:
        marks += tick(20, y + 28, True, 8)
    ink = "ink" if page.runs else "accent-ink"
    marks += [Text(38, y + 24, plain(title), 13, 600, ink, max_width=wide - 44),
              Text(38, y + 42, plain(below), 12, 400, ink, max_width=wide - 44)]
    return Laid(Picture((round(wide), 56), tuple(marks), (), look.theme, "window", caption=f"{title}: {below}"))


def about_files(look: Look) -> Laid:
    """What each kind of file gives."""
    wide = float(look.size[0])
    marks: list[Mark] = [Text(0, 14, plain(tr("What a file can give")), 13, 600, "ink-2")]
    y = 28.0
    for endings, gives in ((".pt2  .onnx", tr("layers, shapes, weights")),
                           (".safetensors  .pt", tr("weights; the wiring is asked")),
                           (".py", tr("your class; asks before it runs")), (".trace", tr("a run that was saved"))):
        marks += [Text(0, y + 12, (Run(endings, mono=True),), 12, 500, max_width=wide, mono=True),
                  Text(0, y + 29, plain(gives), 12, 400, "ink-2", max_width=wide)]
        y += 42
    return Laid(Picture((round(wide), round(y)), tuple(marks), (), look.theme, "window",
                        caption=tr("What a file can give")))


# --- the sentence and the foot ---------------------------------------------------------------------------------------

def head(page: Page, look: Look) -> Laid:
    """The sentence; or what stands in the way."""
    wide = float(look.size[0])
    runs = plain(page.problem) if page.problem else rich(page.sentence)
    marks: list[Mark] = []
    y = 0.0
    left = 30.0 if page.problem else 0.0
    lines = wrap(tuple(runs), 17, wide - left, 500)[:4]
    for line in lines:
        marks.append(Text(left, y + 18, line, 17, 500, max_width=wide - left))
        y += 25
    if page.problem:
        marks += [Rect(0, 3, 20, 20, "negative-bar", radius=10), Line(((10, 7), (10, 14)), "stage", 2.2),
                  Rect(8.9, 16.5, 2.2, 2.2, "stage")]
    said = "".join(run.text for run in runs)
    return Laid(Picture((round(wide), round(y + 4)), tuple(marks), (), look.theme, caption=said))


def foot(page: Page, look: Look, left: float) -> Laid:
    """Beside the button: what it costs, and where the answers are kept. `left` is where its words begin."""
    wide = float(look.size[0])
    room = wide - left
    marks: list[Mark] = []
    said = [(page.busy or page.cost, 500, "ink"), (page.kept, 400, "ink-2")]
    lines = [(line, weight, ink) for words, weight, ink in said if words
             for line in plain_lines(words, 13 if weight == 500 else 12, room, weight)[:2]][:4]
    y = look.size[1] / 2 - 9.5 * len(lines)
    for line, weight, ink in lines:
        marks.append(Text(left, y + 14, plain(line), 13 if weight == 500 else 12, weight, ink, max_width=room))
        y += 19
    return Laid(Picture(look.size, tuple(marks), (), look.theme, caption=" ".join(words for words, _, _ in said)))
