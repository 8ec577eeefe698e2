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
    where the pages lie that could not be written, "" if there are none.
    """

    def __init__(
        self, message: str, *, hint: str = "", exit_code: int = PROCESSING, kept: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.kept = kept

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        state = {"hint": self.hint, "exit_code": self.exit_code, "kept": self.kept}
        return type(self), (self.message,), state


def missing(what: str, needs: str, hint: str) -> PageWorkError:
    """Return the error for a helper that is not there: *what* cannot be done without *needs*."""
    return PageWorkError(f"{what} needs {needs}", hint=hint, exit_code=HELPER)


def output_error(
    path: str, exc: OSError, doing: str = "cannot write", hint: str = ""
) -> PageWorkError:
    """Return the error for a file of the user's that the system refused."""
    reason = exc.strerror or str(exc) or type(exc).__name__
    return PageWorkError(f"{doing} {path}: {reason}", hint=hint, exit_code=OUTPUT)
