"""The rows of a seam: the picture, the maps, the steps, the states of each direction, the answers; the cursor goes
through all of them at one x."""

from __future__ import annotations

import numpy as np

from visualizer.language import english, tr
from visualizer.motions._marks import frame
from visualizer.said import axis, lengths, of, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene import steps as reach
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Mark,
    Rect,
    Scale,
    Stop,
    Text,
    grouped,
    of_layer,
    plain,
)
from visualizer.scene.reading import blank_of, label, steps_said
from visualizer.scene.timeline import Timeline
from visualizer.scene.type import width
from visualizer.size import norm
from visualizer.views.network._seam.scene import Scene

LEFT_BEHIND = 0.38
"""How much is still seen of a column of the maps that has left."""
STACK = 5


def standing(sc: Scene) -> list[Mark]:
    """What stays the same while a beat goes on: the picture, the maps and the steps unless columns are on their way,
    the states of other layers, the answers unless they come just then."""
    marks = _picture(sc) + _seam(sc) + _stack(sc)
    if not sc.lifting:
        marks += _maps(sc) + _steps(sc)
    for index, name in enumerate(sc.seam.lanes):
        if name != sc.moment.beat.layer:
            marks += grouped(of_layer(name), _lane(sc, index, name))
    return marks if sc.answering else marks + _answers(sc)


def draw(sc: Scene) -> list[Mark]:
    """What changes, and what the cursor lies on."""
    marks = _maps(sc) + _steps(sc) if sc.lifting else []
    for index, name in enumerate(sc.seam.lanes):
        if name == sc.moment.beat.layer:
            marks += grouped(of_layer(name), _lane(sc, index, name))
    return marks + (_answers(sc) if sc.answering else []) + _window(sc) + _cursor(sc) + _facts(sc)


def named(sc: Scene, y: float, title: str, *under: str, mono: bool = True, room: float = 1000.0) -> list[Mark]:
    """The name of a row at its left, and what it is made of."""
    x = sc.plan.x - 14
    marks: list[Mark] = [Text(x, y, plain(title), 12, 600, "ink", "end", x - 6, mono=mono)]
    if not sc.look.mode.notes:
        return marks
    for place, words in enumerate(under):
        if words and 16 * (place + 1) <= room and width(words, 12) <= x - 4:
            marks.append(Text(x, y + 16 * (place + 1), plain(words), 12, 400, "ink-2", "end"))
    return marks


def beside(sc: Scene, y: float, words: str, strong: bool = False) -> list[Mark]:
    """A few words at the right of a row, where there is room for them."""
    x = sc.plan.end + 16
    if not sc.look.mode.notes or width(words, 12, 600 if strong else 400) > sc.plan.size[0] - x - 4:
        return []
    return [Text(x, y, plain(words), 12, 600 if strong else 400, "ink" if strong else "ink-2")]


# --- picture and maps -------------------------------------------------------------------------------------------------

def _picture(sc: Scene) -> list[Mark]:
    first, plan = sc.trace.layers[0], sc.plan
    top, high = plan.picture
    low, most = colour.reach(first.output)
    cell = plan.wide / first.shape[-1], high / first.shape[-2]
    shades = colour.unit(first.output, low, most)
    marks: list[Mark] = [Image(plan.x, top, cell, shades if len(shades) == 1 else np.ascontiguousarray(
        np.moveaxis(shades, 0, -1)[None]), "pixel", focus=Focus(first.name), scale=Scale(
            "pixel", english("pixels"), first.name, low, most)),
        Rect(plan.x, top, plan.wide, high, "", "rule", 1)]
    marks += named(sc, top + 12, first.name, lengths(first))
    return grouped(of_layer(first.name), marks)


