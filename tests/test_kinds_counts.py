"""Receptive fields, parameters and multiply-accumulates against published numbers, on networks without numbers in them.

Receptive fields and strides: Araujo, Norris and Sim 2019, Computing Receptive Fields of Convolutional Neural Networks
(and its table of slim networks). Parameters: torchvision's own counts. Multiply-accumulates: half of what torch's FLOP
counter says of the same networks at 224 × 224.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from visualizer import kinds, record
from visualizer.kinds._window import windows_of
from visualizer.trace import Layer, Trace

torch.set_num_threads(1)
MAPS = ("channel", "row", "column")


class Net:
    """Layer after layer; every array is one zero that pretends to be large."""

    def __init__(self, channels: int = 3, size: int = 224) -> None:
        self.layers = [Layer("input", "input", MAPS, {}, (), zeros(channels, size, size))]
        self._numbers = count(1)

    @property
    def last(self) -> Layer:
        return self.layers[-1]

    def add(self, kind: str, shape: tuple[int, ...], settings: Any = None, weights: Any = None,
            reads: tuple[str, ...] = ()) -> str:
        name = f"{kind}{next(self._numbers)}"
        axes = MAPS if len(shape) == 3 else ("unit",)
        arrays = {key: zeros(*size) for key, size in (weights or {}).items()}
        self.layers.append(Layer(name, kind, axes, settings or {}, reads or (self.last.name,), zeros(*shape), None,
                                 arrays))
        return name

    def conv(self, outs: int, kernel: int, stride: int = 1, padding: int | None = None, groups: int = 1,
             bias: bool = True) -> str:
        ins, size, _ = self.last.shape
        padding = kernel // 2 if padding is None else padding
        after = windows_of(size, kernel, stride, padding, 1)
        return self.add("conv2d", (outs, after, after), {"stride": stride, "padding": padding, "groups": groups},
                        {"weight": (outs, ins // groups, kernel, kernel), **({"bias": (outs,)} if bias else {})})

    def pool(self, kernel: int, stride: int, padding: int = 0) -> str:
        channels, size, _ = self.last.shape
        after = windows_of(size, kernel, stride, padding, 1)
        return self.add("max_pool2d", (channels, after, after),
                        {"kernel_size": kernel, "stride": stride, "padding": padding})

    def norm(self) -> str:
        channels = (self.last.shape[0],)
        return self.add("batch_norm", self.last.shape, {"training": False},
                        dict.fromkeys(("weight", "bias", "running_mean", "running_var"), channels))

    def relu(self) -> str:
        return self.add("relu", self.last.shape)

    def linear(self, outs: int) -> str:
        return self.add("linear", (outs,), {}, {"weight": (outs, self.last.shape[0]), "bias": (outs,)})

    def head(self, size: int, *outs: int) -> None:
        channels = self.last.shape[0]
        self.add("adaptive_avg_pool2d", (channels, size, size))
        self.add("flatten", (channels * size * size,), {"start_dim": 1})
        for number in outs:
            self.linear(number)

    def trace(self) -> Trace:
        return Trace("layout", tuple(self.layers))


def zeros(*shape: int) -> np.ndarray:
    return np.broadcast_to(np.float32(0), shape)


def alexnet() -> Net:
    net = Net()
    net.conv(64, 11, 4, 2)
    net.pool(3, 2)
    net.conv(192, 5)
    net.pool(3, 2)
    for outs in (384, 256, 256):
        net.conv(outs, 3)
    net.pool(3, 2)
    return net


def alexnet_v2() -> Net:
    """The slim one: the same kernels and strides, but the first two layers without padding, and other widths."""
    net = Net(size=231)
    net.conv(64, 11, 4, 0)
    net.pool(3, 2)
    net.conv(192, 5)
    net.pool(3, 2)
    for outs in (384, 384, 256):
        net.conv(outs, 3)
    net.pool(3, 2)
    return net


def vgg16() -> Net:
    net = Net()
    for outs, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            net.conv(outs, 3)
            net.relu()
        net.pool(2, 2)
    return net


def resnet18() -> Net:
    net = _stem()
    for outs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride_here in (stride, 1):
            before = net.last
            net.conv(outs, 3, stride_here, bias=False)
            net.norm()
            net.relu()
            net.conv(outs, 3, bias=False)
            _shortcut(net, before, net.norm(), outs, stride_here)
    return net


def resnet50(strides_first: bool) -> Net:
    """torchvision takes the stride of a stage in its first block, slim in the last block of the stage before."""
    net = _stem()
    for outs, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            first, last = block == 0, block == blocks - 1 and outs < 512
            here = stride if strides_first and first else 2 if last and not strides_first else 1
            before = net.last
            net.conv(outs, 1, bias=False)
            net.norm()
            net.conv(outs, 3, here, bias=False)
            net.norm()
            net.conv(4 * outs, 1, bias=False)
            _shortcut(net, before, net.norm(), 4 * outs, here)
    return net


def mobilenet_v2() -> Net:
    net = Net()
    net.conv(32, 3, 2, bias=False)
    net.norm()
    for expand, outs, repeats, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                          (6, 160, 3, 2), (6, 320, 1, 1)):
        for number in range(repeats):
            before, here = net.last, stride if number == 0 else 1
            hidden = before.shape[0] * expand
            if expand > 1:
                net.conv(hidden, 1, bias=False)
                net.norm()
            net.conv(hidden, 3, here, groups=hidden, bias=False)
            net.norm()
            net.conv(outs, 1, bias=False)
            made = net.norm()
            if before.shape == net.last.shape:
                net.add("add", net.last.shape, {}, {}, (made, before.name))
    net.conv(1280, 1, bias=False)
    net.norm()
    return net


def _stem() -> Net:
    net = Net()
    net.conv(64, 7, 2, bias=False)
    net.norm()
    net.pool(3, 2, 1)
    return net


def _shortcut(net: Net, before: Layer, made: str, outs: int, stride: int) -> None:
    """The sum with what came in; through a 1 × 1 convolution where the shape has changed."""
    shape, other = net.last.shape, before.name
    if before.shape != shape:
        after = windows_of(before.shape[1], 1, stride, 0, 1)
        other = net.add("conv2d", (outs, after, after), {"stride": stride}, {"weight": (outs, before.shape[0], 1, 1)},
                        (other,))
        net.norm()
        other = net.last.name
    net.add("add", shape, {}, {}, (made, other))


def field_and_stride(trace: Trace) -> tuple[int, int]:
    """Size of what a middle cell of the last layer sees of the input, and how far its neighbour's field lies off."""
    layer = trace.layers[-1]
    middle = layer.shape[1] // 2
    (_, (top, bottom), _), (_, (next_top, _), _) = (
        kinds.receptive_field(trace, layer.name, (0, middle + step, middle))["input"] for step in (0, 1))
    return bottom - top + 1, next_top - top


