"""pysane share: memory of server and workers, and scans while a hundred clients ask.

Four test scanners, paced as real ones, scan by eSCL to clients here; meanwhile each of a hundred
clients, from an address of its own, asks for the status once a second.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from .measure import ABSENT, MISSED, UNMEASURED
from .report import Section
from .setting import STAGE, BenchError

if TYPE_CHECKING:
    from .setting import Bench

NEEDED = ("uvicorn", "starlette", "segno", "cryptography")
SCANNERS, CLIENTS = 4, 100
EVERY_SECONDS = 1.0
IDLE_KB, SCAN_KB = 60 << 10, 20 << 10
SLOWER, P99_SECONDS = 1.05, 0.050
READY_SECONDS = 30.0
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from sane.cli.pysane.main import main;"
    " sys.exit(main())"
)
TEST_CONF = f"""\
number_of_devices {SCANNERS}
resolution_max 1200
geometry_max 300
read-delay true
read-delay-duration 2500
test-picture "Color pattern"
"""
TICKET = """<?xml version="1.0" encoding="UTF-8"?>
<scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"
 xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"><pwg:Version>2.0</pwg:Version>
<pwg:ScanRegions><pwg:ScanRegion><pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches\
</pwg:ContentRegionUnits><pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>
<pwg:Width>2480</pwg:Width><pwg:Height>3508</pwg:Height></pwg:ScanRegion></pwg:ScanRegions>
<pwg:InputSource>Platen</pwg:InputSource><scan:ColorMode>RGB24</scan:ColorMode>
<scan:XResolution>300</scan:XResolution><scan:YResolution>300</scan:YResolution>
<pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat></scan:ScanSettings>"""


class Server:
    """A running pysane share on four scanners."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "dll.conf").write_text("test\n")
        (folder / "test.conf").write_text(TEST_CONF)
        (folder / "pysane-share.toml").write_text("[https]\nenabled = false\n")
        line = [sys.executable, "-I", "-c", START, str(STAGE / "lib" / "pysane"), "share"]
        line += ["--port", "0", "--bind", "127.0.0.1", "-v"]
        self._log = (folder / "log").open("w+")
        self._process = subprocess.Popen(
            [*line, "--no-announce", "--state", str(folder / "state")],
            env={"SANE_CONFIG_DIR": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        end = time.monotonic() + READY_SECONDS
        while self._text().count("is shared") < SCANNERS:
            if time.monotonic() > end or self._process.poll() is not None:
                self.close()
                raise BenchError(f"pysane share does not start: {self._text()[-300:]}")
            time.sleep(0.1)
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self._text())
        assert found
        self.port = int(found.group(1))

    def _text(self) -> str:
        return Path(self._log.name).read_text()

    def peak_kb(self) -> int:
        """Return the server's peak of resident memory."""
        return peak_kb(self._process.pid)

    def worker_kb(self) -> int:
        """Return the largest peak of a worker that runs now."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return max((peak_kb(int(pid)) for pid in children.read_text().split()), default=0)

    def close(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def peak_kb(pid: int) -> int:
    """Return a process's peak of resident memory, 0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", text)
    return int(found.group(1)) if found else 0


class Client:
    """A connection that is kept; address: where it comes from."""

    def __init__(self, port: int, address: str) -> None:
        self._port = port
        self._address = address
        self._streams: Any = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, int]:
        """Send a request; return status, Location, and how many bytes the body has."""
        if self._streams is None:
            where = (self._address, 0)
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, local_addr=where)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        size = int(headers.get("content-length", 0))
        if headers.get("transfer-encoding") != "chunked":
            await reader.readexactly(size)
        while headers.get("transfer-encoding") == "chunked":
            piece = int(await reader.readline(), 16)
            await reader.readexactly(piece + 2)
            size += piece
            if not piece:
                break
        location = next((line[10:] for line in lines if line.lower().startswith("location: ")), "")
        return int(lines[0].split()[1]), location, size

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


async def scan(port: int, number: int, root: str) -> float:
    """Scan a page from the scanner at *root*; return the seconds that it took."""
    client = Client(port, f"127.0.2.{number}")
    began = time.monotonic()
    status, location, _ = await client.ask("POST", f"{root}/ScanJobs", TICKET.encode())
    if status != 201:
        raise BenchError(f"a job is answered with {status}")
    path = re.sub(r"^https?://[^/]+", "", location)
    status, _, size = await client.ask("GET", f"{path}/NextDocument")
    if status != 200 or size < 1000:
        raise BenchError(f"a page is answered with {status} and {size} bytes")
    seconds = time.monotonic() - began
    await client.ask("GET", f"{path}/NextDocument")
    client.close()
    return seconds


