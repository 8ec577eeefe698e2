"""A job of an eSCL client: from POST ScanJobs until its pages are fetched or its time is over.

    Pending -- first NextDocument --> Processing -- page sent, feeder --> Pending ...
    Processing -- page of the glass sent, or feeder empty after a page --> Completed
    Processing -- feeder empty at once, problem, client gone --> Aborted
    Pending, Processing -- DELETE --> Canceled
    Pending, and nobody asks for 60 s, or 120 s between pages --> Aborted

Source: specification escl 7.5 and 7.7.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from ... import const
from ..problems import NoDocuments, ScanFailed, ScannerProblem
from . import words
from .page import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from ..held import Held
    from .settings import Ticket

FIRST_SECONDS = 60.0  # from POST to the first NextDocument
BETWEEN_SECONDS = 120.0  # from one page to the next
KEPT_SECONDS = 60.0  # a page whose transfer broke
RETURN_SECONDS = 0.7  # a client that vanished while the scanner runs; then the scanner is freed
IDLE_SECONDS = 10.0  # after which the same client may take a job of its own over
READY_SECONDS = 20.0  # NextDocument waits for the first line


class NotYet(Exception):
    """The page is not there yet, or somebody is fetching it: ask again."""


class NoMore(Exception):
    """The job has no further page: the answer is 404."""


class Job:
    """One job. path: its resource. owner: the address it came from. state, reason: eSCL's words.

    images: pages that the client has. retries: how often the transfer of the page broke. problem:
    what ended it too early, for people; "" for nothing. is_waiting: somebody waits for a page's
    first line, and may be cancelled.
    """

    def __init__(
        self,
        id: str,
        path: str,
        owner: str,
        ticket: Ticket,
        held: Held,
        *,
        folder: Path,
        threads: Executor,
        most_pages: int,
        has_ended: Callable[[Job], None],
    ) -> None:
        self.id = id
        self.path = path
        self.owner = owner
        self.ticket = ticket
        self.state, self.reason = words.PENDING, words.QUEUED
        self.images = self.retries = 0
        self.problem = ""
        self.is_waiting = False
        self.page: Page | None = None
        self.last: Page | None = None  # the page that was sent last, for ScanImageInfo
        self.created = self.touched = time.monotonic()
        self._held: Held | None = held
        self._folder = folder
        self._threads = threads
        self._most_pages = most_pages
        self._tell_end = has_ended
        self._scan: asyncio.Task[None] | None = None
        self._is_served = self._is_lost = False
        self._timer: asyncio.TimerHandle | None = None
        self._end: asyncio.Task[None] | None = None
        self._wait(FIRST_SECONDS)

    @property
    def has_ended(self) -> bool:
        """It is over; nothing brings it back."""
        return self.state in words.ENDED

    @property
    def is_scanning(self) -> bool:
        """The scanner works for it."""
        return self._scan is not None and not self._scan.done()

    def may_be_replaced(self, owner: str) -> bool:
        """Tell whether a new job of *owner* ends this one: its client is gone, or has forgotten."""
        if self._is_served:
            return False
        if self._is_lost:
            return True
        is_idle = not self.is_scanning and time.monotonic() - self.touched > IDLE_SECONDS
        return is_idle and owner == self.owner

    # Pages

    async def next_page(self) -> Page:
        """Return the next page, whose first bytes are there; call sent() or lost() in the end.

        Raises NotYet, NoMore, and ScannerProblem for what went wrong before the first byte.
        """
        if self.has_ended:
            await self.ended()  # the client takes the scanner for free, and asks how it is
            raise NoMore
        if self._is_served:
            raise NotYet
        page = self.page
        if page is None:
            page = self.page = await self._begun()
            self.retries = 0
        elif not page.is_kept:
            await self.end(words.ABORTED, words.BY_SYSTEM)
            raise NoMore
        self.retries += page.taken > 0
        self._is_served, self._is_lost = True, False
        self._wait(None)
        self.is_waiting = True
        try:
            await asyncio.wait_for(page.ready(), READY_SECONDS)
        except (TimeoutError, asyncio.TimeoutError):
            self._release(KEPT_SECONDS)
            raise NotYet from None
        except NoDocuments as exc:
            self._is_served = False
            is_end = self.images > 0
            state = words.COMPLETED if is_end else words.ABORTED
            await self.end(state, words.SUCCESS if is_end else words.reason_of(exc.status))
            raise NoMore from exc
        except ScannerProblem as exc:
            self._is_served = False
            await self._fail(exc)
            raise
        except BaseException:
            self.lost(page)
            raise
        finally:
            self.is_waiting = False
        return page

    async def _begun(self) -> Page:
        """Return a new page that is being scanned; raises NoMore."""
        most = self.ticket.most_pages or self._most_pages
        if self.images >= most:
            is_limit = self.images >= self._most_pages
            await self.end(words.COMPLETED, words.WARNINGS if is_limit else words.SUCCESS)
            raise NoMore
        held = self._held
        if held is None or (self.images and not self.ticket.is_feeder):
            await self.end(words.COMPLETED, words.SUCCESS)
            raise NoMore
        self.state, self.reason = words.PROCESSING, words.TRANSFERRING
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            page = Page(self.ticket, self._folder, self._threads)
        except OSError as exc:
            problem = ScanFailed(const.STATUS_NO_MEM, f"no page can be kept: {exc.strerror}")
            await self._fail(problem)
            raise problem from exc
        skips = self.ticket.fronts_only and self.images > 0
        self._scan = asyncio.create_task(self._scanned(page, held, skips=skips))
        return page

    async def _fail(self, problem: ScannerProblem) -> None:
        self.problem = str(problem)
        await self.end(words.ABORTED, words.reason_of(problem.status))

    async def _scanned(self, page: Page, held: Held, *, skips: bool) -> None:
        await page.scan(held, skips=skips)
        if not self.ticket.is_feeder:  # other programs may have the scanner
            self._held = None
            await held.close()

    async def sent(self, page: Page) -> None:
        """Note that the client has the whole page."""
        self._is_served = False
        self.images += 1
        self.last, self.page = page, None
        page.close()
        if self.has_ended:
            return
        if self.ticket.is_feeder:
            self.state, self.reason = words.PENDING, words.QUEUED
            self._wait(BETWEEN_SECONDS)
        else:
            await self.end(words.COMPLETED, words.SUCCESS)

    def lost(self, page: Page) -> None:
        """Note that the client vanished; a page that is scanned waits, a scanner does not."""
        self._is_lost = True
        self.problem = "the client vanished"
        seconds = KEPT_SECONDS if page.is_scanned else RETURN_SECONDS
        self._release(seconds if page.is_kept else 0.0)

    async def broken(self, page: Page) -> None:
        """Note that the page ended in the middle."""
        self._is_served = False
        self.problem = str(page.problem or "the page cannot be sent")
        status = page.problem.status if isinstance(page.problem, ScannerProblem) else 0
        await self.end(words.ABORTED, words.reason_of(status) if status else words.ERRORS)

    def _release(self, seconds: float) -> None:
        self._is_served = False
        if not self.has_ended:
            self._wait(seconds)

    # The end

    def _wait(self, seconds: float | None) -> None:
        """Let the job end in *seconds* if nothing happens."""
        self.touched = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._begin_end(words.ABORTED, words.BY_SYSTEM)

    async def end(self, state: str, reason: str) -> None:
        """End the job, for the first reason given; the scanner is free when this returns."""
        self._begin_end(state, reason)
        await self.ended()

    async def ended(self) -> None:
        """Wait for the end of a job that is being ended, whoever does that."""
        if self._end is not None:
            await asyncio.shield(self._end)

    def _begin_end(self, state: str, reason: str) -> None:
        if self._end is None:
            self.state, self.reason = state, reason
            self._wait(None)
            self._end = asyncio.create_task(self._free())

    async def _free(self) -> None:
        """Stop the scan, close the device, drop the page."""
        held, self._held = self._held, None
        scan = self._scan
        try:
            if held is not None:
                if scan is not None and not scan.done():
                    with contextlib.suppress(ScannerProblem):
                        await held.cancel()
                    await asyncio.wait({scan}, timeout=1.0)
                    scan.cancel()
                await held.close()
            if scan is not None:
                await asyncio.wait({scan})
        finally:
            page, self.page = self.page, None
            if page is not None:
                page.close()
            self._tell_end(self)
