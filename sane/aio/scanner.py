"""An open device for asyncio: the coroutines of a Scanner."""

from __future__ import annotations

import asyncio
from functools import partial

from ..api.buttons import pressed, wanted_buttons
from ..api.paging import Batch
from ..api.scanner import Scanner as SyncScanner
from ..errors import Cancelled, Closed, ScanTimeout
from ..library import current
from .calls import Calls
from .cancels import Wait
from .pages import Pages
from .stream import Stream
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from concurrent.futures import Future
    from typing import Any, TypeVar

    from ..api.capabilities import Capabilities
    from ..api.meter import Progress
    from ..api.options import Options
    from ..api.page import Page
    from ..api.settings import Applied
    from ..authorization import Auth
    from ..listed import DeviceInfo
    from ..param import Parameters
    from ..scanner import State

    Result = TypeVar("Result")

NOT_WAITING = "no longer waiting for a button"


class Scanner:
    """An open device, see sane.Scanner; it is opened by ``async with`` or ``await``.

    sync: the scanner whose calls wait; its own calls are to be made by run().
    """

    def __init__(
        self,
        device: str | DeviceInfo = "",
        *,
        settings: Mapping[str, object] | None = None,
        auth: Auth | None = None,
        timeout: float | None = None,
    ) -> None:
        self._device = device
        self._settings = settings
        self._auth = auth
        self._timeout = timeout
        self._calls: Calls | None = None
        self._opening: asyncio.Task[None] | None = None  # for all who open it meanwhile
        self._openers = 0

    # Life

    async def open(self) -> Scanner:
        """Open the device, if it is not open; raises what sane.Scanner raises.

        A scanner that was closed is opened anew. Several tasks may open it at once.
        """
        if self._calls is not None and not self.closed:
            return self
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._open(self._calls))
        self._openers += 1
        try:
            await asyncio.shield(self._opening)
        finally:
            self._openers -= 1
            if not self._openers and self._opening is not None:
                self._opening.cancel()  # nothing happens if it has ended
                self._opening = None
        return self

    async def _open(self, before: Calls | None) -> None:
        """Open the device, when what was *before* has ended."""
        if before is not None:
            await asyncio.shield(asyncio.ensure_future(before.close()))
        device = self._device
        library = current()
        worker = Worker(device if isinstance(device, str) else device.name)

        def opened() -> SyncScanner:
            options = {"settings": self._settings, "auth": self._auth, "timeout": self._timeout}
            return SyncScanner.of(library, device, **options)  # type: ignore[arg-type]

        opening = worker.submit(opened)
        try:
            sync = await asyncio.shield(asyncio.wrap_future(opening))
        except BaseException:
            worker.submit(partial(_close_late, opening))
            worker.stop()
            raise
        worker.thread.name = f"sane-{sync.name}"
        self._calls = Calls(sync, worker)

    def __await__(self) -> Generator[Any, None, Scanner]:
        return self.open().__await__()

    async def __aenter__(self) -> Scanner:
        return await self.open()

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the job and close the device; may be called again.

        An opening under way is awaited. A driver that ignores that for 5 seconds is left to itself,
        with a ResourceWarning.
        """
        if self._opening is not None:
            await asyncio.wait({self._opening})
        calls = self._calls
        if calls is None or calls.is_closed or await calls.close():
            return
        import warnings

        text = f"{calls.sync!r} is still in a call of its driver, after which it is closed"
        warnings.warn(text, ResourceWarning, stacklevel=2)

    def __del__(self) -> None:
        calls = vars(self).get("_calls")
        if calls is not None and not calls.is_closed:
            calls.drop()

    def __repr__(self) -> str:
        return f"<sane.aio.Scanner {self._device!r}>" if self._calls is None else repr(self.sync)

    @property
    def _open_calls(self) -> Calls:
        if self._calls is None:
            raise Closed(f"{self._device!r} is not open: use async with, or await")
        return self._calls

    @property
    def sync(self) -> SyncScanner:
        """The scanner whose calls wait; raises Closed if it is not open."""
        return self._open_calls.sync

    @property
    def name(self) -> str:
        """As sane.Scanner has it."""
        return self.sync.name

    @property
    def info(self) -> DeviceInfo:
        """As sane.Scanner has it."""
        return self.sync.info

    @property
    def state(self) -> State:
        """As sane.Scanner has it."""
        return self.sync.state

    @property
    def closed(self) -> bool:
        """Whether the device is not open any more."""
        return self._calls is not None and (self._calls.is_closed or self.sync.closed)

    @property
    def encoded(self) -> tuple[str, ...]:
        """As sane.Scanner has it."""
        return self.sync.encoded

    @property
    def options(self) -> Options:
        """The options; each access waits for the driver: see run()."""
        return self.sync.options

    def cancel(self) -> None:
        """End the job and return at once; who awaits it gets Cancelled.

        So do those whose job was to begin later, and who wait for a button. What begins no job, as
        configure, is carried out. Any thread may call.
        """
        if self._calls is not None:
            self._calls.cancel_all()

    # Calls

    async def run(
        self, function: Callable[..., Result], *arguments: Any, timeout: float | None = None
    ) -> Result:
        """Return function(*arguments), called in the device's thread, as all calls of its driver.

        A task that is cancelled meanwhile ends the scanner's job. Raises ScanTimeout.
        """
        calls = self._open_calls
        return await calls.settled(calls.submit(lambda: function(*arguments)), timeout)

    async def configure(self, **settings: Any) -> Applied:
        """As sane.Scanner.configure."""
        return await self.run(lambda: self.sync.configure(**settings))

    async def capabilities(self) -> Capabilities:
        """As sane.Scanner.capabilities, which is no coroutine there."""
        return await self.run(lambda: self.sync.capabilities)

    async def parameters(self) -> Parameters:
        """As sane.Scanner.parameters."""
        return await self.run(self.sync.parameters)

    async def sensors(self) -> dict[str, int]:
        """As sane.Scanner.sensors."""
        return await self.run(self.sync.sensors)

    async def scan(
        self,
        *,
        progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        keep: str = "",
    ) -> Page:
        """As sane.Scanner.scan; progress is called in the device's thread."""
        sync = self.sync
        return await self.run(lambda: sync.scan(progress=progress, keep=keep), timeout=timeout)

    async def document(self, mime: str = "image/jpeg") -> bytes:
        """As sane.Scanner.document."""
        return await self.run(self.sync.document, mime)

    def pages(
        self,
        *,
        limit: int | None = None,
        progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        prefetch: int = 1,
        empty_ok: bool = False,
        keep: str = "",
    ) -> Pages:
        """As sane.Scanner.pages: an async iterator, and an async context manager."""
        calls = self._open_calls
        batch = Batch(calls.machine, limit, progress, keep)
        return Pages(self, calls, batch, timeout=timeout, prefetch=prefetch, empty_ok=empty_ok)

    def stream(
        self,
        *,
        chunk_rows: int | None = None,
        copy: bool = False,
        frames: bool = False,
        progress: Callable[[Progress], object] | None = None,
    ) -> Stream:
        """As sane.Scanner.stream; the job begins with the first row that is asked for."""
        options = {"chunk_rows": chunk_rows, "progress": progress, "takes_frames": frames}
        return Stream(self, self._open_calls, options, copy=copy)

    async def wait_button(
        self, *names: str, timeout: float | None = None, interval: float = 0.25
    ) -> str:
        """As sane.Scanner.wait_button; other calls may be made meanwhile."""
        sync = self.sync
        loop = asyncio.get_running_loop()
        until = None if timeout is None else loop.time() + timeout
        with Wait(self._open_calls.waits) as wait:
            buttons = await self.run(wanted_buttons, sync, names)
            try:
                while (found := await self.run(pressed, sync, buttons)) is None:
                    left = interval if until is None else min(interval, until - loop.time())
                    if left <= 0:
                        text = f"{sync.name}: no button was pressed within {timeout:g} s"
                        raise ScanTimeout(text)
                    if await wait.sleep(left):
                        raise Cancelled(NOT_WAITING, device=sync.name)
            except Closed as exc:
                raise Cancelled(NOT_WAITING, device=sync.name) from exc
        return found


def _close_late(opening: Future[SyncScanner]) -> None:
    """Close what was opened when nobody waited any more: in the device's thread."""
    if opening.exception() is None:
        opening.result().close()
