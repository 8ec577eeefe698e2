"""python -m bench.announced FOLDER: lists of an announced eSCL scanner, ours and sane-airscan's.

It runs in namespaces of its own, where an Avahi daemon knows of one emulated scanner in a network
beside. It prints the seconds of the first and the second list of a process, taken in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.peers.avahi_network import set_up, start
from tests.peers.merged_network import SCANNER
from tests.support.timing import wait_until

from .setting import PROGRAMS, STAGE

BACKENDS = {"ours": "escl", "original": "airscan"}
ROUNDS = 3


def listed(folder: Path, name: str) -> dict[str, float]:
    """Return what client.c prints about two lists."""
    config = folder / name
    config.mkdir(exist_ok=True)
    (config / "dll.conf").write_text(f"{BACKENDS[name]}\n")
    found = {**os.environ, "SANE_CONFIG_DIR": str(config), "XDG_CACHE_HOME": str(config)}
    found.pop("LD_LIBRARY_PATH", None)
    if name == "ours":
        found["LD_LIBRARY_PATH"] = str(STAGE / "lib")
    done = subprocess.run(
        [str(PROGRAMS / "client"), "list"], env=found, capture_output=True, text=True, check=True
    )
    pairs = (line.split(" ", 1) for line in done.stdout.splitlines())
    return {key: float(value) for key, value in pairs if key in ("wall", "again", "devices")}


def main(folder: Path) -> None:
    """Run it."""
    daemon, others = set_up(folder, {})
    scanner = start(["unshare", "--net", "sh", "-c", SCANNER], folder / "scanner.log")
    ours = Path("/proc/self/ns/net").readlink()
    assert wait_until(lambda: Path(f"/proc/{scanner.pid}/ns/net").readlink() != ours)
    subprocess.run(["ip", "link", "set", "v1", "netns", str(scanner.pid)], check=True)
    assert wait_until(lambda: all(listed(folder, name)["devices"] == 1 for name in BACKENDS), 20.0)
    samples = [(name, listed(folder, name)) for _ in range(ROUNDS) for name in BACKENDS]
    for name in BACKENDS:
        for key in ("wall", "again"):
            print(f"{name}_{key} {median(s[key] for who, s in samples if who == name):.6f}")
    for process in (scanner, daemon, *others):
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
