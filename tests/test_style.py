"""Style: what a run measures against plain torch in float64, finite differences and the recipe; and its view."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_sentences import true
from visualizer import record, sight
from visualizer.kinds import texture
from visualizer.kinds.texture import Wish, wish
from visualizer.record.studies import style as study
from visualizer.said import listening
from visualizer.scene import subject
from visualizer.scene.picture import Choice, Look, Rect
from visualizer.scene.state import Place
from visualizer.trace import Refused, Trace
from visualizer.ui.store import with_newest
from visualizer.views import find, picture
from visualizer.views import restyle as view

ROOT = Path(__file__).parent.parent
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def updates(request: pytest.FixtureRequest) -> int:
    """So many are made; with --all as many as a person sees."""
    return texture.UPDATES if request.config.getoption("--all") else 20


@pytest.fixture(scope="module", autouse=True)
def short(updates: int):
    with pytest.MonkeyPatch.context() as patch:
        for module in (study, view):
            patch.setattr(module, "UPDATES", updates)
        yield


@pytest.fixture(scope="module")
def styled(short) -> Trace:
    return record.with_study(record.pass_of("photos_cnn"), texture.STUDY)


def network() -> nn.Module:
    return record.pass_of("photos_cnn").model.double().eval()


def parts_of(net: nn.Module, pixels: torch.Tensor, content: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """Loss, content, style, roughness and each Gram matrix, as the papers say them: with loops and the module's own
    layers, in float64."""
    about = record.pass_of("photos_cnn").trace.facts["input"]
    mean, deviation = (torch.tensor(about[name], dtype=torch.float64)[:, None, None] for name in ("mean", "deviation"))

    def seen(picture: torch.Tensor) -> list[torch.Tensor]:
        x, found = ((picture - mean) / deviation)[None], []
        for name, layer in net.named_children():
            x = layer(x) if len(found) < 4 else x
            if name.startswith("relu"):
                found.append(x[0])
        return found[:4]

    def gram(maps: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.stack([(one * other).mean() for other in maps]) for one in maps])

    def apart(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return ((one - other) ** 2).sum().sqrt() / (other ** 2).sum().sqrt()

    now, wanted, first = seen(pixels), seen(style), seen(content)
    off = [apart(gram(one), gram(other)) for one, other in zip(now, wanted, strict=True)]
    moved = apart(now[-1], first[-1])
    rough = ((pixels[:, 1:] - pixels[:, :-1]) ** 2).mean() + ((pixels[:, :, 1:] - pixels[:, :, :-1]) ** 2).mean()
    return torch.stack([sum(off) / 4 + 0.2 * moved, moved, sum(off) / 4, rough, *off])


def test_losses_and_the_gradient_of_the_pixels_are_those_of_torch_in_float64(styled: Trace) -> None:
    held, net = styled.studies["style"], network()
    content, style = (torch.tensor(np.asarray(array, np.float64)) for array in (held["pixels"][0], held["style"]))
    for update in (1, 7):
        pixels = torch.tensor(held["pixels"][update].astype(np.float64), requires_grad=True)
        found = parts_of(net, pixels, content, style)
        np.testing.assert_allclose(held["parts"][update], found.detach(), rtol=2e-5)
        (back,) = torch.autograd.grad(found[0], pixels)
        np.testing.assert_allclose(held["gradient"][update], back.square().sum(0).sqrt(), rtol=2e-2, atol=2e-6)
        assert held["norms"][update] == pytest.approx(float(back.norm()), rel=1e-3)
    way = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        more, less = (float(parts_of(net, pixels + by * way, content, style)[0]) for by in (1e-8, -1e-8))
    assert (more - less) / 2e-8 == pytest.approx(float((back * way).sum()), rel=1e-3)


def test_the_maps_that_are_opened_are_those_of_the_module_and_their_product_is_the_number(styled: Trace) -> None:
    held, net = styled.studies["style"], network()
    factor, addend = held["scaled"][:, :, None, None]
    found = texture.maps(styled, held["pixels"][3] * factor + addend)
    x = torch.tensor((held["pixels"][3] * factor + addend).astype(np.float64))[None]
    for name, layer in net.named_children():
        x = layer(x)
        if name in found:
            np.testing.assert_allclose(found[name], x[0].detach(), atol=2e-5)
            one, other = found[name][:2]
            assert float(np.mean(one * other)) == pytest.approx(float(held[f"gram/{name}"][3, 0, 1]), rel=1e-3)
        if len(found) and name == list(found)[-1]:
            break


def test_strides_groups_dilation_and_padding_are_those_of_torch() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, (3, 5), stride=(2, 1), padding=(1, 2), bias=False), nn.BatchNorm2d(6), nn.ReLU(),
        nn.MaxPool2d(3, 2, 1), nn.Conv2d(6, 4, 3, dilation=2, groups=2), nn.ReLU(), nn.Flatten()).eval()
    net[1].running_mean.uniform_(), net[1].running_var.uniform_(0.5, 2)
    x = torch.randn(1, 3, 20, 20)
    trace = record.capture(net, x)
    assert [layer.kind for layer in texture.trunk(trace)] == ["conv2d", "batch_norm", "relu", "max_pool2d", "conv2d",
                                                              "relu"]
    larger = torch.randn(1, 3, 31, 27)
    found = list(texture.maps(trace, larger[0].numpy()).values())
    with torch.no_grad():
        np.testing.assert_allclose(found[0], net[:3](larger)[0], atol=1e-5)
        np.testing.assert_allclose(found[1], net[:6](larger)[0], atol=1e-5)


def test_it_is_the_recipe_of_the_lesson_and_twice_the_same_bytes(styled: Trace, updates: int, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "models"))
    import _style
    held = styled.studies["style"]
    sheet = study._digits.colours(ROOT / "assets" / "style" / "photographs.png", True)
    content, style = (_style.shades(np.asarray(sheet[:, 96 * place:96 * (place + 1)])) for place in (0, 1))
    made = list(_style.updates(record.pass_of("photos_cnn").model, content, style, updates))
    for update in (0, 1, 5):  # later what float32 rounds has grown
        np.testing.assert_allclose(held["pixels"][update], made[update].pixels[0], atol=2e-3)
        assert held["parts"][update, view.STYLE] == pytest.approx(made[update].style, rel=1e-3)
    monkeypatch.delitem(sys.modules, "_style")
    if updates < texture.UPDATES:
        again = record.with_study(record.pass_of("photos_cnn"), texture.STUDY).studies["style"]
        assert all(again[key].tobytes() == array.tobytes() for key, array in held.items())


def test_the_texture_is_reached_with_the_trained_network_and_with_the_random_one(styled: Trace, updates: int) -> None:
    untrained = record.with_study(record.pass_of("photos_cnn", edits=("untrained",)), texture.STUDY)
    for trace in (styled, untrained):
        measured = trace.studies["style"]["parts"]
        assert measured[0, view.CONTENT] == 0
        assert measured[0, view.STYLE] > 0.3
        assert measured[-1, view.STYLE] <= (0.05 if updates == texture.UPDATES else 0.3)


def test_weights_and_pictures_are_asked_for_in_words() -> None:
    shown = find("restyle")
    look = Look(knobs=(("keep", "1"), ("style", "rocket"), ("layer", "2"), ("fold", "1")))
    assert shown.measured(Look()) == ("style",)
    assert shown.measured(look) == ("style:chelsea,rocket,1,1,0",)
    assert wish("chelsea,rocket,1,1,0") == Wish("chelsea", "rocket", 1.0)
    assert wish("") == Wish()
    other = record.with_study(record.pass_of("photos_cnn", "photo-5"), "style:input,rocket,1,1,5")
    held = other.studies["style:input,rocket,1,1,5"]
    small = record.pass_of("photos_cnn", "photo-5").given.raw
    np.testing.assert_allclose(held["pixels"][0][:, 1::3, 1::3], small.transpose(2, 0, 1) / 255, atol=0.02)
    values = held["parts"][3]
    assert values[0] == pytest.approx(values[2] + values[1] + 5 * values[3], rel=1e-5)


def test_of_many_runs_the_last_two_are_kept_and_the_one_before_stands_faint(styled: Trace) -> None:
    held = {"flow": {}}
    for name in ("style", "style:a", "style:b", "style:a"):
        held = with_newest(held, name, {"run": np.array(len(held))})
    assert list(held) == ["flow", "style:b", "style:a"]
    other = replace(styled, studies={**styled.studies, "style:chelsea,coffee,1,1,0": styled.studies["style"]})
    at, shown = sight.times(styled, Place(view="restyle")).find("input.update[5]"), find("restyle")
    faint = [[mark for mark in picture(shown, trace, at, None, Look()).moving if getattr(mark, "opacity", 1) == 0.3]
             for trace in (styled, other)]
    assert [len(marks) for marks in faint] == [0, 2]


def test_what_cannot_be_is_one_sentence() -> None:
    again = record.pass_of("photos_cnn")
    for wrong, words in ((replace(again, given=None), "How this model reads colours is not known"),
                         (replace(again, words="cat,coffee,1,1,0"), "There is no picture 'cat'"),
                         (replace(again, given=replace(again.given, raw=again.given.raw[::-1])), "cannot be told")):
        with pytest.raises(Refused, match=words):
            list(study.run(wrong))
    assert not find("restyle").suits(record.record("digits_cnn"))


def test_every_number_of_the_view_and_of_its_page_is_true(styled: Trace) -> None:
    shown = find("restyle")
    for at, knobs in (("input.update", ()), ("input.update[7]", (("layer", "3"), ("pair", "2,30"))),
                      ("input.update[20]", (("layer", "4"),))):
        moment, look = sight.times(styled, Place(view="restyle")).find(at), Look(knobs=knobs)
        with listening() as heard:
            drawn = picture(shown, styled, moment, None, look)
            assert shown.page(styled, moment, None, look) is not None
        assert len(heard) > 12
        wrong = [claim for claim in heard if not true(styled, claim)]
        assert not wrong, wrong[:3]
        assert drawn.table.rows[moment.index][0] == moment.index


def test_nothing_is_shown_before_its_update_has_come(styled: Trace, updates: int) -> None:
    """Its time is that of the updates: each a beat, and half of one is the one before."""
    times = sight.times(styled, Place(view="restyle"))
    assert [beat.address for beat in times.beats[:2]] == ["input.update", "input.update[1]"]
    assert len(times.beats) == updates + 1
    shown = find("restyle")
    bare = replace(styled, studies={})
    for at, behind in (("input.update", 0), ("input.update[5]", 5), ("input.update[5]@0.5", 4)):
        moment = times.find(at)
        drawn = picture(shown, styled, moment, None, Look())
        assert drawn.table.rows[behind][0] == behind
        assert view.updates_at(moment) == behind
        assert ("After" in drawn.caption) == (behind > 0)
        assert "being computed" in picture(shown, bare, moment, None, Look()).caption
        assert subject.subject(styled, moment, None).layer == "input"
    hatched = [[mark for mark in picture(shown, styled, times.find(at), None, Look()).moving
                if isinstance(mark, Rect) and mark.fill == "hatch"]
               for at in ("input.update", f"input.update[{updates}]")]
    assert len(hatched[0]) == 1 + updates // view.FRAMES
    assert not hatched[1]


def test_a_click_on_a_number_of_a_matrix_opens_it(styled: Trace) -> None:
    times, shown = sight.times(styled, Place(view="restyle")), find("restyle")
    drawn = picture(shown, styled, times.find("input.update[5]"), None, Look())
    cell = next(mark for mark in drawn.still if isinstance(mark, Rect) and mark.holds == Choice("pair", "3,9"))
    found, _ = drawn.mark_at(cell.x + 1, cell.y + 1)
    assert found.holds == Choice("pair", "3,9")
    opened = picture(shown, styled, times.find("input.update[5]"), None, Look(knobs=(("pair", "3,9"),)))
    assert any("(3, 9): two maps" in mark.plain for mark in opened.moving if hasattr(mark, "plain"))
