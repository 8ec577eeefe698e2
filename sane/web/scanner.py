"""A scanner that is shared: held by one job at a time, its sensors asked in between.

It knows who holds the scanner, and what is remembered of it between jobs; which scanners there are
is known by scanners.py. Source: specification escl 7.1, 7.5 and 7.7.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from .. import const
from .facts import Capabilities, Status
from .finishing import finished
from .held import Held
from .holders import holder_of
from .probe import SENSORS
from .problems import (
    Busy,
    CoverOpen,
    Jammed,
    NoDocuments,
    ScannerProblem,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .facts import FeederState, Problem, State
    from .identity import Found
    from .process import WorkerProcess
    from .scanners import Scanners

POLL_SECONDS = 10.0  # for a driver that hangs when it is opened for its sensors
REMEMBERED_SECONDS = 30.0  # of a problem that the last start, or poll, met
LOST_SECONDS = 2.0  # of a driver that crashed or hung in a job, and was ended: the next has its own
BUSY_SECONDS = 10.0  # of a scanner that another program had
CLOCK_SECONDS = 0.05  # by which the loop's clock may be ahead
SPARE_SECONDS = 15.0  # of a worker without work: the next poll or scan needs no new one


class Scanner:
    """One scanner. id: its UUID. device: SANE's name. title: what people see, unique.

    capabilities: known from its first opening on. status: what is known without asking it. polls,
    tells_conditions: what its driver allows, and offers beside sensors.
    """

    def __init__(self, owner: Scanners, id: str, title: str, found: Found) -> None:
        self._owner = owner
        self.id = id
        self._held_by = ""
        self._turn = asyncio.Lock()  # of whoever opens the device
        self._spare: WorkerProcess | None = None
        self._spare_end: asyncio.TimerHandle | None = None
        self._problem: tuple[float, Problem] = (0.0, "")
        self._busy: tuple[float, str] = (0.0, "")
        self._unreachable = 0.0
        self._expiry: asyncio.TimerHandle | None = None  # of what is remembered
        self._feeder: FeederState | None = None
        self._polled = 0.0
        self.capabilities = Capabilities(())
        self.polls = True
        self.tells_conditions = False
        self.adopt(title, found)

    def adopt(self, title: str, found: Found) -> None:
        """Take over what a new list says of the same scanner."""
        self.device = found.name
        self.backend = found.name.partition(":")[0]
        self.vendor, self.model, self.type = found.vendor, found.model, found.type
        self.serial = found.serial
        self.own = self._owner.settings_of(found.name)
        self.title = next((each.title for each in self.own if each.title), title)

    @property
    def poll_buttons(self) -> bool:
        """Its buttons may be asked again and again."""
        return self._may_ask([each.poll_buttons for each in self.own])

    def _may_ask(self, told: list[bool | None]) -> bool:
        """Tell what the configuration says; where it says nothing, what the driver does.

        Of a C backend nobody knows whether it moves when it is opened: its owner may.
        """
        said = [each for each in told if each is not None]
        return all(said) if said else self.polls

    @property
    def is_held(self) -> bool:
        """A job of this server has it."""
        return bool(self._held_by)

    @property
    def status(self) -> Status:
        """How it is, as far as is known."""
        now = time.monotonic()
        state: State = "idle"
        holder = ""
        if self._held_by:
            state = "scanning"
        elif self._busy[0] > now:
            state, holder = "busy", self._busy[1]
        elif self._unreachable > now:
            state = "unreachable"
        problem = self._problem[1] if self._problem[0] > now else ""
        feeder = self._feeder if self.capabilities.has_feeder else None
        if self.capabilities.has_feeder and feeder is None:
            feeder = "empty" if problem == "no-documents" else "unknown"
        return Status(state, holder, problem, feeder)

    # Jobs

    async def acquire(
        self, owner: str, replace: Callable[[], Awaitable[None]] | None = None
    ) -> Held:
        """Return the scanner opened for a job; close it in the end, whatever happens.

        owner: who wants it, for others that want it, too. replace: called when another job of this
        server has it, to end that job. Raises Busy, Unreachable, ScanFailed.
        """
        if self._held_by and replace is not None:
            await replace()
        if self._held_by:
            raise Busy(self._held_by)
        self._held_by = owner  # before anything is waited for: the next one is told
        worker: WorkerProcess | None = None
        try:
            async with self._turn:
                worker = await self._worker()
                always: dict[str, Any] = {}
                for each in self.own:
                    always.update(each.options)
                held = await Held.open(
                    worker,
                    self.device,
                    capabilities=self.capabilities,
                    always=always,
                    start_seconds=self._owner.settings.scanners.start_seconds,
                    ended=self._freed,
                )
        except BaseException as exc:
            problem = await finished(self._given_up(worker, exc))
            if problem is not None and problem is not exc:
                raise problem from exc
            raise
        self._note(None)
        self._owner.tell("changed", self)
        return held

    async def _given_up(
        self, worker: WorkerProcess | None, exc: BaseException
    ) -> ScannerProblem | None:
        """Free the scanner of a job that does not begin; return what its client is told."""
        problem = None
        try:
            if worker is not None:
                await worker.close()
            if isinstance(exc, ScannerProblem):
                problem = await self._explained(exc)
        finally:
            await self._freed(problem)
        return problem

    async def _explained(self, problem: ScannerProblem) -> ScannerProblem:
        """Return *problem* with who is using the scanner, where that can be seen."""
        if not isinstance(problem, Busy):
            return problem
        return Busy(await asyncio.to_thread(holder_of, self.device))

    async def _freed(self, problem: ScannerProblem | None) -> None:
        """Note that the scanner is free again, and why its job ended."""
        self._held_by = ""
        self._note(problem, LOST_SECONDS)
        self._owner.tell("changed", self)
        self._owner.freed()

    def _note(self, problem: ScannerProblem | None, lost: float = 0.0) -> None:
        """Remember what the last step met, or that it met nothing.

        lost: for how many seconds it is unreachable, if it was.
        """
        now = time.monotonic()
        seconds = lost or REMEMBERED_SECONDS
        self._unreachable = now + seconds if isinstance(problem, Unreachable) else 0.0
        self._busy = (now + BUSY_SECONDS, problem.holder) if isinstance(problem, Busy) else (0, "")
        kind: Problem = ""
        if isinstance(problem, NoDocuments):
            kind = "no-documents"
        elif isinstance(problem, Jammed):
            kind = "jammed"
        elif isinstance(problem, CoverOpen):
            kind = "cover-open"
        self._problem = (now + REMEMBERED_SECONDS, kind)
        self._tell_later()

    def _tell_later(self) -> None:
        """Have subscribers told when the next of what is remembered is over."""
        if self._expiry is not None:
            self._expiry.cancel()
        now = time.monotonic()
        met = [self._unreachable, self._busy[0], self._problem[0] if self._problem[1] else 0.0]
        left = min((until - now for until in met if until > now), default=0.0)
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(left + CLOCK_SECONDS, self._expired) if left else None

    def _expired(self) -> None:
        self._owner.tell("changed", self)
        self._tell_later()

    # Sensors and buttons

    async def poll(self, *, buttons: bool = False) -> list[str]:
        """Ask the sensors while nobody has the scanner; return the buttons that were pressed.

        Without *buttons* it does nothing more often than every sensor_seconds.
        """
        wanted = buttons and self.poll_buttons
        seconds = self._owner.settings.scanners.sensor_seconds
        names = [*self.capabilities.sensors, *(self.capabilities.buttons if wanted else ())]
        is_due = wanted or (seconds and time.monotonic() - self._polled >= seconds)
        allowed = wanted or self._may_ask([each.poll_sensors for each in self.own])
        can_tell = names or self.tells_conditions
        if self._held_by or self._turn.locked() or not (is_due and can_tell and allowed):
            return []
        before = self.status
        async with self._turn:
            self._polled = time.monotonic()
            worker: WorkerProcess | None = None
            try:
                worker = await self._worker()
                read = self._read(worker, names)
                values, conditions = await asyncio.wait_for(read, POLL_SECONDS)
            except (ScannerProblem, asyncio.TimeoutError, TimeoutError) as exc:
                if worker is not None:
                    await worker.close()
                known = exc if isinstance(exc, ScannerProblem) else Unreachable("it hangs")
                self._note(await self._explained(known))
                values = {}
            except BaseException:
                if worker is not None:
                    await worker.close()
                raise
            else:
                self._keep(worker)
                self._take(values, conditions)
        if self.status != before:
            self._owner.tell("changed", self)
        return [name for name in self.capabilities.buttons if values.get(name)]

    async def _read(
        self, worker: WorkerProcess, names: list[str]
    ) -> tuple[dict[str, Any], str | None]:
        """Return the values of sensors, and the statuses in a scan's way; None: it does not say."""
        held = await Held.open(worker, self.device)
        try:
            options = held.options
            values = {name: await options.get(name) for name in names if name in options}
            told = (await held.identity()).conditions if self.tells_conditions else None
            return values, told
        finally:
            await held.release()

    def _take(self, values: dict[str, Any], conditions: str | None) -> None:
        """Take over what sensors and conditions say."""
        self._unreachable, self._busy = 0.0, (0.0, "")
        statuses = [] if conditions is None else [int(each) for each in conditions.split()]
        loaded = [bool(values[name]) for name in SENSORS["loaded"] if name in values]
        if not loaded and conditions is not None:
            loaded = [const.STATUS_NO_DOCS not in statuses]
        if loaded:
            self._feeder = "loaded" if any(loaded) else "empty"
            if self._problem[1] == "no-documents":
                self._problem = (0.0, "")
        until = time.monotonic() + REMEMBERED_SECONDS
        is_jammed = any(values.get(name) for name in SENSORS["jammed"])
        is_open = any(values.get(name) for name in SENSORS["cover-open"])
        if is_jammed or const.STATUS_JAMMED in statuses:
            self._problem = (until, "jammed")
        elif is_open or const.STATUS_COVER_OPEN in statuses:
            self._problem = (until, "cover-open")
        elif conditions is not None and self._problem[1] != "no-documents":
            self._problem = (0.0, "")
        self._tell_later()

    # Workers

    async def _worker(self) -> WorkerProcess:
        """Return a worker that is ready: the spare one, or a new one."""
        spare, self._spare = self._spare, None
        if self._spare_end is not None:
            self._spare_end.cancel()
        if spare is not None and spare.is_alive:
            return spare
        return await self._owner.worker()

    def _keep(self, worker: WorkerProcess) -> None:
        """Keep a worker for a while."""
        self._spare = worker
        loop = asyncio.get_running_loop()
        self._spare_end = loop.call_later(SPARE_SECONDS, self._drop_spare)

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            self._owner.background(spare.close())

    async def close(self) -> None:
        """End what runs without a job."""
        for timer in (self._spare_end, self._expiry):
            if timer is not None:
                timer.cancel()
        spare, self._spare = self._spare, None
        if spare is not None:
            await spare.close()
