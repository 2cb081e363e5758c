"""Training: the same numbers as a plain loop of PyTorch, one update as torch.optim makes it, and what goes wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import random
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import cli, door, registry
from visualizer.engine.requests import REQUESTS
from visualizer.record import training
from visualizer.record.catalog import source_of
from visualizer.record.training import folder, going
from visualizer.trace import Refused
from visualizer.train import (
    BETA1,
    BETA2,
    DEAD,
    EXPLODED,
    NOT_A_NUMBER,
    Update,
    anomalies,
    course_from,
    course_of,
    is_kept,
    kept,
    knobs_from,
    news_from,
    plain_course,
    run_from,
    seen,
    sentence,
    turned,
)
from visualizer.train.branch import Branch, branch_of
from visualizer.train.taken_apart import Before, stages

SMALL = "mlp_small"
"""The network whose updates take the least time."""


def grown(model, words=None, upto=20, **options):
    run, learner = training.begin(model, course_of(words or {}, training.taught(model)[0]), **options)
    for news in training.advance(run, learner, upto):
        run = run.grown(*news)
    return run, learner


# --- the loop, against a plain one ----------------------------------------------------------------------------------

def plain_loop(model, upto, make, seed=0, batch=None, clip=0.0):
    """As anyone writes it: the losses of so many updates, and the weights behind them."""
    source = source_of(model)
    task = source.live.task(source.prepare, None)
    torch.manual_seed(seed)
    net = source.build()
    optimiser = make(net.parameters())
    losses = []
    for step in range(upto):
        x, wanted = task.batch(seed, step, batch or source.live.batch)
        loss = task.loss(net(x), wanted)
        optimiser.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimiser.step()
        losses.append(loss.item())
    return losses, net


@pytest.mark.parametrize(("model", "words", "make"), [
    (SMALL, {"optimiser": "sgd", "rate": "0.1"}, lambda weights: torch.optim.SGD(weights, 0.1)),
    (SMALL, {"optimiser": "momentum", "rate": "0.01"}, lambda weights: torch.optim.SGD(weights, 0.01, momentum=0.9)),
    ("digits_cnn", {"rate": "0.002"}, lambda weights: torch.optim.Adam(weights, 0.002)),
    ("recall_rnn", {"rate": "0.003", "clip": "1"}, lambda weights: torch.optim.Adam(weights, 0.003)),
])
def test_the_losses_are_those_of_a_plain_loop_to_the_bit(model, words, make) -> None:
    run, learner = grown(model, words, 12)
    losses, net = plain_loop(model, 12, make, clip=float(words.get("clip", 0)))
    assert run.column("loss").tolist() == losses
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), learner.net.parameters(), strict=True))
    bare, alone = training.begin(model, run.course)
    assert [news.updates[0].loss for news in training.advance(bare, alone, 12, watched=False)] == losses


def test_what_is_measured_of_an_update_is_what_it_did() -> None:
    run, learner = training.begin(SMALL, course_of({"optimiser": "sgd", "rate": "0.5"}), sample="digit-2148",
                                  watched=("fc1.weight:3,400",))
    before = {name: tensor.clone() for name, tensor in learner.net.state_dict().items()}
    x, wanted = learner.task.batch(0, 0, 32)
    ((update,), (checkpoint,), _) = next(training.advance(run, learner, 1))
    net = source_of(SMALL).build()
    net.load_state_dict(before)
    hidden = torch.relu(net.fc1(x.flatten(1)))
    nn.functional.cross_entropy(net.fc2(hidden), wanted).backward()
    sizes = [math.hypot(*(part.grad.double().norm().item() for part in layer.parameters()))
             for layer in (net.fc1, net.fc2)]
    np.testing.assert_allclose(update.gradient, sizes, rtol=1e-5)
    np.testing.assert_allclose(update.moved, [0.5 * size for size in sizes], rtol=1e-4)
    assert update.dead == (pytest.approx((hidden.amax(0) == 0).float().mean().item()),)
    assert update.saturated == (pytest.approx((hidden == 0).float().mean().item()),)
    np.testing.assert_allclose(update.spread, [hidden.std().item()], rtol=1e-5)
    assert update.watched == (learner.net.fc1.weight[3, 400].item(),)
    rows, right = learner.task.held
    answers = learner.net(rows)
    assert checkpoint.held_right == pytest.approx((answers.argmax(1) == right).float().mean().item())
    assert checkpoint.held_loss == pytest.approx(nn.functional.cross_entropy(answers, right).item(), rel=1e-5)
    assert sum(update.answer) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(checkpoint.weights["fc1.weight"], learner.net.fc1.weight.detach().numpy())


@pytest.mark.parametrize("model", ["adding_rnn", "adding_gru", "adding_lstm", "recall_gru", "recall_lstm_bias0",
                                   "recall_lstm_bias1", "recall_lstm_bias3", "mlp_mnist", "rows_rnn", "rows_gru",
                                   "rows_lstm", "char_rnn", "char_gru", "char_lstm"])
def test_every_short_recipe_makes_its_first_updates(model) -> None:
    run, _ = grown(model, upto=2)
    assert run.step == 2
    assert np.isfinite(run.columns("gradient")).all()
    assert (run.columns("moved") > 0).all()
    assert len(run.updates[-1].answer) in (1, len(run.labels))


def test_a_network_learns() -> None:
    run, _ = grown(SMALL, upto=100)
    first, last = run.checkpoints[0], run.checkpoints[-1]
    assert first.held_right < 0.25
    assert last.held_right > 0.6
    assert last.held_loss < first.held_loss / 2


@pytest.mark.matrix(sample=0, each=False)  # with --all: minutes
@pytest.mark.parametrize("model", training.trainable())
def test_a_short_recipe_is_as_good_as_its_file_says(model) -> None:
    live = source_of(model).live
    _, learner = training.begin(model)
    for _ in training.advance(training.begin(model)[0], learner, live.updates, watched=False):
        pass
    reached = training.at_the_end(learner)
    assert reached.held_loss <= live.loss
    assert not live.right or reached.held_right >= live.right


# --- the rows -------------------------------------------------------------------------------------------------------

def hashes(images) -> set[bytes]:
    return {hashlib.sha256(np.ascontiguousarray(image, np.uint8).tobytes()).digest() for image in images}


def test_no_row_is_learned_from_that_is_held_out_or_shipped_as_a_sample() -> None:
    images, labels = source_of(SMALL)._live.shipped_digits()
    task = source_of(SMALL).live.task(source_of(SMALL).prepare, None)
    assert (len(images), task.count, len(task.held[0])) == (4000, 3500, 500)
    learned, held = hashes(images[:3500]), hashes(images[3500:])
    from PIL import Image

    sheet = np.asarray(Image.open(registry.folder("assets") / "samples" / "mnist_digits.png"))
    samples = hashes(sheet.reshape(20, 28, 20, 28).swapaxes(1, 2).reshape(-1, 28, 28))
    assert len(samples) == 400
    assert not learned & held
    assert not (learned | held) & samples
    drawn = [task.batch(0, step, 500) for step in range(7)]  # one epoch
    assert hashes(np.round(255 * torch.cat([x for x, _ in drawn]).numpy())) == learned
    assert np.bincount(labels[3500:]).tolist() == [50] * 10


def test_no_character_is_learned_from_that_is_held_out_or_in_a_sample() -> None:
    source = source_of("char_rnn")
    text = (registry.folder("assets") / "train" / "shakespeare_train.txt").read_text(encoding="utf-8")
    samples = json.loads((registry.folder("assets") / "samples" / "shakespeare.json").read_text(encoding="utf-8"))
    assert len(text) == 200_000
    assert not [each["name"] for each in samples["samples"] if each["text"] in text]
    task = source.live.task(source.prepare, None)
    known = "".join(source.LABELS[place] for place in task.held[0].flatten().tolist())
    assert text[180_000:].startswith(known)
    assert len(known) > 19_900
    rows, following = task.batch(4, 9, 600)
    for row in rows[::60]:
        assert "".join(source.LABELS[place] for place in row.tolist()) in text[:180_000]
    assert torch.equal(rows[:, 1:], following[:, :-1])


@pytest.mark.parametrize("model", ["adding_rnn", "recall_rnn"])
def test_no_drawn_sequence_is_held_out_too(model) -> None:
    task = source_of(model).live.task(source_of(model).prepare, None)
    held = {row.numpy().tobytes() for row in task.held[0]}
    for seed in range(6):
        rows, _ = task.batch(seed, 0, 500)
        assert not held & {row.numpy().tobytes() for row in rows}


# --- one update taken apart -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("clip", ["off", "0.3"])
def test_one_update_taken_apart_is_what_torch_makes_of_it(optimiser, clip) -> None:
    words = {"optimiser": optimiser, "rate": "0.01", "clip": clip}
    _, learner = grown(SMALL, words, 6)
    for word in ("fc1.weight:3,400", "fc1.bias:5", "fc2.weight:2,7"):
        before = training.before_next(learner, word)
        again = training.resumed(training.begin(SMALL, course_of(words))[0], training.kept(learner))
        list(training.advance(training.begin(SMALL, course_of(words))[0], again, 7, watched=False))
        name = word.partition(":")[0]
        weight = dict(again.net.named_parameters())[name]
        made = {stage.name: stage.value for stage in stages(before, learner.knobs)}
        assert made["weight"] == pytest.approx(weight[before.cell].item(), rel=3e-7, abs=1e-9)
        state = again.optimiser.state[weight]
        for mine, theirs in {"first": "exp_avg", "second": "exp_avg_sq", "velocity": "momentum_buffer"}.items():
            if mine in made:
                assert made[mine] == pytest.approx(state[theirs][before.cell].item(), rel=2e-6, abs=1e-12)
        if clip == "off":
            assert made["gradient"] == pytest.approx(weight.grad[before.cell].item(), rel=1e-6, abs=1e-12)


def test_a_stage_is_the_sum_of_its_terms() -> None:
    before = Before("fc1", "weight", (3, 4), 10, 10, 0.5, -0.02, 1.7, {"exp_avg": 0.01, "exp_avg_sq": 4e-4})
    made = stages(before, knobs_from({"rate": "0.01"}))
    assert [stage.name for stage in made] == ["gradient", "first", "second", "first_corrected", "second_corrected",
                                              "step", "weight"]
    for stage in made:
        assert stage.value == pytest.approx(sum(tap.products.sum() for tap in stage.terms.taps), rel=1e-12)
    first = BETA1 * 0.01 + (1 - BETA1) * -0.02
    second = BETA2 * 4e-4 + (1 - BETA2) * 4e-4
    step = -0.01 * first / (1 - BETA1 ** 10) / (math.sqrt(second / (1 - BETA2 ** 10)) + 1e-8)
    assert made[-1].value == pytest.approx(0.5 + step, rel=1e-12)


def test_a_step_moves_the_loss_of_its_batch() -> None:
    _, learner = grown(SMALL, upto=3)
    state = {name: tensor.clone() for name, tensor in learner.net.state_dict().items()}
    before, after = training.loss_moves(learner, 0.1)
    x, wanted = learner.task.batch(0, 3, 32)
    assert before == pytest.approx(nn.functional.cross_entropy(learner.net(x), wanted).item(), rel=1e-6)
    assert after < before
    assert all(torch.equal(state[name], tensor) for name, tensor in learner.net.state_dict().items())


# --- what goes wrong ------------------------------------------------------------------------------------------------

def test_a_rate_that_explodes_is_named_and_the_checkpoint_before_is_kept() -> None:
    run, _ = grown("adding_gru", {"optimiser": "sgd", "rate": "1000", "clip": "off"}, 60)
    assert {each.what for each in run.named} & {EXPLODED, NOT_A_NUMBER}
    run, learner = training.begin(SMALL)
    for news in training.advance(run, learner, 4):
        run = run.grown(*news)
    with torch.no_grad():
        learner.net.fc2.bias[0] = math.inf
    ended = list(training.advance(run, learner, 20))
    run = run.grown(*ended[-1])
    assert len(ended) == 1
    assert run.stopped
    assert [each.what for each in run.named] == [NOT_A_NUMBER]
    assert "update 5 " in sentence(run.named[-1])


def test_where_a_number_is_none_the_weights_before_are_kept(monkeypatch) -> None:
    run, learner = training.begin(SMALL)
    list(training.advance(run, learner, 4))
    before = learner.net.fc1.weight.detach().clone()
    real = learner.task.loss
    learner.task = replace(learner.task, loss=lambda answers, wanted: real(answers, wanted) * math.nan)
    (news,) = training.advance(run, learner, 9)
    assert math.isnan(news.updates[0].loss)
    assert torch.equal(learner.net.fc1.weight, before)
    learner.task = replace(learner.task, loss=real)
    learner = training.resumed(run, training.Kept(4, training.kept(learner).weights, {}))
    learner.step = 8  # no checkpoint of its own
    learner.task = replace(learner.task, loss=lambda answers, wanted: real(answers, wanted) * math.nan)
    (news,) = training.advance(run, learner, 20)
    assert [each.step for each in news.checkpoints] == [8]
    assert np.array_equal(news.checkpoints[0].weights["fc1.weight"], before.numpy())


def test_a_dead_layer_and_a_vanished_gradient_are_named_when_they_begin() -> None:
    fine = Update(1, 2.3, 0.1, (1.0, 1.0), (0.1, 0.1), (1.0, 1.0), (0.1,), (0.4,), (1.0,))
    dead = Update(2, 2.3, 0.1, (0.0, 1.0), (0.0, 0.1), (1.0, 1.0), (0.9,), (0.95,), (0.1,))
    assert anomalies(fine, fine, ("a", "b"), ("relu",)) == []
    assert [(each.what, each.where) for each in anomalies(dead, fine, ("a", "b"), ("relu",))] == [
        (DEAD, "relu"), ("vanished", "a")]
    run, _ = grown(SMALL, {"init": "zero"}, 2)
    assert "fc1 has vanished" in " ".join(sentence(each) for each in run.named)
    run, _ = grown(SMALL, {"activation": "sigmoid", "rate": "1"}, 12)
    assert "saturated" in {each.what for each in run.named}


@pytest.mark.parametrize(("words", "said"), [
    ({"rate": "0"}, "rate cannot be '0'"), ({"rate": "fast"}, "rate cannot be"), ({"batch": "1.5"}, "whole number"),
    ({"batch": "3501"}, "3,500 rows"), ({"optimiser": "lion"}, "sgd, momentum, adam"), ({"forget": "1"}, "forget gate"),
])
def test_a_bad_knob_is_refused_in_one_sentence(words, said) -> None:
    with pytest.raises(Refused, match=said):
        grown(SMALL, words, 1)


def test_other_bad_wishes_are_refused() -> None:
    with pytest.raises(LookupError, match="no knob 'spam'"):
        course_of({"spam": "1"})
    with pytest.raises(Refused, match="at least 1"):
        grown(SMALL, upto=0)
    with pytest.raises(Refused, match="short training"):
        training.begin("photos_cnn")
    with pytest.raises(Refused, match="has no weight"):
        training.begin(SMALL, watched=("fc9.weight:0,0",))
    with pytest.raises(Refused, match="cannot be read in"):
        training.begin(SMALL, data="/nowhere")
    with pytest.raises(Refused, match="course"):
        course_from([[3, {}]])
    with pytest.raises(Refused, match="tanh or ReLU"):
        grown("rows_rnn", {"activation": "sigmoid"}, 1)


@pytest.mark.parametrize(("words", "there"), [
    ({"activation": "tanh", "norm": "batch"}, (nn.Tanh, nn.BatchNorm2d)),
    ({"norm": "layer"}, (nn.LayerNorm, nn.ReLU)),
])
def test_the_knobs_change_the_network(words, there) -> None:
    run, learner = grown("digits_cnn", words, 3)
    assert all(any(isinstance(part, kind) for part in learner.net.modules()) for kind in there)
    assert training.recorded(run, run.checkpoints[-1]).facts["step"] == 3


def test_the_forget_bias_is_the_sum_of_both_biases() -> None:
    _, learner = training.begin("adding_lstm", course_of({"forget": "2"}))
    lstm = learner.net.lstm
    assert set((lstm.bias_ih_l0 + lstm.bias_hh_l0)[48:96].tolist()) == {2.0}


# --- courses, branches, files ---------------------------------------------------------------------------------------

def test_checkpoints_are_even_on_a_log_axis() -> None:
    kept_at = [step for step in range(1001) if is_kept(step)]
    assert kept_at[:9] == [0, 1, 2, 3, 4, 6, 7, 10, 13]
    assert len(kept_at) >= 12
    assert max(b / a for a, b in pairwise(kept_at[5:])) < 1.5


def test_a_turned_knob_branches_and_the_rest_stays() -> None:
    course = turned(course_of({"rate": "0.01"}), 5, {"rate": "0.1"})
    assert [start for start, _ in course] == [0, 5]
    assert course_from(json.loads(json.dumps(plain_course(course)))) == course
    assert turned(course, 5, {"seed": "3"}) == course_of({"rate": "0.1", "seed": "3"})
    words = going.Words(SMALL, course_of({"rate": "0.01"}))
    whole = going.going(words)
    list(going.onwards(whole, 9))
    branch = going.going(going.Words(SMALL, course))
    assert branch.run.step == 5
    list(going.onwards(branch, 9))
    alone, learner = training.begin(SMALL, course)
    for news in training.advance(alone, learner, 9):
        alone = alone.grown(*news)
    assert branch.run.updates == alone.updates
    assert branch.run.updates[:5] == whole.run.updates[:5]
    assert branch.run.updates[5] != whole.run.updates[5]


def test_a_run_crosses_and_is_kept_as_it_was() -> None:
    run, _ = grown(SMALL, upto=6, watched=("fc1.bias:0",))
    plain = json.loads(json.dumps(run.plain()))
    assert run_from(plain).plain() == run.plain()
    content = kept.to_bytes(run, {})
    assert content == kept.to_bytes(run_from(plain), {})
    again, _ = kept._of_bytes(content)
    assert again.plain() == run.plain()


def test_a_run_is_written_cut_off_and_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    place = tmp_path / "run"
    course = course_of({}, training.taught(SMALL)[0])
    run, learner = folder.started(place, SMALL, course, sample="digit-2148")
    list(folder.written(place, run, learner, 9))
    found = door.recognise(str(place))
    assert found.what == door.RUN
    assert door.last_of(found) == str(place / kept.NAME)
    (place / kept.NAME).write_bytes(_as_at(7))  # as if it had been killed behind it
    run, learner = folder.taken_up(place)
    assert run.step == 7
    *_, run = folder.written(place, run, learner, 12)
    alone, _ = grown(SMALL, upto=12, sample="digit-2148")
    assert run.updates == alone.updates
    uncut = tmp_path / "uncut"
    list(folder.written(uncut, *folder.started(uncut, SMALL, course, sample="digit-2148"), 12))
    for path in uncut.iterdir():  # one checkpoint more than the uncut one has, where it had stopped for the first time
        if path.name != kept.NAME:
            assert (place / path.name).read_bytes() == path.read_bytes(), path.name
    mine, other = kept.read(place / kept.NAME), kept.read(uncut / kept.NAME)
    assert mine[0].plain() == other[0].plain()
    assert {name: array.tobytes() for name, array in mine[1].items()} == \
        {name: array.tobytes() for name, array in other[1].items()}
    assert (place / kept.NAME).read_bytes() == (uncut / kept.NAME).read_bytes()
    with pytest.raises(Refused, match="already"):
        folder.started(place, SMALL, course)


def _as_at(step):
    """The file as it stood at an earlier checkpoint."""
    alone, learner = grown(SMALL, upto=step, sample="digit-2148")
    return kept.to_bytes(alone, {name: tensor.numpy() for name, tensor in training.kept(learner).moments.items()})


def test_a_full_disk_is_told_and_the_run_so_far_is_kept(tmp_path: Path, monkeypatch, capsys) -> None:
    written = registry.write_whole

    def full(path, data):
        if path.name == "step-4.trace":
            raise registry.NotWritten(path, OSError(errno.ENOSPC, "No space left on device"))
        return written(path, data)

    monkeypatch.setattr(registry, "write_whole", full)
    place = str(tmp_path / "run")
    assert cli.main(["train", SMALL, "--updates", "6", "-o", place]) == cli.NOT_DONE
    said = capsys.readouterr().err
    assert "the disk is full" in said
    assert "--resume" in said
    monkeypatch.undo()
    assert cli.main(["train", SMALL, "--updates", "6", "--resume", "--json", "-o", place]) == cli.DONE
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["updates"] == 6
    assert cli.main(["train", SMALL, "--updates", "6", "-o", place]) == cli.REFUSED
    assert cli.main(["train", SMALL, "--updates", "0", "-o", place]) == cli.WRONG_USAGE
    assert cli.main(["train", SMALL, "--set", "spam=1", "-o", str(tmp_path / "other")]) == cli.WRONG_USAGE


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    run, _ = grown(SMALL, upto=1)
    content = bytearray(kept.to_bytes(run, {}))
    chance = random.Random(0)
    for length in (0, 5, 100, len(content) // 2):
        (tmp_path / kept.NAME).write_bytes(bytes(content[:length]))
        with pytest.raises(Refused):
            kept.read(tmp_path / kept.NAME)
    for _ in range(20):
        spoiled = bytearray(content)
        spoiled[chance.randrange(2000)] ^= 1 << chance.randrange(8)
        (tmp_path / kept.NAME).write_bytes(bytes(spoiled))
        with suppress(Refused):
            kept.read(tmp_path / kept.NAME)


# --- the engine -----------------------------------------------------------------------------------------------------

def heard(request):
    """What a streaming request tells, and its answer."""
    told = []
    while True:
        try:
            told.append(next(request)[1])
        except StopIteration as end:
            return [json.loads(words) for words in told if words], end.value


def test_the_engine_trains_pauses_and_goes_on() -> None:
    course = plain_course(course_of({"seed": "11"}, training.taught(SMALL)[0]))
    told, answer = heard(REQUESTS["train"](SMALL, course, 8, "digit-2148"))
    assert answer == {"step": 8, "stopped": False}
    run = run_from(told[0])
    for plain in told[1:]:
        run = run.grown(*news_from(plain))
    alone, learner = grown(SMALL, {"seed": "11"}, 8, sample="digit-2148")
    assert not is_kept(8)
    assert run.plain() == alone.grown(checkpoints=(training.at_the_end(learner),)).plain()  # where it stands at the end
    request = REQUESTS["train"](SMALL, course, 10_000, "digit-2148", known=8)
    next(request)
    next(request)
    next(request)
    request.close()  # a pause
    told, answer = heard(REQUESTS["train"](SMALL, course, 10, "digit-2148", known=8))
    assert [each.step for each in news_from(told[0])[0]] == [9, 10]
    told, answer = heard(REQUESTS["train"](SMALL, course, 0, "digit-2148", known=8))  # what there is, the pause and all
    assert answer["step"] > 10
    assert [each.step for each in news_from(told[0])[0]] == list(range(9, answer["step"] + 1))
    told, answer = heard(REQUESTS["train"](SMALL, course, 10, "digit-3", known=6, again=True))
    more = [news_from(plain) for plain in told]
    assert [each.step for updates, _, _ in more for each in updates] == [7, 8, 9, 10]
    assert [each.loss for updates, _, _ in more for each in updates] == alone.column("loss").tolist()[6:] + [
        each.loss for each in grown(SMALL, {"seed": "11"}, 10)[0].updates[8:]]
    whole = run_from(heard(REQUESTS["train"](SMALL, course, 0, "digit-3"))[0][0])
    other, _ = grown(SMALL, {"seed": "11"}, 10, sample="digit-3")  # as if it had been looked at from the first on
    assert {each.step: each.answer for each in whole.checkpoints} | {10: other.updates[9].answer} == {
        each.step: pytest.approx(other.updates[each.step - 1].answer if each.step else other.checkpoints[0].answer)
        for each in whole.checkpoints}
    assert REQUESTS["trainable"](SMALL)["offers"][-1] == "seed"
    trace = REQUESTS["checkpoint"](SMALL, course, 7, "digit-2148")["trace"]
    assert trace.facts["step"] == 7
    one = REQUESTS["one_update"](SMALL, course, 8, "fc1.weight:3,400", "digit-2148")
    assert one["loss"][1] < one["loss"][0]
    before = Before(**one["before"] | {"cell": tuple(one["before"]["cell"])})
    after = REQUESTS["one_update"](SMALL, course, 9, "fc1.weight:3,400", "digit-2148")["before"]["weight"]
    assert stages(before, knobs_from(one["knobs"]))[-1].value == pytest.approx(after, rel=3e-7, abs=1e-9)


def test_a_branch_is_one_word_and_the_window_knows_what_can_be_trained() -> None:
    branch = Branch(SMALL, course_of({"rate": "0.003", "forget": "2.5"}, training.taught(SMALL)[0]))
    turned_off = branch.turned(12, {"optimiser": "sgd", "clip": "1"}).turned(40, {"rate": "10"})
    for each in (branch, turned_off, turned_off.again(12), branch.turned(9, {"seed": "4"})):
        assert branch_of(each.word, SMALL) == each
        assert branch_of(each.word, "mlp_mnist") is None
    assert turned_off.again(12).course == turned_off.course[:2]
    assert (turned_off.since, branch.turned(9, {"seed": "4"}).since) == (40, 0)
    for wrong in ("", "spam", f"{SMALL}#1+0 5,rate=1", f"{SMALL}#1+0 0,spam=1", f"{SMALL}#1+0 0,rate", f"{SMALL}#x 0"):
        assert branch_of(wrong, SMALL) is None
    assert [name for name in registry.models() if kept.has_recipe(name)] == list(training.trainable())


def test_arrays_that_grow_are_those_of_the_whole_run() -> None:
    run, learner = training.begin(SMALL, sample="digit-2148")
    held = seen.arrays(run)
    for news in training.advance(run, learner, 14):
        run = run.grown(*news)
        held = seen.grown(held, *news)
        held = seen.grown(held, *news)  # what it holds already stays
    whole = seen.arrays(run)
    assert held.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(held[name], array, err_msg=name)
    start = seen.arrays(run.until(7))
    for name, array in seen.until(held, 7).items():
        np.testing.assert_array_equal(array, start[name], err_msg=name)
    behind = seen.beside(start, seen.BEHIND, held, 7)
    assert behind["behind/step"].tolist() == list(range(7, 15))
    assert behind["behind/held_loss"].tolist() == [each.held_loss for each in run.checkpoints if each.step >= 7]
    assert seen.beside(behind, seen.BEHIND, None).keys() == start.keys()


# --- the runs that come with the app --------------------------------------------------------------------------------

def test_longer_runs_come_with_the_app() -> None:
    files = registry.files("assets", "train/*.run")
    assert {path.stem for path in files} >= {"digits_cnn", "adding_lstm"}
    assert sum(path.stat().st_size for path in files) <= 1_500_000
    for path in files:
        run = kept.stored(path.stem)
        assert len(run.checkpoints) >= 12
        assert run.best.held_loss < run.checkpoints[0].held_loss / 3
        assert run.course == course_of({}, training.taught(path.stem)[0])
        start, learner = training.begin(path.stem, run.course, sample=run.sample)
        for news in training.advance(start, learner, 2):
            start = start.grown(*news)
        np.testing.assert_allclose(start.columns("gradient"), run.columns("gradient")[:2], rtol=1e-4)
        for mine, theirs in zip(start.checkpoints, run.checkpoints, strict=False):
            for name, array in mine.weights.items():
                np.testing.assert_allclose(theirs.weights[name], array, rtol=1e-3, atol=1e-4)
    shipped = sum(path.stat().st_size for path in registry.files("assets", "train/*_train.*"))
    assert shipped <= 1_000_000
