"""Questions to the person before the scanner: the next page, the other side, after a jam.

It knows a terminal and the answers Enter and q. The question goes to stderr, where the progress
display makes room; end of file is the answer q.
"""

from __future__ import annotations

import sys

from ..terminal import await_line
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
    await_line()
    answer = sys.stdin.readline()
    if sys.stderr is not None and (not answer or not is_terminal(sys.stdin)):
        print(file=sys.stderr)  # the Enter that nobody typed
    return not _is_no(answer)


def _is_no(answer: str) -> bool:
    return not answer or answer.strip().lower().startswith("q")
