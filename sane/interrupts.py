"""Which exceptions a signal handler of the program has raised: they pass through everything here.

A driver's own KeyboardInterrupt or SystemExit is no more than a mistake.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType


def is_of_signal(exc: BaseException) -> bool:
    """Tell whether a signal handler has raised *exc*, and not the code that it interrupted.

    A handler in Python is given the frame that it interrupts. Python's own, which is C, raises
    KeyboardInterrupt where no code has said so.
    """
    import _thread
    from threading import main_thread

    if main_thread().ident != _thread.get_ident():
        return False
    last: tuple[FrameType, int] | None = None
    for frame, at in frames_of(exc):
        if any(_is_given(frame, value) for value in frame.f_locals.values()):
            return True
        last = frame, at
    return isinstance(exc, KeyboardInterrupt) and last is not None and not _raises(*last)


def _is_given(frame: FrameType, value: object) -> bool:
    """Tell whether an argument of *frame*, or one in a tuple of them, is the frame below it."""
    below = frame.f_back
    if below is None:
        return False
    return value is below or (value.__class__ is tuple and any(one is below for one in value))


def _raises(frame: FrameType, at: int) -> bool:
    """Tell whether the instruction at *at* is a raise statement."""
    from opcode import opmap

    return at >= 0 and frame.f_code.co_code[at : at + 1] == bytes((opmap["RAISE_VARARGS"],))


def frames_of(exc: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames that *exc* came through, the innermost last, and where each was."""
    found: TracebackType | None = exc.__traceback__
    while found is not None:
        yield found.tb_frame, found.tb_lasti
        found = found.tb_next
