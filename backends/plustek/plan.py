"""What a page asks of the chip: pixels, lines and bytes of each of its scans.

Arithmetic only. Lengths in units of 1/300 inch unless named otherwise; a result is cut to whole
numbers where the original does. Source: specification plustek 3.2 to 3.4, 3.10 (speed of clocks).
"""

from __future__ import annotations

from math import ceil

from ...backend import errors
from .models import NORMAL, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .settings import Settings

LINEART, GRAY, COLOR = "Lineart", "Gray", "Color"
MM_PER_INCH, UNITS_PER_INCH = 25.4, 300
ONE = 1 << 16  # in fixed point
DIVIDERS = (  # the quotient of resolutions from which on each is used, as index 0 to 7
    *((1, 0), (1.5, 1.5), (2, 2), (3, 3), (4, 4), (6, 6), (8, 8), (12, 12)),
)
COARSEST_ALONG = 75  # dpi, of a sensor whose colours do not lie apart
LEAST_LINEART_DPI = 150  # across, of units with 1200 dpi
SKIP = 50  # a page begins a fiftieth of an inch later: the motor gets up to speed
STATUS_BYTES = 2  # behind each line
MOST_PIXELS, MOST_LINES = 0xFFFF, 0xFFFF


class Request:
    """What the options ask for.

    corners: tl_x, tl_y, br_x, br_y in mm as the words of the options, 16.16 fixed point.
    """

    __slots__ = ("bits", "corners", "depth", "dpi", "mode", "source", "unit")

    def __init__(
        self, unit: Unit, mode: str, depth: int, dpi: int, corners: tuple[int, int, int, int]
    ) -> None:
        self.unit = unit
        self.mode = mode
        self.depth = 1 if mode == LINEART else depth
        self.bits = 16 if self.depth > 8 else self.depth  # of a sample of the frame
        self.dpi = dpi
        self.corners = corners
        self.source = NORMAL

    def area(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height in units."""
        left, right = sorted(self.corners[::2])
        top, bottom = sorted(self.corners[1::2])
        return units(left), units(top), units(right - left), units(bottom - top)

    @property
    def channels(self) -> int:
        """Of the frame."""
        return 3 if self.mode == COLOR else 1

    def size(self) -> tuple[int, int]:
        """Return pixels and lines of the frame."""
        _, _, width, height = self.area()
        pixels, lines = (extent * self.dpi // UNITS_PER_INCH for extent in (width, height))
        if self.mode == LINEART:
            pixels = (pixels + 7) // 8 * 8
        return pixels, lines

    def estimate(self) -> tuple[int, int]:
        """Return pixels and lines as the original tells them before the start: not in units.

        They may differ from size() by one; a line of line art is not filled up.
        """
        left, right = sorted(self.corners[::2])
        top, bottom = sorted(self.corners[1::2])
        width, height = (
            int(span / ONE / MM_PER_INCH * self.dpi) for span in (right - left, bottom - top)
        )
        return width, height

    @property
    def is_made_of_color(self) -> bool:
        """The chip sends colour, of which the frame gets green."""
        unit = self.unit
        if self.mode == COLOR:
            return False
        if self.mode == LINEART:
            return unit.has("BFC")
        is_coarse = not unit.is_cis and unit.optical_dpi == 1200 and self.dpi <= 300
        return unit.has("GFC") or (is_coarse and self.depth == 8)


class Scan:
    """One run of the chip: what it is told about pixels, lines and place.

    is_color: it sends three colours. bits: 1, 8 or 16 of a sample. dpi_x, dpi_y: what the chip
    scans. divider, index: how many pixels of the sensor make one, and its number. pixels: those
    that count; sent: those that come, with padding. line_bytes: of a line of all colours, with its
    status. lines: that come after *skip*. left: in units; start, end: in pixels of the sensor.
    steps: full steps of the motor before it. is_page: it is a page, and no measurement.
    counted_bytes: of a line, as far as the chip's memory is planned for it.
    """

    def __init__(self, unit: Unit, *, is_color: bool, bits: int, dpi: int, dpi_y: int) -> None:
        self.unit = unit
        self.is_color = is_color
        self.bits = bits
        self.divider, self.index = divider_of(unit.optical_dpi / dpi)
        self.dpi_x = int(unit.optical_dpi / self.divider)
        self.dpi_y = dpi_y
        self.pixels = self.sent = self.line_bytes = self.lines = self.skip = 0
        self.start = self.end = self.steps = self.stagger = self.left = 0
        self.counted_bytes = 0
        self.line_end = 0  # in place of the unit's own
        self.clock = 0.0  # divider; 0: as the motor's table has it
        self.is_page = False
        self.source = NORMAL

    @property
    def is_deep(self) -> bool:
        """Its samples have more than 8 bits."""
        return self.bits > 8

    @property
    def sublines(self) -> int:
        """How many lines, each with a status, make one: the colours of a contact sensor."""
        return 3 if self.is_color and self.unit.is_cis else 1

    @property
    def total_lines(self) -> int:
        """All that are read, with those to skip."""
        return self.skip + self.lines

    def place(self, pixels: int, left: int, *, has_margin: bool = True) -> None:
        """Set the pixels that are scanned: *pixels* from *left* units on.

        has_margin: count from the sensor's first active pixel, not from its very first.
        """
        unit = self.unit
        self.pixels, self.left = pixels, left
        self.sent = sent_pixels(pixels, self.bits)
        channels = 3 if self.is_color and not unit.is_cis else 1
        if self.bits == 1:
            self.line_bytes = self.sent // 8 + STATUS_BYTES
        else:
            self.line_bytes = self.sent * channels * self.bits // 8 + STATUS_BYTES
        self.line_bytes *= self.sublines
        self.counted_bytes = self.line_bytes
        self.start = left * unit.optical_dpi // UNITS_PER_INCH
        if has_margin:
            self.start += unit.hardware.active
        self.end = self.start + int(self.divider * self.sent + 0.5)
        if self.start % 2:
            self.start += 1
            self.end += 1

    def whole_width(self, left: int = -1) -> None:
        """Scan the whole width of the glass, from the first active pixel on."""
        unit = self.unit
        width = unit.width * self.dpi_x // UNITS_PER_INCH
        active = unit.hardware.active * UNITS_PER_INCH // unit.optical_dpi
        self.place(width, active if left < 0 else left, has_margin=False)


def units(word: int) -> int:
    """Return the units of mm in 16.16 fixed point."""
    return int(word / ONE / MM_PER_INCH * UNITS_PER_INCH)


def divider_of(quotient: float) -> tuple[float, int]:
    """Return how many pixels become one, for optical by wanted resolution, and its number."""
    index = max(i for i, (_, limit) in enumerate(DIVIDERS) if quotient >= limit)
    return DIVIDERS[index][0], index


def sent_pixels(pixels: int, bits: int) -> int:
    """Return how many pixels the chip sends for *pixels*: whole words."""
    unit = {1: 16, 8: 2}.get(bits, 1)
    return (pixels + unit - 1) // unit * unit


def along(unit: Unit, dpi: int) -> int:
    """Return the resolution that is scanned along the glass."""
    step = unit.optical_dpi // unit.distance if unit.distance else COARSEST_ALONG
    return min((dpi + step - 1) // step * step, 2 * unit.optical_dpi)


def page_scan(request: Request, settings: Settings) -> Scan:
    """Return the scan of the page itself; raises Invalid where there is nothing to scan."""
    unit = request.unit
    pixels, lines = request.size()
    if pixels < 1 or lines < 1:
        raise errors.Invalid(f"nothing to scan: {pixels} x {lines} pixels")
    is_color = request.mode == COLOR or request.is_made_of_color
    bits = request.bits
    if request.is_made_of_color and bits == 1:
        bits = 8
    if unit.hardware.chip == 1:  # LM9831: 14 bits are made of 8
        bits = min(bits, 8)
    dpi, dpi_y = request.dpi, along(unit, request.dpi)
    if request.mode == LINEART and unit.optical_dpi == 1200:
        dpi = max(dpi, LEAST_LINEART_DPI)
    if unit.hardware.motor.name in ("P1", "P2") and unit.optical_dpi == 1200 and not is_color:
        dpi_y = max(dpi_y, 200)
    scan = Scan(unit, is_color=is_color, bits=bits, dpi=dpi, dpi_y=dpi_y)
    scan.is_page, scan.source = True, request.source
    left, top, _, _ = request.area()
    offset_x, offset_y = settings.offsets(request.source)
    origin = origin_of(unit, request.source)
    left, top = left + origin[0] - offset_x, top + origin[1] - offset_y
    if unit.is_sheet_fed:
        left = sheet_left(left, scan.dpi_x)
    scan.place(pixels * scan.dpi_x // request.dpi, max(0, left))
    scan.stagger = 0
    if is_color and not unit.is_cis:
        scan.stagger = unit.distance * dpi_y // unit.optical_dpi
    scan.lines = ceil(lines * dpi_y / request.dpi) + 2 * scan.stagger
    scan.skip = dpi_y // SKIP
    scan.steps = first_steps(scan, top)
    if scan.pixels < 1 or scan.end > MOST_PIXELS or scan.steps > MOST_LINES:
        raise errors.Invalid(f"{pixels} x {lines} pixels at {left}, {top} cannot be scanned")
    return scan


def origin_of(unit: Unit, source: str) -> tuple[int, ...]:
    """Return where the area of *source* begins, in units."""
    film = unit.film(source)
    return film.origin if film else unit.origin


def sheet_left(left: int, dpi_x: int) -> int:
    """Return the left edge of a page of a sheet-fed unit, on whole pixels of the sensor."""
    grid = next(limit for limit in (300, 600, 1200, 2400) if limit >= 2 * dpi_x)
    step = grid // dpi_x
    return left // step * step


def first_steps(scan: Scan, top: int) -> int:
    """Return the full steps of the motor from the home sensor to *top* units."""
    unit, motor = scan.unit, scan.unit.hardware.motor
    if motor.name == "P3":
        top += p3_shift(scan)
    if not scan.is_color:
        top += UNITS_PER_INCH * unit.distance // unit.optical_dpi
    steps = max(0, top) * unit.hardware.steps_per_inch // UNITS_PER_INCH
    if motor.name == "P2" and unit.optical_dpi == 600:
        steps = steps * 297 // 298
    return steps


def p3_shift(scan: Scan) -> int:
    """Return by how many units a page of motor P3 begins later."""
    dpi, is_color, bits = scan.dpi_x, scan.is_color, scan.bits
    if dpi <= 75:
        return 20
    if dpi <= 100:
        return 0 if is_color else -6
    if dpi <= 200:
        return -10 if is_color else -4
    if dpi <= 300:
        return 16 if is_color else -18
    if dpi <= 400:
        return 15 if is_color else 4 * (bits == 1)
    return 4 * (not is_color and bits > 1)


# Scans that measure


def line_scan(page: Scan, *, left: int = -1, is_color: bool = False) -> Scan:
    """Return a scan of one line of 16 bits over the whole width, for *page*.

    is_color: of all colours, also for a page of gray. left: units from the sensor's very first
    pixel; by default the active ones are scanned.
    """
    unit = page.unit
    dpi = unit.optical_dpi
    scan = Scan(unit, is_color=page.is_color or is_color, bits=16, dpi=dpi, dpi_y=dpi)
    scan.lines, scan.clock, scan.source = 1, page.clock, page.source
    scan.line_end = page.line_end
    scan.whole_width(left)
    return scan


def fine_scan(page: Scan, lines: int, *, is_whole: bool = False, dpi_x: int = 0) -> Scan:
    """Return a scan of *lines* of 16 bits in the columns of *page*, or in all columns.

    dpi_x: across, other than the page's.
    """
    unit = page.unit
    dpi = unit.optical_dpi
    scan = Scan(unit, is_color=page.is_color, bits=16, dpi=dpi, dpi_y=dpi)
    scan.divider, scan.index, scan.dpi_x = page.divider, page.index, page.dpi_x
    if dpi_x:
        scan.divider, scan.index = divider_of(dpi / dpi_x)
        scan.dpi_x = dpi_x
    scan.lines, scan.clock, scan.source = lines, page.clock, page.source
    scan.line_end = page.line_end
    if is_whole:
        scan.place(unit.width * scan.dpi_x // UNITS_PER_INCH, 0)
        return scan
    scan.place(page.pixels, 0)
    scan.start = page.start
    scan.end = scan.start + int(scan.divider * scan.sent + 0.5)
    return scan
