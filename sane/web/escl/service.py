"""A shared scanner as an eSCL scanner: its jobs, and how it is. One job at a time.

Source: specification escl 7.5 and 7.7.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from ..problems import Busy
from . import words
from .job import Job

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from ..context import ShareContext
    from ..scanner import Scanner
    from .settings import Ticket

HISTORY_SECONDS = 90.0  # in which a job that is over is told of
MOST_JOBS = 10
POLL_SECONDS = 5.0  # at most so often are a scanner's sensors asked


class Service:
    """One scanner. root: where it is, as /eSCL."""

    def __init__(
        self, context: ShareContext, scanner: Scanner, folder: Path, threads: Executor
    ) -> None:
        self.context = context
        self.scanner = scanner
        self.jobs: list[Job] = []  # newest first, one of them active
        self._folder = folder
        self._threads = threads
        self._ended: dict[str, float] = {}
        self._posting = asyncio.Lock()
        self._poll: asyncio.Task[object] | None = None
        self._polled = 0.0

    @property
    def active(self) -> Job | None:
        """The job that is not over."""
        return next((job for job in self.jobs if not job.has_ended), None)

    async def create(self, ticket: Ticket, owner: str, root: str) -> Job:
        """Return a new job, with the scanner open and set; raises ScannerProblem."""
        if self._posting.locked():
            raise Busy("another client")
        async with self._posting:
            active = self.active
            if active is not None:
                if not active.may_be_replaced(owner):
                    raise Busy("another client")
                await active.end(words.ABORTED, words.BY_SYSTEM)
            held = await self.scanner.acquire(f"eSCL client {owner}")
            try:
                await held.configure(ticket.settings)
            except BaseException:
                await held.close()
                raise
            id = str(uuid.uuid4())
            job = Job(
                id,
                f"{root}/ScanJobs/{id}",
                owner,
                ticket,
                held,
                folder=self._folder,
                threads=self._threads,
                most_pages=self.context.settings.escl.max_pages,
                has_ended=self._has_ended,
            )
            self.jobs.insert(0, job)
            self._tell(job)
            return job

    def _has_ended(self, job: Job) -> None:
        self._ended.setdefault(job.id, time.monotonic())
        self._tell(job)

    def _tell(self, job: Job) -> None:
        why = f", {job.problem}" if job.problem and job.state == words.ABORTED else ""
        facts = (self.scanner.title, job.id, job.owner, job.state, job.reason, why)
        self.context.log.info("%s: job %s of %s: %s, %s%s", *facts)

    def find(self, id: str) -> Job | None:
        """Return a job that clients may still know."""
        return next((job for job in self.told() if job.id == id), None)

    def told(self) -> list[Job]:
        """Return the jobs that the status tells of, newest first."""
        old = time.monotonic() - HISTORY_SECONDS
        self.jobs = [
            job for job in self.jobs if not job.has_ended or self._ended.get(job.id, old) >= old
        ][:MOST_JOBS]
        kept = {job.id for job in self.jobs}
        self._ended = {id: at for id, at in self._ended.items() if id in kept}
        return self.jobs

    async def close(self) -> None:
        """End the job that runs."""
        if self._poll is not None:
            self._poll.cancel()
        if self.active is not None:
            await self.active.end(words.ABORTED, words.BY_SYSTEM)
        await asyncio.gather(*(job.ended() for job in self.jobs))

    # How it is

    @property
    def state(self) -> str:
        """Return eSCL's State: a feeder's job works between its pages, too."""
        known = self.scanner.status.state
        if self.active is not None or known in ("scanning", "busy"):
            return words.PROCESSING
        return words.STOPPED if known == "unreachable" else words.IDLE

    @property
    def adf_state(self) -> str:
        """Return eSCL's AdfState, "" without a feeder: sensors first, then what was met last."""
        if not self.scanner.capabilities.has_feeder:
            return ""
        status = self.scanner.status
        active = self.active
        if active is not None and active.ticket.is_feeder:
            return words.ADF_PROCESSING
        problem = words.ADF_PROBLEMS.get(status.problem)
        if problem is not None:
            return problem
        return words.ADF_EMPTY if status.feeder == "empty" else words.ADF_LOADED

    def ask_sensors(self) -> None:
        """Have the sensors asked while nobody scans, for the next status; this one is at once."""
        now = time.monotonic()
        is_asked = self._poll is not None and not self._poll.done()
        if self.state == words.PROCESSING or is_asked or now - self._polled < POLL_SECONDS:
            return
        if self.scanner.capabilities.sensors or self.scanner.tells_conditions:
            self._polled = now
            self._poll = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        try:
            await self.scanner.poll()
        except Exception as exc:  # a driver's trouble is no client's
            self.context.log.warning("%s: its sensors: %s", self.scanner.title, exc)
