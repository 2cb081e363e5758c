"""Claims: sentences of the article, each with the measurement that decides it. One file of `assets/claims/`, one claim.

A claim is Markdown: a short front matter, the article's words as a quotation, a table `Measured` of the numbers that
decide, a list `Decides` of what must hold of them for the verdict to stand, and what is said of it. `record.measures`
measures the numbers; here it is only read and judged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from visualizer import registry
from visualizer.language import english, numeral, tr, translated
from visualizer.trace import Refused

RIGHT, NOT_QUITE, WRONG = "right", "not quite", "wrong"
VERDICTS = {RIGHT: english("Holds"), NOT_QUITE: english("Not quite"), WRONG: english("Not so")}
"""What a claim is found to be, and how that is said."""
OTHERWISE = english("Measured otherwise")
"""What is said instead where the numbers do not hold what the verdict stands on."""
MISSED = english("not as expected")
CLOSING = (
    english("Convolution moves with the input; pooling and the training data make the answer indifferent to where it "
            "is."),
    english("The memory of an RNN is a state of fixed size, and a product of Jacobians sets how far it reaches."),
    english("Choose the architecture by what should stay the same when the input changes."),
)
"""The three sentences that a class should leave with."""
PARTS = {"C": english("What a CNN does"), "R": english("What an RNN does"), "X": english("Both compared")}
"""What the letter of a row says a claim is about, in the order of the article."""
MOST_BYTES = 256 << 10
WITHIN = 3.0
"""So many standard errors may lie between a measured and an expected number."""


# --- the nouns ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Number:
    """One measured number."""

    value: float
    error: float = 0.0
    """Its standard error; 0 for a number that hangs on no sample."""
    of: int = 0
    """Over how many inputs, runs or pairs it was taken; 0 for a count or a formula."""

    @property
    def plain(self) -> dict[str, float | int]:
        """As it is written for programs."""
        return {"value": self.value, "error": self.error, "of": self.of}


@dataclass(frozen=True)
class Expected:
    """What a number is expected to be, and how it is written."""

    value: float
    error: float = 0.0
    places: int = 0
    """Digits behind the point."""
    share: bool = False
    """Whether it is written in percent."""
    most: bool = False
    """Whether it is only a bound, `<= 1e-9`."""

    def met_by(self, number: Number) -> bool:
        """Whether a measured number lies within three standard errors, or rounds to the same."""
        if self.most:
            return number.value <= self.value
        unit = 10.0 ** -self.places / (100 if self.share else 1)
        near = WITHIN * math.hypot(self.error, number.error) + unit / 2
        return abs(number.value - self.value) <= near * (1 + 1e-9)


@dataclass(frozen=True)
class Wanted:
    """One row of the table: a number that is measured for a claim."""

    name: str
    """As a condition calls it."""
    words: str
    """The measure and what it is given: `right lenet_mnist shift:4,4`."""
    shipped: Expected | None
    """What the shipped inputs give."""
    whole: Expected | None
    """What all test inputs give, where they are there; the same where the number hangs on no inputs."""
    elsewhere: str = ""
    """What others have measured, on their networks."""

    def expected(self, whole: bool) -> Expected | None:
        """What all test inputs, or those that come with the app, should give."""
        return self.whole if whole else self.shipped


@dataclass(frozen=True)
class Claim:
    """A sentence of the article, put to the test."""

    name: str
    """That of its file."""
    row: str
    """Its number in the table of claims: `C8`."""
    title: str
    verdict: str
    quote: str
    """The article's own words; empty where it only implies the sentence."""
    implied: str
    """What it implies, where it does not say so."""
    models: tuple[str, ...]
    """What is looked at, side by side."""
    sample: str
    edits: tuple[str, ...]
    """What is done to the input of all of them."""
    view: str
    at: str
    numbers: tuple[Wanted, ...]
    decides: tuple[str, ...]
    """Conditions on the numbers, as they are written."""
    misconception: str
    correction: str
    """One sentence that holds."""
    source: str
    unshown: str
    """Why it has no demonstration; empty for one that has."""

    @property
    def about(self) -> str:
        """The letter of its part of the article."""
        return self.row[0]

    @property
    def rank(self) -> tuple[int, int]:
        """Where it stands in the order of the article."""
        return list(PARTS).index(self.about), int(self.row[1:])


