"""Around the columns: the band behind the step of the beat, what each row is, and the loop of the folded cell."""

from __future__ import annotations

from functools import partial

import numpy as np

from visualizer.kinds.gates import symbol
from visualizer.language import counted_as, tr
from visualizer.said import said, tick
from visualizer.scene import colour, gatesigns, numbers, parts, sofar, step_inputs
from visualizer.scene.boxes import whole
from visualizer.scene.labels import row_name
from visualizer.scene.picture import Focus, Image, Look, Mark, Path, Points, Rect, Run, Text, plain, rich
from visualizer.scene.reading import Reading, blank_of, foretells, label, step_said, steps_said
from visualizer.scene.timeline import Moment, progress
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.views.unrolled._columns import ANSWERED, OPENED_BY, joined, top_of_states
from visualizer.views.unrolled._plan import LEFT, RIGHT, Plan, Track


def band(plan: Plan, look: Look) -> list[Mark]:
    """The tinted band behind the current step; it becomes the ground of the folded cell."""
    if plan.step <= 0:
        return []
    top = plan.inputs_y - 8
    x, wide = plan.cell_box(plan.step - 1)
    margin = 4 + 8 * plan.moved
    bottom = plan.tracks[-1].end + 10
    marks: list[Mark] = [Rect(x - margin, top, wide + 2 * margin, bottom - top, "tint", radius=8)]
    if look.projector:
        return marks
    lane = plan.open_x(plan.step - 1) - 4
    return [*marks, Rect(lane, plan.lane + 4, plan.tile + 8, look.size[1] - plan.lane - 8, "accent",
                         radius=8, opacity=0.13)]


def names(trace: Trace, plan: Plan, moment: Moment, look: Look) -> list[Mark]:
    """What each row is, at its left."""
    folded = plan.middle - plan.wide / 2 - 28
    x = LEFT - 16 + (folded - (LEFT - 16)) * plan.moved
    rows = [(plan.inputs_y + 20, tr("reads"), _what_is_read(plan, moment))]
    if plan.expects:
        title, words = (tr("would say"), tr("if it stopped there")) \
            if plan.answers is not None and not plan.answers.own else \
            (tr("expects next"), tr("bold when right")) if foretells(trace) else (tr("says"), tr("likeliest answer"))
        rows.append((plan.expects + 12, title, words))
    for track in plan.tracks:
        rows += _names_of(track, plan)
    marks: list[Mark] = []
    for y, title, words in rows:
        marks += row_name(x, y, rich(title), x - 4, 13)
        if words:
            marks += row_name(x, y + 16, plain(words), x - 4, 11, 400, "ink-2")
    size, weight = _gate_type(plan)
    for track in plan.tracks:
        names = gatesigns.titles({key: title for key, title, _ in track.shown.gates}, x, size, weight)
        for index, (key, title) in enumerate(names.items()):
            title = f"∂L/∂{symbol(key)}" if track.back else title
            marks += row_name(x, _gate_line(track, index), plain(title), x - 4, size, weight)
            room = x - width(title, size, weight) - 14
            if room > 10:
                marks += gatesigns.sign(key, room, _gate_line(track, index) - 4.5, 16)
        if len(plan.tracks) > 1:
            marks += joined(track, plan, look)
    return marks


def openings(plan: Plan, look: Look) -> list[Mark]:
    """How open each gate is at the current step, in numbers."""
    right, cell = plan.end + 8, plan.middle + plan.wide / 2 + 20
    right += (cell - right) * plan.moved
    if plan.track.back:
        return _sizes(plan, right)
    return [Text(right, _gate_line(track, index), plain(said(
        numbers.number(float(values[plan.now].mean())), "mean", track.shown.layer.name, (), plan.now, f"inner.{key}")),
                 *_gate_type(plan)) for track in plan.tracks
            if plan.step >= 1 and progress(track.read.of(plan.now), *OPENED_BY) == 1
            for index, (key, _, values) in enumerate(track.shown.gates)]


