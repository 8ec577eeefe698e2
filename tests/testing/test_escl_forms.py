"""The forms in which the emulated eSCL scanner sends its images."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from sane.testing.esci2 import turbojpeg
from sane.testing.escl import (
    images,
    model,
    pixels,
)
from sane.testing.escl.raster import Pixels
from tests.conftest import ABSENT


def decoded(data: bytes, folder: Path, colors: str, depth: int = 8) -> bytes:
    """Return the samples that ImageMagick reads, words with their high bytes first."""
    if shutil.which("convert") is None:
        pytest.skip(f"{ABSENT}imagemagick")
    (folder / "image").write_bytes(data)
    command = ["convert", str(folder / "image"), "-alpha", "off"]
    command += ["-depth", str(depth), "-endian", "MSB", f"{colors}:-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def sample(mode: str) -> Pixels:
    width, lines = 83, 71
    data = pixels.reference(mode, 75, (0, 0, width, lines))
    return Pixels(data, width, lines, *pixels.FORMS[mode], 75)


LOSSLESS = [
    (mime, form, mode)
    for mime in (model.PNG, model.TIFF, model.BMP)
    for form in images.FORMS[mime]
    for mode in ("Grayscale8", "RGB24", "BlackAndWhite1", "Grayscale16", "RGB48")
    if form not in ("jpeg", "old-jpeg", "palette") and (form != "tiled" or mode != "BlackAndWhite1")
]


@pytest.mark.parametrize(("mime", "form", "mode"), LOSSLESS)
def test_lossless_images_hold_the_pixels(mime: str, form: str, mode: str, tmp_path: Path) -> None:
    pixels = sample(mode)
    if pixels.depth == 1 or mime == model.BMP or form in ("alpha", "interlaced"):
        pixels = pixels.of_bytes()
    colors = "rgb" if pixels.channels == 3 else "gray"
    data = images.encode([sample(mode)], mime, form)
    assert decoded(data, tmp_path, colors, pixels.depth) == pixels.data


@pytest.mark.parametrize("form", images.FORMS[model.JPEG])
@pytest.mark.parametrize("mode", ["Grayscale8", "RGB24"])
def test_jpeg_in_every_form(form: str, mode: str, tmp_path: Path) -> None:
    if not turbojpeg.is_there():
        pytest.skip(f"{ABSENT}libturbojpeg0")
    data = images.encode([sample(mode)], model.JPEG, form)
    at = next(data.index(mark) for mark in (b"\xff\xc0\x00", b"\xff\xc2\x00") if mark in data)
    height, channels = int.from_bytes(data[at + 5 : at + 7], "big"), data[at + 9]
    assert (data[at + 1] == 0xC2) is (form == "progressive")
    assert height == {"dnl-0": 0, "dnl-65535": 65535}.get(form, 71)
    assert (b"\xff\xdc\x00\x04\x00\x47\xff\xd9" in data) is form.startswith("dnl")
    expected = {"gray": 1, "color": 3, "cmyk": 4}.get(form, 1 if mode == "Grayscale8" else 3)
    assert channels == expected
    assert data.endswith(b"\xff\xd9") is (form not in ("truncated", "garbage", "no-end"))
    if form in ("", "progressive", "444", "422", "color", "gray"):
        assert len(decoded(data, tmp_path, "gray")) == 83 * 71


def test_tiff_with_jpeg_in_it(tmp_path: Path) -> None:
    if not turbojpeg.is_there():
        pytest.skip(f"{ABSENT}libturbojpeg0")
    picture = images.encode([sample("RGB24")], model.JPEG)
    plain = decoded(picture, tmp_path, "rgb")
    assert decoded(images.encode([sample("RGB24")], model.TIFF, "jpeg"), tmp_path, "rgb") == plain
    old = images.encode([sample("RGB24")], model.TIFF, "old-jpeg")  # few programs read it
    assert old[8 : 8 + len(picture)] == picture
    assert struct.pack("<HHIHHHHI", 259, 3, 1, 6, 0, 262, 3, 1) in old
    assert struct.pack("<HHIIHHII", 513, 4, 1, 8, 514, 4, 1, len(picture)) in old


@pytest.mark.parametrize("mode", ["BlackAndWhite1", "RGB24"])
def test_tiff_of_several_pages(mode: str, tmp_path: Path) -> None:
    pages = [sample(mode), sample(mode).top(9, 40)]
    data = images.encode(pages, model.TIFF)
    assert decoded(data, tmp_path, "rgb") == b"".join(
        decoded(images.encode([page], model.TIFF), tmp_path, "rgb") for page in pages
    )


@pytest.mark.parametrize("form", images.FORMS[model.PDF])
def test_pdf_has_its_pages(form: str) -> None:
    if form == "jpeg" and not turbojpeg.is_there():
        pytest.skip(f"{ABSENT}libturbojpeg0")
    data = images.encode([sample("RGB24"), sample("BlackAndWhite1")], model.PDF, form)
    start = int(data.split(b"startxref\n")[1].split()[0])
    assert data.count(b"/Subtype /Image") == (4 if form == "strips" else 2)
    if form == "object-streams":
        assert b" 0 obj\n<< /Type /XRef" in data[start : start + 40]
        return
    assert data[start : start + 4] == b"xref"
    for entry in data[start:].split(b"\n")[3 : 3 + 2]:
        at = int(entry.split()[0])
        assert data[at:].startswith((b"1 0 obj", b"2 0 obj"))
    assert b"/Count 2" in data
    assert (b"/K -1" in data) is (form == "ccitt")


@pytest.mark.parametrize("width", [1, 7, 8, 63, 64, 65, 2600, 5200])
@pytest.mark.parametrize("form", ["g3", "g4"])
def test_line_art_of_every_width(form: str, width: int, tmp_path: Path) -> None:
    chance = random.Random(width)
    size = (width + 7) // 8
    rows = []
    for y in range(60):
        row = bytearray(chance.randbytes(size) if y % 3 else b"\xff" * size)
        if y % 3 == 2:
            row[: size // 2] = bytes(size // 2)
        rows.append(bytes(row[:-1]) + bytes((row[-1] & (0xFF00 >> ((width - 1) % 8 + 1)) & 0xFF,)))
        rows.append(rows[-1])
    pixels = Pixels(b"".join(rows), width, len(rows), 1, 1, 300)
    data = images.encode([pixels], model.TIFF, form)
    assert decoded(data, tmp_path, "gray") == pixels.of_bytes().data
