"""Tables that the chip gets before a page: gamma curves, offsets and gains.

It knows what they are to be and in which order they go. Source: specification plustek 3.11.
"""

from __future__ import annotations

from ...backend import image
from .chip import COLORS, GAIN_TABLE, GAMMA_ENTRIES, OFFSET_TABLE
from .models import NEGATIVE
from .plan import LINEART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from .chip import Chip
    from .plan import Scan

BLACK, WHITE = 0xFF, 0x00  # in line art: a bit is the top bit of its entry
FROM_TABLES, OFFSETS_ONLY, NO_TABLES, BYPASSED = 0x26, 0x24, 0x20, 0x21  # of register 42
CIS_GRAY, CCD_GRAY = 8, 4  # whose tables the chip uses for the one channel of gray
MOST = 0xFF


def curve(gamma: float) -> tuple[int, ...]:
    """Return the table of an exponent."""
    return tuple(image.gamma.table(GAMMA_ENTRIES, MOST, gamma))


def page_tables(
    mode: str,
    curves: Sequence[Sequence[int]],
    brightness: int,
    contrast: int,
    *,
    is_negative: bool = False,
) -> list[bytes]:
    """Return the tables of red, green and blue for a page.

    curves: one for gray, three for colour. is_negative: the film's colours are to be inverted.
    """
    if mode == LINEART:
        limit = GAMMA_ENTRIES - (int(brightness * GAMMA_ENTRIES / 200) + GAMMA_ENTRIES // 2)
        limit = max(0, min(GAMMA_ENTRIES, limit))
        return [bytes((BLACK,)) * limit + bytes((WHITE,)) * (GAMMA_ENTRIES - limit)] * 3
    done = []
    for values in curves:
        table = [min(MOST, value) for value in values]
        if brightness or contrast:
            table = list(
                image.gamma.adjusted(table, MOST, brightness=brightness, contrast=contrast)
            )
        done.append(bytes(MOST - value for value in table) if is_negative else bytes(table))
    return done if len(done) == 3 else done * 3


def is_inverted(source: str, *, wants_inversion: bool) -> bool:
    """Tell whether the curves of a page are inverted."""
    return wants_inversion and source == NEGATIVE


class Shading:
    """Offsets and gains of each pixel, in one table for gray or three for red, green and blue.

    They are those of the columns of a page, or of the whole width (see part()).
    """

    __slots__ = ("gains", "offsets")

    def __init__(self, offsets: list[array[int]], gains: list[array[int]]) -> None:
        self.offsets = offsets
        self.gains = gains

    def part(self, first: int, count: int) -> Shading:
        """Return the tables of *count* pixels from *first* on."""
        last = first + count
        return Shading([t[first:last] for t in self.offsets], [t[first:last] for t in self.gains])


def packed(table: array[int]) -> bytes:
    """Return a table as the chip takes it."""
    return image.shading.packed(table, "big")


def places(scan: Scan) -> list[int]:
    """Return where the tables of a scan go: for red, green and blue, or for gray."""
    unit = scan.unit
    if not scan.is_color:
        return [CIS_GRAY if unit.is_cis else CCD_GRAY]
    return [COLORS[unit.order.index(color)] for color in "RGB"]


def in_order(scan: Scan, tables: list[array[int]]) -> list[tuple[int, array[int]]]:
    """Return the tables with their places, as they are sent."""
    return sorted(zip(places(scan), tables, strict=True), key=lambda item: item[0])


def load_offsets(chip: Chip, scan: Scan, shading: Shading) -> None:
    """Load the offsets for the measurement of white: in the order of the channels."""
    for place, table in zip(
        COLORS if scan.is_color else places(scan), shading.offsets, strict=True
    ):
        chip.upload(OFFSET_TABLE, place, packed(table))
    chip.write(0x40, bytes((0x40, 0x00)) + bytes((OFFSETS_ONLY | 0x40 * chip.has_large_memory,)))


def load_none(chip: Chip) -> None:
    """Let the chip send what the sensor sees."""
    size = 0x40 * chip.has_large_memory
    chip.write(0x3E, bytes((0x00, 0x00, 0x40, 0x00, NO_TABLES | size)))


def load(chip: Chip, scan: Scan, shading: Shading | None, correction: int) -> None:
    """Load what a page needs. correction: what becomes of samples, the value of register 42."""
    if correction == BYPASSED:
        chip.write(0x03, bytes(1))
        chip.write(0x40, bytes((0x40, 0x00)))
        chip.set_correction(BYPASSED)
        return
    if shading is not None and correction != NO_TABLES:
        for place, table in in_order(scan, shading.offsets):
            chip.upload(OFFSET_TABLE, place, packed(table))
        for place, table in in_order(scan, shading.gains):
            chip.upload(GAIN_TABLE, place, packed(table))
    chip.set_correction(correction)
