"""fujitsu on an emulated scanner: what goes wrong, what is told of it, and that it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from sane import errors
from sane.backends.fujitsu.job import Job
from sane.testing.fujitsu import Answer, Sheet
from sane.testing.fujitsu.sense import BUSY, sense
from sane.usb.descriptors import Endpoint
from tests.backends.fujitsu_samples import Desk, expected, read_side, scan_all
from tests.fakes.scanner import MachineLink

SMALL = "--page-width 60 --page-height 40 -x 60 -y 40 --mode Gray --resolution 100"
FRONT, DUPLEX = f'--source "ADF Front" {SMALL}', f'--source "ADF Duplex" {SMALL}'
JAM, EMPTY = (3, 0x80, 1), (3, 0x80, 3)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that says nothing is given up at once."""
    monkeypatch.setattr(Job, "patience", 0.05)


def works_again(desk: Desk) -> None:
    """Check that the next session finds a scanner, whatever the last one left behind."""
    desk.scanner.load(1)
    handle = desk.open(FRONT)
    handle.start()
    wanted = expected(handle, 0)
    assert read_side(handle) == wanted
    handle.close()


CODES = {
    (0, 0x00, 0x01): errors.DeviceIOError,
    (2, 0x00, 0x00): errors.DeviceBusy,
    (2, 0x04, 0x01): errors.DeviceIOError,
    (3, 0x80, 0x01): errors.Jammed,
    (3, 0x80, 0x02): errors.CoverOpen,
    (3, 0x80, 0x03): errors.NoDocs,
    (3, 0x80, 0x07): errors.Jammed,
    (3, 0x80, 0x0C): errors.Jammed,
    (3, 0x80, 0x10): errors.DeviceIOError,
    (3, 0x80, 0x13): errors.DeviceBusy,
    (3, 0x80, 0x20): errors.NoDocs,
    (3, 0x80, 0x22): errors.Cancelled,
    (3, 0x80, 0x30): errors.NoDocs,
    (3, 0x80, 0x32): errors.DeviceBusy,
    (3, 0x80, 0x99): errors.DeviceIOError,
    (4, 0x80, 0x04): errors.DeviceIOError,
    (5, 0x00, 0x00): errors.Invalid,
    (5, 0x25, 0x00): errors.Unsupported,
    (5, 0x2C, 0x02): errors.Invalid,
    (5, 0x99, 0x00): errors.DeviceIOError,
    (6, 0x29, 0x00): errors.DeviceIOError,
    (0xB, 0x80, 0x03): errors.NoMemory,
    (0xB, 0x47, 0x00): errors.DeviceIOError,
    (0xE, 0x00, 0x00): errors.DeviceIOError,
}


@pytest.mark.parametrize("code", CODES, ids=str)
def test_what_a_feed_ends_with_is_told(code: tuple[int, int, int]) -> None:
    desk = Desk()
    handle = desk.open(FRONT)
    desk.scanner.inject("feed", Answer(sense=code))
    with pytest.raises(CODES[code]) as caught:
        handle.start()
    assert type(caught.value) is CODES[code]
    handle.close()
    works_again(desk)


@pytest.mark.parametrize("code", [(0, 0, 0), (0, 0x80, 5), (6, 0, 0), (6, 0x80, 1)])
def test_what_is_no_failure_of_a_feed(code: tuple[int, int, int]) -> None:
    desk = Desk()
    handle = desk.open(FRONT)
    desk.scanner.inject("feed", Answer(sense=code, is_done=code[0] == 0))
    handle.start()
    assert desk.names().count("feed") == (2 if code[0] == 6 else 1)
    handle.close()


@pytest.mark.parametrize("name", ["mode select", "feeder", "lamp", "ready for read", "pixel size"])
def test_refusals_that_do_not_matter(name: str) -> None:
    desk = Desk()
    handle = desk.open(FRONT)
    desk.scanner.inject(name, *[Answer(sense=(5, 0x24, 0))] * (1 if name == "lamp" else 3))
    handle.start()
    wanted = expected(handle, 0)
    assert read_side(handle) == wanted
    handle.close()


