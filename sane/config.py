"""Configuration files: where they are searched, and their lines, tokens and values.

Source: the configuration conventions of the SANE helper library, as observed on its binaries.
Text is decoded as UTF-8 with surrogateescape, so that every byte survives into names and paths.
"""

from __future__ import annotations

import os
from stat import S_ISCHR, S_ISREG

from .errors import Invalid
from .param import fix, wrap_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Protocol

    class Log(Protocol):
        """Where debug messages go beside stderr."""

        def on(self, name: str, level: int) -> bool:
            """Tell whether a message of module *name* goes anywhere."""

        def put(self, name: str, level: int, text: str) -> None:
            """Take a message."""


DEFAULT_DIRECTORIES = (".", "/etc/sane.d")
AT_SECURE = 23  # of getauxval(3)
WHITESPACE = " \t\n\v\f\r"  # C isspace; str.isspace knows more
LOADER_VARIABLES = ("LD_LIBRARY_PATH", "SHLIB_PATH", "LIBPATH", "LD_BIND_NOW")
BOM = b"\xef\xbb\xbf"  # what some editors begin a UTF-8 file with; it would be part of a name
CACHE_VARIABLES = ("HOME", "XDG_CACHE_HOME")
DEBUG_PREFIX = "SANE_DEBUG_"
PIECE_BYTES = 4095  # a longer line counts as several: the helpers read into PATH_MAX bytes
FILE_BYTES = 1 << 22  # the rest is not read: no real file comes near, and the heap is the host's

_DIGITS = "0123456789abcdef"
_REAL_MIN = 2.0**-1022  # smallest normal double; C reports a range error below
_LONG_DIGITS = 64  # of a 64-bit long in base 2; a number with more is out of range in any base
_PREFIXES = {"0x": 16, "0b": 2}
_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class Environment:
    """What sane_init recorded of the process; it may have changed by the time files are read.

    variables: those of is_recorded. cwd: a descriptor of the working directory, None for the
    process's current one; *owner*, kept here, keeps it open. log: gets all debug messages, beside
    stderr; None for none.
    """

    __slots__ = ("_cwd", "_identity", "_owner", "log", "variables")

    def __init__(
        self, variables: Mapping[str, str], cwd: int | None = None, owner: object = None
    ) -> None:
        self.variables = dict(variables)
        self.log: Log | None = None
        self._cwd = cwd
        self._identity = None if cwd is None else identity_of(cwd)
        self._owner = owner

    @property
    def cwd(self) -> int | None:
        """The descriptor; None as well once the program has closed it, whatever it is now."""
        if self._cwd is None or identity_of(self._cwd) != self._identity:
            return None
        return self._cwd

    @classmethod
    def current(cls) -> Environment:
        """Return the environment as it is now; of a privileged program the debug levels only."""
        counts = is_debug_level if is_privileged() else is_recorded
        return cls({name: value for name, value in os.environ.items() if counts(name)})

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of variable *name*, or *default* when it is unset."""
        return self.variables.get(name, default)


def identity_of(fd: int) -> tuple[int, int] | None:
    """Return which file *fd* is open on, None if it is closed: a number may have a new owner."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_recorded(name: str) -> bool:
    """Tell whether sane_init records the variable *name*."""
    return name.startswith(("SANE_", "PYSANE_")) or name in (*LOADER_VARIABLES, *CACHE_VARIABLES)


def is_debug_level(name: str) -> bool:
    """Tell whether the variable *name* only says how much is told."""
    return name.startswith(DEBUG_PREFIX)


def is_privileged() -> bool:
    """Tell whether this program has rights that its user lacks: set-uid, file capabilities.

    Only the kernel knows: the ids are what the program has made of them since. For a C program
    the library asks, in library.c.
    """
    import ctypes

    return bool(ctypes.CDLL(None).getauxval(AT_SECURE))


def directories(environment: Environment) -> list[str]:
    """Return the directories to search, in order; an empty one means the root directory.

    SANE_CONFIG_DIR replaces the defaults, or precedes them when it ends in a colon.
    """
    value = environment.get("SANE_CONFIG_DIR")
    if value is None:
        return list(DEFAULT_DIRECTORIES)
    if value.endswith(":"):
        return [*value[:-1].split(":"), *DEFAULT_DIRECTORIES]
    return value.split(":")


def read(environment: Environment, name: str) -> list[Line] | None:
    """Return the lines of the first ``<directory>/<name>`` that can be read, None without one."""
    for directory in directories(environment):
        path = f"{directory}/{name}"
        data = _read_file(path, environment.cwd)
        if data is not None:
            return list(_lines(path, data))
    return None


