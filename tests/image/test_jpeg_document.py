"""JPEG pictures of devices: what libjpeg does not do by itself; in the compiled tree only."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest

from sane.errors import DeviceIOError, NoMemory, SaneError
from sane.image.document import Document
from tests.image.documents import read

pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not there")

WIDTH, LINES = 93, 157
SOF = (b"\xff\xc0", b"\xff\xc2")


def picture(mode: str = "RGB", width: int = WIDTH, lines: int = LINES) -> Any:
    """Return a soft picture, so that JPEG keeps it closely."""
    data = bytes(
        value
        for y in range(lines)
        for x in range(width)
        for value in (2 * x & 255, y * 255 // lines, (x + y) & 127, 40)[: len(mode)]
    )
    return Image.frombytes(mode, (width, lines), data)


def jpeg(image: Any = None, **options: Any) -> bytes:
    file = io.BytesIO()
    (image or picture()).save(file, "JPEG", **{"quality": 92, **options})
    return file.getvalue()


def sof_at(data: bytes) -> int:
    return max(data.find(marker + b"\0\x11\x08") for marker in SOF)


def with_lines(data: bytes, lines: int, dnl: int | None = None) -> bytes:
    """Return a JPEG with another height in its head, and with DNL behind its (first) scan."""
    at = sof_at(data) + 5
    data = data[:at] + lines.to_bytes(2, "big") + data[at + 2 :]
    if dnl is None:
        return data
    scan = data.index(b"\xff\xda")
    end = scan + 4
    while not (data[end] == 0xFF and data[end + 1] not in (0, *range(0xD0, 0xD8))):
        end += 1
    return data[:end] + b"\xff\xdc\0\4" + dnl.to_bytes(2, "big") + data[end:]


def pillow(data: bytes, mode: str = "RGB") -> bytes:
    return bytes(Image.open(io.BytesIO(data)).convert(mode).tobytes())


def distance(one: bytes, two: bytes) -> int:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


KINDS: dict[str, Any] = {
    "plain": {},
    "fine": {"subsampling": 0},
    "halves": {"subsampling": 1},
    "restarts": {"restart_marker_blocks": 3},
    "progressive": {"progressive": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("piece", "room"), [(1 << 20, 1 << 20), (1, 500), (500, 7)])
def test_jpeg_pixels_are_those_of_pillow(kind: str, piece: int, room: int) -> None:
    data = jpeg(**KINDS[kind])
    rows, document = read(data, piece=piece, room=room)
    assert (document.width, document.lines, document.channels) == (WIDTH, LINES, 3)
    assert rows == pillow(data)
    assert not document.is_cut


def test_jpeg_gray_and_colour_become_each_other() -> None:
    gray = jpeg(picture().convert("L"))
    assert read(gray)[0] == pillow(gray, "L")
    assert read(gray, channels=3)[0] == pillow(gray, "RGB")
    assert distance(read(jpeg(), channels=1)[0], pillow(jpeg(), "L")) <= 2


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_jpeg_cmyk_becomes_colour(options: Any) -> None:
    data = jpeg(picture("CMYK"), **options)
    assert b"Adobe" in data
    rows, document = read(data)
    assert document.channels == 3
    assert distance(rows, pillow(data)) <= 2
    assert distance(read(data, channels=1)[0], pillow(data, "L")) <= 3


def test_jpeg_cmyk_without_the_mark_of_adobe_is_not_inverted() -> None:
    data = jpeg(picture("CMYK"))
    at = data.index(b"\xff\xee")
    size = int.from_bytes(data[at + 2 : at + 4], "big")
    plain = data[:at] + data[at + 2 + size :]
    image = Image.open(io.BytesIO(data))
    image.load()
    inks = bytes(255 - value for value in image.tobytes())  # as the file has them
    turned = Image.frombytes("CMYK", image.size, inks).convert("RGB").tobytes()
    assert distance(read(plain)[0], turned) <= 2


@pytest.mark.parametrize("lines", [0, 65535, 65501])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
def test_jpeg_the_height_may_stand_behind_the_data(lines: int, kind: str, piece: int) -> None:
    data = jpeg(**KINDS[kind])
    rows, document = read(with_lines(data, lines, LINES), piece=piece)
    assert document.lines == LINES
    assert not document.is_cut
    # the last row of colours may lean towards gray: libjpeg looks beyond it
    due = pillow(data)
    assert rows[: -2 * 3 * WIDTH] == due[: -2 * 3 * WIDTH]
    assert len(rows) == len(due)


@pytest.mark.parametrize("lines", [0, 65535])
@pytest.mark.parametrize("kind", KINDS)
def test_jpeg_without_any_height_has_the_rows_that_come(lines: int, kind: str) -> None:
    data = jpeg(**KINDS[kind])
    rows, document = read(with_lines(data, lines))
    block = 16 if kind in ("plain", "restarts", "progressive") else 8
    assert document.lines == -(-LINES // block) * block
    assert rows[: 150 * 3 * WIDTH] == pillow(data)[: 150 * 3 * WIDTH]


def test_jpeg_of_unknown_height_comes_row_by_row() -> None:
    data = with_lines(jpeg(picture(lines=1600)), 65535, 1600)
    document = Document(WIDTH, 1600)
    document.feed(data[: len(data) // 2])
    assert document.prepare()
    assert document.lines == -1
    view, total = memoryview(bytearray(1 << 20)), 0
    while n := document.read_into(view):
        total += n
    assert 500 < total // (3 * WIDTH) < 900


@pytest.mark.parametrize("lines", [0, LINES])
def test_jpeg_that_is_cut_off_keeps_the_rows_that_came(lines: int) -> None:
    data = jpeg(subsampling=0)
    data = with_lines(data, lines)
    rows, document = read(data[: len(data) * 3 // 4])
    count = len(rows) // (3 * WIDTH)
    assert document.is_cut
    assert 60 < count < LINES
    assert count % 8 == 0
    assert rows == pillow(jpeg(subsampling=0))[: len(rows)]


def test_jpeg_without_its_end_marker_is_whole() -> None:
    data = jpeg()
    rows, document = read(data[:-2])
    assert rows == pillow(data)
    assert not document.is_cut


def test_jpeg_with_bytes_behind_it_is_whole() -> None:
    rows, document = read(b"\r\n" + jpeg() + b"\xff" * 5000 + b"trailing", piece=100)
    assert rows == pillow(jpeg())
    assert not document.is_cut


def test_jpeg_progressive_that_is_cut_off_is_coarse_but_there() -> None:
    data = jpeg(progressive=True)
    rows, document = read(data[: len(data) * 2 // 3])
    assert len(rows) == 3 * WIDTH * LINES
    assert document.is_cut
    assert distance(rows, pillow(data)) < 128


def test_jpeg_with_damage_between_restarts_goes_on() -> None:
    data = jpeg(restart_marker_blocks=2)
    at = data.index(b"\xff\xd1") + 2
    rows, document = read(data[:at] + data[at + 10 :])
    assert len(rows) == 3 * WIDTH * LINES
    assert not document.is_cut
    assert rows[-3000:] == pillow(data)[-3000:]


def size_of(data: bytes, width: int, lines: int) -> bytes:
    at = sof_at(data) + 5
    return data[:at] + lines.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 4 :]


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (size_of(jpeg(), 65535, 65535), NoMemory, "65535 x 65535 pixels"),
        (size_of(jpeg(), 5697, 100), NoMemory, "5697 x 100 pixels, at most 5696"),
        (size_of(jpeg(), 5000, 65500), NoMemory, "5000 x 65500 pixels"),
        (size_of(jpeg(), 0, 100), DeviceIOError, "0 x 100"),
        (size_of(jpeg(progressive=True), 2000, 5000), NoMemory, "2000 x 5000 .* 8388608"),
        (with_lines(size_of(jpeg(progressive=True), 2000, 0), 0, 5000), NoMemory, "2000 x 5000"),
        (b"\xff\xd8\xff\xd9", DeviceIOError, "before the picture"),
        (jpeg()[:100], DeviceIOError, "before the picture"),
        (b"\xff\xd8\xff\xda\0\x08" + bytes(500), DeviceIOError, "JPEG: "),
    ],
)
def test_jpeg_absurd_heads_are_refused(data: bytes, error: type[SaneError], text: str) -> None:
    with pytest.raises(error, match=text):
        read(data, most_pixels=8 << 20, asked=(400, 400))


def test_jpeg_of_hundreds_of_scans_is_refused() -> None:
    data = jpeg(progressive=True)
    at = data.rindex(b"\xff\xda")
    scan = data[at : at + 14]
    with pytest.raises(DeviceIOError, match="more than 100 scans"):
        read(data[:-2] + scan * 200 + data[-2:])


def test_jpeg_head_without_end_is_refused() -> None:
    with pytest.raises(DeviceIOError, match="no picture within"):
        read(b"\xff\xd8\xff\xe0\0\x04aa" + (b"\xff\xe0\0\x04aa") * (1 << 22), piece=1 << 22)


def test_jpeg_garbage_ends_in_rows_or_an_error() -> None:
    chance = random.Random(9)
    files = [jpeg(picture(lines=40), **options) for options in KINDS.values()]
    files += [with_lines(file, 0, 40) for file in files]
    refused = 0
    for number in range(1500):
        data = bytearray(files[number % len(files)])
        for _ in range(chance.choice((1, 3, 30))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        del data[chance.randrange(len(data)) + 1 :]
        try:
            read(bytes(data), piece=chance.choice((100, 5000)))
        except SaneError:
            refused += 1
    assert refused > 100
