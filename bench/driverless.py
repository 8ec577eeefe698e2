"""eSCL rows: pages, first bytes, cancel and memory, ours beside sane-airscan.

Both scan from the same emulated scanner, in Python, in a process of its own, which sends the same
JPEG to both: it is made once, before the clock starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calls import milliseconds
from .measure import (
    ABSENT,
    UNMEASURED,
    Measured,
    Pair,
    alternate,
    at_least,
    at_most,
    both,
    quotient,
    times,
)
from .report import Section
from .setting import PROGRAMS, ROOT, BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .setting import Bench, Library, Sample

COLOR, GRAY = ("mode=Color", "resolution=300"), ("mode=Gray", "resolution=600")
LARGE = ("mode=Color", "resolution=1200")
FEEDER = ("source=ADF", *COLOR)
HEADS = ("", "ours", "sane-airscan", "gain", "goal", "")
PACE_SECONDS, SHEET_SECONDS, SHEETS = 2.0, 1.0, 10
SLOW_PAGE_SECONDS = 20.0
KNOBS = {
    "model": {
        "adf": {"profiles": [{"resolutions": [75, 300, 600, 1200]}]},
        "platen": {"profiles": [{"resolutions": [75, 300, 600, 1200]}]},
    },
    "pages": {"sides_alike": True},
    "timing": {"job": 1.0},  # sane-airscan leaves jobs behind, which are given up then
}
FREE_SECONDS = 1.1  # until the scanner takes a job again
AIRSCAN = "/usr/lib/*/sane/libsane-airscan.so.1"
WITHIN_SECONDS, MOST_KB = 0.030, 40 * 1024
CANCEL_SECONDS = 0.100
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NEEDED = ("unshare", "ip", "dbus-daemon", "avahi-daemon")
APART = (
    *("unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"),
    "--mount-proc",
)
UNPACED = {"timing": {"page": 0.0}}


class Device:
    """The emulated scanner, and the configuration with which each library finds it."""

    def __init__(self, bench: Bench) -> None:
        command = [sys.executable, "-m", "sane.testing.escl", "--port", "0", "--control"]
        self._process = subprocess.Popen(
            [*command, "--preset", "feeder"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        self.url = self._process.stderr.readline().strip()
        if not self.url.startswith("http"):
            raise BenchError(f"the emulated scanner does not start: {self.url}")
        self.tell(KNOBS)
        origin = self.url.removesuffix("/eSCL/")
        self._names = {"ours": f"escl:{origin}", "original": "airscan:e0:emulated"}
        self._folders = {}
        for name, backend, conf in (
            ("ours", "escl", f'discovery off\n{origin} model="Example ScanBox 100"\n'),
            ("original", "airscan", f"[devices]\nemulated = {self.url}\n[options]\n"
             "discovery = disable\n"),
        ):  # fmt: skip
            folder = bench.folder / f"driverless-{name}"
            folder.mkdir(exist_ok=True)
            (folder / "dll.conf").write_text(f"{backend}\n")
            (folder / f"{backend}.conf").write_text(conf)
            self._folders[name] = str(folder)

    def tell(self, knobs: dict[str, Any]) -> dict[str, Any]:
        """Change the scanner; return what was asked of it since the last call."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(knobs), file=self._process.stdin, flush=True)
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in told:
            raise BenchError(f"the emulated scanner: {told['error']}")
        return told

    def run(self, bench: Bench, library: Library, mode: str, *words: str) -> Sample:
        """Run client.c on the scanner."""
        arguments = (mode, self._names[library.name], *words)
        return bench.client(library, *arguments, SANE_CONFIG_DIR=self._folders[library.name])

    def launch(self, bench: Bench, library: Library, mode: str, *words: str) -> Sample:
        """Run client.c on the scanner as a process of its own that is measured whole."""
        command = [str(PROGRAMS / "client"), mode, self._names[library.name], *words]
        folder = self._folders[library.name]
        return bench.launch(library, command, SANE_CONFIG_DIR=folder)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.communicate()


