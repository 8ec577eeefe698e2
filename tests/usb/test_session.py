"""The text format of recorded sessions, and the formats of others that are read."""

from __future__ import annotations

import gzip
import random
import struct
from pathlib import Path

import pytest

from sane.cli.session import main
from sane.record import BadSession
from sane.usb import session
from sane.usb.descriptors import BULK, INTERRUPT, Descriptors
from sane.usb.formats import load
from sane.usb.session import Record, RecordedDevice, parse
from tests import ROOT
from tests.fakes.usb import descriptor_bytes

DATA = ROOT / "tests" / "data" / "usb"
HEX = descriptor_bytes().hex(" ")
HEAD = f"pysane-usb 1\nprocess 7 at noon\ndevice 001:002 04b8:011e\n  {HEX}\n"
OPEN = "0.1 001:002 open interface 0 by epson2\n"


def records(text: str, path: str = "s.usb") -> list[Record]:
    (device,) = parse(text.splitlines(), path)
    return device.records


def test_records_are_read() -> None:
    text = HEAD + OPEN + (
        "0.2 001:002 out 02 2/2 ok\n  1b 40   |.@|\n"
        "# a comment\n\n"
        "0.3 001:002 in 81 40/512 timeout\n" + ("  " + "61 " * 32 + "\n  " + "61" * 8 + "\n")
        + "0.4 001:002 control c0 04 1234 0001 2/8 ok\n  01 02\n"
        "0.5 001:002 in 81 0/1 stall\n0.5 001:002 clear-halt 81 ok\n0.5 001:002 reset ok\n"
        "0.6 001:002 in 81 0/4 error: no memory for the transfer\n0.7 001:002 close\n"
    )  # fmt: skip
    found = records(text)
    assert [str(item) for item in found] == [
        "open", "out 02", "in 81", "control c0 04 1234 0001", "in 81", "clear-halt 81", "reset",
        "in 81", "close",
    ]  # fmt: skip
    assert [item.data for item in found[1:4]] == [b"\x1b@", b"a" * 40, b"\x01\x02"]
    assert [item.outcome for item in found[2:8]] == [
        "timeout", "ok", "stall", "ok", "ok", "error: no memory for the transfer",
    ]  # fmt: skip
    assert (found[2].size, found[3].size, found[1].where) == (512, 8, "s.usb:6")


def test_what_is_written_is_read_again() -> None:
    made = RecordedDevice(3, 44, Descriptors(descriptor_bytes()))
    made.texts = {"manufacturer": "EPSON", "product": "GT  X"}
    control = Record(session.CONTROL, 0, b"abc", 3, "ok")
    control.setup = (0x40, 5, 6, 7)
    for record in (
        Record(session.OPEN), Record(session.OUT, 2, bytes(range(100))), control,
        Record(session.IN, 0x81, b"", 512, "timeout"), Record(session.STREAM, 0x81),
        Record(session.LEFT, 0x81, b"rest"), Record(session.HALT, 0x81), Record(session.RESET),
        Record(session.CLOSE),
    ):  # fmt: skip
        made.add(record)
    lines = [session.MAGIC, "process 1 at noon", *session.device_lines(made)]
    for record in made.records:
        lines += session.record_lines(1.5, "003:044", record)
    (read,) = parse(lines, "s")
    assert (read.bus, read.address, read.descriptors.raw) == (3, 44, made.descriptors.raw)
    assert read.texts == {"manufacturer": "EPSON", "product": "GT X"}
    shown = [(str(item), item.data, item.size, item.outcome) for item in made.records]
    assert [(str(item), item.data, item.size, item.outcome) for item in read.records] == shown


def test_the_last_run_in_a_file_counts() -> None:
    again = HEAD.replace("pysane-usb 1\n", "").replace("process 7", "process 8")
    assert [str(item) for item in records(HEAD + OPEN + again + "1.0 001:002 close\n")] == ["close"]


