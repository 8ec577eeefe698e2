"""Runs the original fujitsu and ours against an emulated document scanner on a USB bus.

The scanner is made anew for each side, so that both find the same. Compared are what the calls
return, the pixels, and the commands with their data.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from sane.testing.fujitsu import MODELS, Answer, Command, Model, Sheet
from sane.testing.fujitsu.usb import VENDOR, UsbScanner
from tests import ROOT
from tests.peers.epson import normal
from tests.peers.walks import Side, Walk, compare, our_library, run_walk, their_library

if TYPE_CHECKING:
    from sane.testing.usb.hosted import Device, Umockdev

VECTORS = ROOT / "tests" / "data" / "fujitsu" / "vectors.txt"
BUFFER_BYTES = 262144
DEVICE = "DEVICE"
TEST_UNIT_READY, SET_WINDOW, OBJECT_POSITION = 0x00, 0x24, 0x31
ASKING = (0x12, 0x1A, 0x1C)  # INQUIRY, MODE SENSE, READ DIAGNOSTIC
DEVICE_ID, POWER_OFF = b"GET DEVICE ID   ", b"SET POWOFF TIME "
LENGTHENING = ("38", "39", "62", "63", "64", "65", "66")  # ald, compression, clean-up
OFF_TIMER = "56"  # whose rounded value the original keeps to itself
RELOADING = ("16", "41", "54", "69", *map(str, range(25, 36)))  # threshold, df-action..
FEED, SCAN, CANCEL, SENSORS = "3101", "1B00", "F104", "C200"
WINDOWS, COMPOSITION, COLOR = "240000", 8 + 0x19, 5
DROPOUT = "151000000E00"
READING = ("28000000", "2800000080", "F110", "[", "0300")  # READ, ready for read, REQUEST SENSE
AREA = ("8", "9", "10", "11", "73")  # tl-x to br-y, endorser-y
TIMERS = {  # what begins their data, and what is preset
    POWER_OFF: POWER_OFF + b"\x10\x00",
    b"\0\0\0\0\x34": b"\0\0\0\0\x34\x06" + bytes(6),
}
HALT, CANCEL_CDB = b"\x31\x04", b"\xf1\x04".ljust(10, b"\0")
PRE_READ = b"SET PRE READMODE"
UNKNOWN_REST = ".."
TIMEOUT = 60.0


class Vector(NamedTuple):
    """A scan whose commands are known. size: of each picture, None if there is none."""

    name: str
    model: str
    options: list[str]
    size: tuple[int, int] | None
    lines: list[str]


def read_vectors() -> list[Vector]:
    """Return the known scans."""
    text = VECTORS.read_text().partition("\n\n")[2]
    found = []
    for block in text.strip().split("\n\n"):
        name, *lines = block.splitlines()
        heads = dict(lines.pop(0).split(" ", 1) for _ in range(3 if "\nsize" in block else 2))
        size = heads.get("size", "").split()
        pair = (int(size[0]), int(size[1])) if size else None
        found.append(Vector(name, heads["model"], shlex.split(heads["options"]), pair, lines))
    return found


def configure(folder: Path, product: int, buffer_bytes: int = BUFFER_BYTES) -> None:
    """Write a configuration that finds the scanner *product*, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dll.conf").write_text("fujitsu\n")
    (folder / "fujitsu.conf").write_text(
        f"option buffer-size {buffer_bytes}\nusb {VENDOR:#06x} {product:#06x}\n"
    )


def lines_of(commands: Iterable[Command]) -> list[str]:
    """Return commands in the form of the file of vectors."""
    lines = []
    for command in commands:
        text = command.cdb.hex().upper()
        lines.append(f"{text} + {command.data.hex().upper()}" if command.data else text)
        if command.cdb[:3:2] == b"\x28\x00" and command.got < command.asked:
            lines.append(f"[{command.got}/{command.asked} bytes]")
        if command.cdb[0] == 0x03:
            lines.append(f"[{command.answer.hex().upper()}]")
    return lines


def after_attach(lines: Sequence[str]) -> list[str]:
    """Return the lines from the second TEST UNIT READY on: the first one begins the listing."""
    return list(lines[lines.index("000000000000", 1) :])


def matches(line: str, expected: str) -> bool:
    """Tell whether a line is as expected, as far as that is known."""
    if expected.endswith(UNKNOWN_REST):
        return line.startswith(expected[: -len(UNKNOWN_REST)])
    return line == expected


def difference(lines: Sequence[str], expected: Sequence[str]) -> str:
    """Return the first difference, "" if there is none."""
    for number in range(max(len(lines), len(expected))):
        ours = lines[number] if number < len(lines) else "(nothing)"
        theirs = expected[number] if number < len(expected) else "(nothing)"
        if not matches(ours, theirs):
            before = "\n".join(lines[max(0, number - 5) : number])
            return f"{before}\ncommand {number}: {ours[:400]}\ninstead of: {theirs[:400]}"
    return ""


