"""One frame on its way to a client: waits for the data connection, then sends what is read.

It runs in a thread of its own beside the client's requests, and is the only user of the handle
while it reads. It knows handles and streams; requests and replies are the session's business.

    WAITING --client connects--> SENDING --end marker--> OVER --client has closed--> fetched
       |                            |
       +-- nobody in time, stop() --+-- client gone, stop() --> OVER (and the job is cancelled)

A driver that does not come back after stop() keeps the thread: the session leaves it what is still
to be done with the handle.

Source: net-protocol 5.
"""

from __future__ import annotations

import _thread

from .. import const
from ..cancel import Cancel
from ..errors import Cancelled, DeviceIOError, EndOfFrame, status_of
from ..handle import FRAME
from ..threads import Turns, start_thread
from ..transport.sockets import Deadline
from ..transport.streams import ByteStream
from ..wire.protocol import frame_end, record_head
from . import INFO
from .delivery import Delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..handle import Handle
    from ..param import Parameters
    from .dataport import Port
    from .site import Site

HEAD_BYTES = 4
TAIL_BYTES = 5
NOTHING_YET_SECONDS = 0.01  # a driver that gives nothing without an error is asked again


class Frame:
    """Sends one frame of *handle*, which was started, to whoever connects to *port*.

    parameters: the frame's. site: how much is sent at once, and how long to wait for the data
    connection and for a client that does not read.
    """

    def __init__(self, handle: Handle, parameters: Parameters, port: Port, site: Site) -> None:
        self.parameters = parameters
        self.is_over = False  # the last byte was read; the end marker may be under way
        self._handle = handle
        self._port = port
        self._record_bytes = site.record_bytes
        self._connect_seconds = site.settings.data_connect_timeout or None
        self._stall_seconds = site.settings.idle_timeout or None
        self._log = site.log
        self._stop = Cancel()
        self._turns = Turns()  # whoever has it may call the handle
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._delivery: Delivery | None = None
        self._is_closed = False
        self._handing_over = _thread.allocate_lock()  # for the two below
        self._has_ended = False
        self._left: Callable[[], None] | None = None  # for the thread to do in the end

    def begin(self) -> None:
        """Start the thread."""
        start_thread(self._run)

    # For the session

    def stop(self, seconds: float) -> bool:
        """End the frame now; return False if the driver has not come back after *seconds*."""
        if not self._is_closed:
            self._stop.set()
            if not self.is_over:
                self._handle.cancel_request.set()
        return self.end(seconds)

    def end(self, seconds: float) -> bool:
        """Wait for the end of the thread; return False if it takes longer than *seconds*."""
        if not self._is_closed:
            if self._delivery is not None:
                self._delivery.leave()
            if not self._done.acquire(True, seconds):
                return False
            self._is_closed = True
            self._stop.close()
            if self._delivery is not None:
                self._delivery.close()
        return True

    def leave(self, work: Callable[[], None]) -> bool:
        """Have the thread do *work* as soon as the driver is back; return False if it is.

        Nobody else may call the handle from then on, before end() is true.
        """
        with self._handing_over:
            if not self._has_ended:
                self._left = work
            return not self._has_ended

    @property
    def is_left(self) -> bool:
        """Whether the driver is lost in this frame, and the handle the thread's."""
        return self._left is not None

    def is_fetched(self) -> bool:
        """Tell whether the frame is over and the client has closed its data connection.

        Before, it may not have read what was sent: what describes the frame must not change.
        """
        return self.is_over and (self._delivery is None or self._delivery.is_taken())

    def pause(self) -> None:
        """Wait until nobody reads; the handle is the caller's until resume()."""
        self._turns.take()

    def resume(self) -> None:
        """Let the frame go on."""
        self._turns.give()

    # The thread

    def _run(self) -> None:
        try:
            stream = self._connected()
            try:
                self._delivery = Delivery(stream)
                self._send(stream)
            except BaseException:
                self._delivery = None
                stream.close()
                raise
            self._delivery.stay()
        except BaseException as exc:
            self._port.close()
            self._log(INFO, f"the frame is cancelled: {exc}")
            if not self._stop.is_set():
                self._cancel_job()
        finally:
            self.is_over = True
            self._port.close()
            with self._handing_over:
                self._has_ended = True
            try:
                if self._left is not None:
                    self._left()
            finally:
                self._left = None
                self._done.release()

    def _connected(self) -> ByteStream:
        """Return the data connection; raises DeviceIOError if none comes in time."""
        deadline = Deadline(self._connect_seconds)
        while True:
            if not self._stop.wait(deadline.left(), self._port.fileno()):
                raise DeviceIOError("the client did not fetch the data")
            sock = self._port.accept()
            if sock is not None:
                self._port.close()
                return ByteStream(sock, "the data connection", self._stop)
            self._log(INFO, "somebody else came for the data, and was turned away")

    def _send(self, stream: ByteStream) -> None:
        buffer = bytearray(HEAD_BYTES + self._record_bytes + TAIL_BYTES)
        with memoryview(buffer) as view:
            room = view[HEAD_BYTES : HEAD_BYTES + self._record_bytes]
            while True:
                n, status = self._read(room)
                end = HEAD_BYTES + n if n else 0
                if n:
                    view[:HEAD_BYTES] = record_head(n)
                if status != const.STATUS_GOOD:
                    self.is_over = True  # before the client can know: it may start again at once
                    view[end : end + TAIL_BYTES] = frame_end(status)
                    end += TAIL_BYTES
                stream.send(view[:end], self._stall_seconds)
                if status != const.STATUS_GOOD:
                    return

    def _read(self, room: memoryview) -> tuple[int, int]:
        """Return the number of bytes read, and GOOD or the status that ends the frame."""
        try:
            with self._turns:
                return self._read_now(room)
        except EndOfFrame:
            return 0, const.STATUS_EOF
        except BaseException as exc:
            if self._stop.is_set():
                raise Cancelled from exc
            return 0, status_of(exc)

    def _read_now(self, room: memoryview) -> tuple[int, int]:
        handle = self._handle
        reader = handle.reader
        if reader is None:
            n = handle.read(room)
            while n == 0:
                self._stop.wait(NOTHING_YET_SECONDS)
                n = handle.read(room)
            return n, const.STATUS_GOOD if handle.state == FRAME else const.STATUS_EOF
        from .pump import fill

        if handle.cancel_request.is_set():
            raise Cancelled
        status, n = fill(reader, room)
        if status != const.STATUS_GOOD:
            handle.reader_ended(status, n)
            if status != const.STATUS_EOF:
                n = 0
        return n, status

    def _cancel_job(self) -> None:
        """End the job: the client has left the frame, and will hear so when it reads."""
        with self._turns:
            self._handle.cancelled()
