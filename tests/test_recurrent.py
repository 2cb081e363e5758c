"""Recurrent layers taken apart, against autograd over the same equations written out step by step."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence
from torch.overrides import TorchFunctionMode

from tests.close import allowed
from visualizer.record import capture
from visualizer.record.unroll import CELLS, FUSED, Call, call_of, gradients_of_weights, random_state, unroll
from visualizer.trace import Layer, Trace, from_bytes

torch.set_num_threads(1)
GATES = {"lstm": ("input", "forget", "candidate", "output_gate"), "gru": ("reset", "update", "new"),
         "rnn": ("preactivation",)}
LENGTHS = (4, 6, 2, 6, 1)


# --- the oracle: one sequence, written out in torch, every gate and state with its own gradient -----------------------

def step(name: str, weights: dict[str, Tensor], x: Tensor, h: Tensor, c: Tensor | None) -> dict[str, Tensor]:
    """One step by the equations of torch's documentation."""
    from_x = nn.functional.linear(x, weights["weight_ih"], weights.get("bias_ih"))
    from_h = nn.functional.linear(h, weights["weight_hh"], weights.get("bias_hh"))
    if name == "lstm":
        assert c is not None
        sums = dict(zip(GATES["lstm"], (from_x + from_h).chunk(4), strict=True))
        gates = {gate: kept(total.tanh() if gate == "candidate" else total.sigmoid()) for gate, total in sums.items()}
        cell = kept(gates["forget"] * c + gates["input"] * gates["candidate"])
        hidden = gates["output_gate"] * cell.tanh()
        if "weight_hr" not in weights:
            return {**gates, "cell": cell, "hidden": kept(hidden)}
        hidden = kept(hidden)
        return {**gates, "cell": cell, "unprojected": hidden, "hidden": kept(weights["weight_hr"] @ hidden)}
    if name == "gru":
        (xr, xz, xn), (hr, hz, hn) = from_x.chunk(3), from_h.chunk(3)
        r, z, product = kept((xr + hr).sigmoid()), kept((xz + hz).sigmoid()), kept(hn.clone())
        n = kept((xn + r * product).tanh())
        return {"reset": r, "update": z, "new": n, "hidden_new": product, "hidden": kept((1 - z) * n + z * h)}
    total = kept(from_x + from_h)
    return {"preactivation": total, "hidden": kept(total.tanh() if name == "rnn_tanh" else total.relu())}


def kept(tensor: Tensor) -> Tensor:
    """The tensor, with a gradient that stays; whoever reads it again reads this very one."""
    if tensor.requires_grad:
        tensor.retain_grad()
    return tensor


def unrolled(call: Call, weights: list[dict[str, Tensor]], x: list[Tensor], sequence: int,
             masks: list[Tensor] | None = None, nudge: tuple[int, str, int, int, float] | None = None,
             ) -> tuple[list[list[dict[str, Tensor]]], Tensor, Tensor, Tensor | None]:
    """Steps of every level and direction, in the order of places; output, h_n and c_n. `nudge` adds to one number."""
    made, last_h, last_c = [], [], []
    for place, named in enumerate(weights):
        level, reverse = divmod(place, call.directions)
        h = call.initial[0][place, sequence]
        c = call.initial[1][place, sequence] if call.name == "lstm" else None
        steps: list[dict[str, Tensor]] = [{}] * len(x)
        for t in reversed(range(len(x))) if reverse else range(len(x)):
            steps[t] = step(call.name, named, x[t], h, c)
            if nudge and nudge[:1] == (place,) and nudge[2] == t:
                key, unit, amount = nudge[1], nudge[3], nudge[4]
                changed = steps[t][key].clone()
                changed[unit] += amount
                if key == "cell":  # the hidden state is made from it
                    hidden = steps[t]["output_gate"] * changed.tanh()
                    steps[t]["hidden"] = named["weight_hr"] @ hidden if "weight_hr" in named else hidden
                steps[t] = {**steps[t], key: changed}
            h, c = steps[t]["hidden"], steps[t].get("cell")
        made.append(steps)
        last_h.append(h)
        last_c.append(c)
        if reverse == call.directions - 1:
            x = [torch.cat([each[t]["hidden"] for each in made[-call.directions:]]) for t in range(len(x))]
            if masks is not None and level < call.levels - 1:
                x = [one * masks[level][t] for t, one in enumerate(x)]
    cells = torch.stack([one for one in last_c if one is not None]) if call.name == "lstm" else None
    return made, torch.stack(x), torch.stack(last_h), cells


# --- what torch does ------------------------------------------------------------------------------------------------

class Seen(TorchFunctionMode):
    """The one recurrent call of a module: its name, arguments, and what it handed back."""

    name, args, kwargs, outputs, random = "", (), {}, (), None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").partition(".")[0]
        if name not in FUSED | CELLS:
            return func(*args, **(kwargs or {}))
        self.random = random_state(name, args, kwargs or {})
        returned = func(*args, **(kwargs or {}))
        self.name, self.args, self.kwargs = name, args, kwargs or {}
        self.outputs = returned if isinstance(returned, tuple) else (returned,)
        return returned


