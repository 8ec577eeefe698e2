"""What a listing of USB devices imports and opens: sysfs is read, nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sane.testing.usb import UsbDevice
from tests import TREE
from tests.support.load_path import NEVER

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Umockdev

PROGRAM = """
import sys
before = set(sys.modules)
sys.path.insert(0, {tree!r})
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
from sane.usb_backend import UsbBackend
registry = registry_for("", Context(Environment({{"SANE_CONFIG_DIR": {folder!r}}})))
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
print(*[device.name for device in registry.get_devices()])
print(*sorted(set(sys.modules) - before))
print(*[path for path in opened if "/dev/" in path])
"""


def test_a_listing_reads_sysfs_and_imports_no_usb_library(
    usb_bus: Umockdev, tmp_path: Path
) -> None:
    name = usb_bus.plug(UsbDevice, vendor=0x04B8, product=0x0101).name
    (tmp_path / "dll.conf").write_text("epson2\n")
    (tmp_path / "epson2.conf").write_text("usb auto\n")
    program = PROGRAM.format(tree=str(TREE), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={**os.environ, **usb_bus.environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    devices, modules, nodes = done.stdout.split("\n")[:3]
    assert devices == f"epson2:{name}"
    assert set(modules.split()) & NEVER == set()
    assert "sane.usb.libusb" not in modules.split()
    assert nodes == ""
