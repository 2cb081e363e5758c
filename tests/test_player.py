"""The player: a clock told by the test, so that nothing waits and every frame is exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from tests.test_timeline import chain
from visualizer import registry
from visualizer.export.film import Film
from visualizer.scene import state as states
from visualizer.scene.picture import Focus, Look
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui.player import TICK, Player
from visualizer.ui.store import Store


@dataclass
class Clock:
    """Milliseconds, moved by hand."""

    now: Fraction = Fraction(12_345)

    def __call__(self) -> Fraction:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(qapp) -> Store:
    """At a view whose beats have the pace of the timeline itself."""
    return Store(changed(State(), view="gradient_flow", at="input.forward@0"), chain(4))


@pytest.fixture
def player(store: Store, clock: Clock) -> Player:
    return Player(store, clock)


def after(milliseconds: float | Fraction, clock: Clock, player: Player) -> None:
    clock.now += Fraction(milliseconds)
    player.tick()


def test_no_timer_runs_while_nothing_plays(store, player) -> None:
    assert not player.running
    store.update(playing=True)
    assert player.running
    store.update(playing=False)
    assert not player.running


def test_every_frame_is_exactly_that_of_the_timeline(store, player, clock) -> None:
    """Frame i of 30 a second stands where the film's frame i stands, after hundreds of ticks as after one."""
    store.update(playing=True)
    start = clock.now
    frames = int(store.timeline.seconds * 30)
    shown = 0
    for frame in range(1, frames):
        clock.now = start + Fraction(1000 * frame, 30)
        player.tick()
        if store.state.playing:
            assert store.state.at == store.timeline.at(Fraction(frame, 30)).address
            shown += 1
    assert shown > 100


def test_late_ticks_skip_frames_and_leave_none_waiting(store, player, clock) -> None:
    changes: list[str] = []
    store.changed.connect(lambda old, new: changes.append(new.at))
    store.update(playing=True)
    after(2000, clock, player)
    assert store.state.at == store.timeline.at(2).address
    assert len(changes) == 2  # the start, and one jump


def test_it_continues_from_the_second_of_the_moment_it_stands_at(store, player, clock) -> None:
    store.update(at="layer2.forward@0.5")
    store.update(playing=True)
    after(60, clock, player)
    assert store.state.at == "layer2.forward@0.6"  # 60 of 600 ms


def test_a_settled_beat_rests_before_the_next_one_begins(store, player, clock) -> None:
    store.update(at="layer1.forward", playing=True)
    after(240, clock, player)
    assert store.state.at == "layer1.forward"
    after(70, clock, player)
    assert store.state.at == "layer2.forward@0.1"


def test_a_pause_of_any_length_loses_nothing_and_skips_nothing(store, player, clock) -> None:
    store.update(playing=True)
    after(300, clock, player)
    store.update(playing=False)
    after(1_000_000, clock, player)
    assert store.state.at == "input.forward@0.5"
    store.update(playing=True)
    after(60, clock, player)
    assert store.state.at == "input.forward@0.6"


def test_speed_multiplies_time_and_changes_without_a_jump(store, player, clock) -> None:
    store.update(playing=True)
    after(100, clock, player)
    clock.now += 50
    store.update(speed=4.0)
    after(25, clock, player)
    assert store.state.at == store.timeline.at(Fraction(150 + 4 * 25, 1000)).address
    clock.now += 10
    store.update(speed=0.25)
    after(40, clock, player)
    assert store.state.at == store.timeline.at(Fraction(150 + 4 * 35 + 10, 1000)).address


def test_being_put_elsewhere_while_playing_goes_on_from_there(store, player, clock) -> None:
    store.update(playing=True)
    after(100, clock, player)
    store.update(at="layer2.backward@0.25")
    after(100, clock, player)
    assert store.state.at == "layer2.backward@0.5"  # 100 of 400 ms


def test_the_backward_half_follows_the_forward_half(store, player, clock) -> None:
    store.update(playing=True)
    order: list[int] = []
    for _ in range(int(store.timeline.seconds * 1000 / TICK) + 1):
        after(TICK, clock, player)
        assert store.moment is not None
        order.append(store.moment.index)
    assert order == sorted(order)
    assert set(order) == set(range(len(store.timeline.beats)))
    forward = [beat.direction for beat in store.timeline.beats]
    assert forward == ["forward"] * 4 + ["backward"] * 3


def test_it_stops_at_the_end_on_the_last_beat_settled(store, player, clock) -> None:
    store.update(playing=True)
    after(float(store.timeline.seconds) * 1000 * 10, clock, player)
    assert store.state.at == "input.backward"
    assert not store.state.playing
    assert not player.running


def test_play_at_the_end_starts_again_from_the_beginning(store, player, clock) -> None:
    store.apply(lambda state: states.last(state, store.timeline))
    store.apply(lambda state: states.play(state, store.timeline))
    assert player.running
    after(300, clock, player)
    assert store.state.at == "input.forward@0.5"


def test_with_reduced_motion_it_takes_its_time_as_without(store, player, clock) -> None:
    """What then fades instead of travelling is the view's affair."""
    seen: dict[bool, list[str]] = {False: [], True: []}
    for reduced, told in seen.items():
        store.update(look=Look(reduced_motion=reduced), playing=True, at="input.forward@0")
        listen = lambda old, new, told=told: told.append(new.at)  # noqa: E731
        store.changed.connect(listen)
        for _ in range(30):
            after(TICK, clock, player)
        store.changed.disconnect(listen)
        store.update(playing=False)
    assert len(set(seen[False])) == 30
    assert seen[True] == seen[False]


