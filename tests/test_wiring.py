"""Lines that become networks: read strictly, filled with the weights of a file, and proposed from names and shapes."""

from __future__ import annotations

import warnings
from collections import OrderedDict

import pytest
import torch
from torch import nn

from visualizer.record import proposing, shaping, wiring
from visualizer.record.wiring import Odd, Wired, parse, takes


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own: of projections without oneDNN, of old ways to norm weights
        torch.manual_seed(0)
        yield


def settled(model: nn.Module) -> nn.Module:
    """With running statistics that are not 0 and 1."""
    for each in model.modules():
        if isinstance(each, nn.modules.batchnorm._BatchNorm) and each.running_mean is not None:
            each.running_mean.normal_()
            each.running_var.uniform_(0.5, 2)
    return model.eval()


# --- reading --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("line", [
    "__import__('os')", "nn.Linear(1, 2)", "Conv2d(1, 2)", "Conv2d(1, 2, 3, device='cpu')", "Conv2d(*[1, 2, 3])",
    "Conv2d(**{})", "Linear(2 ** 9, 1)", "Linear(9999999999, 1)", "Linear(1e308 * 10, 1)", "Conv2d(1, 2, (1, (2,)))",
    "Add(3, 4)", "(yield)", "ReLU", "Lambda(1)", "[Linear(1, 2)]", "Linear(1, 2).weight", "Linear(f'{1}', 2)",
    "Linear(x := 1, 2)", "Linear(1, 2); ReLU()", "Linear(1, 2, bias=exec('1'))", "(" * 300 + ")" * 300,
    "MaxPool2d(2, return_indices=True)", "Linear(1, 2, dtype='float16')", "Linear('a' * 9, 2)", "LSTM(3, 4, 99999)",
    "Embedding(3, 4, _weight=1)", "Transpose('a')", "Linear(-3, 4)", "Conv2d(0, 0, 3)", "Linear(1, 2" + " " * 500 + ")",
    "import os"])
def test_what_is_no_line_is_refused_and_nothing_is_evaluated(line: str) -> None:
    with pytest.raises(Odd):
        takes(Wired(parse((line,)), {"a.weight": torch.zeros(2, 1), "a.bias": torch.zeros(2)}))


def test_the_number_of_a_wrong_line_is_said() -> None:
    with pytest.raises(Odd, match=r"line 3, 'Rel\(\)': there is no layer Rel"):
        parse(("Linear(1, 2)", "", "Rel()"))
    with pytest.raises(Odd, match="no text"):
        parse((3,))
    with pytest.raises(Odd, match="3,000 lines"):
        parse(("ReLU()",) * 3000)
    with pytest.raises(Odd, match=r"line 2, .*weight of 5 × 2, bias of 5"):
        Wired(parse(("Linear(3, 2)", "Linear(2, 5)")), nn.Linear(3, 2).state_dict())


def test_lines_are_written_as_they_are_read() -> None:
    lines = ("net.0: Conv2d(3, 16, kernel_size=(3, 1), padding=(1, 0), bias=False)", "ReLU()", "Flatten()",
             "AdaptiveAvgPool2d((2, None))", "net.1: LSTM(40, 256, num_layers=2, bidirectional=True)")
    assert tuple(map(str, parse(lines))) == lines


# --- networks of lines ----------------------------------------------------------------------------------------------

def sequential(*layers: nn.Module) -> nn.Module:
    return settled(nn.Sequential(*layers))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.around = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(4, 6)

    def forward(self, x):
        return (self.two(self.one(x).relu()) + self.around(x)).relu()


LINES = {
    "in order, without names": (
        sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)),
        ("Conv2d(1, 4, 3)", "BatchNorm2d(4)", "ReLU()", "MaxPool2d(2)", "Flatten()", "Linear(36, 3)"), (1, 1, 8, 8)),
    "a way around": (Block().eval(), ("Keep()", "one: Linear(4, 6)", "ReLU()", "two: Linear(6, 6)", "Swap()",
                                      "around: Linear(4, 6)", "Add()", "ReLU()"), (1, 4)),
    "without a bias": (sequential(nn.Linear(5, 4, bias=False), nn.Tanh()), ("Linear(5, 4, bias=False)", "Tanh()"),
                       (1, 5)),
    "groups": (sequential(nn.Conv1d(4, 8, 3, groups=2)), ("Conv1d(4, 8, 3, groups=2)",), (1, 4, 9)),
    "spread": (sequential(nn.ConvTranspose2d(3, 2, 4, 2, 1)), ("ConvTranspose2d(3, 2, 4, stride=2, padding=1)",),
               (1, 3, 5, 5)),
    "norms": (sequential(nn.LayerNorm(6), nn.Linear(6, 8), nn.PReLU(8)),
              ("LayerNorm(6)", "Linear(6, 8)", "PReLU(8)"), (1, 6)),
}


