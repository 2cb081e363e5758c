"""The table of commands: complete, without two of a key, and each a pure function of the State where it can be."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

from tests.sources import nodes
from visualizer import registry, sight, views
from visualizer.language import speaking
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Look, Text
from visualizer.scene.state import State, changed, from_json, moment_of, to_json
from visualizer.scene.timeline import Stretch, own_pace, timeline
from visualizer.trace import Layer, Sample, Trace, load
from visualizer.ui import commands, levels, nudge, style, words
from visualizer.ui.commands import Context, Desk, keys_words
from visualizer.ui.commands.colours import text_scale
from visualizer.ui.commands.views import turned
from visualizer.ui.keysheet import KeySheet
from visualizer.ui.knobs import Knobs
from visualizer.ui.page import page
from visualizer.ui.store import Store
from visualizer.ui.window import Window

PROMISED = {
    "play": ("Space",), "next": ("Right", "PgDown"), "back": ("Left", "PgUp"), "next-term": ("Shift+Right",),
    "back-term": ("Shift+Left",), "first": ("Home",), "last": ("End",), "previous-channel": ("Up",),
    "next-channel": ("Down",), "pixel-left": ("Alt+Left",), "pixel-right": ("Alt+Right",), "pixel-up": ("Alt+Up",),
    "pixel-down": ("Alt+Down",), "in": ("Return", "Enter"), "out": ("Esc",), "walk-back": ("Backspace",),
    "reverse": ("R",), "card": ("C",), "march": ("M",),
    "slower": ("[",), "faster": ("]",), "signs": ("S",), "scale-unit": ("U",), "scale-layer": ("L",),
    "scale-network": ("N",), "theme": ("T",), "contrast": ("Ctrl+Shift+T",),
    "present": ("F5",), "black": (".", "B"), "white": ("W",),
    "pane": ("F6",), "export": ("E",), "film": ("Ctrl+Shift+E",), "keys": ("F1",), "details": ("I",),
    "open": ("Ctrl+O",), "save": ("Ctrl+S",),
    "undo": ("Ctrl+Z",), "redo": ("Ctrl+Shift+Z",), "quit": ("Ctrl+Q",), "copy": ("Ctrl+C",),
}
"""Command -> keys that the design promises."""


@cache
def digits() -> Trace:
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.mark.parametrize("command", commands.commands(), ids=lambda command: command.name)
def test_a_command_says_what_it_is_called_where_it_stands_and_what_it_does(command):
    assert command.title
    assert command.menu
    assert len(command.tip) > len("do it")
    assert command.keys
    for key in command.keys:
        assert QKeySequence(key).count() == 1, f"{key!r} is no key"
        assert QKeySequence(key).toString(), f"{key!r} is no key"


@pytest.mark.parametrize("context", Context)
def test_no_key_does_two_things_in_one_context(context):
    """In the window, over the audience's picture, while a question is open, and in a field that one types into."""
    taken = {QKeySequence(key).toString(): "what is no command" for key in commands.OWN_KEYS[context]}
    for command in commands.commands():
        for key in command.keys_in(context):
            name = QKeySequence(key).toString()
            assert name not in taken, f"{name} does both {taken[name]!r} and {command.name!r}"
            taken[name] = command.name
    assert len(taken) > 20


def test_a_clicker_has_no_key_for_two_things():
    keys = [key for command in commands.commands() for key in command.clicker]
    assert len(keys) == len(set(keys))
    assert {"PgDown", "PgUp", "F5", "Esc", "."} <= set(keys)


@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit])
def test_a_field_keeps_the_keys_that_are_typed_and_leaves_the_others_to_commands(kind, qtbot):
    """As Qt itself answers when it asks a field whether a shortcut is its own."""
    field = kind()
    qtbot.addWidget(field)
    for command in commands.commands():
        for key in command.keys:
            pressed = QKeySequence(key)[0]
            event = QKeyEvent(QKeyEvent.Type.ShortcutOverride, pressed.key(), pressed.keyboardModifiers(),
                              key if len(key) == 1 else "")
            event.ignore()
            field.event(event)
            assert commands.is_typed(key) or not event.isAccepted() or key in ("PgDown", "PgUp"), key


