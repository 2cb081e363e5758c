"""Torch calls as they are really made, through the recorder: each finds its kind, and every number is explained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from visualizer import kinds, record
from visualizer.trace import Trace

torch.set_num_threads(1)
MAPS, LINE, FLAT = (1, 4, 6, 6), (1, 4, 6), (1, 8)


class Call(nn.Module):
    """A function as a model."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def batch_norm(channels: int) -> nn.Module:
    """One that has learned something."""
    module = nn.BatchNorm2d(channels)
    nn.init.uniform_(module.weight, 0.5, 2)
    nn.init.normal_(module.bias)
    nn.init.normal_(module.running_mean)
    nn.init.uniform_(module.running_var, 0.5, 2)
    return module


MODULES: tuple[tuple[nn.Module, tuple[int, ...], str], ...] = (
    (nn.Conv1d(4, 6, 3, padding=1), LINE, "conv1d"),
    (nn.Conv2d(4, 6, 3, padding="same", groups=2), MAPS, "conv2d"),
    (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), MAPS, "pad conv2d"),
    (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), MAPS, "pad conv2d"),
    (nn.ConvTranspose1d(4, 2, 3, 2), LINE, "conv_transpose1d"),
    (nn.ConvTranspose2d(4, 2, 3, 2, 1, output_padding=1), MAPS, "conv_transpose2d"),
    (nn.MaxPool1d(2), LINE, "max_pool1d"),
    (nn.MaxPool2d(3, 2, 1, ceil_mode=True), MAPS, "max_pool2d"),
    (nn.AvgPool1d(2), LINE, "avg_pool1d"),
    (nn.AvgPool2d(3, 2, 1, count_include_pad=False), MAPS, "avg_pool2d"),
    (nn.AdaptiveAvgPool1d(4), LINE, "adaptive_avg_pool1d"),
    (nn.AdaptiveAvgPool2d((None, 4)), MAPS, "adaptive_avg_pool2d"),
    (nn.AdaptiveMaxPool1d(4), LINE, "adaptive_max_pool1d"),
    (nn.AdaptiveMaxPool2d(4), MAPS, "adaptive_max_pool2d"),
    *((module, MAPS, kind) for module, kind in (
        (nn.ReLU(), "relu"), (nn.LeakyReLU(0.2), "leaky_relu"), (nn.ELU(), "elu"), (nn.CELU(), "celu"),
        (nn.SELU(), "selu"), (nn.GELU(), "gelu"), (nn.GELU("tanh"), "gelu"), (nn.SiLU(), "silu"), (nn.Mish(), "mish"),
        (nn.Sigmoid(), "sigmoid"), (nn.Tanh(), "tanh"), (nn.Hardtanh(-0.5, 0.5), "hardtanh"), (nn.ReLU6(), "hardtanh"),
        (nn.Hardsigmoid(), "hardsigmoid"), (nn.Hardswish(), "hardswish"), (nn.Softplus(2), "softplus"),
        (nn.Softsign(), "softsign"), (nn.LogSigmoid(), "log_sigmoid"), (nn.PReLU(4), "prelu"),
        (nn.Dropout(), "dropout"), (nn.Dropout2d(), "channel_dropout"))),
    (nn.Linear(8, 3), FLAT, "linear"),
    (nn.Linear(6, 3, bias=False), LINE, "linear"),
    (batch_norm(4).eval(), MAPS, "batch_norm"),
    (batch_norm(4).train(), MAPS, "batch_norm"),
    (nn.BatchNorm1d(4, track_running_stats=False), LINE, "batch_norm"),
    (nn.GroupNorm(2, 4), MAPS, "group_norm"),
    (nn.InstanceNorm2d(4, affine=True), MAPS, "instance_norm"),
    (nn.LayerNorm(6), LINE, "layer_norm"),
    (nn.RMSNorm(6), LINE, "rms_norm"),
    (nn.Softmax(-1), FLAT, "softmax"),
    (nn.LogSoftmax(1), FLAT, "log_softmax softmax"),
    (nn.Flatten(), MAPS, "flatten"),
    (nn.Sequential(nn.Flatten(), nn.Unflatten(1, (4, 6, 6))), MAPS, "flatten reshape"),
    (nn.Upsample(scale_factor=2), MAPS, "upsample"),
    (nn.PixelShuffle(2), MAPS, "pixel_shuffle"),
    (nn.ZeroPad2d((1, 2, 0, 1)), MAPS, "pad"),
    (nn.ReplicationPad2d(2), MAPS, "pad"),
    (nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU(inplace=True)), MAPS,
     "conv2d relu"),
)
CALLS: tuple[tuple[Callable[[Tensor], Tensor], tuple[int, ...], str], ...] = (
    (lambda x: x.relu() + torch.relu(x), FLAT, "relu relu add"),
    (lambda x: F.relu(x).sigmoid().tanh(), FLAT, "relu sigmoid tanh"),
    (lambda x: F.relu6(x), FLAT, "relu6"),
    (lambda x: x.exp().sqrt().log().abs(), FLAT, "exp sqrt log abs"),
    (lambda x: x ** 2 + x.square() + x.pow(3), FLAT, "pow square add pow add"),
    (lambda x: -x.clamp(min=-0.5), FLAT, "clamp neg"),
    (lambda x: x.clip(-0.5, 0.5), FLAT, "clamp"),
    (lambda x: (1 + x) * 2 - 3, FLAT, "add mul sub"),
    (lambda x: (3 - x) / 4, FLAT, "sub div"),
    (lambda x: 2 / (x * x + 1), FLAT, "mul add div"),
    (lambda x: torch.add(x, x, alpha=3), FLAT, "add"),
    (lambda x: torch.sub(x, 2 * x, alpha=3), FLAT, "mul sub"),
    (lambda x: torch.maximum(x, -x), FLAT, "neg maximum"),
    (lambda x: x / x.abs().sum(1, keepdim=True), FLAT, "abs sum div"),
    (lambda x: x * x.mean((2, 3), keepdim=True), MAPS, "mean mul"),
    (lambda x: x - x.mean(), MAPS, "mean sub"),
    (lambda x: x.amax((2, 3)), MAPS, "amax"),
    (lambda x: x.max(2).values, MAPS, "max"),
    (lambda x: x.flatten(2).mean(-1), MAPS, "flatten mean"),
    (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], MAPS, "max_pool2d"),
    (lambda x: torch.max_pool1d(x, 2), LINE, "max_pool1d"),
    (lambda x: F.dropout(x, 0.5, False), FLAT, "dropout"),
    (lambda x: x.view(1, -1), MAPS, "reshape"),
    (lambda x: x.reshape((1, 4, 36)).transpose(1, 2), MAPS, "reshape transpose"),
    (lambda x: x.view(-1), FLAT, "reshape"),
    (lambda x: x.permute(0, 2, 3, 1).contiguous(), MAPS, "permute identity"),
    (lambda x: torch.permute(x, (2, 0, 1)), LINE, "permute"),
    (lambda x: F.softmax(x.permute(2, 0, 1), -1), LINE, "permute softmax"),
    (lambda x: x.mean(2, keepdim=True).squeeze(2), LINE, "mean squeeze"),
    (lambda x: x.unsqueeze(2).squeeze(), LINE, "unsqueeze squeeze"),
    (lambda x: x.mT, LINE, "turn"),
    (lambda x: x.movedim(1, 2), LINE, "movedim"),
    (lambda x: x.swapaxes(1, 2), LINE, "transpose"),
    (lambda x: x[:, -1], LINE, "getitem"),
    (lambda x: x[:, :, 1:3], LINE, "getitem"),
    (lambda x: x[..., 0], LINE, "getitem"),
    (lambda x: x.select(2, 0), LINE, "select"),
    (lambda x: x.narrow(1, 1, 2), LINE, "narrow"),
    (lambda x: torch.cat([x, 2 * x], 1), MAPS, "mul cat"),
    (lambda x: torch.concat((x, x), dim=2), MAPS, "cat"),
    (lambda x: torch.stack([x, -x], 1), LINE, "neg stack"),
    (lambda x: x.chunk(2, 1)[1], LINE, "chunk chunk"),
    (lambda x: torch.mul(*x.split(2, 1)), LINE, "split split mul"),
    (lambda x: x.split([1, 3], 1)[1], LINE, "split split"),
    (lambda x: x.unbind(1)[2], LINE, "unbind unbind unbind unbind"),
    (lambda x: x.flip(1).roll(1, 2), LINE, "flip roll"),
    (lambda x: x.repeat(1, 1, 2), LINE, "repeat"),
    (lambda x: x[:, :, :1].expand(-1, -1, 3), LINE, "getitem expand"),
    (lambda x: F.interpolate(x, size=(9, 7)), MAPS, "upsample"),
    (lambda x: x @ x.transpose(1, 2), LINE, "transpose matmul"),
    (lambda x: torch.bmm(x.transpose(1, 2), x), LINE, "transpose matmul"),
    (lambda x: torch.mm(x, torch.ones(8, 3, dtype=x.dtype)), FLAT, "matmul"),
    (lambda x: torch.addmm(torch.ones(3, dtype=x.dtype), x, torch.ones(8, 3, dtype=x.dtype), beta=2), FLAT, "addmm"),
    (lambda x: F.layer_norm(x, [6]), LINE, "layer_norm"),
)


