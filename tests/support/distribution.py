"""Which release of the originals the tests run against."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

import pytest


@cache
def _package_version() -> str:
    if shutil.which("dpkg-query") is None:
        return ""
    command = ["dpkg-query", "-W", "-f", "${Version}", "libsane1"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def sane_version() -> tuple[int, int, int]:
    """Return the release of the distribution's SANE, as (1, 3, 1); skip the test without one.

    The package knows it. What scanimage -V prints is, in Debian's builds, an older one.
    """
    found = re.match(r"(?:\d+:)?(\d+)\.(\d+)\.(\d+)", _package_version())
    if found is None:
        pytest.skip("peer absent: libsane1")
    return int(found[1]), int(found[2]), int(found[3])
