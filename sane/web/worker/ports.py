"""Where the server gets the image data of a frame: a socket pair whose other end is sent to it.

Source: net-protocol 5.1, with a descriptor in place of a TCP port; unix(7), SCM_RIGHTS.
"""

from __future__ import annotations

import _socket
import array
import os

from ...errors import DeviceIOError

MOST_NUMBER = 0xFFFF  # clients take a port's number for one of TCP
BUFFER_BYTES = 1 << 20  # between driver and server: some lines, so that neither waits at each


class PairPort:
    """One frame's way to the server; number is what START says, and what comes with the end."""

    def __init__(self, channel: _socket.socket, number: int) -> None:
        self.number = number
        self._channel = channel
        self._ready = os.eventfd(1, os.EFD_CLOEXEC)  # the server comes for each frame

    def fileno(self) -> int:
        return self._ready

    def accept(self) -> _socket.socket | None:
        """Return this end of a new pair; the other one is on its way."""
        here, there = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            here.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, BUFFER_BYTES)
            rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [there.fileno()]))
            self._channel.sendmsg([self.number.to_bytes(2, "big")], [rights])
        except OSError as exc:
            here.close()
            raise DeviceIOError(f"the server does not take the data: {exc.strerror}") from exc
        finally:
            there.close()
        return here

    def close(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


class PairPorts:
    """Opens a port for each frame; *channel* leads to the server."""

    def __init__(self, channel: _socket.socket) -> None:
        self._channel = channel
        self._number = 0

    def open(self) -> PairPort:
        """Return a new port; raises DeviceIOError if there is none."""
        self._number = self._number % MOST_NUMBER + 1
        try:
            return PairPort(self._channel, self._number)
        except OSError as exc:
            raise DeviceIOError(f"no descriptor for the data: {exc.strerror}") from exc
