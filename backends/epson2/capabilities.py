"""What one ESC/I scanner can do, from its own replies.

It asks and checks; nothing here depends on options or a scan. Replies are not believed: every
number meets a limit. Source: specification esci 2.4, 2.5, 2.13 and the order of 2.14.
"""

from __future__ import annotations

import struct

from ...const import MM_PER_INCH
from ...errors import DeviceIOError, Invalid, Unsupported
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .commands import Commands

EXTENDED, OPTION = 0x02, 0x10  # status bits
INSTALLED = 0x80
DUPLEX, BUTTON = 0x10, 0x01
LONGEST_MM = 32767.0  # what a fixed-point option can hold
HIGHEST_DPI = 1 << 16
RESOLUTIONS = 200  # in ESC I; the longest list known has a quarter of that
NETWORK_RESOLUTIONS = (25, 50, 75, 100)
ZOOMS = (4800, 6400, 9600, 12800)
DEPTHS = (12, 14, 16)
STATUS_BYTES, FULL_STATUS_BYTES, IDENTITY_BYTES = 33, 42, 80
LARGE_FEEDER = (0x6DB0, 0x9F60)
IDENTITY = struct.Struct("<2s2x10I2B16s4s2B2I4x")
STATUS = struct.Struct("<2B2HB2HB2H10x")
HARDWARE = struct.Struct("<H2x2B")

Size = tuple[float, float]


class Capabilities:
    """The capabilities of one scanner; sizes in mm, None where there is no such unit."""

    def __init__(self) -> None:
        self.level = models.UNKNOWN_LEVEL
        self.name = "generic"
        self.status = 0
        self.resolutions: list[int] = []
        self.minimum = self.maximum = self.optical = 0
        self.flatbed: Size | None = None
        self.adf: Size | None = None
        self.tpu: Size | None = None
        self.tpu2: Size | None = None
        self.is_duplex = False
        self.depths = [8]
        self.depths_told: list[int] = []  # above 8, what the scanner says it has
        self.has_focus = False
        self.has_button = True
        self.distance = 0
        self.quirks: set[str] = set()

    @property
    def is_extended(self) -> bool:
        """Whether there are the FS commands."""
        return bool(self.status & EXTENDED)

    @property
    def has_option(self) -> bool:
        """Whether an option unit (feeder, transparency unit) is connected."""
        return bool(self.status & OPTION)

    @property
    def is_d(self) -> bool:
        """Whether it is of the D levels."""
        return self.level.startswith("D")

    @property
    def digit(self) -> int:
        """The digit of the level; it alone decides about halftones."""
        return int(self.level[1]) if self.level[1:].isdigit() else 0

    @property
    def commands(self) -> str:
        """The ESC commands and control bytes of the level, quirks included."""
        commands = models.LEVELS[self.level]
        if "feed" in self.quirks:
            commands += "\x19"
        if "no-feed" in self.quirks:
            commands = commands.replace("\x19", "")
        if "no-focus" in self.quirks:
            commands = commands.replace("p", "").replace("q", "")
        return commands

    @property
    def brightness(self) -> tuple[int, int]:
        """The range of ESC L."""
        if "L" not in models.LEVELS[self.level]:
            return 0, 0
        return (-3 if "bright" in self.quirks else models.DARKEST.get(self.level, -3)), 3

    def set_level(self, data: bytes) -> None:
        """Take over the two characters of a reply; what is unknown is a B3."""
        level = data.decode("latin-1")
        self.level = level if level in models.LEVELS else models.UNKNOWN_LEVEL

    def set_name(self, data: bytes) -> None:
        """Take over a name padded with blanks; other bytes than ASCII become question marks."""
        text = data.partition(b"\0")[0].rstrip().decode("ascii", "replace")
        self.name = "".join(c if c.isprintable() and c.isascii() else "?" for c in text)
        self.name = self.name or "generic"
        self.quirks = models.quirks(self.name)

    def size(self, dots: Sequence[int], dpi: int) -> Size | None:
        """Return width and height in *dots* as mm, None without; DeviceIOError for a lie."""
        width, height = dots
        if not width or not height:
            return None
        size = width * MM_PER_INCH / dpi, height * MM_PER_INCH / dpi
        if max(size) > LONGEST_MM:
            raise DeviceIOError(f"a bed of {width} x {height} dots at {dpi} dpi")
        return size


def identify(commands: Commands) -> Capabilities:
    """Ask the scanner everything, in the order that all of them bear; leaves it reset."""
    caps = Capabilities()
    is_network = commands.wire.is_network
    caps.level = models.NETWORK_LEVEL if is_network else models.UNKNOWN_LEVEL
    commands.level = caps.commands
    commands.reset()
    if not is_network:
        _read_identity(commands, caps)
    caps.status = commands.request_status()
    if is_network and not caps.is_extended:
        raise DeviceIOError(f"{commands.wire.name}: no extended commands, needed on a network")
    if not is_network and commands.has("f"):
        _read_status(commands, caps)
    if caps.is_extended and (is_network or caps.level in models.IDENTITY_LEVELS):
        _read_extended_identity(commands, caps)
    if caps.is_d and not is_network:
        _read_hardware(commands, caps)
    if not caps.resolutions or caps.flatbed is None:
        raise DeviceIOError(f"{commands.wire.name}: tells neither resolutions nor a scan area")
    _complete_resolutions(caps)
    caps.depths += [depth for depth in caps.depths_told if _accepts(commands, depth)]
    if commands.has("q"):
        caps.has_focus = _has_focus(commands)
    if caps.is_extended:
        commands.block("F", 16)
    commands.reset()
    return caps


