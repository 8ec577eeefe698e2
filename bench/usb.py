"""USB rows: bulk reads through our stack, cancel, listing; on a libusb without a bus.

FakeUsb makes a device that programs find through fakeusb.c and a folder that looks like sysfs;
rows of USB drivers use it with an emulated scanner behind it (usb_peer.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from .measure import FAILED, UNMEASURED, Measured, Pair, at_least, at_most
from .report import Section
from .setting import PROGRAMS, ROOT, BenchError, compile_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .setting import Bench, Sample

PRELOAD = "libumockdev-preload.so.0"
SERIAL = "123456"  # of the emulated devices
NAME = "libusb:001:002"  # where fakeusb.c has its device
TRANSFER_BYTES = 1 << 17
BULK_GOAL = 400e6  # bytes per second: ten times USB 2
LIST_GOAL = 0.005
LISTED = 20  # devices on the bus when it is listed
BUFFERS = {"32 KiB": 32768, "1 MiB": 1048576}
WAYS = {
    "reader": "a stream, read without Python",
    "stream": "a stream, read_into in Python",
    "transfer": "a transfer for each read, into the frontend's buffer",
}


class FakeUsb:
    """A bus below *folder* with the device of fakeusb.c, and its library.

    variables: what programs need in their environment to see it.
    """

    def __init__(self, folder: Path, vendor: int = 0x1209, product: int = 0x0001) -> None:
        compile_program(
            *("fakeusb", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread"),
            "-Wl,-soname,libusb-1.0.so.0",
            target="fakeusb/libusb-1.0.so.0",
        )
        compile_program("usbceiling", "-ldl")
        self.root = folder / f"usb-{vendor:04x}-{product:04x}"
        self.variables = {
            "LD_LIBRARY_PATH": str(PROGRAMS / "fakeusb"),
            "LD_PRELOAD": PRELOAD,  # sees to it that /sys is below the folder, and nothing else
            "UMOCKDEV_DIR": str(self.root),
            "FAKEUSB_IDS": f"{vendor:04x}:{product:04x}",
        }
        self.plug(2, vendor, product)

    def plug(self, address: int, vendor: int, product: int) -> None:
        """Put a device with one vendor-specific interface and two bulk endpoints into sysfs."""
        from sane.usb.descriptors import BULK, descriptors_of

        raw = descriptors_of(vendor, product, {0x81: (BULK, 512), 0x02: (BULK, 512)}).raw
        entry = self.root / "sys" / "bus" / "usb" / "devices" / f"1-{address}"
        entry.mkdir(parents=True)
        (entry / "descriptors").write_bytes(raw)
        values = {"busnum": 1, "devnum": address, "bConfigurationValue": 1}
        texts = {"manufacturer": "PySANE", "product": "fakeusb", "serial": SERIAL}
        for name, value in {**values, **texts}.items():
            (entry / name).write_text(f"{value}\n")

    @contextlib.contextmanager
    def peer(self, kind: str) -> Iterator[dict[str, str]]:
        """Let an emulated device of class *kind* (module:class) answer; yield the variables."""
        path = str(self.root / "peer")
        command = [sys.executable, "-m", "bench.usb_peer", path, kind]
        environment = {key: value for key, value in os.environ.items() if key[:3] != "LD_"}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                if not process.stdout.readline().startswith("listening"):
                    raise BenchError(f"the emulated device {kind} does not start")
                yield {**self.variables, "FAKEUSB_PEER": path}
            finally:
                process.kill()
        os.unlink(path)


def has_preload() -> bool:
    """Tell whether umockdev is there, which shows programs our sysfs."""
    command = [sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", PRELOAD]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def rate(sample: Sample) -> float:
    """Return bytes per second."""
    return sample["bytes"] / sample["wall"]


def megabytes(value: float) -> str:
    """Return a rate as text."""
    return f"{value / 1e6:.0f} MB/s"


def sampled(rounds: int, run: Callable[[], Sample]) -> Measured:
    """Return *rounds* samples of *run*, fewer if one fails."""
    measured = Measured()
    try:
        measured.samples.extend(run() for _ in range(rounds))
    except BenchError as exc:
        measured.failure = str(exc)
    return measured


def measure_usb(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure bulk reads and listings."""
    section = Section(
        "USB",
        "Frames of 268 MB from a driver that passes bulk data on (bench/drivers/usbraw.py), 4 "
        "transfers of 128 KiB on their way, read by a C program. Below is a libusb without a bus "
        "(bench/fakeusb.c), whose own ceiling is what a C program gets from it in the same "
        f"transfers with nothing in between. {rounds} rounds.",
        ("", "buffer", "ours", "ceiling", "CPU s/GB", "goal", "verdict"),
    )
    if not has_preload():
        section.add("bulk reads", "", "umockdev is not installed", "", "", "", UNMEASURED)
        return section
    fake = FakeUsb(bench.folder)
    (bench.folder / "dll.conf").write_text("usbraw\n")
    try:
        measure_bulk(bench, section, fake, rounds, quick)
        measure_listing(bench, section, fake, rounds)
    finally:
        (bench.folder / "dll.conf").write_text("test\n")
        shutil.rmtree(fake.root)
    return section


def measure_bulk(bench: Bench, section: Section, fake: FakeUsb, rounds: int, quick: bool) -> None:
    """Add a row for each way to read and each buffer."""
    program = str(PROGRAMS / "usbceiling")
    device = f"usbraw:{NAME}"
    for way, label in WAYS.items():
        for buffer, size in BUFFERS.items():
            if quick and size > TRANSFER_BYTES:
                continue
            transfer = str(size if way == "transfer" else TRANSFER_BYTES)

            def own(transfer: str = transfer) -> Sample:
                return bench.program(program, transfer, **fake.variables)

            def through(size: str = str(size), way: str = way) -> Sample:
                command = ("read", device, size, "1", f"way={way}")
                return bench.client(bench.ours, *command, **fake.variables)

            ceiling, ours = sampled(rounds, own), sampled(rounds, through)
            pair = Pair(ours, ceiling)
            used = ours.median(lambda sample: sample["cpu"] / sample["bytes"] * 1e9)
            goal = at_least(ours.median(rate), BULK_GOAL)
            section.add(
                label,
                buffer,
                *pair.cells(rate, megabytes),
                FAILED if used is None else f"{used:.2f}",
                f">= {megabytes(BULK_GOAL)}",
                pair.judge(goal),
                pair=pair,
            )


def measure_listing(bench: Bench, section: Section, fake: FakeUsb, rounds: int) -> None:
    """Add the rows of sane_get_devices with many devices on the bus."""
    for address in range(3, 2 + LISTED):
        fake.plug(address, 0x1209, 0x1000 + address)
    ours = sampled(rounds, lambda: bench.client(bench.ours, "devices", **fake.variables))
    pair = Pair(ours, None)
    for key, label, goal in (
        ("first", "the first sane_get_devices, interpreter and all", None),
        ("later", f"a later one, {LISTED} USB devices there", LIST_GOAL),
    ):

        def seconds(sample: Sample, key: str = key) -> float:
            return sample[key]

        found = ours.median(seconds)
        cell = FAILED if found is None else f"{found * 1e3:.2f} ms"
        verdict = "" if goal is None else pair.judge(at_most(found, goal))
        text = "" if goal is None else f"<= {goal * 1e3:.0f} ms"
        section.add(label, "", cell, "", "", text, verdict, pair=pair)
