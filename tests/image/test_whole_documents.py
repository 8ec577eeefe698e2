"""TIFF, BMP and PDF of devices: every kind by what Pillow and pikepdf can make."""

from __future__ import annotations

import io
import random
import struct
from typing import Any

import pytest

from sane.errors import DeviceIOError, NoMemory, SaneError, Unsupported
from tests.image.documents import LINES, ONE, WIDTH, file_of, flate, image_of, pdf, picture, read

Image = pytest.importorskip("PIL.Image", reason="Pillow is not there")


def art(image: Any) -> bytes:
    """Return line art as SANE has it."""
    size = (image.width + 7) // 8
    out = bytearray(value ^ 255 for value in image.tobytes())
    mask = 256 - (1 << -image.width % 8)
    out[size - 1 :: size] = bytes(value & mask for value in out[size - 1 :: size])
    return bytes(out)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        *((mode, {}) for mode in ("1", "L", "RGB", "P", "I;16")),
        *(("RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_deflate", "packbits")),
        *(("1", {"compression": name}) for name in ("group3", "group4", "tiff_ccitt")),
        ("L", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_tiff_every_kind_comes_as_it_is(mode: str, options: Any) -> None:
    image = picture(mode)
    rows, document = read(file_of(image, "TIFF", **options), piece=100, room=50)
    assert (document.kind, document.width, document.lines) == ("image/tiff", WIDTH, LINES)
    assert document.depth == {"1": 1, "I;16": 16}.get(mode, 8)
    if mode == "1":
        assert rows == art(image)
    elif mode == "I;16":
        assert struct.unpack(f"={len(rows) // 2}H", rows) == struct.unpack(
            f"<{len(rows) // 2}H", image.tobytes()
        )
    else:
        assert rows == image.convert("L" if mode == "L" else "RGB").tobytes()


def test_tiff_of_jpeg_comes_as_pillow_reads_it() -> None:
    data = file_of(picture(), "TIFF", compression="jpeg")
    assert read(data)[0] == Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation_is_ignored(orientation: int, big: bool) -> None:
    data = file_of(picture(), "TIFF", tiffinfo={274: orientation}, big_tiff=big)
    rows, document = read(data)
    assert (document.width, document.lines) == (WIDTH, LINES)
    assert rows == picture().tobytes()


def test_tiff_pictures_come_one_after_the_other() -> None:
    images = [picture(), picture("L", 10, 12), picture("1", 9, 3)]
    data = file_of(images[0], "TIFF", save_all=True, append_images=images[1:])
    rows, document = read(data)
    assert rows == images[0].tobytes()
    for image in images[1:]:
        assert document.next_picture()
        assert document.prepare()
        assert (document.width, document.lines, document.taken) == (*image.size, 0)
        view = memoryview(bytearray(1 << 12))
        rows = bytes(view[: document.read_into(view)])
        assert rows == (art(image) if image.mode == "1" else image.tobytes())
        assert document.is_done
    assert not document.next_picture()


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "RGBA"])
def test_bmp_every_kind_comes_as_it_is(mode: str) -> None:
    image = picture(mode)
    rows, document = read(file_of(image, "BMP"), piece=500)
    assert document.kind == "image/bmp"
    assert rows == (art(image) if mode == "1" else image.convert(
        "L" if mode == "L" else "RGB").tobytes())  # fmt: skip


def test_bmp_top_down_comes_in_its_order() -> None:
    pixels = picture()
    stride = (3 * WIDTH + 3) // 4 * 4
    body = b"".join(
        b"".join(
            bytes(reversed(pixels.getpixel((x, y)))) for x in range(WIDTH)
        ).ljust(stride, b"\0")
        for y in range(LINES)
    )  # fmt: skip
    head = struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, WIDTH, -LINES, 1, 24, 0, len(body), 0, 0, 0, 0)
    assert read(head + body)[0] == pixels.tobytes()


