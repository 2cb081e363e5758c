"""Pictures made of a few numbers: the point, its plane and its slopes against plain torch, and the view of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from torch import nn
from torch.distributions import Normal, kl_divergence

from visualizer import answers, draw, latent, over, paint
from visualizer.record import capture, pass_of, record, with_study
from visualizer.record.catalog import Opened, open_model
from visualizer.record.over import walked
from visualizer.said import listening
from visualizer.scene.passage import pace
from visualizer.scene.picture import Image, Rect, Text, ToInput, ToPoint
from visualizer.scene.state import State, changed
from visualizer.trace import Refused, Trace, forget
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store

DIGIT, POINT = "digit-2148", "point:0.21,-0.35"


@pytest.fixture(scope="module")
def plain() -> nn.Module:
    """The network without the project."""
    return open_model("digits_vae").module.double()


@pytest.fixture(scope="module")
def chosen() -> Trace:
    return with_study(pass_of("digits_vae", POINT), "points", "latent")


@pytest.fixture(scope="module")
def read() -> Trace:
    return with_study(pass_of("digits_vae", DIGIT), "points", "latent")


def _z(trace: Trace):
    return latent.of(trace, latent.answer_of(trace))


def _given(name: str = DIGIT) -> torch.Tensor:
    again = pass_of("digits_vae", name)
    return again.inputs[0].double()


# --- points ----------------------------------------------------------------------------------------------------------

def test_a_point_becomes_the_picture_that_the_decoder_makes_of_it(chosen, plain):
    wanted = plain.decode(torch.tensor([[0.21, -0.35]], dtype=torch.float64))[0].detach().numpy()
    np.testing.assert_allclose(chosen["sigmoid"].output, wanted, atol=1e-6)
    assert _z(chosen).is_input
    assert [layer.name for layer in latent.grown(chosen, chosen.answers[0])][1:3] == ["fc2", "relu4"]


def test_the_points_of_a_picture_stand_in_the_layer_that_its_card_names(read, plain):
    assert _z(read).name == "mean"
    np.testing.assert_allclose(_z(read).output, plain.encode(_given())[0][0].detach().numpy(), atol=1e-6)


def test_by_chance_it_is_the_mean_and_e_to_the_half_spread_times_noise_as_steps(plain):
    trace = record("digits_vae", DIGIT, edits=("point_drawn:3",))
    mean, spread = plain.encode(_given())
    noise = np.random.default_rng(3).standard_normal(2)
    np.testing.assert_allclose(_z(trace).output, (mean + (spread / 2).exp() * torch.from_numpy(noise))[0].detach(),
                               atol=1e-6)
    assert [layer.kind for layer in trace][trace.places["spread"] + 1:trace.places["fc2"]] == \
        ["div", "exp", "constant", "mul", "add"]
    assert trace.check().passed
    assert latent.words_of(latent.drawn(2, 7)) != latent.words_of(latent.drawn(2, 8))
    np.testing.assert_allclose(record("digits_vae", "point:seed=7").layers[0].output, latent.drawn(2, 7), rtol=1e-6)


@pytest.mark.parametrize(("word", "why"), [
    ("point:1,2,3", "made of 2 numbers here, and 3 were given"), ("point:one", "is no point"),
    ("point:seed=x", "is no number"), ("point:inf,0", "is no point")])
def test_what_is_no_point_is_refused_in_one_sentence(word, why):
    with pytest.raises(Refused, match=why):
        record("digits_vae", word)
    with pytest.raises(Refused, match="does not tell which part of it makes a picture of a point"):
        record("mlp_small", "point:1,2")


# --- what is sent back -----------------------------------------------------------------------------------------------

def test_how_far_a_region_is_is_the_divergence_of_torch_and_goes_back_as_it(plain):
    trace = record("digits_vae", DIGIT, objective="kl")
    mean, spread = (value.detach().requires_grad_() for value in plain.encode(_given()))
    apart = kl_divergence(Normal(mean, (spread / 2).exp()), Normal(0.0, 1.0)).sum()
    apart.backward()
    assert trace.objective.value == pytest.approx(apart.item(), rel=1e-5)
    assert dict(answers.score(trace, trace.answers[0]))["Kullback-Leibler divergence, nats"] == \
        pytest.approx(apart.item(), rel=1e-5)
    np.testing.assert_allclose(trace["mean"].gradient, mean.grad[0], rtol=1e-5)
    np.testing.assert_allclose(trace["spread"].gradient, spread.grad[0], rtol=1e-4)


def test_the_whole_of_what_it_learns_by_is_cross_entropy_and_divergence(plain):
    trace, x = record("digits_vae", DIGIT, objective="elbo"), _given()
    mean, spread = plain.encode(x)
    wanted = nn.functional.binary_cross_entropy(plain.decode(mean), x, reduction="sum") + \
        kl_divergence(Normal(mean, (spread / 2).exp()), Normal(0.0, 1.0)).sum()
    assert trace.objective.value == pytest.approx(wanted.item(), rel=1e-5)
    assert trace.check().passed


def test_the_loss_is_how_far_the_picture_is_from_the_one_it_was_shown(read, plain):
    x = _given()
    assert read.objective.value == pytest.approx(nn.functional.mse_loss(plain(x), x).item(), rel=1e-5)
    assert dict(answers.score(read, read.answers[0]))["mean squared difference"] == pytest.approx(read.objective.value)


def test_of_a_point_that_was_chosen_there_is_no_region():
    with pytest.raises(Refused, match="about the region of a picture"):
        record("digits_vae", POINT, objective="kl")


# --- other points ----------------------------------------------------------------------------------------------------

def test_the_plane_holds_what_the_decoder_makes_of_its_places(read, plain):
    found, ticks = read.studies["points"]["plane:0,1"], np.linspace(-3, 3, 13)
    for row, column in ((0, 0), (2, 9), (12, 12)):
        point = torch.tensor([[ticks[column], ticks[12 - row]]])
        np.testing.assert_allclose(found[row, column], plain.decode(point)[0].detach(), atol=1e-6)


def test_with_more_numbers_the_others_stay_as_they_are():
    trace = with_study(pass_of("digits_vae8", "point:seed=4"), "latent")
    point, found = latent.drawn(8, 4), trace.studies["latent"]["plane:2,5"]
    point[2], point[5] = -3, 1.5
    own = open_model("digits_vae8").module.double()
    np.testing.assert_allclose(found[2, 0], own.decode(torch.from_numpy(point)[None])[0].detach(), atol=1e-5)


def test_slopes_are_those_of_autograd_and_of_small_steps(chosen, plain):
    point = torch.tensor(chosen.layers[0].output, dtype=torch.float64)
    slopes, step = chosen.studies["latent"]["slopes"], 1e-5
    rows = torch.autograd.functional.jacobian(lambda z: plain.decode(z[None])[0], point)
    np.testing.assert_allclose(slopes, rows.moveaxis(-1, 0), atol=1e-9)
    for axis in (0, 1):
        far = step * torch.eye(2, dtype=torch.float64)[axis]
        both = (plain.decode((point + far)[None]) - plain.decode((point - far)[None])) / (2 * step)
        np.testing.assert_allclose(slopes[axis], both[0].detach(), atol=1e-6)
        np.testing.assert_allclose(chosen.studies["latent"]["moved"][axis],
                                   plain.decode((point + 1e4 * far)[None])[0].detach(), atol=1e-9)


def test_the_bundled_digits_stand_where_the_encoder_puts_them(chosen, read, plain):
    for trace in (chosen, read):
        found = trace.studies["points"]
        words = bytes(found["words"]).decode().split("\0")
        place = words.index(DIGIT)
        assert len(words) == len(found["places"]) == 400
        assert found["labels"][place] == 4
        np.testing.assert_allclose(found["places"][place], plain.encode(_given())[0][0].detach(), atol=1e-5)


def test_a_walk_goes_from_one_digit_to_the_other_or_around_the_middle(plain):
    opened = open_model("digits_vae")
    words = walked(over.parse("inputs:line=digit-3,digit-7"), opened).words
    ends = [plain.encode(_given(name))[0][0].detach().numpy() for name in ("digit-3", "digit-7")]
    points = np.array([[float(part) for part in word.removeprefix("point:").split(",")] for word in words])
    np.testing.assert_allclose(points[[0, -1]], ends, atol=1e-4)
    assert np.abs(np.diff(points, 2, axis=0)).max() < 2e-4, "even steps on a straight line"
    around = walked(over.parse("inputs:circle=2"), opened).words
    radii = [np.hypot(*map(float, word.removeprefix("point:").split(","))) for word in around]
    np.testing.assert_allclose(radii, 2, atol=1e-3)
    for words, why in (("inputs:line=digit-3", "two ends"), ("inputs:circle", "picture of a point")):
        with pytest.raises(Refused, match=why):
            walked(over.parse(words), opened if "line" in words else open_model("mlp_small"))


# --- one's own -------------------------------------------------------------------------------------------------------

class Own(nn.Module):
    """An autoencoder whose parts have other names."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        self.spread = nn.Linear(64, 3)
        self.decoder = nn.Sequential(nn.Linear(3, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, x):
        middle, _ = self.squeeze(x), self.spread(x.flatten(1))
        return self.decoder(middle)


def test_an_autoencoder_is_recognised_by_its_narrowest_layer_and_a_decoder_by_its_input():
    torch.manual_seed(0)
    own, x = Own().eval(), torch.rand(1, 1, 8, 8)
    trace = capture(own, x)
    assert latent.answer_of(trace) is not None
    assert _z(trace).name == "squeeze.1"
    made = capture(own.decoder, torch.tensor([[0.5, -1, 2]]))
    assert _z(made).is_input
    assert latent.answer_of(record("mlp_small", "")) is None
    flat = capture(nn.Conv2d(1, 1, 3, padding=1), x)
    assert latent.answer_of(flat) is None, "no point stands between"


def test_what_a_card_says_of_ones_own_is_enough_for_points_chance_and_walks():
    from visualizer.record.latent import by_chance, decoder_of

    torch.manual_seed(0)
    settings = {"kind": "picture", "latent": "squeeze", "spread": "spread", "decoder": "decoder"}
    opened = Opened("own", "Own", Own().eval(), {"answer": settings, "input": {"kind": "image", "shape": [1, 8, 8]}},
                    prepare=lambda raw: torch.from_numpy(np.asarray(raw)[:8, :8] / 255).float()[None, None])
    made = decoder_of(opened)
    assert made.card["input"] == {"kind": "point", "shape": [3]}
    trace = record(made, "point:0.5,-1,2")
    wanted = opened.module.decoder(torch.tensor([[0.5, -1, 2]]))
    np.testing.assert_allclose(trace.layers[-2].output, wanted[0].detach(), atol=1e-6)
    assert "decoder.0" in trace
    found = with_study(pass_of(opened, "digit-3"), "latent", "points").studies
    assert found["latent"]["plane:0,2"].shape == (9, 9, 1, 8, 8)
    assert len(found["points"]["places"]) == 400
    x = torch.rand(1, 1, 8, 8)
    before = opened.module(x)
    drawn = by_chance(opened.module, settings, 5, "Own")(x)
    mean, spread = opened.module.squeeze(x), opened.module.spread(x.flatten(1))
    noise = torch.from_numpy(latent.drawn(3, 5)).float()
    torch.testing.assert_close(drawn, opened.module.decoder[0:3](mean + (spread / 2).exp() * noise))
    assert not torch.equal(before, drawn)


# --- the view --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "sample", "edits", "moments"), [
    ("digits_vae", POINT, (), ("fc3.forward@0.5", "sigmoid.forward", "fc2.backward")),
    ("digits_vae", DIGIT, (), ("mean.forward@0.5", "sigmoid.forward", "mean.backward")),
    ("digits_vae", DIGIT, ("point_drawn:3",), ("sigmoid.forward",)),
    ("digits_vae", "point:8,-9", (), ("sigmoid.forward",)),
    ("digits_vae8", "point:seed=7", (), ("up1.forward", "sigmoid.forward"))])
