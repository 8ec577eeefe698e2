"""One unit as a whole: found, calibrated for a page, read, and brought home.

    attach -> begin page -> read pieces -> end -> (lamp off) -> release

It knows the order of a scan's steps; what each is stands in the module of its part. Source:
specification plustek 1.4, 3.1, 3.6.
"""

from __future__ import annotations

from math import ceil

from ...backend import errors
from . import measure, plan, tables
from . import registers as r
from .calibration import Found, Wanted
from .chip import HOME, IDLE, Chip, board_number, identify
from .lamp import Lamp, has_film_unit
from .models import PLUSTEK
from .motor import Carriage
from .picture import picture_of
from .plan import UNITS_PER_INCH, Request, Scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Debug, Usb
    from .cache import Cache
    from .models import Unit
    from .picture import Picture
    from .settings import Settings

PIECE_LINES = 32


class Page:
    """A page on its way. left: lines of the chip still to be read."""

    def __init__(self, request: Request, scan: Scan) -> None:
        self.request = request
        self.scan = scan
        self.picture: Picture = picture_of(request, scan)
        self.left = scan.lines
        self.buffer = memoryview(bytearray(min(PIECE_LINES, max(scan.lines, 1)) * scan.line_bytes))

    @property
    def is_done(self) -> bool:
        """All of the frame was read."""
        return self.picture.is_done


