"""The bundled models of the applications: what each was promised to reach, their data, and the first steps of their
recipes.

Figures over whole data sets need the data: the folder named by VISUALIZER_DATA, or `shared/data` beside the checkout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from tests.test_models import (
    APPLICATIONS,
    BEFORE,
    ROOT,
    SAMPLES,
    data_dir,  # noqa: F401 (a fixture)
    first_steps_are_the_same_twice,
    load_card,
    load_maker,
    load_module,
    load_recipe,
    load_trained,
    shipped,
    shipped_digits,
)
from visualizer import inputs

NEED = {"photos_cnn": "cifar10", "spelling_sounds": "cmudict", "spoken_digits": "fsdd", "spoken_strings": "fsdd",
        "sunspots_lstm": "timeseries", "elnino_lstm": "timeseries"}
"""Recipe: the folder of its data, for those that learn from something else than MNIST or from what they draw."""


@pytest.fixture(params=APPLICATIONS)
def application(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load_recipe(ROOT / "models" / f"{request.param}.py", monkeypatch)


@pytest.fixture
def little_data(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A data folder whose MNIST is the 400 shipped digits."""
    images, labels, _ = shipped_digits()
    (tmp_path / "mnist").mkdir()
    np.savez(tmp_path / "mnist" / "mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    return tmp_path


def photographs() -> list[np.ndarray]:
    """Those of which one may take on the style of another, (96, 96, 3) each."""
    with Image.open(ROOT / "assets" / "style" / "photographs.png") as sheet:
        return np.split(np.asarray(sheet), 4, axis=1)


def recipe_of(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load_recipe(ROOT / "models" / f"{name}.py", monkeypatch)


# ---- every one of them


def test_applications_keep_their_promise(application):
    """Parameters as counted by hand; the figure on the card lies where it was promised, and the file's words say it."""
    count, figure, least, most = APPLICATIONS[application.__name__]
    quality = json.loads(load_card(Path(application.__file__))["quality"])
    assert sum(weight.numel() for weight in application.build().parameters()) == count
    assert f"{count:,} parameters" in application.__doc__
    assert least <= quality[figure] <= most
    value = quality[figure]
    said = (f"{100 * value:.1f} %", f"{value:.3f}", f"{value:.4f}", f"{value:.2f}", f"{value:.1f}")
    assert any(words in application.__doc__ for words in said), said


@pytest.mark.matrix(spine=("numbers_german", "dot_video"), sample=3, each=False)
def test_their_quality_is_measured(application, data_dir):  # noqa: F811
    claimed = json.loads(load_card(Path(application.__file__))["quality"])
    measured = application.evaluate(load_trained(application), data_dir)
    assert measured == pytest.approx(claimed, rel=1e-3, abs=2e-3)


@pytest.mark.parametrize("name", [name for name in APPLICATIONS if name not in NEED])
def test_their_first_steps_are_the_same_twice(name, monkeypatch, little_data):
    first_steps_are_the_same_twice(recipe_of(name, monkeypatch), little_data, steps=2)


@pytest.mark.parametrize("name", sorted(NEED))
def test_first_steps_of_those_with_data_of_their_own(name, monkeypatch, data_dir):  # noqa: F811
    first_steps_are_the_same_twice(recipe_of(name, monkeypatch), data_dir, steps=2)


def test_before_training_they_know_nothing(application):
    """Far from what was promised, on the card of the weights that the recipe sets out from."""
    _, figure, least, most = APPLICATIONS[application.__name__]
    first = json.loads(load_card(Path(application.__file__), BEFORE)["quality"])[figure]
    assert first < 0.6 * least if most == 1 else first > 1.5 * most or not least <= first <= most


# ---- numbers


def test_numbers_in_words(monkeypatch):
    numbers = sys.modules["_numbers"] if recipe_of("numbers_german", monkeypatch) else None
    said = {0: "null", 1: "eins", 21: "ein und zwanzig", 97: "sieben und neunzig", 100: "ein hundert",
            101: "ein hundert eins", 1001: "ein tausend eins", 21_000: "ein und zwanzig tausend",
            101_000: "ein hundert ein tausend", 16_017: "sechzehn tausend siebzehn",
            999_999: "neun hundert neun und neunzig tausend neun hundert neun und neunzig"}
    assert {number: " ".join(numbers.german(number)) for number in said} == said
    assert " ".join(numbers.english(497_013)) == "four hundred ninety seven thousand thirteen"
    for number in range(0, 1_000_000, 997):
        assert numbers.value(numbers.english(number)) == number
    assert numbers.value(["ninety", "hundred"]) is None
    assert max(len(numbers.german(number)) for number in range(0, 1_000_000, 7)) < numbers.LONGEST


def test_numbers_are_those_of_the_library(monkeypatch):
    """All that the library says, save that it leaves the s of eins before tausend."""
    library = pytest.importorskip("num2words").num2words
    numbers = sys.modules["_numbers"] if recipe_of("numbers_german", monkeypatch) else None
    for number in range(0, 1_000_000, 997):
        assert numbers.english(number) == [
            word for word in library(number).replace(",", " ").replace("-", " ").split() if word != "and"]
        assert "".join(numbers.german(number)) == library(number, lang="de").replace("einstausend", "eintausend")


@pytest.mark.parametrize("name", ["numbers_german", "numbers_german_plain"])
def test_a_decoder_told_its_own_words_says_them_again(name, monkeypatch):
    """Step by step without being told, and in one pass told what it said, it gives the same logits."""
    recipe = recipe_of(name, monkeypatch)
    model = load_trained(recipe)
    for sample in shipped("sentences_numbers"):
        ids = recipe.prepare(sample["text"])
        with torch.inference_mode():
            free = model(ids)
            told = torch.cat([torch.full((1, 1), model.begin), free.argmax(2)[:, :-1]], 1)
            assert torch.allclose(model(ids, told), free, atol=1e-4)


def test_attention_crosses(monkeypatch):
    """At sieben the network looks at seven, at neunzig at ninety, though they stand the other way round."""
    recipe = recipe_of("numbers_german", monkeypatch)
    model, found = load_trained(recipe), []
    model.attention.register_forward_hook(lambda module, given, returned: found.append(returned[0, 0]))
    with torch.inference_mode():
        said = model(recipe.prepare("four hundred ninety seven"))[0].argmax(1).tolist()
    words = [recipe.LABELS[word] for word in said]
    assert words == ["vier", "hundert", "sieben", "und", "neunzig", "(end)"]
    looked = [int(share.argmax()) for share in found]
    assert (looked[2], looked[4]) == (3, 2)


def test_numbers_are_translated(monkeypatch):
    """All the shipped ones with attention, few of the long ones without."""
    right = {}
    for name in ("numbers_german", "numbers_german_plain"):
        recipe = recipe_of(name, monkeypatch)
        model = load_trained(recipe)
        with torch.inference_mode():
            said = [model(recipe.prepare(one["text"]))[0].argmax(1).tolist() for one in shipped("sentences_numbers")]
        wanted = [recipe.wanted(one["text"]) for one in shipped("sentences_numbers")]
        spoken = [[recipe.LABELS.index(word) for word in (*one["spoken"], "(end)")]
                  for one in shipped("sentences_numbers")]
        assert wanted == spoken
        right[name] = sum(one == other for one, other in zip(said, wanted, strict=True))
    assert right["numbers_german"] == len(shipped("sentences_numbers"))
    assert right["numbers_german_plain"] < 12


# ---- pictures


def test_boxes_lie_around_the_digits(monkeypatch):
    recipe = recipe_of("scene_detector", monkeypatch)
    images, labels, _ = shipped_digits()
    pictures, boxes = recipe.scenes(images, labels, 20, np.random.default_rng(0))
    for picture, own in zip(pictures, boxes, strict=True):
        inside = np.zeros_like(picture, dtype=bool)
        for left, top, right, bottom, _ in own:
            part = picture[top:bottom, left:right]
            assert 14 <= bottom - top <= 28
            assert part.any(1)[[0, -1]].all()
            inside[top:bottom, left:right] = True
        assert not picture[~inside].any()
    there, edges, digit = recipe.answered(boxes)
    assert there.sum() == len(edges) == len(digit) <= sum(map(len, boxes))
    one = boxes[0][0]
    alone, edges, _ = recipe.answered([[one]])
    row, column = np.argwhere(alone[0].numpy())[0]
    sure = np.zeros((15, 8, 8), np.float32)
    sure[0] = -9
    sure[:, row, column] = [9, *edges[0].tolist(), *np.eye(10)[one[4]]]
    (score, box, named), = recipe.found(sure)
    assert score > 0.99
    assert box == pytest.approx(one[:4])
    assert named == one[4]


def test_average_precision(monkeypatch):
    """Two of three found, the surest of the found ones wrong: 1/2 · 1/3 + 2/3 · 1/3, made better by the later one."""
    recipe = recipe_of("scene_detector", monkeypatch)
    boxes = [[(0, 0, 10, 10, 7), (20, 20, 30, 30, 7)], [(0, 0, 10, 10, 7)]]
    found = [[(0.9, (50.0, 50.0, 60.0, 60.0), 7), (0.8, (0.0, 0.0, 10.0, 10.0), 7)], [(0.7, (0.0, 0.0, 10.0, 9.0), 7)]]
    assert recipe.precision(found, boxes, 7) == pytest.approx(2 / 3 * 1 / 3 + 2 / 3 * 1 / 3)
    assert recipe.precision([[(0.9, (0.0, 0.0, 10.0, 10.0), 7)], []], [[(0, 0, 10, 10, 7)], []], 7) == 1


def test_receptive_fields_are_what_the_words_say(monkeypatch):
    """How many rows of the input change an answer, by gradient, at most: with positive weights, and means in place of
    the largest, so that nothing is passed over."""
    for name, wanted in (("scene_segments", 84), ("scene_segments_near", 16), ("scene_segments_dilated", 32)):
        recipe = recipe_of(name, monkeypatch)
        model = recipe.build().eval()
        for part in model.modules():
            if isinstance(part, torch.nn.Conv2d):
                torch.nn.init.constant_(part.weight, 1 / part.weight[0].numel())
            for child, one in part.named_children():
                if isinstance(one, torch.nn.MaxPool2d):
                    setattr(part, child, torch.nn.AvgPool2d(2))
        found = []
        for middle in range(56, 64):
            x = torch.ones(1, 1, 112, 112, requires_grad=True)
            model(x)[0, 0, middle, middle].backward()
            rows = np.flatnonzero(x.grad[0, 0].abs().sum(1).numpy())
            found.append(int(rows[-1] - rows[0] + 1))
        assert max(found) == wanted, name
        assert f"{wanted} × {wanted}" in recipe.__doc__


def test_a_caption_says_what_was_drawn(monkeypatch):
    recipe = recipe_of("digits_caption", monkeypatch)
    captions = sys.modules["_captions"]
    assert captions.caption([7, 8], [False, True], True) == ["a", "small", "seven", "above", "a", "large", "eight"]
    assert captions.caption([0, 1], [True, True], False) == ["a", "large", "zero", "left", "of", "a", "large", "one"]
    images, labels, _ = shipped_digits()
    pictures, said = recipe.draw(images, labels, 30, np.random.default_rng(0))
    for picture, words in zip(pictures, said, strict=True):
        spoken = [recipe.LABELS[word] for word in words]
        lines = picture.any(1) if "above" in spoken else picture.any(0)
        inked = np.flatnonzero(np.diff(np.concatenate([[0], lines.astype(int), [0]])))
        assert len(inked) >= 4, "an empty line lies between the two"
        if "above" in spoken:
            assert (inked[1] - inked[0] >= 19) == (spoken[1] == "large")


# ---- sounds


def test_a_tone_is_strong_in_its_band(monkeypatch):
    """The spectrogram against one by numpy: the power of each windowed stretch in the bands, by Fourier transform."""
    recipe = recipe_of("spoken_digits", monkeypatch)
    sounds = sys.modules["_sounds"]
    time = np.arange(8000) / 8000
    sound = 0.1 * np.sin(2 * np.pi * 1000 * time) + 0.01 * np.cos(2 * np.pi * 300 * time)
    seen = recipe.build().spectrogram(torch.tensor(sound, dtype=torch.float32)[None])[0].numpy()
    assert seen.shape == (40, 98)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(200) / 200)
    power = np.abs(np.fft.rfft(np.stack([sound[80 * k: 80 * k + 200] * window for k in range(98)]))) ** 2
    strong = np.log(sounds.bands().double().numpy() @ power.T + sounds.FAINT)
    assert seen == pytest.approx((strong - strong.mean()) / strong.std(), abs=2e-3)
    middles = sounds.hertz(np.linspace(sounds.mel(sounds.LOWEST), sounds.mel(sounds.HIGHEST), 42))[1:-1]
    assert abs(middles[seen[:, 50].argmax()] - 1000) < 60


def test_how_far_two_strings_are_apart(monkeypatch):
    apart = recipe_of("spoken_strings", monkeypatch).apart
    assert apart([], [1, 2]) == 2
    assert apart([1, 2, 3], [1, 3]) == 1
    assert apart(list("kitten"), list("sitting")) == 3


def test_silence_and_a_short_sound_are_heard(monkeypatch):
    for name, steps in (("spoken_digits", 25), ("spoken_strings", 1)):
        recipe = recipe_of(name, monkeypatch)
        for sound in (np.zeros(100), np.zeros(1)):
            with torch.inference_mode():
                logits = load_trained(recipe)(recipe.prepare(sound))
            assert torch.isfinite(logits).all()
            assert logits.shape[1] >= steps


# ---- series, films, style


def test_a_forecast_goes_on_from_its_own_values(monkeypatch):
    recipe = recipe_of("sunspots_lstm", monkeypatch)
    model = load_trained(recipe)
    x = recipe.prepare(np.array(shipped("series_sunspots")[0]["numbers"]))
    with torch.inference_mode():
        ahead, grown = model(x, 5), x
        for _ in range(5):
            grown = torch.cat([grown, model(grown)[:, -1:]], 1)
        assert torch.allclose(ahead[0, -6:-1], grown[0, -5:], atol=1e-3)


def test_films_show_a_dot_that_moves_their_way(monkeypatch):
    recipe_of("dot_video", monkeypatch)
    dots = sys.modules["_dots"]
    pixels, wanted = dots.films(200, 8, np.random.default_rng(0))
    place = np.stack([np.stack(np.divmod(film.reshape(8, -1).argmax(1), 16), 1) for film in pixels])
    moved = place[:, -1] - place[:, 0]
    turn = np.rint(np.arctan2(-moved[:, 0], moved[:, 1]) / (np.pi / 4)).astype(int) % 8
    assert (turn == wanted).mean() > 0.97
    assert np.array_equal(np.sort(dots.shuffled(pixels, np.random.default_rng(1)), 1), np.sort(pixels, 1))


def test_style_comes_near_the_wanted_gram_matrices(monkeypatch):
    """With the trained network and with the random one; each update is a picture, and the loss falls."""
    recipe = recipe_of("photos_cnn", monkeypatch)
    monkeypatch.syspath_prepend(str(ROOT / "models"))
    import _style

    content, style = (_style.shades(tile) for tile in photographs()[:2])
    for suffix in (".safetensors", BEFORE):
        made = list(_style.updates(load_trained(recipe, suffix), content, style))
        assert len(made) == 201
        assert torch.equal(made[0].pixels, content)
        assert made[0].content == 0
        assert 0 <= made[-1].pixels.min() <= made[-1].pixels.max() <= 1
        assert made[-1].style <= 0.05 < made[0].style


# ---- their samples


@pytest.mark.parametrize("name", ["videos_dots", "videos_dots_two", "pictures_captions", "pictures_scenes",
                                  "pictures_clutter"])
def test_tiles_are_those_their_script_makes(name, monkeypatch):
    maker = load_maker("videos_dots" if name.startswith("videos") else name, monkeypatch)
    tiles, samples = maker.choose(name) if name.startswith("videos") else maker.choose()
    assert samples == shipped(name)
    made = [inputs.raw(sample["name"]) for sample in samples]
    if name.startswith("videos"):
        made = [frames.swapaxes(0, 1).reshape(16, 128) for frames in made]
    assert all(np.array_equal(one, tile[:, :one.shape[1]]) for one, tile in zip(made, tiles, strict=True))


@pytest.mark.parametrize("name", ["pictures_photos", "names_spellings", "sounds"])
def test_samples_of_data_are_those_their_script_makes(name, data_dir, monkeypatch):  # noqa: F811
    maker = load_maker(name, monkeypatch)
    if name == "sounds":
        for kind, choose in (("sounds_digits", maker.digits), ("sounds_strings", maker.strings)):
            sounds, samples = choose(data_dir)
            assert samples == shipped(kind)
            for sound, sample in zip(sounds, samples, strict=True):
                assert (SAMPLES / sample["file"]).is_file()
                assert inputs.raw(sample["name"]) == pytest.approx(sound, abs=1 / 32768)
    elif name.startswith("pictures"):
        tiles, samples = maker.choose(data_dir)
        assert samples == shipped(name)
        assert all(np.array_equal(inputs.raw(one["name"]), tile) for one, tile in zip(samples, tiles, strict=True))
    else:
        assert maker.choose(data_dir) == shipped(name)


def test_photographs_are_those_their_script_makes(data_dir):  # noqa: F811
    made = load_module(ROOT / "assets" / "style" / "make_photographs.py").choose(data_dir)
    assert np.array_equal(made, photographs())


def test_series_are_those_their_script_makes(data_dir, monkeypatch):  # noqa: F811
    maker = load_maker("series", monkeypatch)
    for name in ("sunspots", "elnino"):
        assert getattr(maker, name)(data_dir) == shipped(f"series_{name}")


def test_numbers_are_those_their_script_makes(monkeypatch):
    assert load_maker("sentences_numbers", monkeypatch).choose() == shipped("sentences_numbers")
