"""python -m tests.peers.avahi_network: what our search finds with a real Avahi daemon.

It runs in namespaces of its own (mount, net, pid), with a system bus, a daemon and services that
avahi-publish announces. It prints JSON: for each case what was found, after how many seconds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sane.config import Environment
from sane.debug import Debug
from sane.discovery import dbus, dnssd
from tests.support.timing import wait_until

LONG = 20.0
TYPE = "_uscan._tcp"
ACCOUNTS = "root:x:0:0::/:/bin/sh\navahi:x:0:0::/:/bin/sh\n"
GROUPS = "root:x:0:\navahi:x:0:\nnetdev:x:0:\n"
BUS = """<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow send_type="signal"/><allow send_requested_reply="true"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/>
<allow receive_type="error"/><allow receive_type="signal"/></policy></busconfig>"""
DAEMON = """[server]
use-ipv4=yes
use-ipv6=yes
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
"""
PUBLISHED = {
    "Büro 2.Stock": ("8080", "rs=eSCL", "ty=Acme One"),
    "a\x01\x1b[31mb": ("8081", "rs=\x01"),
    "Third": ("8082",),
}
NAMED = "Büro-2.local"  # the host of the third


def start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def set_up(
    folder: Path, published: Mapping[str, Sequence[str]]
) -> tuple[subprocess.Popen[bytes], list[subprocess.Popen[bytes]]]:
    """Start everything; return the daemon and the others. published: port and texts by name."""
    for line in (
        "mount -t tmpfs none /run",
        "ip link set lo up multicast on",
        "ip link add v0 type veth peer name v1",
        "ip link set v0 up",
        "ip link set v1 up",
        "ip addr add 10.99.0.1/24 dev v0",
    ):
        subprocess.run(line.split(), check=True)
    for name, text in (("passwd", ACCOUNTS), ("group", GROUPS)):
        (folder / name).write_text(text)
        subprocess.run(["mount", "--bind", str(folder / name), f"/etc/{name}"], check=True)
    bus = Path("/run/dbus/system_bus_socket")
    bus.parent.mkdir()
    (folder / "bus.conf").write_text(BUS.format(bus))
    (folder / "daemon.conf").write_text(DAEMON)
    options = ["--nofork", "--nopidfile", f"--config-file={folder}/bus.conf"]
    others = [start(["dbus-daemon", *options], folder / "bus.log")]
    assert wait_until(bus.exists, LONG)
    options = ["--no-drop-root", "--no-chroot", "--no-rlimits", "-f", str(folder / "daemon.conf")]
    daemon = start(["avahi-daemon", *options], folder / "daemon.log")
    assert wait_until(lambda: "startup complete" in (folder / "daemon.log").read_text(), LONG)
    if published:
        others.append(start(["avahi-publish", "-R", "-a", NAMED, "10.99.0.1"], folder / "host.log"))
        assert wait_until(lambda: "Established" in (folder / "host.log").read_text(), LONG)
    for name, (port, *texts) in published.items():
        log = folder / f"publish{port}.log"
        command = ["avahi-publish", "-H", NAMED, "-s", name, TYPE, port, *texts]
        others.append(start(command if port == "8082" else [command[0], *command[3:]], log))
        assert wait_until(lambda log=log: "Established" in log.read_text(), LONG)  # type: ignore[misc]
    return daemon, others


def found(type: str) -> tuple[list[list[str]], float]:
    """Return the services of *type*, and the seconds that it took."""
    debug = Debug("net", Environment({"SANE_DEBUG_NET": "2"}))
    begin = time.monotonic()
    rows = [service.row() for service in dnssd.services(type, debug)]
    return rows, time.monotonic() - begin


def main() -> None:
    """Run all cases."""
    assert Path(dbus.SOCKET).parent.parent.resolve() == Path("/run")
    folder = Path(os.environ["SANE_TEST_FOLDER"])
    daemon, others = set_up(folder, PUBLISHED)
    cases = {"first": found(TYPE), "second": found(TYPE), "nothing": found("_nothing._tcp")}
    sys.modules["jeepney"] = None  # type: ignore[assignment]  # as where it is not installed
    cases["program"] = found(TYPE)
    del sys.modules["jeepney"]
    daemon.send_signal(signal.SIGSTOP)
    cases["hangs"] = found(TYPE)
    daemon.send_signal(signal.SIGCONT)
    daemon.kill()
    daemon.wait()
    cases["gone"] = found(TYPE)
    for process in others:
        process.kill()
        process.wait()
    print(json.dumps(cases))


if __name__ == "__main__":
    main()
