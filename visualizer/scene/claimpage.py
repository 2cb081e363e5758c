"""The page of a claim: the article's words, the verdict, and every number that decides it, measured beside expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from visualizer import card, claims
from visualizer.claims import Claim, Expected, Judged, Number, Wanted
from visualizer.language import english, in_quotes, tr, translated
from visualizer.scene.picture import Focus, Group, Line, Look, Mark, Picture, Rect, Run, Table, Text, grouped, plain
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import SHARE, Place, State
from visualizer.scene.type import plain_lines, width

COMPARE = "compare"
"""How a claim says that its networks are compared."""
LIST = "claim"
"""The `array` of a focus on the list: a click goes to that claim."""
WIDE, NARROW, ROW = 268.0, 212.0, 44.0
"""Width of the list in wide and in narrow windows; height of one claim in it."""
BAR = 132.0
"""Width of the bars; what is measured ends at their right."""
MOST_APART = 100.0
"""Counts that are further apart have no bars: of the smallest nothing would be seen."""
COLUMNS = ((20, english("measured")), (140, english("expected")), (270, english("all test inputs")),
           (400, english("elsewhere")))
"""Where they begin, from the end of the bars."""
LINE = 27.0
"""Height of one number."""


@dataclass(frozen=True)
class Page:
    """What is shown of the claims."""

    known: tuple[Claim, ...]
    chosen: int = 0
    numbers: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)
    """What was measured of each claim so far, by its name."""
    whole: bool = False
    """Whether on all test inputs."""
    asking: bool = False
    """The class is asked first: verdict, numbers and correction are hidden."""

    @property
    def claim(self) -> Claim:
        return self.known[self.chosen]

    @property
    def found(self) -> Mapping[str, Number]:
        """What was measured of the chosen one so far."""
        return self.numbers.get(self.claim.name, {})

    @property
    def judged(self) -> Judged | None:
        """The chosen one with its numbers; None until all are there."""
        there = all(wanted.name in self.found for wanted in self.claim.numbers)
        return claims.judged(self.claim, self.found) if there else None


def draw(page: Page, look: Look) -> Picture:
    """The list at the left, the chosen claim beside it."""
    wide = WIDE if look.size[0] >= 1200 else NARROW if look.size[0] >= 760 else 0.0
    marks = grouped(Group(tr("claims")), _list(page, wide, look.size[1])) if wide else []
    x = wide + 28
    room = look.size[0] - x - 28
    y, head = _head(page, x, room)
    marks += head
    if page.claim.unshown:
        y = _words(marks, tr("Not tested"), translated(page.claim.unshown), x, y + 12, room)
    elif not page.asking:
        y = _numbers(marks, page, x, y + 8, room)
    if page.asking:
        _words(marks, tr("What do you think?"),
               tr("Does this sentence hold, does it need a correction, or is it wrong?"), x, y + 12, room)
    else:
        y = _words(marks, tr("Often believed"), translated(page.claim.misconception), x, y + 14, room)
        y = _words(marks, tr("What holds"), translated(page.claim.correction), x, y + 10, room, "ink")
        y = _words(marks, tr("Source"), page.claim.source, x, y + 10, room)
    return Picture(look.size, tuple(marks), (), look.theme, caption=caption(page), table=_table(page))


def caption(page: Page) -> str:
    """The article's words, the verdict, and what was measured, as one text."""
    claim = page.claim
    said = in_quotes(claim.quote) if claim.quote else translated(claim.implied)
    if page.asking:
        return said
    told = [said, f"{_verdict(page)}."]
    told += [f"{translated(wanted.name)}: {claims.number_of(page.found[wanted.name], wanted.expected(page.whole))}."
             for wanted in claim.numbers if wanted.name in page.found]
    return " ".join((*told, translated(claim.correction)))


# --- the list -------------------------------------------------------------------------------------------------------

