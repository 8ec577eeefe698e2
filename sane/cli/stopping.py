"""Signals that end a program: the scan is cancelled and the device closed before it ends.

It knows signals and what a program is at; a second signal ends the program at once.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 5.0  # seconds that a driver may take to obey


class Stopping:
    """Takes the signals from now on; what a signal does depends on what the program is at.

    It raises KeyboardInterrupt where the program is, and during a scan cancels that before: a
    driver may catch everything. While the program closes things the signal is only noted.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._act: Callable[[], None] = _interrupt
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants
                signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.signal = number
        self._act()

    def scanning(self, cancel: Callable[[], None]) -> None:
        """From now on, a signal calls *cancel* too."""

        def act() -> None:
            cancel()
            _interrupt()

        self._act = act

    def holding(self, cancel: Callable[[], None], patience: float = PATIENCE) -> None:
        """From now on, a signal calls *cancel* and is noted: what is at hand is finished first.

        What is not finished *patience* seconds later meets KeyboardInterrupt: its driver may ignore
        a cancel.
        """

        def act() -> None:
            signal.signal(signal.SIGALRM, _give_up)
            signal.setitimer(signal.ITIMER_REAL, patience)
            cancel()

        self._act = act

    def working(self) -> None:
        """From now on, a signal raises KeyboardInterrupt; one that has come does it at once."""
        self._act = _interrupt
        self.look()

    def closing(self) -> None:
        """From now on, a signal is only noted."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._act = _note

    def look(self) -> None:
        """Raise KeyboardInterrupt if a signal has come: whoever it met may have swallowed it."""
        if self.signal:
            raise KeyboardInterrupt

    @property
    def status(self) -> int:
        """The exit status that shells give a program which the signal has ended; 0 without."""
        return 128 + self.signal if self.signal else 0


def _interrupt() -> None:
    raise KeyboardInterrupt


def _give_up(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _note() -> None:
    """Do nothing: the number is noted."""
