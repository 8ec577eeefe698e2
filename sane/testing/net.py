"""Emulated devices on the network: what they share, and the faults that they commit on demand.

A subclass speaks the device's protocol, in `serve` over TCP or in `answers` over UDP; how a network
and a broken device behave is here, so that every protocol is tested with every fault. Threads,
sockets and time are this module's.
"""

from __future__ import annotations

import select
import signal
import socket
import ssl
import struct
import threading
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

JOIN_SECONDS = 10.0
REQUEST_BYTES = 1 << 24  # no host sends more at once
DATAGRAM_BYTES = 1 << 16

Tcp = TypeVar("Tcp", bound="TcpEmulator")
Udp = TypeVar("Udp", bound="UdpEmulator")

# What a fault does to the answer that it meets.
KINDS = (
    "silence",  # it is not sent, nor is anything after it on this connection
    "drop",  # it is not sent; what comes after it is
    "garbage",  # `data` are sent instead
    "surplus",  # `data` are sent behind it
    "cut",  # only its first `size` bytes are sent, then the connection is closed
    "slow",  # it is sent in pieces of `size` bytes (0: whole), `seconds` before each
    "stale",  # the answer before it is sent again in front of it
    "repeat",  # it is sent twice
    "close",  # the connection is closed instead
)


class Fault(NamedTuple):
    """A fault at the answers after the next *after*, *times* long."""

    kind: str
    after: int = 0
    times: int = 1
    size: int = 0
    data: bytes = b""
    seconds: float = 0.0


class Faults:
    """The faults still to come; each counts the answers from when it was added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Let *fault* meet an answer from now on; raises ValueError for one that is unknown."""
        if fault.kind not in KINDS or fault.after < 0 or fault.times < 1:
            raise ValueError(f"{fault}: its kind is none of {KINDS}, or it never comes")
        with self._lock:
            self._pending.append((fault, [0]))

    def clear(self) -> None:
        """Forget those that have not happened."""
        with self._lock:
            self._pending.clear()

    def meet(self) -> Fault | None:
        """Count an answer; return the fault that it meets, the oldest of several."""
        met = None
        with self._lock:
            for fault, count in list(self._pending):
                if count[0] >= fault.after and met is not None:
                    continue  # it meets the next one
                if count[0] >= fault.after:
                    met = fault
                count[0] += 1
                if count[0] >= fault.after + fault.times:
                    self._pending.remove((fault, count))
        return met


class HostGone(Exception):
    """The host has closed, or is to be closed on: raised in `serve`, which then ends."""


