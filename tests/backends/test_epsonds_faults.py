"""epsonds with an emulated scanner that fails or refuses, over TCP: a status, and usable again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sane import errors
from sane.backends.epsonds.job import Job
from sane.handle import FRAME
from sane.testing.epson_net import Hangup, answer, packet
from sane.testing.esci2 import reply
from tests.peers.epsonds import serve
from tests.support.epsonds import Desk, read, rows, set_option


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


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