def made_of(trace: Trace) -> str:
    """Kinds of what was computed, but for the objective and whole numbers that are counted on the way."""
    return " ".join(layer.kind for layer in trace if layer.kind not in ("input", "constant", "parameter", "logit")
                    and layer.output.dtype.kind == "f")


def holds(trace: Trace) -> None:
    report = trace.check()
    assert report.passed, report
    assert {name for name in report.unverified if trace[name].output.dtype.kind == "f"} == set(), report.unverified
    assert set(report.errors) >= {layer.name for layer in trace if kinds.of(layer) is not None}


@pytest.mark.parametrize(("module", "shape", "made"), MODULES, ids=[str(module) for module, _, _ in MODULES])
def test_a_module_is_recorded_and_explained(module: nn.Module, shape: tuple[int, ...], made: str) -> None:
    torch.manual_seed(3)
    for dtype in ("float32", "float64"):
        trace = record.capture(module, torch.randn(shape), objective="logit:1", dtype=dtype)
        assert made_of(trace) == made
        holds(trace)
        layer = next(layer for layer in trace if layer.kind == made.split()[0])
        assert layer.gradient is not None
        assert set(layer.weight_gradients) == {name for name in layer.weights if not name.startswith("running")}


@pytest.mark.parametrize(("call", "shape", "made"), CALLS, ids=[made for _, _, made in CALLS])
def test_a_call_is_recorded_and_explained(call: Callable[[Tensor], Tensor], shape: tuple[int, ...], made: str) -> None:
    torch.manual_seed(3)
    trace = record.capture(Call(call), torch.randn(shape), objective="logit:0", dtype="float64")
    assert made_of(trace) == made
    holds(trace)