def _window(sc: Scene) -> list[Mark]:
    """What the looked-at column sees of the picture, and that column on all maps."""
    if sc.step < 0 or sc.sees is None:
        return []
    plan, ink, maps = sc.plan, "gradient-mark" if sc.backward else "accent", sc.maps
    top, high = plan.picture
    pixel = plan.wide / sc.trace.layers[0].shape[-1]
    x = plan.x + sc.sees[0] * pixel
    marks = frame((x, top + 1, (sc.sees[1] - sc.sees[0] + 1) * pixel, high - 2), ink, None, 2)
    cell = plan.tile[0] / maps.shape[-1]
    for column in range(plan.grid[0]):
        if column * plan.grid[1] < maps.shape[0]:
            x = plan.x + column * plan.across + sc.step * cell
            marks += frame((x, plan.maps[0] - 1, max(cell, 2.0), (plan.grid[1] - 1) * plan.down + plan.tile[1] + 2),
                           ink, Focus(maps.name), 2)
    ends = [said(str(column + 1), "first column seen" if not end else "last column seen", maps.name, step=sc.step)
            for end, column in enumerate(sc.sees)]
    lines = (tr("column {column} sees").format(column=said(str(sc.step + 1), "column", maps.name, step=sc.step)),
             tr("columns {first}…{last}").format(first=ends[0], last=ends[1]))
    if sc.look.mode.notes and all(width(line, 12) <= plan.x - 18 for line in lines):
        marks += [Text(plan.x - 14, top + 46 + 16 * place, plain(line), 12, 400, "ink-2", "end")
                  for place, line in enumerate(lines)]
    return grouped(Group("window"), marks)


def _facts(sc: Scene) -> list[Mark]:
    """A few numbers of the looked-at step, beside its row."""
    layer, (top, _) = sc.trace[sc.seam.steps_layer], sc.plan.step
    if sc.step < 0 or sc.backward or sc.step not in sc.lifted:
        return []
    own = layer.output[sc.step]
    marks = beside(sc, top + 12, tr("step {step} of {count}").format(
        step=said(str(sc.step + 1), "step", layer.name, step=sc.step),
        count=said(str(sc.seam.count), "how many steps", layer.name)), True)
    marks += beside(sc, top + 29, tr("largest {value}").format(value=said(
        numbers.significant(float(np.max(own)), 3), "largest", layer.name, step=sc.step)))
    marks += beside(sc, top + 45, tr("{count} of {all} above zero").format(
        count=said(str(int(np.count_nonzero(own > 0))), "how many above 0", layer.name, step=sc.step),
        all=said(str(layer.shape[1]), *axis(layer, 1))))
    return grouped(of_layer(layer.name), marks)


def _order(sc: Scene) -> tuple[int, ...]:
    """Which map stands at each place of the grid, row by row."""
    across, down = sc.plan.grid
    found = [column * down + row for row in range(down) for column in range(across)]
    return tuple(channel if channel < sc.maps.shape[0] else -1 for channel in found)


def _maps(sc: Scene) -> list[Mark]:
    plan, layer = sc.plan, sc.maps
    order = [channel for channel in _order(sc) if channel >= 0]
    complete = len(order) == plan.grid[0] * plan.grid[1]
    cell = plan.tile[0] / layer.shape[-1], plan.tile[1] / layer.shape[-2]
    marks: list[Mark] = []
    values, palette, scale = _shades(sc, layer.name)
    gone = np.zeros(layer.shape, bool)
    gone[..., sc.lifted.start:sc.lifted.stop] = True
    known = not sc.backward or layer.gradient is not None
    for channel in range(layer.shape[0]):
        x, y = plan.tile_at(channel)
        marks.append(Rect(x, y, *plan.tile, "", "tile-border", 1))
    if not known:
        return grouped(of_layer(layer.name), marks)

    def images(hidden: np.ndarray, opacity: float) -> list[Mark]:
        if hidden.all():
            return []
        if complete:
            return [Image(plan.x, plan.maps[0], cell, np.ascontiguousarray(values[order]), palette, plan.grid[0],
                          (plan.across, plan.down), border="", focus=Focus(layer.name), indices=tuple(order),
                          covered=np.ascontiguousarray(hidden[order]), opacity=opacity, scale=scale)]
        return [Image(x, y, cell, np.ascontiguousarray(values[channel:channel + 1]), palette, border="",
                      focus=Focus(layer.name), indices=(channel,), covered=hidden[channel:channel + 1],
                      opacity=opacity, scale=scale)
                for channel in order for x, y in (plan.tile_at(channel),)]

    if sc.backward:
        if sc.moment.beat.layer == layer.name:
            marks += images(~gone, 1.0)
    else:
        marks += images(~gone, LEFT_BEHIND) + images(gone, 1.0)
    size = colour.largest(layer.output)
    title = layer.name if not sc.backward else f"∂L/∂{layer.name}" if sc.look.mode.notes else "∂L/∂a"
    marks += named(sc, plan.maps[0] + 12, title,
                   tr("{count} maps, {shape}").format(count=lengths(layer, last=1), shape=lengths(layer, -2)),
                   "" if sc.backward else f"±{said(numbers.significant(size, 3), *of('largest size', layer))}",
                   room=plan.maps[1])
    moved = sc.moment.beat.layer in (sc.seam.chain[0], sc.seam.maps) and 0 < len(sc.lifted) < sc.seam.count
    if moved:
        marks += beside(sc, plan.maps[0] + 12, tr("laid back") if sc.backward else tr("faint = already lifted"))
    return grouped(of_layer(layer.name), marks)


