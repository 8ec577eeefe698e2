"""Encoders: every form of frame as PNG, PNM and JPEG; pieces, too many rows and too few."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.image.formats import ENDINGS, FORMATS, encoder
from sane.image.png import PngEncoder
from sane.image.pnm import PnmEncoder
from sane.image.rows import bytes_from_bits

from .devices import cut, frame, picture, sizes

FORMS = [(channels, depth) for channels in (1, 3) for depth in (1, 8, 16)]
WIDTH, HEIGHT = 13, 5


def color_bits(rows: list[list[int]]) -> bytes:
    """Return rows of colour of one bit as a frame: a byte of red, one of green, one of blue."""
    out = bytearray()
    for row in rows:
        planes = [frame([row[channel::3]], 1) for channel in range(3)]
        out += b"".join(bytes(group) for group in zip(*planes, strict=True))
    return bytes(out)


def made(channels: int, depth: int, width: int = WIDTH) -> tuple[list[list[int]], bytes]:
    """Return a picture and its frame."""
    rows = picture(width, HEIGHT, channels, depth)
    return rows, color_bits(rows) if (channels, depth) == (3, 1) else frame(rows, depth)


def encoded(kind: Any, form: tuple[int, ...], data: bytes, piece: Any = 1000, **more: Any) -> bytes:
    maker = kind(*form, **more)
    out = b"".join(maker.feed(part) for part in cut(data, sizes(piece)))
    return bytes(out + maker.end())


def shown(rows: list[list[int]], channels: int, depth: int) -> list[list[int]]:
    """Return samples as a viewer has them: line art as 0 (black) and 1."""
    return [[1 - value for value in row] for row in rows] if (channels, depth) == (1, 1) else rows


def samples(data: bytes, width: int, channels: int, depth: int) -> list[list[int]]:
    """Return the rows of samples of depth 1 (packed), 8 or 16 (high byte first)."""
    size = -(-width * channels * depth // 8)
    rows = [data[at : at + size] for at in range(0, len(data), size)]
    if depth == 1:
        text = [f"{int.from_bytes(row, 'big'):0{8 * size}b}"[: width * channels] for row in rows]
        return [[int(bit) for bit in row] for row in text]
    step = depth // 8
    return [
        [int.from_bytes(row[i : i + step], "big") for i in range(0, size, step)] for row in rows
    ]


def png_chunks(data: bytes) -> dict[bytes, bytes]:
    """Return the bodies by kind, those of IDAT joined; every check sum must be right."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            kind + body
        )
        found[kind] = found.get(kind, b"") + body
        at += 12 + size
    assert (next(iter(found)), kind) == (b"IHDR", b"IEND")
    return found


