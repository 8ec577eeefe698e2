"""A page as TIFF: one strip compressed by Deflate, the directory behind it.

Where the directory is stands at the file's beginning, so that nothing can be sent before the end.
Source: TIFF 6.0, sections 2 to 8; Adobe Photoshop TIFF technical note (Deflate).
"""

from __future__ import annotations

import sys
import zlib
from struct import pack

from .form import Form, PageEncoder

LITTLE = sys.byteorder == "little"
ORDER = "<" if LITTLE else ">"
HEAD = pack(f"{ORDER}2sHI", b"II" if LITTLE else b"MM", 42, 0)
LEVEL = 1  # of zlib: it must keep up with scanners
SHORT, LONG, RATIONAL = 3, 4, 5
ADOBE_DEFLATE = 8
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
INCH = 2


class TiffPage(PageEncoder):
    """A TIFF of one page; colour of one bit becomes colour of eight. Any number of lines."""

    waits = True

    def __init__(self, form: Form) -> None:
        self._form = form
        self._compressor = zlib.compressobj(LEVEL)
        self._read = self._size = 0
        self._directory = 0
        self._part = b""

    def feed(self, rows: bytes | memoryview) -> bytes:
        self._read += len(rows)
        out = b"" if self._size else HEAD
        out += self._compressor.compress(self._samples(rows))
        self._size += len(out)
        return out

    def _samples(self, rows: bytes | memoryview) -> bytes | bytearray | memoryview:
        form = self._form
        if form.depth != 1 or form.channels != 3:
            return rows
        from ...image.rows import bytes_from_bits

        data = self._part + rows
        lines = len(data) // form.row_bytes
        whole, self._part = data[: lines * form.row_bytes], data[lines * form.row_bytes :]
        samples = bytearray(lines * form.width * 3)
        if lines:
            bytes_from_bits(memoryview(whole), memoryview(samples), form.width, 3)
        return samples

    def end(self) -> bytes:
        lines = self._read // self._form.row_bytes
        if lines < 1 or lines < self._form.lines:
            raise ValueError(f"{lines} rows of {max(self._form.lines, 1)}")
        data = self._compressor.flush()
        strip_bytes = self._size + len(data) - len(HEAD)
        if (self._size + len(data)) % 2:
            data += b"\0"  # a directory begins at an even place
        self._directory = self._size + len(data)
        return data + self._tags(lines, strip_bytes)

    def _tags(self, lines: int, strip_bytes: int) -> bytes:
        """Return the directory and the values that do not fit into it."""
        form = self._form
        depth = 8 if form.depth == 1 and form.channels == 3 else form.depth
        meaning = WHITE_IS_ZERO if depth == 1 else BLACK_IS_ZERO
        tags = [
            (256, LONG, [form.width]),
            (257, LONG, [lines]),
            (258, SHORT, [depth] * form.channels),
            (259, SHORT, [ADOBE_DEFLATE]),
            (262, SHORT, [RGB if form.channels == 3 else meaning]),
            (273, LONG, [len(HEAD)]),
            (277, SHORT, [form.channels]),
            (278, LONG, [lines]),
            (279, LONG, [strip_bytes]),
            (282, RATIONAL, [form.dpi_x, 1]),
            (283, RATIONAL, [form.dpi_y, 1]),
            (284, SHORT, [1]),
            (296, SHORT, [INCH]),
        ]
        behind = self._directory + 2 + 12 * len(tags) + 4
        out, more = pack(f"{ORDER}H", len(tags)), b""
        for tag, kind, values in tags:
            data = pack(f"{ORDER}{len(values)}{'H' if kind == SHORT else 'I'}", *values)
            count = 1 if kind == RATIONAL else len(values)
            if len(data) > 4:
                place = behind + len(more)
                more += data + b"\0" * (len(data) % 2)
                data = pack(f"{ORDER}I", place)
            out += pack(f"{ORDER}HHI", tag, kind, count) + data.ljust(4, b"\0")
        return out + bytes(4) + more

    def corrected(self) -> list[tuple[int, bytes]]:
        return [(4, pack(f"{ORDER}I", self._directory))]
