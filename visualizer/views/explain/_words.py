"""What is said of it: the sentence, the page of the inspector, the table."""


from __future__ import annotations

import numpy as np

from visualizer.kinds.attribution import COMPLETE, METHODS
from visualizer.language import tr, translated
from visualizer.said import said, unplaced
from visualizer.scene import numbers
from visualizer.scene.picture import (
    Focus,
    Look,
    Mark,
    Picture,
    Table,
    Text,
    plain,
)
from visualizer.scene.timeline import Moment
from visualizer.scene.type import wrap
from visualizer.trace import Trace, remembered
from visualizer.views.explain._maps import tile, whole_pixels
from visualizer.views.explain._seen import ANSWERS, BEATS, MARKED, NAMES, RANDOM, Seen, seen_at


def sentence(seen: Seen) -> str:
    name = translated(NAMES[seen.method])
    if seen.now < BEATS and seen.method == "occlusion":
        windows = np.asarray(seen.arrays["windows"])
        return tr("The window has stood at {now} of {all} places; what each takes off the score is kept.").format(
            now=said(numbers.count(seen.windows), "windows hidden", layer=seen.name, step=seen.now),
            all=seen.value(numbers.count(windows.size), "windows", quantity="how many in all"))
    if seen.now < BEATS:
        at = int(np.asarray(seen.arrays["path_at"])[seen.frame])
        total = float(np.asarray(seen.arrays["path_sums"])[at])
        return tr("Step {now} of {all} from the baseline to the input: integrated gradients have gathered {{{sum}}} of "
                  "{whole}.").format(
            now=seen.value(str(at), "path_at", seen.frame), all=seen.value(str(seen.wish.path), "path_at",
                                                                           quantity="largest"),
            sum=seen.value(numbers.number(total), "path_sums", at),
            whole=seen.value(numbers.number(float(np.asarray(seen.arrays["score"]) - np.asarray(seen.arrays["blank"]))),
                             "score", quantity="score less that of the baseline"))
    marked = min(MARKED, len(seen.counts) - 1)
    own, chance = (np.asarray(seen.arrays[f"deleted/{each}"], np.float64) for each in (seen.method, RANDOM))
    words = {"count": seen.value(str(seen.counts[marked]), "counts", marked), "name": name, "label": seen.label,
             "before": seen.chance(float(own[0]), f"deleted/{seen.method}", 0),
             "after": seen.chance(float(own[marked]), f"deleted/{seen.method}", marked),
             "random": seen.chance(float(chance[marked]), f"deleted/{RANDOM}", marked)}
    if seen.ends.chooses:
        return tr("Erase the {count} places that {name} ranks highest: p({label}) goes from {before} to {{{after}}}; "
                  "as many by chance leave {random}.").format(**words)
    return tr("Erase the {count} places that {name} ranks highest: the answer goes from {before} to {{{after}}}; as "
              "many by chance leave {random}.").format(**words)


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says: the method, the place that is marked, and what all shares come to."""
    seen = seen_at(trace, moment, focus, look)
    if seen is None or not seen.arrays:
        return None
    title = translated(NAMES[seen.method])
    marks: list[Mark] = [Text(24, 27, plain(title), 16, 600, max_width=240)]
    y = 34.0
    for line in wrap(plain(translated(ANSWERS[seen.method])), 13, 240, 400):
        y += 19.5
        marks.append(Text(24, y, line, 13, 400, "ink-2"))
    key, values = f"maps/{seen.method}", np.asarray(seen.arrays[f"maps/{seen.method}"], np.float64)
    rows = [(tr("explained"), seen.label if int(seen.arrays["against"]) < 0 else tr("{one} rather than {other}").format(
        one=seen.label, other=seen.named("against"))),
            (tr("for it"), seen.value(numbers.signed(float(values[values > 0].sum())), key,
                                      quantity="what is above 0 of a map")),
            (tr("against it"), seen.value(numbers.signed(float(values[values < 0].sum())), key,
                                          quantity="what is below 0 of a map")),
            (tr("sum"), seen.value(numbers.number(float(values.sum()), 3), key, quantity="sum of a map")),
            (tr("score less that of the baseline"), seen.value(
                numbers.number(float(np.asarray(seen.arrays["score"]) - np.asarray(seen.arrays["blank"])), 3), "score",
                quantity="score less that of the baseline")),
            *([(tr("apart"), seen.value(numbers.number(abs(float(values.sum()) - _less(seen)), 3), key,
                                        quantity="gap of completeness"))]
              if seen.method in (*COMPLETE, "times_input") else [])]
    if len(seen.ends.places) == 2:
        high, wide = seen.ends.places
        cell = max(0.5, whole_pixels(min(232 / wide, 232 / high), look))
        marks += tile(seen, seen.method, 24, y + 12, cell, look)
        y += 12 + cell * high
    y += 14
    y = _facts(marks, rows, y)
    if seen.place is not None and _is_place(seen):
        y += 34
        marks.append(Text(24, y, plain(tr("The marked place")), 13, 600))
        y = _facts(marks, [(translated(NAMES[method]), seen.value(
            numbers.signed(float(np.asarray(seen.arrays[f"maps/{method}"])[seen.place]), 3), f"maps/{method}",
            *seen.place)) for method in seen.methods], y)
    y += 34
    marks.append(Text(24, y, plain(tr("Which one answers what")), 13, 600))
    for method in seen.methods:
        y += 24
        marks.append(Text(24, y, plain(translated(NAMES[method])), 12, 600))
        for line in wrap(plain(translated(ANSWERS[method])), 12, 240, 400):
            y += 16
            marks.append(Text(24, y, line, 12, 400, "ink-2"))
    told = _no_meaning(seen)
    if told:
        y += 34
        marks.append(Text(24, y, plain(tr("What has no meaning here")), 13, 600))
    for words in told:
        y += 6
        for line in wrap(plain(words), 12, 240, 400):
            y += 16
            marks.append(Text(24, y, line, 12, 400, "ink-2"))
    return Picture((280, round(y + 14)), tuple(marks), (), look.theme, "window", caption=title,
                   table=Table((tr("what"), tr("value")), tuple((name, unplaced(words)) for name, words in rows)))


def _less(seen: Seen) -> float:
    return float(np.asarray(seen.arrays["score"]) - np.asarray(seen.arrays["blank"]))


def _no_meaning(seen: Seen) -> list[str]:
    """Why a method is not there, or what of it means little here: one sentence each."""
    why = {"grad_cam": tr("Grad-CAM weighs the maps of a convolution; there is none here with places."),
           "guided": tr("Guided backpropagation changes what a ReLU hands back; there is none here."),
           "deeplift": tr("DeepLIFT adds up exactly only behind sums, largest of windows and bends of one number, and "
                          "for a logit; here it does not."),
           "left_out": tr("There are too many places to leave each out.")}
    told = [words for method, words in why.items() if method not in seen.methods]
    if seen.ends.symbols:
        told.append(tr("Where a symbol is hidden or left out, zeros stand in place of its vector: no symbol is read "
                       "so."))
    return told


def _facts(marks: list[Mark], rows: list[tuple[str, str]], y: float) -> float:
    for name, words in rows:
        y += 22
        marks += [Text(24, y, plain(name), 13, 400, "ink-2", max_width=164),
                  Text(264, y, plain(words), 13, 600, "ink", "end", max_width=110)]
    return y


@remembered(4)
def _rows_of(trace: Trace, name: str) -> tuple[tuple[float | str, ...], ...]:
    """One row a place: its value by each method."""
    arrays = trace.studies[name]
    methods = [method for method in METHODS if f"maps/{method}" in arrays]
    maps = [np.asarray(arrays[f"maps/{method}"], np.float64) for method in methods]
    return tuple((*(int(at) for at in place), *(float(values[place]) for values in maps))
                 for place in np.ndindex(maps[0].shape))


def table(seen: Seen) -> Table:
    heads = (tr("row"), tr("column")) if len(seen.ends.places) == 2 else (tr("step"),)
    return Table((*heads, *(translated(NAMES[method]) for method in seen.methods)), _rows_of(seen.trace, seen.name))


def tip(trace: Trace, moment: Moment, focus: Focus, look: Look) -> str:
    """What each method says of the place that is pointed at."""
    seen = seen_at(trace, moment, focus, look)
    if seen is None or not seen.arrays or seen.place is None or not _is_place(seen):
        return ""
    where = tr("row {row}, column {column}").format(row=seen.place[0], column=seen.place[-1]) \
        if len(seen.place) == 2 else tr("step {step}").format(step=seen.place[0] + 1)
    return "\n".join([where, *(f"{translated(NAMES[method])}: " + numbers.signed(
        float(np.asarray(seen.arrays[f"maps/{method}"])[seen.place]), 3) for method in seen.methods)])


def _is_place(seen: Seen) -> bool:
    return seen.place is not None and all(at < side for at, side in zip(seen.place, seen.ends.places, strict=True))
