"""plustek: what goes wrong in a unit and on the bus, and how the unit is left behind."""

from __future__ import annotations

import random

import pytest

from sane import errors
from sane.backends.plustek import chip, motor
from sane.handle import Handle
from sane.testing.plustek import Scanner
from tests.backends.plustek_samples import SMALL, ChipLink, cancel, opened, page, read_page, set_up

SCAN = 3


def transfers_of_a_page() -> int:
    """Return how many transfers a page of SMALL takes, from start on."""
    with opened() as (handle, _, link):
        set_up(handle, dpi=50)
        link.count = 0
        page(handle)
        return link.count


@pytest.fixture(scope="module")
def count() -> int:
    return transfers_of_a_page()


def places(count: int, seed: int) -> list[int]:
    rng = random.Random(seed)
    return sorted({1, 2, count // 2, count - 1, *(rng.randrange(count) for _ in range(12))})


def is_at_rest(scanner: Scanner) -> bool:
    return scanner.is_home and scanner.registers[7] in (0, 2)


def test_a_cancel_at_any_moment_parks_the_head(count: int) -> None:
    for at in places(count, 1):
        with opened() as (handle, scanner, link):
            set_up(handle, dpi=50)
            _cancel_at(handle, link, at)
            with pytest.raises(errors.Cancelled):
                page(handle)
            cancel(handle)
            assert is_at_rest(scanner), at
            assert scanner.problems == []
            link.at = -1
            _, data = page(handle)
            assert len(data) > 1000


def _cancel_at(handle: Handle, link: ChipLink, at: int) -> None:
    link.count, link.at = 0, at
    link.then = handle.cancel_request.set


def test_an_unplugged_unit_is_told_at_any_moment(count: int) -> None:
    for at in places(count - 40, 2):  # later ones bring the head home
        with opened() as (handle, _, link):
            set_up(handle, dpi=50)
            link.count, link.at = 0, at

            def unplug(link: ChipLink = link) -> None:
                link.is_unplugged = True

            link.then = unplug
            with pytest.raises(errors.DeviceIOError, match="unplugged"):
                page(handle)


@pytest.mark.parametrize("unread", [b"x" * 500, b"\0"])
def test_an_answer_that_a_killed_program_left_unread_is_dropped(unread: bytes) -> None:
    scanner = Scanner("220d")
    scanner.replies.append(unread)
    with opened(scanner=scanner) as (handle, _, _):
        set_up(handle, dpi=50)
        _, data = page(handle)
        assert len(data) > 1000
    assert scanner.problems == []


def test_silence_is_an_error_and_no_line_is_made_up(count: int) -> None:
    with opened() as (handle, scanner, link):
        set_up(handle, dpi=50, area=(20.0, 30.0, 20.0, 60.0))
        handle.start()
        link.count, link.at = 0, 6

        def fall_silent() -> None:
            scanner.is_silent = True

        link.then = fall_silent
        with pytest.raises(errors.DeviceIOError, match="no answer"):
            read_page(handle)
        scanner.is_silent = False
        assert page(handle)[1]
        cancel(handle)
        assert is_at_rest(scanner)


def test_answers_in_pieces_are_put_together() -> None:
    with opened() as (handle, _, _):
        set_up(handle, dpi=50)
        _, wanted = page(handle)
    scanner = Scanner("220d")
    scanner.piece = 512
    with opened(scanner=scanner) as (handle, _, _):
        set_up(handle, dpi=50)
        assert page(handle)[1] == wanted


def test_a_carriage_that_stays_at_home_is_told_and_left_without_current() -> None:
    with opened() as (handle, scanner, _):
        scanner.stuck_at = 0
        set_up(handle)
        with pytest.raises(errors.DeviceIOError, match=r"carriage is stuck: after 0\.15 inch"):
            handle.start()
        assert not scanner.registers[0x45] & 0x10
        deeds = len(scanner.deeds)
        cancel(handle)
        assert len(scanner.deeds) == deeds
        scanner.stuck_at = None
        scanner.problems.clear()
        page(handle)
        assert scanner.problems == []


@pytest.mark.parametrize("place", [0, 2400])
def test_a_move_that_does_not_end_is_told_and_stopped(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(motor, "SLACK_SECONDS", -1000.0)
    with opened() as (handle, scanner, _):
        scanner.put(place)
        scanner.command_never_ends = True
        set_up(handle)
        with pytest.raises(errors.DeviceIOError, match=r"command 0[25] has not ended"):
            handle.start()
        assert scanner.registers[7] == 0
        assert not scanner.registers[0x45] & 0x10
        scanner.command_never_ends = False
        cancel(handle)
        page(handle)


def test_a_dead_lamp_is_told_with_the_light_that_there_is() -> None:
    with opened() as (handle, scanner, _):
        scanner.lamp_light = 0.0
        set_up(handle, dpi=50)
        with pytest.raises(errors.DeviceIOError, match=r"0\.\d % of full light"):
            handle.start()
        cancel(handle)
        assert is_at_rest(scanner)
        scanner.lamp_light = 1.0
        page(handle)


def test_weak_light_is_told_and_scanned_with(capfd: pytest.CaptureFixture[str]) -> None:
    with opened(SANE_DEBUG_PLUSTEK="1") as (handle, scanner, _):
        scanner.lamp_light = 0.003
        set_up(handle, dpi=50)
        assert page(handle)[1]
    assert "a weak lamp" in capfd.readouterr().err


@pytest.mark.parametrize("when", ["calibration", "page"])
def test_a_chip_without_data_is_told(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as (handle, scanner, _):
        set_up(handle, dpi=50)
        if when == "page":
            page(handle)
            cancel(handle)
        monkeypatch.setattr(chip, "FILL_SECONDS", 0.2)
        scanner.is_never_ready = True
        with pytest.raises(errors.DeviceIOError, match=r"no data for 0\.2 s"):
            handle.start()
        scanner.is_never_ready = False
        cancel(handle)
        assert is_at_rest(scanner)


def test_a_command_register_that_takes_nothing_is_told() -> None:
    with opened() as (handle, scanner, _):
        set_up(handle)
        scanner.ignores = frozenset([7])
        with pytest.raises(errors.DeviceIOError, match="does not take"):
            handle.start()


@pytest.mark.parametrize("revision", [0x00, 0x02, 0x07])
def test_a_chip_of_another_kind_is_refused(revision: int) -> None:
    scanner = Scanner("220d")
    scanner.model = scanner.model._replace(revision=revision)
    with (
        pytest.raises(errors.DeviceIOError, match=f"register 69 is {revision:02x}"),
        opened(scanner=scanner),
    ):
        pass


def test_nothing_to_scan_is_told_before_anything_moves() -> None:
    with opened() as (handle, scanner, _):
        set_up(handle, area=(20.0, 30.0, 0.0, 0.0))
        before = len(scanner.deeds)
        with pytest.raises(errors.Invalid, match="nothing to scan"):
            handle.start()
        cancel(handle)
        assert len(scanner.deeds) == before


def test_closing_in_mid_page_parks_the_head_and_switches_the_lamp_off() -> None:
    with opened("220d", "lOffOnEnd 1") as (handle, scanner, _):
        set_up(handle, area=(*SMALL[:3], 40.0))
        handle.start()
        handle.read(memoryview(bytearray(100)))
    assert scanner.registers[7] != SCAN
    assert scanner.is_home
    assert not scanner.is_lit
    assert scanner.problems == []
