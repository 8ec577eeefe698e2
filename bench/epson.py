"""Epson rows: pages at 300 dpi in colour over TCP and USB, ours beside the original's backend.

The scanners are emulated, in Python, in a process of their own; the ceiling of a row is what a
program gets from the emulator when it only asks and throws away.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from .measure import Pair, alternate, at_least, both, quotient, times
from .report import Section
from .setting import ROOT, BenchError
from .usb import NAME, FakeUsb, has_preload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .setting import Bench, Library, Sample

PORT = 1865
PAGE = ("mode=Color", "resolution=300")
BUFFERS = {"32 KiB": 32768, "1 MiB": 1048576}
HEAD = struct.Struct(">2sHHIH")
LINES, LINE_BYTES, BLOCK_LINES = 3504, 7632, 4
PARAMETERS = (
    b"#FB #COLC024#FMTRAW #GMMUG18#RSMd300#RSSd300#BSZi1048576"
    b"#ACQi0000000i0000000i%07di%07d" % (LINE_BYTES // 3, LINES)
)


class Protocol(NamedTuple):
    """What is different between ESC/I and ESC/I-2.

    module: of the emulator. options: its. product: on USB. ask_for_page(ask): gets a page from
    it; ask(command, size) sends a command, or b"", and returns the answer of that size.
    """

    title: str
    backend: str
    module: str
    host: str
    product: int
    ask_for_page: Callable[[Callable[[bytes, int], bytes]], None]
    lock: bytes = b""
    options: tuple[str, ...] = ()


def cpu(sample: Sample) -> float:
    """Return CPU milliseconds of the program for a megabyte."""
    return sample["cpu"] * 1e9 / sample["bytes"]


def rate(sample: Sample) -> float:
    """Return bytes per second."""
    return sample["bytes"] / sample["wall"]


@contextlib.contextmanager
def network_scanner(protocol: Protocol) -> Iterator[None]:
    """Let an emulated scanner listen at the host of *protocol*."""
    command = [sys.executable, "-m", protocol.module, "--host", protocol.host, *protocol.options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            if not process.stderr.readline().startswith("scanimage"):
                raise BenchError("the emulated scanner does not start")
            yield
        finally:
            process.terminate()


def network_ceiling(protocol: Protocol) -> float:
    """Return bytes per second that the emulated scanner gives to whoever only asks."""
    with socket.create_connection((protocol.host, PORT)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = link.makefile("rb", 1 << 17)

        def answer() -> bytes:
            size: int = HEAD.unpack(reader.read(HEAD.size))[3]
            data: bytes = reader.read(size)
            return data

        def ask(command: bytes, expected: int) -> bytes:
            data = struct.pack(">II", len(command), expected) + command
            link.sendall(HEAD.pack(b"IS", 0x2000, 12, len(data), 0) + data)
            return answer()

        answer()
        link.sendall(HEAD.pack(b"IS", 0x2100, 12, len(protocol.lock), 0) + protocol.lock)
        answer()
        begin = time.monotonic()
        protocol.ask_for_page(ask)
        return LINES * LINE_BYTES / (time.monotonic() - begin)


def esci_page(ask: Callable[[bytes, int], bytes]) -> None:
    """Get a page by ESC/I."""
    ask(b"\x1cW", 1)
    block = struct.pack("<6I", 300, 300, 0, 0, LINE_BYTES // 3, LINES)
    ask(block + bytes((0x13, 8, 0, 0, BLOCK_LINES, 2)) + bytes(34), 1)
    ask(b"\x1cG", 14)
    size = BLOCK_LINES * LINE_BYTES + 1
    ask(b"", size)
    for _ in range(LINES // BLOCK_LINES - 1):
        ask(b"\x06", size)


def esci2_page(ask: Callable[[bytes, int], bytes]) -> None:
    """Get a page by ESC/I-2."""
    ask(b"\x1cX", 1)
    ask(b"PARAx%07X" % len(PARAMETERS), 0)
    ask(PARAMETERS, 64)
    ask(b"TRDTx0000000", 64)
    reply = b""
    while b"#pen" not in reply:
        reply = ask(b"IMG x0000000", 64)
        size = int(reply[5:12], 16)
        if size:
            ask(b"", size)


ESCI = Protocol("ESC/I", "epson2", "sane.testing.esci", "127.0.0.77", 0x0138, esci_page)
ESCI2 = Protocol(
    *("ESC/I-2", "epsonds", "sane.testing.esci2", "127.0.0.78", 0x015C, esci2_page),
    lock=bytes.fromhex("01A0040000012C"),
)
ESCI2_JPEG = ESCI2._replace(title="ESC/I-2, JPEG", host="127.0.0.79", options=("--jpeg",))


def measure_epson(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure ESC/I and ESC/I-2 over the network and on USB."""
    section = Section(
        "Epson",
        "A4 pages in colour at 300 dpi (27 MB), from before sane_start to after sane_cancel, from "
        "an emulated scanner in a process of its own. CPU milliseconds of the frontend for a MB / "
        "MB per second. The ceiling is the emulator's: what it gives to a program that only asks. "
        f"{rounds} rounds.",
        ("way", "buffer", "ours", "original", "ceiling", "CPU saved", "gain wall", "goal", ""),
    )
    for protocol in (ESCI, ESCI2, ESCI2_JPEG):
        measure_protocol(bench, section, rounds, quick, protocol)
    return section


