"""Calls that may write to a closed connection or pipe, without a SIGPIPE for the host.

Python's sockets raise the signal; a C program that does not ignore it would die of a peer that
hangs up. Only the calling thread is concerned.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Result = TypeVar("Result")


def without_sigpipe(function: Callable[..., Result], *arguments: object) -> Result:
    """Return function(*arguments), in which a write to a closed pipe is only a BrokenPipeError.

    The thread's signal mask is as before afterwards; a SIGPIPE that was pending stays so.
    """
    if not _mask:
        _mask[:] = _ways()  # whole, whatever another thread does here at the same time
    block, restore = _mask
    before = block()
    try:
        return function(*arguments)
    finally:
        restore(before)


_mask: list[Any] = []  # block and restore, from the first call on


def _ways() -> tuple[Callable[[], int], Callable[[int], None]]:
    """Return block and restore of sigmask.pyx, or the same in Python where it is not compiled."""
    try:
        from .sigmask import block, restore
    except ImportError:
        return _block, _restore
    return block, restore


def _block() -> int:
    import _signal as signal  # type: ignore[import-not-found]  # signal imports enum

    if signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGPIPE,)):
        return 0
    return 2 if signal.SIGPIPE in signal.sigpending() else 1


def _restore(before: int) -> None:
    import _signal as signal

    if before == 2:
        return
    signal.sigtimedwait((signal.SIGPIPE,), 0)
    if before == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGPIPE,))
