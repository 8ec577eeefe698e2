"""Signals during a scan: the first one cancels it, the second one ends the program at once.

It knows signals, and how to say what has come. A thread takes them, since the main one may be in a
C library that no Python handler interrupts. Source: python-api-and-cli 11.7.
"""

from __future__ import annotations

import _thread
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .messages import Messages

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)
TAKEN_SECONDS = 5.0  # in which the thread must have taken a signal that is known to have come


def die_by_signals() -> None:
    """Let signals end the program as they end a C program: before a scan, and after it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


class Interrupt:
    """Takes the signals from now on.

    cancel() is called at the first; abandon() at the second, before the program ends. Both run in
    a thread of their own.
    """

    def __init__(
        self, messages: Messages, cancel: Callable[[], None], abandon: Callable[[], None]
    ) -> None:
        self._messages = messages
        self._cancel = cancel
        self._abandon = abandon
        self._taken = _thread.allocate_lock()  # released by the first signal
        self._taken.acquire()
        self.has_come = False
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        _thread.start_new_thread(self._watch, (reader,))
        self.install()

    def install(self) -> None:
        """Take the signals, again where somebody else has taken one."""
        for number in SIGNALS:
            signal.signal(number, _nothing)
            signal.siginterrupt(number, False)  # as the C libraries of drivers know it

    def _watch(self, reader: int) -> None:
        while True:
            for number in os.read(reader, 1):
                self._take(number)

    def _take(self, number: int) -> None:
        self._messages.say(f"received signal {number}")
        if self.has_come:
            self._messages.say("aborting")
            self._abandon()
            os._exit(0)
        self.has_come = True
        self._messages.say("trying to stop scanner")
        self._cancel()
        self._taken.release()

    def wait_for_pipe(self) -> None:
        """Return when the signal of a write to a closed pipe has been taken."""
        self._taken.acquire(True, TAKEN_SECONDS)
        self._taken.release()


def _nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing: Python has told the thread already."""