def tiff_head(width: int, lines: int, bits: int = 8) -> bytes:
    entries = [(256, 4, width), (257, 4, lines), (258, 3, bits), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, 8), (278, 4, lines), (279, 4, 100)]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (tiff_head(65535, 65535), NoMemory, "TIFF: 65535 x 65535"),
        (tiff_head(5000, 5000), NoMemory, "TIFF: 5000 x 5000"),
        (b"II*\0" + bytes(100), DeviceIOError, "TIFF: "),
        (b"BM" + bytes(100), DeviceIOError, "BMP: "),
        (file_of(picture(), "BMP")[:54], DeviceIOError, "BMP: it ends before the first row"),
        (file_of(picture(), "TIFF", compression="tiff_lzw")[:100], DeviceIOError, "TIFF: "),
        (b"%PDF-1.4 nothing", DeviceIOError, "PDF: "),
    ],
)
def test_whole_documents_absurd_or_cut_off_are_refused(
    data: bytes, error: type[SaneError], text: str
) -> None:
    if data.startswith(b"%PDF"):
        pytest.importorskip("pikepdf")
    with pytest.raises(error, match=text):
        read(data)


def test_bmp_that_is_cut_off_keeps_the_rows_that_came() -> None:
    data, row = file_of(picture(), "BMP"), 3 * WIDTH
    stride = (row + 3) // 4 * 4
    rows, document = read(data[: -10 * stride])  # the rows come from below
    assert document.is_cut
    assert rows[: 10 * row] == b"\xff" * (10 * row)
    assert rows[10 * row :] == picture().tobytes()[10 * row :]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_tiff_that_is_cut_off_keeps_the_rows_that_came(mode: str) -> None:
    data, row = file_of(picture(mode), "TIFF"), len(mode) * WIDTH  # its directory comes first
    rows, document = read(data[: -10 * row])
    assert document.is_cut
    assert rows == picture(mode).tobytes()[: -10 * row] + b"\xff" * (10 * row)


def test_whole_documents_beyond_the_limit_are_not_kept() -> None:
    with pytest.raises(NoMemory, match="TIFF: more than"):
        read(b"II*\0" + bytes(200 << 20), asked=(10, 10), piece=1 << 20)


# PDF


def test_pdf_of_jpeg() -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    data = file_of(picture(), "JPEG")
    rows, document = read(pdf((ONE, [(data, image_of(Filter=pikepdf.Name.DCTDecode))])))
    assert (document.kind, document.width, document.lines) == ("application/pdf", WIDTH, LINES)
    assert rows == Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("options", [{}, {"object_streams": "generate"}])
def test_pdf_of_deflated_pixels(options: Any) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    if options:
        options = {"object_stream_mode": pikepdf.ObjectStreamMode.generate}
    data = pdf(
        (ONE, [flate(picture().tobytes())]),
        (ONE, [flate(picture("L").tobytes(), colors="/DeviceGray")]),
        (ONE, [flate(picture("1").tobytes(), colors="/DeviceGray", bits=1)]),
        (ONE, [(picture().tobytes(), image_of())]),
        **options,
    )
    rows, document = read(data, piece=300)
    assert rows == picture().tobytes()
    for due in (picture("L").tobytes(), art(picture("1")), picture().tobytes()):
        assert document.next_picture()
        view = memoryview(bytearray(1 << 14))
        assert bytes(view[: document.read_into(view)]) == due
    assert not document.next_picture()


def test_pdf_of_16_bits() -> None:
    words = struct.pack(f">{WIDTH * LINES}H", *range(WIDTH * LINES))
    rows, document = read(pdf((ONE, [flate(words, colors="/DeviceGray", bits=16)])))
    assert document.depth == 16
    assert struct.unpack(f"={WIDTH * LINES}H", rows) == tuple(range(WIDTH * LINES))


@pytest.mark.parametrize("predictor", [2, 10, 15])
def test_pdf_with_predictors(predictor: int) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    pixels, size = picture().tobytes(), 3 * WIDTH
    out = b""
    for at in range(0, len(pixels), size):
        row = pixels[at : at + size]
        left = bytes(3) + row
        out += (b"" if predictor == 2 else b"\1") + bytes(
            (a - b) & 255 for a, b in zip(row, left, strict=False)
        )
    form = pikepdf.Dictionary(Predictor=predictor, Colors=3, Columns=WIDTH)
    assert read(pdf((ONE, [flate(out, DecodeParms=form)])))[0] == pixels


