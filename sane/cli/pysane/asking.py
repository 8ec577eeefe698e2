"""Questions to the person before the scanner: the next page, the other side, after a jam.

It knows a terminal and the answers Enter and q. The question goes to stderr, where the progress
display makes room; end of file is the answer q.
"""

from __future__ import annotations

import os
import select
import signal
import sys

from .progress import JsonLines
from .talk import is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .progress import Silent


def can_ask() -> bool:
    """Tell whether somebody is there: stdin and stderr are a terminal."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def goes_on(question: str, display: Silent) -> bool:
    """Ask; return False for q or the end of the input.

    The answer may come from a pipe: --prompt works in scripts, too.
    """
    display.clear()
    if sys.stdin is None:
        return False
    if isinstance(display, JsonLines):
        display.event("question", message=question)
        return not _is_no(sys.stdin.readline())
    if sys.stderr is not None:
        print(question, end=" ", file=sys.stderr, flush=True)
    if is_terminal(sys.stdin):
        _await_line()
    answer = sys.stdin.readline()
    if sys.stderr is not None and (not answer or not is_terminal(sys.stdin)):
        print(file=sys.stderr)  # the Enter that nobody typed
    return not _is_no(answer)


def _await_line() -> None:
    """Wait until the person has typed a line; a signal at whatever moment ends the wait.

    One that comes just before a read blocks would be looked at after the read only.
    """
    heard, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    try:
        _sleep(heard)
    finally:
        signal.set_wakeup_fd(before)
        os.close(heard)
        os.close(told)


def _sleep(heard: int) -> None:
    """Wait for stdin or *heard*.

    Python looks for signals where a function of its own begins: here, for those that came before
    *heard* would be told of them. From Python 3.12 on it does not look after each call.
    """
    select.select([sys.stdin, heard], [], [])


def _is_no(answer: str) -> bool:
    return not answer or answer.strip().lower().startswith("q")
