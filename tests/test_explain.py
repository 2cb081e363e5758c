"""Attribution: each method against torch alone in float64, and against captum."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache

import captum.attr as captum
import numpy as np
import pytest
import torch
import torch.fx
from torch import Tensor, nn

from tests import quantities_of_explain  # noqa: F401  (its quantities are known once they are there)
from tests.test_sentences import texts_of, true, unclaimed
from visualizer import record
from visualizer.kinds import attribution, units
from visualizer.kinds.attribution import METHODS, Wish
from visualizer.record.studies import Pass, explain
from visualizer.said import listening
from visualizer.scene import fed
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Focus, Image, Look, Text
from visualizer.trace import Refused, Trace
from visualizer.views import find

torch.set_num_threads(1)


class Maps(nn.Module):
    """A small network of maps with a ReLU module for each place, as captum needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1, self.pool = nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        self.conv2, self.relu2 = nn.Conv2d(4, 5, 3, padding=1), nn.ReLU()
        self.fc1, self.relu3, self.fc2 = nn.Linear(5 * 4 * 3, 8), nn.ReLU(), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.relu2(self.conv2(self.pool(self.relu1(self.conv1(x)).clone())))
        return self.fc2(self.relu3(self.fc1(seen.flatten(1))))


@cache
def small() -> tuple[Maps, Tensor, Trace]:
    torch.manual_seed(5)
    net, x = Maps().eval(), torch.randn(1, 2, 8, 6)
    return net, x, record.capture(net, x, answer={"kind": "classes"})


USUAL = Wish(number=1, path=20, window=3)


def scored(wish: Wish = USUAL) -> tuple[explain.Scored, Maps, Tensor]:
    """(the function that is explained, the same network in float64, its input)."""
    net, x, trace = small()
    ends = attribution.ends(trace)
    twin = Maps()
    twin.load_state_dict(net.state_dict())
    return explain.Scored(Pass(trace, net, (x,)), net, ends, wish), twin.double().eval(), x.double()


def maps(net: explain.Scored) -> dict[str, np.ndarray]:
    return {name: values for _, name, values in explain._maps(net)}


def test_each_method_is_what_its_formula_says() -> None:
    """With torch alone: a gradient by hand, a path by hand, a window after the other."""
    net, twin, x = scored()
    found = maps(net)
    assert set(found) == set(METHODS)

    def slopes(at: Tensor, model: nn.Module = twin) -> Tensor:
        at = at.clone().requires_grad_()
        return torch.autograd.grad(model(at)[0, 1], at)[0]

    here = slopes(x)[0]
    close(found["gradient"], here.square().sum(0).sqrt())
    close(found["times_input"], (here * x[0]).sum(0))
    path = sum(slopes(x * (step + 0.5) / 20)[0] for step in range(20)) / 20 * x[0]
    close(found["integrated"], path.sum(0))
    noisy = explain.noisy(x)
    assert noisy.shape == (explain.NOISES, 2, 8, 6)
    assert float((noisy - x).std()) == pytest.approx(0.1 * float(x.max() - x.min()), rel=0.05)
    mean = torch.stack([slopes(each[None])[0] for each in noisy]).mean(0)
    close(found["smooth"], mean.square().sum(0).sqrt())
    kept: list[Tensor] = []
    hook = twin.conv2.register_forward_hook(lambda module, read, made: kept.append(made))
    score = twin(x)[0, 1]
    hook.remove()
    (weights,) = torch.autograd.grad(score, kept[0])
    cam = (weights.mean((2, 3))[0][:, None, None] * kept[-1][0]).sum(0).clamp(min=0)
    close(found["grad_cam"], cam.repeat_interleave(2, 0).repeat_interleave(2, 1))
    with torch.no_grad():
        whole, lost = twin(x)[0, 1], torch.zeros(8, 6)
        for row in range(8):
            for column in range(6):
                gone = x.clone()
                gone[0, :, row, column] = 0
                lost[row, column] = whole - twin(gone)[0, 1]
        close(found["left_out"], lost)
        drops, covered = torch.zeros(8, 6).double(), torch.zeros(8, 6)
        for row in range(6):
            for column in range(4):
                gone = x.clone()
                gone[0, :, row:row + 3, column:column + 3] = 0
                drops[row:row + 3, column:column + 3] += whole - twin(gone)[0, 1]
                covered[row:row + 3, column:column + 3] += 1
        close(found["occlusion"], drops / covered)


