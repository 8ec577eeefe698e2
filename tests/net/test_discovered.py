"""Servers that announce themselves: nobody is asked unless net.conf says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sane.discovery import dnssd
from sane.errors import DeviceIOError
from sane.net.hosts import discovered
from sane.wire import messages as m
from tests.fakes.saned import FakeSaned
from tests.net.opening import backend, handle, wait_for
from tests.support.avahi import OUTPUT, program
from tests.support.ports import full_listener


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


def test_discovered_servers_have_time_for_their_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are there, and ask their own scanners: only connecting to them is limited."""
    monkeypatch.setattr("sane.net.client.DISCOVERED_SECONDS", 0.2)

    def slowly(fake: FakeSaned, server: Any, request: Any) -> Any:
        fake.stopping.wait(0.5)
        return FakeSaned.answer(fake, server, request)

    with FakeSaned(answers={m.GetDevices: slowly}) as server:
        line = f"=;lo;IPv4;a;_sane-port._tcp;local;found.invalid;127.0.0.1;{server.port};"
        program(tmp_path, monkeypatch, f"echo '{line}'\n")
        made = backend(tmp_path / "conf", "discovery = yes\n")
        assert [device.name for device in made.list_devices(False)] == ["found.invalid:test:0"]
        made.exit()


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


def test_discovered_thousands_of_announcements_are_a_few_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each is asked in a thread, and none answers: only the first are, by so many threads."""
    import os

    monkeypatch.setattr("sane.net.client.DISCOVERED_SECONDS", 0.2)
    before = len(os.listdir("/proc/self/task"))
    with full_listener() as port:
        lines = "".join(
            f"=;lo;IPv4;a;_sane-port._tcp;local;host{number:04}.invalid;127.0.0.1;{port};\n"
            for number in range(4000)
        )
        (tmp_path / "lines").write_text(lines)
        program(tmp_path, monkeypatch, f"cat {tmp_path}/lines\n")
        made = backend(tmp_path / "conf", "discovery = yes\n", SANE_DEBUG_NET="1")
        for _ in range(3):
            assert made.list_devices(False) == []
            assert len(os.listdir("/proc/self/task")) <= before + 64
        made.exit()
        wait_for(lambda: len(os.listdir("/proc/self/task")) <= before)
    assert "4000 servers announced" in capfd.readouterr().err
