"""The numbers of a cell: everything that stands in it at every step, forwards and backwards, by name.

Arrays are (step, unit) in float64; a step's own row stands where it was read. Of the sums W x, U h₋ and b of each gate
`forget.read`, `forget.state`, `forget.bias`; on the way back what `arrives`, what `leaves`, and what goes `to` h₋.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import _steps as at
from visualizer.kinds.gates import PREACTIVATION, made
from visualizer.size import norm, norms
from visualizer.trace import Trace, remembered

if TYPE_CHECKING:
    from visualizer.scene.picture import Focus
    from visualizer.scene.reading import Reading

Values = NDArray[np.float64]
NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""What the full bore of a pipe may stand for, times a power of ten."""


@dataclass(frozen=True)
class Pick:
    """Which number stands for all units: that of one of them, or their mean; of gradients one's size, or the norm of
    all."""

    unit: int
    all: bool = False


@dataclass(frozen=True, eq=False)
class Forward:
    """What a layer computed."""

    arrays: Mapping[str, Values]
    read: Values
    """(step, number): x of every step."""

    def value(self, name: str, step: int, pick: Pick) -> float:
        """One number of one step."""
        row = self.arrays[name][step]
        return float(row.mean()) if pick.all or self._projected(name) else float(row[pick.unit])

    def series(self, name: str, pick: Pick) -> Values:
        """The same number at every step."""
        array = self.arrays[name]
        found: Values = array.mean(axis=1) if pick.all or self._projected(name) else array[:, pick.unit]
        return found

    def _projected(self, name: str) -> bool:
        """Whether its numbers are made of all units together, so that none of them is a unit's own."""
        return "unprojected" in self.arrays and name in ("hidden", "hidden_before")

    def mean(self, name: str, step: int) -> float:
        """The mean of all units."""
        return float(self.arrays[name][step].mean())

    def compared(self, name: str, step: int, pick: Pick) -> float:
        """What the thin line shows: the mean beside a unit, the chosen unit beside the mean."""
        return self.value(name, step, Pick(pick.unit, not pick.all))

    def largest(self, names: tuple[str, ...], pick: Pick) -> float:
        """The largest size of some of them at any step."""
        sizes = [np.abs(self.series(name, pick)) for name in names if name in self.arrays]
        return max((float(np.max(size, where=np.isfinite(size), initial=0.0)) for size in sizes), default=0.0)


@remembered(8)
def forward(trace: Trace, shown: Reading) -> Forward:
    """All numbers of a layer: gates and states as recorded, sums and products from its own weights."""
    layer, family, inputs = shown.layer, shown.family, trace.inputs(shown.layer)
    steps = range(shown.steps)
    found: dict[str, Values] = {key: np.asarray(values, np.float64) for key, values in layer.inner.items()}
    for state in ("hidden", "cell"):
        if state in found:
            found[f"{state}_before"] = np.stack([at.Here(layer, inputs, step)[f"{state}_before"] for step in steps])
    read = np.stack([np.concatenate([np.asarray(source.output, np.float64)[tuple(cells.T)]
                                     for source, cells in at.read_at(layer, inputs, step)]) for step in steps])
    weights = {name: np.asarray(values, np.float64) for name, values in layer.weights.items()}
    units, none = at.units(layer), np.zeros(len(weights["weight_hh"]))
    with np.errstate(all="ignore"):  # NaN and infinity are shown as they are
        sums = {"read": read @ weights["weight_ih"].T, "state": found["hidden_before"] @ weights["weight_hh"].T}
    sums |= {"bias": np.broadcast_to(weights.get("bias_ih", none), (shown.steps, len(none))),
             "bias_state": np.broadcast_to(weights.get("bias_hh", none), (shown.steps, len(none)))}
    for block, row in enumerate(family.rows):
        rows = slice(block * units, (block + 1) * units)
        parts = {name: values[:, rows] for name, values in sums.items()}
        if row.under:
            found[family.under] = parts["state"] + parts["bias_state"]
            parts["state"] = found[row.under] * found[family.under]
        else:
            parts["bias"] = parts["bias"] + parts["bias_state"]
        found |= {f"{row.key}.{name}": parts[name] for name in ("read", "state", "bias")}
        found[f"{row.key}.sum"] = parts["read"] + parts["state"] + parts["bias"]
    if "cell" in found:
        found["opened"] = np.tanh(found["cell"])
        found["kept"], found["added"] = found["forget"] * found["cell_before"], found["input"] * found["candidate"]
        found["shown"] = np.asarray(made(family, "hidden", found))
    elif "update" in found:
        found["kept"] = found["update"] * found["hidden_before"]
        found["added"] = (1 - found["update"]) * found["new"]
        found["new.fed"] = found["new.read"] + found["new.bias"]
    return Forward(found, read)


