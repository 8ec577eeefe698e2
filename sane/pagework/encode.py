"""A page as the bytes of a file: JPEG, PNG, TIFF of G4, WebP, PNM; the device's own JPEG as it is.

It makes one picture of one page and touches no file system. What several pages make is pdf.py's
and writers.py's. Source: specification python-api-and-cli 12.3.
"""

from __future__ import annotations

from ..image.formats import encoder
from .libraries import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .sheet import Sheet

PIECE_BYTES = 1 << 20  # of rows that are given to an encoder at a time
QUALITY = 75
# Levels of zlib: of what is written once more, and of what stays. A page of print in colour has
# 7.0 MB at level 3 and 7.5 at 6, which takes three times as long; a photograph is the same at both.
FAST, SMALL = 1, 3
ENDINGS = {"jpeg": "jpg", "png": "png", "g4": "tif", "tiff": "tif", "webp": "webp", "pnm": "pnm"}
JPEG = "image/jpeg"
ONE_STRIP = (1 << 31) - 1  # bytes: all of a picture

# Markers of JPEG: those without a length, and those of a frame's head. Source: ITU-T T.81, B.1.1.
ALONE = (0x01, *range(0xD0, 0xD9))
FRAMES = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))


class Picture:
    """A page as bytes: kind is a key of ENDINGS; depth is that of the picture."""

    __slots__ = ("channels", "data", "depth", "dpi", "height", "kind", "width")

    def __init__(self, kind: str, data: bytes, sheet: Sheet, depth: int) -> None:
        self.kind = kind
        self.data = data
        self.width, self.height = sheet.width, sheet.height
        self.channels = 3 if sheet.mode == "color" else 1
        self.depth = depth
        self.dpi = sheet.dots


def picture_of(
    sheet: Sheet, format: str, *, quality: int = QUALITY, lossless: bool = False
) -> Picture:
    """Return *sheet* as the picture that a file of *format* is made of.

    format: "pdf", "tiff", "png", "jpeg", "webp", "pnm", or "" for what keeps all and is written
    fast. A JPEG of the device's is taken as it is wherever its pixels would do. Raises
    PageWorkError without the library.
    """
    sent = sheet.encoded.get(JPEG)
    if sent is not None and format in ("pdf", "jpeg", "") and is_the_page(sent, sheet):
        return Picture("jpeg", sent, sheet, 8)
    if format == "jpeg" or (format == "pdf" and not lossless and sheet.mode != "lineart"):
        return Picture("jpeg", _jpeg(sheet, quality), sheet, 8)
    return _other_picture(sheet, format, quality, lossless)


def _other_picture(sheet: Sheet, format: str, quality: int, lossless: bool) -> Picture:
    """Return *sheet* as a picture that is no JPEG."""
    if format == "webp":
        return Picture("webp", _webp(sheet, quality, lossless), sheet, 8)
    if format in ("pdf", "tiff") and sheet.mode == "lineart":
        return Picture("g4", _g4(sheet), sheet, 1)
    if format == "tiff":
        return Picture("tiff", _tiff(sheet), sheet, sheet.depth if sheet.mode == "gray" else 8)
    if format == "pnm":
        return Picture("pnm", _encoded(sheet, "pnm"), sheet, sheet.depth)
    level = SMALL if format == "png" else FAST
    data = _encoded(sheet, "png", level=level, dpi=sheet.dots[0])
    return Picture("png", data, sheet, sheet.depth)


def _encoded(sheet: Sheet, format: str, **options: Any) -> bytes:
    """Return the page by an encoder of ours."""
    channels = 3 if sheet.mode == "color" else 1
    maker = encoder(format)(sheet.width, sheet.height, channels, sheet.depth, **options)
    rows = sheet.rows()
    parts = [maker.feed(rows[at : at + PIECE_BYTES]) for at in range(0, len(rows), PIECE_BYTES)]
    return b"".join([*parts, maker.end()])


def _jpeg(sheet: Sheet, quality: int) -> bytes:
    """Return the page as JPEG: by our own encoder, by Pillow where that is not compiled."""
    try:
        return _encoded(sheet, "jpeg", quality=quality, dpi=sheet.dots[0])
    except ImportError:
        return _saved(image_of(sheet), "JPEG", quality=quality, dpi=sheet.dots)


def _webp(sheet: Sheet, quality: int, lossless: bool) -> bytes:
    return _saved(image_of(sheet), "WEBP", quality=quality, lossless=lossless)


def _g4(sheet: Sheet) -> bytes:
    """Return line art as a TIFF of one strip, compressed by ITU-T T.6."""
    image = require("PIL.Image", "PDF and TIFF of line art")
    bits = bytes(sheet.rows()).translate(bytes(range(255, -1, -1)))  # in Pillow 1 is white
    picture = image.frombytes("1", (sheet.width, sheet.height), bits)
    return _saved(picture, "TIFF", compression="group4", dpi=sheet.dots, strip_size=ONE_STRIP)


def _tiff(sheet: Sheet) -> bytes:
    """Return a TIFF compressed by Deflate; colour of 16 bits, which Pillow lacks, becomes 8."""
    image = require("PIL.Image", "TIFF output")
    is_deep = sheet.depth == 16 and sheet.mode == "gray"
    picture = image.fromarray(sheet.array) if is_deep else image_of(sheet)
    return _saved(picture, "TIFF", compression="tiff_adobe_deflate", dpi=sheet.dots)


def image_of(sheet: Sheet) -> Any:
    """Return the page as Pillow's image of 8 bits a sample."""
    image = require("PIL.Image", "this format")
    array = sheet.array
    if array.itemsize == 2:
        array = (array >> 8).astype("uint8")
    return image.fromarray(array)


def _saved(image: Any, format: str, **options: Any) -> bytes:
    from io import BytesIO

    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def is_the_page(jpeg: bytes, sheet: Sheet) -> bool:
    """Tell whether a device's JPEG has the size and the colours of the page."""
    channels = 3 if sheet.mode == "color" else 1
    return jpeg_form(jpeg) == (sheet.width, sheet.height, channels)


def jpeg_form(data: bytes) -> tuple[int, int, int] | None:
    """Return width, height and channels by a JPEG's head; None if it has none or is of 12 bits."""
    at = 2
    if data[:2] != b"\xff\xd8":
        return None
    while at + 9 < len(data) and data[at] == 0xFF:
        code = data[at + 1]
        if code == 0xFF or code in ALONE:
            at += 1 if code == 0xFF else 2
        elif code in FRAMES:
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            width = int.from_bytes(data[at + 7 : at + 9], "big")
            return (width, height, data[at + 9]) if data[at + 4] == 8 else None
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