@pytest.mark.parametrize("name", ["set window", "scan"])
def test_refusals_that_end_a_start(name: str) -> None:
    desk = Desk()
    handle = desk.open(FRONT)
    desk.scanner.inject(name, Answer(sense=(5, 0x26, 0)))
    with pytest.raises(errors.Invalid, match="wrong field in a parameter list"):
        handle.start()
    desk.scanner.load(1)
    handle.start()
    handle.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (JAM, errors.Jammed),
        ((3, 0x80, 2), errors.CoverOpen),
        (EMPTY, errors.NoDocs),
        ((3, 0x80, 0x22), errors.Cancelled),
        ((5, 0x24, 0), errors.Invalid),
        ((0xB, 0x80, 3), errors.NoMemory),
    ],
)
def test_what_a_read_ends_with_is_told_and_the_paper_goes_out(
    code: tuple[int, int, int], kind: type[errors.SaneError]
) -> None:
    desk = Desk(sheets=2, buffer=10000)
    handle = desk.open(FRONT)
    desk.scanner.inject("read", Answer(sense=code), after=1)
    handle.start()
    with pytest.raises(kind):
        read_side(handle)
    assert desk.names()[-1] == "cancel"
    with pytest.raises(kind):
        handle.read(memoryview(bytearray(10)))
    handle.start()
    read_side(handle)
    handle.close()


@pytest.mark.parametrize(
    "answer", [Answer(sense=(3, 0x80, 0x13)), Answer(status=BUSY), Answer(sense=(6, 0, 0))]
)
def test_a_read_without_data_is_repeated(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "patience", 10.0)
    desk = Desk(buffer=10000)
    handle = desk.open(FRONT)
    desk.scanner.inject("read", answer, answer, answer, after=1)
    if answer.sense == (6, 0, 0):
        desk.scanner._scripted["read"].pop()
        desk.scanner._scripted["read"].pop()
    handle.start()
    wanted = expected(handle, 0)
    assert read_side(handle) == wanted
    handle.close()


def test_a_scanner_that_never_has_data_is_given_up() -> None:
    desk = Desk()
    handle = desk.open(FRONT)
    desk.scanner.inject("read", *[Answer(size=0, sense=sense((0, 0, 0), 0x20, 0))] * 500)
    handle.start()
    with pytest.raises(errors.DeviceIOError, match="no image data within"):
        read_side(handle)
    handle.close()


