"""A small file of ours that is replaced whole or not at all: written beside it, renamed."""

from __future__ import annotations

import os

PRIVATE = 0o600
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_whole(
    path: str,
    data: bytes,
    *,
    mode: int = PRIVATE,
    folder: int | None = None,
    ending: str = "",
    is_lasting: bool = False,
) -> None:
    """Put a file with *data* in the place of *path*; nothing has changed after an OSError.

    mode: of the new file, whatever the umask. folder: a descriptor from which *path* starts.
    ending: what the file beside it has behind its name, by default the number of this process; two
    threads do not write the same file. is_lasting: it outlives a loss of power (without *folder*).
    """
    new = path + (ending or f".{os.getpid()}")
    try:
        fd = os.open(new, _WRITE, PRIVATE, dir_fd=folder)
    except FileExistsError:  # of a process that died with our number
        os.unlink(new, dir_fd=folder)
        fd = os.open(new, _WRITE, PRIVATE, dir_fd=folder)
    try:
        with open(fd, "wb") as file:
            if mode != PRIVATE:
                os.fchmod(fd, mode)
            file.write(data)
            if is_lasting:
                file.flush()
                os.fsync(fd)
        os.replace(new, path, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(new, dir_fd=folder)
        raise
    if is_lasting:
        sync_folder(os.path.dirname(path) or ".")


def sync_folder(path: str) -> None:
    """Flush the names in a folder to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
