"""What it costs to see inside a recurrent layer: every gate, every state, and the gradient of each at every step."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import visualizer
from tests.benchmarks import Measured, Row, Skipped
from tests.benchmarks.grid import SCREENS, _blit, _Widget
from visualizer import paint
from visualizer.record.unroll import call_of, unroll
from visualizer.scene.picture import Look
from visualizer.scene.timeline import timeline
from visualizer.trace import Layer, Trace
from visualizer.views import View, all_views

UNITS = 128
RECURRENT = ("unrolled", "hidden_state", "gates", "trajectory", "cell")
"""Views of steps; those of answers need a network that answers at every step."""


class Reader(nn.Module):
    """A recurrent module over a sequence, and ten classes from the mean of what it says at all steps, or the last."""

    def __init__(self, kind: str, features: int, levels: int = 1, last: bool = False) -> None:
        super().__init__()
        self.rnn = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}[kind](features, UNITS, levels, batch_first=True)
        self.fc, self.last = nn.Linear(UNITS, 10), last

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.rnn(x)[0])

    def answer(self, output: Tensor) -> Tensor:
        return self.fc(output[:, -1] if self.last else output.mean(1))


def traces() -> Iterator[Row]:
    """A trace with everything inside, against autograd over the same equations written out step by step."""
    for what, model, x in _models():
        if "LSTM" in what and x.shape[1] > 28:
            yield Row(f"{what}: the whole trace", _captured(model, x), _unrolled(model, x),
                      "autograd over single steps that keeps it too", 0.5, repeat=_repeat(x))


def taken_apart() -> Iterator[Row]:
    """What is added to the untouched run to see inside: in closed form, against autograd over single steps.

    torch itself makes RNN and GRU step by step, so for these the run alone costs nearly what its floor does.
    """
    for what, model, x in _models():
        yield Row(f"{what}: all gates and gradients", _apart(model, x), _unrolled(model, x),
                  "autograd over single steps that keeps them too", 0.5, repeat=_repeat(x))


def against_plain() -> Iterator[Row]:
    """A trace with everything inside, against a plain forward and backward pass, which keeps nothing."""
    for what, model, x in _models():
        yield Row(f"{what}: the whole trace", _captured(model, x), _plain(model, x),
                  "a plain forward and backward pass", 5.0, repeat=_repeat(x))


def steps() -> Iterator[Row]:
    """Ten times the steps cost at most ten times as much, give or take a fifth; a fixed cost makes it less."""
    torch.set_num_threads(1)
    for kind in ("RNN", "GRU", "LSTM"):
        torch.manual_seed(0)
        model = Reader(kind, 28)
        yield Row(f"{kind} of {UNITS} units, 1,000 steps", _captured(model, torch.randn(1, 1000, 28)),
                  _captured(model, torch.randn(1, 100, 28)), "100 steps", 12.0, repeat=3)


def memory() -> Iterator[Row]:
    """What is kept of 1,000 steps, against the outputs alone: one array for each gate, state and gradient."""
    torch.set_num_threads(1)
    for kind, arrays in (("RNN", 5), ("GRU", 13), ("LSTM", 17)):
        torch.manual_seed(0)
        layer = visualizer.capture(Reader(kind, 28), torch.randn(1, 1000, 28), 3)["rnn"]
        yield Row(f"{kind} of {UNITS} units, 1,000 steps, everything inside", partial(_megabytes, layer),
                  partial(_megabytes_of_outputs, layer), "the outputs alone", arrays + 0.01, unit="MB")


def step_key() -> Iterator[Row]:
    """One step further in each view of 128 units at 1080p: the Picture made and painted, in milliseconds. The slowest
    one in twenty counts, against a frame of 16 ms."""
    for view in _views(100):
        yield Row(f"{view.name}, LSTM of {UNITS} units, 100 steps", _stepped(view, 100), lambda: 16.0,
                  "a frame of 16 ms", 1.0)


def step_blits() -> Iterator[Row]:
    """The same, its median against one full-size blit."""
    for view in _views(100):
        yield Row(f"{view.name}, LSTM of {UNITS} units, 100 steps", _stepped(view, 100, median=True),
                  _blit(SCREENS["1080p"]), "one full-size blit", 12.0)


def length() -> Iterator[Row]:
    """A view of 1,000 steps against the same of 100: what lies off screen must not cost."""
    for view in _views(100):
        yield Row(f"{view.name}, 1,000 steps", _stepped(view, 1000, median=True), _stepped(view, 100, median=True),
                  "100 steps", 3.0)


def peak() -> Iterator[Row]:
    """The memory that a process of its own takes at most to record 1,000 steps, against what the trace keeps."""
    code = ("from pathlib import Path; import torch, visualizer; from tests.benchmarks.recurrent import Reader, kept\n"
            "torch.set_num_threads(1)\n"
            "def status(what):\n"
            "    lines = Path('/proc/self/status').read_text().splitlines()\n"
            "    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))\n"
            "model = Reader('LSTM', 28)\n"
            "visualizer.capture(model, torch.randn(1, 10, 28), target=3)\n"
            "Path('/proc/self/clear_refs').write_text('5')\n"
            "before = status('VmRSS')\n"
            "trace = visualizer.capture(model, torch.randn(1, 1000, 28), target=3)\n"
            "print(status('VmHWM') - before, kept(trace))")
    if not Path("/proc/self/clear_refs").exists():
        yield Skipped("memory to record 1,000 steps", "this system does not say how much a process took")
        return

    def measured() -> tuple[float, float]:
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        taken, keeps = (float(word) for word in said.stdout.split())
        return taken, keeps

    yield Row(f"LSTM of {UNITS} units, 1,000 steps: most memory while recording", lambda: measured()[0],
              lambda: measured()[1], "the whole trace", 5.0, unit="MB")


def kept(trace: Trace) -> float:
    """Megabytes of all arrays of a trace; one that stands for two things counts once."""
    arrays = [array for layer in trace for group in (layer.inner, layer.inner_gradients, layer.weights,
                                                     layer.weight_gradients) for array in group.values()]
    arrays += [array for layer in trace for array in (layer.output, layer.gradient) if array is not None]
    return sum({id(array): array.nbytes for array in arrays}.values()) / 1e6


@cache
def _recorded(count: int) -> Trace:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return visualizer.capture(Reader("LSTM", 28), torch.randn(1, count, 28), target=3)


def _views(count: int) -> list[View]:
    return [view for view in all_views() if view.name in RECURRENT and view.suits(_recorded(count))]


def _stepped(view: View, count: int, median: bool = False) -> Measured:
    """Forty steps, each drawn and painted as the window does it: the still part is kept where it stays."""
    trace, times, look = _recorded(count), timeline(_recorded(count)), Look(SCREENS["1080p"])
    first = times.find(f"rnn.forward[{count // 2}]").index
    stills, shown = paint.Stills(), [view.draw(trace, times.settled(first - 1), None, look)]
    widget = _Widget(look.size, lambda painter: stills.paint(shown[0], painter))
    widget.repaint()

    def steps() -> float:
        taken = []
        for index in range(first, first + 40):
            start = time.thread_time()
            shown[0] = view.draw(trace, times.settled(index), None, look)
            widget.repaint()
            taken.append((time.thread_time() - start) * 1000)
        return statistics.median(taken) if median else statistics.quantiles(taken, n=20)[-1]

    return steps


def _models() -> list[tuple[str, Reader, Tensor]]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = [("LSTM 2 × 128, 64 steps", Reader("LSTM", 32, 2), torch.randn(1, 64, 32))]
    for kind in ("RNN", "GRU", "LSTM"):
        for count in (28, 100, 1000):
            found.append((f"{kind} 128, {count:,} steps", Reader(kind, 28), torch.randn(1, count, 28)))
    found.append(("LSTM 128, 1,000 steps, loss on the last", Reader("LSTM", 28, last=True), torch.randn(1, 1000, 28)))
    return found


def _repeat(x: Tensor) -> int:
    return 1 if x.shape[1] > 500 else 5


def _apart(model: Reader, x: Tensor) -> Measured:
    """The numbers of one untouched run, taken apart again and again."""
    weights = list(model.rnn.parameters())
    start = torch.zeros(model.rnn.num_layers, 1, UNITS)
    name = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn_tanh"}[type(model.rnn).__name__]
    made = getattr(torch, name)(x, (start, start) if name == "lstm" else start, weights, True, model.rnn.num_layers,
                                0.0, False, False, True)
    loss = nn.functional.cross_entropy(model.answer(made[0]), torch.tensor([3]))
    back, *found = torch.autograd.grad(loss, [made[0], *weights])
    call = call_of(name, (x, (start, start) if name == "lstm" else start, weights, True, model.rnn.num_layers, 0.0,
                          False, False, True))
    gradients = dict(zip(map(id, weights), found, strict=True))
    autograd = [{key: gradients[id(weight)] for key, weight in named.items()} for named in call.weights]

    def apart() -> None:
        directions = unroll(call, made, [back] + [None] * (len(made) - 1), weight_gradients=autograd)
        assert not any(direction.unverified for direction in directions)

    return apart


def _captured(model: Reader, x: Tensor) -> Measured:
    def captured() -> None:
        trace = visualizer.capture(model, x, target=3)
        assert all(layer.inner_gradients and not layer.why for layer in trace if layer.inner)

    return captured


def _plain(model: Reader, x: Tensor) -> Measured:
    target = torch.tensor([3])

    def plain() -> None:
        model.zero_grad(set_to_none=True)
        inputs = x.clone().requires_grad_()
        nn.functional.cross_entropy(model(inputs), target).backward()

    return plain


def _unrolled(model: Reader, x: Tensor) -> Measured:
    """One matrix product for all that is read, then step by step; every gate and state keeps its gradient."""
    target = torch.tensor([3])
    _same_norms(model, x)

    def unrolled() -> None:
        model.zero_grad(set_to_none=True)
        output, kept = _single_steps(model, x.clone().requires_grad_())
        nn.functional.cross_entropy(model.answer(output), target).backward()
        for steps in kept.values():
            np.array([step.detach().numpy() for step in steps]), np.array([step.grad.numpy() for step in steps])

    return unrolled


def _single_steps(model: Reader, x: Tensor) -> tuple[Tensor, dict[tuple[int, str], list[Tensor]]]:
    """The output of the last level, and (level, name) -> a tensor a step, each with its gradient kept."""
    kept: dict[tuple[int, str], list[Tensor]] = {}

    def keep(level: int, **tensors: Tensor) -> None:
        for name, tensor in tensors.items():
            tensor.retain_grad()
            kept.setdefault((level, name), []).append(tensor)

    read = x[0]
    for level in range(model.rnn.num_layers):
        w, u, b, d = (getattr(model.rnn, f"{name}_l{level}") for name in
                      ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        h = c = torch.zeros(UNITS)
        states = []
        for from_x in nn.functional.linear(read, w, b):
            if isinstance(model.rnn, nn.LSTM):
                i, f, g, o = (from_x + u @ h + d).chunk(4)
                i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
                c = f * c + i * g
                h = o * c.tanh()
                keep(level, input=i, forget=f, candidate=g, output_gate=o, cell=c, hidden=h)
            elif isinstance(model.rnn, nn.GRU):
                (xr, xz, xn), (hr, hz, hn) = from_x.chunk(3), (u @ h + d).chunk(3)
                r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
                n = (xn + r * hn).tanh()
                h = (h - n) * z + n
                keep(level, reset=r, update=z, new=n, hidden=h)
            else:
                a = from_x + u @ h + d
                h = a.tanh()
                keep(level, preactivation=a, hidden=h)
            states.append(h)
        read = torch.stack(states)
    return read[None], kept


def _same_norms(model: Reader, x: Tensor) -> None:
    """The two ways find the same gradient at every step, or the figures would compare different things."""
    output, kept = _single_steps(model, x)
    nn.functional.cross_entropy(model.answer(output), torch.tensor([3])).backward()
    layers = [layer for layer in visualizer.capture(model, x, target=3) if layer.inner]
    for level, layer in enumerate(layers):
        for name, found in layer.inner_gradients.items():
            if (level, name) in kept:
                wanted = np.array([np.linalg.norm(step.grad.numpy()) for step in kept[level, name]])
                assert np.abs(np.linalg.norm(found, axis=1) - wanted).max() <= 1e-5 * wanted.max()


def _megabytes(layer: Layer) -> float:
    """Gates, states and gradients; an array that stands for two things counts once."""
    arrays = {id(array): array.nbytes for group in (layer.inner, layer.inner_gradients) for array in group.values()}
    return sum(arrays.values()) / 1e6


def _megabytes_of_outputs(layer: Layer) -> float:
    return layer.output.nbytes / 1e6
