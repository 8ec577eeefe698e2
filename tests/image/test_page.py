"""Pages: one side of a sheet, raw or JPEG, promised or real size, turned or not."""

from __future__ import annotations

import sys
from itertools import chain
from typing import Any

import pytest

from sane import errors
from sane.image.layout import Layout
from sane.image.page import JpegPage, Page, RawPage, turned
from sane.testing.esci2 import turbojpeg

from .devices import frame, picture


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


def test_a_build_without_libjpeg_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sane.image.jpeg", None)
    with pytest.raises(errors.Unsupported, match="reads no JPEG"):
        jpeg_page(Layout(8, 1), b"\xff\xd8")


def test_a_jpeg_that_never_ends() -> None:
    page = JpegPage(Layout(8), 2, waits=True)
    with pytest.raises(errors.DeviceIOError, match="a JPEG of"):
        for _ in range(100):
            page.announce(100_000)


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("width", [1, 5, 8, 13])
def test_the_last_pixel_of_a_turned_image_is_its_first(
    width: int, channels: int, depth: int
) -> None:
    if depth == 1 and channels == 3:
        pytest.skip("no device sends colour of one bit")
    rows = picture(width, 3, channels, depth)
    pixels = [row[at : at + channels] for row in rows for at in range(0, len(row), channels)][::-1]
    back = [[*chain(*pixels[at : at + width])] for at in range(0, len(pixels), width)]
    image = bytearray(frame(rows, depth))
    layout = Layout(width, channels, depth)
    turned(image, layout)
    assert image == frame(back, depth)
    with pytest.raises(ValueError, match="no whole rows"):
        turned(bytearray(1), Layout(9, 1, 16))


def test_bytes_that_pass_by() -> None:
    page = raw(4, 2)
    page.begin(4, 0)
    page.announce(8)
    assert page.is_direct
    page.passed(3)
    page.feed(memoryview(b"d"))
    assert not page.is_direct
    assert take(page) == b"d"
    page.passed(2)
    assert (page.taken, page.left) == (6, 2)
    with pytest.raises(ValueError, match="3 bytes may not pass by"):
        page.passed(3)
    page.end(4, 2)
    assert not page.is_direct
    assert take(page) == b"\xff\xff"


@pytest.mark.parametrize("habit", ["padding", "fits", "turned", "line art"])
def test_bytes_that_may_not_pass_by(habit: str) -> None:
    page = raw(8, 2, 1 if habit == "line art" else 8, fits=habit == "fits")
    page.is_turned = habit == "turned"
    page.begin(8, int(habit == "padding"))
    assert not page.is_direct


def test_the_lines_of_a_page_may_have_any_layout() -> None:
    page = RawPage(Layout(2, 3, plane_lines=1, colors="BGR", padding=1), 2)
    page.announce(9)
    page.feed(memoryview(b"bB.gG.rR."))
    page.end(0, 0)
    assert take(page) == b"rgbRGB" + b"\xff" * 6


# JPEG

WIDTH, HEIGHT = 24, 16


def jpeg_of(channels: int) -> bytes:
    """Return a JPEG whose left half is black and whose right half is white."""
    if not turbojpeg.is_there():
        pytest.skip("peer absent: libturbojpeg0")
    pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
    row = bytes(channels * WIDTH // 2) + b"\xff" * (channels * WIDTH // 2)
    return turbojpeg.compress(row * HEIGHT, WIDTH, HEIGHT, 100, "444")


def jpeg_page(layout: Layout, data: bytes, lines: int = HEIGHT, **form: Any) -> bytes:
    """Return the image of a page that is *data*."""
    page = JpegPage(layout, lines, **form)
    page.announce(len(data))
    for at in range(0, len(data), 100):
        page.feed(memoryview(data[at : at + 100]))
    page.end(layout.width_px, lines)
    return take(page, 7)


@pytest.mark.parametrize("wanted", [1, 3])
@pytest.mark.parametrize("sent", [1, 3])
@pytest.mark.parametrize("width", [WIDTH, WIDTH - 5, WIDTH + 5])
@pytest.mark.parametrize("lines", [HEIGHT, HEIGHT - 3, HEIGHT + 3])
def test_a_jpeg_of_another_form_is_made_to_fit(
    sent: int, wanted: int, width: int, lines: int
) -> None:
    image = jpeg_page(Layout(width, wanted), jpeg_of(sent), lines)
    row = b"\0" * (wanted * WIDTH // 2) + b"\xff" * (wanted * (width - WIDTH // 2))
    expected = row * min(lines, HEIGHT) + b"\xff" * (len(row) * (lines - HEIGHT))
    assert len(image) == len(expected)
    assert max(abs(one - two) for one, two in zip(image, expected, strict=True)) < 12


@pytest.mark.parametrize(("width", "row"), [(24, "fff000"), (20, "fff000"), (29, "fff00000")])
def test_a_jpeg_becomes_line_art(width: int, row: str) -> None:
    image = jpeg_page(Layout(width, 1, 1), jpeg_of(1))
    assert image == bytes.fromhex(row) * HEIGHT


@pytest.mark.parametrize(("width", "channels"), [(WIDTH + 1, 3), (WIDTH, 1)])
def test_a_jpeg_that_must_be_exact(width: int, channels: int) -> None:
    data = jpeg_of(3)
    with pytest.raises(errors.DeviceIOError, match=f"{width} in {channels} are due"):
        jpeg_page(Layout(width, channels), data, is_exact=True)


@pytest.mark.parametrize("depth", [1, 8])
def test_a_jpeg_that_is_none(depth: int) -> None:
    pytest.importorskip("sane.image.jpeg", reason="this tree is not compiled")
    for data in (b"garbage", b"\xff\xd8"):
        with pytest.raises(errors.DeviceIOError, match="JPEG"):
            jpeg_page(Layout(8, 1, depth), data)


def test_a_jpeg_of_16_bits() -> None:
    with pytest.raises(ValueError, match="no samples of 16 bits"):
        JpegPage(Layout(8, 1, 16), 2)