# --- backwards ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Backward:
    """What came back through a layer, as recorded, and what became of it on each way."""

    arrays: Mapping[str, Values]
    to: Mapping[str, Values]
    """(step, unit of h₋) by gate: what goes through it to the state before; of all its units together."""
    recurrent: Mapping[str, Values]
    """(unit, unit of h₋): the block of weight_hh that each gate hands through."""
    leaves: Mapping[str, Values]
    """(step, unit): the gradient of the sum in which U h₋ stands, by gate."""

    def size(self, name: str, step: int, pick: Pick) -> float:
        """∥ ∥ of all units, or the size of one; of a state that was projected always of all, for each of its numbers
        is made of all units."""
        row = self.arrays[name][step]
        return norm(row) if pick.all or len(row) < self.units else abs(float(row[pick.unit]))

    @property
    def units(self) -> int:
        """How many a gate has."""
        return len(next(iter(self.recurrent.values())))

    def way(self, key: str, step: int, pick: Pick) -> Values:
        """What goes through a gate to h₋, from all units or from one: a number for each unit of h₋."""
        found: Values = self.to[key][step] if pick.all else \
            self.leaves[key][step, pick.unit] * self.recurrent[key][pick.unit]
        return found

    def together(self, step: int, pick: Pick) -> Values:
        """What all gates together hand to h₋."""
        found: Values = np.sum([self.way(key, step, pick) for key in self.to], axis=0)
        return found

    def kept(self, over: str, under: str, step: int, pick: Pick) -> float:
        """What share of the size of one is left in the other; NaN where nothing came."""
        came = self.size(under, step, pick)
        return self.size(over, step, pick) / came if came > 0 else float("nan")

    def largest(self, pick: Pick) -> float:
        """The largest size of any gradient that is drawn, at any step."""
        found = [array for name, array in self.arrays.items() if not name.endswith("slope")]
        sizes = [norms(array, 1) if pick.all or array.shape[1] < self.units else np.abs(array[:, pick.unit])
                 for array in found]
        return max((float(np.max(size, where=np.isfinite(size), initial=0.0)) for size in sizes), default=0.0)

    @cached_property
    def error(self) -> float:
        """How far what the ways hand on is from what was recorded, as a vector, at its largest; over the largest
        gradient of a state."""
        missed = self.arrays["handed"] - self.arrays["ways"]
        return float(np.max(np.abs(missed)) / (np.max(np.abs(self.arrays["handed"])) or 1.0))


