"""The two halves joined in memory: order of messages, authorization, versions, pipelining."""

from __future__ import annotations

import random

import pytest

from sane.errors import DeviceIOError, Invalid
from sane.wire import messages as m
from sane.wire import protocol
from sane.wire.codec import ProtocolError
from sane.wire.protocol import Client, Misplaced, Server, frame_end, record_head
from sane.wire.records import Record
from tests.wire.parsing import dump

RESOURCE = "test$MD5$6a196b005b511d218cd9"


def greet(client: Client, server: Server, version: int = protocol.ADVERTISED) -> Record | None:
    """Exchange INIT and return what the client got."""
    server.receive(client.send(m.Init(protocol.ADVERTISED, None)))
    assert isinstance(server.request(), m.Init)
    return client.receive(server.reply(m.InitReply(0, version)))


@pytest.fixture
def halves() -> tuple[Client, Server]:
    client, server = Client(), Server()
    assert greet(client, server) == m.InitReply(0, protocol.ADVERTISED)
    return client, server


EXCHANGES = [
    (m.GetDevices(), m.DevicesReply(0, [m.Device("test:0", "a", "b", "c")])),
    (m.Open("test:0"), m.OpenReply(0, 3, None)),
    (m.Close(3), m.Acknowledgement(0)),
    (m.GetDescriptors(3), m.DescriptorsReply([])),
    (m.ControlOption(3, 1, 1, 3, 2, b"a\0"), m.ControlReply(0, 6, 3, 2, b"a\0", None)),
    (m.ControlOption(3, 1, 2, 0, 0, b""), m.ControlReply(0, 6, 0, 0, b"", None)),
    (m.GetParameters(3), m.ParametersReply(0, m.Parameters(0, True, 1, 1, -1, 8))),
    (m.Start(3), m.StartReply(0, 4711, m.BIG_ENDIAN, None)),
    (m.Cancel(3), m.Acknowledgement(0)),
]


@pytest.mark.parametrize(("request_", "reply"), EXCHANGES)
def test_protocol_every_exchange(
    halves: tuple[Client, Server], request_: m.Request, reply: Record
) -> None:
    client, server = halves
    for byte in client.send(request_):
        assert server.request() is None
        server.receive(bytes((byte,)))
    assert server.request() == request_
    data = server.reply(reply)
    for byte in data[:-1]:
        assert client.receive(bytes((byte,))) is None
    assert client.receive(data[-1:]) == reply
    assert client.state == protocol.READY


def test_protocol_the_client_sends_one_request_at_a_time(halves: tuple[Client, Server]) -> None:
    client, _ = halves
    client.send(m.GetDevices())
    with pytest.raises(Misplaced):
        client.send(m.GetDevices())


def test_protocol_init_comes_first_and_once(halves: tuple[Client, Server]) -> None:
    with pytest.raises(Misplaced):
        Client().send(m.GetDevices())
    with pytest.raises(Misplaced):
        halves[0].send(m.Init(0, None))


def test_protocol_a_request_that_cannot_be_sent_changes_nothing(
    halves: tuple[Client, Server],
) -> None:
    client, server = halves
    with pytest.raises(Invalid):
        client.send(m.Open("a\0b"))
    server.receive(client.send(m.Open("a")))
    assert server.request() == m.Open("a")


@pytest.mark.parametrize("version", [0x01000003, 0x01FF0003, 0x01010002])
def test_protocol_builds_2_and_3_are_understood(version: int) -> None:
    client = Client()
    assert greet(client, Server(), version) is not None
    assert client.version == version & 0xFFFF


@pytest.mark.parametrize("version", [0x01010001, 0x01010004, 0x02010003, 0, 0x00010003])
def test_protocol_other_versions_are_refused(version: int) -> None:
    with pytest.raises(ProtocolError, match="the server speaks version"):
        greet(Client(), Server(), version)


def test_protocol_a_refused_init_is_returned_whatever_its_version() -> None:
    client, server = Client(), Server()
    server.receive(client.send(m.Init(protocol.ADVERTISED, None)))
    server.request()
    assert client.receive(server.reply(m.InitReply(11, 0))) == m.InitReply(11, 0)


def test_protocol_set_auto_has_the_layout_of_the_servers_version() -> None:
    client = Client()
    greet(client, Server(), 0x01010002)
    sent = client.send(m.ControlOption(0, 0x22, 2, 0, 0, b""))
    assert sent == dump("00000005 00000000 00000022 00000002 00000000 00000000 00000000")


def test_protocol_set_auto_is_read_in_the_layout_of_the_clients_version() -> None:
    server = Server()
    server.receive(dump("00000000 01000002 00000000"))
    server.request()
    server.reply(m.InitReply(0, protocol.ADVERTISED))
    server.receive(dump("00000005 00000000 00000022 00000002 00000001 00000000 00000000 0000000a"))
    assert server.request() == m.ControlOption2(0, 0x22, 2, 1, 0, b"")
    server.reply(m.ControlReply(0, 0, 0, 0, b"", None))
    assert server.request() == m.Exit()


@pytest.mark.parametrize("version", [0, 0x09000009, 0x01000003])
def test_protocol_the_clients_version_is_not_judged(version: int) -> None:
    server = Server()
    server.receive(m.Init(version, "x" * 5000).encode())
    assert server.request() == m.Init(version, "x" * 5000)
    assert server.client_version == version


def test_protocol_the_server_keeps_pipelined_requests() -> None:
    server = Server()
    server.receive(m.Init(0, None).encode() + m.GetParameters(1).encode() * 2 + m.Exit().encode())
    assert isinstance(server.request(), m.Init)
    with pytest.raises(Misplaced, match="not answered"):
        server.request()
    server.reply(m.InitReply(0, 0))
    for _ in range(2):
        assert server.request() == m.GetParameters(1)
        server.reply(m.ParametersReply(4, m.Parameters(0, 0, 0, 0, 0, 0)))
    assert server.request() == m.Exit()
    assert server.state == protocol.CLOSED


