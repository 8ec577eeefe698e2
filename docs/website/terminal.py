"""A terminal to take pictures of: runs a command in a pseudo-terminal and keeps what it shows.

It understands what our programs send: text, carriage return, new line, colours, cursor movements
and erasing. Anything else is an error, so that no picture shows what a terminal would not.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")
PARTIAL = re.compile(r"\x1b(\[[?0-9;]*)?$")
TIMEOUT = 120


@dataclass(frozen=True)
class Style:
    """How a character looks: the number of its colour (None: the usual one), bold, faint."""

    color: int | None = None
    bold: bool = False
    faint: bool = False


Cell = tuple[str, Style]
Line = tuple[Cell, ...]
Shown = tuple[Line, ...]
PLAIN = Style()


class Screen:
    """The characters on a terminal of *columns* and *rows*, and the cursor."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines: list[list[Cell]] = [[]]
        self.row = self.column = 0
        self.style = PLAIN
        self.left = ""  # the beginning of a sequence whose end is still to come
        self.is_cursor_shown = True

    def feed(self, text: str) -> None:
        """Show *text*."""
        text, self.left = self.left + text, ""
        partial = PARTIAL.search(text)
        if partial:
            text, self.left = text[: partial.start()], partial.group()
        at = 0
        for found in SEQUENCE.finditer(text):
            self.put(text[at : found.start()])
            self.control(found[1], found[2])
            at = found.end()
        self.put(text[at:])

    def put(self, text: str) -> None:
        """Show characters that are no sequence."""
        for sign in text:
            if sign == "\n":
                self.row += 1
            elif sign == "\r":
                self.column = 0
            elif sign < " ":
                raise ValueError(f"the terminal does not know {sign!r}")
            else:
                if self.column >= self.columns:
                    self.row, self.column = self.row + 1, 0
                self.write(sign)
            while self.row >= len(self.lines):
                self.lines.append([])

    def write(self, sign: str) -> None:
        """Put one character where the cursor stands."""
        while self.row >= len(self.lines):
            self.lines.append([])
        line = self.lines[self.row]
        line += [(" ", PLAIN)] * (self.column - len(line))
        line[self.column : self.column + 1] = [(sign, self.style)]
        self.column += 1

    def control(self, numbers: str, letter: str) -> None:
        """Do what a sequence says."""
        if numbers.startswith("?"):
            self.is_cursor_shown = self.is_cursor_shown if numbers != "?25" else letter == "h"
            return
        values = [int(number or 0) for number in numbers.split(";")]
        count = values[0] or 1
        if letter == "m":
            for value in values:
                self.set_style(value)
        elif letter == "A":
            self.row = max(0, self.row - count)
        elif letter == "K":
            line = self.lines[self.row]
            line[0 if values[0] == 2 else self.column :] = []
        elif letter == "G":
            self.column = count - 1
        else:
            raise ValueError(f"the terminal does not know ESC [ {numbers} {letter}")

    def set_style(self, value: int) -> None:
        """Take over one number of a sequence of colours."""
        if value == 0:
            self.style = PLAIN
        elif value == 1:
            self.style = replace(self.style, bold=True)
        elif value == 2:
            self.style = replace(self.style, faint=True)
        elif value in range(30, 38):
            self.style = replace(self.style, color=value - 30)
        elif value in range(90, 98):
            self.style = replace(self.style, color=value - 82)
        elif value == 39:
            self.style = replace(self.style, color=None)
        elif value == 22:
            self.style = replace(self.style, bold=False, faint=False)

    def shown(self) -> Shown:
        """Return the last rows, without blanks at their ends."""
        return tuple(trimmed(line) for line in self.lines[-self.rows :])


def trimmed(line: list[Cell]) -> Line:
    """Return *line* without the blanks at its end."""
    end = len(line)
    while end and line[end - 1][0] == " ":
        end -= 1
    return tuple(line[:end])


def play(
    words: list[str],
    environment: dict[str, str],
    folder: str,
    size: tuple[int, int],
    told: Callable[[float, str], None],
) -> int:
    """Run a command in a terminal of *size* (columns, rows); return its exit status.

    told: is called with the seconds since the start and what the command has written.
    """
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    started = time.monotonic()
    decode = codecs.getincrementaldecoder("utf-8")().decode
    with subprocess.Popen(
        words, stdin=other, stdout=other, stderr=other, env=environment, cwd=folder
    ) as process:
        os.close(other)
        while select.select([main], [], [], TIMEOUT)[0]:
            try:
                data = os.read(main, 65536)
            except OSError:  # the last program that had it is gone
                break
            told(time.monotonic() - started, decode(data))
        else:
            process.kill()
            raise TimeoutError(f"{words[0]} was silent for {TIMEOUT} s")
        os.close(main)
        return process.wait()
