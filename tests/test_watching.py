"""A training that is watched: the film that comes of it, and that the training is the same to the last bit."""

from __future__ import annotations

import copy
import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import optimizer as of_torch

import visualizer
from visualizer import door
from visualizer.record import watching
from visualizer.scene.reel import Reel
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused


class Mixed(nn.Module):
    """All that has a state of its own while it is trained: batch norm, dropout, a recurrent net with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.3)
        self.gru = nn.GRU(4, 5, num_layers=2, dropout=0.4, batch_first=True)
        self.head = nn.Linear(5, 3)
        self.frozen = nn.BatchNorm1d(5).eval()

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.norm(self.conv(x)).relu())
        return self.head(self.frozen(self.gru(x.transpose(1, 2))[0][:, -1]))


def trained(steps: int, watched: Path | None = None, **options) -> tuple[nn.Module, torch.optim.Optimizer, list]:
    """A net after so many steps, with all that chance gave it; and what was there before each step."""
    torch.manual_seed(5)
    model = Mixed()
    optimizer = torch.optim.Adam(model.parameters(), 0.05, amsgrad=True)
    data, truth = torch.randn(4, 6, 2, 7), torch.randint(0, 3, (4, 6))
    watcher = None if watched is None else visualizer.watch(model, data[0, :1], folder=watched, **options)
    seen = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(data[step % 4]), truth[step % 4])
        loss.backward()
        optimizer.step()
        seen.append([loss.item(), torch.rand(1).item(), [part.training for part in model.modules()],
                     [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]])
    if watcher is not None:
        watcher.stop()
    return model, optimizer, seen


def alike(one, other) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def test_the_training_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    alone, watched = trained(7), trained(7, tmp_path, every=2)
    assert len(list(tmp_path.iterdir())) == 5
    assert alike(alone[0].state_dict(), watched[0].state_dict())
    assert alike(alone[1].state_dict(), watched[1].state_dict())
    assert alike(alone[2], watched[2])


def test_nothing_is_left_on_the_model(tmp_path: Path) -> None:
    hooks = len(of_torch._global_optimizer_post_hooks)
    model, _, _ = trained(3, tmp_path, every=2)
    assert len(of_torch._global_optimizer_post_hooks) == hooks
    assert all(not each for part in model.modules() for each in
               (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._forward_hooks_always_called))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_a_model_that_is_thrown_away_is_watched_no_longer(tmp_path: Path) -> None:
    hooks = len(of_torch._global_optimizer_post_hooks)
    model = nn.Linear(2, 2)
    visualizer.watch(model, torch.ones(1, 2), folder=tmp_path)
    assert len(of_torch._global_optimizer_post_hooks) == hooks + 1
    del model
    gc.collect()
    assert len(of_torch._global_optimizer_post_hooks) == hooks


def test_each_recording_has_the_numbers_of_its_step(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 2)), torch.randn(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    there = {0: copy.deepcopy(model)}
    with visualizer.watch(model, x[:1], target=1, every=2, folder=tmp_path, labels=("a", "b")):
        for step in range(1, 6):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), torch.ones(8, dtype=torch.long)).backward()
            optimizer.step()
            there[step] = copy.deepcopy(model)
    names = door.recognise(tmp_path).inside
    assert names == ("step-0.trace", "step-2.trace", "step-4.trace", "step-5.trace"), "and the last one"
    for name in names:
        trace = visualizer.load(tmp_path / name)
        then = there[trace.facts["step"]].eval()
        torch.testing.assert_close(torch.tensor(trace["2"].output), then(x[:1])[0].detach(), rtol=1e-6, atol=1e-7)
        loss = nn.functional.cross_entropy(then(x[:1]), torch.tensor([1]))
        (gradient,) = torch.autograd.grad(loss, then[0].weight)
        np.testing.assert_allclose(trace["0"].weight_gradients["weight"], gradient, rtol=1e-5, atol=1e-8)


def test_its_folder_is_a_film(tmp_path: Path) -> None:
    trained(4, tmp_path, every=2)
    names = door.recognise(tmp_path).inside
    recordings = tuple(visualizer.load(tmp_path / name) for name in names)
    reel = Reel(recordings, names, timeline(recordings[0]).settled(0))
    assert [reel.title(index) for index in range(3)] == list(names)


def test_there_are_never_too_many(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    watcher = visualizer.watch(model, torch.ones(1, 2), every=1, folder=tmp_path, most=4)
    for _ in range(13):
        watcher.step()
        assert len(list(tmp_path.iterdir())) <= 4
    assert watcher.every == 4
    assert door.recognise(tmp_path).inside == ("step-0.trace", "step-4.trace", "step-8.trace", "step-12.trace")
    watcher.stop()
    size = (tmp_path / "step-0.trace").stat().st_size
    watcher = visualizer.watch(model, torch.ones(1, 2), every=1, folder=tmp_path / "small", budget=3 * size)
    for _ in range(9):
        watcher.step()
    assert sum(path.stat().st_size for path in (tmp_path / "small").iterdir()) <= 3 * size
    watcher.stop()


def test_steps_are_those_of_an_optimizer_that_has_its_weights(tmp_path: Path) -> None:
    """Accumulated gradients make one step of two passes; another model's optimizer makes none."""
    model, other = nn.Linear(2, 2), nn.Linear(2, 2)
    mine, others = (torch.optim.SGD(each.parameters(), 0.1) for each in (model, other))
    with visualizer.watch(model, torch.ones(1, 2), folder=tmp_path) as watcher:
        for _ in range(3):
            for _ in range(2):
                model(torch.ones(4, 2)).sum().backward()
                other(torch.ones(4, 2)).sum().backward()
            mine.step()
            others.step()
        assert watcher.steps == 3


