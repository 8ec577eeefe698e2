"""What the wires of both Epson drivers have in common: forgetting what a scanner still says."""

from __future__ import annotations

import pytest

from sane.backends._epson.wires import EMPTY_BYTES, BulkWire
from sane.errors import DeviceIOError
from sane.usb.link import OK, STALL, TIMEOUT, UNPLUGGED
from tests.fakes.usb import FakeLink, fake_usb


def test_the_last_of_what_was_said_is_returned() -> None:
    wire = BulkWire(fake_usb(FakeLink(b"page", b"status", b"", TIMEOUT, b"new")))
    assert wire.drain(0.1) == b"status"
    assert wire.usb.read(wire.usb.bulk_in, 64) == b"new"


@pytest.mark.parametrize("outcome", [TIMEOUT, STALL, UNPLUGGED])
def test_a_scanner_that_fails_has_no_more_to_say(outcome: str) -> None:
    assert BulkWire(fake_usb(FakeLink(b"page", outcome, (OK, b"")))).drain(0.1) == b"page"


@pytest.mark.parametrize("data", [b"", bytes(EMPTY_BYTES)])
def test_a_scanner_that_sends_without_end_is_given_up(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.backends._epson.wires.DRAINED_BYTES", 10 * EMPTY_BYTES)
    with pytest.raises(DeviceIOError, match="sends and sends"):
        BulkWire(fake_usb(FakeLink(*[data] * 11))).drain(0.1)
