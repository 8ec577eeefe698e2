"""Sockets that never become a standard stream of the host, and when a wait for them ends."""

from __future__ import annotations

import _socket
import time

from ..cancel import above_stdio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def new_socket(family: int, kind: int, protocol: int = 0) -> Any:
    """Return a new socket; a host that closed descriptors 0 to 2 does not get one there."""
    fd = _socket.socket(family, kind, protocol).detach()
    return _socket.socket(fileno=above_stdio(fd))


class Deadline:
    """A point in time; *seconds* from now, None for never."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds left, at least 0."""
        return None if self._at is None else max(0.0, self._at - time.monotonic())

    def left_ms(self) -> int | None:
        """Return the milliseconds left, rounded up, as poll wants them."""
        seconds = self.left()
        return None if seconds is None else int(seconds * 1000 + 0.999)
