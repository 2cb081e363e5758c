"""A class for each pixel: the answer, what is sent back of it, its studies and its view, against torch and counting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests import answer_toys as toys
from tests import quantities_of_pixels
from tests.test_sentences import texts_of, true, unclaimed
from visualizer import answers, comparison, draw, manifest, record
from visualizer.comparison.partners import partners
from visualizer.kinds import pixels
from visualizer.kinds.skips import skips
from visualizer.manifest import Manifest
from visualizer.record import pass_of, study, with_study
from visualizer.record.survey import survey
from visualizer.said import listening
from visualizer.scene.picture import Focus, Image, Look, Rect, Term
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused, Trace, forget
from visualizer.views import find
from visualizer.views.segment._seen import products, seen
from visualizer.views.segment._stages import stages

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def scene() -> Trace:
    return with_study(pass_of("scene_segments", "clutter-11"), "skips", "field")


@pytest.fixture(scope="module")
def toy() -> Trace:
    return study(toys.segments(), toys.Sorter().eval(), toys.scene(), "skips", "field",
                 target=toys.segments_truth(), answer=toys.SEGMENTS)


# --- the answer -------------------------------------------------------------------------------------------------------

def test_the_probabilities_are_those_of_torch_and_the_score_is_counted_pixel_by_pixel(scene: Trace) -> None:
    answer = scene.answers[0]
    assert (answer.kind, answer.layer, answer.returned) == ("segments", "softmax", "head")
    with torch.no_grad():
        scores = torch.tensor(scene["head"].output).double()
    wanted = functional.softmax(scores, 0).numpy()
    np.testing.assert_allclose(pixels.shares(scene["head"].output), wanted, rtol=1e-12)
    np.testing.assert_allclose(scene["softmax"].output, wanted, atol=1e-6)
    entropy = torch.distributions.Categorical(logits=scores.movedim(0, -1)).entropy().numpy() / np.log(2)
    np.testing.assert_allclose(pixels.entropy(scene["head"].output), entropy, atol=1e-12)
    best, right = wanted.argmax(0), answer.truth
    counts: dict[int, list[int]] = {}
    for one, other in zip(best.ravel().tolist(), right.ravel().tolist(), strict=True):
        for index in {one, other}:
            held = counts.setdefault(index, [0, 0])
            held[0] += one == other
            held[1] += 1
    counts.pop(0)
    score = dict(answers.score(scene, answer))
    assert score["mean IoU"] == pytest.approx(np.mean([shared / either for shared, either in counts.values()]))
    assert score["pixels right"] == (best == right).mean()
    assert scene.check().passed
    assert not scene.check().unverified


def test_a_class_that_is_only_found_counts_as_no_overlap() -> None:
    values = np.zeros((4, 1, 4))
    values[[0, 1, 1, 3], 0, range(4)] = 1
    answer = replace(toys.segments().answers[0], truth=np.array([[0, 1, 2, -100]]))
    assert [(each.index, each.shared, each.either) for each in pixels.overlaps(answer, values)] == \
        [(0, 1, 1), (1, 1, 2), (2, 0, 1)]
    assert pixels.mean_overlap(answer, values) == pytest.approx(0.25)
    assert pixels.right_pixels(answer, values) == (2, 3)
    assert answers.kind("segments").judge(values, np.array([[0, 1, 2, -100]]), {}) == (2, 3)


@pytest.mark.parametrize("words", ["mask:2", "pixel:2,3", "pixel:1,2,3", "loss"])
def test_a_mask_a_pixel_and_the_loss_are_sent_back(words: str) -> None:
    model = toys.Sorter().eval()
    x = toys.scene() + torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1)) / 4  # no two are alike
    trace = record.capture(model, x, toys.segments_truth(), answer=toys.SEGMENTS, objective=words)
    x.requires_grad_()
    scores = model(x)[0]
    best = scores.argmax(0)
    asked = {"mask:2": lambda: scores[2][best == 2].sum(), "pixel:2,3": lambda: scores[best[2, 3], 2, 3],
             "pixel:1,2,3": lambda: scores[1, 2, 3],
             "loss": lambda: functional.cross_entropy(scores[None], torch.tensor(toys.segments_truth())[None])}[words]()
    asked.backward()
    assert trace.objective.value == pytest.approx(asked.item(), rel=1e-6)
    np.testing.assert_allclose(trace["input"].gradient, x.grad[0].numpy(), rtol=1e-5, atol=1e-7)
    step, at = 1e-3, (0, 2, 3)
    moved = x.detach().clone()
    if words.startswith("pixel:1"):  # by a small change, too
        ends = []
        for sign in (1, -1):
            moved[0][at] += sign * step
            ends.append(model(moved)[0, 1, 2, 3].item())
            moved[0][at] -= sign * step
        assert trace["input"].gradient[at] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-2)
    assert trace.check().passed
    assert not trace.check().unverified


@pytest.mark.parametrize(("words", "says"), [("mask:7", "There is no class 7; there are 3, counted from 0"),
                                             ("pixel:9,9", "There is no pixel 9,9; there are 8 × 8 of them"),
                                             ("area:2", "use loss, none, mask:")])
def test_what_is_not_there_is_refused_in_one_sentence(words: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        toys.segments(words)
    assert str(caught.value).count(". ") == 0


def test_a_target_of_classes_tells_the_kind_and_a_wrong_shape_is_refused() -> None:
    trace = record.capture(toys.Sorter().eval(), toys.scene(), toys.segments_truth())
    assert trace.answers[0].kind == "segments"
    assert find("segment").suits(trace)
    with pytest.raises(Refused, match="A class for each pixel needs scores of classes, rows and columns"):
        record.capture(torch.nn.Flatten(), toys.scene(), answer="segments")
    with pytest.raises(Refused, match="Cross entropy reads one class for each place"):
        record.capture(toys.Sorter().eval(), toys.scene(), toys.segments_truth()[:4], answer="segments")


# --- studies ----------------------------------------------------------------------------------------------------------

def test_without_its_skips_zeros_stand_in_their_place(toy: Trace) -> None:
    (skip,) = skips(toy)
    assert (skip.source, skip.join, skip.channels) == ("down", "cat", (2, 4))
    model = toys.Sorter().eval()
    with torch.no_grad():
        wide = model.wider(model.middle(model.pool(model.down(toys.scene()))))
        wanted = model.head(torch.cat([wide, torch.zeros_like(wide)], 1))[0].numpy()
    np.testing.assert_allclose(toy.studies["skips"]["head"], wanted, atol=1e-6)
    assert not toy.studies["skips"]["cat"][2:].any()
    assert toy["cat"].output[2:].any(), "the recording itself is as it was"


def test_what_a_pixel_hangs_on_is_autograds_and_lies_in_the_field_of_arithmetic(scene: Trace) -> None:
    """A number in the middle sees 84 rows; of 64 all that are no further than 40 up or 43 down, or the like."""
    again = pass_of("scene_segments", "clutter-11", objective="none")
    held = scene.studies["field"]
    chosen = held["pixels"][[0, len(held["pixels"]) // 2]]
    for row, column in chosen.tolist():
        x = again.inputs[0].clone().requires_grad_()
        scores = again.model(x)[0]
        scores[scores[:, row, column].argmax(), row, column].backward()
        place = int(np.flatnonzero((held["pixels"] == (row, column)).all(axis=1))[0])
        np.testing.assert_allclose(held["gradient"][place], x.grad[0, 0].abs().numpy(), rtol=2e-3, atol=1e-5)
        (up, down), (left, right) = quantities_of_pixels.spans(scene, "head", [(row, row), (column, column)])
        seen_rows, seen_columns = np.nonzero(held["gradient"][place])
        assert seen_rows.min() >= up
        assert seen_rows.max() <= down
        assert seen_columns.min() >= left
        assert seen_columns.max() <= right


def test_what_sees_less_and_what_sees_more_are_compared() -> None:
    names = {recipe.model for recipe in partners(ModelRecipe("scene_segments_near", ("clutter-11",)), "pictures")}
    assert {"scene_segments"} <= names <= {"scene_segments", "scene_segments_dilated"}
    traces = [record.record(name, "clutter-11", objective="none") for name in ("scene_segments_near", "scene_segments")]
    readers = comparison.read(traces)
    with listening(placing=True) as heard:
        picture = comparison.seen(readers, 0, comparison.at_share(traces[0], "forward", 1.0), Look(size=(1568, 796)))
    checked = 0
    for claim in heard:
        number, _, layer = claim.layer.partition(":")
        if claim.quantity in ("mean IoU", "most rows that a pixel sees", "quality"):
            assert true(traces[int(number) - 1], claim._replace(layer=layer)), claim
            checked += 1
    assert checked >= 8
    rows = [dict(zip(picture.table.columns, row, strict=True)) for row in picture.table.rows]
    assert [row["most rows that a pixel sees"] for row in rows] == [16, 84]
    assert rows[0]["mean IoU"] + 0.3 < rows[1]["mean IoU"]
    assert rows[0]["quality"] + 0.3 < rows[1]["quality"]


# --- the view ---------------------------------------------------------------------------------------------------------

def test_the_stages_of_a_u(scene: Trace) -> None:
    found = stages(scene, "head")
    assert [stage.title for stage in found] == ["down0", "down1", "down2", "down3", "up2", "up1", "up0"]
    assert [stage.level for stage in found] == [0, 1, 2, 3, 2, 1, 0]
    assert found[4].layers[:2] == ("wider2", "cat")


@pytest.mark.parametrize("knobs", [{}, {"skips": "without"}])
def test_every_number_is_true(scene: Trace, knobs: dict[str, str]) -> None:
    for at in ("down2.relu1.forward", "cat#2.forward@0.7", "softmax.forward@0.3", "softmax.forward", "input.backward"):
        forget(scene)
        with listening(placing=True) as heard:
            texts = texts_of(draw(scene, "segment", at, focus=Focus("softmax", (6, 20, 30)), **knobs), True)
        assert heard
        assert not [claim for claim in heard if not true(scene, claim)], at
        assert not unclaimed(scene, texts, heard), at


@pytest.mark.parametrize("make", [toys.mask, toys.segments])
def test_a_model_of_ones_own_has_the_same_view(make) -> None:
    trace = make()
    assert find("segment").suits(trace)
    for beat in timeline(trace).beats:
        forget(trace)
        with listening(placing=True) as heard:
            texts = texts_of(draw(trace, "segment", beat.address), True)
        assert not [claim for claim in heard if not true(trace, claim)], beat
        assert not unclaimed(trace, texts, heard), beat


def test_a_file_whose_manifest_says_its_kind_has_answer_names_and_view(tmp_path: Path) -> None:
    path = tmp_path / "own.pt2"
    torch.export.save(torch.export.export(toys.Sorter().eval(), (toys.scene(),)), path)
    told = Manifest(kind="image", answer="segments", settings={"ground": 0}, labels=("none", "faint", "bright"))
    manifest.keep(path, told)
    assert survey(path).labelled == 3
    image = tmp_path / "own.png"
    light = np.arange(600, dtype=np.uint8).reshape(20, 30)  # another size is cut and resized
    pytest.importorskip("PIL.Image").fromarray(light).save(image)
    trace = record.record(str(path), str(image))
    assert trace.answers[0].labels == told.labels
    assert find("segment").suits(trace)
    said = draw(trace, "segment", "softmax.forward").caption
    best = pixels.classes(trace["head"].output)
    assert f"{int((best != 0).sum())} pixels are taken for something else than none" in said
    assert trace.objective.kind.startswith("mask:")


@pytest.mark.parametrize("shape", [(40, 90, 3), (3, 3)])
def test_a_picture_of_another_size_or_in_colours_is_brought_to_its_own(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "other.png"
    pytest.importorskip("PIL.Image").fromarray(np.zeros(shape, np.uint8)).save(path)
    trace = record.record("scene_segments", str(path), objective="none")
    assert trace.sample.title == "other.png, its middle, 64 × 64"
    assert trace["input"].shape == (1, 64, 64)
    assert draw(trace, "segment", "softmax.forward").caption.endswith("no pixel is taken for anything else.")


def test_the_products_of_the_opened_pixel_are_its_score(scene: Trace) -> None:
    picture = draw(scene, "segment", "softmax.forward", focus=Focus("softmax", (6, 20, 30)))
    terms: dict[Focus, list[Term]] = {}
    for mark in picture:
        if isinstance(mark, Rect) and isinstance(mark.holds, Term):
            terms.setdefault(mark.holds.target, []).append(mark.holds)
    assert len(terms) == 5
    for target, held in terms.items():
        score = sum(each.product for each in held) + float(scene["head"].weights["bias"][target.cell[0]])
        assert score == pytest.approx(float(scene["head"].output[target.cell]), abs=1e-4)
        assert all(each.value == scene["up0.relu1"].output[each.source.cell] for each in held)


def test_nothing_is_there_before_its_time(scene: Trace) -> None:
    """No map of a layer that has not been computed, no mask and no score before their beats."""
    order = scene.places
    for at in ("down1.conv2.forward@0.5", "cat#2.forward@0.2", "head.forward@0.5", "softmax.forward@0.3"):
        picture = draw(scene, "segment", at)
        here = order[timeline(scene).find(at).beat.layer]
        for mark in picture:
            if isinstance(mark, Image) and mark.focus is not None and mark.palette != "gradient":
                assert order[mark.focus.layer] <= here, (at, mark.focus)
        assert "overlap (IoU) is" not in picture.caption
    painted = [mark for mark in draw(scene, "segment", "softmax.forward@0.8") if isinstance(mark, Image)
               and mark.scale is not None and mark.scale.quantity == "class"]
    assert sorted(mark.rows_shown for mark in painted) == [pytest.approx(0.5), 1.0], "the mask, and the truth"


def test_a_scene_without_a_digit_says_so(scene: Trace) -> None:
    values = np.zeros((11, 64, 64), np.float32)
    values[0] = 9
    layers = tuple(replace(layer, output=values if layer.name == "head" else pixels.shares(values).astype(np.float32))
                   if layer.name in ("head", "softmax") else layer for layer in scene.layers)
    answer = scene.answers[0]
    empty = replace(scene, layers=layers, studies={}, answers=(replace(answer, truth=np.zeros((64, 64), np.uint8)),))
    assert draw(empty, "segment", "softmax.forward").caption.endswith(
        "4,096 of 4,096 pixels are right: there is nothing to be found, and nothing is.")
    assert answers.sentence(empty, empty.answers[0]).endswith("there is nothing but none, and nothing else is found.")
    unknown = replace(empty, answers=(replace(answer, truth=None),))
    assert draw(unknown, "segment", "softmax.forward").caption.endswith("no pixel is taken for anything else.")
    assert answers.sentence(unknown, unknown.answers[0]) == "All {4,096} pixels are taken for none."


def test_without_the_study_the_skips_are_as_recorded(scene: Trace) -> None:
    one = seen(replace(scene, studies={}), Look(knobs=(("skips", "without"),)))
    assert one is not None
    assert not one.cut
    assert products(one, 0, (3, 4)).sum() + scene["head"].weights["bias"][0] == pytest.approx(
        float(scene["head"].output[0, 3, 4]), abs=1e-4)



def test_what_can_be_sent_back_is_called_by_its_name() -> None:
    trace = toys.segments()
    answer, kind = trace.answers[0], answers.kind("segments")
    found = {wish: kind.called(trace, answer, wish) for wish in kind.wishes(answer, trace["softmax"].output)}
    sizes = {index: int((pixels.classes(trace["head"].output) == index).sum()) for index in (1, 2)}
    masks = [wish for wish in found if wish.startswith("mask:")]
    assert masks == [f"mask:{index}" for index in sorted(sizes, key=lambda index: -sizes[index]) if sizes[index]]
    names = toys.SEGMENTS["labels"]
    assert [found[wish] for wish in masks] == [f"the mask of {names[int(wish[-1])]}" for wish in masks]
    assert [said for wish, said in found.items() if wish not in masks] == ["the score of pixel 0, 1"]
    assert kind.pointed(answer, (2, 3, 4)) == "pixel:3,4"
    assert kind.scalar(answer, trace["head"].output, "pixel:3,4") is not None