@pytest.mark.parametrize(("net", "published"), [
    (alexnet, (195, 32)), (alexnet_v2, (195, 32)), (vgg16, (212, 32)), (resnet18, (435, 32)),
    (lambda: resnet50(True), (427, 32)), (lambda: resnet50(False), (483, 32)),
], ids=["alexnet", "alexnet_v2", "vgg16", "resnet18", "resnet50", "resnet_v1_50"])
def test_receptive_fields_are_the_published_ones(net: Callable[[], Net], published: tuple[int, int]) -> None:
    assert field_and_stride(net().trace()) == published


def test_the_field_of_vgg16_before_its_last_pooling_is_196_with_stride_16() -> None:
    assert field_and_stride(Trace("layout", tuple(vgg16().layers[:-1]))) == (196, 16)


@pytest.mark.parametrize(("net", "head", "parameters", "macs"), [
    (alexnet, (6, 4096, 4096, 1000), 61_100_840, 714_188_480),
    (vgg16, (7, 4096, 4096, 1000), 138_357_544, 15_470_264_320),
    (resnet18, (1, 1000), 11_689_512, 1_814_073_344),
    (lambda: resnet50(True), (1, 1000), 25_557_032, 4_089_184_256),
    (mobilenet_v2, (1, 1000), 3_504_872, 300_774_272),
], ids=["alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v2"])
def test_parameters_and_multiply_accumulates_are_the_published_ones(net: Callable[[], Net], head: Any, parameters: int,
                                                                    macs: int) -> None:
    made = net()
    made.head(*head)
    trace = made.trace()
    costs = [kind.cost(layer, trace.inputs(layer)) for layer in trace if (kind := kinds.of(layer)) is not None]
    assert sum(cost.parameters for cost in costs) == parameters
    assert sum(cost.macs for cost in costs) == macs


def test_sixteen_kernels_of_3_by_3_over_a_colour_picture_of_32_by_32() -> None:
    net = Net(3, 32)
    net.conv(16, 3)
    layer = net.last
    kind = kinds.of(layer)
    assert kind is not None
    assert kind.cost(layer, tuple(net.layers[:1])) == kinds.Cost(448, 442_368)


def test_sentences_say_the_layers_own_numbers() -> None:
    net = Net(6, 14)
    conv = net.conv(12, 3, padding=0)
    relu = net.relu()
    pool = net.pool(2, 2)
    net.add("flatten", (432,), {"start_dim": 1})
    dense = net.linear(48)
    trace = net.trace()
    assert [kinds.sentence(trace, name) for name in (conv, relu, pool, dense)] == [
        "Each of the 12 maps adds six 3 × 3 windows, one from each map of input, plus a bias: 54 products a pixel.",
        "ReLU keeps what is above zero and stops the rest: 100 % of 1,728 values are now 0.",
        "Each pixel keeps the largest of a 2 × 2 window: 12 × 12 becomes 6 × 6 in each of 12 maps.",
        "Each of the 48 outputs weighs all 432 numbers of flatten4 and adds them up, plus a bias: 20,736 weights."]
    shorts = [kind.short(layer, trace.inputs(layer)) for layer in trace if (kind := kinds.of(layer)) is not None]
    assert shorts == ["3 × 3, 6 → 12 channels", "y = max(0, x)", "2 × 2", "12 × 6 × 6 → 432", "432 → 48"]


