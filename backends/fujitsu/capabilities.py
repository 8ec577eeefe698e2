"""What a scanner says it can do: its answers to INQUIRY, and what follows from them.

Arithmetic only. A scanner may lie: what makes no sense is DeviceIOError, so that all that is built
on a Capabilities object may rely on it. Source: specification fujitsu 2.2, 3.2 and 3.3.
"""

from __future__ import annotations

import struct

from ...backend import errors
from . import models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = 1200  # to the inch: the only length on the wire, "u"
STANDARD_BYTES, PAGE_BYTES = 96, 204
SCANNER_TYPE = 6
VENDORS = ("FUJITSU", "RICOH")
LEAST_LENGTH = 0x5F  # in the page's length byte: shorter pages end before what is needed
UNDER_REPORTED = 0x63  # what firmware means by it
OVERSCAN_END = 0x6F  # where a page ends at least that tells of over- and underscan
OLD_LENGTH = 19  # of the pages of the oldest models, which are completed here
MOST_UNITS = 1 << 20  # of paper: 22 metres; its millimetres fit into a word
MOST_RESOLUTION = 4800
RESOLUTIONS = (
    (0x12, (60, 75, 100, 120, 150, 160, 180, 200)),
    (0x13, (240, 300, 320, 400, 480, 600, 800, 1200)),
)
LINEART, HALFTONE, GRAY, COLOR = "Lineart", "Halftone", "Gray", "Color"
MODES = ((LINEART, 0x02), (HALFTONE, 0x04), (GRAY, 0x08), (COLOR, 0x80))
FLATBED = "Flatbed"
FEEDER, CARD = "ADF", "Card"
FRONT, BACK, DUPLEX = " Front", " Back", " Duplex"
MULTIPLES = {LINEART: 8, HALFTONE: 8, GRAY: 1, COLOR: 1}
DEFAULT_BITS, LEAST_BITS, MOST_BITS = 8, 8, 12  # of a brightness table's index


class Identity:
    """What the standard INQUIRY says: *vendor*, *product*, *revision*, raster offsets (M3091).

    color_raster, duplex_raster: lines at 300 dpi.
    """

    def __init__(self, raw: bytes) -> None:
        """Read *raw*; raises DeviceIOError for what is no scanner of the family."""
        if len(raw) < STANDARD_BYTES:
            raise errors.DeviceIOError(f"INQUIRY: {len(raw)} of {STANDARD_BYTES} bytes came")
        self.vendor, self.product, self.revision = (
            raw[start:end].decode("latin-1").rstrip(" \0")
            for start, end in ((8, 16), (16, 32), (32, 36))
        )
        if raw[0] & 0x1F != SCANNER_TYPE or self.vendor not in VENDORS or not self.product:
            raise errors.DeviceIOError(
                f"INQUIRY: type {raw[0] & 0x1F}, {self.vendor!r} {self.product!r}: "
                "no scanner of this family"
            )
        self.color_raster, self.duplex_raster = struct.unpack_from(">H2xH", raw, 0x2A)


def completed(raw: bytes, product: str) -> tuple[bytes, int]:
    """Return a capability page of 204 bytes, and the last byte of it that means anything.

    What is shorter is completed with zeros, and with what old models do not say. Raises
    DeviceIOError for a page that ends too early. Source: 2.2.
    """
    if len(raw) < 5:
        raise errors.DeviceIOError(f"capabilities: {len(raw)} bytes came ({raw.hex(' ')})")
    page = bytearray(raw[:PAGE_BYTES].ljust(PAGE_BYTES, b"\0"))
    if page[4] == OLD_LENGTH and ("M3099" in product or "M3097G" in product):
        page[4] = LEAST_LENGTH
        if "M3097G" in product:
            _complete_m3097(page, product)
    elif page[4] < LEAST_LENGTH or len(raw) < LEAST_LENGTH:
        raise errors.DeviceIOError(
            f"capabilities: {len(raw)} bytes of a page of {page[4]} ({raw[:8].hex(' ')} ...)"
        )
    length = UNDER_REPORTED if page[4] == LEAST_LENGTH else page[4]
    end = length + 4
    if page[0x59] & 1 and end < OVERSCAN_END:
        end = OVERSCAN_END
    page[end + 1 :] = bytes(max(0, PAGE_BYTES - end - 1))
    return bytes(page), end