def _sizes(plan: Plan, right: float) -> list[Mark]:
    """How large the gradient of each gate is at the current step, at most of any unit, where it has come."""
    found: list[Mark] = []
    for track in plan.tracks:
        for index, (key, _, _) in enumerate(track.shown.gates):
            gradient = track.shown.layer.inner_gradients.get(key)
            if gradient is not None and track.arrived.of(plan.now) == 1:
                size, room = colour.largest(gradient[plan.now]), RIGHT - 12
                ways = numbers.significant(size, 2), numbers.power(size, 0)
                words = next((way for way in ways if width(way, *_gate_type(plan)) <= room), "")
                words = words and said(words, "largest size", track.shown.layer.name, (), plan.now,
                                       f"inner_gradients.{key}")
                found.append(Text(right, _gate_line(track, index), plain(words), *_gate_type(plan), "gradient-text"))
    return found


def answered(trace: Trace, plan: Plan, look: Look) -> list[Mark]:
    """At the right, what the network says after the step that is shown, or would say if it stopped there."""
    known = min((track.read.of(plan.now) for track in plan.tracks), default=0.0)
    if plan.answers is None or plan.step < 1 or progress(known, *ANSWERED) < 1 or plan.moved > 0:
        return []
    row, x = plan.answers.values[plan.now], plan.end + 8
    claim = partial(sofar.claim, trace, plan.shown, plan.answers, step=plan.now)
    if plan.answers.shares:
        best = int(np.argmax(row))
        share = said(numbers.percent(float(row[best]), 0), *claim("chance", best))
        name = tr("blank") if best == blank_of(trace) else said(
            label(trace, best), *claim("label", best))
        ways = [f"{name} {share}", share]
    else:
        ways = [said(numbers.number(float(row[0])), *claim("answer", 0))]
    words = next((way for way in ways if width(way, 13, 600) <= look.size[0] - x - 6), "")
    return [Text(x, plan.expects + 12, plain(words), 13, 600, "accent-ink")] if words else []


def _gate_line(track: Track, index: int) -> float:
    """Baseline of the words beside a gate."""
    return track.gates + track.gate_pitch * index + track.gate_high / 2 + 5


def _gate_type(plan: Plan) -> tuple[float, int]:
    """Size and weight of them: two directions stand closer."""
    return (13, 600) if len(plan.tracks) == 1 else (12, 500)


def _what_is_read(plan: Plan, moment: Moment) -> str:
    """A few words on what is read, where it is more than a word; on the way back on its gradient."""
    shown, source = plan.shown, plan.source
    if shown.padded:
        return tr("{steps} of {total} steps").format(steps=steps_said(shown), total=said(
            str(shown.total), "how many steps with padding", shown.layer.name))
    if moment.backward and plan.saliency is not None:
        return plan.saliency.words
    if source is None:
        return ""
    if source.kind == "numbers":
        count, of = source.values.shape[1], source.of
        words = counted_as(count, tr("{shape} number, ±{largest}"), tr("{shape} numbers, ±{largest}"))
        return words.format(shape=said(numbers.count(count), "length of axis", of, (1,)), largest=said(
            numbers.significant(source.largest, 2), "largest size", of))
    return tr("a row a step") if source.kind == "rows" and source.upright else tr("a column a step") \
        if source.kind == "rows" else tr("stretched")


def whole_picture(plan: Plan, look: Look) -> list[Mark]:
    """The picture that is read row by row, beside its rows."""
    source = plan.source
    if source is None or source.kind != "rows":
        return []
    rows, columns = source.values.shape if source.upright else source.values.shape[::-1]
    pixel = whole(min((RIGHT - 16) / columns, (plan.inputs_high - 18) / rows), look.pixel)
    if not pixel:
        return []
    x, folded = plan.end + 8, plan.middle + plan.wide / 2 + 28
    done = plan.track.read
    left, top = x + (folded - x) * plan.moved, plan.inputs_y + 30 * plan.moved
    over: list[Mark] = []
    if plan.saliency is not None:
        for step, seen in enumerate(plan.pulls[:len(source.values)]):
            if seen > 0:
                entries = plan.saliency.entries[step:step + 1]
                place = (left, top + step * pixel) if source.upright else (left + step * pixel, top)
                over.append(Image(*place, (pixel, pixel), np.ascontiguousarray(
                    entries[None] if source.upright else entries.T[None]), "gradient", border="", opacity=seen,
                    scale=plan.saliency.scale))
    return step_inputs.whole(source, left, top, pixel, len(done.done) + (done.now >= 0 and done.share > 0),
                             plan.now if plan.step >= 1 else -1, over)


