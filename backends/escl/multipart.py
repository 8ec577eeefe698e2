"""A page in an answer of several parts, which no known scanner sends and eSCL does not forbid.

Source: RFC 2046 5.1; specification escl 2.7.
"""

from __future__ import annotations

from ...errors import DeviceIOError

HEAD_BYTES = 1 << 14
BOUNDARY_BYTES = 80
MOST_PARTS = 100


def first_image(data: bytes) -> bytes:
    """Return the content of the first part that is an image or a PDF.

    Raises DeviceIOError where there is none.
    """
    start = data.find(b"--")
    end = data.find(b"\n", start)
    mark = data[start:end].rstrip(b"\r \t")
    if start < 0 or end < 0 or not 2 < len(mark) <= BOUNDARY_BYTES or start > HEAD_BYTES:
        raise DeviceIOError("an answer in parts without their boundary")
    at = end + 1
    for _ in range(MOST_PARTS):
        head_end, body = _head_end(data, at)
        following = data.find(b"\n" + mark, max(body - 1, 0))
        if head_end < 0:
            break
        stop = len(data) if following < 0 else following
        if _is_image(data[at:head_end]):
            content = data[body:stop]
            return content.removesuffix(b"\r") if following >= 0 else content
        at = data.find(b"\n", following + 1) + 1
        if following < 0 or not at:
            break
    raise DeviceIOError("an answer in parts, none of which is an image")


def _head_end(data: bytes, at: int) -> tuple[int, int]:
    """Return where a part's head ends and its body begins, -1 where it has none."""
    for mark in (b"\r\n\r\n", b"\n\n"):
        end = data.find(mark, at, at + HEAD_BYTES)
        if end >= 0:
            return end, end + len(mark)
    return -1, -1


def _is_image(head: bytes) -> bool:
    for line in head.lower().splitlines():
        name, _, value = line.partition(b":")
        if name.strip() == b"content-type":
            return value.strip().startswith((b"image/", b"application/pdf"))
    return False