def _read_identity(commands: Commands, caps: Capabilities) -> None:
    """ESC I: level, resolutions, and the area in dots of the highest of them."""
    data = commands.information("I")
    caps.set_level(data[:2])
    commands.level = caps.commands
    area = (0, 0)
    place = 2
    while place < len(data):
        if data[place : place + 1] == b"R" and place + 3 <= len(data):
            caps.resolutions.append(int.from_bytes(data[place + 1 : place + 3], "little"))
            place += 3
        elif data[place : place + 1] == b"A" and place + 5 <= len(data):
            area = struct.unpack_from("<HH", data, place + 1)
            place += 5
        else:
            break  # nobody knows what follows
    if not caps.resolutions or 0 in caps.resolutions or len(caps.resolutions) > RESOLUTIONS:
        raise DeviceIOError(f"resolutions {caps.resolutions[:20]} in {data[:64].hex(' ')}")
    caps.minimum, caps.maximum = caps.resolutions[0], caps.resolutions[-1]
    caps.optical = max(caps.resolutions)
    caps.flatbed = caps.size(area, caps.optical)


def _read_status(commands: Commands, caps: Capabilities) -> None:
    """ESC f: option units, the name; areas in dots of the highest resolution of ESC I."""
    data = commands.information("f")
    if len(data) < STATUS_BYTES:
        raise DeviceIOError(f"extended status of {len(data)} bytes: {data.hex(' ')}")
    if len(data) == FULL_STATUS_BYTES:
        caps.set_name(data[26:])
    fields = STATUS.unpack_from(data.ljust(STATUS.size, b"\0"))
    main, adf, adf_width, adf_height, tpu, tpu_width, tpu_height = fields[:7]
    if "large-feeder" in caps.quirks:
        adf_width, adf_height = LARGE_FEEDER
    caps.has_button = bool(main & BUTTON)
    if caps.has_option and adf & INSTALLED:
        caps.adf = caps.size((adf_width, adf_height), caps.optical)
        caps.is_duplex = bool(main & DUPLEX)
    if caps.has_option and tpu & INSTALLED:
        caps.tpu = caps.size((tpu_width, tpu_height), caps.optical)
    caps.flatbed = caps.size(fields[8:10], caps.optical) or caps.flatbed


def _read_extended_identity(commands: Commands, caps: Capabilities) -> None:
    """FS I: everything anew, areas in dots of the optical resolution."""
    data = commands.block("I", IDENTITY_BYTES)
    fields = IDENTITY.unpack(data)
    level, optical, minimum, maximum, _pixels, *areas = fields[:11]
    capability, _more, name, _rom, _input, depth, tpu2_width, tpu2_height = fields[11:]
    if not 0 < minimum <= maximum <= HIGHEST_DPI or not 0 < optical <= HIGHEST_DPI:
        raise DeviceIOError(
            f"resolutions {minimum} to {maximum} dpi, optical {optical}, in {data[:64].hex(' ')}"
        )
    caps.set_level(level)
    caps.set_name(name)
    commands.level = caps.commands
    caps.optical, caps.minimum, caps.maximum = optical, minimum, maximum
    if not caps.resolutions:
        caps.resolutions = _network_resolutions(minimum, maximum)
    caps.flatbed = caps.size(areas[0:2], optical) or caps.flatbed
    caps.adf = caps.size(areas[2:4], optical)
    caps.tpu = caps.size(areas[4:6], optical)
    if "second-tpu" in caps.quirks:
        caps.tpu2 = caps.size((tpu2_width, tpu2_height), optical)
    caps.is_duplex = bool(capability & DUPLEX)
    caps.depths_told = [bits for bits in DEPTHS if bits <= depth]


def _read_hardware(commands: Commands, caps: Capabilities) -> None:
    """ESC i: the distance of the sensor's lines at the optical resolution."""
    data = commands.information("i")
    if len(data) < HARDWARE.size:
        raise DeviceIOError(f"hardware properties of {len(data)} bytes: {data.hex(' ')}")
    optical, first, second = HARDWARE.unpack_from(data)
    if first != second or not optical:
        raise Invalid(f"line distances {first} and {second} at {optical} dpi")
    caps.distance, caps.optical = first, optical


def _network_resolutions(minimum: int, maximum: int) -> list[int]:
    """Return the list that stands in for ESC I on a network (2.13)."""
    found = [dpi for dpi in NETWORK_RESOLUTIONS if dpi >= minimum]
    dpi = max(150, minimum)
    while dpi <= maximum:
        found.append(dpi)
        dpi *= 2
    return found or [minimum]


def _complete_resolutions(caps: Capabilities) -> None:
    """Add what the list lacks (2.13); the result is sorted and without repetition."""
    last = caps.resolutions[-1]
    if caps.optical > last:
        caps.resolutions.append(caps.optical)
    if "zoom" in caps.quirks:
        caps.resolutions += ZOOMS
    if caps.maximum > last and caps.maximum != caps.optical:
        caps.resolutions += range(2 * last, caps.maximum + 1, last)
    caps.resolutions = sorted(set(caps.resolutions))


def _accepts(commands: Commands, depth: int) -> bool:
    """Tell whether the scanner takes so many bits per sample; a refusal is an answer."""
    try:
        commands.set("D", bytes((depth,)))
    except Invalid:
        return False
    return True


def _has_focus(commands: Commands) -> bool:
    try:
        commands.information("q", 2)
    except (Invalid, Unsupported):
        return False
    return True