def test_every_number_of_the_view_is_worked_out_again(name, sample, edits, moments):
    from tests import quantities_of_points
    from tests.test_sentences import texts_of, true, unclaimed, worked_out

    assert quantities_of_points.NEAR
    trace = with_study(pass_of(name, sample, edits=edits), "points", "latent")
    for moment in moments:
        forget(trace)
        with listening(placing=True) as heard:
            texts = texts_of(draw(trace, "generate", moment, ghost="0.4,1"), True)
        wrong = [claim for claim in heard if not true(trace, claim)]
        assert not wrong, (moment, [(claim, worked_out(trace, claim)) for claim in wrong[:3]])
        assert not (bare := unclaimed(trace, texts, heard)), (moment, bare[:3])


def test_the_sentence_says_what_was_made_and_what_changes_most(chosen, read, plain):
    change = chosen.studies["latent"]["moved"] - chosen["sigmoid"].output
    axis, _, row, column = np.unravel_index(np.abs(change).argmax(), change.shape)
    told = draw(chosen, "generate", "sigmoid.forward").caption
    assert told == ("The 2 numbers (0.21, −0.35) grow into 784 pixels. Moving z₂ by 0.1 changes the pixel in row "
                    f"{row}, column {column} by −{abs(change[axis, 0, row, column]):.3f}.")
    assert axis == 1
    told = draw(read, "generate", "sigmoid.forward").caption
    assert f"mean squared error {read.objective.value:.4f}, KL divergence" in told
    far = with_study(pass_of("digits_vae", "point:8,-9"), "points", "latent")
    apart = np.linalg.norm(far.studies["points"]["places"] - [8, -9], axis=1).min()
    assert f"no sample lies there: the nearest is {apart:.2f} away" in draw(far, "generate", "sigmoid.forward").caption
    assert "lies there" not in draw(chosen, "generate", "sigmoid.forward").caption


