"""A worker process, seen from the server: started, asked, and ended whatever it does.

It knows processes, socket pairs and requests of SANE's network protocol; what is asked, and why, is
others' business. Everything runs on the server's asyncio loop, and nothing here blocks it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import text_of
from ..sessions import CLIENT, DEBUG, ERROR
from ..wire import messages, protocol
from ..wire.codec import ProtocolError
from .problems import ScanFailed, Unreachable

if TYPE_CHECKING:
    import logging

    from ..wire.messages import Request

RECEIVE_BYTES = 1 << 16
CHANNEL_BYTES = 16
CALL_SECONDS = 30.0  # for what moves nothing in the scanner
REST_SECONDS = 10.0  # for a driver to put its device to rest; then the process is killed
TERM_SECONDS = 2.0
HANG_UP_SECONDS = 1.5  # sessions.watch has given up after 0.8 s
BOOT = """
import sys
sys.path += [path for path in sys.argv[2].split(":") if path not in sys.path]
from importlib import import_module
sys.exit(import_module(sys.argv[1]).main(sys.argv[3:]))
"""


class WorkerLost(Unreachable):
    """The worker process has crashed, or does not answer and was ended."""


@dataclass(frozen=True)
class Allowance:
    """What a worker gets. network: it lists scanners of the network. cpu_seconds: 0 for any."""

    memory_mib: int = 2048
    cpu_seconds: int = 0
    network: bool = False


class WorkerProcess:
    """One worker. log: gets how it ended. Every call raises WorkerLost once it is gone.

    A call that takes too long costs the worker: it is killed, since its driver may hang anywhere.
    """

    def __init__(self, allowance: Allowance, log: logging.Logger) -> None:
        self._log = log
        self._control, control = socket.socketpair()
        self._channel, channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._process = subprocess.Popen(
                command(allowance, log, control.fileno(), channel.fileno()),
                pass_fds=(control.fileno(), channel.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # drivers print there
                start_new_session=True,  # Ctrl-C of a terminal is the server's
            )
        except OSError as exc:
            self._control.close()
            self._channel.close()
            raise WorkerLost(f"no worker can be started: {exc.strerror}") from exc
        finally:
            control.close()
            channel.close()
        for sock in (self._control, self._channel):
            sock.setblocking(False)
        self._client = protocol.Client()
        self._lock = asyncio.Lock()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pidfd = os.pidfd_open(self._process.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._note_end)
        self.is_calling = False

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """The process has not ended."""
        return not self._ended.done()

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        status = self._process.wait()
        if status:
            self._log.error("worker %d ended with %s", self.pid, ending(status))
        self._ended.set_result(status)

    async def greet(self) -> None:
        """Begin the session."""
        reply: Any = await self.call(messages.Init(protocol.ADVERTISED, "pysane share"))
        if reply.status:
            raise ScanFailed(reply.status, f"the worker refuses: {text_of(reply.status)}")

    async def call(self, request: Request, seconds: float = CALL_SECONDS) -> Any:
        """Send *request* and return its reply, whatever status it has."""
        async with self._lock:
            self.is_calling = True
            try:
                return await asyncio.wait_for(self._exchange(request), seconds)
            except (asyncio.TimeoutError, TimeoutError):  # two classes before 3.11
                self.kill()
                what = request.__class__.__name__
                text = f"the driver did not answer {what} within {seconds:g} s, and was ended"
                raise WorkerLost(text) from None
            except (OSError, ProtocolError) as exc:
                raise await self.lost(str(exc)) from exc
            except asyncio.CancelledError:
                self.hang_up()  # a reply is still to come: nothing can be asked any more
                raise
            finally:
                self.is_calling = False

    async def _exchange(self, request: Request) -> Any:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._control, self._client.send(request))
        while True:
            reply = self._client.pending()
            while reply is None:
                data = await loop.sock_recv(self._control, RECEIVE_BYTES)
                if not data:
                    raise await self.lost("closed")
                reply = self._client.receive(data)
            if self._client.challenge is None:
                return reply
            # Drivers that want a password ask a person, and there is none here.
            await loop.sock_sendall(self._control, self._client.authorize("", ""))

    async def lost(self, reason: str) -> WorkerLost:
        """Return the error for a worker that is gone."""
        with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ended), TERM_SECONDS)
        if self._ended.done() and self._ended.result():
            status = self._ended.result()
            return WorkerLost(f"the scanner's driver has crashed: {ending(status)}")
        return WorkerLost(f"the scanner's driver does not answer any more: {reason}")

    async def data_socket(self, number: int) -> socket.socket:
        """Return the socket on which the frame comes that START has called *number*."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._channel, CHANNEL_BYTES, 1)
            except BlockingIOError:
                await asyncio.wait_for(readable(loop, self._channel), CALL_SECONDS)
                continue
            if not data and not fds:
                raise await self.lost("no data")
            sock = socket.socket(fileno=fds[0]) if fds else None
            if sock is not None and int.from_bytes(data, "big") == number:
                sock.setblocking(False)
                return sock
            if sock is not None:
                sock.close()

    # The end

    def hang_up(self) -> None:
        """Have the worker stop what it does, close its device and end; it does so by itself."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End the process at once: the kernel takes the device away from it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def close(self, seconds: float = REST_SECONDS) -> None:
        """End the session and the process; one that takes longer than *seconds* is killed.

        A worker that lives says so by closing its end at once; then its driver gets the time.
        """
        self.hang_up()
        try:
            if not await self._has_hung_up():
                self._log.error("worker %d hangs, and is killed", self.pid)
                self.kill()
            await self._wait(seconds)
        except asyncio.CancelledError:
            self.kill()
            await self._ended
            raise
        finally:
            self._control.close()
            self._channel.close()

    async def _has_hung_up(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            while await asyncio.wait_for(
                loop.sock_recv(self._control, RECEIVE_BYTES), HANG_UP_SECONDS
            ):
                continue
        except (asyncio.TimeoutError, TimeoutError):
            return self._ended.done()
        except OSError:
            return True
        return True

    async def _wait(self, seconds: float) -> None:
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, TERM_SECONDS)):
            try:
                await asyncio.wait_for(asyncio.shield(self._ended), patience)
                return
            except (asyncio.TimeoutError, TimeoutError):
                self._log.error("worker %d does not end: %s", self.pid, number.name)
                self._signal(number)
        await self._ended


def command(allowance: Allowance, log: logging.Logger, control: int, channel: int) -> list[str]:
    """Return the command line of a worker: the server's Python and packages, without `site`."""
    module = f"{__package__}.worker.main"
    level = DEBUG if log.isEnabledFor(10) else CLIENT if log.isEnabledFor(20) else ERROR
    numbers = (
        *(control, channel, allowance.memory_mib, allowance.cpu_seconds),
        *(int(allowance.network), level),
    )
    path = ":".join(os.path.abspath(each) for each in sys.path)
    return [sys.executable, "-I", "-S", "-c", BOOT, module, path, *map(str, numbers)]


def ending(status: int) -> str:
    """Return in words how a process ended with *status*."""
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


async def readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    """Wait until there is something to read from *sock*."""
    done: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _complete, done)
    try:
        await done
    finally:
        loop.remove_reader(sock)


def _complete(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