def test_ticks_are_no_steps_of_undo(store, player, clock) -> None:
    store.update(playing=True)
    for _ in range(20):
        after(TICK, clock, player)
    store.undo()
    assert store.state == changed(State(), view="gradient_flow", at="input.forward@0")
    assert not store.can_undo


def test_another_input_through_the_same_layers_does_not_disturb_the_playing(store, player, clock) -> None:
    store.update(playing=True)
    after(Fraction(1000, 7), clock, player)
    store.set_trace(chain(4))
    after(Fraction(1000, 7), clock, player)
    assert store.state.at == store.timeline.at(Fraction(2, 7)).address


def test_another_network_goes_on_from_the_moment_that_was_kept(store, player, clock) -> None:
    store.update(playing=True, at="layer1.forward@0.5")
    store.set_trace(chain(6))
    after(60, clock, player)
    assert store.state.at == "layer1.forward@0.6"
    store.update(at="layer5.forward@0.5")
    store.set_trace(chain(3))
    after(300, clock, player)
    assert store.state.at == store.timeline.after(store.timeline.telling, Fraction(3, 10)).address


def test_playing_without_a_recording_waits_for_one(qapp, clock) -> None:
    store = Store(changed(State(), playing=True))
    player = Player(store, clock)
    after(5000, clock, player)
    assert store.state == changed(State(), playing=True)
    store.set_trace(chain(3))
    after(310, clock, player)
    assert store.state.at == store.timeline.after(store.timeline.telling, Fraction(31, 100)).address


def test_the_real_clock_moves_it(store, qtbot) -> None:
    player = Player(store)
    store.update(speed=8.0, playing=True)
    with qtbot.waitSignal(store.changed, timeout=5000):
        pass
    assert store.moment is not None
    assert store.moment.phase > 0
    store.update(playing=False)
    assert not player.running


# --- beats in which terms are added ---------------------------------------------------------------------------------

@pytest.fixture
def microscope(qapp) -> Store:
    """One number of a convolution, taken apart into its 55 terms."""
    trace = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    return Store(changed(State(), view="microscope", at="conv2.forward@0", focus=Focus("conv2", (7, 3, 5))), trace)


def test_three_terms_are_slow_and_all_others_come_in_two_and_a_half_seconds(microscope, clock) -> None:
    player, (terms,) = Player(microscope, clock), microscope.timeline.pace(4).stretches
    microscope.update(playing=True)
    seen = [0]
    microscope.changed.connect(lambda old, new: seen.append(terms.done(microscope.moment.phase)))
    for term in range(3):
        after(490, clock, player)
        assert seen[-1] == term
        after(10, clock, player)
        assert seen[-1] == term + 1
    while microscope.moment.index == 4 and microscope.moment.phase < 1:
        after(TICK, clock, player)
    assert seen[-1] == terms.terms > 50
    assert seen == sorted(seen)
    assert (clock.now - 12_345) / 1000 == pytest.approx(1.5 + 2.5, abs=TICK / 1000)


def test_the_microscope_plays_on_into_the_next_beat_and_a_film_of_it_is_the_same(microscope, clock) -> None:
    times, speed = microscope.timeline, 4
    film = Film(microscope.trace, "microscope", microscope.state.focus, microscope.state.look,
                times.second_of(microscope.moment), fps=Fraction(25), speed=Fraction(speed))
    player, indices = Player(microscope, clock), set()
    microscope.update(playing=True, speed=float(speed))
    for frame in range(1, 120):
        after(40, clock, player)
        indices.add(microscope.moment.index)
        assert film.moment(frame).address == microscope.state.at, frame
    assert indices >= {4, 5, 6}


def test_another_view_plays_on_from_the_same_moment_at_its_own_pace(microscope, clock) -> None:
    player = Player(microscope, clock)
    microscope.update(playing=True)
    after(500, clock, player)
    there = microscope.moment
    microscope.update(view="gradient_flow")
    after(0, clock, player)
    assert microscope.moment == there
    after(60, clock, player)
    assert microscope.moment.phase == pytest.approx(there.phase + 0.1)


# --- glides ---------------------------------------------------------------------------------------------------------

def test_a_glide_is_told_how_far_it_has_come_and_the_timer_rests_after_it(player, clock) -> None:
    heard: list[float] = []
    player.glide("it", 0.2, heard.append)
    assert player.running
    for _ in range(3):
        after(80, clock, player)
    assert heard == pytest.approx([0, 0.4, 0.8, 1])
    assert not player.running


def test_the_newest_glide_of_an_owner_replaces_the_one_before(player, clock) -> None:
    old: list[float] = []
    new: list[float] = []
    player.glide("it", 0.1, old.append)
    player.glide("it", 0.1, new.append)
    player.glide("other", 0.2, lambda share: None)
    after(100, clock, player)
    assert (old, new) == ([0], [0, 1])
    assert player.running
    after(100, clock, player)
    assert not player.running


def test_a_glide_does_not_stop_what_plays(store, player, clock) -> None:
    store.update(playing=True)
    player.glide("it", 0.1, lambda share: None)
    after(200, clock, player)
    assert player.running
    assert store.state.playing


def test_with_reduced_motion_a_glide_is_a_cut(store, player) -> None:
    store.apply(lambda state: changed(state, look=Look(reduced_motion=True)))
    heard: list[float] = []
    player.glide("it", 0.2, heard.append)
    assert heard == [1]
    assert not player.running
    player.glide("it", 0.2, heard.append, False)
    assert heard == [1, 0], "what fades and does not travel goes on"
    assert player.running
