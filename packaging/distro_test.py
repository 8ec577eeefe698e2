"""make test-distro: make scan, make test and others as a fresh user of Debian releases runs them.

Each release has a root of its own below build/distro, made by debootstrap and kept with what the
tests installed; delete it for a fresh one. It gets python3, gcc, make and the last commit of this
tree, nothing else: Makefile and tests fetch the rest, through this machine's network. The root is
entered so that / is a mount point, as on a machine of its own. Needs root.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import clean_root

ROOT = Path(__file__).resolve().parent.parent
TREE = "root/pysane"  # in the root
UPGRADE = "apt-get dist-upgrade -qq -y"  # of a root that was kept
# $1: the root, $2: the command. /sys and /dev are the machine's; the mounts end with the shell.
ENTER = """\
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
pivot_root . mnt
umount -l /mnt
exec sh -c "$2"
"""
CLOSING = re.compile(r"\d+ (?:passed|failed|skipped|error).* in [\d.]+s")  # a run of pytest
PIP = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "cert")


class Release:
    """The root of one release."""

    def __init__(self, suite: str, folder: Path) -> None:
        self.suite = suite
        self.path = folder / suite
        self.log = folder / f"{suite}.log"
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **network_environment(),
        }

    def prepare(self) -> None:
        """Make the root, or bring an earlier one up to date, and copy the tree into it."""
        ready = self.path / "root/ready"
        self.log.write_bytes(b"")
        if not ready.exists():
            clean_root.make(self.path, self.suite, "debian", self.path.with_name("packages"))
            ready.touch()
        clean_root.connect(self.path)
        for name in ("PIP_CERT", "SSL_CERT_FILE"):
            self.certificates(self.environment.get(name, ""))
        self.run(f"apt-get update -qq && {UPGRADE} && {clean_root.INSTALL} python3 gcc make")
        tree = self.path / TREE
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", tree], stdin=archive.stdout, check=True)
        if archive.wait():
            raise SystemExit("git archive failed: this is no checkout of the project")

    def certificates(self, name: str) -> None:
        """Copy a file of certificates that the environment names, until the root has its own."""
        inside = self.path / name.lstrip("/")
        if name and Path(name).is_file() and not inside.exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, inside)

    def run(self, command: str, check: bool = True) -> int:
        """Run a shell command in the root, its output to the log; return its exit status.

        The output comes through a pipe: in the root the log has no name.
        """
        enter = ["unshare", "--mount", "sh", "-c", ENTER, "sh", str(self.path), command]
        with (
            self.log.open("ab", buffering=0) as log,
            subprocess.Popen(
                enter,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
            ) as process,
        ):
            assert process.stdout is not None
            while data := process.stdout.read(1 << 16):
                log.write(data)
            status = process.wait()
        if check and status:
            raise SystemExit(f"{self.suite}: {command}: exit status {status}, see {self.log}")
        return status

    def test(self, goals: list[str]) -> bool:
        """Run *goals* of make and print how each run of tests closed, or the last line.

        Tells whether all passed.
        """
        good = True
        for goal in goals:
            begin = self.log.stat().st_size
            status = self.run(f"cd /{TREE} && make {goal}", check=False)
            lines = self.log.read_bytes()[begin:].decode(errors="replace").splitlines()
            closings = [line for line in lines if CLOSING.match(line)] or lines[-1:]
            print(f"{self.suite}: make {goal}: {'; '.join(closings)}", flush=True)
            good = good and status == 0
        if not good:
            print(f"{self.suite}: failed, see {self.log}", flush=True)
        return good


def network_environment() -> dict[str, str]:
    """Return what this machine's environment and pip's configuration say of the network.

    Not what lies on its own disk: the root has none of it.
    """
    found = {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SANE_TEST_PEERS")
    }
    for key in PIP:
        command = [sys.executable, "-m", "pip", "config", "get", f"global.{key}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        variable = f"PIP_{key.upper().replace('-', '_')}"
        value = os.environ.get(variable, done.stdout.strip())
        words = [word for word in value.split() if not word.startswith("file:")]
        if words:
            found[variable] = " ".join(words)
    return found


def main() -> int:
    """Run the program; return 1 if a goal failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("suites", nargs="+", metavar="SUITE")
    parser.add_argument("--goals", default="scan test", help="of make, with spaces [%(default)s]")
    parser.add_argument("--folder", type=Path, default=Path("build/distro"))
    options = parser.parse_args()
    clean_root.require("test-distro")
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    git = ["git", "status", "--porcelain", "--untracked-files=no"]
    if subprocess.run(git, cwd=ROOT, capture_output=True, check=True).stdout:
        print("changes that are not committed are not tested")
    good = True
    for suite in options.suites:
        release = Release(suite, folder)
        release.prepare()
        good = release.test(options.goals.split()) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