def test_a_dense_layer_in_its_place_would_need_50_million_weights() -> None:
    net = Net(3, 32)
    net.add("flatten", (3072,))
    net.linear(16 * 32 * 32)
    assert net.last.parameters == 50_348_032


@pytest.mark.parametrize("module", [
    nn.Conv1d(4, 6, 3, 2, 1, groups=2), nn.Conv2d(4, 8, 3, padding=1, groups=4), nn.ConvTranspose1d(4, 6, 3, 2),
    nn.ConvTranspose2d(4, 6, (3, 2), 2, 1, 1, groups=2), nn.Linear(7, 5),
], ids=str)
def test_multiply_accumulates_are_half_of_what_torchs_flop_counter_says(module: nn.Module) -> None:
    x = torch.randn(1, 4, 7) if "1d" in str(module) or isinstance(module, nn.Linear) else torch.randn(1, 4, 7, 6)
    with FlopCounterMode(display=False) as counter:
        module(x)
    trace = record.capture(module, x, objective="none")
    layer = trace.layers[1]
    kind = kinds.of(layer)
    assert kind is not None
    assert kind.cost(layer, trace.inputs(layer)) == kinds.Cost(
        sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2)


# --- receptive field against the support of autograd's gradient -----------------------------------------------------

def stack(*parts: nn.Module) -> nn.Sequential:
    return nn.Sequential(*parts)


def conv(kernel: int = 3, dilation: int = 1, stride: int = 1) -> nn.Module:
    return nn.Conv2d(1, 1, kernel, stride, dilation=dilation)


@pytest.mark.parametrize(("net", "field", "jump"), [
    (stack(conv(), conv(), conv()), 7, 1),
    (stack(conv(), nn.AvgPool2d(2), conv(), nn.AvgPool2d(2)), 10, 4),
    (stack(conv(), conv(3, 2), conv(3, 4)), 15, 1),
    (stack(conv(5), nn.AvgPool2d(2), conv(5), nn.AvgPool2d(2)), 16, 4),
    (stack(conv(3, 1, 2), nn.ConvTranspose2d(1, 1, 3, 2), conv()), None, None),
], ids=["3 × conv3", "conv3-pool2-conv3-pool2", "dilation 1, 2, 4", "5-2-5-2", "down and up"])
def test_receptive_field_equals_the_support_of_the_gradient(net: nn.Sequential, field: int | None,
                                                            jump: int | None) -> None:
    torch.manual_seed(0)
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.1, 1)
    x = torch.rand(1, 1, 40, 40, dtype=torch.float64, requires_grad=True)
    net = net.double()
    trace = record.capture(net, x.detach(), objective="none", dtype="float64")
    y = net(x)
    last = trace.layers[-1]
    starts = []
    for middle in (y.shape[-1] // 2, y.shape[-1] // 2 + 1):
        (gradient,) = torch.autograd.grad(y[0, 0, middle, middle], x, retain_graph=True)
        seen = np.argwhere(gradient[0, 0].numpy() != 0)
        box = kinds.receptive_field(trace, last.name, (0, middle, middle))["input"]
        assert box[1:] == tuple(zip(seen.min(axis=0).tolist(), seen.max(axis=0).tolist(), strict=True))
        starts.append(box[1][0])
        if field is not None:
            assert box[1][1] - box[1][0] + 1 == field
    if jump is not None:
        assert starts[1] - starts[0] == jump


def test_a_flattened_cell_is_exactly_the_cell_it_was_and_a_dense_layer_sees_everything() -> None:
    net = Net(3, 8)
    net.conv(4, 3)
    net.add("flatten", (256,), {"start_dim": 1})
    net.linear(5)
    trace = net.trace()
    seen = kinds.receptive_field(trace, "flatten2", (2 * 64 + 5 * 8 + 3,))
    assert seen["conv2d1"] == ((2, 2), (5, 5), (3, 3))
    assert seen["input"] == ((0, 2), (4, 6), (2, 4))
    assert kinds.receptive_field(trace, "linear3", (0,))["input"] == ((0, 2), (-1, 8), (-1, 8))


def test_batch_norm_sees_the_whole_map_in_training_and_one_cell_in_evaluation() -> None:
    for training, box in ((True, ((1, 1), (0, 7), (0, 7))), (False, ((1, 1), (2, 2), (3, 3)))):
        net = Net(3, 8)
        net.add("batch_norm", (3, 8, 8), {"training": training},
                dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (3,)))
        assert kinds.receptive_field(net.trace(), "batch_norm1", (1, 2, 3))["input"] == box
