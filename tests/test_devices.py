"""The camera and the microphone: what is missing is said, in one sentence."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Qt

from visualizer.ui import devices

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
