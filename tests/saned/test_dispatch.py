"""The server's side of INIT and of the order of requests (net-protocol 3.1, 3.12, 11: 15 to 44)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from sane.wire import messages
from sane.wire.protocol import ADVERTISED
from tests.support.saned import Client, Saned, configure, read_all
from tests.support.saned_requests import words
from tests.support.timing import wait_until

INIT = bytes.fromhex("00000000 01000003 00000000")


@pytest.mark.parametrize(
    "init",
    [
        INIT,
        words(0, 0, 0),
        words(0, 0x09000009, 0),
        words(0, 0x01000003, 4) + b"joe\0",
        words(0, 0x01000003, 5000) + b"j" * 5000,
        words(0, 0x01000003, 7) + b"a\nb\x1b[2J",
    ],
    ids=["1.0.3", "0", "9.9", "joe", "5000 bytes", "control characters"],
)
def test_init_is_answered_whatever_the_client_calls_itself(shared: Saned, init: bytes) -> None:
    with shared.connect() as client:
        client.send(init)
        assert client.receive(8) == words(0, ADVERTISED)
    assert ADVERTISED & 0xFFFF == 3 and ADVERTISED >> 24 == 1


def test_init_with_control_characters_forges_no_line_of_the_log(shared: Saned) -> None:
    begin = len(shared.log)
    with shared.connect() as client:
        client.send(words(0, 3, 23) + b"x\n[saned] access: all\x1b\0")
        assert client.receive(8)
    line = shared.wait_for("user x", begin=begin)
    assert line.endswith("user x\\n[saned] access: all\\x1b")


@pytest.mark.parametrize("opcode", [1, 2, 3, 7, 9, 10, 11, 99, -1, 0x7FFFFFFF])
def test_a_connection_that_does_not_begin_with_init_is_closed(shared: Saned, opcode: int) -> None:
    with shared.connect() as client:
        client.send(words(opcode, 0, 0))
        assert client.is_closed()


@pytest.mark.parametrize("opcode", [0, 9, 11, 99, -1, -(1 << 31)])
def test_a_request_out_of_place_ends_the_connection(client: Client, opcode: int) -> None:
    client.send(words(opcode, 0x01000003, 0, 0))
    assert client.is_closed()


def test_exit_ends_the_connection_without_an_answer(client: Client) -> None:
    client.send(words(10))
    assert client.is_closed()


def test_closing_without_exit_releases_all_devices(odd: Saned) -> None:
    with odd.client() as first:
        first.open("odd:0")
        with odd.client() as second:
            assert second.ask(messages.Open("odd:0")).status == 3  # DEVICE_BUSY
    odd.wait_for_children(0)
    with odd.client() as third:
        third.open("odd:0")


def test_any_fragmentation_of_a_request_is_accepted(client: Client) -> None:
    request = messages.Open("test:0").encode()
    for byte in request:
        client.send(bytes((byte,)))
    assert client.take(messages.OpenReply).status == 0


def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    handle = client.open()
    requests = [
        messages.GetParameters(handle),
        messages.GetDevices(),
        messages.Cancel(handle),
        messages.GetParameters(77),
        messages.Close(handle),
    ]
    client.send(b"".join(request.encode() for request in requests) + words(10))
    replies = [client.take(request.reply) for request in requests]
    assert [getattr(reply, "status", 0) for reply in replies] == [0, 0, 0, 4, 0]
    assert client.is_closed()


def test_a_client_that_closes_its_half_still_gets_its_answers(client: Client) -> None:
    import socket

    client.send(messages.GetDevices().encode() * 3)
    client.sock.shutdown(socket.SHUT_WR)
    for _ in range(3):
        assert len(client.take(messages.DevicesReply).devices) == 2
    assert client.is_closed()


# Devices and handles


def test_devices_are_listed_as_the_specification_captured_them(client: Client) -> None:
    client.send(words(1))
    expected = (
        "00000000 00000003 00000000 00000007 746573743a3000 00000007 4e6f6e616d6500 00000010"
        "66726f6e74656e642d74657374657200 0000000f 7669727475616c2064657669636500 00000000"
        "00000007 746573743a3100 00000007 4e6f6e616d6500 00000010"
        "66726f6e74656e642d74657374657200 0000000f 7669727475616c2064657669636500 00000001"
    )
    assert client.receive(len(bytes.fromhex(expected))) == bytes.fromhex(expected)


def test_no_devices_are_an_empty_list_and_no_first_device(tmp_path: Path) -> None:
    with Saned(configure(tmp_path, "# nothing\n")) as server, server.client() as client:
        client.send(words(1))
        assert client.receive(12) == words(0, 1, 1)
        client.send(words(2, 1) + b"\0")
        assert client.receive(12) == words(4, 0, 0)


def test_open_without_a_name_opens_the_first_listed_device(tmp_path: Path) -> None:
    """Not the first backend's: that one may have none."""
    config = configure(tmp_path, "test\npnm\n")  # pnm is asked first
    with Saned(config) as server, server.client() as client:
        handle = client.open("")
        assert len(client.ask(messages.GetDescriptors(handle)).descriptors) == 57


