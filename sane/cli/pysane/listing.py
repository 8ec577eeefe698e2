"""`pysane list`: the scanners that are there, once or as they come and go."""

from __future__ import annotations

from .devices import ADVICE, NONE_FOUND, tell_problems
from .exits import NO_DEVICE, Failure
from .words import Parser, add_talk, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...listed import DeviceInfo
    from .main import Run

FIELDS = ("name", "vendor", "model", "type", "backend", "address", "is_network", "label")


def parser() -> Parser:
    """Return the parser of `pysane list`."""
    made = Parser("pysane list", "List the scanners that are there: name, vendor, model and type.")
    made.add("--watch", action="store_true", help="go on, and tell which come and go")
    made.add("--local", action="store_true", help="none in the network")
    made.add("--refresh", action="store_true", help="ask anew, even if a list is kept")
    made.add("--timeout", type=seconds, metavar="S", help="do not wait longer for backends")
    add_talk(made)
    return made


def facts(device: DeviceInfo) -> dict[str, Any]:
    """Return a device as it stands in JSON."""
    return {name: getattr(device, name) for name in FIELDS}


def run(run: Run) -> int:
    """Print the list; raises Failure if it is empty."""
    from ... import devices

    options, talk = run.options, run.talk
    if options.watch:
        return watch(run)
    found = devices(
        local_only=options.local, timeout=options.timeout or None, refresh=options.refresh
    )
    run.stopping.look()
    problems = getattr(found, "problems", ())
    if not found:
        failure = Failure(NO_DEVICE, NONE_FOUND, ADVICE)
        failure.result = {"devices": [], "problems": [_problem(*one) for one in problems]}
        tell_problems(found, talk)
        raise failure
    if talk.json:
        talk.emit(
            {
                "status": "ok",
                "devices": [facts(device) for device in found],
                "problems": [_problem(*one) for one in problems],
            }
        )
    else:
        for line in lines(found):
            talk.say(line)
    tell_problems(found, talk)
    return 0


def lines(devices: Sequence[DeviceInfo]) -> list[str]:
    """Return a line for each device, in columns."""
    rows = [(device.name, f"{device.vendor} {device.model}", device.type) for device in devices]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return [f"{name:<{widths[0]}}  {who:<{widths[1]}}  {kind}" for name, who, kind in rows]


def _problem(backend: str, exc: Exception) -> dict[str, Any]:
    return {
        "backend": backend,
        "status": getattr(exc, "status", None),
        "name": getattr(exc, "name", type(exc).__name__),
        "message": str(exc),
    }


def watch(run: Run) -> int:
    """Print a line for every device that is there, comes or goes, until Ctrl-C."""
    import sys

    from ... import watch as watch_devices

    signs = {"added": "+", "removed": "-", "changed": "*"}
    with watch_devices(local_only=run.options.local) as events:
        run.stopping.scanning(events.close)
        for event in events:
            if run.talk.json:
                run.talk.emit({"event": event.kind, "device": facts(event.device)})
            else:
                run.talk.say(f"{signs[event.kind]} {lines([event.device])[0]}")
            if sys.stdout is not None:
                sys.stdout.flush()
    run.stopping.look()
    return 0
