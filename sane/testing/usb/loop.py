"""The event loop of a transport: descriptors to watch and functions to call later, one thread."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Loop:
    """A loop over select; umockdev.py has one with the same methods over GLib."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running = False

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call *function* once, *seconds* from now."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), function))

    def watch(self, descriptor: int, function: Callable[[], None]) -> None:
        """Call *function* whenever *descriptor* is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, function)

    def unwatch(self, descriptor: int) -> None:
        """Stop watching."""
        self._selector.unregister(descriptor)

    def run(self) -> None:
        """Run until `stop`."""
        self._running = True
        while self._running:
            wait = None
            if self._timers:
                wait = max(0.0, self._timers[0][0] - time.monotonic())
            for key, _ in self._selector.select(wait):
                if key.fd in self._selector.get_map():  # not unwatched by the one before
                    key.data()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()

    def stop(self) -> None:
        """End `run`."""
        self._running = False

    def close(self) -> None:
        """Release the loop's own descriptor."""
        self._selector.close()