def test_no_text_names_a_key_by_itself():
    """Tooltips, sentences and labels take their keys from the commands, so that none of them can be wrong."""
    named = re.compile(r"\b(Ctrl|Shift|Alt)\+|\bF\d{1,2}\b|\b(PgDn|PgUp|Esc)\b|\([A-Z\[\]]\)|(press|with|by) [A-Z]\b")
    found = []
    for path in sorted(Path(commands.__file__).parents[1].rglob("*.py")):
        for node in nodes(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr" \
                    and named.search(node.args[0].value) and " " in node.args[0].value:
                found.append(f"{path.name}: {node.args[0].value}")
    assert found == [PANEL_S_OWN]


PANEL_S_OWN = "exporting.py: Choose how the picture is saved; Enter saves, Esc closes"
"""Keys of a panel that takes all keys while it is open."""


def test_the_laboratory_says_its_own_keys(qtbot):
    """`P` and `K` are the pen's and play's."""
    knobs = Knobs(Store(does.enter_lab(State())))
    qtbot.addWidget(knobs)
    assert knobs.sweep.toolTip().endswith("(Shift+K)")
    assert knobs.compare.toolTip().endswith("(Ctrl+P)")
    assert commands.find("pen").keys == ("P",)
    assert "K" in commands.find("play").keys
    assert commands.find("play").tip.endswith("; K while presenting")


class Narrowed:
    """A desk that has what the protocols of a family name, and nothing else."""

    def __init__(self, desk, names):
        self.__dict__.update(_desk=desk, _names=names)

    def __getattr__(self, name):
        assert name in self._names, f"no protocol of this family has {name!r}"
        return getattr(self._desk, name)


@pytest.mark.parametrize("module", registry.modules("ui.commands"), ids=lambda module: module.__name__)
def test_a_command_uses_no_more_of_the_desk_than_its_protocol_says(module, qtbot, monkeypatch):
    protocols = [thing for thing in vars(module).values()
                 if isinstance(thing, type) and Desk in thing.__mro__]
    names = {name for protocol in protocols for base in protocol.__mro__
             for name in (*vars(base), *vars(base).get("__annotations__", ())) if not name.startswith("_")}
    assert {"store", "say", "picture"} <= names
    assert len(names) <= 12, "a small protocol"
    window = Window(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits()))
    qtbot.addWidget(window)
    for name in ("leave", "ask_for_file", "ask_for_folder", "ask_for_name"):
        monkeypatch.setattr(window, name, lambda *args: ("", ""))
    monkeypatch.setattr(window, "ask_for_file", lambda *args: "")
    monkeypatch.setattr(window, "choose_inputs", lambda: None)  # a menu takes the keyboard
    monkeypatch.setattr(window, "ask_for_folder", lambda *args: "")
    for command in module.family().commands:
        command.act(Narrowed(window, names))
        if window.presenting:
            window.presenter.leave()


def test_a_family_that_is_added_is_found(monkeypatch):
    """No list names the files of the folder; its menu, its keys and its row on the sheet follow from it."""
    done = []
    added = SimpleNamespace(family=lambda: commands.Family("Added", 55, (
        commands.Command("added", "Added", ("Ctrl+Alt+9",), "Does it; {undo} undoes it", done.append),)))
    real = registry.modules
    monkeypatch.setattr(commands.registry, "modules",
                        lambda package: (*real(package), added) if package == "ui.commands" else real(package))
    with speaking("a language that nobody has spoken yet"):
        found = {command.name: command for command in commands.commands()}
        assert found["added"].tip == "Does it; Ctrl+Z undoes it"
        menus = list(dict.fromkeys(command.menu for command in commands.commands()))
    assert menus.index("Look") < menus.index("Added") < menus.index("View")


def test_every_key_that_the_design_promises_does_what_it_promises():
    table = {command.name: command for command in commands.commands()}
    for name, keys in PROMISED.items():
        assert {QKeySequence(key).toString() for key in keys} <= {
            QKeySequence(key).toString() for key in table[name].keys}, name


def test_names_are_unique():
    names = [command.name for command in commands.commands()]
    assert len(names) == len(set(names))


def test_the_key_sheet_is_made_from_the_table(qtbot):
    table = commands.commands()
    sheet = KeySheet(table, None)
    qtbot.addWidget(sheet)
    for command in table:
        assert f"{keys_words(command)}: {command.title}" in sheet.accessibleDescription()
    sheet.resize(QSize(1024, 768))
    assert not sheet.grab().isNull()


