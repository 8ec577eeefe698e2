"""What the fuzzer tries on answers of several parts, with the image of a WS-Scan device in them.

The first byte is the size of a piece, the second that of the boundary's name.
"""

from __future__ import annotations

from sane.errors import SaneError


def check(data: bytes) -> None:
    """Read *data* in pieces: an image that is no longer than them, or an error."""
    from sane.backends.wsd import mtom

    if len(data) < 2:
        return
    size, name = 1 + data[0] * 8, 1 + data[1] % 20
    boundary, content = data[2 : 2 + name], data[2 + name :]
    total = 0
    try:
        mtom.boundary_of(content[:200].decode("latin-1"))
        reader = mtom.MtomReader(boundary)
        for at in range(0, len(content), size):
            total += sum(map(len, reader.feed(content[at : at + size])))
        total += sum(map(len, reader.end()))
    except SaneError:
        return
    assert total <= len(content)


def seeds() -> dict[str, bytes]:
    """Return an answer in every form."""
    from sane.testing.wsd.multipart import BOUNDARY, MULTIPART, answer

    image = b"\xff\xd8\xff" + bytes(range(60)) + b"\xff\xd9"
    found = {}
    for form in MULTIPART:
        _, data = answer(image, "image/jpeg", "urn:uuid:1", form)
        boundary = BOUNDARY.replace(" ", "-") if form == "unquoted" else BOUNDARY
        found[form] = bytes((9, len(boundary) - 1)) + boundary.encode() + data
    return found
