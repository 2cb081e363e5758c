"""Heard: what a screen reader finds where Qt knows nothing of it: parts of pictures and rows of lists that are painted,
and what kind of thing each of our own widgets is.

A widget says its role in `heard_as`, its number in `heard_number`, and what is painted in it by `heard_parts` and the
methods beside it (`Painted`). Nothing of it costs anything until somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol, cast, runtime_checkable
from weakref import ref

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleInterface,
    QAccessibleValueChangeEvent,
    QAccessibleValueInterface,
    QWindow,
)
from PySide6.QtWidgets import QAbstractButton, QAccessibleWidget, QWidget
from shiboken6 import Shiboken, isValid

from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.outline import CELL, GROUP, MAP, STRETCH, WORDS, Branch, at
from visualizer.scene.picture import Choice, Opens, Stop, Stops, ToInput

Role, Says, Event = QAccessible.Role, QAccessible.Text, QAccessible.Event
Path = tuple[int, ...]
"""Which part of a widget, which part of that, and so on."""
FOLLOWED = 50
"""Of so many numbers that were read out it is said when they change."""
PRESS, REACH = "Press", "SetFocus"
"""What can be done to a part, as Qt calls it."""


@dataclass(frozen=True)
class Told:
    """What is said of a part."""

    name: str
    more: str = ""
    number: float | None = None

    @property
    def value(self) -> str:
        """Its number as it is read."""
        return "" if self.number is None else numbers.significant(self.number, 4)


@dataclass(frozen=True)
class Span:
    """A number that a widget stands for, and between which it lies."""

    value: float
    low: float
    high: float
    step: float = 0.0


@runtime_checkable
class Painted(Protocol):
    """A widget in which parts are painted that are no widgets."""

    heard: Heard | None

    def heard_source(self) -> object:
        """What is painted: other parts where it is another object."""

    def heard_parts(self) -> tuple[Branch, ...]:
        """Its parts, in reading order."""

    def heard_told(self, part: Branch) -> Told:
        """What is said of one."""

    def heard_place(self, part: Branch) -> QRect:
        """Where it stands, in pixels of the widget."""

    def heard_chosen(self, part: Branch) -> bool:
        """Whether it is what is looked at."""

    def heard_reached(self) -> tuple[float, float] | None:
        """Where the keyboard is within it; None: at the widget as a whole."""

    def heard_press(self, part: Branch) -> None:
        """What a click on it does."""

    def heard_reach(self, part: Branch) -> None:
        """Take the keyboard there."""


def interface(kind: str, thing: QObject) -> QAccessibleInterface | None:
    """Qt asks here for whatever should speak for a widget."""
    return Spoken(thing) if isinstance(thing, QWidget) and hasattr(thing, "heard_as") else None


@cache
def speak() -> None:
    """Let Qt ask `interface`; once."""
    QAccessible.installFactory(interface)


def tell(widget: QWidget) -> None:
    """Something else is painted in a widget: say of what was read out what has changed."""
    heard = getattr(widget, "heard", None)
    if heard is not None and QAccessible.isActive():
        heard.renew()


def announce(widget: QWidget, sentence: str) -> None:
    """Say a sentence to whoever listens."""
    if QAccessible.isActive() and sentence:
        send(QAccessibleAnnouncementEvent(widget, sentence))


def tell_reached(widget: QWidget) -> None:
    """The keyboard has come to a part of a widget."""
    if not QAccessible.isActive():
        return
    found = QAccessible.queryAccessibleInterface(widget)
    reached = found.focusChild() if found is not None else None
    if reached is not None:
        send(QAccessibleEvent(reached, Event.Focus))


def send(event: QAccessibleEvent) -> None:
    """Tell whoever listens."""
    QAccessible.updateAccessibility(event)


# --- what Qt asks ---------------------------------------------------------------------------------------------------

class Number(QAccessibleValueInterface):
    """A number, for whoever reads it as one."""

    def __init__(self, span: Callable[[], Span | None], turn: Callable[[float], None] | None = None) -> None:
        super().__init__()
        self.span, self.turn = span, turn

    def currentValue(self) -> Any:
        found = self.span()
        return None if found is None else found.value

    def minimumValue(self) -> Any:
        found = self.span()
        return None if found is None else found.low

    def maximumValue(self) -> Any:
        found = self.span()
        return None if found is None else found.high

    def minimumStepSize(self) -> Any:
        found = self.span()
        return None if found is None else found.step

    def setCurrentValue(self, value: Any) -> None:
        if self.turn is not None:
            self.turn(float(value))


class Speaker(QAccessibleWidget):
    """What widgets and parts have in common: Qt takes nothing but an address for an answer, 0 for none."""

    number: Number | None = None

    def interface_cast(self, t: QAccessible.InterfaceType) -> Any:
        if t == QAccessible.InterfaceType.ValueInterface and self.number is not None:
            return Shiboken.VoidPtr(Shiboken.getCppPointer(self.number)[0])
        found = super().interface_cast(t)
        return found if isinstance(found, Shiboken.VoidPtr) else Shiboken.VoidPtr(0)


class Spoken(Speaker):
    """What a screen reader asks a widget of ours."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget, widget.heard_as, "")  # type: ignore[attr-defined]
        if hasattr(widget, "heard_number"):
            self.number = Number(widget.heard_number, getattr(widget, "heard_turn", None))
        self.inside: Heard | None = None
        if isinstance(widget, Painted):
            self.inside = widget.heard = Heard(widget)  # type: ignore[assignment, arg-type]

    @property
    def of(self) -> QWidget:
        return self.widget()

    def role(self) -> Role:
        return self.of.heard_as  # type: ignore[attr-defined, no-any-return]

    def text(self, t: QAccessible.Text) -> str:
        if t == Says.Value and hasattr(self.of, "heard_value"):
            return self.of.heard_value()  # type: ignore[no-any-return]
        if t == Says.Value and self.number is not None:
            span = self.number.span()
            return "" if span is None else numbers.significant(span.value, 4)
        said = super().text(t)
        return said or (self.of.text() if t == Says.Name and isinstance(self.of, QAbstractButton) else "")

    def state(self) -> QAccessible.State:
        found, widget = super().state(), self.of
        if isinstance(widget, QAbstractButton):
            found.checkable, found.checked = widget.isCheckable(), widget.isChecked()  # type: ignore[assignment]
            if widget.heard_as in (Role.ListItem, Role.PageTab):  # type: ignore[attr-defined]
                found.selectable, found.selected = True, widget.isChecked()  # type: ignore[assignment]
            if hasattr(widget, "heard_open"):
                found.expandable, found.expanded = True, widget.heard_open()  # type: ignore[assignment]
            found.hasPopup = widget.heard_as == Role.ButtonMenu  # type: ignore[assignment, attr-defined]
        return found

    def actionNames(self) -> list[str]:
        takes = isinstance(self.of, QAbstractButton) or hasattr(self.of, "heard_pressed")
        return [PRESS] * (takes and self.of.isEnabled()) + super().actionNames()

    def doAction(self, actionName: str) -> None:
        if actionName != PRESS:
            super().doAction(actionName)
        elif isinstance(self.of, QAbstractButton):
            self.of.click()
        else:
            self.of.heard_pressed()  # type: ignore[attr-defined]

    def childCount(self) -> int:
        return super().childCount() + (0 if self.inside is None else self.inside.count(()))

    def child(self, index: int) -> QAccessibleInterface:
        painted = 0 if self.inside is None else self.inside.count(())
        if self.inside is not None and 0 <= index < painted:
            return self.inside.node((index,))
        return super().child(index - painted)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        if isinstance(child, Node):
            return child.path[-1]
        found = super().indexOfChild(child)
        return found if found < 0 or self.inside is None else found + self.inside.count(())

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        found = super().childAt(x, y)
        return found if found is not None or self.inside is None else self.inside.child_at((), x, y)

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        found = self.inside.reached() if self.inside is not None else None
        return super().focusChild() if found is None else found


