"""pysane doctor, network: emulated scanners and daemons, closed ports, silent ones, old TLS."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from sane.cli.doctor import network
from sane.cli.doctor.finding import FAULT, OK, UNKNOWN, WARNING, Finding
from sane.discovery import dbus, dnssd, mdns
from sane.testing.escl import Emulator, Scanner
from sane.testing.escl.certificates import server_context
from sane.testing.net import Connection, TcpEmulator
from sane.transport.interfaces import InterfaceAddress
from tests.conftest import ABSENT
from tests.fakes.avahi import Announced, FakeAvahi
from tests.support.doctor import Place
from tests.support.ports import free_ports, full_listener, listener

IPV4, IPV6 = int(socket.AF_INET), int(socket.AF_INET6)
UP = 1
LOOPBACK = ("lo", IPV4, "127.0.0.1", 8)
OFFICE = ("eth0", IPV4, "192.0.2.20", 24)


@pytest.fixture(autouse=True)
def silent_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what announces itself in the network of this machine out of the tests."""
    monkeypatch.setattr(dnssd, "PROGRAM", "/nonexistent")
    monkeypatch.setattr(mdns, "GROUPS", ())
    monkeypatch.setattr(
        mdns, "browse_all", lambda types, *rest, **words: {type: [] for type in types}
    )


def in_network(
    monkeypatch: pytest.MonkeyPatch, *rows: tuple[str, int, str, int], loopback: bool = True
) -> None:
    """Let this machine have these addresses."""
    found = []
    for name, family, address, prefix in (*([LOOPBACK] if loopback else []), *rows):
        one = InterfaceAddress(name, 1, UP, family, prefix)
        one.address = socket.inet_pton(family, address)
        found.append(one)
    monkeypatch.setattr(network, "addresses", lambda: found)


def hear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *announced: Announced, fault: str = ""
) -> FakeAvahi:
    """Return a system bus with an Avahi daemon that knows these services."""
    path = tmp_path / "bus"
    monkeypatch.setattr(dbus, "SOCKET", str(path))
    return FakeAvahi(path, announced, fault)


# Interfaces


@pytest.mark.parametrize(
    ("rows", "id", "level", "text"),
    [
        ([], "network.interfaces", WARNING, "This machine has no network"),
        ([OFFICE], "network.interfaces", OK, "in the network 192.0.2.20/24 (eth0)."),
        (
            [("eth0", IPV4, "169.254.3.4", 16), ("eth0", IPV6, "fe80::1", 64)],
            "network.interfaces",
            WARNING,
            "No interface has an address that a router gave (DHCP)",
        ),
        (
            [("eth0", IPV6, "2001:db8::4", 64)],
            "network.ipv6",
            WARNING,
            "This machine has IPv6 addresses only",
        ),
    ],
)
def test_interfaces(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[str, int, str, int]],
    id: str,
    level: str,
    text: str,
) -> None:
    in_network(monkeypatch, *rows)
    (finding,) = Place(tmp_path).found("network.interfaces")
    assert (finding.id, finding.level) == (id, level)
    assert text in finding.text


# Announcements


def test_announcements_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path)
    place.write("run/avahi-daemon/pid", "1\n")
    saned = Announced("saned", port=6566, host="server.local", type="_sane-port._tcp")
    with hear(tmp_path, monkeypatch, Announced("Acme"), saned):
        level, text, _ = place.one("network.dnssd")
        assert level == OK
        assert text == (
            "2 scanners or servers announce themselves (1 of _uscan._tcp, 1 of _sane-port._tcp); "
            "heard by the Avahi daemon."
        )
        assert place.one("network.firewall")[0] == OK


def test_nothing_is_announced_to_the_avahi_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    place.write("run/avahi-daemon/pid", "1\n")
    with hear(tmp_path, monkeypatch):
        level, text, _ = place.one("network.dnssd")
    assert level == OK
    assert text.startswith("No scanner in the network announces itself (DNS-SD)")


@pytest.mark.parametrize("fault", ["hangs", "gone", "refused"])
def test_an_avahi_daemon_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    place = Place(tmp_path)
    place.write("run/avahi-daemon/pid", "1\n")
    with hear(tmp_path, monkeypatch, fault=fault):
        level, text, command = place.one("network.dnssd")
    assert level == WARNING
    assert text.startswith("The Avahi daemon runs, but does not answer: ")
    assert command == "sudo systemctl restart avahi-daemon"


@pytest.mark.parametrize(
    ("installed", "command"),
    [
        (True, "sudo systemctl enable --now avahi-daemon"),
        (False, "sudo apt install avahi-daemon"),
    ],
)
def test_the_avahi_daemon_does_not_run(tmp_path: Path, installed: bool, command: str) -> None:
    place = Place(tmp_path)
    if installed:
        place.write("usr/sbin/avahi-daemon")
    level, text, repairs = place.one("network.dnssd")
    assert level == WARNING
    assert "the Avahi daemon, which hears more, does not run" in text
    assert repairs == command


