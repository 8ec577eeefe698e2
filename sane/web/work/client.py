"""The server's side of page work: starts the process, asks it, ends it when it idles or hangs.

A process that crashes costs the one request that it was working on; the next one starts another.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager, suppress

from ..finishing import finished

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator
    from typing import Any

IDLE_SECONDS = 60.0  # after which the process, with its libraries, is ended
LINE_BYTES = 4 << 20  # of an answer, or of a request with a thousand pages
START_SECONDS = 30.0  # for Python and its libraries on a slow machine
MOST_WAITING = 8  # requests of one client, with the one that is worked on
MODULE = __package__
# The libraries' own threads would reserve memory for each core, and we work on one page at a time.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class WorkFailed(Exception):
    """Page work was not done. hint: what helps. missing: a library or program is not there."""

    def __init__(self, text: str, hint: str = "", *, missing: bool = False) -> None:
        super().__init__(text)
        self.text = f"{text}; {hint}" if hint else text
        self.missing = missing


class TooManyWait(Exception):
    """A client has as many requests waiting as it may."""


class Line:
    """The requests of one client: one of them at a time waits for the process."""

    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


class PageWork:
    """One process at a time, one request after the other; clients take turns."""

    def __init__(self, log: logging.Logger, *, module: str = MODULE) -> None:
        self._log = log
        self._module = module
        self._lock = asyncio.Lock()
        self._lines: dict[str, Line] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def ask(
        self, do: str, seconds: float, *, who: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """Return what the process answers; raises WorkFailed, OSError and TooManyWait.

        who: the client, which then has one turn after the other with others, and few that wait.
        """
        async with self._turn(who):
            self._stop_idling()
            try:
                process = await self._started()
                answer = await asyncio.wait_for(
                    self._exchange(process, {"do": do, **arguments}), seconds + START_SECONDS
                )
            except (asyncio.TimeoutError, TimeoutError) as exc:
                await self._end()
                raise WorkFailed(f"page work ({do}) did not end within {seconds:g} s") from exc
            except (OSError, ValueError, EOFError) as exc:
                code = await self._end()
                self._log.warning("page work ended with %s while doing %s: %s", code, do, exc)
                raise WorkFailed(f"page work ({do}) broke off") from exc
            except asyncio.CancelledError:
                await finished(self._end())
                raise
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(IDLE_SECONDS, self._idled)
        if "error" in answer:
            error = answer["error"]
            if error.get("errno"):
                raise OSError(error["errno"], error["text"])
            raise WorkFailed(error["text"], error.get("hint", ""), missing=error["missing"])
        return answer

    @asynccontextmanager
    async def _turn(self, who: str) -> AsyncIterator[None]:
        """Hold the process, after one request of each other client at most."""
        line = self._lines.setdefault(who, Line())
        if who and line.waiting >= MOST_WAITING:
            raise TooManyWait(f"{MOST_WAITING} requests of yours are waiting already")
        line.waiting += 1
        try:
            async with line.lock, self._lock:
                yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                del self._lines[who]

    async def close(self) -> None:
        """End the process; nothing is asked any more."""
        self._is_closed = True
        self._stop_idling()
        await self._end()

    async def _exchange(
        self, process: asyncio.subprocess.Process, request: dict[str, Any]
    ) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("its output ended")
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise ValueError("it did not answer with an object")
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._is_closed:
            raise WorkFailed("the server is ending")
        if self._process is not None and self._process.returncode is None:
            return self._process
        await finished(self._start())  # a process of a start that is left would stay
        assert self._process is not None
        if self._is_closed:  # meanwhile
            await self._end()
            raise WorkFailed("the server is ending")
        return self._process

    async def _start(self) -> None:
        path = os.pathsep.join(part for part in sys.path if part)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P" if sys.version_info >= (3, 11) else "-B", "-m", self._module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is the server's, which ends it
        )

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _idled(self) -> None:
        """Close the idle process's input, which ends it."""
        if not self._lock.locked() and self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None

    async def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        with suppress(ProcessLookupError):
            process.kill()
        code = await process.wait()
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()
        return code
