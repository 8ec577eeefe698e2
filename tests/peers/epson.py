"""Runs the same calls on the original epson2 and on ours, each against an emulated scanner.

The scanners are made anew for each side, so that both find the same; they are on the network, at
an address of the loopback network. Everything is compared: what the calls return, the image, and
what each backend sends.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sane.backends._epson import PORT
from sane.testing.epson_net import Server
from sane.testing.esci import Model, Scanner
from sane.testing.esci.usb import UsbScanner
from sane.testing.usb.hosted import Device, Umockdev
from tests.peers.walks import Walk, compare, our_library, run_walk, their_library
from tests.support.ports import loopback_address

MM = 65536  # of a fixed-point option
CHUNK, CAP = 32768, 1 << 28
INITIALISE = b"\x1b@"
EVENING = (b"\x1bF", b"\x1bf")  # what the original sends at close, to even its data toggles
OPTIONS = (  # names by number, as in the specification
    *("", "", "mode", "depth", "halftoning", "dropout", "brightness", "sharpness"),
    *("gamma-correction", "color-correction", "resolution", "threshold", "", "mirror"),
    *("auto-area-segmentation", "red-gamma-table", "green-gamma-table", "blue-gamma-table"),
    *("wait-for-button", "", "cct-type", "cct-profile", "", "preview", "", "tl-x", "tl-y"),
    *("br-x", "br-y", "", "autofocus", "focus", "", "source", "auto-eject", "film-type", "bay"),
    *("eject", "adf-mode"),
)


class Outcome(NamedTuple):
    """What one side did: the lines of the trace, and the messages that the scanner got."""

    trace: list[str]
    received: list[bytes]

    def scan(self) -> list[bytes]:
        """Return the messages after the last initialisation: the scans alone."""
        starts = [i for i, message in enumerate(self.received) if message == INITIALISE]
        messages = self.received[starts[-1] + 1 :] if starts else []
        while messages and messages[-1] in EVENING:
            messages = messages[:-1]
        return messages


def option(name: str) -> int:
    """Return the number of an option."""
    return OPTIONS.index(name)


def set_text(name: str, text: str) -> str:
    """Return the command that sets a text."""
    return f"set 0 {option(name)} 64 s {quote(text)}"


def set_word(name: str, *words: int) -> str:
    """Return the command that sets a word, or several."""
    return f"set 0 {option(name)} {4 * len(words)} w {','.join(map(str, words))}"


def area(left: float, top: float, right: float, bottom: float) -> list[str]:
    """Return the commands that set the scan area in mm."""
    names = ("tl-x", "tl-y", "br-x", "br-y")
    values = (left, top, right, bottom)
    return [set_word(name, int(mm * MM)) for name, mm in zip(names, values, strict=True)]


SCAN = ("params 0", "start 0", "params 0", f"readall 0 {CHUNK} {CAP}")


def run_both(
    walker: Path, make: Callable[[], Scanner], commands: Sequence[str], folder: Path
) -> tuple[Outcome, Outcome]:
    """Run *commands* on an open scanner, number 0, on both sides; return ours and theirs."""
    host = loopback_address(PORT)
    outcomes = []
    for name, side in (("ours", our_library()), ("theirs", their_library())):
        head = ["conf dll.conf epson2", f"conf epson2.conf {quote(f'net {host}')}", "init m"]
        walk = Walk(0, [*head, f"open 0 epson2:net:{host}", *commands, "close 0"])
        scanner = make()
        with Server(scanner, host):
            trace = run_walk(walker, side, walk, folder / name)
        outcomes.append(Outcome(trace[len(head) :], scanner.received))
    return outcomes[0], outcomes[1]


def run_both_usb(
    walker: Path,
    bus: Umockdev,
    model: Model,
    commands: Sequence[str],
    folder: Path,
    prepare: Callable[[Device], None] = lambda device: None,
    **words: Any,
) -> tuple[Outcome, Outcome]:
    """Do the same with a scanner on an emulated bus; prepare: e.g. lets it fail."""
    outcomes = []
    for name, side in (("ours", our_library()), ("theirs", their_library())):
        device = bus.plug(UsbScanner, model, **words)
        prepare(device)
        head = ["conf dll.conf epson2", "conf epson2.conf usb", "init m"]
        walk = Walk(0, [*head, f"open 0 epson2:{device.name}", *commands, "close 0"])
        trace = run_walk(walker, side, walk, folder / name, bus.environment)
        outcomes.append(Outcome(trace[len(head) :], device.call("get_scanner", "received")))
        device.unplug()
    return outcomes[0], outcomes[1]


def normal(line: str) -> str:
    """Return a line of a trace without what does not matter.

    A nameless option has no name or an empty one; groups and buttons have no size; a text has
    room for what any scanner offers; a refused SET leaves info alone or sets it to 0.
    """
    line = line.replace("INVAL info=untouched", "INVAL info=0")
    line = re.sub(r"(\d+):(?:\(null\))?/", r"\1:/", line)
    line = re.sub(r'^(?:NULL|"") title', "NULL title", line)
    line = re.sub(r"(:[^ ]*/[345])/(\d)/\d+/", r"\1/\2/size/", line)
    return re.sub(r"(type=[345] unit=0) size=\d+", r"\1 size", line)


def difference(commands: Sequence[str], ours: Outcome, theirs: Outcome) -> str:
    """Return the first difference of two outcomes, "" if there is none."""
    traces = ([normal(line) for line in side.trace] for side in (ours, theirs))
    report = compare(["open", *commands, "close"], *traces)
    if not report and ours.scan() != theirs.scan():
        pairs = list(itertools.zip_longest(ours.scan(), theirs.scan(), fillvalue=b""))
        first = next(i for i, (mine, yours) in enumerate(pairs) if mine != yours)
        report = "the scanner gets\n" + "\n".join(
            f"{mine[:48].hex(' '):60} {yours[:48].hex(' ') if yours != mine else ''}"
            for mine, yours in pairs[max(0, first - 12) : first + 6]
        )
    return report