def test_nothing_is_there_before_its_time(read):
    """Columns and the ring in the plane come with their beats, on both ways."""
    def layers_drawn(at: str) -> set[str]:
        picture = draw(read, "generate", at)
        return {mark.focus.layer for mark in picture if isinstance(mark, Image) and mark.focus is not None}

    assert layers_drawn("conv2.forward") == {"input"}
    assert layers_drawn("fc3.forward@0.5") == {"input", "relu4", "fc3"}
    assert layers_drawn("sigmoid.forward") == {"input", "relu4", "unflatten", "relu6", "up2", "sigmoid"}
    ring = [mark for mark in draw(read, "generate", "spread.forward@0").moving if isinstance(mark, Rect)
            and mark.radius == 9]
    assert len(ring) == 1, "the point is known as soon as it is computed"
    assert not [mark for mark in draw(read, "generate", "fc1.forward").moving if isinstance(mark, Rect)
                and mark.radius == 9]
    assert not {"relu4", "fc2", "fc3"} & layers_drawn("up1.backward@0.5")
    assert {"sigmoid", "up2", "relu6"} <= layers_drawn("up1.backward@0.5")


def test_a_place_of_the_plane_is_the_point_that_stands_there_and_a_dot_a_sample(chosen):
    picture = draw(chosen, "generate", "sigmoid.forward")
    area = next(mark for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, ToPoint))
    ring = next(mark for mark in picture.moving if isinstance(mark, Rect) and mark.radius == 9)
    at = area.holds.at((ring.x + 9 - area.x) / area.width, (ring.y + 9 - area.y) / area.height)
    assert at == pytest.approx((0.21, -0.35), abs=1e-6)
    assert area.holds.at(-1, 2) == (area.holds.low, area.holds.low)
    dots = {mark.holds.word for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, ToInput)}
    assert len(dots) == 401
    assert {DIGIT, "point:seed=1"} <= dots