def close(one: np.ndarray, other: Tensor | np.ndarray) -> None:
    np.testing.assert_allclose(one, np.asarray(other.detach() if isinstance(other, Tensor) else other), rtol=1e-6,
                               atol=1e-6)


def test_integrated_gradients_and_deeplift_add_up_to_the_score_and_gradient_times_input_does_not() -> None:
    net, twin, x = scored(Wish(number=2, path=256))
    with torch.no_grad():
        apart = float(twin(x)[0, 2] - twin(torch.zeros_like(x))[0, 2])
    found = maps(net)
    assert found["deeplift"].sum() == pytest.approx(apart, abs=1e-9)
    assert found["integrated"].sum() == pytest.approx(apart, abs=5e-3)
    assert found["times_input"].sum() != pytest.approx(apart, abs=5e-3)


# --- captum -----------------------------------------------------------------------------------------------------------

quiet = pytest.mark.filterwarnings("ignore::UserWarning:captum")
"""captum says of each of its hooks that there is one.

Its DeepLIFT loses the rule of a pool that reads a ReLU's output itself: both hang on one tensor, the ReLU's hook runs
first and sees the plain slopes. With a copy between them, as here, its map adds up."""


@quiet
@pytest.mark.parametrize("baseline", ["nothing", "mean", "blur"])
def test_it_is_what_captum_finds(baseline: str) -> None:
    net, twin, x = scored(Wish(number=1, baseline=baseline, path=20, window=3))
    assert set(of_captum(net, twin, x, twin.conv2)) == set(METHODS)


class Lines(nn.Module):
    """Not ours: convolutions along one axis, a bend that is no ReLU, a mean over all steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.bend, self.pool = nn.Conv1d(3, 6, 5, padding=2, stride=2), nn.Tanh(), nn.AvgPool1d(2)
        self.second, self.relu, self.out = nn.Conv1d(6, 4, 3, padding=1), nn.ReLU(), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.relu(self.second(self.pool(self.bend(self.first(x))))).mean(2))


class Dense(nn.Module):
    """Not ours: no convolution, dropout and a normalisation, sigmoids."""

    def __init__(self) -> None:
        super().__init__()
        self.flat, self.first, self.norm, self.bend = nn.Flatten(), nn.Linear(35, 9), nn.BatchNorm1d(9), nn.Sigmoid()
        self.drop, self.out = nn.Dropout(0.4), nn.Linear(9, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.drop(self.bend(self.norm(self.first(self.flat(x))))))


class Reading(nn.Module):
    """Not ours: a GRU over rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.out = nn.GRU(5, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[0][:, -1])


RECURRENT = {"gradient", "times_input", "integrated", "smooth", "occlusion", "left_out"}
"""What has a meaning without convolutions, ReLUs, and bends that are torch's own functions."""


@quiet
@pytest.mark.parametrize(("kind", "shape", "last", "has"), [
    (Lines, (1, 3, 24), "second", set(METHODS)), (Dense, (1, 1, 5, 7), "", RECURRENT | {"deeplift"}),
    (Reading, (1, 9, 5), "", RECURRENT)])
def test_it_is_what_captum_finds_on_networks_that_are_not_ours(kind: type[nn.Module], shape: tuple[int, ...],
                                                              last: str, has: set[str]) -> None:
    torch.manual_seed(3)
    net, x = kind().eval(), torch.randn(shape)
    trace = record.capture(net, x, answer={"kind": "classes"})
    ends, twin = attribution.ends(trace), copy.deepcopy(net).double()
    own = explain.Scored(Pass(trace, net, (x,)), net, ends, Wish(number=2, path=16, window=2))
    assert set(of_captum(own, twin, x.double(), getattr(twin, last) if last else None)) == has