def test_one_level_in_goes_from_the_network_to_the_number():
    trace = digits()
    state = changed(State(), at="conv2.forward")
    moment = moment_of(state, timeline(trace))
    strongest = tuple(int(index) for index in np.unravel_index(trace["conv2"].output.argmax(), trace["conv2"].shape))
    seen = []
    for _ in range(4):
        state = levels.into(state, trace, moment, frozenset({"network"}))
        seen.append(state.focus)
    assert seen[:2] == [Focus("conv2"), Focus("conv2", strongest[:1])]
    assert seen[2] == seen[3] == Focus("conv2", strongest)
    assert state.view == "network"


def test_one_level_in_from_a_channel_opens_the_microscope_if_there_is_one():
    trace = digits()
    state = changed(State(), at="conv2.forward", focus=Focus("conv2", (7,)))
    inside = levels.into(state, trace, moment_of(state, timeline(trace)), frozenset({"network", "microscope"}))
    assert inside.view == "microscope"
    assert inside.focus is not None
    assert inside.focus.cell[0] == 7
    assert trace["conv2"].output[inside.focus.cell] == trace["conv2"].output[7].max()


VIEWS = ("network", "microscope", "filters")


def gone_out(state, trace, back=""):
    return levels.out(state, trace, sight.sight(trace, state), VIEWS, back)


def test_one_level_out_of_the_microscope_is_the_channel_in_the_view_that_it_was_opened_in():
    trace = digits()
    state = changed(State(), view="microscope", at="conv2.forward", focus=Focus("conv2", (7, 3, 5)))
    outside = gone_out(state, trace)
    assert (outside.view, outside.focus) == ("network", Focus("conv2", (7,)))
    assert gone_out(state, trace, "filters") == changed(outside, view="filters")
    assert gone_out(outside, trace).focus == Focus("conv2")
    assert gone_out(gone_out(outside, trace), trace).focus is None


def test_out_of_a_number_that_nobody_chose_is_its_own_channel_and_not_the_whole_network():
    trace = digits()
    state = changed(State(), view="microscope", at="conv2.forward")
    shown = sight.sight(trace, state).subject
    assert gone_out(state, trace).focus == Focus("conv2", shown.cell[:1])


def test_small_steps_forth_and_back_meet_again():
    times = timeline(digits())
    start = moment = times.settled(3)
    for _ in range(9):
        moment = nudge.next_quarter(times, moment, 1)
    assert moment.index > 3
    for _ in range(9):
        moment = nudge.next_quarter(times, moment, -1)
    assert moment == start


def test_small_steps_end_at_both_ends():
    times = timeline(digits())
    last = times.settled(len(times.beats) - 1)
    assert nudge.next_quarter(times, last, 1) == last
    first = replace(times.settled(0), phase=0.0)
    assert nudge.next_quarter(times, first, -1) == first


def paced(times, *stretches):
    """The same beats, in each of which terms are added."""
    return times.paced(lambda moment: replace(own_pace(moment.beat), stretches=stretches), "")


def test_where_terms_are_added_a_small_step_is_one_of_them():
    times = paced(timeline(digits()), Stretch(0.0, 1.0, 7))
    moment, phases = replace(times.settled(4), phase=0.0), [0.0]
    for _ in range(7):
        moment = times.find(nudge.next_term(times, moment, 1).address)  # as the State keeps it
        phases.append(moment.phase)
    assert phases == pytest.approx([step / 7 for step in range(8)])
    assert [int(phase * 7 + 1e-9) for phase in phases] == list(range(8))
    assert moment.index == 4
    beyond = nudge.next_term(times, moment, 1)
    assert (beyond.index, beyond.phase) == (5, 0.0)
    for step in range(6, -1, -1):
        moment = times.find(nudge.next_term(times, moment, -1).address)
        assert int(moment.phase * 7 + 1e-9) == step
    before = nudge.next_term(times, moment, -1)
    assert (before.index, before.phase) == (3, 1.0)
    between = replace(times.settled(4), phase=0.5)
    assert [nudge.next_term(times, between, by).phase for by in (1, -1)] == \
        pytest.approx([4 / 7, 3 / 7])


