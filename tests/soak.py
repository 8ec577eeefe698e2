"""python -m tests.soak [MINUTES]: long-lived frontends, killed ones and listings, all at once.

Three programs open, scan, cancel and close again and again: a device of ours, the same through our
saned, and a C backend's. Beside them scanimage is started and killed at any moment, and devices are
listed. At the end stands what each process has kept: memory, descriptors, threads, and whether the
server has a client left. Not part of the tests: it takes as long as it is told. Needs make build.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.setting import Bench
from tests.conftest import PREFIX
from tests.support.saned import Saned, configure, environment

LIVES = 200  # of one program; then it tells what it has kept, and another begins
KILL_SECONDS = 0.4
GROWTH_KB, DESCRIPTORS = 1500, 0


class Soak:
    """The folder, the server, and what went wrong."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.faults: list[str] = []
        names = ("ours", "net", "C backend", "killed", "listed", "C backend hung in its own malloc")
        self.counts = dict.fromkeys(names, 0)
        self.most: dict[str, float] = {}
        self.folder = folder
        self.bench = Bench(make(folder / "bench"))
        self.server = Saned(configure(folder / "server"))
        (folder / "bench" / "net.conf").write_text(f"127.0.0.1 port = {self.server.port}\n")
        (folder / "bench" / "dll.conf").write_text("test\nnet\n")
        self.native = make(folder / "native")
        for name, text in (("dll.conf", "test\n"), ("pysane.conf", "native test\n")):
            (self.native / name).write_text(text)
        shutil.copy(folder / "bench" / "test.conf", self.native)

    def live(self, name: str, device: str, **variables: str) -> None:
        """Run programs of LIVES lives until the time is over."""
        while time.monotonic() < self.end:
            try:
                found = self.bench.client(
                    self.bench.ours, "cycles", device, str(LIVES), "resolution=20", **variables
                )
            except Exception as exc:
                # The original at times cancels its thread inside malloc: programs/reload.c.
                if name == "C backend" and "still running" in str(exc):
                    self.counts["C backend hung in its own malloc"] += 1
                else:
                    self.faults.append(f"{name}: {exc}")
                continue
            self.counts[name] += LIVES
            self.most[name] = max(self.most.get(name, 0.0), found["growth_kb"])
            if found["growth_kb"] > GROWTH_KB or found["descriptors"] > DESCRIPTORS:
                self.faults.append(f"{name}: kept {found}")

    def kill(self) -> None:
        """Start scans on both ways, and kill each at any moment."""
        chance = random.Random(1)
        while time.monotonic() < self.end:
            device = chance.choice(("test:0", "net:127.0.0.1:test:0"))
            number = chance.choice((signal.SIGKILL, signal.SIGINT, signal.SIGTERM))
            with self.scanimage("-d", device, "--resolution=300", "--format=pnm") as process:
                time.sleep(chance.random() * KILL_SECONDS)
                process.send_signal(number)
            self.counts["killed"] += 1

    def list(self) -> None:
        """List all devices again and again."""
        while time.monotonic() < self.end:
            with self.scanimage("-f", "%d%n") as process:
                text = process.communicate()[0].decode()
            if "test:0" not in text or "net:" not in text:
                self.faults.append(f"listed: {text!r}")
            self.counts["listed"] += 1
            time.sleep(0.5)

    def scanimage(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the distribution's scanimage on our library."""
        variables = environment(self.folder / "bench", LD_LIBRARY_PATH=str(PREFIX / "lib"))
        return subprocess.Popen(
            ["/usr/bin/scanimage", *words],
            env=variables,
            stdout=subprocess.PIPE if words[0] == "-f" else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self) -> int:
        """Run everything, print what was found, return 1 for a fault."""
        before = kept_by(self.server.process.pid)
        jobs = [
            lambda: self.live("ours", "test:0"),
            lambda: self.live("net", "net:127.0.0.1:test:0"),
            lambda: self.live("C backend", "test:0", SANE_CONFIG_DIR=str(self.native)),
            self.kill,
            self.list,
        ]
        threads = [threading.Thread(target=job) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.server.wait_for_children(0)
        after = kept_by(self.server.process.pid)
        for name, count in self.counts.items():
            grown = f", grew by at most {self.most[name]:.0f} KB" if name in self.most else ""
            print(f"{name}: {count}{grown}")
        print(f"saned's parent: (KB, descriptors, threads) {before}, then {after}")
        if after[1:] != before[1:] or after[0] > before[0] + GROWTH_KB:
            self.faults.append("saned's parent has kept something")
        self.server.stop()
        print("\n".join(self.faults) or "nothing was kept")
        return 1 if self.faults else 0


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def kept_by(pid: int) -> tuple[int, int, int]:
    """Return resident memory in KB, descriptors and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return int(resident.split()[1]), files, len(os.listdir(f"/proc/{pid}/task"))


if __name__ == "__main__":
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with tempfile.TemporaryDirectory() as place:
        sys.exit(Soak(Path(place), 60 * minutes).run())
