"""The files that an emulated eSCL scanner sends, in the usual and the odd forms of each format.

PNG and BMP are made here, whole in memory, for tests. Source: specification escl, section 8.2; RFC
2083 (PNG).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace

from ...image.png import SIGNATURE, chunk
from . import jpeg, pdf, tiff
from .model import BMP, JPEG, PDF, PNG, RAW, TIFF
from .raster import Pixels

# The odd forms, by format; "" is the usual one.
FORMS = {
    JPEG: ("", *jpeg.FORMS),
    PNG: ("", "palette", "alpha", "interlaced"),
    TIFF: ("", *tiff.FORMS),
    BMP: ("", "top-down", "32-bit"),
    PDF: ("", *pdf.FORMS),
    RAW: ("",),
}


def encode(pages: Sequence[Pixels], mime: str, form: str = "", quality: int = 90) -> bytes:
    """Return *pages* as one document; only TIFF and PDF hold more than the first one.

    Raises ValueError for a form that is not among FORMS.
    """
    if form not in FORMS.get(mime, ()):
        raise ValueError(f"{mime} has no form {form!r}; there are {FORMS.get(mime)}")
    pixels = pages[0]
    if mime == JPEG:
        return jpeg.encode(pixels.of_bytes(), form, quality)
    if mime == RAW:
        return pixels.data
    if mime in (TIFF, PDF):
        return {TIFF: tiff.encode, PDF: pdf.encode}[mime](pages, form)
    return {PNG: _png, BMP: _bmp}[mime](pixels, form)


# PNG


def _png(pixels: Pixels, form: str) -> bytes:
    color = 2 if pixels.channels == 3 else 0
    extra = b""
    rows = pixels.rows()
    if form == "palette":
        pixels, palette = _indexed(pixels.of_bytes())
        rows, color = pixels.rows(), 3
        extra = chunk(b"PLTE", palette)
    elif form == "alpha":
        pixels = pixels.of_bytes()
        rows, color = [_with_alpha(row, pixels.channels) for row in pixels.rows()], color + 4
    if form == "interlaced":
        pixels = pixels.of_bytes()
        rows = _adam7(pixels)
    head = struct.pack(">IIBBBBB", pixels.width, pixels.lines, pixels.depth, color, 0, 0, 0)
    if form == "interlaced":
        head = head[:-1] + b"\1"
    density = round(pixels.dpi / 0.0254)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", head),
            chunk(b"pHYs", struct.pack(">IIB", density, density, 1)),
            extra,
            chunk(b"IDAT", data),
            chunk(b"IEND", b""),
        )
    )


def _indexed(pixels: Pixels) -> tuple[Pixels, bytes]:
    """Return an image of one byte a pixel, and the palette that gives its colours.

    In colour three bits of red and green and two of blue are kept, so that 256 entries do.
    """
    if pixels.channels == 1:
        gray = bytes(value for value in range(256) for _ in range(3))
        return pixels, gray
    red = bytes(value & 0xE0 for value in range(256))
    green = bytes(value >> 3 & 0x1C for value in range(256))
    blue = bytes(value >> 6 for value in range(256))
    planes = [pixels.data[c::3].translate(t) for c, t in enumerate((red, green, blue))]
    size = len(planes[0])
    total = sum(int.from_bytes(plane, "big") for plane in planes)  # no bit is in two of them
    palette = bytes(part for i in range(256) for part in (i & 0xE0, (i & 0x1C) << 3, (i & 3) << 6))
    return replace(pixels, data=total.to_bytes(size, "big"), channels=1), palette


def _with_alpha(row: bytes, channels: int) -> bytes:
    """Return *row* with an opaque alpha sample behind each pixel."""
    step = channels + 1
    out = bytearray(b"\xff" * (len(row) // channels * step))
    for channel in range(channels):
        out[channel::step] = row[channel::channels]
    return bytes(out)


def _adam7(pixels: Pixels) -> list[bytes]:
    """Return the rows of the seven passes (RFC 2083, 2.6)."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    found = []
    for x, y, x_step, y_step in (*passes, (0, 1, 1, 2)):
        for line in range(y, pixels.lines, y_step):
            row = pixels.row(line)
            planes = [row[c :: pixels.channels][x::x_step] for c in range(pixels.channels)]
            if planes[0]:
                part = bytearray(len(planes[0]) * pixels.channels)
                for channel, plane in enumerate(planes):
                    part[channel :: pixels.channels] = plane
                found.append(bytes(part))
    return found


# BMP


def _bmp(pixels: Pixels, form: str) -> bytes:
    pixels = pixels.of_bytes()
    rows = pixels.rows()
    bits = 8 * pixels.channels
    palette = b""
    if pixels.channels == 1:
        palette = b"".join(bytes((value, value, value, 0)) for value in range(256))
    else:
        rows = [_blue_first(row, 4 if form == "32-bit" else 3) for row in rows]
        bits = 32 if form == "32-bit" else 24
    size = (len(rows[0]) + 3) // 4 * 4
    if form != "top-down":
        rows.reverse()
    body = b"".join(row.ljust(size, b"\0") for row in rows)
    lines = -pixels.lines if form == "top-down" else pixels.lines
    density = round(pixels.dpi / 0.0254)
    colors = len(palette) // 4
    info = struct.pack("<IiiHHIIiiII", 40, pixels.width, lines, 1, bits, 0, len(body), density,
                       density, colors, colors)  # fmt: skip
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + info + palette + body


def _blue_first(row: bytes, step: int) -> bytes:
    out = bytearray(len(row) // 3 * step)
    for channel in range(3):
        out[channel::step] = row[2 - channel :: 3]
    return bytes(out)
