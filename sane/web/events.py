"""What happens in the server, told to whoever listens: pages in browsers, programs, buttons.

It knows kinds and plain data. A listener that is too slow is told that it missed something, and
never makes anybody wait.
"""

from __future__ import annotations

import asyncio
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_WAITING = 256  # events of one listener; a page of a scan makes some ten
MISSED = "missed"  # the kind that says: ask again for everything


class Event:
    """One event: kind "scanner", "job", "page", "document", "delivery", "button", or MISSED."""

    __slots__ = ("data", "kind")

    def __init__(self, kind: str, data: dict[str, Any]) -> None:
        self.kind = kind
        self.data = data


class Events:
    """One per server; used on its loop alone."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @property
    def has_listeners(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Tell everybody who listens now."""
        event = Event(kind, data)
        for listener in tuple(self._listeners):
            listener.take(event)

    def listen(self) -> Listener:
        """Return a context manager that gives the events from now on, as an async iterator."""
        return Listener(self._listeners)

    def close(self) -> None:
        """End all listeners: their iteration stops."""
        for listener in tuple(self._listeners):
            listener.stop()


class Listener:
    """The events for one that listens."""

    def __init__(self, listeners: set[Listener]) -> None:
        self._listeners = listeners
        self._waiting: deque[Event] = deque()
        self._told = asyncio.Event()
        self._is_over = False

    def __enter__(self) -> Listener:
        self._listeners.add(self)
        return self

    def __exit__(self, *exc: object) -> None:
        self._listeners.discard(self)

    def take(self, event: Event) -> None:
        """Keep an event until it is asked for."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            event = Event(MISSED, {})
        self._waiting.append(event)
        self._told.set()

    def stop(self) -> None:
        """End the iteration after what is waiting."""
        self._is_over = True
        self._told.set()

    async def next(self, seconds: float) -> Event | None:
        """Return the next event; None when none came in time. Raises StopAsyncIteration."""
        if not self._waiting and not self._is_over:
            self._told.clear()
            try:
                await asyncio.wait_for(self._told.wait(), seconds)
            except asyncio.TimeoutError:
                return None
        if self._waiting:
            return self._waiting.popleft()
        if self._is_over:
            raise StopAsyncIteration
        return None

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Event:
        while True:
            event = await self.next(3600)
            if event is not None:
                return event