def _shades(sc: Scene, name: str) -> tuple[np.ndarray, str, Scale]:
    """Palette entries of a layer: its values, on the way back its gradient."""
    layer = sc.trace[name]
    values, palette = parts.entries(sc.trace, layer, sc.look, sc.backward)
    return values, palette, parts.scale_of(sc.trace, layer, sc.look, sc.backward)


def _seam(sc: Scene) -> list[Mark]:
    """The line between the maps and the steps."""
    plan = sc.plan
    marks: list[Mark] = [Line(((plan.x, plan.seam), (plan.end, plan.seam)), "rule", 1, dashed=True)]
    marks.append(Text(plan.x - 14, plan.seam + 4, plain(tr("the seam")), 12, 600, "accent-ink", "end"))
    return grouped(Group(tr("the seam")), marks)


# --- steps and states -------------------------------------------------------------------------------------------------

def _steps(sc: Scene) -> list[Mark]:
    """The steps, one a column, as far as columns have been lifted; on the way back as far as gradient has come."""
    plan, layer = sc.plan, sc.trace[sc.seam.steps_layer]
    top, high = plan.step
    values, palette, scale = _shades(sc, layer.name)
    if sc.backward:
        there = range(sc.seam.count) if any(sc.gradient_known(name) for name in sc.seam.chain) or \
            sc.moment.beat.layer == sc.seam.maps else range(0)
    else:
        there = sc.lifted
    rows = layer.shape[1]
    marks: list[Mark] = [Rect(plan.x, top, plan.wide, high, "hatch" if len(there) < sc.seam.count else "", "rule", 1)]
    if len(there):
        marks.append(Rect(plan.left(there.start), top, plan.pitch * len(there), high, "stage"))
        marks.append(Image(plan.left(there.start), top, (plan.pitch, high / rows),
                           np.ascontiguousarray(values[there.start:there.stop].T[None]), palette, border="",
                           focus=Focus(layer.name) if not there.start else None, indices=(-1,), transposed=True,
                           scale=scale))
    marks.append(Rect(plan.x, top, plan.wide, high, "", "rule", 1))
    shape = sc.maps.shape
    each = said(numbers.count(rows), *axis(layer, 1))
    marks += named(sc, top + 12, tr("steps"), tr("{count} values each").format(count=each),
                   tr("{maps} maps × {rows} rows").format(maps=lengths(sc.maps, last=1), rows=said(
                       str(shape[1]), *axis(sc.maps, 1))), mono=False, room=high)
    return grouped(of_layer(layer.name), marks)


