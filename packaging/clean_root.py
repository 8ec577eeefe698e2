"""Makes a small Debian or Ubuntu in a folder; used by make test-deb and make test-distro."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

MIRRORS = {"debian": "http://deb.debian.org/debian", "ubuntu": "http://archive.ubuntu.com/ubuntu"}
AUTHORITIES = (
    "usr/local/share/ca-certificates"  # the administrator's own, update-ca-certificates(8)
)
NETWORK = re.compile(r"Acquire::(https?|Check-|Retries)", re.IGNORECASE)
INSTALL = "apt-get install -qq -y --no-install-recommends"


def require(goal: str) -> None:
    """End the program with a reason where no root can be made; *goal*: what was asked of make."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise SystemExit(f"make {goal} needs root and debootstrap (apt install debootstrap)")


def make(path: Path, suite: str, distribution: str, downloads: Path) -> None:
    """Make a fresh minimal root in *path*; packages are kept in *downloads* for the next one.

    It gets at the network as this machine does: name servers, apt's proxies, certificates.
    """
    shutil.rmtree(path, ignore_errors=True)
    downloads.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--cache-dir={downloads.resolve()}"]
    command += [suite, str(path), MIRRORS[distribution]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    connect(path)


def connect(path: Path) -> None:
    """Give the root in *path* this machine's way to the network."""
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", path / "etc" / name)
    if Path("/", AUTHORITIES).is_dir():
        shutil.copytree(Path("/", AUTHORITIES), path / AUTHORITIES, dirs_exist_ok=True)
    if shutil.which("apt-config"):
        done = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if NETWORK.match(line)]
        text = "".join(f"{line}\n" for line in lines)
        (path / "etc/apt/apt.conf.d/90network").write_text(text, encoding="utf-8")
