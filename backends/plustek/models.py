"""What is known of the units, out of the tables of units.py.

It knows values; it does no I/O and computes nothing. Source: specification plustek 4.
"""

from __future__ import annotations

from . import units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Lamps = tuple[tuple[int, int], ...]

NORMAL, TRANSPARENCY, NEGATIVE = "Normal", "Transparency", "Negative"
LM9831, LM9832, LM9833 = 1, 2, 3
PLUSTEK, NATIONAL = 0x07B3, 0x0400
VENDORS = {
    PLUSTEK: "Plustek",
    NATIONAL: "NSC",
    0x0458: "KYE/Genius",
    0x03F0: "Hewlett-Packard",
    0x04B8: "Epson",
    0x04A7: "Visioneer",
    0x04A9: "Canon",
    0x1606: "UMAX",
    0x049F: "Compaq",
    0x0A82: "Syscan",
    0x0A53: "PandP Co., Ltd.",
}
OTHER_VENDORS = {NATIONAL: "Mustek"}  # of units with the flag ALT


def rows_of(text: str) -> Iterator[list[str]]:
    """Yield the columns of each row of a table of units.py."""
    for line in text.strip().replace("\n  ", " ").splitlines():
        yield [column.strip() for column in line.split("|")]


def numbers(text: str, base: int = 10) -> tuple[int, ...]:
    """Return the whole numbers of a column."""
    return tuple(int(word, base) for word in text.replace(",", " ").split())


def values(text: str) -> bytes:
    """Return the registers' values of a column."""
    return bytes.fromhex(text)


class Motor:
    """How a kind of motor is driven; speeds are the unit's.

    fast: PWM frequency, duty and clock divider of moves. scan: PWM of scans, None where it hangs on
    the resolution. line_end: (dpi, pixels), another end of line up to that resolution, or None.
    """

    def __init__(self, columns: list[str]) -> None:
        name, fast, limit, scan, *clocks = columns
        self.name = name
        self.fast = numbers(fast)
        self.line_end = None if limit == "-" else numbers(limit)
        self.scan = None if scan == "-" else numbers(scan)
        forms = ((True, 8), (True, 16), (False, 8), (False, 16))
        self._clocks = {
            form: tuple(float(word) for word in text.split())
            for form, text in zip(forms, clocks, strict=True)
        }

    @property
    def is_plustek(self) -> bool:
        """It is one of the classes that the Plustek and Genius units have (P1, P2, P3)."""
        return self.name in ("P1", "P2", "P3")

    def clock(self, dpi: int, is_color: bool, is_deep: bool) -> float:
        """Return the clock divider of a scan with *dpi* along."""
        found = self._clocks[is_color, 16 if is_deep else 8]
        for limit, value in zip(units.RESOLUTIONS, found * 10, strict=False):
            if dpi <= limit:
                return value
        return found[-1]


class Film:
    """Where films lie: origin, white strip and area, in units."""

    __slots__ = ("height", "origin", "white_y", "width")

    def __init__(self, text: str) -> None:
        origin, white, area = text.split(";")
        self.origin = numbers(origin)
        self.white_y = int(white)
        self.width, self.height = numbers(area.replace("x", " "))


class Hardware:
    """What the chip of a unit is told, and its motor; see HARDWARE in units.py."""

    def __init__(self, columns: list[str]) -> None:
        word = iter(columns)
        self.name = next(word)
        self.home_speed, self.move_speed, self.high_speed = map(float, next(word).split())
        self.high_lamp_ms = float(next(word))
        self.steps_per_inch = int(next(word))
        self.dram_kib = int(next(word))
        self.duty_low, self.duty_high = numbers(next(word))
        self.timing = values(next(word))  # 0b-0e
        self.sensor_mono, self.sensor_color = values(next(word)), values(next(word))  # 0f-18
        self.front_end, self.reg_27, self.light = values(next(word))  # 26, 27, 29
        self.phase = values(next(word))  # 1a, 1b
        self.black = numbers(next(word))
        self.active, self.line_end = numbers(next(word))
        mono, color = next(word), next(word)
        self.light_mono, self.lamps_mono = self._lamps(mono)
        self.light_color, self.lamps_color = self._lamps(mono if color == "-" else color)
        self.is_cis = ";" in mono
        self.motor_control = values(next(word))[0]  # 45
        self.reverse_steps, self.acceleration = values(next(word))  # 50, 51
        self.lines_after_pause, self.kick_start, _, _, self.paper_sense = values(next(word))
        ports = values(next(word))
        self.pins, self.reg_5c = ports[:3], ports[3:]  # 59-5b, 5c-5e
        self.chip = int(next(word))
        self.motor = MOTORS[next(word)]
        self.gamma = float(next(word))

    def _lamps(self, text: str) -> tuple[int, Lamps]:
        """Return what 29 is in a mode, and on and off of the lamps of each colour."""
        light, mark, times = text.rpartition(";")
        on_off = numbers(times)
        pairs = tuple(zip(on_off[::2], on_off[1::2], strict=True))
        return int(light) if mark else self.light, pairs


