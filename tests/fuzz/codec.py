"""What the fuzzer tries on the codec: any bytes end in a record or in one error, by any pieces.

The first byte chooses the record, the second how many bytes are fed at once.
"""

from __future__ import annotations

from typing import Any

from sane.errors import Invalid
from sane.wire import messages as m
from sane.wire.codec import ARRAY_BYTES, ProtocolError, Reader
from sane.wire.records import Record

KINDS: tuple[type[Record], ...] = (
    *m.REQUESTS.values(),
    m.ControlOption2,
    *(m.InitReply, m.DevicesReply, m.OpenReply, m.DescriptorsReply, m.ControlReply),
    *(m.ParametersReply, m.StartReply, m.Acknowledgement),
)


def check(data: bytes) -> None:
    """Decode *data*, whole and in pieces, and encode what came of it."""
    if len(data) < 2:
        return
    kind, size, wire = KINDS[data[0] % len(KINDS)], 1 + data[1] % 64, data[2:]
    whole = decode(kind, wire, len(wire) or 1)
    pieces = decode(kind, wire, size)
    assert whole == pieces, (whole, pieces)
    if not isinstance(whole, Record):
        return
    try:
        again = whole.encode()
    except Invalid:
        return  # a text with a NUL would be cut on its way back
    body = again[4:] if isinstance(whole, m.Request) else again
    assert len(body) <= 2 * len(wire) + 64
    assert decode(kind, body, len(body) or 1) == whole


def decode(kind: type[Record], wire: bytes, size: int) -> Any:
    """Return the record, None if it is incomplete, or what the error says."""
    reader = Reader()
    try:
        found = reader.take(kind)
        for start in range(0, len(wire), size):
            if found is not None:
                break
            reader.feed(wire[start : start + size])
            found = reader.take(kind)
    except ProtocolError as exc:
        assert exc.where.startswith(kind.__name__)
        return str(exc)
    assert reader.waiting_bytes <= len(wire) <= ARRAY_BYTES
    return found


def seeds() -> dict[str, bytes]:
    """Return what the corpus begins with: one record of each kind that the tests know."""
    from tests.support.wire_samples import REPLIES, REQUESTS

    found = {}
    for number, (record, _) in enumerate([*REQUESTS, *REPLIES]):
        body = record.encode()[4:] if isinstance(record, m.Request) else record.encode()
        head = bytes((KINDS.index(record.__class__), 7))
        found[f"{record.__class__.__name__}-{number}"] = head + body
    return found
