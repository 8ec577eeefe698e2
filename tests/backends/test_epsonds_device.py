"""epsonds on an emulated scanner, over TCP: what goes wrong, and that it goes on afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sane import errors
from sane.backend import Context
from sane.backends.epsonds import Backend
from sane.backends.epsonds.job import Job
from sane.config import Environment
from sane.const import FRAME_GRAY, FRAME_RGB
from sane.dll.registry import registry_for
from sane.handle import FRAME, Handle
from sane.testing.epson_net import Hangup, answer, packet
from sane.testing.esci2 import Bed, Model, Scanner, reply
from sane.testing.esci2.parameters import Parameters as ScannerParameters
from tests.peers.epsonds import serve

NAMES = ["", "", "source", "mode", "depth", "resolution", "", "tl-x", "tl-y", "br-x", "br-y"]
NAMES += ["", "eject", "load", "adf-skew", "adf-crp"]
FEEDER = Bed(850, 1400, features=("DPLX", "SKEW", "CRP", "LOAD", "EJCT"))
MM = 65536


class Desk:
    """A scanner on the network, and our library that knows of it."""

    def __init__(self, folder: Path) -> None:
        self.scanner = Scanner(Model(feeder=FEEDER, formats=("RAW",)))
        self.server = serve(self.scanner)
        self.name = f"net:{self.server.address[0]}"
        self.folder = folder
        (folder / "epsonds.conf").write_text(f"net {self.server.address[0]}\n")
        environment = Environment({"SANE_CONFIG_DIR": str(folder), "SANE_DEBUG_EPSONDS": "1"})
        self.registry = registry_for("epsonds", Context(environment))
        self.handles: list[Handle] = []

    def open(self, **options: object) -> Handle:
        handle = self.registry.open(self.name)
        self.handles.append(handle)
        settings = {"resolution": 100, "br-x": 30 * MM, "br-y": 20 * MM, **options}
        for name, value in settings.items():
            set_option(handle, name.replace("_", "-"), value)
        return handle

    def close(self) -> None:
        for handle in self.handles:
            handle.close()
        self.registry.exit()
        self.server.close()

    def works_again(self) -> None:
        """Check that the scanner is usable after close and open."""
        for handle in self.handles:
            handle.close()
        self.handles.clear()
        self.scanner.scripted.clear()
        self.scanner.is_silent = self.scanner.is_cancel_pressed = False
        handle = self.open(mode="Gray")
        handle.start()
        assert len(read(handle)) == 112 * 79


def set_option(handle: Handle, name: str, value: Any) -> None:
    option = handle.descriptor(NAMES.index(name))
    raw = memoryview(bytearray(4)).cast("i")
    if isinstance(value, str):
        handle.set(option.index, value.encode() + b"\0")
    else:
        raw[0] = value
        handle.set(option.index, bytes(raw))


def read(handle: Handle, room: int = 5000) -> bytes:
    view, out = memoryview(bytearray(room)), b""
    while True:
        try:
            n = handle.read(view)
        except errors.EndOfFrame:
            return out
        out += view[:n]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def rows(scanner: Scanner, lines: int, side: int = 0) -> bytes:
    """Return what the scanner has sent, without the protocol."""
    parameters = scanner.parameters
    assert isinstance(parameters, ScannerParameters)
    return b"".join(parameters.rows(scanner.page, lines, side))


# What works


def test_the_image_is_what_lies_on_the_glass(desk: Desk) -> None:
    handle = desk.open(mode="Color", tl_x=5 * MM, tl_y=7 * MM)
    handle.start()
    params = handle.parameters()
    assert (params.format, params.pixels_per_line, params.lines) == (FRAME_RGB, 96, 51)
    assert read(handle, 333) == rows(desk.scanner, 51)


def test_a_frame_may_be_read_by_bytes(desk: Desk) -> None:
    handle = desk.open(mode="Lineart", br_x=4 * MM, br_y=2 * MM)
    handle.start()
    assert read(handle, 1) == bytes(255 - byte for byte in rows(desk.scanner, 8))


def test_both_sides_of_two_sheets_and_no_more(desk: Desk) -> None:
    desk.scanner.load(2)
    handle = desk.open(mode="Gray", source="ADF Duplex")
    for side in range(4):
        handle.start()
        assert handle.parameters().format == FRAME_GRAY
        assert read(handle) == rows(desk.scanner, 79, side)
    with pytest.raises(errors.NoDocs):
        handle.start()
    with pytest.raises(errors.NoDocs):
        handle.start()
    desk.scanner.load(1)
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)
    assert "CAN" not in desk.scanner.commands


def test_a_page_cut_to_its_paper(desk: Desk) -> None:
    desk.scanner.load(1, 50)
    handle = desk.open(mode="Gray", source="ADF Front", adf_crp=1)
    handle.start()
    assert handle.parameters().lines == 50
    assert read(handle) == rows(desk.scanner, 50)


def test_a_change_of_the_area_ends_cropping(desk: Desk) -> None:
    handle = desk.open(adf_crp=1)
    assert handle.get(NAMES.index("adf-crp"))[0] == 1
    set_option(handle, "tl-x", 3 * MM)
    assert handle.get(NAMES.index("adf-crp"))[0] == 0


def test_scanning_begins_anew_after_cancel(desk: Desk) -> None:
    handle = desk.open(mode="Gray")
    for _ in range(2):
        handle.start()
        handle.read(memoryview(bytearray(100)))
        handle.cancel_request.set()
        handle.cancelled()
        assert desk.scanner.commands[-1] == "CAN"
        with pytest.raises(errors.Cancelled):
            handle.read(memoryview(bytearray(100)))
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)


def test_cancel_wakes_a_read(desk: Desk) -> None:
    handle = desk.open(mode="Gray")
    handle.start()
    desk.scanner.inject("IMG", *[reply(b"IMG")] * 1000)
    handle.cancel_request.set()
    with pytest.raises(errors.Cancelled):
        read(handle)
    handle.cancelled()
    assert desk.scanner.commands[-1] == "CAN"
    desk.works_again()


def test_cancel_at_the_scanner(desk: Desk) -> None:
    handle = desk.open()
    handle.start()
    desk.scanner.is_cancel_pressed = True
    with pytest.raises(errors.Cancelled):
        read(handle)
    assert desk.scanner.commands[-1] == "CAN"
    desk.works_again()


def test_the_device_is_listed_with_its_name(desk: Desk) -> None:
    found = desk.registry.get_devices()
    assert [(device.name, device.model) for device in found] == [(desk.name, "DS-EMU")]
    assert desk.registry.get_devices(local_only=True) == []
    assert desk.scanner.commands[-1] == "FIN"


def test_a_profile_gives_the_name(desk: Desk) -> None:
    text = f"profile:0x0199,DS-EMU,ES-999W,2\nnet {desk.server.address[0]}\nwhat is this\n"
    (desk.folder / "epsonds.conf").write_text(text)
    desk.registry.exit()
    assert [device.model for device in desk.registry.get_devices()] == ["ES-999W"]


def test_scanners_that_announce_themselves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for avahi-browse; a scanner counts if its name and its model are known."""
    address = desk.server.address[0]
    rows = [
        ("EPSON DS-530 (1A2B3C)", "mdl=DS-530", address),
        ("EPSON DS-530 (1A2B3C)", "mdl=DS-530", "127.0.0.1"),
        ("EPSON X-1", "mdl=X-1", "127.0.0.1"),
        ("EPSON", "mdl=DS-530", "127.0.0.1"),
        ("Other DS-530", "mdl=DS-530", "127.0.0.1"),
    ]
    lines = [
        f'=;lo;IPv4;{name};_scanner._tcp;local;a.local;{where};1865;"{text}"'
        for name, text, where in rows
    ]
    (desk.folder / "lines").write_text("\n".join(lines))
    program = desk.folder / "avahi-browse"
    program.write_text(f"#!/bin/sh\necho $* > {desk.folder}/asked\ncat {desk.folder}/lines\n")
    program.chmod(0o755)
    monkeypatch.setattr("sane.discovery.dnssd.PROGRAM", str(program))
    (desk.folder / "epsonds.conf").write_text("net autodiscovery\n")
    desk.registry.exit()
    assert [device.name for device in desk.registry.get_devices()] == [f"net:{address}"]
    assert (desk.folder / "asked").read_text().split()[1:] == ["_scanner._tcp"]


