"""A page's bytes on their way from a worker: out of their records, however they come."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from sane import const
from sane.web.frames import FrameReader
from sane.web.problems import Unreachable
from sane.wire.protocol import frame_end, record_head

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = bytes(range(256)) * 40
SENT = b"".join(record_head(len(part)) + part for part in (ROWS[:7], ROWS[7:5000], ROWS[5000:]))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, FrameReader]]:
    here, there = socket.socketpair()
    there.setblocking(False)
    reader = FrameReader(there)
    yield here, reader
    reader.close()
    here.close()


Pair = tuple[socket.socket, FrameReader]


def test_frames_are_what_the_records_hold(pair: Pair) -> None:
    here, reader = pair
    here.sendall(SENT + frame_end(const.STATUS_EOF))

    async def all_of_it() -> bytes:
        out = b""
        while data := await reader.read():
            out += data
        return out

    assert asyncio.run(all_of_it()) == ROWS
    assert reader.status == const.STATUS_EOF
    assert reader.at_hand() == b""


def test_frames_come_byte_by_byte(pair: Pair) -> None:
    here, reader = pair
    out = b""
    for byte in SENT + frame_end(const.STATUS_JAMMED):
        assert reader.status is None
        here.send(bytes([byte]))
        out += reader.at_hand()
    assert out == ROWS
    assert reader.status == const.STATUS_JAMMED


def test_frames_wait_for_what_comes_later(pair: Pair) -> None:
    here, reader = pair

    async def later() -> bytes:
        assert reader.at_hand() == b""
        asyncio.get_running_loop().call_later(0.01, here.sendall, SENT[:11])
        return bytes(await reader.read())

    assert asyncio.run(later()) == ROWS[:7]


def test_frames_break_off(pair: Pair) -> None:
    here, reader = pair
    here.sendall(SENT[:20])
    here.close()
    assert reader.at_hand() == ROWS[:12]
    with pytest.raises(Unreachable, match="broke off"):
        reader.at_hand()
