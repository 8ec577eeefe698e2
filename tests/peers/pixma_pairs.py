"""Runs the same calls on ours and on the original pixma, each with a scanner of its own.

On the network both run at once, since the original waits more than it works. Compared are what the
calls return, the pixels, and the commands with their parameters.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sane.testing.pixma import MODELS, Command, Model
from sane.testing.pixma.models import IMAGECLASS
from sane.testing.pixma.network import Packet
from sane.testing.usb.hosted import Umockdev
from tests.peers.epson import normal
from tests.peers.pixma import USB, Made, reach
from tests.peers.walks import Side, Walk, compare, our_library, run_walk, their_library
from tests.support.distribution import sane_version

DEVICE = "DEVICE"
AT_ONCE = 8  # more, and a loaded machine takes too long for one call
MM = 65536
RESOLUTION, MODE, SOURCE, BUTTON_CONTROLLED = 2, 3, 4, 5
CUSTOM_GAMMA, GAMMA_TABLE, GAMMA = 7, 8, 9
TL_X, TL_Y, BR_X, BR_Y = 11, 12, 13, 14
BUTTON_UPDATE, BUTTON_1, BUTTON_2 = 16, 17, 18
THRESHOLD, CURVE, ADF_WAIT, CALIBRATE = 26, 27, 28, 29
COUNT = 30
ENDING = ("EF20", "EndJob")
SCAN = ("start 0", "params 0", "readall 0 32768 99999999")


class Outcome(NamedTuple):
    """What one side did: lines of the trace, and what the scanner got."""

    trace: list[str]
    log: list[Command]
    packets: list[Packet]
    problems: list[str]


def text(option: int, value: str) -> str:
    """Return the command that sets a text."""
    return f"set 0 {option} 31 s {quote(value)}"


def word(option: int, value: int) -> str:
    """Return the command that sets a word."""
    return f"set 0 {option} 4 w {value}"


def area(left: float, top: float, right: float, bottom: float) -> list[str]:
    """Return the commands that set the scan area in mm."""
    edges = ((BR_X, right), (BR_Y, bottom), (TL_X, left), (TL_Y, top))
    return [word(option, int(mm * MM)) for option, mm in edges]


def opened(commands: Sequence[str]) -> list[str]:
    """Return *commands* on an open scanner, number 0."""
    return ["init m", f"open 0 {DEVICE}", *commands, "close 0", "exit"]


def run_side(
    walker: Path,
    side: Side,
    made: Made,
    commands: Sequence[str],
    folder: Path,
    bus: Umockdev | None = None,
) -> Outcome:
    """Run *commands* of walker.c on one library; DEVICE in them is the scanner's name."""
    folder.mkdir(parents=True, exist_ok=True)
    with reach(made, bus) as reached:
        (folder / "pixma.conf").write_text(reached.conf)
        whole = [command.replace(DEVICE, reached.name) for command in commands]
        trace = run_walk(walker, side, Walk(0, whole), folder, reached.environment, dll="pixma\n")
        return Outcome(
            [line.replace(reached.name, DEVICE) for line in trace],
            list(reached.get("log")),
            list(reached.emulator.log) if reached.emulator else [],
            list(reached.get("problems")),
        )


def run_both(
    walker: Path,
    made: Made,
    commands: Sequence[str],
    folder: Path,
    bus: Umockdev | None = None,
) -> tuple[Outcome, Outcome]:
    """Run *commands* on both libraries; return ours and theirs."""
    outcomes: dict[str, Outcome] = {}

    def run(name: str, side: Side) -> None:
        outcomes[name] = run_side(walker, side, made, commands, folder / name, bus)

    ours, theirs = our_library(), their_library()
    other = threading.Thread(target=run, args=("theirs", theirs))
    other.start()
    try:
        if made.link == USB:
            other.join()  # a bus cannot have two scanners of the same name
        run("ours", ours)
    finally:
        other.join()
    return outcomes["ours"], outcomes["theirs"]


