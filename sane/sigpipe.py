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
    block, restore = _way[0]
    before = block()
    try:
        return function(*arguments)
    finally:
        restore(before)


def be_quick() -> None:
    """Use sigmask.pyx from now on, if it is there: where the calls are many, as a frame's reads."""
    try:
        from .sigmask import block, restore
    except ImportError:
        return
    _way[0] = block, restore


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


_way: list[tuple[Callable[[], int], Callable[[int], None]]] = [(_block, _restore)]