def state(environment: Environment, name: str) -> str:
    """Return a text that is another one when read() would give something else; "" without file."""
    for directory in directories(environment):
        path = f"{directory}/{name}"
        try:
            found = os.stat(path, dir_fd=environment.cwd)
        except (OSError, ValueError):
            continue
        if S_ISREG(found.st_mode) or S_ISCHR(found.st_mode):
            return f"{path}={found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_ctime_ns}"
    return ""


def directory_names(environment: Environment, name: str) -> list[str]:
    """Return the files of the first ``<directory>/<name>`` that can be opened as a directory.

    In the file system's own order, unsorted; symbolic links to files count.
    """
    for directory in directories(environment):
        try:
            fd = os.open(
                f"{directory}/{name}", _OPEN_FLAGS | os.O_DIRECTORY, dir_fd=environment.cwd
            )
        except (OSError, ValueError):
            continue
        try:
            return [entry for entry in os.listdir(fd) if _is_file(entry, fd)]
        except OSError:
            return []
        finally:
            os.close(fd)
    return []


class Line:
    """One line: *file* as it was opened, physical line *number* from 1, *text* trimmed."""

    __slots__ = ("file", "number", "text")

    def __init__(self, file: str, number: int, text: str) -> None:
        self.file = file
        self.number = number
        self.text = text

    @property
    def is_comment(self) -> bool:
        """Whether the first character is ``#``."""
        return self.text.startswith("#")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is left after trimming."""
        return not self.text

    def tokens(self) -> list[str]:
        """Return the words and quoted strings of the line."""
        return _split(self.text)

    def words(self) -> list[str]:
        """Return the tokens before a comment; the original takes comments in few places."""
        return _split(without_comment(self.text))

    def where(self) -> str:
        """Return ``file:number`` for messages."""
        return f"{self.file}:{self.number}"

    def __repr__(self) -> str:
        return f"Line({self.where()}, {self.text!r})"


def without_comment(text: str) -> str:
    """Return *text* up to a ``#`` that begins a word, trimmed."""
    words = text.lstrip(WHITESPACE)
    start = 0
    while (found := words.find("#", start)) > 0 and words[found - 1] not in WHITESPACE:
        start = found + 1
    return (words if found < 0 else words[:found]).rstrip(WHITESPACE)


def get_string(text: str) -> tuple[str | None, str]:
    """Return the first token of *text* and what follows it.

    A token is a run without blanks, or a quoted string, whose end needs no blank after it; there
    are no escapes. The token is None when the closing quote is missing, and empty when nothing is
    left.
    """
    text = text.lstrip(WHITESPACE)
    if text.startswith('"'):
        token, quote, rest = text[1:].partition('"')
        return (token, rest) if quote else (None, "")
    for end, char in enumerate(text):
        if char in WHITESPACE:
            return text[:end], text[end:]
    return text, ""


def atoi(text: str) -> int:
    """Return what C's atoi does with *text*: 0 without digits, saturated at 64 bits, wrapped."""
    value = _integer(text, 10) or 0
    return wrap_word(max(_LONG_MIN, min(_LONG_MAX, value)))


def parse_int(text: str) -> int:
    """Return the word at the start of *text*: decimal, 0x hexadecimal, 0b binary or 0 octal.

    What follows the digits is ignored, and a 64-bit value is cut to 32 bits, as C programs do;
    binary numbers are read by those that are built as C23.
    """
    value = _integer(text, 0)
    if value is None:
        raise Invalid(f"{text!r} is not a number")
    if not _LONG_MIN <= value <= _LONG_MAX:
        raise Invalid(f"{text!r} exceeds 64 bits")
    return wrap_word(value)


def parse_fixed(text: str) -> int:
    """Return the fixed-point word for the real number at the start of *text*.

    C syntax (exponents, hexadecimal), with a point whatever the locale; what follows is ignored.
    Infinity, NaN and what a fixed-point word cannot hold raise Invalid.
    """
    text = text.lstrip(WHITESPACE)
    start = 1 if text[:1] in ("+", "-") else 0
    base = 10
    if text[start : start + 2].lower() == "0x" and _real_end(text, start + 2, 16):
        base = 16
    end = _real_end(text, start + 2 if base == 16 else start, base)
    if not end:
        raise Invalid(f"{text!r} is not a number")
    try:
        value = float.fromhex(text[:end]) if base == 16 else float(text[:end])
    except OverflowError:
        value = float("inf")
    mantissa = text[start:end].lower().partition("p" if base == 16 else "e")[0]
    if abs(value) < _REAL_MIN and mantissa.strip("0x."):
        raise Invalid(f"{text!r} is too small for a double")
    if not -32768 <= value < 32768:
        raise Invalid(f"{text!r} is not within -32768 to 32768")
    return fix(value)