class Connection:
    """A host's connection, as `serve` sees it."""

    def __init__(
        self, sock: socket.socket, faults: Faults, closing: threading.Event, number: int
    ) -> None:
        self.number = number
        self.received = bytearray()  # all that the host has sent
        self._sock = sock
        self._faults = faults
        self._closing = closing
        self._pending = bytearray()
        self._last = b""
        self._is_silent = False

    def receive(self, size: int) -> bytes:
        """Return exactly *size* bytes; raises HostGone if the host closes before."""
        while len(self._pending) < size:
            self._more()
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def receive_until(self, end: bytes) -> bytes:
        """Return what comes up to and with *end*; raises HostGone if it does not come."""
        while (at := self._pending.find(end)) < 0:
            self._more()
        return self.receive(at + len(end))

    def _more(self) -> None:
        try:
            data = self._sock.recv(1 << 16)
        except (OSError, ValueError) as exc:
            raise HostGone from exc
        if not data or len(self._pending) > REQUEST_BYTES:
            raise HostGone
        self.received += data
        self._pending += data

    def send(self, data: bytes) -> None:
        """Send one answer, with the fault that it meets."""
        if self._is_silent:
            return
        fault = self._faults.meet()
        before, self._last = self._last, data
        if fault is None:
            self.send_raw(data)
        elif fault.kind in ("silence", "close"):
            self._is_silent = True
            if fault.kind == "close":
                raise HostGone
        elif fault.kind == "cut":
            self.send_raw(data[: fault.size])
            raise HostGone
        elif fault.kind == "slow":
            self._send_slowly(data, fault)
        else:
            self.send_raw(self._replaced(fault, data, before))

    def _replaced(self, fault: Fault, data: bytes, before: bytes) -> bytes:
        found = {
            "drop": b"",
            "garbage": fault.data,
            "surplus": data + fault.data,
            "stale": before + data,
            "repeat": data + data,
        }
        return found[fault.kind]

    def _send_slowly(self, data: bytes, fault: Fault) -> None:
        size = fault.size or len(data)
        for at in range(0, len(data), size):
            if self._closing.wait(fault.seconds):
                raise HostGone
            self.send_raw(data[at : at + size])

    def send_raw(self, data: bytes) -> None:
        """Send *data*, without faults."""
        try:
            self._sock.sendall(data)
        except (OSError, ValueError) as exc:
            raise HostGone from exc

    def wait(self, seconds: float) -> None:
        """Do nothing for *seconds*; raises HostGone when the device is switched off meanwhile."""
        if self._closing.wait(seconds):
            raise HostGone

    def wait_until_gone(self, seconds: float) -> bool:
        """Wait until the host closes the connection; return False if it does not in *seconds*."""
        poll = select.poll()
        poll.register(self._sock, select.POLLRDHUP)
        return bool(poll.poll(seconds * 1000))

    def reset(self) -> None:
        """Let the connection end with a reset, as soon as it is closed."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class TcpEmulator:
    """A device behind a TCP port, from construction to close(); each connection has a thread.

    host: an address, or the path of a Unix socket. tls: encrypts the connections. connections: of
    all hosts until now, the last one last.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.faults = Faults()
        self.connections: list[Connection] = []
        self._tls = tls
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener, self.address = _listen(host, port)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def serve(self, connection: Connection) -> None:
        """Speak to one host until it is gone; the connection is closed when this returns."""
        raise NotImplementedError

    def __enter__(self: Tcp) -> Tcp:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return  # shut down by close
            with self._lock:
                if self._closing.is_set():
                    sock.close()
                    return
                self._open.add(sock)
                number = len(self.connections)
                connection = Connection(sock, self.faults, self._closing, number)
                self.connections.append(connection)
                thread = threading.Thread(target=self._run, args=(sock, connection), daemon=True)
                self._threads.append(thread)
            thread.start()

    def _run(self, sock: socket.socket, connection: Connection) -> None:
        used = sock
        # An SSLSocket writes without MSG_NOSIGNAL, and this process may be the one under test.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
        try:
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                used = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._open.discard(sock)
                    self._open.add(used)
                connection._sock = used
            self.serve(connection)
        except (HostGone, OSError):
            return  # the host is gone
        finally:
            with self._lock:
                self._open -= {sock, used}
                used.close()

    def hang_up(self) -> None:
        """Close the open connections, as a device does that is switched off."""
        with self._lock:
            for sock in self._open:
                _shut(sock)

    def close(self) -> None:
        """Close all connections and end all threads; may be called again."""
        self._closing.set()
        self.hang_up()
        _shut(self._listener)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._listener.close()


class UdpEmulator:
    """A device behind a UDP port, from construction to close(); received: what hosts have sent.

    groups: multicast addresses that it listens to as well, on the loopback interface.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, groups: Iterable[str] = ()) -> None:
        self.faults = Faults()
        self.received: list[bytes] = []
        self._closing = threading.Event()
        self._last = b""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        for group in groups:
            request = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def answers(self, data: bytes) -> Iterable[bytes]:
        """Return the datagrams that answer *data*."""
        raise NotImplementedError

    def __enter__(self: Udp) -> Udp:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                data, sender = self._socket.recvfrom(DATAGRAM_BYTES)
            except OSError:
                continue  # an answer that nobody took
            if self._closing.is_set():
                return
            self.received.append(data)
            for answer in self.answers(data):
                for sent in self._with_fault(answer):
                    self.reply(sent, sender)

    def reply(self, data: bytes, sender: tuple[str, int]) -> None:
        """Send one datagram to a host."""
        self._socket.sendto(data, sender)

    def _with_fault(self, data: bytes) -> list[bytes]:
        """Return the datagrams that are sent for *data*; a connection that closes is silence."""
        fault = self.faults.meet()
        before, self._last = self._last, data
        if fault is None:
            return [data]
        if fault.kind == "slow":
            return [] if self._closing.wait(fault.seconds) else [data]
        found = {
            "garbage": [fault.data],
            "surplus": [data, fault.data],
            "cut": [data[: fault.size]],
            "stale": [before, data],
            "repeat": [data, data],
        }
        return found.get(fault.kind, [])

    def close(self) -> None:
        """End the thread and release the port; may be called again."""
        if not self._closing.is_set():
            self._closing.set()
            family, address = self._socket.family, self._socket.getsockname()
            with socket.socket(family, socket.SOCK_DGRAM) as waker:
                waker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                waker.sendto(b"", address)
            self._thread.join(JOIN_SECONDS)
            self._socket.close()


def _listen(host: str, port: int) -> tuple[socket.socket, tuple[str, int]]:
    """Return a listener and its address; that of a Unix socket is its path and 0."""
    if host.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(host)
        listener.listen()
        return listener, (host, 0)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    return listener, listener.getsockname()[:2]


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already
