"""Detection: boxes and their suppression against plain loops, the beats that do it, and the view that shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image as PIL
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from torch import nn

from tests import quantities_of_boxes as plain
from tests.recorded import recorded
from tests.test_layout import SIZES, faults
from tests.test_sentences import true, unclaimed
from tests.test_views import seen as marks_of
from visualizer import answers, consent, draw, record, sight
from visualizer.answers import boxes
from visualizer.manifest import Manifest, keep
from visualizer.said import listening
from visualizer.scene.picture import Choice, Focus, Image, Line, Look, Path, Picture, Rect, Text
from visualizer.scene.state import Place, State, changed
from visualizer.trace import Refused, Trace, forget
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store
from visualizer.views import find

torch.set_num_threads(1)
LOW = {"score": "0.05", "overlap": "0.20"}


@cache
def scene(sample: str = "", objective: str = "loss") -> Trace:
    return recorded("scene_detector", sample, objective=objective)


class Rows(nn.Module):
    """Boxes in rows, twelve labels, of a picture in colours: made by hand of a fixed table and the light of it."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.conv, self.table = nn.Conv2d(3, 1, 3, padding=1), nn.Linear(24 * 32, table.size)
        self.shape = table.shape
        with torch.no_grad():
            self.table.weight.mul_(1e-4)
            self.table.bias.copy_(torch.tensor(table.ravel()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table(self.conv(x).flatten(1)).reshape(-1, *self.shape)


@cache
def rows(count: int = 41, labels: int = 12) -> Trace:
    chance = np.random.default_rng(3)
    corners = chance.uniform(0, 20, (count, 2))
    table = np.concatenate([chance.uniform(0.6, 0.99, (count, 1)), corners, corners + chance.uniform(3, 12, (count, 2)),
                            chance.uniform(0, 1, (count, labels))], 1)
    torch.manual_seed(0)
    return record.capture(Rows(table).eval(), torch.rand(1, 3, 24, 32), answer={
        "kind": "boxes", "labels": tuple(f"thing {index}" for index in range(labels))})


def at(trace: Trace, address: str, look: Look | None = None, focus: Focus | None = None, **knobs: str) -> Picture:
    look = replace(look or Look(), knobs=tuple(sorted(knobs.items())))
    return sight.seen(trace, Place(view="detect", at=address, focus=focus, look=look))


def beats(trace: Trace, **knobs: str) -> list[str]:
    place = Place(view="detect", look=Look(knobs=tuple(sorted(knobs.items()))))
    return [beat.address for beat in sight.times(trace, place).beats]


# --- boxes ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sample", ["scene-1", "scene-4"])
def test_every_cell_is_decoded_as_a_plain_loop_does(sample: str) -> None:
    trace = scene(sample)
    held = trace["head"]
    for found, wanted in zip(boxes.proposed(trace.answers[0], held.output), plain.boxes(trace, "head"), strict=True):
        assert found.place == wanted["place"]
        assert found.score == pytest.approx(wanted["score"], rel=1e-12)
        assert found.box == pytest.approx(wanted["edges"], rel=1e-12)
        assert found.label == max(range(10), key=lambda label: wanted["shares"][label])


@pytest.mark.parametrize(("least", "most"), [(0.5, 0.5), (0.05, 0.5), (0.01, 0.1), (0.9, 0.9)])
@pytest.mark.parametrize("trace", ["scene", "rows"])
def test_suppression_keeps_and_drops_what_a_plain_loop_does(trace: str, least: float, most: float) -> None:
    recording, layer = (scene(), "head") if trace == "scene" else (rows(), rows().answers[0].layer)
    likely = boxes.likely(boxes.proposed(recording.answers[0], recording[layer].output), least)
    wanted = plain.suppression(recording, layer, least, most)
    steps = boxes.suppressed(likely, most)
    assert [likely[step.kept].place for step in steps] == [kept["place"] for kept, _ in wanted]
    assert [[likely[each].place for each in step.dropped] for step in steps] == \
        [[box["place"] for box in dropped] for _, dropped in wanted]
    if (least, most) == (0.01, 0.1):
        assert any(step.dropped for step in steps)


@pytest.mark.parametrize("wish", ["box:0.score", "box:1.class", "box:2.width"])
def test_the_gradient_of_a_number_of_a_box_is_that_of_torch_and_of_differences(wish: str) -> None:
    trace = scene("scene-1", wish)
    again = record.pass_of("scene_detector", "scene-1")
    model, fed = again.model.double(), again.inputs[0].double()
    kept = boxes.found(trace.answers[0], trace["head"].output)[int(wish[4])]
    row, column = kept.place

    def asked(x: torch.Tensor) -> torch.Tensor:
        made = model(x)[0, :, row, column]
        return {"score": made[0], "class": made[5 + kept.label], "width": 8 * (made[1] + made[3])}[wish[6:]]

    x = fed.clone().requires_grad_()
    value = asked(x)
    value.backward()
    assert trace.objective.value == pytest.approx(value.item(), rel=1e-5)
    mine = trace.layers[0].gradient[0]
    np.testing.assert_allclose(mine, x.grad[0, 0].numpy(), rtol=2e-3, atol=2e-5 * float(np.abs(mine).max()))
    for place in ((20, 36), (24, 40)):
        step = torch.zeros_like(fed)
        step[0, 0, place[0], place[1]] = 1e-6
        with torch.no_grad():
            slope = float(asked(fed + step) - asked(fed - step)) / 2e-6
        assert mine[place] == pytest.approx(slope, rel=5e-3, abs=1e-4)
    model.float()


def test_what_can_be_sent_back_of_boxes_is_offered_and_what_cannot_is_said() -> None:
    trace = scene()
    offered = boxes.wishes(trace.answers[0], trace["head"].output)
    assert offered[:4] == ("box:0.score", "box:0.width", "box:0.class", "box:1.score")
    for wish in offered:
        assert boxes.scalar(trace.answers[0], trace["head"].output, wish) is not None
    bare = np.array([[0.9, 0, 0, 4, 4]])
    with pytest.raises(Refused, match="The boxes have no classes"):
        boxes.scalar(replace(trace.answers[0], settings={}), bare, "box:0.class")


def test_right_missing_and_false_boxes_are_counted() -> None:
    trace = scene("scene-1")
    told = dict(answers.score(trace, trace.answers[0]))
    assert (told["right boxes found"], told["boxes too many"], told["named rightly"]) == (3, 0, 3)
    assert "1 missing, 0 false" in answers.sentence(trace, trace.answers[0])
    elsewhere = replace(trace.answers[0], truth=trace.answers[0].truth + np.array([30, 30, 30, 30, 0]))
    told = dict(answers.score(replace(trace, answers=(elsewhere,)), elsewhere))
    assert told["boxes too many"] == 3 - told["right boxes found"]


# --- beats ------------------------------------------------------------------------------------------------------------

def test_the_steps_follow_the_answer_and_hang_on_the_thresholds() -> None:
    trace = scene("scene-1")
    usual = beats(trace)
    start = usual.index("head.forward")
    assert usual[start + 1:start + 7] == ["head.decode", "head.threshold", "head.nms[1]", "head.nms[2]", "head.nms[3]",
                                          "wanted.forward"]
    many = [each for each in beats(trace, **LOW) if ".nms" in each]
    assert len(many) == len(plain.suppression(trace, "head", 0.05, 0.2))
    assert len(many) > 3
    assert "head.decode" not in [beat.address for beat in sight.times(trace, Place(view="network")).beats]
    moved = sight.moment_of(trace, Place(view="network", at="head.nms[2]"))
    assert moved.address == "head.forward"
    assert sight.moment_of(trace, Place(view="detect", at="head.nms[9]")).address == "head.nms[3]"


def test_a_hundred_steps_have_four_and_twenty_beats() -> None:
    trace = rows(120, 0)
    knobs = {"score": "0.05", "overlap": "0.95"}
    steps = [each for each in beats(trace, **knobs) if ".nms" in each]
    assert len(steps) == 24 < len(plain.suppression(trace, trace.answers[0].layer, 0.05, 0.95))
    kept = len(plain.suppression(trace, trace.answers[0].layer, 0.05, 0.95))
    assert f"suppression keeps {kept}" in at(trace, steps[-1], **knobs).caption


def test_where_one_beat_ends_the_next_begins() -> None:
    trace = scene("scene-1")
    times = sight.times(trace, Place(view="detect", look=Look(knobs=tuple(LOW.items()))))
    for index in range(1, len(times.beats)):
        if times.beats[index].layer not in ("conv1", "relu6", "head", "wanted", "loss", "scores", "input"):
            continue
        end, start = (at(trace, address, **LOW) for address in (times.beats[index - 1].address,
                                                                f"{times.beats[index].address}@0"))
        assert marks_of(end) == marks_of(start), times.beats[index].address


# --- the view ---------------------------------------------------------------------------------------------------------

MOMENTS = ("input.forward", "conv3.forward@0.4", "head.forward@0.5", "head.decode", "head.threshold",
           "head.nms[1]@0.9", "head.nms[4]", "loss.forward", "head.backward", "relu4.backward@0.5", "input.backward")


@pytest.mark.parametrize(("objective", "knobs"), [("loss", {}), ("box:0.score", LOW), ("box:1.class", {})])
def test_every_number_that_is_read_is_true(objective: str, knobs: dict[str, str]) -> None:
    trace = scene("scene-1", objective)
    for address in MOMENTS:
        if objective != "loss" and address == "loss.forward":
            address = "logit.forward"
        if address == "head.nms[4]" and not knobs:
            address = "head.nms[3]"
        read_and_true(trace, address, **knobs)


@pytest.mark.parametrize("count", [41, 3])
def test_every_number_of_boxes_in_rows_is_true(count: int) -> None:
    trace = rows(count)
    layer = trace.answers[0].layer
    for address in (f"{layer}.decode", f"{layer}.nms[1]@0.9", f"{layer}.nms[3]", trace.layers[0].name):
        read_and_true(trace, address, overlap="0.30")


def read_and_true(trace: Trace, address: str, **knobs: str) -> None:
    forget(trace)
    with listening(placing=True) as heard:
        picture = at(trace, address, **knobs)
        tips = {mark.tip for mark in picture if isinstance(mark, Rect) and mark.tip}
        words = {mark.plain for mark in picture if isinstance(mark, Text)
                 and not all(run.mono or mark.mono for run in mark.runs)}
    wrong = [claim for claim in heard if not true(trace, claim)]
    assert not wrong, (address, wrong[:3])
    bare = unclaimed(trace, [picture.caption, *map(str, picture.table.columns), *sorted(tips), *sorted(words)], heard)
    assert not bare, (address, bare[:3])


def test_more_boxes_than_have_room_are_scrolled_and_more_labels_than_ten_are_summed() -> None:
    trace = rows()
    layer = trace.answers[0].layer
    words = [mark.plain for mark in at(trace, f"{layer}.nms[1]", overlap="0.95", score="0.05")
             if isinstance(mark, Text)]
    assert any(word.endswith("of 41") for word in words)
    assert "others" in words
    assert sum(word.startswith("thing") for word in words) < 41


def test_no_box_above_the_threshold_is_one_sentence_and_a_hatched_list() -> None:
    again = record.pass_of("scene_detector", "scene-1")
    empty = record.capture(again.model, torch.zeros(1, 1, 64, 64), answer=dict(again.trace.facts["answer"]))
    assert not any(".nms" in each for each in beats(empty, score="0.95"))
    picture = at(empty, "head.threshold", score="0.95")
    best = max(box["score"] for box in plain.boxes(empty, "head"))
    assert f"None of 64 boxes is surer than 0.95: the surest has {best:.2f}." in picture.caption or best < 0.005
    assert "No box is sure enough" in " ".join(mark.plain for mark in picture if isinstance(mark, Text))
    assert sum(isinstance(mark, Rect) and mark.fill == "hatch" for mark in picture) >= 1
    for address in ("head.forward", "head.decode", "conv1.forward@0.5"):
        assert at(empty, address).caption


def test_nothing_is_there_before_its_time() -> None:
    trace = scene("scene-1")

    def numbers(address: str) -> set[str]:
        return {mark.plain for mark in at(trace, address) if isinstance(mark, Text)}

    raw = f"{trace['head'].output[0, 1, 3]:.2f}"
    assert raw not in numbers("relu6.forward")
    assert raw in numbers("head.forward")
    assert "x 24.7 px" not in numbers("head.forward")
    assert "x 24.7 px" in numbers("head.decode")
    assert "1 keeps" not in numbers("head.threshold")
    assert "waits" in numbers("head.threshold")
    boxes_at = {address: [mark for mark in at(trace, address).moving if isinstance(mark, Line) and len(mark.points) == 5
                          and mark.focus == Focus("head", (0, 1, 3))]
                for address in ("head.forward", "head.decode@0.5", "head.decode")}
    assert not boxes_at["head.forward"]
    wide = [max(x for x, _ in lines[0].points) - min(x for x, _ in lines[0].points)
            for lines in (boxes_at["head.decode@0.5"], boxes_at["head.decode"])]
    assert wide[0] == pytest.approx(wide[1] / 2, rel=1e-6), "it grows out of its cell"
    assert wide[1] == pytest.approx(7 * 9.663, abs=0.05)


def test_what_a_box_is_can_be_seen_without_a_hue() -> None:
    """Kept, kept now, waiting and dropped differ in width and dashes; the right ones are dotted."""
    trace = scene("scene-1")
    picture = at(trace, "head.nms[3]@0.8", **LOW)
    lines = [(mark.width, mark.dashed) for mark in picture.moving if isinstance(mark, Line) and mark.focus is not None
             and len(mark.points) == 5 and mark.opacity == 1 and mark.color != "stage"]
    kinds = Counter(lines)
    assert kinds[(2.25, False)] >= 2
    assert kinds[(3.0, False)] + kinds[(3, False)] >= 1
    assert kinds[(1.25, False)] >= 1
    dashed = [mark for mark in at(trace, "loss.forward", **LOW).moving if isinstance(mark, Line) and mark.dashed]
    assert dashed
    assert any(isinstance(mark, Path) and len(mark.curves) > 20 for mark in picture.moving)


def test_a_box_a_row_and_a_cell_lead_to_its_numbers_and_a_place_on_a_threshold_turns_it() -> None:
    trace = scene("scene-1")
    picture = at(trace, "head.nms[3]")
    grid = next(mark for mark in picture.moving if isinstance(mark, Image) and mark.focus == Focus("head"))
    assert picture.hit(grid.x + 2.5 * grid.cell[0], grid.y + 5.5 * grid.cell[1]) == Focus("head", (0, 5, 2))
    opened = at(trace, "head.nms[3]", focus=Focus("head", (3, 5, 2)))
    assert "Cell (5, 2)" in {mark.plain for mark in opened if isinstance(mark, Text)}
    raw = next(mark for mark in opened if isinstance(mark, Rect) and mark.focus == Focus("head", (9, 5, 2)))
    assert raw.scale is not None
    choices = [mark.holds for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Choice)]
    assert Choice("score", "0.05") in choices
    assert Choice("overlap", "0.95") in choices
    assert all(find("detect").takes(choice.knob, choice.word) for choice in choices)


@pytest.mark.parametrize("size", ["1600x900", "1024x768", "beside", "projector"])
def test_words_keep_apart(size: str) -> None:
    look = SIZES[size]
    for address, objective in (("head.decode", "loss"), ("head.nms[4]", "loss"), ("input.backward", "box:0.score")):
        picture = at(scene("scene-1", objective), address, look, **LOW)
        assert picture.size == look.size
        assert not (found := list(faults(picture, look.text_scale))), (address, found[:3])
    picture = at(rows(), f"{rows().answers[0].layer}.nms[2]", look, overlap="0.95")
    assert not (found := list(faults(picture, look.text_scale))), found[:3]


def test_it_opens_at_the_last_step_and_draws_from_python() -> None:
    assert "suppression keeps 3" in draw(scene("scene-1"), view="detect").caption
    assert not find("detect").suits(recorded("digits_cnn"))


def test_dragging_along_a_threshold_turns_it_in_one_step_of_undo(qtbot) -> None:
    store = Store(changed(State(), view="detect", model="scene_detector", at="head.threshold"), scene("scene-1"))
    stage = Stage(store)
    qtbot.addWidget(stage)
    stage.resize(1104, 796)
    with qtbot.waitExposed(stage):
        stage.show()
    stage.refresh()
    there = {mark.holds.word: QPointF(mark.x + mark.width / 2, mark.y + mark.height / 2).toPoint()
             for mark in stage.picture if isinstance(mark, Rect) and isinstance(mark.holds, Choice)
             and mark.holds.knob == "score"}
    QTest.mousePress(stage, Qt.MouseButton.LeftButton, pos=there["0.50"])
    assert "{3}" not in stage.picture.caption
    QTest.mouseMove(stage, there["0.30"])
    QTest.mouseMove(stage, there["0.20"])
    QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, pos=there["0.20"])
    assert store.state.look.knob("score", "model") == "0.20"
    assert store.state.look.knob("overlap", "model") == "model"
    assert "Of 64 boxes 5 are surer than 0.20" in stage.picture.caption
    store.undo()
    assert store.state.look.knob("score", "model") == "model"


