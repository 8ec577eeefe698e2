"""Servers that announce themselves: nobody is asked unless net.conf says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.discovery import dnssd
from sane.errors import DeviceIOError
from sane.net.hosts import discovered
from tests.discovery.test_dnssd import OUTPUT, program
from tests.fakes.saned import FakeSaned
from tests.net.opening import backend, handle


def test_discovered_servers_are_listed_once_sorted_by_name() -> None:
    found = [(host.name, host.address) for host in discovered(dnssd.parse(OUTPUT))]
    assert found == [("other.local", "fe80::2%eth1"), ("server.local", "192.0.2.7")]


def test_discovered_servers_are_listed_and_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSaned() as server, FakeSaned("127.0.0.2") as configured:
        line = f"=;lo;IPv4;a;_sane-port._tcp;local;found.invalid;127.0.0.1;{server.port};"
        program(tmp_path, monkeypatch, f"echo '{line}'\n")
        conf = f"discovery = yes\n127.0.0.2 port = {configured.port}\n"
        made = backend(tmp_path / "conf", conf)
        listed = [device.name for device in made.list_devices(False)]
        assert listed == ["127.0.0.2:test:0", "found.invalid:test:0"]
        made.exit()
        fresh = backend(tmp_path / "conf", conf)
        handle(fresh, "found.invalid:test:0").close()
        fresh.exit()


def test_discovered_nobody_is_asked_unless_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, f"touch {tmp_path}/asked\n")
    for conf in ("", "discovery = no\n"):
        made = backend(tmp_path / "conf", conf)
        assert made.list_devices(False) == []
        with pytest.raises(DeviceIOError):
            made.open("no.such.host.invalid:x")
        made.exit()
    assert not (tmp_path / "asked").exists()