class Scanner:
    """One open unit."""

    def __init__(self, usb: Usb, unit: Unit, settings: Settings, debug: Debug) -> None:
        self.usb = usb
        self.unit = unit
        self.settings = settings
        self.debug = debug
        self.chip = Chip(usb, unit)
        self.carriage = Carriage(self.chip)
        self.lamp = Lamp(self.chip)
        self.has_film_unit = unit.has_film_unit
        self.cache: Cache | None = None
        self._kept: tuple[object, Found] | None = None  # of the last page, while the lamp is on
        self._is_scanning = False

    @classmethod
    def found(cls, usb: Usb, settings: Settings, debug: Debug) -> Scanner:
        """Return the unit behind *usb*; raises DeviceIOError for one that is not known."""
        unit = identify(usb, settings.number("mov"))
        scanner = cls(usb, unit, settings, debug)
        scanner.attach()
        return scanner

    def attach(self) -> None:
        """Bring the unit into a state that is known: at rest, on its way home."""
        chip, unit = self.chip, self.unit
        hardware = unit.hardware
        chip.reset()
        if unit.vendor in (0x04B8, 0x1606):
            self.has_film_unit = has_film_unit(chip) or self.settings.has("enableTPA")
        elif self.settings.has("enableTPA"):
            self.has_film_unit = bool(unit.films)
        self.has_film_unit = self.has_film_unit and bool(unit.films)
        self.lamp.is_any_on()
        chip.registers.note(r.PINS, hardware.pins)
        if unit.is_cis:
            chip.port.write(r.PINS + 2, hardware.pins[2:])
            chip.wait(0.001)
            for i in range(2):
                chip.port.write(r.PINS + i, hardware.pins[i : i + 1])
        else:
            chip.port.write(r.PINS, hardware.pins)
        scan = Scan(unit, is_color=True, bits=8, dpi=150, dpi_y=plan.along(unit, 150))
        scan.is_page, scan.clock = True, 4.0
        scan.place(0, 0)
        chip.send_block(scan)
        if unit.is_sheet_fed:
            from . import sheets

            sheets.eject(self.chip, is_first=True)
        else:
            self.carriage.home(waits=False)

    # A page

    def begin(self, request: Request, wanted: Wanted, curves: list[bytes], warmup: int) -> Page:
        """Do all that goes before the first data of a page. curves: its gamma tables."""
        chip = self.chip
        scan = plan.page_scan(request, self.settings)
        scan.clock = r.clock_of(scan)
        page = Page(request, scan)
        self._is_scanning = True
        if chip.state() not in (IDLE, HOME):
            chip.command(IDLE)
        if self.unit.vendor == PLUSTEK:
            board_number(chip.port)  # as the original; the chip's lines stay as this sets them
        kept = self._kept
        self.lamp.set_mode(is_color=scan.is_color, off=wanted.lamp_off)
        if kept is not None and kept[0] == self._key(scan, wanted):
            self.lamp.times = [list(pair) for pair in kept[1].times] or self.lamp.times
        was_off = self.lamp.start(request.source)
        if self.unit.is_sheet_fed:
            chip.registers.write(r.MOTOR_ON, 0)
        else:
            self.carriage.position()
        found = self._calibrated(scan, wanted, warmup, was_off=was_off)
        self._start(page, found, curves)
        return page

    def _key(self, scan: Scan, wanted: Wanted) -> object:
        """Return what two pages have in common that one calibration is good for."""
        form = scan.is_color, scan.bits, scan.dpi_x, scan.dpi_y, scan.start, scan.pixels
        fixed = wanted.gains, wanted.offsets, wanted.lamp_off, wanted.uses_dark_strip
        return scan.source, form, fixed

    def _calibrated(self, scan: Scan, wanted: Wanted, warmup: int, *, was_off: bool) -> Found:
        """Return what a page needs: what was found for the one before, or is kept, or found now."""
        key = self._key(scan, wanted)
        if self._kept is not None and self._kept[0] == key and not was_off:
            found = self._kept[1]
            self.apply(found)
            return found
        self._kept = None
        found = self.calibrate(scan, wanted, warmup, was_off=was_off)
        self._kept = key, found
        return found

    def calibrate(
        self, scan: Scan, wanted: Wanted, warmup: int = 0, *, was_off: bool = False
    ) -> Found:
        """Calibrate for *scan*, or take what the cache has of it; the head ends at home."""
        if self.unit.is_sheet_fed:
            from . import sheets

            return sheets.calibration(self, scan, wanted)
        if self.settings.has("skipCalibration"):
            return self._uncalibrated(wanted)
        coarse = None
        if self.cache is not None:
            coarse = self.cache.coarse(scan)
            shading = self.cache.fine(scan)
            if coarse is not None and shading is not None:
                coarse.shading = shading
                self.apply(coarse)
                return self._corrected(coarse, is_kept=True)
        found = self._measured(scan, wanted, coarse, warmup, was_off=was_off)
        if self.cache is not None and found.shading is not None:
            duty = self.chip.registers[r.LAMP_DUTY]
            self.cache.store(scan, found, has_coarse=coarse is not None, duty=duty)
            found.shading = self.cache.columns(scan, found.shading)
        return self._corrected(found, is_kept=False)

    def _measured(
        self, scan: Scan, wanted: Wanted, coarse: Found | None, warmup: int, *, was_off: bool
    ) -> Found:
        from .cis import CisCalibration

        parts = self.chip, self.carriage, self.lamp
        form = parts, self.settings, wanted, scan, self.debug
        if self.unit.is_cis or self.settings.has("altCalibration"):
            if self.unit.hardware.motor.is_plustek:
                text = "altCalibration is for other units"
                raise errors.Unsupported(f"{self.chip.name}: {text}")
            calibration = CisCalibration(*form, keeps_whole=self.cache is not None)
            return calibration.run(coarse)
        from .ccd import CcdCalibration

        is_kept = self.cache is not None
        return CcdCalibration(*form, keeps_whole=is_kept).run(warmup, was_off=was_off)

    def _uncalibrated(self, wanted: Wanted) -> Found:
        """Return what is used without a calibration."""
        found = Found()
        found.gains = [value if value >= 0 else 1 for value in wanted.gains]
        found.times = [list(pair) for pair in self.lamp.times]
        found.correction = tables.BYPASSED
        self.apply(found)
        return found

    def _corrected(self, found: Found, *, is_kept: bool) -> Found:
        """Note how the chip is to correct a page, by plustek.conf."""
        if self.settings.has("skipFine"):
            found.correction = tables.NO_TABLES
            if is_kept:
                self.chip.write(r.FIXED_GAIN.address, b"\x3f\xff")
        elif self.settings.has("skipFineWhite"):
            found.correction = tables.OFFSETS_ONLY
        return found

    def apply(self, found: Found) -> None:
        """Set what a calibration has found in the registers of the next scan."""
        registers = self.chip.registers
        registers.note(r.GAINS, bytes(value & 0x3F for value in found.gains))
        registers.note(r.OFFSETS, bytes(value & 0x3F for value in found.offsets))
        registers[r.MOTOR_ON] = 1
        if found.times and self.unit.is_cis:
            self.lamp.set_times(found.times)

    def _start(self, page: Page, found: Found, curves: list[bytes]) -> None:
        """Tell the chip what the page is, and let it begin."""
        chip, scan = self.chip, page.scan
        registers = chip.registers
        registers[r.LIGHT] = self.lamp.light
        registers[r.MOTOR_ON] = 1
        if self.unit.is_sheet_fed:
            from . import sheets

            sheets.await_paper(chip)
        chip.wait(0.01)
        chip.send_block(scan)
        chip.prepare()
        chip.upload_gamma(curves)
        tables.load(chip, scan, found.shading, found.correction)
        chip.begin()
        hardware = self.unit.hardware
        origin = plan.origin_of(self.unit, scan.source)[1]
        if scan.steps > origin * hardware.steps_per_inch // UNITS_PER_INCH:
            registers.load(r.CLOCK.address, 1)
            registers.load(r.FRONT_END.address, 1)
            if hardware.high_speed and self.carriage.is_speeding:
                self.carriage.speed_up()
        if page.left <= PIECE_LINES:
            self._shrink(page)
        chip.await_data(measure.pause_seconds(chip))
        self._skip(page)

    def _skip(self, page: Page) -> None:
        """Read the lines that come before the motor is at its speed."""
        left = page.scan.skip
        scratch = memoryview(bytearray(min(PIECE_LINES, left) * page.scan.line_bytes))
        while left:
            lines = min(PIECE_LINES, left)
            self.chip.read_image(scratch[: lines * page.scan.line_bytes])
            left -= lines

    def _shrink(self, page: Page) -> None:
        """Let the chip give the last lines away, which do not fill its memory."""
        registers, dram = self.chip.registers, self.unit.hardware.dram_kib
        size = page.left * page.scan.line_bytes
        if size < registers[r.PAUSE] * dram // 128 * 1024:
            value = ceil(size / (4 * dram)) & 0xFF
            self.chip.write(r.PAUSE.address, bytes((value or 1, 0)))

    def read(self, page: Page) -> None:
        """Read the next piece of a page into its picture."""
        lines = min(PIECE_LINES, page.left)
        if not lines:
            raise errors.DeviceIOError(f"{self.chip.name}: the page has fewer lines than it should")
        if lines == page.left < page.scan.lines:
            self._shrink(page)
        view = page.buffer[: lines * page.scan.line_bytes]
        self.chip.read_image(view)
        page.left -= lines
        page.picture.feed(view)

    # The end

    def end(self) -> None:
        """End a page, whatever state it is in; the head goes home by itself."""
        if not self._is_scanning:
            return
        self._is_scanning = False
        chip = self.chip
        chip.stop()
        if self.unit.is_sheet_fed:
            from . import sheets

            sheets.eject(chip)
        elif self.carriage.is_stuck:
            chip.stop_motor()
        else:
            self.carriage.home(waits=False)

    def forget(self) -> None:
        """Forget what was found for the last page."""
        self._kept = None

    def switch_lamp(self, source: str, *, is_on: bool) -> None:
        """Switch the lamp between pages."""
        if is_on:
            self.lamp.on(source)
        else:
            self.lamp.off()
            self.forget()

    def lamp_off(self) -> None:
        """Switch the lamp off when the unit is at rest."""
        self.chip.await_ready()
        self.lamp.off()
        self.forget()

    # Buttons

    def buttons(self) -> set[int]:
        """Return which buttons are pressed; none while the unit is busy."""
        from .buttons import pressed

        if self.chip.state():
            return set()
        return pressed(self.unit, self.chip.registers.held(r.PINS, 3), self.chip.status())