def test_a_second_backend_of_the_same_process_adds_to_the_run() -> None:
    again = HEAD.replace("pysane-usb 1\n", "") + OPEN.replace("epson2", "epsonds")
    (device,) = parse((HEAD + OPEN + again).splitlines(), "s")
    assert [len(device.records_of(name)) for name in ("epson2", "epsonds", "test")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("0.1 001:002 out 02 1/1 ok", "1/1 with 0 bytes of data"),
        ("0.1 001:002 in 81 0/0", "a word is missing"),
        ("0.1 001:002 in 81 x/1 ok", "invalid literal"),
        ("0.1 001:002 in 81 0/1 splendid", "'splendid' is none of ok, timeout"),
        ("0.1 001:002 jump 81", "'jump' is none of out, in"),
        ("0.1 001:009 close", "a word is missing or unknown"),
        ("0.1 001:002 control c0 01 00", "a word is missing"),
        ("soon 001:002 close", "could not convert"),
        ("device 001:003 04b8:0001", "do not begin with a device descriptor"),
        ("0.1 001:002 in 81 1/1 ok\n  zz", "'zz' is not hexadecimal"),
        ("text 001:002 manufacturer A\n  00", "data without a record"),
    ],
)
def test_a_broken_line_is_named(line: str, text: str) -> None:
    with pytest.raises(BadSession, match=r"s\.usb:[56]: .*" + text):
        records(f"{HEAD}{line}\n")


def test_another_version_is_refused() -> None:
    with pytest.raises(BadSession, match="reads only 'pysane-usb 1'"):
        records("pysane-usb 2\n")


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.usb.gz"
    path.write_bytes(gzip.compress((HEAD + OPEN).encode()))
    assert len(load(str(path))[0].records) == 1
    path.write_bytes(path.read_bytes()[:2] + b"garbage")
    with pytest.raises(BadSession):
        load(str(path))


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<", b"<html/>", b"\xd4\xc3\xb2\xa1"])
def test_what_is_no_session_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(BadSession, match=str(path)):
        load(str(path))


# What the original stack records (made by the original library on tests/fakes/loopback.py)


def test_a_capture_of_the_original_is_read() -> None:
    (device,) = load(str(DATA / "loopback-sanei.xml"))
    assert (device.descriptors.vendor, device.descriptors.product) == (0x1209, 2)
    endpoints = device.descriptors.interfaces[0].endpoints
    assert [(item.address, item.type) for item in endpoints] == [
        (0x02, BULK), (0x81, BULK), (0x83, INTERRUPT),
    ]  # fmt: skip
    shown = [f"{item} {item.data[:4].hex()}/{item.size} {item.outcome}" for item in device.records]
    assert shown == [
        "control c0 01 0000 0000 6e6f6e65/64 ok",
        "control 40 02 1234 0001 616263/3 ok",
        "control c0 01 0000 0000 61626365/64 ok",
        "out 02 45666f6f/4 ok",
        "in 81 666f6f/3 ok",
        "in 81 /0 timeout",
        "out 02 3f/1 ok",
        "in 81 /0 timeout",
        "in 83 /0 timeout",
    ]
    assert device.records[3].where.endswith("loopback-sanei.xml, seq 4")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<transactions>", "<transaction>"),
        ('direction="OUT">3f', 'direction="OUT">3g'),
        ('direction="OUT">3f', ">3f"),
        ('wLength="0x03"', 'wLength="many"'),
        ('id_vendor="0x1209" ', ""),
        ('address="0x81"', 'address=""'),
    ],
)
def test_a_broken_capture_of_the_original_is_named(tmp_path: Path, old: str, new: str) -> None:
    text = (DATA / "loopback-sanei.xml").read_text()
    assert old in text
    path = tmp_path / "c.xml"
    path.write_text(text.replace(old, new))
    with pytest.raises(BadSession, match=r"c\.xml"):
        load(str(path))


# What the kernel's monitor records


