"""The emulated Canon scanner: framing, refusals, sessions, feeder, packets and faults."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sane.testing.pixma import MODELS, Answer, Scanner
from sane.testing.pixma.buttons import packet
from sane.testing.pixma.network import BJNP, HEADER, MFNP, PORTS, Emulator
from sane.testing.pixma.optics import positions
from sane.testing.pixma.request import summed
from tests import ROOT
from tests.support.ports import loopback_address

DONE, FAILED = b"\x06\x06", b"\x15\x15"
PIECE = 1000


def command(code: str, parameters: bytes = b"", answer: int = 0) -> bytes:
    """Return a command with 16 bytes before its parameters."""
    return (
        bytes.fromhex(code).ljust(12, b"\0")
        + struct.pack(">I", len(parameters) or answer)
        + (parameters)
    )


def old_command(code: str, parameters: bytes = b"", answer: int = 0) -> bytes:
    """Return a command with 10 bytes before its parameters."""
    head = bytes.fromhex(code).ljust(7, b"\0")
    return head + struct.pack(">Hx", len(parameters) or answer) + parameters


def ask(scanner: Scanner, data: bytes) -> bytes:
    """Send a command; return the transfers that answer it, joined."""
    scanner.take(data)
    answer = b"".join(scanner.replies)
    scanner.replies.clear()
    return answer


def window(
    *, source: int = 1, duplex: int = 1, dpi: int = 75, width: int = 64, lines: int = 10
) -> bytes:
    """Return the parameters of D820 for a gray image in the corner."""
    data = bytearray(55)
    data[0], data[2] = source, duplex
    struct.pack_into(">HHIIIIBB", data, 8, dpi | 0x8000, dpi | 0x8000, 0, 0, width, lines, 4, 8)
    return summed(bytes(data))


def read(scanner: Scanner) -> tuple[int, bytes]:
    """Return flags and data of the next image block."""
    block = ask(scanner, command("D420", answer=0x80008))
    assert block[:8] == DONE + bytes(6), block[:16].hex()
    assert int.from_bytes(block[12:16], "big") == len(block) - 16
    return block[8], block[16:]


@pytest.fixture
def scanner() -> Scanner:
    """Return a scanner of generation 3, which has no dialog in XML, with a session begun."""
    found = Scanner("MX860", sheets=2)
    assert ask(found, command("DB20"))[:2] == DONE
    return found


def start(scanner: Scanner, parameters: bytes) -> bytes:
    """Begin a page; return the status of the first command that failed, or of the last."""
    status = ask(scanner, command("D820", parameters))[:2]
    return status if status != DONE else ask(scanner, command("D920"))[:2]


def test_a_page_is_sent_to_its_end(scanner: Scanner) -> None:
    assert start(scanner, window()) == DONE
    assert ask(scanner, command("DA20", answer=8))[8] == 1
    flags, data = read(scanner)
    assert (flags, len(data)) == (0x28, 640)
    assert data[:3] == bytes((7, 12, 17))  # 5 x + 3 y + 7
    assert data[64] == 10
    assert ask(scanner, command("D420", answer=0x80008))[:2] == FAILED  # it is all


@pytest.mark.parametrize(
    "data",
    [
        command("D820", window()[:-1] + b"\x01"),  # checksum
        command("D820", window()[:-1]),
        command("F320", answer=12),  # has 16 bytes in this generation
        command("DE20", bytes(48)),  # of older ones
        command("1234"),
        b"\xdb\x20",
        b"",
    ],
)
def test_what_no_scanner_obeys_is_refused(scanner: Scanner, data: bytes) -> None:
    assert ask(scanner, data)[:2] == FAILED
    assert len(scanner.problems) == 1


def test_parameters_need_a_session(scanner: Scanner) -> None:
    assert ask(scanner, command("EF20"))[:2] == DONE
    assert start(scanner, window()) == FAILED


def test_a_session_needs_a_job_where_there_are_jobs() -> None:
    assert ask(Scanner("MP560"), command("DB20"))[:2] == FAILED


def test_sheets_and_their_sides(scanner: Scanner) -> None:
    """Each side begins with a window; the end of the last one says that there is no more."""
    ends = []
    for _ in range(4):
        assert start(scanner, window(source=2, duplex=3)) == DONE
        flags, data = read(scanner)
        ends.append((flags, data[0]))
    assert ends == [(0x28, 7), (0x28, 20), (0x28, 38), (0x38, 51)]  # + 13 back, + 31 a sheet
    assert ask(scanner, command("F320", answer=16))[9] == 1
    assert start(scanner, window(source=2, duplex=3)) == FAILED


def test_an_abort_throws_the_sheet_out(scanner: Scanner) -> None:
    assert start(scanner, window(source=2, duplex=3)) == DONE
    ask(scanner, command("EF20"))
    ask(scanner, command("DB20"))
    assert start(scanner, window(source=2, duplex=3)) == DONE
    assert read(scanner)[1][0] == 38


def test_blocks_and_their_ends(scanner: Scanner) -> None:
    scanner.block_bytes = 496
    scanner.ends_apart = True
    start(scanner, window())
    # A transfer of exactly 512 bytes would be read again: the block is a byte shorter.
    assert [
        (flags, len(data)) for flags, data in (read(scanner), read(scanner), read(scanner))
    ] == [
        (0, 495),
        (0x20, 145),
        (0x28, 0),
    ]


@pytest.mark.parametrize("more", [-3, 2])
def test_pages_may_be_longer_and_shorter(scanner: Scanner, more: int) -> None:
    scanner.more_lines = more
    start(scanner, window())
    assert len(read(scanner)[1]) == 64 * (10 + more)


def test_answers_that_tests_want(scanner: Scanner) -> None:
    scanner.inject("F320", Answer(0x1414), Answer(spoils=True), Answer(whole=b""), after=1)
    answers = [ask(scanner, command("F320", answer=16)) for _ in range(5)]
    assert [len(answer) for answer in answers] == [24, 8, 24, 0, 24]
    assert [answer[:2] for answer in answers[:2]] == [DONE, b"\x14\x14"]
    assert [bool(sum(answer[8:]) & 0xFF) for answer in answers] == [
        False,
        False,
        True,
        False,
        False,
    ]
    scanner.inject("D420", Answer(flags=0x40, more=5))
    start(scanner, window())
    block = ask(scanner, command("D420", answer=0x80008))
    assert (block[8], block[12:16]) == (0x68, (645).to_bytes(4, "big"))


def test_late_checksums() -> None:
    scanner = Scanner("MF4270")
    good, late = bytes((1, 0, 0, 4, 0, 0, 0, 0, 0xFB, 5)), summed(bytes((1, 0, 0, 4)) + bytes(5))
    assert ask(scanner, old_command("CF60", good)) == DONE
    assert ask(scanner, old_command("CF60", late)) == FAILED
    assert ask(Scanner("MF3240"), old_command("CF60", late)) == DONE


@pytest.mark.parametrize(("model", "sizes"), [("MF4410", [3080]), ("MF3240", [8, 3072])])
def test_blocks_of_laser_units(model: str, sizes: list[int]) -> None:
    """One transfer or two, 32 x 32 pixels of three samples."""
    scanner = Scanner(model)
    data = bytearray(45)
    struct.pack_into(">HHIIIIBB", data, 4, 0x104B, 0x104B, 0, 0, 32, 32, 8, 24)
    assert ask(scanner, old_command("DB20")) == DONE
    assert ask(scanner, old_command("DD20", summed(b"\1".ljust(9, b"\0")))) == DONE
    assert ask(scanner, old_command("DE20", summed(bytes(data)))) == DONE
    number = bytes.fromhex("D460" if model == "MF4410" else "D420")
    assert ask(scanner, number + bytes(7) + b"\x00\x06") == DONE + bytes(6)
    scanner.take(number + bytes(6) + b"\x04\x00\x06")
    assert [len(part) for part in scanner.replies] == sizes
    assert scanner.replies[0][2] == 0x28


@pytest.mark.parametrize("name", MODELS)
def test_every_pixel_of_a_line_is_sent_once(name: str) -> None:
    for dpi in (75, 300, 600, 1200, 2400, 4800, 9600):
        order = positions(MODELS[name].sensor, dpi, 960)
        assert order is None or sorted(order) == list(range(960))


def test_packets_of_buttons() -> None:
    assert packet(MODELS["MP600"], 1, target=3, original=2)[:2] == b"\x21\x03"
    assert packet(MODELS["MG5300"], 2, resolution=4)[7:13] == b"\x02\0\0\0\0\x04"
    assert packet(MODELS["MP740"])[7] == 0x10
    assert packet(MODELS["LIDE400"], 2)[19] == 6


class Host:
    """A host of an emulated scanner on the network."""

    def __init__(self, device: Emulator) -> None:
        self.magic = device.method.upper().encode()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.create_connection(device.address, 5)
        self.udp.connect(device.address)
        self.udp.settimeout(5)
        self.sequence = 0

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()

    def packet(self, code: int, payload: bytes, session: int) -> bytes:
        """Return the next packet."""
        self.sequence += 1
        return HEADER.pack(self.magic, 2, code, 0, self.sequence, session, len(payload)) + payload

    def ask(self, code: int, payload: bytes = b"", session: int = 0) -> tuple[int, bytes]:
        """Return session and payload of the answer to a datagram."""
        self.udp.send(self.packet(code, payload, session))
        data = self.udp.recv(4096)
        magic, kind, told, _zero, sequence, session, size = HEADER.unpack(data[:16])
        assert (magic, kind, told, sequence) == (self.magic, 0x82, code, self.sequence)
        assert size == len(data) - 16
        return session, data[16:]

    def send(self, code: int, payload: bytes = b"", session: int = 1) -> bytes:
        """Return the payload of the answer on the connection."""
        self.tcp.sendall(self.packet(code, payload, session))
        head = HEADER.unpack(self.tcp.recv(16, socket.MSG_WAITALL))
        assert head[:3] == (self.magic, 0x82, code) and head[4:6] == (self.sequence, session)
        return self.tcp.recv(head[6], socket.MSG_WAITALL) if head[6] else b""


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(Scanner("MX860"), port=0) as found:
        yield found


@pytest.fixture
def host(device: Emulator) -> Iterator[Host]:
    found = Host(device)
    yield found
    found.close()


def test_who_it_is(host: Host) -> None:
    session, addresses = host.ask(0x01)
    assert (session, addresses[:6]) == (0, bytes.fromhex("000108000604"))
    assert addresses[12:] == bytes((127, 0, 0, 1))
    text = host.ask(0x30)[1]
    assert int.from_bytes(text[:2], "big") == len(text) - 2
    assert b";MDL:MX860;" in text
    assert [host.ask(0x10, bytes(392))[0] for _ in range(2)] == [1, 2]


def test_mfnp_has_its_own_magic() -> None:
    with Emulator(Scanner("MF4800"), port=0, method=MFNP) as device:
        host = Host(device)
        assert host.ask(0x30)[1].startswith(b"MFG:Canon;")
        host.close()


def test_answers_come_in_pieces(device: Emulator, host: Host) -> None:
    """All but the last are equally long, and what was not read is forgotten at the next command."""
    device.piece_bytes = PIECE
    for sent in (command("DB20"), command("D820", window(width=320)), command("D920")):
        assert host.send(0x21, sent) == len(sent).to_bytes(4, "big")
        assert host.send(0x20)[:2] == DONE
    host.send(0x21, command("D420", answer=0x80008))
    assert [len(host.send(0x20)) for _ in range(5)] == [PIECE, PIECE, PIECE, 216, 0]
    host.send(0x21, command("F320", answer=16))
    host.send(0x21, command("FF20", answer=16))
    assert host.send(0x20) == DONE + bytes(22)


def test_an_event_is_told_until_it_was_taken(device: Emulator, host: Host) -> None:
    def polled(kind: int, key: int = 0) -> bytes:
        return host.ask(0x32, struct.pack(">H", kind).ljust(76, b"\0") + struct.pack(">I", key))[1]

    assert polled(1)[:4] == bytes(4)
    assert polled(2)[2] == 0
    device.scanner.press(1)
    told = [polled(2) for _ in range(2)]
    assert told[0] == told[1]
    assert (told[0][2], told[0][16]) == (0x80, 1)
    key = int.from_bytes(told[0][12:16], "big")
    assert polled(5, key + 1) == polled(5, key) == b"\0\0\0\1" + told[0][4:12] + bytes(24)
    assert polled(2)[2] == 0


@pytest.mark.parametrize("data", [b"", b"BJNP", b"XXXX" + bytes(12), b"BJNP\x82\x01" + bytes(10)])
def test_other_datagrams_are_not_answered(host: Host, data: bytes) -> None:
    host.udp.send(data)
    assert host.ask(0x30)  # the first answer is to this


def test_a_stranger_on_the_connection_is_hung_up_on(host: Host) -> None:
    host.tcp.sendall(b"GET / HTTP/1.0\r\n")
    assert host.tcp.recv(1) == b""


def test_tampered_answers(device: Emulator, host: Host) -> None:
    device.tamper = lambda packet, answer: None if packet.code == 0x10 else answer
    host.udp.settimeout(0.1)
    with pytest.raises(TimeoutError):
        host.ask(0x10)
    assert host.ask(0x01)
    assert [packet.code for packet in device.log] == [0x10, 0x01]


def test_the_program_answers_until_it_is_told_to_end() -> None:
    host = loopback_address(PORTS[BJNP])
    command = [sys.executable, "-m", "sane.testing.pixma", "--model", "MP150", "--host", host]
    with subprocess.Popen(
        [*command, "--trace", "--press", "1"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"pixma.conf: bjnp://{host}\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(20)
            udp.sendto(HEADER.pack(b"BJNP", 2, 0x30, 0, 7, 0, 0), (host, PORTS[BJNP]))
            assert b"MDL:MP150;" in udp.recv(4096)
        assert process.stderr.readline().startswith("udp 30 #7")
        process.terminate()
        assert process.wait(20) == 0


def test_the_program_says_what_is_wrong() -> None:
    command = [sys.executable, "-m", "sane.testing.pixma", "--host", "192.0.2.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[:20]) == (2, "sane.testing.pixma: ")
