"""python -m tests.peers.merged_network: what scanimage lists of a scanner found in three ways.

As avahi_network, with the scanner in a network beside ours: it announces itself, speaks eSCL and
ESC/I. It prints the names in JSON: as listed by default, and with ``list-merge off``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.peers.avahi_network import LONG, set_up, start
from tests.support.timing import wait_until

HOST = "10.99.0.2"
SCANNER = f"""
ip link set lo up
until ip link set v1 up; do sleep 0.1; done
ip addr add {HOST}/24 dev v1 && ip route add default via 10.99.0.1
{sys.executable} -m sane.testing.esci --host {HOST} &
exec {sys.executable} -m sane.testing.escl --host {HOST} --port 8095 --preset epson --announce
"""


def listed(config: Path, conf: str) -> list[str]:
    """Return the names that scanimage lists with this pysane.conf."""
    (config / "pysane.conf").write_text(conf)
    done = subprocess.run(
        ["scanimage", "-f", "%d%n"],
        env={**os.environ, "LD_LIBRARY_PATH": os.environ["SANE_TEST_LIBRARIES"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG,
    )
    return done.stdout.splitlines()


def main() -> None:
    """Run it."""
    folder = Path(os.environ["SANE_TEST_FOLDER"])
    daemon, others = set_up(folder, {})
    scanner = start(["unshare", "--net", "sh", "-c", SCANNER], folder / "scanner.log")
    ours = Path("/proc/self/ns/net").readlink()
    assert wait_until(lambda: Path(f"/proc/{scanner.pid}/ns/net").readlink() != ours, LONG)
    subprocess.run(["ip", "link", "set", "v1", "netns", str(scanner.pid)], check=True)
    config = Path(os.environ["SANE_CONFIG_DIR"])
    (config / "dll.conf").write_text("airscan\nepson2\nescl\n")
    (config / "epson2.conf").write_text(f"net {HOST}\n")
    (config / "escl.conf").write_text("")
    assert wait_until(lambda: len(listed(config, "list-merge off\n")) == 3, LONG)
    print(json.dumps([listed(config, conf) for conf in ("", "list-merge off\n")]))
    for process in (scanner, daemon, *others):
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
