"""A folder in memory for what the fuzzer has read from a file; gone with the process."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

MEMORY = "/dev/shm"


def temporary_folder() -> Path:
    """Return a new folder, in memory where there is such a place."""
    place = MEMORY if os.path.isdir(MEMORY) else None
    folder = tempfile.mkdtemp(prefix="pysane-fuzz-", dir=place)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
