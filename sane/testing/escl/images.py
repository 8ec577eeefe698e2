"""The files that an emulated eSCL scanner sends, in the usual and the odd forms of each format.

JPEG is made by libturbojpeg (jpeg.py), all else here: small, whole in memory, for tests. Source:
specification escl, section 8.2; RFC 2083 (PNG), TIFF 6.0, ISO 32000-1 (PDF).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

from ...image.png import SIGNATURE, chunk
from . import jpeg
from .model import BMP, JPEG, PDF, PNG, RAW, TIFF

# The odd forms, by format; "" is the usual one.
FORMS = {
    JPEG: ("", *jpeg.FORMS),
    PNG: ("", "palette", "alpha", "interlaced"),
    TIFF: ("", "big-endian", "strips", "tiled", "planar", "white-is-zero", "deflate", "jpeg"),
    BMP: ("", "top-down", "32-bit"),
    PDF: ("", "jpeg", "strips"),
    RAW: ("",),
}


@dataclass(frozen=True)
class Pixels:
    """A whole image: *channels* samples of *depth* bits; depth 1: 1 is white; 16: big-endian."""

    data: bytes
    width: int
    lines: int
    channels: int
    depth: int
    dpi: int

    @property
    def row_bytes(self) -> int:
        """How long a row is."""
        return (self.width * self.channels * self.depth + 7) // 8

    def row(self, number: int) -> bytes:
        """Return one row."""
        return self.data[number * self.row_bytes : (number + 1) * self.row_bytes]

    def rows(self) -> list[bytes]:
        """Return all rows."""
        return [self.row(number) for number in range(self.lines)]

    def of_bytes(self) -> Pixels:
        """Return it with samples of 8 bits."""
        if self.depth == 8:
            return self
        if self.depth == 16:
            return replace(self, data=self.data[0::2], depth=8)
        rows = [f"{int.from_bytes(row, 'big'):0{8 * len(row)}b}" for row in self.rows()]
        text = "".join(row[: self.width] for row in rows)
        return replace(self, data=text.translate({48: "\0", 49: "\xff"}).encode("latin-1"), depth=8)

    def top(self, first: int, count: int) -> Pixels:
        """Return *count* rows from *first* on."""
        start = first * self.row_bytes
        data = self.data[start : start + count * self.row_bytes]
        return replace(self, data=data, lines=count)


def encode(pixels: Pixels, mime: str, form: str = "", quality: int = 90) -> bytes:
    """Return *pixels* as a file; raises ValueError for a form that is not among FORMS."""
    if form not in FORMS.get(mime, ()):
        raise ValueError(f"{mime} has no form {form!r}; there are {FORMS.get(mime)}")
    if mime == JPEG:
        return jpeg.encode(pixels.of_bytes(), form, quality)
    if mime == RAW:
        return pixels.data
    made = {PNG: _png, TIFF: _tiff, BMP: _bmp, PDF: _pdf}[mime]
    return made(pixels, form)


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


# TIFF: strips or tiles first, then one directory behind them

_SHORT, _LONG = 3, 4
NONE, NEW_JPEG, DEFLATE = 1, 7, 8  # compressions
TILE = 64
_NULLS = bytes(range(255, -1, -1))


def _tiff(pixels: Pixels, form: str) -> bytes:
    order = ">" if form == "big-endian" else "<"
    blocks, tags = _tiff_blocks(pixels, form)
    samples = pixels.channels
    photometric = 2 if samples == 3 else 1
    if form == "white-is-zero" and samples == 1:
        photometric, blocks = 0, [block.translate(_NULLS) for block in blocks]
    if form == "jpeg" and samples == 3:
        photometric = 6
    if pixels.depth == 16 and order == "<":
        blocks = [_swapped(block) for block in blocks]
    if form == "deflate":
        blocks = [zlib.compress(block) for block in blocks]
    places, at = [], 8
    for block in blocks:
        places.append(at)
        at += len(block) + len(block) % 2
    is_tiled = form == "tiled"
    compression = {"deflate": DEFLATE, "jpeg": NEW_JPEG}.get(form, NONE)
    tags |= {
        256: (_LONG, [pixels.width]),
        257: (_LONG, [pixels.lines]),
        258: (_SHORT, [pixels.depth] * samples),
        259: (_SHORT, [compression]),
        262: (_SHORT, [photometric]),
        324 if is_tiled else 273: (_LONG, places),
        277: (_SHORT, [samples]),
        325 if is_tiled else 279: (_LONG, [len(block) for block in blocks]),
        284: (_SHORT, [2 if form == "planar" else 1]),
    }
    body = b"".join(block + b"\0" * (len(block) % 2) for block in blocks)
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return mark + struct.pack(f"{order}I", at) + body + _directory(tags, order, at)


def _tiff_blocks(pixels: Pixels, form: str) -> tuple[list[bytes], dict[int, tuple[int, list[int]]]]:
    """Return the strips or tiles, and the tags that say how they lie."""
    if form == "tiled":
        tall = range(0, pixels.lines, TILE)
        wide = range(0, pixels.width, TILE)
        tiles = [_tile(pixels, x, y) for y in tall for x in wide]
        return tiles, {322: (_LONG, [TILE]), 323: (_LONG, [TILE])}
    if form == "planar" and pixels.depth > 1:
        return _planes(pixels), {278: (_LONG, [pixels.lines])}
    if form == "jpeg":
        return [jpeg.encode(pixels.of_bytes())], {
            278: (_LONG, [pixels.lines]),
            **({530: (_SHORT, [2, 2])} if pixels.channels == 3 else {}),
        }
    height = 16 if form == "strips" else pixels.lines
    strips = [
        pixels.top(y, min(height, pixels.lines - y)).data for y in range(0, pixels.lines, height)
    ]
    return strips, {278: (_LONG, [height])}


def _planes(pixels: Pixels) -> list[bytes]:
    """Return the samples of each channel."""
    size = pixels.depth // 8
    step = size * pixels.channels
    found = []
    for channel in range(pixels.channels):
        plane = bytearray(size * pixels.width * pixels.lines)
        for part in range(size):
            plane[part::size] = pixels.data[channel * size + part :: step]
        found.append(bytes(plane))
    return found


def _tile(pixels: Pixels, x: int, y: int) -> bytes:
    """Return one tile, padded with zeros."""
    start, size = (n * pixels.channels * pixels.depth // 8 for n in (x, TILE))
    rows = [
        pixels.row(line)[start : start + size] if line < pixels.lines else b""
        for line in range(y, y + TILE)
    ]
    return b"".join(row.ljust(size, b"\0") for row in rows)


def _directory(tags: dict[int, tuple[int, list[int]]], order: str, at: int) -> bytes:
    """Return the directory that stands at *at*, and what does not fit into its entries."""
    entries, behind = b"", b""
    rest = at + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        entries += struct.pack(f"{order}HHI", tag, kind, len(values))
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", rest + len(behind))
            behind += data
    return struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + behind


def _swapped(block: bytes) -> bytes:
    out = bytearray(len(block))
    out[0::2], out[1::2] = block[1::2], block[0::2]
    return bytes(out)


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


# PDF: one page for an image, as devices write them


def _pdf(pixels: Pixels, form: str) -> bytes:
    return pdf((pixels,), form)


def pdf(pages: tuple[Pixels, ...], form: str = "") -> bytes:
    """Return a document of image-only pages; "jpeg": not by Flate; "strips": in two images."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for pixels in pages:
        half = (pixels.lines + 1) // 2 if form == "strips" else pixels.lines
        parts = [pixels.top(y, min(half, pixels.lines - y)) for y in range(0, pixels.lines, half)]
        names, drawn, y = [], [], pixels.lines
        for part in parts:
            objects.append(_xobject(part, form))
            y -= part.lines
            names.append(f"/I{len(objects)} {len(objects)} 0 R")
            scale = 72 / pixels.dpi
            drawn.append(
                f"q {part.width * scale:.4f} 0 0 {part.lines * scale:.4f} 0 {y * scale:.4f} cm "
                f"/I{len(objects)} Do Q"
            )
        objects.append(_stream("", "\n".join(drawn).encode()))
        box = f"0 0 {pixels.width * 72 / pixels.dpi:.4f} {pixels.lines * 72 / pixels.dpi:.4f}"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {len(objects)} 0 R "
            f"/Resources << /XObject << {' '.join(names)} >> >> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
    return _file(objects)


def _xobject(pixels: Pixels, form: str) -> bytes:
    space = "/DeviceRGB" if pixels.channels == 3 else "/DeviceGray"
    if form == "jpeg":
        pixels = pixels.of_bytes()
        data, how = jpeg.encode(pixels), "/DCTDecode"
    else:
        data, how = zlib.compress(pixels.data, 1), "/FlateDecode"
    head = (
        f"/Type /XObject /Subtype /Image /Width {pixels.width} /Height {pixels.lines} "
        f"/ColorSpace {space} /BitsPerComponent {pixels.depth} /Filter {how}"
    )
    return _stream(head, data)


def _stream(head: str, data: bytes) -> bytes:
    return f"<< {head} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    """Return the file: objects, numbered from 1, with their table."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count + table
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(out)
