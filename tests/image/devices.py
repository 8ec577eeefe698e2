"""A model of what scanners send: a picture as a stream in any of the orders of sane.image.Layout.

It places one sample after the other, as slowly and plainly as can be, and shares nothing with the
code that it tests. Whatever belongs to no sample of the picture is noise.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sane.image.lines import Lines


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def picture(width: int, lines: int, channels: int, bits: int, seed: int = 7) -> list[list[int]]:
    """Return rows of samples, pixel after pixel."""
    source = random.Random(seed)
    return [[source.getrandbits(bits) for _ in range(width * channels)] for _ in range(lines)]


def frame(rows: list[list[int]], depth: int, bits: int = 16) -> bytes:
    """Return the rows as a frame of SANE: bits, bytes or native words."""
    out = bytearray()
    for row in rows:
        if depth == 1:
            text = "".join(map(str, row)).ljust(-(-len(row) // 8) * 8, "0")
            out += bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
        elif depth == 8:
            out += bytes(row)
        else:
            for value in row:
                spread = value << (16 - bits) | value >> (2 * bits - 16)
                out += spread.to_bytes(2, sys.byteorder)
    return bytes(out)


def source_line(row: int, row_ratio: tuple[int, int]) -> int:
    """Return which line of the stream row *row* is made of: the first of those that are due."""
    wire, wanted = row_ratio
    owed, line, done = wire - wanted, -1, -1
    while done < row:
        line += 1
        owed += wanted
        if owed >= wire:
            owed -= wire
            done += 1
    return line


def stream(
    rows: list[list[int]],
    depth: int,
    *,
    channels: int = 1,
    colors: str = "",
    pick: str = "",
    plane_lines: int = 0,
    stagger: tuple[int, ...] = (),
    wire_width: int = 0,
    left: int = 0,
    padding: int = 0,
    skip_bytes: int = 0,
    skip_lines: int = 0,
    row_ratio: tuple[int, int] = (1, 1),
    columns: list[int] | None = None,
    column_lines: tuple[int, ...] = (0,),
    byteorder: str = "little",
    bits: int = 16,
    invert: bool = False,
) -> bytes:
    """Return what the device sends; *rows* hold values of *bits* bits where depth is 16."""
    width = len(rows[0]) // channels
    colors = colors or ("RGB" if channels == 3 else "K")
    pick = pick or ("RGB" if channels == 3 else colors[0])
    stagger = stagger or (0,) * channels
    wire_width = wire_width or left + width
    source = random.Random(3)
    top = max(stagger) + max(column_lines) + source_line(len(rows) - 1, row_ratio) + 1
    total = skip_lines + top
    total += -total % max(1, plane_lines)
    most = (1 << (depth if depth < 16 else bits)) - 1
    sent = [
        [[source.randint(0, most) for _ in colors] for _ in range(wire_width)] for _ in range(total)
    ]
    for y, row in enumerate(rows):
        line = skip_lines + source_line(y, row_ratio)
        for x in range(width):
            column = left + x
            at = columns[column] if columns else column
            for c, color in enumerate(pick):
                k = line + stagger[c] + column_lines[column % len(column_lines)]
                value = row[x * channels + c]
                sent[k][at][colors.index(color)] = value ^ most if invert else value
    out = bytearray(noise(skip_bytes))

    def add(samples: list[int]) -> None:
        if depth == 1:
            out.extend(frame([samples], 1))
        else:
            for value in samples:
                out.extend(value.to_bytes(depth // 8, byteorder))  # type: ignore[arg-type]
        out.extend(noise(padding, len(out)))

    if not plane_lines:
        for pixels in sent:
            add([value for pixel in pixels for value in pixel])
    else:
        for group in range(0, total, plane_lines):
            for c in range(len(colors)):
                for k in range(group, group + plane_lines):
                    add([pixel[c] for pixel in sent[k]])
    return bytes(out)


def cut(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    """Cut *data* into pieces of these sizes."""
    at = 0
    while at < len(data):
        size = next(sizes)
        yield data[at : at + size]
        at += size


def drain(lines: Lines, rooms: Iterator[int], out: bytearray) -> None:
    """Read what is finished, in buffers of these sizes."""
    while True:
        buffer = bytearray(b"\xaa" * next(rooms))
        n = lines.read_into(memoryview(buffer))
        assert buffer[n:] == b"\xaa" * (len(buffer) - n), "written behind what was told"
        out += buffer[:n]
        if not n:
            return


def sizes(kind: Any, seed: int = 0) -> Iterator[int]:
    """Yield the same size for ever, or random ones up to 100 for "random"."""
    source = random.Random(seed)
    while True:
        yield source.randint(1, 100) if kind == "random" else int(kind)
