"""The pages of a job for asyncio: each is read by the device's thread, some ahead."""

from __future__ import annotations

from functools import partial

from ..api.arguments import check_count
from ..api.paging import told_of
from ..errors import NoDocs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..api.page import Page
    from ..api.paging import Batch
    from .calls import Calls
    from .scanner import Scanner


class Pages:
    """The pages of one job, see sane.Pages."""

    def __init__(
        self,
        scanner: Scanner,
        calls: Calls,
        batch: Batch,
        *,
        timeout: float | None,
        prefetch: int,
        empty_ok: bool,
    ) -> None:
        check_count("pages: a prefetch", prefetch, 0)
        self._scanner = scanner  # which is open as long as this lives
        self._calls = calls
        self._batch = batch
        self._timeout = timeout
        self._prefetch = prefetch
        self._empty_ok = empty_ok
        self._ahead: list[Future[Page]] = []
        self._asked = 0  # pages that the thread was told to read
        self._has_begun = self._is_over = False
        self.pages_done = 0

    def __aiter__(self) -> Pages:
        return self

    async def __aenter__(self) -> Pages:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def _begin(self) -> None:
        """Begin the job: in the device's thread."""
        self._batch.begin(self._calls.sync.options)
        self._has_begun = True
        self._calls.cancels.check()

    def _read(self, number: int) -> Page:
        """Read a page, and end the job with the last one: in the device's thread."""
        page = self._batch.read(number)
        self.pages_done = number
        if number == self._batch.most:
            self._batch.end()
        return page

    def _ask(self, ahead: int) -> None:
        """Let the thread read so many pages more than are ready."""
        most = self._batch.most
        while len(self._ahead) < ahead and (most is None or self._asked < most):
            self._asked += 1
            read = partial(self._read, self._asked)
            self._ahead.append(self._calls.submit(read))

    async def __anext__(self) -> Page:
        if self._is_over:
            raise StopAsyncIteration
        try:
            if not self._has_begun:
                await self._calls.settled(self._calls.submit(self._begin))
            self._ask(1 + self._prefetch)
            if not self._ahead:
                raise NoDocs
            page = await self._calls.settled(self._ahead.pop(0), self._timeout)
            self._ask(self._prefetch)
        except BaseException as exc:
            await self.aclose()
            if isinstance(exc, NoDocs) and (self.pages_done or self._empty_ok):
                raise StopAsyncIteration from None
            told = told_of(exc, self._calls.machine, self._timeout, self.pages_done)
            if told is not exc:
                raise told from exc
            raise
        return page

    async def aclose(self) -> None:
        """End the job, if it has not ended."""
        is_open, self._is_over = self._has_begun and not self._is_over, True
        if not is_open:
            return
        not_begun = [future.cancel() for future in self._ahead]
        if not all(not_begun) and not all(future.done() for future in self._ahead):
            self._calls.cancel()
        await self._calls.finish(self._batch.end)

    def __del__(self) -> None:
        """End the job of a loop that was left."""
        if getattr(self, "_has_begun", False) and not self._is_over:
            self._is_over = True
            self._calls.cancel_idle()
