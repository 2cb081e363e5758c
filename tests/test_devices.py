"""The camera and the microphone: what is missing is said, in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QWidget

from visualizer import inputs
from visualizer.ui import devices
from visualizer.ui.camera import CameraSheet

NAME = "PySide6.QtMultimedia"


@pytest.fixture
def with_devices(monkeypatch: pytest.MonkeyPatch):
    """Qt's multimedia as if it were installed, with so many cameras and microphones."""
    def have(cameras: list[str], microphones: list[str]) -> None:
        module = ModuleType(NAME)
        module.QMediaDevices = SimpleNamespace(
            videoInputs=lambda: cameras, defaultVideoInput=lambda: cameras[0],
            audioInputs=lambda: microphones, defaultAudioInput=lambda: microphones[0])
        monkeypatch.setitem(sys.modules, NAME, module)
    return have


def reached(device: devices.Device) -> tuple[list[object], list[str]]:
    """(what was found, what was said)."""
    found, said = [], []
    devices.reach(device, QObject(), found.append, said.append)
    return found, said


def test_without_the_module_one_is_told_how_to_install_it(qapp, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, NAME, None)
    for device in (devices.CAMERA, devices.MICROPHONE):
        found, (said,) = reached(device)
        assert not found
        assert said.endswith("pip install 'visualizer[devices]'")


def test_a_module_that_does_not_load_says_why(qapp, monkeypatch) -> None:
    def broken(name: str) -> None:
        raise ImportError("libpulse.so.0: cannot open shared object file")
    monkeypatch.setattr(devices, "import_module", broken)
    monkeypatch.setattr(devices, "find_spec", lambda name: object())
    assert "libpulse.so.0" in reached(devices.CAMERA)[1][0]


def test_without_a_device_one_is_told_to_connect_one(qapp, with_devices) -> None:
    with_devices([], [])
    for device, word in ((devices.CAMERA, "camera"), (devices.MICROPHONE, "microphone")):
        assert reached(device) == ([], [device.none])
        assert word in device.none


@pytest.mark.parametrize(("first", "then"), [
    (Qt.PermissionStatus.Granted, Qt.PermissionStatus.Granted),
    (Qt.PermissionStatus.Denied, Qt.PermissionStatus.Denied),
    (Qt.PermissionStatus.Undetermined, Qt.PermissionStatus.Granted),
    (Qt.PermissionStatus.Undetermined, Qt.PermissionStatus.Denied)])
def test_a_person_is_asked_once_and_a_no_is_said(qapp, with_devices, monkeypatch, first, then) -> None:
    """An app that has made up its mind is not asked again; one that has not, is."""
    status, asked = [first], []

    def ask(permission: object, context: object, heard) -> None:
        asked.append(permission)
        status[0] = then
        heard()
    app = SimpleNamespace(checkPermission=lambda permission: status[0], requestPermission=ask)
    monkeypatch.setattr(devices, "QCoreApplication", SimpleNamespace(instance=lambda: app))
    with_devices(["its camera"], ["its microphone"])
    for device, name in ((devices.CAMERA, "its camera"), (devices.MICROPHONE, "its microphone")):
        status[0] = first
        assert reached(device) == (([name], []) if then == Qt.PermissionStatus.Granted else ([], [device.denied]))
    assert len(asked) == (2 if first == Qt.PermissionStatus.Undetermined else 0)


# --- the camera -------------------------------------------------------------------------------------------------------

class Heard:
    """A signal of Qt, as far as it is used."""

    def __init__(self) -> None:
        self.called = []

    def connect(self, call) -> None:
        self.called.append(call)

    def emit(self, *words: object) -> None:
        for call in self.called:
            call(*words)


class FakeCamera:
    made: ClassVar[list[FakeCamera]] = []

    def __init__(self, device: object) -> None:
        self.errorOccurred, self.on = Heard(), False
        self.made.append(self)

    def start(self) -> None:
        self.on = True

    def stop(self) -> None:
        self.on = False


class FakeSink:
    made: ClassVar[list[FakeSink]] = []

    def __init__(self) -> None:
        self.videoFrameChanged = Heard()
        self.made.append(self)


@pytest.fixture
def sheet(qtbot, monkeypatch, tmp_path) -> Iterator[CameraSheet]:
    session = SimpleNamespace(setCamera=lambda it: None, setVideoSink=lambda it: None)
    monkeypatch.setattr(devices, "multimedia", lambda: SimpleNamespace(
        QCamera=FakeCamera, QMediaCaptureSession=lambda: session, QVideoSink=FakeSink))
    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
    below = QWidget()
    qtbot.addWidget(below)
    below.resize(800, 600)
    made = CameraSheet("its camera", below)
    made.setGeometry(below.rect())
    below.show()
    yield made  # as long as what it lies on is there
    assert below


def test_what_the_camera_sees_is_taken_as_a_file_that_is_the_input(sheet: CameraSheet) -> None:
    """Nothing is taken before anything is seen; then all of it, pixel by pixel, and the camera is off."""
    taken, closed = [], []
    sheet.taken.connect(taken.append)
    sheet.closed.connect(lambda: closed.append(True))
    assert not sheet.grab().toImage().isNull()
    sheet.take()
    assert not taken
    assert FakeCamera.made[-1].on
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    image = QImage(pixels.data, 64, 48, 192, QImage.Format.Format_RGB888)
    FakeSink.made[-1].videoFrameChanged.emit(SimpleNamespace(toImage=image.copy))
    assert not sheet.grab().toImage().isNull()
    sheet.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier))
    assert closed
    assert not FakeCamera.made[-1].on
    with Image.open(taken[0]) as file:
        np.testing.assert_array_equal(np.asarray(file), pixels)
    given = inputs.given(taken[0], "pictures", "Photos", {"shape": [3, 32, 32]})
    assert given.raw.shape == (32, 32, 3)
    assert given.sample.title == "taken-1.png, its middle, 32 × 32"


def test_a_camera_that_another_app_holds_says_so_and_the_sheet_goes(sheet: CameraSheet) -> None:
    said, closed = [], []
    sheet.said.connect(said.append)
    sheet.closed.connect(lambda: closed.append(True))
    FakeCamera.made[-1].errorOccurred.emit("an error", "Device is busy.")
    assert closed
    assert said == ["The camera cannot be used (Device is busy): close other apps that use it and try again, or open a "
                    "picture file."]
