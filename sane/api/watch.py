"""What is plugged in and taken away: lists of devices compared, when something tells of a change.

It knows the library, and descriptors that become readable when a list may have changed. Those of
the kernel and of DNS-SD are in signs.py.
"""

from __future__ import annotations

import time

from ..cancel import Wake, wait_readable
from .listing import DeviceEvent, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..library import Library
    from ..listed import DeviceInfo
    from .listing import DeviceList
    from .signs import Sign

QUIET_SECONDS = 0.5  # a device that is plugged in is announced in several messages
MOST_SECONDS = 5.0  # after which a list is made although messages still come


class Watcher:
    """An iterator of DeviceEvent, and a context manager that ends it.

    First each device that is there is "added". Then the iterator waits for changes. close() ends
    it, from any thread.
    """

    def __init__(
        self,
        library: Library,
        local_only: bool = False,
        interval: float = 5.0,
        make_signs: Callable[[bool], Sequence[Sign]] | None = None,
    ) -> None:
        from .arguments import check_seconds
        from .signs import signs

        check_seconds("watch: an interval", interval)
        self._library = library
        self._local_only = local_only
        self._closing = Wake()
        self._is_closed = False
        self._known: dict[str, DeviceInfo] = {}
        self._events: list[DeviceEvent] = []
        self._signs = list((make_signs or signs)(local_only))
        covered = {way for sign in self._signs for way in sign.covers}
        is_covered = "usb" in covered and (local_only or "network" in covered)
        self._interval = None if is_covered else max(interval, QUIET_SECONDS)
        self._is_new = True

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Watcher:
        return self

    def __next__(self) -> DeviceEvent:
        while not self._events:
            if self._is_closed or self._library.is_over:
                self._release()
                raise StopIteration
            if not self._is_new and not self._wait():
                continue
            self._is_new = False
            self._compare(self._list())
        return self._events.pop(0)

    def _list(self) -> DeviceList:
        return listed(self._library, self._local_only, None, True, None)

    def _wait(self) -> bool:
        """Wait until the list may have changed; False if it has not, as after close."""
        fds = (self._closing.fd, *(sign.fd for sign in self._signs))
        ready = wait_readable(fds, self._interval)
        if self._is_closed:
            return False
        if not ready:
            return True
        if not self._heard(ready):
            return False
        until = time.monotonic() + MOST_SECONDS
        while not self._is_closed and time.monotonic() < until:
            ready = wait_readable(fds, QUIET_SECONDS)
            if not ready:
                break
            self._heard(ready)
        return not self._is_closed

    def _heard(self, ready: Sequence[int]) -> bool:
        """Take what the signs tell; tell whether one of them tells of a change."""
        heard = [sign.read() for sign in self._signs if sign.fd in ready]
        return any(heard)

    def _compare(self, found: DeviceList) -> None:
        """Note what is new, gone or another; what a backend that failed had is still there."""
        failed = {name for name, _ in found.problems}
        now = {device.name: device for device in found}
        for name, device in self._known.items():
            if name not in now and device.backend in failed:
                now[name] = device
        for name, device in self._known.items():
            if name not in now:
                self._events.append(DeviceEvent("removed", device))
        for name, device in now.items():
            if name not in self._known:
                self._events.append(DeviceEvent("added", device))
            elif tuple(device) != tuple(self._known[name]):
                self._events.append(DeviceEvent("changed", device))
        self._known = now

    def close(self) -> None:
        """End the iteration; may be called again, by any thread, and in a signal handler."""
        self._is_closed = True
        self._closing.tell()

    def _release(self) -> None:
        self._is_closed = True
        for sign in self._signs:
            sign.close()
        self._signs = []
        self._closing.close()

    def __del__(self) -> None:
        if hasattr(self, "_signs"):
            self._release()
