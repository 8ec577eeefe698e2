"""Runs the same calls on the original epsonds and on ours, each against an emulated scanner.

The scanners are made anew for each side, so that both find the same; they are on the network, at
an address of the loopback network, or on a bus of umockdev. Everything is compared: what the
calls return, the image, and the parameters that each backend sends.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from sane.backends._epson import PORT
from sane.testing.epson_net import Server
from sane.testing.esci2 import Bed, Model, Scanner
from sane.testing.esci2.usb import UsbScanner
from sane.testing.usb.hosted import Umockdev
from tests.peers.epson import normal
from tests.peers.walks import Side, Walk, compare, our_library, run_walk, their_library
from tests.support.ports import loopback_address

MM = 65536  # of a fixed-point option
SOURCE, MODE, DEPTH, RESOLUTION, CORNERS, SKEW, CROP = 2, 3, 4, 5, (7, 8, 9, 10), 14, 15
FRONT, DUPLEX = "ADF Front", "ADF Duplex"
FEATURES = ("DPLX", "SKEW", "CRP", "LOAD", "EJCT")
ADDRESS = re.compile(r"net:[0-9.]+")
SCAN = ("start 0", "params 0", "readall 0 32768 268435456")


class Outcome(NamedTuple):
    """What one side did: the lines of the trace, and what the scanner got."""

    trace: list[str]
    commands: list[str]
    blocks: list[bytes]


class Transport(Protocol):
    """Where the emulated scanner is: run() gives it to one library."""

    def run(
        self, walker: Path, side: Side, scanner: Made, commands: Sequence[str], folder: Path
    ) -> Outcome:
        """Return what *side* makes of *commands*; 0 is the open scanner."""


class Made(NamedTuple):
    """A scanner to be made: its model, sheets (count, heights), and attributes to set."""

    model: Model
    sheets: tuple[int, ...] = (0,)
    attributes: dict[str, Any] = {}


def feeder_model(**words: Any) -> Model:
    """Return a model with a flatbed and a feeder that can do everything."""
    words.setdefault("feeder", Bed(850, 1400, features=FEATURES))
    return Model(**words)


class Network:
    """The scanner at an address of the loopback network, which is another one each time."""

    def run(
        self, walker: Path, side: Side, scanner: Made, commands: Sequence[str], folder: Path
    ) -> Outcome:
        machine = Scanner(scanner.model)
        machine.load(*scanner.sheets)
        for name, value in copy.deepcopy(scanner.attributes).items():
            setattr(machine, name, value)
        with serve(machine) as server:
            host = server.address[0]
            head = ["conf dll.conf epsonds", f"conf epsonds.conf {quote(f'net {host}')}", "init m"]
            walk = Walk(0, [*head, f"open 0 epsonds:net:{host}", *commands])
            trace = run_walk(walker, side, walk, folder)
        return Outcome(trace[len(head) :], machine.commands, machine.blocks)


class Usb:
    """The scanner on an emulated bus."""

    def __init__(self, bus: Umockdev) -> None:
        self.bus = bus

    def run(
        self, walker: Path, side: Side, scanner: Made, commands: Sequence[str], folder: Path
    ) -> Outcome:
        device = self.bus.plug(UsbScanner, scanner.model)
        device.call("call_scanner", "load", *scanner.sheets)
        for name, value in scanner.attributes.items():
            device.call("set_scanner", name, value)
        head = ["conf dll.conf epsonds", "conf epsonds.conf usb", "init m"]
        walk = Walk(0, [*head, f"open 0 epsonds:{device.name}", *commands])
        trace = run_walk(walker, side, walk, folder, self.bus.environment)
        outcome = Outcome(
            trace[len(head) :],
            device.call("get_scanner", "commands"),
            device.call("get_scanner", "blocks"),
        )
        device.unplug()
        return outcome


def serve(machine: Scanner) -> Server:
    """Return a server at an address that nobody uses: the port of these scanners is fixed."""
    return Server(machine, loopback_address(PORT))


def check(
    walker: Path, transport: Transport, scanner: Made, commands: Sequence[str], folder: Path
) -> str:
    """Run both sides; return the first difference of what they did, "" if there is none.

    The scanner's commands are compared unless it was made to fail.
    """
    sides = (("ours", our_library()), ("theirs", their_library()))
    ours, theirs = (
        transport.run(walker, side, scanner, commands, folder / name) for name, side in sides
    )
    whole = ["open", *commands]
    report = compare(whole, comparable(whole, ours.trace), comparable(whole, theirs.trace))
    if not report and ours.blocks != theirs.blocks:
        report = f"parameters: {ours.blocks}\ninstead of: {theirs.blocks}"
    is_faulty = "scripted" in scanner.attributes
    if not report and not is_faulty and tidy(ours.commands) != tidy(theirs.commands):
        report = f"commands:   {tidy(ours.commands)}\ninstead of: {tidy(theirs.commands)}"
    return report


def comparable(commands: Sequence[str], trace: list[str]) -> list[str]:
    """Return a trace without what does not matter (see docs/deviations.md).

    After a start that failed, the original's get_parameters and reads go on to ask the scanner.
    """
    lines = []
    has_started = True
    for command, line in zip(commands, trace, strict=False):
        word = command.split()[0]
        text = normal(line)
        if word == "start":
            has_started = line.startswith("GOOD")
        elif not has_started and word in ("params", "readall"):
            text = "-"
        elif word in ("set", "auto") and line.startswith("INVAL"):
            text = "INVAL"
        text = ADDRESS.sub("net:HOST", text)
        lines.append(text)
    return lines + trace[len(commands) :]


def tidy(commands: list[str]) -> list[str]:
    """Return commands without repetitions: ours asks a feeder once where the original asks twice.

    What begins and ends a session is left out: the original keeps what INFO said, and does not
    cancel a job that still has sheets.
    """
    outer = ("FS X", "INFO", "CAPA", "RESA", "CAN", "FIN")
    left = [name for name in commands if name not in outer]
    return [name for name, before in zip(left, ["", *left], strict=False) if name != before]


def set_text(option: int, text: str) -> str:
    """Return the command that sets a text."""
    return f"set 0 {option} 32 s {quote(text)}"


def set_word(option: int, word: int) -> str:
    """Return the command that sets a word."""
    return f"set 0 {option} 4 w {word}"


def area(left: float, top: float, right: float, bottom: float) -> list[str]:
    """Return the commands that set the scan area in mm."""
    values = (left, top, right, bottom)
    return [set_word(option, int(mm * MM)) for option, mm in zip(CORNERS, values, strict=True)]
