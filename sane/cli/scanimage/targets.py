"""Where a picture goes: stdout, or a file that appears when it is whole.

It knows files and nothing of pictures. A picture that fails leaves nothing behind, and an earlier
file of the same name as it was.
"""

from __future__ import annotations

import os
import stat

from .messages import STDOUT, write


class Stdout:
    """The picture is sent as it comes."""

    def write(self, data: bytes | memoryview) -> None:
        """Write *data*; raises OSError."""
        write(STDOUT, data)

    def finish(self) -> None:
        """Nothing: all is written."""

    def discard(self) -> None:
        """Nothing: what was sent is sent."""


class File:
    """The file *path*, under the name *temporary* until finish(); raises OSError.

    temporary "": one beside it is made, or none where *path* is a device or a pipe, or only the
    file itself may be written.
    """

    def __init__(self, path: str, temporary: str = "") -> None:
        self.path = path
        self._temporary = temporary
        if temporary:
            self._fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        else:
            self._fd = self._open()

    def _open(self) -> int:
        try:
            mode = os.stat(self.path).st_mode
        except FileNotFoundError:
            mode = 0
        if mode and not stat.S_ISREG(mode):
            return os.open(self.path, os.O_WRONLY)
        self.path = os.path.realpath(self.path)
        beside = os.path.join(os.path.dirname(self.path), f".scanimage-{os.urandom(4).hex()}.part")
        if mode and not os.access(self.path, os.W_OK):
            return os.open(self.path, os.O_WRONLY)  # refuses, with the reason
        try:
            fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except PermissionError:
            if not mode:
                raise
            return os.open(self.path, os.O_RDWR | os.O_TRUNC)
        self._temporary = beside
        if mode:
            os.fchmod(fd, stat.S_IMODE(mode))
        return fd

    def write(self, data: bytes | memoryview) -> None:
        """Write *data*; raises OSError."""
        write(self._fd, data)

    def cut(self, size: int) -> None:
        """Take back what was written after the first *size* bytes."""
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)

    def finish(self) -> None:
        """Give the file its name; raises OSError, and leaves it under the other one then."""
        self._close()
        if self._temporary:
            os.rename(self._temporary, self.path)
            self._temporary = ""

    def discard(self) -> None:
        """Remove what there is of the picture."""
        self._close()
        temporary, self._temporary = self._temporary, ""
        if temporary:
            os.unlink(temporary)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