@pytest.mark.parametrize(
    ("file", "content", "name", "command"),
    [
        ("run/firewalld.pid", "1\n", "firewalld", "sudo firewall-cmd --permanent"),
        ("etc/ufw/ufw.conf", "ENABLED=yes\n", "ufw", "sudo ufw allow 5353/udp"),
        (
            "etc/systemd/system/sysinit.target.wants/nftables.service",
            "",
            "nftables",
            "sudo nft add rule",
        ),
    ],
)
def test_a_firewall_that_is_active(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    content: str,
    name: str,
    command: str,
) -> None:
    in_network(monkeypatch, OFFICE)
    place = Place(tmp_path)
    place.write(file, content)
    level, text, repairs = place.one("network.firewall")
    assert level == WARNING
    assert f"a firewall ({name}) is active here" in text
    assert repairs.startswith(command)


def test_a_firewall_that_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_network(monkeypatch, OFFICE)
    place = Place(tmp_path)
    place.write("etc/ufw/ufw.conf", "ENABLED=no\n")
    level, text, _ = place.one("network.firewall")
    assert level == UNKNOWN
    assert "it is in another network" in text


def test_a_container_with_a_network_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_network(monkeypatch, OFFICE)
    place = Place(tmp_path)
    place.write("run/.containerenv")
    level, text, command = place.one("network.firewall")
    assert level == WARNING
    assert "this Podman container may have a network of its own" in text
    assert command == "podman run --network host IMAGE"


@pytest.mark.parametrize("has_ipv6", [True, False])
def test_a_scanner_with_ipv6_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_ipv6: bool
) -> None:
    in_network(monkeypatch, OFFICE, *([("eth0", IPV6, "2001:db8::4", 64)] if has_ipv6 else []))
    place = Place(tmp_path)
    with hear(tmp_path, monkeypatch, Announced("Acme", "2001:db8::9", "acme.local")):
        level, text, _ = place.one("network.ipv6")
    assert level == (OK if has_ipv6 else FAULT)
    assert text.startswith("acme.local announces IPv6 addresses only, and this machine has ")


# What drivers find


def test_a_scanner_that_escl_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, dll="escl\n")
    with (
        Emulator(Scanner()) as device,
        hear(
            tmp_path,
            monkeypatch,
            Announced(
                "Acme", "127.0.0.1", port=device.address[1], texts=(b"rs=eSCL", b"ty=Acme 9")
            ),
        ),
    ):
        assert place.one("network.escl")[:2] == (OK, "Driver escl finds 1 scanner: Acme 9.")


FAILING = """
from sane.backend import NetworkBackend, Place, errors


class Backend(NetworkBackend):
    methods = {"acme": 9}
    discovers_by_default = True

    def broadcast(self, wait):
        return [Place("acme", "192.0.2.9", 9)]

    def probe(self, place, cancel):
        raise errors.DeviceIOError("the lamp is broken")
"""


def test_a_scanner_that_is_heard_and_does_not_answer_well(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="acme_network\n")
    (tmp_path / "acme_network.py").write_text(FAILING)
    place.variables["PYSANE_BACKEND_PATH"] = str(tmp_path)
    warning, last = network.found_by("acme_network")(place.machine())
    assert warning.level == WARNING
    assert warning.text == "Driver acme_network says: acme://192.0.2.9: the lamp is broken."
    assert (last.level, last.text) == (OK, "Driver acme_network finds no scanner.")


def test_a_driver_that_is_not_in_use_while_scanners_announce_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, dll="test\n")
    with hear(tmp_path, monkeypatch, Announced("Acme", host="acme.local")):
        level, text, command = place.one("network.escl")
    assert level == FAULT
    assert text == (
        "The driver escl is not in dll.conf, but acme.local announces a scanner for it."
    )
    assert command == f"echo escl | sudo tee -a {place.config}/dll.conf"


def test_a_driver_that_is_not_in_use(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="test\n")
    text = "Driver escl is not in dll.conf, so it looks for nobody."
    assert place.one("network.escl") == (OK, text, "")


# Scanners of the configuration


def host(place: Place) -> Finding:
    (finding,) = place.found("network.host")
    return finding


def test_a_configured_scanner_answers(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="escl\n")
    with Emulator(Scanner()) as device:
        place.configure("escl.conf", f"discovery off\n{device.url}\n")
        finding = host(place)
    assert finding.level == OK
    assert finding.text.startswith(f"127.0.0.1 (in {place.config}/escl.conf) answers: ")
    assert finding.device.startswith("escl:http://127.0.0.1:")


