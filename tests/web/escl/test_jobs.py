"""Jobs of eSCL clients: their order, who may have them, how they end, and who is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sane.web import problems
from sane.web.encoders import TIFF
from sane.web.escl import job as jobs
from tests.support.escl_client import Client, looped, posted, served, settings
from tests.support.web import FakeScanner

FEEDER = settings("Feeder", "Grayscale8")
DUPLEX = settings("Feeder", "Grayscale8", extra="<scan:Duplex>true</scan:Duplex>")
PROBLEMS = [
    (problems.Jammed("jam"), 409, "ScannerAdfJam"),
    (problems.CoverOpen("open"), 409, "ScannerAdfDoorOpen"),
    (problems.NoDocuments("empty"), 404, "ScannerAdfEmpty"),
    (problems.Busy("simple-scan, pid 4711"), 503, ""),
    (problems.ScanFailed(9, "broken"), 500, ""),
]


async def pages(client: Client, job: str) -> list[int]:
    """Fetch until the job says no; return the statuses."""
    found: list[int] = []
    while not found or found[-1] == 200:
        found.append((await client.page(job)).status)
    return found


async def told(client: Client) -> tuple[str, str, str, str]:
    """Return the scanner's state, the feeder's, the newest job's and its reason."""
    status = await client.status()
    info = status.find("Jobs", "JobInfo")
    assert info is not None
    reason = info.value("JobStateReasons", "JobStateReason")
    return status.value("State"), status.value("AdfState"), info.value("JobState"), reason


@looped
async def test_the_glass_has_one_page(tmp_path: Path) -> None:
    async with posted(settings(), tmp_path) as (client, job):
        assert await pages(client, job) == [200, 404]
        expected = ("Idle", "ScannerAdfLoaded", "Completed", "JobCompletedSuccessfully")
        assert await told(client) == expected


@pytest.mark.parametrize(("body", "sides"), [(FEEDER, 3), (DUPLEX, 3)])
@looped
async def test_the_feeder_ends_with_404_and_idle(body: bytes, sides: int, tmp_path: Path) -> None:
    async with posted(body, tmp_path, FakeScanner(pages=3)) as (client, job):
        assert await pages(client, job) == [200] * sides + [404]
        state, adf, job_state, _ = await told(client)
        assert (state, adf, job_state) == ("Idle", "ScannerAdfEmpty", "Completed")


@looped
async def test_the_feeder_is_processing_between_pages(tmp_path: Path) -> None:
    async with posted(FEEDER, tmp_path, FakeScanner(pages=2)) as (client, job):
        assert (await client.page(job)).status == 200
        expected = ("Processing", "ScannerAdfProcessing", "Pending", "JobQueued")
        assert await told(client) == expected


@pytest.mark.parametrize(("problem", "code", "adf"), PROBLEMS)
@looped
async def test_a_problem_at_the_first_page(
    problem: Exception, code: int, adf: str, tmp_path: Path
) -> None:
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        scanner.failing["start"] = problem
        assert (await client.page(job)).status == code
        if adf:
            scanner.status = _after(scanner, problem)
        state, adf_state, job_state, reason = await told(client)
        assert (state, job_state) == ("Idle", "Aborted")
        assert adf_state == (adf or "ScannerAdfLoaded")
        assert reason == "ResourcesAreNotReady"
        assert scanner.held is None
        assert (await client.page(job)).status == 404


def _after(scanner: FakeScanner, problem: Any) -> Any:
    """Return the status that a real scanner has after a job that met *problem*."""
    from dataclasses import replace

    return replace(scanner.status, problem=problem.code)


@looped
async def test_a_second_job_is_refused_while_one_runs(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        await client.post(FEEDER)
        answer = await client.ask("POST", "/eSCL/ScanJobs", FEEDER)
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")


@looped
async def test_a_scanner_that_others_have_is_busy(tmp_path: Path) -> None:
    scanner = FakeScanner()
    scanner.failing["acquire"] = problems.Busy("simple-scan, pid 4711")
    async with served(tmp_path, scanner) as client:
        answer = await client.ask("POST", "/eSCL/ScanJobs", FEEDER)
        assert answer.status == 503 and b"simple-scan, pid 4711" in answer.body


@looped
async def test_a_refused_option_is_a_conflict(tmp_path: Path) -> None:
    scanner = FakeScanner()
    scanner.failing["configure"] = problems.Refused("depth", "no depth of 16 bits")
    async with served(tmp_path, scanner) as client:
        answer = await client.ask("POST", "/eSCL/ScanJobs", FEEDER)
        assert answer.status == 409 and scanner.held is None


@looped
async def test_a_forgotten_job_makes_way_for_the_same_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "IDLE_SECONDS", 0.0)
    async with served(tmp_path) as client:
        await client.post(FEEDER)
        other = await client.at("192.168.1.9").ask("POST", "/eSCL/ScanJobs", FEEDER)
        assert other.status == 503
        assert await pages(client, await client.post(FEEDER)) == [200, 404]