def urb(event: str, identity: int, kind: int, endpoint: int, **words: object) -> bytes:
    """Return a packet with the header of link type 220."""
    setup = words.get("setup", b"")
    data = words.get("data", b"")
    assert isinstance(setup, bytes)
    assert isinstance(data, bytes)
    length = words.get("length", len(data))
    captured = words.get("captured", len(data))
    return struct.pack(
        "<QBBBBHbbqiiII8siiII", identity, ord(event), kind, endpoint, 9, 1, 0 if setup else 45,
        0, 0, 0, words.get("status", 0), length, captured, setup.ljust(8, b"\0"), 0, 0, 0, 0,
    ) + data  # fmt: skip


def transfer(
    identity: int, endpoint: int, data: bytes, kind: int = 3, **words: object
) -> list[bytes]:
    """Return the two packets of a transfer."""
    setup = words.get("setup", b"")
    if endpoint & 0x80:
        return [
            urb("S", identity, kind, endpoint, length=words.get("length", 512), setup=setup),
            urb("C", identity, kind, endpoint, data=data, status=words.get("status", 0)),
        ]
    return [
        urb("S", identity, kind, endpoint, data=data, setup=setup),
        urb("C", identity, kind, endpoint, length=len(data), status=words.get("status", 0)),
    ]


def pcap(packets: list[bytes], link_type: int = 220) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link_type)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(p), len(p)) + p for p in packets)


def pcapng(packets: list[bytes], link_type: int = 220) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = 12 + len(body)
        return struct.pack("<II", kind, size) + body + struct.pack("<I", size)

    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    head += block(1, struct.pack("<HHI", link_type, 0, 1 << 18))
    head += block(5, bytes(12))  # statistics: skipped
    for packet in packets:
        head += block(6, struct.pack("<5I", 0, 0, 0, len(packet), len(packet)) + packet)
    return head


DESCRIPTORS = descriptor_bytes()
ENUMERATION = [
    *transfer(1, 0x80, DESCRIPTORS[:18], 2, setup=bytes.fromhex("8006000100001200")),
    *transfer(2, 0x80, DESCRIPTORS[18:27], 2, setup=bytes.fromhex("8006000200000900")),
    *transfer(3, 0x80, DESCRIPTORS[18:], 2, setup=bytes.fromhex("800600020000ff00")),
    *transfer(4, 0x00, b"", 2, setup=bytes.fromhex("0009010000000000")),
]
TALK = [
    *transfer(5, 0x02, b"\x1b@"),
    *transfer(6, 0x81, b"\x06"),
    *transfer(7, 0x81, b"", status=-32),
    *transfer(8, 0x00, b"", 2, setup=bytes.fromhex("0201000081000000")),
    *transfer(9, 0x80, b"ab", 2, setup=bytes.fromhex("c004341201000800")),
    *transfer(10, 0x81, b"", status=-2),
    *transfer(11, 0x81, b"", status=-108),
]
CUT = [urb("S", 12, 3, 2, length=9, data=b"abc"), urb("C", 12, 3, 2, length=9)]
SHOWN = [
    "out 02 1b40/2 ok", "in 81 06/512 ok", "in 81 /512 stall", "clear-halt 81 /0 ok",
    "control c0 04 1234 0001 6162/8 ok", "in 81 /512 timeout", "in 81 /512 unplugged",
]  # fmt: skip


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_a_capture_of_the_kernel_is_read(tmp_path: Path, form: object) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(form(ENUMERATION + TALK))  # type: ignore[operator]
    (device,) = load(str(path))
    assert (device.bus, device.address) == (1, 9)
    assert device.descriptors.raw == DESCRIPTORS
    assert [
        f"{item} {item.data.hex()}/{item.size} {item.outcome}" for item in device.records
    ] == SHOWN
    assert device.records[0].where == f"{path}, packet 10"


def test_transfers_in_flight_count_in_the_order_in_which_they_end(tmp_path: Path) -> None:
    first, second = transfer(1, 0x81, b"one"), transfer(2, 0x81, b"two")
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap([*ENUMERATION, first[0], second[0], first[1], second[1]]))
    assert [item.data for item in load(str(path))[0].records] == [b"one", b"two"]


def test_ids_complete_a_capture_without_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap(TALK))
    with pytest.raises(BadSession, match=r"append its ids: .*c\.pcap,VENDOR:PRODUCT"):
        load(str(path))
    (device,) = load(f"{path},04b8:0110")
    assert (device.descriptors.vendor, device.descriptors.product) == (0x04B8, 0x0110)
    assert [item.address for item in device.descriptors.interfaces[0].endpoints] == [2, 0x81]
    with pytest.raises(BadSession, match="is not VENDOR:PRODUCT"):
        load(f"{path},epson")


def test_a_capture_of_a_real_kernel_is_read() -> None:
    """A hub talks as well; the scanner was plugged in meanwhile."""
    (device,) = load(str(DATA / "page-usbmon.pcap"))
    assert (device.descriptors.vendor, device.descriptors.product) == (0x1209, 3)
    assert device.texts == {"manufacturer": "PySANE", "product": "page scanner"}
    (ours,) = load(str(DATA / "page-session.usb.gz"))
    assert device.descriptors.raw == ours.descriptors.raw

    def shown(records: list[Record]) -> list[tuple[str, int, str]]:
        return [(str(r), len(r.data), r.outcome) for r in records if r.what in ("in", "out")]

    assert shown(device.records) == shown(ours.records)
    assert [r.data for r in device.records if r.data] == [r.data for r in ours.records if r.data]


def test_devices_without_ids_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    other = [packet[:11] + b"\x04" + packet[12:] for packet in TALK]  # another address
    path.write_bytes(pcap([*TALK, *other]))
    with pytest.raises(BadSession, match="descriptors of device 1:4, 1:9"):
        load(f"{path},04b8:0110")
    path.write_bytes(pcap([*ENUMERATION, *TALK, *other]))
    assert [device.address for device in load(str(path))] == [9]
    assert [device.address for device in load(f"{path},04b8:0110")] == [4]


def test_a_capture_is_converted_to_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap(ENUMERATION + TALK))
    assert main([str(path)]) == 0
    text = capfd.readouterr().out
    assert f"process 0 converted from {path}" in text
    (device,) = parse(text.splitlines(), "s")
    assert not device.is_native
    assert [
        f"{item} {item.data.hex()}/{item.size} {item.outcome}" for item in device.records
    ] == SHOWN
    for words, status in (([], 2), (["--help"], 2), ([str(tmp_path)], 1), (["/nonexistent"], 1)):
        assert main(words) == status
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (pcap(TALK)[:-3], "cut short"),
        (pcapng(TALK)[:-3], "cut short"),
        (pcap(TALK, 1), "link type 1 is not usbmon's"),
        (pcapng([b"short"]), "packet 1 is too short"),
        (pcap([*ENUMERATION, *CUT]), "only 3 of 9 bytes were captured"),
    ],
)
def test_a_broken_capture_of_the_kernel_is_named(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(content)
    with pytest.raises(BadSession, match=text):
        load(str(path))


@pytest.mark.parametrize("name", ["loopback-sanei.xml", "page-usbmon.pcap", "session"])
def test_garbage_ends_in_a_session_or_in_the_one_error(tmp_path: Path, name: str) -> None:
    """Bytes changed, cut out and doubled, from a fixed seed."""
    whole = (
        HEAD + OPEN + "0.2 001:002 out 02 2/2 ok\n  1b 40 |.@|\n0.3 001:002 reset ok\n"
    ).encode()
    if name != "session":
        whole = (DATA / name).read_bytes()[:6000]
    source = random.Random(11)
    path = tmp_path / "x"
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(source.randrange(1, 6)):
            place = source.randrange(len(data))
            action = source.randrange(3)
            if action == 0:
                data[place] = source.randrange(256)
            elif action == 1:
                del data[place : place + source.randrange(1, 40)]
            else:
                data[place:place] = data[place : place + source.randrange(1, 40)]
        path.write_bytes(data)
        try:
            devices = load(str(path))
        except BadSession:
            continue
        for device in devices:
            device.records_of("page")
