"""Which of the scanners on the network are there: all are asked at once, for a limited time.

It knows hosts, threads and time; how a scanner is found and asked is the caller's.
"""

from __future__ import annotations

from ..cancel import Cancel
from ..errors import SaneError
from ..threads import start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Debug, DeviceInfo

    Wait = Callable[[float, int], bool]
    Probe = Callable[[str, Cancel], DeviceInfo]
    Discover = Callable[[Wait], list[str]]

SEARCH_SECONDS = 4.0  # for all of it; a scanner that sleeps needs two or three to answer
CANCEL_SECONDS = 0.5
HOSTS = 64  # that are asked at once: more are no office, but somebody who plays with us


class Search:
    """One search: a thread for each host; the last one out closes what they share."""

    def __init__(self, probe: Probe, debug: Debug) -> None:
        import _thread

        self.probe = probe
        self.debug = debug
        self.cancel = Cancel()
        self.found: dict[str, DeviceInfo] = {}
        self.running = 1  # threads, and the searcher
        self._lock = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()  # released when no thread is left
        self._ended.acquire()

    def ask(self, host: str) -> None:
        """Begin to ask one host."""
        with self._lock:
            self.running += 1
        try:
            start_thread(lambda: self._ask(host))
        except (RuntimeError, MemoryError):  # no thread is to be had: one after another
            self._ask(host)

    def _ask(self, host: str) -> None:
        try:
            device = self.probe(host, self.cancel)
            if not self.cancel.is_set():
                self.found[host] = device
        except (SaneError, OSError) as exc:
            self.debug(1, "net:%s: %s", host, exc)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Note that one is out."""
        with self._lock:
            self.running -= 1
            if self.running == 1 and self._ended.locked():
                self._ended.release()
            if not self.running:
                self.cancel.close()

    def wait(self, seconds: float) -> None:
        """Wait until all have answered, *seconds* at most; those that did not are cancelled."""
        is_over = self._wait(seconds)
        self.cancel.set()
        if not is_over:  # they end at once, except those that still look up a name
            self._wait(CANCEL_SECONDS)
        self._leave()

    def _wait(self, seconds: float) -> bool:
        """Return whether no thread is left, after *seconds* at most."""
        from time import monotonic

        end = monotonic() + seconds
        while self.running > 1:
            left = end - monotonic()
            if left <= 0 or not self._ended.acquire(True, left):
                return False
        return True


def search(
    hosts: list[str],
    discover: Discover | None,
    probe: Probe,
    debug: Debug,
    seconds: float = SEARCH_SECONDS,
) -> list[DeviceInfo]:
    """Return the devices at *hosts*, and at those that *discover* finds, in this order.

    discover(wait): returns hosts; wait(seconds, fd) waits for a descriptor to be readable and
    tells whether it is.
    """
    from time import monotonic

    end = monotonic() + seconds
    running = Search(probe, debug)
    wanted = list(dict.fromkeys(hosts))[:HOSTS]
    for host in wanted:
        running.ask(host)
    if discover is not None:
        for host in _discovered(discover, running, debug):
            if host not in wanted and len(wanted) < HOSTS:
                wanted.append(host)
                running.ask(host)
    running.wait(max(0.0, end - monotonic()))
    found = dict(running.found)  # a late answer changes nothing any more
    return [found[host] for host in wanted if host in found]


def _discovered(discover: Discover, running: Search, debug: Debug) -> list[str]:
    try:
        return discover(running.cancel.wait)
    except (SaneError, OSError) as exc:
        debug(1, "search for scanners: %s", exc)
        return []
