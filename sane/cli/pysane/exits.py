"""How pysane ends: the table of its exit statuses, and what goes with a failure.

It knows which cause has which number; it prints nothing. Source: specification 12.3.
"""

from __future__ import annotations

from ... import const
from ...errors import SaneError, status_of

OK = 0
USAGE = 64
PROCESSING = 65
NO_DEVICE = 66
MISSING = 69
OUTPUT = 73
CONFIG = 78
HANGUP = 129
INTERRUPTED = 130
PIPE_CLOSED = 141
TERMINATED = 143

# What the man page says of each; 1 to 11 are the numbers of SANE, as of scanimage.
TABLE: dict[int, tuple[str, str]] = {
    0: ("OK", "all was done"),
    const.STATUS_UNSUPPORTED: ("UNSUPPORTED", "the scanner cannot do this"),
    const.STATUS_CANCELLED: ("CANCELLED", "the scan was cancelled at the scanner"),
    const.STATUS_DEVICE_BUSY: ("DEVICE_BUSY", "the scanner is used by another program"),
    const.STATUS_INVAL: ("INVAL", "an option or its value is wrong"),
    const.STATUS_EOF: ("EOF", "the scanner sent no more data"),
    const.STATUS_JAMMED: ("JAMMED", "the feeder is jammed"),
    const.STATUS_NO_DOCS: ("NO_DOCS", "the feeder is empty"),
    const.STATUS_COVER_OPEN: ("COVER_OPEN", "the cover is open"),
    const.STATUS_IO_ERROR: ("IO_ERROR", "talking to the scanner failed"),
    const.STATUS_NO_MEM: ("NO_MEM", "out of memory"),
    const.STATUS_ACCESS_DENIED: ("ACCESS_DENIED", "access to the scanner was refused"),
    USAGE: ("USAGE", "the command line is wrong"),
    PROCESSING: ("PROCESSING", "working on a page failed"),
    NO_DEVICE: ("NO_DEVICE", "there is no such scanner, or several"),
    MISSING: ("MISSING", "a program or Python package is missing"),
    OUTPUT: ("OUTPUT", "the output exists already or cannot be written"),
    CONFIG: ("CONFIG", "a configuration file or profile is wrong"),
    HANGUP: ("HANGUP", "the terminal was closed (SIGHUP)"),
    INTERRUPTED: ("INTERRUPTED", "interrupted by Ctrl-C"),
    PIPE_CLOSED: ("PIPE_CLOSED", "the reader of standard output went away"),
    TERMINATED: ("TERMINATED", "ended by SIGTERM"),
}


class Failure(Exception):
    """Why pysane ends with *status*: what happened to what, and what to do.

    pages_done: how many pages were scanned before.
    """

    def __init__(self, status: int, message: str, hint: str = "", *, pages_done: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.pages_done = pages_done
        self.result: dict[str, object] = {}  # what the JSON output has beside the error

    def to_dict(self) -> dict[str, object]:
        """Return the object "error" of the JSON output."""
        return {
            "status": self.status,
            "name": TABLE[self.status][0],
            "message": self.message,
            "hint": self.hint,
            "pages_done": self.pages_done,
        }


def usage(message: str, hint: str = "") -> Failure:
    """Return the failure of a wrong command line."""
    return Failure(USAGE, message, hint)


def mistake(exc: BaseException) -> Failure:
    """Return the failure of what nobody expects, also a KeyboardInterrupt without a signal."""
    text = f"a mistake in pysane: {type(exc).__name__}: {exc}"
    found = Failure(PROCESSING, text.removesuffix(": "), "please report what --debug shows")
    found.__cause__ = exc
    return found


def failure_of(exc: Exception, device: str = "") -> Failure:
    """Return what an error of the Python API, of page work or of the system means here.

    An OSError is one of stdout: what else may meet one says which file it was.
    """
    from ...errors import DeviceNotFound

    if isinstance(exc, Failure):
        return exc
    if hasattr(exc, "exit_code"):  # of page work, which is imported where it is needed
        return Failure(exc.exit_code, str(exc), getattr(exc, "hint", ""))
    if isinstance(exc, OSError) and not isinstance(exc, SaneError):
        return Failure(OUTPUT, f"{exc.filename or 'stdout'}: {exc.strerror or exc}")

    status = NO_DEVICE if isinstance(exc, DeviceNotFound) else status_of(exc)
    message = str(exc)
    named = getattr(exc, "device", "") or device
    if named and not message.startswith(named):
        message = f"{named}: {message}"
    hint = getattr(exc, "hint", "") or HINTS.get(status, "")
    return Failure(status, message, hint, pages_done=getattr(exc, "pages_done", 0) or 0)


HINTS = {
    const.STATUS_DEVICE_BUSY: "close the program that uses the scanner, then try again",
    const.STATUS_JAMMED: "take the paper out, load the rest, and scan again",
    const.STATUS_NO_DOCS: "load paper into the feeder, or scan with --source flatbed",
    const.STATUS_COVER_OPEN: "close the cover",
    const.STATUS_IO_ERROR: "see whether the scanner is on and connected; pysane doctor looks why",
    const.STATUS_ACCESS_DENIED: "pysane doctor tells who may use the scanner",
    NO_DEVICE: "pysane list shows the scanners; pysane doctor tells why one is not found",
}
