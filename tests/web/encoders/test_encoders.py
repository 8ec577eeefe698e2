"""Pages as files of every format, from rows in pieces of any size."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import pytest
from PIL import Image

from sane.image.rows import HIGH_BYTE
from sane.web.encoders import (
    FORMATS,
    JPEG,
    PDF,
    PNG,
    TIFF,
    available,
    encode,
    encode_sent,
    needs_lines,
)
from sane.web.encoders.form import Form, has_jpeg

WIDTH, LINES, DPI = 77, 90, 150
QUALITY = 95
FORMS = [(channels, depth) for channels in (1, 3) for depth in (1, 8, 16)]


def pieces(data: bytes, seed: int = 1) -> Iterator[bytes]:
    """Yield *data* in pieces of any size."""
    generator = random.Random(seed)
    at = 0
    while at < len(data):
        size = generator.randrange(1, 2000)
        yield data[at : at + size]
        at += size


def made(format: str, form: Form, rows: bytes, *, flushes: bool = False) -> bytes:
    """Return the file."""
    encoder = encode(format, form, QUALITY)
    out = bytearray()
    for piece in pieces(rows):
        out += encoder.feed(piece)
        out += encoder.flush() if flushes else b""
    out += encoder.end()
    for at, data in encoder.corrected():
        out[at : at + len(data)] = data
    return bytes(out)


def rows_of(form: Form, lines: int = LINES) -> bytes:
    """Return soft gradients, which JPEG keeps nearly; bits of any kind."""
    if form.depth == 1:
        generator = random.Random(2)
        return bytes(generator.getrandbits(8) for _ in range(form.row_bytes * lines))
    samples = bytes(
        (2 * x + y + 40 * c) // 2 & 0xFF if form.depth == 8 else (2 * x + y + 40 * c) // 2
        for y in range(lines)
        for x in range(form.width)
        for c in range(form.channels)
    )
    if form.depth == 8:
        return samples
    words = bytearray(2 * len(samples))
    words[HIGH_BYTE::2] = samples
    return bytes(words)


def expected(form: Form, rows: bytes) -> Image.Image:
    """Return the picture of 8 bits that *rows* are."""
    mode = "L" if form.channels == 1 else "RGB"
    size = (form.width, len(rows) // form.row_bytes)
    if form.depth == 16:
        return Image.frombytes(mode, size, rows[HIGH_BYTE::2])
    if form.depth == 8:
        return Image.frombytes(mode, size, rows)
    if form.channels == 1:  # 1 is black
        inverted = bytes(byte ^ 0xFF for byte in rows)
        return Image.frombytes("1", size, inverted).convert("L")
    planes = [rows[plane::3] for plane in range(3)]  # a byte of red, of green, of blue
    return Image.merge("RGB", [Image.frombytes("1", size, p).convert("L") for p in planes])


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return by how much two pictures of the same form differ at most."""
    assert (one.mode, one.size) == (other.mode, other.size)
    pairs = zip(bytes(one.tobytes()), bytes(other.tobytes()), strict=True)
    return max(abs(a - b) for a, b in pairs)