def _list(page: Page, wide: float, high: float) -> list[Mark]:
    """Those around the chosen one, under the part of the article that they belong to."""
    rows: list[tuple[str, int]] = []
    for index, claim in enumerate(page.known):
        if not index or page.known[index - 1].about != claim.about:
            rows.append((claim.about, -1))
        rows.append(("", index))
    shown = max(1, int((high - 24) // ROW))
    here = next(place for place, (_, index) in enumerate(rows) if index == page.chosen)
    first = min(max(0, here - shown // 2), max(0, len(rows) - shown))
    marks: list[Mark] = [Rect(0, 0, wide, high, "sunk")]
    for place, (about, index) in enumerate(rows[first:first + shown]):
        y = 12 + place * ROW
        if index < 0:
            marks.append(Text(16, y + 27, plain(translated(claims.PARTS[about])), 12, 600, "ink-2",
                              max_width=wide - 24))
            continue
        claim, focus = page.known[index], Focus(page.known[index].name, (), LIST)
        if index == page.chosen:
            marks += [Rect(6, y, wide - 12, ROW - 2, "tint", radius=8),
                      Rect(6, y + 8, 3, ROW - 18, "accent", radius=1.5)]
        marks.append(Rect(6, y, wide - 12, ROW - 2, radius=8, focus=focus, tip=translated(claim.title)))
        marks += sign(verdict_of(page, index), 26, y + ROW / 2 - 1, 8)
        marks.append(Text(44, y + 18, plain(translated(claim.title)), 13, 600 if index == page.chosen else 500, "ink",
                          max_width=wide - 56))
        marks.append(Text(44, y + 34, plain(_verdict_words(page, index)), 12, 400, "ink-2", max_width=wide - 56))
    return marks


def verdict_of(page: Page, index: int) -> str:
    """The verdict of a claim, `otherwise` where what was measured contradicts it, empty while it is hidden or none was
    tried."""
    claim = page.known[index]
    if claim.unshown or (page.asking and index == page.chosen):
        return ""
    found = page.numbers.get(claim.name, {})
    if len(found) == len(claim.numbers) and claims.judged(claim, found).broken:
        return "otherwise"
    return claim.verdict


def _verdict_words(page: Page, index: int) -> str:
    claim = page.known[index]
    if claim.unshown:
        return tr("Not tested")
    if page.asking and index == page.chosen:
        return tr("Ask first")
    found = verdict_of(page, index)
    return translated(claims.OTHERWISE if found == "otherwise" else claims.VERDICTS[found])


def sign(verdict: str, x: float, y: float, radius: float) -> list[Mark]:
    """A tick for what holds, a wave for what is not quite so, a cross for what is not; hatched for what is not known.
    Each has a form of its own, so that colour says nothing alone."""
    box = (x - radius, y - radius, 2 * radius, 2 * radius)
    if not verdict:
        return [Rect(*box, "hatch", "rule", radius=radius)]
    fill = {claims.RIGHT: "accent", claims.NOT_QUITE: "ink-2"}.get(verdict, "negative-bar")
    part = radius / 8
    corners = {claims.RIGHT: ((-3.5, 0), (-1, 3), (4, -3)), claims.WRONG: ((-3, -3), (3, 3)),
               claims.NOT_QUITE: ((-4, 1.5), (-2, -1.5), (0, 0), (2, 1.5), (4, -1.5))}.get(verdict, ((0, -4), (0, 1)))
    marks: list[Mark] = [Rect(*box, fill, radius=radius)]
    marks.append(Line(tuple((x + dx * part, y + dy * part) for dx, dy in corners), "stage", 1.8 * part))
    if verdict == claims.WRONG:
        marks.append(Line(((x - 3 * part, y + 3 * part), (x + 3 * part, y - 3 * part)), "stage", 1.8 * part))
    if verdict == "otherwise":
        marks.append(Rect(x - part, y + 3 * part, 2 * part, 2 * part, "stage"))
    return marks


# --- the claim ------------------------------------------------------------------------------------------------------

def _verdict(page: Page) -> str:
    return _verdict_words(page, page.chosen)


def _head(page: Page, x: float, room: float) -> tuple[float, list[Mark]]:
    """The quotation and the verdict; where they end."""
    claim = page.claim
    said = in_quotes(claim.quote) if claim.quote else tr("The article, in other words: {words}").format(
        words=translated(claim.implied))
    y, marks = 46.0, list[Mark]()
    for line in plain_lines(said, 22, room, 600):
        marks.append(Text(x, y, plain(line), 22, 600))
        y += 29
    words = _verdict(page)
    badge = width(words, 14, 600) + 48
    y += 2
    fill = "alarm" if verdict_of(page, page.chosen) not in (claims.RIGHT, "") else "tint"
    marks += [Rect(x, y - 8, badge, 32, fill, radius=8), *sign(verdict_of(page, page.chosen), x + 18, y + 8, 8),
              Text(x + 34, y + 13, plain(words), 14, 600)]
    marks.append(Text(x + badge + 14, y + 13, plain(_measured(page)), 13, 400, "ink-2",
                      max_width=room - badge - 14))
    return y + 32, marks


def _measured(page: Page) -> str:
    """On what the numbers were taken, or how far one is."""
    claim, found = page.claim, page.found
    if claim.unshown or page.asking:
        return ""
    if not found:
        return tr("Expected numbers; nothing was measured on this computer yet.")
    if len(found) < len(claim.numbers):
        return tr("{done} of {count} numbers measured").format(done=len(found), count=len(claim.numbers))
    where = tr("all test inputs") if page.whole else tr("the inputs that come with the app")
    return tr("Measured on this computer, on {inputs}.").format(inputs=where)


def _numbers(marks: list[Mark], page: Page, x: float, y: float, room: float) -> float:
    """Each number: its name, a bar, what was measured, what is expected, what others have measured."""
    claim = page.claim
    name = min(330.0, max(width(translated(wanted.name), 13, 500) for wanted in claim.numbers) + 12, room * 0.36)
    left = x + name
    columns = [(left + BAR + by, translated(heading)) for by, heading in COLUMNS]
    for at, heading in columns:
        if at + 60 < x + room:
            marks.append(Text(at, y + 12, plain(heading), 12, 600, "ink-2"))
    y += 20
    largest = _largest(page)
    for wanted in claim.numbers:
        like, found = wanted.expected(page.whole), page.found.get(wanted.name)
        marks.append(Text(x, y + 17, plain(translated(wanted.name)), 13, 500, max_width=name - 10))
        marks += _bar(left, y + 5, wanted, like, found, largest)
        words = "—" if found is None else claims.number_of(found, like)
        met = found is None or like is None or like.met_by(found)
        marks.append(Text(columns[0][0], y + 17, plain(words if met else f"{words} !"), 13, 600,
                          "ink" if met else "negative-text", max_width=114))
        marks.append(Text(columns[1][0], y + 17, plain("" if like is None else claims.expected_of(like)), 13, 400,
                          "ink-2", max_width=124))
        others = ("" if wanted.whole is None else claims.expected_of(wanted.whole), wanted.elsewhere)
        for (at, _), said in zip(columns[2:], others, strict=True):
            if at + 60 < x + room:
                marks.append(Text(at, y + 17, plain(said), 13, 400, "ink-2", max_width=min(124, x + room - at)))
        y += LINE
    return y


def _kind(like: Expected | None) -> str:
    """Numbers of one kind share the scale of their bars."""
    if like is None or like.most:
        return ""
    return "share" if like.share else "count" if not like.places else "value"


def _largest(page: Page) -> dict[str, float]:
    """The end of the bars of each kind: 1 of shares, the largest number of the others."""
    found: dict[str, float] = {"share": 1.0}
    for wanted in page.claim.numbers:
        like = wanted.expected(page.whole)
        if like is not None and _kind(like) in ("count", "value"):
            found[_kind(like)] = max(found.get(_kind(like), 0.0), abs(like.value))
    counts = [like.value for wanted in page.claim.numbers if (like := wanted.expected(page.whole)) is not None
              and _kind(like) == "count"]
    if counts and max(counts) > MOST_APART * max(min(counts), 1.0):
        del found["count"]
    return found


def _bar(x: float, y: float, wanted: Wanted, like: Expected | None, found: Number | None,
         largest: Mapping[str, float]) -> list[Mark]:
    """What was measured as a bar, what is expected as a tick with its three standard errors."""
    end = largest.get(_kind(like), 0.0)
    if like is None or not end:
        return []
    marks: list[Mark] = [Rect(x, y, BAR, 14, "sunk", radius=2)]
    if found is not None:
        marks.append(Rect(x, y, BAR * min(max(found.value / end, 0.0), 1.0), 14, "ink-2", radius=2))
    else:
        marks.append(Rect(x, y, BAR, 14, "hatch", radius=2))
    at = x + BAR * min(max(like.value / end, 0.0), 1.0)
    around = BAR * claims.WITHIN * like.error / end
    if around >= 1:
        marks.append(Line(((max(x, at - around), y - 2), (min(x + BAR, at + around), y - 2)), "accent", 2))
    marks.append(Line(((at, y - 4), (at, y + 18)), "accent", 2))
    return marks


def _words(marks: list[Mark], heading: str, said: str, x: float, y: float, room: float, ink: str = "ink-2") -> float:
    """A heading and what stands below it; where it ends."""
    if not said:
        return y
    marks.append(Text(x, y + 14, plain(heading), 12, 600, "accent-ink"))
    y += 14
    for line in plain_lines(said, 14, min(room, 860.0), 500 if ink == "ink" else 400):
        y += 20
        marks.append(Text(x, y, (Run(line),), 14, 500 if ink == "ink" else 400, ink))
    return y + 4


def _table(page: Page) -> Table:
    rows: Sequence[tuple[str | float | int, ...]] = () if page.asking else [
        (translated(wanted.name), "" if (found := page.found.get(wanted.name)) is None else found.value,
         "" if found is None else found.error, "" if (like := wanted.expected(page.whole)) is None else like.value,
         wanted.elsewhere) for wanted in page.claim.numbers]
    return Table((tr("number"), tr("measured"), tr("standard error"), tr("expected"), tr("elsewhere")), tuple(rows))


# --- where it is seen -----------------------------------------------------------------------------------------------

def demonstrated(state: State, claim: Claim) -> State:
    """The networks of a claim beside each other, each reading its input after what is done to it; in step where the
    claim compares them."""
    recipes = [ModelRecipe(name, (claim.sample,) if claim.sample else (), edits=claim.edits) for name in claim.models]
    compares = claim.view == COMPARE and len(recipes) > 1
    places = tuple(Place(recipe, card.bundled(recipe.model).view if claim.view == COMPARE else claim.view, claim.at,
                         look=state.look) for recipe in recipes)
    return replace(state, places=places, active=0, playing=False, compare=SHARE if compares else "", alone=0,
                   brought=())
