"""firewalled.main(): what the doctor says of a scanner behind a firewall.

It runs in a network namespace of its own, with a scanner in another one beside it. It prints JSON:
for each case the findings, as [id, level, text].
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sane.cli.doctor.finding import OK
from sane.cli.doctor.program import examine
from tests.support.doctor import Place
from tests.support.timing import wait_until

Rows = list[list[str]]
OURS, SCANNERS, ELSEWHERE = "10.99.0.1", "10.99.0.2", "10.77.0.9"
PORT = 8095
LONG = 60.0
OURS_DENIES, THEIRS_DENIES, LETS_IN = "10.99.0.3", "10.99.0.4", "10.99.0.5"
DATA_PORTS = "10000 - 10100"
START = "import sys; from sane.saned import main; sys.exit(main())"
SANED = f"{sys.executable} -c '{START}' -l -e -p 6566 -b"
SCANNER = f"""
ip link set lo up
until ip link set v1 up; do sleep 0.1; done
for n in 2 3 4 5; do ip addr add 10.99.0.$n/24 dev v1; done
ip route add default dev v1
SANE_CONFIG_DIR=$SANE_TEST_FOLDER/denies {SANED} {OURS_DENIES} 2>/dev/null &
SANE_CONFIG_DIR=$SANE_TEST_FOLDER/lets-in {SANED} {LETS_IN} 2>/dev/null &
SANE_CONFIG_DIR=$SANE_TEST_FOLDER/denies /usr/sbin/saned -l -b {THEIRS_DENIES} >/dev/null 2>&1 &
exec {sys.executable} -m sane.testing.escl --host {SCANNERS} --port {PORT} --announce
"""
DROP = (
    "add table inet f",
    "add chain inet f input { type filter hook input priority 0 ; }",
    "add rule inet f input iif v0 drop",
)
OUTPUT = (
    "add table inet f",
    "add chain inet f output { type filter hook output priority 0 ; }",
    f"add rule inet f output tcp dport {DATA_PORTS.replace(' ', '')} drop",
)
IDS = ("network.interfaces", "network.dnssd", "network.firewall", "network.escl", "network.host")


def set_up() -> subprocess.Popen[bytes]:
    """Make the networks, a scanner and servers; return their process."""
    folder = Path(os.environ["SANE_TEST_FOLDER"])
    for name, text in (
        ("denies", "10.77.0.0/24\n"),
        ("lets-in", f"{OURS}\ndata_portrange = {DATA_PORTS}\n"),
    ):
        (folder / name).mkdir()
        (folder / name / "dll.conf").write_text("test\n")
        (folder / name / "saned.conf").write_text(text)
    for line in (
        "ip link set lo up",
        "ip link add v0 type veth peer name v1",
        "ip link set v0 up",
        f"ip addr add {OURS}/24 dev v0",
        "ip route add 224.0.0.0/4 dev v0",
    ):
        subprocess.run(line.split(), check=True)
    scanner = subprocess.Popen(["unshare", "--net", "sh", "-c", SCANNER], stderr=subprocess.PIPE)
    ours = os.readlink("/proc/self/ns/net")
    assert wait_until(lambda: os.readlink(f"/proc/{scanner.pid}/ns/net") != ours, LONG)
    subprocess.run(["ip", "link", "set", "v1", "netns", str(scanner.pid)], check=True)
    assert scanner.stderr is not None
    scanner.stderr.readline()  # it listens
    return scanner


def found(place: Place, *ids: str) -> Rows:
    return [[one.id, one.level, one.text] for one in place.found(*ids)]


def until(look: Callable[[], Rows], is_enough: Callable[[Rows], bool]) -> Rows:
    """Return what *look* finds, once it is enough: on a busy machine answers come late."""
    deadline = time.monotonic() + LONG
    while not is_enough(rows := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return rows


def is_well(rows: Rows) -> bool:
    return all(level == OK for _, level, _ in rows)


def saned(place: Place, address: str) -> Rows:
    """Return what is found of the server at *address*, once it listens and answers."""
    place.configure("net.conf", f"{address}\n")

    def is_told(rows: Rows) -> bool:
        return is_well(rows) or "access denied" in rows[0][2]

    return until(lambda: found(place, "network.saned"), is_told)


def closed_data_port(place: Place) -> Rows:
    """Return what a test read finds where a firewall drops the data connection."""
    place.variables["SANE_NET_TIMEOUT"] = "2"
    for line in OUTPUT:
        subprocess.run(["nft", line], check=True)

    def look() -> Rows:
        return [[one.id, one.level, one.text] for one in examine(place.machine(scans=True), ())]

    rows = until(look, lambda rows: any(id == "network.data-port" for id, _, _ in rows))
    subprocess.run(["nft", "flush ruleset"], check=True)
    return rows


def main() -> None:
    """Run it."""
    scanner = set_up()
    try:
        folder = Path(os.environ["SANE_TEST_FOLDER"])
        place = Place(folder, dll="escl\n", escl=f"discovery on\nhttp://{SCANNERS}:{PORT}\n")
        cases = {"open": until(lambda: found(place, *IDS), is_well)}
        net = Place(folder / "net", dll="net\n")
        cases["ours denies"] = saned(net, OURS_DENIES)
        if os.path.exists("/usr/sbin/saned"):
            cases["theirs denies"] = saned(net, THEIRS_DENIES)
        cases["lets in"] = saned(net, LETS_IN)
        cases["data port"] = closed_data_port(net)
        for line in DROP:
            subprocess.run(["nft", line], check=True)
        place.write("etc/ufw/ufw.conf", "ENABLED=yes\n")
        cases["firewalled"] = found(place, *IDS)
        subprocess.run(["nft", "flush ruleset"], check=True)
        place.configure("escl.conf", f"discovery off\nhttp://{ELSEWHERE}\n")
        cases["elsewhere"] = found(place, "network.host")
        subprocess.run(["ip", "addr", "flush", "dev", "v0"], check=True)
        subprocess.run(["ip", "addr", "add", "2001:db8::1/64", "dev", "v0"], check=True)
        cases["ipv6"] = found(place, "network.interfaces")
        subprocess.run(["ip", "link", "set", "v0", "down"], check=True)
        cases["nothing"] = found(place, "network.interfaces", "network.firewall")
        print(json.dumps(cases))
    finally:
        scanner.kill()
        scanner.communicate()
