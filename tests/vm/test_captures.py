"""What the kernel's own monitor captures of a scan is replayed without the scanner."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT
from tests.conftest import ABSENT, PREFIX
from tests.fakes.page_scanner import PageScanner
from tests.support.vm_pages import scan
from tests.vm.conftest import Guest

CAPTURE = """
cp {source} /run/share/usbmon.py
python3 /run/share/usbmon.py {bus} /run/share/{file} > /run/share/ready &
for (( n = 0; n < 300; n++ )); do
  grep -q capturing /run/share/ready && break; sleep 0.1
done
"""


def capture(guest: Guest, file: str, bus: int, program: str) -> None:
    """Let usbmon note what *program* does on *bus*."""
    source = ROOT / "tests" / "vm" / "usbmon.py"
    start = CAPTURE.format(source=source, bus=bus, file=file)
    guest.machine.check(f"{start}{guest.command(program)} > /dev/null; kill %1; sync")


def replay(path: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Scan on the host from the capture."""
    (folder / "dll.conf").write_text("page\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SANE_")},
        "LD_LIBRARY_PATH": str(PREFIX / "lib"),
        "SANE_CONFIG_DIR": str(folder),
        "PYSANE_BACKEND_PATH": str(folder / "drivers"),
        "PYSANE_USB_REPLAY": path,
    }
    shutil.copytree(ROOT / "tests" / "vm" / "drivers", folder / "drivers", dirs_exist_ok=True)
    return subprocess.run(
        ["scanimage", "-d", "page", "--format=pnm"],
        env=environment,
        capture_output=True,
        timeout=30,
        check=False,
    )


def test_a_capture_of_usbmon_is_replayed(guest: Guest, tmp_path: Path) -> None:
    if shutil.which("scanimage") is None:
        pytest.skip(f"{ABSENT}scanimage")
    device = guest.plug(PageScanner, width=200, lines=300)
    bus = int(device.name.split(":")[1])
    capture(guest, "scan.pcap", bus, f"scanimage -d page:{device.name}")
    path = guest.share / "scan.pcap"
    ids = f"{PageScanner.vendor:04x}:{PageScanner.product:04x}"
    done = replay(f"{path},{ids}", tmp_path)
    assert (done.returncode, done.stdout) == (0, scan(200, 300)), done.stderr
