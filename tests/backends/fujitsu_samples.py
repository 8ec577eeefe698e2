"""What emulated scanners can do, options as scanimage takes them, and the original's commands."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sane.backend import Context
from sane.backends.fujitsu import Backend
from sane.backends.fujitsu.capabilities import Capabilities, Identity
from sane.backends.fujitsu.options import FujitsuOptions
from sane.backends.fujitsu.presence import options_for
from sane.backends.fujitsu.settings import units
from sane.config import Environment
from sane.errors import EndOfFrame, NoDocs
from sane.handle import Handle
from sane.testing.esci.page import bits
from sane.testing.fujitsu import Model, Scanner, formula
from sane.testing.fujitsu.commands import Cdb
from sane.testing.fujitsu.model import model_named
from sane.testing.fujitsu.window import Piece
from tests.fakes.scanner import MachineLink, prepared
from tests.fakes.usb import fake_usb

if TYPE_CHECKING:
    from sane.usb.handle import Usb

VECTORS = Path(__file__).parents[1] / "data" / "fujitsu" / "vectors.txt"
NAMES = {"-l": "tl-x", "-t": "tl-y", "-x": "br-x", "-y": "br-y"}


def capabilities(model: str = "fi-7260", **fields: int) -> Capabilities:
    """Return what the emulated *model* can do; fields: other bytes of page F0, as b1C=0x8E."""
    emulated = model_named(model).changed({int(name[1:], 16): n for name, n in fields.items()})
    found = Capabilities(Identity(emulated.standard()), emulated.page_f0())
    found.usable = frozenset(emulated.pages)
    return found


class Deaf(FujitsuOptions):
    """The options alone: what they tell the scanner at once is noted."""

    told: list[Any]

    def set_sleep_timer(self, minutes: int) -> None:
        self.told.append(("sleep", minutes))

    def set_off_timer(self, minutes: int) -> None:
        self.told.append(("off", minutes))

    def sensor(self, name: str) -> int:
        return 0

    def current_side(self) -> bool:
        return False

    def finish(self, aborted: bool) -> None:
        pass

    def close(self) -> None:
        pass


def options(found: Capabilities) -> tuple[Any, Handle]:
    """Return a device that has options only, and its handle."""
    device = options_for(Deaf, found)()
    device.told = []
    device.prepare(found)
    return device, Handle(device)


def set_option(handle: Handle, name: str, value: Any) -> int:
    """Set one option by name; return the info bits."""
    option = next(item for item in handle.options.declared if item.name == name)
    if isinstance(value, str) and option.type in (1, 2):  # a number, in scanimage's words
        value = float(value) if option.type == 2 else int(value)
    elif isinstance(value, str) and option.type == 0:
        value = value == "yes"
    return handle.set(option.index, option.encode(value))[1]


def set_options(handle: Handle, text: str) -> None:
    """Set options as scanimage does; its -x and -y are width and height, and come last."""
    given: dict[str, str] = {}
    words = shlex.split(text)
    while words:
        word = words.pop(0)
        name, _, value = word.removeprefix("--").partition("=")
        given[NAMES.get(name, name)] = value or words.pop(0)
    corners = {name: float(given.pop(name)) for name in NAMES.values() if name in given}
    for name, value in given.items():
        set_option(handle, name, value)
    for axis in ("x", "y"):
        first, size = corners.get(f"tl-{axis}", 0.0), corners.get(f"br-{axis}")
        set_option(handle, f"tl-{axis}", first)
        if size is not None:
            set_option(handle, f"br-{axis}", first + size)


class Vector:
    """One of the original's scans: *commands* are pairs of CDB and data, the latter a beginning."""

    def __init__(self, block: str) -> None:
        self.name, *lines = block.splitlines()
        self.model = self.options = ""
        self.commands: list[tuple[str, str]] = []
        for line in lines:
            word, _, rest = line.partition(" ")
            if word in ("model", "options"):
                setattr(self, word, rest)
            elif word != "size" and not word.startswith("["):
                self.commands.append((word, rest.removeprefix("+ ").removesuffix("..")))


def vectors() -> list[Vector]:
    """Return the known scans; the first is a listing."""
    blocks = VECTORS.read_text().partition("\n\n")[2].strip().split("\n\n")
    return [Vector(block) for block in blocks]


class BusPlace:
    """What the backend has to know of a device on the bus."""

    def __init__(self, usb: Usb, product: int) -> None:
        self.name, self.vendor, self.product = usb.name, 0x04C5, product


class Desk:
    """An emulated scanner on a fake bus, and our backend that has got to know it."""

    def __init__(self, model: Model | str = "fi-7260", sheets: int = 1, buffer: int = 0) -> None:
        self.scanner = Scanner(model, sheets)
        self.owner = Backend("fujitsu", Context(Environment({"SANE_CONFIG_DIR": "/nonexistent"})))
        self.owner.init()
        self.owner._auto_buffer = buffer
        self.link = MachineLink(self.scanner)

    def place(self, usb: Usb) -> Any:
        return BusPlace(usb, self.scanner.model.product)

    def identify(self) -> Capabilities:
        """Do what a listing does."""
        usb = fake_usb(self.link)
        return self.owner._identify(usb, self.place(usb))

    def open(self, options: str = "") -> Handle:
        usb = fake_usb(self.link)
        handle = prepared(self.owner.open_scanner(usb, self.place(usb)), self.owner)
        set_options(handle, options)
        return handle

    def names(self) -> list[str]:
        """Return what the scanner was told, in words."""
        return [Cdb(command.cdb).name for command in self.scanner.log]


def read_side(handle: Handle, room: int = 32768) -> bytes:
    """Read a started frame to its end, in pieces of *room*."""
    image, buffer = bytearray(), memoryview(bytearray(room))
    while True:
        try:
            image += buffer[: handle.read(buffer)]
        except EndOfFrame:
            return bytes(image)


def scan_all(handle: Handle) -> list[bytes]:
    """Scan until the hopper is empty."""
    sides: list[bytes] = []
    while True:
        try:
            handle.start()
        except NoDocs:
            return sides
        sides.append(read_side(handle))


def expected(handle: Handle, number: int, *, back: bool = False, soft: bool = False) -> bytes:
    """Return what the emulated page's formulas give for sheet *number*. Source: 12."""
    device: Any = handle.device
    dpi = device.resolution
    left, top = device.settings().left * dpi // 1200, units(device.tl_y) * dpi // 1200
    params = handle.parameters()
    piece = Piece((dpi, dpi), (left, top, params.pixels_per_line, params.lines), 3)
    piece.side, piece.bits = 2 * number + back, 8 if soft else params.depth
    if device.mode != "Color" and not soft:
        piece.channels = 1
    rows = b"".join(formula(piece))
    if soft:
        rows = bytes(sum(rows[i : i + 3]) // 3 for i in range(0, len(rows), 3))
    if params.depth == 1:
        width, threshold = params.pixels_per_line, (device.threshold or 127) if soft else 128
        lines = (rows[at : at + width] for at in range(0, len(rows), width))
        white = b"".join(bits(line + b"\xff" * (-width % 8), threshold) for line in lines)
        return bytes(255 - value for value in white)
    return rows
