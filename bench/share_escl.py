"""pysane share: a page of A4 in colour at 300 dpi by eSCL, beside the same page on this machine.

The scanner is bench/drivers/sheet300.py. Locally scanimage writes the page to a file; by eSCL it
comes as JPEG, from POST ScanJobs to the end of the body. What libjpeg-turbo takes for the page
alone is measured in the same run.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .measure import ABSENT, MISSED, UNMEASURED
from .report import Section
from .setting import STAGE, BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .setting import Bench

NEEDED = ("uvicorn", "starlette", "segno", "cryptography")
NAMES = ("fast", "paced")
PACED, UNPACED, FIRST_SECONDS = 1.05, 1.2, 0.050
READY_SECONDS = 60.0
PAGE_SECONDS = 60.0
WIDTH, LINES = 2480, 3508
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from sane.cli.pysane.main import main;"
    " sys.exit(main())"
)
# The picture of bench/drivers/sheet300.py, by the encoder of the server alone.
ENCODE = f"""
import math, random, sys, time
sys.path.insert(0, sys.argv[1])
from sane.image.jpeg_encoder import JpegEncoder
size = 3 * {WIDTH} * 64
wave = [int(90 + 80 * math.sin(at / 200)) for at in range(size)]
noise = random.Random(1).randbytes(size)
rows = bytes(low + (byte & 15) for low, byte in zip(wave, noise))
begin = time.perf_counter()
encoder = JpegEncoder({WIDTH}, {LINES}, 3, 8, quality=90, halves_color=False)
left = {LINES}
while left:
    n = min(64, left)
    encoder.feed(rows[: n * 3 * {WIDTH}])
    left -= n
encoder.end()
print(time.perf_counter() - begin)
"""
TICKET = """<?xml version="1.0" encoding="UTF-8"?>\
<scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" \
xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"><pwg:InputSource>Platen</pwg:InputSource>\
<scan:ColorMode>RGB24</scan:ColorMode><scan:XResolution>300</scan:XResolution>\
<pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat></scan:ScanSettings>"""


class Page:
    """How one page went. first: from the driver's first byte to the client's; seconds: all."""

    def __init__(self, first: float, seconds: float, size: int) -> None:
        self.first = first
        self.seconds = seconds
        self.size = size


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of server, workers and scanimage."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "SANE_CONFIG_DIR": str(folder),
        "PYSANE_BACKEND_PATH": str(folder.parent / "drivers"),
        "SHEET300": str(folder / "first"),
    }


@contextlib.contextmanager
def served(folder: Path, backends: str = "sheet300\n", scanners: int = len(NAMES)) -> Iterator[int]:
    """Give the port of a server that shares the devices of these backends: so many *scanners*."""
    folder.mkdir(exist_ok=True)
    (folder / "dll.conf").write_text(backends)
    (folder / "test.conf").write_text("number_of_devices 1\n")
    (folder / "pysane-share.toml").write_text("[https]\nenabled = false\n")
    line = [sys.executable, "-I", "-c", START, str(STAGE / "lib" / "pysane"), "share", "-v"]
    line += ["--port", "0", "--bind", "127.0.0.1", "--no-announce", "--state", str(folder / "s")]
    path = folder / "log"
    with path.open("w") as log:
        process = subprocess.Popen(
            line, env=environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + READY_SECONDS
        while path.read_text().count("is shared") < scanners:
            if time.monotonic() > end or process.poll() is not None:
                raise BenchError(f"pysane share does not start: {path.read_text()[-300:]}")
            time.sleep(0.1)
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", path.read_text())
        assert found
        yield int(found.group(1))
    finally:
        process.terminate()
        process.wait()


def roots(port: int) -> dict[str, str]:
    """Return where the devices are, by name: sorted by title, the first is at /eSCL."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PAGE_SECONDS)
    with contextlib.closing(client):
        client.request("GET", "/api/v1/scanners")
        text = client.getresponse().read().decode()
    found = {}
    for name in NAMES:
        match = re.search(r'\{[^{}]*"id": ?"([^"]+)"[^{}]*Sheet ' + name, text)
        if match is None:
            raise BenchError(f"no scanner {name} in {text[:300]}")
        found[name] = f"/{match.group(1)}"
    return found


def shared_page(folder: Path, port: int, root: str) -> Page:
    """Fetch a page by eSCL."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PAGE_SECONDS)
    with contextlib.closing(client):
        begin = time.monotonic()
        client.request("POST", f"{root}/ScanJobs", TICKET, {"Content-Type": "text/xml"})
        reply = client.getresponse()
        reply.read()
        job = reply.headers.get("Location", "")
        if reply.status != 201:
            raise BenchError(f"ScanJobs: {reply.status}")
        client.request("GET", f"{job}/NextDocument")
        reply = client.getresponse()
        size = len(reply.read(1))
        first = time.monotonic()
        while data := reply.read(1 << 18):
            size += len(data)
        end = time.monotonic()
    return Page(first - float((folder / "first").read_text()), end - begin, size)


def local_page(folder: Path, name: str) -> float:
    """Return how long scanimage takes for the same page, written to a file."""
    program = shutil.which("scanimage")
    if program is None:
        raise BenchError("there is no scanimage")
    line = [program, "-d", f"sheet300:{name}", "--resolution=300", "--mode=Color"]
    begin = time.monotonic()
    subprocess.run(
        [*line, "--format=pnm", f"--output-file={folder / 'page.pnm'}"],
        env={**environment(folder), "LD_LIBRARY_PATH": str(STAGE / "lib")},
        capture_output=True,
        check=True,
    )
    return time.monotonic() - begin


def encoding() -> float:
    """Return what libjpeg-turbo alone takes for such a page."""
    done = subprocess.run(
        [sys.executable, "-c", ENCODE, str(STAGE / "lib" / "pysane")],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure_share_escl(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure a page of each device, alternating with the same page on this machine."""
    section = Section(
        "A page shared by eSCL",
        "A4, 300 dpi, colour, from a scanner of 2 s a page and from one that waits for nothing; "
        "locally by scanimage to a file, by eSCL as JPEG of quality 90 in full colour.",
        ("page", "shared", "local", "libjpeg-turbo alone", "goal", ""),
    )
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        for name in NAMES:
            section.add(name, ABSENT, ABSENT, ABSENT, "", UNMEASURED)
        return section
    folder = bench.folder / "share-escl"
    pages: dict[str, list[Page]] = {name: [] for name in NAMES}
    local: dict[str, list[float]] = {name: [] for name in NAMES}
    codec = []
    with served(folder) as port:
        places = roots(port)
        for _ in range(rounds):
            codec.append(encoding())
            for name in NAMES:
                pages[name].append(shared_page(folder, port, places[name]))
                local[name].append(local_page(folder, name))
    alone = median(codec)
    for name in NAMES:
        here, there = median(local[name]), median(page.seconds for page in pages[name])
        most = PACED * here if name == "paced" else UNPACED * here + alone
        goal = f"<= {PACED} x local" if name == "paced" else f"<= {UNPACED} x local + codec"
        verdict = "met" if there <= most else MISSED
        section.add(name, f"{there:.2f} s", f"{here:.2f} s", f"{alone:.2f} s", goal, verdict)
        first = median(page.first for page in pages[name])
        verdict = "met" if first <= FIRST_SECONDS else MISSED
        cells = (f"{first * 1000:.1f} ms", "", "", f"<= {FIRST_SECONDS * 1000:.0f} ms", verdict)
        section.add(f"{name}: first byte, after the driver's", *cells)
    return section