def test_a_loss_in_all_its_forms_is_explained() -> None:
    x = torch.randn(1, 8)
    for module in (nn.Linear(8, 5), nn.LogSoftmax(-1), nn.Softmax(-1)):
        holds(record.capture(module, x, target=3, dtype="float64"))


def test_an_embedding_is_explained() -> None:
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))
    trace = record.capture(model, torch.tensor([[3, 1, 3]]), objective="logit:1", dtype="float64")
    assert made_of(trace) == "embedding linear"
    holds(trace)


class Parameters(nn.Module):
    """A scale, a position code and a class token, added and joined as transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(4, 1))
        self.code = nn.Parameter(torch.randn(1, 4, 7))
        self.token = nn.Parameter(torch.randn(1, 4, 1))
        self.matrix = nn.Parameter(torch.randn(7, 3))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.cat([self.token, x * self.scale], 2) + self.code) @ self.matrix


def test_parameters_that_are_added_multiplied_or_joined_are_explained() -> None:
    torch.manual_seed(0)
    trace = record.capture(Parameters(), torch.randn(LINE), objective="logit:1", dtype="float64")
    assert made_of(trace) == "mul cat add matmul"
    holds(trace)
    assert kinds.receptive_field(trace, "cat", (2, 0)) == {"cat": ((2, 2), (0, 0)), "token": ((0, 0), (2, 2), (0, 0))}
    seen = kinds.receptive_field(trace, "add", (2, 3))
    assert seen["input"] == ((2, 2), (2, 2))
    assert seen["scale"] == ((2, 2), (0, 0))
    assert seen["code"] == ((0, 0), (2, 2), (3, 3))
    assert "token" not in seen


class Block(nn.Module):
    """A residual block with squeeze and excitation, in place where torchvision is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = batch_norm(4)
        self.squeeze = nn.Conv2d(4, 2, 1)
        self.excite = nn.Conv2d(2, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm(self.conv(x)), inplace=True)
        gate = torch.sigmoid(self.excite(F.silu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))))
        y = y * gate
        y += x
        return F.relu_(y).mean((2, 3))


class Exported(nn.Module):
    """Calls whose arguments stand in another order in exported programs."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.dense = Block(), nn.Linear(4, 3)
        self.layer, self.group, self.instance = nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.block(F.max_pool2d(self.instance(self.group(x)), 2)[:, :, 1:])
        return self.dense(F.dropout(self.layer(torch.flatten(1 - y, 1)), training=False))


leafspec = pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")  # torch's own, while it exports


@leafspec
def test_an_exported_program_is_explained_like_the_model_it_came_from() -> None:
    torch.manual_seed(0)
    model, x = Exported().eval(), torch.randn(MAPS)
    program = torch.export.export(model, (x,)).module()
    traces = [record.capture(one, x, target=1) for one in (model, program)]
    for trace in traces:
        assert "unexplained" not in {layer.kind for layer in trace}
        holds(trace)
    assert np.array_equal(traces[0].layers[-1].output, traces[1].layers[-1].output)


@leafspec
def test_the_padding_row_of_an_exported_embedding_learns_nothing() -> None:
    tokens = torch.tensor([[1, 2, 1]])
    for padding in (None, 1, -1):
        model = nn.Sequential(nn.Embedding(5, 3, padding_idx=padding), nn.Flatten(), nn.Linear(9, 2))
        for one in (model, torch.export.export(model, (tokens,)).module()):
            holds(record.capture(one, tokens, objective="logit:0", dtype="float32"))


@pytest.mark.parametrize("training", [False, True])
def test_a_block_with_in_place_calls_is_explained(training: bool) -> None:
    torch.manual_seed(0)
    for dtype in ("float32", "float64"):
        trace = record.capture(Block().train(training), torch.randn(MAPS), target=1, dtype=dtype)
        assert "unexplained" not in {layer.kind for layer in trace}
        holds(trace)