def test_open_null_is_refused_and_the_connection_lives(client: Client) -> None:
    client.send(words(2, 0))
    assert client.receive(12) == words(4, 0, 0)
    assert client.ask(messages.GetDevices()).status == 0


@pytest.mark.parametrize(
    "name",
    [
        *(":", ":x", "::", "test:7", "nonsense", "nonsense:0", "pnm:0", "pnm", "net:localhost:x"),
        *("net:", "dll:test:0", "pysane:test:0", "fakeusb:/etc/passwd:test:0", "../test:0"),
        *(
            "fakeusbout:/tmp/x:test:0",
            "fakeusbdev:test:0",
            "test.device:0",
            "x" * 100_000,
            "TEST:0",
        ),
        *("\udcff\udcfe", "test:0\n", " test:0"),
    ],
)
def test_open_reaches_no_further_than_dll_conf(client: Client, name: str) -> None:
    reply = client.ask(messages.Open(name))
    assert (reply.status, reply.handle, reply.resource) == (4, 0, None)
    assert client.ask(messages.GetDevices()).status == 0


def test_file_reading_backends_and_net_are_refused_even_if_enabled(tmp_path: Path) -> None:
    config = configure(tmp_path, "test\npnm\nnet\n", dll_aliases="alias harmless pnm:0\n")
    with Saned(config) as server, server.client() as client:
        listed = [device.name for device in client.ask(messages.GetDevices()).devices]
        assert listed == ["test:0", "test:1"]
        for name in ("pnm:0", "harmless", "net:localhost:test:0", "net:127.0.0.1"):
            assert client.ask(messages.Open(name)).status == 4


def test_file_reading_backends_are_shared_if_saned_conf_says_so(tmp_path: Path) -> None:
    config = configure(tmp_path, "pnm\n", saned_conf="share_files = yes\n")
    with Saned(config) as server, server.client() as client:
        assert [d.name for d in client.ask(messages.GetDevices()).devices] == ["pnm:0", "pnm:1"]
        client.open("pnm:0")


def test_an_alias_is_listed_and_opened(tmp_path: Path) -> None:
    config = configure(tmp_path, dll_aliases='alias "my scanner" test:1\nhide test:0\n')
    with Saned(config) as server, server.client() as client:
        assert [d.name for d in client.ask(messages.GetDevices()).devices] == ["my scanner"]
        client.open("my scanner")