class Unit:
    """One row of UNITS with what it refers to.

    board: its board number, or the value of ``mov``; None for any. flags: see units.py.
    """

    def __init__(self, columns: list[str]) -> None:
        ids, self.model, place, hardware = columns
        ids, mark, board = ids.partition("-")
        self.board = int(board) if mark else None
        self.vendor, self.product = (int(word, 16) for word in ids.split(":"))
        self.hardware = HARDWARE[hardware]
        self._set_capabilities(CAPABILITIES[place])

    def _set_capabilities(self, columns: list[str]) -> None:
        _, origin, strips, area, positive, negative, dpi, kind, order, *rest = columns
        self.origin = numbers(origin)
        self.white_y, self.dark_y = (*numbers(strips), -1)[:2]
        self.width, self.height = numbers(area.replace("x", " "))
        self.films = {
            name: Film(text)
            for name, text in ((TRANSPARENCY, positive), (NEGATIVE, negative))
            if text != "-"
        }
        self.optical_dpi = int(dpi)
        self.has_film_unit = kind in ("TPA", "LTPA")
        self.has_large_film = kind == "LTPA"
        self.is_sheet_fed = kind == "SHEET"
        self.order = order.upper()
        distance, buttons, self.sensor, number, flags, lines = rest
        self.distance, self.buttons, self.number = int(distance), int(buttons), int(number)
        self.flags = frozenset(flags.split("+")) if flags != "-" else frozenset()
        self._set_lines("" if lines == "-" else lines)

    def _set_lines(self, text: str) -> None:
        """Take over which lines of the chip are for lamps and buttons, and the bit for paper."""
        self.lamp_pin = self.film_pin = 0
        self.button_pins: tuple[int, ...] = ()
        self.paper_bit = 0x02
        for item in filter(None, text.split(", ")):
            what, value = item.split()
            if what == "lamp":
                self.lamp_pin = int(value)
            elif what == "film":
                self.film_pin = int(value)
            elif what == "buttons":
                self.button_pins = tuple(int(pin) for pin in value.split("+"))
            else:
                self.paper_bit = int(value, 16)

    def has(self, flag: str) -> bool:
        """Tell whether the unit has *flag*."""
        return flag in self.flags

    @property
    def vendor_name(self) -> str:
        """What the list of devices calls the vendor."""
        names = OTHER_VENDORS if self.has("ALT") and self.vendor in OTHER_VENDORS else VENDORS
        return names[self.vendor]

    @property
    def is_cis(self) -> bool:
        """It has a contact sensor, whose colours are lit in turn."""
        return self.hardware.is_cis

    @property
    def sends_14_bits(self) -> bool:
        """Its deep samples have 14 bits."""
        return self.hardware.chip != LM9833

    def film(self, source: str) -> Film | None:
        """Return where films of *source* lie; None for the glass."""
        return self.films.get(source)

    def correction(self, dpi: int, is_color: bool, bits: int) -> tuple[list[int], list[int]]:
        """Return what is added to measured offsets, and gains in thousandths, for R, G and B."""
        hardware = self.hardware
        kinds = ["color" if is_color else "mono", "16" if bits > 8 else "8", "-"]
        if bits == 1:
            kinds.append("lineart")
        owners = ("-", hardware.motor.name, f"chip {hardware.chip}", f"board {self.number}")
        for sensor, owner, limit, kind, offsets, gains in rows_of(units.CORRECTIONS):
            fits = sensor == self.sensor and owner in owners and kind in kinds
            if fits and (limit == "-" or dpi <= int(limit)):
                return list(numbers(offsets)), list(numbers(gains))
        return [0, 0, 0], [1000, 1000, 1000]


MOTORS = {columns[0]: Motor(columns) for columns in rows_of(units.MOTORS)}
HARDWARE = {columns[0]: Hardware(columns) for columns in rows_of(units.HARDWARE)}
CAPABILITIES = {columns[0]: columns for columns in rows_of(units.CAPABILITIES)}
ALL = tuple(Unit(columns) for columns in rows_of(units.UNITS))


def units_of(vendor: int, product: int) -> list[Unit]:
    """Return the units with these ids, in the order of the table."""
    return [unit for unit in ALL if (unit.vendor, unit.product) == (vendor, product)]
