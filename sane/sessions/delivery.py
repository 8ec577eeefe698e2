"""The end of a data connection: whether the client has taken what was sent, and closed it.

It knows one stream and its peer's end of it, not what was sent. Clients that follow the protocol
end their sending side as soon as they are connected, read up to the end marker and close: of that
close nothing is heard unless something more is sent. Others read until this side ends, or go on
with their requests before they close.
Source: net-protocol 3.8 and 5.1; RFC 9293 3.6.
"""

from __future__ import annotations

import _thread
import select
import time

from ..errors import DeviceIOError
from ..transport.sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..transport.streams import ByteStream

STAY_SECONDS = 1.0  # for a client to close; one that waits for our end instead waits no longer
END_SECONDS = 0.05  # for the end of a client's side that is on its way since it connected
TELL_SECONDS = 0.2  # for news of a close that was sent before the request which asks for it
POKE = b"\0"  # behind the end marker, where nobody looks

_ENDED = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_GONE = select.POLLHUP | select.POLLERR


class Delivery:
    """Follows *stream*, on which a frame is sent, beyond its end marker.

    stay() is called by the thread that has sent the marker; all else by the session.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._may_leave = _thread.allocate_lock()  # released when nobody needs to stay
        self._may_leave.acquire()
        self._is_sent = _thread.allocate_lock()  # released with the end marker
        self._is_sent.acquire()
        self._is_half_closed = False
        self._has_left = False
        self._sent_at = 0.0

    def stay(self) -> None:
        """Keep the connection while a byte may still be needed to learn whether it is closed."""
        self._is_half_closed = self._is(_ENDED, END_SECONDS)
        self._sent_at = time.monotonic()
        self._is_sent.release()
        if not self._is_half_closed:
            self._end_sending()  # now it closes, and that will be heard
        elif not self._may_leave.acquire(True, STAY_SECONDS):
            self._end_sending()
            self._has_left = True

    def leave(self) -> None:
        """Let stay() return at once."""
        if self._may_leave.locked():
            self._may_leave.release()

    def is_taken(self) -> bool:
        """Tell whether the client has closed its end, or had the time for it.

        Takes TELL_SECONDS to say no.
        """
        if not self._is_sent.acquire(True, TELL_SECONDS):
            return False
        self._is_sent.release()
        if self._has_left:
            return True
        if not self._is_half_closed:
            return self._is(_ENDED, TELL_SECONDS) or self._has_had_time()
        try:
            self._stream.send(POKE, TELL_SECONDS)
        except DeviceIOError:
            return True
        return self._is(_GONE, TELL_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def _has_had_time(self) -> bool:
        """Tell whether all was sent to the client's machine, and STAY_SECONDS have passed since."""
        from fcntl import ioctl
        from termios import TIOCOUTQ  # which Linux calls SIOCOUTQ for a socket: tcp(7), unix(7)

        if time.monotonic() < self._sent_at + STAY_SECONDS:
            return False
        unsent = ioctl(self._stream.fileno(), TIOCOUTQ, bytes(4))
        return not any(unsent)

    def _end_sending(self) -> None:
        try:
            self._stream.end_sending()
        except DeviceIOError:
            return  # it is gone altogether

    def _is(self, events: int, seconds: float) -> bool:
        """Wait for one of *events* on the stream; return False if none comes."""
        poll = select.poll()
        poll.register(self._stream.fileno(), events)
        return bool(poll.poll(Deadline(seconds).left_ms()))
