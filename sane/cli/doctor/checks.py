"""Runs checks side by side, each with a time limit: one that hangs or fails costs itself only.

It knows what a check is, and nothing of what is checked.
"""

from __future__ import annotations

import _thread

from ...backend import describe
from ...threads import start_thread
from ...transport.sockets import Deadline
from .finding import UNKNOWN, Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .machine import Machine

    Look = Callable[[Machine], Iterable[Finding]]

SECONDS = 15.0  # a small computer takes seconds to load all drivers


class Check:
    """One question to the machine. id: ``area.name``; title: what it is about, for a time-out.

    look(machine) yields findings: at least one, also where all is well. seconds: what it may take.
    device: what all of its findings are about, "" if they say so themselves.
    """

    __slots__ = ("device", "id", "look", "seconds", "title")

    def __init__(
        self, id: str, title: str, look: Look, seconds: float = SECONDS, device: str = ""
    ) -> None:
        self.id = id
        self.title = title
        self.look = look
        self.seconds = seconds
        self.device = device

    @property
    def area(self) -> str:
        """The part of the report that it belongs to."""
        return self.id.partition(".")[0]


class _Run:
    """A check that is being done by a thread."""

    def __init__(self, check: Check, machine: Machine) -> None:
        self._check = check
        self._machine = machine
        self._found: list[Finding] = []
        self._deadline = Deadline(check.seconds)
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        try:
            start_thread(self._do)
        except (RuntimeError, MemoryError):  # no more threads: this one has the time
            self._do()

    def _do(self) -> None:
        try:
            for finding in self._check.look(self._machine):
                self._found.append(finding)
        except BaseException as exc:
            text = f"This could not be checked ({self._check.title}): {_reason(exc)}."
            self._found.append(Finding(UNKNOWN, text))
        finally:
            self._ended.release()

    def findings(self) -> list[Finding]:
        """Wait for its end, or for its time limit; return what it has found by then."""
        check = self._check
        is_over = self._ended.acquire(True, self._deadline.left() or 0)
        found = list(self._found)  # what comes later changes nothing
        if not is_over:
            text = f"This check did not end within {check.seconds:g} s ({check.title})."
            found.append(Finding(UNKNOWN, text))
        for finding in found:
            finding.id = finding.id or check.id
            finding.device = finding.device or check.device
        return found


def _reason(exc: BaseException) -> str:
    if isinstance(exc, OSError) and exc.strerror:
        return f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror
    return describe("it", exc).removeprefix("it: ")


def run(checks: Sequence[Check], machine: Machine) -> list[Finding]:
    """Do *checks* at the same time; return what they found, in their order."""
    runs = [_Run(check, machine) for check in checks]
    return [finding for one in runs for finding in one.findings()]
