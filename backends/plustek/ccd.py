"""Calibration of sensors with a lamp beside them: warm-up, gains, offsets, tables of pixels.

    white strip -> lamp is steady -> gains -> offsets -> lamp off, dark -> lamp on
                -> white, the motor running -> home

Source: specification plustek 3.8 (warm-up), 3.10.
"""

from __future__ import annotations

from array import array
from math import ceil, floor

from ...backend import errors, image
from . import measure, plan, tables
from .calibration import FULL, UNITY, Calibration
from .models import LM9831, NEGATIVE, NORMAL
from .tables import Shading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .calibration import Found
    from .plan import Scan

WARM_LINES, STEADY_LINES = 61, 5
WARM_FROM, WARM_CHANGE, WARM_FILM_CHANGE = 500, 60, 40  # pixel, and by how much light may grow
WARM_SECONDS = 1.0
BASE_GAIN, GAIN_STEP, LARGE_GAIN = 0.93, 0.067, 3
TARGET, FILM_TARGET, MOST_WHITE = 61440, 65024, 65280
MOST_GAIN, GAIN_ROUNDS = 63, 10
SLOWEST = {True: 10, False: 20}  # clock dividers, in colour and gray
OFFSET_STEPS, OFFSET_PIXELS, DARK = (16, 8, 4, 2, 1), 2550, 4096
LAMP_SECONDS = 0.5
WHITE_LINES, FEW_WHITE_LINES, FEW_DPI = 64, 32, 75
COARSE_DPI, FINER_DPI = 100, 150  # across: less than one is measured with the other
DROPPED = 4  # of the lightest and of the darkest samples of a pixel
BLUE = 2  # of the channels
NEGATIVE_GAIN = 2.85
RESERVED_KIB = 196  # of an LM9831's memory: lines that fit beside are read in one go


