"""An emulated Canon scanner on the loopback network or a fake bus, and what tests do with it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sane.backend import Context
from sane.backends.pixma import Backend
from sane.backends.pixma.models import BY_PRODUCT, VENDOR
from sane.backends.pixma.units import device_for
from sane.backends.pixma.usblink import UsbLink
from sane.config import Environment
from sane.debug import Debug
from sane.handle import Handle
from sane.testing.pixma import Scanner
from sane.testing.pixma.network import BJNP, Emulator
from sane.usb.descriptors import INTERRUPT, Endpoint
from sane.usb.link import CANCELLED, OK, TIMEOUT
from tests.fakes.scanner import CountingLink
from tests.fakes.usb import SCANNER, descriptor_bytes, fake_usb
from tests.peers.fujitsu import Picture
from tests.peers.pixma import WEIGHTS, expected, pixels_of
from tests.support.handles import put, read

if TYPE_CHECKING:
    from sane.usb.link import Cancels, Result

LEFT, TOP, WIDTH, HEIGHT = 33.3, 41.7, 20.3, 9.0  # mm
FEEDER, DUPLEX = "Automatic Document Feeder", "ADF Duplex"
_hosts = itertools.count()


def backend(folder: Path, *lines: str, **variables: str) -> Backend:
    """Return the backend with these lines in pixma.conf."""
    (folder / "pixma.conf").write_text("".join(f"{line}\n" for line in lines))
    environment = Environment({"SANE_CONFIG_DIR": str(folder), **variables})
    found = Backend("pixma", Context(environment))
    found.init()
    return found


@contextlib.contextmanager
def scanner_at(model: str, method: str = BJNP, sheets: int = 0) -> Iterator[Emulator]:
    """Make a scanner at an address of its own."""
    scanner = Scanner(model, sheets)
    with Emulator(scanner, f"127.0.1.{next(_hosts) % 250 + 1}", 0, method) as emulator:
        yield emulator


@contextlib.contextmanager
def opened(emulator: Emulator, folder: Path, **variables: str) -> Iterator[Handle]:
    """List and open the scanner, over a network that nobody searches."""
    found = backend(folder, "auto_detection=no", emulator.url, **variables)
    (info,) = found.list_devices(local_only=False)
    handle = Handle(found.open_device(info.name))
    try:
        yield handle
    finally:
        handle.close()
        found.exit()


def set_up(handle: Handle, mode: str, dpi: int, source: str = "", **options: Any) -> None:
    """Choose what is to be scanned, of an area in the middle."""
    if source:
        put(handle, "source", source)
    put(handle, "mode", mode)
    put(handle, "resolution", dpi)
    corners = {"tl_x": LEFT, "tl_y": TOP, "br_x": LEFT + WIDTH, "br_y": TOP + HEIGHT}
    for name, value in {**corners, **options}.items():
        put(handle, name, value)


def frame(handle: Handle, room: int = 1 << 16) -> Picture:
    """Return the next page."""
    handle.start()
    p = handle.parameters()
    kind = b"P6" if p.channels == 3 else b"P4" if p.depth == 1 else b"P5"
    return Picture(kind, (p.pixels_per_line, p.lines), read(handle, room))


def is_right(picture: Picture, model: str, dpi: int, side: int = 0) -> bool:
    """Tell whether every pixel is that of the emulator's page."""
    family = Scanner(model).model.family
    place = pixels_of(LEFT, dpi), pixels_of(TOP, dpi)
    wanted = expected(picture, *place, side, family if family in WEIGHTS else "")
    return picture.data == wanted


def names(emulator: Emulator) -> list[str]:
    """Return the names of the commands that the scanner got."""
    return [command.name for command in emulator.scanner.log]


class BusLink(CountingLink):
    """A fake bus, with interrupts: pauses take no time."""

    is_live = False

    def __init__(self, machine: Scanner) -> None:
        super().__init__(machine)
        self.machine: Scanner = machine

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        if endpoint.type != INTERRUPT or self.is_unplugged:
            return super().transfer_in(endpoint, data, seconds, cancel)
        if not self._may_begin(cancel):
            return CANCELLED, 0
        if not self.machine.events:
            return TIMEOUT, 0
        event = self.machine.events.popleft()
        data[: len(event)] = event
        return OK, len(event)


class Bus:
    """A scanner on a fake bus, opened: *scanner*, *link*, *handle*."""

    def __init__(self, model: str, sheets: int = 0) -> None:
        self.scanner = Scanner(model, sheets)
        self.link = BusLink(self.scanner)
        self.lines: list[str] = []
        raw = descriptor_bytes(self.scanner.model.product, SCANNER, vendor=VENDOR)
        row = BY_PRODUCT[self.scanner.model.product]
        debug = Debug("pixma", Environment({}))
        debug.level = -1
        device = device_for(UsbLink(fake_usb(self.link, raw)), row, debug)
        device.debug = debug
        self.handle = Handle(device)

    def __enter__(self) -> Bus:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.handle.close()

    def names(self) -> list[str]:
        """Return the names of the commands that the scanner got."""
        return [command.name for command in self.scanner.log]