@pytest.mark.parametrize("name", ["net:", "nonsense", "libusb:001:999"])
def test_names_of_nothing(desk: Desk, name: str) -> None:
    with pytest.raises(errors.Invalid):
        desk.registry.open(name)


def test_a_second_user_finds_it_busy(desk: Desk) -> None:
    desk.open()
    with pytest.raises(errors.DeviceBusy):
        desk.registry.open(desk.name)


@pytest.mark.parametrize("area", [(9, 9, 1, 1), (0, 0, 1, 20), (5, 5, 5, 5)])
def test_an_area_without_pixels(desk: Desk, area: tuple[int, ...]) -> None:
    handle = desk.open()
    for name, mm in zip(("tl-x", "tl-y", "br-x", "br-y"), area, strict=True):
        set_option(handle, name, mm * MM)
    params = handle.parameters()
    assert params.pixels_per_line >= 8 and params.lines >= 1
    with pytest.raises(errors.Invalid, match="the scan area"):
        handle.start()


# Opening


def scripted(*messages: bytes) -> list[bytes]:
    return list(messages)


@pytest.mark.parametrize(
    ("command", "messages", "kind"),
    [
        ("FS X", scripted(b"\x15"), errors.Invalid),
        ("FS X", scripted(b"\x80"), errors.Invalid),
        ("FS X", scripted(), errors.DeviceIOError),
        ("INFO", reply(b"UNKN"), errors.DeviceIOError),
        ("INFO", reply(b"INVD"), errors.DeviceIOError),
        ("INFO", reply(b"CAPA"), errors.DeviceIOError),
        ("INFO", scripted(b"INFOx00"), errors.DeviceIOError),
        ("INFO", scripted(b"\xff" * 64), errors.DeviceIOError),
        ("INFO", scripted(b"INFOx0FFFFFF".ljust(64, b"\0")), errors.DeviceIOError),
        ("INFO", reply(b"INFO", data=b"\xff" * 100), errors.DeviceIOError),
        ("INFO", reply(b"INFO", data=b"#PRDh001X"), errors.Invalid),
        ("INFO", reply(b"INFO"), errors.Invalid),
        ("INFO", [*reply(b"INFO", data=b"#FB ")[:1], b"#F"], errors.DeviceIOError),
        ("INFO", reply(b"INFO", data=b"#FB AREAi9999999i9999999"), errors.DeviceIOError),
        ("CAPA", reply(b"CAPA", data=b"#RSMRANGi0000001i9999999"), errors.DeviceIOError),
        ("CAPA", reply(b"CAPA", data=b"#RSMLIST" + b"d075" * 5000), errors.DeviceIOError),
        ("CAPA", reply(b"CAPA", data=b"#---"), errors.Invalid),
        ("RESA", reply(b"UNKN"), errors.DeviceIOError),
    ],
)
def test_bad_answers_while_opening(
    desk: Desk,
    command: str,
    messages: list[bytes],
    kind: type[errors.SaneError],
    capfd: pytest.CaptureFixture[str],
) -> None:
    desk.scanner.inject(command, messages)
    with pytest.raises(kind):
        desk.open()
    lines = [line for line in capfd.readouterr().err.splitlines() if "FIN" not in line]
    assert len(lines) <= 2, lines
    desk.works_again()


