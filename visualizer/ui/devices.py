"""Devices: the camera, the microphone and the loudspeaker, through Qt's multimedia, which is installed only by those
who want it.

Whatever is missing, the module, the device or the permission to use it, is one sentence that says what to do. Nothing
of it is loaded before a person asks for a device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from PySide6.QtCore import QCameraPermission, QCoreApplication, QMicrophonePermission, QObject, Qt

from visualizer.language import english, tr, translated

INSTALL = "pip install 'visualizer[devices]'"


class NoDevice(Exception):
    """One sentence about why there is none, and what to do."""


@dataclass(frozen=True)
class Device:
    """A kind of device."""

    found: str
    """What QMediaDevices calls the list of them."""
    usual: str
    """The same of the one that the system takes."""
    permission: Callable[[], Any] | None
    """What a person has to agree to; None where nobody has to."""
    none: str
    denied: str


CAMERA = Device(
    "videoInputs", "defaultVideoInput", QCameraPermission,
    english("No camera is found: connect one and try again, or open a picture file."),
    english("The system does not let this app use the camera: allow it in the privacy settings of the system and try "
            "again, or open a picture file."))
SPEAKER = Device(
    "audioOutputs", "defaultAudioOutput", None,
    english("No loudspeaker is found: connect one or headphones and try again."), "")
MICROPHONE = Device(
    "audioInputs", "defaultAudioInput", QMicrophonePermission,
    english("No microphone is found: connect one and try again, or open a sound file."),
    english("The system does not let this app use the microphone: allow it in the privacy settings of the system and "
            "try again, or open a sound file."))


def multimedia() -> Any:
    """The module QtMultimedia; raises NoDevice."""
    try:
        return import_module("PySide6.QtMultimedia")
    except ImportError as error:
        if find_spec("PySide6.QtMultimedia") is None:
            said = tr("Cameras, microphones and sound need Qt's multimedia; to install it, run: {install}")
            raise NoDevice(said.format(install=INSTALL)) from error
        said = tr("Qt's multimedia cannot be loaded ({why}); install what that names, or open a file.")
        raise NoDevice(said.format(why=str(error).rstrip("."))) from error


def usual(device: Device) -> Any:
    """The device that the system takes, as Qt describes it; raises NoDevice."""
    devices = multimedia().QMediaDevices
    if not getattr(devices, device.found)():
        raise NoDevice(translated(device.none))
    return getattr(devices, device.usual)()


def reach(device: Device, asker: QObject, then: Callable[[Any], None], why_not: Callable[[str], None]) -> None:
    """`then` gets the device, once the person has let the app use it; or `why_not` one sentence. Asks the person where
    the system wants that; nothing comes any more once `asker` is gone."""
    try:
        found = usual(device)
    except NoDevice as error:
        why_not(str(error))
        return
    if device.permission is None:
        then(found)
        return
    app, permission = QCoreApplication.instance(), device.permission()
    assert app is not None
    status = Qt.PermissionStatus

    def answered(*_: object) -> None:
        if app.checkPermission(permission) == status.Granted:
            then(found)
        else:
            why_not(translated(device.denied))

    if app.checkPermission(permission) == status.Undetermined:
        app.requestPermission(permission, asker, answered)
    else:
        answered()
