"""Asking many hosts at once, for a limited time: whoever is silent keeps nobody else waiting.

It knows threads and time; how a host is found and asked is the caller's.
"""

from __future__ import annotations

from ..cancel import Cancel
from ..errors import Cancelled, SaneError
from ..transport.sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from ..cancel import Cancels
    from ..debug import Debug

    Found = TypeVar("Found")
    Task = Callable[[Cancels], None]
    Wait = Callable[[float, int], bool]
    Probe = Callable[[str, Cancels], Found]
    Discover = Callable[[Wait], list[str]]

SEARCH_SECONDS = 4.0  # for all of it; a scanner that sleeps needs two or three to answer
CANCEL_SECONDS = 0.5  # for those that are cancelled to end
HOSTS = 64  # that are asked: more are no office, but somebody who plays with us
THREADS = 64  # that ask at the same time: silent hosts must not keep the others waiting


class _Crew:
    """Threads that do tasks until there are none; the last one out closes what they share."""

    def __init__(self, deadline: Deadline) -> None:
        import _thread

        self.cancel = Cancel()
        self._deadline = deadline
        self._waiting: list[Task] = []
        self._running = 1  # threads, and the one that waits
        self._lock = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()  # released when no thread is left
        self._ended.acquire()

    def add(self, tasks: Sequence[Task]) -> None:
        """Begin *tasks*, each in a thread while there are fewer than THREADS."""
        from ..threads import start_thread

        with self._lock:
            self._waiting += tasks
        for _ in tasks:
            with self._lock:
                if self._running > THREADS:
                    return
                self._running += 1
            try:
                start_thread(self._run)
            except (RuntimeError, MemoryError):  # no more are to be had: those that there are do it
                self._leave()
                return

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._leave()

    def _work(self) -> None:
        """Do what nobody else has begun, while there is time."""
        while self._deadline.left() != 0:
            with self._lock:
                if not self._waiting:
                    return
                task = self._waiting.pop(0)
            task(self.cancel)

    def _leave(self) -> None:
        """Note that one is out."""
        with self._lock:
            self._running -= 1
            if self._running == 1 and self._ended.locked():
                self._ended.release()
            if not self._running:
                self.cancel.close()

    def wait(self) -> None:
        """Wait until all is done, or the time is over: then what still runs is cancelled."""
        if self._running == 1:  # without a single thread, this one does it all
            self._work()
        is_over = self._wait(self._deadline)
        self.cancel.set()
        if not is_over:  # they end at once, except those that cannot be cancelled
            self._wait(Deadline(CANCEL_SECONDS))
        self._leave()

    def _wait(self, deadline: Deadline) -> bool:
        """Return whether no thread is left at the deadline."""
        while self._running > 1:
            left = deadline.left()
            if not left or not self._ended.acquire(True, left):
                return False
        return True


def side_by_side(
    tasks: Sequence[Task],
    seconds: float,
    meanwhile: Callable[[Cancel], Sequence[Task]] | None = None,
) -> None:
    """Do *tasks* at the same time, and wait at most *seconds* for all of them.

    Each gets the cancel request that is set when the time is over, and has to end then; it must not
    raise. meanwhile(cancel): runs in this thread, and returns further tasks. No task is begun when
    the time is over. At most THREADS run at once; where no thread is to be had, as in a process
    that may have no more, this one does them one after another.
    """
    crew = _Crew(Deadline(seconds))
    try:
        crew.add(tasks)
        if meanwhile is not None:
            crew.add(meanwhile(crew.cancel))
    finally:
        crew.wait()


def search(
    hosts: Sequence[str],
    discover: Discover | None,
    probe: Probe[Found],
    debug: Debug,
    seconds: float = SEARCH_SECONDS,
) -> list[Found]:
    """Return what probe(host, cancel) finds at *hosts*, and at those that *discover* returns.

    In this order, each host once, HOSTS at most. A host that fails is told at level 1 and left out;
    so is one that did not answer within *seconds*. discover(wait): wait(seconds, fd) waits for a
    descriptor to be readable and tells whether it is; it does not wait beyond the time of the
    search, and raises Cancelled when it is called after that.
    """
    deadline = Deadline(seconds)
    wanted = list(dict.fromkeys(hosts))[:HOSTS]
    found: dict[str, Found] = {}

    def asking(host: str) -> Task:
        def ask(cancel: Cancels) -> None:
            try:
                answer = probe(host, cancel)
            except (SaneError, OSError) as exc:
                debug(1, "%s: %s", host, exc)
                return
            if not cancel.is_set():
                found[host] = answer

        return ask

    def look_around(cancel: Cancel) -> list[Task]:
        def wait(seconds: float, fd: int) -> bool:
            left = deadline.left()
            if not left:
                raise Cancelled("no time is left")
            return cancel.wait(min(seconds, left), fd)

        try:
            more = discover(wait) if discover is not None else []
        except (SaneError, OSError) as exc:
            debug(1, "search for scanners: %s", exc)
            return []
        new = [host for host in dict.fromkeys(more) if host not in wanted]
        if len(wanted) + len(new) > HOSTS:
            debug(1, "%d scanners announced: only %d are asked", len(new), HOSTS - len(wanted))
        new = new[: HOSTS - len(wanted)]
        wanted.extend(new)
        return [asking(host) for host in new]

    side_by_side([asking(host) for host in wanted], seconds, look_around)
    answers = dict(found)  # a late answer changes nothing any more
    return [answers[host] for host in wanted if host in answers]