@quiet
@pytest.mark.parametrize(("name", "last", "relus"), [("digits_cnn", "conv2", 3), ("mlp_mnist", "", 2),
                                                     ("rows_lstm", "", 0)])
def test_it_is_what_captum_finds_on_bundled_networks(name: str, last: str, relus: int) -> None:
    """captum hooks modules: what a network calls as a function is a module in a twin that has its weights."""
    again = record.pass_of(name, "digit-2148")
    own = explain.Scored(again, again.model, attribution.ends(again.trace), Wish(path=8, window=7))
    twin = with_modules(again.model)
    assert sum(isinstance(part, nn.ReLU) for part in twin.modules()) == relus
    found = of_captum(own, twin, own.read, getattr(twin, last) if last else None)
    assert RECURRENT <= set(found)
    assert ("deeplift" in found, "guided" in found) == (bool(relus), bool(relus))


def with_modules(model: nn.Module) -> nn.Module:
    """A twin in float64 in which each ReLU is a module of its own, called once, and its output is copied."""
    try:
        graph = torch.fx.symbolic_trace(copy.deepcopy(model).double().eval())
    except (torch.fx.proxy.TraceError, TypeError, NotImplementedError):
        return copy.deepcopy(model).double().eval()
    count = 0
    for node in [*graph.graph.nodes]:
        bare = node.op in ("call_function", "call_method") and "relu" in str(getattr(node.target, "__name__",
                                                                                      node.target))
        of_module = node.op == "call_module" and isinstance(graph.get_submodule(node.target), nn.ReLU)
        if not (bare or of_module):
            continue
        graph.add_submodule(f"own_relu{count}", nn.ReLU())
        with graph.graph.inserting_after(node):
            made = graph.graph.call_module(f"own_relu{count}", (node.args[0],))
        with graph.graph.inserting_after(made):
            copied = graph.graph.call_method("clone", (made,))
        node.replace_all_uses_with(copied)
        graph.graph.erase_node(node)
        count += 1
    graph.delete_all_unused_submodules()
    graph.recompile()
    return graph.eval()


def of_captum(net: explain.Scored, twin: nn.Module, x: Tensor, last: nn.Module | None) -> dict[str, np.ndarray]:
    """The maps of a network, each compared with what captum makes of its twin."""
    found, blank, number, axes = maps(net), net.baseline, net.number, net._features
    summed: Callable[[Tensor], Tensor] = lambda values: values.sum(axes)[0] if axes else values[0]  # noqa: E731
    many = bool(axes) and int(np.prod([x.shape[axis] for axis in axes])) > 1
    sized: Callable[[Tensor], Tensor] = lambda values: values.square().sum(axes).sqrt()[0] if many else (  # noqa: E731
        summed(values))
    saliency, fed = captum.Saliency(twin), lambda: x.clone().requires_grad_()
    expected = {
        "gradient": sized(saliency.attribute(fed(), target=number, abs=False)),
        "times_input": summed(captum.InputXGradient(twin).attribute(fed(), target=number)),
        "integrated": summed(captum.IntegratedGradients(twin).attribute(
            fed(), blank, target=number, n_steps=net.wish.path, method="riemann_middle")),
        "smooth": sized(saliency.attribute(explain.noisy(x).requires_grad_(), target=number, abs=False).mean(
            0, keepdim=True))}
    places = net.ends.places
    each = torch.arange(int(np.prod(places))).reshape([1, *(size if axis in net.ends.axes else 1 for axis, size in
                                                            enumerate(net.ends.read.shape))])
    if len(each.flatten()) <= attribution.MOST_OUT:
        expected["left_out"] = captum.FeatureAblation(twin).attribute(x, blank, target=number, feature_mask=each)
    hidden = net.hidden
    window = tuple(min(hidden.size, size) if axis in net.ends.axes else size
                   for axis, size in enumerate(net.ends.read.shape))
    steps = tuple(hidden.apart if axis in net.ends.axes else size for axis, size in enumerate(net.ends.read.shape))
    if hidden.apart == 1:
        expected["occlusion"] = captum.Occlusion(twin).attribute(x, window, steps, baselines=blank, target=number)
    for name in ("left_out", "occlusion"):
        if name in expected:  # each number of a place has the share of the whole place
            expected[name] = expected[name].movedim([axis + 1 for axis in net.ends.axes],
                                                    [*range(-len(places), 0)]).reshape(-1, *places)[0]
    if last is not None:
        cam = captum.LayerGradCam(twin, last).attribute(fed(), target=number, relu_attributions=True)
        expected["grad_cam"] = captum.LayerAttribution.interpolate(cam, places)[0, 0]
    if "guided" in found:
        expected["guided"] = sized(captum.GuidedBackprop(twin).attribute(fed(), target=number))
    if "deeplift" in found:
        expected["deeplift"] = summed(captum.DeepLift(twin).attribute(fed(), blank, target=number))
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert float(np.abs(found[name] - values.detach().numpy()).max()) <= 1e-5, name
    return expected


