"""Servers that lie, die, dawdle or fall silent: an I/O error promptly, never a hang or a crash."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sane.errors import DeviceIOError, EndOfFrame, SaneError
from sane.net import connection
from sane.wire import messages as m
from sane.wire.protocol import frame_end, record_head
from tests.fakes.saned import PAUSE, FakeSaned
from tests.net.opening import backend, frame, handle, rest
from tests.wire.parsing import dump

if TYPE_CHECKING:
    from sane.net.client import Backend

PATIENCE = 0.2  # seconds that the backend waits for a reply here
PROMPT = 5.0  # seconds that nothing here may take
# INIT, OPEN, descriptors, GET, SET, START and parameters, CLOSE: what session() makes one send.
ALL_BYTES = 660


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a server less than in earnest."""
    monkeypatch.setattr(connection, "REPLY_SECONDS", PATIENCE)
    monkeypatch.setattr(connection, "MESSAGE_SECONDS", PATIENCE)
    monkeypatch.setattr(connection, "INIT_SECONDS", PATIENCE)
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", PATIENCE)


def client(tmp_path: Path, server: FakeSaned) -> Backend:
    return backend(tmp_path, f"127.0.0.1 port = {server.port}\n")


def session(made: Backend) -> None:
    """Do everything once; the errors of a frontend end it."""
    made.list_devices(False)
    opened = handle(made, "127.0.0.1:test:0")
    try:
        opened.get(1)
        opened.set(2, b"Color\0")
        opened.descriptor(2)
        opened.parameters()
        assert frame(opened) == b"abcdefgh"
    finally:
        opened.close()


def test_hostile_a_whole_session_is_shorter_than_assumed(tmp_path: Path) -> None:
    with FakeSaned(cut=ALL_BYTES) as server:
        made = client(tmp_path, server)
        session(made)
        made.exit()
        assert server._sent > ALL_BYTES - 100


@pytest.mark.parametrize("part", range(20))
def test_hostile_a_server_that_dies_at_every_byte(tmp_path: Path, part: int) -> None:
    for cut in range(part, ALL_BYTES, 20):
        with FakeSaned(cut=cut) as server:
            made = client(tmp_path, server)
            begin = time.monotonic()
            try:
                session(made)
            except SaneError as exc:
                assert isinstance(exc, DeviceIOError), (cut, exc)
            assert time.monotonic() - begin < PROMPT, cut
            made.exit()


