"""What the program says: on stderr, and what it prints on stdout; both unbuffered, byte by byte.

It knows descriptors and the program's name. Texts of devices are bytes that Python read with
surrogateescape: they leave as they came.
"""

from __future__ import annotations

import os

STDOUT, STDERR = 1, 2


class Exit(Exception):
    """Ends the program with a status; everything is said already."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Messages:
    """The messages of the program called *program*, which is argv[0].

    name: its last part, with which messages begin. Those about the command line begin with all of
    it, as getopt has them.
    """

    def __init__(self, program: str) -> None:
        self.program = program
        self.name = os.path.basename(program)

    def raw(self, text: str) -> None:
        """Write *text* to stderr as it is; who has closed stderr wants no messages."""
        try:
            write(STDERR, text.encode("utf-8", "surrogateescape"))
        except OSError:
            return

    def say(self, text: str) -> None:
        """Write a line that begins with the program's name."""
        self.raw(f"{self.name}: {text}\n")

    def fail(self, text: str, status: int = 1) -> Exit:
        """Write such a line; return what ends the program with *status*, to be raised."""
        self.say(text)
        return Exit(status)

    def mistake(self, text: str) -> Exit:
        """The same for a mistake in the command line that getopt finds."""
        self.raw(f"{self.program}: {text}\n")
        return Exit(1)

    def show(self, text: str) -> None:
        """Print *text* on stdout; raises OSError when that is full or closed."""
        write(STDOUT, text.encode("utf-8", "surrogateescape"))


def write(fd: int, data: bytes | memoryview) -> None:
    """Write all of *data*; raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
