"""Every form in which the emulated scanners send a page, read as the frame that was asked for."""

from __future__ import annotations

import sys

import pytest

from sane.image import Document, Fitted, readable
from sane.testing.escl import images
from sane.testing.escl.model import BMP, JPEG, PDF, PNG, TIFF
from sane.testing.escl.pixels import FORMS, Window, pattern, rows_of
from sane.testing.escl.raster import Pixels
from tests.image.documents import read_from

WIDTH, LINES = 150, 90
MODES = ("RGB24", "Grayscale8", "BlackAndWhite1", "Grayscale16")
LOSSY = {(TIFF, "jpeg"), (TIFF, "old-jpeg"), (PDF, "jpeg"), (PNG, "palette")}
BYTES_ALONE = {(PNG, form) for form in ("palette", "alpha", "interlaced")}
ODD = {(JPEG, "truncated"), (PDF, "bomb")}  # tested elsewhere


def pixels_of(mode: str, side: int = 0) -> Pixels:
    channels, depth = FORMS[mode]
    window = Window((75, 75), (0, 0, WIDTH, LINES), channels)
    window.side = side
    data = b"".join(rows_of(pattern, window, mode))
    return Pixels(data, WIDTH, LINES, channels, depth, 75)


def expected(pixels: Pixels) -> bytes:
    """Return the samples as SANE has them."""
    if pixels.depth == 1:
        size, unused = pixels.row_bytes, -pixels.width % 8
        data = bytearray(value ^ 255 for value in pixels.data)
        data[size - 1 :: size] = bytes(v >> unused << unused for v in data[size - 1 :: size])
        return bytes(data)
    if pixels.depth == 16 and sys.byteorder == "little":
        data = bytearray(pixels.data)
        data[0::2], data[1::2] = data[1::2], data[0::2]
        return bytes(data)
    return pixels.data


def gray(rgb: bytes) -> bytes:
    """Return the green of each pixel as its gray, which is what the emulated scanner sends."""
    return bytes(value for value in rgb[1::3] for _ in range(3))


def distance(one: bytes, two: bytes) -> float:
    return sum(abs(a - b) for a, b in zip(one, two, strict=True)) / len(two)


ALL = [(mime, form) for mime, forms in images.FORMS.items() for form in forms]
READ = [case for case in ALL if case not in ODD and case[0] in (JPEG, PNG, TIFF, BMP, PDF)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("mime", "form"), READ)
def test_a_page_of_every_form(mime: str, form: str, mode: str) -> None:
    if not readable([mime]):
        pytest.skip(f"{mime} cannot be read here")
    pages = [pixels_of(mode), pixels_of(mode, side=1)]
    data = images.encode(pages, mime, form)
    document = Document(WIDTH, LINES)
    count = 2 if mime in (TIFF, PDF) else 1
    for number, pixels in enumerate(pages[:count]):
        assert number == 0 or document.next_picture()
        size = WIDTH, LINES
        fitted = Fitted(document, *size, pixels.channels, pixels.depth, sent=size)
        rows = read_from(fitted, document, data if not number else b"", 1000)
        due = expected(pixels)
        assert not document.is_cut
        if form == "gray" and pixels.channels == 3:
            due = gray(due)
        is_exact = mime != JPEG and (mime, form) not in LOSSY
        if pixels.depth == 16 and (mime == BMP or (mime, form) in BYTES_ALONE or not is_exact):
            high = 1 if sys.byteorder == "little" else 0
            assert distance(rows[high::2], due[high::2]) < 8
        elif is_exact:
            assert rows == due
        else:
            assert distance(rows, due) < (30 if form == "palette" else 8)
    assert not document.next_picture()
