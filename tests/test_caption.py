"""A caption: where is looked at each word, what the words are worth on other pictures and without a place of this one,
and its view, against the network itself run by hand in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests import quantities_of_words  # noqa: F401  (its quantities are known once it is there)
from tests.test_sentences import page_of, texts_of, true, unclaimed
from visualizer import draw
from visualizer.kinds.gaze import gaze
from visualizer.record import capture, pass_of, study, with_study
from visualizer.said import listening
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Image, Rect, Text
from visualizer.scene.state import State
from visualizer.scene.timeline import timeline
from visualizer.sight import times
from visualizer.trace import forget
from visualizer.views import find

PICTURE = "caption-2"
VIEW = find("caption")


@pytest.fixture(scope="module")
def again():
    return pass_of("digits_caption", PICTURE, objective="loss@2")


@pytest.fixture(scope="module")
def caption(again):
    return with_study(again, "control")


def by_hand(model, image, told, blind=None):
    """(words, symbols) logits, (words, places) shares and (words, 64) contexts; where `blind` names a place, as if the
    last maps were 0 there."""
    shares, contexts = [], []
    handle = model.attention.register_forward_hook(lambda module, given, out: shares.append(out.flatten()))
    seen = model.look(image)
    if blind is not None:
        seen = seen.clone()
        seen[:, blind] = model.place[blind]
    zero = torch.zeros(1, len(image), 96)
    state, logits = (zero, zero), []
    for word in told:
        out, state = model.say(torch.tensor([[word]]), seen, state)
        logits.append(out[0, 0])
        contexts.append(shares[-1] @ seen[0])
    handle.remove()
    return torch.stack(logits), torch.stack(shares), torch.stack(contexts)


def test_attention_contexts_and_chances_are_those_of_the_network(again, caption) -> None:
    seen = gaze(caption)
    with torch.no_grad():
        logits, shares, contexts = by_hand(again.model, again.inputs[0], [17, *seen.best[:-1]])
        own = again.model(again.inputs[0])[0]
    np.testing.assert_allclose(seen.shares, shares.numpy(), atol=1e-6)
    np.testing.assert_allclose(seen.shares.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(np.stack([caption[word.mixes].output.ravel() for word in seen.words]), contexts.numpy(),
                               atol=1e-5)
    np.testing.assert_allclose(seen.chances, logits.double().softmax(1).numpy(), atol=1e-5)
    np.testing.assert_allclose(logits.numpy(), own.numpy(), atol=1e-4)
    assert seen.grid == (6, 6)
    assert [seen.text(index) for index in seen.best] == ["a", "small", "seven", "left", "of", "a", "large", "one",
                                                           "(end)"]


def test_the_same_words_on_another_picture_and_without_a_place(again, caption) -> None:
    seen, found = gaze(caption), caption.studies["control"]
    told = [17, *seen.best[:-1]]
    for other, name in ((0, "caption-1"), (4, "caption-6")):
        image = pass_of("digits_caption", name).inputs[0]
        with torch.no_grad():
            logits = by_hand(again.model, image, told)[0].double().log_softmax(1)
            own = again.model(image)[0].argmax(1).tolist()
        forced = logits[range(len(told)), seen.best].numpy()
        np.testing.assert_allclose(np.log(found["chances"][other]), forced, atol=1e-3)
        assert [symbol for symbol in found["own"][other].tolist() if symbol >= 0] == own
        np.testing.assert_allclose(found["pictures"][other], image[0, 0].numpy(), atol=1e-6)
    for place in (0, 12, 22):
        with torch.no_grad():
            logits = by_hand(again.model, again.inputs[0], told, place)[0].double().softmax(1)
        np.testing.assert_allclose(found["without"][place], logits[range(len(told)), seen.best].numpy(), atol=1e-5)


def test_what_word_3_costs_comes_back_to_words_places_and_pixels(again, caption) -> None:
    """Against autograd, and against the difference that a changed pixel makes in float64."""
    seen, model = gaze(caption), again.model
    told, wanted = [17, *seen.best[:-1]], torch.tensor([seen.best[2]])
    image = again.inputs[0].clone().requires_grad_()
    logits, _, _ = by_hand(model, image, told)
    loss = nn.functional.cross_entropy(logits[2:3], wanted)
    (pixels,) = torch.autograd.grad(loss, image)
    np.testing.assert_allclose(caption.layers[0].gradient, pixels[0].numpy(), atol=1e-6)
    for number, word in enumerate(seen.words):
        came = caption[word.mixes].gradient
        assert (came is not None and bool(np.any(came))) == (number <= 2)
    strongest = np.unravel_index(np.abs(pixels[0, 0].numpy()).argmax(), (48, 48))
    exact, moved = model.double(), []
    try:
        for by in (1e-5, -1e-5):
            x = again.inputs[0].double()
            x[(0, 0, *strongest)] += by
            with torch.no_grad():
                out = exact(x, torch.tensor([told]))[0, 2]
            moved.append(float(-out.log_softmax(0)[seen.best[2]]))
    finally:
        model.float()
    assert pixels[(0, 0, *strongest)] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-2)


@pytest.mark.parametrize(("at", "focus"), [
    ("conv2.forward@0.5", None), ("attention#3.forward", None), ("fc#3.forward", None),
    ("fc#5.forward", Focus("relu4", (0, 3, 4))), ("softmax.forward", None), ("attention#3.backward", None),
    ("input.backward", None)])
def test_every_number_that_is_read_is_true(caption, at, focus) -> None:
    forget(caption)
    with listening(placing=True) as heard:
        texts = texts_of(draw(caption, "caption", at, focus=focus), True) + page_of(caption, "caption", at)
    wrong = [claim for claim in heard if not true(caption, claim)]
    assert not wrong, wrong[:3]
    bare = unclaimed(caption, texts, heard)
    assert not bare, bare[:3]


def test_what_is_not_computed_yet_is_not_there(caption) -> None:
    seen = gaze(caption)
    for at, words, looks in (("conv3.forward", 0, 0), ("attention#3.forward@0.5", 2, 3), ("fc#3.forward@0.5", 2, 3),
                             ("fc#3.forward", 3, 3)):
        picture = draw(caption, "caption", at)
        chips = [mark for mark in picture if isinstance(mark, Text) and mark.weight == 600 and mark.anchor == "middle"
                 and mark.plain in {seen.text(index) for index in seen.best}]
        heat = {mark.focus.layer for mark in picture if isinstance(mark, Image) and mark.focus is not None}
        assert len(chips) == words, at
        assert len(heat & {word.looks for word in seen.words}) == looks, at
        hatched = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch"]
        assert len(hatched) >= 4 * (9 - looks)


def test_a_place_is_pointed_at_and_its_field_is_drawn(caption) -> None:
    seen = gaze(caption)
    picture = draw(caption, "caption", "fc#3.forward")
    large = max((mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus("attention#3")),
                key=lambda mark: mark.cell[0])
    hit = picture.hit(large.x + 0.5 * large.cell[0], large.y + 3.5 * large.cell[1])
    assert seen.place_of(hit.layer, hit.cell) == 18
    lost = caption.studies["control"]["without"][18, 2]
    told = draw(caption, "caption", "fc#3.forward", focus=Focus("relu4", (0, 3, 0))).caption
    assert "nothing seen at row 4, column 1" in told
    assert f"it gets {100 * lost:.1f} %" in told


def test_a_step_goes_on_to_the_next_beat_of_which_something_is_seen(caption) -> None:
    place = does.changed(State(), view="caption", at="attention#3.forward")
    paced = times(caption, place.places[0])
    walked = []
    for _ in range(4):
        place = does.step(place, paced, 1)
        walked.append(place.places[0].at)
    assert walked == ["matmul#6.forward", "lstm#3.forward[1]", "fc#3.forward", "attention#4.forward"]
    assert does.step(place, paced, -1).places[0].at == "fc#3.forward"
    assert len(timeline(caption).beats) > 250


def test_told_the_right_words_the_control_is_told_them_too() -> None:
    again = pass_of("digits_caption", "caption-5", edits=("told",))
    found = with_study(again, "control").studies["control"]
    seen = gaze(again.trace)
    with torch.no_grad():
        image = pass_of("digits_caption", "caption-1").inputs[0]
        logits = again.model(image, again.keywords["told"])[0].double().softmax(1)
    np.testing.assert_allclose(found["chances"][0], logits[range(len(seen.best)), seen.best].numpy(), atol=1e-6)
    assert "that is right" in draw(again.trace, "caption", "softmax.forward").caption


class Own(nn.Module):
    """A captioner of somebody's own: additive attention, a cell, other names, other layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(nn.Conv2d(3, 5, 3, stride=4, padding=1), nn.Tanh())
        self.one, self.two, self.three = nn.Linear(5, 6), nn.Linear(7, 6), nn.Linear(6, 1)
        self.table, self.cell, self.out = nn.Embedding(5, 4), nn.LSTMCell(9, 7), nn.Linear(7, 4)

    def forward(self, picture, told=None):
        memory = self.see(picture).permute(0, 2, 3, 1).flatten(1, 2)
        hidden = memory.new_zeros(len(picture), 7)
        state, last, found = (hidden, hidden), torch.full((len(picture),), 4), []
        for step in range(3):
            scores = self.three(torch.tanh(self.one(memory) + self.two(state[0]).unsqueeze(1)))
            context = (torch.softmax(scores, 1) * memory).sum(1)
            state = self.cell(torch.cat([self.table(last if told is None else told[:, step]), context], 1), state)
            found.append(self.out(state[0]))
            last = found[-1].argmax(1)
        return torch.stack(found, 1)