class Node(Speaker):
    """What a screen reader asks a part that is painted."""

    def __init__(self, heard: Heard, path: Path) -> None:
        super().__init__(heard.widget, Role.Cell, "")
        self.heard, self.path = heard, path
        self.gone = False
        """Nothing like it is painted any more."""
        self._number = Number(self._span)

    @property
    def branch(self) -> Branch:
        return self.heard.branch(self.path)

    @property
    def number(self) -> Number | None:  # type: ignore[override]
        """None where it has no number, or none yet."""
        return self._number if self.isValid() and self.branch.what == CELL and self.told.number is not None else None

    @property
    def told(self) -> Told:
        return self.heard.owner.heard_told(self.branch)

    def isValid(self) -> bool:
        return not self.gone and self.heard.lives

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]
        return self.heard.widget.window().windowHandle() if self.isValid() else None

    def parent(self) -> QAccessibleInterface | None:  # type: ignore[override]
        if not self.isValid():
            return None
        return self.heard.node(self.path[:-1]) if len(self.path) > 1 else \
            QAccessible.queryAccessibleInterface(self.heard.widget)

    def childCount(self) -> int:
        return self.heard.count(self.path) if self.isValid() else 0

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return self.heard.node((*self.path, index)) if 0 <= index < self.childCount() else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.path[-1] if isinstance(child, Node) else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return self.heard.child_at(self.path, x, y) if self.isValid() else None

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def relations(self, match: QAccessible.RelationFlag = ...) -> list[Any]:  # type: ignore[override, assignment]
        return []

    def rect(self) -> QRect:
        if not self.isValid():
            return QRect()
        place = self.heard.owner.heard_place(self.branch)
        return place.translated(self.heard.widget.mapToGlobal(QPoint(0, 0)))

    def role(self) -> Role:
        if not self.isValid():
            return Role.NoRole
        part = self.branch
        if isinstance(part.leads, Choice):
            return Role.RadioButton
        if isinstance(part.leads, Opens | Stop | Stops | ToInput):
            return Role.Button
        if self.heard.widget.heard_as == Role.List:  # type: ignore[attr-defined]
            return Role.ListItem
        return {GROUP: Role.Grouping, STRETCH: Role.Grouping, MAP: Role.Graphic, WORDS: Role.StaticText}.get(
            part.what, Role.Cell)

    def text(self, t: QAccessible.Text) -> str:
        if not self.isValid():
            return ""
        told = self.told
        if t in (Says.Value, Says.Description):
            self.heard.follow(self)
        return {Says.Name: told.name, Says.Description: told.more, Says.Value: told.value}.get(t, "")

    def setText(self, t: QAccessible.Text, text: str) -> None:
        return

    def state(self) -> QAccessible.State:
        found = QAccessible.State()
        if not self.isValid():
            found.invalid = True  # type: ignore[assignment]
            return found
        widget, part = self.heard.widget, self.branch
        found.invisible = not widget.isVisible()  # type: ignore[assignment]
        found.offscreen = not widget.rect().intersects(self.heard.owner.heard_place(part))  # type: ignore[assignment]
        if part.what in (CELL, MAP):
            found.focusable = found.selectable = True  # type: ignore[assignment]
            found.selected = self.heard.owner.heard_chosen(part)  # type: ignore[assignment]
            found.focused = widget.hasFocus() and self.heard.reached() is self  # type: ignore[assignment]
        return found

    def actionNames(self) -> list[str]:
        return [PRESS, REACH] if self.isValid() and self.branch.what in (CELL, MAP) else []

    def doAction(self, actionName: str) -> None:
        if self.isValid() and actionName == PRESS:
            self.heard.owner.heard_press(self.branch)
        elif self.isValid() and actionName == REACH:
            self.heard.owner.heard_reach(self.branch)

    def keyBindingsForAction(self, actionName: str) -> list[str]:
        return []

    def _span(self) -> Span | None:
        if not self.isValid():
            return None
        self.heard.follow(self)
        number = self.told.number
        return None if number is None else Span(number, number, number)


