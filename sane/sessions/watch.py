"""Notices a client that vanishes while its request is being carried out.

Between requests the session sees the end of the connection itself. In a call of a driver it sees
nothing: a thread looks at the connection, asks the driver to stop, and at last ends the process,
so that the kernel takes the device away from a driver that does not.
"""

from __future__ import annotations

import _thread
import os
import select
import time

from ..threads import start_thread
from ..transport.sockets import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_SECONDS = 0.3  # for a call to end by itself, then to obey the cancel: together under 1 s
OBEY_SECONDS = 0.5
FINISH_SECONDS = 8.0  # for drivers to put their devices to rest


class Watch:
    """Watches descriptor *fd*; interrupt() is called in its thread, then give_up().

    Every call of a driver happens between enter() and leave(); rests(): whether one of them puts
    its device to rest now, which is given more time.
    """

    def __init__(
        self,
        fd: int,
        interrupt: Callable[[], None],
        rests: Callable[[], bool],
        give_up: Callable[[], None],
    ) -> None:
        self._fd = fd
        self._interrupt = interrupt
        self._rests = rests
        self._give_up = give_up
        self._calling = _thread.allocate_lock()  # held while a driver is being called
        self._started = False
        self._finishing = False

    def enter(self) -> None:
        """Note that a driver is about to be called."""
        self._calling.acquire()

    def leave(self) -> None:
        """Note that it has returned."""
        self._calling.release()

    def start(self) -> None:
        """Start the thread, once: it ends with the process."""
        if not self._started:
            self._started = True
            start_thread(self._run)

    def finish(self) -> None:
        """Give the drivers time to finish, now that the session has ended, but no more."""
        if self._started:
            self._finishing = True
            start_thread(self._wait_for_end)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLRDHUP)
        poll.poll()
        while not self._finishing:
            if self._has_returned(GRACE_SECONDS):
                time.sleep(GRACE_SECONDS)  # the session finds out itself, or calls the next one
                continue
            self._interrupt()
            if not comes_back(self._has_returned, self._rests) and not self._finishing:
                self._give_up()

    def _has_returned(self, seconds: float) -> bool:
        if not self._calling.acquire(True, seconds):
            return False
        self._calling.release()
        return True

    def _wait_for_end(self) -> None:
        time.sleep(FINISH_SECONDS)
        self._give_up()


def comes_back(returns: Callable[[float], bool], rests: Callable[[], bool]) -> bool:
    """Wait for a driver that was told to cancel; return False if it takes too long.

    returns() waits some seconds for it. rests() tells whether the driver puts its device to rest: a
    lamp or a carriage would be left as it is if the process ended in the middle of that.
    """
    deadline = Deadline(FINISH_SECONDS)
    came = returns(OBEY_SECONDS)
    while not came and rests() and deadline.left():
        came = returns(OBEY_SECONDS)
    return came


def end_process() -> None:
    """End this process at once, whatever its other threads do."""
    os._exit(1)
