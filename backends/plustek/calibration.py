"""A calibration as a whole: what it is to find, what it has found, and where strips lie.

It knows what cis.py and ccd.py have in common. Source: specification plustek 3.9, 3.10.
"""

from __future__ import annotations

from array import array

from ...backend import errors, image
from . import measure, tables
from . import registers as r
from .models import NORMAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...backend import Debug
    from .chip import Chip
    from .lamp import Lamp
    from .motor import Carriage
    from .plan import Scan
    from .settings import Settings
    from .tables import Shading

FULL = 65535
UNITY = 16384  # of a gain
DIM, DARK = 0.25, 0.01  # of full scale: white that is told, and white that is none
DUST = image.shading.Limits(reach=8, percent=60)


class Wanted:
    """What the options fix: gains, offsets and lamp times of R, G, B, -1 for what is measured.

    uses_dark_strip: where there is one; else the lamp is switched off.
    """

    __slots__ = ("gains", "lamp_off", "offsets", "uses_dark_strip")

    def __init__(
        self,
        gains: tuple[int, int, int],
        offsets: tuple[int, int, int],
        lamp_off: tuple[int, int, int],
        *,
        uses_dark_strip: bool,
    ) -> None:
        self.gains = gains
        self.offsets = offsets
        self.lamp_off = lamp_off
        self.uses_dark_strip = uses_dark_strip


class Found:
    """What a calibration has found. times: of the lamps; shading: None without tables."""

    __slots__ = ("correction", "gains", "offsets", "shading", "times")

    def __init__(self) -> None:
        self.times: list[list[int]] = []
        self.gains = [1, 1, 1]
        self.offsets = [0, 0, 0]
        self.shading: Shading | None = None
        self.correction = tables.FROM_TABLES

    @property
    def has_coarse(self) -> bool:
        """Lamp times, gains and offsets are known."""
        return bool(self.times)


class Calibration:
    """The base of both ways: the unit's parts, and steps that both have.

    keeps_whole: tables are made of the whole width, to be kept for other pages. gray_color: which
    of R, G and B gray takes software offsets and gains from.
    """

    gray_color = 1

    def __init__(
        self,
        parts: tuple[Chip, Carriage, Lamp],
        settings: Settings,
        wanted: Wanted,
        page: Scan,
        debug: Debug,
        *,
        keeps_whole: bool = False,
    ) -> None:
        self.chip, self.carriage, self.lamp = parts
        self.settings = settings
        self.wanted = wanted
        self.page = page
        self.debug = debug
        self.keeps_whole = keeps_whole
        self.found = Found()
        unit = page.unit
        software = unit.correction(page.dpi_x, page.is_color, page.bits)
        if page.source != NORMAL:
            software = [0, 0, 0], [1000, 1000, 1000]
        self.software_offsets, self.software_gains = software

    # Places

    @property
    def white_y(self) -> int:
        """Where the white strip lies."""
        unit, source = self.page.unit, self.page.source
        film = unit.film(source)
        wanted = self.settings.white_y(source)
        preset = film.white_y if film else unit.white_y
        return wanted if wanted >= 0 else preset

    @property
    def has_dark_strip(self) -> bool:
        """There is a dark strip, and it is to be used."""
        return self.page.unit.dark_y >= 0 and self.wanted.uses_dark_strip

    def go_dark(self) -> None:
        """Bring the head to darkness, or darkness to the head."""
        if self.has_dark_strip:
            self.carriage.home()
            self.carriage.forward(self.page.unit.dark_y)
        else:
            self.lamp.darken()

    def go_white(self) -> None:
        """End the darkness: bring light back, or the head to the white strip."""
        if self.has_dark_strip:
            self.go_to_white()
        else:
            self.lamp.lighten(self.page.source)

    def go_to_white(self) -> None:
        """Bring the head to the white strip, from home."""
        self.carriage.home()
        self.carriage.forward(self.white_y, is_white=True)

    def set_motor(self, *, is_on: bool) -> None:
        """Let the motor run in the next scans, or not."""
        self.chip.registers[r.MOTOR_ON] = int(is_on)

    # Values

    @property
    def colors(self) -> range:
        """The channels that are measured."""
        return range(3) if self.page.is_color else range(1)

    def own(self, values: list[int], channel: int) -> int:
        """Return the value of a channel; of R, G and B, or of gray."""
        return values[channel] if self.page.is_color else values[self.gray_color]

    def set_gains(self, values: list[int]) -> None:
        """Set the gains of R, G and B in the registers of the next scan."""
        self.found.gains = list(values)
        self.chip.registers.note(r.GAINS, bytes(values))

    def set_offsets(self, values: list[int]) -> None:
        """Set the offsets of R, G and B, codes of 6 bits."""
        self.found.offsets = [value & 0x3F for value in values]
        self.chip.registers.note(r.OFFSETS, bytes(self.found.offsets))

    def line(self, scan: Scan) -> list[array[int]]:
        """Scan one line; return its channels."""
        samples = measure.scan_lines(self.chip, scan, self.load_none)
        return measure.channels_of(scan, samples)

    def load_none(self) -> None:
        """Load nothing: the samples are to be what the sensor sees."""
        tables.load_none(self.chip)

    def gains_of(self, whites: list[array[int]], count: int) -> list[array[int]]:
        """Return the gains that make whites, sums of *count* lines over the offset, full scale."""
        found = []
        for channel, white in enumerate(whites):
            target = FULL * 1000 / self.own(self.software_gains, channel)
            dark = array("Q", bytes(8 * len(white)))
            shading = image.shading.measured(
                dark, white, count, target=target, bits=14, limits=DUST
            )
            gains = shading.gains
            for i, total in enumerate(white):
                if not total:
                    gains[i] = FULL
            if shading.repaired:
                where = f"{len(shading.repaired)} pixels of channel {channel}"
                self.debug(2, "%s took their neighbours' gain", where)
            found.append(gains)
        return found

    def check_light(self, whites: list[array[int]], count: int) -> None:
        """Raise DeviceIOError where white is as dark as black; tell of light that is weak."""
        for channel, white in enumerate(whites):
            share = sum(white) / max(1, len(white)) / count / FULL
            text = f"{self.chip.name}: the white strip has {100 * share:.1f} % of full light"
            if share < DARK:
                text = f"{text} in channel {channel}: the lamp does not light, or the strip is dark"
                raise errors.DeviceIOError(text)
            if share < DIM:
                self.debug(1, "%s in channel %d: a weak lamp, or dust", text, channel)

    def fine_lines(self, scan: Scan, load: Callable[[], None]) -> list[array[int]]:
        """Scan lines; return the sum of each pixel by channel."""
        samples = measure.scan_lines(self.chip, scan, load)
        total = measure.sums(scan, samples)
        count = 3 if scan.is_color else 1
        return [total[i::count][: scan.pixels] for i in range(count)]

    def finish(self) -> Found:
        """Bring the head home, with the lamp on for the page; return what was found."""
        if not self.lamp.is_on(self.page.source):
            self.lamp.on(self.page.source)
        self.carriage.home()
        self.found.times = [list(pair) for pair in self.lamp.times]
        return self.found
