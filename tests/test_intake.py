"""What a model of one's own reads: proposed from its sizes, told by a person or a file beside it, and prepared just so.

Pixels are held against numbers by hand and against Pillow; what comes out against plain torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visualizer import beside, inputs
from visualizer.manifest import Input, Manifest
from visualizer.record import intake, record
from visualizer.record.intake import Declared
from visualizer.record.run import given_of, prepared
from visualizer.trace import Refused


def net(*sizes: int, dtype: torch.dtype = torch.float32, free: tuple[int, ...] = (), told: Manifest | None = None,
        path: Path = Path("net.x"), module: nn.Module | None = None) -> Any:
    """A model that reads such an input."""
    return intake.opened(path, "Net", module or Mean(), [Declared("input", sizes, free, dtype)], told or Manifest())


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.double().mean().float(), x.double().sum().float()])[None]


@pytest.fixture
def photo(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A picture of 40 × 60 with a colour of its own at each place."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    return tmp_path / "cat.png", pixels


def fed(opened: Any, word: Any) -> np.ndarray:
    return np.asarray(prepared(opened, given_of(opened, str(word)).raw))


# --- which kind -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("sizes", "dtype", "kind"), [
    ((1, 3, 224, 224), torch.float32, "photo"), ((1, 3, 17, 40), torch.float32, "photo"),
    ((1, 64, 64, 3), torch.float32, "photo"), ((1, 1, 64, 64), torch.float32, "photo"),
    ((1, 64, 64, 3), torch.uint8, "photo"), ((1, 1, 28, 28), torch.float32, "image"),
    ((1, 16000), torch.float32, "audio"), ((1, 1, 16000), torch.float32, "audio"), ((16000,), torch.float32, "audio"),
    ((1, 16000, 1), torch.float32, "audio"),
    ((1, 40), torch.int64, "tensor"), ((1, 30, 13), torch.float32, "tensor"), ((1, 7, 64, 64), torch.float32, "tensor"),
    ((1, 3, 4, 4), torch.float32, "tensor"), ((1, 3, 64, 64), torch.complex64, "tensor")])
def test_the_kind_follows_from_the_sizes(sizes: tuple[int, ...], dtype: torch.dtype, kind: str) -> None:
    opened = net(*sizes, dtype=dtype)
    assert opened.card["input"]["kind"] == kind
    assert fed(opened, "").shape == sizes  # and there is something to begin with
    assert opened.told.kind == {"photo": "image"}.get(kind, kind)


def test_what_nobody_says_is_asked_and_what_somebody_says_is_not() -> None:
    assert set(net(1, 3, 32, 32).asked) == {"scale", "colours", "fit", "mean", "labels"}
    told = Manifest(scale="0 … 1", colours="RGB", fit="crop", mean=(0.5,), labels=("a", "b"))
    assert net(1, 3, 32, 32, told=told).asked == ()
    assert set(net(1, 1, 64, 64).asked) == {"scale", "fit", "mean", "labels"}
    assert net(1, 16000).asked == ("rate", "labels")
    assert net(1, 40, dtype=torch.int64).asked == ("alphabet", "labels")


# --- pictures -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("told", "want"), [
    (Manifest(), lambda p: p / 255), (Manifest(scale="0 … 255"), lambda p: p),
    (Manifest(scale="−1 … 1"), lambda p: p / 127.5 - 1), (Manifest(colours="BGR"), lambda p: p[..., ::-1] / 255),
    (Manifest(mean=(0.5,), divisor=(0.25,)), lambda p: (p / 255 - 0.5) / 0.25),
    (Manifest(mean=beside.PRESETS["imagenet"][0], divisor=beside.PRESETS["imagenet"][1]),
     lambda p: (p / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
    (Manifest(colours="BGR", scale="0 … 255", mean=(103.939, 116.779, 123.68)),  # as Caffe did it, blue first
     lambda p: p[..., ::-1] - [103.939, 116.779, 123.68])])
@pytest.mark.parametrize("last", [False, True])
def test_pixels_are_scaled_ordered_and_normalised(told: Manifest, want: Any, last: bool, photo: Any) -> None:
    path, pixels = photo
    opened = net(*((1, 40, 60, 3) if last else (1, 3, 40, 60)), told=told)
    wanted = want(pixels.astype(np.float64))
    np.testing.assert_allclose(fed(opened, path)[0], wanted if last else wanted.transpose(2, 0, 1), atol=2e-5)


def test_a_model_of_bytes_is_given_bytes(photo: Any) -> None:
    path, pixels = photo
    found = fed(net(1, 40, 60, 3, dtype=torch.uint8), path)
    assert found.dtype == np.uint8
    assert np.array_equal(found[0], pixels)


@pytest.mark.parametrize("how", ["bilinear", "bicubic", "nearest"])
def test_pictures_of_another_shape_are_cut_squeezed_or_padded_as_pillow_does(how: str, photo: Any) -> None:
    path, pixels = photo
    way = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
           "nearest": Image.Resampling.NEAREST}[how]
    image = Image.fromarray(pixels)

    def made(fit: str, crop: float = 0.0) -> np.ndarray:
        return fed(net(1, 3, 20, 20, told=Manifest(fit=fit, resample=how, crop=crop, scale="0 … 255")),
                   path)[0].transpose(1, 2, 0)

    assert np.array_equal(made("squeeze"), np.asarray(image.resize((20, 20), way)))
    assert np.array_equal(made("crop"), np.asarray(image.resize((30, 20), way))[:, 5:25])
    assert np.array_equal(made("crop", 0.8), np.asarray(image.resize((38, 25), way))[2:22, 9:29])
    padded = made("pad")
    assert np.array_equal(padded[4:17], np.asarray(image.resize((20, 13), way)))
    assert not padded[:4].any()
    assert not padded[17:].any()


def test_grey_is_made_of_colours_and_colours_of_grey(photo: Any) -> None:
    path, pixels = photo
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    assert np.array_equal(fed(net(1, 1, 40, 60, told=Manifest(scale="0 … 255")), path)[0, 0], grey)
    three = fed(net(1, 3, 28, 28, told=Manifest(scale="0 … 255")), "digit-2148")[0]
    assert all(np.array_equal(channel, inputs.raw("digit-2148")) for channel in three)


def test_arrays_are_taken_as_the_model_takes_them_and_bytes_as_pixels(tmp_path: Path) -> None:
    opened = net(1, 3, 9, 9, told=Manifest(mean=(0.5,)))
    np.save(tmp_path / "x.npy", np.full((3, 9, 9), 7, np.float32))
    assert set(fed(opened, tmp_path / "x.npy").ravel()) == {7.0}
    np.save(tmp_path / "y.npy", np.full((3, 9, 9), 51, np.uint8))
    np.testing.assert_allclose(fed(opened, tmp_path / "y.npy"), 0.2 - 0.5, atol=1e-6)


def test_a_row_of_784_numbers_is_a_digit_where_a_person_says_so() -> None:
    opened = net(1, 784, told=Manifest(kind="image"))
    np.testing.assert_allclose(fed(opened, "digit-3")[0], inputs.raw("digit-3").ravel() / np.float32(255))
    with pytest.raises(Refused, match="reads 100 numbers of float32, and a picture is none"):
        net(1, 100, told=Manifest(kind="image"))


def test_what_comes_out_is_what_torch_gives_for_what_the_manifest_says(photo: Any) -> None:
    path, pixels = photo
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    told = Manifest(mean=(0.1, 0.2, 0.3), divisor=(0.5, 0.6, 0.7), labels=("a", "b", "c"))
    trace = record(net(1, 3, 40, 60, told=told, module=model), str(path))
    x = (torch.tensor(pixels).permute(2, 0, 1)[None] / 255 - torch.tensor(told.mean)[:, None, None]) / \
        torch.tensor(told.divisor)[:, None, None]
    with torch.no_grad():
        wanted = model(x).softmax(1)[0]
    assert trace.labels == ("a", "b", "c")
    np.testing.assert_allclose(trace.answer.output, wanted, atol=1e-6)
    assert trace.check().passed


# --- texts and sounds -----------------------------------------------------------------------------------------------

def test_a_text_becomes_the_numbers_of_its_symbols() -> None:
    told = Manifest(alphabet=tuple("\nabc "))
    opened = net(1, 8, dtype=torch.int64, free=(1,), told=told)
    assert opened.card["input"]["kind"] == "text"
    assert fed(opened, "text:cab a").tolist() == [[3, 1, 2, 4, 1]]
    with pytest.raises(Refused, match="does not know 'x'"):
        fed(opened, "text:abx")
    columns = net(1, 8, 5, free=(1,), told=told)
    assert np.array_equal(fed(columns, "text:cab")[0], np.eye(5)[[3, 1, 2]])
    eight = net(1, 8, dtype=torch.int64, told=told)
    assert fed(eight, "").shape == (1, 8)
    with pytest.raises(Refused, match="reads 8 symbols at once, and these are 2"):
        fed(eight, "text:ab")
    words = net(1, 8, dtype=torch.int64, free=(1,), told=Manifest(alphabet=("<pad>", "good", "film")))
    assert fed(words, "text:good film").tolist() == [[1, 2]]


def test_a_sound_is_cut_or_followed_by_silence() -> None:
    short, long = fed(net(1, 1, 4_000), ""), fed(net(1, 20_000), "")
    whole = inputs.raw("rising-tone")
    np.testing.assert_allclose(short[0, 0], whole[:4_000], atol=1e-7)
    np.testing.assert_allclose(long[0], np.pad(whole, (0, 4_000)), atol=1e-7)


# --- labels and files beside ----------------------------------------------------------------------------------------

def test_labels_come_from_a_person_or_a_file_beside_and_are_as_many_as_the_classes(tmp_path: Path) -> None:
    path = tmp_path / "animals.x"
    assert net(1, 3, 32, 32, path=path).labels == ()
    (tmp_path / "labels.txt").write_text("one\ntwo\nthree\n")
    assert net(1, 3, 32, 32, path=path).labels == ()  # three for two numbers
    (tmp_path / "animals.txt").write_text("cat\ndog\n")
    opened = net(1, 3, 32, 32, path=path)
    assert (opened.labels, opened.beside[0], "labels" in opened.asked) == (("cat", "dog"), "animals.txt", False)
    assert net(1, 3, 32, 32, path=path, told=Manifest(labels=("x", "y"))).labels == ("x", "y")
    with pytest.raises(Refused, match="gives 2 numbers, and 3 labels were told"):
        net(1, 3, 32, 32, path=path, told=Manifest(labels=("x", "y", "z")))


@pytest.mark.parametrize(("name", "words", "want"), [
    ("a.txt", "\ufeffcat\r\ndog \n", ("cat", "dog")), ("a.json", '["cat", "dog"]', ("cat", "dog")),
    ("a.json", '{"1": "dog", "0": "cat"}', ("cat", "dog")), ("a.json", '{"cat": 0, "dog": 1}', ("cat", "dog")),
    ("a.json", '{"0": ["n01", "cat"], "1": ["n02", "dog"]}', ("cat", "dog")),
    ("config.json", '{"id2label": {"0": "cat", "1": "dog"}, "model": 3}', ("cat", "dog"))])
def test_lists_of_labels_in_any_of_their_forms(name: str, words: str, want: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / name).write_text(words, "utf-8")
    assert beside.labels_in(tmp_path / name) == want


@pytest.mark.parametrize("words", ["", "[1, 2]", '{"0": "a", "2": "b"}', "[" * 9999, '["\\u001b[2J"]', '"x"', "{", "3"])
def test_lists_that_nobody_can_mean_are_refused_in_one_sentence(words: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(words)
    with pytest.raises(Refused, match=r"^a\.json holds no labels that can be read \(.*\); write one a line\.$"):
        beside.labels_in(tmp_path / "a.json")


TIMM = {"architecture": "x", "num_classes": 2, "pretrained_cfg": {
    "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.1], "input_size": [3, 32, 32], "crop_pct": 0.875,
    "interpolation": "bicubic"}}
HUGGING = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3,
           "image_std": [0.5] * 3, "size": {"height": 32, "width": 32}, "resample": 3}


@pytest.mark.parametrize(("name", "plain", "want"), [
    ("config.json", TIMM, Input(shape=(3, 32, 32), scale="0 … 1", fit="crop", crop=0.875, resample="bicubic",
                                mean=(0.5, 0.4, 0.3), divisor=(0.2, 0.2, 0.1))),
    ("preprocessor_config.json", HUGGING, Input(shape=(3, 32, 32), scale="0 … 1", fit="squeeze", resample="bicubic",
                                                mean=(0.5,) * 3, divisor=(0.5,) * 3)),
    ("preprocessor_config.json", {"feature_size": 1, "sampling_rate": 8_000}, Input(rate=8_000))])
def test_a_file_beside_says_how_inputs_were_made_ready(name: str, plain: Any, want: Input, tmp_path: Path) -> None:
    (tmp_path / name).write_text(json.dumps(plain))
    assert beside.prepared_as(tmp_path / "net.x") == (want, name)
    if want.mean:
        opened = net(1, 3, 32, 32, path=tmp_path / "net.x")
        assert (opened.told.mean, opened.told.fit, opened.beside[1]) == (want.mean, want.fit, name)
        assert "mean" not in opened.asked


@pytest.mark.parametrize("words", ["[]", "{", '{"mean": "x", "std": 1}', '{"mean": [1e999], "std": [1]}',
                                   '{"mean": [0.5], "std": [0]}', '{"pretrained_cfg": 5}', "[" * 9999,
                                   '{"image_mean": {"$": 1}, "image_std": [1]}', '{"sampling_rate": -5}',
                                   '{"mean": [0.5], "std": [1], "input_size": [3, -1, 1e9]}'])
def test_a_hostile_file_beside_is_as_if_it_was_not_there(words: str, tmp_path: Path) -> None:
    for name in beside.CONFIGS:
        (tmp_path / name).write_text(words)
    assert beside.prepared_as(tmp_path / "net.x") == (Input(), "")
    assert net(1, 3, 32, 32, path=tmp_path / "net.x").told.mean == ()


# --- sizes that nobody says -----------------------------------------------------------------------------------------

LENET = nn.Sequential(nn.Conv2d(1, 4, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 12 * 12, 10)).eval()
ODD = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 46 * 46, 2)).eval()


@pytest.mark.parametrize(("module", "shape"), [
    (LENET, (1, 28, 28)), (ODD, (3, 48, 48)), (nn.Sequential(nn.Linear(12, 4)), (12,)),
    (nn.Sequential(nn.Linear(784, 4)), (784,)), (nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2)), (16,)),
    (nn.Sequential(nn.Conv1d(1, 2, 9, 4), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(2, 3)), (1, 16_000))],
    ids=["lenet", "odd", "dense", "784", "tokens", "sound"])
def test_a_size_that_it_runs_on_is_found_and_asked(module: nn.Module, shape: tuple[int, ...]) -> None:
    opened = intake.opened(Path("net.x"), "Net", module, None, Manifest())
    assert opened.told.shape == shape
    assert "shape" in opened.asked
    assert record(opened).layers[0].output.size == np.prod(shape)


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 1, 28, 28)])
def test_a_shape_is_told_with_or_without_the_batch(shape: tuple[int, ...]) -> None:
    opened = intake.opened(Path("net.x"), "Net", LENET, None, Manifest(shape=shape))
    assert (opened.told.shape, "shape" in opened.asked) == ((1, 28, 28), False)
    with pytest.raises(Refused, match=r"cannot be run on the shape 1 × 30 × 30 \(.*\); say another with --shape"):
        intake.opened(Path("net.x"), "Net", LENET, None, Manifest(shape=(1, 30, 30)))
    with pytest.raises(Refused, match="reads 1 × 1 × 28 × 28 numbers, with the batch in front, and it was told"):
        net(1, 1, 28, 28, told=Manifest(shape=(1, 30, 30)))
