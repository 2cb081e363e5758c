"""Programs of torch.export: each network that torch exports opens, computes what plain torch does, and calls its
layers what a recording of the module itself calls them; what cannot be read is refused by one sentence."""

from __future__ import annotations

import json
import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

from tests.hostile import archived, exported_words, step, weight
from tests.networks import NETWORKS, Network, floating, tensors_in
from visualizer import cli, door, inputs
from visualizer.record import capture, describe, open_model, record
from visualizer.record.formats import find, pt2
from visualizer.record.formats.pt2 import _operators
from visualizer.trace import Array, Refused, Trace

NOT_EXPORTED = {
    "differentiates_inside", "energy_and_force", "gru_packed_bidirectional", "loop_whose_length_depends", "lstm_packed",
    "mlp_sparse_mixture_of_experts", "outputs_dataclass", "outputs_named", "piece_scripted", "way_that_is_chosen"}
"""Networks that torch.export 2.13 raises for: a path that depends on numbers, packed sequences, named tuples."""
REFUSED = {"piece_mapped": "torch._functorch.predispatch"}
"""Networks with operators that are not read -> one of them."""
NOT_ALIKE = {"inference_mode_around", "inference_mode_inside"}
"""torch.export forgets that no gradient flows through torch.inference_mode."""
OPENED = 0.99
"""At least this share of all that is exported opens, and equals plain torch."""
MOSTLY = 0.85
"""At least this share has the very layers that a recording of the module has, by name and kind; the others are written
otherwise in the file: `x[:, None]` as two steps, `F.softsign` as three, `x.float()` as a cast."""
NAMES = sorted(set(NETWORKS) - NOT_EXPORTED)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, while it exports
        yield
    logging.disable(logging.NOTSET)
    torch.set_num_threads(before)


def exported(path: Path, model: nn.Module, *given: Any, decomposed: bool = False, **more: Any) -> Path:
    program = torch.export.export(model, given, **more)
    torch.export.save(program.run_decompositions() if decomposed else program, path)
    return path