def test_a_scanner_that_wakes_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends.epsonds.commands.BUSY_SECONDS", 0.0)
    desk.scanner.busy = {"INFO": 3, "FIN": 2}
    monkeypatch.setattr("sane.backends.epsonds.commands.LEAVE_SECONDS", 0.0)
    desk.open().close()
    desk.handles.clear()
    desk.scanner.busy = {"INFO": 4}
    with pytest.raises(errors.DeviceBusy):
        desk.open()
    desk.works_again()


def test_nothing_listens(desk: Desk) -> None:
    desk.server.close()
    with pytest.raises(errors.Invalid):
        desk.open()
    desk.server = serve(desk.scanner)


def test_no_welcome_of_such_a_scanner(desk: Desk) -> None:
    desk.server.tamper = lambda kind, payload: packet(kind, payload[:3])
    with pytest.raises(errors.DeviceIOError):
        desk.open()
    desk.server.tamper = answer
    desk.works_again()


# Scanning


def image(tokens: str, data: bytes = b"") -> list[bytes]:
    return reply(b"IMG", tokens, data)


PST = "#psti0000112i0000000i0000079#typIMGA"


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        (image("#errADF PJ  "), errors.Jammed),
        (image("#errADF OPN "), errors.CoverOpen),
        (image("#errADF PE  "), errors.NoDocs),
        (image("#errADF DFED"), errors.DeviceIOError),
        (image("#errFB  ERR "), errors.DeviceIOError),
        (reply(b"INVD"), errors.DeviceIOError),
        (reply(b"STAT"), errors.DeviceIOError),
        (image("rubbish"), errors.DeviceIOError),
        (image("#pst"), errors.DeviceIOError),
        (image("#psti000"), errors.DeviceIOError),
        (image("#psti0000112i9999999i0000079#typIMGA"), errors.DeviceIOError),
        (image("#psti0000112i0000000i0000079#typIMGB"), errors.DeviceIOError),
        (image("#typIMGA", bytes(112 * 79 + 1)), errors.DeviceIOError),
        (image("#typIMGB", bytes(10)), errors.DeviceIOError),
        ([*image("#typIMGA", bytes(500))[:1], bytes(400)], errors.DeviceIOError),
        ([b"IMG x0500000".ljust(64, b"\0")], errors.DeviceIOError),
        ([b"IMG x"], errors.DeviceIOError),
        ([b"\xff" * 64], errors.DeviceIOError),
    ],
)
def test_bad_answers_while_scanning(
    desk: Desk, messages: list[bytes], kind: type[errors.SaneError]
) -> None:
    handle = desk.open(mode="Gray")
    for after in (0, 1, 3):  # instead of the first reply, behind it, and amid the data
        desk.scanner.scripted.clear()
        desk.scanner.inject("IMG", *[None] * after, messages)
        desk.scanner.piece_bytes = 3000
        try:
            handle.start()
            read(handle)
        except errors.SaneError as exc:
            assert type(exc) is kind
        else:
            pytest.fail("it was not noticed")
        assert handle.state != FRAME
        desk.works_again()
        handle = desk.handles[-1]