def test_a_port_that_is_closed(tmp_path: Path) -> None:
    port = free_ports(1)
    place = Place(tmp_path, dll="escl\n", escl=f"discovery off\nhttp://127.0.0.1:{port}\n")
    finding = host(place)
    assert finding.level == FAULT
    assert finding.text == (
        f"127.0.0.1 (in {place.config}/escl.conf) is there, but nothing listens at this port "
        "(Connection refused)."
    )
    assert finding.command == f"sudoedit {place.config}/escl.conf"


def test_a_host_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network.connect, "__defaults__", (0.3,))
    with full_listener() as port:
        place = Place(tmp_path, dll="escl\n", escl=f"discovery off\nhttp://127.0.0.1:{port}\n")
        finding = host(place)
    assert finding.level == FAULT
    assert "does not answer" in finding.text
    assert finding.text.endswith("it is off, asleep, or behind a firewall.")


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="escl\n", escl="discovery off\nhttp://scanner.invalid\n")
    finding = host(place)
    assert finding.level == FAULT
    assert ": no address is known for this name: " in finding.text


def test_a_host_in_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 is far away for a machine that has no loopback."""
    in_network(monkeypatch, OFFICE, loopback=False)
    port = free_ports(1)
    place = Place(tmp_path, dll="escl\n", escl=f"discovery off\nhttp://127.0.0.1:{port}\n")
    finding = host(place)
    assert (finding.id, finding.level) == ("network.subnet", FAULT)
    assert "is in none of this machine's networks" in finding.text


def test_scanning_is_switched_off_in_the_device(tmp_path: Path) -> None:
    scanner = Scanner()
    scanner.access.roots = ["/elsewhere"]
    place = Place(tmp_path, dll="escl\n")
    with Emulator(scanner) as device:
        place.configure("escl.conf", f"discovery off\n{device.origin}/eSCL/\n")
        finding = host(place)
        (said,) = place.found("network.escl")
    assert said.text == "Driver escl finds no scanner."  # the fault is told once
    assert finding.level == FAULT
    assert "answers, but not as a scanner: " in finding.text
    assert "HTTP 404" in finding.text
    assert "allowed in its settings?" in finding.text


def test_a_scanner_that_wants_a_password(tmp_path: Path) -> None:
    scanner = Scanner()
    scanner.access.scheme, scanner.access.user, scanner.access.password = "digest", "a", "b"
    place = Place(tmp_path, dll="escl\n")
    with Emulator(scanner) as device:
        place.configure("escl.conf", f"discovery off\n{device.url}\n")
        finding = host(place)
    assert finding.level == FAULT
    assert " denies access: " in finding.text
    assert finding.command == f"sudoedit {place.config}/escl.conf"


# TLS


def tls(tmp_path: Path, kind: str) -> tuple[str, str, str, Place]:
    if shutil.which("openssl") is None:
        pytest.skip(f"{ABSENT}openssl")
    place = Place(tmp_path, dll="escl\n")
    with Emulator(Scanner(), tls=server_context(kind, tmp_path)) as device:
        place.configure("escl.conf", f"discovery off\n{device.url}\n")
        return *place.one("network.tls"), place


def test_tls_that_works(tmp_path: Path) -> None:
    level, text, _, _ = tls(tmp_path, "trusted")
    assert level == OK
    assert text.endswith(": TLS works.")


def test_tls_of_old_firmware(tmp_path: Path) -> None:
    level, text, command, place = tls(tmp_path, "old")
    assert level == FAULT
    if "without encryption" in text:
        pytest.skip("this OpenSSL speaks no TLS 1.0")
    assert "its firmware knows only versions of TLS before 1.2" in text
    assert "tls-min=1.0" in command
    assert command.endswith(f"{place.config}/escl.conf")


class Plain(TcpEmulator):
    """Speaks HTTP, and no TLS."""

    def serve(self, connection: Connection) -> None:
        connection.receive(1)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_port_that_speaks_no_tls(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="escl\n")
    with Plain() as device:
        place.configure("escl.conf", f"discovery off\nhttps://127.0.0.1:{device.address[1]}\n")
        level, text, command = place.one("network.tls")
    assert level == FAULT
    assert "the TLS handshake fails" in text
    assert command == f"echo 'https never' | sudo tee -a {place.config}/escl.conf"


def test_a_tls_port_that_is_closed(tmp_path: Path) -> None:
    port = free_ports(1)
    place = Place(tmp_path, dll="escl\n", escl=f"discovery off\nhttps://127.0.0.1:{port}\n")
    level, text, _ = place.one("network.tls")
    assert level == WARNING
    assert "it cannot be reached for TLS" in text


def test_a_tls_port_that_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "REACH_SECONDS", 0.3)
    with listener() as sock:
        port = sock.getsockname()[1]
        place = Place(tmp_path, dll="escl\n", escl=f"discovery off\nhttps://127.0.0.1:{port}\n")
        level, text, _ = place.one("network.tls")
    assert level == WARNING
    assert "no answer for TLS" in text
