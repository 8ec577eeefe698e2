"""The scanners that are shared: which there are, and what each can do, asked once.

All SANE calls happen in worker processes. Source: specification escl 7.1 and 7.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

from ..wire import messages
from .held import Held, problem_of
from .identity import Found, Register
from .probe import probe
from .problems import ScannerProblem
from .process import Allowance, WorkerProcess
from .scanner import Scanner

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from .config import ScannerSettings, ShareSettings

    Changed = Callable[[str, Scanner], None]

LIST_SECONDS = 90.0  # a library of the system's drivers may ask the network, too
RETRY_SECONDS = (2.0, 5.0, 15.0, 60.0, 300.0)  # for what fails: to list, or to open a scanner
LOOK_SECONDS = 5.0  # for which a request waits for the first list
AT_ONCE = 8  # scanners that are opened to ask what they can do, each in a process of its own

REGISTER = "scanners.json"


class Scanners:
    """All scanners that are shared; *state* is where their numbers are kept.

    announce: called when a list has been made, and when another scanner has become the first.
    """

    def __init__(self, settings: ShareSettings, state: Path, log: logging.Logger) -> None:
        self.settings = settings
        self.announce: Callable[[], object] = lambda: None
        self._log = log
        self._register = Register(state / REGISTER)
        self._scanners: dict[str, Scanner] = {}
        self._opening: list[Scanner] = []  # for the first time
        self._waiting: dict[str, tuple[Scanner, int]] = {}  # not opened yet, and attempts
        self._callbacks: list[Changed] = []
        self._listing = asyncio.Lock()
        self._tried = asyncio.Event()  # the first list was made, or could not be
        self._has_listed = False
        self._failures = 0  # to list, one after the other
        self._workers: set[WorkerProcess] = set()
        self._is_deferred = self._is_anew = False  # a list that waits, and of which kind
        self._tasks: set[asyncio.Task[Any]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._relist: asyncio.TimerHandle | None = None

    def __iter__(self) -> Iterator[Scanner]:
        """Return the scanners, sorted by title; the first is what /eSCL means."""
        return iter(sorted(self._scanners.values(), key=_rank))

    def first(self) -> Scanner | None:
        """Return the scanner that is announced at /eSCL.

        It may be one that is being opened: the announcement of another need not change then.
        """
        return min((*self._scanners.values(), *self._opening), key=_rank, default=None)

    def find(self, id: str) -> Scanner:
        """Return the scanner with the UUID *id*; raises KeyError."""
        return self._scanners[id]

    async def looked(self) -> bool:
        """Wait a moment for the first list; tell whether there was one: nothing else is there."""
        if not self._tried.is_set():
            with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self._tried.wait(), LOOK_SECONDS)
        return self._has_listed

    def unopened(self) -> list[Scanner]:
        """Return the scanners that are listed, and could not be opened yet."""
        return [scanner for scanner, _ in self._waiting.values()]

    def subscribe(self, callback: Changed) -> None:
        """Have callback(kind, scanner) called: "added", "removed" or "changed"."""
        self._callbacks.append(callback)

    def tell(self, kind: str, scanner: Scanner) -> None:
        """Tell subscribers of a change."""
        for callback in self._callbacks:
            callback(kind, scanner)

    def settings_of(self, device: str) -> list[ScannerSettings]:
        """Return the [[scanner]] entries for a SANE device."""
        return [each for each in self.settings.scanner if re.fullmatch(each.device, device)]

    def refusal(self, device: str) -> str:
        """Return why a device is not shared, "" if it is."""
        for pattern in self.settings.scanners.ignore:
            if re.fullmatch(pattern, device):
                return f"matches {pattern} of scanners.ignore"
        if not all(each.share for each in self.settings_of(device)):
            return "share = false in its [[scanner]]"
        return ""

    async def worker(self) -> WorkerProcess:
        """Return a new worker that is ready."""
        limits = self.settings.limits
        allowance = Allowance(
            limits.worker_memory_mib, limits.worker_cpu_seconds, self.settings.scanners.network
        )
        worker = WorkerProcess(allowance, self._log)
        self._workers = {each for each in self._workers if each.is_alive} | {worker}
        try:
            await worker.greet()
        except BaseException:
            await worker.close()
            raise
        return worker

    def background(self, work: Any) -> None:
        """Run a coroutine until the server ends."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self.note_end)

    def note_end(self, task: asyncio.Task[Any]) -> None:
        """Forget a task that has ended; one that failed is told of."""
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._log.error("a mistake in the server", exc_info=failure)

    # The list

    async def refresh(self, *, anew: bool = False) -> None:
        """List the scanners again; while a job runs that waits for its end.

        anew: ask also those that are known what they can do.
        """
        async with self._listing:
            self._is_anew |= anew
            if any(scanner.is_held for scanner in self._scanners.values()):
                self._is_deferred = True
                return
            self._is_deferred = False
            try:
                found = await self.listed()
                await self._adopt([each for each in found if not self.refusal(each.name)])
            except ScannerProblem as exc:
                seconds = _pause(self._failures)
                self._failures += 1
                text = "the scanners cannot be listed: %s; tried again in %g s"
                self._log.error(text, exc, seconds)
                self._relist = self._later(self._relist, seconds, self.refresh)
                return
            finally:
                self._tried.set()
            self._has_listed, self._failures = True, 0
        self.announce()

    async def listed(self) -> list[Found]:
        """Return the devices that there are, also those that are not shared."""
        worker = await self.worker()
        try:
            reply = await worker.call(messages.GetDevices(), LIST_SECONDS)
            if reply.status:
                raise problem_of(reply.status, "scanners cannot be listed")
            found = []
            for each in reply.devices:
                texts = (each.name or "", each.vendor or "", each.model or "", each.type or "")
                who = await Held(worker, -1, texts[0]).identity(texts[0])
                rest = (who.uuid or "", who.serial or "", who.host or "", who.usb or "")
                found.append(Found(*texts, *rest))
            return found
        finally:
            await worker.close()

    def identities(self, found: list[Found]) -> dict[str, tuple[str, str]]:
        """Return the UUID and the title of each device by its name."""
        return self._register.identities(found)

    async def _adopt(self, found: list[Found]) -> None:
        identities = self.identities(found)
        anew, self._is_anew = self._is_anew, False
        present = {}
        asked = []
        for device in found:
            id, title = identities[device.name]
            present[id] = device
            known = self._scanners.get(id)
            if known is None:
                asked.append(Scanner(self, id, title, device))
                continue
            changed = known.device != device.name
            known.adopt(title, device)
            if anew:
                asked.append(known)
            elif changed:
                self.tell("changed", known)
        self._opening = [each for each in asked if each.id not in self._scanners]
        await self._probe_all(asked)
        for id in [id for id in self._scanners if id not in present]:
            if self._scanners[id].is_held:  # since the list was begun: some are listed only if free
                self._is_deferred = True
                continue
            scanner = self._scanners.pop(id)
            self._log.info("%s (%s) is gone", scanner.title, scanner.device)
            await scanner.close()
            self.tell("removed", scanner)
        for id in [id for id in self._waiting if id not in present]:
            del self._waiting[id]

    async def _probe_all(self, scanners: list[Scanner]) -> None:
        """Ask scanners what they can do, a few at once: one that hangs delays no other."""
        places = asyncio.Semaphore(AT_ONCE)

        async def ask(scanner: Scanner) -> None:
            async with places:
                await self._probe(scanner)
            if scanner in self._opening:
                self._opening.remove(scanner)
                first = self.first()
                if scanner.id not in self._scanners and first is not None:
                    self.tell("changed", first)
                    self.announce()  # /eSCL is its own now

        await asyncio.gather(*map(ask, scanners))

    async def _probe(self, scanner: Scanner) -> None:
        """Ask a scanner what it can do; one that cannot be opened is asked again later."""
        try:
            async with await scanner.acquire("pysane share") as held:
                who = await held.identity()
                encoded = (who.encoded or "").split()
                scanner.polls = bool(who.polls)
                scanner.tells_conditions = who.conditions is not None
                scanner.capabilities = await probe(held.options, scanner.type, encoded)
        except Exception as exc:  # one scanner's trouble is not that of the others
            failure = None if isinstance(exc, ScannerProblem) else exc
            attempts = self._waiting.get(scanner.id, (scanner, 0))[1]
            self._waiting[scanner.id] = (scanner, attempts + 1)
            seconds = min(_pause(count - 1) for _, count in self._waiting.values())
            text = "%s: %s; tried again in %g s"
            self._log.warning(text, scanner.device, exc, seconds, exc_info=failure)
            self._retry = self._later(self._retry, seconds, self._try_again)
            return
        self._waiting.pop(scanner.id, None)
        is_new = scanner.id not in self._scanners
        self._scanners[scanner.id] = scanner
        if is_new:
            self._log.info("%s (%s) is shared", scanner.title, scanner.device)
        self.tell("added" if is_new else "changed", scanner)

    def _later(
        self,
        before: asyncio.TimerHandle | None,
        seconds: float,
        work: Callable[[], Coroutine[Any, Any, None]],
    ) -> asyncio.TimerHandle:
        """Have *work* done in some seconds, in place of what was to be done *before*."""
        if before is not None:
            before.cancel()
        loop = asyncio.get_running_loop()
        return loop.call_later(seconds, lambda: self.background(work()))

    async def _try_again(self) -> None:
        async with self._listing:
            await self._probe_all([scanner for scanner, _ in self._waiting.values()])

    def freed(self) -> None:
        """Note that a scanner is free again: a list that waited for it is made now."""
        if self._is_deferred and not any(each.is_held for each in self._scanners.values()):
            self._is_deferred = False
            self.background(self.refresh())

    async def close(self) -> None:
        """End everything that runs without a job."""
        for timer in (self._retry, self._relist):
            if timer is not None:
                timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for scanner in self._scanners.values():
            await scanner.close()
        for worker in self._workers:
            if worker.is_alive:
                await worker.close()


def _rank(scanner: Scanner) -> tuple[str, str]:
    return scanner.title, scanner.id


def _pause(attempts: int) -> float:
    """Return the seconds before the next attempt, after so many others."""
    return RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)]
