"""BulkStream: a row of bytes from one endpoint, with several transfers on their way.

It knows what was kept from before and whose handle it belongs to; how transfers are kept in
flight is its LinkStream's.
"""

from __future__ import annotations

from .link import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .descriptors import Endpoint
    from .handle import Usb
    from .link import LinkStream


class BulkStream:
    """Bytes of one IN endpoint with several transfers on their way; close it, or use ``with``.

    kept: what had come before, which is read first.
    """

    def __init__(self, usb: Usb, endpoint: Endpoint, source: LinkStream, kept: bytes) -> None:
        self._usb = usb
        self._endpoint = endpoint
        self._source = source
        self._kept = kept
        self._is_closed = False
        self._has_failed = False

    def __enter__(self) -> BulkStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def read_into(self, view: memoryview, seconds: float | None = None) -> int:
        """Move what arrived into *view*, at least a byte; 0 when the total is reached.

        Silence ends with TimedOut, a long run of empty transfers with UsbError.
        """
        if self._kept:
            n = min(len(view), len(self._kept))
            view[:n] = self._kept[:n]
            self._kept = self._kept[n:]
            return n
        usb = self._usb
        limit = usb.limit(seconds)
        outcome, n = self._source.read_into(view, limit, usb.cancel)
        if outcome != OK:
            self._has_failed = True
            usb.failed_stream(self._endpoint, outcome, limit)
        if n:
            usb.is_silent = False
        return n

    def reader(self, seconds: float | None = None) -> object | None:
        """Return a capsule for Device.reader, which reads this stream without Python.

        None when uncompiled, recorded or replayed, or when some bytes had come before: the frame is
        then read with read_into.
        """
        if self._kept:
            return None
        usb = self._usb
        return self._source.reader(usb.timeout if seconds is None else seconds, usb.cancel)

    def close(self) -> None:
        """Take back the transfers that are on their way; what they brought, a read will get."""
        if not self._is_closed:
            self._is_closed = True
            outcome = self._source.outcome
            rest = self._kept + self._source.close()
            unseen = OK if self._has_failed else outcome
            self._usb.ended_stream(self, self._endpoint, unseen, rest)