def test_terms_end_at_both_ends_of_the_timeline():
    times = paced(timeline(digits()), Stretch(0.0, 1.0, 5))
    last, first = times.settled(len(times.beats) - 1), replace(times.settled(0), phase=0.0)
    assert nudge.next_term(times, last, 1) == last
    assert nudge.next_term(times, first, -1) == first


def test_a_crumb_leads_to_its_level_and_out_of_the_microscope():
    trace = digits()
    times, views = timeline(trace), ("network", "microscope")
    inside = changed(State(), view="microscope", at="conv2.forward", focus=Focus("conv2", (7, 3, 5)))
    channel = levels.to_level(inside, trace, times, Focus("conv2", (7,)), views)
    assert (channel.view, channel.focus) == ("network", Focus("conv2", (7,)))
    assert levels.to_level(inside, trace, times, Focus("conv2", (7, 3, 5)), views) == inside
    assert levels.to_level(inside, trace, times, None, views).focus is None
    elsewhere = changed(inside, view="filters")
    assert levels.to_level(elsewhere, trace, times, Focus("conv2"), views).view == "filters"


def test_a_knob_is_turned_in_the_state_and_the_others_stay():
    state = turned(turned(State(), "ranking", "max"), "march", "rows")
    assert dict(state.look.knobs) == {"ranking": "max", "march": "rows"}
    assert dict(turned(state, "march", "terms").look.knobs) == {"ranking": "max", "march": "terms"}
    assert from_json(to_json(state)) == state


def test_arrows_move_the_pixel_from_the_strongest_one():
    trace = digits()
    state = changed(State(), at="conv2.forward", focus=Focus("conv2", (7,)))
    pixel = levels.with_pixel(state, trace, moment_of(state, timeline(trace))).focus
    assert trace["conv2"].output[pixel.cell] == trace["conv2"].output[7].max()


@pytest.mark.parametrize(("factor", "times", "ends"), [(1.1, 20, 2.0), (1 / 1.1, 20, 0.8)])
def test_the_text_scale_stays_within_what_is_readable(factor, times, ends):
    state = State()
    for _ in range(times):
        state = text_scale(state, factor)
    assert state.look.text_scale == ends


# --- layers with steps ----------------------------------------------------------------------------------------------

@cache
def reading() -> Trace:
    """Five steps of three units, as a recurrent layer leaves them."""
    states = np.sin(np.arange(15, dtype=np.float32)).reshape(5, 3)
    layers = (Layer("input", "input", ("step",), {}, (), np.arange(5.0, dtype=np.float32)),
              Layer("gru", "rnn", ("step", "unit"), {}, ("input",), states, inner={"hidden": states}))
    return Trace("toy", layers, sample=Sample("text:a b c", steps=("a", " ", "b", " ", "c")))


def test_choosing_a_state_goes_to_its_step_and_keeps_the_step_where_none_is_meant():
    times = timeline(reading())
    state = does.select(changed(State(), at="gru.forward[2]"), reading(), times, Focus("gru", (3, 1)))
    assert state.at == "gru.forward[4]"
    assert does.select(state, reading(), times, Focus("gru", (1, 2), "inner.hidden")).at == "gru.forward[2]"
    assert does.select(state, reading(), times, Focus("gru")).at == "gru.forward[4]"
    assert does.select(state, reading(), times, Focus("gru", (0, 1), "weight_hh")).at == "gru.forward[4]"


def looked_at(trace, moment, state):
    return sight.sight(trace, state, moment).subject


def test_up_and_down_go_from_unit_to_unit_at_the_same_step():
    times = timeline(reading())
    moment = times.find("gru.forward[3]")
    state = changed(State(), at=moment.address, focus=Focus("gru", (2, 0)))
    state = levels.beside(state, reading(), moment, 1)
    assert state.focus == Focus("gru", (2, 1))
    assert levels.beside(state, reading(), moment, 5).focus == Focus("gru", (2, 2))
    strongest = int(reading()["gru"].output[2].argmax())
    there = changed(State(), at=moment.address)
    assert levels.beside(there, reading(), moment, 1).focus == Focus("gru", (2, strongest))