def test_guided_backpropagation_hands_back_only_what_is_above_zero() -> None:
    """Against the rule written down layer by layer, from the back."""
    net, twin, x = scored()
    with torch.no_grad():
        first = twin.conv1(x)
        second = twin.conv2(twin.pool(first.clamp(min=0)))
        third = twin.fc1(second.clamp(min=0).flatten(1))
    back = twin.fc2.weight[1][None].clamp(min=0) * (third > 0)
    back = (back @ twin.fc1.weight).reshape(second.shape).clamp(min=0) * (second > 0)
    seen = first.clamp(min=0).requires_grad_()
    back = torch.autograd.grad(twin.conv2(twin.pool(seen)), seen, back)[0].clamp(min=0) * (first > 0)
    at = x.clone().requires_grad_()
    back = torch.autograd.grad(twin.conv1(at), at, back)[0]
    close(maps(net)["guided"], back[0].square().sum(0).sqrt())


def test_what_is_in_place_or_a_bare_function_is_guided_and_rescaled_alike() -> None:
    """The traps of captum: it hooks modules alone."""
    net = scored()[0]

    class Bare(Maps):
        def forward(self, x: Tensor) -> Tensor:
            seen = torch.relu(self.conv2(self.pool(nn.functional.relu(self.conv1(x), inplace=True))))
            return self.fc2(self.fc1(seen.flatten(1)).relu_())

    bare = Bare().eval()
    bare.load_state_dict(small()[0].state_dict())
    trace = record.capture(bare, small()[1], answer={"kind": "classes"})
    again = Pass(trace, bare, (small()[1],))
    other = maps(explain.Scored(again, bare, attribution.ends(trace), net.wish))
    for name, values in maps(net).items():
        np.testing.assert_allclose(other[name], values, rtol=1e-9, atol=1e-9, err_msg=name)


def test_symbols_are_explained_through_their_vectors_and_left_out_by_hand() -> None:
    again = record.pass_of("surname_gru")
    found = record.with_study(again, "explain").studies["explain"]
    model, words = again.model.double(), again.inputs[0]
    number = int(found["class"])
    vectors = model.embedding(words).detach()

    def scores(read: Tensor) -> Tensor:
        hook = model.embedding.register_forward_hook(lambda module, given, made: read)
        try:
            return model(words)[0]
        finally:
            hook.remove()

    at = vectors.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(scores(at)[number], at)
    np.testing.assert_allclose(found["maps/gradient"], slopes[0].norm(dim=1), rtol=1e-6)
    np.testing.assert_allclose(found["maps/times_input"], (slopes * vectors)[0].sum(1), rtol=1e-6, atol=1e-9)
    with torch.no_grad():
        for step in range(words.shape[1]):
            gone = vectors.clone()
            gone[0, step] = 0
            lost = float(scores(vectors)[number] - scores(gone)[number])
            assert found["maps/left_out"][step] == pytest.approx(lost, abs=1e-6)
    model.float()
    assert "maps/grad_cam" not in found
    assert "maps/guided" not in found
    assert "maps/deeplift" not in found


