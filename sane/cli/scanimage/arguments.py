"""The options that every device has, read before the device is open: the first of two passes.

It knows the command line and nothing of devices. Options of the device are not known yet, so that
mistakes are passed over here and found in the second pass. Source: python-api-and-cli 11.1.
"""

from __future__ import annotations

import os

from .getopt import NONE, NUMBER, OPTIONAL, REQUIRED, Long, Words
from .messages import Exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .messages import Messages

# Name, argument, and the letter or word that stands for it in both passes.
LONGS = (
    Long("device-name", REQUIRED, "d"),
    Long("list-devices", NONE, "L"),
    Long("formatted-device-list", REQUIRED, "f"),
    Long("help", NONE, "h"),
    Long("verbose", NONE, "v"),
    Long("progress", NONE, "p"),
    Long("output-file", REQUIRED, "o"),
    Long("test", NONE, "T"),
    Long("all-options", NONE, "A"),
    Long("version", NONE, "V"),
    Long("buffer-size", NUMBER, "B"),
    Long("batch", OPTIONAL, "b"),
    Long("batch-count", REQUIRED, "batch-count"),
    Long("batch-start", REQUIRED, "batch-start"),
    Long("batch-double", NONE, "batch-double"),
    Long("batch-increment", REQUIRED, "batch-increment"),
    Long("batch-print", NONE, "batch-print"),
    Long("batch-prompt", NONE, "batch-prompt"),
    Long("format", REQUIRED, "format"),
    Long("accept-md5-only", NONE, "accept-md5-only"),
    Long("icc-profile", REQUIRED, "i"),
    Long("dont-scan", NONE, "n"),
)
LETTERS = {
    **dict.fromkeys("hLnvVTAbp", NONE),
    **dict.fromkeys("dfoi", REQUIRED),
    "B": NUMBER,
}
ENDINGS = {"pnm": "pnm", "tiff": "tif", "png": "png", "jpeg": "jpg", "pdf": "pdf"}
GUESSED = {
    **{f".{ending}": format for format, ending in ENDINGS.items()},
    ".jpeg": "jpeg",
    ".tiff": "tiff",
}
SUPPORTED = "pnm, tiff, png, jpeg"  # as the original says it: pdf is missing
BUFFER_KB = 1024
MOST_KB = 2**31 // 1024 - 1  # of a read, whose length is a C int
ENDLESS = -1
FLAGS = {
    **{"h": "help", "p": "progress", "T": "tests", "A": "all_options", "n": "dont_scan"},
    **{"batch-print": "prints_names", "batch-prompt": "prompts", "accept-md5-only": "md5_only"},
}
TEXTS = {"d": "device", "o": "output", "i": "icc"}
DIGITS = "0123456789"
MOST_DIGITS = 40  # more than a C long has; Python refuses thousands


class Settings:
    """What the command line says about the program itself."""

    def __init__(self) -> None:
        self.device: str | None = None
        self.format = ""
        self.icc = ""
        self.output: str | None = None
        self.batch = False
        self.batch_format: str | None = None
        self.start = 1
        self.count = ENDLESS
        self.increment = 1
        self.prints_names = self.prompts = False
        self.md5_only = self.progress = False
        self.dont_scan = self.tests = self.all_options = self.help = False
        self.verbose = 0
        self.buffer_bytes = BUFFER_KB * 1024


class FirstPass:
    """Reads words into *settings*; what ends the program at once is done where it stands.

    lists(format) prints the devices, None for -L; version() prints the versions: both end the
    program. Raises Exit for a format that does not exist, and for numbers that are none.
    """

    def __init__(
        self,
        settings: Settings,
        messages: Messages,
        lists: Callable[[str | None], None],
        version: Callable[[], None],
    ) -> None:
        self.settings = settings
        self._messages = messages
        self._lists = lists
        self._version = version
        self._mistake = ""  # of a number; it waits, as mistakes of the second pass do

    def read(self, words: Sequence[str]) -> None:
        """Take over the options that every device has."""
        parser = Words(words, LETTERS, LONGS, lambda text: None)
        for key, value in parser.options():
            self._take(str(key), value)
        self._settle()

    def _take(self, key: str, value: str | None) -> None:
        """Take over one option; *value* is None where it has none."""
        settings = self.settings
        if key in FLAGS:
            setattr(settings, FLAGS[key], True)
        elif key in ("L", "f"):
            self._lists(value)
        elif key == "V":
            self._version()
        elif key == "v":
            settings.verbose += 1
        elif key == "b":
            settings.batch = True
            settings.batch_format = value
        elif key == "B":
            settings.buffer_bytes = self._buffer(value)
        elif key == "batch-double":
            settings.increment = 2
        elif value is not None:
            self._take_value(key, value)

    def _take_value(self, key: str, value: str) -> None:
        settings = self.settings
        if key in TEXTS:
            setattr(settings, TEXTS[key], value)
        elif key == "format":
            self._choose_format(value)
        elif key == "batch-count":
            settings.batch = True
            settings.count = self._number(key, value)
        elif key == "batch-start":
            settings.start = atoi(value)
        else:
            settings.increment = atoi(value)

    def _choose_format(self, value: str) -> None:
        if value not in ENDINGS:
            self._messages.raw(f"Unknown output image format '{value}'.\n")
            self._messages.raw(f"Supported formats: {SUPPORTED}.\n")
            raise Exit(1)
        self.settings.format = value

    def _buffer(self, value: str | None) -> int:
        """Return the bytes of a read; a size of 0, or none, would read nothing for ever (C13)."""
        if not value:
            return BUFFER_KB * 1024
        size = self._number("buffer-size", value)
        if not self._mistake and not 1 <= size <= MOST_KB:
            self._mistake = f"option --buffer-size: {value} kB is not within 1..{MOST_KB}"
        return size * 1024

    def _number(self, name: str, value: str) -> int:
        """Return a number that must be one: with rubbish the original counts to 0 (C13, C16)."""
        text = value.strip()
        digits = text[1:] if text[:1] in ("+", "-") else text
        if not digits.isascii() or not digits.isdigit():
            self._mistake = self._mistake or f"option --{name}: {value!r} is not a number"
            return 0
        return max(-(2**31), min(2**31 - 1, int(text[:MOST_DIGITS])))

    def _settle(self) -> None:
        """Draw the conclusions, when all is read."""
        settings, messages = self.settings, self._messages
        if settings.batch and settings.output is not None:
            messages.raw("--batch and --output-file can't be used together.\n")
            raise Exit(1)
        if settings.output is not None and not settings.format:
            settings.format = GUESSED.get(os.path.splitext(settings.output)[1], "")
            if not settings.format:
                messages.raw(
                    "Could not guess output format from the given path and no --format given.\n"
                )
                raise Exit(1)
        if not settings.format:
            messages.raw("Output format is not set, using pnm as a default.\n")
            settings.format = "pnm"
        if self._mistake:
            raise messages.fail(self._mistake)
        if settings.batch and settings.batch_format is None:
            settings.batch_format = f"out%d.{ENDINGS[settings.format]}"


def atoi(text: str) -> int:
    """Return the number at the start of *text* as C's atoi does, 0 without one."""
    text = text.lstrip(" \t\n\v\f\r")
    end = 1 if text[:1] in ("+", "-") else 0
    while text[end : end + 1] in tuple(DIGITS):
        end += 1
    number = text[:end].lstrip("+")
    long = 0 if number in ("", "-") else int(number[:MOST_DIGITS])
    long = max(
        -(2**63), min(2**63 - 1, long)
    )  # as strtol does it, of which atoi takes the low half
    return (long + 2**31) % 2**32 - 2**31