async def roots(port: int) -> list[str]:
    """Return the path of each scanner."""
    import json
    import urllib.request

    def get() -> bytes:
        url = f"http://127.0.0.1:{port}/api/v1/scanners"
        with urllib.request.urlopen(url) as reply:
            data: bytes = reply.read()
        return data

    found = json.loads(await asyncio.to_thread(get))["scanners"]
    return ["/eSCL", *(f"/{each['id']}" for each in found[1:])]


async def asking(port: int, number: int, root: str, seconds: list[float]) -> None:
    """Ask for the status once a second, for ever; note how long each answer takes."""
    client = Client(port, f"127.0.1.{number}")
    await asyncio.sleep(number / CLIENTS * EVERY_SECONDS)
    try:
        while True:
            began = time.monotonic()
            await client.ask("GET", f"{root}/ScannerStatus")
            took = time.monotonic() - began
            seconds.append(took)
            await asyncio.sleep(max(0.0, EVERY_SECONDS - took))
    finally:
        client.close()


async def crowd(server: Server, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Return what scans take alone and in a crowd, and what statuses take."""
    paths = await roots(server.port)

    async def four() -> float:
        found = await asyncio.gather(
            *(scan(server.port, n, path) for n, path in enumerate(paths, 1))
        )
        return median(found)

    alone = [await four() for _ in range(rounds)]
    answers: list[float] = []
    tasks = [
        asyncio.ensure_future(asking(server.port, n, paths[n % len(paths)], answers))
        for n in range(1, CLIENTS + 1)
    ]
    await asyncio.sleep(EVERY_SECONDS)
    answers.clear()
    crowded = [await four() for _ in range(rounds)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return alone, crowded, answers


async def one_scan(server: Server) -> tuple[int, int]:
    """Return the peaks of server and worker after one page."""
    path = (await roots(server.port))[0]
    running = asyncio.ensure_future(scan(server.port, 1, path))
    worker = 0
    while not running.done():
        worker = max(worker, server.worker_kb())
        await asyncio.sleep(0.05)
    await running
    return server.peak_kb(), worker


def measure_share(bench: Bench, rounds: int, quick: bool) -> Section:
    """Return the section."""
    note = "A4, 300 dpi, colour, as JPEG by eSCL, from test scanners that are paced."
    section = Section("Sharing: memory, and a hundred clients", note, ("", "ours", "goal", ""))
    if not all(importlib.util.find_spec(name) for name in NEEDED):
        section.add("pysane share", ABSENT, "", UNMEASURED)
        return section
    try:
        server = Server(bench.folder / "share")
    except BenchError as exc:
        section.failures.append(str(exc))
        return section
    try:
        idle = server.peak_kb()
        after, worker = asyncio.run(one_scan(server))
        more = after - idle + worker
        add(section, "server, idle: peak", f"{idle >> 10} MB", "60 MB", idle <= IDLE_KB)
        add(
            section,
            "one scan more: server and worker",
            f"{more >> 10} MB",
            "20 MB",
            more <= SCAN_KB,
        )
        section.add("of which the worker", f"{worker >> 10} MB", "", "")
        alone, crowded, answers = asyncio.run(crowd(server, rounds))
        ratio = median(crowded) / median(alone)
        add(section, "4 scans beside 100 clients", f"{ratio:.3f}x", "1.05x", ratio <= SLOWER)
        p99 = sorted(answers)[int(len(answers) * 0.99)]
        add(section, "a status, 99 of 100", f"{p99 * 1e3:.1f} ms", "50 ms", p99 <= P99_SECONDS)
        section.add("statuses", str(len(answers)), "", "")
        section.add("4 scans alone", f"{median(alone):.2f} s a page", "", "")
    except (BenchError, OSError) as exc:
        section.failures.append(f"pysane share: {exc}")
    finally:
        server.close()
    return section


def add(section: Section, what: str, ours: str, goal: str, met: bool) -> None:
    """Add a row with a goal."""
    section.add(what, ours, goal, "met" if met else MISSED)
