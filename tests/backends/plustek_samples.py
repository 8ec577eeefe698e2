"""An emulated register scanner on a fake bus, and what tests do with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sane.backend import Context
from sane.backends.plustek import Backend, models, plan, settings
from sane.backends.plustek.options import PlustekOptions
from sane.config import Environment
from sane.errors import EndOfFrame
from sane.handle import Handle
from sane.param import Parameters, fix
from sane.testing.plustek import Scanner
from tests import ROOT
from tests.fakes.scanner import CountingLink
from tests.fakes.usb import descriptor_bytes, endpoint_bytes, fake_usb, interface_bytes
from tests.support.handles import put

VECTORS = ROOT / "tests" / "data" / "plustek" / "final-registers.txt"
AREA = (20.0, 30.0, 60.0, 30.0)  # mm: left, top, width, height; of the vectors
SMALL = (20.0, 30.0, 20.0, 6.0)
ENDPOINTS = endpoint_bytes(0x81, 3, 1) + endpoint_bytes(0x82, 2, 64) + endpoint_bytes(0x03, 2, 64)


class ChipLink(CountingLink):
    """A link to an emulated scanner, at which no pause of the driver lasts."""

    is_live = False


def unit_of(ids: str) -> models.Unit:
    """Return the first unit with the ids ``vvvv:pppp``."""
    vendor, product = (int(word, 16) for word in ids.split(":"))
    return models.units_of(vendor, product)[0]


def request_of(
    unit: models.Unit, mode: str, depth: int, dpi: int, area: tuple[float, ...] = AREA
) -> plan.Request:
    """Return a request for an area in mm."""
    left, top, width, height = area
    corners = (fix(left), fix(top), fix(left + width), fix(top + height))
    return plan.Request(unit, mode, depth, dpi, corners)


def values(*lines: str) -> settings.Settings:
    """Return settings with ``KEY VALUE`` lines."""
    found = settings.Settings()
    for line in lines:
        found.take(line.split(), "here")
    return found


@contextlib.contextmanager
def opened(
    unit: str = "220d",
    *lines: str,
    home: Path | str = "/nonexistent",
    scanner: Scanner | None = None,
    serial: str = "",
    vendor: int = 0x04A9,
    **variables: str,
) -> Iterator[tuple[Handle, Scanner, ChipLink]]:
    """Open an emulated unit, by its product id; Canon's, unless *vendor* says otherwise."""
    scanner = scanner or Scanner(unit)
    link = ChipLink(scanner)
    interface = interface_bytes(0, 0xFF, ENDPOINTS)
    raw = descriptor_bytes(int(unit, 16), interface, vendor=vendor, class_=0xFF)
    environment = {"SANE_CONFIG_DIR": "/nonexistent", "HOME": str(home), **variables}
    backend = Backend("plustek", Context(Environment(environment)))
    backend.init()
    usb = fake_usb(link, raw)
    device = backend.making(lambda: backend.open_unit(usb, values(*lines), serial))
    handle = Handle(device)
    try:
        yield handle, scanner, link
    finally:
        handle.close()


def set_up(
    handle: Handle,
    mode: str = "Color",
    depth: int = 8,
    dpi: int = 150,
    area: tuple[float, float, float, float] = SMALL,
    **options: Any,
) -> None:
    """Choose what is to be scanned."""
    put(handle, "mode", mode)
    if mode != "Lineart":
        put(handle, "depth", depth)
    left, top, width, height = area
    corners = {"tl_x": left, "tl_y": top, "br_x": left + width, "br_y": top + height}
    for name, value in {"resolution": dpi, **corners, **options}.items():
        put(handle, name, value)


def read_page(handle: Handle, room: int = 60_000) -> bytes:
    """Read a page that was started."""
    image = bytearray()
    buffer = memoryview(bytearray(room))
    while True:
        try:
            n = handle.read(buffer)
        except EndOfFrame:
            return bytes(image)
        image += buffer[:n]


def page(handle: Handle, room: int = 60_000) -> tuple[Parameters, bytes]:
    """Scan one page."""
    handle.start()
    return handle.parameters(), read_page(handle, room)


def cancel(handle: Handle) -> None:
    """Do what sane_cancel does, and wait for it."""
    handle.cancel_request.set()
    handle.cancelled()


def device_of(handle: Handle) -> Any:
    """Return the device behind a handle."""
    assert isinstance(handle.device, PlustekOptions)
    return handle.device
