"""TIFF files of an emulated eSCL scanner: strips or tiles, each page's directory behind them.

Source: TIFF 6.0 (22: the old way of JPEG), TIFF Technical Note 2 (the new one).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from . import fax, jpeg
from .raster import Pixels

FORMS = (
    "big-endian",
    "strips",
    "tiled",
    "planar",
    "white-is-zero",
    "deflate",
    "jpeg",
    "old-jpeg",  # compression 6: a whole JPEG beside the strips
    "g3",  # of line art; else as usual
    "g4",
)
_SHORT, _LONG = 3, 4
NONE, COMPRESSIONS = 1, {"g3": 3, "g4": 4, "old-jpeg": 6, "jpeg": 7, "deflate": 8}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, YCBCR = 0, 1, 2, 6
TILE = 64
_NULLS = bytes(range(255, -1, -1))

Tags = dict[int, tuple[int, list[int]]]


def encode(pages: Sequence[Pixels], form: str = "") -> bytes:
    """Return *pages* as one file in one of FORMS, or "" for the usual one."""
    order = ">" if form == "big-endian" else "<"
    out = bytearray(b"MM\0*" if order == ">" else b"II*\0")
    pointer = len(out)  # where the next directory's place is to be written
    out += bytes(4)
    for pixels in pages:
        page = pixels.of_bytes() if form in ("jpeg", "old-jpeg") else pixels
        used = "" if form in ("g3", "g4") and page.depth > 1 else form
        blocks, tags = _blocks(page, used)
        if page.depth == 16 and order == "<":
            blocks = [_swapped(block) for block in blocks]
        if used == "deflate":
            blocks = [zlib.compress(block) for block in blocks]
        places = []
        for block in blocks:
            places.append(len(out))
            out += block + b"\0" * (len(block) % 2)
        tags |= _description(page, used, places, [len(block) for block in blocks])
        at = len(out)
        struct.pack_into(f"{order}I", out, pointer, at)
        out += _directory(tags, order, at)
        pointer = at + 2 + 12 * len(tags)
    return bytes(out)


def _description(pixels: Pixels, form: str, places: list[int], sizes: list[int]) -> Tags:
    """Return the tags that every page has."""
    photometric = RGB if pixels.channels == 3 else BLACK_IS_ZERO
    if form in ("g3", "g4") or (form == "white-is-zero" and pixels.channels == 1):
        photometric = WHITE_IS_ZERO
    elif form in ("jpeg", "old-jpeg") and pixels.channels == 3:
        photometric = YCBCR
    tags: Tags = {
        256: (_LONG, [pixels.width]),
        257: (_LONG, [pixels.lines]),
        258: (_SHORT, [pixels.depth] * pixels.channels),
        259: (_SHORT, [COMPRESSIONS.get(form, NONE)]),
        262: (_SHORT, [photometric]),
        324 if form == "tiled" else 273: (_LONG, places),
        277: (_SHORT, [pixels.channels]),
        325 if form == "tiled" else 279: (_LONG, sizes),
        284: (_SHORT, [2 if form == "planar" else 1]),
    }
    if photometric == YCBCR:
        tags[530] = _SHORT, [2, 2]
    if form == "old-jpeg":
        tags |= {512: (_SHORT, [1]), 513: (_LONG, places[:1]), 514: (_LONG, sizes[:1])}
    return tags


def _blocks(pixels: Pixels, form: str) -> tuple[list[bytes], Tags]:
    """Return the strips or tiles, and the tags that say how they lie."""
    if form == "tiled":
        tall = range(0, pixels.lines, TILE)
        wide = range(0, pixels.width, TILE)
        tiles = [_tile(pixels, x, y) for y in tall for x in wide]
        return tiles, {322: (_LONG, [TILE]), 323: (_LONG, [TILE])}
    if form == "planar" and pixels.depth > 1:
        return _planes(pixels), {278: (_LONG, [pixels.lines])}
    whole: Tags = {278: (_LONG, [pixels.lines])}
    if form in ("jpeg", "old-jpeg"):
        return [jpeg.encode(pixels)], whole
    if form in ("g3", "g4"):
        code = fax.group_3 if form == "g3" else fax.group_4
        return [code(pixels.rows(), pixels.width)], whole
    if form == "white-is-zero" and pixels.channels == 1:
        return [pixels.data.translate(_NULLS)], whole
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


def _directory(tags: Tags, order: str, at: int) -> bytes:
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