def test_what_is_looked_at_moves_with_the_step_and_keeps_its_unit():
    times = timeline(reading())
    state = changed(State(), focus=Focus("gru", (0, 2)))
    for step in range(1, 6):
        moment = times.find(f"gru.forward[{step}]")
        assert looked_at(reading(), moment, state) == Focus("gru", (step - 1, 2))
        assert looked_at(reading(), moment, State()) == Focus("gru", (step - 1,))
        whole = looked_at(reading(), moment, changed(State(), view="microscope"))
        assert reading()["gru"].output[whole.cell] == reading()["gru"].output[step - 1].max()
    layer = changed(State(), focus=Focus("gru"))
    assert looked_at(reading(), moment, layer) == Focus("gru"), "the whole layer was chosen"


def test_the_page_of_a_step_says_what_was_read():
    moment = timeline(reading()).find("gru.forward[2]")
    made = page(reading(), moment, looked_at(reading(), moment, State()), Look())
    said = " ".join(mark.plain for mark in made.still if isinstance(mark, Text))
    assert "step 2" in said
    assert "Having read “␣”." in said


# --- knobs ----------------------------------------------------------------------------------------------------------

def test_every_choice_of_every_view_has_words():
    for view in views.all_views():
        for name, found in view.knobs:
            if len(found) > 1:
                assert words.knob(name) != name, (view.name, name)
                said = [words.knob_word(name, word) for word in found]
                assert len(set(said)) == len(said)
                assert all(word[:1].isupper() or word[:1].isdigit() for word in said), (view.name, name, said)


def test_a_view_is_given_only_knobs_and_words_that_it_knows():
    look = Look(knobs=(("order", "last"), ("march", "rows"), ("ranking", "max"), ("strange", "x")))
    by_name = {view.name: view for view in views.all_views()}
    assert sight.own_knobs(by_name["microscope"], look) == (("march", "rows"),)
    assert sight.own_knobs(by_name["unrolled"], look) == (("order", "last"),)
    assert sight.own_knobs(by_name["hidden_state"], look) == (), "it calls its orders otherwise"
    assert sight.own_knobs(by_name["network"], look) == (("ranking", "max"),)


def test_terms_fill_the_stretch_of_a_part_and_go_on_to_the_part_beside_it():
    third = Stretch(1 / 3, 2 / 3, 4)
    every, alone = (paced(timeline(reading()), *stretches)
                    for stretches in ((Stretch(0.0, 1 / 3, 4), third, Stretch(2 / 3, 1.0, 4)), (third,)))
    moment, phases = replace(every.find("gru.forward[3]"), phase=third.phase(0)), []
    for _ in range(4):
        moment = every.find(nudge.next_term(every, moment, 1).address)
        phases.append(moment.phase)
    assert phases == pytest.approx([1 / 3 + step / 12 for step in range(1, 5)])
    beyond = nudge.next_term(every, moment, 1)
    assert beyond.beat == moment.beat
    assert moment.phase < beyond.phase < moment.phase + 0.001
    assert nudge.next_term(alone, moment, 1).beat.step == 4, "that part alone is looked at"
    for step in range(3, -1, -1):
        moment = every.find(nudge.next_term(every, moment, -1).address)
        assert moment.phase == pytest.approx(1 / 3 + step / 12, abs=0.001)
    before = nudge.next_term(every, moment, -1)
    assert (before.beat.step, before.phase) == (3, pytest.approx(1 / 3))
    assert nudge.next_term(alone, moment, -1).beat.step == 2


@pytest.mark.parametrize("size", [(1600, 900), (1366, 768), (1024, 768)])
@pytest.mark.parametrize("context", list(Context))
def test_no_word_of_the_key_sheet_is_elided(qtbot, monkeypatch, size, context):
    written, write = [], style.write

    def noted(painter, text, *at, width=0.0, **how):
        found = style.text_width(text, how.get("size", 13), how.get("weight", 500), how.get("mono", False))
        written.append((text, found, width))
        return write(painter, text, *at, width=width, **how)

    sheet = KeySheet(commands.commands(), None, context)
    qtbot.addWidget(sheet)
    sheet.resize(*size)
    monkeypatch.setattr(style, "write", noted)
    sheet.grab()
    assert len(written) > 20
    assert [(text, wide, room) for text, wide, room in written if room and wide > room] == []