def _complete_m3097(page: bytearray, product: str) -> None:
    """Put in what an M3097G has; letters behind its name are what is built in."""
    page[0x1E:0x64] = bytes(0x64 - 0x1E)
    known = {0x20: 0xC2, 0x21: 0x08, 0x28: 0xED, 0x29: 0xBF, 0x56: 0x45, 0x57: 0x35, 0x59: 0xE0}
    known |= dict.fromkeys((0x52, 0x53, 0x54), 0xFF)
    if "i" in product:
        known |= {0x2B: 0x01, 0x58: 0xFF, 0x59: 0xC0}
    if "m" in product:
        known |= {0x23: 0x40, 0x5A: 0xE0}
    for place, value in known.items():
        page[place] = value


class Capabilities:
    """One scanner: its identity, quirks, and what its page F0 says.

    Lengths are in u, 1/1200 inch. width, length: of the largest paper. resolutions: a list, or
    the lowest and the highest one (steps). serial: "" unless it was asked for and told. usable:
    the mode pages that exist. color_order: in which colours come. Both are found out by asking.
    """

    def __init__(self, identity: Identity, raw: bytes) -> None:
        self.identity = identity
        self.product = identity.product
        self.quirks = models.quirks_of(identity.product)
        page, _end = completed(raw, identity.product)
        self.page = page
        self.usable: frozenset[int] = frozenset()
        self.color_order = self.quirks.color_order or models.PIXELS
        self.serial = ""
        self._read_sizes(page)
        self._read_abilities(page)
        self._read_endorsers(page)

    # Sizes

    def _read_sizes(self, page: bytes) -> None:
        basic_x, basic_y, most_x, least_x = struct.unpack_from(">HHxH2xH", page, 5)
        width, length = struct.unpack_from(">II", page, 0x14)
        over_x, over_y = self.quirks.overscan or struct.unpack_from(">HH", page, 0x64)
        if not (0 < basic_x <= MOST_RESOLUTION and 0 < basic_y <= MOST_RESOLUTION):
            raise errors.DeviceIOError(f"capabilities: basic resolution {basic_x} x {basic_y}")
        self.basic = basic_x
        self.width = min(MOST_UNITS, width * UNITS // basic_x)
        self._length: int = min(MOST_UNITS, length * UNITS // basic_y)
        if not (self.width and self._length):
            raise errors.DeviceIOError(f"capabilities: a window of {width} x {length} pixels")
        self.overscan_x = min(self.width, over_x * UNITS // basic_x)
        self.overscan_y = min(self._length, over_y * UNITS // basic_y)
        self.resolution_steps = (0, 0)
        self.resolutions: tuple[int, ...] = ()
        if page[9] & 0x11 == 0x11:
            low, high = max(1, least_x), min(most_x, MOST_RESOLUTION)
            if low > high:
                raise errors.DeviceIOError(f"capabilities: resolutions from {low} to {high}")
            self.resolution_steps = (low, high)
        else:
            self.resolutions = tuple(
                dpi
                for place, values in RESOLUTIONS
                for bit, dpi in enumerate(values)
                if page[place] & 0x80 >> bit
            )
            if not self.resolutions:
                raise errors.DeviceIOError("capabilities: no resolution")

    def length(self, resolution: int) -> int:
        """Return how long paper may be at *resolution*."""
        found = self._length
        for limit, length in self.quirks.lengths:
            if limit >= resolution:
                found = length
        return found

    @property
    def flatbed(self) -> tuple[int, int]:
        """Width and length of the glass."""
        width, length = self.quirks.flatbed
        return min(width or self.width, MOST_UNITS), length or self._length

    def bed(self, source: str, resolution: int) -> tuple[int, int]:
        """Return the width and length that *source* can scan at *resolution*."""
        return self.flatbed if source == FLATBED else (self.width, self.length(resolution))

    # Abilities

    def _read_abilities(self, page: bytes) -> None:
        quirks = self.quirks
        self.modes = tuple(
            mode
            for mode, bit in MODES
            if page[0x1C] & bit and (mode != HALFTONE or quirks.has_halftone)
        )
        if not self.modes:
            raise errors.DeviceIOError(f"capabilities: no mode in {page[0x1C]:02x}")
        self.has_flatbed = bool(page[0x20] & 0x40) or quirks.fixes_flatbed
        self.has_feeder = bool(page[0x20] & 0x80)
        self.is_duplex = bool(page[0x20] & 0x10)
        self.has_card = bool(page[0x7C] & 0x80)
        if not (self.has_flatbed or self.has_feeder or self.has_card):
            raise errors.DeviceIOError("capabilities: neither flatbed nor feeder")
        bits = quirks.lut_bits or page[0x21] & 0x0F
        self.lut_bits = bits if LEAST_BITS <= bits <= MOST_BITS else DEFAULT_BITS
        self.can_protect = bool(page[0x21] & 0x10)
        self.can_protect_more = bool(page[0x6D] & 0x02)
        self.finds_staples = bool(page[0x70] & 0x10)
        self.can_recover = bool(page[0x72] & 0x0F)
        self.can_diagnose = page[0x28] & 0x06 == 0x06
        self.tells_pages = bool(page[0x29] & 0x80)
        self.tells_status = bool(page[0x2B] & 0x04)
        self.can_control = bool(page[0x31] & 0x02)
        self.brightness_steps, self.threshold_steps, self.contrast_steps = page[0x52:0x55]
        self.dithers = page[0x56] >> 4
        self.gammas, self.can_take_gamma = page[0x57] >> 4, bool(page[0x57] & 0x0F)
        if quirks.is_m3091:
            self.gammas, self.can_take_gamma = max(1, self.gammas), False
        self._read_processing(page)

    def _read_processing(self, page: bytes) -> None:
        bits = page[0x58]
        self.has_rif = bool(bits & 0x80) or self.quirks.fixes_rif
        self.has_dtc, self.has_sdtc = bool(bits & 0x40), bool(bits & 0x20)
        self.has_outline, self.has_emphasis = bool(bits & 0x10), bool(bits & 0x08)
        self.has_separation, self.has_mirroring = bool(bits & 0x04), bool(bits & 0x02)
        self.has_white_follower = bool(bits & 0x01)
        self.can_diffuse = bool(page[0x59] & 0x40)
        self.can_crop = bool(page[0x59] & 0x08)
        self.has_jpeg = bool(page[0x5A] & 0x08)
        self.has_off_timer = bool(page[0x76] & 0x80)
        self.can_halt = bool(page[0x7A] & 0x80)

    def _read_endorsers(self, page: bytes) -> None:
        self.front_endorser, self.back_endorser = bool(page[0x20] & 0x01), bool(page[0x20] & 0x08)
        self.front_endorser_type = page[0x5D] >> 2 & 3
        self.back_endorser_type = page[0x5D] & 3

    @property
    def endorser_type(self) -> int:
        """0, 1 or 2: of the back endorser, if there is one."""
        return self.back_endorser_type if self.back_endorser else self.front_endorser_type

    @property
    def has_endorser(self) -> bool:
        """Whether it prints on sheets."""
        return self.front_endorser or self.back_endorser

    # What is offered

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the values of the option source."""
        back = self.is_duplex and self.quirks.has_back_only
        found = [FLATBED] if self.has_flatbed else []
        for kind, is_there in ((FEEDER, self.has_feeder), (CARD, self.has_card)):
            if is_there:
                found.append(kind + FRONT)
                found += [kind + BACK] if back else []
                found += [kind + DUPLEX] if self.is_duplex else []
        return tuple(found)

    @property
    def all_modes(self) -> tuple[str, ...]:
        """Return the values of the option mode: what it scans, and what is made of that here."""
        made = self.quirks.software_modes
        return tuple(mode for mode, _bit in MODES if mode in self.modes or mode in made)

    def scanner_mode(self, mode: str) -> str:
        """Return the mode in which is scanned what is wanted as *mode*: the next one it has."""
        order: Sequence[str] = [name for name, _bit in MODES]
        for name in order[order.index(mode) :]:
            if name in self.modes:
                return name
        return self.modes[-1]

    def multiple(self, mode: str) -> int:
        """Return of what the number of pixels in a line is a multiple."""
        multiples = MULTIPLES | self.quirks.multiples
        return max(multiples[mode], multiples[self.scanner_mode(mode)])

    @property
    def has_choice(self) -> bool:
        """Whether it has to be told where the paper lies."""
        return self.has_flatbed or self.has_card
