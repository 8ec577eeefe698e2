"""Documents made for the tests of decoders, and reading them in pieces of any size."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from sane.image.document import Document

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_head(width: int, lines: int, depth: int, color: int, interlace: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, lines, depth, color, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)


def packed(values: list[int], depth: int) -> bytes:
    """Return one row of samples, highest bits first."""
    if depth == 16:
        return struct.pack(f">{len(values)}H", *values)
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def filtered(rows: list[bytes], step: int, filters: tuple[int, ...]) -> bytes:
    """Return *rows* behind their filters, which take turns."""
    out, prior = b"", bytes(len(rows[0])) if rows else b""
    for number, row in enumerate(rows):
        kind = filters[number % len(filters)]
        line = bytearray()
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            up, corner = prior[i], prior[i - step] if i >= step else 0
            nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            guess = (0, left, up, (left + up) // 2, nearest)[kind]
            line.append((value - guess) & 255)
        out += bytes((kind,)) + line
        prior = row
    return out


def png(
    pixels: Sequence[Sequence[tuple[int, ...]]],
    depth: int,
    color: int,
    *,
    extra: bytes = b"",
    interlace: bool = False,
    filters: tuple[int, ...] = (0, 1, 2, 3, 4),
    idat: int = 1 << 20,
) -> bytes:
    """Return a PNG of rows of pixels, each a tuple of samples."""
    step = max(1, SAMPLES[color] * depth // 8)
    passes = ADAM7 if interlace else ((0, 0, 1, 1),)
    data = b""
    for x, y, x_step, y_step in passes:
        part = [row[x::x_step] for row in pixels[y::y_step]]
        lines = [packed([v for pixel in row for v in pixel], depth) for row in part if row]
        data += filtered(lines, step, filters)
    body = zlib.compress(data)
    parts = [body[at : at + idat] for at in range(0, len(body), idat)]
    out = png_head(len(pixels[0]), len(pixels), depth, color, int(interlace)) + extra
    return out + b"".join(chunk(b"IDAT", part) for part in parts) + chunk(b"IEND", b"")


def read(
    data: bytes, *, piece: int = 1 << 20, room: int = 1 << 20, asked: Any = (400, 400), **more: Any
) -> tuple[bytes, Document]:
    """Feed *data* in pieces and read into views of *room* bytes; return the rows and the document.

    What is fed is fed only where nothing can be read, as a driver does it.
    """
    document = Document(*asked, **more)
    return read_from(document, document, data, piece, room), document


def read_from(
    reader: Any, document: Document, data: bytes, piece: int = 1 << 20, room: int = 1 << 20
) -> bytes:
    out, view = b"", memoryview(bytearray(room))
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)][::-1]
    has_ended = False
    while not reader.is_done:
        n = reader.read_into(view)
        out += view[:n]
        if not n and pieces:
            reader.feed(pieces.pop())
        elif not n and not has_ended:
            has_ended = True
            reader.end()
        else:
            assert n or reader.is_done, "stuck"
    return out


# By Pillow and pikepdf

WIDTH, LINES = 37, 29


def picture(mode: str = "RGB", width: int = WIDTH, lines: int = LINES) -> Any:
    data = bytes(
        value
        for y in range(lines)
        for x in range(width)
        for value in (6 * x & 255, 8 * y & 255, 3 * (x + y) & 255)
    )
    module = pytest.importorskip("PIL.Image", reason="Pillow is not there")
    image = module.frombytes("RGB", (width, lines), data)
    if mode == "I;16":
        gray = image.convert("L").tobytes()
        words = struct.pack(f"<{len(gray)}H", *(value * 257 for value in gray))
        return module.frombytes("I;16", (width, lines), words)
    return image.convert(mode)


def file_of(image: Any, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pdf(*pages: Any, **options: Any) -> bytes:
    """Return a PDF; each page is a list of (image, dictionary, content) or (content, images)."""
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    document = pikepdf.new()
    for content, images in pages:
        named = {f"/Im{n}": document.make_stream(data, **more) for n, (data, more) in
                 enumerate(images)}  # fmt: skip
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page, MediaBox=[0, 0, 100, 100],
            Contents=document.make_stream(content),
            Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(named)),
        )  # fmt: skip
        document.pages.append(pikepdf.Page(page))
    file = io.BytesIO()
    document.save(file, **options)
    return file.getvalue()


def image_of(colors: str = "/DeviceRGB", bits: int = 8, size: Any = (WIDTH, LINES), **more: Any) \
        -> dict[str, Any]:  # fmt: skip
    from pikepdf import Name

    return {
        "Type": Name.XObject, "Subtype": Name.Image, "Width": size[0], "Height": size[1],
        "BitsPerComponent": bits, "ColorSpace": Name(colors), **more,
    }  # fmt: skip


ONE = b"q 100 0 0 100 0 0 cm /Im0 Do Q"


def flate(data: bytes, **more: Any) -> tuple[bytes, dict[str, Any]]:
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    return zlib.compress(data), image_of(**{"Filter": pikepdf.Name.FlateDecode, **more})