@dataclass(frozen=True)
class Judged:
    """A claim with its numbers."""

    claim: Claim
    numbers: Mapping[str, Number]
    broken: tuple[str, ...]
    """Conditions that do not hold."""

    @property
    def verdict(self) -> str:
        """In words, in the language that is spoken."""
        return translated(OTHERWISE if self.broken else VERDICTS[self.claim.verdict])


# --- told -----------------------------------------------------------------------------------------------------------

def lines(found: Judged, whole: bool) -> list[str]:
    """What is said of a claim on a terminal: the article's words, the verdict, each number beside the expected one."""
    claim = found.claim
    said = [f"{claim.row} {claim.name}: {found.verdict}", f"  “{claim.quote}”" if claim.quote else f"  {claim.implied}"]
    if claim.unshown:
        said.append(f"  {claim.unshown}")
    rows = [(each.name, number_of(found.numbers[each.name], each.expected(whole)), *_against(each, found, whole))
            for each in claim.numbers]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    said += ["  " + "  ".join(word.ljust(width) for word, width in zip(row, (*widths, 0), strict=True)).rstrip()
             for row in rows]
    said += [f"  {translated(OTHERWISE)}: {condition}" for condition in found.broken]
    return [*said, f"  {claim.correction}"]


def _against(wanted: Wanted, found: Judged, whole: bool) -> tuple[str, str]:
    """What is expected, and whether that is missed."""
    expected = wanted.expected(whole)
    if expected is None:
        return "", ""
    return (expected_of(expected), "" if expected.met_by(found.numbers[wanted.name]) else translated(MISSED))


def number_of(number: Number, like: Expected | None) -> str:
    """A number as a person reads it, in the manner of what is expected: `17.3 ± 1.9 %`."""
    return numeral(_number(number, like))


def expected_of(like: Expected) -> str:
    """The same of what is expected."""
    return numeral(written(like))


def written(like: Expected) -> str:
    """What is expected as it stands in a file, which `expected` reads."""
    return f"<= {like.value:.3g}" if like.most else _number(Number(like.value, like.error), like)


def _number(number: Number, like: Expected | None) -> str:
    if like is None or like.most:
        return f"{number.value:.3g}"
    scale, places, sign = (100, like.places, " %") if like.share else (1, like.places, "")
    spread = f" ± {number.error * scale:.{places}f}" if number.error else ""
    return f"{number.value * scale:,.{places}f}{spread}{sign}"


def plain(found: Judged, whole: bool) -> dict[str, Any]:
    """The same for programs."""
    claim = found.claim
    numbers = [{"name": each.name, "measure": each.words, **found.numbers[each.name].plain, "elsewhere": each.elsewhere,
                "expected": None if (like := each.expected(whole)) is None else
                {"value": like.value, "error": like.error, "most": like.most},
                "met": like is None or like.met_by(found.numbers[each.name])} for each in claim.numbers]
    return {"name": claim.name, "row": claim.row, "about": PARTS[claim.about], "title": claim.title,
            "says": claim.quote or claim.implied, "verdict": claim.verdict, "stands": not found.broken,
            "broken": list(found.broken), "numbers": numbers, "correction": claim.correction,
            "misconception": claim.misconception, "source": claim.source, "not_shown": claim.unshown}


# --- reading --------------------------------------------------------------------------------------------------------

def claims() -> tuple[Claim, ...]:
    """All claims that come with the app, in the order of the article."""
    return tuple(sorted(map(read, registry.files("assets", "claims/*.md")), key=lambda claim: claim.rank))


def find(name: str) -> Claim:
    """The claim of that name or row; raises LookupError with one sentence."""
    for claim in claims():
        if name in (claim.name, claim.row):
            return claim
    raise LookupError(tr("There is no claim {name!r}; there are {known}."
                         ).format(name=name, known=", ".join(claim.name for claim in claims())))


