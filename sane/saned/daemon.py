"""The parent of all clients: it waits on listeners and forks a process for each client.

It knows listeners, processes and signals; it never talks to a client or a device itself, and
holds no thread, so that a fork is safe at any time. Source: net-protocol 8.2.
"""

from __future__ import annotations

import os
import select
import signal
import time

from ..cancel import wait_readable
from ..sessions import CLIENT, DEBUG, ERROR, INFO, MESSAGE
from ..sessions.access import Access
from . import announce, process
from .client import leave
from .listeners import Listener, listen_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from ..config import Environment
    from .client import Service
    from .log import Log
    from .options import Options

LEAVE_SECONDS = 10.0  # for clients' processes to put their devices to rest when saned ends
SHORTAGE_SECONDS = 0.1  # before the next attempt when the system has nothing left
_ENDS = (signal.SIGTERM, signal.SIGINT)


class Daemon:
    """Serves clients until SIGTERM or SIGINT, or after the first with --once; SIGHUP reloads."""

    def __init__(self, options: Options, listeners: list[Listener], service: Service) -> None:
        self._options = options
        self._listeners = listeners
        self._service = service
        self._log: Log = service.log
        self._environment: Environment = service.environment
        self._unix: Listener | None = None
        self._clients: dict[int, str] = {}  # process -> host
        self._announcer: announce.Announcer | None = None
        self._is_ending = self._reload = False
        self._has_served = False  # the only client, with --once
        self._wake, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in (*_ENDS, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._note)

    def run(self) -> None:
        """Serve until told to end; all clients have ended then."""
        self.apply_settings()
        self._log(INFO, "ready")
        try:
            self._accept_clients()
        finally:
            self._end()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._is_ending |= number in _ENDS
        self._reload |= number == signal.SIGHUP

    def _accept_clients(self) -> None:
        while not (self._is_ending or self._has_served):
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            waiting = {listener.fileno(): listener for listener in self._all()}
            for fd in waiting:
                poll.register(fd, select.POLLIN)
            for fd, _ in poll.poll():
                if fd == self._wake:
                    self._on_signals()
                elif fd in waiting:
                    self._on_client(waiting[fd])

    def _all(self) -> list[Listener]:
        return [*self._listeners, *([self._unix] if self._unix else [])]

    def _drain(self) -> None:
        try:
            while os.read(self._wake, 512):
                pass
        except BlockingIOError:
            return

    def _on_signals(self) -> None:
        self._drain()
        self._reap()
        if self._reload:
            self._reload = False
            access = Access.read(self._environment)
            self._log(CLIENT, f"{access.file or 'no saned.conf'} read again")
            for problem in access.problems:
                self._log(ERROR, problem)
            self._service.settings = access.settings
            self.apply_settings()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            host = self._clients.pop(pid, None)
            if host is not None:
                self._log(DEBUG, f"{host}: process {pid} ended with status {status}")
            elif self._announcer is not None and pid == self._announcer.pid:
                self._announcer = None

    def apply_settings(self) -> None:
        """Open or close the Unix socket and the announcement as the settings say."""
        settings = self._service.settings
        path = settings.listen_unix
        if self._unix is not None and self._unix.path != path:
            self._close_unix()
        if path and self._unix is None:
            try:
                self._unix = listen_unix(path)
                self._log(CLIENT, f"listening on {path}")
            except process.Refused as exc:
                self._log(ERROR, str(exc))
        reachable = [listener for listener in self._listeners if not listener.is_loopback]
        if settings.announce and reachable and self._announcer is None:
            self._announcer = announce.start(reachable[0].port, self._log, self._leave_parent)
        elif not settings.announce and self._announcer is not None:
            self._announcer.stop()

    # Clients

    def _on_client(self, listener: Listener) -> None:
        try:
            accepted = listener.accept()
        except OSError as exc:  # out of descriptors or memory: that may pass
            self._log(ERROR, f"{listener.name}: {exc.strerror}")
            time.sleep(SHORTAGE_SECONDS)
            return
        if accepted is None:
            return
        fd, address = accepted
        host = str(address[0]) if isinstance(address, tuple) else "local"
        settings = self._service.settings
        count = len(self._clients)
        same = sum(1 for other in self._clients.values() if other == host)
        if count >= settings.max_clients or same >= settings.max_clients_per_host:
            os.close(fd)
            self._log(CLIENT, f"{host}: refused: {count} clients, {same} of this host")
            return
        try:
            pid = os.fork()
        except OSError as exc:
            os.close(fd)
            self._log(ERROR, f"{host}: refused: {exc.strerror}")
            return
        if pid == 0:
            self._be_client(fd)
        os.close(fd)
        self._clients[pid] = host
        self._log(INFO, f"{host}: served by process {pid}")
        self._has_served = self._options.once

    def _be_client(self, fd: int) -> None:
        """Serve one client in this process, a new one, and end it."""
        status = 1
        try:
            self._leave_parent()
            signal.signal(signal.SIGTERM, leave)
            self._service.serve(fd)
            status = 0
        except SystemExit:
            status = 0
        except BaseException as exc:
            self._log(ERROR, f"{exc.__class__.__name__}: {exc}")
        finally:
            os._exit(status)

    def _leave_parent(self) -> None:
        """Give back, in a new process, what belongs to the parent."""
        signal.set_wakeup_fd(-1)
        for number in (*_ENDS, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent passes it on
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for listener in self._all():
            listener.close()
        os.close(self._wake)
        os.close(self._wake_writer)
        if self._announcer is not None:
            self._announcer.disown()

    # The end

    def _close_unix(self) -> None:
        if self._unix is not None:
            path = self._unix.path
            self._unix.close()
            self._unix = None
            try:
                os.unlink(path)
            except OSError as exc:
                self._log(MESSAGE, f"{path} stays: {exc.strerror}")

    def _end(self) -> None:
        """Stop listening and end the clients' processes; with --once, wait for the only one."""
        for listener in self._listeners:
            listener.close()
        self._close_unix()
        if self._announcer is not None:
            self._announcer.stop()
        while self._clients and not self._is_ending:
            self._wait(None)
        self._tell_clients(signal.SIGTERM)
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._clients and time.monotonic() < deadline:
            self._wait(deadline - time.monotonic())
        self._tell_clients(signal.SIGKILL)
        while self._clients:
            self._wait(None)
        signal.set_wakeup_fd(-1)
        os.close(self._wake)
        os.close(self._wake_writer)

    def _wait(self, seconds: float | None) -> None:
        """Wait for a signal, at most *seconds*, and look which clients have ended."""
        wait_readable((self._wake,), seconds)
        self._drain()
        self._reap()

    def _tell_clients(self, number: int) -> None:
        for pid in self._clients:
            os.kill(pid, number)
