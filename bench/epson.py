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
from typing import TYPE_CHECKING

from .measure import Pair, alternate, at_least, both, quotient, times
from .report import Section
from .setting import ROOT, BenchError
from .usb import NAME, FakeUsb, has_preload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .setting import Bench, Library, Sample

HOST = "127.0.0.77"
PORT = 1865
PAGE = ("mode=Color", "resolution=300")
BUFFERS = {"32 KiB": 32768, "1 MiB": 1048576}
USB_DEVICE = "sane.testing.esci.usb:UsbScanner"
HEAD = struct.Struct(">2sHHIH")
LINES, LINE_BYTES, BLOCK_LINES = 3504, 7632, 4


def cpu(sample: Sample) -> float:
    """Return CPU milliseconds of the program for a megabyte."""
    return sample["cpu"] * 1e9 / sample["bytes"]


def rate(sample: Sample) -> float:
    """Return bytes per second."""
    return sample["bytes"] / sample["wall"]


@contextlib.contextmanager
def network_scanner() -> Iterator[None]:
    """Let an emulated scanner listen at HOST."""
    command = [sys.executable, "-m", "sane.testing.esci", "--host", HOST]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            if not process.stderr.readline().startswith("scanimage"):
                raise BenchError("the emulated scanner does not start")
            yield
        finally:
            process.terminate()


def network_ceiling() -> float:
    """Return bytes per second that the emulated scanner gives to whoever only asks."""
    with socket.create_connection((HOST, PORT)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = link.makefile("rb", 1 << 17)

        def answer() -> None:
            reader.read(HEAD.unpack(reader.read(HEAD.size))[3])

        def ask(command: bytes, expected: int) -> None:
            data = struct.pack(">II", len(command), expected) + command
            link.sendall(HEAD.pack(b"IS", 0x2000, 12, len(data), 0) + data)
            answer()

        answer()
        link.sendall(HEAD.pack(b"IS", 0x2100, 12, 0, 0))
        answer()
        ask(b"\x1cW", 1)
        block = struct.pack("<6I", 300, 300, 0, 0, LINE_BYTES // 3, LINES)
        ask(block + bytes((0x13, 8, 0, 0, BLOCK_LINES, 2)) + bytes(34), 1)
        ask(b"\x1cG", 14)
        size = BLOCK_LINES * LINE_BYTES + 1
        begin = time.monotonic()
        ask(b"", size)
        for _ in range(LINES // BLOCK_LINES - 1):
            ask(b"\x06", size)
        return LINES * LINE_BYTES / (time.monotonic() - begin)


def measure_epson(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure ESC/I over the network and on USB."""
    section = Section(
        "Epson ESC/I",
        "A4 pages in colour at 300 dpi (27 MB), from before sane_start to after sane_cancel, from "
        "an emulated scanner in a process of its own. CPU milliseconds of the frontend for a MB / "
        "MB per second. The ceiling is the emulator's: what it gives to a program that only asks. "
        f"{rounds} rounds.",
        ("way", "buffer", "ours", "original", "ceiling", "CPU saved", "gain wall", "goal", ""),
    )
    (bench.folder / "dll.conf").write_text("epson2\n")
    (bench.folder / "epson2.conf").write_text(f"usb\nnet {HOST}\n")
    try:
        with network_scanner():
            ceiling = f"{network_ceiling() / 1e6:.0f} MB/s"
            add_rows(bench, section, rounds, quick, ("TCP", f"epson2:net:{HOST}", ceiling, {}))
        if has_preload():
            fake = FakeUsb(bench.folder, 0x04B8, 0x0138)
            with fake.peer(USB_DEVICE) as variables:
                way = ("USB, libusb without a bus", f"epson2:{NAME}", "-", variables)
                add_rows(bench, section, rounds, quick, way)
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        os.unlink(bench.folder / "epson2.conf")
    return section


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
