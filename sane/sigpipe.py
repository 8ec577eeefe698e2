"""Calls that may write to a closed connection or pipe, without a SIGPIPE for the host.

Python's sockets raise the signal; a C program that does not ignore it would die of a peer that
hangs up. Only the calling thread is concerned.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")


def without_sigpipe(function: Callable[..., Result], *arguments: object) -> Result:
    """Return function(*arguments), in which a write to a closed pipe is only a BrokenPipeError.

    The thread's signal mask is as before afterwards; a SIGPIPE that was pending stays so.
    """
    import _signal as signal  # type: ignore[import-not-found]  # signal imports enum

    number = (signal.SIGPIPE,)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, number)
    try:
        is_pending = signal.SIGPIPE in before and signal.SIGPIPE in signal.sigpending()
        try:
            return function(*arguments)
        finally:
            if not is_pending:
                signal.sigtimedwait(number, 0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