def test_erasing_reads_the_answer_again_and_chance_orders_are_the_mean_of_fifty() -> None:
    again = record.pass_of("lenet_mnist", "digit-2148")
    found = record.with_study(again, "explain:-1,0,logit,nothing,8,7").studies["explain:-1,0,logit,nothing,8,7"]
    model, x = again.model.double(), again.inputs[0].double()
    number, ink = int(found["class"]), found["ink"]
    assert ink.sum() == np.count_nonzero(again.given.raw)
    blank = again.opened.prepare(np.zeros_like(again.given.raw)).double()
    order = np.flatnonzero(ink)[np.argsort(-found["maps/left_out"].ravel()[np.flatnonzero(ink)], kind="stable")]
    with torch.no_grad():
        for row, count in enumerate(found["counts"]):
            gone, alone = x.clone().flatten(), blank.clone().flatten()
            gone[order[:count]], alone[order[:count]] = blank.flatten()[order[:count]], x.flatten()[order[:count]]
            for key, values in (("deleted", gone), ("inserted", alone)):
                chance = float(model(values.reshape(x.shape)).softmax(-1)[0, number])
                assert found[f"{key}/left_out"][row] == pytest.approx(chance, abs=1e-5)
        orders = explain.by_chance(ink)
        assert orders.shape == (50, ink.sum())
        assert len({tuple(each) for each in orders.tolist()}) == 50
        chances = []
        for each in orders:
            gone = x.clone().flatten()
            gone[each[:10]] = blank.flatten()[each[:10]]
            chances.append(float(model(gone.reshape(x.shape)).softmax(-1)[0, number]))
    model.float()
    assert found["deleted/random"][list(found["counts"]).index(10)] == pytest.approx(np.mean(chances), abs=1e-5)
    assert found["deleted/left_out"][2] < found["deleted/random"][2]


def test_the_control_leaves_the_network_as_it_was_and_shows_that_a_map_partly_draws_the_digit() -> None:
    """The numbers of the article: 0.99 over all pixels, about nothing inside the ink."""
    again = record.pass_of("digits_cnn", "digit-2148")
    before = {name: values.clone() for name, values in again.model.state_dict().items()}
    found = record.with_study(again, "explain").studies["explain"]
    for name, values in again.model.state_dict().items():
        assert torch.equal(values, before[name]), name
    for name in ("times_input", "integrated"):
        trained, drawn = found[f"maps/{name}"], found[f"control/{name}"]
        assert attribution.likeness_everywhere(trained, drawn) > 0.98
        assert abs(attribution.likeness(trained, drawn, found["ink"])) < 0.1
    assert found["path_sums"][-1] == pytest.approx(found["maps/integrated"].sum())
    assert found["path_scores"][[0, -1]] == pytest.approx([float(found["blank"]), float(found["score"])])


def test_a_contrast_is_the_difference_of_two_scores_and_a_probability_is_one() -> None:
    net, twin, x = scored(Wish(number=1, contrast=True))
    with torch.no_grad():
        scores = twin(x)[0]
    against = int(scores.masked_fill(torch.arange(3) == 1, -torch.inf).argmax())
    assert (net.number, net.against) == (1, against)
    assert float(net.scores(net.read)) == pytest.approx(float(scores[1] - scores[against]))
    chance, _, _ = scored(Wish(number=1, score="probability"))
    assert float(chance.scores(chance.read)) == pytest.approx(float(scores.softmax(0)[1]))
    assert explain.deeplift(chance) is None


@pytest.mark.parametrize("words", ["4", "a,0,logit,nothing,64,5", "4,0,odds,nothing,64,5", "4,0,logit,nothing,0,5"])
def test_a_wish_that_cannot_be_read_says_how_one_is_written(words: str) -> None:
    with pytest.raises(Refused, match="class,contrast,score"):
        attribution.wish(words)


def test_a_wish_is_read_as_it_is_written() -> None:
    wished = Wish(3, True, "probability", "blur", 128, 7)
    assert attribution.wish(wished.words) == wished
    assert Wish().words == ""
    assert attribution.wish("") == Wish()


