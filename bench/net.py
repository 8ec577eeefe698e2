"""Rows of the network: our client and the original's on both servers, beside a bare socket.

Every server listens on an address of the loopback network of its own, on the port that all
clients know. It is started once for all rounds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .calls import milliseconds, wall
from .measure import ABSENT, MISSED, UNMEASURED, at_least, at_most, both, quotient, times
from .report import Section
from .setting import STAGE, BenchError

if TYPE_CHECKING:
    from .setting import Bench, Library, Sample

PORT = 6566
SECONDS = 10.0  # for a server to listen
PAGE = ("mode=Color", "resolution=1200", "br-x=200", "br-y=200", "test-picture=Solid white")
PAIRS = ("ours / ours", "ours / original", "original / ours", "original / original")
HEADS = ("", *PAIRS, "raw socket", "gain", "goal", "")
RAW_BYTES = 268_000_000  # as many as the frame has
FIRST_OPEN_SECONDS = 0.020  # Python has to start, and the backend to be imported
RAW_PIECE = 1 << 20
WHOLE, MIXED = 2.0, 1.0  # gains that ours / ours and each mixed pair must reach in throughput

# What each pair of client and server gave, in the order of PAIRS; None: a peer is absent.
Values = list["float | None"]


class Server:
    """A saned on an address of its own: ours as it is installed, or the distribution's."""

    def __init__(self, name: str, program: str, address: str, folder: Path) -> None:
        self.address = address
        folder.mkdir(exist_ok=True)
        (folder / "dll.conf").write_text("test\n")
        shutil.copy(folder.parent / "test.conf", folder)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_"))}
        self.process = subprocess.Popen(
            [program, "-l", "-e", "-d", "0", "-b", address, "-p", str(PORT)],
            env={**kept, "SANE_CONFIG_DIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.client = folder.with_name(f"{folder.name}-client")
        self.client.mkdir(exist_ok=True)
        (self.client / "dll.conf").write_text("net\n")
        (self.client / "net.conf").write_text(f"{address}\n")
        deadline = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection((address, PORT), SECONDS).close()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit(f"bench: {name} saned does not listen on {address}")
            time.sleep(0.01)

    @property
    def device(self) -> str:
        return f"net:{self.address}:test:0"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(SECONDS)


@contextlib.contextmanager
def servers(bench: Bench) -> Iterator[list[Server | None]]:
    """Start both servers, None for one that is not installed."""
    number = os.getpid()
    network = f"127.{80 + number % 20}.{number >> 8 & 0xFF}"
    programs = (str(STAGE / "sbin" / "saned"), shutil.which("saned", path="/usr/sbin:/usr/bin"))
    started: list[Server | None] = []
    try:
        for index, (name, program) in enumerate(
            zip(("our", "the original"), programs, strict=True)
        ):
            place = bench.folder / f"server-{index}"
            address = f"{network}.{index + 1}"
            started.append(None if program is None else Server(name, program, address, place))
        yield started
    finally:
        for server in started:
            if server is not None:
                server.stop()


class Pairs:
    """Samples of all four pairs, taken in turn."""

    def __init__(
        self, bench: Bench, found: list[Server | None], rounds: int, section: Section
    ) -> None:
        self._bench = bench
        self._servers = found
        self._rounds = rounds
        self._section = section

    def measure(
        self,
        run: Callable[[Library, Server], Sample],
        value: Callable[[Sample], float],
        *,
        once: bool = False,
    ) -> Values:
        """Return the medians of *value* in the order of PAIRS; a failure is noted below."""
        clients = (self._bench.ours, self._bench.original)
        samples: dict[int, list[float]] = {}
        failed: set[int] = set()
        for _ in range(1 if once else self._rounds):
            for index in range(len(PAIRS)):
                client, server = clients[index // 2], self._servers[index % 2]
                if client is None or server is None or index in failed:
                    continue
                try:
                    samples.setdefault(index, []).append(value(run(client, server)))
                except BenchError as exc:
                    failed.add(index)
                    self._section.failures.append(f"{PAIRS[index]} {exc}")
        return [
            median(samples[i]) if i in samples and i not in failed else None
            for i in range(len(PAIRS))
        ]


def raw_rate(room: int) -> float:
    """Return the bytes per second that recv_into with *room* bytes gets from another process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = (
            "import socket,sys; s=socket.create_connection(('127.0.0.1',int(sys.argv[1])));"
            f"d=bytes({RAW_PIECE});\nfor _ in range({RAW_BYTES // RAW_PIECE}): s.sendall(d)"
        )
        port = listener.getsockname()[1]
        with subprocess.Popen([sys.executable, "-I", "-S", "-c", code, str(port)]) as sender:
            sock, _ = listener.accept()
            view = memoryview(bytearray(room))
            done, begin = 0, time.perf_counter()
            with sock:
                while n := sock.recv_into(view):
                    done += n
            seconds = time.perf_counter() - begin
            sender.wait(SECONDS)
    return done / seconds


def measure_net(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure throughput, open, options and listing of all pairs."""
    section = Section(
        "Network",
        "Client / server on the loopback interface; each pair in turn. Frames of 200 x 200 mm in "
        "colour at 1200 dpi (268 MB), from before sane_start to after sane_cancel; the raw socket "
        "is a process that sends as many bytes to recv_into of the same size. Gain: ours / ours "
        f"against original / original. {rounds} rounds.",
        HEADS,
    )
    with servers(bench) as found:
        pairs = Pairs(bench, found, rounds, section)
        for label, room in (("32 KiB", 1 << 15), ("1 MiB", 1 << 20)):
            add_throughput(section, pairs, label, room, bench, rounds)
        add_open(section, pairs, bench)
        add_options(section, pairs, bench)
        add_listing(section, pairs, bench)
    return section


def variables(server: Server) -> dict[str, str]:
    return {"SANE_CONFIG_DIR": str(server.client)}


def cells(values: Values, text: Callable[[float], str]) -> list[str]:
    """Return the cells of the four pairs."""
    return [ABSENT if value is None else text(value) for value in values]


def verdict(met: bool | None) -> str:
    return UNMEASURED if met is None else "met" if met else MISSED


def add_throughput(
    section: Section, pairs: Pairs, label: str, room: int, bench: Bench, rounds: int
) -> None:
    """Add the row of reads of *room* bytes."""
    raw = median(raw_rate(room) for _ in range(rounds))

    def run(library: Library, server: Server) -> Sample:
        words = ("read", server.device, str(room), "1", *PAGE)
        return bench.client(library, *words, **variables(server))

    values = pairs.measure(run, lambda sample: sample["bytes"] / sample["wall"])
    gain = quotient(values[0], values[3])
    mixed = [at_least(quotient(value, values[3]), MIXED) for value in values[1:3]]
    met = both(at_least(gain, WHOLE), both(*mixed))
    shown = cells(values, lambda rate: f"{rate / 1e9:.2f} GB/s ({rate / raw:.0%})")
    goal = f">= {WHOLE:.0f}x, mixed >= {MIXED:.0f}x"
    section.add(
        f"frame, reads of {label}",
        *shown,
        f"{raw / 1e9:.2f} GB/s",
        times(gain),
        goal,
        verdict(met),
    )


def add_open(section: Section, pairs: Pairs, bench: Bench) -> None:
    """Add the rows of sane_open and of the way to the first byte."""

    def run(library: Library, server: Server) -> Sample:
        return bench.client(library, "open", server.device, **variables(server))

    values = pairs.measure(run, lambda sample: sample["opened"])
    add_times(section, "sane_open, options included", values, 0.005)

    def first(library: Library, server: Server) -> Sample:
        return bench.client(library, "first", server.device, **variables(server))

    values = pairs.measure(first, lambda sample: sample["opened"])
    add_times(section, "the first sane_open of a process", values, FIRST_OPEN_SECONDS)
    values = pairs.measure(run, wall)
    add_times(section, "sane_open to the first byte", values, None)


def add_options(section: Section, pairs: Pairs, bench: Bench) -> None:
    """Add the rows of setting and getting an option."""

    def run(library: Library, server: Server) -> Sample:
        return bench.client(library, "control", server.device, "0.1", **variables(server))

    values = pairs.measure(run, lambda sample: 1 / sample["set_range_changed"], once=True)
    add_times(section, "SET int with a range", values, 0.001)
    values = pairs.measure(run, lambda sample: 1 / sample["get_int"], once=True)
    add_times(section, "GET int", values, None)


def add_listing(section: Section, pairs: Pairs, bench: Bench) -> None:
    """Add the row of what one host adds to scanimage -L."""
    if bench.scanimage is None:
        section.add("scanimage -L", *[ABSENT] * 5, "-", "", UNMEASURED)
        return
    command = (bench.scanimage, "-L")
    local: dict[str, float] = {}

    def run(library: Library, server: Server) -> Sample:
        near = wall(bench.launch(library, command))
        local[library.name] = min(near, local.get(library.name, near))
        far = bench.launch(library, command, **variables(server))
        return {"wall": max(0.0, wall(far) - near)}

    add_times(section, "scanimage -L, over the local list", pairs.measure(run, wall), 0.02)


def add_times(section: Section, label: str, values: Values, limit: float | None) -> None:
    """Add a row of seconds; ours / ours must stay within *limit*."""
    goal = "" if limit is None else f"<= {limit * 1e3:.0f} ms"
    met = "" if limit is None else verdict(at_most(values[0], limit))
    gain = times(quotient(values[3], values[0]))
    section.add(label, *cells(values, milliseconds), "", gain, goal, met)