def read_png(data: bytes) -> tuple[int, int, int, int, bytes]:
    """Return width, height, channels, depth and the samples without the filters."""
    chunks = png_chunks(data)
    width, height, depth, color, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [0, 0, 0]
    channels = {0: 1, 2: 3}[color]
    raw = zlib.decompress(chunks[b"IDAT"])
    size = -(-width * channels * depth // 8)
    assert len(raw) == height * (size + 1)
    assert not any(raw[:: size + 1])
    out = b"".join(raw[y * (size + 1) + 1 : (y + 1) * (size + 1)] for y in range(height))
    return width, height, channels, depth, out


def read_pnm(data: bytes) -> tuple[int, int, int, int, bytes]:
    head = re.match(rb"P4\n(\d+) (\d+)\n|P([56])\n(\d+) (\d+)\n(\d+)\n", data)
    assert head is not None
    body = data[head.end() :]
    if head[1]:
        return int(head[1]), int(head[2]), 1, 1, bytes(255 - byte for byte in body)
    channels = 3 if head[3] == b"6" else 1
    return int(head[4]), int(head[5]), channels, {255: 8, 65535: 16}[int(head[6])], body


@pytest.mark.parametrize("piece", [1, 4, 1000, "random"])
@pytest.mark.parametrize("width", [WIDTH, 8, 1])
@pytest.mark.parametrize(("channels", "depth"), FORMS)
@pytest.mark.parametrize(("kind", "read"), [(PngEncoder, read_png), (PnmEncoder, read_pnm)])
def test_every_form_of_frame(
    kind: Any, read: Any, channels: int, depth: int, width: int, piece: Any
) -> None:
    rows, data = made(channels, depth, width)
    found = read(encoded(kind, (width, HEIGHT, channels, depth), data, piece))
    expected = shown(rows, channels, depth)
    if (channels, depth) == (3, 1):
        depth, expected = 8, [[255 * value for value in row] for row in rows]
    assert found[:4] == (width, HEIGHT, channels, depth)
    assert samples(found[4], width, channels, depth) == expected


def test_a_png_larger_than_a_chunk() -> None:
    width, height = 999, 200
    data = bytes(picture(width, height, 1, 8, 1)[0] * height)
    noise = frame(picture(width, height, 1, 8), 8)
    for pixels in (data, noise):
        out = encoded(PngEncoder, (width, height), pixels, 5000)
        assert read_png(out)[4] == pixels
        assert (out.count(b"IDAT") > 1) is (pixels is noise)


@pytest.mark.parametrize(("dpi", "density"), [(300, 11811), (0, None), (72.5, 2854)])
def test_the_resolution_of_a_png(dpi: float, density: int | None) -> None:
    chunks = png_chunks(encoded(PngEncoder, (1, 1), b"a", dpi=dpi))
    expected = None if density is None else struct.pack(">IIB", density, density, 1)
    assert chunks.get(b"pHYs") == expected


@settings(max_examples=50)
@given(st.binary(min_size=21, max_size=21), st.lists(st.integers(1, 9), min_size=1))
def test_the_file_does_not_depend_on_the_pieces(data: bytes, pieces: list[int]) -> None:
    for kind in (PngEncoder, PnmEncoder):
        maker = kind(7, 3)
        source = iter(pieces * 21)
        out = b"".join(maker.feed(part) for part in cut(data, source)) + maker.end()
        assert out == encoded(kind, (7, 3), data)


# What cannot be


@pytest.mark.parametrize("kind", [PngEncoder, PnmEncoder])
def test_too_many_rows(kind: Any) -> None:
    maker = kind(4, 2)
    maker.feed(b"1234")
    with pytest.raises(ValueError, match="1 bytes more than the picture has"):
        maker.feed(b"12345")
    maker.feed(b"1234")
    with pytest.raises(ValueError, match="1 bytes more"):
        maker.feed(b"1")
    assert maker.end() is not None


@pytest.mark.parametrize("kind", [PngEncoder, PnmEncoder])
@pytest.mark.parametrize(("come", "missing"), [(0, 3), (4, 2), (5, 2), (11, 1)])
def test_too_few_rows(kind: Any, come: int, missing: int) -> None:
    maker = kind(4, 3)
    maker.feed(bytes(come))
    with pytest.raises(ValueError, match=f"{missing} rows of 3 are missing"):
        maker.end()


@pytest.mark.parametrize(
    "form", [(0, 1), (1, 0), (4, -1), (4, 4, 2), (4, 4, 1, 12), (-1, -1, 3, 8)]
)
@pytest.mark.parametrize("kind", [PngEncoder, PnmEncoder])
def test_pictures_that_cannot_be(kind: Any, form: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a picture of"):
        kind(*form)


def test_formats_by_name() -> None:
    assert set(ENDINGS.values()) == set(FORMATS)
    assert (encoder("png"), encoder("pnm")) == (PngEncoder, PnmEncoder)
    with pytest.raises(ValueError, match="no format 'gif'; there are png, pnm, jpeg"):
        encoder("gif")


@pytest.mark.parametrize(
    ("bits", "width", "channels", "count"),
    [(2, 9, 1, 8), (3, 9, 1, 9), (3, 8, 3, 23), (0, 0, 1, 1)],
)
def test_bits_and_samples_that_disagree(bits: int, width: int, channels: int, count: int) -> None:
    with pytest.raises(ValueError, match="do not make"):
        bytes_from_bits(memoryview(bytes(bits)), memoryview(bytearray(count)), width, channels)


# JPEG


@pytest.fixture(scope="module")
def jpeg() -> Any:
    return pytest.importorskip("sane.image.jpeg_encoder", reason="this tree is not compiled")


def read_jpeg(data: bytes) -> tuple[int, int, int, bytes]:
    from sane.image.jpeg import Decoder

    decoder = Decoder(1 << 24)
    decoder.feed(data)
    decoder.end()
    assert decoder.prepare()
    out = memoryview(bytearray(decoder.width * decoder.height * decoder.channels))
    assert decoder.read_into(out) == len(out)
    assert decoder.warnings == 0
    return decoder.width, decoder.height, decoder.channels, bytes(out)


@pytest.mark.parametrize("piece", [1, 1000, "random"])
@pytest.mark.parametrize(("channels", "depth"), FORMS)
def test_every_form_of_frame_as_jpeg(jpeg: Any, channels: int, depth: int, piece: Any) -> None:
    most = (1 << depth) - 1
    rows = [[most * (x // channels > 6) for x in range(16 * channels)] for _ in range(HEIGHT)]
    data = color_bits(rows) if (channels, depth) == (3, 1) else frame(rows, depth)
    out = encoded(jpeg.JpegEncoder, (16, HEIGHT, channels, depth), data, piece, quality=100)
    width, height, found, pixels = read_jpeg(out)
    assert (width, height, found) == (16, HEIGHT, channels)
    expected = [255 * value // most for row in shown(rows, channels, depth) for value in row]
    if channels == 1:
        assert max(abs(one - two) for one, two in zip(pixels, expected, strict=True)) < 12
    else:  # colours are halved in width: the edge is not sharp
        assert pixels[: 3 * 5] == bytes(15)


def test_a_large_jpeg_of_noise(jpeg: Any) -> None:
    width, height = 600, 400
    data = frame(picture(width, height, 3, 8), 8)
    maker = jpeg.JpegEncoder(width, height, 3, quality=100)
    out = maker.feed(data)
    assert len(out) > 1 << 17, "the buffer grew"
    assert read_jpeg(out + maker.end())[:3] == (width, height, 3)


def test_the_quality_and_the_resolution_of_a_jpeg(jpeg: Any) -> None:
    data = frame(picture(64, 64, 1, 8), 8)
    small, large = (
        encoded(jpeg.JpegEncoder, (64, 64), data, quality=quality, dpi=300) for quality in (10, 95)
    )
    assert len(small) < len(large)
    assert small[6:18] == b"JFIF\0\x01\x01\x01" + struct.pack(">HH", 300, 300)
    for dpi in (0, 70_000):
        out = encoded(jpeg.JpegEncoder, (64, 64), data, dpi=dpi)
        assert out[13:18] == b"\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("form", "more", "message"),
    [
        ((65501, 1), {}, "65501 x 1 pixels, at most 65500"),
        ((1, 65501), {}, "1 x 65501 pixels"),
        ((4, 4), {"quality": 0}, "a quality of 0"),
        ((4, 4), {"quality": 101}, "a quality of 101"),
        ((4, 0), {}, "a picture of"),
    ],
)
def test_jpegs_that_cannot_be(jpeg: Any, form: Any, more: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        jpeg.JpegEncoder(*form, **more)


def test_too_many_and_too_few_rows_of_a_jpeg(jpeg: Any) -> None:
    maker = jpeg.JpegEncoder(4, 2)
    maker.feed(b"1234")
    with pytest.raises(ValueError, match="1 bytes more"):
        maker.feed(b"12345")
    with pytest.raises(ValueError, match="1 rows of 2 are missing"):
        maker.end()


def test_a_jpeg_by_name(jpeg: Any) -> None:
    assert encoder("jpeg") is jpeg.JpegEncoder


def test_words_are_native() -> None:
    out = encoded(PnmEncoder, (1, 1, 1, 16), (0x1234).to_bytes(2, sys.byteorder))
    assert out.endswith(b"\x12\x34")
