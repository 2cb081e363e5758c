"""The laboratory as a recording: a Lab becomes a Trace, with real layers and with all its curves as a study.

What flows through the first seed is kept layer by layer, so that every view can show it; the curves over all seeds
stand in `Trace.studies["lab"]`, those of a setting to compare with in `Trace.studies["against"]`.
"""

from __future__ import annotations

import platform
import re
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

import visualizer
from visualizer import kinds, reasons
from visualizer.lab import NAME, TITLE, Lab
from visualizer.record import gradients
from visualizer.record.tracing import capture
from visualizer.trace import Arrays, Layer, Objective, Sample, Trace

STUDY, AGAINST = "lab", "against"
MOST_KEPT = 8
"""So many settings stay measured: going back to one costs nothing."""


def record_lab(lab: Lab, against: Lab | None = None) -> Trace:
    """The Trace of a Lab, in float64 unless its precision says otherwise."""
    trace, study = _measured(lab)
    studies = {STUDY: study} | ({} if against is None else {AGAINST: _measured(against)[1]})
    facts = {**trace.facts, "against": {} if against is None else against.words()}
    return replace(trace, studies=studies, facts=facts)


_kept: OrderedDict[Lab, tuple[Trace, Arrays]] = OrderedDict()
"""The last settings that were measured."""


def _measured(lab: Lab) -> tuple[Trace, Arrays]:
    if lab not in _kept:
        _kept[lab] = {"time": _through_time, "depth": _down, "cliff": _over_the_cliff}[lab.experiment](lab)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(lab)
    return _kept[lab]


def _trace(lab: Lab, layers: tuple[Layer, ...], objective: Objective, **more: Any) -> Trace:
    sample = Sample("random", f"Random numbers, seed {gradients.seeds(lab.draw)[0]}")
    return Trace(NAME, layers, TITLE, sample, objective, dtype=lab.precision,
                 versions={"visualizer": visualizer.__version__, "torch": str(torch.__version__),
                           "numpy": np.__version__, "python": platform.python_version()},
                 facts={"lab": lab.words(), **more})


# --- through time ---------------------------------------------------------------------------------------------------

def _through_time(lab: Lab) -> tuple[Trace, Arrays]:
    """Three cells side by side: they share their beats, one for each step."""
    ran = {cell: gradients.run(cell, lab) for cell in gradients.CELLS}
    first = ran["rnn"]
    read = Layer("input", "input", ("step", "unit"), {}, (), first.read[0],
                 gradient=np.sum([one.to_input()[0] for one in ran.values()], axis=0))
    layers = [read, *(_cell(cell, one, lab) for cell, one in ran.items()),
              *(_read_out(cell, one) for cell, one in ran.items())]
    value = float(sum(one.loss[0] for one in ran.values()))
    layers.append(Layer("loss", "half_squared_errors", (), {"target": 1.0, "counts": lab.loss},
                        tuple(f"read_{cell}" for cell in ran), np.array(value), gradient=np.ones(())))
    return (_trace(lab, tuple(layers), Objective("squared_error", None, value)), gradients.time_study(lab, ran))


def _cell(cell: str, one: gradients.Ran, lab: Lab) -> Layer:
    settings: dict[str, Any] = {"sequences": 1, "level": 0, "reverse": False, "place": 0}
    settings |= {"nonlinearity": lab.cell, "quick": True} if cell == "rnn" else {"beside": "rnn"}
    back = {name: array[0] for name, array in one.back.items()}
    inner = {name: array[0] for name, array in one.inner.items() if name != "hidden_new"}
    return Layer(cell, cell, ("step", "unit"), settings, ("input",), one.inner["hidden"][0], gradient=back["hidden"],
                 weights={name: array[0] for name, array in one.weights.items()},
                 weight_gradients={name: array[0] for name, array in one.weight_gradients.items()},
                 inner=inner, inner_gradients=back)


def _read_out(cell: str, one: gradients.Ran) -> Layer:
    """v·h of every step; the loss is half the square of its distance from 1."""
    beside = {} if cell == "rnn" else {"beside": "read_rnn"}
    gradient = one.direct[0, :, None]
    with np.errstate(all="ignore"):
        to_weight = gradient.T @ one.inner["hidden"][0]
    return Layer(f"read_{cell}", "linear", ("step", "unit"), beside, (cell,), one.answers[0, :, None],
                 gradient=gradient, weights={"weight": one.readout[:1]},
                 weight_gradients={"weight": to_weight})


# --- down through layers --------------------------------------------------------------------------------------------

def _down(lab: Lab) -> tuple[Trace, Arrays]:
    """The deep network of the first seed on the first of its inputs.

    Batch norm takes the statistics of the whole batch, as in the study: they are fixed while the one input runs.
    """
    study = gradients.depth_study(lab)
    model = gradients.Deep(lab, 0)
    x, labels = gradients.deep_input(lab, 0)
    notes = _fix_statistics(model, x) if lab.norm == "batch" else ()
    traced = capture(model, x[:1], int(labels[0]), name=NAME, title=TITLE, sample=Sample("random", "Random numbers"),
                     labels=tuple(str(number) for number in range(gradients.CLASSES)))
    return replace(traced, sample=Sample("random", "Random numbers, seed 0", int(labels[0])),
                   notes=(*traced.notes, *notes), facts={"lab": lab.words(), "blocks": _blocks(traced)}), study


@torch.no_grad()
def _fix_statistics(model: gradients.Deep, x: torch.Tensor) -> tuple[str, ...]:
    """Let batch norm use, for one input, what it measured over the batch."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0
    model(x)
    model.eval()
    return ("Batch norm uses the mean and variance of the whole batch as fixed numbers here; the curves let the "
            "gradient flow through them, too.",)


def _blocks(trace: Trace) -> dict[str, int]:
    """Which hidden layer each operation belongs to, counted from 1; 0 for the input, one more than all at the end."""
    found, block = {}, 0
    last = max(int(layer.name.removeprefix("layer")) for layer in trace if layer.name.startswith("layer"))
    for layer in trace:
        number = re.match(r"(?:layer|norm|act)(\d+)$", layer.name)
        block = int(number[1]) if number else last + 1 if kinds.role(layer) == "mean" or layer.name == "read" else block
        found[layer.name] = block
    return found


# --- over the cliff -------------------------------------------------------------------------------------------------

def _over_the_cliff(lab: Lab) -> tuple[Trace, Arrays]:
    """Two balls on one error surface: a beat for each step of gradient descent."""
    study = gradients.cliff_study(lab)
    start = Layer("start", "input", ("parameter",), {}, (), study["plain"][0, :2])
    layers = [start]
    for name, beside in (("plain", {}), ("clipped", {"beside": "plain"})):
        way = study[name][1:]  # where the steps led; the first row is the start
        layers.append(Layer(name, "descent", ("step", "parameter"), beside, ("start",), way[:, :2],
                            inner={"place": way[:, :2], "error": way[:, 2:3], "steepness": way[:, 3:4]},
                            why=reasons.DESCENT))
    return _trace(lab, tuple(layers), Objective("error", None, float(study["plain"][0, 2]))), study