# --- the view ---------------------------------------------------------------------------------------------------------

@cache
def measured(name: str) -> Trace:
    return record.with_study(record.pass_of(name), "explain")


@pytest.mark.parametrize(("name", "knobs", "at"), [
    ("lenet_mnist", (), ""), ("lenet_mnist", (("method", "occlusion"),), "input.walk[20]"),
    ("lenet_mnist", (("method", "integrated"), ("curve", "insert")), "input.walk[32]"),
    ("surname_gru", (("method", "gradient"),), ""), ("adding_lstm", (), "input.walk")])
def test_every_number_of_the_view_is_true(name: str, knobs: tuple[tuple[str, str], ...], at: str) -> None:
    trace, view = measured(name), find("explain")
    look = Look(knobs=knobs)
    times = view.beats(trace, look)
    moment = times.find(at or view.telling(trace, times))
    place = Focus(attribution.ends(trace).read.name, (0, 9, 14) if name == "lenet_mnist" else (2,))
    with listening(placing=True) as heard:
        page = view.page(trace, moment, place, look)
        texts = texts_of(view.draw(trace, moment, place, look), True)
        texts += [mark.plain for mark in page if isinstance(mark, Text)]
    assert len(heard) > 50
    wrong = [claim for claim in set(heard) if not true(trace, claim)]
    assert not wrong, wrong[:3]
    assert not unclaimed(trace, texts, heard)


def test_a_method_whose_control_is_too_like_it_fails_by_name() -> None:
    trace, view = measured("surname_gru"), find("explain")
    shown = view.draw(trace, view.beats(trace, Look()).find("input.walk[64]"), None, Look())
    study = trace.studies["explain"]
    failing = sum(attribution.likeness(study[f"maps/{name}"], study[f"control/{name}"], study["ink"]) > 0.5
                  for name in ("gradient", "times_input", "integrated", "occlusion", "left_out"))
    words = [mark.plain for mark in shown if isinstance(mark, Text)]
    assert words.count("fails the control") == failing > 0


def test_a_narrow_window_and_a_room_show_three_methods_and_a_digit_chooses_the_class() -> None:
    trace, view = measured("lenet_mnist"), find("explain")
    for look, count in ((Look(), 5), (Look(size=(790, 640)), 3), (Look(size=(960, 540), projector=True), 3)):
        shown = view.draw(trace, view.beats(trace, look).find("input.walk[64]"), None, look)
        names = {"Gradient", "Gradient × input", "Integrated", "Grad-CAM", "Occlusion", "Left out", "SmoothGrad"}
        heads = {mark.plain for mark in shown if isinstance(mark, Text) and mark.weight == 600} & names
        tiles = [mark for mark in shown if isinstance(mark, Image) and mark.palette == "activation"]
        assert len(tiles) == 2 * count
        assert len(heads) >= count
    assert view.digit(trace, 7) == ("class", "7")
    assert view.measured(Look(knobs=(("class", "7"), ("contrast", "on")))) == ("explain:7,1,logit,nothing,64,5",)
    assert view.digit(measured("adding_lstm"), 1) is None


def test_the_sound_stands_over_its_spectrogram_on_the_axis_of_the_steps() -> None:
    trace = record.pass_of("spoken_digits").trace
    found = units.stretches(trace)
    assert found is not None
    (first, last), count = found
    steps = trace["spectrogram.conv1d"].shape[-1]
    assert (first, last) == (199 / 2, 199 / 2 + (steps - 1) * 80)  # windows of 200 samples, 80 apart
    click = np.zeros(count)
    click[round(first + 30 * (last - first) / (steps - 1))] = 1.0
    half = (last - first) / (steps - 1) / 2
    lines = [mark for mark in fed.wave(click, (first - half, last + half - 1), Box(100, 0, 100 + 4 * steps, 20))
             if abs(mark.points[1][1] - mark.points[0][1]) > 5]
    assert len(lines) == 1
    assert lines[0].points[0][0] == pytest.approx(100 + 30.5 * 4, abs=1)