class Picture(NamedTuple):
    """A PNM file: P4, P5 or P6, its size in pixels, and its data."""

    kind: bytes
    size: tuple[int, int]
    data: bytes


class Scanned(NamedTuple):
    """What came of a scan: the scanner's log, and the pictures."""

    model: str
    log: list[Command]
    pictures: list[Picture]
    sides: int
    is_back_only: bool

    @property
    def window(self) -> bytes:
        """The first descriptor of the last window that was set."""
        return next(c.data for c in reversed(self.log) if c.cdb[0] == SET_WINDOW)[8:72]


def read_pnm(path: Path) -> Picture:
    """Return the picture that scanimage wrote, with one line of comment."""
    kind, _comment, size, rest = path.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    data = rest if kind == b"P4" else rest.partition(b"\n")[2]
    return Picture(kind, (width, height), data)


def scan_original(
    bus: Umockdev, model: str, options: Sequence[str], folder: Path, sheets: int = 1
) -> Scanned:
    """Scan with the distribution's scanimage and backend until the hopper is empty.

    Without a source among *options* nothing is scanned.
    """
    device = bus.plug(UsbScanner, model, sheets)
    configure(folder, MODELS[model].product)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SANE_", "LD_"))}
    environment |= {**bus.environment, "SANE_CONFIG_DIR": str(folder), "LC_ALL": "C"}
    command = ["scanimage", *options]
    if "--source" in options:
        command += ["-d", f"fujitsu:{device.name}", "--batch=page%02d.pnm"]
    if "Flatbed" in options:
        command.append("--batch-count=1")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=TIMEOUT, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    pictures = [read_pnm(path) for path in sorted(folder.glob("page*.pnm"))]
    log = device.call("get_scanner", "log")
    device.unplug()
    sides = 2 if any("Duplex" in option for option in options) else 1
    return Scanned(model, log, pictures, sides, any("Back" in option for option in options))


class Made(NamedTuple):
    """A scanner to be made: its model, the hopper, attributes, and answers by command."""

    model: Model | str = "fi-7260"
    sheets: int = 0
    first: tuple[Sheet, ...] = ()
    attributes: dict[str, Any] = {}
    answers: dict[str, tuple[Answer | None, ...]] = {}

    def plug(self, bus: Umockdev) -> Device:
        """Put it on *bus*."""
        device = bus.plug(UsbScanner, self.model)
        device.call("call_scanner", "load", self.sheets, *self.first)
        for name, value in self.attributes.items():
            device.call("set_scanner", name, value)
        for name, answers in self.answers.items():
            device.call("call_scanner", "inject", name, *answers)
        return device


class Outcome(NamedTuple):
    """What one side did: the lines of the trace, and the commands that the scanner got."""

    trace: list[str]
    log: list[Command]


def run_side(
    walker: Path, side: Side, bus: Umockdev, made: Made, commands: Sequence[str], folder: Path
) -> Outcome:
    """Run *commands* of walker.c on one library; DEVICE in them is the scanner's name."""
    device = made.plug(bus)
    name = f"fujitsu:{device.name}"
    configure(folder, device.get("product"))
    whole = [command.replace(DEVICE, name) for command in commands]
    trace = run_walk(walker, side, Walk(0, whole), folder, bus.environment, dll="fujitsu\n")
    log = device.call("get_scanner", "log")
    device.unplug()
    return Outcome([line.replace(name, DEVICE) for line in trace], log)


def check(
    walker: Path,
    bus: Umockdev,
    made: Made,
    commands: Sequence[str],
    folder: Path,
    *,
    has_cut: bool = False,
    has_wire: bool = True,
) -> str:
    """Run both sides; return the first difference of what they did, "" if there is none.

    has_cut: see wire_difference. has_wire: the commands are compared, too.
    """
    sides = (("ours", our_library()), ("theirs", their_library()))
    ours, theirs = (
        run_side(walker, side, bus, made, commands, folder / name) for name, side in sides
    )
    assert any(line.startswith("GOOD") for line in theirs.trace), theirs.trace
    traces = (comparable(commands, side.trace) for side in (ours, theirs))
    report = compare(list(commands), *traces)
    if report or not has_wire:
        return report
    return wire_difference(wire(ours.log), wire(theirs.log), has_cut)


