"""What it costs to open a file of a model, to record it and to lay out a first picture, against torch's own loader of
the same file, or a session of onnxruntime."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from tests.benchmarks import Row
from tests.benchmarks.capture import ResNet20, _lenet
from visualizer import sight
from visualizer.record import open_model, record
from visualizer.record.formats import pt2
from visualizer.scene.state import Place


def exported() -> Iterator[Row]:
    """A program of torch.export: opened, and opened and recorded forwards and backwards, against torch.export.load,
    which runs what lies in the file."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for what, model, x, repeat in (("LeNet-5", _lenet(), torch.rand(1, 1, 28, 28), 5),
                                       ("ResNet-20", ResNet20(), torch.rand(1, 3, 32, 32), 3)):
            path = _saved(Path(folder) / f"{what}.pt2", model.eval(), x)

            def opened(path: Path = path) -> None:
                pt2.open_file(path)

            def recorded(path: Path = path) -> None:
                assert record(pt2.open_file(path)).has_backward

            def loaded(path: Path = path) -> None:
                torch.export.load(path)

            yield Row(f"{what}: open", opened, loaded, "torch.export.load", 1.0, repeat=repeat)
            yield Row(f"{what}: open and record", recorded, loaded, "torch.export.load", 1.0, repeat=repeat)
        path = _saved(Path(folder) / "ten.pt2", _ten_megabytes().eval(), torch.rand(1, 3, 64, 64))

        def drawn() -> None:
            assert sight.seen(record(open_model(path)), Place()).still

        yield Row("CNN of 10 MB: open, record and draw", drawn, lambda: torch.export.load(path), "torch.export.load",
                  1.0, repeat=3)


def _ten_megabytes() -> nn.Module:
    """A CNN with 2.3 million weights."""
    def block(given: int, made: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(given, made, 3, 2, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU(),
                             nn.Conv2d(made, made, 3, 1, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU())

    return nn.Sequential(block(3, 32), block(32, 64), block(64, 128), block(128, 256), block(256, 256),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))


def _saved(path: Path, model: nn.Module, x: torch.Tensor) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model, (x,)), path)
    return path


def of_onnx() -> Iterator[Row]:
    """A model of ONNX: opened, recorded forwards and backwards, and its first picture laid out, against a session of
    onnxruntime on the same file, which is made ready and run once, forwards. That one is compiled and keeps no number;
    here each is kept, there and back: what is demanded is that it stays a small multiple, and never seconds."""
    import onnxruntime

    from visualizer import sight, views
    from visualizer.record.formats import onnx
    from visualizer.scene.picture import Look
    from visualizer.scene.state import Place
    from visualizer.scene.timeline import Moment

    torch.set_num_threads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        for what, model, x, repeat in (("LeNet-5", _lenet(), torch.rand(1, 1, 28, 28), 5),
                                       ("ResNet-20", ResNet20(), torch.rand(1, 3, 32, 32), 3)):
            path = Path(folder) / f"{what}.onnx"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(model.eval(), (x,), path, dynamo=False, verbose=False)

            def opened(path: Path = path) -> None:
                onnx.open_file(path)

            def recorded(path: Path = path) -> None:
                assert record(onnx.open_file(path)).has_backward

            def drawn(path: Path = path) -> None:
                trace = record(onnx.open_file(path))
                first = Moment(sight.times(trace, Place(view="network")).beats[0], 0.0, 0)
                assert views.picture(views.find("network"), trace, first, None, Look()).still

            def ran(path: Path = path, x: torch.Tensor = x) -> None:
                session = onnxruntime.InferenceSession(path, options)
                session.run(None, {session.get_inputs()[0].name: x.numpy()})

            yield Row(f"{what}: open", opened, ran, "onnxruntime, forwards", 10.0, repeat=repeat)
            yield Row(f"{what}: open and record", recorded, ran, "onnxruntime, forwards", 15.0, repeat=repeat)
            yield Row(f"{what}: open, record, first picture", drawn, ran, "onnxruntime, forwards", 20.0, repeat=repeat)