def _names_of(track: Track, plan: Plan) -> list[tuple[float, str, str]]:
    shown = track.shown
    share = tr("{count} units a row").format(
        count=tick(str(track.per_row), track.per_row, 1, shown.units)) if track.per_row > 1 else \
        numbers.units(shown.units, said(str(shown.units), "how many units", shown.layer.name))
    top = top_of_states(shown)
    span = tr("{low} to {high}").format(low=tick("−1", -1, -1, 1), high=tick("1", 1, -1, 1)) if top == 1 else \
        f"±{said(numbers.significant(top, 2), 'most that a state may be', shown.layer.name)}"
    if track.back and shown.gradients is not None:
        span = tr("to {largest}, log").format(largest=said(
            numbers.significant(colour.largest(shown.gradients), 1), "largest size", shown.layer.name,
            array="inner_gradients.hidden"))
    rows = []
    if track.weights:
        used = tr("used once a step") if plan.fold > 0 else tr("used {count} times").format(count=steps_said(shown))
        if shown.between and not plan.fold > 0:
            used = tr("{layers} between").format(layers=shown.between)
        rows.append((track.weights + 14, tr("same weights"), used))
    title = tr("hidden state _h_") if len(plan.tracks) == 1 else \
        tr("reverse state _h_") if shown.reverse else tr("forward state _h_")
    if track.back:
        title = "∂L/∂_h_"
    ways = (f"{share}, {span}", span)
    rows.append((track.hidden + max(12, (track.bottom - track.hidden) * 0.25), title,
                 next((words for words in ways if width(words, 11) <= LEFT - 20), span)))
    return rows


def loop(plan: Plan, look: Look) -> list[Mark]:
    """The loop of the folded cell: its state goes through the same weights into the next step."""
    seen = plan.looped
    if seen <= 0:
        return []
    x, wide = plan.cell_box(max(0.0, plan.step - 1))
    marks: list[Mark] = []
    for track in plan.tracks:
        marks += _loop_of(track, plan, x, wide)
    right = x + wide + 28
    marks.append(Text(right, plan.inputs_y + 20, rich(tr("step {{{step}}} of {count}").format(
        step=step_said(plan.shown, max(1, round(plan.step)) - 1), count=steps_said(plan.shown))),
                      15, 600))
    return parts.faded(marks, seen)


def _loop_of(track: Track, plan: Plan, x: float, wide: float) -> list[Mark]:
    """Out of the state at the right, up, and through the weights back into it."""
    shown = track.shown
    start = track.hidden + (track.bottom - track.hidden) * 0.6
    side = 34
    end = track.weights + side / 2 if track.weights else track.hidden - 9
    into = x + wide / 2 + (side / 2 + 6 if track.weights else 0.0)
    out, right, bend = x + wide + 1, x + wide + 56, 14
    k = bend * 0.45
    curve: Points = (
        (out, start), (out, start), (right - bend, start), (right - bend, start),
        (right - k, start), (right, start - k), (right, start - bend),
        (right, start - bend), (right, end + bend), (right, end + bend),
        (right, end + k), (right - k, end), (right - bend, end),
        (right - bend, end), (into, end), (into, end))
    marks: list[Mark] = [Path((curve,), stroke="accent", width=2.5)]
    if track.weights:
        marks.append(Path((_head(into - 2, end, -7, 0.0),), fill="accent"))
        down = track.weights + side
        middle = x + wide / 2
        marks += [Path((((middle, down), (middle, down), (middle, track.hidden - 6),
                         (middle, track.hidden - 6)),), stroke="accent", width=2.5),
                  Path((_head(middle, track.hidden - 2, 0.0, 7),), fill="accent")]
    else:
        marks.append(Path((_head(into, track.hidden - 1, 0.0, 7),), fill="accent"))
    step = max(1, round(plan.step))
    after = step - 1 if shown.reverse else step + 1
    ends = not 1 <= after <= shown.steps
    goes = tr("no step is left to read it") if ends else \
        tr("step {step} reads it again").format(step=step_said(shown, after - 1))
    count = sum(values.size for values in shown.layer.weights.values())
    words, counted = right + 14, said(numbers.count(count), "how many weights of all", shown.layer.name)
    marks += [Text(words, start - 12, (Run("h", italic=True),
                                        Run(tr(" of step {step}").format(step=step_said(shown, step - 1)))), 13, 600),
              Text(words, start + 5, plain(goes), 12, 400, "ink-2")]
    if start - end < 70:
        return [*marks, Text(words, end + 4, plain(tr("the same {count} weights at every step").format(count=counted)),
                             12, 500)]
    return [*marks, Text(words, end + 4, plain(tr("the same {count} weights").format(count=counted)), 13, 600),
            Text(words, end + 21, plain(tr("at every step")), 12, 400, "ink-2")]