@contextlib.contextmanager
def emulated(bench: Bench) -> Iterator[Device]:
    """Yield the emulated scanner."""
    device = Device(bench)
    try:
        yield device
    finally:
        device.close()


def measure_driverless(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure pages, first bytes, cancel, lists and memory of an eSCL scanner."""
    section = Section(
        "Driverless (eSCL)",
        "An emulated eSCL scanner that sends A4 pages as JPEG, ours beside sane-airscan on the "
        f"same one: wall and CPU time of the third page of a process, unless said. {rounds} "
        "rounds.",
        HEADS,
    )
    if not list(Path("/").glob(AIRSCAN[1:])) or bench.original is None:
        section.failures.append("sane-airscan is not installed")
        return section
    with emulated(bench) as device:
        for title, options in (("300 dpi colour", COLOR), ("600 dpi gray", GRAY)):
            device.tell(UNPACED)
            add_pages(bench, section, device, rounds, (title, options))
            device.tell({"timing": {"page": PACE_SECONDS}})
            paced = f"{title}, {PACE_SECONDS:g} s a page"
            add_pages(bench, section, device, 1 if quick else min(rounds, 3), (paced, options))
        add_first_byte(bench, section, device, rounds)
        add_feeder(bench, section, device, 1 if quick else 3)
        add_cancel(bench, section, device, rounds)
        add_list(bench, section, device, rounds)
        add_announced(bench, section)
        add_processes(bench, section, device, rounds, quick)
    return section


def add_pages(
    bench: Bench, section: Section, device: Device, rounds: int, what: tuple[str, tuple[str, ...]]
) -> None:
    """Add a row about the third page of a process."""
    title, options = what
    pair = alternate(
        bench, rounds, lambda library: device.run(bench, library, "page", "3", "glass", *options)
    )
    walls, costs = pair.values(lambda s: s["wall"]), pair.values(lambda s: s["cpu"])
    texts = zip(
        pair.cells(lambda s: s["wall"], milliseconds),
        pair.cells(lambda s: s["cpu"], milliseconds),
        strict=True,
    )
    cells = [wall if wall == cpu else f"{wall}, CPU {cpu}" for wall, cpu in texts]
    gains = [quotient(original, ours) for ours, original in (walls, costs)]
    met = pair.judge(both(at_least(gains[0], 1.0), at_least(gains[1], 1.0)))
    gain = f"{times(gains[0])}, {times(gains[1])}"
    section.add(title, *cells, gain, ">= 1x wall, CPU", met, pair=pair)


def add_values(
    section: Section,
    title: str,
    pair: Pair,
    value: Callable[[Sample], float],
    text: Callable[[float], str],
    goal: str = "<= sane-airscan",
    limit: float | None = None,
) -> None:
    """Add a row about one figure; limit: of the goal, None: the other's. goal "": there is none."""
    ours, original = pair.values(value)
    limit = original if limit is None else limit
    verdict = pair.judge(None if limit is None else at_most(ours, limit)) if goal else ""
    gain = times(quotient(original, ours))
    section.add(title, *pair.cells(value, text), gain, goal, verdict, pair=pair)


def add_first_byte(bench: Bench, section: Section, device: Device, rounds: int) -> None:
    """Add the row about the first byte of a page, behind the device's first one."""
    device.tell({"timing": {"page": PACE_SECONDS}})

    def run(library: Library) -> Sample:
        device.tell({})
        sample = device.run(bench, library, "page", "2", "glass", *COLOR)
        asked = [e for e in device.tell({})["log"] if e["request"].endswith("/NextDocument")]
        began = [e["began"] for e in asked if e["status"] == 200]
        return {"late": sample["first"] - began[-1]}

    pair = alternate(bench, min(rounds, 3), run)
    title = "first byte behind the device's first, 2 s a page"
    goal = ("<= 30 ms", WITHIN_SECONDS)
    add_values(section, title, pair, lambda s: s["late"], milliseconds, *goal)


def add_feeder(bench: Bench, section: Section, device: Device, rounds: int) -> None:
    """Add the row about ten sheets, one a second."""

    def run(library: Library) -> Sample:
        time.sleep(FREE_SECONDS)
        before = device.tell({"sheets": SHEETS, "timing": {"page": SHEET_SECONDS}})
        count = len(before["feeder_waits"])
        sample = device.run(bench, library, "page", str(SHEETS), "feeder", *FEEDER)
        return {**sample, "waited": sum(device.tell({})["feeder_waits"][count:])}

    pair = alternate(bench, rounds, run)
    title = f"{SHEETS} sheets, 300 dpi colour, {60 / SHEET_SECONDS:.0f} a minute"
    add_values(section, title, pair, lambda s: s["all"], lambda s: f"{s:.2f} s")
    title = "how long the feeder waited meanwhile"
    add_values(section, title, pair, lambda s: s["waited"], milliseconds, "0 s", 0.0)


def add_cancel(bench: Bench, section: Section, device: Device, rounds: int) -> None:
    """Add the row about sane_cancel until the DELETE is there."""
    device.tell({"timing": {"page": SLOW_PAGE_SECONDS}})

    def run(library: Library) -> Sample:
        device.tell({})
        sample = device.run(bench, library, "cancel", "thread", *COLOR)
        deletes = [e["at"] for e in device.tell({})["log"] if e["request"].startswith("DELETE")]
        if not deletes:
            raise BenchError("no DELETE came")
        return {"late": deletes[0] - sample["cancelled"]}

    pair = alternate(bench, rounds, run)
    goal = ("< 100 ms", CANCEL_SECONDS)
    title = "sane_cancel in a page until the DELETE"
    add_values(section, title, pair, lambda s: s["late"], milliseconds, *goal)


def add_list(bench: Bench, section: Section, device: Device, rounds: int) -> None:
    """Add the row about the second list of a process, of a device that is configured."""
    device.tell(UNPACED)
    pair = alternate(bench, rounds, lambda library: device.run(bench, library, "list"))
    title = "second list of a process, one device configured"
    add_values(section, title, pair, lambda s: s["again"], milliseconds)


def add_announced(bench: Bench, section: Section) -> None:
    """Add the rows about lists of a scanner that an Avahi daemon knows."""
    titles = {"wall": "first list of a process, one announced", "again": "second list"}
    if any(shutil.which(program, path=SBIN) is None for program in NEEDED):
        section.add(titles["wall"], *[ABSENT] * 2, "-", "", UNMEASURED)
        return
    folder = bench.folder / "announced"
    folder.mkdir(exist_ok=True)
    pair = Pair(Measured(), Measured())
    command = [sys.executable, "-m", "bench.announced", str(folder)]
    try:
        sample = bench.program(*APART, *command, PATH=SBIN, PYTHONPATH=str(ROOT))
    except BenchError as exc:
        pair.ours.failure = str(exc)
    else:
        for name, one in (("ours", pair.ours), ("original", pair.original)):
            assert one is not None
            one.samples.append({key: sample[f"{name}_{key}"] for key in titles})
    add_values(section, titles["wall"], pair, lambda s: s["wall"], milliseconds)
    add_values(section, titles["again"], pair, lambda s: s["again"], milliseconds)


def add_processes(bench: Bench, section: Section, device: Device, rounds: int, quick: bool) -> None:
    """Add the rows about whole processes: one page, and the memory of a large one."""
    device.tell(UNPACED)
    pair = alternate(
        bench, rounds, lambda library: device.launch(bench, library, "page", "1", "glass", *COLOR)
    )
    title = "whole process, one page 300 dpi colour"
    add_values(section, title, pair, lambda s: s["wall"], milliseconds, "")
    if quick:
        return

    def run(library: Library) -> Sample:
        idle = device.launch(bench, library, "first")
        sample = device.launch(bench, library, "page", "1", "glass", *LARGE)
        return {"kb": sample["maxrss_kb"] - idle["maxrss_kb"]}

    memory = alternate(bench, 1, run)
    title = "memory over an open scanner's, 1200 dpi colour (400 MB of pixels)"
    goal = ("<= 40 MB", float(MOST_KB))
    add_values(section, title, memory, lambda s: s["kb"], lambda kb: f"{kb / 1024:.0f} MB", *goal)