def test_a_scanner_that_warms_up_during_the_scan(desk: Desk) -> None:
    """Busy between two pieces only means: ask again."""
    handle = desk.open(mode="Gray")
    desk.scanner.piece_bytes = 3000
    desk.scanner.busy = {"IMG": 3}
    handle.start()
    handle.read(memoryview(bytearray(100)))
    desk.scanner.busy = {"IMG": 5}
    assert read(handle) == rows(desk.scanner, 79)[100:]


def test_a_page_whose_end_is_not_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends.epsonds.job.END_SECONDS", 0.05)
    handle = desk.open(mode="Gray")
    handle.start()
    desk.scanner.inject("IMG", None, *[reply(b"IMG")] * 100)
    read(handle)
    handle.cancelled()
    assert desk.scanner.commands[-1] == "CAN"
    desk.works_again()


@pytest.mark.parametrize("command", ["PARA", "TRDT"])
@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("#errADF PE  ", errors.NoDocs),
        ("#ERRADF OPN ", errors.CoverOpen),
        ("#nrdBUSY", errors.DeviceBusy),
        ("#parFAIL", errors.Invalid),
    ],
)
def test_the_scan_does_not_begin(
    desk: Desk, command: str, token: str, kind: type[errors.SaneError]
) -> None:
    if command == "TRDT" and token == "#parFAIL":
        pytest.skip("only PARA says so")
    handle = desk.open()
    desk.scanner.inject(command, reply(command.encode(), token))
    with pytest.raises(kind):
        handle.start()
    handle.start()
    assert len(read(handle)) == 3 * 112 * 79


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [("is_cover_open", errors.CoverOpen), ("is_jammed", errors.Jammed), ("", errors.NoDocs)],
)
def test_the_feeder_says_what_is_wrong(
    desk: Desk, attribute: str, kind: type[errors.SaneError]
) -> None:
    desk.scanner.load(1 if attribute else 0)
    if attribute:
        setattr(desk.scanner, attribute, True)
    handle = desk.open(source="ADF Front", mode="Gray")
    with pytest.raises(kind):
        handle.start()
    if attribute:
        setattr(desk.scanner, attribute, False)
    desk.scanner.load(1)
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)