@cache
def read(path: Path) -> Claim:
    """A claim from its file; raises Refused with the line and what is wrong with it."""
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        raise Refused(tr("{file} is longer than a claim can be; one file holds one claim.").format(file=path.name))
    try:
        return parse(path.stem, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(tr("{file} is no text in UTF-8; save it so.").format(file=path.name)) from error
    except ValueError as error:
        raise Refused(tr("{name}: {why}.").format(name=path.name, why=error)) from error


FRONT = re.compile(r"---\n(?P<front>.*?)\n---\n(?P<body>.*)", re.DOTALL)
FIELDS = ("row", "title", "verdict", "models", "input", "what-if", "view", "at")
SECTIONS = ("Measured", "Decides", "Misconception", "Correction", "Source", "Not shown")


def parse(name: str, text: str) -> Claim:
    """A claim from its text; raises ValueError, one sentence without its full stop, with the line."""
    found = FRONT.fullmatch(text.replace("\r\n", "\n"))
    if found is None:
        raise ValueError("line 1: it does not begin with a front matter between two lines of ---")
    front = _front(found["front"])
    start = found["front"].count("\n") + 4
    sections = _sections(found["body"], start)
    opening = " ".join(sections[""][1].split())
    quoted = re.fullmatch(r'> [“"](.+)[”"]', opening)
    numbers = tuple(_row(line, words) for line, words in _rows(*sections.get("Measured", (0, ""))))
    first, listed = sections.get("Decides", (0, ""))
    conditions = {line.strip()[2:]: number for number, line in enumerate(listed.splitlines(), first)
                  if line.strip().startswith("- ")}
    decides = tuple(conditions)
    for condition, line in conditions.items():
        _checked(condition, {number.name for number in numbers}, line)
    said = {title: " ".join(words.split()) for title, (_, words) in sections.items()}
    return Claim(name, front["row"], front["title"], front["verdict"], quoted[1] if quoted else "",
                 "" if quoted else opening.removeprefix("> "), _words(front.get("models", "")), front.get("input", ""),
                 tuple(front.get("what-if", "").split()), front.get("view", ""), front.get("at", ""), numbers, decides,
                 said.get("Misconception", ""), said.get("Correction", ""), said.get("Source", ""),
                 said.get("Not shown", ""))


def _front(text: str) -> dict[str, str]:
    front: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 2):
        key, colon, value = line.partition(":")
        if not colon or key not in FIELDS:
            raise ValueError(f"line {number}: {line!r} is none of {', '.join(FIELDS)}, followed by a colon")
        front[key] = value.strip()
    for key in FIELDS[:3]:
        if not front.get(key):
            raise ValueError(f"line 1: the front matter lacks {key}")
    if front["verdict"] not in VERDICTS:
        raise ValueError(f"line 1: the verdict is {front['verdict']!r}, and none of {', '.join(VERDICTS)}")
    if not re.fullmatch(r"[CRX]\d{1,2}", front["row"]):
        raise ValueError(f"line 1: the row {front['row']!r} is none such as C8")
    return front


def _sections(body: str, start: int) -> dict[str, tuple[int, str]]:
    """What stands under each heading, with the line at which it begins; under no heading the words of the article."""
    found: dict[str, tuple[int, str]] = {"": (start, "")}
    title = ""
    for number, line in enumerate(body.splitlines(), start):
        if line.startswith("## "):
            title = line[3:].strip()
            if title not in SECTIONS:
                raise ValueError(f"line {number}: {title!r} is none of the headings {', '.join(SECTIONS)}")
            found[title] = number + 1, ""
        else:
            first, words = found[title]
            found[title] = first, words + line + "\n"
    if not found[""][1].strip().startswith(">"):
        raise ValueError(f"line {start}: the words of the article do not follow as a quotation")
    return found


def _rows(start: int, table: str) -> list[tuple[int, list[str]]]:
    """The rows of a table below its heading and its rule."""
    found = [(number, [cell.strip() for cell in line.strip().strip("|").split("|")])
             for number, line in enumerate(table.splitlines(), start) if line.strip().startswith("|")]
    return found[2:]