def comparable(commands: Sequence[str], trace: Sequence[str]) -> list[str]:
    """Return a trace without what does not matter (see docs/deviations.md).

    Here the area may exceed the page, which grows; groups have no capabilities; a group that the
    original turns into a switch stays one; df-diff and JPEG can become active; what changes the
    number of lines says so, and what is set to the value that it has changes nothing; and what is
    read where no scan was started is INVAL.
    """
    lines = []
    has_started = True
    for command, line in zip(commands, trace, strict=False):
        words, text = command.split(), normal(line)
        if words[0] == "start":
            has_started = line.startswith("GOOD")
        elif words[0] in ("read", "readall") and not has_started:
            text = "-"
        elif words[0] in ("set", "auto", "action", "get") and line.startswith("INVAL"):
            text = "INVAL"
        elif words[0] == "set" and words[2] in (*LENGTHENING, *RELOADING):
            text = re.sub(r"info=\d", "info", text)
        elif words[0] == "set" and words[2] == OFF_TIMER:
            text = text.partition(" value=")[0]
        elif words[0] == "desc" and words[2] in AREA:
            text = text.partition(" range=")[0]
        elif words[0] == "desc":
            text = re.sub(r"(type=1 .* range=.*)/0$", r"\1/1", text)  # the same for whole numbers
            text = re.sub(r"(type=5 .*) cap=..", r"\1", text)
        elif words[0] == "descs":
            text = re.sub(r"(:[^ ]*/5/[^ ]*/)[0-9a-f]{2}", r"\1-", text)
            text = re.sub(r" (39|40|45|68):[^ ]*", r" \1:-", text)
        lines.append(text)
    return lines + list(trace[len(commands) :])


def wire(log: Iterable[Command]) -> list[str]:
    """Return the commands of a session without those that find out what the scanner is.

    How often those are sent is not told: the original asks at every listing. Timers are left out
    where they say what the scanner has been told, or what is preset.
    """
    kept: list[Command] = []
    is_asking = False
    told = dict.fromkeys(TIMERS, b"")
    for command in map(without_chance, log):
        operation = command.cdb[0]
        timer = next((name for name in TIMERS if command.data.startswith(name)), None)
        if timer is not None:
            if command.data not in (told[timer], TIMERS[timer]):
                kept.append(command)
            told[timer] = command.data
        elif operation in ASKING or command.data == DEVICE_ID:
            is_asking = True
        elif operation == TEST_UNIT_READY:
            if kept and kept[-1].cdb[0] == OBJECT_POSITION and not is_asking:
                kept.append(command)
            is_asking = False
        elif command.cdb[:2] == HALT:  # ours keeps the halt for scans that are cut off
            kept.append(command._replace(cdb=CANCEL_CDB))
        elif operation != SET_WINDOW or not is_asking:
            kept.append(command)
            is_asking = False
    return lines_of(kept)


def wire_difference(ours: Sequence[str], theirs: Sequence[str], has_cut: bool) -> str:
    """Return the first difference of what two scanners got, "" if there is none.

    Ours feeds a sheet in advance, of which the original knows nothing when a cancel comes. has_cut:
    scans are cut off by cancels, so that how much was read of the last sheet is chance, and sensors
    are asked for, which the original knows from the start of a scan.
    """
    nothing: list[str] = []
    pairs = itertools.zip_longest(batches(ours), batches(theirs), fillvalue=nothing)
    for mine, yours in pairs:
        tidy = without_last_feed(mine) if count(mine) == count(yours) + 1 else mine
        sides = [without_last_reads(side) if has_cut else side for side in (tidy, yours)]
        report = difference(*(without_dropout(side) for side in sides))
        if report:
            return report
    return ""


def batches(lines: Iterable[str]) -> list[list[str]]:
    """Return the lines in groups, each of which ends with a cancel, but perhaps the last one."""
    groups: list[list[str]] = [[]]
    for line in lines:
        groups[-1].append(line)
        if line.startswith(CANCEL):
            groups.append([])
    return groups


def without_dropout(batch: list[str]) -> list[str]:
    """Return a batch in colour without its drop-out colour, which ours does not send then."""
    windows = [line for line in batch if line.startswith(WINDOWS)]
    if not any(bytes.fromhex(line.split()[2])[COMPOSITION] == COLOR for line in windows):
        return batch
    return [line for line in batch if not line.startswith(DROPOUT)]


def count(batch: Iterable[str]) -> int:
    """Return how many sheets were fed."""
    return sum(line.startswith(FEED) for line in batch)


def without_last_feed(batch: list[str]) -> list[str]:
    """Return a batch without its last sheet, but with its cancel."""
    last = max(i for i, line in enumerate(batch) if line.startswith(FEED))
    return batch[:last] + [line for line in batch[last:] if line.startswith(CANCEL)]


def without_last_reads(batch: list[str]) -> list[str]:
    """Return a batch without the reads of its last sheet."""
    last = max((i for i, line in enumerate(batch) if line.startswith(SCAN)), default=0)
    rest = [line for line in batch[last:] if not line.startswith(READING)]
    return [line for line in batch[:last] + rest if not line.startswith(SENSORS)]


def without_chance(command: Command) -> Command:
    """Return a command without the bytes that are chance in the original: behind what it says."""
    for beginning, size in ((POWER_OFF, 17), (PRE_READ, 29)):
        if command.data.startswith(beginning):
            return command._replace(data=command.data[:size].ljust(len(command.data), b"\0"))
    return command


def set_text(option: int, text: str) -> list[str]:
    """Return the commands that set a text; the original wants its descriptor fetched before."""
    return [f"desc 0 {option}", f"set 0 {option} 90 s {quote(text)}"]


def set_word(option: int, word: int) -> list[str]:
    """Return the commands that set a word."""
    return [f"desc 0 {option}", f"set 0 {option} 4 w {word}"]
