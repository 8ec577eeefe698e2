"""What the wires of both Epson drivers have in common: forgetting what a scanner still says."""

from __future__ import annotations

import pytest

from sane.backends._epson.wires import BulkWire
from sane.errors import DeviceIOError
from sane.usb.link import MOST_EMPTY, OK, STALL, TIMEOUT, UNPLUGGED
from tests.fakes.usb import FakeLink, fake_usb


def test_what_was_said_is_dropped_up_to_the_silence() -> None:
    wire = BulkWire(fake_usb(FakeLink(b"page", b"status", b"", TIMEOUT, b"new")))
    assert wire.drain(0.1) == len(b"pagestatus")
    assert wire.usb.read(wire.usb.bulk_in, 64) == b"new"


@pytest.mark.parametrize("outcome", [TIMEOUT, STALL])
def test_a_scanner_that_refuses_has_no_more_to_say(outcome: str) -> None:
    assert BulkWire(fake_usb(FakeLink(b"page", outcome, (OK, b"")))).drain(0.1) == len(b"page")


def test_a_scanner_that_is_gone_is_told_at_once() -> None:
    with pytest.raises(DeviceIOError, match="unplugged"):
        BulkWire(fake_usb(FakeLink(b"page", UNPLUGGED))).drain(0.1)


@pytest.mark.parametrize(
    ("data", "count", "text"), [(b"", MOST_EMPTY, "nothing but empty"), (bytes(4096), 10, "sends")]
)
def test_a_scanner_that_sends_without_end_is_given_up(
    data: bytes, count: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.backends._epson.wires.DRAINED_BYTES", 10 * 4096)
    with pytest.raises(DeviceIOError, match=text):
        BulkWire(fake_usb(FakeLink(*[data] * count))).drain(0.1)