@dataclass
class Run:
    """One run of a module with a random objective: everything that `unroll` is given."""

    call: Call
    outputs: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]
    weight_gradients: list[dict[str, Tensor]]
    random: Tensor | None


def run(module: nn.Module, x: Any, hx: Any = None) -> Run:
    with Seen() as seen, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
        module(x, hx)
    factors = [torch.randn(output.shape, dtype=output.dtype) for output in seen.outputs]
    scalar = sum((output * factor).sum() for output, factor in zip(seen.outputs, factors, strict=True))
    parameters = list(module.parameters())
    found = torch.autograd.grad(scalar, [*seen.outputs, *parameters])
    by_id = {id(parameter): gradient for parameter, gradient in zip(parameters, found[len(factors):], strict=True)}
    call = call_of(seen.name, seen.args, seen.kwargs)
    return Run(call, seen.outputs, found[:len(factors)],
               [{name: by_id[id(weight)] for name, weight in weights.items()} for weights in call.weights], seen.random)


def configurations(kind: str, mode: str) -> Iterator[dict[str, Any]]:
    """layers × bidirectional × proj_size × dropout × batch_first × bias × initial state, as far as they go together."""
    for layers, both, proj, dropout, batch_first, bias, given in itertools.product(
            (1, 3), (False, True), (0, 4), (0.0, 0.5), (False, True), (True, False), (False, True)):
        if (not proj or kind == "lstm") and (not dropout or layers > 1) and not (mode == "packed" and batch_first):
            yield {"num_layers": layers, "bidirectional": both, "dropout": dropout, "batch_first": batch_first,
                   "bias": bias, "given": given} | ({"proj_size": proj} if kind == "lstm" else {})


def made(kind: str, dtype: torch.dtype, **options: Any) -> nn.Module:
    options = {key: value for key, value in options.items() if key != "given"}
    if kind.startswith("rnn"):
        return nn.RNN(3, 5, nonlinearity=kind.removeprefix("rnn_"), dtype=dtype, **options)
    return {"lstm": nn.LSTM, "gru": nn.GRU}[kind](3, 5, dtype=dtype, **options)


def inputs(mode: str, options: dict[str, Any], dtype: torch.dtype) -> tuple[Any, Any]:
    """What is read: a batch, sequences of different lengths, or a single sequence without a batch axis; and hx."""
    places, several = options["num_layers"] * (1 + options["bidirectional"]), (3,)
    if mode == "packed":
        x: Any = pack_sequence([torch.randn(n, 3, dtype=dtype) for n in LENGTHS], enforce_sorted=False)
        several = (len(LENGTHS),)
    elif mode == "unbatched":
        x, several = torch.randn(6, 3, dtype=dtype), ()
    else:
        x = torch.randn(*((3, 6) if options["batch_first"] else (6, 3)), 3, dtype=dtype)
    if not options["given"]:
        return x, None
    hidden = torch.randn(places, *several, options.get("proj_size") or 5, dtype=dtype)
    return x, (hidden, torch.randn(places, *several, 5, dtype=dtype)) if "proj_size" in options else hidden