@pytest.mark.parametrize(("more", "lines"), [(10, 156), (-10, 146)])
def test_a_side_of_another_length_than_announced(more: int, lines: int) -> None:
    """The announced number is reported; of more lines the rest is left, fewer end the frame."""
    desk = Desk(sheets=0)
    desk.scanner.load(1, Sheet(more_lines=more))
    handle = desk.open(FRONT)
    handle.start()
    p = handle.parameters()
    assert (p.lines, len(read_side(handle)) // p.bytes_per_line) == (156, lines)
    handle.close()


def test_a_jam_while_a_back_is_read_ahead_does_not_cost_the_front() -> None:
    desk = Desk(buffer=10000)
    handle = desk.open(DUPLEX)
    desk.scanner.inject("read", Answer(sense=JAM), after=1)
    handle.start()
    wanted = expected(handle, 0)
    assert read_side(handle, 4000) == wanted
    handle.start()
    with pytest.raises(errors.Jammed):
        read_side(handle)
    handle.close()
    works_again(desk)


def test_a_sheet_that_jams_later_does_not_cost_those_before() -> None:
    desk = Desk(sheets=0)
    desk.scanner.load(4, Sheet(), Sheet(), Sheet(error=JAM))
    handle = desk.open(FRONT)
    for number in range(2):
        handle.start()
        wanted = expected(handle, number)
        assert read_side(handle) == wanted
    with pytest.raises(errors.Jammed):
        handle.start()
    assert desk.names()[-1] == "cancel"
    handle.close()


def test_a_double_feed_stops_where_it_is_told_to() -> None:
    for action, kind in (("Stop", errors.Jammed), ("Continue", None)):
        desk = Desk(sheets=0)
        desk.scanner.load(1, Sheet(is_double=True))
        handle = desk.open(f"{FRONT} --df-action {action} --df-thickness=yes")
        if kind is None:
            handle.start()
            read_side(handle)
        else:
            with pytest.raises(kind):
                handle.start()
        handle.close()


def test_the_next_sheet_is_fed_while_the_last_side_is_delivered() -> None:
    desk = Desk(sheets=3)
    handle = desk.open(DUPLEX)
    room = memoryview(bytearray(1000))
    for number, feeds in ((0, 1), (1, 3), (2, 4)):
        for back in (False, True):
            handle.start()
            before = desk.names().count("feed")
            handle.read(room)
            assert desk.names().count("feed") == (feeds if back else before), (number, back)
            rest = read_side(handle)
            assert rest
    with pytest.raises(errors.NoDocs):
        handle.start()
    assert desk.names().count("feed") == 4
    handle.close()


def test_no_sheet_is_fed_in_advance_where_that_is_not_wanted() -> None:
    desk = Desk(sheets=3)
    handle = desk.open(f"{FRONT} --prepick Off")
    for feeds in (1, 2, 3):
        handle.start()
        read_side(handle)
        assert desk.names().count("feed") == feeds
    handle.close()


def test_a_sheet_fed_in_advance_goes_out_with_a_cancel() -> None:
    desk = Desk(sheets=3)
    handle = desk.open(FRONT)
    for _ in range(2):
        handle.start()
        read_side(handle)
    handle.cancelled()
    assert desk.names()[-2:] == ["feed", "cancel"]
    works_again(desk)
    handle.close()


def test_halt_on_cancel() -> None:
    desk = Desk()
    handle = desk.open(f"{FRONT} --halt-on-cancel=yes")
    handle.start()
    handle.cancelled()
    assert desk.names()[-2:] == ["halt", "test unit ready"]
    handle.close()


def test_other_options_begin_a_new_batch() -> None:
    desk = Desk(sheets=2)
    handle = desk.open(FRONT)
    handle.start()
    read_side(handle)
    handle.set(4, (200).to_bytes(4, "little"))
    handle.start()
    wanted = expected(handle, 1)
    assert read_side(handle) == wanted
    assert desk.names().count("set window") == 3  # one of them when it was opened
    handle.close()


def test_a_sheet_that_was_fed_in_advance_is_the_next_batchs() -> None:
    desk = Desk(sheets=3)
    handle = desk.open(FRONT)
    for _ in range(2):
        handle.start()
        read_side(handle)
    handle.set(4, (200).to_bytes(4, "little"))
    handle.start()
    wanted = expected(handle, 2)
    assert read_side(handle) == wanted
    assert (desk.names().count("feed"), desk.names().count("cancel")) == (3, 0)
    handle.close()


def test_an_empty_area_is_refused() -> None:
    desk = Desk()
    handle = desk.open(f'--source "ADF Front" {SMALL} -l 30 -x 0')
    with pytest.raises(errors.Invalid, match="the scan area has 0 x 156 pixels"):
        handle.start()
    assert "feed" not in desk.names()
    handle.close()


def test_a_small_buffer_is_made_larger() -> None:
    desk = Desk(buffer=4096)
    text = FRONT.replace("Gray", "Color").replace("--resolution 100", "--resolution 600")
    handle = desk.open(text.replace("-y 40", "-y 5"))
    handle.start()
    wanted = expected(handle, 0)
    assert read_side(handle) == wanted
    handle.close()


@pytest.mark.parametrize(("tries", "is_open"), [(2, True), (3, False)])
def test_a_scanner_that_is_not_ready_at_once(tries: int, is_open: bool) -> None:
    desk = Desk()
    desk.scanner.inject("test unit ready", *[Answer(status=BUSY)] * tries)
    if is_open:
        desk.open().close()
        return
    with pytest.raises(errors.DeviceBusy):
        desk.open()


@pytest.mark.parametrize(
    ("name", "answer", "text"),
    [
        ("inquiry", Answer(size=95), "95 of 96"),
        ("inquiry", Answer(data=bytes(96)), "no scanner of this family"),
        ("page f0", Answer(size=20), "20 bytes"),
        ("set window", Answer(sense=(5, 0x26, 0)), "refuses all colour orders"),
    ],
)
def test_a_scanner_that_does_not_say_what_it_is(name: str, answer: Answer, text: str) -> None:
    desk = Desk()
    desk.scanner.inject(name, *[answer] * 3)
    with pytest.raises(errors.DeviceIOError, match=text):
        desk.identify()


@pytest.mark.parametrize("answer", [Answer(size=4), Answer(sense=(5, 0x24, 0))])
def test_a_scanner_without_serial_number(answer: Answer) -> None:
    desk = Desk()
    desk.scanner.inject("read diagnostic", answer)
    assert desk.identify().serial == ""


def test_a_mode_page_that_is_cut_short_does_not_exist() -> None:
    desk = Desk()
    desk.scanner.inject("mode sense", Answer(size=12))
    assert 0x32 not in desk.identify().usable
    assert 0x33 in desk.identify().usable


@pytest.mark.parametrize("at", [3, 12, 18, 25])
def test_a_scanner_that_is_unplugged(at: int) -> None:
    desk = Desk(sheets=2, buffer=10000)
    handle = desk.open(DUPLEX)
    plain, count = desk.link.transfer_out, [0]

    def counted(endpoint: Endpoint, data: Any, *rest: Any) -> Any:
        count[0] += 1
        desk.link.is_unplugged = count[0] >= at
        return plain(endpoint, data, *rest)

    desk.link.transfer_out = counted  # type: ignore[assignment]
    with pytest.raises(errors.DeviceIOError, match="unplugged"):
        scan_all(handle)
    handle.close()
    desk.link = MachineLink(desk.scanner)
    works_again(desk)


@pytest.mark.parametrize("fault", [b"\x53" * 5, b"", bytes(13)], ids=["short", "none", "zeros"])
def test_a_status_that_is_none(fault: bytes) -> None:
    desk = Desk()
    handle = desk.open(FRONT)
    desk.scanner.inject("scan", Answer(status_data=fault, is_done=True))
    if len(fault) == 13:
        handle.start()
    else:
        with pytest.raises(errors.DeviceIOError):
            handle.start()
    handle.close()
    works_again(desk)


def test_a_cancel_during_a_read_ends_it_at_once() -> None:
    desk = Desk(sheets=2, buffer=10000)
    handle = desk.open(DUPLEX)
    handle.start()
    handle.read(memoryview(bytearray(100)))
    handle.cancel_request.set()
    with pytest.raises(errors.Cancelled):
        read_side(handle)
    handle.cancelled()
    assert desk.names()[-1] == "cancel"
    handle.start()
    assert len(read_side(handle)) == handle.device.parameters().frame_bytes
    handle.close()


# Sensors


def get(desk_handle: Any, name: str) -> int:
    option = next(item for item in desk_handle.options.declared if item.name == name)
    return int.from_bytes(desk_handle.get(option.index), "little")


def test_sensors_are_asked_when_they_were_read() -> None:
    desk = Desk()
    handle = desk.open()
    desk.scanner.log.clear()
    desk.scanner.sensors = {"top-edge": 1, "skew-angle": 7}
    desk.scanner.press("scan")
    names = ("top-edge", "page-loaded", "skew-angle", "cover-open", "email", "function")
    assert [get(handle, name) for name in names] == [1, 1, 7, 0, 0, 0]
    assert len(desk.scanner.log) == 1
    assert (get(handle, "top-edge"), len(desk.scanner.log)) == (1, 2)
    assert [get(handle, "scan"), get(handle, "scan")] == [1, 0]  # kept until it was read
    handle.close()


def test_sensors_of_an_m3091() -> None:
    desk = Desk("M3091")
    handle = desk.open()
    desk.scanner.sensors = {"duplex": 1, "density": 3, "function": 9}
    desk.scanner.press("scan")
    names = ("duplex", "density", "function", "page-loaded", "scan")
    assert [get(handle, name) for name in names] == [1, 3, 9, 1, 1]
    handle.close()


def test_an_empty_hopper_is_seen_before_an_ix500_feeds() -> None:
    desk = Desk("iX500", sheets=0)
    handle = desk.open(FRONT)
    with pytest.raises(errors.NoDocs, match="the hopper is empty"):
        handle.start()
    assert "feed" not in desk.names()
    handle.close()