def test_a_captioner_of_ones_own_is_found_by_what_it_computes() -> None:
    torch.manual_seed(3)
    model, x = Own().eval(), torch.rand(1, 3, 16, 12)
    answer = {"kind": "spoken", "begin": 4, "end": 3, "labels": ("yes", "no", "well", ".")}
    trace = capture(model, x, objective="logit:1@2", answer=answer)
    seen = gaze(trace)
    assert VIEW.suits(trace)
    assert seen.grid == (4, 3)
    memory = model.see(x).permute(0, 2, 3, 1).flatten(1, 2)
    first = torch.softmax(model.three(torch.tanh(model.one(memory) + model.two(torch.zeros(1, 7)).unsqueeze(1))), 1)
    np.testing.assert_allclose(seen.shares[0], first.detach().numpy().ravel(), atol=1e-6)
    found = study(trace, model, x, "control", answer=answer, samples=[torch.rand(1, 3, 16, 12)], objective="logit:1@2")
    assert found.studies["control"]["chances"].shape == (1, 3)
    for at in ("see.0.forward", seen.words[1].looks, seen.words[2].scores, f"{seen.words[1].mixes}.backward",
               "input.backward"):
        forget(found)
        with listening(placing=True) as heard:
            texts = texts_of(draw(found, "caption", at, size=(740, 560)), True)
        assert not [claim for claim in heard if not true(found, claim)]
        assert not unclaimed(found, texts, heard)


def test_what_says_no_words_of_a_picture_has_no_such_view() -> None:
    for name in ("digits_cnn", "numbers_german", "crnn_strip"):
        assert not VIEW.suits(pass_of(name).trace)