def _lane(sc: Scene, index: int, name: str) -> list[Mark]:
    """The states of one layer of steps; hatched where none has been computed."""
    plan, shown = sc.plan, sc.readings(name)
    top, high = plan.lanes[index]
    done, now, share = sc.lane(name)
    values = _pooled(shown.states if not sc.backward else shown.gradients, high, sc)
    marks: list[Mark] = [Rect(plan.x, top, plan.wide, high, "hatch", "rule", 1)]
    if values is not None:
        shades, palette, scale = values
        for some, uncovered in ((done, 1.0), (range(now, now + 1) if now >= 0 else range(0), share)):
            if len(some) and uncovered > 0:
                marks.append(Rect(plan.left(some.start), top, plan.pitch * len(some), high * uncovered, "stage"))
                marks.append(Image(plan.left(some.start), top, (plan.pitch, high / len(shades)),
                                   np.ascontiguousarray(shades[None, :, some.start:some.stop]), palette, border="",
                                   rows_shown=uncovered, scale=scale))
    addresses = reach.stops(sc.trace, shown, sc.moment.beat.direction)
    marks.append(reach.touched(shown, reach.Span(plan.x, plan.pitch, plan.count, sc.look.pixel), top, high,
                               holds=addresses))
    ways = (tr("reads leftwards"), tr("leftwards"), "←") if shown.reverse else \
        (tr("reads rightwards"), tr("rightwards"), "→")
    title = next(way for way in ways if width(way, 12, 600) <= plan.x - 20 or way == ways[-1])
    most = 1.0 if shown.squashed else colour.largest(shown.states)
    marks += named(sc, top + 12, f"∂L/∂h, {'←' if shown.reverse else '→'}" if sc.backward and not sc.look.mode.notes
                   else title, tr("size of ∂L/∂h, log") if sc.backward else
                   tr("{units} units, ±{most}").format(
                       units=said(str(shown.units), "how many units", name),
                       most=said(numbers.significant(most, 2), "most that a state may be", name)),
                   mono=False, room=high)
    if not done and now < 0:
        marks += _waiting(sc, index, name, top, high)
    elif sc.step in done:
        size = norm(shown.states[sc.step]) if not sc.backward or shown.norms is None else \
            float(shown.norms[sc.step])
        marks += beside(sc, top + 12, (tr("size of ∂L/∂h {size}") if sc.backward else
                                       tr("state norm {size}")).format(size=said(
                                           numbers.significant(size, 3), "norm", name, step=sc.step,
                                           array="inner_gradients.hidden" if sc.backward else "inner.hidden")))
    return marks


def _waiting(sc: Scene, index: int, name: str, top: float, high: float) -> list[Mark]:
    """What a lane waits for, on its hatching."""
    here = sc.moment.beat.layer
    if sc.backward:
        words = tr("its gradient comes later")
    elif here in sc.seam.lanes and index > sc.seam.lanes.index(here):
        words = (tr("starts at step {step}, when the one above has arrived there") if sc.readings(name).reverse else
                 tr("starts when the one above is through")).format(step=steps_said(sc.readings(name)))
    else:
        words = tr("waits for the steps")
    wide = width(words, 12, 500) + 16
    if wide > sc.plan.wide or high < 16:
        return []
    middle, y = sc.plan.x + sc.plan.wide / 2, top + high / 2
    return [Rect(middle - wide / 2, y - 10, wide, 20, "stage", "rule", 1, radius=4),
            Text(middle, y + 4.5, plain(words), 12, 500, "ink-2", "middle")]


def _pooled(values: np.ndarray | None, high: float, sc: Scene) -> tuple[np.ndarray, str, Scale] | None:
    """(unit, step): palette entries with no row thinner than a pixel; units that share one show the strongest."""
    if values is None:
        return None
    share = max(1, int(np.ceil(values.shape[1] * sc.look.pixel / high - 1e-9)))
    grown = np.pad(values, ((0, 0), (0, -values.shape[1] % share)))
    blocks = grown.reshape(len(values), -1, share)
    at = np.abs(np.nan_to_num(blocks)).argmax(-1)
    found = np.take_along_axis(blocks, at[..., None], -1)[..., 0].T
    if sc.backward:
        most = colour.largest(values) or 1.0
        return colour.magnitude(found, most * parts.FLOOR, most), "gradient", Scale(
            "gradient", english("size of the gradient"), "", most * parts.FLOOR, most, log=True)
    most = max(1.0, colour.largest(values))
    return colour.signed(found, most), "activation", Scale("activation", english("values"), "", -most, most)


# --- answers ----------------------------------------------------------------------------------------------------------

