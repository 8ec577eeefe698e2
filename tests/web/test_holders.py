"""Who has a scanner is told where this user may see it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sane.web import holders


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(holders, "BUS", str(tmp_path))
    (tmp_path / "001").mkdir()
    node = tmp_path / "001" / "004"
    node.touch()
    return node


def test_the_program_that_has_the_device_open_is_named(node: Path) -> None:
    name = "epson2:libusb:001:004"
    assert holders.holder_of(name) == ""
    with node.open():
        assert holders.holder_of(name).endswith(f", pid {os.getpid()}")
        assert holders.holder_of(name, frozenset((os.getpid(),))) == ""
        assert holders.holder_of("epson2:libusb:001:005") == ""


@pytest.mark.parametrize("name", ["test:0", "epson2:net:192.0.2.1", "x:libusb:1", "x"])
def test_what_is_no_usb_device_has_no_holder(name: str) -> None:
    assert holders.holder_of(name) == ""
