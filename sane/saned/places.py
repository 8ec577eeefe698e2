"""The places that saned has for clients: who holds one, and whether there is one for the next.

It knows processes, hosts and limits; it knows neither sockets nor configuration files. A client
whom no address lets in holds a *pending* place while its process looks up names: strangers, and a
name service that is silent, use up those, and nobody else's. Source: net-protocol 8.5 and 9.2.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..sessions.access import SanedConf

PENDING = 16
PENDING_OF_HOST = 4
PENDING_SECONDS = 15.0  # a resolver asks three servers twice within these
RESERVED = 8  # one place in so many is kept for hosts that have none
THIS_MACHINE = "this machine"


class Place:
    """One client's. news: where its process says that it is admitted, -1 once it is.

    is_told: saned has told its process to end.
    """

    __slots__ = ("host", "is_told", "news", "overdue")

    def __init__(self, host: str, news: int) -> None:
        self.host = host
        self.news = news
        self.is_told = False
        self.overdue = time.monotonic() + PENDING_SECONDS


class Places:
    """Who is served: a place for each process."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def processes(self) -> list[int]:
        """Return the processes that serve clients."""
        return list(self._places)

    def refusal(self, host: str, settings: SanedConf, is_pending: bool) -> str:
        """Return why there is no place for one more client of *host*, "" if there is one.

        This machine's programs share one limit, that of all clients: a program may have as many
        sessions as it needs. The last places are for hosts that have none, unless the
        administrator lets one host have them all.
        """
        kind = [place for place in self._places.values() if (place.news >= 0) == is_pending]
        count = len(kind)
        same = sum(place.host == host for place in kind)
        if is_pending:
            if count < PENDING and same < PENDING_OF_HOST:
                return ""
            return f"{count} clients wait for their names to be looked up, {same} of this host"
        most = settings.max_clients
        of_host = settings.max_clients_per_host
        is_last = of_host < most and most - count <= most // RESERVED
        is_within = host == THIS_MACHINE or same < of_host
        if count < most and is_within and not (same and is_last):
            return ""
        return f"{count} clients, {same} of this host"

    def take(self, process: int, host: str, news: int = -1) -> None:
        """Note that *process* serves a client of *host*."""
        self._places[process] = Place(host, news)

    def admit(self, process: int) -> Place:
        """Make a pending place a client's; return it."""
        place = self._places[process]
        place.news = -1
        return place

    def tell(self, process: int) -> None:
        """Note that *process* is told to end."""
        self._places[process].is_told = True

    def leave(self, process: int) -> Place | None:
        """Return the place of *process*, which has ended; None if it served nobody."""
        return self._places.pop(process, None)

    def pending(self) -> dict[int, int]:
        """Return the processes that look up names, by where their news come from."""
        return {place.news: pid for pid, place in self._places.items() if place.news >= 0}

    def overdue(self) -> list[int]:
        """Return the processes that have looked up names for too long."""
        now = time.monotonic()
        found = self._places.items()
        return [pid for pid, place in found if place.news >= 0 and place.overdue <= now]

    def seconds_left(self) -> float | None:
        """Return the time until the next is overdue, None if none is pending."""
        left = [place.overdue for place in self._places.values() if place.news >= 0]
        return max(0.0, min(left) - time.monotonic()) if left else None
