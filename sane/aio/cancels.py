"""Cancels that come before the job that they mean, and waits that a cancel ends.

It knows the Machine of an open device, and the event loops that wait; it knows no threads' queues.
"""

from __future__ import annotations

import asyncio
from functools import partial

from ..errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ..api.machine import Machine
    from ..scanner import Job

    Result = TypeVar("Result")


class Cancels:
    """What a cancel ends besides the job of its moment: jobs that calls before it will begin.

    Calls are numbered as they are submitted, and a cancel notes the last one that it covers. A
    job is looked at when its first frame is asked for, after it has begun: a cancel that came
    before that is noted, one that comes later finds the job. It ends one job of a call, which may
    begin another one.
    """

    def __init__(self, machine: Machine) -> None:
        self._turns = machine.turns
        self._name = machine.name
        self._call = machine.call
        machine.call = self._called
        self.submitted = 0  # the number of the last call
        self._under_way = 0  # the call that the thread carries out, 0 for none
        self._covered = 0  # calls up to this one are cancelled
        self._obeyed = 0  # a job of this call has ended so

    def numbered(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Return what carries out *function*, which is submitted now."""
        self.submitted += 1
        return partial(self._carry_out, self.submitted, function)

    def _carry_out(self, number: int, function: Callable[[], Result]) -> Result:
        self._under_way = number
        try:
            return function()
        finally:
            self._under_way = 0

    def cover(self, number: int) -> None:
        """Cancel what calls up to *number* will begin; cancel the job of this moment then."""
        self._obeyed = 0
        self._covered = max(self._covered, number)

    @property
    def is_covered(self) -> bool:
        """Whether the next job of the call under way is cancelled; asked in its thread."""
        return 0 < self._under_way <= self._covered and self._under_way != self._obeyed

    def check(self) -> None:
        """Raise Cancelled in a call that has begun a job, if a cancel has come before that."""
        if self.is_covered:
            self._obeyed = self._under_way
            self._turns.cancel()
            raise Cancelled("cancelled before it began", device=self._name)

    def _called(self, function: Callable[..., Any], *arguments: Any, job: Job | None = None) -> Any:
        """Call as Machine.call, for a *job* that may have been cancelled before it began."""
        if job is None:
            return self._call(function, *arguments)
        if self.is_covered and self._turns.is_job(job):
            self._turns.cancel(attends=False)
        try:
            return self._call(function, *arguments, job=job)
        except Cancelled:
            self._obeyed = self._under_way
            raise


class Wait:
    """A context in which a coroutine sleeps, one of *waits*; any thread may wake it."""

    def __init__(self, waits: set[Wait]) -> None:
        self._waits = waits
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def __enter__(self) -> Wait:
        self._waits.add(self)
        return self

    def __exit__(self, *exc: object) -> None:
        self._waits.discard(self)

    def wake(self) -> None:
        """End this sleep, or the next one."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def sleep(self, seconds: float) -> bool:
        """Wait for so long; tell whether wake() was called."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True