def check(
    walker: Path,
    made: Made,
    commands: Sequence[str],
    folder: Path,
    bus: Umockdev | None = None,
    *,
    has_wire: bool = True,
) -> str:
    """Run *commands* on both; return the first difference of what they did, "" if there is none.

    has_wire: what the scanner got is compared, too.
    """
    ours, theirs = run_both(walker, made, commands, folder, bus)
    assert any(line.startswith("GOOD") for line in theirs.trace), theirs.trace
    report = compare(list(commands), *(comparable(commands, side.trace) for side in (ours, theirs)))
    if not report and ours.problems:
        report = f"no scanner obeys: {ours.problems}"
    if not report and has_wire:
        model = MODELS[made.model] if isinstance(made.model, str) else made.model
        report = difference(wire(ours.log, model), wire(theirs.log, model))
    return f"{made.model}: {report}" if report else ""


class Case(NamedTuple):
    """What both do with a scanner; has_wire: see check."""

    made: Made
    commands: Sequence[str]
    has_wire: bool = True


def check_all(walker: Path, cases: Sequence[Case], folder: Path) -> str:
    """Check several scanners on the network at once; return the reports."""

    def one(numbered: tuple[int, Case]) -> str:
        number, case = numbered
        place = folder / str(number)
        return check(walker, case.made, case.commands, place, has_wire=case.has_wire)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        reports = list(pool.map(one, enumerate(cases)))
    return "\n\n".join(filter(None, reports))


def comparable(commands: Sequence[str], trace: Sequence[str]) -> list[str]:
    """Return a trace without what does not matter (see docs/deviations.md).

    What ends a page before its first pixel, or in its midst, is told by start or by a read.
    Originals from 1.3 on keep mode and resolution when a source is set, and may say so.
    """
    is_newer = sane_version() >= (1, 3)
    lines = []
    failed = ""
    for number, (command, line) in enumerate(zip(commands, trace, strict=False)):
        words, told = command.split(), normal(line)
        if words[0] == "start":
            failed = failure(commands, trace, number)
            told = f"fails with {failed}" if failed else line
        elif words[0] in ("read", "readall", "params") and failed:
            told = f"fails with {failed}"
        elif words[0] == "cancel":
            failed = ""
        elif words[0] in ("set", "auto", "action", "get") and line.startswith("INVAL"):
            told = "INVAL"
        elif words[0] == "set" and words[2] == str(SOURCE) and is_newer:
            told = re.sub(r"info=\d", "info", told)
        elif words[0] == "desc":
            told = re.sub(r"(type=1 .* range=.*)/0$", r"\1/1", told)  # the same for whole numbers
        lines.append(told)
    return lines + list(trace[len(commands) :])


def failure(commands: Sequence[str], trace: Sequence[str], number: int) -> str:
    """Return with what status a page fails, be it in its start or in a read; "" if it does not."""
    for command, line in zip(commands[number:], trace[number:], strict=False):
        word, status = command.split()[0], line.split()[0]
        if word in ("start", "read", "readall") and status not in ("GOOD", "EOF", "CAP", "ZERO"):
            return status
        if word in ("read", "readall", "cancel", "close"):
            break
    return ""


def wire(log: Sequence[Command], model: Model) -> list[str]:
    """Return the commands as lines, without those that end a session in which paper is left.

    The original leaves such a session open, with new laser units even on the flatbed.
    """
    kept = list(log)
    while kept and kept[-1].name in ENDING:
        kept.pop()
    if model.family == IMAGECLASS and model.generation >= 2:
        kept = [command for command in kept if command.name not in ENDING]
    return [f"{command.name} {command.data.hex()}" for command in kept]


def difference(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """Return the first difference of two lists of commands, "" if there is none."""
    pairs = list(itertools.zip_longest(ours, theirs, fillvalue="(nothing)"))
    for number, (mine, yours) in enumerate(pairs):
        if mine != yours:
            before = " ".join(line.split()[0] for line in ours[max(0, number - 9) : number])
            at = next((i for i, (a, b) in enumerate(zip(mine, yours, strict=False)) if a != b), 0)
            part = slice(max(0, at - 60), at + 40)
            head = f"the scanner gets {before}, then from digit {part.start}"
            return f"{head}\nours:   {mine[part]}\ntheirs: {yours[part]}"
    return ""
