"""The bytes of a page between scanner and client: a file without a name, which both work on.

So a scanner never waits for a slow client, and a transfer that broke can be made again. A page
beyond the limit, or a full disk, makes the file a buffer: it is emptied as it is sent.
Source: specification escl 7.5 (8) and 7.7 (page limits).
"""

from __future__ import annotations

import os
import tempfile
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PIECE_BYTES = 1 << 17  # that are read at a time


class Copy:
    """What there is of a page: the bytes from *begin* up to *end*.

    folder: where the file is; only the server's user can read it, and it is gone with the server.
    limit: what it may hold at a time. full: why the disk took less than that, None if it did not.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        # Of mode 0600 and without a name; close() closes it.
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._fd = self._file.fileno()
        self._limit = limit
        self.full: OSError | None = None
        self._lock = threading.Lock()  # a number that is closed may be another file's at once
        self.begin = self.end = 0

    @property
    def is_whole(self) -> bool:
        """Nothing has been dropped: it can be sent again."""
        return self.begin == 0

    def append(self, data: bytes | memoryview) -> int:
        """Add *data*; return how many bytes found room. Raises OSError if none ever will.

        It may run in a thread beside close(); then it raises EOFError.
        """
        held = self.end - self.begin
        room = data[: max(0, self._limit - held)]
        done = 0
        try:
            with self._lock:
                self._check(self.end)
                while done < len(room):
                    done += os.pwrite(self._fd, room[done:], held + done)
        except OSError as exc:  # the disk is full: what is sent makes room again
            self.full = exc
            if not held and not done:
                raise
        self.end += done
        return done

    def read(self, position: int, most: int = PIECE_BYTES) -> bytes:
        """Return bytes from *position* on, b"" where there are none yet; raises EOFError."""
        self._check(position)
        return os.pread(self._fd, min(most, self.end - position), position - self.begin)

    def write_over(self, position: int, data: bytes) -> None:
        """Put *data* over what is at *position*; raises EOFError where that is gone."""
        self._check(position)
        os.pwrite(self._fd, data, position - self.begin)

    def _check(self, position: int) -> None:
        if self._file.closed:  # its number may be another file's by now
            raise EOFError("the page is not kept any more")
        if position < self.begin:
            raise EOFError(f"the bytes before {self.begin} are not kept")

    def drop(self) -> None:
        """Forget all bytes: they have been sent, and there is no room for more."""
        os.ftruncate(self._fd, 0)
        self.begin = self.end

    def close(self) -> None:
        """Free the space."""
        with self._lock:
            self._file.close()