def test_without_its_studies_the_view_invents_nothing():
    bare = record("digits_vae", POINT)
    picture = draw(bare, "generate", "sigmoid.forward")
    assert picture.caption == "The 2 numbers (0.21, −0.35) grow into 784 pixels."
    assert any("are being made" in mark.plain for mark in picture if isinstance(mark, Text))


def test_other_axes_are_chosen_in_the_picture():
    trace = with_study(pass_of("digits_vae8", "point:seed=7"), "points", "latent")
    picture = draw(trace, "generate", "sigmoid.forward", across="6", up="3")
    area = next(mark for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, ToPoint))
    assert area.holds.axes == (5, 2)
    tile = next(mark for mark in picture.still if isinstance(mark, Image) and mark.focus is None)
    own = open_model("digits_vae8").module.double()
    point = latent.drawn(8, 7)
    point[5], point[2] = -3, 3  # at the left, and above
    wanted = own.decode(torch.from_numpy(point)[None])[0, 0].detach().numpy()
    np.testing.assert_allclose(tile.values[0, :28, :28] / 255, wanted, atol=0.003)


def test_a_drag_through_the_plane_moves_the_point_and_the_pointer_shows_what_lies_there(qtbot, chosen):
    paint.load_fonts()
    store = Store(changed(State(), model="digits_vae", sample=POINT, view="generate", at="sigmoid.forward"), chosen)
    stage = Stage(store)
    qtbot.addWidget(stage)
    stage.resize(1104, 796)
    with qtbot.waitExposed(stage):
        stage.show()
    stage.refresh()
    area = next(mark for mark in stage.picture.still if isinstance(mark, Rect) and isinstance(mark.holds, ToPoint))

    def spot(across: float, up: float) -> QPoint:
        low, high = area.holds.low, area.holds.high
        return QPoint(round(area.x + (across - low) / (high - low) * area.width),
                      round(area.y + (high - up) / (high - low) * area.height))

    hovered = QMouseEvent(QEvent.Type.MouseMove, QPointF(spot(1, -1)), stage.mapToGlobal(QPointF(spot(1, -1))),
                          Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(stage, hovered)
    assert store.state.look.knob("ghost", "") == "1.0,-1.0"
    assert store.state.sample == POINT
    QTest.mousePress(stage, Qt.MouseButton.LeftButton, pos=spot(1, -1))
    QTest.mouseMove(stage, spot(2, 0.5))
    QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, pos=spot(2, 0.5))
    went = [float(part) for part in store.state.sample.removeprefix("point:").split(",")]
    assert went == pytest.approx([2, 0.5], abs=0.02)
    store.undo()
    assert store.state.sample == POINT, "a drag is one step"
    assert not store.state.look.knob("ghost", "")


def test_on_a_walk_nothing_is_made_up_between_two_points():
    assert pace("point:1,2") == (0, Fraction(1, 10))
    assert pace("digit-3")[0] > 0
