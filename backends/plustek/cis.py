"""Calibration of contact sensors: lamp times, offsets, gains, offset and gain of each pixel.

    home -> white strip -> lamp times -> dark -> offsets -> white -> gains
         -> dark -> offset of each pixel -> white -> gain of each pixel -> home

Source: specification plustek 3.9.
"""

from __future__ import annotations

from array import array

from . import measure, plan, tables
from .calibration import FULL, Calibration
from .lamp import MOST_TIME
from .tables import Shading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .calibration import Found
    from .plan import Scan

DARK_WHITE, TARGET_WHITE, BRIGHT_WHITE = 53440, 57440, 61440  # of 65535, of a well lit line
LAMP_ROUNDS, SEARCH_ROUNDS = 11, 40
FIRST_GAIN, MOST_LAMP_GAIN, MOST_GAIN = 0x0A, 0x0F, 0x3F
DARK_LOW, DARK_HIGH = 16, 2048  # means of a dark line between which the offset is right
FINE_LINES = 32
MOST_ZEROS = 1  # percent of a dark line: more are cut off


class Bisection:
    """A search for a whole number between *low* and *high*; *value* is tried next."""

    __slots__ = ("high", "is_done", "low", "value")

    def __init__(self, low: int, high: int, value: int) -> None:
        self.low = low
        self.high = high
        self.value = value
        self.is_done = False

    def down(self) -> None:
        """The value was too large."""
        self.high = self.value
        self.value = cut_half(self.value + self.low)

    def up(self) -> None:
        """The value was too small."""
        self.low = self.value
        self.value = cut_half(self.value + self.high)


