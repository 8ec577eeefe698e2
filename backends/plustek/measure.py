"""Lines that are scanned to measure: read, put in order, and summed up.

It knows how a measuring scan is carried out, and numbers of lines; what follows from them is
cis.py's and ccd.py's. Source: specification plustek 2 (stream), 3.6, 3.9.
"""

from __future__ import annotations

from array import array

from ...backend import errors, image
from . import registers as r
from .plan import STATUS_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .chip import Chip
    from .plan import Scan

NEIGHBOURS = 10  # whose mean is the light of a place: no single pixel may decide
SHORT_PAUSE = 0.002  # s, before the first data, for each unit of register 08 at 600 dpi
MOST_BYTES = 64 << 20


def pause_seconds(chip: Chip) -> float:
    """Return how long to wait after the first data were seen."""
    return SHORT_PAUSE * chip.registers[r.CLOCK] * chip.unit.optical_dpi / 600


def scan_lines(chip: Chip, scan: Scan, load: Callable[[], None]) -> array[int]:
    """Carry *scan* out, and return its samples; load() loads tables before it begins."""
    chip.send_block(scan)
    return run_lines(chip, scan, load)


def run_lines(chip: Chip, scan: Scan, load: Callable[[], None]) -> array[int]:
    """Carry a scan out that the chip knows already."""
    chip.prepare()
    load()
    chip.begin()
    chip.await_data(pause_seconds(chip))
    size = scan.line_bytes * scan.total_lines
    if size > MOST_BYTES:
        raise errors.DeviceIOError(f"{chip.name}: {size} bytes to measure")
    data = bytearray(size)
    with memoryview(data) as view:
        chip.read_image(view)
    chip.command(0)
    return samples_of(scan, data)


def samples_of(scan: Scan, data: bytes | bytearray) -> array[int]:
    """Return the samples of whole lines, without status: R, G and B of each pixel, or gray."""
    channels = 3 if scan.is_color else 1
    layout = image.Layout(
        *(scan.sent, channels, 16),
        colors=scan.unit.order if channels == 3 and scan.unit.is_cis else "",
        plane_lines=1 if scan.sublines == 3 else 0,
        padding=STATUS_BYTES,
        byteorder="big",
    )
    lines = image.Lines(layout, scan.total_lines)
    lines.feed(data)
    found = array("H", bytes(2 * scan.sent * channels * scan.total_lines))
    with memoryview(found).cast("B") as view:
        done = 0
        while done < len(view):
            n = lines.read_into(view[done:])
            if not n:
                raise errors.DeviceIOError(f"{done} of {len(view)} bytes of measured lines")
            done += n
    return found


def channels_of(scan: Scan, samples: Sequence[int]) -> list[array[int]]:
    """Return the samples of one line by channel."""
    count = 3 if scan.is_color else 1
    return [array("H", samples[i::count]) for i in range(count)]


def peak(line: array[int]) -> int:
    """Return the largest mean of a group of neighbours; groups do not overlap."""
    starts = range(0, len(line) - NEIGHBOURS + 1, NEIGHBOURS)
    return max((sum(line[i : i + NEIGHBOURS]) // NEIGHBOURS for i in starts), default=0)


def sums(scan: Scan, samples: array[int]) -> array[int]:
    """Return the sum of each sample over all lines."""
    width = scan.sent * (3 if scan.is_color else 1)
    with memoryview(samples).cast("B") as view:
        return image.shading.sums(view, width)
