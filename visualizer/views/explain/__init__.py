"""Why this answer: how much each place of the input counts for a score, by several methods side by side; the same of
random weights, how far the methods agree, and what is left of the answer when the places that count most are erased."""
from __future__ import annotations

from visualizer.kinds import attribution
from visualizer.kinds.attribution import BLUR, LOGIT, MEAN, METHODS, NOTHING, PROBABILITY, STUDY
from visualizer.language import english, tr
from visualizer.scene import logchart, parts
from visualizer.scene.boxes import Box, split
from visualizer.scene.picture import Focus, Group, Line, Look, Picture, grouped, unmarked
from visualizer.scene.projector import begins
from visualizer.scene.timeline import Beat, Moment, Timeline
from visualizer.trace import Trace
from visualizer.views import GRADIENTS, View
from visualizer.views.explain._compared import agreement, scatter, test
from visualizer.views.explain._maps import columns, rows
from visualizer.views.explain._rail import rail
from visualizer.views.explain._seen import BEATS, GAP, LEFT, TOP, WALK, seen_at, wish_of
from visualizer.views.explain._words import page, sentence, table, tip


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The maps of a score, their control, their agreement and their test."""
    seen = seen_at(trace, moment, focus, look)
    if seen is None:
        return logchart.unmeasured(look, tr("Explain"), tr("How much each place counts for a score"))
    if not seen.arrays:
        return logchart.unmeasured(look, tr("Explain"), "", tr("None of the methods suits this network."))
    told = sentence(seen)
    box = Box(LEFT, begins(look, TOP), look.size[0] - LEFT, look.size[1] - 12)
    marks = list(parts.sentence(look, told))
    upper, lower = split(box, "top", box.height * (0.56 if look.mode.charts else 0.97), 14)
    flat = len(seen.ends.places) == 1
    marks += rows(seen, look, upper) if flat else columns(seen, look, upper)
    if look.mode.charts:
        marks.append(Line(((0, lower.top - 7), (look.size[0], lower.top - 7)), "hair"))
        left, rest = split(lower, "left", min(400.0, lower.width * 0.42), GAP)
        right: Box | None = rest
        marks += grouped(Group(tr("agreement")), agreement(seen, look, left))
        if seen.pair is not None:
            beside, right = split(rest, "left", 250.0, GAP) if rest.width > 560 else (rest, None)
            marks += grouped(Group(tr("two maps")), scatter(seen, look, beside))
        if right is not None:
            marks += grouped(Group(tr("test of the maps")), test(seen, look, right))
    return Picture(look.size, (), tuple(marks), look.theme, caption=unmarked(told), table=table(seen))


def walk(trace: Trace) -> tuple[Beat, ...]:
    """From nothing to the whole map."""
    return tuple(_beat(trace, number) for number in range(BEATS + 1))


def _beat(trace: Trace, number: int) -> Beat:
    return Beat(trace.layers[0].name, doing=WALK, number=number, quick=True,
                words=english("from the baseline to the input"))


def _telling(trace: Trace, times: Timeline) -> str:
    """Where all is there."""
    return _beat(trace, BEATS).address


def digit(trace: Trace, number: int) -> tuple[str, str] | None:
    """Which knob a digit turns, and to which word: the class of that number."""
    ends = attribution.ends(trace)
    return ("class", str(number)) if ends is not None and ends.chooses and number < ends.scores.shape[-1] else None


VIEW = View(
    "explain", english("Explain"), english("How much each place of the input counts for an answer, by several "
                                                  "methods, with the control of random weights."),
    suits=lambda trace: attribution.ends(trace) is not None, draw=draw, telling=_telling, order=46, group=GRADIENTS,
    page=page, continuous=False, studies=(STUDY,), words=lambda look: wish_of(look).words, instead=walk, digit=digit,
    rail=rail, tip=tip,
    knobs=(("class", ()), ("contrast", ("off", "on")), ("scored", (LOGIT, PROBABILITY)),
           ("baseline", (NOTHING, MEAN, BLUR)), ("path", ("64", "16", "256")), ("hidden", ("5", "3", "7")),
           ("method", ("integrated", *(method for method in METHODS if method != "integrated"))),
           ("curve", ("erase", "insert")), ("pair", ())),
    tries=english("Press the digit of another class: what speaks for that one?"),
)
