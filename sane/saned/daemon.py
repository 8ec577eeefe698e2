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
from ..sessions.access import Access, Peer, reason_by_address
from ..sessions.dataport import sweep
from ..transport.sockets import Deadline
from . import announce, process
from .listeners import Listener, listen_unix
from .places import Place, Places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

    from ..config import Environment
    from .client import Service
    from .log import Log
    from .options import Options

LEAVE_SECONDS = 10.0  # for clients' processes to put their devices to rest when saned ends
ADMITTED = b"+"  # what the process of a client says that a name lets in
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
        self._places = Places()
        self._announcer: announce.Announcer | None = None
        self._is_ending = self._reload = False
        self._is_listening = True  # until the end; with --once, until there is a client
        self._wake, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in (*_ENDS, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._note)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def run(self) -> None:
        """Serve until told to end; all clients have ended then."""
        self.apply_settings()
        self._log(INFO, "ready")
        try:
            while not self._is_ending and (self._is_listening or self._places):
                self._serve_round()
        finally:
            self._end()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._is_ending |= number in _ENDS
        self._reload |= number == signal.SIGHUP

    def _serve_round(self) -> None:
        """Wait for clients, signals and the news of clients' processes, and act on them.

        What is closed on account of one of them gives its number to what is opened for the next:
        a number means what it meant only while it belongs to the same listener or process.
        """
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        waiting = {listener.fileno(): listener for listener in self._all()}
        pending = self._places.pending()
        for fd in (*waiting, *pending):
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(Deadline(self._places.seconds_left()).left_ms()):
            if fd == self._wake:
                self._on_signals()
            elif fd in waiting:
                self._on_client(waiting[fd])
            elif self._places.pending().get(fd) == pending[fd]:
                self._on_news(fd, pending[fd])
        for pid in self._places.overdue():
            self._log(CLIENT, f"process {pid}: names are not looked up in time: ended")
            self._end_client(pid, signal.SIGKILL)
            self._reap(pid)

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

    def _reap(self, process: int = -1) -> None:
        """Note which processes have ended; wait for *process*, if one is named."""
        while True:
            try:
                pid, status = os.waitpid(process, os.WNOHANG if process == -1 else 0)
            except ChildProcessError:
                return
            if not pid:
                return
            place = self._places.leave(pid)
            if place is not None:
                self._on_end(pid, place, status)
            elif self._announcer is not None and pid == self._announcer.pid:
                was_stopped, self._announcer = self._announcer.is_disowned, None
                if was_stopped and not self._is_ending:
                    self.apply_settings()  # they may have changed again while it withdrew

    def _on_end(self, pid: int, place: Place, status: int) -> None:
        """Tidy up after a client's process."""
        code = os.waitstatus_to_exitcode(status)
        is_usual = place.is_told or code in (0, -signal.SIGTERM)
        text = f"{place.host}: process {pid} ended {cause_of(code)}"
        self._log(DEBUG if is_usual else ERROR, text)
        if place.news >= 0:
            os.close(place.news)
        if status and self._unix is not None:
            sweep(self._unix.path)

    def apply_settings(self) -> None:
        """Open or close the Unix socket and the announcement as the settings say."""
        if not self._is_listening:
            return
        settings = self._service.settings
        path = settings.listen_unix
        if self._unix is not None and self._unix.path != path:
            self._close_unix()
        if path and self._unix is None:
            try:
                self._unix = listen_unix(path)
                sweep(path)
                self._log(CLIENT, f"listening on {path}")
            except process.Refused as exc:
                self._log(ERROR, str(exc))
        reachable = [listener for listener in self._listeners if not listener.is_loopback]
        if settings.announce and reachable and self._announcer is None:
            self._announcer = announce.start(reachable[0].port, self._log, self._leave_parent)
        elif not settings.announce and self._announcer is not None:
            self._announcer.disown()

    # Clients

    def _on_client(self, listener: Listener) -> None:
        if listener not in self._all():
            return  # closed since by a change of the settings
        try:
            accepted = listener.accept()
        except OSError as exc:  # out of descriptors or memory: that may pass
            self._log(ERROR, f"{listener.name}: {exc.strerror}")
            time.sleep(SHORTAGE_SECONDS)
            return
        if accepted is None:
            return
        fd, address = accepted
        is_local = bool(listener.path)
        peer = Peer("a local user", (), is_local=True) if is_local else Peer.at(address)
        if peer is None:
            os.close(fd)
            self._log(CLIENT, f"{listener.name}: refused: who is at the other end is not known")
            return
        reason = reason_by_address(peer, Access.read(self._environment))
        refusal = self._places.refusal(peer.host, self._service.settings, is_pending=not reason)
        if refusal:
            os.close(fd)
            self._log(CLIENT, f"{peer.text}: refused: {refusal}")
            return
        try:
            self._fork(fd, peer, reason)
        except OSError as exc:
            self._log(ERROR, f"{peer.text}: refused: {exc.strerror}")
        finally:
            os.close(fd)

    def _fork(self, fd: int, peer: Peer, reason: str) -> None:
        """Serve a client in a process of its own; without a *reason* it has to find one first."""
        news, teller = (-1, -1) if reason else os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # SIGTERM waits until the new process has given up our handler, which would drop it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            pid = os.fork()
            if pid == 0:
                self._be_client(fd, reason, news, teller)
        except OSError:
            if not reason:
                os.close(news)
                os.close(teller)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._places.take(pid, peer.host, news)
        if not reason:
            os.close(teller)
        self._log(INFO, f"{peer.text}: served by process {pid}")
        if self._options.once:
            self._stop_listening()

    def _on_news(self, fd: int, pid: int) -> None:
        """Admit a client whose name was found, if there is a place; one that ends is reaped."""
        try:
            said = os.read(fd, 1)
        except BlockingIOError:
            return
        if said != ADMITTED:
            self._reap(pid)
            return
        place = self._places.admit(pid)
        os.close(fd)
        refusal = self._places.refusal(place.host, self._service.settings, is_pending=False)
        if refusal:
            self._log(CLIENT, f"{place.host}: refused: {refusal}")
            self._end_client(pid, signal.SIGTERM)

    def _be_client(self, fd: int, reason: str, news: int, teller: int) -> NoReturn:
        """Serve one client in this process, a new one, and end it."""
        status = 1
        try:
            self._leave_parent()
            if not reason:
                os.close(news)

            def admitted() -> None:
                if not reason:
                    os.write(teller, ADMITTED)
                    os.close(teller)

            self._service.serve(fd, reason, admitted)
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
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        for listener in self._all():
            listener.close()
        for fd in (self._wake, self._wake_writer, *self._places.pending()):
            os.close(fd)
        if self._announcer is not None:
            self._announcer.disown()

    # The end

    def _close_unix(self) -> None:
        if self._unix is not None:
            path = self._unix.path
            self._unix.close()
            self._unix = None
            sweep(path)
            try:
                os.unlink(path)
            except OSError as exc:
                self._log(MESSAGE, f"{path} stays: {exc.strerror}")

    def _stop_listening(self) -> None:
        """Take no client any more."""
        self._is_listening = False
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        self._close_unix()
        if self._announcer is not None:
            self._announcer.disown()

    def _end(self) -> None:
        """Stop listening and end the clients' processes."""
        self._stop_listening()
        for pid in self._places.processes():
            self._end_client(pid, signal.SIGTERM)
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._places and time.monotonic() < deadline:
            self._wait(deadline - time.monotonic())
        for pid in self._places.processes():
            self._log(ERROR, f"process {pid} has not ended after {LEAVE_SECONDS:g} s: killed")
            self._end_client(pid, signal.SIGKILL)
        while self._places:
            self._wait(None)
        signal.set_wakeup_fd(-1)
        os.close(self._wake)
        os.close(self._wake_writer)

    def _wait(self, seconds: float | None) -> None:
        """Wait for a signal, at most *seconds*, and look which clients have ended."""
        wait_readable((self._wake,), seconds)
        self._drain()
        self._reap()

    def _end_client(self, pid: int, number: int) -> None:
        """Send a client's process a signal that ends it."""
        self._places.tell(pid)
        os.kill(pid, number)


def cause_of(code: int) -> str:
    """Return in words how a process ended; code: its status, or a signal's number, negative."""
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"by signal {-code}"
