"""Commands: everything a person can do, one family a file.

Menus, shortcuts, tooltips and the key sheet are made of them. Each file of this folder gives its `family()`; no list
names them. What a command does is a pure function State -> State wherever it can be one (`scene/state.py`); else it
asks the desk it is given for no more than a protocol says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol

from PySide6.QtGui import QKeySequence

from visualizer import registry
from visualizer.language import kept_by_language, tr
from visualizer.scene.picture import Picture
from visualizer.scene.state import State
from visualizer.scene.timeline import Moment, Timeline
from visualizer.trace import Trace
from visualizer.ui.store import Store
from visualizer.views import View


class Desk(Protocol):
    """What every command may use. A family that needs more says so in a protocol of its own."""

    store: Store

    @property
    def picture(self) -> Picture:
        """What the stage shows."""

    def views(self) -> tuple[View, ...]:
        """The views that have something to show of what is open."""

    def view(self) -> View:
        """The view that is shown; raises LookupError while nothing is open."""

    def say(self, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """One sentence to the person, and what can be done about it."""

    def ask_for_file(self, title: str, kinds: str) -> str:
        """A file to read, as the person chooses it; empty for none."""

    def ask_for_name(self, title: str, name: str, kinds: str) -> tuple[str, str]:
        """A file to write, and which of the kinds; empty for none."""


Act = Callable[[Any], None]
"""What a command does to a desk."""


class Context(Enum):
    """Where a key is pressed; it may mean another thing in each."""

    WINDOW = "window"
    PRESENTING = "presenting"
    """Over the picture that the audience sees."""
    QUESTION = "question"
    """The same, while a question is open."""
    FIELD = "field"
    """In a field that one types into."""


@dataclass(frozen=True)
class Command:
    """One thing that can be done."""

    name: str
    title: str
    keys: tuple[str, ...]
    """As Qt writes them; the first is shown in menus and tooltips."""
    tip: str
    """What it does; `{undo}` in it stands for the key of that command."""
    act: Act
    presenting: tuple[str, ...] | None = None
    """Its keys over the audience's picture, where they are not the same."""
    clicker: tuple[str, ...] = ()
    """Those that mean it while presenting whatever has the keyboard, as a clicker presses them."""
    icon: str = ""
    """Name of the picture on its button in the top bar; none for what has no button there."""
    can: Callable[[Any], bool] | None = None
    """Whether that button does anything at this desk, and whether what it turns on `is on`."""
    is_on: Callable[[Any], bool] | None = None
    starts: bool = False
    """Whether it can be done on the start screen, too, where nothing is looked at."""
    menu: str = ""
    """The family that it stands in."""

    def keys_in(self, context: Context) -> tuple[str, ...]:
        """What to press for it there."""
        if context is Context.WINDOW:
            return self.keys
        if context is Context.FIELD:
            return tuple(key for key in self.keys if not is_typed(key))
        shown = self.keys if self.presenting is None else self.presenting
        return tuple(dict.fromkeys((*self.clicker, *shown)))


@dataclass(frozen=True)
class Family:
    """Commands that stand together in a menu and on the key sheet."""

    menu: str
    order: int
    """Place of the menu among the others, smallest first; families of one menu follow each other."""
    commands: tuple[Command, ...]


@kept_by_language(8)
def commands() -> tuple[Command, ...]:
    """Every command found in this folder, in the order of the menus."""
    families = sorted((module.family() for module in registry.modules("ui.commands")), key=lambda family: family.order)
    keys = {command.name: key_words(command.keys[0]) for family in families for command in family.commands}
    return tuple(replace(command, menu=family.menu, tip=_whole_tip(command, keys))
                 for family in families for command in family.commands)


def _whole_tip(command: Command, keys: Mapping[str, str]) -> str:
    """With the keys that it names, and the one that it has while presenting where that is another."""
    tip = command.tip.format_map(keys)
    return tr("{tip}; {key} while presenting").format(tip=tip, key=key_words(command.presenting[0])) \
        if command.presenting else tip