@remembered(8)
def backward(trace: Trace, shown: Reading) -> Backward | None:
    """What came back; None where nothing did, or where only the layer's own output gradient is known."""
    layer, family = shown.layer, shown.family
    grads = {key: np.asarray(values, np.float64) for key, values in layer.inner_gradients.items()}
    if "hidden" not in grads or any(key not in grads for key in family.at_hidden):
        return None
    s, steps = forward(trace, shown).arrays, shown.steps
    own = grads.get("hidden_direct", np.zeros_like(grads["hidden"]))
    units = at.units(layer)
    weights = np.asarray(layer.weights["weight_hh"], np.float64)
    recurrent = {row.key: weights[block * units:(block + 1) * units] for block, row in enumerate(family.rows)}
    leaves = {row.key: grads[key] for row, key in zip(family.rows, family.at_hidden, strict=True)}
    to = {key: leaves[key] @ recurrent[key] for key in recurrent}
    found: dict[str, Values] = {"hidden": grads["hidden"], "own": own, "later": grads["hidden"] - own}
    for row in family.rows:
        found[f"{row.key}.leaves"] = leaves[row.key]
        found[f"{row.key}.arrives"] = grads[row.key] if row.curve is not None else grads["hidden"]
        curve = row.curve if row.curve is not None else family.quantities["hidden"].curve
        assert curve is not None
        found[f"{row.key}.slope"] = np.asarray(curve.slope(s[row.key] if row.curve is not None else s["hidden"]))
    ways: Values = np.sum(list(to.values()), axis=0)
    order = [at.before(layer, step) for step in range(steps)]
    start = grads.get("initial_hidden", np.zeros((1, own.shape[1])))[0]
    handed = grads["initial_hidden"] if at.changed(layer, "hidden") else \
        np.stack([grads["hidden"][step] - own[step] if 0 <= step < steps else start for step in order])
    if "cell" in grads:
        after = [at.after(layer, step) for step in range(steps)]
        found["cell"], found["kept"] = grads["cell"], s["forget"] * grads["cell"]
        came = grads.get("unprojected", grads["hidden"])
        found["opens"] = came * s["output_gate"]
        found["to_cell"] = found["opens"] * (1 - s["opened"] ** 2)
        found["cell_later"] = found["cell"] - found["to_cell"] if at.changed(layer, "cell") else \
            np.stack([np.zeros(units) if step is None else found["kept"][step] for step in after])
        if "cell_direct" in grads and not at.changed(layer, "cell"):
            found["cell_later"] = found["cell_later"] + grads["cell_direct"]
        found["through_candidate"] = found["cell"] * s["input"]
    elif "update" in s:
        found["kept"] = s["update"] * grads["hidden"]
        found["mixed"] = (1 - s["update"]) * grads["hidden"]
        found["sum"] = grads["new" + PREACTIVATION]
        ways = ways + found["kept"]
    found["ways"], found["handed"] = ways, handed
    read = np.asarray(layer.weights["weight_ih"], np.float64)
    found["read"] = np.sum([grads[key] @ read[block * units:(block + 1) * units]
                            for block, key in enumerate(family.at_read)], axis=0)
    return Backward(found, to, recurrent, leaves)


def nice(largest: float) -> float:
    """A number with few digits that is not smaller: what a full bore stands for."""
    if not largest > 0 or not np.isfinite(largest):
        return 1.0
    tens = 10.0 ** np.floor(np.log10(largest))
    return float(next(step for step in NICE if step * tens >= largest * (1 - 1e-9)) * tens)


@remembered(8)
def telling_unit(trace: Trace, shown: Reading) -> int:
    """The unit that is shown where none was chosen: the one whose state, before a projection, changes most over the
    sequence."""
    states = np.asarray(shown.layer.inner["unprojected"], np.float64) if shown.projected else shown.states
    spread = states.std(axis=0) if len(states) > 1 else np.abs(states[0])
    return int(np.argmax(np.where(np.isfinite(spread), spread, -1.0)))


def unit_chosen(shown: Reading, focus: Focus | None) -> int | None:
    """The unit of the gates that is looked at; None where it is none of this layer, or a number of a state that was
    projected, which is no unit's own."""
    if focus is None or focus.layer != shown.layer.name or len(focus.cell) != 2:
        return None
    of_a_state = focus.array.removeprefix("inner.") in ("output", "hidden")
    return None if focus.cell[1] >= shown.width or (shown.projected and of_a_state) else focus.cell[1]
