"""Scanners in worker processes: what jobs get, and what each fault costs."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sane.web import problems
from sane.web.config import LimitSettings, ScannerSettings, ScannersSettings, ShareSettings
from sane.web.facts import Adjust, ScanSettings
from sane.web.scanner import Scanner
from sane.web.scanners import Scanners
from tests.support.share import within
from tests.support.workers import SMALL, Stack, only, read_page, works


def state_of(scanner: Scanner) -> str:
    return scanner.status.state


def pid_of(held: Any) -> int:
    return int(held._worker.pid)


# What works


def test_capabilities_name_sources_modes_and_sizes_in_eSCLs_words(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        found = only(scanners).capabilities
        sources = {source.id: source for source in found.sources}
        assert list(sources) == ["platen", "adf", "adf-duplex"]
        platen = sources["platen"]
        assert (platen.modes, platen.depths) == (("color", "gray", "lineart"), (8,))
        assert platen.resolutions == (75, 150, 300)
        assert (platen.max_width, platen.max_height) == (2550, 3508)
        assert (found.sensors, found.buttons) == (("page-loaded",), ("scan",))
        assert found.encoded == ("image/jpeg",)

    stack.run(job)


def test_a_page_is_what_was_configured(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        async with await only(scanners).acquire("test") as held:
            taken = await held.configure(replace(SMALL, mode="color", left=150, top=75))
            assert (taken.dpi, taken.mode, taken.depth) == (75, "color", 8)
            assert abs(taken.left - 150) <= 4
            assert abs(taken.width - 300) <= 4
            head = await held.start()
            assert (head.channels, head.depth, head.dpi_x) == (3, 8, 75)
            assert abs(head.width - 75) <= 1
            assert len(await read_page(held)) == head.bytes_per_line * head.lines

    stack.run(job)


def test_a_feeder_gives_its_sheets_and_then_says_that_it_is_empty(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        async with await scanner.acquire("test") as held:
            await held.configure(replace(SMALL, source="adf-duplex"))
            shades = []
            for _ in range(2):
                await held.start()
                shades.append((await read_page(held))[0])
            assert shades == [50, 100]
            with pytest.raises(problems.NoDocuments):
                await held.start()
        assert scanner.status.problem == "no-documents"
        assert (await scanner.poll(), scanner.status.feeder) == ([], "loaded")

    stack.run(job)


def test_three_frames_become_pixels_of_rgb(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        stack.faults.set("passes")
        async with await only(scanners).acquire("test") as held:
            await held.configure(replace(SMALL, mode="color"))
            head = await held.start()
            assert head.channels == 3
            data = await read_page(held)
            assert len(data) == head.bytes_per_line * head.lines
            assert data == bytes((50, 60, 70)) * (len(data) // 3)

    stack.run(job)


def test_a_page_of_unknown_height_ends_where_it_ends(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        stack.faults.set("unknown")
        async with await only(scanners).acquire("test") as held:
            await held.configure(SMALL)
            head = await held.start()
            assert head.lines == -1
            assert len(await read_page(held)) == 50 * head.bytes_per_line

    stack.run(job)


def test_an_encoded_page_comes_as_the_device_sends_it(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        async with await only(scanners).acquire("test") as held:
            taken = await held.configure(replace(SMALL, encoded=True))
            assert taken.encoded
            head = await held.start()
            assert head.encoded == "image/jpeg"
            assert await read_page(held) == b"\xff\xd8not really a photograph\xff\xd9"
            assert not (await held.configure(SMALL)).encoded
            await held.start()
            assert (await read_page(held))[:2] == bytes((100, 100))

    stack.run(job)


def test_options_of_configuration_and_job_are_set(stack: Stack) -> None:
    own = ScannerSettings("tstweb:.*", options={"note": "always"})
    stack.settings = ShareSettings(scanner=(own,))

    async def job(scanners: Scanners) -> None:
        async with await only(scanners).acquire("test") as held:
            await held.configure(SMALL)
            await held.configure(replace(SMALL, extra={"note": "job"}))
        assert stack.faults.notes() == ["always", "job"]

    stack.run(job)


@pytest.mark.parametrize(
    ("wanted", "option"),
    [
        (replace(SMALL, mode="color", depth=16), "depth"),
        (replace(SMALL, left=5000), "area"),
        (replace(SMALL, extra={"none": 1}), "none"),
        (replace(SMALL, extra={"note": 1}), "note"),
        (replace(SMALL, extra={"note": "x" * 50}), "note"),
    ],
)
def test_what_the_scanner_cannot_do_is_refused_by_name(
    stack: Stack, wanted: ScanSettings, option: str
) -> None:
    async def job(scanners: Scanners) -> None:
        async with await only(scanners).acquire("test") as held:
            with pytest.raises(problems.Refused) as refused:
                await held.configure(wanted)
            assert refused.value.option == option

    stack.run(job)


def test_what_the_driver_says_of_its_condition_becomes_the_status(stack: Stack) -> None:
    stack.settings = ShareSettings(scanners=ScannersSettings(sensor_seconds=0.001))

    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        found = []
        for words in ("cover", "empty", ""):
            stack.faults.set(words)
            await scanner.poll()
            found.append((scanner.status.problem, scanner.status.feeder))
        assert found[0] == ("cover-open", "loaded")
        assert found[1][1] == "empty"
        assert found[2] == ("", "loaded")

    stack.run(job)


def test_a_button_is_told_once_and_the_worker_is_kept(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set("pressed")
        assert await scanner.poll(buttons=True) == ["scan"]
        with within(1.0):
            stack.faults.set("")
            assert await scanner.poll(buttons=True) == []

    stack.run(job)


def test_buttons_that_may_not_be_polled_are_not(stack: Stack) -> None:
    stack.settings = ShareSettings(scanner=(ScannerSettings("tstweb:.*", poll_buttons=False),))

    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set("pressed")
        assert not scanner.poll_buttons
        assert await scanner.poll(buttons=True) == []

    stack.run(job)


@pytest.mark.parametrize(("told", "pressed"), [(None, []), (True, ["scan"])])
def test_a_driver_that_does_not_vouch_for_itself_is_asked_if_its_owner_does(
    stack: Stack, told: bool | None, pressed: list[str]
) -> None:
    stack.settings = ShareSettings(scanner=(ScannerSettings("tstweb:.*", poll_buttons=told),))
    stack.faults.set("no-poll pressed")  # as C backends

    async def job(scanners: Scanners) -> None:
        assert await only(scanners).poll(buttons=True) == pressed

    stack.run(job)


# Brightness and its kin


def test_what_can_be_adjusted_in_which_mode(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        adjusts = only(scanners).capabilities.source("platen").adjusts
        bright = Adjust("brightness", -4, 3, 0, 1, ("lineart", "gray", "color"))
        assert adjusts["Brightness"] == bright
        assert adjusts["Threshold"] == Adjust("threshold", 0, 100, 50, 1, ("lineart",))
        extra: dict[str, object] = {"brightness": 2, "threshold": 30}
        async with await only(scanners).acquire("test") as held:
            await held.configure(replace(SMALL, mode="lineart", extra=extra))
            assert await held.options.get("brightness") == 2
            assert await held.options.get("threshold") == 30

    stack.run(job)


# What goes wrong


async def fails(scanner: Scanner, kind: type[BaseException]) -> BaseException:
    """Scan until it fails; the next job must work."""
    async with await scanner.acquire("test") as held:
        await held.configure(SMALL)
        with pytest.raises(kind) as failed:
            await held.start()
            await read_page(held)
    return failed.value


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        ("jam", problems.Jammed, "does not scan: Document feeder jammed"),
        ("gone", problems.Unreachable, ""),
        ("unplug", problems.ScanFailed, "stopped in mid-page"),
        ("crash", problems.Unreachable, "crashed: SIGSEGV"),
    ],
)
def test_a_fault_costs_its_job_only(
    stack: Stack, words: str, kind: type[BaseException], text: str
) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        if words == "gone":
            async with await scanner.acquire("test") as held:
                await held.configure(SMALL)
                stack.faults.set(words)
                with pytest.raises(problems.ScanFailed):
                    await held.start()
        else:
            stack.faults.set(words)
            assert text in str(await fails(scanner, kind))
        stack.faults.set("")
        with within(2.0):
            await works(scanner)

    stack.run(job)


def test_a_worker_that_is_killed_in_mid_page_is_told_as_a_crash(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        stack.faults.set("endless")
        scanner = only(scanners)
        async with await scanner.acquire("test") as held:
            await held.configure(SMALL)
            await held.start()
            assert await held.read()
            os.kill(pid_of(held), signal.SIGKILL)
            with pytest.raises(problems.Unreachable, match="crashed: SIGKILL"):
                while await held.read():
                    pass
        assert state_of(scanner) == "unreachable"
        stack.faults.set("")
        with within(2.0):
            await works(scanner)
        assert state_of(scanner) == "idle"

    stack.run(job)


async def ends(scanner: Scanner, stack: Stack) -> None:
    """Wait until the scanner is told as free, with nobody who asks it."""
    assert state_of(scanner) == "unreachable"
    stack.told.clear()
    while not stack.told:
        await asyncio.sleep(0.01)
    assert state_of(scanner) == "idle"


def test_a_scanner_whose_driver_has_crashed_is_free_soon(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        stack.faults.set("crash")
        scanner = only(scanners)
        await fails(scanner, problems.Unreachable)
        with within(4.0):
            await ends(scanner, stack)

    stack.run(job)


def test_a_scanner_that_hangs_when_its_sensors_are_asked_need_not_do_so_for_ever(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.web.scanner.POLL_SECONDS", 0.2)
    monkeypatch.setattr("sane.web.scanner.REMEMBERED_SECONDS", 0.2)

    async def job(scanners: Scanners) -> None:
        stack.faults.set("hang-open")
        scanner = only(scanners)
        await scanner.poll()
        await ends(scanner, stack)

    stack.run(job)


@pytest.mark.parametrize("words", ["hang", "hang stubborn", "endless"])
def test_a_scan_that_is_left_frees_the_scanner_within_a_second(stack: Stack, words: str) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set(words)
        held = await scanner.acquire("test")
        await held.configure(SMALL)
        await held.start()
        await held.read()
        with within(2.5):
            await held.close()
        stack.faults.set("")
        await works(scanner)

    stack.run(job)


def test_a_worker_that_is_stopped_is_killed_at_the_end(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        held = await scanner.acquire("test")
        os.kill(pid_of(held), signal.SIGSTOP)
        with within(3.0):
            await held.close()
        await works(scanner)

    stack.run(job)


def test_a_driver_that_hangs_at_start_is_ended_in_time(stack: Stack) -> None:
    stack.settings = ShareSettings(scanners=ScannersSettings(start_seconds=1.0))

    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set("hang-start stubborn")
        with within(4.0):
            failed = await fails(scanner, problems.Unreachable)
        assert "did not answer" in str(failed)
        stack.faults.set("hang-open")
        with within(4.0), pytest.raises(problems.Unreachable):
            await scanner.acquire("test")
        stack.faults.set("")
        await works(scanner)

    stack.run(job)


@pytest.mark.parametrize("words", ["hang-start", "hang-start stubborn", "endless"])
def test_cancel_ends_a_start_and_a_page(stack: Stack, words: str) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set(words)
        async with await scanner.acquire("test") as held:
            await held.configure(SMALL)

            async def scan() -> None:
                await held.start()
                await read_page(held)

            scanning = asyncio.ensure_future(scan())
            await asyncio.sleep(0.2)
            with within(2.5):
                await held.cancel()
                with pytest.raises(problems.Cancelled):
                    await scanning
        stack.faults.set("")
        await works(scanner)

    stack.run(job)


def test_two_jobs_that_want_one_scanner(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        first = await scanner.acquire("the page")
        assert (scanner.status.state, scanner.is_held) == ("scanning", True)
        with pytest.raises(problems.Busy, match="in use by the page"):
            await scanner.acquire("a phone")
        second = await scanner.acquire("a phone", first.close)
        await first.close()  # a second time: the other job keeps the scanner
        with pytest.raises(problems.Busy, match="a phone"):
            await scanner.acquire("third")
        await second.close()
        await works(scanner)

    stack.run(job)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_who_gives_up_more_than_once_frees_the_scanner_all_the_same(
    stack: Stack, times: int
) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set("hang-open")
        waiting = asyncio.create_task(scanner.acquire("test"))
        await asyncio.sleep(0.5)
        for _ in range(times):
            waiting.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        stack.faults.set("")
        assert state_of(scanner) == "idle"
        await works(scanner)

    stack.run(job)


def test_a_scanner_that_another_program_has_is_busy(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        stack.faults.set("busy")
        with pytest.raises(problems.Busy, match="another program"):
            await scanner.acquire("test")
        assert state_of(scanner) == "busy"
        stack.faults.set("")
        await works(scanner)
        assert state_of(scanner) == "idle"

    stack.run(job)


def test_a_driver_beyond_its_memory_costs_its_job_only(stack: Stack) -> None:
    stack.settings = ShareSettings(limits=LimitSettings(worker_memory_mib=128))

    async def job(scanners: Scanners) -> None:
        await works(only(scanners))

    stack.run(job)


def test_a_worker_stays_small(stack: Stack) -> None:
    """It is the price of a scan: no NumPy, no asyncio, none of the server's libraries."""

    async def job(scanners: Scanners) -> None:
        async with await only(scanners).acquire("test") as held:
            await held.configure(SMALL)
            await held.start()
            await read_page(held)
            maps = Path(f"/proc/{pid_of(held)}/maps").read_text()
            for name in ("numpy", "_asyncio", "_ssl"):
                assert name not in maps
            status = Path(f"/proc/{pid_of(held)}/status").read_text()
            assert int(status.partition("VmHWM:")[2].split()[0]) < 24 << 10

    stack.run(job)
