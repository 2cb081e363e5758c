"""What the inspector says of the cell: PyTorch's own equations, with the numbers of the unit that is shown."""

from __future__ import annotations

from visualizer.language import tr, translated
from visualizer.said import said
from visualizer.scene import gatesigns, numbers
from visualizer.scene.picture import Look, Mark, Picture, Run, Table, Text, plain, rich
from visualizer.scene.reading import step_said
from visualizer.scene.type import plain_lines, wrap
from visualizer.size import norm
from visualizer.views.diagram._scene import Scene, about

LEFT, WIDTH, INDENT = 24.0, 280, 52.0
ROOM = WIDTH - LEFT - 16


def page(sc: Scene, look: Look) -> Picture:
    """The equations from top to bottom; numbers stand in them when the step has come so far."""
    step = step_said(sc.shown, sc.step)
    marks: list[Mark] = [Text(LEFT, 27, (Run(sc.shown.layer.name, mono=True), Run(" " + tr("step {step}, {who}").format(
        step=step, who=about(sc)))), 16, 600, max_width=ROOM)]
    y = 50.0
    head = tr("Back through this step: sizes of what arrived, and what each way keeps.") if sc.back is not None else \
        tr("PyTorch's own equations, with the numbers of this unit.") if not sc.pick.all else \
        tr("PyTorch's own equations, with the means of all units.")
    for line in plain_lines(head, 13, ROOM):
        marks.append(Text(LEFT, y, plain(line), 13, 400, "ink-2"))
        y += 19
    rows: list[tuple[str | float | int, ...]] = []
    for key, lines in _back(sc) if sc.back is not None else _forward(sc):
        y += 14
        marks += gatesigns.sign(key, LEFT + 11, y - 4, 19)
        x = INDENT if sc.shown.family.quantities[key].sign else LEFT
        for number, words in enumerate(lines):
            weight, ink = (600, "ink") if number else (400, "ink-2")
            for runs in wrap(rich(words), 12, WIDTH - 12 - x, weight):
                marks.append(Text(x, y, runs, 12, weight, ink))
                y += 18
            rows.append((translated(sc.shown.family.quantities[key].name), "".join(run.text for run in rich(words))))
    return Picture((WIDTH, round(y + 16)), tuple(marks), (), look.theme, "window",
                   caption=tr("Step {step}").format(step=step), table=Table((tr("part"), tr("line")), tuple(rows)))


def _forward(sc: Scene) -> list[tuple[str, list[str]]]:
    """By gate or state: its equation, and what stands in it."""
    family, found = sc.shown.family, []
    for key in family.shown:
        quantity = family.quantities[key]
        lines = [_equation(translated(quantity.formula).replace("_", " "))]
        known = sc.when.step >= 0 and (sc.known(key) if key in ("cell", "hidden") else sc.forward_share(key) >= 1)
        if known and key not in ("cell", "hidden"):
            inside = " ".join([sc.number(f"{key}.read"), _added(sc, f"{key}.state"), _added(sc, f"{key}.bias")])
            curve = "{}" if quantity.curve is None else quantity.curve.words
            result = sc.number(key)
            lines += [f"= {curve.format(inside)}"]
            lines += [f"= {curve.format(sc.number(f'{key}.sum'))} = {{{result}}}"] \
                if quantity.curve is not None and not sc.pick.all else [f"= {{{result}}}"]
        elif known:
            lines += _state(sc, key)
        found.append((key, lines))
    return found


def _equation(words: str) -> str:
    """PyTorch's; the only number in any of them is 1."""
    return words.replace("1", said("1", "one")) if "1" in words else words


def _added(sc: Scene, name: str) -> str:
    """`+ 2.05`, `− 0.14`."""
    value = sc.value(name)
    return f"{'−' if value < 0 else '+'} {sc.worded(numbers.number(abs(value)), f'size of {name}')}"


def _state(sc: Scene, key: str) -> list[str]:
    """A state as the sum of its products; of means only the sums, a product of means is none."""
    kind, now = sc.plan.family, sc.number
    if kind == "rnn":
        return [f"= {{{now('hidden')}}}"]
    if key == "cell" or kind == "gru":
        first = [] if sc.pick.all else [
            f"= {now('forget')} × {now('cell_before')} + {now('input')} × {now('candidate')}" if key == "cell"
            else f"= {sc.worded(numbers.number(1 - sc.value('update')), 'open to the new')} × {now('new')} + "
                 f"{now('update')} × {now('hidden_before')}"]
        one, other = ("kept", "added") if key == "cell" else ("added", "kept")
        return [*first, f"= {now(one)} {_added(sc, other)} = {{{now(key)}}}"]
    return ([] if sc.pick.all else [f"= {now('output_gate')} × {now('opened')}"]) + [f"= {{{now('shown')}}}"]


def _back(sc: Scene) -> list[tuple[str, list[str]]]:
    """By gate or state: how its gradient comes about, and how large it is."""
    family, back, found = sc.shown.family, sc.back, []
    assert back is not None
    for key in reversed(family.shown):
        quantity = family.quantities[key]
        lines = [_equation(translated(quantity.backward))]
        done = "arrive" if key == "hidden" else "output" if key in ("cell", "output_gate") else "gates"
        name = key if key in ("hidden", "cell") else f"{key}.arrives"
        if sc.when.step >= 0 and sc.done(done) >= 1:
            lines.append(tr("size {{{size}}}").format(size=sc.size_said(name)))
        if key not in ("hidden", "cell") and sc.when.step >= 0 and sc.done("weights") >= 1:
            to = norm(back.way(key, sc.step, sc.pick))
            lines[-1] += ", " + tr("to h₋ {size}").format(
                size=sc.sized(numbers.significant(to, 2), f"way through {key}"))
        found.append((key, lines))
    return found