def parse_bool(text: str, *, numeric: bool = False) -> bool:
    """Return the truth of ``true`` or ``false``, and of ``1`` or ``0`` if *numeric*."""
    if text == "true" or (numeric and text == "1"):
        return True
    if text == "false" or (numeric and text == "0"):
        return False
    raise Invalid(f"{text!r} is neither true nor false")


def parse_usb(line: Line) -> tuple[int, int] | None:
    """Return the pair of ``usb VENDOR PRODUCT``, None if the line does not start with ``usb``.

    Raises Invalid where the pair can match no device, missing numbers included.
    """
    if not line.text.startswith("usb"):
        return None
    tokens = _split(line.text[3:])
    if len(tokens) < 2:
        raise Invalid(f"{line.where()}: usb wants a vendor and a product id")
    try:
        vendor, product = parse_int(tokens[0]), parse_int(tokens[1])
    except Invalid as exc:
        raise Invalid(f"{line.where()}: {exc}") from exc
    if not (0 <= vendor <= 0xFFFF and 0 <= product <= 0xFFFF):
        raise Invalid(f"{line.where()}: usb ids are 0 to 0xffff, not {' '.join(tokens[:2])}")
    return vendor, product


def _read_file(path: str, cwd: int | None) -> bytes | None:
    """Return the content of *path*, None when there is no file to read.

    Directories and FIFOs are not there: C would read nothing from the one and hang in the other.
    A character device is an empty file: a link to /dev/null is how a file is switched off.
    """
    try:
        fd = os.open(path, _OPEN_FLAGS, dir_fd=cwd)
    except (OSError, ValueError):
        return None
    try:
        mode = os.fstat(fd).st_mode
        if not S_ISREG(mode):
            return b"" if S_ISCHR(mode) else None
        data = b""
        while len(data) < FILE_BYTES and (more := os.read(fd, FILE_BYTES - len(data))):
            data += more
        return data
    except OSError:
        return None
    finally:
        os.close(fd)


def _is_file(name: str, directory: int) -> bool:
    try:
        return S_ISREG(os.stat(name, dir_fd=directory).st_mode)
    except OSError:
        return False


def _lines(path: str, data: bytes) -> Iterator[Line]:
    """Yield the lines of *data*; over-long ones in pieces, each cut at a NUL as C strings are."""
    physical = data.removeprefix(BOM).split(b"\n")  # splitlines would also split at a CR
    last = len(physical)
    for number, content in enumerate(physical, 1):
        whole = content if number == last else content + b"\n"
        for start in range(0, len(whole), PIECE_BYTES):
            piece = whole[start : start + PIECE_BYTES].partition(b"\0")[0]
            yield Line(path, number, piece.decode("utf-8", "surrogateescape").strip(WHITESPACE))


def _split(text: str) -> list[str]:
    """Return the tokens of *text*, those before a quote that nothing closes."""
    tokens: list[str] = []
    while text := text.lstrip(WHITESPACE):
        token, text = get_string(text)
        if token is None:
            break
        tokens.append(token)
    return tokens


def _digits_end(text: str, start: int, base: int) -> int:
    end = start
    while end < len(text) and text[end].lower() in _DIGITS[:base]:
        end += 1
    return end


def _integer(text: str, base: int) -> int | None:
    """Return the integer at the start of *text*, None without digits. Base 0: by the prefix."""
    text = text.lstrip(WHITESPACE)
    start = 1 if text[:1] in ("+", "-") else 0
    if base == 0:
        base = 8 if text[start : start + 1] == "0" else 10
        prefixed = _PREFIXES.get(text[start : start + 2].lower())
        if prefixed and _digits_end(text, start + 2, prefixed) > start + 2:
            base = prefixed
            start += 2
    digits = text[start : _digits_end(text, start, base)]
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    magnitude = int(digits, base) if len(digits) <= _LONG_DIGITS else 1 << 64
    return -magnitude if text[0] == "-" else magnitude


def _real_end(text: str, start: int, base: int) -> int:
    """Return where the real number that starts its digits at *start* ends, 0 if it has none."""
    end = _digits_end(text, start, base)
    count = end - start
    if text[end : end + 1] == ".":
        fraction = end + 1
        end = _digits_end(text, fraction, base)
        count += end - fraction
    if not count:
        return 0
    if text[end : end + 1].lower() == ("p" if base == 16 else "e"):
        exponent = end + 1
        if text[exponent : exponent + 1] in ("+", "-"):
            exponent += 1
        stop = _digits_end(text, exponent, 10)
        if stop > exponent:
            end = stop
    return end
