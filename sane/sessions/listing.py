"""One listing at a time for all clients: whoever waited for it takes the answer over.

Each client has a process, and each listing would ask every backend: thirty-two clients that begin
at once meant thirty-two helpers for each C backend. It knows processes and lists of devices; who
makes a list, and who may see it, is the conversation's business.
"""

from __future__ import annotations

import fcntl
import os
import time

from ..backend import DeviceInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIELDS = 4  # of a device: name, vendor, model, type
SEPARATOR = "\0"  # in no text that came from C


class SharedLists:
    """The last list, in memory that a server and the processes which it forks have in common.

    A lock of the kernel's keeps them apart: it ends with the process that holds it.
    """

    def __init__(self) -> None:
        self._fd = os.memfd_create("pysane-list", os.MFD_CLOEXEC)

    def devices(self, make: Callable[[], list[DeviceInfo]]) -> list[DeviceInfo]:
        """Return what *make* returns, or what it has just returned in another process.

        An answer counts if it was asked for after this call was made: what was plugged in before
        the call is in it.
        """
        asked = time.monotonic()
        fcntl.lockf(self._fd, fcntl.LOCK_EX)
        try:
            began, found = self._read()
            if began < asked:
                began = time.monotonic()
                found = make()
                self._write(began, found)
            return found
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the memory up in this process."""
        os.close(self._fd)

    def _read(self) -> tuple[float, list[DeviceInfo]]:
        """Return when the last list was begun, and the list; 0 for none that is whole."""
        data = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        began, *texts = data.decode("utf-8", "surrogateescape").split(SEPARATOR)
        count, texts = texts[:1], texts[1:-1]
        if count != [str(len(texts))] or len(texts) % FIELDS:  # nothing yet, or a writer was killed
            return 0.0, []
        rows = (texts[at : at + FIELDS] for at in range(0, len(texts), FIELDS))
        return float(began), [DeviceInfo(*row) for row in rows]

    def _write(self, began: float, devices: Sequence[DeviceInfo]) -> None:
        head = (repr(began), str(FIELDS * len(devices)))
        rows = [(device.name, device.vendor, device.model, device.type) for device in devices]
        texts = (text for row in (head, *rows) for text in row)
        data = "".join(text + SEPARATOR for text in texts).encode("utf-8", "surrogateescape")
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)
