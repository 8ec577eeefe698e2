"""Programs of the staged tree use USB with the pyusb that lies beside the package."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sane.testing.esci.usb import UsbScanner
from tests.conftest import PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from sane.testing.usb.hosted import Umockdev


@pytest.fixture
def variables(
    usb_bus: Umockdev, staged_environment: dict[str, str], config_dir: Path
) -> dict[str, str]:
    """Return the environment of programs that see the bus and use epson2."""
    (config_dir / "dll.conf").write_text("epson2\n")
    found = {**staged_environment, **usb_bus.environment}
    return {name: value for name, value in found.items() if not name.startswith("PYTHON")}


def run(variables: dict[str, str], folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_pysane_scan_scans_over_usb(
    usb_bus: Umockdev, variables: dict[str, str], tmp_path: Path
) -> None:
    name = f"epson2:{usb_bus.plug(UsbScanner).name}"
    program = str(PREFIX / "bin" / "pysane-scan")
    done = run(variables, tmp_path, program, "-d", name, "-o", "x.png", "br-x=20", "br-y=20")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_the_conformance_suite_opens_over_usb(
    usb_bus: Umockdev, variables: dict[str, str], tmp_path: Path
) -> None:
    """It is a Python program, in whose interpreter our library runs: sys.path is its own."""
    name = f"epson2:{usb_bus.plug(UsbScanner).name}"
    variables["PYTHONPATH"] = os.fspath(PREFIX / "lib" / "pysane")
    python = os.path.realpath(sys.executable)
    command = [python, "-S", "-m", "sane.testing", "--section", "4.3.8", name]
    done = run(variables, tmp_path, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "needs pyusb" not in done.stderr
