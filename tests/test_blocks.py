"""Blocks: which layers belong together is what torch's modules say; a folded recording holds no number but recorded
ones, and a screen shows the block of every beat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from tests.deep import MADE, deep, made
from tests.quantities import worked_out
from tests.recorded import recorded
from tests.test_layout import faults
from tests.test_sentences import texts_of, true, unclaimed
from visualizer.record import record
from visualizer.said import listening
from visualizer.scene import blocks, projector
from visualizer.scene import state as does
from visualizer.scene.blocks import CLOSED, FOLLOW, KNOB, OPEN, Block, Chosen, fold_at, visible
from visualizer.scene.columns import passages
from visualizer.scene.lens import lens, pair_of
from visualizer.scene.picture import Choice, Focus, Look, Picture, Rect, Text
from visualizer.scene.state import State, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace, forget
from visualizer.ui.levels import block_closed, into
from visualizer.ui.page import page
from visualizer.views import all_views, find
from visualizer.views import picture as draw

BY_MODULES = [name for name in MADE if name != "perceptron"]
SIZES = {"1600x900": Look((1104, 796)), "1366x768": Look((870, 664)), "1024x768": Look((740, 560)),
         "projector": projector.look_for(Look(), (1920, 1080))}


def of(trace: Trace, word: str = FOLLOW, at: str = "", size: str = "1600x900") -> Picture:
    look = replace(SIZES[size], knobs=((KNOB, word),))
    times = timeline(trace)
    return draw(find("network"), trace, times.find(at) if at else times.settled(0), None, look)


# --- the tree -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", BY_MODULES)
def test_a_closed_block_is_its_module(name: str) -> None:
    model, x, trace = made(name)
    given: dict[str, list[np.ndarray]] = {}
    hooks = [module.register_forward_hook(lambda module, args, out, path=path: given.setdefault(path, []).append(
        out.detach()[0].numpy()) if isinstance(out, torch.Tensor) else None) for path, module in model.named_modules()]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    found = [block for block in blocks.blocks(blocks.tree(trace)) if not block.alike]
    assert len(found) > 1
    for block in found:
        path, _, call = block.name.partition("#")
        module = model.get_submodule(path)
        inside = trace.layers[block.first:block.last + 1]
        assert all(layer.name.startswith(path) for layer in inside)
        outside = [layer.name for layer in (*trace.layers[:block.first], *trace.layers[block.last + 1:])]
        if not call and len(given.get(path, ())) == 1:
            assert not any(other.startswith(f"{path}.") for other in outside)
        fold = blocks.folded(trace, visible(trace, Chosen(OPEN, closed=frozenset({block.name})), None))
        (name_of, _), = fold.closed.items()
        shown = fold.trace[name_of]
        assert shown.settings["parameters"] == sum(parameter.numel() for parameter in module.parameters())
        if path in given:  # a list of modules is called by nobody
            out = given[path][int(call or 1) - 1]
            np.testing.assert_allclose(shown.output.reshape(out.shape), out, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("way", ["captured", "exported"])
def test_the_class_of_a_module_is_known(way: str, tmp_path: Path) -> None:
    model, x, trace = made("resnet18")
    if way == "exported":
        torch.export.save(torch.export.export(model, (x,)), tmp_path / "net.pt2")
        trace = record(str(tmp_path / "net.pt2"))
    found = {block.name: block.made for block in blocks.blocks(blocks.tree(trace)) if not block.alike}
    assert found["layer2.0"] == found["layer4.1"] == "Residual"
    assert found["layer2"] == ""  # a list


def test_what_is_alike_stands_together() -> None:
    def titles(name: str, at: str = "") -> list[str]:
        trace = deep(name)
        fold = fold_at(trace, timeline(trace).find(at) if at else timeline(trace).settled(0), Look())
        assert fold is not None
        return [blocks.title(fold.trace[layer]) for layer in fold.closed]

    assert titles("encoder") == ["encoder"]
    assert titles("encoder", "encoder.layers.2.linear1")[:1] == ["encoder.layers.0…1 × 2"]
    assert titles("encoder", "encoder.layers.2.linear1")[-1:] == ["encoder.layers.3…5 × 3"]
    assert titles("resnet50") == ["layer1", "layer2", "layer3", "layer4"]
    assert titles("resnet50", "layer3.2.conv2") == ["layer1", "layer2", "layer3.0", "layer3.1", "layer3.3…5 × 3",
                                                   "layer4"]
    assert titles("perceptron") == ["1…38 × 19"] or titles("perceptron") == ["3…38 × 18"]
    assert titles("siamese") == ["net", "net#2"]


@pytest.mark.parametrize("name", ["digits_cnn", "lenet_mnist", "rows_gru", "crnn_strip"])
def test_a_network_without_blocks_is_drawn_as_it_was(name: str) -> None:
    trace = recorded(name)
    assert all(fold_at(trace, timeline(trace).settled(0), replace(Look(), knobs=knobs)) is None
               for knobs in ((), ((KNOB, FOLLOW),), ((KNOB, OPEN),)))


def test_scopes_of_onnx_are_modules() -> None:
    assert blocks.split_name("/layer1/layer1.0/conv1/Conv") == ("layer1", "0", "conv1", "Conv")
    assert blocks.split_name("layer1.0.relu#2") == ("layer1", "0", "relu#2")


# --- folded ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", MADE)
def test_a_folded_recording_holds_what_was_recorded(name: str) -> None:
    trace, random = deep(name), Random(name)
    known = [block.name for block in blocks.blocks(blocks.tree(trace))]
    for _ in range(8):
        chosen = Chosen(random.choice(blocks.WAYS), frozenset(random.sample(known, min(2, len(known)))),
                        frozenset(random.sample(known, min(2, len(known)))))
        place = random.randrange(len(trace.layers))
        parts = visible(trace, chosen, place)
        covered = [number for part in parts for number in (
            range(part.first, part.last + 1) if isinstance(part, Block) else (part,))]
        assert covered == list(range(len(trace.layers)))  # every layer once, in order
        fold = blocks.folded(trace, parts)
        for layer in fold.trace.layers:
            assert layer.output is trace[layer.name].output
            assert layer.gradient is trace[layer.name].gradient
            own = {name for name, seen in fold.place.items() if seen == layer.name}
            read = {fold.place[one] for name in own for one in trace[name].reads if one not in own}
            assert set(layer.reads) == read
        for beat in timeline(trace).beats[::5]:
            there = fold.moment(timeline(trace).find(beat.address))
            assert there.beat.layer == fold.place[beat.layer]
            assert timeline(fold.trace).beats[there.index] == there.beat


@pytest.mark.parametrize("name", ["resnet18", "unet"])
def test_a_closed_block_computes_from_its_first_layer_to_its_last(name: str) -> None:
    trace = deep(name)
    times, look = timeline(trace), replace(Look(), knobs=((KNOB, CLOSED),))
    before: tuple[int, float] = (-1, 1.0)
    for index in range(len(times.beats)):
        for phase in (0.25, 1.0):
            moment = replace(times.settled(index), phase=phase)
            fold = fold_at(trace, moment, look)
            assert fold is not None
            there = fold.moment(moment)
            assert (there.index, there.phase) >= before  # never back, forwards and on the way back
            before = there.index, there.phase
            last = fold.place[moment.beat.layer] == moment.beat.layer
            assert (there.phase == 1) == (phase == 1 if last or not moment.backward else True) or \
                (not moment.backward and not last and there.phase < 1)


def test_the_closed_block_of_a_beat_is_lit_and_says_how_far_it_is() -> None:
    trace = deep("resnet18")
    ahead, back = (of(trace, CLOSED, f"layer2.0.conv2.{way}") for way in ("forward", "backward"))
    for picture, ink in ((ahead, "accent"), (back, "gradient-mark")):
        assert any(isinstance(mark, Rect) and mark.fill == "sunk" and mark.stroke == ink for mark in picture)
    words = {mark.plain for mark in ahead if isinstance(mark, Text)}
    assert "4 of 16 layers" in words
    assert "13 of 16 layers" in {mark.plain for mark in back if isinstance(mark, Text)}


@pytest.mark.parametrize("name", ["resnet18", "encoder", "perceptron"])
def test_every_number_said_of_a_folded_network_is_true(name: str) -> None:
    trace = deep(name)
    beats = timeline(trace).beats
    for word in (FOLLOW, CLOSED):
        for beat in beats[3::len(beats) // 5]:
            forget(trace)  # what is kept would not be said again
            with listening(placing=True) as heard:
                texts = texts_of(of(trace, word, beat.address), True)
            wrong = [claim for claim in heard if not true(trace, claim)]
            assert not wrong, (beat, [(claim, worked_out(trace, claim)) for claim in wrong[:3]])
            assert not (bare := unclaimed(trace, texts, heard)), (beat, bare[:3])


# --- on one screen --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", ["1600x900", "1024x768"])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "unet"])
def test_every_beat_has_its_whole_block_on_the_screen(name: str, size: str) -> None:
    trace, look = deep(name), SIZES[size]
    for moment in map(timeline(trace).settled, range(0, len(timeline(trace).beats), 3 if name != "resnet50" else 7)):
        fold = fold_at(trace, moment, look)
        assert fold is not None
        there = fold.moment(moment)
        pair = pair_of(fold.trace, there.beat)
        plan = lens(fold.trace, look, passages(fold.trace), pair)
        own = blocks.beside(fold.trace, there.beat.layer) if there.beat.layer == pair.right else \
            blocks.beside(fold.trace, pair.right)
        shown = {column for column, at in plan.columns.items() if at.style != "hidden"}
        assert own | set(pair.layers) <= shown, (moment.address, own - shown)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["resnet18", "unet", "densenet", "inception", "encoder", "perceptron"])
def test_words_keep_apart_in_folded_pictures(name: str, size: str) -> None:
    trace, random = deep(name), Random(f"{name} {size}")
    times = timeline(trace)
    for word in (FOLLOW, CLOSED):
        for index in sorted(random.sample(range(1, len(times.beats)), 4)):
            picture = of(trace, word, times.beats[index].address, size)
            found = [fault for fault in faults(picture, SIZES[size].text_scale) if "zero of" not in fault]  # `0.0` may
            assert not found, (times.beats[index].address, found[:3])                                 # be a name


# --- opened and closed ----------------------------------------------------------------------------------------------

def test_what_opens_and_closes_is_in_the_picture_and_in_the_state() -> None:
    trace = deep("resnet50")
    state, times = State(), timeline(trace)
    moment = times.settled(0)
    opens = {mark.tip: mark.holds for mark in of(trace) if isinstance(mark, Rect) and isinstance(mark.holds, Choice)}
    assert {"Open layer1", "Open layer2", "Open layer3", "Open layer4"} <= set(opens)
    choice = opens["Open layer3"]
    state = does.turned(state, choice.knob, choice.word)
    assert from_json(to_json(state)) == state
    fold = fold_at(trace, moment, state.look)
    assert fold is not None
    assert [block.name for block in fold.closed.values()] == ["layer1", "layer2", "layer3.0", "layer3.1…layer3.5",
                                                              "layer4"]
    closes = [mark.holds for mark in of(trace, choice.word) if isinstance(mark, Rect) and mark.tip == "Close layer3"]
    shut = fold_at(trace, moment, does.turned(state, closes[0].knob, closes[0].word).look)
    assert shut is not None
    assert [block.name for block in shut.closed.values()] == ["layer1", "layer2", "layer3", "layer4"]


def test_enter_opens_and_escape_closes_from_the_inside_out() -> None:
    trace = deep("resnet50")
    moment = timeline(trace).find("layer3.2.conv2.forward")
    state, seen = State(), []
    while (after := block_closed(state, trace, moment)) is not None:
        state = after
        fold = fold_at(trace, moment, state.look)
        assert fold is not None
        seen.append(fold.closed[fold.place[moment.beat.layer]].name)
    assert seen == ["layer3.1…layer3.5", "layer3"]
    for _ in seen:
        state = into(state, trace, moment, frozenset())
    fold = fold_at(trace, moment, state.look)
    assert fold is not None
    assert fold.place[moment.beat.layer] == moment.beat.layer
    assert state.focus is None


def test_any_words_of_the_knob_give_a_picture() -> None:
    trace, random = deep("resnet18"), Random(3)
    names = [block.name for block in blocks.blocks(blocks.tree(trace))]
    for _ in range(12):
        words = "|".join([random.choice((*blocks.WAYS, "", "nonsense")), *(
            random.choice("+-x") + random.choice((*names, "layer9", "")) for _ in range(random.randrange(4)))])
        at = random.choice(timeline(trace).beats).address
        assert of(trace, words, at).size == (1104, 796)


def test_a_walk_goes_block_by_block() -> None:
    trace = deep("resnet18")
    beats = timeline(trace).beats
    stops = [beats[number].address for number in blocks.ends(trace)]
    assert stops[:5] == ["maxpool.forward", "layer1.0.relu#2.forward", "layer1.1.relu#2.forward",
                         "layer2.0.relu#2.forward", "layer2.1.relu#2.forward"]
    assert stops[-1] == beats[-1].address
    assert "layer4.1.conv1.backward" in stops


def test_only_views_that_fold_have_the_knob() -> None:
    assert {view.name for view in all_views() if KNOB in dict(view.knobs)} == {"network", "gradient_flow"}


@pytest.mark.parametrize("size", ["1600x900", "1024x768"])
def test_the_flow_of_gradient_has_one_place_for_a_closed_block(size: str) -> None:
    trace = deep("resnet50")
    at = timeline(trace).find("layer3.2.conv2.backward")
    with listening(placing=True) as heard:
        picture = draw(find("gradient_flow"), trace, at, None, SIZES[size])
    assert not (wrong := [claim for claim in heard if not true(trace, claim)]), wrong[:3]
    assert not (found := list(faults(picture, 1.0))), found[:3]
    foci = {mark.focus.layer for mark in picture if getattr(mark, "focus", None) is not None}
    assert "layer3.2.conv1" in foci
    assert "layer2.1.conv1" not in foci
    opens = {mark.tip for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Choice)}
    assert "Open layer1" in opens
    assert len(picture.table.rows) == len(trace.layers)  # the numbers of all of them


def test_the_inspector_says_in_which_module_a_layer_stands() -> None:
    trace = deep("resnet18")
    found = [{row[0]: row[1] for row in page(trace, timeline(trace).find(name), Focus(name), Look()).table.rows
                  if len(row) > 1}.get("Stands in") for name in ("layer3.1.conv2", "conv1")]
    assert found == ["layer3.1, Residual", None]