def _row(number: int, cells: list[str]) -> Wanted:
    if len(cells) not in (4, 5) or not cells[0] or not cells[1]:
        raise ValueError(f"line {number}: a row has a number, its measure, what 400 and what 10,000 inputs give, and "
                         "what others measured")
    try:
        shipped, whole = expected(cells[2]), expected(cells[3])
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None
    return Wanted(cells[0], cells[1].strip("`"), shipped, whole, cells[4] if len(cells) == 5 else "")


EXPECTED = re.compile(r"(?P<most><= ?)?(?P<value>[−-]?[\d,]+(?:\.(?P<places>\d+))?(?P<power>e-?\d+)?)"
                      r"(?: ± (?P<error>\d+(?:\.\d+)?))?(?P<share> %)?")


def expected(cell: str) -> Expected | None:
    """What a cell says is expected: `17.9 ± 0.4 %`, `0.74 ± 0.02`, `<= 1e-9`; None for `—`; ValueError."""
    if cell in ("—", ""):
        return None
    found = EXPECTED.fullmatch(cell)
    if found is None:
        raise ValueError(f"{cell!r} is no number such as 17.9 ± 0.4 %")
    scale = 0.01 if found["share"] else 1.0
    value = float(found["value"].replace(",", "").replace("−", "-"))
    return Expected(value * scale, float(found["error"] or 0) * scale, len(found["places"] or ""),
                    bool(found["share"]), bool(found["most"]))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text) if word)


def words_of(claim: Claim) -> tuple[str, ...]:
    """All its words that are shown in the language that is spoken; the article's own stay as they are."""
    found = (claim.title, claim.implied, claim.misconception, claim.correction, claim.unshown,
             *(wanted.name for wanted in claim.numbers))
    return tuple(filter(None, found))


# --- judging --------------------------------------------------------------------------------------------------------

CONDITION = re.compile(r"(?P<left>.+?) (?P<sign><=|>=|<|>|=) (?P<right>.+)")
TERM = re.compile(r"(?:(?P<factor>\d+(?:\.\d+)?) × )?`(?P<name>[^`]+)`"
                  r"|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)(?P<share> %)?")


def judged(claim: Claim, numbers: Mapping[str, Number]) -> Judged:
    """A claim with its numbers, and the conditions that do not hold of them."""
    return Judged(claim, numbers, tuple(each for each in claim.decides if not holds(each, numbers)))


def holds(condition: str, numbers: Mapping[str, Number]) -> bool:
    """Whether `` `moved` < 0.5 × `in place` `` holds: two numbers are equal that lie within three standard errors, or a
    hundredth of each other."""
    left, sign, right = _taken_apart(condition)
    one, other = _value(left, numbers), _value(right, numbers)
    if sign == "=":
        near = max(WITHIN * math.hypot(one.error, other.error), 0.01 * max(abs(one.value), abs(other.value)))
        return abs(one.value - other.value) <= near
    return {"<": one.value < other.value, ">": one.value > other.value, "<=": one.value <= other.value,
            ">=": one.value >= other.value}[sign]


def _value(term: re.Match[str], numbers: Mapping[str, Number]) -> Number:
    if term["name"] is None:
        return Number(float(term["number"]) * (0.01 if term["share"] else 1.0))
    factor, found = float(term["factor"] or 1), numbers[term["name"]]
    return Number(factor * found.value, factor * found.error, found.of)


def _taken_apart(condition: str) -> tuple[re.Match[str], str, re.Match[str]]:
    found = CONDITION.fullmatch(condition)
    left, right = (TERM.fullmatch(found[side]) for side in ("left", "right")) if found else (None, None)
    if found is None or left is None or right is None:
        raise ValueError(f"{condition!r} is no condition such as `moved` < 0.5 × `in place`")
    return left, found["sign"], right


def named(condition: str) -> set[str]:
    """The names of the numbers in a condition; raises ValueError where it is none."""
    left, _, right = _taken_apart(condition)
    return {term["name"] for term in (left, right) if term["name"] is not None}


def _checked(condition: str, names: set[str], line: int) -> None:
    try:
        missing = named(condition) - names
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from None
    if missing:
        raise ValueError(f"line {line}: no row of the table is called {min(missing)!r}")
