"""The pages of a lesson: the panel in which a learner reads a step, and the slide that a room sees.

Both are Pictures of the same nouns: the lesson, how far one has come, what was measured. What was predicted stays
beside the measured result; nothing tells an answer before its reveal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from visualizer import claims, lesson, sight, views
from visualizer.claims import Number
from visualizer.language import counted_as, in_quotes, listed, numeral, tr, translated
from visualizer.lesson import ALL, ANSWERED, CHANGED, NOTHING, TITLES, Answer, Lesson, Quantity, Question, Step, bare
from visualizer.lesson.progress import Progress, can_go, is_asked, is_complete, is_locked
from visualizer.scene import numbers, projector
from visualizer.scene.figures import moved
from visualizer.scene.picture import (
    LANE,
    SENTENCE,
    Focus,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Run,
    Text,
    box_of,
    literal,
    plain,
    rich,
)
from visualizer.scene.type import elide, width, wrap

EDGE, SIZE, LEADING = 16.0, 13.5, 20.0
"""Of the panel: its margin, its type."""
ANSWER = "answer"
"""The `array` of a focus on an answer of a slide: a click chooses it."""
STEP = "step"
"""The same on the dot of a step, whose number from 1 is its layer: a click goes there."""
SIDE, DOT = 0.05, 0.0075
"""Of a slide: its margin as a share of the width, half a dot as a share of the height."""
LEAST = 528.0, 340.0
"""Of a slide: no picture is laid out narrower or lower; where its place is smaller, its type gives way."""
Extent = tuple[float, float, float, float] | tuple[()]
"""Left, top, right and bottom; nothing where there is nothing."""
Inner = Callable[[Look], Picture | None]
"""What is looked at, drawn in the size and type of a look; None where nothing is shown."""


@dataclass(frozen=True)
class Page:
    """What is shown of a lesson."""

    lesson: Lesson
    progress: Progress
    found: Mapping[str, Number] = field(default_factory=dict)
    """What was measured, by the words of the measures."""
    of: int = 0
    """How many lessons the course has."""
    astray: bool = False
    """Whether one has left the place of the step."""
    armed: bool = False
    """Whether the next press reveals although nobody was counted."""

    @property
    def step(self) -> Step:
        return self.lesson.steps[self.progress.step]

    @property
    def known(self) -> tuple[Quantity, ...]:
        return self.lesson.known(self.progress.step)

    @property
    def asked(self) -> bool:
        """Whether a question is open."""
        return is_asked(self.progress, self.lesson)

    def filled(self, words: str) -> str:
        """Words with their numbers, as far as they are measured."""
        return lesson.filled(words, self.known, self.found)

    def bare(self, words: str) -> str:
        """The same without markup."""
        return bare(words, self.known, self.found)


def lines(marks: list[Mark], words: str, y: float, room: float, size: float, leading: float, weight: int = 400,
          ink: str = "ink", x: float = 0.0, accent: str = "ink") -> float:
    """Words in the markup of `rich`, line by line; where the next ones stand."""
    for line in wrap(tuple(rich(words, accent=accent)), size, room - x, weight):
        marks.append(Text(x, y, line, size, weight, ink, display=size >= 26))
        y += leading
    return y


# --- sentences ------------------------------------------------------------------------------------------------------

def step_words(page: Page) -> str:
    """`step 4 of 8`."""
    return tr("step {number} of {count}").format(number=page.progress.step + 1, count=len(page.lesson.steps))


def step_tip(page: Page, index: int) -> str:
    """A step as it is told where there is room for its number alone: `3 Predict, done`."""
    at, title = page.progress, page.lesson.steps[index].title
    if index == at.step:
        said = tr("{number} {title}, where you are")
    elif index <= at.reached:
        said = tr("{number} {title}, done")
    else:
        said = tr("{number} {title}, to come")
    return said.format(number=index + 1, title=title)


def next_words(page: Page) -> str:
    """What the way forward does here."""
    at = page.progress
    if page.step.question is not None and not at.revealed:
        return tr("Reveal")
    if at.step + 1 < len(page.lesson.steps):
        return tr("Next: {title}").format(title=page.lesson.steps[at.step + 1].title)
    return tr("Finish")


def how_to_answer(question: Question) -> str:
    """By which keys."""
    return tr("Choose with the keys 1 to {count}, or click.").format(count=len(question.offered))


def to_do(step: Step) -> tuple[str, ...]:
    """What is to be done before a step is complete, each as one sentence."""
    return tuple(_to_do(name, word) for name, word in step.done if name != ANSWERED)


def _to_do(name: str, word: str) -> str:
    if name == "view":
        return tr("Go to the view “{view}”.").format(view=translated(views.find(word).title))
    if word == CHANGED:
        return {"input": tr("Choose another input."), "what-if": tr("Change the input."),
                "focus": tr("Look at something else."), "time": tr("Go to another moment.")}.get(
            name, tr("Change {name}.").format(name=touch_words((name,))))
    said = {"focus": tr("Open `{word}`."), "at": tr("Go to `{word}`."), "input": tr("Choose the input `{word}`."),
            "what-if": tr("Change the input: `{word}`."), "edit": tr("Change the network: `{word}`."),
            "model": tr("Open the network `{word}`.")}
    return said[name].format(word=word) if name in said else tr("Set {name} to `{word}`.").format(name=name, word=word)


def touch_words(touch: Sequence[str]) -> str:
    """What may be changed, in words: `the moment, what is looked at`."""
    if ALL in touch:
        return tr("everything")
    said = {"time": tr("the moment"), "focus": tr("what is looked at"), "view": tr("the view"),
            "input": tr("the input"), "what-if": tr("what is done to the input"),
            "edit": tr("what is done to the network"), "knobs": tr("the knobs"), "model": tr("the network")}
    return listed([said.get(each, each) for each in touch if each != NOTHING])


def chosen_words(page: Page) -> str:
    """What was predicted, and what turned out, as one sentence; empty where nothing was predicted or nothing is known
    yet."""
    number, _ = page.progress.answer(page.progress.step)
    question = page.step.question
    if question is None or not number or not page.progress.revealed:
        return ""
    predicted, right = question.offered[number - 1], question.answers[question.right - 1]
    if number > len(question.answers):
        return tr("You were not sure; it is {right}.").format(right=page.bare(right.words))
    if predicted.right:
        return tr("You predicted {answer}, and so it is.").format(answer=page.bare(predicted.words))
    return tr("You predicted {answer}; it is {right}.").format(answer=page.bare(predicted.words),
                                                               right=page.bare(right.words))


def _votes(count: int) -> str:
    return counted_as(count, tr("{count} vote"), tr("{count} votes")).format(count=count)


def tally_words(page: Page) -> str:
    """How the class voted: how many there were, and how many of them were right."""
    counts, question = page.progress.tally(page.progress.step), page.step.question
    if question is None or not sum(counts):
        return ""
    if not page.progress.revealed:
        return _votes(sum(counts))
    return tr("{right} of {count} chose the right answer.").format(right=counts[question.right - 1], count=sum(counts))


def measured_words(page: Page) -> tuple[str, str]:
    """(what was measured on this computer, what of it is not as the lesson says); each empty where there is nothing to
    say."""
    own = page.step.quantities
    known = [each for each in own if each.words in page.found]
    wrong = [lesson.measured_sentence(each, page.found[each.words]) for each in known
             if not each.met_by(page.found[each.words])]
    if not own:
        return "", ""
    if len(known) < len(own):
        return tr("Expected numbers; {done} of {count} are measured on this computer so far.").format(
            done=len(known), count=len(own)), " ".join(wrong)
    return tr("Measured on this computer."), " ".join(wrong)


def spoken(page: Page) -> str:
    """Everything that the panel says, for a screen reader, a caption or a script."""
    step, said = page.step, [step_words(page), page.step.title, *map(page.bare, page.step.text)]
    if step.question is not None:
        said += [page.bare(step.question.words),
                 *(f"{number}: {page.bare(answer.words)}" for number, answer in enumerate(step.question.offered, 1))]
    if page.progress.revealed:
        said += [*map(page.bare, step.reveal), chosen_words(page), tally_words(page), *measured_words(page)]
    said += [bare(words) for words in to_do(step)]
    return " ".join(each if each.endswith((".", "?", "!", ":")) else f"{each}." for each in said if each)


# --- the panel ------------------------------------------------------------------------------------------------------

def panel(page: Page, wide: float, look: Look) -> Picture:
    """All that a learner reads of a step, as high as it is."""
    marks: list[Mark] = []
    room = wide - 2 * EDGE
    y = _head(marks, page, room)
    step, at = page.step, page.progress
    y = lines(marks, literal(step.title), y + 4, room, 16, 22, 600)
    for words in page.lesson.text if not at.step else ():
        y = lines(marks, page.filled(words), y + 2, room, SIZE, LEADING, ink="ink-2") + 4
    for words in step.text:
        y = lines(marks, page.filled(words), y + 2, room, SIZE, LEADING, accent="accent-ink") + 4
    if step.question is not None:
        y = _asked(marks, page, step.question, y, room)
    if at.revealed:
        y = _heading(marks, tr("What happens"), y, room)
        for words in step.reveal:
            y = lines(marks, page.filled(words), y, room, SIZE, LEADING, accent="accent-ink") + 6
    if at.revealed or step.question is None:
        y = _measured(marks, page, y, room)
    if wanted := to_do(step):
        y = _heading(marks, tr("To do"), y, room)
        for words in wanted:
            done = at.step in at.done
            marks += _box(0, y - 11, done)
            y = lines(marks, words, y, room, SIZE, LEADING, 500, "ink-2" if done else "ink", 22)
    if free := touch_words(step.touch):
        y = _heading(marks, tr("Try it"), y, room)
        y = lines(marks, tr("You can change {what}.").format(what=literal(free)), y, room, 12, 17, ink="ink-2")
    if step.claim:
        y = _claim(marks, page, y + 8, room)
    placed = tuple(moved(mark, EDGE, 0) for mark in marks)
    return Picture((round(wide), round(y + 8)), placed, (), look.theme, caption=spoken(page))


def _head(marks: list[Mark], page: Page, room: float) -> float:
    """Which lesson, how long, where in it one is."""
    it = page.lesson
    over = tr("Lesson {number} of {count}").format(number=it.number, count=page.of) if it.number and page.of else \
        translated(TITLES[it.genre])
    if it.seconds:
        over += ", " + time_words(it.seconds)
    marks.append(Text(0, 26, plain(over), 12, 600, "accent-ink"))
    y = lines(marks, literal(it.title), 52, room, 20, 25, 600)
    count = len(it.steps)
    pitch = min(20.0, (room - 86) / max(1, count))
    dots(marks, page, 6, y - 2, 5.5, pitch)
    marks.append(Text(room, y + 2, plain(step_words(page)), 12, 400, "ink-2", "end"))
    y += 18
    marks.append(Line(((0, y), (room, y)), "hair"))
    return y + 22


def dots(marks: list[Mark], page: Page, x: float, y: float, radius: float, pitch: float) -> None:
    """One a step: full where one has been, with a ring where one is."""
    for index in range(len(page.lesson.steps)):
        box = (x + index * pitch - radius, y - radius, 2 * radius, 2 * radius)
        if index <= page.progress.step:
            marks.append(Rect(*box, "accent", radius=radius))
        else:
            marks.append(Rect(*box, stroke="rule", stroke_width=1.5, radius=radius, inside=True))
        if index == page.progress.step:
            grown = radius + 2.5
            marks.append(Rect(x + index * pitch - grown, y - grown, 2 * grown, 2 * grown, stroke="accent",
                              stroke_width=1.5, radius=grown))


def time_words(seconds: int) -> str:
    """`10 min`, `20 s`."""
    return tr("{n} min").format(n=round(seconds / 60)) if seconds >= 60 else tr("{n} s").format(n=seconds)


def _heading(marks: list[Mark], words: str, y: float, room: float) -> float:
    marks.append(Text(0, y + 12, plain(words), 12, 600, "ink-2"))
    return y + 32


def _asked(marks: list[Mark], page: Page, question: Question, y: float, room: float) -> float:
    """The question; what was predicted, beside what was measured behind the reveal; how the class voted."""
    at = page.progress
    y = _heading(marks, tr("What you asked") if at.revealed else tr("Predict first"), y, room)
    y = lines(marks, page.filled(question.words), y, room, SIZE, LEADING, 600)
    number, when = at.answer(at.step)
    if not number and not at.revealed and at.open:
        y = lines(marks, how_to_answer(question), y + 2, room, 12, 17, ink="ink-2")
    if number:
        y = _card(marks, tr("Your prediction"), number, question.offered[number - 1], when, page, y + 4, room)
    if at.revealed:
        y = _card(marks, tr("Measured"), question.right, question.answers[question.right - 1], "", page, y + 4, room)
        if number and question.offered[number - 1].said:
            y = lines(marks, page.filled(question.offered[number - 1].said), y + 6, room, 12, 17, ink="ink-2")
    counts = at.tally(at.step)
    if sum(counts):
        y = _tally(marks, page, question, counts, y + 4, room)
    return y + 4


def _card(marks: list[Mark], heading: str, number: int, answer: Answer, when: str, page: Page, y: float,
          room: float) -> float:
    """One answer in a frame: tinted and ticked where it is the right one, once that is known."""
    right = answer.right and page.progress.revealed
    marks.append(Text(0, y + 8, plain(heading), 12, 600, "ink-2"))
    marks.append(Text(room, y + 8, plain(when), 12, 400, "ink-2", "end"))
    inner = list[Mark]()
    end = lines(inner, page.filled(answer.words), y + 36, room - (34 if right else 12), 13, 18, 600, x=34)
    high = end - y - 18
    marks.append(Rect(0, y + 16, room, high, "tint" if right else "raised", "accent" if right else "rule", radius=8,
                      stroke_width=2 if right else 1, inside=True))
    marks.append(Text(12, y + 36, plain(f"{number}"), 14, 600, "accent-ink"))
    if right:
        marks += tick(room - 20, y + 31, 8)
    marks += inner
    return y + 16 + high + 12


def _tally(marks: list[Mark], page: Page, question: Question, counts: Sequence[int], y: float, room: float) -> float:
    """A bar for each answer, as the class chose before the reveal."""
    marks.append(Text(0, y + 10, plain(tr("The class, before the reveal")), 12, 600, "ink-2"))
    y += 22
    for number, (count, answer) in enumerate(zip(counts, question.offered, strict=True), 1):
        long = room - 96
        right = answer.right and page.progress.revealed
        marks += [Text(0, y + 12, plain(f"{number}"), 13, 600, "accent-ink"),
                  Rect(18, y, long, 15, "sunk", radius=2),
                  Rect(18, y, long * count / max(1, *counts), 15, "accent" if right else "ink-2", radius=2),
                  Text(room - 44, y + 12, plain(numbers.count(count)), 13, 600, "ink", "end"),
                  Text(room, y + 12, plain(numeral(f"{100 * count / sum(counts):.0f} %")), 12, 400, "ink-2", "end")]
        y += 23
    return lines(marks, literal(tally_words(page)), y + 12, room, 12, 17, ink="ink-2")


def _measured(marks: list[Mark], page: Page, y: float, room: float) -> float:
    """Every number of the step beside what is expected, and where it was measured."""
    own = page.step.quantities
    if not own:
        return y
    y = _heading(marks, tr("Numbers"), y, room)
    for each in own:
        number = page.found.get(each.words)
        said = each.said(number)
        taken = width(said, 13, 600) + 8
        marks += [Text(0, y, plain(elide(each.name, 13, room - taken)), 13, 400, "ink-2"),
                  Text(room, y, plain(said), 13, 600, "ink" if number is not None else "ink-2", "end"),
                  Rect(0, y - 14, room, 18, tip=f"{claims.expected_of(each.expected)}: {each.words}")]
        y += 19
    told, wrong = measured_words(page)
    y = lines(marks, literal(told), y + 2, room, 12, 17, ink="ink-2")
    broken = lesson.broken(page.lesson, page.progress.step, page.found)
    if wrong or broken:
        said = wrong or tr("What the right answer stands on does not hold here: {what}.").format(what="; ".join(broken))
        y = lines(marks, literal(said), y, room, 12, 17, 500, "negative-text")
    return y + 2


def _claim(marks: list[Mark], page: Page, y: float, room: float) -> float:
    """What the article says; behind the reveal also what holds."""
    claim = claims.find(page.step.claim)
    inner = list[Mark]()
    said = in_quotes(claim.quote) if claim.quote else translated(claim.implied)
    end = lines(inner, literal(said), y + 42, room - 14, 12, 17, x=14)
    if page.progress.revealed or page.step.question is None:
        end = lines(inner, literal(translated(claim.correction)), end + 4, room - 14, 12, 17, ink="ink-2", x=14)
    marks.append(Rect(0, y, room, end - y, "sunk", radius=8))
    marks.append(Text(14, y + 22, plain(tr("The article says")), 12, 600, "ink-2"))
    marks += inner
    return end + 8


def tick(x: float, y: float, radius: float) -> list[Mark]:
    """A tick in a full dot."""
    part = radius / 8
    corners = ((x - 3.5 * part, y), (x - part, y + 3 * part), (x + 4 * part, y - 3 * part))
    return [Rect(x - radius, y - radius, 2 * radius, 2 * radius, "accent", radius=radius),
            Line(corners, "stage", 1.8 * part)]


def _box(x: float, y: float, ticked: bool) -> list[Mark]:
    return tick(x + 7, y + 7, 7) if ticked else [Rect(x, y, 14, 14, stroke="rule", stroke_width=1.5, radius=7,
                                                      inside=True)]


# --- the slide ------------------------------------------------------------------------------------------------------

def slide(page: Page, look: Look, inner: Inner,
          extent_of: Callable[[Look], Extent] = lambda look: ()) -> Picture:
    """What a room sees of a step: its words large, what is looked at below them, the answers, and where one is.

    `extent_of` says what is needed in a look by all that moves, so that nothing jumps.
    """
    wide, high = look.size
    unit = projector.measure(look.size)
    side = SIDE * wide
    foot = high - 0.055 * unit
    bottom, below = foot - 0.055 * unit, list[Mark]()
    step, at = page.step, page.progress
    if step.question is not None:
        bottom = _answers(below, page, step.question, side, wide - 2 * side, bottom, unit)
    marks: list[Mark] = []
    y = _words(marks, page, side, wide - 2 * side, unit, bottom)
    _foot(below, page, side, wide - side, foot, unit)
    room = bottom - y - 0.02 * unit
    shown: list[Mark] = []
    moving: list[Mark] = []
    if room >= 0.22 * unit and step.shown.places:
        place = side, y + 0.01 * unit, wide - side, bottom - 0.035 * unit
        laid = _laid_out(look, place, 1 if step.shown.compare else len(step.shown.places))
        drawn = inner(laid)
        if drawn is not None:
            shown, moving = _fitted(drawn, extent_of(laid) or extent((drawn,)), place,
                                    look.text_scale / laid.text_scale)
    ground: list[Mark] = [Rect(0, 0, wide, high, "sunk")] if at.revealed else []
    if at.revealed:
        ground.append(Rect(side / 2, 0.03 * unit, wide - side, bottom - 0.05 * unit, "stage", radius=0.03 * unit))
    return Picture(look.size, (*ground, *marks, *shown), (*moving, *below), look.theme, caption=spoken(page))


def extent(pictures: Iterable[Picture]) -> Extent:
    """What is needed by all that pictures have beside their sentence and their line of beats."""
    boxes = [box_of(mark) for picture in pictures for mark in _without_words((*picture.still, *picture.moving))]
    return (min(each[0] for each in boxes), min(each[1] for each in boxes), max(each[0] + each[2] for each in boxes),
            max(each[1] + each[3] for each in boxes)) if boxes else ()


def _laid_out(look: Look, box: tuple[float, float, float, float], count: int) -> Look:
    """The look of so many pictures beside each other at a place of a slide: in the type of the room, or in what leaves
    each of them the least in which it can be laid out. The words that a slide leaves out stand outside of the place."""
    wide, high = box[2] - box[0], box[3] - box[1]
    columns, head, margin = sight.across(count), projector.HEAD + projector.FOOT, 2 * projector.MARGIN
    scale = min(look.text_scale, wide / (columns * LEAST[0] - margin), high / (-(-count // columns) * LEAST[1] - head))
    return replace(look, size=(round(wide + margin * scale), round(high + head * scale)), text_scale=scale)


def _fitted(picture: Picture, needed: Extent, box: tuple[float, float, float, float],
            most: float) -> tuple[list[Mark], list[Mark]]:
    """What a picture has beside its sentence and its line of beats, as large as it fits a place, `most` times as large
    as it is: a slide says its own sentence, and goes through steps, not beats."""
    if not needed:
        return [], []
    still, moving = map(_without_words, (picture.still, picture.moving))
    left, top, right, bottom = needed
    factor = min((box[2] - box[0]) / max(1.0, right - left), (box[3] - box[1]) / max(1.0, bottom - top), most)
    x = (box[0] + box[2] - (right - left) * factor) / 2 - left * factor
    y = (box[1] + box[3] - (bottom - top) * factor) / 2 - top * factor
    scaled = replace(picture, still=tuple(still), moving=tuple(moving)).scaled(factor)
    return [moved(mark, x, y) for mark in scaled.still], [moved(mark, x, y) for mark in scaled.moving]


def _without_words(marks: Iterable[Mark]) -> list[Mark]:
    return [mark for mark in marks if getattr(mark, "group", None) not in (SENTENCE, LANE)]


def _words(marks: list[Mark], page: Page, x: float, room: float, unit: float, bottom: float) -> float:
    """The question, what was found, or what is told; where it ends."""
    step, at = page.step, page.progress
    top = 0.1 * unit
    if at.revealed and step.reveal:
        return _found(marks, page, x, room, unit, top)
    over = tr("Predict first") if step.question is not None else step.title
    marks.append(Text(x, top, plain(over), unit / 30, 600, "accent-ink"))
    said = page.filled(step.question.words) if step.question is not None else \
        page.filled(step.text[0]) if step.text else literal(page.lesson.title)
    context = page.filled(step.text[-1]) if step.question is not None and step.text else ""
    most = 1 if step.question is not None and step.shown.places else 2  # a picture takes what a second line would
    for size in (unit / 17, unit / 21, unit / 26):
        if len(wrap(tuple(rich(said)), size, room, 600)) <= most:
            break
    y = top + size * 1.2
    if context:
        y = lines(marks, context, y - size * 0.25, room + x, unit / 32, unit / 24, 400, "ink-2", x,
                  "accent-ink") + size * 0.55
    y = lines(marks, said, y, room + x, size, size * 1.22, 600, x=x, accent="accent-ink") - size * 0.7
    for words in step.text[1:] if step.question is None else ():
        if y > 0.4 * bottom:
            break
        y = lines(marks, page.filled(words), y + unit / 30, room + x, unit / 32, unit / 24, 400, x=x,
                  accent="accent-ink") - unit / 40
    return y


def _found(marks: list[Mark], page: Page, x: float, room: float, unit: float, top: float) -> float:
    """The measured number large, what it is of beside it, and below it why."""
    first, *rest = page.step.reveal
    runs = tuple(rich(page.filled(first), accent="accent-ink"))
    number = next((run.text for run in runs if run.color), "")
    large, size = unit / 8, unit / 26
    taken = width(number, large, 600, display=True) + unit / 30 if number else 0.0
    if taken > 0.36 * room:
        number, taken = "", 0.0
    found = wrap(runs, size, room - taken, 600)
    y = top + size * 0.4
    if number:
        marks.append(Text(x, top + large * 0.55, (Run(number),), large, 600, "accent-ink", display=True))
    for line in found:
        marks.append(Text(x + taken, y, line, size, 600))
        y += size * 1.28
    y = max(y, top + large * 0.75 if number else y)
    for words in rest:
        y = lines(marks, page.filled(words), y + unit / 90, room + x, unit / 32, unit / 24, 400, x=x,
                  accent="accent-ink")
    return y - unit / 60


def _answers(marks: list[Mark], page: Page, question: Question, x: float, room: float, bottom: float,
             unit: float) -> float:
    """Frames with the answers; where they begin. Each says how many votes it has; behind the reveal the right one has a
    frame, a tint and a tick, so that colour says nothing alone."""
    size, pad, gap = unit / 32, unit / 45, unit / 60
    counts = page.progress.tally(page.progress.step)
    mine, _ = page.progress.answer(page.progress.step)
    said = [tuple(rich(page.filled(answer.words), accent="ink")) for answer in question.offered]
    tail = width("  99", size, 600) if sum(counts) else 0.0
    head = size * 1.3
    beside = head + 2 * pad + tail
    columns, needed = _columns(said, size, beside, 2 * pad, room, gap)
    rows = [range(first, min(first + columns, len(said))) for first in range(0, len(said), columns)]
    wrapped = [wrap(runs, size, wide - beside, 600) for runs, wide in zip(said, needed, strict=True)]
    highs = [max(len(wrapped[number]) for number in row) * size * 1.25 + 2 * pad for row in rows]
    y = top = bottom - sum(highs) - gap * (len(rows) - 1)
    for row, high in zip(rows, highs, strict=True):
        at = x
        for number in row:
            answer, wide = question.offered[number], needed[number]
            right = answer.right and page.progress.revealed
            chosen = mine == number + 1 and not sum(counts)
            marks.append(Rect(at, y, wide, high, "tint" if right or (chosen and page.asked) else "stage",
                              "accent" if right or chosen else "rule", stroke_width=unit / 270 if right else unit / 540,
                              radius=unit / 90, inside=True, focus=Focus(str(number + 1), (), ANSWER)))
            first = y + high / 2 - (len(wrapped[number]) - 1) * size * 0.625 + size * 0.36
            marks.append(Text(at + pad, first, plain(f"{number + 1}"), size * 1.1, 600, "accent-ink"))
            for place, line in enumerate(wrapped[number]):
                marks.append(Text(at + pad + head, first + place * size * 1.25, line, size, 600 if right else 500))
            if sum(counts):
                marks.append(Text(at + wide - pad, first, plain(numbers.count(counts[number])), size, 600, "ink-2",
                                  "end"))
            if right:
                marks += tick(at + wide - unit / 60, y, unit / 55)
            at += wide + gap
        y += high + gap
    return top - unit / 45


def _columns(said: Sequence[tuple[Run, ...]], size: float, beside: float, above: float, room: float,
             gap: float) -> tuple[int, list[float]]:
    """In how many columns answers take the least height, and how wide each of them is: one row where each has room for
    its words on one line, else columns of one width. `beside` and `above` is what a frame needs but for its words."""
    count, needed = len(said), [width(runs, size, 600) + beside for runs in said]
    spare = (room - gap * (count - 1) - sum(needed)) / count
    if spare >= 0:
        return count, [each + spare for each in needed]
    wides = {columns: (room + gap) / columns - gap for columns in range(count, 1, -1)}
    longest = max(width(word, size, 600) for runs in said for word in "".join(run.text for run in runs).split())

    def high(columns: int) -> float:
        told = [len(wrap(runs, size, wides[columns] - beside, 600)) for runs in said]
        return sum(max(told[first:first + columns]) * size * 1.25 + above + gap for first in range(0, count, columns))

    columns = min((each for each in wides if wides[each] - beside >= longest or each == 2), key=high)
    return columns, [wides[columns]] * count


def _foot(marks: list[Mark], page: Page, x: float, right: float, y: float, unit: float) -> None:
    """Where one is, and what comes."""
    radius, size, count = max(DOT * unit, projector.MARKER / 2), unit / 36, len(page.lesson.steps)
    pitch = min(3.6 * radius, (right - x) * 0.4 / count)
    dots(marks, page, x + radius, y, radius, pitch)
    marks += [Rect(x + radius + (index - 0.45) * pitch, y - 2 * radius, 0.9 * pitch, 4 * radius,
                   tip=step_tip(page, index), focus=Focus(str(index + 1), (), STEP))
              for index in range(count) if can_go(page.progress, index)]
    said = next_words(page)
    if page.asked:
        counts = page.progress.tally(page.progress.step)
        said = _votes(sum(counts)) if sum(counts) else \
            tr("Once more reveals it") if page.armed else \
            tr("Reveal is locked until everyone has chosen") if is_locked(page.progress, page.lesson) else said
    elif not page.progress.revealed and not is_complete(page.progress, page.lesson):
        said = bare(" ".join(to_do(page.step)))
    start = x + (count - 1) * pitch + 4.6 * radius
    free = right - start - unit / 30
    named = elide(page.step.title, size, max(0.42 * free, free - width(said, size, 400)), 600)
    marks.append(Text(start, y + unit / 90, plain(named), size, 600))
    told = wrap(plain(said), size, free - width(named, size, 600), 400)
    for place, line in enumerate(told[:2]):
        marks.append(Text(right, y + unit / 90 + (place - (min(len(told), 2) - 1) / 2) * size * 1.2, line, size, 400,
                          "ink-2", "end"))

