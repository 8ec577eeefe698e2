"""Debug output: SANE_DEBUG_<NAME> levels and hex dumps, on stderr or syslog, never on stdout."""

from __future__ import annotations

import os
from stat import S_ISFIFO, S_ISSOCK

from .config import DEBUG_PREFIX, atoi
from .sigpipe import without_sigpipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Environment

DUMP_BYTES = 4096  # a dump shows no more: a frame in hex would drown the log and the scan
_NAME_BYTES = 255 - len(DEBUG_PREFIX)  # the original builds the variable's name in a small buffer
_STDERR = 2
_ROW = 16


class Debug:
    """Debug messages of one module, emitted up to the level that SANE_DEBUG_<NAME> gives.

    The environment's log gets those that it wants, whatever that level.

    The variable has the name in ASCII capitals; when it is set, the level is announced. Nothing
    here raises: a message must never fail a scan.
    """

    __slots__ = ("_log", "level", "name")

    def __init__(self, name: str, environment: Environment) -> None:
        self.name = name
        self._log = environment.log
        encoded = name.encode("utf-8", "surrogateescape")[:_NAME_BYTES].upper()
        value = environment.get(DEBUG_PREFIX + encoded.decode("utf-8", "surrogateescape"))
        self.level = 0 if value is None else atoi(value)
        if value is not None:
            _emit("sanei_debug", f"Setting debug level of {name} to {self.level}.")

    def on(self, level: int) -> bool:
        """Whether messages of *level* are emitted: ask before preparing costly ones."""
        is_logged = self._log is not None and self._log.on(self.name, level)
        return level <= self.level or is_logged

    def __call__(self, level: int, message: str, *args: object) -> None:
        """Emit ``message % args`` if *level* is on; without args, percent signs mean themselves."""
        if level <= self.level:
            _emit(self.name, _format(message, args))
        if self._log is not None and self._log.on(self.name, level):
            self._log.put(self.name, level, _format(message, args))

    def dump(self, level: int, title: str, data: bytes | bytearray | memoryview) -> None:
        """Emit *title* and *data* in hexadecimal and ASCII, the start of it when it is long."""
        if not self.on(level):
            return
        shown = bytes(data[:DUMP_BYTES])
        rows = [f"{title} ({len(data)} bytes)"]
        for offset in range(0, len(shown), _ROW):
            row = shown[offset : offset + _ROW]
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            rows.append(f"  {offset:04x}: {row.hex(' '):<{3 * _ROW - 1}}  {text}")
        if len(shown) < len(data):
            rows.append(f"  ... {len(data) - len(shown)} more")
        self(level, "\n".join(rows))


def _format(message: str, args: tuple[object, ...]) -> str:
    if not args:
        return str(message)
    try:
        return message % args
    except Exception:
        return " ".join([str(message), *map(_repr, args)])


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _emit(name: str, message: str) -> None:
    """Write one message, whole: several lines of it stay together."""
    try:
        mode = os.fstat(_STDERR).st_mode
        if S_ISSOCK(mode):  # a daemon started by inetd: stderr is the client's connection
            _syslog(f"[{name}] {message}")
        elif S_ISFIFO(mode):
            without_sigpipe(_write, _stamped(name, message))
        else:
            _write(_stamped(name, message))
    except (OSError, ValueError, RuntimeError):
        return  # stderr is closed, full or broken, or syslog refuses: there is nobody to tell


def _stamped(name: str, message: str) -> bytes:
    import time

    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    now = time.localtime(seconds)
    clock = f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}.{nanoseconds // 1000:06}"
    end = "" if message.endswith("\n") else "\n"
    return f"[{clock}] [{name}] {message}{end}".encode("utf-8", "backslashreplace")


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(_STDERR, data) :]


def _syslog(text: str) -> None:
    """Log a text; syslog() would refuse a NUL and lone surrogates, which devices may send."""
    import syslog

    shown = text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
    syslog.syslog(syslog.LOG_DEBUG, shown)
