"""What a screen reader does, by the tree alone: run by the system's python3, which has pyatspi, on a bus of its own.

`screen_reader.py PROGRAM ARGUMENT…` starts the program, walks its tree, presses through actions, listens to events, and
prints as JSON what it found. Nothing of the program is imported here.
"""

import json
import subprocess
import sys
import time
import traceback
from contextlib import suppress

import pyatspi  # asks gi for the version of Atspi that it knows
from gi.repository import Atspi, GLib

Atspi.set_timeout(15_000, 30_000)
PATIENCE = 45.0
"""Seconds until something has to be there; on a quiet machine it takes a tenth of that."""
found = {}
events = []


def spin():
    while GLib.MainContext.default().pending():
        GLib.MainContext.default().iteration(False)


def wait(wanted, what):
    """The first answer to a question that is one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        spin()
        try:
            if answer := wanted():
                return answer
        except (GLib.GError, LookupError):  # it went while it was asked
            pass
        time.sleep(0.02)
    raise TimeoutError(what)


def child(node, name, role=None):
    """The first child whose name begins so."""
    for number in range(node.childCount):
        one = node[number]
        if one is not None and one.name.startswith(name) and role in (None, one.getRoleName()):
            return one
    return None


def shown(node):
    return node.getState().contains(pyatspi.STATE_SHOWING)


def below(node, name, role=None, leave=("chart", "document frame", "list")):
    """The first one that is shown whose name begins so, anywhere below; not within pictures and lists."""
    for number in range(node.childCount):
        one = node[number]
        if one is None or not shown(one):
            continue
        if one.name.startswith(name) and role in (None, one.getRoleName()):
            return one
        if one.getRoleName() not in leave and (inside := below(one, name, role, leave)) is not None:
            return inside
    return None


def press(node):
    actions = node.queryAction()
    names = [actions.getName(number) for number in range(actions.nActions)]
    return actions.doAction(names.index("Press"))


def box(node):
    place = node.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
    return [place.x, place.y, place.width, place.height]


def deepest(node, x, y):
    """What lies at a point of the screen."""
    while (inner := node.queryComponent().getAccessibleAtPoint(x, y, pyatspi.DESKTOP_COORDS)) is not None \
            and inner != node:
        node = inner
    return node


def note(event):
    with suppress(GLib.GError):  # it may be gone already
        events.append((str(event.type), event.source.name))


def heard(kind, name, after):
    return any(name == about and kind in said for said, about in events[after:])


def see_window(app):
    window = wait(lambda: child(app, "Digits CNN"), "the window")
    found["window"] = [window.getRoleName(), window.name]
    stage = wait(lambda: below(window, "Stage", "chart"), "the stage")
    wait(lambda: child(stage, "softmax"), "its picture")
    found["stage"] = [stage.name, stage.description, box(stage)]
    found["panes"] = [[name, below(window, name) is not None] for name in (
        "Top bar", "Network and input", "Time", "Details")]
    return window, stage


def cell_of(stage):
    """One number of a map, with the row, the map and the layer that it lies in."""
    layer = wait(lambda: child(stage, "conv2"), "the layer")
    tile = wait(lambda: child(layer, "conv2 channel 7"), "its map")
    return tile[3][5], tile[3], tile, layer


def see_cells(stage):
    cell, row, tile, layer = cell_of(stage)
    x, y, wide, high = box(cell)
    found["groups"] = [stage[number].name for number in range(stage.childCount)]
    found["cell"] = {"role": cell.getRoleName(), "name": cell.name, "more": cell.description,
                     "value": cell.queryValue().currentValue, "box": [x, y, wide, high],
                     "at": cell.getIndexInParent(), "parents": [row.name, tile.name, layer.name],
                     "under": deepest(stage, x + wide // 2, y + high // 2).name}


def press_cell(stage):
    tile = child(child(stage, "pool1"), "pool1 channel 2")
    press(tile)
    wait(lambda: tile.getState().contains(pyatspi.STATE_SELECTED), "the channel is chosen")
    found["chosen"] = tile.name


def step_and_hear(window, stage):
    press(below(window, "Backward", "radio button"))
    cell = wait(lambda: child(child(stage, "fc2"), "fc2 class 3"), "a number of the last layer")
    found["waiting"] = cell.description
    before = len(events)
    steps = below(window, "Next beat")
    for number in range(20):
        press(steps)
        spin()
        time.sleep(0.1)
        spin()
        if heard("accessible-value", cell.name, before):
            found["changed"] = [number, cell.queryValue().currentValue]
            return
    raise TimeoutError("no change of the number was told")


def walk_in_the_microscope(window, stage):
    before = len(events)
    press(below(window, "Microscope", "page tab"))
    terms = wait(lambda: child(stage, "gradient"), "the terms")
    one = terms[1]
    actions = one.queryAction()
    actions.doAction([actions.getName(number) for number in range(actions.nActions)].index("SetFocus"))
    wait(lambda: heard("focused", one.name, before), "it is told that the cell has the keyboard")
    found["walked"] = one.name


def see_list(window):
    samples = below(window, "Samples", "list", leave=("chart",))
    stretch = samples[0]
    item = stretch[1]
    found["samples"] = [stretch.name, item.getRoleName(), item.name]


def read(window):
    """All paragraphs of a lesson."""
    words = below(window, "Lesson", "document frame", leave=("chart",))
    said = []

    def gather(node):
        if node.childCount == 0:
            said.append(node.name)
        for number in range(node.childCount):
            gather(node[number])

    gather(words)
    return " ¦ ".join(said)


def take_lesson(window):
    press(below(window, "Start screen", "push button"))
    press(wait(lambda: below(window, "lessons,") or below(window, "Lessons,"), "the list of lessons"))
    press(wait(lambda: below(window, "Pooling: strength without place", "push button"), "the lesson"))
    forward = wait(lambda: below(window, "Next: What is kept", "push button"), "the way on")
    found["first step"] = read(window)
    press(forward)
    question = wait(lambda: below(window, "Question of the lesson"), "the question")
    found["question"] = question.description
    answer = wait(lambda: child(question, "Answer 2", "radio button"), "the answers")
    found["answer"] = answer.name
    press(answer)
    wait(lambda: child(question, "Answer 2").getState().contains(pyatspi.STATE_CHECKED), "the answer is mine")
    press(wait(lambda: below(window, "Reveal", "push button"), "the reveal"))
    wait(lambda: "the right one" in child(question, "Answer 2").name, "which one is right")
    found["revealed"] = read(window)
    press(wait(lambda: below(window, "Next: ", "push button"), "the step after it"))
    found["next step"] = wait(lambda: (said := read(window)) != found["revealed"] and said, "the next step")


def main(command):
    for kind in ("object:property-change:accessible-value", "object:state-changed:focused"):
        pyatspi.Registry.registerEventListener(note, kind)
    program = subprocess.Popen(command, stdout=sys.stderr)
    try:
        app = wait(lambda: next((one for one in pyatspi.Registry.getDesktop(0)
                                 if one is not None and one.childCount), None), "the program")
        window, stage = see_window(app)
        see_cells(stage)
        see_list(window)
        step_and_hear(window, stage)
        press_cell(stage)
        walk_in_the_microscope(window, stage)
        take_lesson(window)
    except Exception as fault:  # what was found until then is told all the same
        found["fault"] = "".join(traceback.format_exception(fault))
    finally:
        program.terminate()
        found["ended"] = program.wait(20)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
