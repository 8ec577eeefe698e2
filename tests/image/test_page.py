"""Pages: one side of a sheet, raw or JPEG, promised or real size, turned or not."""

from __future__ import annotations

import pytest

from sane import errors
from sane.image.layout import Layout
from sane.image.page import JpegPage, Page, RawPage


def take(page: Page, room: int = 1000) -> bytes:
    view, out = memoryview(bytearray(room)), b""
    while n := page.take(view):
        out += view[:n]
    return out


def raw(width: int = 8, lines: int = 3, depth: int = 8, *, fits: bool = False) -> RawPage:
    return RawPage(Layout(width, 1, depth, invert=depth == 1), lines, fits=fits)


@pytest.mark.parametrize("room", [1, 5, 100])
@pytest.mark.parametrize("pieces", [1, 3, 100])
def test_padding_is_dropped_wherever_the_pieces_end(room: int, pieces: int) -> None:
    page = raw()
    page.begin(8, 2)
    data = bytes(range(30))
    out = b""
    page.announce(30)
    for at in range(0, 30, pieces):
        page.feed(memoryview(data[at : at + pieces]))
        out += take(page, room)
    assert out == data[0:8] + data[10:18] + data[20:28]


@pytest.mark.parametrize(("depth", "missing"), [(8, b"\xff" * 12), (1, b"\x00" * 2)])
def test_missing_lines_are_white(depth: int, missing: bytes) -> None:
    page = raw(depth=depth)
    first = b"\x0f" if depth == 1 else b"\x0f" * 12
    page.feed(memoryview(first))
    assert not page.take(memoryview(bytearray(0)))
    page.end(8, 1)
    assert take(page, 5) == (b"\xf0" if depth == 1 else first) + missing


def test_more_data_than_the_page_has() -> None:
    page = raw()
    page.begin(8, 1)
    page.announce(27)
    with pytest.raises(errors.DeviceIOError, match="1 bytes more than the page has"):
        page.announce(1)


@pytest.mark.parametrize(("width", "padding"), [(8, -1), (8, 99999), (-8, 0), (70000, 0)])
def test_absurd_starts_of_pages(width: int, padding: int) -> None:
    with pytest.raises(errors.DeviceIOError):
        raw().begin(width, padding)


def test_a_page_that_begins_twice() -> None:
    page = raw()
    page.begin(8, 0)
    page.announce(3)
    with pytest.raises(errors.DeviceIOError, match="began again"):
        page.begin(8, 1)


def test_a_page_that_fits_has_the_size_of_its_end() -> None:
    page = raw(16, 5, fits=True)
    page.begin(8, 1)
    page.feed(memoryview(bytes(range(18))))
    assert not page.take(memoryview(bytearray(99)))
    page.end(6, 2)
    assert (page.width_px, page.lines) == (6, 2)
    assert take(page) == bytes(range(6)) + bytes(range(9, 15))


@pytest.mark.parametrize("size", [(0, 2), (8, 0), (8, 99), (99999, 2)])
def test_absurd_ends_of_pages(size: tuple[int, int]) -> None:
    with pytest.raises(errors.DeviceIOError, match="a page of"):
        raw(fits=True).end(*size)


@pytest.mark.parametrize(
    ("channels", "depth", "data", "expected"),
    [
        (1, 8, bytes(range(16)), bytes(range(15, -1, -1))),
        (3, 8, bytes(range(48)), None),
        (1, 1, b"\x01\x80", b"\xfe\x7f"),
    ],
)
def test_a_turned_page(channels: int, depth: int, data: bytes, expected: bytes | None) -> None:
    page = RawPage(Layout(8, channels, depth, invert=depth == 1), 2)
    page.is_turned = True
    page.feed(memoryview(data))
    assert take(page) == b"", "nothing is known before the end"
    page.end(8, 2)
    pixels = [data[at : at + 3] for at in range(0, 48, 3)][::-1]
    assert take(page, 7) == (b"".join(pixels) if expected is None else expected)


def test_a_jpeg_that_never_ends() -> None:
    page = JpegPage(Layout(8), 2, waits=True)
    with pytest.raises(errors.DeviceIOError, match="a JPEG of"):
        for _ in range(100):
            page.announce(100_000)
