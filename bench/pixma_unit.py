"""python -m bench.pixma_unit MODEL HOST: an emulated Canon unit that costs little CPU time.

Its page is one row repeated. MP560 and MF4410 are the same on USB, for bench.usb_peer.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from sane.testing.pixma import Scanner, optics
from sane.testing.pixma.network import Emulator
from sane.testing.pixma.usb import UsbScanner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.testing.esci.page import Page
    from sane.testing.pixma.models import Model
    from sane.testing.pixma.request import Request

ROWS = 64  # that are made at a time


def repeated(
    model: Model, request: Request, page: Page, side: int, more_lines: int = 0
) -> optics.Image:
    """Return an image of one row."""
    row = (bytes(range(256)) * (request.line_bytes // 256 + 1))[: request.line_bytes]

    def chunks() -> Iterator[bytes]:
        while True:
            yield row * ROWS

    return optics.Image(chunks(), (request.lines + more_lines) * request.line_bytes)


optics.scan = repeated


class MP560(UsbScanner):
    """An inkjet unit."""

    def __init__(self) -> None:
        super().__init__("MP560")


class MF4410(UsbScanner):
    """A laser unit."""

    def __init__(self) -> None:
        super().__init__("MF4410")


def main() -> int:
    """Serve until the process is ended."""
    model, host = sys.argv[1:]
    with Emulator(Scanner(model), host):
        print("ready", flush=True)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