def cut_half(value: int) -> int:
    """Return half of it, cut towards 0."""
    return -(-value // 2) if value < 0 else value // 2


class CisCalibration(Calibration):
    """The calibration of one page."""

    gray_color = 0

    def run(self, coarse: Found | None = None) -> Found:
        """Calibrate; coarse: what is known of lamps, gains and offsets already."""
        self.set_gains([1, 1, 1])
        self.set_offsets([0, 0, 0])
        self.set_motor(is_on=False)
        if coarse is None:
            self.go_to_white()
            self.set_lamps()
            self.go_dark()
            self.find_offsets()
            self.go_white()
            self.set_motor(is_on=self.has_dark_strip)  # as the original: the way there left it on
            self.find_gains()
        else:
            self.lamp.set_times(coarse.times)
            self.set_gains(coarse.gains)
            self.set_offsets(coarse.offsets)
        self.set_motor(is_on=True)
        self.go_dark()
        dark = self.fine_dark()
        self.go_white()
        self.go_to_white()
        gains = self.fine_white(dark)
        self.found.shading = Shading(dark, gains)
        return self.finish()

    # Lamp, offsets, gains

    def set_lamps(self) -> None:
        """Find how long each lamp must light for white to be nearly white."""
        if min(self.wanted.lamp_off) >= 0:
            return
        lamp, gains = self.lamp, [FIRST_GAIN] * 3
        self.set_gains(gains)
        scan = plan.line_scan(self.page)
        channels = range(3) if self.page.is_color else range(1)
        pairs = [lamp.times[self.color_of(channel)] for channel in channels]
        searches = [Bisection(on, MOST_TIME, off) for on, off in pairs]
        for _ in range(LAMP_ROUNDS):
            peaks = [measure.peak(line) for line in self.line(scan)]
            limited = [adjust_time(search, v) for search, v in zip(searches, peaks, strict=True)]
            for channel, is_limited in enumerate(limited):
                color = self.color_of(channel)
                if is_limited:
                    gains[color] = min(gains[color] + 1, MOST_LAMP_GAIN)
                pairs[channel][1] = searches[channel].value
            self.set_gains(gains)
            self.debug(3, "white %s, lamps off at %s", peaks, [s.value for s in searches])
            if all(search.is_done for search in searches) or all(limited):
                return
            lamp.send_times()

    def color_of(self, channel: int) -> int:
        """Return which of R, G and B a channel of a scan is."""
        return channel if self.page.is_color else 1

    def find_offsets(self) -> None:
        """Find the offset that leaves dark just above 0."""
        if -1 not in self.wanted.offsets:
            self.set_offsets(list(self.wanted.offsets))
            return
        scan = plan.line_scan(self.page, left=0)
        self.chip.send_block(scan)
        searches = [Bisection(-32, 31, 0) for _ in self.colors]
        rules = [False] * len(searches)  # too many pixels were cut off: only that counts
        for _ in range(SEARCH_ROUNDS):
            for channel, line in enumerate(self.repeated(scan)):
                search = searches[channel]
                if not search.is_done:
                    rules[channel] = self.adjust_offset(search, line, is_cut=rules[channel])
            values = [search.value & 0x3F for search in searches]
            self.set_offsets(values if len(values) == 3 else values * 3)
            self.chip.registers.send(0x38, 3)
            if all(search.is_done for search in searches):
                return

    def repeated(self, scan: Scan) -> list[array[int]]:
        """Scan a line that the chip knows already; return its channels."""
        return measure.channels_of(scan, measure.run_lines(self.chip, scan, self.load_none))

    def adjust_offset(self, search: Bisection, line: array[int], *, is_cut: bool) -> bool:
        """Take one step of a search; return whether pixels are cut off at 0."""
        mean = sum(line) // len(line)
        zeros = 100 * line.count(0) // len(line)
        wants_none_cut = self.settings.number("incDarkTarget") and zeros > MOST_ZEROS
        if not is_cut and mean <= DARK_LOW:
            search.up()
        elif not is_cut and mean >= DARK_HIGH:
            search.down()
        elif wants_none_cut:
            is_cut = True
            search.down()
        else:
            search.is_done = True
            return is_cut
        search.is_done = search.low + 1 >= search.high
        return is_cut

    def find_gains(self) -> None:
        """Find the gains that make the white strip nearly white."""
        if min(self.wanted.gains) >= 0:
            self.set_gains([min(value, MOST_GAIN) for value in self.wanted.gains])
            return
        scan = plan.line_scan(self.page)
        start = self.found.gains
        searches = [Bisection(1, MOST_GAIN, start[self.color_of(i)]) for i in self.colors]
        for _ in range(SEARCH_ROUNDS):
            peaks = [
                measure.peak(line) if scan.is_color else max(line, default=0)
                for line in self.line(scan)
            ]
            for search, value in zip(searches, peaks, strict=True):
                if DARK_WHITE < value < BRIGHT_WHITE:
                    search.is_done = True
                else:
                    search.down() if value > TARGET_WHITE else search.up()
                    search.is_done = search.low + 1 >= search.high
            values = [search.value for search in searches]
            self.set_gains(values if len(values) == 3 else values * 3)
            self.debug(3, "white %s, gains %s", peaks, values)
            if all(search.is_done for search in searches):
                return

    # Each pixel

    def fine_dark(self) -> list[array[int]]:
        """Return the offset of each pixel."""
        scan = plan.fine_scan(self.page, FINE_LINES, is_whole=self.keeps_whole)
        found = []
        for channel, dark in enumerate(self.fine_lines(scan, self.load_none)):
            extra = self.software_offsets[channel]
            values = (total // FINE_LINES + extra for total in dark)
            found.append(array("H", [max(0, min(FULL, value)) for value in values]))
        return found

    def fine_white(self, dark: list[array[int]]) -> list[array[int]]:
        """Return the gain of each pixel, with the offsets at work."""
        scan = plan.fine_scan(self.page, FINE_LINES, is_whole=self.keeps_whole)
        empty = Shading(dark, dark)
        whites = self.fine_lines(scan, lambda: tables.load_offsets(self.chip, scan, empty))
        self.check_light(whites, FINE_LINES)
        return self.gains_of(whites, FINE_LINES)


def adjust_time(search: Bisection, value: int) -> bool:
    """Take one step of the search for a lamp's time; return whether it is at its limit."""
    search.is_done = DARK_WHITE < value < BRIGHT_WHITE
    if search.is_done:
        return False
    if value >= TARGET_WHITE:
        search.down()
    else:
        search.low = search.value
        search.value = min(2 * search.value & 0xFFFF, (search.value + search.high) // 2)
        if search.value > MOST_TIME:
            search.value = MOST_TIME
            return True
    search.is_done = search.low + 1 >= search.high
    return False
