"""What the fuzzer tries on documents of devices: any bytes, in any pieces, as any frame.

The first byte is the size of a piece, the second that of the room for rows, the third says which
frame is promised. PNG is read by this project, TIFF, BMP and PDF by Pillow and pikepdf where they
are there; of JPEG see jpeg.py.
"""

from __future__ import annotations

import io
from typing import Any

from sane.errors import SaneError

ASKED = (40, 30)  # pixels
FORMS = ((1, 1), (1, 8), (1, 16), (3, 8), (3, 16))
MOST_PIXELS = 1 << 16
CALLS = 1 << 16


def check(data: bytes) -> None:
    """Read *data* as a frame: it has its size, or there is an error that a status stands for."""
    from sane.image import Document, Fitted

    if len(data) < 3:
        return
    size, room, form = 1 + data[0] * 8, 1 + data[1] * 16, FORMS[data[2] % len(FORMS)]
    document = Document(*ASKED, most_pixels=MOST_PIXELS)
    more: Any = {"sent": ASKED, "is_feeder": data[2] >= 128}
    fitted = Fitted(document, 40, 30, *form, **more)
    view, total = memoryview(bytearray(room)), 0
    pieces = [data[at : at + size] for at in range(3, len(data), size)][::-1]
    has_ended = False
    try:
        for _ in range(CALLS):
            n = fitted.read_into(view)
            total += n
            if fitted.is_done:
                break
            if not n and pieces:
                fitted.feed(pieces.pop())
            elif not n:
                assert not has_ended, "stuck"
                has_ended = True
                fitted.end()
    except SaneError:
        return
    channels, depth = form
    row_bytes = 5 if depth == 1 else 40 * channels * depth // 8
    assert total == 30 * row_bytes, (total, row_bytes)


def seeds() -> dict[str, bytes]:
    """Return a document of each kind; those of TIFF, BMP and PDF need Pillow and pikepdf."""
    from tests.image.documents import ONE, flate, pdf, picture, png

    def file(kind: str, mode: str, **options: Any) -> bytes:
        target = io.BytesIO()
        picture(mode).save(target, kind, **options)
        return target.getvalue()

    rows = [[(x * y & 1,) for x in range(20)] for y in range(9)]
    made = {
        "png-art": png(rows, 1, 0),
        "png-interlaced": png(rows, 8, 0, interlace=True),
        "png-alpha": png([[(x, 9, y, x * 9) for x in range(20)] for y in range(9)], 16, 6),
        "tiff-fax": file("TIFF", "1", compression="group4"),
        "tiff-lzw": file("TIFF", "L", compression="tiff_lzw"),
        "bmp": file("BMP", "L"),
        "pdf": pdf((ONE, [flate(picture().tobytes())])),
    }
    return {name: bytes((3, 200, n)) + data for n, (name, data) in enumerate(made.items())}