@looped
async def test_a_job_that_nobody_asks_for_frees_the_scanner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FIRST_SECONDS", 0.01)
    scanner = FakeScanner()
    async with served(tmp_path, scanner) as client:
        await client.post(FEEDER)
        while scanner.held is not None:
            await asyncio.sleep(0.01)
        assert (await told(client))[2:] == ("Aborted", "AbortedBySystem")


@looped
async def test_a_job_is_its_clients(tmp_path: Path) -> None:
    async with posted(settings(), tmp_path) as (client, job):
        stranger = client.at("192.168.1.9")
        assert (await stranger.get(f"{job}/NextDocument")).status == 404
        assert (await stranger.ask("DELETE", job)).status == 404
        assert await pages(client, job) == [200, 404]
    async with posted(settings(), tmp_path, same_address=False) as (client, job):
        assert await pages(client.at("192.168.1.9"), job) == [200, 404]


@looped
async def test_delete_ends_the_scan_at_once(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        scanner.gate.clear()
        fetching = asyncio.ensure_future(client.page(job))
        await asyncio.sleep(0.05)
        assert (await client.ask("DELETE", job)).status == 200
        assert scanner.held is None
        assert (await fetching).status == 404
        assert (await told(client))[2:] == ("Canceled", "JobCanceledByUser")
        assert (await client.ask("DELETE", job)).status == 404


@looped
async def test_two_at_once_do_not_get_the_same_page(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        scanner.gate.clear()
        fetching = asyncio.ensure_future(client.page(job))
        await asyncio.sleep(0.05)
        second = await client.page(job)
        assert (second.status, second.headers["retry-after"]) == (503, "1")
        scanner.gate.set()
        assert (await fetching).status == 200


@looped
async def test_a_page_that_takes_long_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "READY_SECONDS", 0.05)
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        scanner.gate.clear()
        assert (await client.page(job)).status == 503
        scanner.gate.set()
        found = 503
        while found == 503:
            found = (await client.page(job)).status
        assert found == 200 and scanner.held is not None
        assert scanner.held.number == 1  # it was started once


@looped
async def test_the_status_comes_at_once_while_the_scanner_is_slow(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        scanner.gate.clear()
        fetching = asyncio.ensure_future(client.page(job))
        await asyncio.sleep(0.02)
        state, adf, job_state, reason = await told(client)
        assert (state, adf) == ("Processing", "ScannerAdfProcessing")
        assert (job_state, reason) == ("Processing", "JobScanningAndTransferring")
        scanner.gate.set()
        assert (await fetching).status == 200


@looped
async def test_no_more_pages_than_allowed(tmp_path: Path) -> None:
    async with posted(FEEDER, tmp_path, FakeScanner(pages=9), max_pages=2) as (client, job):
        assert await pages(client, job) == [200, 200, 404]
        assert (await told(client))[2:] == ("Completed", "JobCompletedWithWarnings")


@looped
async def test_ten_jobs_are_told_of_newest_first(tmp_path: Path) -> None:
    async with served(tmp_path, FakeScanner(pages=100)) as client:
        made = []
        for _ in range(12):
            made.append(await client.post(settings()))
            await pages(client, made[-1])
        jobs_told = (await client.status()).find("Jobs")
        assert jobs_told is not None
        assert [info.value("JobUri") for info in jobs_told.all("JobInfo")] == made[:1:-1]


@pytest.mark.parametrize("source", ["Platen", "Feeder"])
@looped
async def test_who_has_all_of_a_page_finds_the_scanner_as_it_is_then(
    source: str, tmp_path: Path
) -> None:
    """Also where the page's length is told: sane-airscan takes the state as its scan's result."""
    scanner = FakeScanner()
    async with posted(settings(source, format=TIFF), tmp_path, scanner) as (client, job):
        if source == "Feeder":
            assert (await client.page(job)).status == 200
        scanner.closing.clear()
        arrived = asyncio.Event()
        fetching = asyncio.ensure_future(client.page(job, arrived=arrived))
        while client.escl.service(scanner).active is not None:
            await asyncio.sleep(0)
        again = asyncio.ensure_future(client.page(job))
        await asyncio.sleep(0.02)
        assert not arrived.is_set() and not fetching.done() and not again.done()
        scanner.closing.set()
        assert (await fetching).status == (200 if source == "Platen" else 404)
        assert (await told(client))[0] == "Idle"
        assert (await again).status == 404
