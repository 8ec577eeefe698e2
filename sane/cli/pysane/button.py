"""`pysane watch-button`: runs a command whenever a button of the scanner is pressed.

The scanner is open only while its buttons are read: other programs can scan in between.
"""

from __future__ import annotations

import os
import subprocess
import time

from ...errors import DeviceBusy, SaneError
from .exits import OK, PROCESSING, Failure, failure_of, usage
from .scan_options import add_choice
from .words import Parser, add_talk, meant, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...api.scanner import Scanner
    from .main import Run

FAILURES = 5  # in a row, before the scanner counts as gone


def parser() -> Parser:
    """Return the parser of `pysane watch-button`."""
    made = Parser(
        "pysane watch-button",
        "Run a command whenever a button of the scanner is pressed, until Ctrl-C. The command has\n"
        "SANE_DEVICE and SANE_BUTTON in its environment.",
        operands="[DEVICE] --run CMD",
        epilog="example:\n  pysane watch-button --run 'pysane scan -d \"$SANE_DEVICE\" -p letters'",
    )
    add_choice(made)
    made.add("--run", metavar="CMD", help="what the shell runs")
    made.add("--button", metavar="NAME", action="append", help="only this one; repeatable")
    made.add("--once", action="store_true", help="end after the first press")
    interval = "how often the buttons are read [0.5]"
    made.add("--interval", type=seconds, default=0.5, metavar="S", help=interval)
    add_talk(made)
    return made


def run(run: Run) -> int:
    """Watch until a signal ends it."""
    from .devices import opened

    options, talk = run.options, run.talk
    text = chosen_device(options.device, options.operands)
    if not options.run:
        raise usage("--run CMD is missing", "see pysane watch-button --help")
    with opened(text, talk, timeout=options.timeout) as scanner:
        name = scanner.name
        before = buttons(scanner, options.button)
    talk.note(f"{name}: watching {', '.join(before)}")
    failures = 0
    while True:
        time.sleep(options.interval)
        run.stopping.look()
        try:
            now = read(name, options.button)
            failures = 0
        except DeviceBusy:  # a scan, probably of the command's own making
            continue
        except SaneError as exc:
            failures += 1
            if failures == FAILURES:
                raise failure_of(exc, name) from exc
            continue
        for button, value in now.items():
            if value and not before.get(button):
                status = react(run, name, button, value)
                if options.once:
                    return status
        before = now


def chosen_device(option: str | None, operands: list[str]) -> str:
    """Return the device that the words name, "" if none does."""
    if len(operands) > 1 or (option and operands):
        raise usage(f"{operands[-1]!r} is one word too many: one device is wanted")
    return option or (operands[0] if operands else "")


def read(name: str, wanted: list[str] | None) -> dict[str, int]:
    """Return the values of the buttons of the device *name*, which is open only for that."""
    from ... import Scanner

    with Scanner(name) as scanner:
        return buttons(scanner, wanted)


def buttons(scanner: Scanner, wanted: list[str] | None) -> dict[str, int]:
    """Return the values of the scanner's buttons; raises Failure if it lacks what is wanted."""
    found: dict[str, int] = scanner.sensors()
    names = scanner.capabilities.buttons
    for name in wanted or ():
        if name not in found:
            raise usage(
                f"{scanner.name} has no button {name!r}{meant(name, found)}",
                f"it has: {', '.join(names) or 'none'}",
            )
    if not wanted and not names:
        raise Failure(1, f"{scanner.name} has no buttons that can be read")
    return {name: found[name] for name in wanted or names if name in found}


def react(run: Run, device: str, button: str, value: int) -> int:
    """Run the command; return the exit status for --once."""
    if run.talk.json:
        run.talk.emit({"event": "button", "device": device, "button": button, "value": value})
    else:
        run.talk.note(f"{device}: {button} was pressed")
    facts: Mapping[str, str] = {"SANE_DEVICE": device, "SANE_BUTTON": button}
    done = subprocess.run(["sh", "-c", run.options.run], env={**os.environ, **facts}, check=False)
    if done.returncode:
        run.talk.warn(f"{run.options.run}: ended with status {done.returncode}")
        return PROCESSING
    return OK