def test_pdf_with_a_palette() -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    space = pikepdf.Array([pikepdf.Name.Indexed, pikepdf.Name.DeviceRGB, 1,
                           pikepdf.String(b"\1\2\3\4\5\6")])  # fmt: skip
    bits = picture("1")
    rows, _ = read(pdf((ONE, [flate(bits.tobytes(), bits=1, ColorSpace=space)])))
    due = b"".join(b"\4\5\6" if value else b"\1\2\3" for value in bits.convert("L").tobytes())
    assert rows == due


def test_pdf_of_inverted_pixels() -> None:
    more = {"colors": "/DeviceGray", "Decode": [1, 0]}
    rows, _ = read(pdf((ONE, [flate(picture("L").tobytes(), **more)])))
    assert rows == bytes(255 - value for value in picture("L").tobytes())


@pytest.mark.parametrize("black_is_1", [False, True])
def test_pdf_of_fax(black_is_1: bool) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="pikepdf is not there")
    from PIL import ImageChops

    tiff = file_of(picture("1"), "TIFF", compression="group4")
    image = Image.open(io.BytesIO(tiff))
    assert image.tag_v2[262] == 1  # what a fax calls white is 0, and that black
    at, size = image.tag_v2[273][0], image.tag_v2[279][0]
    form = pikepdf.Dictionary(K=-1, Columns=WIDTH, Rows=LINES, BlackIs1=black_is_1)
    more = {"Filter": pikepdf.Name.CCITTFaxDecode, "DecodeParms": form}
    data = pdf((ONE, [(tiff[at : at + size], image_of("/DeviceGray", 1, **more))]))
    rows, _ = read(data)
    assert rows == art(picture("1") if black_is_1 else ImageChops.invert(picture("1")))


def test_pdf_strips_are_joined_from_top_to_bottom() -> None:
    pixels, size = picture().tobytes(), 3 * WIDTH
    strips = [flate(pixels[size * at : size * (at + 10)], size=(WIDTH, len(range(at, min(LINES,
              at + 10))))) for at in (20, 0, 10)]  # fmt: skip
    content = b"".join(
        b"q 100 0 0 30 0 %d cm /Im%d Do Q " % (place, n) for n, place in enumerate((0, 70, 40))
    )
    assert read(pdf((content, strips)))[0] == pixels


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"0 0 10 10 re f", "operator f"),
        (b"BT /F 10 Tf (text) Tj ET " + ONE, "operator Tj"),
        (b"", "a page of 0 images"),
        (b"q 0 100 100 0 0 0 cm /Im0 Do Q", "turned"),
        (b"/Im7 Do", "Im7, which is no image"),
        (ONE * 2000, "more than scanned images|images"),
        (b"BI /W 1 /H 1 /BPC 8 /CS /G ID x EI", "operator"),
    ],
)
def test_pdf_that_is_no_scan_is_unsupported(content: bytes, text: str) -> None:
    with pytest.raises(Unsupported, match=text):
        read(pdf((content, [flate(picture().tobytes())])))


def test_pdf_invisible_text_is_no_matter() -> None:
    content = b"BT 3 Tr /F 10 Tf (text) Tj ET " + ONE
    assert read(pdf((content, [flate(picture().tobytes())])))[0] == picture().tobytes()


def test_pdf_sizes_meet_the_limits() -> None:
    with pytest.raises(NoMemory, match="PDF: 65535 x 65535"):
        read(pdf((ONE, [flate(b"", size=(65535, 65535))])))
    with pytest.raises(DeviceIOError, match="Width of 70000"):
        read(pdf((ONE, [flate(b"", size=(70000, 1))])))
    rows, _ = read(pdf((ONE, [flate(bytes(50 << 20))])))  # more than it has
    assert rows == bytes(3 * WIDTH * LINES)


def test_whole_documents_garbage_ends_in_rows_or_an_error() -> None:
    pytest.importorskip("pikepdf", reason="pikepdf is not there")
    chance = random.Random(3)
    files = [file_of(picture("1"), "TIFF", compression="group4"), file_of(picture(), "BMP")]
    files += [file_of(picture(), "TIFF", compression="tiff_lzw"), file_of(picture("P"), "TIFF")]
    files += [pdf((ONE, [flate(picture().tobytes())]))]
    for number in range(400):
        data = bytearray(files[number % len(files)])
        for _ in range(chance.choice((1, 3, 30))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        del data[chance.randrange(len(data)) + 1 :]
        try:
            read(bytes(data))
        except SaneError:
            continue
