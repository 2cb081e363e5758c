"""Class map: the places' shares against torch, where they are the score and where not; and the view."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_sentences import true
from visualizer import record, sight
from visualizer.kinds import places
from visualizer.said import listening
from visualizer.scene.picture import Choice, Image, Look, Rect
from visualizer.scene.state import Place
from visualizer.trace import Trace
from visualizer.views import find, picture

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def photos() -> Trace:
    return record.with_study(record.pass_of("photos_cnn"), places.STUDY)


def classifier(*behind: nn.Module) -> Trace:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), *behind).eval()
    x = torch.randn(1, 3, 12, 8)
    return record.study(record.capture(net, x, answer={"kind": "classes"}), net, x, places.STUDY,
                        answer={"kind": "classes"})


def test_the_places_and_the_bias_are_the_score_where_only_sums_follow(photos: Trace) -> None:
    """Against the weights of the last layer, laid over the maps by hand."""
    ends = places.ends(photos)
    assert (ends.maps.name, ends.scores.name, ends.linear) == ("pool5", "fc", True)
    weights, bias = (photos["fc"].weights[name].astype(np.float64) for name in ("weight", "bias"))
    slopes = photos.studies["places"]["slopes"]
    np.testing.assert_allclose(slopes, weights.reshape(10, 64, 4, 4), rtol=1e-6)
    for number in range(10):
        shares = places.products(ends.maps.output, slopes[number])
        assert shares.sum() + bias[number] == pytest.approx(float(photos["fc"].output[number]), abs=1e-5)


def test_of_an_average_over_all_places_it_is_the_map_of_zhou_and_grad_cam_the_same() -> None:
    trace = classifier(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))
    ends = places.ends(trace)
    assert ends.linear
    maps, weights = ends.maps.output.astype(np.float64), ends.scores.weights["weight"].astype(np.float64)
    for number, slopes in enumerate(trace.studies["places"]["slopes"]):
        zhou = np.einsum("k,krc->rc", weights[number], maps) / maps[0].size
        for averaged in (False, True):
            np.testing.assert_allclose(places.products(maps, slopes, averaged).sum(0), zhou, rtol=1e-5, atol=1e-7)
        assert zhou.sum() + ends.scores.weights["bias"][number] == pytest.approx(float(ends.scores.output[number]),
                                                                                 abs=1e-5)


def test_of_the_largest_place_only_that_one_gives_anything() -> None:
    trace = classifier(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(5, 3))
    ends = places.ends(trace)
    assert ends.linear
    shares = places.products(ends.maps.output, trace.studies["places"]["slopes"][1])
    assert (np.count_nonzero(shares.reshape(5, -1), axis=1) <= 1).all()
    assert shares.sum() + ends.scores.weights["bias"][1] == pytest.approx(float(ends.scores.output[1]), abs=1e-5)


def test_behind_two_layers_with_a_bend_the_slopes_are_those_of_torch_and_the_sentence_says_so() -> None:
    """Grad-CAM as its paper has it: the slopes averaged over the places, then the maps weighed."""
    trace = record.with_study(record.pass_of("lenet_mnist"), places.STUDY)
    ends = places.ends(trace)
    assert not ends.linear
    again = record.pass_of("lenet_mnist")
    net = again.model.double()
    kept = []
    layers = dict(net.named_children())
    hook = layers[ends.maps.name].register_forward_hook(lambda layer, read, made: kept.append(made) or made)
    scores = net(*(x.double() for x in again.inputs))
    hook.remove()
    for number in (0, 7):
        (slopes,) = torch.autograd.grad(scores[0, number], kept[0], retain_graph=True)
        np.testing.assert_allclose(trace.studies["places"]["slopes"][number], slopes[0], atol=1e-9)
        cam = (slopes[0].mean((1, 2), keepdim=True) * kept[0][0]).sum(0).detach().numpy()
        own = places.products(ends.maps.output, trace.studies["places"]["slopes"][number], True).sum(0)
        np.testing.assert_allclose(own, cam, atol=1e-5)
    assert "more than a sum" in picture(find("class_map"), trace, sight.times(trace, Place(view="class_map")).telling,
                                        None, Look()).caption


def test_what_gives_no_class_from_maps_has_none() -> None:
    shown = find("class_map")
    for name in ("mlp_mnist", "rows_lstm", "scene_detector", "surname_gru"):
        assert not shown.suits(record.record(name)), name


@pytest.mark.parametrize("knobs", [(), (("class", "5"), ("map", "averaged"), ("place", "0,1"))])
def test_every_number_of_it_is_true(photos: Trace, knobs: tuple[tuple[str, str], ...]) -> None:
    times, shown = sight.times(photos, Place(view="class_map")), find("class_map")
    with listening() as heard:
        drawn = picture(shown, photos, times.telling, None, Look(knobs=knobs))
    assert len(heard) > 60
    wrong = [claim for claim in heard if not true(photos, claim)]
    assert not wrong, wrong[:3]
    label = "dog" if knobs else "cat"
    row = next(row for row in drawn.table.rows if row[0] == label)
    assert f"{row[1]:+.2f}".replace("-", "−") in drawn.caption
    assert ("Grad-CAM" in drawn.caption) == bool(knobs)


def test_nothing_is_shown_before_the_answer_and_a_click_chooses(photos: Trace) -> None:
    times, shown = sight.times(photos, Place(view="class_map")), find("class_map")
    early = picture(shown, photos, times.find("conv3.forward"), None, Look())
    assert "as soon as the network has answered" in early.caption
    assert not any(isinstance(mark, Image) and mark.values.shape[1:] == (4, 4) for mark in early.moving)
    late = picture(shown, photos, times.telling, None, Look())
    held = {mark.holds for mark in late.moving if isinstance(mark, Rect)}
    assert {Choice("class", "5"), Choice("place", "3,0")} <= held
    back = picture(shown, photos, times.find("conv1.backward"), None, Look())
    (amber, other) = (mark for mark in back.moving if isinstance(mark, Image) and mark.palette == "gradient"
                      and mark.values.shape[1:] == (4, 4))
    np.testing.assert_array_equal(amber.values, other.values)
