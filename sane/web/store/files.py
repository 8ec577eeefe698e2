"""Files that are whole or not there: written beside their place, flushed, renamed. Mode 0600.

It knows file systems and JSON.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress

from ... import wholefile
from ...wholefile import PRIVATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PART = ".part"  # the ending of what is being written
RECORD_BYTES = 16 << 20  # of a JSON file of ours, more than 1000 pages need


def make_folder(path: str) -> None:
    """Make a folder for the server alone, with those above it."""
    os.makedirs(path, mode=0o700, exist_ok=True)


def create(path: str) -> int:
    """Return the descriptor of a new file, to be renamed when it is whole."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def write_whole(path: str, data: bytes, mode: int = PRIVATE) -> None:
    """Write a file, in the place of one that is there; nothing has changed after an OSError."""
    wholefile.write_whole(path, data, mode=mode, ending=PART, is_lasting=True)


def write_record(path: str, record: object) -> None:
    """Write *record* as JSON."""
    write_whole(path, json.dumps(record, ensure_ascii=False, indent=1).encode())


def read_record(path: str) -> dict[str, Any]:
    """Return what write_record wrote; raises OSError, and ValueError if it is something else."""
    with open(path, "rb") as file:
        data = file.read(RECORD_BYTES + 1)
    if len(data) > RECORD_BYTES:
        raise ValueError(f"{path} has more than {RECORD_BYTES} bytes")
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError(f"{path} is no record")
    return found


def remove(path: str) -> None:
    """Remove a file that may be gone already."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def remove_folder(path: str) -> None:
    """Remove a folder: first its name, so that half of one is never found."""
    gone = os.path.join(os.path.dirname(path), f".gone-{os.path.basename(path)}")
    try:
        os.rename(path, gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def free_bytes(path: str) -> int:
    """Return how many bytes the server may still write in *path*."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize
