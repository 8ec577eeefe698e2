"""Replay: answers as recorded, strict about what is sent; and the round trip with recording."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sane import errors
from sane.backend import Context, Device, UsbBackend
from sane.config import Environment
from sane.usb.bus import Bus
from sane.usb.handle import Stalled, TimedOut, Usb, UsbError
from tests import ROOT, TREE
from tests.conftest import ABSENT
from tests.fakes.loopback import Loopback
from tests.fakes.usb import descriptor_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sane.testing.usb.hosted import Umockdev

    Replay = Callable[..., Usb]

IN, OUT = 0x81, 0x02
HEAD = f"pysane-usb 1\nprocess 7 at noon\ndevice 001:002 04b8:011e\n  {descriptor_bytes().hex()}\n"
CLIENT = Path(__file__).with_name("client.py")
DATA = ROOT / "tests" / "data" / "usb"


def out(data: bytes, outcome: str = "ok") -> str:
    return f"0 001:002 out 02 {len(data)}/{len(data)} {outcome}\n  {data.hex()}\n"


def back(data: bytes, size: int = 0, outcome: str = "ok") -> str:
    return f"0 001:002 in 81 {len(data)}/{size or len(data)} {outcome}\n  {data.hex()}\n"


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """Return a function that opens the device of a session with some records."""

    def make(*records: str) -> Usb:
        path = tmp_path / "s.usb"
        path.write_text(HEAD + "0 001:002 open interface 0 by unnamed\n" + "".join(records))
        bus = Bus(Environment({"PYSANE_USB_REPLAY": str(path)}))
        (bus_device,) = bus.devices()
        return bus.open(bus_device)

    return make


def test_a_recorded_device_answers(replay: Replay) -> None:
    usb = replay(out(b"\x1b@"), back(b"\x06", 1), out(b"\x1bI"), back(b"abcd", 4))
    usb.write(OUT, b"\x1b@")
    assert usb.read(IN, 1) == b"\x06"
    usb.write(OUT, b"\x1bI")
    assert usb.read(IN, 64) == b"abcd"
    usb.close()


@pytest.mark.parametrize(
    ("records", "action", "text"),
    [
        ((out(b"\x1b@"),), "write 1b41", r"s\.usb:6: byte 1 differs: .* 1b 41 .* has 1b 40"),
        ((out(b"\x1b@"),), "write 1b", r"the driver sends 1 bytes, the recording has 2"),
        ((out(b"\x1b@"),), "write 1b4000", r"the driver sends 3 bytes, the recording has 2"),
        ((out(b"\x1b@"),), "read 1", r"the recording has out 02, the driver wants in 81"),
        ((back(b"x"),), "write 1b", r"the recording has in 81, the driver wants out 02"),
        ((), "write 1b", r"the recording has ended, the driver wants out 02"),
        ((back(b"x" * 100),), "read 14", r"asks for 14 bytes, the device sent 100: it would over"),
        ((back(b"x"),), "clear", r"the recording has in 81, the driver wants clear-halt 81"),
        ((back(b"x"),), "reset", r"the recording has in 81, the driver wants reset"),
        ((back(b"x"),), "control", r"the driver wants control c0 04 0000 0000"),
        (
            ("0 001:002 control c0 05 0000 0000 0/8 ok\n",),
            "control",
            r"the recording has control c0 05 0000 0000, the driver wants control c0 04",
        ),
    ],
)
def test_what_differs_is_shown_and_fails(
    replay: Replay, records: tuple[str, ...], action: str, text: str,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    usb = replay(*records)
    what, _, word = action.partition(" ")
    for _ in range(2):  # nothing works after a mismatch
        with pytest.raises(UsbError, match=text):
            if what == "write":
                usb.write(OUT, bytes.fromhex(word))
            elif what == "read":
                usb.read(IN, int(word))
            elif what == "control":
                usb.control(0xC0, 4, 0, 0, 8)
            else:
                usb.reset() if what == "reset" else usb.clear_halt(IN)
    assert capfd.readouterr().err.count("replay: ") == 1
    usb.close()


def test_recorded_failures_come_again(replay: Replay) -> None:
    usb = replay(
        back(b"", 9, "stall"), "0 001:002 clear-halt 81 ok\n", back(b"", 9, "timeout"),
        back(b"ab", 9, "cancelled"), back(b"c"), out(b"x", "timeout"), back(b"", 1, "unplugged"),
    )  # fmt: skip
    with pytest.raises(Stalled):
        usb.read(IN, 9)
    with pytest.raises(TimedOut):
        usb.read(IN, 9)
    with pytest.raises(errors.Cancelled):
        usb.read(IN, 9)
    assert [usb.read(IN, 9), usb.read(IN, 9)] == [b"ab", b"c"]
    with pytest.raises(TimedOut):
        usb.write(OUT, b"x")
    with pytest.raises(UsbError, match="unplugged"):
        usb.read(IN, 1)


def test_reads_may_be_cut_elsewhere_than_they_were(replay: Replay) -> None:
    page = bytes(range(256)) * 6
    usb = replay(back(page[:512]), back(page[512:1024]), back(page[1024:], 512))
    assert usb.read(IN, 1536) == page
    usb = replay(back(page, 2048))
    assert usb.read(IN, 1024) + usb.read(IN, 1024) == page


def test_a_short_packet_ends_a_read(replay: Replay) -> None:
    usb = replay(back(b"abcd", 4), back(b"efgh", 4))
    assert [usb.read(IN, 8), usb.read(IN, 8)] == [b"abcd", b"efgh"]


def test_writes_may_be_cut_between_packets(replay: Replay) -> None:
    page = bytes(range(256)) * 4
    usb = replay(out(page[:512]), out(page[512:]), back(b"x"))
    usb.write(OUT, page)
    assert usb.read(IN, 1) == b"x"
    usb = replay(out(page), back(b"x"))
    usb.write(OUT, page[:512])
    usb.write(OUT, page[512:])
    assert usb.read(IN, 1) == b"x"


def test_a_drain_of_a_recording_without_one_finds_nothing(replay: Replay) -> None:
    """Another program did not drain; that is no mistake of the driver that replays it."""
    usb = replay(out(b"x"), back(b"y"))
    assert usb.drain(IN) == 0
    usb.write(OUT, b"x")
    assert usb.drain(IN) == 1
    assert usb.drain(IN) == 0
    usb.close()


def test_a_drain_drops_what_was_kept_in_a_replay_too(replay: Replay) -> None:
    usb = replay(back(b"ab", 9, "cancelled"), out(b"x"), back(b"y"))
    with pytest.raises(errors.Cancelled):
        usb.read(IN, 9)
    assert usb.drain(IN) == 2
    usb.write(OUT, b"x")
    assert usb.read(IN, 9) == b"y"


def test_a_recorded_drain_comes_again(replay: Replay) -> None:
    usb = replay(back(b"old", 512), back(b"", 512), back(b"", 512, "timeout"), out(b"x"))
    assert usb.drain(IN) == 3
    usb.write(OUT, b"x")


def test_a_replay_does_not_sleep(replay: Replay) -> None:
    usb, device = replay(), Device()
    usb.belongs_to(device)
    begin = time.monotonic()
    usb.wait(60)
    assert device.wait(60) is False
    assert device.wait(None) is False  # nobody will come to end it
    assert time.monotonic() - begin < 5


STREAMED = (
    "0 001:002 stream 81 size 512 depth 2\n", back(b"abc", 9), back(b"def", 9),
    "0 001:002 left 81 2/2 ok\n  6768\n", out(b"x"),
)  # fmt: skip


@pytest.mark.parametrize("room", [1, 2, 3, 100])
def test_a_stream_is_cut_as_the_reader_likes(replay: Replay, room: int) -> None:
    usb = replay(*STREAMED)
    got = b""
    with usb.stream(IN, 512, 2, 6) as stream:
        view = memoryview(bytearray(room))
        while n := stream.read_into(view):
            got += view[:n]
        assert stream.reader() is None
    assert got == b"abcdef"
    assert usb.read(IN, 100) == b"gh"
    usb.write(OUT, b"x")


def test_what_a_stream_did_not_read_is_left_over(replay: Replay) -> None:
    usb = replay(*STREAMED)
    with usb.stream(IN, 512, 2) as stream:
        assert stream.read_into(memoryview(bytearray(2))) == 2
    assert usb.read(IN, 100) == b"cdefgh"
    usb.write(OUT, b"x")


def test_the_device_is_listed_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "s.usb"
    path.write_text(HEAD + "text 001:002 manufacturer EPSON\n")
    (bus_device,) = Bus(Environment({"PYSANE_USB_REPLAY": str(path)})).devices()
    assert (bus_device.name, bus_device.vendor, bus_device.product) == (
        "libusb:001:002",
        0x04B8,
        0x011E,
    )
    assert (bus_device.text("manufacturer"), bus_device.text("product")) == ("EPSON", "")


def test_a_replayed_device_does_not_wait_in_its_constructor(tmp_path: Path) -> None:
    class Slow(Device):
        def __init__(self, usb: Usb) -> None:
            self.usb = usb
            self.wait(60.0)

        def close(self) -> None:
            self.usb.close()

    class Backend(UsbBackend):
        usb_ids = ((0x04B8, 0x011E, "Acme", "S1"),)
        device = Slow

    path = tmp_path / "s.usb"
    path.write_text(HEAD + "0 001:002 open interface 0 by acme\n0 001:002 close\n")
    variables = {"PYSANE_USB_REPLAY": str(path), "SANE_CONFIG_DIR": str(tmp_path)}
    backend = Backend("acme", Context(Environment(variables)))
    backend.init()
    begin = time.monotonic()
    backend.open_device("").close()
    backend.open_device("libusb:001:002").close()
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    ("content", "text"), [("nonsense", "neither a recorded"), (None, "No such")]
)
def test_a_file_that_cannot_be_replayed_is_named(
    tmp_path: Path, content: str | None, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.usb"
    if content:
        path.write_text(content)
    with pytest.raises(errors.DeviceIOError, match=rf"PYSANE_USB_REPLAY.*s\.usb.*{text}"):
        Bus(Environment({"PYSANE_USB_REPLAY": str(path)})).devices()
    assert text in capfd.readouterr().err  # a listing shows no errors otherwise


def test_a_capture_of_the_original_is_replayed() -> None:
    """The original notes every failure as a timeout, and neither resets nor cleared halts."""
    bus = Bus(Environment({"PYSANE_USB_REPLAY": str(DATA / "loopback-sanei.xml")}))
    usb = bus.open(bus.devices()[0])
    assert usb.control(0xC0, 1, 0, 0, 64)[:4] == b"none"
    usb.control(0x40, 2, 0x1234, 1, b"abc")
    assert usb.control(0xC0, 1, 0, 0, 64)[:3] == b"abc"
    usb.write(OUT, b"Efoo")
    assert usb.read(IN, 512) == b"foo"
    with pytest.raises(TimedOut):
        usb.read(IN, 64)
    usb.write(OUT, b"?")
    with pytest.raises(TimedOut):
        usb.read(IN, 64)
    usb.clear_halt(IN)
    usb.reset()
    with pytest.raises(TimedOut):
        usb.read(0x83, 8)
    usb.close()


@pytest.mark.parametrize(
    "scene", ["sizes", "empty", "stall", "babble", "control", "cancel", "stream", "stream_rest"]
)
def test_what_is_recorded_is_replayed(usb_bus: Umockdev, tmp_path: Path, scene: str) -> None:
    pytest.importorskip("usb.core", reason=f"{ABSENT}pyusb")
    usb_bus.plug(Loopback)
    path = tmp_path / "s.usb"

    def run(**words: str) -> str:
        command = [sys.executable, str(CLIENT), str(TREE), scene]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **words}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=20
        )
        return done.stdout

    recorded = run(PYSANE_USB_RECORD=str(path), **usb_bus.environment)
    assert path.read_text().startswith("pysane-usb 1\nprocess ")
    assert path.stat().st_mode & 0o077 == 0
    assert run(PYSANE_USB_REPLAY=str(path)) == recorded != ""


def test_a_recording_that_cannot_be_written_stops_the_opening(
    usb_bus: Umockdev, tmp_path: Path
) -> None:
    pytest.importorskip("usb.core", reason=f"{ABSENT}pyusb")
    usb_bus.plug(Loopback)
    environment = {**os.environ, **usb_bus.environment, "PYSANE_USB_RECORD": str(tmp_path)}
    command = [sys.executable, str(CLIENT), str(TREE), "echo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"DeviceIOError 9: PYSANE_USB_RECORD={tmp_path}: Is a directory")