@pytest.mark.parametrize("source", ["Flatbed", "ADF Duplex"])
def test_starting_again_after_a_page_that_did_not_come(desk: Desk, source: str) -> None:
    desk.scanner.load(3)
    handle = desk.open(source=source, mode="Gray")
    for answer_ in (image("#errADF PJ  "), image("#pst"), reply(b"INVD")):
        desk.scanner.inject("IMG", answer_)
        with pytest.raises(errors.SaneError):
            handle.start()
    desk.scanner.load(1)
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)


def test_cancel_while_a_page_is_awaited(desk: Desk) -> None:
    handle = desk.open(mode="Gray")
    desk.scanner.polls = 1 << 30
    timer = threading.Timer(0.1, handle.cancel_request.set)
    timer.start()
    with pytest.raises(errors.Cancelled):
        handle.start()
    timer.join()
    handle.cancelled()
    assert desk.scanner.commands[-1] == "CAN"
    handle.cancelled()
    desk.scanner.polls = 1
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)


def test_other_options_between_two_pages_end_the_job(desk: Desk) -> None:
    desk.scanner.load(3)
    handle = desk.open(source="ADF Duplex", mode="Gray")
    handle.start()
    read(handle)
    set_option(handle, "mode", "Color")
    handle.start()
    assert "CAN" in desk.scanner.commands
    assert read(handle) == rows(desk.scanner, 79, 2)
    set_option(handle, "source", "Flatbed")
    handle.start()
    assert read(handle) == rows(desk.scanner, 79)


def test_a_jam_on_the_second_sheet(desk: Desk) -> None:
    desk.scanner.load(2)
    desk.scanner.tells_last = False
    handle = desk.open(source="ADF Front", mode="Gray")
    handle.start()
    read(handle)
    desk.scanner.is_jammed = True
    with pytest.raises(errors.Jammed):
        handle.start()
    assert desk.scanner.commands[-1] == "IMG"
    desk.scanner.is_jammed = False
    desk.works_again()


def cut_at(count: int, data: bytes = b"") -> Callable[[int, bytes], bytes]:
    """Return a tamper that hangs up instead of the packet number *count*, sending *data*."""
    left = [count]

    def tamper(kind: int, payload: bytes) -> bytes:
        left[0] -= 1
        if not left[0]:
            raise Hangup(data)
        return packet(kind, payload)

    return tamper


@pytest.mark.parametrize("data", [b"", packet(0xA000, bytes(64))[:40], b"\xff" * 12])
@pytest.mark.parametrize("count", range(1, 9))
def test_the_connection_breaks(desk: Desk, count: int, data: bytes) -> None:
    handle = desk.open(mode="Gray")
    desk.server.tamper = cut_at(count, data)
    with pytest.raises(errors.DeviceIOError):
        for _ in range(3):
            handle.start()
            read(handle)
    desk.server.tamper = answer
    desk.works_again()


def test_a_scanner_that_never_sends_anything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "patience", 0.05)
    handle = desk.open()
    desk.scanner.polls = 1 << 30
    with pytest.raises(errors.DeviceIOError, match="no image data within"):
        handle.start()
    desk.scanner.polls = 1
    desk.works_again()


def test_a_scanner_that_is_silent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends._epson.network.ANSWER_SECONDS", 0.1)
    handle = desk.open()
    desk.scanner.is_silent = True
    with pytest.raises(errors.DeviceIOError):
        handle.start()
    desk.works_again()


def test_the_backend_has_the_version_of_the_original() -> None:
    assert Backend.version == (1, 0, 0)
