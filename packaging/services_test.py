"""make test-services: the services of the Debian packages under a systemd, from start to purge.

systemd is the first process of a container (systemd-nspawn --boot) without a network, whose root is
made by debootstrap in build/deb/services. The scan over the network is the original scanimage's.
Needs root, debootstrap and systemd-nspawn; no systemd need run on this machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import clean_root
from deb_test import NAMES, Root, asked, dependencies, following, put

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

UNITS = ("pysane-saned.socket", "pysane-saned.service", "pysane-share.service")
PROGRAMS = "systemd systemd-sysv dbus curl procps sane-utils libsane1 libsane-common"
ORIGINAL = "LD_LIBRARY_PATH=$(dirname /usr/lib/*/libsane.so.1)"
SCAN = "scanimage -d {} --mode Color --depth 8 --test-picture 'Color pattern' -x 50 -y 50"
EXPOSURE = 20  # of 100, by systemd-analyze security; what is missing is explained in the units
BOOT_SECONDS = 120.0
HTTP = "curl -sS --max-time 30 --retry 5 --retry-connrefused"
# What a systemd, its tools and a shell leave in their folders while they run.
OTHERS = ("var/lib/systemd/", "var/tmp", "var/spool", "root/", "etc/machine-id", "etc/.updated")


class Booted(Root):
    """The root in *path* with its systemd running; commands are run inside."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.leader = 0

    def __enter__(self) -> Self:
        command = ["systemd-nspawn", "--quiet", "--boot", "--directory", str(self.path)]
        command += ["--private-network", "--link-journal=no", "--resolv-conf=off", "--timezone=off"]
        command += ["--register=no", f"--machine=pysane-{os.getpid()}"]
        if not Path("/run/systemd/system").exists():
            command.append("--keep-unit")  # nobody could give it one
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        self.log = self.path.with_name("services.log").open("wb")
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + BOOT_SECONDS
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                raise SystemExit(f"systemd did not start, see {self.log.name}")
            time.sleep(0.5)
        return self

    def is_up(self) -> bool:
        """Tell whether the first process of the container runs, and what it was asked for."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = path.read_text(encoding="ascii").split() if path.exists() else []
        self.leader = int(children[-1]) if children else 0
        state = self.inside("systemctl is-system-running") if self.leader else None
        return state is not None and state.stdout.strip() in ("running", "degraded")

    def inside(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the container."""
        enter = ["nsenter", f"--target={self.leader}", "--all", "env", "-i"]
        enter += ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
        enter += ["LC_ALL=C", "HOME=/root", "sh", "-c", command]
        return subprocess.run(enter, capture_output=True, text=True, errors="replace", check=False)

    def run(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the container, which is to succeed if *check* says so."""
        if not self.leader:
            return super().run(command, check)
        done = self.inside(command)
        if check and done.returncode:
            raise SystemExit(f"failed in the container: {command}\n{done.stdout}{done.stderr}")
        return done

    def good(self, what: str, command: str, wanted: str | None = None) -> str:
        """Expect that a command succeeds, with *wanted* in its output; return that."""
        done = self.run(command, check=False)
        good = done.returncode == 0 if wanted is None else wanted in done.stdout
        detail = f"status {done.returncode}: {done.stdout}{done.stderr}"
        if not good:
            detail += self.inside("journalctl --no-pager -b -n 20 -u 'pysane-*'").stdout
        self.expect(what, good, detail)
        return done.stdout

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.inside("systemctl poweroff")
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(self.leader, signal.SIGKILL)
            self.process.wait()
        self.leader = 0
        self.log.close()


def installed(root: Booted) -> None:
    """Check the units: nothing starts by itself, all is well-formed and shut off."""
    for unit in UNITS:
        state = root.run(f"systemctl is-enabled {unit}", check=False).stdout.strip()
        root.expect(f"{unit} is not enabled", state in ("disabled", "indirect"), state)
        root.good(f"{unit} is not started", f"systemctl is-active {unit}", "inactive")
        done = root.run(f"systemd-analyze verify {unit} 2>&1 | grep -i pysane", check=False)
        about = [line for line in done.stdout.splitlines() if "Command 'man" not in line]
        root.expect(f"{unit}: systemd-analyze verify", not about, "; ".join(about))
        if unit.endswith(".service"):
            check = f"systemd-analyze security --no-pager --threshold={EXPOSURE} {unit}"
            root.good(f"{unit}: exposure below {EXPOSURE / 10}", check)


def confined(root: Booted, unit: str) -> None:
    """Check that a service runs as its user, without rights and behind its filter."""
    script = f"pid=$(systemctl show -P MainPID {unit}); ps -o user= $pid; cat /proc/$pid/status"
    words = root.run(script, check=False).stdout.split() or ["none"]
    about = " ".join(words)
    root.expect(f"{unit} is the user saned", words[0] == "saned", words[0])
    for line in ("CapEff: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2"):
        root.expect(f"{unit}: {line}", line in about, about)


def saned(root: Booted) -> None:
    """Check the network service: the socket starts it, and the original scanimage scans."""
    root.good("the socket is started", "systemctl enable --now pysane-saned.socket")
    unit = "pysane-saned.service"
    root.good("no saned before the first client", f"systemctl is-active {unit}", "inactive")
    scans(root, "the first client")
    root.good("the first client has started saned", f"systemctl is-active {unit}")
    confined(root, unit)
    root.good("saned reads its configuration again", f"systemctl reload {unit}")
    scans(root, "after that")


def scans(root: Booted, when: str) -> None:
    """Check that the original scanimage gets the same page over the network as on its own."""
    pages = f"{ORIGINAL} {SCAN.format('net:localhost:test:0')} >/tmp/net.pnm"
    root.good(f"{when}: the original scanimage scans over the network", pages)
    root.run(f"{ORIGINAL} {SCAN.format('test:0')} >/tmp/own.pnm")
    root.good(f"{when}: the page is the same as without it", "cmp /tmp/net.pnm /tmp/own.pnm")


def share(root: Booted) -> None:
    """Check the server: it says when it is ready, answers, keeps its state, and comes back."""
    unit = "pysane-share.service"
    root.good("pysane-share is started and ready", "systemctl enable --now pysane-share")
    confined(root, unit)
    answers(root, "http://localhost:8090", "HTTP")
    answers(root, "-k https://localhost:8443", "HTTPS")
    root.good("the page", f"{HTTP} http://localhost:8090/", "<html")
    folder = root.run("stat -c '%U %a' /var/lib/pysane-share", check=False).stdout
    root.expect("the state is its own", folder == "saned 700\n", folder)
    root.good("it reads its configuration again", f"systemctl reload {unit}")
    root.run(f"systemctl kill --kill-whom=main --signal=KILL {unit}; sleep 1")
    root.good("killed, it is started again", waiting(f"systemctl is-active {unit}"))
    answers(root, "http://localhost:8090", "after that")


def answers(root: Booted, address: str, what: str) -> None:
    """Check that the first scanner tells by eSCL what it can do."""
    question = waiting(f"{HTTP} {address}/eSCL/ScannerCapabilities | grep ScannerCapabilities")
    root.good(f"eSCL: what the scanner can do ({what})", question)


def waiting(command: str) -> str:
    """Return a command that tries *command* until it succeeds, for a minute."""
    return f"for i in $(seq 60); do {command} && exit 0; sleep 1; done; exit 1"


def upgraded(root: Booted, packages: list[Path]) -> None:
    """Check that services which run do so from the new files after an upgrade."""
    show = "systemctl show -P MainPID pysane-saned.service pysane-share.service"
    before = root.run(show).stdout.split()
    put(root, [following(package, root.path.parent) for package in packages])
    root.good("upgrade while they run", f"{clean_root.INSTALL} /srv/packages/*.deb")
    scans(root, "upgraded")
    answers(root, "http://localhost:8090", "upgraded")
    after = root.run(show).stdout.split()
    fresh = len(after) == 2 and not set(before) & set(after)
    root.expect("both have been started anew", fresh, f"{before}, {after}")


def ended(root: Booted) -> None:
    """Check that the services end when asked, and that nothing went wrong in them."""
    for unit in UNITS[1:]:
        root.good(f"{unit} is stopped", f"systemctl stop {unit}")
        root.good(f"{unit}: ended well", f"systemctl show -P Result {unit}", "success")
        text = root.run(f"journalctl --no-pager -o cat -u {unit}").stdout
        root.expect(f"{unit}: nothing bad in the journal", "Traceback" not in text, text)
        root.run(f"systemctl start {unit}")


def purged(root: Booted, before: dict[str, str]) -> None:
    """Check that purging stops what runs and leaves nothing."""
    root.run("rm -rf /srv/packages /tmp/*.pnm")
    done = root.run(f"apt-get -qq -y purge {NAMES}", check=False)
    root.expect("purged while they run", done.returncode == 0, done.stdout + done.stderr)
    units = root.run("systemctl list-units --all --plain --no-legend 'pysane*'").stdout
    root.expect("systemd knows none of the units", not units, units)
    processes = root.run("pgrep -u saned -a", check=False).stdout
    root.expect("no process is left", not processes, processes)
    after = root.files()
    left = [path for path in sorted(after.keys() - before.keys()) if not path.startswith(OTHERS)]
    left += [path for path in after.keys() - before.keys() if "pysane" in path]
    root.expect("no file is left", not left, ", ".join(left[:9]))


def main() -> int:
    """Run the program; return 1 if a check failed."""
    packages, suite, folder = asked("test-services", "services")
    if shutil.which("systemd-nspawn") is None:
        raise SystemExit("make test-services needs systemd-nspawn (apt install systemd-container)")
    root = Booted(folder)
    root.make(suite)
    root.run(f"{clean_root.INSTALL} {PROGRAMS} {dependencies(packages)}")
    root.run("sed -i 's/^#test/test/' /etc/sane.d/dll.conf")  # a scanner for all to find
    with root:
        before = root.files()
        put(root, packages)
        root.good("installed under systemd", f"{clean_root.INSTALL} /srv/packages/*.deb")
        installed(root)
        saned(root)
        share(root)
        upgraded(root, packages)
        ended(root)
        purged(root, before)
    if not root.failed:
        shutil.rmtree(root.path)
    print(f"{root.passed} passed, {root.failed} failed")
    return 1 if root.failed else 0


if __name__ == "__main__":
    sys.exit(main())