@pytest.mark.parametrize("name", LINES)
def test_a_network_of_lines_answers_as_the_one_whose_weights_it_has(name: str) -> None:
    model, lines, shape = LINES[name]
    wired = Wired(parse(lines), model.state_dict()).eval()
    x = torch.randn(shape)
    with torch.no_grad():
        assert torch.equal(wired(x), model(x))
    assert wiring.shape_of(wired, shape[1:]) == tuple(model(x).shape)
    assert not wired.unused


@pytest.mark.parametrize(("kind", "more"), [("LSTM", {}), ("GRU", {"bidirectional": True}), ("RNN", {"num_layers": 3}),
                                            ("LSTM", {"num_layers": 2, "proj_size": 3, "bidirectional": True}),
                                            ("LSTM", {"bias": False})])
def test_recurrent_layers_are_read_from_their_weights(kind: str, more: dict) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = getattr(nn, kind)(5, 7, batch_first=True, **more)
            self.fc = nn.Linear((more.get("proj_size") or 7) * (2 if more.get("bidirectional") else 1), 4)

    model = Net().eval()
    found = proposing.propose(model.state_dict())
    x = torch.randn(1, 6, 5)
    with torch.no_grad():
        assert torch.equal(found.model(x), model.fc(model.cells(x)[0][:, -1]))
    assert found.takes.sizes == (None, 5)


def test_several_answers_and_paths_side_by_side() -> None:
    weights = {**{f"a.{name}": each for name, each in nn.Linear(3, 2).state_dict().items()},
               **{f"b.{name}": each for name, each in nn.Linear(3, 4).state_dict().items()}}
    wired = Wired(parse(("Keep()", "a: Linear(3, 2)", "Out()", "b: Linear(3, 4)", "Out()")), weights)
    assert [tuple(each.shape) for each in wired(torch.zeros(1, 3))] == [(1, 2), (1, 4)]
    assert wiring.shape_of(wired, (3,)) == ((1, 2), (1, 4))
    beside = Wired(parse(("Keep()", "a: Linear(3, 2)", "Concat(1)")), weights)
    assert tuple(beside(torch.zeros(1, 3)).shape) == wiring.shape_of(beside, (3,)) == (1, 5)
    assert beside.unused == ("b",)
    with pytest.raises(Odd, match="nothing was kept"):
        takes(Wired(parse(("a: Linear(3, 2)", "Add()")), weights))


def test_weights_kept_as_length_and_direction_are_multiplied_out() -> None:
    for norm in (nn.utils.parametrizations.weight_norm, nn.utils.weight_norm):
        model = nn.Sequential(OrderedDict(fc=norm(nn.Linear(4, 3)))).eval()
        wired = Wired(parse(("fc: Linear(4, 3)",)), model.state_dict())
        x = torch.randn(2, 4)
        assert torch.allclose(wired(x), model(x), atol=1e-6)


# --- shapes by arithmetic -------------------------------------------------------------------------------------------

