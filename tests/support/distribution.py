"""Which releases of the distribution's programs the tests run against."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

import pytest


@cache
def package_version(name: str) -> tuple[int, ...]:
    """Return the version of an installed Debian package, without its revision; () without it."""
    if shutil.which("dpkg-query") is None:
        return ()
    command = ["dpkg-query", "-W", "-f", "${Version}", name]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", text)
    return tuple(map(int, found[1].split("."))) if found else ()


def sane_version() -> tuple[int, ...]:
    """Return the release of the distribution's SANE, as (1, 3, 1); skip the test without one.

    The package knows it. What scanimage -V prints is, in Debian's builds, an older one.
    """
    found = package_version("libsane1")
    if not found:
        pytest.skip("peer absent: libsane1")
    return found
