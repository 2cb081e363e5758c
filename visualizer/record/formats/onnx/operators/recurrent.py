"""LSTM, GRU and RNN: torch's own where they are that, so that their gates are seen; else step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.language import tr
from visualizer.record.formats.onnx.operators._table import Said, listed, operator

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
USUAL = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh"), "RNN": ("tanh",)}
ORDER = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
"""The gates of ONNX (i o f c, z r h) in the order in which torch has them (i f g o, r z n)."""


def activations(how: Any) -> tuple[tuple[str, float, float], ...]:
    """Those of every direction, one after the other, with their settings."""
    kind, sides = how.op, 2 if how.get("direction", "forward") == "bidirectional" else 1
    names = [str(each).lower() for each in how.get("activations") or USUAL[kind] * sides]
    alphas, betas = list(how.get("activation_alpha") or []), list(how.get("activation_beta") or [])
    found = []
    for name in names:
        usual = {"leakyrelu": (0.01, 0.0), "elu": (1.0, 0.0), "hardsigmoid": (0.2, 0.5), "thresholdedrelu": (1.0, 0.0),
                 "scaledtanh": (1.0, 1.0), "affine": (1.0, 0.0)}.get(name)
        alpha = alphas.pop(0) if usual is not None and alphas else (usual or (0.0, 0.0))[0]
        two = name in ("hardsigmoid", "scaledtanh", "affine")
        beta = betas.pop(0) if two and betas else (usual or (0.0, 0.0))[1]
        found.append((name, alpha, beta))
    return tuple(found)


def mode(how: Any) -> str:
    """Which of torch's recurrent calls makes the same: `LSTM`, `GRU`, `RNN_TANH`, `RNN_RELU`; empty for none."""
    kind = how.op
    if how.get("clip", 0) or how.get("input_forget", 0) or (kind == "GRU" and not how.get("linear_before_reset", 0)):
        return ""
    names = {each for each, _, _ in activations(how)}
    if kind == "RNN":
        return f"RNN_{names.pop().upper()}" if names in ({"tanh"}, {"relu"}) else ""
    each = len(USUAL[kind])
    found = [name for name, _, _ in activations(how)]
    return kind if all(tuple(found[start:start + each]) == USUAL[kind] for start in range(0, len(found), each)) else ""


def torch_weights(how: Any, weight: Tensor, again: Tensor, bias: Tensor | None) -> dict[str, Tensor]:
    """The weights of one level under torch's names, their gates in torch's order; W (sides, gates · hidden, input),
    R (sides, gates · hidden, hidden), B (sides, 2 · gates · hidden)."""
    kind, sides = how.op, weight.shape[0]
    hidden = weight.shape[1] // GATES[kind]
    bias = torch.zeros(sides, 2 * weight.shape[1], dtype=weight.dtype, device=weight.device) if bias is None else bias
    found = {}
    for side in range(sides):
        end = "_l0" if side == 0 else "_l0_reverse"
        found[f"weight_ih{end}"] = _ordered(weight[side], kind, hidden)
        found[f"weight_hh{end}"] = _ordered(again[side], kind, hidden)
        found[f"bias_ih{end}"] = _ordered(bias[side, :weight.shape[1]], kind, hidden)
        found[f"bias_hh{end}"] = _ordered(bias[side, weight.shape[1]:], kind, hidden)
    return found


def _ordered(x: Tensor, kind: str, hidden: int) -> Tensor:
    parts = torch.split(x, hidden)
    return torch.cat([parts[place] for place in ORDER[kind]]).contiguous()


@operator("LSTM", "GRU", "RNN", told=(4,))
def _recurrent(how: Any, x: Tensor, weight: Tensor, again: Tensor, bias: Tensor | None = None, lengths: Any = None,
               hidden: Tensor | None = None, cell: Tensor | None = None, peephole: Tensor | None = None) -> Any:
    """With the weights as the file has them."""
    turned = bool(how.get("layout", 0))
    x = x.transpose(0, 1) if turned else x
    hidden, cell = (None if each is None else each.transpose(0, 1) if turned else each for each in (hidden, cell))
    lengths = None if lengths is None or set(listed(lengths)) == {x.shape[0]} else listed(lengths)
    which = mode(how)
    if which and lengths is None and peephole is None:
        made = called(how, x, list(torch_weights(how, weight, again, bias).values()), hidden, cell)
    else:
        made = _by_steps(how, x, weight, again, bias, lengths, hidden, cell, peephole)
    return _given(made, turned)