SHAPED = [
    (nn.Conv1d(3, 4, 5, 2, 3, 2), (1, 3, 20)), (nn.Conv2d(3, 4, (3, 5), (2, 1), (1, 0)), (1, 3, 11, 12)),
    (nn.Conv2d(3, 4, 3, padding="same"), (1, 3, 7, 7)), (nn.Conv2d(3, 4, 3, padding="valid"), (1, 3, 7, 7)),
    (nn.Conv3d(2, 3, 3), (1, 2, 5, 6, 7)), (nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), (1, 3, 6, 6)),
    (nn.ConvTranspose2d(3, 4, 4, 2, 1, 1), (1, 3, 5, 5)), (nn.ConvTranspose1d(3, 4, 3, 2, dilation=2), (1, 3, 5)),
    (nn.MaxPool2d(3, 2, 1), (1, 2, 9, 10)), (nn.MaxPool2d(3, 2, ceil_mode=True), (1, 2, 9, 10)),
    (nn.MaxPool2d(2, 2, 1, ceil_mode=True), (1, 2, 5, 4)), (nn.MaxPool1d(3, 2, dilation=2), (1, 2, 15)),
    (nn.AvgPool2d((2, 3)), (1, 2, 7, 7)), (nn.AvgPool3d(2), (1, 2, 4, 5, 6)), (nn.AvgPool1d(3, 2, 1), (1, 2, 9)),
    (nn.AdaptiveAvgPool2d((2, None)), (1, 2, 5, 7)), (nn.AdaptiveMaxPool1d(3), (1, 2, 9)),
    (nn.BatchNorm1d(4), (1, 4, 6)), (nn.GroupNorm(2, 4), (1, 4, 5)), (nn.LayerNorm((3, 4)), (1, 2, 3, 4)),
    (nn.Linear(5, 2), (1, 3, 5)), (nn.PReLU(3), (1, 3, 4)), (nn.Flatten(2, 3), (1, 2, 3, 4, 5)),
    (nn.Unflatten(1, (2, 3)), (1, 6, 4)), (nn.Upsample(scale_factor=2), (1, 2, 3, 4)), (nn.ZeroPad2d(2), (1, 2, 3, 4)),
    (nn.PixelShuffle(2), (1, 8, 3, 3)), (nn.GLU(1), (1, 8, 3)), (nn.GELU(), (1, 8, 3)),
    (nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True, proj_size=3), (1, 6, 4)),
]
WRONG = [(nn.Conv2d(3, 4, 3), (1, 3, 2, 2)), (nn.Conv2d(3, 4, 3), (1, 2, 8, 8)), (nn.MaxPool2d(3), (1, 2, 2, 2)),
         (nn.Linear(5, 2), (1, 4)), (nn.BatchNorm2d(3), (1, 3, 4)), (nn.LayerNorm(4), (1, 5)),
         (nn.GRU(4, 5, batch_first=True), (1, 3, 5)), (nn.GroupNorm(2, 4), (1, 6)), (nn.PReLU(3), (1, 4, 2)),
         (nn.Flatten(3), (1, 2))]


@pytest.mark.parametrize(("layer", "shape"), SHAPED, ids=lambda each: str(each).partition("(")[0])
def test_the_shape_after_a_layer_is_the_one_that_torch_makes(layer: nn.Module, shape: tuple[int, ...]) -> None:
    made = layer.eval()(torch.zeros(shape))
    assert shaping.after(layer, shape) == tuple((made[0] if isinstance(made, tuple) else made).shape)


