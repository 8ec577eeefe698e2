"""How the programs here end: by a closed pipe, a full disk or Ctrl-C as shells expect it.

No program ends with a traceback for what its user did to its output.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 128 + signal.SIGINT
PIPE_CLOSED = 128 + signal.SIGPIPE  # what shells report of programs that the signal ends


def flush() -> None:
    """Write out what was printed; there is no stdout where the program was started without."""
    if sys.stdout is not None:
        sys.stdout.flush()


def leave_stdout() -> None:
    """Let nobody write to stdout any more: what it refused once, it would refuse at exit."""
    try:
        flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def ended(name: str, work: Callable[[], int]) -> int:
    """Return what *work* returns, the program's exit status, or what ended it instead.

    An OSError that *work* lets through is one of stdout.
    """
    try:
        status = work()
        flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        status = PIPE_CLOSED
    except OSError as exc:
        print(f"{name}: stdout: {exc.strerror}", file=sys.stderr)
        status = 1
    leave_stdout()
    return status
