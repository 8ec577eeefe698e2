"""A file that appears under its name when it is whole: written beside it, flushed, renamed.

It knows file systems and no format. Source: specification python-api-and-cli 12.3.
"""

from __future__ import annotations

import os
import stat

from ..wholefile import sync_folder
from .names import exists
from .problem import output_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import IO

PIECE_BYTES = 1 << 20
STDOUT = 1
NEW_MODE = 0o666  # less what the user's umask takes away
STATUS = "/proc/self/status"


class NewFile:
    """A context manager that gives a binary file to write and read; nothing is left of a failure.

    path: where it will be; "-" is stdout, which gets the file when it is whole, as do devices and
    pipes. A link stays one: what it points to is replaced. replaces: an existing file is; otherwise
    it raises PageWorkError, also for one that appears meanwhile. scratch: a folder for what goes to
    stdout or a pipe, by default the system's for temporary files.

    Raises PageWorkError (exit code 73) that names the path for whatever the system refuses, and
    BrokenPipeError where the reader of stdout went away.
    """

    def __init__(self, path: str, *, replaces: bool = False, scratch: str | None = None) -> None:
        self.path = path
        self._told = "standard output" if path == "-" else path
        self.size = 0
        self._replaces = replaces
        self._is_stream = path == "-" or _is_special(path)
        self._target = path if self._is_stream else os.path.realpath(path)
        self._folder = scratch if self._is_stream else os.path.dirname(self._target)
        self._temporary = ""
        self._file: IO[bytes] | None = None

    def __enter__(self) -> IO[bytes]:
        import tempfile

        name = os.path.basename(self._target)[:100]
        try:
            fd, self._temporary = tempfile.mkstemp(
                prefix=f".{name}.", suffix=".tmp", dir=self._folder
            )
        except OSError as exc:
            raise output_error(self._told, exc) from exc
        self._file = open(fd, "w+b")
        return self._file

    def beside(self, purpose: str) -> str:
        """Return a path for a file of the caller's in the same folder, "" where there is none."""
        return "" if self._is_stream or not self._temporary else f"{self._temporary}.{purpose}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._file is not None
        try:
            with self._file as file:
                if value is None:
                    file.flush()
                    self.size = os.fstat(file.fileno()).st_size
                    self._appear(file)
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise output_error(self._told, exc) from (value or exc)
        finally:
            if self._temporary:
                os.unlink(self._temporary)
        if isinstance(value, OSError):  # of the writer: the disk is full
            raise output_error(self._told, value) from value

    def _appear(self, file: IO[bytes]) -> None:
        if self._is_stream:
            return self._copy(file)
        os.fsync(file.fileno())
        try:
            mode = stat.S_IMODE(os.stat(self._target).st_mode)
        except FileNotFoundError:
            mode = NEW_MODE & ~_umask()
        os.fchmod(file.fileno(), mode)
        if self._replaces:
            os.replace(self._temporary, self._target)
            self._temporary = ""
        else:
            self._appear_first()
        sync_folder(os.path.dirname(self._target))
        return None

    def _appear_first(self) -> None:
        """Take the name only if nobody has it."""
        try:
            os.link(self._temporary, self._target)
        except FileExistsError as exc:
            raise exists(self.path) from exc
        except OSError:  # a file system without links
            if os.path.lexists(self._target):
                raise exists(self.path) from None
            os.rename(self._temporary, self._target)
            self._temporary = ""

    def _copy(self, file: IO[bytes]) -> None:
        import shutil

        file.seek(0)
        fd = os.dup(STDOUT) if self.path == "-" else os.open(self._target, os.O_WRONLY)
        with open(fd, "wb") as out:
            shutil.copyfileobj(file, out, PIECE_BYTES)


def remove(path: str) -> None:
    """Remove a file of ours, if it is there and can be removed."""
    try:
        os.unlink(path)
    except OSError:
        return


def _is_special(path: str) -> bool:
    """Tell whether *path* is there and is neither a file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _umask() -> int:
    """Return the process's mask; other threads may make files meanwhile, so it is not changed.

    Without /proc, as in a bare root, the file is its owner's alone.
    """
    try:
        with open(STATUS, "rb") as file:
            for line in file:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    return 0o077
