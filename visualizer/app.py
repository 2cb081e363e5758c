"""The app: opens the window and runs until it is closed.

What is painted first is the frame alone: Qt and the colours are all that is loaded then. Numpy, the recording and every
part of the window come after it, and torch in a child process. Nothing here imports torch.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

from visualizer import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from subprocess import Popen

    from PySide6.QtWidgets import QApplication

    from visualizer.scene.state import State
    from visualizer.ui.running import App
    from visualizer.ui.shell import Shell

DONE, NOT_DONE = 0, 4


def main(thing: str | State | None = None, last: bool = False) -> int:
    """Open the window on a State, on whatever `thing` names, on where the `last` one stood, or on its start screen;
    return when it is closed.

    Returns 0, or 4 after one sentence on stderr if no window can open.
    """
    if why := why_no_window():
        print(why, file=sys.stderr)
        return NOT_DONE
    before = sys.excepthook
    gc.disable()  # until the window is seen: there is nothing to collect yet
    from PySide6.QtWidgets import QApplication

    from visualizer.ui import faults, scale
    from visualizer.ui.shell import Shell

    QApplication.setApplicationName("Visualizer")
    scale.apply()
    app = QApplication(sys.argv[:1])
    shell = Shell("light" if thing is None or isinstance(thing, str) else thing.look.theme,
                  starts=thing is None and not last)
    first = app.primaryScreen()
    shell.stand([screen.availableGeometry() for screen in (first, *app.screens())])
    running: list[App] = []

    def furnish() -> None:
        try:
            running.append(_furnished(_last() if last else thing, shell))
            sys.excepthook = faults.hook(running[0].say)
        except Exception:
            app.exit(NOT_DONE)  # rather than an empty frame
            raise

    shell.painted.connect(furnish)
    heard = _end_on_signals(app, shell)
    shell.show()
    status = app.exec()
    for joined in running:
        joined.close()
    heard()
    sys.excepthook = before
    for joined in running:
        if joined.again is not None:
            _open_anew(joined.again)
    return status


def _open_anew(words: Sequence[str]) -> None:
    """The same app in a process of its own, where this one stood, with everything drawn as large as was chosen."""
    import subprocess

    from visualizer.ui import scale

    surroundings = {name: said for name, said in os.environ.items() if name != scale.VARIABLE}
    subprocess.Popen([sys.executable, "-m", "visualizer", *words], env=surroundings, start_new_session=True)


def _end_on_signals(app: QApplication, shell: Shell) -> Callable[[], None]:
    """Close the window as by its cross when the process is asked to end (Ctrl+C, a log-out, `kill`): that is no crash.

    Python hears a signal only while it runs itself, so the signal is also written into a pipe that Qt watches. Returns
    what makes signals mean again what they meant before.
    """
    import signal
    import socket

    from PySide6.QtCore import QSocketNotifier

    known = [found for name in ("SIGINT", "SIGTERM", "SIGHUP") if (found := getattr(signal, name, None)) is not None]

    def end(*_: object) -> None:
        shell.close()
        app.quit()  # whatever else is open, such as the picture for an audience

    before = {each: signal.signal(each, end) for each in known}
    ear, mouth = socket.socketpair()
    for end in (ear, mouth):
        end.setblocking(False)
    pipe = signal.set_wakeup_fd(mouth.fileno())
    watch = QSocketNotifier(ear.fileno(), QSocketNotifier.Type.Read, app)
    watch.activated.connect(lambda: ear.recv(64))

    def unheard() -> None:
        watch.setEnabled(False)
        signal.set_wakeup_fd(pipe)
        for each, meant in before.items():
            signal.signal(each, meant)
        for end in (ear, mouth):
            end.close()

    return unheard


def _last() -> str | None:
    """The file that says where the last window stood; None where there is none."""
    from visualizer.ui.autosave import last_file

    try:
        return str(last_file()) if last_file().is_file() else None
    except OSError:
        return None


def _furnished(thing: str | State | None, shell: Shell) -> App:
    """The whole window in the frame that has been seen."""
    from visualizer.ui.running import App

    application()
    return App(thing, shell, start=thing is None)


def show(thing: Any, x: Any = None, target: Any = None, *, labels: Sequence[str] = (), answer: Any = None,
         path: str | Path = "", **options: Any) -> Popen[bytes] | None:
    """Open the app in a process of its own and return that process: on a model and one input, on a Trace, or on
    whatever file, folder or name `visualizer open` takes.

    `show(model, x, target=4, labels=names)`: the model is recorded here, in the caller's process, as `capture` does it,
    which takes all the other options; only its numbers are handed over, in a `.trace` at `path` (a temporary file where
    that is left out). Where there is no screen, as in a notebook on another computer, the recording is written into the
    working folder, one sentence is printed that says how to carry it to one, and None is returned. Raises what
    `capture` raises.
    """
    import subprocess

    if isinstance(thing, str | os.PathLike):
        named = os.fspath(thing)
    else:
        from visualizer.trace import Trace

        trace = thing if isinstance(thing, Trace) else registry.module("record").capture(
            thing, x, target, labels=labels, answer=answer, **options)
        named = str(trace.save(path or _place_for(trace.model or "model", seen=_has_screen())))
    if not _has_screen():
        print(f"There is no screen here to open a window on; copy {named} to a computer with one, and open it there "
              f"with `visualizer open {os.path.basename(named)}`.")
        return None
    return subprocess.Popen([sys.executable, "-m", "visualizer", "open", named],
                            start_new_session=True)  # what interrupts a cell, or ends a kernel, leaves the window open


def _has_screen() -> bool:
    """Whether a window would be seen by somebody."""
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False  # also because a picture was drawn here before, where there is none
    return sys.platform in ("win32", "darwin") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ


def _place_for(name: str, seen: bool) -> Path:
    """Where a recording is handed over: out of the way, or where a person finds it who is to carry it, under a name
    that nothing has yet."""
    import tempfile
    from pathlib import Path

    if seen or not os.access(os.getcwd(), os.W_OK):
        return Path(tempfile.mkdtemp(prefix="visualizer-")) / f"{name}.trace"
    free = (Path(f"{name}{number}.trace") for number in ("", *(f"-{number}" for number in range(2, 10_000))))
    return next(path for path in free if not path.exists())


def application() -> QApplication:
    """The Qt application with the bundled fonts, dressed the same on every system."""
    from PySide6.QtWidgets import QApplication

    from visualizer import paint
    from visualizer.ui import style

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QApplication.setApplicationName("Visualizer")
        app = QApplication(sys.argv[:1])
    if app.style().objectName() != "fusion":  # every widget is dressed anew by it
        app.setStyle("Fusion")
    paint.load_fonts()
    app.setFont(style.font(13, 500))
    return app


def __getattr__(name: str) -> Any:
    """`App`, the running app, comes with all that it joins: when it is first asked for."""
    if name == "App":
        return registry.module("ui.running").App
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- whether a window can open --------------------------------------------------------------------------------------

def why_no_window() -> str:
    """Why no window can open here, in one sentence that says what to do; empty where one can.

    Asked before there is an application, because Qt aborts the whole process where it finds no display, or not all
    libraries of the one it finds.
    """
    if sys.platform in ("win32", "darwin"):
        return ""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if not (chosen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return ("There is no display to open a window on; start this from a desktop session, or draw into a file with "
                "`visualizer shot`.")
    if chosen.startswith("xcb") or not (chosen or os.environ.get("WAYLAND_DISPLAY")):
        missing = missing_library()
        if missing:
            return (f"The system library {missing} is missing, without which no window opens under X11; install it, on "
                    f"Debian and Ubuntu with `sudo apt-get install {debian_package(missing)}`.")
        if not answers():
            return (f"The display {os.environ.get('DISPLAY') or '(none is named in DISPLAY)'} does not answer; start "
                    "this from a desktop session or with `ssh -X`, or draw into a file with `visualizer shot`.")
    return ""


def missing_library() -> str:
    """The first system library that Qt's plugin for X11 does not find, such as `libxcb-cursor.so.0`; or none.

    The plugin is loaded as Qt will load it a moment later, so this costs nothing twice.
    """
    from ctypes import CDLL
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec("PySide6")
    plugins = [Path(folder) / "Qt" / "plugins" / "platforms" / "libqxcb.so"
               for folder in (found.submodule_search_locations or () if found else ())]
    try:
        for plugin in plugins:
            if plugin.exists():
                CDLL(str(plugin))
    except OSError as error:
        name = str(error).partition(":")[0]
        return name if ".so" in name and "/" not in name else ""
    return ""


def answers() -> bool:
    """Whether the X server that DISPLAY names can be reached, asked as Qt will ask it."""
    from ctypes import CDLL, c_int, c_void_p

    try:
        xcb = CDLL("libxcb.so.1")
    except OSError:
        return True  # Qt's own plugin has been loaded without it
    xcb.xcb_connect.restype, xcb.xcb_connect.argtypes = c_void_p, (c_void_p, c_void_p)
    xcb.xcb_connection_has_error.restype, xcb.xcb_connection_has_error.argtypes = c_int, (c_void_p,)
    xcb.xcb_disconnect.argtypes = (c_void_p,)
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


def debian_package(library: str) -> str:
    """`libxcb-cursor.so.0` -> `libxcb-cursor0`, `libxkbcommon-x11.so.0` -> `libxkbcommon-x11-0`: Debian's own rule."""
    name, _, version = library.lower().partition(".so.")
    return f"{name}-{version}" if name[-1:].isdigit() else name + version
