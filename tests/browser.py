"""A headless Chromium, spoken to over a pipe: what a page does in a browser that is not ours."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60


class Browser:
    """One page of it."""

    def __init__(self, read: BinaryIO, write: BinaryIO) -> None:
        self._from, self._to, self._heard = read, write, b""
        self._count, self._session, self.events = 0, "", list[dict[str, Any]]()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; what is told in between is kept in `events`."""
        self._count += 1
        command = {"id": self._count, "method": method, "params": given}
        self._to.write(json.dumps(command | ({"sessionId": self._session} if self._session else {})).encode() + b"\0")
        self._to.flush()
        while True:
            told = self._told()
            if told.get("id") == self._count:
                assert "error" not in told, told
                return dict(told["result"])

    def _told(self) -> dict[str, Any]:
        while b"\0" not in self._heard:
            assert select.select([self._from], [], [], PATIENCE)[0], f"the browser says nothing for {PATIENCE} s"
            more = os.read(self._from.fileno(), 1 << 20)
            assert more, "the browser has gone"
            self._heard += more
        found, _, self._heard = self._heard.partition(b"\0")
        told = dict(json.loads(found))
        if "method" in told:
            self.events.append(told)
        return told

    def run(self, code: str) -> Any:
        """What an expression comes to in the page; a promise is waited for."""
        told = self.ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def open(self, path: Path, before: str = "", size: tuple[int, int] = (1280, 900), **media: str) -> None:
        """Open a page, `before` run in it first, and wait until it says that it is ready; `media` as CSS asks for it:
        `prefers_color_scheme="dark"`."""
        self.events.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": name.replace("_", "-"), "value": value}
                                                         for name, value in media.items()])
        made = self.ask("Page.addScriptToEvaluateOnNewDocument", source=before or ";")["identifier"]
        self.ask("Page.navigate", url=path.absolute().as_uri())
        self.run("""new Promise((done, fail) => {
            const end = setTimeout(() => fail(new Error("the page is not ready")), 50000);
            const ready = () => document.documentElement?.dataset.ready;
            const look = () => ready() ? (clearTimeout(end), done()) : setTimeout(look, 20);
            look(); })""")
        self.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=made)

    def press(self, key: str) -> None:
        """A key, pressed and let go."""
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def move(self, x: float, y: float) -> None:
        """The pointer, to a place in the window."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def shot(self, path: Path) -> None:
        """What is seen, as a PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    @property
    def fetched(self) -> list[str]:
        """Addresses that were asked for."""
        return [told["params"]["request"]["url"] for told in self.events
                if told["method"] == "Network.requestWillBeSent"]

    @property
    def complaints(self) -> list[str]:
        """Errors that scripts made, and what the browser logged."""
        return [str(told["params"]) for told in self.events if told["method"] in
                ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A Chromium of its own, with its profile in a folder; it ends with the block."""
    assert CHROMIUM is not None
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()

    def pipes() -> None:
        """3 is what it reads, 4 is where it writes; neither may be overwritten by the other."""
        read, write = os.dup(to_read), os.dup(from_write)
        high = [os.dup2(one, number) for one, number in ((read, 63), (write, 64))]
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    process = subprocess.Popen(
        [CHROMIUM, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         f"--user-data-dir={folder}", *root],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, close_fds=False)
    os.close(to_read)
    os.close(from_write)
    try:
        with os.fdopen(from_read, "rb") as read, os.fdopen(to_write, "wb") as write:
            yield Browser(read, write)
    finally:
        process.terminate()
        process.wait(PATIENCE)
