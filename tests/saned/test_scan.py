"""Frames through the server: ports, records, ends, cancel (net-protocol 3.8, 5; 11: 45 to 64)."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path

import pytest

from sane.wire import messages
from tests.support.ports import free_ports
from tests.support.saned import Client, Saned, configure, read_all, split_frame
from tests.support.saned_requests import option, set_word, words
from tests.support.timing import wait_until

EOF_TAIL = bytes.fromhex("ffffffff05")
ORDER = 0x1234 if struct.pack("=H", 1) == b"\x01\x00" else 0x4321
STATUS_NAMES = (
    *("UNSUPPORTED", "CANCELLED", "DEVICE_BUSY", "INVAL", "EOF", "JAMMED", "NO_DOCS"),
    *("COVER_OPEN", "IO_ERROR", "NO_MEM", "ACCESS_DENIED"),
)
SLOW_BYTES = 100 * 1_000_000  # of a frame of the device odd with all its lines


def set_text(client: Client, handle: int, index: int, text: str) -> None:
    value = text.encode() + b"\0"
    reply = client.ask(messages.ControlOption(handle, index, 1, 3, len(value), value))
    assert reply.status == 0
    client.ask(messages.GetDescriptors(handle))


def expected_bytes(client: Client, handle: int) -> int:
    p = client.ask(messages.GetParameters(handle)).parameters
    return int(p.bytes_per_line * p.lines)


@pytest.fixture
def handle(client: Client) -> int:
    return client.open()


# The reply, and where the data waits


def test_start_is_answered_in_16_bytes_of_one_segment(client: Client, handle: int) -> None:
    client.send(words(7, handle))
    reply = client.sock.recv(100)
    status, port, order, resource = struct.unpack(">4i", reply)
    assert (status, order, resource) == (0, ORDER, 0)
    read_all(client.fetch(port))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.1.2.3"])
def test_data_waits_at_the_address_and_family_of_the_control_connection(
    tmp_path: Path, address: str
) -> None:
    with Saned(configure(tmp_path), address=address) as server, server.client() as client:
        with client.start(client.open()) as stream:
            assert stream.family == client.sock.family
            assert stream.getpeername()[0] == address
            image, tail = split_frame(read_all(stream))
        assert image
        assert tail == EOF_TAIL


def test_a_mapped_peer_is_served_through_a_dual_stack_listener(tmp_path: Path) -> None:
    """As systemd passes it: one socket for both families."""
    from tests.support.saned_starts import with_passed_sockets

    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.listen()
        port = listener.getsockname()[1]
        passed = with_passed_sockets(configure(tmp_path), [listener])
        with passed, Client("127.0.0.1", port) as client:
            assert client.ask(messages.Init(3, None)).status == 0
            image, tail = split_frame(read_all(client.start(client.open())))
    assert image
    assert tail == EOF_TAIL


# Records and the end


def test_records_hold_the_image_and_the_end_is_five_bytes(client: Client, handle: int) -> None:
    image, tail = split_frame(read_all(client.start(handle)))
    client.ask(messages.Cancel(handle))
    assert len(image) == expected_bytes(client, handle)
    assert tail == EOF_TAIL


def test_a_frame_can_follow_a_frame_without_cancel(client: Client, handle: int) -> None:
    set_text(client, handle, 2, "Color")
    set_word(client, handle, option(client, handle, "three-pass"), 0, 1)
    formats, lengths = [], []
    for _ in range(3):
        stream = client.start(handle)
        parameters = client.ask(messages.GetParameters(handle)).parameters
        formats.append((parameters.format, parameters.last_frame))
        lengths.append(len(split_frame(read_all(stream))[0]))
    assert formats == [(2, False), (3, False), (4, True)]
    assert len(set(lengths)) == 1


def test_parameters_of_a_short_frame_are_that_frames_even_when_it_was_sent(
    client: Client, handle: int
) -> None:
    """Its driver is at the next frame long before the client asks."""
    set_text(client, handle, 2, "Color")
    set_word(client, handle, option(client, handle, "three-pass"), 0, 1)
    for wanted in (2, 3, 4):
        data = read_all(client.start(handle))
        assert data.endswith(EOF_TAIL)
        assert client.ask(messages.GetParameters(handle)).parameters.format == wanted
    client.ask(messages.Cancel(handle))
    assert client.ask(messages.GetParameters(handle)).parameters.format == 2


@pytest.mark.parametrize("status", range(1, 12))
def test_a_failed_read_ends_the_frame_with_its_status(
    client: Client, handle: int, status: int
) -> None:
    name = STATUS_NAMES[status - 1]
    set_text(client, handle, option(client, handle, "read-return-value"), f"SANE_STATUS_{name}")
    data = read_all(client.start(handle))
    assert data == b"\xff\xff\xff\xff" + bytes((status,))
    assert client.ask(messages.GetParameters(handle)).status == 0


@pytest.mark.parametrize("kib", [1, 7, 1024])
def test_records_are_as_long_as_the_buffer(tmp_path: Path, kib: int) -> None:
    with Saned(configure(tmp_path), "-B", str(kib)) as server, server.client() as client:
        handle = client.open()
        set_word(client, handle, 7, 2, 300 << 16)
        data = read_all(client.start(handle))
        longest = int.from_bytes(data[:4], "big")
        assert longest == min(kib << 10, expected_bytes(client, handle))
        assert len(split_frame(data)[0]) == expected_bytes(client, handle)


# Cancel, and clients that leave


def slow(client: Client, handle: int) -> socket.socket:
    """Start a frame that takes a minute; return its stream after the first bytes."""
    set_word(client, handle, 7, 2, 1200 << 16)
    set_word(client, handle, option(client, handle, "read-delay"), 0, 1)
    set_word(client, handle, option(client, handle, "read-delay-duration"), 1, 200_000)
    stream = client.start(handle)
    assert stream.recv(1) == b"\0"
    return stream


def test_cancel_closes_the_data_without_a_marker(client: Client, handle: int) -> None:
    stream = slow(client, handle)
    client.send(words(8, handle))
    assert client.receive(4) == words(0)
    rest = b"\0" + read_all(stream)
    assert not rest.endswith(EOF_TAIL)
    assert len(rest) < 8_000_000
    assert client.ask(messages.GetParameters(handle)).status == 0
    set_word(client, handle, option(client, handle, "read-delay"), 0, 0)
    assert read_all(client.start(handle)).endswith(EOF_TAIL)


def test_requests_are_answered_during_a_frame(client: Client, handle: int) -> None:
    with slow(client, handle):
        assert client.ask(messages.GetParameters(handle)).parameters.depth == 8
        assert len(client.ask(messages.GetDevices()).devices) == 2
        client.send(words(7, handle))
        assert client.receive(16) == words(3, 0, ORDER, 0)
        other = client.open("test:1")
        assert read_all(client.start(other)).endswith(EOF_TAIL)
        client.ask(messages.Cancel(handle))


def test_a_client_that_drops_the_data_keeps_its_handle(client: Client, handle: int) -> None:
    slow(client, handle).close()
    set_delay = option(client, handle, "read-delay")
    assert wait_until(lambda: client.ask(messages.Start(handle)).status != 3)
    client.ask(messages.Cancel(handle))
    set_word(client, handle, set_delay, 0, 0)
    assert read_all(client.start(handle)).endswith(EOF_TAIL)


def test_close_during_a_frame_is_acknowledged(client: Client, handle: int) -> None:
    stream = slow(client, handle)
    client.send(words(3, handle))
    assert client.receive(4) == words(0)
    assert not read_all(stream).endswith(EOF_TAIL)
    client.open("test:0")


def test_exit_during_a_frame_ends_frame_and_connection(shared: Saned, client: Client) -> None:
    stream = slow(client, client.open())
    client.send(words(10))
    assert client.is_closed()
    assert not read_all(stream).endswith(EOF_TAIL)
    shared.wait_for_children(0)


def test_a_frame_whose_client_does_not_close_is_taken_after_a_while(client: Client) -> None:
    """SET is answered as by the original, which does not wait for the close at all."""
    handle = client.open()
    with client.start(handle) as stream:
        data = b""
        while not data.endswith(EOF_TAIL):
            data += stream.recv(65536)
        index = option(client, handle, "resolution")

        def is_set() -> bool:
            value = messages.ControlOption(handle, index, 1, 2, 4, struct.pack("=i", 100 << 16))
            return bool(client.ask(value).status == 0)

        assert wait_until(is_set, 5.0)


# The data connection


@pytest.fixture
def hasty(tmp_path: Path) -> Saned:
    config = configure(tmp_path, saned_conf="data_connect_timeout = 100\n")
    return Saned(config)


def test_data_that_nobody_fetches_in_time_is_given_up(hasty: Saned) -> None:
    with hasty, hasty.client() as client:
        handle = client.open()
        reply = client.ask(messages.Start(handle))
        hasty.wait_for("did not fetch the data")
        with pytest.raises(OSError):
            client.fetch(reply.port)
        assert client.ask(messages.GetParameters(handle)).status == 0
        assert read_all(client.start(handle)).endswith(EOF_TAIL)


def test_a_late_but_timely_connection_works(client: Client, handle: int) -> None:
    reply = client.ask(messages.Start(handle))
    for _ in range(100):
        assert client.ask(messages.GetParameters(handle)).status == 0
    assert read_all(client.fetch(reply.port)).endswith(EOF_TAIL)


def test_without_a_timeout_the_data_waits(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_conf="data_connect_timeout = 0\nidle_timeout = 1\n")
    with Saned(config) as server, server.client() as client:
        handle = client.open()
        reply = client.ask(messages.Start(handle))
        with socket.create_connection(("127.0.0.1", server.port)) as other:
            assert other  # the server is alive, and has not timed out
        assert not wait_until(lambda: "did not fetch" in server.log, 1.2)
        assert read_all(client.fetch(reply.port)).endswith(EOF_TAIL)


def test_hole_2002_data_goes_to_the_host_of_the_client_only(tmp_path: Path) -> None:
    """Everybody else is turned away, and the client still gets its frame."""
    with Saned(configure(tmp_path)) as server, contextlib.closing(socket.socket()) as sock:
        sock.bind(("127.0.0.9", 0))
        sock.connect(("127.0.0.1", server.port))
        client = Client("127.0.0.1", server.port)
        client.sock.close()
        client.sock = sock
        client.ask(messages.Init(3, None))
        reply = client.ask(messages.Start(client.open()))
        with socket.create_connection(("127.0.0.1", reply.port)) as intruder:
            intruder.settimeout(10)
            assert intruder.recv(1) == b""
        with contextlib.closing(socket.socket()) as stream:
            stream.bind(("127.0.0.9", 0))
            stream.settimeout(10)
            stream.connect(("127.0.0.1", reply.port))
            assert read_all(stream).endswith(EOF_TAIL)


def test_data_ports_come_from_the_range_and_again(tmp_path: Path) -> None:
    first = free_ports(2)
    config = configure(tmp_path, saned_conf=f"data_portrange = {first} - {first + 1}\n")
    with Saned(config) as server, server.client() as client:
        handle = client.open()
        used = []
        for _ in range(6):
            reply = client.ask(messages.Start(handle))
            assert reply.status == 0
            used.append(reply.port)
            assert read_all(client.fetch(reply.port)).endswith(EOF_TAIL)
        assert set(used) == {first, first + 1}


def test_an_exhausted_range_is_an_io_error(tmp_path: Path) -> None:
    first = free_ports(1)
    config = configure(tmp_path, saned_conf=f"data_portrange = {first} - {first}\n")
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        with Saned(config) as server, server.client() as client:
            handle = client.open()
            client.send(words(7, handle))
            assert client.receive(16) == words(9, 0, ORDER, 0)
            taken.close()
            assert read_all(client.start(handle)).endswith(EOF_TAIL)


# What a scan must not cost


def descriptor_count(server: Saned) -> int:
    (pid,) = server.children()
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_a_thousand_failed_starts_leak_no_descriptor(odd: Saned) -> None:
    with odd.client() as client:
        handle = client.open("odd:0")
        set_word(client, handle, option(client, handle, "failure"), 1, 7)
        assert client.ask(messages.Start(handle)).status == 7
        before = descriptor_count(odd)
        for _ in range(1000):
            assert client.ask(messages.Start(handle)).status == 7
        assert descriptor_count(odd) == before


def test_frames_leak_neither_descriptors_nor_threads(shared: Saned, client: Client) -> None:
    handle = client.open()
    read_all(client.start(handle))
    shared.wait_for_children(1)
    before = descriptor_count(shared)
    for _ in range(100):
        assert read_all(client.start(handle)).endswith(EOF_TAIL)
    client.ask(messages.Cancel(handle))
    assert descriptor_count(shared) <= before
    (pid,) = shared.children()
    assert wait_until(lambda: len(os.listdir(f"/proc/{pid}/task")) <= 2)


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("reads", [True, False], ids=["idle scanner", "idle reader"])
def test_a_frame_in_which_nothing_moves_costs_no_cpu(odd: Saned, reads: bool) -> None:
    with odd.client() as client:
        handle = client.open("odd:0")
        if reads:
            set_word(client, handle, option(client, handle, "block"), 0, 1)
        else:
            set_word(client, handle, option(client, handle, "lines"), 1, 1_000_000)
        with client.start(handle) as stream:
            assert stream.recv(1)
            (pid,) = odd.children()
            assert wait_until(lambda: settled(pid))
            before = cpu_ticks(pid)
            assert not wait_until(lambda: cpu_ticks(pid) > before + 1, 0.5)
            client.ask(messages.Cancel(handle))


def settled(pid: int) -> bool:
    """Tell whether a process has used no time for 50 ms."""
    before = cpu_ticks(pid)
    return not wait_until(lambda: cpu_ticks(pid) != before, 0.05)


def test_a_slow_reader_is_waited_for_and_cancel_is_served(odd: Saned) -> None:
    with odd.client() as client:
        handle = client.open("odd:0")
        set_word(client, handle, option(client, handle, "lines"), 1, 1_000_000)
        with client.start(handle) as stream:
            assert stream.recv(1)
            client.ask(messages.Cancel(handle))
            odd.wait_for("odd: finish True")
            assert len(read_all(stream)) < SLOW_BYTES
