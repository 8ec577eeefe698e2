"""Calibrations that are kept in a file, so that the next program need not measure again.

The file is text, a key and a value to a line. It is the user's own (0600) and replaced as a whole.
It says of which unit it is, and since when: what was measured at another unit or long ago is not
used. What the entries mean is the driver's. Source: specification plustek 7.
"""

from __future__ import annotations

import os
from stat import S_ISREG
from time import mktime, strftime, time

from ..wholefile import write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..debug import Debug

MOST_BYTES = 16 << 20  # three tables of 10,000 pixels are 180 kB, for each of 16 resolutions
MARK = "#pysane"  # begins our header: programs that share the file pass it over
DAY = 86_400
READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class CalibrationFile:
    """The entries of one file.

    first_line: what the file begins with; with another one it counts as empty. unit: what tells
    this unit from others of its model, its serial number or its place on the bus. most_days: how
    old entries may be, 0 for any age. A file without our header, from another program, is taken.

    Whatever is wrong with the file costs its entries and one line of debug; nothing is raised.
    """

    def __init__(
        self, path: str, first_line: str, unit: str, debug: Debug, most_days: int = 0
    ) -> None:
        self.path = path
        self.unit = unit.replace(" ", "_") or "unknown"
        self._first_line = first_line
        self._debug = debug
        self._most_days = most_days

    def get(self, key: str) -> str | None:
        """Return the value of *key*; None if there is none that may be used."""
        entries, _ = self._load()
        return dict(entries).get(key)

    def refuse(self, key: str, why: str) -> None:
        """Tell that the entry *key* is not used, and why."""
        self._debug(1, "%s: %s: %s: calibrating anew", self.path, key, why)

    def put(self, values: dict[str, str], *, is_first: bool = False) -> bool:
        """Keep these entries in place of older ones of their keys; return whether that was done.

        is_first: they go to the beginning of the file, not to its end. Entries of another unit, or
        that are too old, are dropped with that.
        """
        entries, since = self._load()
        kept = [(key, value) for key, value in entries if key not in values]
        new = list(values.items())
        lines = [self._first_line, f"{MARK} unit={self.unit} since={since}"]
        lines += [f"{key}={value}" for key, value in (new + kept if is_first else kept + new)]
        try:
            write_whole(self.path, ("\n".join(lines) + "\n").encode("ascii", "replace"))
        except OSError as exc:
            self._debug(1, "%s cannot be written: %s", self.path, exc.strerror)
            return False
        return True

    def _load(self) -> tuple[list[tuple[str, str]], str]:
        """Return the entries that may be used, and since when they are."""
        today = strftime("%Y-%m-%d")
        try:
            text = self._read()
        except FileNotFoundError:
            return [], today
        except (OSError, ValueError) as exc:
            self._debug(1, "%s is not used: %s", self.path, exc)
            return [], today
        first, *lines = text.splitlines() or [""]
        if first.strip() != self._first_line:
            self._debug(1, "%s is not used: it begins with %r", self.path, first[:40])
            return [], today
        since = today
        entries = []
        for line in lines:
            if line.startswith(MARK):
                since, why = self._header(line)
                if why:
                    self._debug(1, "%s is not used: %s: calibrating anew", self.path, why)
                    return [], today
            key, mark, value = line.partition("=")
            if mark and not line.startswith("#"):
                entries.append((key.strip(), value.strip()))
        return entries, since

    def _header(self, line: str) -> tuple[str, str]:
        """Return since when the entries are, and why they may not be used."""
        told = dict(word.partition("=")[::2] for word in line.split()[1:])
        unit, since = told.get("unit", ""), told.get("since", "")
        if unit != self.unit:
            return since, f"it is of unit {unit!r}, this is {self.unit!r}"
        try:
            age = (time() - _seconds(since)) / DAY
        except ValueError:
            return since, f"{since!r} is no date"
        if age < -1 or (self._most_days and age > self._most_days):
            return since, f"it is from {since}"
        return since, ""

    def _read(self) -> str:
        """Return the file's text; raises ValueError for what cannot be one of ours."""
        fd = os.open(self.path, READ_FLAGS)
        try:
            status = os.fstat(fd)
            if not S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                raise ValueError(f"it is no file of at most {MOST_BYTES} bytes")
            with open(fd, "rb", closefd=False) as file:
                return file.read(MOST_BYTES).decode("ascii", "replace")
        finally:
            os.close(fd)


def _seconds(date: str) -> float:
    """Return the time at which a day began; raises ValueError."""
    year, month, day = map(int, date.split("-"))
    try:
        return mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    except OverflowError as exc:
        raise ValueError(date) from exc


def file_name(text: str) -> str:
    """Return *text* as the name of a file: letters and digits, ``_`` for everything else."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
