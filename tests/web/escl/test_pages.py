"""Pages on their way: streamed as they are scanned, and with the right pixels."""

from __future__ import annotations

import array
import asyncio
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sane.backends.escl.schema import SCAN
from sane.web.config import ClientSettings, ShareSettings
from sane.web.encoders import JPEG, PNG, available
from sane.web.encoders.form import Form
from sane.web.escl import page as pages
from sane.web.escl.copy import Copy
from sane.web.escl.settings import Ticket
from sane.web.escl.tone import Tone
from sane.web.facts import PageHead, ScanSettings
from tests.support.escl_client import looped, posted, served, settings
from tests.support.web import FakeScanner, page_bytes, source
from tests.web.escl.pixels import (
    BODY_BYTES,
    DPI,
    SIZE,
    fetched,
    pixels,
    shown,
    stopped_after_first_read,
)

FEEDER = settings("Feeder")


@looped
async def test_pages_have_the_pixels_of_the_scanner(tmp_path: Path) -> None:
    async with posted(FEEDER, tmp_path, FakeScanner(pages=3)) as (client, job):
        for number in (1, 2, 3):
            answer = await client.page(job)
            assert answer.headers["content-type"] == PNG and answer.is_whole
            assert shown(answer.body) == pixels(number)


@pytest.mark.parametrize("format", [PNG, JPEG, "application/pdf"])
@looped
async def test_the_first_bytes_come_while_the_scanner_runs(format: str, tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with served(tmp_path, scanner) as client:
        if format == JPEG:
            pytest.importorskip("sane.image.jpeg_encoder")
        job = await client.post(settings(format=format))
        arrived = asyncio.Event()
        reads = stopped_after_first_read(scanner)
        fetching = asyncio.ensure_future(client.page(job, arrived=arrived))
        await arrived.wait()
        assert reads == [1] and not fetching.done()
        scanner.gate.set()
        answer = await fetching
        assert answer.is_whole and "content-length" not in answer.headers


@looped
async def test_what_is_compressed_well_is_not_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FLUSH_SECONDS", 0.02)
    scanner = FakeScanner()
    async with posted(settings(), tmp_path, scanner) as (client, job):
        arrived = asyncio.Event()
        stopped_after_first_read(scanner)
        fetching = asyncio.ensure_future(client.page(job, arrived=arrived))
        await arrived.wait()
        page = client.escl.service(scanner).active.page
        while b"IDAT" not in page._copy.read(0):  # the rows, not the head alone
            await asyncio.sleep(0.01)
        scanner.gate.set()
        assert shown((await fetching).body) == pixels()


@pytest.mark.parametrize("format", [PNG, JPEG])
@looped
async def test_a_page_of_unknown_height_has_its_height(format: str, tmp_path: Path) -> None:
    scanner = FakeScanner()
    scanner.unknown = True
    async with served(tmp_path, scanner) as client:
        if format not in available():
            pytest.skip("this build makes no JPEG")
        answer = await fetched(client, settings(format=format, Height=400))  # 100 lines
        assert Image.open(io.BytesIO(answer.body)).size == (SIZE[0], 100)
        job = answer.headers["content-location"]
        info = (await client.get(f"{job}/ScanImageInfo")).xml
        assert (info.value("ActualWidth"), info.value("ActualHeight")) == (str(SIZE[0]), "100")
        assert info.value("ActualBytesPerLine") == str(3 * SIZE[0])


@pytest.mark.parametrize("mode", ["RGB24", "Grayscale8", "BlackAndWhite1"])
@pytest.mark.parametrize("is_unknown", [False, True])
@looped
async def test_what_stands_behind_each_row_is_no_part_of_the_page(
    mode: str, is_unknown: bool, tmp_path: Path
) -> None:
    scanner = FakeScanner()
    scanner.padding, scanner.unknown = 5, is_unknown
    async with served(tmp_path, scanner) as client:
        answer = await fetched(client, settings(mode=mode, format=PNG, Height=400))
        channels, depth = (3 if mode == "RGB24" else 1), (1 if mode == "BlackAndWhite1" else 8)
        size = (SIZE[0] * channels * depth + 7) // 8
        rows = page_bytes(PageHead(SIZE[0], 100, depth, channels, size + 5, DPI, DPI))
        packed = [rows[at : at + size] for at in range(0, len(rows), size + 5)]
        picture = Image.open(io.BytesIO(answer.body))
        assert picture.size == (SIZE[0], 100)
        if depth == 1:  # black is 1 in SANE, white in PNG
            packed = [bytes(byte ^ 0xFF for byte in row[:-1]) for row in packed]
            lines = [picture.crop((0, y, SIZE[0], y + 1)).tobytes()[:-1] for y in range(100)]
            assert lines == packed
        else:
            assert shown(answer.body) == b"".join(packed)


@pytest.mark.parametrize(
    ("format", "mode", "size"),
    [
        (PNG, "BlackAndWhite1", (SIZE[0] + 7) // 8),
        (JPEG, "BlackAndWhite1", SIZE[0]),
        (PNG, "RGB48", 6 * SIZE[0]),
        (PNG, "Grayscale8", SIZE[0]),
    ],
)
@looped
async def test_the_size_that_is_told_is_that_of_the_picture(
    format: str, mode: str, size: int, tmp_path: Path
) -> None:
    scanner = FakeScanner()
    if mode == "Grayscale8":  # which is made of colour
        scanner = FakeScanner(sources=[source(modes=("color",))])
    async with served(tmp_path, scanner, synthesize_gray=True) as client:
        if format not in available():
            pytest.skip("this build makes no JPEG")
        body = settings(mode=mode, format=format)
        job = (await fetched(client, body)).headers["content-location"]
        info = (await client.get(f"{job}/ScanImageInfo")).xml
        told = [info.value(f"Actual{name}") for name in ("Width", "Height", "BytesPerLine")]
        assert told == [str(number) for number in (*SIZE, size)]
        asked = body.partition(b"?>")[2]
        body = f'<scan:ScanBufferInfo xmlns:scan="{SCAN}">'.encode() + asked
        body += b"</scan:ScanBufferInfo>"
        expected = (await client.ask("PUT", "/eSCL/ScanBufferInfo", body)).xml
        names = ("ImageWidth", "ImageHeight", "BytesPerLine")
        assert [expected.value(name) for name in names] == told


@looped
async def test_missing_lines_are_white(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with posted(settings(), tmp_path, scanner) as (client, job):
        held: Any = scanner.held
        start = held.start

        async def short() -> PageHead:
            head: PageHead = await start()
            held._left = held._left[: 10 * head.bytes_per_line + 5]
            return head

        held.start = short
        answer = await client.page(job)
        there = 10 * 3 * SIZE[0] + 5
        assert shown(answer.body) == pixels()[:there] + b"\xff" * (BODY_BYTES - there)


@looped
async def test_more_than_the_copy_holds_is_sent_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "COPY_BYTES", 700)
    async with served(tmp_path) as client:
        assert shown((await fetched(client, settings(format=PNG))).body) == pixels()


@looped
async def test_the_devices_jpeg_is_passed_on(tmp_path: Path) -> None:
    scanner = FakeScanner(encoded=(JPEG,))
    scanner.jpeg = _jpeg()
    async with served(tmp_path, scanner) as client:
        if JPEG not in _formats((await client.get("/eSCL/ScannerCapabilities")).body):
            pytest.skip("this build makes no JPEG")
        assert (await fetched(client, settings(format=JPEG))).body == scanner.jpeg
        smaller = "<scan:CompressionFactor>80</scan:CompressionFactor>"
        answer = await fetched(client, settings(format=JPEG, extra=smaller))
        assert answer.body != scanner.jpeg
        answer = await fetched(client, settings(format="application/pdf", Width=2000))
        assert scanner.jpeg in answer.body
        job = answer.headers["content-location"]
        info = (await client.get(f"{job}/ScanImageInfo")).xml
        told = [info.value(f"Actual{name}") for name in ("Width", "Height", "BytesPerLine")]
        assert told == [str(number) for number in (*SIZE, 3 * SIZE[0])]


@looped
async def test_the_devices_colour_is_not_passed_on_for_gray(tmp_path: Path) -> None:
    scanner = FakeScanner(sources=[source(modes=("color",))], encoded=(JPEG,))
    scanner.jpeg = _jpeg()
    async with served(tmp_path, scanner, synthesize_gray=True) as client:
        if JPEG not in available():
            pytest.skip("this build makes no JPEG")
        answer = await fetched(client, settings(mode="Grayscale8", format=JPEG))
        assert Image.open(io.BytesIO(answer.body)).mode == "L"


def _formats(capabilities: bytes) -> str:
    return capabilities.decode()


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", SIZE, pixels()).save(out, "JPEG")
    return out.getvalue()


@looped
async def test_gray_is_made_of_colour_where_it_is_wanted(tmp_path: Path) -> None:
    scanner = FakeScanner(sources=[source(modes=("color",))])
    async with served(tmp_path, scanner, synthesize_gray=True) as client:
        assert b"Grayscale8" in (await client.get("/eSCL/ScannerCapabilities")).body
        answer = await fetched(client, settings(mode="Grayscale8"))
        red, green, blue = pixels()[:3]
        picture = Image.open(io.BytesIO(answer.body))
        assert picture.mode == "L"
        assert picture.getpixel((0, 0)) == (2126 * red + 7152 * green + 722 * blue) // 10000


@pytest.mark.parametrize("mode", ["RGB24", "RGB48"])
@looped
async def test_a_client_may_get_png_and_gamma(mode: str, tmp_path: Path) -> None:
    rules = ShareSettings(client=(ClientSettings("AirScanScanner", png=True, gamma=2.0),))
    async with served(tmp_path, settings=rules) as client:
        if JPEG not in available():
            pytest.skip("this build makes no JPEG")
        body = settings(format=JPEG, mode=mode)
        for agent, type in (("AirScanScanner/1.0", PNG), ("", JPEG)):
            made = await client.ask("POST", "/eSCL/ScanJobs", body, user_agent=agent)
            answer = await client.get(f"{made.headers['location']}/NextDocument")
            assert answer.headers["content-type"] == type
            if type == PNG:
                expected = bytes(round(255 * (v / 255) ** 0.5) for v in pixels())
                assert shown(answer.body) == expected


def test_gamma_is_that_of_words_too() -> None:
    form = Form(2, 1, 1, 16, 75, 75)
    wanted = ScanSettings(mode="gray", depth=16)
    tone = Tone(Ticket(wanted, "Grayscale16", PNG, 90, gamma=2.0), form)
    samples = array.array("H", [0, 16384]).tobytes()
    made = b"".join(tone.applied(samples[at : at + 1]) for at in range(4))
    assert array.array("H", made).tolist() == [0, round(65535 * (16384 / 65535) ** 0.5)]


def test_a_copy_is_nobody_elses(tmp_path: Path) -> None:
    copy = Copy(tmp_path, 10)
    try:
        assert list(tmp_path.iterdir()) == []
        assert os.fstat(copy._fd).st_mode & 0o777 == 0o600
        assert copy.append(b"x" * 12) == 10
        copy.drop()
        assert copy.append(b"yz") == 2 and copy.read(10) == b"yz"
        with pytest.raises(EOFError):
            copy.read(3)
    finally:
        number = copy._fd
        copy.close()
    with pytest.raises(EOFError):
        copy.read(10)
    with open(tmp_path / "other", "wb") as file:  # which has the copy's number now
        assert file.fileno() == number
        with pytest.raises(EOFError):  # a thread may not have ended yet
            copy.append(b"x")
    assert (tmp_path / "other").read_bytes() == b""
