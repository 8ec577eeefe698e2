"""Pages that break: clients that vanish, disks that are full, pages that are too long."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from sane.web import problems
from sane.web.encoders import PNG, TIFF
from sane.web.escl import job as jobs
from sane.web.escl import page as pages
from tests.support.escl_client import Client, looped, posted, served, settings
from tests.support.web import FakeScanner
from tests.web.escl.pixels import (
    fetched,
    pixels,
    shown,
    stopped_after_first_read,
)

FEEDER = settings("Feeder")


@looped
async def test_a_page_too_long_to_be_kept_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "COPY_BYTES", 1000)
    scanner = FakeScanner()
    scanner.unknown = True
    async with served(tmp_path, scanner) as client:
        assert (await fetched(client, settings())).status == 500
        assert scanner.held is None


@looped
async def test_a_page_that_breaks_ends_the_connection(tmp_path: Path) -> None:
    scanner = FakeScanner()
    scanner.breaking = (1, problems.Jammed("jam"))
    large = settings(Width=2550, Height=3508, dpi=150)
    async with posted(large, tmp_path, scanner) as (client, job):
        arrived = asyncio.Event()
        stopped_after_first_read(scanner)
        fetching = asyncio.ensure_future(client.page(job, arrived=arrived))
        await arrived.wait()  # a page that breaks earlier is answered with 409
        scanner.gate.set()
        answer = await fetching
        assert answer.status == 200 and answer.body and not answer.is_whole
        info = (await client.status()).find("Jobs", "JobInfo")
        assert info is not None and info.value("JobState") == "Aborted"
        assert scanner.held is None


@looped
async def test_a_client_that_vanishes_gets_the_page_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PIECE_BYTES", 100)
    async with posted(FEEDER, tmp_path, FakeScanner(pages=2)) as (client, job):
        first = await client.page(job, leaves_after=10)
        assert not first.is_whole
        again = await client.page(job)
        assert shown(again.body) == pixels(1)
        assert await retries(client) == "1"
        assert shown((await client.page(job)).body) == pixels(2)
        assert await retries(client) == "0"


async def retries(client: Client) -> str:
    """Return how often the newest job's page was sent again."""
    info = (await client.status()).find("Jobs", "JobInfo")
    assert info is not None
    return info.value("TransferRetryCount")


@looped
async def test_a_client_that_hangs_up_with_the_last_byte_has_the_page(tmp_path: Path) -> None:
    """As those do that asked for the connection's end: nothing is sent a second time."""
    body = settings("Feeder", format=TIFF)  # whose length is told
    async with served(tmp_path, FakeScanner(pages=2)) as client:
        job = await client.post(body)
        length = len((await client.page(job)).body)
        await client.ask("DELETE", job)
        job = await client.post(body)
        first = await client.page(job, leaves_after=length)
        assert int(first.headers["content-length"]) == length
        assert shown((await client.page(job)).body) == pixels(2)


@looped
async def test_a_client_that_vanishes_frees_the_scanner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RETURN_SECONDS", 0.05)
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        stopped_after_first_read(scanner)
        await client.page(job, leaves_after=1)
        while scanner.held is not None:
            await asyncio.sleep(0.01)
        assert (await client.status()).value("State") == "Idle"


@looped
async def test_a_client_that_vanishes_before_the_first_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RETURN_SECONDS", 0.05)
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        scanner.gate.clear()
        leaves = asyncio.Event()
        fetching = asyncio.ensure_future(client.page(job, leaves=leaves))
        await asyncio.sleep(0.02)
        leaves.set()
        await fetching
        while scanner.held is not None:
            await asyncio.sleep(0.01)
        info = (await client.status()).find("Jobs", "JobInfo")
        assert info is not None and info.value("JobState") == "Aborted"


@looped
async def test_what_is_not_kept_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "COPY_BYTES", 700)
    scanner = FakeScanner()
    async with posted(settings(dpi=300, format=PNG), tmp_path, scanner) as (client, job):
        await client.page(job, leaves_after=1500)
        while scanner.held is not None:
            await asyncio.sleep(0.01)
        assert (await client.page(job)).status == 404


@looped
async def test_another_client_need_not_wait_for_one_that_vanished(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with posted(FEEDER, tmp_path, scanner) as (client, job):
        stopped_after_first_read(scanner)
        await client.page(job, leaves_after=1)
        other = client.at("192.168.1.9")
        answer = await fetched(other, settings())
        assert shown(answer.body) == pixels()


@looped
async def test_a_page_beyond_the_limit_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 100)
    async with served(tmp_path) as client:
        answer = await fetched(client, settings())
        assert not (answer.status == 200 and answer.is_whole)


@pytest.mark.parametrize("begins", [True, False])
@looped
async def test_a_mistake_of_ours_is_no_whole_page(begins: bool, tmp_path: Path) -> None:
    scanner = FakeScanner()
    large = settings(Width=2550, Height=3508, dpi=150)
    async with posted(large, tmp_path, scanner) as (client, job):
        scanner.breaking = (0, TypeError("a mistake"))
        arrived = asyncio.Event()
        if begins:
            stopped_after_first_read(scanner)
        fetching = asyncio.ensure_future(client.page(job, arrived=arrived))
        if begins:
            await arrived.wait()
            scanner.gate.set()
        answer = await fetching
        assert answer.status == 500 or not answer.is_whole
        assert scanner.held is None


@looped
async def test_a_folder_that_takes_no_page_is_said(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with posted(settings(), tmp_path, scanner) as (client, job):
        (tmp_path / "pages").write_text("")  # no folder
        answer = await client.page(job)
        assert answer.status == 500 and b"no page can be kept: File exists" in answer.body
        assert scanner.held is None
        assert (await client.status()).value("State") == "Idle"
    (tmp_path / "pages").unlink()
    async with served(tmp_path) as client:
        assert (await fetched(client, settings())).status == 200


@looped
async def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    scanner = FakeScanner()
    async with served(tmp_path, scanner) as client:
        monkeypatch.setattr("sane.web.escl.copy.os.pwrite", full)
        answer = await fetched(client, settings())
        assert answer.status == 500 and b"No space left" in answer.body
        assert scanner.held is None


@pytest.mark.parametrize(("format", "is_unknown"), [(TIFF, False), (PNG, True)])
@looped
async def test_a_disk_that_fills_up_is_said_where_the_page_must_be_kept(
    format: str, is_unknown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, room = os.pwrite, [100]

    def filling(fd: int, data: bytes, at: int) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        data = data[: room[0]]
        room[0] -= len(data)
        return pwrite(fd, data, at)

    scanner = FakeScanner()
    scanner.unknown = is_unknown
    async with served(tmp_path, scanner) as client:
        monkeypatch.setattr("sane.web.escl.copy.os.pwrite", filling)
        answer = await fetched(client, settings(format=format))
        assert answer.status == 500 and b"No space left" in answer.body
        assert scanner.held is None
