"""The window opens, draws and is walked through whatever language the system speaks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WALK = """
import locale, sys
locale.setlocale(locale.LC_ALL, "")
assert locale.setlocale(locale.LC_CTYPE).startswith(sys.argv[1]), locale.setlocale(locale.LC_CTYPE)
from PySide6.QtCore import QLocale
from PySide6.QtTest import QTest
from visualizer import app, paint, registry
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui.store import Store
from visualizer.ui.window import Window
app.application()
store = Store(changed(State(), at="conv2.forward"), load(registry.folder("assets") / "traces" / "digits_cnn.trace"))
window = Window(store)
window.resize(1024, 700)
window.show()
QTest.qWait(50)
for view in ("filters", "microscope", "network"):
    store.update(view=view)
    QTest.qWait(10)
window.run("next")
assert window.picture.caption and not window.stage.visibleRegion().isEmpty()
print("open", QLocale.system().name(), window.picture.caption)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="locales are made with localedef")
@pytest.mark.parametrize("language", ["tr_TR", "de_DE", "C", "ar_EG"])
def test_the_window_opens_and_draws(language, tmp_path):
    made, name = os.environ.get("VISUALIZER_LOCALES"), "C" if language == "C" else f"{language}.UTF-8"
    if language != "C" and made is None:
        if shutil.which("localedef") is None:
            pytest.skip("there is no localedef here, so no other locale can be made")
        made = str(tmp_path / "locales")
        Path(made).mkdir()
        subprocess.run(["localedef", "-i", language, "-f", "UTF-8", f"{made}/{name}"], capture_output=True, check=False)
    if language != "C" and not Path(made, name).exists():
        pytest.skip(f"the locale {name} cannot be made here")
    said = subprocess.run([sys.executable, "-c", WALK, language, str(tmp_path / "o.png")], capture_output=True,
                          text=True, check=False, cwd=tmp_path,
                          env={**os.environ, "LC_ALL": name, "LANG": name, "LANGUAGE": "", "LOCPATH": made or "",
                               "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen",
                               "VISUALIZER_STATE": str(tmp_path)})
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1].startswith("open")
    assert "Traceback" not in said.stderr
