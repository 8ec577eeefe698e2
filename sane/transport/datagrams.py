"""Datagrams (UDP): questions to one peer, asked again until its answer comes.

It knows addresses, datagrams and time, and nothing of what they mean. A failure is a DeviceIOError
that names the peer. A search among all peers is in broadcast.py.
"""

from __future__ import annotations

import _socket
import os
import select

from ..cancel import NeverCancelled
from ..errors import Cancelled, DeviceIOError
from .failures import NoAnswer
from .names import resolve
from .sockets import Deadline, new_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..cancel import Cancels
    from .names import Address

DATAGRAM_BYTES = 1 << 16  # none is larger
TRIES = 3
TRY_SECONDS = 1.0


class Datagrams:
    """A UDP socket for one peer. Every wait ends with errors.Cancelled when *cancel* is set.

    sock: a ``_socket.socket``, which is then owned. address: of the peer; datagrams of others are
    dropped. any_port: its answers may come from another port than the one that was asked. cancel
    may be exchanged between calls.
    """

    def __init__(
        self,
        sock: Any,
        address: Address,
        peer: str,
        cancel: Cancels | None = None,
        *,
        any_port: bool = False,
    ) -> None:
        self._sock = sock
        self._address = address[1]
        self._is_connected = not any_port
        self.peer = peer
        self.cancel = cancel
        sock.setblocking(False)
        if self._is_connected:
            sock.connect(self._address)  # the kernel then tells of a refused port, too

    @classmethod
    def to(
        cls,
        host: str,
        port: int,
        seconds: float | None = None,
        cancel: Cancels | None = None,
        *,
        any_port: bool = False,
    ) -> Datagrams:
        """Return a socket for *host*, the first of its addresses to which there is a way.

        seconds: that looking the name up may take. Nothing is sent.
        """
        peer = f"{host} port {port}"
        failure: OSError | None = None
        for address in resolve(host, port, seconds, cancel):
            sock = None
            try:
                sock = new_socket(address[0], _socket.SOCK_DGRAM)
                return cls(sock, address, peer, cancel, any_port=any_port)
            except OSError as exc:
                failure = exc
                if sock is not None:
                    sock.close()
        assert failure is not None
        raise DeviceIOError(f"{peer}: {failure.strerror}") from failure

    def fileno(self) -> int:
        """Return the descriptor, -1 after close."""
        return int(self._sock.fileno())

    def local_address(self) -> str:
        """Return our own address that the peer sees; "0.0.0.0" or "::" with any_port."""
        return str(self._sock.getsockname()[0])

    def pause(self, seconds: float) -> None:
        """Let *seconds* pass between two questions; a replayed device needs no time.

        Raises Cancelled as soon as cancel is set.
        """
        (self.cancel or NeverCancelled()).wait(seconds)

    def send(self, data: bytes) -> None:
        """Send one datagram; what the network does not take now is lost, as it may be anyway."""
        try:
            if self._is_connected:
                self._sock.send(data)
            else:
                self._sock.sendto(data, self._address)
        except BlockingIOError:
            return
        except OSError as exc:
            raise self._failed("send", exc) from exc

    def receive(self, seconds: float | None = None) -> bytes:
        """Return the next datagram of the peer, b"" if it is empty.

        Silence is NoAnswer after *seconds*, also when others send all the time.
        """
        deadline = Deadline(seconds)
        while True:
            if self.cancel is not None and self.cancel.is_set():
                raise Cancelled(f"{self.peer}: receive: cancelled")
            try:
                data, sender = self._sock.recvfrom(DATAGRAM_BYTES)
            except BlockingIOError:
                self._wait(deadline)
                continue
            except OSError as exc:
                raise self._failed("receive", exc) from exc
            if self._is_connected or sender[0] == self._address[0]:
                return bytes(data)
            if deadline.left() == 0:
                raise NoAnswer(f"{self.peer}: receive: timed out")

    def ask(
        self,
        request: bytes,
        accepts: Callable[[bytes], bool] | None = None,
        tries: int = TRIES,
        seconds: float = TRY_SECONDS,
    ) -> bytes:
        """Send *request* until its answer comes; return the answer.

        It is sent *tries* times at most, every *seconds* seconds. accepts(datagram): tells whether
        this is the answer; all others are dropped, as late answers to the request before.

        Raises NoAnswer if no answer came. If nobody listens at the port, a try ends at once, and
        the last one raises DeviceIOError.
        """
        refused: DeviceIOError | None = None
        dropped = 0
        for _ in range(tries):
            deadline = Deadline(seconds)
            try:
                self.send(request)
                while True:
                    answer = self.receive(deadline.left())
                    if accepts is None or accepts(answer):
                        return answer
                    dropped += 1
                    if deadline.left() == 0:
                        break
            except NoAnswer:
                refused = None
            except DeviceIOError as exc:
                refused = exc
        if refused is not None:
            raise refused
        others = f", only {dropped} other datagrams" if dropped else ""
        raise NoAnswer(f"{self.peer}: no answer to {tries} questions, {seconds:g} s each{others}")

    def _wait(self, deadline: Deadline) -> None:
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        if self.cancel is not None and self.cancel.fd >= 0:
            poll.register(self.cancel.fd, select.POLLIN)
        if not poll.poll(deadline.left_ms()):
            raise NoAnswer(f"{self.peer}: receive: timed out")

    def _failed(self, call: str, exc: OSError) -> DeviceIOError:
        return DeviceIOError(f"{self.peer}: {call}: {os.strerror(exc.errno or 0)}")

    def close(self) -> None:
        """Close the socket; may be called again."""
        self._sock.close()
