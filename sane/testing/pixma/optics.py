"""How the sensor of an emulated Canon scanner puts a page on the wire, line by line.

It knows the order of pixels, colours and bytes; what lies on the glass is a page's (esci.page).

Source: specification pixma 3.2 to 3.6 (raw lines), read from the host's side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from operator import itemgetter

from ..esci.page import Page, Window, bits, words
from ..esci2 import turbojpeg
from .models import ABOVE, Model, Sensor
from .request import FEEDER, Request

QUALITY = 92
THRESHOLD = 128  # of a scanner's own line art
MIXED = (1, 2, 3, 4, -4, -3, -2, -1)  # how far pixel pairs are moved at 9600 dpi
BLACK_IS_ONE = bytes(255 - value for value in range(256))
WHITE = b"\xff"


class Image:
    """The bytes of one page as the host reads them, of which *total* are to come."""

    def __init__(self, chunks: Iterator[bytes], total: int) -> None:
        self.left = total
        self._chunks = chunks
        self._pending = bytearray()

    def read(self, size: int) -> bytes:
        """Return the next *size* bytes, fewer at the end."""
        size = min(size, self.left)
        while len(self._pending) < size:
            self._pending += next(self._chunks)
        data = bytes(self._pending[:size])
        del self._pending[:size]
        self.left -= size
        return data


def scan(model: Model, request: Request, page: Page, side: int, more_lines: int = 0) -> Image:
    """Return the image of a page; *more_lines* than were asked for, or fewer."""
    lines = request.lines + more_lines
    if request.is_jpeg:
        data = _jpeg(model, request, page, side, lines)
        return Image(iter((data,)), len(data))
    return Image(_laid_out(model, request, page, side, lines), lines * request.line_bytes)


def _jpeg(model: Model, request: Request, page: Page, side: int, lines: int) -> bytes:
    """Return a JPEG file in colour, filled up to whole lines if the model sends nothing else."""
    window = Window(request.dpi, (request.left, request.top, request.width, lines), 3)
    window.side = side
    data = turbojpeg.compress(b"".join(page(window)), request.width, lines, QUALITY, "444")
    return data + bytes(-len(data) % request.line_bytes) if model.jpeg == "always" else data


def _laid_out(model: Model, request: Request, page: Page, side: int, lines: int) -> Iterator[bytes]:
    for row in _raw_rows(model, request, page, side, lines):
        if request.bits == 16:
            yield words(row)
        elif request.bits == 1:
            yield bits(row, THRESHOLD).translate(BLACK_IS_ONE)
        elif model.planes and request.channels == 3:
            yield row[0::3] + row[1::3] + row[2::3]
        else:
            yield row


def _raw_rows(model: Model, request: Request, page: Page, side: int, lines: int) -> Iterator[bytes]:
    """Yield the rows in the order of the sensor, 8 bits a sample."""
    sensor = model.sensor
    late = _late(model, request)
    jump = sensor.jump if request.dpi[0] == sensor.halves else 0
    moved = positions(sensor, request.dpi[0], request.width)
    before = max(late) + jump
    rows = _rows(request, page, side, before, lines)
    if not before and moved is None:
        yield from rows
        return
    pick = None if moved is None else itemgetter(*moved)
    held: deque[list[bytes]] = deque(maxlen=before + 1)
    for row in rows:
        held.append([row[channel :: request.channels] for channel in range(request.channels)])
        if len(held) <= before:
            continue
        out = bytearray(len(row))
        for channel in range(request.channels):
            plane = held[before - late[channel]][channel]
            if jump:
                other = held[before - late[channel] - jump][channel]
            if pick is not None:
                plane = bytes(pick(plane))
                other = bytes(pick(other)) if jump else plane
            if jump:
                half = request.width // 2
                plane = plane[:half] + other[half:]
            out[channel :: request.channels] = plane
        yield bytes(out)


def _late(model: Model, request: Request) -> tuple[int, ...]:
    """Return by how many lines each sample of a pixel comes late."""
    if request.channels == 1:
        return (0,)
    order = model.sensor.late
    if model.family == "mp750" and request.source == FEEDER:
        order = ABOVE  # the paper moves the other way
    return tuple(model.sensor.distance_lines(request.dpi[1]) * count for count in order)


def _rows(request: Request, page: Page, side: int, before: int, lines: int) -> Iterator[bytes]:
    """Yield the rows of the page from *before* lines above the area; white above the glass."""
    above = min(before, request.top)
    for _ in range(before - above):
        yield WHITE * (request.width * request.channels)
    area = (request.left, request.top - above, request.width, lines + above)
    window = Window(request.dpi, area, request.channels)
    window.side = side
    yield from page(window)


def positions(sensor: Sensor, dpi: int, width: int) -> list[int] | None:
    """Return which pixel of a line is sent at each place; None: as they are."""
    if sensor.halves == 4800 == dpi:
        part = width // 2
        return [_paired(place % part, 2, place // part) for place in range(width)]
    if sensor.halves == 9600 == dpi:
        part = width // 8
        paired = [_paired(place % part, 8, place // part) for place in range(width)]
        return [2 * _mixed(place // 2) + place % 2 for place in paired]
    count = min(dpi // sensor.segment_dpi, sensor.most) if sensor.segment_dpi else 0
    if count < 2:
        return None
    part = width // count
    moved = [count * (place % part) + place // part for place in range(width)]
    if dpi == sensor.shuffled:
        moved = [place + place % 8 - (7 if place % 8 > 3 else 0) for place in moved]
    return moved


def _paired(place: int, step: int, part: int) -> int:
    """Return where a pixel belongs that is sent as the *place*-th of a part, in pairs."""
    return (step * place if place % 2 == 0 else step * (place - 1) + 1) + 2 * part


def _mixed(pair: int) -> int:
    return pair + MIXED[pair % 8]
