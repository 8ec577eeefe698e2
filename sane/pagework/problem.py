"""What goes wrong with pages behind the scanner: the sentence, what to do, an exit code.

It knows no step and no format; they raise it.
"""

from __future__ import annotations

USAGE = 64  # an argument that makes no sense
PROCESSING = 65  # a step or OCR failed
HELPER = 69  # a library or program is not there
OUTPUT = 73  # a file exists, or cannot be written
CONFIG = 78  # a configuration file or variable


class PageWorkError(Exception):
    """Page work cannot be done, or was not.

    hint: what the user can do, "" for nothing. exit_code: for a command line. kept: the folder
    where the pages lie that could not be written, "" if there are none. errno: of the system that
    refused a file, 0 where it was not the system.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        exit_code: int = PROCESSING,
        kept: str = "",
        errno: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.kept = kept
        self.errno = errno

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message,), dict(vars(self))


def missing(what: str, needs: str, hint: str) -> PageWorkError:
    """Return the error for a helper that is not there: *what* cannot be done without *needs*."""
    return PageWorkError(f"{what} needs {needs}", hint=hint, exit_code=HELPER)


def output_error(
    path: str, exc: OSError, doing: str = "cannot write", hint: str = ""
) -> PageWorkError:
    """Return the error for a file of the user's that the system refused."""
    reason = exc.strerror or str(exc) or type(exc).__name__
    message = f"{doing} {path}: {reason}"
    return PageWorkError(message, hint=hint, exit_code=OUTPUT, errno=exc.errno or 0)
