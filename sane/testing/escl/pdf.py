"""PDF files of an emulated eSCL scanner: a page for each image, and nothing else on it.

Source: ISO 32000-1, 7.3 (objects), 7.5 (files), 7.5.7 (object streams), 8.9 (images).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from . import fax, jpeg
from .raster import Pixels

FORMS = (
    "jpeg",  # not by Flate
    "strips",  # each page in two images
    "plain",  # not compressed
    "ccitt",  # line art as Group 4; else as usual
    "object-streams",  # version 1.5: objects in a compressed stream, the table in another
    "bomb",  # images that grow a thousandfold, whatever their size is said to be
)
BOMB_BYTES = 1 << 26


def encode(pages: Sequence[Pixels], form: str = "") -> bytes:
    """Return *pages* as one document in one of FORMS, or "" for the usual one."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for pixels in pages:
        names, drawn = _images(objects, pixels, form)
        objects.append(_stream("", "\n".join(drawn).encode()))
        box = f"0 0 {pixels.width * 72 / pixels.dpi:.4f} {pixels.lines * 72 / pixels.dpi:.4f}"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {len(objects)} 0 R "
            f"/Resources << /XObject << {' '.join(names)} >> >> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
    return _packed_file(objects) if form == "object-streams" else _file(objects)


def _images(objects: list[bytes], pixels: Pixels, form: str) -> tuple[list[str], list[str]]:
    """Add the images of a page to *objects*; return their names and how they are drawn."""
    half = (pixels.lines + 1) // 2 if form == "strips" else pixels.lines
    parts = [pixels.top(y, min(half, pixels.lines - y)) for y in range(0, pixels.lines, half)]
    names, drawn, y = [], [], pixels.lines
    scale = 72 / pixels.dpi
    for part in parts:
        objects.append(_xobject(part, form))
        y -= part.lines
        names.append(f"/I{len(objects)} {len(objects)} 0 R")
        drawn.append(
            f"q {part.width * scale:.4f} 0 0 {part.lines * scale:.4f} 0 {y * scale:.4f} cm "
            f"/I{len(objects)} Do Q"
        )
    return names, drawn


def _xobject(pixels: Pixels, form: str) -> bytes:
    space = "/DeviceRGB" if pixels.channels == 3 else "/DeviceGray"
    if form == "jpeg":
        pixels = pixels.of_bytes()
        data, how = jpeg.encode(pixels), "/Filter /DCTDecode"
    elif form == "ccitt" and pixels.depth == 1:
        data = fax.group_4(pixels.rows(), pixels.width)
        words = f"<< /K -1 /Columns {pixels.width} /Rows {pixels.lines} >>"
        how = f"/Filter /CCITTFaxDecode /DecodeParms {words}"
    elif form == "plain":
        data, how = pixels.data, ""
    elif form == "bomb":
        data, how = zlib.compress(bytes(BOMB_BYTES)), "/Filter /FlateDecode"
    else:
        data, how = zlib.compress(pixels.data, 1), "/Filter /FlateDecode"
    head = (
        f"/Type /XObject /Subtype /Image /Width {pixels.width} /Height {pixels.lines} "
        f"/ColorSpace {space} /BitsPerComponent {pixels.depth} {how}"
    )
    return _stream(head, data)


def _stream(head: str, data: bytes) -> bytes:
    return f"<< {head} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    """Return the file: *objects*, numbered from 1, with their table."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count + table
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(out)


def _packed_file(objects: list[bytes]) -> bytes:
    """Return the same as version 1.5: what is no stream lies in one, as does the table."""
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    container = len(objects) + 1
    entries: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
    inside: list[tuple[int, bytes]] = []
    for number, body in enumerate(objects, 1):
        if b"stream\n" in body:
            entries[number] = 1, len(out), 0
            out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
        else:
            entries[number] = 2, container, len(inside)
            inside.append((number, body))
    places, text = [], b""
    for number, body in inside:
        places.append(f"{number} {len(text)}")
        text += body + b"\n"
    index = " ".join(places).encode() + b"\n"
    head = f"/Type /ObjStm /N {len(inside)} /First {len(index)} /Filter /FlateDecode"
    entries[container] = 1, len(out), 0
    out += b"%d 0 obj\n" % container + _stream(head, zlib.compress(index + text)) + b"\nendobj\n"
    start = len(out)
    entries[container + 1] = 1, start, 0
    table = b"".join(struct.pack(">BIH", *entries[n]) for n in range(container + 2))
    head = f"/Type /XRef /Size {container + 2} /W [1 4 2] /Root 1 0 R /Filter /FlateDecode"
    out += b"%d 0 obj\n" % (container + 1) + _stream(head, zlib.compress(table)) + b"\nendobj\n"
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start