def _head(x: float, y: float, dx: float, dy: float) -> Points:
    """An arrow head with its tip at a point, pointing along (dx, dy)."""
    across = (dy * 0.6, dx * 0.6)
    return parts.polygon(((x, y), (x - dx + across[0], y - dy + across[1]), (x - dx - across[0], y - dy - across[1])))


def unit_row(plan: Plan, focus: Focus | None, look: Look) -> list[Mark]:
    """One unit framed through time, if one is looked at."""
    track = next((track for track in plan.tracks if focus is not None and unit_of(focus, track.shown) is not None),
                 None)
    if focus is None or track is None:
        return []
    unit = focus.cell[1]
    y = track.hidden + track.order.index(unit) // track.per_row * track.cell
    x, right = plan.x, plan.end - (plan.pitch - plan.tile)
    cell, wide = plan.cell_box(max(0.0, plan.step - 1))
    x, right = x + (cell - x) * plan.moved, right + (cell + wide - right) * plan.moved
    name = tr("unit {unit}").format(unit=unit)
    marks: list[Mark] = [Rect(x - 3, y - 2, right - x + 6, track.cell + 4, "", "ink", 1.5, radius=3)]
    if abs(y - track.hidden - (track.bottom - track.hidden) * 0.25) > 30 and y > track.hidden + 4:
        marks.append(Text(x - 16, y + track.cell / 2 + 4, plain(name), 11, 500, "ink", "end"))
    return marks


def unit_of(focus: Focus, shown: Reading) -> int | None:
    """The unit of the state that is looked at, if it is one of this layer."""
    of_a_gate = shown.projected and focus.array != "output"
    found = focus.layer == shown.layer.name and len(focus.cell) == 2 and focus.cell[1] < shown.units
    return focus.cell[1] if found and not of_a_gate else None


def lengths(plan: Plan, look: Look) -> list[Mark]:
    """Where the padding begins: how long the sequence is, at the first step that nobody reads."""
    shown = plan.shown
    if not shown.padded or plan.worded <= 0:
        return []
    x = plan.open_x(shown.steps)
    left, right = max(x, plan.x), plan.end - (plan.pitch - plan.tile)
    if right - left < 8:
        return []
    y = plan.tracks[0].hidden + (plan.tracks[0].bottom - plan.tracks[0].hidden) / 2
    words = (tr("padding: {count} steps not read") if shown.padded > 1 else
             tr("padding: {count} step not read")).format(count=shown.padded)
    wide = float(np.ceil(7 * len(words)))
    if right - left < wide:
        words = tr("padding")
        wide = float(np.ceil(7.2 * len(words)))
    middle = min((left + right) / 2, look.size[0] - wide / 2 - 6)
    return [Rect(middle - wide / 2, y - 11, wide, 22, "stage", radius=4, opacity=plan.worded),
            Text(middle, y + 4, plain(words), 12, 500, "ink", "middle", opacity=plan.worded)]
