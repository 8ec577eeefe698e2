"""JPEG files of an emulated eSCL scanner, whole, odd and broken.

Source: ITU-T T.81; specification escl, sections 4.3 and 8.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..esci2 import turbojpeg

if TYPE_CHECKING:
    from .raster import Pixels

FORMS = (
    "gray",  # though colour was asked for
    "color",  # though gray was asked for
    "cmyk",  # Adobe's: inverted
    "progressive",
    "truncated",  # half of it
    "dnl-0",  # the number of lines stands behind the scan, 0 in the head
    "dnl-65535",
    "garbage",  # behind the end
    "no-end",  # EOI is missing
    "444",  # colour is not reduced
    "422",
)
SOF = b"\xff\xc0\x00"  # baseline; its length is less than 256
EOI = b"\xff\xd9"


def encode(pixels: Pixels, form: str = "", quality: int = 90) -> bytes:
    """Return *pixels*, 8 bits a sample, as a JPEG in one of FORMS, or "" for the usual one."""
    data, channels = pixels.data, pixels.channels
    if form == "gray" and channels == 3:
        data, channels = data[1::3], 1
    elif form in ("color", "cmyk") and channels == 1:
        data, channels = _spread(data, 3), 3
    if form == "cmyk":
        data = _ink(data)
    sampling = form if form in ("444", "422") else "420"
    width, lines = pixels.width, pixels.lines
    made = turbojpeg.compress(
        data, width, lines, quality, sampling, is_progressive=form == "progressive"
    )
    made = _with_density(made, pixels.dpi)
    if form == "truncated":
        return made[: len(made) // 2]
    if form == "garbage":
        return made + b"\xff\xff" + bytes(range(256))
    if form == "no-end":
        return made[: -len(EOI)]
    return _with_dnl(made, int(form[4:])) if form.startswith("dnl-") else made


def _spread(data: bytes, count: int) -> bytes:
    out = bytearray(len(data) * count)
    for channel in range(count):
        out[channel::count] = data
    return bytes(out)


def _ink(rgb: bytes) -> bytes:
    """Return RGB as CMYK without black, inverted as Adobe does: the same samples and 255."""
    out = bytearray(b"\xff" * (len(rgb) // 3 * 4))
    for channel in range(3):
        out[channel::4] = rgb[channel::3]
    return bytes(out)


def _with_density(data: bytes, dpi: int) -> bytes:
    """Write the resolution into the JFIF head, if there is one."""
    if data[6:11] != b"JFIF\0":
        return data
    both = dpi.to_bytes(2, "big") * 2
    return data[:13] + b"\1" + both + data[18:]


def _with_dnl(data: bytes, told: int) -> bytes:
    """Tell *told* as number of lines in the head, and the true one in a DNL behind the scan."""
    at = data.index(SOF)
    height = data[at + 5 : at + 7]
    head = data[: at + 5] + told.to_bytes(2, "big")
    return head + data[at + 7 : -len(EOI)] + b"\xff\xdc\x00\x04" + height + EOI