@pytest.mark.parametrize("seed", range(12))
def test_hostile_random_replies(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    def answer(fake: FakeSaned, server: Any, request: Any) -> Any:
        pieces = FakeSaned.answer(fake, server, request)
        if isinstance(request, m.Init) or not isinstance(pieces, bytes) or chance.random() < 0.6:
            return pieces
        data = bytearray(pieces)
        for _ in range(chance.randrange(1, 4)):
            change = chance.randrange(4)
            place = chance.randrange(len(data) + 1)
            if change == 0:
                data[place:place] = chance.randbytes(chance.randrange(9))
            elif change == 1:
                del data[place:]
            elif data and place < len(data):
                data[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        return bytes(data)

    kinds = [m.GetDevices, m.Open, m.GetDescriptors, m.ControlOption, m.GetParameters]
    answers: Any = dict.fromkeys([*kinds, m.Start, m.Cancel, m.Close], answer)
    begin = time.monotonic()
    for _ in range(4):
        with FakeSaned(answers=answers) as server:
            made = client(tmp_path, server)
            with suppress(SaneError, AssertionError):  # other bytes of an image are no harm
                session(made)
            made.exit()
    assert time.monotonic() - begin < 8 * PROMPT


REPLIES = {
    "count beyond memory": (m.GetDescriptors, "7fffffff"),
    "count of minus one": (m.GetDescriptors, "ffffffff"),
    "null descriptor": (m.GetDescriptors, "00000001 00000001"),
    "no options": (m.GetDescriptors, "00000000"),
    "word list without words": (
        m.GetDescriptors,
        "00000001" + "00000000" * 4 + "00000001 00000000 00000004 00000005 00000002 00000000",
    ),
    "word list that counts wrong": (
        m.GetDescriptors,
        "00000001"
        + "00000000" * 4
        + "00000001 00000000 00000004 00000005 00000002 00000002 00000005 00000001",
    ),
    "range that is null": (
        m.GetDescriptors,
        "00000001" + "00000000" * 4 + "00000001 00000000 00000004 00000005 00000001 00000001",
    ),
    "string list without end": (
        m.GetDescriptors,
        "00000001"
        + "00000000" * 4
        + "00000003 00000000 00000004 00000005 00000003 00000001 00000002 6100",
    ),
    "negative size": (
        m.GetDescriptors,
        "00000001" + "00000000" * 4 + "00000001 00000000 fffffffc 00000005 00000000",
    ),
    "size of 2 GiB": (
        m.GetDescriptors,
        "00000001" + "00000000" * 4 + "00000001 00000000 7fffffff 00000005 00000000",
    ),
    "value of no type": (m.ControlOption, "00000000 00000000 00000009 00000004 00000001 00000000"),
    "value of 4 GiB": (m.ControlOption, "00000000 00000000 00000001 00000004 40000000"),
    "resource of 2 GiB": (m.Open, "00000000 00000000 7fffffff"),
    "status that is none": (m.Open, "00000063 00000000 00000000"),
    "data port 0": (m.Start, "00000000 00000000 00001234 00000000"),
    "data port beyond": (m.Start, "00000000 00010000 00001234 00000000"),
    "data port below": (m.Start, "00000000 ffffffff 00001234 00000000"),
}


@pytest.mark.parametrize("what", REPLIES)
def test_hostile_replies_that_cannot_be(tmp_path: Path, what: str) -> None:
    kind, wire = REPLIES[what]
    answers: Any = {kind: lambda fake, server, request: [_answered(server), dump(wire)]}
    with FakeSaned(answers=answers) as server:
        made = client(tmp_path, server)
        begin = time.monotonic()
        with pytest.raises(DeviceIOError):
            session(made)
        assert time.monotonic() - begin < PROMPT
        made.exit()


def _answered(server: Any) -> bytes:
    """Let the half believe that it has answered."""
    from sane.wire import protocol

    server.state = protocol.READY
    return b""


@pytest.mark.parametrize(
    "wire",
    [
        "00000000 7fffffff",
        "00000000 00000000",
        "00000000 00000001 00000000" + "00000000" * 4,
        "00000009 00000001 00000001",
        "00000000 00000002 00000001 00000001",
    ],
)
def test_hostile_device_lists(tmp_path: Path, wire: str) -> None:
    answers: Any = {m.GetDevices: lambda fake, server, request: [_answered(server), dump(wire)]}
    with FakeSaned(answers=answers) as server:
        made = client(tmp_path, server)
        assert made.list_devices(False) == []
        made.exit()


KINDS = [m.Init, m.GetDevices, m.Open, m.GetDescriptors, m.ControlOption, m.GetParameters]


@pytest.mark.parametrize("kind", [*KINDS, m.Start, m.Cancel, m.Close], ids=lambda k: k.__name__)
def test_hostile_a_server_that_falls_silent(tmp_path: Path, kind: type[m.Request]) -> None:
    with FakeSaned(answers={kind: lambda fake, server, request: []}) as server:
        made = client(tmp_path, server)
        begin = time.monotonic()
        if kind in (m.Cancel, m.Close, m.GetDevices):
            opened = handle(made, "127.0.0.1:test:0")
            opened.start()
            opened.cancelled()
            opened.close()
            made.list_devices(False)
        else:
            with pytest.raises(DeviceIOError):
                session(made)
        assert time.monotonic() - begin < PROMPT
        made.exit()


def test_hostile_a_reply_in_single_bytes_takes_no_longer_than_allowed(tmp_path: Path) -> None:
    with FakeSaned(slowly=0.05) as server:
        made = client(tmp_path, server)
        begin = time.monotonic()
        with pytest.raises(DeviceIOError, match="no answer in time"):
            made.open("127.0.0.1:test:0")
        assert time.monotonic() - begin < PROMPT
        made.exit()


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda k: k.__name__)
def test_hostile_a_reply_to_another_request(tmp_path: Path, kind: type[m.Request]) -> None:
    """Whatever is sent instead is taken for the reply, or refused; the next call says so."""
    wrong = m.DevicesReply(0, [m.Device("a", "b", "c", "d")] * 3).encode()
    answers: Any = {kind: lambda fake, server, request: [_answered(server), wrong]}
    with FakeSaned(answers=answers) as server:
        made = client(tmp_path, server)
        begin = time.monotonic()
        with suppress(SaneError):  # which one depends on what the bytes mean
            session(made)
        assert time.monotonic() - begin < PROMPT
        made.exit()


# The data connection


def test_hostile_a_data_port_that_nobody_opens(tmp_path: Path) -> None:
    from tests.support.ports import listener

    with listener() as closed:
        port = closed.getsockname()[1]

    def start(fake: FakeSaned, server: Any, request: Any) -> bytes:
        data: bytes = server.reply(m.StartReply(0, port, m.LITTLE_ENDIAN, None))
        return data

    with FakeSaned(answers={m.Start: start}) as server:
        made = client(tmp_path, server)
        opened = handle(made, "127.0.0.1:test:0")
        begin = time.monotonic()
        with pytest.raises(DeviceIOError, match=f"data port {port}: connect"):
            opened.start()
        assert time.monotonic() - begin < PROMPT
        assert server.requests(m.Cancel) == [m.Cancel(7)], "the server is told"
        opened.close()
        made.exit()


def test_hostile_a_data_port_that_is_never_accepted(tmp_path: Path) -> None:
    """A server serves nothing before it has accepted: the parameters do not come."""
    from tests.support.ports import listener

    with listener(backlog=1) as deaf:
        port = deaf.getsockname()[1]

        def start(fake: FakeSaned, server: Any, request: Any) -> bytes:
            fake.answers[m.GetParameters] = lambda fake, server, request: []
            data: bytes = server.reply(m.StartReply(0, port, m.LITTLE_ENDIAN, None))
            return data

        with FakeSaned(answers={m.Start: start}) as server:
            made = client(tmp_path, server)
            opened = handle(made, "127.0.0.1:test:0")
            begin = time.monotonic()
            with pytest.raises(DeviceIOError, match="no answer in time"):
                opened.start()
            opened.close()
            assert time.monotonic() - begin < PROMPT
            made.exit()


@pytest.mark.parametrize("cut", range(12))
def test_hostile_a_frame_that_is_cut(tmp_path: Path, cut: int) -> None:
    whole = record_head(3) + b"abc" + frame_end(5)
    with FakeSaned(frame=[whole[:cut]]) as server:
        made = client(tmp_path, server)
        opened = handle(made, "127.0.0.1:test:0")
        with pytest.raises(DeviceIOError, match="before the end of the frame"):
            frame(opened)
        with pytest.raises(SaneError) as second:
            opened.read(memoryview(bytearray(1)))
        assert second.value.status == 2
        opened.close()
        made.exit()


def test_hostile_a_server_that_dies_in_mid_frame(tmp_path: Path) -> None:
    wire: list[Any] = [record_head(8) + b"abcd", PAUSE]
    with FakeSaned(frame=wire) as server:
        made = client(tmp_path, server)
        opened = handle(made, "127.0.0.1:test:0")
        opened.start()
        assert opened.read(memoryview(bytearray(9))) == 4
        begin = time.monotonic()
        server.drop()
        with pytest.raises(DeviceIOError):
            rest(opened)
        opened.close()
        assert time.monotonic() - begin < PROMPT
        made.exit()


def test_hostile_random_data_streams(tmp_path: Path) -> None:
    chance = random.Random(7)
    with FakeSaned() as server:
        made = client(tmp_path, server)
        opened = handle(made, "127.0.0.1:test:0")
        for _ in range(60):
            server.frame = [chance.randbytes(chance.randrange(60))]
            try:
                frame(opened, chance.randrange(1, 70))
            except (SaneError, EndOfFrame):
                continue
        server.frame = [record_head(1) + b"x" + frame_end(5)]
        assert frame(opened) == b"x", "the connection has survived all of it"
        opened.close()
        made.exit()