def find(name: str) -> Command:
    """The command of that name; raises LookupError with one sentence."""
    for command in commands():
        if command.name == name:
            return command
    raise LookupError(tr("There is no command {name!r}; choose one of {known}."
                         ).format(name=name, known=", ".join(it.name for it in commands())))


# --- keys -----------------------------------------------------------------------------------------------------------

NUMBERS = tuple("0123456789")
OWN_KEYS = {Context.WINDOW: (), Context.PRESENTING: (*NUMBERS, "Tab", "Shift+Tab"),
            Context.QUESTION: (*NUMBERS, "Tab", "Shift+Tab"), Context.FIELD: ()}
"""Keys that are no command there: the number of a beat, or of an answer, and the way from part to part."""
SIGNS = {"Right": "→", "Left": "←", "Up": "↑", "Down": "↓", "Return": "⏎"}
TYPED = ("Space", "Backspace", "Return", "Enter", "Del", "Left", "Right", "Up", "Down", "Home", "End")
EDITED = tuple(f"Ctrl+{key}" for key in ("A", "C", "V", "X", "Z", "Y", "Shift+Z", "Backspace", "Del", "Left", "Right",
                                         "Shift+Left", "Shift+Right"))


def is_typed(key: str) -> bool:
    """Whether a field that one types into keeps the key for itself: letters, signs, moving and editing."""
    plain = key.removeprefix("Shift+")
    return len(plain) == 1 or plain in TYPED or key in EDITED


def key_for(name: str) -> str:
    """The key of a command as it is printed on a keyboard, for words that name it."""
    return key_words(find(name).keys[0])


def keyed(words: str, name: str) -> str:
    """A tooltip with the key of the command behind it: `Full screen for a room (F5)`."""
    return f"{words} ({key_for(name)})"


def keys_words(command: Command, context: Context = Context.WINDOW) -> str:
    """`→  PgDn`: the keys as they are printed on a keyboard."""
    return "  ".join(key_words(key) for key in command.keys_in(context))


def key_words(key: str) -> str:
    """One key as it is printed on a keyboard."""
    words = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    parts = words.split("+") if not words.endswith("+") else [*words[:-2].split("+"), "+"]
    return "+".join(SIGNS.get(part) or _printed(part) for part in parts)


def _printed(part: str) -> str:
    """What stands on a key that has a name."""
    return {"Ctrl": tr("Ctrl"), "Shift": tr("Shift"), "Alt": tr("Alt"), "Space": tr("Space"), "Home": tr("Home"),
            "End": tr("End"), "Esc": tr("Esc"), "PgUp": tr("PgUp"), "PgDown": tr("PgDown"), "Enter": tr("Enter"),
            "Backspace": tr("Backspace"), "Del": tr("Del")}.get(part, part)


# --- how most of them act -------------------------------------------------------------------------------------------

def pure(function: Callable[[State], State]) -> Act:
    """A change of State."""
    def act(desk: Desk) -> None:
        desk.store.apply(function)
    return act


def timed(function: Callable[[State, Timeline], State]) -> Act:
    """A change of State that goes by the beats; nothing while there are none."""
    def act(desk: Desk) -> None:
        if desk.store.timeline.beats:
            desk.store.apply(lambda state: function(state, desk.store.timeline))
    return act


def traced(function: Callable[[State, Trace, Moment, frozenset[str]], State]) -> Act:
    """A change of State that goes by the recording, the moment and the names of the views; nothing while there is
    none."""
    def act(desk: Desk) -> None:
        trace, moment = desk.store.trace, desk.store.moment
        if trace is not None and moment is not None:
            names = frozenset(view.name for view in desk.views())
            desk.store.apply(lambda state: function(state, trace, moment, names))
    return act


def still(state: State) -> State:
    """The same, standing."""
    return replace(state, playing=False)