@pytest.mark.parametrize("opcode", ["00000001", "00000009", "0000000b", "00000063", "ffffffff"])
def test_protocol_the_server_refuses_what_is_no_init(opcode: str) -> None:
    server = Server()
    server.receive(dump(opcode))
    with pytest.raises(Misplaced):
        server.request()


@pytest.mark.parametrize("opcode", ["00000000", "00000009", "0000000b", "00000063", "ffffffff"])
def test_protocol_the_server_refuses_an_opcode_before_its_arguments(
    halves: tuple[Client, Server], opcode: str
) -> None:
    halves[1].receive(dump(opcode))
    with pytest.raises(Misplaced):
        halves[1].request()


def test_protocol_the_server_knows_that_a_request_has_begun(halves: tuple[Client, Server]) -> None:
    server = halves[1]
    assert not server.has_begun
    server.receive(dump("000000"))
    assert server.request() is None
    assert server.has_begun
    server.receive(dump("03"))
    assert server.request() is None
    assert server.has_begun
    server.receive(dump("00000007"))
    assert server.request() == m.Close(7)
    assert not server.has_begun


# Authorization

CHALLENGING = [
    (m.Open("test:0"), "00000000 00000000", m.OpenReply(0, 1, None)),
    (
        m.ControlOption(1, 2, 0, 1, 4, bytes(4)),
        "00000000" * 5,
        m.ControlReply(0, 0, 1, 4, bytes(4), None),
    ),
    (m.Start(1), "00000000" * 3, m.StartReply(0, 99, m.LITTLE_ENDIAN, None)),
]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("request_", "zeros", "reply"), CHALLENGING)
def test_protocol_a_challenge_and_its_answer(
    halves: tuple[Client, Server], request_: m.Request, zeros: str, reply: Record, together: bool
) -> None:
    client, server = halves
    server.receive(client.send(request_))
    server.request()
    dummy = b""
    for _ in range(3):
        challenge = server.challenge(RESOURCE)
        assert challenge == dump(zeros) + dump("0000001e") + RESOURCE.encode() + b"\0"
        assert client.receive(dummy + challenge) is not None
        assert client.challenge == RESOURCE
        server.receive(client.authorize("joe", "secret"))
        assert server.request() == m.Authorize(RESOURCE, "joe", "secret")
        dummy = server.acknowledge()
        if not together:
            assert client.receive(dummy) is None
            dummy = b""
    assert client.receive(dummy + server.reply(reply)) == reply
    assert client.state == protocol.READY
    assert client.challenge is None


def test_protocol_another_request_instead_of_authorize_is_the_answer(
    halves: tuple[Client, Server],
) -> None:
    client, server = halves
    server.receive(client.send(m.Open("test:0")))
    server.request()
    server.challenge(RESOURCE)
    server.receive(m.GetDevices().encode())
    assert server.request() == m.GetDevices()
    assert server.reply(server.refusal(11)) == dump("0000000b 00000000 00000000")
    server.receive(m.Close(0).encode())
    assert server.request() == m.Close(0)


@pytest.mark.parametrize("request_", [m.GetDevices(), m.Close(0), m.GetParameters(0)])
def test_protocol_other_requests_challenge_nothing(
    halves: tuple[Client, Server], request_: m.Request
) -> None:
    client, server = halves
    server.receive(client.send(request_))
    server.request()
    with pytest.raises(Misplaced):
        server.challenge(RESOURCE)
    with pytest.raises(Misplaced):
        server.refusal(4)


def test_protocol_a_wrong_reply_is_a_mistake_of_ours(halves: tuple[Client, Server]) -> None:
    client, server = halves
    server.receive(client.send(m.GetDevices()))
    server.request()
    with pytest.raises(Misplaced):
        server.reply(m.OpenReply(0, 0, None))
    with pytest.raises(Misplaced):
        client.authorize("a", "b")


def test_protocol_closed_says_what_was_missing(halves: tuple[Client, Server]) -> None:
    client = halves[0]
    client.send(m.Open("x"))
    client.receive(b"\0\0\0")
    error = client.closed()
    assert isinstance(error, DeviceIOError)
    assert str(error) == "closed when Open was to be answered, after 3 bytes"


def test_protocol_bytes_that_nobody_asked_for_are_dropped(halves: tuple[Client, Server]) -> None:
    client, server = halves
    assert client.receive(b"garbage") is None
    server.receive(client.send(m.Close(1)))
    server.request()
    assert client.receive(server.reply(m.Acknowledgement(0)) + b"garbage") == m.Acknowledgement(0)
    server.receive(client.send(m.Cancel(1)))
    server.request()
    assert client.receive(server.reply(m.Acknowledgement(0))) == m.Acknowledgement(0)


@pytest.mark.parametrize("seed", range(30))
def test_protocol_random_replies_end_in_a_reply_or_an_error(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        client = Client()
        greet(client, Server())
        client.send(chance.choice(EXCHANGES)[0])
        data = bytearray(chance.choice(EXCHANGES)[1].encode())
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
        try:
            client.receive(bytes(data))
        except ProtocolError:
            continue


# The data stream


def test_protocol_records_and_the_end_of_a_frame() -> None:
    assert record_head(45) == dump("0000002d")
    assert record_head(protocol.LONGEST_RECORD) == dump("fffffffe")
    assert frame_end(5) == dump("ffffffff 05")
    with pytest.raises(ValueError, match="a record of"):
        record_head(protocol.END)
