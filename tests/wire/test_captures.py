"""Whole sessions of the original client with the original server, decoded and made again.

Both halves take their part of each capture: the server's half must understand every request and
the client's every reply, and what they encode must be the captured bytes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.wire import messages as m
from sane.wire.protocol import Client, Server
from sane.wire.records import Record
from tests.peers.proxy import frame

CAPTURES = Path(__file__).parent.parent / "data" / "wire"


def exchanges(name: str) -> list[tuple[bytes, bytes]]:
    """Return the requests of a capture with their replies; b"" for EXIT."""
    lines = (CAPTURES / name).read_text().splitlines()
    pairs: list[tuple[bytes, bytes]] = []
    for line in lines:
        kind, _, wire = line.partition(" ")
        if kind == ">":
            pairs.append((bytes.fromhex(wire), b""))
        elif kind == "<":
            pairs[-1] = pairs[-1][0], bytes.fromhex(wire)
    return pairs


NAMES = sorted(path.name for path in CAPTURES.iterdir())


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", NAMES)
def test_captures_are_decoded_and_encoded_alike(name: str, piece: int) -> None:
    server, client = Server(), Client()
    seen = set()
    for sent, answered in exchanges(name):
        for start in range(0, len(sent), piece):
            assert server.request() is None
            server.receive(sent[start : start + piece])
        request = server.request()
        assert request is not None
        seen.add(request.__class__)
        assert client.send(request) == sent
        if request.reply is None:
            assert answered == b""
            break
        reply: Record | None = None
        for start in range(0, len(answered), piece):
            assert reply is None
            reply = client.receive(answered[start : start + piece])
        assert reply is not None
        assert server.reply(reply) == answered
    assert m.Exit in seen


def test_captures_hold_every_request_but_authorize() -> None:
    opcodes = {int.from_bytes(sent[:4], "big") for name in NAMES for sent, _ in exchanges(name)}
    assert opcodes == set(m.REQUESTS) - {m.Authorize.opcode}


class Wire:
    """A socket that has received *data*, and nothing more."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv(self, size: int) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def test_captures_frames_have_the_bytes_that_the_parameters_promise() -> None:
    for name in NAMES:
        sizes = [
            int.from_bytes(answered[12:16], "big") * int.from_bytes(answered[20:24], "big")
            for sent, answered in exchanges(name)
            if sent[:4] == bytes((0, 0, 0, 6))
        ]
        for line in (CAPTURES / name).read_text().splitlines():
            if line.startswith("= 0"):
                data, status = frame(Wire(bytes.fromhex(line[2:])), [])  # type: ignore[arg-type]
                assert len(data) in sizes, name
                assert status == 5, name
