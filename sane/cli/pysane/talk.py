"""What pysane says: results on stdout, messages on stderr, both as JSON for programs.

It knows streams and terminals, not what the messages are about. A message first takes a progress
display off the screen. Texts of devices are shown without control characters.
"""

from __future__ import annotations

import io
import os
import sys

from ...listed import printable
from .exits import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TextIO

SCHEMA = 1
PROGRAM = "pysane"


def prepare_streams() -> None:
    """Let stdout take every text, whatever the locale: names of devices are bytes.

    Where a standard stream was closed before the start, /dev/null takes its number: a socket or a
    lock that had it would be taken for the stream by whoever writes to numbers, as child processes.
    """
    import codecs

    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)
    codecs.register_error("pysane", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="pysane")


def _replaced(exc: UnicodeError) -> tuple[str | bytes, int]:
    """Return bytes as they came, and escapes for letters that the locale lacks."""
    assert isinstance(exc, UnicodeEncodeError)
    out = b""
    for char in exc.object[exc.start : exc.end]:
        raw = 0xDC80 <= ord(char) <= 0xDCFF
        out += bytes([ord(char) - 0xDC00]) if raw else char.encode("ascii", "backslashreplace")
    return out, exc.end


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether *stream* is a terminal; there is none where it was closed before the start."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


class Talk:
    """The voice of one command.

    quiet: only errors. verbose: 1 tells what is done, 2 and more why. color: "auto", "always" or
    "never". json: results and errors as objects on stdout.
    """

    def __init__(
        self,
        *,
        json: bool = False,
        quiet: bool = False,
        verbose: int = 0,
        color: str = "auto",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        self.warnings: list[str] = []
        self.events: Callable[..., None] | None = None  # takes messages in place of people
        self.before_message: Callable[[], None] | None = None
        plain = "NO_COLOR" in environ or environ.get("TERM", "dumb") == "dumb"
        self._colors = {"always": True, "never": False}.get(color)
        if self._colors is None:
            self._colors = not plain and is_terminal(sys.stderr)

    def say(self, text: str) -> None:
        """Print a line of the result on stdout."""
        if sys.stdout is not None:
            print(printable(text), file=sys.stdout)

    def emit(self, result: Mapping[str, Any]) -> None:
        """Print a result as one JSON object on a line of its own."""
        from json import dumps

        if sys.stdout is not None:
            print(dumps({"schema": SCHEMA, **result}, default=str), flush=True)

    def note(self, text: str, level: int = 1) -> None:
        """Print what is being done, on stderr, if -v was given *level* times."""
        if self.verbose >= level:
            self.tell(text)

    def tell(self, text: str) -> None:
        """Print a message on stderr, unless -q."""
        if self.events is not None:
            self.events("message", message=text)
        elif not self.quiet:
            self._message(printable(text))

    def warn(self, text: str) -> None:
        """Print a warning and keep it for the JSON result."""
        self.warnings.append(text)
        if self.events is not None:
            self.events("warning", message=text)
        elif not self.quiet:
            self._message(f"{self._colored('warning:', 33)} {printable(text)}")

    def warn_once(self, text: str) -> None:
        """Warn, unless it was said already."""
        if text not in self.warnings:
            self.warn(text)

    def fail(self, failure: Failure) -> None:
        """Print why the command failed, and what to do."""
        if self.events is not None:
            self.events("error", error=failure.to_dict())
            return
        self._message(f"{self._colored('error:', 31)} {printable(failure.message)}")
        for line in failure.hint.splitlines():
            self._message(f"  {printable(line)}")

    def _message(self, text: str) -> None:
        if self.before_message is not None:
            self.before_message()
        if sys.stderr is not None:
            print(f"{PROGRAM}: {text}", file=sys.stderr)

    def _colored(self, text: str, code: int) -> str:
        return f"\x1b[1;{code}m{text}\x1b[0m" if self._colors else text