def called(how: Any, x: Tensor, weights: Sequence[Tensor], hidden: Tensor | None, cell: Tensor | None
           ) -> tuple[Tensor, ...]:
    """Torch's own call: (step, side, sample, unit), and the last states."""
    which, sides = mode(how), 2 if how.get("direction", "forward") == "bidirectional" else 1
    backwards = how.get("direction", "forward") == "reverse"
    first = x.new_zeros(sides, x.shape[1], weights[1].shape[1]) if hidden is None else hidden
    if x.dim() != 3 or x.shape[2] != weights[0].shape[1]:
        raise ValueError(tr("a recurrent layer that reads {count} numbers a step is given {shape}"
                            ).format(count=weights[0].shape[1], shape=tuple(x.shape)))
    if any(each is not None and tuple(each.shape) != (sides, x.shape[1], weights[1].shape[1])
           for each in (hidden, cell)):
        raise ValueError(tr("the state that a recurrent layer begins with is of another size than it has"))
    if x.device.type == "meta":  # torch goes through all steps there
        state = x.new_empty(sides, x.shape[1], weights[1].shape[1])
        return (x.new_empty(*x.shape[:2], sides * weights[1].shape[1]), *[state] * (1 + (which == "LSTM")))
    x = torch.flip(x, [0]) if backwards else x
    if which == "LSTM":
        state = (first, torch.zeros_like(first) if cell is None else cell)
        output, *last = torch.lstm(x, state, weights, True, 1, 0.0, False, sides == 2, False)
    else:
        does = {"GRU": torch.gru, "RNN_TANH": torch.rnn_tanh, "RNN_RELU": torch.rnn_relu}[which]
        output, *last = does(x, first, weights, True, 1, 0.0, False, sides == 2, False)
    output = torch.flip(output, [0]) if backwards else output
    return (output, *last)


@operator("visualizer.Recurrent", told=(1,))
def _layer(how: Said, x: Tensor, lengths: Any, hidden: Tensor | None, cell: Tensor | None, *weights: Tensor
           ) -> tuple[Tensor, ...]:
    """What one with constant weights is once a file has been read: a layer of torch."""
    steps = x.shape[0]
    shorter = None if lengths is None or set(listed(lengths)) == {steps} else listed(lengths)
    if shorter is not None:
        if len(shorter) != 1:
            raise TypeError(tr("a recurrent layer over sequences of several lengths is run over one of them at a time"))
        x = x[:shorter[0]]
    output, *last = called(how.said["how"], x, weights, hidden, cell)
    if shorter is not None:
        output = F.pad(output, [0, 0, 0, 0, 0, steps - shorter[0]])
    return (output if how.said["flat"] else apart(output, last[0].shape[0]), *last)


