"""The jobs of the server: those that run, one a scanner, and what became of the last ones."""

from __future__ import annotations

import asyncio

from ..api.problem import ApiError
from .scanning import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parts import Parts
    from .job import Job

MOST_OVER = 100  # jobs that are over and still told of
MOST_PICTURES = 8  # of them, that keep their preview
END_SECONDS = 5.0  # that a scanner may take to stop


class Jobs:
    """Starts jobs, finds them, cancels them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, tuple[Runner, asyncio.Task[None]]] = {}  # by job
        self._is_closed = False

    def all(self) -> list[Job]:
        """Return the jobs, the newest first."""
        return list(reversed(self._jobs.values()))

    def find(self, id: str) -> Job:
        """Return a job; raises KeyError."""
        return self._jobs[id]

    def start(self, job: Job) -> None:
        """Begin a job; raises ApiError if another one of ours has the scanner."""
        if self._is_closed:
            raise ApiError("unreachable", "the server is ending")
        for runner, _ in self._running.values():
            other = runner.job
            # What is over may still tidy up; it has no scanner any more, as one that works has not.
            if other.scanner == job.scanner and not (other.is_over or other.state == "working"):
                who = other.owner
                raise ApiError("busy", f"the scanner is in use by {who}", holder=who)
        self._jobs[job.id] = job
        runner = Runner(self._parts, job)
        task = asyncio.create_task(runner.run(), name=f"job {job.id}")
        self._running[job.id] = runner, task
        task.add_done_callback(lambda _: self._ended(job.id))
        runner.tell()

    async def cancel(self, id: str) -> Job:
        """End a job if it is not over; raises KeyError."""
        job = self._jobs[id]
        if id in self._running:
            await self._stop(*self._running[id])
        return job

    async def wait(self, id: str) -> Job:
        """Wait until a job is over."""
        if id in self._running:
            await asyncio.wait([self._running[id][1]])
        return self._jobs[id]

    async def close(self) -> None:
        """End all jobs; none begins any more."""
        self._is_closed = True
        running = list(self._running.values())
        await asyncio.gather(*(self._stop(*each) for each in running), return_exceptions=True)

    async def _stop(self, runner: Runner, task: asyncio.Task[None]) -> None:
        """Ask the scanner to stop; a job that waits for something else is cancelled itself."""
        has_scanner = runner.held is not None
        try:
            await asyncio.wait_for(runner.cancel(), END_SECONDS)
            if has_scanner:
                await asyncio.wait([task], timeout=END_SECONDS)
        except (asyncio.TimeoutError, TimeoutError):
            pass
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=END_SECONDS)

    def _ended(self, id: str) -> None:
        self._running.pop(id, None)
        over = [job for job in self._jobs.values() if job.is_over]
        for job in over[:-MOST_OVER]:
            del self._jobs[job.id]
        for job in [job for job in over if job.picture][:-MOST_PICTURES]:
            job.picture = b""