class CcdCalibration(Calibration):
    """The calibration of one page."""

    def run(self, warmup: int, *, was_off: bool) -> Found:
        """Calibrate. warmup: seconds for the lamp, -1 until it is steady."""
        unit = self.page.unit
        self.set_gains([1, 1, 1])
        self.set_offsets([0, 0, 0])
        self.set_motor(is_on=False)
        self.carriage.forward(self.white_y, is_white=True)
        self.warm_up(warmup, was_off=was_off)
        self.choose_clock()
        self.find_gains()
        self.find_offsets()
        if not self.settings.has("skipFine"):
            dark = self.fine_dark()
            gains = self.fine_white(dark)
            self.found.shading = self.of_page(Shading(dark, gains))
        if unit.hardware.motor.name == "P3":
            return self.found
        is_old = unit.hardware.motor.is_plustek
        self.carriage.forward(unit.hardware.steps_per_inch // 5 if is_old else 10)
        self.chip.wait(0.0015)
        return self.finish()

    # The lamp

    def warm_up(self, seconds: int, *, was_off: bool) -> None:
        """Wait for the lamp; raises DeviceIOError for one that does not become steady."""
        if seconds >= 0:
            self.chip.wait(seconds if was_off else 0)
            return
        page = self.page
        scan = plan.line_scan(page, is_color=True)
        motor = page.unit.hardware.motor
        scan.clock = motor.clock(page.unit.optical_dpi, page.is_color, True)
        if not page.is_color:  # as the original, which plans one channel and gets three
            scan.counted_bytes = 2 * scan.sent + plan.STATUS_BYTES
        most = WARM_CHANGE if page.source == NORMAL else WARM_FILM_CHANGE
        before: list[int] = []
        steady = 0
        for _ in range(WARM_LINES):
            light = [sum(line[WARM_FROM:]) // len(line) for line in self.line(scan)]
            if before and all(now - then < most for now, then in zip(light, before, strict=True)):
                steady += 1
                if steady == STEADY_LINES:
                    return
            elif before:
                steady = 0
                self.chip.wait(WARM_SECONDS)
            before = light
        text = f"the lamp is not steady after {WARM_LINES} s: {before}"
        raise errors.DeviceIOError(f"{self.chip.name}: {text}")

    def choose_clock(self) -> None:
        """Set the clock divider that the unit needs, which hangs on more than its motor."""
        unit, page = self.page.unit, self.page
        if not unit.hardware.motor.is_plustek:
            return
        if page.source != NORMAL:
            page.clock = 8
            return
        color, gray = old_clocks(page)
        page.clock = color if page.is_color else gray
        is_p2 = unit.hardware.motor.name == "P2"
        if unit.optical_dpi == 600 and is_p2 and unit.buttons and unit.sensor != "s548":
            is_long = page.is_color and page.bits == 8 and page.dpi_x in (200, 300)
            page.line_end = 7000 if is_long else 5384

    # Gains and offsets

    def find_gains(self) -> None:
        """Find the gains that make the white strip nearly white; the clock may change for it."""
        if min(self.wanted.gains) >= 0:
            self.set_gains([min(value, MOST_GAIN) for value in self.wanted.gains])
            return
        page = self.page
        least = page.clock
        if (page.unit.sensor, page.unit.hardware.motor.name) == ("n3799", "P2"):
            least = 3.0
        for _ in range(GAIN_ROUNDS):
            scan = plan.line_scan(page)
            self.set_gains([1, 1, 1])
            peaks = self.peaks(scan)
            target = TARGET if page.source == NORMAL else FILM_TARGET
            gains = [gain_for(value, target, 1) for value in peaks]
            self.set_gains(gains if len(gains) == 3 else gains * 3)
            self.debug(3, "white %s at clock %s, gains %s", peaks, page.clock, gains)
            if not self.change_clock(gains, least):
                return

    def change_clock(self, gains: list[int], least: float) -> bool:
        """Change the clock where no gain is right; return whether to measure again."""
        unit, page = self.page.unit, self.page
        motor = unit.hardware.motor.name
        if motor == "P1" and unit.sensor == "n3778":
            if len(gains) == 3 and gains[1] == 0 and page.clock >= 5.5:
                page.clock -= 1.5
                return True
            return False
        if unit.hardware.motor.is_plustek and (motor, unit.sensor) != ("P2", "n3799"):
            return False
        if min(gains) == 0 and page.clock > least:
            page.clock -= 0.5
            return True
        if max(gains) == MOST_GAIN and page.clock < SLOWEST[page.is_color]:
            page.clock += 0.5
            return True
        return False

    def peaks(self, scan: Scan) -> list[int]:
        """Return how light the white strip is, by channel."""
        unit, dpi = self.page.unit, self.page.unit.optical_dpi
        lines = self.line(scan)
        if not scan.is_color:
            return [max(line, default=0) for line in lines]
        film = unit.film(self.page.source)
        origin = film.origin[0] if film else unit.origin[0]
        width = film.width if film else unit.width - origin
        first, count = origin * dpi // 300, width * dpi // 300
        return [measure.peak(line[first : first + count]) for line in lines]

    def find_offsets(self) -> None:
        """Find the offsets that bring the sensor's covered pixels near the wanted dark."""
        if -1 not in self.wanted.offsets:
            self.set_offsets(list(self.wanted.offsets))
            return
        first, last = self.page.unit.hardware.black
        scan = plan.line_scan(self.page)
        left = first * plan.UNITS_PER_INCH // self.page.unit.optical_dpi
        scan.place(OFFSET_PIXELS, left, has_margin=False)
        offsets = [0] * len(self.colors)
        best: list[tuple[int, int]] = [(FULL, 0)] * len(self.colors)
        for step in OFFSET_STEPS:
            codes = [offset_code(value) for value in offsets]
            self.set_offsets(codes if len(codes) == 3 else codes * 3)
            for channel, line in enumerate(self.line(scan)):
                mean = sum(line[: last - first]) // max(1, last - first)
                best[channel] = min(best[channel], (abs(mean - DARK), codes[channel]))
                offsets[channel] += -step if mean > DARK else step
        codes = [code for _, code in best]
        self.set_offsets(codes if len(codes) == 3 else codes * 3)

    # Each pixel

    @property
    def is_whole(self) -> bool:
        """Tables are made of the whole width, as the first chip's are."""
        return self.keeps_whole or self.is_first_chip

    @property
    def is_first_chip(self) -> bool:
        """The chip is an LM9831: the columns of a page fall on whole pixels of the whole width."""
        return self.page.unit.hardware.chip == LM9831

    @property
    def fold(self) -> int:
        """How many pixels of a table make one of the page: an LM9831 is not measured coarsely."""
        is_coarse = self.is_first_chip and self.page.dpi_x < COARSE_DPI
        return FINER_DPI // self.page.dpi_x if is_coarse else 1

    @property
    def first_column(self) -> int:
        """Which pixel of an LM9831's whole width the page begins with.

        It is a multiple of two, or of four with a sensor of 1200 dpi, so that the whole width is
        measured from an even pixel of the sensor on: four too where three of these make two.
        """
        page = self.page
        step = page.unit.optical_dpi // plan.UNITS_PER_INCH
        if step * page.divider % 2:
            step *= 2
        return page.left * page.dpi_x // plan.UNITS_PER_INCH // step * step

    def fine_scan(self, lines: int) -> Scan:
        """Return a scan of *lines* of what tables are made of."""
        page = self.page
        dpi_x = FINER_DPI if self.fold > 1 else 0
        scan = plan.fine_scan(page, lines, is_whole=self.is_whole, dpi_x=dpi_x)
        if self.is_first_chip:
            shift = page.start - int(self.first_column * page.divider) - scan.start
            scan.start += shift
            scan.end += shift
        return scan

    def of_page(self, shading: Shading) -> Shading:
        """Return the tables as the page needs them, or as they are to be kept."""
        fold, page = self.fold, self.page
        if fold > 1:
            shading = Shading(
                *(
                    [folded(table, fold) for table in tables]
                    for tables in (shading.offsets, shading.gains)
                )
            )
        if self.is_first_chip and not self.keeps_whole:
            return shading.part(self.first_column, page.pixels)
        return shading

    def fine_dark(self) -> list[array[int]]:
        """Return the offset of each pixel: one for all, unless there is a dark strip."""
        self.go_dark()
        scan = self.fine_scan(1)
        samples = measure.scan_lines(self.chip, scan, self.load_none)
        lines = measure.channels_of(scan, samples)
        self.go_white()
        self.chip.wait(LAMP_SECONDS)
        self.set_motor(is_on=True)
        found = []
        for channel, line in enumerate(lines):
            extra = self.own(self.software_offsets, channel)
            values = list(line) if self.has_dark_strip else self.even_dark(line)
            found.append(array("H", [max(0, min(FULL, value + extra)) for value in values]))
        return found

    def even_dark(self, line: array[int]) -> list[int]:
        """Return the mean of a dark line for each pixel, of even and odd ones by themselves."""
        unit = self.page.unit
        means = [sum(line[i::2]) // max(1, len(line[i::2])) for i in range(2)]
        if not unit.hardware.timing[0] & 4:
            means = [sum(line) // len(line)] * 2
        elif unit.number == 2:
            means = [sum(means) // 2] * 2
        return [means[i % 2] for i in range(len(line))]

    def fine_white(self, dark: list[array[int]]) -> list[array[int]]:
        """Return the gain of each pixel, with the offsets at work; dust that passes is left out."""
        page = self.page
        count = FEW_WHITE_LINES if page.dpi_x <= FEW_DPI else WHITE_LINES
        empty = Shading(dark, dark)
        samples: array[int] = array("H")
        left = count
        scan = self.fine_scan(self.lines_at_once(count))
        while left:
            left -= scan.lines
            samples += measure.scan_lines(
                self.chip, scan, lambda: tables.load_offsets(self.chip, page, empty)
            )
        kept = count - 2 * DROPPED
        whites = self.whites(scan, samples)
        self.check_light(whites, kept)
        factors = self.film_factors()
        return [
            array("H", [self.gain_of(total, kept, channel, factors[channel]) for total in white])
            for channel, white in enumerate(whites)
        ]

    def whites(self, scan: Scan, samples: array[int]) -> list[array[int]]:
        """Return the sums of each pixel's samples without the lightest and the darkest, by channel.

        Of blue the lightest are left out twice, and none of the darkest: so does the original.
        """
        channels = len(self.colors)
        width = scan.sent * channels
        with memoryview(samples).cast("B") as view:
            totals = image.shading.trimmed(view, width, DROPPED)
        whites = [totals[i::channels][: scan.pixels] for i in range(channels)]
        for i in range(scan.pixels if channels > BLUE else 0):
            column = sorted(samples[BLUE + channels * i :: width])
            whites[BLUE][i] += sum(column[:DROPPED]) - sum(column[-DROPPED:])
        return whites

    def lines_at_once(self, count: int) -> int:
        """Return how many of *count* lines of white are read in one go: what the memory takes."""
        hardware = self.page.unit.hardware
        if not self.is_first_chip:
            return count
        line = self.fine_scan(1).line_bytes
        while count > 1 and count * line > (hardware.dram_kib - RESERVED_KIB) * 1024:
            count //= 2
        return count

    def gain_of(self, total: int, count: int, channel: int, factor: float) -> int:
        """Return the gain of a pixel, out of its samples of *count* lines together."""
        value = total * 1000 // (count * self.own(self.software_gains, channel))
        if value <= UNITY:
            return FULL
        return min(FULL, int(FULL * UNITY // min(value, FULL) * factor))

    def film_factors(self) -> list[float]:
        """Return by how much gains are larger for each channel, for the mask of negatives."""
        if self.page.source != NEGATIVE:
            return [1.0] * 3
        amplified = [amplification(code) for code in self.found.gains]
        return [NEGATIVE_GAIN * value / max(amplified) for value in amplified]


def folded(table: array[int], count: int) -> array[int]:
    """Return the means of so many neighbours each."""
    last = len(table) // count * count
    return array("H", [sum(table[i : i + count]) // count for i in range(0, last, count)])


def amplification(code: int) -> float:
    """Return what a gain's code means."""
    base = BASE_GAIN + GAIN_STEP * (code % 32)
    return base * LARGE_GAIN if code >= 32 else base


def gain_for(value: int, target: int, code: int) -> int:
    """Return the code of the gain that makes *target* of *value*, which has the gain *code*."""
    plain = max(1, value) / (BASE_GAIN + GAIN_STEP * code)
    wanted = target / plain
    if wanted >= LARGE_GAIN:
        return 32 + max(0, min(31, floor((wanted / LARGE_GAIN - BASE_GAIN) / GAIN_STEP)))
    exact = (wanted - BASE_GAIN) / GAIN_STEP
    high, low = max(0, min(MOST_GAIN, ceil(exact))), max(0, floor(exact))
    above = plain * (BASE_GAIN + GAIN_STEP * high)
    below = plain * (BASE_GAIN + GAIN_STEP * low)
    is_too_much = above >= MOST_WHITE or above - target > target - below
    return low if is_too_much else high


def offset_code(value: int) -> int:
    """Return the code of an offset."""
    return value if value >= 0 else 32 + min(31, -value)


def old_clocks(page: Scan) -> tuple[float, float]:
    """Return the clock dividers of motors P1 to P3, for colour and for gray."""
    unit, dpi, is_lineart = page.unit, page.dpi_x, page.bits == 1
    motor, is_deep = unit.hardware.motor, page.is_deep
    if unit.optical_dpi != 600:  # 1200, and 400 of the one for A3
        color = 2.0 if dpi <= 300 else 4.0 if dpi <= 800 else 5.5
        return color, 6.0 if dpi > 300 else 5.0
    if unit.sensor == "s548":
        return s548_clocks(dpi, is_lineart=is_lineart)
    steps: dict[int, tuple[float, float]] = {300: (3, 6), 9999: (6, 13)}  # P2
    if unit.number == 2:
        steps = {150: (3, 8), 300: (4.5, 13.5), 9999: (6, 16)}
    elif not unit.buttons:
        steps = {300: (2, 6), 9999: (3, 9)}
    elif motor.name == "P1" and unit.sensor == "n3799":
        steps = {150: (3, 6), 300: (4.5, 13.5), 9999: (6, 13)}
    elif motor.name == "P1":
        steps = {9999: (3, 6)}
    elif is_deep:
        steps = {9999: (5, 13)}
    return next(clocks for limit, clocks in steps.items() if dpi <= limit)


def s548_clocks(dpi: int, *, is_lineart: bool) -> tuple[float, float]:
    """Return those of units with the sensor s548."""
    if dpi <= 75:
        return 2.5, 7
    if dpi <= 300:
        lineart = 6 if dpi <= 100 else 5 if dpi <= 200 else 4.5
        return 3, lineart if is_lineart else 6
    if dpi <= 400:
        return 4, 4 if is_lineart else 6
    return 6, 6 if is_lineart else 7
