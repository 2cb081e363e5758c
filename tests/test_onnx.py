"""ONNX models: operators against onnxruntime and the cases of the package `onnx` itself, networks against plain torch
forwards and backwards; names, gates, inputs; and what is refused, by one sentence."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.networks import NETWORKS, tensors_in
from tests.test_pt2 import apart, fed, given_to
from visualizer import cli, door
from visualizer.record import capture, describe, open_model, record
from visualizer.record.formats import find
from visualizer.record.formats import onnx as format_
from visualizer.record.formats.onnx import _file, _graph, _inputs, _wire
from visualizer.record.formats.onnx._module import Model
from visualizer.trace import Refused

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
helper, FLOAT, INT64 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    onnxruntime.set_default_logger_severity(4)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, while it exports
        yield
    logging.disable(logging.NOTSET)
    torch.set_num_threads(before)


# --- what makes files -----------------------------------------------------------------------------------------------

def saved(path: Path, nodes: list[Any], inputs: dict[str, Any], weights: dict[str, Any] | None = None,
          outputs: tuple[str, ...] = ("y",), opset: int = 17, code: int = FLOAT, **more: Any) -> Path:
    """A graph of these nodes; inputs by name with their shapes, in which words are axes of any size."""
    values = [helper.make_tensor_value_info(name, *(sizes if isinstance(sizes, tuple) else (code, sizes)))
              for name, sizes in inputs.items()]
    held = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, "net", values, [helper.make_empty_tensor_value_info(name) for name in outputs],
                              held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more)
    path.write_bytes(model.SerializeToString())
    return path


def module_of(path: Path) -> Model:
    room = _file.Room(path)
    return Model(_graph.program(_file.parsed(path), room)).eval()


def session(path: Path, *given: Any) -> list[Any]:
    ran = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return ran.run(None, {each.name: np.asarray(one) for each, one in zip(ran.get_inputs(), given, strict=True)})


def outputs_of(module: Model, *given: Any) -> list[Any]:
    with torch.no_grad():
        made = module(*(torch.as_tensor(np.asarray(each)) for each in given))
    return [each.numpy() for each in (made if isinstance(made, tuple) else (made,))]


def exported(path: Path, model: nn.Module, *given: Any, dynamo: bool, **more: Any) -> Path:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(model, given, path, dynamo=dynamo, verbose=False,
                          **({"external_data": False} if dynamo else {"opset_version": 17}) | more)
    return path


# --- every network --------------------------------------------------------------------------------------------------

FORGOTTEN = {"inference_mode_around", "inference_mode_inside", "no_grad_inside", "detached_branch",
             "operations_argmax_hard", "vector_quantised_autoencoder"}
"""ONNX has no word for what stops a gradient."""
IN_16_BITS = {"operations_casts", "autocast_inside"}
"""And all whose names say so: computed in 32, as onnxruntime computes them."""
SPINE = [("lstm_plain", True), ("lstm_plain", False), ("conv_dilated", False)]


def compared(name: str, dynamo: bool, path: Path) -> tuple[float, int] | None:
    """How far outputs and gradients of the inputs are from plain recording, and how many layers nothing explains; None
    where torch cannot export it."""
    network = NETWORKS[name]
    model, x, target = network()
    positions, keywords = given_to(network, x)
    try:
        exported(path, model, *positions, dynamo=dynamo, kwargs=keywords) if dynamo or not keywords else \
            exported(path, model, *positions, keywords, dynamo=False)
    except Exception:  # torch's, of every kind
        return None
    ours = module_of(path)
    tensors = tuple(tensors_in(x))
    if len(ours.plan.program.inputs) != len(tensors):
        return None  # an input that nobody reads is left out by torch
    own = capture(network()[0], x, target, **network.capture)
    found = capture(ours, tensors if len(tensors) > 1 else tensors[0], target, **network.capture)
    pairs = [(own[one.layer].output, found[other.layer].output)
             for one, other in zip(own.answers, found.answers, strict=False)]
    if name not in FORGOTTEN:
        pairs += [(one.gradient, other.gradient) for one, other in zip(fed(own), fed(found), strict=True)]
    return max((apart(*pair) for pair in pairs), default=0.0), sum(layer.kind == "unexplained" for layer in found)


def test_networks_open_and_equal_plain_torch(some, tmp_path: Path) -> None:
    names = [name for name, network in NETWORKS.items() if not network.training and name not in IN_16_BITS
             and not name.startswith(("half_", "bfloat16_"))]
    cases = some([(name, dynamo) for name in names for dynamo in (True, False)], spine=(), sample=3, each=False)
    cases = sorted({*cases, *SPINE})
    wrong, count, refused = {}, 0, {}
    for name, dynamo in cases:
        try:
            found = compared(name, dynamo, tmp_path / f"{name}.onnx")
        except _graph.Unsupported as error:
            refused[name, dynamo] = error.names
            continue
        if found is None:
            continue
        count += 1
        if found[0] > 1e-5:
            wrong[name, dynamo] = f"{found[0]:.1e} apart"
    print(f"{count} of {len(cases)} are exported and open, {count - len(wrong)} equal plain torch; refused: {refused}")
    assert not wrong
    assert len(refused) <= len(cases) / 20


# --- operators ------------------------------------------------------------------------------------------------------

READ = 0.99
"""At least this share of the cases of the package `onnx` whose operators are all read passes."""
NOT_READ = {"bernoulli", "dropout", "scan_sum", "col2im_5d"}
"""Drawn by chance; as while learning; of an older version; over three axes."""


def tensor_of(value: Any) -> Any:
    if isinstance(value, list):
        return [tensor_of(each) for each in value]
    if isinstance(value, onnx.TensorProto):
        return _file.tensor(value, _file.Room(Path("x")))
    if value is None:
        return None
    array = np.asarray(value)
    if str(array.dtype) in ("bfloat16", "float16"):
        array = array.astype(np.float32)
    return torch.tensor(array.copy())


def close(found: Any, wanted: Any, rtol: float, atol: float) -> bool:
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(close(one, other, rtol, atol) for one, other in
                                                 zip(found, wanted, strict=True))
    if wanted is None or found is None:
        return found is wanted
    half = str(getattr(wanted, "dtype", "")) in ("bfloat16", "float16") or getattr(wanted, "data_type", 0) in (10, 16)
    wanted, found = tensor_of(wanted).numpy(), found.detach().numpy()
    kind = np.complex128 if wanted.dtype.kind == "c" else np.float64
    return found.shape == wanted.shape and np.allclose(
        found.astype(kind), wanted.astype(kind), 5e-3 if half else rtol, 1e-2 if half else atol, equal_nan=True)


def passes(case: Any) -> bool | None:
    """Whether a case of the package comes out right; None where something in it is not read."""
    try:
        program = _graph.program(onnx.ModelProto.FromString(case.model.SerializeToString()),
                                 _file.Room(Path("case.onnx")))
    except (_graph.Unsupported, Refused):
        return None
    module = Model(program).eval()
    for given, wanted in case.data_sets:
        with torch.no_grad():
            made = module(*map(tensor_of, given))
        made = list(made) if isinstance(made, tuple) else [made]
        if not all(close(one, other, case.rtol, max(case.atol, 1e-5)) for one, other in
                   zip(made, wanted, strict=True)):
            return False
    return True


def test_the_cases_of_the_package_pass(some) -> None:
    from onnx.backend.test.case.node import collect_testcases

    cases = {each.name: each for each in collect_testcases(None)}
    names = [name for (name,) in some([(name,) for name in cases], spine=(), sample=150, each=False)]
    found = {}
    for name in names:
        try:
            found[name] = passes(cases[name])
        except (TypeError, RuntimeError) as error:
            print(name, error)
            found[name] = False
    read = {name: right for name, right in found.items() if right is not None}
    wrong = [name for name, right in read.items() if not right]
    print(f"{len(read)} of {len(names)} cases are read, {1 - len(wrong) / len(read):.1%} of these pass; not: {wrong}")
    assert {name for name in wrong if not any(each in name for each in NOT_READ)} == set()
    assert 1 - len(wrong) / len(read) >= READ or len(names) < 1000
    assert len(read) / len(names) > 0.8


def rand(*sizes: int) -> Any:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(sum(sizes))).numpy()


def one(op: str, *names: str, made: tuple[str, ...] = ("y",), **said: Any) -> list[Any]:
    return [helper.make_node(op, [*names], [*made], name=f"{op}_0", **said)]


IMAGE, ROWS = rand(1, 4, 9, 8), rand(5, 1, 6)
GRAPHS: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any], tuple[int, ...]]] = {
    "conv": (one("Conv", "x", "w", "b", pads=[1, 0, 2, 1], strides=[2, 1]), {"x": IMAGE},
             {"w": rand(6, 4, 3, 3), "b": rand(6)}, (9, 11, 22)),
    "conv_same": (one("Conv", "x", "w", auto_pad="SAME_LOWER", strides=[2, 2], kernel_shape=[4, 3]), {"x": IMAGE},
                  {"w": rand(6, 4, 4, 3)}, (9, 17)),
    "conv_groups": (one("Conv", "x", "w", group=2, dilations=[2, 2]), {"x": IMAGE}, {"w": rand(6, 2, 3, 3)}, (11,)),
    "conv_transpose": (one("ConvTranspose", "x", "w", strides=[2, 2], pads=[1, 1, 0, 1], output_padding=[1, 0]),
                       {"x": IMAGE}, {"w": rand(4, 3, 3, 3)}, (11, 22)),
    "max_pool": (one("MaxPool", "x", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1]), {"x": IMAGE}, {},
                 (9, 12)),
    "max_pool_ceil": (one("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), {"x": IMAGE}, {}, (12,)),
    "average_pool": (one("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 1]), {"x": IMAGE},
                     {}, (9, 19)),
    "average_counted": (one("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
                        {"x": IMAGE}, {}, (11,)),
    "gemm": (one("Gemm", "x", "w", "c", transB=1, alpha=0.5, beta=2.0), {"x": rand(3, 4)},
             {"w": rand(5, 4), "c": rand(5)}, (9, 13)),
    "gemm_turned": (one("Gemm", "x", "w", transA=1), {"x": rand(4, 3)}, {"w": rand(4, 5)}, (11,)),
    "batch_norm": (one("BatchNormalization", "x", "s", "b", "m", "v", epsilon=1e-3), {"x": IMAGE},
                   {"s": rand(4), "b": rand(4), "m": rand(4), "v": np.abs(rand(4)) + 0.1}, (9, 14, 15)),
    "instance_norm": (one("InstanceNormalization", "x", "s", "b"), {"x": IMAGE}, {"s": rand(4), "b": rand(4)}, (9, 22)),
    "lrn": (one("LRN", "x", size=3, alpha=0.01, beta=0.7, bias=1.5), {"x": IMAGE}, {}, (9, 13)),
    "softmax_before_13": (one("Softmax", "x", axis=1), {"x": rand(2, 3, 4)}, {}, (9, 11)),
    "softmax": (one("Softmax", "x", axis=1), {"x": rand(2, 3, 4)}, {}, (13, 22)),
    "clip_9": (one("Clip", "x", min=-0.5, max=0.7), {"x": IMAGE}, {}, (9,)),
    "clip": (one("Clip", "x", "low", "high"), {"x": IMAGE}, {"low": np.float32(-0.5), "high": np.float32(0.7)},
             (11, 13)),
    "slice_9": (one("Slice", "x", axes=[2], starts=[1], ends=[-1]), {"x": IMAGE}, {}, (9,)),
    "slice": (one("Slice", "x", "a", "b", "c", "d"), {"x": IMAGE},
              {"a": np.array([7, 1]), "b": np.array([-99, 6]), "c": np.array([2, 3]), "d": np.array([-2, 2])},
              (10, 13)),
    "squeeze_11": (one("Squeeze", "x", axes=[1]), {"x": ROWS}, {}, (9, 11)),
    "reduce_mean_17": (one("ReduceMean", "x", axes=[2, 3], keepdims=0), {"x": IMAGE}, {}, (9, 17)),
    "reduce_mean_18": (one("ReduceMean", "x", "a", keepdims=1), {"x": IMAGE}, {"a": np.array([-1])}, (18, 22)),
    "pad_9": (one("Pad", "x", pads=[0, 0, 1, 2, 0, 0, 0, 1], value=1.5), {"x": IMAGE}, {}, (9,)),
    "pad_reflect": (one("Pad", "x", "p", mode="reflect"), {"x": IMAGE}, {"p": np.array([0, 0, 1, 2, 0, 0, 2, 1])},
                    (11, 18)),
    "resize_10": (one("Resize", "x", "s", mode="nearest"), {"x": IMAGE},
                  {"s": np.array([1, 1, 2, 2], np.float32)}, (10,)),
    "upsample_9": (one("Upsample", "x", "s", mode="linear"), {"x": IMAGE}, {"s": np.array([1, 1, 2, 3], np.float32)},
                   (9,)),
    "resize_linear": (one("Resize", "x", "", "", "z", mode="linear",
                          coordinate_transformation_mode="pytorch_half_pixel"), {"x": IMAGE},
                      {"z": np.array([1, 4, 13, 5])}, (13, 18)),
    "resize_cubic": (one("Resize", "x", "", "", "z", mode="cubic", coordinate_transformation_mode="align_corners"),
                     {"x": IMAGE}, {"z": np.array([1, 4, 13, 5])}, (13, 18)),
    "gather": (one("Gather", "w", "x"), {"x": np.array([[3, 0, -1]])}, {"w": rand(7, 5)}, (9, 13)),
    "layer_norm": (one("LayerNormalization", "x", "s", "b", axis=-1), {"x": rand(2, 3, 6)},
                   {"s": rand(6), "b": rand(6)}, (17, 22)),
    "quantised": ([*one("QuantizeLinear", "x", "s", "z", made=("q",)), *one("DequantizeLinear", "q", "s", "z")],
                  {"x": rand(3, 4)}, {"s": np.float32(0.05), "z": np.int8(3)}, (10, 19)),
    "einsum": (one("Einsum", "x", "w", equation="bij,jk->bik"), {"x": rand(2, 3, 4)}, {"w": rand(4, 5)}, (12,)),
    "topk": (one("TopK", "x", "k", made=("y", "i"), axis=1), {"x": rand(3, 7)}, {"k": np.array([3])}, (10, 11)),
    "lstm": (one("LSTM", "x", "w", "r", "b", made=("y", "h", "c"), hidden_size=3, direction="bidirectional"),
             {"x": ROWS}, {"w": rand(2, 12, 6), "r": rand(2, 12, 3), "b": rand(2, 24)}, (9, 14, 22)),
    "lstm_reverse_peephole": (one("LSTM", "x", "w", "r", "b", "", "", "", "p", made=("y", "h", "c"), hidden_size=3,
                                  direction="reverse"), {"x": ROWS},
                              {"w": rand(1, 12, 6), "r": rand(1, 12, 3), "b": rand(1, 24), "p": rand(1, 9)}, (14,)),
    "lstm_begun": (one("LSTM", "x", "w", "r", "", "", "h0", "c0", made=("y", "h", "c"), hidden_size=3), {"x": ROWS},
                   {"w": rand(1, 12, 6), "r": rand(1, 12, 3), "h0": rand(1, 1, 3), "c0": rand(1, 1, 3)}, (14,)),
    "lstm_lengths": (one("LSTM", "x", "w", "r", "", "n", made=("y", "h", "c"), hidden_size=3),
                     {"x": ROWS, "n": np.array([3], np.int32)}, {"w": rand(1, 12, 6), "r": rand(1, 12, 3)}, (14,)),
    "gru": (one("GRU", "x", "w", "r", "b", made=("y", "h"), hidden_size=3, linear_before_reset=1), {"x": ROWS},
            {"w": rand(1, 9, 6), "r": rand(1, 9, 3), "b": rand(1, 18)}, (9, 14)),
    "gru_after_reset": (one("GRU", "x", "w", "r", "b", made=("y", "h"), hidden_size=3), {"x": ROWS},
                        {"w": rand(1, 9, 6), "r": rand(1, 9, 3), "b": rand(1, 18)}, (9, 14)),
    "rnn_relu": (one("RNN", "x", "w", "r", "b", made=("y", "h"), hidden_size=3, activations=["Relu"]), {"x": ROWS},
                 {"w": rand(1, 3, 6), "r": rand(1, 3, 3), "b": rand(1, 6)}, (9, 14)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_equal_onnxruntime_in_every_version(name: str, tmp_path: Path) -> None:
    nodes, given, weights, versions = GRAPHS[name]
    made = tuple(dict.fromkeys(out for out in nodes[-1].output if out))
    codes = {key: (helper.np_dtype_to_tensor_dtype(np.asarray(array).dtype), list(np.asarray(array).shape))
             for key, array in given.items()}
    for version in versions:
        path = saved(tmp_path / f"{name}-{version}.onnx", nodes, codes, weights, made, version)
        wanted, found = session(path, *given.values()), outputs_of(module_of(path), *given.values())
        for one_, other in zip(found, wanted, strict=True):
            assert one_.shape == other.shape
            assert np.abs(one_.astype(np.float64) - other).max() <= 1e-5 * max(1.0, np.abs(other).max()), version


def test_a_loop_a_scan_and_a_choice_equal_onnxruntime(tmp_path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Add", ["h", "x"], ["sum"]), helper.make_node("Tanh", ["sum"], ["next"]),
         helper.make_node("Identity", ["next"], ["row"]), helper.make_node("Identity", ["go"], ["on"])], "body",
        [helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("go", onnx.TensorProto.BOOL, []),
         helper.make_tensor_value_info("h", FLOAT, [4])],
        [helper.make_tensor_value_info("on", onnx.TensorProto.BOOL, []),
         helper.make_tensor_value_info("next", FLOAT, [4]), helper.make_tensor_value_info("row", FLOAT, [4])])
    yes = helper.make_graph([helper.make_node("Relu", ["x"], ["out"])], "yes", [],
                            [helper.make_tensor_value_info("out", FLOAT, [4])])
    no = helper.make_graph([helper.make_node("Neg", ["x"], ["out"])], "no", [],
                           [helper.make_tensor_value_info("out", FLOAT, [4])])
    nodes = [helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
             helper.make_node("Greater", ["s", "zero"], ["is"]),
             helper.make_node("If", ["is"], ["picked"], then_branch=yes, else_branch=no),
             helper.make_node("Loop", ["n", "", "picked"], ["last", "y"], body=body)]
    path = saved(tmp_path / "loop.onnx", nodes, {"x": [4]}, {"zero": np.float32(0), "n": np.array(3)}, ("y", "last"))
    for x in (rand(4), -rand(4)):
        for one_, other in zip(outputs_of(module_of(path), x), session(path, x), strict=True):
            assert np.abs(one_ - other).max() < 1e-6


def test_a_function_that_a_model_brings_along_is_written_out(tmp_path: Path) -> None:
    scaled = helper.make_function("mine", "Scaled", ["a"], ["b"], [
        helper.make_node("Constant", [], ["half"], value_float=0.5), helper.make_node("Mul", ["a", "half"], ["c"]),
        helper.make_node("Relu", ["c"], ["b"])], [helper.make_opsetid("", 17)])
    nodes = [helper.make_node("Scaled", ["x"], ["h"], domain="mine"),
             helper.make_node("Scaled", ["h"], ["y"], domain="mine")]
    model = helper.make_model(helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", FLOAT, [3])],
                                                [helper.make_tensor_value_info("y", FLOAT, [3])]), functions=[scaled],
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)], ir_version=8)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    assert outputs_of(module_of(tmp_path / "net.onnx"), np.array([-2, 4, 8], np.float32))[0].tolist() == [0, 1, 2]


# --- names, gates, weights ------------------------------------------------------------------------------------------

class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2))
        self.rnn = nn.LSTM(12, 5, num_layers=2, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(10)
        self.head = nn.Linear(10, 7)

    def forward(self, image: Tensor) -> Tensor:
        maps = self.front(image).permute(0, 3, 1, 2).flatten(2)
        return self.head(self.norm(self.rnn(maps)[0]))


@cache
def reader(dynamo: bool) -> tuple[nn.Module, bytes]:
    """One of them, and its file: exporting takes seconds."""
    model, made = Reader().eval(), Path(tempfile.mkdtemp()) / "reader.onnx"
    return model, exported(made, model, torch.zeros(1, 1, 8, 12), dynamo=dynamo).read_bytes()


def reader_in(folder: Path, dynamo: bool = True) -> tuple[nn.Module, Path]:
    model, content = reader(dynamo)
    (folder / "reader.onnx").write_bytes(content)
    return model, folder / "reader.onnx"


@pytest.mark.parametrize("dynamo", [True, False])
def test_layers_have_the_names_and_kinds_of_the_module(dynamo: bool, tmp_path: Path) -> None:
    (model, path), x = reader_in(tmp_path, dynamo), torch.randn(1, 1, 8, 12)
    module = module_of(path)
    trace = capture(module, x)
    assert module.get_submodule("front").called == ("Sequential" if dynamo else "")
    found = {layer.name: layer.kind for layer in trace}
    for name, kind in {"front.0": "conv2d", "front.1": "silu", "front.2": "max_pool2d", "norm": "layer_norm",
                       "head": "linear"}.items():
        assert found.get(name) == kind, found
    levels = [layer for layer in trace if layer.kind == "lstm"]
    assert len(levels) == 4
    assert all(layer.inner.keys() >= {"forget", "candidate", "cell"} for layer in levels)
    assert all(layer.name.startswith("rnn") for layer in levels)
    own = capture(model, x)
    assert apart(own["head"].weight_gradients["weight"], trace["head"].weight_gradients["weight"]) < 1e-5
    assert apart(own["front.0"].weight_gradients["weight"], trace["front.0"].weight_gradients["weight"]) < 1e-5
    gates = next(layer for layer in own if layer.kind == "lstm").inner
    assert all(apart(gates[key], levels[0].inner[key]) < 1e-5 for key in gates)
    assert trace.check().passed


class Steps(nn.Module):
    def __init__(self, last: bool) -> None:
        super().__init__()
        self.rnn, self.head, self.last = nn.RNN(6, 4, batch_first=True), nn.Linear(4, 3), last

    def forward(self, x: Tensor) -> Tensor:
        every, end = self.rnn(x)
        return self.head(end[-1] if self.last else every)


@pytest.mark.parametrize("last", [True, False])
def test_a_layer_whose_steps_were_written_out_is_one_again(last: bool, tmp_path: Path) -> None:
    model, x = Steps(last).eval(), torch.randn(1, 5, 6)
    path = exported(tmp_path / "net.onnx", model, x, dynamo=True)
    assert sum(node.op_type == "Tanh" for node in onnx.load(path).graph.node) == 5
    own, found = capture(model, x), capture(module_of(path), x)
    assert found["rnn"].kind == "rnn"
    assert apart(own["rnn"].inner["preactivation"], found["rnn"].inner["preactivation"]) < 1e-6
    assert apart(own["rnn"].weight_gradients["weight_hh"], found["rnn"].weight_gradients["weight_hh"]) < 1e-5
    assert found.check().passed


def test_every_weight_gets_a_gradient(tmp_path: Path) -> None:
    module = module_of(reader_in(tmp_path)[1])
    module(torch.randn(1, 1, 8, 12)).square().sum().backward()
    assert all(each.grad is not None and bool(each.grad.abs().any()) for each in module.parameters())
    names = set(dict(module.named_parameters()))
    assert {"front.0.weight", "front.0.bias", "head.weight", "rnn.l0.weight_ih_l0", "norm.weight"} <= names


# --- inputs ---------------------------------------------------------------------------------------------------------

def reading(path: Path, sizes: list[Any], weights: dict[str, Any], *nodes: Any, code: int = FLOAT, name: str = "x"
            ) -> Path:
    return saved(path, [*nodes], {name: (code, sizes)}, weights)


@pytest.mark.parametrize(("sizes", "nodes", "weights", "found"), [
    (["batch", 3, "height", "width"], one("Conv", "x", "w"), {"w": rand(2, 3, 3, 3)}, (1, 3, 224, 224)),
    (["n", 1, 32, "width"], one("Conv", "x", "w"), {"w": rand(2, 1, 3, 3)}, (1, 1, 32, 320)),
    (["batch", "samples"], [*one("Reshape", "x", "to", made=("r",)), *one("Conv", "r", "w", strides=[100])],
     {"w": rand(2, 1, 400), "to": np.array([0, 1, -1])}, (1, 16_000)),
])
def test_a_size_that_is_free_is_proposed_so_that_it_runs(sizes: list[Any], nodes: list[Any], weights: dict[str, Any],
                                                         found: tuple[int, ...], tmp_path: Path) -> None:
    name = "audio" if len(sizes) == 2 else "x"
    for node in nodes:
        node.input[:] = [name if each == "x" else each for each in node.input]
    path = reading(tmp_path / "net.onnx", sizes, weights, *nodes, name=name)
    for node in nodes:
        node.input[:] = ["x" if each == name else each for each in node.input]
    assert _inputs.proposal(module_of(path)).sizes == (found,)
    assert record(path).layers


def test_of_a_net_that_halves_and_doubles_a_picture_is_brought_to_a_size_that_fits(tmp_path: Path) -> None:
    nodes = [helper.make_node("MaxPool", ["x"], ["a"], kernel_shape=[2, 2], strides=[2, 2]),
             helper.make_node("Resize", ["a", "", "s"], ["b"], mode="nearest",
                              coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
             helper.make_node("Add", ["x", "b"], ["y"])]
    path = reading(tmp_path / "net.onnx", ["batch", 3, "h", "w"], {"s": np.array([1, 1, 2, 2], np.float32)}, *nodes)
    assert record(path)["input"].shape == (3, 224, 224)
    assert record(path, "shape:3,64,96")["input"].shape == (3, 64, 96)


def test_whole_numbers_are_what_their_names_ask_for(tmp_path: Path) -> None:
    nodes = [helper.make_node("Equal", ["sr", "rate"], ["is"]), helper.make_node("Cast", ["is"], ["f"], to=FLOAT),
             helper.make_node("Mul", ["audio", "f"], ["y"])]
    path = saved(tmp_path / "net.onnx", nodes, {"audio": (FLOAT, ["batch", 512]), "sr": (INT64, [])},
                 {"rate": np.array(16_000)})
    trace = record(path)
    assert float(trace["input[1]"].output) == 16_000
    assert np.abs(trace[trace.answers[0].layer].output).max() > 0


def test_halves_are_computed_in_32_bits_and_that_is_said(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", one("MatMul", "x", "w"), {"x": (onnx.TensorProto.FLOAT16, [1, 4])},
                 {"w": rand(4, 3).astype(np.float16)})
    trace = record(path)
    assert trace[trace.answers[0].layer].output.dtype == np.float32
    assert any("16 bits" in note for note in trace.notes)


# --- files ----------------------------------------------------------------------------------------------------------

def small(path: Path) -> Path:
    return saved(path, one("Gemm", "x", "fc.weight", "fc.bias", transB=1), {"x": [1, 4]},
                 {"fc.weight": rand(3, 4), "fc.bias": rand(3)})


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "net", "net.bin"])
def test_it_is_known_by_what_it_holds_without_the_package(name: str, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    path = small(tmp_path / name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert find(path) is format_
    assert door.recognise(path).what == door.MODEL
    with pytest.raises(Refused, match=r"pip install 'visualizer\[onnx\]'"):
        open_model(path)


def test_other_protobufs_are_no_models(tmp_path: Path) -> None:
    for content in (b"", b"\x08", b"\x08\x01\x12\x05hello", b"\x0a\x03abc\x12\x00", b"{}", b"PK\x03\x04", b"\x08" * 99):
        (tmp_path / "x").write_bytes(content)
        assert not _wire.is_model(tmp_path / "x")


def outside(path: Path, where: str) -> Path:
    model = onnx.load(small(path))
    for each in model.graph.initializer:
        if each.name == "fc.weight":
            raw, each.raw_data = each.raw_data, b""
            each.ClearField("raw_data")
            each.data_location = onnx.TensorProto.EXTERNAL
            for key, value in {"location": where, "offset": "16", "length": str(len(raw)), "basepath": "/etc"}.items():
                each.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    (path.parent / "net.data").write_bytes(bytes(16) + raw)
    return path


def test_numbers_beside_the_file_are_read_and_only_there(tmp_path: Path) -> None:
    path = outside(tmp_path / "net.onnx", "net.data")
    assert record(path)["fc"].kind == "linear"
    (tmp_path / "net.data").rename(tmp_path / "gone.data")
    with pytest.raises(Refused, match=r"The weights of net\.onnx are in net\.data, which is not beside it"):
        open_model(path)
    (tmp_path / "net.data").symlink_to(tmp_path / "gone.data")
    with pytest.raises(Refused, match="not beside it"):
        open_model(path)
    for where in ("../net.data", "/etc/passwd", "a/net.data", "..", ""):
        with pytest.raises(Refused, match="only a file beside it is read"):
            open_model(outside(tmp_path / "other.onnx", where))
    (tmp_path / "net.data").unlink()
    (tmp_path / "net.data").write_bytes(bytes(20))
    with pytest.raises(Refused, match=r"claims 48 bytes from 16 on in net\.data, which has 20"):
        open_model(path)


def test_all_that_is_not_known_is_named_at_once_in_one_sentence(tmp_path: Path) -> None:
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
             helper.make_node("ConvInteger", ["q", "w"], ["c"]), helper.make_node("Own", ["c"], ["d"], domain="mine"),
             helper.make_node("Linear", ["d"], ["y"], domain="visualizer")]
    path = saved(tmp_path / "net.onnx", nodes, {"x": [1, 1, 4, 4]}, {"w": np.ones((1, 1, 2, 2), np.uint8)})
    with pytest.raises(Refused) as caught:
        open_model(path)
    said = str(caught.value)
    for name in ("DynamicQuantizeLinear", "ConvInteger", "mine.Own", "visualizer.Linear", "visualizer.capture"):
        assert name in said
    assert said.endswith(".")
    assert "\n" not in said


def test_an_older_set_of_operators_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"version 6 of ONNX's operators.*convert_version"):
        open_model(saved(tmp_path / "net.onnx", one("Relu", "x"), {"x": [3]}, opset=6))


def test_steps_may_stand_in_any_order_but_not_in_a_circle(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["h"], ["y"]), helper.make_node("Neg", ["x"], ["h"])]
    assert outputs_of(module_of(saved(tmp_path / "net.onnx", nodes, {"x": [2]})), np.array([-1, 1], np.float32)
                      )[0].tolist() == [1, 0]
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Neg", ["a"], ["b"]),
             helper.make_node("Relu", ["b"], ["y"])]
    with pytest.raises(Refused, match="read one another in a circle"):
        open_model(saved(tmp_path / "net.onnx", nodes, {"x": [2]}))


# --- by command and by drop -----------------------------------------------------------------------------------------

def test_the_command_line_records_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = reader_in(tmp_path)[1]
    assert cli.main(["record", str(path), "--check", "-o", str(tmp_path / "a.trace")]) == 0
    assert cli.main(["shot", str(path), "-o", str(tmp_path / "a.svg")]) == 0
    assert describe(path).parameters == sum(each.numel() for each in open_model(path).module.parameters())
    capsys.readouterr()
