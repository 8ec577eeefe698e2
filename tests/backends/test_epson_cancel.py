"""Both Epson drivers on USB, cancelled at each transfer of a scan: the next scan is whole."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.epson2 import Backend as Epson2
from sane.backends.epsonds import Backend as EpsonDs
from sane.config import Environment
from sane.testing import esci, esci2
from tests.fakes.scanner import CountingLink, prepared, read_frame, set_options
from tests.fakes.usb import fake_usb

if TYPE_CHECKING:
    from sane.handle import Handle
    from sane.testing.machine import Machine


def machine(kind: str) -> Machine:
    if kind == "esci2":
        return esci2.Scanner(esci2.Model())
    return esci.Scanner(esci.Model("B8", is_extended=kind == "extended"))


def opened(kind: str, link: CountingLink) -> Handle:
    """Open the scanner behind *link*, set up for a small scan of several blocks."""
    backend = EpsonDs if kind == "esci2" else Epson2
    owner = backend(backend.__module__, Context(Environment({"SANE_CONFIG_DIR": "/nonexistent"})))
    owner.init()
    handle = prepared(owner.open_bulk(fake_usb(link)), owner)
    set_options(handle, mode="Gray", resolution=150, br_x=20.0, br_y=60.0)
    return handle


def scan(handle: Handle) -> bytes:
    handle.start()
    return read_frame(handle)


@pytest.mark.parametrize("kind", ["extended", "standard", "esci2"])
def test_a_cancel_at_any_transfer_does_no_harm_to_the_next_scan(kind: str) -> None:
    link = CountingLink(machine(kind))
    handle = opened(kind, link)
    link.count = 0
    expected = scan(handle)
    transfers = link.count
    link.then = handle.cancel_request.set
    for number in range(1, transfers + 1):
        link.count, link.at = 0, number
        with contextlib.suppress(errors.Cancelled):
            scan(handle)
        handle.cancelled()
        link.at = -1
        assert scan(handle) == expected, f"after a cancel at transfer {number} of {transfers}"
    handle.close()
