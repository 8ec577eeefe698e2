"""pysane doctor, hosts of net.conf: servers that refuse, hang, are old, or are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sane.cli.doctor import saned_hosts
from sane.cli.doctor.finding import FAULT, OK, WARNING, Finding
from sane.discovery import dbus
from sane.errors import AccessDenied, DeviceBusy
from sane.wire import messages as m
from tests.fakes.avahi import Announced, FakeAvahi
from tests.fakes.saned import FakeSaned
from tests.support.doctor import Place
from tests.support.ports import free_ports


def ask(tmp_path: Path, **settings: Any) -> Finding:
    """Return what is found of the only host of net.conf, a server with these *settings*."""
    with FakeSaned(**settings) as server:
        place = Place(tmp_path, dll="net\n", net=f"127.0.0.1 port = {server.port}\n")
        (finding,) = place.found("network.saned")
    assert finding.text.startswith(f"saned at 127.0.0.1 port {server.port}")
    assert finding.device == "net:127.0.0.1"
    return finding


def test_a_server_that_lets_us_in(tmp_path: Path) -> None:
    finding = ask(tmp_path)
    assert finding.level == OK
    assert finding.text.endswith(" lets us in and has 1 scanner.")


def test_a_server_without_a_scanner(tmp_path: Path) -> None:
    finding = ask(tmp_path, devices=[])
    assert finding.level == WARNING
    assert finding.text.endswith(" lets us in, but has no scanner itself.")
    assert finding.command == "ssh -- 127.0.0.1 scanimage -L"


DENIED = "access denied, its saned.conf does not name this machine (127.0.0.1)."
LET_IN = "ssh -- 127.0.0.1 'echo 127.0.0.1 | sudo tee -a /etc/sane.d/saned.conf'"


def test_a_server_that_closes_at_once(tmp_path: Path) -> None:
    finding = ask(tmp_path, answers={m.Init: lambda *_: None})
    assert finding.level == FAULT
    assert finding.text.endswith(f" closes the connection at once: {DENIED}")
    assert finding.command == LET_IN


def test_a_server_that_says_access_denied(tmp_path: Path) -> None:
    def refuse(server: FakeSaned, wire: Any, request: object) -> bytes:
        data: bytes = wire.reply(m.InitReply(AccessDenied.status, 0))
        return data

    finding = ask(tmp_path, answers={m.Init: refuse})
    assert finding.level == FAULT
    assert finding.text.endswith(f": {DENIED}")
    assert finding.command == LET_IN


def test_a_server_that_refuses_otherwise(tmp_path: Path) -> None:
    def refuse(server: FakeSaned, wire: Any, request: object) -> bytes:
        data: bytes = wire.reply(m.InitReply(DeviceBusy.status, 0))
        return data

    finding = ask(tmp_path, answers={m.Init: refuse})
    assert finding.level == FAULT
    assert finding.text.endswith(" refuses the connection with status 3.")


def test_a_server_that_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saned_hosts, "REACH_SECONDS", 0.3)
    finding = ask(tmp_path, answers={m.Init: lambda *_: []})
    assert finding.level == FAULT
    assert "takes the connection and does not answer" in finding.text


def test_a_server_of_an_old_version(tmp_path: Path) -> None:
    finding = ask(tmp_path, version=0x01000001)
    assert finding.level == FAULT
    text = " is not understood: the server speaks version 1, build 1; known: 1, (2, 3)."
    assert finding.text.endswith(text)


def test_another_program_at_the_port(tmp_path: Path) -> None:
    finding = ask(tmp_path, answers={m.Init: lambda *_: b"SSH-2.0-OpenSSH_9.2\r\n"})
    assert finding.level == FAULT
    assert finding.text.endswith(" is another program, which does not speak SANE's protocol.")


def test_nobody_listens(tmp_path: Path) -> None:
    port = free_ports(1)
    place = Place(tmp_path, dll="net\n", net=f"127.0.0.1 port = {port}\n")
    (finding,) = place.found("network.saned")
    assert finding.level == FAULT
    assert finding.text == (
        f"saned at 127.0.0.1 port {port} is there, but nothing listens at this port "
        "(Connection refused)."
    )
    assert finding.command == "ssh -- 127.0.0.1 sudo systemctl enable --now saned.socket"


def test_a_host_without_an_address(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="net\n", net="server.invalid\n")
    (finding,) = place.found("network.saned")
    assert finding.level == FAULT
    assert "no address is known for this name" in finding.text
    assert finding.command == f"sudoedit {place.config}/net.conf"


def test_net_is_not_in_use(tmp_path: Path) -> None:
    with FakeSaned() as server:
        place = Place(tmp_path, dll="test\n", net=f"127.0.0.1 port = {server.port}\n")
        first, second = place.found("network.saned")
    assert first.level == FAULT
    assert first.text == (
        f"{place.config}/net.conf names a host, but net is not in dll.conf: nobody is asked."
    )
    assert second.level == OK


def test_no_host_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path, dll="net\n", net="# none\n")
    assert place.one("network.saned") == (OK, "net.conf names no host.", "")


def test_a_server_that_announces_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, dll="net\n", net="# none\n")
    path = tmp_path / "bus"
    monkeypatch.setattr(dbus, "SOCKET", str(path))
    told = Announced("saned", port=6566, host="server.local", type="_sane-port._tcp")
    with FakeAvahi(path, [told]):
        level, text, command = place.one("network.announced")
        assert level == WARNING
        assert text == (
            "server.local announces that it shares scanners (saned), and is not in net.conf."
        )
        assert command == f"echo server.local | sudo tee -a {place.config}/net.conf"
        place.configure("net.conf", "server.local\n")
        assert place.one("network.announced")[0] == OK