def measure_protocol(
    bench: Bench, section: Section, rounds: int, quick: bool, protocol: Protocol
) -> None:
    """Add the rows of one protocol; a JPEG has no ceiling worth the name, and not its own USB."""
    backend = protocol.backend
    (bench.folder / "dll.conf").write_text(f"{backend}\n")
    (bench.folder / f"{backend}.conf").write_text(f"usb\nnet {protocol.host}\n")
    try:
        with network_scanner(protocol):
            ceiling = f"{network_ceiling(protocol) / 1e6:.0f} MB/s" if not protocol.options else "-"
            title, device = f"{protocol.title}, TCP", f"{backend}:net:{protocol.host}"
            add_rows(bench, section, rounds, quick, (title, device, ceiling, {}))
        if has_preload() and not protocol.options:
            fake = FakeUsb(bench.folder, 0x04B8, protocol.product)
            with fake.peer(f"{protocol.module}.usb:UsbScanner") as variables:
                title = f"{protocol.title}, USB, libusb without a bus"
                add_rows(
                    bench, section, rounds, quick, (title, f"{backend}:{NAME}", "-", variables)
                )
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        os.unlink(bench.folder / f"{backend}.conf")


def add_rows(
    bench: Bench,
    section: Section,
    rounds: int,
    quick: bool,
    way: tuple[str, str, str, dict[str, str]],
) -> None:
    """Add a row for each size of buffer."""
    title, device, ceiling, variables = way
    for buffer, size in BUFFERS.items():
        if quick and size != BUFFERS["32 KiB"]:
            continue

        def run(library: Library, size: int = size) -> Sample:
            return bench.client(library, "read", device, str(size), "1", *PAGE, **variables)

        pair = alternate(bench, rounds, run)
        saved = quotient(*reversed(pair.values(cpu)))
        gain = quotient(*pair.values(rate))
        met = pair.judge(both(at_least(saved, 1.0), at_least(gain, 1.0)))
        cells = (title, buffer, *shown(pair), ceiling, times(saved), times(gain))
        section.add(*cells, ">= 1x CPU, 1x wall", met, pair=pair)


def shown(pair: Pair) -> tuple[str, str]:
    """Return the figures of ours and of the original."""
    costs = pair.cells(cpu, lambda value: f"{value:.2f}")
    rates = pair.cells(rate, lambda value: f"{value / 1e6:.0f}")
    ours, original = (a if a == b else f"{a} / {b}" for a, b in zip(costs, rates, strict=True))
    return ours, original