def given_to(network: Network, x: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    model = network()[0]
    if isinstance(x, tuple):
        return x, {}
    return ((), x) if isinstance(x, dict) and x.keys() <= set(model.forward.__code__.co_varnames) else ((x,), {})


# --- every network --------------------------------------------------------------------------------------------------

def compared(name: str, path: Path) -> tuple[float, bool]:
    """How far outputs and gradients of the inputs are from plain recording, and whether all layers are the same."""
    network = NETWORKS[name]
    model, x, target = network()
    positions, keywords = given_to(network, x)
    exported(path, model, *positions, kwargs=keywords)
    ours = pt2.open_file(path).module.train(network.training)
    tensors = tuple(tensors_in(x))
    own = capture(network()[0], x, target, **network.capture)
    found = capture(ours, tensors if len(tensors) > 1 else tensors[0], target, **network.capture)
    pairs = [(own[one.layer].output, found[other.layer].output)
             for one, other in zip(own.answers, found.answers, strict=True)]
    pairs += [(one.gradient, other.gradient) for one, other in zip(fed(own), fed(found), strict=True)]
    alike = [(layer.name, layer.kind) for layer in own] == [(layer.name, layer.kind) for layer in found]
    return max(apart(*pair) for pair in pairs), alike


def fed(trace: Trace) -> list[Any]:
    return [layer for layer in trace if layer.kind == "input"]


def apart(one: Array | None, other: Array | None) -> float:
    """The largest difference, of the largest number where that is above 1."""
    if one is None or other is None:
        return 0.0 if one is other else float("inf")
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    one, other = np.nan_to_num(one), np.nan_to_num(other)
    return float(np.abs(one - other).max() / max(1.0, float(np.abs(one).max()))) if one.size else 0.0


SPINE = [(name,) for name in ("lstm_plain", "input_list", "no_grad_inside")]


def test_networks_open_and_equal_plain_torch(some, tmp_path: Path) -> None:
    names = [name for name, in some([(name,) for name in NAMES], spine=SPINE, sample=3, each=False)]
    wrong, alike = {}, []
    for name in names:
        try:
            off, same = compared(name, tmp_path / f"{name}.pt2")
        except Refused as error:
            if name not in REFUSED or REFUSED[name] not in str(error):
                wrong[name] = str(error)
            continue
        alike.append(same)
        if off > 1e-6 and name not in NOT_ALIKE:
            wrong[name] = f"{off:.1e} apart"
    opened = 1 - (len(wrong) + len(set(names) & set(REFUSED))) / len(names)
    print(f"{opened:.1%} of {len(names)} open and equal plain torch, {sum(alike) / len(alike):.1%} layer by layer")
    assert not wrong
    assert opened >= OPENED or len(names) < 100
    assert sum(alike) / len(alike) >= MOSTLY or len(names) < 100


@pytest.mark.parametrize(("name", "dynamic"), [("conv_rgb", True), ("transformer_encoder_layer", False)])
def test_taken_apart_and_with_a_batch_of_any_size(name: str, dynamic: bool, tmp_path: Path) -> None:
    model, x, _ = NETWORKS[name]()
    wanted = model(x)
    batch = Dim("batch", min=1, max=64)
    shapes: Any = {0: batch} if not hasattr(model, "does") else (({0: batch}),)
    path = exported(tmp_path / "net.pt2", model, torch.cat([x] * 3) if dynamic else x, decomposed=True,
                    **({"dynamic_shapes": (shapes,)} if dynamic else {}))
    made = pt2.open_file(path).module(x)
    assert max(float((one - other).abs().max()) for one, other in zip(floating(made), floating(wanted), strict=True)) \
        < 1e-6


def test_a_linear_layer_that_was_taken_apart_is_one_again(tmp_path: Path) -> None:
    model, x, target = NETWORKS["conv_rgb"]()
    ours = pt2.open_file(exported(tmp_path / "net.pt2", model, x, decomposed=True)).module
    own, found = capture(model, x, target), capture(ours, x, target)
    assert [(layer.name, layer.kind) for layer in found] == [
        (layer.name, "mean" if layer.kind == "adaptive_avg_pool2d" else layer.kind if layer.kind != "flatten" else
         "reshape") for layer in own]
    assert apart(own["5"].weight_gradients["weight"], found["5"].weight_gradients["weight"]) < 1e-6


# --- what it says of itself -----------------------------------------------------------------------------------------

class Photo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.same = nn.Linear(4, 4)
        self.last = nn.Linear(4, 5)

    def forward(self, image: Tensor) -> Tensor:
        seen = self.first(image).mean((2, 3))
        return self.last(self.same(self.same(seen)))


def test_names_calls_and_shapes_are_those_of_the_module(tmp_path: Path) -> None:
    model, x = Photo().eval(), torch.randn(1, 3, 12, 12)
    path = exported(tmp_path / "photo.pt2", model, x)
    trace = record(path)
    assert [layer.name for layer in trace][:7] == ["input", "first.0", "first.1", "mean", "same", "same#2", "last"]
    assert np.array_equal(trace["input"].output, x[0].numpy())  # its own example
    assert set(dict(open_model(path).module.named_parameters())) == set(dict(model.named_parameters()))
    card = describe(path)
    assert (card.kind, card.intakes[0].shape, card.parameters) == (
        "photo", (3, 12, 12), sum(each.numel() for each in model.parameters()))
    assert trace.check().passed


def test_each_step_knows_the_line_of_the_model_that_asked_for_it(tmp_path: Path) -> None:
    model = open_model(exported(tmp_path / "photo.pt2", Photo().eval(), torch.randn(1, 3, 12, 12))).module
    lines = {node.source for node in model.plan.program.graph.nodes}
    assert lines
    assert all(re.fullmatch(r"test_pt2\.py:\d+", line) for line in lines)


def test_sizes_that_are_free_are_chosen_by_the_shape_or_the_picture(tmp_path: Path) -> None:
    side = Dim("side", min=8, max=64)
    path = exported(tmp_path / "photo.pt2", Photo().eval(), torch.randn(2, 3, 12, 12),
                    dynamic_shapes=({0: Dim("batch", min=1, max=9), 2: side, 3: side},))
    assert describe(path).intakes[0].shape == (3, None, None)
    assert record(path, "digit-2148")["input"].shape == (3, 28, 28)
    assert record(path, "shape:3,20,20; digit-2148")["input"].shape == (3, 20, 20)
    assert record(path)["input"].shape == (3, 12, 12)
    np.save(tmp_path / "x.npy", np.ones((3, 9, 9), np.float32))
    assert record(path, str(tmp_path / "x.npy"))["input"].output.min() == 1
    for word, said in (("shape:1,9,9", "3 × any × any numbers"), ("nothing", "is none"),
                       ("text:a", "that is a text")):
        with pytest.raises(Refused, match=said):
            record(path, word)


def test_of_many_samples_at_once_one_is_taken_where_that_is_said(tmp_path: Path) -> None:
    images = exported(tmp_path / "images.pt2", Photo().eval(), torch.randn(8, 3, 12, 12))
    assert record(images)["input"].shape == (3, 12, 12)
    rows = exported(tmp_path / "rows.pt2", nn.Sequential(nn.Linear(20, 5)).eval(), torch.randn(8, 20))
    with pytest.raises(Refused, match="holds 8 samples along its axis 0"):
        record(rows)
    assert record(rows, "shape:1,20")["input"].shape == (20,)


def test_a_digit_is_drawn_for_a_model_that_reads_one_and_others_say_what_they_need(tmp_path: Path) -> None:
    digit = exported(tmp_path / "digit.pt2", nn.Sequential(nn.Flatten(), nn.Linear(784, 5)).eval(),
                     torch.randn(1, 1, 28, 28))
    assert describe(digit).kind == "image"
    trace = record(digit, "digit-2148")
    assert np.array_equal(trace["input"].output[0], inputs.raw("digit-2148") / np.float32(255))
    assert any("grey values as 0 … 1" in note for note in trace.notes)
    assert trace.sample.label is None  # of five classes, the four of MNIST is none
    words = exported(tmp_path / "words.pt2", nn.Embedding(9, 3), torch.tensor([[1, 2, 8]]))
    assert record(words)["input"].output.tolist() == [1, 2, 8]


def test_recurrent_layers_show_their_gates(tmp_path: Path) -> None:
    model, x, _ = NETWORKS["lstm_plain"]()
    path = exported(tmp_path / "net.pt2", model, x)
    own, found = capture(model, x)["recurrent"], record(path)["recurrent"]
    assert own.inner.keys() == found.inner.keys() >= {"forget", "candidate", "cell"}
    assert all(apart(own.inner[key], found.inner[key]) < 1e-6 for key in own.inner)
    assert type(open_model(path).module.recurrent).__name__ == "LSTM"


# --- other versions of the format -----------------------------------------------------------------------------------

def changed(path: Path, change: Callable[[dict[str, Any]], None], **members: bytes | None) -> Path:
    """The same archive with other words in its program, and other members."""
    made = path.with_name("changed.pt2")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("models/model.json"):
                words = json.loads(content)
                change(words)
                content = json.dumps(words).encode()
            new.writestr(name, content)
    return made


def schema_8_17(words: dict[str, Any]) -> None:
    """Of pytorch's torch/_export/serde/schema.py at 011a299: as now, without what 8.18 to 8.20 added, which is types of
    eight bits and lists of lists of floats."""
    words["schema_version"] = {"major": 8, "minor": 17}


def schema_8_1(words: dict[str, Any]) -> None:
    """Before the fields that the later schema.py keeps optional, "so older serialized models … can be loaded": steps
    have no names, arguments no kinds, programs no guards and no version of torch; and `None` was an empty list."""
    words["schema_version"] = {"major": 8, "minor": 1}
    words["dialect"] = "TRAINING"
    del words["guards_code"], words["torch_version"], words["graph_module"]["treespec_namedtuple_fields"]
    del words["graph_module"]["metadata"], words["graph_module"]["graph"]["sym_float_values"]
    for node in words["graph_module"]["graph"]["nodes"]:
        del node["name"], node["is_hop_single_tensor_return"]
        for each in node["inputs"]:
            del each["kind"]
            each["arg"] = {"as_none": []} if "as_none" in each["arg"] else each["arg"]


def of_a_later_minor_version(words: dict[str, Any]) -> None:
    """A field that is not known yet: minor versions add such, and say that older readers may skip them."""
    words["schema_version"] = {"major": 8, "minor": 99}
    words["more"] = words["graph_module"]["more"] = {"as_anything": 1}


def of_another_major_version(words: dict[str, Any]) -> None:
    """Raised where an older reader would misread what it finds."""
    words["schema_version"] = {"major": 9, "minor": 0}


@pytest.mark.parametrize("change", [schema_8_1, schema_8_17, of_a_later_minor_version])
def test_other_minor_versions_compute_the_same(change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    model, x = Photo().eval(), torch.randn(1, 3, 12, 12)
    path = changed(exported(tmp_path / "photo.pt2", model, x), change)
    assert torch.equal(pt2.open_file(path).module(x), model(x))


def test_another_major_version_is_named(tmp_path: Path) -> None:
    path = changed(exported(tmp_path / "photo.pt2", Photo().eval(), torch.randn(1, 3, 12, 12)),
                   of_another_major_version)
    with pytest.raises(Refused, match=r"has version 9 of torch's format, and 8 is read"):
        open_model(path)


# --- what is refused ------------------------------------------------------------------------------------------------

def test_all_unknown_operators_are_named_at_once_in_one_sentence(tmp_path: Path) -> None:
    x = {"as_tensor": {"name": "x"}}
    words = exported_words([step("torch.ops.aten.from_file.default", "made", self=x),
                            step("torch.ops.mine.own.default", "made", self=x), step("os.system", "made", self=x)])
    (tmp_path / "net.pt2").write_bytes(archived(words))
    with pytest.raises(Refused) as caught:
        open_model(tmp_path / "net.pt2")
    said = str(caught.value)
    for name in ("aten.from_file.default", "mine.own.default", "os.system", "visualizer.capture"):
        assert name in said
    assert said.endswith(".")
    assert "\n" not in said


def test_pickles_in_it_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(tmp_path / "photo.pt2", Photo().eval(), torch.randn(1, 3, 12, 12))
    for module, name in ((torch, "load"), (torch.export, "load"), (__import__("pickle"), "loads"),
                         (__import__("pickle"), "load")):
        monkeypatch.setattr(module, name, None)
    assert record(path)["input"].shape == (3, 12, 12)


def test_no_operator_that_is_allowed_opens_or_runs_anything() -> None:
    names = {*_operators.ATEN, *_operators.OWN}
    assert len(names) > 300
    bad = re.compile(r"file|load|save|import|eval|exec|system|open|print|call|set_|resize|storage|pickle|quantiz")
    assert {name for name in names if bad.search(name)} == set()
    for name in ("bincount", "histc", "repeat_interleave", "as_strided_", "set_", "_foreach_add"):
        assert name not in names


@pytest.mark.parametrize("name", ["net.pt2", "net.pt", "net", "net.zip"])
def test_it_is_known_by_what_it_holds(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(archived(exported_words()))
    assert find(tmp_path / name) is pt2
    assert door.recognise(tmp_path / name).what == door.MODEL


def test_numbers_that_lie_are_named(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(archived(exported_words(), *weight(10)))
    with pytest.raises(Refused, match=r"conv\.weight claims 18 numbers in 10 bytes"):
        open_model(tmp_path / "net.pt2")


# --- by command and by drop -----------------------------------------------------------------------------------------

def test_the_command_line_records_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    side = Dim("side", min=8, max=64)
    path = exported(tmp_path / "photo.pt2", Photo().eval(), torch.randn(2, 3, 12, 12),
                    dynamic_shapes=({0: Dim("batch", min=1, max=9), 2: side, 3: side},))
    assert cli.main(["record", str(path), "--shape", "1,3,16,16", "--input", "digit-2148", "--check", "-o",
                     str(tmp_path / "a.trace")]) == 0
    assert cli.main(["shot", str(path), "-o", str(tmp_path / "a.svg")]) == 0
    assert cli.main(["record", str(path), "--shape", "wide", "-o", str(tmp_path / "b.trace")]) == cli.WRONG_USAGE
    assert cli.main(["record", str(path), "--shape", "5,5", "-o", str(tmp_path / "b.trace")]) == cli.REFUSED
    assert "3 × any × any" in capsys.readouterr().err


def test_a_dropped_file_is_opened_by_its_card(tmp_path: Path) -> None:
    path = exported(tmp_path / "photo.pt2", Photo().eval(), torch.randn(1, 3, 12, 12))
    found = door.recognise(path)
    card = describe(door.asks(found, door.State()))
    state = door.open_(found, cards={str(path): card}.get).state
    assert (state.model, state.sample) == (str(path), "example")  # the one that it brings along
    image = tmp_path / "x.npy"
    np.save(image, np.zeros((3, 12, 12)))
    later = door.open_(door.recognise(image), state, cards={str(path): card}.get).state
    assert later.sample == str(image)
    assert record(later.model, later.sample)["input"].output.max() == 0