@pytest.mark.parametrize(("layer", "shape"), WRONG, ids=lambda each: str(each).partition("(")[0])
def test_what_torch_refuses_has_no_shape(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        layer.eval()(torch.zeros(shape))
    with pytest.raises((shaping.Unfit, RuntimeError)):
        shaping.after(layer, shape)


def test_room_is_judged_before_anything_is_made() -> None:
    wired = Wired(parse(("Conv2d(1, 1, 1, padding=1000000)",)), nn.Conv2d(1, 1, 1).state_dict())
    with pytest.raises(Odd, match="more than there is room for"):
        takes(wired)


# --- proposals ------------------------------------------------------------------------------------------------------

class Residual(nn.Module):
    """A small ResNet with torchvision's names; `wide` for bottlenecks."""

    def __init__(self, wide: bool, large: bool) -> None:
        super().__init__()
        self.large = large
        self.conv1 = nn.Conv2d(3, 8, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        out = 4 if wide else 1
        self.layer1 = nn.Sequential(Step(8, 8, 1, wide), Step(8 * out, 8, 1, wide))
        self.layer2 = nn.Sequential(Step(8 * out, 16, 2, wide), Step(16 * out, 16, 1, wide))
        self.fc = nn.Linear(16 * out, 5)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = nn.functional.max_pool2d(x, 3, 2, 1) if self.large else x
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


class Step(nn.Module):
    def __init__(self, reads: int, inside: int, stride: int, wide: bool) -> None:
        super().__init__()
        sizes = [(reads, inside, 1, 1), (inside, inside, 3, stride), (inside, inside * 4, 1, 1)] if wide else \
            [(reads, inside, 3, stride), (inside, inside, 3, 1)]
        self.count = len(sizes)
        for number, (one, other, kernel, step) in enumerate(sizes, 1):
            setattr(self, f"conv{number}", nn.Conv2d(one, other, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(other))
        if stride > 1 or reads != sizes[-1][1]:
            self.downsample = nn.Sequential(nn.Conv2d(reads, sizes[-1][1], 1, stride, bias=False),
                                            nn.BatchNorm2d(sizes[-1][1]))

    def forward(self, x):
        made = x
        for number in range(1, self.count + 1):
            made = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(made))
            made = made.relu() if number < self.count else made
        return (made + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


def proposed(model: nn.Module, x: torch.Tensor, order: str = "file") -> proposing.Proposal:
    """What is proposed for its weights, which must answer as the model does."""
    weights = model.state_dict()
    weights = dict(sorted(weights.items())) if order == "alphabet" else weights
    found = proposing.propose(weights)
    assert found is not None
    with torch.no_grad():
        assert torch.allclose(found.model(x), model(x), atol=1e-5)
    return found


@pytest.mark.parametrize("order", ["file", "alphabet"])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_a_residual_network_is_wired_as_its_names_say(wide: bool, large: bool, order: str) -> None:
    proposed(settled(Residual(wide, large)), torch.randn(1, 3, 32, 32), order)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inc, self.down1, self.down2 = twice(1, 4), twice(4, 8), twice(8, 16)
        self.up1, self.after1 = nn.ConvTranspose2d(16, 8, 2, 2), twice(16, 8)
        self.up2, self.after2 = nn.ConvTranspose2d(8, 4, 2, 2), twice(8, 4)
        self.outc = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        one = self.inc(x)
        two = self.down1(nn.functional.max_pool2d(one, 2))
        x = self.down2(nn.functional.max_pool2d(two, 2))
        x = self.after1(torch.cat([two, self.up1(x)], 1))
        return self.outc(self.after2(torch.cat([one, self.up2(x)], 1)))


def twice(reads: int, wide: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(reads, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU(),
                         nn.Conv2d(wide, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU())


def test_what_halves_and_doubles_its_maps_has_them_side_by_side() -> None:
    proposed(settled(UNet()), torch.randn(1, 1, 32, 32))


def vgg(*plan: int, side: int, norm: bool = False) -> nn.Module:
    layers: list[nn.Module] = []
    reads = 3
    for wide in plan:
        if wide:
            layers += [nn.Conv2d(reads, wide, 3, padding=1), *([nn.BatchNorm2d(wide)] if norm else []), nn.ReLU()]
            reads = wide
        else:
            layers.append(nn.MaxPool2d(2))
    ends = side >> plan.count(0)
    return settled(nn.Sequential(OrderedDict(
        features=nn.Sequential(*layers), flatten=nn.Flatten(), classifier=nn.Sequential(
            nn.Linear(reads * ends * ends, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 7)))))


@pytest.mark.parametrize("model", [vgg(8, 0, 16, 0, side=32), vgg(8, 8, 0, 16, 16, 0, 16, 0, side=32),
                                   vgg(8, 0, 16, 16, 0, side=32, norm=True)], ids=["two", "three", "norms"])
def test_pooling_is_where_the_numbers_of_a_sequence_leave_room_for_it(model: nn.Module) -> None:
    found = proposed(model, torch.randn(1, 3, 32, 32))
    assert found.takes.sizes == (3, 32, 32)


def test_layers_that_are_numbered_without_a_gap_have_nothing_between_them() -> None:
    model = sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                       nn.Linear(6 * 16 * 16, 3))
    proposed(model, torch.randn(1, 3, 32, 32))


def test_volumes_are_flattened_too() -> None:
    model = sequential(nn.Conv3d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Flatten(), nn.Linear(2 * 512, 3))
    assert proposed(model, torch.randn(1, 1, 16, 16, 16)).takes.sizes == (1, 16, 16, 16)


def test_a_deep_row_of_dense_layers_has_a_relu_between_them() -> None:
    model = sequential(nn.Linear(20, 15), nn.ReLU(), nn.Linear(15, 9), nn.ReLU(), nn.Linear(9, 2))
    assert proposed(model, torch.randn(1, 20)).takes.sizes == (20,)
    wide = sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 15), nn.ReLU(), nn.Linear(15, 9))
    assert proposed(wide, torch.randn(1, 3, 32, 32)).takes.sizes == (3, 32, 32)


def test_where_nothing_fits_nothing_is_proposed() -> None:
    assert proposing.propose({"alpha": torch.zeros(1, 9, 1, 1), "beta": torch.zeros(1, 9, 1, 1)}) is None
    assert proposing.propose({f"lin{place}.weight": torch.zeros(1, 9 + 7 * place, 1, 1) for place in range(5)}) is None
    assert proposing.propose({f"a{place}.weight": torch.zeros(place, 1) for place in range(1, 900)}) is None
    assert proposing.propose({"a.weight": torch.zeros(0, 3), "b.weight": torch.zeros(3, 3, dtype=torch.int64)}) is None