def in_8_bits(image: Image.Image) -> Image.Image:
    """Return a picture with 8 bits a sample."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image.convert("L") if image.mode == "1" else image


@pytest.mark.parametrize(("channels", "depth"), FORMS)
@pytest.mark.parametrize("format", [PNG, TIFF, JPEG])
@pytest.mark.parametrize("flushes", [False, True])
def test_pictures_have_the_rows(format: str, channels: int, depth: int, flushes: bool) -> None:
    if format not in available():
        pytest.skip("this build makes no JPEG")
    form = Form(WIDTH, LINES, channels, depth, DPI, DPI)
    rows = rows_of(form)
    image = Image.open(io.BytesIO(made(format, form, rows, flushes=flushes)))
    assert [round(dots) for dots in image.info["dpi"]] == [DPI, DPI]
    if format == JPEG and depth == 1:
        assert in_8_bits(image).size == (WIDTH, LINES)  # what is left of bits is not exact
        return
    tolerance = 8 if format == JPEG else 0
    assert difference(in_8_bits(image), expected(form, rows)) <= tolerance


@pytest.mark.parametrize(("channels", "depth"), FORMS)
@pytest.mark.parametrize("lines", [LINES, -1])
def test_pdf_has_one_page_of_the_right_size(channels: int, depth: int, lines: int) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    form = Form(WIDTH, lines, channels, depth, DPI, DPI)
    data = made(PDF, form, rows_of(form))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pdf_version == "1.4" and len(pdf.pages) == 1
        box = [float(value) for value in pdf.pages[0].MediaBox]
        assert box == pytest.approx([0, 0, WIDTH / DPI * 72, LINES / DPI * 72], abs=0.001)


def test_strips_are_used_only_where_the_height_is_unknown() -> None:
    known = Form(1000, 2000, 1, 8, DPI, DPI)
    rows = bytes(1000 * 2000)
    assert made(PDF, known, rows).count(b"/Subtype /Image") == 1
    assert made(PDF, known.of_lines(-1), rows).count(b"/Subtype /Image") == 4


@pytest.mark.parametrize(("channels", "depth"), [(1, 1), (1, 8), (3, 8)])
@pytest.mark.parametrize("side", ["lines", "width"])
def test_pdf_takes_pages_that_no_jpeg_holds(channels: int, depth: int, side: str) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    width, lines = (8, 65_600) if side == "lines" else (65_600, 3)
    form = Form(width, lines, channels, depth, DPI, DPI)
    rows = bytes(form.row_bytes * lines)
    with pikepdf.open(io.BytesIO(made(PDF, form, rows))) as pdf:
        box = [float(value) for value in pdf.pages[0].MediaBox]
        images = list(pdf.pages[0].Resources.XObject.values())
        assert box == pytest.approx([0, 0, width / DPI * 72, lines / DPI * 72], abs=0.001)
        assert sum(int(image.Height) for image in images) == lines
        sizes = [len(image.read_bytes()) for image in images if image.Filter == "/FlateDecode"]
    assert sum(sizes) in (0, len(rows))
    assert (len(images) == 1) == (side == "width" or depth == 1 or not has_jpeg())


@pytest.mark.parametrize("format", FORMATS)
def test_missing_rows_are_an_error(format: str) -> None:
    if format not in available() or (format == PDF and not has_jpeg()):
        pytest.skip("this build makes no JPEG")
    form = Form(WIDTH, LINES, 1, 8, DPI, DPI)
    encoder = encode(format, form, QUALITY)
    encoder.feed(bytes(WIDTH * 3))
    with pytest.raises(ValueError):
        encoder.end()


def test_only_the_formats_with_the_height_in_their_heads_need_it() -> None:
    assert [format for format in FORMATS if needs_lines(format)] == [JPEG, PNG]
    with pytest.raises(ValueError, match="no format"):
        encode("image/webp", Form(1, 1, 1, 8, 1, 1), QUALITY)


# The device's own JPEG


def jpeg(lines: int = LINES) -> bytes:
    """Return a JPEG as a device sends it."""
    out = io.BytesIO()
    Image.new("RGB", (WIDTH, lines), (10, 200, 30)).save(out, "JPEG")
    return out.getvalue()


def with_lines_behind(data: bytes, told: int, dnl: bytes) -> bytes:
    """Return a JPEG with *told* lines in its head and *dnl* in front of its end."""
    at = data.index(b"\xff\xc0") + 5
    data = data[:at] + told.to_bytes(2, "big") + data[at + 2 :]
    return data[:-2] + dnl + data[-2:]


def passed(format: str, data: bytes, lines: int) -> tuple[bytes, bool]:
    """Return what a device's JPEG becomes, and whether it had to wait."""
    encoder = encode_sent(format, Form(WIDTH, lines, 3, 8, DPI, DPI))
    assert encoder is not None
    out = bytearray(b"".join(encoder.feed(piece) for piece in pieces(data)) + encoder.end())
    for at, corrected in encoder.corrected():
        out[at : at + len(corrected)] = corrected
    return bytes(out), encoder.waits


def test_a_jpeg_of_the_device_stays_as_it_is() -> None:
    data = jpeg()
    assert passed(JPEG, data, LINES) == (data, False)
    assert passed(JPEG, data, -1) == (data, False)


@pytest.mark.parametrize("told", [0, 65535])
@pytest.mark.parametrize("dnl", [b"\xff\xdc\x00\x04" + LINES.to_bytes(2, "big"), b""])
def test_a_jpeg_gets_its_height_from_its_end(told: int, dnl: bytes) -> None:
    data = with_lines_behind(jpeg(), told, dnl)
    made, waited = passed(JPEG, data, -1 if dnl else LINES)
    assert waited
    assert made == with_lines_behind(jpeg(), LINES, dnl)


def test_a_jpeg_without_any_height_is_an_error() -> None:
    with pytest.raises(ValueError, match="how many lines"):
        passed(JPEG, with_lines_behind(jpeg(), 0, b""), -1)
    with pytest.raises(ValueError, match="no JPEG"):
        passed(JPEG, b"<html>", LINES)


@pytest.mark.parametrize("told", [LINES, 0])
def test_a_pdf_holds_the_devices_jpeg(told: int) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    dnl = b"\xff\xdc\x00\x04" + LINES.to_bytes(2, "big")
    data = with_lines_behind(jpeg(), told, dnl if not told else b"")
    made, waited = passed(PDF, data, -1)
    assert waited == (not told)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        (image,) = pdf.pages[0].Resources.XObject.values()
        assert (int(image.Width), int(image.Height)) == (WIDTH, LINES)
        assert len(image.read_raw_bytes()) == len(data)
    assert encode_sent(PNG, Form(1, 1, 1, 8, 1, 1)) is None
