"""An emulated scanner and our backend in one process: on the network, or as a fake USB handle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sane.backend import Context, Device
from sane.backends._epson import PORT
from sane.backends.epson2 import Backend
from sane.backends.epson2.device import Epson
from sane.backends.epson2.wires import UsbWire
from sane.config import Environment
from sane.errors import EndOfFrame
from sane.handle import Handle
from sane.testing.epson_net import Server
from sane.testing.esci import Scanner
from sane.testing.machine import Machine
from sane.usb.descriptors import Endpoint
from sane.usb.link import BABBLE, CANCELLED, OK, TIMEOUT, UNPLUGGED, Link
from sane.usb_backend import UsbBackend
from tests.fakes.usb import fake_usb
from tests.support.ports import loopback_address

if TYPE_CHECKING:
    from sane.usb.link import Cancels, Result

PACKET = 512
CHUNK = 5000


class MachineLink(Link):
    """A USB link whose other end is a Machine; what it does not answer times out at once."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.is_unplugged = False
        self.rest = b""  # of a transfer that was read in part, by whole packets

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        if self.is_unplugged:
            return UNPLUGGED, 0
        if self.machine.is_silent or not (self.rest or self.machine.replies):
            return TIMEOUT, 0
        message = self.rest or self.machine.replies.popleft()
        self.rest = b""
        n = min(len(data), len(message))
        if n < len(message) and n % PACKET:
            return BABBLE, 0
        data[:n] = message[:n]
        self.rest = message[n:]
        return OK, n

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        if self.is_unplugged:
            return UNPLUGGED, 0
        self.machine.take(bytes(data))
        return OK, len(data)

    def clear_halt(self, endpoint: Endpoint) -> str:
        return OK

    def close(self) -> None:
        """Leave the machine as it is: it does not notice."""


class CountingLink(MachineLink):
    """Calls *then* before the transfer number *at*; after a cancel none begins, as on the bus."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.count = 0
        self.at = -1
        self.then: Callable[[], object] = lambda: None

    def _may_begin(self, cancel: Cancels) -> bool:
        """Count a transfer; return whether it may begin."""
        self.count += 1
        if self.count == self.at:
            self.then()
        return not cancel.is_set()

    def transfer_in(
        self, endpoint: Endpoint, data: memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        if not self._may_begin(cancel):
            return CANCELLED, 0
        return super().transfer_in(endpoint, data, seconds, cancel)

    def transfer_out(
        self, endpoint: Endpoint, data: bytes | memoryview, seconds: float, cancel: Cancels
    ) -> Result:
        if not self._may_begin(cancel):
            return CANCELLED, 0
        return super().transfer_out(endpoint, data, seconds, cancel)


def backend() -> Backend:
    """Return our backend without a configuration."""
    made = Backend("epson2", Context(Environment({"SANE_CONFIG_DIR": "/nonexistent"})))
    made.init()
    return made


def prepared(device: Device, owner: UsbBackend) -> Handle:
    """Return the handle of an open device, as the registry makes it."""
    device.debug = owner.debug
    return Handle(device)


def host() -> str:
    """Return an address of the loopback network that no other test has."""
    return loopback_address(PORT)


@contextmanager
def on_network(scanner: Scanner) -> Iterator[tuple[Any, Server]]:
    """Open *scanner* over TCP."""
    with Server(scanner, host()) as server:
        yield from _opened(server)


def _opened(server: Server) -> Iterator[tuple[Any, Server]]:
    owner = backend()
    handle = prepared(owner.open(f"net:{server.address[0]}"), owner)
    try:
        yield handle, server
    finally:
        handle.close()


@contextmanager
def on_usb(scanner: Scanner) -> Iterator[tuple[Any, MachineLink]]:
    """Open *scanner* on a fake bus."""
    link = MachineLink(scanner)
    owner = backend()
    handle = prepared(Epson(UsbWire(fake_usb(link)), owner.debug), owner)
    try:
        yield handle, link
    finally:
        handle.close()


def set_options(handle: Handle, **values: object) -> None:
    """Set options by attribute name, in this order."""
    for name, value in values.items():
        found = next(item for item in handle.options.declared if item.attribute == name)
        handle.set(found.index, found.encode(value))


def small(handle: Handle, **values: object) -> None:
    """Choose a scan of a few blocks: gray, 20 x 200 mm."""
    given = {"mode": "Gray", "resolution": 150, "br_x": 20.0, "br_y": 200.0, **values}
    set_options(handle, **given)


def read_frame(handle: Handle) -> bytes:
    """Read a started frame to its end."""
    image = bytearray()
    buffer = memoryview(bytearray(CHUNK))
    while True:
        try:
            n = handle.read(buffer)
        except EndOfFrame:
            return bytes(image)
        image += buffer[:n]


def scan(handle: Handle) -> bytes:
    """Scan one page."""
    handle.start()
    return read_frame(handle)


def is_whole(handle: Handle, image: bytes) -> bool:
    """Tell whether *image* has as many bytes as the scanner promises."""
    return len(image) == handle.device.parameters().frame_bytes


def constant(data: bytes) -> Callable[[bytes], bytes]:
    """Return a fault that sends *data* instead."""
    return lambda _data: data
