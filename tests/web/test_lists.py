"""The list of scanners: what is on it, when it is made, and what it costs others if it fails."""

from __future__ import annotations

import asyncio

import pytest

from sane.web.config import ScannerSettings, ScannersSettings, ShareSettings
from sane.web.scanners import Scanners
from tests.support.workers import SMALL, Stack, only


def test_a_scanner_that_is_busy_at_first_is_asked_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sane.web.scanners.RETRY_SECONDS", (0.1,))
    stack.faults.set("busy")

    async def job(scanners: Scanners) -> None:
        assert list(scanners) == []
        stack.faults.set("")
        while not list(scanners):
            await asyncio.sleep(0.05)
        assert stack.told[-1] == ("added", "Acme Web 1")

    stack.run(job)


def test_a_list_waits_for_the_end_of_a_job(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        scanner = only(scanners)
        async with await scanner.acquire("test") as held:
            await held.configure(SMALL)
            stack.faults.set("missing")
            await scanners.refresh()
            assert list(scanners) == [scanner]
        while list(scanners):
            await asyncio.sleep(0.05)
        assert stack.told[-1] == ("removed", "Acme Web 1")

    stack.run(job)


def test_a_list_that_fails_is_made_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.web.scanners.RETRY_SECONDS", (0.1,))
    stack.faults.set("crash-list")

    async def job(scanners: Scanners) -> None:
        assert not await scanners.looked()
        stack.faults.set("")
        while not list(scanners):
            await asyncio.sleep(0.05)
        assert await scanners.looked()

    stack.run(job)


def test_a_question_waits_for_the_first_list_and_not_for_ever(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def job(_: Scanners) -> None:
        stack.faults.set("hang-list")
        scanners = stack.scanners()
        listing = asyncio.create_task(scanners.refresh())
        try:
            monkeypatch.setattr("sane.web.scanners.LOOK_SECONDS", 0.05)
            assert not await scanners.looked()
            monkeypatch.setattr("sane.web.scanners.LOOK_SECONDS", 60.0)
            looked = asyncio.create_task(scanners.looked())
            await asyncio.sleep(0)
            stack.faults.set("")
            assert await looked
            assert only(scanners).title == "Acme Web 1"
        finally:
            stack.faults.set("")
            await listing
            await scanners.close()

    stack.run(job)


@pytest.mark.parametrize("opens", [True, False])
def test_a_scanner_that_opens_late_delays_no_other(stack: Stack, opens: bool) -> None:
    """Yet /eSCL is announced for it from the beginning, until it cannot be opened."""

    async def job(_: Scanners) -> None:
        stack.faults.set("late asleep")
        scanners = stack.scanners()
        told: list[tuple[str, str]] = []
        announced: list[str] = []
        scanners.subscribe(lambda kind, scanner: told.append((kind, scanner.title)))
        scanners.announce = lambda: announced.append(told[-1][0])
        listing = asyncio.create_task(scanners.refresh())
        try:
            while not list(scanners):
                assert not listing.done()
                await asyncio.sleep(0.05)
            assert only(scanners).title == "Acme Web 1"
            assert scanners.first() not in list(scanners)
            stack.faults.set("late" if opens else "late busy")
            await listing
            titles = [scanner.title for scanner in scanners]
            assert titles == ["Acme Web 0", "Acme Web 1"][not opens :]
            assert scanners.first() is next(iter(scanners))
            assert told[-1] == (("added", "Acme Web 0") if opens else ("changed", "Acme Web 1"))
            assert announced == (["added"] if opens else ["changed", "changed"])
        finally:
            stack.faults.set("late")
            await listing
            await scanners.close()

    stack.run(job)


def test_a_scanner_that_cannot_be_opened_yet_is_known(stack: Stack) -> None:
    stack.faults.set("busy")

    async def job(scanners: Scanners) -> None:
        assert await scanners.looked()
        assert list(scanners) == []
        assert [scanner.title for scanner in scanners.unopened()] == ["Acme Web 1"]

    stack.run(job)


def test_a_job_that_begins_during_a_list_keeps_its_scanner(stack: Stack) -> None:
    """Some drivers list what is free only."""

    async def job(scanners: Scanners) -> None:
        stack.faults.set("hang-list")
        listing = asyncio.create_task(scanners.refresh())
        async with await only(scanners).acquire("test") as held:
            await held.configure(SMALL)
            stack.faults.set("missing")
            await listing
            assert only(scanners).is_held
        while list(scanners):
            await asyncio.sleep(0.05)

    stack.run(job)


def test_scanners_are_asked_anew_also_after_a_job(stack: Stack) -> None:
    async def job(scanners: Scanners) -> None:
        assert only(scanners).capabilities.encoded
        async with await only(scanners).acquire("test"):
            stack.faults.set("pixels")
            await scanners.refresh(anew=True)
        while only(scanners).capabilities.encoded:
            await asyncio.sleep(0.05)

    stack.run(job)


@pytest.mark.parametrize(
    "settings",
    [
        ShareSettings(scanners=ScannersSettings(ignore=("tstweb:.*",))),
        ShareSettings(scanner=(ScannerSettings("tstweb:one", share=False),)),
    ],
)
def test_what_is_not_to_be_shared_is_not(stack: Stack, settings: ShareSettings) -> None:
    stack.settings = settings

    async def job(scanners: Scanners) -> None:
        assert list(scanners) == []

    stack.run(job)
