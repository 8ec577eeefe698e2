"""Clients that break every rule: the server goes on, and leaks nothing (net-protocol 2.7, 9)."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.wire import messages
from sane.wire.codec import ARRAY_BYTES
from tests.support.saned import Client, Saned, configure, read_all, split_frame
from tests.support.saned_requests import INT, STRING, ask, words
from tests.support.timing import wait_until

INIT = messages.Init(0x01000003, "joe").encode()
SAMPLES: dict[str, bytes] = {
    "INIT": b"",
    "GET_DEVICES": messages.GetDevices().encode(),
    "OPEN": messages.Open("test:0").encode(),
    "CLOSE": messages.Close(0).encode(),
    "GET_OPTION_DESCRIPTORS": messages.GetDescriptors(0).encode(),
    "CONTROL_OPTION": messages.ControlOption(0, 2, 1, 3, 6, b"Color\0").encode(),
    "SET_AUTO": messages.ControlOption(0, 2, 2, 0, 0, b"").encode(),
    "GET_PARAMETERS": messages.GetParameters(0).encode(),
    "START": messages.Start(0).encode(),
    "CANCEL": messages.Cancel(0).encode(),
    "AUTHORIZE": messages.Authorize("test$MD5$0", "joe", "secret").encode(),
    "EXIT": messages.Exit().encode(),
}


class Health:
    """What a server holds before it is abused; check() compares."""

    def __init__(self, server: Saned) -> None:
        self.server = server
        server.wait_for_children(0)
        self.descriptors = self.count()

    def count(self) -> int:
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def check(self) -> None:
        """Check that it still serves, and that nothing of anybody is left."""
        with self.server.client() as client:
            image, _ = split_frame(read_all(client.start(client.open())))
            assert len(image) > 10_000
        self.server.wait_for_children(0)
        assert self.count() == self.descriptors
        assert len(os.listdir(f"/proc/{self.server.process.pid}/task")) == 1


@pytest.fixture
def health(shared: Saned) -> Iterator[Health]:
    health = Health(shared)
    yield health
    health.check()


def drain(client: Client) -> bytes:
    """Return what the server still sends; it must close soon."""
    client.sock.settimeout(10)
    data = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while more := client.sock.recv(1 << 16):
            data += more
    return data


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("is_open", [False, True], ids=["no device", "a device"])
def test_a_request_that_is_cut_anywhere_ends_with_its_connection(
    health: Health, name: str, is_open: bool
) -> None:
    whole = SAMPLES[name] or INIT
    for size in range(len(whole)):
        with health.server.connect() as client:
            if name != "INIT":
                client.send(INIT)
                client.take(messages.InitReply)
                if is_open:
                    client.open()
            client.send(whole[:size])
            client.sock.shutdown(socket.SHUT_WR)
            assert drain(client) == b""


@pytest.mark.parametrize("count", [ARRAY_BYTES + 1, 0x7FFFFFFF, -1, -(1 << 31)])
@pytest.mark.parametrize("opcode", [2, 9], ids=["OPEN", "AUTHORIZE"])
def test_cve_2003_0775_and_0778_a_garbage_length_allocates_nothing(
    health: Health, opcode: int, count: int
) -> None:
    with health.server.client() as client:
        client.send(words(opcode, count))
        assert client.is_closed()


def test_cve_2003_0778_arrays_within_the_limit_cost_no_more_than_they_send(health: Health) -> None:
    """A count alone, even a legal one, takes no memory."""
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(health.server.client()) for _ in range(10)]
        for client in many:
            client.send(words(2, ARRAY_BYTES) + b"x" * 10)
        for pid in health.server.children():
            status = Path(f"/proc/{pid}/status").read_text()
            resident = int(status.partition("VmRSS:")[2].split()[0])
            assert resident < 60_000


def test_cve_2003_0776_an_unknown_opcode_is_refused_before_its_arguments(health: Health) -> None:
    for opcode in (11, 12, 255, 256, 65536, 0x7FFFFFFF, -1):
        with health.server.client() as client:
            client.send(words(opcode))  # nothing more: it must not wait for any
            assert client.is_closed()


def test_cve_2003_0774_and_0777_a_dropped_connection_shows_no_half_text(health: Health) -> None:
    begin = len(health.server.log)
    with health.server.connect() as client:
        client.send(words(0, 3, 100) + b"half a name")
    health.server.wait_for("ended", begin=begin)
    assert "half a name" not in health.server.log


SECRET = b"\xaa" * 64


def test_cve_2017_6318_a_short_array_reads_no_memory(health: Health) -> None:
    """A GET of a text whose array is shorter than its size got the heap behind it."""
    with health.server.client() as client:
        handle = client.open()
        for sent in (0, 1, 3):
            for size in (6, 100, 4096, ARRAY_BYTES):
                reply = ask(client, handle, 2, 0, STRING, size, sent, value=SECRET[:sent])
                if reply.status == 0:
                    assert sent == 0
                    assert reply.value == b"Gray".ljust(size, b"\0")
                else:
                    assert (reply.status, reply.value) == (4, b"")


def test_hole_1_sizes_of_values_are_not_trusted(health: Health) -> None:
    lies = ((0, 0, INT, 8, 1), (39, 0, INT, 4, 1), (0, 0, INT, -4, 1), (0, 0, INT, 4, 0))
    with health.server.client() as client:
        handle = client.open()
        for fields in lies:
            count = fields[-1]
            reply = ask(client, handle, *fields, value=bytes(4 * count))
            assert reply.status == 4
            assert len(reply.value) <= 4 * count


def test_hole_2_set_auto_returns_no_memory(health: Health) -> None:
    with health.server.client() as client:
        handle = client.open()
        for number in range(57):
            client.send(words(5, handle, number, 2))
            reply = client.take(messages.ControlReply)
            assert (reply.value_size, reply.value) == (0, b"")


def test_hole_3_nothing_follows_the_end_of_a_frame(health: Health) -> None:
    with health.server.client() as client:
        handle = client.open()
        for _ in range(20):
            assert split_frame(read_all(client.start(handle)))[1] == bytes.fromhex("ffffffff05")


def test_hole_4_long_names_and_passwords_overflow_nothing(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_users="joe:secret:test\n")
    with Saned(config) as server:
        health = Health.__new__(Health)
        health.server, health.descriptors = server, 0
        for size in (127, 128, 129, 5000, 1_000_000):
            with server.client() as client:
                client.send(messages.Open("test:0").encode())
                resource = client.take(messages.OpenReply).resource
                client.send(messages.Authorize(resource, "j" * size, "s" * size).encode())
                assert client.take(messages.Acknowledgement).dummy == 0
                assert client.take(messages.OpenReply).status == 11
                assert client.ask(messages.GetDevices()).status == 0


@pytest.mark.parametrize(
    "name",
    [
        ":",
        ":test:0",
        "fakeusb:x:test:0",
        "fakeusbdev:x:test:0",
        "fakeusbout:/x:test:0",
        "net:h:test",
    ],
)
def test_hole_5_no_name_goes_around_the_password(tmp_path: Path, name: str) -> None:
    config = configure(tmp_path, saned_users="joe:secret:test\n")
    with Saned(config) as server, server.client() as client:
        reply = client.ask(messages.Open(name))
        assert (reply.status, reply.resource) == (4, None)


def test_hole_7_close_while_streaming_and_open_of_null_crash_nothing(health: Health) -> None:
    with health.server.client() as client:
        for _ in range(20):
            handle = client.open()
            client.ask(messages.Start(handle))
            client.ask(messages.Close(handle))
            assert client.ask(messages.Open(None)).status == 4


def test_hole_11_a_text_without_an_end_is_ended(health: Health) -> None:
    with health.server.client() as client:
        handle = client.open()
        found = client.ask(messages.GetDescriptors(handle)).descriptors
        enable = next(i for i, d in enumerate(found) if d.name == "enable-test-options")
        ask(client, handle, enable, 1, 0, 4, 1, 1)
        found = client.ask(messages.GetDescriptors(handle)).descriptors
        number = next(i for i, d in enumerate(found) if d.name == "string")
        size = found[number].size
        reply = ask(client, handle, number, 1, STRING, size, size, value=b"x" * size)
        assert reply.status == 0
        reply = ask(client, handle, number, 0, STRING, size, size, value=bytes(size))
        assert reply.value == b"x" * (size - 1) + b"\0"


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_end_one_connection_each(health: Health, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        with health.server.connect() as client:
            if rng.random() < 0.8:
                client.send(INIT)
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                client.send(rng.randbytes(rng.choice((1, 4, 17, 300, 20_000))))
                client.sock.shutdown(socket.SHUT_WR)
            drain(client)


@pytest.mark.parametrize("seed", range(8))
def test_requests_in_any_order_get_their_replies(health: Health, seed: int) -> None:
    """Well-formed, but with any handles and numbers: as many replies as requests."""
    rng = random.Random(seed)
    small = (-1, 0, 1, 2, 3, 7, 57, 1 << 30, -(1 << 31))

    def word() -> int:
        return rng.choice(small)

    with health.server.client() as client:
        for _ in range(120):
            request = rng.choice(
                (
                    messages.GetDevices(),
                    messages.Open(rng.choice(("test:0", "test:1", "", "x", None))),
                    messages.Close(word()),
                    messages.GetDescriptors(word()),
                    messages.ControlOption(
                        word(), word(), rng.choice((0, 1, 7)), *random_value(rng)
                    ),
                    messages.ControlOption(word(), word(), 2, 0, 0, b""),
                    messages.GetParameters(word()),
                    messages.Start(word()),
                    messages.Cancel(word()),
                )
            )
            client.ask(request)


def random_value(rng: random.Random) -> tuple[int, int, bytes]:
    kind = rng.randrange(6)
    data = rng.randbytes(rng.choice((0, 4, 8, 24))) if kind < 4 else b""
    size = rng.choice((len(data), len(data), 0, 4, -1, 1 << 30))
    return kind, size, data


# Slow and many


def test_a_client_that_sends_a_byte_now_and_then_is_given_up(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_conf="request_timeout = 1\n")
    with Saned(config) as server, server.client() as slow:
        begin = time.monotonic()
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for byte in messages.Open("t" * 1000).encode():
                slow.send(bytes((byte,)))
                assert time.monotonic() - begin < 5
                if wait_until(lambda: server.children() == [], 0.1):
                    break
                with server.client() as other:
                    assert len(other.ask(messages.GetDevices()).devices) == 2


def test_a_client_that_reads_no_reply_is_given_up(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_conf="request_timeout = 1\n")
    with Saned(config) as server, server.client() as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        handle = client.open()
        request = messages.GetDescriptors(handle).encode()
        client.sock.settimeout(0.2)
        with contextlib.suppress(OSError):
            while True:
                client.send(request * 1000)
        assert wait_until(lambda: server.children() == [])


def test_hundreds_of_connects_leave_nothing(health: Health) -> None:
    for _ in range(500):
        with socket.create_connection((health.server.address, health.server.port)):
            pass
    health.server.wait_for_children(0)


def test_connects_that_are_reset_leave_nothing(health: Health) -> None:
    linger = struct.pack("=ii", 1, 0)
    for number in range(300):
        with health.server.connect() as client:
            if number % 2:
                client.send(INIT + messages.Open("test:0").encode())
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def test_a_client_that_never_fetches_its_data_disturbs_nobody(health: Health) -> None:
    with health.server.client() as lazy:
        lazy.ask(messages.Start(lazy.open()))
        with health.server.client() as other:
            image, _ = split_frame(read_all(other.start(other.open())))
            assert image


def test_a_client_that_stops_reading_disturbs_nobody(health: Health) -> None:
    from tests.support.saned_requests import set_word

    with health.server.client() as lazy:
        handle = lazy.open()
        set_word(lazy, handle, 7, 2, 1200 << 16)
        with lazy.start(handle), health.server.client() as other:
            image, _ = split_frame(read_all(other.start(other.open())))
            assert image
            lazy.close()
