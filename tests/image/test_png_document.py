"""PNG pictures of devices: every kind, in pieces, cut off, damaged, absurd."""

from __future__ import annotations

import io
import random
import struct
import sys
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.errors import DeviceIOError, NoMemory, SaneError
from sane.image.png import PngEncoder
from tests.image.documents import SAMPLES, chunk, png, png_head, read

KINDS = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)]
KINDS += [(3, d) for d in (1, 2, 4, 8)] + [(4, 8), (4, 16), (6, 8), (6, 16)]
PALETTE = bytes(value for i in range(256) for value in (i, 255 - i, i * 7 & 255))
WIDTH, LINES = 21, 13


def pixels_of(color: int, depth: int, width: int = WIDTH, lines: int = LINES) -> list[Any]:
    chance = random.Random(color * 100 + depth)
    most = (1 << depth) - 1
    return [
        [tuple(chance.randint(0, most) for _ in range(SAMPLES[color])) for _ in range(width)]
        for _ in range(lines)
    ]


def sample(value: int, depth: int) -> int:
    return value if depth >= 8 else value * (255 // ((1 << depth) - 1))


def expected(pixels: list[Any], color: int, depth: int) -> bytes:
    """Return the rows as they should come out, worked out pixel by pixel."""
    most = 65535 if depth == 16 else 255
    out = bytearray()
    for row in pixels:
        if (color, depth) == (0, 1):
            bits = "".join(str(1 - value) for (value,) in row)
            bits += "0" * (-len(bits) % 8)
            out += int(bits, 2).to_bytes(len(bits) // 8, "big")
            continue
        for pixel in row:
            if color == 3:
                values = list(PALETTE[3 * pixel[0] : 3 * pixel[0] + 3])
            else:
                values = [sample(value, depth) for value in pixel]
            if color in (4, 6):
                alpha = values.pop()
                values = [(v * alpha + most * (most - alpha) + most // 2) // most for v in values]
            size = 2 if depth == 16 else 1
            out += b"".join(value.to_bytes(size, sys.byteorder) for value in values)
    return bytes(out)


def extra_of(color: int, depth: int) -> bytes:
    return chunk(b"PLTE", PALETTE[: 3 << depth]) if color == 3 else b""


@pytest.mark.parametrize(("color", "depth"), KINDS)
def test_png_every_kind_comes_as_it_is(color: int, depth: int) -> None:
    pixels = pixels_of(color, depth)
    rows, document = read(png(pixels, depth, color, extra=extra_of(color, depth)))
    assert (document.width, document.lines, document.kind) == (WIDTH, LINES, "image/png")
    assert document.depth == (depth if depth in (1, 16) and color != 3 else 8)
    assert rows == expected(pixels, color, depth)
    assert not document.is_cut
    assert not document.next_picture()


@pytest.mark.parametrize(("color", "depth"), KINDS)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 9), (WIDTH, LINES)])
def test_png_interlaced_pictures_come_whole(color: int, depth: int, size: tuple[int, int]) -> None:
    pixels = pixels_of(color, depth, *size)
    data = png(pixels, depth, color, extra=extra_of(color, depth), interlace=True)
    rows, document = read(data, piece=50)
    due = expected(pixels, color, depth)
    if (color, depth) == (0, 1):  # as samples: they are put together one by one
        due = bytes(255 * value for row in pixels for (value,) in row)
    assert rows == due
    assert not document.is_cut


@pytest.mark.parametrize(("piece", "room"), [(1, 1), (7, 3), (100, 1000), (1 << 20, 5)])
@pytest.mark.parametrize(("color", "depth"), [(0, 1), (2, 8), (6, 16)])
def test_png_rows_do_not_depend_on_the_pieces(
    piece: int, room: int, color: int, depth: int
) -> None:
    data = png(pixels_of(color, depth), depth, color, idat=37)
    assert read(data, piece=piece, room=room)[0] == read(data)[0]


def test_png_a_transparent_colour_is_white() -> None:
    pixels = [[(1, 2, 3), (4, 5, 6)]]
    data = png(pixels, 8, 2, extra=chunk(b"tRNS", struct.pack(">3H", 1, 2, 3)))
    assert read(data)[0] == b"\xff\xff\xff\x04\x05\x06"
    data = png([[(0,), (1,)]], 1, 0, extra=chunk(b"tRNS", struct.pack(">H", 0)))
    assert read(data)[0] == b"\0"
    data = png([[(7,), (9,)]], 16, 0, extra=chunk(b"tRNS", struct.pack(">H", 7)))
    assert read(data)[0] == struct.pack("=2H", 65535, 9)


def test_png_a_palette_of_grays_is_gray() -> None:
    extra = chunk(b"PLTE", bytes((0, 0, 0, 9, 9, 9)))
    rows, document = read(png([[(0,), (1,)]], 1, 3, extra=extra))
    assert (rows, document.channels) == (b"\0\x09", 1)


def test_png_a_transparent_palette_lies_on_white() -> None:
    extra = chunk(b"PLTE", bytes((200, 0, 0, 9, 8, 7))) + chunk(b"tRNS", b"\0\xff")
    assert read(png([[(0,), (1,)]], 1, 3, extra=extra))[0] == b"\xff\xff\xff\x09\x08\x07"


def test_png_rows_come_before_the_file_has_ended() -> None:
    maker = PngEncoder(200, 300)
    chance = random.Random(1)
    data = maker.feed(chance.randbytes(200 * 300)) + maker.end()
    from sane.image.document import Document

    document = Document(200, 300)
    document.feed(data[: len(data) // 2])
    assert document.prepare()
    view, total = memoryview(bytearray(200 * 150)), 0
    while n := document.read_into(view):
        total += n
    assert 200 * 100 < total < 200 * 200


def test_png_a_picture_that_is_cut_off_keeps_its_rows() -> None:
    pixels = pixels_of(2, 8, 50, 60)
    data = png(pixels, 8, 2, filters=(0,))
    rows, document = read(data[: len(data) // 2], piece=100)
    assert document.is_cut
    assert 20 < len(rows) // 150 < 40
    assert expected(pixels, 2, 8).startswith(rows)


def test_png_an_interlaced_picture_that_is_cut_off_has_white_for_the_rest() -> None:
    pixels = [[(9,)] * 40 for _ in range(40)]
    data = png(pixels, 8, 0, interlace=True)
    rows, document = read(data[:-25])
    assert (document.is_cut, len(rows)) == (True, 1600)
    assert set(rows) == {9, 255}


def test_png_damage_within_the_data_keeps_what_came_before() -> None:
    body = zlib.compress(bytes(101) * 5000, 0)  # stored: 500 KB
    body = body[:400000] + b"\xff" * 100 + body[400100:]
    data = png_head(100, 5000, 8, 0) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    damaged = data.replace(b"\xff" * 100, b"\x05" * 100)
    rows, document = read(damaged, asked=(100, 5000))
    assert document.is_cut
    assert 300000 < len(rows) < 400000


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (png_head(65535, 65535, 8, 2), NoMemory, "65535 x 65535"),
        (png_head(5000, 4000000, 8, 2), NoMemory, "5000 x 4000000"),
        (png_head(1 << 31, 5, 8, 2), DeviceIOError, "2147483648 x 5"),
        (png_head(0, 5, 8, 2), DeviceIOError, "0 x 5"),
        (png_head(5, 0, 8, 2), DeviceIOError, "5 x 0"),
        (png_head(5, 5, 3, 2), DeviceIOError, "type 2 with 3 bits"),
        (png_head(5, 5, 8, 5), DeviceIOError, "type 5"),
        (png_head(5, 5, 8, 0, 2), DeviceIOError, "type 0"),
        (png_head(5, 5, 8, 3), DeviceIOError, "a palette of 0 bytes"),
        (png_head(5, 5, 8, 0) + png_head(5, 5, 8, 0)[8:], DeviceIOError, "IHDR"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"PLTE", b"123"), DeviceIOError, "PLTE"),
        (png_head(5, 5, 8, 0) + chunk(b"PLTE", bytes(900)), DeviceIOError, "PLTE.*900"),
    ],
)
def test_png_absurd_heads_are_refused(data: bytes, error: type[SaneError], text: str) -> None:
    with pytest.raises(error, match=text):
        read(data + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def test_png_a_head_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(DeviceIOError, match="ends before the picture"):
        read(png_head(5, 5, 8, 0)[:20])


def test_png_an_interlaced_picture_beyond_the_limit_is_refused_with_its_size() -> None:
    data = png_head(3000, 3000, 8, 0, 1) + chunk(b"IDAT", b"")
    with pytest.raises(NoMemory, match="3000 x 3000 pixels, at most 8999999"):
        read(data, asked=(3000, 3000), most_pixels=8999999)


def test_png_no_row_at_all_is_an_error() -> None:
    data = png_head(5, 5, 8, 0) + chunk(b"IDAT", zlib.compress(b"")[:2]) + chunk(b"IEND", b"")
    with pytest.raises(DeviceIOError, match="before the first row"):
        read(data)
    data = png_head(5, 5, 8, 0) + chunk(b"IDAT", zlib.compress(b"\x09" * 30)) + chunk(b"IEND", b"")
    with pytest.raises(DeviceIOError, match="no filter 9"):
        read(data)


def test_png_more_data_than_the_picture_has_are_left() -> None:
    body = zlib.compress(bytes(6 * 5) + bytes(50 << 20))
    data = png_head(5, 5, 8, 0) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    rows, document = read(data + b"trailing", piece=1000)
    assert (len(rows), document.is_cut) == (25, False)


def test_png_garbage_ends_in_rows_or_an_error() -> None:
    chance = random.Random(5)
    for color, depth in KINDS:
        for interlace in (False, True):
            good = png(
                pixels_of(color, depth, 9, 7), depth, color,
                extra=extra_of(color, depth), interlace=interlace,
            )  # fmt: skip
            for _ in range(40):
                data = bytearray(good)
                for _ in range(chance.choice((1, 5))):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                del data[chance.randrange(len(data)) + 1 :]
                try:
                    read(bytes(data), piece=chance.choice((3, 1000)))
                except SaneError:
                    continue


@settings(max_examples=60)
@given(
    kind=st.sampled_from([kind for kind in KINDS if kind[0] != 3]),
    width=st.integers(1, 40),
    lines=st.integers(1, 12),
    interlace=st.booleans(),
    filters=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    piece=st.integers(1, 300),
)
def test_png_pixels_are_those_of_pillow(
    kind: tuple[int, int], width: int, lines: int, interlace: bool, filters: Any, piece: int
) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not there")
    color, depth = kind
    pixels = pixels_of(color, depth, width, lines)
    data = png(pixels, depth, color, interlace=interlace, filters=tuple(filters))
    rows, document = read(data, piece=piece)
    picture = image.open(io.BytesIO(data))
    if color in (4, 6):
        return  # Pillow does not lay them on white
    if depth == 16 and color == 0:
        assert rows == struct.pack(f"={width * lines}H", *picture.get_flattened_data())
    elif depth == 16:
        assert rows[1::2] == picture.tobytes()  # Pillow keeps the high bytes
    elif document.depth == 1:
        assert bytes(255 - value for value in rows)[:1]
        unused = (1 << -width % 8) - 1
        theirs = picture.tobytes()
        size = (width + 7) // 8
        assert all(
            (a ^ 255 | unused if i % size == size - 1 else a ^ 255)
            == (b | unused if i % size == size - 1 else b)
            for i, (a, b) in enumerate(zip(rows, theirs, strict=True))
        )
    else:
        assert rows == picture.convert("RGB" if color == 2 else "L").tobytes()