def test_without_an_input_it_takes_the_first_sample_of_the_training(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x = torch.randn(5, 3)
    with visualizer.watch(model, every=1, folder=tmp_path):
        model.eval()(torch.zeros(1, 3))
        model.train()(x).sum().backward()
        optimizer.step()
    first = visualizer.load(tmp_path / "step-0.trace")
    np.testing.assert_array_equal(first["input"].output, x[0])
    assert door.recognise(tmp_path).inside == ("step-0.trace", "step-1.trace")


def test_under_autocast_its_recordings_are_in_the_precision_of_the_weights(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with visualizer.watch(model, torch.ones(1, 3), every=1, folder=tmp_path), torch.autocast("cpu", torch.bfloat16):
        model(torch.ones(4, 3)).sum().backward()
        optimizer.step()
    for name in ("step-0.trace", "step-1.trace"):
        assert not any(layer.dtype for layer in visualizer.load(tmp_path / name))


@pytest.mark.parametrize(("given", "says"), [
    ({"every": 0}, "1 or more"), ({"most": 1}, "2 recordings or more"), ({"x": torch.ones(3, 2)}, "x[:1]"),
    ({"x": torch.ones(1, 7)}, "made for"),
])
def test_what_cannot_be_watched_is_said_at_once(given: dict, says: str, tmp_path: Path) -> None:
    hooks = len(of_torch._global_optimizer_post_hooks)
    with pytest.raises(Refused) as refused:
        visualizer.watch(nn.Linear(2, 2), **{"x": torch.ones(1, 2), "folder": tmp_path / "run", **given})
    assert says in str(refused.value)
    assert len(of_torch._global_optimizer_post_hooks) == hooks
    assert not (tmp_path / "run").exists()


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    visualizer.watch(nn.Linear(2, 2), torch.ones(1, 2), folder=tmp_path)
    with pytest.raises(Refused, match="name another folder, or empty it"):
        visualizer.watch(nn.Linear(2, 2), torch.ones(1, 2), folder=tmp_path)


def test_a_recording_that_fails_does_not_end_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Linear(2, 2)
    watcher = visualizer.watch(model, torch.ones(1, 2), every=1, folder=tmp_path)
    monkeypatch.setattr(watching.registry, "write_whole", lambda *given: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.warns(UserWarning, match=r"^The training is watched no longer: disk full"):
        watcher.step()
    watcher.step()
    assert [path.name for path in tmp_path.iterdir()] == ["step-0.trace"]


def test_a_loop_in_which_no_step_was_seen_is_told_so(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="No optimizer made a step"), \
            visualizer.watch(nn.Linear(2, 2), torch.ones(1, 2), folder=tmp_path):
        pass


def test_an_error_of_the_loop_passes_through(tmp_path: Path) -> None:
    hooks = len(of_torch._global_optimizer_post_hooks)
    with pytest.raises(ZeroDivisionError), visualizer.watch(nn.Linear(2, 2), torch.ones(1, 2), folder=tmp_path):
        raise ZeroDivisionError
    assert len(of_torch._global_optimizer_post_hooks) == hooks


def test_the_app_opens_on_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr("visualizer.app.show", shown.append)
    visualizer.watch(nn.Linear(2, 2), torch.ones(1, 2), folder=tmp_path).show()
    assert shown == [tmp_path]
