"""Runs the rules in a process of their own, so that a crash or a hang is a finding like others.

The parent starts a worker, which checks one rule after the other and reports each event as a
line of JSON; when it dies or is silent for too long, the next worker goes on with the next rule.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time

from ... import const
from .library import Library
from .registry import all_rules
from .trial import Choice, Skipped, Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .trial import Rule

PACKAGE = __package__.rpartition(".")[0]
START_SECONDS = 30.0  # for Python, and to open the device


class Outcome:
    """What came of one rule: findings break it, notes do not."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.findings: list[str] = []
        self.notes: list[str] = []
        self.skipped = ""

    def take(self, kind: str, text: str) -> None:
        """Add what the worker reported."""
        if kind == "finding":
            self.findings.append(text)
        elif kind == "note":
            self.notes.append(text)
        elif kind == "skipped":
            self.skipped = text


def work(settings: Choice, first: int, chosen: list[int], fd: int) -> None:
    """Be the worker: check the rules *chosen* from *first* on, reporting to *fd*."""

    def report(kind: str, text: str) -> None:
        os.write(fd, f"{json.dumps([kind, text])}\n".encode())

    library = Library(settings.library)
    rules = all_rules()
    library.init()
    status, handle = library.open(settings.encoded_device)
    if status != const.STATUS_GOOD:
        report("unusable", f"sane_open returned {library.text(status)}")
        return
    library.call("close", handle)
    for index in chosen:
        if index < first:
            continue
        report("begin", str(index))
        try:
            rules[index].check(Trial(library, settings, report))
        except Skipped as reason:
            report("skipped", str(reason))
        report("end", str(index))
    library.call("exit")
    report("done", "")


class Worker:
    """One worker process and the events that it reports."""

    def __init__(self, settings: Choice, first: int, chosen: list[int]) -> None:
        reading, writing = os.pipe()
        chosen_by_user = [settings.device, settings.library, settings.buttons, settings.options]
        job = [*chosen_by_user, first, chosen, writing]
        self.process = subprocess.Popen(
            [sys.executable, "-m", PACKAGE, "--worker", json.dumps(job)],
            pass_fds=(writing,),
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        os.close(writing)
        self.reading = reading

    def events(self, seconds: float) -> Iterator[tuple[str, str]]:
        """Yield (kind, text); the last one is ("died", how) unless it was ("done", "")."""
        pending = b""
        limit = max(seconds, START_SECONDS)
        deadline = time.monotonic() + limit
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.reading], [], [], left)[0]:
                self.process.kill()
                yield "died", f"it did not come to an end within {limit:g} s"
                return
            data = os.read(self.reading, 65536)
            if not data:
                yield "died", how_it_ended(self.process.wait())
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                kind, text = json.loads(line)
                yield kind, text
                if kind == "done":
                    return
                if kind == "begin":
                    limit = seconds
                    deadline = time.monotonic() + limit

    def end(self) -> None:
        """Wait for the process; one that hangs in its exit is killed."""
        os.close(self.reading)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def how_it_ended(code: int) -> str:
    """Return in words why a worker is gone."""
    if code < 0:
        return f"the program crashed: {signal.Signals(-code).name}"
    return f"the program ended with exit status {code}"


def run(settings: Choice, chosen: list[int], seconds: float) -> Iterator[Outcome]:
    """Yield the outcome of each rule in *chosen* as soon as it is known."""
    rules = all_rules()
    first = 0
    while True:
        worker = Worker(settings, first, chosen)
        current: Outcome | None = None
        index = first
        finished = False
        for kind, text in worker.events(seconds):
            if kind == "begin":
                index = int(text)
                current = Outcome(rules[index])
            elif kind == "end" and current is not None:
                yield current
                current = None
            elif kind == "done":
                finished = True
            elif kind == "unusable" or (kind == "died" and current is None):
                worker.end()
                raise RuntimeError(text)
            elif current is not None:
                current.take("finding" if kind == "died" else kind, text)
        worker.end()
        if finished:
            return
        if current is not None:
            yield current
        first = index + 1
        if not any(number >= first for number in chosen):
            return