@pytest.mark.parametrize("mode", ["batch", "packed", "unbatched"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_every_configuration_makes_the_modules_outputs_and_autograds_gradients(kind: str, mode: str) -> None:
    """Errors are measured by `unroll` itself; that its measure is right is what the next test is for."""
    for number, options in enumerate(configurations(kind, mode)):
        for dtype, most, most_gradient in ((torch.float32, 1e-6, 1e-5), (torch.float64, 1e-12, 1e-10)):
            if dtype is torch.float64 and number % 3:
                continue
            torch.manual_seed(number)
            module = made(kind, dtype, **options).train()
            one = run(module, *inputs(mode, options, dtype))
            sequence = number % one.call.sequences
            found = unroll(one.call, one.outputs, one.gradients, weight_gradients=one.weight_gradients,
                           random=one.random, sequence=sequence)
            assert len(found) == options["num_layers"] * (1 + options["bidirectional"])
            for direction in found:
                assert direction.module_error <= most, options
                assert direction.gradient_error is not None
                assert direction.gradient_error <= most_gradient, options
                assert direction.unverified == ""


@pytest.mark.parametrize("mode", ["batch", "packed", "unbatched"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_every_gate_state_and_gradient_equals_autograd_step_by_step(kind: str, mode: str) -> None:
    for number, options in enumerate(configurations(kind, mode)):
        if number % 3 or options["dropout"]:
            continue
        torch.manual_seed(number)
        one = run(made(kind, torch.float64, **options), *inputs(mode, options, torch.float64))
        for sequence in (0, one.call.sequences - 1):
            found = unroll(one.call, one.outputs, one.gradients, sequence=sequence)
            steps = oracle(one, sequence)
            for direction, expected in zip(found, steps, strict=True):
                agree(direction.inner, direction.inner_gradients, expected, kind)


def oracle(one: Run, sequence: int, masks: list[Tensor] | None = None) -> list[list[dict[str, Tensor]]]:
    """The same objective over the steps written out; gradients are in `.grad`."""
    weights = [{name: weight.detach().clone().requires_grad_() for name, weight in named.items()}
               for named in one.call.weights]
    rows = one.call.rows(sequence)
    steps, output, last, cells = unrolled(one.call, weights, list(one.call.data[rows].detach()), sequence, masks)
    back = as_rows(one.call, one.gradients[0])[rows]
    scalar = (output * back).sum() + (last * one.gradients[1][:, sequence]).sum()
    if cells is not None:
        scalar = scalar + (cells * one.gradients[2][:, sequence]).sum()
    scalar.backward()
    return steps


def as_rows(call: Call, gradient: Tensor) -> Tensor:
    if call.packed is None and call.batch_first:
        gradient = gradient.transpose(0, 1)
    return gradient.reshape(-1, gradient.shape[-1])


def agree(inner: Any, gradients: Any, expected: list[dict[str, Tensor]], kind: str, most: float = 1e-12) -> None:
    """All of `inner`, and dL/d it, against one dict of tensors a step."""
    assert set(inner) == set(expected[0]) - {"hidden_new"}
    for key in expected[0]:
        if key in inner:
            near(inner[key], torch.stack([at[key].detach() for at in expected]), most)
        wanted = torch.stack([torch.zeros_like(at[key]) if at[key].grad is None else at[key].grad for at in expected])
        near(gradients[key], wanted, most)
        if key in GATES[FUSED[kind]] and key != "preactivation":
            value = torch.tensor(inner[key])
            slope = 1 - value * value if key in ("candidate", "new") else value * (1 - value)
            near(gradients[f"{key}_preactivation"], wanted * slope, most)


def near(found: Any, wanted: Tensor, most: float = 1e-12) -> None:
    assert found.shape == tuple(wanted.shape)
    assert np.abs(found - wanted.numpy()).max() <= most * max(1.0, float(wanted.abs().max()))


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh"])
def test_dropout_between_levels_is_drawn_again_from_the_same_random_numbers(kind: str) -> None:
    torch.manual_seed(3)
    module = made(kind, torch.float64, num_layers=3, bidirectional=True, dropout=0.4).train()
    one = run(module, torch.randn(7, 1, 3, dtype=torch.float64))
    before = torch.get_rng_state()
    found = unroll(one.call, one.outputs, one.gradients, random=one.random)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng():
        torch.set_rng_state(one.random)
        masks = [nn.functional.dropout(torch.ones(7, 1, 10, dtype=torch.float64), 0.4)[:, 0] for _ in range(2)]
    assert {0.0} < {round(float(number), 6) for number in masks[0].flatten()} == {0.0, round(1 / 0.6, 6)}
    for direction, expected in zip(found, oracle(one, 0, masks), strict=True):
        agree(direction.inner, direction.inner_gradients, expected, kind)
    for direction in found[:4]:
        half = slice(5 * direction.reverse, 5 * direction.reverse + 5)
        near(direction.dropped, torch.tensor(direction.output) * masks[direction.level][:, half])
    assert found[4].dropped is None
    with pytest.raises(LookupError, match="random numbers were not kept"):
        unroll(one.call, one.outputs, one.gradients)


@pytest.mark.parametrize(("kind", "proj"), [("lstm", 0), ("lstm", 4), ("gru", 0), ("rnn_tanh", 0)])
def test_the_gradient_of_every_state_is_what_nudging_that_state_does_to_the_objective(kind: str, proj: int) -> None:
    """Central differences of the whole run, in float64: dL/dh_t and dL/dc_t hold every way through later steps."""
    torch.manual_seed(5)
    options = {"proj_size": proj} if proj else {}
    one = run(made(kind, torch.float64, num_layers=2, bidirectional=True, **options),
              torch.randn(6, 1, 3, dtype=torch.float64))
    found = unroll(one.call, one.outputs, one.gradients)
    weights = [{name: weight.detach() for name, weight in named.items()} for named in one.call.weights]

    def objective(nudge: tuple[int, str, int, int, float]) -> float:
        _, output, last, cells = unrolled(one.call, weights, list(one.call.data.detach()), 0, nudge=nudge)
        total = (output * as_rows(one.call, one.gradients[0])).sum() + (last * one.gradients[1][:, 0]).sum()
        return float(total + ((cells * one.gradients[2][:, 0]).sum() if cells is not None else 0.0))

    size = 1e-4
    for place, direction in enumerate(found):
        for key in ("hidden", "cell") if kind == "lstm" else ("hidden",):
            for t, unit in ((0, 0), (3, 2), (5, 3)):
                ends = [objective((place, key, t, unit, sign * size)) for sign in (1, -1)]
                assert abs((ends[0] - ends[1]) / (2 * size) - direction.inner_gradients[key][t, unit]) < 1e-8


def test_the_fused_outputs_own_gradient_is_not_what_is_shown() -> None:
    """With a loss on the last step it is exactly 0 everywhere else, which no true dL/dh_t is."""
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 5, batch_first=True, dtype=torch.float64)
    with Seen() as seen:
        output, _ = lstm(torch.randn(1, 12, 3, dtype=torch.float64))
    (back,) = torch.autograd.grad(output[:, -1].sum(), [output])
    assert (back[:, :-1] == 0).all()
    (direction,) = unroll(call_of(seen.name, seen.args), seen.outputs, [back, None, None])
    assert direction.gradient is not None
    norms = np.linalg.norm(direction.gradient, axis=1)
    assert (norms > 0).all()
    assert norms[0] < norms[-1] / 100
    assert (direction.inner_gradients["hidden_direct"][:-1] == 0).all()


def test_a_single_sequence_of_a_batch_is_the_same_as_that_sequence_alone() -> None:
    torch.manual_seed(0)
    gru = nn.GRU(3, 5, bidirectional=True, dtype=torch.float64)
    sequences = [torch.randn(n, 3, dtype=torch.float64) for n in LENGTHS]
    packed: PackedSequence = pack_sequence(sequences, enforce_sorted=False)
    one = run(gru, packed)
    assert packed.unsorted_indices is not None
    for number, x in enumerate(sequences):
        place = int(packed.unsorted_indices[number])
        together = unroll(one.call, one.outputs, one.gradients, sequence=place)
        alone = run(gru, x[:, None])
        for mine, own in zip(together, unroll(alone.call, alone.outputs), strict=True):
            for key, array in own.inner.items():
                near(mine.inner[key], torch.tensor(array))


def test_a_gru_is_torchs_own_with_r_after_the_product() -> None:
    """Cho et al. 2014 put r before it; with the same weights that makes other numbers."""
    torch.manual_seed(0)
    gru = nn.GRU(3, 5, dtype=torch.float64)
    for bias in (gru.bias_ih_l0, gru.bias_hh_l0):
        nn.init.uniform_(bias, -1, 1)
    x = torch.randn(6, 1, 3, dtype=torch.float64)
    one = run(gru, x)
    (direction,) = unroll(one.call, one.outputs, one.gradients, weight_gradients=one.weight_gradients)
    assert direction.module_error < 1e-15
    w, u = gru.weight_ih_l0.detach(), gru.weight_hh_l0.detach()
    b, d = gru.bias_ih_l0.detach(), gru.bias_hh_l0.detach()
    h, largest = torch.zeros(5, dtype=torch.float64), 0.0
    for t in range(6):
        r = torch.sigmoid((w @ x[t, 0] + b)[:5] + (u @ h + d)[:5])
        z = torch.sigmoid((w @ x[t, 0] + b)[5:10] + (u @ h + d)[5:10])
        n = torch.tanh((w @ x[t, 0] + b)[10:] + u[10:] @ (r * h) + d[10:])
        h = (1 - z) * n + z * h
        largest = max(largest, float((h - torch.tensor(direction.output[t])).abs().max()))
    assert largest > 0.05


def test_what_is_not_what_torch_computed_is_called_unverified_with_the_difference() -> None:
    torch.manual_seed(0)
    one = run(nn.LSTM(3, 5), torch.randn(6, 1, 3))
    outputs = (one.outputs[0] + 1e-3, *one.outputs[1:])
    (direction,) = unroll(one.call, outputs, one.gradients, weight_gradients=one.weight_gradients)
    assert 0.5e-3 < direction.module_error < 2e-3
    assert direction.unverified.startswith("Unverified: outputs made from its gates differ from torch's by 1.")
    wrong = [{name: gradient * 1.01 for name, gradient in named.items()} for named in one.weight_gradients]
    (direction,) = unroll(one.call, one.outputs, one.gradients, weight_gradients=wrong)
    assert direction.unverified.startswith("Unverified: gradients of weights made from its gates differ")
    assert direction.gradient_error == pytest.approx(0.01 / 1.01, rel=0.01)
    broken = (one.outputs[0] * float("nan"), *one.outputs[1:])
    (direction,) = unroll(one.call, broken, one.gradients, weight_gradients=one.weight_gradients)
    assert "nan" in direction.unverified


def test_an_output_may_differ_by_the_rounding_of_its_sums_and_no_further() -> None:
    """In float32, with weights so large that sums of more than 20 are rounded by more than the tolerance of 1e-6.

    Whether ours have torch's own bits is the processor's business: torch takes another way where it has instructions
    for it. So rounding is done here.
    """
    torch.manual_seed(0)
    x = torch.randn(200, 1, 32)
    for module in (nn.RNN(32, 128), nn.GRU(32, 128), nn.LSTM(32, 128)):
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.4)
        one = run(module, x)
        (direction,) = unroll(one.call, one.outputs, one.gradients, weight_gradients=one.weight_gradients)
        assert direction.module_error <= allowed(25, 32 + 128)
        assert direction.gradient_error <= allowed(1, 200 * (32 + 128))
        for off, said in ((2e-6, False), (1e-4, True)):
            outputs = one.outputs[0].clone()
            outputs[100, 0, 64] += off  # one number, which the step after reads
            (direction,) = unroll(one.call, (outputs, *one.outputs[1:]))
            assert bool(direction.unverified) == said, (module, off, direction.unverified)
            assert 1e-6 < direction.module_error
            assert 3e-6 < direction.module_rounding < 3e-5


def test_gradients_of_weights_that_are_used_twice_come_from_one_more_run_of_the_call() -> None:
    torch.manual_seed(0)
    for kind in ("lstm", "gru", "rnn_relu"):
        one = run(made(kind, torch.float64, num_layers=2, bidirectional=True, dropout=0.3).train(),
                  torch.randn(6, 2, 3, dtype=torch.float64))
        again = gradients_of_weights(one.call, one.gradients, one.random)
        for named, theirs in zip(again, one.weight_gradients, strict=True):
            assert set(named) == set(theirs)
            for name, gradient in named.items():
                near(gradient.numpy(), theirs[name])


# --- in a Trace -----------------------------------------------------------------------------------------------------

class Net(nn.Module):
    """A recurrent module, what is done with it, and a dense layer of three classes behind it."""

    def __init__(self, rnn: nn.Module, forward: Any, width: int = 5, **more: Any) -> None:
        super().__init__()
        self.rnn, self.fc, self.does = rnn, nn.Linear(width, 3), forward
        for name, value in more.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.does(self, x)


def recorded(rnn: nn.Module, forward: Any, width: int = 5, x: Tensor | None = None, train: bool = False,
             **more: Any) -> Trace:
    """Captured in float64, and every term of every layer compared."""
    torch.manual_seed(1)
    for parameter in rnn.parameters():
        nn.init.uniform_(parameter, -0.6, 0.6)
    net = Net(rnn, forward, width, **more).train(train)
    trace = capture(net, torch.randn(1, 6, 3) if x is None else x, 1, "float64")
    report = trace.check()
    assert report.worst < 1e-10, report
    assert from_bytes(trace.to_bytes()).digest == trace.digest
    return trace


def time_layers(trace: Trace) -> dict[str, Layer]:
    return {layer.name: layer for layer in trace if layer.inner}


def verified(trace: Trace) -> bool:
    report = trace.check()
    return not report.unverified and all(
        layer.settings["module_error"] <= 1e-12 and layer.settings["gradient_error"] <= 1e-10 and not layer.why
        for layer in time_layers(trace).values())


def last_step(net: Net, x: Tensor) -> Tensor:
    return net.fc(net.rnn(x)[0][:, -1])


def test_a_single_module_is_one_layer_with_its_gates_and_all_of_dl_dh() -> None:
    trace = recorded(nn.LSTM(3, 5, batch_first=True), last_step)
    layer = trace["rnn"]
    assert (layer.kind, layer.axes, layer.shape, layer.reads) == ("lstm", ("step", "unit"), (6, 5), ("input",))
    assert list(layer.inner) == ["input", "forget", "candidate", "output_gate", "cell", "hidden"]
    assert layer.inner["hidden"] is layer.output
    assert layer.gradient is layer.inner_gradients["hidden"]
    assert (np.abs(layer.gradient).max(axis=1) > 0).all()
    assert list(layer.weights) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] == list(layer.weight_gradients)
    assert verified(trace)


def test_levels_and_directions_are_layers_of_their_own() -> None:
    trace = recorded(nn.LSTM(3, 6, 2, bidirectional=True, batch_first=True, proj_size=4, dropout=0.5), last_step, 8,
                     train=True)
    assert list(time_layers(trace)) == ["rnn.l0", "rnn.l0.reverse", "rnn.l1", "rnn.l1.reverse"]
    assert trace["rnn.l1.reverse"].reads == ("rnn.l0.dropout", "rnn.l0.reverse.dropout")
    assert trace["rnn.l0.reverse.dropout"].reads == ("rnn.l0.reverse",)
    joined = trace["rnn"]
    assert (joined.kind, joined.reads, joined.shape) == ("both_directions", ("rnn.l1", "rnn.l1.reverse"), (6, 8))
    assert trace["rnn.l0"].inner["unprojected"].shape == (6, 6)
    assert all(not trace[name].why for name in time_layers(trace))
    stacked = recorded(nn.GRU(3, 5, 3, batch_first=True), last_step)
    assert list(time_layers(stacked)) == ["rnn.l0", "rnn.l1", "rnn.l2"]
    assert stacked["getitem"].reads == ("rnn.l2",)
    assert verified(stacked)


def test_the_last_states_are_layers_that_read_every_level() -> None:
    trace = recorded(nn.LSTM(3, 5, 2, batch_first=True),
                     lambda net, x: net.fc(net.rnn(x)[1][1][0] + net.rnn(x)[1][0][1]))
    cells, states = trace["rnn.c_n"], trace["rnn#2.h_n"]
    assert (cells.kind, cells.axes, cells.reads) == ("state", ("level", "unit"), ("rnn.l0", "rnn.l1"))
    near(cells.output[0], torch.tensor(trace["rnn.l0"].inner["cell"][-1]))
    assert np.array_equal(states.output[1], trace["rnn#2.l1"].output[-1])
    assert verified(trace)


def test_a_decoder_starts_from_the_states_of_its_encoder() -> None:
    encoder = nn.LSTM(3, 5, batch_first=True, bidirectional=True)
    trace = recorded(nn.LSTM(3, 5, 2, batch_first=True),
                     lambda net, x: net.fc(net.rnn(x[:, :3], net.encoder(x)[1])[0][:, -1]), encoder=encoder)
    assert trace["rnn.l1"].reads == ("rnn.l0", "encoder.h_n", "encoder.c_n")
    assert trace["rnn.l1"].settings["initial_cell"] == "read"
    assert verified(trace)


def test_a_state_to_start_from_can_be_learned() -> None:
    start = nn.Parameter(torch.rand(2, 1, 5))
    trace = recorded(nn.GRU(3, 5, 2, batch_first=True), lambda net, x: net.fc(net.rnn(x, net.start)[0][:, -1]),
                     start=start)
    layer = trace["rnn.l1"]
    assert np.allclose(layer.weights["initial_hidden"], start.detach()[1, 0].numpy())
    assert np.allclose(layer.weight_gradients["initial_hidden"], layer.inner_gradients["initial_hidden"][0])
    assert trace.parameters == sum(weight.numel() for module in (nn.GRU(3, 5, 2), nn.Linear(5, 3))
                                   for weight in module.parameters()) + start.numel()
    assert verified(trace)


def test_modules_functional_calls_and_exported_graphs_go_one_way() -> None:
    class Functional(nn.Module):
        def __init__(self, gru: nn.GRU) -> None:
            super().__init__()
            self.weights = nn.ParameterList(gru.parameters())

        def forward(self, x: Tensor) -> Tensor:
            start = torch.zeros(2, 1, 5, dtype=x.dtype)
            return torch.gru(x, start, list(self.weights), has_biases=True, num_layers=2, dropout=0.0, train=False,
                             bidirectional=False, batch_first=True)[0][:, -1]

    class Module(nn.Module):
        def __init__(self, gru: nn.GRU) -> None:
            super().__init__()
            self.gru = gru

        def forward(self, x: Tensor) -> Tensor:
            return self.gru(x)[0][:, -1]

    torch.manual_seed(0)
    gru, x = nn.GRU(3, 5, 2, batch_first=True), torch.randn(1, 6, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(Module(gru).eval(), (x,)).module()
    traces = [capture(model, x, 2) for model in (Module(gru), Functional(gru), exported)]
    for layers in zip(*(time_layers(trace).values() for trace in traces), strict=True):
        for other in layers[1:]:
            for key, array in layers[0].inner.items():
                assert np.array_equal(array, other.inner[key])
            for key, array in layers[0].inner_gradients.items():
                assert np.array_equal(array, other.inner_gradients[key])
    assert all(trace.check().worst < 1e-5 and len(time_layers(trace)) == 2 for trace in traces)


def test_a_sequence_without_a_batch_axis_and_one_with_the_batch_in_the_middle_are_the_same() -> None:
    x = torch.randn(6, 3)
    with_batch = recorded(nn.GRU(3, 5), lambda net, x: net.fc(net.rnn(x)[0][-1]), x=x[:, None])
    without = recorded(nn.GRU(3, 5), lambda net, x: net.fc(net.rnn(x)[0][-1]), x=x)
    first = recorded(nn.GRU(3, 5, batch_first=True), last_step, x=x[None])
    for trace in (with_batch, without, first):
        assert trace["input"].shape == (6, 3)
        assert np.array_equal(trace["rnn"].output, first["rnn"].output)
        assert verified(trace)


@pytest.mark.parametrize("sort", [True, False])
def test_padding_is_left_out_of_a_packed_sequence(sort: bool) -> None:
    def packed(net: Net, x: Tensor) -> Tensor:
        short = pack_padded_sequence(x, torch.tensor([4]), batch_first=True, enforce_sorted=sort)
        output, _ = pad_packed_sequence(net.rnn(short)[0], batch_first=True)
        return net.fc(output[:, 3])

    trace = recorded(nn.LSTM(3, 5, bidirectional=True), packed, 10)
    assert trace["rnn.l0.reverse"].shape == (4, 5)
    assert (trace["input"].gradient[4:] == 0).all()
    assert (trace["input"].gradient[:4] != 0).all()
    for layer in time_layers(trace).values():
        assert layer.settings["gradient_error"] <= 1e-10
        assert not layer.why


def test_a_module_called_twice_has_its_own_share_of_the_weights_gradient_in_each_call() -> None:
    trace = recorded(nn.GRU(5, 5, batch_first=True), lambda net, x: net.fc(net.rnn(net.rnn(x)[0])[0][:, -1]),
                     x=torch.randn(1, 6, 5))
    torch.manual_seed(1)
    first, second = trace["rnn"], trace["rnn#2"]
    assert second.reads == ("rnn",)
    assert all(np.abs(first.weight_gradients[name] - second.weight_gradients[name]).max() > 1e-3
               for name in first.weights)
    assert verified(trace)


def test_weights_tied_within_and_without_are_told_apart_or_said_not_to_be_compared() -> None:
    rnn = nn.RNN(5, 5, batch_first=True, bias=False)
    rnn.weight_ih_l0 = rnn.weight_hh_l0
    within = recorded(rnn, last_step, x=torch.randn(1, 6, 5))
    assert verified(within)
    cell = nn.GRUCell(5, 5)
    dense = nn.Linear(5, 15, bias=False)
    dense.weight = cell.weight_hh

    def mixed(net: Net, x: Tensor) -> Tensor:
        h = net.rnn(x[:, 1], net.rnn(x[:, 0]))
        return net.fc(h) + net.dense(x[:, 2])[:, :3]

    trace = recorded(cell, mixed, x=torch.randn(1, 6, 5), dense=dense)
    assert trace["rnn"].settings["gradient_error"] is None
    assert "could not be compared" in trace["rnn"].why


def test_without_a_gradient_there_are_gates_and_a_reason() -> None:
    with torch.no_grad():
        net = Net(nn.LSTM(3, 5, 2, batch_first=True), last_step)
    trace = capture(net, torch.randn(1, 6, 3), None, objective="none")
    assert all(layer.gradient is None and not layer.inner_gradients and layer.why and layer.inner
               for layer in time_layers(trace).values())
    frozen = Net(nn.LSTM(3, 5, batch_first=True), last_step)
    frozen.rnn.requires_grad_(False)
    layer = capture(frozen, torch.randn(1, 6, 3), 1)["rnn"]
    assert layer.gradient is not None
    assert layer.weight_gradients == {}
    assert layer.settings["gradient_error"] < 1e-5
    assert layer.why == "Its weights are frozen, so they have no gradient."


def test_what_cannot_be_taken_apart_says_why() -> None:
    net = Net(nn.LSTM(3, 5, batch_first=True),
              lambda net, x: net.fc(net.rnn(x.reshape(2, 3, 3))[0][:, -1].mean(0, True)))
    layer = capture(net, torch.randn(1, 6, 3), 1)["rnn"]
    assert layer.kind == "unexplained"
    assert "2 sequences at once" in layer.why


# --- cells that a model steps by itself -------------------------------------------------------------------------------

def stepped(net: Net, x: Tensor) -> Tensor:
    state = None
    for t in range(x.shape[1]):
        state = net.rnn(x[:, t], state)
    return net.fc(state[0] if isinstance(state, tuple) else state)


@pytest.mark.parametrize(("cell", "fused"), [(nn.LSTMCell, nn.LSTM), (nn.GRUCell, nn.GRU), (nn.RNNCell, nn.RNN)])
def test_steps_of_a_cell_are_one_layer_with_time_in_it_and_equal_the_fused_module(cell: Any, fused: Any) -> None:
    alone, module = cell(3, 5), fused(3, 5, batch_first=True)
    x = torch.randn(1, 6, 3)
    steps, whole = recorded(alone, stepped, x=x), recorded(module, last_step, x=x)
    layer, expected = steps["rnn"], whole["rnn"]
    assert (layer.kind, layer.axes, layer.shape) == (expected.kind, ("step", "unit"), (6, 5))
    assert layer.reads == tuple(f"getitem{'' if t == 0 else f'#{t + 1}'}" for t in range(6))
    for group in ("inner", "inner_gradients", "weights", "weight_gradients"):
        for key, array in getattr(expected, group).items():
            assert np.allclose(getattr(layer, group)[key], array, rtol=0, atol=1e-14), (group, key)
    assert verified(steps)


def test_every_state_that_something_else_reads_is_a_layer() -> None:
    def every_step(net: Net, x: Tensor) -> Tensor:
        h = c = torch.zeros(1, 5, dtype=x.dtype)
        states = []
        for t in range(6):
            h, c = net.rnn(x[:, t], (h, c))
            states.append(h)
        return net.fc(torch.stack(states, 1).mean(1) + c.tanh())

    trace = recorded(nn.LSTMCell(3, 5), every_step)
    assert [name for name in (layer.name for layer in trace) if name.startswith("rnn.")] == \
        [*(f"rnn.h_{t}" for t in range(1, 7)), "rnn.c_6"]
    assert trace["stack"].reads == tuple(f"rnn.h_{t}" for t in range(1, 7))
    assert verified(trace)


def test_a_state_that_is_only_looked_at_gets_no_gradient_from_that() -> None:
    def looked_at(net: Net, x: Tensor) -> Tensor:
        state, seen = None, []
        for t in range(6):
            state = net.rnn(x[:, t], state)
            seen.append(state[0].detach())
        return net.fc(state[0]) + 0 * torch.stack(seen).sum()

    trace = capture(Net(nn.LSTMCell(3, 5), looked_at), torch.randn(1, 6, 3), 1)
    assert trace["rnn.h_3"].gradient is None
    assert trace["rnn.h_3"].why
    assert not trace["rnn"].inner_gradients["hidden_direct"][:-1].any()
    assert trace.check().worst < 1e-6


def test_stacked_cells_in_one_loop_are_two_layers() -> None:
    def two(net: Net, x: Tensor) -> Tensor:
        lower = upper = None
        for t in range(6):
            lower = net.rnn(x[:, t], lower)
            upper = net.upper(lower[0], upper)
        return net.fc(upper)

    trace = recorded(nn.LSTMCell(3, 5), two, 4, upper=nn.GRUCell(5, 4))
    assert list(time_layers(trace)) == ["rnn", "upper"]
    assert trace["upper"].reads == tuple(f"rnn.h_{t}" for t in range(1, 7))
    assert verified(trace)


def test_a_cell_that_reads_its_own_output_is_one_layer_for_each_step() -> None:
    def feedback(net: Net, x: Tensor) -> Tensor:
        state, said = None, x[:, 0]
        for _ in range(4):
            state = net.rnn(said, state)
            said = net.fc(state[0])
        return said

    trace = recorded(nn.LSTMCell(3, 5), feedback)
    layers = time_layers(trace)
    assert list(layers) == ["rnn", "rnn#2", "rnn#3", "rnn#4"]
    assert trace["rnn#2"].reads == ("fc", "rnn", "rnn.c")
    assert all(layer.kind == "lstm_cell" and layer.axes == ("unit",) and layer.inner["forget"].shape == (1, 5)
               for layer in layers.values())
    assert verified(trace)


def test_cells_that_listen_to_each_other_are_broken_up_until_there_is_an_order() -> None:
    def coupled(net: Net, x: Tensor) -> Tensor:
        a, b = net.rnn(x[:, 0]), net.other(x[:, 1])
        a, b = net.rnn(b, a), net.other(a, b)
        return net.fc(a + b)

    trace = recorded(nn.GRUCell(5, 5), coupled, x=torch.randn(1, 6, 5), other=nn.GRUCell(5, 5))
    kinds = {name: layer.kind for name, layer in time_layers(trace).items()}
    assert sorted(kinds.values()) == ["gru", "gru_cell", "gru_cell"]
    assert verified(trace)


def test_a_state_that_is_changed_between_steps_begins_a_new_layer() -> None:
    def scaled(net: Net, x: Tensor) -> Tensor:
        h = net.rnn(x[:, 1], net.rnn(x[:, 0]))
        h = net.rnn(x[:, 2], h * 0.5)
        return net.fc(net.rnn(x[:, 3], h))

    trace = recorded(nn.GRUCell(3, 5), scaled)
    assert list(time_layers(trace)) == ["rnn", "rnn#3"]
    assert trace["rnn#3"].reads == ("getitem#3", "getitem#4", "mul")
    assert trace["rnn#3"].settings["initial_hidden"] == "read"
    assert verified(trace)


# --- long sequences -------------------------------------------------------------------------------------------------

def test_a_thousand_steps_keep_a_bounded_number_of_arrays_and_stay_exact() -> None:
    """17 arrays of (step, unit) for an LSTM: 8.7 MB for 1,000 steps of 128 units in float32."""
    torch.manual_seed(0)
    net = Net(nn.LSTM(8, 128, batch_first=True), lambda net, x: net.fc(net.rnn(x)[0]).mean(1), 128)
    layer = capture(net, torch.randn(1, 1000, 8), 1)["rnn"]
    arrays = {id(array): array.nbytes for array in (*layer.inner.values(), *layer.inner_gradients.values())}
    assert sum(arrays.values()) <= 17 * 1000 * 128 * 4 + 2 * 128 * 4
    assert not layer.why