@pytest.mark.parametrize("handle", [0, 1, 77, -1, -(1 << 31), 0x7FFFFFFF])
def test_requests_on_a_handle_that_is_not_open_are_answered(client: Client, handle: int) -> None:
    client.send(words(3, handle) + words(8, handle))
    assert client.receive(8) == words(0, 0)
    client.send(words(4, handle))
    assert client.receive(4) == words(0)
    client.send(words(6, handle))
    assert client.receive(28) == words(4, 0, 0, 0, 0, 0, 0)
    client.send(words(7, handle))
    assert client.receive(16) == words(4, 0, 0x1234, 0)
    client.send(words(5, handle, 0, 0, 1, 4, 1, 0))
    assert client.receive(28) == words(4, 0, 1, 4, 1, 0, 0)
    assert client.ask(messages.GetDevices()).status == 0


def test_two_handles_of_one_connection_are_independent(client: Client) -> None:
    first, second = client.open("test:0"), client.open("test:1")
    assert first != second
    for handle, dpi in ((first, 100), (second, 75)):
        value = struct.pack("=i", dpi << 16)
        reply = client.ask(messages.ControlOption(handle, 7, 1, 2, 4, value))
        assert (reply.status, reply.value) == (0, value)
    for handle, dpi in ((first, 100), (second, 75)):
        reply = client.ask(messages.ControlOption(handle, 7, 0, 2, 4, bytes(4)))
        assert reply.value == struct.pack("=i", dpi << 16)
    client.ask(messages.Close(first))
    assert client.ask(messages.GetParameters(first)).status == 4
    assert client.ask(messages.GetParameters(second)).status == 0


def test_a_live_handle_is_never_given_out_again(client: Client) -> None:
    kept = client.open("test:1")
    seen = set()
    for _ in range(40):
        handle = client.open("test:0")
        seen.add(handle)
        assert handle != kept
        client.ask(messages.Close(handle))
    assert len(seen) > 1


def test_handles_are_limited(tmp_path: Path) -> None:
    folder = configure(tmp_path, saned_conf="max_handles = 2\n")
    (folder / "test.conf").write_text("number_of_devices 4\n")
    with Saned(folder) as server, server.client() as client:
        first = client.open("test:0")
        client.open("test:1")
        assert client.ask(messages.Open("test:2")).status == 10  # NO_MEM
        client.ask(messages.Close(first))
        client.open("test:2")


def test_a_device_that_is_open_is_busy(client: Client) -> None:
    client.open("test:0")
    assert client.ask(messages.Open("test:0")).status == 3


def test_two_clients_scan_on_two_devices_at_once(shared: Saned) -> None:
    with shared.client() as one, shared.client() as other:
        streams = [one.start(one.open("test:0")), other.start(other.open("test:1"))]
        images = [read_all(stream) for stream in streams]
    assert images[0] == images[1]
    assert len(images[0]) > 10_000


def test_a_version_2_client_gets_the_layout_of_its_set_auto(shared: Saned) -> None:
    with shared.connect() as client:
        client.send(words(0, 0x01000002, 0))
        assert client.receive(8) == words(0, ADVERTISED)
        handle = client.open()
        client.send(words(5, handle, 3, 2, 1, 0, 0))  # a value of size 0
        assert client.take(messages.ControlReply).status == 4  # depth cannot be chosen so
        assert client.ask(messages.GetDevices()).status == 0


def test_a_driver_whose_texts_cannot_be_sent_costs_only_its_reply(odd: Saned) -> None:
    with odd.client() as client:
        handle = client.open("odd:0")
        index = 13
        reply = client.ask(messages.ControlOption(handle, index, 1, 0, 4, struct.pack("=i", 1)))
        assert reply.status == 0
        assert client.ask(messages.GetDescriptors(handle)).descriptors == []
        reply = client.ask(messages.ControlOption(handle, index, 1, 0, 4, struct.pack("=i", 0)))
        assert reply.status == 0
        assert client.ask(messages.GetDescriptors(handle)).descriptors[index].name == "unprintable"


def test_processes_of_clients_end_with_them(shared: Saned) -> None:
    assert wait_until(lambda: shared.children() == [])
