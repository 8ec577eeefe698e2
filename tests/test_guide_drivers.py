"""Short drivers of docs/driver-guide.md, run as they stand there: registers, SCSI, DNS-SD."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import sane.backends
from sane import errors
from sane.backend import Context
from sane.config import Environment
from sane.handle import Handle
from tests import ROOT
from tests.fakes.usb import FakeLink, fake_usb
from tests.support.avahi import program

TEXT = (ROOT / "docs" / "driver-guide.md").read_text(encoding="utf-8")


def driver(start: str) -> dict[str, Any]:
    """Run the block that begins with *start* as a module among the backends."""
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (code,) = [block for block in blocks if block.startswith(f'"""{start}')]
    names: dict[str, Any] = {"__package__": sane.backends.__name__, "__name__": "guide"}
    exec(compile(code, start, "exec"), names)
    return names


def opened(device: Any, width_mm: int, height_mm: int) -> Handle:
    handle = Handle(device)
    for item in handle.options.declared:
        if item.name in ("br-x", "br-y"):
            handle.set(item.index, item.encode(width_mm if item.name == "br-x" else height_mm))
    return handle


def page(handle: Handle) -> bytes:
    handle.start()
    data = bytearray(handle.parameters().frame_bytes)
    done = 0
    while done < len(data):
        n = handle.read(memoryview(data)[done:])
        assert n
        done += n
    return bytes(data)


def test_the_chip_with_registers_scans() -> None:
    not_home, home = b"\x00\x55", b"\x08\x55"
    fake = FakeLink(not_home, home, b"\x77" * 121)
    handle = opened(driver("Acme G1")["G1"](fake_usb(fake)), 1, 1)
    assert page(handle) == b"\x77" * 121
    handle.close()
    sent: list[Any] = fake.sent
    pairs = [item[2] for item in sent if item[0] == "control" and item[1][:2] == (0x40, 4)]
    registers = [data for data in pairs if len(data) == 2]
    assert registers == [
        *(b"\x03\x10", b"\x10\x00", b"\x11\x0b", b"\x12\x00", b"\x13\x0b"),
        *(b"\x01\x01", b"\x01\x00", b"\x03\x00"),
    ]


GOOD, FAILED = b"S\x00", b"S\x02"


def sense(key: int, asc: int, ascq: int) -> bytes:
    return bytes((0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0))


INQUIRY = bytes(16) + b"S9".ljust(20)


def test_the_scsi_scanner_scans() -> None:
    fake = FakeLink(INQUIRY, GOOD, GOOD, GOOD, GOOD, b"\x55" * 121, GOOD)
    device = driver("Acme S9")["S9"](fake_usb(fake))
    assert device.model == "S9"
    handle = opened(device, 1, 1)
    assert page(handle) == b"\x55" * 121
    handle.close()
    sent: list[Any] = fake.sent
    codes = [item[2][1] for item in sent if item[0] == "out" and len(item[2]) == 17]
    assert codes == [0x12, 0x31, 0x24, 0x1B, 0x28]


@pytest.mark.parametrize(
    ("told", "error"), [(sense(3, 0x3A, 0), errors.NoDocs), (sense(3, 0x80, 1), errors.Jammed)]
)
def test_the_scsi_scanner_says_what_is_wrong(told: bytes, error: type[Exception]) -> None:
    fake = FakeLink(INQUIRY, GOOD, FAILED, told, GOOD)
    handle = opened(driver("Acme S9")["S9"](fake_usb(fake)), 1, 1)
    with pytest.raises(error):
        handle.start()
    handle.close()


def test_the_announced_scanner_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = '"ty=Acme N2" "UUID=urn:uuid:1C852A4D-B800-1F08-ABCD-0123456789AB"'
    rows = [
        f"=;lo;IPv4;One;_acme-scan._tcp;local;one.local;192.0.2.7;9872;{texts}",
        '=;lo;IPv4;Two;_acme-scan._tcp;local;two.local;192.0.2.8;9872;"ty=Other"',
    ]
    program(tmp_path, monkeypatch, "cat <<'END'\n" + "\n".join(rows) + "\nEND\n")
    (tmp_path / "acme.conf").write_text("acme://192.0.2.9\n")
    environment = Environment({"SANE_CONFIG_DIR": str(tmp_path)})
    backend = driver("Acme N2")["Backend"]("acme", Context(environment))
    backend.init()
    configured, found = backend.list_devices(local_only=False)
    assert (configured.name, found.name) == ("acme://192.0.2.9", "acme://192.0.2.7")
    assert (found.vendor, found.model) == ("Acme", "N2")
    assert found.uuid == "1c852a4db8001f08abcd0123456789ab"
    assert found.host == "192.0.2.7 one.local"
    backend.exit()