def apart(output: Tensor, sides: int) -> Tensor:
    """(step, sample, side · unit) as ONNX has it: (step, side, sample, unit)."""
    if sides == 1:
        return output.unsqueeze(1)
    steps, samples, units = output.shape
    return output.reshape(steps, samples, sides, units // sides).transpose(1, 2)


def _given(made: tuple[Tensor, ...], turned: bool) -> tuple[Tensor, ...]:
    output, *last = made
    output = apart(output, last[0].shape[0]) if output.dim() == 3 else output
    if not turned:
        return (output, *last)
    return (output.permute(2, 0, 1, 3), *[each.transpose(0, 1) for each in last])


# --- step by step ---------------------------------------------------------------------------------------------------

def _by_steps(how: Any, x: Tensor, weight: Tensor, again: Tensor, bias: Tensor | None, lengths: list[int] | None,
              hidden: Tensor | None, cell: Tensor | None, peephole: Tensor | None
              ) -> tuple[Tensor, ...]:
    kind, sides = how.op, weight.shape[0]
    units, samples = again.shape[2], x.shape[1]
    zeros = x.new_zeros(samples, units)
    curves = activations(how)
    each = len(USUAL[kind])
    outputs, lasts, cells = [], [], []
    for side in range(sides):
        backwards = how.get("direction", "forward") == "reverse" or side == 1
        state = (zeros if hidden is None else hidden[side], zeros if cell is None else cell[side])
        given, back = (None, None) if bias is None else torch.split(bias[side], weight.shape[1])
        peeped = None if peephole is None else torch.split(peephole[side], units)
        found: list[Tensor] = []
        for step in range(x.shape[0]) if not backwards else reversed(range(x.shape[0])):
            before = state
            state = _STEP[kind](how, x[step], state, weight[side], again[side], given, back, peeped,
                                [_curve(*one) for one in curves[side * each:(side + 1) * each]])
            shown = state[0]
            if lengths is not None:
                runs = torch.tensor([step < length for length in lengths])[:, None]
                state = (torch.where(runs, state[0], before[0]), torch.where(runs, state[1], before[1]))
                shown = torch.where(runs, shown, zeros)
            found.append(shown)
        outputs.append(torch.stack(found[::-1] if backwards else found))
        lasts.append(state[0])
        cells.append(state[1])
    made = (torch.stack(outputs, 1), torch.stack(lasts))
    return (*made, torch.stack(cells)) if kind == "LSTM" else made


def _clipped(how: Any, x: Tensor) -> Tensor:
    most = how.get("clip", 0)
    return torch.clamp(x, -most, most) if most else x


def _curve(name: str, alpha: float, beta: float) -> Callable[[Tensor], Tensor]:
    known: dict[str, Callable[[Tensor], Tensor]] = {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "softsign": F.softsign, "softplus": F.softplus,
        "leakyrelu": lambda x: F.leaky_relu(x, alpha), "elu": lambda x: F.elu(x, alpha),
        "hardsigmoid": lambda x: torch.clamp(x * alpha + beta, 0, 1), "affine": lambda x: x * alpha + beta,
        "thresholdedrelu": lambda x: F.threshold(x, alpha, 0.0), "scaledtanh": lambda x: torch.tanh(x * beta) * alpha}
    if name not in known:
        raise TypeError(tr("the activation {name} is not read").format(name=name[:40]))
    return known[name]


def _lstm(how: Any, x: Tensor, state: tuple[Tensor, Tensor], weight: Tensor, again: Tensor, bias: Any, back: Any,
          peeped: Any, curves: Sequence[Any]) -> tuple[Tensor, Tensor]:
    h, c = state
    gate, candidate, shown = curves
    i, o, f, g = torch.chunk(F.linear(x, weight, bias) + F.linear(h, again, back), 4, 1)
    if peeped is not None:
        i, f = i + peeped[0] * c, f + peeped[2] * c
    i = gate(_clipped(how, i))
    f = 1 - i if how.get("input_forget", 0) else gate(_clipped(how, f))
    c = f * c + i * candidate(_clipped(how, g))
    o = gate(_clipped(how, o if peeped is None else o + peeped[1] * c))
    return o * shown(c), c


def _gru(how: Any, x: Tensor, state: tuple[Tensor, Tensor], weight: Tensor, again: Tensor, bias: Any, back: Any,
         peeped: Any, curves: Sequence[Any]) -> tuple[Tensor, Tensor]:
    h, units = state[0], again.shape[1]
    gate, candidate = curves
    z, r, new = torch.chunk(F.linear(x, weight, bias), 3, 1)
    old = F.linear(h, again[:2 * units], None if back is None else back[:2 * units])
    z, r = gate(_clipped(how, z + old[:, :units])), gate(_clipped(how, r + old[:, units:]))
    last = None if back is None else back[2 * units:]
    if how.get("linear_before_reset", 0):
        inner = r * F.linear(h, again[2 * units:], last)
    else:
        inner = F.linear(r * h, again[2 * units:], last)
    h = (1 - z) * candidate(_clipped(how, new + inner)) + z * h
    return h, h


def _rnn(how: Any, x: Tensor, state: tuple[Tensor, Tensor], weight: Tensor, again: Tensor, bias: Any, back: Any,
         peeped: Any, curves: Sequence[Any]) -> tuple[Tensor, Tensor]:
    h = curves[0](_clipped(how, F.linear(x, weight, bias) + F.linear(state[0], again, back)))
    return h, h


_STEP: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}
