"""scanimage on our libsane.so.1: a scanner found in several ways is one line of its list."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ABSENT
from tests.support.registry import HEAD

UUID = "1c852a4db8001f08abcd0123456789ab"
WAYS = {
    "tstepson": 'host="192.0.2.7"',
    "tstusb": 'usb="03f0:c511", serial="VN1234"',
    "tstescl": f'uuid="{UUID}", host="printer.local 192.0.2.7", usb="03f0:c511", serial="vn1234"',
    "tstwsd": f'uuid="{UUID}", host="fe80::7%eth0"',
}


def test_one_scanner_is_one_line_and_every_name_opens(
    staged_environment: dict[str, str], config_dir: Path, tmp_path: Path
) -> None:
    scanimage = shutil.which("scanimage")
    if scanimage is None:
        pytest.skip(f"{ABSENT}scanimage (sane-utils)")
    folder = tmp_path / "drivers"
    folder.mkdir(mode=0o755)
    for name, who in WAYS.items():
        listed = f'[DeviceInfo("x", "Acme", "M1", "virtual device", {who})]'
        text = f"{HEAD}    def list_devices(self, local_only):\n        return {listed}\n"
        (folder / f"{name}.py").write_text(text)
    (config_dir / "dll.conf").write_text("".join(f"{name}\n" for name in WAYS))
    environment = {**staged_environment, "PYSANE_BACKEND_PATH": str(folder)}

    def said(*arguments: str) -> str:
        return subprocess.run(
            [scanimage, *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    (config_dir / "pysane.conf").write_text("list-merge tstescl\n")
    assert said("-f", "%d\n").split() == ["tstescl:x"]
    for name in WAYS:
        assert f"`{name}:x'" in said("-d", f"{name}:x", "-A")
    (config_dir / "pysane.conf").write_text("list-merge off\n")
    assert sorted(said("-f", "%d\n").split()) == sorted(f"{name}:x" for name in WAYS)
