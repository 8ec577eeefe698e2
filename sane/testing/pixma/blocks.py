"""Image blocks of an emulated Canon scanner: what the host asks for, and how it is sent.

Source: specification pixma 2.8; what a host reads at once: 1.1.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .models import IMAGECLASS, MP730, MP750, Model
from .request import Wrong

PAGE_END, PAPER_END, DATA_END = 0x28, 0x10, 0x20  # flags
USUAL_BYTES, SMALL_BYTES, SHORT_BYTES = 65536, 49152, 32768  # of data
LONG_MINIMUM = 504  # of data in the last of the long blocks
PACKET = 512
PIXELS_BYTES = 6  # of two pixels: of an MP750, a block has an even number
MORE, POLL = 0x04, 0x24  # asks for the next block, asks for the end


class Asked(NamedTuple):
    """A host's request for a block: at most *size* bytes; is_question: it asks for flags only."""

    size: int
    is_question: bool = False
    is_poll: bool = False


class Block(NamedTuple):
    """A block of image data."""

    flags: int = 0
    data: bytes = b""


def read_request(data: bytes, model: Model) -> Asked:
    """Return what the bytes of D420 or D460 ask for; raises Wrong."""
    if model.is_framed_a:
        if len(data) != 16:
            raise Wrong(f"{len(data)} bytes")
        size = int.from_bytes(data[12:], "big") - 8
        if size < 0:
            raise Wrong(f"length {size + 8}")
        return Asked(size)
    if model.family == IMAGECLASS:
        if data[2:8] + data[9:] != bytes(6) + b"\x00\x06" or data[8] not in (0, MORE):
            raise Wrong("no request for an image block")
        return Asked(SHORT_BYTES if not model.has_long_blocks else USUAL_BYTES, data[8] == 0)
    if len(data) != 10 or data[2:7] != bytes(5) or data[8] not in (MORE, POLL):
        raise Wrong("no request for an image block")
    size = int.from_bytes(data[7:8] + b"\0", "big")
    return Asked(size, size == 0, data[8] == POLL)


def size_of_next(left: int, most: int, model: Model) -> int:
    """Return how many bytes of the *left* ones the next block has, at most *most*.

    No transfer is a number of whole packets long, and none of the long blocks is shorter than what
    a host reads first, if that can be: with those each host does something else.
    """
    size = min(left, most)
    if model.family == IMAGECLASS:
        is_short_rest = model.has_long_blocks and 0 < left - size < LONG_MINIMUM < size
        return size - LONG_MINIMUM if is_short_rest else size
    if model.family == MP750:  # its data are transfers without a header
        return size - PIXELS_BYTES if size < SMALL_BYTES and not size % PACKET else size
    head = 6 if model.family == MP730 else 16
    return size - 1 if size > 1 and not (size + head) % PACKET else size


def parts(head: bytes, block: Block, more: int, model: Model) -> list[bytes]:
    """Return the transfers of a block; *head*: the status word; *more* bytes are announced."""
    flags, data = block
    announced = len(data) + more
    if model.is_framed_a:
        return [head + bytes(6) + struct.pack(">B3xI", flags, announced) + data]
    if model.family == IMAGECLASS:
        start = head + struct.pack(">BxI", flags, announced)
        return [start + data] if model.has_long_blocks else [start, data][: 1 + bool(data)]
    start = head + struct.pack(">BxH", flags, announced)
    return [start, data][: 1 + bool(data)] if model.family == MP750 else [start + data]