LIVE: dict[int, Node] = {}
"""Every node by the number under which Qt knows it: Qt deletes it, and nothing else may."""


class Heard:
    """The nodes of one widget: made when they are asked for, kept as long as their parts are painted."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = ref(widget)
        self.source: object = None
        self.branches: tuple[Branch, ...] = ()
        self.nodes: dict[Path, Node] = {}
        self.ids: dict[int, bool] = {}
        """Those of its nodes that Qt has not been told to delete, and whether they are gone: they may be in use."""
        self.followed: dict[Path, Told] = {}
        """What was read out, and said of it."""
        widget.destroyed.connect(partial(_forget, self.ids))

    @property
    def widget(self) -> QWidget:
        """Whose parts they are; raises LookupError where it is gone."""
        found = self._widget()
        if found is None:
            raise LookupError("the widget is gone")
        return found

    @property
    def owner(self) -> Painted:
        """The same, as what says what is painted in it."""
        return cast(Painted, self.widget)

    @property
    def lives(self) -> bool:
        """Whether the widget is still there."""
        found = self._widget()
        return found is not None and isValid(found)

    def count(self, path: Path) -> int:
        """How many parts lie in a part; in the widget itself what is painted now."""
        if not path and self.owner.heard_source() is not self.source:
            self.renew()
        return len(self.branch(path).branches if path else self.branches)

    def branch(self, path: Path) -> Branch:
        """The part at a path; raises LookupError if none is there."""
        found = self.branches[path[0]]
        for number in path[1:]:
            found = found.branches[number]
        return found

    def node(self, path: Path) -> Node:
        """Who speaks for it."""
        if path not in self.nodes:
            made = self.nodes[path] = Node(self, path)
            number = QAccessible.registerAccessibleInterface(made)
            LIVE[number], self.ids[number] = made, False
        return self.nodes[path]

    def child_at(self, path: Path, x: int, y: int) -> Node | None:
        """The part of a part under a point of the screen."""
        self.count(())
        local = self.widget.mapFromGlobal(QPoint(x, y))
        for number in range(self.count(path)):
            if self.owner.heard_place(self.branch((*path, number))).contains(local):
                return self.node((*path, number))
        return None

    def reached(self) -> Node | None:
        """Where the keyboard is."""
        point = self.owner.heard_reached()
        self.count(())
        path = at(self.branches, *point) if point is not None else ()
        return self.node(path) if path else None

    def follow(self, node: Node) -> None:
        """Its number was read out: say when it changes."""
        self.followed.pop(node.path, None)
        self.followed[node.path] = node.told
        if len(self.followed) > FOLLOWED:
            del self.followed[next(iter(self.followed))]

    def renew(self) -> None:
        """Something else is painted: nodes whose part is gone answer no more, the others say which number is another
        one."""
        if self.owner.heard_source() is self.source:
            self._say_changes()
            return
        for number in [number for number, gone in self.ids.items() if gone]:
            del self.ids[number], LIVE[number]
            QAccessible.deleteAccessibleInterface(number)
        keys = {path: tuple(self.branch(path[:depth + 1]).key for depth in range(len(path))) for path in self.nodes}
        before = [part.key for part in self.branches]
        self.source, self.branches = self.owner.heard_source(), self.owner.heard_parts()
        nodes, followed = self.nodes, self.followed
        self.nodes, self.followed = {}, {}
        left: set[Path] = {()} if before and before != [part.key for part in self.branches] else set()
        for path, node in sorted(nodes.items(), key=lambda item: len(item[0])):
            now = self._again(keys[path])
            node.gone, node.path = now is None, now or path
            if now is None:
                left.add(path[:-1])
            else:
                self.nodes[now] = node
                if path in followed:
                    self.followed[now] = followed[path]
        self.ids.update({number: LIVE[number].gone for number in self.ids})
        for path in left:
            over = self.widget if not path else nodes.get(path)
            if over is not None and not (isinstance(over, Node) and over.gone):
                send(QAccessibleEvent(over, Event.ObjectReorder))  # type: ignore[call-overload]
        self._say_changes()

    def _again(self, keys: tuple[Hashable, ...]) -> Path | None:
        """Where the part of these keys is now; None where there is no such one any more."""
        found: Path = ()
        for key in keys:
            inside = self.branch(found).branches if found else self.branches
            number = next((number for number, part in enumerate(inside) if part.key == key), None)
            if number is None:
                return None
            found = (*found, number)
        return found

    def _say_changes(self) -> None:
        for path, was in list(self.followed.items()):
            node = self.nodes[path]
            now = node.told
            if now.number != was.number or now.more != was.more:
                self.followed[path] = now
                send(
                    QAccessibleValueChangeEvent(node, now.number) if now.number is not None and node.number is not None
                    else QAccessibleEvent(node, Event.DescriptionChanged))


def _forget(ids: dict[int, bool], widget: QObject | None = None) -> None:
    """The widget is gone: Qt deletes what spoke for its parts."""
    for number in list(ids):
        del ids[number]
        LIVE.pop(number).gone = True
        QAccessible.deleteAccessibleInterface(number)


def told_stretch(told: Callable[[Branch], Told], part: Branch) -> Told:
    """`conv1 channel 3, pixel (2, 0) to conv1 channel 3, pixel (2, 27)`."""
    return Told(tr("{first} to {last}").format(first=told(_end(part, 0)).name, last=told(_end(part, -1)).name))


def _end(part: Branch, which: int) -> Branch:
    """The first or the last part of a stretch that is none itself."""
    while part.what == STRETCH:
        part = part.branches[which]
    return part
