"""The USB/IP server, byte by byte on 127.0.0.1, and the stock usbip tool."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sane.testing.usb.hosted import Device, Usbip
from tests import ROOT
from tests.conftest import ABSENT
from tests.fakes.loopback import BULK_IN, BULK_OUT, Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 10
LIST = bytes.fromhex("0111 8005 00000000")
IMPORT = bytes.fromhex("0111 8003 00000000")
EPIPE, EOVERFLOW, ECONNRESET = -32, -75, -104


class Client:
    """What the kernel does with the server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.settimeout(TIMEOUT)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError(f"{len(data)} bytes of {size}")
            data += piece
        return data

    def import_device(self, name: bytes) -> bytes:
        """Import; return the description, b"" if it is refused."""
        self.socket.sendall(IMPORT + name.ljust(32, b"\0"))
        version, code, status = struct.unpack(">HHI", self.receive(8))
        assert (version, code) == (0x0111, 3)
        return b"" if status else self.receive(312)

    def submit(self, number: int, address: int, data: bytes | int, setup: bytes = bytes(8)) -> None:
        """Send CMD_SUBMIT: *data* are bytes for OUT, how many for IN."""
        length, sent = (data, b"") if isinstance(data, int) else (len(data), data)
        head = struct.pack(">5I", 1, number, 0x10002, address >> 7, address & 15)
        self.socket.sendall(head + struct.pack(">IiiiI8s", 0, length, 0, 0, 0, setup) + sent)

    def unlink(self, number: int, target: int) -> None:
        head = struct.pack(">5I", 2, number, 0x10002, 0, 0)
        self.socket.sendall(head + struct.pack(">I24x", target))

    def answer(self, is_in: bool = True) -> tuple[int, int, int, bytes]:
        """Receive an answer; return command, number, status and data."""
        command, number, *_ = struct.unpack(">5I", self.receive(20))
        status, length = struct.unpack(">ii20x", self.receive(28))
        data = self.receive(length) if command == 3 and is_in else b""
        return command, number, status, data

    def write(self, number: int, data: bytes) -> int:
        """Write; return the status."""
        self.submit(number, BULK_OUT, data)
        return self.answer(is_in=False)[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Usbip]:
    with Usbip() as bus:
        yield bus


@pytest.fixture
def loopback(server: Usbip) -> Iterator[Device]:
    yield server.plug(Loopback)
    server.unplug_all()


@pytest.fixture
def client(server: Usbip, loopback: Device) -> Iterator[Client]:
    with Client(int(server.environment["USBIP_PORT"])) as client:
        yield client


@pytest.fixture
def attached(client: Client, loopback: Device) -> Client:
    assert client.import_device(loopback.name.encode())
    return client


def test_devices_are_listed_with_their_interfaces(client: Client, loopback: Device) -> None:
    client.socket.sendall(LIST)
    assert client.receive(12) == bytes.fromhex("0111 0005 00000000 00000001")
    description, interfaces = client.receive(312), client.receive(8)
    assert description[256:288].rstrip(b"\0") == loopback.name.encode()
    assert struct.unpack_from(">I", description, 296) == (3,)  # high speed
    assert struct.unpack_from(">3H", description, 300) == (0x1209, 0x0002, 0x0100)
    assert description[306:] == bytes((0, 0, 0, 1, 1, 2))
    assert interfaces == bytes((255, 255, 255, 0, 7, 1, 2, 0))


def test_an_import_is_described_and_resets(attached: Client, loopback: Device) -> None:
    assert [event.kind for event in loopback.trace()] == ["reset"]


def test_transfers_of_all_kinds(attached: Client) -> None:
    setup = bytes.fromhex("8006000100001200")
    attached.submit(1, 0x80, 18, setup)
    assert attached.answer()[:3] == (3, 1, 0)
    assert attached.write(2, b"Ehello") == 0
    attached.submit(3, BULK_IN, 100)
    assert attached.answer() == (3, 3, 0, b"hello")
    attached.submit(4, 0x00, b"abc", bytes.fromhex("4002000000000300"))
    assert attached.answer(is_in=False)[:3] == (3, 4, 0)
    attached.submit(5, 0x80, 10, bytes.fromhex("c001000000000a00"))
    assert attached.answer() == (3, 5, 0, b"abc")


def test_stall_and_babble_are_statuses(attached: Client) -> None:
    attached.submit(1, 0x80, 10, bytes.fromhex("c07f000000000a00"))
    assert attached.answer() == (3, 1, EPIPE, b"")
    assert attached.write(2, b"E" + bytes(100)) == 0
    attached.submit(3, BULK_IN, 14)
    assert attached.answer() == (3, 3, EOVERFLOW, b"")


def test_a_cancelled_transfer_is_never_answered(attached: Client) -> None:
    attached.submit(1, BULK_IN, 100)
    attached.unlink(2, 1)
    assert attached.answer() == (4, 2, ECONNRESET, b"")
    assert attached.write(3, b"Eabc") == 0
    attached.submit(4, BULK_IN, 100)
    assert attached.answer() == (3, 4, 0, b"abc")
    attached.unlink(5, 4)  # too late
    assert attached.answer() == (4, 5, 0, b"")


