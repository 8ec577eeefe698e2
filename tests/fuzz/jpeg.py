"""What the fuzzer tries on the JPEG decoder: any bytes, in any pieces, within the limit.

The same bytes go through Document, which reads a JPEG's head itself.
The first byte is the size of a piece, the second that of the room for rows. Compiled tree only.
"""

from __future__ import annotations

from contextlib import suppress

from sane.errors import SaneError
from tests.fuzz.documents import check as check_document

LIMIT = 1 << 22
PIECES = 1 << 13  # calls: far more than any input has bytes


def check(data: bytes) -> None:
    """Decode *data*; rows come until the end, an error, or the limit."""
    check_document(data)
    check_decoder(data)


def check_decoder(data: bytes) -> None:
    """Decode *data* by the decoder alone."""
    from sane.image.jpeg import Decoder

    if len(data) < 2:
        return
    size, view = 1 + data[0] * 8, memoryview(bytearray(1 + data[1] * 16))
    content = data[2:]
    pieces = [content[at : at + size] for at in range(0, len(content), size)][::-1]
    decoder, total = Decoder(LIMIT), 0
    with suppress(SaneError, ValueError):
        for _ in range(PIECES):
            n = decoder.read_into(view)
            total += n
            assert total <= max(decoder.width * decoder.height * decoder.channels, 0)
            if decoder.is_done or total > LIMIT:
                return
            if not n and pieces:
                decoder.feed(pieces.pop())
            elif not n:
                decoder.end()


def seeds() -> dict[str, bytes]:
    """Return a picture in gray and in colour, by small and by large pieces."""
    from sane.testing.esci2 import turbojpeg

    pixels = bytes(x * y & 255 for y in range(24) for x in range(40) for _ in range(3))
    colour = turbojpeg.compress(pixels, 40, 24, 80, "420")
    gray = turbojpeg.compress(pixels[::3], 40, 24, 80)
    return {"colour": b"\x01\x40" + colour, "gray": b"\xff\x01" + gray}