def _answers(sc: Scene) -> list[Mark]:
    """What is said at every step: a dot for the blank, symbols in the accent; hatched until it is there."""
    plan = sc.plan
    if plan.answers is None or not sc.path:
        return []
    top, high = plan.answers
    blank = blank_of(sc.trace)
    last = sc.seam.after[-1]
    marks: list[Mark] = []
    grounds: dict[str, list[int]] = {}
    for step in range(sc.seam.count):
        kind = "hatch" if step not in sc.answered else "dim" if sc.path[step] == blank else "accent-fill"
        grounds.setdefault(kind, []).append(step)
    gap = 1.0 if plan.pitch < 12 else 2.0
    for ground, which in grounds.items():
        for step in which:
            marks.append(Rect(plan.left(step) + gap, top, plan.pitch - 2 * gap, high, ground, radius=3,
                              focus=Focus(last, (step,))))
            if ground != "hatch":
                word = "·" if sc.path[step] == blank else _label_said(sc, step)
                size = min(13.0, high - 3)
                if size >= 11 and width(word, size, 600) <= plan.pitch - 2 * gap:
                    marks.append(Text(plan.left(step + 0.5), top + high / 2 + size * 0.35, plain(word), size, 600,
                                      "ink-2" if word == "·" else "on-accent", "middle"))
    marks += named(sc, top + 12, tr("answers"), tr("{count} to choose from").format(
        count=said(str(len(sc.trace.labels)), *axis(sc.trace[sc.seam.after[-1]], 1))), mono=False, room=high)
    if len(sc.answered):
        marks += beside(sc, top + high / 2 + 4.5, tr("reads {text}").format(text=_read(sc)), True)
    else:
        marks += beside(sc, top + high / 2 + 4.5, tr("need both directions") if len(sc.seam.lanes) > 1 else
                        tr("come after the steps"))
    return grouped(of_layer(last), marks)


def _label_said(sc: Scene, step: int) -> str:
    """The likeliest of a step."""
    return said(label(sc.trace, sc.path[step]), "likeliest label", sc.seam.after[-1], step=step)


def _read(sc: Scene) -> str:
    """What has been read so far: repeats merged, blanks left out."""
    blank, found = blank_of(sc.trace), list[str]()
    before = blank
    for step in sc.answered:
        if sc.path[step] != before and sc.path[step] != blank:
            found.append(_label_said(sc, step))
        before = sc.path[step]
    return " ".join(found) or "–"


# --- around -----------------------------------------------------------------------------------------------------------

def _stack(sc: Scene) -> list[Mark]:
    """The layers before the seam, small: one map of each that has weights; a click goes to its beat."""
    plan = sc.plan
    x, room = plan.end + 16, plan.size[0] - plan.end - 28
    if not sc.look.mode.notes or room < 60:
        return []
    order = [layer.name for layer in sc.trace.layers]
    found = [layer for layer in sc.trace.layers[1:order.index(sc.seam.maps)]
             if layer.learned and layer.axes == ("channel", "row", "column")][-STACK:]
    marks: list[Mark] = [Text(x, plan.picture[0] + 12, plain(tr("before, done")), 12, 600, "ink-2")]
    top, bottom = plan.picture[0] + 20, plan.picture[0] + plan.picture[1]
    each = (bottom - top) / max(1, len(found))
    if each < 26:
        return []
    for place, layer in enumerate(found):
        cell = room / layer.shape[-1], min(room / layer.shape[-1], (each - 18) / layer.shape[-2])
        channel = int(np.argmax(np.abs(layer.output).reshape(layer.shape[0], -1).max(axis=1)))
        shades = colour.signed(layer.output, parts.layer_scale(sc.trace, layer, sc.look))
        y = top + each * place
        marks.append(Image(x, y, cell, np.ascontiguousarray(shades[channel:channel + 1]), "activation",
                           focus=Focus(layer.name), indices=(channel,), scale=parts.value_scale(
                               sc.trace, layer, sc.look)))
        words = f"{layer.name}  {lengths(layer).replace(' ', '')}"
        if width(words, 11) <= room + 10:
            marks.append(Text(x, y + cell[1] * layer.shape[-2] + 12, plain(words), 11, 400, "ink-2"))
    return grouped(Group(tr("layers before")), marks)


def _cursor(sc: Scene) -> list[Mark]:
    """The step that is looked at, through the steps, the lanes and the answers."""
    if sc.step < 0:
        return []
    plan, ink = sc.plan, "gradient-mark" if sc.backward else "accent"
    x, marks = plan.left(sc.step), list[Mark]()
    layer = sc.seam.steps_layer
    boxes = [(plan.step, Focus(layer, (sc.step,)))]
    boxes += [(box, Focus(name, (sc.step,))) for box, name in zip(plan.lanes, sc.seam.lanes, strict=True)]
    for (top, high), focus in boxes:
        lane = sc.lane(focus.layer) if focus.layer in sc.seam.lanes else None
        if lane is not None and sc.step not in lane[0] and sc.step != lane[1]:
            continue
        marks += frame((x, top - 1, plan.pitch, high + 2), ink, focus, 2)
    if plan.answers is not None and sc.step in sc.answered:
        marks += frame((x, plan.answers[0] - 1, plan.pitch, plan.answers[1] + 2), ink,
                       Focus(sc.seam.after[-1], (sc.step,)), 2)
    return grouped(Group(tr("step {step}").format(step=sc.step + 1)), marks)


