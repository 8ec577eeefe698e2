"""Pictures of tests, read without a library."""

from __future__ import annotations

import zlib


def png_rows(data: bytes) -> bytes:
    """Return the rows of a PNG of ours of 8 bits: no filters."""
    width = int.from_bytes(data[16:20], "big") * (3 if data[25] == 2 else 1)
    at, body = 8, b""
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            body += data[at + 8 : at + 8 + size]
        at += 12 + size
    rows = zlib.decompress(body)
    starts = range(0, len(rows), width + 1)
    assert all(rows[at] == 0 for at in starts)
    return b"".join(rows[at + 1 : at + 1 + width] for at in starts)