def test_answers_come_when_they_are_ready(attached: Client, loopback: Device) -> None:
    attached.submit(1, BULK_IN, 100)
    attached.submit(2, 0x83, 8)
    loopback.call("press", 5)
    assert attached.answer() == (3, 2, 0, b"\5")
    attached.submit(3, BULK_OUT, b"Eabc")
    assert attached.answer() == (3, 1, 0, b"abc")
    assert attached.answer(is_in=False)[:3] == (3, 3, 0)


def test_requests_may_arrive_in_pieces(client: Client, loopback: Device) -> None:
    for byte in IMPORT + loopback.name.encode().ljust(32, b"\0"):
        client.socket.sendall(bytes((byte,)))
    client.receive(320)
    head = struct.pack(">5I", 1, 9, 0, 0, 2) + struct.pack(">IiiiI8s", 0, 4, 0, 0, 0, bytes(8))
    for byte in head + b"Sabc":
        client.socket.sendall(bytes((byte,)))
    assert client.answer(is_in=False)[:3] == (3, 9, 0)
    assert loopback.outputs() == [b"Sabc"]


def test_a_device_is_attached_once(attached: Client, server: Usbip, loopback: Device) -> None:
    port = int(server.environment["USBIP_PORT"])
    with Client(port) as second:
        assert second.import_device(loopback.name.encode()) == b""
        assert second.import_device(b"9-9") == b""
    attached.submit(1, BULK_IN, 100)  # pending when it leaves
    attached.socket.close()
    with Client(port) as third:
        name = loopback.name.encode()  # the server reads of the end in its turn
        assert any(third.import_device(name) for _ in range(1000))
        assert third.write(1, b"Eabc") == 0
        third.submit(2, BULK_IN, 100)
        assert third.answer() == (3, 2, 0, b"abc")


def test_unplugging_ends_the_connection(attached: Client, loopback: Device) -> None:
    attached.submit(1, BULK_IN, 100)
    loopback.unplug()
    assert attached.answer()[2] != 0
    assert attached.socket.recv(1) == b""


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("0106 8005 00000000"),  # another version
        bytes.fromhex("0111 8009 00000000"),  # an unknown request
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_garbage_ends_the_connection_alone(
    server: Usbip, client: Client, loopback: Device, data: bytes
) -> None:
    client.socket.sendall(data)
    assert client.socket.recv(1) == b""
    with Client(int(server.environment["USBIP_PORT"])) as second:
        assert second.import_device(loopback.name.encode())


@pytest.mark.parametrize(
    "body",
    [
        struct.pack(">5I28x", 7, 1, 0, 0, 0),  # an unknown command
        struct.pack(">5IIi20x", 1, 1, 0, 0, 2, 0, 1 << 30),  # a gigabyte
        struct.pack(">5IIi20x", 1, 1, 0, 1, 1, 0, -1),
    ],
)
def test_garbage_after_the_import_ends_the_connection(attached: Client, body: bytes) -> None:
    attached.socket.sendall(body)
    assert attached.socket.recv(1) == b""


@pytest.mark.process
def test_the_stock_tool_lists_a_device(server: Usbip, loopback: Device) -> None:
    usbip = shutil.which("usbip", path="/usr/sbin:/usr/bin")
    if usbip is None:
        pytest.skip(f"{ABSENT}usbip")
    port = server.environment["USBIP_PORT"]
    command = [usbip, "--tcp-port", port, "list", "-r", "127.0.0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    assert f"{loopback.name}: " in done.stdout
    assert "(1209:0002)" in done.stdout


# The program


def program(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sane.testing.usb.usbip", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


@pytest.mark.process
def test_the_program_says_how_to_attach() -> None:
    words = ("tests.fakes.page_scanner:PageScanner", "width=16", "strings=('A', 'B')")
    with program(*words, "--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        assert lines[0] == f"{words[0]} (1209:0003) waits; to attach it:\n"
        assert "modprobe vhci-hcd" in lines[1]
        port = int(lines[2].split()[3])
        assert lines[2] == f"    sudo usbip --tcp-port {port} attach -r 127.0.0.1 -b 1-1\n"
        with Client(port) as client:
            assert client.import_device(b"1-1")
            assert client.write(1, b"I") == 0
            client.submit(2, BULK_IN, 8)
            assert client.answer()[3] == b"PAGE" + struct.pack("<HH", 16, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("tests.nothing:X",), "tests.nothing:X: No module named 'tests.nothing'"),
        (("tests.fakes.loopback:Nothing",), "has no attribute 'Nothing'"),
        (("tests.fakes.loopback:Loopback", "vender=1"), "no attribute 'vender'"),
        (("tests.fakes.loopback:Loopback", "vendor"), "'vendor' is not NAME=VALUE"),
        (("tests.fakes.loopback:Loopback", "--bind", "192.0.2.1"), "192.0.2.1 port 3240: "),
    ],
)
def test_mistakes_at_the_command_line_are_named(arguments: tuple[str, ...], text: str) -> None:
    with program(*arguments) as process:
        assert text in process.communicate(timeout=TIMEOUT)[1]
    assert process.returncode == 1