def foot(sc: Scene, times: Timeline) -> list[Mark]:
    """The line of beats, and the steps as a line of their own."""
    if not sc.look.mode.lanes:
        now = sc.step + 1 if sc.step >= 0 else sc.seam.count * (len(sc.lifted) > 0)
        shown = sc.readings(sc.seam.lanes[0])
        return reach.line_of_steps(120, sc.look.size[0] - 150, shown, max(1, now), sc.moment, sc.look)
    plan = sc.plan
    marks = parts.beat_line(sc.trace, times, sc.moment, sc.look, parts.even_places(sc.trace, sc.look))
    row = parts.lane_rows(sc.look)
    y = row.beats + 30
    high = sc.look.size[1] - 12 - y - 18
    marks += [Text(plan.x - 14, y + 4, plain(tr("steps")), 12, 600, "ink", "end"),
              Line(((plan.left(0.5), y), (plan.left(plan.count - 0.5), y)), "rule", 1.5)]
    lane = sc.seam.lanes[-1] if sc.moment.beat.layer not in sc.seam.lanes else sc.moment.beat.layer
    stops = reach.stops(sc.trace, sc.readings(lane), sc.moment.beat.direction)
    done, _, _ = sc.lane(lane)
    for step in range(plan.count):
        here = step == sc.step
        radius = 4.5 if here else 3.0 if plan.pitch >= 9 else 2.0
        ink = "gradient-mark" if sc.backward else "accent"
        marks.append(Rect(plan.left(step + 0.5) - radius, y - radius, 2 * radius, 2 * radius,
                          "stage" if here or step not in done else ink, ink if here or step in done else "rule", 1.5,
                          radius=radius))
        if step + 1 == sc.step + 1 or ((step + 1) % 5 == 0 and abs(step - sc.step) * plan.pitch > 24):
            marks.append(Text(plan.left(step + 0.5), y + 19, plain(said(
                str(step + 1), "step", lane, step=step)), 11, 600 if here else 400,
                              "accent-ink" if here else "ink-2", "middle"))
        marks.append(Rect(plan.left(step), y - 9, plan.pitch, 30, focus=Focus(lane, (step,)),
                          holds=Stop(stops.addresses[step]) if stops is not None else None))
    if high >= 8:
        marks += _gradient(sc, y + 26, min(14.0, high))
    return grouped(Group(tr("steps")), marks)


def _gradient(sc: Scene, y: float, high: float) -> list[Mark]:
    """The size of the gradient of every step's state, both directions together; hatched on the way forward."""
    plan = sc.plan
    marks: list[Mark] = [Text(plan.x - 14, y + high / 2 + 4, plain("∂L/∂h, log"), 12, 600, "ink", "end")]
    known = [sc.lane(name)[0] for name in sc.seam.lanes] if sc.backward else []
    norms = [sc.readings(name).norms for name in sc.seam.lanes]
    if not sc.backward or any(one is None for one in norms):
        return [*marks, *parts.not_yet(plan.x, y, plan.wide, high, tr("comes on the way back"))]
    sizes = [np.asarray(one) for one in norms if one is not None]
    most = max(float(one.max()) for one in sizes) or 1.0
    for step in range(plan.count):
        seen = [float(size[step]) for size, done in zip(sizes, known, strict=True) if step in done]
        if not seen:
            marks.append(Rect(plan.left(step), y, plan.pitch, high, "hatch"))
            continue
        size = max(seen)
        tall = high * max(0.0, 1 + np.log10(size / most) / 4) if size > 0 else 0.0
        marks.append(Rect(plan.left(step) + 1, y + high - max(1.0, float(tall)), plan.pitch - 2, max(1.0, float(tall)),
                          "gradient-mark"))
    return marks


