"""The files in which calibrations are kept: those of the original, in the user's home.

    ~/.sane/Canon_CanoScan_N670U_N676U_LiDE20-coarse.cal, and -fine.cal

Coarse: gains, offsets, lamp times of a mode and depth. Fine: offset and gain of each pixel of the
whole width, at a mode and a resolution. Words of tables have their bytes exchanged, as the original
writes them on a PC; so they are here on every machine. Source: specification plustek 7.
"""

from __future__ import annotations

from array import array

from ...chips.calibration import CalibrationFile, file_name
from .calibration import Found
from .models import NEGATIVE, TRANSPARENCY
from .plan import UNITS_PER_INCH
from .tables import Shading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Debug
    from .models import Unit
    from .plan import Scan

FIRST_LINE = "version=0x0002"
COARSE_NUMBERS = 13
LIMITS = (*((0x3F,) * 6), *((0x3FFF,) * 6), 0xFFFF)
KINDS = ("dark", "white")


class Cache:
    """What is kept of one unit. identity: what tells it from others of its model."""

    def __init__(self, home: str, unit: Unit, identity: str, days: int, debug: Debug) -> None:
        stem = f"{home}/.sane/{file_name(f'{unit.vendor_name}-{unit.model}')}"
        self._coarse, self._fine = (
            CalibrationFile(f"{stem}-{kind}.cal", FIRST_LINE, identity, debug, days)
            for kind in ("coarse", "fine")
        )

    def coarse(self, scan: Scan) -> Found | None:
        """Return gains, offsets and lamp times for *scan*, if they are kept."""
        key = f"{prefix(scan)}{scan.bits}"
        text = self._coarse.get(key)
        if text is None:
            return None
        values = whole_numbers(text)
        if len(values) != COARSE_NUMBERS or any(
            value > limit for value, limit in zip(values, LIMITS, strict=True)
        ):
            self._coarse.refuse(key, f"{text[:60]!r} are no {COARSE_NUMBERS} values")
            return None
        found = Found()
        found.gains, found.offsets = list(values[0:6:2]), list(values[1:6:2])
        found.times = [[values[i], values[i + 1]] for i in (6, 8, 10)]
        return found

    def fine(self, scan: Scan) -> Shading | None:
        """Return the tables for the columns of *scan*, if they are kept."""
        size = whole_pixels(scan)
        tables = []
        for kind in KINDS:
            key = f"{prefix(scan)}:{scan.dpi_x}:{kind}:dim"
            text = self._fine.get(key)
            if text is None:
                return None
            values = words(text, 3 * size)
            if values is None:
                self._fine.refuse(key, f"there are no {3 * size} values")
                return None
            tables.append([values[i * size : (i + 1) * size] for i in range(3)])
        if not any(map(any, tables[1])):
            self._fine.refuse(f"{prefix(scan)}:{scan.dpi_x}", "all gains are 0")
            return None
        count = 3 if scan.is_color else 1
        return self.columns(scan, Shading(tables[0][:count], tables[1][:count]))

    def columns(self, scan: Scan, shading: Shading) -> Shading:
        """Return the tables for the columns of *scan*, of those for the whole width."""
        first = scan.left * scan.dpi_x // UNITS_PER_INCH
        first = min(first, whole_pixels(scan) - scan.pixels)
        return shading.part(max(0, first), scan.pixels)

    def store(self, scan: Scan, found: Found, *, has_coarse: bool, duty: int = 0) -> None:
        """Keep what was found for *scan*. has_coarse: gains and the like are kept already."""
        if not has_coarse:
            values: list[int] = []
            for gain, offset in zip(found.gains, found.offsets, strict=True):
                values += [gain, offset]
            for pair in found.times:
                values += pair
            text = ",".join(map(str, [*values, duty]))
            self._coarse.put({f"{prefix(scan)}{scan.bits}": text}, is_first=True)
        shading = found.shading
        if shading is None:
            return
        entries = {}
        for kind, tables in zip(KINDS, (shading.offsets, shading.gains), strict=True):
            whole = array("H")
            for table in tables if len(tables) == 3 else list(tables) * 3:
                whole += table
            whole.byteswap()
            key = f"{prefix(scan)}:{scan.dpi_x}:{kind}:dim"
            entries[key] = f"{len(whole)}:{','.join(map(str, whole))}"
        self._fine.put(entries)


def whole_pixels(scan: Scan) -> int:
    """Return the pixels of the whole width at the resolution of *scan*."""
    return scan.unit.width * scan.dpi_x // UNITS_PER_INCH


def prefix(scan: Scan) -> str:
    """Return what the keys for *scan* begin with."""
    film = {TRANSPARENCY: "tpa-", NEGATIVE: "neg-"}.get(scan.source, "")
    return film + ("color" if scan.is_color else "gray")


def whole_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers between the commas of *text*, () if it has anything else."""
    words = text.strip().rstrip(",").split(",")
    if not all(word.strip().isdecimal() and len(word) < 8 for word in words):
        return ()
    return tuple(int(word) for word in words)


def words(text: str, count: int) -> array[int] | None:
    """Return the words of a table, with their bytes in order; None if there are not *count*."""
    size, mark, rest = text.partition(":")
    values = whole_numbers(rest) if mark and size.strip() == str(count) else ()
    if len(values) != count or max(values) > 0xFFFF:
        return None
    found = array("H", values)
    found.byteswap()
    return found
