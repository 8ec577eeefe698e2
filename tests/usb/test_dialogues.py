"""Dialogues with emulated devices, through the real pyusb and libusb; and their replay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import TREE
from tests.conftest import ABSENT
from tests.fakes.dialogues import BulkChip, ControlChip, ScsiScanner

if TYPE_CHECKING:
    from sane.testing.usb import UsbDevice
    from sane.testing.usb.hosted import Device, Umockdev

CLIENT = Path(__file__).with_name("dialogues.py")
TIMEOUT = 30
INQUIRY = "b'PySANE          '"


def play(scene: str, **variables: str) -> list[str]:
    """Play *scene*; return the lines that it printed."""
    command = [sys.executable, str(CLIENT), str(TREE), scene]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT
    )
    return done.stdout.splitlines()


def plug(bus: Umockdev, kind: type[UsbDevice]) -> Device:
    pytest.importorskip("usb.core", reason=f"{ABSENT}pyusb")
    return bus.plug(kind)


@pytest.mark.parametrize(
    ("kind", "scene", "lines"),
    [
        (ScsiScanner, "scsi", [INQUIRY, "True", "NoDocs 7"]),
        (ScsiScanner, "refused", ["TimedOut 9", "Stalled 9", INQUIRY]),
        (BulkChip, "bulk", ["44 45 12 34 48 49", "5", "True 0001020304", "200"]),
        (
            ControlChip,
            "control",
            ["fa fb fc fd fe ff 00 01 02 03 04 05", "True", "Garbled 9"],
        ),
    ],
)
def test_a_dialogue_and_its_replay(
    usb_bus: Umockdev, tmp_path: Path, kind: type[UsbDevice], scene: str, lines: list[str]
) -> None:
    device = plug(usb_bus, kind)
    if scene == "scsi":
        device.call("load", 1, 2)
    path = str(tmp_path / "session.usb")
    assert play(scene, PYSANE_USB_RECORD=path, **usb_bus.environment) == lines
    assert play(scene, PYSANE_USB_REPLAY=path) == lines


def test_a_device_that_leaves_out_the_data(usb_bus: Umockdev) -> None:
    plug(usb_bus, ScsiScanner).call("leave_out_data")
    assert play("skipped", **usb_bus.environment) == ["b'' None", INQUIRY]
