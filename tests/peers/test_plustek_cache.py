"""Kept calibrations of plustek: ours and the original read and write the same files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sane.testing.plustek.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev, missing_for_umockdev
from tests.peers.frontends import OURS, environment, peer

SCAN = 3
OPTIONS = ("--mode", "Color", "--resolution", "75", "-x", "20", "-y", "5", "--format=pnm")
CONF = "[usb]\noption cacheCalData 1\ndevice auto\n"
STEM = "Canon_CanoScan_N670U_N676U_LiDE20"


def scan(library: Path | None, folder: Path) -> tuple[bytes, int, list[list[str]]]:
    """Scan from a new unit; return the page, how often it scanned, and the files without ours."""
    (folder / ".sane").mkdir(exist_ok=True)
    (folder / "dll.conf").write_text("plustek\n")
    (folder / "plustek.conf").write_text(CONF)
    page = folder / "page.pnm"
    with Umockdev() as bus:
        device = bus.plug(UsbScanner, "LiDE 20")
        subprocess.run(
            [peer("scanimage"), "-d", f"plustek:{device.name}", "-o", page, *OPTIONS],
            cwd=folder,
            env=environment(folder, library) | bus.environment | {"HOME": str(folder)},
            capture_output=True,
            check=True,
            timeout=100,
        )
        scans = sum(deed.command == SCAN for deed in device.call("get_scanner", "deeds"))
    kept = [(folder / ".sane" / f"{STEM}-{kind}.cal").read_text() for kind in ("coarse", "fine")]
    lines = [[line for line in text.splitlines() if line[0] != "#"] for text in kept]
    return page.read_bytes(), scans, lines


@pytest.mark.parametrize("writes", ["ours", pytest.param("the original", marks=pytest.mark.long)])
def test_what_one_has_kept_the_other_uses(writes: str, tmp_path: Path) -> None:
    missing = missing_for_umockdev()
    if missing:
        pytest.skip(f"peer absent: {missing}")
    first, second = (OURS, None) if writes == "ours" else (None, OURS)
    page, scans, kept = scan(first, tmp_path)
    assert scans > 5
    assert scan(second, tmp_path) == (page, 1, kept)
