"""scanimage: a drop-in for the program of that name, for scripts on machines without it.

Options, files, messages and exit statuses are the original's; docs/scanimage.md says where ours
differs. It uses the registry as a C program uses libsane, and needs no NumPy.
"""

from __future__ import annotations

import sys

from ...const import STATUS_NO_MEM
from .messages import Exit, Messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with sys.argv, or with *arguments*, name included; return its status."""
    from .interrupt import die_by_signals
    from .program import Program

    program, *words = sys.argv if arguments is None else arguments
    messages = Messages(program)
    die_by_signals()
    run = Program(messages)
    try:
        status = run.run(words)
    except Exit as exc:
        status = exc.status
    except OSError as exc:  # of stdout: all else is told where it happens
        messages.say(f"write error: {exc.strerror}")
        status = STATUS_NO_MEM
    except MemoryError:
        messages.say("out of memory")
        status = STATUS_NO_MEM
    finally:
        run.close()
    return status
