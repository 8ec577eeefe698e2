"""How an emulated ESC/I scanner makes the lines of an image from a page and its settings.

Source: specification esci 2.3 (what the settings mean), 2.8 (line distance) and 2.9 (samples).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .page import Page, bits, green_first, mirrored, words
from .settings import COLOR_GRB, Settings

USER_TABLES = (0x03, 0x04)
EXPONENTS = {0x00: 1.1, 0x10: 0.9, 0x20: 1.3}  # of the printer curves
BRIGHTNESS_STEP = 10
IDENTITY = bytes(range(256))
DROPOUTS = {0x10: "R", 0x20: "G", 0x30: "B"}


def rows(
    settings: Settings,
    page: Page,
    tables: dict[str, bytes],
    matrix: bytes,
    *,
    distance: int,
    side: int,
) -> Iterator[bytes]:
    """Yield the lines of the image as they are sent, except that colours are not apart."""
    if settings.channels() != 3 or settings.bits != 8:
        distance = 0
    window = settings.window(distance)
    window.side = side
    lines = page(window)
    if distance:
        lines = _apart(lines, distance)
    curves = _curves(settings, tables)
    for line in lines:
        row = line
        if settings.channels() == 3:
            row = _corrected(row, matrix) if settings.correction == 1 else row
            row = _translated(row, curves)
        else:
            row = row.translate(curves[1])
        if settings.mirror:
            row = mirrored(row, settings.channels())
        if settings.color == COLOR_GRB:
            row = green_first(row)
        if settings.bits == 1:
            row = bits(row, settings.threshold)
        elif settings.bits > 8:
            row = words(row)
        yield row


def sequence_rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield three lines for each, green, red and blue (COLOR_LINES, 8 bits)."""
    for line in lines:
        yield line[1::3]
        yield line[0::3]
        yield line[2::3]


def _apart(lines: Iterator[bytes], distance: int) -> Iterator[bytes]:
    """Yield lines whose first samples are *distance* lines ahead and whose last are behind."""
    held: deque[bytes] = deque(maxlen=2 * distance + 1)
    for line in lines:
        held.append(line)
        if len(held) == held.maxlen:
            row = bytearray(held[distance])
            row[0::3] = held[2 * distance][0::3]
            row[2::3] = held[0][2::3]
            yield bytes(row)


def _curves(settings: Settings, tables: dict[str, bytes]) -> list[bytes]:
    """Return what gamma and brightness make of red, green and blue samples."""
    shift = BRIGHTNESS_STEP * settings.brightness
    light = bytes(max(0, min(255, value + shift)) for value in range(256))
    curves = []
    for letter in "RGB":
        if settings.gamma in USER_TABLES:
            curve = tables.get(letter, IDENTITY)
        else:
            exponent = EXPONENTS.get(settings.gamma, 1.0)
            curve = bytes(round(255 * (value / 255) ** exponent) for value in range(256))
        curves.append(curve.translate(light))
    return curves


def _translated(row: bytes, curves: list[bytes]) -> bytes:
    if curves[0] == curves[1] == curves[2]:
        return row.translate(curves[0])
    out = bytearray(len(row))
    for channel, curve in enumerate(curves):
        out[channel::3] = row[channel::3].translate(curve)
    return bytes(out)


def _corrected(row: bytes, matrix: bytes) -> bytes:
    """Apply the coefficients d1 to d9 of ESC m: G' = d1 G + d4 R + d7 B, and so on (2.10)."""
    d = [(-(byte & 0x7F) if byte & 0x80 else byte) / 32 for byte in matrix]
    if d == [1, 0, 0, 0, 1, 0, 0, 0, 1]:
        return row
    out = bytearray(len(row))
    for i in range(0, len(row), 3):
        r, g, b = row[i : i + 3]
        values = (
            d[1] * g + d[4] * r + d[7] * b,
            d[0] * g + d[3] * r + d[6] * b,
            d[2] * g + d[5] * r + d[8] * b,
        )
        out[i : i + 3] = bytes(max(0, min(255, round(value))) for value in values)
    return bytes(out)
