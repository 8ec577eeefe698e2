"""Feeds an incremental decoder in every way: whole, byte by byte, with bytes behind, cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sane.wire.codec import Reader

if TYPE_CHECKING:
    from sane.wire.records import Record


def dump(text: str) -> bytes:
    """Return the bytes of a dump as net-protocol 6 writes them."""
    return bytes.fromhex("".join(text.split()))


def decode(record: type[Record], data: bytes) -> Any:
    """Return the record that *data* is, having decoded it whole, in bytes and with a tail."""
    whole = Reader()
    whole.feed(data)
    found: Any = whole.take(record)
    assert found is not None
    assert whole.waiting_bytes == 0

    slowly = Reader()
    for offset in range(len(data)):
        assert slowly.take(record) is None or offset == len(data), f"complete after {offset} bytes"
        slowly.feed(data[offset : offset + 1])
    assert slowly.take(record) == found
    assert slowly.waiting_bytes == 0

    longer = Reader()
    longer.feed(data + b"tail")
    assert longer.take(record) == found
    assert longer.waiting_bytes == 4
    return found