def test_digits_on_paper_are_turned_to_what_the_detector_was_shown(tmp_path) -> None:
    """A bundled scene, printed dark on light paper and twice as large, is answered as the scene itself; an empty page
    is black."""
    scene_1 = np.rint(scene("scene-1").layers[0].output[0] * 255).astype(np.uint8)
    page = tmp_path / "page.png"
    PIL.fromarray(np.kron(225 - (scene_1 * 0.8).astype(np.uint8), np.ones((2, 2), np.uint8))).save(page)
    again = record.pass_of("scene_detector", str(page)).trace
    assert again.sample.title == "page.png, 64 × 64, turned to white on black"
    ours, theirs = (boxes.found(trace.answers[0], trace["head"].output) for trace in (again, scene("scene-1")))
    assert [(each.place, each.label) for each in ours] == [(each.place, each.label) for each in theirs]
    PIL.new("L", (300, 200), 240).save(page)
    assert not record.pass_of("scene_detector", str(page)).trace.layers[0].output.any()
    PIL.fromarray(np.kron(scene_1, np.ones((2, 2), np.uint8))).save(page)
    assert "turned" not in record.pass_of("scene_detector", str(page)).trace.sample.title


def test_a_detector_of_one_s_own_with_three_labels_gets_the_view(tmp_path) -> None:
    (tmp_path / "own.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Own(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        torch.manual_seed(1)\n"
        "        self.body = nn.Conv2d(3, 4, 3, 8, 1)\n        self.head = nn.Conv2d(4, 8, 1)\n\n"
        "    def forward(self, x):\n        return self.head(torch.relu(self.body(x)))\n")
    keep(tmp_path / "own.py", Manifest(
        shape=(3, 24, 40), answer="boxes", labels=("cat", "dog", "bird"), name="Own",
        settings={"score": "logit", "stride": 8, "threshold": 0.3}))
    consent.suppose(tmp_path / "own.py")
    trace = record.pass_of(str(tmp_path / "own.py")).trace
    consent.suppose_nothing()
    assert find("detect").suits(trace)
    assert trace.answers[0].labels == ("cat", "dog", "bird")
    assert "15 cells" in at(trace, "head.decode").caption.replace("Each of ", "")


def test_one_goes_through_inputs_that_keep_more_boxes_fewer_and_none() -> None:
    """A reel over recordings at the third step of suppression, and numbers that are none: everything is drawn."""
    trace = scene("scene-1")
    none = replace(trace, layers=tuple(
        replace(layer, output=np.full(layer.shape, -9.0)) if layer.name == "head" else layer for layer in trace.layers))
    names = ("none", "one", "own")
    for share in (0.0, 0.4):
        place = Place(view="detect", at=f"own:head.nms[3]@{share}", look=Look(), reel=names)
        assert sight.seen((none, scene("scene-4"), trace), place).caption
    for what in (np.nan, np.inf):
        head = np.array(trace["head"].output)
        head.flat[::3] = what
        broken = replace(trace, layers=tuple(replace(layer, output=head) if layer.name == "head" else layer
                                             for layer in trace.layers))
        with np.errstate(all="ignore"):
            for address in ("head.forward", "head.decode@0.5", "head.threshold", "input.backward"):
                assert at(broken, address).caption
