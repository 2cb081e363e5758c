"""Titles: what an input is called, `Test digit 4, turned by +30°`.

A recording holds its title in English, as files and programs read it, whatever language was spoken when it was made;
`told` says it in the language of the person who looks. Who gives inputs another title adds its form here.
"""

from __future__ import annotations

import re
from functools import cache

from visualizer.language import english, in_quotes, numeral, spoken, translated
from visualizer.trace import Sample

FORMS = (
    english("Digit {number}"), english("Test digit {number}"), english("Sample {number} of {count}"),
    english("Strip {number}: {numbers}"), english("Strip of {numbers}"), english("Sum {number}: {numbers}"),
    english("Echo {number}: {numbers}"), english("Recall {number}: {numbers}"), english("{file}, {count} characters"),
    english("Scene {number}: {numbers}"), english("Dot {number}: {numbers}"), english("Drawn by hand"),
    english("Random numbers"), english("Random numbers, seed {seed}"), english("no input"),
    english("Point {numbers}"), english("Drawn by chance, seed {seed}"),
    english("{file}, line {line}"), english("frame {number}"),
    english("as it is"), english("fitted to {rows} × {columns}"), english("inverted and fitted to {rows} × {columns}"),
    english("{file}, as it is"), english("{file}, its middle, {rows} × {columns}"),
    english("{file}, {rows} × {columns}, turned to white on black"), english("{file}, {count} frames"),
    english("{some} of its {count} frames, evenly spaced"), english("{count} frames"),
    english("the middle of each, {rows} × {columns}"), english("light and dark exchanged"),
    english("a wave made up for a first look: its file brings no numbers along"),
    english("{number}, which its name asks for"), english("the example in the file of the model"),
    english("{what}, {height} × {width}, values 0 … 1"), english("{what}, {height} × {width}"),
)
"""Of samples and files. In braces stands what is not said: numbers, names of files, and `what`, a title of its own."""
EDITED = (
    "blurred by {sigma}", "{share} % erased", "only number {number}, held", "{percent} % longer",
    "with {share} % noise", "{size} covered in the middle", "{size} covered at {right}, {down} from the middle",
    "{steps} empty behind it", "pixels permuted", "{share} % of the pixels permuted", "point drawn by seed {seed}",
    "once more", "{times} times more", "backwards", "turned by {degrees}°", "{percent} % smaller", "{percent} % larger",
    "shifted by {right}, {down}", "shifted by {right}", "order shuffled", "order shuffled to {share} %",
    "words shuffled", "{share} % of the words shuffled", "{place} is “{symbol}”", "{first} and {second} swapped",
    "unit {unit} of {layer} off", "before training", "told the right symbols",
)
"""What the edits say of themselves."""
ANYTHING = ("what", "file", "numbers", "symbol", "layer")
NUMBER = re.compile(r"[+-]?[\d,.]*\d")


def of(sample: Sample) -> str:
    """What a person reads of a sample: its title, or its name."""
    return told(sample.title or sample.name)


def step(word: str) -> str:
    """What a step reads: `frame 3` in the language that is spoken, and what else it is as it is."""
    return told(word) if word.startswith("frame ") else word


def told(title: str) -> str:
    """A title in the language that is spoken; what has none of the forms above stays as it is."""
    return _told(title) or title if spoken() else title


def _told(title: str) -> str:
    """The same, empty where nothing of it is known."""
    whole = _whole(title)
    if whole:
        return whole
    for comma in reversed(list(re.finditer(", ", title))):
        done = _whole(title[comma.end():])
        if done:
            return f"{told(title[:comma.start()])}, {done}"
    return ""


def _whole(title: str) -> str:
    """A title of one form, or a quoted text; else empty."""
    if len(title) > 2 and title[0] == "“" and title[-1] == "”":
        return in_quotes(title[1:-1])
    for form, pattern in _patterns():
        found = pattern.fullmatch(title)
        if found is not None:
            return translated(form).format(**{name: _fact(name, fact) for name, fact in found.groupdict().items()})
    return ""


def _fact(name: str, words: str) -> str:
    return told(words) if name == "what" else \
        numeral(words) if name == "numbers" or NUMBER.fullmatch(words) else words


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each form, and what finds it; those that begin with a fact, which may be anything, last."""
    return tuple((form, re.compile(_pattern(form)))
                 for form in sorted((*FORMS, *EDITED), key=lambda form: (form.startswith("{"), -len(form))))


def _pattern(form: str) -> str:
    """Of a number without a space; of a name of a file, or another title, anything."""
    parts = re.split(r"\{(\w+)\}", form)
    return "".join(re.escape(part) if place % 2 == 0 else
                   f"(?P<{part}>{'.+' if part in ANYTHING else r'[^ ,]+'})"
                   for place, part in enumerate(parts))
